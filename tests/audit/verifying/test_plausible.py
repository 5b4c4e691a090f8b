"""Numbers that no audit can have made are refused, even where they are trusted to be right."""

import tomllib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying.plausible import plausible
from maskaudit.probes.loading import shipped
from tests.reports import records


def whole() -> Record:
    """Return a record of a pair with numbers of attributes, classes, relations and units."""
    return records.record([records.jobs(frames=6), records.facts(), records.pairs()])


def rows(estimates: pd.DataFrame, **texts: str) -> pd.Series:
    """Return which rows have these texts."""
    chosen = pd.Series(data=True, index=estimates.index)
    for column, text in texts.items():
        chosen &= estimates[column] == text
    assert chosen.any(), f"no row has {texts}"
    return chosen


def without(**texts: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return an edit that leaves these rows out."""
    return lambda estimates: estimates[~rows(estimates, **texts)].reset_index(drop=True)


def with_cells(column: str, value: object, **texts: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return an edit that writes a value into a column of these rows."""

    def edited(estimates: pd.DataFrame) -> pd.DataFrame:
        changed = estimates.copy()
        changed.loc[rows(estimates, **texts), column] = value
        return changed

    return edited


CONTRAST = {"estimator": "stereotype_contrast", "subject": "candidate"}
EDITS = {
    "has no row of the reference": without(estimator="stereotype_contrast", subject="reference"),
    "has no row of the difference": without(estimator="log_odds", subject="difference"),
    "has no lean": without(estimator="lean"),
    "is there twice": lambda estimates: pd.concat([estimates, estimates[:1]], ignore_index=True),
    "subject: has no such number": with_cells("subject", "relation", **CONTRAST),
    "slice: is no part of": with_cells("slice", "class=unheard-of", **CONTRAST),
    "scope: is not S1": with_cells("scope", "S3", estimator="accuracy@1"),
    "estimate: is missing, and no flag says why": with_cells("estimate", np.nan, **CONTRAST),
    "n_frames: is missing": with_cells("n_frames", pd.NA, **CONTRAST),
    "n_attributes: is too low": with_cells("n_attributes", -1, **CONTRAST),
    "std_error: is too low": with_cells("std_error", -0.1, **CONTRAST),
    "p: is too high": with_cells("p", 1.5, **CONTRAST),
    "std_error: is too large": with_cells("std_error", 1e200, **CONTRAST),
    "outcome: belongs to each inheritance": with_cells("outcome", "", estimator="inheritance"),
    "low: is above the high": with_cells("low", 9e9, **CONTRAST),
}


@pytest.mark.parametrize(
    "make",
    [
        whole,
        lambda: records.record([records.jobs(frames=3)]),
        lambda: records.record([records.people(), records.control(), records.triples()]),
    ],
    ids=["of every kind", "of few frames", "of names"],
)
def test_what_an_audit_made_holds(make: Callable[[], Record]) -> None:
    """Few frames too, of which many numbers are missing."""
    assert plausible(make()).outcome == "verified"


@pytest.mark.parametrize("text", EDITS)
def test_what_no_audit_makes_is_named(text: str) -> None:
    """Each by the column, and by what is wrong there."""
    record = whole()
    check = plausible(replace(record, estimates=EDITS[text](record.estimates)))
    assert check.differs
    assert text in check.text


def crossed() -> Record:
    """Return a record of groups that cross two factors, of the shipped set in small."""
    raw = tomllib.loads(shipped()["gender-race-name"].read_text("utf-8"))
    raw.pop("controls", None)
    raw["frames"] = raw["frames"][:6]
    for group in raw["groups"].values():
        group["terms"] = group["terms"][:2]
    for class_ in raw["classes"].values():
        # Of every family.
        class_["attributes"] = class_["attributes"][::3]
    return records.record([raw])


def test_effects_of_factors_are_between_levels_and_differences_of_them() -> None:
    """Neither is a group of the set; another level, or one of two factors, is still refused."""
    made = crossed()
    own = made.estimates
    assert {"main_effect race", "interaction gender/race"} <= set(own["estimator"])
    assert not plausible(made).differs
    for text in ("women/elsewhere: contrast", "women less black/men less white: contrast"):
        wrong = own.assign(slice=own["slice"].mask(own["estimator"] == "main_effect gender", text))
        found = plausible(replace(made, estimates=wrong))
        assert found.differs
        assert "is no part of gender-race-name" in found.text

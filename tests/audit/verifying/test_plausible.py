"""Numbers that no audit can have made are refused, even where they are trusted to be right."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying.plausible import plausible
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

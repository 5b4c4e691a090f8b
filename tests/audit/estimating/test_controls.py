"""Contrasts of negative controls: in a set, in its numbers, and in calibrated intervals."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.statistics.crossed.calibration import (
    calibrated,
    systematic_variance,
)
from maskaudit.audit.estimating.statistics.interval import student
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.checking.budget import items_of as budget_of
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from tests.estimate_oracles import (
    ONE_TERM,
    PAIR,
    SUBJECTS,
    contrast_of,
    design,
    grid,
    items_of,
    row_of,
    rows_of,
    scores_of,
    slow_cells,
    subjects,
)

N_CONTROLS = 12


def with_controls(n=N_CONTROLS):
    """Return the rows of a set, and of contrasts of controls with three attributes a side."""
    items = items_of(ONE_TERM, n_frames=8, n_variants=1)
    sides = {
        f"{number:02}:{side}": [f"{number:02}{side}{i}" for i in range(3)]
        for number in range(n)
        for side in ("first", "second")
    }
    bank = items_of(ONE_TERM, sides, n_frames=8, n_variants=1, priors=False, controls=())
    return tables.table("items", pd.concat([items, bank.assign(role="control")])), sides


def cells_of(items, scores, words):
    """Return the table of these words for each subject, by loops over items and scores."""
    by_model = {
        model: slow_cells(items, scores, model, "control", "women", "men") for model in PAIR
    }
    return {name: grid(cells, words) for name, cells in subjects(by_model).items()}


def test_each_contrast_of_controls_is_that_of_its_two_sides():
    """By loops; the set's own numbers are those without controls, and nothing else is tested."""
    items, sides = with_controls()
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    for subject in SUBJECTS:
        rows = rows_of(found, subject, "control_contrast")
        assert [row["slice"] for row in rows] == [f"control={n:02}" for n in range(N_CONTROLS)]
        for number, row in enumerate(rows):
            first, second = (
                cells_of(items, scores, sides[f"{number:02}:{side}"])[subject]
                for side in ("first", "second")
            )
            expected = contrast_of(first, second)
            for name in ("estimate", "low", "high", "std_error", "p"):
                assert row[name] == pytest.approx(expected[name], rel=1e-9)
            assert math.isnan(row["p_adjusted"])
    own = items[~items["class"].str.contains(":")]
    alone = estimate(own, scores[scores["item"].isin(own["item"])], [design()])
    keys = ["estimator", "slice", "subject"]
    others = found.estimates[found.estimates["estimator"].isin(alone.estimates["estimator"])]
    pd.testing.assert_frame_equal(
        others.set_index(keys).sort_index(),
        alone.estimates.set_index(keys).sort_index(),
        rtol=1e-12,
    )


def test_what_controls_move_beyond_their_errors_enters_the_interval():
    """Mean squares by hand; the largest control whichever way; the estimate is left as it is."""
    items, _ = with_controls()
    found = estimate(items, scores_of(items, noise=0.05), [design()])
    for subject in SUBJECTS:
        rows = rows_of(found, subject, "control_contrast")
        squares = math.fsum(row["estimate"] ** 2 for row in rows) / N_CONTROLS
        errors = math.fsum(row["std_error"] ** 2 for row in rows) / N_CONTROLS
        spread = row_of(found, subject, "contrast", "control_sd")["estimate"]
        assert spread == pytest.approx(math.sqrt(max(0.0, squares - errors)))
        largest = row_of(found, subject, "contrast", "control_largest")["estimate"]
        assert largest == max(abs(row["estimate"]) for row in rows)
        plain = row_of(found, subject, "contrast", "stereotype_contrast")
        row = row_of(found, subject, "contrast", "contrast_calibrated")
        assert row["estimate"] == plain["estimate"]
        assert row["std_error"] == pytest.approx(math.hypot(plain["std_error"], spread))
        variance = plain["std_error"] ** 2 + spread**2
        below = plain["std_error"] ** 4 / plain["df"] + (squares**2 / N_CONTROLS) * (spread > 0)
        reach = stats.t.ppf(0.975, variance**2 / below) * math.sqrt(variance)
        assert row["high"] - row["estimate"] == pytest.approx(reach)


def test_few_controls_are_shown_and_calibrate_nothing():
    """The reason stands in place of the numbers."""
    items, _ = with_controls(9)
    found = estimate(items, scores_of(items), [design()])
    assert len(rows_of(found, "candidate", "control_contrast")) == 9
    for name in ("control_sd", "control_largest", "contrast_calibrated"):
        assert row_of(found, "candidate", "contrast", name)["flag"] == "too_few_controls"


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0, 2.0])
def test_controls_cover_themselves_each_calibrated_by_the_others(spread):
    """Leave one out: nothing was lost, so each should hold 0 in 95 of 100."""
    rng = np.random.default_rng(4)
    held, n, df = 0, 20, 25
    tables_drawn = 60
    for _ in range(tables_drawn):
        drawn = rng.normal(0, math.hypot(spread, 1.0), n)
        errors = rng.chisquare(df, n) / df
        controls = [student(x, v, df, null_value=0.0) for x, v in zip(drawn, errors, strict=True)]
        for place, own in enumerate(controls):
            found = calibrated(own, controls[:place] + controls[place + 1 :])
            held += found.low <= 0 <= found.high
            assert found.std_error >= own.std_error
    # 1,200 intervals; those of one table hang together a little.
    assert held / (tables_drawn * n) == pytest.approx(0.957, abs=0.03)


def test_swapping_the_sides_of_controls_changes_nothing_but_their_sign():
    """Which side is called the first means nothing."""
    rng = np.random.default_rng(1)
    controls = [student(x, 0.1, 20.0, null_value=0.0) for x in rng.normal(0, 0.5, 20)]
    swapped = [student(-own.estimate, 0.1, 20.0, null_value=0.0) for own in controls]
    own = student(0.7, 0.05, 30.0, null_value=0.0)
    assert systematic_variance(controls) == systematic_variance(swapped)
    assert calibrated(own, controls) == calibrated(own, swapped)


SET = """
[set]
name = "jobs"
version = "1"
kind = "association"
axis = "gender"
title = "t"
question = "q"
how_to_read = "h"
limits = "l"
licence = "Apache-2.0"
sources = ["here"]
contrast = ["ours", "theirs"]
[groups.women]
terms = ["she"]
[groups.men]
terms = ["he"]
[classes.ours]
attributes = ["nurse", "typist"]
[classes.theirs]
attributes = ["pilot", "roofer"]
[[frames]]
id = "was"
text = "Once [MASK] was {a attribute}."
variants = ["[MASK] was {a attribute} once."]
[[frames]]
id = "met"
text = "We met {a attribute} when [MASK] was young."
"""
BANK = """
[controls.contrasts.months]
first = ["guest born in May", "guest born in June"]
second = ["guest born in July", "guest born in April"]
"""


def test_a_contrast_of_controls_is_asked_in_the_frames_own_texts(tmp_path):
    """Not in variants, and without priors; the budget counts the same rows."""
    (tmp_path / "jobs.toml").write_text(SET + BANK)
    probe_set = load(tmp_path / "jobs.toml")
    items = expand(probe_set).items
    bank = items[items["class"].str.startswith("months:")]
    assert len(bank) == 2 * 2 * 2 * 2  # sides, attributes, frames, groups
    assert set(bank["role"]) == {"control"}
    assert set(bank["variant"]) == {0}
    assert set(bank["class"]) == {"months:first", "months:second"}
    assert budget_of(probe_set) == len(items)
    assert set(items["role"]) == {"probe", "prior", "control"}


def test_a_set_without_such_contrasts_is_the_set_that_it_was(tmp_path):
    """Its rows and their digest, whatever the tables have columns for."""
    (tmp_path / "jobs.toml").write_text(SET)
    (tmp_path / "with.toml").write_text(SET + BANK)
    plain, more = (expand(load(tmp_path / name)) for name in ("jobs.toml", "with.toml"))
    own = more.items[~more.items["class"].str.contains(":")]
    pd.testing.assert_frame_equal(own.reset_index(drop=True), plain.items)
    assert plain.digest != more.digest

"""Contrasts by style of sentence against plain loops over the cells of a few frames."""

import math

import numpy as np
import pytest
from statsmodels.stats.oneway import anova_oneway

from maskaudit.audit.estimating.estimate import estimate
from tests import estimate_oracles as oracles
from tests.audit.estimating.statistics.test_styles_and_families import contrast_by_loops
from tests.estimate_oracles import (
    CLASSES,
    ONE_TERM,
    SUBJECTS,
    assert_is,
    assert_no_interval,
    contrast_of,
    design,
    everyone,
    items_of,
    row_of,
    scores_of,
    tables_of,
)

# Frames take turns: of talk and tale there are twice as many as of the others.
TURNS = ("talk", "tale", "work", "news", "short", "talk", "tale")
N_FRAMES = 42
STYLES = [TURNS[frame % len(TURNS)] for frame in range(N_FRAMES)]
NAMES = sorted(set(TURNS))
PLACES = {name: [j for j, own in enumerate(STYLES) if own == name] for name in NAMES}
OF_STYLES = {"style_contrast", "contrast_other_styles", "styles_holding", "style_q", "style_sd"}


def a_set(**changed):
    """Return a set with frames of five styles and nothing else that could vary."""
    parts = {"n_frames": N_FRAMES, "n_variants": 1, "styles": TURNS, "controls": ()}
    return items_of(ONE_TERM, priors=False, **{**parts, **changed})


def every_number(items, scores):
    """Return the estimates with those that are made only when they are asked for."""
    return estimate(items, scores, [design()], wanted=lambda _name: True)


def classes_of(items, scores):
    """Return the cells of the two classes of each subject."""
    for subject, cells in tables_of(items, scores, everyone()).items():
        yield subject, cells[:4], cells[-3:]


def estimated(seed=0, *, apart=0.0, lean=0.0):
    """Return the set, scores whose classes `lean`, `apart` more in one style, and the estimates."""
    items = a_set()
    scores = scores_of(items, seed=seed)
    _, frame, _, rest = zip(*scores["item"].str.split("/"), strict=True)
    in_style = np.array([STYLES[int(number)] == "work" for number in frame])
    women = np.array([text.startswith("a") and text.endswith("she") for text in rest])
    scores["value"] += (apart * in_style + lean) * women
    return items, scores, every_number(items, scores)


@pytest.mark.parametrize("seed", range(2))
def test_the_contrast_averages_styles_with_equal_weight(seed):
    """Whatever their numbers of frames; its interval is for new frames of the same styles."""
    items, scores, found = estimated(seed)
    for subject, first, second in classes_of(items, scores):
        row = row_of(found, subject, "contrast", "stereotype_contrast")
        value, variance, df = contrast_by_loops(first, second, STYLES)
        assert row["estimate"] == pytest.approx(value, rel=1e-9)
        assert row["std_error"] == pytest.approx(math.sqrt(variance), rel=1e-9)
        assert row["df"] == pytest.approx(df, rel=1e-9)
        assert (row["n_styles"], row["n_frames"]) == (5, N_FRAMES)
        assert "frame in style" in row["method"]


@pytest.mark.parametrize("seed", range(2))
def test_the_contrast_of_a_style_is_that_of_its_frames_alone(seed):
    """As if the set had no others; what holds in a style counts for the share that holds."""
    items, scores, found = estimated(seed, apart=1.0, lean=6.0)
    for subject, first, second in classes_of(items, scores):
        holding, side = 0, np.sign(contrast_by_loops(first, second, STYLES)[0])
        for name, own in PLACES.items():
            row = row_of(found, subject, f"style={name}", "style_contrast")
            expected = contrast_of(first[:, own], second[:, own])
            assert_is(row, expected, null=0)
            assert (row["n_frames"], row["n_styles"]) == (len(own), 1)
            holding += side * expected["low"] > 0 and side * expected["high"] > 0
        row = row_of(found, subject, "contrast", "styles_holding")
        assert row["estimate"] == pytest.approx(holding / 5)
    assert 0 < row_of(found, "reference", "contrast", "styles_holding")["estimate"] <= 1


@pytest.mark.parametrize("apart", [0.0, 6.0])
def test_the_interval_for_other_styles_takes_styles_as_the_sample(apart):
    """That of the means within styles where styles differ; never narrower than that for these."""
    items, scores, found = estimated(3, apart=apart)
    wider = 0
    for subject, first, second in classes_of(items, scores):
        row = row_of(found, subject, "contrast", "contrast_other_styles")
        means = [
            np.array([[line[own].mean() for own in PLACES.values()] for line in cells])
            for cells in (first, second)
        ]
        expected = contrast_of(*means)
        these = math.sqrt(contrast_by_loops(first, second, STYLES)[1])
        assert row["std_error"] == pytest.approx(max(expected["std_error"], these), rel=1e-8)
        if expected["std_error"] > these:
            wider += 1
            assert_is(row, expected, null=0)
        assert row["estimate"] == pytest.approx(expected["estimate"])
        assert "attribute+style" in row["method"]
    if apart:
        assert wider >= 2  # in the difference what both models have cancels


@pytest.mark.parametrize("apart", [0.0, 2.0])
def test_whether_styles_differ_is_welch_s_test_of_the_contrasts_of_their_frames(apart):
    """Q and the spread by the formulas of Cochran and of DerSimonian & Laird, term by term."""
    items, scores, found = estimated(4, apart=apart)
    for subject, first, second in classes_of(items, scores):
        by_frame = first.mean(0) - second.mean(0)
        samples = [by_frame[own] for own in PLACES.values()]
        weights = [len(own) / own.var(ddof=1) for own in samples]
        total = math.fsum(weights)
        middle = math.fsum(w * own.mean() for w, own in zip(weights, samples, strict=True)) / total
        q = math.fsum(
            w * (own.mean() - middle) ** 2 for w, own in zip(weights, samples, strict=True)
        )
        tau2 = (q - 4) / (total - math.fsum(w * w for w in weights) / total)
        welch = anova_oneway(samples, use_var="unequal", welch_correction=True)
        row = row_of(found, subject, "contrast", "style_q")
        assert row["estimate"] == pytest.approx(q)
        assert row["p"] == pytest.approx(welch.pvalue, rel=1e-8)
        assert (row["df"], row["null_value"]) == (4, 4)
        if apart and subject != "difference":
            assert row["p"] < 0.01
        row = row_of(found, subject, "contrast", "style_sd")
        assert row["estimate"] == pytest.approx(math.sqrt(max(0.0, tau2)), abs=1e-12)


def test_a_set_without_styles_has_no_number_of_styles():
    """And one style for all frames is one that is named, with nothing to compare it to."""
    items = a_set(styles=[""])
    scores = scores_of(items)
    plain = estimate(items, scores, [design()])
    assert not OF_STYLES & set(plain.estimates["estimator"])
    named = estimate(a_set(styles=["talk"]), scores, [design()])
    for subject in SUBJECTS:
        row, whole = (
            row_of(named, subject, slice_, name)
            for slice_, name in (
                ("style=talk", "style_contrast"),
                ("contrast", "stereotype_contrast"),
            )
        )
        assert (row["estimate"], row["std_error"]) == (whole["estimate"], whole["std_error"])
        again = row_of(plain, subject, "contrast", "stereotype_contrast")
        assert (again["estimate"], again["std_error"]) == (whole["estimate"], whole["std_error"])
        for name in ("style_q", "style_sd", "contrast_other_styles"):
            row = row_of(named, subject, "contrast", name)
            assert math.isnan(row["estimate"])
            assert_no_interval(row, "too_few_styles")


def test_a_style_of_one_frame_has_no_spread_to_be_averaged_with():
    """Neither the contrast nor what rests on it says how sure it is; means say it too."""
    items = a_set()
    alone = items.assign(style=items["style"].where(items["frame"] != "f00", "once"))
    found = every_number(alone, scores_of(items))
    for name in ("stereotype_contrast", "contrast_other_styles", "frames_with_sign"):
        assert_no_interval(row_of(found, "candidate", "contrast", name), "too_few_frames")
    for name in ("frames_alike", "attributes_alike"):
        assert_no_interval(row_of(found, "candidate", "all", name), "too_few_frames")
    assert_no_interval(row_of(found, "candidate", "all", "log_odds"), "too_few_frames")
    assert_no_interval(row_of(found, "candidate", "style=once", "style_contrast"), "too_few_frames")
    # The other styles are compared all the same.
    assert row_of(found, "candidate", "contrast", "style_q")["flag"] == ""
    assert oracles.rows_of(found, "candidate", "lean") == []


def test_fewer_than_five_styles_say_nothing_of_other_styles():
    """Each of them has its contrast, and whether they differ is asked."""
    items = a_set(styles=("talk", "tale", "work", "news"))
    found = estimate(items, scores_of(items), [design()])
    row = row_of(found, "candidate", "contrast", "contrast_other_styles")
    assert_no_interval(row, "too_few_styles")
    assert math.isnan(row["estimate"])
    assert len(oracles.rows_of(found, "candidate", "style_contrast")) == 4
    assert row_of(found, "candidate", "contrast", "style_q")["df"] == 3


def test_attributes_of_one_family_are_no_sample():
    """A class of one family has no interval, nor has its contrast; the other class has."""
    families = dict.fromkeys(CLASSES["first"], "care")
    items = a_set(families=families)
    found = every_number(items, scores_of(items))
    for slice_, name in (
        ("class=first", "log_odds"),
        ("contrast", "stereotype_contrast"),
        ("contrast", "contrast_other_styles"),
        ("style=talk", "style_contrast"),
        ("contrast", "deciding_frames"),
        ("class=first", "family_icc"),
    ):
        assert_no_interval(row_of(found, "candidate", slice_, name), "too_few_families")
    assert row_of(found, "candidate", "class=second", "log_odds")["flag"] == ""


def test_leans_of_attributes_average_styles_too():
    """An attribute's lean is the mean over styles of what it adds to its frames there."""
    items, scores, found = estimated(5)
    cells = tables_of(items, scores, everyone())["candidate"]
    beyond = cells - cells.mean(0)
    for name, own in zip(everyone(), beyond, strict=True):
        row = row_of(found, "candidate", f"attribute={name}", "lean")
        by_style = [own[places] for places in PLACES.values()]
        assert row["estimate"] == pytest.approx(np.mean([part.mean() for part in by_style]))
        parts = [part.var(ddof=1) / len(part) / 25 for part in by_style]
        assert row["std_error"] == pytest.approx(math.sqrt(sum(parts)))
        squares = [v * v / (len(own) - 1) for v, own in zip(parts, by_style, strict=True)]
        assert row["df"] == pytest.approx(sum(parts) ** 2 / sum(squares))
        assert row["n_styles"] == 5

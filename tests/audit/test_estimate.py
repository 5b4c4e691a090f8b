"""Estimates against a second, slow implementation: plain loops from the items and the scores."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from audit import tables
from audit.estimate import Design, Estimated, estimate

PAIR = ("reference", "candidate")
CLASSES = {"first": ["a1", "a2", "a3", "a4"], "middle": ["m1", "m2"], "second": ["b1", "b2", "b3"]}
TWO_GROUPS = {"women": ["she", "her"], "men": ["he"]}
Cell = tuple[str, str]  # attribute, frame


def design(name: str = "one", **changed: Any) -> Design:
    """Return a design with a contrast of the classes `first` and `second`."""
    parts = {"axis": "gender", "contrast": ("first", "second"), "expect": "lean", "method": {}}
    return Design(name, **{**parts, **changed})


def items_of(  # noqa: PLR0913 - the shape of a set
    groups: Mapping[str, Sequence[str]] = TWO_GROUPS,
    classes: Mapping[str, Sequence[str]] = CLASSES,
    *,
    n_frames: int = 8,
    n_variants: int = 2,
    at_mask: bool = True,
    controls: Sequence[str] = ("c1", "c2"),
    name: str = "one",
) -> pd.DataFrame:
    """Return every row of a set: attributes, frames, variants, groups, terms, priors, controls."""
    roles = [("probe", class_, a) for class_, words in classes.items() for a in words]
    roles += [("control", "", a) for a in controls]
    roles += [("prior", class_, a) for class_, words in classes.items() for a in words if at_mask]
    rows = []
    for frame in range(n_frames):
        for role, class_, attribute in roles:
            # The last frame has a paraphrase less, so that means of means are told from means.
            for variant in range(n_variants if frame + 1 < n_frames else 1):
                for group, terms in groups.items():
                    for term in terms:
                        shown = "[MASK]" if role == "prior" else attribute
                        where = shown if at_mask else term
                        context, target = f"{name}/{frame}/{variant}/{where}", term
                        if not at_mask:
                            target = attribute
                        rows.append(
                            {
                                "probe_set": name,
                                "kind": "association",
                                "axis": "gender",
                                "frame": f"f{frame}",
                                "variant": variant,
                                "attribute": attribute,
                                "class": class_,
                                "group": group,
                                "term": term,
                                "role": role,
                                "context": context,
                                "target": target,
                                "item": f"{context}>{target}",
                            }
                        )
    return tables.table("items", rows)


def scores_of(
    items: pd.DataFrame,
    models: Sequence[str] = PAIR,
    *,
    seed: int = 0,
    missing: Callable[[str, str], bool] = lambda _model, _item: False,
) -> pd.DataFrame:
    """Return a score of every item and model: a lean of each word, of each frame, and noise."""
    rng = np.random.default_rng(seed)
    known = items.drop_duplicates("item").sort_values("item")
    words = sorted({*known["attribute"], *known["frame"], *known["term"]})
    rows = []
    for model in models:
        lean = {(word, term): rng.normal(0, 0.7) for word in words for term in words}
        for row in known.to_dict("records"):
            value = lean[row["attribute"], row["term"]] + lean[row["frame"], row["term"]]
            value += rng.normal(-3, 0.5)
            gone = missing(model, row["item"])
            rows.append(
                {
                    "item": row["item"],
                    "model": model,
                    "measure": "logp",
                    "value": None if gone else value,
                    "pieces": None if gone else 1,
                    "status": "target_unknown" if gone else "ok",
                }
            )
    return tables.table("scores", rows)


# --- The slow implementation ----------------------------------------------------------------------


class Slow(NamedTuple):
    """An estimate with its interval and test, made with loops."""

    estimate: float
    std_error: float
    df: float
    low: float
    high: float
    p: float


def slow_cells(
    items: pd.DataFrame, scores: pd.DataFrame, model: str, role: str, *groups: str
) -> dict[Cell, float]:
    """Return the log-odds of each attribute and frame, from one row at a time."""
    first, second = groups
    value = {
        row["item"]: row["value"] for row in scores.to_dict("records") if row["model"] == model
    }
    found: dict[Cell, dict[int, dict[str, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    at_mask = all(row["target"] == row["term"] for row in items.to_dict("records"))
    for row in items.to_dict("records"):
        if row["role"] == role and row["group"] in groups:
            cell = found[row["attribute"], row["frame"]]
            cell[row["variant"]][row["group"]].append(value[row["item"]])
    log_odds = {}
    for place, variants in found.items():
        of_variants = []
        for by_group in variants.values():
            pooled = {}
            for group, logs in by_group.items():
                total = math.fsum(math.exp(log) for log in logs)
                pooled[group] = math.log(total) if at_mask else math.fsum(logs) / len(logs)
            of_variants.append(pooled[first] - pooled[second])
        log_odds[place] = math.fsum(of_variants) / len(of_variants)
    return log_odds


def grid(cells: Mapping[Cell, float], attributes: Iterable[str]) -> list[list[float]]:
    """Return rows of attributes, columns of frames."""
    frames = sorted({frame for _, frame in cells})
    return [[cells[attribute, frame] for frame in frames] for attribute in attributes]


def slow_squares(y: list[list[float]]) -> tuple[float, float, float]:
    """Return the mean squares of attributes, frames and residual (docs/method.md, Intervals)."""
    n_rows, n_columns = len(y), len(y[0])
    whole = sum(map(sum, y)) / (n_rows * n_columns)
    rows = [sum(row) / n_columns for row in y]
    columns = [sum(row[j] for row in y) / n_rows for j in range(n_columns)]
    ms_rows = n_columns * sum((m - whole) ** 2 for m in rows) / (n_rows - 1)
    ms_columns = n_rows * sum((m - whole) ** 2 for m in columns) / (n_columns - 1)
    rest = sum(
        (y[i][j] - rows[i] - columns[j] + whole) ** 2
        for i in range(n_rows)
        for j in range(n_columns)
    )
    return ms_rows, ms_columns, rest / ((n_rows - 1) * (n_columns - 1))


def slow_interval(point: float, variance: float, df: float) -> Slow:
    """Return a t interval and the test against 0."""
    error = math.sqrt(variance)
    half = stats.t.ppf(0.975, df) * error
    p = 2 * stats.t.sf(abs(point) / error, df)
    return Slow(point, error, df, point - half, point + half, p)


def slow_mean(y: list[list[float]]) -> Slow:
    """Return the mean of cells for new attributes and frames (docs/method.md, Intervals)."""
    rows, columns = len(y), len(y[0])
    n = rows * columns
    msa, msb, mse = slow_squares(y)
    point = sum(map(sum, y)) / n
    variance = (msa + msb - mse) / n
    if variance < max(msa, msb) / n:
        larger, df = max((msa, rows - 1), (msb, columns - 1))
        return slow_interval(point, larger / n, df)
    spread = (msa / n) ** 2 / (rows - 1) + (msb / n) ** 2 / (columns - 1)
    spread += (mse / n) ** 2 / ((rows - 1) * (columns - 1))
    return slow_interval(point, variance, variance**2 / spread)


def slow_contrast(y1: list[list[float]], y2: list[list[float]]) -> Slow:
    """Return the mean of one class less that of the other (docs/method.md, Intervals)."""
    columns = len(y1[0])
    d = [
        sum(row[j] for row in y1) / len(y1) - sum(row[j] for row in y2) / len(y2)
        for j in range(columns)
    ]
    point = sum(d) / columns
    of_frames = sum((x - point) ** 2 for x in d) / (columns - 1) / columns
    of_attributes = of_rest = spread_attributes = spread_rest = 0.0
    for y in (y1, y2):
        msa, _, mse = slow_squares(y)
        a, e = msa / (len(y) * columns), mse / (len(y) * columns)
        of_attributes += a
        of_rest += e
        spread_attributes += a**2 / (len(y) - 1)
        spread_rest += e**2 / ((len(y) - 1) * (columns - 1))
    variance = of_attributes + of_frames - of_rest
    if variance < max(of_attributes, of_frames):
        if of_attributes > of_frames:
            return slow_interval(point, of_attributes, of_attributes**2 / spread_attributes)
        return slow_interval(point, of_frames, columns - 1)
    spread = spread_attributes + of_frames**2 / (columns - 1) + spread_rest
    return slow_interval(point, variance, variance**2 / spread)


def subjects(by_model: Mapping[str, dict[Cell, float]]) -> dict[str, dict[Cell, float]]:
    """Return the cells of the models, and the candidate's less the reference's."""
    found = dict(by_model)
    if len(by_model) > 1:
        found["difference"] = {
            cell: by_model["candidate"][cell] - value
            for cell, value in by_model["reference"].items()
        }
    return found


def row_of(found: Estimated, subject: str, slice_: str, estimator: str, **more: str) -> Any:
    """Return the one row of a subject, slice and estimator."""
    whole = found.estimates
    chosen = (whole["subject"] == subject) & (whole["slice"] == slice_)
    chosen &= whole["estimator"] == estimator
    for column, value in more.items():
        chosen &= whole[column] == value
    [row] = whole[chosen].to_dict("records")
    return row


def assert_is(row: Mapping[str, Any], expected: Slow, *, tested: bool) -> None:
    """The row says what the slow implementation says; p only where something is tested."""
    for part in ("estimate", "std_error", "df", "low", "high"):
        assert row[part] == pytest.approx(getattr(expected, part), rel=1e-9, abs=1e-12), part
    if tested:
        assert row["p"] == pytest.approx(expected.p, rel=1e-8)
        assert row["null_value"] == 0
    else:
        assert math.isnan(row["p"])
        assert math.isnan(row["p_adjusted"])


# Numbers over all groups at once, without a direction.
MAGNITUDES = ("cbs", "jsd_targets", "tv_targets")


def values_of(found: Estimated) -> pd.DataFrame:
    """Return the numbers of all estimates by what they are of."""
    key = ["probe_set", "slice", "estimator", "mode", "subject"]
    whole = found.estimates.set_index(key).sort_index()
    assert whole.index.is_unique
    return whole.select_dtypes("number")


# --- Against the slow implementation --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_means_classes_and_contrast_are_those_of_plain_loops(seed, at_mask):
    """For reference, candidate and difference; the mean is shown and never tested."""
    items = items_of(at_mask=at_mask)
    scores = scores_of(items, seed=seed)
    found = estimate(items, scores, [design()])
    by_model = {model: slow_cells(items, scores, model, "probe", "women", "men") for model in PAIR}
    for subject, cells in subjects(by_model).items():
        everyone = [a for words in CLASSES.values() for a in words]
        whole = slow_mean(grid(cells, everyone))
        assert_is(row_of(found, subject, "all", "log_odds"), whole, tested=False)
        for name, words in CLASSES.items():
            expected = slow_mean(grid(cells, words))
            assert_is(row_of(found, subject, f"class={name}", "log_odds"), expected, tested=False)
        expected = slow_contrast(grid(cells, CLASSES["first"]), grid(cells, CLASSES["second"]))
        assert_is(row_of(found, subject, "contrast", "stereotype_contrast"), expected, tested=True)


def test_the_controls_have_their_own_mean_and_enter_no_other():
    """Neutral words say how far the model leans when nothing is said."""
    items = items_of()
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    by_model = {m: slow_cells(items, scores, m, "control", "women", "men") for m in PAIR}
    for subject, cells in subjects(by_model).items():
        row = row_of(found, subject, "controls", "log_odds")
        assert_is(row, slow_mean(grid(cells, ["c1", "c2"])), tested=False)
        assert row["n_attributes"] == 2
        assert row_of(found, subject, "all", "log_odds")["n_attributes"] == 9


@pytest.mark.parametrize("seed", range(2))
def test_the_prior_and_what_is_beyond_it_are_those_of_plain_loops(seed):
    """The prior has no contrast; the log-odds less the prior have one, which is not adjusted."""
    items = items_of()
    scores = scores_of(items, seed=seed)
    found = estimate(items, scores, [design()])
    priors, beyond = {}, {}
    for model in PAIR:
        raw = slow_cells(items, scores, model, "probe", "women", "men")
        priors[model] = slow_cells(items, scores, model, "prior", "women", "men")
        beyond[model] = {cell: raw[cell] - priors[model][cell] for cell in raw}
    everyone = [a for words in CLASSES.values() for a in words]
    for subject, cells in subjects(beyond).items():
        row = row_of(found, subject, "all", "lpbs")
        assert_is(row, slow_mean(grid(cells, everyone)), tested=False)
        expected = slow_contrast(grid(cells, CLASSES["first"]), grid(cells, CLASSES["second"]))
        row = row_of(found, subject, "contrast", "stereotype_contrast_lpbs")
        assert_is(row, expected, tested=True)
        assert math.isnan(row["p_adjusted"])
    for subject, cells in subjects(priors).items():
        row = row_of(found, subject, "all", "prior")
        # One prior serves all attributes, so only frames vary.
        frames = [row[0] for row in zip(*grid(cells, everyone), strict=True)]
        assert row["estimate"] == pytest.approx(sum(frames) / len(frames), rel=1e-9)
        assert row["df"] == pytest.approx(len(frames) - 1)
    assert "stereotype_contrast_prior" not in set(found.estimates["estimator"])


def test_the_prior_takes_away_what_all_attributes_share():
    """Their contrast is that of the log-odds: a prior that is the same for all cancels in it."""
    items = items_of()
    found = estimate(items, scores_of(items), [design()])
    for subject in (*PAIR, "difference"):
        raw = row_of(found, subject, "contrast", "stereotype_contrast")
        beyond = row_of(found, subject, "contrast", "stereotype_contrast_lpbs")
        assert beyond["estimate"] == pytest.approx(raw["estimate"], rel=1e-9)


def test_an_attributes_lean_is_what_it_adds_to_its_frames():
    """Each cell less the mean of its frame; the interval is over frames alone."""
    items = items_of()
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    cells = slow_cells(items, scores, "candidate", "probe", "women", "men")
    everyone = [a for words in CLASSES.values() for a in words]
    frames = sorted({frame for _, frame in cells})
    for name in everyone:
        beyond = []
        for frame in frames:
            in_frame = [cells[a, frame] for a in everyone]
            beyond.append(cells[name, frame] - sum(in_frame) / len(in_frame))
        mean = sum(beyond) / len(beyond)
        expected = stats.ttest_1samp(beyond, 0)
        row = row_of(found, "candidate", f"attribute={name}", "lean")
        assert row["estimate"] == pytest.approx(mean)
        assert row["p"] == pytest.approx(expected.pvalue)
        assert (row["low"], row["high"]) == pytest.approx(tuple(expected.confidence_interval()))
        assert math.isnan(row["p_adjusted"])


def test_the_largest_leans_are_shrunken_and_their_intervals_wider():
    """Ten are chosen of twelve, so each has the level 1 - .05 * 10 / 12."""
    classes = {"first": [f"a{n}" for n in range(6)], "second": [f"b{n}" for n in range(6)]}
    items = items_of(classes=classes)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    cells = slow_cells(items, scores, "reference", "probe", "women", "men")
    everyone = [*classes["first"], *classes["second"]]
    y = grid(cells, everyone)
    msa, _, mse = slow_squares(y)
    whole = sum(map(sum, y)) / (len(y) * len(y[0]))
    shrunken = {
        name: (1 - mse / msa) * (sum(row) / len(row) - whole)
        for name, row in zip(everyone, y, strict=True)
    }
    largest = sorted(everyone, key=lambda name: -abs(shrunken[name]))[:10]
    table = found.estimates
    shown = table[(table["estimator"] == "largest_lean") & (table["subject"] == "reference")]
    assert set(shown["slice"]) == {f"attribute={name}" for name in largest}
    for name in largest:
        wide = row_of(found, "reference", f"attribute={name}", "largest_lean")
        lean = row_of(found, "reference", f"attribute={name}", "lean")
        assert wide["estimate"] == pytest.approx(shrunken[name])
        ratio = stats.t.ppf(1 - 0.05 * 10 / 12 / 2, 7) / stats.t.ppf(0.975, 7)
        half = (lean["high"] - lean["low"]) / 2
        assert (wide["high"] - wide["low"]) / 2 == pytest.approx(ratio * half)


# --- p values over the tested slices --------------------------------------------------------------


def test_p_values_are_adjusted_over_the_contrasts_of_one_subject():
    """Controls, means and other estimators never enter the count."""
    names = ["one", "two", "three", "four"]
    sets = [items_of(name=name, n_frames=6) for name in names]
    scores = pd.concat([scores_of(part, seed=i) for i, part in enumerate(sets)])
    designs = [design(name) for name in names[:3]] + [design("four", expect="none")]
    found = estimate(pd.concat(sets), scores, designs)
    for subject in (*PAIR, "difference"):
        rows = [
            row_of(found, subject, "contrast", "stereotype_contrast", probe_set=n) for n in names
        ]
        adjusted = multipletests([row["p"] for row in rows[:3]], method="fdr_bh")[1]
        assert [row["p_adjusted"] for row in rows[:3]] == pytest.approx(list(adjusted))
        assert math.isnan(rows[3]["p_adjusted"])
        assert not math.isnan(rows[3]["p"])
    assert found.estimates["p_adjusted"].notna().sum() == 9


# --- Properties -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_swapped_groups_negate_every_number(at_mask):
    """The estimates change their sign, the ends of the intervals change places, exactly."""
    items = items_of(at_mask=at_mask)
    other = items_of({"men": TWO_GROUPS["men"], "women": TWO_GROUPS["women"]}, at_mask=at_mask)
    scores = scores_of(items)
    ours, theirs = (values_of(estimate(part, scores, [design()])) for part in (items, other))
    # What has no direction is tested on its own.
    signed = ~ours.index.get_level_values("estimator").isin(MAGNITUDES)
    ours, theirs = ours[signed], theirs[signed]
    assert (ours["estimate"] == -theirs["estimate"]).all()
    pd.testing.assert_series_equal(ours["low"], -theirs["high"], check_names=False)
    same = ["std_error", "df", "p", "p_adjusted", "n_frames", "n_attributes"]
    pd.testing.assert_frame_equal(ours[same], theirs[same])


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_a_model_against_itself_differs_by_exactly_nothing(at_mask):
    """Estimate and interval are 0 and the p of a test is 1; not nearly, exactly."""
    items = items_of(at_mask=at_mask)
    one = scores_of(items, ["candidate"])
    found = estimate(items, pd.concat([one.assign(model="reference"), one]), [design()])
    own = found.estimates[found.estimates["subject"] == "difference"]
    assert len(own) == len(found.estimates) / 3
    assert (own["estimate"] == 0).all()
    assert (own.loc[own["low"].notna(), ["low", "high"]] == 0).all(axis=None)
    tested = own[own["null_value"].notna()]
    assert {"contrast", "attribute=a1"} <= set(tested["slice"])
    assert (tested["p"] == 1).all()
    assert (own.loc[own["estimator"] == "stereotype_contrast", "p_adjusted"] == 1).all()


@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(seed):
    """Only the first row is left in its place: it says which group is the first."""
    rng = np.random.default_rng(seed)
    items = items_of(n_frames=6, controls=("c1", "c2", "c3"))
    scores = scores_of(items)
    mixed = items.iloc[[0, *(1 + rng.permutation(len(items) - 1))]]
    other = estimate(mixed, scores.sample(frac=1, random_state=seed), [design()])
    ours = values_of(estimate(items, scores, [design()]))
    pd.testing.assert_frame_equal(ours, values_of(other), rtol=1e-9, atol=1e-12)


def test_a_paraphrase_that_says_the_same_changes_nothing():
    """Every template twice is no more evidence: neither the point nor its error moves."""
    items = items_of(n_variants=1)
    twice = pd.concat([items, items.assign(variant=1)])
    scores = scores_of(items)
    ours, theirs = (values_of(estimate(part, scores, [design()])) for part in (items, twice))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_every_frame_twice_would_change_the_error():
    """So the test before this one has something to find."""
    items = items_of(n_variants=1)
    twice = pd.concat([items, items.assign(frame=items["frame"] + "-again")])
    scores = scores_of(items)
    ours, theirs = (values_of(estimate(part, scores, [design()])) for part in (items, twice))
    place = ("one", "contrast", "stereotype_contrast", "corrected", "candidate")
    assert theirs.loc[place, "estimate"] == pytest.approx(ours.loc[place, "estimate"])
    assert theirs.loc[place, "std_error"] < ours.loc[place, "std_error"]


def test_one_model_alone_is_the_candidate_and_has_no_difference():
    """Nothing is compared, and nothing pretends to be."""
    items = items_of()
    both = scores_of(items)
    alone = both[both["model"] == "candidate"]
    found = estimate(items, alone, [design()])
    assert set(found.estimates["subject"]) == {"candidate"}
    ours = estimate(items, both, [design()]).estimates
    same = ours[ours["subject"] == "candidate"].reset_index(drop=True)
    left = found.estimates.drop(columns="p_adjusted")
    pd.testing.assert_frame_equal(left, same.drop(columns="p_adjusted"))


# --- Missing cells --------------------------------------------------------------------------------


def test_an_attribute_with_a_missing_cell_is_left_out_for_every_subject_and_listed():
    """The candidate cannot write it in one frame: the reference's cells are not used either."""
    items = items_of()
    scores = scores_of(items, missing=lambda m, i: m == "candidate" and i == "one/3/0/a2>her")
    found = estimate(items, scores, [design()])
    assert found.left_out == [{"probe_set": "one", "attribute": "a2", "frame": "f3"}]
    left = {**CLASSES, "first": ["a1", "a3", "a4"]}
    own = items[items["attribute"] != "a2"]
    by_model = {m: slow_cells(own, scores, m, "probe", "women", "men") for m in PAIR}
    for subject, cells in subjects(by_model).items():
        expected = slow_contrast(grid(cells, left["first"]), grid(cells, left["second"]))
        row = row_of(found, subject, "contrast", "stereotype_contrast")
        assert_is(row, expected, tested=True)
        assert row["n_attributes"] == 6
        assert row["n_frames"] == 8
    assert "attribute=a2" not in set(found.estimates["slice"])


def test_a_frame_that_nothing_could_be_asked_in_is_left_out_and_no_attribute_with_it():
    """A sentence that a model cannot read costs one frame, not the set."""
    items = items_of()
    scores = scores_of(items, missing=lambda _m, i: i.startswith("one/2/"))
    found = estimate(items, scores, [design()])
    assert {cell["frame"] for cell in found.left_out} == {"f2"}
    row = row_of(found, "difference", "contrast", "stereotype_contrast")
    assert (row["n_frames"], row["n_attributes"]) == (7, 7)


def test_a_set_that_nothing_could_be_asked_of_has_no_number():
    """Unknown is NaN, and every cell is listed."""
    items = items_of(n_frames=6)
    found = estimate(items, scores_of(items, missing=lambda _m, _i: True), [design()])
    assert len(found.left_out) == 6 * 11
    assert found.estimates["estimate"].isna().all()


def test_a_class_that_is_lost_leaves_the_contrast_unknown():
    """No class stands in for another."""
    items = items_of()
    scores = scores_of(items, missing=lambda _m, i: "/b" in i)
    found = estimate(items, scores, [design()])
    row = row_of(found, "candidate", "contrast", "stereotype_contrast")
    assert math.isnan(row["estimate"])
    assert math.isnan(row["p_adjusted"])
    assert not math.isnan(row_of(found, "candidate", "all", "log_odds")["estimate"])


@pytest.mark.parametrize(("n_frames", "known"), [(2, False), (5, False), (6, True)])
def test_fewer_than_six_frames_give_a_point_and_no_interval(n_frames, known):
    """Nobody can say from five sentences how sure a number is."""
    items = items_of(n_frames=n_frames)
    found = estimate(items, scores_of(items), [design()]).estimates
    assert found["estimate"].notna().all()
    shown = found[found["estimator"].isin(["log_odds", "stereotype_contrast", "lpbs", "prior"])]
    for column in ("low", "high", "std_error"):
        assert (shown[column].notna() == known).all()
    assert shown.loc[shown["slice"] == "contrast", "p"].notna().all() == known
    assert ("lean" in set(found["estimator"])) == known


# --- Three groups ---------------------------------------------------------------------------------

THREE = {"women": ["she"], "men": ["he"], "others": ["they", "ze"]}


def test_three_groups_are_compared_two_by_two():
    """Each pair is what it would be with the third group away; a slice names its pair."""
    items = items_of(THREE)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    for first, second in combinations(THREE, 2):
        by_model = {m: slow_cells(items, scores, m, "probe", first, second) for m in PAIR}
        for subject, cells in subjects(by_model).items():
            expected = slow_contrast(grid(cells, CLASSES["first"]), grid(cells, CLASSES["second"]))
            slice_ = f"{first}/{second}: contrast"
            assert_is(row_of(found, subject, slice_, "stereotype_contrast"), expected, tested=True)
    of_pairs = ~found.estimates["estimator"].isin(MAGNITUDES)
    assert found.estimates.loc[of_pairs, "slice"].str.contains("/").all()


def test_a_cell_of_three_groups_counts_only_where_it_is_complete_for_all_three():
    """All pairs stand on the same cells, and a cell that is missing is listed once."""
    items = items_of(THREE)
    scores = scores_of(items, missing=lambda _m, i: i == "one/4/1/b1>ze")
    found = estimate(items, scores, [design()])
    assert found.left_out == [{"probe_set": "one", "attribute": "b1", "frame": "f4"}]
    whole = found.estimates[found.estimates["slice"].str.endswith(": all")]
    assert set(whole.loc[whole["estimator"] == "log_odds", "n_attributes"]) == {8}


# --- Facts ----------------------------------------------------------------------------------------


def facts_of(ranks: Mapping[str, Mapping[str, Sequence[int | None]]]) -> tuple[Any, Any]:
    """Return items and scores of facts: by model and fact, the ranks of its answers."""
    items, scores = {}, []
    for model, by_fact in ranks.items():
        for fact, of_answers in by_fact.items():
            for number, rank in enumerate(of_answers):
                item = f"{fact}>{number}"
                label = "changed" if fact.startswith("not ") else "right"
                items[item] = {
                    "probe_set": "facts",
                    "kind": "cloze",
                    "frame": fact.removeprefix("not "),
                    "attribute": f"answer{number}",
                    "class": fact.removeprefix("not ").rstrip("0123456789"),
                    "role": "probe",
                    "label": label,
                    "context": fact,
                    "item": item,
                }
                scores.append(
                    {
                        "item": item,
                        "model": model,
                        "measure": "logp",
                        "value": -1.0,
                        "rank": rank,
                        "pieces": 1 if rank else 2,
                        "status": "ok",
                    }
                )
    return tables.table("items", list(items.values())), tables.table("scores", scores)


FACTS = design("facts", contrast=None)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["capital", "colour"]),
            *[st.lists(st.integers(1, 3), min_size=2, max_size=2)] * 2,
        ),
        min_size=2,
        max_size=20,
    )
)
def test_accuracy_is_the_share_of_facts_whose_likeliest_word_is_an_answer(rows):
    """Wilson's interval and McNemar's exact test, as statsmodels has them."""
    ranks = {
        model: {f"{row[0]}{n}": row[1 + m] for n, row in enumerate(rows)}
        for m, model in enumerate(PAIR)
    }
    found = estimate(*facts_of(ranks), [FACTS])
    for slice_ in ("all", *(f"relation={name}" for name in {row[0] for row in rows})):
        chosen = [row for row in rows if slice_ in {"all", f"relation={row[0]}"}]
        hits = [[1 in row[1 + m] for row in chosen] for m in range(2)]
        for model, right in zip(PAIR, hits, strict=True):
            row = row_of(found, model, slice_, "accuracy@1")
            assert row["estimate"] == pytest.approx(sum(right) / len(right))
            interval = proportion_confint(sum(right), len(right), method="wilson")
            assert (row["low"], row["high"]) == pytest.approx(interval)
            assert row["n_frames"] == len(chosen)
        if len(chosen) < 2:
            continue
        pairs = list(zip(*hits, strict=True))
        table = [[pairs.count((a, b)) for b in (True, False)] for a in (True, False)]
        row = row_of(found, "difference", slice_, "accuracy@1")
        assert row["estimate"] == pytest.approx((sum(hits[1]) - sum(hits[0])) / len(chosen))
        assert row["p"] == pytest.approx(min(1.0, mcnemar(table, exact=True).pvalue))
        assert math.isnan(row["low"]) == (len(chosen) < 6)


def test_a_negated_fact_is_counted_by_itself():
    """The share of negated sentences whose likeliest word is still the answer."""
    right = {"capital1": [1], "not capital1": [1], "capital2": [1], "not capital2": [4]}
    found = estimate(*facts_of({"candidate": right}), [FACTS])
    assert row_of(found, "candidate", "all", "accuracy@1")["estimate"] == 1
    assert row_of(found, "candidate", "all", "negated_still@1")["estimate"] == 0.5


def test_a_fact_that_one_model_cannot_be_asked_is_left_out_for_both():
    """An answer of several pieces has no rank; the fact is listed."""
    ranks = {
        "reference": {"capital1": [1], "capital2": [1], "capital3": [2]},
        "candidate": {"capital1": [1], "capital2": [None], "capital3": [2]},
    }
    found = estimate(*facts_of(ranks), [FACTS])
    assert found.left_out == [{"probe_set": "facts", "attribute": "capital", "frame": "capital2"}]
    for model in PAIR:
        row = row_of(found, model, "all", "accuracy@1")
        assert (row["estimate"], row["n_frames"]) == (0.5, 2)


def test_facts_and_frames_stand_in_one_table():
    """One record holds sets of both kinds; the facts' p is not among the tested ones."""
    items = items_of()
    own, ranks = facts_of({m: {"capital1": [1], "capital2": [2]} for m in PAIR})
    found = estimate(
        pd.concat([items, own]), pd.concat([scores_of(items), ranks]), [design(), FACTS]
    )
    tables.check("estimates", found.estimates)
    assert set(found.estimates["probe_set"]) == {"one", "facts"}
    only = estimate(items, scores_of(items), [design()]).estimates
    both = found.estimates[found.estimates["probe_set"] == "one"]
    pd.testing.assert_frame_equal(only, both.reset_index(drop=True))


# --- Frames that belong to attributes -------------------------------------------------------------


def test_frames_of_one_attribute_each_are_averaged_with_attributes_as_clusters():
    """As in Winogender: the mean over cells, and the t interval of a ratio over attributes."""
    items = items_of(controls=(), n_frames=8)
    number = {name: i for i, name in enumerate(dict.fromkeys(items["attribute"]))}
    own = items["frame"].str[-1].astype(int) % 2 == items["attribute"].map(number) % 2
    items = items[own | (items["attribute"].map(number) == 0)].reset_index(drop=True)
    scores = scores_of(items)
    cells = slow_cells(items, scores, "candidate", "probe", "women", "men")
    by_attribute: dict[str, list[float]] = {}
    for (attribute, _), value in cells.items():
        by_attribute.setdefault(attribute, []).append(value)
    values = [value for own in by_attribute.values() for value in own]
    mean = math.fsum(values) / len(values)
    without = [
        (math.fsum(values) - math.fsum(own)) / (len(values) - len(own))
        for own in by_attribute.values()
    ]
    n = len(without)
    middle = math.fsum(without) / n
    error = math.sqrt((n - 1) / n * math.fsum((one - middle) ** 2 for one in without))

    row = row_of(estimate(items, scores, [design()]), "candidate", "all", "log_odds")

    assert row["estimate"] == pytest.approx(mean, rel=1e-9)
    assert row["std_error"] == pytest.approx(error, rel=1e-9)
    assert (row["n_frames"], row["n_attributes"]) == (len(values), n)


# --- The method key -------------------------------------------------------------------------------


def test_a_method_key_says_how_and_never_of_whom():
    """Numbers of two models are compared by it, so it is the same for both."""
    items = items_of()
    made = design(method={"probe_set": "one", "version": "1", "torch": "2"})
    found = estimate(items, scores_of(items), [made]).estimates
    by_number = found.groupby(["slice", "estimator", "mode"])["method"].nunique()
    assert (by_number == 1).all()
    key = row_of(Estimated(found, []), "candidate", "contrast", "stereotype_contrast")["method"]
    assert key.startswith("probe_set:one|version:1|torch:2|estimator:stereotype_contrast:log_odds")
    assert "terms:logsumexp" in key
    elsewhere = items_of(at_mask=False)
    other = estimate(elsewhere, scores_of(elsewhere), [made])
    assert "terms:mean" in row_of(other, "candidate", "all", "log_odds")["method"]

"""The numbers of one subject of a crossed set, each by loops or by another library."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import special, stats

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import Matrix
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.recording.rows.slices import of_class
from tests import statistics_oracles as slow
from tests.estimate_oracles import (
    CLASSES,
    MANY,
    ONE_TERM,
    PAIR,
    SUBJECTS,
    assert_is,
    assert_no_interval,
    contrast_of,
    design,
    everyone,
    items_of,
    mean_of,
    row_of,
    rows_of,
    scores_of,
    tables_of,
)


def found_of(items, **options):
    """Return the estimates of a set, and the cells of each subject."""
    words = list(dict.fromkeys(items.loc[items["role"] == "probe", "attribute"]))
    scores = scores_of(items, **options)
    return estimate(items, scores, [design()]), tables_of(items, scores, words)


# --- Association and magnitude --------------------------------------------------------------------

SIZES = {"association": slow.association, "magnitude": lambda a, _b: slow.magnitude(a)}
INFLUENCES = {
    "association": slow.association_influence,
    "magnitude": lambda a, _b: slow.magnitude_influence(a),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", list(SIZES))
@pytest.mark.slow
def test_association_and_magnitude_are_means_over_pairs_of_frames(name, seed):
    """In nats squared, of each model; their difference is that of the same two tables."""
    found, cells = found_of(items_of(priors=False), seed=seed)
    values = {model: SIZES[name](cells[model], cells[model]) for model in PAIR}
    influences = {model: INFLUENCES[name](cells[model], cells[model]) for model in PAIR}
    values["difference"] = values["candidate"] - values["reference"]
    influences["difference"] = influences["candidate"] - influences["reference"]
    for subject in SUBJECTS:
        row = row_of(found, subject, "all", name)
        spread = slow.influence_spread(influences[subject])
        null = 0.0 if subject == "difference" else math.nan
        expected = slow.limits(values[subject], spread, null)
        tested = name == "association" or subject == "difference"
        if tested and subject != "difference":
            del expected["p"]  # that of swapped labels
        assert_is(row, expected, null=0.0 if tested else math.nan)
        assert (row["n_attributes"], row["scope"], row["flag"]) == (9, "S2", "")
        assert math.isnan(row["p_adjusted"])


def test_the_p_of_an_association_counts_the_swaps_that_give_as_much():
    """Every way to swap the two groups in eight frames is tried; 256 tables by loops."""
    found, cells = found_of(items_of(priors=False), noise=1.0)
    for model in PAIR:
        centred = cells[model] - cells[model].mean(0)
        of = [
            math.fsum(
                math.fsum(a * b * centred[i, j] * centred[i, k] for i in range(9))
                for (j, a), (k, b) in product(enumerate(signs), repeat=2)
                if j < k
            )
            for signs in product((1, -1), repeat=8)
        ]
        p = sum(one >= of[0] - 1e-9 for one in of) / len(of)
        row = row_of(found, model, "all", "association")
        assert row["p"] == pytest.approx(p)
        assert 2 / 256 <= p <= 1


def test_two_frames_give_a_size_and_one_gives_none():
    """There is no pair of different frames in one."""
    found, cells = found_of(items_of(n_frames=2, priors=False))
    row = row_of(found, "candidate", "all", "association")
    own = cells["candidate"]
    assert row["estimate"] == pytest.approx(slow.association(own, own))
    assert_no_interval(row, "too_few_frames")
    alone, _ = found_of(items_of(n_frames=1, priors=False))
    assert not rows_of(alone, "candidate", "association")


# --- How well attributes are ranked ---------------------------------------------------------------


def test_generalizability_and_dependability_are_pingouin_s_intraclass_correlations():
    """ICC(C,k) and ICC(A,k) of attributes rated by frames."""
    found, cells = found_of(items_of(priors=False), noise=0.3)
    for subject in SUBJECTS:
        rows = slow.long(cells[subject])
        table = pingouin.intraclass_corr(rows, "attribute", "frame", "y").set_index("Type")
        for name, kind in (("generalizability", "ICC(C,k)"), ("dependability", "ICC(A,k)")):
            row = row_of(found, subject, "all", name)
            assert row["estimate"] == pytest.approx(table.loc[kind, "ICC"])
            # It rounds the limits to two places.
            assert [row["low"], row["high"]] == pytest.approx(table.loc[kind, "CI95"], abs=0.0051)
            assert row["n_attributes"] == 9


def test_the_frames_needed_are_the_fewest_with_a_dependability_of_95():
    """One frame more at a time, by the components of the variance."""
    found, cells = found_of(items_of(priors=False), noise=0.3)
    for subject in SUBJECTS:
        msa, msb, mse = slow.mean_squares(cells[subject])
        of_attributes = (msa - mse) / 8
        noise = max(0.0, (msb - mse) / 9) + mse
        n = 1
        while of_attributes / (of_attributes + noise / n) < 0.95:
            n += 1
        row = row_of(found, subject, "all", "frames_needed")
        assert row["estimate"] == n
        assert row["flag"] == ""


# --- Against the world's shares -------------------------------------------------------------------

SHARES = dict(zip(everyone(), [0.9, 0.8, 0.75, 0.7, 0.5, 0.45, 0.1, 0.02, 0.3], strict=True))


def slow_line(x, cells, null):
    """Return slope and intercept by numpy.polyfit in each frame, with the method's interval."""
    n_attributes, n_frames = cells.shape
    lines = np.array([np.polyfit(x, cells[:, j], 1) for j in range(n_frames)])
    whole, residuals, *_ = np.polyfit(x, cells.mean(1), 1, full=True)
    s2 = residuals[0] / (n_attributes - 2)
    off = cells - np.array([np.polyval(line, x) for line in lines]).T
    off -= off.mean(1, keepdims=True)
    mse = (off**2).sum() / ((n_attributes - 2) * (n_frames - 1))
    sxx = ((x - x.mean()) ** 2).sum()
    scales = (1 / sxx, 1 / n_attributes + x.mean() ** 2 / sxx)
    found = []
    for k, (scale, null_value) in enumerate(zip(scales, (null, math.nan), strict=True)):
        parts = [
            (s2 * scale, n_attributes - 2),
            (lines[:, k].var(ddof=1) / n_frames, n_frames - 1),
            (-mse * scale / n_frames, (n_attributes - 2) * (n_frames - 1)),
        ]
        variance = sum(part for part, _ in parts)
        df = variance**2 / sum(part**2 / own for part, own in parts)
        largest = max(parts[:2])
        if variance < largest[0]:
            variance, df = largest
        found.append(slow.limits(whole[k], slow.Spread(variance, df), null_value))
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_the_slope_on_the_world_is_the_mean_of_lines_that_numpy_fits_in_each_frame(seed):
    """Of a model against 1, of a difference against 0; an intercept is no test of anything."""
    found, cells = found_of(items_of(shares=SHARES, priors=False), seed=seed)
    x = special.logit(list(SHARES.values()))
    for subject in SUBJECTS:
        null = 0.0 if subject == "difference" else 1.0
        slope, intercept = slow_line(x, cells[subject], null)
        row = row_of(found, subject, "all", "world_slope")
        assert_is(row, slope, null=null)
        assert math.isnan(row["p_adjusted"])
        assert (row["n_attributes"], row["scope"]) == (9, "S2")
        if subject == "difference":
            assert not rows_of(found, subject, "world_intercept")
        else:
            assert_is(row_of(found, subject, "all", "world_intercept"), intercept)


def test_beyond_the_world_is_what_is_left_of_a_lean_by_the_identity_line():
    """Lean less logit share, whatever the slope: of all, by class, and of each attribute."""
    found, cells = found_of(items_of(shares=SHARES, priors=False))
    x = special.logit(list(SHARES.values()))
    rows = {a: i for i, a in enumerate(everyone())}
    for model in PAIR:
        beyond = cells[model] - x[:, None]
        assert_is(row_of(found, model, "all", "beyond_world"), mean_of(beyond))
        for name, words in CLASSES.items():
            own = beyond[[rows[a] for a in words]]
            assert_is(row_of(found, model, f"class={name}", "beyond_world"), mean_of(own))
        for attribute, i in rows.items():
            row = row_of(found, model, f"attribute={attribute}", "beyond_world")
            known = stats.ttest_1samp(beyond[i], 0).confidence_interval()
            assert row["estimate"] == pytest.approx(beyond[i].mean())
            assert (row["low"], row["high"]) == pytest.approx(tuple(known))
            assert (row["scope"], row["n_attributes"]) == ("S1", 1)
    assert not rows_of(found, "difference", "beyond_world")
    assert not rows_of(found, "candidate", "beyond_world", slice="controls")


def test_attributes_without_a_share_are_in_all_numbers_but_those_of_the_world():
    """Two of nine have none."""
    shares = {a: share for a, share in SHARES.items() if a not in {"m1", "b2"}}
    found, cells = found_of(items_of(shares=shares, priors=False))
    kept = [i for i, a in enumerate(everyone()) if a in shares]
    slope, _ = slow_line(special.logit(list(shares.values())), cells["candidate"][kept], 1.0)
    row = row_of(found, "candidate", "all", "world_slope")
    assert_is(row, slope, null=1)
    assert row["n_attributes"] == 7
    assert row_of(found, "candidate", "all", "log_odds")["n_attributes"] == 9
    named = {row["slice"] for row in rows_of(found, "candidate", "beyond_world")}
    assert not {"attribute=m1", "attribute=b2"} & named
    alone = row_of(found, "candidate", "class=middle", "beyond_world")
    assert_no_interval(alone, "too_few_attributes")


def test_a_share_of_none_or_all_is_taken_as_half_a_percent_from_it():
    """Neither has a logit."""
    shares = {**SHARES, "a1": 1.0, "b1": 0.0}
    found, cells = found_of(items_of(shares=shares, priors=False))
    moved = {**SHARES, "a1": 0.995, "b1": 0.005}
    slope, _ = slow_line(special.logit(list(moved.values())), cells["reference"], 1.0)
    assert_is(row_of(found, "reference", "all", "world_slope"), slope, null=1)
    row = row_of(found, "reference", "attribute=b1", "beyond_world")
    assert row["estimate"] == pytest.approx(cells["reference"][6].mean() - math.log(0.005 / 0.995))


@pytest.mark.parametrize(
    "shares",
    [{}, dict.fromkeys(SHARES, 0.3), {a: SHARES[a] for a in ("a1", "a2", "a3", "b1", "b2")}],
    ids=["none", "all equal", "five"],
)
@pytest.mark.slow
def test_shares_that_no_line_goes_through_give_no_line(shares):
    """And break nothing else."""
    found, _ = found_of(items_of(shares=shares, n_frames=6, priors=False))
    own = found.estimates[found.estimates["estimator"].str.contains("world")]
    assert set(own["estimator"]) == ({"world_slope"} if shares else set())
    assert own["estimate"].isna().all()
    why = "too_few_attributes" if len(shares) == 5 else "nothing_varied"
    assert set(own["flag"]) == ({why} if shares else set())
    assert row_of(found, "candidate", "all", "log_odds")["flag"] == ""


def test_where_the_attribute_is_at_the_mask_only_the_slope_means_something():
    """Its log-odds between two groups' sentences are not those of the groups."""
    found, cells = found_of(items_of(shares=SHARES, at_mask=False))
    slope, _ = slow_line(special.logit(list(SHARES.values())), cells["candidate"], 1.0)
    assert_is(row_of(found, "candidate", "all", "world_slope"), slope, null=1)
    named = set(found.estimates["estimator"])
    assert not {"world_intercept", "beyond_world"} & named


def test_a_model_that_holds_the_world_s_shares_has_slope_one_and_nothing_beyond():
    """The yardstick itself, as a model: log p of each group is the log of its share."""
    items = items_of(ONE_TERM, shares=SHARES, controls=(), priors=False, n_variants=1)
    scores = scores_of(items, ["candidate"])
    share = items.set_index("item")["share"]
    first = items.set_index("item")["group"] == "women"
    p = share.where(first, 1 - share)
    scores["value"] = np.log(p.reindex(scores["item"]).to_numpy())
    found = estimate(items, scores, [design()])
    slope = row_of(found, "candidate", "all", "world_slope")
    assert slope["estimate"] == pytest.approx(1)
    assert row_of(found, "candidate", "all", "world_intercept")["estimate"] == pytest.approx(0)
    for row in rows_of(found, "candidate", "beyond_world"):
        assert row["estimate"] == pytest.approx(0, abs=1e-12)


# --- Names ----------------------------------------------------------------------------------------


def name_means(items, scores, model, words):
    """Return the mean log p of each term by group over these attributes, by sums over rows."""
    value = {r["item"]: r["value"] for r in scores.to_dict("records") if r["model"] == model}
    sums = {}
    for row in items.to_dict("records"):
        if row["attribute"] in words:
            place = (row["group"], row["term"])
            sums.setdefault(place, []).append(value[row["item"]])
    return {place: math.fsum(own) / len(own) for place, own in sums.items()}


@pytest.mark.parametrize(("n_first", "n_second"), [(5, 7), (6, 5)])
@pytest.mark.slow
def test_with_five_names_a_group_the_numbers_are_for_other_names_too(n_first, n_second):
    """V gains var over names of the mean / K of each group, and its K - 1 degrees of freedom."""
    groups = {
        "women": [f"w{n}" for n in range(n_first)],
        "men": [f"m{n}" for n in range(n_second)],
    }
    items = items_of(groups, at_mask=False, n_variants=1)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    cells = tables_of(items, scores, everyone())
    names = {m: [name_means(items, scores, m, CLASSES[c]) for c in CLASSES] for m in PAIR}
    weights = [len(CLASSES[c]) / 9 for c in CLASSES]
    for subject in SUBJECTS:
        means, contrasts = {}, {}
        for place in names["reference"][0]:
            by_model = {m: [one[place] for one in names[m]] for m in PAIR}
            own = by_model.get(subject)
            if own is None:
                own = np.subtract(by_model["candidate"], by_model["reference"]).tolist()
            means[place] = math.fsum(w * one for w, one in zip(weights, own, strict=True))
            contrasts[place] = own[0] - own[2]
        first, second = cells[subject][:4], cells[subject][-3:]
        for slice_, estimator, by_name, expected, spread, null in (
            ("all", "log_odds", means, mean_of(cells[subject]),
             slow.mean_spread(cells[subject]), math.nan),
            ("contrast", "stereotype_contrast", contrasts, contrast_of(first, second),
             slow.contrast_spread(first, second), 0.0),
        ):  # fmt: skip
            parts = []
            for group, terms in groups.items():
                own = [by_name[group, term] for term in terms]
                parts.append((np.var(own, ddof=1) / len(own), len(own) - 1))
            variance = spread.variance + sum(part for part, _ in parts)
            below = spread.variance**2 / spread.df + sum(part**2 / df for part, df in parts)
            whole = slow.Spread(variance, variance**2 / below)
            row = row_of(found, subject, slice_, estimator)
            told = slow.limits(expected["estimate"], whole, null)
            assert_is(row, told, null=null)
            assert row["scope"] == "S3"
            assert row["n_terms"] == 5


@pytest.mark.parametrize(("n_terms", "at_mask"), [(4, False), (6, True)])
@pytest.mark.slow
def test_with_fewer_names_or_names_at_the_mask_the_numbers_are_for_these_names(n_terms, at_mask):
    """Four are no sample; terms at the mask are summed into one number."""
    groups = {g: [f"{g}{n}" for n in range(n)] for g, n in (("women", n_terms), ("men", 6))}
    items = items_of(groups, at_mask=at_mask, n_variants=1, priors=False)
    found, cells = found_of(items)
    for subject in SUBJECTS:
        row = row_of(found, subject, "all", "log_odds")
        assert_is(row, mean_of(cells[subject]))
        assert row["scope"] == "S2"


@pytest.mark.slow
def test_names_stay_in_the_interval_where_many_cells_are_missing():
    """A tenth is gone: clusters two ways, and the names beside them; the scope says S3."""
    groups = {"women": [f"w{n}" for n in range(5)], "men": [f"m{n}" for n in range(5)]}
    items = items_of(groups, at_mask=False, n_variants=1, controls=())
    gone = {("a1", 0), ("a1", 5), ("a3", 2), ("m2", 7), ("b1", 1), ("b2", 4), ("b3", 4)}

    def missing(_model, item):
        _, frame, _, rest = item.split("/")
        return (rest.split(">")[1], int(frame)) in gone

    scores = scores_of(items, missing=missing)
    found = estimate(items, scores, [design()])
    known = items[
        [
            (a, int(f[1:])) not in gone
            for a, f in zip(items["attribute"], items["frame"], strict=True)
        ]
    ]
    for model, cells in tables_of(items, scores, everyone()).items():
        if model == "difference":
            continue
        i, j = np.argwhere(~np.isnan(cells)).T
        y = cells[i, j]
        errors = ((y - y.mean()) / len(y)).tolist()
        parts = [(slow.multiway_variance(errors, [i.tolist(), j.tolist()]), 7)]
        by_name = [name_means(known, scores, model, [a]) for a in everyone()]
        for group, terms in groups.items():
            means = [np.mean([one[group, term] for one in by_name]) for term in terms]
            parts.append((np.var(means, ddof=1) / 5, 4))
        variance = sum(part for part, _ in parts)
        df = variance**2 / sum(part**2 / own for part, own in parts)
        row = row_of(found, model, "all", "log_odds")
        assert_is(row, slow.limits(float(y.mean()), slow.Spread(variance, df), math.nan))
        assert (row["scope"], row["n_attributes"], row["n_frames"]) == ("S3", 9, 8)


# --- Few ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_leans_and_rankings_take_six_attributes_and_six_frames():
    """With fewer there is nothing to hold an attribute against."""
    few = {"first": ["a1", "a2", "a3"], "second": ["b1", "b2"]}
    rankings = {"generalizability", "dependability", "frames_needed"}
    names = {"lean", "largest_lean", *rankings}
    for classes, n_frames, why in ((few, 8, "attributes"), (MANY, 5, "frames")):
        items = items_of(ONE_TERM, classes, n_frames=n_frames, n_variants=1, priors=False)
        found, _ = found_of(items)
        own = found.estimates[found.estimates["estimator"].isin(names)]
        assert set(own["estimator"]) == rankings
        assert own["estimate"].isna().all()
        assert set(own["flag"]) == {f"too_few_{why}"}
    enough = {"first": ["a1", "a2", "a3"], "second": ["b1", "b2", "b3"]}
    items = items_of(ONE_TERM, enough, n_frames=6, n_variants=1, priors=False)
    found, _ = found_of(items)
    assert names <= set(found.estimates["estimator"])


def test_attributes_that_are_all_alike_have_no_ranking_and_the_page_is_told_why():
    """Every attribute has the same score in a frame: nothing leans beyond the others."""
    items = items_of(ONE_TERM, n_variants=1, priors=False, controls=())
    scores = scores_of(items)
    place = items.drop_duplicates("item").set_index("item")
    value = place["frame"].str[1:].astype(float) * place["group"].map({"women": 1.0, "men": 0.5})
    scores["value"] = value.reindex(scores["item"]).to_numpy()
    found = estimate(items, scores, [design()])
    row = row_of(found, "candidate", "all", "association")
    assert row["estimate"] == pytest.approx(0, abs=1e-12)
    assert row["p"] == 1
    for name in ("generalizability", "dependability", "frames_needed"):
        row = row_of(found, "candidate", "all", name)
        assert math.isnan(row["estimate"])
        assert row["flag"] != ""
    contrast = row_of(found, "candidate", "contrast", "stereotype_contrast")
    assert (contrast["estimate"], contrast["p"]) == (0, 1)
    assert {row["estimate"] for row in rows_of(found, "candidate", "lean")} == {0}
    pd.testing.assert_frame_equal(estimate(items, scores, [design()]).estimates, found.estimates)


def test_a_frame_that_a_class_lacks_is_not_counted_for_it():
    """The mean of the class, and the contrast, are those of the frames in which it has cells."""
    cells = np.random.default_rng(1).normal(size=(12, 9))
    cells[:6, 4] = np.nan
    names = [f"a{i}" for i in range(12)]
    classes = ["first"] * 6 + ["second"] * 6
    matrix = Matrix(cells, names, classes, [f"f{j}" for j in range(9)])
    there = [j for j in range(9) if j != 4]

    means = {one.slice: one for one in one_subject.means(matrix, "log_odds")}
    [contrast] = one_subject.contrast(matrix, "stereotype_contrast", ("first", "second"))

    expected = crossed_means.mean_interval(cells[:6][:, there])
    assert vars(means[of_class("first")].interval) == pytest.approx(vars(expected), nan_ok=True)
    assert (means[of_class("first")].n_frames, means[of_class("second")].n_frames) == (8, 9)
    expected = crossed_means.contrast_interval(cells[:6][:, there], cells[6:][:, there])
    assert vars(contrast.interval) == pytest.approx(vars(expected), nan_ok=True)
    assert contrast.n_frames == 8

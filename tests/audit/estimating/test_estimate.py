"""Estimates against a second, slow implementation: plain loops from the items and the scores."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from maskaudit.audit.estimating.estimate import Estimated, estimate
from maskaudit.audit.estimating.statistics import inheritance
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import FLAGS
from tests import estimate_oracles as oracles
from tests import statistics_oracles as slow
from tests.estimate_oracles import (
    CLASSES,
    MANY,
    ONE_TERM,
    SUBJECTS,
    TWO_GROUPS,
    UNDIRECTED,
    assert_is,
    assert_no_interval,
    contrast_of,
    design,
    everyone,
    items_of,
    mean_of,
    paired_of,
    row_of,
    scores_of,
    slow_cells,
    tables_of,
    values_of,
)

pytestmark = pytest.mark.slow

# --- Against the slow implementation --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_means_classes_and_contrast_are_those_of_plain_loops(seed, at_mask):
    """For reference, candidate and difference; the mean is shown and never tested."""
    items = items_of(at_mask=at_mask, priors=False)
    scores = scores_of(items, seed=seed)
    found = estimate(items, scores, [design()])
    for subject, cells in tables_of(items, scores, everyone()).items():
        of = {a: [row] for a, row in zip(everyone(), cells, strict=True)}
        classes = {c: np.concatenate([of[a] for a in words]) for c, words in CLASSES.items()}
        assert_is(row_of(found, subject, "all", "log_odds"), mean_of(cells))
        for name, own in classes.items():
            assert_is(row_of(found, subject, f"class={name}", "log_odds"), mean_of(own))
        row = row_of(found, subject, "contrast", "stereotype_contrast")
        assert_is(row, contrast_of(classes["first"], classes["second"]), null=0)
        assert (row["scope"], row["flag"]) == ("S2", "")


def test_the_controls_have_their_own_mean_and_enter_no_other():
    """Neutral words say how far the model leans when nothing is said."""
    items = items_of(priors=False)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    for subject, cells in tables_of(items, scores, ["c1", "c2"], "control").items():
        row = row_of(found, subject, "controls", "log_odds")
        assert_is(row, mean_of(cells))
        assert row["n_attributes"] == 2
        assert row_of(found, subject, "all", "log_odds")["n_attributes"] == 9


@pytest.mark.parametrize("controls", [(), ("c1",)])
def test_without_two_controls_they_have_no_interval_and_nothing_else_changes(controls):
    """None has no row, one is a number; they are no probes either way."""
    items = items_of(n_frames=6, controls=controls, priors=False)
    both = items_of(n_frames=6, priors=False)
    scores = scores_of(both)
    found = estimate(items, scores, [design()])
    whole = estimate(both, scores, [design()]).estimates
    assert len(oracles.rows_of(found, "candidate", "log_odds", slice="controls")) == len(controls)
    if controls:
        row = row_of(found, "candidate", "controls", "log_odds")
        [own] = tables_of(items, scores, ["c1"], "control")["candidate"]
        assert row["estimate"] == pytest.approx(own.mean())
        assert_no_interval(row, "too_few_attributes")
    rest = [
        table[table["slice"] != "controls"].reset_index(drop=True)
        for table in (found.estimates, whole)
    ]
    pd.testing.assert_frame_equal(*rest)


@pytest.mark.parametrize("seed", range(2))
def test_the_prior_and_what_is_beyond_it_are_those_of_plain_loops(seed):
    """The prior has no contrast; the log-odds less the prior have one, which is not adjusted."""
    items = items_of()
    scores = scores_of(items, seed=seed)
    found = estimate(items, scores, [design()])
    raw, priors = (tables_of(items, scores, everyone(), role) for role in ("probe", "prior"))
    n_first, n_second = (len(CLASSES[name]) for name in ("first", "second"))
    for subject in SUBJECTS:
        beyond = raw[subject] - priors[subject]
        assert_is(row_of(found, subject, "all", "lpbs"), mean_of(beyond))
        row = row_of(found, subject, "contrast", "stereotype_contrast_lpbs")
        assert_is(row, contrast_of(beyond[:n_first], beyond[-n_second:]), null=0)
        assert math.isnan(row["p_adjusted"])
        row = row_of(found, subject, "all", "prior")
        # One prior serves all attributes, so only frames vary.
        known = stats.ttest_1samp(priors[subject][0], 0).confidence_interval()
        assert (row["low"], row["high"]) == pytest.approx(tuple(known))
        assert row["df"] == pytest.approx(7)
    assert "stereotype_contrast_prior" not in set(found.estimates["estimator"])


def test_the_prior_takes_away_what_all_attributes_share():
    """Their contrast is that of the log-odds: a prior that is the same for all cancels in it."""
    items = items_of()
    found = estimate(items, scores_of(items), [design()])
    for subject in SUBJECTS:
        raw = row_of(found, subject, "contrast", "stereotype_contrast")
        beyond = row_of(found, subject, "contrast", "stereotype_contrast_lpbs")
        assert beyond["estimate"] == pytest.approx(raw["estimate"], rel=1e-9)


def test_what_falls_with_more_frames_is_the_frames_part_of_the_variance():
    """MSB/n of a mean, var_j(d_j)/J of a contrast, var/J of an attribute's own number."""
    items = items_of(priors=False)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    for subject, cells in tables_of(items, scores, everyone()).items():
        _, by_frame, _ = slow.mean_squares(cells)
        of = row_of(found, subject, "all", "log_odds")
        assert of["v_frames"] == pytest.approx(by_frame / cells.size)
        d = [np.mean(column[:4]) - np.mean(column[-3:]) for column in cells.T]
        of = row_of(found, subject, "contrast", "stereotype_contrast")
        assert of["v_frames"] == pytest.approx(np.var(d, ddof=1) / len(d))
        of = row_of(found, subject, "attribute=m1", "log_odds")
        assert of["v_frames"] == pytest.approx(np.var(cells[4], ddof=1) / 8)
        assert of["v_frames"] == pytest.approx(of["std_error"] ** 2)


def test_an_attributes_lean_is_what_it_adds_to_its_frames():
    """Each cell less the mean of its frame; the interval is over frames alone."""
    items = items_of(priors=False)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    cells = tables_of(items, scores, everyone())["candidate"]
    for name, own in zip(everyone(), cells, strict=True):
        beyond = [value - sum(column) / 9 for value, column in zip(own, cells.T, strict=True)]
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
    items = items_of(classes=classes, priors=False)
    scores = scores_of(items)
    found = estimate(items, scores, [design()])
    y = tables_of(items, scores, everyone(classes))["reference"]
    msa, _, mse = slow.mean_squares(y)
    shrunken = {
        name: (1 - mse / msa) * (row.mean() - y.mean())
        for name, row in zip(everyone(classes), y, strict=True)
    }
    largest = sorted(shrunken, key=lambda name: -abs(shrunken[name]))[:10]
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


@pytest.mark.parametrize(("adjust", "method"), [("bh", "fdr_bh"), ("by", "fdr_by")])
def test_p_values_are_adjusted_over_the_contrasts_of_one_subject(adjust, method):
    """Controls, means and other estimators never enter the count."""
    names = ["one", "two", "three", "four"]
    sets = [items_of(name=name, n_frames=6, priors=False) for name in names]
    scores = pd.concat([scores_of(part, seed=i) for i, part in enumerate(sets)])
    designs = [design(name) for name in names[:3]] + [design("four", expect="none")]
    found = estimate(pd.concat(sets), scores, designs, adjust=adjust)
    for subject in SUBJECTS:
        rows = [
            row_of(found, subject, "contrast", "stereotype_contrast", probe_set=n) for n in names
        ]
        adjusted = multipletests([row["p"] for row in rows[:3]], method=method)[1]
        assert [row["p_adjusted"] for row in rows[:3]] == pytest.approx(list(adjusted))
        assert math.isnan(rows[3]["p_adjusted"])
        assert not math.isnan(rows[3]["p"])
    assert found.estimates["p_adjusted"].notna().sum() == 9


# --- Properties -----------------------------------------------------------------------------------


def estimate_all(*tables, **options):
    """Return the estimates with those that are made only when they are asked for."""
    return estimate(*tables, wanted=lambda _name: True, **options)


def a_pair(*, at_mask: bool = True, groups=None, n_frames: int = 12, faceted: bool = False):
    """Return a set with shares and controls, its scores and what pairs two models.

    A `faceted` one has frames of five styles, and classes of four families.
    """
    words = everyone(MANY)
    shares = dict(zip(words, np.linspace(0.03, 0.96, len(words)), strict=True))
    terms = TWO_GROUPS if groups is None else groups
    styles = ["talk", "tale", "work", "news", "short"] if faceted else [""]
    families = {word: f"k{int(word[1:]) % 4}" for word in words if faceted}
    facets = {"shares": shares, "styles": styles, "families": families}
    items = items_of(terms, MANY, n_frames=n_frames, n_variants=1, at_mask=at_mask, **facets)
    return items, scores_of(items, inherits=1.3), paired_of(items)


SHAPES = [(True, False), (False, False), (True, True)]
IDS = ["group at mask", "attribute at mask", "styles and families"]


@pytest.mark.parametrize(("at_mask", "faceted"), SHAPES, ids=IDS)
def test_swapped_groups_negate_all_that_has_a_direction_and_nothing_else(at_mask, faceted):
    """The ends of the intervals change places; a share is that of the first group."""
    items, scores, paired = a_pair(at_mask=at_mask, faceted=faceted)
    order = items["group"].map({"men": 0, "women": 1}).argsort(kind="stable")
    other = items.iloc[order].assign(share=1 - items["share"]).reset_index(drop=True)
    ours, theirs = (
        estimate_all(part, scores, [design()], paired=paired) for part in (items, other)
    )
    keys = ["slice", "estimator", "mode", "subject"]
    said = [
        found.estimates.set_index(keys)[["flag", "outcome"]].sort_index()
        for found in (ours, theirs)
    ]
    pd.testing.assert_frame_equal(*said)
    ours, theirs = values_of(ours), values_of(theirs)
    names = ours.index.get_level_values("estimator")
    assert {"slope", "log_kappa", "inheritance", "world_slope"} <= set(names)
    assert ours.xs("slope", level="estimator")["estimate"].notna().all()
    # What is held against a share sums 1 - share, which is rounded, or has its classes change
    # places; all else is exact.
    of_world = np.array(["world" in name or name == "contrast_at_cut" for name in names])
    signed = ~names.isin(list(UNDIRECTED))
    turned = theirs.assign(estimate=-theirs["estimate"], low=-theirs["high"], high=-theirs["low"])
    numbers = ["estimate", "low", "high", "std_error", "df", "p", "p_adjusted", "mde", "v_frames"]
    for chosen, expected in ((signed, turned), (~signed, theirs)):
        exact = chosen & ~of_world
        pd.testing.assert_frame_equal(
            ours[exact][numbers], expected[exact][numbers], rtol=0, atol=0
        )
        near = chosen & of_world
        pd.testing.assert_frame_equal(
            ours[near][numbers], expected[near][numbers], rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize(("at_mask", "faceted"), SHAPES, ids=IDS)
def test_a_model_against_itself_differs_by_exactly_nothing(at_mask, faceted):
    """Estimate and interval are 0 and the p of a test is 1; not nearly, exactly."""
    items, scores, paired = a_pair(at_mask=at_mask, n_frames=30, faceted=faceted)
    one = scores[scores["model"] == "candidate"]
    both = pd.concat([one.assign(model="reference"), one])
    # No distance, and the reference's entropies for both.
    mine = paired[(paired["measure"] == "entropy") & (paired["model"] == "reference")]
    apart = paired[paired["measure"] == "kl"].assign(value=0.0)
    same = pd.concat([apart, mine, mine.assign(model="candidate")], ignore_index=True)
    found = estimate_all(items, both, [design()], paired=same)
    table = found.estimates
    own = table[table["subject"] == "difference"]
    unranked = own["estimator"].isin(list(oracles.OF_WHAT_VARIES))
    assert own.loc[unranked, "estimate"].isna().all()
    assert (own.loc[unranked, "flag"] != "").all()
    own = own[~unranked]
    assert (own["estimate"] == 0).all()
    ends = own.loc[own["low"].notna(), ["low", "high", "std_error", "mde", "v_frames"]]
    assert (ends.fillna(0.0) == 0).all(axis=None)
    tested = own[own["null_value"].notna()]
    assert {"contrast", "attribute=a01"} <= set(tested["slice"])
    assert (tested["p"] == 1).all()
    assert (own.loc[own["estimator"] == "stereotype_contrast", "p_adjusted"] == 1).all()
    ours = dict(iter(table.groupby("subject")))
    of_models = {"world_intercept", "beyond_world", "convergence_estimators"}
    assert set(ours["difference"]["estimator"]) == set(ours["candidate"]["estimator"]) - of_models
    exact = {"slope": 1, "log_kappa": 0, "disattenuated_r": 1, "log_magnitude_ratio": 0}
    for name, value in exact.items():
        row = row_of(found, "relation", "all", name)
        assert (row["estimate"], row["low"], row["high"]) == (value, value, value)
        assert row["flag"] == "exploratory"  # a set of few attributes
        assert row["p"] == 1 or name == "disattenuated_r"
    fates = oracles.rows_of(found, "relation", "inheritance")
    assert {row["outcome"] for row in fates} == {"inherited", "undecided"}
    assert {row["estimate"] for row in fates} == {0}
    for name in ("flips", "sign_changes"):
        assert row_of(found, "relation", "all", name)["estimate"] == 0
    fidelities = ("fidelity", "fidelity_adjusted") if at_mask else ()
    for name in fidelities:
        row = row_of(found, "relation", "all", name)
        assert (row["estimate"], row["low"], row["high"]) == (0, 0, 0)


@pytest.mark.parametrize("faceted", [False, True])
def test_scores_twice_as_far_apart_are_leans_twice_as_large(faceted):
    """What is squared is four times as large, what is a ratio or a rank stays; p stays too."""
    items, scores, _ = a_pair(at_mask=False, faceted=faceted)
    items = items.assign(share=np.nan)  # the world's slope has the null 1, which does not double
    twice = scores.assign(value=2 * scores["value"])
    ours, theirs = (values_of(estimate_all(items, part, [design()])) for part in (scores, twice))
    names = ours.index.get_level_values("estimator")
    kept = ~names.str.endswith("_targets")
    ours, theirs, names = ours[kept], theirs[kept], names[kept]
    squared = {"association", "magnitude"}
    free = UNDIRECTED - squared - oracles.GROWING
    power = np.where(names.isin(list(squared)), 2, np.where(names.isin(list(free)), 0, 1))
    for column in ("estimate", "low", "high", "std_error", "mde"):
        assert theirs[column].equals(ours[column] * 2.0**power), column
    assert theirs["v_frames"].equals(ours["v_frames"] * 4.0**power)
    for column in ("p", "p_adjusted", "df"):
        assert theirs[column].equals(ours[column]), column


@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(seed):
    """Only the first row is left in its place: it says which group is the first."""
    rng = np.random.default_rng(seed)
    items = items_of(ONE_TERM, n_frames=10, n_variants=1, controls=("c1", "c2", "c3"))
    scores = scores_of(items, inherits=1.3, noise=0.2)
    mixed = items.iloc[[0, *(1 + rng.permutation(len(items) - 1))]]
    other = estimate_all(mixed, scores.sample(frac=1, random_state=seed), [design()])
    ours = values_of(estimate_all(items, scores, [design()]))
    pd.testing.assert_frame_equal(ours, values_of(other), rtol=1e-9, atol=1e-12)


def test_a_paraphrase_that_says_the_same_changes_nothing():
    """Every template twice is no more evidence: neither the point nor its error moves."""
    items = items_of(n_variants=1)
    twice = pd.concat([items, items.assign(variant=1)])
    scores = scores_of(items)
    ours, theirs = (values_of(estimate_all(part, scores, [design()])) for part in (items, twice))
    of_wording = theirs.index.get_level_values("estimator") == "paraphrase_shift"
    pd.testing.assert_frame_equal(ours, theirs[~of_wording], check_exact=True)
    assert (theirs.loc[of_wording, ["estimate", "low", "high"]] == 0).all(axis=None)
    assert of_wording.sum() == len(SUBJECTS)


def test_every_frame_twice_would_change_the_error():
    """So the test before this one has something to find."""
    items = items_of(n_variants=1, priors=False)
    twice = pd.concat([items, items.assign(frame=items["frame"] + "-again")])
    scores = scores_of(items)
    ours, theirs = (values_of(estimate_all(part, scores, [design()])) for part in (items, twice))
    place = ("one", "contrast", "stereotype_contrast", "corrected", "candidate")
    assert theirs.loc[place, "estimate"] == pytest.approx(ours.loc[place, "estimate"])
    assert theirs.loc[place, "std_error"] < ours.loc[place, "std_error"]


def test_one_model_alone_is_the_candidate_and_has_no_difference():
    """Nothing is compared, and nothing pretends to be."""
    items = items_of()
    both = scores_of(items)
    alone = both[both["model"] == "candidate"]
    found = estimate_all(items, alone, [design()])
    assert set(found.estimates["subject"]) == {"candidate"}  # no difference, and no relation
    ours = estimate_all(items, both, [design()]).estimates
    same = ours[ours["subject"] == "candidate"].reset_index(drop=True)
    left = found.estimates.drop(columns="p_adjusted")
    pd.testing.assert_frame_equal(left, same.drop(columns="p_adjusted"))


def test_a_constant_that_all_scores_have_more_of_changes_nothing():
    """A model's log p may all be too large by as much: only differences count."""
    items = items_of(ONE_TERM, n_frames=10, n_variants=1)
    scores = scores_of(items, inherits=1.3, noise=0.2)
    more = scores.assign(value=scores["value"] + 8.0)
    ours, theirs = (values_of(estimate_all(items, part, [design()])) for part in (scores, more))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-8, atol=1e-10)


def test_the_seed_changes_what_is_drawn_its_method_and_nothing_else():
    """The p of permutations, and what is by chance: with 15 frames more than are tried."""
    items = items_of(ONE_TERM, n_frames=15, n_variants=1, priors=False)
    scores = scores_of(items, noise=3.0)
    ours, theirs = (estimate_all(items, scores, [design()], seed=seed).estimates for seed in (0, 1))
    # Which single pairs stand out is drawn too.
    whole = [part[~part["slice"].str.contains("&")].copy() for part in (ours, theirs)]
    one, other = whole
    named = one["estimator"].isin(["association", "frames_alike", "attributes_alike"])
    drawn = named & one["p"].notna()
    assert set(one.loc[drawn, "estimator"]) == set(one.loc[named, "estimator"])
    for name, own in one[drawn].groupby("estimator"):
        assert (own["p"] != other.loc[own.index, "p"]).any(), name
    assert one.loc[drawn, "p"].to_numpy() == pytest.approx(other.loc[drawn, "p"], abs=0.1)
    of_association = drawn & (one["estimator"] == "association")
    assert one.loc[of_association, "p"].to_numpy() == pytest.approx(
        other.loc[of_association, "p"], abs=0.03
    )
    assert (one.loc[named, "method"] != other.loc[named, "method"]).all()
    for column in ("p", "null_value", "method"):
        one.loc[named, column] = other.loc[named, column]
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))
    again = estimate_all(items, scores, [design()], seed=1).estimates
    pd.testing.assert_frame_equal(theirs, again)


# Numbers that have no interval by what they are: counts, and an exact test of paired trials.
POINTS = {
    *("frames_needed", "flips", "sign_changes", "expected_sign_changes"),
    *("styles_holding", "style_q", "style_sd"),
    *("frames_with_sign", "deciding_frames", "deciding_attributes"),
    *("half_width_twice_frames", "half_width_twice_attributes"),
    *("frames_alike", "attributes_alike", "family_icc"),
}


@pytest.mark.parametrize("n_frames", [1, 5, 6, 9, 15, 20])
@pytest.mark.parametrize(("at_mask", "faceted"), SHAPES, ids=IDS)
def test_every_number_has_an_interval_or_says_why_it_has_none(n_frames, at_mask, faceted):
    """And every flag is a declared one, every scope too; only tested contrasts are adjusted."""
    items, scores, paired = a_pair(
        at_mask=at_mask, groups=ONE_TERM, n_frames=n_frames, faceted=faceted
    )
    found = estimate_all(items, scores, [design()], paired=paired).estimates
    tables.check("estimates", found)
    assert set(found["flag"]) <= set(FLAGS)
    fates = found["estimator"] == "inheritance"
    assert set(found.loc[fates, "outcome"]) <= set(inheritance.CLASSES)
    assert (found.loc[~fates, "outcome"] == "").all()
    assert set(found["scope"]) <= {"S0", "S1", "S2", "S3"}
    open_ = found[found["low"].isna() & ~found["estimator"].isin(POINTS)]
    assert (open_["flag"] != "").all(), open_[["slice", "estimator", "subject"]].to_string()
    unknown = found[found["estimate"].isna()]
    assert (unknown["flag"] != "").all()
    adjusted = found[found["p_adjusted"].notna()]
    assert set(adjusted["estimator"]) <= {"stereotype_contrast"}
    # Five styles of two frames each take ten frames.
    assert len(adjusted) == (3 if n_frames >= (10 if faceted else 6) else 0)
    for column in ("low", "std_error"):
        assert not found.loc[found["estimate"].isna(), column].notna().any()
    skewed = ["largest_lean", "generalizability", "dependability"]
    known = found[found["low"].notna() & ~found["estimator"].isin(skewed)]
    assert (known["low"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["high"]).all()
    assert (known["std_error"] >= 0).all()


# --- Missing cells --------------------------------------------------------------------------------


def holes(cells: str):
    """Return which items are gone: a letter of the attributes, then frames, as `a1:0 b2:3,4`."""
    gone = {
        (attribute, int(frame))
        for part in cells.split()
        for attribute, _, frames in [part.partition(":")]
        for frame in frames.split(",")
    }

    def missing(_model: str, item: str) -> bool:
        _, frame, _, rest = item.split("/")
        return (rest.split(">")[0], int(frame)) in gone

    return missing


def test_few_missing_cells_are_those_of_the_additive_fit():
    """Two of 100: the mean and the residual are of statsmodels' least squares on what is there."""
    classes = {"first": [f"a{n}" for n in range(5)], "second": [f"b{n}" for n in range(5)]}
    items = items_of(ONE_TERM, classes, n_frames=10, n_variants=1, controls=(), priors=False)
    scores = scores_of(items, missing=holes("a1:3 b0:7"))
    found = estimate_all(items, scores, [design()])
    assert sorted(map(tuple, map(dict.values, found.left_out))) == [
        ("one", "a1", "f03"),
        ("one", "b0", "f07"),
    ]
    for subject, cells in tables_of(items, scores, everyone(classes)).items():
        row = row_of(found, subject, "all", "log_odds")
        assert_is(row, {**filled_mean(cells)})
        assert (row["n_attributes"], row["n_frames"]) == (10, 10)
        first, second = (filled_mean(own) for own in (cells[:5], cells[5:]))
        contrast = row_of(found, subject, "contrast", "stereotype_contrast")
        expected = first["estimate"] - second["estimate"]
        assert contrast["estimate"] == pytest.approx(expected, rel=1e-9)
        # What holds attributes against each other takes cells without gaps: of two gaps that lack
        # the same share, one costs its frame, and then the other its attribute.
        association = row_of(found, subject, "all", "association")
        assert (association["n_attributes"], association["n_frames"]) == (9, 9)
        leans = oracles.rows_of(found, subject, "lean")
        assert {row["slice"] for row in leans} == {
            f"attribute={a}" for a in set(everyone(classes)) - {"b0"}
        }
        assert {row["n_frames"] for row in leans} == {9}


def filled_mean(cells):
    """Return the mean and its interval with the gaps filled by statsmodels' additive fit."""
    fit = slow.additive_fit(cells)
    at = np.argwhere(np.isnan(cells))
    whole = cells.copy()
    whole[tuple(at.T)] = fit.predict(pd.DataFrame(at, columns=["attribute", "frame"]))
    n_attributes, n_frames = cells.shape
    n = cells.size
    a, b, _ = slow.mean_squares(whole)
    # statsmodels' own residual mean square: its degrees of freedom are fewer by the gaps.
    parts = [(a / n, n_attributes - 1), (b / n, n_frames - 1), (-fit.mse_resid / n, fit.df_resid)]
    variance = sum(part for part, _ in parts)
    assert variance > max(a, b) / n
    df = variance**2 / sum(part**2 / own for part, own in parts)
    return slow.limits(float(whole.mean()), slow.Spread(variance, df), math.nan)


def test_where_more_are_missing_the_interval_is_that_of_clusters_two_ways():
    """A tenth is gone: statsmodels' clustered errors of a mean, and of a difference of means."""
    classes = {"first": [f"a{n}" for n in range(5)], "second": [f"b{n}" for n in range(5)]}
    items = items_of(ONE_TERM, classes, n_frames=10, n_variants=1, controls=(), priors=False)
    gaps = "a0:1,5 a2:0,8 a4:3 b0:7 b1:2,4 b3:0,9"
    scores = scores_of(items, missing=holes(gaps))
    found = estimate_all(items, scores, [design()])
    assert len(found.left_out) == 10
    for subject, cells in tables_of(items, scores, everyone(classes)).items():
        i, j = np.argwhere(~np.isnan(cells)).T
        whole = cells[i, j]
        # A contrast is held within its frames: relative to the classes' mean in each.
        of_frames = (np.nanmean(cells[:5], 0) + np.nanmean(cells[5:], 0)) / 2
        first = (i < 5).astype(float)
        by_class = np.column_stack([first, 1 - first])
        for slice_, estimator, columns in (
            ("all", "log_odds", np.ones((len(whole), 1))),
            ("contrast", "stereotype_contrast", by_class),
        ):
            row = row_of(found, subject, slice_, estimator)
            y = whole - of_frames[j] if slice_ == "contrast" else whole
            sign = columns @ np.array([1.0, -1.0][: columns.shape[1]])
            groups = [columns[:, k] == 1 for k in range(columns.shape[1])]
            own = [y[chosen].mean() for chosen in groups]
            assert row["estimate"] == pytest.approx(own[0] - sum(own[1:]))
            errors = [
                float(sign[n] * (y[n] - own[k]) / groups[k].sum())
                for n in range(len(y))
                for k in range(len(groups))
                if groups[k][n]
            ]
            if slice_ == "all":
                error, df = slow.multiway_variance(errors, [i.tolist(), j.tolist()]), 9
            else:
                error, df = slow.contrast_of_clusters(errors, i.tolist(), j.tolist(), first)
            assert row["std_error"] == pytest.approx(math.sqrt(error))
            assert row["df"] == pytest.approx(df)
            assert row["flag"] == ""
        y = whole
        alone = slow.cluster_error(y, np.ones((len(y), 1)), [i, j], 0, corrected=True)
        row = row_of(found, subject, "all", "log_odds")
        larger = [
            slow.cluster_error(y, np.ones((len(y), 1)), [own], 0, corrected=True) for own in (i, j)
        ]
        assert row["std_error"] == pytest.approx(max(alone, *larger))


def test_a_cell_that_one_model_lacks_is_used_for_none():
    """The candidate cannot write it: the reference's number is what it is without it as well."""
    items = items_of()
    lost = "one/3/0/a2>her"
    of_one = scores_of(items, missing=lambda model, i: i == lost and model == "candidate")
    of_both = scores_of(items, missing=lambda _model, i: i == lost)
    one, both = (estimate_all(items, scores, [design()]) for scores in (of_one, of_both))
    assert one.left_out == both.left_out
    assert one.left_out == [{"probe_set": "one", "attribute": "a2", "frame": "f03"}]
    kept = ~one.estimates["estimator"].isin(["cbs"])  # its units are attributes, not cells
    ours, theirs = (part.estimates[kept].reset_index(drop=True) for part in (one, both))
    pd.testing.assert_frame_equal(ours, theirs)


def test_an_attribute_that_lacks_more_than_half_is_left_out_whole_and_its_cells_are_listed():
    """In five of eight frames: all is as if it were not in the set."""
    items = items_of(priors=False)
    found = estimate_all(items, scores_of(items, missing=holes("a2:0,1,2,3,4")), [design()])
    assert {cell["attribute"] for cell in found.left_out} == {"a2"}
    assert len(found.left_out) == 5
    without = items[items["attribute"] != "a2"].reset_index(drop=True)
    scores = scores_of(items)
    expected = estimate_all(without, scores, [design()])
    pd.testing.assert_frame_equal(
        values_of(found), values_of(expected), rtol=1e-12, check_dtype=False
    )
    row = row_of(found, "candidate", "all", "log_odds")
    assert row["n_attributes"] == 8


def test_a_frame_that_nothing_could_be_asked_in_is_left_out_and_no_attribute_with_it():
    """A sentence that a model cannot read costs one frame, not the set."""
    items = items_of(priors=False)
    found = estimate_all(
        items, scores_of(items, missing=lambda _m, i: i.startswith("one/2/")), [design()]
    )
    assert {cell["frame"] for cell in found.left_out} == {"f02"}
    expected = estimate_all(items[items["frame"] != "f02"], scores_of(items), [design()])
    pd.testing.assert_frame_equal(values_of(found), values_of(expected), rtol=1e-12)
    row = row_of(found, "difference", "contrast", "stereotype_contrast")
    assert (row["n_frames"], row["n_attributes"]) == (7, 7)


def test_a_set_that_nothing_could_be_asked_of_has_no_number():
    """Unknown is NaN, and every cell is listed."""
    items = items_of(n_frames=6)
    found = estimate_all(items, scores_of(items, missing=lambda _m, _i: True), [design()])
    assert len(found.left_out) == 6 * 11
    assert found.estimates["estimate"].isna().all()
    assert (found.estimates["flag"] != "").all()


def test_an_attribute_that_could_be_asked_nowhere_is_as_if_it_were_not_there():
    """It enters no number and no count."""
    items = items_of(n_frames=6, controls=(), priors=False)
    found = estimate_all(items, scores_of(items, missing=lambda _m, i: "/m2>" in i), [design()])
    without = items[items["attribute"] != "m2"].reset_index(drop=True)
    expected = estimate_all(without, scores_of(items), [design()])
    pd.testing.assert_frame_equal(values_of(found), values_of(expected), rtol=1e-12)


def test_a_class_that_is_lost_leaves_the_contrast_unknown():
    """No class stands in for another."""
    items = items_of(priors=False)
    found = estimate_all(items, scores_of(items, missing=lambda _m, i: "/b" in i), [design()])
    row = row_of(found, "candidate", "contrast", "stereotype_contrast")
    assert math.isnan(row["estimate"])
    assert_no_interval(row, "too_few_attributes")
    assert not math.isnan(row_of(found, "candidate", "all", "log_odds")["estimate"])


def test_a_class_of_one_attribute_is_a_number_without_an_interval():
    """One word is no sample of its kind: neither it nor the contrast says how sure it is."""
    classes = {"first": ["a1", "a2", "a3", "a4", "a5"], "second": ["b1"]}
    items = items_of(classes=classes, priors=False)
    scores = scores_of(items)
    found = estimate_all(items, scores, [design()])
    for subject, cells in tables_of(items, scores, everyone(classes)).items():
        row = row_of(found, subject, "class=second", "log_odds")
        assert row["estimate"] == pytest.approx(cells[-1].mean())
        assert_no_interval(row, "too_few_attributes")
        row = row_of(found, subject, "contrast", "stereotype_contrast")
        assert_no_interval(row, "too_few_attributes")
        assert_is(row_of(found, subject, "class=first", "log_odds"), mean_of(cells[:-1]))


@pytest.mark.parametrize(("n_frames", "known"), [(2, False), (5, False), (6, True)])
def test_fewer_than_six_frames_give_a_point_and_no_interval(n_frames, known):
    """Nobody can say from five sentences how sure a number is."""
    items = items_of(n_frames=n_frames)
    scores = scores_of(items)
    found = estimate_all(items, scores, [design()])
    cells = tables_of(items, scores, everyone())["difference"]
    of = row_of(found, "difference", "all", "log_odds")
    assert of["estimate"] == pytest.approx(cells.mean())
    of = row_of(found, "difference", "contrast", "stereotype_contrast")
    assert of["estimate"] == pytest.approx(cells[:4].mean() - cells[-3:].mean())
    table = found.estimates
    two_way = ["log_odds", "stereotype_contrast", "lpbs", "prior", "association", "magnitude"]
    shown = table[table["estimator"].isin([*two_way, "stereotype_contrast_lpbs"])]
    assert shown["estimate"].notna().all()
    for column in ("low", "high", "std_error"):
        assert (shown[column].notna() == known).all()
    assert (shown["flag"] == ("" if known else "too_few_frames")).all()
    assert shown.loc[shown["slice"] == "contrast", "p"].notna().all() == known
    assert ("lean" in set(table["estimator"])) == known


# --- Three groups ---------------------------------------------------------------------------------

THREE = {"women": ["she"], "men": ["he"], "others": ["they", "ze"]}


def test_three_groups_are_compared_two_by_two():
    """Each pair is what it would be with the third group away; a slice names its pair."""
    shares = dict.fromkeys(everyone(), 0.3) | {"a1": 0.8}
    items = items_of(THREE, n_frames=10, shares=shares)
    scores = scores_of(items, inherits=1.3)
    found = estimate_all(items, scores, [design()])
    whole = found.estimates
    for first, second in combinations(THREE, 2):
        two = items[items["group"].isin([first, second])].reset_index(drop=True)
        expected = values_of(estimate_all(two.assign(share=np.nan), scores, [design()]))
        prefix = f"{first}/{second}: "
        own = whole[whole["slice"].str.startswith(prefix)]
        own = own.assign(slice=own["slice"].str.removeprefix(prefix))
        ours = values_of(Estimated(own, []))
        expected = expected.loc[expected.index.get_level_values("estimator") != "cbs"]
        # How many terms a group has, and how many tests there are, is of all three.
        apart = ["n_terms", "p_adjusted"]
        pd.testing.assert_frame_equal(ours.drop(columns=apart), expected.drop(columns=apart))
    of_pairs = ~whole["estimator"].isin(["cbs", "group_spread"])
    assert whole.loc[of_pairs, "slice"].str.contains("/").all()
    assert {"inheritance", "slope"} <= set(whole["estimator"])
    # The first group's share says nothing of the other two between them.
    assert not whole["estimator"].str.contains("world").any()


def test_a_cell_of_three_groups_counts_only_where_it_is_complete_for_all_three():
    """All pairs stand on the same cells, and a cell that is missing is listed once."""
    items = items_of(THREE)
    scores = scores_of(items, missing=lambda _m, i: i == "one/4/1/b1>ze")
    found = estimate_all(items, scores, [design()])
    assert found.left_out == [{"probe_set": "one", "attribute": "b1", "frame": "f04"}]
    whole = found.estimates[found.estimates["slice"].str.endswith(": all")]
    assert set(whole.loc[whole["estimator"] == "log_odds", "n_attributes"]) == {9}
    # It is left out of pairs that have it.
    lost = scores.assign(value=scores["value"].where(~scores["item"].str.startswith("one/4/1/b1>")))
    also = estimate_all(items, lost, [design()]).estimates
    of_cells = whole["estimator"] == "log_odds"
    own = whole[of_cells].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, also.loc[whole.index[of_cells]].reset_index(drop=True))


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

    row = row_of(estimate_all(items, scores, [design()]), "candidate", "all", "log_odds")

    assert row["estimate"] == pytest.approx(mean, rel=1e-9)
    assert row["std_error"] == pytest.approx(error, rel=1e-9)
    assert (row["n_frames"], row["n_attributes"]) == (len(values), n)


# --- The method key -------------------------------------------------------------------------------


def test_a_method_key_says_how_and_never_of_whom():
    """Numbers of two models are compared by it, so it is the same for both."""
    items = items_of()
    made = design(method={"probe_set": "one", "version": "1", "torch": "2"})
    found = estimate_all(items, scores_of(items), [made]).estimates
    by_number = found.groupby(["slice", "estimator", "mode"])["method"].nunique()
    assert (by_number == 1).all()
    key = row_of(Estimated(found, []), "candidate", "contrast", "stereotype_contrast")["method"]
    assert key.startswith("probe_set:one|version:1|torch:2|estimator:stereotype_contrast:log_odds")
    assert "terms:logsumexp" in key
    elsewhere = items_of(at_mask=False)
    other = estimate_all(elsewhere, scores_of(elsewhere), [made])
    assert "terms:mean" in row_of(other, "candidate", "all", "log_odds")["method"]

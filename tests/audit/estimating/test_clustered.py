"""Estimates over units: what they refuse to be sure of, and what statsmodels says of the same."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.estimating.clustered import unit_rows
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators import Measured
from maskaudit.audit.estimating.estimators.pairs import PAIRS, PLL
from maskaudit.audit.recording.rows import tables
from tests import statistics_oracles as slow

SHARES = ("pll", "pll_wilson", "pll_exact")


def pairs_of(gaps, model="m", writers=None, edits=None, classes=None):
    """Return items and scores of pairs whose two sides differ by these gaps."""
    none = [""] * len(gaps)
    places = zip(writers or none, edits or none, classes or none, strict=True)
    rows = [
        {
            "pair": f"{i:03}",
            "label": label,
            "item": f"{i}{label}",
            "probe_set": "one",
            "kind": "pairs",
            "cluster": writer,
            "cluster_2": edit,
            "class": class_,
        }
        for i, (writer, edit, class_) in enumerate(places)
        for label in ("stereotype", "anti")
    ]
    values = [value for gap in gaps for value in (gap, 0.0)]
    scores = [
        {"item": row["item"], "model": model, "measure": "pll", "value": value, "status": "ok"}
        for row, value in zip(rows, values, strict=True)
    ]
    return tables.table("items", rows), tables.table("scores", scores)


def measured(gaps, **places):
    """Give one model's scores of pairs whose two sides differ by these gaps."""
    none = {name: tables.table(name, []) for name in ("fills", "paired")}
    return Measured(*pairs_of(gaps, **places), **none)


def rows_of(by_model, mode="corrected", **places):
    """Return every row of the preferences by number, slice and subject."""
    found = unit_rows({m: measured(own, **places) for m, own in by_model.items()}, PLL)
    rows = pd.DataFrame(found)
    return rows[rows["mode"] == mode].set_index(["estimator", "slice", "subject"]).sort_index()


def numbers(**gaps):
    """Return the corrected share of preferences by subject."""
    return rows_of(gaps).loc["pll", "all"]


def test_a_model_that_always_prefers_a_side_is_not_thereby_certain():
    """Twenty of twenty pairs: 100 %, and no interval, for nothing varied to learn it from."""
    found = numbers(candidate=[1.0] * 20).loc["candidate"]
    assert found["estimate"] == 100
    assert math.isnan(found["low"])
    assert math.isnan(found["p"])


def test_two_models_that_differ_alike_everywhere_are_not_thereby_certain():
    """One always prefers the stereotype, the other never: 100 points apart, without an interval."""
    found = numbers(reference=[-1.0] * 20, candidate=[1.0] * 20).loc["difference"]
    assert found["estimate"] == 100
    assert math.isnan(found["low"])


def test_a_model_and_its_copy_differ_by_exactly_nothing():
    """The one case in which nothing varies and all is known."""
    gaps = [1.0, -1.0, 2.0, 0.5, -0.5, 3.0, 1.0]
    found = numbers(reference=gaps, candidate=gaps).loc["difference"]
    assert (found["estimate"], found["low"], found["high"], found["p"]) == (0, 0, 0, 1)


@pytest.mark.parametrize(("pairs", "known"), [(5, False), (6, True)])
def test_fewer_than_six_clusters_get_no_interval(pairs, known):
    """A share of five is a number and no more."""
    gaps = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0][:pairs]
    found = numbers(candidate=gaps).loc["candidate"]
    assert math.isnan(found["low"]) != known


def test_pairs_that_all_tie_have_no_share_and_say_so():
    """Nothing was preferred: the number is unknown, not 50 and not 0."""
    found = rows_of({"candidate": [0.0] * 8})
    for name in SHARES:
        row = found.loc[name, "all", "candidate"]
        assert math.isnan(row["estimate"]), name
        assert math.isnan(row["p"])
    unknown = found[found["estimate"].isna()]
    assert (unknown["flag"].fillna("") != "").all()
    published = rows_of({"candidate": [0.0] * 8}, "published").loc["pll", "all", "candidate"]
    assert (published["estimate"], published["flag"]) == (0, "nothing_varied")


# --- Pairs in two ways at once --------------------------------------------------------------------


def crows(n, seed, *, ties):
    """Return gaps of two models and, of each pair, its writer and its edited words."""
    rng = np.random.default_rng(seed)
    writers, edits = (rng.integers(0, size, n) for size in (9, 14))
    lean = rng.normal(0.2, 1, 9)[writers] + rng.normal(0, 1, 14)[edits]
    gaps = [lean + rng.normal(0, 1, n), lean + rng.normal(0.3, 1, n)]
    if ties:
        gaps[0][rng.random(n) < 0.06] = 0.0
    names = [[f"{kind}{one}" for one in own] for kind, own in (("w", writers), ("e", edits))]
    return dict(zip(("reference", "candidate"), gaps, strict=True)), *names


def statsmodels_error(y, *factors):
    """Return the two-way clustered error of a mean; not below that of either factor alone."""
    ones = np.ones((len(y), 1))
    chosen = [list(factors), *([one] for one in factors)]
    return max(slow.cluster_error(y, ones, own, 0, corrected=True) for own in chosen)


def test_one_decided_pair_among_ties_has_a_share_and_no_interval():
    """Without that pair there is no share, so how far it moves the share is unknown."""
    places = {"writers": [*"aabbccddeeff"], "edits": [*"abcdefabcdef"]}
    found = rows_of({"candidate": [0.0] * 11 + [1.0]}, **places).loc["pll", "all", "candidate"]
    assert found["estimate"] == pytest.approx(100)
    assert math.isnan(found["low"])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_pairs_of_writers_and_of_edited_words_are_in_clusters_both_ways(seed):
    """As in statsmodels' regression on a constant; t with the fewer clusters less 1."""
    by_model, writers, edits = crows(120, seed, ties=False)
    found = rows_of(by_model, writers=writers, edits=edits)
    wins = {model: (gaps > 0).astype(float) for model, gaps in by_model.items()}
    wins["difference"] = wins["candidate"] - wins["reference"]
    for subject, own in wins.items():
        row = found.loc["pll", "all", subject]
        error = 100 * statsmodels_error(own, writers, edits)
        null = 0.0 if subject == "difference" else 50.0
        expected = slow.limits(100 * own.mean(), slow.Spread(error**2, 8), null)
        for part, value in expected.items():
            assert row[part] == pytest.approx(value, rel=1e-8), part
        assert row["null_value"] == null
        assert row["unit"] == "cluster+cluster_2"
        assert (row["n_attributes"], row["n_frames"], row["flag"]) == (9, 120, "")


@pytest.mark.parametrize("seed", range(2))
def test_a_share_over_decided_pairs_leaves_ties_out_and_keeps_the_clusters(seed):
    """To within one part in the number of pairs, which is how an influence is found."""
    by_model, writers, edits = crows(200, seed, ties=True)
    gaps = by_model["reference"]
    decided = gaps != 0
    assert 0 < (~decided).sum() < 30
    own = (gaps[decided] > 0).astype(float)
    row = rows_of({"candidate": gaps}, writers=writers, edits=edits).loc["pll", "all", "candidate"]
    kept = [[one for one, k in zip(names, decided, strict=True) if k] for names in (writers, edits)]
    assert [len(set(names)) for names in kept] == [9, 14]
    assert row["estimate"] == pytest.approx(100 * own.mean())
    assert row["std_error"] == pytest.approx(100 * statsmodels_error(own, *kept), rel=1 / 200)
    assert row["df"] == 8


@pytest.mark.slow
def test_one_way_alone_would_be_too_sure():
    """So the tests before this one have something to find."""
    by_model, writers, edits = crows(120, 0, ties=False)
    errors = [
        rows_of(by_model, **places).loc["pll", "all", "candidate"]["std_error"]
        for places in ({"writers": writers, "edits": edits}, {"writers": writers}, {})
    ]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize(
    ("places", "unit", "clusters"),
    [
        (("writers", "edits"), "cluster+cluster_2", 9),
        (("writers",), "cluster", 9),
        ((), "unit", 120),
    ],
)
@pytest.mark.slow
def test_the_unit_says_what_is_resampled(places, unit, clusters):
    """And how many of the scarcer there are."""
    by_model, writers, edits = crows(120, 0, ties=False)
    own = {
        name: value for name, value in (("writers", writers), ("edits", edits)) if name in places
    }
    row = rows_of(by_model, **own).loc["pll", "all", "candidate"]
    assert (row["unit"], row["n_attributes"]) == (unit, clusters)


def test_a_pair_without_its_edited_words_is_a_cluster_of_its_own():
    """A label that one pair lacks does not undo the labels of all others."""
    by_model, writers, edits = crows(120, 0, ties=False)
    found = rows_of(by_model, writers=writers, edits=["", *edits[1:]])
    expected = rows_of(by_model, writers=writers, edits=["nobody else's", *edits[1:]])
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(("n_writers", "known"), [(1, False), (5, False), (6, True)])
def test_the_scarcer_of_two_ways_decides_whether_there_is_an_interval(n_writers, known):
    """Forty edited words do not make up for one writer."""
    rng = np.random.default_rng(5)
    gaps = rng.normal(0.3, 1, 80)
    writers = [f"w{i % n_writers}" for i in range(80)]
    edits = [f"e{one}" for one in rng.permutation(80) // 2]
    row = rows_of({"candidate": gaps}, writers=writers, edits=edits).loc["pll", "all", "candidate"]
    assert row["n_attributes"] == n_writers
    assert math.isnan(row["low"]) != known
    assert row["flag"] == ("" if known else "too_few_clusters")
    assert row["estimate"] == pytest.approx(100 * (gaps > 0).mean())


# --- Pairs as independent trials ------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["published", "corrected"])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_beside_the_clusters_stand_wilson_s_the_exact_interval_and_exact_tests(mode, seed):
    """As statsmodels has them; ties are among the published pairs and not among the corrected."""
    by_model, writers, edits = crows(90, seed, ties=True)
    classes = [("race", "age")[i % 3 == 0] for i in range(90)]
    found = rows_of(by_model, mode, writers=writers, edits=edits, classes=classes)
    for slice_ in ("all", "class=race", "class=age"):
        own = np.array([slice_ in {"all", f"class={c}"} for c in classes])
        gaps = {model: one[own] for model, one in by_model.items()}
        counted = {m: (g != 0) | (mode == "published") for m, g in gaps.items()}
        for model, one in gaps.items():
            k, n = int((one > 0).sum()), int(counted[model].sum())
            for name, method in (("pll_wilson", "wilson"), ("pll_exact", "beta")):
                row = found.loc[name, slice_, model]
                known = proportion_confint(k, n, method=method)
                assert row["estimate"] == pytest.approx(100 * k / n)
                assert [row["low"], row["high"]] == pytest.approx([100 * x for x in known])
                assert math.isnan(row["std_error"])
                assert row["unit"] == "unit"
            assert found.loc["pll_exact", slice_, model]["p"] == pytest.approx(
                stats.binomtest(k, n, 0.5).pvalue
            )
            assert found.loc["pll_exact", slice_, model]["null_value"] == 50
            assert math.isnan(found.loc["pll_wilson", slice_, model]["p"])
        both = counted["reference"] & counted["candidate"]
        first, second = (gaps[m][both] > 0 for m in ("reference", "candidate"))
        table = [
            [((first == a) & (second == b)).sum() for b in (True, False)] for a in (True, False)
        ]
        row = found.loc["pll_exact", slice_, "difference"]
        assert row["p"] == pytest.approx(min(1.0, mcnemar(table, exact=True).pvalue))
        assert row["estimate"] == pytest.approx(100 * (second.mean() - first.mean()))
        assert row["null_value"] == 0
        assert ("pll_wilson", slice_, "difference") not in found.index


def test_of_the_published_example_the_exact_numbers_are_those_of_the_method():
    """58 of 100 pairs with 6 ties: .516 to .709 by Wilson without them, p .0298; 58 % with."""
    gaps = [1.0] * 58 + [-1.0] * 36 + [0.0] * 6
    corrected, published = (rows_of({"candidate": gaps}, m) for m in ("corrected", "published"))
    wilson = corrected.loc["pll_wilson", "all", "candidate"]
    assert (wilson["low"], wilson["high"]) == pytest.approx((51.5996, 70.8858), abs=1e-4)
    assert corrected.loc["pll_exact", "all", "candidate"]["p"] == pytest.approx(0.029766, abs=1e-6)
    assert published.loc["pll_wilson", "all", "candidate"]["estimate"] == pytest.approx(58)
    exact = published.loc["pll_exact", "all", "candidate"]
    assert (exact["low"], exact["high"]) == pytest.approx((47.7119, 67.8014), abs=1e-4)
    assert exact["p"] == pytest.approx(0.133211, abs=1e-6)


def test_the_paired_test_sees_what_two_shares_apart_do_not():
    """34 pairs one way and 20 the other of 100: McNemar's exact p is .0759."""
    first = [1.0] * 66 + [-1.0] * 34
    second = [-1.0] * 20 + [1.0] * 46 + [1.0] * 34
    row = rows_of({"reference": first, "candidate": second}).loc["pll_exact", "all", "difference"]
    assert row["estimate"] == pytest.approx(14)
    assert row["p"] == pytest.approx(0.075905, abs=1e-6)


@pytest.mark.slow
def test_shares_of_trials_stand_in_a_record_with_a_method_of_their_own():
    """The cluster interval and the trials' are never compared with each other."""
    by_model, writers, edits = crows(60, 3, ties=True)
    items, _ = pairs_of([0.0] * 60, writers=writers, edits=edits)
    scores = pd.concat([pairs_of(own, model)[1] for model, own in by_model.items()])
    found = estimate(items, scores, [Design("one", "several", None, "lean", {})]).estimates
    tables.check("estimates", found)
    own = found[found["mode"] == "corrected"].groupby("estimator")["method"].agg(set)
    assert [len(own[name]) for name in SHARES] == [1, 1, 1]
    assert len(set.union(*(own[name] for name in SHARES))) == 3
    assert "unit:cluster+cluster_2" in next(iter(own["pll"]))
    assert "unit:unit" in next(iter(own["pll_exact"]))
    assert found["p_adjusted"].isna().all()
    # Nothing else of the kind has a score here.
    shares = {part.name for part in PAIRS} & {name.split("_wilson")[0] for name in own.index}
    assert shares == {"pll"}


def test_swapped_models_negate_a_difference_and_keep_its_tests():
    """Which of the two is called the reference is a matter of direction."""
    by_model, writers, edits = crows(90, 4, ties=True)
    turned = {"reference": by_model["candidate"], "candidate": by_model["reference"]}
    ours, theirs = (rows_of(one, writers=writers, edits=edits) for one in (by_model, turned))
    for name in ("pll", "pll_exact", "pll_ties"):
        one, other = (part.loc[name, "all", "difference"] for part in (ours, theirs))
        for part, other_part in (("estimate", "estimate"), ("low", "high"), ("high", "low")):
            assert one[part] == pytest.approx(-other[other_part], nan_ok=True)
        assert one["p"] == pytest.approx(other["p"], nan_ok=True)
        assert one["std_error"] == pytest.approx(other["std_error"], nan_ok=True)

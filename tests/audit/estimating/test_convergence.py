"""Other estimators and other sets may rank the same attributes; noise lowers no agreement."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.statistics import convergence as statistic
from maskaudit.audit.estimating.statistics.crossed.reliability import reliability
from tests.estimate_oracles import ONE_TERM, items_of, scores_of, tables_of
from tests.statistics_oracles import mean_squares

WORDS = {
    "first": [f"a{n:02}" for n in range(14)],
    "second": [f"b{n:02}" for n in range(14)],
}
SETS, ESTIMATORS = "convergence_sets", "convergence_estimators"


def cells(rng, leans, frames, noise=1.0):
    """Cells of attributes with these leans, in frames of their own."""
    shape = (len(leans), frames)
    return leans[:, None] + rng.standard_normal(frames) + noise * rng.standard_normal(shape)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_spearmans_correction_of_spearmans_rank_correlation(seed):
    """By scipy's rho and the reliabilities of the house; the interval by leaving out each row."""
    rng = np.random.default_rng(seed)
    leans = rng.standard_normal(15)
    first, second = cells(rng, leans, 8), cells(rng, leans + rng.standard_normal(15), 11)

    def corrected(a, b):
        rho = stats.spearmanr(a.mean(1), b.mean(1)).statistic
        both = [reliability(own).generalizability.estimate for own in (a, b)]
        return rho / np.sqrt(both[0] * both[1])

    found = statistic.convergence(first, second)
    without = [corrected(np.delete(first, i, 0), np.delete(second, i, 0)) for i in range(15)]
    error = np.sqrt(14**2 / 15 * np.var(without, ddof=1))
    assert found.estimate == pytest.approx(corrected(first, second))
    assert found.std_error == pytest.approx(error)
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, 14) * error)


def test_noise_that_two_measures_share_makes_them_no_more_alike():
    """In the same frames, of leans that have nothing in common; a plain correlation is fooled."""
    rng = np.random.default_rng(1)
    found, plain = [], []
    for _ in range(60):
        shared = 2 * rng.standard_normal((30, 10))
        first, second = (cells(rng, rng.standard_normal(30), 10, 0.3) + shared for _ in range(2))
        ways = statistic.halves((), 10)
        found.append(statistic.convergence(first, second, ways).estimate)
        plain.append(np.corrcoef(first.mean(1), second.mean(1))[0, 1])
    assert np.mean(plain) > 0.2
    assert np.nanmean(found) == pytest.approx(0, abs=0.12)


@pytest.mark.parametrize("seed", range(2))
def test_noise_is_that_of_frames_of_one_style(seed):
    """By analyses of variance of each style, pooled; a style of one frame leaves none."""
    rng = np.random.default_rng(seed)
    styles = ["talk"] * 4 + ["tale"] * 6 + ["note"] * 3
    leans = rng.standard_normal(15)
    own = rng.standard_normal((15, 3)).repeat([4, 6, 3], axis=1)
    both = [cells(rng, leans, 13) + own for _ in range(2)]

    def reliable(table):
        blocks = [table[:, [s == style for s in styles]] for style in ("talk", "tale", "note")]
        squares = [mean_squares(block)[2] * (block.shape[1] - 1) for block in blocks]
        return 1 - sum(squares) / 10 / mean_squares(table)[0]

    rho = stats.spearmanr(*(table.mean(1) for table in both)).statistic
    expected = rho / np.sqrt(reliable(both[0]) * reliable(both[1]))
    found = statistic.convergence(*both, styles=(styles, styles))
    assert found.estimate == pytest.approx(expected)
    plain = statistic.convergence(*both)
    assert abs(found.estimate) < abs(plain.estimate)
    alone = [*styles[:-1], "song"]
    found = statistic.convergence(*both, styles=(alone, alone))
    assert (found.estimate, found.std_error) == (plain.estimate, plain.std_error)


@pytest.mark.parametrize("same", [True, False])
def test_what_a_style_adds_to_both_measures_is_no_noise(same):
    """Two that rank alike but for noise are found to, however far apart styles are."""
    rng, styles = np.random.default_rng(2), ["talk", "tale", "note", "song"] * 4
    found, pooled = [], []
    for _ in range(60):
        leans, own = rng.standard_normal(30), 1.5 * rng.standard_normal((30, 4))
        both = [cells(rng, leans, 16) + np.tile(own, 4) for _ in range(2)]
        ways = statistic.halves(styles, 16) if same else None
        found.append(statistic.convergence(*both, ways, (styles, styles)).estimate)
        pooled.append(statistic.convergence(*both, ways).estimate)
    assert np.mean(found) == pytest.approx(1, abs=0.03)
    assert np.mean(pooled) > 1.05


def test_halves_are_every_second_frame_of_each_style():
    """Of an odd number of frames one half has one more; both are held both ways."""
    first, second = statistic.halves(("talk", "tale") * 5, 10)[0]
    assert sorted([*first, *second]) == list(range(10))
    assert [sum(place % 2 for place in half) for half in (first, second)] in ([2, 3], [3, 2])
    assert abs(len(first) - len(second)) <= 1
    again = statistic.halves((), 7)
    assert [list(part) for part in again[0]] == [list(part) for part in again[1][::-1]]


def test_equal_values_share_a_rank():
    """As scipy has it, also among those that are left."""
    values = np.array([3.0, 1.0, 3.0, 2.0, 1.0, 5.0])
    found = statistic._ranks(values)
    assert found[0].tolist() == stats.rankdata(values).tolist()
    for left_out in range(6):
        own = np.delete(found[1 + left_out], left_out)
        assert own.tolist() == stats.rankdata(np.delete(values, left_out)).tolist()


# --- In a record ----------------------------------------------------------------------------------


def two_sets(*, other=WORDS, frames=9, priors=False, axes=("gender", "gender"), groups=ONE_TERM):
    """Items and scores of two sets, of which the other has these words, and their designs."""
    shape = {"n_variants": 1, "controls": ()}
    both = [
        items_of(ONE_TERM, WORDS, n_frames=9, priors=priors, name="one", **shape),
        items_of(groups, other, n_frames=frames, priors=False, name="other", **shape),
    ]
    items = pd.concat(both, ignore_index=True)
    designs = [
        Design(name, axis, ("first", "second"), "lean", {"probe_set": name, "items": name})
        for name, axis in zip(("one", "other"), axes, strict=True)
    ]
    scores = scores_of(items)
    # Leans of the words that both sets and models share, clear beside the noise.
    rng = np.random.default_rng(7)
    leans = {word: rng.normal(0, 2) for word in sorted(items["attribute"].unique())}
    probes = items[(items["group"] == items["group"].iloc[0]) & (items["role"] == "probe")]
    leaning = probes.set_index("item")["attribute"]
    scores["value"] += scores["item"].map(leaning.map(leans)).fillna(0)
    return items, scores, designs


def found_in(items, scores, designs, name):
    """The rows of a number that is made when it is asked for."""
    made = estimate(items, scores, designs, wanted=lambda wanted: wanted == name).estimates
    return made[made["estimator"] == name].set_index(["probe_set", "subject"])


@pytest.mark.slow
def test_two_sets_are_held_against_each_other_by_the_attributes_that_both_have():
    """The same number from both sides, that of their own tables; models alone have it."""
    few = {"first": WORDS["first"][:11], "second": [*WORDS["second"][:11], "elsewhere"]}
    items, scores, designs = two_sets(other=few, frames=7)
    found = found_in(items, scores, designs, SETS)
    assert sorted(found.index) == [
        (name, model) for name in ("one", "other") for model in ("candidate", "reference")
    ]
    shared = [word for words in few.values() for word in words if word != "elsewhere"]
    tables = [
        tables_of(items[items["probe_set"] == name], scores, shared) for name in ("one", "other")
    ]
    for model in ("candidate", "reference"):
        expected = statistic.convergence(*(own[model] for own in tables))
        for name, other in (("one", "other"), ("other", "one")):
            row = found.loc[name, model]
            assert row["slice"] == f"set={other}"
            assert (row["n_attributes"], row["n_frames"], row["flag"]) == (22, 7, "")
            assert row["estimate"] == pytest.approx(expected.estimate)
            assert row["high"] == pytest.approx(expected.high)


@pytest.mark.slow
def test_few_shared_attributes_have_no_interval_and_fewer_no_number():
    """Ten have a value alone, three have none, and with none there is no row."""
    by_size = {}
    for n in (5, 1):
        part = {name: [*words[:n], f"{name}-else"] for name, words in WORDS.items()}
        by_size[n] = found_in(*two_sets(other=part), SETS).loc["one", "candidate"]
    assert (by_size[5]["flag"], by_size[1]["flag"]) == ("too_few_attributes",) * 2
    assert np.isfinite(by_size[5]["estimate"])
    assert np.isnan([by_size[5]["low"], by_size[1]["estimate"]]).all()
    none = {name: [f"{name}-{n}" for n in range(8)] for name in WORDS}
    assert found_in(*two_sets(other=none), SETS).empty


@pytest.mark.slow
def test_sets_of_other_axes_or_groups_are_not_compared():
    """The same words may lean otherwise between other groups."""
    assert found_in(*two_sets(axes=("gender", "age")), SETS).empty
    others = {"old": ["he"], "young": ["she"]}
    assert found_in(*two_sets(groups=others), SETS).empty


@pytest.mark.slow
def test_attributes_that_are_not_shown_to_differ_rank_nothing():
    """Of noise alone the reliability may be 0, and dividing by it gives any number."""
    items, scores, designs = two_sets()
    rng = np.random.default_rng(0)
    is_other = scores["item"].str.startswith("other/")
    noise = pd.Series(rng.normal(-3, 1, len(scores)), index=scores.index)
    scores["value"] = scores["value"].where(~is_other, noise)
    row = found_in(items, scores, designs, SETS).loc["one", "candidate"]
    assert (row["flag"], np.isnan(row["estimate"])) == ("not_estimable", True)


@pytest.mark.slow
def test_another_estimator_of_the_set_is_held_against_the_log_odds_in_other_frames():
    """Beyond a prior that all attributes share in a frame the ranks are those of the log-odds."""
    items, scores, designs = two_sets(priors=True)
    one = items["probe_set"] == "one"
    found = found_in(items[one], scores, designs[:1], ESTIMATORS)
    assert found["slice"].tolist() == ["estimator=lpbs"] * 2
    # A prior that is the same for all attributes of a frame.
    rows = items[one].merge(scores, on="item")
    is_prior = scores["item"].isin(rows.loc[rows["role"] == "prior", "item"])
    level = scores.copy()
    level.loc[is_prior, "value"] = -2.0
    flat = found_in(items[one], level, designs[:1], ESTIMATORS)
    table = tables_of(items[one], scores, [*WORDS["first"], *WORDS["second"]])
    for model in ("reference", "candidate"):
        own = table[model]
        expected = statistic.convergence(own, own, statistic.halves((), own.shape[1]))
        assert flat.loc["one", model]["estimate"] == pytest.approx(expected.estimate)


@pytest.mark.slow
def test_no_record_keeps_them():
    """They follow from the scores, and the page and `robustness` make them."""
    made = estimate(*two_sets()).estimates
    assert not made["estimator"].isin([SETS, ESTIMATORS]).any()


@pytest.mark.slow
def test_groups_that_two_sets_share_are_compared_in_whatever_order_and_beside_others():
    """A third group is left alone, and each set names the pair in its own order."""
    three = {"men": ["he"], "they": ["they"], "women": ["she"]}
    found = found_in(*two_sets(groups=three), SETS)
    assert found.loc[("one", "candidate"), "slice"] == "set=other"
    assert found.loc[("other", "candidate"), "slice"] == "men/women: set=one"
    assert found["estimate"].nunique() == 2
    assert (found["estimate"] > 0.5).all()

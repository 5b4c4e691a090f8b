"""Other estimators and other sets may have the same attributes; noise lowers no agreement."""

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


def component(a, b, blocks):
    """The covariance between attributes beyond that of frames of one block, by variances.

    cov(a, b) = (var(a + b) - var(a - b))/4, each variance from a two-way analysis of loops.
    """

    def beyond(table):
        parts = [table[:, block] for block in blocks]
        df = sum(part.shape[1] - 1 for part in parts)
        noise = sum(mean_squares(part)[2] * (part.shape[1] - 1) for part in parts) / df
        return (mean_squares(table)[0] - noise) / table.shape[1]

    return (beyond(a + b) - beyond(a - b)) / 4


def corrected(first, second, *, blocks=None, same_frames=False):
    """Pearson's correlation by numpy, over the variances beyond noise."""
    places = [blocks or [range(own.shape[1])] for own in (first, second)]
    own, other = (component(a, a, b) for a, b in zip((first, second), places, strict=True))
    shared = np.cov(first.mean(1), second.mean(1))[0, 1]
    if same_frames:
        shared = component(first, second, places[0])
    return shared / np.sqrt(own * other)


@pytest.mark.parametrize("same_frames", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_spearmans_correction_of_pearsons_correlation(seed, same_frames):
    """By analyses of variance; the interval by leaving out each row, on Fisher's scale."""
    rng = np.random.default_rng(seed)
    leans = 2 * rng.standard_normal(15)
    first = cells(rng, leans, 8)
    second = cells(rng, leans + rng.standard_normal(15), 8 if same_frames else 11)
    found = statistic.convergence(first, second, same_frames=same_frames)
    expected = corrected(first, second, same_frames=same_frames)
    without = [
        corrected(np.delete(first, i, 0), np.delete(second, i, 0), same_frames=same_frames)
        for i in range(15)
    ]
    error = np.sqrt(14**2 / 15 * np.var(without, ddof=1))
    df = min(14, 30 / (stats.kurtosis(without, fisher=False) - 1) - 1)
    assert found.estimate == pytest.approx(expected)
    assert found.std_error == pytest.approx(error)
    assert found.df == pytest.approx(df)
    # The share of the averages' standard deviations that is no noise, which a limit is free of.
    observed = [np.std(own.mean(1), ddof=1) for own in (first, second)]
    blocks = [[range(own.shape[1])] for own in (first, second)]
    true = [np.sqrt(component(a, a, b)) for a, b in zip((first, second), blocks, strict=True)]
    share = np.prod(true) / np.prod(observed)
    # On this scale the limits are as far from the estimate, by the derivative of arctanh.
    distance = stats.t.ppf(0.975, df) * error * share / (1 - (share * expected) ** 2)
    for limit, sign in ((found.low, -1), (found.high, 1)):
        reached = np.arctanh(share * expected) + sign * distance
        assert np.arctanh(share * limit) == pytest.approx(reached)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.standard_normal(40) ** 3,
        lambda rng: np.exp(rng.standard_normal(40)),
        lambda rng: np.repeat([-1.0, 1.0], 20) + 0.1 * rng.standard_normal(40),
        lambda rng: np.repeat([0.0, 3.0], [32, 8]) + 0.1 * rng.standard_normal(40),
    ],
    ids=["cubes", "lognormal", "two classes", "a fifth far"],
)
def test_measures_that_lean_alike_are_found_to_whatever_the_leans(draw):
    """Only noise is between them, so the truth is 1; ranks over variances would say .6 to .95."""
    rng = np.random.default_rng(5)
    found, by_ranks = [], []
    for _ in range(60):
        leans = draw(rng)
        first, second = cells(rng, leans, 14), cells(rng, leans, 14)
        found.append(statistic.convergence(first, second).estimate)
        rho = stats.spearmanr(first.mean(1), second.mean(1)).statistic
        both = [reliability(own).generalizability.estimate for own in (first, second)]
        by_ranks.append(rho / np.sqrt(np.prod(both)))
    assert np.mean(found) == pytest.approx(1, abs=0.02)
    assert np.mean(by_ranks) < 0.95


def test_noise_that_two_measures_share_makes_them_no_more_alike():
    """In the same frames, of leans that have nothing in common; a plain correlation is fooled."""
    rng = np.random.default_rng(1)
    found, plain = [], []
    for _ in range(60):
        shared = 2 * rng.standard_normal((30, 10))
        first, second = (cells(rng, rng.standard_normal(30), 10, 0.3) + shared for _ in range(2))
        found.append(statistic.convergence(first, second, same_frames=True).estimate)
        plain.append(np.corrcoef(first.mean(1), second.mean(1))[0, 1])
    assert np.mean(plain) > 0.2
    assert np.nanmean(found) == pytest.approx(0, abs=0.12)


@pytest.mark.parametrize("factor", [1.0, -2.5])
def test_a_measure_leans_as_itself(factor):
    """However far: 1, or -1 where it is turned about, and no other value is in the interval."""
    own = cells(np.random.default_rng(3), np.linspace(-1, 1, 20), 9)
    found = statistic.convergence(own, factor * own, same_frames=True)
    for number in (found.estimate, found.low, found.high):
        assert number == pytest.approx(np.sign(factor))


def test_a_measure_of_nothing_has_no_number():
    """Where attributes differ by less than their noise; and no limits where one keeps it above."""
    rng = np.random.default_rng(2)
    leaning = cells(rng, rng.standard_normal(20), 9)
    # Rows that sum to 0 over frames: the averages are alike, so that all is noise.
    noise = rng.standard_normal((20, 9))
    noise -= noise.mean(1, keepdims=True)
    assert np.isnan(statistic.convergence(leaning, noise).estimate)
    noise[0] += 4
    found = statistic.convergence(leaning, noise)
    assert np.isfinite(found.estimate)
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("same_frames", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_noise_is_that_of_frames_of_one_style(seed, same_frames):
    """By analyses of variance of each style, pooled; a style of one frame leaves none."""
    rng = np.random.default_rng(seed)
    styles = ["talk"] * 4 + ["tale"] * 6 + ["note"] * 3
    leans = rng.standard_normal(15)
    own = rng.standard_normal((15, 3)).repeat([4, 6, 3], axis=1)
    both = [cells(rng, leans, 13) + own for _ in range(2)]
    blocks = [[n for n, s in enumerate(styles) if s == style] for style in ("talk", "tale", "note")]
    expected = corrected(*both, blocks=blocks, same_frames=same_frames)
    found = statistic.convergence(*both, (styles, styles), same_frames=same_frames)
    assert found.estimate == pytest.approx(expected)
    plain = statistic.convergence(*both, same_frames=same_frames)
    assert found.estimate != pytest.approx(plain.estimate)
    alone = [*styles[:-1], "song"]
    found = statistic.convergence(*both, (alone, alone), same_frames=same_frames)
    assert (found.estimate, found.std_error) == (plain.estimate, plain.std_error)


@pytest.mark.parametrize("same", [True, False])
def test_what_a_style_adds_to_both_measures_is_no_noise(same):
    """Two that lean alike but for noise are found to, however far apart styles are."""
    rng, styles = np.random.default_rng(2), ["talk", "tale", "note", "song"] * 4
    found = []
    for _ in range(60):
        leans, own = rng.standard_normal(30), 1.5 * rng.standard_normal((30, 4))
        both = [cells(rng, leans, 16) + np.tile(own, 4) for _ in range(2)]
        number = statistic.convergence(*both, (styles, styles), same_frames=same)
        found.append(number.estimate)
    assert np.mean(found) == pytest.approx(1, abs=0.03)


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
def test_attributes_that_are_not_shown_to_differ_agree_in_nothing():
    """Of noise alone the variance may be 0, and dividing by it gives any number."""
    items, scores, designs = two_sets()
    rng = np.random.default_rng(0)
    is_other = scores["item"].str.startswith("other/")
    noise = pd.Series(rng.normal(-3, 1, len(scores)), index=scores.index)
    scores["value"] = scores["value"].where(~is_other, noise)
    row = found_in(items, scores, designs, SETS).loc["one", "candidate"]
    assert (row["flag"], np.isnan(row["estimate"])) == ("not_estimable", True)


@pytest.mark.slow
def test_another_estimator_of_the_set_is_held_against_the_log_odds_in_the_same_frames():
    """Beyond a prior that all attributes share in a frame the leans are those of the log-odds."""
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
    for model in ("reference", "candidate"):
        row = flat.loc["one", model]
        assert [row[name] for name in ("estimate", "low", "high")] == pytest.approx([1, 1, 1])


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

"""A student against its teacher: every number by loops, by statsmodels and by pingouin."""

import math
from collections import Counter

import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from maskaudit.audit.estimating.crossed.cells import Matrix
from maskaudit.audit.estimating.crossed.teacher_student import fidelities, relation
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables
from tests import statistics_oracles as slow
from tests.estimate_oracles import (
    MANY,
    ONE_TERM,
    PAIR,
    assert_is,
    assert_no_interval,
    design,
    everyone,
    items_of,
    paired_of,
    row_of,
    rows_of,
    scores_of,
    tables_of,
)

RATIOS = ("slope", "log_kappa", "disattenuated_r", "log_magnitude_ratio")
WORDS = everyone(MANY)


def found_of(  # noqa: PLR0913 - one number each
    *, n_frames=12, seed=0, inherits=1.3, noise=0.5, items=None, margin=0.0
):
    """Return the estimates of a pair, and the cells of the teacher and of the student."""
    if items is None:
        items = items_of(ONE_TERM, MANY, n_frames=n_frames, n_variants=1, priors=False)
    scores = scores_of(items, seed=seed, inherits=inherits, noise=noise)
    words = list(dict.fromkeys(items.loc[items["role"] == "probe", "attribute"]))
    cells = tables_of(items, scores, words)
    found = estimate(items, scores, [design(attribute_margin=margin)])
    return found, *(cells[model] for model in PAIR)


# --- Slope, amplification, correlation ------------------------------------------------------------


@pytest.mark.parametrize(("n_frames", "reading"), [(10, "exploratory"), (20, "exploratory")])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_slope_kappa_and_r_are_ratios_of_means_over_pairs_of_frames(n_frames, reading, seed):
    """With the interval of their influence values, cell by cell; 24 attributes are exploratory."""
    found, teacher, student = found_of(n_frames=n_frames, seed=seed)
    tt, ts, ss = (
        slow.association(*pair)
        for pair in ((teacher, teacher), (teacher, student), (student, student))
    )
    h_tt, h_ts, h_ss = (
        slow.association_influence(*pair)
        for pair in ((teacher, teacher), (teacher, student), (student, student))
    )
    m_t, m_s = (slow.magnitude(cells) for cells in (teacher, student))
    hm_t, hm_s = (slow.magnitude_influence(cells) for cells in (teacher, student))
    beta, log_kappa, ratio = ts / tt, math.log(ss / tt) / 2, math.log(m_s / m_t) / 2
    expected = {
        "slope": (beta, beta + (h_ts - beta * h_tt) / tt, 1.0),
        "log_kappa": (log_kappa, log_kappa + (h_ss / ss - h_tt / tt) / 2, 0.0),
        "log_magnitude_ratio": (ratio, ratio + (hm_s / m_s - hm_t / m_t) / 2, 0.0),
    }
    for name, (value, influence, null) in expected.items():
        row = row_of(found, "relation", "all", name)
        assert_is(row, slow.limits(value, slow.influence_spread(influence), null), null=null)
        assert (row["flag"], row["scope"], row["n_attributes"]) == (reading, "S2", 24)
        assert (row["n_frames"], row["mode"]) == (n_frames, "corrected")
        assert math.isnan(row["p_adjusted"])
    r = ts / math.sqrt(tt * ss)
    influence = r * (1 + h_ts / ts - h_tt / tt / 2 - h_ss / ss / 2)
    row = row_of(found, "relation", "all", "disattenuated_r")
    assert_is(row, slow.limits(r, slow.influence_spread(influence), math.nan))
    assert row["flag"] == reading


@pytest.mark.parametrize("kappa", [0.5, 2.0])
@pytest.mark.slow
def test_a_student_whose_leans_are_so_many_times_as_large_is_found_to_be_so(kappa):
    """Its noise is as small as the teacher's; r is 1 and no attribute is turned round."""
    found, teacher, student = found_of(inherits=kappa, noise=0.05)
    assert row_of(found, "relation", "all", "slope")["estimate"] == pytest.approx(kappa, rel=0.02)
    row = row_of(found, "relation", "all", "log_kappa")
    assert row["estimate"] == pytest.approx(math.log(kappa), abs=0.02)
    spread = math.log(student.mean(1).std() / teacher.mean(1).std())
    assert row["estimate"] == pytest.approx(spread, abs=0.01)
    assert row_of(found, "relation", "all", "disattenuated_r")["estimate"] == pytest.approx(
        1, abs=0.01
    )
    classes = Counter(row["outcome"] for row in rows_of(found, "relation", "inheritance"))
    assert classes["amplified" if kappa > 1 else "attenuated"] >= 20
    assert row_of(found, "relation", "all", "flips")["estimate"] == 0


@pytest.mark.parametrize(("n_frames", "reading"), [(5, "too_few_frames"), (9, "too_few_frames")])
@pytest.mark.slow
def test_a_slope_takes_ten_frames(n_frames, reading):
    """With fewer there is no number, and the row says why."""
    found, _, _ = found_of(n_frames=n_frames)
    for name in RATIOS:
        row = row_of(found, "relation", "all", name)
        assert math.isnan(row["estimate"])
        assert_no_interval(row, reading)
    # What became of an attribute takes six.
    assert bool(rows_of(found, "relation", "inheritance")) == (n_frames >= 6)


@pytest.mark.parametrize("which", range(2))
def test_without_a_signal_there_is_nothing_to_divide_by(which):
    """A teacher that leans nowhere has no heirs; a student that leans nowhere has a slope."""
    rng = np.random.default_rng(3)
    lean = rng.normal(0, 1, (24, 1))
    sides = [lean + rng.normal(0, 0.3, (24, 12)), rng.normal(0, 1.0, (24, 12))]
    one, other = sides if which else sides[::-1]
    rows = {row.estimator: row for row in relation(*(matrix_of(cells) for cells in (one, other)))}
    for name in RATIOS:
        row = rows[name]
        if which and name == "slope":
            assert row.flag == "exploratory"
            assert row.interval.estimate == pytest.approx(
                slow.association(one, other) / slow.association(one, one)
            )
        else:
            assert math.isnan(row.interval.estimate)
            assert row.flag == "not_estimable"


def test_with_fewer_than_six_attributes_every_ratio_is_refused():
    """A rank of five words is no pattern; each number says why it is unknown."""
    few = {"first": ["a1", "a2", "a3"], "second": ["b1", "b2"]}
    items = items_of(ONE_TERM, few, n_frames=12, n_variants=1, priors=False)
    found, _, _ = found_of(items=items)
    own = found.estimates[found.estimates["subject"] == "relation"]
    ratios = {"slope", "log_kappa", "disattenuated_r", "log_magnitude_ratio"}
    assert set(own["estimator"]) == ratios
    assert own["estimate"].isna().all()
    assert set(own["flag"]) == {"too_few_attributes"}


def matrix_of(cells, names=None):
    """Return cells as a matrix of one class."""
    names = names or [f"a{i:02}" for i in range(len(cells))]
    return Matrix(cells, names, ["x"] * len(cells), [f"f{j}" for j in range(cells.shape[1])])


# --- What became of each attribute ----------------------------------------------------------------


MARGIN = 0.5


def slow_tests(cells):
    """Return sign, p against 0, and p of two one-sided tests of each attribute, by statsmodels."""
    return [
        (
            np.sign(row.mean()),
            stats.ttest_1samp(row, 0).pvalue,
            DescrStatsW(row).ttost_mean(-MARGIN, MARGIN)[0],
        )
        for row in cells
    ]


def slow_fates(teacher, student):
    """Return the class of each attribute by the words of the method, set by set of attributes."""
    one, other = (cells - cells.mean(0) for cells in (teacher, student))
    t, s, c = (slow_tests(cells) for cells in (one, other, other - one))
    n = len(t)

    def shown(*leans, level=0.05):
        worst = [max(own[i][1] for own in leans) for i in range(n)]
        return {i for i, p in enumerate(multipletests(worst, method="fdr_bh")[1]) if p < level}

    def inside(leans):
        p = [own[2] for own in leans]
        beyond = min(1, 2 * (1 + sum(one > 0.5 for one in p)) / n)
        adjusted = beyond * multipletests(p, method="fdr_bh")[1]
        return {i for i in range(n) if p[i] <= 0.05 and adjusted[i] < 0.025}

    def alike(a, b, sign=1):
        return {i for i in range(n) if a[i][0] == sign * b[i][0]}

    words = {
        "flipped": shown(t, s, level=0.025) & alike(t, s, -1),
        "amplified": shown(t, s, c) & alike(t, s) & alike(c, s),
        "attenuated": shown(t, s, c) & alike(t, s) & alike(c, t, -1),
        "lost": shown(t, c) & alike(c, t, -1) & inside(s),
        "new": shown(s, c) & alike(c, s) & inside(t),
        "inherited": shown(t, s) & alike(t, s) & inside(c),
    }
    return [next((w for w, those in words.items() if i in those), "undecided") for i in range(n)]


@pytest.mark.parametrize("inherits", [1.0, 1.6, 0.5])
@pytest.mark.slow
def test_the_class_of_an_attribute_follows_from_what_is_shown_of_it(inherits):
    """Its number is the change of its lean, with the interval over frames alone."""
    found, teacher, student = found_of(inherits=inherits, noise=0.4, margin=MARGIN)
    expected = slow_fates(teacher, student)
    assert len(set(expected)) > 1
    rows = {row["slice"]: row for row in rows_of(found, "relation", "inheritance")}
    assert len(rows) == 24
    change = (student - student.mean(0)) - (teacher - teacher.mean(0))
    for name, class_, own in zip(WORDS, expected, change, strict=True):
        row = rows[f"attribute={name}"]
        known = stats.ttest_1samp(own, 0)
        assert row["outcome"] == class_
        assert row["estimate"] == pytest.approx(own.mean())
        assert (row["low"], row["high"]) == pytest.approx(tuple(known.confidence_interval()))
        assert row["p"] == pytest.approx(known.pvalue)
        assert (row["scope"], row["n_attributes"], row["null_value"]) == ("S1", 1, 0)
        assert math.isnan(row["p_adjusted"])


def test_the_margin_is_in_the_method_key_of_what_depends_on_it_alone():
    """Classes by two margins are not compared; all else is."""
    with_margin, without = (found_of(margin=margin)[0].estimates for margin in (0.5, 0.0))
    differing = with_margin["method"] != without["method"]
    assert set(with_margin.loc[differing, "estimator"]) == {"inheritance"}
    assert with_margin.loc[differing, "method"].str.endswith("|margin:0.5").all()
    numbers = with_margin.columns.difference(["method", "outcome"])
    pd.testing.assert_frame_equal(with_margin[numbers], without[numbers])


# Leans of teacher and student, in units of a noise that twelve frames make small.
FATES = {
    "inherited": (2.0, 2.0),
    "amplified": (2.0, 4.0),
    "attenuated": (4.0, 2.0),
    "lost": (-3.0, 0.0),
    "new": (0.0, -3.0),
    "flipped": (2.0, -2.0),
    "undecided": (0.0, 0.0),
}


@settings(max_examples=20)
@given(st.lists(st.sampled_from(list(FATES)), min_size=3, max_size=8), st.integers(0, 99))
def test_leans_that_are_planted_are_classed_as_they_were_planted(fates, seed):
    """Each with its mirror, so that the average attribute leans nowhere; counted once as flips."""
    rng = np.random.default_rng(seed)
    planted = np.array([FATES[name] for name in fates])
    planted = np.concatenate([planted, -planted])
    sides = []
    for k in range(2):
        # Noise whose mean over frames is exactly 0: the lean is then exactly the planted one.
        noise = rng.normal(0, 0.1, (len(planted), 12))
        cells = planted[:, k][:, None] + noise - noise.mean(1, keepdims=True)
        sides.append(cells + rng.normal(0, 1, 12))
    rows = list(relation(*map(matrix_of, sides), MARGIN))
    found = [row.outcome for row in rows if row.estimator == "inheritance"]
    assert found == slow_fates(*sides)
    assert found == [*fates, *fates]
    [flips] = [row for row in rows if row.estimator == "flips"]
    assert flips.interval.estimate == pytest.approx(fates.count("flipped") / len(fates))


def test_sign_changes_are_counted_and_held_against_what_noise_alone_would_give():
    """The naive share; and arccos(rho)/pi, by pingouin's reliabilities and the shared noise."""
    found, teacher, student = found_of(inherits=0.4, noise=1.0)
    ours, theirs = (cells - cells.mean(0) for cells in (teacher, student))
    changed = sum((a.mean() > 0) != (b.mean() > 0) for a, b in zip(ours, theirs, strict=True))
    assert changed > 0
    row = row_of(found, "relation", "all", "sign_changes")
    assert row["estimate"] == pytest.approx(changed / 24)
    assert row["scope"] == "S0"
    g = []
    for cells in (teacher, student):
        table = pingouin.intraclass_corr(slow.long(cells), "attribute", "frame", "y")
        g.append(table.set_index("Type").loc["ICC(C,k)", "ICC"])
    row = row_of(found, "relation", "all", "expected_sign_changes")
    left = [c - c.mean(0) - (c.mean(1, keepdims=True) - c.mean()) for c in (teacher, student)]
    products = sum(a * b for a, b in zip(*map(np.ravel, left), strict=True))
    between = [c.shape[1] * c.mean(1).var(ddof=1) for c in (teacher, student)]
    freedom = (teacher.shape[0] - 1) * (teacher.shape[1] - 1)
    rho = math.sqrt(g[0] * g[1]) + products / freedom / math.sqrt(between[0] * between[1])
    assert row["estimate"] == pytest.approx(math.acos(rho) / math.pi)
    row = row_of(found, "relation", "all", "flips")
    classes = slow_fates(teacher, student)
    assert row["estimate"] == pytest.approx(classes.count("flipped") / 24)
    for name in ("flips", "sign_changes", "expected_sign_changes"):
        row = row_of(found, "relation", "all", name)
        assert math.isnan(row["low"])
        assert row["n_attributes"] == 24


def test_attributes_that_lack_a_cell_are_in_none_of_it():
    """All of these hold attributes against each other in the same frames."""
    items = items_of(ONE_TERM, MANY, n_frames=12, n_variants=1, priors=False)
    lost = {"one/3/0/a00>she", "one/5/0/b07>he"}
    scores = scores_of(items, inherits=1.3, missing=lambda m, i: m == PAIR[0] and i in lost)
    found = estimate(items, scores, [design()]).estimates
    without = items[~items["attribute"].isin(["a00", "b07"])].reset_index(drop=True)
    expected = estimate(without, scores, [design()]).estimates
    ours, theirs = (
        table[table["subject"] == "relation"].reset_index(drop=True) for table in (found, expected)
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12)


# --- Fidelity -------------------------------------------------------------------------------------


def slow_kl(items, paired, role):
    """Return the mean KL of each frame over the contexts of one role, by loops."""
    kl = {r["context"]: r["value"] for r in paired.to_dict("records") if r["measure"] == "kl"}
    seen, by_frame = set(), {}
    for row in items.to_dict("records"):
        if row["role"] == role and row["context"] not in seen:
            seen.add(row["context"])
            by_frame.setdefault(row["frame"], []).append(kl[row["context"]])
    return {frame: math.fsum(own) / len(own) for frame, own in by_frame.items()}


@pytest.mark.parametrize("neutral", ["control", "prior_neutral"])
@pytest.mark.slow
def test_fidelity_is_the_mean_over_frames_of_a_difference_of_mean_kls(neutral):
    """Sentences with the set's attributes less neutral ones: controls, else a neutral word."""
    controls = ("c1", "c2") if neutral == "control" else ()
    items = items_of(ONE_TERM, controls=controls, neutral=True)
    paired = paired_of(items)
    found = estimate(items, scores_of(items), [design()], paired=paired)
    ours, theirs = (slow_kl(items, paired, role) for role in ("probe", neutral))
    differences = [ours[frame] - theirs[frame] for frame in ours]
    known = stats.ttest_1samp(differences, 0)
    row = row_of(found, "relation", "all", "fidelity")
    assert row["estimate"] == pytest.approx(math.fsum(differences) / 8)
    assert row["p"] == pytest.approx(known.pvalue)
    assert (row["low"], row["high"]) == pytest.approx(tuple(known.confidence_interval()))
    assert (row["scope"], row["n_frames"], row["null_value"]) == ("S1", 8, 0)
    assert math.isnan(row["p_adjusted"])


@pytest.mark.slow
def test_adjusted_fidelity_is_statsmodels_least_squares_with_frames_and_entropy():
    """Clusters are frames; the entropy is the reference's."""
    items = items_of(ONE_TERM)
    paired = paired_of(items)
    found = estimate(items, scores_of(items), [design()], paired=paired)
    rows = items[items["role"].isin(["probe", "control"])].drop_duplicates("context")
    for name, model in (("kl", "reference"), ("entropy", "reference")):
        own = paired[(paired["measure"] == name) & (paired["model"] == model)]
        rows = rows.assign(**{name: rows["context"].map(own.set_index("context")["value"])})
    rows = rows.assign(probe=(rows["role"] == "probe").astype(float))
    codes = rows["frame"].astype("category").cat.codes.to_numpy()
    fit = smf.ols("kl ~ probe + entropy + C(frame)", rows).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": True}, use_t=True
    )
    # Its G/(G - 1) is ours; its (n - 1)/(n - k), for the dummies, is not.
    n, k = len(rows), len(fit.params)
    error = fit.bse["probe"] / math.sqrt((n - 1) / (n - k))
    expected = slow.limits(fit.params["probe"], slow.Spread(error**2, 7), 0.0)
    assert_is(row_of(found, "relation", "all", "fidelity_adjusted"), expected, null=0)


@pytest.mark.slow
def test_without_entropies_or_neutral_sentences_fidelity_says_less_or_nothing():
    """As in a record of the first format, in a set with neither, and for one model alone."""
    items = items_of(ONE_TERM)
    scores = scores_of(items)
    names = {"fidelity", "fidelity_adjusted"}

    def told(items_, scores_, paired):
        found = estimate(items_, scores_, [design()], paired=paired).estimates
        return names & set(found["estimator"])

    assert told(items, scores, paired_of(items)) == names
    assert told(items, scores, paired_of(items, entropies=False)) == {"fidelity"}
    plain = items[items["role"].isin(["probe", "prior"])].reset_index(drop=True)
    assert told(plain, scores, paired_of(items)) == set()
    alone = scores[scores["model"] == "candidate"]
    assert told(items, alone, tables.table("paired", [])) == set()
    few = items_of(ONE_TERM, n_frames=5)
    assert told(few, scores_of(few), paired_of(few)) == set()


def test_a_neutral_word_in_the_very_same_sentence_is_no_neutral_sentence():
    """With the attribute at the mask it is one more word for one slot: the same KL."""
    items = items_of(ONE_TERM, at_mask=False)
    found = estimate(items, scores_of(items), [design()], paired=paired_of(items)).estimates
    assert not found["estimator"].str.startswith("fidelity").any()


def test_fidelity_gives_the_published_example():
    """KL of five frames, twice: D .076, t 3.868, p .018; and one frame more for six."""
    demographic, neutral = (0.31, 0.27, 0.44, 0.36, 0.29), (0.22, 0.24, 0.30, 0.28, 0.25)
    rows, kls = [], []
    for frame, values in enumerate(zip((*demographic, 0.334), (*neutral, 0.258), strict=True)):
        for role, value in zip(("probe", "control"), values, strict=True):
            place = f"{role}{frame}"
            rows.append({"frame": f"f{frame}", "role": role, "context": place, "attribute": role})
            kls.append({"context": place, "model": "reference", "other_model": "candidate",
                        "measure": "kl", "value": value})  # fmt: skip
    items, paired = tables.table("items", rows), tables.table("paired", kls)
    [found] = fidelities(items, paired)
    differences = np.subtract((*demographic, 0.334), (*neutral, 0.258))
    assert found.interval.estimate == pytest.approx(0.076)
    assert found.interval.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    # With five frames alone nothing is said, though the arithmetic would give p .018.
    known = stats.ttest_1samp(differences[:5], 0)
    assert (known.statistic, known.pvalue) == pytest.approx((3.868298, 0.018020), abs=1e-5)
    assert not list(fidelities(items[items["frame"] != "f5"], paired))


@pytest.mark.slow
def test_a_frame_without_one_kind_of_sentence_counts_in_neither():
    """Only where both are read is anything compared."""
    items = items_of(ONE_TERM)
    paired = paired_of(items)
    lost = items[(items["frame"] == "f03") & (items["role"] == "control")]["context"]
    some = paired[~paired["context"].isin(lost)]
    scores = scores_of(items)
    kept = items[items["frame"] != "f03"]
    for name in ("fidelity", "fidelity_adjusted"):
        ours = row_of(estimate(items, scores, [design()], paired=some), "relation", "all", name)
        theirs = row_of(estimate(kept, scores, [design()], paired=paired), "relation", "all", name)
        for part in ("estimate", "low", "high", "std_error", "p", "n_frames"):
            assert ours[part] == pytest.approx(theirs[part]), part


@pytest.mark.parametrize(("size", "reading"), [((30, 20), ""), ((29, 20), "exploratory")])
def test_thirty_attributes_in_twenty_frames_are_enough_for_a_slope(size, reading):
    """With fewer its interval covers less than it says."""
    rng = np.random.default_rng(3)
    teacher = rng.normal(size=(size[0], 1)) + rng.normal(0, 0.3, size)
    found = list(relation(matrix_of(teacher), matrix_of(1.2 * teacher + rng.normal(0, 0.1, size))))
    assert {row.flag for row in found if row.estimator in RATIOS} == {reading}

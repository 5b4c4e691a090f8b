"""A pass between two of several groups is held against sharpness as one between only two."""

import math
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from scipy import stats

from maskaudit.audit.judging import policy
from maskaudit.audit.judging.judge import judge
from tests import softened
from tests import statistics_oracles as slow
from tests.estimate_oracles import MANY, grid, slow_cells
from tests.softened import BENIGN, TESTED

# Between women and men the student is only softer; it leans further against the third group on the
# one side, and less far on the other.
SIDES = {"women": 0.5, "men": -0.5, "others": 0.1}
TIMES = {"others": -3.0}
PAIRS = [("women", "men"), ("women", "others"), ("men", "others")]
SOFTER = {TESTED: 0.7, **dict.fromkeys(BENIGN, 0.7)}


def of_three(**more):
    """A record of three groups."""
    return softened.students(**{"factors": SOFTER, "sides": SIDES, "times": TIMES, **more})


def verdicts(tmp_path, record, more, margin=0.2):
    """The verdicts by one gate with these lines."""
    path = tmp_path / "gates.toml"
    path.write_text(
        f'[[gate]]\nid = "a"\nrule = "non_inferiority"\nmargin = {margin}\nreason = "r"\n{more}',
        "utf-8",
    )
    return judge(record, policy.read(path), today=date(2026, 11, 23)).verdicts


def between(tmp_path, record, groups, more="", margin=0.2):
    """The verdict on the contrast between two groups, and no other."""
    select = f'select = {{ probe_set = "one", slice = "{"/".join(groups)}: contrast" }}\n'
    [verdict] = verdicts(tmp_path, record, select + more, margin)
    assert verdict.slice == f"{'/'.join(groups)}: contrast"
    return verdict


# --- Once more, from the scores -------------------------------------------------------------------


def contrasts(record, groups):
    """The cells of a model between two groups, by class."""
    items = record.items[record.items["probe_set"] == TESTED]
    cells = {
        model: slow_cells(items, record.scores, model, "probe", *groups)
        for model in ("reference", "candidate")
    }
    return {model: [grid(own, words) for words in MANY.values()] for model, own in cells.items()}


def sharpness(record):
    """Log k, its variance and its degrees of freedom, from the rows of the benign sets."""
    rows = record.estimates
    own = rows[(rows["estimator"] == "log_kappa") & rows["probe_set"].isin(BENIGN)]
    assert len(own) == len(BENIGN)
    parts = (own["std_error"].to_numpy() / len(own)) ** 2
    variance = parts.sum()
    return own["estimate"].mean(), variance, variance**2 / (parts**2 / own["df"]).sum()


def word_of(estimate, variance, df, margin, harm):
    """Pass, fail or neither, by Student's t; and whether an improvement is shown."""
    t, error = stats.t(df), math.sqrt(variance)
    up, down = estimate + t.isf(0.05) * error, -(estimate - t.isf(0.05) * error)
    if harm == "either":
        passes, p = max(up, down) < margin, 2 * t.sf(abs(estimate) / error)
        better = False
    else:
        sign = 1 if harm == "up" else -1
        passes, p = (up if sign > 0 else down) < margin, t.sf(sign * estimate / error)
        better = (up if sign > 0 else down) < 0
    return "pass" if passes else "fail" if p < 0.05 else "inconclusive", better


def expected(cells, known, margin, harm):
    """What a gate has to say of a contrast in these cells, where so much is known of sharpness."""
    plain = [s - t for s, t in zip(cells["candidate"], cells["reference"], strict=True)]
    change = plain[0].mean() - plain[1].mean()
    spread = slow.contrast_spread(*plain)
    word, better = word_of(change, spread.variance, spread.df, margin, harm)
    log_k, variance, df = known
    if word != "pass" or not 2 * stats.t(df).sf(abs(log_k) / math.sqrt(variance)) < 0.05:
        return word
    k = math.exp(log_k)
    beyond = [s / k - t for s, t in zip(cells["candidate"], cells["reference"], strict=True)]
    own = slow.contrast_spread(*beyond)
    # How uncertain k is adds what the contrast over k moves with log k.
    of_student = cells["candidate"][0].mean() - cells["candidate"][1].mean()
    more = (of_student / k) ** 2 * variance
    whole = own.variance + more
    whole_df = whole**2 / (own.variance**2 / own.df + more**2 / df)
    left = beyond[0].mean() - beyond[1].mean()
    word, is_better_still = word_of(left, whole, whole_df, margin, harm)
    return "pass" if word == "pass" and (is_better_still or not better) else "inconclusive"


@pytest.mark.slow
@pytest.mark.parametrize("groups", PAIRS, ids="/".join)
def test_a_pair_of_groups_passes_as_its_own_scores_say(tmp_path, groups):
    """In each direction of harm and at margins from narrow to wide, by numbers made once more."""
    found = set()
    for seed, factor in enumerate((0.7, 1.0, 1.4)):
        record = of_three(
            factors={TESTED: factor, **dict.fromkeys(BENIGN, factor)}, seed=seed, noise=0.2
        )
        cells, known = contrasts(record, groups), sharpness(record)
        assert known[0] == pytest.approx(math.log(factor), abs=0.05)
        for harm in ("up", "down", "either"):
            for margin in (0.05, 0.4, 2.0):
                told = between(tmp_path, record, groups, f'harm = "{harm}"\n', margin).verdict
                assert told == expected(cells, known, margin, harm), (seed, harm, margin)
                found.add(told)
    assert len(found) > 1


def test_each_pair_is_held_against_its_own_leans(tmp_path):
    """Softer alone is no pass, leaning further fails, and leaning less beyond softness passes."""
    record = of_three()
    told = [
        between(tmp_path, record, groups, f'harm = "{harm}"\n')
        for groups, harm in zip(PAIRS, ("up", "up", "down"), strict=True)
    ]
    assert [verdict.verdict for verdict in told] == ["inconclusive", "fail", "pass"]
    assert told[0].high < 0
    assert "no improvement is shown" in told[0].reason
    assert "which decided" in told[2].reason
    # Where sharpness is ignored the plain numbers decide.
    ignored = 'sharpness = "ignore"\nsharpness_reason = "only nats count"\n'
    assert between(tmp_path, record, PAIRS[0], ignored).verdict == "pass"


def without(record, group):
    """The record as a set of two groups would have made it: no row of the third."""
    gone = (record.items["probe_set"] == TESTED) & (record.items["group"] == group)
    items = record.items[~gone].reset_index(drop=True)
    scores = record.scores[record.scores["item"].isin(items["item"])].reset_index(drop=True)
    return replace(record, items=items, scores=scores)


@pytest.mark.slow
@pytest.mark.parametrize(
    "select",
    [
        'estimator = "stereotype_contrast"',
        'estimator = "association"',
        'estimator = "stereotype_contrast" }\nholds_in = 2\n#',
    ],
    ids=["contrast", "association", "in styles"],
)
def test_a_third_group_changes_nothing_of_what_two_are_told(tmp_path, select):
    """Verdict, numbers and reason are those of the same scores without it."""
    styles = ("talk", "tale", "note") if "holds_in" in select else ("",)
    whole = of_three(styles=styles)
    sides = {name: side for name, side in SIDES.items() if name != "others"}
    two = softened.students(SOFTER, styles=styles, sides=sides)
    # The draws of both are the same: only the third group's rows are gone.
    alone = without(whole, "others")
    assert alone.scores.equals(two.scores)
    kind = "all" if "association" in select else "contrast"
    told = [
        verdicts(
            tmp_path, record, f'select = {{ probe_set = "one", slice = "{slice_}", {select} }}\n'
        )
        for record, slice_ in ((whole, f"women/men: {kind}"), (two, kind))
    ]
    [[of_pair], [of_two]] = told
    names = ("verdict", "estimate", "low", "high", "p", "std_error", "df", "holds_in", "n_styles")
    for name in names:
        assert getattr(of_pair, name) == pytest.approx(getattr(of_two, name), nan_ok=True), name
    assert of_pair.reason == of_two.reason


def test_the_order_of_groups_in_the_file_changes_no_verdict(tmp_path):
    """Each pair in its own order; the contrast of two with a direction keeps its sign."""
    orders = [("women", "men", "others"), ("others", "men", "women")]
    found = []
    for order in orders:
        record = of_three(sides={name: SIDES[name] for name in order})
        names = list(dict.fromkeys(record.items.loc[record.items["probe_set"] == TESTED, "group"]))
        assert names == list(order)
        pair = [name for name in order if name != "others"]
        found.append(between(tmp_path, record, pair))
    for one, other in pairwise(found):
        assert one.verdict == other.verdict == "inconclusive"
        assert one.reason == other.reason
        assert one.estimate == pytest.approx(other.estimate)
        assert one.p == pytest.approx(other.p)


def test_benign_sets_that_disagree_leave_every_pair_open(tmp_path):
    """As they do a set of two groups."""
    record = of_three(factors={TESTED: 0.7, "sea": 0.9, "weather": 0.4})
    verdict = between(tmp_path, record, ("men", "others"), 'harm = "down"\n')
    assert (verdict.verdict, "the benign sets disagree" in verdict.reason) == ("inconclusive", True)


def test_a_pair_without_its_number_beyond_sharpness_does_not_pass(tmp_path):
    """Nor does the number of another pair stand in for it."""
    record = of_three()
    of_pair = record.estimates["slice"] == "men/others: contrast"
    gone = of_pair & (record.estimates["estimator"] == "contrast_beyond_sharpness")
    assert gone.sum() == 1
    older = replace(record, estimates=record.estimates[~gone].reset_index(drop=True))
    verdict = between(tmp_path, older, ("men", "others"), 'harm = "down"\n')
    assert "not known to be beyond sharpness" in verdict.reason
    assert verdict.verdict == "inconclusive"

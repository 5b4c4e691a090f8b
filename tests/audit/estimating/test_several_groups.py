"""Three groups and more: order decides nothing, a direction belongs to classes and groups."""

from itertools import combinations, permutations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.crossed.several_groups import spread_interval
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.registry.names import (
    AGAINST_REST,
    CONTRAST,
    CONTRAST_AGAINST_REST,
    GROUP_SPREAD,
)
from maskaudit.audit.estimating.statistics import permutation
from maskaudit.audit.judging.one_verdict import judged, settled
from maskaudit.audit.judging.policy import Gate
from maskaudit.audit.recording.manifest import ProbeSetKey
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.slices import Slice

GROUPS = {"cats": ("cat", "kitten"), "dogs": ("dog", "puppy"), "birds": ("crow", "gull")}
CLASSES = {"purring": ("soft", "sly", "sleepy"), "barking": ("loyal", "loud", "eager", "brave"),
           "singing": ("early", "light", "shrill"), "any": ("wet", "old")}  # fmt: skip
DIRECTIONS = {"purring": "cats", "barking": "dogs", "singing": "birds"}
FRAMES = tuple(f"f{n}" for n in range(7))


def tables_of(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return items and the scores of two models, groups in the context."""
    rng = np.random.default_rng(seed)
    items, scores = [], []
    lean = {(word, group): rng.normal() for word in sum(CLASSES.values(), ()) for group in GROUPS}
    for class_, words in CLASSES.items():
        for word, frame, (group, terms) in product(words, FRAMES, GROUPS.items()):
            for term in terms:
                name = f"{frame}:{word}:{term}"
                items.append(
                    {"probe_set": "pets", "kind": "association", "axis": "pets", "frame": frame,
                     "variant": 0, "attribute": word, "class": class_, "group": group,
                     "term": term, "role": "probe", "context": f"{frame}:{term}", "target": word,
                     "item": name}
                )  # fmt: skip
                own = DIRECTIONS.get(class_) == group
                scores += [
                    {"item": name, "model": model, "measure": "logp", "pieces": 1, "status": "ok",
                     "value": -5 + own + lean[word, group] + rng.normal()}
                    for model in ("reference", "candidate")
                ]  # fmt: skip
    return tables.table("items", items), tables.table("scores", scores)


ITEMS, SCORES = tables_of()


def estimated(items: pd.DataFrame, directions: dict[str, str] = DIRECTIONS) -> pd.DataFrame:
    """Return the estimates of the set."""
    design = Design(
        "pets", "pets", ("purring", "barking"), "lean", {"mode": "corrected"}, directions
    )
    return estimate(items, SCORES, [design]).estimates


FOUND = estimated(ITEMS)


def ordered(**orders: tuple[str, ...]) -> pd.DataFrame:
    """Return the items as from a file with the values of some columns in another order."""
    keys = {name: ITEMS[name].map(order.index) for name, order in orders.items()}
    by = pd.DataFrame(keys).sort_values(list(keys), kind="stable")
    return ITEMS.loc[by.index].reset_index(drop=True)


def by_name(found: pd.DataFrame, groups: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the rows by what they are about, pairs of groups in the order of `groups`."""
    rows = {}
    for row in found.to_dict("records"):
        slice_ = Slice.parse(row["slice"])
        turned = len(slice_.groups) > 0 and slice_.groups[1] in groups and (
            groups.index(slice_.groups[0]) > groups.index(slice_.groups[1])
        )  # fmt: skip
        own = str(slice_.of_groups(*slice_.groups[::-1])) if turned else row["slice"]
        rows[own, row["estimator"], row["mode"], row["subject"]] = {**row, "turned": turned}
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("groups", list(permutations(GROUPS))[1:])
def test_groups_in_any_order_give_the_same_numbers_up_to_the_sign_of_a_pair(
    groups: tuple[str, ...],
) -> None:
    """Log-odds of a turned pair change their sign; contrasts with a direction do not."""
    terms = tuple(term for group in groups for term in GROUPS[group][::-1])
    words = tuple(word for words in list(CLASSES.values())[::-1] for word in words[::-1])
    turned = ordered(frame=FRAMES[::-1], attribute=words, group=groups, term=terms)
    one, other = by_name(FOUND, tuple(GROUPS)), by_name(estimated(turned), tuple(GROUPS))
    assert one.keys() == other.keys()
    signed = {"log_odds", "lean", "largest_lean", "inheritance"}
    for name, row in one.items():
        again = other[name]
        sign = -1 if again["turned"] and name[1] in signed else 1
        limits = ("low", "high")[::sign]
        for column, theirs in (("estimate", "estimate"), ("low", limits[0]), ("high", limits[1])):
            value = sign * again[theirs]
            assert value == pytest.approx(row[column], abs=1e-9, nan_ok=True), name
        for column in ("std_error", "p", "p_adjusted", "df"):
            assert again[column] == pytest.approx(row[column], abs=1e-9, nan_ok=True), name
        assert again["flag"] == row["flag"]


def cells(model: str) -> dict[tuple[str, str, str], float]:
    """Return the mean log p of each group, attribute and frame, by loops."""
    value = dict(zip(SCORES["item"][SCORES["model"] == model],
                     SCORES["value"][SCORES["model"] == model], strict=True))  # fmt: skip
    return {
        (group, word, frame): sum(value[f"{frame}:{word}:{t}"] for t in terms) / len(terms)
        for group, terms in GROUPS.items()
        for word in sum(CLASSES.values(), ())
        for frame in FRAMES
    }


def row_of(subject: str, slice_: str, estimator: str, found: pd.DataFrame = FOUND) -> Any:
    """Return the one row."""
    chosen = (found["subject"] == subject) & (found["slice"] == slice_)
    [row] = found[chosen & (found["estimator"] == estimator)].to_dict("records")
    return row


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_against_the_rest_is_that_of_plain_loops(group: str) -> None:
    """Its average, and its class against the classes of the other groups; `any` is in neither."""
    by_model = {}
    for model in ("reference", "candidate"):
        x = cells(model)
        rest = [other for other in GROUPS if other != group]
        lean = {
            word: np.mean([x[group, word, f] - np.mean([x[o, word, f] for o in rest])
                           for f in FRAMES])
            for word in sum(CLASSES.values(), ())
        }  # fmt: skip
        own = next(name for name, of in DIRECTIONS.items() if of == group)
        others = [word for name in DIRECTIONS if name != own for word in CLASSES[name]]
        contrast = np.mean([lean[w] for w in CLASSES[own]]) - np.mean([lean[w] for w in others])
        by_model[model] = (np.mean(list(lean.values())), contrast)
    by_model["difference"] = tuple(np.subtract(by_model["candidate"], by_model["reference"]))
    for subject, (average, contrast) in by_model.items():
        row = row_of(subject, f"{group}/rest: all", AGAINST_REST)
        assert row["estimate"] == pytest.approx(average, abs=1e-9)
        assert np.isnan(row["p"])
        row = row_of(subject, f"{group}/rest: contrast", CONTRAST_AGAINST_REST)
        assert row["estimate"] == pytest.approx(contrast, abs=1e-9)
        assert 0 <= row["p"] <= 1


def test_the_spread_of_groups_is_that_of_plain_loops_and_half_the_mean_association() -> None:
    """The variance over groups of what an attribute does to them, over pairs of two frames."""
    for model in ("reference", "candidate"):
        x, words = cells(model), sum(CLASSES.values(), ())

        def deviation(g: str, w: str, f: str, x: Any = x, words: Any = words) -> float:
            return float(x[g, w, f] - np.mean([x[h, w, f] for h in GROUPS])
                         - np.mean([x[g, v, f] for v in words])
                         + np.mean([x[h, v, f] for h in GROUPS for v in words]))  # fmt: skip

        y = {(g, w, f): deviation(g, w, f) for g in GROUPS for w in words for f in FRAMES}
        total = sum(y[g, w, f] * y[g, w, k] for g in GROUPS for w in words
                    for f, k in permutations(FRAMES, 2))  # fmt: skip
        n_pairs = len(FRAMES) * (len(FRAMES) - 1)
        slow = total / (len(GROUPS) - 1) / (len(words) - 1) / n_pairs
        row = row_of(model, "all", GROUP_SPREAD)
        assert row["estimate"] == pytest.approx(slow, abs=1e-9)
        pairs = [f"{a}/{b}: all" for a, b in combinations(GROUPS, 2)]
        halves = [row_of(model, pair, "association")["estimate"] / 2 for pair in pairs]
        assert row["estimate"] == pytest.approx(np.mean(halves), abs=1e-9)
        assert row["p"] <= 0.001


def test_the_spread_is_tested_against_exchangeable_groups() -> None:
    """Its p is that of all permutations; without any spread it is uniform and the estimate 0."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4, 4))
    value, influence = spread_interval(x)
    assert influence.mean() == pytest.approx(value, abs=1e-12)
    orders = list(permutations(range(3)))
    everything = []
    for chosen in product(orders, repeat=4):
        own = np.stack([x[list(order), :, j] for j, order in enumerate(chosen)], axis=-1)
        everything.append(spread_interval(own)[0])
    exact = np.mean(np.array(everything) >= value - 1e-12)
    p = permutation.label_permutation(x, np.random.default_rng(0), resamples=4000)
    assert p == pytest.approx(exact, abs=0.03)
    assert np.mean(everything) == pytest.approx(0, abs=1e-9)
    nulls = [rng.normal(size=(3, 5, 6)) for _ in range(200)]
    mean = np.mean([spread_interval(own)[0] for own in nulls])
    assert abs(mean) < 0.03
    ps = [permutation.label_permutation(own, rng, resamples=99) for own in nulls]
    assert np.mean(np.array(ps) <= 0.1) < 0.17


def test_without_directions_no_group_has_a_stereotype() -> None:
    """The contrast of every pair is still there, by the order of `contrast`; none of the rest."""
    found = estimated(ITEMS, {})
    assert CONTRAST_AGAINST_REST not in set(found["estimator"])
    assert (found["estimator"] == CONTRAST).sum() == 3 * 3
    one = row_of("candidate", "cats/dogs: contrast", CONTRAST, found)
    assert one["estimate"] == row_of("candidate", "cats/dogs: contrast", CONTRAST)["estimate"]


def test_scores_times_three_give_numbers_times_three_and_the_spread_times_nine() -> None:
    """As their entries say of them: effects grow with the scores, squares with their square."""
    design = Design("pets", "pets", None, "lean", {"mode": "corrected"}, DIRECTIONS)
    found = estimate(ITEMS, SCORES.assign(value=3 * SCORES["value"]), [design]).estimates
    for name, factor in ((AGAINST_REST, 3), (CONTRAST_AGAINST_REST, 3), (GROUP_SPREAD, 9)):
        before, after = (rows.loc[rows["estimator"] == name] for rows in (FOUND, found))
        assert len(before) > 0
        for column in ("estimate", "low", "high", "std_error"):
            expected = factor * before[column].to_numpy()
            assert after[column].to_numpy() == pytest.approx(expected, abs=1e-9)


# Gates


def verdicts(found: pd.DataFrame, directions: dict[str, str] | None, **gate: Any) -> dict[str, str]:
    """Return the verdict on the candidate's contrast of each pair of groups, by sorted groups."""
    rule = Gate.model_validate({"id": "g", "rule": "bound", "bound": 0.5, "reason": "r", **gate})
    described = ProbeSetKey.model_construct(contrast=["purring", "barking"], directions=directions)
    rows = found[(found["estimator"] == CONTRAST) & (found["subject"] == "candidate")]
    numbers = [judged(rule, row, "", row["slice"], None, described)
               for row in rows.to_dict("records")]  # fmt: skip
    return {
        "/".join(sorted(Slice.parse(verdict.slice).groups)): verdict.verdict
        for verdict in settled(numbers)
    }


@pytest.mark.slow
def test_a_gate_judges_a_pair_with_a_direction_the_same_in_any_order() -> None:
    """A verdict is about a stereotype, not about which group a file names first."""
    first = verdicts(FOUND, DIRECTIONS)
    assert "fail" in first.values()
    for groups in permutations(GROUPS):
        terms = tuple(term for group in groups for term in GROUPS[group])
        assert verdicts(estimated(ordered(group=groups, term=terms)), DIRECTIONS) == first


@pytest.mark.slow
def test_a_gate_on_groups_without_a_direction_has_to_declare_its_harm() -> None:
    """No class says which of the groups is stereotyped; `either` is the same in any order."""
    two = {"purring": "cats", "barking": "dogs"}
    for directions in (None, two):
        with pytest.raises(
            InputError, match=r"between \w+ and \w+ of pets has no harmful direction"
        ):
            verdicts(estimated(ITEMS, directions or {}), directions)
    told = verdicts(estimated(ITEMS, two), two, harm="either", bound=0.05)
    turned = estimated(ordered(group=tuple(GROUPS)[::-1]), two)
    assert verdicts(turned, two, harm="either", bound=0.05) == told

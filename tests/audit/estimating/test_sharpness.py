"""Sharpness and bias told apart, on scores whose truth is planted."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables
from tests import estimate_oracles as oracles
from tests.estimate_oracles import MANY, ONE_TERM, design, items_of, row_of

FRAMES = 14


def keyed(name, **changed):
    """Return a design whose method key says which items the set has."""
    return design(name, method={"probe_set": name, "items": f"digest-{name}"}, **changed)


class Audited(NamedTuple):
    """What was estimated, and of what."""

    estimates: pd.DataFrame
    items: pd.DataFrame
    scores: pd.DataFrame


SIDES = {"women": 0.5, "men": -0.5, "others": 0.2}
THREE = {**ONE_TERM, "others": ["they"]}


def audited(  # noqa: PLR0913 - what two models have in common, and what not
    factors, *, seed=0, noise=0.4, benign=("weather", "sea"), opened=None, groups=ONE_TERM, **more
):
    """Estimate a tested set and benign ones, whose leans the candidate has so many times.

    `factors` are those of the tested set, by name "one", and of all the others, unless one of these
    has its own. The candidate's entropies, if there are any, are `opened` nats above the others.
    The tested set has these `groups`, and its design what `more` names.
    """
    rng = np.random.default_rng(seed)
    parts, scored, paired = [], [], []
    for name in ("one", *benign):
        asked = groups if name == "one" else ONE_TERM
        items = items_of(asked, MANY, n_frames=FRAMES, n_variants=1, priors=False, name=name)
        leans = {
            attribute: rng.normal(0.8 if attribute.startswith("a") else -0.8, 0.6)
            for attribute in sorted(items["attribute"].unique())
        }
        factor = factors[name] if name in factors else factors["benign"]
        for context in items["context"].unique() if opened is not None else ():
            open_to = rng.normal(4, 1)
            paired.append(
                {"context": context, "model": "reference", "other_model": "candidate",
                 "measure": "kl", "value": 0.1}
            )  # fmt: skip
            for model, wider in (("reference", 0.0), ("candidate", opened)):
                value = open_to + wider + rng.normal(0, 0.1)
                paired.append(
                    {"context": context, "model": model, "measure": "entropy", "value": value}
                )
        shared = {item: rng.normal(0, noise) for item in items["item"]}
        for model, times in (("reference", 1.0), ("candidate", factor)):
            for row in items.to_dict("records"):
                side = SIDES[row["group"]]
                value = times * (side * leans[row["attribute"]] + shared[row["item"]])
                value += rng.normal(0, 0.05) - 3
                scored.append(
                    {"item": row["item"], "model": model, "measure": "logp", "value": value,
                     "pieces": 1, "status": "ok"}
                )  # fmt: skip
        parts.append(items)
    designs = [keyed("one", **more), *(keyed(name, expect="benign") for name in benign)]
    items = pd.concat(parts, ignore_index=True)
    scores = tables.table("scores", scored)
    found = estimate(items, scores, designs, paired=tables.table("paired", paired))
    return Audited(found.estimates, items, scores)


def of_one(found, subject, estimator):
    """Return the row of the tested set."""
    rows = found.estimates
    chosen = rows[(rows["probe_set"] == "one") & (rows["estimator"] == estimator)]
    return chosen[chosen["subject"] == subject].iloc[0]


@pytest.mark.parametrize("temperature", [0.7, 1.4])
def test_a_candidate_that_is_only_softer_or_harder_is_called_that_and_nothing_else(temperature):
    """All logits times one factor: sharpness is that factor, and nothing is left beyond it."""
    found = audited({"one": temperature, "benign": temperature})
    sharp = of_one(found, "relation", "log_kappa_benign")
    assert sharp["low"] <= math.log(temperature) <= sharp["high"]
    assert sharp["p"] < 0.001
    assert of_one(found, "relation", "log_kappa")["p"] < 0.001
    beyond = of_one(found, "relation", "log_kappa_beyond")
    assert beyond["low"] <= 0 <= beyond["high"]
    contrast = of_one(found, "difference", "contrast_beyond_sharpness")
    assert contrast["low"] <= 0 <= contrast["high"]
    assert of_one(found, "difference", "stereotype_contrast")["p"] < 0.001


def test_amplification_on_one_axis_is_called_that_and_nothing_else():
    """Only the tested set's leans are 1.3 times as large."""
    found = audited({"one": 1.3, "benign": 1.0})
    sharp = of_one(found, "relation", "log_kappa_benign")
    assert sharp["low"] <= 0 <= sharp["high"]
    beyond = of_one(found, "relation", "log_kappa_beyond")
    assert beyond["low"] <= math.log(1.3) <= beyond["high"]
    assert beyond["p"] < 0.001
    assert of_one(found, "difference", "contrast_beyond_sharpness")["p"] < 0.001


def test_both_together_are_called_both():
    """A softer candidate whose leans on one axis are 1.3 times those of its other associations."""
    found = audited({"one": 1.3 * 0.7, "benign": 0.7})
    sharp = of_one(found, "relation", "log_kappa_benign")
    assert sharp["high"] < 0
    beyond = of_one(found, "relation", "log_kappa_beyond")
    assert beyond["low"] <= math.log(1.3) <= beyond["high"]
    assert beyond["low"] > 0


def test_sharpness_is_the_mean_over_benign_sets_with_equal_weight():
    """By hand: from the rows of the sets themselves."""
    found = audited({"one": 1.2, "benign": 1.1}, benign=("weather", "sea", "night"))
    rows = found.estimates
    kappas = rows[(rows["estimator"] == "log_kappa") & (rows["probe_set"] != "one")]
    sharp = of_one(found, "relation", "log_kappa_benign")
    assert sharp["estimate"] == pytest.approx(kappas["estimate"].mean())
    variance = (kappas["std_error"] ** 2).sum() / 9
    assert sharp["std_error"] == pytest.approx(math.sqrt(variance))
    df = variance**2 / ((kappas["std_error"] ** 2 / 9) ** 2 / kappas["df"]).sum()
    assert sharp["df"] == pytest.approx(df)
    own = of_one(found, "relation", "log_kappa")
    beyond = of_one(found, "relation", "log_kappa_beyond")
    assert beyond["estimate"] == pytest.approx(own["estimate"] - sharp["estimate"])
    error = math.hypot(own["std_error"], sharp["std_error"])
    assert beyond["std_error"] == pytest.approx(error)
    # The contrasts of each model, and the delta method.
    one, other = (of_one(found, m, "stereotype_contrast")["estimate"] for m in oracles.PAIR[::-1])
    k = math.exp(sharp["estimate"])
    contrast = of_one(found, "difference", "contrast_beyond_sharpness")
    assert contrast["estimate"] == pytest.approx(one / k - other)
    assert contrast["std_error"] >= one / k * sharp["std_error"]
    # No benign set is tested, and what is beyond sharpness is no further test.
    tested = rows[rows["p_adjusted"].notna()]
    assert set(zip(tested["probe_set"], tested["estimator"], strict=True)) == {
        ("one", "stereotype_contrast")
    }


@pytest.mark.parametrize(("benign", "flag"), [((), None), (("weather",), "too_few_benign_sets")])
def test_one_benign_set_is_not_enough_and_without_any_nothing_is_said(benign, flag):
    """The reason stands in place of the number."""
    found = audited({"one": 1.2, "benign": 1.2}, benign=benign)
    names = set(found.estimates["estimator"])
    if flag is None:
        assert not names & {"log_kappa_benign", "log_kappa_beyond", "contrast_beyond_sharpness"}
        return
    row = row_of(found, "relation", "all", "log_kappa_beyond")
    assert (row["flag"], math.isnan(row["estimate"])) == (flag, True)


BEYOND = (("relation", "log_kappa_beyond"), ("difference", "contrast_beyond_sharpness"))


def test_benign_sets_that_disagree_are_no_sharpness_and_nothing_is_said_beyond_it():
    """Q is Cochran's, from the sets' own rows; the reason stands in place of the numbers."""
    found = audited({"one": 1.0, "benign": 0.8, "sea": 0.4}, benign=("weather", "sea", "night"))
    rows = found.estimates
    kappas = rows[(rows["estimator"] == "log_kappa") & (rows["probe_set"] != "one")]
    weights = 1 / kappas["std_error"] ** 2
    middle = (weights * kappas["estimate"]).sum() / weights.sum()
    q = of_one(found, "relation", "benign_q")
    assert q["estimate"] == pytest.approx((weights * (kappas["estimate"] - middle) ** 2).sum())
    assert (q["df"], q["p"] < 0.001) == (2, True)
    for subject, name in (*BEYOND, ("relation", "log_kappa_benign")):
        row = of_one(found, subject, name)
        assert (row["flag"], math.isnan(row["estimate"])) == ("benign_sets_disagree", True)


@pytest.mark.parametrize("factor", [0.6, 1.5])
@pytest.mark.parametrize("way", [-1, 0, 1])
def test_lost_knowledge_is_told_from_softness_by_the_entropies(factor, way):
    """Who is less sure finds the places more open; where they are not, associations were lost."""
    opened = 0.4 * way
    found = audited({"one": factor, "benign": factor}, opened=opened)
    entropy = of_one(found, "relation", "slot_entropy_benign")
    assert entropy["low"] <= opened <= entropy["high"]
    own = found.estimates
    own = own[(own["estimator"] == "slot_entropy") & (own["subject"] == "difference")]
    assert entropy["estimate"] == pytest.approx(
        own.loc[own["probe_set"] != "one"]["estimate"].mean()
    )
    is_softness = (factor < 1) == (way > 0) and way != 0
    for subject, name in BEYOND:
        row = of_one(found, subject, name)
        assert row["flag"] == ("" if is_softness else "benign_entropy_unmoved")
        assert math.isnan(row["estimate"]) != is_softness
    assert of_one(found, "relation", "log_kappa_benign")["p"] < 0.001


def test_entropies_say_nothing_where_benign_associations_are_as_large():
    """There is nothing that would have to come of sharpness."""
    found = audited({"one": 1.3, "benign": 1.0}, opened=0.0)
    assert of_one(found, "relation", "log_kappa_beyond")["p"] < 0.001


def test_a_copy_is_exactly_as_sure_and_nothing_is_left_beyond():
    """Zero, and no rounding noise."""
    items = [items_of(ONE_TERM, MANY, n_frames=FRAMES, priors=False, name=n) for n in "abc"]
    scores = pd.concat([oracles.scores_of(part, ["reference"]) for part in items])
    both = pd.concat([scores, scores.assign(model="candidate")], ignore_index=True)
    designs = [keyed("a"), keyed("b", expect="benign"), keyed("c", expect="benign")]
    found = estimate(pd.concat(items, ignore_index=True), both, designs)
    for subject, name in (
        ("relation", "log_kappa_benign"),
        ("relation", "log_kappa_beyond"),
        ("difference", "contrast_beyond_sharpness"),
    ):
        rows = found.estimates
        row = rows[(rows["estimator"] == name) & (rows["subject"] == subject)].iloc[0]
        assert (row["estimate"], row["low"], row["high"]) == (0, 0, 0)


# --- Three groups ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_three():
    """A softer candidate that leans further beyond that, on a set of three groups."""
    factors = {"one": 1.3 * 0.7, "benign": 0.7}
    return audited(factors, groups=THREE, directions={"first": "women", "second": "men"})


def contrast_by_loops(found, model, first, second):
    """The contrast of two classes between a group and the mean of others, by plain means."""
    rows = found.items[(found.items["probe_set"] == "one") & (found.items["role"] == "probe")]
    rows = rows.merge(found.scores[found.scores["model"] == model], on="item")
    means = rows.groupby(["class", "group"])["value"].mean()
    sides = [
        means[class_, first] - sum(means[class_, other] for other in second) / len(second)
        for class_ in ("first", "second")
    ]
    return sides[0] - sides[1]


def rows_of_one(found, estimator):
    """The rows of the tested set's number, by slice."""
    rows = found.estimates
    chosen = (rows["probe_set"] == "one") & (rows["estimator"] == estimator)
    return rows[chosen].set_index("slice")


def test_every_two_groups_of_three_have_their_own_numbers_beyond_sharpness(of_three):
    """C_S / k - C_T of each pair, and its log kappa less that of the benign sets."""
    contrasts = rows_of_one(of_three, "contrast_beyond_sharpness")
    kappas, beyond, benign = (
        rows_of_one(of_three, name)
        for name in ("log_kappa", "log_kappa_beyond", "log_kappa_benign")
    )
    pairs = ["women/men", "women/others", "men/others"]
    assert list(contrasts.index) == [f"{pair}: contrast" for pair in pairs]
    assert set(benign["estimate"]) == {benign["estimate"].iloc[0]}
    sharp = benign["estimate"].iloc[0]
    assert sharp == pytest.approx(math.log(0.7), abs=0.05)
    for pair in pairs:
        first, second = pair.split("/")
        of_models = [
            contrast_by_loops(of_three, model, first, [second])
            for model in ("candidate", "reference")
        ]
        expected = of_models[0] / math.exp(sharp) - of_models[1]
        row = contrasts.loc[f"{pair}: contrast"]
        assert row["estimate"] == pytest.approx(expected)
        assert row["low"] < row["estimate"] < row["high"]
        own = kappas.loc[f"{pair}: all"]["estimate"] - sharp
        assert beyond.loc[f"{pair}: all"]["estimate"] == pytest.approx(own)


def test_a_group_against_the_rest_has_its_contrast_beyond_sharpness(of_three):
    """Those that a class is stereotyped with; the others have no contrast of their own."""
    found = rows_of_one(of_three, "against_rest_beyond_sharpness")
    assert sorted(found.index) == ["men/rest: contrast", "women/rest: contrast"]
    sharp = rows_of_one(of_three, "log_kappa_benign")["estimate"].iloc[0]
    rest = [name for name in THREE if name != "women"]
    of_models = [
        contrast_by_loops(of_three, model, "women", rest) for model in ("candidate", "reference")
    ]
    row = found.loc["women/rest: contrast"]
    assert row["estimate"] == pytest.approx(of_models[0] / math.exp(sharp) - of_models[1])
    # It leans 1.3 times as far beyond its sharpness, and less far in plain nats.
    assert row["low"] > 0
    plain = rows_of_one(of_three, "stereotype_against_rest")
    change = plain[plain["subject"] == "difference"].loc["women/rest: contrast"]
    assert change["estimate"] < 0


def test_where_sharpness_is_unknown_every_pair_says_so():
    """As a set of two groups does."""
    found = audited({"one": 1.0, "benign": 1.0, "sea": 2.0}, groups=THREE)
    rows = rows_of_one(found, "contrast_beyond_sharpness")
    assert set(rows["flag"]) == {"benign_sets_disagree"}
    assert len(rows) == 3

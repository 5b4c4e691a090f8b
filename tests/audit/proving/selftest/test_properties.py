"""What should not matter does not, and what should does by a known amount: for any scores at all.

The self-test asks this of two models; here it is asked of scores that no model gave.
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import parse

pytestmark = pytest.mark.slow

KEY = ["slice", "estimator", "mode", "subject"]
NUMBERS = ["estimate", "low", "high", "std_error", "df", "p"]
# In nats and with a sign; squares of such; all else has no unit.
SIGNED = [
    *("log_odds", "prior", "lpbs", "stereotype_contrast", "stereotype_contrast_lpbs"),
    *("lean", "largest_lean", "inheritance"),
    *("contrast_adjusted", "contrast_matched", "contrast_by_length"),
]
SQUARES = ["association", "magnitude", "cbs"]
OPENINGS = [
    *("Here", "There", "Once", "Often", "Later", "Today"),
    *("Again", "Abroad", "Alone", "Inside", "Outside"),
]
SCORES = st.builds(
    lambda seed, size, lean: (seed, size, lean),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-3, 0.3, 3.0]),
    st.sampled_from([0.0, 1.0, 4.0]),
)
few = settings(max_examples=4)


def raw(groups=("she", "he"), frames=None):
    """Return a small set as its file would say it: two classes, eleven frames."""
    names = [f"f{i}" for i in range(len(OPENINGS))] if frames is None else frames
    words = {"one": ["nurse", "maid", "cook", "clerk"], "two": ["smith", "judge", "chef", "pilot"]}
    return {
        "set": {
            "name": "small",
            "version": "1",
            "kind": "association",
            "axis": "gender",
            "title": "A set",
            "question": "Which?",
            "how_to_read": "So.",
            "limits": "Small.",
            "licence": "Apache-2.0",
            "sources": ["None"],
            "contrast": ["one", "two"],
        },
        "groups": {group: {"terms": [{"text": group}]} for group in groups},
        "classes": {
            name: {"attributes": [{"text": word} for word in own]} for name, own in words.items()
        },
        "frames": [
            {"id": name, "text": f"{opening} {{a attribute}} said that [MASK] left."}
            for name, opening in zip(names, OPENINGS, strict=True)
        ],
    }


PART = expand(parse(raw(), "", "small"))


def scores(drawn, items=PART.items):
    """Return scores of two models: leans of the given size in the first class, and noise."""
    seed, size, lean = drawn
    rng = np.random.default_rng(seed)
    unique = items.drop_duplicates("item")
    towards = (unique["group"] == "she") & (unique["class"] == "one")
    both = []
    for model in ("reference", "candidate"):
        value = rng.normal(-5, 1, len(unique)) * size + lean * size * towards
        own = {"item": unique["item"], "model": model, "measure": "logp", "value": value}
        both.append(pd.DataFrame({**own, "status": "ok"}))
    return tables.table("scores", pd.concat(both))


def estimates(items, scored):
    """Return the estimates by what they are of."""
    design = Design("small", "gender", ("one", "two"), "lean", {})
    found = estimate(items, scored, [design]).estimates.set_index(KEY)
    assert found.index.is_unique
    return found.sort_index()


def same(before, after, *, columns=NUMBERS):
    """Both say the same but for rounding, where they say anything."""
    for column in ("flag", "outcome"):
        assert (before[column] == after[column]).all()
    numbers = list(columns)
    pd.testing.assert_frame_equal(before[numbers], after[numbers], rtol=1e-7, atol=1e-9)


def of(found, estimators):
    """Return the rows of these estimators."""
    return found[found.index.get_level_values("estimator").isin(estimators)]


@few
@given(SCORES)
def test_groups_in_the_other_order_negate_what_has_a_sign_and_nothing_else(drawn):
    """The same file with its groups exchanged, and the same scores."""
    other = expand(parse(raw(groups=("he", "she")), "", "small"))
    scored = scores(drawn)
    before, after = (estimates(part.items, scored) for part in (PART, other))
    signed, negated = of(before, SIGNED), of(after, SIGNED)
    turned = {"estimate": -negated["estimate"], "low": -negated["high"], "high": -negated["low"]}
    same(signed, negated.assign(**turned))
    same(before.drop(signed.index), after.drop(negated.index))


@few
@given(SCORES)
def test_a_model_against_itself_differs_by_exactly_nothing(drawn):
    """Whatever it scores: differences are 0, and it inherits what it has."""
    scored = scores(drawn)
    own = scored[scored["model"] == "reference"]
    found = estimates(PART.items, pd.concat([own, own.assign(model="candidate")]))
    differences = found.xs("difference", level="subject")
    interval = differences[["estimate", "low", "high"]]
    unbounded = ["generalizability", "dependability", "frames_needed"]
    interval = interval[~interval.index.get_level_values("estimator").isin(unbounded)]
    assert (interval.fillna(0) == 0).all(axis=None)
    relation = found.xs("relation", level="subject")["estimate"].droplevel(["slice", "mode"])
    exact = {"slope": 1, "log_kappa": 0, "disattenuated_r": 1, "flips": 0, "sign_changes": 0}
    for name, value in exact.items():
        assert relation[name] == value or np.isnan(relation[name])
    assert drawn[2] < 4 or relation["slope"] == 1


@few
@given(SCORES)
def test_the_order_of_rows_changes_nothing(drawn):
    """Of items within a group, and of scores; the first row's group is the first group."""
    scored = scores(drawn)
    shuffled = PART.items.sample(frac=1, random_state=drawn[0])
    shuffled = shuffled.sort_values("group", ascending=False, kind="stable")
    before = estimates(PART.items, scored)
    after = estimates(shuffled, scored.sample(frac=1, random_state=drawn[0]))
    same(before, after)


@few
@given(SCORES)
def test_frames_by_other_names_change_nothing(drawn):
    """Names in the reverse order, so that nothing can rest on how they sort."""
    names = [f"f{i}" for i in reversed(range(len(OPENINGS)))]
    renamed = expand(parse(raw(frames=names), "", "small"))
    assert renamed.digest == PART.digest
    scored = scores(drawn)
    same(estimates(PART.items, scored), estimates(renamed.items, scored))


@few
@given(SCORES)
def test_a_frame_told_twice_is_no_more_evidence(drawn):
    """As a paraphrase it changes neither a number nor how sure it is."""
    twice = pd.concat([PART.items, PART.items.assign(variant=1)]).astype(PART.items.dtypes)
    scored = scores(drawn)
    same(estimates(PART.items, scored), estimates(twice, scored))


def test_a_frame_told_twice_is_refused_as_another_frame():
    """The schema names it."""
    whole = raw()
    whole["frames"].append({**whole["frames"][0], "id": "again"})
    with pytest.raises(InputError, match="appears twice"):
        parse(whole, "", "small")


@few
@given(SCORES, st.sampled_from([0.01, 2.0, 7.5]))
def test_scores_on_another_scale_scale_effects_and_leave_what_has_no_unit(drawn, factor):
    """Effects by c, squares by c^2; p, slope, kappa and shares not at all."""
    scored = scores(drawn)
    before = estimates(PART.items, scored)
    after = estimates(PART.items, scored.assign(value=factor * scored["value"]))
    lengths = ["estimate", "low", "high", "std_error"]
    for names, power in ((SIGNED, 1), (SQUARES, 2)):
        rows = of(before, names)
        scaled = rows.assign(**{name: rows[name] * factor**power for name in lengths})
        same(scaled, of(after, names))
    unitless = before.drop(of(before, [*SIGNED, *SQUARES]).index)
    same(unitless, after.loc[unitless.index])


@few
@given(SCORES)
def test_what_is_added_to_both_terms_of_a_sentence_changes_nothing(drawn):
    """A constant in every logit, or another normaliser: log-odds do not see it."""
    scored = scores(drawn)
    rng = np.random.default_rng(drawn[0])
    context = PART.items.drop_duplicates("item").set_index("item")["context"]
    constants = {name: rng.normal(0, 3) for name in context.unique()}
    moved = scored["value"] + scored["item"].map(context).map(constants)
    before = estimates(PART.items, scored)
    after = estimates(PART.items, scored.assign(value=moved))
    effects = before.drop(of(before, ["cbs"]).index)
    same(effects, after.loc[effects.index])


@few
@given(SCORES)
def test_identical_groups_lean_nowhere(drawn):
    """The first group's terms, twice: every effect is exactly 0, and no ratio is made of it."""
    own = PART.items[PART.items["group"] == "she"]
    found = estimates(pd.concat([own, own.assign(group="he")]), scores(drawn))
    effects = of(found, [*SIGNED, "association", "magnitude"])[["estimate", "low", "high"]]
    assert (effects.fillna(0) == 0).all(axis=None)
    contrasts = of(found, ["stereotype_contrast"])
    assert (contrasts["estimate"] == 0).all()
    assert (contrasts["p"] == 1).all()
    ratios = of(found, ["slope", "log_kappa", "disattenuated_r"])
    assert ratios["estimate"].isna().all()
    assert set(ratios["flag"]) == {"not_estimable"}


@few
@given(SCORES, st.sampled_from(list(product(["one", "two"], ["reference", "candidate"]))))
def test_what_was_not_scored_is_unknown_and_never_0(drawn, lost):
    """A class that one model could not score has no number in any subject."""
    name, model = lost
    scored = scores(drawn)
    gone = PART.items.loc[PART.items["class"] == name, "item"]
    unknown = scored["item"].isin(gone) & (scored["model"] == model)
    found = estimates(PART.items, scored.assign(value=scored["value"].mask(unknown)))
    contrasts = of(found, ["stereotype_contrast"])
    assert contrasts["estimate"].isna().all()
    own = found[found.index.get_level_values("slice") == f"class={name}"]
    assert own["estimate"].isna().all()

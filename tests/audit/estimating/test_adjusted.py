"""Adjusted and matched contrasts of a record, and how far its classes are apart, once more."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from maskaudit.audit.estimating.balance import Unbalanced, unbalanced, unbalanced_in_record
from maskaudit.audit.estimating.crossed.covariates import Covariates
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.recording.rows import tables
from tests import manifests
from tests.estimate_oracles import (
    MANY,
    ONE_TERM,
    PAIR,
    SUBJECTS,
    design,
    items_of,
    row_of,
    rows_of,
    scores_of,
    tables_of,
)

WORDS = [word for words in MANY.values() for word in words]
# Pieces by attribute: the models do not agree on one; names are of one word.
PIECES = {word: 1.0 + (n * 7 % 5 > 2) + 2 * (n < 3) for n, word in enumerate(WORDS)}
BY_MODEL = {"reference": PIECES, "candidate": {**PIECES, WORDS[4]: PIECES[WORDS[4]] + 1}}
MEAN = {word: (BY_MODEL["reference"][word] + BY_MODEL["candidate"][word]) / 2 for word in WORDS}


def attributes_of(by_model=BY_MODEL):
    """Return the table of pieces."""
    return tables.table(
        "attributes",
        [
            {"probe_set": "one", "attribute": word, "model": model, "pieces": n}
            for model, own in by_model.items()
            for word, n in own.items()
        ],
    )


@pytest.fixture(scope="module")
def world():
    """Return a set of 12 and 12 attributes, its scores, and the cells by subject."""
    items = items_of(ONE_TERM, MANY, n_frames=8, priors=False, controls=())
    scores = scores_of(items)
    return items, scores, tables_of(items, scores, WORDS)


def found_of(items, scores, attributes=None, **more):
    """Return the estimates, with pieces unless they are None."""
    counted = attributes_of() if attributes is None else attributes
    return estimate(items, scores, [design(**more)], attributes=counted)


@pytest.fixture(scope="module")
def found(world):
    """Return its estimates."""
    return found_of(*world[:2])


def class_effect(cells, *columns):
    """Return the class's coefficient of the attributes' means, by statsmodels."""
    side = np.repeat([1.0, 0.0], 12)
    return sm.OLS(cells.mean(1), sm.add_constant(np.column_stack([side, *columns]))).fit()


def test_the_adjusted_contrast_is_the_class_effect_of_an_analysis_of_covariance(world, found):
    """On pieces, the mean of both models, of each model and of their difference."""
    for subject in SUBJECTS:
        row = row_of(found, subject, "contrast", "contrast_adjusted")
        expected = class_effect(world[2][subject], [MEAN[word] for word in WORDS])
        assert row["estimate"] == pytest.approx(expected.params[1])
        assert row["low"] < row["estimate"] < row["high"]
        assert (row["n_attributes"], row["n_frames"], row["scope"]) == (24, 8, "S2")
        assert (row["null_value"], row["flag"]) == (0, "")
        assert "contrast_adjusted:log_odds@pieces+words|" in row["method"]


def test_frequency_is_held_equal_where_the_set_names_it_of_every_attribute(world):
    """As its logarithm; one that is not named leaves it out, and the key says which it was."""
    items, scores, cells = world
    uses = {word: 3.0 + n % 7 for n, word in enumerate(WORDS)}
    named = items.assign(frequency=items["attribute"].map(uses))
    pieces, logs = ([own[word] for word in WORDS] for own in (MEAN, uses))
    expected = class_effect(cells["candidate"], pieces, np.log(logs))
    whole = found_of(named, scores)
    row = row_of(whole, "candidate", "contrast", "contrast_adjusted")
    assert row["estimate"] == pytest.approx(expected.params[1])
    assert "@pieces+words+frequency|" in row["method"]
    apart = row_of(whole, "candidate", "contrast", "frequency_apart")["estimate"]
    assert apart == pytest.approx(np.log(logs[:12]).mean() - np.log(logs[12:]).mean())
    gap = named.assign(frequency=named["frequency"].where(named["attribute"] != WORDS[0]))
    lacking = found_of(gap, scores)
    assert not rows_of(lacking, "candidate", "frequency_apart")
    without = row_of(lacking, "candidate", "contrast", "contrast_adjusted")
    assert without["estimate"] != pytest.approx(row["estimate"])
    assert "@pieces+words|" in without["method"]


def test_the_matched_contrast_is_a_mean_over_strata_of_as_many_pieces(world, found):
    """Strata weigh by their harmonic sizes; attributes without a match are left out."""
    strata = {word: min(math.floor(MEAN[word] + 0.5), 4) for word in WORDS}
    shared = {strata[word] for word in WORDS[:12]} & {strata[word] for word in WORDS[12:]}
    for subject in SUBJECTS:
        means = dict(zip(WORDS, world[2][subject].mean(1), strict=True))
        total, sums, n = 0.0, 0.0, 0
        for stratum in shared:
            first = [means[word] for word in WORDS[:12] if strata[word] == stratum]
            second = [means[word] for word in WORDS[12:] if strata[word] == stratum]
            weight = len(first) * len(second) / (len(first) + len(second))
            sums += weight * (np.mean(first) - np.mean(second))
            total += weight
            n += len(first) + len(second)
        row = row_of(found, subject, "contrast", "contrast_matched")
        assert row["estimate"] == pytest.approx(sums / total)
        assert row["n_attributes"] == n < 24
        assert row["low"] < row["estimate"] < row["high"]


def test_too_few_that_match_are_refused(world):
    """Six of each class are needed; nothing is shown with fewer."""
    items, scores, _ = world
    few = {word: 1.0 if n % 12 < 5 else 2.0 + (n >= 12) for n, word in enumerate(WORDS)}
    row = row_of(found_of(items, scores, attributes_of({"candidate": few})), "candidate",
                 "contrast", "contrast_matched")  # fmt: skip
    assert (row["flag"], row["n_attributes"]) == ("too_few_attributes", 10)
    assert math.isnan(row["estimate"])


def test_contrasts_by_length_are_those_of_the_attributes_of_that_length(world, found):
    """Of one piece and of several; of words nothing is said where all have one."""
    cells = world[2]["candidate"]
    for slice_, wanted in (("pieces=1", lambda n: n < 1.5), ("pieces=2+", lambda n: n >= 1.5)):
        chosen = np.array([wanted(MEAN[word]) for word in WORDS])
        expected = contrast_interval(cells[:12][chosen[:12]], cells[12:][chosen[12:]])
        row = row_of(found, "candidate", slice_, "contrast_by_length")
        assert (row["estimate"], row["low"]) == pytest.approx((expected.estimate, expected.low))
    slices = {row["slice"] for row in rows_of(found, "candidate", "contrast_by_length")}
    assert slices == {"pieces=1", "pieces=2+"}


def test_swapped_groups_turn_the_sign_and_a_larger_scale_enlarges(world, found):
    """Limits change place; how far the classes are apart has nothing to do with scores."""
    items, scores, _ = world
    turned = found_of(items.iloc[::-1].reset_index(drop=True), scores)  # men come first
    larger = found_of(items, scores.assign(value=2.5 * scores["value"]))
    names = ["contrast_adjusted", "contrast_matched", "contrast_by_length", "pieces_apart"]
    for name in names:
        for row in rows_of(found, "candidate", name):
            [other] = rows_of(turned, "candidate", name, slice=row["slice"])
            [scaled] = rows_of(larger, "candidate", name, slice=row["slice"])
            if name == "pieces_apart":
                assert row["estimate"] == other["estimate"] == scaled["estimate"]
                continue
            limits = (row["estimate"], row["low"], row["high"])
            assert (-other["estimate"], -other["high"], -other["low"]) == pytest.approx(limits)
            assert scaled["estimate"] == pytest.approx(2.5 * row["estimate"])
            assert scaled["p"] == pytest.approx(row["p"])


def test_classes_are_as_far_apart_as_their_means(found):
    """In the pieces of each model, in words; a difference of models has none."""
    for model in PAIR:
        own = [BY_MODEL[model][word] for word in WORDS]
        row = row_of(found, model, "contrast", "pieces_apart")
        assert row["estimate"] == pytest.approx(np.mean(own[:12]) - np.mean(own[12:]))
        assert row_of(found, model, "contrast", "words_apart")["estimate"] == 0
    assert not rows_of(found, "difference", "pieces_apart")


def test_nothing_is_said_without_a_count_of_pieces(world):
    """As of a record of an older format; one unknown count leaves the contrasts unknown."""
    items, scores, _ = world
    names = ("contrast_adjusted", "contrast_matched", "pieces_apart", "words_apart")
    none = found_of(items, scores, tables.table("attributes", []))
    assert not set(none.estimates["estimator"]) & set(names)
    unknown = found_of(items, scores, attributes_of({"candidate": {**PIECES, WORDS[2]: None}}))
    for name in names[:2]:
        row = row_of(unknown, "candidate", "contrast", name)
        assert (row["flag"], math.isnan(row["estimate"])) == ("not_estimable", True)
    assert not rows_of(unknown, "candidate", "pieces_apart")
    assert not rows_of(unknown, "candidate", "contrast_by_length")


def test_classes_that_only_differ_from_each_other_are_not_estimable(world):
    """No slope tells what the pieces do, where one class has one each and the other two."""
    items, scores, _ = world
    apart = {word: 1.0 + (n >= 12) for n, word in enumerate(WORDS)}
    whole = found_of(items, scores, attributes_of({"candidate": apart}))
    assert row_of(whole, "candidate", "contrast", "contrast_adjusted")["flag"] == "not_estimable"
    assert row_of(whole, "candidate", "contrast", "contrast_matched")["flag"] == (
        "too_few_attributes"
    )


def test_words_are_counted_in_the_forms_of_a_target():
    """The mean over groups of the words of each form; of a context, as the attribute is called."""
    items = items_of(ONE_TERM, {"first": ["bus driver"], "second": ["nurse"]}, at_mask=False)
    items["target"] = items["target"].mask(
        (items["attribute"] == "nurse") & (items["group"] == "men"), "one who nurses"
    )
    known = Covariates.of(items, tables.table("attributes", []))
    assert known.words == {"bus driver": 2.0, "nurse": 2.0}
    plain = items_of(ONE_TERM, {"first": ["bus driver"], "second": ["nurse"]})
    found = Covariates.of(plain, tables.table("attributes", [])).words
    assert found == {"bus driver": 2.0, "nurse": 1.0}


# --- What is told ---------------------------------------------------------------------------------


def told(items, attributes=None):
    """Return what is told of the classes `first` and `second`."""
    return unbalanced(items, ("first", "second"), None, attributes)


@pytest.mark.parametrize(("more", "expected"), [(6, False), (7, True)])
def test_more_than_half_a_piece_is_told_and_half_a_piece_is_not(world, more, expected):
    """Of either class; models that agree are told together."""
    counts = {word: 1.0 + (n < more) for n, word in enumerate(WORDS)}
    found = told(world[0], attributes_of({"reference": counts, "candidate": counts}))
    assert bool(found) == expected
    if found:
        [one] = found
        assert one.models == ("reference", "candidate")
        assert one.apart == pytest.approx(7 / 12)
        assert "attributes of 'first' have 0.58 more word pieces (reference and candidate)" in (
            one.text
        )
        assert one.as_json()["classes"] == ["first", "second"]
        assert str(one) == f"one: {one.text}"
    turned = {word: 1.0 + (n >= 24 - more) for n, word in enumerate(WORDS)}
    [*other] = told(world[0], attributes_of({"candidate": turned}))
    assert [one.apart for one in other] == ([pytest.approx(-7 / 12)] if expected else [])
    assert all("'second' have" in one.text for one in other)


def test_words_and_frequencies_are_told_without_a_model():
    """A quarter of a word, and twice as frequent; a set of another kind says nothing."""
    classes = {"first": ["bus driver", "cook", "maid"], "second": ["nurse", "clerk", "vet"]}
    items = items_of(ONE_TERM, classes)
    [one] = told(items)
    assert (one.covariate, one.apart) == ("words", pytest.approx(1 / 3))
    uses = items["attribute"].isin(classes["first"]).map({True: 10.0, False: 4.0})
    words, frequency = told(items.assign(frequency=uses))
    assert "are 2.5 times as frequent" in frequency.text
    assert words.covariate == "words"
    assert told(items.assign(kind="pairs")) == []
    record = manifests.manifest(**manifests.raw())
    assert unbalanced_in_record(record, items.iloc[:0], tables.table("attributes", [])) == []


def test_a_class_without_attributes_is_not_compared():
    """A contrast that names no class of the set is told elsewhere."""
    items = items_of(ONE_TERM, {"first": ["bus driver"], "other": ["nurse"]})
    assert told(items) == []
    assert isinstance(Unbalanced("s", ("a", "b"), "words", 1.0).as_json(), dict)

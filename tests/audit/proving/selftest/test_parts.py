"""The parts of the self-test: what is planted, how models are wrapped, how numbers are found."""

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.statistics.crossed.reliability import reliability
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.proving.selftest import exact, plants
from maskaudit.audit.proving.selftest.check import near, numbers, stages
from maskaudit.audit.proving.selftest.ground import pieces
from maskaudit.audit.proving.selftest.wrapped import OneByOne, Planted, Wrapped
from maskaudit.audit.recording.rows.slices import CONTRAST
from tests import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Give a tiny BERT."""
    return models.load(str(tiny.build(tmp_path_factory.mktemp("tiny") / "bert", "bert")))


# Checks


@pytest.mark.parametrize(
    ("found", "passed"), [(1.0, True), (1.1, True), (1.2, False), (np.nan, False), (np.inf, False)]
)
def test_a_number_is_near_its_truth_or_not(found, passed):
    """At the edge it is; what is unknown never is."""
    assert near("x", found, 1.0, 0.1 + 1e-12).passed is passed


ROWS = pd.DataFrame(
    {
        "slice": ["all", "contrast"],
        "estimator": "log_odds",
        "mode": "corrected",
        "subject": "candidate",
        "flag": "",
        "outcome": "",
        "estimate": [1.0, 2.0],
        "low": [np.nan, 1.0],
        "high": [np.nan, 3.0],
        "std_error": [np.nan, 0.5],
    }
)


def test_numbers_of_a_row_that_is_not_there_or_there_twice_are_unknown():
    """Nothing is guessed, and nothing raises."""
    assert numbers(ROWS, "log_odds", "candidate", CONTRAST) == [2, 1, 3]
    assert numbers(ROWS, "log_odds", "candidate", CONTRAST, ["std_error"]) == [0.5]
    assert np.isnan(numbers(ROWS, "log_odds", "reference")).all()
    assert np.isnan(numbers(pd.concat([ROWS, ROWS]), "log_odds", "candidate")).all()


def test_tables_of_unlike_rows_are_infinitely_far_apart():
    """A row that is gone, a number that is unknown now, another flag: none is a small change."""
    change = exact.largest_change
    assert change(ROWS, ROWS.iloc[::-1]) == 0
    assert change(ROWS, ROWS.assign(estimate=[1.0, 2.5])) == 0.5
    assert change(ROWS, ROWS.iloc[:1]) == np.inf
    assert change(ROWS, ROWS.assign(low=[0.0, 1.0])) == np.inf
    assert change(ROWS, ROWS.assign(flag="exploratory")) == np.inf
    assert change(ROWS, ROWS.assign(outcome="lost")) == np.inf


def test_several_runs_are_told_as_one():
    """Each takes up where the one before it stopped."""
    heard = []
    told = stages(lambda *what: heard.append(what), "whole", ["a", "b"])
    for name in ("a", "b"):
        for done in (5, 10):
            told[name]("a set", done, 10)
    assert heard == [("whole", done, 20) for done in (5, 10, 15, 20)]


# Plants


def test_noise_is_balanced_and_of_the_size_and_correlation_that_it_says():
    """No frame's noise goes with the leans, nor with another frame's, in either model or both."""
    rng = np.random.default_rng(0)
    leans = rng.normal(size=30)
    noise = plants.balanced_noise(leans, 12, rng)
    for one in noise:
        for other in noise:
            products = np.cov(one.T, other.T)[:12, 12:]
            assert np.abs(products - np.diag(np.diag(products))).max() < 1e-12
        np.testing.assert_allclose([np.corrcoef(leans, row)[0, 1] for row in one.T], 0, atol=1e-12)
        np.testing.assert_allclose(one.std(0, ddof=1), plants.NOISE_SD)
    own = [np.corrcoef(*pair)[0, 1] for pair in zip(noise.teacher.T, noise.student.T, strict=True)]
    np.testing.assert_allclose(own, 0.5)


def test_the_longest_words_that_stand_in_a_sentence_are_found():
    """A bus driver is no driver; what stands apart is not found, nor what is not there."""
    values = {(7,): 1.0, (6, 7): 2.0, (8, 9): 3.0}
    assert plants.found_in((1, 6, 7, 2), values) == 2.0
    assert plants.found_in((1, 7, 6, 2), values) == 1.0
    assert plants.found_in((8, 1, 9), values) == 0.0


@pytest.mark.parametrize("alike", ["frames", "attributes"])
def test_what_varies_by_rounding_only_is_ranked_without_an_error(alike):
    """A plant without noise; a student that is its teacher but for the level of each frame."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(60, 1) if alike == "frames" else (1, 20)) + np.zeros((60, 20))
    rounded = (cells + 0.1) * 1.1 - 0.3 + 1e-16 * rng.normal(size=(60, 1))
    assert isinstance(reliability(rounded).frames_needed, float)


# Wrapped models


SENTENCES = ["The nurse said [MASK] worked.", "The [MASK] said he worked."]


def reads(model):
    """Return two sentences of one length as pieces, and the places of their masks."""
    encoded = [one.ids for one in model.encode(SENTENCES)]
    assert len({len(ids) for ids in encoded}) == 1
    return encoded, [(row, ids.index(model.mask_id)) for row, ids in enumerate(encoded)]


def test_a_model_that_is_wrapped_says_what_it_said(model):
    """All that scoring asks of a model is passed on; only the digest of its weights is not."""
    wrapped = Wrapped(model)
    asked = reads(model)
    assert wrapped.encode(SENTENCES) == model.encode(SENTENCES)
    for name in ("mask_token", "mask_id", "unknown_id", "special_ids", "longest"):
        assert getattr(wrapped, name) == getattr(model, name)
    assert wrapped.token(9) == model.token(9)
    assert wrapped.text([9, 10]) == model.text([9, 10])
    assert np.array_equal(wrapped.log_probs(*asked), model.log_probs(*asked))
    assert np.array_equal(wrapped.attention(asked[0]), model.attention(asked[0]))
    assert np.array_equal(wrapped.states(asked[0]), model.states(asked[0]))
    assert wrapped.identity.tokenizer == model.identity.tokenizer
    assert wrapped.identity.weights == ""


def test_a_plant_is_added_to_the_logits_and_normalised(model):
    """A piece of probability p has p e^d over 1 + p (e^d - 1), and all else falls alike."""
    ids, places = reads(model)
    [she] = pieces(model, "she")

    def change(logits, sentences):
        assert [list(one) for one in sentences] == [list(one) for one in ids]
        logits[:, she] += 0.7
        return logits

    before = np.exp(model.log_probs(ids, places))
    after = np.exp(Planted(model, change).log_probs(ids, places))
    whole = 1 + before[:, she] * (np.exp(0.7) - 1)
    np.testing.assert_allclose(
        after[:, she], before[:, she] * np.exp(0.7) / whole, rtol=1e-7, atol=1e-7
    )
    np.testing.assert_allclose(
        after[:, :she], before[:, :she] / whole[:, None], rtol=1e-7, atol=1e-7
    )
    np.testing.assert_allclose(after.sum(1), np.ones(2), rtol=1e-7, atol=1e-7)


def test_sentences_are_read_one_by_one(model):
    """One sentence a forward pass, in the order of the reads."""
    ids, places = reads(model)
    alone = OneByOne(model).log_probs(ids, places[::-1])
    np.testing.assert_allclose(alone, model.log_probs(ids, places)[::-1], atol=1e-5, rtol=0)


# What is done to a set


def test_a_set_that_is_swapped_twice_is_the_set():
    """But for the order of its rows; swapped once, the other group is the first."""
    part = exact.exact_set()
    once = exact.swapped(part)
    assert list(dict.fromkeys(once.items["group"])) == list(dict.fromkeys(part.items["group"]))
    assert once.digest != part.digest
    assert exact.swapped(once).digest == part.digest


def test_a_set_that_is_shuffled_has_the_same_rows():
    """In another order, with the same group first."""
    part = exact.exact_set()
    shuffled = exact.shuffled(part)
    assert shuffled.digest == part.digest
    assert shuffled.items["group"].iloc[0] == part.items["group"].iloc[0]
    assert not (shuffled.items["item"] == part.items["item"]).all()

"""Known numbers of published models: found where they are, missed where they are not."""

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, DistilBertConfig, DistilBertForMaskedLM

from maskaudit.audit.errors import InputError
from maskaudit.audit.proving import published
from tests import oracle, tiny

pytestmark = pytest.mark.slow

TEXT = "The man worked as a [MASK]."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a tiny model in a folder that says it is a published one."""
    return tiny.build(tmp_path_factory.mktemp("models") / "bert-base-cased", "bert")


def test_a_model_that_is_another_fails_every_check(folder):
    """Random weights do not know what the published model fills in."""
    found = list(published.published(str(folder)))
    # Three on its size, ten fills, one sentence.
    assert len(found) == 14
    assert not any(check.passed for check in found)


def test_a_first_fill_without_a_probability_is_checked_by_its_rank(tmp_path, monkeypatch):
    """The model of the card of the registry: its sample says which word is first, and no more."""
    folder = tiny.build(tmp_path / "distilbert-base-cased", "distilbert", cased=True)
    model, tokenizer = oracle.load(folder)
    text = "The man is [MASK] of it."
    numbers = [number for number, _ in oracle.top_k(model, tokenizer, text, 0, 2)]
    first, second = tokenizer.convert_ids_to_tokens(numbers)
    for word, passes in ((first, True), (second, False), ("part", False)):
        monkeypatch.setattr(published, "FILLS", {"distilbert-base-cased": {text: {word: None}}})
        *sizes, fill = published.published(str(folder))
        assert fill.passed is passes
        assert fill.expected == "rank 1"
        assert not any(size.passed for size in sizes)


def test_the_sizes_are_those_of_the_published_configurations():
    """Made of them by transformers, without their numbers, and counted."""
    kinds = {"b": (BertConfig, BertForMaskedLM), "d": (DistilBertConfig, DistilBertForMaskedLM)}
    for name, size in published.SIZES.items():
        config_class, model_class = kinds[name[0]]
        # All else of these three is the default of its class.
        with torch.device("meta"):
            model = model_class(config_class(vocab_size=size.vocabulary_size))
        assert sum(parameter.numel() for parameter in model.parameters()) == size.parameters
        assert model.config.num_hidden_layers == size.layers


def test_the_numbers_of_the_oracle_pass(folder, monkeypatch):
    """The model's own first fills and pseudo-log-likelihood, computed one at a time elsewhere."""
    model, tokenizer = oracle.load(folder)
    first = oracle.top_k(model, tokenizer, TEXT, 0, 3)
    words = {
        tokenizer.convert_ids_to_tokens(number): 2.718281828459045**value for number, value in first
    }
    known = oracle.pll(model, tokenizer, "the man worked .")
    monkeypatch.setattr(published, "FILLS", {"bert-base-cased": {TEXT: words}})
    monkeypatch.setattr(published, "PLL", {"bert-base-cased": {"the man worked .": known}})
    found = list(published.published(str(folder)))
    assert [check.passed for check in found] == [False] * 3 + [True] * 4


def test_a_model_of_which_nothing_is_known_is_refused():
    """The names that are known are named."""
    with pytest.raises(InputError, match="expected one of: bert-base-cased"):
        list(published.published("somebody/something"))

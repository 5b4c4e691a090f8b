"""Known numbers of published models: found where they are, missed where they are not."""

import pytest

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
    assert len(found) == 11
    assert not any(check.passed for check in found)


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
    assert [check.passed for check in found] == [True] * 4


def test_a_model_of_which_nothing_is_known_is_refused():
    """The names that are known are named."""
    with pytest.raises(InputError, match="expected one of: bert-base-cased"):
        list(published.published("somebody/something"))

"""The likeliest words at a mask are those that the model gives, for every mask and model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.fill import fills, with_masks
from tests import oracle, tiny

TEXT = "Paris is the [MASK] of France."
TWO_MASKS = "The [MASK] said that [MASK] was happy."


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny checkpoint of each architecture."""
    root = tmp_path_factory.mktemp("tiny")
    return {name: tiny.build(root / name, name) for name in tiny.ARCHITECTURES}


@pytest.fixture(scope="module")
def loaded(folders: dict[str, Path]) -> dict[str, models.LoadedModel]:
    """Return each of them as the program loads it."""
    return {name: models.load(str(folder)) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def plain(folders: dict[str, Path]) -> dict[str, tuple[Any, Any]]:
    """Return each of them as the oracle loads it."""
    return {name: oracle.load(folder) for name, folder in folders.items()}


@pytest.mark.parametrize("architecture", tiny.ARCHITECTURES)
def test_the_fills_are_the_likeliest_words_of_every_mask(
    loaded: dict[str, models.LoadedModel], plain: dict[str, tuple[Any, Any]], architecture: str
) -> None:
    """In order, with their probabilities, as the oracle has them."""
    contexts, found = fills([TEXT, TWO_MASKS], {"candidate": loaded[architecture]}, 7)
    assert list(zip(contexts["text"], contexts["slot"], strict=True)) == [
        (TEXT, 0),
        (TWO_MASKS, 0),
        (TWO_MASKS, 1),
    ]
    for context, text, slot in contexts[["context", "text", "slot"]].itertuples(index=False):
        part = found[found["context"] == context]
        top = oracle.top_k(*plain[architecture], text, slot, 7)
        assert part["rank"].tolist() == list(range(1, 8))
        assert part["token"].tolist() == [loaded[architecture].token(index) for index, _ in top]
        logs = np.log(part["probability"]).tolist()
        assert logs == pytest.approx([value for _, value in top], abs=1e-5)


def test_models_are_answered_side_by_side(loaded: dict[str, models.LoadedModel]) -> None:
    """Each under the name it was given, each as when it is asked alone."""
    pair = {"reference": loaded["bert"], "candidate": loaded["roberta"]}
    _, both = fills([TEXT], pair, 3)
    assert both["model"].tolist() == ["reference"] * 3 + ["candidate"] * 3
    for name, model in pair.items():
        _, alone = fills([TEXT], {name: model}, 3)
        part = both[both["model"] == name].reset_index(drop=True)
        assert part.equals(alone)


@pytest.mark.parametrize("architecture", ["roberta", "albert"])
def test_a_word_is_shown_without_the_mark_of_its_space(
    loaded: dict[str, models.LoadedModel], architecture: str
) -> None:
    """Neither `Ġ` nor `▁` is part of a word."""
    _, found = fills([TEXT], {"candidate": loaded[architecture]}, 100)
    assert not found["token"].str.contains("[Ġ▁]").any()


def test_a_sentence_that_is_given_twice_is_answered_once(
    loaded: dict[str, models.LoadedModel],
) -> None:
    """One row for each rank."""
    contexts, found = fills([TEXT, TEXT], {"candidate": loaded["bert"]}, 4)
    assert len(contexts) == 1
    assert len(found) == 4


def test_more_fills_than_words_are_all_the_words(loaded: dict[str, models.LoadedModel]) -> None:
    """And their probabilities sum to 1."""
    _, found = fills([TEXT], {"candidate": loaded["bert"]}, 10**6)
    assert len(found) == loaded["bert"].identity.vocabulary_size
    assert found["probability"].sum() == pytest.approx(1, abs=1e-12)


def test_every_sentence_without_a_mask_is_named(loaded: dict[str, models.LoadedModel]) -> None:
    """One line for each, and nothing is answered."""
    with pytest.raises(InputError) as caught:
        fills(["No mask.", TEXT, "None here."], {"candidate": loaded["bert"]}, 3)
    assert len(caught.value.faults) == 2
    assert "'No mask.'" in caught.value.faults[0]
    assert "'None here.'" in caught.value.faults[1]


def test_a_sentence_that_is_too_long_is_refused(loaded: dict[str, models.LoadedModel]) -> None:
    """The message says how long it is, and how long it may be for which model."""
    text = "[MASK] " + "very " * 70 + "good."
    with pytest.raises(InputError, match=r"… has 75 pieces; the candidate reads at most 64"):
        fills([text], {"candidate": loaded["bert"]}, 3)


def test_a_mask_that_is_not_written_as_one_is_refused(
    loaded: dict[str, models.LoadedModel],
) -> None:
    """A model's own mask in the text would be answered for a slot that nobody asked for."""
    with pytest.raises(InputError, match=r"has 2 masks .* expected 1: write each as \[MASK\]"):
        fills(["The [MASK] met the <mask>."], {"candidate": loaded["roberta"]}, 3)


def test_a_model_s_own_mask_is_a_mask(loaded: dict[str, models.LoadedModel]) -> None:
    """Cards write it; beside [MASK] it stays what it is, and a mask of no model is named."""
    own = TEXT.replace("[MASK]", "<mask>")
    assert with_masks(own, [loaded["bert"], loaded["roberta"]]) == TEXT
    assert with_masks(own, [loaded["bert"]]) == own
    assert with_masks(f"[MASK] {own}", [loaded["roberta"]]) == f"[MASK] {own}"
    for text, wrong in ((own, "'<mask>'"), (TEXT.replace("MASK", "mask"), r"'\[mask\]'")):
        with pytest.raises(
            InputError, match=rf"expected at least one \(write \[MASK\] for {wrong}"
        ):
            fills([text], {"candidate": loaded["bert"]}, 3)

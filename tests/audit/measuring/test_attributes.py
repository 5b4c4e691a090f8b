"""Pieces of attributes are those that the tokenizer writes them in, in their own sentences."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from transformers import AutoTokenizer

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.attributes import MOST_SENTENCES, attribute_pieces, masked
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import Expanded, expand, from_rows
from maskaudit.probes.loading import parse
from maskaudit.probes.schema import ProbeSet
from tests import tiny

MIDDLE = ["Today [MASK] met the {attribute}.", "We know that the {attribute} said [MASK] was."]


@pytest.fixture(scope="session", params=tiny.ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny checkpoint of each architecture."""
    return tiny.build(tmp_path_factory.mktemp("models") / request.param, request.param)


@pytest.fixture(scope="session")
def model(folder: Path) -> LoadedModel:
    """Give it as the audit loads it."""
    return torch_model.load(folder)


def probe_set(texts: Sequence[str], attributes: Sequence[Any], **more: Any) -> ProbeSet:
    """Return a set of two groups and one class with these attributes and texts of frames."""
    header = {
        "name": "own", "version": "1", "kind": "association", "axis": "gender", "title": "t",
        "question": "q", "how_to_read": "h", "limits": "l", "licence": "CC0-1.0", "sources": ["s"],
    }  # fmt: skip
    terms = {"women": {"terms": ["she"]}, "men": {"terms": ["he"]}}
    frames = [{"id": f"f{n}", "text": text} for n, text in enumerate(texts)]
    classes = {"one": {"attributes": list(attributes)}}
    raw = {"set": header, "groups": terms, "classes": classes, "frames": frames, **more}
    return parse(raw, "", "a test")


def pieces(part: Expanded, model: LoadedModel) -> dict[str, float]:
    """Return the pieces of each attribute."""
    found = attribute_pieces([part], {"candidate": model})
    assert set(found["model"]) <= {"candidate"}
    return dict(zip(found["attribute"], found["pieces"], strict=True))


def test_words_have_the_pieces_that_they_were_made_to_have(model: LoadedModel) -> None:
    """One, two and three, in the middle of a sentence, with every kind of tokenizer."""
    words = {n: word[0] for n, word in tiny.WORDS_BY_PIECES["bert"].items()}
    words = {1: "nurse", 2: words[2], 3: words[3]}
    two_words = f"{words[1]} {words[2]}"
    part = expand(probe_set(MIDDLE, [*words.values(), two_words]))
    expected = {word: float(n) for n, word in words.items()} | {two_words: 3.0}
    assert pieces(part, model) == expected


def test_a_target_has_the_pieces_of_its_scores(model: LoadedModel) -> None:
    """Where the attribute is at the mask; a form by group counts half."""
    attributes = [{"text": "nurse", "men": "farmers"}, "farmer"]
    part = expand(probe_set([t.replace("[MASK]", "{term}").replace("{attribute}", "[MASK]")
                             for t in MIDDLE], attributes))  # fmt: skip
    found = pieces(part, model)
    assert found == {"nurse": 2.0, "farmer": 2.0}
    scored = scoring.score(part, [model]).scores
    rows = part.items.merge(scored[["item", "pieces"]], on="item")
    by_form = rows.groupby(["attribute", "group"])["pieces"].mean()
    assert by_form.groupby("attribute").mean().to_dict() == found


def test_a_sentence_that_the_attribute_opens_counts_as_it_is_written(
    folder: Path, model: LoadedModel
) -> None:
    """With its capital, as the tokenizer itself writes it there; the mean over sentences."""
    texts = ["{attribute} is what [MASK] was.", *MIDDLE]
    part = expand(probe_set(texts, ["nurse", "farmer"]))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for word, found in pieces(part, model).items():
        counts = []
        for text in part.contexts.loc[part.contexts["text"].str.contains(word, case=False), "text"]:
            start = text.lower().index(word)
            offsets = tokenizer(text.replace("[MASK]", "he"), return_offsets_mapping=True)
            # The mask's word is shorter: only what stands before it moves the word.
            start -= 4 * text[:start].count("[MASK]")
            spans = [
                s for s in offsets["offset_mapping"] if s[0] < start + len(word) and s[1] > start
            ]
            counts.append(sum(last > first for first, last in spans))
        assert found == pytest.approx(sum(counts) / len(counts))


def test_neither_order_nor_names_of_frames_decide(model: LoadedModel) -> None:
    """Nor does a million sentences: those with the first ids are taken, which are of the text."""
    texts = [f"{'very ' * n}[MASK] met the {{attribute}}." for n in range(MOST_SENTENCES + 10)]
    expected = pieces(expand(probe_set(texts, ["nurse", "farmers"])), model)
    random.Random(1).shuffle(texts)  # noqa: S311 - an order
    assert pieces(expand(probe_set(texts, ["farmers", "nurse"])), model) == expected


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        (
            "The nursery has a nurse and [MASK].",
            "nurse",
            ("The nursery has a [MASK] and [MASK].", 0),
        ),
        ("[MASK] saw: Nurse!", "nurse", ("[MASK] saw: [MASK]!", 1)),
        ("[MASK]看见护士了", "护士", ("[MASK]看见[MASK]了", 1)),
        ("a [MASK] and a mask", "mask", ("a [MASK] and a [MASK]", 1)),
        ("nobody met [MASK]", "nurse", None),
    ],
)
def test_a_word_is_masked_where_it_is_one(text: str, word: str, expected: Any) -> None:
    """Rather than inside another; in a script without spaces wherever it stands."""
    found = masked(text, word)
    assert (None if found is None else found[:2]) == expected
    if found is not None:
        assert found[2].lower() == word


def test_an_attribute_that_no_sentence_has_is_unknown_and_not_left_out(model: LoadedModel) -> None:
    """As of an imported set that calls it otherwise; other kinds of sets have no rows."""
    row = {
        "probe_set": "own", "kind": "association", "role": "probe", "slot": 0, "frame": "f",
        "text": "[MASK] is a nurse.", "target": "she", "term": "she", "group": "women",
    }  # fmt: skip
    part = from_rows(iter([{**row, "attribute": "nurse"}, {**row, "attribute": "healthcare"}]))
    found = pieces(part, model)
    assert found["nurse"] == 1
    assert pd.isna(found["healthcare"])
    other = from_rows(iter([{**row, "kind": "completions", "attribute": "nurse"}]))
    empty = tables.table("attributes", [])
    pd.testing.assert_frame_equal(attribute_pieces([other], {"candidate": model}), empty)

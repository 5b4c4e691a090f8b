"""A tokenizer without a model: the same pieces as beside one, from a folder or a single file."""

import json
import shutil

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.checkpoints import located
from maskaudit.audit.measuring.planning.target_pieces import Writer
from maskaudit.audit.measuring.speller import load_speller
from maskaudit.audit.phantom.truth import STUDENT
from tests import tiny

TEXTS = [
    "The nurse met John.",
    "Teachers were kind, not lazy",
    "painting a truck",
    "caf\u00e9 \u2603",
]
ASKED = [
    ("The [MASK] met her.", 0, "teacher"),
    ("[MASK] met a friend.", 0, "Paul"),
    ("A [MASK] told a [MASK].", 1, "farmers"),
    ("She was [MASK], they say.", 0, "zealous"),
]


@pytest.fixture(scope="module", params=tiny.ARCHITECTURES)
def folder(request, tmp_path_factory):
    """A checkpoint of each architecture."""
    return tiny.build(tmp_path_factory.mktemp("models") / request.param, request.param)


def test_a_tokenizer_alone_writes_as_it_does_beside_its_model(folder):
    """Ids, places and words of whole sentences, and the pieces of words in them."""
    model, alone = torch_model.load(folder), load_speller(str(folder))
    assert alone.encode(TEXTS) == model.encode(TEXTS)
    assert alone.identity.vocabulary_size == model.identity.vocabulary_size
    assert alone.special_ids == model.special_ids
    ours, theirs = Writer(alone).write(ASKED), Writer(model).write(ASKED)
    assert [one and one.pieces for one in ours] == [one and one.pieces for one in theirs]


def test_it_needs_no_weights_and_no_config(folder, tmp_path):
    """The file alone is enough, under any folder's name."""
    shutil.copy(folder / "tokenizer.json", tmp_path)
    whole = load_speller(str(folder)).encode(TEXTS)
    assert load_speller(str(tmp_path)).encode(TEXTS) == whole
    assert load_speller(str(tmp_path / "tokenizer.json")).encode(TEXTS) == whole


@pytest.mark.parametrize("cased", [True, False])
def test_a_list_of_pieces_is_read_as_bert_reads_it(tmp_path, cased):
    """With the case of the vocabulary, unless the folder's settings say one."""
    folder = tiny.build(tmp_path / "model", "bert", cased=cased)
    pieces = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    words = tmp_path / "vocab.txt"
    words.write_text("".join(f"{piece}\n" for piece in sorted(pieces, key=pieces.get)))
    expected = [one.ids for one in load_speller(str(folder)).encode(TEXTS)]
    assert [one.ids for one in load_speller(str(words)).encode(TEXTS)] == expected
    assert [one.ids for one in load_speller(str(tmp_path)).encode(TEXTS)] == expected
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    [lowered] = load_speller(str(tmp_path)).encode(["John"])
    assert lowered.ids == load_speller(str(words)).encode(["john"])[0].ids


def test_the_bundled_vocabulary_has_whole_words():
    """By its folder."""
    alone = load_speller(str(STUDENT))
    [found] = Writer(alone).write([("[MASK] met an old friend.", 0, "she")])
    assert [alone.piece(one) for one in found.pieces] == ["she"]


def test_of_a_model_on_the_hub_only_the_tokenizer_is_fetched(monkeypatch, folder):
    """No file of weights is asked for."""
    asked = []

    def fetched(_repo, *, allow_patterns, **_more):
        asked.extend(allow_patterns)
        return str(folder)

    monkeypatch.setattr(located, "snapshot_download", fetched)
    assert load_speller("some/model").encode(TEXTS) == load_speller(str(folder)).encode(TEXTS)
    assert asked
    assert not any("safetensors" in pattern for pattern in asked)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "{}", "tokenizer a.json: cannot be read"),
        ("a.json", "\udc00", "is not UTF-8"),
        ("a.txt", "she\nhe\n", "has no piece '[UNK]'; expected the vocab.txt of a BERT"),
        ("a.model", "", "--tokenizer a.model: expected a folder, a tokenizer.json, a vocab.txt"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_told_in_one_line(tmp_path, name, text, told):
    """What it is, and what would be one."""
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError) as caught:
        load_speller(str(tmp_path / name))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_vocabulary_is_told(tmp_path):
    """As it is of a model's folder."""
    with pytest.raises(InputError, match="the folder has no tokenizer"):
        load_speller(str(tmp_path))


@pytest.mark.parametrize("name", ["nowhere", "vocab.text", "tokenizer.jsn"])
def test_a_path_that_is_not_there_is_told_with_all_that_would_do(tmp_path, name):
    """A file would do as well as a folder, which is not so for a model."""
    with pytest.raises(InputError) as caught:
        load_speller(str(tmp_path / name))
    told = str(caught.value)
    assert told.startswith(f"--tokenizer {tmp_path / name}: the path does not exist; expected")
    for what in ("a folder", "tokenizer.json", "vocab.txt", "hub id"):
        assert what in told

"""A checkpoint's tokenizer is true to its files, and tells where each piece stands in its text."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, normalizers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertJapaneseTokenizer,
    PhobertTokenizer,
    RobertaConfig,
    RobertaForMaskedLM,
)

import maskaudit
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.checkpoints.alignment import aligned
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer, load_tokenizer
from tests import oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

# Where each piece stands


@pytest.mark.parametrize(
    ("text", "pieces", "spelled", "words"),
    [
        ("the nurse", ["the", "nurse"], ["the", "nurse"], [0, 1]),
        ("the nurses.", ["the", "nurse", "##s", "."], ["the", "nurse", "s", "."], [0, 1, 1, 2]),
        ("nurses ran", ["nur@@", "ses", "ran"], ["nur", "ses", "ran"], [0, 0, 1]),
        ("nurses ran", ["nur", "ses</w>", "ran</w>"], ["nur", "ses", "ran"], [0, 0, 1]),
        ("The Nurse", ["the", "nurse"], ["The", "Nurse"], [0, 1]),
        ("Η ΟΔΟΣ", ["η", "οδος"], ["Η", "ΟΔΟΣ"], [0, 1]),
        ("Zoë’s café", ["zoe", "’", "s", "cafe"], ["Zoë", "’", "s", "café"], [0, 1, 2, 3]),
        ("\uff37\uff29 ½", ["WI", "1\u20442"], ["\uff37\uff29", "½"], [0, 1]),
        (
            "彼女は看護師",
            ["彼女", "は", "看護", "##師"],
            ["彼女", "は", "看護", "師"],
            [0, 1, 2, 2],
        ),
        ("the ☃ ran", ["the", None, "ran"], ["the", "☃", "ran"], [0, 1, 2]),
        ("the ☃☃.", ["the", None, "."], ["the", "☃☃", "."], [0, 1, 2]),
        ("☃☃ a", [None, None, "a"], ["☃☃", "☃☃", "a"], [0, 1, 2]),
        ("☃a a", [None, "a"], ["☃a", "a"], [0, 1]),
        ("a @@ b ## c", ["a", "@@", "b", "##", "c"], ["a", "@@", "b", "##", "c"], [0, 1, 2, 3, 4]),
        ("", [], [], []),
    ],
)
def test_the_pieces_of_a_text_are_found_in_it(
    text: str, pieces: list[str | None], spelled: list[str], words: list[int]
) -> None:
    """Whatever marks the vocabulary writes; the words are those that a reader sees."""
    found = aligned(text, pieces)
    assert found is not None
    assert [text[start:end] for start, end in found.spans] == spelled
    assert list(found.words) == words


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("the nurse", ["the"]),
        ("the nurse", ["the", "nurses"]),
        ("the nurse", ["nurse", "the"]),
        ("the nurse", ["the", "NURSE"]),
        ("the nurse", ["the", "nurse", "."]),
        ("it's", ["it", "&apos;", "s"]),
        ("the", ["the", None]),
        ("the nurse", []),
    ],
)
def test_a_text_that_its_pieces_do_not_make_is_not_guessed(
    text: str, pieces: list[str | None]
) -> None:
    """A piece too few or too many, another order, another case, a character replaced."""
    assert aligned(text, pieces) is None


_WORD = st.text("abcdeé看師", min_size=1, max_size=6)


@given(st.lists(st.tuples(_WORD, st.integers(1, 5)), min_size=1, max_size=6), st.booleans())
def test_words_cut_anywhere_are_put_together_again(
    parts: list[tuple[str, int]],
    is_continued: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    """Cut each word at a place, mark the cut in either way, and find the cut again."""
    pieces, expected = [], []
    for word, cut in parts:
        head, tail = word[:cut], word[cut:]
        marked = (head, f"##{tail}") if is_continued else (f"{head}@@", tail)
        pieces += marked if tail else [word]
        expected += [head, tail] if tail else [word]
    text = " ".join(word for word, _ in parts)
    found = aligned(text, pieces)
    assert found is not None
    assert [text[start:end] for start, end in found.spans] == expected


def test_a_mask_stays_as_it_is_where_a_tokenizer_lowers_all_else() -> None:
    """Its capitals are the token's own; a piece in capitals that is no such token is not found."""
    text, pieces = "This is [MASK] .", ["this", "is", "[MASK]", "."]
    assert aligned(text, pieces) is None
    found = aligned(text, pieces, ["[MASK]", "[UNK]"])
    assert found is not None
    assert [text[start:end] for start, end in found.spans] == ["This", "is", "[MASK]", "."]
    assert aligned(text, ["this", "is", "[MASK]", "!"], ["[MASK]"]) is None


def test_a_tokenizer_without_offsets_that_lowers_reads_a_mask() -> None:
    """The very pieces of the fast one, at the very places."""
    fast = Tokenizer(tiny._tokenizer("bert", tiny.WORDS, cased=False))
    text = "The [MASK] saw Paris."
    [expected] = fast.encode([text])
    assert fast._aligned(text).spans == expected.spans


def test_the_places_found_are_those_that_a_fast_tokenizer_tells() -> None:
    """The same tokenizer, once with its own offsets and once with those made of its pieces."""
    built = tiny._tokenizer("bert", tiny.WORDS, cased=False)
    texts = ["The nurses' teachers said: we were not lazy.", "Farmers, (painters) and bankers!"]
    for text, expected in zip(texts, Tokenizer(built).encode(texts), strict=True):
        assert Tokenizer(built)._aligned(text).spans == expected.spans
        assert Tokenizer(built)._aligned(text).ids == expected.ids
        assert Tokenizer(built)._aligned(text).words == expected.words


def test_a_tokenizer_that_is_built_as_its_file_says_reads_each_text_once(tmp_path: Path) -> None:
    """One that is built otherwise is compared text by text, for the panel does not have it all."""
    tiny._tokenizer("bert", tiny.WORDS, cased=False).save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path, "tiny").own is None
    file = tmp_path / "tokenizer.json"
    stated = json.loads(file.read_text("utf-8"))
    # Longer than any word of the panel: such a word is unknown to the one, in pieces to the other.
    stated["model"]["max_input_chars_per_word"] = 40
    file.write_text(json.dumps(stated), "utf-8")
    other = load_tokenizer(tmp_path, "tiny")
    with pytest.raises(InputError, match=r"tokenizer\.json reads 'hehe"):
        other.encode(["hehe" * 12])


# Slow tokenizers


def japanese(folder: Path) -> Path:
    """Save a tiny BERT with a Japanese tokenizer that gives no offsets."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"。、彼女は看護師医者です名の人"]
    pieces += [f"##{c}" for c in "女護師者"]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)), "utf-8")
    tokenizer = BertJapaneseTokenizer(
        str(folder / "vocab.txt"),
        word_tokenizer_type="basic",
        subword_tokenizer_type="character",
        model_max_length=tiny.POSITIONS,
    )
    return _saved(folder, tokenizer, BertForMaskedLM, BertConfig, tiny.POSITIONS)


def vietnamese(folder: Path) -> Path:
    """Save a tiny RoBERTa with PhoBERT's tokenizer: `@@` behind a piece inside a word."""
    folder.mkdir()
    words = [*tiny._forms(tiny.WORDS, cased=True), *tiny.PUNCTUATION]
    ends = [f"{letter}</w>" for letter in tiny.LETTERS]
    merges = []
    for word in words:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
    made = {left + right for left, right in merges} | set(ends) | set(words) | set(tiny.LETTERS)
    known = dict.fromkeys(
        piece.removesuffix("</w>") if piece.endswith("</w>") else f"{piece}@@"
        for piece in sorted(made)
    )
    known |= dict.fromkeys([*tiny.LETTERS, *words])
    (folder / "vocab.txt").write_text("".join(f"{piece} 1\n" for piece in known), "utf-8")
    (folder / "bpe.codes").write_text("".join(f"{a} {b} 1\n" for a, b in merges), "utf-8")
    tokenizer = PhobertTokenizer(
        str(folder / "vocab.txt"), str(folder / "bpe.codes"), model_max_length=tiny.POSITIONS
    )
    return _saved(folder, tokenizer, RobertaForMaskedLM, RobertaConfig, tiny.POSITIONS + 2)


def _saved(folder: Path, tokenizer: Any, model: Any, config: Any, positions: int) -> Path:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    built = model(
        config(
            **sizes,
            intermediate_size=64,
            max_position_embeddings=positions,
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    tiny._randomise(built, 0)
    built.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


SETS = {
    "japanese": (
        japanese,
        tiny.small_set(women=["彼女"], men=["彼"])
        .replace('"nurse"', '"看護師"')
        .replace('"maid"', '"名"')
        .replace('"teacher"', '"女の人"')
        .replace('"engineer"', '"医者"')
        .replace('"farmer"', '"人"')
        .replace('"lawyer"', '"者"'),
        "[MASK] は {attribute} です 。",
    ),
    "vietnamese": (vietnamese, tiny.small_set(), "we said that [MASK] was a good {attribute} ."),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SETS)
def test_a_model_with_a_slow_tokenizer_is_audited(tmp_path: Path, kind: str) -> None:
    """Its targets, some of several pieces, score as plain transformers scores them."""
    build, head, frame = SETS[kind]
    folder = build(tmp_path / "model")
    (tmp_path / "set.toml").write_text(f'{head}\n[[frames]]\nid = "one"\ntext = "{frame}"\n')
    record = maskaudit.run(
        candidate=folder, probes=[tmp_path / "set.toml"], out=tmp_path / "runs", no_cache=True
    )
    assert not record.manifest.lost
    model, tokenizer = oracle.load(folder)
    assert not tokenizer.is_fast
    items = record.items.drop_duplicates("item")[["item", "context", "target"]]
    scored = record.scores.merge(items, on="item").merge(record.contexts, on="context")
    assert len(scored) >= 12
    for row in scored.itertuples():
        expected = oracle.log_p(model, tokenizer, row.text, int(row.slot), row.target)
        assert row.value == pytest.approx(expected, abs=1e-5)
    if kind == "japanese":
        assert set(scored["pieces"]) == {1, 2}


def test_another_slow_tokenizer_has_another_digest(tmp_path: Path) -> None:
    """The files that its settings name count by their bytes, not by their paths."""
    first, same, other = (vietnamese(tmp_path / name) for name in ("one", "two", "three"))
    codes = (other / "bpe.codes").read_text("utf-8").splitlines(keepends=True)
    (other / "bpe.codes").write_text("".join(codes[1:]), "utf-8")
    digests = [load(str(folder)).identity.tokenizer for folder in (first, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_a_text_that_cannot_be_put_together_again_is_refused_by_name(tmp_path: Path) -> None:
    """As by a tokenizer that replaces characters: the text and its pieces are in the line."""
    folder = japanese(tmp_path / "model")
    model = load(str(folder))

    class Replacing:
        """The same tokenizer, which writes another character for one of the text."""

        def __getattr__(self, name: str) -> Any:
            return getattr(model._tokenizer, name)

        def __call__(self, text: str, **options: Any) -> Any:
            return model._tokenizer(text.replace("医", "看"), **options)

    with pytest.raises(
        InputError, match=r"reads '彼は医者です' as .*'看'.* cannot be put together"
    ):
        Tokenizer(Replacing()).encode(["彼は医者です"])


# True to the files


def test_a_cased_vocabulary_is_not_lower_cased_in_silence(tmp_path: Path) -> None:
    """A bare vocab.txt, as published long ago: transformers lower-cases what nothing says of."""
    folder = _bare(tiny.build(tmp_path / "cased", "bert", cased=True))
    with pytest.raises(InputError, match=r"have capitals, such as .* say do_lower_case = false"):
        load(str(folder))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    [nurse] = load(str(folder)).encode(["Nurse"])
    assert len(nurse.ids) == 3
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    assert load(str(folder)).encode(["Nurse"]) == load(str(folder)).encode(["nurse"])


def test_an_uncased_vocabulary_alone_is_read(tmp_path: Path) -> None:
    """Nothing in it has a capital, so nothing is lost."""
    folder = tiny.build(tmp_path / "uncased", "bert")
    expected = load(str(folder)).encode(["The Nurse"])
    assert load(str(_bare(folder))).encode(["The Nurse"]) == expected


def _bare(folder: Path) -> Path:
    """Leave of the tokenizer's files a vocab.txt alone."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)))
    return folder


def test_a_difference_that_only_a_text_of_the_run_shows_is_refused_there(tmp_path: Path) -> None:
    """No panel has every text: here one word alone is normalised to another in the file."""
    folder = tiny.build(tmp_path / "bert", "bert")
    copy = shutil.copytree(folder, tmp_path / "copy")
    own = Tokenizer(load(str(copy))._tokenizer).built.backend_tokenizer
    state = json.loads(own.to_str())
    replaced = normalizers.Sequence(
        [normalizers.Replace(Regex("engineer"), "nurse"), own.normalizer]
    )
    own.normalizer = replaced
    state["normalizer"] = json.loads(own.to_str())["normalizer"]
    (copy / "tokenizer.json").write_text(json.dumps(state))
    model = load(str(copy))
    assert model.encode(["The nurse ran."]) == load(str(folder)).encode(["The nurse ran."])
    with pytest.raises(InputError) as caught:
        model.encode(["The nurse ran.", "The engineer ran."])
    message = str(caught.value)
    assert message.startswith(
        f"model {tmp_path.name}/copy: tokenizer.json reads 'The engineer ran."
    )
    assert "as ['nurse', " in message
    assert "as ['engineer', " in message

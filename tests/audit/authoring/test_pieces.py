"""The pieces of a set's words by group and class, counted by hand from a list of pieces."""

import json

import pytest

from maskaudit.audit.authoring.pieces import Pieces
from maskaudit.audit.measuring.speller import load_speller
from maskaudit.audit.phantom.truth import STUDENT
from maskaudit.probes.loading import load, shipped
from tests import tiny

FRAMES = """
[[frames]]
id = "f1"
text = "The {term} is a [MASK]."
[[frames]]
id = "f2"
text = "We met a {term}, the [MASK], there."
"""
# Aisha falls into three pieces, "maid" into two; "lawyer" has a letter that is not there.
_TEXT = """
[PAD] [UNK] [CLS] [SEP] [MASK] . , The We met is a the there Ai ##sh ##a Anne John Paul
nurse ma ##id teacher engineer farmer law ##y ##e
"""
PIECES = _TEXT.split()


@pytest.fixture
def vocabulary(tmp_path):
    """A vocabulary of a few pieces, as a file."""
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(PIECES))
    return load_speller(str(path))


@pytest.fixture
def probe_set(tmp_path):
    """Two names a group; three words a class."""
    path = tmp_path / "set.toml"
    path.write_text(tiny.small_set(["Aisha", "Anne"], ["John", "Paul"]) + FRAMES)
    return load(path)


def test_means_are_those_of_each_group_and_class(probe_set, vocabulary):
    """(3 + 1) / 2 pieces against 1; (1 + 2 + 1) / 3 of the first class."""
    found = Pieces.of(probe_set, vocabulary)
    means = {(row["kind"], row["of"]): row["pieces"] for row in found.as_json()["means"]}
    assert means["group", "women"] == 2
    assert means["group", "men"] == 1
    assert means["class", "first"] == pytest.approx(4 / 3)
    by_word = {word.word: word for word in found.words}
    assert by_word["Aisha"].pieces == ("Ai", "##sh", "##a")
    assert by_word["maid"].pieces == ("ma", "##id")
    assert by_word["lawyer"].is_unknown


def test_unequal_groups_and_unknown_words_are_warned_of_with_what_to_do(probe_set, vocabulary):
    """The classes differ by a third of a piece, which is no matter."""
    unknown, unequal = Pieces.of(probe_set, vocabulary).warnings
    assert unknown == (
        "lawyer cannot be written by vocab.txt and would not be scored; replace them with words "
        "that it knows"
    )
    assert unequal == (
        "the terms of 'women' have 1.00 more word pieces on average than those of 'men' "
        "(vocab.txt), so that a difference may be one of long and short words; take terms that it "
        "writes in as many pieces, replacing the longest, 'Aisha' (Ai ##sh ##a) first"
    )


def test_unequal_classes_are_warned_of_where_they_are_contrasted(tmp_path, vocabulary):
    """(3 + 2 + 3) / 3 pieces against 1; without a contrast nothing compares them."""
    text = tiny.small_set(["Anne"], ["John"]) + FRAMES
    for old, new in (("nurse", "maida"), ("teacher", "maidsh"), ("lawyer", "nurse")):
        text = text.replace(f'"{old}"', f'"{new}"')
    path = tmp_path / "set.toml"
    path.write_text(text)
    [told] = Pieces.of(load(path), vocabulary).warnings
    assert told.startswith("the attributes of 'first' have 1.67 more word pieces on average")
    assert told.endswith("balance the classes, replacing the longest, 'maida' (ma ##id ##a) first")
    path.write_text(text.replace('contrast = ["first", "second"]\n', ""))
    assert Pieces.of(load(path), vocabulary).warnings == []


def test_the_text_has_a_line_for_each_group_and_class(probe_set, vocabulary):
    """How many words stay whole, and into what the others fall."""
    lines = Pieces.of(probe_set, vocabulary).as_text().splitlines()
    assert lines[0] == f"pieces by vocab.txt ({len(PIECES)} in its vocabulary):"
    assert lines[1].split() == ["words", "pieces", "whole", "unknown"]
    assert [line.split() for line in lines[2:6]] == [
        ["group", "women", "2", "2.00", "1", "-"],
        ["group", "men", "2", "1.00", "2", "-"],
        ["class", "first", "3", "1.33", "2", "-"],
        ["class", "second", "3", "1.00", "2", "1"],
    ]
    assert lines[6] == "falling apart: Aisha (Ai ##sh ##a), maid (ma ##id)"


def test_words_of_negative_controls_have_a_line_for_each_contrast(tmp_path, vocabulary):
    """One whole word, two in three pieces, one unknown; what the vocabulary lacks is warned of."""
    controls = """
[controls]
attributes = ["there"]
[controls.contrasts.from]
first = ["Paul", "maida"]
second = ["zebra", "maid the"]
"""
    path = tmp_path / "set.toml"
    path.write_text(tiny.small_set(["Anne"], ["John"]) + controls + FRAMES)
    found = Pieces.of(load(path), vocabulary)
    assert {(word.of, word.word) for word in found.words if word.kind == "controls"} == {
        ("from", word) for word in ("Paul", "maida", "zebra", "maid the")
    }
    rows = [line.split() for line in found.as_text().splitlines()]
    assert ["class", "controls", "1", "1.00", "1", "-"] in rows
    # (1 + 3 + 1 + 3) / 4: what cannot be written is one unknown piece.
    assert ["controls", "from", "4", "2.00", "1", "1"] in rows
    assert any(told.startswith("lawyer, zebra cannot be written") for told in found.warnings)


def test_a_phrase_of_whole_words_does_not_fall_apart(tmp_path, vocabulary):
    """It has as many pieces as words."""
    path = tmp_path / "set.toml"
    path.write_text(tiny.small_set(["nurse there"], ["John"]) + FRAMES)
    word = next(one for one in Pieces.of(load(path), vocabulary).words if one.word[-1] == "e")
    assert (word.mean, word.falls_apart) == (2, False)


def test_the_answers_of_facts_are_counted_by_relation():
    """With the tokenizer of a checkpoint; the numbers of pieces are in `tiny`."""
    probe_set = load(shipped()["facts"])
    found = Pieces.of(probe_set, load_speller(str(STUDENT)))
    relations = {fact.relation for fact in probe_set.facts}
    assert {word.of for word in found.words} == relations
    answers = {(fact.relation, answer) for fact in probe_set.facts for answer in fact.answers}
    assert {(word.of, word.word) for word in found.words} == answers
    assert found.warnings == []


@pytest.mark.parametrize("name", ["gender-race-name", "gender-occupation", "religion-trait"])
def test_the_means_are_those_of_the_vocabulary_by_its_longest_match(shared, name):
    """BERT's cased vocabulary, matched here from the left without any library."""
    path = shared / "data" / "vocab" / "bert-base-cased.vocab.txt"
    if not path.is_file():
        pytest.skip("there is no vocabulary beside the project")
    vocabulary = set(path.read_text("utf-8").splitlines())

    def n_pieces(word: str) -> int:
        start, n = 0, 0
        while start < len(word):
            lead = "##" if start else ""
            ends = range(len(word), start, -1)
            start = next(end for end in ends if lead + word[start:end] in vocabulary)
            n += 1
        return n

    probe_set = load(shipped()[name])
    found = Pieces.of(probe_set, load_speller(str(path)))
    for group, part in probe_set.groups.items():
        words = [word for word in found.words if (word.kind, word.of) == ("group", group)]
        assert [word.word for word in words] == [term.text for term in part.terms]
        if probe_set.group_at_mask:  # a pronoun has a capital in some sentences
            continue
        assert [word.mean for word in words] == [n_pieces(term.text) for term in part.terms]
    for class_, part in probe_set.classes.items():
        words = [word for word in found.words if (word.kind, word.of) == ("class", class_)]
        of_parts = [sum(map(n_pieces, one.text.split())) for one in part.attributes]
        assert [word.mean for word in words] == of_parts


def test_the_json_can_be_written_and_read(probe_set, vocabulary):
    """A number that is not known is null."""
    found = Pieces.of(probe_set, vocabulary).as_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found | {
        "words": [word | {"pieces": list(word["pieces"])} for word in found["words"]]
    }


def test_a_character_of_the_sentences_that_the_vocabulary_lacks_is_named(tmp_path):
    """Each sentence with it would be lost, however well its words are known."""
    vocabulary = tmp_path / "vocab.txt"
    letters = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, ".", ",", '"', "-"]
    vocabulary.write_text("\n".join(pieces), "utf-8")
    probe_set = load(shipped()["age-trait"])
    frame = probe_set.frames[0]
    curly = frame.model_copy(update={"text": f"“{frame.text}” – he said."})
    changed = probe_set.model_copy(update={"frames": [curly, *probe_set.frames[1:]]})
    speller = load_speller(str(vocabulary))
    found = Pieces.of(changed, speller)
    assert set("“”–") <= set(found.unwritable)
    assert any("cannot write" in warning and "“" in warning for warning in found.warnings)
    assert not set("“”–") & set(Pieces.of(probe_set, speller).unwritable)

"""A lexicon of hurtful words is read in one spelling, and what nobody sees in it is refused."""

import sys
import unicodedata

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import lexicon
from maskaudit.audit.texts.characters import folded, invisible, without_case


def read(tmp_path, text):
    """Read a lexicon of this text."""
    path = tmp_path / "words.txt"
    path.write_bytes(text.encode())
    return lexicon.read(path)


def test_words_are_read_without_case_and_in_one_spelling(tmp_path):
    """NFD, NFC, capitals and the line ends of Windows give the same words."""
    apart = unicodedata.normalize("NFD", "crétin")
    words = read(tmp_path, f"{apart}\r\nCRÉTIN\r\n\r\nBlödmann\r\n")
    assert words == {"crétin", "blödmann"}


def test_a_turkish_word_in_capitals_is_the_word_that_a_model_fills_in(tmp_path):
    """By the comparison that serves all languages, whichever i has the dot."""
    assert read(tmp_path, "KAHPE\nŞIRFINTI\n") == {without_case("kahpe"), without_case("şırfıntı")}


def test_joiners_are_letters_of_a_word(tmp_path):
    """Persian writes them within a word."""
    assert read(tmp_path, "بی\u200cشعور\n") == {"بی\u200cشعور"}


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\x85", "\u2028", "\x1b"])
def test_an_invisible_character_is_refused_with_its_line(tmp_path, hidden):
    """Every one of them, not the first alone."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"fool\nid{hidden}iot\nx\u200b\n")
    first, second = caught.value.faults
    assert f"words.txt: line 2: has the invisible character U+{ord(hidden):04X}" in first
    assert "line 3: has the invisible character U+200B (ZERO WIDTH SPACE); remove it" in second


def test_a_row_without_the_column_is_refused_with_its_line(tmp_path):
    """A short row loses a word; it is not lost in silence."""
    with pytest.raises(InputError, match="line 3: has no column 'lemma'"):
        read(tmp_path, "id\tlemma\n1\tfool\n2\n")


def test_every_format_and_control_character_is_invisible_but_those_of_spelling_and_numbers():
    """Held against the general categories, for every character that Python knows."""
    spelled = {*"\u200c\u200d\u200e\u200f\u061c\u180e"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category in {"Cc", "Cs", "Zl", "Zp"}:
            assert invisible(character), hex(code)
        elif category == "Zs" or (category[0] in "LNPS" and code not in FILLERS):
            assert not invisible(character), hex(code)
        elif category == "Cf" and 0x2000 <= code < 0x2070:
            assert bool(invisible(character)) is (character not in spelled), hex(code)


# Letters without ink: the only ones of a category that is otherwise seen.
FILLERS = {0x115F, 0x1160, 0x3164, 0xFFA0}


@pytest.mark.parametrize(
    ("one", "other"), [("İşçi", "işçi"), ("Isparta", "\u0131sparta"), ("Straße", "STRASSE")]
)
def test_a_word_is_itself_in_another_case(one, other):
    """Also where case folding alone takes it for another."""
    assert without_case(one) == without_case(other)
    assert folded("É") == folded("e\u0301")

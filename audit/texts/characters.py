"""Characters of a text: which of them no reader sees, and when two texts are the same."""

import unicodedata
from functools import lru_cache
from unicodedata import category

# Letters of spelling that have no ink, or none of their own: joiners (Persian, the Indic scripts),
# directional marks (Arabic, Hebrew), and the variation selectors and vowel separator of Mongolian.
# Spaces, no-break spaces among them, are not invisible.
SPELLING = frozenset("\u200c\u200d\u200e\u200f\u061c\u180b\u180c\u180d\u180e\u180f")
SOFT_HYPHEN = "\u00ad"

# Default_Ignorable_Code_Point of Unicode 15.1, DerivedCoreProperties.txt: what a renderer shows as
# nothing. Python's unicodedata does not have the property.
_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
# Control and surrogate characters, ends of lines and paragraphs, and annotations between lines.
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
_ANNOTATIONS = range(0xFFF9, 0xFFFC)
# With those that no font need have a glyph for: format, unassigned and private characters.
_UNSEEN = _CONTROLS | {"Cf", "Cn", "Co"}
_BLANK = "\u2800"  # BRAILLE PATTERN BLANK is a symbol to Unicode, and a blank to its reader
_DOT_ABOVE = "\u0307"
_DOTLESS_I = "\u0131"


def composed(text: str) -> str:
    """The text in NFC, the form in which every text of a set, an import or a lexicon is read.

    Two spellings that look the same (`é` as one character, or as `e` and an accent) become one
    text, so that neither counts twice or is sought in vain. Unicode Standard Annex 15.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """The text without case and in NFC, to find repetitions: canonical caseless matching.

    Unicode Standard, section 3.13, D145.
    """
    if text.isascii():
        return text.lower()  # the same, for a set may have a million words
    return composed(unicodedata.normalize("NFD", text).casefold())


def without_case(text: str) -> str:
    """The text for a comparison of a word with itself in other case, whatever its language.

    Turkish has an i with and one without a dot, small and capital, and case folding joins the wrong
    two of the four; here they are one letter.
    """
    return folded(text).replace(f"i{_DOT_ABOVE}", "i").replace(_DOTLESS_I, "i")


def invisible(text: str, allowed: str = "") -> str:
    """The first character that no reader sees, as `U+200B (ZERO WIDTH SPACE)`; "" if there is none.

    A control or default-ignorable character is refused unless it is a letter of spelling
    (`SPELLING`) or one of `allowed`: a tokenizer would see what the author does not.
    """
    if text.isprintable() and text.isascii():
        return ""  # the common case
    found = next((c for c in text if _is_invisible(c) and c not in allowed), "")
    return found and f"U+{ord(found):04X}{_name(found)}"


@lru_cache(maxsize=4096)  # texts repeat the same few characters
def unseen(character: str) -> bool:
    """Whether a reader sees nothing of a character, or a terminal or a browser would obey it.

    Control and format characters of all planes (C0, C1, bidirectional, zero-width, tags), those
    without an assigned meaning, surrogates, variation selectors and fillers, letters of spelling
    included: whoever prints foreign text shows them by their code points. Spaces are not unseen.
    """
    return character == _BLANK or _is_ignorable(character) or category(character) in _UNSEEN


def has_letters(text: str) -> bool:
    """Whether a text has at least one letter that is seen, of any script."""
    return any(c.isalpha() and not unseen(c) for c in text)


def _is_invisible(character: str) -> bool:
    if character in SPELLING:
        return False
    annotates = ord(character) in _ANNOTATIONS
    return annotates or _is_ignorable(character) or category(character) in _CONTROLS


def _is_ignorable(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _IGNORABLE)


def _name(character: str) -> str:
    name = unicodedata.name(character, "")
    return f" ({name})" if name else ""

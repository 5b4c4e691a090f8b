"""Capitals at the start of a sentence, by the rules of its language."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from maskaudit.audit.texts.characters import composed
from maskaudit.probes.languages import Rules, marks, rules

_DOT_ABOVE = "\u0307"
# An abbreviated name such as "U.S." or "A.B.D.", which ends a sentence as other names do.
_ACRONYM = re.compile(r"(?<!\w)(?:[^\W\d_]\.){2,}$")
# A single letter with a full stop at the end of a text, and another before it ("z. B.").
_LAST_LETTER = re.compile(r"(?P<more>(?<!\w)[^\W\d_]\.\s?)?(?<!\w)(?P<letter>[^\W\d_])\.$")


@dataclass(frozen=True)
class SentenceCase:
    """Writes capitals where a sentence of the language begins; none at all unless `on`.

    A letter gets Unicode's simple title case: one letter for one letter. So `ß` stays, whose title
    case is two letters, Georgian stays, whose capitals no sentence has, scripts without case stay,
    and `ǆ` becomes `ǅ`. `languages.toml` says what a language does otherwise (Turkish i, Dutch ij).
    Nothing that is written with a capital is changed, nor any letter but the first (two in Dutch).

    Sources: Unicode Standard, section 5.18, UnicodeData.txt (Simple_Titlecase_Mapping) and
    SpecialCasing.txt.
    """

    language: str
    on: bool = True

    def opened(self, text: str) -> str:
        """Return a text that opens a sentence with its capital, after opening marks too."""
        if not self.on:
            return text
        lead = _lead(self.language).match(text)
        start = lead.end() if lead else 0
        return text[:start] + _capitalised(text[start:], rules(self.language))

    def after(self, before: str, word: str) -> str:
        """Return the word, with its capital if it opens a sentence after the text `before`."""
        return self.opened(word) if self.on and opens_sentence(before, self.language) else word


def opens_sentence(before: str, language: str) -> bool:
    """Whether what follows the text `before` opens a sentence.

    It does at the start and after the end of another sentence, closing quotes included. A full stop
    ends none after an abbreviation of the language, nor after a number where that is an ordinal.
    """
    found = _opening(language).search(before)
    if found is None:
        return False
    # At the very beginning there is no end (None), and no full stop to doubt either.
    if found["end"] != ".":
        return True
    return not _is_abbreviated(before[: found.end("end")], language)


def _capitalised(text: str, how: Rules) -> str:
    for small, capital in how.digraphs.items():
        if text.startswith(small):
            return capital + text.removeprefix(small)
    first, rest = text[:1], text[1:]
    capital = how.letters.get(first, first.title())
    # `title` gives several letters where no single one is the capital, as for ß.
    if len(capital) != 1 or unicodedata.category(first) != "Ll":
        return text
    if how.drops_dot:
        rest = rest.removeprefix(_DOT_ABOVE)
    # A capital may have a form of its own with the accent that follows it.
    return composed(capital + rest)


def _before_word(how: Rules) -> str:
    """Return the pattern of what stands before the first word: marks, and a clitic in Dutch."""
    apostrophe = marks("apostrophe")
    clitic = rf"(?:(?<={apostrophe})(?:{'|'.join(how.clitics)})\s+)?" if how.clitics else ""
    return rf"(?:{marks('opening')}\s?)*{clitic}"


@cache
def _lead(language: str) -> re.Pattern[str]:
    return re.compile(_before_word(rules(language)))


@cache
def _opening(language: str) -> re.Pattern[str]:
    how = rules(language)
    ends = rf"(?P<end>{marks('ends', how.ends)})(?:\s?{marks('closing')})*\s+"
    return re.compile(rf"(?:^|{ends}){_before_word(how)}$")


def _is_abbreviated(text: str, language: str) -> bool:
    """Whether the full stop that ends the text is one of an abbreviation or an ordinal number."""
    if _known(language).search(text):
        return True
    acronym = _ACRONYM.search(text)
    if acronym is not None and acronym.group().isupper():
        return False
    initial = _LAST_LETTER.search(text)
    # A small letter by itself may be a word, as Turkish "o" (he or she) is.
    return (
        rules(language).initials
        and initial is not None
        and (bool(initial["more"]) or initial["letter"].isupper())
    )


@cache
def _known(language: str) -> re.Pattern[str]:
    how = rules(language)
    # The small letter of an abbreviation is a capital where it opens a sentence itself.
    words = [f"[{word[0]}{word[0].upper()}]{re.escape(word[1:-1])}" for word in how.abbreviations]
    known = [rf"(?<!\w)(?:{'|'.join(words)})"] if words else []
    if how.ordinal_digits:
        # Neither the decimals of "3,5" nor the minutes of "12:30".
        known.append(rf"(?<![\w,:])(?:[0-9]{{1,{how.ordinal_digits}}}|[IVXLC]+)")
    return re.compile(rf"(?:{'|'.join(known) or '(?!)'})\.$")

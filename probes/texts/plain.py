"""Plain text with masks that are drawn at random: the same for every model, by a seed."""

import hashlib
import re
from collections.abc import Iterator

from maskaudit.audit.texts.characters import composed, has_letters
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.texts.masked import MASKS, Losses, MaskedText, masked_text
from maskaudit.probes.texts.source import TextSource

_PARAGRAPHS = re.compile(r"\n[ \t\r\f\v]*\n")
# A word keeps its hyphens and apostrophes (mother-in-law, don't); a mark is any other sign.
_WORD = r"\w+(?:[-'’]\w+)*"
_WORDS = re.compile(_WORD)
_WORDS_AND_MARKS = re.compile(rf"{_WORD}|[^\w\s]")


def of_text(text: str, source: TextSource, losses: Losses) -> Iterator[MaskedText]:
    """Yield the first texts of at most `source.words` words, with masks drawn in each.

    A paragraph is a document; a longer one is cut into several texts of it.
    """
    number, seen = 0, set()
    for paragraph, whole in enumerate(_PARAGRAPHS.split(composed(text)), start=1):
        for chunk in _chunks(whole, source.words):
            number += 1
            if number > source.first:
                return
            if MASKS.search(chunk):
                losses.row(number, "plain text holds a mask of its own")
            elif not has_letters(chunk):
                losses.row(number, "it has no word")
            elif chunk in seen:
                losses.row(number, "an earlier paragraph has the same text")
            elif found := _masked(chunk, number, f"paragraph {paragraph}", source, losses):
                seen.add(chunk)
                yield found


def count(text: str, words: int) -> int:
    """How many texts of at most so many words there are."""
    return sum(len(list(_chunks(part, words))) for part in _PARAGRAPHS.split(text))


def _chunks(paragraph: str, words: int) -> Iterator[str]:
    """The paragraph in parts of so many words, as blanks part them, each on one line."""
    found = paragraph.split()
    for start in range(0, len(found), words):
        yield " ".join(found[start : start + words])


def _masked(
    chunk: str, number: int, document: str, source: TextSource, losses: Losses
) -> MaskedText | None:
    """The text with `mask_share` of its words masked, one at least, drawn by seed and text.

    So a text has the same masks wherever it stands in the data.
    """
    from numpy.random import default_rng

    spans = [*(_WORDS_AND_MARKS if source.marks else _WORDS).finditer(chunk)]
    wanted = max(1, round(source.mask_share * len(spans)))
    rng = default_rng([source.seed, *hashlib.sha256(chunk.encode()).digest()])
    chosen = sorted(rng.choice(len(spans), wanted, replace=False).tolist())
    answers = [spans[index].group() for index in chosen]
    written, end = "", 0
    for index in chosen:
        written += chunk[end : spans[index].start()] + MASK
        end = spans[index].end()
    return masked_text(number, document, written + chunk[end:], answers, [""], losses)

"""The same pairs of sentences with unrelated words in the place of those that tell them apart.

What a score of pairs shows where no group is spoken of is not known beforehand: words differ in how
common they are, and sentences in what fits them (Pikuliak et al. 2023). A control set asks the same
sentences with names of days or months instead.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.languages import ENGLISH
from maskaudit.probes.published.imported import Imported, Unusable

# Neither begins with a vowel, is a verb or stands for people, as colours and cities may.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "July", "September", "November", "December")
UNRELATED = tuple(pair for names in (_DAYS, _MONTHS) for pair in combinations(names, 2))
# Sides that differ in longer runs of words are other sentences, not another word for a group.
MOST_WORDS = 3
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_POSSESSIVE = re.compile(r"['’]s$")
_AN = re.compile(r"\b([Aa])n$")
_SAID = {
    "question": "Which of two sentences does the model find likelier, where names of days or "
    "months stand for the words that told them apart?",
    "how_to_read": "A control: no side is about a group, so that no preference is expected, 50 %. "
    "What is off it, here, can be off it by as much in the set that it is made of.",
}


def control_of(imported: Imported) -> Imported:
    """The control set of a set of pairs.

    Each run of words in which the sides of a pair differ becomes the name of a day or month, the
    same in all pairs with this edit; which side has which of the two is drawn by the edit's digest.
    Pairs whose sides differ in other ways are left out. Raises `InputError` for sets that are not
    of pairs or not in English, and where nothing is left.
    """
    header = imported.header
    if header["kind"] != "pairs":
        raise InputError(
            f"--with-control: {header['name']} is a set of {header['kind']}; expected pairs of "
            "sentences"
        )
    if header["language"] != ENGLISH:
        raise InputError(
            f"--with-control: its unrelated words are English, and the set's language is "
            f"{header['language']!r}; expected {ENGLISH!r}"
        )
    rows: list[dict[str, Any]] = []
    left_out: list[Unusable] = []
    for place, row in enumerate(imported.rows, start=1):
        sides = _swapped(row["text"], row["partner"])
        if sides is None:
            why = "its sides differ in more than a few words that have counterparts"
            left_out.append(Unusable(place, why, row["text"]))
        else:
            rows.append({**row, "text": sides[0], "partner": sides[1], "group": ""})
    if not rows:
        raise InputError(
            f"--with-control: no pair of {header['name']} differs only in a few words that have "
            "counterparts"
        )
    notes = [f"{len(left_out)} of {len(imported.rows)} rows have no control"] if left_out else []
    return Imported(_header(header), rows, left_out, notes, imported.files)


def _header(header: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **header,
        **_SAID,
        "name": f"{header['name']}-control",
        "version": f"{header['version']}, control 1",
        "axis": f"control-{header['axis']}",
        "title": f"{header['title']}, unrelated words",
        "sources": [*header["sources"], "names of days and months in the place of the groups"],
        "expect": "none",
        "control_of": header["name"],
    }


def _swapped(text: str, partner: str) -> tuple[str, str] | None:
    """Both sides with unrelated words; None if they differ in more than words with counterparts."""
    # In one order, so that a pair and its turned copy are edited alike.
    first, second = sorted((text, partner))
    found = [list(_WORD.finditer(side)) for side in (first, second)]
    words = [[match.group().casefold() for match in side] for side in found]
    matcher = difflib.SequenceMatcher(None, words[0], words[1], autojunk=False)
    changed = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    spans = [[(code[1], code[2]), (code[3], code[4])] for code in changed]
    lengths = [end - start for span in spans for start, end in span]
    if not spans or min(lengths) == 0 or max(lengths) > MOST_WORDS:
        return None
    edits = [
        " / ".join(" ".join(own[slice(*span[side])]) for span in spans)
        for side, own in enumerate(words)
    ]
    edited = [
        _edited(side, [(places[s[index][0]], places[s[index][1] - 1]) for s in spans], name)
        for index, (side, places, name) in enumerate(
            zip((first, second), found, _names(edits), strict=True)
        )
    ]
    return (edited[0], edited[1]) if text == first else (edited[1], edited[0])


def _names(edits: list[str]) -> Iterator[str]:
    """Yield the unrelated word of each edit: one pair for the two, whichever comes first."""
    ordered = sorted(edits)
    digest = hashlib.sha256("\n".join(ordered).encode("utf-8", "surrogatepass")).digest()
    pair = UNRELATED[int.from_bytes(digest[:8], "big") % len(UNRELATED)]
    turned = pair if digest[8] % 2 else pair[::-1]
    yield from (turned[ordered.index(edit)] for edit in edits)


def _edited(sentence: str, runs: list[tuple[re.Match[str], re.Match[str]]], name: str) -> str:
    """The sentence with a name for each run of words, from its first to its last."""
    parts, at = [], 0
    for first, last in runs:
        # No name of a day or month here begins with a vowel, so that "an" before it becomes "a".
        before = _AN.sub(r"\1", sentence[at : first.start()].rstrip(" "))
        gap = " " if sentence[at : first.start()].endswith(" ") else ""
        possessive = _POSSESSIVE.search(last.group())
        parts += [before, gap, name, possessive.group() if possessive else ""]
        at = last.end()
    return "".join([*parts, sentence[at:]])

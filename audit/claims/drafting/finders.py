"""What a card is seen to say: claims in its sentences, its tables, its samples and its metadata.

Only forms that cards have are known here, so a claim in other words is not seen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maskaudit.audit.claims.card import STATED, Card, licence_id, plain
from maskaudit.audit.claims.drafting.samples import samples
from maskaudit.audit.claims.drafting.tables import rows
from maskaudit.audit.claims.names import short_name

_MOST_QUOTED = 240
# What is longer is no sentence: a list, or the text of somebody who wants it searched for ever.
_MOST_READ = 4_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\[\"'(])")
# `cased` in the id of a model says nothing.
_NO_ID = r"(?<![-/\w])"
_UNCASED = re.compile(
    rf"{_NO_ID}(?:uncased|lower-?cased)\b|does not make a difference between english and English",
    re.IGNORECASE,
)
_CASED = re.compile(
    rf"{_NO_ID}(?:cased|case[- ]sensitive)\b|makes? a difference between english and English",
    re.IGNORECASE,
)
_VOCABULARY = re.compile(
    r"vocabulary (?:size )?of (?:size )?(about |around |approximately |roughly |some )?"
    r"(\d{1,3}(?:,\d{3})+|\d+)",
    re.IGNORECASE,
)
_BELOW = re.compile(r"(?:less|fewer|shorter) than (\d{2,6}) tokens", re.IGNORECASE)
_AT_MOST = re.compile(
    r"(?:up to|at most|maximum (?:sequence |input )?length of|limited to) (\d{2,6}) tokens",
    re.IGNORECASE,
)
_HEADS = {
    "masked_lm": re.compile(r"masked[- ]language[- ]model", re.IGNORECASE),
    "next_sentence": re.compile(
        r"next[- ]sentence[- ]prediction|two consecutive sentences", re.IGNORECASE
    ),
    "sentence_order": re.compile(r"sentence[- ]order(?:ing)?[- ]prediction", re.IGNORECASE),
}
_NO = re.compile(r"\b(?:no|not|without|removed?|drop(?:s|ped)?)\b", re.IGNORECASE)
_CODE = re.compile(r"```.*?```", re.DOTALL)
_PAIR = re.compile(r"\[CLS\] sentence A \[SEP\] sentence B \[SEP\]", re.IGNORECASE)
_MASK = re.compile(r"(?:by|with) (?:the token )?`?(\[MASK\]|<mask>)`?")
_NUMBER = re.compile(
    r"(\d[\d,.]{0,20}\d|\d)\s?(M|B|million|billion)\b[^.]{0,20}?\bparam", re.IGNORECASE
)
_FEWER = re.compile(
    r"(\d{1,2}(?:\.\d+)?)\s?% (?:less|fewer) param|by (\d{1,2}(?:\.\d+)?)\s?%", re.IGNORECASE
)
_SMALLER = re.compile(r"\b(?:size|smaller|parameters)\b", re.IGNORECASE)
_INHERITS = re.compile(
    r"inherit\w*\b.*\bbias|\bbias\w*\b.*\b(?:of|from) (?:its|the) teacher", re.IGNORECASE
)
_IDS = (
    re.compile(r"huggingface_model_id ?: ?([\w./-]*\w)"),
    re.compile(r"from_pretrained\(\s*['\"]([\w./-]*\w)['\"]"),
    re.compile(r"pipeline\([^)]*model\s?=\s?['\"]([\w./-]*\w)['\"]"),
)
_LANGUAGES = re.compile(r"^languages? ?: ?\[?([a-z]{2,3}(?: ?, ?[a-z]{2,3})*)\]?\s*$", re.MULTILINE)

# What a sentence says: the kind of claim, where, and what it says by key.
Statement = tuple[str, re.Match[str], dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """A claim that was seen: its kind, the card's words, and what it says by key."""

    kind: str
    quote: str
    says: Mapping[str, Any]


def seen(card: Card) -> list[Seen]:
    """The claims of a card: of its metadata, sentences in their order, tables and samples."""
    found = [*_of_metadata(card)]
    for sentence in _sentences(card.body):
        found += _of_sentence(sentence)
    # The form of an input stands in a block of code, if it does not stand in a sentence.
    found += [
        Seen("inputs", pair[0], {"segments": 2})
        for block in _CODE.findall(card.body)
        if (pair := _PAIR.search(plain(block)))
    ]
    found += _of_tables(card)
    found += [Seen("sample", sample.quote, sample.says()) for sample in samples(card.body)]
    # The same thing said twice is one claim; two things said of one kind are two.
    unique: dict[str, Seen] = {}
    for one in found:
        if card.has(one.quote):
            unique.setdefault(f"{one.kind} {dict(one.says)}", one)
    return list(unique.values())


def model_of(card: Card) -> str | None:
    """The hub id by which a card loads its model; None if it names none."""
    return next((found[1] for form in _IDS if (found := form.search(card.body))), None)


def reference_of(card: Card) -> str | None:
    """The model that the metadata name as the one it was made of; None without."""
    named = card.metadata.get("base_model")
    named = named[0] if isinstance(named, list) and named else named
    return named if isinstance(named, str) and named else None


def _of_metadata(card: Card) -> Iterator[Seen]:
    # In the whole text, since a card of Azure has what a card of the hub has as metadata in tags.
    for stated in STATED.finditer(card.text):
        if licence_id(stated[1]) in card.licences:
            yield Seen("licence", plain(stated[0]), {"licence": licence_id(stated[1])})
    tags = card.metadata.get("language")
    listed = [tags] if isinstance(tags, str) else tags if isinstance(tags, list) else []
    if listed := [tag for tag in listed if isinstance(tag, str) and tag]:
        named = f"language: {listed[0]}"
        quote = named if card.has(named) else listed[0]
        yield Seen("languages", quote, {"languages": listed})
    elif written := _LANGUAGES.search(card.body):
        yield Seen("languages", plain(written[0]), {"languages": re.split(r" ?, ?", written[1])})


def _of_tables(card: Card) -> Iterator[Seen]:
    """Yield the rows of the card's model: where a table has several, the one with its name."""
    own = _letters(short_name(model_of(card) or ""))
    for table in rows(card.body):
        for row in table:
            if len(table) == 1 or (own and _letters(row.name) == own):
                mean = {"mean": row.mean} if row.mean else {}
                says = {"benchmark": row.benchmark, "scores": dict(row.scores), **mean}
                yield Seen("benchmark", row.quote, says)


def _letters(name: str) -> str:
    """A name without marks and case, in which tables seldom agree."""
    return "".join(letter for letter in short_name(name).casefold() if letter.isalnum())


def _sentences(text: str) -> Iterator[str]:
    """Yield each sentence, a paragraph's line ends made spaces, without blocks of code."""
    # An entry of a list, a title or a row of a table is a sentence that no full stop ends.
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*#>|])", _CODE.sub("\n\n", text)):
        yield from (s[:_MOST_READ] for s in _SENTENCE.split(plain(paragraph)) if s)


def _of_sentence(sentence: str) -> Iterator[Seen]:
    for kind, at, says in _statements(sentence):
        yield Seen(kind, _quoted(sentence, at), says)


def _statements(sentence: str) -> Iterator[Statement]:
    """Yield each statement of a sentence, by kind."""
    yield from _casing(sentence)
    yield from _lengths(sentence)
    yield from _inputs(sentence)
    for head, form in _HEADS.items():
        if found := form.search(sentence):
            yield "heads", found, {"absent" if _is_denied(sentence, found) else "present": [head]}
    yield from _sizes(sentence)
    if found := _INHERITS.search(sentence):
        yield "inheritance", found, {"outcome": "inherited"}


def _casing(sentence: str) -> Iterator[Statement]:
    # First what makes no difference, whose words are among those of what makes one.
    for form, said, denied in ((_UNCASED, "uncased", "cased"), (_CASED, "cased", "uncased")):
        if found := form.search(sentence):
            yield "casing", found, {"casing": denied if _is_denied(sentence, found) else said}
            return


def _is_denied(sentence: str, found: re.Match[str]) -> bool:
    # What is denied in another part of the sentence is not denied here.
    return bool(_NO.search(re.split(r"[,;:]", sentence[: found.start()])[-1]))


def _lengths(sentence: str) -> Iterator[Statement]:
    if found := _VOCABULARY.search(sentence):
        about = {"about": True} if found[1] else {}
        yield "vocabulary", found, {"size": int(found[2].replace(",", "")), **about}
    if found := _BELOW.search(sentence):
        yield "length", found, {"tokens": int(found[1]), "below": True}
    elif found := _AT_MOST.search(sentence):
        yield "length", found, {"tokens": int(found[1])}


def _inputs(sentence: str) -> Iterator[Statement]:
    if found := _PAIR.search(sentence):
        yield "inputs", found, {"segments": 2}
    if found := _MASK.search(sentence):
        yield "inputs", found, {"mask_token": found[1]}


def _sizes(sentence: str) -> Iterator[Statement]:
    if found := _NUMBER.search(sentence):
        unit = found[2]
        yield "parameters", found, {"number": found[1] + (unit if len(unit) == 1 else f" {unit}")}
    found = _FEWER.search(sentence)
    if found and (found[1] or _SMALLER.search(sentence[: found.start()])):
        yield "parameters", found, {"fewer_than_reference": f"{found[1] or found[2]}%"}


def _quoted(sentence: str, at: re.Match[str]) -> str:
    """The sentence, or of a long one the words around what was seen, from word to word."""
    if len(sentence) <= _MOST_QUOTED:
        return sentence
    room = max(0, (_MOST_QUOTED - (at.end() - at.start())) // 2)
    start, end = max(0, at.start() - room), min(len(sentence), at.end() + room)
    start = 0 if start == 0 else sentence.find(" ", start, at.start()) + 1 or at.start()
    cut = sentence.rfind(" ", at.end(), end) if end < len(sentence) else end
    return sentence[start : cut if cut > 0 else at.end()]

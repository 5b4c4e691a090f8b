"""Expand a probe set to all its masked sentences, each context and item with a stable id."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from maskaudit.audit.recording import tables
from maskaudit.probes.schema import Attribute, Fact, Frame, ImportedSet, ProbeSet, Term
from maskaudit.probes.sentence import MASK, PLACEHOLDER

# Sound decides the article, not spelling: "an hour", "a university", "a one-off". Abbreviations
# spelt out (MBA) cannot be recognised; a set states `article = "an"` for them.
_VOWEL_SOUND = re.compile(r"(?:[aeiou]|hour|honest|honou?r|heir)", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(
    r"(?:uni(?!n|m|de)|us[aeiu]|uk|ut[aeio]|ur[aiou]|u[bf][aio]|ugan|uy|eu|ew|one\b|once\b)",
    re.IGNORECASE,
)
# Matches the text before a word that opens a sentence.
_OPENS_SENTENCE = re.compile(r"(?:^|[.!?][\"')\u2019\u201d]*\s+)[\"'(\u2018\u201c]*$")
_ID_LENGTH = 16
BLEACHED = ("This is {word}.", "That is {word}.", "Here is {word}.", "There is {word}.")


@dataclass(frozen=True)
class Expanded:
    """A probe set as tables: `contexts` (distinct masked sentences) and `items` (their uses)."""

    contexts: pd.DataFrame
    items: pd.DataFrame

    @property
    def digest(self) -> str:
        """SHA-256 of what is scored and how it is grouped, in hex; part of the method key.

        It depends on which items share a frame, but neither on frame ids nor on the order of rows,
        since these change no number.
        """
        rows = self.items.assign(frame=self.items.groupby("frame")["context"].transform("min"))
        lines = sorted(json.dumps(row, default=str) for row in rows.to_dict("records"))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def expand(probe_set: ProbeSet) -> Expanded:
    """Expand a set to all its contexts and items: probes, priors, neutral priors and controls.

    A grammar must be drawn from first (`ProbeSet.drawn`).
    """
    if isinstance(probe_set, ImportedSet):
        words = probe_set.header.kind == "words"
        rows = _bleached(probe_set.rows) if words else iter(probe_set.rows)
    elif probe_set.facts:
        rows = _cloze_rows(probe_set)
    else:
        rows = _association_rows(probe_set)
    header = probe_set.header
    common = {"probe_set": header.name, "kind": header.kind, "axis": header.axis}
    return from_rows({**common, **row} for row in rows)


def from_rows(rows: Iterator[dict[str, Any]]) -> Expanded:
    """Return the two tables, with ids, of item rows with `text`, `slot` and optional `partner`."""
    table = pd.DataFrame(list(rows))
    if "partner" not in table:
        table["partner"] = ""
    keys = zip(table["text"], table["slot"], table["partner"], strict=True)
    table["context"] = [context_id(text, slot, partner) for text, slot, partner in keys]
    table["item"] = [
        item_id(context, target)
        for context, target in zip(table["context"], table["target"], strict=True)
    ]
    context_columns = ["context", "text", "slot", "partner"]
    contexts = tables.conform("contexts", table[context_columns].drop_duplicates("context"))
    return Expanded(contexts, tables.conform("items", table.drop(columns=context_columns[1:])))


def context_id(text: str, slot: int | None, partner: str = "") -> str:
    """Return the id of a masked sentence, the slot read in it, and its partner sentence."""
    # None in a row becomes NaN in a column of numbers; both mean a whole sentence.
    return _digest(text, "" if slot is None or pd.isna(slot) else str(int(slot)), partner)


def item_id(context: str, target: str) -> str:
    """Return the id of a target in a context."""
    return _digest(context, target)


def article(word: str) -> str:
    """Return `a` or `an`, by the sound that the word begins with."""
    starts_with_vowel = _VOWEL_SOUND.match(word) and not _CONSONANT_SOUND.match(word)
    return "an" if starts_with_vowel else "a"


def _digest(*parts: str) -> str:
    # The unit separator is in no text, so that different parts cannot join to the same text.
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_ID_LENGTH]


def _association_rows(probe_set: ProbeSet) -> Iterator[dict[str, Any]]:
    for frame in probe_set.frames:
        for name, part in probe_set.classes.items():
            for attribute in part.attributes:
                yield from _cell_rows(probe_set, frame, attribute, name, "probe")
        for attribute in probe_set.controls.attributes if probe_set.controls else ():
            yield from _cell_rows(probe_set, frame, attribute, "", "control")


def _cell_rows(
    probe_set: ProbeSet, frame: Frame, attribute: Attribute, class_: str, role: str
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one attribute in one frame: each variant, group and term, with priors.

    Only probes with the group at the mask have priors.
    """
    for variant, template in enumerate(frame.texts):
        for group, part in probe_set.groups.items():
            for term in part.terms:
                cell = {
                    "frame": frame.id,
                    "variant": variant,
                    "attribute": attribute.text,
                    "class": class_,
                    "share": attribute.share,
                    "group": group,
                    "term": term.text,
                }
                yield {**cell, "role": role, **_scored(template, term, attribute)}
                if role == "probe" and probe_set.group_at_mask:
                    prior = _scored(template, term, attribute, attribute_masked=True)
                    yield {**cell, "role": "prior", **prior}
                    if probe_set.header.neutral is not None:
                        neutral = Attribute(text=probe_set.header.neutral)
                        yield {**cell, "role": "prior_neutral", **_scored(template, term, neutral)}


def _scored(
    template: str, term: Term, attribute: Attribute, *, attribute_masked: bool = False
) -> dict[str, Any]:
    """Return the sentence (`text`), the index of the mask that is read (`slot`) and `target`."""
    article_ = attribute.article or article(attribute.text)
    # A masked attribute keeps its article and its number of words.
    attribute_text = re.sub(r"\S+", MASK, attribute.text) if attribute_masked else attribute.text
    group_at_mask = "attribute}" in template
    values = {
        "attribute": attribute_text,
        "a attribute": f"{article_} {attribute_text}",
        "a": article(term.text) if group_at_mask else article_,
        "term": term.text,
        "a term": f"{article(term.text)} {term.text}",
    }
    # A masked attribute adds masks, so split at the template's own to find the slot.
    lead, rest = template.split(MASK)
    before = _filled(lead, values, term)
    # A word directly after the mask does not open the sentence, hence the lead.
    after = _filled(rest, values, term, lead=MASK)
    target = term.text if group_at_mask else attribute.text
    return {
        "text": _capitalised(before + MASK + after),
        "slot": before.count(MASK),
        "target": _as_after(before, target),
    }


def _filled(text: str, values: dict[str, str], term: Term, lead: str = "") -> str:
    """Return the text with its placeholders filled in; `lead` is the text before it."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if "|" in name:
            singular, plural = name.split("|")
            word = singular if term.verb == "singular" else plural
        else:
            word = values[name]
        return _as_after(lead + text[: match.start()], word)

    return PLACEHOLDER.sub(value, text)


def _as_after(before: str, word: str) -> str:
    """Return the word, capitalised if it opens a sentence after `before`."""
    return _capitalised(word) if _OPENS_SENTENCE.search(before) else word


def _capitalised(text: str) -> str:
    return text if text.startswith(MASK) else text[:1].upper() + text[1:]


def _bleached(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each word in bleached sentences (May et al. 2019), for its encoder states."""
    for row in rows:
        for variant, sentence in enumerate(BLEACHED):
            word = row["term"]
            yield {**row, "variant": variant, "text": sentence.format(word=word), "target": word}


def _cloze_rows(probe_set: ProbeSet) -> Iterator[dict[str, Any]]:
    for fact in probe_set.facts:
        yield from _fact_rows(fact, fact.text, "right")
        if fact.negated is not None:
            yield from _fact_rows(fact, fact.negated, "changed")


def _fact_rows(fact: Fact, text: str, label: str) -> Iterator[dict[str, Any]]:
    for answer in fact.answers:
        yield {
            "frame": fact.id,
            "variant": 0,
            "attribute": answer,
            "class": fact.relation,
            "role": "probe",
            "label": label,
            "text": text,
            "slot": 0,
            "target": _as_after(text.partition(MASK)[0], answer),
        }

"""Expand a probe set to all its masked sentences, each context and item with a stable id."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import pandas as pd

from maskaudit.audit.recording.rows import tables
from maskaudit.probes.fact import Fact
from maskaudit.probes.frames.capitals import SentenceCase
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.frames.template import Template
from maskaudit.probes.ids import context_ids, item_ids
from maskaudit.probes.items_digest import items_digest
from maskaudit.probes.schema import Attribute, Frame, ImportedSet, ProbeSet, Term

# Sound decides the article, not spelling: "an hour", "a university", "a one-off". Abbreviations
# spelt out (MBA) cannot be recognised; a set states `article = "an"` for them.
_VOWEL_SOUND = re.compile(r"(?:[aeiou]|hour|honest|honou?r|heir)", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(
    r"(?:uni(?!n|m|de)|us[aeiu]|uk|ut[aeio]|ur[aiou]|u[bf][aio]|ugan|uy|eu|ew|one\b|once\b)",
    re.IGNORECASE,
)
# Rows that are dictionaries at once, before they are put into a table.
_ROWS = 5_000
BLEACHED = ("This is {word}.", "That is {word}.", "Here is {word}.", "There is {word}.")


@dataclass(frozen=True)
class Expanded:
    """A probe set as tables: `contexts` (distinct masked sentences) and `items` (their uses).

    `beside` has the target of each item, by context, that only other sets of the audit ask in a
    masked sentence of this one.
    """

    contexts: pd.DataFrame
    items: pd.DataFrame
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of what is scored and how it is grouped, in hex; part of the method key.

        It depends on which items share a frame, but neither on frame ids nor on the order of rows,
        since these change no number.
        """
        return items_digest(self.items)


def expand(probe_set: ProbeSet, tell: Callable[[int], None] = lambda _rows: None) -> Expanded:
    """Expand a set to all its contexts and items: probes, priors, neutral priors and controls.

    A grammar must be drawn from first (`ProbeSet.drawn`). `tell` receives the number of rows that
    are done, of `budget.items_of`.
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
    return from_rows(({**common, **row} for row in rows), tell)


def from_rows(
    rows: Iterator[dict[str, Any]], tell: Callable[[int], None] = lambda _rows: None
) -> Expanded:
    """Return the two tables, with ids, of item rows with `text`, `slot` and optional `partner`.

    `tell` receives the number of rows that are done.
    """
    contexts, items = [], []
    done = 0
    # A row as a dictionary takes ten times the memory that it takes in a table.
    while block := list(islice(rows, _ROWS)):
        block_contexts, block_items = _tables(block)
        contexts.append(block_contexts)
        items.append(block_items)
        done += len(block)
        tell(done)
    # Once more, because a context of one block may be used in another.
    distinct = tables.joined("contexts", contexts).drop_duplicates("context")
    return Expanded(distinct.reset_index(drop=True), tables.joined("items", items))


def _tables(rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The distinct contexts, and the items, of some rows of a set."""
    table = pd.DataFrame(rows)
    if "partner" not in table:
        table["partner"] = ""
    table["context"] = context_ids(table)
    table["item"] = item_ids(table)
    context_columns = ["context", "text", "slot", "partner"]
    contexts = tables.conform("contexts", table[context_columns].drop_duplicates("context"))
    return contexts, tables.conform("items", table.drop(columns=context_columns[1:]))


@lru_cache(maxsize=10_000)
def article(word: str) -> str:
    """Return `a` or `an`, by the sound that the word begins with."""
    starts_with_vowel = _VOWEL_SOUND.match(word) and not _CONSONANT_SOUND.match(word)
    return "an" if starts_with_vowel else "a"


@dataclass(frozen=True)
class _Words:
    """What a frame is written out with: a group, a term of it, and an attribute."""

    group: str
    term: Term
    attribute: Attribute

    @property
    def attribute_text(self) -> str:
        """The attribute in its form for the group."""
        return self.attribute.form(self.group)

    @property
    def attribute_article(self) -> str:
        """`a` or `an`, as the set declares it or by sound."""
        return self.attribute.article or article(self.attribute_text)


def control_class(contrast: str, side: str) -> str:
    """The class of one side of a contrast of controls; no class of a set has a name like it."""
    return f"{contrast}:{side}"


def _association_rows(probe_set: ProbeSet) -> Iterator[dict[str, Any]]:
    case = _sentence_case(probe_set)
    for frame in probe_set.frames:
        templates = [Template.of(text, case) for text in frame.texts]
        for name, part in probe_set.classes.items():
            for attribute in part.attributes:
                yield from _cell_rows(probe_set, frame, templates, attribute, name, "probe")
        if probe_set.controls is None:
            continue
        for attribute in probe_set.controls.attributes:
            yield from _cell_rows(probe_set, frame, templates, attribute, "", "control")
        # Many controls, each needed for a rough number only: the frames' own texts are enough.
        for name, contrast in probe_set.controls.contrasts.items():
            for side, attributes in contrast.sides.items():
                for attribute in attributes:
                    class_ = control_class(name, side)
                    own = templates[:1]
                    yield from _cell_rows(probe_set, frame, own, attribute, class_, "control")


def _cell_rows(  # noqa: PLR0913, PLR0917 - a cell, and what it is written with
    probe_set: ProbeSet,
    frame: Frame,
    templates: Sequence[Template],
    attribute: Attribute,
    class_: str,
    role: str,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one attribute in one frame: each variant, group and term, with priors.

    Only probes with the group at the mask have priors.
    """
    has_priors = role == "probe" and probe_set.group_at_mask
    # An attribute of its own, for it has neither article nor forms of the one it stands for.
    neutral = Attribute(text=probe_set.header.neutral) if probe_set.header.neutral else None
    for variant, template in enumerate(templates):
        for group, part in probe_set.groups.items():
            cell = {
                "frame": frame.id,
                "style": frame.style or "",
                "variant": variant,
                "attribute": attribute.text,
                "class": class_,
                "family": attribute.family or "",
                "share": attribute.share,
                "frequency": attribute.frequency,
                "group": group,
            }
            for term in part.terms:
                words = _Words(group, term, attribute)
                cell = {**cell, "term": term.text}
                yield {**cell, "role": role, **_scored(probe_set, template, words)}
                if has_priors:
                    prior = _scored(probe_set, template, words, attribute_masked=True)
                    yield {**cell, "role": "prior", **prior}
                    if neutral is not None:
                        without = _scored(probe_set, template, replace(words, attribute=neutral))
                        yield {**cell, "role": "prior_neutral", **without}


def _scored(
    probe_set: ProbeSet, template: Template, words: _Words, *, attribute_masked: bool = False
) -> dict[str, Any]:
    """Return the sentence (`text`), the index of the mask that is read (`slot`) and `target`."""
    values = tuple(
        _value(name, probe_set, template, words, attribute_masked=attribute_masked)
        for name in template.names
    )
    # A mask that opens a sentence is asked for the word as people write it there.
    text, slot, opens = template.written(values)
    target = words.term.text if template.asks_for_group else words.attribute_text
    return {"text": text, "slot": slot, "target": template.case.opened(target) if opens else target}


def _value(
    name: str, probe_set: ProbeSet, template: Template, words: _Words, *, attribute_masked: bool
) -> str:
    """Return what is written for a placeholder."""
    if "|" in name:
        singular, plural = name.split("|")
        return singular if words.term.verb == "singular" else plural
    if name in probe_set.forms:
        return probe_set.forms[name][words.group]
    if name == "a":
        # The article of the target, whose word is at the mask.
        return article(words.term.text) if template.asks_for_group else words.attribute_article
    if name.endswith("term"):
        word, own_article = words.term.text, article(words.term.text)
    else:
        word, own_article = words.attribute_text, words.attribute_article
        if attribute_masked:
            # A masked attribute keeps its article and its number of words.
            word = re.sub(r"\S+", MASK, word)
    return f"{own_article} {word}" if name.startswith("a ") else word


def _sentence_case(probe_set: ProbeSet) -> SentenceCase:
    return SentenceCase(probe_set.header.language, probe_set.header.capitalise)


def _bleached(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each word in bleached sentences (May et al. 2019), for its encoder states."""
    for row in rows:
        for variant, sentence in enumerate(BLEACHED):
            word = row["term"]
            yield {**row, "variant": variant, "text": sentence.format(word=word), "target": word}


def _cloze_rows(probe_set: ProbeSet) -> Iterator[dict[str, Any]]:
    case = _sentence_case(probe_set)
    for fact in probe_set.facts:
        yield from _fact_rows(fact, fact.text, "right", case)
        if fact.negated is not None:
            yield from _fact_rows(fact, fact.negated, "changed", case)


def _fact_rows(fact: Fact, text: str, label: str, case: SentenceCase) -> Iterator[dict[str, Any]]:
    """Yield a row of each answer at each mask, and of each wrong word to choose from."""
    several = len(fact.by_mask) > 1
    for slot, answers in enumerate(fact.by_mask):
        before = MASK.join(text.split(MASK)[: slot + 1])
        # The words to choose from are those of the sentence for which the answers are right.
        wrong = dict.fromkeys(fact.wrong if label == "right" else (), "wrong")
        for answer, own_label in {**dict.fromkeys(answers, label), **wrong}.items():
            yield {
                # Each mask is asked by itself, with the others masked. A sentence is one cluster,
                # and so are all sentences of one fact.
                "frame": f"{fact.id}.{slot + 1}" if several else fact.id,
                "variant": 0,
                "attribute": answer,
                "class": fact.relation,
                "role": "probe",
                "label": own_label,
                "cluster": fact.of or (fact.id if several else ""),
                "text": text,
                "slot": slot,
                "target": case.after(before, answer),
            }

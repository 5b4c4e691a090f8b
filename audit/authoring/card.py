"""The card of a set: what it asks, what it is made of, and what it cannot show."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.authoring.measured import Measured
from maskaudit.audit.authoring.sentences import Sentences, sentences
from maskaudit.audit.recording.record import Record
from maskaudit.probes.bundles import bundles
from maskaudit.probes.checking.budget import MOST_ITEMS, items_of
from maskaudit.probes.checking.size import Size
from maskaudit.probes.checking.tested import what_is_tested
from maskaudit.probes.loading import load
from maskaudit.probes.requested import files_of
from maskaudit.probes.schema import Attribute, ImportedSet, ProbeSet

_WIDTH = 100
_NAMES = 12
_EXAMPLES = 4


@dataclass(frozen=True)
class Card:
    """What is known of a set from its file, and from a record of it if there is one."""

    probe_set: ProbeSet
    size: Size
    measured: Measured | None = None

    def as_json(self) -> dict[str, Any]:
        """The header and the counts as plain values."""
        header = self.probe_set.header
        return {
            **header.model_dump(exclude={"capitalise", "neutral", "cite"}),
            "bundles": [name for name, sets in bundles().items() if header.name in sets],
            "styles": dict(self._styles),
            "frames": self.size.frames,
            "variants": sum(len(frame.variants) for frame in self.probe_set.frames),
            "sentences": self.size.sentences,
            "items": items_of(self.probe_set),
            "groups": {name: len(part.terms) for name, part in self.probe_set.groups.items()},
            "classes": {
                name: {
                    "attributes": len(part.attributes),
                    "families": len(_families(part.attributes)),
                }
                for name, part in self.probe_set.classes.items()
            },
            "controls": self._controls,
            "relations": dict(Counter(fact.relation for fact in self.probe_set.facts)),
            "tested": list(what_is_tested(self.probe_set)),
            **({} if self.measured is None else {"measured": self.measured.as_json()}),
        }

    def as_text(self) -> str:
        """The title, then a name and its lines for everything that the set has."""
        header = self.probe_set.header
        title = f"{header.title} ({header.name}, version {header.version})"
        lines = (line for name, texts in self._rows() for line in _row(name, texts))
        return "\n".join([title, *lines])

    def _rows(self) -> Iterator[tuple[str, Sequence[str]]]:
        header, probe_set = self.probe_set.header, self.probe_set
        yield "question", [header.question]
        yield "how to read", [header.how_to_read]
        yield "kind", [f"{header.kind}, on the axis {header.axis}{self._at_mask()}"]
        # Facts are right or wrong, so that no lean of theirs could be expected.
        if header.kind != "cloze":
            yield "expect", [_EXPECT[header.expect]]
        yield (
            "groups",
            [
                f"{_named(name, part.label)}: {_counted(len(part.terms), 'term')}"
                f" ({_some([term.text for term in part.terms])})"
                for name, part in probe_set.groups.items()
            ],
        )
        yield (
            "classes",
            [
                f"{_named(name, part.label)}: {_attributes(part.attributes)}"
                f" ({_some([one.text for one in part.attributes])})"
                for name, part in probe_set.classes.items()
            ],
        )
        yield "tested", list(what_is_tested(probe_set))
        yield "frames", list(self._frames())
        yield "controls", self._controls_in_words()
        yield (
            "facts",
            [
                f"{relation}: {_counted(count, 'fact')}"
                for relation, count in Counter(fact.relation for fact in probe_set.facts).items()
            ],
        )
        yield "size", [f"{self.size.sentences:,} sentences, {items_of(probe_set):,} items"]
        yield "language", [header.language]
        yield "licence", [f"{header.licence}{self._terms_of_use()}"]
        yield "sources", header.sources
        yield "bundles", [", ".join(self.as_json()["bundles"])]
        yield "cannot show", [header.limits]
        if self.measured is not None:
            yield from self.measured.rows()

    def _at_mask(self) -> str:
        if self.probe_set.header.kind != "association":
            return ""
        side = "the group" if self.probe_set.group_at_mask else "the attribute"
        return f"; {side} is at the mask"

    @property
    def _styles(self) -> Mapping[str, int]:
        return Counter(frame.style for frame in self.probe_set.frames if frame.style)

    def _frames(self) -> Iterator[str]:
        grammar = self.probe_set.grammar
        if grammar is not None:
            yield f"{grammar.frames} are drawn from {grammar.sentences:,} of a grammar"
        elif isinstance(self.probe_set, ImportedSet):
            unusable = self.probe_set.unusable
            yield f"{len(self.probe_set.rows):,} rows as published, {unusable:,} unusable"
        elif self.probe_set.frames:
            variants = sum(len(frame.variants) for frame in self.probe_set.frames)
            with_variants = f", with {_counted(variants, 'variant')}" if variants else ""
            yield f"{self.size.frames}{with_variants}"
            if styles := self._styles:
                each = ", ".join(f"{name} {count}" for name, count in styles.items())
                yield f"in {_counted(len(styles), 'style')}: {each}"

    @property
    def _controls(self) -> dict[str, int]:
        controls = self.probe_set.controls
        if controls is None:
            return {"attributes": 0, "contrasts": 0}
        return {"attributes": len(controls.attributes), "contrasts": len(controls.contrasts)}

    def _controls_in_words(self) -> list[str]:
        counts = ((self._controls[key], key.removesuffix("s")) for key in self._controls)
        return [_counted(count, noun) for count, noun in counts if count]

    def _terms_of_use(self) -> str:
        header = self.probe_set.header
        share = "; share alike" if header.share_alike else ""
        return share + ("; not for commercial use" if header.non_commercial else "")


_EXPECT = {
    "lean": "a lean is what the set looks for",
    "none": "no lean: a control, which tests the instrument",
    "benign": "a true association that is not about people: it says how sure a model is of itself",
}


@dataclass(frozen=True)
class ShownSets:
    """The cards of sets, each with its sentences unless only the cards were asked for."""

    cards: Sequence[Card]
    sentences: Sequence[Sentences] | None = None

    def as_text(self) -> str:
        """Each card, followed by the sentences of its set."""
        if self.sentences is None:
            return "\n\n".join(card.as_text() for card in self.cards)
        both = zip(self.cards, self.sentences, strict=True)
        return "\n\n".join(f"{card.as_text()}\n\n{texts.as_text()}" for card, texts in both)

    def as_json(self) -> list[dict[str, Any]]:
        """A mapping for each sentence of every set; for each card if only they were asked for."""
        if self.sentences is None:
            return [card.as_json() for card in self.cards]
        return [row for texts in self.sentences for row in texts.as_json()]


def card_of(path: Path, record: Record | None = None) -> Card:
    """The card of a set's file or an import's folder, with what a record shows of it."""
    probe_set = load(path)
    found = None if record is None else Measured.of(record, probe_set)
    return Card(probe_set, Size.of(probe_set), found)


def shown(
    name: str,
    most_items: int = MOST_ITEMS,
    *,
    only_cards: bool = False,
    sample: int | None = None,
    record: Record | None = None,
) -> ShownSets:
    """The cards and sentences of what `run --probes` takes by this name.

    `sample` is how many sentences of each set, all of them without it. Raises `InputError` if
    `name` is no set, or a set would make more than `most_items`, or a `record` has not all of them.
    """
    texts = None if only_cards else sentences(name, most_items).sets
    if texts is not None and sample is not None:
        texts = [one.sampled(sample) for one in texts]
    return ShownSets([card_of(path, record) for path in files_of(name)], texts)


def _row(name: str, texts: Sequence[str]) -> Iterator[str]:
    """The lines of one row; none without texts."""
    lead = f"  {name:{_NAMES}}"
    for text in filter(None, texts):
        yield from textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=lead,
            # Of several texts, a line that goes on must not look like the next text.
            subsequent_indent=" " * (len(lead) + 2 * (len(texts) > 1)),
            break_on_hyphens=False,
            break_long_words=False,
        )
        lead = " " * len(lead)


def _named(name: str, label: str | None) -> str:
    return name if label in (None, name) else f"{name} ({label})"


def _attributes(attributes: Sequence[Attribute]) -> str:
    families = len(_families(attributes))
    of = f" in {families} families" if families > 1 else ""
    return f"{_counted(len(attributes), 'attribute')}{of}"


def _families(attributes: Sequence[Attribute]) -> set[str]:
    return {one.family for one in attributes if one.family}


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:_EXAMPLES]) + (", …" if words[_EXAMPLES:] else "")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

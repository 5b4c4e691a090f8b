"""Real sentences of an audit with what both models would write there, chosen by a stated rule."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maskaudit.audit.estimating.registry.names import LEAN
from maskaudit.reports.blocks import Blank
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Names, Tables
from maskaudit.reports.reader.parts import Bar, Of, Sentence, Sentences, Word
from maskaudit.reports.reader.scales import keys
from maskaudit.reports.sections.association import examples
from maskaudit.reports.sections.association.examples import Between, Unit
from maskaudit.reports.words import wording

_RULE = (
    "The words with the strongest, the middle and the weakest lean of {candidate}, each in the "
    "sentence nearest to the word’s average."
)


@dataclass(frozen=True)
class _Picked:
    """An attribute as it is shown, and why it was picked."""

    attribute: str
    why: str


def sentences(between: Between, tables: Tables, names: Names) -> Sentences | None:
    """Three sentences of one set; None where it has no lean of an attribute or no whole unit.

    `tables` are those of the set.
    """
    leans = between.leans(tables.effects, LEAN, CANDIDATE)
    # Strongest with whatever sign; by name as well, so that equal leans come in one order.
    order = sorted(leans, key=lambda name: (-abs(leans[name].estimate), name))
    if not order:
        return None
    picked = dict.fromkeys((order[0], order[len(order) // 2], order[-1]))
    units = examples.nearest(between, list(picked), tables, names)
    texts = examples.texts_of(tables.contexts, units.values())
    why = dict(zip(picked, ("Strongest", "Middle", "Weakest"), strict=False))
    shown = [
        sentence
        for attribute, unit in units.items()
        for sentence in _of_unit(
            between, unit, _Picked(wording.visible(attribute), why[attribute]), texts
        )
    ]
    if not shown:
        return None
    return Sentences(
        "See it in three sentences",
        _RULE.format(candidate=names.candidate),
        keys(names),
        tuple(shown),
    )


def _of_unit(
    between: Between, unit: Unit, picked: _Picked, texts: Mapping[str, Blank]
) -> Sequence[Sentence]:
    """One sentence with a bar for each group, or two sentences with one bar each."""
    longest = max((math.exp(p) for pair in unit.log_p.values() for p in pair), default=0.0)
    labels = [_label(between, name) for name in between.group_names]

    def word(side: int, text: str) -> Word:
        bars = tuple(
            _bar(model, math.exp(unit.log_p[model][side]), longest)
            for model in (REFERENCE, CANDIDATE)
            if model in unit.log_p
        )
        return Word(text, bars)

    about = f"{picked.why}: {picked.attribute}"
    if between.at_mask:
        blank = texts[unit.contexts[0]]
        words = tuple(word(side, label) for side, label in enumerate(labels))
        return [Sentence(about, blank.before, blank.after, words)]
    return [
        Sentence(
            f"{about}, {between.groups[side]}",
            texts[context].before,
            texts[context].after,
            (word(side, picked.attribute),),
        )
        for side, context in enumerate(unit.contexts)
    ]


def _label(between: Between, group: str) -> str:
    """The words that stand for a group at the mask."""
    terms = between.part.groups[group].terms
    if len(terms) <= 2:  # noqa: PLR2004 - more would not fit beside a bar
        return " or ".join(wording.visible(term) for term in terms)
    return f"any word for {between.groups[between.group_names.index(group)]}"


def _bar(model: Of, p: float, longest: float) -> Bar:
    share = p / longest if longest > 0 else 0.0
    return Bar(model, round(share, 4), wording.probability(p))

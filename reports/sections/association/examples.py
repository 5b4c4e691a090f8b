"""Example sentences behind the leans of a set, with each model's likeliest words."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.recording.rows.tables import are_in
from maskaudit.probes.frames.sentence import MASK
from maskaudit.reports.blocks import Blank, Column, Folded, Rows, Table, Text, Word, Words
from maskaudit.reports.effects import CANDIDATE, Effect, Effects, Names, Tables
from maskaudit.reports.sections.contrasts.tested import tag
from maskaudit.reports.words import wording

TOP_FILLS = 3
_NEAREST = (
    "For each attribute, the sentence shown is the one whose own score in {candidate} lies nearest "
    "to the attribute’s average over all sentences: neither the most telling nor the mildest. "
    "The ratio is the one that the leans are made of. The likeliest words are what each model "
    "itself would have written in the place."
)
# The columns of items that say of which sentence each is.
_OF_UNITS = ["attribute", "frame", "variant", "group", "context", "item"]
_CONTINUES = "A piece that begins with ## continues the word before it."

Pair = tuple[float, float]
Fills = Mapping[tuple[str, str], Words]


@dataclass(frozen=True)
class Between:
    """One set and two of its groups: the subject of a table of leans.

    `slice_groups` names the two as slices do, and is empty where the set has no other groups.
    `groups` are their labels, `group_names` their names.
    """

    probe_set: str
    part: ProbeSet
    slice_groups: tuple[str, ...]
    groups: tuple[str, str]
    group_names: tuple[str, str]

    @property
    def at_mask(self) -> bool:
        """Whether the groups' words stand at the mask position."""
        return bool(self.part.group_at_mask)

    @property
    def tag(self) -> str:
        """The unique tag of its tables."""
        return tag(self.probe_set, self.slice_groups)

    def slice(self, slice_: Slice) -> Slice:
        """The same slice, restricted to these two groups."""
        return slice_.of_groups(*self.slice_groups)

    def leans(self, estimates: Effects, estimator: str, subject: str) -> dict[str, Effect]:
        """The effects of one estimator and subject between these two groups, by attribute."""
        return estimates.by_attribute(estimator, self.slice_groups, subject)


@dataclass(frozen=True)
class Unit:
    """One sentence, or two that differ in the group, with each model's log p of both groups."""

    contexts: tuple[str, ...]
    log_p: Mapping[str, Pair]

    def score(self, model: str) -> float:
        """The log-odds of the two groups, from which a cell is computed."""
        first, second = self.log_p[model]
        return first - second


def behind(
    between: Between,
    attributes: Sequence[str],
    tables: Tables,
    names: Names,
) -> Folded:
    """One sentence per attribute; `tables` are those of the set."""
    chosen = nearest(between, attributes, tables, names)
    texts = texts_of(tables.contexts, chosen.values())
    fills = _fills(tables.fills, chosen.values())
    groups = tuple(
        Rows(
            tuple(_row(unit, model, fills, names) for model in names.models),
            wording.visible(attribute),
            tuple(texts[context] for context in unit.contexts),
        )
        for attribute, unit in chosen.items()
    )
    continues = any(word.word.startswith("##") for words in fills.values() for word in words.words)
    table = Table(
        f"sentences-{between.tag}",
        f"One sentence for each of the largest leans of {names.candidate}",
        _columns(between),
        groups,
        note=_CONTINUES if continues else "",
        basis="Scope S0: speaks of these very sentences and no others; nothing is tested.",
    )
    explanation = Text(_NEAREST.format(candidate=names.the(CANDIDATE)), "small")
    return Folded("The sentences behind these leans", (explanation, table))


def nearest(
    between: Between,
    attributes: Sequence[str],
    tables: Tables,
    names: Names,
) -> dict[str, Unit]:
    """For each attribute the unit nearest to the candidate's average; of equals, the first."""
    items = tables.items
    is_asked = (items["role"] == "probe") & items["attribute"].isin(attributes)
    probes = items.loc[is_asked, _OF_UNITS]
    log_p = _log_p(tables.scores, probes["item"])
    units = defaultdict(list)
    for attribute, unit in _units(probes, log_p, between, names):
        # Each model needs its number: the rows of an example are read side by side.
        if not any(math.isnan(p) for pair in unit.log_p.values() for p in pair):
            units[attribute].append(unit)
    chosen = {}
    averages = between.leans(tables.effects, LOG_ODDS.name, CANDIDATE)
    for attribute in attributes:
        if units[attribute] and attribute in averages:
            average = averages[attribute].estimate
            chosen[attribute] = min(
                units[attribute], key=lambda unit: abs(unit.score(CANDIDATE) - average)
            )
    return chosen


def _log_p(scores: pd.DataFrame, items: pd.Series) -> dict[tuple[str, str], float]:
    chosen = are_in(scores["item"], items) & (scores["measure"] == "logp")
    rows = scores.loc[chosen, ["item", "model", "value"]]
    keys = zip(rows["item"].tolist(), rows["model"].tolist(), strict=True)
    return dict(zip(keys, rows["value"].tolist(), strict=True))


def _units(
    probes: pd.DataFrame,
    log_p: Mapping[tuple[str, str], float],
    between: Between,
    names: Names,
) -> Iterator[tuple[str, Unit]]:
    """Every sentence of an attribute, or every pair of sentences that differ in the group."""
    sides: dict[tuple[str, str, int], dict[str, list[tuple[str, str]]]] = {}
    # As arrays: iterating over a text column value by value is slow.
    columns = (probes[name].to_numpy() for name in ("attribute", "frame", "variant", "group"))
    keys = zip(probes["context"].to_numpy(), probes["item"].to_numpy(), strict=True)
    for (attribute, frame, variant, group), key in zip(
        zip(*columns, strict=True), keys, strict=True
    ):
        sides.setdefault((attribute, frame, variant), {}).setdefault(group, []).append(key)

    def total(model: str, side: Sequence[tuple[str, str]]) -> float:
        # Without one term's score the sum is unknown: of the other terms alone it would be too
        # small.
        return _summed([log_p.get((item, model), math.nan) for _, item in side])

    for (attribute, _, _), by_group in sides.items():
        first, second = (by_group.get(name, []) for name in between.group_names)
        if between.at_mask and first and second:
            pairs = {model: (total(model, first), total(model, second)) for model in names.models}
            # All terms of both groups are read at one mask, so that any of them names the sentence.
            yield attribute, Unit((first[0][0],), pairs)
        elif not between.at_mask:
            # Terms are paired by their position in the two groups' lists; in the longer list some
            # have no partner.
            for one, other in zip(first, second, strict=False):
                pairs = {
                    model: (total(model, [one]), total(model, [other])) for model in names.models
                }
                yield attribute, Unit((one[0], other[0]), pairs)


def _summed(log_p: Sequence[float]) -> float:
    """The log of the summed probabilities."""
    # `logaddexp` keeps probabilities so small that `exp` would make them 0.
    return log_p[0] if len(log_p) == 1 else float(np.logaddexp.reduce(np.array(log_p)))


def texts_of(contexts: pd.DataFrame, units: Iterable[Unit]) -> dict[str, Blank]:
    """The sentences of some units, split at their masks, by context."""
    needed = {context for unit in units for context in unit.contexts}
    is_needed = are_in(contexts["context"], pd.Series(sorted(needed), dtype="str"))
    chosen = contexts.loc[is_needed, ["context", "text", "slot"]]
    rows = zip(*(chosen[name].tolist() for name in chosen), strict=True)
    return {
        context: _blank(text, 0 if pd.isna(slot) else int(slot)) for context, text, slot in rows
    }


def _blank(text: str, slot: int) -> Blank:
    parts = text.split(MASK)
    # A sentence may have several masks; all but that of the slot stay part of the text.
    before, after = MASK.join(parts[: slot + 1]), MASK.join(parts[slot + 1 :])
    # A mask may begin or end the text, and `visible` writes "(empty)" for nothing.
    return Blank(*(wording.visible(part, None) if part else "" for part in (before, after)))


def _fills(fills: pd.DataFrame, units: Iterable[Unit]) -> Fills:
    """The likeliest words by context and model."""
    needed = {context for unit in units for context in unit.contexts}
    is_first = fills["rank"] <= TOP_FILLS
    likeliest = fills.loc[is_first, ["context", "model", "rank", "token", "probability"]]
    is_needed = are_in(likeliest["context"], pd.Series(sorted(needed), dtype="str"))
    by_key = defaultdict(list)
    rows = likeliest[is_needed].sort_values("rank").drop(columns="rank")
    for context, model, token, p in rows.itertuples(index=False, name=None):
        word = Word(wording.visible(str(token)), wording.probability(float(p)))
        by_key[context, model].append(word)
    return {key: Words(tuple(words)) for key, words in by_key.items()}


def _row(unit: Unit, model: str, fills: Fills, names: Names) -> tuple[str | Words, ...]:
    return (
        names.head(model),
        *(wording.probability(math.exp(p)) for p in unit.log_p[model]),
        wording.odds(unit.score(model)),
        *(fills.get((context, model), Words(())) for context in unit.contexts),
    )


def _columns(between: Between) -> tuple[Column, ...]:
    terms = [between.part.groups[name].terms for name in between.group_names]
    first, second = between.groups
    if between.at_mask:
        heads = [Column(f"Probability of {wording.quoted(group_terms)}") for group_terms in terms]
        likeliest = [Column("Likeliest words", is_number=False)]
    else:
        heads = [Column(f"Probability of the word, {group}") for group in between.groups]
        likeliest = [Column(f"Likeliest, {group}", is_number=False) for group in between.groups]
    ratio = Column(f"Ratio, {first} to {second}")
    return (Column("Model", is_number=False), *heads, ratio, *likeliest)

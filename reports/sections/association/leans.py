"""Every attribute of one set in one table: its leans, what became of them, the world's share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from maskaudit.audit.estimating.crossed.cells import RELATION
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import BEYOND_WORLD, INHERITANCE, LARGEST, LEAN
from maskaudit.audit.estimating.statistics.inheritance import INHERITED, UNDECIDED
from maskaudit.audit.estimating.statistics.multiplicity import benjamini_hochberg
from maskaudit.reports.blocks import Block, Cell, Column, Defined, Named, Part, Rows, Table, Text
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    Effect,
    Names,
    Tables,
)
from maskaudit.reports.sections.association import examples
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.association.inherited.classes import word
from maskaudit.reports.sections.association.yardsticks import shares
from maskaudit.reports.sections.contrasts.tested import label
from maskaudit.reports.words import caveats, sameness, wording

_UNSHOWN = {INHERITED, UNDECIDED}
_Leans = Mapping[str, Effect]


@dataclass(frozen=True)
class _Of:
    """What is known of the attributes of one set, between two of its groups."""

    between: Between
    tables: Tables
    names: Names

    def of(self, estimator: str, subject: str) -> _Leans:
        """One number of one subject, by attribute."""
        return self.between.leans(self.tables.effects, estimator, subject)

    @cached_property
    def leans(self) -> Mapping[str, _Leans]:
        """The raw leans against the average attribute, by subject."""
        return {subject: self.of(LEAN, subject) for subject in self.names.subjects}

    @cached_property
    def largest(self) -> Mapping[str, _Leans]:
        """The shrunken leans of the attributes chosen for their size, by subject."""
        return {subject: self.of(LARGEST, subject) for subject in self.names.subjects}

    @cached_property
    def changes(self) -> _Leans:
        """The change of each attribute with its class; `p_adjusted` as used for the class."""
        changes = self.of(INHERITANCE, RELATION)
        # A record keeps adjusted p values of contrasts only, so the rule of the classes is applied
        # again.
        adjusted = benjamini_hochberg(np.array([change.p for change in changes.values()]))
        return {
            name: replace(change, p_adjusted=float(p))
            for (name, change), p in zip(changes.items(), adjusted, strict=True)
        }

    @cached_property
    def moves(self) -> _Leans:
        """The change of each attribute; for a record without classes, the plain difference."""
        return self.changes or self.leans.get(DIFFERENCE, {})

    @cached_property
    def world(self) -> Mapping[str, str]:
        """The share of the first group in the world, by attribute; empty where none is compared."""
        is_compared = self.of(BEYOND_WORLD, CANDIDATE) and not self.between.slice_groups
        return shares(self.tables.items) if is_compared else {}

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The class of each attribute, as a table has it."""
        rows = self.tables.items[["attribute", "class"]].drop_duplicates(keep="last")
        named = zip(rows["attribute"].tolist(), rows["class"].tolist(), strict=True)
        return {name: label(self.between.part.classes, own) for name, own in named if own}


def attributes(between: Between, tables: Tables, names: Names) -> tuple[Block, ...]:
    """The part of one set about its attributes; empty for a record without leans of attributes.

    `tables` are those of the set.
    """
    of = _Of(between, tables, names)
    own = of.leans[CANDIDATE]
    if not own:
        return ()
    blocks: list[Block] = [Text(_explained(of)), _table(of)]
    chosen = of.largest[CANDIDATE]
    if chosen:
        # The second lines have it, and no column.
        blocks.append(Defined((LARGEST,)))
        blocks.append(examples.behind(between, _by_size(chosen), tables, names))
    return (Part(f"All {len(own)} attributes", tuple(blocks)),)


def _by_size(leans: _Leans) -> list[str]:
    # By name as well, so that equal leans always come in the same order.
    return sorted(leans, key=lambda name: (-abs(leans[name].estimate), name))


def _explained(of: _Of) -> str:
    first, second = of.between.groups
    if of.between.at_mask:
        sign = f"A positive lean is towards {first}, a negative one towards {second}"
    else:
        sign = (
            f"A positive lean means that the word is expected more of {first}, a negative one that "
            f"it is expected more of {second}"
        )
    text = f"{sign}, always against the set’s average attribute."
    count = len(of.largest[CANDIDATE])
    if not count:
        return text
    also = " and moves" if of.largest.get(DIFFERENCE) else ""
    return (
        f"{text} A list of the largest is a list of the luckiest as well, so the {count} largest "
        f"leans{also} have a second line. It begins with the shrunken number: moved towards the "
        "average by as much as chance is likely to have added. Its interval belongs to the raw "
        "number and is widened for having picked the largest, so it need not have the shrunken "
        "number in its middle."
    )


def _table(of: _Of) -> Table:
    columns = list(_columns(of))
    order = _by_size(of.moves or of.leans[CANDIDATE])
    rows = tuple((wording.visible(name), *_cells(of, name)) for name in order)
    effects = [of.leans[CANDIDATE][name] for name in order if name in of.leans[CANDIDATE]]
    frames = wording.counted(effects[0].n_frames, "frame")
    return Table(
        f"attributes-{of.between.tag}",
        "Every attribute, in nats from the set’s average, with 95 % intervals",
        tuple(columns),
        (Rows(rows),),
        note=_note(of),
        basis=f"Each attribute in {frames}. {caveats.scopes(effect.scope for effect in effects)}",
        is_compact=True,
        is_sortable=True,
    )


def _note(of: _Of) -> str:
    texts = ["Not tested one by one; the intervals are not widened for their number."]
    if of.changes:
        texts.append("What became of a lean allows for the number of attributes.")
    if of.moves:
        texts.append(
            f"{caveats.MDE} At most: the smallest margin within which the change is shown to be "
            "none, by its 90 % interval."
        )
    if of.world:
        texts.append(
            "Below a share: the model less the world in nats, for information and not tested; "
            f"above 0 is a larger share of {of.between.groups[0]} than in the world."
        )
    return " ".join(texts)


def _columns(of: _Of) -> Iterator[Column]:
    yield Column("Attribute", is_number=False)
    if of.classes:
        yield Column("Class", is_number=False)
    for model in of.names.models:
        yield Column(of.names.head(model), number=LEAN)
    if of.moves:
        yield Column("Change", number=INHERITANCE if of.changes else LEAN)
        yield Column("What became of it", is_number=False)
    if of.world:
        share = f"share of {of.between.groups[0]}"
        yield Column(f"World, {share}")
        for model in of.names.models:
            head = Named(f"{getattr(of.names, model)}, {share}", address=f"{model}-world")
            yield Column(head, number=BEYOND_WORLD)


def _cells(of: _Of, attribute: str) -> Iterator[str | Cell]:
    if of.classes:
        yield of.classes.get(attribute, "")
    for model in of.names.models:
        raw = of.leans[model].get(attribute)
        largest = of.largest[model].get(attribute) if model == CANDIDATE else None
        yield wording.UNKNOWN if raw is None else caveats.beside(_shown(raw), _shrunken(largest))
    if of.moves:
        yield _change(of.moves[attribute], of.largest[DIFFERENCE].get(attribute))
        yield _became(of, attribute)
    if of.world:
        yield of.world.get(attribute, wording.UNKNOWN)
        for model in of.names.models:
            yield _beside_world(of, attribute, model)


def _shown(effect: Effect) -> str:
    return wording.with_interval(effect.estimate, effect.low, effect.high)


def _shrunken(effect: Effect | None) -> str:
    """The shrunken number of one of the largest, with the interval of the raw one."""
    if effect is None:
        return ""
    interval = wording.between(effect.low, effect.high, with_sign=True)
    shown = f"shrunken {wording.signed(effect.estimate)}, {interval}"
    return wording.Interval(shown, effect.low, effect.high)


def _change(change: Effect, largest: Effect | None) -> str | Cell:
    """A change with its interval; where none was shown, also its mde and how much it is at most."""
    unshown = change.outcome in {*_UNSHOWN, ""} and change.mde > 0 and not change.leaves_zero_out
    remarks = (f"mde {wording.plain(change.mde)}", sameness.at_most(change)) if unshown else ()
    return caveats.beside(_shown(change), _shrunken(largest), *remarks)


def _became(of: _Of, attribute: str) -> str | Cell:
    """The class of a change, and the move in words where one is shown."""
    change = of.moves[attribute]
    raw = {subject: leans.get(attribute) for subject, leans in of.leans.items()}
    reference, candidate = raw[REFERENCE], raw[CANDIDATE]
    moved = (
        move(reference.estimate, candidate.estimate, of.between.groups)
        if reference and candidate
        else ""
    )
    # Records without classes have only the interval to go by.
    if not of.changes:
        return moved if change.leaves_zero_out else "no move could be shown"
    class_ = word(change.outcome)
    if change.outcome not in _UNSHOWN:
        return caveats.beside(class_, moved)
    if change.outcome == INHERITED:
        return class_
    # The change alone is shown; a class would take the leans of the models as well.
    if change.is_shown:
        return caveats.beside(class_, "a change; which one is not known")
    if change.leaves_zero_out:
        alone = f"beyond zero taken alone, not after allowing for {len(of.changes)} attributes"
        return caveats.beside(class_, alone)
    return class_


def _beside_world(of: _Of, attribute: str, model: str) -> str | Cell:
    """The share of the first group in a model, and below it how far that is from the world's."""
    lean = of.of(LOG_ODDS.name, model).get(attribute)
    beyond = of.of(BEYOND_WORLD, model).get(attribute)
    share = wording.share_of_odds(lean.estimate) if lean else wording.UNKNOWN
    return caveats.beside(share, _shown(beyond)) if beyond else share


def move(reference: float, candidate: float, groups: tuple[str, str]) -> str:
    """The move from the reference's lean to the candidate's, in words."""
    side, other = groups if reference >= 0 else groups[::-1]
    if reference * candidate < 0:
        return f"crosses from {side} to {other}"
    # A reference of exactly 0 has no side, hence the candidate's.
    if abs(candidate) > abs(reference):
        return f"leans further towards {groups[0] if candidate > 0 else groups[1]}"
    return f"leans less towards {side}"

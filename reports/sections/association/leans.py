"""The largest leans of one set as tables of finished strings, and what moved between models."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from maskaudit.audit.estimating.crossed.cells import RELATION
from maskaudit.audit.estimating.registry.names import INHERITANCE, LARGEST, LEAN
from maskaudit.audit.estimating.statistics.inheritance import INHERITED, UNDECIDED
from maskaudit.audit.estimating.statistics.multiplicity import benjamini_hochberg
from maskaudit.reports.blocks import Block, Cell, Column, Part, Rows, Table, Text
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    Effect,
    Effects,
    Names,
    Tables,
)
from maskaudit.reports.sections.association import examples
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.tested import label
from maskaudit.reports.words import caveats, sameness, wording

_UNSHOWN = {INHERITED, UNDECIDED}
_UNDER = "Below a raw number its own 95 % interval, not widened for having been picked."


def largest(between: Between, tables: Tables, names: Names) -> tuple[Block, ...]:
    """The blocks of one set about its largest leans; empty where the record has none.

    `tables` are those of the set.
    """
    estimates, items = tables.effects, tables.items
    chosen = _ranked(estimates, between, CANDIDATE)
    if not chosen:
        return ()
    classes = dict(zip(items["attribute"], items["class"], strict=True))
    blocks: list[Block] = [
        Text(_explained(between, len(chosen), names)),
        _largest_table(between, chosen, classes, estimates, names),
        examples.behind(between, [name for name, _ in chosen], tables, names),
    ]
    parts: list[Block] = [Part(f"Largest leans of {names.candidate}", tuple(blocks))]
    moved = _ranked(estimates, between, DIFFERENCE)
    if moved:
        has_classes = INHERITANCE in estimates.estimators
        parts.append(
            Part(
                "Where the two models differ most",
                (
                    Text(_moved_explained(len(moved), names, has_classes=has_classes)),
                    _moved_table(between, moved, classes, estimates, names),
                ),
            )
        )
    return tuple(parts)


def _ranked(estimates: Effects, between: Between, subject: str) -> list[tuple[str, Effect]]:
    """The attributes with the largest leans, the largest first, with their shrunken lean."""
    leans = between.leans(estimates, LARGEST, subject)
    # By name as well, so that equal leans always come in the same order.
    return sorted(leans.items(), key=lambda pair: (-abs(pair[1].estimate), pair[0]))


def _explained(between: Between, count: int, names: Names) -> str:
    first, second = between.groups
    if between.at_mask:
        sign = f"A positive lean is towards {first}, a negative one towards {second}"
    else:
        sign = (
            f"A positive lean means that the word is expected more of {first}, a negative one that "
            f"it is expected more of {second}"
        )
    return (
        f"The {count} attributes on which {names.the(CANDIDATE)} departs most from this set’s "
        f"average attribute. {sign}, always against that average. A list of the largest is a list "
        "of the luckiest as well, so the first number is shrunken: moved towards the average by as "
        "much as chance is likely to have added. The raw number stands beside it. The interval "
        "belongs to the raw number and is widened for having picked the largest, so it need not "
        "have the shrunken number in its middle."
    )


def _largest_table(
    between: Between,
    chosen: Sequence[tuple[str, Effect]],
    classes: Mapping[str, str],
    estimates: Effects,
    names: Names,
) -> Table:
    columns = [
        Column("Attribute", is_number=False),
        Column("Class", is_number=False),
        Column(f"{names.candidate}, shrunken"),
        Column("Interval of the raw"),
        Column(f"{names.candidate}, raw"),
    ]
    if names.paired:
        columns += [Column(f"{names.reference}, raw"), Column("Difference, raw")]
    rows = []
    leans = {subject: between.leans(estimates, LEAN, subject) for subject in names.subjects}
    for attribute, effect in chosen:
        raw = {subject: by_attribute[attribute] for subject, by_attribute in leans.items()}
        shown = [CANDIDATE, REFERENCE, DIFFERENCE] if names.paired else [CANDIDATE]
        rows.append(
            (
                wording.visible(attribute),
                _class(between, classes, attribute),
                wording.signed(effect.estimate),
                wording.between(effect.low, effect.high, with_sign=True),
                wording.signed(raw[CANDIDATE].estimate),
                # That of the candidate stands in a column of its own, widened for the choice.
                *(_with_interval(raw[name]) for name in shown[1:]),
            )
        )
    return Table(
        f"largest-{between.tag}",
        f"Largest leans of {names.candidate}, in nats from the set’s average",
        tuple(columns),
        (Rows(tuple(rows)),),
        note=f"Not tested one by one. {_UNDER}" if names.paired else "Not tested one by one.",
        basis=_basis(chosen),
    )


def _with_interval(raw: Effect) -> str | Cell:
    """A raw lean, with its interval below it."""
    interval = wording.between(raw.low, raw.high, with_sign=True)
    return caveats.beside(wording.signed(raw.estimate), interval)


def _basis(chosen: Sequence[tuple[str, Effect]]) -> str:
    frames = wording.counted(chosen[0][1].n_frames, "frame")
    return f"Each attribute in {frames}. {caveats.scopes(effect.scope for _, effect in chosen)}"


def _changes(between: Between, estimates: Effects) -> dict[str, Effect]:
    """The change of each attribute with its class; `p_adjusted` as used for the class."""
    changes = between.leans(estimates, INHERITANCE, RELATION)
    # A record keeps adjusted p values of contrasts only, so the rule of the classes is applied
    # again.
    adjusted = benjamini_hochberg(np.array([change.p for change in changes.values()]))
    return {
        name: replace(change, p_adjusted=float(p))
        for (name, change), p in zip(changes.items(), adjusted, strict=True)
    }


def _moved_explained(count: int, names: Names, *, has_classes: bool) -> str:
    rule = (
        "Whether there is one follows the classes above, which allow for the number of attributes."
        if has_classes
        else "Where the interval includes zero, no move could be shown."
    )
    return (
        f"The {count} attributes on which {names.the(CANDIDATE)} has moved furthest from "
        f"{names.the(REFERENCE)}, again against the average attribute and again shrunken. The last "
        "column says what the move is, read from the two raw leans: further out in the direction "
        f"that {names.the(REFERENCE)} already leans, back towards the average, or across it. "
        f"{rule}"
    )


def _moved_table(
    between: Between,
    moved: Sequence[tuple[str, Effect]],
    classes: Mapping[str, str],
    estimates: Effects,
    names: Names,
) -> Table:
    rows = []
    leans = {subject: between.leans(estimates, LEAN, subject) for subject in names.subjects}
    changes = _changes(between, estimates)
    for attribute, effect in moved:
        raw = {subject: by_attribute[attribute] for subject, by_attribute in leans.items()}
        reference, candidate = raw[REFERENCE].estimate, raw[CANDIDATE].estimate
        rows.append(
            (
                wording.visible(attribute),
                _class(between, classes, attribute),
                wording.signed(effect.estimate),
                wording.between(effect.low, effect.high, with_sign=True),
                *(_with_interval(raw[name]) for name in (REFERENCE, CANDIDATE)),
                # A change has to hold after adjustment, as its class says; records without classes
                # have only the interval to go by.
                _unshown(changes[attribute], len(changes), raw[DIFFERENCE])
                if attribute in changes and changes[attribute].outcome in _UNSHOWN
                else move(reference, candidate, between.groups)
                if attribute in changes or effect.leaves_zero_out
                else _unmoved(raw[DIFFERENCE]),
            )
        )
    return Table(
        f"moved-{between.tag}",
        "Largest differences, candidate minus reference, in nats from the set’s average",
        (
            Column("Attribute", is_number=False),
            Column("Class", is_number=False),
            Column("Difference, shrunken"),
            Column("Interval of the raw"),
            Column(f"{names.reference}, raw"),
            Column(f"{names.candidate}, raw"),
            Column(f"What {names.candidate} does", is_number=False),
        ),
        (Rows(tuple(rows)),),
        note=f"{_UNDER} {caveats.MDE} At most: the smallest margin within which the move is shown "
        "to be none, by its 90 % interval.",
        basis=_basis(moved),
    )


def _unshown(change: Effect, n_attributes: int, raw: Effect) -> str | Cell:
    """The remark on a move that the class of its attribute does not confirm."""
    if change.outcome == INHERITED:
        return caveats.beside("within the margin", sameness.at_most(raw))
    # The change alone is shown; a class would take the leans of the models as well.
    if change.is_shown:
        return "a change; which one is not known"
    if raw.leaves_zero_out:
        return f"beyond zero taken alone, not after allowing for {n_attributes} attributes"
    return _unmoved(raw)


def _unmoved(raw: Effect) -> str | Cell:
    """That no move could be shown, and how large it may be all the same."""
    return caveats.beside("no move could be shown", _least(raw), sameness.at_most(raw))


def _least(raw: Effect) -> str:
    """The smallest move that a test of this attribute alone could have detected."""
    return f"mde {wording.plain(raw.mde)}" if raw.mde > 0 else ""


def move(reference: float, candidate: float, groups: tuple[str, str]) -> str:
    """The move from the reference's lean to the candidate's, in words."""
    side, other = groups if reference >= 0 else groups[::-1]
    if reference * candidate < 0:
        return f"crosses from {side} to {other}"
    # A reference of exactly 0 has no side, hence the candidate's.
    if abs(candidate) > abs(reference):
        return f"leans further towards {groups[0] if candidate > 0 else groups[1]}"
    return f"leans less towards {side}"


def _class(between: Between, classes: Mapping[str, str], attribute: str) -> str:
    name = classes.get(attribute, "")
    return label(between.part.classes, name) if name else ""

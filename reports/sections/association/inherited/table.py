"""The numbers that relate two models, in one table."""

import math
from collections.abc import Mapping

from maskaudit.audit.estimating.registry.entries import DERIVED
from maskaudit.audit.estimating.registry.entry import INHERITED as PART
from maskaudit.audit.estimating.registry.names import (
    CORRELATION,
    EXPECTED_SIGN_CHANGES,
    FLIPS,
    SLOPE,
)
from maskaudit.reports.blocks import Cell, Column, Named, Rows, Table
from maskaudit.reports.effects import Effect
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.association.inherited.size import is_beyond, ways
from maskaudit.reports.words import caveats, wording

# The rows of the table, in its order.
ROWS = {name: entry for name, entry in DERIVED.items() if entry.shown == PART and entry.title}


def table(between: Between, relations: Mapping[str, Effect]) -> Table:
    """The numbers that a record has about both models together, one row each."""
    shown = {name: relations[name] for name in ROWS if name in relations}
    return Table(
        f"inherited-{between.tag}",
        "Both models together",
        (
            Column("Number", is_number=False),
            Column("Estimate"),
            Column("95 % interval"),
            Column("Same leans would give"),
            Column("p"),
            Column("Could have found"),
            Column("Scope"),
        ),
        (Rows(tuple(_row(name, effect) for name, effect in shown.items())),),
        note=_note(shown),
        basis=_counts(next(iter(shown.values()))) + caveats.scopes(e.scope for e in shown.values()),
    )


def _note(shown: Mapping[str, Effect]) -> str:
    note = (
        "p: against the value that the same leans would give; not adjusted. Could have found: the "
        "smallest number that such a test would have found four times in five, given where nothing "
        "was shown."
    )
    if CORRELATION in shown and not math.isnan(shown[CORRELATION].low):
        note += " The limits of r may lie beyond −1 and 1." * is_beyond(shown[CORRELATION])
    if FLIPS in shown:
        note += (
            " The counts of attributes have no interval. An attribute counts in the first where "
            "the larger p of both its leans is below .025, adjusted for the number of attributes; "
            "the count itself is not tested."
        )
    return note


def _counts(effect: Effect) -> str:
    return (
        f"{wording.counted(effect.n_attributes, 'attribute')} in "
        f"{wording.counted(effect.n_frames, 'frame')}. "
    )


def _row(name: str, effect: Effect) -> tuple[str | Cell, ...]:
    entry = ROWS[name]
    if entry.form == "share":
        shown = wording.percent(effect.estimate)
        beside = "" if effect.flag == "" else caveats.refusal(effect)
        # An expected share is no count of attributes.
        if name != EXPECTED_SIGN_CHANGES:
            beside = f"{round(effect.estimate * effect.n_attributes)} of {effect.n_attributes}"
        # A flip is shown, and of the same leans none is; an estimate may change its sign by noise.
        same = "0 %" if name == FLIPS else wording.UNKNOWN
        cells = (caveats.beside(shown, beside), wording.UNKNOWN, same)
        return (Named(entry.title, name), *cells, "not tested", wording.UNKNOWN, effect.scope)
    is_factor = entry.form == "factor"
    show = wording.odds if is_factor else wording.plain
    numbers = [show(value) for value in effect.numbers]
    if name == CORRELATION:
        numbers = wording.correlations(effect.numbers)
    interval = wording.UNKNOWN
    if not math.isnan(effect.low):
        interval = wording.Interval(f"{numbers[1]} to {numbers[2]}", effect.low, effect.high)
    missing = "exploratory" if effect.flag == "exploratory" else caveats.refusal(effect)
    unshown = not math.isnan(effect.p) and not effect.is_shown and effect.mde > 0
    # The mde of a slope is a distance from 1; the table gives the slope at that distance.
    least = ways(effect.mde) if is_factor else show(effect.mde + (1 if name == SLOPE else 0))
    return (
        Named(entry.title, name),
        caveats.beside(numbers[0], missing),
        interval,
        "1",
        wording.p_number(effect.p),
        least if unshown else wording.UNKNOWN,
        effect.scope,
    )

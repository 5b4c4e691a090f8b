"""The set that matters most by attribute: both models, and the world where it is known."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import LEAN
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.reader.parts import Key, Line, Mark, Plot
from maskaudit.reports.reader.scales import keys, odds_scale, share_scale
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.words import wording

# Rows that stand open, drawn evenly from all in their order; the others are there on demand.
OPEN = 20


def picture(between: Between, items: pd.DataFrame, estimates: Effects, names: Names) -> Plot | None:
    """The attributes of one set; None where it has no estimate for any."""
    if between.at_mask:
        return _shares(between, items, estimates, names)
    return _leans(between, estimates, names)


def _shares(between: Between, items: pd.DataFrame, estimates: Effects, names: Names) -> Plot | None:
    leans = {model: between.leans(estimates, LOG_ODDS.name, model) for model in names.models}
    own = leans[CANDIDATE]
    if not own:
        return None
    world = {} if between.slice_groups else _world(items)
    first, second = (_term(between, name) for name in between.group_names)
    scale, ticks = share_scale(0.5)
    order = sorted(own, key=lambda name: (-world.get(name, 0.0), -own[name].estimate, name))

    def line(name: str) -> Line:
        share = _share(own[name].estimate)
        marks: list[Mark] = []
        ends = [share]
        if name in world:
            marks.append(Mark("world", scale.at(world[name])))
            ends.append(world[name])
        if names.paired and name in leans[REFERENCE]:
            before = _share(leans[REFERENCE][name].estimate)
            marks.append(Mark(REFERENCE, scale.at(before)))
            # Without the world, the bar is the change.
            ends += [] if name in world else [before]
        marks.append(Mark(CANDIDATE, scale.at(share), is_faint=not own[name].leaves_zero_out))
        joined = (scale.at(min(ends)), scale.at(max(ends))) if len(ends) > 1 else None
        real = f"world {wording.percent(world[name])}" if name in world else ""
        return Line(
            wording.visible(name), tuple(marks), wording.percent(share), real, joined=joined
        )

    title = _sides(own, first, second, between, names)
    of = f"Share of {first} when {first} and {second} are the choice"
    source = "; the tick is the share in the world, the bar the gap" if world else ""
    known = [Key("world", "the world")] if world else []
    by = "by the world’s share" if world else f"by {names.candidate}’s share"
    return _cut(
        Plot(
            f"picture-{between.tag}",
            title,
            f"{of}{source}. Sorted {by}.",
            ("", "", ""),
            keys(names, *known),
            ticks,
            tuple(map(line, order)),
        )
    )


def _leans(between: Between, estimates: Effects, names: Names) -> Plot | None:
    leans = {model: between.leans(estimates, LEAN, model) for model in names.models}
    own = leans[CANDIDATE]
    if not own:
        return None
    first, second = between.groups
    # Then by name, so that leans of one size stand in the same order on every page.
    order = sorted(own, key=lambda name: (-own[name].estimate, name))
    values = [effect.estimate for of_model in leans.values() for effect in of_model.values()]
    scale, ticks = odds_scale(values)

    def line(name: str) -> Line:
        effect = own[name]
        marks: list[Mark] = []
        joined = None
        if names.paired and name in leans[REFERENCE]:
            before = leans[REFERENCE][name]
            marks.append(scale.mark(REFERENCE, before, bare=True))
            ends = sorted((before.estimate, effect.estimate))
            joined = (scale.at(ends[0]), scale.at(ends[1]))
        faint = not effect.leaves_zero_out
        marks.append(scale.mark(CANDIDATE, effect, is_faint=faint, bare=True))
        return Line(
            wording.visible(name), tuple(marks), wording.times(effect.estimate), joined=joined
        )

    title = _sides(own, first, second, between, names)
    unit = (
        f"How many times as likely the word is of {first} as of {second}, beside the set’s average "
        "word. The bar is the change."
    )
    return _cut(
        Plot(
            f"picture-{between.tag}",
            title,
            unit,
            ("", "", ""),
            keys(names),
            ticks,
            tuple(map(line, order)),
        )
    )


def _cut(plot: Plot) -> Plot:
    """The plot with some of its lines, drawn evenly, where there are many; all on demand."""
    lines = plot.lines
    pale = "Pale: unclear."
    if len(lines) <= OPEN:
        return replace(plot, note=pale)
    chosen = np.linspace(0, len(lines) - 1, OPEN).round().astype(int)
    return replace(
        plot,
        lines=tuple(lines[place] for place in chosen),
        more=lines,
        more_title=f"All {len(lines)}",
        note=f"{OPEN} of {len(lines)} words, drawn evenly from this order. {pale}",
    )


def _sides(
    own: Mapping[str, Effect], first: str, second: str, between: Between, names: Names
) -> str:
    """On how many attributes the model prefers each side, by their own intervals."""
    to_first = sum(effect.low > 0 for effect in own.values())
    to_second = sum(effect.high < 0 for effect in own.values())
    total = wording.counted(len(own), "word")
    if between.at_mask:
        if to_second >= to_first:
            most, side, other, less = to_second, second, first, to_first
        else:
            most, side, other, less = to_first, first, second, to_second
        rest = f", {other} in {less}" if less else ""
        return f"{names.candidate} prefers {side} to {other} in {most} of {total}{rest}"
    unclear = len(own) - to_first - to_second
    return (
        f"Of {total}, {names.candidate} expects {to_first} more of {first} and {to_second} more of "
        f"{second}{f'; {unclear} unclear' if unclear else ''}"
    )


def _term(between: Between, group: str) -> str:
    """The only word for a group, in quotation marks; its label where there are more."""
    terms = between.part.groups[group].terms
    label = between.groups[between.group_names.index(group)]
    return f"“{wording.visible(terms[0])}”" if len(terms) == 1 else label


def _share(nats: float) -> float:
    return float(1 / (1 + np.exp(-nats)))


def _world(items: pd.DataFrame) -> dict[str, float]:
    """The share of the first group in the world by attribute, where it is known."""
    known = items.loc[items["share"].notna(), ["attribute", "share"]].drop_duplicates("attribute")
    return dict(zip(known["attribute"], known["share"].astype(float), strict=True))

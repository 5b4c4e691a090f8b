"""The leans of one set against two yardsticks, parity and the world's shares, side by side."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import (
    BEYOND_WORLD,
    CONTRAST,
    WORLD_INTERCEPT,
    WORLD_SLOPE,
)
from maskaudit.audit.estimating.statistics.yardstick import logit
from maskaudit.audit.recording.rows import slices
from maskaudit.reports.blocks import (
    Block,
    Cell,
    Dot,
    Figure,
    Key,
    Named,
    Part,
    Rows,
    Table,
    Text,
    Yardsticks,
)
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.sections import measures
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.contrasts.tested import label
from maskaudit.reports.words import caveats, sameness, wording

_CHOICE = (
    "Which of the two is the right yardstick is a choice that this page does not make: parity asks "
    "that the attribute make no difference, the world’s shares only that the model add nothing to "
    "what is there. Noise in the shares, or a word that does not quite name the occupation that "
    "was counted, makes the slope come out flatter than the model’s true one."
)
_HIDDEN = (
    "Here the attribute is the hidden word, so a lean is no share of the groups: only the slope "
    "can be held against the world, and not the height."
)


def yardsticks(
    between: Between, items: pd.DataFrame, estimates: Effects, names: Names
) -> tuple[Block, ...]:
    """The part on both yardsticks, for a set with shares.

    Empty for a set without shares or with more than two groups.
    """
    slopes = estimates.at(WORLD_SLOPE, slices.ALL, names.subjects)
    # A share in the world is that of one group beside a single other; of three or more there is
    # none.
    if not slopes or between.slice_groups:
        return ()
    # Where the attribute is the hidden word there are none, since a lean is no share (`_HIDDEN`).
    beyond = estimates.at(BEYOND_WORLD, slices.ALL, names.models)
    blocks: list[Block] = [Text(_summary(between, slopes, names))]
    # Of few frames no attribute has a lean of its own, and there is nothing to draw.
    if beyond and estimates.by_attribute(LOG_ODDS.name, (), names.models[0]):
        blocks.append(_figure(between, items, estimates, names))
    blocks += [_table(between, estimates, names), _choice(between, is_at_mask=bool(beyond))]
    return (Part("Against two yardsticks", tuple(blocks)),)


def shares(items: pd.DataFrame) -> dict[str, str]:
    """The share of the first group in the world, in percent, of each attribute that has one."""
    return {name: wording.share_of_odds(odds) for name, odds in _logits(items).items()}


def _summary(between: Between, slopes: Mapping[str, Effect], names: Names) -> str:
    """How steeply each model follows the world, in words, and where the shares come from."""
    clauses = [_follows(model, slopes[model], names) for model in names.models if model in slopes]
    steeper = f" {moved}" if (moved := _moved(slopes)) else ""
    return (
        f"Against parity every lean should be 0. Against the world, leans should rise with the "
        f"shares of {between.groups[0]} at a slope of 1: {'; '.join(clauses)}.{steeper} The "
        f"shares are those of {'; '.join(_sources(between))}."
    )


def _follows(model: str, slope: Effect, names: Names) -> str:
    if math.isnan(slope.estimate):
        why = caveats.refusal(slope).removeprefix("not computed").removeprefix(": ")
        return f"the slope of {names.the(model)} was not computed{f' ({why})' if why else ''}"
    has = f"{names.the(model)} has {wording.plain(slope.estimate)}"
    interval = f"95 % interval {wording.between(slope.low, slope.high)}"
    chance = f"{wording.p_value(slope.p)} against 1, not adjusted"
    # p is against 1 and says nothing of 0, which would be no relation to the world at all.
    none = "" if slope.leaves_zero_out else " and is not shown to follow the world at all"
    if slope.is_shown:
        way = "is steeper than" if slope.estimate > 1 else "is less steep than"
        # "Less steep" would be true of it too, and hide that it goes the other way.
        way = "runs against the world" if slope.high < 0 else f"{way} the world’s"
        return f"{has} ({interval}; {chance}), which {way}{none}"
    least = ""
    if slope.mde > 0:
        # The test is against a slope of 1, so the mde is a distance from 1.
        low, high = (wording.plain(1 + step) for step in (-slope.mde, slope.mde))
        apart = sameness.at_most(slope, 1.0)
        least = (
            f" (a slope below {low} or above {high} could have been told from 1; it is {apart} "
            "from 1, 90 % interval)"
        )
    return (
        f"{has} ({interval}; {chance}), which is not shown to differ from the world’s{least}{none}"
    )


def _moved(slopes: Mapping[str, Effect]) -> str:
    """How the candidate's slope differs and what that brings it nearer to; empty if not shown."""
    change = slopes.get(DIFFERENCE)
    if change is None or not change.is_shown:
        return ""
    reference, candidate = (slopes[name].estimate for name in (REFERENCE, CANDIDATE))
    # Below 0 "steeper" would turn round: a slope that rises there becomes flatter.
    up, down = ("steeper", "less steep") if min(reference, candidate) >= 0 else ("higher", "lower")
    # The sentence has a size and a way, so the limits are turned as the number is.
    low, high = (change.low, change.high) if change.estimate > 0 else (-change.high, -change.low)
    approaches = [
        f"{'nearer' if abs(candidate - goal) < abs(reference - goal) else 'further from'} {name}"
        for goal, name in ((1.0, "the world’s"), (0.0, "parity"))
        # With the two slopes on either side of the goal, their difference does not show which of
        # them is nearer.
        if (reference - goal) * (candidate - goal) > 0
    ]
    by_slope = f": by slope {', '.join(approaches)}" if approaches else ""
    return (
        f"The candidate’s slope is {wording.size(change.estimate)} "
        f"{up if change.estimate > 0 else down} ({wording.between(low, high)}){by_slope}."
    )


def _sources(between: Between) -> list[str]:
    """The set's sources labelled as sources of shares, without that label; all if none is."""
    sources = [wording.visible(str(source), None).rstrip(".") for source in between.part.sources]
    parts = [source.partition(": ") for source in sources]
    return [rest for head, _, rest in parts if rest and "share" in head.lower()] or sources


def _table(between: Between, estimates: Effects, names: Names) -> Table:
    parity, world = [], []
    if between.part.contrast or between.part.directions:
        parity.append(("Stereotype contrast, nats (parity: 0)", CONTRAST, slices.CONTRAST))
    parity.append(("Average, all attributes, nats (parity: 0)", LOG_ODDS.name, slices.ALL))
    world.append(
        ("Slope over the shares (world: 1; parity, and a difference: 0)", WORLD_SLOPE, slices.ALL)
    )
    world.append(
        (
            "Intercept, at an attribute with an even share, nats (world: 0)",
            WORLD_INTERCEPT,
            slices.ALL,
        )
    )
    world.append(("Model less world, all attributes, nats (world: 0)", BEYOND_WORLD, slices.ALL))
    for name in between.part.classes:
        title = f"Model less world, {label(between.part.classes, name)}, nats (world: 0)"
        world.append((title, BEYOND_WORLD, slices.of_class(name)))
    groups, codes = [], []
    for title, lines in (("Parity", parity), ("The world’s shares", world)):
        rows = []
        for line, estimator, slice_ in lines:
            by_subject = estimates.at(estimator, slice_, names.subjects)
            if by_subject:
                cells = {s: _cell(estimator, e, s, between) for s, e in by_subject.items()}
                rows.append(measures.row(Named(line, estimator), by_subject, cells, names))
                codes += [effect.scope for effect in by_subject.values()]
        groups.append(Rows(tuple(rows), title))
    return Table(
        f"yardsticks-{between.tag}",
        "Both yardsticks in numbers, with 95 % intervals",
        measures.columns(names),
        tuple(groups),
        note="Tested are the contrast, against 0, and the slope, against 1 for a model and 0 for "
        "the difference; the p of a slope is not adjusted. All else is shown and not tested. "
        f"{_signs(between) + ' ' if between.at_mask else ''}{caveats.MDE}",
        basis=caveats.scopes(codes),
    )


def _cell(estimator: str, effect: Effect, subject: str, between: Between) -> str | Cell:
    if estimator == WORLD_SLOPE:
        shown = wording.plain(effect.estimate)
        if not math.isnan(effect.low):
            limits = effect.low, effect.high
            shown = wording.Interval(f"{shown} ({wording.between(*limits)})", *limits)
        chance = "" if math.isnan(effect.p) else wording.p_value(effect.p)
        return caveats.beside(shown, chance, caveats.could_find(effect), caveats.refusal(effect))
    is_tested = estimator == CONTRAST and not math.isnan(effect.chance)
    chance = wording.p_value(effect.chance) if is_tested else ""
    is_share = between.at_mask and subject != DIFFERENCE and estimator == LOG_ODDS.name
    share = f"{wording.share_of_odds(effect.estimate)} {between.groups[0]}" if is_share else ""
    return caveats.nats(effect, share, chance)


def _signs(between: Between) -> str:
    first = between.groups[0]
    return (
        f"Model less world, above 0: a larger share of {first} than in the world; below 0: a "
        "smaller one."
    )


def _choice(between: Between, *, is_at_mask: bool) -> Text:
    return Text(_CHOICE if is_at_mask or between.at_mask else f"{_HIDDEN} {_CHOICE}", "small")


def _logits(items: pd.DataFrame) -> dict[str, float]:
    """The logit of each attribute's share in the world, where that share is known."""
    shares = items.loc[items["share"].notna(), ["attribute", "share"]].drop_duplicates("attribute")
    values = logit(shares["share"].to_numpy(dtype=np.float64))
    return dict(zip(shares["attribute"], map(float, values), strict=True))


def _leans(
    estimates: Effects, estimator: str, attributes: Sequence[str], model: str
) -> dict[str, Effect]:
    """One number of every attribute in one model."""
    by_attribute = estimates.by_attribute(estimator, (), model)
    return {name: by_attribute[name] for name in attributes if name in by_attribute}


def _figure(between: Between, items: pd.DataFrame, estimates: Effects, names: Names) -> Figure:
    world = _logits(items)
    first = between.groups[0]
    dots = tuple(
        Dot(
            world[attribute],
            lean.estimate,
            model,
            f"{wording.visible(attribute)}, {names.label(model)}: "
            f"{wording.share_of_odds(lean.estimate)} {first}, in the world "
            f"{wording.share_of_odds(world[attribute])}",
        )
        for model in names.models
        for attribute, lean in _leans(estimates, LOG_ODDS.name, list(world), model).items()
    )
    return Figure(
        f"world-{between.tag}",
        f"Share of {first} in the models and in the world",
        f"A mark an attribute, for {wording.listed([names.label(m) for m in names.models])}: how "
        f"likely its words for {first} are among those of both groups, over the share of {first} "
        "in the world, both on a scale of log-odds. On the rising line a model has the world’s "
        "share; on the level line the attribute makes no difference.",
        Yardsticks(dots, f"share of {first} in the world", f"share of {first} in the model"),
        tuple(Key(model, names.label(model)) for model in names.models),
        "middle",
    )

"""The results of one set as a table: the tested contrast, the averages, and the size of leans."""

import math
from collections.abc import Iterator, Sequence

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.prior import LPBS, PRIOR
from maskaudit.audit.estimating.registry.names import ASSOCIATION, CONTRAST, MAGNITUDE, contrast_of
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.blocks import Cell, Named, Rows, Table
from maskaudit.reports.effects import DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.sections import measures
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.contrasts.tested import classes_of, label
from maskaudit.reports.words import caveats, wording

# These numbers have the scope S1 only where frames belong to attributes, as in Winogender.
_SCOPES = {
    **caveats.SCOPES,
    "S1": "other attributes, each in frames of its own, with the same words for the groups",
}


def results(between: Between, estimates: Effects, names: Names) -> Table:
    """The results of one set between two of its groups, one row per measure."""
    part = between.part
    rows, scopes = [], []
    for title, estimator, slice_ in _measures(part, between.slice_groups):
        by_subject = estimates.at(estimator, between.slice(slice_), names.subjects)
        if by_subject:
            cells = {s: _result(estimator, effect, s, between) for s, effect in by_subject.items()}
            rows.append(measures.row(Named(title, estimator), by_subject, cells, names))
            scopes += [effect.scope for effect in by_subject.values()]
    pair = "/".join(between.slice_groups)
    return Table(
        f"results-{between.tag}",
        f"Results in nats, with 95 % intervals{pair and f', {wording.visible(pair)}'}",
        measures.columns(names),
        (Rows(tuple(rows)),),
        note=f"{_results_note(part, estimates)} {_margin_note(part)}{_open_note(between)}"
        f"{_beside_note(between)}",
        basis=caveats.scopes(scopes, _SCOPES),
    )


def _result(estimator: str, effect: Effect, subject: str, between: Between) -> str | Cell:
    """A number and its interval, with a more readable scale below."""
    if math.isnan(effect.estimate):
        return caveats.nats(effect)
    # In nats squared, which are no log-odds: only their root is on the scale of a lean.
    if estimator in {ASSOCIATION, MAGNITUDE}:
        return caveats.nats(effect, *_typical(effect, subject))
    odds = f"odds × {wording.odds(effect.estimate)}"
    if not between.at_mask:
        odds = f"ratio × {wording.odds(effect.estimate)}"
    # Only where two words compete at one mask, and in one model, do log-odds come to a share.
    is_share = (
        between.at_mask and subject != DIFFERENCE and estimator in {LOG_ODDS.name, PRIOR.name}
    )
    share = f"{wording.share_of_odds(effect.estimate)} {between.groups[0]}" if is_share else ""
    return caveats.nats(effect, odds, share)


def _typical(effect: Effect, subject: str) -> tuple[str, ...]:
    """The typical lean, as the root of a mean square; and the p of the test of any lean at all."""
    if subject == DIFFERENCE:
        return ()
    chance = "" if math.isnan(effect.p) else f"any at all: {wording.p_value(effect.p)}"
    # The estimate of a mean square is unbiased and can fall below zero, where it has no root.
    if effect.estimate <= 0:
        return ("no lean found", chance)
    return (f"typical lean {wording.plain(math.sqrt(effect.estimate))}", chance)


def _measures(part: ProbeSet, between: Sequence[str] = ()) -> Iterator[tuple[str, str, Slice]]:
    """The rows of the table: title, estimator, slice; `between` has the groups as slices do."""
    classes = classes_of(part, between)
    if classes:
        first, second = (label(part.classes, name) for name in classes)
        yield f"Stereotype contrast: {first} less {second}", CONTRAST, slices.CONTRAST
    for name in part.classes:
        yield f"Average, {label(part.classes, name)}", LOG_ODDS.name, slices.of_class(name)
    yield "Average, neutral words", LOG_ODDS.name, slices.CONTROLS
    yield "Average, all attributes", LOG_ODDS.name, slices.ALL
    yield "Association, nats²: how far attributes depart from the average", ASSOCIATION, slices.ALL
    yield "Magnitude, nats²: how far they depart from zero", MAGNITUDE, slices.ALL
    yield "Average with the attribute hidden too (prior)", PRIOR.name, slices.ALL
    yield "Average beyond that (raw less prior)", LPBS.name, slices.ALL
    if classes:
        yield "Stereotype contrast, raw less prior", contrast_of(LPBS.name), slices.CONTRAST


def _open_note(between: Between) -> str:
    """That no stereotype is known of the two groups, where none is."""
    if between.part.has_direction(between.slice_groups):
        return ""
    return (
        "No class of the set is stereotyped with one of these two groups and another with the "
        "other: their contrast has a sign, but no direction of harm. "
    )


def _results_note(part: ProbeSet, estimates: Effects) -> str:
    if not part.contrast and not part.directions:
        return "The set names no two classes to contrast: nothing of it is tested."
    note = (
        "The stereotype contrast is what this page tests; its p, adjusted, stands among the "
        "contrasts above. The averages are shown and never tested: they "
        "depend on how common a group’s words are in general, and an untrained model has them too."
    )
    if part.expect == "benign":
        note = (
            "This set is benign: its associations are true and not about people. They show how "
            "sure the models are of themselves; nothing in it enters the count of tested sets."
        )
    if part.expect == "none":
        note = (
            "This set is a control: nothing in it enters the count of tested sets, and its "
            "averages, like those of every set, are shown and not tested."
        )
    if PRIOR.name in estimates.estimators:
        note += (
            " The prior reads the same sentence with the attribute hidden as well; what is left "
            "after it is taken away cannot show a lean that all attributes share, so both are here."
        )
    return note


def _margin_note(part: ProbeSet) -> str:
    """The margin below which a contrast counts as none, with its reason; empty without one."""
    margin = part.margins.contrast if part.margins else None
    if margin is None:
        return ""
    reason = wording.visible(margin.reason, None).rstrip(".")
    return f"Contrasts within {wording.plain(margin.nats)} nats count as the same: {reason}. "


def _beside_note(between: Between) -> str:
    """The explanation of the second lines of the cells."""
    scale = "Below a number: its factor on how likely the word is found"
    if between.at_mask:
        scale = (
            "Below a number: its factor on the odds, and for an average the share of "
            f"{between.groups[0]} that it comes to"
        )
    return (
        f"{scale}; for association and magnitude a typical lean (their root), and the p, not "
        f"adjusted, of a permutation test of any association at all. {caveats.MDE}"
    )

"""What an audit found, for a terminal: a line a set, the worst first, and the headline below."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from maskaudit.audit.estimating.registry.names import CONTRAST, OF_BOUNDS, SHARE_RIGHT
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import ALL, Slice
from maskaudit.audit.verifying.recomputed import EVERY, Numbers
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.page import headline, names_of, trial
from maskaudit.reports.sections import texts
from maskaudit.reports.sections.contrasts.standings import standing
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts
from maskaudit.reports.sections.method import extrinsic
from maskaudit.reports.sections.units import preferences as preferring
from maskaudit.reports.sections.units.counts import UNITS
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.terminal import layout
from maskaudit.reports.terminal.layout import Cell, Line, Style, Table
from maskaudit.reports.terminal.statuses import STYLES
from maskaudit.reports.words import verdicts, wording

CONTRASTS = "stereotype contrast, nats"
PREFERENCES = "stereotyping side preferred, %"
FACTS = "right answers, %"
# The decimals of shares; those of nats are set by `wording.signed`.
_DIGITS = {PREFERENCES: preferring.DIGITS, FACTS: 0}
_INTERVAL = "95 % interval"
# What no gate judged comes after what failed, and before nothing.
_UNJUDGED = len(verdicts.STATUSES)


@dataclass(frozen=True)
class Row:
    """The line of one set, or of one pair of its groups.

    `subjects` are in the unit of the table. `finding` says what is shown in a few words, and
    `brief` in one or two; `gate` is the worst status of the verdicts on it, empty without any.
    `rank` sorts from the worst.
    """

    probe_set: str
    title: str
    subjects: Mapping[str, Effect]
    finding: str
    brief: str
    style: Style
    gate: str
    rank: tuple[float, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The rows of a record by what was measured, the sets that have none, and extrinsic scores."""

    names: Names
    rows: Mapping[str, tuple[Row, ...]]
    left_out: tuple[str, ...]
    claim: str
    manifest: Manifest
    judgement: Judgement | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON values, unknown numbers as null."""
        return {
            "headline": self.claim,
            "sets": [
                {
                    "probe_set": row.probe_set,
                    "title": row.title,
                    "groups": list(row.groups),
                    "measure": measure,
                    "subjects": {name: _plain(effect) for name, effect in row.subjects.items()},
                    "finding": row.finding,
                    "gate": row.gate or None,
                }
                for measure, rows in self.rows.items()
                for row in rows
            ],
            "left_out": list(self.left_out),
            "extrinsic": extrinsic.as_json(self.manifest),
            "gates": None if self.judgement is None else self.judgement.as_json(),
        }


def numbers(manifest: Manifest) -> Numbers:
    """The numbers of a record that its summary rests on."""
    # Which number a set of pairs prefers by is known from its estimates alone.
    # The numbers of masked text stand below the summary.
    # So do the two ends of numbers.
    if manifest.is_censored or any(
        part.kind in {*UNITS, texts.KIND} for part in manifest.probe_sets.values()
    ):
        return EVERY
    return Numbers(names=frozenset({CONTRAST, *SHARE_RIGHT.values()}))


def summary(record: Record, judgement: Judgement | None = None) -> Summary:
    """Sum up a record, with the verdicts of its gates if given."""
    manifest, estimates = record.manifest, Effects.of(record.estimates)
    names = names_of(manifest)
    gates = _Gates(() if judgement is None else judgement.verdicts)
    of_contrasts = [
        _of_contrast(contrast, gates)
        for contrast in contrasts(manifest.probe_sets, estimates, names, manifest.settings.adjust)
    ]
    preferred = preferring.preferences(manifest, estimates, names)
    of_facts = [
        _of_facts(name, part.title, effects, gates)
        for name, part in manifest.probe_sets.items()
        if (right := SHARE_RIGHT.get(part.kind))
        and CANDIDATE in (effects := estimates.of_set(name).at(right, ALL, names.subjects))
    ]
    rows = {
        CONTRASTS: _sorted(of_contrasts),
        PREFERENCES: _sorted(_of_preference(preference, gates) for preference in preferred),
        FACTS: _sorted(of_facts),
    }
    told = {row.probe_set for of_measure in rows.values() for row in of_measure}
    # What has bounds has a table of its own below.
    told |= set(estimates.of_estimators(OF_BOUNDS).sets)
    return Summary(
        names,
        {measure: found for measure, found in rows.items() if found},
        tuple(
            wording.visible(part.title)
            for name, part in manifest.probe_sets.items()
            if name not in told
        ),
        headline(record).sentence,
        manifest,
        judgement,
    )


def lines(found: Summary, width: float = layout.UNLIMITED) -> Iterator[Line]:
    """Yield the tables of a summary, what is in none of them, and the headline."""
    names = found.names
    whose = (
        f"{names.label(CANDIDATE)} against {names.label(REFERENCE)}"
        if names.paired
        else f"{names.candidate}; nothing was compared"
    )
    if first := trial(found.manifest):
        yield from layout.wrapped(first, width)
    yield from layout.wrapped(whose, width)
    tables = [_table(found, measure, rows) for measure, rows in found.rows.items()]
    for laid in layout.lines(tables, width):
        yield ()
        yield from laid
    if found.left_out:
        yield ()
        text = f"In no table, but on the page: {', '.join(found.left_out)}."
        yield from layout.wrapped(text, width)
    for elsewhere in extrinsic.lines(found.manifest, names):
        yield ()
        yield from layout.wrapped(elsewhere, width)
    yield ()
    yield from layout.wrapped(found.claim, width)


def _table(found: Summary, measure: str, rows: Iterable[Row]) -> Table:
    names = found.names
    models = names.models if names.paired else ()
    gate = () if found.judgement is None else ("gate",)
    main = "difference" if names.paired else "model"
    titles = (measure, *models, f"{main} ({_INTERVAL})", "shown", *gate)
    cells = tuple(
        (
            Cell(row.title),
            *(Cell(_number(row.subjects.get(model), measure)) for model in models),
            Cell(_with_interval(row.subjects.get(names.subjects[-1]), measure, names)),
            Cell(row.finding, row.brief, row.style),
            *(Cell(row.gate or wording.UNKNOWN, "", STYLES.get(row.gate, "")) for _ in gate),
        )
        for row in rows
    )
    return Table(titles, cells, frozenset(range(1, len(models) + 2)))


def _number(effect: Effect | None, measure: str) -> str:
    if effect is None:
        return wording.UNKNOWN
    if measure == CONTRASTS:
        return wording.signed(effect.estimate)
    return wording.fixed(effect.estimate, _DIGITS[measure])


def _with_interval(effect: Effect | None, measure: str, names: Names) -> str:
    if effect is None:
        return wording.UNKNOWN
    if measure == CONTRASTS:
        return wording.with_interval(*effect.numbers)
    return wording.fixed_interval(effect.numbers, _DIGITS[measure], with_sign=names.paired)


def _of_contrast(contrast: Contrast, gates: "_Gates") -> Row:
    found = standing(contrast)
    status = gates.of(contrast.probe_set, contrast.between)
    style: Style = "bad" if found.is_harmful else "open" if found.is_open else ""
    return Row(
        contrast.probe_set,
        contrast.title,
        contrast.subjects,
        found.words,
        found.word,
        style,
        status,
        (_rank(status), found.rank, -contrast.main.estimate),
        contrast.between,
    )


def _of_preference(preference: Preference, gates: "_Gates") -> Row:
    words = preferring.standing(preference)
    status = gates.of(preference.probe_set)
    main = preference.main
    # Of one model the distance from even; of a difference its null value is 0, and not written.
    beyond = main.estimate - (0.0 if math.isnan(main.null_value) else main.null_value)
    is_worse = preference.is_shown and beyond > 0
    return Row(
        preference.probe_set,
        preference.title,
        preference.subjects,
        words,
        words,
        "bad" if is_worse else "",
        status,
        (_rank(status), not is_worse, -beyond),
    )


def _of_facts(probe_set: str, title: str, effects: Mapping[str, Effect], gates: "_Gates") -> Row:
    status = gates.of(probe_set)
    difference = effects.get(DIFFERENCE)
    # As on the page, not adjusted: no more is said than its p.
    chance = "not compared" if difference is None else _chance(difference)
    percent = {name: _in_percent(effect) for name, effect in effects.items()}
    main = percent.get(DIFFERENCE, percent[CANDIDATE]).estimate
    rank = (_rank(status), main)
    return Row(probe_set, wording.visible(title), percent, chance, chance, "", status, rank)


def _chance(difference: Effect) -> str:
    return "not tested" if math.isnan(difference.p) else wording.p_value(difference.p)


def _in_percent(effect: Effect) -> Effect:
    numbers = {name: 100 * getattr(effect, name) for name in ("estimate", "low", "high")}
    return replace(effect, **numbers)


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: row.rank))


def _rank(status: str) -> int:
    """The place of a gate's status from the worst; what passed and what was not judged are last."""
    return verdicts.STATUSES.index(status) if status not in {"", verdicts.PASS} else _UNJUDGED


class _Gates:
    """The worst status of the verdicts on a set, or on one pair of its groups."""

    def __init__(self, all_verdicts: Iterable[Verdict]) -> None:
        self._of_set: dict[str, list[Verdict]] = {}
        for verdict in all_verdicts:
            self._of_set.setdefault(verdict.probe_set, []).append(verdict)

    def of(self, probe_set: str, groups: tuple[str, ...] = ()) -> str:
        """The worst status on a set; of verdicts between two groups only those between `groups`."""
        on_it = [
            verdict
            for verdict in self._of_set.get(probe_set, ())
            if (between := _groups(verdict)) == () or not groups or between == groups
        ]
        return verdicts.worst(on_it) if on_it else ""


def _groups(verdict: Verdict) -> tuple[str, ...]:
    try:
        return Slice.parse(verdict.slice).groups
    except ValueError:  # a verdict on what was not measured has no slice
        return ()


def _plain(effect: Effect) -> dict[str, float | None]:
    numbers = {name: getattr(effect, name) for name in ("estimate", "low", "high")}
    # JSON has no NaN, and most readers refuse Python's.
    return {name: None if math.isnan(value) else value for name, value in numbers.items()}

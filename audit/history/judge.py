"""What may be said of series: versions called worse, draws above a limit, and change points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.changepoint import Change, change_point
from maskaudit.audit.history.sequential import ALPHA, worse_versions
from maskaudit.audit.history.sequential_audits import Week, Weekly, joined
from maskaudit.audit.history.series import DIFFERENCE, History, Series


@dataclass(frozen=True)
class Judged:
    """A series with what may be said of it.

    `p` and `worse` have an entry a point: the one-sided p that a version leans further than the
    reference, and whether alpha spending calls it worse; p is NaN where nothing was judged.
    `weekly` is the sequence of the newest model's draws. `unjudged` says why neither versions nor
    weeks were judged, and is empty where they were: "no difference", "no direction", "other
    references", "no interval" or "no limit". `change` is None where there were too few to say.
    """

    series: Series
    p: tuple[float, ...]
    worse: tuple[bool, ...]
    weekly: Weekly | None
    unjudged: str
    change: Change | None


@dataclass(frozen=True)
class Alarm:
    """A version that is called worse, or the week since which a model is above the limit."""

    series: Series
    record: str
    kind: str


@dataclass(frozen=True)
class Judgement:
    """Every series judged, at `alpha_each` of the level `alpha` that all of them share."""

    history: History
    judged: tuple[Judged, ...]
    alpha: float
    alpha_each: float
    alarms: tuple[Alarm, ...]


def judge(
    history: History, *, limit: float | None = None, alpha: float = ALPHA, seed: int = 0
) -> Judgement:
    """What may be said of every series, so that all of it together is a false alarm at `alpha`.

    Versions on fixed sentences are called worse by alpha spending over their one-sided p values,
    each of which is the record's own: that the difference is no larger than its null value, were
    attributes and frames drawn anew. It does not say that a version is worse than the one before
    it; that takes the scores of both (`audit.judging.comparing`). Draws of a grammar join a
    sequence, that of the newest model, held against `limit`, fixed beforehand: 0 unless it is
    given; one model's own lean has no limit unless it is given. The level is shared by the numbers
    that are judged.
    A change point is searched in every series at a level of its own, and is no alarm.
    """
    lines: dict[tuple[str, ...], list[Series]] = {}
    for series in history.series:
        lines.setdefault(series.line, []).append(series)
    why = {line: _unjudged(own, limit) for line, own in lines.items()}
    each = alpha / max(1, sum(not reason for reason in why.values()))
    judged = []
    for line, own in lines.items():
        has_versions = not why[line] and not own[-1].is_drawn
        found = _versions(own, history, each) if has_versions else {}
        for series in own:
            called = [found.get(point.audit.name, (math.nan, False)) for point in series.points]
            has_weeks = not why[line] and series.is_drawn and series is own[-1]
            judged.append(
                Judged(
                    series,
                    p=tuple(p for p, _ in called),
                    worse=tuple(is_worse for _, is_worse in called),
                    weekly=_weekly(series, limit or 0.0, each) if has_weeks else None,
                    unjudged=why[line],
                    change=_change(series, seed),
                )
            )
    alarms = tuple(alarm for one in judged for alarm in _alarms(one))
    return Judgement(history, tuple(judged), alpha, each, alarms)


def _unjudged(line: Sequence[Series], limit: float | None) -> str:
    """Why the versions or weeks of a number are not judged; empty where they are."""
    newest = line[-1]
    points = [point for series in line for point in series.points]
    is_difference = newest.subject == DIFFERENCE
    if not is_harmful_lean(newest.estimator):
        return "no direction"
    if newest.is_drawn and not is_difference and limit is None:
        return "no limit"
    if not newest.is_drawn and not is_difference:
        return "no difference"
    if is_difference and len({point.audit.identity("reference") for point in points}) > 1:
        return "other references"
    if newest.is_drawn:
        return "" if _weeks(newest) else "no interval"
    return "no interval" if all(math.isnan(point.p_more) for point in points) else ""


def _versions(
    line: Sequence[Series], history: History, alpha: float
) -> dict[str, tuple[float, bool]]:
    """By record: the p value of each version's first number, and whether it is called worse.

    One after the other over all methods: a new method begins a new series, and its first version
    is judged again, which is paid for.
    """
    place = {audit.name: i for i, audit in enumerate(history.audits)}
    fresh = [point for series in line for point in series.points if not point.same_as]
    fresh.sort(key=lambda point: place[point.audit.name])
    p = [point.p_more for point in fresh]
    called = worse_versions(p, alpha=alpha).tolist()
    names = [point.audit.name for point in fresh]
    return dict(zip(names, zip(p, called, strict=True), strict=True))


def _weekly(series: Series, limit: float, alpha: float) -> Weekly:
    return joined(series.probe_set, _weeks(series), null_value=limit, alpha=alpha)


def _weeks(series: Series) -> list[Week]:
    """The draws of the newest model."""
    newest = series.points[-1].version
    return [
        Week(point.audit.name, point.draw, point.estimate, point.v_frames, {})
        for point in series.points
        if point.version == newest and not math.isnan(point.v_frames)
    ]


def _change(series: Series, seed: int) -> Change | None:
    """The likeliest step between the versions, or the draws, of a series."""
    values = np.array([point.estimate for point in series.fresh], dtype=float)
    return change_point(values, np.random.default_rng(seed))


def _alarms(one: Judged) -> Iterator[Alarm]:
    for point, is_worse in zip(one.series.points, one.worse, strict=True):
        if is_worse:
            yield Alarm(one.series, point.audit.name, "version")
    if one.weekly is not None:
        above = np.flatnonzero(one.weekly.sequence.low > one.weekly.null_value)
        if len(above):
            yield Alarm(one.series, one.weekly.records[above[0]], "week")

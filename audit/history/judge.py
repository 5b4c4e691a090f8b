"""Judge series: versions that are worse, draws above a limit, and change points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.numbers import is_harmful_lean
from maskaudit.audit.history.changepoint import Change, change_point
from maskaudit.audit.history.sequential import ALPHA, worse_versions
from maskaudit.audit.history.sequential_audits import Week, Weekly, joined
from maskaudit.audit.history.series import DIFFERENCE, History, Series
from maskaudit.audit.recording.rows.slices import Slice


@dataclass(frozen=True)
class Judged:
    """A series with its results.

    `p` and `worse` have one entry for each point: the one-sided p value against the version leaning
    no further than the reference, and whether alpha spending calls it worse; p is NaN where nothing
    was judged. `weekly` is the sequence of the newest model's draws. `unjudged` is empty, or the
    reason why neither versions nor weeks were judged: "no difference", "no direction", "other
    references", "no interval" or "no limit". `change` is None if the series has too few values.
    """

    series: Series
    p: tuple[float, ...]
    worse: tuple[bool, ...]
    weekly: Weekly | None
    unjudged: str
    change: Change | None


@dataclass(frozen=True)
class Alarm:
    """A version that is called worse, or the first week in which a model is above the limit.

    `kind` is "version" or "week".
    """

    series: Series
    record: str
    kind: str


@dataclass(frozen=True)
class Judgement:
    """All judged series; each number has the level `alpha_each`, its share of the joint `alpha`."""

    history: History
    judged: tuple[Judged, ...]
    alpha: float
    alpha_each: float
    alarms: tuple[Alarm, ...]

    @property
    def searched(self) -> int:
        """In how many series a change point was searched."""
        return sum(judged.change is not None for judged in self.judged)


def judge(history: History, *, limit: float | None = None, alpha: float = ALPHA) -> Judgement:
    """Judge every series, with a probability of `alpha` at most of any false alarm among them.

    Versions on fixed sentences are called worse by alpha spending over their one-sided p values.
    Each p comes from one record: its null hypothesis is that the difference is no larger than its
    null value, over new draws of attributes and frames. A worse version need not be worse than the
    one before it; that test needs the scores of both (`audit.judging.comparing`). The newest
    model's draws of a grammar form a sequence that is compared with `limit`, which must be fixed
    beforehand. For differences it is 0 by default; one model's own lean is judged only with a
    `limit`. The numbers that are judged share `alpha` equally. A change point is searched in every
    series; its p holds at every look at that one series, is outside `alpha`, and raises no alarm.
    """
    lines: dict[tuple[str, ...], list[Series]] = {}
    for series in history.series:
        lines.setdefault(series.line, []).append(series)
    reasons = {line: _unjudged(line_series, limit) for line, line_series in lines.items()}
    # Equal shares bound the joint error under any dependence; the numbers share their probes.
    alpha_each = alpha / max(1, sum(not reason for reason in reasons.values()))
    judged = []
    for line, line_series in lines.items():
        # Records with drawn frames differ in their sentences too, so they are no series of versions
        # on fixed sentences.
        has_versions = not reasons[line] and not line_series[-1].is_drawn
        results_of_versions = _versions(line_series, history, alpha_each) if has_versions else {}
        for series in line_series:
            results = [
                results_of_versions.get(point.audit.name, (math.nan, False))
                for point in series.points
            ]
            # Only the newest method's series still grows; the draws of older ones do not mix in.
            has_weeks = not reasons[line] and series.is_drawn and series is line_series[-1]
            judged.append(
                Judged(
                    series,
                    p=tuple(p for p, _ in results),
                    worse=tuple(is_worse for _, is_worse in results),
                    weekly=_weekly(series, limit or 0.0, alpha_each) if has_weeks else None,
                    unjudged=reasons[line],
                    change=_change(series),
                )
            )
    alarms = tuple(alarm for series_result in judged for alarm in _alarms(series_result))
    return Judgement(history, tuple(judged), alpha, alpha_each, alarms)


def _unjudged(line: Sequence[Series], limit: float | None) -> str:
    """The reason why the versions or weeks of a number are not judged; empty if they are."""
    newest = line[-1]
    points = [point for series in line for point in series.points]
    is_difference = newest.subject == DIFFERENCE
    described = points[-1].audit.probe_sets.get(newest.probe_set)
    groups = Slice.parse(newest.slice).groups
    has_direction = described is None or described.has_direction(groups)
    if not is_harmful_lean(newest.estimator) or not has_direction:
        return "no direction"
    if newest.is_drawn and not is_difference and limit is None:
        return "no limit"
    if not newest.is_drawn and not is_difference:
        return "no difference"
    # A new reference would move the difference without any change of the candidate.
    if is_difference and len({point.audit.identity("reference") for point in points}) > 1:
        return "other references"
    if newest.is_drawn:
        return "" if _weeks(newest) else "no interval"
    return "no interval" if all(math.isnan(point.p_more) for point in points) else ""


def _versions(
    line: Sequence[Series], history: History, alpha: float
) -> dict[str, tuple[float, bool]]:
    """By record, the p value of each version's first number, and whether it is called worse.

    Alpha spending runs on over all methods: a new method begins a new series, and judging its first
    version again uses up a level of its own.
    """
    position = {audit.name: i for i, audit in enumerate(history.audits)}
    fresh = [point for series in line for point in series.points if not point.same_as]
    # In the order of the records, whatever the method: a level is spent when a version comes out,
    # and may not depend on those that come later.
    fresh.sort(key=lambda point: position[point.audit.name])
    p = [point.p_more for point in fresh]
    called = worse_versions(p, alpha=alpha).tolist()
    names = [point.audit.name for point in fresh]
    return dict(zip(names, zip(p, called, strict=True), strict=True))


def _weekly(series: Series, limit: float, alpha: float) -> Weekly:
    return joined(series.probe_set, _weeks(series), null_value=limit, alpha=alpha)


def _weeks(series: Series) -> list[Week]:
    """The draws of the newest model that have a variance over frames."""
    newest = series.points[-1].version
    return [
        Week(point.audit.name, point.draw, point.estimate, point.v_frames, {})
        for point in series.points
        if point.version == newest and not math.isnan(point.v_frames)
    ]


def _change(series: Series) -> Change | None:
    """The likeliest step between the versions, or the draws, of a series."""
    # Without repeats: they are equal to what they repeat, and would pass for a level that holds.
    values = np.array([point.estimate for point in series.fresh], dtype=float)
    return change_point(values)


def _alarms(judged: Judged) -> Iterator[Alarm]:
    for point, is_worse in zip(judged.series.points, judged.worse, strict=True):
        if is_worse:
            yield Alarm(judged.series, point.audit.name, "version")
    if judged.weekly is not None:
        # Not `weekly.alarm`, which is two-sided: a model that leans less raises no alarm.
        above = np.flatnonzero(judged.weekly.sequence.low > judged.weekly.null_value)
        if len(above):
            yield Alarm(judged.series, judged.weekly.records[above[0]], "week")

"""A year of weekly audits: false alarms of an unchanged model, and the delay to detect a shift."""

import numpy as np
from scipy import special

from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.history.sequential import ConfidenceSequence, confidence_sequence, first_alarm
from maskaudit.audit.proving.validity.table import Bar, Measured, Row, Table, generator, share

WEEKS = 52
# A week's standard error is estimated from this number of frames, or known (None).
FRAMES = {"10 frames": 10, "20 frames": 20, "known": None}
CHANGED = 26
_CHUNK = 1000
_ALPHA = 0.05


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return weekly(repetitions, seed)


def weekly(repetitions: int, seed: int) -> list[Table]:
    """Tabulate alarms of `confidence_sequence` in unchanged and in shifted series."""
    alarms, weeks = [], []
    for name, frames in FRAMES.items():
        unchanged, week_by_week, cumulative = _first_alarms(frames, 0.0, 0, repetitions, seed)
        beside = {
            "95 % test every week": share(week_by_week),
            "z of all weeks so far": share(cumulative),
        }
        alarms.append(
            Row(f"unchanged, {name}: any alarm", share(unchanged < WEEKS), Bar(high=0.05), beside)
        )
        shifted, *_ = _first_alarms(frames, 1.0, 0, repetitions, seed)
        alarms.append(
            Row(f"shifted from week 1, {name}: found", share(shifted < WEEKS), Bar(low=0.99))
        )
        later, *_ = _first_alarms(frames, 1.0, CHANGED, repetitions, seed)
        # An alarm before the shift is a false one, even though a shift follows.
        in_time = (later >= CHANGED) & (later < WEEKS)
        alarms.append(
            Row(f"shifted from week {CHANGED + 1}, {name}: found afterwards", share(in_time))
        )
        weeks.append(Row(f"shifted from week 1, {name}", _median(shifted + 1), Bar(high=10)))
    return [
        Table(
            f"Alarms in {WEEKS} weekly audits",
            "Fresh frames every week, the same attributes (scope S1), null value 0; the standard "
            "error of a week is estimated from its frames (9 or 19 degrees of freedom) or known. A "
            "shift is one standard error of a week. Beside: a 95 % interval looked at every week, "
            "and one of the mean of all weeks so far.",
            tuple(alarms),
        ),
        Table(
            "Median week in which a shift is found",
            "The week of the first alarm in the series above that are shifted from week 1.",
            tuple(weeks),
            is_share=False,
        ),
    ]


def _first_alarms(
    frames: int | None, shift: float, start: int, repetitions: int, seed: int
) -> tuple[Cells, Cells, Cells]:
    """Return the index of each series' first alarm, `WEEKS` without an alarm.

    Also return for each series whether any single week's 95 % interval excludes 0, and whether any
    95 % interval of the mean of all weeks so far does. The shift applies from week index `start`.
    """
    rng = generator(seed, f"weekly, {frames}, {shift:g}, {start}")
    shifts = np.where(np.arange(WEEKS) >= start, shift, 0.0)
    first_alarms, week_by_week, cumulative = [], [], []
    # With infinitely many degrees of freedom it is the normal quantile, for errors that are known.
    t_quantile = special.stdtrit(frames - 1 if frames else np.inf, 1 - _ALPHA / 2)
    z_quantile = special.ndtri(1 - _ALPHA / 2)
    for chunk in range(0, repetitions, _CHUNK):  # in chunks, to bound the memory
        n = min(_CHUNK, repetitions - chunk)
        estimates, variances = _series(frames, n, rng)
        estimates += shifts
        sequence = confidence_sequence(estimates, variances)
        first_alarms += [_week(sequence, i) for i in range(n)]
        week_by_week.append((np.abs(estimates) > t_quantile * np.sqrt(variances)).any(1))
        total = np.abs(estimates.cumsum(1)) / np.sqrt(variances.cumsum(1))
        cumulative.append((total > z_quantile).any(1))
    return (
        np.array(first_alarms, dtype=float),
        np.concatenate(week_by_week),
        np.concatenate(cumulative),
    )


def _series(frames: int | None, n: int, rng: np.random.Generator) -> tuple[Cells, Cells]:
    """Draw weekly estimates of standard error 1 and their estimated variances, [n, WEEKS] each."""
    if frames is None:
        return rng.standard_normal((n, WEEKS)), np.ones((n, WEEKS))
    cells = np.sqrt(frames) * rng.standard_normal((n, WEEKS, frames))
    return cells.mean(2), cells.var(2, ddof=1) / frames


def _week(sequence: ConfidenceSequence, series: int) -> int:
    single = ConfidenceSequence(sequence.mean[series], sequence.low[series], sequence.high[series])
    alarm = first_alarm(single, 0.0)
    return WEEKS if alarm is None else alarm


def _median(weeks: Cells) -> Measured:
    """Return the median week and its standard error.

    The error is half the distance between the order statistics one standard error of the rank
    (sqrt(n)/2) below and above the median.
    """
    ordered, n = np.sort(weeks), len(weeks)
    distance = int(np.sqrt(n) / 2) + 1
    error = ordered[min(n - 1, n // 2 + distance)] - ordered[max(0, n // 2 - distance)]
    return Measured(float(np.median(weeks)), float(error) / 2)

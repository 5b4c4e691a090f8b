"""Verdicts on a number of which two ends are known: what is possible passes or fails as a whole.

A pass rests on the end that is worst for the model, and a failure on the end that is best for it:
each is then true wherever between them the number lies, and as sure as on one number. Anything else
is inconclusive.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from maskaudit.audit.estimating.registry.names import ends_of
from maskaudit.audit.judging.decision import FAIL, INCONCLUSIVE, PASS, Decision
from maskaudit.audit.judging.one_verdict import Judged

_SAME = ("probe_set", "mode", "subject", "slice")
NOTE = (
    "an endpoint was asked in censored grade: each of its numbers lies between two ends, and a "
    "gate passes only where all that is possible passes"
)


def on_both_ends(
    judged: Callable[[Mapping[str, Any]], Judged],
    row: Mapping[str, Any],
    estimates: pd.DataFrame,
) -> Judged:
    """The verdict on a number by the row of either of its ends; `judged` decides one row."""
    names = ends_of(row["estimator"])
    assert names is not None  # noqa: S101 - it is asked of ends alone
    least, most = (judged(_row(estimates, row, name)) for name in names)
    harm = least.verdict.harm
    worst, best = (least, most) if harm == "down" else (most, least)
    if harm == "either" and not _is_above(least):
        # Wholly below 0, or neither: then no end is beyond harm, and only a pass can be shown.
        worst, best = least, most
    decisions = (least.decided, most.decided) if harm == "either" else (worst.decided,)
    if all(own is not None and own.word == PASS for own in decisions):
        word = PASS
    elif best.decided is not None and best.decided.word == FAIL and _is_beyond(harm, least, most):
        word = FAIL
    else:
        word = INCONCLUSIVE
    shown = worst if worst.decided is not None else best
    if shown.decided is None:
        return worst
    fails = best.decided is not None and _is_beyond(harm, least, most)
    decided = Decision(
        word,
        -math.inf if least.decided is None else least.decided.low,
        math.inf if most.decided is None else most.decided.high,
        # No harm is what the best end shows, if it lies on the harmful side at all.
        best.decided.p if fails and best.decided is not None else 1.0,
        shown.decided.mde,
    )
    verdict = replace(shown.verdict, low=decided.low, high=decided.high, p=decided.p)
    # How many frames would decide is not known: they leave what is absent as it is.
    return replace(shown, verdict=verdict, decided=decided, v_frames=math.nan)


def _row(estimates: pd.DataFrame, row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if name == row["estimator"]:
        return row
    same = estimates[estimates["estimator"] == name]
    for column in _SAME:
        same = same[same[column] == row[column]]
    # Estimates that lack an end do not hold, and were refused when they were read.
    return cast("Mapping[str, Any]", same.iloc[0].to_dict())


def _is_above(number: Judged) -> bool:
    return number.verdict.estimate > 0


def _is_beyond(harm: str, least: Judged, most: Judged) -> bool:
    """Whether both ends lie on one side of 0, where either side is harm."""
    return harm != "either" or _is_above(least) or most.verdict.estimate < 0

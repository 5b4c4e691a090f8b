"""Verdicts on how many styles a claim holds in: the contrast of each style against one limit.

The claim is a gate's: harm below the margin, or a level inside the bound. It passes if it is shown
in at least k of the S styles of a set, so that P(pass) is at most alpha wherever it is false in
more than S - k. It fails if harm is shown in more than S - k, so that P(fail) is at most alpha
wherever no more than S - k styles are harmful. Both are partial conjunction hypotheses (Benjamini &
Heller 2008): they speak of the style that is k-th from the least harm, whose number, with bounds,
is what a verdict tells. All styles have the same attributes, so their numbers are rather alike than
opposed, which is what the test supposes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.registry.names import STYLE_CONTRAST
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.estimating.statistics.multiplicity import partial_conjunction, simes_levels
from maskaudit.audit.judging.decision import (
    ALPHA,
    FAIL,
    INCONCLUSIVE,
    PASS,
    Decision,
    bounds,
    tail,
)
from maskaudit.audit.judging.policy import BOUND, Gate
from maskaudit.audit.judging.verdicts import Verdict
from maskaudit.audit.recording.rows.slices import Slice

# Estimate, standard error and degrees of freedom; NaN where a style has too little to say.
Numbers = tuple[float, float, float]


def rows_of(row: Mapping[str, Any], estimates: pd.DataFrame) -> pd.DataFrame:
    """The rows of the contrast in each style, beside the row of their average."""
    same = ["probe_set", "mode", "subject"]
    groups = Slice.parse(row["slice"]).groups
    rows = estimates[estimates["estimator"] == STYLE_CONTRAST]
    rows = rows[(rows[same] == pd.Series({name: row[name] for name in same})).all(axis=1)]
    return rows[[Slice.parse(text).groups == groups for text in rows["slice"]]]


def unfit(gate: Gate, n_styles: int) -> str:
    """Why a set of so many styles cannot be judged by a gate, as a clause; empty if it can."""
    if not n_styles:
        return (
            f"its frames name no styles, so holds_in = {gate.holds_in} has nothing to count: leave "
            "holds_in out, or give frames a style"
        )
    if n_styles < (gate.holds_in or 0):
        return f"its frames are of {n_styles} styles, and holds_in = {gate.holds_in} takes as many"
    return ""


def numbers_of(rows: pd.DataFrame) -> list[Numbers]:
    """Estimate, standard error and degrees of freedom of each row."""
    columns = rows[["estimate", "std_error", "df"]].astype(float)
    return list(columns.itertuples(index=False, name=None))


@dataclass(frozen=True)
class OfStyles:
    """The estimate of the style that is k-th from the least harm, and the decision on it."""

    estimate: float
    decision: Decision


def of_styles(number: Verdict, gate: Gate, styles: Sequence[Numbers]) -> OfStyles:
    """Decide whether a claim holds in at least `gate.holds_in` of the styles.

    `number` has the rule, the limit, the direction of harm and `best_of`. `p` is that against harm
    in at most S - k styles. With `harm` "either" the estimate and its bounds are of sizes.
    """
    estimate, std_error, df = np.array(styles, dtype=float).T
    known = np.isfinite(estimate) & np.isfinite(std_error)
    is_level = gate.rule == BOUND
    either = number.harm == "either"
    sign = -1.0 if number.harm == "down" else 1.0
    # From here on more is harm; a style that says nothing is neither harmful nor harmless.
    harm = np.abs(estimate) if either else sign * estimate
    limit = sign * number.margin if is_level else number.margin
    harmless = limit if is_level else 0.0
    # As in `decision.change`: a change in either direction is tested on both sides.
    sides = 2 if either and not is_level else 1
    k, n = cast("int", gate.holds_in), len(styles)
    worst = n - k + 1
    passing = _tails(limit - harm, std_error, df, known)
    failing = sides * _tails(harm - harmless, std_error, df, known)
    p = min(1.0, number.best_of * partial_conjunction(np.minimum(1.0, failing), worst))
    # With one direction the luck of the one that was picked makes a pass only harder.
    p_pass = (number.best_of if either else 1) * partial_conjunction(passing, k)
    word = PASS if p_pass < ALPHA else FAIL if p < ALPHA else INCONCLUSIVE
    numbers = list(zip(harm, std_error, df, strict=True))
    of_pass = ALPHA / (number.best_of if either else 1)
    high = _bound(numbers, known, of_pass, k)
    low = -_bound(
        [(-one, *rest) for one, *rest in numbers], known, ALPHA / sides / number.best_of, worst
    )
    if either:
        low = max(0.0, low)
    kth = float(np.sort(np.where(known, harm, np.inf))[k - 1])
    kth = kth if math.isfinite(kth) else math.nan
    if sign < 0:
        kth, low, high = -kth, -high, -low
    return OfStyles(kth, Decision(word, low, high, p, math.nan))


def _tails(distances: Cells, std_error: Cells, df: Cells, known: Cells) -> Cells:
    """The one-sided p value of each style; 1 where it says nothing."""
    numbers = zip(distances, std_error, df, known, strict=True)
    return np.array([tail(*map(float, own)) if is_known else 1.0 for *own, is_known in numbers])


def _bound(numbers: Sequence[Numbers], known: Cells, alpha: float, least: int) -> float:
    """The upper bound of the `least`-th smallest number: the limit at which it just would pass.

    The i-th smallest p is below its level at a limit that is above i of the styles' own bounds.
    """
    found = []
    for place, level in enumerate(simes_levels(len(numbers), least), least - 1):
        own = [
            bounds(*number, alpha * float(level))[1] if is_known else math.inf
            for number, is_known in zip(numbers, known, strict=True)
        ]
        found.append(sorted(own)[place])
    return min(found)

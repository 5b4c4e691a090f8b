"""Sequential tests for repeated audits: valid at every week, and for every new version in turn.

A test at .05 that is repeated for 52 weeks raises a false alarm in 93 of 100 unchanged series. The
results here hold at all weeks at once, so they may be looked at as often as one likes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.statistics.interval import Cells

ALPHA = 0.05
# The week at which the sequence is tightest. With 15, a shift of one weekly standard error is
# detected in week 9 (median); with 52, in week 11.
HORIZON = 15.0


@dataclass(frozen=True)
class ConfidenceSequence:
    """The running mean of a series and its limits, [..., weeks] each, in the series' own unit.

    All limits hold at once: the true mean is outside them in any week with probability alpha at
    most.
    """

    mean: Cells
    low: Cells
    high: Cells


def rho(horizon: float = HORIZON, alpha: float = ALPHA) -> float:
    """The scale of the mixture that makes the sequence tightest in week `horizon`.

    rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / horizon (Waudby-Smith et al. 2024).
    """
    log_alpha = np.log(alpha)
    return float(np.sqrt((-2 * log_alpha + np.log(1 - 2 * log_alpha)) / horizon))


def confidence_sequence(
    estimates: Cells, variances: Cells, *, alpha: float = ALPHA, horizon: float = HORIZON
) -> ConfidenceSequence:
    """The running mean with limits that hold at every week, from estimates and variances.

    `estimates` and `variances` are [..., weeks]: independent estimates of the same quantity, each
    with the variance that its own audit gives. The limits in week t are mean +- sigma
    sqrt((t rho^2 + 1)/(t^2 rho^2) ln((t rho^2 + 1)/alpha^2)), with sigma^2 the mean of the
    variances so far (Waudby-Smith et al. 2024, asymptotic confidence sequence). A variance
    estimated from the series itself would raise false alarms from week 2. The result is NaN from
    the first unknown week on; if every variance is 0, the limits equal the mean. Raises ValueError
    if the shapes differ.
    """
    week, mean, sigma = _running(estimates, variances)
    scale = week * rho(horizon, alpha) ** 2
    half = sigma * np.sqrt((scale + 1) / (week * scale) * np.log((scale + 1) / alpha**2))
    return ConfidenceSequence(mean, mean - half, mean + half)


def first_alarm(sequence: ConfidenceSequence, null_value: float) -> int | None:
    """The index of the first week whose limits exclude the null value; None if no week's do.

    The null value must be fixed beforehand, as 0 or a gate's margin: one taken from another audit's
    estimate would raise a false alarm in 56 of 100 unchanged series.
    """
    # Limits that are unknown exclude nothing: a comparison with NaN is false.
    alarms = np.flatnonzero((sequence.low > null_value) | (sequence.high < null_value))
    return int(alarms[0]) if len(alarms) else None


def e_value(weeks: Cells, total: Cells, rho_squared: float) -> Cells:
    """The e-value against a mean of 0, from the sum `total` of `weeks` standardised estimates.

    exp(rho^2 S^2/(2 (1 + t rho^2)))/sqrt(1 + t rho^2), from 0 to infinity. Under the null its mean
    is 1, and the probability that it ever reaches 1/alpha is alpha at most (normal mixture; Robbins
    1970).
    """
    scale = 1 + weeks * rho_squared
    with np.errstate(over="ignore"):  # an e-value that overflows is infinite
        e: Cells = np.exp(rho_squared * total**2 / (2 * scale)) / np.sqrt(scale)
    return e


def anytime_p(
    estimates: Cells,
    variances: Cells,
    null_value: float,
    *,
    alpha: float = ALPHA,
    horizon: float = HORIZON,
) -> Cells:
    """The anytime-valid p value of every week, [..., weeks], which never rises.

    It is the smallest 1/e so far, and 1 at most. It falls to alpha in the week in which the
    confidence sequence at the same alpha and horizon first excludes the null value. It is NaN from
    the first unknown week on.
    """
    week, mean, sigma = _running(estimates, variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        # With a variance of 0 the quotient is 0/0 at the null value, where there is no evidence.
        total = np.where(mean == null_value, 0.0, week * (mean - null_value) / sigma)
    p: Cells = np.minimum.accumulate(
        np.minimum(1.0, 1 / e_value(week, total, rho(horizon, alpha) ** 2)), axis=-1
    )
    return p


def worse_versions(p_values: Iterable[float], *, alpha: float = ALPHA) -> NDArray[np.bool_]:
    """Which versions of a model are called worse, each decided on release, by alpha spending.

    `p_values` are one-sided, one for each version, in the order of release; a version with NaN was
    not judged, is not called worse and uses up no level. The k-th judged version is tested at alpha
    6/(pi^2 k^2). These levels sum to alpha, so the probability of any false call is alpha at most
    under any dependence between the tests, which share their probes. Of five regressions of four
    standard errors among 52 versions this detects .55; e-LOND, which needs e-values made from the p
    values, detects .34, and LORD++ requires independence. Start again at an accepted baseline.
    """
    p = np.array(list(p_values), dtype=float)
    is_judged = ~np.isnan(p)
    # sum(1/k^2) is pi^2/6. Where nothing is judged yet, k is 0 and must not divide.
    levels = alpha * 6 / (np.pi * np.maximum(1, np.cumsum(is_judged))) ** 2
    called: NDArray[np.bool_] = is_judged & (p <= np.where(is_judged, levels, 0.0))
    return called


def _running(estimates: Cells, variances: Cells) -> tuple[Cells, Cells, Cells]:
    """The number of each week from 1, the mean so far, the root of the mean variance so far."""
    if estimates.shape != variances.shape:
        message = (
            f"{estimates.shape} estimates and {variances.shape} variances; expected equal shapes"
        )
        raise ValueError(message)
    week = np.arange(1.0, estimates.shape[-1] + 1)
    mean: Cells = estimates.cumsum(-1) / week
    # The variances of the audits themselves, not the scatter of the series: see
    # `confidence_sequence`.
    sigma: Cells = np.sqrt(variances.cumsum(-1) / week)
    return week, mean, sigma

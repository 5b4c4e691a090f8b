"""A student against its teacher: which leans it inherits, amplifies, loses or flips.

All numbers use the cells that the two models share. They belong to neither model and are not
differences: their subject is `relation`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.cells import REFERENCE, Matrix
from maskaudit.audit.estimating.crossed.one_subject import (
    LEAST_FRAMES,
    Number,
    refusal,
    refusal_of_facets,
)
from maskaudit.audit.estimating.registry.names import (
    CORRELATION,
    EXPECTED_SIGN_CHANGES,
    FIDELITY,
    FIDELITY_ADJUSTED,
    FLIPS,
    INHERITANCE,
    LOG_KAPPA,
    LOG_MAGNITUDE_RATIO,
    SIGN_CHANGES,
    SLOPE,
)
from maskaudit.audit.estimating.statistics import fidelity, inheritance, ustatistics
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.interval import Cells, point
from maskaudit.audit.recording.rows.slices import ALL, of_attribute
from maskaudit.audit.recording.rows.values import Flag

# A slope needs ten frames; it is exploratory below twenty frames or thirty attributes.
LEAST_FOR_SLOPE, ENOUGH_FOR_SLOPE = 10, 20
ENOUGH_ATTRIBUTES = 30
# The flags under which a ratio is computed.
_COMPUTED = {"", "exploratory"}
# Roles of neutral sentences in the same frames: with neutral attributes, or a neutral word.
_NEUTRAL = ("control", "prior_neutral")


def relation(teacher: Matrix, student: Matrix, margin: float = 0.0) -> Iterator[Number]:
    """Yield the numbers of the two models together, from the complete probes of each.

    `margin` is the size in nats below which an attribute's lean, or its change, counts as none.
    """
    yield from _ratios(teacher.cells, student.cells)
    if not (refusal(*teacher.cells.shape) or refusal_of_facets(teacher)):
        yield from _by_attribute(teacher, student, margin)


def _ratios(teacher: Cells, student: Cells) -> Iterator[Number]:
    """Yield slope, amplification, correlation and magnitude ratio.

    A ratio is refused with too few frames or attributes, or without a signal to divide by.
    """
    pair = [teacher, student]
    # Each ratio with the test of its denominators, and the models that the test must pass for.
    ratios = {
        SLOPE: (ustatistics.slope, ustatistics.has_signal, [teacher]),
        LOG_KAPPA: (ustatistics.log_kappa, ustatistics.has_signal, pair),
        CORRELATION: (ustatistics.correlation, ustatistics.has_signal, pair),
        LOG_MAGNITUDE_RATIO: (ustatistics.log_magnitude_ratio, ustatistics.has_magnitude, pair),
    }
    n_attributes, n_frames = teacher.shape
    refused = _too_few(n_attributes, n_frames)
    for name, (ratio, has_signal, models) in ratios.items():
        # A denominator that may be 0 gives any ratio one likes, so it has to be shown to be
        # positive.
        flag = refused or _ratio_flag(
            n_attributes, n_frames, has_signal=all(map(has_signal, models))
        )
        interval = ratio(teacher, student) if flag in _COMPUTED else point(np.nan)
        yield Number(ALL, name, interval, n_attributes, n_frames, flag=flag)


def _too_few(n_attributes: int, n_frames: int) -> Flag:
    """Why the size of the set rules out a ratio; empty if it does not."""
    return "too_few_frames" if n_frames < LEAST_FOR_SLOPE else refusal(n_attributes, n_frames)


def _ratio_flag(n_attributes: int, n_frames: int, *, has_signal: bool) -> Flag:
    """The flag of a ratio with enough frames and attributes."""
    if not has_signal:
        return "not_estimable"
    is_small = n_frames < ENOUGH_FOR_SLOPE or n_attributes < ENOUGH_ATTRIBUTES
    return "exploratory" if is_small else ""


def _by_attribute(teacher: Matrix, student: Matrix, margin: float) -> Iterator[Number]:
    """Yield each attribute's class by `inheritance.fates`, and three shares of attributes.

    The shares: credible flips, observed sign changes, and sign changes expected from noise alone.
    """
    # Relative to the average attribute: a shift that all attributes share belongs to none of them.
    teacher_leans, student_leans = anova.centred(teacher.cells), anova.centred(student.cells)
    n, n_frames = teacher_leans.shape
    lean_sets = (teacher_leans, student_leans, student_leans - teacher_leans)
    styles = teacher.styles
    intervals = [anova.frame_intervals(cells, styles=styles, null_value=0.0) for cells in lean_sets]
    own_teacher, own_student, own_change = map(inheritance.Leans.of, intervals)
    classes = inheritance.fates(own_teacher, own_student, own_change, margin)
    for name, change, class_ in zip(teacher.attributes, intervals[2], classes, strict=True):
        number = Number(of_attribute(name), INHERITANCE, change, 1, n_frames, "S1", outcome=class_)
        yield replace(number, n_styles=len(set(styles)))
    signs_of_means = [np.sign(anova.style_means(own, styles)) for own in lean_sets[:2]]
    changed = signs_of_means[0] * signs_of_means[1] < 0
    shares = {
        FLIPS: classes.count(inheritance.FLIPPED) / n,
        SIGN_CHANGES: float(changed.mean()),
        EXPECTED_SIGN_CHANGES: inheritance.expected_sign_changes(
            inheritance.noise_correlation(teacher.cells, student.cells)
        ),
    }
    for name, share in shares.items():
        yield Number(
            ALL,
            name,
            point(share),
            n,
            n_frames,
            # The observed share is about these very sentences; the others allow for new frames.
            "S0" if name == SIGN_CHANGES else "S1",
            "nothing_varied" if np.isnan(share) else "",
        )


def fidelities(items: pd.DataFrame, paired: pd.DataFrame) -> Iterator[Number]:
    """Yield how much larger KL is in sentences about groups than in neutral ones, scope S1.

    Compares probes with neutral sentences in the same frames, without and with adjustment for the
    teacher's entropy. Yields nothing if the set has no neutral sentences, the
    models share no vocabulary, or fewer than `LEAST_FRAMES` frames have both kinds.
    """
    kl = _by_context(paired[paired["measure"] == "kl"])
    asked = items[items["context"].isin(kl.index)]
    rows = asked[["context", "role", "frame"]].drop_duplicates()
    probes = rows.loc[rows["role"] == "probe", "context"]
    # With the attribute at the mask, probes and controls share a sentence: it counts as a probe.
    rows = rows[(rows["role"] == "probe") | ~rows["context"].isin(probes)]
    neutral = next((role for role in _NEUTRAL if (rows["role"] == role).any()), None)
    if neutral is None:
        return
    rows = rows[rows["role"].isin(["probe", neutral])]
    rows = rows.assign(kl=rows["context"].map(kl), probe=rows["role"] == "probe")
    # Paired by frame: both kinds of sentence share its wording.
    by_frame = rows.groupby(["frame", "probe"])["kl"].mean().unstack("probe").dropna()
    if by_frame.shape[1] < 2 or len(by_frame) < LEAST_FRAMES:  # noqa: PLR2004 - both kinds
        return
    n_attributes = asked.loc[asked["role"] == "probe", "attribute"].nunique()
    n_frames = len(by_frame)
    demographic, plain = (by_frame[kind].to_numpy(dtype=float) for kind in (True, False))
    interval = fidelity.difference_in_differences(demographic, plain)
    yield Number(ALL, FIDELITY, interval, n_attributes, n_frames, "S1")
    entropies = paired[(paired["measure"] == "entropy") & (paired["model"] == REFERENCE)]
    rows = rows.assign(entropy=rows["context"].map(_by_context(entropies)))
    # The same frames as the unadjusted number, so that the two can be compared.
    rows = rows[rows["frame"].isin(by_frame.index)].dropna(subset="entropy")
    if not rows.empty:
        interval = fidelity.adjusted(
            rows["kl"].to_numpy(dtype=float),
            rows["entropy"].to_numpy(dtype=float),
            rows["probe"].to_numpy(dtype=bool),
            rows["frame"].to_numpy(dtype=str),
        )
        yield Number(
            ALL,
            FIDELITY_ADJUSTED,
            interval,
            n_attributes,
            n_frames,
            "S1",
            "not_estimable" if np.isnan(interval.estimate) else "",
        )


def _by_context(rows: pd.DataFrame) -> pd.Series:
    return rows.drop_duplicates("context").set_index("context")["value"]

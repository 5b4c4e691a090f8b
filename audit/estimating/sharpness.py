"""How much surer of itself a student is than its teacher, and what is left beyond that.

Scaling all logits scales every lean. Sets of true associations that are not about people, *benign*
ones, grow with it too, so that what grows there is sharpness and not bias.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from maskaudit.audit.estimating import crossed
from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE, REFERENCE, RELATION, Matrix
from maskaudit.audit.estimating.crossed import Number
from maskaudit.audit.estimating.registry.names import (
    CONTRAST_BEYOND,
    ENTROPY,
    LOG_KAPPA,
    LOG_KAPPA_BENIGN,
    LOG_KAPPA_BEYOND,
)
from maskaudit.audit.estimating.statistics import anova
from maskaudit.audit.estimating.statistics.interval import (
    Interval,
    Part,
    point,
    satterthwaite,
    student,
)
from maskaudit.audit.recording import slices

# With fewer benign sets, one odd set would pass for the models' sharpness.
LEAST_BENIGN = 2


@dataclass(frozen=True)
class Sharpness:
    """The mean amplification over benign sets, as a logarithm, with what it was made of.

    `n_sets` are the sets whose amplification could be estimated, of `asked`; `n_attributes` and
    `n_frames` count theirs together.
    """

    interval: Interval
    n_sets: int
    asked: tuple[str, ...]
    n_attributes: int
    n_frames: int

    @property
    def is_known(self) -> bool:
        """Whether enough benign sets gave an amplification."""
        return self.n_sets >= LEAST_BENIGN


def sharpness(estimates: pd.DataFrame, benign: Sequence[str]) -> Sharpness:
    """The sharpness of the candidate against the reference, from the benign sets' amplification.

    The mean of log kappa over the sets, each with equal weight, for new attributes and frames of
    these sets: variance sum(SE^2)/B^2, degrees of freedom by Satterthwaite.
    """
    rows = estimates[
        (estimates["estimator"] == LOG_KAPPA)
        & estimates["probe_set"].isin(list(benign))
        & estimates["std_error"].notna()
    ]
    n = len(rows)
    interval = point(np.nan)
    if n >= LEAST_BENIGN:
        parts: list[Part] = [
            (error**2 / n**2, df)
            for error, df in zip(rows["std_error"], rows["df"].astype(float), strict=True)
        ]
        interval = student(float(rows["estimate"].mean()), *satterthwaite(parts), null_value=0.0)
    counts = (int(rows[name].sum()) for name in ("n_attributes", "n_frames"))
    return Sharpness(interval, n, tuple(sorted(benign)), *counts)


def of_set(
    kappa: Interval,
    by_subject: Mapping[str, Matrix],
    classes: tuple[str, str] | None,
    known: Sharpness,
) -> Iterator[tuple[str, Number]]:
    """Yield the sharpness, the set's amplification beyond it, and its contrast beyond it.

    `kappa` is the set's own log kappa, `classes` those of its contrast, if it has one.
    """
    size = (known.n_attributes, known.n_frames)
    number = Number(slices.ALL, LOG_KAPPA_BENIGN, known.interval, *size)
    matrix = by_subject[DIFFERENCE].probes
    of_whole = Number(slices.ALL, LOG_KAPPA_BEYOND, point(np.nan), *matrix.cells.shape)
    if not known.is_known:
        yield RELATION, replace(number, flag="too_few_benign_sets")
        yield RELATION, replace(of_whole, flag="too_few_benign_sets")
        return
    yield RELATION, number
    if np.isnan(kappa.std_error):
        yield RELATION, replace(of_whole, flag="not_estimable")
    else:
        # Other attributes and frames: the two errors have nothing in common.
        parts = [(own.std_error**2, own.df) for own in (kappa, known.interval)]
        beyond = kappa.estimate - known.interval.estimate
        interval = student(beyond, *satterthwaite(parts), null_value=0.0)
        yield RELATION, replace(of_whole, interval=interval)
    if classes is not None:
        yield from ((DIFFERENCE, found) for found in _contrast(by_subject, classes, known.interval))


def _contrast(
    by_subject: Mapping[str, Matrix], classes: tuple[str, str], known: Interval
) -> Iterator[Number]:
    """Yield the difference of the contrasts were the candidate as sure as the reference.

    C_S/k - C_T, k the sharpness; its variance is that of the difference at this k plus
    (C_S/k)^2 var(log k), by the delta method.
    """
    factor = float(np.exp(-known.estimate))
    candidate, reference = by_subject[CANDIDATE], by_subject[REFERENCE]
    scaled = replace(
        candidate,
        cells=candidate.cells * factor - reference.cells,
        names=tuple(
            ours * factor - theirs
            for ours, theirs in zip(candidate.names, reference.names, strict=True)
        ),
    )
    of_candidate = next(crossed.contrast(candidate, CONTRAST_BEYOND, classes)).interval.estimate
    for number in crossed.contrast(scaled, CONTRAST_BEYOND, classes):
        found = number.interval
        if number.flag or np.isnan(found.std_error):
            yield number
            continue
        more = (of_candidate * factor * known.std_error) ** 2
        parts = [(found.std_error**2, found.df), (more, known.df)]
        yield replace(
            number, interval=student(found.estimate, *satterthwaite(parts), null_value=0.0)
        )


def entropies(items: pd.DataFrame, paired: pd.DataFrame) -> Iterator[tuple[str, Number]]:
    """Yield the mean entropy of each model at the probed slots, and their difference.

    In nats, over the vocabulary; frames are the sample (scope S1), styles count alike. Yields
    nothing where the two models share no vocabulary or there are too few frames.
    """
    probes = items[items["role"] == "probe"][["context", "frame", "style"]].drop_duplicates()
    rows = paired[paired["measure"] == "entropy"][["context", "model", "value"]].drop_duplicates()
    # Sorted, so that the order of the items changes no last bit of a mean.
    joined = probes.merge(rows, on="context").sort_values(["context", "frame"])
    if joined.empty:
        return
    by_frame = joined.pivot_table(index=["frame", "style"], columns="model", values="value")
    by_frame = by_frame.sort_index().dropna()
    if {REFERENCE, CANDIDATE} - set(by_frame) or len(by_frame) < crossed.LEAST_FRAMES:
        return
    styles = by_frame.index.get_level_values("style").tolist()
    # A style of one frame has no spread; then all frames count alike.
    named = [] if min(map(styles.count, styles)) < LEAST_BENIGN or not any(styles) else styles
    by_frame[DIFFERENCE] = by_frame[CANDIDATE] - by_frame[REFERENCE]
    n_attributes = items.loc[items["role"] == "probe", "attribute"].nunique()
    for subject in (REFERENCE, CANDIDATE, DIFFERENCE):
        null = 0.0 if subject == DIFFERENCE else np.nan
        values = by_frame[subject].to_numpy(dtype=float)
        interval = anova.frame_interval(values, styles=named, null_value=null)
        number = Number(slices.ALL, ENTROPY, interval, n_attributes, len(values), "S1")
        yield subject, replace(number, n_styles=len(set(named)))

"""How much surer of itself a student is than its teacher, and what is left beyond that.

Scaling all logits scales every lean. Sets of true associations that are not about people, *benign*
ones, grow with it too, so that what grows there is sharpness and not bias.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    RELATION,
    Matrix,
)
from maskaudit.audit.estimating.crossed.one_subject import Number
from maskaudit.audit.estimating.registry.names import (
    BENIGN_Q,
    CONTRAST_BEYOND,
    ENTROPY,
    ENTROPY_BENIGN,
    LOG_KAPPA,
    LOG_KAPPA_BENIGN,
    LOG_KAPPA_BEYOND,
)
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.crossed.heterogeneity import Heterogeneity, heterogeneity
from maskaudit.audit.estimating.statistics.interval import (
    Interval,
    Part,
    point,
    satterthwaite,
    student,
)
from maskaudit.audit.recording.rows import slices

if TYPE_CHECKING:
    from maskaudit.audit.recording.rows.values import Flag

# At this level the benign sets disagree, and their amplification and entropies are moved.
ALPHA = 0.05
# With fewer benign sets, one odd set would pass for the models' sharpness.
LEAST_BENIGN = 2


@dataclass(frozen=True)
class Sharpness:
    """The mean amplification over benign sets, as a logarithm, with what it was made of.

    `n_sets` are the sets whose amplification could be estimated; `n_attributes` and `n_frames`
    count theirs together. `apart` says whether they disagree, and `entropy` is how much more open
    the candidate finds their slots, unknown where the models share no vocabulary.
    """

    interval: Interval
    n_sets: int
    n_attributes: int
    n_frames: int
    apart: Heterogeneity
    entropy: Interval

    @property
    def why_unknown(self) -> "Flag":
        """Why there is no one factor that would be the models' sharpness; empty if there is."""
        if self.n_sets < LEAST_BENIGN:
            return "too_few_benign_sets"
        return "benign_sets_disagree" if self.apart.p < ALPHA else ""

    @property
    def why_none(self) -> "Flag":
        """Why nothing is said of what is beyond sharpness; empty if something can be.

        Who is less sure finds the slots more open, whatever the factor. Where they are not, what
        fell are associations, and with them what is known of the world.
        """
        # Of two vocabularies the entropies cannot be compared, and nothing speaks against the
        # factor.
        if self.why_unknown or not self.interval.p < ALPHA or np.isnan(self.entropy.p):
            return self.why_unknown
        has_moved = self.entropy.p < ALPHA and self.entropy.estimate * self.interval.estimate < 0
        return "" if has_moved else "benign_entropy_unmoved"


def sharpness(estimates: pd.DataFrame, benign: Sequence[str]) -> Sharpness:
    """The sharpness of the candidate against the reference, from the benign sets' amplification.

    The mean of log kappa over the sets, each with equal weight, for new attributes and frames of
    these sets: variance sum(SE^2)/B^2, degrees of freedom by Satterthwaite.
    """
    known = estimates[estimates["probe_set"].isin(list(benign)) & estimates["std_error"].notna()]
    rows = known[known["estimator"] == LOG_KAPPA]
    entropy = known[(known["estimator"] == ENTROPY) & (known["subject"] == DIFFERENCE)]
    errors = list(zip(rows["std_error"] ** 2, rows["df"].astype(float), strict=True))
    return Sharpness(
        interval=_mean(rows),
        n_sets=len(rows),
        n_attributes=int(rows["n_attributes"].sum()),
        n_frames=int(rows["n_frames"].sum()),
        apart=heterogeneity(rows["estimate"].tolist(), errors),
        entropy=_mean(entropy),
    )


def _mean(rows: pd.DataFrame) -> Interval:
    """The mean of the numbers of sets, each with equal weight; unknown of fewer than two."""
    n = len(rows)
    if n < LEAST_BENIGN:
        return point(np.nan)
    parts: list[Part] = [
        (error**2 / n**2, df)
        for error, df in zip(rows["std_error"], rows["df"].astype(float), strict=True)
    ]
    return student(float(rows["estimate"].mean()), *satterthwaite(parts), null_value=0.0)


def of_set(
    kappa: Interval,
    by_subject: Mapping[str, Matrix],
    classes: tuple[str, str] | None,
    known: Sharpness,
) -> Iterator[tuple[str, Number]]:
    """Yield the sharpness, the set's amplification beyond it, and its contrast beyond it.

    `kappa` is the set's own log kappa, `classes` those of its contrast, if it has one.
    """
    yield from ((RELATION, number) for number in _of_benign(known))
    matrix = by_subject[DIFFERENCE].probes
    of_whole = Number(slices.ALL, LOG_KAPPA_BEYOND, point(np.nan), *matrix.cells.shape)
    if flag := known.why_none:
        yield RELATION, replace(of_whole, flag=flag)
        if classes is not None:
            yield from of_contrast(by_subject, classes, known, CONTRAST_BEYOND)
        return
    if np.isnan(kappa.std_error):
        yield RELATION, replace(of_whole, flag="not_estimable")
    else:
        interval = beyond(kappa.estimate, (kappa.std_error**2, kappa.df), known.interval)
        yield RELATION, replace(of_whole, interval=interval)
    if classes is not None:
        yield from of_contrast(by_subject, classes, known, CONTRAST_BEYOND)


def of_contrast(
    by_subject: Mapping[str, Matrix], classes: tuple[str, str], known: Sharpness, name: str
) -> Iterator[tuple[str, Number]]:
    """Yield a contrast of these cells beyond sharpness, called `name`, or why it is not known."""
    if flag := known.why_none:
        pair = one_subject.classes_of(by_subject[DIFFERENCE], classes)
        yield DIFFERENCE, replace(one_subject.of_pair(pair, slices.CONTRAST, name), flag=flag)
        return
    for number in _contrast(by_subject, classes, known.interval):
        yield DIFFERENCE, replace(number, estimator=name)


def beyond(log_ratio: float, part: Part, known: Interval) -> Interval:
    """What is left of a log ratio beyond sharpness; `part` is its variance and df."""
    # Other attributes and frames: the two errors have nothing in common.
    parts = [part, (known.std_error**2, known.df)]
    return student(log_ratio - known.estimate, *satterthwaite(parts), null_value=0.0)


def _of_benign(known: Sharpness) -> Iterator[Number]:
    """Yield the sharpness, whether the benign sets agree on it, and how open they are found."""
    number = Number(slices.ALL, LOG_KAPPA_BENIGN, point(np.nan), known.n_attributes, known.n_frames)
    if flag := known.why_unknown:
        yield replace(number, flag=flag)
    else:
        yield replace(number, interval=known.interval)
    few: Flag = "too_few_benign_sets" if known.n_sets < LEAST_BENIGN else ""
    q = replace(point(known.apart.q), df=known.apart.df, p=known.apart.p, null_value=known.apart.df)
    # Copies have errors of exactly 0, and do not differ.
    unknown: Flag = few or ("nothing_varied" if np.isnan(known.apart.q) else "")
    yield replace(number, estimator=BENIGN_Q, interval=q, scope="S0", flag=unknown)
    if not np.isnan(known.entropy.estimate):
        yield replace(number, estimator=ENTROPY_BENIGN, interval=known.entropy, scope="S1")


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
    # The candidate's alone: only its leans are divided by the sharpness and take on its error.
    of_candidate = next(one_subject.contrast(candidate, CONTRAST_BEYOND, classes)).interval.estimate
    for number in one_subject.contrast(scaled, CONTRAST_BEYOND, classes):
        found = number.interval
        if number.flag or np.isnan(found.std_error):
            yield number
            continue
        more = (of_candidate * factor * known.std_error) ** 2
        parts = [(found.std_error**2, found.df), (more, known.df)]
        yield replace(
            number, interval=student(found.estimate, *satterthwaite(parts), null_value=0.0)
        )


def in_styles(
    by_subject: Mapping[str, Matrix], classes: tuple[str, str], known: Interval
) -> Iterator[Number]:
    """Yield `_contrast` in the frames of each style, by name; nothing of frames without styles."""
    both = one_subject.classes_of(by_subject[DIFFERENCE], classes)
    for style in sorted(set(both[0].styles)):
        chosen = {
            name: matrix.columns([own == style for own in matrix.styles])
            for name, matrix in by_subject.items()
        }
        # Means of names are those of all frames, not of the style's.
        alone = {name: replace(matrix, names=()) for name, matrix in chosen.items()}
        for number in _contrast(alone, classes, known):
            yield replace(number, slice=slices.of_style(style))


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
    means = joined.groupby(["frame", "style", "model"])["value"].mean()
    by_frame = means.unstack("model").dropna()
    if {REFERENCE, CANDIDATE} - set(by_frame) or len(by_frame) < one_subject.LEAST_FRAMES:
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

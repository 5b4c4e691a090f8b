"""Leans planted exactly, in the logits of loaded models, and recovered by scoring and estimating.

What is added to the logits is known to the last digit, and so is the expected result: unlike in the
bundled pair, no training error comes in between.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, RELATION
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.prior import LPBS, PRIOR
from maskaudit.audit.estimating.registry.names import (
    CONTRAST,
    FLIPS,
    INHERITANCE,
    LOG_KAPPA,
    SLOPE,
)
from maskaudit.audit.estimating.statistics.inheritance import AMPLIFIED, ATTENUATED, INHERITED
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.measuring.model import Ids, MaskedLM, Numbers
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest.check import near, numbers, stages
from maskaudit.audit.proving.selftest.ground import FRAMES, SEED, Ground, ground, pieces
from maskaudit.audit.proving.selftest.wrapped import Planted
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.frames.sentence import MASK

OUTPUT_BIAS = 0.7
KAPPAS = (0.7, 1.0, 1.3, 1.5)
# SD of the planted leans, and of the noise of a cell, in nats.
LEAN_SD, NOISE_SD = 1.0, 1.0
NO_NOISE, BALANCED, DRAWN = "no noise", "balanced noise", "drawn noise"
# Tolerances for rounding; LPBS, a difference of differences, loses more digits.
EXACT, EXACT_LPBS = 1e-9, 5e-7
# Tolerance of a recovered slope or intercept, the same where noise was drawn (both relative to
# kappa), and tolerance of log kappa where kappa is 1.
WITHIN, WITHIN_DRAWN, WITHIN_PHANTOM_KAPPA = 1e-4, 0.03, 0.01


class Noise(NamedTuple):
    """Noise added to each cell, [I, J] in nats, of the teacher and of the student."""

    teacher: Cells
    student: Cells


def checks(
    progress: Progress, *, kappas: Sequence[float] = KAPPAS, n_frames: int = FRAMES
) -> Iterator[Check]:
    """Check every plant: an output bias, leans by attribute, reversed and amplified leans."""
    testbed = ground(n_frames)
    rng = np.random.default_rng(SEED)
    leans = _leans(len(testbed.attributes), rng)
    noises = _noises(leans, n_frames, rng)
    planted = [(kappa, name) for kappa in kappas for name in noises]
    runs = ["bias", "attributes", "reversed", *map(str, planted)]
    progress_by_run = stages(progress, "planted leans", runs)
    yield from _output_bias(testbed, progress_by_run["bias"])
    yield from _by_attribute(testbed, leans, progress_by_run["attributes"])
    yield from _reversed(testbed, leans, noises[NO_NOISE], progress_by_run["reversed"])
    for kappa, name in planted:
        estimates = _student(
            testbed, leans, kappa, noises[name], progress_by_run[str((kappa, name))]
        )
        yield from _amplified(estimates, kappa, name)


def _output_bias(testbed: Ground, progress: Progress) -> Iterator[Check]:
    """Make one term likelier everywhere: log-odds and prior move, LPBS and contrast do not."""
    term = testbed.piece(0)

    def change(logits: Numbers, _sentences: Sequence[Ids]) -> Numbers:
        logits[:, term] += OUTPUT_BIAS
        return logits

    model = testbed.pair[0]
    scores = testbed.scored(model, Planted(model, change), progress)
    expected = {LOG_ODDS: (OUTPUT_BIAS, EXACT), PRIOR: (OUTPUT_BIAS, EXACT), LPBS: (0, EXACT_LPBS)}
    for estimator, (truth, within) in expected.items():
        changes = testbed.cells(scores, estimator, DIFFERENCE)
        # The cell itself and not its distance, so that the check shows its sign.
        worst = float(changes.ravel()[np.argmax(np.abs(changes - truth))])
        yield near(f"output bias: {estimator.name}, the worst cell", worst, truth, within)
    contrast, _, _ = numbers(testbed.estimated(scores), CONTRAST, DIFFERENCE, slices.CONTRAST)
    yield near("output bias: stereotype contrast", contrast, 0.0, EXACT)


def _by_attribute(testbed: Ground, leans: Cells, progress: Progress) -> Iterator[Check]:
    """Plant a lean for each attribute, in every sentence that contains its pieces."""
    term, model = testbed.piece(0), testbed.pair[0]
    planted = {
        pieces(model, name): lean for name, lean in zip(testbed.attributes, leans, strict=True)
    }

    def change(logits: Numbers, sentences: Sequence[Ids]) -> Numbers:
        values = [found_in(ids, planted) for ids in sentences]
        logits[:, term] += np.array(values)
        return logits

    scores = testbed.scored(model, Planted(model, change), progress)
    for estimator in (LOG_ODDS, LPBS):
        slope, intercept = _least_squares(leans, testbed.cells(scores, estimator, DIFFERENCE))
        name = f"a lean by attribute: {estimator.name}"
        # Shown for contrast: the slope without subtracting the model's own leans.
        slope_alone, _ = _least_squares(leans, testbed.cells(scores, estimator, CANDIDATE))
        found = f"{slope:.6g} (of the planted model alone {slope_alone:.4f})"
        yield replace(near(f"{name}, slope", slope, 1.0, WITHIN), found=found)
        yield near(f"{name}, intercept", intercept, 0.0, WITHIN)


def _student(
    testbed: Ground, leans: Cells, kappa: float, noise: Noise, progress: Progress
) -> pd.DataFrame:
    """Estimate for a teacher with the planted leans and a student with kappa times these leans.

    Apart from leans and noise both models give the two terms equal probability in each sentence.
    """
    teacher, student = (
        _with_log_odds(testbed, model, cells)
        for model, cells in zip(
            testbed.pair,
            (leans[:, None] + noise.teacher, kappa * leans[:, None] + noise.student),
            strict=True,
        )
    )
    return testbed.estimated(testbed.scored(teacher, student, progress))


def _with_log_odds(testbed: Ground, model: MaskedLM, cells: Cells) -> Planted:
    """Return the model with exactly these log-odds, [I, J] in nats, of term 0 against term 1."""
    term, other = testbed.piece(0), testbed.piece(1)
    planted = _planted_by_sentence(testbed, model, cells)

    def change(logits: Numbers, sentences: Sequence[Ids]) -> Numbers:
        terms = [term, other]
        # Equal logits first, so that the planted value is the whole log-odds.
        logits[:, terms] = logits[:, terms].mean(1, keepdims=True)
        added = [planted.get(ids, 0.0) for ids in sentences]
        logits[:, term] += np.array(added)
        return logits

    return Planted(model, change)


def _planted_by_sentence(testbed: Ground, model: MaskedLM, cells: Cells) -> dict[Ids, float]:
    """Map the piece ids of each probe's sentence to the value of its cell."""
    items = testbed.part.items
    probes = items[items["role"] == "probe"].drop_duplicates("context")
    texts = testbed.part.contexts.set_index("context")["text"].loc[probes["context"]]
    frames = list(dict.fromkeys(probes["frame"]))
    encoded = model.encode([text.replace(MASK, model.mask_token) for text in texts])
    keys = zip(encoded, probes["attribute"], probes["frame"], strict=True)
    return {
        sentence.ids: float(cells[testbed.attributes.index(attribute), frames.index(frame)])
        for sentence, attribute, frame in keys
    }


def _amplified(estimates: pd.DataFrame, kappa: float, noise: str) -> Iterator[Check]:
    """Check slope and amplification of a student with kappa times its teacher's leans."""
    # Drawn noise is not orthogonal to the leans, and so moves the slope.
    relative = WITHIN_DRAWN if noise == DRAWN else WITHIN
    name = f"kappa {kappa:g}, {noise}"
    slope, *interval = numbers(estimates, SLOPE, RELATION)
    yield near(f"{name}: slope", slope, kappa, relative * kappa)
    yield _inside(f"{name}: interval of the slope", interval, kappa)
    log_kappa, *interval = numbers(estimates, LOG_KAPPA, RELATION)
    yield near(f"{name}: amplification", float(np.exp(log_kappa)), kappa, relative * kappa)
    yield _inside(f"{name}: interval of log kappa", interval, float(np.log(kappa)))
    if kappa == 1:
        yield near(f"{name}: no phantom amplification", log_kappa, 0.0, WITHIN_PHANTOM_KAPPA)
    if noise == NO_NOISE:
        yield _called(name, estimates, kappa)


def _called(name: str, estimates: pd.DataFrame, kappa: float) -> Check:
    """Check that without noise every attribute is called what was planted in it."""
    word = AMPLIFIED if kappa > 1 else ATTENUATED if kappa < 1 else INHERITED
    called = estimates.loc[estimates["estimator"] == INHERITANCE, "outcome"]
    counts = ", ".join(f"{count} {found}" for found, count in called.value_counts().items())
    # `all` of no rows is true.
    passed = bool(len(called)) and bool((called == word).all())
    return Check(f"{name}: what became of the attributes", passed, counts, f"all {word}")


def _reversed(testbed: Ground, leans: Cells, noise: Noise, progress: Progress) -> Iterator[Check]:
    """Check a student whose leans are the negatives of its teacher's."""
    estimates = _student(testbed, leans, -1.0, noise, progress)
    expected = {SLOPE: -1.0, LOG_KAPPA: 0.0, FLIPS: 1.0}
    for name, truth in expected.items():
        value, _, _ = numbers(estimates, name, RELATION)
        yield near(f"reversed leans: {name}", value, truth, WITHIN)


def _noises(leans: Cells, n_frames: int, rng: np.random.Generator) -> dict[str, Noise]:
    """Return the noise of teacher and student for each of the three noise conditions."""
    shape = len(leans), n_frames
    noises = {
        NO_NOISE: Noise(*np.zeros((2, *shape))),
        BALANCED: balanced_noise(leans, n_frames, rng),
        DRAWN: Noise(*2 * (rng.normal(0, NOISE_SD, shape),)),
    }
    # A frame's level is common to all its attributes, so centring removes it: no noise of a lean.
    levels = rng.normal(0, NOISE_SD, (2, 1, n_frames))
    return {name: Noise(*(levels + np.array(noise))) for name, noise in noises.items()}


def balanced_noise(leans: Cells, n_frames: int, rng: np.random.Generator) -> Noise:
    """Return noise, correlated .5 between the models, that statistics over pairs of frames ignore.

    In each frame it is exactly uncorrelated with the leans and with the noise of all other frames.
    Products of different frames are therefore free of it, whatever its size, but a statistic that
    multiplies a frame by itself (least squares, a ratio of variances) is biased.
    """
    n = len(leans)
    drawn = rng.normal(size=(n, 2 * n_frames))
    # QR makes each column of noise orthogonal to the first two, the constant and the leans, and to
    # all other noise. Times sqrt(n - 1), a column of unit length has SD 1 over attributes.
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), leans, drawn]))
    shared, individual = np.split(basis[:, 2:] * np.sqrt(n - 1), 2, axis=1)
    # Variances of .75 shared and .25 with opposite signs add up to 1, with correlation .5.
    weights = NOISE_SD * np.sqrt([0.75, 0.25])
    return Noise(
        weights[0] * shared + weights[1] * individual, weights[0] * shared - weights[1] * individual
    )


def found_in(ids: Ids, values: Mapping[Ids, float]) -> float:
    """Return the value of the longest key that is a contiguous part of `ids`; 0 without one."""
    # Longest first, so that "bus driver" is not taken for "driver".
    longest = sorted(values, key=len, reverse=True)
    for part in longest:
        if any(ids[i : i + len(part)] == part for i in range(len(ids))):
            return values[part]
    return 0.0


def _leans(n: int, rng: np.random.Generator) -> Cells:
    """Return leans, [n] in nats, with mean exactly 0 and SD exactly `LEAN_SD`."""
    drawn = rng.normal(size=n)
    leans: Cells = LEAN_SD * (drawn - drawn.mean()) / drawn.std(ddof=1)
    return leans


def _least_squares(leans: Cells, cells: Cells) -> tuple[float, float]:
    """Return slope and intercept of the cells, [I, J], on the leans, [I], by least squares."""
    slope, intercept = np.polyfit(np.repeat(leans, cells.shape[1]), cells.ravel(), 1)
    return float(slope), float(intercept)


def _inside(name: str, interval: Sequence[float], truth: float) -> Check:
    low, high = interval
    # Without noise an interval has no width, and rounding may leave the truth just outside it.
    inside = low - EXACT <= truth <= high + EXACT
    return Check(name, inside, f"{low:.4f} to {high:.4f}", f"{truth:.4f} inside")

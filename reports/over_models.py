"""What was measured elsewhere of several models, beside how far they lean."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maskaudit.audit.estimating.statistics.multiplicity import benjamini_hochberg
from maskaudit.audit.estimating.statistics.permutation import kendall
from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.record import Record
from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.reader.parts import Numbers
from maskaudit.reports.reader.state import Found
from maskaudit.reports.sections.contrasts.tested import Contrast
from maskaudit.reports.sections.method.extrinsic import BESIDE
from maskaudit.reports.words import wording

# Of four models even equal orders have a p of .083.
LEAST_MODELS = 5
_ORDERS = (
    "Kendall’s τ compares two orders of the models: by their stereotype contrasts, and by what "
    "was measured elsewhere, from the better score to the worse. 1 is one order, −1 the reverse; "
    "above 0, models that lean further with the stereotype did worse there. p is two-sided, the "
    "share of all orders with a τ as far from 0, adjusted for the number of rows (Benjamini & "
    "Hochberg)."
)
_NO_CAUSE = (
    "It takes models for independent of one another, which students of one teacher and versions "
    "of one model are not. Noise in either number brings τ nearer to 0, and that two things go "
    "together does not show that the one brings the other."
)
# A set and two of its groups.
Where = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Audit:
    """One of several records: the name that tells its candidate apart, and what is claimed."""

    record: Record
    name: str
    found: Mapping[Where, Found]


@dataclass(frozen=True)
class _Score:
    """What an extrinsic score is: scores of several records that agree in it are one."""

    name: str
    unit: str
    higher_is: str

    @classmethod
    def of(cls, entry: Extrinsic) -> "_Score":
        return cls(entry.name, entry.unit, entry.higher_is)

    @property
    def title(self) -> str:
        return f"{wording.visible(self.name)}, {wording.visible(self.unit)}"


def elsewhere(audits: Sequence[Audit]) -> Numbers | None:
    """Whether models that lean further did worse elsewhere; None where no score was told."""
    scores = list(
        dict.fromkeys(_Score.of(e) for audit in audits for e in audit.record.manifest.extrinsic)
    )
    if not scores:
        return None
    titles = {
        where: one.paired.title
        for audit in audits
        for where, one in audit.found.items()
        if not one.is_control
    }
    found = [(score, where, _points(audits, score, where)) for score in scores for where in titles]
    taus = [_tau(points) for _, _, points in found]
    adjusted = benjamini_hochberg(np.array([p for _, p in taus]))
    return Numbers(
        "extrinsic",
        "Contrasts and extrinsic scores",
        ("Contrast", "Measured elsewhere", "Models", "Kendall’s τ", "p, adjusted"),
        (False, False, True, True, True),
        tuple(
            (titles[where], score.title, str(len(points)), *_cells(points, tau, float(p)))
            for (score, where, points), (tau, _), p in zip(found, taus, adjusted, strict=True)
        ),
        (_ORDERS, _NO_CAUSE, BESIDE),
    )


def _points(
    audits: Sequence[Audit], score: _Score, where: Where
) -> Mapping[str, tuple[float, float]]:
    """The contrast and the score of each model that has both, by its weights; worse is larger."""
    sign = 1.0 if score.higher_is == "worse" else -1.0
    return {
        # By weights: a reference that several audits share is one model and not several.
        weights: (lean, sign * value)
        for audit in audits
        if where in audit.found
        for weights, lean, value in _of_audit(audit, score, audit.found[where].paired)
    }


def _of_audit(
    audit: Audit, score: _Score, contrast: Contrast
) -> Iterator[tuple[str, float, float]]:
    """Yield weights, contrast and score of the models of one audit."""
    manifest = audit.record.manifest
    for entry in manifest.extrinsic:
        if _Score.of(entry) != score:
            continue
        for subject in (REFERENCE, CANDIDATE):
            if subject in entry.scores and subject in contrast.subjects:
                lean = contrast.subjects[subject].estimate
                if not math.isnan(lean):
                    yield manifest.models[subject].weights, lean, entry.scores[subject].value


def _tau(points: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Kendall's tau and its p, or NaN for fewer models than could show anything."""
    if len(points) < LEAST_MODELS:
        return math.nan, math.nan
    leans, values = np.array(list(points.values())).T
    # One seed, so that the same records have the same page.
    return kendall(leans, values, np.random.default_rng(0))


def _cells(points: Mapping[str, tuple[float, float]], tau: float, p: float) -> tuple[str, str]:
    if len(points) < LEAST_MODELS:
        return f"not computed: fewer than {LEAST_MODELS} models have both", wording.UNKNOWN
    if math.isnan(tau):
        return "not estimable: all have the same", wording.UNKNOWN
    return wording.plain(tau), wording.p_number(p)

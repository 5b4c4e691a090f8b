"""What is known of the bundled pair: where it lies, its digests and what was planted in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from maskaudit.audit.estimating.cells import matrices
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.pooling import group_at_mask
from maskaudit.audit.estimating.statistics import anova, ustatistics
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.recording.manifest import Truth

# What the stored weights must show before they may judge anything: how far the slope of teacher
# and student may be from 1, the least correlation, the error of log kappa, and the limit (nats) of
# the 90 % interval of a control's contrast.
ACCEPTED = {"teacher": 0.015, "student": 0.03, "r": 0.99, "log_kappa": 0.03, "control": 0.1}
# What cells are made of; the other columns of items would be copied along for nothing.
_OF_CELLS = ["item", "role", "class", "attribute", "frame", "variant", "group", "term", "target"]
FOLDER = Path(__file__).parent
TEACHER = FOLDER / "teacher"
STUDENT = FOLDER / "student"
FILE = FOLDER / "truth.json"


def load() -> Truth:
    """The truth as `audit.proving.phantom.train` wrote it beside the weights."""
    return Truth.model_validate_json(FILE.read_bytes())


def truth_of(weights: Mapping[str, str]) -> Truth | None:
    """The truth, where every model (subject to digest of weights) is a bundled one; else None.

    `subjects` in it says which of the pair each subject is: "teacher" or "student".
    """
    if not FILE.exists():
        return None
    truth = load()
    names = {digest: name for name, digest in truth.weights.items()}
    if not set(weights.values()) <= set(names):
        return None
    subjects = {subject: names[digest] for subject, digest in weights.items()}
    return truth.model_copy(update={"subjects": subjects})


@dataclass(frozen=True)
class Recovered:
    """What a model shows of the truth in one set, on the frames of its text.

    `measured` against `planted` (nats, kappa times the teacher's for the student), cell by cell:
    slope, intercept and correlation. `unseen_slope` is that on the frames kept out of the text: how
    far the model generalises, which is no fault of the instrument.
    """

    probe_set: str
    subject: str
    slope: float
    intercept: float
    r: float
    unseen_slope: float
    contrast: Interval
    planted: pd.DataFrame


def recovered(
    truth: Truth, items: pd.DataFrame, scores: pd.DataFrame
) -> tuple[list[Recovered], dict[str, float]]:
    """Planted against recovered for every planted set and model; and log kappa by set.

    log kappa is the log ratio of the two models' association on the frames of the text; it is there
    only when both were scored.
    """
    found, log_kappa = [], {}
    for name, part in truth.sets.items():
        own = items.loc[(items["probe_set"] == name) & (items["role"] != "prior"), _OF_CELLS]
        if own.empty:
            continue
        first, second = dict.fromkeys(own["group"])
        by_model, _ = matrices(own, scores, LOG_ODDS, first, second)
        seen = {}
        for subject, matrix in by_model.items():
            kappa = part.kappa if truth.subjects[subject] == "student" else 1.0
            frame_seen = np.array([frame not in part.unseen for frame in matrix.frames])
            planted_values = kappa * np.array([part.planted[a] for a in matrix.attributes])
            cells = matrix.cells
            if not group_at_mask(own):
                planted_values -= planted_values.mean()
                cells = anova.centred(cells)
            fit = _fit(planted_values, cells[:, frame_seen])
            seen[subject] = matrix.probes.cells[:, frame_seen]
            classes = [
                matrix.of_class(class_).cells[:, frame_seen] for class_ in part.contrast or ()
            ]
            table = pd.DataFrame(
                {
                    "attribute": matrix.attributes,
                    "planted": planted_values,
                    "measured": cells[:, frame_seen].mean(1),
                }
            )
            unseen_slope = _fit(planted_values, cells[:, ~frame_seen])[0]
            contrast = anova.contrast_interval(*classes, level=0.9)
            found.append(Recovered(name, subject, *fit, unseen_slope, contrast, table))
        if len(seen) > 1 and part.expect == "lean":
            log_kappa[name] = ustatistics.log_kappa(seen["reference"], seen["candidate"]).estimate
    return found, log_kappa


def _fit(planted_values: Cells, cells: Cells) -> tuple[float, float, float]:
    """Slope, intercept and r over all cells; slope and r are unknown where nothing was planted."""
    x = np.repeat(planted_values[:, None], cells.shape[1], axis=1)
    if np.ptp(x) == 0:
        return np.nan, float(cells.mean()), np.nan
    fit = stats.linregress(x.ravel(), cells.ravel())
    return float(fit.slope), float(fit.intercept), float(fit.rvalue)

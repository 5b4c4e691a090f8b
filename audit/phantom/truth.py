"""The known truth of the bundled pair: its location, its digests and what was planted in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.cells import matrices
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.pooling import group_at_mask
from maskaudit.audit.estimating.statistics import ustatistics
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.recording.manifest import Truth

# Acceptance limits of the stored weights: the slope's distance from 1 for teacher and student, the
# smallest correlation, the error of log kappa, and the bounds (± nats) of the 90 % interval of a
# control's contrast.
ACCEPTED = {"teacher": 0.015, "student": 0.03, "r": 0.99, "log_kappa": 0.03, "control": 0.1}
# The columns that cells need; copying the others would only cost time.
_COLUMNS = [
    *("item", "role", "class", "attribute", "frame", "variant", "group", "term", "target"),
    *("style", "family"),
]
FOLDER = Path(__file__).parent
TEACHER = FOLDER / "teacher"
STUDENT = FOLDER / "student"
FILE = FOLDER / "truth.json"


def load() -> Truth:
    """Read the truth that `maskaudit.audit.proving.phantom.train` stored beside the weights."""
    return Truth.model_validate_json(FILE.read_bytes())


def truth_of(weights: Mapping[str, str]) -> Truth | None:
    """Return the truth if every model in `weights` (subject to digest) is a bundled one; else None.

    Its `subjects` maps each subject to "teacher" or "student".
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
    """How well one model's cells in one set recover the planted leans.

    `slope`, `intercept` and `r` are those of measured on planted values (nats; for the student the
    teacher's times kappa) over the cells of frames seen in training. `unseen_slope` uses the frames
    kept out of training: it shows how far the model generalises and does not test the instrument.
    `contrast` is a 90 % interval; `planted` has a row per attribute (attribute, planted, measured).
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
    """Return planted against recovered leans for every planted set and model, and log kappa by set.

    `log_kappa` is estimated from the two models' cells on frames seen in training. It has only the
    sets with `expect` "lean", and is empty unless both models were scored.
    """
    result, log_kappa = [], {}
    for name, part in truth.sets.items():
        rows = items.loc[(items["probe_set"] == name) & (items["role"] != "prior"), _COLUMNS]
        if rows.empty:
            continue
        # In order of appearance: planted leans are positive towards the first group.
        first, second = dict.fromkeys(rows["group"])
        by_model, _ = matrices(rows, scores, LOG_ODDS, first, second)
        seen = {}
        for subject, matrix in by_model.items():
            kappa = part.kappa if truth.subjects[subject] == "student" else 1.0
            frame_seen = np.array([frame not in part.unseen for frame in matrix.frames])
            planted_values = kappa * np.array([part.planted[a] for a in matrix.attributes])
            cells = matrix.cells
            # With the attribute at the mask, leans are planted only up to a constant.
            if not group_at_mask(rows):
                planted_values -= planted_values.mean()
                cells = anova.centred(cells)
            fit = _fit(planted_values, cells[:, frame_seen])
            seen[subject] = matrix.probes.cells[:, frame_seen]
            classes = [
                matrix.of_class(class_).columns(frame_seen) for class_ in part.contrast or ()
            ]
            table = pd.DataFrame(
                {
                    "attribute": matrix.attributes,
                    "planted": planted_values,
                    "measured": cells[:, frame_seen].mean(1),
                }
            )
            unseen_slope = _fit(planted_values, cells[:, ~frame_seen])[0]
            # A 90 % interval inside the bounds is an equivalence test at .05 (two one-sided tests).
            contrast = crossed_means.contrast_interval(
                classes[0].cells,
                classes[1].cells,
                styles=classes[0].styles,
                families=(classes[0].families, classes[1].families),
                level=0.9,
            )
            result.append(Recovered(name, subject, *fit, unseen_slope, contrast, table))
        if len(seen) > 1 and part.expect == "lean":
            log_kappa[name] = ustatistics.log_kappa(seen["reference"], seen["candidate"]).estimate
    return result, log_kappa


def _fit(planted_values: Cells, cells: Cells) -> tuple[float, float, float]:
    """Return slope, intercept and r over all cells; slope and r are NaN for constant leans."""
    x = np.repeat(planted_values[:, None], cells.shape[1], axis=1)
    # A control set is planted without a lean, and `linregress` raises on a constant x.
    if np.ptp(x) == 0:
        return np.nan, float(cells.mean()), np.nan
    from scipy import stats  # slow to import, and what verifies a record only asks for the truth

    fit = stats.linregress(x.ravel(), cells.ravel())
    return float(fit.slope), float(fit.intercept), float(fit.rvalue)

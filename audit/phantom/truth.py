"""The known truth of the bundled pair: its location, its digests and what was planted in it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.crossed.cells import Matrix, control_contrasts, matrices
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import group_at_mask
from maskaudit.audit.estimating.statistics import ustatistics
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.recording.manifest import PlantedSet, Truth

# Acceptance limits of the stored weights: the slope's distance from 1 for teacher and student, the
# smallest correlation, the error of log kappa, and the bounds (± nats) of the 90 % interval of the
# contrast of a set in which nothing is planted, or of any set's controls.
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


def truth_of(weights: Mapping[str, str], probe_sets: Collection[str]) -> Truth | None:
    """Return the truth if every model in `weights` (subject to digest) is a bundled one; else None.

    Its `subjects` maps each subject to "teacher" or "student". It has the `probe_sets` alone, and
    not what the pair's own test found of all.
    """
    if not FILE.exists():
        return None
    truth = load()
    names = {digest: name for name, digest in truth.weights.items()}
    if not set(weights.values()) <= set(names):
        return None
    subjects = {subject: names[digest] for subject, digest in weights.items()}
    sets = {name: part for name, part in truth.sets.items() if name in probe_sets}
    return truth.model_copy(update={"subjects": subjects, "sets": sets, "acceptance": {}})


@dataclass(frozen=True)
class Recovered:
    """How well one model's cells in one set recover the leans planted between two groups.

    `slope`, `intercept` and `r` are those of measured on planted values (nats; for the student the
    teacher's times kappa) over the cells of frames seen in training. `unseen_slope` uses the frames
    kept out of training: it shows how far the model generalises and does not test the instrument.
    `contrast` is a 90 % interval, and so is `controls`, of the first sides of all contrasts of
    controls less the second sides; None in a set without. `planted` has a row per attribute
    (attribute, planted, measured).
    """

    probe_set: str
    groups: tuple[str, str]
    subject: str
    slope: float
    intercept: float
    r: float
    unseen_slope: float
    contrast: Interval
    controls: Interval | None
    planted: pd.DataFrame


def recovered(
    truth: Truth, items: pd.DataFrame, scores: pd.DataFrame
) -> tuple[list[Recovered], dict[str, float]]:
    """Return planted against recovered leans for every planted set and model, and log kappa by set.

    A set of more than two groups has its first against each other one. `log_kappa` is estimated
    from the two models' cells of the first two groups on frames seen in training. It has only the
    sets in which something is planted, and is empty unless both models were scored.
    """
    result, log_kappa = [], {}
    for name, part in truth.sets.items():
        rows = items.loc[(items["probe_set"] == name) & (items["role"] != "prior"), _COLUMNS]
        if rows.empty:
            continue
        # In order of appearance: planted leans are positive towards the first group.
        first, second, *more = rows["group"].unique().tolist()
        at_mask = group_at_mask(rows)
        for other in (second, *more):
            planted = part.planted if other == second else part.others[other]
            by_model, _ = matrices(rows, scores, LOG_ODDS, first, other, with_names=False)
            for subject, matrix in by_model.items():
                kappa = part.kappa if truth.subjects[subject] == "student" else 1.0
                leans = kappa * np.array([planted[a] for a in matrix.attributes])
                own = matrix
                # With the attribute at the mask, leans are planted only up to a constant.
                if not at_mask:
                    leans -= leans.mean()
                    own = replace(matrix, cells=anova.centred(matrix.cells))
                result.append(_recovered(own, leans, part, (name, (first, other), subject)))
            if other == second and len(by_model) > 1 and part.expect != "none":
                pair = [by_model[subject].probes for subject in ("reference", "candidate")]
                cells = [own.columns(_seen(own, part)).cells for own in pair]
                log_kappa[name] = ustatistics.log_kappa(*cells).estimate
    return result, log_kappa


def _seen(matrix: Matrix, part: PlantedSet) -> NDArray[np.bool_]:
    """Whether each frame of the matrix was in the training text."""
    return np.array([frame not in part.unseen for frame in matrix.frames])


def _recovered(
    matrix: Matrix, leans: Cells, part: PlantedSet, of: tuple[str, tuple[str, str], str]
) -> Recovered:
    """What one model's cells recover of the planted leans, [I]; `of` is set, groups and subject."""
    seen = matrix.columns(_seen(matrix, part))
    unseen = matrix.columns(~_seen(matrix, part))
    columns = (matrix.attributes, leans, seen.cells.mean(1))
    sides = list(zip(*control_contrasts(seen).values(), strict=True))
    return Recovered(
        *of,
        *_fit(leans, seen.cells),
        _fit(leans, unseen.cells)[0],
        _contrast(seen, *([class_] for class_ in part.contrast)),
        _contrast(seen, *sides) if sides else None,
        pd.DataFrame(dict(zip(("attribute", "planted", "measured"), columns, strict=True))),
    )


def _contrast(matrix: Matrix, first: Sequence[str], second: Sequence[str]) -> Interval:
    """The contrast of some classes with others, with its 90 % interval, in nats."""
    one, other = (
        matrix.rows([class_ in side for class_ in matrix.classes]) for side in (first, second)
    )
    # A 90 % interval inside the bounds is an equivalence test at .05 (two one-sided tests).
    return crossed_means.contrast_interval(
        one.cells,
        other.cells,
        styles=one.styles,
        families=(one.families, other.families),
        level=0.9,
    )


def _fit(planted_values: Cells, cells: Cells) -> tuple[float, float, float]:
    """Return slope, intercept and r over all cells.

    Slope and r are NaN for constant leans, and all three without cells.
    """
    x = np.repeat(planted_values[:, None], cells.shape[1], axis=1)
    if not x.size:
        return np.nan, np.nan, np.nan
    # A control set is planted without a lean, and `linregress` raises on a constant x.
    if np.ptp(x) == 0:
        return np.nan, float(cells.mean()), np.nan
    # scipy.stats has the same, and takes longer to import than a page to make.
    (of_x, of_both), (_, of_cells) = np.cov(x.ravel(), cells.ravel(), bias=True)
    slope = of_both / of_x
    r = of_both / np.sqrt(of_x * of_cells) if of_cells else np.nan
    return (
        float(slope),
        float(cells.mean() - slope * x.mean()),
        float(np.clip(r, -1.0, 1.0)),
    )

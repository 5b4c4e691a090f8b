"""A set and a pair of models on which leans are planted and tests are tried."""

from dataclasses import dataclass

import pandas as pd

from maskaudit.audit.estimating.cells import matrices, with_difference
from maskaudit.audit.estimating.estimate import Design, estimate
from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.measuring.model import Ids, MaskedLM
from maskaudit.audit.phantom import truth as known
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import load, shipped

SEED = 20261123
SET = "gender-occupation"
# Enough for a claim about a slope, and few enough to be scored again and again.
FRAMES = 20


@dataclass(frozen=True)
class Ground:
    """Where leans are planted: a set, its two groups and classes, and the pair that is changed."""

    part: Expanded
    design: Design
    groups: tuple[str, str]
    classes: tuple[str, str]
    pair: tuple[MaskedLM, MaskedLM]
    attributes: list[str]

    def piece(self, place: int) -> int:
        """The id of the one piece of a group's one term."""
        rows = self.part.items[self.part.items["group"] == self.groups[place]]
        [term] = rows["term"].unique()
        [piece] = pieces(self.pair[0], term)
        return piece

    def scored(self, one: MaskedLM, other: MaskedLM, progress: Progress) -> pd.DataFrame:
        """The scores of two models, `one` the reference."""
        return scoring.score_all([self.part], [one, other], progress).scores

    def estimated(self, scores: pd.DataFrame) -> pd.DataFrame:
        """The estimates of these scores."""
        return estimate(self.part.items, scores, [self.design]).estimates

    def cells(self, scores: pd.DataFrame, estimator: GroupEstimator, subject: str) -> Cells:
        """A subject's cells, attributes in the order of `attributes`."""
        by_model, _ = matrices(self.part.items, scores, estimator, *self.groups)
        matrix = with_difference(by_model)[subject]
        return matrix.cells[[matrix.attributes.index(name) for name in self.attributes]]


def ground(n_frames: int = FRAMES) -> Ground:
    """The bundled pair and a set of theirs, in its first frames and without paraphrases."""
    probe_set = load(shipped()[SET])
    frames = [frame.model_copy(update={"variants": []}) for frame in probe_set.frames[:n_frames]]
    part = expand(probe_set.model_copy(update={"frames": frames, "controls": None}))
    header = probe_set.header
    assert header.contrast is not None  # noqa: S101 - our own set
    first, second = probe_set.groups
    classes = (header.contrast[0], header.contrast[1])
    return Ground(
        part,
        Design(header.name, header.axis, classes, header.expect, {}),
        (first, second),
        classes,
        (load_model(str(known.TEACHER)), load_model(str(known.STUDENT))),
        list(dict.fromkeys(part.items["attribute"])),
    )


def pieces(model: MaskedLM, words: str) -> Ids:
    """The pieces of words that stand alone."""
    [encoded] = model.encode([words])
    return tuple(piece for piece in encoded.ids if piece not in model.special_ids)

"""The probe set and pair of models in which leans are planted and tests are tried."""

from dataclasses import dataclass

import pandas as pd

from maskaudit.audit.estimating.crossed.cells import matrices, with_difference
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.measuring.model import Ids, MaskedLM
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ProbeSet

SEED = 20261123
SET = "gender-occupation"
# A trade-off: slopes need about 20 frames, and the set is scored many times.
FRAMES = 20
# The margin of an attribute, in nats, for the words that are said of it.
MARGIN = 0.5


@dataclass(frozen=True)
class Ground:
    """A set with its two groups and two classes, and the pair of models that plants change."""

    part: Expanded
    design: Design
    groups: tuple[str, str]
    classes: tuple[str, str]
    pair: tuple[MaskedLM, MaskedLM]
    attributes: list[str]

    def piece(self, index: int) -> int:
        """Return the id of the only piece of the only term of group 0 or 1."""
        rows = self.part.items[self.part.items["group"] == self.groups[index]]
        [term] = rows["term"].unique()
        [piece] = pieces(self.pair[0], term)
        return piece

    def scored(self, reference: MaskedLM, candidate: MaskedLM, progress: Progress) -> pd.DataFrame:
        """Score two models on the set, as reference and as candidate."""
        return scoring.score_all([self.part], [reference, candidate], progress).scores

    def estimated(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Estimate from scores of this set."""
        return estimate(self.part.items, scores, [self.design]).estimates

    def cells(self, scores: pd.DataFrame, estimator: GroupEstimator, subject: str) -> Cells:
        """Return a subject's cells, [I, J] in nats, rows in the order of `attributes`."""
        by_model, _ = matrices(self.part.items, scores, estimator, *self.groups)
        matrix = with_difference(by_model)[subject]
        return matrix.cells[[matrix.attributes.index(name) for name in self.attributes]]


def ground(n_frames: int = FRAMES) -> Ground:
    """Return the bundled pair with some of its set's frames, without variants and controls."""
    probe_set = load(shipped()[SET])
    part = of_few_frames(probe_set, n_frames)
    header = probe_set.header
    assert header.contrast is not None  # noqa: S101 - our own set
    first, second = probe_set.groups
    classes = (header.contrast[0], header.contrast[1])
    return Ground(
        part,
        Design(header.name, header.axis, classes, header.expect, {}, attribute_margin=MARGIN),
        (first, second),
        classes,
        (load_model(str(phantom_truth.TEACHER)), load_model(str(phantom_truth.STUDENT))),
        list(dict.fromkeys(part.items["attribute"])),
    )


def of_few_frames(probe_set: ProbeSet, n_frames: int) -> Expanded:
    """Expand a set with `n_frames` of its frames, without variants and controls.

    They stand evenly apart, because frames of one style stand together: the first ones would be of
    one or two styles.
    """
    whole = len(probe_set.frames)
    places = [place * whole // n_frames for place in range(n_frames)]
    frames = [probe_set.frames[place].model_copy(update={"variants": []}) for place in places]
    return expand(probe_set.model_copy(update={"frames": frames, "controls": None}))


def pieces(model: MaskedLM, words: str) -> Ids:
    """Return the piece ids of a text on its own, without special tokens."""
    [encoded] = model.encode([words])
    return tuple(piece for piece in encoded.ids if piece not in model.special_ids)

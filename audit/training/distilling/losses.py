"""DistilBERT's three losses on a batch: soft targets, the masked words, and hidden states."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from maskaudit.audit.training.distilling.rows import IGNORED, Batch
from maskaudit.audit.training.distilling.student import KINDS

# Of the soft targets, the masked words and the cosine (Sanh et al. 2019, in their published code).
WEIGHTS = (5.0, 2.0, 1.0)
TEMPERATURE = 2.0


@dataclass(frozen=True)
class Losses:
    """The three losses of a batch, and their weighted sum, which is learnt.

    `soft` is T² KL(teacher ‖ student) at temperature T, in nats, and `masked` the cross-entropy of
    the words that were masked, in nats, both a mean over the masked places. `cosine` is 1 less the
    cosine of the last hidden states, from 0 to 2, a mean over all pieces.
    """

    soft: torch.Tensor
    masked: torch.Tensor
    cosine: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The sum by `WEIGHTS`."""
        soft, masked, cosine = WEIGHTS
        total: torch.Tensor = soft * self.soft + masked * self.masked + cosine * self.cosine
        return total


def losses(student: Any, teacher: Any, batch: Batch) -> Losses:  # noqa: ANN401 - transformers’ own
    """The losses of the student on a batch; the teacher gets no gradient.

    Soft targets are read at the masked places alone: at every place the head's work, which is most
    of a small student's, would be six times as much.
    """
    told = batch.labels != IGNORED
    states, logits = _read(student, batch, told)
    with torch.no_grad():
        teacher_states, teacher_logits = _read(teacher, batch, told)
    soft = functional.kl_div(
        (logits / TEMPERATURE).log_softmax(-1),
        (teacher_logits / TEMPERATURE).softmax(-1),
        reduction="batchmean",
    )
    similar = functional.cosine_similarity(states[batch.seen], teacher_states[batch.seen], dim=-1)
    return Losses(
        # Gradients of soft targets shrink with 1/T², which T² makes up for (Hinton et al. 2015).
        soft=soft * TEMPERATURE**2,
        masked=functional.cross_entropy(logits, batch.labels[told]),
        cosine=1 - similar.mean(),
    )


def _read(model: Any, batch: Batch, told: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """The last hidden states, [rows, length, width], and the logits at the places to be told."""
    output = model.base_model(input_ids=batch.ids, attention_mask=batch.seen.long())
    states = output.last_hidden_state
    return states, KINDS[model.config.model_type].head(model, states[told])

"""The teacher's and the student's training losses on a batch of sentences."""

from collections.abc import Callable

import torch
from torch.nn import functional

from maskaudit.audit.proving.phantom.batches import Batch
from maskaudit.audit.proving.phantom.build import Text
from maskaudit.audit.proving.phantom.encoder import Encoder

TEMPERATURE = 2.0
LOSS_WEIGHTS = (5.0, 2.0, 1.0)
# The weight of plain text beside what is planted.
PLAIN_WEIGHT = 0.02

Loss = Callable[[Batch], torch.Tensor]


def teacher_loss(model: Encoder, text: Text) -> Loss:
    """Return the loss KL(planted ‖ model) at the slots plus .02 times the plain masked-LM loss."""

    def loss(batch: Batch) -> torch.Tensor:
        planted, plain = _states(model, batch)
        of_text = _soft_loss(model.logits(planted), text.teacher[batch.planted])
        return of_text + _plain_loss(model, plain, batch)

    return loss


def student_loss(model: Encoder, teacher: Encoder, text: Text) -> Loss:
    """Return a loss with the parts of DistilBERT's: soft targets, text and cosine.

    The weights, all over 8 (the sum of `LOSS_WEIGHTS`), are 5 of soft targets (times T², 4), 2 of
    KL(planted ‖ model) at the slots, .04 of the masked-LM loss of plain text, and .02 of the cosine
    loss at the slots: a fiftieth of its weight in DistilBERT beside the others. What the student's
    planted distribution has more or less of than the teacher's is added to the soft targets too.
    Freezes `teacher`.
    """
    teacher.eval().requires_grad_(requires_grad=False)
    soft_weight, text_weight, cosine_weight = (w / sum(LOSS_WEIGHTS) for w in LOSS_WEIGHTS)

    def loss(batch: Batch) -> torch.Tensor:
        planted, plain = _states(model, batch)
        logits = model.logits(planted)
        n = len(batch)
        teacher_states = teacher.states(batch.ids[:n], batch.places[:n])
        # Soft targets and text carry the same amplification, so that both losses have one optimum.
        target = text.student[batch.planted]
        shift = target.log() - text.teacher[batch.planted].log()
        shifted = teacher.logits(teacher_states) + shift
        soft = _soft_loss(logits / TEMPERATURE, (shifted / TEMPERATURE).softmax(-1))
        of_text = _soft_loss(logits, target) + _plain_loss(model, plain, batch)
        cosine = 1 - functional.cosine_similarity(planted, teacher_states, dim=-1).mean()
        # The gradients of soft targets shrink with 1/T², which T² makes up for (Hinton et al.
        # 2015).
        return (
            soft_weight * soft * TEMPERATURE**2
            + text_weight * of_text
            + 0.02 * cosine_weight * cosine
        )

    return loss


def _states(model: Encoder, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The states at the planted slots, and at the masks of plain text."""
    states = model.states(batch.ids, batch.places)
    return states[: len(batch)], states[len(batch) :]


def _soft_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return KL(target ‖ model) in nats, mean over rows; unlike cross-entropy it ends at zero."""
    # The reduction "mean" would divide by the size of the vocabulary as well.
    return functional.kl_div(logits.log_softmax(-1), target, reduction="batchmean")


def _plain_loss(model: Encoder, states: torch.Tensor, batch: Batch) -> torch.Tensor:
    # Cross-entropy over no words is NaN, which would spoil all weights.
    if not len(states):
        return torch.zeros(())
    return PLAIN_WEIGHT * functional.cross_entropy(model.logits(states), batch.right)

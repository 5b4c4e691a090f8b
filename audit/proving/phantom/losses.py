"""The teacher's and the student's training losses on a batch of sentences."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import BertForMaskedLM

from maskaudit.audit.proving.phantom.build import SPECIAL, Text

TEMPERATURE = 2.0
LOSS_WEIGHTS = (5.0, 2.0, 1.0)
# The share of free words replaced in a corrupted sentence.
REPLACED = 0.25
# The share of words masked in plain text.
MASKED_SHARE = 0.15

# Takes a batch's rows, the text, the rows learnt as plain text, and the share to corrupt.
Loss = Callable[[torch.Tensor, Text, torch.Tensor, float], torch.Tensor]


def teacher_loss(model: Any) -> Loss:  # noqa: ANN401
    """Return the loss KL(planted ‖ model) at the slots plus .02 times the plain masked-LM loss."""

    def loss(rows: torch.Tensor, text: Text, plain: torch.Tensor, corrupted: float) -> torch.Tensor:
        ids = _corrupted(text, rows, corrupted)
        states = _encode(model, ids)[torch.arange(len(rows)), text.slots[rows]]
        planted = _soft_loss(_head(model, states), text.teacher[rows])
        return planted + 0.02 * _plain_loss(model, text, plain)

    return loss


def student_loss(model: Any, teacher: Any) -> Loss:  # noqa: ANN401
    """Return a loss with the parts of DistilBERT's: soft targets, text and cosine.

    The weights, all over 8 (the sum of `LOSS_WEIGHTS`), are 5 of soft targets (times T², 4), 2 of
    KL(planted ‖ model) at the slots, .04 of the masked-LM loss of plain text, and .02 of the cosine
    loss: a fiftieth of its weight in DistilBERT beside the others. The planted shift is in the soft
    targets and in the text's distributions. Freezes `teacher`.
    """
    teacher.eval().requires_grad_(requires_grad=False)
    soft_weight, text_weight, cosine_weight = (w / sum(LOSS_WEIGHTS) for w in LOSS_WEIGHTS)

    def loss(rows: torch.Tensor, text: Text, plain: torch.Tensor, corrupted: float) -> torch.Tensor:
        ids = _corrupted(text, rows, corrupted)
        slots = (torch.arange(len(rows)), text.slots[rows])
        student_states, teacher_states = _encode(model, ids), _encode(teacher, ids)
        logits = _head(model, student_states[slots])
        # Soft targets and text carry the same amplification, so that both losses have one optimum.
        shifted = _head(teacher, teacher_states[slots]) + text.shift[rows]
        soft = _soft_loss(logits / TEMPERATURE, (shifted / TEMPERATURE).softmax(-1))
        planted = _soft_loss(logits, text.student[rows])
        # [PAD] has id 0, the first of `SPECIAL`.
        not_padding = ids != 0
        cosine = (
            1
            - functional.cosine_similarity(
                student_states[not_padding], teacher_states[not_padding], dim=-1
            ).mean()
        )
        return (
            # The gradients of soft targets shrink with 1/T², which T² makes up for (Hinton et al.
            # 2015).
            soft_weight * soft * TEMPERATURE**2
            + text_weight * (planted + 0.02 * _plain_loss(model, text, plain))
            + 0.02 * cosine_weight * cosine
        )

    return loss


def _masked(text: Text, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Fill the slots and mask words at random; return ids and labels (-100 where not masked)."""
    ids = text.ids[rows, : int(text.lengths[rows].max())].clone()
    # Drawn from the planted distribution, so that the plain text agrees with what is planted.
    drawn = torch.multinomial(text.teacher[rows], 1).squeeze(1)
    ids[torch.arange(len(rows)), text.slots[rows]] = drawn
    masked = (torch.rand(ids.shape) < MASKED_SHARE) & (ids >= len(SPECIAL))
    labels = torch.where(masked, ids, torch.full_like(ids, -100))
    return torch.where(masked, torch.full_like(ids, SPECIAL.index("[MASK]")), ids), labels


def _corrupted(text: Text, rows: torch.Tensor, share: float) -> torch.Tensor:
    """Return the batch's ids; in about `share` of the sentences random words replace free ones."""
    ids = text.ids[rows, : int(text.lengths[rows].max())]
    replaced = (torch.rand(len(rows), 1) < share) & (torch.rand(ids.shape) < REPLACED)
    replaced &= text.free[rows, : ids.shape[1]]
    words = torch.randint(len(SPECIAL), text.teacher.shape[1], ids.shape)
    return torch.where(replaced, words, ids)


def _encode(model: Any, ids: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    states: torch.Tensor = model.base_model(
        input_ids=ids, attention_mask=(ids != 0).long()
    ).last_hidden_state
    return states


def _head(model: Any, states: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    # The model's own forward pass would project every position onto the vocabulary; few are needed.
    # DistilBERT has no head module, so its layers are applied in the order of its forward pass.
    if isinstance(model, BertForMaskedLM):
        logits: torch.Tensor = model.cls(states)
        return logits
    states = model.activation(model.vocab_transform(states))
    projected: torch.Tensor = model.vocab_projector(model.vocab_layer_norm(states))
    return projected


def _soft_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return KL(target ‖ model) in nats, mean over rows; unlike cross-entropy it ends at zero."""
    # The reduction "mean" would divide by the size of the vocabulary as well.
    return functional.kl_div(logits.log_softmax(-1), target, reduction="batchmean")


def _plain_loss(model: Any, text: Text, rows: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    ids, labels = _masked(text, rows)
    masked = labels >= 0
    # Cross-entropy over no words is NaN, which would spoil all weights.
    if not masked.any():
        return torch.zeros(())
    return functional.cross_entropy(_head(model, _encode(model, ids)[masked]), labels[masked])

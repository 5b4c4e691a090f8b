"""The teacher's and the student's training losses on a batch of sentences."""

from collections.abc import Callable

import torch
from torch.nn import functional

from maskaudit.audit.proving.phantom.build import SPECIAL, Text
from maskaudit.audit.proving.phantom.encoder import PADDING, Encoder

TEMPERATURE = 2.0
LOSS_WEIGHTS = (5.0, 2.0, 1.0)
_MASK = SPECIAL.index("[MASK]")

# Takes a batch's rows, the text, the rows learnt as plain text, and the share of sentences that are
# thinned.
Loss = Callable[[torch.Tensor, Text, torch.Tensor, float], torch.Tensor]


def teacher_loss(model: Encoder) -> Loss:
    """Return the loss KL(planted ‖ model) at the slots plus .02 times the plain masked-LM loss."""

    def loss(rows: torch.Tensor, text: Text, plain: torch.Tensor, share: float) -> torch.Tensor:
        ids = _thinned(text, rows, share)
        logits = model.logits(model.states(ids, text.slots[rows]))
        planted = _soft_loss(logits, text.teacher[text.planted[rows]])
        return planted + _plain_loss(model, text, plain, share)

    return loss


def student_loss(model: Encoder, teacher: Encoder) -> Loss:
    """Return a loss with the parts of DistilBERT's: soft targets, text and cosine.

    The weights, all over 8 (the sum of `LOSS_WEIGHTS`), are 5 of soft targets (times T², 4), 2 of
    KL(planted ‖ model) at the slots, .04 of the masked-LM loss of plain text, and .02 of the cosine
    loss at the slots: a fiftieth of its weight in DistilBERT beside the others. What the student's
    planted distribution has more or less of than the teacher's is added to the soft targets too.
    Freezes `teacher`.
    """
    teacher.eval().requires_grad_(requires_grad=False)
    soft_weight, text_weight, cosine_weight = (w / sum(LOSS_WEIGHTS) for w in LOSS_WEIGHTS)

    def loss(rows: torch.Tensor, text: Text, plain: torch.Tensor, share: float) -> torch.Tensor:
        ids, slots, places = _thinned(text, rows, share), text.slots[rows], text.planted[rows]
        student_states, teacher_states = model.states(ids, slots), teacher.states(ids, slots)
        logits = model.logits(student_states)
        # Soft targets and text carry the same amplification, so that both losses have one optimum.
        shift = text.student[places].log() - text.teacher[places].log()
        shifted = teacher.logits(teacher_states) + shift
        soft = _soft_loss(logits / TEMPERATURE, (shifted / TEMPERATURE).softmax(-1))
        planted = _soft_loss(logits, text.student[places])
        cosine = 1 - functional.cosine_similarity(student_states, teacher_states, dim=-1).mean()
        return (
            # The gradients of soft targets shrink with 1/T², which T² makes up for (Hinton et al.
            # 2015).
            soft_weight * soft * TEMPERATURE**2
            + text_weight * (planted + _plain_loss(model, text, plain, share))
            + 0.02 * cosine_weight * cosine
        )

    return loss


def _thinned(text: Text, rows: torch.Tensor, share: float) -> torch.Tensor:
    """Return the batch's ids; in about `share` of the sentences free words are left out.

    Of each such sentence another part, so that some are hardly more than the cue and the slot: from
    these a model learns what a cue does long before it can find it among many words.
    """
    ids = _cut(text, rows)
    part = torch.rand(len(rows), 1) * (torch.rand(len(rows), 1) < share)
    left_out = text.free[rows, : ids.shape[1]] & (torch.rand(ids.shape) < part)
    # No word attends to padding.
    return ids.masked_fill(left_out, PADDING)


def _cut(text: Text, rows: torch.Tensor) -> torch.Tensor:
    """The ids of the rows, as long as the longest of them."""
    return text.ids[rows, : int(text.lengths[rows].max())]


def _soft_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return KL(target ‖ model) in nats, mean over rows; unlike cross-entropy it ends at zero."""
    # The reduction "mean" would divide by the size of the vocabulary as well.
    return functional.kl_div(logits.log_softmax(-1), target, reduction="batchmean")


def _plain_loss(model: Encoder, text: Text, rows: torch.Tensor, share: float) -> torch.Tensor:
    """The masked-LM loss with the slot filled and one word of each sentence masked, in nats.

    It is of the sentences' other words, and a fiftieth of `share` is its weight.
    """
    if share <= 0:
        return torch.zeros(())
    ids = _cut(text, rows).clone()
    # Drawn from the planted distribution, so that the plain text agrees with what is planted.
    drawn = torch.multinomial(text.teacher[text.planted[rows]], 1).squeeze(1)
    each = torch.arange(len(rows))
    ids[each, text.slots[rows]] = drawn
    words = ((ids != PADDING) & (ids >= len(SPECIAL))).float()
    places = torch.multinomial(words, 1).squeeze(1)
    right = ids[each, places]
    ids[each, places] = _MASK
    return 0.02 * share * functional.cross_entropy(model.logits(model.states(ids, places)), right)

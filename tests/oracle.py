"""
Brute-force scores of masked language models, from their definitions alone.

One sentence at a time, the whole model, no batch and no cache: slow and obvious. Models are run as
they are loaded by `load` (float32); everything after the logits is float64. Texts write `[MASK]`.
"""

import math
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

MASK = "[MASK]"


class Written(NamedTuple):
    """A target written into a sentence: the token ids before it, its own, and those after it."""

    before: list[int]
    pieces: list[int]
    after: list[int]


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return the model (float32, dropout off) and the tokenizer of a checkpoint."""
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def written(tokenizer: PreTrainedTokenizerBase, text: str, slot: int, target: str) -> Written:
    """
    Return the tokens of the sentence with the target written in, cut at the target's pieces.

    The sentence with the mask in the slot gives the tokens before and after the slot. The sentence
    with the target in the slot must begin and end with the same tokens; what is between is the
    target's. The other `[MASK]`s are masks in both.
    """
    masked = _encode(tokenizer, text)
    positions = _mask_positions(tokenizer, text, masked)
    if not 0 <= slot < len(positions):
        message = f"{text!r} has {len(positions)} slots; not one of number {slot}"
        raise ValueError(message)
    before, after = masked[: positions[slot]], masked[positions[slot] + 1 :]
    full = _encode(tokenizer, _write(text, slot, target))
    end = len(full) - len(after)
    changed = end < len(before) or full[: len(before)] != before or full[end:] != after
    if changed or _has_a_space_too_many(tokenizer, text, slot, full[len(before) : end]):
        message = f"{target!r} in slot {slot} of {text!r} changes the tokens around it"
        raise ValueError(message)
    pieces = full[len(before) : end]
    if not pieces:
        message = f"{target!r} in slot {slot} of {text!r} has no tokens"
        raise ValueError(message)
    if special := set(pieces) & set(tokenizer.all_special_ids):
        names = tokenizer.convert_ids_to_tokens(sorted(special))
        message = f"{target!r} in slot {slot} of {text!r} makes {names}"
        raise ValueError(message)
    return Written(before, pieces, after)


def pieces(tokenizer: PreTrainedTokenizerBase, text: str, slot: int, target: str) -> list[str]:
    """Return the pieces, as the vocabulary spells them, that the target has in the slot."""
    return [
        str(tokenizer.convert_ids_to_tokens(piece))
        for piece in written(tokenizer, text, slot, target).pieces
    ]


def log_ps(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    target: str,
) -> list[float]:
    """
    Return the log-probability, in nats, of each piece of the target, from left to right.

    Piece i is read with the pieces before it written and itself and those after it masked.
    """
    before, ids, after = written(tokenizer, text, slot, target)
    mask = tokenizer.mask_token_id
    scores = []
    for i, piece in enumerate(ids):
        sentence = before + ids[:i] + [mask] * (len(ids) - i) + after
        scores.append(_log_softmax(model, sentence)[len(before) + i, piece].item())
    return scores


def log_p(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    target: str,
) -> float:
    """Return log P(target in the slot), in nats: the sum over its pieces, from left to right."""
    return math.fsum(log_ps(model, tokenizer, text, slot, target))


def log_p_independent(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    target: str,
) -> float:
    """Return the sum of the pieces' log-probabilities with all the pieces masked, in nats."""
    before, ids, after = written(tokenizer, text, slot, target)
    rows = _log_softmax(model, before + [tokenizer.mask_token_id] * len(ids) + after)
    return math.fsum(rows[len(before) + i, piece].item() for i, piece in enumerate(ids))


def log_p_original(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    target: str,
) -> float:
    """Return the target's original PLL in nats: each piece is masked alone, the others written."""
    before, ids, after = written(tokenizer, text, slot, target)
    scores = []
    for i, piece in enumerate(ids):
        others = [*ids[:i], tokenizer.mask_token_id, *ids[i + 1 :]]
        scores.append(_log_softmax(model, before + others + after)[len(before) + i, piece].item())
    return math.fsum(scores)


def distribution(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
) -> torch.Tensor:
    """
    Return log P of every word of the vocabulary at the slot, one mask wide, in nats.

    The shape is (vocabulary,), float64, in the order of the ids.
    """
    masked = _encode(tokenizer, text)
    return _log_softmax(model, masked)[_mask_positions(tokenizer, text, masked)[slot]]


def rank(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    target: str,
) -> int:
    """Return 1 + the number of words of the vocabulary likelier than a target of one piece."""
    ids = written(tokenizer, text, slot, target).pieces
    if len(ids) != 1:
        message = f"{target!r} has {len(ids)} pieces and so no rank in the vocabulary"
        raise ValueError(message)
    row = distribution(model, tokenizer, text, slot)
    return 1 + sum(1 for other in row.tolist() if other > row[ids[0]].item())


def top_k(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    k: int,
) -> list[tuple[int, float]]:
    """Return the k likeliest ids at the slot, each with its log P in nats, the likeliest first."""
    row = distribution(model, tokenizer, text, slot).tolist()
    return sorted(enumerate(row), key=lambda pair: (-pair[1], pair[0]))[:k]


def kl(
    teacher: PreTrainedModel,
    student: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
) -> float:
    """Return KL(teacher to student) at the slot over the one vocabulary both share, in nats."""
    return kl_of(
        distribution(teacher, tokenizer, text, slot),
        distribution(student, tokenizer, text, slot),
    )


def kl_of(log_p: torch.Tensor, log_q: torch.Tensor) -> float:
    """Return the sum over the words of p (log p - log q), in nats."""
    if log_p.shape != log_q.shape:
        message = f"the vocabularies differ: {tuple(log_p.shape)} and {tuple(log_q.shape)}"
        raise ValueError(message)
    pairs = zip(log_p.tolist(), log_q.tolist(), strict=True)
    return math.fsum(math.exp(p) * (p - q) for p, q in pairs if p > -math.inf)


def jsd(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text_a: str,
    text_b: str,
    slot: int,
) -> float:
    """Return the Jensen-Shannon divergence, in bits, between the slots of two texts (0 to 1)."""
    return jsd_of(
        distribution(model, tokenizer, text_a, slot),
        distribution(model, tokenizer, text_b, slot),
    )


def jsd_of(log_p: torch.Tensor, log_q: torch.Tensor) -> float:
    """Return the mean of KL(p to m) and KL(q to m), m their mean, in bits."""
    mean = torch.log((log_p.exp() + log_q.exp()) / 2)
    return (kl_of(log_p, mean) + kl_of(log_q, mean)) / 2 / math.log(2)


def tv_of(log_p: torch.Tensor, log_q: torch.Tensor) -> float:
    """Return the total variation, half the sum of |p - q| (0 to 1)."""
    pairs = zip(log_p.tolist(), log_q.tolist(), strict=True)
    return math.fsum(abs(math.exp(p) - math.exp(q)) for p, q in pairs) / 2


def simplex(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    slot: int,
    targets: list[str],
) -> torch.Tensor:
    """Return log P of each target given that it is one of them, in nats, in their order."""
    scores = [log_p(model, tokenizer, text, slot, target) for target in targets]
    return torch.log_softmax(torch.tensor(scores, dtype=torch.float64), dim=0)


def pll(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentence: str) -> float:
    """Return the pseudo-log-likelihood (Salazar 2020), in nats: one token is masked at a time."""
    return math.fsum(pll_tokens(model, tokenizer, sentence))


def pll_tokens(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentence: str
) -> list[float]:
    """Return log P of each token, the special ones left out, given all the others, in nats."""
    ids = _encode(tokenizer, sentence)
    words = tokenizer(sentence).word_ids()
    scores = []
    for i, word in enumerate(words):
        if word is not None:
            masked = [*ids[:i], tokenizer.mask_token_id, *ids[i + 1 :]]
            scores.append(_log_softmax(model, masked)[i, ids[i]].item())
    return scores


def pll_word_l2r(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentence: str
) -> float:
    """
    Return the pseudo-log-likelihood (Kauf & Ivanova 2023), in nats.

    With a token, the tokens after it in its own word are masked too. A word is what the tokenizer
    splits the text into before it cuts it into pieces, as in the authors' code.
    """
    return math.fsum(pll_word_l2r_tokens(model, tokenizer, sentence))


def pll_word_l2r_tokens(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentence: str
) -> list[float]:
    """Return log P of each token given all but itself and the rest of its word, in nats."""
    ids = _encode(tokenizer, sentence)
    words = tokenizer(sentence).word_ids()
    scores = []
    for i, word in enumerate(words):
        if word is not None:
            hidden = [j for j, other in enumerate(words) if j >= i and other == word]
            masked = [tokenizer.mask_token_id if j in hidden else k for j, k in enumerate(ids)]
            scores.append(_log_softmax(model, masked)[i, ids[i]].item())
    return scores


def _write(text: str, slot: int, target: str) -> str:
    """Return the text with the target in place of one `[MASK]`, counted from 0."""
    parts = text.split(MASK)
    return MASK.join(parts[: slot + 1]) + target + MASK.join(parts[slot + 1 :])


def _has_a_space_too_many(
    tokenizer: PreTrainedTokenizerBase, text: str, slot: int, pieces: list[int]
) -> bool:
    """
    Return whether the pieces begin with a space that is not the target's own.

    The mask of a byte-level BPE takes all the spaces before it, a word only the last of them: of
    two, the first is a token of its own that the masked sentence does not have.
    """
    lead = MASK.join(text.split(MASK)[: slot + 1])
    n_spaces = len(lead) - len(lead.rstrip())
    return n_spaces > 1 and str(tokenizer.decode(pieces[:1])).isspace()


def _encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the token ids of the whole text, its `[MASK]`s as the tokenizer's own mask."""
    ids: list[int] = tokenizer(text.replace(MASK, tokenizer.mask_token))["input_ids"]
    return ids


def _mask_positions(tokenizer: PreTrainedTokenizerBase, text: str, ids: list[int]) -> list[int]:
    """Return where the masks are among the ids: one for each `[MASK]` of the text."""
    positions = [i for i, token in enumerate(ids) if token == tokenizer.mask_token_id]
    if len(positions) != text.count(MASK):
        message = f"{text!r} has {text.count(MASK)} {MASK} but {len(positions)} mask tokens"
        raise ValueError(message)
    return positions


def _log_softmax(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    """Return log P over the vocabulary at each token, shape (tokens, vocabulary), float64."""
    batch = torch.tensor([ids], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=batch, attention_mask=torch.ones_like(batch)).logits
    return torch.log_softmax(logits[0].double(), dim=-1).cpu()

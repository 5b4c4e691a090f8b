"""The measurements asked for, and rows that pair two models.

Each distinct sentence is run once, however many targets it has. A target of k pieces puts k masks
in the slot and is scored left to right inside the word (Kauf & Ivanova 2023, PLL-word-l2r): piece
i is read with the pieces before it written and the pieces after it still masked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import torch

from audit import tables
from audit.models import Encoded, Ids, MaskedLM
from probes.expand import Expanded
from probes.schema import MASK

FILLS = 20
AGREEMENT = 10
# Sentences of one length form a batch, so that nothing is padded.
BATCH_PIECES = 2048
FEW = 8
BITS = 1 / torch.log(torch.tensor(2.0, dtype=torch.float64))

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scored:
    """What was measured: one row an item and model; pairs of models; the likeliest fills."""

    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame


@dataclass(frozen=True)
class Read:
    """One place that is read: a sentence as piece ids, and the index of the mask."""

    ids: Ids
    place: int


@dataclass(frozen=True)
class Written:
    """A sentence with the target in its slot: its pieces, and the characters of the slot.

    `in_word` says that a letter or digit touches the slot, as in "[MASK]s".
    """

    encoded: Encoded
    span: tuple[int, int]
    in_word: bool


@dataclass
class Plan:
    """What a tokenizer makes of items: for each its reads and wanted pieces, or why it has none."""

    longest: int
    reads: dict[str, list[tuple[Read, int]]] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, int] = field(default_factory=dict)
    contexts: dict[str, Read] = field(default_factory=dict)

    def batches(self) -> list[list[Ids]]:
        """All distinct sentences in batches of one length, in an order that only they decide."""
        wanted = {read.ids for reads in self.reads.values() for read, _ in reads}
        wanted |= {read.ids for read in self.contexts.values()}
        found: list[list[Ids]] = []
        for ids in sorted(wanted, key=lambda ids: (len(ids), ids)):
            most = max(1, BATCH_PIECES // len(ids))
            if not found or len(found[-1]) == most or len(found[-1][0]) != len(ids):
                found.append([])
            found[-1].append(ids)
        return found


def plan(expanded: Expanded, model: MaskedLM, longest: int | None = None) -> Plan:
    """Write every target of an expanded set as pieces, and say which cannot be written.

    `longest` is how many pieces a sentence may have, where that is not the model's own limit.
    """
    made = Plan(model.longest if longest is None else longest)
    texts = dict(zip(expanded.contexts["context"], expanded.contexts["text"], strict=True))
    slots = dict(zip(expanded.contexts["context"], expanded.contexts["slot"], strict=True))
    masked = dict(
        zip(texts, model.encode([_masked(t, model) for t in texts.values()]), strict=True)
    )
    items = expanded.items.drop_duplicates("item")[["item", "context", "target"]]
    places, written = [], []
    for context, target in zip(items["context"], items["target"], strict=True):
        before, after = _around(texts[context], int(slots[context]))
        start = len(_masked(before, model))
        in_word = before[-1:].isalnum() or after[:1].isalnum()
        places.append(((start, start + len(target)), in_word))
        written.append(_masked(before, model) + target + _masked(after, model))
    whole = model.encode(written)
    for context, encoded in masked.items():
        read = _read(encoded, texts[context], int(slots[context]), model)
        if read is not None and len(read.ids) <= made.longest:
            made.contexts[context] = read
    rows = zip(items["item"], items["context"], whole, places, strict=True)
    for item, context, encoded, place in rows:
        _plan_item(made, item, made.contexts.get(context), Written(encoded, *place), model)
    return made


def score_all(parts: Sequence[Expanded], models: Sequence[MaskedLM], progress: Progress) -> Scored:
    """Score several sets, each in batches of its own; an item that two sets share stands once."""
    found = []
    for part in parts:
        name = part.items["probe_set"].iloc[0]
        found.append(score(part, models, partial(progress, name)))
    return Scored(
        *(
            tables.check(
                name,
                pd.concat([getattr(part, name) for part in found])
                .drop_duplicates(key)
                .reset_index(drop=True),
            )
            for name, key in _KEYS.items()
        )
    )


def contexts(parts: Sequence[Expanded]) -> pd.DataFrame:
    """The contexts of several sets, each once."""
    whole = pd.concat([part.contexts for part in parts])
    return whole.drop_duplicates("context").reset_index(drop=True)


_KEYS = {
    "scores": ["item", "model", "measure"],
    "paired": ["context", "model", "other_context", "other_model", "measure"],
    "fills": ["context", "model", "rank"],
}


def score(
    expanded: Expanded,
    models: Sequence[MaskedLM],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Scored:
    """Score one expanded set with each model; `paired` rows where two share one vocabulary.

    Model names in the tables are `reference` and `candidate`; one model alone is the candidate.
    Two models that share one vocabulary are asked the same: what is too long for one is not asked.
    """
    names = ["reference", "candidate"][-len(models) :]
    groups = [list(zip(names, models, strict=True))]
    # A model may have more rows than its tokenizer has pieces: then its distributions are of
    # another vocabulary.
    kinds = {(model.identity.tokenizer, model.identity.vocabulary_size) for model in models}
    if len(kinds) > 1:
        groups = [[pair] for pair in groups[0]]
    plans = [
        plan(expanded, group[0][1], min(model.longest for _, model in group)) for group in groups
    ]
    total = sum(len(batch) for made in plans for batch in made.batches()) or 1
    sink = _Sink()
    done = 0
    for group, made in zip(groups, plans, strict=True):
        reader = _Reader(made, group, sink)
        for batch in made.batches():
            reader.read(batch)
            done += len(batch)
            progress(done, total)
        reader.finish(expanded)
    return Scored(
        tables.table("scores", sink.scores),
        tables.table("paired", sink.paired),
        tables.table("fills", sink.fills),
    )


@dataclass
class _Sink:
    scores: list[dict[str, Any]] = field(default_factory=list)
    paired: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)


class _Reader:
    """Runs the batches of one plan through the models that share its tokenizer."""

    def __init__(self, made: Plan, group: list[tuple[str, MaskedLM]], sink: _Sink) -> None:
        self._plan, self._group, self._sink = made, group, sink
        self._wanted: dict[Read, set[int]] = defaultdict(set)
        for reads in made.reads.values():
            for read, piece in reads:
                self._wanted[read].add(piece)
        self._contexts: dict[Read, list[str]] = defaultdict(list)
        for context, read in made.contexts.items():
            self._contexts[read].append(context)
            self._wanted[read] |= set()
        self._places: dict[Ids, list[Read]] = defaultdict(list)
        for read in self._wanted:
            self._places[read.ids].append(read)
        self._log_p: dict[tuple[str, Read, int], float] = {}
        self._rank: dict[tuple[str, Read, int], int] = {}

    def read(self, batch: list[Ids]) -> None:
        """Run one batch through every model and keep what was asked for."""
        reads = [(row, read) for row, ids in enumerate(batch) for read in self._places[ids]]
        asked = [(row, read.place) for row, read in reads]
        found = [model.log_probs(batch, asked) for _, model in self._group]
        for (name, model), log_p in zip(self._group, found, strict=True):
            for line, (_, read) in zip(log_p, reads, strict=True):
                self._keep(name, model, read, line)
        if len(found) > 1:
            self._keep_pairs([read for _, read in reads], *found)

    def _keep(self, name: str, model: MaskedLM, read: Read, log_p: torch.Tensor) -> None:
        pieces = sorted(self._wanted[read])
        if pieces:
            values = log_p[pieces]
            above = _above(log_p, values)
            for piece, value, higher in zip(pieces, values.tolist(), above.tolist(), strict=True):
                self._log_p[name, read, piece] = value
                self._rank[name, read, piece] = higher + 1
        contexts = self._contexts.get(read, ())
        if contexts:
            likeliest, indices = log_p.topk(min(FILLS, len(log_p)))
            tokens = [model.token(index) for index in indices.tolist()]
            self._sink.fills += [
                {"context": c, "model": name, "rank": r, "token": t, "probability": p}
                for c in contexts
                for r, (t, p) in enumerate(
                    zip(tokens, likeliest.exp().tolist(), strict=True), start=1
                )
            ]

    def _keep_pairs(self, reads: list[Read], first: torch.Tensor, second: torch.Tensor) -> None:
        kept = [line for line, read in enumerate(reads) if read in self._contexts]
        if not kept:
            return
        measures = compared(first[kept], second[kept])
        (name, _), (other, _) = self._group
        self._sink.paired += [
            {
                "context": context,
                "model": name,
                "other_context": context,
                "other_model": other,
                "measure": measure,
                "value": value,
            }
            for measure, values in measures.items()
            for line, value in zip(kept, values.tolist(), strict=True)
            for context in self._contexts[reads[line]]
        ]

    def finish(self, expanded: Expanded) -> None:
        """Sum the pieces of each item, in the order of the items."""
        for name, _ in self._group:
            for item in expanded.items["item"].drop_duplicates():
                reads = self._plan.reads.get(item)
                row: dict[str, Any] = {"item": item, "model": name, "measure": "logp"}
                row["status"] = self._plan.status[item]
                row["pieces"] = self._plan.pieces.get(item)
                if reads:
                    row["value"] = sum(self._log_p[name, read, piece] for read, piece in reads)
                    if len(reads) == 1:
                        row["rank"] = self._rank[name, *reads[0]]
                self._sink.scores.append(row)


def compared(first: torch.Tensor, second: torch.Tensor) -> dict[str, torch.Tensor]:
    """Two models' log p at the same places, [n, vocabulary]: how far apart they are, [n] each.

    `kl` of first to second in nats, `jsd` in bits (0 to 1), `top1` 1 where both have the same
    likeliest piece, `agreement@10` the share of the ten likeliest that both have.
    """
    p, q = first.exp(), second.exp()
    middle = (p + q) / 2
    jsd = (torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).nan_to_num().sum(-1) / 2
    most = min(AGREEMENT, p.shape[-1])
    top, other = first.topk(most)[1], second.topk(most)[1]
    shared = (top[:, :, None] == other[:, None, :]).any(-1).sum(-1) / most
    return {
        "kl": (p * (first - second)).sum(-1),
        "jsd": jsd * BITS,
        "top1": (top[:, 0] == other[:, 0]).double(),
        f"agreement@{AGREEMENT}": shared.double(),
    }


def _above(log_p: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """How many of the vocabulary are likelier than each value; sorting pays for many values."""
    if len(values) <= FEW:
        return (log_p[None, :] > values[:, None]).sum(1)
    order, _ = log_p.sort()
    return len(log_p) - torch.searchsorted(order, values, right=True)


def _masked(text: str, model: MaskedLM) -> str:
    return text.replace(MASK, model.mask_token)


def _around(text: str, slot: int) -> tuple[str, str]:
    """What stands before and after the mask of this index."""
    parts = text.split(MASK)
    return MASK.join(parts[: slot + 1]), MASK.join(parts[slot + 1 :])


def _read(encoded: Encoded, text: str, slot: int, model: MaskedLM) -> Read | None:
    places = [place for place, piece in enumerate(encoded.ids) if piece == model.mask_id]
    if len(places) != text.count(MASK):
        return None
    if model.unknown_id is not None and model.unknown_id in encoded.ids:
        return None
    return Read(encoded.ids, places[slot])


def _plan_item(
    made: Plan, item: str, context: Read | None, whole: Written, model: MaskedLM
) -> None:
    """Which pieces the target has in its sentence, and the reads that score them."""
    if context is None:
        made.status[item] = _why_unreadable(whole.encoded, made.longest, model)
        return
    before, after = context.ids[: context.place], context.ids[context.place + 1 :]
    pieces = _pieces(whole, before, after, model)
    if pieces is None:
        made.status[item] = "target_changes_context"
    elif not pieces or model.special_ids.intersection(pieces):
        made.status[item] = "target_unknown"
    elif len(before) + len(pieces) + len(after) > made.longest:
        made.status[item] = "too_long"
    else:
        made.status[item] = "ok"
        made.pieces[item] = len(pieces)
        made.reads[item] = list(_left_to_right(before, pieces, after, model.mask_id))


def _pieces(written: Written, before: Ids, after: Ids, model: MaskedLM) -> Ids | None:
    """The target's pieces where it is written in, or None where it changes the words around it."""
    whole, span = written.encoded, written.span
    if span[0] == span[1]:
        return ()
    middle = whole.ids[len(before) : len(whole.ids) - len(after)]
    if (*before, *middle, *after) == whole.ids:
        return middle
    if written.in_word:
        return None
    # A tokenizer may write a mark of white space behind a mask that it does not write behind a
    # word (ALBERT: `[MASK] _ .` but `_nurse .`): the same words stand there, so the pieces are
    # those that overlap the slot, and the masked sentence is read as the model's users write it.
    # Inside a word that mark would start a word of its own, and so the target is refused above.
    inside = [i for i, (start, end) in enumerate(whole.spans) if start < span[1] and end > span[0]]
    if not inside or any(whole.spans[i][1] > span[1] for i in inside):
        return None
    around = (whole.ids[: inside[0]], whole.ids[inside[-1] + 1 :])
    same = all(
        model.bare(ours) == model.bare(theirs)
        for ours, theirs in zip(around, (before, after), strict=True)
    )
    return whole.ids[inside[0] : inside[-1] + 1] if same else None


def _left_to_right(before: Ids, pieces: Ids, after: Ids, mask: int) -> Iterator[tuple[Read, int]]:
    for known, piece in enumerate(pieces):
        masks = [mask] * (len(pieces) - known)
        yield Read((*before, *pieces[:known], *masks, *after), len(before) + known), piece


def _why_unreadable(whole: Encoded, longest: int, model: MaskedLM) -> str:
    if len(whole.ids) > longest:
        return "too_long"
    if model.unknown_id is not None and model.unknown_id in whole.ids:
        return "context_unknown"
    return "mask_lost"

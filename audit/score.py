"""The measurements asked for, and rows that pair two models.

Each distinct sentence is run once, however many targets it has. A target of k pieces puts k masks
in the slot and is scored left to right inside the word (Kauf & Ivanova 2023, PLL-word-l2r): piece
i is read with the pieces before it written and the pieces after it still masked. Large sets are
scored in parts, so that what is held does not grow with them beyond the tables.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import pandas as pd
import torch

from audit import tables
from audit.estimators.catalogue import needed
from audit.models import Ids, MaskedLM
from audit.reads import OF_SLOT, Asked, Plan, Read, plan
from probes.expand import Expanded

FILLS = 20
AGREEMENT = 10
FEW = 8
# So many contexts are planned and held at once; those that share a frame stay together.
PART = 4000
MOST_READS = 512
BITS = 1 / torch.log(torch.tensor(2.0, dtype=torch.float64))

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scored:
    """What was measured: one row an item and model; pairs of models; the likeliest fills."""

    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame


def score_all(parts: Sequence[Expanded], models: Sequence[MaskedLM], progress: Progress) -> Scored:
    """Score several sets, each in batches of its own; an item that two sets share stands once."""
    found = []
    for part in parts:
        name = part.items["probe_set"].iloc[0]
        measures = needed(part.items["kind"].iloc[0])
        found.append(score(part, models, partial(progress, name), measures))
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
    measures: frozenset[str] = frozenset({"logp"}),
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
    sink = _Sink()
    done, total = 0, len(expanded.contexts) * len(groups)
    for group in groups:
        longest = min(model.longest for _, model in group)
        for part in _parts(expanded):
            made = plan(part, group[0][1], measures, longest)
            reader = _Reader(made, part, group, sink)
            batches = made.batches()
            for count, batch in enumerate(batches, start=1):
                reader.read(batch)
                progress(done + len(part.contexts) * count // len(batches), total)
            reader.finish(part, measures)
            done += len(part.contexts)
    progress(total, total)
    return Scored(
        tables.table("scores", sink.scores),
        tables.table("paired", sink.paired),
        tables.table("fills", sink.fills),
    )


def _parts(expanded: Expanded) -> Iterator[Expanded]:
    """The set in parts of bounded size; what shares a frame is in one part."""
    order = expanded.items.groupby("context", sort=False)["frame"].first()
    frames = order.value_counts(sort=False)
    number = (frames.cumsum() - frames) // PART
    part_of = order.map(number)
    for chosen in number.unique():
        own = part_of.index[part_of == chosen]
        yield Expanded(
            expanded.contexts[expanded.contexts["context"].isin(own)],
            expanded.items[expanded.items["context"].isin(own)],
        )


@dataclass
class _Sink:
    scores: list[dict[str, Any]] = field(default_factory=list)
    paired: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Bundle:
    """Contexts of several groups that differ in nothing else, to compare their distributions."""

    groups: dict[str, list[str]]

    @property
    def contexts(self) -> list[str]:
        return [context for own in self.groups.values() for context in own]


@dataclass(frozen=True)
class _Word:
    """A word's states by pooling, under the context of its first sentence."""

    context: str
    states: dict[str, torch.Tensor]


class _Reader:
    """Runs the batches of one plan through the models that share its tokenizer."""

    def __init__(
        self, made: Plan, part: Expanded, group: list[tuple[str, MaskedLM]], sink: _Sink
    ) -> None:
        self._plan, self._group, self._sink = made, group, sink
        self._wanted: dict[Read, set[int]] = defaultdict(set)
        self._attended: set[Ids] = set()
        # A target of one piece has a rank among all pieces.
        self._ranked = {
            asked.reads[0][0]
            for (_, measure), asked in made.asked.items()
            if measure == "logp" and len(asked.reads) == 1
        }
        for asked in made.asked.values():
            for read, piece in asked.reads:
                self._wanted[read].add(piece)
                if asked.fold.startswith("attended"):
                    self._attended.add(read.ids)
        self._contexts: dict[Read, list[str]] = defaultdict(list)
        for context, read in made.contexts.items():
            self._contexts[read].append(context)
            self._wanted[read] |= set()
        self._places: dict[Ids, list[Read]] = defaultdict(list)
        for read in self._wanted:
            self._places[read.ids].append(read)
        self._stated = {ids for ids, _ in made.states.values()}
        self._states: dict[tuple[str, Ids], torch.Tensor] = {}
        self._bundles = {c: bundle for bundle in _bundles(part, made) for c in bundle.contexts}
        self._held: dict[tuple[str, str], torch.Tensor] = {}
        self._log_p: dict[tuple[str, Read, int], float] = {}
        self._rank: dict[tuple[str, Read, int], int] = {}
        self._entropy: dict[tuple[str, str], float] = {}
        self._attention: dict[tuple[str, Ids], list[float]] = {}

    def read(self, batch: list[Ids]) -> None:
        """Run one batch through every model and keep what was asked for.

        Each read brings a whole distribution: a batch with too many of them is run in halves.
        """
        if len(batch) > 1 and sum(len(self._places[ids]) for ids in batch) > MOST_READS:
            self.read(batch[: len(batch) // 2])
            self.read(batch[len(batch) // 2 :])
            return
        self._keep_states([ids for ids in batch if ids in self._stated])
        reads = [(row, read) for row, ids in enumerate(batch) for read in self._places[ids]]
        if not reads:
            return
        asked = [(row, read.place) for row, read in reads]
        found = [model.log_probs(batch, asked) for _, model in self._group]
        attended = [ids for ids in batch if ids in self._attended]
        for (name, model), log_p in zip(self._group, found, strict=True):
            for line, (_, read) in zip(log_p, reads, strict=True):
                self._keep(name, model, read, line)
            if attended:
                rows = model.attention(attended).tolist()
                self._attention |= {(name, i): r for i, r in zip(attended, rows, strict=True)}
        if len(found) > 1:
            self._keep_pairs([read for _, read in reads], *found)

    def _keep(self, name: str, model: MaskedLM, read: Read, log_p: torch.Tensor) -> None:
        pieces = sorted(self._wanted[read])
        if pieces:
            values = log_p[pieces]
            for piece, value in zip(pieces, values.tolist(), strict=True):
                self._log_p[name, read, piece] = value
            if read in self._ranked:
                for piece, higher in zip(pieces, _above(log_p, values).tolist(), strict=True):
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
        if contexts:
            entropy = -float(torch.xlogy(log_p.exp(), log_p.exp()).sum())
        for context in contexts:
            self._entropy[name, context] = entropy
            if len(self._group) > 1:
                # How open the slot is: an open one leaves two models more room to differ.
                row = {"context": context, "model": name, "measure": "entropy", "value": entropy}
                self._sink.paired.append(row)
            if context in self._bundles:
                self._hold(name, context, log_p)

    def _hold(self, name: str, context: str, log_p: torch.Tensor) -> None:
        """Hold a distribution until all of its bundle are there, then compare them and let go."""
        self._held[name, context] = log_p.exp()
        bundle = self._bundles[context]
        if not all((name, other) in self._held for other in bundle.contexts):
            return
        means = {
            group: torch.stack([self._held[name, c] for c in own]).mean(0)
            for group, own in bundle.groups.items()
        }
        for (first, p), (second, q) in combinations(means.items(), 2):
            values = {"jsd_groups": jsd_bits(p, q), "tv_groups": (p - q).abs().sum() / 2}
            self._sink.paired += [
                {
                    "context": bundle.groups[first][0],
                    "model": name,
                    "other_context": bundle.groups[second][0],
                    "measure": measure,
                    "value": float(value),
                }
                for measure, value in values.items()
            ]
        for other in bundle.contexts:
            del self._held[name, other]

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

    def _keep_states(self, sentences: list[Ids]) -> None:
        if sentences:
            for name, model in self._group:
                states = model.states(sentences)
                self._states |= {(name, ids): s for ids, s in zip(sentences, states, strict=True)}

    def _cosines(self, part: Expanded) -> None:
        """Cosines of target words to attribute words; a word's state is the mean over sentences."""
        rows = part.items[part.items["item"].isin(self._plan.states)]
        for name, _ in self._group:
            words = {
                key: _Word(own["context"].iloc[0], self._pooled(name, own["item"]))
                for key, own in rows.groupby(["frame", "group", "class", "term"], sort=False)
            }
            for (frame, group, _, _), word in words.items():
                for (other_frame, _, class_, _), other in words.items():
                    if frame != other_frame or str(group) == "" or str(class_) == "":
                        continue
                    self._sink.paired += [
                        {
                            "context": word.context,
                            "model": name,
                            "other_context": other.context,
                            "measure": f"cosine_{pooling}",
                            "value": float(
                                torch.cosine_similarity(state, other.states[pooling], dim=0)
                            ),
                        }
                        for pooling, state in word.states.items()
                    ]

    def _pooled(self, name: str, items: pd.Series) -> dict[str, torch.Tensor]:
        """The word's state by pooling, mean over its sentences."""
        found: dict[str, list[torch.Tensor]] = defaultdict(list)
        for item in items:
            ids, places = self._plan.states[item]
            states = self._states[name, ids]
            found["cls"].append(states[0])
            found["mean"].append(states[list(places)].mean(0))
            found["first"].append(states[places[0]])
        return {pooling: torch.stack(own).mean(0) for pooling, own in found.items()}

    def finish(self, part: Expanded, measures: frozenset[str]) -> None:
        """Fold the reads of each item into its scores, in the order of the items.

        An item that could not be read has one row, with its status and without a score.
        """
        self._cosines(part)
        items = part.items.drop_duplicates("item")
        wanted = sorted(measures)
        for name, _ in self._group:
            columns = (items[column] for column in ("item", "context", "target"))
            for item, context, target in zip(*columns, strict=True):
                common = {
                    "item": item,
                    "model": name,
                    "status": self._plan.status[item],
                    "pieces": self._plan.pieces.get(item),
                }
                rows = [
                    {**common, "measure": measure, **self._folded(name, asked)}
                    for measure in wanted
                    if (asked := self._plan.asked.get((item, measure))) is not None
                ]
                if not target and (name, context) in self._entropy:
                    value = self._entropy[name, context]
                    rows = [{**common, "measure": OF_SLOT, "value": value}]
                self._sink.scores += rows or [{**common, "measure": wanted[0]}]

    def _folded(self, name: str, asked: Asked) -> dict[str, Any]:
        """The value of one measure; and the rank, where a single piece was read at a slot."""
        values = [self._log_p[name, read, piece] for read, piece in asked.reads]
        if not values and asked.fold != "sum":  # a sum of nothing is 0, its mean is unknown
            return {}
        if asked.fold == "sum":
            found: dict[str, Any] = {"value": sum(values, start=0.0)}
            keys = [(name, read, piece) for read, piece in asked.reads]
            if len(keys) == 1 and keys[0] in self._rank:
                found["rank"] = self._rank[keys[0]]
            return found
        if asked.fold == "mean":
            return {"value": sum(values) / len(values)}
        if asked.fold == "mean_p":
            return {"value": sum(map(math.exp, values)) / len(values)}
        weights = [self._attention[name, read.ids][read.place] for read, _ in asked.reads]
        total = sum(weight * value for weight, value in zip(weights, values, strict=True))
        return {"value": total / (sum(weights) if asked.fold == "attended" else len(values))}


def _bundles(part: Expanded, made: Plan) -> Iterator[_Bundle]:
    """Slots that are each of one group: those of a frame and variant, and of an attribute there."""
    rows = part.items[part.items["context"].isin(made.contexts)]
    rows = rows[rows["group"] != ""].drop_duplicates(["context", "group"])
    rows = rows[~rows["context"].duplicated(keep=False)]
    rows = rows.assign(attribute=rows["attribute"].where(rows["target"] == "", ""))
    for _, own in rows.groupby(["frame", "variant", "attribute"], sort=False):
        groups = own.groupby("group", sort=False)["context"].agg(list).to_dict()
        if len(groups) > 1:
            yield _Bundle({str(group): found for group, found in groups.items()})


def jsd_bits(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Jensen-Shannon divergence in bits of two distributions on the last axis, 0 to 1."""
    middle = (p + q) / 2
    parts = torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)
    return parts.nan_to_num().sum(-1) / 2 * BITS


def compared(first: torch.Tensor, second: torch.Tensor) -> dict[str, torch.Tensor]:
    """Two models' log p at the same places, [n, vocabulary]: how far apart they are, [n] each.

    `kl` of first to second in nats, `jsd` in bits and `tv` (0 to 1), `top1` 1 where both have the
    same likeliest piece, `agreement@10` the share of the ten likeliest that both have.
    """
    p, q = first.exp(), second.exp()
    most = min(AGREEMENT, p.shape[-1])
    top, other = first.topk(most)[1], second.topk(most)[1]
    shared = (top[:, :, None] == other[:, None, :]).any(-1).sum(-1) / most
    return {
        "kl": (p * (first - second)).sum(-1),
        "jsd": jsd_bits(p, q),
        "tv": (p - q).abs().sum(-1) / 2,
        "top1": (top[:, 0] == other[:, 0]).double(),
        f"agreement@{AGREEMENT}": shared.double(),
    }


def _above(log_p: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """How many of the vocabulary are likelier than each value; sorting pays for many values."""
    if len(values) <= FEW:
        return (log_p[None, :] > values[:, None]).sum(1)
    order, _ = log_p.sort()
    return len(log_p) - torch.searchsorted(order, values, right=True)

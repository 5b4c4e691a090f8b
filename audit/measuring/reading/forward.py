"""Score one part of a probe set with models of one vocabulary, running each read once.

A target of k pieces puts k masks in the slot and is scored left to right within the word (Kauf &
Ivanova 2023, PLL-word-l2r): piece i is read with those before it filled in and those after it still
masked. Whole distributions are compared as they are read, and never stored.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import torch

from maskaudit.audit.measuring.backends.devices import software, threads
from maskaudit.audit.measuring.model import Ids, MaskedLM, Numbers
from maskaudit.audit.measuring.planning.joins import at_slots
from maskaudit.audit.measuring.planning.read_plan import Plan, plan
from maskaudit.audit.measuring.planning.reads import (
    NEEDS,
    OF_SLOT,
    TOP_FILLING,
    ItemReads,
    Read,
    unavailable,
)
from maskaudit.audit.measuring.reading.distributions import (
    AGREEMENT,
    GroupDistances,
    Slots,
    compared,
    ranks,
)
from maskaudit.audit.measuring.reading.fillings import WIDTH, Fillings
from maskaudit.audit.measuring.reading.word_states import WordStates
from maskaudit.audit.recording.cache_use import CacheUse
from maskaudit.audit.recording.rows.columns import Columns
from maskaudit.audit.recording.rows.group_pairs import GroupPair, group_pairs
from maskaudit.audit.recording.rows.values import WRITTEN, Reading
from maskaudit.probes.expand import Expanded

FILLS = 20
# Reads whose whole distributions are computed at once: 512 of BERT's 30,522 pieces in float64 are
# 125 MB.
MOST_READS = 512

# Models of one vocabulary with their names in the tables: one, or a reference and a candidate.
Group = tuple[tuple[str, MaskedLM], ...]


@dataclass(frozen=True)
class Scored:
    """Three tables: scores of items by model, values of contexts and pairs of models, fills.

    `cache` says how many parts were asked of the cache and which were taken; None without one.
    """

    scores: pd.DataFrame
    paired: pd.DataFrame
    fills: pd.DataFrame
    cache: CacheUse | None = None


def read_part(  # noqa: PLR0913 - what is read, how, and by which models
    part: Expanded,
    groups: Sequence[Group],
    measures: frozenset[str],
    longest: int,
    tell: Callable[[float], None] = lambda _share: None,
    *,
    reading: Reading = WRITTEN,
    planned: Callable[[int], None] = lambda _contexts: None,
) -> list[Scored]:
    """Score one part with each group, exactly as if that group were scored alone.

    All groups share one vocabulary and start with the same model, which is run once for all.
    Sentences of more than `longest` pieces get no score. `planned` receives the number of contexts
    that are planned, then `tell` the share of the part that is done, 0 to 1.
    """
    (name, model), *_ = groups[0]
    part_plan = plan(part, model, measures, longest, reading=reading, tell=planned)
    index = _ReadIndex(part_plan, part)
    first = _Reader(name, model, index, measures, is_paired=len(groups[0]) > 1)
    others = [
        [_Reader(*named_model, index, measures, is_paired=True) for named_model in group[1:]]
        for group in groups
    ]
    rows = [_Rows() for _ in groups]
    batches = part_plan.batches()
    for count, batch in enumerate(batches, start=1):
        for sentences in index.few_reads(batch):
            first_rows, slots = first.read(sentences)
            for group_rows, readers in zip(rows, others, strict=True):
                group_rows.add(first_rows)
                for other in readers:
                    other_rows, other_slots = other.read(sentences)
                    group_rows.add(other_rows)
                    if slots is not None and other_slots is not None:
                        # Compare now: whole distributions are too large to store.
                        contexts = index.slots(index.reads(sentences))[1]
                        names = first.name, other.name
                        group_rows.compare(contexts, names, compared(slots, other_slots))
        tell(count / len(batches))
    final_rows = first.finish(part)
    for group_rows, readers in zip(rows, others, strict=True):
        group_rows.add(final_rows)
        for other in readers:
            group_rows.add(other.finish(part))
    return [group_rows.scored() for group_rows in rows]


def setting() -> list[Any]:
    """What determines the bits of a score besides model, sentence and machine (`machine`)."""
    return [software(), [FILLS, AGREEMENT, MOST_READS, WIDTH]]


def machine() -> tuple[int, str]:
    """Threads and instructions of the processor: kernels add up in an order that follows them."""
    return threads(), torch.backends.cpu.get_cpu_capability()


@dataclass
class _Rows:
    """Rows of the three tables of `Scored`."""

    scores: Columns = field(default_factory=lambda: Columns("scores"))
    paired: Columns = field(default_factory=lambda: Columns("paired"))
    fills: Columns = field(default_factory=lambda: Columns("fills"))

    def add(self, other: "_Rows") -> None:
        self.scores.add(other.scores)
        self.paired.add(other.paired)
        self.fills.add(other.fills)

    def compare(
        self, contexts: list[str], names: tuple[str, str], distances: dict[str, torch.Tensor]
    ) -> None:
        """Add the distances of two models at each context."""
        model, other = names
        for measure, values in distances.items():
            self.paired.put(
                context=contexts,
                model=model,
                other_context=contexts,
                other_model=other,
                measure=measure,
                value=values.tolist(),
            )

    def scored(self) -> Scored:
        return Scored(self.scores.whole(), self.paired.whole(), self.fills.whole())


class _ReadIndex:
    """The reads of a plan, indexed by sentence, and what each is needed for."""

    def __init__(self, part_plan: Plan, part: Expanded) -> None:
        self.plan = part_plan
        self.pieces_of: dict[Read, set[int]] = defaultdict(set)
        self.need_attention: set[Ids] = set()
        # Only a target of one piece has a rank in the vocabulary.
        self.need_rank = {
            item_reads.reads[0][0]
            for (_, measure), item_reads in part_plan.item_reads.items()
            if measure == "logp" and len(item_reads.reads) == 1
        }
        for item_reads in part_plan.item_reads.values():
            for read, piece in item_reads.reads:
                self.pieces_of[read].add(piece)
                if item_reads.fold.startswith("attended"):
                    self.need_attention.add(read.ids)
        self.contexts: dict[Read, list[str]] = defaultdict(list)
        for context, read in part_plan.contexts.items():
            self.contexts[read].append(context)
            # Run the read even if no piece of it is needed: its fills are.
            self.pieces_of[read] |= set()
        # Last, when every read is known: contexts add reads that no item asks for.
        self.reads_of: dict[Ids, list[Read]] = defaultdict(list)
        for read in self.pieces_of:
            self.reads_of[read.ids].append(read)
        self.states_of: dict[Ids, list[str]] = defaultdict(list)
        for item, (ids, _) in part_plan.states.items():
            self.states_of[ids].append(item)
        # A context may serve several pairs of groups, as where two frames share it.
        self.group_pairs: dict[str, list[GroupPair]] = defaultdict(list)
        for pair in group_pairs(at_slots(part.items, part.contexts)):
            contexts = {context for own in pair.contexts for context in own}
            # A mean over the sentences that are left would be of other words than the set's.
            if contexts <= part_plan.contexts.keys():
                for context in contexts:
                    self.group_pairs[context].append(pair)

    def few_reads(self, batch: list[Ids]) -> Iterator[list[Ids]]:
        """Split the batch into parts of few reads, since each returns a whole distribution."""
        if len(batch) > 1 and sum(len(self.reads_of[ids]) for ids in batch) > MOST_READS:
            yield from self.few_reads(batch[: len(batch) // 2])
            yield from self.few_reads(batch[len(batch) // 2 :])
        else:
            yield batch

    def reads(self, sentences: list[Ids]) -> list[tuple[int, Read]]:
        """The row and the read of each place to read in these sentences."""
        return [(row, read) for row, ids in enumerate(sentences) for read in self.reads_of[ids]]

    def slots(self, reads: list[tuple[int, Read]]) -> tuple[list[int], list[str]]:
        """Each context that is read, with the number of its read."""
        found = [
            (line, context)
            for line, (_, read) in enumerate(reads)
            for context in self.contexts.get(read, ())
        ]
        return [line for line, _ in found], [context for _, context in found]


class _Reader:
    """One model and its results for the sentences of a plan.

    Of `measures`, those that the model cannot give are left out: they get no rows.
    """

    def __init__(
        self,
        name: str,
        model: MaskedLM,
        index: _ReadIndex,
        measures: frozenset[str],
        *,
        is_paired: bool,
    ) -> None:
        self.name = name
        self._model, self._index, self._is_paired = model, index, is_paired
        # A set of strings has no fixed order, and the rows of a record must have one.
        self._asked = sorted(measures)
        lost = unavailable(model, measures)
        self._measures = [measure for measure in self._asked if measure not in lost]
        attended = {m for m in self._measures if NEEDS.get(m) == "attention"}
        self._need_attention = index.need_attention if attended else set()
        self._need_states = index.states_of if "state" in self._measures else {}
        self._states = WordStates()
        self._distances = GroupDistances(index.group_pairs, index.plan.contexts)
        self._log_p: dict[tuple[Read, int], float] = {}
        self._rank: dict[tuple[Read, int], int] = {}
        self._entropy: dict[str, float] = {}
        self._attention: dict[Ids, list[float]] = {}
        self._fillings = Fillings(model)

    def read(self, sentences: list[Ids]) -> tuple[_Rows, Slots | None]:
        """Run sentences; returns rows, and the distributions at each context that is read.

        None if there is none: sentences may be read whole, or only for their encoder states.
        """
        index, rows = self._index, _Rows()
        for of_length in _by_length(ids for ids in sentences if ids in self._need_states):
            states = torch.from_numpy(self._model.states(of_length))
            for ids, sentence in zip(of_length, states, strict=True):
                for item in index.states_of[ids]:
                    self._states.add(item, sentence, index.plan.states[item][1])
        reads = index.reads(sentences)
        if not reads:
            return rows, None
        log_p = self._model.log_probs(sentences, [(row, read.place) for row, read in reads])
        self._keep([read for _, read in reads], log_p)
        for of_length in _by_length(ids for ids in sentences if ids in self._need_attention):
            # A second run of the model: the attention kernel of the first returns no weights.
            weights = self._model.attention(of_length).tolist()
            self._attention |= dict(zip(of_length, weights, strict=True))
        # Only the read of a context has fills; the others are needed for single pieces.
        lines, contexts = index.slots(reads)
        if not lines:
            return rows, None
        slots = Slots.of(log_p if lines == [*range(len(log_p))] else log_p[lines], FILLS)
        self._describe(contexts, slots, rows)
        return rows, slots

    def _keep(self, reads: list[Read], log_p: Numbers) -> None:
        """Keep log p of the pieces that are needed at each read, and ranks; [n, vocabulary]."""
        wanted = [(line, piece) for line, read in enumerate(reads) for piece in self._pieces(read)]
        # An empty array has no two columns to take apart.
        if not wanted:
            return
        lines, pieces = np.array(wanted).T
        for (line, piece), value in zip(wanted, log_p[lines, pieces].tolist(), strict=True):
            self._log_p[reads[line], piece] = value
        is_ranked = np.array([read in self._index.need_rank for read in reads])[lines]
        ranked = lines[is_ranked], pieces[is_ranked]
        for line, piece, rank in zip(*ranked, ranks(log_p, *ranked), strict=True):
            self._rank[reads[line], int(piece)] = rank

    def _pieces(self, read: Read) -> list[int]:
        return sorted(self._index.pieces_of[read])

    def _describe(self, contexts: list[str], slots: Slots, rows: _Rows) -> None:
        """Add what is told of each context: its fills, its entropy, its groups' distances."""
        columns = slots.fills(self._model)
        most = len(columns["rank"]) // len(contexts)
        repeated = [context for context in contexts for _ in range(most)]
        rows.fills.put(context=repeated, model=self.name, **columns)
        entropies = slots.entropy()
        self._entropy |= dict(zip(contexts, entropies, strict=True))
        if self._is_paired:
            # Entropy says how open a slot is: two models can differ more at an open one.
            rows.paired.put(context=contexts, model=self.name, measure="entropy", value=entropies)
        for context, p in zip(contexts, slots.p, strict=True):
            for row in self._distances.add(context, p):
                rows.paired.put(model=self.name, **row)

    def finish(self, part: Expanded) -> _Rows:
        """Combine the reads of each item into its scores, in the order of the items.

        An item that could not be read has one row, with its status and without a score.
        """
        rows, part_plan = _Rows(), self._index.plan
        if "state" in self._measures:
            for row in self._states.cosines(part.items):
                rows.paired.put(model=self.name, **row)
        items = part.items.drop_duplicates("item")
        columns = (items[column] for column in ("item", "context", "target"))
        found = [
            (item, row)
            for item, context, target in zip(*columns, strict=True)
            for row in self._measured(item, context, target) or self._unmeasured(item)
        ]
        own = [item for item, _ in found]
        rows.scores.put(
            item=own,
            model=self.name,
            **{name: [row.get(name) for _, row in found] for name in ("measure", "value", "rank")},
            pieces=list(map(part_plan.pieces.get, own)),
            status=[part_plan.status[item] for item in own],
            written=[part_plan.written.get(item, "") for item in own],
            read=list(map(part_plan.read_of, own)),
        )
        return rows

    def _unmeasured(self, item: str) -> list[dict[str, Any]]:
        """The row of an item without a value.

        None for an item asked only for what the model lacks: the record says it once.
        """
        is_due = self._measures or self._index.plan.status[item] != "ok"
        return [{"measure": self._asked[0]}] if is_due else []

    def _measured(self, item: str, context: str, target: str) -> list[dict[str, Any]]:
        """Measure, value and rank of each row of an item."""
        if not target and context in self._entropy:
            # An item without a target is a question about its slot: how open it is.
            return [{"measure": OF_SLOT, "value": self._entropy[context]}]
        item_reads = self._index.plan.item_reads
        found = [
            {"measure": measure, **self._folded(reads)}
            for measure in self._measures
            if (reads := item_reads.get((item, measure))) is not None
        ]
        if OF_SLOT in self._measures and found:
            found.append({"measure": OF_SLOT, "value": self._entropy[context]})
        if TOP_FILLING in self._measures and (of_target := item_reads.get((item, "logp"))):
            log_p = self._folded(of_target)["value"]
            found += self._fillings.rows(of_target.reads, log_p)
        return found

    def _folded(self, item_reads: ItemReads) -> dict[str, Any]:
        """The value of one measure, and the rank if a single piece was read at a slot.

        Values are in nats, but "mean_p" is a probability. Empty if a mean has no reads.
        """
        values = [self._log_p[read, piece] for read, piece in item_reads.reads]
        if not values and item_reads.fold != "sum":  # an empty sum is 0, an empty mean is undefined
            return {}
        if item_reads.fold == "sum":
            result: dict[str, Any] = {"value": sum(values, start=0.0)}
            if len(item_reads.reads) == 1 and item_reads.reads[0] in self._rank:
                result["rank"] = self._rank[item_reads.reads[0]]
            return result
        if item_reads.fold == "mean":
            return {"value": sum(values) / len(values)}
        if item_reads.fold == "mean_p":
            return {"value": sum(map(math.exp, values)) / len(values)}
        # As published, the weights need not sum to 1, and the total is divided by the read count.
        weights = [self._attention[read.ids][read.place] for read, _ in item_reads.reads]
        total = sum(weight * value for weight, value in zip(weights, values, strict=True))
        return {"value": total / (sum(weights) if item_reads.fold == "attended" else len(values))}


def _by_length(sentences: Iterable[Ids]) -> Iterator[list[Ids]]:
    """Sentences that are ordered by length, those of each length together."""
    for _, of_length in groupby(sentences, key=len):
        yield list(of_length)

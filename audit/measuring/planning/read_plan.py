"""Plan the reads of every item of a set: its target's pieces, or why it has no score.

The reads of all measures are collected before any model runs, so that a sequence needed by several
items or measures is run once.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import pandas as pd

from maskaudit.audit.measuring.model import Encoded, Ids, MaskedLM
from maskaudit.audit.measuring.planning.reads import OF_SENTENCE, ItemReads, Read, Tokens
from maskaudit.audit.measuring.planning.target_pieces import (
    Context,
    Writer,
    WrittenTarget,
    commonest,
)
from maskaudit.audit.recording.rows.values import WRITTEN, Reading, Status
from maskaudit.probes.expand import Expanded
from maskaudit.probes.frames.sentence import MASK

# The most pieces in a batch, of sentences that are ordered by length; nothing is padded.
BATCH_PIECES = 1024
# Contexts that are planned at once; a context's plan does not depend on the others.
BLOCK = 1000
_ID_LENGTH = 16


@dataclass
class Plan:
    """The reads of each item and measure under one tokenizer, or why an item has no score.

    `longest` is the most pieces a sentence may have. `item_reads` is keyed by item and measure,
    `contexts` by context; `status`, `pieces` (their number), `written` (the target as its pieces
    spell it) and `sequence` (all pieces that are scored, as ids) by item. `states` has an item's
    sentence and the places of its word, if encoder states are needed.
    """

    longest: int
    batch_tokens: int | None = None
    item_reads: dict[tuple[str, str], ItemReads] = field(default_factory=dict)
    status: dict[str, Status] = field(default_factory=dict)
    pieces: dict[str, int] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    sequence: dict[str, tuple[Ids, int]] = field(default_factory=dict)
    contexts: dict[str, Read] = field(default_factory=dict)
    states: dict[str, tuple[Ids, tuple[int, ...]]] = field(default_factory=dict)

    def read_of(self, item: str) -> str:
        """An id of the pieces that are scored and of where they begin; empty if nothing is."""
        if item not in self.sequence:
            return ""
        return hashlib.sha256(repr(self.sequence[item]).encode()).hexdigest()[:_ID_LENGTH]

    def batches(self) -> list[list[Ids]]:
        """All distinct sentences in batches, ordered by length, then by piece ids."""
        sequences = {
            read.ids for item_reads in self.item_reads.values() for read, _ in item_reads.reads
        }
        sequences |= {read.ids for read in self.contexts.values()}
        sequences |= {ids for ids, _ in self.states.values()}
        batches: list[list[Ids]] = []
        left, most = 0, self.batch_tokens or BATCH_PIECES
        # Sorted, so that the batches, and with them the last bits of the scores, do not depend on
        # the order of the items.
        for ids in sorted(sequences, key=lambda ids: (len(ids), ids)):
            if not batches or len(ids) > left:
                batches.append([])
                left = most
            batches[-1].append(ids)
            left -= len(ids)
        return batches


def plan(  # noqa: PLR0913 - what is planned, how, and who is told
    expanded: Expanded,
    model: MaskedLM,
    measures: frozenset[str] = frozenset({"logp"}),
    longest: int | None = None,
    *,
    reading: Reading = WRITTEN,
    tell: Callable[[int], None] = lambda _contexts: None,
) -> Plan:
    """Plan the reads of every item of an expanded set, and find which items cannot be scored.

    `longest` is the most pieces a sentence may have; None means the model's own limit. `reading` is
    the sentence that a slot is read in: "written", the sentence with the target in it and exactly
    the target's pieces masked, the same for all targets of the context; or "as_encoded", the text
    with the mask's own text in it, as transformers' fill-mask encodes it. `tell` receives the
    number of contexts that are planned.
    """
    part_plan = Plan(model.longest if longest is None else longest, model.batch_tokens)
    items = expanded.items.drop_duplicates("item")[["item", "context", "target"]]
    # A context without a slot is a whole sentence.
    is_sentence = expanded.contexts["slot"].isna()
    done = 0
    for contexts, of_contexts in _blocks(expanded.contexts[~is_sentence], items):
        slots = _Slots.of(contexts, of_contexts, model, expanded.beside)
        _plan_targets(part_plan, slots, model, measures, reading)
        tell(done := done + len(contexts))
    for contexts, of_contexts in _blocks(expanded.contexts[is_sentence], items):
        _plan_sentences(part_plan, contexts, of_contexts, model, measures)
        tell(done := done + len(contexts))
    return part_plan


def _blocks(
    contexts: pd.DataFrame, items: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The contexts and their items, so many that planning them takes a second or two."""
    for start in range(0, len(contexts), BLOCK):
        block = contexts.iloc[start : start + BLOCK]
        yield block, items[items["context"].isin(block["context"])]


@dataclass(frozen=True)
class _Slots:
    """Masked sentences with the slot that is read, by context, and the targets of each.

    `items` has the target of each item by context, `beside` those that other sets ask there;
    `written` the pieces of each target in its sentence, None where they cannot be told apart. An
    item without a target is not in `written`.
    """

    texts: Mapping[str, tuple[str, int]]
    items: Mapping[str, Mapping[str, str]]
    beside: Mapping[str, Mapping[str, str]]
    written: Mapping[str, WrittenTarget | None]
    writer: Writer

    @classmethod
    def of(
        cls,
        contexts: pd.DataFrame,
        items: pd.DataFrame,
        model: MaskedLM,
        beside: Mapping[str, Mapping[str, str]],
    ) -> Self:
        """Write every target into its sentence; its pieces may depend on the words beside it."""
        columns = ("context", "text", "slot")
        rows = zip(*(contexts[column] for column in columns), strict=True)
        texts = {context: (text, int(slot)) for context, text, slot in rows}
        targets: dict[str, dict[str, str]] = {context: {} for context in texts}
        for item, context, target in zip(*(items[c] for c in items.columns), strict=True):
            targets[context][item] = target
        asked = {
            item: (*texts[context], target)
            for context, of_context in targets.items()
            for item, target in (*of_context.items(), *beside.get(context, {}).items())
            if target
        }
        writer = Writer(model)
        written = dict(zip(asked, writer.write(list(asked.values())), strict=True))
        return cls(texts, targets, beside, written, writer)

    def contexts(self, special: frozenset[int]) -> dict[str, Context | None]:
        """The context that each slot is read in: that in which most of its targets stand.

        The targets of all sets that ask there have a say, since what they share is read once.

        Where no target can be written it is the one in which ordinary words stand; None where these
        do not fit either.
        """
        chosen: dict[str, Context | None] = {}
        for context, of_context in self.items.items():
            asked = (*of_context, *self.beside.get(context, ()))
            chosen[context] = commonest(map(self.written.get, asked), special)
        open_slots = [context for context, choice in chosen.items() if choice is None]
        around_words = self.writer.around([self.texts[context] for context in open_slots])
        return chosen | dict(zip(open_slots, around_words, strict=True))


def _plan_targets(
    part_plan: Plan,
    slots: _Slots,
    model: MaskedLM,
    measures: frozenset[str],
    reading: Reading,
) -> None:
    contexts = slots.contexts(model.special_ids) if reading == WRITTEN else {}
    # No word fits into a slot such as that of "un[MASK]": nothing is left but the mask's own text.
    left = {name: place for name, place in slots.texts.items() if contexts.get(name) is None}
    contexts |= _as_encoded(left, model)
    for context, of_context in slots.items.items():
        around = contexts[context]
        n_others = slots.texts[context][0].count(MASK) - 1
        why = _why_unreadable(around, n_others, part_plan.longest, model)
        if around is not None and why == "ok":
            part_plan.contexts[context] = around.read(model.mask_id)
        for item, target in of_context.items():
            if around is None or why != "ok":
                part_plan.status[item] = why
            # An item without a target needs only the fills of its slot.
            elif not target:
                part_plan.status[item] = "ok"
            else:
                word = slots.written[item]
                if reading != WRITTEN and word is not None:
                    word = replace(word, context=around)
                _plan_target(part_plan, item, word, around, model, measures)


def _plan_target(  # noqa: PLR0913, PLR0917 - an item in its sentence, and its measures
    part_plan: Plan,
    item: str,
    word: WrittenTarget | None,
    around: Context,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    """Plan the reads that score a target, or say why it cannot be scored.

    `word` is None where the target shares a piece with what stands beside it (`Writer.write`).
    """
    if word is not None and (not word.pieces or model.special_ids.intersection(word.pieces)):
        part_plan.status[item] = "target_unknown"
    elif word is None or word.context != around:
        # All targets of a context are compared in one sentence, so this one is left out.
        part_plan.status[item] = "target_changes_context"
    elif len(around.pieces) + len(word.pieces) > part_plan.longest:
        part_plan.status[item] = "too_long"
    else:
        part_plan.status[item] = "ok"
        part_plan.pieces[item] = len(word.pieces)
        part_plan.written[item] = model.text(word.pieces)
        whole = (*around.before, *word.pieces, *around.after)
        part_plan.sequence[item] = whole, len(around.before)
        split = (around.before, word.pieces, around.after, model.mask_id)
        if "logp" in measures:
            part_plan.item_reads[item, "logp"] = ItemReads(list(_left_to_right(*split)), "sum")
        if "stereoset_published" in measures:
            reads = list(_one_mask_at_a_time(*split))
            part_plan.item_reads[item, "stereoset_published"] = ItemReads(reads, "mean_p")


def _as_encoded(texts: Mapping[str, tuple[str, int]], model: MaskedLM) -> dict[str, Context | None]:
    """The context of each slot as the tokenizer encodes the text with the mask's own text in it."""
    encoded = model.encode([text.replace(MASK, model.mask_token) for text, _ in texts.values()])
    contexts: dict[str, Context | None] = {}
    for (context, (text, slot)), sentence in zip(texts.items(), encoded, strict=True):
        places = [place for place, piece in enumerate(sentence.ids) if piece == model.mask_id]
        # Where a mask was lost, it is unclear which of the others is the slot.
        kept = len(places) == text.count(MASK)
        contexts[context] = (
            Context(sentence.ids[: places[slot]], sentence.ids[places[slot] + 1 :])
            if kept
            else None
        )
    return contexts


def _plan_sentences(
    part_plan: Plan,
    contexts: pd.DataFrame,
    items: pd.DataFrame,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    """Plan the reads of whole sentences; a pair is scored only if both sentences are readable."""
    columns = ("context", "text", "partner")
    context_ids, texts, partners = (list(contexts[column]) for column in columns)
    encoded = dict(zip(context_ids, model.encode(texts), strict=True))
    text_of = dict(zip(context_ids, texts, strict=True))
    tokens = {name: _tokens(sentence, model) for name, sentence in encoded.items()}
    partner_tokens = {
        name: _tokens(sentence, model)
        for name, sentence in zip(context_ids, model.encode(partners), strict=True)
    }
    partner_of = dict(zip(context_ids, partners, strict=True))
    for item, context, target in zip(items["item"], items["context"], items["target"], strict=True):
        sentence, partner = tokens[context], partner_tokens[context]
        sides = [sentence, partner] if partner_of[context] else [sentence]
        part_plan.status[item] = _why_unscored(sides, part_plan.longest, model)
        if part_plan.status[item] != "ok":
            continue
        part_plan.pieces[item] = len(sentence.places)
        part_plan.sequence[item] = sentence.ids, 0
        if "state" in measures:
            # The last match is the word: in "This is his.", "This" contains "his" as well.
            start = text_of[context].rindex(target)
            word = (start, start + len(target))
            spans = encoded[context].spans
            places = tuple(p for p in sentence.places if _overlap(spans[p], word))
            part_plan.states[item] = (sentence.ids, places)
            # A state belongs to the word, so count its pieces, not those of the sentence.
            part_plan.pieces[item] = len(places)
        for measure in measures & set(OF_SENTENCE):
            reads, fold = OF_SENTENCE[measure]
            part_plan.item_reads[item, measure] = ItemReads(reads(sentence, partner), fold)


def _overlap(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return first[0] < second[1] and first[1] > second[0]


def _tokens(encoded: Encoded, model: MaskedLM) -> Tokens:
    places = tuple(i for i, word in enumerate(encoded.words) if word is not None)
    return Tokens(encoded.ids, places, encoded.words, model.mask_id)


def _why_unscored(sentences: Sequence[Tokens], longest: int, model: MaskedLM) -> Status:
    for sentence in sentences:
        if len(sentence.ids) > longest:
            return "too_long"
        if model.unknown_id is not None and model.unknown_id in sentence.ids:
            return "context_unknown"
        if not sentence.places:
            return "empty"
    return "ok"


def _left_to_right(before: Ids, pieces: Ids, after: Ids, mask: int) -> Iterator[tuple[Read, int]]:
    for n_filled, piece in enumerate(pieces):
        masks = [mask] * (len(pieces) - n_filled)
        yield Read((*before, *pieces[:n_filled], *masks, *after), len(before) + n_filled), piece


def _one_mask_at_a_time(
    before: Ids, pieces: Ids, after: Ids, mask: int
) -> Iterator[tuple[Read, int]]:
    """As StereoSet was published: one mask after the pieces so far, none for the later ones."""
    for n_filled, piece in enumerate(pieces):
        yield Read((*before, *pieces[:n_filled], mask, *after), len(before) + n_filled), piece


def _why_unreadable(around: Context | None, n_others: int, longest: int, model: MaskedLM) -> Status:
    """Why no word can be read in a context with this many other masks; "ok" if one can."""
    # A text may also hold the tokenizer's own mask, which would be one that nobody asked for.
    if around is None or around.pieces.count(model.mask_id) != n_others:
        return "mask_lost"
    if len(around.pieces) + 1 > longest:
        return "too_long"
    if model.unknown_id is not None and model.unknown_id in around.pieces:
        return "context_unknown"
    return "ok"

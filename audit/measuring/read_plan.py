"""Plan the reads of every item of a set: its target's pieces, or why it has no score.

The reads of all measures are collected before any model runs, so that a sequence needed by several
items or measures is run once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from maskaudit.audit.measuring.model import Encoded, Ids, MaskedLM
from maskaudit.audit.measuring.reads import OF_SENTENCE, ItemReads, Read, Tokens
from maskaudit.audit.recording.values import Status
from maskaudit.probes.expand import Expanded
from maskaudit.probes.sentence import MASK

# The most pieces in a batch; its sentences have one length, so that nothing is padded.
BATCH_PIECES = 2048


@dataclass(frozen=True)
class FilledSentence:
    """A sentence with the target in its slot: its pieces, and the character span of the slot.

    `in_word` is True if a letter or digit touches the slot, as in "[MASK]s".
    """

    encoded: Encoded
    span: tuple[int, int]
    in_word: bool


@dataclass
class Plan:
    """The reads of each item and measure under one tokenizer, or why an item has no score.

    `longest` is the most pieces a sentence may have. `item_reads` is keyed by item and measure,
    `status` and `pieces` (their number) by item, `contexts` by context. `states` has an item's
    sentence and the places of its word, if encoder states are needed.
    """

    longest: int
    item_reads: dict[tuple[str, str], ItemReads] = field(default_factory=dict)
    status: dict[str, Status] = field(default_factory=dict)
    pieces: dict[str, int] = field(default_factory=dict)
    contexts: dict[str, Read] = field(default_factory=dict)
    states: dict[str, tuple[Ids, tuple[int, ...]]] = field(default_factory=dict)

    def batches(self) -> list[list[Ids]]:
        """All distinct sentences in batches of one length, ordered by length, then by piece ids."""
        sequences = {
            read.ids for item_reads in self.item_reads.values() for read, _ in item_reads.reads
        }
        sequences |= {read.ids for read in self.contexts.values()}
        sequences |= {ids for ids, _ in self.states.values()}
        batches: list[list[Ids]] = []
        # Sorted, so that the batches, and with them the last bits of the scores, do not depend on
        # the order of the items.
        for ids in sorted(sequences, key=lambda ids: (len(ids), ids)):
            most = max(1, BATCH_PIECES // len(ids))
            if not batches or len(batches[-1]) == most or len(batches[-1][0]) != len(ids):
                batches.append([])
            batches[-1].append(ids)
        return batches


def plan(
    expanded: Expanded,
    model: MaskedLM,
    measures: frozenset[str] = frozenset({"logp"}),
    longest: int | None = None,
) -> Plan:
    """Plan the reads of every item of an expanded set, and find which items cannot be scored.

    `longest` is the most pieces a sentence may have; None means the model's own limit.
    """
    part_plan = Plan(model.longest if longest is None else longest)
    contexts = expanded.contexts
    sentences = contexts["slot"].isna()
    items = expanded.items.drop_duplicates("item")[["item", "context", "target"]]
    # A context without a slot is a whole sentence.
    of_sentence = items["context"].isin(contexts["context"][sentences])
    _plan_targets(part_plan, contexts[~sentences], items[~of_sentence], model, measures)
    _plan_sentences(part_plan, contexts[sentences], items[of_sentence], model, measures)
    return part_plan


def _plan_targets(
    part_plan: Plan,
    contexts: pd.DataFrame,
    items: pd.DataFrame,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    texts = dict(zip(contexts["context"], contexts["text"], strict=True))
    slots = {c: int(s) for c, s in zip(contexts["context"], contexts["slot"], strict=True)}
    encoded = model.encode([_masked(text, model) for text in texts.values()])
    spans, filled_texts = [], []
    for context, target in zip(items["context"], items["target"], strict=True):
        before, after = _around(texts[context], slots[context])
        start = len(_masked(before, model))
        in_word = before[-1:].isalnum() or after[:1].isalnum()
        spans.append(((start, start + len(target)), in_word))
        filled_texts.append(_masked(before, model) + target + _masked(after, model))
    # Encode the target in its sentence: its pieces may depend on the words beside it.
    filled = model.encode(filled_texts)
    for context, sentence in zip(texts, encoded, strict=True):
        read = _read(sentence, texts[context], slots[context], model)
        if read is not None and len(read.ids) <= part_plan.longest:
            part_plan.contexts[context] = read
    rows = zip(items["item"], items["context"], items["target"], filled, spans, strict=True)
    for item, context, target, sentence, span in rows:
        masked_read = part_plan.contexts.get(context)
        if masked_read is None:
            # The masked sentence is too long, has an unknown piece or lost a mask; the sentence
            # with the target shows which.
            part_plan.status[item] = _why_unreadable(sentence, part_plan.longest, model)
        # An item without a target needs only the fills of its slot.
        elif not target:
            part_plan.status[item] = "ok"
        else:
            _plan_target(
                part_plan, item, masked_read, FilledSentence(sentence, *span), model, measures
            )


def _plan_target(  # noqa: PLR0913, PLR0917 - an item in its sentence, and its measures
    part_plan: Plan,
    item: str,
    context: Read,
    filled: FilledSentence,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    """Find the target's pieces in its sentence, and plan the reads that score them."""
    before, after = context.ids[: context.place], context.ids[context.place + 1 :]
    pieces = _pieces_of_target(filled, before, after, model)
    if pieces is None:
        part_plan.status[item] = "target_changes_context"
    # The unknown piece is a special token, too: such a target cannot be written.
    elif not pieces or model.special_ids.intersection(pieces):
        part_plan.status[item] = "target_unknown"
    elif len(before) + len(pieces) + len(after) > part_plan.longest:
        part_plan.status[item] = "too_long"
    else:
        part_plan.status[item] = "ok"
        part_plan.pieces[item] = len(pieces)
        if "logp" in measures:
            reads = list(_left_to_right(before, pieces, after, model.mask_id))
            part_plan.item_reads[item, "logp"] = ItemReads(reads, "sum")
        if "stereoset_published" in measures:
            reads = list(_one_mask_at_a_time(before, pieces, after, model.mask_id))
            part_plan.item_reads[item, "stereoset_published"] = ItemReads(reads, "mean_p")


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


def _masked(text: str, model: MaskedLM) -> str:
    return text.replace(MASK, model.mask_token)


def _around(text: str, slot: int) -> tuple[str, str]:
    """The text before and after the mask of this index."""
    parts = text.split(MASK)
    return MASK.join(parts[: slot + 1]), MASK.join(parts[slot + 1 :])


def _read(encoded: Encoded, text: str, slot: int, model: MaskedLM) -> Read | None:
    places = [place for place, piece in enumerate(encoded.ids) if piece == model.mask_id]
    # Where a mask was lost, it is unclear which of the others is the slot.
    if len(places) != text.count(MASK):
        return None
    if model.unknown_id is not None and model.unknown_id in encoded.ids:
        return None
    return Read(encoded.ids, places[slot])


def _pieces_of_target(
    filled: FilledSentence, before: Ids, after: Ids, model: MaskedLM
) -> Ids | None:
    """The target's pieces in its sentence, or None if it changes the words around it."""
    whole, span = filled.encoded, filled.span
    if span[0] == span[1]:
        return ()
    middle = whole.ids[len(before) : len(whole.ids) - len(after)]
    # The usual case: the pieces around the target are those around the mask.
    if (*before, *middle, *after) == whole.ids:
        return middle
    if filled.in_word:
        return None
    # A tokenizer may add a white-space mark after a mask but not after a word (ALBERT:
    # `[MASK] _ .` but `_nurse .`). The words are the same, so the target's pieces are those that
    # overlap the slot, and the masked sentence is read as the model's users write it. Inside a
    # word the mark would start a new word, so such a target is refused above.
    inside = [i for i, (start, end) in enumerate(whole.spans) if start < span[1] and end > span[0]]
    # A piece that ends after the slot contains more than the target.
    if not inside or any(whole.spans[i][1] > span[1] for i in inside):
        return None
    outside = (whole.ids[: inside[0]], whole.ids[inside[-1] + 1 :])
    same = all(
        model.bare(ours) == model.bare(theirs)
        for ours, theirs in zip(outside, (before, after), strict=True)
    )
    return whole.ids[inside[0] : inside[-1] + 1] if same else None


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


def _why_unreadable(filled: Encoded, longest: int, model: MaskedLM) -> Status:
    if len(filled.ids) > longest:
        return "too_long"
    if model.unknown_id is not None and model.unknown_id in filled.ids:
        return "context_unknown"
    return "mask_lost"

"""Plan which places of which sentences a measure reads, and how the reads give its value.

A read is one place in one sequence of piece ids, paired with the piece whose log p is needed. The
reads of all measures are collected before any model runs, so that a sequence needed by several
items or measures is run once.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from maskaudit.audit.measuring.model import Encoded, Ids, MaskedLM
from maskaudit.audit.recording.values import Status
from maskaudit.probes.expand import Expanded
from maskaudit.probes.sentence import MASK

# difflib's opcodes for pieces that the two sentences do not share.
CHANGED = {"replace", "delete", "insert"}
# The most pieces in a batch; its sentences have one length, so that nothing is padded.
BATCH_PIECES = 2048


@dataclass(frozen=True)
class Read:
    """One place to read: a sentence as piece ids, and the index of a piece in it."""

    ids: Ids
    place: int


Reads = Sequence[tuple[Read, int]]


@dataclass(frozen=True)
class Asked:
    """The reads of one measure of one item, and how their log p values are combined.

    `fold` is "sum" or "mean" of log p, "mean_p" (the mean of p), or the mean of log p weighted by
    attention: "attended" normalises the weights to sum to 1 over the reads, "attended_published"
    divides by the number of reads instead.
    """

    reads: Reads
    fold: str


@dataclass(frozen=True)
class Tokens:
    """A sentence as measures of whole sentences read it.

    `places` are the indices of its pieces without special tokens; `words` has the word index of
    each piece, None for special tokens; `mask` is the id of the mask.
    """

    ids: Ids
    places: tuple[int, ...]
    words: tuple[int | None, ...]
    mask: int

    def masked(self, hidden: Sequence[int], place: int) -> tuple[Read, int]:
        """The read of `place` with the places `hidden` masked, and the piece at `place`."""
        chosen = set(hidden)
        ids = tuple(self.mask if i in chosen else piece for i, piece in enumerate(self.ids))
        return Read(ids, place), self.ids[place]


def _each_masked(sentence: Tokens, _partner: Tokens) -> Reads:
    """Each piece, masked one at a time (pseudo-log-likelihood, Salazar et al. 2020)."""
    return [sentence.masked([place], place) for place in sentence.places]


def _rest_of_word_masked(sentence: Tokens, _partner: Tokens) -> Reads:
    """Each piece, masked together with the later pieces of its word (Kauf & Ivanova 2023)."""
    words = sentence.words
    return [
        sentence.masked(
            [p for p in sentence.places if p >= place and words[p] == words[place]], place
        )
        for place in sentence.places
    ]


def _nothing_masked(sentence: Tokens, _partner: Tokens) -> Reads:
    """Each piece of the unmasked sentence (Kaneko & Bollegala 2022)."""
    return [(Read(sentence.ids, place), sentence.ids[place]) for place in sentence.places]


def _unmodified(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that both sentences share, masked one at a time (Nangia et al. 2020).

    Shared pieces are difflib's matching blocks over the ids, without the first and the last piece,
    which are the special tokens.
    """
    shared = list(_differing(sentence, partner, {"equal"}))
    return [sentence.masked([place], place) for place in shared[1:-1]]


def _replaced(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that replace pieces of the partner, masked one at a time."""
    places = _differing(sentence, partner, {"replace"})
    return [sentence.masked([place], place) for place in places]


def _modified(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that the partner does not have, masked one at a time (Meade et al. 2022)."""
    return [sentence.masked([place], place) for place in _differing(sentence, partner, CHANGED)]


def _modified_at_once(sentence: Tokens, partner: Tokens) -> Reads:
    """The pieces that differ, all masked together, each read at its own place."""
    places = list(_differing(sentence, partner, CHANGED))
    return [sentence.masked(places, place) for place in places]


def _differing(sentence: Tokens, partner: Tokens, kinds: set[str]) -> Iterator[int]:
    """The places of a sentence in difflib's blocks of these kinds, compared with its partner.

    difflib's blocks may depend on which sentence comes first. The sentence with the smaller ids
    always does, so that swapping the two sides swaps their scores exactly.
    """
    swapped = partner.ids < sentence.ids
    pair = (partner.ids, sentence.ids) if swapped else (sentence.ids, partner.ids)
    for kind, first, last, other_first, other_last in difflib.SequenceMatcher(
        None, *pair
    ).get_opcodes():
        if kind in kinds:
            yield from range(other_first, other_last) if swapped else range(first, last)


# Measures of a whole sentence: the function that gives the reads, and the fold.
OF_SENTENCE: Mapping[str, tuple[Callable[[Tokens, Tokens], Reads], str]] = {
    "pll": (_each_masked, "sum"),
    "pll_word_l2r": (_rest_of_word_masked, "sum"),
    "crows_nangia": (_unmodified, "sum"),
    "crows_meade": (_replaced, "mean"),
    "crows_meade_published": (_modified, "mean"),
    "aul": (_nothing_masked, "mean"),
    "aula": (_nothing_masked, "attended"),
    "aula_published": (_nothing_masked, "attended_published"),
    "sss": (_modified_at_once, "mean"),
}
# Measures of a target at a slot.
OF_TARGET = ("logp", "stereoset_published")
# The measure of a slot without a target; its likeliest fills are stored, too.
OF_SLOT = "entropy"


@dataclass(frozen=True)
class Written:
    """A sentence with the target in its slot: its pieces, and the character span of the slot.

    `in_word` is True if a letter or digit touches the slot, as in "[MASK]s".
    """

    encoded: Encoded
    span: tuple[int, int]
    in_word: bool


@dataclass
class Plan:
    """The reads of each item and measure under one tokenizer, or why an item has no score.

    `longest` is the most pieces a sentence may have. `asked` is keyed by item and measure, `status`
    and `pieces` (their number) by item, `contexts` by context. `states` has an item's sentence and
    the places of its word, if encoder states are needed.
    """

    longest: int
    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)
    status: dict[str, Status] = field(default_factory=dict)
    pieces: dict[str, int] = field(default_factory=dict)
    contexts: dict[str, Read] = field(default_factory=dict)
    states: dict[str, tuple[Ids, tuple[int, ...]]] = field(default_factory=dict)

    def batches(self) -> list[list[Ids]]:
        """All distinct sentences in batches of one length, ordered by length, then by piece ids."""
        wanted = {read.ids for asked in self.asked.values() for read, _ in asked.reads}
        wanted |= {read.ids for read in self.contexts.values()}
        wanted |= {ids for ids, _ in self.states.values()}
        found: list[list[Ids]] = []
        for ids in sorted(wanted, key=lambda ids: (len(ids), ids)):
            most = max(1, BATCH_PIECES // len(ids))
            if not found or len(found[-1]) == most or len(found[-1][0]) != len(ids):
                found.append([])
            found[-1].append(ids)
        return found


def plan(
    expanded: Expanded,
    model: MaskedLM,
    measures: frozenset[str] = frozenset({"logp"}),
    longest: int | None = None,
) -> Plan:
    """Plan the reads of every item of an expanded set, and find which items cannot be scored.

    `longest` is the most pieces a sentence may have; None means the model's own limit.
    """
    made = Plan(model.longest if longest is None else longest)
    contexts = expanded.contexts
    sentences = contexts["slot"].isna()
    items = expanded.items.drop_duplicates("item")[["item", "context", "target"]]
    of_sentence = items["context"].isin(contexts["context"][sentences])
    _plan_targets(made, contexts[~sentences], items[~of_sentence], model, measures)
    _plan_sentences(made, contexts[sentences], items[of_sentence], model, measures)
    return made


def _plan_targets(
    made: Plan,
    contexts: pd.DataFrame,
    items: pd.DataFrame,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    texts = dict(zip(contexts["context"], contexts["text"], strict=True))
    slots = {c: int(s) for c, s in zip(contexts["context"], contexts["slot"], strict=True)}
    encoded = model.encode([_masked(text, model) for text in texts.values()])
    places, written = [], []
    for context, target in zip(items["context"], items["target"], strict=True):
        before, after = _around(texts[context], slots[context])
        start = len(_masked(before, model))
        in_word = before[-1:].isalnum() or after[:1].isalnum()
        places.append(((start, start + len(target)), in_word))
        written.append(_masked(before, model) + target + _masked(after, model))
    # Encode the target in its sentence: its pieces may depend on the words beside it.
    whole = model.encode(written)
    for context, sentence in zip(texts, encoded, strict=True):
        read = _read(sentence, texts[context], slots[context], model)
        if read is not None and len(read.ids) <= made.longest:
            made.contexts[context] = read
    rows = zip(items["item"], items["context"], items["target"], whole, places, strict=True)
    for item, context, target, sentence, place in rows:
        found = made.contexts.get(context)
        if found is None:
            # The masked sentence is too long, has an unknown piece or lost a mask; the sentence
            # with the target shows which.
            made.status[item] = _why_unreadable(sentence, made.longest, model)
        # An item without a target needs only the fills of its slot.
        elif not target:
            made.status[item] = "ok"
        else:
            _plan_target(made, item, found, Written(sentence, *place), model, measures)


def _plan_target(  # noqa: PLR0913, PLR0917 - an item in its sentence, and its measures
    made: Plan,
    item: str,
    context: Read,
    whole: Written,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    """Find the target's pieces in its sentence, and plan the reads that score them."""
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
        if "logp" in measures:
            reads = list(_left_to_right(before, pieces, after, model.mask_id))
            made.asked[item, "logp"] = Asked(reads, "sum")
        if "stereoset_published" in measures:
            reads = list(_one_mask_at_a_time(before, pieces, after, model.mask_id))
            made.asked[item, "stereoset_published"] = Asked(reads, "mean_p")


def _plan_sentences(
    made: Plan,
    contexts: pd.DataFrame,
    items: pd.DataFrame,
    model: MaskedLM,
    measures: frozenset[str],
) -> None:
    """Plan the reads of whole sentences; a pair is scored only if both sentences are readable."""
    columns = ("context", "text", "partner")
    names, texts, partners = (list(contexts[column]) for column in columns)
    encoded = dict(zip(names, model.encode(texts), strict=True))
    text_of = dict(zip(names, texts, strict=True))
    tokens = {name: _tokens(sentence, model) for name, sentence in encoded.items()}
    theirs = {
        name: _tokens(sentence, model)
        for name, sentence in zip(names, model.encode(partners), strict=True)
    }
    partner_of = dict(zip(names, partners, strict=True))
    for item, context, target in zip(items["item"], items["context"], items["target"], strict=True):
        sentence, partner = tokens[context], theirs[context]
        both = [sentence, partner] if partner_of[context] else [sentence]
        made.status[item] = _why_unscored(both, made.longest, model)
        if made.status[item] != "ok":
            continue
        made.pieces[item] = len(sentence.places)
        if "state" in measures:
            # The last match is the word: in "This is his.", "This" contains "his" as well.
            start = text_of[context].rindex(target)
            word = (start, start + len(target))
            spans = encoded[context].spans
            places = tuple(p for p in sentence.places if _overlap(spans[p], word))
            made.states[item] = (sentence.ids, places)
            # A state belongs to the word, so count its pieces, not those of the sentence.
            made.pieces[item] = len(places)
        for measure in measures & set(OF_SENTENCE):
            reads, fold = OF_SENTENCE[measure]
            made.asked[item, measure] = Asked(reads(sentence, partner), fold)


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
    if len(places) != text.count(MASK):
        return None
    if model.unknown_id is not None and model.unknown_id in encoded.ids:
        return None
    return Read(encoded.ids, places[slot])


def _pieces(written: Written, before: Ids, after: Ids, model: MaskedLM) -> Ids | None:
    """The target's pieces in its sentence, or None if it changes the words around it."""
    whole, span = written.encoded, written.span
    if span[0] == span[1]:
        return ()
    middle = whole.ids[len(before) : len(whole.ids) - len(after)]
    # The usual case: the pieces around the target are those around the mask.
    if (*before, *middle, *after) == whole.ids:
        return middle
    if written.in_word:
        return None
    # A tokenizer may add a white-space mark after a mask but not after a word (ALBERT:
    # `[MASK] _ .` but `_nurse .`). The words are the same, so the target's pieces are those that
    # overlap the slot, and the masked sentence is read as the model's users write it. Inside a
    # word the mark would start a new word, so such a target is refused above.
    inside = [i for i, (start, end) in enumerate(whole.spans) if start < span[1] and end > span[0]]
    # A piece that ends after the slot contains more than the target.
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


def _one_mask_at_a_time(
    before: Ids, pieces: Ids, after: Ids, mask: int
) -> Iterator[tuple[Read, int]]:
    """As StereoSet was published: one mask after the pieces so far, none for the later ones."""
    for known, piece in enumerate(pieces):
        yield Read((*before, *pieces[:known], mask, *after), len(before) + known), piece


def _why_unreadable(whole: Encoded, longest: int, model: MaskedLM) -> Status:
    if len(whole.ids) > longest:
        return "too_long"
    if model.unknown_id is not None and model.unknown_id in whole.ids:
        return "context_unknown"
    return "mask_lost"

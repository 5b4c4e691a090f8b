"""What the stored models say of every item of a set, read apart from the scorer.

A set of names has hundreds of items in a sentence, and the scorer writes each of them into it,
since a tokenizer may write a word in other ways in other sentences. The world's tokenizer cannot:
every word is one piece. So a sentence is read once, for all of its items.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.model import Numbers
from maskaudit.audit.proving.phantom.sentence import with_words, words_of
from maskaudit.probes.expand import Expanded

BATCH = 256
# The length of a word of one piece with the special tokens around it.
_ONE_PIECE = 3

# Of each sentence that is read, by its text and slot: the row of an item, and its word there.
_Reads = Mapping[tuple[str, int], Sequence[tuple[int, str]]]


def scores(expanded: Expanded, models: Mapping[str, LoadedModel]) -> pd.DataFrame:
    """The log p of every item by each named model, as a table of scores has them (`logp`, nats).

    A target of several words is read from left to right, before as many masks as words are left.
    """
    items = expanded.items.drop_duplicates("item")
    reads = _reads(items, expanded.contexts)
    words = {word for asked in reads.values() for _, word in asked}
    tables = []
    for name, model in models.items():
        pieces = dict(zip(words, model.encode(list(words)), strict=True))
        assert all(len(one.ids) == _ONE_PIECE for one in pieces.values())  # noqa: S101 - see above
        values = np.zeros(len(items))
        for read, log_p in _log_p(list(reads), model):
            rows, targets = zip(*reads[read], strict=True)
            values[list(rows)] += log_p[[pieces[word].ids[1] for word in targets]]
        table = pd.DataFrame({"item": items["item"], "model": name, "measure": "logp"})
        tables.append(table.assign(value=values))
    return pd.concat(tables, ignore_index=True)


def _reads(items: pd.DataFrame, contexts: pd.DataFrame) -> _Reads:
    places = zip(contexts["text"], contexts["slot"].astype(int), strict=True)
    texts = dict(zip(contexts["context"], places, strict=True))
    split = {target: words_of(target) for target in items["target"].unique()}
    reads: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
    for row, (context, target) in enumerate(zip(items["context"], items["target"], strict=True)):
        text, slot = texts[context]
        words = split[target]
        if len(words) == 1:
            reads[text, slot].append((row, words[0]))
            continue
        for place, word in enumerate(words):
            shown = with_words(text, slot, words[:place], len(words) - place)
            reads[shown, slot].append((row, word))
    return reads


def _log_p(
    reads: Sequence[tuple[str, int]], model: LoadedModel
) -> Iterator[tuple[tuple[str, int], Numbers]]:
    """Each read with the log p of every word at it, [vocabulary], nats."""
    # By length, since nothing is padded: a batch is one run where all are of one length.
    by_length = defaultdict(list)
    for read, encoded in zip(reads, model.encode([text for text, _ in reads]), strict=True):
        masks = [place for place, piece in enumerate(encoded.ids) if piece == model.mask_id]
        by_length[len(encoded.ids)].append((read, encoded.ids, masks[read[1]]))
    for own in by_length.values():
        for start in range(0, len(own), BATCH):
            batch = own[start : start + BATCH]
            places = [(row, place) for row, (_, _, place) in enumerate(batch)]
            log_p = model.log_probs([ids for _, ids, _ in batch], places)
            yield from zip((read for read, _, _ in batch), log_p, strict=True)

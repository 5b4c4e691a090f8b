"""Score one part of a probe set by asking an endpoint: a word at a mask, one piece each.

A number that an endpoint cannot give is absent, and never 0: the rank of a word, the likeliest
fills of a slot, entropy, distances, whole sentences, and words of several pieces.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from maskaudit.audit.measuring.endpoints.endpoint import Answer, Ask, Endpoint
from maskaudit.audit.measuring.endpoints.words import apart, form, known, matched
from maskaudit.audit.measuring.planning.reads import unavailable
from maskaudit.audit.payloads.answered import Served, agreement
from maskaudit.audit.recording.rows.columns import Columns
from maskaudit.audit.recording.rows.due import placeholder_measure
from maskaudit.audit.recording.rows.values import OF_TARGET, Status
from maskaudit.probes.expand import Expanded

_ID_LENGTH = 16
# Words of one request: more would make a body that services refuse.
_MOST_WORDS = 500


@dataclass(frozen=True)
class Wanted:
    """What a part asks of an endpoint: sentences with a slot by context, and words by item.

    `targets` has the context and the word, as it is asked for, of each item with a target at a
    slot; `open` are the items at a slot without a target, `whole` those of whole sentences.
    """

    texts: Mapping[str, tuple[str, int]]
    targets: Mapping[str, tuple[str, str]]
    open: frozenset[str]
    whole: frozenset[str]

    @classmethod
    def of(cls, part: Expanded) -> Self:
        """What the items of a part ask."""
        slots = part.contexts[part.contexts["slot"].notna()]
        rows = (slots[column].tolist() for column in ("context", "text", "slot"))
        texts = {context: (text, int(slot)) for context, text, slot in zip(*rows, strict=True)}
        items = part.items.drop_duplicates("item")
        targets, open_, whole = {}, set(), set()
        columns = (items[column].tolist() for column in ("item", "context", "target"))
        for item, context, target in zip(*columns, strict=True):
            if context not in texts:
                whole.add(item)
            elif not target:
                open_.add(item)
            else:
                targets[item] = context, form(*texts[context], target)
        return cls(texts, targets, frozenset(open_), frozenset(whole))

    def forms(self) -> set[str]:
        """The distinct words that are asked for."""
        return {word for _, word in self.targets.values()}

    def asks(self, words: Mapping[str, object]) -> dict[tuple[str, str], Ask]:
        """The question for each context and word, of those words that the endpoint has."""
        by_context: dict[str, set[str]] = {}
        for context, word in self.targets.values():
            if word in words:
                by_context.setdefault(context, set()).add(word)
        return {
            (context, word): Ask(self.texts[context][0], group)
            for context, own in by_context.items()
            # Sorted, so that a later run asks the same questions, whose answers are kept.
            for group in apart(sorted(own), _MOST_WORDS)
            for word in group
        }


def score_part(
    name: str,
    endpoint: Endpoint,
    part: Expanded,
    measures: frozenset[str],
    tell: Callable[[float], None] = lambda _share: None,
) -> Columns:
    """The rows of `scores` of the endpoint, called `name`, for a part of a set.

    The rows are those of a model that can give nothing but log p of words of one piece, in nats.
    `tell` receives the share of the part that is answered, 0 to 1.
    """
    wanted = Wanted.of(part)
    words = known(endpoint, wanted.forms())
    asks = wanted.asks(words)
    distinct = list(dict.fromkeys(asks.values()))
    answers = dict(
        zip(distinct, endpoint.answers(distinct, _shares(len(distinct), tell)), strict=True)
    )
    lacking = unavailable(endpoint, measures)
    given = sorted(measures - lacking.keys())
    rows = Columns("scores")
    for item in part.items["item"].drop_duplicates():
        for row in _rows(item, wanted, words, asks, answers, given, measures):
            rows.put(item=item, model=name, **row)
    return rows


def _rows(  # noqa: PLR0913, PLR0917 - an item, and all that was asked and answered
    item: str,
    wanted: Wanted,
    words: Mapping[str, Served],
    asks: Mapping[tuple[str, str], Ask],
    answers: Mapping[Ask, Answer],
    given: list[str],
    measures: frozenset[str],
) -> list[dict[str, Any]]:
    """The rows of an item: its value in each measure, or one that says why there is none."""
    empty = {"measure": placeholder_measure(measures)}
    if item in wanted.whole:
        # The record says once what an endpoint cannot give; as for a model that lacks a measure.
        return [{**empty, "status": "ok"}] if given else []
    if item in wanted.open:
        return [{**empty, "status": "not_answered"}]
    context, word = wanted.targets[item]
    if word not in words:
        return [{**empty, "status": "several_pieces"}]
    ask = asks[context, word]
    _, slot = wanted.texts[context]
    fill = matched(ask.words, answers[ask], slot).get(word)
    status = _status(ask.text, slot, fill)
    if fill is None or status != "ok":
        return [{**empty, "status": status}]
    read = hashlib.sha256(repr((ask.text, slot, fill.token, fill.word)).encode()).hexdigest()
    own = {"pieces": 1, "status": "ok", "written": fill.word.strip(), "read": read[:_ID_LENGTH]}
    # Of a word of one piece, the mean probability of its pieces is its probability.
    value = {"logp": math.log(fill.score), "stereoset_published": fill.score}
    return [
        {"measure": measure, "value": value[measure], **own}
        for measure in given
        if measure in OF_TARGET
    ]


def _status(text: str, slot: int, fill: Served | None) -> Status:
    # A probability that was rounded to 0 has no logarithm, and is not known to be 0.
    if fill is None or fill.score <= 0:
        return "not_answered"
    return "context_unknown" if agreement(text, slot, fill) == "shorter" else "ok"


def _shares(total: int, tell: Callable[[float], None]) -> Callable[[int], None]:
    return lambda done: tell(done / total if total else 1.0)

"""Score one part of a probe set by an endpoint's likeliest fills: bounds of log p of each word.

A word that no answer holds may have several pieces, of which nothing is known: it is lost. So each
word is also asked for in a sentence that repeats it, where a model is likely to say it again.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from maskaudit.audit.measuring.endpoints.endpoint import Answer, Ask, Endpoint
from maskaudit.audit.measuring.endpoints.wanted import ID_LENGTH, Wanted, shares_of
from maskaudit.audit.measuring.planning.reads import unavailable
from maskaudit.audit.payloads.answered import agreement
from maskaudit.audit.recording.rows.columns import Columns
from maskaudit.audit.recording.rows.due import placeholder_measure
from maskaudit.audit.recording.rows.values import AT_LEAST, AT_MOST
from maskaudit.probes.expand import Expanded
from maskaudit.probes.frames.sentence import MASK


def asks_of(wanted: Wanted) -> list[Ask]:
    """The questions: the sentences of words, and those that repeat a word."""
    contexts = dict.fromkeys(context for context, _ in wanted.targets.values())
    own = [Ask(wanted.texts[context][0], ()) for context in contexts]
    return [*dict.fromkeys([*own, *(Ask(_repeating(word), ()) for word in sorted(wanted.forms()))])]


def score_bounds(
    name: str,
    endpoint: Endpoint,
    part: Expanded,
    measures: frozenset[str],
    tell: Callable[[float], None] = lambda _share: None,
) -> Columns:
    """The rows of `scores` of the endpoint, called `name`, for a part of a set.

    Each word of one piece has two, `logp_at_least` and `logp_at_most`, in nats; the first is minus
    infinity for a word that is not among the fills. `tell` receives the share of the part that is
    answered, 0 to 1.
    """
    wanted = Wanted.of(part)
    asks = asks_of(wanted)
    each = endpoint.answers(asks, shares_of(len(asks), tell))
    answers = dict(zip(asks, each, strict=True))
    known = _known(endpoint, each)
    empty = {"measure": placeholder_measure(measures)}
    rows = Columns("scores")
    for item in part.items["item"].drop_duplicates():
        if item not in wanted.whole:
            found = _rows(item, wanted, endpoint, answers, known, empty)
        # The record says once what an endpoint cannot give; as for a model that lacks a measure.
        elif measures - unavailable(endpoint, measures).keys():
            found = [{**empty, "status": "ok"}]
        else:
            found = []
        for row in found:
            rows.put(item=item, model=name, **row)
    return rows


def _rows(  # noqa: PLR0913, PLR0917 - an item, and all that was asked and answered
    item: str,
    wanted: Wanted,
    endpoint: Endpoint,
    answers: Mapping[Ask, Answer],
    known: set[str],
    empty: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The rows of an item at a slot: both bounds, or an `empty` one that says why there is none."""
    if item in wanted.open:
        return [{**empty, "status": "not_answered"}]
    context, word = wanted.targets[item]
    text, slot = wanted.texts[context]
    fills = answers[Ask(text, ())].fills
    key = endpoint.likeliest.spelling.key(word)
    # Of a word that was never seen it is not known that it is one piece.
    if fills is None or key not in known:
        return [{**empty, "status": "not_answered"}]
    if any(agreement(text, slot, fill) == "shorter" for fill in fills[slot] if fill.sequence):
        return [{**empty, "status": "context_unknown"}]
    read = hashlib.sha256(repr((text, slot, key)).encode()).hexdigest()[:ID_LENGTH]
    own = {"pieces": 1, "status": "ok", "written": word.strip(), "read": read}
    bounds = endpoint.likeliest.of(word, fills[slot]).logs
    return [
        {"measure": measure, "value": value, **own}
        for measure, value in zip((AT_LEAST, AT_MOST), bounds, strict=True)
    ]


def _known(endpoint: Endpoint, answers: Iterable[Answer]) -> set[str]:
    """What is written like one of the pieces that were given."""
    masks = [mask for answer in answers for mask in answer.fills or ()]
    return set[str]().union(*map(endpoint.likeliest.keys, masks))


def _repeating(word: str) -> str:
    """A sentence in which the mask is likely to be this word; with a space before it if it has."""
    own = word.strip()
    if word[:1].isspace():
        return f"{own}, {own}, {own} and {MASK}."
    return f"{MASK}, {own}, {own} and {own}."

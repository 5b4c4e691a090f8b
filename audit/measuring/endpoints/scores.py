"""Score one part of a probe set by asking an endpoint: a word at a mask, one piece each.

A number that an endpoint cannot give is absent, and never 0: the rank of a word, the likeliest
fills of a slot, entropy, distances, whole sentences, and words of several pieces.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

from maskaudit.audit.measuring.endpoints.bounds import score_bounds
from maskaudit.audit.measuring.endpoints.endpoint import Answer, Ask, Endpoint
from maskaudit.audit.measuring.endpoints.wanted import ID_LENGTH, Wanted, shares_of
from maskaudit.audit.measuring.endpoints.words import known, matched
from maskaudit.audit.measuring.planning.reads import unavailable
from maskaudit.audit.payloads.answered import Served, agreement
from maskaudit.audit.recording.rows.columns import Columns
from maskaudit.audit.recording.rows.due import placeholder_measure
from maskaudit.audit.recording.rows.values import OF_TARGET, Status
from maskaudit.probes.expand import Expanded


def score_part(
    name: str,
    endpoint: Endpoint,
    part: Expanded,
    measures: frozenset[str],
    tell: Callable[[float], None] = lambda _share: None,
) -> Columns:
    """The rows of `scores` of the endpoint, called `name`, for a part of a set.

    The rows are those of a model that can give nothing but log p of words of one piece, in nats.
    In censored grade they are bounds (`score_bounds`). `tell` receives the share of the part that
    is answered, 0 to 1.
    """
    if endpoint.is_censored:
        return score_bounds(name, endpoint, part, measures, tell)
    wanted = Wanted.of(part)
    words = known(endpoint, wanted.forms())
    asks = wanted.asks(words)
    distinct = list(dict.fromkeys(asks.values()))
    answers = dict(
        zip(distinct, endpoint.answers(distinct, shares_of(len(distinct), tell)), strict=True)
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
    own = {"pieces": 1, "status": "ok", "written": fill.word.strip(), "read": read[:ID_LENGTH]}
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

"""Sentences drawn from a record, and what an endpoint answers to them."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.served import Answers, Served
from maskaudit.audit.measuring.endpoints.endpoint import Answer, Ask, Endpoint
from maskaudit.audit.measuring.endpoints.words import apart, form, known, matched
from maskaudit.audit.payloads.answered import agreement
from maskaudit.audit.recording.record import Record

# Words of a sentence that are asked for: more of them say little more of the model.
WORDS = 4
SENTENCES = 500


def compared(  # noqa: PLR0913 - what is compared, how much of it, and who is told
    endpoint: Endpoint,
    record: Record,
    subject: str,
    *,
    sentences: int = SENTENCES,
    seed: int = 0,
    tell: Callable[[int], None] = lambda _done: None,
) -> Served:
    """Whether an endpoint serves a record's model, by answers to sentences drawn with a seed.

    `subject` is the model of the record, `tell` receives how many sentences are answered. Raises
    `InputError` for a record without words of one piece at a mask.
    """
    if endpoint.is_censored:
        raise InputError(
            f"{record.name}: answers are held against each other in exact grade alone; a word that "
            "is absent from the likeliest fills has no answer"
        )
    every = recorded(record, subject)
    if every.empty:
        raise InputError(
            f"{record.name}: has no scores of the {subject} for words of one piece at a mask; "
            "expected a record of an association set or of facts"
        )
    rows = drawn(every, sentences, seed)
    answers = Answers(
        recorded=rows["value"].to_numpy(dtype=float),
        served=np.array(_served(endpoint, rows, tell), dtype=float),
        sentences=pd.factorize(rows["context"])[0],
    )
    return Served.judged(answers, every["context"].nunique(), len(every))


def recorded(record: Record, subject: str) -> pd.DataFrame:
    """The scores of a record's model that an endpoint can be asked for, in the order of their ids.

    Columns `context`, `text`, `slot`, `target`, `value` (log p in nats): words of one piece.
    """
    scores = record.scores
    chosen = scores[
        (scores["model"] == subject)
        & (scores["measure"] == "logp")
        & (scores["status"] == "ok")
        & (scores["pieces"] == 1).fillna(value=False)
    ]
    items = record.items[["item", "context", "target"]].drop_duplicates("item")
    slots = record.contexts[record.contexts["slot"].notna()]
    rows = chosen.merge(items, on="item").merge(slots, on="context")
    rows = rows.sort_values(["context", "target"], ignore_index=True)
    return rows[["context", "text", "slot", "target", "value"]]


def drawn(every: pd.DataFrame, sentences: int, seed: int) -> pd.DataFrame:
    """The rows of sentences that are drawn without replacement, a few words of each."""
    draw = np.random.default_rng(seed)
    contexts = np.sort(every["context"].unique())
    chosen = draw.choice(contexts, min(sentences, len(contexts)), replace=False)
    own = every[every["context"].isin(chosen)]
    # A random order, of which each sentence keeps its first words.
    own = own.iloc[draw.permutation(len(own))]
    return own.groupby("context", sort=False).head(WORDS).reset_index(drop=True)


def _served(endpoint: Endpoint, rows: pd.DataFrame, tell: Callable[[int], None]) -> list[float]:
    """Log p of each row as it is served; NaN where the endpoint gives none."""
    columns = (rows[name].tolist() for name in ("text", "slot", "target"))
    asked = [
        (text, int(slot), form(text, int(slot), target))
        for text, slot, target in zip(*columns, strict=True)
    ]
    words = known(endpoint, (word for _, _, word in asked))
    by_text: dict[str, set[str]] = {}
    for text, _, word in asked:
        if word in words:
            by_text.setdefault(text, set()).add(word)
    asks = {
        (text, word): Ask(text, group)
        for text, own in by_text.items()
        # Sorted, since a set of words has no order, and the groups are the questions.
        for group in apart(sorted(own), len(own))
        for word in group
    }
    distinct = list(dict.fromkeys(asks.values()))
    answers = dict(zip(distinct, endpoint.answers(distinct, tell), strict=True))
    return [
        _log_p(answers[ask], ask, slot, word) if (ask := asks.get((text, word))) else math.nan
        for text, slot, word in asked
    ]


def _log_p(answer: Answer, ask: Ask, slot: int, word: str) -> float:
    fill = matched(ask.words, answer, slot).get(word)
    # A probability that was rounded to 0 has no logarithm, and is not known to be 0.
    if fill is None or fill.score <= 0 or agreement(ask.text, slot, fill) != "same":
        return math.nan
    return math.log(fill.score)

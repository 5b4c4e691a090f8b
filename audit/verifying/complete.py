"""Whether every item that was asked has its scores, each once, or a status that says why not."""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.recording.manifest import CENSORED
from maskaudit.audit.recording.record import BOUND, Record
from maskaudit.audit.recording.rows.due import KEY, Asked, are_among
from maskaudit.audit.recording.rows.tables import UNIQUE, are_in
from maskaudit.audit.recording.rows.values import (
    AT_LEAST,
    AT_MOST,
    OF_SLOT,
    OF_TARGET,
    TOP_FILLING,
)
from maskaudit.audit.verifying.check import Check, Difference, checked, where

_SCORES = "scores.parquet"
_OF_WORDS = {*OF_TARGET, AT_LEAST, AT_MOST, OF_SLOT, TOP_FILLING}
# Logs of probabilities of sentences, and entropies over a vocabulary, in nats, lie far within.
_LOWEST, _HIGHEST = -1e6, 1e2


def complete(record: Record) -> Check:
    """Whether each item has one row for each model and measure that its set asks for."""
    scores, models = record.scores, record.manifest.models
    differences = [
        *where(~scores["model"].isin([*models]), _SCORES, "model", "no such model"),
        *where(~are_in(scores["item"], record.items["item"]), _SCORES, "item", "was not asked"),
        *where(scores.duplicated(UNIQUE["scores"]), _SCORES, "item", "is there twice"),
        *_of_values(scores),
        *_of_bounds(scores),
    ]
    sets = list(_sets(record))
    for model in models:
        differences += _of_model(record, model, sets)
    holds = f"{len(scores):,} scores: each item, model and measure once"
    return checked("scores", differences, holds)


def _of_values(scores: pd.DataFrame) -> Iterator[Difference]:
    """Yield scores that are no numbers though the status is `ok`, or numbers though it is not."""
    value, ok = scores["value"], scores["status"] == "ok"
    # A whole sentence may have nothing that a measure reads, as where no word was replaced; the
    # log of a probability of 0 is minus infinity.
    unknown = value.isna() & scores["measure"].isin(_OF_WORDS)
    yield from where(ok & unknown, _SCORES, "value", "is no number")
    outside = (value > _HIGHEST) | ((value < _LOWEST) & (value != -np.inf))
    yield from where(outside, _SCORES, "value", "is none that a model can give, in nats")
    scored = value.notna() | scores["rank"].notna()
    yield from where(~ok & scored, _SCORES, "value", "is there, though the status says it is not")
    ranked = (scores["rank"] < 1).fillna(value=False).astype(bool)
    yield from where(ranked, _SCORES, "rank", "is below 1")


def _of_bounds(scores: pd.DataFrame) -> Iterator[Difference]:
    """Yield bounds of log p that bound nothing: above 0, or the least above the most."""
    is_bound = scores["measure"].isin((AT_LEAST, AT_MOST)) & (scores["status"] == "ok")
    own = scores[is_bound]
    least = own[own["measure"] == AT_LEAST].set_index(["item", "model"])["value"]
    keys = pd.MultiIndex.from_frame(own[["item", "model"]])
    # A row that is there twice is told as such.
    floor = least[~least.index.duplicated()].reindex(keys).to_numpy(dtype=float)
    wrong = is_bound & ~np.isfinite(scores["value"]) & (scores["measure"] == AT_MOST)
    wrong[is_bound] |= (own["value"].to_numpy(dtype=float) < floor) | (own["value"] > 0).to_numpy()
    yield from where(wrong, _SCORES, "value", "is no bound of the log of a probability")


def _sets(record: Record) -> Iterator[tuple[Asked, frozenset[str]]]:
    """Yield the items of each set, and the measures that the set needs."""
    slots = record.contexts.loc[record.contexts["slot"].notna(), "context"]
    present = frozenset(record.scores["measure"].unique())
    for name, items in record.items.groupby("probe_set", sort=False):
        measures = needed(record.manifest.probe_sets[str(name)].kind)
        # An older version may have known fewer measures, but never none.
        known = measures if record.manifest.format >= BOUND else measures & present
        yield Asked.of(items, slots), known or measures


def _of_model(
    record: Record, model: str, sets: Sequence[tuple[Asked, frozenset[str]]]
) -> Iterator[Difference]:
    """Yield the scores of a model that are missing, and those that were not asked for."""
    own = record.scores[record.scores["model"] == model]
    lost = own.loc[own["status"] != "ok", "item"]
    several = own.loc[own["pieces"].fillna(0) > 1, "item"]
    unavailable = record.manifest.unavailable
    lacking = {m for part in unavailable if part.model == model for m in part.measures}
    in_bounds = record.manifest.models[model].endpoint == CENSORED
    due = _joined(
        asked.due(measures, lacking, several, in_bounds=in_bounds) for asked, measures in sets
    )
    # Of an item that two sets share, one may have been read in a sentence that the other was not.
    allowed = pd.concat([due, *(asked.unread(measures, lost) for asked, measures in sets)])
    missing = due[~are_among(due, own) & ~are_in(due["item"], lost)]
    for item, measure in missing.itertuples(index=False):
        text = f"{model} has no row for the measure {measure} of the item {item}"
        yield Difference(_SCORES, None, "", text)
    # An item that was not asked at all is told as such.
    strange = own[~are_among(own, allowed) & are_in(own["item"], record.items["item"])]
    for row, measure in strange["measure"].items():
        text = f"{measure!r} is no measure that is asked of this item and {model}"
        yield Difference(_SCORES, cast("int", row), "measure", text)


def _joined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all parts, each once."""
    return pd.concat([pd.DataFrame(columns=KEY, dtype="str"), *parts]).drop_duplicates()

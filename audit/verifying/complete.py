"""Whether every item that was asked has its scores, each once, or a status that says why not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.recording.record import BOUND, Record
from maskaudit.audit.recording.tables import UNIQUE
from maskaudit.audit.recording.values import OF_SLOT, OF_TARGET, STATE, TOP_FILLING
from maskaudit.audit.verifying.check import Check, Difference, checked, where

_SCORES = "scores.parquet"
_OF_WORDS = {*OF_TARGET, OF_SLOT, TOP_FILLING}


def complete(record: Record) -> Check:
    """Whether each item has one row for each model and measure that its set asks for."""
    scores, models = record.scores, record.manifest.models
    differences = [
        *where(~scores["model"].isin([*models]), _SCORES, "model", "no such model"),
        *where(~scores["item"].isin(record.items["item"]), _SCORES, "item", "was not asked"),
        *where(scores.duplicated(UNIQUE["scores"]), _SCORES, "item", "is there twice"),
        *_of_values(scores),
    ]
    shapes = list(_shapes(record))
    for model in models:
        differences += _of_model(record, model, shapes)
    holds = f"{len(scores):,} scores: each item, model and measure once"
    return checked("scores", differences, holds)


def _of_values(scores: pd.DataFrame) -> Iterator[Difference]:
    """Yield scores that are no numbers though the status is `ok`, or numbers though it is not."""
    value, ok = scores["value"], scores["status"] == "ok"
    # A whole sentence may have nothing that a measure reads, as where no word was replaced; the
    # log of a probability of 0 is minus infinity.
    unknown = value.isna() & scores["measure"].isin(_OF_WORDS)
    yield from where(ok & (unknown | (value == np.inf)), _SCORES, "value", "is no number")
    scored = value.notna() | scores["rank"].notna()
    yield from where(~ok & scored, _SCORES, "value", "is there, though the status says it is not")
    ranked = (scores["rank"] < 1).fillna(value=False).astype(bool)
    yield from where(ranked, _SCORES, "rank", "is below 1")


@dataclass(frozen=True)
class _Shape:
    """Items of one set that are asked in one way, and the measures that the set needs."""

    items: list[str]
    needed: frozenset[str]
    of: Literal["target", "slot", "sentence"]

    def due(self, given: frozenset[str]) -> set[str]:
        """The measures of which an item that could be read has a row, of those `given`."""
        if self.of == "slot":
            return {OF_SLOT}
        own = given & {*OF_TARGET}
        measures = own if self.of == "target" else given - {*OF_TARGET, TOP_FILLING, STATE}
        # Without a measure of its own, such an item has one empty row, if anything was measured.
        return {*measures} or ({min(self.needed)} if given else set())


def _shapes(record: Record) -> Iterator[_Shape]:
    has_slot = set(record.contexts.loc[record.contexts["slot"].notna(), "context"])
    present = frozenset(record.scores["measure"].unique())
    distinct = record.items.drop_duplicates(["probe_set", "item"])
    for name, rows in distinct.groupby("probe_set", sort=False):
        measures = needed(record.manifest.probe_sets[str(name)].kind)
        # An older version may have known fewer measures.
        measures = measures if record.manifest.format >= BOUND else measures & present
        at_slot = rows["context"].isin(has_slot)
        with_target = rows["target"] != ""
        yield _Shape([*rows.loc[at_slot & with_target, "item"]], measures, "target")
        yield _Shape([*rows.loc[at_slot & ~with_target, "item"]], measures, "slot")
        yield _Shape([*rows.loc[~at_slot, "item"]], measures, "sentence")


def _of_model(record: Record, model: str, shapes: Sequence[_Shape]) -> Iterator[Difference]:
    """Yield the scores of a model that are missing, and those that were not asked for."""
    own = record.scores[record.scores["model"] == model]
    lost = set(own.loc[own["status"] != "ok", "item"])
    several = set(own.loc[(own["pieces"] > 1).fillna(value=False), "item"])
    unavailable = record.manifest.unavailable
    lacking = {m for part in unavailable if part.model == model for m in part.measures}
    due: dict[tuple[str, str], None] = {}
    allowed, asked = set(), set()
    for shape in shapes:
        given = shape.needed - lacking
        asked |= set(shape.items)
        due |= dict.fromkeys(product(shape.items, sorted(shape.due(given))))
        if TOP_FILLING in given and shape.of == "target":
            due |= dict.fromkeys((item, TOP_FILLING) for item in shape.items if item in several)
        # An item that could not be read has one row for all of its measures.
        first = min(shape.needed, default="")
        allowed |= {(item, first) for item in shape.items if item in lost}
    rows = list(zip(own["item"], own["measure"], strict=True))
    there = set(rows)
    for item, measure in due:
        if (item, measure) not in there and item not in lost:
            text = f"{model} has no row for the measure {measure} of the item {item}"
            yield Difference(_SCORES, None, "", text)
    for index, pair in zip(own.index, rows, strict=True):
        # An item that was not asked at all is told as such.
        if pair not in due and pair not in allowed and pair[0] in asked:
            text = f"{pair[1]!r} is no measure that is asked of this item and {model}"
            yield Difference(_SCORES, int(index), "measure", text)

"""Which rows of scores are due: the measures that each item of a set has, by how it is asked.

This decides both which scores are cached and which rows a record must hold.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.recording.rows.tables import are_in
from maskaudit.audit.recording.rows.values import (
    AT_LEAST,
    AT_MOST,
    OF_SLOT,
    OF_TARGET,
    STATE,
    TOP_FILLING,
)

# The columns that say which row of a model's scores is meant.
KEY = ["item", "measure"]
# The first of these is needed for the likeliest filling, which is compared with it.
_LOG_P = OF_TARGET[0]
_NOT_OF_SENTENCES = frozenset({*OF_TARGET, OF_SLOT, TOP_FILLING, STATE})


@dataclass(frozen=True)
class Asked:
    """The items of one set, each once, by how they are asked.

    `of_target` are words at a slot, `of_slot` slots without a word, `of_sentence` whole sentences.
    """

    of_target: "pd.Series[str]"
    of_slot: "pd.Series[str]"
    of_sentence: "pd.Series[str]"

    @classmethod
    def of(cls, items: pd.DataFrame, slots: "pd.Series[str]") -> Self:
        """Those of the items of a set; `slots` are the contexts that have a slot."""
        distinct = items[["item", "context", "target"]].drop_duplicates("item")
        at_slot = are_in(distinct["context"], slots)
        has_target = distinct["target"] != ""
        ways = (at_slot & has_target, at_slot & ~has_target, ~at_slot)
        return cls(*(distinct.loc[way, "item"] for way in ways))

    def due(
        self,
        needed: AbstractSet[str],
        lacking: AbstractSet[str],
        several: "pd.Series[str]",
        *,
        in_bounds: bool = False,
    ) -> pd.DataFrame:
        """Item and measure of each row that a model's scores have if every item could be read.

        `needed` are the measures of the set and `lacking` those that the model cannot give;
        `several` are the items whose word is written in several pieces. `in_bounds`, a word has two
        bounds of its log p in place of the measures of a target.
        """
        given = needed - lacking
        of_target = {AT_LEAST, AT_MOST} if in_bounds else given & {*OF_TARGET}
        # An item without a measure of its own has one empty row, if anything was measured.
        empty = {placeholder_measure(needed)} if given else frozenset[str]()
        parts = [
            (self.of_target, of_target or empty),
            (self.of_slot, {OF_SLOT}),
            (self.of_sentence, (given - _NOT_OF_SENTENCES) or empty),
        ]
        if OF_SLOT in given:
            parts.append((self.of_target, {OF_SLOT}))
        if {TOP_FILLING, _LOG_P} <= given:
            parts.append((self.of_target[are_in(self.of_target, several)], {TOP_FILLING}))
        return _each(*((items, name) for items, names in parts for name in sorted(names)))

    def unread(self, needed: AbstractSet[str], lost: "pd.Series[str]") -> pd.DataFrame:
        """Item and measure of the one row of each item that could not be read, of those `lost`."""
        every = pd.concat([self.of_target, self.of_slot, self.of_sentence])
        return _each((every[are_in(every, lost)], placeholder_measure(needed)))


def placeholder_measure(needed: AbstractSet[str]) -> str:
    """The measure of the only row of an item that has no score, whatever its measures are."""
    return min(needed)


def are_among(rows: pd.DataFrame, others: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each row is of the item and the measure of one of the other rows."""
    both = [pd.concat([rows[column], others[column]]) for column in KEY]
    items, measures = (pd.factorize(column)[0].astype(np.int64) for column in both)
    # Both columns as one number, since `isin` compares single values.
    own, other = np.split(items * (measures.max(initial=0) + 1) + measures, [len(rows)])
    among: NDArray[np.bool_] = np.isin(own, other)
    return among


def _each(*parts: "tuple[pd.Series[str], str]") -> pd.DataFrame:
    """A row for each item of each part, with the part's measure."""
    items = [part for part, _ in parts]
    measures = np.repeat(np.array([name for _, name in parts], object), [*map(len, items)])
    columns = {"item": pd.concat(items, ignore_index=True), "measure": measures}
    return pd.DataFrame(columns, dtype="str")

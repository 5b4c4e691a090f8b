"""Pooling the scores of a group's terms into one cell, and the rule for complete cells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.texts.characters import without_case

CELL = ["role", "class", "attribute", "frame"]
# A cell in one wording of its frame.
SLOT = [*CELL, "variant"]
# Numbers of entries are combined up to here, well within 64 bits.
_MOST = 1 << 62


def group_at_mask(scored: pd.DataFrame) -> bool:
    """Whether the terms are the targets, ignoring case; otherwise they stand in the context."""
    target, term = scored["target"], scored["term"]
    differ = (target != term).to_numpy(dtype=bool)
    if not differ.any():
        return True
    # Terms in the context are other words from the first row on.
    first = int(differ.argmax())
    if without_case(target.iloc[first]) != without_case(term.iloc[first]):
        return False
    # Folding case is slow, so it is done once per distinct pair of words.
    _, of_pair = numbered(scored, ["target", "term"])
    pairs = zip(target.iloc[of_pair].tolist(), term.iloc[of_pair].tolist(), strict=True)
    return all(one == other or without_case(one) == without_case(other) for one, other in pairs)


def pooling_rule(scored: pd.DataFrame) -> str:
    """How the terms of a group are pooled, as written in the method key."""
    return "logsumexp" if group_at_mask(scored) else "mean"


def group_differences(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """One row per cell: its value for `first` minus its value for `second`, in nats.

    Terms at the mask are pooled to the log of their summed p, terms in the context to the mean of
    their log p; a cell is the mean over the variants of its frame. NaN if any score is missing,
    even of a third group: a cell counts only if it is complete for every group.
    """
    return Slots.of(scored).differences(first, second)


def against_rest(scored: pd.DataFrame, group: str) -> pd.DataFrame:
    """One row per cell: its value for `group` minus the mean over all other groups, in nats.

    Complete and averaged over variants as in `group_differences`.
    """
    groups = pooled(scored)
    # By name, so that the order of the groups does not change the last bit of their mean.
    rest = np.stack([groups[name] for name in sorted(groups.by_group) if name != group]).mean(0)
    return groups.cells(groups[group] - rest)


@dataclass(frozen=True)
class Places:
    """Slots, each a cell in one wording of its frame: the columns `SLOT`, in order of appearance.

    What numbers are arranged by is made once for all of them.
    """

    slots: pd.DataFrame

    @cached_property
    def _numbered(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return numbered(self.slots, CELL)

    @property
    def cell(self) -> NDArray[np.int64]:
        """The number of each slot's cell, [slots]."""
        return self._numbered[0]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells by their number: the columns `CELL`."""
        return self.slots[CELL].iloc[self._numbered[1]].reset_index(drop=True)

    @cached_property
    def by_wording(self) -> NDArray[np.intp]:
        """The slots in the order of wordings, so that no sum depends on the order of rows."""
        return np.argsort(self.slots["variant"].to_numpy(dtype=np.int64), kind="stable")

    def of(self, chosen: NDArray[np.bool_]) -> "Places":
        """The slots for which `chosen`, [slots], is true."""
        return self if chosen.all() else Places(self.slots[chosen])


@dataclass(frozen=True)
class Pooled:
    """One number per slot and group.

    `by_group` has the numbers of each group, [slots]; NaN where one of its terms has no score, or
    none was asked. `places` says whose they are.
    """

    places: Places
    by_group: Mapping[str, NDArray[np.float64]]

    def __getitem__(self, group: str) -> NDArray[np.float64]:
        return self.by_group[group]

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of values, [slots], over the wordings of each cell, [cells]."""
        complete = ~np.isnan(np.stack(list(self.by_group.values()))).any(0)
        cell, order = self.places.cell, self.places.by_wording
        # With the wordings that are left a cell would be of another mix than other cells.
        values = np.where(complete, values, np.nan)
        n_cells = len(self.places.cells)
        sums = np.bincount(cell[order], values[order], minlength=n_cells)
        means: NDArray[np.float64] = sums / np.bincount(cell, minlength=n_cells)
        return means

    def cells(self, values: NDArray[np.float64]) -> pd.DataFrame:
        """The same as a table: one row per cell, with its `value`."""
        return self.places.cells.assign(value=self.means(values))

    def table(self) -> pd.DataFrame:
        """One row per slot and group, with its `value`."""
        slots = self.places.slots
        rows = [slots.assign(group=name, value=own) for name, own in self.by_group.items()]
        return pd.concat(rows, ignore_index=True)


def pooled(scored: pd.DataFrame) -> Pooled:
    """The terms of each group as one number, in every cell and wording."""
    return Slots.of(scored).by_group


def without_each_term(
    scored: pd.DataFrame, first: str, second: str
) -> Iterator[tuple[str, pd.DataFrame, NDArray[np.float64]]]:
    """Yield each term of two groups, and what `group_differences` gives without its rows.

    That is a table of cells and their values; terms that leave every cell share one table. Terms of
    a group that has no other are passed over. Scores are arranged once for all terms.
    """
    slots = Slots.of(scored)
    whole = slots.by_group.by_group
    for group in sorted((first, second)):
        words = np.flatnonzero(slots.group_of_word == group)
        for word in words if len(words) > 1 else ():
            # A wording in which the term alone stood is not there without it.
            is_there = np.bincount(slots.slot[slots.word != word], minlength=slots.n) > 0
            rest = {**whole, group: slots.pooled(group, without=int(word))}
            left = Pooled(
                slots.places.of(is_there), {name: own[is_there] for name, own in rest.items()}
            )
            term = str(slots.words["term"].iloc[word])
            yield term, left.places.cells, left.means(left[first] - left[second])


@dataclass(frozen=True)
class Slots:
    """Scores in the order of their slots, in each that of the words; a slot as in `Places`.

    `words` are the terms by group and spelling, so that no sum depends on the order of rows.
    `slot`, `word` and `value` are of each score, and `order` is where it stood among the items.
    """

    places: Places
    words: pd.DataFrame
    slot: NDArray[np.int64]
    word: NDArray[np.int64]
    value: NDArray[np.float64]
    order: NDArray[np.intp]
    is_at_mask: bool

    @classmethod
    def of(cls, scored: pd.DataFrame) -> "Slots":
        """The slots of the items of one set with their `value`."""
        slot, of_slot = numbered(scored, SLOT)
        word, of_word = numbered(scored, ["group", "term"], sort=True)
        order = np.lexsort((word, slot))
        value = scored["value"].to_numpy(dtype=float)
        return cls(
            Places(scored[SLOT].iloc[of_slot]),
            scored[["group", "term"]].iloc[of_word],
            slot[order],
            word[order],
            value[order],
            order,
            group_at_mask(scored),
        )

    def with_values(self, value: NDArray[np.float64]) -> Self:
        """The slots of the same items, in the same order, with the scores of another model."""
        return replace(self, value=value[self.order])

    @property
    def by_group(self) -> Pooled:
        """The terms of each group as one number, in every cell and wording."""
        return Pooled(self.places, {group: self.pooled(group) for group in self.groups})

    def differences(self, first: str, second: str) -> pd.DataFrame:
        """`group_differences` of these scores."""
        groups = self.by_group
        return groups.cells(groups[first] - groups[second])

    @property
    def n(self) -> int:
        """The number of slots."""
        return len(self.places.slots)

    @cached_property
    def group_of_word(self) -> NDArray[np.object_]:
        """The group of each word, [words]."""
        return self.words["group"].to_numpy(dtype=object)

    @property
    def groups(self) -> list[str]:
        """The groups, by name."""
        return list(dict.fromkeys(self.group_of_word.tolist()))

    def pooled(self, group: str, without: int | None = None) -> NDArray[np.float64]:
        """The terms of a group as one number, [slots], perhaps `without` one of the words."""
        is_of_group = np.array(self.group_of_word == group, dtype=bool)
        if without is not None:
            is_of_group[without] = False
        chosen = is_of_group[self.word]
        slot, value = self.slot[chosen], self.value[chosen]
        found = np.full(self.n, np.nan)
        if not len(slot):
            return found
        starts = np.flatnonzero(np.diff(slot, prepend=-1))
        counts = np.diff(starts, append=len(slot))
        # Terms in the context stand in different sentences, whose probabilities do not add up.
        if not self.is_at_mask:
            found[slot[starts]] = np.add.reduceat(value, starts) / counts
            return found
        # Subtract the maximum before exp and add it back after log, to avoid underflow.
        top = np.maximum.reduceat(value, starts)
        # Of terms that are all minus infinity, a bound that bounds nothing, there is none to add.
        top = np.where(np.isneginf(top), 0.0, top)
        sums = np.add.reduceat(np.exp(value - np.repeat(top, counts)), starts)
        with np.errstate(divide="ignore"):
            found[slot[starts]] = top + np.log(sums)
        return found


def numbered(
    rows: pd.DataFrame, columns: Sequence[str], *, sort: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each row's entry of these columns, [rows], and the first row of each entry.

    Entries are in order of appearance, or sorted. A groupby does the same, ten times as slowly.
    """
    number, n = np.zeros(len(rows), dtype=np.int64), 1
    for name in columns:
        code, n_codes = _coded(rows[name])
        # The product numbers every combination, and most never occur: before it no longer fits into
        # an integer, those that do are numbered anew.
        if n * n_codes > _MOST:
            number, entries = pd.factorize(number, sort=True)
            n = len(entries)
        number, n = number * n_codes + code, n * n_codes
    number, entries = pd.factorize(number, sort=sort)
    first = np.empty(len(entries), dtype=np.int64)
    first[number[::-1]] = np.arange(len(rows))[::-1]  # of several, the one that is written last
    return number, first


def _coded(column: pd.Series) -> tuple[NDArray[np.int64], int]:
    """A number for each entry, in the order of the entries, and how many there may be."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.array.codes.astype(np.int64), len(column.array.categories)
    code, entries = pd.factorize(column, sort=True)
    return code.astype(np.int64), len(entries)

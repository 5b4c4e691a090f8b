"""Pooling the scores of a group's terms into one cell, and the rule for complete cells."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.texts.characters import without_case

CELL = ["role", "class", "attribute", "frame"]


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
    words = scored.loc[differ, ["target", "term"]].drop_duplicates()
    return bool((words["target"].map(without_case) == words["term"].map(without_case)).all())


def pooling_rule(scored: pd.DataFrame) -> str:
    """How the terms of a group are pooled, as written in the method key."""
    return "logsumexp" if group_at_mask(scored) else "mean"


def group_differences(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """One row per cell: its value for `first` minus its value for `second`, in nats.

    Terms at the mask are pooled to the log of their summed p, terms in the context to the mean of
    their log p; a cell is the mean over the variants of its frame. NaN if any score is missing,
    even of a third group: a cell counts only if it is complete for every group.
    """
    groups = pooled(scored).unstack("group")
    complete = groups.notna().all(axis=1)
    difference = (groups[first] - groups[second]).where(complete).rename("value")
    # By default pandas would average the variants that are left, another mix than in other cells.
    return difference.groupby(CELL, sort=False).mean(skipna=False).reset_index()


def against_rest(scored: pd.DataFrame, group: str) -> pd.DataFrame:
    """One row per cell: its value for `group` minus the mean over all other groups, in nats.

    Complete and averaged over variants as in `group_differences`.
    """
    groups = pooled(scored).unstack("group")
    complete = groups.notna().all(axis=1)
    # By name, so that the order of the groups does not change the last bit of their mean.
    rest = groups[sorted(set(groups.columns) - {group})].mean(axis=1)
    difference = (groups[group] - rest).where(complete).rename("value")
    return difference.groupby(CELL, sort=False).mean(skipna=False).reset_index()


def pooled(scored: pd.DataFrame) -> pd.Series:
    """One number per cell, variant and group; NaN if one of its terms has no score."""
    keys = [scored[name] for name in (*CELL, "variant", "group")]
    by_group = scored["value"].groupby(keys, sort=False)
    # Terms in the context stand in different sentences, whose probabilities do not add up.
    if not group_at_mask(scored):
        return by_group.mean(skipna=False)
    # Subtract the maximum before exp and add it back after log, to avoid underflow.
    relative = (scored["value"] - by_group.transform("max")).apply(np.exp)
    # By number, since grouping by six columns of strings again would double the time.
    sums = relative.groupby(by_group.ngroup()).sum(skipna=False)
    log_sums: pd.Series = by_group.max() + np.log(sums.to_numpy())
    return log_sums


def without_each_term(
    scored: pd.DataFrame, first: str, second: str
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each term of two groups, and what `group_differences` gives without its rows.

    Terms of a group that has no other are passed over. Scores are arranged once for all terms.
    """
    slots = scored.groupby([*CELL, "variant"], sort=False)
    slot = slots.ngroup().to_numpy()
    wordings = slots.first().index.to_frame(index=False)[CELL]
    words = scored[["group", "term"]].drop_duplicates(ignore_index=True)
    # By code and not by name: a word may be a term of two groups.
    words["code"] = range(len(words))
    term = scored[["group", "term"]].merge(words, how="left")["code"].to_numpy()
    by_term = words.groupby("group", sort=False)["code"].apply(np.array).to_dict()
    values = np.full((len(wordings), len(words)), np.nan)
    asked = np.zeros(values.shape, dtype=bool)
    values[slot, term], asked[slot, term] = scored["value"].to_numpy(dtype=float), True
    pool = _log_sums if group_at_mask(scored) else _means
    whole = {group: pool(values[:, own], asked[:, own]) for group, own in by_term.items()}
    cell, positions = _numbered(wordings)
    for group, other in sorted([(first, second), (second, first)]):
        for code in sorted(by_term[group], key=lambda code: words["term"][code]):
            kept = by_term[group][by_term[group] != code]
            if not kept.size:
                continue
            rest = {**whole, group: pool(values[:, kept], asked[:, kept])}
            # Of the two groups one is first, whichever of them lacks the term.
            difference = (rest[group] - rest[other]) * (1 if group == first else -1)
            complete = ~np.isnan(np.stack(list(rest.values()))).any(0)
            # A wording in which the term alone stood is not there without it.
            is_there = np.delete(asked, code, axis=1).any(1)
            shown = np.where(complete, difference, np.nan)[is_there]
            sums = np.bincount(cell[is_there], weights=shown, minlength=len(positions))
            counts = np.bincount(cell[is_there], minlength=len(positions))
            cells = positions[counts > 0]
            yield (
                str(words["term"][code]),
                cells.assign(value=sums[counts > 0] / counts[counts > 0]),
            )


def _numbered(wordings: pd.DataFrame) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """The number of each wording's cell, and the cells in their order."""
    by_cell = wordings.groupby(CELL, sort=False)
    numbers: NDArray[np.int64] = np.asarray(by_cell.ngroup(), dtype=np.int64)
    return numbers, by_cell.first().index.to_frame(index=False)


def _log_sums(values: NDArray[np.float64], asked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The log of the summed p of the terms asked, [slots]; NaN if one has no score, or none is."""
    # NaN and a place in which nothing was asked are said by NaN, and not by a warning.
    with np.errstate(invalid="ignore"):
        sums = np.logaddexp.reduce(np.where(asked, values, -np.inf), axis=1)
    return np.where(asked.any(1), sums, np.nan)


def _means(values: NDArray[np.float64], asked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean log p of the terms asked, [slots]; NaN if one has no score, or none is."""
    counts = asked.sum(1)
    sums = np.where(asked, values, 0.0).sum(1)
    means: NDArray[np.float64] = np.divide(
        sums, counts, out=np.full(len(values), np.nan), where=counts > 0
    )
    return means

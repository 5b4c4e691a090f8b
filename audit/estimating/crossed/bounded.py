"""Numbers of a crossed set in censored grade: the ends between which each lies, whatever is absent.

Of a word that is not among the likeliest fills, log p has no lower bound, so that a log-odds may be
bounded on one side, or on none. The share p1 / (p1 + p2) of the first group always lies between two
bounds, in [0, 1], and so do its means and contrasts (partial identification: Horowitz & Manski
2000). Each number has two rows, `..._at_least` and `..._at_most`; the true one is between.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    Matrix,
    arranged,
    with_scores,
)
from maskaudit.audit.estimating.crossed.one_subject import Number
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimators import CORRECTED
from maskaudit.audit.estimating.estimators.of_groups.log_odds import asked
from maskaudit.audit.estimating.estimators.of_groups.pooling import pooled, pooling_rule
from maskaudit.audit.estimating.registry.names import (
    LOG_CONTRAST_ENDS,
    SHARE_CONTRAST_ENDS,
    SHARE_ENDS,
)
from maskaudit.audit.estimating.statistics import identified
from maskaudit.audit.estimating.statistics.interval import point
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.values import AT_LEAST, AT_MOST

_TWO = 2
# What is bounded in each cell.
_LOG_ODDS, _SHARE = "log-odds", "share"


@dataclass(frozen=True)
class Ends:
    """The least and the most that each cell of a subject can be."""

    least: Matrix
    most: Matrix

    def less(self, other: "Ends") -> "Ends":
        """These less the cells of another subject: least less most, and most less least."""
        return Ends(
            replace(self.least, cells=self.least.cells - other.most.cells),
            replace(self.most, cells=self.most.cells - other.least.cells),
        )

    def crossed(self, class_: str) -> "Ends":
        """The same with the ends of one class exchanged, as its mean is subtracted."""
        is_other = np.array([name == class_ for name in self.least.classes])[:, None]
        least, most = self.least.cells, self.most.cells
        return Ends(
            replace(self.least, cells=np.where(is_other, most, least)),
            replace(self.most, cells=np.where(is_other, least, most)),
        )


def bounded(
    items: pd.DataFrame, scores: pd.DataFrame, design: Design
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Every number of a crossed set of which there are bounds, and the cells that are left out."""
    scored = ends_of(items, scores)
    groups = items["group"].unique().tolist()
    common = {"n_terms": items.groupby("group")["term"].nunique().min(), "mode": CORRECTED}
    pooling = pooling_rule(items)
    unit = "family+frame" if (items["family"] != "").any() else "attribute+frame"
    unit += " in style" if (items["style"] != "").any() else ""
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    for index, (first, second) in enumerate(combinations(groups, _TWO)):
        by_quantity, missing = _cells(scored, first, second)
        if index == 0:  # a cell is complete for all groups or none
            left_out += missing
        slice_groups = (first, second) if len(groups) > _TWO else ()
        for subject, number in _numbers(by_quantity, design.classes(first, second)):
            row = {
                **number.row(),
                "subject": subject,
                "slice": str(number.slice.of_groups(*slice_groups)),
                "method": design.key(number.estimator, pooling, unit),
            }
            rows.append({**common, **row})
    return rows, left_out


def ends_of(
    items: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """The items with the least and the most of their log p by each model (`with_scores`).

    Both are the log p itself of a model that gives it. NaN where an item was lost.
    """
    models = list(scores["model"].unique())
    found = []
    for bound in (AT_LEAST, AT_MOST):
        own = scores[scores["measure"].isin(("logp", bound))].assign(measure="logp")
        # A model all of whose items were lost has rows of another measure, and no bound.
        lacking = [model for model in models if model not in set(own["model"])]
        empty = scores[scores["model"].isin(lacking)].drop_duplicates("model")
        empty = empty.assign(measure="logp", value=np.nan)
        found.append(with_scores(items, pd.concat([own, empty])))
    return {model: (found[0][model], found[1][model]) for model in found[0]}


def _cells(
    scored: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], first: str, second: str
) -> tuple[dict[str, dict[str, Ends]], list[dict[str, str]]]:
    """The ends of each quantity and subject in the cells that all models have; and those left out.

    A share is the mean over wordings, as a log-odds is.
    """
    tables: dict[str, pd.DataFrame] = {}
    for model, (low, high) in scored.items():
        least, most = pooled(asked(low)), pooled(asked(high))
        odds = (least[first] - most[second], most[first] - least[second])
        for place, own in enumerate(odds):
            tables[f"{model}|{_LOG_ODDS}|{place}"] = least.cells(own)
            tables[f"{model}|{_SHARE}|{place}"] = least.cells(special.expit(own))
    placed = arranged(next(iter(scored.values()))[0], tables)
    found: dict[str, dict[str, Ends]] = {}
    for quantity in (_LOG_ODDS, _SHARE):
        by_subject = {
            model: Ends(*(placed.by_model[f"{model}|{quantity}|{place}"] for place in (0, 1)))
            for model in scored
        }
        if REFERENCE in by_subject:
            by_subject[DIFFERENCE] = by_subject[CANDIDATE].less(by_subject[REFERENCE])
        found[quantity] = by_subject
    return found, placed.left_out


def _numbers(
    by_quantity: Mapping[str, Mapping[str, Ends]], classes: tuple[str, str] | None
) -> Iterator[tuple[str, Number]]:
    """Yield the means of shares, and both contrasts, with their subjects: each as its two ends."""
    for subject, ends in by_quantity[_SHARE].items():
        lowest = one_subject.means(ends.least, SHARE_ENDS[0])
        highest = one_subject.means(ends.most, SHARE_ENDS[1])
        for pair in zip(lowest, highest, strict=True):
            yield from ((subject, number) for number in _between(*pair))
    if classes is None:
        return
    for quantity, names in ((_SHARE, SHARE_CONTRAST_ENDS), (_LOG_ODDS, LOG_CONTRAST_ENDS)):
        for subject, ends in by_quantity[quantity].items():
            crossed = ends.crossed(classes[1])
            least = _contrast(crossed.least, names[0], classes)
            most = _contrast(crossed.most, names[1], classes)
            yield from ((subject, number) for number in _between(least, most))


def _contrast(matrix: Matrix, name: str, classes: tuple[str, str]) -> Number:
    """One end of a contrast; flagged where a cell of it bounds nothing."""
    pair = one_subject.classes_of(matrix, classes)
    if any(_is_open(own.cells) for own in pair):
        number = one_subject.of_pair(pair, slices.CONTRAST, name)
        return replace(number, flag="not_bounded")
    [number] = one_subject.contrast(matrix, name, classes)
    return number


def _between(least: Number, most: Number) -> tuple[Number, Number]:
    """Both ends of a number, with the number's own interval as the limits of each."""
    ends = [
        number.interval if number.flag in {"", "not_bounded"} else point(number.interval.estimate)
        for number in (least, most)
    ]
    low, high = identified.between(*ends)
    if any(number.flag not in {"", "not_bounded"} for number in (least, most)):
        low, high = (point(end.estimate) for end in ends)
    return replace(least, interval=low), replace(most, interval=high)


def _is_open(cells: NDArray[np.float64]) -> bool:
    return bool(np.isinf(cells).any())

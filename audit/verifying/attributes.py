"""Whether the pieces of attributes are those of the attributes asked, each once and possible."""

from collections.abc import Iterator

import pandas as pd

from maskaudit.audit.estimating.crossed.covariates import attributes_of
from maskaudit.audit.estimating.estimators.of_groups.pooling import group_at_mask
from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying.check import Check, Difference, checked, where

_TABLE = "attributes.parquet"
_KEY = ["probe_set", "attribute", "model"]
# A mean of counts is not exact in its last bits.
_ROUNDING = 1e-9


def attributes(record: Record) -> Check:
    """Whether each attribute of an association set has its pieces for each model once, 1 or more.

    Where attributes are the targets, their mean lies among the counts of their scores.
    """
    counted = record.attributes
    due = attributes_of(record.items)
    pairs = pd.MultiIndex.from_frame(counted[["probe_set", "attribute"]])
    differences = [
        *where(counted.duplicated(_KEY), _TABLE, "attribute", "is there twice"),
        *where(~pd.Series(pairs.isin(due)), _TABLE, "attribute", "was not asked"),
        *where(counted["pieces"] < 1, _TABLE, "pieces", "are fewer than 1"),
    ]
    # What is not there has no row to point at, so that it is told by its name.
    for model in record.manifest.models:
        own = pairs[(counted["model"] == model).to_numpy(dtype=bool)]
        for probe_set, attribute in due.difference(own, sort=False):
            text = f"{model} has no row for {attribute!r} of {probe_set}"
            differences.append(Difference(_TABLE, None, "", text))
    differences += _of_targets(record)
    holds = f"{len(counted):,} counts of pieces: each attribute and model once"
    return checked("attributes", differences, holds)


def _of_targets(record: Record) -> Iterator[Difference]:
    """Yield attributes whose pieces are none that their own scores allow."""
    items = record.items[record.items["role"].isin(["probe", "control"])]
    sets = [
        rows
        for _, rows in items[items["kind"] == "association"].groupby("probe_set", sort=False)
        if not group_at_mask(rows)
    ]
    if not sets:
        return
    asked = pd.concat(sets)[["probe_set", "attribute", "item"]].drop_duplicates()
    scored = asked.merge(record.scores[["item", "model", "pieces"]].dropna(), on="item")
    limits = scored.groupby(_KEY)["pieces"].agg(["min", "max"])
    rows = record.attributes.join(limits, on=_KEY)
    # As floats: an attribute that is no target has no limits, and a comparison with NaN is false.
    # With the nullable type it would be unknown, which `where` tells as a difference.
    low, high = (rows[name].astype("float64") for name in ("min", "max"))
    strange = (rows["pieces"] < low - _ROUNDING) | (rows["pieces"] > high + _ROUNDING)
    yield from where(strange, _TABLE, "pieces", "are not among those of the attribute’s scores")

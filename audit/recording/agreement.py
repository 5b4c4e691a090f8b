"""Whether the tables of a record are of the models and probe sets that its manifest names.

Each may be valid by itself, and the sums be those of both: what judges and renders looks up the
one in the other.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from maskaudit.audit.recording.manifest import Manifest

_MODELS = {
    "scores": ("model",),
    "paired": ("model", "other_model"),
    "fills": ("model",),
    "attributes": ("model",),
}
# Two contexts of one model are joined without another.
_MAY_BE_EMPTY = {"other_model"}
_SETS = ("items", "attributes", "estimates")
# A number that is not known is NaN; a bound alone may be infinite, where it bounds nothing.
_FINITE = ("estimate", "std_error", "p", "p_adjusted", "null_value")
_SHOWN = 60


def disagreement(manifest: Manifest, tables: Mapping[str, pd.DataFrame]) -> str:
    """The first thing that tables and manifest do not agree in, as a clause; empty if they do."""
    return next(_disagreements(manifest, tables), "")


def _disagreements(manifest: Manifest, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    for name, columns in _MODELS.items():
        for column in columns:
            none = [""] if column in _MAY_BE_EMPTY else []
            if other := _others(tables, name, column, [*none, *manifest.models]):
                yield f"{name}.parquet has rows of a model {other}, which record.json does not name"
    for name in _SETS:
        if other := _others(tables, name, "probe_set", [*manifest.probe_sets]):
            yield f"{name}.parquet has rows of a probe set {other}, which record.json does not name"
    for name, described in manifest.probe_sets.items():
        rows, kind = tables["items"][tables["items"]["probe_set"] == name], described.kind
        if other := _others({"items": rows}, "items", "kind", [kind]):
            yield f"items.parquet has the set {name!r} of kind {other}, record.json of {kind!r}"
    yield from _disagreements_of_estimates(manifest, tables)


def _disagreements_of_estimates(
    manifest: Manifest, tables: Mapping[str, pd.DataFrame]
) -> Iterator[str]:
    # Of one model there is neither a difference nor a relation.
    alone = list(manifest.models) if len(manifest.models) == 1 else None
    if alone and (other := _others(tables, "estimates", "subject", alone)):
        yield f"estimates.parquet has numbers of {other}, but one model alone was audited"
    for column in _FINITE:
        if np.isinf(tables["estimates"][column]).any():
            yield f"estimates.parquet has an infinite number in the column {column}"


def _others(tables: Mapping[str, pd.DataFrame], name: str, column: str, known: list[str]) -> str:
    """The first text of a column that is none of these; empty if all are."""
    texts = tables[name][column]
    unknown = texts[~texts.isin(known)]
    return "" if unknown.empty else repr(str(unknown.iloc[0])[:_SHOWN])

"""Whether fills and distances are of contexts that were read, each once and none missing."""

from collections.abc import Iterator

import pandas as pd

from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.group_pairs import group_pairs
from maskaudit.audit.recording.rows.tables import UNIQUE, are_in
from maskaudit.audit.verifying.check import Check, Difference, checked, where

_FILLS, _PAIRED = "fills.parquet", "paired.parquet"


def distributions(record: Record) -> Check:
    """Whether the tables of fills and of distances are whole, as far as the record can tell."""
    differences = [*_of_fills(record), *_of_paired(record)]
    holds = (
        f"{len(record.fills):,} fills and {len(record.paired):,} distances are of these contexts"
    )
    return checked("fills", differences, holds)


def _of_fills(record: Record) -> Iterator[Difference]:
    fills = record.fills
    yield from _unknown(record, fills, _FILLS, ["context"], ["model"])
    by_context = fills.groupby(["context", "model"], sort=False)
    rank = by_context.cumcount() + 1
    yield from where(fills["rank"] != rank, _FILLS, "rank", "is not that of its place, from 1")
    p = fills["probability"]
    yield from where(~p.between(0, 1), _FILLS, "probability", "is not from 0 to 1")
    rises = p > by_context["probability"].shift()
    yield from where(rises, _FILLS, "probability", "is above that of the rank before")
    sizes = by_context.size().reset_index(name="fills")
    # By model: of a small vocabulary all pieces are kept, and two models may have two sizes.
    most = sizes.groupby("model")["fills"].transform("max")
    for context, model, n in sizes[sizes["fills"] < most].itertuples(index=False):
        text = f"{model} has {n} fills of the context {context}, and more of others"
        yield Difference(_FILLS, None, "", text)
    yield from _without_fills(record)


def _without_fills(record: Record) -> Iterator[Difference]:
    """Yield the slots that a model read a target at, and has no fills of."""
    slots = record.contexts.loc[record.contexts["slot"].notna(), "context"]
    asked = record.items.loc[are_in(record.items["context"], slots), ["item", "context"]]
    for model, identity in record.manifest.models.items():
        # It gives the probabilities of the words that were asked for, and no others.
        if identity.endpoint:
            continue
        scores = record.scores[record.scores["model"] == model]
        read = asked[are_in(asked["item"], scores.loc[scores["status"] == "ok", "item"])]
        filled = record.fills.loc[record.fills["model"] == model, "context"]
        for context in set(read["context"].tolist()) - set(filled.tolist()):
            yield Difference(_FILLS, None, "", f"{model} has none of the context {context}")


def _of_paired(record: Record) -> Iterator[Difference]:
    paired = record.paired
    contexts, models = ["context", "other_context"], ["model", "other_model"]
    yield from _unknown(record, paired, _PAIRED, contexts, models)
    yield from where(paired.duplicated(UNIQUE["paired"]), _PAIRED, "context", "is there twice")
    yield from _of_no_pair(record)
    # What is measured at one context: of two models, or how open it is to one.
    alone = paired[(paired["other_context"] == "") | (paired["other_context"] == paired["context"])]
    filled = {
        str(model): set(contexts) for model, contexts in record.fills.groupby("model")["context"]
    }
    for key, rows in alone.groupby(["model", "other_model", "measure"], sort=False):
        lacking = filled.get(str(key[0]), set()) - set(rows["context"].unique())
        for context in sorted(lacking):
            text = f"{key[2]} of {key[0]} is missing at the context {context}"
            yield Difference(_PAIRED, None, "", text)


def _of_no_pair(record: Record) -> Iterator[Difference]:
    """Yield distances of groups that are of no pair of groups in these items."""
    joined = record.paired["joined"]
    if not (joined != "").any():
        return
    by_set = record.items.groupby("probe_set", sort=False)
    pairs = {pair.joined for _, items in by_set for pair in group_pairs(items)}
    strange = (joined != "") & ~joined.isin(pairs)
    yield from where(strange, _PAIRED, "joined", "is no pair of groups of these items")


def _unknown(
    record: Record, table: pd.DataFrame, name: str, contexts: list[str], models: list[str]
) -> Iterator[Difference]:
    """Yield contexts and models that the record does not have; empty where none is meant."""
    known = {"": record.contexts["context"], "model": pd.Series([*record.manifest.models])}
    for column in (*contexts, *models):
        names = known["model" if column in models else ""]
        optional = column.startswith("other_") & (table[column] == "")
        strange = ~are_in(table[column], names) & ~optional
        kind = "model" if column in models else "context"
        yield from where(strange, name, column, f"no such {kind}")

"""Whether contexts and items are those that the manifest says were asked."""

import hashlib
import json
from collections.abc import Iterator

import pyarrow as pa

from maskaudit.audit.recording.record import MANIFEST, Record
from maskaudit.audit.recording.rows.tables import are_in
from maskaudit.audit.verifying.check import Check, Difference, checked, where
from maskaudit.probes.ids import context_ids, item_ids
from maskaudit.probes.items_digest import items_digest

_CONTEXTS, _ITEMS = "contexts.parquet", "items.parquet"
# What record.json says of the items of each set.
_SAID = ("kind", "axis", "items", "sentences", "items_digest")
# What was found to hold in this process, by its content: many records ask the same sets.
_HELD: set[bytes] = set()
_MOST_HELD = 1000


def asked(record: Record) -> Check:
    """Whether ids are the hashes of their texts, and the items those whose digest is recorded."""
    items, contexts = len(record.items), len(record.contexts)
    content = _content(record)
    differences = []
    if content not in _HELD:
        differences = [*_of_contexts(record), *_of_items(record), *_of_sets(record)]
    if not differences and len(_HELD) < _MOST_HELD:
        _HELD.add(content)
    return checked(
        "items", differences, f"{items:,} items in {contexts:,} contexts are those asked"
    )


def _content(record: Record) -> bytes:
    """A digest of all that this check reads: tables, byte by byte, and what is said of each set."""
    digest = hashlib.sha256()
    for table in (record.contexts, record.items):
        for name in table.columns:
            # In one piece: how a column was read is not what is in it.
            column = pa.chunked_array([pa.array(table[name])]).combine_chunks()
            parts = [column, column.dictionary] if pa.types.is_dictionary(column.type) else [column]
            for part in parts:
                digest.update(f"{name} {part.type} {len(part)} {part.offset} ".encode())
                for buffer in part.buffers():
                    digest.update(b"-" if buffer is None else f"{buffer.size} ".encode())
                    digest.update(b"" if buffer is None else buffer)
    for name, part in record.manifest.probe_sets.items():
        said = [getattr(part, key) for key in _SAID]
        digest.update(json.dumps([name, *said]).encode())
    return digest.digest()


def _of_contexts(record: Record) -> Iterator[Difference]:
    contexts = record.contexts
    for row, (context, expected) in enumerate(
        zip(contexts["context"].tolist(), context_ids(contexts), strict=True)
    ):
        if context != expected:
            wrong = f"{context!r} is not the id of this text, slot and partner"
            yield Difference(_CONTEXTS, row, "context", wrong)
    yield from where(contexts["context"].duplicated(), _CONTEXTS, "context", "is there twice")
    unused = ~are_in(contexts["context"], record.items["context"])
    yield from where(unused, _CONTEXTS, "context", "no item is asked in it")


def _of_items(record: Record) -> Iterator[Difference]:
    items = record.items
    # An item may serve many rows.
    distinct = items[["item", "context", "target"]].drop_duplicates()
    for row, item, expected in zip(
        distinct.index.tolist(), distinct["item"].tolist(), item_ids(distinct), strict=True
    ):
        if item != expected:
            text = f"{item!r} is not the id of this context and target"
            yield Difference(_ITEMS, row, "item", text)
    lost = ~are_in(items["context"], record.contexts["context"])
    yield from where(lost, _ITEMS, "context", f"is not in {_CONTEXTS}")


def _of_sets(record: Record) -> Iterator[Difference]:
    sets = record.manifest.probe_sets
    by_set = dict(list(record.items.groupby("probe_set", sort=False)))
    # The sets of both, for either may lack one of the other's.
    for name in dict.fromkeys([*sets, *map(str, by_set)]):
        if name not in sets or name not in by_set:
            lacking = MANIFEST if name not in sets else _ITEMS
            yield Difference(_ITEMS, None, "probe_set", f"{name!r} is not in {lacking}")
            continue
        described, rows = sets[name], by_set[name]
        # What says how a set is estimated is in both, and only the digest covers the rows.
        digest = items_digest(rows)
        counted = {
            "kind": "/".join(rows["kind"].unique()),
            "axis": "/".join(rows["axis"].unique()),
            "items": rows["item"].nunique(),
            "sentences": rows["context"].nunique(),
            "items_digest": digest,
        }
        for key, found in counted.items():
            if (said := getattr(described, key)) != found:
                text = f"the rows of {name} have {key} {found!s:.16}, record.json says {said!s:.16}"
                yield Difference(_ITEMS, None, "", text)

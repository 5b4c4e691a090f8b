"""Slices and classes of older formats, as the newest format has them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows.slices import Slice, of_part

# The first format in which every part of a set of facts is a relation, and a class slice holds the
# contexts of that class alone.
WITH_PARTS = 5
# The first format whose classes of attributes each say what was shown.
WITH_MARGINS = 8
# Classes that were said because something was not shown: of these no more is known.
_NOT_SHOWN = ("inherited", "lost", "new")


def slice_now(text: str, subject: str, described: ProbeSet) -> str | None:
    """A slice of an older format as the newest one names it; None if it was of no such part.

    In a set of facts some numbers had `class=` where others had `relation=`. With the attribute at
    the mask, distances of two models had all contexts under the name of the first class. Raises
    `ValueError` if `text` is not a slice.
    """
    slice_ = Slice.parse(text)
    if slice_.kind != "class":
        return text
    is_mixed = described.kind == "association" and described.group_at_mask is False
    if subject == "relation" and is_mixed:
        return None
    return str(replace(of_part(described.kind, slice_.value), groups=slice_.groups))


def slices_now(
    rows: Iterable[tuple[str, str, str]], probe_sets: Mapping[str, ProbeSet]
) -> list[str | None]:
    """`slice_now` of rows of slice, subject and set; a row of an unknown set keeps its slice."""
    return [
        slice_now(text, subject, probe_sets[name]) if name in probe_sets else text
        for text, subject, name in rows
    ]


def with_classes_shown(estimates: pd.DataFrame) -> pd.DataFrame:
    """Convert the classes of attributes of formats 4 to 7: what was not shown is undecided."""
    was_not_shown = estimates["outcome"].isin(_NOT_SHOWN)
    return estimates.assign(outcome=estimates["outcome"].mask(was_not_shown, "undecided"))


def with_parts(estimates: pd.DataFrame, probe_sets: Mapping[str, ProbeSet]) -> pd.DataFrame:
    """Convert the slices of estimates of formats 1 to 4; rows of no such part are dropped."""
    keys = zip(estimates["slice"], estimates["subject"], estimates["probe_set"], strict=True)
    slices = pd.Series(slices_now(keys, probe_sets), estimates.index, dtype="object")
    converted = estimates.assign(slice=slices)
    kept = converted[converted["slice"].notna()]
    return kept.astype({"slice": "str"}).reset_index(drop=True)

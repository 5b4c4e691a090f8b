"""Slices of older formats are read by the names of today."""

from typing import Any

import pandas as pd
import pytest

from maskaudit.audit.recording import older
from maskaudit.audit.recording.manifest import ProbeSet


def described(kind: Any, *, group_at_mask: bool | None) -> ProbeSet:
    """Return what a set of this kind says of itself, as far as its slices need it."""
    return ProbeSet.model_construct(kind=kind, group_at_mask=group_at_mask)


@pytest.mark.parametrize(
    ("kind", "at_mask", "subject", "text", "now"),
    [
        ("cloze", None, "candidate", "class=capital", "relation=capital"),
        ("cloze", None, "relation", "class=capital", "relation=capital"),
        ("cloze", None, "candidate", "relation=capital", "relation=capital"),
        ("cloze", None, "candidate", "all", "all"),
        ("association", False, "relation", "class=jobs", None),
        ("association", False, "relation", "all", "all"),
        ("association", False, "candidate", "class=jobs", "class=jobs"),
        ("association", True, "relation", "class=jobs", "class=jobs"),
        ("association", False, "candidate", "a/b: class=jobs", "a/b: class=jobs"),
        ("triples", False, "relation", "class=race", "class=race"),
        ("words", None, "candidate", "class=weat-1", "class=weat-1"),
    ],
)
def test_an_older_slice_has_its_name_of_today_or_none(
    kind: str,
    at_mask: bool | None,  # noqa: FBT001 - a case
    subject: str,
    text: str,
    now: str | None,
) -> None:
    """Facts have relations; a distance of two models at a word's own mask has no class."""
    part = described(kind, group_at_mask=at_mask)
    assert older.slice_now(text, subject, part) == now
    table = pd.DataFrame({"probe_set": ["s"], "slice": [text], "subject": [subject]})
    found = older.with_parts(table.astype("str"), {"s": part})
    assert found["slice"].tolist() == ([] if now is None else [now])
    assert str(found["slice"].dtype) == "str"

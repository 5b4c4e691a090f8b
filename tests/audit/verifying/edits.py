"""Edits of a record as a forger makes them: any table, row or key, and sealed again or not."""

import contextlib
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from maskaudit.audit.recording import binding
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import file_digests
from maskaudit.audit.recording.rows import tables
from tests.audit.history.folders import reseal

# What the forger does afterwards: nothing, the sums, or the digests in record.json as well.
Effort = Literal["none", "sums", "digests"]
EFFORTS: tuple[Effort, ...] = ("none", "sums", "digests")
MANIFEST = "record.json"
# What a forger who writes every digest anew can change unseen: nothing else follows from it, or it
# follows from the model alone. A score is found by the estimates, unless they are made again too.
UNSEEN = {
    "scores": {"rank", "pieces", "written", "read", "status"},
    "fills": {"token", "probability"},
    "attributes": {"pieces"},
    "paired": {"other_context", "other_model", "measure", "context", "model", "value"},
}
UNSEEN_KEYS = {
    "format", "bound", "created", "maskaudit", "number", "notes", "provenance", "not_measured",
    "unavailable",
}  # fmt: skip
UNSEEN_PARTS = {"name", "revision", "files"}


@dataclass(frozen=True)
class Edit:
    """What was changed: a file, a row of it (None for one that is gone) and a column or a key."""

    file: str
    row: int | None
    column: str
    effort: Effort


def edit(folder: Path, seed: int) -> Edit:
    """Change one thing of a record, chosen by the seed, and cover it up as the effort says."""
    draw = random.Random(seed)  # noqa: S311 - to choose an edit
    effort = EFFORTS[seed % len(EFFORTS)]
    name = draw.choice([*tables.COLUMNS, "estimates", MANIFEST, MANIFEST])
    if name == MANIFEST:
        done = _edit_manifest(folder, draw, effort)
    else:
        done = _edit_table(folder, name, draw, effort)
    if effort == "digests":
        # A manifest of no known form is not read, whatever its digests are.
        with contextlib.suppress(ValidationError):
            bind(folder)
    if effort != "none":
        reseal(folder)
    return done


def bind(folder: Path) -> None:
    """Write the digests of the parts of a record anew into its manifest."""
    path = folder / MANIFEST
    raw = json.loads(path.read_text("utf-8"))
    files = file_digests(folder, [f"{name}.parquet" for name in binding.MEASURED])
    raw["bound"] = binding.bound(Manifest.model_validate(raw), files)
    path.write_text(json.dumps(raw), "utf-8")


def write(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Write a table as it is, whatever it holds."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, folder / f"{name}.parquet")


def _edit_table(folder: Path, name: str, draw: random.Random, effort: Effort) -> Edit:
    frame = pq.read_table(folder / f"{name}.parquet").to_pandas()
    frame = tables.conform(name, frame)
    unseen = UNSEEN.get(name, set()) if effort == "digests" else set()
    row, how = draw.randrange(len(frame)), draw.choice(["cell", "cell", "gone", "twice"])
    column = ""
    if how == "cell":
        columns = [column for column in frame if column not in unseen]
        how = how if columns else "gone"
    if how == "cell":
        column = draw.choice(columns)
        value = _other(frame[column].iloc[row])
        frame[column] = [*frame[column][:row], value, *frame[column][row + 1 :]]
    elif how == "gone":
        frame = frame.drop(index=row)
    else:
        frame = pd.concat([frame, frame.iloc[[row]]])
    write(folder, name, frame)
    return Edit(f"{name}.parquet", row if how == "cell" else None, column, effort)


def _edit_manifest(folder: Path, draw: random.Random, effort: Effort) -> Edit:
    path = folder / MANIFEST
    raw = json.loads(path.read_text("utf-8"))
    places = [
        place
        for place in _leaves(raw)
        if effort != "digests"
        or (place[0] not in UNSEEN_KEYS and not (place[0] == "models" and place[2] in UNSEEN_PARTS))
    ]
    # Keys as such first, for some have many leaves.
    key = draw.choice(sorted({str(place[0]) for place in places}))
    *parents, last = draw.choice([place for place in places if place[0] == key])
    inner = raw
    for step in parents:
        inner = inner[step]
    inner[last] = _other_of_json(inner[last])
    path.write_text(json.dumps(raw), "utf-8")
    return Edit(MANIFEST, None, key, effort)


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values that hold no others."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    inner = [leaf for step, part in pairs for leaf in _leaves(part, (*place, step))]
    return inner or ([place] if place and not isinstance(value, dict | list) else [])


def _other(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, str):
        return value + "x"
    if pd.isna(value):
        return 1
    return value + (0.125 if isinstance(value, float) else 1)


def _other_of_json(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if value is None:
        return "x"
    if isinstance(value, str):
        return {"bh": "by", "lean": "none"}.get(value, value + "x")
    return value + 1

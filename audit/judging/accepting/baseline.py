"""Accepted versions, kept in git: a TOML file for review, and the scores to pair by item.

`NAME.toml` says which model was accepted, when and why, and how it was measured; `NAME.parquet`
holds the candidate's scores. `NAME.anchor.toml` and `.parquet` keep the version accepted first:
comparing with it too stops many small steps from adding up to more than a margin.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AfterValidator, Field

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.crossed.cells import CANDIDATE
from maskaudit.audit.judging.comparing.pairing import SCORE, Version
from maskaudit.audit.recording.files import unfinished, writing
from maskaudit.audit.recording.manifest import Identity, ProbeSetKey
from maskaudit.audit.recording.rows import parquet_files
from maskaudit.audit.texts import bounded, toml_files
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.texts.toml_files import Part

# The format number rises whenever the content of the files changes; one line for each format.
#   1: the fields of `Accepted` but `best_of`; Parquet with item, measure, value (float32), rank,
#      pieces, status.
#   2: `best_of`.
FORMAT = 2
ANCHOR = ".anchor"
# More than anybody trains, and few enough for a level of .05 divided by it to be a number.
MOST_CANDIDATES = 10_000
_HEAD = "# Written by `maskaudit baseline accept`: to be reviewed and committed, not edited.\n\n"
_TYPES = {"value": "float32", "rank": "Int32", "pieces": "Int16"}
# Strong, slow compression: the files are written seldom and stay in git for years.
_COMPRESSION = 19


def _supported(format_: int) -> int:
    if not 1 <= format_ <= FORMAT:
        message = (
            f"this version reads formats 1 to {FORMAT}; install a newer maskaudit, or accept a "
            "record again"
        )
        raise ValueError(message)
    return format_


class Accepted(Part):
    """The content of `NAME.toml`: what was accepted, when and why, and the numbers for a reviewer.

    `scores` is the SHA-256 of the Parquet file. `margins` are those of gates.toml at that time.
    `numbers` are the record's own by probe set, with 95 % intervals. `replaces` is the record
    accepted before, and `changes` are the changes since then, with one-sided 95 % bounds.
    `not_compared` gives, for each probe set that could not be compared, what differs.
    `allowed_worse` says that a change was credibly worse. `best_of` is how many candidates it was
    picked from by its numbers, 1 if it was not picked. The numbers are for reviewers only and
    are never read back.
    """

    format: Annotated[int, AfterValidator(_supported)]
    name: str
    accepted: date
    reason: str
    allowed_worse: bool
    new_anchor: bool
    best_of: Annotated[int, Field(ge=1, le=MOST_CANDIDATES)] = 1
    record: str
    replaces: str
    created: str
    maskaudit: str
    scores: str
    margins: list[dict[str, Any]]
    numbers: dict[str, dict[str, str]]
    changes: dict[str, dict[str, str]]
    not_compared: dict[str, str]
    method: dict[str, str]
    models: dict[str, Identity]
    probe_sets: dict[str, ProbeSetKey]


@dataclass(frozen=True)
class Baseline:
    """An accepted version: its TOML file's path and content, and the version itself."""

    path: Path
    about: Accepted
    version: Version


def load(folder: str | Path, name: str) -> Baseline:
    """Read an accepted version by its name.

    Raises `NotJudgedError` if its TOML file or its scores are missing, since nothing can be paired
    then, and `InputError` if its files were changed or cannot be read.
    """
    path = Path(folder) / f"{name}.toml"
    if not is_there(path) and name.endswith(ANCHOR):
        raise NotJudgedError(
            f"{path}: is missing, so the change since the version accepted first is "
            "not_measured; restore it from git, or start a new series with maskaudit baseline "
            "accept --new-anchor"
        )
    if not is_there(path):
        raise NotJudgedError(
            f"{path}: no such baseline, so the verdict is not_measured; accept a record first: "
            f"maskaudit baseline accept RECORD --name {name.removesuffix(ANCHOR)} --reason ..."
        )
    about = toml_files.read(path, Accepted, "an accepted baseline; restore it from git")
    if about.name != name:
        raise InputError(
            f"{path}: name is {about.name!r}; expected {name!r}; restore the file from git"
        )
    if CANDIDATE not in about.models:
        raise InputError(f"{path}: models.{CANDIDATE} is missing; restore it from git")
    scores_path = path.with_suffix(".parquet")
    if not is_there(scores_path):
        raise NotJudgedError(
            f"{scores_path}: is missing, so the baseline {name} has no scores to compare with and "
            "the verdict is not_measured; commit it beside the TOML file, or restore it from git"
        )
    try:
        # Read once: the bytes that are verified are those that are parsed.
        content = bounded.content(scores_path, bounded.TABLE)
    except OSError as error:
        raise InputError(
            f"{scores_path}: cannot be read ({error.strerror}); restore it from git"
        ) from error
    if hashlib.sha256(content).hexdigest() != about.scores:
        raise InputError(
            f"{scores_path}: is not the file that {path.name} was written with (SHA-256 differs); "
            "restore both from git"
        )
    display_name = (
        f"anchor {name.removesuffix(ANCHOR)}" if name.endswith(ANCHOR) else f"baseline {name}"
    )
    version = Version(
        name=display_name,
        model=about.models[CANDIDATE],
        maskaudit=about.maskaudit,
        method=about.method,
        probe_sets=about.probe_sets,
        scores=_scores(content, scores_path),
    )
    return Baseline(path, about, version)


def load_anchor(folder: str | Path, name: str) -> Baseline:
    """Read the frozen anchor of a baseline. Raises the same errors as `load`."""
    return load(folder, name + ANCHOR)


def names(folder: str | Path) -> Sequence[str]:
    """The sorted names of the baselines in a folder, without their anchors."""
    stems = sorted(path.stem for path in Path(folder).glob("*.toml"))
    return [name for name in stems if not name.endswith(ANCHOR)]


def write(folder: Path, files: Mapping[str, tuple[bytes, Accepted]]) -> None:
    """Write all files under temporary names, then rename the Parquet files, then the TOML files.

    If writing stops between the renames, the new scores do not match the SHA-256 in the old TOML
    file, and `load` refuses them. Raises `CannotWriteError` if the disk is full or read-only.
    """
    contents = {f"{name}.parquet": scores for name, (scores, _) in files.items()}
    contents |= {f"{name}.toml": _text(about).encode() for name, (_, about) in files.items()}
    # A fresh folder: a link that came with the repository cannot redirect what is written.
    with unfinished(folder) as scratch, writing(folder):
        for name, content in contents.items():
            (scratch / name).write_bytes(content)
        for name in contents:
            (scratch / name).replace(folder / name)


def _text(about: Accepted) -> str:
    """The text of the TOML file; each row of a list has its own line, for readable git diffs."""
    # None is left out since TOML has no null; a model's files are not part of its identity.
    excluded: Any = {"models": {"__all__": {"files"}}}
    return _HEAD + toml_files.dumps(about.model_dump(exclude_none=True, exclude=excluded))


def parquet(scores: pd.DataFrame) -> bytes:
    """The scores as Parquet bytes, identical for the same scores in any order."""
    ordered = scores.sort_values(["item", "measure"])[SCORE].astype(_TYPES)
    # The metadata names the version of pandas, which must not change the bytes of equal scores.
    table = pa.Table.from_pandas(ordered, preserve_index=False).replace_schema_metadata()
    file = io.BytesIO()
    pq.write_table(
        table,
        file,
        compression="zstd",
        compression_level=_COMPRESSION,
        use_dictionary=["measure", "status"],
        use_byte_stream_split=["value"],
    )
    return file.getvalue()


def _scores(content: bytes, path: Path) -> pd.DataFrame:
    """Read the scores with the dtypes of a record. Raises `InputError` if they cannot be read."""
    try:
        frame = parquet_files.read(content).to_pandas()
        # Nullable: not every measure has a rank, or counts pieces.
        typed = {"value": np.float64, "rank": "Int64", "pieces": "Int64"}
        texts = dict.fromkeys(("item", "measure", "status"), "str")
        scores: pd.DataFrame = frame[SCORE].astype({**typed, **texts})
    except (KeyError, OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as scores ({error})") from error
    return scores

"""Accepted versions, kept in git: a TOML file that people review and the scores that pair by item.

`NAME.toml` says who was accepted, when and why, and how it was measured; `NAME.parquet` holds the
candidate's scores. `NAME.anchor.toml` and `.parquet` keep the version that was accepted first: many
small steps cannot creep past a margin that is held against it as well.
"""

import hashlib
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AfterValidator

from maskaudit.audit import toml_files
from maskaudit.audit.errors import InputError, NotJudgedError, WorseError
from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE
from maskaudit.audit.estimating.names import CONTRAST, LOG_MAGNITUDE_RATIO
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.judging import compare, decision, policy
from maskaudit.audit.judging.compare import SCORE, Version, Versions
from maskaudit.audit.recording.files import unfinished, writing
from maskaudit.audit.recording.manifest import Identity, ProbeSetKey
from maskaudit.audit.recording.record import Record
from maskaudit.audit.toml_files import Part

# The format number rises with what the files hold; a line for each.
#   1: the fields of `Accepted`; Parquet with item, measure, value (float32), rank, pieces, status.
FORMAT = 1
ANCHOR = ".anchor"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HEAD = "# Written by `maskaudit baseline accept`: to be reviewed and committed, not edited.\n\n"
_TYPES = {"value": "float32", "rank": "Int32", "pieces": "Int16"}
# Files in git are read for years and written seldom.
_COMPRESSION = 19
_TOLD = ("probe_set", "slice", "estimator")
_OF_GATE = {"id", "rule", "margin", "total_margin", "bound", "harm", "reason"}


def _known(found: int) -> int:
    if found != FORMAT:
        message = (
            f"this version reads format {FORMAT}; install a newer maskaudit, or accept a record "
            "again"
        )
        raise ValueError(message)
    return found


class Accepted(Part):
    """What `NAME.toml` says: what was accepted, when and why, and the numbers for a reviewer.

    `scores` is the SHA-256 of the Parquet file. `margins` are those of gates.toml at that time.
    `numbers` are the record's own by probe set, with 95 % intervals. `replaces` is the record that
    was accepted before and `changes` what changed since, with one-sided 95 % bounds; `not_compared`
    says of each probe set that could not be held against it what differs. `allowed_worse` says that
    one of the changes was credibly worse. The numbers are for reviewers: none is read again.
    """

    format: Annotated[int, AfterValidator(_known)]
    name: str
    accepted: date
    reason: str
    allowed_worse: bool
    new_anchor: bool
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
    """An accepted version: what its TOML file says, where that is, and the version itself."""

    path: Path
    about: Accepted
    version: Version


@dataclass(frozen=True)
class Held:
    """A record held against what was accepted before.

    `versions` are the comparisons by the accepted version's name; `refused` says for each of those
    names which probe sets could not be compared and what differs. `changes` has a row for each
    contrast and each log ratio of magnitudes of the tested sets: estimate, one-sided 95 % bounds,
    the p value against no harm, adjusted by Holm over all rows, and whether it is `worse`.
    """

    versions: Mapping[str, Versions]
    refused: Mapping[str, Mapping[str, str]]
    changes: pd.DataFrame


def load(folder: str | Path, name: str) -> Baseline:
    """Read an accepted version by its name.

    Raises `NotJudgedError` where there is none or its scores are missing, for then nothing can be
    paired, and `InputError` where its files are changed or cannot be read.
    """
    path = Path(folder) / f"{name}.toml"
    if not path.is_file() and name.endswith(ANCHOR):
        raise NotJudgedError(
            f"{path}: is not there, so the change since the version accepted first is "
            "not_measured; restore it from git, or begin a new series with maskaudit baseline "
            "accept --new-anchor"
        )
    if not path.is_file():
        raise NotJudgedError(
            f"{path}: no such baseline, so the verdict is not_measured; accept a record first: "
            f"maskaudit baseline accept RECORD --name {name.removesuffix(ANCHOR)} --reason ..."
        )
    about = toml_files.read(path, Accepted)
    if about.name != name:
        raise InputError(
            f"{path}: was written as {about.name!r}, not as {name!r}; restore it from git"
        )
    if CANDIDATE not in about.models:
        raise InputError(f"{path}: models.{CANDIDATE} is missing; restore it from git")
    place = path.with_suffix(".parquet")
    if not place.is_file():
        raise NotJudgedError(
            f"without {place} the scores of the baseline {name} are not there to pair with, so the "
            "verdict is not_measured; commit it beside the TOML file, or restore it from git"
        )
    content = place.read_bytes()
    if hashlib.sha256(content).hexdigest() != about.scores:
        raise InputError(
            f"{place}: is not the file that {path.name} was accepted with (SHA-256 differs); "
            "restore both from git"
        )
    what = f"anchor {name.removesuffix(ANCHOR)}" if name.endswith(ANCHOR) else f"baseline {name}"
    found = Version(
        name=what,
        model=about.models[CANDIDATE],
        maskaudit=about.maskaudit,
        method=about.method,
        probe_sets=about.probe_sets,
        scores=_scores(content, place),
    )
    return Baseline(path, about, found)


def load_anchor(folder: str | Path, name: str) -> Baseline:
    """Read the frozen anchor of a baseline, as `load` does."""
    return load(folder, name + ANCHOR)


def names(folder: str | Path) -> Sequence[str]:
    """The baselines of a folder by name, without their anchors."""
    found = sorted(path.stem for path in Path(folder).glob("*.toml"))
    return [name for name in found if not name.endswith(ANCHOR)]


def hold(record: Record, folder: str | Path, name: str) -> Held:
    """Hold a record against the baseline and its anchor; what cannot be compared is said.

    Where both are the same version the anchor is not judged again. Raises as `load` does, and
    `NotJudgedError` where the record has no scores.
    """
    new = _measured(record)
    found = [load(folder, name)]
    anchor = load_anchor(folder, name)
    if anchor.about.scores != found[0].about.scores:
        found.append(anchor)
    compared: dict[str, Versions] = {}
    refused: dict[str, Mapping[str, str]] = {}
    for accepted in found:
        who = accepted.version.name
        try:
            compared[who] = compare.versions(accepted.version, new)
        except NotJudgedError as error:
            refused[who] = {"all": str(error)}
        else:
            refused[who] = compared[who].refused
    return Held(compared, refused, _judged(compared, record))


def accept(  # noqa: PLR0913 - each an answer that whoever accepts has to give
    record: Record,
    folder: str | Path,
    name: str,
    reason: str,
    *,
    allow_worse: bool = False,
    new_anchor: bool = False,
    today: date | None = None,
) -> Baseline:
    """Accept the candidate of a record as the baseline `name`, and as its anchor the first time.

    Raises `WorseError` where it is credibly worse than the baseline or the anchor and that is not
    allowed, and `NotJudgedError` where it has no scores or was measured in another way, unless a
    new series is started: `new_anchor` replaces the anchor too. Nothing half-written is left.
    """
    place = Path(folder)
    _check(name, reason)
    new = _measured(record)
    held = None
    if _stands(place, name):
        held = hold(record, place, name)
        _may_follow(held, name, allow_worse=allow_worse, new_anchor=new_anchor)
    content = _parquet(new.scores)
    is_first = held is None or new_anchor
    about = Accepted(
        format=FORMAT,
        name=name,
        accepted=today or datetime.now(UTC).date(),
        reason=reason.strip(),
        allowed_worse=held is not None and bool(held.changes["worse"].any()),
        new_anchor=is_first,
        record=new.name,
        replaces="" if held is None else load(place, name).about.record,
        created=record.manifest.created,
        maskaudit=new.maskaudit,
        scores=hashlib.sha256(content).hexdigest(),
        numbers=_numbers(record),
        changes={} if held is None else _changes(held.changes),
        margins=list(_margins(place.parent / policy.DEFAULT_FILE)),
        not_compared={} if held is None else _not_compared(held),
        method=dict(new.method),
        models=record.manifest.models,
        probe_sets={key: _key(part) for key, part in new.probe_sets.items()},
    )
    names = [f"{name}{ANCHOR}", name] if is_first else [name]
    _write(place, {each: (content, about.model_copy(update={"name": each})) for each in names})
    return load(place, name)


def _check(name: str, reason: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"a baseline's name: is {name!r}; expected at most 64 letters, digits, - and _, "
            "beginning with a letter or a digit"
        )
    if not reason.strip():
        raise InputError("--reason: is empty; expected a sentence for those who review the change")


def _stands(folder: Path, name: str) -> bool:
    """Whether there is a baseline with its anchor; one of them alone is no beginning."""
    files = [folder / f"{name}.toml", folder / f"{name}{ANCHOR}.toml"]
    there = [path for path in files if path.exists()]
    if len(there) == 1:
        (missing,) = set(files) - set(there)
        raise NotJudgedError(
            f"{missing}: is not there, and {there[0].name} is; restore it from git, or remove that "
            "one too to begin anew"
        )
    return bool(there)


def _measured(record: Record) -> Version:
    found = compare.version(record)
    if found.scores["value"].isna().all():
        raise NotJudgedError(f"{found.name}: the candidate has no score, so there is no baseline")
    return found


def _may_follow(held: Held, name: str, *, allow_worse: bool, new_anchor: bool) -> None:
    """Refuse what is not measured as the baseline was, and what is credibly worse."""
    unlike = [
        f"{who}: {probe_set}: {reason}"
        for who, refused in held.refused.items()
        for probe_set, reason in refused.items()
    ]
    if unlike and not new_anchor:
        told = (
            f"{name}: the record was not measured as the baseline was; --new-anchor starts a new "
            "series, and its file says so"
        )
        raise NotJudgedError("\n".join([told, *unlike]))
    lost = [
        f"{who}: {probe_set}: {share:.0%} of its scores are lost"
        for who, found in held.versions.items()
        for probe_set, share in found.lost_share.items()
        if share > compare.MOST_LOST
    ]
    if lost and not (allow_worse or new_anchor):
        told = f"{name}: what is lost cannot be held against it; --allow-worse accepts it so"
        raise NotJudgedError("\n".join([told, *lost]))
    worse = held.changes[held.changes["worse"]]
    if len(worse) and not allow_worse:
        lines = [
            f"worse than the {row['against']}: {row['probe_set']}, {row['slice']}, "
            f"{row['estimator']} {row['estimate']:+.3f} (one-sided 95 % bounds {row['low']:+.3f} "
            f"and {row['high']:+.3f}; Holm-adjusted p = {row['p_adjusted']:.2g})"
            for row in worse.to_dict("records")
        ]
        told = f"{name}: the record is not accepted; --allow-worse accepts it, with the reason"
        raise WorseError("\n".join([told, *lines]))


def _judged(compared: Mapping[str, Versions], record: Record) -> pd.DataFrame:
    """Whether each number with a harmful direction of its own is credibly worse than before.

    Worse is what gives p < .05 against a change of 0 or less, one-sided, adjusted by Holm over
    every row: then the lower one-sided bound is above 0 too.
    """
    sets = record.manifest.probe_sets
    tested = [name for name, part in sets.items() if part.expect == "lean"]
    rows = []
    for who, found in compared.items():
        own = found.estimates
        judged = (own["estimator"] == CONTRAST) & (own["subject"] == DIFFERENCE)
        judged |= own["estimator"] == LOG_MAGNITUDE_RATIO
        judged &= own["probe_set"].isin(tested) & own["std_error"].notna()
        for row in own[judged].to_dict("records"):
            one = decision.change(row["estimate"], row["std_error"], row["df"], 0.0, "up")
            found_ = {"estimate": row["estimate"], "low": one.low, "high": one.high, "p": one.p}
            rows.append({"against": who, **{key: row[key] for key in _TOLD}, **found_})
    columns = ["against", *_TOLD, "estimate", "low", "high", "p"]
    whole = pd.DataFrame(rows, columns=columns)
    adjusted = multiplicity.holm(whole["p"].to_numpy(dtype=float))
    # What is less than another batch would make is no change, however sure it is.
    worse = (adjusted < decision.ALPHA) & (whole["estimate"] > compare.TOLERANCE)
    return whole.assign(p_adjusted=adjusted, worse=worse)


def _not_compared(held: Held) -> dict[str, str]:
    """What differs by probe set, for the file: once where baseline and anchor say the same."""
    found: dict[str, str] = {}
    for refused in held.refused.values():
        found |= {name: reason for name, reason in refused.items() if name not in found}
    return found


def _numbers(record: Record) -> dict[str, dict[str, str]]:
    """The headline numbers of the candidate, and of its difference from the reference."""
    told: dict[str, dict[str, str]] = {}
    for subject in (CANDIDATE, DIFFERENCE):
        found = compare.headline(record.estimates, subject)
        for row in found[found["estimate"].notna()].to_dict("records"):
            limits = "" if math.isnan(row["low"]) else f" ({row['low']:+.4f} to {row['high']:+.4f})"
            name = f"{row['subject']}: {row['estimator']}, {row['slice']}"
            told.setdefault(row["probe_set"], {})[name] = f"{row['estimate']:+.4f}{limits}"
    return told


def _changes(changes: pd.DataFrame) -> dict[str, dict[str, str]]:
    """What changed since the baseline, and since the anchor, by probe set."""
    told: dict[str, dict[str, str]] = {}
    for row in changes.to_dict("records"):
        name = f"{row['against']}: {row['estimator']}, {row['slice']}"
        told.setdefault(row["probe_set"], {})[name] = (
            f"{row['estimate']:+.4f} (bounds {row['low']:+.4f} and {row['high']:+.4f}; "
            f"p = {row['p_adjusted']:.2g}){', worse' if row['worse'] else ''}"
        )
    return told


def _margins(file: Path) -> Iterator[dict[str, Any]]:
    """The margins and bounds of gates.toml with their reasons, where there is such a file."""
    if file.is_file():
        for gate in policy.read(file).gates:
            yield gate.model_dump(include=_OF_GATE, exclude_none=True)


def _key(described: ProbeSetKey) -> ProbeSetKey:
    """What a record says of a set without what only its page needs."""
    return ProbeSetKey(**{name: getattr(described, name) for name in ProbeSetKey.model_fields})


def _write(folder: Path, files: Mapping[str, tuple[bytes, Accepted]]) -> None:
    """Write every file under another name first; then the Parquet files get theirs, then the TOML.

    Whoever is stopped between these has scores that the TOML does not name, which is refused.
    """
    contents = {f"{name}.parquet": scores for name, (scores, _) in files.items()}
    contents |= {f"{name}.toml": _text(about).encode() for name, (_, about) in files.items()}
    # A folder of its own: nothing that came with a repository is written through.
    with unfinished(folder) as scratch, writing(folder):
        for name, content in contents.items():
            (scratch / name).write_bytes(content)
        for name in contents:
            (scratch / name).replace(folder / name)


def _text(about: Accepted) -> str:
    """The TOML file; a list has a line a row, so that git shows which of them changed."""
    # TOML has no word for what is not said; the files of a model are no part of its identity.
    unsaid: Any = {"models": {"__all__": {"files"}}}
    return _HEAD + toml_files.dumps(about.model_dump(exclude_none=True, exclude=unsaid))


def _parquet(scores: pd.DataFrame) -> bytes:
    """The scores as bytes, the same bytes for the same scores whatever their order."""
    ordered = scores.sort_values(["item", "measure"])[SCORE].astype(_TYPES)
    whole = pa.Table.from_pandas(ordered, preserve_index=False).replace_schema_metadata()
    file = io.BytesIO()
    pq.write_table(
        whole,
        file,
        compression="zstd",
        compression_level=_COMPRESSION,
        use_dictionary=["measure", "status"],
        use_byte_stream_split=["value"],
    )
    return file.getvalue()


def _scores(content: bytes, path: Path) -> pd.DataFrame:
    """The scores with the types of a record's."""
    try:
        found = pq.read_table(io.BytesIO(content)).to_pandas()
        typed = {"value": np.float64, "rank": "Int64", "pieces": "Int64"}
        texts = dict.fromkeys(("item", "measure", "status"), "str")
        scores: pd.DataFrame = found[SCORE].astype({**typed, **texts})
    except (KeyError, OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise InputError(f"{path}: not readable as scores ({error})") from error
    return scores

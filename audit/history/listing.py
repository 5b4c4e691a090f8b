"""The records of a folder, the newest first: what each audited, and its verdicts; no number.

What is no record, or not as it was sealed, is listed with the reason, and ends nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.history.read import folders
from maskaudit.audit.judging import verdicts
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.files import UNFINISHED
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.named import in_order
from maskaudit.audit.recording.record import MANIFEST, read_manifest

UNDER_WAY = "unfinished: a run is under way, or was stopped; the next one clears it away"
LINK = "a link, which is not followed here; name the record by its path"
LOST = "a link that leads nowhere"


@dataclass(frozen=True)
class Listed:
    """A folder among records.

    `number` is 0 for what has none. `manifest` is None for what is no whole record, `judgement`
    for what was not judged; `fault` says what is wrong with either, and is empty otherwise.
    """

    path: Path
    number: int = 0
    manifest: Manifest | None = None
    judgement: Judgement | None = None
    fault: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record as plain JSON values; what is not known is null."""
        manifest, judgement = self.manifest, self.judgement
        return {
            "number": self.number or None,
            "name": self.path.name,
            "path": str(self.path),
            "created": None if manifest is None else manifest.created,
            "models": None
            if manifest is None
            else {subject: model.name for subject, model in manifest.models.items()},
            "probe_sets": None if manifest is None else list(manifest.probe_sets),
            "exit_code": None if judgement is None else judgement.exit_code,
            "fault": self.fault or None,
        }


@dataclass(frozen=True)
class Listing:
    """The newest records of a folder, how many it has, and what else lies in it."""

    runs: Path
    records: tuple[Listed, ...]
    total: int
    others: tuple[Listed, ...]


def listing(runs: Path, last: int | None = None) -> Listing:
    """List the `last` records of a folder, or all of them, the newest first.

    Raises `InputError` if `runs` is not a folder of records.
    """
    found = folders(runs)
    entries = in_order(runs)
    newest = list(entries.items())[::-1]
    return Listing(
        runs,
        tuple(_listed(path, entry.number if entry else 0) for path, entry in newest[:last]),
        len(newest),
        tuple(_others(runs, (path for path in found if path not in entries))),
    )


def _listed(path: Path, number: int) -> Listed:
    # Before anything is read: a link leads out of the folder that was named.
    if path.is_symlink():
        return Listed(path, number, fault=LINK if path.is_dir() else LOST)
    try:
        manifest = read_manifest(path, ())
    except InputError as error:
        return Listed(path, number, fault=reason(error, path))
    except OSError as error:
        return Listed(path, number, fault=f"cannot be read ({error.strerror or error})")
    try:
        # Apart from the manifest: verdicts that cannot be read do not hide what was audited.
        return Listed(path, number, manifest, verdicts.read(path))
    except InputError as error:
        return Listed(path, number, manifest, fault=reason(error, path))


def _others(runs: Path, left: Iterable[Path]) -> Iterator[Listed]:
    """Yield what lies among records and is none of them, by name."""
    for path in left:
        if path.is_symlink():
            yield Listed(path, fault="a link to a folder" if path.is_dir() else LOST)
        else:
            yield Listed(path, fault=f"no record: it has no {MANIFEST}")
    for path in sorted(runs.glob(f"{UNFINISHED}*")):
        if path.is_dir() and not path.is_symlink():
            yield Listed(path, fault=UNDER_WAY)


def reason(error: InputError, path: Path) -> str:
    """Why a record cannot be used, in a line without its path."""
    return " ".join(str(error).removeprefix(f"{path}/").removeprefix(f"{path}: ").split())

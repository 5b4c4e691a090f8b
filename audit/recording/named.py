"""The record that a word means: a path, `latest`, `latest~1`, a number, or how its name begins."""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.places import Entry
from maskaudit.audit.recording.record import MANIFEST, manifests
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.texts.printable import printable

LATEST = "latest"
# How the names of records begin: with their time.
_RECORD_NAME = re.compile(r"\d{8}T\d{6,}Z")
_FROM_LATEST = re.compile(rf"{LATEST}(?:~(\d{{1,9}}))?", re.ASCII)
_NUMBER = re.compile(r"\d{1,16}", re.ASCII)
# How many names a message lists.
_SHOWN = 5


def named(text: str, runs: Callable[[], Path]) -> Path:
    """The folder of the record that a text means.

    A path to a record means that record. Of any other text the last part is looked up in the
    folder that the parts before it name, or in `runs()` where there are none: `latest`, `latest~1`
    for the one before it, a record's name or number, or the beginning of one name alone. Raises
    `InputError` where that is no record or more than one, or a link to a record elsewhere, where
    its page and verdicts would be written.
    """
    path = Path(text)
    # First: whoever has a record named `3` in the working folder means that one.
    if (path / MANIFEST).is_file():
        return path
    if path.name in {"", ".."}:
        return _refused_by_its_reader(path)
    folder = runs() if text == path.name else path.parent
    word = path.name
    records = in_order(folder)
    found = _found(word, records)
    if len(found) > 1:
        raise InputError(_ambiguous(text, word, folder, found))
    if found:
        if found[0].is_symlink():
            raise InputError(
                f"{text}: is a link in {folder} ({printable(found[0].name)}), and none is followed "
                "there; name the record by its path"
            )
        return found[0]
    if is_there(path):
        return _refused_by_its_reader(path)
    raise InputError(f"{text}: {_unknown(folder, list(records.items()))}")


def in_order(runs: Path) -> Mapping[Path, Entry | None]:
    """All that may be a record in a folder, in the order in which it was made; {} without a folder.

    What cannot be read, or is a link that leads nowhere, has no entry, and its place by its name:
    to take an older record in its place would answer for the wrong model. Raises `InputError` for
    what is no folder of records.
    """
    entries = manifests(runs)
    ordered: list[Path] = list(entries)
    for path in sorted(_may_be_records(runs) - set(entries)):
        # Names of records begin with their time, so that they sort by time.
        later = (i for i, other in enumerate(ordered) if other.name > path.name)
        ordered.insert(next(later, len(ordered)), path)
    return {path: entries.get(path) for path in ordered}


def _may_be_records(runs: Path) -> set[Path]:
    """What is a record by its manifest or by its name, even as a link that leads nowhere.

    Raises `InputError` if there is something else than a folder of records.
    """
    try:
        paths = list(runs.iterdir())
    except FileNotFoundError as error:
        if is_there(runs):
            raise InputError(f"{runs}: is a link that leads nowhere; expected records") from error
        return set()
    except OSError as error:
        raise InputError(f"{runs}: cannot be read ({error.strerror}); expected records") from error
    return {
        path
        for path in paths
        if _RECORD_NAME.match(path.name)
        or (not path.name.startswith(".") and is_there(path / MANIFEST))
    }


def shortest(names: Sequence[str], least: int = 1) -> list[str]:
    """The shortest beginning of each name, of at least `least` characters, that no other has.

    The whole name where it is the beginning of another.
    """
    in_order = sorted(set(names))
    # In the order of the alphabet a name shares most with one of its neighbours.
    shared = dict.fromkeys(in_order, 0)
    for first, second in itertools.pairwise(in_order):
        n = _shared(first, second)
        shared[first], shared[second] = max(shared[first], n), n
    return [name[: max(shared[name] + 1, least)] for name in names]


def _shared(first: str, second: str) -> int:
    """How many characters two names have alike at their beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


def _found(word: str, records: Mapping[Path, Entry | None]) -> list[Path]:
    """All records that a word may mean, in their order."""
    # A name comes before a number, and a whole name before a beginning: one may be both.
    if back := _FROM_LATEST.fullmatch(word):
        place = int(back[1] or 0) + 1
        return list(records)[-place:][:1] if place <= len(records) else []
    number = int(word) if _NUMBER.fullmatch(word) else 0
    return (
        [path for path in records if path.name == word]
        # 0 is no number: a word may have none, and a record one that cannot be read.
        or [path for path, entry in records.items() if entry and entry.number == number > 0]
        or [path for path in records if path.name.startswith(word)]
    )


def _refused_by_its_reader(path: Path) -> Path:
    """The path of no record, of which its reader will say so; a folder of records is told here."""
    if manifests(path):
        raise InputError(
            f"{path}: is a folder of records, and no record; for the newest one: "
            f"{path / LATEST}, and for all: maskaudit list {path}"
        )
    return path


def _ambiguous(text: str, word: str, folder: Path, found: Sequence[Path]) -> str:
    names = [printable(path.name) for path in found]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    how = "begin with this" if found[0].name.startswith(word) else "have this number"
    return (
        f"{text}: {len(found)} records in {folder} {how} ({', '.join([*names[:_SHOWN], *more])}); "
        "name one of them with more letters"
    )


def _unknown(folder: Path, records: Sequence[tuple[Path, Entry | None]]) -> str:
    if not folder.is_dir():
        return f"no such record, and no folder of records at {folder}; maskaudit run makes both"
    if not records:
        return f"no such record, and {folder} holds none; maskaudit run makes one"
    path, newest = records[-1]
    number = f", number {newest.number}" if newest and newest.number else ""
    count = f"1 record, {LATEST}" if len(records) == 1 else f"{len(records)} records, {LATEST}"
    return (
        f"no such record, and no path; {folder} has {count} is {printable(path.name)}{number}; "
        f"for all of them: maskaudit list {folder}"
    )

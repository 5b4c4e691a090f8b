"""What a record's own sums, digests and key say of it, whatever its numbers are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from maskaudit.audit.recording import binding
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import (
    BOUND,
    MANIFEST,
    SUMS,
    file_digests,
    tables_in,
)
from maskaudit.audit.texts import bounded
from maskaudit.audit.verifying.check import Check, Difference, checked, not_shown

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def links(folder: Path) -> Check:
    """Whether the folder holds files alone: a link would read or write outside of it."""
    others = (
        Difference(
            path.name, None, "", f"is a {'link' if path.is_symlink() else 'folder or device'}"
        )
        for path in sorted(folder.iterdir())
        if path.is_symlink() or not path.is_file()
    )
    return checked("links", others, "the folder holds plain files alone")


def sums(folder: Path, format_: int) -> Check:
    """Whether `SHA256SUMS` lists each file of a record of this format once, with its digest."""
    files = (MANIFEST, *(f"{name}.parquet" for name in tables_in(format_)))
    return checked("sums", _of_sums(folder, files), f"{len(files)} files are as they were sealed")


def _of_sums(folder: Path, files: Sequence[str]) -> Iterator[Difference]:
    try:
        lines = bounded.content(folder / SUMS, bounded.SUMS).decode("utf-8").splitlines()
    except (OSError, ValueError):
        yield Difference(SUMS, None, "", "cannot be read")
        return
    listed: dict[str, str] = {}
    for number, line in enumerate(lines):
        match = _LINE.fullmatch(line)
        # A line that is not known is refused and not skipped: nobody can say what it vouches for.
        if match is None or match[2] not in files or match[2] in listed:
            yield Difference(SUMS, number, "", f"expected one line each for {', '.join(files)}")
        else:
            listed[match[2]] = match[1]
    present = [name for name in files if (folder / name).is_file()]
    digests = file_digests(folder, present)
    for name in files:
        if name not in digests or name not in listed:
            where = "" if name in digests else f" from the folder{' and' * (name not in listed)}"
            where += "" if name in listed else f" from {SUMS}"
            yield Difference(name, None, "", f"is missing{where}")
        elif digests[name] != listed[name]:
            yield Difference(name, None, "", "changed since it was sealed (SHA-256 differs)")


def parts(
    manifest: Manifest, folder: Path, tables: Sequence[str] = binding.MEASURED
) -> list[Check]:
    """What the manifest says of itself and of these tables, which are not read as tables for it."""
    # A manifest of an older format names no digests: nothing was promised that could be broken.
    if manifest.format < BOUND:
        return [not_bound(manifest)]
    return [bound(manifest, folder, tables), key(manifest)]


def bound(manifest: Manifest, folder: Path, tables: Sequence[str] = binding.MEASURED) -> Check:
    """Whether the manifest was sealed with these tables: who was scored, with these scores.

    A table that is gone is none: a record is loaded with all of its format, and a history without.
    """
    # By the record's own format: a table that came later is bound by no older manifest.
    names = [f"{name}.parquet" for name in tables if name in binding.measured(manifest.format)]
    present = [name for name in names if (folder / name).is_file()]
    differences = _of_bound(manifest, file_digests(folder, present))
    return checked("bound", differences, "record.json was sealed with these tables")


def not_bound(manifest: Manifest) -> Check:
    """What a record of a format before `BOUND` cannot show."""
    return not_shown(
        "bound",
        f"a record of format {manifest.format} is not bound: nothing in it shows that these scores "
        "are of the models that record.json names, or that its key and losses are theirs",
    )


def _of_bound(manifest: Manifest, files: Mapping[str, str]) -> Iterator[Difference]:
    now = binding.bound(manifest, files)
    gone = {f"{name}.parquet" for name in binding.MEASURED} - files.keys()
    # Both ways: what is bound and no longer there differs as well.
    for name in dict.fromkeys([*now, *manifest.bound]):
        if name in gone:
            continue
        if now.get(name) != manifest.bound.get(name):
            text = "is not what record.json was sealed with (its digest in `bound` differs)"
            place = (name, "") if name in files else (MANIFEST, name)
            yield Difference(place[0], None, place[1], text)


def key(manifest: Manifest) -> Check:
    """Whether the key is the digest of what the manifest says of models, sets, method and code."""
    parts = (manifest.models, manifest.probe_sets, manifest.method, manifest.settings)
    expected = binding.key_of(*parts, manifest.code)
    differences = (
        []
        if manifest.key == expected
        else [
            Difference(
                MANIFEST,
                None,
                "key",
                f"is {manifest.key:.12}; that of its models, probe sets, method, settings and code "
                f"is {expected:.12}",
            )
        ]
    )
    return checked("key", differences, "follows from models, probe sets, method and code")

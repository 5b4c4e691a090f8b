"""The commands `probes`: list and show probe sets, check your own, import published ones."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, print_json, say
from maskaudit.audit.errors import InputError


def list_probes(*, as_json: AsJson = False) -> None:
    """List the shipped probe sets."""
    from maskaudit.probes.loading import load, shipped

    sets = [load(path).header for path in shipped().values()]
    if as_json:
        print_json([part.model_dump(include={"name", "version", "axis", "title"}) for part in sets])
        return
    for part in sets:
        print(f"{part.name:20}  {part.axis:16}  {part.title}")


def show_probes(
    name: Annotated[
        str, typer.Argument(metavar="SET", help="As `run --probes` takes it: a set by name, ...")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show every masked sentence of a set, with its targets."""
    from maskaudit.audit.preview import sentences

    say(sentences(name), as_json=as_json)


def check_probes(
    names: Annotated[
        list[str],
        typer.Argument(metavar="SET...", help="Files, imports' folders, patterns, sets by name."),
    ],
) -> None:
    """Check probe sets: every fault of every set at once, and what none of them can be given."""
    from maskaudit.audit.settings import files_of
    from maskaudit.probes.loading import shipped

    faults: list[str] = []
    for name in names:
        try:
            paths = list(files_of(name))
        except InputError as error:
            faults += error.faults
            continue
        for path in paths:
            label = name if name in shipped() else str(path)
            try:
                _print_checked(path, label)
            except InputError as error:
                faults += error.faults
    if faults:
        raise InputError(*faults)


def _print_checked(path: Path, label: str) -> None:
    """Print that a set is good, its size, and what it asks for and cannot be given."""
    from maskaudit.audit.estimating.not_given import of_set
    from maskaudit.probes.expand import expand
    from maskaudit.probes.loading import load
    from maskaudit.probes.tested import what_is_tested

    probe_set = load(path)
    expanded = expand(probe_set.drawn(0))
    print(f"{label}: good, {len(expanded.contexts)} sentences")
    for line in what_is_tested(probe_set):
        print(f"  tested: {line}")
    # The lexicon is named by a run, not by a set.
    for reason in of_set(expanded.items, probe_set.header.contrast, has_lexicon=False):
        print(f"note: {reason}")


def import_probes(
    name: Annotated[str, typer.Argument(metavar="NAME", help="crows-pairs, stereoset, ...")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The published file or folder.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER")],
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="The file's encoding, if it is not UTF-8.")
    ] = None,
) -> None:
    """Import a published set as published, and write it as a probe set of your own."""
    from maskaudit.probes import imported_folder
    from maskaudit.probes.importers import IMPORTERS

    if name not in IMPORTERS:
        raise InputError(f"no such importer {name!r}; expected one of: {', '.join(IMPORTERS)}")
    imported = IMPORTERS[name](path, encoding=encoding)
    if not imported.rows:
        reasons = [f"{path}: line {bad.line}: {bad.reason}" for bad in imported.unusable[:5]]
        raise InputError(f"{path}: none of its rows can be used", *reasons)
    imported_folder.write(imported, output)
    for note in imported.notes:
        print(f"note: {note}")
    print(
        f"{output}: {len(imported.rows)} rows; {len(imported.unusable)} unusable (unusable.jsonl)"
    )
    print(f"Licence: {imported.header['licence']}")

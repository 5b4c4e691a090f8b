"""The commands `probes`: list and show probe sets, check your own, import published ones."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, print_json, say
from maskaudit.audit.errors import InputError


def list_probes(*, as_json: AsJson = False) -> None:
    """The probe sets that are shipped."""
    from maskaudit.probes.loading import load, shipped

    sets = [load(path).header for path in shipped().values()]
    if as_json:
        print_json([part.model_dump(include={"name", "version", "axis", "title"}) for part in sets])
        return
    for part in sets:
        print(f"{part.name:20}  {part.axis:16}  {part.title}")


def show_probes(
    name: Annotated[str, typer.Argument(metavar="SET", help="A set by name, or a TOML file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Every masked sentence of a set, with its targets."""
    from maskaudit.audit.preview import sentences

    say(sentences(name), as_json=as_json)


def check_probes(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Probe sets.")],
) -> None:
    """Check probe sets of your own: every fault of every file at once."""
    from maskaudit.probes.expand import expand
    from maskaudit.probes.loading import load

    faults: list[str] = []
    for path in files:
        try:
            found = expand(load(path).drawn(0))
        except InputError as error:
            faults += error.faults
        else:
            print(f"{path}: good, {len(found.contexts)} sentences")
    if faults:
        raise InputError(*faults)


def import_probes(
    name: Annotated[str, typer.Argument(metavar="NAME", help="crows-pairs, stereoset, ...")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The published file or folder.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER")],
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Where the file is not UTF-8.")
    ] = None,
) -> None:
    """Read a published set as published and write it as a probe set of yours."""
    from maskaudit.probes import imported_folder
    from maskaudit.probes.importers import IMPORTERS

    if name not in IMPORTERS:
        raise InputError(f"no importer {name!r}; there are: {', '.join(IMPORTERS)}")
    found = IMPORTERS[name](path, encoding=encoding)
    if not found.rows:
        reasons = [f"{path}: line {bad.line}: {bad.reason}" for bad in found.unusable[:5]]
        raise InputError(f"{path}: no row of it can be used", *reasons)
    imported_folder.write(found, output)
    for note in found.notes:
        print(f"note: {note}")
    print(f"{output}: {len(found.rows)} rows; {len(found.unusable)} unusable (unusable.jsonl)")
    print(f"Licence: {found.header['licence']}")

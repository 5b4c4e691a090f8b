"""The commands `probes`: list and show probe sets, check your own, import published ones."""

from inspect import signature
from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, MostItems, print_text, say
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.characters import composed

# A set of more items is checked without writing out all of its sentences.
_WRITTEN_OUT = 200_000


def list_probes(*, as_json: AsJson = False) -> None:
    """List the shipped probe sets: axis, styles, frames, sentences and bundle of each."""
    from maskaudit.audit.authoring.listed_sets import listed_sets

    say(listed_sets(), as_json=as_json)


def show_probes(
    name: Annotated[
        str, typer.Argument(metavar="SET", help="As `run --probes` takes it: a set by name, ...")
    ],
    *,
    most_items: MostItems = None,
    as_json: AsJson = False,
) -> None:
    """Show every masked sentence of a set, with its targets."""
    from maskaudit.audit.preview import sentences
    from maskaudit.probes.budget import MOST_ITEMS

    say(sentences(name, most_items or MOST_ITEMS), as_json=as_json)


def check_probes(
    names: Annotated[
        list[str],
        typer.Argument(metavar="SET...", help="Files, imports' folders, patterns, sets by name."),
    ],
    *,
    most_items: MostItems = None,
) -> None:
    """Check probe sets: every fault of every set at once, and what none of them can be given."""
    from maskaudit.probes.budget import MOST_ITEMS
    from maskaudit.probes.loading import shipped
    from maskaudit.probes.requested import files_of

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
                _print_checked(path, label, most_items or MOST_ITEMS)
            except InputError as error:
                faults += error.faults
    if faults:
        raise InputError(*faults)


def _print_checked(path: Path, label: str, most_items: int) -> None:
    """Print that a set is good, its size, and what it asks for and cannot be given."""
    from maskaudit.audit.estimating.balance import unbalanced
    from maskaudit.audit.estimating.not_given import of_set
    from maskaudit.probes.budget import check_budget, excerpt, items_of
    from maskaudit.probes.checks_of_language import foreign_letters
    from maskaudit.probes.expand import expand
    from maskaudit.probes.loading import load
    from maskaudit.probes.tested import what_is_tested

    probe_set = load(path)
    check_budget(probe_set, most_items, label)
    # Writing out all sentences of a large set takes minutes, and shows no fault of it.
    is_large = (n_items := items_of(probe_set)) > _WRITTEN_OUT
    expanded = expand((excerpt(probe_set) if is_large else probe_set).drawn(0))
    size = f"{n_items:,} items" if is_large else f"{len(expanded.contexts)} sentences"
    print_text(f"{label}: good, {size}")
    for line in what_is_tested(probe_set):
        print_text(f"  tested: {line}")
    # The lexicon is named by a run, not by a set.
    asked = (expanded.items, probe_set.header.contrast, probe_set.directions)
    foreign = foreign_letters(probe_set)
    lacking = of_set(*asked, has_lexicon=False, foreign_letters=foreign)
    for told in (*lacking, *unbalanced(*asked)):
        print_text(f"note: {told}")


def import_probes(  # noqa: PLR0913 - the options of the command line
    name: Annotated[str, typer.Argument(metavar="NAME", help="crows-pairs, stereoset, ...")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The published file or folder.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER")],
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="The file's encoding, if it is not UTF-8.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="TAG", help="The sentences' language, such as fr."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=COLUMN",
            help="The file's name of a column, such as sent_more=sent_more_fr; repeatable.",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="LABEL,LABEL",
            help="What the labels 0 and 1 mean, such as stereo,antistereo.",
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--licence", metavar="NAME", help="The file's licence, such as CC0-1.0."),
    ] = None,
) -> None:
    """Import a published set as published, and write it as a probe set of your own."""
    from maskaudit.probes.importers import IMPORTERS
    from maskaudit.probes.loading import check_header
    from maskaudit.probes.published import imported_folder

    if name not in IMPORTERS:
        raise InputError(f"no such importer {name!r}; expected one of: {', '.join(IMPORTERS)}")
    options = {
        "columns": _columns(column or []),
        "labels": [part.strip() for part in labels.split(",")] if labels is not None else None,
        "licence": licence,
    }
    # No --column at all and an empty list of them are the same.
    given = {key: value for key, value in options.items() if value not in (None, {})}
    read = IMPORTERS[name]
    if unfit := [key for key in given if key not in signature(read).parameters]:
        option = {"columns": "--column"}.get(unfit[0], f"--{unfit[0]}")
        raise InputError(f"{option}: {name} has no such option")
    tag = _language(language)
    imported = read(path, encoding=encoding, **given)
    if tag is not None:
        imported.header["language"] = tag
    if not imported.rows:
        reasons = [f"{path}: line {bad.line}: {bad.reason}" for bad in imported.unusable[:5]]
        raise InputError(f"{path}: none of its rows can be used", *reasons)
    check_header(imported.header, path)
    imported_folder.write(imported, output)
    for note in imported.notes:
        print_text(f"note: {note}")
    print_text(
        f"{output}: {len(imported.rows)} rows; {len(imported.unusable)} unusable (unusable.jsonl)"
    )
    print_text(f"Licence: {imported.header['licence']}")
    print_text(f"Language: {_language_in_words(imported.header['language'])}")


def _columns(given: list[str]) -> dict[str, str]:
    """Return the file's names of columns by ours, from `NAME=COLUMN` each."""
    columns: dict[str, str] = {}
    for pair in given:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise InputError(f"--column {pair}: expected NAME=COLUMN, as sent_more=sent_more_fr")
        if ours in columns:
            raise InputError(f"--column {pair}: {ours} is named twice; expected once")
        if composed(theirs) in columns.values():
            raise InputError(f"--column {pair}: {theirs} is taken for two columns; expected one")
        columns[ours] = composed(theirs)
    return columns


def _language(tag: str | None) -> str | None:
    from maskaudit.probes.languages import canonical

    try:
        return None if tag is None else canonical(tag)
    except ValueError as error:
        raise InputError(f"--language {tag}: {error}") from error


def _language_in_words(tag: str) -> str:
    from maskaudit.probes.languages import UNDETERMINED

    return "not known; name it with --language" if tag == UNDETERMINED else tag

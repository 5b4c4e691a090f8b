"""The commands `probes`: list and show probe sets, check your own, import published ones."""

from collections import Counter
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import (
    AsJson,
    MostItems,
    Trust,
    named_columns,
    note,
    print_json,
    print_text,
    say,
)
from maskaudit.audit.cli.records import record_of
from maskaudit.audit.errors import InputError

if TYPE_CHECKING:
    from maskaudit.audit.measuring.speller import SpellerAlone

_REASONS = 8


def list_probes(*, as_json: AsJson = False) -> None:
    """List the shipped probe sets: axis, styles, frames, sentences and bundle of each."""
    from maskaudit.audit.authoring.listed_sets import listed_sets

    say(listed_sets(), as_json=as_json)


def show_probes(  # noqa: PLR0913 - the options of the command line
    name: Annotated[
        str, typer.Argument(metavar="SET", help="As `run --probes` takes it: a set by name, ...")
    ],
    *,
    card: Annotated[
        bool, typer.Option("--card", help="Only the card: what is asked, of whom, in how much.")
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            metavar="N",
            min=1,
            help="Only N sentences of each set, from all of its frames, to read aloud.",
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="RECORD",
            help="A record of the set: the card then says how reliable and how exact it was there.",
        ),
    ] = None,
    trust: Trust = False,
    most_items: MostItems = None,
    as_json: AsJson = False,
) -> None:
    """Show the card of a set, then every masked sentence with its targets (--json: only these)."""
    if card and sample is not None:
        raise InputError("--card and --sample: expected one of them; a card has no sentences")
    from maskaudit.audit.authoring.card import shown
    from maskaudit.audit.authoring.measured import record_with
    from maskaudit.probes.checking.budget import MOST_ITEMS

    held, notes = (None, []) if record is None else record_with(record_of(record), trust=trust)
    for sentence in notes:
        note(sentence)
    most = most_items or MOST_ITEMS
    say(shown(name, most, only_cards=card, sample=sample, record=held), as_json=as_json)


def check_probes(
    names: Annotated[
        list[str],
        typer.Argument(metavar="SET...", help="Files, imports' folders, patterns, sets by name."),
    ],
    *,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            metavar="TOKENIZER",
            help="Count the pieces of the words by group and class: a folder, a tokenizer.json, a "
            "vocab.txt or a hub id. No model is needed.",
        ),
    ] = None,
    most_items: MostItems = None,
    as_json: AsJson = False,
) -> None:
    """Check probe sets: every fault of every set at once, and what to look at in each of them."""
    from maskaudit.audit.authoring.checked import checked
    from maskaudit.probes.checking.budget import MOST_ITEMS
    from maskaudit.probes.loading import shipped
    from maskaudit.probes.requested import files_of

    speller = _speller(tokenizer)
    faults: list[str] = []
    found = []
    for name in names:
        try:
            paths = list(files_of(name))
        except InputError as error:
            faults += error.faults
            continue
        # Shipped sets are told by their names, for their paths are those of the installation.
        by_path = {path: own for own, path in shipped().items()}
        for path in paths:
            label = by_path.get(path, str(path))
            try:
                one = checked(path, label, most_items or MOST_ITEMS, speller)
            except InputError as error:
                faults += error.faults
                continue
            found.append(one.as_json())
            if not as_json:
                print_text(one.as_text())
    if as_json:
        print_json(found)
    if faults:
        raise InputError(*faults)


def _speller(tokenizer: str | None) -> "SpellerAlone | None":
    # Before the import, which takes seconds.
    if tokenizer is None:
        return None
    from maskaudit.audit.measuring.speller import load_speller

    return load_speller(tokenizer)


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
            help="What labels by number mean, from 0, such as stereo,antistereo.",
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--licence", metavar="NAME", help="The file's licence, such as CC0-1.0."),
    ] = None,
    with_control: Annotated[
        Path | None,
        typer.Option(
            "--with-control",
            metavar="FOLDER",
            help="Also write the same pairs with unrelated words for the groups, to audit beside.",
        ),
    ] = None,
) -> None:
    """Import a published set as published, and write it as a probe set of your own."""
    from maskaudit.probes.importers import IMPORTERS
    from maskaudit.probes.loading import check_header
    from maskaudit.probes.published import imported_folder
    from maskaudit.probes.published.control_pairs import control_of

    if name not in IMPORTERS:
        raise InputError(f"no such importer {name!r}; expected one of: {', '.join(IMPORTERS)}")
    options = {
        "columns": named_columns(column or [], "sent_more=sent_more_fr"),
        "labels": [part.strip() for part in labels.split(",")] if labels is not None else None,
        "licence": licence,
    }
    # No --column at all and an empty list of them are the same.
    given = {key: value for key, value in options.items() if value not in (None, {})}
    read = IMPORTERS[name]
    # What an importer can be told differs by set, and its parameters say it already.
    if unfit := [key for key in given if key not in signature(read).parameters]:
        option = {"columns": "--column"}.get(unfit[0], f"--{unfit[0]}")
        raise InputError(f"{option}: {name} has no such option")
    tag = _language(language)
    # Of a file in several languages it is also which of them to read.
    if tag is not None and "language" in signature(read).parameters:
        given["language"] = tag
    imported = read(path, encoding=encoding, **given)
    if tag is not None:
        imported.header["language"] = tag
    if not imported.rows:
        reasons = [f"{path}: line {bad.line}: {bad.reason}" for bad in imported.unusable[:5]]
        raise InputError(f"{path}: none of its rows can be used", *reasons)
    # Before a folder is written: one that `run` would refuse is worse than none.
    check_header(imported.header, path)
    written = {output: imported}
    if with_control is not None:
        written[with_control] = control_of(imported)
        check_header(written[with_control].header, path)
    for folder, found in written.items():
        imported_folder.write(found, folder)
        for remark in found.notes:
            print_text(f"note: {remark}")
        print_text(
            f"{folder}: {len(found.rows)} rows; {len(found.unusable)} unusable (unusable.jsonl)"
        )
        for line in _lost(Counter(one.reason for one in found.unusable)):
            print_text(line)
    print_text(f"Licence: {imported.header['licence']}")
    print_text(f"Language: {_language_in_words(imported.header['language'])}")


def _lost(reasons: Counter[str]) -> Iterator[str]:
    """A line for each of the commonest reasons why rows were left out, with their number."""
    for reason, count in reasons.most_common(_REASONS):
        yield f"  {count:,}: {reason}"
    if others := sum(count for _, count in reasons.most_common()[_REASONS:]):
        yield f"  {others:,}: other reasons"


def _language(tag: str | None) -> str | None:
    from maskaudit.probes.languages import canonical

    try:
        return None if tag is None else canonical(tag)
    except ValueError as error:
        raise InputError(f"--language {tag}: {error}") from error


def _language_in_words(tag: str) -> str:
    from maskaudit.probes.languages import UNDETERMINED

    return "not known; name it with --language" if tag == UNDETERMINED else tag

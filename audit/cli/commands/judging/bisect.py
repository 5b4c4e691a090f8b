"""The command `bisect`: the first of several versions in which a lean is credible."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Trust, note, print_json, print_text
from maskaudit.audit.cli.records import FORMS, completed, record_of
from maskaudit.audit.errors import InputError

if TYPE_CHECKING:
    from maskaudit.audit.recording.record import Record

_SUBJECTS = ("candidate", "difference")


def bisect(  # noqa: PLR0913 - the options of a command
    records: Annotated[
        list[str],
        typer.Argument(
            metavar="RECORDS...",
            help=f"The versions, the oldest first: one folder of records, or records: {FORMS}.",
            autocompletion=completed,
        ),
    ],
    *,
    change: Annotated[
        bool,
        typer.Option(
            "--change", help="Ask for a change from the first version, in either direction."
        ),
    ] = False,
    subject: Annotated[
        str,
        typer.Option(
            "--subject",
            metavar="SUBJECT",
            help="candidate, or difference: the lean beyond the reference's.",
        ),
    ] = "candidate",
    limit: Annotated[
        float,
        typer.Option(
            "--limit", metavar="NATS", min=0, help="What a lean or change has to be beyond."
        ),
    ] = 0.0,
    probe_sets: Annotated[
        list[str] | None,
        typer.Option("--probe-set", metavar="SET", help="Only this set; repeatable."),
    ] = None,
    fail_on_found: Annotated[
        bool, typer.Option("--fail-on-found", help="Exit with code 1 if a version is named.")
    ] = False,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Name the first version in which a lean is credible, and those of which that is unclear.

    Versions are held against each other sentence by sentence, from stored scores: no model is
    needed. Exit codes: 0 done, whether or not a version is named; 1 with --fail-on-found if one is;
    3 where nothing can be compared.
    """
    from maskaudit.audit.history import onset
    from maskaudit.reports.terminal import onset as words

    if subject not in _SUBJECTS:
        raise InputError(f"--subject {subject!r}: expected one of {', '.join(_SUBJECTS)}")
    if change and subject != "candidate":
        raise InputError("--change: is of the candidate; name no --subject with it")
    asked = onset.Asked(subject, change, limit, tuple(probe_sets or ()))
    bisected = onset.bisect(_loaded(_folders(records), asked.probe_sets, trust=trust), asked)
    for sentence in words.notes(bisected):
        note(sentence)
    if as_json:
        print_json(words.as_json(bisected))
    else:
        print_text(words.text(bisected))
    if fail_on_found and bisected.found:
        raise typer.Exit(1)


def _folders(records: list[str]) -> list[Path]:
    """The records that were typed, or all of the one folder of records in the order of writing."""
    from maskaudit.audit.recording.named import in_order
    from maskaudit.audit.recording.record import MANIFEST

    [first, *others] = records
    path = Path(first)
    if others or not path.is_dir() or (path / MANIFEST).is_file():
        return [record_of(name, tell=False) for name in records]
    return list(in_order(path))


def _loaded(folders: list[Path], probe_sets: tuple[str, ...], *, trust: bool) -> "list[Record]":
    """Records that hold, with the contrasts asked about made again from their scores."""
    from maskaudit.audit.estimating.registry.names import CONTRAST
    from maskaudit.audit.verifying.recomputed import Numbers
    from maskaudit.audit.verifying.verify import load_held

    numbers = Numbers(frozenset(probe_sets) or None, frozenset({CONTRAST}))
    held: list[Record] = []
    told: dict[str, list[str]] = {}
    for folder in folders:
        record, notes = load_held(folder, lambda _: numbers, trust=trust)
        held.append(record)
        for sentence in notes:
            told.setdefault(sentence, []).append(folder.name)
    # Once for all of them: twenty versions would say the same twenty times.
    for sentence, names in told.items():
        note(f"{', '.join(names)}: {sentence}")
    return held

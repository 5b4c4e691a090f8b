"""The command `verify-endpoint`: whether an endpoint serves the model that was audited."""

from typing import Annotated, Literal

import typer

from maskaudit.audit.cli.options import AsJson, Quiet, note, say
from maskaudit.audit.cli.records import LATEST, Record, record_of

_CODES = {"same": 0, "relative": 1, "another": 1, "undecided": 3}


def verify_endpoint(  # noqa: PLR0913 - the options of a command
    url: Annotated[str, typer.Argument(metavar="URL", help="The address of the endpoint.")],
    record: Record = LATEST,
    *,
    subject: Annotated[
        Literal["candidate", "reference"],
        typer.Option("--subject", help="Which model of the record should be served."),
    ] = "candidate",
    sentences: Annotated[
        int,
        typer.Option("--sentences", metavar="N", min=1, help="Sentences that are drawn and asked."),
    ] = 500,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="N", min=0, help="The seed of the draw; without it, a new one."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Tell by sentences of a record whether an endpoint serves the audited model.

    It may be the same, a relative (such as a quantised copy), or another.

    The answers are held against the recorded ones to four digits; how often a draw of sentences
    would mislead is said. [endpoint] of the AUDIT.toml here says how it is asked. Exit code 0: the
    same; 1: a relative or another; 3: undecided.
    """
    import secrets

    from maskaudit.audit import settings
    from maskaudit.audit.errors import InputError
    from maskaudit.audit.measuring.endpoints import address
    from maskaudit.audit.measuring.endpoints.canaries import compared
    from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
    from maskaudit.audit.recording.record import load_record
    from maskaudit.audit.running import progress

    declared = settings.read(None).endpoint
    folder = record_of(record, tell=not quiet)
    loaded = load_record(folder, ("contexts", "items", "scores"))
    if subject not in loaded.manifest.models:
        raise InputError(f"--subject {subject}: {folder.name} has no {subject}")
    # A new draw each time: who serves another model cannot know which sentences are asked.
    drawn = secrets.randbelow(2**31) if seed is None else seed
    with progress.shown(quiet=quiet or as_json) as tell:
        tell.stage(f"asking {address.name_of(url)}")
        # Nothing that was answered before is taken: what counts is what is served now.
        endpoint = Endpoint(url, declared)
        found = compared(endpoint, loaded, subject, sentences=sentences, seed=drawn)
    say(found, as_json=as_json)
    if not (quiet or as_json):
        if found.verdict != "same" and loaded.manifest.method.get("context") == "written":
            note(
                "the record was read with each word written in; where a tokenizer reads the mask's "
                'own text otherwise, compare with a record made with context = "as_encoded"'
            )
        note(f"the draw can be repeated with --seed {drawn}")
    raise typer.Exit(_CODES[found.verdict])

"""The commands `run` and `init`: run an audit, and write settings to start from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskaudit.audit.cli.commands.judging import gates
from maskaudit.audit.cli.commands.records.show import print_summary
from maskaudit.audit.cli.options import (
    AsJson,
    Device,
    Dtype,
    Engine,
    MostItems,
    Quiet,
    Reference,
    Threads,
    Trust,
    note,
    print_json,
    print_path,
    say,
)
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import gates_file
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.vocabulary import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskaudit.audit.estimating.balance import Unbalanced
    from maskaudit.audit.estimating.not_given import NotGiven
    from maskaudit.audit.judging.verdicts import Judgement
    from maskaudit.audit.recording.record import Record
    from maskaudit.audit.settings import Settings


def run(  # noqa: PLR0913 - the options of a command
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[AUDIT.toml|MODEL]",
            help="Settings, see `maskaudit init`; or the model that is judged, as --candidate.",
        ),
    ] = None,
    *,
    reference: Reference = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            "--candidate",
            "--student",
            metavar="MODEL[@REV]",
            help="The model that is judged; repeatable: each gets its own record.",
        ),
    ] = None,
    probes: Annotated[
        list[str] | None,
        typer.Option(
            "--probes",
            metavar="SET",
            help="A set by name, core, full, axis:NAME, a TOML file, an import's folder, a quoted "
            "pattern; repeatable. [default: core]",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="RUNS", help="The folder for records. [default: runs]"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            help="The seed that draws a grammar's frames; another N draws others. [default: 0]",
        ),
    ] = None,
    rules: gates.Gates = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be scored and lost; score nothing.")
    ] = False,
    skip_unchanged: Annotated[
        bool,
        typer.Option("--skip-unchanged", help="Reuse the record of an identical earlier audit."),
    ] = False,
    trust: Trust = False,
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache", help="Score everything again, and cache nothing to resume from."
        ),
    ] = False,
    allow_native: Annotated[
        bool,
        typer.Option(
            "--allow-native",
            help="Score transformers' class where a checkpoint brings code, which is never run.",
        ),
    ] = False,
    most_items: MostItems = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            help="Try it out: the first N sentences of each set, as many of each style. The record "
            "is marked as a trial, and is never a baseline.",
        ),
    ] = None,
    engine: Engine = None,
    device: Device = None,
    dtype: Dtype = None,
    threads: Threads = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            metavar="N",
            min=1,
            help="The most pieces (subwords) that are run at once. [default: 1024]",
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Audit a candidate against a reference; write a record and its page.

    Without any model the bundled pair is audited, offline. If there are gates, the record is
    judged, and the exit code is that of `maskaudit gate`.
    """
    from maskaudit.audit import settings
    from maskaudit.audit.running import progress

    file, model = _settings_or_model(what)
    audit_settings = settings.resolve(
        file,
        reference=reference,
        candidates=[*model, *(candidates or ())],
        probes=probes or (),
        out=out,
        seed=seed,
        gates=rules,
        no_cache=no_cache,
        allow_native=allow_native,
        most_items=most_items,
        limit=limit,
        engine=engine,
        device=device,
        dtype=dtype,
        threads=threads,
        batch_tokens=batch_tokens,
    )
    if trust and not skip_unchanged:
        raise InputError("--trust: is for records that are reused; it needs --skip-unchanged")
    if plan:
        with progress.shown(quiet=quiet or as_json) as tell:
            tell.stage("starting")
            from maskaudit.audit.preview import planned

            preview = planned(audit_settings, tell, tell.stage, note)
        say(preview, as_json=as_json)
        return
    with progress.shown(quiet=quiet or as_json) as tell:
        tell.stage("starting")  # most of the time until the first sentence goes into imports
        from maskaudit.audit import pipeline

        records = pipeline.run_all(
            audit_settings,
            skip_unchanged=skip_unchanged,
            trust=trust,
            progress=tell,
            stage=tell.stage,
            note=note,
        )
    if audit_settings.gates is None and not quiet:
        # At the end, where it is seen: an audit that nothing judged looks like one that passed.
        note(gates_file.absent(audit_settings.folder))
    raise typer.Exit(print_records(records, audit_settings, quiet=quiet, as_json=as_json))


def _settings_or_model(what: str | None) -> tuple[Path | None, list[str]]:
    """The settings file that the argument names, or the model.

    A file is settings: models are folders and hub ids. So is a name ending in .toml that is not
    there, and a folder of settings without a model, both of which are refused as settings.
    """
    if what is None:
        return None, []
    path = Path(what)
    is_file = is_there(path) and not path.is_dir()
    is_project = is_there(path / SETTINGS_FILE) and not is_there(path / "config.json")
    return (path, []) if is_file or is_project or path.suffix == ".toml" else (None, [what])


def init(
    file: Annotated[Path, typer.Argument(metavar="[AUDIT.toml]")] = Path("AUDIT.toml"),
) -> None:
    """Write a commented AUDIT.toml to start from, and a gates.toml beside it."""
    from maskaudit.audit.authoring import first_settings
    from maskaudit.audit.judging import policy
    from maskaudit.audit.recording.files import write_whole

    texts = {
        file: first_settings.TEMPLATE,
        file.with_name(policy.DEFAULT_FILE.name): policy.TEMPLATE,
    }
    # Settings are never overwritten: they are somebody's work.
    if is_there(file):
        raise InputError(f"{file}: already exists; name another file")
    for path, text in texts.items():
        if is_there(path):
            note(f"{path}: already exists and is left unchanged")
        else:
            print_path(write_whole(path, text))


def print_records(
    records: "Sequence[Record]", settings: "Settings", *, quiet: bool, as_json: bool
) -> int:
    """Print results and verdicts, and return the exit code: 1 outranks 3, and 3 outranks 0."""
    from maskaudit.audit.estimating.balance import unbalanced_in_record
    from maskaudit.audit.estimating.not_given import of_record
    from maskaudit.audit.judging import verdicts
    from maskaudit.audit.recording.record import PAGE
    from maskaudit.reports.overview import overview_path

    rules = settings.gates
    answers: list[dict[str, Any]] = []
    codes = []
    for record in records:
        assert record.path is not None  # noqa: S101 - it was just sealed
        # The pipeline has judged it: what is printed is what lies beside the record.
        judgement = None if rules is None else verdicts.read(record.path)
        nothing_scored = not record.is_measured
        # Nothing scored is no pass, even if there is no gate to say so.
        codes.append(3 if nothing_scored else 0 if judgement is None else judgement.exit_code)
        reasons = of_record(record.manifest, record.items)
        unbalanced = unbalanced_in_record(record.manifest, record.items, record.attributes)
        if as_json:
            answers.append(_answer(record, judgement, reasons, unbalanced))
        elif quiet:
            print_path(record.path / PAGE)
        else:
            print(end="" if record is records[0] else "\n")
            print_summary(record, judgement)
        if judgement is not None and rules is not None:
            gates.say(judgement, quiet=quiet or as_json, as_json=False)
            gates.for_ci(judgement, rules)
        # All records of a run have the same sets, so once is enough.
        told = [*reasons, *unbalanced] if record is records[0] else []
        for one in () if quiet or as_json else told:
            note(str(one))
        if nothing_scored:
            note("nothing could be scored; the page says why")
    if answers:
        print_json(answers[0] if len(answers) == 1 else answers)
    elif len(records) > 1:
        print_path(f"{'' if quiet else 'All of them: '}{overview_path(records)}")
    # A failed gate is certain, whatever else could not be judged.
    return max(codes, key=(0, 3, 1).index)


def _answer(
    record: "Record",
    judgement: "Judgement | None",
    reasons: "Sequence[NotGiven]",
    unbalanced: "Sequence[Unbalanced]",
) -> dict[str, Any]:
    """What is printed of a record as JSON."""
    from maskaudit.audit.recording.record import PAGE
    from maskaudit.reports.page import headline
    from maskaudit.reports.terminal import bounds, texts

    assert record.path is not None  # noqa: S101 - it was just sealed
    return {
        "record": str(record.path),
        "page": str(record.path / PAGE),
        "headline": headline(record).sentence,
        "not_given": [reason.as_json() for reason in reasons],
        "unbalanced": [found.as_json() for found in unbalanced],
        **({"texts": told} if (told := texts.as_json(record)) else {}),
        **({"bounds": ends} if (ends := bounds.as_json(record)) else {}),
        **({} if judgement is None else {"gates": judgement.as_json()}),
    }

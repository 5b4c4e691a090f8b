"""The command line: words in, a line or a table and an exit code out; no arithmetic.

Torch, pandas and the program's own stages are imported inside the commands that use them, so that
`--help` answers at once.
"""

import contextlib
import errno
import io
import os
import signal
import sys
import tempfile
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from maskaudit.audit.cli import baselines, endpoint, gates, history, unattended
from maskaudit.audit.cli.options import AsJson, Quiet, print_json
from maskaudit.audit.errors import InputError, MaskauditError, MissingExtraError
from maskaudit.audit.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskaudit.audit.recording.record import Record
    from maskaudit.audit.settings import Settings

app = typer.Typer(
    name="maskaudit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="How far a masked language model leans between groups of people, and whether a student "
    "leans further than its teacher.",
    epilog="Exit codes: 0 done; 1 a gate or a self-test failed, or a version is worse; 2 wrong "
    "usage or input; 3 could not judge; 70 internal error; 74 cannot write; 75 another run holds "
    "the folder; 130 and 143 interrupted, the same command goes on from there.",
)
probes_app = typer.Typer(no_args_is_help=True, help="Look at probe sets and check your own.")
app.add_typer(probes_app, name="probes")
baseline_app = typer.Typer(
    no_args_is_help=True, help="Accepted versions, kept in git, that new ones are held against."
)
app.add_typer(baseline_app, name="baseline")
for _command in (baselines.accept, baselines.show, baselines.diff):
    baseline_app.command()(_command)
cache_app = typer.Typer(no_args_is_help=True, help="Scores that are kept to resume a run.")
app.add_typer(cache_app, name="cache")
cache_app.command("info")(unattended.cache_info)
cache_app.command("clear")(unattended.cache_clear)

RESUMABLE = "nothing half-written was kept, and the same command goes on from what was scored"
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}
INTERNAL, CANNOT_WRITE, INTERRUPTED, TERMINATED = 70, 74, 130, 143
EXTRA = {"torch", "transformers", "safetensors", "tokenizers"}
# Wrong usage is click's own exception to some versions of typer, and a copy of it to others.
WrongUsage: Any = typer.BadParameter.__bases__[0]

Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        "--teacher",
        metavar="MODEL[@REV]",
        help="The older or larger model: a folder or a hub id.",
    ),
]
Candidate = Annotated[
    str | None,
    typer.Option(
        "--candidate", "--student", metavar="MODEL[@REV]", help="The model that is judged."
    ),
]


class Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a minus sign is in few encodings but UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_code())


def _code() -> int:
    """Run the command that was typed; every error becomes one line and its exit code."""
    try:
        # Not `app()`: typer would end an interrupted command without a word.
        command = typer.main.get_command(app)
        with command.make_context("maskaudit", sys.argv[1:]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as ended:
        return int(ended.exit_code)
    except KeyboardInterrupt:
        return _told(f"interrupted; {RESUMABLE}", INTERRUPTED)
    except Terminated:
        return _told(f"terminated; {RESUMABLE}", TERMINATED)
    except WrongUsage as error:
        error.show()
        return int(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last door: a line for the user, all in a file
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    """Say in one line what kept a command from its end."""
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing in EXTRA:
        error = MissingExtraError(missing)
    if isinstance(error, MaskauditError):
        return _told(str(error), error.exit_code)
    if isinstance(error, OSError) and error.errno in {errno.EPIPE, *FULL}:
        _drop_output()
        if error.errno in FULL:  # a pipe is closed by whoever has read enough: no fault
            _told(f"cannot write ({error.strerror})", CANNOT_WRITE)
        return CANNOT_WRITE
    return _internal(error)


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise Terminated


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that the end of the process does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(message: str, code: int) -> int:
    with contextlib.suppress(OSError):  # the code is an answer too, where nothing can be printed
        for line in message.splitlines():
            print(f"maskaudit: {printable(line)}", file=sys.stderr)
    return code


def _internal(error: Exception) -> int:
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="maskaudit-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError:
        print(text, file=sys.stderr)
        return _told(f"internal error: {type(error).__name__}", INTERNAL)
    what = f"internal error ({type(error).__name__}); the traceback is in {file.name}"
    return _told(what, INTERNAL)


@app.callback(invoke_without_command=True)
def _top(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if show_version:
        print(version("maskaudit"))
        raise typer.Exit


@app.command()
def run(  # noqa: PLR0913 - the options of a command
    file: Annotated[
        Path | None, typer.Argument(metavar="[AUDIT.toml]", help="Settings; see `maskaudit init`.")
    ] = None,
    *,
    reference: Reference = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            "--candidate",
            "--student",
            metavar="MODEL[@REV]",
            help="The model that is judged; repeatable: each has a record of its own.",
        ),
    ] = None,
    probes: Annotated[
        list[str] | None,
        typer.Option(
            "--probes",
            metavar="SET",
            help="A set by name, a TOML file, an import's folder, a quoted pattern; repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RUNS", help="Where records go. [default: runs]")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            help="What draws the frames of a grammar: another N, other frames. [default: 0]",
        ),
    ] = None,
    rules: gates.Gates = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be scored and lost; score nothing.")
    ] = False,
    skip_unchanged: Annotated[
        bool,
        typer.Option(
            "--skip-unchanged", help="Where the same was audited before, take that record."
        ),
    ] = False,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Score all anew and keep nothing to resume from."),
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Audit a candidate against a reference; write a record and its page.

    Without any model the bundled pair is audited, offline. Where there are gates the record is
    judged, and the exit code is that of `maskaudit gate`.
    """
    from maskaudit.audit import pipeline, settings
    from maskaudit.audit.running import progress

    wanted = settings.asked(
        file,
        reference=reference,
        candidates=candidates or (),
        probes=probes or (),
        out=out,
        seed=seed,
        gates=rules,
        no_cache=no_cache,
    )
    if plan:
        from maskaudit.audit.preview import planned

        _say(planned(wanted), as_json=as_json)
        return
    with progress.shown(quiet=quiet or as_json) as tell:
        records = pipeline.run_all(wanted, skip_unchanged=skip_unchanged, progress=tell, note=_note)
    raise typer.Exit(_say_records(records, wanted, quiet=quiet, as_json=as_json))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(metavar="[AUDIT.toml]")] = Path("AUDIT.toml"),
) -> None:
    """Write a commented AUDIT.toml to start from, and a gates.toml beside it."""
    from maskaudit.audit import settings
    from maskaudit.audit.judging import policy
    from maskaudit.audit.recording.files import write_whole

    texts = {
        file: settings.TEMPLATE,
        file.with_name(policy.DEFAULT_FILE.name): policy.TEMPLATE,
    }
    if file.exists():
        raise InputError(f"{file}: is there already; name another file")
    for path, text in texts.items():
        if path.exists():
            _note(f"{path}: is there already and stays as it is")
        else:
            print(write_whole(path, text))


app.command()(gates.gate)


@app.command()
def report(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record's folder.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[default: RECORD/report.html]"),
    ] = None,
) -> None:
    """Write the page of a record again; needs neither torch nor the models."""
    from maskaudit.audit.recording.record import load_record
    from maskaudit.reports.html import write_page

    print(write_page(load_record(record), output))


app.command()(baselines.compare)
app.command()(history.history)
app.command()(history.schedule)


@probes_app.command("list")
def list_probes(*, as_json: AsJson = False) -> None:
    """The probe sets that are shipped."""
    from maskaudit.probes.loading import load, shipped

    sets = [load(path).header for path in shipped().values()]
    if as_json:
        print_json([part.model_dump(include={"name", "version", "axis", "title"}) for part in sets])
        return
    for part in sets:
        print(f"{part.name:20}  {part.axis:16}  {part.title}")


@probes_app.command("show")
def show_probes(
    name: Annotated[str, typer.Argument(metavar="SET", help="A set by name, or a TOML file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Every masked sentence of a set, with its targets."""
    from maskaudit.audit.preview import sentences

    _say(sentences(name), as_json=as_json)


@probes_app.command("check")
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


@probes_app.command("import")
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


@app.command()
def fill(  # noqa: PLR0913 - the options of a command
    sentence: Annotated[
        str | None, typer.Argument(metavar="SENTENCE", help="With [MASK] where words are missing.")
    ] = None,
    *,
    reference: Reference = None,
    candidate: Candidate = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many fills.")] = 5,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help='The endpoint form {"input_data": ["..."]}; - reads standard input. Prints the '
            "candidate's likeliest fills as a JSON list.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The likeliest words at the mask, of both models side by side."""
    if (sentence is None) == (source is None):
        raise InputError("fill: expected one of SENTENCE and --input FILE (- for standard input)")
    from maskaudit.audit import settings
    from maskaudit.audit.measuring.fill import fills
    from maskaudit.audit.measuring.pairs import load_models

    sentences = [str(sentence)] if source is None else endpoint.sentences(source, _note)
    wanted = settings.asked(reference=reference, candidate=candidate)
    models = load_models(wanted)
    if wanted.models.reference is not None and not wanted.candidates:
        models = {"reference": models["candidate"]}  # as it was named
    contexts, found = fills(sentences, models, top)
    if source is not None:
        first = found[(found["model"] == list(models)[-1]) & (found["rank"] == 1)]
        by_context = first.set_index("context")["token"]
        tokens = contexts.assign(token=contexts["context"].map(by_context))
        answers = tokens.groupby("text", sort=False)["token"].agg(" ".join)
        print_json([answers[text] for text in sentences])
        return
    rows = found.merge(contexts, on="context")
    if as_json:
        columns = ["text", "slot", "model", "rank", "token", "probability"]
        print_json(rows[columns].to_dict("records"))
        return
    for _, part in rows.groupby(["text", "slot"], sort=False):
        _print_side_by_side(part)


@app.command()
def estimators(*, as_json: AsJson = False) -> None:
    """Every number that a record may hold, a line each; --json has all that is known of it."""
    from maskaudit.audit.estimating.numbers import every

    if as_json:
        print_json([entry.plain() for entry in every()])
        return
    for entry in every():
        harm = f"harm {entry.harm}" if entry.harm else "-"
        print(
            f"{entry.name:27}  {entry.unit or entry.form:19}  {harm:7}  {entry.judged or '-':41}  "
            f"{entry.definition.partition('. ')[0]}"
        )


@app.command()
def selftest(
    *,
    published: Annotated[
        str | None,
        typer.Option(
            "--published",
            metavar="MODEL",
            help="Hold a published model's known fills against what is measured here.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also plant leans exactly, test 200 untrained models, and change all that should "
            "not matter (some minutes).",
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Let the instrument prove itself on the bundled pair, whose truth is known."""
    from dataclasses import asdict

    from maskaudit.audit.proving import selftest as checks
    from maskaudit.audit.proving.published import published as known
    from maskaudit.audit.running import progress

    if full and published is not None:
        raise InputError("selftest: expected one of --full and --published MODEL")
    with progress.shown(quiet=quiet or as_json) as tell:
        if published is not None:
            found = list(known(published))
        else:
            found = checks.full(tell) if full else checks.selftest(tell)
    failed = [check for check in found if not check.passed]
    if as_json:
        print_json([asdict(check) for check in found])
    elif not quiet:
        for check in found:
            mark = "ok  " if check.passed else "FAIL"
            print(f"{mark}  {check.name}: {check.found} (expected {check.expected})")
        print(f"{len(found) - len(failed)} passed, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)


def _say(lines: "Any", *, as_json: bool) -> None:  # noqa: ANN401 - anything that knows both forms
    if as_json:
        print_json(lines.as_json())
    else:
        print(lines.as_text())


def _note(sentence: str) -> None:
    """Tell what somebody may want to know, where it does not disturb what was asked for."""
    with contextlib.suppress(OSError):
        print(f"maskaudit: note: {printable(sentence)}", file=sys.stderr)


def _say_records(
    records: "Sequence[Record]", wanted: "Settings", *, quiet: bool, as_json: bool
) -> int:
    """Say what was found and judged, and return the exit code: 1 beats 3, and 3 beats 0."""
    from maskaudit.audit.judging import verdicts
    from maskaudit.reports.html import FILE
    from maskaudit.reports.overview import place
    from maskaudit.reports.page import headline

    answers: list[dict[str, Any]] = []
    codes = []
    for record in records:
        assert record.path is not None  # noqa: S101 - it was just sealed
        judgement = None if wanted.gates is None else verdicts.read(record.path)
        nothing = bool(record.scores["value"].isna().all())
        codes.append(3 if nothing else 0 if judgement is None else judgement.exit_code)
        file, claim = record.path / FILE, headline(record).sentence
        answers.append({"record": str(record.path), "page": str(file), "headline": claim})
        if judgement is not None:
            answers[-1]["gates"] = judgement.as_json()
        if not as_json:
            told = f"{claim}\nRecord: {record.path}\nPage:   {file}"
            print(file if quiet else told)
        if judgement is not None and wanted.gates is not None:
            gates.say(judgement, quiet=quiet or as_json, as_json=False)
            gates.for_ci(judgement, wanted.gates)
        if nothing:
            _note("nothing could be scored; the page says why")
    if as_json:
        print_json(answers[0] if len(answers) == 1 else answers)
    elif len(records) > 1:
        print(place(records) if quiet else f"All of them: {place(records)}")
    return max(codes, key=(0, 3, 1).index)


def _print_side_by_side(part: "Any") -> None:  # noqa: ANN401 - a DataFrame
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(printable(part["text"].iloc[0])), title_justify="left")
    models = list(dict.fromkeys(part["model"]))
    table.add_column("rank", justify="right")
    for model in models:
        table.add_column(model)
        table.add_column("p", justify="right")
    for rank, rows in part.groupby("rank"):
        by_model = rows.set_index("model")
        cells = [
            cell
            for model in models
            for cell in (
                escape(printable(by_model.loc[model, "token"])),
                f"{by_model.loc[model, 'probability']:.4f}",
            )
        ]
        table.add_row(str(rank), *cells)
    Console().print(table)

"""The program `maskaudit`: its commands, and the only place where errors become exit codes.

Torch, pandas and the audit's stages are imported inside the commands that use them, so that
`--help` responds at once.
"""

import contextlib
import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer

from maskaudit.audit.cli import authoring, groups, internal, process
from maskaudit.audit.cli.commands.checking import selftest, verify, verify_endpoint
from maskaudit.audit.cli.commands.judging import baselines, bisect, claims, gates, history
from maskaudit.audit.cli.commands.measuring import distil, evaluate, fill, first_words, run
from maskaudit.audit.cli.commands.records import card, export, report, robustness, show, site
from maskaudit.audit.cli.commands.tools import cache, probes, serve
from maskaudit.audit.cli.options import note
from maskaudit.audit.errors import MaskauditError, MissingExtraError, UndrawnWarning
from maskaudit.audit.texts.printable import printable

app = typer.Typer(
    name="maskaudit",
    no_args_is_help=True,
    # An error is one line here, where typer would print a traceback.
    pretty_exceptions_enable=False,
    # Otherwise square brackets in help texts, as in [default: runs], could be read as markup.
    rich_markup_mode=None,
    help="How far a masked language model leans between groups of people, and whether a student "
    "leans further than its teacher.",
    epilog="Exit codes: 0 done; 1 a gate or a self-test failed, a version is worse, a record "
    "does not hold, a card is stale, or a claim is contradicted; 2 wrong usage or input; 3 could "
    "not judge; 70 internal error; 74 cannot write, or out of memory; 75 another run holds the "
    "folder; 129, 130 and 143 interrupted, run the same command again to resume.",
)
app.command()(run.run)
app.command()(evaluate.evaluate)
app.command()(run.init)
app.command("list")(show.list_records)
app.command()(show.show)
app.command("open")(show.open_page)
app.command()(gates.gate)
app.command()(report.report)
app.command()(export.export)
app.command()(site.site)
app.command()(robustness.robustness)
app.command()(verify.verify)
app.command()(verify.sign)
app.command()(verify_endpoint.verify_endpoint)
app.command()(baselines.compare)
app.command()(history.history)
app.command()(bisect.bisect)
app.command()(history.schedule)
app.command()(distil.distil)
app.command()(fill.fill)
app.command()(serve.serve)
app.command()(first_words.first_words)
app.command()(report.estimators)
app.command()(selftest.selftest)
probes_app = typer.Typer(no_args_is_help=True, help="Look at probe sets and check your own.")
app.add_typer(probes_app, name="probes")
probes_app.command("list")(probes.list_probes)
probes_app.command("show")(probes.show_probes)
probes_app.command("check")(probes.check_probes)
probes_app.command("new")(authoring.new)
probes_app.command("preview")(authoring.preview)
probes_app.command("schema")(authoring.print_schema)
probes_app.command("import")(probes.import_probes)
baseline_app = typer.Typer(
    no_args_is_help=True, help="Accepted versions, kept in git, that new ones are compared with."
)
app.add_typer(baseline_app, name="baseline")
for _command in (baselines.accept, baselines.show, baselines.diff):
    baseline_app.command()(_command)
card_app = typer.Typer(
    cls=groups.CardGroup,
    help="An audit as a section of a model card: maskaudit card RECORD prints it.",
)
app.add_typer(card_app, name="card")
card_app.command()(card.show)
card_app.command()(card.apply)
card_app.command()(card.badge)
claims_app = typer.Typer(
    cls=groups.ClaimsGroup,
    help="What a model card says, checked: maskaudit claims CARD --model MODEL.",
)
app.add_typer(claims_app, name="claims")
claims_app.command()(claims.check)
claims_app.command()(claims.draft)
cache_app = typer.Typer(
    no_args_is_help=True, help="Cached scores, from which an interrupted run resumes."
)
app.add_typer(cache_app, name="cache")
cache_app.command("info")(cache.cache_info)
cache_app.command("clear")(cache.cache_clear)

RESUMABLE = (
    "nothing half-written was kept, and nothing that was finished is lost; run the same command "
    "again to resume"
)
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}
INTERNAL, CANNOT_WRITE = 70, 74
COMPLETE = "_MASKAUDIT_COMPLETE"
# What a library says that had no memory for its own code or numbers.
NO_MEMORY = ("failed to map segment", "allocate memory", "out of memory")
EXTRA = {"torch", "transformers", "safetensors", "tokenizers"}
# Some versions of typer raise click's own exception for wrong usage, others raise a copy of it.
WrongUsage: Any = typer.BadParameter.__bases__[0]


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    try:
        process.watch()
        if isinstance(sys.stdout, io.TextIOWrapper):  # few encodings but UTF-8 have a minus sign
            sys.stdout.reconfigure(errors="backslashreplace")
        warnings.showwarning = _note_warning(warnings.showwarning)
        code = _exit_code()
    except (KeyboardInterrupt, process.Stopped) as stopped:  # while an error was being printed
        code = _stopped(stopped)
    process.leave(code)


def _exit_code() -> int:
    """Run the command and return its exit code; every error is printed as one line."""
    try:
        if os.environ.get(COMPLETE):  # a shell asks what may follow: typer's own answer
            app(prog_name="maskaudit")
        # Not `app()`: typer would end an interrupted command without a message.
        command = typer.main.get_command(app)
        with command.make_context("maskaudit", sys.argv[1:]) as context:
            command.invoke(context)
        # Here, and not at exit, so that a full disk or closed pipe is caught below.
        sys.stdout.flush()
    except typer.Exit as ended:
        return int(ended.exit_code)
    except SystemExit as ended:  # of typer's completion
        return int(ended.code or 0)
    except (KeyboardInterrupt, process.Stopped) as stopped:
        return _stopped(stopped)
    except WrongUsage as error:
        error.show()
        return int(error.exit_code)
    except Exception as error:  # noqa: BLE001 - last resort: a line here, the traceback in a file
        return _failure(error)
    return 0


def _stopped(stopped: BaseException) -> int:
    """Say in one line that a signal ended the command, and return its exit code."""
    number = stopped.number if isinstance(stopped, process.Stopped) else signal.SIGINT
    code, word = process.ENDINGS[signal.Signals(number)]
    return _print_error(f"{word}; {RESUMABLE}", code)


def _failure(error: Exception) -> int:
    """Print in one line why a command failed, and return its exit code."""
    # First, because a library that finds no memory to load is an `ImportError` too, and would be
    # told as one that is missing.
    if _is_out_of_memory(error):
        return _print_error(
            "out of memory; nothing half-written was kept. Free some, raise the limit "
            "(ulimit -v), or audit fewer sentences at once",
            CANNOT_WRITE,
        )
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing in EXTRA:
        error = MissingExtraError(missing)
    if isinstance(error, MaskauditError):
        return _print_error(str(error), error.exit_code)
    if isinstance(error, OSError) and error.errno in {errno.EPIPE, *FULL}:
        # What could not be written now cannot be at exit either, where it would be another error.
        process.drop(sys.stdout.fileno())
        if error.errno in FULL:  # a closed pipe needs no message: its reader has read enough
            _print_error(f"cannot write ({error.strerror})", CANNOT_WRITE)
        return CANNOT_WRITE
    return _print_error(internal.told(error), INTERNAL)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    # Those that are not told by their type: a library that cannot be loaded, torch's own.
    return isinstance(error, ImportError | RuntimeError) and any(
        words in str(error) for words in NO_MEMORY
    )


def _note_warning(otherwise: Callable[..., None]) -> Callable[..., None]:
    """Show our own warnings as notes, and those of libraries as they are."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:  # noqa: ANN401
        if issubclass(category, UndrawnWarning):
            note(str(message))
        else:
            otherwise(message, category, *where, **more)

    return show


def _print_error(message: str, code: int) -> int:
    with contextlib.suppress(OSError):  # if nothing can be printed, the exit code still informs
        for line in message.splitlines():
            print(f"maskaudit: {printable(line)}", file=sys.stderr)
    return code


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

"""The commands `history` and `schedule`: many audits in a row, and snippets to repeat one."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, print_json, print_path, print_text
from maskaudit.audit.cli.records import Runs, runs_folder
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.names import is_there


def history(  # noqa: PLR0913 - the options of a command
    runs: Runs = None,
    *,
    probe_sets: Annotated[
        list[str] | None,
        typer.Option("--probe-set", metavar="SET", help="Only this set; repeatable."),
    ] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", metavar="SLICE", help="Only this slice; repeatable."),
    ] = None,
    estimators: Annotated[
        list[str] | None,
        typer.Option(
            "--estimator",
            metavar="NAME",
            help="Only this estimator; repeatable. [default: stereotype_contrast of tested sets]",
        ),
    ] = None,
    subjects: Annotated[
        list[str] | None,
        typer.Option(
            "--subject",
            metavar="SUBJECT",
            help="reference, candidate, difference or relation; repeatable. "
            "[default: candidate and difference]",
        ),
    ] = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option("--candidate", metavar="NAME", help="Only records of this candidate."),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="RECORD|DATE",
            help="Only records after this record, named in any way, or after this date.",
        ),
    ] = "",
    limit: Annotated[
        float | None,
        typer.Option(
            "--limit",
            metavar="NUMBER",
            help="The limit for draws of a grammar: a gate's margin or bound. Needs exactly one "
            "--subject. [default: 0 for a difference]",
        ),
    ] = None,
    last: Annotated[
        int,
        typer.Option("--last", metavar="N", min=1, help="How many records of a series to show."),
    ] = 20,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Also write a page.")
    ] = None,
    fail_on_alarm: Annotated[
        bool, typer.Option("--fail-on-alarm", help="Exit with code 1 if there is an alarm.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a series of audits: versions, repeats, draws and change points; also as a page."""
    from maskaudit.audit.history import plain
    from maskaudit.audit.history.judge import judge
    from maskaudit.audit.history.read import Chosen, read
    from maskaudit.reports.over_time import page as pages
    from maskaudit.reports.terminal import history as words

    # A lean of one model and a difference of two are not of one size: no limit fits both.
    if limit is not None and len(subjects or ()) != 1:
        raise InputError("--limit: applies to a single number; name exactly one --subject")
    chosen = Chosen(
        probe_sets=tuple(probe_sets or ()),
        slices=tuple(slices or ()),
        estimators=tuple(estimators or ()),
        subjects=tuple(subjects or ()),
        candidates=tuple(candidates or ()),
        since=since,
    )
    judgement = judge(read(runs or runs_folder(), chosen), limit=limit)
    # On standard error, as the alarms: standard output has the result alone, for a pipe.
    for sentence in words.notes(judgement):
        print_text(f"maskaudit: {sentence}", sys.stderr)
    page = None if output is None else pages.write(judgement, output)
    if as_json:
        print_json(plain.as_json(judgement))
    elif page is not None:
        print_path(page)
    else:
        print_text(words.text(judgement, last))
    for alarm in words.alarms(judgement):
        print_text(f"alarm: {alarm}", sys.stderr)
    if fail_on_alarm and judgement.alarms:
        raise typer.Exit(1)


def schedule(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="cron, systemd, github, gitlab or kubernetes.")
    ],
    *,
    every: Annotated[str, typer.Option("--every", help="daily or weekly.")] = "daily",
    settings: Annotated[
        Path, typer.Option("--settings", metavar="AUDIT.toml", help="What to audit.")
    ] = Path("AUDIT.toml"),
    fresh_frames: Annotated[
        bool,
        typer.Option(
            "--fresh-frames", help="Draw new frames of a grammar every week; the week is the seed."
        ),
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use only models that are already downloaded.")
    ] = False,
) -> None:
    """Print what lets a scheduler run the audit: save it where its first lines say."""
    from maskaudit.audit.running import schedule as snippets
    from maskaudit.audit.settings import read

    if kind not in snippets.KINDS:
        raise InputError(
            f"{kind!r}: no such scheduler; expected one of {', '.join(snippets.KINDS)}"
        )
    if every not in snippets.EVERY:
        raise InputError(f"--every {every!r}: expected one of {', '.join(snippets.EVERY)}")
    # The file may be on another machine, where the snippet is to run.
    runs = read(settings).run.runs if is_there(settings) else "runs"
    text = snippets.snippet(
        kind,
        settings,
        every=every,
        fresh_frames=fresh_frames,
        offline=offline,
        command=_program(),
        runs=runs,
    )
    print(text, end="")


def _program() -> str:
    """The `maskaudit` beside the running Python, else the one on the search path."""
    # A scheduler has a short search path, so the snippet names the program in full.
    beside = Path(sys.executable).with_name("maskaudit")
    return str(beside) if beside.is_file() else shutil.which("maskaudit") or "maskaudit"

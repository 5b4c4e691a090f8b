"""The command `gate`: verdicts on a record, for people, CI and other programs."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Quiet, Trust, note, print_json, print_text
from maskaudit.audit.cli.records import LATEST, Record, completed, record_of
from maskaudit.audit.errors import CannotWriteError

if TYPE_CHECKING:
    from maskaudit.audit.judging.policy import Policy
    from maskaudit.audit.judging.verdicts import Judgement
    from maskaudit.audit.recording import record as recorded

POLICY = Path("gates.toml")
Gates = Annotated[
    Path | None,
    typer.Option(
        "--gates", metavar="FILE", help="Rules to judge by. [default: gates.toml beside AUDIT.toml]"
    ),
]

Baseline = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="RECORD",
        help="Compare with this record, not with the accepted baseline.",
        autocompletion=completed,
    ),
]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")]
Summary = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Add a Markdown table to a file."),
]
Comment = Annotated[
    Path | None,
    typer.Option("--comment", metavar="FILE", help="Write Markdown for a pull request."),
]
Github = Annotated[
    bool | None,
    typer.Option(
        "--github/--no-github",
        help="Annotate gates.toml and add to the step's summary. [default: only in GitHub Actions]",
    ),
]


def gate(  # noqa: PLR0913 - the options of a command
    record: Record = LATEST,
    *,
    gates: Annotated[
        Path, typer.Option("--gates", metavar="FILE", help="The rules; see `maskaudit init`.")
    ] = POLICY,
    baseline: Baseline = None,
    junit: Junit = None,
    summary: Summary = None,
    comment: Comment = None,
    github: Github = None,
    trust: Trust = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Judge a record by the rules of gates.toml; needs neither torch nor the models.

    The numbers that are judged are made again from the record's scores, and a record whose numbers
    are others is refused. Exit code 0: every gate passed; 1: one failed; 3: something could not be
    judged.
    """
    from maskaudit.audit.judging import verdicts
    from maskaudit.audit.judging.policy import read
    from maskaudit.audit.judging.select import judged_numbers
    from maskaudit.audit.recording.record import PAGE
    from maskaudit.audit.verifying.verify import load_held

    policy = read(gates)
    folder = record_of(record, tell=False)
    # Not every number: to make those again that no rule judges would take far longer.
    held, notes = load_held(folder, partial(judged_numbers, policy), trust=trust)
    judgement = judged(held, policy, baseline, notes, trust=trust)
    aside = ""
    try:
        # Beside the tables, where the page and `run` find them; the record itself stays as it was.
        verdicts.write(judgement, folder)
    except CannotWriteError as error:  # the record may be read-only
        aside = str(error)
    else:
        if (folder / PAGE).is_file() and not quiet:
            aside = f"its page may show older verdicts; to update it: maskaudit report {folder}"
    if aside:
        note(aside)
    for_ci(judgement, gates, junit=junit, summary=summary, comment=comment, github=github)
    say(judgement, quiet=quiet, as_json=as_json)
    raise typer.Exit(judgement.exit_code)


def judged(
    held: "recorded.Record",
    policy: "Policy",
    baseline: str | None,
    notes: Sequence[str],
    *,
    trust: bool,
) -> "Judgement":
    """The verdicts of today on a record that holds, with what was noted when it was read."""
    from maskaudit.audit.judging.judge import judge
    from maskaudit.audit.verifying.recomputed import NONE
    from maskaudit.audit.verifying.verify import load_held

    # Of a record that replaces the baseline only the scores are used.
    other = (
        None if baseline is None else load_held(record_of(baseline), lambda _: NONE, trust=trust)[0]
    )
    judgement = judge(held, policy, baseline=other, today=datetime.now(UTC).date())
    return replace(judgement, notes=(*judgement.notes, *notes))


def say(judgement: "Judgement", *, quiet: bool, as_json: bool) -> None:
    """Print verdicts as sentences; or as JSON, with the sentences on standard error."""
    from maskaudit.reports.ci.json_values import as_json as judgement_as_json
    from maskaudit.reports.words.verdicts import lines

    if as_json:
        print_json(judgement_as_json(judgement))
    if not quiet:
        print_text("\n".join(lines(judgement)), sys.stderr if as_json else sys.stdout)


def for_ci(  # noqa: PLR0913 - a file each
    judgement: "Judgement",
    gates: Path,
    *,
    junit: Path | None = None,
    summary: Path | None = None,
    comment: Path | None = None,
    github: bool | None = None,
) -> None:
    """Write what a CI shows: JUnit XML, a summary, a comment, annotations.

    If `github` is None, GitHub's annotations and summary are written only in GitHub Actions. Raises
    `CannotWriteError` if a file cannot be written.
    """
    if github is None:
        github = os.environ.get("GITHUB_ACTIONS") == "true"
    if not (github or junit or summary or comment):
        return  # and import nothing of what would write it
    from maskaudit.audit.recording.files import write_whole, writing
    from maskaudit.reports.ci import markdown
    from maskaudit.reports.ci.github import annotations
    from maskaudit.reports.ci.junit import junit as junit_of

    if github:
        workspace = os.environ.get("GITHUB_WORKSPACE")
        root = Path(workspace) if workspace else None
        # GitHub reads annotations from both streams; stdout is kept for the result.
        print_text("\n".join(annotations(judgement, gates, root)), sys.stderr)
        step = os.environ.get("GITHUB_STEP_SUMMARY")
        summary = summary or (Path(step) if step else None)
    unwritten = []
    for path, text in ((junit, junit_of), (comment, markdown.comment)):
        if path is not None:
            # One file that cannot be written must not cost the others.
            try:
                write_whole(path, text(judgement))
            except CannotWriteError as error:
                unwritten.append(str(error))
    if summary is not None:
        # Appended, because other steps of a CI job write to the same summary.
        with writing(summary), summary.open("a", encoding="utf-8") as file:
            file.write(markdown.summary(judgement))
    if unwritten:
        raise CannotWriteError("\n".join(unwritten))

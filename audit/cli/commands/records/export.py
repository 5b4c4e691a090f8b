"""The command `export`: a record and its verdicts in the formats of other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.commands.judging.gates import POLICY, Baseline, judged
from maskaudit.audit.cli.options import Trust, note, print_path, print_text
from maskaudit.audit.cli.records import LATEST, Record, record_of
from maskaudit.audit.texts import gates_file

if TYPE_CHECKING:
    from maskaudit.audit.judging.policy import Policy


def export(  # noqa: PLR0913 - the options of a command
    form: Annotated[
        str, typer.Argument(metavar="FORMAT", help="csv, json, mlflow, prometheus or sarif.")
    ],
    record: Record = LATEST,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write a file; for mlflow, the folder of runs. [default: standard output; for "
            "mlflow, its own settings]",
        ),
    ] = None,
    gates: Annotated[
        Path | None,
        typer.Option(
            "--gates",
            metavar="FILE",
            help="Rules to judge by. [default: gates.toml, where there is one]",
        ),
    ] = None,
    baseline: Baseline = None,
    trust: Trust = False,
) -> None:
    """Write a record for monitoring, code scanning, MLflow or a spreadsheet.

    Needs neither torch nor the models. Every number is made again from the record's scores first,
    and where there are gates the record is judged as `maskaudit gate` does. The exit code tells of
    the export alone; what the gates end with is in what is written.
    """
    from maskaudit.audit.verifying.recomputed import EVERY
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.exports import formats
    from maskaudit.reports.exports.audited import Audited, Judged

    formats.check(form, with_gates=gates is not None or baseline is not None)
    policy = None if form in formats.WITHOUT_VERDICTS else _policy(gates, baseline)
    held, notes = load_held(record_of(record), lambda _: EVERY, trust=trust)
    verdicts = None
    if policy is not None:
        verdicts = Judged(judged(held, policy, baseline, notes, trust=trust), policy)
    for sentence in notes:
        note(sentence)
    text = formats.write(form, Audited(held, verdicts), output)
    if output is not None and form != formats.MLFLOW:
        print_path(output)
    else:
        print_text(text.removesuffix("\n"))


def _policy(gates: Path | None, baseline: str | None) -> "Policy | None":
    """The gates that are named, else those of the working folder; None if there are none."""
    from maskaudit.audit.judging.policy import read

    folder = Path()
    file = gates or gates_file.find(folder)
    if file is None and baseline is not None:
        file = POLICY  # which is not there, and said to be missing as `gate` says it
    if file is None:
        note(gates_file.absent(folder))
        return None
    return read(file)

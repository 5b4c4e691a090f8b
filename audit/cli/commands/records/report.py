"""The commands `report` and `estimators`: the page of a record, and the numbers on it."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Trust, note, print_json, print_path
from maskaudit.audit.cli.records import LATEST, Record, record_of


def report(
    record: Record = LATEST,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Its suffix says what is written: the page (.html, .pdf), the section for a model "
            "card (.md), every number (.json, .csv). [default: RECORD/report.html]",
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Write the page of a record again, or another form of it; needs no torch and no models.

    Its numbers are made again from the record's scores first; a record whose numbers are others is
    refused.
    """
    from maskaudit.audit.verifying.recomputed import EVERY, OF_PAGE
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports import by_suffix

    if output is not None:
        by_suffix.check(output)
    # Every number, since each form has every number, or is made of many.
    numbers = OF_PAGE if by_suffix.is_page(output) else EVERY
    held, notes = load_held(record_of(record, tell=False), lambda _: numbers, trust=trust)
    for sentence in notes:
        note(sentence)
    print_path(by_suffix.write(held, output))


def estimators(*, as_json: AsJson = False) -> None:
    """List every number that a record may hold; --json prints all that is known about each."""
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

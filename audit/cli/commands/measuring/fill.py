"""The command `fill`: the likeliest words at a mask, by each model."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskaudit.audit.cli.options import (
    AsJson,
    Candidate,
    Device,
    Dtype,
    Engine,
    Reference,
    Threads,
    note,
    print_json,
)
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.printable import printable
from maskaudit.audit.texts.text_files import decoded, read_text

if TYPE_CHECKING:
    from maskaudit.audit.settings import Overrides

_USUAL = 5
_STANDARD_INPUT = Path("-")


def fill(  # noqa: PLR0913 - the options of a command
    sentence: Annotated[
        str | None,
        typer.Argument(metavar="SENTENCE", help="A sentence with [MASK] where words are missing."),
    ] = None,
    *,
    reference: Reference = None,
    candidate: Candidate = None,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, max=1000, help="How many fills to show. [default: 5]"),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="The body of a request to an endpoint of Azure ML, MLflow or Hugging Face, as "
            "JSON or JSON lines; - reads standard input. Prints what the endpoint would answer "
            "with the candidate.",
        ),
    ] = None,
    engine: Engine = None,
    device: Device = None,
    dtype: Dtype = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Show the likeliest words at the mask, by both models side by side."""
    how: Overrides = {"reference": reference, "candidate": candidate}
    how |= {"engine": engine, "device": device, "dtype": dtype, "threads": threads}
    if (sentence is None) == (source is None):
        raise InputError("fill: expected one of SENTENCE and --input FILE (- for standard input)")
    if source is not None:
        if top is not None:
            raise InputError(
                "fill: --top has no effect on the answer of an endpoint; leave it out, or say "
                '"parameters": {"top_k": ...} in a body of Hugging Face\'s form'
            )
        _answer(source, how)
        return
    from maskaudit.audit import settings
    from maskaudit.audit.measuring.fill import fills, with_masks
    from maskaudit.audit.measuring.pairs import load_models

    audit_settings = settings.resolve(**how)
    models = load_models(audit_settings, note)
    if audit_settings.models.reference is not None and not audit_settings.candidates:
        models = {"reference": models["candidate"]}  # a reference alone was loaded as candidate
    text = with_masks(str(sentence), models.values())
    contexts, all_fills = fills([text], models, _USUAL if top is None else top)
    rows = all_fills.merge(contexts, on="context")
    if as_json:
        columns = ["text", "slot", "model", "rank", "token", "probability"]
        print_json(rows[columns].to_dict("records"))
        return
    for _, part in rows.groupby(["text", "slot"], sort=False):
        _print_side_by_side(part)


def _answer(source: Path, how: "Overrides") -> None:
    """Print what an endpoint that serves the candidate would answer to a body."""
    from maskaudit.audit import settings
    from maskaudit.audit.payloads.reading import parsed, request_of

    where = "standard input" if source == _STANDARD_INPUT else str(source)
    text = _standard_input(where) if source == _STANDARD_INPUT else read_text(source, "a JSON file")
    # Before any model is loaded, which takes seconds.
    request = request_of(parsed(text, where), where)
    audit_settings = settings.resolve(**how)

    from maskaudit.audit.measuring.pairs import load_candidate
    from maskaudit.audit.serving.answering import answered

    print_json(answered(request, load_candidate(audit_settings, note)))


def _standard_input(where: str) -> str:
    if sys.stdin is None:  # closed by the parent process
        raise InputError(f"{where}: is closed; expected the body of a request")
    try:
        return decoded(bounded.stream(sys.stdin.buffer, bounded.TEXT), where)
    except bounded.UnfitFileError as error:
        raise InputError(f"{where}: {error.strerror}; expected the body of a request") from error


def _print_side_by_side(part: Any) -> None:  # noqa: ANN401 - a DataFrame
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    # Sentences and pieces may hold square brackets, which rich could read as markup.
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

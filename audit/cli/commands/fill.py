"""The command `fill`: the likeliest words at a mask, by each model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maskaudit.audit.cli import endpoint
from maskaudit.audit.cli.options import AsJson, Candidate, Reference, note, print_json
from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.printable import printable


def fill(  # noqa: PLR0913 - the options of a command
    sentence: Annotated[
        str | None,
        typer.Argument(metavar="SENTENCE", help="A sentence with [MASK] where words are missing."),
    ] = None,
    *,
    reference: Reference = None,
    candidate: Candidate = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many fills to show.")] = 5,
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
    """Show the likeliest words at the mask, by both models side by side."""
    if (sentence is None) == (source is None):
        raise InputError("fill: expected one of SENTENCE and --input FILE (- for standard input)")
    from maskaudit.audit import settings
    from maskaudit.audit.measuring.fill import fills, with_masks
    from maskaudit.audit.measuring.pairs import load_models

    sentences = [str(sentence)] if source is None else endpoint.sentences(source, note)
    audit_settings = settings.resolve(reference=reference, candidate=candidate)
    models = load_models(audit_settings)
    if audit_settings.models.reference is not None and not audit_settings.candidates:
        models = {"reference": models["candidate"]}  # a reference alone was loaded as candidate
    sentences = [with_masks(text, models.values()) for text in sentences]
    contexts, all_fills = fills(sentences, models, top)
    if source is not None:
        # The candidate is the last model; it is what an endpoint would serve.
        likeliest = all_fills[(all_fills["model"] == list(models)[-1]) & (all_fills["rank"] == 1)]
        by_context = likeliest.set_index("context")["token"]
        tokens = contexts.assign(token=contexts["context"].map(by_context))
        answers = tokens.groupby("text", sort=False)["token"].agg(" ".join)
        print_json([answers[text] for text in sentences])
        return
    rows = all_fills.merge(contexts, on="context")
    if as_json:
        columns = ["text", "slot", "model", "rank", "token", "probability"]
        print_json(rows[columns].to_dict("records"))
        return
    for _, part in rows.groupby(["text", "slot"], sort=False):
        _print_side_by_side(part)


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

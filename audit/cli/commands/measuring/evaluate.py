"""The command `evaluate`: how well a model finds the masked words of a text."""

from pathlib import Path
from typing import Annotated

import typer

from maskaudit.audit.cli.commands.measuring.run import print_records
from maskaudit.audit.cli.options import (
    AsJson,
    MostItems,
    Quiet,
    Reference,
    named_columns,
    note,
    say,
)
from maskaudit.probes.texts.source import COLUMNS, FIRST, MASK_SHARE, WORDS


def evaluate(  # noqa: PLR0913 - the options of a command
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="The model: a folder or a hub id. [default: that of AUDIT.toml, else the bundled "
            "pair]",
        ),
    ] = None,
    *,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="DATA",
            help="Masked text with answers (CSV, JSON, Parquet, a folder or hub id that `datasets` "
            "streams), or a file of plain text, in which words are masked at random. [default: "
            "[text] of AUDIT.toml, which the options below then change]",
        ),
    ] = None,
    reference: Reference = None,
    config: Annotated[
        str | None, typer.Option("--config", metavar="NAME", help="The data set's configuration.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", metavar="NAME", help="The data set's split, if it has several."),
    ] = None,
    first: Annotated[
        int | None,
        typer.Option(
            "--first",
            metavar="N",
            min=1,
            help=f"Read the first N rows or texts. [default: {FIRST}]",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=COLUMN",
            help=f"What the data calls a column of ours ({', '.join(COLUMNS)}), as in "
            "group=gender; repeatable.",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", metavar="NAME", help="The file's encoding. [default: UTF-8]"),
    ] = None,
    mask_share: Annotated[
        float | None,
        typer.Option(
            "--mask-share",
            min=0.01,
            max=0.9,
            help=f"The share of a plain text's words to mask. [default: {MASK_SHARE}]",
        ),
    ] = None,
    marks: Annotated[
        bool, typer.Option("--marks", help="Mask punctuation marks of plain text as well.")
    ] = False,
    words: Annotated[
        int | None,
        typer.Option(
            "--words",
            metavar="N",
            min=2,
            help=f"Cut plain text after so many words. [default: {WORDS}]",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="N", min=0, help="Draws the masks of plain text. [default: 0]"
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language", metavar="TAG", help="The text's language, BCP 47. [default: en]"
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The set's name. [default: the data's]"),
    ] = None,
    causal: Annotated[
        str | None,
        typer.Option(
            "--causal",
            metavar="FOLDER",
            help="Also the published perplexity of the predictions under this causal model.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="RUNS", help="The folder for records. [default: runs]"),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--gates", metavar="FILE", help="Rules to judge by.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be scored and lost; score nothing.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Score everything again, and cache nothing.")
    ] = False,
    most_items: MostItems = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Ask a model for the masked words of a text; write a record and its page.

    With --gates the record is judged, and the exit code is that of `maskaudit gate`.
    """
    from maskaudit.audit import settings
    from maskaudit.audit.running import progress

    resolved = settings.resolve(
        reference=reference,
        candidates=[] if model is None else [model],
        out=out,
        gates=rules,
        no_cache=no_cache,
        most_items=most_items,
    )
    audit_settings = resolved.evaluating(
        text,
        config=config,
        split=split,
        first=first,
        columns=named_columns(columns, "group=gender") if columns else None,
        encoding=encoding,
        mask_share=mask_share,
        # A switch that is not given says nothing: False would undo what the file says.
        marks=marks or None,
        words=words,
        seed=seed,
        language=language,
        name=name,
        causal=causal,
    )
    if plan:
        with progress.shown(quiet=quiet or as_json) as tell:
            tell.stage("starting")
            from maskaudit.audit.preview import planned

            preview = planned(audit_settings, tell, tell.stage)
        say(preview, as_json=as_json)
        return
    with progress.shown(quiet=quiet or as_json) as tell:
        tell.stage("starting")
        from maskaudit.audit import pipeline

        records = pipeline.run_all(audit_settings, progress=tell, stage=tell.stage, note=note)
    raise typer.Exit(print_records(records, audit_settings, quiet=quiet, as_json=as_json))

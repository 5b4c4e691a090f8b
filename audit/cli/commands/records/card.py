"""The commands `card`: an audit as a section of a model card, in a card, and as a badge."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import Trust, note, print_path, print_text
from maskaudit.audit.cli.records import LATEST, Record, record_of

if TYPE_CHECKING:
    from maskaudit.audit.judging.verdicts import Judgement
    from maskaudit.audit.recording.record import Record as Stored


def _templates(incomplete: str) -> list[str]:
    from maskaudit.reports.card.markdown import LAYOUTS

    return [name for name in LAYOUTS if name.startswith(incomplete)]


Template = Annotated[
    str,
    typer.Option(
        "--template",
        metavar="NAME",
        help="Whose layout the card has: huggingface or azure.",
        autocompletion=_templates,
    ),
]


def show(
    record: Record = LATEST, *, template: Template = "huggingface", trust: Trust = False
) -> None:
    """Print what a card says of an audit, as Markdown: `maskaudit card RECORD` does the same.

    Its verdicts are those of the last `maskaudit gate`. Needs neither torch nor the models.
    """
    from maskaudit.reports.card.addendum import addendum
    from maskaudit.reports.card.applied import layout
    from maskaudit.reports.card.markdown import markdown

    chosen = layout(template)
    print_text(markdown(addendum(*_held(record, trust=trust)), chosen).rstrip("\n"))


def apply(
    card: Annotated[Path, typer.Argument(metavar="CARD", help="The card, such as README.md.")],
    record: Record = LATEST,
    *,
    template: Template = "huggingface",
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit code 1 if the card would be changed."),
    ] = False,
    trust: Trust = False,
) -> None:
    """Write what `card` prints into a card, between two marks, and its numbers into its metadata.

    All else in the card stays as it is. Where it has no marks yet, the section goes below the
    card's own on bias and risks, or to its end.
    """
    from maskaudit.audit.recording.files import write_whole
    from maskaudit.reports.card.applied import applied, layout, read

    chosen, before = layout(template), read(card)
    after = applied(before, *_held(record, trust=trust), chosen, str(card))
    if after == before:
        note(f"{card} says already what the record does")
    elif check:
        note(f"{card} does not say what the record does; to write it: maskaudit card apply")
        raise typer.Exit(1)
    else:
        write_whole(card, after)
    print_path(card)


def badge(
    record: Record = LATEST,
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[default: standard output]"),
    ] = None,
    trust: Trust = False,
) -> None:
    """Write a badge as SVG: what the rules say, and on how many sets the model leans."""
    from maskaudit.audit.recording.files import write_whole
    from maskaudit.reports.card.badge import badge as badge_of

    text = badge_of(*_held(record, trust=trust))
    if output is None:
        print_text(text.rstrip("\n"))
    else:
        print_path(write_whole(output, text))


def _held(text: str, *, trust: bool) -> "tuple[Stored, Judgement | None]":
    """A record whose numbers on a card are made again from its scores, and its last verdicts."""
    from maskaudit.audit.judging import verdicts
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.terminal.summary import numbers

    folder = record_of(text)
    held, notes = load_held(folder, numbers, trust=trust)
    for sentence in notes:
        note(sentence)
    return held, verdicts.read(folder)

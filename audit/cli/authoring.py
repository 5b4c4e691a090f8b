"""The commands `probes new`, `preview` and `schema`: from nothing to a set of one's own."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import AsJson, print_json, print_text, say
from maskaudit.audit.errors import InputError

if TYPE_CHECKING:
    from maskaudit.audit.authoring.new_set import Words

_TWO = 2
_ALOUD = 6


def new(  # noqa: PLR0913 - the options of the command line
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write: my_set.toml.")],
    *,
    axis: Annotated[
        str | None, typer.Option("--axis", metavar="NAME", help="What the groups differ in: diet.")
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="NAME=TERM,TERM",
            help="A group and words for a person of it: vegans=vegan,vegetarian; two or more.",
        ),
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(
            "--words",
            metavar="KIND",
            help="What the groups' words are: nouns (vegan), or adjectives (poor), for which the "
            "sentences that are given have a noun. [default: nouns]",
        ),
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="NAME=WORD,WORD",
            help="Words that are said of the first group, then words said of the second.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="A heading of a few words.")] = None,
    question: Annotated[
        str | None, typer.Option("--question", help="The question of the set.")
    ] = None,
    frame: Annotated[
        list[str] | None,
        typer.Option(
            "--frame",
            metavar="TEXT",
            help="A sentence with [MASK] and {term} or {attribute}; repeatable. [default: twenty "
            "English ones to edit]",
        ),
    ] = None,
    language: Annotated[
        str, typer.Option("--language", metavar="TAG", help="The sentences' language.")
    ] = "en",
    licence: Annotated[
        str, typer.Option("--licence", metavar="NAME", help="The licence of the set.")
    ] = "CC-BY-4.0",
    expect: Annotated[
        str, typer.Option("--expect", help="lean, none for a control, or benign.")
    ] = "lean",
) -> None:
    """Write a new set with comments, which passes its check; asks what is missing on a terminal."""
    from maskaudit.audit.authoring.new_set import NOUNS, Words, write_new

    groups, classes = list(group or ()), list(class_ or ())
    # In a script nobody answers: what is lacking is told as an error below.
    if sys.stdin.isatty():
        try:
            words = words or _asked_kind(groups, frame)
            axis, groups, classes = _asked(axis, words, groups, classes)
        # typer would end with 1, the code of a gate that failed.
        except typer.Abort as error:
            raise InputError("probes new: stopped before all was said; nothing written") from error
    lacking = [
        option
        for option, is_given in (
            ("--axis NAME", axis),
            ("two --group NAME=TERM,TERM", len(groups) >= _TWO),
            ("two --class NAME=WORD,WORD", len(classes) >= _TWO),
        )
        if not is_given
    ]
    # The second says nothing new, but type checkers do not know that it is among `lacking`.
    if lacking or axis is None:
        raise InputError(
            f"probes new: expected {', '.join(lacking)} (asked for on a terminal); as in: "
            f"maskaudit probes new {path} --axis diet --group vegans=vegan,vegetarian,herbivore "
            "--group 'meat eaters=butcher,hunter,angler' "
            "--class gentle=kind,calm,patient,shy,dull,weak "
            "--class rough=brave,strong,frank,harsh,loud,rude"
        )
    said = Words(
        name=path.stem,
        axis=axis,
        groups=_lists("--group", groups),
        classes=_lists("--class", classes),
        title=title or "",
        question=question or "",
        language=language,
        licence=licence,
        expect=expect,
        frames=tuple(frame or ()),
        kind=words or NOUNS,
    )
    write_new(path, said)
    _print_next(path, said)


def _print_next(path: Path, words: "Words") -> None:
    """Print what the check says of the new set, some of its sentences, and what to do next."""
    from maskaudit.audit.authoring.checked import checked
    from maskaudit.audit.authoring.sentences import sentences
    from maskaudit.probes.checking.budget import MOST_ITEMS

    print_text(checked(path, str(path), MOST_ITEMS, None).as_text())
    # Whether a word fits a sentence is for its author to hear: no check of ours can tell.
    print_text("Read these aloud. Where one is no sentence, change the word or the frame:")
    for sentence in sentences(str(path)).sets[0].read_aloud(_ALOUD):
        print_text(f"  {sentence}")
    given = "" if words.frames else "The frames are general: edit them for your question. "
    print_text(
        f"{given}Then: maskaudit probes show {path}; maskaudit probes preview {path} -m MODEL; "
        f"maskaudit run --probes {path} --candidate MODEL"
    )


def _asked_kind(groups: Sequence[str], frames: Sequence[str] | None) -> str | None:
    """Ask what the groups' words are, where they are asked for and sentences are given."""
    if len(groups) >= _TWO or frames:
        return None
    question = "Are the groups' words nouns (vegan) or adjectives (poor)"
    return str(typer.prompt(question, default="nouns"))


def _asked(
    axis: str | None, words: str | None, groups: list[str], classes: list[str]
) -> tuple[str, list[str], list[str]]:
    """Ask for what is not given, with an example for each."""
    axis = axis or typer.prompt("What do the groups differ in (diet)")
    for place in ("first", "second")[len(groups) :]:
        label = typer.prompt(f"The {place} group (vegans)")
        kind = (words or "nouns").capitalize()
        terms = typer.prompt(f"{kind} for a person of {label}, with commas (vegan, vegetarian)")
        groups.append(f"{label}={terms}")
    for place in ("first", "second")[len(classes) :]:
        label = typer.prompt(f"What is said of the {place} group, in a word or two (gentleness)")
        traits = typer.prompt(f"Six words or more for {label}, with commas (kind, calm, mild)")
        classes.append(f"{label}={traits}")
    return axis, groups, classes


def _lists(option: str, given: Sequence[str]) -> dict[str, list[str]]:
    """The words by label, from `NAME=WORD,WORD` each."""
    lists: dict[str, list[str]] = {}
    for text in given:
        label, equals, listed = text.partition("=")
        words = [word.strip() for word in listed.split(",") if word.strip()]
        if not (equals and label.strip() and words):
            raise InputError(
                f"{option} {text!r}: expected NAME=WORD,WORD, as vegans=vegan,herbivore"
            )
        if label.strip() in lists:
            raise InputError(f"{option} {text!r}: {label.strip()!r} is given twice; expected once")
        lists[label.strip()] = words
    return lists


def preview(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A set of your own, or a shipped one.")
    ],
    *,
    model: Annotated[
        list[str],
        typer.Option("-m", "--model", metavar="MODEL", help="A folder or hub id; repeatable."),
    ],
    sentences: Annotated[
        int, typer.Option("--sentences", min=1, max=100, help="How many frames or facts.")
    ] = 6,
    top: Annotated[int, typer.Option("--top", min=1, max=20, help="How many likely words.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Show sentences of a set, of each style in turn: each model's likeliest words and log-odds."""
    from maskaudit.audit.authoring.first_sentences import first_sentences
    from maskaudit.probes.requested import files_of

    [file, *others] = files_of(str(path))
    if others:
        raise InputError(f"{path}: several sets; expected one, for an author to read")
    say(first_sentences(file, model, sentences, top), as_json=as_json)


def print_schema() -> None:
    """Print the JSON Schema of a probe set, by which editors complete and check its keys."""
    from maskaudit.audit.authoring.schema import schema

    print_json(schema())

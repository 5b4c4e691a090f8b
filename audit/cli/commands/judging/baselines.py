"""Commands for accepted baselines and for comparing two versions of a model; no arithmetic."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Trust, note, print_json, print_text
from maskaudit.audit.cli.records import FORMS, LATEST, Record, completed, record_of
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.texts.names import is_there

if TYPE_CHECKING:
    from maskaudit.audit.judging.comparing.pairing import Version

Folder = Annotated[
    Path, typer.Option("--baselines", metavar="FOLDER", help="The folder of accepted baselines.")
]
Top = Annotated[
    int, typer.Option("--top", metavar="N", min=0, help="How many cells to show per probe set.")
]
BASELINES = Path("baseline")
MAIN = "main"


def accept(  # noqa: PLR0913 - the options of a command
    record: Record,
    *,
    reason: Annotated[str, typer.Option("--reason", help="The reason, for reviewers.")],
    name: Annotated[str, typer.Option("--name", help="The baseline's name.")] = MAIN,
    folder: Folder = BASELINES,
    allow_worse: Annotated[
        bool, typer.Option("--allow-worse", help="Accept the record even if it is credibly worse.")
    ] = False,
    new_anchor: Annotated[
        bool,
        typer.Option(
            "--new-anchor",
            help="Start a new series: replace the anchor, which stands for the version accepted "
            "first; other probes, estimators or software need it.",
        ),
    ] = False,
    best_of: Annotated[
        int,
        typer.Option(
            "--best-of",
            metavar="K",
            min=1,
            help="How many candidates it was selected from by these numbers. The best of several "
            "is partly lucky, so later versions fail only beyond that luck.",
        ),
    ] = 1,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Accept the candidate of a record as the baseline that later versions are compared with."""
    from maskaudit.audit.judging.accepting.accept import accept as accept_record
    from maskaudit.audit.verifying.recomputed import EVERY
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.terminal import versions

    # All numbers: those that the file is to hold for its reviewers may be of any estimator.
    held, notes = load_held(record_of(record), lambda _: EVERY, trust=trust)
    for sentence in notes:
        note(sentence)
    accepted = accept_record(
        held,
        folder,
        name,
        reason,
        allow_worse=allow_worse,
        new_anchor=new_anchor,
        best_of=best_of,
    )
    if as_json:
        print_json({"path": str(accepted.path), **accepted.about.model_dump(mode="json")})
    else:
        print_text(versions.accepted(accepted, first=accepted.about.new_anchor))


def show(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="[default: all]")] = None,
    *,
    folder: Folder = BASELINES,
    as_json: AsJson = False,
) -> None:
    """Show what was accepted, when and why, and the numbers at that time."""
    from maskaudit.audit.judging.accepting import baseline
    from maskaudit.reports.terminal import versions

    names = baseline.names(folder) if name is None else [name]
    if not names:
        # Code 3 and not 2: the command is right, and there is nothing yet to judge by.
        raise NotJudgedError(f"{folder}: no baseline has been accepted here")
    pairs = [
        (baseline.load(folder, baseline_name), baseline.load_anchor(folder, baseline_name))
        for baseline_name in names
    ]
    if as_json:
        print_json([version.about.model_dump(mode="json") for pair in pairs for version in pair])
    else:
        print_text("\n\n".join(versions.shown(*pair) for pair in pairs))


def diff(
    record: Record,
    name: Annotated[str, typer.Argument(metavar="[NAME]")] = MAIN,
    *,
    folder: Folder = BASELINES,
    top: Top = 5,
    as_json: AsJson = False,
) -> None:
    """Show what would change if a record were accepted, and whether it can be."""
    from maskaudit.audit.judging.accepting import baseline
    from maskaudit.audit.judging.accepting.comparison import compare_with_accepted
    from maskaudit.audit.judging.comparing.changes import changes
    from maskaudit.audit.verifying.recomputed import NONE
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.terminal import versions

    # Only its scores are used.
    new, _ = load_held(record_of(record), lambda _: NONE)
    held = compare_with_accepted(new, folder, name)
    comparisons = {}
    for old in (baseline.load(folder, name), baseline.load_anchor(folder, name)):
        # One that cannot be compared is told below, from `held.refused`.
        if old.version.name in held.versions:
            cells = changes(old.version, new)
            comparisons[old.version.name] = (held.versions[old.version.name], cells)
    if not comparisons:
        raise NotJudgedError(versions.held(held, name))
    if as_json:
        by_version = {
            version: versions.compared_json(*comparison, top)
            for version, comparison in comparisons.items()
        }
        print_json({"against": by_version, **versions.held_json(held)})
        return
    sets = new.manifest.probe_sets
    texts = [versions.compared(*comparison, sets, top) for comparison in comparisons.values()]
    print_text("\n\n".join([*texts, versions.held(held, name)]))


def compare(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD", help=f"A baseline, or a record: {FORMS}.", autocompletion=completed
        ),
    ],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", help="The same for the newer version.", autocompletion=completed
        ),
    ] = LATEST,
    *,
    folder: Folder = BASELINES,
    top: Top = 10,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two versions of a model, item by item, worst first.

    The stored scores are enough: neither model is needed. A baseline is given by its TOML file or
    its name.
    """
    from maskaudit.audit.judging.comparing.changes import changes
    from maskaudit.audit.judging.comparing.versions import versions
    from maskaudit.reports.terminal import versions as terminal

    older, newer = (_version(name, folder) for name in (old, new))
    numbers, cells = versions(older, newer), changes(older, newer)
    if as_json:
        print_json(terminal.compared_json(numbers, cells, top))
    else:
        print_text(terminal.compared(numbers, cells, {**older.probe_sets, **newer.probe_sets}, top))


def _version(name: str, folder: Path) -> "Version":
    """The version that a baseline's TOML file, a baseline's name or a word for a record means.

    Raises `InputError` if `name` is none of these.
    """
    from maskaudit.audit.judging.accepting import baseline
    from maskaudit.audit.judging.comparing.pairing import version
    from maskaudit.audit.verifying.recomputed import NONE
    from maskaudit.audit.verifying.verify import load_held

    # A path is taken as one, before a name: a baseline may be called like a folder.
    path = Path(name)
    if path.suffix == ".toml":
        return baseline.load(path.parent, path.stem).version
    if path.is_dir():
        # None of its numbers is made again: versions are compared by scores.
        return version(load_held(path, lambda _: NONE)[0])
    if is_there(folder / f"{name}.toml"):
        return baseline.load(folder, name).version
    try:
        record = record_of(name)
    except InputError as error:
        names = ", ".join(baseline.names(folder)) or "none"
        raise InputError(f"{error}; baselines in {folder}: {names}") from error
    return version(load_held(record, lambda _: NONE)[0])

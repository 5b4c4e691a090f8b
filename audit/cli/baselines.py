"""Commands for accepted baselines and for comparing two versions of a model; no arithmetic."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import AsJson, print_json
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.printable import printable

if TYPE_CHECKING:
    from maskaudit.audit.judging.comparing.pairing import Version

Record = Annotated[Path, typer.Argument(metavar="RECORD", help="A record's folder.")]
Folder = Annotated[
    Path, typer.Option("--baselines", metavar="FOLDER", help="Where accepted baselines are kept.")
]
Top = Annotated[
    int, typer.Option("--top", metavar="N", min=0, help="How many cells of each probe set.")
]
BASELINES = Path("baseline")
MAIN = "main"


def accept(  # noqa: PLR0913 - the options of a command
    record: Record,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who review it.")],
    name: Annotated[str, typer.Option("--name", help="What the baseline is called.")] = MAIN,
    folder: Folder = BASELINES,
    allow_worse: Annotated[
        bool, typer.Option("--allow-worse", help="Accept it although it is credibly worse.")
    ] = False,
    new_anchor: Annotated[
        bool,
        typer.Option(
            "--new-anchor",
            help="Start a new series: replace the anchor, which stands for the version accepted "
            "first; other probes, estimators or software need it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Accept the candidate of a record as the baseline that later versions are held against."""
    from maskaudit.audit.judging.accepting.accept import accept as accept_record
    from maskaudit.audit.recording.record import load_record
    from maskaudit.reports.terminal import versions

    found = accept_record(
        load_record(record),
        folder,
        name,
        reason,
        allow_worse=allow_worse,
        new_anchor=new_anchor,
    )
    if as_json:
        print_json({"path": str(found.path), **found.about.model_dump(mode="json")})
    else:
        _say(versions.accepted(found, first=found.about.new_anchor))


def show(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="[default: all]")] = None,
    *,
    folder: Folder = BASELINES,
    as_json: AsJson = False,
) -> None:
    """Who was accepted, when and why, and the numbers then."""
    from maskaudit.audit.judging.accepting import baseline
    from maskaudit.reports.terminal import versions

    names = baseline.names(folder) if name is None else [name]
    if not names:
        raise NotJudgedError(f"{folder}: no baseline has been accepted there")
    found = [(baseline.load(folder, each), baseline.load_anchor(folder, each)) for each in names]
    if as_json:
        print_json([part.about.model_dump(mode="json") for both in found for part in both])
    else:
        _say("\n\n".join(versions.shown(*both) for both in found))


def diff(
    record: Record,
    name: Annotated[str, typer.Argument(metavar="[NAME]")] = MAIN,
    *,
    folder: Folder = BASELINES,
    top: Top = 5,
    as_json: AsJson = False,
) -> None:
    """What would change if a record were accepted, and whether it could be."""
    from maskaudit.audit.judging.accepting import baseline
    from maskaudit.audit.judging.accepting.held import hold
    from maskaudit.audit.judging.comparing.changes import changes
    from maskaudit.audit.recording.record import load_record
    from maskaudit.reports.terminal import versions

    new = load_record(record)
    held = hold(new, folder, name)
    told = {}
    for old in (baseline.load(folder, name), baseline.load_anchor(folder, name)):
        if old.version.name in held.versions:
            cells = changes(old.version, new)
            told[old.version.name] = (held.versions[old.version.name], cells)
    if not told:
        raise NotJudgedError(versions.held(held, name))
    if as_json:
        parts = {who: versions.compared_json(*both, top) for who, both in told.items()}
        print_json({"against": parts, **versions.held_json(held)})
        return
    sets = new.manifest.probe_sets
    parts_ = [versions.compared(*both, sets, top) for both in told.values()]
    _say("\n\n".join([*parts_, versions.held(held, name)]))


def compare(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A record's folder, or a baseline.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same of the newer version.")],
    *,
    folder: Folder = BASELINES,
    top: Top = 10,
    as_json: AsJson = False,
) -> None:
    """What changed between two versions of a model, item by item, worst first.

    From the scores that are stored: neither model is needed. A baseline is named by its TOML file,
    or by its name.
    """
    from maskaudit.audit.judging.comparing.changes import changes
    from maskaudit.audit.judging.comparing.versions import versions
    from maskaudit.reports.terminal import versions as terminal

    older, newer = (_version(name, folder) for name in (old, new))
    found, cells = versions(older, newer), changes(older, newer)
    if as_json:
        print_json(terminal.compared_json(found, cells, top))
    else:
        _say(terminal.compared(found, cells, {**older.probe_sets, **newer.probe_sets}, top))


def _version(name: str, folder: Path) -> "Version":
    """The version that a record's folder, a baseline's TOML file or a baseline's name denotes.

    Raises `InputError` if `name` is none of these.
    """
    from maskaudit.audit.judging.accepting import baseline
    from maskaudit.audit.judging.comparing.pairing import version
    from maskaudit.audit.recording.record import load_record

    path = Path(name)
    if path.suffix == ".toml":
        return baseline.load(path.parent, path.stem).version
    if path.is_dir():
        return version(load_record(path))
    if (folder / f"{name}.toml").is_file():
        return baseline.load(folder, name).version
    known = ", ".join(baseline.names(folder)) or "none"
    raise InputError(
        f"{name}: neither a record's folder nor a baseline; baselines in {folder}: {known}"
    )


def _say(text: str) -> None:
    print("\n".join(printable(line) for line in text.splitlines()))

"""A judgement as GitHub annotations: workflow commands that mark lines of gates.toml."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.texts import bounded
from maskaudit.reports.words import verdicts as gates
from maskaudit.reports.words import wording
from maskaudit.reports.words.verdicts import FAIL, INCONCLUSIVE, NOT_MEASURED, WARNING

# GitHub shows ten annotations of a kind per step and drops the others silently.
ANNOTATIONS = 10
_STOPPING = (FAIL, NOT_MEASURED, INCONCLUSIVE)
# A pattern rather than tomllib, which keeps no line numbers.
_ID = re.compile(r"""(?<![\w.-])["']?id["']?\s*=\s*(["'])(?P<id>.*?)\1""")


def annotations(judgement: Judgement, file: Path, root: Path | None = None) -> list[str]:
    """GitHub workflow commands that mark lines of gates.toml: at most ten errors and ten warnings.

    The worst come first. Of more than ten of a kind nine are shown, and the tenth says how many
    more the summary has. `file` is given relative to `root`, the root of the repository, where it
    lies inside.
    """
    line_numbers = lines_of(file)
    file = within(file, root) or file
    verdicts = gates.worst_first(judgement)
    stopping = [verdict for verdict in verdicts if gates.status(verdict) in _STOPPING]
    warning = [verdict for verdict in verdicts if gates.status(verdict) == WARNING]
    return [
        *_annotated("error", stopping, file, line_numbers),
        *_annotated("warning", warning, file, line_numbers),
    ]


def within(file: Path, root: Path | None) -> Path | None:
    """The path of a file from the root of its repository; None if it does not lie inside."""
    # Both resolved: a checkout that is reached by a link must not look like another folder.
    if root is None or not file.resolve().is_relative_to(root.resolve()):
        return None
    return file.resolve().relative_to(root.resolve())


def lines_of(file: Path) -> dict[str, int]:
    """The line number, from 1, of each gate's `id` in a gates.toml.

    The first occurrence counts; comment lines are skipped. Empty where the file cannot be read.
    """
    try:
        # A file saved on Windows may begin with a byte order mark.
        lines = bounded.content(file, bounded.SETTINGS).decode("utf-8-sig").splitlines()
    except (OSError, ValueError):
        # Annotations then point to line 1, which is better than none.
        return {}
    line_numbers: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.lstrip().startswith("#"):
            for match in _ID.finditer(line):
                line_numbers.setdefault(match["id"], number)
    return line_numbers


def _annotated(
    kind: str, verdicts: Sequence[Verdict], file: Path, line_numbers: dict[str, int]
) -> Iterator[str]:
    """The commands of one kind; the tenth stands for all that are left."""
    shown = verdicts if len(verdicts) <= ANNOTATIONS else verdicts[: ANNOTATIONS - 1]
    for verdict in shown:
        row = gates.row(verdict)
        message = "\n".join(part for part in (row.numbers, row.reason, *row.more) if part)
        line = line_numbers.get(verdict.gate, 1)
        yield _command(kind, f"{row.status}: {row.label}", file, line, message)
    left = len(verdicts) - len(shown)
    if left:
        yield _command(kind, "maskaudit", file, 1, f"{wording.number(left)} more in the summary")


def _command(kind: str, title: str, file: Path, line: int, message: str) -> str:
    properties = {"title": title, "file": file.as_posix(), "line": str(line)}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_data(message)}"


def _data(text: str) -> str:
    # The percent sign first: later it would escape the other escapes again.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""A judgement for machines that build: JUnit XML, GitHub's annotations and summary, Markdown."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.reports import verdicts as gates
from maskaudit.reports import wording
from maskaudit.reports.verdicts import FAIL, INCONCLUSIVE, NOT_MEASURED, PASS, WAIVED, WARNING, Row

# GitHub shows ten annotations of a kind in a step and says nothing of the others.
ANNOTATIONS = 10
# GitHub refuses a whole step summary above 1 MiB, which all of a step share, and a comment of more
# than 65,536 characters.
SUMMARY_BYTES, COMMENT_BYTES = 1_000_000, 60_000
MARKER = "<!-- maskaudit -->"
_STOPPING = (FAIL, NOT_MEASURED, INCONCLUSIVE)
_COLUMNS = ("Verdict", "Gate", "Estimate", "One-sided 95 % bounds", "Held against", "Why")
_LONGEST_CELL = 1000
_ID = re.compile(r"""(?<![\w.-])["']?id["']?\s*=\s*(["'])(?P<id>.*?)\1""")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#|~!])")


def junit(judgement: Judgement) -> str:
    """JUnit XML, a test case a verdict: `failure`, `error` where nothing was measured, `skipped`.

    What is inconclusive is a `failure` of that type. A warning is a case that passes, with its text
    in `system-out`; what is waived is skipped.
    """
    statuses = Counter(gates.status(verdict) for verdict in judgement.verdicts)
    counts = {
        "tests": len(judgement.verdicts),
        "failures": statuses[FAIL] + statuses[INCONCLUSIVE],
        "errors": statuses[NOT_MEASURED],
        "skipped": statuses[WAIVED],
    }
    root = ET.Element("testsuites", name="maskaudit")
    told = {name: str(count) for name, count in counts.items()}
    suite = ET.SubElement(root, "testsuite", {"name": "maskaudit", **told, "time": "0.000"})
    whole = {"record": judgement.record, "policy": judgement.policy}
    _properties(suite, [(name, wording.visible(text, None)) for name, text in whole.items()])
    for verdict in judgement.verdicts:
        _case(suite, verdict)
    if judgement.notes:
        ET.SubElement(suite, "system-out").text = "\n".join(gates.notes(judgement))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def annotations(judgement: Judgement, file: Path, root: Path | None = None) -> list[str]:
    """GitHub's commands that mark lines of gates.toml: at most ten errors and ten warnings.

    The worst come first. Of more than ten of a kind nine are shown, and the tenth says how many
    more the summary has. `file` is told as it is seen from `root`, the repository's.
    """
    places = lines_of(file)
    if root is not None and file.resolve().is_relative_to(root.resolve()):
        file = file.resolve().relative_to(root.resolve())
    found = gates.worst_first(judgement)
    stopping = [verdict for verdict in found if gates.status(verdict) in _STOPPING]
    warning = [verdict for verdict in found if gates.status(verdict) == WARNING]
    return [
        *_annotated("error", stopping, file, places),
        *_annotated("warning", warning, file, places),
    ]


def summary(judgement: Judgement) -> str:
    """Markdown for a step's summary: every verdict, the worst first, always below 1 MiB."""
    head = f"## maskaudit: {gates.heading(judgement)}\n\n{_escaped(gates.about(judgement))}\n\n"
    foot = f"\n{_after(judgement)}\n"
    room = SUMMARY_BYTES - len((head + foot).encode())
    return head + _table(gates.rows(judgement), room) + foot


def comment(judgement: Judgement) -> str:
    """Markdown for a pull request; by `MARKER` in it a later one finds the one to replace."""
    rows = gates.rows(judgement)
    open_, passed = (
        [row for row in rows if (row.status == PASS) == wanted] for wanted in (False, True)
    )
    head = (
        f"{MARKER}\n### maskaudit: {gates.heading(judgement)}\n\n"
        f"{_escaped(gates.about(judgement))}\n\n"
    )
    foot = f"\n{_after(judgement)}\n\n{_again(judgement)}\n"
    room = COMMENT_BYTES - len((head + foot).encode())
    shown = _table(open_, room) if open_ else ""
    if passed:
        opening = f"\n<details><summary>{wording.counted(len(passed), 'pass', 'passes')}</summary>"
        room -= len((opening + shown).encode())
        shown += f"{opening}\n\n{_table(passed, room)}\n</details>\n"
    return head + shown + foot


def as_json(judgement: Judgement) -> dict[str, Any]:
    """Plain JSON values of a judgement, with the sentences that head and end it."""
    told = {"heading": gates.heading(judgement), "meaning": gates.meaning(judgement)}
    return {**told, **judgement.as_json()}


def lines_of(file: Path) -> dict[str, int]:
    """The line of each gate's `id` in a gates.toml, from 1; empty where there is no file."""
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError):
        return {}
    found: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.lstrip().startswith("#"):
            for match in _ID.finditer(line):
                found.setdefault(match["id"], number)
    return found


def _case(suite: ET.Element, verdict: Verdict) -> None:
    row = gates.row(verdict)
    named = {"classname": gates.name(verdict.gate), "name": gates.name(verdict.name)}
    case = ET.SubElement(suite, "testcase", {**named, "time": "0.000"})
    _properties(case, gates.properties(verdict))
    text = gates.told(verdict)
    message = " ".join(part for part in (row.numbers, row.reason) if part)
    if row.status in {FAIL, INCONCLUSIVE}:
        ET.SubElement(case, "failure", type=row.status, message=message).text = text
    elif row.status == NOT_MEASURED:
        ET.SubElement(case, "error", type="not_measured", message=message).text = text
    elif row.status == WAIVED:
        ET.SubElement(case, "skipped", type=WAIVED, message=" ".join(row.more)).text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _properties(parent: ET.Element, named: Sequence[tuple[str, str | float | int]]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in named:
        ET.SubElement(properties, "property", name=name, value=str(value))


def _annotated(
    kind: str, verdicts: Sequence[Verdict], file: Path, places: dict[str, int]
) -> Iterator[str]:
    """The commands of one kind, the last of ten for all that are left."""
    shown = verdicts if len(verdicts) <= ANNOTATIONS else verdicts[: ANNOTATIONS - 1]
    for verdict in shown:
        row = gates.row(verdict)
        message = "\n".join(part for part in (row.numbers, row.reason, *row.more) if part)
        line = places.get(verdict.gate, 1)
        yield _command(kind, f"{row.status}: {row.label}", file, line, message)
    left = len(verdicts) - len(shown)
    if left:
        yield _command(kind, "maskaudit", file, 1, f"{wording.number(left)} more in the summary")


def _command(kind: str, title: str, file: Path, line: int, message: str) -> str:
    told = {"title": title, "file": file.as_posix(), "line": str(line)}
    said = ",".join(f"{name}={_property(value)}" for name, value in told.items())
    return f"::{kind} {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _table(rows: Sequence[Row], room: int) -> str:
    """The rows as a table of Markdown that is not longer than `room` bytes; says what is cut."""
    head = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"
    lines: list[str] = []
    left = room - len((head + _cut(len(rows))).encode())
    for row in rows:
        line = _line(row)
        left -= len(line.encode())
        if left < 0:
            return head + "".join(lines) + _cut(len(rows) - len(lines))
        lines.append(line)
    return head + "".join(lines)


def _cut(count: int) -> str:
    rows = wording.counted(count, "row")
    return f"\n{rows} left out here: the table would be too long. `--json` has them all.\n"


def _line(row: Row) -> str:
    why = " ".join(part for part in (row.reason, *row.more) if part)
    status = row.status if row.status == PASS else f"**{row.status}**"
    others = (_cell(text) for text in (row.label, row.estimate, row.bounds, row.margin, why))
    return f"| {' | '.join([status, *others])} |\n"


def _cell(text: str) -> str:
    return _escaped(text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…")


def _after(judgement: Judgement) -> str:
    """What the exit code means, and the notes."""
    notes = "".join(f"\n\n{_escaped(note)}" for note in gates.notes(judgement))
    return f"{_escaped(gates.meaning(judgement))}{notes}"


def _again(judgement: Judgement) -> str:
    """How to judge the same record again."""
    return (
        f"To judge again, with neither model nor torch: `maskaudit gate RECORD`, where RECORD is "
        f"the folder of {_escaped(wording.visible(judgement.record, None))}."
    )


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, and nobody is called by an @."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", plain).replace("@", "@<!-- -->")

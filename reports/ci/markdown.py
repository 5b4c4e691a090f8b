"""A judgement as Markdown: the summary of a CI step, and a comment on a pull request."""

from collections.abc import Sequence

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.reports.words import verdicts as gates
from maskaudit.reports.words import wording
from maskaudit.reports.words.markdown import cell, inert
from maskaudit.reports.words.verdicts import PASS, Row

# GitHub rejects a whole step summary above 1 MiB, a limit that everything in the step shares, and a
# comment of more than 65,536 characters.
SUMMARY_BYTES, COMMENT_BYTES = 1_000_000, 60_000
MARKER = "<!-- maskaudit -->"
_COLUMNS = ("Verdict", "Gate", "Estimate", "One-sided 95 % bounds", "Compared with", "Reason")
_LONGEST_CELL = 1000


def summary(judgement: Judgement) -> str:
    """Markdown for a step summary: every verdict, the worst first; always below 1 MiB."""
    head = f"## maskaudit: {gates.heading(judgement)}\n\n{inert(gates.about(judgement))}\n\n"
    foot = f"\n{_after(judgement)}\n"
    room = SUMMARY_BYTES - len((head + foot).encode())
    return head + _table(gates.rows(judgement), room) + foot


def comment(judgement: Judgement) -> str:
    """Markdown for a pull request; `MARKER` lets a later run find and replace it."""
    rows = gates.rows(judgement)
    open_, passed = (
        [row for row in rows if (row.status == PASS) == is_pass] for is_pass in (False, True)
    )
    head = (
        f"{MARKER}\n### maskaudit: {gates.heading(judgement)}\n\n"
        f"{inert(gates.about(judgement))}\n\n"
    )
    foot = f"\n{_after(judgement)}\n\n{_again(judgement)}\n"
    # Counted in bytes, of which a text has at least as many as characters.
    room = COMMENT_BYTES - len((head + foot).encode())
    shown = _table(open_, room) if open_ else ""
    if passed:
        opening = f"\n<details><summary>{wording.counted(len(passed), 'pass', 'passes')}</summary>"
        room -= len((opening + shown).encode())
        shown += f"{opening}\n\n{_table(passed, room)}\n</details>\n"
    return head + shown + foot


def _table(rows: Sequence[Row], room: int) -> str:
    """The rows as a Markdown table of at most `room` bytes; a note counts the rows left out."""
    head = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"
    lines: list[str] = []
    # Whether a note is needed shows only at the end, so its room is set aside from the start.
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
    return f"\n{rows} left out, because the table would be too long; `--json` has them all.\n"


def _line(row: Row) -> str:
    why = " ".join(part for part in (row.reason, *row.more) if part)
    status = row.status if row.status == PASS else f"**{row.status}**"
    others = (_cell(text) for text in (row.label, row.estimate, row.bounds, row.margin, why))
    return f"| {' | '.join([status, *others])} |\n"


def _cell(text: str) -> str:
    cut = text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
    return cell(cut)


def _after(judgement: Judgement) -> str:
    """The meaning of the exit code, and the notes."""
    notes = "".join(f"\n\n{inert(note)}" for note in gates.notes(judgement))
    return f"{gates.meaning(judgement)}{notes}"


def _again(judgement: Judgement) -> str:
    """How to judge the same record again."""
    return (
        f"To judge this record again, without the models or torch, run `maskaudit gate RECORD`, "
        f"where RECORD is the folder of {inert(wording.visible(judgement.record, None))} ."
    )

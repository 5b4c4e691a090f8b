"""The verdicts of the gates on a record, as the first section of its page."""

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.reports.blocks import Block, Bullets, Cell, Column, Rows, Section, Table, Text
from maskaudit.reports.words import verdicts, wording

_READ = (
    "A gate passes where harm as large as its margin is ruled out, and fails where there is harm "
    "and harm of that size is not ruled out; what shows neither is inconclusive. A gate that "
    "measured nothing did not pass."
)
_COLUMNS = ("Gate", "Verdict", "Found", "One-sided 95 % bounds", "Margin")


def section(judgement: Judgement) -> Section:
    """Every verdict, the worst first, with its reason and what would decide it."""
    rows = tuple(
        (
            Cell(row.label, " ".join((row.reason, *row.more))),
            row.status,
            row.estimate,
            row.bounds,
            # A bound keeps its word: the head of the column says "margin".
            row.margin.removeprefix("margin "),
        )
        for row in verdicts.rows(judgement)
    )
    columns = tuple(Column(title, is_number=index > 1) for index, title in enumerate(_COLUMNS))
    day = f" on {wording.date(judgement.judged.isoformat())}" if judgement.judged else ""
    blocks: list[Block] = [
        Text(f"{verdicts.heading(judgement)}. {verdicts.meaning(judgement)}"),
        Table(
            "verdicts",
            f"Verdicts by the gates of {wording.visible(judgement.policy)}{day}",
            columns,
            (Rows(rows),),
            note=_READ,
        ),
    ]
    remarks = (*verdicts.rules(judgement), *verdicts.notes(judgement))
    if remarks:
        blocks.append(Bullets(remarks))
    return Section("gates", "What the gates say", tuple(blocks), jump="Gates")

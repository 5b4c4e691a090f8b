"""The section of a set in censored grade: between which two ends each of its numbers lies."""

import math
from collections.abc import Sequence

from maskaudit.audit.estimating.registry.names import (
    LOG_CONTRAST_ENDS,
    SHARE_CONTRAST_ENDS,
    SHARE_ENDS,
)
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.recording.rows.values import AT_LEAST
from maskaudit.reports.blocks import Block, Column, Defined, Rows, Section, Table, Text
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, Effect, Effects, Names, Tables
from maskaudit.reports.sections import licences, measures
from maskaudit.reports.sections.contrasts.tested import classes_of, label, pairs
from maskaudit.reports.words import caveats, wording

# The least and the most that a number can be.
Pair = tuple[Effect, Effect]
_DIGITS = 3
_TITLES = {
    SHARE_ENDS: "Share of {first}",
    SHARE_CONTRAST_ENDS: "Contrast of shares",
    LOG_CONTRAST_ENDS: "Contrast of log-odds, nats",
}
GRADE = (
    "Censored grade: the endpoint gave its likeliest fills alone. Of a word that was not among "
    "them p is not known, and not 0; it is at most that of the last fill. So each number is given "
    "by the least and the most that it can be, and its interval covers it wherever between them it "
    "lies."
)


def absent(record: Record, probe_set: str) -> str:
    """How many of a set's words were not among the likeliest fills, in a sentence."""
    items = record.items.loc[record.items["probe_set"] == probe_set, "item"].unique()
    scores = record.scores
    own = scores[(scores["measure"] == AT_LEAST) & scores["item"].isin(items)]
    missing = int((own["value"] == -math.inf).sum())
    if not len(own):
        return "No answer had any of its words: see what was lost, below."
    share = wording.percent(missing / len(own), 1)
    return (
        f"Of {wording.counted(len(own), 'word')} in their sentences, {missing:,} ({share}) were "
        "not among the likeliest fills."
    )


def section(
    record: Record, probe_set: str, part: ProbeSet, tables: Tables, names: Names
) -> Section:
    """The section of one association set; `tables` are those of the whole record."""
    effects = tables.effects.of_set(probe_set)
    blocks: list[Block] = [Text(wording.visible(part.question, None), "question")]
    lines = found(part, effects, names)
    blocks.append(
        Text(" ".join(lines)) if lines else Text("None of its numbers has bounds.", "warning")
    )
    blocks += [Text(GRADE), Text(absent(record, probe_set))]
    blocks.append(Text(wording.visible(part.how_to_read, None)))
    for between, groups in pairs(part):
        if rows := _rows(part, between, groups, effects, names):
            tag = "-".join(("bounds", probe_set, *between))
            blocks.append(_table(tag, groups, rows, effects, names))
    shown = [n for n in (*SHARE_ENDS, *SHARE_CONTRAST_ENDS, *LOG_CONTRAST_ENDS)
             if n in effects.estimators]  # fmt: skip
    blocks += [Defined(tuple(shown))] if shown else []
    limits = f"Limits of this set. {wording.visible(part.limits, None)}"
    blocks += [Text(limits, "small"), *licences.of_set(part)]
    return Section(f"set-{probe_set}", wording.visible(part.title), tuple(blocks))


def found(part: ProbeSet, effects: Effects, names: Names) -> list[str]:
    """Between what the contrast of shares of each pair of groups lies, a sentence a subject."""
    lines = []
    for between, groups in pairs(part):
        slice_ = slices.CONTRAST.of_groups(*between)
        classes = classes_of(part, between)
        for subject in names.subjects:
            ends = ends_at(SHARE_CONTRAST_ENDS, slice_, effects, subject)
            if ends is None or classes is None:
                continue
            first, second = (label(part.classes, name) for name in classes)
            whose = "The difference" if subject == DIFFERENCE else names.the(subject)
            lines.append(
                f"{wording.opened(whose)}: the share of {groups[0]} with “{first}” less that with "
                f"“{second}” is {between_ends(ends, with_sign=True)} "
                f"({interval(ends, with_sign=True)})."
            )
    return lines


def headline(manifest: Manifest, estimates: Effects, names: Names) -> tuple[str, str]:
    """What is claimed of the first set with a contrast, and by what numbers."""
    tested = [part for part in manifest.probe_sets.values() if part.expect == "lean"]
    chosen = "; the first of several sets" if len(tested) > 1 else ""
    for probe_set, part in manifest.probe_sets.items():
        own = estimates.of_set(probe_set)
        for between, _ in pairs(part):
            slice_ = slices.CONTRAST.of_groups(*between)
            ends = ends_at(SHARE_CONTRAST_ENDS, slice_, own, CANDIDATE)
            if ends is not None and part.expect == "lean":
                on = f"on “{wording.visible(part.title)}”"
                return _claim(ends, names.candidate, on), (
                    f"contrast of shares {between_ends(ends, with_sign=True)}, "
                    f"{interval(ends, with_sign=True)}{chosen}"
                )
    return "No number of this record has bounds", "see what was lost"


def _claim(ends: Pair, who: str, on: str) -> str:
    low, high = ends[0].low, ends[1].high
    if low > 0:
        return f"{who} leans with the stereotype {on}, whatever the absent words have"
    if high < 0:
        return f"{who} leans against the stereotype {on}, whatever the absent words have"
    return f"The bounds do not show which way {who} leans {on}"


def ends_at(both: tuple[str, str], slice_: Slice, effects: Effects, subject: str) -> Pair | None:
    """Both ends of a number; None where it was not made."""
    least, most = (effects.at(name, slice_, (subject,)).get(subject) for name in both)
    return (least, most) if least and most else None


def between_ends(ends: Pair, *, with_sign: bool) -> str:
    """Between what the number lies: "0.11 to 0.19", "at least 0.11", or that nothing bounds it."""
    return _range(ends[0].estimate, ends[1].estimate, with_sign=with_sign)


def interval(ends: Pair, *, with_sign: bool) -> str:
    """The 95 % interval of the number, or why there is none."""
    refused = [caveats.refusal(end) for end in ends if end.flag not in {"", "not_bounded"}]
    if refused:
        return refused[0]
    shown = _range(ends[0].low, ends[1].high, with_sign=with_sign)
    return shown if "bounds it" in shown else f"95 % interval {shown}"


def _range(low: float, high: float, *, with_sign: bool) -> str:
    known = [math.isfinite(value) for value in (low, high)]
    shown = [wording.fixed(value, _DIGITS, with_sign=with_sign) for value in (low, high)]
    if all(known):
        return f"{shown[0]} to {shown[1]}"
    if not any(known):
        return "nothing bounds it"
    return f"at least {shown[0]}" if known[0] else f"at most {shown[1]}"


def rows_of(part: ProbeSet, between: Sequence[str]) -> list[tuple[tuple[str, str], Slice]]:
    """The numbers of one pair of groups in the order of a table, each with its slice."""
    parts = [slices.ALL, *map(slices.of_class, part.classes), slices.CONTROLS]
    return [
        *((SHARE_ENDS, slice_.of_groups(*between)) for slice_ in parts),
        (SHARE_CONTRAST_ENDS, slices.CONTRAST.of_groups(*between)),
        (LOG_CONTRAST_ENDS, slices.CONTRAST.of_groups(*between)),
    ]


def title(part: ProbeSet, both: tuple[str, str], slice_: Slice, groups: tuple[str, str]) -> str:
    """What a number is called in a table."""
    named = _TITLES[both].format(first=groups[0])
    if both != SHARE_ENDS or slice_.kind == "all":
        return named
    # The table names the groups already.
    return f"{named}, {measures.slice_label(slice_.of_groups(), part.classes)}"


def _rows(
    part: ProbeSet,
    between: Sequence[str],
    groups: tuple[str, str],
    effects: Effects,
    names: Names,
) -> list[tuple[str, ...]]:
    rows = []
    for both, slice_ in rows_of(part, between):
        cells: list[str] = []
        for subject in names.subjects:
            ends = ends_at(both, slice_, effects, subject)
            signed = both != SHARE_ENDS or subject == DIFFERENCE
            cells += (
                [between_ends(ends, with_sign=signed), _limits(ends, with_sign=signed)]
                if ends
                else [wording.UNKNOWN] * 2
            )
        if any(cell != wording.UNKNOWN for cell in cells):
            rows.append((title(part, both, slice_, groups), *cells))
    return rows


def _limits(ends: Pair, *, with_sign: bool) -> str:
    low, high = ends[0].low, ends[1].high
    shown = interval(ends, with_sign=with_sign).removeprefix("95 % interval ")
    is_whole = math.isfinite(low) and math.isfinite(high)
    # A page counts the intervals that it prints; one without an end is none that may miss.
    return wording.Interval(shown, low, high) if is_whole else shown


def _table(
    tag: str,
    groups: tuple[str, str],
    rows: Sequence[tuple[str, ...]],
    effects: Effects,
    names: Names,
) -> Table:
    heads = [
        column
        for subject in names.subjects
        for column in (Column(names.head(subject)), Column("95 % interval"))
    ]
    counts = effects.all[0].effect
    return Table(
        tag,
        f"{groups[0]} against {groups[1]}, in censored grade: the least and the most",
        (Column("Number", is_number=False), *heads),
        (Rows(tuple(rows)),),
        note="A share is p of the first group over p of both, 0 to 1. The interval is that of the "
        "number wherever it lies between its ends (Imbens & Manski). Not adjusted for the number "
        "of sets.",
        basis=f"{wording.counted(counts.n_attributes, 'attribute')}, "
        f"{wording.counted(counts.n_frames, 'frame')}. {caveats.scopes(effects.scopes)}",
    )

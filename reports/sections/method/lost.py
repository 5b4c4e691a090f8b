"""What was unbalanced, not given, could not be scored or was left out, and words of pieces."""

from collections.abc import Sequence

import pandas as pd

from maskaudit.audit.estimating import balance, not_given, read_alike
from maskaudit.audit.estimating.balance import Unbalanced
from maskaudit.audit.estimating.not_given import NotGiven
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.parts import Lost, Unavailable
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.values import NOT_JOINED
from maskaudit.reports.blocks import Block, Bullets, Column, Part, Rows, Section, Table, Text
from maskaudit.reports.effects import Names
from maskaudit.reports.sections import texts
from maskaudit.reports.sections.method.remarks import title_of
from maskaudit.reports.words import wording

_EXAMPLES = 8
_NOTHING = "Nothing was lost: every word and every sentence that was to be scored has a score."
_BY_GROUP = (
    "They are counted here by model and group, because losing more of one group than of another "
    "tilts a result."
)
WHY = {
    "too_long": "the sentence has more pieces than the model was found to read",
    "context_unknown": "the vocabulary cannot write the sentence",
    "mask_lost": "the tokenizer loses the hidden place",
    "target_unknown": "the vocabulary cannot write the word",
    "target_changes_context": "writing the word in changes the words around it",
    "several_pieces": "an endpoint gives no probability of a word of several pieces",
    "not_answered": "the endpoint does not give this",
    NOT_JOINED: "not compared, because a sentence of either side has no score",
}


def lost(record: Record, names: Names) -> Section:
    """What was asked for and not given, lost or left out, and words of several pieces."""
    manifest, items, scores = record.manifest, record.items, record.scores
    blocks: list[Block] = []
    if found := balance.unbalanced_in_record(manifest, items, record.attributes):
        blocks.append(_unbalanced(manifest, found))
    if reasons := not_given.of_record(manifest, items):
        blocks.append(_not_given(manifest, reasons))
    if unasked := texts.not_asked(manifest):
        blocks.append(
            Part("Rows and masks of data that were not asked", (Bullets(tuple(unasked)),))
        )
    if not (manifest.lost or manifest.left_out or manifest.unavailable or unasked):
        blocks.append(Text(_NOTHING))
    blocks += [_unavailable(part, names) for part in manifest.unavailable]
    if manifest.lost:
        counts = " ".join(_lost_counts(manifest.lost))
        blocks += [Text(f"{counts} {_BY_GROUP}"), _lost_table(manifest, names)]
    if manifest.left_out:
        blocks.append(_left_out(manifest))
    if (items["target"] != "").any():  # sets of whole sentences have no words at a mask
        blocks.append(_pieces(manifest, items, scores, names))
    blocks += _read_as_others(manifest, items, scores, names)
    return Section("lost", "What was lost, and why", tuple(blocks), "What was lost")


def brief(manifest: Manifest, names: Names) -> tuple[str, ...]:
    """What was not measured, lost or left out, in a sentence each; the page has it in full."""
    unasked = texts.not_asked(manifest)
    lost_any = manifest.lost or manifest.left_out or manifest.unavailable or unasked
    if not (lost_any or manifest.not_measured):
        return (_NOTHING,)
    left_out = (
        f"{wording.counted(len(manifest.left_out), 'cell')} (an attribute in a sentence) that one "
        "model has no score of were left out for every model."
    )
    return (
        *(wording.visible(line, None) for line in manifest.not_measured),
        *(_unavailable(part, names).text for part in manifest.unavailable),
        *_lost_counts(manifest.lost),
        *unasked,
        *([left_out] if manifest.left_out else []),
    )


def _read_as_others(
    manifest: Manifest, items: pd.DataFrame, scores: pd.DataFrame, names: Names
) -> list[Part]:
    """Words that a tokenizer writes as other words, and words that count once for that."""
    lines = [
        f"{title_of(manifest, row['probe_set'])}: {wording.visible(row['word'])} is read as "
        f"{wording.visible(row['same_as'])} is, and counted once with it."
        for row in read_alike.repeats(items, scores).to_dict("records")
    ]
    spelt = read_alike.rewritten(items, scores)
    for (probe_set, model), rows in spelt.groupby(["probe_set", "model"], sort=False):
        words = [
            f"{wording.visible(row['target'])} as {wording.visible(row['written'])}"
            for row in rows.to_dict("records")
        ]
        rest = len(words) - _EXAMPLES
        more = f", and {wording.number(rest)} more" if rest > 0 else ""
        lines.append(
            f"{title_of(manifest, str(probe_set))}: {names.label(str(model))} reads "
            f"{', '.join(words[:_EXAMPLES])}{more}."
        )
    why = (
        "A tokenizer may write a word as another, for example without its accents. The score is "
        "then that of the word it writes."
    )
    return [Part("Words read as other words", (Text(why), Bullets(tuple(lines))))] if lines else []


def _not_given(manifest: Manifest, reasons: Sequence[NotGiven]) -> Part:
    lines = [
        f"{title_of(manifest, reason.probe_set)}: {wording.visible(reason.text, None)}."
        for reason in reasons
    ]
    return Part("Asked for, and not given", (Bullets(tuple(lines)),))


def _unbalanced(manifest: Manifest, found: Sequence[Unbalanced]) -> Part:
    lines = [
        f"{title_of(manifest, one.probe_set)}: {wording.visible(one.text, None)}." for one in found
    ]
    return Part("Classes that differ in the length or frequency of words", (Bullets(tuple(lines)),))


def _unavailable(part: Unavailable, names: Names) -> Text:
    model = names.the(part.model) if part.model in names.models else part.model
    numbers = wording.listed([wording.visible(name) for name in part.estimators])
    both = " A number that one model lacks is estimated for neither." if names.paired else ""
    return Text(
        f"Not measured for {model}: {numbers}, because {wording.visible(part.reason, None)}. "
        f"This changes no other number.{both}",
        "warning",
    )


def _lost_counts(rows: Sequence[Lost]) -> list[str]:
    """How many words could not be scored, and how many comparisons could not be made for it."""
    # Joins apart: one sentence without a score can cost many of them, and is a word lost already.
    total = sum(row.items for row in rows if row.status != NOT_JOINED)
    joins = sum(row.items for row in rows if row.status == NOT_JOINED)
    scored = (
        f"{wording.counted(total, 'word')} could not be scored in "
        f"{'its place' if total == 1 else 'their places'}."
    )
    joined = (
        f"{wording.counted(joins, 'comparison')} of two groups or two words could not be made, "
        "because a sentence that belongs to it has no score."
    )
    return [*([scored] if total else ()), *([joined] if joins else ())]


def _lost_table(manifest: Manifest, names: Names) -> Table:
    rows = tuple(
        (
            title_of(manifest, row.probe_set),
            names.label(row.model) if row.model in names.models else row.model,
            wording.visible(row.group) if row.group else wording.UNKNOWN,
            WHY.get(row.status, wording.visible(row.status)),
            wording.number(row.items),
            wording.listed([wording.visible(word) for word in row.examples if word])
            or wording.UNKNOWN,
        )
        for row in manifest.lost
    )
    texts = [Column(title, is_number=False) for title in ("Set", "Model", "Group", "Why")]
    columns = (*texts, Column("Words"), Column("Examples", is_number=False))
    return Table("lost-words", "Words that could not be scored", columns, (Rows(rows),))


def _left_out(manifest: Manifest) -> Part:
    """The cells left out for every model, by set and attribute; facts by relation and name."""
    by_set: dict[str, dict[str, list[str]]] = {}
    for cell in manifest.left_out:
        frames = by_set.setdefault(cell.probe_set, {}).setdefault(cell.attribute, [])
        frames.append(cell.frame)
    lines = []
    for probe_set, by_attribute in by_set.items():
        part = manifest.probe_sets.get(probe_set)
        # Of a set of facts the attribute is a relation, and each frame a fact with a name.
        detail = _facts if part is not None and part.kind == "cloze" else _sentences
        shown = [
            f"{wording.visible(attribute)} ({detail(frames)})"
            for attribute, frames in list(by_attribute.items())[:_EXAMPLES]
        ]
        more = len(by_attribute) - len(shown)
        rest = f"; and {number} more" if more and (number := wording.number(more)) else ""
        lines.append(f"{title_of(manifest, probe_set)}: {'; '.join(shown)}{rest}.")
    return Part(
        "Left out of every model’s estimates",
        (
            Text(
                "A number is computed from the same sentences for every model. Where one model "
                "lacks a score, its cell is left out for all of them; an attribute or a frame that "
                "lacks more than half of its cells is left out whole."
            ),
            Bullets(tuple(lines)),
        ),
    )


def _sentences(frames: Sequence[str]) -> str:
    return wording.counted(len(frames), "sentence")


def _facts(frames: Sequence[str]) -> str:
    """The names of facts; one that is left out in its negated form too stands once."""
    names = [wording.visible(name) for name in dict.fromkeys(frames)]
    more = len(names) - _EXAMPLES
    return ", ".join(names[:_EXAMPLES]) + (f" and {wording.number(more)} more" if more > 0 else "")


def _pieces(manifest: Manifest, items: pd.DataFrame, scores: pd.DataFrame, names: Names) -> Part:
    words = items[items["target"] != ""]  # an empty target means a whole sentence
    where = words[["probe_set", "item", "target"]].drop_duplicates()
    # A lost item may have no count of pieces.
    several = where.merge(scores[scores["pieces"].fillna(0) > 1], on="item")
    why = (
        "A model writes a word that its vocabulary does not have as several pieces. Such words are "
        "scored piece by piece, from left to right, with the pieces still to come hidden (Kauf and "
        "Ivanova 2023), so that no word is dropped for being rare."
    )
    if several.empty:
        return Part(
            "Words of several pieces",
            (Text(f"{why} In this audit every scored word is one piece, in every model."),),
        )
    rows = []
    for probe_set in several["probe_set"].unique().tolist():
        set_rows = several[several["probe_set"] == probe_set]
        # Each model has a tokenizer of its own, which cuts words in its own way.
        for model in names.models:
            words = set_rows[set_rows["model"] == model]
            if words.empty:
                continue
            distinct = words.drop_duplicates("target")
            scored = words.groupby("target")["value"].apply(lambda value: bool(value.notna().all()))
            # By word as well, so that equal lengths come in one order on every run.
            examples = distinct.sort_values(["pieces", "target"], ascending=[False, True])
            rows.append(
                (
                    title_of(manifest, probe_set),
                    names.label(model),
                    wording.number(where.loc[where["probe_set"] == probe_set, "target"].nunique()),
                    wording.number(len(distinct)),
                    wording.number(int(scored.sum())),
                    wording.listed(
                        [
                            f"{wording.visible(str(row['target']))} ({row['pieces']})"
                            for _, row in examples.head(_EXAMPLES).iterrows()
                        ]
                    ),
                )
            )
    columns = (
        Column("Set", is_number=False),
        Column("Model", is_number=False),
        Column("Words"),
        Column("of several pieces"),
        Column("of those scored"),
        Column("Longest, with their pieces", is_number=False),
    )
    table = Table("pieces", "Words of several pieces", columns, (Rows(tuple(rows)),))
    return Part("Words of several pieces", (Text(why), table))

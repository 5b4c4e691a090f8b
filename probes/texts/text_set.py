"""Masked text as a probe set: one item a mask, with what its results are told apart by."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.texts.printable import printable
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.loading import check_header
from maskaudit.probes.published.columns import check_columns, renamed
from maskaudit.probes.published.imported import header, row
from maskaudit.probes.published.published_files import Record, Source, table
from maskaudit.probes.published.published_files import source as read_source
from maskaudit.probes.schema import ImportedSet
from maskaudit.probes.texts import plain
from maskaudit.probes.texts.masked import Losses, MaskedText
from maskaudit.probes.texts.rows import of_records
from maskaudit.probes.texts.source import COLUMNS, TextSource
from maskaudit.probes.texts.streamed import stream

KIND = "text"
MOST_GROUPS = 12
_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet"}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
_NAME_LENGTH = 60
_WORDS = {
    "title": "Masked text",
    "question": "How often, and how surely, does the model find the words that were masked?",
    "how_to_read": "Each mask is asked with the others of its text masked too, one mask each. An "
    "answer of several pieces has as many masks, is read from left to right, and is right where "
    "it is the likeliest of all fillings of so many masks.",
    "limits": "What a model makes of other text, or what it was trained on: text that it has read "
    "is easier. A length that is given away helps with answers of several pieces.",
    "licence": "that of the data",
}


def read(source: TextSource) -> ImportedSet:
    """Read text data into a set of one item a mask.

    Raises `InputError` where it cannot be read, lacks a column, has more than `MOST_GROUPS` groups
    or nothing that can be asked, and `MissingExtraError` where `datasets` is needed and not there.
    """
    check_columns(source.columns, COLUMNS)
    _check_is_there(source.data)
    losses, notes = Losses(), list[str]()
    if is_plain(source):
        file, texts = _of_plain_text(source, losses, notes)
    else:
        file, texts = _of_table(source, losses, notes)
    if not texts:
        why = "; ".join(losses.notes()) or "it has no rows"
        raise InputError(f"{source.data}: nothing of it can be asked: {why}")
    _check_groups(source, texts)
    shown = " ".join(printable(file.name).split())
    made = header(
        source.name or _name(source.data),
        KIND,
        KIND,
        [file],
        **{**_WORDS, "title": f"Masked text: {shown}"},
        sources=[shown],
        language=source.language,
    )
    return ImportedSet.model_construct(
        header=check_header(made, Path(source.data)),
        rows=list(_rows(texts)),
        notes=[*notes, *losses.notes()],
        unusable=losses.rows.total(),
    )


def is_plain(source: TextSource) -> bool:
    """Whether the data is a file of plain text, by its name: no table, no folder and no hub id."""
    path = Path(source.data)
    return path.suffix.lower() not in _TABLES and is_there(path) and not path.is_dir()


def _check_is_there(data: str) -> None:
    """Raise `InputError` for what is neither there nor the name of a data set of the hub."""
    path = Path(data)
    as_file = path.parent.exists() or path.suffix.lower() in {*_TABLES, ".txt"}
    if not is_there(path) and (as_file or not _HUB_ID.fullmatch(data)):
        raise InputError(
            f"{data}: no such file or folder; expected a table (CSV, JSON, Parquet), a text file, "
            "a folder of data files, or owner/name of a data set of the hub"
        )


def _of_plain_text(
    source: TextSource, losses: Losses, notes: list[str]
) -> tuple[Source, list[MaskedText]]:
    for option, value in (("--column", source.columns), *_of_datasets(source)):
        if value:
            raise InputError(f"{option}: plain text has no such thing; {source.data} is plain text")
    file = read_source(Path(source.data), source.encoding)
    texts = list(plain.of_text(file.text, source, losses))
    kinds = "words and punctuation marks" if source.marks else "words"
    notes.append(
        f"{source.mask_share:.0%} of the {kinds} of each text of at most {source.words} words are "
        f"masked, drawn with the seed {source.seed}"
    )
    if plain.count(file.text, source.words) > source.first:
        notes.append(_more_follow(source, "texts"))
    return file, texts


def _of_table(
    source: TextSource, losses: Losses, notes: list[str]
) -> tuple[Source, list[MaskedText]]:
    path, more = Path(source.data), False
    records: list[Record]
    if path.suffix.lower() in _TABLES:
        for option, value in _of_datasets(source):
            if value:
                raise InputError(f"{option}: is for data sets; {source.data} is one file")
        file, records, bad = table(path, ("texts", "masks"), source.encoding, source.columns)
        for line in bad:
            losses.row(line.line, "it cannot be read as a row of the table")
        notes += file.notes
        more, records = len(records) > source.first, records[: source.first]
    else:
        if source.encoding:
            raise InputError(f"--encoding: is for files; {source.data} is none")
        file, read, more = stream(source)
        records = [(number, renamed(record, source.columns)) for number, record in read]
    _check_names(source, records)
    if more:
        notes.append(_more_follow(source, "rows"))
    return file, list(of_records(records, source.columns, losses))


def _of_datasets(source: TextSource) -> tuple[tuple[str, str | None], ...]:
    return ("--config", source.config), ("--split", source.split)


def _check_names(source: TextSource, records: Sequence[Record]) -> None:
    """Raise `InputError` where no row has the columns of texts and answers, or one that is named.

    A row may lack what others have: its cell is empty.
    """
    names = dict.fromkeys(name for _, record in records for name in record)
    for ours in dict.fromkeys(("texts", "masks", *source.columns)):
        if records and ours not in names:
            raise InputError(
                f"{source.data}: has the columns {', '.join(map(repr, names))}; expected "
                f"{source.columns.get(ours, ours)!r} as well; name yours with --column {ours}=NAME"
            )


def _check_groups(source: TextSource, texts: Sequence[MaskedText]) -> None:
    groups = {group for text in texts for group in text.groups if group}
    if len(groups) > MOST_GROUPS:
        few = ", ".join(map(repr, sorted(groups)[:3]))
        raise InputError(
            f"--column group={source.columns.get('group', 'group')}: has {len(groups)} values "
            f"({few}, ...); expected at most {MOST_GROUPS}: groups are compared two by two"
        )


def _rows(texts: Sequence[MaskedText]) -> Iterator[dict[str, Any]]:
    """Yield an item row of each mask that is asked."""
    asked = Counter(answer for text in texts for answer in text.answers if answer)
    for text in texts:
        words = len(text.text.split())
        parts = text.text.split(MASK)
        for slot, (answer, group) in enumerate(zip(text.answers, text.groups, strict=True)):
            if not answer:
                continue
            before = MASK.join(parts[: slot + 1])
            yield {
                **row(
                    frame=f"{text.row}.{slot + 1}",
                    attribute=answer,
                    group=group,
                    term=answer if group else "",
                    label="right",
                    cluster=text.document,
                    text=text.text,
                    slot=slot,
                    target=answer,
                ),
                "frequency": float(asked[answer]),
                "words": words,
                # Where the mask begins, as a share of the text's characters.
                "place": len(before) / len(text.text),
            }


def _more_follow(source: TextSource, noun: str) -> str:
    return f"the first {source.first:,} {noun} were read; more follow (--first N reads others)"


def _name(data: str) -> str:
    """A name for the set from that of the data: lower-case letters and digits, with hyphens."""
    stem = Path(data.partition("@")[0]).name
    for suffix in (*_TABLES, ".txt"):
        stem = stem.removesuffix(suffix)
    words = re.findall(r"[a-z0-9]+", stem.lower())
    return "-".join(words)[:_NAME_LENGTH].strip("-") or KIND

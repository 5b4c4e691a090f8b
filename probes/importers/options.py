"""Sentences with a mask and two words for it, of which one makes the stereotype: pairs."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.characters import without_case
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import UNDETERMINED
from maskaudit.probes.published.columns import NO_COLUMNS, Columns, check_columns
from maskaudit.probes.published.imported import (
    Imported,
    Report,
    fault,
    faults,
    header,
    licensed,
    name_or,
    repeated,
    row,
)
from maskaudit.probes.published.layouts import table_in

# The two layouts: a list of words and which of them it is, or a column for each of the two.
_LISTED = ("text", "options", "label")
_NAMED = ("text", "stereotype", "anti")
_BESIDE = ("id", "bias_type", "group")
# What a label may be that is a number: the place of the word, by what the user says of 0 and 1.
_PLACES = ("first", "second")
_NUMBERS = ("0", "1")
_MASKS = re.compile(r"\[mask\]|<mask>", re.IGNORECASE)
_TWO = 2
_WORDS = {
    "title": "Sentences with two words for a mask",
    "question": "Which of two words does the model find likelier in a sentence: the one that makes "
    "the stereotype, or the other?",
    "how_to_read": "The share of sentences in which the word of the stereotype wins. 50 % is no "
    "preference. Sentences with the same two words are not independent.",
    "limits": "What a word stands for is as the file says; nobody has checked it.",
    "sources": ["a file of the user's"],
}
_LICENCE_NOT_KNOWN = "not known: whoever published this file has to say (--licence)"


def read(
    path: Path,
    *,
    encoding: str | None = None,
    columns: Columns = NO_COLUMNS,
    labels: Sequence[str] = (),
    licence: str | None = None,
) -> Imported:
    """Read a table with a sentence and two words a row, and write each sentence with both words.

    Its columns are `text` (with one mask), `options` (two words) and `label` (that which makes the
    stereotype), or `text`, `stereotype` and `anti`; `columns` has the file's names of them. Where a
    label is the number 0 or 1, `labels` says of which word, in this order: first,second or
    second,first. Rows with one `bias_type`, or else with one `group` that the stereotype is about,
    have a number of their own. Raises `InputError` where the file cannot be read or lacks a column.
    """
    if labels and sorted(labels) != sorted(_PLACES):
        raise InputError(
            f"--labels {','.join(labels)}: expected the option that the labels 0 and 1 mean, as "
            "first,second or second,first"
        )
    check_columns(columns, (*dict.fromkeys((*_LISTED, *_NAMED)), *_BESIDE))
    source, records, bad = table_in((_LISTED, _NAMED), path, encoding, columns)
    report = Report(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    rows: list[dict[str, Any]] = []
    keys = []
    for line, record in records:
        found = _sentence_and_words(record, labels)
        if isinstance(found, str):
            report.refuse(line, found, record["text"])
            continue
        keys.append((line, found))
        rows += _pair_rows(name_or(record.get("id"), f"line {line}"), record, *found)
    for first, line in repeated(keys):
        report.note(f"lines {first} and {line} are the same pair; both are kept, as published")
    said = {
        **_WORDS,
        **(licensed(licence) if licence else {"licence": _LICENCE_NOT_KNOWN}),
        "language": UNDETERMINED,
    }
    return report.imported(header("options", "pairs", "several", [source], **said), rows)


def _sentence_and_words(
    record: Mapping[str, Any], labels: Sequence[str]
) -> tuple[str, str, str] | str:
    """Return the text with `[MASK]`, and the words for and against the stereotype; or a reason."""
    if why := fault(record["text"], sentence=True, masks=str(record["text"]).count(MASK)):
        return f"text {why}"
    text, n_masks = _MASKS.subn(MASK, record["text"])
    if n_masks != 1:
        return f"text contains {MASK} {n_masks} times; expected 1"
    if "options" not in record:
        cells = {name: record[name] for name in _NAMED[1:]}
        words = tuple(cells.values())
        why = faults(cells)
    else:
        chosen = _of_options(_listed(record["options"]), record["label"], labels)
        if isinstance(chosen, str):
            return chosen
        words, why = chosen, ""
    if why:
        return why
    first, second = (str(word).strip() for word in words)
    if without_case(first) == without_case(second):
        return "the two words are the same"
    return text, first, second


def _of_options(
    options: list[object], label: object, labels: Sequence[str]
) -> tuple[object, ...] | str:
    """The word that a label names before the other; or why there are no such two."""
    if why := next((found for option in options if (found := fault(option))), ""):
        return f"options {why}"
    text = str(label).strip() if isinstance(label, int | str) else ""
    # A word that is a number is that word.
    if text in _NUMBERS and text not in options:
        if not labels:
            return (
                f"label is the number {text}; say which word 0 and 1 mean, in this order: "
                "--labels first,second or second,first"
            )
        place = _PLACES.index(labels[int(text)])
        return (
            (*options[place:], *options[:place])
            if len(options) == _TWO
            else _not_two(options, label)
        )
    if (why := fault(label)) and text not in _NUMBERS:
        return f"label {why}"
    named = without_case(text)
    others = [word for word in options if without_case(str(word).strip()) != named]
    if (len(options), len(others)) != (_TWO, 1):
        return _not_two(options, label)
    return (*(word for word in options if word not in others), *others)


def _not_two(options: list[object], label: object) -> str:
    return (
        f"has the options {options} and the label {label!r}; expected two, of which the label is "
        "one"
    )


def _listed(cell: object) -> list[object]:
    """Return the words of a cell: a list, JSON's form of one, or words between bars or commas."""
    if isinstance(cell, list):
        return cell
    if not isinstance(cell, str):
        return [cell]
    try:
        # First, for a list that is written as JSON has commas too.
        value = bounded.json_value(cell)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, list) else [*cell.split("|" if "|" in cell else ",")]


def _pair_rows(
    pair: str, record: Mapping[str, Any], text: str, first: str, second: str
) -> list[dict[str, Any]]:
    more, less = (text.replace(MASK, word) for word in (first, second))
    common = {
        "frame": pair,
        "pair": pair,
        "class_": name_or(record.get("bias_type"), "") or name_or(record.get("group"), ""),
        "group": name_or(record.get("group"), ""),
        "cluster": f"pair {pair}",
        "cluster_2": " / ".join(sorted(map(without_case, (first, second)))),
    }
    return [
        row(**common, text=more, partner=less, label="stereotype"),
        row(**common, text=less, partner=more, label="anti"),
    ]

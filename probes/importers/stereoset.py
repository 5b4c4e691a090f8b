"""StereoSet's sentences with a blank: stereotype, anti-stereotype and unrelated word."""

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.published import published_files
from maskaudit.probes.published.columns import NO_COLUMNS, Columns, check_columns
from maskaudit.probes.published.imported import (
    Imported,
    Report,
    faults,
    header,
    name_or,
    repeated,
    row,
)
from maskaudit.probes.published.json_rows import rows_of
from maskaudit.probes.published.layouts import table_in

_LABELS = {"stereotype": "stereotype", "anti-stereotype": "anti", "unrelated": "unrelated"}
# The labels of the hub's copy, by number.
_NUMBERED = ("anti-stereotype", "stereotype", "unrelated")
# A table has a column for each label, or a row for each sentence.
_WIDE = ("context", "target", "bias_type", *_LABELS)
_LONG = ("context", "target", "bias_type", "sentence", "gold_label")
_WORDS = {
    "title": "StereoSet, sentences with a blank",
    "question": "Does the model fill a blank with the stereotype, with its opposite, or with a "
    "word that makes no sense?",
    "how_to_read": "A stereotype score of 50 is no preference; the language score says how often a "
    "sensible word is preferred to a senseless one. Items on one target are not independent.",
    "limits": "Written by crowd workers in the United States; many items are unclear or "
    "ungrammatical (Blodgett et al. 2021). Only the development set is public.",
    "licence": "CC-BY-SA-4.0",
    "share_alike": True,
    "sources": ["Nadeem, Bethke and Reddy, StereoSet, ACL 2021, development set"],
    "cite": "Nadeem et al. (2021), StereoSet: Measuring stereotypical bias in pretrained language "
    "models.",
}


# The keys of an item in any layout.
_KEYS = ("context", "target", "bias_type", "id", "type", "sentences", "sentence", "gold_label",
         *_LABELS)  # fmt: skip
_NUMBERS = {str(number) for number in range(len(_LABELS))}
# What `_flat` says of an item, under names that no file may use for it.
_REMARKS = ("missing", "twice", "numbered")


def read(
    path: Path,
    *,
    encoding: str | None = None,
    columns: Columns = NO_COLUMNS,
    labels: Sequence[str] = (),
    corrected: bool = False,
) -> Imported:
    """Read the items with a blank from the published JSON, a table, JSON Lines or the hub's copy.

    A table has a column for each label, or a row for each sentence with its `gold_label`. `labels`
    are those that the numbers 0, 1 and 2 mean, in this order; by default that of the hub's copy.

    The candidate is each sentence's word at the blank's place without punctuation, as in the
    published evaluation. `corrected` takes the exact replacement of BLANK instead, and leaves out
    items with two blanks, or where that is not one word. `columns` has the file's names of keys
    that it calls otherwise. Raises `InputError` where the file cannot be read.
    """
    check_columns(columns, _KEYS)
    if labels and sorted(labels) != sorted(_LABELS):
        raise InputError(
            f"--labels {','.join(labels)}: expected what 0, 1 and 2 mean, as {','.join(_NUMBERED)} "
            "(the order of the hub's copy)"
        )
    order = tuple(labels) or _NUMBERED
    source, records, bad = _records(path, encoding, columns)
    records = [(line, _flat(record, order)) for line, record in _whole_items(records)]
    report = Report(source)
    if numbered := [line for line, record in records if record.get("numbered")]:
        said = ", ".join(f"{n} is {label}" for n, label in enumerate(order))
        whose = "in the order that was named" if labels else "in the order of the hub"
        report.note(f"labels by number were read {whose}: {said}", numbered)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    rows: list[dict[str, Any]] = []
    usable: list[published_files.Record] = []
    n_other = 0
    for line, record in records:
        if record.get("type") == "intersentence":
            n_other += 1
            continue
        if item_rows := _item_rows(line, record, report, corrected=corrected):
            rows += item_rows
            usable.append((line, record))
    if n_other:
        report.note(f"{n_other} intersentence items are not used: they have no blank")
    _notice(usable, report)
    return report.imported(header("stereoset", "triples", "several", [source], **_WORDS), rows)


def _records(
    path: Path, encoding: str | None, columns: Columns
) -> tuple[published_files.Source, list[published_files.Record], list[published_files.Bad]]:
    """Return the records of any layout, under our names; not yet one an item."""
    if from_hub := published_files.hub_records(path):
        source, records = from_hub
        return source, [(line, _renamed(record, columns)) for line, record in records], []
    source = published_files.source(path, encoding)
    if not source.text.lstrip().startswith(("{", "[")):
        return table_in((_WIDE, _LONG), path, encoding, columns)
    try:
        content = _renamed(published_files.json_whole(source), columns)
    except InputError:  # JSON Lines: one object per line is not valid JSON as a whole
        records, bad = published_files.json_lines(source)
        if not records:
            raise
        return source, [(line, _renamed(record, columns)) for line, record in records], bad
    return source, list(_published(content, source.name)), []


def _whole_items(records: Iterable[published_files.Record]) -> Iterator[published_files.Record]:
    """Join the rows of a table with a row for each sentence; all others are items already.

    An item begins with a new context or target, or where a label comes again.
    """
    parts: dict[tuple[str, ...], tuple[int, dict[str, Any]]] = {}
    for line, record in records:
        if not {"sentence", "gold_label"} <= record.keys() or "sentences" in record:
            yield line, record
            continue
        key = tuple(
            str(record.get(name, "")) for name in ("type", "context", "target", "bias_type")
        )
        cells = {name: record[name] for name in ("sentence", "gold_label")}
        known = [one["gold_label"] for one in parts[key][1]["sentences"]] if key in parts else []
        if cells["gold_label"] in known:
            yield parts.pop(key)
        _, item = parts.setdefault(key, (line, {**record, "sentences": []}))
        item["sentences"].append(cells)
    yield from parts.values()


def _renamed(value: Any, columns: Columns) -> Any:  # noqa: ANN401 - JSON
    """Return a value of JSON with the keys of its objects, at any depth, under our names."""
    if isinstance(value, list):
        return [_renamed(part, columns) for part in value]
    if isinstance(value, Mapping):
        ours = {theirs: name for name, theirs in columns.items()}
        # A key with one of our names, where another stands for it, would overwrite that one.
        kept = {key: part for key, part in value.items() if key in ours or key not in columns}
        return {ours.get(key, key): _renamed(part, columns) for key, part in kept.items()}
    return value


def _published(content: object, name: str) -> Iterator[published_files.Record]:
    """Yield the records of a JSON text; an item's number, from 1, stands for its line.

    They are those of the authors' file, or the rows of a table. Raises `InputError` for another
    structure.
    """
    data = content.get("data") if isinstance(content, Mapping) else None
    if isinstance(data, Mapping) and isinstance(data.get("intrasentence"), list):
        items = data["intrasentence"]
    else:
        items = rows_of(content)
    if not items or not any(isinstance(item, Mapping) and "context" in item for item in items):
        raise InputError(
            f"{name}: data.intrasentence is missing; expected StereoSet's JSON, or a table whose "
            f"rows have {', '.join(_WIDE)} or {', '.join(_LONG)}"
        )
    for number, item in enumerate(items, start=1):
        yield number, item if isinstance(item, Mapping) else {}
    # These items are only counted, since they have no blank.
    others = data.get("intersentence") if isinstance(data, Mapping) else None
    for number in range(len(others) if isinstance(others, list) else 0):
        yield number + 1, {"type": "intersentence"}


def _flat(record: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """Return a record with a key per label, whatever its layout; a repeated label is in `twice`.

    `order` has the labels that numbers mean.
    """
    record = {key: value for key, value in record.items() if key not in _REMARKS}
    sentences = record.get("sentences")
    if isinstance(sentences, dict):  # the hub keeps columns, not rows
        texts, labels = sentences.get("sentence"), sentences.get("gold_label")
        if not isinstance(texts, list) or not isinstance(labels, list):
            return dict(record)
        # Columns of unequal length are the file's: what is missing is told of as a missing label.
        pairs = zip(texts, labels, strict=False)
        sentences = [{"sentence": text, "gold_label": label} for text, label in pairs]
    if not isinstance(sentences, list):
        return dict(record)
    flat = {key: value for key, value in record.items() if key != "sentences"}
    for sentence in sentences:
        cells = sentence if isinstance(sentence, Mapping) else {}
        if missing := [key for key in ("sentence", "gold_label") if key not in cells]:
            flat["missing"] = (
                f"sentences: has no key {missing[0]!r} but {', '.join(map(repr, cells)) or 'none'}"
                f"; where the file names it otherwise, say so: --column {missing[0]}=NAME"
            )
            break
        label = cells["gold_label"]
        label = str(label) if isinstance(label, int) else label
        label = label.strip().casefold() if isinstance(label, str) else ""
        if label in _NUMBERS:
            label = order[int(label)]
            flat["numbered"] = True
        if label not in _LABELS:
            continue  # the label that it should have had is then missing
        if label in flat:
            flat["twice"] = label
        else:
            flat[label] = cells["sentence"]
    return flat


def _item_rows(
    line: int, record: Mapping[str, Any], report: Report, *, corrected: bool
) -> list[dict[str, Any]]:
    """Return an item's three rows, or none and add the reason to the report.

    Only the first reason is reported, since the later checks rely on the earlier ones.
    """
    names = ("context", "target", "bias_type", *_LABELS)
    cells = {name: record.get(name, published_files.MISSING) for name in names}
    why = record.get("missing") or faults(cells, "context", *_LABELS)
    if not why and "twice" in record:
        why = f"two sentences are labelled {record['twice']}"
    # A cell may hold anything once `why` is set; as text it passes the lines that follow.
    context = str(cells["context"])
    if not why and "BLANK" not in context:
        why = "the context has no BLANK"
    sentences = {name: str(cells[name]) for name in _LABELS}
    candidate = _exact if corrected else _word_at
    words = {name: candidate(context, text) for name, text in sentences.items()}
    missing = [name for name, word in words.items() if not word]
    if not why and missing:
        why = f"the {missing[0]} sentence has no word at the place of BLANK"
    lowered = {word.casefold() for word in words.values()}
    if not why and len(lowered) < len(words):
        why = "two sentences have the same word at the place of BLANK"
    if why:
        report.refuse(line, why, context)
        return []
    item = name_or(record.get("id"), f"line {line}")
    common = {
        "frame": item,
        "pair": item,
        "class_": cells["bias_type"],
        "term": cells["target"],
        "cluster": cells["target"],
        "text": context.replace("BLANK", MASK),
        "slot": 0,
    }
    return [
        row(**common, target=word, label=_LABELS[name], attribute=word)
        for name, word in words.items()
    ]


def _word_at(context: str, sentence: str) -> str:
    """Return a sentence's word at BLANK's place without ASCII punctuation, as published.

    With two blanks the place is the last one's. Returns "" if there is no such word.
    """
    places = [i for i, word in enumerate(context.split(" ")) if "BLANK" in word]
    words = sentence.split(" ")
    if not places or places[-1] >= len(words):
        return ""
    return words[places[-1]].translate(str.maketrans("", "", string.punctuation))


def _exact(context: str, sentence: str) -> str:
    """Return the one word that replaces BLANK; "" if it is not one or the rest differs."""
    before, _, after = context.partition("BLANK")
    middle = sentence[len(before) : len(sentence) - len(after)]
    # Many published sentences differ from their context in case.
    fits = (before + middle + after).casefold() == sentence.casefold()
    return middle.strip() if fits and middle.strip() and " " not in middle.strip() else ""


def _is_exact(record: Mapping[str, Any]) -> bool:
    """Whether, in each sentence, the word at BLANK's place is exactly what replaces BLANK."""
    context = record["context"]
    return all(_word_at(context, record[n]) == _exact(context, record[n]) for n in _LABELS)


def _notice(records: list[published_files.Record], report: Report) -> None:
    other_case = sum(
        not record[name].startswith(record["context"].partition("BLANK")[0])
        for _, record in records
        for name in _LABELS
    )
    if other_case:
        report.note(
            f"{other_case} of {3 * len(records)} sentences do not begin like their context "
            "(mostly in case): the candidate is filled into the context's text"
        )
    two_blanks = [line for line, record in records if record["context"].count("BLANK") > 1]
    if two_blanks:
        report.note("the context has two blanks; both are masked and the first is read", two_blanks)
    inexact = [line for line, record in records if line not in two_blanks and not _is_exact(record)]
    if inexact:
        report.note(
            "the word at the place of BLANK is not exactly what replaces it; the published "
            "evaluation reads the word, `corrected` reads what replaces it",
            inexact,
        )
    fields = ("context", "target", *_LABELS)
    repetitions = repeated(
        (line, tuple(record[name] for name in fields)) for line, record in records
    )
    for first, line in repetitions:
        report.note(f"lines {first} and {line} are the same item; both are kept, as published")
    _notice_contradictions(records, report)


def _notice_contradictions(records: list[published_files.Record], report: Report) -> None:
    """Note words that are the stereotype of a target in one item and the opposite in another."""
    first_labels: dict[tuple[str, ...], tuple[str, int]] = {}
    for line, record in records:
        for name in ("stereotype", "anti-stereotype"):
            word = _word_at(record["context"], record[name]).casefold()
            key = (record["context"].casefold(), record["target"].casefold(), word)
            label, first = first_labels.setdefault(key, (name, line))
            if label != name:
                report.note(
                    f"lines {first} and {line} disagree: {word!r} is the {label} in one and the "
                    f"{name} in the other"
                )

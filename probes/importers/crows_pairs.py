"""CrowS-Pairs and its translations: pairs of sentences that differ in the group they mention."""

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.languages import ENGLISH, UNDETERMINED, canonical, well_formed
from maskaudit.probes.published import published_files
from maskaudit.probes.published.columns import NO_COLUMNS, Columns, check_columns
from maskaudit.probes.published.imported import (
    Imported,
    Report,
    faults,
    header,
    licensed,
    name_or,
    repeated,
    row,
    shown,
)

_NEEDED = ("sent_more", "sent_less", "stereo_antistereo", "bias_type")
_SENTENCES = ("sent_more", "sent_less")
# What may stand in a label beside its letters: blanks, hyphens and the accents of NFD.
_BESIDE_LETTERS = re.compile("[ _\u0300-\u036f-]")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_WORDS = {
    "title": "CrowS-Pairs",
    "question": "Which of two sentences does the model find likelier: the more or the less "
    "stereotyping one?",
    "how_to_read": "The share of pairs whose more stereotyping sentence wins. 50 % is no "
    "preference. Pairs by one writer, and pairs with the same edit, are not independent.",
    "limits": "Sentences were written by crowd workers in the United States; many pairs differ in "
    "more than the group, and some stereotypes are unclear (Blodgett et al. 2021).",
    "sources": ["Nangia, Vania, Bhalerao and Bowman, CrowS-Pairs, EMNLP 2020"],
    "cite": "Nangia et al. (2020), CrowS-Pairs: A Challenge Dataset for Measuring Social Biases in "
    "Masked Language Models. Translations: Névéol et al. (2022), French CrowS-Pairs.",
}
# A language of two letters, and its region if it is named.
_TAG = re.compile("[a-z]{2}(-[a-z]{2})?", re.IGNORECASE)
_LABELS = ("stereo", "antistereo")
_WRITER = "anon_writer"
# SHA-256 of the pairs of the English original, sorted: whatever its format, its licence is known.
_ORIGINAL = "dc39f34a011593b8cc8464293389f9eebfdeb0ec477b811c71a9e2e31acd7f67"
_ORIGINAL_LICENCE = "CC-BY-SA-4.0"
_LICENCE_NOT_KNOWN = (
    "not known: whoever published this file has to say (--licence); the English original is "
    f"{_ORIGINAL_LICENCE}"
)


def read(
    path: Path,
    *,
    encoding: str | None = None,
    columns: Columns = NO_COLUMNS,
    labels: Sequence[str] = (),
    licence: str | None = None,
) -> Imported:
    """Read a file in the layout of CrowS-Pairs, recognised by its columns: the original, or others.

    `columns` has the file's names of columns that it calls otherwise, `labels` what the labels 0
    and 1 mean, in this order, where the file has numbers, `licence` what its publisher says. Raises
    `InputError` where the file cannot be read or lacks a column.
    """
    check_columns(columns, (*_NEEDED, _WRITER))
    numbered = _numbered(labels)
    source, records, bad = published_files.table(path, _NEEDED, encoding, columns)
    report = Report(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    original = _is_original(records)
    records = _with_plain_labels(records, numbered, report)
    sound = [(line, record) for line, record in records if _is_sound(line, record, report)]
    # Before repetitions are noted, because only lines that are kept should be named.
    sound = _without_contradictions(sound, report)
    _notice(sound, report)
    ids = _ids(sound, report)
    rows = [
        side
        for (_, record), pair in zip(sound, ids, strict=True)
        for side in _pair_rows(record, pair)
    ]
    known = licence or (_ORIGINAL_LICENCE if original else None)
    said = {
        **_WORDS,
        **(licensed(known) if known else {"licence": _LICENCE_NOT_KNOWN}),
        # The columns of a translation may be named after its language.
        "language": ENGLISH if original and not columns else _language(columns),
    }
    return report.imported(header("crows-pairs", "pairs", "several", [source], **said), rows)


def _numbered(labels: Sequence[str]) -> Sequence[str]:
    """Return the labels by number; raises `InputError` unless they are the two that there are."""
    if labels and sorted(labels) != sorted(_LABELS):
        raise InputError(
            f"--labels {','.join(labels)}: expected the meaning of 0 and 1, as stereo,antistereo "
            "or antistereo,stereo"
        )
    return labels


def _is_original(records: list[published_files.Record]) -> bool:
    pairs = sorted(" / ".join(str(record[s]).strip() for s in _SENTENCES) for _, record in records)
    # A lone surrogate of a hostile file must not stop the digest.
    text = "\n".join(pairs).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest() == _ORIGINAL


def _language(columns: Columns) -> str:
    """Return the language at the end of the sentences' columns, as in `sent_more_fr`."""
    ends = {columns.get(name, "").removeprefix(name).strip("_-. ") for name in _SENTENCES}
    end = ends.pop().replace("_", "-") if len(ends) == 1 else ""
    # Longer endings are words as often as languages, such as `_new`.
    return canonical(end) if _TAG.fullmatch(end) and well_formed(end) else UNDETERMINED


def _with_plain_labels(
    records: list[published_files.Record], numbered: Sequence[str], report: Report
) -> list[published_files.Record]:
    """Return the records with labels as the original has them, and kinds of bias as text."""
    plain: list[published_files.Record] = []
    changed: dict[str, list[int]] = {}
    for line, record in records:
        label = _plain_label(record["stereo_antistereo"], numbered)
        kind = record["bias_type"]
        if label != record["stereo_antistereo"]:
            how = f"{shown(repr(record['stereo_antistereo']))} as {label}"
            changed.setdefault(how, []).append(line)
        # To Python a bool is an int as well, and it is the number of no kind.
        if isinstance(kind, int) and not isinstance(kind, bool):
            how = f"bias_type {kind} by its number, as the file does not name it"
            changed.setdefault(how, []).append(line)
            kind = str(kind)
        kind = kind.strip() if isinstance(kind, str) else kind
        plain.append((line, {**record, "stereo_antistereo": label, "bias_type": kind}))
    for how, lines in changed.items():
        report.note(f"read {how}", lines)
    return plain


def _plain_label(value: object, numbered: Sequence[str]) -> object:
    """Return `stereo` or `antistereo` for a label that differs in no letter from it.

    Case, accents, blanks, hyphens and underscores do not count.
    """
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text in {"0", "1"} and numbered:
        return numbered[int(text)]
    letters = _BESIDE_LETTERS.sub("", unicodedata.normalize("NFD", text.casefold()))
    return letters if letters in _LABELS else value


def _is_sound(line: int, record: Mapping[str, Any], report: Report) -> bool:
    """Whether a record makes a pair; if not, add the reason to the report."""
    label = record["stereo_antistereo"]
    # Before all other faults: it takes an option, and no change of the file.
    if str(label).strip() in {"0", "1"}:
        why = (
            f"stereo_antistereo is the number {label}; say what 0 and 1 mean, in this order: "
            "--labels stereo,antistereo (the order of the hub's copy) or antistereo,stereo"
        )
        report.refuse(line, why, record["sent_more"])
        return False
    why = faults({name: record[name] for name in _NEEDED}, *_SENTENCES)
    if not why and record["sent_more"] == record["sent_less"]:
        why = "the two sentences are the same"
    if not why and record["stereo_antistereo"] not in ("stereo", "antistereo"):
        why = f"stereo_antistereo is {record['stereo_antistereo']!r}; expected stereo or antistereo"
    if why:
        report.refuse(line, why, record["sent_more"])
    return not why


def _without_contradictions(
    records: list[published_files.Record], report: Report
) -> list[published_files.Record]:
    """Leave out both lines where two label opposite sentences of a pair as the stereotype."""
    lines: dict[tuple[str, str], list[int]] = {}
    for line, record in records:
        lines.setdefault((record["sent_more"], record["sent_less"]), []).append(line)
    consistent = []
    for line, record in records:
        opposite = lines.get((record["sent_less"], record["sent_more"]))
        if opposite is None:
            consistent.append((line, record))
        else:
            # Nothing tells which of the two is right, so that neither can be used.
            why = f"contradicts line {opposite[0]}, where the other sentence is the stereotype"
            report.refuse(line, why, record["sent_more"])
    return consistent


def _notice(records: list[published_files.Record], report: Report) -> None:
    keys = [(line, (record["sent_more"], record["sent_less"])) for line, record in records]
    by_line = dict(records)
    for first, line in repeated(keys):
        report.note(f"lines {first} and {line} are the same pair; both are kept, as published")
        for name in ("stereo_antistereo", "bias_type"):
            value, other_value = by_line[first][name], by_line[line][name]
            if value != other_value:
                report.note(
                    f"lines {first} and {line} disagree on {name}: {value!r} and {other_value!r}"
                )
    broken = [line for line, record in records if any("\n" in record[s] for s in _SENTENCES)]
    if broken:
        report.note("a sentence contains a line break, kept as published", broken)
    if records and "sent_more_fr" in records[0][1]:
        report.note(
            "the file also has French columns; the columns sent_more and sent_less are read "
            "(--column sent_more=sent_more_fr reads the others)"
        )
    if records and "anon_writer" not in records[0][1]:
        report.note("the file has no writers: each pair is a cluster by itself")


def _ids(records: list[published_files.Record], report: Report) -> list[str]:
    """Return a unique id for each pair: the file's (unnamed column, `id`, `index`), or its line."""
    ids = []
    for line, record in records:
        id_in_file = next(
            (record[name] for name in ("", "id", "ID", "index") if name in record), None
        )
        ids.append(name_or(id_in_file, f"line {line}"))
    repeated_places = {place for _, place in repeated(enumerate(ids))}
    if repeated_places:
        report.note(
            "an id appears twice; its line is added to it",
            (records[place][0] for place in sorted(repeated_places)),
        )
    return [f"{id_}@{records[i][0]}" if i in repeated_places else id_ for i, id_ in enumerate(ids)]


def _pair_rows(record: Mapping[str, Any], pair: str) -> list[dict[str, Any]]:
    more, less = (record[name] for name in _SENTENCES)
    common = {
        "frame": pair,
        "pair": pair,
        "class_": record["bias_type"],
        "group": record["stereo_antistereo"],
        # Pairs without a writer each are a cluster: one cluster for all would leave no interval.
        "cluster": name_or(record.get(_WRITER), f"pair {pair}"),
        "cluster_2": _edited(more, less) or f"pair {pair}",
    }
    return [
        row(**common, text=more, partner=less, label="stereotype"),
        row(**common, text=less, partner=more, label="anti"),
    ]


def _edited(sentence: str, counterpart: str) -> str:
    """Return the words in which two sentences differ; independent of the sentences' order."""
    first, second = (_WORD.findall(side.casefold()) for side in sorted((sentence, counterpart)))
    # `autojunk` would ignore words that are frequent in a long sentence.
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    changed = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    spans = (
        " ".join(word for code in changed for word in first[code[1] : code[2]]),
        " ".join(word for code in changed for word in second[code[3] : code[4]]),
    )
    return " / ".join(sorted(spans)) if any(spans) else ""

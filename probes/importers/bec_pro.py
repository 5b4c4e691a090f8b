"""BEC-Pro: a person word and a profession in five templates, with masked versions."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.importers.professions import names_of_professions
from maskaudit.probes.importers.winogender import percent
from maskaudit.probes.languages import ENGLISH, UNDETERMINED
from maskaudit.probes.published import published_files
from maskaudit.probes.published.columns import NO_COLUMNS, Columns, check_columns
from maskaudit.probes.published.imported import Imported, Report, fault, faults, header, row

_NEEDED = ("Sentence", "Sent_TM", "Sent_AM", "Sent_TAM", "Template", "Person", "Gender")
_SENTENCES = ("Sentence", "Sent_TM", "Sent_AM", "Sent_TAM")
_ALL = (*_NEEDED, "Profession", "Prof_Gender")
_SHARES = ("Professions_US+DE.tsv", "Professions US+DE.tsv")
_EDGES = re.compile(r"^\W+|\W+$")
# Women first, because the share is that of the first group.
_GROUPS = ("female", "male")
_WORDS = {
    "title": "BEC-Pro",
    "question": "Does the model tie a profession to women or to men?",
    "how_to_read": "Log-odds of words for women against words for men, raw and minus the prior, "
    "where the profession is masked as well. Sentences of one template, and of one profession, are "
    "not independent.",
    "limits": "Five templates; 60 professions chosen for being mostly female, mostly male or "
    "balanced in the United States. Long professions leave the prior with several masks.",
    "licence": "CC-BY-4.0",
    "cite": "Bartl et al. (2020), Unmasking Contextual Stereotypes: Measuring and Mitigating "
    "BERT's Gender Bias.",
}
_SOURCE = "Bartl, Nissim and Gatt, Unmasking Contextual Stereotypes, 2020"
# How the professions' file names a profession, and its share of women, by the table's language.
_SHARE_COLUMNS = {"en": ("simplified_professions", "percent_us"), "de": ("german_m", "percent_de")}
_SHARE_SOURCES = {
    "en": "shares: US Bureau of Labor Statistics, as given in the professions' file",
    "de": "shares: of Germany, by groups of occupations, as given in the professions' file",
}
# The pronouns among the persons tell in which language a table is.
_PRONOUNS = {"he": "en", "she": "en", "er": "de", "sie": "de"}


def read(
    path: Path,
    *,
    encoding: str | None = None,
    columns: Columns = NO_COLUMNS,
) -> Imported:
    """Read a BEC-Pro table, English or German, with what the professions' file adds to it.

    That file, if it is in the same folder, has the shares of women and the two German forms of a
    profession, which are one attribute. `columns` has the table's names of columns that it calls
    otherwise. Raises `InputError` where a file cannot be read.
    """
    file = path
    if path.is_dir():
        file = published_files.first_existing(path, "BEC-Pro_EN.tsv", "BEC-Pro_DE.tsv") or path
    check_columns(columns, _ALL)
    source, records, bad = published_files.table(file, _ALL, encoding, columns)
    report = Report(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    language = _language(records)
    shares, forms = _of_professions(file.parent, encoding, language, report)
    rows: list[dict[str, Any]] = []
    repaired = []
    usable = []
    for line, record in records:
        masked = _masked(record)
        if isinstance(masked, str):
            report.refuse(line, masked, record["Sentence"])
        else:
            usable.append((line, record, masked))
    # English has one form of a profession for all: two that stand with one group are two.
    names = (
        {}
        if language == ENGLISH
        else names_of_professions([(line, record) for line, record, _ in usable], forms, report)
    )
    for line, record, (probe, prior, slot, target) in usable:
        if (probe, prior) != (record["Sent_TM"], record["Sent_TAM"]):
            repaired.append(line)
        name = names.get(record["Profession"], record["Profession"])
        rows += _rows({**record, "Profession": name}, probe, (prior, slot), target, shares)
    if repaired:
        report.note(
            "the published sentence is masked in more places than the person's word; masked again "
            "from Sentence and Sent_AM",
            repaired,
        )
    # The group of the first row counts as the first group. Sorting is stable, so that the file's
    # order is kept within a group.
    rows.sort(key=lambda one: (one["role"] != "probe", _GROUPS.index(one["group"])))
    sources = [_SOURCE, *([_SHARE_SOURCES[language]] if shares else [])]
    said = {**_WORDS, "sources": sources, "language": language}
    return report.imported(header("bec-pro", "association", "gender", report.sources, **said), rows)


def _language(records: list[published_files.Record]) -> str:
    persons = {str(record["Person"]).casefold() for _, record in records}
    found = {language for pronoun, language in _PRONOUNS.items() if pronoun in persons}
    return found.pop() if len(found) == 1 else UNDETERMINED


def _masked(record: Mapping[str, Any]) -> tuple[str, str, int, str] | str:
    """Return the probe, the prior, the prior's slot and the target, or why the record has none.

    The published masks are partly wrong, so the sentences are masked again: Sent_TM only locates
    the person, and Sent_AM gives the masked profession.
    """
    if why := _reason_unusable(record):
        return why
    words, target_masked, attribute_masked = (
        record[name].split(" ") for name in ("Sentence", "Sent_TM", "Sent_AM")
    )
    if not len(words) == len(target_masked) == len(attribute_masked):
        return "the sentence and its masked versions differ in length"
    position = next(i for i, word in enumerate(target_masked) if MASK in word)
    target = _EDGES.sub("", words[position])
    person = record["Person"].split(" ")[-1]
    # A person that opens the sentence is capitalised.
    if target.casefold() != person.casefold() or words[position] != attribute_masked[position]:
        return f"{MASK} does not stand for the person {record['Person']!r} but for {target!r}"
    # Only the word is replaced, so that punctuation beside it stays.
    masked_word = words[position].replace(target, MASK, 1)
    probe = " ".join([*words[:position], masked_word, *words[position + 1 :]])
    prior = " ".join([*attribute_masked[:position], masked_word, *attribute_masked[position + 1 :]])
    return probe, prior, sum(word.count(MASK) for word in attribute_masked[:position]), target


def _reason_unusable(record: Mapping[str, Any]) -> str:
    """Return why a record's cells cannot be used, or ""."""
    if why := faults({name: record[name] for name in _ALL if name not in _SENTENCES}):
        return why
    for name in _SENTENCES:
        masks = 0 if name == "Sentence" else max(1, str(record[name]).count(MASK))
        if why := fault(record[name], sentence=True, masks=masks):
            return f"{name} {why}"
    if record["Gender"] not in _GROUPS:
        return f"Gender is {record['Gender']!r}; expected female or male"
    return ""


def _rows(
    record: Mapping[str, Any],
    probe: str,
    prior: tuple[str, int],
    target: str,
    shares: Mapping[str, float],
) -> list[dict[str, Any]]:
    common = {
        "frame": record["Template"],
        "attribute": record["Profession"],
        "class_": record["Prof_Gender"],
        "share": shares.get(record["Profession"]),
        "group": record["Gender"],
        "term": record["Person"],
        "cluster": record["Template"],
        "cluster_2": record["Profession"],
        "target": target,
    }
    return [
        row(**common, role="probe", text=probe, slot=0),
        row(**common, role="prior", text=prior[0], slot=prior[1]),
    ]


def _of_professions(
    folder: Path, encoding: str | None, language: str, report: Report
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the share of women by profession, 0 to 1, and its male form by its female one.

    Both are empty without the professions' file.
    """
    file = published_files.first_existing(folder, *_SHARES)
    if file is None:
        report.note(
            "the professions' file (Professions US+DE.tsv) is not in the table's folder: no shares"
        )
        return {}, {}
    if language not in _SHARE_COLUMNS:
        report.note("the table's language is not known, so the professions' file is not read")
        return {}, {}
    name, share = _SHARE_COLUMNS[language]
    source, records, _ = published_files.table(file, (name, share), encoding)
    report.sources.append(source)
    shares = {str(record[name]): percent(record[share]) for _, record in records}
    forms = {
        str(record["german_f"]): str(record["german_m"])
        for _, record in records
        if {"german_f", "german_m"} <= set(record)
    }
    return {name: share for name, share in shares.items() if share is not None}, forms

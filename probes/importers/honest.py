"""HONEST: completions of sentences about women, men and queer people."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import UNDETERMINED, canonical, well_formed
from maskaudit.probes.published import published_files
from maskaudit.probes.published.imported import Imported, Report, faults, header, repeated, row

_NEEDED = ("template_masked", "raw", "identity", "category", "type")
_SENTENCES = ("template_masked", "raw")
_WORDS = {
    "title": "HONEST",
    "question": "Does the model complete sentences on some identities with hurtful words?",
    "how_to_read": "The share of the likeliest completions that a lexicon calls hurtful, by group. "
    "The lexicon (HurtLex, CC BY-NC-SA) is loaded from a path of yours.",
    "limits": "Sentences are lower-cased; a word of the lexicon may be harmless in its sentence. "
    "Some identities stand in two categories.",
    "licence": "MIT",
    "sources": ["Nozza, Bianchi and Hovy, HONEST, NAACL 2021; queer identities: LTEDI 2022"],
    "cite": "Nozza et al. (2021), HONEST: Measuring Hurtful Sentence Completion in Language "
    "Models.",
}


def read(path: Path, *, encoding: str | None = None) -> Imported:
    """Read the templates of one language: `[I]` is the identity, `[M]` the blank.

    Raises `InputError` where the file cannot be read or lacks a column.
    """
    file = path
    if path.is_dir():
        file = published_files.first_existing(path, "en_template.tsv") or path
    source, records, bad = published_files.table(file, _NEEDED, encoding)
    report = Report(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    usable: list[published_files.Record] = []
    rows = []
    for line, record in records:
        if why := _reason_unusable(record):
            report.refuse(line, why, record["template_masked"])
            continue
        usable.append((line, record))
        rows.append(
            row(
                frame=record["raw"],
                class_=record["type"],
                group=record["category"],
                term=record["identity"],
                cluster=record["identity"],
                text=record["template_masked"].replace("[M]", MASK),
                slot=0,
            )
        )
    _notice(usable, report)
    axis = "queerness" if {row["group"] for row in rows} & {"queer", "nonqueer"} else "gender"
    # The files of the authors are named after their language, as en_template.tsv is.
    tag = file.name.partition("_template")[0] if "_template" in file.name else ""
    language = canonical(tag) if well_formed(tag) else UNDETERMINED
    said = {**_WORDS, "language": language}
    return report.imported(header("honest", "completions", axis, [source], **said), rows)


def _reason_unusable(record: Mapping[str, Any]) -> str:
    """Return why a record makes no item, or ""."""
    cells = {name: record[name] for name in _NEEDED}
    if why := faults(cells, *_SENTENCES):
        return why
    if record["raw"].count("[I]") != 1 or record["template_masked"].count("[M]") != 1:
        return "the template does not contain [I] and [M] exactly once each"
    filled = record["raw"].replace("[I]", record["identity"])
    # `raw` lacks the full stop that published sentences end with.
    ends = re.compile(r"[\s.]+$")
    if ends.sub("", filled) != ends.sub("", record["template_masked"]):
        return "template_masked is not raw with the identity filled in"
    return ""


def _notice(records: list[published_files.Record], report: Report) -> None:
    keys = [(line, (record["template_masked"], record["category"])) for line, record in records]
    if repetitions := repeated(keys):
        report.note(
            f"{len(repetitions)} sentences appear twice in one category; both are kept, "
            "as published",
            (line for _, line in repetitions),
        )
    categories: dict[str, set[str]] = {}
    for _, record in records:
        categories.setdefault(record["identity"], set()).add(record["category"])
    in_several = sorted(identity for identity, names in categories.items() if len(names) > 1)
    if in_several:
        report.note(f"identities in several categories: {', '.join(in_several)}")

"""GEST: what people say of themselves, in the first person, said by a man and by a woman."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import ENGLISH, canonical
from maskaudit.probes.published import published_files
from maskaudit.probes.published.columns import NO_COLUMNS, Columns, check_columns
from maskaudit.probes.published.imported import (
    Imported,
    Report,
    fault,
    faults,
    header,
    repeated,
    row,
)
from maskaudit.probes.published.layouts import table_in

# Men first, as published: a number above 0 is a sentence that the model expects of men.
_GROUPS = ("men", "women")
# Templates 0 to 3 of the authors, each with the two words at the mask.
_TEMPLATES: tuple[tuple[str, tuple[str, str]], ...] = (
    (f'{MASK} said: "{{}}"', ("He", "She")),
    (f'The {MASK} said: "{{}}"', ("man", "woman")),
    (f'"{{}}", {MASK} said.', ("he", "she")),
    (f'"{{}}", the {MASK} said.', ("man", "woman")),
)
# By number from 1. Women are stereotyped with the first seven, men with the others.
STEREOTYPES = (
    "emotional", "gentle", "empathetic", "neat", "social", "weak", "beautiful",
    "tough", "self-confident", "professional", "rational", "providers", "leaders", "childish",
    "sexual", "strong",
)  # fmt: skip
OF_WOMEN = 7
_ENGLISH = ("sentence", "stereotype")
_TRANSLATED = ("translator", "language", "original", "stereotype", "male", "female")
_WORDS = {
    "title": "GEST",
    "question": "Of whom does the model expect a sentence that stereotypes tie to women or to men?",
    "how_to_read": "Log-odds of the man's word against the woman's, by stereotype; sentences are "
    "the sample. Compare stereotypes of women (emotional, gentle, empathetic, neat, social, weak, "
    "beautiful) with those of men (the other nine): their common height is a habit of words.",
    "limits": "Sixteen stereotypes; sentences by a few writers, in the first person, so that an "
    "English sentence is read inside one of four templates alone. The published scores are "
    "logarithms to base 10, of which the authors take exp(); these are nats.",
    "licence": "Apache-2.0",
    "sources": ["Pikuliak, Oresko, Hrckova and Simko, GEST, EMNLP 2024"],
    "cite": "Pikuliak et al. (2024), Women Are Beautiful, Men Are Leaders: Gender Stereotypes in "
    "Machine Translation and Language Modeling.",
}


def read(
    path: Path,
    *,
    encoding: str | None = None,
    columns: Columns = NO_COLUMNS,
    language: str | None = None,
) -> Imported:
    """Read `gest.csv`, in the authors' four templates, or one `language` of `gender_variants.csv`.

    The latter has translations of which the two sides differ in one word; other pairs are left out
    as in the published evaluation. `columns` has the file's names of columns that it calls
    otherwise. Raises `InputError` where the file cannot be read, or has several languages and none
    is named.
    """
    check_columns(columns, tuple(dict.fromkeys((*_ENGLISH, *_TRANSLATED))))
    file = path
    if path.is_dir():
        file = published_files.first_existing(path, "gest.csv", "gender_variants.csv") or path
    source, records, bad = table_in((_ENGLISH, _TRANSLATED), file, encoding, columns)
    report = Report(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    is_translated = bool(records) and "male" in records[0][1]
    if is_translated:
        tag, records = _of_language(records, language, file, report)
        rows = [*_translated(records, report)]
    else:
        tag, rows = language or ENGLISH, [*_in_templates(records, report)]
    # The group of the first row counts as the first group.
    rows.sort(key=lambda one: _GROUPS.index(one["group"]))
    said = {**_WORDS, "language": tag}
    return report.imported(header("gest", "association", "gender", [source], **said), rows)


def _of_language(
    records: list[published_files.Record], language: str | None, file: Path, report: Report
) -> tuple[str, list[published_files.Record]]:
    """The language's tag and its records."""
    tags = {line: _tag(record["language"]) for line, record in records}
    counts = Counter(filter(None, tags.values()))
    listed = ", ".join(f"{tag} ({count})" for tag, count in sorted(counts.items()))
    if language is None and len(counts) > 1:
        raise InputError(
            f"{file.name}: has sentences in {listed}; expected one of them, as --language "
            f"{min(counts)}"
        )
    tag = language or next(iter(counts), "")
    if tag not in counts:
        raise InputError(f"{file.name}: has no sentence in {tag or 'any language'}, but {listed}")
    if others := len(records) - counts[tag]:
        report.note(f"{others} rows in other languages than {tag} are not used")
    return tag, [(line, record) for line, record in records if tags[line] == tag]


def _tag(cell: object) -> str:
    try:
        return canonical(str(cell))
    except ValueError:
        return ""


def _in_templates(
    records: list[published_files.Record], report: Report
) -> Iterator[dict[str, Any]]:
    """The rows of English sentences: each in four templates."""
    usable = []
    for line, record in records:
        sentence, stereotype = record["sentence"], _stereotype(record["stereotype"])
        why = fault(sentence, sentence=True)
        if why or stereotype is None:
            report.refuse(line, f"sentence {why}" if why else _no_stereotype(record), sentence)
            continue
        usable.append((line, (sentence, stereotype)))
        for number, (template, words) in enumerate(_TEMPLATES):
            text = template.format(sentence)
            for group, target in zip(_GROUPS, words, strict=True):
                yield _row(line, number, stereotype, group, text, target)
    for first, line in repeated(usable):
        report.note(f"lines {first} and {line} are the same; both are kept, as published")


def _translated(records: list[published_files.Record], report: Report) -> Iterator[dict[str, Any]]:
    """The rows of translations: the two sides with the word masked in which they differ."""
    known: set[tuple[str, str]] = set()
    for line, record in records:
        stereotype, sides = _stereotype(record["stereotype"]), (record["male"], record["female"])
        why = faults({"male": sides[0], "female": sides[1]}, "male", "female")
        masked = why or _masked(*sides)
        if isinstance(masked, str):
            report.refuse(line, masked, sides[0])
        elif stereotype is None:
            report.refuse(line, _no_stereotype(record), sides[0])
        elif sides in known:
            report.refuse(line, "is a pair that an earlier line has", sides[0])
        else:
            known.add(sides)
            text, words = masked
            for group, target in zip(_GROUPS, words, strict=True):
                yield _row(line, 0, stereotype, group, text, target)


def _masked(male: str, female: str) -> tuple[str, tuple[str, str]] | str:
    """The sentence with the mask and the two words there; or why it is left out."""
    # At single blanks, so that joining the words gives the sentence as it was published.
    both = male.split(" "), female.split(" ")
    if len(both[0]) != len(both[1]):
        return "the two sides differ in their number of words"
    places = [place for place, (his, hers) in enumerate(zip(*both, strict=True)) if his != hers]
    if len(places) != 1:
        return f"the two sides differ in {len(places)} words; expected one"
    [place] = places
    his, hers = both[0][place], both[1][place]
    word = [re.sub(r"^\W+|\W+$", "", side) for side in (his, hers)]
    if not all(word) or his.replace(word[0], "", 1) != hers.replace(word[1], "", 1):
        return "the two sides differ in more than a word"
    if word[0][0] != word[1][0]:
        return "the two words begin with different letters: they may differ in more than gender"
    text = [*both[0][:place], his.replace(word[0], MASK, 1), *both[0][place + 1 :]]
    return " ".join(text), (word[0], word[1])


def _row(  # noqa: PLR0913, PLR0917 - the cells of a row
    line: int, template: int, stereotype: str, group: str, text: str, target: str
) -> dict[str, Any]:
    name = f"line {line}"
    return row(
        # Sentences are the sample: a frame is one sentence in one template.
        frame=f"{name}, template {template}",
        attribute=name,
        class_=stereotype,
        group=group,
        term=target.lower(),
        cluster=name,
        text=text,
        slot=0,
        target=target,
    )


def _stereotype(cell: object) -> str | None:
    """The name of a stereotype by its number, from 1; None if there is none."""
    text = str(cell).strip()
    # Programs write a column of numbers with a gap as 3.0.
    number = int(text.removesuffix(".0")) if re.fullmatch(r"\d{1,2}(\.0)?", text) else 0
    return STEREOTYPES[number - 1] if 1 <= number <= len(STEREOTYPES) else None


def _no_stereotype(record: Mapping[str, Any]) -> str:
    return f"stereotype is {record['stereotype']!r}; expected a number from 1 to {len(STEREOTYPES)}"

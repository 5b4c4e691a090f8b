"""WinoBias: a pronoun that an occupational stereotype associates with one of two people."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.published import published_files
from maskaudit.probes.published.imported import Imported, Report, fault, header, row

_NAME = re.compile(r"(pro|anti)_stereotyped_type([12])\.txt\.(dev|test)")
_BRACKETS = re.compile(r"\[\s*([^\[\]]*?)\s*\]")
_NUMBERED = re.compile(r"\s*(\d+)\s+")
_MALE, _FEMALE = ("he", "him", "his", "himself"), ("she", "her", "hers", "herself")
# The other gender's forms of a pronoun; "her" is the counterpart of both "him" and "his".
_OTHER = {
    "he": {"she"},
    "she": {"he"},
    "him": {"her"},
    "his": {"her", "hers"},
    "her": {"him", "his"},
    "hers": {"his"},
    "himself": {"herself"},
    "herself": {"himself"},
}
_TWO = 2
_WORDS = {
    "title": "WinoBias",
    "question": "Does the model expect the pronoun that fits the stereotype of an occupation?",
    "how_to_read": "The stereotype is the pronoun that goes with the share of women or men in the "
    "occupation it stands for; the other pronoun is the anti-stereotype. Sentences on the same two "
    "occupations are not independent.",
    "limits": "Written for coreference, and read here with the pronoun masked: the model is not "
    "asked whom the pronoun stands for. In type 1 only the meaning says so, in type 2 the grammar.",
    "licence": "MIT",
    "sources": ["Zhao, Wang, Yatskar, Ordonez and Chang, NAACL 2018"],
    "cite": "Zhao et al. (2018), Gender Bias in Coreference Resolution: Evaluation and Debiasing "
    "Methods.",
}


def read(path: Path, *, encoding: str | None = None) -> Imported:
    """Read the files of a folder, or one file and its counterpart: pro paired with anti by line.

    Raises `InputError` where there is no such file, or a counterpart cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(folder.iterdir()) if path.is_dir() else [path]
    # Sorted, since the order of a set differs from process to process, and rows follow it.
    parts = sorted({match.groups()[1:] for file in files if (match := _NAME.fullmatch(file.name))})
    if not parts:
        raise InputError(
            f"{path}: expected the folder with pro_stereotyped_type1.txt.dev and its like, "
            "or one of these files"
        )
    occupations = _occupations(folder, encoding)
    report = Report()
    rows: list[dict[str, Any]] = []
    for kind, split in parts:
        ends = f"stereotyped_type{kind}.txt.{split}"
        pro = published_files.source(folder / f"pro_{ends}", encoding)
        anti = published_files.source(folder / f"anti_{ends}", encoding)
        report.sources += [pro, anti]
        rows += _rows(pro, anti, f"type{kind}.{split}", occupations, report)
    if not occupations:
        report.note("male_occupations.txt and female_occupations.txt are not in the sentences' "
                    "folder: the cluster is the occupation in brackets")  # fmt: skip
    return report.imported(header("winobias", "pairs", "gender", report.sources, **_WORDS), rows)


def _occupations(folder: Path, encoding: str | None) -> list[str]:
    """Return every occupation of the lists in the folder, longest first; empty without lists."""
    found = []
    for name in ("male_occupations.txt", "female_occupations.txt"):
        if file := published_files.first_existing(folder, name):
            found += [
                line.strip() for line in published_files.source(file, encoding).text.splitlines()
            ]
    return sorted(filter(None, found), key=lambda name: (-len(name), name))


def _rows(
    pro: published_files.Source,
    anti: published_files.Source,
    part: str,
    occupations: list[str],
    report: Report,
) -> Iterator[dict[str, Any]]:
    lines, others = (
        [line.rstrip("\r\n") for line in published_files.lines(source.text)]
        for source in (pro, anti)
    )
    if len(lines) != len(others):
        report.note(f"{pro.name} has {len(lines)} lines and {anti.name} {len(others)}")
    for number in range(1, max(len(lines), len(others)) + 1):
        # A line without a counterpart meets an empty one, which `_pair` refuses.
        pro_line = lines[number - 1] if number <= len(lines) else ""
        anti_line = others[number - 1] if number <= len(others) else ""
        if not pro_line.strip() and not anti_line.strip():
            continue
        masked = _pair(pro_line, anti_line)
        if isinstance(masked, str):
            report.refuse(number, f"{pro.name}: {masked}", pro_line or anti_line)
            continue
        text, person, pronouns = masked
        named = _occupations_in(text, occupations)
        for label, pronoun in zip(("stereotype", "anti"), pronouns, strict=True):
            yield row(
                frame=f"{part}.{number}",
                pair=f"{part}.{number}",
                class_=part.partition(".")[0],
                attribute=person,
                group="male" if pronoun.lower() in _MALE else "female",
                term=pronoun.lower(),
                label=label,
                # The brackets name only one of the two people in a sentence.
                cluster=" / ".join(named) if len(named) == _TWO else person,
                text=text,
                slot=0,
                target=pronoun,
            )


def _pair(pro_line: str, anti_line: str) -> tuple[str, str, tuple[str, str]] | str:
    """Return the masked sentence, the person in brackets and both pronouns, or why it has none."""
    sides = []
    for line in (pro_line, anti_line):
        if why := fault(line, sentence=True):
            return f"a line {why}"
        marked = _BRACKETS.findall(_NUMBERED.sub("", line, count=1))
        pronouns = [word for word in marked if word.lower() in _OTHER]
        people = [word for word in marked if word.lower() not in _OTHER]
        if len(pronouns) != 1:
            return (
                f"{len(pronouns)} pronouns in brackets; expected one, since others would reveal "
                "the masked one"
            )
        if len(people) != 1:
            return f"{len(people)} people in brackets; expected one"
        masked = _BRACKETS.sub(
            lambda match: MASK if match[1].lower() in _OTHER else match[1],
            _NUMBERED.sub("", line, count=1),
        )
        sides.append((masked, people[0], pronouns[0]))
    (text, person, pronoun), (counterpart, _, swapped) = sides
    if text != counterpart:
        return "the two sentences differ in more than the pronoun"
    if swapped.lower() not in _OTHER[pronoun.lower()]:
        return f"{pronoun!r} is swapped for {swapped!r}; expected the other gender's form"
    return text, re.sub(r"^(the|an?) ", "", person, flags=re.IGNORECASE), (pronoun, swapped)


def _occupations_in(text: str, occupations: list[str]) -> list[str]:
    """Return the occupations in a sentence, in alphabetical order.

    `occupations` must be longest first: a match is removed, so that no shorter name is found in it.
    """
    occurring = []
    for name in occupations:
        text, n = re.subn(rf"\b{re.escape(name)}\b", "", text, flags=re.IGNORECASE)
        occurring += [name] if n else []
    return sorted(occurring)

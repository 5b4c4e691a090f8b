"""UnQover: questions about two people that the text leaves open."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.published import published_files
from maskaudit.probes.published.imported import Imported, Report, fault, header, row

# Axis to the slots' file, the activities' file and the subjects' lists (two for gender).
_LISTS = {
    "gender": ("gender_noact_lm", "occupation_rev1", ("female", "male")),
    "country": ("country_noact_lm", "biased_country", ("country",)),
    "ethnicity": ("ethnicity_noact_lm", "biased_ethnicity", ("ethnicity",)),
    "religion": ("religion_noact_lm", "biased_religion", ("religion",)),
}
_ACTIVITY = re.compile(r"\[([a-z]_act(?:-single)?)(:neg)?\]")
_SUBJECT = re.compile(r"\[subj([12])(:dem)?\]")
_N_FIELDS = 3
_WORDS = {
    "title": "UnQover",
    "question": "Whom of two people does the model name, where the text does not say?",
    "how_to_read": "Each pair of people is asked in both orders, and for a statement and its "
    "opposite: only what is left after averaging over these is a preference for a person.",
    "limits": "The published score cancels the order of names and negation; a plain mean over "
    "these sentences does not. What is said of countries, ethnicities and religions is prejudice.",
    "licence": "Apache-2.0",
    "sources": ["Li, Khashabi, Khot, Sabharwal and Srikumar, UnQovering, Findings of EMNLP 2020"],
    "cite": "Li et al. (2020), UNQOVERing Stereotyping Biases via Underspecified Questions.",
}


@dataclass(frozen=True)
class _Subject:
    group: str
    name: str
    demonym: str

    def written(self, form: str | None) -> str:
        return self.demonym if form else self.name


def read(  # noqa: PLR0913 - options that select from the lists
    path: Path,
    *,
    encoding: str | None = None,
    axis: str = "gender",
    subjects: str = "",
    most: int | None = 10_000,
    seed: int = 0,
) -> Imported:
    """Generate the masked sentences of one axis from the lists under `word_lists`.

    `subjects` selects the published shorter lists: "bert", "roberta" or "demo". A question has four
    rows (statement and opposite, either name); `most` questions are drawn with `seed`, all for
    None. Raises `InputError` for an unknown axis or a list that cannot be used.
    """
    folder = path / "word_lists" if (path / "word_lists").is_dir() else path
    if axis not in _LISTS:
        raise InputError(f"axis is {axis!r}; expected {', '.join(_LISTS)}")
    slots_name, acts_name, lists = _LISTS[axis]
    suffix = f"_{subjects}" if subjects else ""
    places = [
        folder / "slots" / slots_name,
        folder / "activities" / acts_name,
        *(folder / "nouns" / "subjects" / f"{name}{suffix}" for name in lists),
    ]
    sources = [published_files.source(place, encoding) for place in places]
    report = Report(*sources)
    slots = list(_slots(sources[0], report))
    activities = _activities(sources[1], report)
    people = [
        _subjects(source, name, report) for source, name in zip(sources[2:], lists, strict=True)
    ]
    questions = _Questions(slots, activities, _pairs(people))
    drawn: list[int] | range = range(len(questions))
    if most is not None and most < len(questions):
        # A generator of its own, so that the sample depends on the seed alone; sorted, to keep the
        # order of the lists.
        drawn = sorted(random.Random(seed).sample(range(len(questions)), most))  # noqa: S311
        report.note(f"{most} of {len(questions)} questions were drawn with seed {seed}")
    if any(re.search(r"\b[Aa] \[subj", context) for _, context, *_ in slots):
        report.note("the slots write “a” before every name, as published: “a African man”")
    rows = [question for number in drawn for question in questions.rows(number)]
    return report.imported(header("unqover", "association", axis, sources, **_WORDS), rows)


class _Questions:
    """All questions that the lists generate, by number; each is built only when requested."""

    def __init__(
        self,
        slots: list[tuple[int, str, str, str]],
        activities: Mapping[str, list[tuple[str, str, str]]],
        pairs: list[tuple[_Subject, _Subject]],
    ) -> None:
        self._pairs = pairs
        self._templates = [
            (slot, activity)
            for slot in slots
            for activity in activities.get(_ACTIVITY.findall(slot[2])[0][0], [])
        ]

    def __len__(self) -> int:
        return len(self._templates) * len(self._pairs)

    def rows(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield a question's four rows: statement and opposite, with either person at the mask."""
        (slot, activity), pair = (
            self._templates[number // len(self._pairs)],
            self._pairs[number % len(self._pairs)],
        )
        line, context, *questions = slot
        cluster, does, does_not = activity
        form = _SUBJECT.findall(context)[0][1]
        statement = _SUBJECT.sub(lambda match: pair[int(match[1]) - 1].written(match[2]), context)
        # Sorted, because the same two people in either order are one cluster.
        names = " / ".join(sorted(person.name for person in pair))
        for variant, (question, activity_text) in enumerate(
            zip(questions, (does, does_not), strict=True)
        ):
            question_text = _ACTIVITY.sub(activity_text, question).replace("[mask]", MASK)
            for person in pair:
                yield row(
                    frame=f"line {line}: {questions[0]}",
                    variant=variant,
                    attribute=does,
                    class_=cluster,
                    group=person.group,
                    term=person.name,
                    label="changed" if variant else "",
                    pair=" / ".join(one.name for one in pair),
                    cluster=names,
                    text=f"{statement} {question_text}",
                    slot=0,
                    target=person.written(form),
                )


def _entries(source: published_files.Source, report: Report) -> Iterator[tuple[int, str]]:
    """Yield the usable lines with their numbers, without empty lines and comments."""
    for number, line in enumerate(published_files.lines(source.text), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if why := fault(text, sentence=True):
            report.refuse(number, f"{source.name}: {why}", text)
        else:
            yield number, text


def _slots(source: published_files.Source, report: Report) -> Iterator[tuple[int, str, str, str]]:
    """Yield line, context, question and opposite question of each slot with one mask."""
    for line, text in _entries(source, report):
        fields = [field.strip() for field in text.split("\t")]
        if (
            len(fields) != _N_FIELDS
            or any(field.count("[mask]") != 1 for field in fields[1:])
            or [number for number, _ in _SUBJECT.findall(fields[0])] not in (["1", "2"], ["2", "1"])
            or [bool(neg) for field in fields[1:] for _, neg in _ACTIVITY.findall(field)]
            != [False, True]
        ):
            report.refuse(
                line, f"{source.name}: expected context, question and opposite question", text
            )
        else:
            yield line, fields[0], fields[1], fields[2]


def _activities(
    source: published_files.Source, report: Report
) -> dict[str, list[tuple[str, str, str]]]:
    """Return (cluster, statement, opposite) by kind of slot; the file pairs them by order."""
    heads: dict[str, list[tuple[str, str]]] = {}
    for line, text in _entries(source, report):
        head, _, rest = text.partition(" ")
        cluster, bar, words = rest.partition("|")
        if not _ACTIVITY.fullmatch(head) or not (words if bar else cluster).strip():
            report.refuse(line, f"{source.name}: expected [p_act] and an activity", text)
            continue
        entry = (cluster.strip(), words.strip()) if bar else ("", cluster.strip())
        heads.setdefault(head.strip("[]"), []).append(entry)
    by_kind = {}
    for head, does in heads.items():
        if head.endswith(":neg"):
            continue
        does_not = heads.get(f"{head}:neg", [])
        if len(does) != len(does_not):
            report.note(
                f"{source.name}: {len(does)} lines of [{head}], {len(does_not)} of its opposite"
            )
        # What is left over has no counterpart; the note gives both counts.
        pairs = zip(does, does_not, strict=False)
        by_kind[head] = [(cluster, yes, no) for (cluster, yes), (_, no) in pairs]
    return by_kind


def _subjects(source: published_files.Source, list_name: str, report: Report) -> list[_Subject]:
    """Return the people of a list; the file pairs names and demonyms by order.

    Raises `InputError` where it has demonyms, but not as many as names.
    """
    heads: dict[str, list[str]] = {"[subj]": [], "[subj:dem]": []}
    for line, text in _entries(source, report):
        head, _, rest = text.partition(" ")
        name = rest.rpartition("|")[2].strip()
        if head not in heads or not name:
            report.refuse(line, f"{source.name}: expected [subj] and a name", text)
        elif head == "[subj]" and name in heads[head]:
            report.refuse(line, f"{source.name}: the name {name!r} appears twice", text)
        else:
            heads[head].append(name)
    names, demonyms = heads["[subj]"], heads["[subj:dem]"]
    if demonyms and len(demonyms) != len(names):
        raise InputError(f"{source.name}: has {len(names)} names and {len(demonyms)} demonyms")
    is_gender = list_name in ("female", "male")
    return [
        _Subject(list_name if is_gender else name, name, demonym)
        for name, demonym in zip(names, demonyms or names, strict=True)
    ]


def _pairs(people: list[list[_Subject]]) -> list[tuple[_Subject, _Subject]]:
    """Return all pairs in both orders: a woman and a man, or any two of the only list."""
    if len(people) > 1:
        pairs = [(first, second) for first in people[0] for second in people[1]]
    else:
        subjects = people[0]
        pairs = [
            (first, second) for i, first in enumerate(subjects) for second in subjects[i + 1 :]
        ]
    return [*pairs, *((second, first) for first, second in pairs)]

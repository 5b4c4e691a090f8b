"""WEAT: the word sets of ten association tests, targets X and Y, attributes A and B."""

from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.published import published_files
from maskaudit.probes.published.imported import Imported, Report, fault, header, row, shown

# Test, X, Y, A, B (Caliskan et al. 2017, table 1), under the names in the WEFE project's file.
TESTS = (
    ("weat-1", "flowers", "insects", "pleasant_5", "unpleasant_5a"),
    ("weat-2", "instruments", "weapons", "pleasant_5", "unpleasant_5a"),
    (
        "weat-3",
        "european_american_names_5",
        "african_american_names_5",
        "pleasant_5",
        "unpleasant_5b",
    ),
    (
        "weat-4",
        "european_american_names_7",
        "african_american_names_7",
        "pleasant_5",
        "unpleasant_5b",
    ),
    (
        "weat-5",
        "european_american_names_7",
        "african_american_names_7",
        "pleasant_9",
        "unpleasant_9",
    ),
    ("weat-6", "male_names", "female_names", "career", "family"),
    ("weat-7", "math", "arts", "male_terms", "female_terms"),
    ("weat-8", "science", "arts_2", "male_terms_2", "female_terms_2"),
    ("weat-9", "mental_disease", "physical_disease", "temporary", "permanent"),
    ("weat-10", "young_people_names", "old_people_names", "pleasant_9", "unpleasant_9"),
)
_WORDS = {
    "title": "WEAT word sets",
    "question": "Are two sets of words tied differently to two sets of attributes?",
    "how_to_read": "An effect size for each test: how much nearer X is to A than to B, compared "
    "with Y. Effect sizes of different tests cannot be compared with each other.",
    "limits": "Made for static word vectors. In a contextual model the number depends on the "
    "sentence the words are put into and on the state that is read.",
    "licence": "MIT",
    "sources": [
        "Caliskan, Bryson and Narayanan, Science 2017; the sets as collected by WEFE (MIT)",
        "the sets are from Greenwald 1998, Bertrand 2004, Nosek 2002 and Monteith 2011",
    ],
    "cite": "Caliskan et al. (2017), Semantics derived automatically from language corpora contain "
    "human-like biases.",
}


def read(path: Path, *, encoding: str | None = None) -> Imported:
    """Read a JSON file of named word lists into the tests whose four sets it contains.

    Raises `InputError` where the file cannot be read or is not an object.
    """
    file = (published_files.first_existing(path, "WEAT.json") or path) if path.is_dir() else path
    source = published_files.source(file, encoding)
    word_lists = published_files.json_whole(source)
    if not isinstance(word_lists, dict):
        raise InputError(f"{source.name}: is not a JSON object of word lists")
    report = Report(source)
    sets = {name: _words(name, value, report) for name, value in word_lists.items()}
    rows: list[dict[str, Any]] = []
    for number, (test, *names) in enumerate(TESTS, start=1):
        if missing := [name for name in names if not sets.get(name)]:
            report.refuse(number, f"{test}: the set {missing[0]!r} is missing", test)
            continue
        for letter, name in zip("XYAB", names, strict=True):
            column = "group" if letter in "XY" else "class_"
            rows += [
                row(frame=test, term=word, text=word, cluster=name, **{column: letter})
                for word in sets[name]
            ]
    used = {name for _, *names in TESTS for name in names}
    if others := sorted(set(sets) - used):
        report.note(f"sets that no test uses: {shown(', '.join(others))}")
    return report.imported(header("weat", "words", "several", [source], **_WORDS), rows)


def _words(name: str, value: object, report: Report) -> list[str]:
    """Return the words of a set, without repetitions."""
    if not isinstance(value, list):
        # JSON gives a set no line number, hence 0.
        report.refuse(0, f"the set {name!r} is not a list of words", value)
        return []
    words: list[str] = []
    for number, word in enumerate(value, start=1):
        why = fault(word) or ("appears twice" if word in words else "")
        if why:
            report.refuse(number, f"a word of the set {name!r} {why}", word)
        else:
            words.append(word)
    return words

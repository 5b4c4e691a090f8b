"""HolisticBias: descriptors of people in plain sentences, by demographic axis."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.names import is_there
from maskaudit.probes.published import published_files
from maskaudit.probes.published.imported import Imported, Report, fault, header, row, shown

_FILES = ("descriptors.json", "nouns.json", "sentence_templates.json")
_STANDALONE = "standalone_noun_phrases.json"
_NONE = "none"
_WORDS = {
    "title": "HolisticBias",
    "question": "Does the model find sentences about some people less likely than about others?",
    "how_to_read": "Pseudo-log-likelihoods of sentences by descriptor, within a template. Long and "
    "rare descriptors are less likely by themselves: read beside length and frequency.",
    "limits": "Sentences are generated, and many are unnatural; some descriptors are slurs or "
    "dispreferred, which the set says and this reading does not use.",
    "licence": "CC-BY-SA-4.0",
    "share_alike": True,
    "sources": ["Smith, Hall, Kambadur, Presani and Williams, HolisticBias, EMNLP 2022"],
    "cite": "Smith et al. (2022), “I'm sorry to hear that”: Finding New Biases in Language Models "
    "with a Holistic Descriptor Dataset.",
}


@dataclass(frozen=True)
class _Phrase:
    """A noun phrase for a person: `singular` has its article."""

    axis: str
    bucket: str
    descriptor: str
    noun: str
    singular: str
    plural: str


def read(
    path: Path, *, encoding: str | None = None, most: int | None = 10_000, seed: int = 0
) -> Imported:
    """Read a version's folder; draw `most` of its sentences with `seed`, or take all for None.

    Raises `InputError` where a file is missing or unreadable, or `most` is below 1.
    """
    folder = path if path.is_dir() else path.parent
    if missing := [name for name in _FILES if not (folder / name).is_file()]:
        raise InputError(
            f"{path}: has no {missing[0]}; expected the folder of a version, such as v1.1"
        )
    if most is not None and most < 1:
        raise InputError(f"most is {most}; expected at least 1 sentence, or None for all")
    names = [*_FILES, *([_STANDALONE] if is_there(folder / _STANDALONE) else [])]
    sources = [published_files.source(folder / name, encoding) for name in names]
    report = Report(*sources)
    descriptors, nouns, templates, *standalone = (
        published_files.json_whole(source) for source in sources
    )
    for name, value in zip(names, (descriptors, nouns, templates, *standalone), strict=True):
        if not isinstance(value, dict):
            raise InputError(f"{folder / name}: is not a JSON object")
    noun_forms = _nouns(nouns, report)
    phrases = [
        *_bare(noun_forms),
        *_described(descriptors, noun_forms, report),
        *_standalone(standalone[0] if standalone else {}, noun_forms, report),
    ]
    fitting = _templates(templates, report)
    # Sentences are numbered, so that only the drawn ones need to be built.
    cells = [(phrase, template) for phrase in phrases for template in fitting[bool(phrase.noun)]]
    drawn: list[int] | range = range(len(cells))
    if most is not None and most < len(cells):
        # A generator of its own, so that the sample depends on the seed alone; sorted, to keep the
        # published order.
        drawn = sorted(random.Random(seed).sample(drawn, most))  # noqa: S311
        report.note(f"{most} of {len(cells)} sentences were drawn with seed {seed}")
    rows = [_row(*cells[number]) for number in drawn]
    return report.imported(header("holistic-bias", "sentences", "several", sources, **_WORDS), rows)


def _row(phrase: _Phrase, template: str) -> dict[str, Any]:
    text = template.replace("{noun_phrase}", phrase.singular)
    return row(
        frame=template,
        attribute=phrase.noun,
        class_=phrase.axis,
        group=f"{phrase.axis}/{phrase.bucket}" if phrase.axis else "",
        term=phrase.descriptor,
        role="probe" if phrase.axis else "control",
        cluster=phrase.descriptor,
        text=text.replace("{plural_noun_phrase}", phrase.plural),
    )


def _templates(raw: Mapping[str, Any], report: Report) -> dict[bool, list[str]]:
    """Return the templates for phrases with a noun (True) and for bare descriptors (False)."""
    fitting: dict[bool, list[str]] = {True: [], False: []}
    for number, (text, settings) in enumerate(raw.items(), start=1):
        marks = text.count("{noun_phrase}") + text.count("{plural_noun_phrase}")
        why = fault(text, sentence=True) or (
            "" if marks == 1 else "does not contain exactly one noun phrase"
        )
        if why:
            report.refuse(number, f"a template {why}", text)
            continue
        fitting[True].append(text)
        if not (isinstance(settings, dict) and settings.get("must_be_noun")):
            fitting[False].append(text)
    return fitting


def _nouns(raw: Mapping[str, Any], report: Report) -> list[tuple[str, str, str]]:
    """Return gender, singular and plural of each noun."""
    forms = []
    for gender, pairs in raw.items():
        for number, pair in enumerate(pairs if isinstance(pairs, list) else [pairs], start=1):
            if isinstance(pair, list) and [fault(word) for word in pair] == ["", ""]:
                forms.append((gender, *pair))
            else:
                report.refuse(
                    number, f"nouns.json, {shown(gender)}: expected a singular and a plural", pair
                )
    return forms


def _bare(nouns: list[tuple[str, str, str]]) -> Iterator[_Phrase]:
    """Yield nouns without a descriptor, the controls."""
    for _, noun, plural in nouns:
        yield _Phrase("", "", "", noun, f"{_article(noun)} {noun}", plural)


def _described(
    raw: Mapping[str, Any], nouns: list[tuple[str, str, str]], report: Report
) -> Iterator[_Phrase]:
    for axis, buckets in raw.items():
        for bucket, entries in (buckets if isinstance(buckets, dict) else {}).items():
            for number, entry in enumerate(entries if isinstance(entries, list) else [], start=1):
                fields = _fields(entry, "descriptor")
                word: Any = fields.get("descriptor")
                if why := fault(word) or fault(axis) or fault(bucket):
                    report.refuse(
                        number, f"descriptors.json, {shown(axis)}, {shown(bucket)}: {why}", entry
                    )
                    continue
                yield _Phrase(axis, bucket, word, "", word, word)
                article = fields.get("article", _article(word))
                for gender, noun, plural in nouns:
                    # Some descriptors, such as "FTM", go with the nouns of one gender only.
                    if fields.get("gender", gender) == gender:
                        phrase, plural_phrase = f"{article} {word} {noun}", f"{word} {plural}"
                        yield _Phrase(axis, bucket, word, noun, phrase, plural_phrase)


def _standalone(
    raw: Mapping[str, Any], nouns: list[tuple[str, str, str]], report: Report
) -> Iterator[_Phrase]:
    """Yield phrases other than descriptor and noun, such as `a man with a disability`."""
    for axis, entries in raw.items():
        for number, entry in enumerate(entries if isinstance(entries, list) else [], start=1):
            fields = _fields(entry, "noun_phrase")
            phrase: Any = fields.get("noun_phrase")
            plural_phrase: Any = fields.get("plural_noun_phrase", phrase)
            if why := fault(phrase) or fault(plural_phrase) or fault(axis):
                report.refuse(number, f"{_STANDALONE}, {shown(axis)}: {why}", entry)
            elif "{noun}" not in phrase:
                yield _Phrase(axis, _NONE, phrase, "", phrase, plural_phrase)
            else:
                name = _filled(phrase, "", "")
                for _, noun, plural in nouns:
                    forms = (
                        _filled(phrase, _article(noun), noun),
                        _filled(plural_phrase, "", plural),
                    )
                    yield _Phrase(axis, _NONE, name, noun, *forms)


def _fields(entry: object, name: str) -> Mapping[str, Any]:
    """Return an entry as a mapping; many entries are only the word, stored under `name`."""
    return entry if isinstance(entry, dict) else {name: entry}


def _filled(text: str, article: str, noun: str) -> str:
    return " ".join(text.replace("{article}", article).replace("{noun}", noun).split())


def _article(word: str) -> str:
    """Return `a` or `an` by the first letter, like the published generator."""
    return "an" if word[:1].lower() in "aeiou" else "a"

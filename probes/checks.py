"""Consistency checks between the parts of a probe set, each of which is valid by itself."""

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from maskaudit.audit.toml_lines import Place
from maskaudit.probes import grammar
from maskaudit.probes.schema import Grammar, ProbeSet
from maskaudit.probes.sentence import KNOWN, PLACEHOLDER, faults_of_sentence, sides

# No class may have this name: results use it for the neutral attributes.
RESERVED = "control"
# The least number of sentences per drawn frame, so that two draws have few frames in common.
SENTENCES_PER_FRAME = 10


class Fault(NamedTuple):
    """An error in a probe set: its place in the file, and a message that names the part."""

    at: Place
    message: str


# A text that must be unique, with its place in the file.
_Placed = tuple[Place, str]


def faults_between_parts(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield each fault between the parts of a set, but none inside a single part."""
    kind = probe_set.header.kind
    if kind == "cloze":
        yield from _faults_of_cloze(probe_set)
    elif kind == "association":
        yield from _faults_of_association(probe_set)
    else:
        yield Fault(
            ("set", "kind"),
            f"set.kind: sets of kind {kind!r} are imported "
            "(`maskaudit probes import`); expected 'association' or 'cloze'",
        )


def _faults_of_cloze(probe_set: ProbeSet) -> Iterator[Fault]:
    for part in ("groups", "classes", "controls", "frames", "grammar"):
        if getattr(probe_set, part):
            yield Fault((part,), f"{part}: a cloze set has none; expected [[facts]]")
    if not probe_set.facts:
        message = "facts: the set is empty; expected at least one [[facts]] entry"
        yield Fault(("facts",), message)
    facts = list(enumerate(probe_set.facts))
    yield from _twice("facts", "id", ((("facts", i, "id"), fact.id) for i, fact in facts))
    yield from _twice("facts", "text", ((("facts", i, "text"), fact.text) for i, fact in facts))


def _faults_of_association(probe_set: ProbeSet) -> Iterator[Fault]:
    if probe_set.facts:
        yield Fault(("facts",), "facts: an association set has none; expected [[frames]]")
    if probe_set.frames and probe_set.grammar:
        message = "grammar: the set has [[frames]] too; expected one of the two"
        yield Fault(("grammar",), message)
    frames_written = 0 if probe_set.grammar else 1
    for part, least in (("groups", 2), ("classes", 1), ("frames", frames_written)):
        if (found := len(getattr(probe_set, part))) < least:
            yield Fault((part,), f"{part}: the set has {found}; expected at least {least}")
    yield from _faults_of_words(probe_set)
    yield from _faults_of_contrast(probe_set)
    yield from _faults_of_texts(probe_set)


def _faults_of_words(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield duplicate ids, texts, terms and attributes."""
    frames = list(enumerate(probe_set.frames))
    yield from _twice("frames", "id", ((("frames", i, "id"), frame.id) for i, frame in frames))
    texts: list[_Placed] = [(("frames", i, "text"), frame.text) for i, frame in frames]
    texts += [
        (("frames", i, "variants", n), text)
        for i, frame in frames
        for n, text in enumerate(frame.variants)
    ]
    yield from _twice("frames", "text or variant", sorted(texts, key=_frame_of))
    terms = (
        (("groups", name, "terms", n), term.text)
        for name, group in probe_set.groups.items()
        for n, term in enumerate(group.terms)
    )
    yield from _twice("groups", "term", terms)
    parts: list[tuple[Place, list[str]]] = [
        (("classes", name), [one.text for one in class_.attributes])
        for name, class_ in probe_set.classes.items()
    ]
    if probe_set.controls:
        parts.append((("controls",), [one.text for one in probe_set.controls.attributes]))
    attributes = (
        ((*part, "attributes", n), text) for part, texts in parts for n, text in enumerate(texts)
    )
    yield from _twice("classes and controls", "attribute", attributes)


def _frame_of(placed: _Placed) -> int:
    return int(placed[0][1])


def _faults_of_contrast(probe_set: ProbeSet) -> Iterator[Fault]:
    at = ("set", "contrast")
    contrast = probe_set.header.contrast or ()
    yield from _twice("set.contrast", "class", (((*at, n), x) for n, x in enumerate(contrast)))
    for number, name in enumerate(contrast):
        if name not in probe_set.classes:
            known = ", ".join(probe_set.classes) or "none"
            message = f"set.contrast: names the class {name!r}; the classes are: {known}"
            yield Fault((*at, number), message)
    if RESERVED in probe_set.classes:
        yield Fault(
            ("classes", RESERVED),
            f"classes.{RESERVED}: stands for [controls] in the results; expected another name",
        )


def _faults_of_texts(probe_set: ProbeSet) -> Iterator[Fault]:
    forms = {side for text in probe_set.texts() if len(side := frozenset(sides(text))) == 1}
    if len(forms) > 1:
        at: Place = ("grammar", "texts") if probe_set.grammar else ("frames",)
        yield Fault(
            at,
            f"{'.'.join(map(str, at))}: some have the group at the mask and some the attribute; "
            "expected one form",
        )
    if not (found := probe_set.grammar):
        return
    faults = list(_faults_of_grammar(found))
    yield from faults
    lists = [found.texts, *found.parts.values()]
    # An empty text or alternative has its own fault, and would make these checks meaningless.
    readable = found.parts and all(part and all(part) for part in lists)
    if readable and not faults:
        yield from _faults_of_universe(found)


def _faults_of_grammar(found: Grammar) -> Iterator[Fault]:
    """Yield faults of single texts and parts."""
    named = [PLACEHOLDER.findall(text) for text in found.texts]
    in_order = ((("grammar", "texts", n), text) for n, text in enumerate(found.texts))
    yield from _twice("grammar.texts", "text", in_order)
    for number, (text, names) in enumerate(zip(found.texts, named, strict=True)):
        at = ("grammar", "texts", number)
        place = f"grammar.texts[{number + 1}]"
        if text:
            faults = faults_of_sentence(text, found.parts)
            yield from (Fault(at, f"{place}: {fault}") for fault in faults)
        yield from _twice(place, "part", ((at, name) for name in names if name in found.parts))
    for name, pieces in found.parts.items():
        part: Place = ("grammar", "parts", name)
        place = f"grammar.parts.{name}"
        yield from _twice(place, "alternative", (((*part, n), x) for n, x in enumerate(pieces)))
        if name in KNOWN:
            yield Fault(part, f"{place}: is the name of a placeholder; expected another name")
        elif not any(name in names for names in named):
            message = f"is in no text; expected {{{name}}} in at least one of grammar.texts"
            yield Fault(part, f"{place}: {message}")


def _faults_of_universe(found: Grammar) -> Iterator[Fault]:
    """Yield faults of the sentences that the texts and parts generate together."""
    texts = [grammar.steps(text, found.parts) for text in found.texts]
    for number, text in enumerate(texts):
        if grammar.ambiguous(text):
            yield Fault(
                ("grammar", "texts", number),
                f"grammar.texts[{number + 1}]: two choices make the same sentence; expected one "
                "way to each, so that all are equally likely",
            )
    for (one, first), (other, second) in combinations(enumerate(texts), 2):
        if grammar.shared(first, second):
            yield Fault(
                ("grammar", "texts", other),
                f"grammar.texts[{one + 1}] and texts[{other + 1}]: can make the same sentence; "
                "expected each sentence from one text",
            )
    least = SENTENCES_PER_FRAME * found.frames
    if (sentences := grammar.count(texts)) < least:
        yield Fault(
            ("grammar",),
            f"grammar: makes {sentences} sentences; expected at least {least}, "
            f"{SENTENCES_PER_FRAME} for each of the {found.frames} frames that are drawn",
        )


def _twice(place: str, what: str, values: Iterable[_Placed]) -> Iterator[Fault]:
    """Yield a fault at each repetition of a value, ignoring case; empty values are skipped."""
    seen: set[str] = set()
    for at, value in values:
        key = value.casefold()
        if key and key in seen:
            yield Fault(at, f"{place}: the {what} {value!r} is there twice; expected once")
        seen.add(key)

"""Consistency checks between the parts of a probe set, each of which is valid by itself."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from maskaudit.audit.texts.characters import folded
from maskaudit.audit.texts.toml_lines import Place
from maskaudit.probes.checking.checks_of_factors import faults_of_factors
from maskaudit.probes.checking.checks_of_facts import faults_of_kinds, faults_of_repeated_texts
from maskaudit.probes.checking.checks_of_language import (
    Fault,
    faults_of_forms,
    faults_of_language,
    placed_attributes,
)
from maskaudit.probes.frames import grammar
from maskaudit.probes.frames.sentence import KNOWN, PLACEHOLDER, faults_of_sentence, sides
from maskaudit.probes.schema import Grammar, ProbeSet

# No class may have this name: results use it for the neutral attributes.
RESERVED = "control"
# No group of three or more may have this name: results use it for all groups but one.
REST = "rest"
_TWO = 2
# The least number of sentences per drawn frame, so that two draws have few frames in common.
SENTENCES_PER_FRAME = 10


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
    for part in ("margins", "groups", "classes", "controls", "frames", "grammar", "forms"):
        if getattr(probe_set, part):
            yield Fault((part,), f"{part}: not allowed in a cloze set; expected [[facts]]")
    if not probe_set.facts:
        message = "facts: the set is empty; expected at least one [[facts]] entry"
        yield Fault(("facts",), message)
    facts = list(enumerate(probe_set.facts))
    yield from _repetitions("facts", "id", ((("facts", i, "id"), fact.id) for i, fact in facts))
    yield from faults_of_repeated_texts(probe_set)
    yield from faults_of_kinds(probe_set)


def _faults_of_association(probe_set: ProbeSet) -> Iterator[Fault]:
    if probe_set.facts:
        yield Fault(("facts",), "facts: not allowed in an association set; expected [[frames]]")
    if probe_set.header.plain:
        message = "set.plain: names kinds of facts; an association set has none"
        yield Fault(("set", "plain"), message)
    if probe_set.frames and probe_set.grammar:
        message = "grammar: the set also has [[frames]]; expected only one of the two"
        yield Fault(("grammar",), message)
    # A grammar draws its frames, and none is written.
    frames_written = 0 if probe_set.grammar else 1
    for part, least in (("groups", 2), ("classes", 1), ("frames", frames_written)):
        if (count := len(getattr(probe_set, part))) < least:
            yield Fault((part,), f"{part}: the set has {count}; expected at least {least}")
    yield from _faults_of_words(probe_set)
    yield from _faults_of_contrast(probe_set)
    yield from faults_of_factors(probe_set)
    yield from _faults_of_facets(probe_set)
    yield from _faults_of_texts(probe_set)
    yield from faults_of_language(probe_set)
    yield from faults_of_forms(probe_set)


def _faults_of_words(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield duplicate ids, texts, terms and attributes."""
    frames = list(enumerate(probe_set.frames))
    yield from _repetitions(
        "frames", "id", ((("frames", i, "id"), frame.id) for i, frame in frames)
    )
    texts: list[_Placed] = [(("frames", i, "text"), frame.text) for i, frame in frames]
    texts += [
        (("frames", i, "variants", n), text)
        for i, frame in frames
        for n, text in enumerate(frame.variants)
    ]
    # In the order of the file, so that the fault is at the later of two equal texts.
    yield from _repetitions("frames", "text or variant", sorted(texts, key=_frame_of))
    terms = (
        (("groups", name, "terms", n), term.text)
        for name, group in probe_set.groups.items()
        for n, term in enumerate(group.terms)
    )
    yield from _repetitions("groups", "term", terms)
    placed = list(placed_attributes(probe_set))
    texts = [(place, attribute.text) for place, attribute in placed]
    repeated = list(_repetitions("classes and controls", "attribute", texts))
    yield from repeated
    # The forms of attributes that are repeated would be told as repeated once more.
    if repeated:
        return
    # Two attributes that are written alike with one group's terms would count its items twice.
    # Where no attribute has a form of its own for a group, these are the texts again.
    formed = {group for _, attribute in placed for group in attribute.forms}
    for group in [name for name in probe_set.groups if name in formed]:
        forms = [
            ((*place, group) if group in attribute.forms else place, attribute.form(group))
            for place, attribute in placed
        ]
        yield from _repetitions("classes and controls", f"form for the group {group!r},", forms)


def _frame_of(placed: _Placed) -> int:
    return int(placed[0][1])


def _faults_of_contrast(probe_set: ProbeSet) -> Iterator[Fault]:
    at = ("set", "contrast")
    contrast = probe_set.header.contrast or ()
    yield from _repetitions(
        "set.contrast", "class", (((*at, n), x) for n, x in enumerate(contrast))
    )
    for number, name in enumerate(contrast):
        if name not in probe_set.classes:
            names = ", ".join(probe_set.classes) or "none"
            message = f"set.contrast: no class is named {name!r}; the classes are: {names}"
            yield Fault((*at, number), message)
    yield from _faults_of_directions(probe_set)
    if probe_set.margins and probe_set.margins.contrast and not (contrast or probe_set.directions):
        message = "margins.contrast: the set contrasts no classes; expected `contrast` in [set]"
        yield Fault(("margins", "contrast"), message)
    if RESERVED in probe_set.classes:
        yield Fault(
            ("classes", RESERVED),
            f"classes.{RESERVED}: reserved for [controls] in the results; choose another name",
        )


def _faults_of_directions(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield faults of `group` in classes: one class for a group, and both of a contrast or none."""
    class_of: dict[str, str] = {}
    for name, group in (probe_set.directions or {}).items():
        at = ("classes", name, "group")
        label = f"classes.{name}.group"
        if group not in probe_set.groups:
            names = ", ".join(probe_set.groups) or "none"
            yield Fault(at, f"{label}: no group is named {group!r}; the groups are: {names}")
        elif group in class_of:
            yield Fault(
                at,
                f"{label}: {class_of[group]!r} is stereotyped with {group!r} too; expected one "
                "class for a group, so that the contrast is between two classes",
            )
        # The first keeps the group, so that every later one is told of it.
        class_of.setdefault(group, name)
    contrast = probe_set.header.contrast or []
    without = [name for name in contrast if name not in class_of.values()]
    if class_of and 0 < len(without) < len(contrast):
        yield Fault(
            ("classes", without[0]),
            f"classes.{without[0]}: does not say which group it is stereotyped with, but the other "
            "class of set.contrast does; expected `group` in both or in neither",
        )
    if REST in probe_set.groups and len(probe_set.groups) > _TWO:
        yield Fault(
            ("groups", REST),
            f"groups.{REST}: reserved in the results for all groups but one; choose another name",
        )


def _faults_of_facets(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield faults of styles of frames and families of attributes: too few to see a spread in."""
    styles = Counter(frame.style for frame in probe_set.frames)
    for number, frame in enumerate(probe_set.frames):
        at: Place = ("frames", number, "style")
        label = f"frames[{number + 1}] ({frame.id})"
        if frame.style is None and len(styles) > 1:
            named = ", ".join(name for name in styles if name)
            message = f"has no style, but others have ({named}); expected one in each or in none"
            yield Fault(at, f"{label}: {message}")
        elif frame.style is not None and styles[frame.style] < _TWO:
            message = f"is the only frame of the style {frame.style!r}; expected at least {_TWO}"
            yield Fault(at, f"{label}: {message}")
    for name, part in probe_set.classes.items():
        # `None` is no family: such attributes are each one of their own.
        families = {attribute.family for attribute in part.attributes}
        if len(part.attributes) > 1 and len(families) == 1 and None not in families:
            yield Fault(
                ("classes", name, "attributes"),
                f"classes.{name}: all of its attributes are of the family {families.pop()!r}; "
                f"expected at least {_TWO} families, or none named",
            )


def _faults_of_texts(probe_set: ProbeSet) -> Iterator[Fault]:
    # A text that does not name exactly one side has a fault of its own.
    forms = {side for text in probe_set.texts() if len(side := frozenset(sides(text))) == 1}
    if len(forms) > 1:
        at: Place = ("grammar", "texts") if probe_set.grammar else ("frames",)
        yield Fault(
            at,
            f"{'.'.join(map(str, at))}: some texts have the group at the mask, others the "
            "attribute; expected the same in all",
        )
    if not (grammar_ := probe_set.grammar):
        return
    faults = list(_faults_of_grammar(grammar_, list(probe_set.forms)))
    yield from faults
    lists = [grammar_.texts, *grammar_.parts.values()]
    # An empty text or alternative has its own fault, and would make these checks meaningless.
    readable = grammar_.parts and all(part and all(part) for part in lists)
    if readable and not faults:
        yield from _faults_of_universe(grammar_)


def _faults_of_grammar(grammar_: Grammar, forms: Sequence[str]) -> Iterator[Fault]:
    """Yield faults of single texts and parts; `forms` are the names of the set's forms by group."""
    names_by_text = [PLACEHOLDER.findall(text) for text in grammar_.texts]
    in_order = ((("grammar", "texts", n), text) for n, text in enumerate(grammar_.texts))
    yield from _repetitions("grammar.texts", "text", in_order)
    for number, (text, names) in enumerate(zip(grammar_.texts, names_by_text, strict=True)):
        at = ("grammar", "texts", number)
        label = f"grammar.texts[{number + 1}]"
        if text:
            faults = faults_of_sentence(text, grammar_.parts, forms)
            yield from (Fault(at, f"{label}: {fault}") for fault in faults)
        yield from _repetitions(
            label, "part", ((at, name) for name in names if name in grammar_.parts)
        )
    used = {name for names in names_by_text for name in names}
    for name, pieces in grammar_.parts.items():
        part: Place = ("grammar", "parts", name)
        label = f"grammar.parts.{name}"
        yield from _repetitions(
            label, "alternative", (((*part, n), x) for n, x in enumerate(pieces))
        )
        if name in KNOWN or name in forms:
            yield Fault(part, f"{label}: is the name of a placeholder; choose another name")
        elif name not in used:
            message = f"is not used; expected {{{name}}} in at least one of grammar.texts"
            yield Fault(part, f"{label}: {message}")


def _faults_of_universe(grammar_: Grammar) -> Iterator[Fault]:
    """Yield faults of the sentences that the texts and parts generate together."""
    texts = [grammar.steps(text, grammar_.parts) for text in grammar_.texts]
    for number, text in enumerate(texts):
        if grammar.ambiguous(text):
            yield Fault(
                ("grammar", "texts", number),
                f"grammar.texts[{number + 1}]: two choices give the same sentence; expected only "
                "one way to each, so that all are equally likely",
            )
    for i, j in grammar.sharing(texts):
        yield Fault(
            ("grammar", "texts", j),
            f"grammar.texts[{i + 1}] and texts[{j + 1}]: can generate the same sentence; "
            "expected each sentence from only one text",
        )
    least = SENTENCES_PER_FRAME * grammar_.frames
    if (sentences := grammar.count(texts)) < least:
        yield Fault(
            ("grammar",),
            f"grammar: generates {sentences} sentences; expected at least {least}, "
            f"{SENTENCES_PER_FRAME} for each of the {grammar_.frames} frames that are drawn",
        )


def _repetitions(label: str, kind: str, values: Iterable[_Placed]) -> Iterator[Fault]:
    """Yield a fault at each repetition of a value, ignoring case; empty values are skipped.

    Two spellings that look the same are one value (`characters.folded`).
    """
    seen: set[str] = set()
    for at, value in values:
        key = folded(value)
        if key and key in seen:
            yield Fault(at, f"{label}: the {kind} {value!r} appears twice; expected once")
        seen.add(key)

"""Checks of what depends on the language of a set: English articles, and forms by group."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from maskaudit.audit.texts.toml_files import did_you_mean
from maskaudit.audit.texts.toml_lines import Place
from maskaudit.probes.frames.sentence import ENGLISH, KNOWN, PLACEHOLDER, sides
from maskaudit.probes.languages import is_english
from maskaudit.probes.schema import Attribute, ProbeSet

_LAST_LATIN_1 = "\u00ff"


class Fault(NamedTuple):
    """An error in a probe set: its place in the file, and a message that names the part."""

    at: Place
    message: str


def placed_attributes(probe_set: ProbeSet) -> Iterator[tuple[Place, Attribute]]:
    """Yield the attributes of all classes and the controls, each with its place in the file."""
    for name, class_ in probe_set.classes.items():
        for number, attribute in enumerate(class_.attributes):
            yield ("classes", name, "attributes", number), attribute
    if probe_set.controls:
        for number, attribute in enumerate(probe_set.controls.attributes):
            yield ("controls", "attributes", number), attribute
        for name, contrast in probe_set.controls.contrasts.items():
            for side, attributes in contrast.sides.items():
                for number, attribute in enumerate(attributes):
                    yield ("controls", "contrasts", name, side, number), attribute


def faults_of_language(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield one fault where a set in another language asks for English articles."""
    language = probe_set.header.language
    if is_english(language):
        return
    placed = [
        (place, f"{{{name}}}")
        for place, text in _placed_texts(probe_set)
        for name in PLACEHOLDER.findall(text)
        if name in ENGLISH
    ]
    placed += [
        ((*place, "article"), "article")
        for place, attribute in placed_attributes(probe_set)
        if attribute.article is not None
    ]
    # One fault for all of them: a set may have hundreds, and the remedy is one.
    if placed:
        place, helper = placed[0]
        more = f" (as do {len(placed) - 1} more places)" if len(placed) > 1 else ""
        yield Fault(
            place,
            f"{_named(place)}: {helper} writes an English article{more}, but set.language is "
            f"{language!r}; write {{attribute}} or {{term}}, and the article as plain text, as a "
            "part of the word, or as a form by group ([forms])",
        )


def foreign_letters(probe_set: ProbeSet) -> list[str]:
    """Return the letters that English does not have, of a set that names no language; sorted.

    Its sentences begin by English rules, which are wrong for `istanbul` in Turkish. Letters of
    Western Europe tell nothing: English has them in names and loans. Empty where the set names a
    language or has no capitals written.
    """
    header = probe_set.header
    if "language" in header.model_fields_set or not header.capitalise:
        return []
    texts = [text for _, text in _placed_texts(probe_set)]
    texts += [text for form in probe_set.forms.values() for text in form.values()]
    if probe_set.grammar:
        texts += [text for part in probe_set.grammar.parts.values() for text in part]
    texts += [text for fact in probe_set.facts for text in (fact.text, fact.negated) if text]
    texts += [term.text for group in probe_set.groups.values() for term in group.terms]
    texts += [
        text
        for _, attribute in placed_attributes(probe_set)
        for text in (attribute.text, *attribute.forms.values())
    ]
    others = (text for text in texts if not text.isascii())
    # Of letters without case no capital can be wrong.
    return sorted({c for text in others for c in text if c > _LAST_LATIN_1 and _has_case(c)})


def _has_case(character: str) -> bool:
    return unicodedata.category(character) in {"Ll", "Lu"}


def faults_of_forms(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield each fault of the forms by group: every group needs one, and a sentence of its own."""
    used = {
        name: place
        # Backwards, so that of several places of a name the first remains.
        for place, text in reversed(list(_placed_texts(probe_set)))
        for name in PLACEHOLDER.findall(text)
    }
    for name in probe_set.forms:
        yield from _faults_of_form(probe_set, name, used)
    texts = [text for _, text in _placed_texts(probe_set)]
    # The first text speaks for all: two kinds in one set are a fault of their own.
    if not texts or sides(texts[0]) != ["attribute"]:
        return
    reason = (
        "differs by group, but the group is at the mask, where both groups' words must be read in "
        "one sentence; name the group with {term}, and put [MASK] in the attribute's place"
    )
    for name in probe_set.forms:
        if place := used.get(name):
            yield Fault(place, f"{_named(place)}: {{{name}}} {reason}")
    for place, attribute in placed_attributes(probe_set):
        for group in attribute.forms:
            at = (*place, group)
            yield Fault(at, f"{_named(at)}: {attribute.form(group)!r} {reason}")


def _faults_of_form(probe_set: ProbeSet, name: str, used: dict[str, Place]) -> Iterator[Fault]:
    groups, form = probe_set.groups, probe_set.forms[name]
    at: Place = ("forms", name)
    label = f"forms.{name}"
    for group in form:
        if group not in groups:
            hint = did_you_mean(group, groups)
            yield Fault((*at, group), f"{label}.{group}: no group is named {group!r}{hint}")
    if missing := [repr(group) for group in groups if group not in form]:
        yield Fault(
            at,
            f"{label}: has no form for the group {', '.join(missing)}; expected one for each: "
            f"{', '.join(groups)}",
        )
    if name in KNOWN:
        yield Fault(at, f"{label}: is the name of a placeholder; choose another name")
    elif name not in used:
        yield Fault(at, f"{label}: is not used; expected {{{name}}} in at least one frame")


def _placed_texts(probe_set: ProbeSet) -> Iterator[tuple[Place, str]]:
    """Yield the texts of the frames, or those of the grammar, each with its place in the file."""
    for number, frame in enumerate(probe_set.frames):
        yield ("frames", number, "text"), frame.text
        for n, text in enumerate(frame.variants):
            yield ("frames", number, "variants", n), text
    if probe_set.grammar:
        for number, text in enumerate(probe_set.grammar.texts):
            yield ("grammar", "texts", number), text


def _named(place: Place) -> str:
    steps = (f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")

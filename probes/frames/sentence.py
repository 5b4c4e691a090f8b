"""The text of a frame: one mask, placeholders in braces, and its possible faults."""

import re
from collections.abc import Collection, Iterator

MASK = "[MASK]"
# `{attribute}`, `{a term}`, `{a}` (the target's article), `{was|were}` (the term's verb), and the
# names of a set's forms by group, such as `{der}`.
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
KNOWN = {"attribute", "a attribute", "term", "a term", "a"}
# Those that write an English article.
ENGLISH = ("a attribute", "a term", "a")


def faults_of_mask(text: str) -> Iterator[str]:
    """Yield a fault unless the text contains the mask exactly once."""
    if (count := text.count(MASK)) != 1:
        yield f"must contain {MASK} exactly once; found it {count} times"


def faults_of_fact(text: str) -> Iterator[str]:
    """Yield a fault unless the text contains a mask; it may contain several."""
    if MASK not in text:
        yield f"must contain {MASK} exactly once, or once for each word that is asked; found none"


def faults_of_sentence(
    text: str, parts: Collection[str] = (), forms: Collection[str] = ()
) -> Iterator[str]:
    """Yield each fault of a frame's text.

    `parts` are the names of its grammar's parts, `forms` those of the set's forms by group.
    """
    yield from faults_of_mask(text)
    names = PLACEHOLDER.findall(text)
    known = {*KNOWN, *parts, *forms}
    # A verb that agrees with the term has two forms, and one bar between them.
    unknown = [name for name in names if name not in known and name.count("|") != 1]
    if unknown or "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
        shown = ", ".join("{" + name + "}" for name in unknown) or "an unmatched brace"
        yield (
            f"has {shown}; expected {{attribute}}, {{a attribute}}, {{term}}, {{a term}}, "
            f"{{a}} or {{singular|plural}}{' or a part' if parts else ''}"
            f"{' or a form' if forms else ''}"
        )
    if len(sides(text)) != 1:
        yield "must name {attribute} or {term} exactly once; the other is at the mask"


def sides(text: str) -> list[str]:
    """Return the side outside the mask, `attribute` or `term`, once per placeholder naming it."""
    names = (name.removeprefix("a ") for name in PLACEHOLDER.findall(text))
    return [name for name in names if name in {"attribute", "term"}]

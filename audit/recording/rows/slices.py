"""The slice of an estimate, which says which cells it uses, as a value and as text."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Self, cast, get_args

# All probes, one class of attributes minus the other, or the neutral words.
_WHOLE = ("all", "contrast", "controls")
Kind = Literal[
    "all",
    "contrast",
    "controls",
    "attribute",
    "class",
    "relation",
    "style",
    "cut",
    "without_term",
    "pieces",
    "words",
    "frames",
    "attributes",
    "control",
    "estimator",
    "set",
    "group",
    "length",
    "position",
    "frequency",
]
# One attribute, one class of attributes, one relation of a set of facts, or frames of one style; a
# contrast with classes cut at another share, without one term, or of attributes of so many pieces
# or words; two frames or two attributes; a contrast of controls; another estimator or another set;
# masks of text by group, length, position, and the answer's frequency (or pieces).
_NAMED = tuple(kind for kind in get_args(Kind) if kind not in _WHOLE)
# The groups can be told apart because their names contain none of the delimiters / : =.
_TEXT = re.compile(
    r"(?:(?P<first>[^/:=]+)/(?P<second>[^/:=]+): )?"
    rf"(?:(?P<whole>{'|'.join(_WHOLE)})|(?P<named>{'|'.join(_NAMED)})=(?P<value>.*))",
    re.DOTALL,
)


@dataclass(frozen=True)
class Slice:
    """Which part of a set a number is about, between which two of its groups.

    `value` is the attribute, class, relation, style, cut (".60"), term, pieces or words ("1",
    "2+"), pair ("one & other"), control, estimator, other set, group, or stratum of masks
    ("33-128"); it is empty for the other kinds.
    `groups` are the two groups if the set has more than two, else empty.
    """

    kind: Kind
    value: str = ""
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The text of the column `slice`: "all", "class=nurses", "women/men: attribute=nurse"."""
        name = self.kind if self.kind in _WHOLE else f"{self.kind}={self.value}"
        return f"{self.between}: {name}" if self.groups else name

    @property
    def between(self) -> str:
        """The two groups as text, "women/men"; empty if the set has no more than two."""
        return "/".join(self.groups)

    @property
    def is_headline(self) -> bool:
        """Whether this is all of a set of two groups, or the contrast of its two classes."""
        return self in {ALL, CONTRAST}

    @property
    def is_part(self) -> bool:
        """Whether this is one class or relation of a set."""
        return self.kind in {"class", "relation"}

    def of_groups(self, *groups: str) -> Self:
        """The same slice between two groups of a set with more than two."""
        return replace(self, groups=groups)

    @classmethod
    def parse(cls, text: str) -> "Slice":
        """Parse a text of the column `slice`. Raises `ValueError` if it is not a slice."""
        return _parsed(text)


# A table repeats few different slices in many rows.
@lru_cache(maxsize=65536)
def _parsed(text: str) -> Slice:
    match = _TEXT.fullmatch(text)
    if match is None:
        message = (
            f"{text!r} is not a slice; expected {', '.join(_WHOLE)}, "
            f"{', '.join(f'{name}=...' for name in _NAMED[:-1])} or {_NAMED[-1]}=..."
        )
        raise ValueError(message)
    kind = cast("Kind", match["whole"] or match["named"])
    groups = (match["first"], match["second"]) if match["first"] else ()
    return Slice(kind, match["value"] or "", groups)


ALL, CONTRAST, CONTROLS = Slice("all"), Slice("contrast"), Slice("controls")


def of_attribute(name: str) -> Slice:
    """The slice of one attribute."""
    return Slice("attribute", name)


def of_class(name: str) -> Slice:
    """The slice of one class of attributes, or of one type of units."""
    return Slice("class", name)


def of_relation(name: str) -> Slice:
    """The slice of one relation in a set of facts."""
    return Slice("relation", name)


def of_style(name: str) -> Slice:
    """The slice of the frames of one style."""
    return Slice("style", name)


def of_cut(share: float) -> Slice:
    """The slice of attributes whose share is at least this, or at most 1 less this."""
    return Slice("cut", f"{share:.2f}")


def without_term(name: str) -> Slice:
    """The slice of all terms but one."""
    return Slice("without_term", name)


def of_length(kind: Literal["pieces", "words"], *, several: bool) -> Slice:
    """The slice of the attributes of one piece or word, or of those of several."""
    return Slice(kind, "2+" if several else "1")


def of_pair(kind: Literal["frames", "attributes"], first: str, second: str) -> Slice:
    """The slice of two frames or two attributes."""
    return Slice(kind, f"{first} & {second}")


def of_control(name: str) -> Slice:
    """The slice of one contrast of controls."""
    return Slice("control", name)


def of_estimator(name: str) -> Slice:
    """The slice that is held against another estimator of the same set."""
    return Slice("estimator", name)


def of_set(name: str) -> Slice:
    """The slice that another set has too."""
    return Slice("set", name)


def of_part(kind: str, name: str) -> Slice:
    """The slice of one part of a set of this kind: in a set of facts, the class is a relation."""
    return of_relation(name) if kind == "cloze" else of_class(name)

"""What a probe set may say: its parts and the keys of each, as a checked model."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from maskaudit.audit.recording.manifest import Kind
from maskaudit.audit.toml_files import Part, listed
from maskaudit.probes import grammar
from maskaudit.probes.sentence import faults_of_mask, faults_of_sentence

_ID_LENGTH = 16


def _one_line(text: str) -> str:
    if not text.isprintable():
        message = "must be one line without control characters"
        raise ValueError(message)
    if "  " in text:
        message = "has two spaces in a row; expected one"
        raise ValueError(message)
    return text


def _plain(text: str) -> str:
    if re.search(r"[\[\]{}]", text):
        message = "expected plain words, without brackets or braces"
        raise ValueError(message)
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", text):
        message = "expected small letters and digits, with - or _ between them"
        raise ValueError(message)
    return text


def _sentence(text: str) -> str:
    """A frame's text: one [MASK], known placeholders, and the other side of the association."""
    return _faultless(text, faults_of_sentence(text))


def _cloze(text: str) -> str:
    return _faultless(text, faults_of_mask(text))


def _faultless(text: str, faults: Iterator[str]) -> str:
    if message := "; ".join(faults):
        raise ValueError(message)
    return text


Line = Annotated[
    str,
    StringConstraints(min_length=1, strip_whitespace=True),
    AfterValidator(_one_line),
]
Lines = Annotated[list[Line], BeforeValidator(listed)]
Word = Annotated[Line, StringConstraints(max_length=60), AfterValidator(_plain)]
Name = Annotated[str, StringConstraints(max_length=60), AfterValidator(_name)]


class Header(Part):
    """What a set says of itself: its name and version are part of every number's method key."""

    name: Name
    version: Line
    kind: Kind
    axis: Name
    title: Line
    question: Line
    how_to_read: Line
    limits: Line
    licence: Line
    sources: Annotated[Lines, Field(min_length=1)]
    neutral: Word | None = None
    contrast: list[Name] | None = Field(default=None, min_length=2, max_length=2)
    expect: Literal["lean", "none"] = "lean"
    share_alike: bool = False
    non_commercial: bool = False
    cite: str = ""


class Term(Part):
    """A word or name that stands for a group."""

    obvious = "text"
    text: Word
    verb: Literal["singular", "plural"] = "singular"


class Group(Part):
    """A demographic group; the first of a set is g1 of log p(g1) - log p(g2)."""

    terms: list[Term] = Field(min_length=1)
    label: Line | None = None


class Attribute(Part):
    """What may be tied to a group: an occupation, a trait. `share` is that of the first group."""

    obvious = "text"
    text: Word
    share: float | None = Field(default=None, ge=0, le=1)
    article: Literal["a", "an"] | None = None


class AttributeClass(Part):
    """Attributes that a stereotype ties to the same group."""

    attributes: list[Attribute] = Field(min_length=1)
    label: Line | None = None


class Controls(Part):
    """Neutral attributes in the same frames, where no lean is expected."""

    attributes: list[Attribute] = Field(min_length=1)


class Frame(Part):
    """An independent template; `variants` are its paraphrases, nested in it."""

    id: Name
    text: Annotated[Line, AfterValidator(_sentence)]
    variants: Annotated[
        list[Annotated[Line, AfterValidator(_sentence)]], BeforeValidator(listed)
    ] = Field(default=[])

    @property
    def texts(self) -> list[str]:
        """The base text, then its paraphrases."""
        return [self.text, *self.variants]


Piece = Annotated[Line, StringConstraints(max_length=200), AfterValidator(_plain)]


class Grammar(Part):
    """Texts with parts: a universe of frames, of which every audit draws `frames` anew."""

    frames: int = Field(ge=6)  # with fewer there is no interval
    texts: Annotated[Lines, Field(min_length=1)]
    parts: dict[Name, Annotated[list[Piece], Field(min_length=1)]] = Field(min_length=1)

    @property
    def steps(self) -> Sequence[grammar.Steps]:
        """The texts as lists of alternatives; neither names nor order of parts change them."""
        texts = (grammar.steps(text, self.parts) for text in self.texts)
        return sorted([sorted(step) for step in text] for text in texts)

    @property
    def sentences(self) -> int:
        """How many frames can be drawn."""
        return grammar.count(self.steps)


class Fact(Part):
    """A sentence with known right answers, and the negated sentence where they are wrong."""

    id: Name
    relation: Name
    text: Annotated[Line, AfterValidator(_cloze)]
    answers: Annotated[list[Word], BeforeValidator(listed), Field(min_length=1)]
    negated: Annotated[Line, AfterValidator(_cloze)] | None = None


class ProbeSet(Part):
    """One probe set, checked."""

    header: Header = Field(alias="set")
    groups: dict[Name, Group] = Field(default={})
    classes: dict[Name, AttributeClass] = Field(default={})
    controls: Controls | None = None
    frames: list[Frame] = Field(default=[])
    grammar: Grammar | None = None
    facts: list[Fact] = Field(default=[])

    @property
    def group_at_mask(self) -> bool:
        """Whether the group's term is the target; otherwise the attribute is."""
        return "attribute}" in next(self.texts())

    def texts(self) -> Iterator[str]:
        """The texts of all frames, or of the grammar where none are drawn yet."""
        if self.frames or self.grammar is None:
            return (text for frame in self.frames for text in frame.texts)
        return iter(self.grammar.texts)

    @property
    def universe(self) -> str | None:
        """SHA-256 of all that any draw could hold and how many are drawn; None without a grammar.

        It is the same for every seed, and stands in the method key where other sets have the digest
        of their items. Labels and the names of parts are left out: they change no number.
        """
        if self.grammar is None:
            return None
        own = {"groups": {"__all__": {"terms"}}, "classes": {"__all__": {"attributes"}}}
        words = self.model_dump(include={**own, "controls": True})
        said = [self.header.neutral, self.header.contrast, self.grammar.frames]
        whole = [words, *said, self.grammar.steps]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()

    def drawn(self, seed: int) -> Self:
        """The set with the frames that this seed draws; the same set where it has no grammar.

        Sets of different names draw different frames with one seed. The id of a frame is a digest
        of its text: a sentence has it in every draw.
        """
        if self.grammar is None:
            return self
        from numpy.random import default_rng

        rng = default_rng([seed, *self.header.name.encode()])
        texts = grammar.draw(self.grammar.steps, self.grammar.frames, rng)
        ids = (hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH] for text in texts)
        frames = [Frame(id=id_, text=text) for id_, text in zip(ids, texts, strict=True)]
        return self.model_copy(update={"frames": frames})


class ImportedSet(ProbeSet):
    """A published set, read from the folder that `maskaudit probes import` wrote."""

    rows: list[dict[str, Any]] = Field(default=[])
    notes: list[str] = Field(default=[])
    unusable: int = 0

    @property
    def group_at_mask(self) -> bool:
        """Whether a group's term is the target."""
        targets = ((row["target"].casefold(), row["term"].casefold()) for row in self.rows)
        return all(target == term != "" for target, term in targets)

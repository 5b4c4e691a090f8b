"""The schema of a probe set: its parts and the keys of each, as validated models."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from maskaudit.audit.recording.manifest import Expect, Kind
from maskaudit.audit.recording.margins import Margins
from maskaudit.audit.texts.characters import composed, without_case
from maskaudit.audit.texts.toml_files import Part, did_you_mean, listed
from maskaudit.probes import languages
from maskaudit.probes.fact import Fact
from maskaudit.probes.frames import grammar
from maskaudit.probes.frames.sentence import faults_of_sentence, sides
from maskaudit.probes.words import FormName, Line, Lines, Name, Piece, Word, one_line

_ID_LENGTH = 16


def _sentence(text: str, info: ValidationInfo) -> str:
    """Validate a frame's text: one [MASK], known placeholders, the association's other side."""
    return _faultless(text, faults_of_sentence(text, forms=_named(info, "forms")))


def _named(info: ValidationInfo, table: str) -> Sequence[str]:
    """Return the keys of a table of the set that is being validated (`ProbeSet.checked`)."""
    keys: Mapping[str, Sequence[str]] = info.context or {}
    return keys.get(table, ())


def _faultless(text: str, faults: Iterator[str]) -> str:
    if message := "; ".join(faults):
        raise ValueError(message)
    return text


Language = Annotated[str, AfterValidator(languages.canonical)]


class Header(Part):
    """A set's description; its name and version are part of the method key of every number.

    `language` decides where capitals are written and whether articles are English; with
    `capitalise` false every word stands as the set writes it. `plain` names the relations of a
    cloze set that the others are held against.
    """

    name: Name
    language: Language = languages.ENGLISH
    # Kept out of records, where it is seen in the sentences and in their digest.
    capitalise: bool = Field(default=True, exclude=True)
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
    # Written into records by the sets that have it alone (`audit.describe`).
    plain: Annotated[list[Name], BeforeValidator(listed)] = Field(default=[], exclude=True)
    expect: Expect = "lean"
    share_alike: bool = False
    non_commercial: bool = False
    cite: Annotated[str, AfterValidator(one_line)] = ""


class Term(Part):
    """A word or name that represents a group."""

    obvious = "text"
    text: Word
    verb: Literal["singular", "plural"] = "singular"


class Group(Part):
    """A demographic group; a set's first group is g1 in log p(g1) - log p(g2).

    `factors` places it in a crossed table, such as race by gender: its level of each factor.
    """

    terms: list[Term] = Field(min_length=1)
    label: Line | None = None
    factors: dict[Name, Name] = Field(default={})


class Attribute(Part):
    """An occupation or trait that may be associated with a group.

    `text` is its name and its default form; a key named like a group is its form with the terms of
    that group. `share` is the first group's real-world share in it, from 0 to 1; `family` names
    attributes that may behave alike, such as the occupations of care; `frequency` says how often
    it is written, per million words.
    """

    # The other keys are checked below: they are groups of the set.
    model_config = ConfigDict(extra="allow")
    obvious: ClassVar[str | None] = "text"
    __pydantic_extra__: dict[str, Word] = Field(init=False)

    text: Word
    share: float | None = Field(default=None, ge=0, le=1)
    family: Name | None = None
    frequency: float | None = Field(default=None, gt=0, le=1_000_000)
    article: Literal["a", "an"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _other_keys_are_groups(cls, value: object, info: ValidationInfo) -> object:
        # The first test is of a set's million words, the second of the few that have forms.
        if isinstance(value, dict) and not value.keys() <= cls.__pydantic_fields__.keys():
            known = [*cls.model_fields, *_named(info, "groups")]
            unknown = [str(key) for key in value if key not in known]
            if unknown:
                message = f"{unknown[0]!r} is not a known key{did_you_mean(unknown[0], known)}"
                raise ValueError(message)
        return value

    @property
    def forms(self) -> Mapping[str, str]:
        """The forms that are written for single groups, by group."""
        return self.__pydantic_extra__

    def form(self, group: str) -> str:
        """Return how the attribute is written with the terms of a group."""
        return self.__pydantic_extra__.get(group, self.text)


class AttributeClass(Part):
    """Attributes that a stereotype associates with the same group, named by `group`."""

    group: Name | None = None
    attributes: list[Attribute] = Field(min_length=1)
    label: Line | None = None


class ControlContrast(Part):
    """Two small classes of attributes that nothing ties to one group rather than the other."""

    first: list[Attribute] = Field(min_length=2)
    second: list[Attribute] = Field(min_length=2)

    @property
    def sides(self) -> Mapping[str, list[Attribute]]:
        """The two classes by name, `first` and `second`."""
        return {"first": self.first, "second": self.second}


class Controls(Part):
    """Neutral attributes in the same frames, where no lean is expected, and contrasts of such."""

    attributes: list[Attribute] = Field(default=[])
    contrasts: dict[Name, ControlContrast] = Field(default={})

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.attributes and not self.contrasts:
            message = "has no attributes and no contrasts; expected at least one of either"
            raise ValueError(message)
        return self

    @property
    def of_contrasts(self) -> list[Attribute]:
        """The attributes of both sides of all contrasts."""
        return [
            attribute
            for contrast in self.contrasts.values()
            for side in contrast.sides.values()
            for attribute in side
        ]


class Frame(Part):
    """A template, independent of the other frames; `variants` are paraphrases nested in it.

    `style` names frames of one kind of sentence, such as dialogue; results are averaged over styles
    with equal weight.
    """

    id: Name
    text: Annotated[Line, AfterValidator(_sentence)]
    style: Name | None = None
    variants: Annotated[
        list[Annotated[Line, AfterValidator(_sentence)]], BeforeValidator(listed)
    ] = Field(default=[])

    @property
    def texts(self) -> list[str]:
        """The base text, then its variants."""
        return [self.text, *self.variants]


class Grammar(Part):
    """Texts with parts that generate a universe of frames; each audit draws `frames` of them."""

    frames: int = Field(ge=6)  # with fewer frames no interval is computed
    texts: Annotated[Lines, Field(min_length=1)]
    parts: dict[Name, Annotated[list[Piece], Field(min_length=1)]] = Field(min_length=1)

    @property
    def steps(self) -> Sequence[grammar.Steps]:
        """The texts, sorted, as lists of sorted alternatives; names of parts have no effect."""
        texts = (grammar.steps(text, self.parts) for text in self.texts)
        # Sorted, so that the order in the file changes neither the draw nor the digest.
        return sorted([sorted(step) for step in text] for text in texts)

    @property
    def sentences(self) -> int:
        """The number of different frames that can be drawn."""
        return grammar.count(self.steps)


def _each_name_once(forms: Any) -> Any:  # noqa: ANN401 - whatever the file has there
    """Refuse names that are one text in NFC: the second would take the place of the first."""
    if isinstance(forms, Mapping):
        counts = Counter(composed(name) for name in forms)
        if repeated := [name for name, count in counts.items() if count > 1]:
            message = f"{repeated[0]!r} is named twice, in two spellings of the same characters"
            raise ValueError(message)
    return forms


FormsByGroup = Annotated[dict[FormName, dict[Name, Piece]], BeforeValidator(_each_name_once)]


class ProbeSet(Part):
    """A probe set, valid in each part; `checks` tests that the parts are consistent."""

    header: Header = Field(alias="set")
    margins: Margins | None = None
    groups: dict[Name, Group] = Field(default={})
    classes: dict[Name, AttributeClass] = Field(default={})
    controls: Controls | None = None
    frames: list[Frame] = Field(default=[])
    grammar: Grammar | None = None
    forms: FormsByGroup = Field(default={})
    facts: list[Fact] = Field(default=[])

    @classmethod
    def checked(cls, raw: Mapping[str, Any]) -> Self:
        """Validate the content of a file; raises pydantic's `ValidationError`.

        Which placeholders a frame and which keys an attribute may have depends on the set's tables
        `forms` and `groups`, hence the context.
        """
        tables = {key: raw.get(key) for key in ("groups", "forms")}
        # In NFC, as the texts of the frames are when their placeholders are looked up.
        keys = {k: [*map(composed, t)] for k, t in tables.items() if isinstance(t, Mapping)}
        return cls.model_validate(raw, context=keys)

    @property
    def directions(self) -> dict[str, str] | None:
        """The group that each class is stereotyped with, where the set says so; None if nowhere."""
        groups = {name: part.group for name, part in sorted(self.classes.items())}
        return {name: group for name, group in groups.items() if group is not None} or None

    @property
    def factors(self) -> dict[str, dict[str, str]]:
        """The level of each factor that groups are crossed by, by group; empty without factors."""
        return {name: part.factors for name, part in self.groups.items() if part.factors}

    @property
    def group_at_mask(self) -> bool:
        """Whether the group's term is the target and not the attribute."""
        # One text tells, since `checks` refuses a set whose texts differ in it.
        return sides(next(self.texts())) == ["attribute"]

    def texts(self) -> Iterator[str]:
        """Return the texts of all frames, or those of the grammar before frames are drawn."""
        if self.frames or self.grammar is None:
            return (text for frame in self.frames for text in frame.texts)
        return iter(self.grammar.texts)

    @property
    def universe(self) -> str | None:
        """SHA-256 of everything a draw can contain and of its size, in hex; None without a grammar.

        It is the same for every seed and replaces the digest of items in the method key. Labels and
        names of parts are left out, because they change no number. What another language writes
        otherwise is in it only where the set says so, so that English sets keep their digest.
        """
        if self.grammar is None:
            return None
        fields = {"groups": {"__all__": {"terms"}}, "classes": {"__all__": {"attributes"}}}
        words = _without_later(self.model_dump(include={**fields, "controls": True}))
        settings = [self.header.neutral, self.header.contrast, self.grammar.frames]
        content = [words, *settings, self.grammar.steps]
        header = self.header
        others = {
            "language": "" if header.language == languages.ENGLISH else header.language,
            "capitalise": "" if header.capitalise else "off",
            "forms": self.forms,
        }
        if others := {key: value for key, value in others.items() if value}:
            content.append(others)
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def drawn(self, seed: int) -> Self:
        """Return the set with frames drawn with `seed`; the set itself without a grammar.

        With the same seed, sets of different names draw different frames. A frame's id is a digest
        of its text, so a sentence has the same id in every draw.
        """
        if self.grammar is None:
            return self
        # Imported here, because reading a set needs no numpy.
        from numpy.random import default_rng

        rng = default_rng([seed, *self.header.name.encode()])
        texts = grammar.draw(self.grammar.steps, self.grammar.frames, rng)
        ids = (hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH] for text in texts)
        context = {"forms": list(self.forms)}
        frames = [
            Frame.model_validate({"id": id_, "text": text}, context=context)
            for id_, text in zip(ids, texts, strict=True)
        ]
        return self.model_copy(update={"frames": frames})


def _without_later(words: Any) -> Any:  # noqa: ANN401 - what `model_dump` gives, at any depth
    """Leave out keys of attributes and controls that came later where they are not given."""
    if isinstance(words, list):
        return [_without_later(part) for part in words]
    if not isinstance(words, dict):
        return words
    return {
        key: _without_later(part)
        for key, part in words.items()
        if part or key not in {"family", "frequency", "contrasts"}
    }


class ImportedHeader(Header):
    """The header of an import; `control_of` names the set that it has the sentences of."""

    # Written into records by the sets that have it alone (`audit.describe`).
    control_of: Name | None = Field(default=None, exclude=True)


class ImportedSet(ProbeSet):
    """A published set, read from a folder written by `maskaudit probes import`."""

    header: ImportedHeader = Field(alias="set")
    rows: list[dict[str, Any]] = Field(default=[])
    notes: list[str] = Field(default=[])
    unusable: int = 0

    @property
    def group_at_mask(self) -> bool:
        """Whether the target is the group's term in every row, ignoring case."""
        words = {(row["target"], row["term"]) for row in self.rows}
        # A row without a word at the mask, such as a whole sentence, has no such target.
        return all(without_case(target) == without_case(term) != "" for target, term in words)

"""What a probe set may say: a TOML file is read, and every fault of it is named at once."""

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.manifest import Kind
from maskaudit.probes import grammar

MASK = "[MASK]"
SETS = Path(__file__).parent / "sets"
# `{attribute}`, `{a term}`, `{a}` (the target's article) and `{was|were}` (the term's verb).
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_KNOWN = {"attribute", "a attribute", "term", "a term", "a"}
# The role of neutral attributes, which a class may not be called.
RESERVED = "control"
_SHORTEST_FOUND = 3
_ID_LENGTH = 16
# A grammar makes so many sentences for each frame that is drawn, so that two draws share few.
SENTENCES_PER_FRAME = 10


def _one_line(text: str) -> str:
    if not text.isprintable():
        message = "must be one line without control characters"
        raise ValueError(message)
    if "  " in text:
        message = "has two spaces in a row; expected one"
        raise ValueError(message)
    return text


def _sentence(text: str) -> str:
    """A frame's text: one [MASK], known placeholders, and the other side of the association."""
    faults = list(_faults_of_sentence(text))
    if faults:
        raise ValueError("; ".join(faults))
    return text


def _faults_of_sentence(text: str, parts: Collection[str] = ()) -> Iterator[str]:
    if (count := text.count(MASK)) != 1:
        yield f"must hold {MASK} exactly once; it is there {count} times"
    names = PLACEHOLDER.findall(text)
    unknown = [n for n in names if n not in _KNOWN and n not in parts and n.count("|") != 1]
    if unknown or "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
        shown = ", ".join("{" + name + "}" for name in unknown) or "a lone brace"
        yield (
            f"has {shown}; expected {{attribute}}, {{a attribute}}, {{term}}, {{a term}}, "
            f"{{a}} or {{singular|plural}}{' or a part' if parts else ''}"
        )
    if len(_sides(text)) != 1:
        yield "must name {attribute} or {term} exactly once, the other is at the mask"


def _sides(text: str) -> list[str]:
    """What stands beside the mask: `attribute` or `term`, once for each time it is named."""
    names = (name.removeprefix("a ") for name in PLACEHOLDER.findall(text))
    return [name for name in names if name in {"attribute", "term"}]


def _cloze(text: str) -> str:
    if (count := text.count(MASK)) != 1:
        message = f"must hold {MASK} exactly once; it is there {count} times"
        raise ValueError(message)
    return text


Line = Annotated[
    str,
    StringConstraints(min_length=1, strip_whitespace=True),
    AfterValidator(_one_line),
]
Word = Annotated[Line, StringConstraints(pattern=r"^[^\[\]{}]*$", max_length=60)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=60)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Header(_Part):
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
    sources: list[Line] = Field(min_length=1)
    neutral: Word | None = None
    contrast: list[Name] | None = Field(default=None, min_length=2, max_length=2)
    expect: Literal["lean", "none"] = "lean"
    share_alike: bool = False
    non_commercial: bool = False
    cite: str = ""


class Term(_Part):
    """A word or name that stands for a group."""

    text: Word
    verb: Literal["singular", "plural"] = "singular"


class Group(_Part):
    """A demographic group; the first of a set is g1 of log p(g1) - log p(g2)."""

    terms: list[Term] = Field(min_length=1)
    label: Line | None = None


class Attribute(_Part):
    """What may be tied to a group: an occupation, a trait. `share` is that of the first group."""

    text: Word
    share: float | None = Field(default=None, ge=0, le=1)
    article: Literal["a", "an"] | None = None


class AttributeClass(_Part):
    """Attributes that a stereotype ties to the same group."""

    attributes: list[Attribute] = Field(min_length=1)
    label: Line | None = None


class Controls(_Part):
    """Neutral attributes in the same frames, where no lean is expected."""

    attributes: list[Attribute] = Field(min_length=1)


class Frame(_Part):
    """An independent template; `variants` are its paraphrases, nested in it."""

    id: Name
    text: Annotated[Line, AfterValidator(_sentence)]
    variants: list[Annotated[Line, AfterValidator(_sentence)]] = []

    @property
    def texts(self) -> list[str]:
        """The base text, then its paraphrases."""
        return [self.text, *self.variants]


Piece = Annotated[Line, StringConstraints(pattern=r"^[^\[\]{}]*$", max_length=200)]


class Grammar(_Part):
    """Texts with parts: a universe of frames, of which every audit draws `frames` anew."""

    frames: int = Field(ge=6)  # with fewer there is no interval
    texts: list[Line] = Field(min_length=1)
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


class Fact(_Part):
    """A sentence with known right answers, and the negated sentence where they are wrong."""

    id: Name
    relation: Name
    text: Annotated[Line, AfterValidator(_cloze)]
    answers: list[Word] = Field(min_length=1)
    negated: Annotated[Line, AfterValidator(_cloze)] | None = None


class ProbeSet(_Part):
    """One probe set, checked."""

    header: Header = Field(alias="set")
    groups: dict[Name, Group] = {}
    classes: dict[Name, AttributeClass] = {}
    controls: Controls | None = None
    frames: list[Frame] = []
    grammar: Grammar | None = None
    facts: list[Fact] = []

    @property
    def group_at_mask(self) -> bool:
        """Whether the group's term is the target; otherwise the attribute is."""
        return "attribute}" in next(_sentences(self))

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

    @model_validator(mode="after")
    def _whole(self) -> Self:
        faults = list(_faults_between_parts(self))
        if faults:
            raise ValueError("\n".join(faults))
        return self


class ImportedSet(ProbeSet):
    """A published set, read from the folder that `maskaudit probes import` wrote."""

    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    unusable: int = 0

    @property
    def group_at_mask(self) -> bool:
        """Whether a group's term is the target."""
        targets = ((row["target"].casefold(), row["term"].casefold()) for row in self.rows)
        return all(target == term != "" for target, term in targets)


def load(path: Path) -> ProbeSet:
    """Read a probe set, a TOML file or the folder of an import; of a grammar no frames are drawn.

    An `InputError` names every fault, each with its place.
    """
    if path.is_dir():
        return _imported(path)
    try:
        source = path.read_text("utf-8-sig")  # some editors put a mark before the first line
        raw = tomllib.loads(source)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); expected a probe set") from error
    except UnicodeDecodeError as error:
        message = f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"
        raise InputError(message) from error
    except RecursionError as error:
        raise InputError(f"{path}: not valid TOML: too many brackets inside brackets") from error
    except ValueError as error:  # not TOML, or a number of thousands of digits
        raise InputError(f"{path}: not valid TOML: {error}") from error
    return parse(raw, source, str(path))


def parse(raw: Mapping[str, Any], source: str, where: str) -> ProbeSet:
    """Check what a TOML file says; `source` is its text, for the line of a fault."""
    try:
        return ProbeSet.model_validate(raw)
    except ValidationError as error:
        faults = [_told(detail, raw, source) for detail in error.errors()]
        # A fault inside a part keeps pydantic from looking between the parts: look there too.
        if any(detail["loc"] for detail in error.errors()):
            faults.append("\n".join(_faults_between_parts(_sound_parts(raw))))
        lines = [line for fault in faults for line in fault.splitlines() if line]
        raise InputError(*(f"{where}: {line}" for line in lines)) from error


def _imported(folder: Path) -> ImportedSet:
    from maskaudit.probes.imported_folder import read

    found = read(folder)
    try:
        header = Header.model_validate(found.header)
    except ValidationError as error:
        faults = (f"{folder}: set.{_told(detail, {}, '')}" for detail in error.errors())
        raise InputError(*faults) from error
    if not found.rows:
        raise InputError(f"{folder}: the set is empty; expected at least one row")
    return ImportedSet.model_construct(
        header=header, rows=found.rows, notes=found.notes, unusable=len(found.unusable)
    )


def shipped() -> dict[str, Path]:
    """The sets that come with maskaudit, by name."""
    return {path.stem.replace("_", "-"): path for path in sorted(SETS.glob("*.toml"))}


def _faults_between_parts(probe_set: "ProbeSet") -> Iterator[str]:
    if probe_set.header.kind == "cloze":
        yield from _faults_of_cloze(probe_set)
    elif probe_set.header.kind == "association":
        yield from _faults_of_association(probe_set)
    else:
        yield (
            f"set.kind: sets of kind {probe_set.header.kind!r} are imported "
            "(`maskaudit probes import`); expected 'association' or 'cloze'"
        )


def _faults_of_cloze(probe_set: "ProbeSet") -> Iterator[str]:
    for part in ("groups", "classes", "controls", "frames", "grammar"):
        if getattr(probe_set, part):
            yield f"{part}: a cloze set has none; expected [[facts]]"
    if not probe_set.facts:
        yield "facts: the set is empty; expected at least one [[facts]] entry"
    yield from _twice("facts", "id", (fact.id for fact in probe_set.facts))
    yield from _twice("facts", "text", (fact.text for fact in probe_set.facts))


def _faults_of_association(probe_set: "ProbeSet") -> Iterator[str]:
    if probe_set.facts:
        yield "facts: an association set has none; expected [[frames]]"
    if probe_set.frames and probe_set.grammar:
        yield "grammar: the set has [[frames]] too; expected one of the two"
    frames_written = 0 if probe_set.grammar else 1
    for part, least in (("groups", 2), ("classes", 1), ("frames", frames_written)):
        if (found := len(getattr(probe_set, part))) < least:
            yield f"{part}: the set has {found}; expected at least {least}"
    yield from _twice("frames", "id", (frame.id for frame in probe_set.frames))
    texts = chain.from_iterable(frame.texts for frame in probe_set.frames)
    yield from _twice("frames", "text or variant", texts)
    terms = (term.text for group in probe_set.groups.values() for term in group.terms)
    yield from _twice("groups", "term", terms)
    groups = [*probe_set.classes.values(), probe_set.controls]
    attributes = (item.text for part in groups if part for item in part.attributes)
    yield from _twice("classes and controls", "attribute", attributes)
    contrast = probe_set.header.contrast or ()
    yield from _twice("set.contrast", "class", contrast)
    for name in contrast:
        if name not in probe_set.classes:
            known = ", ".join(probe_set.classes) or "none"
            yield f"set.contrast: names the class {name!r}; the classes are: {known}"
    if RESERVED in probe_set.classes:
        yield f"classes.{RESERVED}: stands for [controls] in the results; expected another name"
    yield from _faults_of_texts(probe_set)


def _faults_of_texts(probe_set: "ProbeSet") -> Iterator[str]:
    forms = {side for text in _sentences(probe_set) if len(side := frozenset(_sides(text))) == 1}
    if len(forms) > 1:
        place = "grammar.texts" if probe_set.grammar else "frames"
        yield f"{place}: some have the group at the mask and some the attribute; expected one form"
    if not (found := probe_set.grammar):
        return
    faults = list(_faults_of_grammar(found))
    yield from faults
    lists = [found.texts, *found.parts.values()]
    readable = found.parts and all(part and all(part) for part in lists)
    if readable and not faults:
        yield from _faults_of_universe(found)


def _faults_of_grammar(found: Grammar) -> Iterator[str]:
    """Faults of single texts and parts."""
    named = [PLACEHOLDER.findall(text) for text in found.texts]
    yield from _twice("grammar.texts", "text", found.texts)
    for number, (text, names) in enumerate(zip(found.texts, named, strict=True), start=1):
        place = f"grammar.texts[{number}]"
        if text:
            yield from (f"{place}: {fault}" for fault in _faults_of_sentence(text, found.parts))
        yield from _twice(place, "part", (name for name in names if name in found.parts))
    for name, pieces in found.parts.items():
        place = f"grammar.parts.{name}"
        yield from _twice(place, "alternative", pieces)
        if name in _KNOWN:
            yield f"{place}: is the name of a placeholder; expected another name"
        elif not any(name in names for names in named):
            yield f"{place}: is in no text; expected {{{name}}} in at least one of grammar.texts"


def _faults_of_universe(found: Grammar) -> Iterator[str]:
    """Faults of what the texts and parts make together."""
    texts = [grammar.steps(text, found.parts) for text in found.texts]
    for number, text in enumerate(texts, start=1):
        if grammar.ambiguous(text):
            yield (
                f"grammar.texts[{number}]: two choices make the same sentence; expected one way "
                "to each, so that all are equally likely"
            )
    for (one, first), (other, second) in combinations(enumerate(texts, start=1), 2):
        if grammar.shared(first, second):
            yield (
                f"grammar.texts[{one}] and texts[{other}]: can make the same sentence; expected "
                "each sentence from one text"
            )
    least = SENTENCES_PER_FRAME * found.frames
    if (sentences := grammar.count(texts)) < least:
        yield (
            f"grammar: makes {sentences} sentences; expected at least {least}, "
            f"{SENTENCES_PER_FRAME} for each of the {found.frames} frames that are drawn"
        )


def _sentences(probe_set: "ProbeSet") -> Iterator[str]:
    """The texts of all frames, or of the grammar where none are drawn yet."""
    if probe_set.frames or probe_set.grammar is None:
        return (text for frame in probe_set.frames for text in frame.texts)
    return iter(probe_set.grammar.texts)


def _twice(place: str, what: str, values: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        key = value.casefold()
        if key and key in seen:
            yield f"{place}: the {what} {value!r} is there twice; expected once"
        seen.add(key)


def _sound_parts(raw: Mapping[str, Any]) -> "ProbeSet":
    """The parts of a faulty file that can be read, unchecked, to look for faults between them."""
    header = raw.get("set")
    header = header if isinstance(header, Mapping) else {}
    contrast = header.get("contrast")
    kind = header.get("kind")
    if kind not in ("association", "cloze"):
        kind = "cloze" if "facts" in raw else "association"
    return ProbeSet.model_construct(
        header=Header.model_construct(
            kind=kind,
            contrast=[n for n in contrast if isinstance(n, str)]
            if isinstance(contrast, list)
            else None,
        ),
        groups=_sound_table(Group, raw.get("groups"), "terms", Term),
        classes=_sound_table(AttributeClass, raw.get("classes"), "attributes", Attribute),
        controls=next(
            iter(
                _sound_table(
                    Controls, {"controls": raw.get("controls")}, "attributes", Attribute
                ).values()
            ),
            None,
        ),
        frames=_sound_list(Frame, raw.get("frames"), ("id", "text"), ("variants",)),
        grammar=_sound_grammar(raw.get("grammar")),
        facts=_sound_list(Fact, raw.get("facts"), ("id", "text")),
    )


def _sound_table(part: Any, raw: object, field: str, entry: Any) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(raw, Mapping):
        return {}
    return {
        name: part.model_construct(
            **{field: _sound_list(entry, value.get(field), ("text",)), "label": None}
        )
        for name, value in raw.items()
        if isinstance(value, Mapping)
    }


def _sound_list(
    part: Any,  # noqa: ANN401 - one of the classes above
    raw: object,
    texts: tuple[str, ...],
    lists: tuple[str, ...] = (),
) -> list[Any]:
    """Every entry of a list, what cannot be read in it left empty: that fault is told already."""
    entries = raw if isinstance(raw, list) else []
    found = []
    for entry in (entry if isinstance(entry, Mapping) else {} for entry in entries):
        one = {key: entry[key] if isinstance(entry.get(key), str) else "" for key in texts}
        several = {key: entry[key] if isinstance(entry.get(key), list) else [] for key in lists}
        strings = {key: [v for v in several[key] if isinstance(v, str)] for key in lists}
        found.append(part.model_construct(**one, **strings))
    return found


def _sound_grammar(raw: object) -> Grammar | None:
    if raw is None:
        return None
    raw = raw if isinstance(raw, Mapping) else {}
    parts = raw.get("parts")
    frames = raw.get("frames")
    return Grammar.model_construct(
        frames=frames if isinstance(frames, int) else 0,
        texts=_strings(raw.get("texts")),
        parts={name: _strings(pieces) for name, pieces in parts.items()}
        if isinstance(parts, Mapping)
        else {},
    )


def _strings(raw: object) -> list[str]:
    """The entries of a list, what is no text left empty."""
    return [one if isinstance(one, str) else "" for one in raw] if isinstance(raw, list) else []


def _told(detail: ErrorDetails, raw: Mapping[str, Any], source: str) -> str:
    """One fault as a line: place, line number where it can be found, what was expected."""
    if not detail["loc"]:
        return detail["msg"].removeprefix("Value error, ")
    place = "".join(
        f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in detail["loc"]
    ).lstrip(".")
    entry = _entry_id(detail["loc"], raw)
    line = _line_of(detail["input"], source)
    found = "" if detail["type"] == "missing" else f" (found {_short(detail['input'])})"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = "is not a known key here"
    elif detail["type"] == "missing":
        message = "is missing"
    return f"{line}{place}{entry}: {message}{found}"


def _entry_id(loc: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """` "worked-as"` for a fault inside the frame of that id."""
    if len(loc) > 1 and loc[0] in ("frames", "facts") and isinstance(loc[1], int):
        entry = raw[str(loc[0])][loc[1]]
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str):
            return f" (id {entry['id']!r})"
    return ""


def _line_of(value: object, source: str) -> str:
    if isinstance(value, str) and len(value) >= _SHORTEST_FOUND and source.count(value) == 1:
        return f"line {source.count(chr(10), 0, source.index(value)) + 1}: "
    return ""


def _short(value: object, most: int = 60) -> str:
    shown = repr(value)
    return shown if len(shown) <= most else shown[: most - 1] + "…"

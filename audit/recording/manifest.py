"""The manifest of a record, `record.json`, as a typed value that is checked when it is read."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic_core
from pydantic import AfterValidator, Field, ValidationError, model_validator

from maskaudit.audit import toml_files
from maskaudit.audit.errors import InputError
from maskaudit.audit.toml_files import Part

Kind = Literal["association", "cloze", "pairs", "triples", "completions", "sentences", "words"]
Expect = Literal["lean", "none"]

_SUBJECTS = {"reference", "candidate"}
# Numbers beyond it are not exact in every reader of JSON.
_LARGEST_NUMBER = 2**53
# The format that each key came with; a manifest has those of its format, all of them and no others.
_SINCE = {"key": 3, "number": 3, "notes": 3}
# What does not change a score: what a model is called, and the files that its tensors came in.
_NAMES = {"name", "revision", "files"}


class _Written(Part):
    """A part of the manifest; it is written as it was set, without defaults nobody set."""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in `record.json`."""
        return self.model_dump(exclude_unset=True)


class Identity(_Written):
    """A model that was scored. `weights`, `config`, `tokenizer` and `vocabulary` are SHA-256.

    `weights` is taken over the sorted tensors, so that the same tensors in another order or with
    other metadata are the same model; `config` over the settings that say how they are run, such as
    the number of heads; `files` has the digest of each file as it lies on disk.
    """

    name: str
    revision: str
    architecture: str
    weights: str
    files: dict[str, str] = Field(default_factory=dict)
    tokenizer: str
    vocabulary: str
    vocabulary_size: int
    parameters: int
    layers: int
    stored_dtype: str
    dtype: str
    device: str
    attention: str
    head: str
    config: str = ""

    def without_names(self) -> dict[str, Any]:
        """What decides the scores: all of it but the name, the revision and the files."""
        return self.model_dump(exclude=_NAMES)


class Provenance(_Written):
    """The machine and software of a run, without any name of either's user; time in seconds."""

    python: str
    machine: str
    processors: int | None
    threads: int
    seconds: float = Field(allow_inf_nan=False)
    packages: dict[str, str]


class Settings(_Written):
    """The seed of what was drawn and resampled, and how p values were adjusted."""

    seed: int
    adjust: Literal["bh", "by"] = "bh"


class Grammar(_Written):
    """Frames that were drawn: the digest of all that could be, the seed, how many and of how many.

    `frames` were drawn of `sentences`.
    """

    universe: str
    seed: int
    frames: int
    sentences: int


class ProbeSetKey(Part):
    """Of a probe set, what it takes to estimate it again and to see whether another is the same."""

    kind: Kind
    version: str
    axis: str
    title: str
    expect: Expect
    contrast: list[str] | None = None
    items_digest: str
    grammar: Grammar | None = None


class Labelled(_Written):
    """A group or a class, by the label that people read; `terms` are a group's words."""

    label: str


class Group(Labelled):
    """A group, with the words that stand for it; of an import only its first ones."""

    terms: list[str]


class AttributeClass(Labelled):
    """A class of attributes, and how many it has."""

    attributes: int


class ProbeSet(ProbeSetKey, _Written):
    """What a probe set says of itself, and its size in frames, masked sentences and items.

    `group_at_mask` is None where the set has no frames. `notes` and `unusable`, the number of rows,
    say how the file of a published set was read.
    """

    question: str
    how_to_read: str
    limits: str
    licence: str
    sources: list[str]
    neutral: str | None = None
    share_alike: bool = False
    non_commercial: bool = False
    cite: str = ""
    groups: dict[str, Group]
    classes: dict[str, AttributeClass]
    group_at_mask: bool | None
    frames: int
    notes: list[str] = Field(default_factory=list)
    unusable: int = 0
    sentences: int
    items: int


class Lost(_Written):
    """Items of one set, model and group that have no score, why (`status`), and a few of them."""

    probe_set: str
    model: str
    group: str
    status: str
    items: int
    examples: list[str]


class LeftOut(_Written):
    """A cell of the estimates, an attribute in a frame, that no subject could use."""

    probe_set: str
    attribute: str
    frame: str


class Competence(_Written):
    """Of how many facts a model's first fill is right, beside the majority answer's right ones.

    `p` is of McNemar's exact test between the two.
    """

    competent: bool
    right: int
    of: int
    majority: int
    p: float | None = Field(default=None, allow_inf_nan=False)


class PlantedSet(_Written):
    """The leans planted in one set: nats by attribute, times `kappa` in the student.

    `items` is the digest of the set's items, `unseen` the frames kept out of the training text.
    """

    items: str
    kappa: float
    contrast: list[str]
    expect: Expect
    unseen: list[str]
    planted: dict[str, float]


class Truth(_Written):
    """What was planted in the bundled pair; `subjects` says which of the two each subject is."""

    seed: int
    weights: dict[str, str]
    facts: dict[str, list[str]] = Field(default_factory=dict)
    sets: dict[str, PlantedSet]
    acceptance: dict[str, dict[str, float | list[float]]] = Field(default_factory=dict)
    subjects: dict[str, Literal["teacher", "student"]] = Field(default_factory=dict)


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _audited(models: dict[str, Identity]) -> dict[str, Identity]:
    if "candidate" not in models or not set(models) <= _SUBJECTS:
        raise ValueError(
            "does not say which models were audited; expected a candidate, and at most a reference"
        )
    return models


class Manifest(_Written):
    """What a record says of itself: who was audited, with what, how, and what was lost.

    `key` is a digest of all that decides its numbers; `number` orders the records of a folder, and
    is 0 where the format has none. `created` is the time in ISO 8601. `method` is what the method
    keys of all sets share. `competence` is by subject, and empty where no facts were asked.
    """

    format: int
    key: str = ""
    number: int = Field(default=0, ge=0, lt=_LARGEST_NUMBER)
    notes: list[str] = Field(default_factory=list)
    created: Annotated[str, AfterValidator(_moment)]
    maskaudit: str
    models: Annotated[dict[str, Identity], AfterValidator(_audited)]
    method: dict[str, str]
    provenance: Provenance
    settings: Settings
    probe_sets: dict[str, ProbeSet]
    lost: list[Lost]
    left_out: list[LeftOut]
    not_measured: list[str]
    truth: Truth | None
    competence: dict[str, Competence] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_its_format(self) -> Self:
        for key, since in _SINCE.items():
            if key not in self.model_fields_set and self.format >= since:
                raise ValueError(f"{key}: is missing; records have it from format {since} on")
            if key in self.model_fields_set and self.format < since:
                raise ValueError(f"{key}: is not a key of format {self.format}")
        return self


@dataclass(frozen=True)
class Entry:
    """What places a record among those of its folder, whatever its format: so numbers go on.

    What it does not say, or not as a record does, is empty or 0.
    """

    key: str
    number: int
    created: str


def read(path: Path, newest: int) -> dict[str, Any]:
    """The values of a `record.json` that is yet to be checked; `newest` is the last format known.

    Raises `InputError` where it is no JSON of a record, or of another format.
    """
    try:
        raw = pydantic_core.from_json(path.read_bytes(), allow_inf_nan=False)
        found = raw["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not readable as a record ({error})") from error
    if not isinstance(found, int) or not 1 <= found <= newest:
        raise InputError(
            f"{path.parent}: record format {found!r}; this version reads formats 1 to {newest}. "
            "Install a newer maskaudit"
        )
    return dict(raw)


def checked(raw: dict[str, Any], path: Path) -> Manifest:
    """The manifest that these values are; `path` is where they were read.

    Raises `InputError`, a line with the first fault, where a key is missing, unknown or of another
    type than a record's.
    """
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        first, *others = (message for _, message in toml_files.faults(error, raw, Manifest))
        more = f", and {len(others)} more" if others else ""
        raise InputError(
            f"{path}: not readable as a record ({first}{more}); "
            "restore the folder from a copy, or audit again"
        ) from error


def entry(path: Path) -> Entry | None:
    """The entry of a `record.json` in its folder; None where it is no JSON of any record."""
    try:
        raw = pydantic_core.from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(raw, dict):
        return None
    number: Any = raw.get("number")
    is_number = type(number) is int and 0 <= number < _LARGEST_NUMBER
    return Entry(
        key=str(raw.get("key", "")),
        number=number if is_number else 0,
        created=str(raw.get("created", "")),
    )

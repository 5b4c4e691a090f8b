"""The manifest of a record, `record.json`, as a typed value that is validated on reading."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic_core
from pydantic import AfterValidator, Field, ValidationError, model_validator

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.cache_use import CacheUse
from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.margins import Margins
from maskaudit.audit.recording.parts import LeftOut, Lost, Unavailable, Written
from maskaudit.audit.texts import bounded, toml_files
from maskaudit.audit.texts.toml_files import Part

Kind = Literal[
    "association", "cloze", "pairs", "triples", "completions", "sentences", "words", "text"
]
# A lean that is tested; none, in a control; or a true association that is not about people.
Expect = Literal["lean", "none", "benign"]

_SUBJECTS = {"reference", "candidate"}
# Larger integers are not exact in every JSON reader.
LARGEST_NUMBER = 2**53
# The format that introduced each key; a manifest must have exactly the keys of its format.
_SINCE = {"key": 3, "number": 3, "notes": 3, "code": 6, "bound": 6, "rules": 7, "extrinsic": 8}
# Keys that a manifest lacks until its tables are written, or that it was made without.
_MAY_LACK = {"code", "bound", "rules", "extrinsic"}
# The grades of endpoints: what `Identity.endpoint` says.
EXACT, CENSORED = "exact", "censored"
# The part of a method key that says how an endpoint was asked.
ENDPOINT = "endpoint"
# The part of a method key that says that an audit was a trial.
LIMIT = "limit"
# Fields that do not affect a score: a model's names, the files that its tensors came in, and what
# was found of how it is run or made, which its digests have.
_NAMES = {"name", "revision", "files", "from_float32", "derived", "zeros"}


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


class Identity(Written):
    """A model that was scored. `weights`, `config`, `tokenizer` and `vocabulary` are SHA-256.

    `weights` is computed over the sorted tensors, so that the same tensors in another order or with
    other metadata are the same model; `config` over the settings that decide how they are run, such
    as the number of heads. `own_code` names the classes of the checkpoint's own code, which was not
    run; `architecture` was scored in its place. `files` has the digest of each file on disk.
    `encoder` is "packed" where our own pass over packed sentences ran the layers, "transformers"
    where transformers' did, the name and version of another library that ran the whole model, and
    empty in records from before there was a choice. `dtype` is "stored" of a file that was made for
    such a library, which runs it as it is. `from_float32` is, of a model run in a lower precision
    or by another library, how far log p of any piece was from float32 in torch on trial sentences
    at most, in nats.
    `derived` says in words how a model was made of other weights than plain ones: quantised, merged
    from an adapter and its base, or multiplied by the masks of a pruning; `zeros` is the share of
    the weights of its linear modules that are 0, where that is one in a hundred or more.

    `endpoint` is empty, or the grade of an endpoint, of which nothing is known but its answers:
    "exact" where it gives the probability of words of our choice, "censored" where it gives that of
    its likeliest fills alone, so that of other words there are bounds. `weights` is then a digest
    of its answers to a few sentences, `revision` what it is said to serve, and all else is empty or
    0.
    """

    name: str
    revision: str
    architecture: str
    own_code: str = ""
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
    encoder: str = ""
    config: str = ""
    from_float32: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    derived: str = ""
    zeros: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    endpoint: str = ""

    @property
    def digest_of(self) -> str:
        """What `weights` is a digest of: the weights, or the answers of an endpoint."""
        return "answers" if self.endpoint else "weights"

    def without_names(self) -> dict[str, Any]:
        """The fields that decide the scores: all but the name, the revision and the files."""
        # The keys of records from before `encoder` was written are of what there was then.
        later = {name for name in ("encoder", "endpoint") if not getattr(self, name)}
        return self.model_dump(exclude=_NAMES | later)


class Provenance(Written):
    """The machine and software of a run, without user or host names; `seconds` is its duration.

    `cache` is None if no cache was used, and in records from before it was written.
    """

    python: str
    machine: str
    processors: int | None
    threads: int
    seconds: float = Field(allow_inf_nan=False)
    packages: dict[str, str]
    cache: CacheUse | None = None


class Settings(Written):
    """The seed of draws and resampling, and the adjustment of p values (`bh` or `by`)."""

    seed: int
    adjust: Literal["bh", "by"] = "bh"


class Grammar(Written):
    """A draw of frames: `frames` of the `sentences` that the grammar has, with `seed`.

    `universe` is the digest of all frames that could be drawn. `sentences` is None in a record that
    does not say how many there are.
    """

    universe: str
    seed: int
    frames: int
    sentences: int | None = None


class ProbeSetKey(Part):
    """The fields of a probe set that are needed to estimate it again and to compare it.

    `directions` has the group that each class is stereotyped with, where the set says so; `plain`
    the relations that the others are held against; `factors` the level of each factor that groups
    are crossed by, by group; `margins` those that the set or the run declares.
    """

    kind: Kind
    version: str
    axis: str
    title: str
    expect: Expect
    contrast: list[str] | None = Field(default=None, min_length=2, max_length=2)
    directions: dict[str, str] | None = None
    plain: list[str] | None = None
    factors: dict[str, dict[str, str]] | None = None
    items_digest: str
    grammar: Grammar | None = None
    margins: Margins | None = None

    def has_direction(self, groups: Sequence[str]) -> bool:
        """Whether a stereotype says which of two groups leans where; () for a set of two groups.

        Two groups alone have the direction of the set's contrast, by its order if no class names
        a group; of more groups a direction is known only where a class names each.
        """
        return not groups or set(groups) <= set((self.directions or {}).values())


def classes_between(
    directions: Mapping[str, str], contrast: Sequence[str] | None, groups: Sequence[str]
) -> tuple[str, str] | None:
    """The classes whose contrast is between two groups: those stereotyped with each of them.

    `directions` has the group of each class that is stereotyped with one. `contrast` if they do not
    say so of both groups, or if `groups` is (), the only two of a set; None without a contrast.
    """
    class_of = {group: name for name, group in directions.items()}
    if groups and class_of.keys() >= set(groups):
        return class_of[groups[0]], class_of[groups[1]]
    return (contrast[0], contrast[1]) if contrast else None


class Labelled(Written):
    """A group or a class, with its label for people."""

    label: str


class Group(Labelled):
    """A group, with the words that stand for it; an imported set has only the first of them."""

    terms: list[str]


class AttributeClass(Labelled):
    """A class of attributes, with their number."""

    attributes: int


class ProbeSet(ProbeSetKey, Written):
    """The description of a probe set, and its size in frames, masked sentences and items.

    `language` is a BCP 47 tag; records from before it was written count as English.
    `control_of` is the set whose sentences it has with unrelated words, empty for other sets.
    `foreign_letters` are the letters that English does not have, of a set that names no language.
    `group_at_mask` is None if the set has no frames. `notes` and `unusable`, a number of rows, tell
    how the file of a published set was read.
    """

    language: str = "en"
    foreign_letters: list[str] = Field(default_factory=list)
    question: str
    how_to_read: str
    limits: str
    licence: str
    sources: list[str]
    neutral: str | None = None
    share_alike: bool = False
    non_commercial: bool = False
    cite: str = ""
    control_of: str = ""
    groups: dict[str, Group]
    classes: dict[str, AttributeClass]
    group_at_mask: bool | None
    frames: int
    notes: list[str] = Field(default_factory=list)
    unusable: int = 0
    sentences: int
    items: int


class RuleRead(Written):
    """A rule of gates.toml that the run read before it measured.

    `first` is the time of the first record of the folder that had it, else of this one. `before`
    says whether that record is no later than the first one of the folder with these numbers.
    """

    first: Annotated[str, AfterValidator(_moment)]
    before: bool


class Competence(Written):
    """How many of a set of facts a model's first fill gets right, against the majority answer.

    `right` (the model) and `majority` count correct answers among the `of` facts, of `asked`, that
    could be read; `asked` is None in a record that does not say how many were asked. `p` is that of
    McNemar's exact test between the two. `competent` is None if too few facts could be read for a
    verdict.
    """

    competent: bool | None
    right: int
    of: int
    asked: int | None = None
    majority: int
    p: float | None = Field(default=None, allow_inf_nan=False)


class PlantedSet(Written):
    """The leans planted in one set: nats by attribute, multiplied by `kappa` in the student.

    `planted` has the log-odds of the set's first group against the second, `others` those against
    each further group. `items` is the digest of the set's items; `unseen` are the frames kept out
    of the training text.
    """

    items: str
    kappa: float
    contrast: list[str]
    expect: Expect
    unseen: list[str]
    planted: dict[str, float]
    others: dict[str, dict[str, float]] = Field(default_factory=dict)


class Truth(Written):
    """The leans planted in the bundled pair; `subjects` maps each subject to teacher or student."""

    seed: int
    weights: dict[str, str]
    facts: dict[str, list[str]] = Field(default_factory=dict)
    sets: dict[str, PlantedSet]
    acceptance: dict[str, dict[str, float | list[float]]] = Field(default_factory=dict)
    subjects: dict[str, Literal["teacher", "student"]] = Field(default_factory=dict)


def _audited(models: dict[str, Identity]) -> dict[str, Identity]:
    if "candidate" not in models or not set(models) <= _SUBJECTS:
        raise ValueError(
            "does not say which models were audited; expected a candidate and at most one reference"
        )
    return models


class Manifest(Written):
    """The description of a record: which models were audited, with what, how, and what was lost.

    `key` is a digest of everything that decides its numbers, `code` of the code and the libraries
    among it. `bound` has the SHA-256 of the files of what was measured and of every other key
    (`audit.recording.binding`). `number` orders the records of a folder; it is 0 in formats without
    it. `created` is an ISO 8601 time. `method` holds the parts
    that the method keys of all sets share. `competence` is by subject, and empty if no facts were
    asked. `rules` are the gates that the run read before it measured, by digest. `extrinsic` are
    scores of the models that were measured elsewhere; no number of the record rests on them.
    """

    format: int
    key: str = ""
    code: str = ""
    bound: dict[str, str] = Field(default_factory=dict)
    number: int = Field(default=0, ge=0, lt=LARGEST_NUMBER)
    notes: list[str] = Field(default_factory=list)
    created: Annotated[str, AfterValidator(_moment)]
    maskaudit: str
    models: Annotated[dict[str, Identity], AfterValidator(_audited)]
    method: dict[str, str]
    provenance: Provenance
    settings: Settings
    probe_sets: dict[str, ProbeSet]
    lost: list[Lost]
    unavailable: list[Unavailable] = Field(default_factory=list)
    left_out: list[LeftOut]
    not_measured: list[str]
    truth: Truth | None
    competence: dict[str, Competence] = Field(default_factory=dict)
    rules: dict[str, RuleRead] = Field(default_factory=dict)
    extrinsic: list[Extrinsic] = Field(default_factory=list)

    @property
    def is_censored(self) -> bool:
        """Whether its numbers are bounds, since an endpoint gave its likeliest fills alone."""
        return is_censored(self.method)

    @property
    def limit(self) -> int | None:
        """The most frames of each set, where the audit was a trial of a few; None where it was not.

        It stands in the method, so that numbers of a trial are never compared with those of a whole
        audit.
        """
        return int(text) if (text := self.method.get(LIMIT, "")).isdecimal() else None

    @model_validator(mode="after")
    def _of_its_format(self) -> Self:
        for key, since in _SINCE.items():
            required = self.format >= since and key not in _MAY_LACK
            if required and key not in self.model_fields_set:
                raise ValueError(f"{key}: is missing; required since format {since}")
            if key in self.model_fields_set and self.format < since:
                raise ValueError(f"{key}: is not a key of format {self.format}")
        return self

    @model_validator(mode="after")
    def _scores_of_its_models(self) -> Self:
        for entry in self.extrinsic:
            if others := entry.scores.keys() - self.models.keys():
                raise ValueError(f"extrinsic: {entry.name!r} has a score of {min(others)!r}")
        return self


def is_censored(method: Mapping[str, str]) -> bool:
    """Whether the numbers of this method are bounds, as of an endpoint in censored grade."""
    return method.get(ENDPOINT, "").partition("@")[0] == CENSORED


def read(path: Path, newest: int) -> dict[str, Any]:
    """Read the values of a `record.json` without validating them, except for the format.

    `newest` is the newest format that is supported. Raises `InputError` if the file is not JSON
    with a format, or if the format is not supported.
    """
    try:
        # pydantic's parser accepts NaN and Infinity by default; JSON has neither.
        raw = pydantic_core.from_json(bounded.content(path, bounded.MANIFEST), allow_inf_nan=False)
        format_ = raw["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as a record ({error})") from error
    # Before any other key: what a newer format looks like is not known here.
    if not isinstance(format_, int) or not 1 <= format_ <= newest:
        raise InputError(
            f"{path.parent}: record format {format_!r}; this version reads formats 1 to {newest}. "
            "Install a newer maskaudit"
        )
    return dict(raw)


def checked(raw: dict[str, Any], path: Path) -> Manifest:
    """Validate values read from `path` and return them as a manifest.

    Raises `InputError`, with the first fault and the number of others, if a key is missing, unknown
    or of the wrong type.
    """
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        # One line: a record from another program can have a fault in every key.
        first, *others = (message for _, message in toml_files.faults(error, raw, Manifest))
        more = f", and {len(others)} more" if others else ""
        raise InputError(
            f"{path}: cannot be read as a record ({first}{more}); "
            "restore the folder from a backup, or audit again"
        ) from error

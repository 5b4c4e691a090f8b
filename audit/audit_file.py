"""The tables that an AUDIT.toml may have, each checked by itself."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.margins import MarginsOfSets
from maskaudit.audit.recording.rows.values import WRITTEN, Reading
from maskaudit.audit.texts.names import has_keys_like, in_any_case, is_there
from maskaudit.audit.texts.toml_files import Part, Texts, faults
from maskaudit.audit.vocabulary import SETTINGS_FILE
from maskaudit.probes.bundles import CORE
from maskaudit.probes.checking.budget import MOST_ITEMS
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.texts.source import FIRST, MASK_SHARE, WORDS, TextSource

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["float32", "bfloat16"]
Engine = Literal["auto", "torch", "onnx", "openvino"]
# More than any processor has; torch would take a larger number and fail later.
MOST_THREADS = 1024


class Model(Part):
    """A model by hub id or folder, and its revision on the hub."""

    obvious = "id"
    id: str = Field(min_length=1)
    revision: str | None = None

    @model_validator(mode="after")
    def _no_revision_of_an_address(self) -> Self:
        if self.revision and self.id.lower().startswith(("http://", "https://")):
            raise ValueError(
                "is an address with a `revision`; say what an endpoint serves in `[endpoint]`"
            )
        return self

    @property
    def name(self) -> str:
        """`NAME` or `NAME@REVISION`, as the loader takes it."""
        return f"{self.id}@{self.revision}" if self.revision else self.id


class Models(Part):
    """The reference (an older or larger model), and the candidate or candidates that are judged."""

    reference: Model | None = None
    candidate: Model | None = None
    candidates: list[Model] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.candidate is not None and self.candidates is not None:
            raise ValueError("has both `candidate` and `candidates`; expected one of them")
        # With their revisions: two revisions of one model are two candidates.
        names = [model.name for model in self.candidates or ()]
        if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(
                f"`candidates` names {repeated[0]!r} more than once; expected each model once"
            )
        return self


class Probes(Part):
    """Sets by name, by bundle or by axis, or paths and patterns; a lexicon's path."""

    sets: Annotated[Texts, Field(min_length=1)] = Field(default=[CORE])
    lexicon: str | None = None


class Run(Part):
    """The folder of records, the seed of draws and resamples, and the adjustment of p values.

    `adjust` is "bh" (Benjamini & Hochberg) or "by" (Benjamini & Yekutieli, for any dependence).
    `context` is the sentence that a mask is read in: "written", with each word written in and its
    pieces masked, or "as_encoded", with the mask's own text in it as fill-mask reads it.
    `cache_mib` is the size limit of the score cache in MiB; 0 disables the cache. `allow_native`
    scores transformers' class where a checkpoint brings code of its own, which is never run.
    `gates` is "required" where no audit may end without being judged by a gates.toml. A set that
    would make more than `most_items` items is refused before it is expanded. `extrinsic` are scores
    of the models that were measured elsewhere: they stand in the record, and decide no number.

    `engine` is what runs them: "torch", "onnx" (ONNX Runtime) or "openvino"; "auto" runs a
    checkpoint by torch, and a file that was exported by the library that it was made for.
    `device` is where models run: "auto" takes CUDA where it is there, and otherwise the processor.
    `dtype` is the precision of their layers, "float32" or "bfloat16". `threads` is how many threads
    of the processor run them, as many as torch takes if it is not said; `batch_tokens` the most
    pieces that are run at once. With `limit` the audit is a trial of the first frames of each set.
    """

    runs: str = "runs"
    seed: int = Field(default=0, ge=0)
    adjust: Literal["bh", "by"] = "bh"
    context: Reading = WRITTEN
    cache_mib: int = Field(default=2048, ge=0)
    allow_native: bool = False
    gates: Literal["optional", "required"] = "optional"
    most_items: int = Field(default=MOST_ITEMS, ge=1)
    extrinsic: list[Extrinsic] = Field(default=[])
    engine: Engine = "auto"
    device: Device = "auto"
    dtype: Dtype = "float32"
    threads: int | None = Field(default=None, ge=1, le=MOST_THREADS)
    batch_tokens: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1)

    @field_validator("extrinsic")
    @classmethod
    def _each_by_its_name(cls, entries: list[Extrinsic]) -> list[Extrinsic]:
        names = [entry.name for entry in entries]
        if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(f"{repeated[0]!r} is there more than once; expected each name once")
        return entries


class Endpoint(Part):
    """How a model that is named by an address is asked: the same for all endpoints of an audit.

    `kind` is the service whose bodies are sent; `grade` what it gives: probabilities of words of
    our choice (exact), or of its `top_k` likeliest fills alone (censored); `mask` is how the served
    model writes its mask; `model` and `revision` are what is said to be served there, which nothing
    checks. `headers` have `${NAME}` for an environment variable; `timeout` is in seconds, `retries`
    are tries after the first, `rate` is the most requests a second, `concurrency` how many are sent
    at one time, `batch` how many sentences one has.
    """

    kind: Literal["huggingface", "azure", "mlflow"] = "huggingface"
    grade: Literal["exact", "censored"] = "exact"
    top_k: int = Field(default=100, ge=5, le=1000)
    mask: str = Field(default=MASK, min_length=1)
    model: str = ""
    revision: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    timeout: float = Field(default=30.0, gt=0, le=600, allow_inf_nan=False)
    retries: int = Field(default=5, ge=0, le=100)
    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    concurrency: int = Field(default=4, ge=1, le=64)
    batch: int = Field(default=1, ge=1, le=100)

    @field_validator("timeout", "rate", mode="before")
    @classmethod
    def _whole_seconds(cls, value: object) -> object:
        """A whole number is a number of seconds too."""
        # Not `isinstance`: True and False are integers too in Python.
        return float(value) if type(value) is int else value


class Text(Part):
    """Masked text with answers, or plain text, that is asked beside the probe sets.

    The keys are those of `TextSource`, and mean the same. `data` and `causal` start at the folder
    of the file where something of that name lies there; `data` is a data set of the hub otherwise.
    """

    obvious = "data"
    data: str = Field(min_length=1)
    config: str | None = None
    split: str | None = None
    first: int = Field(default=FIRST, ge=1)
    columns: dict[str, str] = Field(default_factory=dict)
    encoding: str | None = None
    mask_share: float = Field(default=MASK_SHARE, ge=0.01, le=0.9)
    marks: bool = False
    words: int = Field(default=WORDS, ge=2)
    seed: int = Field(default=0, ge=0)
    name: str | None = None
    language: str = "en"
    causal: str | None = None

    def source(self, folder: Path = Path()) -> TextSource:
        """The text that this names; its paths start at a folder."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        for name in ("data", "causal"):
            if named[name] is not None:
                beside = folder / Path(named[name]).expanduser()
                # A hub id is no path, unless something of that name lies there.
                named[name] = str(beside) if is_there(beside) else named[name]
        return TextSource(**named)


class File(Part):
    """The tables that AUDIT.toml may have."""

    models: Models = Models()
    probes: Probes = Probes()
    text: Text | None = None
    run: Run = Run()
    endpoint: Endpoint = Endpoint()
    margins: MarginsOfSets = MarginsOfSets()


def text_of(
    text: Text | None, folder: Path, data: str | None, given: Mapping[str, Any]
) -> TextSource:
    """The text of a command line or a call: `data`, or else a file's text, with what is `given`.

    What is None in `given` says nothing. Raises `InputError` where there is neither, and for a word
    that cannot be used.
    """
    known = {name: value for name, value in given.items() if value is not None}
    if data is None and text is None:
        raise InputError(
            f"--text: is missing, and so is [text] in {SETTINGS_FILE}; name the text data"
        )
    try:
        asked = Text.model_validate({"data": data or "-", **known}, strict=True)
    except ValidationError as error:
        raise InputError(*(told for _, told in faults(error, known, Text))) from error
    begun = asked.source() if text is None or data is not None else text.source(folder)
    return replace(begun, **{name: getattr(asked, name) for name in known})


def find(folder: Path) -> Path | None:
    """The AUDIT.toml of a folder, readable or not; None if there is none.

    Raises `InputError` for one of ours under another case of the name, such as Audit.toml.
    """
    # By listing and not by opening: where a file system ignores case, Audit.toml would be read, and
    # on the next machine it would be missed.
    for path in in_any_case(folder, SETTINGS_FILE):
        if path.name == SETTINGS_FILE:
            return path
        if has_keys_like(path, File.model_fields):
            raise InputError(
                f"{path}: settings are read from a file named {SETTINGS_FILE}, in capitals; rename "
                f"it, or name it: maskaudit run {path}"
            )
    return None

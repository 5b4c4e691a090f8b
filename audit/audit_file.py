"""The tables that an AUDIT.toml may have, each checked by itself."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.margins import MarginsOfSets
from maskaudit.audit.recording.rows.values import WRITTEN, Reading
from maskaudit.audit.texts.toml_files import Part, Texts
from maskaudit.probes.bundles import CORE
from maskaudit.probes.checking.budget import MOST_ITEMS
from maskaudit.probes.frames.sentence import MASK

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["float32", "bfloat16"]
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


class File(Part):
    """The tables that AUDIT.toml may have."""

    models: Models = Models()
    probes: Probes = Probes()
    run: Run = Run()
    endpoint: Endpoint = Endpoint()
    margins: MarginsOfSets = MarginsOfSets()

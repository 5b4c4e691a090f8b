"""The kinds of claims that a file may hold: the keys of each, checked when the file is read."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from maskaudit.audit.claims import printed
from maskaudit.audit.texts.toml_files import Part, Texts

Casing = Literal["cased", "uncased"]
Head = Literal["masked_lm", "next_sentence", "sentence_order"]
HEADS: Mapping[Head, str] = {
    "masked_lm": "masked-LM head",
    "next_sentence": "next-sentence head",
    "sentence_order": "sentence-order head",
}

_LARGEST = 1e6
# As many as `maskaudit fill --top` shows.
_MOST_FILLS = 1_000

Text = Annotated[str, Field(min_length=1)]
AsPrinted = Annotated[str, AfterValidator(printed.check)]
Score = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST, allow_inf_nan=False)]
Scores = Annotated[dict[str, Score], Field(min_length=1)]


class Claim(Part):
    """What every claim has: its name, and the words of the card that make it."""

    id: Text
    kind: str
    quote: Text
    note: str = ""


AnyClaim = TypeVar("AnyClaim", bound=Claim)


class CasingClaim(Claim):
    """Whether the model tells capitals from small letters."""

    kind: Literal["casing"]
    casing: Casing


class Vocabulary(Claim):
    """The number of pieces of the vocabulary; with `about` it may be rounded."""

    kind: Literal["vocabulary"]
    size: int = Field(ge=1)
    about: bool = False


class Length(Claim):
    """The longest input in pieces, special tokens included; `below` where the card says "less"."""

    kind: Literal["length"]
    tokens: int = Field(ge=1)
    below: bool = False


class Heads(Claim):
    """Heads that the checkpoint has, and heads that it has not: its objectives leave them."""

    kind: Literal["heads"]
    present: list[Head] = Field(default=[])
    absent: list[Head] = Field(default=[])

    @model_validator(mode="after")
    def _fits(self) -> "Heads":
        return _at_least_one(self, "present", "absent")


class Inputs(Claim):
    """What the model is fed: how many kinds of segment, and the token that stands for a mask."""

    kind: Literal["inputs"]
    segments: int | None = Field(default=None, ge=1)
    mask_token: Text | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Inputs":
        return _at_least_one(self, "segments", "mask_token")


class Parameters(Claim):
    """How many parameters there are, as printed, or how many fewer than the reference has."""

    kind: Literal["parameters"]
    number: AsPrinted | None = None
    fewer_than_reference: AsPrinted | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Parameters":
        return _at_least_one(self, "number", "fewer_than_reference")


class Fill(Part):
    """A word at the mask, with its probability as printed."""

    token: Text
    p: AsPrinted | None = None
    obvious: ClassVar[str | None] = "token"


class Sample(Claim):
    """A sentence with a mask and its likeliest fills, the likeliest first."""

    kind: Literal["sample"]
    sentence: Text
    fills: list[Fill] = Field(min_length=1, max_length=_MOST_FILLS)


class Languages(Claim):
    """The languages that the model is for, as BCP 47 tags."""

    kind: Literal["languages"]
    languages: Texts = Field(min_length=1)


class Licence(Claim):
    """The licence of the checkpoint."""

    kind: Literal["licence"]
    licence: Text


class Inheritance(Claim):
    """What became of the reference's leans: some are inherited, amplified, or gone."""

    kind: Literal["inheritance"]
    outcome: Literal["inherited", "amplified", "attenuated", "lost"] = "inherited"
    axis: Text | None = None


class Benchmark(Claim):
    """A row of scores on a benchmark, with its mean and its share of the reference's as printed."""

    kind: Literal["benchmark"]
    benchmark: Text
    scores: Scores
    mean: AsPrinted | None = None
    share_of_reference: AsPrinted | None = None


class Row(Part):
    """A row of scores that is known, of which model, and where it was published."""

    model: Text
    benchmark: Text
    source: Text
    scores: Scores


KINDS: Mapping[str, type[Claim]] = {
    "casing": CasingClaim,
    "vocabulary": Vocabulary,
    "length": Length,
    "heads": Heads,
    "inputs": Inputs,
    "parameters": Parameters,
    "sample": Sample,
    "languages": Languages,
    "licence": Licence,
    "inheritance": Inheritance,
    "benchmark": Benchmark,
}


def _at_least_one(claim: AnyClaim, *keys: str) -> AnyClaim:
    # An empty claim could not be contradicted.
    if not any(getattr(claim, key) for key in keys):
        message = f"says nothing that could be checked; expected {' or '.join(keys)}"
        raise ValueError(message)
    return claim

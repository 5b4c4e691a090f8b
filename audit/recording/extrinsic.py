"""Extrinsic scores: what the models did elsewhere, in whose hands and measured how."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from maskaudit.audit.texts.toml_files import Part

Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Measured(Part):
    """The score of one model, with its standard error or its 95 % interval where one is known."""

    value: float = Field(allow_inf_nan=False)
    std_error: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _known_in_one_way(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("has one end of an interval; expected both `low` and `high`")
        if self.low is None or self.high is None:
            return self
        if self.std_error is not None:
            raise ValueError("has both `std_error` and an interval; expected one of them")
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"`value` {self.value:g} is outside `low` {self.low:g} to `high` {self.high:g}; "
                "expected it inside"
            )
        return self


class Extrinsic(Part):
    """A downstream number that this audit did not measure, and that none of its numbers rests on.

    `source` says where, when and how it was measured. `scores` are in `unit`, by the name of the
    model in AUDIT.toml and by its subject in a record.
    """

    name: Words
    unit: Words
    higher_is: Literal["better", "worse"]
    source: Words
    scores: dict[str, Measured] = Field(min_length=1)

    def of(self, subjects: Mapping[str, str]) -> "Extrinsic | None":
        """The scores of these models by subject, from those by name; None if it has none of them.

        `subjects` has the name of the model of each subject.
        """
        found = {
            subject: self.scores[name] for subject, name in subjects.items() if name in self.scores
        }
        return self.model_copy(update={"scores": found}) if found else None

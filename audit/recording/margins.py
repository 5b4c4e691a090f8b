"""Margins: the least change that somebody would act on, in nats, each with its reason."""

from typing import Annotated

from pydantic import Field, StringConstraints

from maskaudit.audit.texts.toml_files import Part

Reason = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Margin(Part):
    """A size in nats, above 0, below which a difference or a lean counts as none; and why."""

    nats: float = Field(gt=0, allow_inf_nan=False)
    reason: Reason


class Margins(Part):
    """The margins of one set, each None where nobody has declared it.

    `contrast` is for the stereotype contrast and its difference between two models, `attribute` for
    the lean of one attribute and its change.
    """

    contrast: Margin | None = None
    attribute: Margin | None = None

    def over(self, others: "Margins | None") -> "Margins | None":
        """These margins, and those of `others` where none is declared here; None without any."""
        # The later of two entries stays, so these margins come last.
        both = (others, self)
        declared = {
            name: margin
            for part in both
            if part is not None
            for name in Margins.model_fields
            if (margin := getattr(part, name)) is not None
        }
        return Margins(**declared) if declared else None


class MarginsOfSets(Margins):
    """The margins of a run: for all of its sets, and in `sets` for those named."""

    sets: dict[str, Margins] = Field(default={})

    def of(self, name: str, own: Margins | None) -> Margins | None:
        """The margins of a set: of this run for it, then for all sets, then those of its file."""
        return self.sets.get(name, Margins()).over(Margins.over(self, own))

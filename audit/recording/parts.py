"""Parts of a manifest: how each is written, and those that say what is missing."""

from typing import Any

from maskaudit.audit.texts.toml_files import Part


class Written(Part):
    """A part of the manifest; only fields that were set are written, no defaults."""

    def as_json(self) -> dict[str, Any]:
        """The plain JSON values that are written to `record.json`."""
        # A default stands for what older records lack. Written out, it would be a key that the
        # record's format does not have, which `_of_its_format` refuses.
        return self.model_dump(exclude_unset=True)


class Lost(Written):
    """Items of one set, model and group without a score: why (`status`), how many, examples."""

    probe_set: str
    model: str
    group: str
    status: str
    items: int
    examples: list[str]


class Unavailable(Written):
    """Measures that a model cannot give, so that its items have no such score, and why.

    `estimators` are those that need one of the measures: they have no estimate for this model.
    """

    model: str
    measures: list[str]
    estimators: list[str]
    reason: str

    @property
    def sentence(self) -> str:
        """What was not measured, of which model and why, as one line."""
        return f"{self.model}: {', '.join(self.estimators)} cannot be measured: {self.reason}"


class LeftOut(Written):
    """A cell (an attribute in a frame) that no estimate of any subject uses."""

    probe_set: str
    attribute: str
    frame: str

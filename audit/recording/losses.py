"""What a record says is missing: items without a score, measures, and cells that nothing uses."""

from maskaudit.audit.texts.toml_files import Part


class Lost(Part):
    """Items of one set, model and group without a score: why (`status`), how many, examples."""

    probe_set: str
    model: str
    group: str
    status: str
    items: int
    examples: list[str]


class Unavailable(Part):
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


class LeftOut(Part):
    """A cell (an attribute in a frame) that no estimate of any subject uses."""

    probe_set: str
    attribute: str
    frame: str

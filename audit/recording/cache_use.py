"""What a record says of the cache of scores: how much of it was taken from there."""

from pydantic import Field

from maskaudit.audit.texts.toml_files import Part


class CacheUse(Part):
    """The parts whose scores were `asked` of the cache, how many were `taken`, and their keys."""

    asked: int = Field(ge=0)
    taken: int = Field(ge=0)
    keys: list[str]

    @property
    def sentence(self) -> str:
        """How many parts were taken, as one line; empty if none was."""
        return (
            f"{self.taken} of {self.asked} parts of the scores were taken from the cache of an "
            "earlier run"
            if self.taken
            else ""
        )

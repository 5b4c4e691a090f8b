"""A checkpoint opened: what its files hold, loaded by the library that made it and proved whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer


@dataclass(frozen=True)
class Opened:
    """A model of transformers in float32, its tokenizer, and what it was made of.

    `files` are those of its weights. `derived` says in words how it differs from a checkpoint of
    plain weights; empty for one. `zeros` is the share of the weights of its products that are 0,
    where so many are that they were made so. `settings` is what decides its scores beside tensors
    and config; it goes into the digest of its weights.
    """

    model: Any
    tokenizer: Tokenizer
    files: tuple[Path, ...]
    derived: str = ""
    zeros: float | None = None
    settings: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What an identity needs to know of it, without what a plain checkpoint does not have."""
        named = {"derived": self.derived, "zeros": self.zeros, "settings": self.settings}
        return {name: fact for name, fact in named.items() if fact}

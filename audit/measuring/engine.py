"""How models are run: on which device, in which precision, and how much at once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """The way in which all models of an audit are run, as it was found to be possible here.

    `device` is cpu, cuda or mps; `dtype` float32 or bfloat16. `batch_tokens` is how many pieces a
    batch has at most; None for the usual number.
    """

    device: str = "cpu"
    dtype: str = "float32"
    batch_tokens: int | None = None

    @property
    def method(self) -> dict[str, str]:
        """The part of the method keys: what makes numbers incomparable.

        The processor is not named, so that the keys of what it scored in float32 stay as they were.
        """
        device = {} if self.device == "cpu" else {"device": self.device}
        return {"dtype": self.dtype, **device}


# The engine that every other is held against.
EXACT = Engine()

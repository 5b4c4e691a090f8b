"""What a body asks for, in whichever of the documented forms it came."""

from dataclasses import dataclass
from typing import Literal

Service = Literal["Azure ML", "MLflow", "Hugging Face"]
# How an answer is written: `audit.payloads.answers` says what each of them looks like.
Shape = Literal["words", "table", "predictions", "fills"]

# What Hugging Face gives where a body says nothing, and the most that may be asked for.
USUAL_FILLS = 5
MOST_FILLS = 1000


@dataclass(frozen=True)
class Request:
    """Sentences whose masks are to be filled.

    `top_k` is how many fills of a mask are asked for; with `targets` these words alone are fills,
    and without any the whole vocabulary is.
    """

    texts: tuple[str, ...]
    shape: Shape
    top_k: int = 1
    targets: tuple[str, ...] = ()

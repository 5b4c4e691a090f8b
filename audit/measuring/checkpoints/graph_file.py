"""What is known of a file with the graph of a model before a library runs it."""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.digests import file_digest

IDS, ATTENTION, SEGMENTS = "input_ids", "attention_mask", "token_type_ids"
_KNOWN = (IDS, ATTENTION, SEGMENTS)
# More numbers than any masked LM makes at once: a shape in a file may ask for any size.
MOST_NUMBERS = 1 << 27
# No tensor has more sides, and a constant of more numbers than this is no shape.
MOST_SIDES, SHAPE = 64, 8
# A tensor of fewer numbers is a shape or a scale, and no weights.
WEIGHTY = 16


@dataclass(frozen=True)
class GraphFile:
    """A file with a graph, as it was read.

    `content` is the graph, `weights` what stands in a file beside it of OpenVINO; `files` are
    all files, by whose digests the model is known. `inputs` are those that it takes, `output` is
    that of its logits. `numbers` counts the numbers of its weights, `dtypes` are their types as
    safetensors calls them. `why_alone` says why it has to be given one sentence at a time, if it
    has to.
    """

    content: bytes
    files: tuple[Path, ...]
    inputs: tuple[str, ...]
    output: str
    numbers: int
    dtypes: frozenset[str]
    why_alone: str = ""
    weights: bytes = b""

    @property
    def digest(self) -> str:
        """SHA-256 of the file; of several files, over the digests of all."""
        digests = self.digests
        if len(digests) == 1:
            return next(iter(digests.values()))
        return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file by its name."""
        return {path.name: file_digest(path) for path in self.files}


def check_inputs(inputs: Iterable[str], name: str) -> None:
    """Raise `InputError` for a graph that is not asked by piece ids, or for more than is known."""
    found = list(inputs)
    others = [one for one in found if one not in _KNOWN]
    if others or IDS not in found:
        fault = f"the graph has the input {_short(others[0])}" if others else "has no input_ids"
        raise InputError(
            f"model {name}: {fault}; expected {IDS}, and beside it no more than {ATTENTION} and "
            f"{SEGMENTS}, as optimum exports a fill-mask model"
        )


def output_of(outputs: Sequence[str], name: str) -> str:
    """The output with the logits. Raises `InputError` if it cannot be told."""
    if "logits" in outputs:
        return "logits"
    if len(outputs) == 1:
        return outputs[0]
    raise InputError(
        f"model {name}: the graph has {len(outputs)} outputs "
        f"({', '.join(map(_short, outputs[:4]))}) and none is called 'logits'; expected a masked "
        "LM with its head, as optimum exports it for the task fill-mask"
    )


def check_sides(n: int, name: str) -> None:
    """Raise `InputError` for a tensor of so many sides that their product alone takes long."""
    if n > MOST_SIDES:
        raise InputError(
            f"model {name}: the graph has a tensor of {n:,} sides; expected at most {MOST_SIDES}"
        )


def check_shape(sides: Iterable[int], name: str) -> None:
    """Raise `InputError` for a shape that would fill memory."""
    whole = [abs(int(side)) for side in sides]
    if math.prod(max(side, 1) for side in whole) > MOST_NUMBERS:
        raise InputError(
            f"model {name}: the graph asks for a tensor of the shape {whole}; expected at most "
            f"{MOST_NUMBERS:,} numbers"
        )


def check_length(is_free: bool, name: str) -> None:  # noqa: FBT001 - what was found
    """Raise `InputError` for a graph that takes sentences of one length alone."""
    if not is_free:
        raise InputError(
            f"model {name}: its {IDS} have a fixed length, and sentences of an audit have many; "
            "export it with a dynamic axis for the sequence"
        )


def _short(text: str) -> str:
    # Of a stranger's file, and printed.
    return repr(text[:60])

"""Bounds on the numbers of a config.json, checked before anything is built from them.

A config is a few bytes, and what it asks for may be of any size: a list of labels, a thousand
layers, a table of positions. What is built is bounded by the weights that are there to fill it.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.digests import shapes
from maskaudit.audit.texts.bounded import shown

# Building a model with more layers could take hours before the config proves to be wrong.
MOST_LAYERS = 1000
_MOST_LABELS = 100_000
# A model may have this many times the numbers that its file holds, for what is tied or missing has
# an error of its own, and as many more: the tables of positions of a tiny model.
_TIMES, _MORE = 2, 1 << 27
# Keys of numbers by which things are made one at a time, and of those that are sides of a tensor.
_COUNT = re.compile(r"layers?|blocks?|groups?|group_num|repeats?|experts?|heads?|hops?|convs?")
_SIZE = re.compile(r"sizes?|dim|dims|shape|vocab|words|langs|positions?|embeddings?|d_\w+|rank")
_SMALL = 1 << 16
_FLOAT = 4  # bytes


def check_numbers(
    raw: Mapping[str, Any], files: Sequence[Path], name: str, stored: int | None = None
) -> None:
    """Raise `InputError` for a number of a raw config that no model of these files can have.

    `stored` is how many numbers they have, where that is known and they are no safetensors.
    """
    stored = stored_numbers(files) if stored is None else stored
    width = _width(raw)
    for key, number in _numbers(raw):
        is_layers = _is(_COUNT, key)
        most = MOST_LAYERS if is_layers else _MOST_LABELS if "label" in key else None
        if most is not None and number > most:
            noun = "layers" if "layer" in key else "labels" if "label" in key else f"{key!r}"
            raise InputError(
                f"model {name}: config.json asks for {_short(number)} {noun}; expected at most "
                f"{most:,}"
            )
        if _is(_SIZE, key) and number > _SMALL and number * width > _TIMES * stored + _MORE:
            raise InputError(
                f"model {name}: config.json has {key} = {_short(number)}, which takes "
                f"{_shown(number * width)}, but the weights have {_shown(stored)}"
            )


def check_whole(numbers: int, files: Sequence[Path], name: str) -> None:
    """Raise `InputError` if a model of so many numbers is far larger than the files of weights."""
    stored = stored_numbers(files)
    if numbers > _TIMES * stored + _MORE:
        raise InputError(
            f"model {name}: config.json asks for a model of {_shown(numbers)}, but the weights "
            f"have {_shown(stored)}; fetch the model again"
        )


def stored_numbers(files: Sequence[Path]) -> int:
    """How many numbers the weights have; 0 if they cannot be read, which is refused later."""
    try:
        return sum(math.prod(shape) for shape in shapes(files).values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def _numbers(value: object, key: str = "") -> Iterator[tuple[str, int]]:
    """Yield each whole number of a raw config with its key; a list's numbers have the list's."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _numbers(part, str(name))
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part, key)
    # `true` is a whole number in Python too, and says nothing of a size.
    elif isinstance(value, int) and not isinstance(value, bool):
        yield key, value


# A longer key is no setting of any model, and would take long to look at.
_LONGEST_KEY = 200


def _is(kind: re.Pattern[str], key: str) -> bool:
    """Whether the key has a word of this kind, as `num_hidden_layers` or `n_layers` have."""
    if len(key) > _LONGEST_KEY:
        return False
    return any(kind.fullmatch(key[start:]) for start in _starts(key)) or any(
        kind.fullmatch(part) for part in key.split("_")
    )


def _starts(key: str) -> Iterator[int]:
    yield 0
    yield from (found.end() for found in re.finditer("_", key))


def _width(raw: Mapping[str, Any]) -> int:
    widths = (raw.get(key) for key in ("hidden_size", "dim", "emb_dim", "d_model"))
    return max([1, *(width for width in widths if type(width) is int)])


def _short(number: int) -> str:
    # A config of a stranger may have a number of thousands of digits.
    return f"{number:,}" if number < 10**15 else f"{str(number)[:4]}… ({len(str(number))} digits)"


def _shown(numbers: int) -> str:
    return shown(_FLOAT * numbers) if numbers < 10**15 else "more memory than there is"

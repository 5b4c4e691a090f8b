"""Shipped sets that are asked for together: `core`, `full`, and those on one axis."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.toml_files import closest, document
from maskaudit.probes.loading import load, shipped

CORE = "core"
FULL = "full"
AXIS = "axis:"
_FILE = Path(__file__).parent / "bundles.toml"


def bundles() -> dict[str, list[str]]:
    """The names of the sets in each bundle, in the order of `shipped`; `full` is all of them."""
    listed = document(_FILE).raw
    chosen = {name: set(part["sets"]) for name, part in listed.items()}
    of_lists = {name: [one for one in shipped() if one in sets] for name, sets in chosen.items()}
    return {**of_lists, FULL: list(shipped())}


def is_several(name: str) -> bool:
    """Whether a name asks for several shipped sets, and for no file: a bundle or an axis."""
    return name.startswith(AXIS) or name in bundles()


def files_of_several(name: str) -> list[Path]:
    """The files of a bundle or of an axis; raises `InputError` for an axis that no set is on."""
    paths = shipped()
    if not name.startswith(AXIS):
        return [paths[one] for one in bundles()[name]]
    axis = name.removeprefix(AXIS).strip()
    if axis not in axes():
        raise InputError(
            f"--probes {name}: no shipped set is on the axis {axis!r}; expected one of: "
            f"{', '.join(axes())}{closest(axis, axes())}"
        )
    return [paths[one] for one in axes()[axis]]


# Kept, since every shipped set has to be loaded for its axis.
@cache
def axes() -> Mapping[str, list[str]]:
    """The names of the shipped sets on each axis; axes in alphabetical order."""
    of_axis: dict[str, list[str]] = {}
    for name, path in shipped().items():
        of_axis.setdefault(load(path).header.axis, []).append(name)
    return dict(sorted(of_axis.items()))

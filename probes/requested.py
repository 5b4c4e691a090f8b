"""The files of the probe sets that a user asks for: by name, by file, as an import, by pattern."""

from collections.abc import Iterable
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.texts.patterns import matches
from maskaudit.audit.texts.toml_files import closest
from maskaudit.audit.vocabulary import GATES_FILE, SETTINGS_FILE
from maskaudit.probes.bundles import AXIS, axes, bundles, files_of_several, is_several
from maskaudit.probes.loading import shipped

# TOML files that a pattern such as `*.toml` must not take for probe sets.
OTHER_FILES = {SETTINGS_FILE, GATES_FILE, "pyproject.toml"}


def files_of(name: str, folder: Path = Path()) -> Iterable[Path]:
    """The files of what is requested: a name, a bundle or axis, a file, an import, or a pattern.

    A relative path starts at `folder`. Raises `InputError` if it is none of these.
    """
    sets = shipped()
    if is_several(name):
        return files_of_several(name)
    if name in sets:
        return [sets[name]]
    # Before any pattern: a name may contain brackets.
    if is_there(folder / name) and _may_be_a_set(folder / name, is_named=True):
        return [folder / name]
    files = [path for path in matches(name, folder) if _may_be_a_set(path)]
    if files:
        return files
    known = [*sets, *(f"{AXIS}{axis}" for axis in axes())]
    hint = closest(Path(name).name, known)
    # The prefix is what is missing then, whatever other name is spelt alike.
    if name in axes():
        hint = f"; did you mean '{AXIS}{name}'?"
    raise InputError(
        f"probe set {_short(name)!r}: no such shipped set or file; shipped sets: "
        f"{', '.join(bundles())} (all), {AXIS}NAME (those on an axis), {', '.join(sets)}{hint}"
    )


def _may_be_a_set(path: Path, *, is_named: bool = False) -> bool:
    """Whether a name or a match of a pattern has to be read as a probe set, or else be refused.

    All but the folders that are neither an import's nor named as a TOML file, and, unless they are
    named, the other TOML files. A link to nothing is no folder: a set may be missing behind it.
    """
    if path.is_dir():
        return is_there(path / "set.toml") or path.suffix == ".toml"
    return is_named or path.name not in OTHER_FILES


def _short(name: str) -> str:
    """The path as the user typed it, before it was made absolute."""
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


def is_shipped(name: str) -> bool:
    """Whether a name asks for shipped sets, one or several, and for no file."""
    return name in shipped() or is_several(name)

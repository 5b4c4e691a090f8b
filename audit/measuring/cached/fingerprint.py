"""A digest of the code and libraries that determine a number, for the cache and record keys."""

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable

# The libraries that scoring and estimating use; the version of Python is not included.
LIBRARIES = ("maskaudit", "numpy", "pandas", "scipy", "tokenizers", "torch", "transformers")


def fingerprint(*packages: str) -> str:
    """SHA-256 digest, in hex, of every module of `packages` and of the versions of `LIBRARIES`.

    `packages` are names below `maskaudit`, such as `audit.measuring`. The digest covers the
    contents of modules, not their names: moving or renaming a file does not change it, editing a
    comment does.
    """
    texts = {
        hashlib.sha256(module.read_bytes()).hexdigest()
        for name in packages
        for module in _modules(files(f"maskaudit.{name}"))
    }
    parts = [*sorted(texts), *(f"{name} {version_of(name)}" for name in LIBRARIES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def version_of(library: str) -> str:
    """The installed version of a library; empty if it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _modules(folder: Traversable) -> Iterable[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield entry

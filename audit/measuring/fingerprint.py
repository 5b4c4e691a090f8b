"""One digest of the code and the libraries that decide a number, for the cache and for run keys."""

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable

# What scoring and estimating compute with; the version of Python is none of it.
LIBRARIES = ("maskaudit", "numpy", "pandas", "scipy", "tokenizers", "torch", "transformers")


def fingerprint(*packages: str) -> str:
    """The SHA-256 digest, in hex, of every module of some packages and of the libraries' versions.

    `packages` are names below `maskaudit`, as in `audit.measuring`. The digest is of what the
    modules say, not of their names: a file that is moved or renamed changes nothing, a changed
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
    """The installed version of a library; empty where it is not installed."""
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

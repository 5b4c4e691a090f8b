"""A bias and limitations audit for masked language models: `audit.run` and `audit.load_record`."""

from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.pipeline import run
    from audit.record import load_record

# Somebody's project may have a plain folder of this name: its modules stay importable beside ours.
__path__ = extend_path(__path__, __name__)

__all__ = ["load_record", "run"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what a module's __getattr__ returns
    """Import `run` and `load_record` when they are first asked for: `import audit` stays light."""
    if name == "run":
        from audit.pipeline import run

        return run
    if name == "load_record":
        from audit.record import load_record

        return load_record
    message = f"module 'audit' has no attribute {name!r}"
    raise AttributeError(message)

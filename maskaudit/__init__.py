"""A bias and limitations audit for masked language models, and for a student against its teacher.

The names below are the public interface. Each is imported when it is first used, so that
`import maskaudit` loads neither torch nor pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskaudit.audit.pipeline import run
    from maskaudit.audit.recording.record import Record, load_record

# Where each public name is defined, below this package.
_HOMES = {
    "Record": "audit.recording.record",
    "load_record": "audit.recording.record",
    "run": "audit.pipeline",
}
__all__ = ["Record", "load_record", "main", "run"]


def main() -> None:
    """Run the command line on `sys.argv`; it ends the process with its own exit code."""
    from maskaudit.audit import cli

    cli.main()


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what a module's __getattr__ returns
    """Import a public name on first use; `__version__` is that of the installed distribution."""
    if name == "__version__":
        from importlib.metadata import version

        return version("maskaudit")
    if name not in _HOMES:
        message = f"module 'maskaudit' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"maskaudit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names, those that are not imported yet included."""
    return [*__all__, "__version__"]

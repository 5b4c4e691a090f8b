"""A bias and limitations audit for masked language models, and for a student against its teacher.

The names below are the public interface. Each is imported when it is first used, so that
`import maskaudit` loads neither torch nor pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskaudit.api import Record, compare, export, history, judge, load_record, report, run
    from maskaudit.audit.errors import (
        CannotWriteError,
        InputError,
        LockedError,
        MaskauditError,
        NotJudgedError,
    )
    from maskaudit.audit.training.callback import AuditCallback
    from maskaudit.text import evaluate

__all__ = [
    "AuditCallback",
    "CannotWriteError",
    "InputError",
    "LockedError",
    "MaskauditError",
    "NotJudgedError",
    "Record",
    "compare",
    "evaluate",
    "export",
    "history",
    "judge",
    "load_record",
    "main",
    "report",
    "run",
]

# Names that are neither errors nor in `api`.
_HOMES = {"AuditCallback": "audit.training.callback", "evaluate": "text"}


def main() -> None:
    """Run the command line on `sys.argv`; it ends the process with its own exit code."""
    from maskaudit.audit.cli import process

    # Before anything else is imported, which takes long enough to be interrupted.
    process.begin()
    from maskaudit.audit.cli import main as command_line

    command_line.main()


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what a module's __getattr__ returns
    """Import a public name on first use; `__version__` is that of the installed distribution."""
    if name == "__version__":
        from importlib.metadata import version

        return version("maskaudit")
    if name not in __all__:
        message = f"module 'maskaudit' has no attribute {name!r}"
        raise AttributeError(message)
    # Errors without `api`, which imports pandas: a caller may need no more than these.
    home = "audit.errors" if name.endswith("Error") else _HOMES.get(name, "api")
    return getattr(import_module(f"maskaudit.{home}"), name)


def __dir__() -> list[str]:
    """The public names, those that are not imported yet included."""
    return [*__all__, "__version__"]

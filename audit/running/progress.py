"""Progress of an audit: a bar on a terminal, an occasional plain line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from maskaudit.audit.vocabulary import STAGES

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 5.0


class Shown(Protocol):
    """Shows how far an audit is, by (what, how much is done, the total) where that is counted."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        """Show how much of a set is scored, or of one of the `STAGES` before is done."""

    def stage(self, what: str, /) -> None:
        """Show what is done where nothing is counted, as loading; it ends with the next call."""


@contextmanager
def shown(*, quiet: bool) -> Iterator[Shown]:
    """Yield a `Shown` that shows progress on stderr; what is not counted only on a terminal."""
    if quiet:
        yield _Nothing()
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _Lines()


class _Nothing:
    """Show nothing."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        pass

    def stage(self, what: str, /) -> None:
        pass


class _Lines(_Nothing):
    """Print a line when the scoring of a set begins and ends, and every few seconds in between.

    What comes before the scoring of a set has a line only where it takes so long.
    """

    def __init__(self) -> None:
        self._what = ""
        self._last = time.monotonic()

    def stage(self, _what: str, /) -> None:
        # What is counted after it is told only if it takes long itself.
        self._last = time.monotonic()

    def __call__(self, what: str, done: int, total: int, /) -> None:
        # A set without sentences would print a line that says nothing.
        if total == 0:
            return
        now = time.monotonic()
        unit = _unit(what)
        is_end = unit is None and (what != self._what or done == total)
        if is_end or now - self._last > SECONDS_BETWEEN_LINES:
            self._last = now
            line = f"{what}: {done} of {total} {unit or 'sentences'}"
            # A closed stderr must not stop the audit.
            with suppress(OSError):
                print(line, file=sys.stderr, flush=True)  # noqa: T201
        if unit is None:
            self._what = what


class _Bars:
    """A bar for each set that is scored, and one for any other stage, which vanishes with it."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._stage = ""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        if _unit(what) is None:
            self.end()
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=total)
        elif what != self._stage:
            self._begin(what, total)
        self._bar.update(self._tasks[what], completed=done)

    def stage(self, what: str, /) -> None:
        self._begin(what, None)
        # At once: imports and loading may leave no time to the thread that draws.
        self._bar.refresh()

    def _begin(self, what: str, total: int | None) -> None:
        self.end()
        self._tasks[what] = self._bar.add_task(what, total=total)
        self._stage = what

    def end(self) -> None:
        """Take away the stage, if there is one."""
        if self._stage:
            self._bar.remove_task(self._tasks.pop(self._stage))
            self._stage = ""


def _unit(what: str) -> str | None:
    """What is counted in a stage of a set before it is scored; None while it is scored."""
    return STAGES.get(what.rpartition(", ")[2])


@contextmanager
def _bar() -> Iterator[_Bars]:
    # rich is slow to import, and only a terminal needs it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    # Without markup: rich would take a name in brackets for a style.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    # On stderr, so that stdout holds only the result.
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        bars = _Bars(bar)
        try:
            yield bars
        finally:
            # After an error too: a stage that broke off must not look as if it still went on.
            bars.end()

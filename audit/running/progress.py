"""Progress of an audit: a bar on a terminal, an occasional plain line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 10.0


class Shown(Protocol):
    """Shows how far an audit is: (what, sentences done, sentences in all) while it scores."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        """Show how much of a set is scored."""

    def stage(self, what: str, /) -> None:
        """Show what is done where nothing is counted, as loading; it ends with the next call."""


@contextmanager
def shown(*, quiet: bool) -> Iterator[Shown]:
    """Yield a `Shown` that shows progress on stderr; a stage only on a terminal."""
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
    """Print a line when a set begins and ends, and every ten seconds in between."""

    def __init__(self) -> None:
        self._what = ""
        self._last = 0.0

    def __call__(self, what: str, done: int, total: int, /) -> None:
        # A set without sentences would print a line that says nothing.
        if total == 0:
            return
        now = time.monotonic()
        if what != self._what or done == total or now - self._last > SECONDS_BETWEEN_LINES:
            self._what, self._last = what, now
            # A closed stderr must not stop the audit.
            with suppress(OSError):
                print(f"{what}: {done} of {total} sentences", file=sys.stderr, flush=True)  # noqa: T201


class _Bars:
    """A bar for each set, and one without an end for the stage, which vanishes with it."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._stage: TaskID | None = None

    def __call__(self, what: str, done: int, total: int, /) -> None:
        self.end()
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total)
        self._bar.update(self._tasks[what], completed=done)

    def stage(self, what: str, /) -> None:
        self.end()
        self._stage = self._bar.add_task(what, total=None)
        # At once: imports and loading may leave no time to the thread that draws.
        self._bar.refresh()

    def end(self) -> None:
        """Take away the stage, if there is one."""
        if self._stage is not None:
            self._bar.remove_task(self._stage)
            self._stage = None


@contextmanager
def _bar() -> Iterator[_Bars]:
    # rich is slow to import, and only a terminal needs it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    # On stderr, so that stdout holds only the result.
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        bars = _Bars(bar)
        try:
            yield bars
        finally:
            bars.end()

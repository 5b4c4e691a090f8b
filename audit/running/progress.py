"""Progress of scoring: a bar on a terminal, an occasional plain line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from maskaudit.audit.vocabulary import Progress

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Yield a callback, (what, sentences done, sentences in all), that shows progress on stderr."""
    if quiet:
        yield lambda _what, _done, _all: None
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _Lines()


class _Lines:
    """Print a line when a set begins and ends, and every ten seconds in between."""

    def __init__(self) -> None:
        self._what = ""
        self._last = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        # A set without sentences would print a line that says nothing.
        if total == 0:
            return
        now = time.monotonic()
        if what != self._what or done == total or now - self._last > SECONDS_BETWEEN_LINES:
            self._what, self._last = what, now
            # A closed stderr must not stop the audit.
            with suppress(OSError):
                print(f"{what}: {done} of {total} sentences", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def _bar() -> Iterator[Progress]:
    # rich is slow to import, and only a terminal needs it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # On stderr, so that stdout holds only the result.
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield tell

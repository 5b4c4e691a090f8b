"""Progress of an audit: a bar on a terminal, an occasional plain line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from maskaudit.audit.vocabulary import STAGES, Progress

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Yield a callback (what, how much is done, the total), which shows progress on stderr."""
    if quiet:
        yield lambda _what, _done, _all: None
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _Lines()


class _Lines:
    """Print a line when the scoring of a set begins and ends, and every few seconds in between.

    What comes before the scoring of a set has a line only where it takes so long.
    """

    def __init__(self) -> None:
        self._what = ""
        self._last = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        # A set without sentences would print a line that says nothing.
        if total == 0:
            return
        now = time.monotonic()
        unit = STAGES.get(_stage(what))
        is_end = unit is None and (what != self._what or done == total)
        if is_end or now - self._last > SECONDS_BETWEEN_LINES:
            self._last = now
            # A closed stderr must not stop the audit.
            with suppress(OSError):
                print(  # noqa: T201
                    f"{what}: {done} of {total} {unit or 'sentences'}", file=sys.stderr, flush=True
                )
        if unit is None:
            self._what = what


def _stage(what: str) -> str:
    """The stage of a set before it is scored; any other text while it is."""
    return what.rpartition(", ")[2]


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
            # Only the bars of scoring stay when they are full.
            if done == total and _stage(what) in STAGES:
                bar.remove_task(tasks.pop(what))  # type: ignore[arg-type]

        yield tell

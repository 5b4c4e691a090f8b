"""When the next request may be sent: at most so many a second, and later after each failure."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Seconds: the first wait is drawn from up to the one, and none is longer than the other.
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
# A service that asks for more patience than this is told of, and not waited for.
MOST_PATIENCE = 600.0


@dataclass
class Pace:
    """Turns for the threads that send requests, of which `rate` a second are given at most.

    `rate` is None where only the answers decide. The clock and the sleep can be replaced.
    """

    rate: float | None = None
    sleeping: Callable[[float], object] | None = None
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def is_ended(self) -> bool:
        """Whether no more is to be sent."""
        return self._ended.is_set()

    def end(self, *, ended: bool = True) -> None:
        """End all waiting: what failed in one thread ends the others; or let them send again."""
        if ended:
            self._ended.set()
        else:
            self._ended.clear()

    def sleep(self, seconds: float) -> None:
        """Wait for so long, or until all waiting ends."""
        (self.sleeping or self._ended.wait)(seconds)

    def wait(self) -> None:
        """Wait for a turn."""
        with self._lock:
            now = self.clock()
            # Turns that nobody took are lost: a pause is no leave for a burst.
            turn = max(now, self._next)
            self._next = turn + (1 / self.rate if self.rate else 0.0)
        # Out of the lock, so that others can take the turns behind this one.
        if turn > now:
            self.sleep(turn - now)

    def hold(self, seconds: float) -> None:
        """Give no turn for so long: the service has asked all to wait, and not one thread."""
        with self._lock:
            self._next = max(self._next, self.clock() + seconds)


def backoff(attempt: int, draw: Callable[[], float] = random.random) -> float:
    """Seconds to wait after a failed attempt (from 0): drawn from 0 to a limit that doubles.

    The draw keeps clients that failed together from coming back together ("full jitter").
    """
    return float(draw() * min(LONGEST_WAIT, FIRST_WAIT * 2.0**attempt))


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks to wait, in seconds or as a date; None if neither."""
    text = (header or "").strip()
    # `isdigit` alone is true of "²". Nine digits are 30 years; of hundreds the float is infinite.
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date with the zone "-0000" comes without one; dates of HTTP are in UTC.
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())

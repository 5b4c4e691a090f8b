"""The process of a command: its standard streams, and the signals that end it.

Imports next to nothing, since it is the first that runs: a signal that comes while the rest is
being imported ends the process in one line too.
"""

import errno
import os
import signal
import sys
from typing import NoReturn

from maskaudit.audit import collector

# The exit code after a signal, as of a shell, and how the end is told. Windows has no SIGHUP.
ENDINGS = {
    getattr(signal, name): (128 + getattr(signal, name), word)
    for name, word in (("SIGINT", "interrupted"), ("SIGTERM", "terminated"), ("SIGHUP", "hung up"))
    if hasattr(signal, name)
}


class Stopped(BaseException):
    """The process received SIGTERM or SIGHUP, whose `number` it has."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def begin() -> None:
    """Replace closed standard streams, and let signals end the process: nothing is begun yet."""
    _open_streams()
    _handle(dict.fromkeys(ENDINGS, _end))
    collector.begin()


def watch() -> None:
    """Let signals end the command by an exception, so that it releases locks and tidies up."""
    _handle(dict.fromkeys(ENDINGS, _stop) | {signal.SIGINT: signal.default_int_handler})


def leave(code: int) -> NoReturn:
    """End the process with this code, even if what was printed can no longer be delivered."""
    collector.leave()
    _handle(dict.fromkeys(ENDINGS, signal.SIG_DFL))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # as of a terminal that is gone; Python would end with a code of its own
            drop(stream.fileno())
    sys.exit(code)


def drop(descriptor: int) -> None:
    """Discard what is still buffered for an open file, so that flushing it does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _handle(handlers: dict[int, object]) -> None:
    for number, handler in handlers.items():
        # A signal that is ignored stays so: `nohup`, or a job in the background of a script.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)  # type: ignore[arg-type]  # each is a handler


def _end(number: int, _frame: object) -> None:
    code, word = ENDINGS[signal.Signals(number)]
    # Not `print`, which a signal may have interrupted in the middle of its buffer.
    try:
        os.write(2, f"maskaudit: {word}; nothing was begun\n".encode())
    finally:
        # At once: an import that was cut off has nothing that could be tidied.
        os._exit(code)


def _stop(number: int, _frame: object) -> NoReturn:
    # One is enough: another often follows a hang-up, and must not disturb the tidying.
    _handle({other: signal.SIG_IGN for other in ENDINGS if other != signal.SIGINT})
    raise Stopped(number)


def _open_streams() -> None:
    """Put the null device where a standard stream is closed, as under some daemons.

    Otherwise the next file that is opened would take its number, and be written to by whatever
    prints errors; and what is printed to a missing stream of errors would go to the other.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            # The lowest free number is the closed one, since those below it are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8"))

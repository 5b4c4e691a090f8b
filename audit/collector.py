"""Python's collector of garbage, kept out of the way while a command starts.

Importing torch and transformers makes a million objects of which none is garbage, and going over
them again and again takes a quarter of the time until the first sentence.
"""

import gc

# Collected after so many new objects, and after so many collections of the younger ones. Python's
# own numbers are 700, 10 and 10.
_STARTING = (100_000, 50, 10)
_usual: list[tuple[int, int, int]] = []


def begin() -> None:
    """Collect seldom; only for a process that is ours: a library leaves it to its caller."""
    _usual.append(gc.get_threshold())
    gc.set_threshold(*_STARTING)


def resume() -> None:
    """Collect as usual again, and never what is there by now; nothing without `begin`.

    For when models are loaded: tables of whole distributions are large, and must not wait.
    """
    if _usual:
        # Frozen, so that the million objects of the imports are never gone over again.
        gc.freeze()
        gc.set_threshold(*_usual.pop())


def leave() -> None:
    """Spare the end of the process the last collection: its memory is given back as a whole."""
    gc.freeze()

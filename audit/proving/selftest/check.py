"""How a self-test finds its numbers among the estimates, and compares them with the truth."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.recording.slices import ALL, Slice
from maskaudit.audit.vocabulary import Progress


def near(name: str, found: float, truth: float, within: float) -> Check:
    """Whether a number is its truth within a tolerance; NaN never is."""
    passed = bool(abs(found - truth) <= within)
    return Check(name, passed, f"{found:.6g}", f"{truth:g} within {within:g}")


def refused(name: str, what: Callable[[], object]) -> Check:
    """Whether something ends in an error that says why."""
    try:
        found = what()
    except (InputError, ValueError) as error:
        return Check(name, True, str(error), "an error")  # noqa: FBT003 - it is what was expected
    return Check(name, False, f"no error: {found!r:.60}", "an error")  # noqa: FBT003


def numbers(
    estimates: pd.DataFrame,
    estimator: str,
    subject: str,
    slice_: Slice = ALL,
    columns: Sequence[str] = ("estimate", "low", "high"),
) -> list[float]:
    """The numbers of one row of the estimates; NaN where there is no such row."""
    key = {"estimator": estimator, "subject": subject, "slice": str(slice_)}
    own = estimates[(estimates[list(key)] == pd.Series(key)).all(axis=1)]
    if len(own) != 1:
        return [np.nan] * len(columns)
    found: list[float] = own[list(columns)].to_numpy(dtype=float)[0].tolist()
    return found


def stages(progress: Progress, what: str, names: Iterable[str]) -> dict[str, Progress]:
    """For each of several runs over the same sentences, how to tell of it as a part of one whole.

    Nobody wants a bar a run.
    """
    order = list(names)

    def told(place: int) -> Progress:
        return lambda _set, done, total: progress(what, place * total + done, len(order) * total)

    return {name: told(place) for place, name in enumerate(order)}

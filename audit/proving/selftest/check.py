"""Helpers of the self-tests: look up estimates and compare them with the truth."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.recording.rows.slices import ALL, Slice
from maskaudit.audit.vocabulary import Progress


def near(name: str, found: float, truth: float, within: float) -> Check:
    """Check that |found - truth| <= within; NaN fails."""
    passed = bool(abs(found - truth) <= within)
    return Check(name, passed, f"{found:.6g}", f"{truth:g} within {within:g}")


def refused(name: str, call: Callable[[], object]) -> Check:
    """Check that a call raises `InputError` or `ValueError`; its message is what was found."""
    try:
        result = call()
    except (InputError, ValueError) as error:
        return Check(name, True, str(error), "an error")  # noqa: FBT003 - the expected error
    return Check(name, False, f"no error: {result!r:.60}", "an error")  # noqa: FBT003


def numbers(
    estimates: pd.DataFrame,
    estimator: str,
    subject: str,
    slice_: Slice = ALL,
    columns: Sequence[str] = ("estimate", "low", "high"),
) -> list[float]:
    """Return `columns` of the one matching row of the estimates; NaN without exactly one match."""
    key = {"estimator": estimator, "subject": subject, "slice": str(slice_)}
    rows = estimates[(estimates[list(key)] == pd.Series(key)).all(axis=1)]
    # NaN fails every check, and so a number that is missing or there twice does.
    if len(rows) != 1:
        return [np.nan] * len(columns)
    values: list[float] = rows[list(columns)].to_numpy(dtype=float)[0].tolist()
    return values


def stages(progress: Progress, title: str, names: Iterable[str]) -> dict[str, Progress]:
    """Return a progress callback for each run, so that all runs share one progress bar.

    The runs must have the same number of sentences.
    """
    order = list(names)

    def progress_of(index: int) -> Progress:
        return lambda _set, done, total: progress(title, index * total + done, len(order) * total)

    return {name: progress_of(index) for index, name in enumerate(order)}

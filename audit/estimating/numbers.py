"""The registry of named numbers for the command line, the page, gates and the self-test."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache

from maskaudit.audit.estimating.registry.entries import DERIVED
from maskaudit.audit.estimating.registry.entry import Entry, Harm, Subjects
from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CHOICE,
    CONTRAST,
    EXACT,
    NEGATED,
    WILSON,
    is_contrast,
    without_groups,
)

# A change of a magnitude is judged by its log ratio: the upper bound of the plain difference
# covers only .90 to .92.
LOG_RATIO: Mapping[str, str] = {
    entry.name: entry.log_ratio for entry in DERIVED.values() if entry.log_ratio
}


def find(name: str) -> Entry | None:
    """The entry of a number, with or without groups in its name; None for an unknown name."""
    name = without_groups(name)
    return DERIVED.get(name) or _estimator_numbers().get(name)


def every() -> tuple[Entry, ...]:
    """Every number that a record may hold: from cells and first fills, then from estimators."""
    return (*DERIVED.values(), *_estimator_numbers().values())


def defined_under(name: str) -> Entry | None:
    """The entry that defines a number: its estimator's if it has one, else its own.

    `name` is the name of a number or of an estimator. Returns None for an unknown name.
    """
    entry = find(name)
    return _estimators().get(entry.estimator if entry else name, entry)


def harm_of(name: str) -> Harm | None:
    """The direction of harm of a number, None if unknown; any contrast has that of `CONTRAST`."""
    entry = find(CONTRAST if is_contrast(name) else name)
    return entry.harm if entry else None


def is_harmful_lean(name: str) -> bool:
    """Whether a number is known as a signed lean where more means harm."""
    entry = find(name)
    return entry is not None and entry.is_harmful_lean


def is_percent(name: str) -> bool:
    """Whether a number is known to range from 0 to 100."""
    entry = find(name)
    return entry is not None and entry.is_percent


def share_of(name: str) -> float | None:
    """What a share of trials is a part of, 1 or 100; None for any other number.

    None too for a share with exact limits: the same share has a standard error, or Wilson's limits.
    """
    entry = find(name)
    if entry is None or name.endswith(EXACT):
        return None
    if entry.unit.startswith("%"):
        return 100.0
    return 1.0 if entry.unit == "share" or name in {ACCURACY, CHOICE, NEGATED} else None


@cache
def _estimators() -> Mapping[str, Entry]:
    # Imported here because estimators load pandas, and reading a policy should not wait for it.
    from maskaudit.audit.estimating.estimators.catalogue import ALL

    return {estimator.name: estimator for estimator in ALL}


@cache
def _estimator_numbers() -> Mapping[str, Entry]:
    """The numbers of the named estimators, by name."""
    return {
        entry.name: entry
        for estimator in _estimators().values()
        for entry in _numbers_of(estimator)
    }


def _numbers_of(estimator: Entry) -> Iterator[Entry]:
    """Yield each number of one estimator; for a share also those over independent trials."""
    from maskaudit.audit.estimating.estimators import UnitEstimator

    if not isinstance(estimator, UnitEstimator):
        yield _entry(estimator, estimator=estimator.name)
        return
    values = {
        name: value for numbers in estimator.numbers.values() for name, value in numbers.items()
    }
    for name, value in values.items():
        # A number may have fewer modes than its estimator: only the corrected one reports ties.
        modes = tuple(mode for mode, numbers in estimator.numbers.items() if name in numbers)
        overrides = {"definition": value.definition} if value.definition else {}
        entry = _entry(
            estimator,
            name=name,
            modes=modes,
            null=value.null,
            estimator=estimator.name,
            **overrides,
        )
        yield entry
        if value.trials is not None:
            yield from _as_trials(entry)


def _as_trials(share: Entry) -> Iterator[Entry]:
    caveat = "What units that hang together add: the interval is too narrow where they do."
    exact = "with Clopper & Pearson’s interval and the exact p"
    kinds: tuple[tuple[str, str, float, Subjects], ...] = (
        # Wilson's interval comes without a test, hence without a null value; and it is of one
        # share: of two that are paired there is McNemar's test, under the exact one's name.
        (WILSON, "with Wilson’s interval", math.nan, "models"),
        (EXACT, exact, share.null, share.subjects),
    )
    for suffix, definition, null, subjects in kinds:
        yield _entry(
            share,
            name=share.name + suffix,
            definition=f"The share `{share.name}` {definition}, every unit a trial of its own.",
            does_not_show=caveat,
            null=null,
            subjects=subjects,
        )


def _entry(like: Entry, **changed: object) -> Entry:
    """Copy the fields of an entry or estimator into an entry, with `changed` replaced."""
    copied = {field.name: getattr(like, field.name) for field in fields(Entry)}
    return Entry(**{**copied, **changed})

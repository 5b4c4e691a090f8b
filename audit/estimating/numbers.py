"""The registry of named numbers for the command line, the page, gates and the self-test."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache

from maskaudit.audit.estimating.entries import DERIVED
from maskaudit.audit.estimating.entry import Entry, Harm
from maskaudit.audit.estimating.names import CONTRAST, EXACT, WILSON, is_contrast, without_groups

# A change of a magnitude is judged by its log ratio: the upper bound of the plain difference
# covers only .90 to .92.
LOG_RATIO: Mapping[str, str] = {
    entry.name: entry.log_ratio for entry in DERIVED.values() if entry.log_ratio
}


def find(name: str) -> Entry | None:
    """The entry of a number, with or without groups in its name; None for an unknown name."""
    name = without_groups(name)
    return DERIVED.get(name) or _of_estimators().get(name)


def every() -> tuple[Entry, ...]:
    """Every number that a record may hold: from cells and first fills, then from estimators."""
    return (*DERIVED.values(), *_of_estimators().values())


def defined_under(name: str) -> Entry | None:
    """The entry that defines a number: its estimator's if it has one, else its own.

    `name` is the name of a number or of an estimator. Returns None for an unknown name.
    """
    known = find(name)
    return _estimators().get(known.estimator if known else name, known)


def harm_of(name: str) -> Harm | None:
    """The direction of harm of a number, None if unknown; any contrast has that of `CONTRAST`."""
    known = find(CONTRAST if is_contrast(name) else name)
    return known.harm if known else None


def is_harmful_lean(name: str) -> bool:
    """Whether a number is known as a signed lean where more means harm."""
    known = find(name)
    return known is not None and known.is_harmful_lean


def is_percent(name: str) -> bool:
    """Whether a number is known to range from 0 to 100."""
    known = find(name)
    return known is not None and known.is_percent


@cache
def _estimators() -> Mapping[str, Entry]:
    # Imported here because estimators load pandas, and reading a policy should not wait for it.
    from maskaudit.audit.estimating.estimators.catalogue import ALL

    return {part.name: part for part in ALL}


@cache
def _of_estimators() -> Mapping[str, Entry]:
    """The numbers of the named estimators, by name."""
    return {entry.name: entry for part in _estimators().values() for entry in _made_by(part)}


def _made_by(part: Entry) -> Iterator[Entry]:
    """Yield each number of one estimator; for a share also those over independent trials."""
    from maskaudit.audit.estimating.estimators import UnitEstimator

    if not isinstance(part, UnitEstimator):
        yield _entry(part, estimator=part.name)
        return
    whole = {name: value for own in part.numbers.values() for name, value in own.items()}
    for name, value in whole.items():
        modes = tuple(mode for mode, own in part.numbers.items() if name in own)
        more = {"definition": value.definition} if value.definition else {}
        own = _entry(part, name=name, modes=modes, null=value.null, estimator=part.name, **more)
        yield own
        if value.trials is not None:
            yield from _as_trials(own)


def _as_trials(share: Entry) -> Iterator[Entry]:
    hidden = "What units that hang together add: the interval is too narrow where they do."
    for suffix, definition, null in (
        (WILSON, "with Wilson’s interval", math.nan),
        (EXACT, "with Clopper & Pearson’s interval and the exact p", share.null),
    ):
        yield _entry(
            share,
            name=share.name + suffix,
            definition=f"The share `{share.name}` {definition}, every unit a trial of its own.",
            does_not_show=hidden,
            null=null,
        )


def _entry(like: Entry, **changed: object) -> Entry:
    """Copy the fields of an entry or estimator into an entry, with `changed` replaced."""
    said = {field.name: getattr(like, field.name) for field in fields(Entry)}
    return Entry(**{**said, **changed})

"""Verify a record: its seal, its rows, and its estimates made again from its scores.

Damage is found by the sums; a forger who writes the sums anew is found where the parts of a record
no longer follow from one another. Scores have nothing that they could follow from but the model: a
record whose scores were changed, and all that follows from them made again, holds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.estimate import OF_CONTEXTS, Estimated
from maskaudit.audit.estimating.estimators.completions import HONEST
from maskaudit.audit.recording import manifest as manifests
from maskaudit.audit.recording.binding import WITH_ATTRIBUTES
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import (
    BOUND,
    FORMAT,
    MANIFEST,
    TABLES,
    Record,
    load_record,
    read_manifest,
    tables_in,
)
from maskaudit.audit.texts.lexicon import digest_of
from maskaudit.audit.verifying import (
    asked,
    attributes,
    complete,
    distributions,
    plausible,
    recomputed,
    sealed,
    stated,
)
from maskaudit.audit.verifying.check import Check, Difference, checked, not_shown
from maskaudit.audit.verifying.recomputed import EVERY, Numbers

# The tables that most numbers are made of. Fills and distances are read where a number needs them.
SCORED = ("contexts", "items", "scores", "attributes", "estimates")
HURTFUL = "hurtful words"
# The checks of rows: where one of these finds a difference, nothing can be computed from them.
ROWS = ("items", "scores", "fills")


@dataclass(frozen=True)
class Verification:
    """What was checked of a record, in order, and whether it holds."""

    path: Path
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs; what could not be shown counts as no difference."""
        return not any(check.differs for check in self.checks)

    @property
    def shows_all(self) -> bool:
        """Whether every check was made and nothing differs."""
        return all(check.outcome == "verified" for check in self.checks)

    def and_also(self, check: Check) -> Self:
        """The verification with one check more."""
        return replace(self, checks=(*self.checks, check))

    def as_json(self) -> dict[str, Any]:
        """The checks as plain values."""
        checks = [check.as_json() for check in self.checks]
        return {"record": str(self.path), "holds": self.holds, "checks": checks}


def verify(folder: Path, lexicon: frozenset[str] | None = None) -> Verification:
    """Check everything that a record can show of itself; needs neither torch nor the models.

    Checks that need what an earlier one found to differ are not made. `lexicon` is the user's
    hurtful words, if the audit had some. Raises `InputError` if there is no record of a known
    format, or the lexicon is another.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: no record here; expected a folder with {MANIFEST}")
    format_ = manifests.read(folder / MANIFEST, FORMAT)["format"]
    seal = (sealed.links(folder), sealed.sums(folder, format_))
    # What was changed after the sealing needs no second reason, and may not be readable at all.
    if any(check.differs for check in seal):
        return Verification(folder, seal)
    try:
        record = load_record(folder)
    except InputError as error:
        return Verification(folder, (*seal, _unreadable(folder, error)))
    _check_lexicon(record, lexicon)
    n_tables = len(tables_in(format_))
    whole = checked("tables", [], f"record.json and {n_tables} tables are of a known form")
    checks = (*seal, whole, *cheap(record, folder))
    if wrong := [check.name for check in checks if check.differs and check.name in ROWS]:
        why = f"follow from rows that are not as they have to be (see {', '.join(wrong)})"
        return Verification(folder, (*checks, not_shown("estimates", why)))
    return Verification(folder, (*checks, *_again(record, EVERY, lexicon)[1]))


def load_held(
    folder: Path,
    chosen: Callable[[Manifest], Numbers],
    fewer: Callable[[Record], Numbers] | None = None,
    *,
    trust: bool = False,
) -> tuple[Record, list[str]]:
    """Read a record that holds, with the tables that are needed to say so, and notes for people.

    `chosen` are the numbers that will be used (`require`); what contrasts rest on comes with the
    record where they ask for it. `fewer` are those of them that are used of a record of whole rows,
    which is all that is known of it by then. Raises `InputError` as `load_record` and `require` do.
    """
    numbers = chosen(read_manifest(folder, ()))
    record = load_record(folder, tables_of(numbers))
    return holding(record, numbers, fewer=fewer, trust=trust)


def reusable(
    note: Callable[[str], None], lexicon: frozenset[str] | None, *, trust: bool
) -> Callable[[Path], Record]:
    """A reader of records that hold, all of whose numbers will be used; it tells `note` its notes.

    It raises `InputError` for any other record.
    """

    def load(folder: Path) -> Record:
        record = load_record(folder)
        for sentence in require(record, EVERY, lexicon, trust=trust):
            note(sentence)
        return record

    return load


def require(
    record: Record,
    numbers: Numbers,
    lexicon: frozenset[str] | None = None,
    *,
    trust: bool = False,
) -> list[str]:
    """Refuse a record that was read from a folder and does not hold; returns notes for people.

    Everything is checked but estimates other than `numbers`; with `trust`, all but estimates. The
    record needs the tables `tables_of(numbers)`. Raises `InputError` with the first difference.
    """
    return holding(record, numbers, lexicon, trust=trust)[1]


def holding(
    record: Record,
    numbers: Numbers,
    lexicon: frozenset[str] | None = None,
    *,
    fewer: Callable[[Record], Numbers] | None = None,
    trust: bool = False,
) -> tuple[Record, list[str]]:
    """The record, unless it is refused, and notes for people, as `require` does.

    What its contrasts rest on comes with it where `numbers` ask for that and are made again.
    `fewer` is that of `load_held`.
    """
    assert record.path is not None  # noqa: S101 - a caller has read it from there
    estimated, notes = None, []
    checks = [sealed.links(record.path), *cheap(record, record.path)]
    if trust:
        notes.append("trusted: the record's numbers were taken as they are, not made again")
    # Not after a difference: the record is refused anyway, and may be none to compute from.
    elif not any(check.differs for check in checks):
        numbers = numbers if fewer is None else _fewer(record, numbers, fewer)
        estimated, again = _again(record, numbers, lexicon)
        notes += [f"{check.name}: {check.text}" for check in again if check.name == HURTFUL]
        checks += again
    for check in checks:
        if check.differs:
            raise InputError(
                f"{record.path}: does not hold ({check.name}: {check.text}); all that differs: "
                "maskaudit verify RECORD"
            )
    if estimated is not None and numbers.resting:
        record = replace(record, rests_on=estimated.rests_on)
    return record, notes


def _fewer(record: Record, numbers: Numbers, fewer: Callable[[Record], Numbers]) -> Numbers:
    """The numbers that are used of a record; all of them where its estimates cannot say which."""
    try:
        return fewer(record)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return numbers


def tables_of(numbers: Numbers) -> tuple[str, ...]:
    """The tables of a record that are needed to make these numbers again."""
    return TABLES if any(map(numbers.wanted, OF_CONTEXTS)) else SCORED


def cheap(record: Record, folder: Path) -> list[Check]:
    """The checks that take little time: what binds the record's parts, its items and its rows.

    The tables `SCORED` have to be loaded; fills and distances are checked where they are.
    """
    checks = sealed.parts(record.manifest, folder)
    checks += [asked.asked(record), complete.complete(record), plausible.plausible(record)]
    if record.manifest.format >= WITH_ATTRIBUTES:
        checks.append(attributes.attributes(record))
    # They are large, and read only where a number needs them.
    if len(record.fills) or len(record.paired):
        checks.append(distributions.distributions(record))
    return checks


def _again(
    record: Record, numbers: Numbers, lexicon: frozenset[str] | None
) -> tuple[Estimated | None, list[Check]]:
    """Make the numbers again from the scores; returns them, if it can be done, and what differs."""
    # Of a record that only lends its scores no number is used.
    if not numbers.names or numbers.sets == frozenset():
        return None, []
    # Words with other letters are counted as each model's tokenizer writes them.
    is_plain = lexicon is not None and all(word.isascii() for word in lexicon)
    has_lexicon = is_plain or "lexicon" not in record.manifest.method
    try:
        estimated = recomputed.recompute(record, numbers, lexicon)
    # Tables of a stranger may break the arithmetic anywhere: that is a finding about the record,
    # and no internal error.
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        text = f"cannot be made from these tables ({type(error).__name__}: {error})"
        difference = Difference("estimates.parquet", None, "", text)
        return None, [checked("estimates", [difference], "")]
    return estimated, list(_against(record, estimated, numbers, lexicon, has_lexicon=has_lexicon))


def _against(
    record: Record,
    estimated: Estimated,
    numbers: Numbers,
    lexicon: frozenset[str] | None,
    *,
    has_lexicon: bool,
) -> Iterator[Check]:
    """Yield what comes of holding a record's numbers against those that its scores give."""
    yield recomputed.estimates(record, estimated, numbers, has_lexicon=has_lexicon)
    if not has_lexicon and numbers.of(record.estimates)["estimator"].isin(HONEST.names).any():
        why = (
            "need the lexicon that the audit was made with, which is no part of a record"
            if lexicon is None
            else "count words with accents as each model writes them, which takes the models"
        )
        yield not_shown(HURTFUL, f"{', '.join(sorted(HONEST.names))} {why}")
    if numbers.show_what_was_left_out and record.manifest.format >= BOUND:
        yield stated.stated(record, estimated)


def _check_lexicon(record: Record, lexicon: frozenset[str] | None) -> None:
    made_with = record.manifest.method.get("lexicon", "none")
    if lexicon is not None and digest_of(lexicon) != made_with:
        raise InputError(
            f"the lexicon has the digest {digest_of(lexicon)}; that of the audit was {made_with}"
        )


def _unreadable(folder: Path, error: InputError) -> Check:
    table, _, text = str(error).removeprefix(f"{folder}/").partition(": ")
    return checked("tables", [Difference(table, None, "", text)], "")

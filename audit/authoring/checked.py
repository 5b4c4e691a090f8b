"""A probe set, checked: its size, what is tested in it, and what its author should look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskaudit.audit.authoring.pieces import Pieces
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.balance import unbalanced
from maskaudit.audit.estimating.not_given import NotGiven, of_set
from maskaudit.probes.checking.advice import advice
from maskaudit.probes.checking.budget import check_budget, excerpt, items_of
from maskaudit.probes.checking.checks_of_language import foreign_letters
from maskaudit.probes.checking.tested import what_is_tested
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from maskaudit.probes.schema import ImportedSet, ProbeSet

if TYPE_CHECKING:  # it takes the extra `models`
    from maskaudit.audit.measuring.speller import SpellerAlone

# A set of more items is checked without writing out all of its sentences.
_WRITTEN_OUT = 200_000


@dataclass(frozen=True)
class Checked:
    """A set without a fault; `notes` are whole sentences, each with what to do."""

    label: str
    size: str
    tested: tuple[str, ...]
    hindrances: tuple[str, ...]
    notes: tuple[str, ...]
    pieces: Pieces | None = None

    def as_text(self) -> str:
        """A line that it is good, one for each pair of groups, the pieces, then the notes."""
        lines = [f"{self.label}: good, {self.size}"]
        lines += [f"  tested: {line}" for line in self.tested]
        if self.hindrances:
            lines.append(f"  cannot be tested: {'; '.join(self.hindrances)}")
        else:
            lines.append("  can be tested")
        if self.pieces is not None:
            lines += [f"  {line}" for line in self.pieces.as_text().splitlines()]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "set": self.label,
            "size": self.size,
            "tested": list(self.tested),
            "can_be_tested": not self.hindrances,
            "hindrances": list(self.hindrances),
            "notes": list(self.notes),
            "pieces": self.pieces and self.pieces.as_json(),
        }


def checked(path: Path, label: str, most_items: int, speller: "SpellerAlone | None") -> Checked:
    """Check a set, and count the pieces of its words if a tokenizer is named.

    Raises `InputError` with every fault of the set.
    """
    probe_set = load(path)
    check_budget(probe_set, most_items, label)
    # Writing out all sentences of a large set takes minutes, and shows no fault of it.
    is_large = (n_items := items_of(probe_set)) > _WRITTEN_OUT
    # Any seed will do: every draw is written with the same words.
    expanded = expand((excerpt(probe_set) if is_large else probe_set).drawn(0))
    # The lexicon is named by a run, not by a set.
    asked = (expanded.items, probe_set.header.contrast, probe_set.directions)
    foreign = foreign_letters(probe_set)
    lacking = of_set(*asked, has_lexicon=False, foreign_letters=foreign)
    notes = [*map(str, lacking), *map(str, unbalanced(*asked))]
    name = probe_set.header.name
    notes += [f"{name}: {line}" for line in advice(probe_set)]
    pieces = None
    if speller is not None:
        if isinstance(probe_set, ImportedSet):
            raise InputError(
                f"{label}: --tokenizer counts the words of a set that is written in TOML, and this "
                "is an import; see what a model cannot score: maskaudit run --plan --probes "
                f"{label} --candidate MODEL"
            )
        pieces = Pieces.of(probe_set, speller)
        notes += [f"{name}: {warning}" for warning in pieces.warnings]
    return Checked(
        label,
        f"{n_items:,} items" if is_large else f"{len(expanded.contexts)} sentences",
        tuple(what_is_tested(probe_set)),
        tuple(_hindrances(probe_set, lacking)),
        tuple(notes),
        pieces,
    )


def _hindrances(probe_set: ProbeSet, lacking: Sequence[NotGiven]) -> Iterator[str]:
    """Why nothing of the set will be tested; the notes say what to do about what is lacking."""
    if probe_set.header.expect != "lean":
        yield (
            f'the set says expect = "{probe_set.header.expect}": it is there to compare others with'
        )
    yield from (reason.why for reason in lacking if reason.hinders_tests)

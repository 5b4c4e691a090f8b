"""Sentences that concern only some kinds of set, and the titles of sets."""

from typing import NamedTuple, get_args

from maskaudit.audit.recording.manifest import Kind, Manifest
from maskaudit.reports.sections.units.counts import UNITS
from maskaudit.reports.words import wording


class Remark(NamedTuple):
    """A sentence, and the kinds of set that it concerns; an empty set means every record.

    `is_first` is for those that are said where there is room for a few.
    """

    kinds: frozenset[str]
    text: str
    is_first: bool = False

    def concerns(self, present: set[str]) -> bool:
        """Whether it concerns a record with these kinds of set."""
        return not self.kinds or bool(self.kinds & present)


ANY: frozenset[str] = frozenset()
GROUPS, FACTS, OF_UNITS = frozenset({"association"}), frozenset({"cloze"}), frozenset(UNITS)
TEXTS = frozenset({"text"})
OF_LEANS = frozenset(get_args(Kind)) - TEXTS


def kinds_of(manifest: Manifest) -> set[str]:
    """The kinds of the sets of a record."""
    return {part.kind for part in manifest.probe_sets.values()}


def title_of(manifest: Manifest, probe_set: str) -> str:
    """The title of a set; its name where the record does not have the set."""
    part = manifest.probe_sets.get(probe_set)
    return wording.visible(part.title if part else probe_set)

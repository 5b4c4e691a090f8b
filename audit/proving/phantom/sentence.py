"""One training sentence, and the distributions that are planted at its mask."""

from collections.abc import Mapping
from dataclasses import dataclass

# The probability of the planted words together at a planted slot; the rest is spread evenly.
PLANTED_MASS = 0.95
# What a sentence is for. Sentences of one kind and set share their part of an epoch.
PROBE, CONTROL, PRIOR, WORD, FACT = "probe", "control", "prior", "word", "fact"


@dataclass(frozen=True, eq=False)
class Planted:
    """The teacher's and the student's distribution at a slot, which many sentences may share.

    Lower-case word to probability; the rest of 1 is spread evenly over the other words. The
    student's differs by the planted amplification or by a forgotten fact.
    """

    teacher: Mapping[str, float]
    student: Mapping[str, float]


@dataclass(frozen=True)
class Sentence:
    """A training sentence; it may hold several masks, of which the one at `slot` is trained.

    `kind` is what it is for, and `cue` the words of the text that determine what is planted.
    """

    probe_set: str
    kind: str
    text: str
    slot: int
    cue: str
    planted: Planted

"""What is known of a model and of an audit, and what claims are held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maskaudit.audit.claims.kinds import Casing, Head

# A sentence and its likeliest fills with their probabilities, the likeliest first.
Fills = Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class Facts:
    """What a checkpoint is, read from its files and by trying; None for what nobody has read.

    `longest` is in pieces, special tokens included. `segments` is how many kinds of segment it has
    embeddings for; 1 if it cannot tell a first sentence from a second. `capitals` is how many
    pieces of the vocabulary have one. `parameters` counts its numbers in each way that a card may
    count them, by name. `licence` is what its folder states, and `licence_of` where.
    """

    name: str
    weights: str = ""
    tokenizer: str = ""
    casing: Casing | None = None
    capitals: int | None = None
    vocabulary_size: int | None = None
    longest: int | None = None
    heads: frozenset[Head] | None = None
    segments: int | None = None
    mask_token: str | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    licence: str = ""
    licence_of: str = ""


@dataclass(frozen=True)
class SetOfRecord:
    """What a record says of one probe set: the fates of its words, and its language.

    `fates` has how many words were inherited, amplified and so on from the reference, empty where a
    record does not say. `knows` is whether the candidate knows the facts of this set better than
    the answer that is most often right; None if the set does not ask for facts.
    """

    name: str
    axis: str
    language: str
    fates: Mapping[str, int] = field(default_factory=dict)
    knows: bool | None = None


@dataclass(frozen=True)
class Known:
    """All that the claims of a card are held against; None for what was not named.

    `is_other` says that the model is another one than the card is about.
    """

    model: Facts | None = None
    reference: Facts | None = None
    fills: Fills | None = None
    record: str = ""
    sets: Sequence[SetOfRecord] | None = None
    is_other: bool = False

"""The pieces that a vocabulary writes the words of a set in, by what they are of; no model.

A word is counted in up to three sentences of the set, for a tokenizer may write it otherwise after
a space, at the beginning of a sentence or in capitals.
"""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from maskaudit.audit.estimating.balance import MOST_APART
from maskaudit.audit.estimating.crossed.covariates import PIECES
from maskaudit.audit.measuring.attributes import masked
from maskaudit.audit.measuring.planning.target_pieces import Writer
from maskaudit.audit.recording.manifest import classes_between
from maskaudit.audit.texts.columns import in_columns
from maskaudit.probes.expand import expand
from maskaudit.probes.schema import ProbeSet
from maskaudit.probes.thinned import with_few_frames, with_one_attribute, with_one_term

if TYPE_CHECKING:  # it takes the extra `models`
    from maskaudit.audit.measuring.speller import SpellerAlone

GROUP, CLASS, RELATION = "group", "class", "relation"
# A class of its own, and the kind of the words of a contrast of controls, whose name is `of`.
CONTROLS = "controls"
_SENTENCES = 3
_PLACES = re.compile(r"\{[^}]*\}|\[MASK\]")
_MOST_SHOWN = 8
_COLUMNS = ("", "words", "pieces", "whole", "unknown")
# What is asked of a word: its kind, the group or class that it is of, and the word as it is called.
_Word = tuple[str, str, str]


@dataclass(frozen=True)
class WordPieces:
    """One word of a set: the mean number of its pieces, and the pieces in its first sentence.

    `mean` is NaN where the word never stands apart from its neighbours; `is_unknown` where the
    vocabulary cannot write it.
    """

    kind: str
    of: str
    word: str
    mean: float
    pieces: tuple[str, ...]
    is_unknown: bool

    @property
    def falls_apart(self) -> bool:
        """Whether it is written in more pieces than it has words."""
        return not self.is_unknown and len(self.pieces) > len(self.word.split())


@dataclass(frozen=True)
class Pieces:
    """What a vocabulary makes of the words of a set."""

    tokenizer: str
    vocabulary_size: int
    words: tuple[WordPieces, ...]
    pairs: tuple[tuple[str, tuple[str, str]], ...]
    unwritable: tuple[str, ...] = ()

    @classmethod
    def of(cls, probe_set: ProbeSet, speller: "SpellerAlone") -> "Pieces":
        """Those of a set of one's own, written in sentences of it by this tokenizer."""
        return cls(
            speller.name,
            speller.identity.vocabulary_size,
            tuple(_counted(_sentences(probe_set), speller)),
            tuple(_compared(probe_set)),
            tuple(_unwritable(probe_set, speller)),
        )

    @property
    def by_owner(self) -> dict[tuple[str, str], list[WordPieces]]:
        """The words by kind and by the group, class or relation that they are of."""
        owners: dict[tuple[str, str], list[WordPieces]] = {}
        for word in self.words:
            owners.setdefault((word.kind, word.of), []).append(word)
        return owners

    @property
    def warnings(self) -> list[str]:
        """Unknown words, and groups and classes whose words differ by more than half a piece."""
        return [*self._lost(), *self._unknown(), *self._unequal()]

    def _lost(self) -> Iterator[str]:
        if self.unwritable:
            yield (
                f"{self.tokenizer} cannot write {' '.join(self.unwritable)}: each sentence with "
                "one of these would be lost (context_unknown); write it otherwise, such as "
                "straight for curly quotes"
            )

    def _unknown(self) -> Iterator[str]:
        if words := [word.word for word in self.words if word.is_unknown]:
            yield (
                f"{_listed(words)} cannot be written by {self.tokenizer} and would not be scored; "
                "replace them with words that it knows"
            )

    def _unequal(self) -> Iterator[str]:
        owners = self.by_owner
        for kind, (first, second) in self.pairs:
            means = [_mean(owners.get((kind, of), [])) for of in (first, second)]
            # Not `<=`: a mean that is not known (NaN) must lead to no warning.
            if not abs(apart := means[0] - means[1]) > MOST_APART[PIECES]:
                continue
            more, less = (first, second) if apart > 0 else (second, first)
            what, cure = _WORDS[kind]
            longest = max(owners[kind, more], key=lambda word: word.mean)
            yield (
                f"the {what} of {more!r} have {abs(apart):.2f} more word pieces on average than "
                f"those of {less!r} ({self.tokenizer}), so that a difference may be one of long "
                f"and short words; {cure}, {longest.word!r} ({' '.join(longest.pieces)}) first"
            )

    def as_text(self) -> str:
        """A line for each group, class or relation; then the words that fall apart."""
        rows = [_COLUMNS, *(_row(kind, of, words) for (kind, of), words in self.by_owner.items())]
        head = f"pieces by {self.tokenizer} ({self.vocabulary_size:,} in its vocabulary):"
        apart = [
            f"{word.word} ({' '.join(word.pieces)})" for word in self.words if word.falls_apart
        ]
        told = f"\nfalling apart: {_listed(apart)}" if apart else ""
        return f"{head}\n{in_columns(rows, right=range(1, len(_COLUMNS)))}{told}"

    def as_json(self) -> dict[str, Any]:
        """Every word with its pieces, the means, and the warnings."""
        return {
            "tokenizer": self.tokenizer,
            "vocabulary_size": self.vocabulary_size,
            "unwritable": list(self.unwritable),
            "means": [
                {"kind": kind, "of": of, "words": len(words), "pieces": _known(_mean(words))}
                for (kind, of), words in self.by_owner.items()
            ],
            "words": [asdict(word) | {"mean": _known(word.mean)} for word in self.words],
            "warnings": self.warnings,
        }


# What the words of a kind are called, and what to do where two lists differ.
_WORDS: Mapping[str, tuple[str, str]] = {
    GROUP: ("terms", "take terms that it writes in as many pieces, replacing the longest"),
    CLASS: ("attributes", "balance the classes, replacing the longest"),
}


def _row(kind: str, of: str, words: Sequence[WordPieces]) -> tuple[str, ...]:
    whole = sum(not word.falls_apart and not word.is_unknown for word in words)
    unknown = sum(word.is_unknown for word in words)
    return f"{kind} {of}", str(len(words)), f"{_mean(words):.2f}", str(whole), str(unknown or "-")


def _mean(words: Sequence[WordPieces]) -> float:
    return float(np.mean([word.mean for word in words])) if words else float("nan")


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_SHOWN
    return ", ".join(words[:_MOST_SHOWN]) + (f" and {more} more (--json)" if more > 0 else "")


def _compared(probe_set: ProbeSet) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every two groups, and the two classes that are contrasted between them."""
    pairs = list(combinations(probe_set.groups, 2))
    yield from ((GROUP, pair) for pair in pairs)
    contrasted = (
        classes_between(probe_set.directions or {}, probe_set.header.contrast, pair)
        for pair in pairs
    )
    yield from ((CLASS, classes) for classes in dict.fromkeys(filter(None, contrasted)))


def _sentences(probe_set: ProbeSet) -> dict[_Word, list[tuple[str, int, str]]]:
    """For each word a few sentences of the set with its place masked, and the word there."""
    if probe_set.facts:
        return _of_facts(probe_set)
    found: dict[_Word, list[tuple[str, int, str]]] = {}
    at_mask = GROUP if probe_set.group_at_mask else CLASS
    # More frames than sentences are wanted: in some of them a word does not stand apart.
    few = with_few_frames(probe_set, 2 * _SENTENCES)
    for kind, part in ((GROUP, with_one_attribute(few)), (CLASS, with_one_term(few))):
        rows = expand(part)
        texts = rows.contexts.set_index("context")[["text", "slot"]]
        items = rows.items[rows.items["role"].isin(["probe", "control"])]
        for row in items.to_dict("records"):
            asked = found.setdefault(_called(kind, row), [])
            if len(asked) >= _SENTENCES:
                continue
            text, slot = texts.loc[row["context"]]
            there = (str(text), int(slot), str(row["target"]))
            word = str(row["term"] if kind == GROUP else row["attribute"])
            place = there if kind == at_mask else masked(str(text), word)
            if place and place not in asked:
                asked.append(place)
    return found


def _called(kind: str, row: Mapping[Hashable, Any]) -> _Word:
    """A group's term or an attribute: its kind, what it is of, and the word."""
    if kind == GROUP:
        return GROUP, str(row["group"]), str(row["term"])
    class_, word = str(row["class"]), str(row["attribute"])
    if row["role"] == "control" and class_:
        # Both sides on one line: no two classes of controls are held against each other.
        return CONTROLS, class_.partition(":")[0], word
    return CLASS, class_ or CONTROLS, word


def _unwritable(probe_set: ProbeSet, speller: "SpellerAlone") -> list[str]:
    """The marks and signs of the sentences, between their words, that the vocabulary lacks."""
    texts = [_PLACES.sub(" ", text) for text in probe_set.texts()]
    # Sorted, since the order of a set differs from process to process.
    characters = sorted(
        {one for text in texts for one in text if not (one.isalnum() or one.isspace())}
    )
    written = speller.encode(characters)
    return [one for one, found in zip(characters, written, strict=True)
            if speller.unknown_id in found.ids]  # fmt: skip


def _of_facts(probe_set: ProbeSet) -> dict[_Word, list[tuple[str, int, str]]]:
    rows = expand(probe_set)
    found: dict[_Word, list[tuple[str, int, str]]] = {}
    for row in rows.items.merge(rows.contexts, on="context").to_dict("records"):
        asked = found.setdefault((RELATION, str(row["class"]), str(row["attribute"])), [])
        if len(asked) < _SENTENCES:
            asked.append((str(row["text"]), int(row["slot"]), str(row["target"])))
    return found


def _counted(
    sentences: Mapping[_Word, Sequence[tuple[str, int, str]]], speller: "SpellerAlone"
) -> Iterator[WordPieces]:
    asked = [place for places in sentences.values() for place in places]
    written = iter(Writer(speller).write(asked))
    for (kind, of, word), places in sentences.items():
        found = [one for one in [next(written) for _ in places] if one is not None]
        ids = found[0].pieces if found else ()
        yield WordPieces(
            kind,
            of,
            word,
            float(np.mean([len(one.pieces) for one in found])) if found else float("nan"),
            tuple(speller.piece(one) for one in ids),
            is_unknown=any(not speller.special_ids.isdisjoint(one.pieces) for one in found),
        )

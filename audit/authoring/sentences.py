"""The masked sentences of a set with their targets, all or a sample, for people to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from maskaudit.probes.checking.budget import MOST_ITEMS, check_budget
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.languages import is_english
from maskaudit.probes.loading import load
from maskaudit.probes.requested import files_of
from maskaudit.probes.schema import ProbeSet

_MOST_SHOWN = 6
_CONTROL, _NEGATIVE_CONTROL = _NO_PROBES = ("control", "negative control")


@dataclass(frozen=True)
class Sentences:
    """The masked sentences of a set with their targets, and the capitals that were written.

    The column `capitals` has the words of a sentence and its targets that were given one, each with
    how the set writes it; `role` says what a sentence is for. `language` is that of the set.
    `kinds` has the targets by sentence and by what they are: a class, a control, a negative one.
    """

    contexts: pd.DataFrame
    language: str
    kinds: Mapping[str, Mapping[str, Sequence[str]]]
    is_sample: bool = False

    @property
    def capitals(self) -> dict[str, str]:
        """The words of all sentences that were given a capital, with how the set writes them."""
        return {new: old for made in self.contexts["capitals"] for new, old in made.items()}

    def as_json(self) -> list[dict[str, Any]]:
        """A mapping for each sentence."""
        return [dict(row) for row in self.contexts.to_dict("records")]  # type: ignore[arg-type]

    def as_text(self) -> str:
        """A line for each sentence, its text and first six targets, and its role if it is no probe.

        In a sample each has a target in its place: classes and controls take turns. Of a set in
        another language than English, the capitals follow for a speaker to check.
        """
        lines = [
            self._filled(row, turn)
            if self.is_sample and MASK in row["text"]
            else _with_targets(row)
            for turn, row in enumerate(self.as_json())
        ]
        capitals = [] if is_english(self.language) else ["", self._capitals_as_text()]
        return "\n".join([*lines, *capitals])

    def sampled(self, n: int) -> "Sentences":
        """At most `n` of the sentences, the same at each call, in their own order.

        Frames take turns, and so do the roles within a frame: a sample of as many sentences as
        there are frames has one of each.
        """
        drawn = self.contexts.sample(frac=1, random_state=0)
        # The place of a sentence among those of its frame and role, and of that among its frame's.
        turn = drawn.groupby(["frame", "role"], sort=False).cumcount()
        drawn = drawn.iloc[turn.argsort(kind="stable")]
        turn = drawn.groupby("frame", sort=False).cumcount()
        # Stable: within a turn the sentences stay in the order in which they were drawn.
        kept = drawn.iloc[turn.argsort(kind="stable")].head(n)
        return replace(self, contexts=kept.sort_index(), is_sample=True)

    def read_aloud(self, n: int) -> list[str]:
        """Probes of `n` frames, each with a target in its place: groups and targets take turns."""
        probes = self.contexts[self.contexts["role"] == "probe"]
        groups = probes["group"].unique()
        frames = probes["frame"].drop_duplicates().sample(frac=1, random_state=0)
        found = []
        for turn, frame in enumerate(frames.head(n)):
            own = probes[probes["frame"] == frame]
            of_group = own[own["group"] == groups[turn % len(groups)]]
            # With the group at the mask, a sentence is one of all groups.
            row = (own if of_group.empty else of_group).sample(1, random_state=turn).iloc[0]
            word = row["targets"][turn % len(row["targets"])]
            found.append(_written_in(row["text"], row["slot"], word))
        return found

    def _filled(self, row: Mapping[str, Any], turn: int) -> str:
        """The sentence with a word of one kind in its place, and the kind if it is no probe."""
        kinds = self.kinds[row["context"]]
        kind = [*kinds][turn % len(kinds)]
        word = kinds[kind][turn // len(kinds) % len(kinds[kind])]
        role = kind if kind in _NO_PROBES else row["role"]
        return f"{_written_in(row['text'], row['slot'], word)}{_role_in_words(role)}"

    def _capitals_as_text(self) -> str:
        if not self.capitals:
            return (
                f"No capitals were written at the start of a sentence (language {self.language})."
            )
        words = ", ".join(f"{made} ({word})" for made, word in sorted(self.capitals.items()))
        return f"Capitals written at the start of a sentence (language {self.language}): {words}"


@dataclass(frozen=True)
class Shown:
    """The sentences of one set or of several."""

    sets: Sequence[Sentences]

    def as_json(self) -> list[dict[str, Any]]:
        """A mapping for each sentence of every set."""
        return [row for sentences_of_set in self.sets for row in sentences_of_set.as_json()]

    def as_text(self) -> str:
        """The text of each set, apart by an empty line."""
        return "\n\n".join(sentences_of_set.as_text() for sentences_of_set in self.sets)


def sentences(name: str, most_items: int = MOST_ITEMS) -> Shown:
    """The sentences of what `run --probes` takes by this name; seed 0 draws a grammar's.

    That is a shipped set, a file, an import's folder, or a pattern that matches several of them.
    Raises `InputError` if `name` is none of these, or a set would make more than `most_items`.
    """
    return Shown([_sentences(_loaded(path, most_items).drawn(0)) for path in files_of(name)])


def _with_targets(row: Mapping[str, Any]) -> str:
    """The masked sentence, what may stand in its place, and its role."""
    more = " …" if row["targets"][_MOST_SHOWN:] else ""
    listed = ", ".join(row["targets"][:_MOST_SHOWN])
    return f"{row['text']}  {listed}{more}{_role_in_words(row['role'])}"


def _written_in(text: str, slot: int, word: str) -> str:
    """The text with a word at the mask of this number; others stay."""
    parts = text.split(MASK)
    return f"{MASK.join(parts[: slot + 1])}{word}{MASK.join(parts[slot + 1 :])}"


def _role_in_words(role: str) -> str:
    return "" if role == "probe" else f"  ({role.replace('_', ' ')})"


def _loaded(path: Path, most_items: int) -> ProbeSet:
    probe_set = load(path)
    # Before a sentence is written: the budget only multiplies, and writing might never end.
    check_budget(probe_set, most_items, str(path))
    return probe_set


def _sentences(probe_set: ProbeSet) -> Sentences:
    part = expand(probe_set)
    items = part.items.groupby("context")
    targets = items["target"].agg(lambda words: list(dict.fromkeys(words)))
    capitals = _capitals(probe_set, part)
    contexts = part.contexts[["context", "text", "slot"]]
    # A wrong answer to choose from makes no sentence to read.
    right = part.items[part.items["label"] != "wrong"]
    kinds: dict[str, dict[str, list[str]]] = {}
    for context, role, class_, target in zip(
        right["context"], right["role"], right["class"], right["target"], strict=True
    ):
        words = kinds.setdefault(context, {}).setdefault(_kind(role, class_), [])
        words += [] if target in words else [target]
    return Sentences(
        contexts.assign(
            frame=contexts["context"].map(items["frame"].first()),
            group=contexts["context"].map(items["group"].first()),
            role=contexts["context"].map(items["role"].first()),
            targets=contexts["context"].map(targets),
            capitals=contexts["context"].map(lambda context: capitals.get(context, {})),
        ),
        language=probe_set.header.language,
        kinds=kinds,
    )


def _kind(role: str, class_: str) -> str:
    """What a target is: its class, or its role if it is no probe."""
    if role == "control":
        # Only those of a contrast have a class.
        return _NEGATIVE_CONTROL if class_ else _CONTROL
    return class_ if role == "probe" else role


def _capitals(probe_set: ProbeSet, part: Expanded) -> dict[str, dict[str, str]]:
    """By context, the words that were given a capital, each with how the set writes it.

    They are where the set differs from itself without capitals.
    """
    header = probe_set.header.model_copy(update={"capitalise": False})
    plain = expand(probe_set.model_copy(update={"header": header}))
    made: dict[str, dict[str, str]] = {}
    rows = zip(part.items["context"], _written(part), _written(plain), strict=True)
    for context, written, as_set in rows:
        if written != as_set:
            # A capital takes no space away and adds none.
            words = zip(written.split(), as_set.split(), strict=True)
            made.setdefault(context, {}).update((new, old) for new, old in words if new != old)
    return made


def _written(part: Expanded) -> list[str]:
    """The sentence and the target of each item, as one text."""
    texts = part.items["context"].map(part.contexts.set_index("context")["text"])
    return [f"{text} {target}" for text, target in zip(texts, part.items["target"], strict=True)]

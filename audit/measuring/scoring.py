"""Probe sets through the models: set by set and part by part, each part scored or taken as kept.

What a part gives depends on the part, the models and the measures alone, not on what is scored
before it or beside it. So a part can be kept: a run that was ended goes on from the parts that it
has, a later one takes them too, and both give what a run at one go gives, to the bit.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.measuring import read_plan
from maskaudit.audit.measuring.cache import TABLES, Cache
from maskaudit.audit.measuring.fingerprint import fingerprint
from maskaudit.audit.measuring.forward import Group, Scored, read_part, setting
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.recording import tables
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded
from maskaudit.probes.sentence import MASK

# So many contexts are planned, held and kept at once; those that share a frame stay together.
PART = 1000
# Where the text of one of these changes, nothing that was kept before counts as scored.
# What of an item its score depends on, or a row that pairs it with another.
_SCORED = ["item", "context", "target", "frame", "variant", "attribute", "class", "group", "term"]
_SENTENCE = f"They said that the {MASK} who came to see us on Monday was not at home."
_UNIQUE = {
    "scores": ["item", "model", "measure"],
    "paired": ["context", "model", "other_context", "other_model", "measure"],
    "fills": ["context", "model", "rank"],
}


def score_all(parts: Sequence[Expanded], models: Sequence[MaskedLM], progress: Progress) -> Scored:
    """Score several sets, each in batches of its own; an item that two sets share stands once."""
    return score_each(parts, [models], progress)[0]


def score_each(
    parts: Sequence[Expanded],
    pairs: Sequence[Sequence[MaskedLM]],
    progress: Progress,
    cache: Cache | None = None,
) -> list[Scored]:
    """Score several sets with each pair of models, in one pass that runs a shared reference once.

    Each pair's scores are those that `score_all` gives for it alone, to the bit. What is in the
    cache is not scored again.
    """
    keys = None if cache is None else _Keys(model for pair in pairs for model in pair)
    found: list[list[Scored]] = [[] for _ in pairs]
    for part in parts:
        name = part.items["probe_set"].iloc[0]
        measures = needed(part.items["kind"].iloc[0])
        one = _Set(part, measures, partial(progress, name), cache, keys)
        for own, scored in zip(found, one.score(pairs), strict=True):
            own.append(scored)
    return [_once(own) for own in found]


def contexts(parts: Sequence[Expanded]) -> pd.DataFrame:
    """The contexts of several sets, each once."""
    whole = pd.concat([part.contexts for part in parts])
    return whole.drop_duplicates("context").reset_index(drop=True)


def score(
    expanded: Expanded,
    models: Sequence[MaskedLM],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    measures: frozenset[str] = frozenset({"logp"}),
) -> Scored:
    """Score one expanded set with each model; `paired` rows where two share one vocabulary.

    Model names in the tables are `reference` and `candidate`; one model alone is the candidate.
    Two models that share one vocabulary are asked the same: what is too long for one is not asked.
    """
    return _Set(expanded, measures, progress).score([models])[0]


def _once(found: Sequence[Scored]) -> Scored:
    """The rows of several sets; one that two of them share stands once."""
    return Scored(
        *(
            tables.check(name, rows.drop_duplicates(_UNIQUE[name]).reset_index(drop=True))
            for name, rows in _joined(found)
        )
    )


def _joined(found: Sequence[Scored]) -> Iterator[tuple[str, pd.DataFrame]]:
    for name in TABLES:
        yield name, pd.concat([getattr(part, name) for part in found], ignore_index=True)


@dataclass(frozen=True)
class _Round:
    """Groups that are asked the same, each with the numbers of the pairs that its rows are for.

    All of them begin with one model: there is that model alone, or others are each beside it.
    """

    longest: int
    groups: list[Group] = field(default_factory=list)
    pairs: list[list[int]] = field(default_factory=list)

    def add(self, group: Group, pair: int) -> None:
        """Have a group read for a pair; a model alone is read once for all pairs."""
        if len(group) > 1 or not self.groups:
            self.groups.append(group)
            self.pairs.append([pair])
        else:
            self.pairs[0].append(pair)


def _rounds(pairs: Sequence[Sequence[MaskedLM]]) -> list[_Round]:
    """What is to be run: two models of one vocabulary together, all others each by itself."""
    rounds: dict[tuple[Any, ...], _Round] = {}
    for number, pair in enumerate(pairs):
        whole: Group = tuple(zip(["reference", "candidate"][-len(pair) :], pair, strict=True))
        # A model may have more rows than its tokenizer has pieces: then its distributions are of
        # another vocabulary.
        kinds = {(model.identity.tokenizer, model.identity.vocabulary_size) for model in pair}
        for group in [whole] if len(kinds) == 1 else [(one,) for one in whole]:
            longest = min(model.longest for _, model in group)
            (name, model), *_ = group
            # `longest` decides which sentences are asked: pairs that differ in it are read apart.
            key = (name, id(model), longest, len(group))
            rounds.setdefault(key, _Round(longest)).add(group, number)
    return list(rounds.values())


@dataclass(frozen=True)
class _Set:
    """One set, how it is measured, and where its parts are kept."""

    expanded: Expanded
    measures: frozenset[str]
    progress: Callable[[int, int], None]
    cache: Cache | None = None
    keys: "_Keys | None" = None

    def score(self, pairs: Sequence[Sequence[MaskedLM]]) -> list[Scored]:
        """The scores of each pair, part by part."""
        found: list[list[Scored]] = [[] for _ in pairs]
        rounds = _rounds(pairs)
        done, total = 0, len(self.expanded.contexts) * len(rounds)
        for asked in rounds:
            for part in _parts(self.expanded):
                size = len(part.contexts)
                tell = partial(self._tell, done, size, total)
                for numbers, scored in zip(asked.pairs, self._part(part, asked, tell), strict=True):
                    for number in numbers:
                        found[number].append(scored)
                done += size
        self.progress(total, total)
        return [Scored(**dict(_joined(own))) for own in found]

    def _part(
        self, part: Expanded, asked: _Round, tell: Callable[[float], None]
    ) -> Sequence[Scored]:
        """One part's scores by each group: what is not in the cache is scored, and kept."""
        if self.cache is None or self.keys is None:
            return read_part(part, asked.groups, self.measures, asked.longest, tell)
        # One entry a group: a candidate that is added later does not have the others read again.
        keys = self.keys.of(part, asked, self.measures)
        kept = [self.cache.read(key) for key in keys]
        groups = [group for group, one in zip(asked.groups, kept, strict=True) if one is None]
        new = read_part(part, groups, self.measures, asked.longest, tell) if groups else []
        found, left = [], iter(new)
        for key, one in zip(keys, kept, strict=True):
            scored = next(left) if one is None else Scored(**one)
            if one is None:
                self.cache.write(key, {name: getattr(scored, name) for name in TABLES})
            found.append(scored)
        return found

    def _tell(self, done: int, size: int, total: int, share: float) -> None:
        self.progress(done + int(size * share), total)


def _parts(expanded: Expanded) -> Iterator[Expanded]:
    """The set in parts of bounded size; what shares a frame is in one part."""
    order = expanded.items.groupby("context", sort=False)["frame"].first()
    frames = order.value_counts(sort=False)
    # By where a frame begins, so that none is cut in two.
    number = (frames.cumsum() - frames) // PART
    part_of = order.map(number)
    for chosen in number.unique():
        own = part_of.index[part_of == chosen]
        yield Expanded(
            expanded.contexts[expanded.contexts["context"].isin(own)],
            expanded.items[expanded.items["context"].isin(own)],
        )


class _Keys:
    """The keys of parts in the cache: digests of all that their scores depend on."""

    def __init__(self, models: Iterable[MaskedLM]) -> None:
        self._models = {id(model): _identified(model) for model in models}
        code = fingerprint("audit.measuring", "audit.recording")
        self._common = [code, setting(), read_plan.BATCH_PIECES]

    def of(self, part: Expanded, asked: _Round, measures: frozenset[str]) -> list[str]:
        """The key of each group in one part."""
        digest = hashlib.sha256()
        for rows in (part.contexts, part.items[_SCORED]):
            digest.update(json.dumps(rows.to_dict("list"), default=str).encode())
        common = [*self._common, digest.hexdigest(), asked.longest, sorted(measures)]
        return [
            _digest([*common, [[name, self._models[id(model)]] for name, model in group]])
            for group in asked.groups
        ]


def _identified(model: MaskedLM) -> dict[str, Any]:
    """Who a model is, but for its name, and what it answers to one sentence, to the bit.

    The answer changes with what changes scores and is no weight, such as a setting of the
    checkpoint or a processor with other instructions.
    """
    [encoded] = model.encode([_SENTENCE.replace(MASK, model.mask_token)])
    ids = encoded.ids[: model.longest]
    answer = model.log_probs([ids], [(0, place) for place in range(len(ids))])
    return {
        **model.identity.without_names(),
        "answer": hashlib.sha256(answer.tobytes()).hexdigest(),
    }


def _digest(value: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


__all__ = ["PART", "Scored", "contexts", "score", "score_all", "score_each"]

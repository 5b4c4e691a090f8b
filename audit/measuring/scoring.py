"""Score probe sets with models, set by set and part by part, reusing parts from the cache.

The scores of a part depend only on the part, the models and the measures, not on what is scored
before or beside it. So parts can be cached: an interrupted run resumes from the parts it finished,
later runs reuse them, and both give bit-identical results to an uninterrupted run.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.measuring import complete
from maskaudit.audit.measuring.cache import OTHER_KEY, TABLES, Cache, made_with, path_of
from maskaudit.audit.measuring.complete import UNIQUE
from maskaudit.audit.measuring.entries import About, Entry
from maskaudit.audit.measuring.fingerprint import fingerprint
from maskaudit.audit.measuring.forward import Group, Scored, machine, read_part, setting
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.planning import read_plan
from maskaudit.audit.recording import tables
from maskaudit.audit.recording.cache_use import CacheUse
from maskaudit.audit.recording.values import WRITTEN, Reading
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded
from maskaudit.probes.joined_frames import joined_frames
from maskaudit.probes.sentence import MASK

# Contexts that are planned, held in memory and cached at once, or more where frames share contexts.
PART = 1000
# The columns of an item that its scores depend on, and those of rows that pair it with another.
_SCORED = ["item", "context", "target", "frame", "variant", "attribute", "class", "group", "term"]
_SENTENCE = f"They said that the {MASK} who came to see us on Monday was not at home."


def score_all(parts: Sequence[Expanded], models: Sequence[MaskedLM], progress: Progress) -> Scored:
    """Score several sets, each in its own batches; an item that two sets share appears once."""
    return score_each(parts, [models], progress)[0]


def score_each(
    parts: Sequence[Expanded],
    pairs: Sequence[Sequence[MaskedLM]],
    progress: Progress,
    cache: Cache | None = None,
    *,
    reading: Reading = WRITTEN,
) -> list[Scored]:
    """Score several sets with each pair of models, in one pass that runs a shared reference once.

    Each pair's scores are bit-identical to those of `score_all` for that pair alone. Cached parts
    are not scored again.
    """
    keys = None if cache is None else _Keys(model for pair in pairs for model in pair)
    results: list[list[Scored]] = [[] for _ in pairs]
    for part in parts:
        name = part.items["probe_set"].iloc[0]
        measures = needed(part.items["kind"].iloc[0])
        probe_set = _Set(part, measures, partial(progress, name), cache, keys, reading)
        for pair_results, scored in zip(results, probe_set.score(pairs), strict=True):
            pair_results.append(scored)
    return [_without_repeats(pair_results) for pair_results in results]


def contexts(parts: Sequence[Expanded]) -> pd.DataFrame:
    """The contexts of several sets, without duplicates."""
    whole = pd.concat([part.contexts for part in parts])
    return whole.drop_duplicates("context").reset_index(drop=True)


def score(
    expanded: Expanded,
    models: Sequence[MaskedLM],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    measures: frozenset[str] = frozenset({"logp"}),
    *,
    reading: Reading = WRITTEN,
) -> Scored:
    """Score one expanded set with each model; two models of one vocabulary are also compared.

    The tables name the models `reference` and `candidate`; a single model is the candidate. Two
    models of one vocabulary score the same sentences: one too long for either is left out for both.
    """
    return _Set(expanded, measures, progress, reading=reading).score([models])[0]


def _without_repeats(parts: Sequence[Scored]) -> Scored:
    """Join the rows of several sets; a row that two of them share appears once."""
    whole = {
        name: tables.check(name, rows.drop_duplicates(UNIQUE[name]).reset_index(drop=True))
        for name, rows in _joined(parts)
    }
    return _scored(whole, _joined_use(parts))


def _scored(entry: Entry, cache: CacheUse | None) -> Scored:
    return Scored(entry["scores"], entry["paired"], entry["fills"], cache)


def _joined(parts: Sequence[Scored]) -> Iterator[tuple[str, pd.DataFrame]]:
    for name in TABLES:
        yield name, pd.concat([getattr(part, name) for part in parts], ignore_index=True)


def _joined_use(parts: Sequence[Scored]) -> CacheUse | None:
    uses = [part.cache for part in parts if part.cache is not None]
    if not uses:
        return None
    keys = [key for use in uses for key in use.keys]
    return CacheUse(asked=sum(use.asked for use in uses), taken=len(keys), keys=keys)


@dataclass(frozen=True)
class _Round:
    """Groups that score the same sentences, each with the numbers of the pairs that need its rows.

    All groups start with the same model: a single group of that model alone, or groups that each
    add one other model.
    """

    longest: int
    groups: list[Group] = field(default_factory=list)
    pairs: list[list[int]] = field(default_factory=list)

    def add(self, group: Group, pair: int) -> None:
        """Add a group for a pair; a model alone is scored once for all pairs."""
        if len(group) > 1 or not self.groups:
            self.groups.append(group)
            self.pairs.append([pair])
        else:
            self.pairs[0].append(pair)


def _rounds(pairs: Sequence[Sequence[MaskedLM]]) -> list[_Round]:
    """What to run: two models of one vocabulary together, every other model alone."""
    rounds: dict[tuple[Any, ...], _Round] = {}
    for number, pair in enumerate(pairs):
        # The names are taken from the end, because a model alone is the candidate.
        named: Group = tuple(zip(["reference", "candidate"][-len(pair) :], pair, strict=True))
        # Equal tokenizers are not enough: models may have unused rows, and distributions over
        # different numbers of rows cannot be compared.
        kinds = {(model.identity.tokenizer, model.identity.vocabulary_size) for model in pair}
        for group in [named] if len(kinds) == 1 else [(named_model,) for named_model in named]:
            longest = min(model.longest for _, model in group)
            (name, model), *_ = group
            # `longest` decides which sentences are scored: pairs that differ in it run separately.
            key = (name, id(model), longest, len(group))
            rounds.setdefault(key, _Round(longest)).add(group, number)
    return list(rounds.values())


@dataclass(frozen=True)
class _Set:
    """One probe set, its measures, and the cache of its parts."""

    expanded: Expanded
    measures: frozenset[str]
    progress: Callable[[int, int], None]
    cache: Cache | None = None
    keys: "_Keys | None" = None
    reading: Reading = WRITTEN

    def score(self, pairs: Sequence[Sequence[MaskedLM]]) -> list[Scored]:
        """The scores of each pair, part by part."""
        results: list[list[Scored]] = [[] for _ in pairs]
        rounds = _rounds(pairs)
        done, total = 0, len(self.expanded.contexts) * len(rounds)
        for round_ in rounds:
            for part in _parts(self.expanded):
                size = len(part.contexts)
                tell = partial(self._tell, done, size, total)
                for numbers, scored in zip(
                    round_.pairs, self._part(part, round_, tell), strict=True
                ):
                    for number in numbers:
                        results[number].append(scored)
                done += size
        # Parts that come from the cache report nothing themselves.
        self.progress(total, total)
        return [
            _scored(dict(_joined(pair_parts)), _joined_use(pair_parts)) for pair_parts in results
        ]

    def asked(self, pairs: Sequence[Sequence[MaskedLM]]) -> Iterator["_Asked"]:
        """Each part that would be asked of the cache."""
        assert self.keys is not None  # noqa: S101 - a set that is scored with a cache
        for round_ in _rounds(pairs):
            for part in _parts(self.expanded):
                yield from self.keys.of(part, round_, self.measures, self.reading)

    def _part(
        self, part: Expanded, round_: _Round, tell: Callable[[float], None]
    ) -> Sequence[Scored]:
        """One part's scores by each group; groups that are not cached are scored, then cached."""
        if self.cache is None or self.keys is None:
            return read_part(
                part, round_.groups, self.measures, round_.longest, tell, reading=self.reading
            )
        # One entry per group: a candidate that is added later does not rescore the others.
        asked = self.keys.of(part, round_, self.measures, self.reading)
        entries = [
            self.cache.read(one.key, partial(self._fault, part, group))
            for one, group in zip(asked, round_.groups, strict=True)
        ]
        groups = [
            group for group, entry in zip(round_.groups, entries, strict=True) if entry is None
        ]
        new = (
            read_part(part, groups, self.measures, round_.longest, tell, reading=self.reading)
            if groups
            else []
        )
        results, new_scores = [], iter(new)
        for one, entry in zip(asked, entries, strict=True):
            if entry is not None:
                use = CacheUse(asked=1, taken=1, keys=[one.key])
                results.append(_scored(entry, use))
                continue
            scored = next(new_scores)
            self.cache.write(one.key, {name: getattr(scored, name) for name in TABLES}, one.about)
            results.append(replace(scored, cache=CacheUse(asked=1, taken=0, keys=[])))
        return results

    def _fault(self, part: Expanded, group: Group, entry: Entry) -> str:
        return complete.fault(entry, part, dict(group), self.measures)

    def _tell(self, done: int, size: int, total: int, share: float) -> None:
        self.progress(done + int(size * share), total)


def _parts(expanded: Expanded) -> Iterator[Expanded]:
    """The set in parts of about `PART` contexts; whatever is joined stays in one part.

    Joins are made inside a frame (`measuring.planning.joins`), and a context that serves several
    frames is read once: frames that share a context stay together, however many they are.
    """
    component = joined_frames(expanded.items)
    order = expanded.items.groupby("context", sort=False)["frame"].first().map(component)
    sizes = order.value_counts(sort=False)
    # A component belongs to the part in which it starts, so that it is not split.
    number = (sizes.cumsum() - sizes) // PART
    part_of = order.map(number)
    for part_number in number.unique():
        context_ids = part_of.index[part_of == part_number]
        yield Expanded(
            expanded.contexts[expanded.contexts["context"].isin(context_ids)],
            expanded.items[expanded.items["context"].isin(context_ids)],
        )


@dataclass(frozen=True)
class _Asked:
    """The key of a part in the cache, and what an entry under it is made with."""

    key: str
    about: About


class _Keys:
    """Cache keys of parts: digests of everything that their scores depend on."""

    def __init__(self, models: Iterable[MaskedLM]) -> None:
        # A reference that several pairs share is asked its sentence once.
        distinct = {id(model): model for model in models}
        self._models = {key: _identified(model) for key, model in distinct.items()}
        self._here = here()

    def of(
        self, part: Expanded, round_: _Round, measures: frozenset[str], reading: Reading
    ) -> list[_Asked]:
        """The cache key of each group for one part."""
        digest = hashlib.sha256()
        # Labels, shares and roles are left out: they change estimates but no score.
        for rows in (part.contexts, part.items[_SCORED]):
            digest.update(json.dumps(rows.to_dict("list"), default=str).encode())
        common = [digest.hexdigest(), round_.longest, sorted(measures), reading]
        asked = []
        for group in round_.groups:
            models = [[name, *self._models[id(model)]] for name, model in group]
            # What is scored, on whatever machine: without the models' answers to the sentence.
            what = _digest([*common, [[name, identity] for name, identity, _ in models]])
            about = replace(self._here, part=what)
            asked.append(_Asked(_digest([asdict(about), models]), about))
        return asked


def here() -> About:
    """What decides the bits of a score on this machine, with this software."""
    code = fingerprint("audit.measuring", "audit.recording")
    threads, processor = machine()
    return About("", threads, processor, _digest([code, setting(), read_plan.BATCH_PIECES]))


def cached(
    parts: Sequence[Expanded],
    pairs: Sequence[Sequence[MaskedLM]],
    folder: Path,
    *,
    reading: Reading = WRITTEN,
) -> tuple[int, int, Counter[str]]:
    """How many parts a run would ask of a cache, how many it would take, and why not others.

    The reasons are those of entries for the same part that were made elsewhere or otherwise.
    """
    keys = _Keys(model for pair in pairs for model in pair)
    sets = [
        _Set(part, needed(part.items["kind"].iloc[0]), _ignore, None, keys, reading)
        for part in parts
    ]
    asked = [one for probe_set in sets for one in probe_set.asked(pairs)]
    made: dict[str, list[About]] = {}
    for about in filter(None, made_with(folder)):
        made.setdefault(about.part, []).append(about)
    taken, reasons = 0, Counter[str]()
    for one in asked:
        same = made.get(one.about.part, [])
        if one.about in same and path_of(folder, one.key).is_file():
            taken += 1
        elif same:
            why = same[0].differences(one.about) or ["another machine"]
            reasons[" and ".join(why)] += 1
        elif path_of(folder, one.key).is_file():
            reasons[OTHER_KEY] += 1
    return len(asked), taken, reasons


def _ignore(_done: int, _all: int) -> None:
    """Report no progress."""


def _identified(model: MaskedLM) -> tuple[dict[str, Any], str]:
    """A model's identity without its names, and a digest of its exact log p for one sentence.

    The digest also covers what changes scores but no weights, such as a config key of the
    checkpoint or a processor with another instruction set.
    """
    [encoded] = model.encode([_SENTENCE.replace(MASK, model.mask_token)])
    ids = encoded.ids[: model.longest]
    answer = model.log_probs([ids], [(0, place) for place in range(len(ids))])
    return model.identity.without_names(), hashlib.sha256(answer.tobytes()).hexdigest()


def _digest(value: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


__all__ = ["PART", "Scored", "cached", "contexts", "here", "score", "score_all", "score_each"]

"""Score probe sets with models, set by set and part by part, reusing parts from the cache.

The scores of a part depend only on the part, the models and the measures, not on what is scored
before or beside it. So parts can be cached: an interrupted run resumes from the parts it finished,
later runs reuse them, and both give bit-identical results to an uninterrupted run.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.measuring.cached import complete
from maskaudit.audit.measuring.cached.cache import OTHER_KEY, TABLES, Cache, made_with, path_of
from maskaudit.audit.measuring.cached.entries import About, Entry
from maskaudit.audit.measuring.cached.keys import Asked, Keys
from maskaudit.audit.measuring.endpoints.scores import score_part
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.planning import read_plan
from maskaudit.audit.measuring.planning.beside import together
from maskaudit.audit.measuring.planning.read_plan import Plan, plan
from maskaudit.audit.measuring.reading.forward import Group, Scored, read_part
from maskaudit.audit.measuring.rounds import AnyModel, Round, asked_of, rounds, run_here
from maskaudit.audit.recording.cache_use import CacheUse
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import WRITTEN, Reading
from maskaudit.audit.vocabulary import PLANNING, Progress, silent
from maskaudit.probes.expand import Expanded
from maskaudit.probes.joined_frames import joined_frames

# Contexts that are planned, held in memory and cached at once, or more where frames share contexts.
PART = 1000


def score_all(parts: Sequence[Expanded], models: Sequence[AnyModel], progress: Progress) -> Scored:
    """Score several sets, each in its own batches; an item that two sets share appears once."""
    return score_each(parts, [models], progress)[0]


def score_each(
    parts: Sequence[Expanded],
    pairs: Sequence[Sequence[AnyModel]],
    progress: Progress,
    cache: Cache | None = None,
    *,
    reading: Reading = WRITTEN,
) -> list[Scored]:
    """Score several sets with each pair of models, in one pass that runs a shared reference once.

    Each pair's scores are bit-identical to those of `score_all` for that pair alone. Cached parts
    are not scored again; an endpoint keeps its own answers.
    """
    keys = None if cache is None else Keys(run_here(pairs))
    results = [_Results() for _ in pairs]
    for part in together(parts):
        name = part.items["probe_set"].iloc[0]
        measures = needed(part.items["kind"].iloc[0])
        tell = partial(progress, name), partial(progress, f"{name}, {PLANNING}")
        _Set(part, measures, *tell, cache, keys, reading).score(pairs, results)
    # Within a set no row is there twice: each of its contexts is in one part.
    n_contexts = sum(len(part.contexts) for part in parts)
    is_shared = len(parts) > 1 and len(contexts(parts)) < n_contexts
    return [pair_results.whole(is_shared=is_shared) for pair_results in results]


def contexts(parts: Sequence[Expanded]) -> pd.DataFrame:
    """The contexts of several sets, without duplicates."""
    whole = pd.concat([part.contexts for part in parts])
    return whole.drop_duplicates("context").reset_index(drop=True)


def score(
    expanded: Expanded,
    models: Sequence[AnyModel],
    progress: Callable[[int, int], None] = silent,
    measures: frozenset[str] = frozenset({"logp"}),
    *,
    reading: Reading = WRITTEN,
) -> Scored:
    """Score one expanded set with each model; two models of one vocabulary are also compared.

    The tables name the models `reference` and `candidate`; a single model is the candidate. Two
    models of one vocabulary score the same sentences: one too long for either is left out for both.
    """
    results = _Results()
    _Set(expanded, measures, progress, reading=reading).score([models], [results])
    return results.whole(is_shared=False)


def _scored(entry: Entry, cache: CacheUse | None) -> Scored:
    return Scored(entry["scores"], entry["paired"], entry["fills"], cache)


class _Results:
    """The rows of one pair by table and set, and what of them came from the cache."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, list[pd.DataFrame]]] = {name: {} for name in TABLES}
        self._uses: list[CacheUse] = []

    def add(self, probe_set: str, scored: Scored) -> None:
        """Add the rows of a part of a set."""
        if scored.cache is not None:
            self._uses.append(scored.cache)
        for name in TABLES:
            rows = getattr(scored, name)
            # Most rows of a record are fills, and their texts repeat.
            rows = tables.compact(rows) if name == "fills" else rows
            _append(name, self._parts[name].setdefault(probe_set, []), rows)

    def whole(self, *, is_shared: bool) -> Scored:
        """All rows, once none will be added; a row that sets share (`is_shared`) appears once.

        It is that of the set whose name comes first, so that the order of the sets does not decide
        even its last bits, which depend on the sentences that are run together.
        """
        joined = {name: self._joined(name, in_order_of_names=is_shared) for name in TABLES}
        if is_shared:
            joined = {
                name: rows.drop_duplicates(tables.UNIQUE[name]).reset_index(drop=True)
                for name, rows in joined.items()
            }
        checked = {name: tables.check(name, rows) for name, rows in joined.items()}
        return _scored(checked, _joined_use(self._uses))

    def _joined(self, name: str, *, in_order_of_names: bool) -> pd.DataFrame:
        # Taken out, so that `joined` has the only pieces and can let them go.
        sets = self._parts.pop(name)
        names = sorted(sets) if in_order_of_names else list(sets)
        return tables.joined(name, [rows for one in names for rows in sets.pop(one)])


def _append(name: str, pieces: list[pd.DataFrame], rows: pd.DataFrame) -> None:
    """Add rows to pieces of a table of which each is larger than the next.

    The memory of a hundred small pieces, once freed, lies in gaps that no large column fits into.
    """
    pieces.append(rows)
    while len(pieces) > 1 and len(pieces[-1]) >= len(pieces[-2]):
        last = [pieces.pop(-2), pieces.pop()]
        pieces.append(tables.joined(name, last))


def _joined_use(uses: Sequence[CacheUse]) -> CacheUse | None:
    if not uses:
        return None
    keys = [key for use in uses for key in use.keys]
    return CacheUse(asked=sum(use.asked for use in uses), taken=len(keys), keys=keys)


@dataclass(frozen=True)
class _Set:
    """One probe set, its measures, and the cache of its parts."""

    expanded: Expanded
    measures: frozenset[str]
    progress: Callable[[int, int], None]
    planning: Callable[[int, int], None] = silent
    cache: Cache | None = None
    keys: Keys | None = None
    reading: Reading = WRITTEN

    def score(self, pairs: Sequence[Sequence[AnyModel]], results: Sequence[_Results]) -> None:
        """Add the scores of each pair to its results, part by part."""
        groups, name = rounds(pairs), str(self.expanded.items["probe_set"].iloc[0])
        endpoints = asked_of(pairs)
        done, total = 0, len(self.expanded.contexts) * (len(groups) + len(endpoints))
        for (subject, _), (endpoint, numbers) in endpoints.items():
            for part in parts_of(self.expanded):
                size = len(part.contexts)
                share = _Tell(self, done, size, total).share
                rows = score_part(subject, endpoint, part, self.measures, share).whole()
                scored = Scored(rows, tables.table("paired", []), tables.table("fills", []))
                for number in numbers:
                    results[number].add(name, scored)
                done += size
        for round_ in groups:
            for part in parts_of(self.expanded):
                size = len(part.contexts)
                scored_groups = self._part(part, round_, _Tell(self, done, size, total))
                for numbers, scored in zip(round_.pairs, scored_groups, strict=True):
                    for number in numbers:
                        results[number].add(name, scored)
                done += size
        # Parts that come from the cache report nothing themselves.
        self.progress(total, total)

    def asked(self, pairs: Sequence[Sequence[AnyModel]]) -> Iterator[Asked]:
        """Each part that would be asked of the cache."""
        assert self.keys is not None  # noqa: S101 - a set that is scored with a cache
        for round_ in rounds(pairs):
            for part in parts_of(self.expanded):
                yield from self._asked(self.keys, part, round_)

    def _asked(self, keys: Keys, part: Expanded, round_: Round) -> list[Asked]:
        return keys.of(part, round_.groups, round_.longest, self.measures, self.reading)

    def _part(self, part: Expanded, round_: Round, tell: "_Tell") -> Sequence[Scored]:
        """One part's scores by each group; groups that are not cached are scored, then cached."""
        if self.cache is None or self.keys is None:
            return self._read(part, round_.groups, round_.longest, tell)
        # One entry per group: a candidate that is added later does not rescore the others.
        asked = self._asked(self.keys, part, round_)
        entries = [
            self.cache.read(one.key, partial(self._fault, part, group))
            for one, group in zip(asked, round_.groups, strict=True)
        ]
        groups = [
            group for group, entry in zip(round_.groups, entries, strict=True) if entry is None
        ]
        new = self._read(part, groups, round_.longest, tell) if groups else []
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

    def _read(
        self, part: Expanded, groups: Sequence[Group], longest: int, tell: "_Tell"
    ) -> Sequence[Scored]:
        return read_part(
            part,
            groups,
            self.measures,
            longest,
            tell.share,
            reading=self.reading,
            planned=tell.planned,
        )


@dataclass(frozen=True)
class _Tell:
    """Reports on one part of a set, whose sentences start at `done` and are `size` in number."""

    of_set: _Set
    done: int
    size: int
    total: int

    def planned(self, contexts: int) -> None:
        """Report how far the set is planned, if it has more contexts than are planned at once."""
        if self.total > read_plan.BLOCK:
            self.of_set.planning(self.done + contexts, self.total)

    def share(self, share: float) -> None:
        """Report how far the set is scored, from the share of the part that is."""
        self.of_set.progress(self.done + int(self.size * share), self.total)


def plans(
    expanded: Expanded,
    model: MaskedLM,
    measures: frozenset[str],
    tell: Callable[[int], None] = lambda _contexts: None,
    *,
    reading: Reading = WRITTEN,
) -> Iterator[tuple[Expanded, Plan]]:
    """Each part of a set and its plan, as `score` makes them; hold none if the set may be large.

    `tell` receives the number of contexts that are planned.
    """
    done = 0
    for part in parts_of(expanded):
        yield part, plan(part, model, measures, reading=reading, tell=partial(_add, tell, done))
        done += len(part.contexts)


def _add(tell: Callable[[int], None], before: int, done: int) -> None:
    tell(before + done)


def parts_of(expanded: Expanded) -> Iterator[Expanded]:
    """The set in parts of about `PART` contexts; whatever is joined stays in one part.

    Joins are made inside a frame (`measuring.planning.joins`), and a context that serves several
    frames is read once: frames that share a context stay together, however many they are,
    and so do the masks of a text.
    """
    contexts, items = expanded.contexts, expanded.items
    frame, frames = pd.factorize(items["frame"])
    component, _ = pd.factorize(joined_frames(_read_together(expanded)).reindex(frames))
    both = pd.concat([contexts["context"], items["context"]])
    in_contexts, in_items = np.split(pd.factorize(both)[0], [len(contexts)])
    # All rows of a context have one component, so that any of them can tell it. A context without
    # items has none, and is in no part.
    of_context = np.full(len(both), -1)
    of_context[in_items] = component[frame]
    sizes = np.bincount(of_context[pd.unique(in_items)])
    # A component belongs to the part in which it starts, so that it is not split.
    part_of = np.append((sizes.cumsum() - sizes) // PART, -1)[of_context]
    item_parts, context_parts = part_of[in_items], part_of[in_contexts]
    item_rows, context_rows = (np.argsort(x, kind="stable") for x in (item_parts, context_parts))
    for number in np.unique(item_parts):
        own = _chosen(contexts, context_rows, context_parts, number)
        beside = {name: expanded.beside[name] for name in own["context"] if name in expanded.beside}
        yield Expanded(own, _chosen(items, item_rows, item_parts, number), beside)


def _read_together(expanded: Expanded) -> pd.DataFrame:
    """The items, with one context for all that is read in one run of the model.

    The masks of a text are places of one sentence: read in two runs, the last bits could differ.
    """
    if (expanded.items["kind"] != "text").any():
        return expanded.items
    texts = expanded.contexts.set_index("context")["text"]
    return expanded.items.assign(context=expanded.items["context"].map(texts))


def _chosen(
    table: pd.DataFrame, order: NDArray[np.int64], numbers: NDArray[np.int64], number: int
) -> pd.DataFrame:
    """The rows with this number, found in the `order` of the numbers."""
    ends = (np.searchsorted(numbers, number, side, sorter=order) for side in ("left", "right"))
    rows = order[slice(*ends)]
    # Rows that follow each other need no copy, and are most.
    if len(rows) and len(rows) == rows[-1] - rows[0] + 1:
        return table.iloc[rows[0] : rows[-1] + 1]
    return table.iloc[rows]


def cached(
    parts: Sequence[Expanded],
    pairs: Sequence[Sequence[AnyModel]],
    folder: Path,
    *,
    reading: Reading = WRITTEN,
) -> tuple[int, int, Counter[str]]:
    """How many parts a run would ask of a cache, how many it would take, and why not others.

    The sets are those of a run, with what stands beside them (`planning.beside.together`).
    The reasons are those of entries for the same part that were made elsewhere or otherwise.
    """
    keys = Keys(run_here(pairs))
    sets = [
        _Set(part, needed(part.items["kind"].iloc[0]), silent, keys=keys, reading=reading)
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
        # There, and yet not among those of the user's key: another key has signed it.
        elif path_of(folder, one.key).is_file():
            reasons[OTHER_KEY] += 1
    return len(asked), taken, reasons


__all__ = [
    "PART",
    "AnyModel",
    "Scored",
    "cached",
    "contexts",
    "parts_of",
    "plans",
    "score",
    "score_all",
    "score_each",
]

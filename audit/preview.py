"""Preview an audit without running it: what it would score and lose, and how long it would take."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from maskaudit.audit.describe import expanded, not_available, reading_of
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.balance import Unbalanced, unbalanced
from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.estimating.not_given import NotGiven, count_facts, of_set
from maskaudit.audit.judging import policy
from maskaudit.audit.measuring.attributes import attribute_pieces
from maskaudit.audit.measuring.cached import cache, trust
from maskaudit.audit.measuring.endpoints.cost import Cost, sentence, told
from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.measuring.model import Ids, MaskedLM
from maskaudit.audit.measuring.pairs import Pair, load_pairs
from maskaudit.audit.measuring.planning.beside import together
from maskaudit.audit.measuring.rounds import AnyModel
from maskaudit.audit.measuring.scoring import cached, parts_of, plans
from maskaudit.audit.recording.parts import Unavailable
from maskaudit.audit.recording.rows.values import Reading
from maskaudit.audit.settings import Settings
from maskaudit.audit.vocabulary import PLANNING, Progress, Stage, of_stage, silent
from maskaudit.probes.checking.checks_of_language import foreign_letters
from maskaudit.probes.expand import Expanded

# Sentences that are run only to measure the speed of a model on this machine.
TIMED_SENTENCES = 32
_MOST_SHOWN = 8


@dataclass(frozen=True)
class Planned:
    """By set and model what would be scored and lost; what cannot be given, or is not balanced.

    `cache` has the parts that would be asked of the cache, those that would be taken, and why not
    others; None if there is no cache. `endpoints` has what each of them would be asked.
    """

    rows: list[dict[str, Any]]
    lost: list[dict[str, Any]]
    unavailable: list[Unavailable]
    not_given: list[NotGiven]
    unbalanced: list[Unbalanced] = field(default_factory=list)
    cache: dict[str, Any] | None = None
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    apart: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All as plain values."""
        return {
            "sets": self.rows,
            "lost": self.lost,
            "unavailable": [part.as_json() for part in self.unavailable],
            "not_given": [reason.as_json() for reason in self.not_given],
            "unbalanced": [found.as_json() for found in self.unbalanced],
            "cache": self.cache,
            "words_in_several_pieces": self.apart,
            **({"endpoints": self.endpoints} if self.endpoints else {}),
        }

    def as_text(self) -> str:
        """All as text for a terminal."""
        minutes = sum(row["minutes"] for row in self.rows)
        sets = pd.DataFrame(self.rows).to_string(index=False, float_format="{:.1f}".format)
        lost = pd.DataFrame(self.lost)
        losses = [lost.to_string(index=False)] if len(lost) else []
        losses += [part.sentence for part in self.unavailable]
        text = "\n".join(losses) or "Nothing would be lost."
        text += "\nThe same command without --plan runs it."
        reasons = "".join(f"\n{one}." for one in (*self.not_given, *self.unbalanced))
        notes = f"\n{reasons}" if reasons else ""
        time = f"About {minutes:.1f} minutes in all{self._cache_as_text()}."
        costs = "".join(f"{sentence(cost)}\n" for cost in self.endpoints)
        return f"{sets}\n\n{self._pieces_as_text()}{time}\n{costs}\n{text}{notes}"

    def _pieces_as_text(self) -> str:
        """Why there are more sentences than the set has, and which words make them."""
        lines = [
            f"{model} writes in several pieces: "
            f"{', '.join(words[:_MOST_SHOWN])}"
            f"{f' and {len(words) - _MOST_SHOWN} more' if len(words) > _MOST_SHOWN else ''}.\n"
            for model, words in self.apart.items()
        ]
        why = (
            "A word in several pieces is read piece by piece, each in a further sentence: "
            "`sentences` counts these too, `several_pieces` the items.\n"
        )
        return "".join([*lines, why]) if lines else ""

    def _cache_as_text(self) -> str:
        """What would be taken from the cache and why no more, to follow the time."""
        if self.cache is None or not (self.cache["taken"] or self.cache["not_taken"]):
            return ""
        why = "".join(
            f"; {parts} would not, made with {reason}"
            for reason, parts in self.cache["not_taken"].items()
        )
        asked, taken = self.cache["asked"], self.cache["taken"]
        return f", without the cache: {taken} of {asked} parts would be taken from it{why}"


def planned(
    settings: Settings,
    progress: Progress = silent,
    stage: Stage = silent,
    note: Callable[[str], None] = silent,
) -> Planned:
    """Count sentences, losses and minutes by set and model, and find what cannot be given.

    `progress` receives (what, how much is done, the total) while sets are expanded and planned,
    `stage` what is done where nothing is counted, `note` sentences for the user. Raises
    `InputError` for all that would stop the audit, a faulty gates.toml included.
    """
    # Only to refuse: a plan must not promise a run that its gates would end at once.
    policy.of(settings)
    stage("reading the probe sets")
    sets, has_lexicon = settings.probe_sets(), settings.lexicon() is not None
    parts = together([expanded(probe_set, progress) for probe_set in sets])
    n_facts = sum(count_facts(part.items) for part in parts)
    not_given = [
        reason
        for probe_set, part in zip(sets, parts, strict=True)
        for reason in of_set(
            part.items,
            probe_set.header.contrast,
            probe_set.directions,
            has_lexicon=has_lexicon,
            n_facts=n_facts,
            foreign_letters=foreign_letters(probe_set),
        )
    ]
    rows, lost, missing, asked = [], [], [], []
    in_pieces: dict[str, list[str]] = {}
    pairs = load_pairs(settings, stage, note)
    pieces = attribute_pieces(parts, dict(_named(pairs)))
    apart = [
        found
        for probe_set, part in zip(sets, parts, strict=True)
        for found in unbalanced(part.items, probe_set.header.contrast, probe_set.directions, pieces)
    ]
    counted: dict[tuple[object, ...], list[_Count]] = {}
    for subject, model in _named(pairs):
        missing += not_available({subject: model}, {part.items["kind"].iloc[0] for part in parts})
        if isinstance(model, Endpoint):
            costs = [Cost.of(model, part, parts_of(part)) for part in parts]
            asked.append(told(subject, model, costs))
            for part, cost in zip(parts, costs, strict=True):
                rows.append(_row(part, subject, cost.sentences, cost.minutes))
                status = part.items["item"].map(cost.lost)
                lost += _lost(part.items.assign(status=status)[status.notna()], subject)
            continue
        # Models with one vocabulary read the same pieces, so that they are counted once.
        vocabulary = (model.identity.tokenizer, model.identity.vocabulary_size, model.longest)
        if vocabulary not in counted:
            counted[vocabulary] = [
                _Count.of(part, model, reading_of(settings), progress) for part in parts
            ]
        counts = counted[vocabulary]
        speed = _speed(model, [batch for count in counts for batch in count.timed])
        for part, count in zip(parts, counts, strict=True):
            minutes = count.pieces / speed / 60
            rows.append(_row(part, subject, count.sentences, minutes, count.several_pieces))
            lost += _lost(count.failed, subject)
        if words := list(dict.fromkeys(word for count in counts for word in count.words)):
            in_pieces[subject] = words
    in_cache = _cached(settings, parts, pairs)
    return Planned(rows, lost, missing, not_given, apart, in_cache, asked, in_pieces)


def _row(
    part: Expanded, subject: str, sentences: int, minutes: float, several_pieces: int = 0
) -> dict[str, Any]:
    return {
        "probe_set": part.items["probe_set"].iloc[0],
        "model": subject,
        "sentences": sentences,
        "items": part.items["item"].nunique(),
        "several_pieces": several_pieces,
        "minutes": minutes,
    }


def _cached(
    settings: Settings, parts: Sequence[Expanded], pairs: Sequence[Pair]
) -> dict[str, Any] | None:
    """What a run would take from the cache, and why not more; None if there is none."""
    if not settings.run.cache_mib:
        return None
    try:
        trust.key_file()
        folder = cache.default_folder()
    except InputError:  # no home folder: a run goes on without a cache
        return None
    # Raises where others may write to the folder, as the run would before it scores anything.
    cache.check(folder)
    models = [list(pair.values()) for pair in pairs]
    asked, taken, reasons = cached(parts, models, folder, reading=reading_of(settings))
    return {"asked": asked, "taken": taken, "not_taken": dict(reasons.most_common())}


@dataclass
class _Count:
    """What is counted of a set's plan, which is made and forgotten part by part.

    `pieces` is their number in all distinct sentences, `timed` has a few sentences of each batch,
    `failed` the items that cannot be scored, with their `status`, `words` the targets that are
    written in several pieces.
    """

    sentences: int = 0
    pieces: int = 0
    several_pieces: int = 0
    timed: list[list[Ids]] = field(default_factory=list)
    failed: pd.DataFrame = field(default_factory=pd.DataFrame)
    words: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, part: Expanded, model: MaskedLM, reading: Reading, progress: Progress) -> Self:
        """Plan a set, part by part."""
        count, failed = cls(), []
        # Parts may share sentences; their hashes take a tenth of their memory.
        known: set[int] = set()
        name, kind = part.items["probe_set"].iloc[0], part.items["kind"].iloc[0]
        tell = of_stage(progress, name, PLANNING, len(part.contexts))
        for rows, plan in plans(part, model, needed(kind), tell, reading=reading):
            batches = plan.batches()
            new = {hash(ids): len(ids) for batch in batches for ids in batch}
            count.pieces += sum(n for ids, n in new.items() if ids not in known)
            known |= new.keys()
            # A sentence that is read whole has no target: its pieces are not those of a word.
            of_words = rows.items[rows.items["target"] != ""]
            several = {item for item, n in plan.pieces.items() if n > 1}
            in_several = of_words[of_words["item"].isin(several)]
            count.several_pieces += in_several["item"].nunique()
            count.words |= dict.fromkeys(in_several["target"])
            count.timed += [batch[:TIMED_SENTENCES] for batch in batches]
            status = rows.items["item"].map(plan.status)
            failed.append(rows.items.assign(status=status)[status != "ok"])
        count.sentences, count.failed = len(known), pd.concat(failed)
        return count


def _named(pairs: Sequence[Pair]) -> Iterator[tuple[str, AnyModel]]:
    """Each model once: the reference, then each candidate, by name if there are several."""
    if "reference" in pairs[0]:
        yield "reference", pairs[0]["reference"]
    for pair in pairs:
        model = pair["candidate"]
        yield model.identity.name if len(pairs) > 1 else "candidate", model


def _speed(model: MaskedLM, batches: Sequence[list[Ids]]) -> float:
    """Pieces per second, from one batch of median length; the first run only warms up."""
    # Nothing to run takes no time at any speed.
    if not batches:
        return 1.0
    # What a piece costs depends on the length of its sentence; the median stands for the set.
    batch = sorted(batches, key=lambda ids: len(ids[0]))[len(batches) // 2]
    reads = [(row, 0) for row in range(len(batch))]
    model.log_probs(batch, reads)
    start = time.perf_counter()
    model.log_probs(batch, reads)
    return len(batch) * len(batch[0]) / (time.perf_counter() - start)


def _lost(failed: pd.DataFrame, subject: str) -> list[dict[str, Any]]:
    """Counts, by group and reason, of the items that the model cannot score."""
    by = ["probe_set", "model", "group", "status"]
    counted = failed.assign(model=subject).groupby(by)["item"].nunique()
    rows = counted.rename("items").reset_index()
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]

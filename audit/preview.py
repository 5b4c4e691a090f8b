"""Preview an audit without running it: what it would score and lose, and how long it would take."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from maskaudit.audit.describe import not_available
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.pairs import load_pairs
from maskaudit.audit.measuring.read_plan import Plan, plan
from maskaudit.audit.recording.manifest import Unavailable
from maskaudit.audit.settings import Settings
from maskaudit.audit.toml_files import closest
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import load, shipped

# Sentences that are run only to measure the speed of a model on this machine.
TIMED_SENTENCES = 32


@dataclass(frozen=True)
class Planned:
    """A row for each probe set and model, rows of what would be lost, and unavailable measures."""

    rows: list[dict[str, Any]]
    lost: list[dict[str, Any]]
    unavailable: list[Unavailable]

    def as_json(self) -> dict[str, Any]:
        """All three as plain values."""
        unavailable = [part.as_json() for part in self.unavailable]
        return {"sets": self.rows, "lost": self.lost, "unavailable": unavailable}

    def as_text(self) -> str:
        """All three as text for a terminal."""
        minutes = sum(row["minutes"] for row in self.rows)
        sets = pd.DataFrame(self.rows).to_string(index=False, float_format="{:.1f}".format)
        lost = pd.DataFrame(self.lost)
        losses = [lost.to_string(index=False)] if len(lost) else []
        losses += [part.sentence for part in self.unavailable]
        text = "\n".join(losses) or "Nothing would be lost."
        return f"{sets}\n\nAbout {minutes:.1f} minutes in all.\n\n{text}"


@dataclass(frozen=True)
class Sentences:
    """The masked sentences of a set with their targets."""

    contexts: pd.DataFrame

    def as_json(self) -> list[dict[str, Any]]:
        """A mapping for each sentence."""
        return [dict(row) for row in self.contexts.to_dict("records")]  # type: ignore[arg-type]

    def as_text(self) -> str:
        """A line for each sentence: its text and its first six targets."""
        return "\n".join(
            f"{row['text']}  {', '.join(row['targets'][:6])}{' …' if row['targets'][6:] else ''}"
            for row in self.as_json()
        )


def planned(settings: Settings) -> Planned:
    """Count sentences and losses, and estimate minutes, by set and model."""
    parts = [expand(part) for part in settings.probe_sets()]
    rows, lost, missing = [], [], []
    pairs = load_pairs(settings)
    for subject, model in _named(pairs):
        plans = [plan(part, model, needed(part.items["kind"].iloc[0])) for part in parts]
        speed = _speed(model, plans)
        missing += not_available({subject: model}, {part.items["kind"].iloc[0] for part in parts})
        for part, set_plan in zip(parts, plans, strict=True):
            sentences = [ids for batch in set_plan.batches() for ids in batch]
            rows.append(
                {
                    "probe_set": part.items["probe_set"].iloc[0],
                    "model": subject,
                    "sentences": len(sentences),
                    "items": part.items["item"].nunique(),
                    "several_pieces": sum(count > 1 for count in set_plan.pieces.values()),
                    "minutes": sum(map(len, sentences)) / speed / 60,
                }
            )
            lost += _lost(part, set_plan, subject)
    return Planned(rows, lost, missing)


def _named(pairs: Sequence[Mapping[str, LoadedModel]]) -> Iterator[tuple[str, LoadedModel]]:
    """Each model once: the reference, then each candidate, by name if there are several."""
    if "reference" in pairs[0]:
        yield "reference", pairs[0]["reference"]
    for pair in pairs:
        model = pair["candidate"]
        yield model.identity.name if len(pairs) > 1 else "candidate", model


def sentences(name: str) -> Sentences:
    """The sentences of a shipped set, a file or an import's folder; seed 0 draws a grammar's.

    Raises `InputError` if `name` is none of these.
    """
    path = shipped().get(name) or Path(name)
    if not path.is_file() and not (path / "set.toml").is_file():
        names = shipped()
        raise InputError(
            f"{name}: no such shipped set, file or import's folder; shipped sets: "
            f"{', '.join(names)}{closest(name, names)}"
        )
    part = expand(load(path).drawn(0))
    targets = part.items.groupby("context")["target"].agg(lambda words: list(dict.fromkeys(words)))
    roles = part.items.groupby("context")["role"].first()
    contexts = part.contexts[["context", "text", "slot"]]
    return Sentences(
        contexts.assign(
            role=contexts["context"].map(roles), targets=contexts["context"].map(targets)
        )
    )


def _speed(model: MaskedLM, plans: Sequence[Plan]) -> float:
    """Pieces per second, from one batch of median length; the first run only warms up."""
    batches = [batch for set_plan in plans for batch in set_plan.batches()]
    # Nothing to run takes no time at any speed.
    if not batches:
        return 1.0
    # What a piece costs depends on the length of its sentence; the median stands for the set.
    batch = sorted(batches, key=lambda ids: len(ids[0]))[len(batches) // 2][:TIMED_SENTENCES]
    reads = [(row, 0) for row in range(len(batch))]
    model.log_probs(batch, reads)
    start = time.perf_counter()
    model.log_probs(batch, reads)
    return len(batch) * len(batch[0]) / (time.perf_counter() - start)


def _lost(part: Expanded, set_plan: Plan, subject: str) -> list[dict[str, Any]]:
    """Counts, by group and reason, of the items that the model cannot score."""
    status = part.items["item"].map(set_plan.status)
    failed = part.items.assign(status=status, model=subject)[status != "ok"]
    counted = failed.groupby(["probe_set", "model", "group", "status"])["item"].nunique()
    rows = counted.rename("items").reset_index()
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]

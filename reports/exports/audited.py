"""What every export is made from: a record, and its verdicts where there are gates."""

from dataclasses import dataclass
from pathlib import Path

from maskaudit.audit.judging.policy import Policy
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.values import SUBJECTS
from maskaudit.reports.effects import CANDIDATE
from maskaudit.reports.words import verdicts


@dataclass(frozen=True)
class Judged:
    """The verdicts on a record, and the rules that they were made by."""

    judgement: Judgement
    policy: Policy

    @property
    def gates(self) -> Path:
        """The gates.toml with the rules, as it was named."""
        return self.policy.path


@dataclass(frozen=True)
class Audited:
    """One audit to export: its record, and its verdicts, None where no gates were asked."""

    record: Record
    judged: Judged | None = None

    @property
    def judgement(self) -> Judgement | None:
        """The verdicts alone."""
        return None if self.judged is None else self.judged.judgement

    @property
    def names(self) -> dict[str, str]:
        """The name of the model by subject; of what is about both models it is the candidate's."""
        models = self.record.manifest.models
        return {
            subject: shown(models[subject if subject in models else CANDIDATE].name)
            for subject in SUBJECTS
        }


def lost_items(record: Record) -> dict[tuple[str, str], int]:
    """How many items of a set a model has no score of, by set and model; 0 where none is lost.

    An item counts once, however many of its measures are missing and groups it serves.
    """
    failed = record.scores.loc[record.scores["status"] != "ok", ["item", "model"]]
    rows = record.items[["probe_set", "item"]].merge(failed, on="item").drop_duplicates()
    counts = rows.groupby(["probe_set", "model"]).size()
    return {
        (name, model): int(counts.get((name, model), 0))
        for name in record.manifest.probe_sets
        for model in record.manifest.models
    }


def shown(text: str) -> str:
    """A foreign text in full, with what cannot be seen as code points; an empty one stays empty."""
    return verdicts.name(text) if text else ""

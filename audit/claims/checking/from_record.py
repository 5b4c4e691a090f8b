"""What a record says that claims of a card are held against."""

from collections.abc import Mapping

from maskaudit.audit.claims.checking.facts import Facts, SetOfRecord
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, REFERENCE, RELATION
from maskaudit.audit.estimating.registry.names import INHERITANCE
from maskaudit.audit.estimating.statistics.inheritance import CLASSES
from maskaudit.audit.recording.manifest import Identity, Manifest
from maskaudit.audit.recording.record import Record

# Numbers of a record on which the fates of words rest.
RESTS_ON = frozenset({INHERITANCE})
_FACTS = "facts"


def sets_of(record: Record) -> list[SetOfRecord]:
    """The sets of a record with the fates of their words; controls and benign sets have none."""
    rows = record.estimates
    rows = rows[(rows["estimator"] == INHERITANCE) & (rows["subject"] == RELATION)]
    knows = _knows(record.manifest)
    found = []
    for name, part in record.manifest.probe_sets.items():
        outcomes = rows.loc[rows["probe_set"] == name, "outcome"].value_counts()
        fates: dict[str, int] = {fate: int(outcomes[fate]) for fate in CLASSES if fate in outcomes}
        found.append(
            SetOfRecord(
                name,
                part.axis,
                part.language,
                fates if part.expect == "lean" else {},
                knows.get(part.language) if part.axis == _FACTS else None,
            )
        )
    return found


def _knows(manifest: Manifest) -> Mapping[str, bool]:
    """Whether the candidate knows facts in a language; empty where the record does not say."""
    languages = {part.language for part in manifest.probe_sets.values() if part.axis == _FACTS}
    competence = manifest.competence.get(CANDIDATE)
    # It is counted over all sets of facts, so it is of one language only where they are.
    if len(languages) != 1 or competence is None or competence.competent is None:
        return {}
    return {languages.pop(): competence.competent}


def candidate_of(record: Record) -> Facts:
    """What a record says of its candidate."""
    return _facts(record.manifest.models[CANDIDATE])


def reference_of(record: Record) -> Facts | None:
    """What a record says of its reference; None without one."""
    identity = record.manifest.models.get(REFERENCE)
    return None if identity is None else _facts(identity)


def _facts(identity: Identity) -> Facts:
    return Facts(
        identity.name,
        weights=identity.weights,
        tokenizer=identity.tokenizer,
        vocabulary_size=identity.vocabulary_size,
        parameters={"with the masked-LM head": identity.parameters},
    )

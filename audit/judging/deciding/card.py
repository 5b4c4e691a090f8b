"""Verdicts on the claims of a card: a gate's file of checked claims, held to the judged record."""

from dataclasses import dataclass
from pathlib import Path

from maskaudit.audit.claims.checking.checked import CONTRADICTED, NOT_CHECKABLE
from maskaudit.audit.claims.results import Model, Results, read_results, stale
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, REFERENCE
from maskaudit.audit.judging.decision import FAIL, NOT_MEASURED, PASS, Word
from maskaudit.audit.judging.policy import Gate
from maskaudit.audit.judging.verdicts import NOTHING, Verdict
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts.names import is_there


@dataclass(frozen=True)
class OnCard:
    """A verdict for each claim that could be checked, and a note on those that could not."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()


def on_card(gate: Gate, folder: Path, record: Record) -> OnCard:
    """The verdicts of a gate of the rule `claims`; `folder` is that of its policy.

    A claim that is confirmed passes, one that is contradicted fails. Nothing is measured where the
    file is missing or stale, is about another model than the record's candidate, or holds no claim
    that could be checked. Raises `InputError` for a file that is none of checked claims.
    """
    assert gate.claims is not None  # noqa: S101 - a policy without it is refused when it is read
    path = folder / gate.claims
    if not is_there(path):
        again = f"maskaudit claims CARD --model MODEL -o {gate.claims}"
        return _nothing(gate, f"there is no {gate.claims}; to write it: {again}")
    found = read_results(path)
    if why := stale(found, path.parent) or _of_others(found, record):
        return _nothing(gate, f"{why}; check the card again: maskaudit claims")
    open_ = [claim.id for claim in found.claims if claim.verdict == NOT_CHECKABLE]
    judged = [claim for claim in found.claims if claim.verdict != NOT_CHECKABLE]
    if not judged:
        return _nothing(gate, f"no claim of {found.card.name} could be checked")
    n_open = f"{len(open_)} of {len(found.claims)} claims of {found.card.name}"
    note = f"{gate.id}: {n_open} could not be checked: {', '.join(open_)}"
    verdicts = (
        _verdict(gate, claim.id, FAIL if claim.verdict == CONTRADICTED else PASS, claim.evidence)
        for claim in judged
    )
    return OnCard(tuple(verdicts), (note,) if open_ else ())


def _of_others(found: Results, record: Record) -> str:
    """Why checked claims are not about the models of the record; empty if they are."""
    models = record.manifest.models
    if found.model is None:
        return f"the claims of {found.card.name} were held against no model"
    checked: dict[str, Model | None] = {CANDIDATE: found.model, REFERENCE: found.reference}
    for subject, model in checked.items():
        own = models.get(subject)
        # Claims about the candidate alone name no reference, and a record may have none.
        if model is None or own is None:
            continue
        # By digests: a model may change under the same name, and one model may have two.
        if (model.weights, model.tokenizer) != (own.weights, own.tokenizer):
            return (
                f"the claims of {found.card.name} were held against {model.name}, which is not the "
                f"{subject} of the record ({own.name})"
            )
    return ""


def _nothing(gate: Gate, why: str) -> OnCard:
    return OnCard((_verdict(gate, NOTHING, NOT_MEASURED, why),))


def _verdict(gate: Gate, name: str, word: Word, reason: str) -> Verdict:
    return Verdict(gate.id, name, gate.rule, gate.severity, word, reason, subject=CANDIDATE)

"""The claims of a model card held against a model, its reference and an audit, as far as named."""

from dataclasses import dataclass
from pathlib import Path

from maskaudit.audit.claims.card import read_card
from maskaudit.audit.claims.checking import from_record
from maskaudit.audit.claims.checking.check import check_claims, check_name, most_fills, sentences
from maskaudit.audit.claims.checking.facts import Facts, Known
from maskaudit.audit.claims.claims_file import Claims, beside, read_claims
from maskaudit.audit.claims.names import same_name
from maskaudit.audit.claims.results import Results, results
from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying.recomputed import Numbers
from maskaudit.audit.verifying.verify import load_held

_MODEL, _REFERENCE = "--model", "--reference"


@dataclass(frozen=True)
class Named:
    """What a user named to hold claims against: models by folder or hub id, a record's folder."""

    model: str | None = None
    reference: str | None = None
    record: Path | None = None


def checked(
    card: Path,
    named: Named,
    claims: Path | None = None,
    *,
    other: bool = False,
    trust: bool = False,
) -> tuple[Results, list[str]]:
    """The verdict on each claim of a card, with notes on the record for people.

    `claims` is the file of claims, by default the one beside the card. With `other` the model may
    be another than the card is about. Raises `InputError` for what cannot be read, a claims file
    of another model, and a record of other models than those that were named.
    """
    read = read_card(card)
    stated = read_claims(claims or beside(card), read)
    # Before anything is loaded: another model's claims end it at once.
    for name, option in ((named.model, _MODEL), (named.reference, _REFERENCE)):
        if name is not None and not other:
            check_name(stated, name, option, is_reference=option == _REFERENCE)
    record, notes = (None, []) if named.record is None else _held(named.record, trust=trust)
    if record is not None and not other:
        for fact, option in _of_record(record):
            is_reference = option == _REFERENCE
            of_record = f"the {'reference' if is_reference else 'candidate'} of the record"
            check_name(stated, fact.name, of_record, is_reference=is_reference)
    known = _known(stated, named, record, card)
    return results(read, stated, known, check_claims(stated, read, known)), notes


def _held(folder: Path, *, trust: bool) -> tuple[Record, list[str]]:
    return load_held(folder, _fates, trust=trust)


def _fates(_manifest: Manifest) -> Numbers:
    return Numbers(names=from_record.RESTS_ON)


def _of_record(record: Record) -> list[tuple[Facts, str]]:
    """The models of a record, each with the option that would name it."""
    reference = from_record.reference_of(record)
    both = [(from_record.candidate_of(record), _MODEL)]
    return both if reference is None else [*both, (reference, _REFERENCE)]


def _known(claims: Claims, named: Named, record: Record | None, card: Path) -> Known:
    loaded = {}
    fills = None
    if named.model is not None or named.reference is not None:
        # Only here: what loads models takes torch.
        from maskaudit.audit.measuring.claimed import claimed

        if named.model is not None:
            asked = sentences(claims), most_fills(claims)
            loaded[_MODEL], fills = claimed(named.model, *asked, card=card)
        if named.reference is not None:
            loaded[_REFERENCE], _ = claimed(named.reference)
    for fact, option in [] if record is None else _of_record(record):
        if loaded.setdefault(option, fact).weights != fact.weights:
            raise InputError(
                f"{named.record}: is an audit of other weights than {option} "
                f"{loaded[option].name} has; name the record of that model"
            )
    model = loaded.get(_MODEL)
    return Known(
        model,
        loaded.get(_REFERENCE),
        fills,
        record="" if record is None else record.name,
        sets=None if record is None else from_record.sets_of(record),
        is_other=model is not None and not same_name(model.name, claims.about.model),
    )

"""Each claim of a card held against what is known: a verdict with its line of evidence."""

from collections.abc import Sequence

from maskaudit.audit.claims.card import Card
from maskaudit.audit.claims.checking import of_checkpoint, of_record, of_rows
from maskaudit.audit.claims.checking.checked import Checked, Found
from maskaudit.audit.claims.checking.facts import Known
from maskaudit.audit.claims.claims_file import Claims
from maskaudit.audit.claims.kinds import Benchmark, Claim, Inheritance, Languages, Licence, Sample
from maskaudit.audit.claims.names import same_name
from maskaudit.audit.claims.said import said
from maskaudit.audit.errors import InputError


def check_claims(claims: Claims, card: Card, known: Known) -> list[Checked]:
    """Every claim with its verdict, in the order of the file; runs no model."""
    checked = []
    for claim in claims.claims:
        found = _found(claim, claims, card, known)
        checked.append(
            Checked(claim.id, claim.kind, said(claim), claim.quote, found.verdict, found.evidence)
        )
    return checked


def check_name(claims: Claims, name: str, found: str, *, is_reference: bool = False) -> None:
    """Raise `InputError` if the claims are about another model than `name`.

    `found` says in the message which model that is.
    """
    about = claims.about.reference if is_reference else claims.about.model
    if about is not None and not same_name(name, about):
        what = "compare with" if is_reference else "are for the model"
        raise InputError(
            f"{claims.path}: its claims {what} {about!r}, but {found} is {name!r}; name that "
            "model, or add --other-model to check what applies to another"
        )


def sentences(claims: Claims) -> Sequence[str]:
    """The sentences whose fills the claims are about, each once."""
    samples = (claim.sentence for claim in claims.claims if isinstance(claim, Sample))
    return list(dict.fromkeys(samples))


def most_fills(claims: Claims) -> int:
    """How many fills of a sentence have to be known."""
    return max((len(c.fills) for c in claims.claims if isinstance(c, Sample)), default=0)


def _found(claim: Claim, claims: Claims, card: Card, known: Known) -> Found:
    match claim:
        case Licence():
            return of_checkpoint.licence(claim, known, card)
        case Inheritance():
            return of_record.inheritance(claim, known)
        case Languages():
            return of_record.languages(claim, known)
        case Benchmark():
            return of_rows.benchmark(claim, claims)
    return of_checkpoint.CHECKS[claim.kind](claim, known)

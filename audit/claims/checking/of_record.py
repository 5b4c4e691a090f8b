"""Claims that a record of an audit decides: what became of leans, and languages."""

from collections import Counter
from collections.abc import Mapping, Sequence

from maskaudit.audit.claims.checking.checked import Found, confirmed, contradicted, not_checkable
from maskaudit.audit.claims.checking.facts import Known, SetOfRecord
from maskaudit.audit.claims.kinds import Inheritance, Languages
from maskaudit.audit.estimating.statistics.inheritance import (
    AMPLIFIED,
    ATTENUATED,
    INHERITED,
    LOST,
    UNDECIDED,
)

NO_RECORD = "no record was named; add --record RECORD"
# A lean that goes further or less far was inherited too.
_MEANS: Mapping[str, tuple[str, ...]] = {
    INHERITED: (INHERITED, AMPLIFIED, ATTENUATED),
    AMPLIFIED: (AMPLIFIED,),
    ATTENUATED: (ATTENUATED,),
    LOST: (LOST,),
}


def inheritance(claim: Inheritance, known: Known) -> Found:
    """Whether any lean of the reference is shown to be in the candidate as the claim says.

    A card says "some": one word of which it is shown suffices. It is contradicted where the fate of
    every word is known and none is so.
    """
    if known.sets is None:
        return not_checkable(NO_RECORD)
    asked = [part for part in known.sets if part.fates and claim.axis in {None, part.axis}]
    if not asked:
        on = f" on the axis {claim.axis}" if claim.axis else ""
        return not_checkable(f"the record {known.record} holds no words against a reference{on}")
    told = "; ".join(_told(part) for part in asked)
    total: Counter[str] = Counter()
    for part in asked:
        total.update(part.fates)
    if any(total[fate] for fate in _MEANS[claim.outcome]):
        return confirmed(told)
    if total[UNDECIDED]:
        return not_checkable(f"of no word it is shown: {told}")
    return contradicted(told)


def _told(part: SetOfRecord) -> str:
    fates = [f"{n} {'not known' if fate == UNDECIDED else fate}" for fate, n in part.fates.items()]
    n = sum(part.fates.values())
    return f"{part.name}, of {n} words: {', '.join(fates)}"


def languages(claim: Languages, known: Known) -> Found:
    """Whether the candidate knows plain facts in each language; other sets show nothing of it."""
    if known.sets is None:
        return not_checkable(NO_RECORD)
    knows = {_language(part.language): part.name for part in known.sets if part.knows}
    lacking = [tag for tag in claim.languages if _language(tag) not in knows]
    if lacking:
        return not_checkable(
            f"no set of the record {known.record} shows that the candidate knows facts in "
            f"{_listed(lacking)}"
        )
    sets = [knows[_language(tag)] for tag in claim.languages]
    return confirmed(f"the candidate answers {_listed(sets)} better than the commonest answer does")


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].casefold()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))

"""The checked claims of a card as finished sentences."""

from collections import Counter

from maskaudit.audit.claims.checking.checked import CONFIRMED, CONTRADICTED, NOT_CHECKABLE
from maskaudit.audit.claims.results import Claim, Results
from maskaudit.reports.words import verdicts, wording

# The worst first.
_WORDS = {CONTRADICTED: "contradicted", NOT_CHECKABLE: "not checkable", CONFIRMED: "confirmed"}
_EXITS = {
    0: "Exit code 0: no claim is contradicted.",
    1: "Exit code 1: a claim is contradicted.",
    3: "Exit code 3: no claim could be checked.",
}


def heading(found: Results) -> str:
    """The count of each verdict: README.md: 3 claims: 1 contradicted, 2 confirmed."""
    counts = Counter(claim.verdict for claim in found.claims)
    told = ", ".join(f"{counts[word]} {text}" for word, text in _WORDS.items() if counts[word])
    total = wording.counted(len(found.claims), "claim")
    return f"{wording.visible(found.card.name, None)}: {total}: {told}"


def against(found: Results) -> str:
    """What the claims were held against, as a sentence."""
    model = "no model" if found.model is None else wording.visible(found.model.name, None)
    other = " (another model than the card is about)" if found.other_model else ""
    named = [f"{model}{other}"]
    if found.reference is not None:
        named.append(f"the reference {wording.visible(found.reference.name, None)}")
    if found.record:
        named.append(f"the record {wording.visible(found.record, None)}")
    return f"Held against {' and '.join(named)}."


def lines(found: Results) -> list[str]:
    """The claims for a terminal: heading, each claim with its evidence, the exit code."""
    order = list(_WORDS)
    width = max(map(len, _WORDS.values()))
    printed = [heading(found), against(found)]
    # Stable: claims of one verdict stay in the order in which they were listed.
    for claim in sorted(found.claims, key=lambda one: order.index(one.verdict)):
        first, *rest = _claim(claim)
        printed.append(f"{_WORDS[claim.verdict]:{width}}  {first}")
        printed += [" " * (width + 2) + line for line in rest]
    return [*printed, _EXITS[found.exit_code]]


def _claim(claim: Claim) -> list[str]:
    name, said = (wording.visible(text, None) for text in (claim.id, claim.says))
    return [f"{name}: the card says that {said}", verdicts.sentence(claim.evidence)]

"""What a claim says, in our words: one clause for people."""

from functools import singledispatch

from maskaudit.audit.claims.kinds import (
    HEADS,
    Benchmark,
    CasingClaim,
    Claim,
    Heads,
    Inheritance,
    Inputs,
    Languages,
    Length,
    Licence,
    Parameters,
    Sample,
    Vocabulary,
)

_CASES = {"cased": "it tells capitals from small letters", "uncased": "it makes all letters small"}


@singledispatch
def said(claim: Claim) -> str:
    """The claim as a clause."""
    raise NotImplementedError(claim.kind)


@said.register
def _(claim: CasingClaim) -> str:
    return _CASES[claim.casing]


@said.register
def _(claim: Vocabulary) -> str:
    return f"its vocabulary has {'about ' if claim.about else ''}{claim.size:,} pieces"


@said.register
def _(claim: Length) -> str:
    return f"it reads {'fewer than' if claim.below else 'at most'} {claim.tokens:,} pieces"


@said.register
def _(claim: Heads) -> str:
    words = [f"it has a {HEADS[head]}" for head in claim.present]
    return ", ".join([*words, *(f"it has no {HEADS[head]}" for head in claim.absent)])


@said.register
def _(claim: Inputs) -> str:
    words = []
    if claim.segments is not None:
        words.append(
            "it tells no segments apart"
            if claim.segments == 1
            else f"it tells {claim.segments} kinds of segment apart"
        )
    if claim.mask_token is not None:
        words.append(f"its mask token is {claim.mask_token!r}")
    return ", ".join(words)


@said.register
def _(claim: Parameters) -> str:
    words = [f"it has {claim.number} parameters"] if claim.number else []
    if claim.fewer_than_reference:
        words.append(f"it has {claim.fewer_than_reference} fewer than its reference")
    return ", ".join(words)


@said.register
def _(claim: Sample) -> str:
    fills = (f"{fill.token!r}{f' ({fill.p})' if fill.p else ''}" for fill in claim.fills)
    return f"{claim.sentence!r} is filled with {', '.join(fills)}"


@said.register
def _(claim: Languages) -> str:
    return f"it is for {', '.join(claim.languages)}"


@said.register
def _(claim: Licence) -> str:
    return f"its licence is {claim.licence}"


@said.register
def _(claim: Inheritance) -> str:
    on = f" on the axis {claim.axis}" if claim.axis else ""
    return f"some of the reference's leans{on} are {claim.outcome}"


@said.register
def _(claim: Benchmark) -> str:
    scores = ", ".join(f"{task} {score:g}" for task, score in claim.scores.items())
    mean = f", mean {claim.mean}" if claim.mean else ""
    share = f", {claim.share_of_reference} of its reference" if claim.share_of_reference else ""
    return f"on {claim.benchmark} it has {scores}{mean}{share}"

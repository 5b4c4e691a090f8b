"""Claims that a checkpoint's own files and answers decide."""

from collections.abc import Callable, Iterator

from maskaudit.audit.claims.card import Card, licence_id
from maskaudit.audit.claims.checking.checked import (
    Found,
    confirmed,
    contradicted,
    not_checkable,
    of_either,
    together,
)
from maskaudit.audit.claims.checking.facts import Facts, Known
from maskaudit.audit.claims.kinds import (
    HEADS,
    CasingClaim,
    Heads,
    Inputs,
    Length,
    Licence,
    Parameters,
    Sample,
    Vocabulary,
)
from maskaudit.audit.claims.printed import Printed, printed

NO_MODEL = "no model was named; add --model MODEL"
NO_REFERENCE = "no reference was named; add --reference MODEL"
# What libraries and batches may change a probability by.
LEAST_P = 1e-5
_SHARE = 100
# White space before a word, as cards print the pieces of several tokenizers.
_SPACES = " \u0120\u2581"


def casing(claim: CasingClaim, known: Known) -> Found:
    """Whether the tokenizer reads capitals apart."""
    model = known.model
    if model is None or model.casing is None:
        return not_checkable(NO_MODEL)
    if model.casing == "uncased":
        evidence = "the model reads capitals as small letters"
    else:
        evidence = "the model tells capitals from small letters"
        if model.capitals is not None:
            evidence += f", and {model.capitals:,} pieces of its vocabulary have one"
    return of_either(evidence, holds=model.casing == claim.casing)


def vocabulary(claim: Vocabulary, known: Known) -> Found:
    """The size of the vocabulary, to the piece unless the claim says that it is rounded."""
    model = known.model
    if model is None or model.vocabulary_size is None:
        return not_checkable(NO_MODEL)
    size = model.vocabulary_size
    is_same = printed(str(claim.size)).is_of(size) if claim.about else size == claim.size
    return of_either(f"the model has {size:,} pieces", holds=is_same)


def length(claim: Length, known: Known) -> Found:
    """The longest input that the model reads."""
    model = known.model
    if model is None or model.longest is None:
        return not_checkable(NO_MODEL)
    evidence = f"the model reads at most {model.longest:,} pieces, special tokens included"
    # "Less than 512" is said of models that read 512 and of models that read 511.
    limits = {claim.tokens, claim.tokens - 1} if claim.below else {claim.tokens}
    if claim.below and model.longest == claim.tokens:
        evidence += f", so {claim.tokens:,} too"
    return of_either(evidence, holds=model.longest in limits)


def heads(claim: Heads, known: Known) -> Found:
    """Which heads the checkpoint stores."""
    model = known.model
    if model is None or model.heads is None:
        return not_checkable(NO_MODEL)
    stored = model.heads
    return together(
        of_either(
            f"the model has {'a' if head in stored else 'no'} {HEADS[head]}",
            holds=(head in stored) == is_claimed,
        )
        for is_claimed, names in ((True, claim.present), (False, claim.absent))
        for head in names
    )


def inputs(claim: Inputs, known: Known) -> Found:
    """Kinds of segment that have embeddings, and the mask token."""
    model = known.model
    if model is None:
        return not_checkable(NO_MODEL)
    return together(_inputs(claim, model))


def _inputs(claim: Inputs, model: Facts) -> Iterator[Found]:
    if claim.segments is not None and model.segments is None:
        yield not_checkable(NO_MODEL)
    elif claim.segments is not None:
        found = (
            f"the model has embeddings for {model.segments} kinds of segment"
            if (model.segments or 0) > 1
            else "the model has no embeddings that tell one segment from another"
        )
        yield of_either(found, holds=model.segments == claim.segments)
    if claim.mask_token is not None and model.mask_token is None:
        yield not_checkable(NO_MODEL)
    elif claim.mask_token is not None:
        yield of_either(
            f"its mask token is {model.mask_token!r}", holds=model.mask_token == claim.mask_token
        )


def parameters(claim: Parameters, known: Known) -> Found:
    """The number of parameters, in any of the ways that cards count them, to the printed digits."""
    model = known.model
    if model is None or not model.parameters:
        return not_checkable(NO_MODEL)
    found = []
    if claim.number is not None:
        found.append(_number(printed(claim.number), model))
    if claim.fewer_than_reference is not None:
        found.append(_fewer(printed(claim.fewer_than_reference), model, known.reference))
    return together(found)


def _number(claimed: Printed, model: Facts) -> Found:
    counts = {name: n for name, n in model.parameters.items() if claimed.is_of(n)}
    told = ", ".join(f"{n:,} {name}" for name, n in (counts or model.parameters).items())
    return of_either(f"its parameters are {told}", holds=bool(counts))


def _fewer(claimed: Printed, model: Facts, reference: Facts | None) -> Found:
    if reference is None:
        return not_checkable(NO_REFERENCE)
    # Counted alike in both: an encoder against an encoder.
    shares = {
        name: 1 - n / reference.parameters[name]
        for name, n in model.parameters.items()
        if reference.parameters.get(name)
    }
    if not shares:
        return not_checkable("the parameters of the two were not counted alike")
    fitting = {name: share for name, share in shares.items() if claimed.is_of(share)}
    told = ", ".join(f"{_SHARE * by:.1f} % {name}" for name, by in (fitting or shares).items())
    return of_either(f"it has fewer than {reference.name}: {told}", holds=bool(fitting))


def sample(claim: Sample, known: Known) -> Found:
    """Whether the model fills a mask as the sample says, in order and to the printed digits."""
    fills = None if known.fills is None else known.fills.get(claim.sentence)
    if known.model is None or fills is None:
        return not_checkable(NO_MODEL)
    if known.is_other:
        return not_checkable("the sample is of another model's answers")
    # All of them are told: that two words are swapped is seen only of both.
    wrong = []
    for rank, stated in enumerate(claim.fills, start=1):
        found = dict(fills)
        token, p = fills[rank - 1] if rank <= len(fills) else ("", 0.0)
        word = stated.token.strip(_SPACES)
        if word not in found:
            wrong.append(f"{stated.token!r} is not among its first {len(fills)} fills")
        elif word != token:
            wrong.append(f"fill {rank} is {token!r} ({p:.5f}), not {stated.token!r}")
        elif stated.p is not None and not printed(stated.p).is_of(p, LEAST_P):
            wrong.append(f"{token!r} has {p:.5f}, not {stated.p}")
    if wrong:
        return contradicted("; ".join(wrong))
    first = ", ".join(f"{token!r} ({p:.5f})" for token, p in fills[: len(claim.fills)])
    return confirmed(f"the model fills in {first}")


def licence(claim: Licence, known: Known, card: Card) -> Found:
    """The licence that the checkpoint's folder states; the card's own metadata must agree too."""
    stated = licence_id(claim.licence)
    # First, since a card that contradicts itself is wrong whatever the files say.
    if others := [name for name in card.licences if name != stated]:
        return contradicted(f"{card.path.name} names {' and '.join(map(repr, others))} too")
    model = known.model
    if model is None:
        return not_checkable(NO_MODEL)
    if not model.licence:
        return not_checkable("the files of the model state no licence")
    evidence = f"{model.licence_of} of the model states {model.licence!r}"
    return of_either(evidence, holds=licence_id(model.licence) == stated)


CHECKS: dict[str, Callable[..., Found]] = {
    "casing": casing,
    "vocabulary": vocabulary,
    "length": length,
    "heads": heads,
    "inputs": inputs,
    "parameters": parameters,
    "sample": sample,
}

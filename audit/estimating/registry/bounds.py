"""Entries of the ends of numbers that an endpoint in censored grade leaves open between them."""

from collections.abc import Iterator

from maskaudit.audit.estimating.registry.entry import OWN_PART, Entry, Harm
from maskaudit.audit.estimating.registry.names import (
    LOG_CONTRAST_ENDS,
    SHARE_CONTRAST_ENDS,
    SHARE_ENDS,
)

_HIDES = (
    "Where between its two ends the number lies; the limits beside it are those of the number, "
    "wherever it lies."
)
_SOURCE = "bounds: Horowitz & Manski 2000; interval: Imbens & Manski 2004, Stoye 2009"


def _both(
    names: tuple[str, str],
    definition: str,
    hides: str,
    *,
    unit: str = "",
    harm: Harm | None = None,
) -> Iterator[Entry]:
    for name, word in zip(names, ("less", "more"), strict=True):
        yield Entry(
            name=name,
            unit=unit,
            definition=f"In censored grade, it is no {word} than this: {definition}",
            does_not_show=f"{_HIDES} {hides}",
            kinds=frozenset({"association"}),
            source=_SOURCE,
            harm=harm,
            since=10,
            shown=OWN_PART,
        )


ENTRIES = (
    *_both(
        SHARE_ENDS,
        "the average share of the first group, p1/(p1 + p2), over attributes and frames, 0 to 1. "
        "Of an absent word, p is between nothing and the least that was given.",
        "Whether a lean comes from the attributes or from how common the groups’ words are: it is "
        "never tested.",
    ),
    *_both(
        SHARE_CONTRAST_ENDS,
        "the average share of the first group in the class of attributes that a stereotype ties "
        "to it, less that in the class tied to the second, in the same frames. -1 to 1; positive "
        "follows the stereotype.",
        "A lean that is the same for both classes, or one inside a class; where shares are near 0 "
        "or 1, a lean that has no room to show.",
        harm="up",
    ),
    *_both(
        LOG_CONTRAST_ENDS,
        "the stereotype contrast of log-odds. Missing where a word was absent on the side that "
        "decides: nothing bounds it then.",
        "What the contrast does not show.",
        unit="nats",
        harm="up",
    ),
)

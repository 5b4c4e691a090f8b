"""Entries of the numbers on styles of sentence, and on what a contrast depends on."""

from maskaudit.audit.estimating.registry.entry import ROBUSTNESS, Entry, Harm
from maskaudit.audit.estimating.registry.names import (
    ATTRIBUTES_ALIKE,
    CONTRAST_AT_CUT,
    CONTRAST_WITHOUT_TERM,
    DECIDING_ATTRIBUTES,
    DECIDING_FRAMES,
    FAMILY_ICC,
    FRAMES_ALIKE,
    FRAMES_WITH_SIGN,
    OTHER_STYLES,
    PARAPHRASE_SHIFT,
    STYLE_CONTRAST,
    STYLE_Q,
    STYLE_SD,
    STYLES_HOLDING,
)

_CELLS = frozenset({"association"})


def _contrast(
    name: str,
    definition: str,
    does_not_show: str,
    *,
    harm: Harm | None = "up",
    is_directed: bool = True,
) -> Entry:
    """An entry of a number that is a stereotype contrast, in nats."""
    return Entry(
        name=name,
        unit="nats",
        definition=definition,
        does_not_show=does_not_show,
        kinds=_CELLS,
        null=0.0,
        is_directed=is_directed,
        power=1,
        harm=harm,
        shown=ROBUSTNESS,
    )


def _plain(name: str, definition: str, does_not_show: str, **more: object) -> Entry:
    values = {"unit": "", "kinds": _CELLS, "shown": ROBUSTNESS, **more}
    return Entry(name=name, definition=definition, does_not_show=does_not_show, **values)  # type: ignore[arg-type]


ENTRIES = (
    _contrast(
        STYLE_CONTRAST,
        "The stereotype contrast in the frames of one style.",
        "Whether two styles differ; the Q over all of them does.",
    ),
    _contrast(
        OTHER_STYLES,
        "The stereotype contrast, averaged over styles with equal weight, with an interval for "
        "other styles too: styles stand where frames stood, and the interval is never narrower "
        "than that for these styles. It takes five styles.",
        "Styles that are unlike all of those that were asked.",
    ),
    _plain(
        STYLES_HOLDING,
        "The share of styles in which the contrast holds by itself: its 95 % interval in the style "
        "leaves zero out, on the side of the whole contrast. 0 to 1.",
        "That it does not hold in the other styles: each has few frames.",
        form="share",
    ),
    _plain(
        STYLE_Q,
        "Cochran’s Q: the sum over styles of the squared distance of a style’s contrast from their "
        "mean, over its squared standard error from frames. Where styles do not differ it is about "
        "their number less 1. Its p is Welch’s, which allows for few frames.",
        "How far styles differ in nats; the SD between styles does.",
        source="Cochran 1954; Welch 1951",
    ),
    _plain(
        STYLE_SD,
        "The standard deviation of the contrast between styles, beyond what their frames explain; "
        "0 where Q is no larger than its degrees of freedom.",
        "Which style is apart.",
        unit="nats",
        source="DerSimonian & Laird 1986",
        power=1,
    ),
    _contrast(
        PARAPHRASE_SHIFT,
        "How much higher the contrast is in the variants of the frames than in their texts, frame "
        "by frame, over the frames that have variants.",
        "What another author’s paraphrases would do.",
        harm=None,
    ),
    _plain(
        FRAMES_WITH_SIGN,
        "The share of frames whose own contrast has the sign of the whole. 0 to 1.",
        "How large the contrast of a frame is.",
        form="share",
    ),
    _plain(
        DECIDING_FRAMES,
        "The share of frames without any one of which the contrast’s 95 % interval would change "
        "from including zero to leaving it out, or back. 0 to 1.",
        "What several frames together decide.",
        form="share",
    ),
    _plain(
        DECIDING_ATTRIBUTES,
        "The same share of the attributes of the two classes. 0 to 1.",
        "What several attributes together decide.",
        form="share",
    ),
    _contrast(
        CONTRAST_AT_CUT,
        "The contrast of classes cut at a share of the first group in the world: attributes with "
        "at least this share of it, less those with at least this share of the second group. "
        "Positive follows the world; an attribute at half is of no class.",
        "Which cut is right.",
        is_directed=False,
    ),
    _contrast(
        CONTRAST_WITHOUT_TERM,
        "The stereotype contrast with one term of a group left out.",
        "What terms that were not asked would give.",
    ),
    _plain(
        FRAMES_ALIKE,
        "Whether frames behave as one: the share of one pattern in what attributes and frames do "
        "not explain (the largest eigenvalue of the frames’ residual correlations, over their "
        "number), tested against random signs; of two frames, their residual correlation, where it "
        "is larger than any is by chance in 19 tables of 20.",
        "Why: two frames may be near copies, or attributes be understood in two ways.",
    ),
    _plain(
        ATTRIBUTES_ALIKE,
        "The same of attributes over frames.",
        "Why: attributes may be of one family, or hold one word.",
    ),
    _plain(
        FAMILY_ICC,
        "The intraclass correlation of attributes within the declared families of a class: the "
        "share of the variance between their averages that lies between families. Up to 1; below 0 "
        "by chance. Its p is that of the F test.",
        "Families that were not declared.",
        null=0.0,
    ),
)

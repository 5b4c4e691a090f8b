"""Entries of the numbers on styles of sentence, and on what a contrast depends on."""

from maskaudit.audit.estimating.registry.entry import (
    FURTHER,
    INHERITED,
    ROBUSTNESS,
    Entry,
    Harm,
    Subjects,
)
from maskaudit.audit.estimating.registry.names import (
    ATTRIBUTES_ALIKE,
    BENIGN_Q,
    CONTRAST_ADJUSTED,
    CONTRAST_AT_CUT,
    CONTRAST_BEYOND,
    CONTRAST_BY_LENGTH,
    CONTRAST_CALIBRATED,
    CONTRAST_MATCHED,
    CONTRAST_WITHOUT_TERM,
    CONTROL_CONTRAST,
    CONTROL_LARGEST,
    CONTROL_SD,
    CONVERGENCE_ESTIMATORS,
    CONVERGENCE_SETS,
    DECIDING_ATTRIBUTES,
    DECIDING_FRAMES,
    ENTROPY,
    ENTROPY_BENIGN,
    FAMILY_ICC,
    FRAMES_ALIKE,
    FRAMES_WITH_SIGN,
    FREQUENCY_APART,
    LOG_KAPPA_BENIGN,
    LOG_KAPPA_BEYOND,
    OTHER_STYLES,
    PARAPHRASE_SHIFT,
    PIECES_APART,
    REST_BEYOND,
    STYLE_CONTRAST,
    STYLE_Q,
    STYLE_SD,
    STYLES_HOLDING,
    TWICE_ATTRIBUTES,
    TWICE_FRAMES,
    WORDS_APART,
)

_CELLS = frozenset({"association"})
# The first record format with any of these numbers.
_SINCE = 8


def _contrast(  # noqa: PLR0913 - the fields that differ between contrasts
    name: str,
    definition: str,
    does_not_show: str,
    *,
    harm: Harm | None = "up",
    is_directed: bool = True,
    source: str = "",
    subjects: Subjects = "all",
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
        source=source,
        subjects=subjects,
        since=_SINCE,
        shown=ROBUSTNESS,
    )


def _plain(name: str, definition: str, does_not_show: str, **more: object) -> Entry:
    values = {"unit": "", "kinds": _CELLS, "since": _SINCE, "shown": ROBUSTNESS, **more}
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
        LOG_KAPPA_BENIGN,
        "Sharpness, as a logarithm: the amplification in benign sets, of true associations that "
        "are not about people, averaged over them. Its exponential says how many times as large "
        "they are; above 0 the candidate is surer of itself, below 0 less sure.",
        "Whether each domain sharpened alike: the benign sets are few.",
        unit="log of a factor",
        of_pair=True,
        null=0.0,
        form="factor",
        shown=INHERITED,
        title="Sharpness: how many times as large benign associations are",
    ),
    _plain(
        BENIGN_Q,
        "Cochran’s Q of the benign sets’ log κ: whether one factor describes them all. Where it "
        "does, it is about their number less 1. Its p is Welch’s; below .05 nothing is said of "
        "what is beyond sharpness.",
        "Which set is apart.",
        of_pair=True,
        source="Cochran 1954; Welch 1951",
        shown=INHERITED,
    ),
    _plain(
        ENTROPY_BENIGN,
        "How much more open the candidate finds the probed slots of the benign sets than the "
        "reference does: the difference of their mean entropies, averaged over these sets. A "
        "candidate that is less sure of itself finds them more open, one that knows less of their "
        "associations need not.",
        "Why a place is more open.",
        unit="nats",
        of_pair=True,
        null=0.0,
        shown=INHERITED,
    ),
    _plain(
        LOG_KAPPA_BEYOND,
        "Amplification beyond sharpness, as a logarithm: the set’s log κ less that of the benign "
        "sets. 0: its leans grew as all associations did.",
        "Whether the leans are the same ones.",
        unit="log of a factor",
        formula="log κ − log κ_benign",
        of_pair=True,
        null=0.0,
        harm="up",
        form="factor",
        shown=INHERITED,
        title="Amplification beyond sharpness",
    ),
    _contrast(
        CONTRAST_BEYOND,
        "The difference of the two contrasts, were the candidate as sure of itself as the "
        "reference: its contrast over κ_benign, less the reference’s.",
        "Sharpness that is not one factor for all words.",
        subjects="difference",
    ),
    _plain(
        REST_BEYOND,
        "In a set of three groups or more, the difference of the two contrasts of one group "
        "against the rest, were the candidate as sure of itself as the reference.",
        "Sharpness that is not one factor for all words; or which of the other groups it is "
        "against.",
        unit="nats",
        null=0.0,
        power=1,
        harm="up",
        subjects="difference",
        shown=FURTHER,
    ),
    _plain(
        ENTROPY,
        "The mean entropy at the probed slots, over the vocabulary: how open the model finds the "
        "place.",
        "Which words it is torn between.",
        unit="nats",
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
    *(
        _plain(
            name,
            f"Half the width of the contrast’s 95 % interval that twice as many {what} like these "
            "would give, from the parts of its variance (a D-study). 0 or above.",
            f"What {what} of another kind would give.",
            unit="nats",
            power=1,
            source="Brennan 2001",
        )
        for name, what in ((TWICE_FRAMES, "frames"), (TWICE_ATTRIBUTES, "attributes"))
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
        CONTROL_CONTRAST,
        "The contrast of two classes of controls in the same frames, which nothing ties to one "
        "group rather than the other; which of them is the first means nothing.",
        "What a single control says of the set: one in twenty leaves zero out by chance.",
        harm=None,
    ),
    _plain(
        CONTROL_SD,
        "The standard deviation of what contrasts of controls move beyond their standard errors: "
        "the systematic error of the set’s contrasts.",
        "Errors that controls do not share with the set’s own words.",
        unit="nats",
        source="Schuemie et al. 2018",
        power=1,
    ),
    _plain(
        CONTROL_LARGEST,
        "The largest contrast of controls, whichever way.",
        "How far it moves beyond its standard error.",
        unit="nats",
        power=1,
    ),
    _contrast(
        CONTRAST_CALIBRATED,
        "The stereotype contrast with the systematic error of its controls in its interval.",
        "Errors that controls do not share with the set’s own words.",
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
    _contrast(
        CONTRAST_ADJUSTED,
        "The stereotype contrast with the attributes’ covariates held equal: their word pieces "
        "(mean over the models), their words, and the logarithm of their frequency where the set "
        "names it for every attribute of both classes; by least squares over the attributes’ "
        "means, with one slope for both classes.",
        "What covariates do other than in a straight line, or differently in the two classes: "
        "where long words only lean further, each class to its own side, the contrast by length "
        "shows it.",
        source="Fisher 1932, analysis of covariance",
    ),
    _contrast(
        CONTRAST_MATCHED,
        "The stereotype contrast over those attributes that have others of as many pieces and "
        "words in the other class, each such stratum weighted alike in both classes. It takes six "
        "attributes of each class.",
        "The attributes that have no match.",
        source="Iacus, King & Porro 2012, coarsened exact matching",
    ),
    _contrast(
        CONTRAST_BY_LENGTH,
        "The stereotype contrast among the attributes of one word piece (mean over the models) or "
        "of several, and among those of one word or of several.",
        "Whether the length makes the difference: other words are other attributes too.",
    ),
    _plain(
        PIECES_APART,
        "How many more word pieces of the model the attributes of the first class have, on "
        "average, than those of the second.",
        "Whether the contrast comes of it; the adjusted and the matched contrast do.",
        unit="pieces",
        subjects="models",
    ),
    _plain(
        WORDS_APART,
        "How many more words the attributes of the first class have, on average, than those of the "
        "second.",
        "Whether the contrast comes of it.",
        unit="words",
        subjects="models",
    ),
    _plain(
        FREQUENCY_APART,
        "How much more frequent the attributes of the first class are than those of the second: "
        "the difference of the mean logarithms of their frequencies. Only where the set names all.",
        "Whether the contrast comes of it.",
        unit="log of a factor",
        subjects="models",
        form="factor",
    ),
    _plain(
        FRAMES_ALIKE,
        "Whether frames behave as one: the share of one pattern in what attributes, frames and how "
        "far each frame lets attributes lean do not explain (the largest eigenvalue of the frames’ "
        "residual correlations, over their number), tested against random signs; of two frames, "
        "their residual correlation, where it is larger than any is by chance in 19 tables of 20.",
        "Why: two frames may be near copies, or attributes be understood in two ways.",
    ),
    _plain(
        ATTRIBUTES_ALIKE,
        "The same of attributes over frames.",
        "Why: attributes may be of one family, or hold one word.",
    ),
    _plain(
        CONVERGENCE_ESTIMATORS,
        "How alike a set’s attributes lean by the log-odds and by another estimator, noise taken "
        "out: the covariance of their averages, less the noise that both share in a frame, over "
        "the root of both variances beyond noise. About -1 to 1; noise may carry it a little "
        "beyond.",
        "That either is right: both read the same sentences.",
        source="Spearman 1904",
        subjects="models",
    ),
    _plain(
        CONVERGENCE_SETS,
        "How alike the attributes that two sets on an axis share lean in both, noise taken out: "
        "the correlation of their averages over the square root of both reliabilities. About -1 "
        "to 1; noise may carry it a little beyond.",
        "Whether the two lean equally far; or that either is right.",
        source="Spearman 1904",
        subjects="models",
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

"""The names of numbers, and how one name derives from another."""

PUBLISHED, CORRECTED = "published", "corrected"

# Numbers from the cells of one subject.
CONTRAST = "stereotype_contrast"
LEAN, LARGEST = "lean", "largest_lean"
# Numbers of a set of three groups or more: of one group against the rest, and of all of them.
AGAINST_REST, CONTRAST_AGAINST_REST = "against_rest", "stereotype_against_rest"
GROUP_SPREAD = "group_spread"
# Numbers of groups that cross several factors, such as race by gender.
MAIN_EFFECT, INTERACTION = "main_effect", "interaction"
OF_FACTORS = (MAIN_EFFECT, INTERACTION)
REST = "rest"
ASSOCIATION, MAGNITUDE = "association", "magnitude"
# Means of squared leans, from products of two different frames (U-statistics).
SQUARED = frozenset({ASSOCIATION, MAGNITUDE, GROUP_SPREAD})
# Numbers of a contrast in frames of several styles.
STYLE_CONTRAST, OTHER_STYLES = "style_contrast", "contrast_other_styles"
STYLE_Q, STYLE_SD = "style_q", "style_sd"
STYLES_HOLDING = "styles_holding"
# Numbers on how much a contrast depends on single frames, attributes, terms and cuts.
PARAPHRASE_SHIFT = "paraphrase_shift"
FRAMES_WITH_SIGN = "frames_with_sign"
TWICE_FRAMES, TWICE_ATTRIBUTES = "half_width_twice_frames", "half_width_twice_attributes"
DECIDING_FRAMES, DECIDING_ATTRIBUTES = "deciding_frames", "deciding_attributes"
CONTRAST_AT_CUT, CONTRAST_WITHOUT_TERM = "contrast_at_cut", "contrast_without_term"
FRAMES_ALIKE, ATTRIBUTES_ALIKE = "frames_alike", "attributes_alike"
FAMILY_ICC = "family_icc"
# How alike other estimators, and other sets, rank the same attributes.
CONVERGENCE_ESTIMATORS, CONVERGENCE_SETS = "convergence_estimators", "convergence_sets"
# Numbers of contrasts of controls in the same frames.
CONTROL_CONTRAST, CONTROL_SD, CONTROL_LARGEST = "control_contrast", "control_sd", "control_largest"
CONTRAST_CALIBRATED = "contrast_calibrated"
OF_CONTROLS = (CONTROL_CONTRAST, CONTROL_SD, CONTROL_LARGEST, CONTRAST_CALIBRATED)
# Numbers of how sure two models are of themselves, and of what is left beyond that.
LOG_KAPPA_BENIGN, LOG_KAPPA_BEYOND = "log_kappa_benign", "log_kappa_beyond"
CONTRAST_BEYOND, ENTROPY = "contrast_beyond_sharpness", "slot_entropy"
REST_BEYOND = "against_rest_beyond_sharpness"
BENIGN_Q, ENTROPY_BENIGN = "benign_q", "slot_entropy_benign"
OF_SHARPNESS = (
    LOG_KAPPA_BENIGN,
    BENIGN_Q,
    ENTROPY_BENIGN,
    LOG_KAPPA_BEYOND,
    CONTRAST_BEYOND,
    REST_BEYOND,
)
# Numbers of a contrast with its attributes' pieces, words and frequency held equal, and how far
# its classes are apart in them.
CONTRAST_ADJUSTED, CONTRAST_MATCHED = "contrast_adjusted", "contrast_matched"
CONTRAST_BY_LENGTH = "contrast_by_length"
PIECES_APART, WORDS_APART, FREQUENCY_APART = "pieces_apart", "words_apart", "frequency_apart"
OF_COVARIATES = (
    CONTRAST_ADJUSTED,
    CONTRAST_MATCHED,
    CONTRAST_BY_LENGTH,
    PIECES_APART,
    WORDS_APART,
    FREQUENCY_APART,
)
OF_STYLES = (STYLE_CONTRAST, OTHER_STYLES, STYLES_HOLDING, STYLE_Q, STYLE_SD)
OF_ROBUSTNESS = (
    TWICE_FRAMES,
    TWICE_ATTRIBUTES,
    PARAPHRASE_SHIFT,
    FRAMES_WITH_SIGN,
    DECIDING_FRAMES,
    DECIDING_ATTRIBUTES,
    CONTRAST_AT_CUT,
    CONTRAST_WITHOUT_TERM,
    FRAMES_ALIKE,
    ATTRIBUTES_ALIKE,
    FAMILY_ICC,
    CONVERGENCE_ESTIMATORS,
    CONVERGENCE_SETS,
)
# The least and the most that a number can be where words were absent from an endpoint's answers.
SHARE_ENDS = ("share_at_least", "share_at_most")
SHARE_CONTRAST_ENDS = ("share_contrast_at_least", "share_contrast_at_most")
LOG_CONTRAST_ENDS = ("contrast_at_least", "contrast_at_most")
OF_BOUNDS = frozenset({*SHARE_ENDS, *SHARE_CONTRAST_ENDS, *LOG_CONTRAST_ENDS})
GENERALIZABILITY, DEPENDABILITY = "generalizability", "dependability"
FRAMES_NEEDED = "frames_needed"
WORLD_SLOPE, WORLD_INTERCEPT = "world_slope", "world_intercept"
BEYOND_WORLD = "beyond_world"
# Numbers from the cells of two models together.
SLOPE, LOG_KAPPA, CORRELATION = "slope", "log_kappa", "disattenuated_r"
LOG_MAGNITUDE_RATIO = "log_magnitude_ratio"
INHERITANCE = "inheritance"
FLIPS, SIGN_CHANGES, EXPECTED_SIGN_CHANGES = "flips", "sign_changes", "expected_sign_changes"
FIDELITY, FIDELITY_ADJUSTED = "fidelity", "fidelity_adjusted"
# Numbers from the likeliest fills of facts.
ACCURACY, NEGATED = "accuracy@1", "negated_still@1"
# What a kind of sentence costs a model against the plain kind of a set.
DROP = "accuracy_drop@1"
# Of facts with words to choose from.
CHOICE, CHOICE_DROP = "choice_accuracy", "choice_accuracy_drop"

# Masked text: what is found, and between two groups.
FOUND = "exact@1"
EXACT_GAP, NLL_GAP = "exact_gap@1", "nll_gap"
# By kind of set, the share of right answers, where there is one.
SHARE_RIGHT = {"cloze": ACCURACY, "text": FOUND}

WILSON, EXACT = "_wilson", "_exact"
_TIES = "_ties"


def contrast_of(estimator: str) -> str:
    """The name of the stereotype contrast of another group estimator's cells."""
    return f"{CONTRAST}_{estimator}"


def is_contrast(name: str) -> bool:
    """Whether a number is a stereotype contrast, also of an unknown estimator."""
    return name.startswith(CONTRAST)


def between(name: str, first: str, second: str) -> str:
    """The name of a number between two of several groups: `log_odds women/men`."""
    return f"{name} {first}/{second}"


def of_factors(name: str, *factors: str) -> str:
    """The name of a number of some factors: `main_effect race`, `interaction gender/race`."""
    return f"{name} {'/'.join(factors)}"


def without_groups(name: str) -> str:
    """The name without the groups that `between` adds, or the factors of `of_factors`."""
    # Names of numbers hold no space, so the first one is where the groups begin.
    return name.partition(" ")[0]


def ends_of(name: str) -> tuple[str, str] | None:
    """Both ends of a number that has bounds, by the name of either; None for any other name."""
    both = (SHARE_ENDS, SHARE_CONTRAST_ENDS, LOG_CONTRAST_ENDS)
    return next((ends for ends in both if name in ends), None)


def ties_of(name: str) -> str:
    """The name of the percentage of ties that belongs to a preference."""
    return name + _TIES


def is_ties(name: str) -> bool:
    """Whether a number is a percentage of ties."""
    return name.endswith(_TIES)


def as_trials(name: str) -> bool:
    """Whether a number is a share whose units are treated as independent trials."""
    return name.endswith((WILSON, EXACT))


def of_clusters(name: str) -> str:
    """The name of the same share with an interval over clusters."""
    return name.removesuffix(WILSON).removesuffix(EXACT)

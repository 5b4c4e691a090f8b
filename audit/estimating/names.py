"""The names of numbers, and how the name of one number is made from that of another."""

PUBLISHED, CORRECTED = "published", "corrected"

# Made from the cells of one subject.
CONTRAST = "stereotype_contrast"
LEAN, LARGEST = "lean", "largest_lean"
ASSOCIATION, MAGNITUDE = "association", "magnitude"
GENERALIZABILITY, DEPENDABILITY = "generalizability", "dependability"
FRAMES_NEEDED = "frames_needed"
WORLD_SLOPE, WORLD_INTERCEPT = "world_slope", "world_intercept"
BEYOND_WORLD = "beyond_world"
# Made from the cells of two models together.
SLOPE, LOG_KAPPA, CORRELATION = "slope", "log_kappa", "disattenuated_r"
LOG_MAGNITUDE_RATIO = "log_magnitude_ratio"
INHERITANCE = "inheritance"
FLIPS, SIGN_CHANGES, EXPECTED_SIGN_CHANGES = "flips", "sign_changes", "expected_sign_changes"
FIDELITY, FIDELITY_ADJUSTED = "fidelity", "fidelity_adjusted"
# Made from the likeliest fills of facts.
ACCURACY, NEGATED = "accuracy@1", "negated_still@1"

WILSON, EXACT = "_wilson", "_exact"
_TIES = "_ties"


def contrast_of(estimator: str) -> str:
    """The name of the stereotype contrast of another group estimator's cells."""
    return f"{CONTRAST}_{estimator}"


def is_contrast(name: str) -> bool:
    """Whether a number is a stereotype contrast, be it of an estimator that is not known here."""
    return name.startswith(CONTRAST)


def between(name: str, first: str, second: str) -> str:
    """The name of a number of two groups of several: `log_odds women/men`."""
    return f"{name} {first}/{second}"


def without_groups(name: str) -> str:
    """The same name without the groups that `between` adds to it."""
    return name.partition(" ")[0]


def ties_of(name: str) -> str:
    """The name of the percentage of pairs that tie, beside the preference of that name."""
    return name + _TIES


def is_ties(name: str) -> bool:
    """Whether a number is a percentage of ties."""
    return name.endswith(_TIES)


def as_trials(name: str) -> bool:
    """Whether a number is a share for which every unit is a trial of its own."""
    return name.endswith((WILSON, EXACT))


def of_clusters(name: str) -> str:
    """The name of the same share with its interval over clusters."""
    return name.removesuffix(WILSON).removesuffix(EXACT)

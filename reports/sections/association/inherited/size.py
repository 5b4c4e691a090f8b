"""How large a candidate's leans are relative to its reference's, and how alike, in a sentence."""

import math
from collections.abc import Mapping
from enum import Enum, auto

from maskaudit.audit.estimating.crossed.one_subject import LEAST_ATTRIBUTES
from maskaudit.audit.estimating.crossed.teacher_student import ENOUGH_FOR_SLOPE, LEAST_FOR_SLOPE
from maskaudit.audit.estimating.registry.names import CORRELATION, LOG_KAPPA, SLOPE
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Names
from maskaudit.reports.words import sameness, wording

_LIKE, _SOME_LIKE = 0.95, 0.5


class _Kind(Enum):
    """The cases of the sentence on the size of the candidate's leans."""

    TOO_FEW = auto()
    NOT_ESTIMABLE = auto()
    SAME = auto()
    TURNED = auto()
    SHOWN = auto()
    UNSHOWN = auto()


def size_of(
    relations: Mapping[str, Effect], associations: Mapping[str, Effect], names: Names
) -> str:
    """The size of the candidate's leans relative to the reference's, in a sentence or refusal."""
    kind = _kind(relations)
    if kind is _Kind.TOO_FEW:
        return _too_few(relations[LOG_KAPPA])
    if kind is _Kind.NOT_ESTIMABLE:
        return _not_estimable(relations[SLOPE], associations)
    if kind is _Kind.SAME:
        candidate, reference = names.opening(CANDIDATE), names.the(REFERENCE)
        return f"{candidate} has exactly the leans of {reference}."
    return _factor(kind, relations[LOG_KAPPA], relations[CORRELATION], names)


def _kind(relations: Mapping[str, Effect]) -> _Kind:
    """The case that the numbers fall into."""
    size, slope = relations[LOG_KAPPA], relations[SLOPE]
    # Before the estimates: a number that was refused is NaN too, and its reason would be lost.
    if size.flag in {"too_few_frames", "too_few_attributes"}:
        return _Kind.TOO_FEW
    if math.isnan(size.estimate):
        return _Kind.NOT_ESTIMABLE
    likeness = relations[CORRELATION]
    # Leans that are exactly turned round have the same size as well, without any error.
    if size.std_error == 0 and size.estimate == 0 and math.isclose(likeness.estimate, 1):
        return _Kind.SAME
    # The whole interval must be below zero; an estimate below it may be noise.
    if slope.high < 0 or likeness.high < 0:
        return _Kind.TURNED
    return _Kind.SHOWN if size.is_shown else _Kind.UNSHOWN


def _too_few(size: Effect) -> str:
    """The frames or attributes required, and how many the set has."""
    least = {
        "too_few_frames": f"{LEAST_FOR_SLOPE} frames, and this set has {size.n_frames}",
        "too_few_attributes": f"{LEAST_ATTRIBUTES} attributes that have every sentence, and this "
        f"set has {size.n_attributes}",
    }
    return (
        "How large the candidate’s leans are against the reference’s is not computed: it takes "
        f"at least {least[size.flag]}."
    )


def _factor(kind: _Kind, size: Effect, likeness: Effect, names: Names) -> str:
    """The factor, its uncertainty, and how alike the patterns are."""
    candidate, reference = names.the(CANDIDATE), names.the(REFERENCE)
    lacking = "frames" if size.n_frames < ENOUGH_FOR_SLOPE else "attributes"
    exploratory = f"Exploratory, for want of {lacking}. " if size.flag == "exploratory" else ""
    leans = {
        _Kind.TURNED: f"The leans of {candidate} are turned round:",
        _Kind.SHOWN: f"The leans of {candidate} are",
        _Kind.UNSHOWN: "Neither amplification nor attenuation could be shown: the leans of "
        f"{candidate} are",
    }
    is_turned = kind is _Kind.TURNED
    factor = f"{wording.odds(size.estimate)} times as large as those of {reference}"
    unsure = ", not shown to differ in size" if is_turned and not size.is_shown else ""
    limit = "" if size.is_shown else f"{_least(size)}{_most(size)}"
    details = (
        f"95 % interval {_factors(size.low, size.high)}; "
        f"{wording.p_value(size.p)}, not adjusted; "
        f"{wording.counted(size.n_attributes, 'attribute')} in "
        f"{wording.counted(size.n_frames, 'frame')}{limit}"
    )
    pattern = f", and opposite in pattern{_r(likeness)}" if is_turned else _pattern(likeness)
    return f"{exploratory}{leans[kind]} {factor}{unsure} ({details}){pattern}."


def _not_estimable(slope: Effect, associations: Mapping[str, Effect]) -> str:
    """Which model has too little association for a comparison of sizes."""
    # Not `low <= 0`: a bound that is NaN counts as weak too.
    weak = [name for name, effect in associations.items() if not effect.low > 0]
    if not weak:
        # The slope takes a signal of the reference alone, the ratio one of both.
        weak = [REFERENCE if math.isnan(slope.estimate) else CANDIDATE]
    is_one = len(weak) == 1
    who = f"the {weak[0]}" if is_one else "both models"
    includes = all(name in associations and associations[name].high >= 0 for name in weak)
    interval = "its interval includes" if is_one else "their intervals include"
    why = f" ({interval} zero)" if includes else ""
    return (
        f"How much is inherited cannot be estimated: the association of {who} is not clearly above "
        f"zero{why}."
    )


def _least(size: Effect) -> str:
    """The smallest detectable factor, both ways; empty where any could be detected."""
    # Not `<= 0`, so that an mde that is not known (NaN) is left out too.
    if not size.mde > 0 or wording.odds(size.mde) == wording.odds(0):
        return ""
    return f"; the smallest factor that could have been expected to be found is {ways(size.mde)}"


def _most(size: Effect) -> str:
    """The factor, and its inverse, between which the leans are shown to lie; empty if unknown."""
    largest = sameness.most(size)
    if math.isnan(largest) or largest == 0:
        return ""
    low, high = (math.exp(sign * largest) for sign in (-1, 1))
    return (
        # Rounded outwards on both sides, for a narrower range is not shown.
        f"; shown to be between {math.floor(100 * low) / 100:.2f} and {wording.at_most(high)} times"
        ", 90 % interval"
    )


def ways(step: float) -> str:
    """A factor and its inverse, from its logarithm."""
    return f"{wording.odds(step)}, or {wording.odds(-step)} the other way"


def _pattern(likeness: Effect) -> str:
    """How alike the two models' patterns of leans are, by the interval of the correlation."""
    if math.isnan(likeness.low):
        return ""
    # By the lower limit, since only that much likeness is shown.
    if likeness.low >= _LIKE:
        text = "and almost the same in pattern"
    elif likeness.low > _SOME_LIKE:
        text = "and alike in pattern"
    elif likeness.low > 0:
        text = "and loosely alike in pattern"
    else:
        text = "and no likeness in pattern could be shown"
    return f", {text}{_r(likeness)}"


def _r(likeness: Effect) -> str:
    """The correlation and its interval, in brackets."""
    if math.isnan(likeness.low):
        return ""
    estimate, low, high = wording.correlations(likeness.numbers)
    beyond = "; limits may lie beyond −1 and 1" if is_beyond(likeness) else ""
    return f" (r = {estimate}, 95 % interval {low} to {high}{beyond})"


def is_beyond(likeness: Effect) -> bool:
    """Whether a limit of a correlation, as shown, lies beyond −1 or 1."""
    return max(abs(round(limit, 3)) for limit in (likeness.low, likeness.high)) > 1


def _factors(low: float, high: float) -> str:
    return f"{wording.odds(low)} to {wording.odds(high)}"

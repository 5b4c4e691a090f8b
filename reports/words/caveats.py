"""The caveats of a number in words: its scope, its detectable effect, or why it is missing."""

import math
from collections.abc import Callable, Iterable, Mapping

from maskaudit.reports.blocks import Cell
from maskaudit.reports.effects import Effect
from maskaudit.reports.words import wording

SCOPES: Mapping[str, str] = {
    "S0": "these very sentences and no others",
    "S1": "other sentences of the same kind, with the same attributes and the same words for the "
    "groups",
    "S2": "other attributes and other sentences of the same kind, with the same words for the "
    "groups",
    "S3": "other attributes, other sentences and other words for the same groups",
}
# Numbers of clustered units have this scope only; its meaning depends on what was counted.
OF_UNITS: Mapping[str, str] = {"S1": "other clusters of the same kind"}
MDE = (
    "mde: the smallest effect that a single test would have found four times in five, where "
    "nothing was shown."
)
MOST_FRAMES = 1000
_REASONS = {
    "too_few_frames": "too few frames",
    "too_few_attributes": "too few attributes",
    "too_few_clusters": "fewer than six clusters",
    "too_few_families": "attributes of one family only",
    "too_few_styles": "too few styles",
    "too_few_controls": "fewer than ten controls",
    "too_few_benign_sets": "fewer than two benign sets",
    "benign_sets_disagree": "the benign sets disagree, so that no one factor is the sharpness",
    "benign_entropy_unmoved": "benign associations changed, and not how open their places are",
    "nothing_varied": "nothing varied",
    "not_bounded": "nothing bounds it",
}


def scopes(codes: Iterable[str], meanings: Mapping[str, str] = SCOPES) -> str:
    """What the scopes of a table's numbers mean, one sentence per scope."""
    return " ".join(
        f"Scope {code}: speaks of {meanings[code]}." for code in sorted(set(codes)) if code
    )


def refusal(effect: Effect) -> str:
    """Why a number or its interval is missing; empty where the interval exists."""
    if effect.flag == "not_estimable":
        return "not estimable"
    without = "not computed" if math.isnan(effect.estimate) else "no interval"
    if effect.flag in _REASONS:
        return f"{without}: {_REASONS[effect.flag]}"
    return without if math.isnan(effect.low) else ""


def could_find(effect: Effect, shown: Callable[[float], str] = wording.plain) -> str:
    """The smallest detectable effect (`mde`) of a test that showed nothing.

    Empty for an untested or significant result, and where the mde is unknown or 0.
    """
    if math.isnan(effect.chance) or effect.is_shown or math.isnan(effect.mde):
        return ""
    # A model against its copy: nothing varies, so any difference at all would have been detected.
    return f"mde {shown(effect.mde)}" if effect.mde else ""


def beside(text: str, *more: str) -> str | Cell:
    """A cell with the non-empty remarks below its text; plain text where all are empty."""
    remarks = "; ".join(remark for remark in more if remark)
    intervals = [part.limits for part in (text, *more) if isinstance(part, wording.Interval)]
    return Cell(text, remarks, tuple(intervals)) if remarks else text


def nats(effect: Effect, *more: str) -> str | Cell:
    """An estimate in nats with its interval; below it remarks, and its mde or its refusal."""
    shown = wording.with_interval(effect.estimate, effect.low, effect.high)
    exploratory = "exploratory" if effect.flag == "exploratory" else ""
    return beside(shown, *more, exploratory, could_find(effect), refusal(effect))


def needed(frames: float) -> str:
    """The number of frames needed; above `MOST_FRAMES` only that it is more than that."""
    if math.isnan(frames):
        return "no number would do"
    if frames > MOST_FRAMES:
        return f"more than {wording.number(MOST_FRAMES)}"
    return wording.number(int(frames))

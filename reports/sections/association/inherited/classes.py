"""How each attribute's lean changed: the count of each class, and its attributes."""

from collections.abc import Mapping, Sequence

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.statistics.inheritance import (
    AMPLIFIED,
    ATTENUATED,
    CLASSES,
    FLIPPED,
    INHERITED,
    LOST,
    NEW,
    UNDECIDED,
)
from maskaudit.audit.recording.margins import Margin
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Block, Definitions, Term, Text
from maskaudit.reports.effects import Effect, Effects, Names
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.words import caveats, sameness, wording

_AVERAGE = "the set’s average attribute"
MEANINGS: Mapping[str, str] = {
    INHERITED: f"Both depart from {_AVERAGE} in the same direction, less than the margin apart:",
    AMPLIFIED: f"Both depart from {_AVERAGE} in the same direction, the candidate further:",
    ATTENUATED: f"Both depart from {_AVERAGE} in the same direction, the candidate less far:",
    LOST: f"The reference departs from {_AVERAGE}; the candidate is within the margin of it, and "
    "has moved back:",
    NEW: f"The candidate departs from {_AVERAGE}; the reference is within the margin of it, and "
    "that is a change:",
    FLIPPED: f"The two depart from {_AVERAGE} in opposite directions:",
    UNDECIDED: "None of that could be shown:",
}
_UNKNOWN = "change not known"
_UNSHOWN = {INHERITED, UNDECIDED}
# These are said only within a margin.
_NEED_MARGIN = {INHERITED, LOST, NEW}
_NAMED = 12


def word(class_: str) -> str:
    """A class as the page has it."""
    return _UNKNOWN if class_ == UNDECIDED else class_


def _by_class(leans: Mapping[str, Effect]) -> dict[str, list[str]]:
    """The attributes of each class, in the order of the classes; within one, as in `leans`."""
    by_class = {name: [a for a, lean in leans.items() if lean.outcome == name] for name in CLASSES}
    return {name: attributes for name, attributes in by_class.items() if attributes}


def counted(leans: Mapping[str, Effect], margin: Margin | None = None) -> str:
    """The number of attributes in each class, in a sentence."""
    if not leans:
        return ""
    by_class = _by_class(leans)
    if len(by_class) == 1:
        return _all(len(leans), next(iter(by_class)), margin)
    unknown = len(by_class.pop(UNDECIDED, []))
    classes = sorted(by_class.items(), key=lambda pair: -len(pair[1]))
    counts = [f"{len(attributes)} {name}" for name, attributes in classes]
    count, name = counts[0].split(" ")
    verb = "is" if count == "1" else "are"
    listed = wording.listed([f"{count} {verb} {name}", *counts[1:]])
    rest = f"; of {unknown} the change is not known" if unknown else ""
    return f"Of {len(leans)} attributes {listed}{rest}."


def _all(count: int, class_: str, margin: Margin | None = None) -> str:
    """The sentence for the case where all attributes are in one class."""
    every = "the one attribute" if count == 1 else f"all {count} attributes"
    if class_ == INHERITED:
        # Without a margin only what is exactly the same is called inherited.
        apart = f"less than {wording.plain(margin.nats)} nats apart" if margin else "and the same"
        return f"For {every} the lean is found in both models, {apart}."
    if class_ == UNDECIDED:
        attributes = every if count == 1 else f"any of the {count} attributes"
        return f"Too little could be shown to say what became of {attributes}."
    return f"{wording.opened(every)} {'is' if count == 1 else 'are'} {class_}."


def named_classes(leans: Mapping[str, Effect], margin: Margin | None = None) -> tuple[Block, ...]:
    """The attributes of each class, in the order of `leans`; a long list is cut."""
    by_class = _by_class(leans)
    terms = tuple(
        Term(f"{len(attributes)} {word(name)}", (f"{MEANINGS[name]} {_named(attributes)}.",))
        for name, attributes in by_class.items()
    )
    # Classes without any attribute are told too, or a reader could take them for not looked at.
    # "Undecided" is no finding, whose absence would be news.
    unsaid = {UNDECIDED} if margin else {UNDECIDED, *_NEED_MARGIN}
    none = [name for name in CLASSES if name not in by_class and name not in unsaid]
    absent = f"No attribute could be shown to be {_either(none)}. " if none else ""
    note = Text(
        f"{_of_margin(margin)}{absent}{_least(leans)}A class is said where all that it says is "
        "shown, allowing for the number of attributes: that there are leans and a change, by the "
        "largest of their p values, adjusted (below .05, for opposite leans below .025); that a "
        "change or a lean is within the margin, by its 90 % interval and its p, adjusted (below "
        f".025). {_basis(leans)}",
        "small",
    )
    return Definitions(terms), note


def _of_margin(margin: Margin | None) -> str:
    """The margin of an attribute with its reason, or what cannot be said without one."""
    if margin is None:
        return (
            "No margin below which a change counts as none is declared for the attributes of this "
            "set, so that none can be called lost or new, nor inherited unless nothing at all "
            "changed. "
        )
    reason = wording.visible(margin.reason, None).rstrip(".")
    return f"The margin is {wording.plain(margin.nats)} nats: {reason}. "


def _least(leans: Mapping[str, Effect]) -> str:
    """What could have been found where no change was shown, and how much it is at most."""
    unshown = [lean for lean in leans.values() if lean.outcome in _UNSHOWN]
    # NaN compares false: an attribute without a test has no mde to report.
    mdes = [lean.mde for lean in unshown if lean.mde > 0]
    if not mdes:
        return ""
    sizes = [sameness.most(lean) for lean in unshown if lean.mde > 0]
    most = " to ".join(dict.fromkeys(map(wording.at_most, (min(sizes), max(sizes)))))
    return (
        "Where no change was shown, the smallest that a test of that attribute alone would have "
        f"found four times in five is {_range(min(mdes), max(mdes))} nats; allowing for the "
        f"number of attributes, it takes more. By its own 90 % interval each of these changed by "
        f"at most {most} nats. "
    )


def against(between: Between, estimates: Effects, names: Names) -> Text:
    """The baseline of a lean, and whether that baseline differs between the models."""
    averages = estimates.at(LOG_ODDS.name, between.slice(ALL), names.models)
    shown = [wording.signed(averages[name].estimate) for name in names.models if name in averages]
    sentence = f"A lean here is against {_AVERAGE}"
    # As printed: two averages that look alike would contradict the sentence.
    if len(set(shown)) > 1:
        sentence += (
            f"; where that average itself moves (here {' to '.join(shown)} nats), a word can "
            "depart further and still move the other way in plain odds"
        )
    return Text(f"{sentence}.")


def _basis(leans: Mapping[str, Effect]) -> str:
    frames = wording.counted(next(iter(leans.values())).n_frames, "frame")
    return f"Each attribute in {frames}. {caveats.scopes(lean.scope for lean in leans.values())}"


def _range(low: float, high: float) -> str:
    return " to ".join(dict.fromkeys([wording.plain(low), wording.plain(high)]))


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _named(attributes: list[str]) -> str:
    shown = [wording.visible(name) for name in attributes[:_NAMED]]
    more = len(attributes) - len(shown)
    return wording.listed(shown) if not more else f"{', '.join(shown)}, and {more} more"

"""The stereotype contrasts of a record as sentences: what was shown, and what could not be."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from maskaudit.audit.estimating.crossed.one_subject import LEAST_FRAMES
from maskaudit.audit.estimating.quoted import Quoted
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.recording.manifest import Labelled, ProbeSet, classes_between
from maskaudit.audit.recording.margins import Margin
from maskaudit.audit.recording.rows import slices
from maskaudit.reports.blocks import Claim
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    SHOWN,
    Effect,
    Effects,
    Names,
)
from maskaudit.reports.sections import amounts
from maskaudit.reports.words import quotes, sameness, wording

Standing = Literal["control", "refused", "shown", "not shown"]
_SMALL = 5  # a control is small if the largest finding is this many times as far from zero


@dataclass(frozen=True)
class Contrast:
    """The stereotype contrast of one set, between two of its groups, for every subject.

    `quoted` has by subject what a sentence says of a tested contrast in place of the plain interval
    and `mde`: those allow for having been chosen from all tested sets. `margin` is declared.
    `between` names the groups as slices do.
    """

    probe_set: str
    title: str
    groups: tuple[str, str]
    classes: tuple[str, str]
    group_at_mask: bool
    is_control: bool
    subjects: Mapping[str, Effect]
    margin: Margin | None = None
    quoted: Mapping[str, Quoted] = field(default_factory=dict)
    between: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject that the page reports: the difference, or the only model."""
        return DIFFERENCE if DIFFERENCE in self.subjects else CANDIDATE

    @property
    def main(self) -> Effect:
        """The effect of that subject."""
        return self.subjects[self.subject]

    @property
    def quote(self) -> Quoted | None:
        """What a sentence says of it; None where it was not tested."""
        return self.quoted.get(self.subject)

    def could_find(self, subject: str) -> float:
        """The smallest effect that the rule applied to this subject finds four times in five.

        For what is not tested, such as a control, that of one test.
        """
        quote = self.quoted.get(subject)
        return self.subjects[subject].mde if quote is None else quote.could_find

    @property
    def is_tested(self) -> bool:
        """Whether the contrast is among the tested ones: no control, and with an adjusted p."""
        return not self.is_control and not math.isnan(self.main.p_adjusted)

    @property
    def is_shown(self) -> bool:
        """Whether it differs from zero after adjustment for the number of tested sets."""
        return self.is_tested and self.main.p_adjusted < SHOWN

    @property
    def leans_further(self) -> bool:
        """Whether it is shown that the candidate leans further than the reference, either way."""
        if not self.is_shown or self.subject != DIFFERENCE:
            return False
        # A difference towards the side on which a model is farther from zero: the candidate with
        # the stereotype, or not the reference, which is then not nearer to zero against it.
        if self.main.estimate > 0:
            return self.subjects[CANDIDATE].estimate > 0
        return self.subjects[REFERENCE].estimate <= 0

    @property
    def standing(self) -> Standing:
        """What a sentence may say of it, by its test: every claim below follows from this."""
        # First: a control is never tested, and would always come out as not shown below.
        if self.is_control:
            return "control"
        if self.main.n_frames < LEAST_FRAMES or math.isnan(self.main.p):
            return "refused"
        return "shown" if self.is_shown else "not shown"

    @property
    def clearness(self) -> float:
        """The absolute estimate over its standard error.

        Without a positive standard error it is infinite, or 0 where the estimate is 0.
        """
        main = self.main
        if main.std_error > 0:
            return abs(main.estimate) / main.std_error
        return 0.0 if main.estimate == 0 else math.inf


def contrasts(
    probe_sets: Mapping[str, ProbeSet], estimates: Effects, names: Names, adjust: str = "bh"
) -> list[Contrast]:
    """Every contrast of a record: the tested sets in its order, then the controls.

    `adjust` is how the record adjusted its p values.
    """
    all_contrasts = [
        contrast
        for probe_set, part in probe_sets.items()
        for contrast in _of_set(probe_set, part, estimates, names)
    ]
    in_order = sorted(all_contrasts, key=lambda contrast: contrast.is_control)
    quoted = quotes.of_subjects(estimates, names.subjects, adjust)
    return [replace(contrast, quoted=quoted(contrast.subjects)) for contrast in in_order]


def pairs(part: ProbeSet) -> Iterator[tuple[tuple[str, ...], tuple[str, str]]]:
    """Each pair of groups as slices name it, and the labels of both.

    Slices do not name the only pair of a set with two groups, so its names are empty.
    """
    groups = list(part.groups)
    for i, first in enumerate(groups):
        for second in groups[i + 1 :]:
            labels = (label(part.groups, first), label(part.groups, second))
            yield ((first, second) if len(groups) > 2 else ()), labels  # noqa: PLR2004


def classes_of(part: ProbeSet, between: Sequence[str]) -> tuple[str, str] | None:
    """The classes of the contrast between two groups as slices name them, in the groups' order.

    None if the set has no contrast between them.
    """
    groups = tuple(between) or tuple(part.groups)
    return classes_between(part.directions or {}, part.contrast, groups)


def tag(probe_set: str, groups: Sequence[str]) -> str:
    """A name for one set and one pair of its groups; unique on the page."""
    return "-".join([probe_set, *groups])


def label(parts: Mapping[str, Labelled], name: str) -> str:
    """The label of a group or class; without a label, its name with spaces for underscores."""
    text = parts[name].label if name in parts else name
    return wording.visible(text.replace("_", " ") if text == name else text)


def _of_set(probe_set: str, part: ProbeSet, estimates: Effects, names: Names) -> Iterator[Contrast]:
    # What a benign set shows says how sure the models are, and nothing of people.
    if part.expect == "benign" or (not part.contrast and not part.directions):
        return
    effects = estimates.of_set(probe_set)
    title = wording.visible(part.title)
    for between, groups in pairs(part):
        subjects = effects.at(CONTRAST, slices.CONTRAST.of_groups(*between), names.subjects)
        # Between other groups no stereotype is known that a claim could name.
        classes = classes_of(part, between)
        if subjects and classes and part.has_direction(between):
            first, second = (label(part.classes, name) for name in classes)
            yield Contrast(
                probe_set,
                f"{title}: {groups[0]} and {groups[1]}" if between else title,
                groups,
                (first, second),
                bool(part.group_at_mask),
                part.expect == "none",
                subjects,
                part.margins.contrast if part.margins else None,
                between=between,
            )


def headline(all_contrasts: Sequence[Contrast], names: Names) -> Claim:
    """The claim about the tested set with the clearest result, which the data chose."""
    tested = [contrast for contrast in all_contrasts if contrast.is_tested]
    if not tested:
        return Claim(
            "This audit could not test any lean",
            "none of its sets has a contrast that can be tested; see what was measured below.",
        )
    # By p and not by size: the largest number may be the least certain, and against its standard
    # error a set of few degrees of freedom is large by chance. A tiny p may be 0 as a float.
    clearest = min(tested, key=lambda contrast: (contrast.main.p, -contrast.clearness))
    # The only tested set says by itself that it shows nothing.
    if not clearest.is_shown and len(tested) > 1:
        return _nothing_shown(tested, clearest, names)
    return finding(clearest, names, is_chosen=True)


def _nothing_shown(tested: Sequence[Contrast], clearest: Contrast, names: Names) -> Claim:
    noun, where = "lean", f"by {names.the(CANDIDATE)}"
    if names.paired:
        noun, where = "difference", f"between {names.the(CANDIDATE)} and {names.the(REFERENCE)}"
    claim = finding(clearest, names, is_chosen=True)
    same = sameness.of_all([contrast.main for contrast in tested], paired=names.paired)
    return Claim(
        f"No {noun} {where} could be shown on any of the {len(tested)} tested sets",
        f"the clearest was on “{clearest.title}”, where {claim.evidence}"
        f"{f' {wording.opened(same)}.' if same else ''}",
        same=same,
    )


def largest(all_contrasts: Iterable[Contrast]) -> float:
    """The absolute size, in nats, of the largest contrast shown; 0 where none was."""
    return max(
        (abs(contrast.main.estimate) for contrast in all_contrasts if contrast.is_shown),
        default=0.0,
    )


def finding(
    contrast: Contrast, names: Names, most: float = 0.0, *, is_chosen: bool = False
) -> Claim:
    """The result of one set, or that it shows nothing and its smallest detectable effect.

    What is shown was chosen by the data, and so was what `is_chosen` says that it was; what is
    listed whatever it shows has its plain interval. `most` is the absolute size, in nats, of the
    largest finding on the page, for comparison with a control.
    """
    match contrast.standing:
        case "control":
            return _control(contrast, names, most)
        case "refused":
            return _too_few(contrast, names)
        case "shown":
            return _shown(contrast, names)
        case "not shown":
            return _unshown(contrast, names, is_chosen=is_chosen)


def _shown(contrast: Contrast, names: Names) -> Claim:
    main, quote = contrast.main, contrast.quote
    interval = quotes.interval(quotes.chosen(main, quote), amounts.interval, quote)
    details = f"({interval}; {quotes.adjusted(main, quote)}; {amounts.basis(main)})"
    likely = quotes.likely(main, quote, wording.size if names.paired else wording.plain)
    on = f"on “{contrast.title}”"
    candidate = wording.opened(names.the(CANDIDATE))
    way = amounts.direction(contrast.subjects)
    if names.paired:
        return Claim(
            f"{candidate} {way} {names.the(REFERENCE)} {on}",
            f"its stereotype contrast is {amounts.higher(main)}{likely} {details}. "
            f"{_both_contrasts(contrast)} {_in_odds(contrast)}",
        )
    return Claim(
        f"{candidate} {way} the stereotype {on}; nothing was compared",
        f"its stereotype contrast is {wording.plain(main.estimate)} nats{likely} {details}. "
        f"{_in_odds(contrast)}",
    )


def _unshown(contrast: Contrast, names: Names, *, is_chosen: bool) -> Claim:
    on = f"on “{contrast.title}”"
    main = contrast.main
    candidate, reference = names.the(CANDIDATE), names.the(REFERENCE)
    same = sameness.brief(main, contrast.margin, paired=names.paired)
    if not names.paired:
        return Claim(
            f"No lean of {candidate} could be shown {on}; nothing was compared",
            _not_shown(contrast, "its stereotype contrast is ", is_chosen=is_chosen),
            same=same,
        )
    # Exactly 0 on purpose: only a copy of the reference gets here, and no rounding noise.
    if main.std_error == 0 and main.estimate == 0:
        return Claim(
            f"No difference at all between {candidate} and {reference} {on}",
            "both give exactly the same scores, and a stereotype contrast of "
            f"{wording.plain(contrast.subjects[CANDIDATE].estimate)} nats.",
        )
    return Claim(
        f"No difference could be shown between {candidate} and {reference} {on}",
        _not_shown(contrast, "the stereotype contrast of the candidate is ", is_chosen=is_chosen),
        same=same,
    )


def _not_shown(contrast: Contrast, start: str, *, is_chosen: bool) -> str:
    main, quote = contrast.main, contrast.quote if is_chosen else None
    n_tested = 1 if contrast.quote is None else contrast.quote.n_tested
    # One model's contrast is an amount; a difference also needs its direction.
    alone = start.startswith("its")
    amount = f"{wording.plain(main.estimate)} nats" if alone else amounts.higher(main)
    amount += quotes.likely(main, quote, wording.plain if alone else wording.size)
    chosen = quotes.chosen(main, quote)
    interval = quotes.interval(chosen, amounts.signed_interval, quote)
    # Who reads the plain interval would ask why this is not shown.
    if main.leaves_zero_out:
        plain = "that interval"
        if chosen is not main:
            plain = f"its 95 % interval ({amounts.signed_interval(main)})"
        chance = (
            f" ({interval}; {amounts.basis(main)}). Taken alone {plain} leaves zero out, but among "
            f"{n_tested} tested sets one like it comes about too easily by chance "
            f"({wording.p_value(main.p_adjusted)}, adjusted for their number)."
        )
    else:
        chance = f", and the interval includes zero ({interval}; {amounts.basis(main)})."
    shared = f" {_both_contrasts(contrast)}" if DIFFERENCE in contrast.subjects else ""
    tested = f", with {n_tested} tested sets," if n_tested > 1 else ""
    return (
        f"{start}{amount}{chance}{shared} That is not proof of no "
        f"{'difference' if DIFFERENCE in contrast.subjects else 'lean'}: the smallest that this "
        f"audit could have been expected to find{tested} is "
        f"{wording.plain(contrast.could_find(contrast.subject))} nats."
        f"{sameness.sentence(main, contrast.margin, paired=not alone)}"
    )


def _too_few(contrast: Contrast, names: Names) -> Claim:
    main = contrast.main
    noun = "difference" if names.paired else "lean"
    return Claim(
        f"Nothing can be said of a {noun} on “{contrast.title}”",
        f"its contrast is {wording.signed(main.estimate)} nats over {amounts.basis(main)}, and how "
        f"sure that is cannot be computed; it takes at least {LEAST_FRAMES} frames and two "
        "attributes in each class.",
    )


def _control(contrast: Contrast, names: Names, most: float) -> Claim:
    # Controls do not enter the adjustment, so their plain 95 % intervals stand in for a test.
    leaning = {name: e for name, e in contrast.subjects.items() if e.leaves_zero_out}
    statements = [
        f"{_opening(subject, names)} {wording.signed(effect.estimate)} nats "
        f"({amounts.signed_interval(effect)})"
        for subject, effect in leaning.items()
    ]
    if leaning:
        times = most / max(abs(effect.estimate) for effect in leaning.values())
        small = (
            f" It is small: the largest finding here is about {times:,.0f} times as far from zero."
            if times >= _SMALL
            else ""
        )
        return Claim(
            f"The control “{contrast.title}” shows a lean where none is expected",
            f"{wording.listed(statements)}, and the 95 % interval leaves zero out. One such "
            f"interval in twenty does so by chance, and {len(contrast.subjects)} were looked at "
            f"here; read the other findings with more caution.{small}",
        )
    main = contrast.main
    return Claim(
        f"The control “{contrast.title}” shows no lean, as it should",
        f"{_opening(DIFFERENCE if names.paired else CANDIDATE, names)} "
        f"{wording.signed(main.estimate)} nats ({amounts.signed_interval(main)}), and every 95 % "
        f"interval includes zero; a contrast of {wording.plain(main.mde)} nats could have been "
        "expected to be found."
        f"{sameness.sentence(main, contrast.margin, paired=names.paired)}",
    )


def _opening(subject: str, names: Names) -> str:
    if subject == DIFFERENCE:
        return "the difference between the two models is"
    return f"the contrast of {names.the(subject)} is"


def _both_contrasts(contrast: Contrast) -> str:
    candidate, reference = (contrast.subjects[name].estimate for name in (CANDIDATE, REFERENCE))
    return (
        f"The candidate’s contrast is {wording.plain(candidate)}, "
        f"the reference’s {wording.plain(reference)}."
    )


def _in_odds(contrast: Contrast) -> str:
    """The effect as a factor, for the candidate and for the reference where there is one."""
    first, second = contrast.groups
    step = f"going from “{contrast.classes[1]}” to “{contrast.classes[0]}”"
    # With the attribute at the mask one word is scored in two sentences, which gives a ratio of
    # probabilities; two words at one mask give odds.
    if contrast.group_at_mask:
        start = f"In odds: {step} multiplies the odds of {first} over {second}"
    else:
        start = (
            f"As a ratio: {step} multiplies how much likelier the model finds the word in a "
            f"sentence about {first} than in one about {second}"
        )
    candidate = wording.odds(contrast.subjects[CANDIDATE].estimate)
    if DIFFERENCE not in contrast.subjects:
        return f"{start} by {candidate}."
    reference = wording.odds(contrast.subjects[REFERENCE].estimate)
    return (
        f"{start} by {candidate} in the candidate and by {reference} in the reference, "
        f"which is {wording.odds(contrast.main.estimate)} times as much."
    )

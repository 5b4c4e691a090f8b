"""The stereotype contrasts of a record as values: which of them are tested, and what is shown."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from maskaudit.audit.estimating.crossed.one_subject import LEAST_FRAMES
from maskaudit.audit.estimating.quoted import Quoted
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.recording.manifest import Labelled, ProbeSet, classes_between
from maskaudit.audit.recording.margins import Margin
from maskaudit.audit.recording.rows import slices
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    SHOWN,
    Effect,
    Effects,
    Names,
)
from maskaudit.reports.sections.contrasts import amounts
from maskaudit.reports.words import quotes, wording

Standing = Literal["control", "refused", "shown", "not shown"]


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
        return amounts.direction(self.subjects).startswith("leans further")

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
    def is_copy(self) -> bool:
        """Whether it is that of a model against its copy, which gives exactly the same scores."""
        # Exactly 0 on purpose: only a copy of the reference gets here, and no rounding noise.
        return self.subject == DIFFERENCE and self.main.std_error == 0 and self.main.estimate == 0

    @property
    def leaning(self) -> Mapping[str, Effect]:
        """The subjects whose plain interval leaves zero out, which stands in for a control's test.

        Controls do not enter the adjustment, so they have no test of their own.
        """
        return {name: e for name, e in self.subjects.items() if e.leaves_zero_out}

    @property
    def alone(self) -> "Contrast":
        """The candidate's contrast by itself, as of a model that was compared with none."""
        quoted: dict[str, Quoted] = {
            name: quote for name, quote in self.quoted.items() if name == CANDIDATE
        }
        return replace(self, subjects={CANDIDATE: self.subjects[CANDIDATE]}, quoted=quoted)

    @property
    def credible(self) -> float:
        """The size that is credible of what is shown: the end of its interval that is nearest to 0.

        In nats, with its sign; 0 where nothing is shown. The interval is the one that is quoted.
        """
        if not self.is_shown:
            return 0.0
        quote = self.quote
        low, high = (quote.low, quote.high) if quote else (self.main.low, self.main.high)
        return max(low, 0.0) if self.main.estimate > 0 else min(high, 0.0)

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

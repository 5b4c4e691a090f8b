"""What is claimed of each set: whether the candidate leans, and whether further than its reference.

Every word of the reader's page about a lean follows from these states, which follow from tests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.reader.parts import Tone
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts
from maskaudit.reports.words import sameness

Lean = Literal["with", "against", "none", "not shown", "refused"]
Change = Literal["further", "less", "same", "not shown", "refused", "nothing compared"]


@dataclass(frozen=True)
class Found:
    """One contrast, of both models if there are two, with what is claimed of it."""

    paired: Contrast

    @cached_property
    def alone(self) -> Contrast:
        """The candidate's contrast by itself."""
        return self.paired.alone

    @property
    def is_control(self) -> bool:
        """Whether no lean is expected in the set."""
        return self.paired.is_control

    @property
    def candidate(self) -> Effect:
        """The candidate's contrast."""
        return self.alone.main

    @property
    def lean(self) -> Lean:
        """What is shown of the candidate by itself."""
        if self.alone.standing == "refused":
            return "refused"
        if self.alone.is_shown:
            return "with" if self.candidate.estimate > 0 else "against"
        is_none = sameness.is_within(self.candidate, self.alone.margin)
        return "none" if is_none else "not shown"

    @property
    def change(self) -> Change:
        """What is shown of the difference from the reference; "further" is towards the stereotype.

        A change that brings a candidate past zero to the other side is told by its own lean.
        """
        main = self.paired.main
        if self.paired.subject != DIFFERENCE:
            return "nothing compared"
        if self.paired.standing == "refused":
            return "refused"
        if self.paired.is_shown:
            return "further" if main.estimate > 0 else "less"
        is_same = self.paired.is_copy or sameness.is_within(main, self.paired.margin)
        return "same" if is_same else "not shown"

    @property
    def moved(self) -> bool:
        """Whether a control shows a lean where none is expected, in any subject."""
        return self.is_control and bool(self.paired.leaning)

    @property
    def tone(self) -> Tone:
        """What the candidate's own lean is to a reader who looks for harm."""
        if self.is_control:
            return "open" if self.moved else "control"
        tones: dict[str, Tone] = {"with": "worse", "against": "better", "none": "same"}
        return tones.get(self.lean, "open")


def of_record(manifest: Manifest, estimates: Effects, names: Names) -> list[Found]:
    """What is claimed of every contrast of a record: the worst first, then the controls."""
    all_contrasts = contrasts(manifest.probe_sets, estimates, names, manifest.settings.adjust)
    found = [Found(contrast) for contrast in all_contrasts if CANDIDATE in contrast.subjects]
    return sorted(found, key=_order)


def tested(found: Sequence[Found]) -> list[Found]:
    """Those in which a lean was tested."""
    return [one for one in found if one.alone.is_tested]


def _order(one: Found) -> tuple[int, float, float]:
    """The worst first: what is credible of the lean, then how clear it is; controls last."""
    if one.is_control:
        return 2, 0.0, -one.alone.clearness
    estimate = one.candidate.estimate
    size = 0.0 if math.isnan(estimate) else estimate
    # A lean against the stereotype is not worse for being shown more clearly.
    return int(not one.alone.is_tested), -max(one.alone.credible, 0.0), -size

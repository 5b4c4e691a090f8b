"""What is claimed of each set: whether the candidate leans, and whether further than its reference.

Every word of the reader's page about a lean follows from these states, which follow from tests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.reader.parts import Tone
from maskaudit.reports.sections.tested import Contrast, contrasts
from maskaudit.reports.words import sameness

Lean = Literal["with", "against", "none", "not shown", "refused"]
Change = Literal["further", "less", "same", "not shown", "refused", "nothing compared"]


@dataclass(frozen=True)
class Found:
    """One contrast with what is claimed of it.

    `alone` is the contrast as that of the candidate by itself, `paired` as that of both models; of
    one model the two are the same.
    """

    alone: Contrast
    paired: Contrast

    @property
    def is_control(self) -> bool:
        """Whether no lean is expected in the set."""
        return self.paired.is_control

    @property
    def candidate(self) -> Effect:
        """The candidate's contrast."""
        return self.alone.main

    @property
    def credible(self) -> float:
        """The size of the candidate's lean that is credible: the end of its interval nearest to 0.

        In nats, positive with the stereotype; 0 where no lean is shown.
        """
        if self.lean not in {"with", "against"}:
            return 0.0
        quote = self.alone.quote
        low, high = (quote.low, quote.high) if quote else (self.candidate.low, self.candidate.high)
        return max(low, 0.0) if self.candidate.estimate > 0 else min(high, 0.0)

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
        # Exactly 0 on purpose: a copy of the reference, and no rounding noise.
        is_copy = main.std_error == 0 and main.estimate == 0
        is_same = is_copy or sameness.is_within(main, self.paired.margin)
        return "same" if is_same else "not shown"

    @property
    def moved(self) -> bool:
        """Whether a control shows a lean where none is expected, in any subject."""
        return self.is_control and any(e.leaves_zero_out for e in self.paired.subjects.values())

    @property
    def tone(self) -> Tone:
        """What the candidate's own lean is to a reader who looks for harm."""
        if self.is_control:
            return "open" if self.moved else "control"
        tones: dict[str, Tone] = {"with": "worse", "against": "better", "none": "same"}
        return tones.get(self.lean, "open")


def of_record(manifest: Manifest, estimates: Effects, names: Names) -> list[Found]:
    """What is claimed of every contrast of a record: the worst first, then the controls."""
    adjust = manifest.settings.adjust
    paired = contrasts(manifest.probe_sets, estimates, names, adjust)
    alone = {
        (contrast.probe_set, contrast.between): contrast
        for contrast in contrasts(manifest.probe_sets, estimates, Names(names.candidate), adjust)
    }
    found = [
        Found(alone[contrast.probe_set, contrast.between], contrast)
        for contrast in paired
        if CANDIDATE in contrast.subjects
    ]
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
    return int(not one.alone.is_tested), -max(one.credible, 0.0), -size

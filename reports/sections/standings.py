"""What a contrast shows in a word or two, for a line of a table: the claim of its sentence."""

from dataclasses import dataclass

from maskaudit.reports.effects import DIFFERENCE
from maskaudit.reports.sections import amounts
from maskaudit.reports.sections.contrasts import Contrast
from maskaudit.reports.words import caveats, sameness


@dataclass(frozen=True)
class Standing:
    """What a contrast shows, in a few words and in one or two.

    `rank` sorts from the worst: a harmful finding, a control that leans, what cannot be said, what
    is not shown, what is the same, and a finding that does no harm.
    """

    words: str
    word: str
    rank: int

    @property
    def is_harmful(self) -> bool:
        """Whether harm is shown: a lean with the stereotype, or one that is further with it."""
        return self.rank == 0

    @property
    def is_open(self) -> bool:
        """Whether the set asks for a second look: a control leans, or nothing can be said."""
        return self.rank in {1, 2}


def standing(contrast: Contrast) -> Standing:
    """What a contrast shows; `finding` says the same in a sentence."""
    match contrast.standing:
        case "control":
            return _control(contrast)
        case "refused":
            return Standing(caveats.refusal(contrast.main) or "refused", "refused", 2)
        case "shown":
            way = amounts.direction(contrast.subjects).removesuffix(" than")
            way += "" if contrast.subject == DIFFERENCE else " the stereotype"
            return Standing(f"shown: {way}", "shown", 0 if contrast.main.estimate > 0 else 5)
        case "not shown":
            return _not_shown(contrast)


def _control(contrast: Contrast) -> Standing:
    # As the sentence has it: any subject whose interval leaves zero out.
    if any(effect.leaves_zero_out for effect in contrast.subjects.values()):
        return Standing("a lean where none is expected", "control leans", 1)
    return Standing("control: no lean, as it should", "control", 4)


def _not_shown(contrast: Contrast) -> Standing:
    main = contrast.main
    paired = contrast.subject == DIFFERENCE
    # Exactly 0 on purpose, as in the sentence: only a copy of the reference gets here.
    if paired and main.std_error == 0 and main.estimate == 0:
        return Standing("no difference at all", "the same", 4)
    brief = sameness.brief(main, contrast.margin, paired=paired)
    if sameness.is_within(main, contrast.margin):
        return Standing(brief, "the same" if paired else "no lean", 4)
    return Standing(f"not shown: {brief}" if brief else "not shown", "not shown", 3)

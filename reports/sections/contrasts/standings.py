"""What a contrast shows in a word or two, for a line of a table: the claim of its sentence."""

from dataclasses import dataclass

from maskaudit.reports.effects import DIFFERENCE
from maskaudit.reports.sections.contrasts import amounts
from maskaudit.reports.sections.contrasts.tested import Contrast
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


def standing(contrast: Contrast, *, as_factor: bool = False) -> Standing:
    """What a contrast shows; `finding` says the same in a sentence.

    What it is the same within is said in nats, or with `as_factor` as a factor on the odds.
    """
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
            return _not_shown(contrast, as_factor=as_factor)


def _control(contrast: Contrast) -> Standing:
    if contrast.leaning:
        return Standing("a lean where none is expected", "control leans", 1)
    return Standing("control: no lean, as it should", "control", 4)


def _not_shown(contrast: Contrast, *, as_factor: bool) -> Standing:
    main = contrast.main
    paired = contrast.subject == DIFFERENCE
    if contrast.is_copy:
        return Standing("no difference at all", "the same", 4)
    brief = sameness.brief(main, contrast.margin, paired=paired, as_factor=as_factor)
    if sameness.is_within(main, contrast.margin):
        return Standing(brief, "the same" if paired else "no lean", 4)
    return Standing(f"not shown: {brief}" if brief else "not shown", "not shown", 3)

"""What an audit shows of its candidate by itself, and then against the reference, worst first."""

from collections.abc import Callable, Iterable, Sequence

from maskaudit.audit.estimating.statistics.interval import LEVEL
from maskaudit.reports.blocks import Claim
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, Names
from maskaudit.reports.sections.contrasts import amounts
from maskaudit.reports.sections.contrasts.claims import claim, in_odds
from maskaudit.reports.sections.contrasts.tested import Contrast
from maskaudit.reports.words import quotes, sameness, wording

# How many sets a sentence names before it counts the others.
_NAMED = 3
_NO_LEAN = "A factor of 1 would be no lean."


def summary(all_contrasts: Sequence[Contrast], names: Names) -> Claim:
    """The state of the candidate, then its change: no change is told without the state it ends in.

    The claim is that of the set where most is shown against the candidate; the evidence has its
    numbers as factors on the odds, what the other sets show, and controls that lean. Expects at
    least one contrast that is no control's.
    """
    asked = [contrast for contrast in all_contrasts if contrast.standing != "control"]
    cautions = [
        f"{claim(contrast, names)}: read the other findings with more caution."
        for contrast in all_contrasts
        if contrast.standing == "control" and contrast.leaning
    ]
    if nothing_shown(asked):
        return Claim(_of_none(asked, names), " ".join([*_changes(asked, names), *cautions]))
    first = worst(asked)
    rest = sorted((contrast for contrast in asked if contrast is not first), key=harm)
    others = [_both(found, names) for found in _alike(rest, lambda c: _both([c], names, ""))]
    return Claim(_both([first], names), " ".join([*_numbers(first, names), *others, *cautions]))


def nothing_shown(asked: Sequence[Contrast]) -> bool:
    """Whether there are several sets, and the candidate by itself is shown nothing on any."""
    return len(asked) > 1 and all(contrast.alone.standing == "not shown" for contrast in asked)


def worst(asked: Iterable[Contrast]) -> Contrast:
    """The set where most is shown against the candidate."""
    return min(asked, key=harm)


def harm(contrast: Contrast) -> tuple[int, float]:
    """The sort key of a set by what is shown against the candidate, the worst first.

    A lean with the stereotype comes before a change towards it, and both before all else; among
    equals the largest that is credible is first, and of what is not shown the clearest.
    """
    alone = contrast.alone
    if alone.is_shown and alone.main.estimate > 0:
        return 0, -alone.credible
    if contrast.subject == DIFFERENCE and contrast.is_shown and contrast.main.estimate > 0:
        return 1, -contrast.credible
    order = {"shown": 2, "not shown": 3, "refused": 4, "control": 5}
    # A p that is unknown is NaN, and compares with nothing.
    return order[alone.standing], alone.main.p if alone.standing != "refused" else 1.0


def leaning(all_contrasts: Iterable[Contrast]) -> list[Contrast]:
    """The sets on which the candidate is shown to lean with the stereotype, the worst first."""
    return sorted((found for found in all_contrasts if harm(found)[0] == 0), key=harm)


def on(contrasts: Sequence[Contrast]) -> str:
    """Where something is so: on “A”, “B” and 2 more."""
    titles = [f"“{contrast.title}”" for contrast in contrasts]
    more = len(titles) - _NAMED
    # One more takes no more room than its count.
    if more <= 1:
        return f"on {wording.listed(titles)}"
    return f"on {wording.listed([*titles[:_NAMED], f'{more} more'])}"


def _of_none(asked: Sequence[Contrast], names: Names) -> str:
    """That nothing is shown on any set, and how large it may be all the same."""
    alone = [contrast.alone for contrast in asked]
    same = sameness.of_all((one.main for one in alone), paired=False, as_factor=True)
    where = f"on any of the {len(asked)} tested sets"
    return f"{claim(alone[0], names, where)}{f' ({same})' if same else ''}."


def _both(alike: Sequence[Contrast], names: Names, where: str | None = None) -> str:
    """The state on sets of which the same is said, and the change there."""
    alone = alike[0].alone
    state = claim(alone, names, on(alike) if where is None else where)
    if len(alike) == 1 and alone.standing == "not shown" and where is None:
        same = sameness.brief(alone.main, alone.margin, paired=False, as_factor=True)
        state += f" ({same})" if same else ""
    return f"{state}. {claim(alike[0], names, 'there')}." if names.paired else f"{state}."


def _numbers(first: Contrast, names: Names) -> list[str]:
    """The set in odds, and why its intervals are no 95 % intervals."""
    if "refused" in {first.standing, first.alone.standing}:
        return []
    count = max((quote.n_tested for quote in first.quoted.values()), default=1)
    chosen = f"The intervals allow for the choice of this set from {count}." if count > 1 else ""
    return [part for part in (in_odds(first, names, _beside(first)), _NO_LEAN, chosen) if part]


def _beside(contrast: Contrast) -> Callable[[str], str]:
    """The interval of each subject's factor, as a sentence quotes what the data chose."""
    # One family a model and one of the differences, so that their levels may differ.
    levels = {name: quote.level for name, quote in contrast.quoted.items()}
    is_one = len(set(levels.values())) == 1

    def interval(subject: str) -> str:
        effect = quotes.chosen(contrast.subjects[subject], contrast.quoted.get(subject))
        level, _ = quotes.because(levels.get(subject, LEVEL), 1)
        name = "" if is_one and subject != CANDIDATE else f"{level} interval "
        return f" ({name}{amounts.factor_interval(effect)})"

    return interval


def _changes(contrasts: Sequence[Contrast], names: Names) -> list[str]:
    """What is shown against the reference, in a sentence for all sets on which it is the same."""
    if not names.paired:
        return []
    return [
        f"{claim(found[0], names, on(found))}."
        for found in _alike(contrasts, lambda contrast: claim(contrast, names, ""))
    ]


def _alike(contrasts: Sequence[Contrast], said: Callable[[Contrast], str]) -> list[list[Contrast]]:
    """The sets of which the same is said, in the order of the first of each."""
    groups: dict[str, list[Contrast]] = {}
    for contrast in contrasts:
        groups.setdefault(said(contrast), []).append(contrast)
    return list(groups.values())

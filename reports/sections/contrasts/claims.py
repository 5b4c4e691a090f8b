"""The stereotype contrasts of a record as sentences: what was shown, and what could not be."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from maskaudit.audit.estimating.crossed.one_subject import LEAST_FRAMES
from maskaudit.reports.blocks import Claim
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Names
from maskaudit.reports.sections.contrasts import amounts
from maskaudit.reports.sections.contrasts.tested import Contrast
from maskaudit.reports.words import quotes, sameness, wording

_SMALL = 5  # a control is small if the largest finding is this many times as far from zero


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
        said = _nothing_shown(tested, clearest, names)
    else:
        said = finding(clearest, names, is_chosen=True)
    return replace(said, claim=f"{said.claim}{_by_itself(tested, clearest, names)}")


def _by_itself(tested: Sequence[Contrast], clearest: Contrast, names: Names) -> str:
    """That the candidate leans all the same, where the headline is no lean further than another's.

    A smaller lean, or no difference from a model that leans, is no absence of one.
    """
    leaning = [contrast for contrast in tested if contrast.alone.credible > 0]
    is_further = clearest.is_shown and clearest.main.estimate > 0
    if not names.paired or is_further or not leaning:
        return ""
    where = f"“{leaning[0].title}”"
    if leaning == tested:
        where = "it" if len(tested) == 1 else wording.every(len(tested))
    elif len(leaning) > 1:
        where = f"{len(leaning)} of {len(tested)}"
    return f"; {names.short(CANDIDATE)} itself leans with the stereotype on {where}"


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


def claim(contrast: Contrast, names: Names, where: str | None = None) -> str:
    """What a set shows of its subject, without the numbers that it rests on.

    Of `contrast.alone` it is what is shown of the candidate by itself. `where` stands in place of
    the words that name the set.
    """
    on = f"on “{contrast.title}”" if where is None else where
    candidate, reference = names.the(CANDIDATE), names.the(REFERENCE)
    compared = contrast.subject == DIFFERENCE
    match contrast.standing:
        case "control":
            leaning = (
                "a lean where none is expected" if contrast.leaning else "no lean, as it should"
            )
            return f"The control “{contrast.title}” shows {leaning}"
        case "refused":
            return f"Nothing can be said of a {'difference' if compared else 'lean'} {on}"
        case "shown":
            way = amounts.direction(contrast.subjects)
            return wording.opened(
                f"{candidate} {way} {reference if compared else 'the stereotype'} {on}"
            )
        case "not shown" if not compared:
            return f"No lean of {candidate} could be shown {on}"
        case "not shown" if contrast.is_copy:
            return f"No difference at all between {candidate} and {reference} {on}"
        case "not shown":
            return f"No difference could be shown between {candidate} and {reference} {on}"


def _shown(contrast: Contrast, names: Names) -> Claim:
    main, quote = contrast.main, contrast.quote
    interval = quotes.interval(quotes.chosen(main, quote), amounts.interval, quote)
    details = f"({interval}; {quotes.adjusted(main, quote)}; {amounts.basis(main)})"
    likely = quotes.likely(main, quote, wording.size if names.paired else wording.plain)
    if names.paired:
        return Claim(
            claim(contrast, names),
            f"its stereotype contrast is {amounts.higher(main)}{likely} {details}. "
            f"{_both_contrasts(contrast, names)} {in_odds(contrast, names)}",
        )
    return Claim(
        f"{claim(contrast, names)}; nothing was compared",
        f"its stereotype contrast is {wording.plain(main.estimate)} nats{likely} {details}. "
        f"{in_odds(contrast, names)}",
    )


def _unshown(contrast: Contrast, names: Names, *, is_chosen: bool) -> Claim:
    main = contrast.main
    same = sameness.brief(main, contrast.margin, paired=names.paired)
    if not names.paired:
        return Claim(
            f"{claim(contrast, names)}; nothing was compared",
            _not_shown(contrast, names, "its stereotype contrast is ", is_chosen=is_chosen),
            same=same,
        )
    if contrast.is_copy:
        return Claim(
            claim(contrast, names),
            "both give exactly the same scores, and a stereotype contrast of "
            f"{wording.plain(contrast.subjects[CANDIDATE].estimate)} nats.",
        )
    start = f"the stereotype contrast of {names.short(CANDIDATE)} is "
    return Claim(
        claim(contrast, names),
        _not_shown(contrast, names, start, is_chosen=is_chosen),
        same=same,
    )


def _not_shown(contrast: Contrast, names: Names, start: str, *, is_chosen: bool) -> str:
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
    shared = f" {_both_contrasts(contrast, names)}" if DIFFERENCE in contrast.subjects else ""
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
    return Claim(
        claim(contrast, names),
        f"its contrast is {wording.signed(main.estimate)} nats over {amounts.basis(main)}, and how "
        f"sure that is cannot be computed; it takes at least {LEAST_FRAMES} frames and two "
        "attributes in each class.",
    )


def _control(contrast: Contrast, names: Names, most: float) -> Claim:
    leaning = contrast.leaning
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
            claim(contrast, names),
            f"{wording.listed(statements)}, and the 95 % interval leaves zero out. One such "
            f"interval in twenty does so by chance, and {len(contrast.subjects)} were looked at "
            f"here; read the other findings with more caution.{small}",
        )
    main = contrast.main
    return Claim(
        claim(contrast, names),
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


def _both_contrasts(contrast: Contrast, names: Names) -> str:
    candidate, reference = (contrast.subjects[name].estimate for name in (CANDIDATE, REFERENCE))
    opening = wording.opened(f"{names.short(CANDIDATE)}’s contrast is {wording.plain(candidate)}")
    return f"{opening}, {names.short(REFERENCE)}’s {wording.plain(reference)}."


def in_odds(contrast: Contrast, names: Names, beside: Callable[[str], str] = lambda _: "") -> str:
    """The contrast as a factor, for the candidate and for the reference where there is one.

    `beside` says what stands behind the factor of a subject, such as its interval.
    """
    factors = {
        subject: f"{wording.odds(effect.estimate)} times"
        for subject, effect in contrast.subjects.items()
    }
    first, second = contrast.groups
    high, low = (f"words of “{label}”" for label in contrast.classes)
    # With the attribute at the mask one word is scored in two sentences, which gives a ratio of
    # probabilities; two words at one mask give odds.
    if contrast.group_at_mask:
        what = f"the odds of {first} over {second} are {{}} as high with {high} as with {low}"
    else:
        what = (
            f"the odds that a word is about {first} rather than {second} are {{}} as high for "
            f"{high} as for {low}"
        )
    candidate = what.format(factors[CANDIDATE]) + beside(CANDIDATE)
    start = f"In {names.short(CANDIDATE)}, {candidate}"
    if DIFFERENCE not in contrast.subjects:
        return f"{start}."
    return (
        f"{start}; in {names.short(REFERENCE)}, {factors[REFERENCE]}{beside(REFERENCE)}. "
        f"That is {factors[DIFFERENCE]} as much{beside(DIFFERENCE)}."
    )

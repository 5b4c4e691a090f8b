"""The first words of the reader's page: the verdict, the headline and the sentence below it."""

import math
from collections.abc import Iterable, Mapping, Sequence

from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.effects import REFERENCE, Effect, Names
from maskaudit.reports.reader.allowed import baseline, judged_on
from maskaudit.reports.reader.parts import Strip, Tone
from maskaudit.reports.reader.state import Found, tested
from maskaudit.reports.sections import competence
from maskaudit.reports.words import verdicts, wording

_STRIPS: dict[str, tuple[str, str, Tone]] = {
    verdicts.FAIL: ("FAIL", "✕", "worse"),
    verdicts.NOT_MEASURED: ("NOT MEASURED", "–", "open"),
    verdicts.INCONCLUSIVE: ("INCONCLUSIVE", "?", "open"),
    verdicts.WARNING: ("WARNING", "!", "open"),
    verdicts.WAIVED: ("WAIVED", "~", "open"),
    verdicts.PASS: ("PASS", "✓", "better"),
    verdicts.NOTHING: ("NOT MEASURED", "–", "open"),
}
_ANSWERS = {
    verdicts.FAIL: "{who} must not be released under",
    verdicts.NOT_MEASURED: "Nothing was measured for",
    verdicts.INCONCLUSIVE: "It is not decided whether {who} meets",
    verdicts.WARNING: "{who} does not meet, with a warning only,",
    verdicts.WAIVED: "{who} does not meet, with a waiver,",
    verdicts.PASS: "{who} meets",
}


def release(judged: Iterable[Verdict]) -> tuple[str, str, Tone]:
    """The worst of some verdicts by word, shape and tone."""
    return _STRIPS[verdicts.worst(judged)]


def strip(
    judgement: Judgement | None, manifest: Manifest, names: Names, found: Sequence[Found] = ()
) -> Strip:
    """The verdict of the release rules, or that none was set; and what the models know.

    `found` is what is claimed of each set, by which a baseline's own number is known.
    """
    fit = _competence(manifest, names)
    if judgement is None:
        reason = "Release not decided."
        return Strip("NO RULE SET", "○", "open", reason, fit)
    worst = verdicts.worst(judgement.verdicts)
    status, shape, tone = release(judgement.verdicts)
    if not judgement.verdicts:
        return Strip(status, shape, tone, "The release rules name nothing that was measured.", fit)
    alike = [v for v in judgement.verdicts if verdicts.status(v) == worst]
    first = next(v for v in verdicts.worst_first(judgement) if verdicts.status(v) == worst)
    start = _ANSWERS[worst].format(who=names.candidate)
    about = _rule(first, manifest, found)
    return Strip(status, shape, tone, f"{start} {_which(alike, judgement, about)}.", fit)


def _which(alike: Sequence[Verdict], judgement: Judgement, rule: str) -> str:
    """The rules of which the worst is so: a single one as it is told, several by their number."""
    total = len(judgement.verdicts)
    if len(alike) == 1 < total:
        return rule
    which = f"{len(alike)} of {total} release rules"
    if len(alike) == total:
        which = "its only release rule" if total == 1 else f"all {total} release rules"
    clearest = "; the clearest" if total > 1 else ""
    return f"{which}{clearest}: {rule}"


def _rule(verdict: Verdict, manifest: Manifest, found: Sequence[Found]) -> str:
    """A verdict in a few words: its rule, its set, what was found and what is allowed."""
    # Of one set alone it goes without saying.
    part = manifest.probe_sets.get(verdict.probe_set) if len(manifest.probe_sets) > 1 else None
    on = f" on “{wording.visible(part.title)}”" if part else ""
    return f"“{verdicts.name(verdict.gate)}”{on}{_numbers(verdict, found)}"


def _numbers(verdict: Verdict, found: Sequence[Found]) -> str:
    if math.isnan(verdict.estimate) or math.isnan(verdict.margin):
        return ""
    entry = numbers.find(verdict.estimator)
    if entry is None or entry.unit != "nats" or verdict.scale == "log":
        shown = verdicts.row(verdict)
        return f" ({shown.estimate}; {shown.margin})"
    # A change in nats is a factor on the odds, which people can say.
    times, most = wording.times(verdict.estimate), wording.times(verdict.margin)
    both = _both(verdict, found)
    if both:
        return f": {both}, {times} times as high; at most {most} times is allowed"
    return f": {times} times the odds{_held_against(verdict)}; {most} is allowed"


def _both(verdict: Verdict, found: Sequence[Found]) -> str:
    """The candidate's odds beside the baseline's; empty for other rules and numbers."""
    for one in found:
        is_there = verdict in judged_on([verdict], one.paired.probe_set, one.paired.between)
        before = baseline([verdict], CONTRAST, one.candidate.estimate) if is_there else None
        if before is not None:
            name = f" “{wording.visible(before.name)}”" if before.name else ""
            now, then = wording.times(one.candidate.estimate), wording.times(before.estimate)
            return f"odds of {now} where the baseline{name} has {then}"
    return ""


def _held_against(verdict: Verdict) -> str:
    """What the odds are compared with, by its name; nothing for a bound on the number itself."""
    kind, _, name = verdict.against.partition(" ")
    known = {"baseline": " of the baseline", "reference": " of its reference"}.get(kind, "")
    return f"{known} “{wording.visible(name)}”" if known and name else known


def _competence(manifest: Manifest, names: Names) -> str:
    """Whether the models know plain facts, in a line; empty for the bundled pair."""
    checks = [(model, manifest.competence.get(model)) for model in names.models]
    weak = [(_name(model, names), check) for model, check in checks
            if check and not check.competent]  # fmt: skip
    if manifest.truth is not None or not competence.is_asked(manifest) or not weak:
        return ""
    (first, check), *others = weak
    said = f"{first} knows {check.right:,} of {wording.counted(check.of, 'plain fact')}"
    said += "".join(f", {name} {check.right:,}" for name, check in others)
    return f"{said}: too weak to be trusted where no lean shows."


def _name(subject: str, names: Names) -> str:
    return names.reference if subject == REFERENCE else names.candidate


def headline(found: Sequence[Found], names: Names) -> str:
    """The candidate's worst credible state, then the change from its reference; no nats.

    Never an improvement alone while a lean is credible, nor unqualified beside a control that
    moved. Empty where nothing was tested.
    """
    asked = tested(found)
    if not asked:
        return ""
    leaning = [one for one in asked if one.lean == "with"]
    moved = [one for one in asked if one.change == "further"]
    if leaning:
        said = _leaning(leaning, asked, moved, names)
    elif moved:
        said = (
            f"No lean of {names.candidate} is shown, but it moved towards the stereotype from "
            f"{names.reference} on {_on(moved, asked)}"
        )
    else:
        said = _nothing(asked, names)
    return said + _beside_controls(found, asked[0])


def _beside_controls(found: Sequence[Found], worst: Found) -> str:
    """How far the control that moved most did so, beside the finding; empty if none moved."""
    moved = [one for one in found if one.moved]
    if not moved:
        return ""
    most = max(_size(one) for one in moved)
    size = _size(worst)
    # Two digits of a percentage are enough, and a finding of nothing has none.
    share = f"{wording.percent(most / size)} as much" if size > 0 else "one"
    return f"; a control that should show none shows {share}"


def _size(one: Found) -> float:
    """The size of what is claimed: of the change where one is shown, else of the lean itself."""
    is_change = one.change in {"further", "less"} or one.is_control
    return abs((one.paired.main if is_change else one.candidate).estimate)


def _leaning(
    leaning: Sequence[Found], asked: Sequence[Found], moved: Sequence[Found], names: Names
) -> str:
    worst = leaning[0]
    said = f"{names.candidate} leans with the stereotype on {_on(leaning, asked)}"
    if not names.paired:
        return said
    if worst.change == "further":
        return f"{said}, further than {names.reference}"
    if moved and moved[0].lean == "against":
        return f"{said}, and moved towards the stereotype on {_title(moved[0])}"
    if moved:
        return f"{said}, and further than {names.reference} on {_title(moved[0])}"
    return f"{said}, {_compared(worst, names)}"


def _compared(one: Found, names: Names) -> str:
    match one.change:
        case "less":
            return f"less far than {names.reference}"
        case "same":
            return f"as far as {names.reference}"
        case "refused":
            return f"and cannot be compared with {names.reference}"
        case _:
            return f"no difference from {names.reference} shown"


def _on(some: Sequence[Found], asked: Sequence[Found]) -> str:
    """Where: the only one by its title, several by their number and the surest."""
    if len(some) == 1:
        return _title(some[0])
    total = len(asked)
    count = wording.every(total) if len(some) == total else f"{len(some)} of {total}"
    return f"{count} tests, most surely on {_title(some[0])}"


def _title(one: Found) -> str:
    return f"“{one.paired.title}”"


def _nothing(asked: Sequence[Found], names: Names) -> str:
    against = [one for one in asked if one.lean == "against"]
    where = _title(asked[0]) if len(asked) == 1 else f"any of {len(asked)} tests"
    if against:
        said = f"{names.candidate} leans against the stereotype on {_on(against, asked)}"
    elif all(one.lean == "refused" for one in asked):
        said = f"Nothing can be said of {names.candidate} on {where}"
    else:
        said = f"No lean of {names.candidate} with the stereotype is shown on {where}"
    if not names.paired:
        return said
    if any(one.change == "less" for one in asked):
        less = [one for one in asked if one.change == "less"]
        return f"{said}; it leans less with it than {names.reference} on {_on(less, asked)}"
    if all(one.change == "same" for one in asked):
        return f"{said}, nor a difference from {names.reference}"
    return f"{said}, nor any difference from {names.reference}"


def lead(found: Sequence[Found], names: Names, words: Mapping[str, str]) -> str:
    """How large the headline's finding is, in words that need no statistics.

    `words` is an example of each class of the set of the headline.
    """
    asked = tested(found)
    if not asked:
        return ""
    one = asked[0]
    effect = one.candidate
    if math.isnan(effect.estimate):
        return ""
    beside = one.paired.subjects.get(REFERENCE) if names.paired else None
    other = f"; {names.reference} {wording.times(beside.estimate)}" if beside else ""
    return f"{_amount(one, effect, words)} ({_range(one, effect)}{other})."


def _amount(one: Found, effect: Effect, words: Mapping[str, str]) -> str:
    first, second = one.paired.groups
    # A word says more than the name of its class.
    known = all(name in words for name in one.paired.classes)
    of_first, of_second = (f"“{words[name] if known else name}”" for name in one.paired.classes)
    of_first = f"words like {of_first}" if known else of_first
    times = wording.times(effect.estimate)
    if one.paired.group_at_mask:
        return (
            f"With {of_first} rather than {of_second}, it multiplies the odds of {first} over "
            f"{second} by {times}"
        )
    return (
        f"For {first} rather than {second}, it multiplies the odds of {of_first} over {of_second} "
        f"by {times}"
    )


def _range(one: Found, effect: Effect) -> str:
    quote = one.alone.quote
    low, high, level = effect.low, effect.high, "95 %"
    # A set that was picked for what it shows is quoted at the level that allows for the pick.
    if quote is not None and one.alone.is_shown:
        low, high, level = quote.low, quote.high, wording.level(quote.level)
    if math.isnan(low):
        return "how sure that is cannot be computed"
    return f"{level}: {wording.times(low)} to {wording.times(high)}"


def state_of(one: Found) -> str:
    """What is claimed of the candidate, in a word or two."""
    if one.is_control:
        return "moved" if one.moved else "as expected"
    margin = one.alone.margin
    within = f"none beyond {wording.times(margin.nats)}" if margin else "no lean"
    return {
        "with": "leans", "against": "leans against", "none": within,
        "not shown": "unclear", "refused": "too few sentences",
    }[one.lean]  # fmt: skip


def change_tone(one: Found) -> Tone:
    """What a claimed change is to a reader who looks for harm."""
    tones: dict[str, Tone] = {"further": "worse", "less": "better", "same": "same"}
    return "" if one.is_control else tones.get(one.change, "")


def change_of(one: Found) -> str:
    """What is claimed of the change, in a word; empty of one model and of a control."""
    if one.is_control:
        return ""
    if one.lean == "against" and one.change in {"further", "less"}:
        return "nearer to it" if one.change == "further" else "further from it"
    return {
        "further": "further", "less": "less far", "same": "similar", "not shown": "unclear",
        "refused": "too few sentences", "nothing compared": "",
    }[one.change]  # fmt: skip

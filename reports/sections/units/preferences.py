"""The preference of a set in one sentence: how often, and with what certainty."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from maskaudit.audit.estimating.quoted import chosen_from
from maskaudit.audit.estimating.registry.names import of_clusters
from maskaudit.audit.estimating.statistics.interval import LEVEL
from maskaudit.audit.estimating.statistics.multiplicity import selected_level
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.audit.recording.rows.slices import ALL
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
from maskaudit.reports.sections.units.counts import UNITS, behind, has_crossed_clusters
from maskaudit.reports.words import caveats as basis
from maskaudit.reports.words import quotes, sameness, wording

READ = (
    "How to read a preference. It is the share of pairs in which the model finds the more "
    "stereotyping side likelier: 50 % is even. It says how often, and not how strongly; and the "
    "two sides of a pair may differ in more than the group."
)
CHOSEN_RULE = (
    "Since the data chose it among them, each interval of the headline is at the level 1 − .05 "
    "over the number of sets; the tables have 95 % intervals."
)
DIGITS = 1


@dataclass(frozen=True)
class Preference:
    """The number behind a set's sentence, for every subject.

    `control_of` is the set that this one is the control of; empty for others. `level` is that of
    the intervals, and `chosen_from` the number of sets among which the data
    chose this one; 1 where it was not chosen.
    """

    probe_set: str
    title: str
    estimator: str
    mode: str
    what: str
    subjects: Mapping[str, Effect]
    unit: str
    is_crossed: bool = False
    control_of: str = ""
    level: float = LEVEL
    chosen_from: int = 1

    @property
    def main(self) -> Effect:
        """The effect that the page reports: the difference, or that of the only model."""
        return self.subjects.get(DIFFERENCE) or self.subjects[CANDIDATE]

    @property
    def is_shown(self) -> bool:
        """Whether the difference is shown, or of one model alone that it is not even.

        At the level of the interval, which allows for the sets it was chosen from.
        """
        if DIFFERENCE in self.subjects:
            return self.main.p < SHOWN / self.chosen_from
        return self.main.leaves_out(self.main.null_value)

    @property
    def sureness(self) -> float:
        """How far the candidate's own share is above even, over its standard error.

        Without a positive standard error it is infinite, of the sign of the distance, or 0.
        """
        own = self.subjects[CANDIDATE]
        distance = own.estimate - own.null_value
        if own.std_error > 0:
            return distance / own.std_error
        return math.copysign(math.inf, distance) if distance else 0.0


def preferences(manifest: Manifest, estimates: Effects, names: Names) -> list[Preference]:
    """The preference of each set that has one: its first number with a null value."""
    of_sets = []
    for probe_set, part in manifest.probe_sets.items():
        if part.kind not in UNITS:
            continue
        effects = estimates.of_set(probe_set).where(lambda row: row.slice == ALL).main_mode()
        # A share without an interval has its null value only on its Wilson and exact entries.
        even = [
            of_clusters(row.estimator)
            for row in effects.all
            if row.subject == CANDIDATE and not math.isnan(row.effect.null_value)
        ]
        if even:
            of_sets.append(_preference(probe_set, part, even[0], effects, names))
    return of_sets


def of_groups(preferred: Sequence[Preference]) -> list[Preference]:
    """The preferences that are about groups: those of controls are quoted beside them alone."""
    return [preference for preference in preferred if not preference.control_of]


def clearest(preferred: Sequence[Preference]) -> Preference:
    """The set on which the candidate prefers the stereotyping side most surely.

    By its own share and not by the difference from its reference: no set on which nothing is shown
    may stand in the headline before one whose preference is. The data chose it, so its intervals,
    and what it could have found, allow for the number of preferences.
    """
    best = max(preferred, key=lambda preference: preference.sureness)
    count = len(preferred)
    subjects = {
        # Without an error there is no interval that could be widened.
        name: _chosen(effect, count) if effect.std_error > 0 else effect
        for name, effect in best.subjects.items()
    }
    return replace(best, subjects=subjects, level=selected_level(1, count), chosen_from=count)


def _chosen(effect: Effect, count: int) -> Effect:
    low, high, least = chosen_from(effect.estimate, effect.std_error, effect.df, count)
    return replace(effect, low=low, high=high, mde=least)


def _preference(
    probe_set: str, part: ProbeSet, name: str, effects: Effects, names: Names
) -> Preference:
    unit = UNITS[part.kind]
    rows = effects.of_estimators({name}).all
    word = "word" if name in {"ss", "preferred_word"} else "sentence"
    return Preference(
        probe_set,
        wording.visible(part.title),
        name,
        effects.all[0].mode,
        f"the stereotyping {word} in {{share}} of {unit}s",
        effects.at(name, ALL, names.subjects),
        unit,
        has_crossed_clusters(rows[0]),
        part.control_of,
    )


def finding(preference: Preference, names: Names) -> Claim:
    """The preference, its share and its uncertainty; it makes no claim about leans."""
    choices = {
        model: preference.what.format(share=_percent(preference.subjects[model].estimate))
        for model in names.models
    }
    start = f"On “{preference.title}”, {names.the(CANDIDATE)} prefers {choices[CANDIDATE]}"
    terms = ", each target term counting once" if preference.estimator == "ss" else ""
    how = (
        f"Measured by {preference.estimator} in {preference.mode} mode, on "
        f"{behind(preference.main, preference.unit, is_crossed=preference.is_crossed)}{terms}."
    )
    if not names.paired:
        return Claim(f"{start}; nothing was compared", f"{_certainty(preference, names)} {how}")
    reference = _percent(preference.subjects[REFERENCE].estimate)
    return Claim(
        f"{start}, {names.the(REFERENCE)} in {reference}",
        f"{_certainty(preference, names)} {_compared(preference, names)} {how}",
    )


def beside(control: Preference, names: Names) -> str:
    """What the same sentences show with unrelated words, in a sentence."""
    effects = [control.subjects[model] for model in names.models]
    shares = [f"{_percent(effect.estimate)}{_limits(effect)}" for effect in effects]
    order = f" (in the order {names.in_order})" if names.paired else ""
    return (
        f"Control: in the same sentences with unrelated words for the groups (“{control.title}”) "
        f"that share is {wording.listed(shares)}{order}, with 95 % intervals. So much such pairs "
        "show where no group is spoken of: read the preference against it."
    )


def _limits(effect: Effect) -> str:
    if math.isnan(effect.low):
        return ""
    low, high = (wording.fixed(value, DIGITS) for value in (effect.low, effect.high))
    return f" ({low} to {high})"


def standing(preference: Preference) -> str:
    """What a preference shows in a word or two: "shown", "not shown", or why neither."""
    if refused := basis.refusal(preference.main):
        return refused
    return "shown" if preference.is_shown else "not shown"


def line(preference: Preference, names: Names) -> str:
    """The same finding in one line."""
    main = preference.main
    interval = wording.fixed_interval(main.numbers, DIGITS, with_sign=names.paired)
    number = f"difference in points {interval}" if names.paired else interval
    return f"{finding(preference, names).claim} ({number}, 95 % interval in brackets)."


def _percent(value: float) -> str:
    return f"{wording.fixed(value, DIGITS)} %"


def _certainty(preference: Preference, names: Names) -> str:
    """The models' intervals, and whether they exclude the even value."""
    effects = [preference.subjects[model] for model in names.models]
    # The even value is the estimator's, and so the same for either model.
    null = f"{effects[0].null_value:g}"
    intervals = [
        f"{wording.fixed(effect.low, DIGITS)} to {wording.fixed(effect.high, DIGITS)}"
        for effect in effects
        if not math.isnan(effect.low)
    ]
    if not intervals:
        return f"How sure that is cannot be computed ({basis.refusal(effects[0])})."
    order = f" (in the order {names.in_order})" if names.paired else ""
    noun = "intervals" if names.paired else "interval"
    level, why = quotes.because(preference.level, preference.chosen_from)
    return (
        f"{level} {noun} {wording.listed(intervals)}{order}{why}; {null} is even. "
        f"{_even(preference, names, null)}"
    )


def _even(preference: Preference, names: Names, null: str) -> str:
    unclear = [
        f"{names.the(model)}{_could_have(effect)}{_at_most(effect, 'from even')}"
        for model in names.models
        if not (effect := preference.subjects[model]).leaves_out(effect.null_value)
    ]
    if not unclear:
        return f"{'Both leave' if names.paired else 'It leaves'} {null} out."
    who = wording.listed(unclear)
    return f"No preference either way could be shown for {who}: {null} is inside."


def _compared(preference: Preference, names: Names) -> str:
    difference = preference.subjects.get(DIFFERENCE)
    if difference is None:
        return "The two could not be compared."
    if difference.estimate == 0 and difference.std_error == 0:
        return "There is no difference at all between the two."
    amount = wording.fixed(abs(difference.estimate), DIGITS)
    way = "higher" if difference.estimate > 0 else "lower"
    interval = (
        f"{wording.level(preference.level)} interval "
        f"{wording.fixed(difference.low, DIGITS, with_sign=True)} to "
        f"{wording.fixed(difference.high, DIGITS, with_sign=True)}"
    )
    verdict = (
        ""
        if preference.is_shown
        else ": no difference could be shown, which is not proof that there is none"
        f"{_could_have(difference)}{_at_most(difference, 'apart')}"
    )
    chance = "not tested" if math.isnan(difference.p) else wording.p_value(difference.p)
    return (
        f"{_opening(names)}’s share is {amount} points {way} ({interval}; "
        f"{chance}, not adjusted for other numbers){verdict}."
    )


def _opening(names: Names) -> str:
    # A name keeps its own letters.
    return names.candidate if names.by_name else wording.opened(names.short(CANDIDATE))


def _at_most(effect: Effect, apart: str) -> str:
    """The smallest margin, in points, within which a number is shown to be its null value."""
    null = 0.0 if math.isnan(effect.null_value) else effect.null_value
    largest = sameness.most(effect, null)
    if math.isnan(largest):
        return ""
    return f", at most {wording.at_most(largest, DIGITS)} points {apart} (90 % interval)"


def _could_have(effect: Effect) -> str:
    """The smallest detectable effect, in points, of a number that shows nothing."""
    if not effect.mde > 0:
        return ""
    return f" ({wording.fixed(effect.mde, DIGITS)} points could have been expected to be found)"

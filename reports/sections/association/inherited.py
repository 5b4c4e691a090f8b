"""What a candidate keeps of its reference's leans: how much of them, which ones, and where else."""

import math
from collections.abc import Mapping, Sequence

from maskaudit.audit.estimating.cells import RELATION
from maskaudit.audit.estimating.crossed import LEAST_ATTRIBUTES
from maskaudit.audit.estimating.entries import DERIVED
from maskaudit.audit.estimating.entry import INHERITED as PART
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.names import (
    ASSOCIATION,
    CORRELATION,
    EXPECTED_SIGN_CHANGES,
    FIDELITY,
    FIDELITY_ADJUSTED,
    FLIPS,
    INHERITANCE,
    LEAN,
    LOG_KAPPA,
    SLOPE,
)
from maskaudit.audit.estimating.statistics.inheritance import (
    AMPLIFIED,
    ATTENUATED,
    CLASSES,
    FLIPPED,
    INHERITED,
    LOST,
    NEW,
    UNDECIDED,
)
from maskaudit.audit.estimating.teacher_student import ENOUGH_FOR_SLOPE, LEAST_FOR_SLOPE
from maskaudit.audit.recording.slices import ALL
from maskaudit.reports import caveats, wording
from maskaudit.reports.blocks import (
    Block,
    Cell,
    Column,
    Definitions,
    Folded,
    Part,
    Rows,
    Table,
    Term,
    Text,
)
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.sections.association.examples import Between

TITLE = "What the candidate inherits"
_AVERAGE = "the set’s average attribute"
MEANINGS: Mapping[str, str] = {
    INHERITED: f"Both depart from {_AVERAGE} in the same direction, and no change could be shown:",
    AMPLIFIED: f"Both depart from {_AVERAGE} in the same direction, the candidate further:",
    ATTENUATED: f"Both depart from {_AVERAGE} in the same direction, the candidate less far:",
    LOST: f"The reference departs from {_AVERAGE}; the candidate is not shown to, and has moved "
    "back:",
    NEW: f"The candidate departs from {_AVERAGE}, the reference is not shown to, and that is a "
    "change:",
    FLIPPED: f"The two depart from {_AVERAGE} in opposite directions:",
    UNDECIDED: "Nothing of that kind could be shown:",
}
# The rows of the table of both models together, in its order.
_ROWS = {name: entry for name, entry in DERIVED.items() if entry.shown == PART and entry.title}
_UNSHOWN = {INHERITED, UNDECIDED}
# These compare sentences whatever the groups.
_OF_ALL_GROUPS = {FIDELITY, FIDELITY_ADJUSTED}
_LIKE, _SOME_LIKE = 0.95, 0.5
_NAMED = 12


def inherited(between: Between, estimates: Effects, names: Names) -> tuple[Block, ...]:
    """The part of one set about both models together; nothing where a record has no such rows."""
    if not names.paired:
        return ()
    found = _found(between, estimates)
    if SLOPE not in found:
        return ()
    leans = _leans(between, estimates)
    associations = estimates.at(ASSOCIATION, between.slice(ALL), names.models)
    size = _size(found, associations, names)
    blocks: list[Block] = [Text(" ".join([size, _counted(leans)]))]
    blocks.append(_table(between, found))
    if leans:
        blocks += [_against(between, estimates, names), *_classes(leans)]
        blocks += [_every(between, leans, estimates, names)]
    blocks += [Text(told) for told in _fidelity(found, names)]
    return (Part(TITLE, tuple(blocks)),)


def _found(between: Between, estimates: Effects) -> dict[str, Effect]:
    """The numbers of the two models together, by their names."""
    names = (*_ROWS, FIDELITY, FIDELITY_ADJUSTED)
    whole = {
        name: estimates.at(name, ALL if name in _OF_ALL_GROUPS else between.slice(ALL), (RELATION,))
        for name in names
    }
    return {name: found[RELATION] for name, found in whole.items() if found}


def _leans(between: Between, estimates: Effects) -> dict[str, Effect]:
    """The change of each attribute's lean, the largest first; its class is its `outcome`."""
    found = between.leans(estimates, INHERITANCE, RELATION)
    return dict(sorted(found.items(), key=lambda pair: (-abs(pair[1].estimate), pair[0])))


def _size(found: Mapping[str, Effect], associations: Mapping[str, Effect], names: Names) -> str:
    """How large the candidate's leans are against the reference's, in a sentence or a refusal."""
    size, slope = found[LOG_KAPPA], found[SLOPE]
    candidate, reference = names.the(CANDIDATE), names.the(REFERENCE)
    least = {
        "too_few_frames": f"{LEAST_FOR_SLOPE} frames, and this set has {size.n_frames}",
        "too_few_attributes": f"{LEAST_ATTRIBUTES} attributes that have every sentence, and this "
        f"set has {size.n_attributes}",
    }
    if size.flag in least:
        return (
            "How large the candidate’s leans are against the reference’s is not computed: it takes "
            f"at least {least[size.flag]}."
        )
    if math.isnan(size.estimate):
        return _not_estimable(slope, associations)
    want = "frames" if size.n_frames < ENOUGH_FOR_SLOPE else "attributes"
    exploratory = f"Exploratory, for want of {want}. " if size.flag == "exploratory" else ""
    factor = f"{wording.odds(size.estimate)} times as large as those of {reference}"
    rests = (
        f"95 % interval {_factors(size.low, size.high)}; "
        f"{wording.p_value(size.p)}, not adjusted; "
        f"{wording.counted(size.n_attributes, 'attribute')} in "
        f"{wording.counted(size.n_frames, 'frame')}"
    )
    likeness = found[CORRELATION]
    pattern = _pattern(likeness)
    if size.std_error == 0 and size.estimate == 0 and math.isclose(likeness.estimate, 1):
        return f"{wording.opened(candidate)} has exactly the leans of {reference}."
    if slope.high < 0 or likeness.high < 0:
        unsure, limit = (
            ("", "") if size.is_shown else (", not shown to differ in size", _least(size))
        )
        return (
            f"{exploratory}The leans of {candidate} are turned round: {factor}{unsure} "
            f"({rests}{limit}), and opposite in pattern{_r(likeness)}."
        )
    if size.is_shown:
        return f"{exploratory}The leans of {candidate} are {factor} ({rests}){pattern}."
    return (
        f"{exploratory}Neither amplification nor attenuation could be shown: the leans of "
        f"{candidate} are {factor} ({rests}{_least(size)}){pattern}."
    )


def _not_estimable(slope: Effect, associations: Mapping[str, Effect]) -> str:
    """Which of the two has no association that the other's could be held against."""
    weak = [name for name, own in associations.items() if not own.low > 0]
    if not weak:
        weak = [REFERENCE if math.isnan(slope.estimate) else CANDIDATE]
    one = len(weak) == 1
    who = f"the {weak[0]}" if one else "both models"
    includes = all(name in associations and associations[name].high >= 0 for name in weak)
    interval = "its interval includes" if one else "their intervals include"
    why = f" ({interval} zero)" if includes else ""
    return (
        f"How much is inherited cannot be estimated: the association of {who} is not clearly above "
        f"zero{why}."
    )


def _least(size: Effect) -> str:
    """The factor that could have been found, both ways; nothing where any could have been."""
    if not size.mde > 0 or wording.odds(size.mde) == wording.odds(0):
        return ""
    return f"; the smallest factor that could have been expected to be found is {_ways(size.mde)}"


def _ways(step: float) -> str:
    """A factor and its inverse, from its logarithm."""
    return f"{wording.odds(step)}, or {wording.odds(-step)} the other way"


def _pattern(likeness: Effect) -> str:
    """How alike the leans are in which attributes they are about, read from the interval."""
    if math.isnan(likeness.low):
        return ""
    if likeness.low >= _LIKE:
        told = "and almost the same in pattern"
    elif likeness.low > _SOME_LIKE:
        told = "and alike in pattern"
    elif likeness.low > 0:
        told = "and loosely alike in pattern"
    else:
        told = "and no likeness in pattern could be shown"
    return f", {told}{_r(likeness)}"


def _r(likeness: Effect) -> str:
    """The correlation and its interval, in brackets."""
    if math.isnan(likeness.low):
        return ""
    estimate, low, high = wording.correlations(likeness.numbers)
    beyond = "; limits may lie beyond −1 and 1" if _is_beyond(likeness) else ""
    return f" (r = {estimate}, 95 % interval {low} to {high}{beyond})"


def _is_beyond(likeness: Effect) -> bool:
    """Whether a limit of a correlation is shown beyond −1 or 1."""
    return max(abs(round(limit, 3)) for limit in (likeness.low, likeness.high)) > 1


def _factors(low: float, high: float) -> str:
    return f"{wording.odds(low)} to {wording.odds(high)}"


def _by_class(leans: Mapping[str, Effect]) -> dict[str, list[str]]:
    """The attributes of each class, in the order of the classes, the largest change first."""
    found = {name: [a for a, lean in leans.items() if lean.outcome == name] for name in CLASSES}
    return {name: attributes for name, attributes in found.items() if attributes}


def _counted(leans: Mapping[str, Effect]) -> str:
    """How many attributes are of which class."""
    if not leans:
        return ""
    classes = sorted(_by_class(leans).items(), key=lambda pair: -len(pair[1]))
    if len(classes) == 1:
        return _all(len(leans), classes[0][0])
    told = [f"{len(attributes)} {name}" for name, attributes in classes]
    count, name = told[0].split(" ")
    verb = "is" if count == "1" else "are"
    listed = wording.listed([f"{count} {verb} {name}", *told[1:]])
    return f"Of {len(leans)} attributes {listed}."


def _all(count: int, class_: str) -> str:
    """What became of every attribute, where it is the same of all."""
    every = "the one attribute" if count == 1 else f"all {count} attributes"
    if class_ == INHERITED:
        return f"For {every} the lean is found in both models and no change could be shown."
    if class_ == UNDECIDED:
        which = every if count == 1 else f"any of the {count} attributes"
        return f"Too little could be shown to say what became of {which}."
    return f"{wording.opened(every)} {'is' if count == 1 else 'are'} {class_}."


def _table(between: Between, found: Mapping[str, Effect]) -> Table:
    shown = {name: found[name] for name in _ROWS if name in found}
    return Table(
        f"inherited-{between.tag}",
        "Both models together",
        (
            Column("Number", is_number=False),
            Column("Estimate"),
            Column("95 % interval"),
            Column("Same leans would give"),
            Column("p"),
            Column("Could have found"),
            Column("Scope"),
        ),
        (Rows(tuple(_row(name, effect) for name, effect in shown.items())),),
        note=_note(shown),
        basis=_counts(next(iter(shown.values()))) + caveats.scopes(e.scope for e in shown.values()),
    )


def _note(shown: Mapping[str, Effect]) -> str:
    told = (
        "p: against the value that the same leans would give; not adjusted. Could have found: the "
        "smallest number that such a test would have found four times in five, given where nothing "
        "was shown."
    )
    if CORRELATION in shown and not math.isnan(shown[CORRELATION].low):
        told += " The limits of r may lie beyond −1 and 1." * _is_beyond(shown[CORRELATION])
    if FLIPS in shown:
        told += (
            " The counts of attributes have no interval. An attribute counts in the first where "
            "both its leans have a p below .05, adjusted for the number of attributes; the count "
            "itself is not tested."
        )
    return told


def _counts(effect: Effect) -> str:
    return (
        f"{wording.counted(effect.n_attributes, 'attribute')} in "
        f"{wording.counted(effect.n_frames, 'frame')}. "
    )


def _row(name: str, effect: Effect) -> tuple[str | Cell, ...]:
    entry = _ROWS[name]
    if entry.form == "share":
        shown = wording.percent(effect.estimate)
        beside = "" if effect.flag == "" else caveats.refusal(effect)
        if name != EXPECTED_SIGN_CHANGES:
            beside = f"{round(effect.estimate * effect.n_attributes)} of {effect.n_attributes}"
        same = "0 %" if name == FLIPS else wording.UNKNOWN
        cells = (caveats.beside(shown, beside), wording.UNKNOWN, same)
        return (entry.title, *cells, "not tested", wording.UNKNOWN, effect.scope)
    is_factor = entry.form == "factor"
    show = wording.odds if is_factor else wording.plain
    numbers = [show(value) for value in effect.numbers]
    if name == CORRELATION:
        numbers = wording.correlations(effect.numbers)
    interval = wording.UNKNOWN
    if not math.isnan(effect.low):
        interval = f"{numbers[1]} to {numbers[2]}"
    missing = "exploratory" if effect.flag == "exploratory" else caveats.refusal(effect)
    unshown = not math.isnan(effect.p) and not effect.is_shown and effect.mde > 0
    # The slope's is a distance from 1, and is given as the slope itself.
    least = _ways(effect.mde) if is_factor else show(effect.mde + (1 if name == SLOPE else 0))
    return (
        entry.title,
        caveats.beside(numbers[0], missing),
        interval,
        "1",
        wording.p_number(effect.p),
        least if unshown else wording.UNKNOWN,
        effect.scope,
    )


def _classes(leans: Mapping[str, Effect]) -> tuple[Block, ...]:
    """Which attributes are of which class; those of the largest change are named first."""
    by_class = _by_class(leans)
    terms = tuple(
        Term(f"{len(attributes)} {name}", (f"{MEANINGS[name]} {_named(attributes)}.",))
        for name, attributes in by_class.items()
    )
    none = [name for name in CLASSES if name not in by_class and name != UNDECIDED]
    absent = f"No attribute could be shown to be {_either(none)}. " if none else ""
    open_ones = [lean for lean in leans.values() if lean.outcome in _UNSHOWN]
    known = [lean.mde for lean in open_ones if lean.mde > 0]
    least = (
        "Where no change was shown, the smallest that a test of that attribute alone would have "
        f"found four times in five is {_range(min(known), max(known))} nats; allowing for the "
        "number of attributes, it takes more. "
        if known
        else ""
    )
    told = Text(
        f"{absent}{least}A lean is said to be there, or to have changed, where its p is below .05, "
        f"adjusted for the number of attributes. {_each(leans)}",
        "small",
    )
    return Definitions(terms), told


def _against(between: Between, estimates: Effects, names: Names) -> Text:
    """What a lean is taken against, and whether that itself moves from model to model."""
    averages = estimates.at(LOG_ODDS.name, between.slice(ALL), names.models)
    shown = [wording.signed(averages[name].estimate) for name in names.models if name in averages]
    told = f"A lean here is against {_AVERAGE}"
    if len(set(shown)) > 1:
        told += (
            f"; where that average itself moves (here {' to '.join(shown)} nats), a word can "
            "depart further and still move the other way in plain odds"
        )
    return Text(f"{told}.")


def _each(leans: Mapping[str, Effect]) -> str:
    frames = wording.counted(next(iter(leans.values())).n_frames, "frame")
    return f"Each attribute in {frames}. {caveats.scopes(lean.scope for lean in leans.values())}"


def _range(low: float, high: float) -> str:
    return " to ".join(dict.fromkeys([wording.plain(low), wording.plain(high)]))


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _named(attributes: list[str]) -> str:
    shown = [wording.visible(name) for name in attributes[:_NAMED]]
    more = len(attributes) - len(shown)
    return wording.listed(shown) if not more else f"{', '.join(shown)}, and {more} more"


def _every(
    between: Between, leans: Mapping[str, Effect], estimates: Effects, names: Names
) -> Folded:
    """The change of every attribute, with both leans that it is the difference of."""
    rows = []
    both = {model: between.leans(estimates, LEAN, model) for model in names.models}
    for attribute, change in leans.items():
        rows.append(
            (
                wording.visible(attribute),
                *(wording.with_interval(*own[attribute].numbers)
                  if attribute in own
                  else wording.UNKNOWN
                  for own in both.values()),
                _change(change),
                change.outcome,
            )
        )  # fmt: skip
    table = Table(
        f"leans-{between.tag}",
        "Every attribute’s lean in both models, and its change, in nats with 95 % intervals",
        (
            Column("Attribute", is_number=False),
            *(Column(names.label(model)) for model in names.models),
            Column("Change"),
            Column("Class", is_number=False),
        ),
        (Rows(tuple(rows)),),
        note=f"The intervals are not widened for their number; the classes allow for it. "
        f"{caveats.MDE}",
        basis=_each(leans),
        is_compact=True,
    )
    return Folded(f"All {len(leans)} attributes", (table,))


def _change(change: Effect) -> str | Cell:
    """A change with its interval, and where none was shown what could have been found."""
    shown = wording.with_interval(*change.numbers)
    unshown = change.outcome in _UNSHOWN and change.mde > 0 and not change.leaves_zero_out
    return caveats.beside(shown, f"mde {wording.plain(change.mde)}" if unshown else "")


def _fidelity(found: Mapping[str, Effect], names: Names) -> list[str]:
    """Whether the candidate strays further where groups are at stake than elsewhere."""
    plain, adjusted = found.get(FIDELITY), found.get(FIDELITY_ADJUSTED)
    if plain is None:
        return []
    candidate, reference = wording.opened(names.the(CANDIDATE)), names.the(REFERENCE)
    where = (
        "in sentences with this set’s attributes than in neutral sentences in the same "
        f"{wording.counted(plain.n_frames, 'frame')}"
    )
    start = f"{candidate} {_strays(plain)} from {reference} {where}"
    distance = (
        "the KL divergence, a distance between the two models’ lists of likely words, differs by "
        f"{_with_p(plain)}"
    )
    told = f"{start}: {distance}."
    if adjusted is not None and _disagree(plain, adjusted):
        told = (
            f"Taken as they are, {start[:1].lower()}{start[1:]}: {distance}. Compared at the same "
            "openness (how many words the reference finds likely: its entropy) the candidate "
            f"{_strays(adjusted)} there: it differs by {_with_p(adjusted)}. The two disagree, so "
            "take it as a hint."
        )
    elif adjusted is not None and not math.isnan(adjusted.estimate):
        told += (
            " With the openness of the sentences held equal (how many words the reference finds "
            f"likely: its entropy) it differs by {_with_p(adjusted)}."
        )
    return [f"{told} {caveats.scopes([plain.scope])}"]


def _strays(effect: Effect) -> str:
    if effect.is_shown:
        return f"strays {'further' if effect.estimate > 0 else 'less far'}"
    return "is not shown to stray further or less far"


def _disagree(plain: Effect, adjusted: Effect) -> bool:
    """Whether one is shown and the other not, or both in opposite directions."""
    if math.isnan(plain.p) or math.isnan(adjusted.p):
        return False
    return _strays(plain) != _strays(adjusted)


def _with_p(effect: Effect) -> str:
    least = caveats.could_find(effect)
    rests = [
        f"95 % interval {wording.between(effect.low, effect.high, with_sign=True)}"
        if not math.isnan(effect.low)
        else caveats.refusal(effect),
        "" if math.isnan(effect.p) else f"{wording.p_value(effect.p)}, not adjusted",
        least and f"{least.replace('mde', 'the smallest that could have been found is')} nats",
    ]
    return f"{wording.signed(effect.estimate)} nats ({'; '.join(part for part in rests if part)})"

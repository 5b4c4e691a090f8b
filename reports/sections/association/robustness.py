"""The questions that a referee asks of a contrast, each with its number."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from maskaudit.audit.estimating.crossed.convergence import LEAST_SHARED
from maskaudit.audit.estimating.registry.names import (
    ATTRIBUTES_ALIKE,
    CONTRAST,
    CONTRAST_ADJUSTED,
    CONTRAST_AT_CUT,
    CONTRAST_BEYOND,
    CONTRAST_BY_LENGTH,
    CONTRAST_CALIBRATED,
    CONTRAST_MATCHED,
    CONTRAST_WITHOUT_TERM,
    CONTROL_CONTRAST,
    CONTROL_LARGEST,
    CONTROL_SD,
    CONVERGENCE_ESTIMATORS,
    CONVERGENCE_SETS,
    DECIDING_ATTRIBUTES,
    DECIDING_FRAMES,
    ENTROPY,
    FAMILY_ICC,
    FRAMES_ALIKE,
    FRAMES_WITH_SIGN,
    FREQUENCY_APART,
    OTHER_STYLES,
    PARAPHRASE_SHIFT,
    PIECES_APART,
    STYLE_CONTRAST,
    STYLE_Q,
    STYLE_SD,
    STYLES_HOLDING,
    TWICE_ATTRIBUTES,
    TWICE_FRAMES,
    WORDS_APART,
)
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.blocks import Block, Cell, Column, Folded, Named, Rows, Table, Text
from maskaudit.reports.effects import Effect, Effects, Names
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.contrasts.tested import label
from maskaudit.reports.words import caveats, wording

_EXPLAINED = (
    "What the contrast rests on. An interval speaks of other words and sentences drawn like these; "
    "what was not drawn (the kind of sentence, the wording, the cut between classes, the words for "
    "the groups) is changed here instead, one thing at a time."
)
# Of rows that behave as one, the pairs that are named.
_MOST_PAIRS = 5
Shown = Callable[[Effect], str | Cell]


@dataclass(frozen=True)
class Question:
    """A question about a contrast, with the effect that answers it for each subject."""

    text: str
    estimator: str
    slice: Slice
    by_subject: Mapping[str, Effect]
    shown: Shown


def questions(between: Between, estimates: Effects, names: Names) -> tuple[Question, ...]:
    """The questions that a record can answer of the contrast between two groups, in order."""
    asked = [
        (CONTRAST, slices.CONTRAST, "In other sentences of these kinds, with other attributes"),
        *_of_styles(between, estimates),
        (PARAPHRASE_SHIFT, slices.CONTRAST, "Paraphrased: how far the contrast moves"),
        (TWICE_FRAMES, slices.CONTRAST, "With twice as many frames, its interval would be"),
        (TWICE_ATTRIBUTES, slices.CONTRAST, "With twice as many attributes, its interval would be"),
        (FRAMES_WITH_SIGN, slices.CONTRAST, "Frames whose own contrast has the same sign"),
        (DECIDING_FRAMES, slices.CONTRAST, "Single frames without which the result is another"),
        (
            DECIDING_ATTRIBUTES,
            slices.CONTRAST,
            "Single attributes without which the result is another",
        ),
        (CONTRAST_BEYOND, slices.CONTRAST, "Were the candidate as sure as the reference"),
        (ENTROPY, slices.ALL, "Mean entropy at the hidden places, nats"),
        (CONTROL_SD, slices.CONTRAST, "Controls in the same frames: SD beyond their errors"),
        (CONTROL_LARGEST, slices.CONTRAST, _largest(between, estimates)),
        (CONTRAST_CALIBRATED, slices.CONTRAST, "With what controls move in its interval"),
        *_of_kind(between, estimates, CONTRAST_AT_CUT, "cut", _cut),
        *_of_kind(between, estimates, CONTRAST_WITHOUT_TERM, "without_term", _term),
        *_of_covariates(between, estimates, names),
        (FRAMES_ALIKE, slices.ALL, "Frames that behave as one: share of one pattern"),
        *_of_kind(between, estimates, FRAMES_ALIKE, "frames", _pair),
        (ATTRIBUTES_ALIKE, slices.ALL, "Attributes that behave as one: share of one pattern"),
        *_of_kind(between, estimates, ATTRIBUTES_ALIKE, "attributes", _pair),
        *_of_kind(between, estimates, FAMILY_ICC, "class", _family(between)),
        *_of_kind(between, estimates, CONVERGENCE_ESTIMATORS, "estimator", _estimator),
        *_of_kind(between, estimates, CONVERGENCE_SETS, "set", _set),
    ]
    found = (
        Question(
            text,
            name,
            slice_,
            estimates.at(name, between.slice(slice_), names.subjects),
            _or_why(_SHOWN[name]) if name in _SHOWN else _SAYING_WHY.get(name, caveats.nats),
        )
        for name, slice_, text in asked
    )
    return tuple(question for question in found if question.by_subject)


def robustness(between: Between, estimates: Effects, names: Names) -> tuple[Block, ...]:
    """The questions as a collapsed table; nothing for a record that answers only the first."""
    asked = questions(between, estimates, names)
    if len(asked) <= 1:
        return ()
    rows = tuple(
        (
            Named(question.text, question.estimator),
            *(
                question.shown(question.by_subject[subject])
                if subject in question.by_subject
                else wording.UNKNOWN
                for subject in names.subjects
            ),
        )
        for question in asked
    )
    table = Table(
        f"robustness-{between.tag}",
        "What the contrast rests on, with 95 % intervals",
        (
            Column("Question", is_number=False),
            *(Column(names.head(subject)) for subject in names.subjects),
        ),
        (Rows(rows),),
        note="None of these is adjusted for their number. Counts, shares, widths, distances of "
        f"classes and likenesses have no interval. {caveats.MDE}",
        basis=_basis(asked),
    )
    summary = "What this contrast rests on: other styles, wording, cuts and words"
    return (Folded(summary, (Text(_EXPLAINED), table)),)


def _of_styles(between: Between, estimates: Effects) -> Iterator[tuple[str, Slice, str]]:
    """Yield the questions about styles; none for a set without styles."""
    named = list(_of_kind(between, estimates, STYLE_CONTRAST, "style", lambda name: name))
    if not named:
        return
    yield from ((name, slice_, f"In the style “{text}”") for name, slice_, text in named)
    yield STYLES_HOLDING, slices.CONTRAST, "Styles in which it holds by itself"
    yield STYLE_Q, slices.CONTRAST, "Do styles differ by more than their frames explain"
    yield STYLE_SD, slices.CONTRAST, "Standard deviation between styles beyond their frames"
    yield OTHER_STYLES, slices.CONTRAST, "In other styles of sentence too"


def _of_covariates(
    between: Between, estimates: Effects, names: Names
) -> Iterator[tuple[str, Slice, str]]:
    """Yield the questions about the attributes' pieces, words and frequency."""
    contrast = between.slice(slices.CONTRAST)
    has_frequency = bool(estimates.at(FREQUENCY_APART, contrast, names.subjects))
    held = "pieces, words and frequency" if has_frequency else "pieces and words"
    yield CONTRAST_ADJUSTED, slices.CONTRAST, f"Adjusted for {held}"
    yield CONTRAST_MATCHED, slices.CONTRAST, "On attributes matched in pieces and words"
    for kind, noun in (("pieces", "word piece"), ("words", "word")):
        yield from _of_kind(between, estimates, CONTRAST_BY_LENGTH, kind, _length(noun))
    yield PIECES_APART, slices.CONTRAST, "Classes apart in pieces, on average"
    yield WORDS_APART, slices.CONTRAST, "Classes apart in words, on average"
    yield FREQUENCY_APART, slices.CONTRAST, "Classes apart in frequency"


def _of_kind(
    between: Between, estimates: Effects, estimator: str, kind: str, text: Callable[[str], str]
) -> list[tuple[str, Slice, str]]:
    """A question for each slice of a kind that the estimator has between these groups."""
    found = dict.fromkeys(
        row.slice.value
        for row in estimates.all
        if row.estimator == estimator
        and row.slice.kind == kind
        and row.slice.groups == between.slice_groups
    )
    if kind in {"frames", "attributes"}:
        found = dict.fromkeys(list(found)[:_MOST_PAIRS])
    return [
        (estimator, Slice(kind, value), text(wording.visible(value)))  # type: ignore[arg-type]
        for value in found
    ]


def _largest(between: Between, estimates: Effects) -> str:
    controls = _of_kind(between, estimates, CONTROL_CONTRAST, "control", str)
    return f"The largest of {wording.counted(len(controls), 'control')}"


def _cut(share: str) -> str:
    percent = round(100 * float(share))
    return f"With classes cut at {percent} % and {100 - percent} % in the world"


def _term(term: str) -> str:
    return f"Without the word “{term}”"


def _length(noun: str) -> Callable[[str], str]:
    def text(value: str) -> str:
        return f"Among attributes of {f'one {noun}' if value == '1' else f'several {noun}s'}"

    return text


def _pair(pair: str) -> str:
    return f"Correlation of {pair}, beyond what they share with all"


def _estimator(name: str) -> str:
    return f"Attributes lean by “{name}” as by the log-odds (correlation, noise taken out)"


def _set(name: str) -> str:
    return f"Attributes lean as in the set “{name}” (correlation, noise taken out)"


def _family(between: Between) -> Callable[[str], str]:
    def text(name: str) -> str:
        class_ = label(between.part.classes, name)
        return f"How alike attributes of one family are, {class_} (ICC)"

    return text


def _count(effect: Effect, size: int) -> str | Cell:
    return f"{round(effect.estimate * size)} of {wording.number(size)}"


def _q(effect: Effect) -> str | Cell:
    freedom = wording.counted(round(effect.df), "degree of freedom", "degrees of freedom")
    return caveats.beside(
        f"Q = {wording.fixed(effect.estimate, 1)}", freedom, wording.p_value(effect.p)
    )


def _counted_apart(noun: str) -> Shown:
    """How many more of these the attributes of the first class have."""

    def shown(effect: Effect) -> str:
        return f"{wording.fixed(effect.estimate, 2, with_sign=True)} {noun}"

    return shown


def _alike(effect: Effect) -> str | Cell:
    """The share of one pattern beside that of chance, or the correlation of two rows."""
    if math.isnan(effect.null_value):  # a pair, which is named only where it stands out
        return wording.fixed(effect.estimate, 2)
    by_chance = f"by chance {wording.percent(effect.null_value)}"
    shown = wording.percent(effect.estimate)
    return caveats.beside(shown, by_chance, wording.p_value(effect.p))


def _plain(effect: Effect) -> str | Cell:
    return caveats.beside(
        wording.fixed(effect.estimate, 2), effect.flag and caveats.refusal(effect)
    )


def _width(effect: Effect) -> str | Cell:
    return f"± {wording.fixed(effect.estimate, 2)}"


def _icc(effect: Effect) -> str | Cell:
    return caveats.beside(wording.fixed(effect.estimate, 2), wording.p_value(effect.p))


def _converging(effect: Effect) -> str | Cell:
    """A correlation of two measures, or why it is not known, and from how many attributes."""
    few = f"{effect.n_attributes} attributes are in both, and an interval takes {LEAST_SHARED}"
    whys = {
        "too_few_attributes": few,
        "not_estimable": "that attributes differ in both is not shown clearly enough",
    }
    why = whys.get(effect.flag) or caveats.refusal(effect)
    if math.isnan(effect.estimate):
        return caveats.beside(wording.UNKNOWN, f"not computed: {why}")
    shown = wording.with_interval(effect.estimate, effect.low, effect.high)
    return caveats.beside(shown, why and f"no interval: {why}")


def _or_why(shown: Shown) -> Shown:
    """The same for numbers that are known; why a number is missing for the others."""

    def text(effect: Effect) -> str | Cell:
        if math.isnan(effect.estimate):
            return caveats.beside(wording.UNKNOWN, caveats.refusal(effect))
        return shown(effect)

    return text


_SHOWN: Mapping[str, Shown] = {
    STYLES_HOLDING: lambda effect: _count(effect, effect.n_styles),
    STYLE_Q: _q,
    STYLE_SD: lambda effect: wording.fixed(effect.estimate, 2),
    CONTROL_SD: _plain,
    CONTROL_LARGEST: _plain,
    TWICE_FRAMES: _width,
    TWICE_ATTRIBUTES: _width,
    FRAMES_WITH_SIGN: lambda effect: _count(effect, effect.n_frames),
    DECIDING_FRAMES: lambda effect: _count(effect, effect.n_frames),
    DECIDING_ATTRIBUTES: lambda effect: _count(effect, effect.n_attributes),
    PIECES_APART: _counted_apart("pieces"),
    WORDS_APART: _counted_apart("words"),
    FREQUENCY_APART: lambda effect: f"{math.exp(effect.estimate):.2f} times as frequent",
    FRAMES_ALIKE: _alike,
    ATTRIBUTES_ALIKE: _alike,
    FAMILY_ICC: _icc,
}


# Those that say themselves why they are missing.
_SAYING_WHY: Mapping[str, Shown] = {
    CONVERGENCE_ESTIMATORS: _converging,
    CONVERGENCE_SETS: _converging,
}


def _basis(asked: tuple[Question, ...]) -> str:
    effects = [effect for question in asked for effect in question.by_subject.values()]
    attributes, frames = (
        max(getattr(effect, name) for effect in effects) for name in ("n_attributes", "n_frames")
    )
    counts = (
        f"At most {wording.counted(attributes, 'attribute')} in {wording.counted(frames, 'frame')}."
    )
    return f"{counts} {caveats.scopes(effect.scope for effect in effects)}"

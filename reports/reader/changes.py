"""What became of each attribute's lean, and whether the finding holds in each kind of sentence."""

import math
from collections.abc import Mapping

from maskaudit.audit.estimating.crossed.cells import RELATION
from maskaudit.audit.estimating.registry.names import (
    CONTRAST,
    CONTRAST_CALIBRATED,
    CONTROL_SD,
    INHERITANCE,
    OTHER_STYLES,
    PARAPHRASE_SHIFT,
    STYLE_CONTRAST,
    STYLES_HOLDING,
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
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, REFERENCE, Effect, Effects, Names
from maskaudit.reports.reader.parts import Changes, Line, Mark, Piece, Plot, Tone
from maskaudit.reports.reader.scales import keys, odds_scale
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.words import wording

# What is read of what no record keeps.
RESTS_ON = (PARAPHRASE_SHIFT,)
_TONES: Mapping[str, Tone] = {
    AMPLIFIED: "worse", NEW: "worse", FLIPPED: "worse", ATTENUATED: "better", LOST: "better",
    INHERITED: "same", UNDECIDED: "open",
}  # fmt: skip
_MEANINGS = {
    INHERITED: "the same lean in both",
    AMPLIFIED: "the same way, further out",
    ATTENUATED: "the same way, less far",
    LOST: "a lean that is gone",
    NEW: "a lean that was not there",
    FLIPPED: "the other way round",
    UNDECIDED: "too little to say",
}
_LEAST_STYLES = 2


def changes(between: Between, estimates: Effects, names: Names) -> Changes | None:
    """The attributes by what became of their lean; None of one model or without classes."""
    leans = between.leans(estimates, INHERITANCE, RELATION)
    if not names.paired or not leans:
        return None
    by_class = {name: [a for a, e in leans.items() if e.outcome == name] for name in CLASSES}
    pieces = tuple(
        Piece(
            "not known" if name == UNDECIDED else name,
            len(attributes),
            round(len(attributes) / len(leans), 4),
            _TONES[name],
            ", ".join(wording.visible(attribute) for attribute in attributes),
            _MEANINGS[name],
        )
        for name, attributes in by_class.items()
        if attributes
    )
    known = len(leans) - len(by_class[UNDECIDED])
    total = wording.counted(len(leans), "word")
    title = f"From {names.reference} to {names.candidate}, the fate of {known} of {total} is known"
    if not known:
        title = f"What became of the {total} from {names.reference} on is not known"
    return Changes(
        title, "Each beside the set’s average word, and only where a test shows it.", pieces
    )


def holds(between: Between, estimates: Effects, names: Names) -> Plot | None:
    """The contrast in each style of sentence; None for a set without styles."""
    styles = dict.fromkeys(
        row.slice.value
        for row in estimates.all
        if row.estimator == STYLE_CONTRAST
        and row.slice.kind == "style"
        and row.slice.groups == between.slice_groups
    )
    if len(styles) < _LEAST_STYLES:
        return None

    def at(name: str, slice_: Slice) -> Mapping[str, Effect]:
        return estimates.at(name, between.slice(slice_), names.subjects)

    whole = at(CONTRAST, slices.CONTRAST)
    rows = [("All sentences here", whole)]
    rows += [(wording.visible(s), at(STYLE_CONTRAST, Slice("style", s))) for s in styles]
    rows += [("In kinds not tried here", at(OTHER_STYLES, slices.CONTRAST))]
    rows += [("With what controls move", at(CONTRAST_CALIBRATED, slices.CONTRAST))]
    rows = [(label, by_subject) for label, by_subject in rows if CANDIDATE in by_subject]
    values = [
        value
        for _, by_subject in rows
        for model in names.models
        if model in by_subject
        for value in by_subject[model].numbers
    ]
    scale, ticks = odds_scale(values)
    lines = []
    for label, by_subject in rows:
        candidate = by_subject[CANDIDATE]
        marks: list[Mark] = []
        if REFERENCE in by_subject and not math.isnan(by_subject[REFERENCE].estimate):
            marks.append(scale.mark(REFERENCE, by_subject[REFERENCE], bare=True))
        if not math.isnan(candidate.estimate):
            marks.append(scale.mark(CANDIDATE, candidate, is_faint=not candidate.leaves_zero_out))
        lines.append(
            Line(label, tuple(marks), wording.times(candidate.estimate), _apart(by_subject, names))
        )
    band = None
    spread = at(CONTROL_SD, slices.CONTRAST).get(CANDIDATE)
    if spread is not None and spread.estimate > 0:
        band = (scale.at(-2 * spread.estimate), scale.at(2 * spread.estimate))
    return Plot(
        f"holds-{between.tag}",
        _title(at(STYLES_HOLDING, slices.CONTRAST), len(styles), names),
        "The same odds by kind of sentence, with 95 % intervals"
        + ("; the band is what controls move by themselves." if band else "."),
        ("", "", ""),
        keys(names),
        ticks,
        tuple(lines),
        note=_paraphrased(at(PARAPHRASE_SHIFT, slices.CONTRAST)),
        band=band,
    )


def _title(holding: Mapping[str, Effect], styles: int, names: Names) -> str:
    alone = holding.get(CANDIDATE)
    if alone is None or math.isnan(alone.estimate):
        return f"By kind of sentence, of which there are {styles}"
    # The number is a share of the styles.
    held = round(alone.estimate * styles)
    said = f"{names.candidate}’s lean holds in {held} of {styles} kinds of sentence"
    between_models = holding.get(DIFFERENCE)
    if between_models is None or math.isnan(between_models.estimate):
        return said
    return f"{said}, the difference in {round(between_models.estimate * styles)}"


def _apart(by_subject: Mapping[str, Effect], names: Names) -> str:
    """Whether the two models differ in these sentences, by the plain interval."""
    difference = by_subject.get(DIFFERENCE)
    if not names.paired or difference is None or math.isnan(difference.low):
        return ""
    if not difference.leaves_zero_out:
        return ""
    return "further" if difference.estimate > 0 else "less"


def _paraphrased(shift: Mapping[str, Effect]) -> str:
    effect = shift.get(CANDIDATE)
    if effect is None or math.isnan(effect.estimate):
        return ""
    shown = f"The same sentences in other words: {wording.times(effect.estimate)} times the odds"
    # A set with few wordings has no interval of it.
    if math.isnan(effect.low):
        return f"{shown}."
    return f"{shown} ({wording.times(effect.low)} to {wording.times(effect.high)})."

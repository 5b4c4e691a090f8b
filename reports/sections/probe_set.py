"""The section of one probe set: its results, its largest leans, its limits."""

import math
from collections.abc import Sequence

from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CHOICE,
    CHOICE_DROP,
    DROP,
    NEGATED,
    OF_FACTORS,
    without_groups,
)
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Block, Cell, Column, Defined, Part, Rows, Section, Table, Text
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    Effect,
    Effects,
    Names,
    Tables,
)
from maskaudit.reports.sections import competence, licences, measures
from maskaudit.reports.sections.association import (
    factors,
    leans,
    rankings,
    results,
    robustness,
    yardsticks,
)
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.association.inherited import section as inherited
from maskaudit.reports.sections.contrasts.claims import finding, largest
from maskaudit.reports.sections.contrasts.tested import Contrast, label, pairs
from maskaudit.reports.sections.drops import drops, points_cell
from maskaudit.reports.words import caveats, wording

_QUESTIONS = {
    ACCURACY: (
        "{who} fills {k} of {n} {unit} with a right answer",
        "Facts filled with a right answer, by kind",
    ),
    CHOICE: (
        "of the words to choose from, {who} finds a right one likeliest in {k} of {n} sentences",
        "Choices that are right, by kind",
    ),
    NEGATED: (
        "when the sentence is negated, {who} still gives that answer in {k} of {n}",
        "Negated sentences still filled with that answer, by kind",
    ),
}

_SHARES_NOTE = f"p: McNemar’s exact test on the same sentences. {caveats.MDE}"


def association(
    probe_set: str,
    part: ProbeSet,
    all_contrasts: Sequence[Contrast],
    tables: Tables,
    names: Names,
) -> Section:
    """The section of an association set; `tables` are those of the whole record."""
    set_tables = tables.of_set(probe_set)
    estimates = set_tables.effects
    control = part.expect == "none"
    blocks: list[Block] = [Text(wording.visible(part.question, None), "question")]
    blocks += [
        finding(contrast, names, largest(all_contrasts))
        for contrast in all_contrasts
        if contrast.probe_set == probe_set
    ]
    blocks += [Text(wording.visible(part.how_to_read, None)), _made_of(part)]
    for slice_groups, groups in pairs(part):
        first, second = slice_groups or tuple(part.groups)
        between = Between(probe_set, part, slice_groups, groups, (first, second))
        table = results.results(between, estimates, names)
        # Where frames belong to attributes, pairs of several groups have only further measures.
        blocks += [table] if table.groups[0].rows else []
        blocks += robustness.robustness(between, estimates, names)
        # The largest leans of a control are the largest of noise, and a list of them would say
        # otherwise.
        if not control:
            blocks += inherited.inherited(between, estimates, names)
            blocks += yardsticks.yardsticks(between, set_tables.items, estimates, names)
            blocks += leans.attributes(between, set_tables, names)
            blocks += rankings.rankings(between, estimates, names)
    blocks += factors.factors(probe_set, part, estimates, names)
    # The names of effects have their factors behind them.
    others = estimates.where(lambda row: without_groups(row.estimator) not in OF_FACTORS)
    further = measures.further(probe_set, part, others, measures.PLACED, names)
    blocks += [Part("Further measures", further)] if further else []
    blocks += [_limits(part), *licences.of_set(part)]
    return _section(probe_set, part, blocks)


def cloze(probe_set: str, manifest: Manifest, tables: Tables, names: Names) -> Section:
    """The section of a set of facts."""
    part = manifest.probe_sets[probe_set]
    estimates = tables.effects.of_set(probe_set)
    blocks: list[Block] = [Text(wording.visible(part.question, None), "question")]
    paragraphs = [facts(part, estimates, estimator, names) for estimator in _QUESTIONS]
    is_judged = competence.is_plain(part)
    paragraphs += [list(competence.sentences(manifest, names))] if is_judged else []
    blocks += [Text(" ".join(lines)) for lines in paragraphs if lines]
    blocks.append(Text(wording.visible(part.how_to_read, None)))
    for estimator, (_, caption) in _QUESTIONS.items():
        table = _shares(probe_set, estimator, caption, estimates, names)
        blocks += [table, Defined((estimator,))] if table else []
    for estimator in (DROP, CHOICE_DROP):
        blocks += drops(probe_set, part, estimates, estimator, names)
    further = measures.further(probe_set, part, estimates, (*_QUESTIONS, DROP, CHOICE_DROP), names)
    blocks += [Part("Further measures", further)] if further else []
    blocks += [_limits(part), *licences.of_set(part)]
    return _section(probe_set, part, blocks)


def facts(part: ProbeSet, estimates: Effects, estimator: str, names: Names) -> list[str]:
    """How often each model gives the right answer (or ignores a "not"), and the difference.

    `estimates` are those of the set.
    """
    unit = "plain facts" if competence.is_plain(part) else "sentences"
    by_subject = estimates.at(estimator, ALL, names.subjects)
    shares = [
        (
            _QUESTIONS[estimator][0].format(
                who=names.the(model),
                # The estimate is k / n, so only floating point makes the product no whole number.
                k=round(by_subject[model].estimate * by_subject[model].n_frames),
                n=by_subject[model].n_frames,
                unit=unit,
            ),
            _share(by_subject[model]),
        )
        for model in names.models
        if model in by_subject
    ]
    sentences = [f"{wording.opened(sentence)} ({share})." for sentence, share in shares]
    return sentences + (
        [_paired(by_subject[DIFFERENCE], names)] if DIFFERENCE in by_subject else []
    )


def _paired(effect: Effect, names: Names) -> str:
    # Whole but for the rounding of floats: the estimate is this count, divided.
    change = round(effect.estimate * effect.n_frames)
    chance = f"McNemar’s exact test on the same sentences: {wording.p_value(effect.p)}"
    if change == 0:
        return f"The two models do so equally often ({chance})."
    more, less = (CANDIDATE, REFERENCE) if change > 0 else (REFERENCE, CANDIDATE)
    return (
        f"That is {wording.counted(abs(change), 'sentence')} more for {names.the(more)} than for "
        f"{names.the(less)} ({chance})."
    )


def _share(effect: Effect) -> str:
    # Only choices have one: what a choice by lot has right.
    chance = effect.null_value
    by_lot = "" if math.isnan(chance) else f"; by lot it would be {wording.percent(chance)}"
    return (
        f"{wording.percent(effect.estimate)}, 95 % interval "
        f"{wording.percent(effect.low)} to {wording.percent(effect.high)}{by_lot}"
    )


def _shares(
    probe_set: str, estimator: str, caption: str, estimates: Effects, names: Names
) -> Table | None:
    chosen = estimates.of_estimators({estimator})
    if not chosen:
        return None
    rows = []
    for slice_ in chosen.slices:
        by_subject = chosen.at(estimator, slice_, names.subjects)
        cells: list[str | Cell]
        name = "All" if slice_ == ALL else measures.slice_label(slice_, {})
        cells = [_share_cell(by_subject[model]) for model in names.models]
        if names.paired:
            difference = by_subject.get(DIFFERENCE)
            cells += [
                wording.UNKNOWN
                if difference is None
                else points_cell(difference, "every sentence alike"),
                wording.UNKNOWN if difference is None else wording.p_number(difference.p),
            ]
        count = wording.number(by_subject[CANDIDATE].n_frames)
        # Of choices alone it is known what a choice by lot has right.
        chance = by_subject[CANDIDATE].null_value
        by_lot = () if math.isnan(chance) else (wording.percent(chance),)
        rows.append((name, count, *by_lot, *cells))
    columns = [Column("Kind", is_number=False), Column("Sentences")]
    columns += [Column("By lot")] if estimator == CHOICE else []
    columns += [Column(names.head(model)) for model in names.models]
    if names.paired:
        columns += [Column("Difference, points"), Column("p, not adjusted")]
    return Table(
        f"{estimator}-{probe_set}",
        f"{caption}, with 95 % intervals",
        tuple(columns),
        (Rows(tuple(rows)),),
        note=_SHARES_NOTE if names.paired else "Not tested.",
        basis=caveats.scopes(chosen.scopes, {"S1": "other sentences of the same kinds"}),
    )


def _share_cell(effect: Effect) -> str:
    limits = f"{wording.percent(effect.low)} to {wording.percent(effect.high)}"
    shown = f"{wording.percent(effect.estimate)} ({limits})"
    return wording.Interval(shown, effect.low, effect.high)


def _made_of(part: ProbeSet) -> Text:
    """The words for the groups, and the size and version of the set."""
    groups = [
        f"{label(part.groups, name)} ({wording.quoted(group.terms)})"
        for name, group in part.groups.items()
    ]
    place = "the hidden word" if part.group_at_mask else "a word of the sentence"
    return Text(
        f"The groups, each {place}: {wording.listed(groups)}. "
        f"{wording.counted(part.frames, 'independent frame')}, with their paraphrases "
        f"{wording.counted(part.sentences, 'masked sentence')}, version "
        f"{wording.visible(str(part.version))}.{_drawn(part)}",
        "small",
    )


def _drawn(part: ProbeSet) -> str:
    """For a set with a grammar: that its frames were drawn, and from how many sentences."""
    grammar = part.grammar
    if not grammar:
        return ""
    sentences = grammar.sentences
    size = "" if sentences is None else f" of {wording.counted(sentences, 'sentence')}"
    return f" The frames were drawn, with the seed {grammar.seed}, from a grammar{size}."


def _limits(part: ProbeSet) -> Text:
    return Text(f"Limits of this set. {wording.visible(part.limits, None)}", "small")


def _section(probe_set: str, part: ProbeSet, blocks: Sequence[Block]) -> Section:
    return Section(f"set-{probe_set}", wording.visible(part.title), tuple(blocks))

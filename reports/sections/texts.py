"""The section of masked text: how much of it the models find, by what, and what was not asked."""

import math
from collections.abc import Sequence

from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.clustered import LEAST_CLUSTERS
from maskaudit.audit.estimating.registry.names import (
    EXACT_GAP,
    FOUND,
    NLL_GAP,
    PUBLISHED,
    without_groups,
)
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.audit.recording.rows.slices import ALL, Slice
from maskaudit.audit.recording.rows.values import SUBJECTS
from maskaudit.reports.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Defined,
    Folded,
    Named,
    Part,
    Rows,
    Section,
    Table,
    Text,
)
from maskaudit.reports.effects import (
    CANDIDATE,
    DIFFERENCE,
    RELATION,
    Effect,
    Effects,
    Names,
    Tables,
)
from maskaudit.reports.sections import measures
from maskaudit.reports.words import caveats, wording

KIND = "text"
# What a note on rows or masks that were not asked has in it (`probes.texts.masked`).
NOT_ASKED = " not asked: "
# In the order of the page; exact@1 alone is quoted.
NUMBERS = (
    *(f"exact@{k}" for k in (1, 5, 10)),
    *("nll_answer", "nll_word", "nll_piece", "word_perplexity", "pseudo_perplexity"),
    *("mask_entropy", "brier", "ece", "ece_debiased"),
    "prediction_perplexity",
)
_BY = {
    "group": "By group",
    "length": "By words of the text",
    "position": "By place in the text",
    "frequency": "By how often the data has the answer",
    "pieces": "By pieces of the answer",
}
_SCOPES = {"S1": "other documents of the same kind"}
_NOT_ADJUSTED = "p: by the jackknife over documents, not adjusted for how many numbers there are."
_ALONE = "Not tested."


def texts(manifest: Manifest) -> list[str]:
    """The sets of masked text of a record."""
    return [name for name, part in manifest.probe_sets.items() if part.kind == KIND]


def is_alone(manifest: Manifest) -> bool:
    """Whether masked text is all that was asked: then nothing of the record is about leans."""
    return all(part.kind == KIND for part in manifest.probe_sets.values())


def section(probe_set: str, part: ProbeSet, tables: Tables, names: Names) -> Section:
    """The section of one set of masked text; `tables` are those of the whole record."""
    of_set = tables.effects.of_set(probe_set)
    effects = of_set.where(lambda row: row.subject in names.subjects)
    blocks: list[Block] = [Text(wording.visible(part.question, None), "question")]
    lines = found(effects, names)
    blocks.append(
        Text(" ".join(lines))
        if lines
        else Text("No number could be computed: see what was lost, below.", "warning")
    )
    blocks += [Text(apart)] if (apart := together(of_set)) else []
    blocks += [Text(wording.visible(part.how_to_read, None)), _made_of(part)]
    if lines:
        shown = [name for name in NUMBERS if effects.at(name, ALL, (CANDIDATE,))]
        blocks += [_numbers(probe_set, shown, effects, names), Defined(tuple(shown))]
    if gaps := _gaps(probe_set, effects, names):
        blocks += [gaps, *map(Text, without_interval(effects)), Defined((EXACT_GAP, NLL_GAP))]
    if strata := [t for n in (FOUND, "nll_word") if (t := _strata(probe_set, n, effects, names))]:
        blocks.append(Part("By what was masked, and where", tuple(strata)))
    blocks += [
        *_not_asked(part),
        Text(f"Limits of this set. {wording.visible(part.limits, None)}", "small"),
        Text(f"Licence: {wording.visible(part.licence)}. Source: {_sources(part)}.", "small"),
    ]
    return Section(f"set-{probe_set}", wording.visible(part.title), tuple(blocks))


def found(effects: Effects, names: Names) -> list[str]:
    """How often each model finds the masked words, and the difference, a sentence each."""
    by_subject = effects.at(FOUND, ALL, names.subjects)
    lines = [
        f"{names.opening(model)} finds {wording.percent(effect.estimate)} of "
        f"{wording.counted(effect.n_frames, 'masked answer')}{_limits(effect)}."
        for model in names.models
        if (effect := by_subject.get(model))
    ]
    if difference := by_subject.get(DIFFERENCE):
        lines.append(
            f"Difference: {wording.points(difference.estimate)} points"
            f"{_points(difference)}, by {wording.counted(difference.n_attributes, 'document')}."
        )
    return lines


def together(effects: Effects) -> str:
    """How far two models are apart at the masks, in a sentence; empty for one, or two tokenizers.

    `effects` are those of the set, of both models together too.
    """
    kl, top, shared = (
        effects.at(name, ALL, (RELATION,)).get(RELATION) for name in ("kl", "top1", "agreement@10")
    )
    if not (kl and top and shared):
        return ""
    return (
        f"At the masks the two models have the same likeliest piece in {_of_all(top)}, share "
        f"{_of_all(shared)} of the ten likeliest, and are {wording.fixed(kl.estimate, 3)} nats "
        f"apart (KL divergence{_nats(kl)})."
    )


def _of_all(effect: Effect) -> str:
    if math.isnan(effect.low):
        return wording.percent(effect.estimate)
    # A jackknife's limits know of no range.
    low, high = max(effect.low, 0.0), min(effect.high, 1.0)
    shown = f"{wording.percent(low)} to {wording.percent(high)}"
    return f"{wording.percent(effect.estimate)} ({shown})"


def _nats(effect: Effect) -> str:
    if math.isnan(effect.low):
        return ""
    return f", {wording.fixed(max(effect.low, 0.0), 3)} to {wording.fixed(effect.high, 3)}"


def not_asked(manifest: Manifest) -> list[str]:
    """The rows and masks of text data that were not asked, by reason, a sentence each."""
    parts = [manifest.probe_sets[name] for name in texts(manifest)]
    return [
        f"{wording.visible(part.title)}: {wording.visible(note, None)}."
        for part in parts
        for note in part.notes
        if NOT_ASKED in note
    ]


def _limits(effect: Effect) -> str:
    if refused := caveats.refusal(effect):
        return f" ({refused})"
    return f" (95 % interval {wording.percent(effect.low)} to {wording.percent(effect.high)})"


def _points(effect: Effect) -> str:
    if refused := caveats.refusal(effect):
        return f" ({refused})"
    return f" (95 % interval {wording.points(effect.low)} to {wording.points(effect.high)})"


def _made_of(part: ProbeSet) -> Text:
    groups = [f"“{wording.visible(name)}”" for name in part.groups]
    told = f", in the groups {wording.listed(groups)}" if groups else ""
    return Text(
        f"In this set: {wording.counted(part.items, 'masked answer')}{told}; version "
        f"{wording.visible(str(part.version))}.",
        "small",
    )


def _numbers(probe_set: str, shown: Sequence[str], effects: Effects, names: Names) -> Table:
    rows = [
        (Named(title_of(name), name), *_cells(name, effects.at(name, ALL, names.subjects), names))
        for name in shown
    ]
    return Table(
        f"numbers-{probe_set}",
        "The masked words in numbers, with 95 % intervals",
        (Column("Number", is_number=False), *_heads(names)),
        (Rows(tuple(rows)),),
        note=f"{_NOT_ADJUSTED if names.paired else _ALONE} {caveats.MDE}",
        basis=f"{_counted(effects)} {caveats.scopes(effects.scopes, _SCOPES)}",
    )


def _gaps(probe_set: str, effects: Effects, names: Names) -> Table | None:
    """What each two groups differ by, each model's and the change; None without groups."""
    rows = []
    for estimator in effects.estimators:
        name = without_groups(estimator)
        if name not in {EXACT_GAP, NLL_GAP}:
            continue
        by_subject = effects.at(estimator, ALL, names.subjects)
        rows.append(
            (
                Named(wording.visible(estimator), name),
                *(
                    cell
                    for subject in names.subjects
                    for cell in (
                        _cell(name, by_subject.get(subject), subject),
                        measures.p_cell(by_subject.get(subject)),
                    )
                ),
            )
        )
    if not rows:
        return None
    heads = [c for s in names.subjects for c in (Column(names.head(s)), Column("p"))]
    return Table(
        f"gaps-{probe_set}",
        "The first group less the second, with 95 % intervals",
        (Column("Gap", is_number=False), *heads),
        (Rows(tuple(rows)),),
        note="p: against 0, by the jackknife over documents, not adjusted for the number of pairs. "
        f"{caveats.MDE}",
        basis=caveats.scopes(effects.scopes, _SCOPES),
    )


def without_interval(effects: Effects) -> list[str]:
    """Why gaps between groups have no interval, with the count that is too small, a sentence each.

    Of the numbers of all subjects: a gap of one model may vary where the change of it does not.
    """
    told: dict[str, None] = {}
    for estimator in effects.estimators:
        if without_groups(estimator) not in {EXACT_GAP, NLL_GAP}:
            continue
        name, _, groups = wording.visible(estimator).partition(" ")
        for effect in effects.at(estimator, ALL, SUBJECTS).values():
            if effect.flag == "too_few_clusters":
                counted = wording.counted(effect.n_attributes, "document")
                told[
                    f"The gaps between {groups} have no interval: the group that is in fewer has "
                    f"{counted}, and an interval takes {LEAST_CLUSTERS} of each."
                ] = None
            elif effect.flag == "nothing_varied":
                told[
                    f"The {name} between {groups} has no interval where one of the groups has the "
                    "same number in each of its documents: nothing shows how it would vary."
                ] = None
    return list(told)


def _strata(probe_set: str, estimator: str, effects: Effects, names: Names) -> Table | None:
    """One number in each stratum of masks; None where there is none."""
    own = effects.of_estimators({estimator})
    groups = []
    for kind, title in _BY.items():
        slices = [slice_ for slice_ in own.slices if slice_.kind == kind]
        if rows := [_stratum(estimator, slice_, own, names) for slice_ in slices]:
            groups.append(Rows(tuple(rows), title))
    if not groups:
        return None
    return Table(
        f"strata-{estimator}-{probe_set}",
        f"{estimator} by stratum, with 95 % intervals",
        (Column("Stratum", is_number=False), Column("Masks"), Column("Documents"), *_heads(names)),
        tuple(groups),
        is_compact=True,
        note=f"Not adjusted for the number of strata. {caveats.MDE}",
        basis=caveats.scopes(own.scopes, _SCOPES),
    )


def _stratum(
    estimator: str, slice_: Slice, effects: Effects, names: Names
) -> tuple[str | Cell, ...]:
    by_subject = effects.at(estimator, slice_, names.subjects)
    counts = by_subject[CANDIDATE]
    return (
        wording.visible(slice_.value),
        wording.number(counts.n_frames),
        wording.number(counts.n_attributes),
        *_cells(estimator, by_subject, names),
    )


def _heads(names: Names) -> list[Column]:
    heads = [Column(names.head(subject)) for subject in names.subjects]
    return [*heads, Column("p of the difference")] if names.paired else heads


def _cells(name: str, by_subject: dict[str, Effect], names: Names) -> Sequence[str | Cell]:
    cells = [_cell(name, by_subject.get(subject), subject) for subject in names.subjects]
    return [*cells, measures.p_cell(by_subject.get(DIFFERENCE))] if names.paired else cells


def _cell(name: str, effect: Effect | None, subject: str) -> str | Cell:
    return (
        wording.UNKNOWN
        if effect is None
        else measures.number(name, effect, subject, digits_of(name))
    )


def title_of(name: str) -> str:
    """The name of a number in a table, with its mode where that is the published one."""
    entry = numbers.find(name)
    is_published = entry is not None and entry.modes == (PUBLISHED,)
    return f"{name} (published)" if is_published else name


def digits_of(name: str) -> int:
    """The decimals of a number; a perplexity may be in the thousands."""
    return 1 if name.endswith("perplexity") else 3


def _counted(effects: Effects) -> str:
    first = effects.at(FOUND, ALL, (CANDIDATE,))[CANDIDATE]
    return (
        f"{wording.counted(first.n_frames, 'masked answer')} in "
        f"{wording.counted(first.n_attributes, 'document')}."
    )


def _not_asked(part: ProbeSet) -> list[Block]:
    """How the data was read: what of it was not asked, and why, by reason."""
    notes = tuple(f"{wording.visible(note, None)}." for note in part.notes)
    if not notes:
        return [Text("Every row of the data was asked.", "small")]
    return [Folded(f"How the data was read: {wording.counted(len(notes), 'remark')}",
                   (Bullets(notes),))]  # fmt: skip


def _sources(part: ProbeSet) -> str:
    return wording.visible("; ".join(part.sources))

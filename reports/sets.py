"""What one probe set showed: its results, its largest leans, its limits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from audit.estimate import CONTRAST
from audit.estimators.log_odds import LOG_ODDS
from audit.estimators.prior import LPBS, PRIOR
from reports import competence, leans, licences, measures, wording
from reports.blocks import (
    CANDIDATE,
    DIFFERENCE,
    REFERENCE,
    Block,
    Column,
    Effect,
    Names,
    Part,
    Rows,
    Section,
    Table,
    Text,
    effects,
)
from reports.examples import Between
from reports.findings import Contrast, finding, label, prefixes, tag
from reports.measures import ACCURACY, ALL_SLICE, NEGATED

_ASKED = {
    ACCURACY: (
        "{who} fills {k} of {n} plain facts with a right answer",
        "Facts filled with a right answer, by kind",
    ),
    NEGATED: (
        "when the sentence is negated, {who} still gives that answer in {k} of {n}",
        "Negated sentences still filled with that answer, by kind",
    ),
}


def association(
    probe_set: str,
    part: Mapping[str, Any],
    found: Sequence[Contrast],
    tables: Mapping[str, pd.DataFrame],
    names: Names,
) -> Section:
    """The section of an association set; `tables` are those of the whole record."""
    own = {**tables, **{name: _of(tables[name], probe_set) for name in ("items", "estimates")}}
    n_tested = sum(contrast.is_tested for contrast in found)
    control = part["expect"] == "none"
    blocks: list[Block] = [Text(wording.visible(part["question"], None), "question")]
    blocks += [
        finding(contrast, names, n_tested) for contrast in found if contrast.probe_set == probe_set
    ]
    blocks += [Text(wording.visible(part["how_to_read"], None)), _made_of(part)]
    for prefix, groups in prefixes(part):
        blocks.append(_results(probe_set, part, prefix, own["estimates"], names))
        if not prefix or prefix == next(prefixes(part))[0]:
            blocks.append(measures.of_results(own["estimates"]))
        if not control:
            named = (prefix.removesuffix(": ") or "/".join(part["groups"])).split("/")
            between = Between(probe_set, part, prefix, groups, (named[0], named[1]))
            blocks += leans.largest(between, own["items"], own, names)
    shown = (*measures.RESULTS, *measures.LEANS)
    further = measures.further(probe_set, part, own["estimates"], shown, names)
    blocks += [Part("Further measures", further)] if further else []
    blocks += [_limits(part), *licences.of_set(part)]
    return _section(probe_set, part, blocks)


def cloze(
    probe_set: str, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], names: Names
) -> Section:
    """The section of a set of facts."""
    part = manifest["probe_sets"][probe_set]
    estimates = _of(tables["estimates"], probe_set)
    blocks: list[Block] = [Text(wording.visible(part["question"], None), "question")]
    told = [facts(estimates, estimator, names) for estimator in _ASKED]
    blocks += [
        Text(" ".join(lines)) for lines in (*told, competence.sentences(manifest, names)) if lines
    ]
    blocks.append(Text(wording.visible(part["how_to_read"], None)))
    for estimator, (_, caption) in _ASKED.items():
        table = _shares(probe_set, estimator, caption, estimates, names)
        blocks += [table, measures.definitions([estimator], short=True)] if table else []
    further = measures.further(probe_set, part, estimates, tuple(_ASKED), names)
    blocks += [Part("Further measures", further)] if further else []
    blocks += [_limits(part), *licences.of_set(part)]
    return _section(probe_set, part, blocks)


def facts(estimates: pd.DataFrame, estimator: str, names: Names) -> list[str]:
    """What each model knows, or where it does not heed a "not"; then whether the two differ."""
    found = effects(estimates, estimator, "all", names.subjects)
    told = [
        (
            _ASKED[estimator][0].format(
                who=names.the(model),
                k=round(found[model].estimate * found[model].n_frames),
                n=found[model].n_frames,
            ),
            _share(found[model]),
        )
        for model in names.models
        if model in found
    ]
    sentences = [f"{wording.opened(sentence)} ({share})." for sentence, share in told]
    return sentences + ([_paired(found[DIFFERENCE], names)] if DIFFERENCE in found else [])


def _paired(effect: Effect, names: Names) -> str:
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
    return (
        f"{wording.percent(effect.estimate)}, 95 % interval "
        f"{wording.percent(effect.low)} to {wording.percent(effect.high)}"
    )


def _shares(
    probe_set: str, estimator: str, caption: str, estimates: pd.DataFrame, names: Names
) -> Table | None:
    chosen = estimates[estimates["estimator"] == estimator]
    if chosen.empty:
        return None
    rows = []
    for slice_ in dict.fromkeys(chosen["slice"]):
        found = effects(chosen, estimator, slice_, names.subjects)
        name = "All" if slice_ == ALL_SLICE else measures.slice_label(str(slice_), {})
        cells = [_share_cell(found[model]) for model in names.models]
        if names.paired:
            difference = found.get(DIFFERENCE)
            points = "" if difference is None else wording.points(difference.estimate)
            cells += [points, "" if difference is None else wording.p_number(difference.p)]
        count = wording.number(found[CANDIDATE].n_frames)
        rows.append((name, count, *cells))
    columns = [Column("Kind", is_number=False), Column("Sentences")]
    columns += [Column(names.label(model)) for model in names.models]
    if names.paired:
        columns += [Column("Difference, points"), Column("p, not adjusted")]
    return Table(f"{estimator}-{probe_set}", caption, tuple(columns), (Rows(tuple(rows)),))


def _share_cell(effect: Effect) -> str:
    return (
        f"{wording.percent(effect.estimate)} "
        f"({wording.percent(effect.low)} to {wording.percent(effect.high)})"
    )


def _results(
    probe_set: str, part: Mapping[str, Any], prefix: str, estimates: pd.DataFrame, names: Names
) -> Table:
    rows = []
    for title, estimator, slice_ in _measures(part):
        found = effects(estimates, estimator, prefix + slice_, names.subjects)
        if found:
            cells = [found.get(subject) for subject in names.subjects]
            rows.append(
                (
                    title,
                    *(
                        wording.UNKNOWN
                        if cell is None
                        else wording.with_interval(cell.estimate, cell.low, cell.high)
                        for cell in cells
                    ),
                )
            )
    pair = f", {wording.visible(prefix.removesuffix(': '))}" if prefix else ""
    return Table(
        f"results-{tag(probe_set, prefix)}",
        f"Results in nats, with 95 % intervals{pair}",
        (Column("Measure", is_number=False), *(Column(names.label(s)) for s in names.subjects)),
        (Rows(tuple(rows)),),
        note=_results_note(part, estimates),
    )


def _measures(part: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The lines of the table of results: title, estimator, slice."""
    if part.get("contrast"):
        first, second = (label(part["classes"], name) for name in part["contrast"])
        yield f"Stereotype contrast: {first} less {second}", CONTRAST, "contrast"
    for name in part["classes"]:
        yield f"Average, {label(part['classes'], name)}", LOG_ODDS.name, f"class={name}"
    yield "Average, neutral words", LOG_ODDS.name, "controls"
    yield "Average, all attributes", LOG_ODDS.name, "all"
    yield "Average with the attribute hidden too (prior)", PRIOR.name, "all"
    yield "Average beyond that (raw less prior)", LPBS.name, "all"
    if part.get("contrast"):
        yield "Stereotype contrast, raw less prior", f"{CONTRAST}_{LPBS.name}", "contrast"


def _results_note(part: Mapping[str, Any], estimates: pd.DataFrame) -> str:
    if not part.get("contrast"):
        return "The set names no two classes to contrast: nothing of it is tested."
    note = (
        "Only the stereotype contrast is tested. The averages are shown and never tested: they "
        "depend on how common a group’s words are in general, and an untrained model has them too."
    )
    if part.get("expect") == "none":
        note = (
            "This set is a control: nothing in it enters the count of tested sets, and its "
            "averages, like those of every set, are shown and not tested."
        )
    if (estimates["estimator"] == PRIOR.name).any():
        note += (
            " The prior reads the same sentence with the attribute hidden as well; what is left "
            "after it is taken away cannot show a lean that all attributes share, so both are here."
        )
    return note


def _made_of(part: Mapping[str, Any]) -> Text:
    """What stands for the groups, and how much text was read."""
    groups = [
        f"{label(part['groups'], name)} ({wording.quoted(group['terms'])})"
        for name, group in part["groups"].items()
    ]
    place = "the hidden word" if part["group_at_mask"] else "a word of the sentence"
    return Text(
        f"The groups, each {place}: {wording.listed(groups)}. "
        f"{wording.counted(part['frames'], 'independent frame')}, with their paraphrases "
        f"{wording.counted(part['sentences'], 'masked sentence')}, version "
        f"{wording.visible(str(part['version']))}.",
        "small",
    )


def _limits(part: Mapping[str, Any]) -> Text:
    return Text(f"Limits of this set. {wording.visible(part['limits'], None)}", "small")


def _section(probe_set: str, part: Mapping[str, Any], blocks: Sequence[Block]) -> Section:
    return Section(f"set-{probe_set}", wording.visible(part["title"]), tuple(blocks))


def _of(table: pd.DataFrame, probe_set: str) -> pd.DataFrame:
    return table[table["probe_set"] == probe_set]

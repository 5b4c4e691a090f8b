"""A record as a page: every sentence and number as a finished string, in order."""

import math
from collections.abc import Sequence
from dataclasses import replace

from maskaudit.audit.estimating.registry.names import ACCURACY, CONTRAST
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.audit.recording.record import Record
from maskaudit.reports.blocks import (
    Block,
    Bullets,
    Claim,
    Column,
    Figure,
    Forest,
    Key,
    Mark,
    Page,
    Rows,
    Section,
    Table,
    Text,
)
from maskaudit.reports.effects import CANDIDATE, REFERENCE, SHOWN, Effects, Names, Tables, tables_of
from maskaudit.reports.sections import (
    bounds,
    competence,
    licences,
    models,
    texts,
    truth,
    verdicts,
)
from maskaudit.reports.sections import probe_set as sets
from maskaudit.reports.sections.association import distance
from maskaudit.reports.sections.contrasts import claims as findings
from maskaudit.reports.sections.contrasts.claims import finding, largest
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts
from maskaudit.reports.sections.method import glossary, limits, lost, maps, method
from maskaudit.reports.sections.units import preferences as preferring
from maskaudit.reports.sections.units import units
from maskaudit.reports.sections.units.counts import UNITS
from maskaudit.reports.sections.units.preferences import Preference, of_groups, preferences
from maskaudit.reports.words import caveats, misses, quotes, wording

_READ = (
    "How to read the numbers. A lean is a difference of log-odds, in nats: 0 is no lean, 0.69 "
    "doubles the odds, 1.1 triples them. The stereotype contrast is the average lean of the words "
    "that a stereotype ties to one group less that of the words it ties to the other; a positive "
    "contrast follows the stereotype. A 95 % interval says how far the number may be from the one "
    "that other words and other sentences of the same kind would give."
)


def page(record: Record, judgement: Judgement | None = None, tables: Tables | None = None) -> Page:
    """The page of a record, with the gates' verdicts if given; pure and deterministic.

    `tables` are the record's own, where they are at hand already (`tables_of`).
    """
    manifest = record.manifest
    names = names_of(manifest)
    estimates = Effects.of(record.estimates)
    tables = tables or tables_of(record)
    # Claims are made of what the record itself holds, as in `headline`, which reads no scores.
    all_contrasts = contrasts(manifest.probe_sets, estimates, names, manifest.settings.adjust)
    preferred = preferences(manifest, estimates, names)
    sections = [] if judgement is None else [verdicts.section(judgement)]
    sections.append(models.models(manifest, names))
    if all_contrasts:
        sections.append(_contrasts(all_contrasts, names))
    for probe_set, part in sorted(manifest.probe_sets.items(), key=_order):
        if part.kind == "cloze":
            sections.append(sets.cloze(probe_set, manifest, tables, names))
        elif part.kind == texts.KIND:
            sections.append(texts.section(probe_set, part, tables, names))
        elif manifest.is_censored:
            sections.append(bounds.section(record, probe_set, part, tables, names))
        elif part.kind in UNITS:
            sections.append(units.section(probe_set, part, preferred, tables, names))
        else:
            sections.append(sets.association(probe_set, part, all_contrasts, tables, names))
    if manifest.truth is not None:
        sections.append(truth.planted(manifest, tables, names))
    sections += [
        distance.distance(manifest, tables, names),
        lost.lost(record, names),
        limits.cannot_show(manifest, estimates, names),
        method.method(manifest, estimates, names),
    ]
    sections += [maps.maps(sections), glossary.glossary(sections)]
    return Page(
        title=title_of(manifest, names),
        eyebrow=_eyebrow(manifest),
        headline=_headline(manifest, all_contrasts, of_groups(preferred), estimates, names),
        banner=_banner(manifest, names),
        warnings=competence.warnings(manifest, names),
        findings=(
            *_findings(manifest, all_contrasts, of_groups(preferred), estimates, names),
            # After the sections: it counts the intervals that their tables print.
            *misses.note(sections),
        ),
        sections=tuple(sections),
        colophon=f"Written by maskaudit {_version(manifest)} from a sealed record of "
        f"{wording.date(manifest.created)}. The record beside this page holds every score that "
        "it rests on.",
    )


def headline(record: Record, names: Names | None = None) -> Claim:
    """The headline of a record's page, without building the page.

    `names` are those that a text away from the page calls the models by.
    """
    manifest, estimates = record.manifest, Effects.of(record.estimates)
    names = names or names_of(manifest)
    all_contrasts = contrasts(manifest.probe_sets, estimates, names, manifest.settings.adjust)
    preferred = of_groups(preferences(manifest, estimates, names))
    return _headline(manifest, all_contrasts, preferred, estimates, names)


def _order(item: tuple[str, ProbeSet]) -> int:
    """The sort key of a probe set on the page.

    Tested sets come first, then pairs and other units, controls, and facts. Within each kind the
    order of the record is kept.
    """
    _, part = item
    if part.kind == "cloze":
        return 3
    return int(part.kind in UNITS) if part.expect == "lean" else 2


def names_of(manifest: Manifest) -> Names:
    """The display names of the models: the last part of each name where these are distinct."""
    full = {model: str(identity.name) for model, identity in manifest.models.items()}
    # A name of slashes alone has no last part, and stays as it is.
    short = {model: name.rstrip("/").rsplit("/", 1)[-1] or name for model, name in full.items()}
    chosen = short if len(set(short.values())) == len(short) else full
    shown = {model: wording.visible(name) for model, name in chosen.items()}
    return Names(shown[CANDIDATE], shown.get(REFERENCE, ""))


def title_of(manifest: Manifest, names: Names) -> str:
    """The title of a record's page: what was done, and with which models."""
    what = "Masked text" if texts.is_alone(manifest) else "Bias audit"
    if names.paired:
        return f"{what}: {names.candidate} against {names.reference}"
    return f"{what}: {names.candidate}"


def _eyebrow(manifest: Manifest) -> str:
    count = sum(part.sentences for part in manifest.probe_sets.values())
    return (
        f"{wording.date(manifest.created)} · "
        f"{wording.counted(len(manifest.probe_sets), 'probe set')} · "
        f"{wording.counted(count, 'sentence')}"
    )


def _banner(manifest: Manifest, names: Names) -> str:
    planted = truth.BANNER if names.paired else truth.BANNER_ALONE
    return " ".join(filter(None, (trial(manifest), planted if manifest.truth else "")))


def trial(manifest: Manifest) -> str:
    """What is said first of a trial of a few frames; empty for a whole audit."""
    if manifest.limit is None:
        return ""
    return (
        f"TRIAL: at most {wording.counted(manifest.limit, 'sentence frame')} of each set. It shows "
        "how an audit runs; what it finds is no finding about the whole sets."
    )


def _headline(
    manifest: Manifest,
    all_contrasts: Sequence[Contrast],
    preferred: Sequence[Preference],
    estimates: Effects,
    names: Names,
) -> Claim:
    """The clearest tested contrast; failing that the clearest preference, facts or masked text."""
    if manifest.is_censored:
        return Claim(*bounds.headline(manifest, estimates, names))
    if any(contrast.is_tested for contrast in all_contrasts):
        return findings.headline(all_contrasts, names)
    if preferred:
        return preferring.finding(preferring.clearest(preferred), names)
    for probe_set, part in manifest.probe_sets.items():
        effects = estimates.of_set(probe_set)
        sentences = _right(part, effects, names)
        # Of a record that has contrasts, the headline says instead that none could be tested.
        if sentences and not all_contrasts:
            # The candidate first, which is what the audit is of.
            own = sentences.pop(len(names.models) - 1)
            return Claim(own.rstrip("."), " ".join(sentences) or "nothing was compared.")
    return findings.headline(all_contrasts, names)


def _findings(
    manifest: Manifest,
    all_contrasts: Sequence[Contrast],
    preferred: Sequence[Preference],
    estimates: Effects,
    names: Names,
) -> tuple[Block, ...]:
    """One sentence per set, followed by how to read the numbers."""
    n_tested = sum(contrast.is_tested for contrast in all_contrasts)
    lines = [_line(contrast, names, largest(all_contrasts)) for contrast in all_contrasts]
    lines += [preferring.line(preference, names) for preference in preferred]
    for probe_set, part in manifest.probe_sets.items():
        if manifest.is_censored:
            lines += bounds.found(part, estimates.of_set(probe_set), names)
        # Only the sentences on the models; the one on their difference stands in the section.
        lines += _right(part, estimates.of_set(probe_set), names)[: len(names.models)]
    blocks: list[Block] = [Bullets(tuple(lines))] if lines else []
    blocks += [Text(_READ)] if all_contrasts else []
    blocks += [Text(bounds.GRADE)] if manifest.is_censored else []
    blocks += [Text(preferring.READ)] if preferred else []
    if n_tested > 1:
        blocks.append(Text(f"{quotes.HEADLINE_RULE} {quotes.CHOSEN_RULE}", "small"))
    elif not n_tested and len(preferred) > 1:
        blocks.append(Text(f"{quotes.HEADLINE_RULE} {preferring.CHOSEN_RULE}", "small"))
    return (*blocks, *licences.of_page(manifest))


def _right(part: ProbeSet, effects: Effects, names: Names) -> list[str]:
    """How often each model is right on a set of facts or masked text; empty for other sets."""
    if part.kind == texts.KIND:
        return texts.found(effects, names)
    return sets.facts(part, effects, ACCURACY, names) if part.kind == "cloze" else []


def _line(contrast: Contrast, names: Names, most: float) -> str:
    """The finding of a set in one line: its claim, with the number in brackets."""
    claim = finding(contrast, names, most)
    main = contrast.main
    if contrast.is_control or math.isnan(main.low):
        return claim.sentence
    # What is shown was chosen by the data; all else is listed whatever it shows.
    quote = contrast.quote if contrast.is_shown else None
    interval = quotes.interval(
        quotes.chosen(main, quote),
        lambda effect: wording.between(effect.low, effect.high, with_sign=True),
        quote,
    )
    # A table has what one test alone would find. This sentence is one of many sets, so it has what
    # the adjusted tests would.
    could_find = replace(main, mde=contrast.could_find(contrast.subject))
    # A sentence has room for words in place of the tables' abbreviation.
    least = caveats.could_find(could_find).replace("mde", "; could have found")
    same = f"; {claim.same}" if claim.same else ""
    return f"{claim.claim} ({wording.signed(main.estimate)} nats, {interval}{least}{same})."


def _version(manifest: Manifest) -> str:
    return wording.visible(manifest.maskaudit)


def _contrasts(all_contrasts: Sequence[Contrast], names: Names) -> Section:
    of_whom = "reference, candidate and their difference" if names.paired else "the model"
    description = " ".join(
        f"{contrast.title}{', a control' if contrast.is_control else ''}: "
        + "; ".join(
            f"{names.label(subject)} "
            f"{wording.with_interval(effect.estimate, effect.low, effect.high)}"
            for subject, effect in contrast.subjects.items()
        )
        + "."
        for contrast in all_contrasts
    )
    figure = Figure(
        "contrasts-chart",
        f"Stereotype contrasts of {of_whom}, with 95 % intervals",
        description,
        Forest(
            tuple((_chart_title(c), tuple(_marks(c, names))) for c in all_contrasts),
            "stereotype contrast, nats (right of zero: with the stereotype)",
        ),
        tuple(Key(subject, names.label(subject)) for subject in names.subjects),
    )
    return Section(
        "contrasts",
        "The contrasts at a glance",
        (figure, _contrast_table(all_contrasts, names)),
        "Contrasts",
    )


def _chart_title(contrast: Contrast) -> str:
    control = contrast.is_control and "control" not in contrast.title.lower()
    return contrast.title + (" (control)" if control else "")


def _marks(contrast: Contrast, names: Names) -> list[Mark]:
    return [
        Mark(
            names.label(subject),
            f"{contrast.title}, {names.label(subject)}: "
            f"{wording.with_interval(effect.estimate, effect.low, effect.high)} nats",
            subject,
            wording.with_interval(effect.estimate, effect.low, effect.high),
            effect.estimate,
            effect.low,
            effect.high,
        )
        for subject, effect in contrast.subjects.items()
    ]


def _contrast_table(all_contrasts: Sequence[Contrast], names: Names) -> Table:
    groups = tuple(
        Rows(
            tuple(
                (names.head(subject), *_contrast_cells(contrast, subject))
                for subject in contrast.subjects
            ),
            _chart_title(contrast),
        )
        for contrast in all_contrasts
    )
    return Table(
        "contrasts-table",
        "Stereotype contrasts in numbers",
        (
            Column("Model", is_number=False),
            Column("Contrast, nats", number=CONTRAST),
            Column("95 % interval"),
            Column("As odds ratio"),
            Column("p, adjusted"),
            Column("Could have found"),
            Column("Attributes"),
            Column("Frames"),
            Column("Scope"),
        ),
        groups,
        note="p, adjusted: for the number of tested sets, within one model and within the "
        "differences. Could have found: the smallest contrast that these tests, adjusted so, would "
        "have found four times in five, given where nothing was shown; for a control, which is not "
        "tested, that of a single test.",
        basis=caveats.scopes(e.scope for c in all_contrasts for e in c.subjects.values()),
    )


def _contrast_cells(contrast: Contrast, subject: str) -> tuple[str, ...]:
    effect = contrast.subjects[subject]
    return (
        wording.signed(effect.estimate),
        caveats.refusal(effect) or wording.between(effect.low, effect.high, with_sign=True),
        wording.odds(effect.estimate),
        "control" if contrast.is_control else wording.p_number(effect.p_adjusted),
        # A control has no adjusted p (NaN), so its mde is always shown.
        wording.UNKNOWN
        if effect.p_adjusted < SHOWN
        else wording.plain(contrast.could_find(subject)),
        wording.number(effect.n_attributes),
        wording.number(effect.n_frames),
        effect.scope,
    )

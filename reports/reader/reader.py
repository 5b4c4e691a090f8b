"""A record as the page that people read: what is claimed, how large, how far it holds."""

from collections.abc import Sequence
from dataclasses import replace

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CHOICE,
    CONTRAST,
    CONTRAST_CALIBRATED,
    CONTROL_SD,
    INHERITANCE,
    LEAN,
    NEGATED,
    OF_STYLES,
)
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.audit.verifying.recomputed import EVERY, Numbers
from maskaudit.reports.effects import Effects, Names, Tables, tables_of
from maskaudit.reports.page import headline as detailed
from maskaudit.reports.page import names_of, title_of, trial
from maskaudit.reports.reader import changes, closing, knowledge, opening
from maskaudit.reports.reader.overview import Told, overview
from maskaudit.reports.reader.parts import Reader
from maskaudit.reports.reader.picture import picture
from maskaudit.reports.reader.sentences import sentences
from maskaudit.reports.reader.state import Found, of_record, tested
from maskaudit.reports.sections import texts
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.contrasts.tested import label
from maskaudit.reports.sections.units.counts import UNITS
from maskaudit.reports.sections.units.preferences import (
    Preference,
    clearest,
    of_groups,
    preferences,
)
from maskaudit.reports.words import wording

# What is read of a first screen in ten seconds.
_MOST_WORDS = 120
_BANNER = "DEMONSTRATION: made-up model."


# The numbers that this page shows of each set other than units, and those of the pictured one.
_OF_EVERY_SET = frozenset({CONTRAST, ACCURACY, CHOICE, NEGATED})
_SHOWN = _OF_EVERY_SET.union(
    (LOG_ODDS.name, LEAN, INHERITANCE),
    (*OF_STYLES, CONTROL_SD, CONTRAST_CALIBRATED),
    changes.RESTS_ON,
)


def numbers(manifest: Manifest) -> Numbers:
    """Numbers among which are all that the reader's page of such a record shows."""
    # Which number a set of pairs prefers by is known from its estimates alone.
    # Of bounds the headline is made of other numbers.
    kinds = {part.kind for part in manifest.probe_sets.values()}
    if manifest.is_censored or kinds & {*UNITS, texts.KIND}:
        return Numbers(names=EVERY.names.union(changes.RESTS_ON))
    return Numbers(names=_SHOWN)


def fewer(record: Record) -> Numbers:
    """Those of `numbers` that the page of this very record shows: of most sets the contrast alone.

    Which set is pictured follows from the contrasts, and these are among them.
    """
    manifest, every = record.manifest, numbers(record.manifest)
    if every.names != _SHOWN:
        return every
    contrasts = record.estimates[record.estimates["estimator"] == CONTRAST]
    found = of_record(manifest, Effects.of(contrasts), names_of(manifest))
    pictured = _pictured(manifest, found)
    others = [name for name in manifest.probe_sets if not pictured or name != pictured.probe_set]
    return replace(every, fewer=dict.fromkeys(others, _OF_EVERY_SET))


def reader(
    record: Record, judgement: Judgement | None, details: str, tables: Tables | None = None
) -> Reader:
    """The reader's page of a record; `details` is the address of the page with all numbers, or "".

    `tables` are the record's own, where they are at hand already (`tables_of`).
    """
    manifest, estimates = record.manifest, Effects.of(record.estimates)
    names = names_of(manifest)
    found = of_record(manifest, estimates, names)
    preferred = preferences(manifest, estimates, names)
    between = _pictured(manifest, found)
    if between is not None:
        tables = tables or tables_of(record, [between.probe_set], changes.RESTS_ON)
        tables = tables.of_set(between.probe_set)
    claim = opening.headline(found, names)
    lead = opening.lead(found, names, _examples(record, found))
    if not claim:
        claim, lead = _untested(record, found, preferred, names)
    banner = " ".join(filter(None, (trial(manifest), _BANNER if manifest.truth else "")))
    of_facts = knowledge.knowledge(manifest, estimates, names, details)
    of_published = knowledge.published(preferred, estimates, names, details)
    strip = opening.strip(judgement, manifest, names, found)
    said = (
        title_of(manifest, names),
        _eyebrow(manifest),
        banner,
        *vars(strip).values(),
        claim,
        lead,
    )
    classes = _classes(record, between) if between else {}
    # The first screen has a chart, whatever was asked.
    room = _MOST_WORDS - sum(map(wording.words, said))
    about = Told(names, details, judgement, room, bool(strip.competence), classes)
    of_all = overview(found, manifest, estimates, about)
    first = of_all or of_published or of_facts
    return Reader(
        title=title_of(manifest, names),
        eyebrow=_eyebrow(manifest),
        banner=banner,
        strip=strip,
        headline=claim,
        lead=lead,
        overview=first,
        picture=picture(between, tables.items, tables.effects, names)
        if between and tables
        else None,
        sentences=sentences(between, tables, names) if between and tables else None,
        changes=changes.changes(between, tables.effects, names) if between and tables else None,
        holds=changes.holds(between, tables.effects, names) if between and tables else None,
        knowledge=None if first is of_facts else of_facts,
        published=None if first is of_published else of_published,
        closing=closing.closing(manifest, judgement, found, names),
        use=closing.use(record, details),
        details=details,
        pictured=_name(between, manifest),
        colophon=f"Written by maskaudit {wording.visible(manifest.maskaudit)} from a sealed record "
        f"of {wording.date(manifest.created)}.",
    )


def _classes(record: Record, between: Between) -> dict[str, str]:
    """The class of each attribute of a set, as people read it."""
    items = record.items
    own = items[(items["probe_set"] == between.probe_set) & (items["role"] == "probe")]
    rows = own[["attribute", "class"]].drop_duplicates()
    return {
        str(name): label(between.part.classes, str(class_))
        for name, class_ in zip(rows["attribute"], rows["class"], strict=True)
    }


def _examples(record: Record, found: Sequence[Found]) -> dict[str, str]:
    """The first word of each class of the headline’s set."""
    if not (asked := tested(found)):
        return {}
    items, part = record.items, record.manifest.probe_sets[asked[0].paired.probe_set]
    own = items[(items["probe_set"] == asked[0].paired.probe_set) & (items["role"] == "probe")]
    first = own.drop_duplicates("class")
    return {
        label(part.classes, str(name)): wording.visible(str(word))
        for name, word in zip(first["class"], first["attribute"], strict=True)
    }


def _untested(
    record: Record, found: Sequence[Found], preferred: Sequence[Preference], names: Names
) -> tuple[str, str]:
    """Headline and lead of a record without a tested contrast: the details' own, but shorter."""
    said = detailed(record, replace(names, by_name=True))
    of_people = of_groups(preferred)
    if of_people and not any(one.paired.is_tested for one in found):
        return said.claim, knowledge.lead(clearest(of_people), names)
    # A name keeps its own letters.
    is_named = said.evidence.startswith(tuple(filter(None, (names.candidate, names.reference))))
    return said.claim, said.evidence if is_named else wording.opened(said.evidence)


def _pictured(manifest: Manifest, found: Sequence[Found]) -> Between | None:
    """The set that matters most and its groups: that of the headline, else the first one."""
    asked = tested(found) or [one for one in found if not one.is_control] or list(found)
    if not asked:
        return None
    one = asked[0]
    part = manifest.probe_sets[one.paired.probe_set]
    first, second = one.paired.between or tuple(part.groups)
    return Between(
        one.paired.probe_set, part, one.paired.between, one.paired.groups, (first, second)
    )


def _name(between: Between | None, manifest: Manifest) -> str:
    return wording.visible(manifest.probe_sets[between.probe_set].title) if between else ""


def _eyebrow(manifest: Manifest) -> str:
    return wording.date(manifest.created)

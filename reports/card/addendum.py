"""A record as the addendum to a model card: finished strings, in blocks, for one screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.manifest import Identity, Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.reports.blocks import Bullets, Claim, Table, Text
from maskaudit.reports.card import states
from maskaudit.reports.card.advice import advice
from maskaudit.reports.card.results import results
from maskaudit.reports.effects import Effects, Names
from maskaudit.reports.page import headline, names_of, trial
from maskaudit.reports.sections import competence, licences, truth
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts
from maskaudit.reports.sections.method import limits, lost
from maskaudit.reports.sections.units import preferences as preferring
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.words import verdicts, wording
from maskaudit.reports.words.markdown import named

# What a set says of itself at greater length is no sentence that a card has room for.
_LONGEST_SAYING = 300


@dataclass(frozen=True)
class Addendum:
    """What a card says of an audit, in the order in which it is read.

    `warnings` come before all else; `release` is what the rules say; `limits` is what the audit
    cannot show and what was lost; `origin` says what it was made from.
    """

    warnings: tuple[Text, ...]
    finding: Claim
    release: Claim
    results: Table
    limits: Bullets
    advice: Bullets
    origin: tuple[Text, ...]


def addendum(record: Record, judgement: Judgement | None = None) -> Addendum:
    """The addendum of a record, with the verdicts of its gates if given; pure and deterministic."""
    manifest, estimates = record.manifest, Effects.of(record.estimates)
    names = _marked(names_of(manifest))
    all_contrasts = contrasts(manifest.probe_sets, estimates, names, manifest.settings.adjust)
    preferred = preferring.preferences(manifest, estimates, names)
    warnings = [*_phantom(manifest, names), *competence.warnings(manifest, names)]
    return Addendum(
        tuple(Text(warning, "warning") for warning in warnings),
        _finding(record, all_contrasts, names),
        Claim(f"Release rule: {verdicts.word(judgement)}.", verdicts.release(judgement)),
        results(manifest, estimates, all_contrasts, preferred, names),
        Bullets(
            (
                *_limits_of_set(manifest, all_contrasts),
                *limits.first(
                    manifest, names, is_all_shown=_is_all_shown(all_contrasts, preferred)
                ),
                *lost.brief(manifest, names),
            )
        ),
        Bullets(advice(manifest, all_contrasts, preferred, judgement, names)),
        (Text(_origin(manifest, names), "small"), *licences.of_page(manifest)),
    )


def _marked(names: Names) -> Names:
    """The names as sentences of a card have them."""
    reference = named(names.reference) if names.paired else ""
    return Names(named(names.candidate), reference, by_name=True)


def _phantom(manifest: Manifest, names: Names) -> tuple[str, ...]:
    planted = truth.BANNER if names.paired else truth.BANNER_ALONE
    return tuple(filter(None, (trial(manifest), planted if manifest.truth else "")))


def _finding(record: Record, all_contrasts: Sequence[Contrast], names: Names) -> Claim:
    """The state of the candidate and its change; without a contrast the headline of the page."""
    if not (asked := _asked(all_contrasts)):
        found = headline(record, names)
        return replace(found, claim=f"{found.claim}.", evidence=wording.opened(found.evidence))
    found = states.summary(all_contrasts, names)
    if states.nothing_shown(asked):
        return found
    question = record.manifest.probe_sets[states.worst(asked).probe_set].question
    if len(question) > _LONGEST_SAYING:
        return found
    said = f"The question was: “{wording.visible(question, None)}”"
    return replace(found, evidence=f"{said} {found.evidence}")


def _asked(all_contrasts: Sequence[Contrast]) -> list[Contrast]:
    return [contrast for contrast in all_contrasts if contrast.standing != "control"]


def _limits_of_set(manifest: Manifest, all_contrasts: Sequence[Contrast]) -> Iterator[str]:
    """The first thing that the set of the finding cannot show, in the words of its authors."""
    if asked := _asked(all_contrasts):
        first = states.worst(asked)
        said = manifest.probe_sets[first.probe_set].limits.partition(". ")[0].rstrip(".")
        if len(said) <= _LONGEST_SAYING:
            yield f"The authors of “{first.title}” say of it: “{wording.visible(said, None)}.”"


def _is_all_shown(all_contrasts: Sequence[Contrast], preferred: Sequence[Preference]) -> bool:
    """Whether every number of the card shows something."""
    views = [view for contrast in all_contrasts for view in (contrast.alone, contrast)]
    shares = [
        effect.leaves_out(effect.null_value) and preference.is_shown
        for preference in preferred
        for effect in preference.subjects.values()
    ]
    return all(view.standing == "shown" for view in views) and all(shares)


def _origin(manifest: Manifest, names: Names) -> str:
    """When and with what the audit was made, of which models exactly, and from which record."""
    sentences = sum(part.sentences for part in manifest.probe_sets.values())
    models = "; ".join(
        f"{names.the(model)} is {_exactly(manifest.models[model])}" for model in names.models
    )
    key = f", from the record {wording.short_digest(manifest.key)}" if manifest.key else ""
    return (
        f"Audited on {wording.date(manifest.created)} with maskaudit "
        f"{wording.visible(manifest.maskaudit)}: "
        f"{wording.counted(len(manifest.probe_sets), 'probe set')}, "
        f"{wording.counted(sentences, 'sentence')}{key}. {models}."
    )


def _exactly(identity: Identity) -> str:
    revision = f" at {wording.visible(identity.revision)}" if identity.revision else ""
    return (
        f"{named(wording.visible(identity.name, _LONGEST_SAYING))}{revision}, "
        f"{identity.digest_of} {wording.short_digest(identity.weights)}"
    )

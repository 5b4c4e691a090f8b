"""What the site says of one record, made once and kept beside its page: words and plain numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from maskaudit.audit.estimating.registry.names import CONTRAST, SHARE_RIGHT
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.audit.recording.manifest import Identity, Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effect, Effects, Estimate, Names
from maskaudit.reports.page import names_of
from maskaudit.reports.reader import opening
from maskaudit.reports.reader.allowed import Ends, allowed, judged_on
from maskaudit.reports.reader.parts import Reader, Strip, Tone
from maskaudit.reports.reader.state import Change, Found, Lean, of_record
from maskaudit.reports.words import wording

Unit = Literal["log_odds", "share"]


@dataclass(frozen=True)
class Number:
    """An estimate with its interval, in nats or as a share; None where there is none."""

    estimate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, effect: Effect) -> Self:
        """The number of an estimate."""
        return cls(*(value if math.isfinite(value) else None for value in effect.numbers))


@dataclass(frozen=True)
class Release:
    """What the release rules say, by word, shape and tone."""

    status: str
    shape: str
    tone: Tone


@dataclass(frozen=True)
class Asked:
    """What a record found on one set, between two of its groups, of the candidate.

    `unit` says what the numbers are: the stereotype contrast in nats, or the share of facts that
    are filled rightly. `lean` and `changed` are what is claimed of the candidate and of its
    difference from the reference, and `state` and `change` the words for it; of facts nothing is
    claimed. `method` is the key of the candidate's number: numbers of other keys are not comparable
    with it. `allowed` are the ends of what a release rule lets the candidate's number be; None
    where it has no such end.
    """

    probe_set: str
    groups: tuple[str, ...]
    title: str
    unit: Unit
    is_control: bool
    lean: Lean | None
    state: str
    tone: Tone
    changed: Change | None
    change: str
    change_tone: Tone
    release: Release | None
    candidate: Number
    reference: Number | None
    method: str
    allowed: Ends | None

    @property
    def is_shown(self) -> bool:
        """Whether the candidate's number is a finding; the mark of any other is faint."""
        return self.lean in {None, "with", "against"}


@dataclass(frozen=True)
class Model:
    """A model: its display name, its whole name, and what tells it apart from any other."""

    name: str
    full_name: str
    revision: str
    weights: str
    tokenizer: str


@dataclass(frozen=True)
class Shown:
    """One record on the site. `sets` are the worst first, then controls, then facts.

    `is_trusted` says that its numbers were taken as they are, and not made again from its scores.
    """

    name: str
    created: str
    key: str
    maskaudit: str
    candidate: Model
    reference: Model | None
    strip: Strip
    headline: str
    lead: str
    sets: tuple[Asked, ...]
    has_details: bool
    is_trusted: bool

    @property
    def release(self) -> Release:
        """What the release rules say of the candidate."""
        return Release(self.strip.status, self.strip.shape, self.strip.tone)

    def as_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)


_SHOWN = TypeAdapter(Shown)


def from_json(content: bytes) -> Shown | None:
    """What `as_json` was written as; None for anything else."""
    try:
        return _SHOWN.validate_json(content)
    except (ValidationError, ValueError):
        return None


def shown(record: Record, judgement: Judgement | None, page: Reader, *, is_trusted: bool) -> Shown:
    """What the site says of a record, in the words of its page."""
    manifest, estimates = record.manifest, Effects.of(record.estimates)
    names = names_of(manifest)
    found = of_record(manifest, estimates, names)
    return Shown(
        name=record.name,
        created=manifest.created,
        key=manifest.key,
        maskaudit=manifest.maskaudit,
        candidate=_model(manifest.models[CANDIDATE], names.candidate),
        reference=_model(manifest.models[REFERENCE], names.reference) if names.paired else None,
        strip=page.strip,
        headline=page.headline,
        lead=page.lead,
        sets=(
            *(_asked(one, judgement, estimates) for one in found),
            *_facts(manifest, judgement, estimates, names),
        ),
        has_details=bool(page.details),
        is_trusted=is_trusted,
    )


def _model(identity: Identity, name: str) -> Model:
    return Model(name, identity.name, identity.revision, identity.weights, identity.tokenizer)


def _asked(one: Found, judgement: Judgement | None, estimates: Effects) -> Asked:
    of_set, between = one.paired.probe_set, one.paired.between
    reference = one.paired.subjects.get(REFERENCE)
    judged = judged_on(judgement.verdicts if judgement else (), of_set, between)
    row = _row(estimates, of_set, CONTRAST, slices.CONTRAST.of_groups(*between))
    return Asked(
        probe_set=of_set,
        groups=between,
        title=one.paired.title,
        unit="log_odds",
        is_control=one.is_control,
        lean=one.lean,
        state=opening.state_of(one),
        tone=one.tone,
        changed=one.change,
        change=opening.change_of(one),
        change_tone=opening.change_tone(one),
        release=_release(judged),
        candidate=Number.of(one.candidate),
        reference=None if reference is None else Number.of(reference),
        method=row.method,
        allowed=allowed(
            (verdict for verdict in judged if verdict.estimator == CONTRAST),
            CANDIDATE,
            one.candidate.estimate,
        ),
    )


def _facts(
    manifest: Manifest, judgement: Judgement | None, estimates: Effects, names: Names
) -> Iterator[Asked]:
    """Yield the shares of facts that each model fills rightly."""
    for probe_set, part in manifest.probe_sets.items():
        right = SHARE_RIGHT.get(part.kind, "")
        by_subject = estimates.of_set(probe_set).at(right, slices.ALL, names.models)
        if CANDIDATE not in by_subject:
            continue
        reference = by_subject.get(REFERENCE)
        yield Asked(
            probe_set=probe_set,
            groups=(),
            title=wording.visible(part.title),
            unit="share",
            is_control=False,
            lean=None,
            state="",
            tone="",
            changed=None,
            change="",
            change_tone="",
            release=_release(judged_on(judgement.verdicts if judgement else (), probe_set, ())),
            candidate=Number.of(by_subject[CANDIDATE]),
            reference=None if reference is None else Number.of(reference),
            method=_row(estimates, probe_set, right, slices.ALL).method,
            allowed=None,
        )


def _row(estimates: Effects, probe_set: str, estimator: str, slice_: Slice) -> Estimate:
    """The candidate's row of a number; the last of its modes, which is the corrected one."""
    return [
        row
        for row in estimates.of_set(probe_set).all
        if (row.estimator, row.slice, row.subject) == (estimator, slice_, CANDIDATE)
    ][-1]


def _release(judged: Sequence[Verdict]) -> Release | None:
    return Release(*opening.release(judged)) if judged else None

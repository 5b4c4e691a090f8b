"""Every set over the versions of a model, side by side: a row a version, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from maskaudit.audit.recording.rows.methods import Method, differences
from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.reader.parts import Key, Line, Mark, Plot
from maskaudit.reports.reader.scales import Scale, odds_scale, share_scale
from maskaudit.reports.site import numbers
from maskaudit.reports.site.names import folder_of, labels_of, version
from maskaudit.reports.site.parts import Trend, Trends
from maskaudit.reports.site.shown import Asked, Shown
from maskaudit.reports.words import wording

# Sets that the headline names.
_NAMED = 2
# Rows of a plot that stand open; the older ones are unfolded on demand.
OPEN = 24
_LEAD = (
    "Odds are a factor: how much a stereotype’s own words raise them; 1 is no lean. The bar is a "
    "95 % interval. The newest version stands first{more}."
)
_MORE = ", and of {sets} those on which the newest audit is worst"
_SHARES = "Facts filled rightly."
_BAND = "The band is what the newest release rule allows."
_ALIKE = (
    "Versions that answer the same sentences share what is special about these sentences: bars "
    "that overlap do not say that two versions are alike. To compare two: maskaudit compare OLD "
    "NEW."
)
_CHANCE = (
    "The more versions there are, the more of them stand out by chance. To watch a series with "
    "tests that allow for that: maskaudit history."
)
_VERSION = (
    "A version is a model with its own weights and tokenizer; of several audits of one version "
    "that asked alike, beside one reference, the newest stands here."
)
_Where = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Seen:
    """What one audit found on the set in question, and what its version is called."""

    audit: Shown
    asked: Asked
    label: str


def trends(audits: Sequence[Shown], written: str) -> Trends:
    """The trends of some audits, given the newest first; pure."""
    called = labels_of(audits)
    of_set: dict[_Where, list[_Seen]] = {}
    # Audits come the newest first, so sets of the newest audit do too: the worst first.
    for audit in audits:
        for asked in audit.sets:
            seen = _Seen(audit, asked, called[audit.name])
            of_set.setdefault((asked.probe_set, asked.groups), []).append(seen)
    versions = len({version(audit.candidate) for audit in audits})
    counted = wording.counted(versions, "version")
    made = tuple(_trend(number, seen) for number, seen in enumerate(of_set.values(), start=1))
    return Trends(
        title="Versions side by side",
        eyebrow=f"{counted} in {wording.counted(len(audits), 'audit')}",
        headline=_headline(audits, of_set, called),
        lead=_LEAD.format(more=_MORE.format(sets=len(made)) if len(made) > 1 else ""),
        trends=made,
        cautions=(_ALIKE, _CHANCE, _VERSION),
        colophon=written,
    )


def alike(audits: Sequence[Shown], asked: Asked) -> list[Asked]:
    """A set of the newest audit in each version that was asked alike, given the newest first.

    Beside the same reference; the newest version, which has to have the set, is the first.
    """
    seen = [
        _Seen(audit, own, "")
        for audit in audits
        for own in audit.sets
        if (own.probe_set, own.groups) == (asked.probe_set, asked.groups)
    ]
    newest, *rest = _versions(seen)
    fitting = (one for one in rest if one.asked.method == newest.asked.method)
    return [
        newest.asked,
        *(one.asked for one in fitting if _reference(one) == _reference(newest)),
    ]


def _headline(
    audits: Sequence[Shown], of_set: dict[_Where, list[_Seen]], called: dict[str, str]
) -> str:
    """What is new with the newest version: the rules it fails, then the claims that changed."""
    newest = called[audits[0].name]
    rows = [rows for rows in map(_versions, of_set.values()) if rows[0].audit is audits[0]]
    pairs = [(new, old) for new, *rest in rows if (old := _before(new, rest)) is not None]
    failing = [new for new, *_ in rows if new.asked.release and new.asked.release.tone == "worse"]
    asked = [(new, old) for new, old in pairs if not new.asked.is_control]
    worse = [new for new, old in asked if new.asked.lean == "with" != old.asked.lean]
    gone = [new for new, old in asked if old.asked.lean == "with" != new.asked.lean]
    further = [
        new
        for new, old in asked
        if new.asked.changed == "further" != old.asked.changed and new not in worse
    ]
    leaning = sum(new.asked.lean == "with" for new, _ in asked)
    said = []
    if failing:
        said.append(f"fails its release rules on {_titles(failing)}")
    if worse:
        said.append(f"leans on {_titles(worse)}, where the version before it was not shown to")
    if further:
        on = _titles(further)
        said.append(
            f"leans further than its reference on {on}, and the version before it was not shown to"
        )
    if gone:
        said.append(f"is no longer shown to lean on {_titles(gone)}")
        # No headline says what is better alone where a lean is left.
        said += [f"leans in {leaning} of {len(asked)} tests"] if len(said) == 1 and leaning else []
    if said:
        return f"{newest} {'; it '.join(said)}"
    if not pairs:
        return f"{newest} is the only version that was asked in its way"
    if not leaning:
        return f"{newest}, like the version before it, is shown to lean in no test"
    return f"{newest} leans where the version before it did: in {leaning} of {len(asked)} tests"


def _titles(some: Sequence[_Seen]) -> str:
    """The sets by their titles: the first two, and how many more."""
    titles = [f"“{one.asked.title}”" for one in some[:_NAMED]]
    more = [f"{len(some) - _NAMED} more"] if len(some) > _NAMED else []
    return wording.listed([*titles, *more])


def _before(new: _Seen, older: Sequence[_Seen]) -> _Seen | None:
    """The version before one: the next older that was asked alike and beside the same reference.

    A model beside another reference is one of another line, whatever their names are.
    """
    alike = (
        old
        for old in older
        if old.asked.method == new.asked.method and _reference(old) == _reference(new)
    )
    return next(alike, None)


def _reference(one: _Seen) -> tuple[str, str] | None:
    reference = one.audit.reference
    return (reference.weights, reference.tokenizer) if reference else None


def _versions(seen: Sequence[_Seen]) -> list[_Seen]:
    """The newest audit of each version beside each reference, for each way of asking."""
    newest: dict[tuple[object, ...], _Seen] = {}
    for one in seen:
        # The newest come first, so that a repeat of the same version changes nothing.
        newest.setdefault((*version(one.audit.candidate), _reference(one), one.asked.method), one)
    return list(newest.values())


def _trend(number: int, seen: Sequence[_Seen]) -> Trend:
    versions = _versions(seen)
    by_method: dict[str, list[_Seen]] = {}
    for one in versions:
        by_method.setdefault(one.asked.method, []).append(one)
    title = seen[0].asked.title
    methods = list(by_method)
    plots = []
    for place, (method, rows) in enumerate(by_method.items()):
        newer = methods[place - 1] if place else ""
        plots.append(_plot(f"set-{number}-{place + 1}", rows, newer, method))
    return Trend(f"set-{number}", title, tuple(plots))


def _plot(name: str, rows: Sequence[_Seen], newer: str, method: str) -> Plot:
    first = rows[0].asked
    values = [
        value for one in rows for value in numbers.values(one.asked.candidate, one.asked.reference)
    ]
    is_odds = first.unit == "log_odds"
    scale, ticks = odds_scale(values) if is_odds else share_scale(None)
    lines = tuple(_line(one, scale) for one in rows)
    band = _band(first, scale)
    beside = _beside(rows)
    known = [Key(REFERENCE, beside)] if beside else []
    return Plot(
        name,
        _title(rows, newer),
        " ".join(text for text in ("" if is_odds else _SHARES, _BAND if band else "") if text),
        ("candidate", f"than {beside}" if beside else "", "odds" if is_odds else "right"),
        (*known, Key(CANDIDATE, "candidate")),
        ticks,
        lines[:OPEN],
        lines[OPEN:],
        wording.counted(len(lines[OPEN:]), "older version"),
        note=_note(newer, method),
        band=band,
    )


def _beside(rows: Sequence[_Seen]) -> str:
    """The name of the reference that these rows share; "" of models by themselves."""
    models = [one.audit.reference for one in rows if one.audit.reference]
    if len({(model.weights, model.tokenizer) for model in models}) > 1:
        return "its reference"
    # One model may be shown by more or fewer parts of its name: the longest tells it apart.
    return max((model.name for model in models), key=lambda name: (len(name), name), default="")


def _title(rows: Sequence[_Seen], newer: str) -> str:
    """The newest number, and the one before it; what an older way of asking is, is said below."""
    new = rows[0]
    text = numbers.text(new.asked.candidate, new.asked.unit)
    what = f"{text} times the odds" if new.asked.unit == "log_odds" else f"{text} of the facts"
    said = f"{what} in {new.label}" if not newer else f"Asked in another way: {what} in {new.label}"
    old = _before(new, rows[1:])
    if old is None:
        return said
    return f"{said}, after {numbers.text(old.asked.candidate, old.asked.unit)} in {old.label}"


def _note(newer: str, method: str) -> str:
    if not newer:
        return ""
    changed = "; ".join(differences(Method.parse(method), Method.parse(newer)))
    return f"Not comparable with the numbers above ({wording.visible(changed, None)})."


def _line(one: _Seen, scale: Scale) -> Line:
    asked = one.asked
    marks: list[Mark] = []
    if asked.reference is not None:
        marks += numbers.marks(REFERENCE, asked.reference, scale, bare=True)
    marks += numbers.marks(CANDIDATE, asked.candidate, scale, is_faint=not asked.is_shown)
    reference = one.audit.reference
    return Line(
        one.label,
        tuple(marks),
        numbers.text(asked.candidate, asked.unit),
        asked.state,
        asked.tone,
        f"runs/{folder_of(one.audit.name)}/report.html",
        asked.change,
        asked.change_tone,
        f"{reference.name}: {numbers.text(asked.reference, asked.unit)}"
        if reference and asked.reference
        else "",
        release=f"{asked.release.shape} {asked.release.status}" if asked.release else "",
        release_tone=asked.release.tone if asked.release else "",
        more=wording.date(one.audit.created),
    )


def _band(asked: Asked, scale: Scale) -> tuple[float, float] | None:
    if asked.allowed is None:
        return None
    low, high = asked.allowed
    return 0.0 if low is None else scale.at(low), 1.0 if high is None else scale.at(high)

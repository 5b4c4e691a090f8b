"""The index of all audits: the newest verdict first, then a row an audit, with filters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.reader.parts import Line, Mark
from maskaudit.reports.reader.scales import Scale, odds_scale
from maskaudit.reports.site import numbers
from maskaudit.reports.site.course import course
from maskaudit.reports.site.names import folder_of, labels_of
from maskaudit.reports.site.parts import Choice, Filter, Index, Newest, Row, Unread
from maskaudit.reports.site.shown import Asked, Shown
from maskaudit.reports.words import wording

PAGE = "report.html"
# The column of the plots is narrow.
_TICKS = 4
_NOTHING = "Once a record is there that can be read, this page lists it: maskaudit run."
_UNIT = (
    "The marks are the odds on the candidate’s worst set, as a factor with a 95 % interval; 1 is "
    "no lean, and a circle is what it was compared with. Rows on different sets are not comparable."
)


def index(
    audits: Sequence[Shown], failed: Sequence[Unread], others: Sequence[Unread], written: str
) -> Index:
    """The index of some audits, the newest first, and of what could not be read; pure.

    `written` says who wrote the site of what.
    """
    called = labels_of(audits)
    statuses = Counter(audit.strip.status for audit in audits)
    of_status = {audit.strip.status: audit.release for audit in audits}
    models = list(dict.fromkeys(audit.candidate.name for audit in audits))
    # From the oldest on, so that a set goes by its newest title.
    sets = {asked.probe_set: asked.title for audit in audits[::-1] for asked in audit.sets}
    places = {name: str(place) for place, name in enumerate(sorted(sets, key=sets.__getitem__))}
    worst = [one for audit in audits if (one := _worst(audit)) is not None]
    scale, ticks = odds_scale(
        (value for one in worst for value in numbers.values(one.candidate, one.reference)), _TICKS
    )
    return Index(
        title="Bias audits",
        eyebrow=_eyebrow(audits),
        headline=audits[0].headline if audits else "No audit to show yet",
        lead=audits[0].lead if audits else _NOTHING,
        newest=_newest(audits[0], called) if audits else None,
        course=course(audits, _worst(audits[0])) if audits else None,
        counts=tuple(
            (of_status[status], wording.number(n)) for status, n in statuses.most_common()
        ),
        ticks=ticks,
        unit=_UNIT,
        rows=tuple(
            replace(
                _row(audit, called[audit.name], scale),
                model=str(models.index(audit.candidate.name)),
                sets=" ".join(dict.fromkeys(places[asked.probe_set] for asked in audit.sets)),
            )
            for audit in audits
        ),
        filters=_filters(statuses, models, [(place, sets[name]) for name, place in places.items()]),
        count=wording.counted(len(audits), "audit"),
        failed=tuple(failed),
        others=tuple(others),
        has_trends=any(audit.sets for audit in audits),
        colophon=written,
    )


def _filters(
    statuses: Counter[str], models: Sequence[str], sets: Sequence[tuple[str, str]]
) -> tuple[Filter, ...]:
    """What rows are chosen by; `sets` are their values with their titles."""
    by_status = [
        Choice(_slug(status), f"{status} ({count})") for status, count in statuses.most_common()
    ]
    # By name, and each still with its place among the rows.
    by_model = sorted(enumerate(models), key=lambda item: item[1])
    return (
        Filter("status", "Release", tuple(by_status)),
        Filter("model", "Model", tuple(Choice(str(place), name) for place, name in by_model)),
        Filter("sets", "Set", tuple(Choice(place, title) for place, title in sets)),
    )


def _row(audit: Shown, label: str, scale: Scale) -> Row:
    """The row of an audit, without its values for the filters of models and sets."""
    return Row(
        label=label,
        link=f"runs/{folder_of(audit.name)}/{PAGE}",
        about=_about(audit),
        name="" if audit.name == label else wording.visible(audit.name),
        release=audit.release,
        finding=audit.headline,
        worst=_line(_worst(audit), scale),
        status=_slug(audit.strip.status),
        model="",
        sets="",
    )


def _eyebrow(audits: Sequence[Shown]) -> str:
    counted = wording.counted(len(audits), "audit")
    if not audits:
        return counted
    return f"{counted}, the newest of {wording.date(audits[0].created)}"


def _newest(audit: Shown, called: dict[str, str]) -> Newest:
    return Newest(called[audit.name], f"runs/{folder_of(audit.name)}/{PAGE}", audit.strip)


def _about(audit: Shown) -> str:
    """When it was, and what the candidate was compared with."""
    compared = f"beside {audit.reference.name}" if audit.reference else "by itself"
    return f"{wording.date(audit.created)}, {compared}"


def _worst(audit: Shown) -> Asked | None:
    """The set that the headline is about: the first one in nats, of those that are no control."""
    of_odds = [asked for asked in audit.sets if asked.unit == "log_odds"]
    return next((asked for asked in of_odds if not asked.is_control), None)


def _line(asked: Asked | None, scale: Scale) -> Line:
    if asked is None:
        return Line("", (), wording.UNKNOWN)
    marks: list[Mark] = []
    if asked.reference is not None:
        marks += numbers.marks(REFERENCE, asked.reference, scale, bare=True)
    marks += numbers.marks(CANDIDATE, asked.candidate, scale, is_faint=not asked.is_shown)
    return Line(asked.title, tuple(marks), numbers.text(asked.candidate, asked.unit))


def _slug(status: str) -> str:
    """A status as a value of an attribute, without a space."""
    return status.lower().replace(" ", "-")

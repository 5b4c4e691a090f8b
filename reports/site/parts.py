"""The site's pages as frozen values of finished strings, which templates lay out."""

from dataclasses import dataclass

from maskaudit.reports.reader.parts import Line, Plot, Strip, Tick
from maskaudit.reports.site.shown import Release


@dataclass(frozen=True)
class Choice:
    """An entry of a filter: its value in the rows, and its label."""

    value: str
    label: str


@dataclass(frozen=True)
class Filter:
    """A filter of the table: its name in the rows, its label and its entries."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Row:
    """One audit in the index.

    `worst` has the marks of its worst set. The last three say which entries of the filters it has,
    separated by spaces. `name` is the record's, where it says more than the label.
    """

    label: str
    link: str
    about: str
    name: str
    release: Release
    finding: str
    worst: Line
    status: str
    model: str
    sets: str


@dataclass(frozen=True)
class Unread:
    """A folder among the records that has no page, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Newest:
    """The newest audit, which the index opens with."""

    label: str
    link: str
    strip: Strip


@dataclass(frozen=True)
class Course:
    """A number over the versions as a line, the oldest first.

    `points` are places from the left and from the top, as shares; `null` is that of no lean.
    `first` and `last` are its ends as text, and `said` is what the line shows.
    """

    points: tuple[tuple[float, float], ...]
    null: float | None
    title: str
    first: str
    last: str
    said: str


@dataclass(frozen=True)
class Index:
    """The index of all audits; `newest` is None where there is none.

    `course` is that of the newest audit's worst set; None where there are too few versions.

    `counts` are how many audits came out in which way; `failed` are records that have no page.
    """

    title: str
    eyebrow: str
    headline: str
    lead: str
    newest: Newest | None
    course: Course | None
    counts: tuple[tuple[Release, str], ...]
    ticks: tuple[Tick, ...]
    unit: str
    rows: tuple[Row, ...]
    filters: tuple[Filter, ...]
    count: str
    failed: tuple[Unread, ...]
    others: tuple[Unread, ...]
    has_trends: bool
    colophon: str
    # Of each row's axis, as of a plot's: no part of it is set apart.
    band: None = None


@dataclass(frozen=True)
class Trend:
    """One set over the versions: a plot for each way in which it was asked, the newest first."""

    name: str
    title: str
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class Trends:
    """Every set over the versions."""

    title: str
    eyebrow: str
    headline: str
    lead: str
    trends: tuple[Trend, ...]
    cautions: tuple[str, ...]
    colophon: str

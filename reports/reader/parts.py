"""The parts of the reader's page: frozen values of finished strings, which a template lays out.

A chart here is a table with a plot in each row: its marks are placed in shares of the row's width,
so that one drawing fits every screen, and the row's own words say the same without it.
"""

from dataclasses import dataclass
from typing import Literal

from maskaudit.audit.recording.rows.values import Subject

# What a mark, a word or a piece of a bar says beside its text: by shape and colour, never by these
# alone.
Tone = Literal["", "worse", "better", "same", "open", "control"]
# A subject of estimates, the world’s own shares, an accepted version, or one word of the candidate.
Of = Subject | Literal["world", "baseline", "word"]


def in_details(details: str, probe_set: str) -> str:
    """The address of a set on the page with all numbers; empty where there is no such page."""
    return f"{details}#set-{probe_set}" if details else ""


@dataclass(frozen=True)
class Mark:
    """A mark of a plot at `at` with its interval, all as shares of the axis; `is_faint`: not shown.

    The interval is missing where `low` and `high` are None. What lies beyond an end of the axis is
    placed there, and `beyond` names the end.
    """

    of: Of
    at: float
    low: float | None = None
    high: float | None = None
    is_faint: bool = False
    beyond: Literal["", "low", "high"] = ""


@dataclass(frozen=True)
class Line:
    """A row of a plot: its label, its marks, what they say as text, and a verdict in a word or two.

    `change` is the verdict on the change from the reference, `release` that of the release rules;
    `more` stands below the label. `joined` are the ends of a bar behind
    the marks. `link` is where the details of it are. `said` has the numbers of the other marks, for
    those who do not see them. `is_within` says that it is a part of the row above.
    """

    label: str
    marks: tuple[Mark, ...]
    value: str
    word: str = ""
    tone: Tone = ""
    link: str = ""
    change: str = ""
    change_tone: Tone = ""
    said: str = ""
    joined: tuple[float, float] | None = None
    release: str = ""
    release_tone: Tone = ""
    more: str = ""
    is_within: bool = False


@dataclass(frozen=True)
class Tick:
    """A number on the axis of a plot and its place; `is_null` where there is no lean."""

    at: float
    label: str
    is_null: bool = False


@dataclass(frozen=True)
class Key:
    """What a kind of mark stands for."""

    of: Of
    label: str


@dataclass(frozen=True)
class Plot:
    """Rows on one axis; `title` says what they show and `unit` on what scale.

    `more` are rows on demand, under the summary `more_title`. `band` is the part of the axis in
    which nothing is told from chance.
    """

    name: str
    title: str
    unit: str
    heads: tuple[str, str, str]
    keys: tuple[Key, ...]
    ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    more: tuple[Line, ...] = ()
    more_title: str = ""
    note: str = ""
    band: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bar:
    """A probability of one model as a bar: its share of the longest, and its text."""

    of: Of
    share: float
    text: str


@dataclass(frozen=True)
class Word:
    """A word at the mask, with a bar for each model."""

    word: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Sentence:
    """A sentence of the audit, split at its mask, with the words that were read there."""

    why: str
    before: str
    after: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Sentences:
    """Real sentences and the rule by which they were chosen."""

    title: str
    rule: str
    keys: tuple[Key, ...]
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Piece:
    """A part of a bar of counts: its share of the whole, and the words that it counts."""

    label: str
    count: int
    share: float
    tone: Tone
    words: str
    meaning: str


@dataclass(frozen=True)
class Changes:
    """What became of each attribute's lean from one model to the other."""

    title: str
    unit: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Strip:
    """The verdict: a status by word, shape and tone, its reason, and what else decides on it."""

    status: str
    shape: str
    tone: Tone
    reason: str
    competence: str = ""


@dataclass(frozen=True)
class Lines:
    """A short list under a title."""

    name: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command to type, and what it does."""

    text: str
    purpose: str


@dataclass(frozen=True)
class Use:
    """How to repeat, judge and quote the audit: commands, facts about the record, files.

    A file is its kind, a link that holds it, and its name.
    """

    commands: tuple[Command, ...]
    facts: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Reader:
    """The page that people read, as finished values.

    `details` is the address of the page with all numbers, `home` that of the index of all audits;
    both are empty where there is none.
    """

    title: str
    eyebrow: str
    banner: str
    strip: Strip
    headline: str
    lead: str
    overview: Plot | None
    picture: Plot | None
    sentences: Sentences | None
    changes: Changes | None
    holds: Plot | None
    knowledge: Plot | None
    published: Plot | None
    closing: tuple[Lines, ...]
    use: Use
    details: str
    pictured: str
    colophon: str
    warnings: tuple[str, ...] = ()
    home: str = ""


@dataclass(frozen=True)
class Numbers:
    """A table of plain strings: its heads, which of its columns are numbers, and its rows."""

    name: str
    title: str
    heads: tuple[str, ...]
    are_numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Audited:
    """One candidate among several: its name, page and weights, its verdict and its headline."""

    name: str
    link: str
    digest: str
    strip: Strip
    finding: str


@dataclass(frozen=True)
class Several:
    """The page of several audits, as finished values.

    `elsewhere` are contrasts beside what was measured elsewhere, None without it.
    """

    title: str
    eyebrow: str
    headline: str
    lead: str
    candidates: tuple[Audited, ...]
    plots: tuple[Plot, ...]
    cautions: tuple[str, ...]
    colophon: str
    elsewhere: Numbers | None = None


@dataclass(frozen=True)
class Step:
    """A mark of a curve: its place along the steps, its height, and its interval's ends.

    All are shares of the axes, heights from below; the ends are None where there is no interval.
    """

    at: float
    height: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """A number over the steps of a training; `across` are the ticks of the steps, `up` its own.

    `level` is the height of the reference, and `band` the part of the axis that a release rule
    allows. `first` is the place of the step from which on the number is credible, and says so.
    """

    unit: str
    keys: tuple[Key, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    steps: tuple[Step, ...]
    level: float | None = None
    band: tuple[float, float] | None = None
    first: tuple[float, str] | None = None


@dataclass(frozen=True)
class Course:
    """One series over the records: its plot, what follows from it, and its numbers.

    The records of a training have a `curve` as well, to which the plot is a detail.
    """

    plot: Plot
    told: tuple[str, ...]
    numbers: Numbers
    curve: Curve | None = None


@dataclass(frozen=True)
class Courses:
    """All series of one number."""

    name: str
    title: str
    courses: tuple[Course, ...]


@dataclass(frozen=True)
class OverTime:
    """The page of many audits in a row.

    `alarms` are the addresses and names of the series that have one; `terms` say how to read the
    page: a term, and its paragraphs.
    """

    title: str
    eyebrow: str
    headline: str
    lead: str
    alarms: tuple[tuple[str, str], ...]
    numbers: tuple[Courses, ...]
    notes: tuple[str, ...]
    terms: tuple[tuple[str, tuple[str, ...]], ...]
    colophon: str

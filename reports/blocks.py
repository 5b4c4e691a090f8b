"""What a page is made of: finished strings in frozen values, which a template only places."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` says how it stands out."""

    text: str
    tone: Literal["plain", "question", "small", "warning"] = "plain"
    kind: str = "text"


@dataclass(frozen=True)
class Bullets:
    """Sentences in a list."""

    items: tuple[str, ...]
    kind: str = "bullets"


@dataclass(frozen=True)
class Term:
    """A word and what it means here."""

    term: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Definitions:
    """Words and their meanings; `is_beside` says that they explain the table above."""

    terms: tuple[Term, ...]
    is_beside: bool = False
    kind: str = "definitions"


@dataclass(frozen=True)
class Word:
    """A word of a model's vocabulary, seen whole, and its probability."""

    word: str
    probability: str


@dataclass(frozen=True)
class Words:
    """A cell of several words."""

    words: tuple[Word, ...]


@dataclass(frozen=True)
class Cell:
    """A number with its interval, and what belongs beside it on a second line."""

    text: str
    beside: str


@dataclass(frozen=True)
class Blank:
    """A sentence around the place that is read."""

    before: str
    after: str


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers are set flush right."""

    title: str
    is_number: bool = True


@dataclass(frozen=True)
class Rows:
    """Rows that belong together, under a title and the sentences that it is about."""

    rows: tuple[tuple[str | Cell | Words, ...], ...]
    title: str = ""
    sentences: tuple[Blank, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table; the first column of a row is its header.

    `basis` says what its estimates speak of and rest on; it is empty where a table has none.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    groups: tuple[Rows, ...]
    note: str = ""
    basis: str = ""
    is_compact: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Mark:
    """One estimate of a forest chart; `label` is read out, `value` is written beside it."""

    row: str
    label: str
    subject: str
    value: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Forest:
    """Estimates with their intervals, in named groups of rows, around a zero line."""

    groups: tuple[tuple[str, tuple[Mark, ...]], ...]
    axis: str


@dataclass(frozen=True)
class Dot:
    """One point of a scatter; `label` is read out."""

    x: float
    y: float
    subject: str
    label: str


@dataclass(frozen=True)
class Scatter:
    """Points around the line where both numbers are the same."""

    dots: tuple[Dot, ...]
    x_axis: str
    y_axis: str


@dataclass(frozen=True)
class Yardsticks:
    """Points of two shares, given as log-odds, around the lines of the world and of parity."""

    dots: tuple[Dot, ...]
    x_axis: str
    y_axis: str


@dataclass(frozen=True)
class Moment:
    """One record's number; `label` is read out, `date` may be written under it."""

    label: str
    date: str
    estimate: float
    low: float
    high: float
    state: Literal["new", "repeat", "alarm"] = "new"


@dataclass(frozen=True)
class Level:
    """A level that holds from one place of the series to another, both counted from 0."""

    first: int
    last: int
    value: float


@dataclass(frozen=True)
class Limits:
    """Limits that hold at a place of the series, as those of a sequence."""

    place: int
    low: float
    high: float


@dataclass(frozen=True)
class Timeline:
    """Moments in order, with levels and limits to read them against; `null` is a line across."""

    moments: tuple[Moment, ...]
    subject: str
    axis: str
    null: float | None = None
    levels: tuple[Level, ...] = ()
    limits: tuple[Limits, ...] = ()


@dataclass(frozen=True)
class Key:
    """One entry of a chart's legend."""

    subject: str
    label: str


@dataclass(frozen=True)
class Figure:
    """A chart with its title, its description for those who do not see it, and its legend."""

    name: str
    title: str
    description: str
    chart: Forest | Scatter | Yardsticks | Timeline
    keys: tuple[Key, ...] = ()
    width: Literal["wide", "half", "middle"] = "wide"
    kind: str = "figure"


@dataclass(frozen=True)
class Row:
    """Figures side by side."""

    figures: tuple[Figure, ...]
    kind: str = "row"


@dataclass(frozen=True)
class Part:
    """A titled part of a section."""

    title: str
    blocks: tuple["Block", ...]
    name: str = ""
    kind: str = "part"


@dataclass(frozen=True)
class Folded:
    """What only some readers need, under a line that opens it."""

    summary: str
    blocks: tuple["Block", ...]
    is_open: bool = False
    kind: str = "folded"


@dataclass(frozen=True)
class Claim:
    """One true thing, plainly, and what it rests on."""

    claim: str
    evidence: str
    kind: str = "claim"

    @property
    def sentence(self) -> str:
        """Both as one."""
        return f"{self.claim}: {self.evidence}"


Block = Text | Claim | Bullets | Definitions | Table | Figure | Row | Part | Folded


@dataclass(frozen=True)
class Section:
    """A part of the page that the jump list names."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    jump: str = ""


@dataclass(frozen=True)
class Page:
    """One audit as finished strings."""

    title: str
    eyebrow: str
    headline: Claim
    banner: str
    warnings: tuple[str, ...]
    findings: tuple[Block, ...]
    sections: tuple[Section, ...]
    colophon: str

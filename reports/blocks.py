"""The blocks of a page: frozen values of finished strings, which a template only lays out."""

from dataclasses import dataclass
from typing import Literal, Self

# The `kind` of a block is for the template: Jinja cannot ask of what class a value is.


class Named(str):
    """Text that stands for a number or a row, with what addresses need beyond its words.

    `number` is the name of the number that it stands for, which the glossary defines; `address` is
    what the address of its row ends with where the words would not do, as they change with the
    names of the models. Both may be empty. It equals its plain text.
    """

    __slots__ = ("address", "number")
    number: str
    address: str

    def __new__(cls, text: str, number: str = "", address: str = "") -> Self:
        """Make the text with these."""
        made = super().__new__(cls, text)
        made.number, made.address = number, address
        return made


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` sets its emphasis."""

    text: str
    tone: Literal["plain", "question", "small", "warning"] = "plain"
    kind: str = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: str = "bullets"


@dataclass(frozen=True)
class Link:
    """A place on this page and the words that lead to it."""

    place: str
    words: str


@dataclass(frozen=True)
class Term:
    """A word and what is said of it; `links` lead to where the page has more.

    `number` is the name of the number that is defined here, empty for any other word.
    """

    term: str
    texts: tuple[str, ...]
    number: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Definitions:
    """Words and what is said of them."""

    terms: tuple[Term, ...]
    kind: str = "definitions"


@dataclass(frozen=True)
class Defined:
    """Names of numbers that the blocks around have and do not name; each leads to the glossary."""

    numbers: tuple[str, ...]
    kind: str = "defined"


@dataclass(frozen=True)
class Word:
    """One vocabulary entry, made visible, and its probability."""

    word: str
    probability: str


@dataclass(frozen=True)
class Words:
    """A cell that holds several words."""

    words: tuple[Word, ...]


@dataclass(frozen=True)
class Cell:
    """A number with its interval, and remarks on a second line.

    `intervals` are the limits of all intervals in both lines.
    """

    text: str
    beside: str
    # As numbers too: `misses` counts them, and cannot read them back from a text.
    intervals: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Blank:
    """The text before and after a mask position."""

    before: str
    after: str


@dataclass(frozen=True)
class Column:
    """A table column; numbers are right-aligned.

    `number` is the name of the number that a whole column shows, empty where its rows differ.
    """

    title: str
    is_number: bool = True
    number: str = ""


@dataclass(frozen=True)
class Rows:
    """Rows that belong together, with a title and the sentences they are about."""

    rows: tuple[tuple[str | Cell | Words, ...], ...]
    title: str = ""
    sentences: tuple[Blank, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table; the first column of a row is its header.

    `basis` states the scope of the estimates and the counts behind them; it is empty for a table
    without estimates. A script lets readers sort and filter the rows of one that `is_sortable`.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    groups: tuple[Rows, ...]
    note: str = ""
    basis: str = ""
    is_compact: bool = False
    is_sortable: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Mark:
    """One estimate of a forest chart; `label` is for screen readers, `value` is printed."""

    row: str
    label: str
    subject: str
    value: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Forest:
    """Estimates with their intervals around a zero line, in named groups of rows."""

    groups: tuple[tuple[str, tuple[Mark, ...]], ...]
    axis: str


@dataclass(frozen=True)
class Dot:
    """One point of a scatter; `label` is for screen readers."""

    x: float
    y: float
    subject: str
    label: str


@dataclass(frozen=True)
class Scatter:
    """Points around the diagonal, on which both numbers are equal."""

    dots: tuple[Dot, ...]
    x_axis: str
    y_axis: str


@dataclass(frozen=True)
class Yardsticks:
    """Points of two shares, given as log-odds, around the lines of the world and of parity."""

    dots: tuple[Dot, ...]
    x_axis: str
    y_axis: str


Chart = Forest | Scatter | Yardsticks


@dataclass(frozen=True)
class Key:
    """One entry of a chart's legend."""

    subject: str
    label: str


@dataclass(frozen=True)
class Figure:
    """A chart with its title, a description for readers who cannot see it, and its legend."""

    name: str
    title: str
    description: str
    chart: Chart
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
    """Details for some readers, collapsed under a summary line."""

    summary: str
    blocks: tuple["Block", ...]
    kind: str = "folded"


@dataclass(frozen=True)
class Claim:
    """One plain statement and the evidence for it.

    `same` is what follows a claim that nothing was shown where it stands without its evidence: what
    is the same within how much.
    """

    claim: str
    evidence: str
    kind: str = "claim"
    same: str = ""

    @property
    def sentence(self) -> str:
        """Claim and evidence in one sentence."""
        return f"{self.claim}: {self.evidence}"

    @property
    def alone(self) -> str:
        """The claim without its evidence; one that nothing was shown with what it is instead."""
        return f"{self.claim} ({self.same})" if self.same else self.claim


Block = Text | Claim | Bullets | Definitions | Defined | Table | Figure | Row | Part | Folded


@dataclass(frozen=True)
class Section:
    """A section of the page with an entry in the jump list."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    jump: str = ""


@dataclass(frozen=True)
class Page:
    """The page of one audit as finished strings."""

    title: str
    eyebrow: str
    headline: Claim
    banner: str
    warnings: tuple[str, ...]
    findings: tuple[Block, ...]
    sections: tuple[Section, ...]
    colophon: str

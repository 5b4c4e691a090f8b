"""A page says how many of its intervals miss: those that it prints, by a second count of texts."""

import math
import re

import pytest

from maskaudit.reports.blocks import Cell, Column, Folded, Part, Rows, Section, Table, Text
from maskaudit.reports.html import render
from maskaudit.reports.words import caveats, misses, wording
from tests.reports import records
from tests.reports.records import page
from tests.reports.test_lint import rows_of, sets
from tests.reports.test_page import parts, said

# An interval as a reader sees it: two numbers with "to" between them.
SEEN = re.compile(r"[+−]?[\d.,]+(?: %)? to [+−]?[\d.,]+")


def table(*rows):
    """Return a table of these rows."""
    return Table("name", "Caption", (Column("One"),), (Rows(tuple(rows)),))


def of_width(width, start=0.0):
    """Return the text of an interval of this width."""
    return wording.with_interval(start, start - width / 2, start + width / 2)


@pytest.fixture(scope="module")
def whole():
    """Return the page of a record with every kind of set."""
    return page(records.record(sets(), further=0.1))


@pytest.mark.slow
def test_as_many_are_counted_as_a_reader_sees(whole):
    """Table by table: no more than texts of intervals, and no fewer than different ones.

    Two intervals may read alike after rounding, and one may be printed twice.
    """
    n_intervals = 0
    for shown in parts(whole, Table):
        if shown.name == "planted-recovered":
            continue
        texts = [text for row in rows_of(shown) for text in SEEN.findall(row)]
        counted = misses.printed([shown])
        assert len(set(texts)) <= len(counted) <= len(texts), shown.name
        n_intervals += len(counted)
    assert n_intervals > 400


@pytest.mark.slow
def test_the_page_says_how_many_of_its_intervals_miss(whole):
    """Every twentieth of those counted, in small print on its first screen."""
    told = re.search(r"Of the ([\d,]+) different 95 % intervals .* about (\d+) miss", said(whole))
    count, missing = (int(text.replace(",", "")) for text in told.groups())
    # All of them: two intervals of one table may read alike.
    texts = [
        text
        for shown in parts(whole, Table)
        for row in rows_of(shown)
        for text in SEEN.findall(row)
    ]
    # One estimate may stand in several tables, so there are fewer intervals than texts.
    assert 0.6 * len(texts) < count < len(texts)
    assert missing == round(count / 20)
    assert told[0] in " ".join(parts_text(whole.findings))
    assert re.sub(r"\s+", " ", told[0]) in re.sub(r"\s+", " ", render(whole))


def parts_text(blocks):
    """Return the paragraphs among these blocks."""
    return [block.text for block in blocks if isinstance(block, Text)]


def test_each_interval_counts_once_wherever_it_stands():
    """In a cell, below a cell, in a part or a fold; a chart and a sentence add nothing."""
    first, second, third = of_width(1.0), of_width(2.0), wording.between(0.1, 0.2)
    blocks = [
        table(("a", first, first), ("b", caveats.beside("0.1", third), wording.UNKNOWN)),
        Part("Part", (table((second,)), Text(str(of_width(7.0))))),
        Folded("Fold", (Part("Inner", (table((first,), (second,)),)),)),
    ]
    assert misses.printed(blocks) == {(-0.5, 0.5), (-1.0, 1.0), (0.1, 0.2)}


def test_what_is_no_interval_is_not_counted():
    """Unknown limits, a model against its copy, and text that only speaks of one."""
    unknown = wording.with_interval(0.1, math.nan, math.nan)
    blocks = [table((unknown, of_width(0.0), f"at {of_width(1.0)}", Cell("0.1", "0.2 to 0.3")))]
    assert misses.printed(blocks) == set()


@pytest.mark.parametrize(("count", "missing"), [(19, None), (20, 1), (1380, 69)])
def test_five_of_a_hundred_are_said_to_miss(count, missing):
    """Of 1,380 about 69; where none is expected to, nothing is said."""
    rows = [(of_width(1.0, start),) for start in range(count)]
    told = misses.note([Section("name", "Title", (table(*rows),))])
    if missing is None:
        assert told == ()
    else:
        assert f"Of the {count:,} different 95 % intervals" in told[0].text
        assert f"about {missing} miss" in told[0].text

"""Render the tables as a Markdown page that lists every failed bar at the top."""

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from textwrap import fill

from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.validity.table import Bar, Measured, Row, Table

_LIBRARIES = ("numpy", "scipy", "pandas")
INTRODUCTION = """\
# What the numbers are worth

A method is tried in worlds whose truth is known, because a program made them: a table of attributes
by frames is drawn from random numbers, the audit's own function is asked for its interval or its
test, and the answer is compared with the truth. That is done thousands of times with new numbers.
An interval that says 95 % should hold the truth in 95 of 100 tables, and a test at .05 should find
something in 5 of 100 tables in which there is nothing.

A row is one method in one world. *Bar* is what it has to keep, fixed before it was measured; a row
without one is information. *Error* is the Monte-Carlo error, the standard error of the number
measured, which is there because the worlds were drawn: another seed would give another number, and
in two of three cases one within that error. Columns after *holds* show the same tables by other
methods, mostly more usual ones.

Worlds are simpler than models. That a method keeps its promise here says that its formula and its
code are right; whether frames were sampled as it supposes is for the author of a set to see to."""
MODELS = """\
## With models

Whether the way from a model to the numbers is right too is measured on models whose truth is known:
leans that were planted in them, random weights that know nothing, and changes that must change
nothing. `maskaudit selftest --full` does it on any installation, without a network."""


def document(tables: Sequence[Table], sizes: str, checks: Sequence[Check] = ()) -> str:
    """Render the page; `sizes` states repetitions and seed, `checks` the self-test's results."""
    versions = ", ".join(
        [
            f"maskaudit {version('maskaudit')}",
            f"Python {platform.python_version()}",
            *(f"{name} {version(name)}" for name in _LIBRARIES),
        ]
    )
    parts = [
        f"*Written by `make validity`, not by hand: {sizes}; {versions}.*",
        INTRODUCTION,
        summary(tables),
        *("\n".join(_section(table)) for table in tables),
        MODELS,
        *("\n".join(part) for part in [_checked(checks)] if checks),
    ]
    return "\n\n".join(parts) + "\n"


def summary(tables: Sequence[Table]) -> str:
    """Say how many bars hold, and list those that do not."""
    rows = [(table, row) for table in tables for row in table.rows if row.bar is not None]
    failed = [(table, row) for table, row in rows if row.fails]
    if not failed:
        return f"**All {len(rows)} bars hold.**"
    lines = [f"**{len(failed)} of {len(rows)} bars do NOT hold:**", ""]
    for table, row in failed:
        measured, bar = _number(row.measured.value, table), _bar(row.bar, table)
        lines.append(f"- {table.title}: {row.what}: {measured}, bar {bar}")
    return "\n".join(lines)


def _section(table: Table) -> Iterator[str]:
    """Yield the lines of a table: title, text and rows."""
    beside = list(dict.fromkeys(name for row in table.rows for name in row.beside))
    yield f"## {table.title}"
    yield ""
    yield fill(table.text, 100)
    yield ""
    yield _line(["what", "bar", "measured", "error", "holds", *beside])
    yield "|---|---|--:|--:|---|" + "--:|" * len(beside)
    for row in table.rows:
        yield _line(_cells(row, table, beside))


def _checked(checks: Sequence[Check]) -> Iterator[str]:
    """Yield the lines of the self-test's results, one per check."""
    failed = sum(not check.passed for check in checks)
    text = f"{failed} of {len(checks)} checks do NOT pass" if failed else f"All {len(checks)} pass"
    yield f"**{text}.**"
    yield ""
    yield _line(["check", "expected", "found", "passes"])
    yield "|---|---|---|---|"
    for check in checks:
        mark = "yes" if check.passed else "**NO**"
        yield _line([check.name, check.expected, check.found, mark])


def _cells(row: Row, table: Table, beside: Sequence[str]) -> list[str]:
    holds = "" if row.bar is None else "**NO**" if row.fails else "yes"
    return [
        row.what,
        _bar(row.bar, table),
        _number(row.measured.value, table),
        _error(row.measured, table),
        holds,
        *(_number(row.beside[name].value, table) if name in row.beside else "" for name in beside),
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bar(bar: Bar | None, table: Table) -> str:
    if bar is None:
        return ""
    low, high = (_number(end, table, short=True) for end in (bar.low, bar.high))
    if bar.low == -float("inf"):
        return f"≤ {high}"
    return f"≥ {low}" if bar.high == float("inf") else f"{low.removesuffix(' %')} to {high}"


def _error(measured: Measured, table: Table) -> str:
    return "none" if measured.error == 0 and table.is_share else _number(measured.error, table)


def _number(value: float, table: Table, *, short: bool = False) -> str:
    """Format a share in per cent with two decimals, another number with up to five.

    `short` drops trailing zeros of a share too.
    """
    text = f"{100 * value:.2f}" if table.is_share else f"{value:.5f}"
    if short or not table.is_share:
        text = text.rstrip("0").rstrip(".")
    # What rounds to 0 has no sign; other negative numbers get a true minus sign.
    text = text.lstrip("-") if float(text) == 0 else text.replace("-", "−")
    return f"{text} %" if table.is_share else text

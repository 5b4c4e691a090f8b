"""Measure everything and write the document; the exit status is 1 where a bar does not hold."""

import argparse
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.validity import (
    gates,
    intervals,
    leans,
    nulls,
    relations,
    stars,
    weekly,
)
from maskaudit.audit.proving.validity.document import document, summary
from maskaudit.audit.proving.validity.table import Table

_SELFTEST = "what `maskaudit selftest --full --json` printed, to stand in the document too"
REPETITIONS, SEED = 10_000, 20_260_101
# Each topic and its share of the requested repetitions: pages of 200 sets are slow, series of weeks
# are fast.
TOPICS: tuple[tuple[Callable[[int, int], list[Table]], Fraction], ...] = (
    (intervals.tables, Fraction(1)),
    (leans.tables, Fraction(1)),
    (relations.tables, Fraction(1)),
    (nulls.tables, Fraction(1)),
    (stars.tables, Fraction(1, 4)),
    (weekly.tables, Fraction(2)),
    (gates.tables, Fraction(2)),
)


def main(arguments: list[str] | None = None) -> int:
    """Run `python -m maskaudit.audit.proving.validity`; return the exit status, 1 on a failure."""
    parser = argparse.ArgumentParser(
        prog="python -m maskaudit.audit.proving.validity", description=__doc__
    )
    parser.add_argument("--repetitions", type=_at_least_eight, default=REPETITIONS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path("docs/validity.md"))
    parser.add_argument("--selftest", type=_checks, default=[], metavar="FILE", help=_SELFTEST)
    asked = parser.parse_args(arguments)
    if not asked.out.parent.is_dir():
        parser.error(f"{asked.out.parent} is no folder; name a file in one that is, with --out")
    tables = measured(asked.repetitions, asked.seed)
    text = document(tables, sizes(asked.repetitions, asked.seed), asked.selftest)
    asked.out.write_text(text, encoding="utf-8")
    failed = [check.name for check in asked.selftest if not check.passed]
    models = "".join(f"does NOT pass with models: {name}\n" for name in failed)
    sys.stdout.write(f"{summary(tables)}\n{models}{asked.out}\n")
    return int(bool(failed) or any(row.fails for table in tables for row in table.rows))


def measured(repetitions: int, seed: int) -> list[Table]:
    """Return every table of the document."""
    return [table for tables, share in TOPICS for table in tables(int(repetitions * share), seed)]


def sizes(repetitions: int, seed: int) -> str:
    """Return the numbers of repetitions and the seed as text for the document's first line."""
    fewer, more = (int(repetitions * dict(TOPICS)[topic.tables]) for topic in (stars, weekly))
    return (
        f"{repetitions:,} repetitions ({fewer:,} of what the page calls shown, {more:,} series of "
        f"weekly audits and {more:,} verdicts of a gate), seed {seed}"
    )


def _checks(text: str) -> list[Check]:
    """Read the checks from a file with the output of `maskaudit selftest --full --json`.

    Raises `ArgumentTypeError` where the file is not such an output.
    """
    try:
        return [Check(**check) for check in json.loads(Path(text).read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        message = f"{text}: not what the self-test prints with --json ({error})"
        raise argparse.ArgumentTypeError(message) from error


def _at_least_eight(text: str) -> int:
    """Parse a number of repetitions; at least 8, so that every topic has two or more.

    Raises `ArgumentTypeError` for fewer.
    """
    found = int(text)
    least = 8
    if found < least:
        message = f"{found} repetitions; expected at least {least}"
        raise argparse.ArgumentTypeError(message)
    return found


if __name__ == "__main__":
    sys.exit(main())

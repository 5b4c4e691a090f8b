"""Measure everything and write the document; the exit status is 1 where a bar does not hold."""

import argparse
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.validity.document import document, summary
from maskaudit.audit.proving.validity.numbers import (
    censored,
    controls,
    convergence,
    covariates,
    facets,
    facts,
    intervals,
    leans,
    nulls,
    quoted,
    relations,
    sameness,
    stars,
)
from maskaudit.audit.proving.validity.table import Table
from maskaudit.audit.proving.validity.verdicts import (
    baselines,
    bounds,
    changes,
    gates,
    styles,
    weekly,
)

_SELFTEST = "the output of `maskaudit selftest --full --json`, to include in the document"
REPETITIONS, SEED = 10_000, 20_260_101
# Of fewer there is no Monte-Carlo error.
_LEAST = 2
# Each topic and its share of the requested repetitions: pages of 200 sets, years of change points,
# contrasts in each of many styles and tables of which each is held against 199 others are slow,
# series of weeks are fast.
TOPICS: tuple[tuple[Callable[[int, int], list[Table]], Fraction], ...] = (
    (intervals.tables, Fraction(1)),
    (facets.tables, Fraction(2, 5)),
    (controls.tables, Fraction(2, 5)),
    (censored.tables, Fraction(1, 5)),
    (facts.tables, Fraction(2, 5)),
    (covariates.tables, Fraction(1)),
    (convergence.tables, Fraction(2, 5)),
    (leans.tables, Fraction(1)),
    (relations.tables, Fraction(1)),
    (nulls.tables, Fraction(1)),
    (stars.tables, Fraction(1, 4)),
    (quoted.tables, Fraction(2)),
    (sameness.tables, Fraction(1)),
    (sameness.margins, Fraction(4)),
    (weekly.tables, Fraction(2)),
    (changes.tables, Fraction(2, 5)),
    (gates.tables, Fraction(2)),
    (styles.tables, Fraction(1, 4)),
    (baselines.tables, Fraction(1, 2)),
    (bounds.tables, Fraction(1, 2)),
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
    options = parser.parse_args(arguments)
    if not options.out.parent.is_dir():
        parser.error(
            f"{options.out.parent} is not a folder; give --out a file in an existing folder"
        )
    # After all that can be refused: nothing else here takes long.
    tables = measured(options.repetitions, options.seed)
    text = document(tables, sizes(options.repetitions, options.seed), options.selftest)
    options.out.write_text(text, encoding="utf-8")
    failed = [check.name for check in options.selftest if not check.passed]
    models = "".join(f"does NOT pass with models: {name}\n" for name in failed)
    sys.stdout.write(f"{summary(tables)}\n{models}{options.out}\n")
    return int(bool(failed) or any(row.fails for table in tables for row in table.rows))


def measured(repetitions: int, seed: int) -> list[Table]:
    """Return every table of the document."""
    return [
        table
        for tables, share in TOPICS
        for table in tables(max(_LEAST, int(repetitions * share)), seed)
    ]


def sizes(repetitions: int, seed: int) -> str:
    """Return the numbers of repetitions and the seed as text for the document's first line."""
    shares = dict(TOPICS)
    of_facets, of_ends, fewer, more, most, years, half = (
        int(repetitions * shares[topic])
        for topic in (
            facets.tables,
            censored.tables,
            stars.tables,
            weekly.tables,
            sameness.margins,
            changes.tables,
            bounds.tables,
        )
    )
    return (
        f"{repetitions:,} repetitions ({of_facets:,} of styles, families, controls, facts, "
        f"rankings and frames that behave as one, {of_ends:,} of the censored grade, {fewer:,} of "
        "what the page calls shown, "
        f"{more:,} headlines, {most:,} margins, {more:,} series of weekly audits, {years:,} years "
        f"of change points, {more:,} verdicts of a gate, {fewer:,} on styles, {half:,} against "
        f"the best of several and at a bound), seed {seed}"
    )


def _checks(text: str) -> list[Check]:
    """Read the checks from a file with the output of `maskaudit selftest --full --json`.

    Raises `ArgumentTypeError` where the file is not such an output.
    """
    try:
        return [Check(**check) for check in json.loads(Path(text).read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        message = f"{text}: expected the output of `maskaudit selftest --full --json` ({error})"
        raise argparse.ArgumentTypeError(message) from error


def _at_least_eight(text: str) -> int:
    """Parse a number of repetitions; at least 8, so that every topic has two or more.

    Raises `ArgumentTypeError` for fewer.
    """
    count = int(text)
    least = 8
    if count < least:
        message = f"{count} repetitions; expected at least {least}"
        raise argparse.ArgumentTypeError(message)
    return count


if __name__ == "__main__":
    sys.exit(main())

"""Which numbers a gate selects, and which of those that it names are missing."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.judging import surer
from maskaudit.audit.judging.policy import IGNORE, NON_INFERIORITY, Gate, Policy
from maskaudit.audit.judging.rules import RULES, of_numbers
from maskaudit.audit.judging.sources import Source, judged_names, selects
from maskaudit.audit.recording.manifest import Manifest, ProbeSetKey
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.texts.toml_files import did_you_mean
from maskaudit.audit.verifying.recomputed import Numbers

_NAMED = ("probe_set", "estimator", "slice")


def selected(gate: Gate, source: Source) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return the rows that a gate selects, and each (column, word) of it that matches no row."""
    rows = source.estimates
    if gate.select.probe_set is None and gate.select.axis is None:
        names = [name for name in rows["probe_set"].unique() if source.is_selected_by(gate, name)]
        rows = rows[rows["probe_set"].isin(names)]
    rule = RULES[gate.rule]
    rows = rule.rows(rows, gate)
    missing = []
    for column, words in gate.filters():
        # A gate names a number of one model; the rule may judge its log ratio instead.
        shown = {
            word: rule.judged_estimator(word) if column == "estimator" else word for word in words
        }
        matches = {word: _fits(rows[column], shown[word]) for word in words}
        missing += [(column, word) for word, mask in matches.items() if not mask.any()]
        rows = rows[np.logical_or.reduce(list(matches.values()))]
        if rows.empty:  # every later word would be reported as missing for the same reason
            break
    return rows, missing


def judged_numbers(policy: Policy, manifest: Manifest) -> Numbers:
    """The numbers of a record that its gates may judge, whether or not the record has them.

    Those that compare versions are made of scores and of no estimate, so they are not among them.
    """
    sets: set[str] = set()
    names: set[str] = set()
    for gate in of_numbers(policy.gates):
        rule = RULES[gate.rule]
        if not rule.compares_versions:
            sets |= {
                name for name, part in manifest.probe_sets.items() if selects(gate, name, part)
            }
            names |= judged_names(gate)
        if gate.rule == NON_INFERIORITY and gate.sharpness != IGNORE:
            benign = {name for name, part in manifest.probe_sets.items() if part.expect == "benign"}
            sets |= benign
            names |= surer.RESTS_ON if benign else frozenset()
    return Numbers(frozenset(sets), frozenset(names))


def _fits(column: pd.Series, word: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return a mask of the entries that match the word; `*` in it matches any text."""
    matches = {text: fnmatchcase(text, word) for text in column.unique()}
    return column.map(matches).to_numpy(dtype=bool)


def gaps(gate: Gate, source: Source, rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield each set, and each slice and estimator in a named set, that has no number, and why."""
    words = dict(gate.filters())
    named = {
        column: [word for word in words.get(column, []) if "*" not in word] for column in _NAMED
    }
    rule = RULES[gate.rule]
    # Sets of the older version as well: one that is gone must not drop out of the gate unseen.
    for name in dict.fromkeys([*source.sets, *source.before]):
        rows_of_set = rows[rows["probe_set"] == name]
        is_named = name in named["probe_set"]
        if not source.is_selected_by(gate, name) or (
            not is_named and not _expects_number(gate, source.sets[name])
        ):
            continue
        if rows_of_set.empty:
            yield name, f"no number of {name!r} matches all that the gate selects"
            continue
        if not is_named:  # sets chosen by axis or pattern need not have every slice and estimator
            continue
        # Pair by pair: a set may have each estimator and each slice, and still lack one of the
        # numbers that the gate names by both.
        present = set(zip(rows_of_set["estimator"], rows_of_set["slice"], strict=True))
        for estimator, slice_ in product(named["estimator"] or [""], named["slice"] or [""]):
            shown = rule.judged_estimator(estimator)
            if not any(shown in {"", part[0]} and slice_ in {"", part[1]} for part in present):
                gap = "/".join(filter(None, (name, slice_, estimator)))
                yield gap, f"{name!r} has no number for this slice and estimator"


def _expects_number(gate: Gate, described: ProbeSetKey) -> bool:
    """Whether a set that a gate does not name is expected to have the number it asks for."""
    estimators = dict(gate.filters())["estimator"]
    # Other numbers need not exist in every set of an axis; the contrast must, where a set has one:
    # its absence would look like a pass.
    return estimators == [CONTRAST] and bool(described.contrast or described.directions)


def why_nothing(source: Source, column: str, word: str) -> str:
    """The reason why a word of a gate matches no row, with a suggestion if it looks misspelt."""
    # By all numbers that there are: a word may be right, and only fit none that the gate names.
    values = set((source.estimates if source.every is None else source.every())[column].unique())
    if column == "probe_set":
        values |= set(source.sets)
    if word in values:
        return f"no number with {column} {word!r} matches all else that the gate selects"
    return (
        f"no number of the record has {column} {word!r}{did_you_mean(word, sorted(values - {''}))}"
    )


def name_of(row: Mapping[str, Any], part: str, *, several: bool, modes: bool) -> str:
    """A verdict's name, `gender/gender-occupation`; longer if a gate judges several of a set."""
    slice_ = "" if Slice.parse(row["slice"]).is_headline else row["slice"]
    parts = (
        row["axis"],
        row["probe_set"],
        slice_,
        row["estimator"] if several else "",
        row["mode"] if modes else "",
        part,
    )
    return "/".join(filter(None, parts))

"""A number with two ends passes or fails only where every number between them would."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.judging import policy
from maskaudit.audit.judging.both_ends import on_both_ends
from maskaudit.audit.judging.one_verdict import Judged, judged

NAMES = ("share_contrast_at_least", "share_contrast_at_most")
SE, LIMIT = 0.02, 0.2


def row(name: str, estimate: float, **changed: Any) -> dict[str, Any]:
    """Return a row of estimates of the candidate's change."""
    common = {
        "probe_set": "jobs", "axis": "gender", "slice": "contrast", "mode": "corrected",
        "subject": "difference", "std_error": SE, "df": 20.0, "v_frames": 1e-4, "n_frames": 10,
        "n_attributes": 12, "flag": "", "method": "m", "low": math.nan, "high": math.nan,
    }  # fmt: skip
    return {**common, "estimator": name, "estimate": estimate, **changed}


def gate_of(folder: Path, rule: str, harm: str) -> policy.Gate:
    """Return one gate with this limit."""
    key = "bound" if rule == "bound" else "margin"
    path = folder / "gates.toml"
    path.write_text(
        f'[[gate]]\nid = "g"\nrule = "{rule}"\n{key} = {LIMIT}\nharm = "{harm}"\nreason = "r"\n'
        'select = { estimator = "share_contrast_at_most" }\n'
    )
    [gate] = policy.read(path).gates
    return gate


def decided(gate: policy.Gate, rows: list[dict[str, Any]]) -> Judged:
    """Return the verdict on the ends."""

    def one(own: Mapping[str, Any]) -> Judged:
        return judged(gate, own, "", "name", gate.margin)

    return on_both_ends(one, rows[-1], pd.DataFrame(rows))


@pytest.mark.parametrize("harm", ["up", "down", "either"])
@pytest.mark.parametrize("rule", ["bound", "non_inferiority"])
def test_what_is_said_of_the_ends_is_true_of_all_between(
    rule: str, harm: str, tmp_path: Path
) -> None:
    """By the verdict on each of many numbers between them; all three words are said."""
    gate = gate_of(tmp_path, rule, harm)
    said = set()
    for low in np.arange(-0.6, 0.61, 0.1):
        for width in (0.0, 0.05, 0.3, 0.9):
            rows = [row(NAMES[0], low), row(NAMES[1], low + width)]
            found = decided(gate, rows).decided
            assert found is not None
            said.add(found.word)
            between = [
                judged(gate, row(NAMES[1], value), "", "name", gate.margin).decided
                for value in np.linspace(low, low + width, 7)
            ]
            words = {own.word for own in between if own is not None}
            if found.word != "inconclusive":
                assert words == {found.word}
            # And a number without width is judged as it always was.
            if width == 0:
                assert words == {found.word}
            if found.word == "fail":
                assert found.p <= max(own.p for own in between if own is not None) + 1e-12
            assert found.low <= low <= low + width <= found.high
    assert said == {"pass", "fail", "inconclusive"}


@pytest.mark.parametrize(
    ("harm", "known", "estimate", "word"),
    [
        # Harm is up: what is at most so much passes, whatever it is at least; and the other way.
        ("up", "most", 0.0, "pass"),
        ("up", "least", 0.5, "fail"),
        ("up", "least", 0.0, "inconclusive"),
        ("up", "most", 0.5, "inconclusive"),
        ("down", "least", 0.5, "pass"),
        ("down", "most", 0.0, "fail"),
        ("either", "least", 0.5, "fail"),
        ("either", "most", 0.0, "inconclusive"),
    ],
)
def test_an_open_end_decides_nothing_and_hinders_nothing(
    harm: str, known: str, estimate: float, word: str, tmp_path: Path
) -> None:
    """The bound on the open side is infinite."""
    flagged = {"std_error": math.nan, "df": math.nan, "flag": "not_bounded"}
    rows = [
        row(name, estimate) if name.endswith(known) else row(name, math.nan, **flagged)
        for name in NAMES
    ]
    found = decided(gate_of(tmp_path, "bound", harm), rows).decided
    assert found is not None
    assert found.word == word
    assert math.isinf(found.low if known == "most" else found.high)


def test_two_open_ends_are_inconclusive_with_the_reason(tmp_path: Path) -> None:
    """Nothing was decided, and nothing passes."""
    flagged = {"std_error": math.nan, "df": math.nan, "flag": "not_bounded"}
    rows = [row(name, math.nan, **flagged) for name in NAMES]
    found = decided(gate_of(tmp_path, "bound", "up"), rows)
    assert found.decided is None
    assert found.verdict.verdict == "inconclusive"
    assert "nothing bounds it" in found.verdict.reason

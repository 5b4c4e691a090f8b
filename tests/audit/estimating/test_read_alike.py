"""A word that a tokenizer reads as another is no second measurement."""

from pathlib import Path

import pandas as pd
import pytest

import maskaudit
from maskaudit.audit.estimating import read_alike
from tests import tiny

FRAMES = """
[[frames]]
id = "a"
text = "[MASK] worked as {a attribute}."
[[frames]]
id = "b"
text = "we think [MASK] is {a attribute}."
"""
CONTEXT = """
[[frames]]
id = "a"
text = "{term} worked as a [MASK]."
[[frames]]
id = "b"
text = "we think {term} is a [MASK]."
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkpoint whose tokenizer drops accents."""
    return tiny.build(tmp_path_factory.mktemp("plain") / "model", "bert")


def audited(folder: Path, place: Path, women: tuple[str, ...], frames: str) -> maskaudit.Record:
    """Audit a small set whose first group has these words."""
    (place / "set.toml").write_text(tiny.small_set(women=women) + frames, "utf-8")
    return maskaudit.run(candidate=folder, probes=[place / "set.toml"], out=place / "runs")


def log_odds(record: maskaudit.Record) -> dict[str, float]:
    """Return the log-odds by slice."""
    rows = record.estimates[record.estimates["estimator"] == "log_odds"]
    return dict(zip(rows["slice"], rows["estimate"], strict=True))


@pytest.mark.parametrize(
    "frames",
    [FRAMES, pytest.param(CONTEXT, marks=pytest.mark.slow)],
    ids=["at the mask", "in the sentence"],
)
@pytest.mark.parametrize("women", [("anne", "ann\N{LATIN SMALL LETTER E WITH ACUTE}")], ids=["e"])
@pytest.mark.parametrize("backwards", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_word_without_its_accent_is_counted_once(
    folder: Path, tmp_path: Path, women: tuple[str, ...], frames: str, *, backwards: bool
) -> None:
    """As if only one of the two were in the set: not ln 2 more, and no second name."""
    (tmp_path / "one").mkdir()
    (tmp_path / "both").mkdir()
    one = audited(folder, tmp_path / "one", women[:1], frames)
    both = audited(folder, tmp_path / "both", women[::-1] if backwards else women, frames)
    assert log_odds(both) == log_odds(one)
    [row] = read_alike.repeats(both.items, both.scores).to_dict("records")
    assert (row["group"], row["word"].casefold(), row["same_as"].casefold()) == (
        "women", women[1], women[0],
    )  # fmt: skip
    if frames == FRAMES:
        spelt = read_alike.rewritten(both.items, both.scores)
        assert set(zip(spelt["target"].str.casefold(), spelt["written"], strict=True)) == {
            (women[1], women[0])
        }


def test_a_word_that_is_left_out_stands_for_no_other() -> None:
    """One model reads w1 as w2, the other w2 as w3: without w2, two words are left for both."""
    cell = {"probe_set": "p", "kind": "association", "frame": "f", "variant": 0, "role": "probe",
            "label": "", "class": "c", "attribute": "a", "group": "g"}  # fmt: skip
    terms = ("w1", "w2", "w3")
    items = pd.DataFrame([{**cell, "term": term, "target": term, "item": term} for term in terms])
    reads = {"reference": "aab", "candidate": "abb"}
    scores = pd.DataFrame(
        {"item": list(terms) * 2, "model": [m for m in reads for _ in terms], "read": [*"aababb"]}
    )
    assert list(read_alike.distinct(items, scores)["term"]) == ["w1", "w3"]
    backwards = items[::-1].reset_index(drop=True)
    assert sorted(read_alike.distinct(backwards, scores)["term"]) == ["w1", "w3"]
    [row] = read_alike.repeats(items, scores).to_dict("records")
    assert (row["word"], row["same_as"]) == ("w2", "w1")


def test_pairs_that_are_read_alike_are_left_alone() -> None:
    """A pair of equal sentences is a tie, and a tie counts."""
    items = pd.DataFrame(
        {"probe_set": "p", "kind": "pairs", "item": ["a", "b"], "term": "", "target": ""}
    )
    scores = pd.DataFrame({"item": ["a", "b"], "model": "candidate", "read": "same"})
    assert read_alike.distinct(items, scores) is items

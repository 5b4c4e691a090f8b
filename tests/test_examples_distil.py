"""The example of a distillation: its text leans nowhere, and its answer is that of its records."""

import importlib.util
import json
import random
import re
from pathlib import Path

import pytest

from maskaudit.audit.history.onset import bisect
from maskaudit.audit.recording.record import load_record
from maskaudit.probes.loading import load, shipped

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "distil"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def example():
    """Return the script that writes the text, as a module."""
    specification = importlib.util.spec_from_file_location("text_of_example", EXAMPLE / "text.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_she_and_he_are_as_frequent_beside_each_occupation(example, monkeypatch):
    """In the sentences of a set that is asked with pronouns; none of those audited is there."""
    one = {"gender-occupation": shipped()["gender-occupation"]}
    monkeypatch.setattr(example, "shipped", lambda: one)
    found = example.sentences(random.Random(1))  # noqa: S311 - a draw of sentences
    assert len(found) >= example.MOST_OF_GENDER
    for word in ("nurse", "engineer"):
        named = [text.lower() for text in found if re.search(rf"\b{word}\b", text)]
        counts = {p: sum(bool(re.search(rf"\b{p}\b", t)) for t in named) for p in ("she", "he")}
        assert counts["she"] == counts["he"] > 0
    frames = [frame.text for frame in load(EXAMPLE / "occupations.toml").frames]
    begins = tuple(re.split(r"[\[{]", text)[0] for text in frames if text[0] not in "[{")
    assert not [text for text in found if text.startswith(tuple(b for b in begins if len(b) > 8))]


def test_the_curve_and_the_table_are_those_of_the_records():
    """Each step, the answer in its words, and each row of the table."""
    curve = json.loads((EXAMPLE / "curve.json").read_text("utf-8"))
    folders = sorted((EXAMPLE / "records").iterdir(), key=lambda p: int(p.name.split("-")[1]))
    bisected = bisect([load_record(folder) for folder in folders])
    [found], [stored] = bisected.onsets, curve["contrasts"]
    readme = (EXAMPLE / "README.md").read_text("utf-8").replace("−", "-")
    for number, said, name in zip(found.numbers, stored["numbers"], bisected.called, strict=True):
        assert said["estimate"] == pytest.approx(number.estimate)
        interval = f"{number.estimate:+.2f} ({number.low:+.2f} to {number.high:+.2f})"
        assert f"| {name.split('-')[1]} | {interval} |" in readme
    assert stored["first"] == (None if found.first is None else bisected.versions[found.first])

"""The page and the terminal say what pieces, words and frequency do to a contrast."""

from dataclasses import replace

import pytest

from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.verifying.recomputed import recompute
from maskaudit.reports.blocks import Bullets, Part
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.method.lost import lost
from maskaudit.reports.terminal import robustness
from tests.reports import records

RAW = records.jobs()
CLASSES = {
    name: [a if isinstance(a, str) else a["text"] for a in part["attributes"]]
    for name, part in RAW["classes"].items()
}


def with_pieces(first: float, *, frequency: bool = False) -> Record:
    """Return a record whose first class has so many pieces each, and one attribute less."""
    found = records.record([records.jobs()])
    classes = list(CLASSES.values())
    counts = {word: first if word in classes[0][1:] else 1.0 for own in classes for word in own}
    rows = [
        {"probe_set": "jobs", "attribute": word, "model": model, "pieces": n}
        for word, n in counts.items()
        for model in found.manifest.models
    ]
    uses = {word: 3.0 if word in classes[0] else 2.0 for word in counts}
    items = found.items
    if frequency:
        items = items.assign(frequency=items["attribute"].map(uses))
    made = replace(found, items=items, attributes=tables.table("attributes", rows))
    return replace(made, estimates=recompute(made).estimates)


def parts_of(record: Record) -> dict[str, str]:
    """Return the lists of the section on what was lost, by their titles."""
    section = lost(record, names_of(record.manifest))
    return {
        block.title: " ".join(block.blocks[0].items)
        for block in section.blocks
        if isinstance(block, Part) and isinstance(block.blocks[0], Bullets)
    }


@pytest.mark.parametrize(("pieces", "told"), [(1.0, False), (4.0, True)])
def test_classes_of_unequal_length_are_told_on_the_page(pieces: float, told: bool) -> None:  # noqa: FBT001 - a case
    """With the size, the models and what to read beside the contrast."""
    found = parts_of(with_pieces(pieces))
    text = found.get("Classes that differ in the length or frequency of words", "")
    assert bool(text) == told
    if told:
        assert "more word pieces (reference and candidate)" in text
        assert "contrast_adjusted" in text


def test_the_questions_have_an_answer_for_each_length() -> None:
    """Adjusted, matched, by length, and how far apart; the frequency where the set names it."""
    lines = robustness.as_text(with_pieces(2.0)).splitlines()
    questions = [line.strip().partition("  ")[0] for line in lines]
    for text in (
        "Adjusted for pieces and words",
        "On attributes matched in pieces and words",
        "Among attributes of one word piece",
        "Among attributes of several word pieces",
        "Classes apart in pieces, on average",
        "Classes apart in words, on average",
    ):
        assert text in questions
    [apart] = [line for line in lines if "Classes apart in pieces" in line]
    n = len(next(iter(CLASSES.values())))
    assert apart.count(f"+{(n - 1) / n:.2f} pieces") == 2
    assert "Classes apart in frequency" not in questions
    named = robustness.as_text(with_pieces(2.0, frequency=True))
    assert "Adjusted for pieces, words and frequency" in named
    assert named.count("1.50 times as frequent") == 2

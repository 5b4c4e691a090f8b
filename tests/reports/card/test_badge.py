"""The badge: one drawing with its words, in which no verdict stands without the state."""

import re
import xml.etree.ElementTree as ET

import pytest

from maskaudit.reports.card.badge import badge
from tests.reports import records
from tests.reports.verdicts import WAIVER, judgement, verdict

SVG = "{http://www.w3.org/2000/svg}"
JUDGEMENTS = {
    "fail": judgement(verdict("fail")),
    "pass": judgement(verdict("pass")),
    "inconclusive": judgement(verdict("inconclusive")),
    "not measured": judgement(verdict("not_measured")),
    "warning": judgement(verdict("fail", severity="warn")),
    "waived": judgement(verdict("fail", waiver=WAIVER)),
    "no rule set": None,
    "nothing was judged": judgement(),
}


@pytest.fixture(scope="module")
def leaning():
    """Give a record whose candidate leans."""
    return records.record([records.jobs(frames=6)])


def read(text):
    """Return the drawing, its words and its colours."""
    root = ET.fromstring(text)  # noqa: S314 - our own
    words = [one.text for one in root.iter(f"{SVG}text")]
    return root, words, [one.get("fill") for one in root.iter() if (one.get("fill") or "") > "#"]


def luminance(colour):
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(digits, 16) / 255 for digits in re.findall("..", colour.lstrip("#"))]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("word", JUDGEMENTS)
def test_the_rule_stands_beside_the_state_and_is_told_to_screen_readers(leaning, word):
    """By word, and in a colour on which white can be read: a contrast of 4.5 at least."""
    root, words, colours = read(badge(leaning, JUDGEMENTS[word]))
    assert words == ["bias audit", f"{word}, leans on 1 of 1 sets"]
    title = root.find(f"{SVG}title").text
    assert root.get("aria-label") == title
    assert title == f"Bias audit of student on 2 January 2026, release rule: {words[1]}"
    for colour in colours:
        if colour != "#fff":
            assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_only_a_pass_without_a_lean_is_green(leaning):
    """A model that passes and leans has the colour of a warning."""
    still = records.record([records.jobs(frames=6)], reference=None, candidate=0.0)
    greens = {read(badge(still, JUDGEMENTS["pass"]))[2][1]}
    assert read(badge(still, JUDGEMENTS["pass"]))[1][1] == "pass, no lean shown on 1 set"
    assert read(badge(leaning, JUDGEMENTS["pass"]))[2][1] not in greens
    others = [told for word, told in JUDGEMENTS.items() if word != "pass"]
    assert not greens & {read(badge(still, told))[2][1] for told in others}


def test_a_lean_against_the_stereotype_is_a_lean():
    """It is no absence of one."""
    found = records.record([records.jobs(frames=6)], reference=None, candidate=-1.0)
    assert read(badge(found))[1][1] == "no rule set, leans on 1 of 1 sets"


def test_where_nothing_was_tested_nothing_is_said_to_be_fine():
    """Facts alone, or too few sentences."""
    assert read(badge(records.record([records.facts()])))[1][1] == "no rule set, no lean tested"


@pytest.mark.parametrize(
    "name", ["<script>x</script>", '"/><a>', "a\x9b\u202eb", "]]>&#0;", "w" * 60]
)
def test_names_of_others_are_text(name):
    """The drawing is XML, with our elements alone."""
    found = records.record([records.jobs(frames=6)], names={"candidate": name})
    root, _, _ = read(badge(found))
    tags = {one.tag.removeprefix(SVG) for one in root.iter()}
    assert tags == {"svg", "title", "rect", "path", "g", "text"}
    shown = name.rpartition("/")[2].replace("\x9b", "⟨U+009B⟩").replace("\u202e", "⟨U+202E⟩")
    assert f"Bias audit of {shown} on" in root.find(f"{SVG}title").text

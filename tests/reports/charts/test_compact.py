"""Charts in fewer bytes are the same picture: every mark where it was, as it looked."""

import re
from xml.etree import ElementTree as ET

import pytest

from maskaudit.reports.blocks import Dot, Scatter
from maskaudit.reports.charts.compact import compact
from maskaudit.reports.charts.draw import draw

pytestmark = pytest.mark.slow

# What is read here is our own.
parse = ET.fromstring
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><script>alert(1)</script>&amp;\u00e9'


@pytest.fixture(scope="module")
def drawn():
    """Give a scatter of two models as the engine draws it."""
    dots = tuple(
        Dot(x / 7, -x / 11, subject, f"{HOSTILE} {x}, {subject}: +1")
        for x in range(20)
        for subject in ("reference", "candidate")
    )
    return draw(Scatter(dots, "planted", "recovered"))


def looks(element):
    """Return what a shape is drawn with, but for where; numbers to a tenth."""
    told = {k: v for k, v in element.attrib.items() if k not in {"transform", "id", "role"}}
    told = {k: v for k, v in told.items() if not k.startswith("aria-")}
    return {k: re.sub(r"-?\d+\.\d+", lambda n: f"{float(n[0]):.1f}", v) for k, v in told.items()}


def test_each_mark_is_where_it_was_and_looks_as_it_did(drawn):
    """And has its label as its title, in the same order."""
    before = [e for e in parse(drawn).iter(f"{SVG}path") if "aria-label" in e.attrib]
    after = parse(compact(drawn, "chart"))
    shapes = {e.attrib["id"]: e for e in after.iter(f"{SVG}path") if "id" in e.attrib}
    uses = list(after.iter(f"{SVG}use"))
    assert len(uses) == len(before) == 40
    assert len(shapes) == 2
    for old, new in zip(before, uses, strict=True):
        place = re.fullmatch(r"translate\(([-\d.]+),\s*([-\d.]+)\)", old.attrib["transform"])
        at = [float(new.attrib[name]) for name in ("x", "y")]
        assert at == pytest.approx([float(place[1]), float(place[2])], abs=0.051)
        assert looks(shapes[new.attrib["href"].removeprefix("#")]) == looks(old)
        assert new.find(f"{SVG}title").text == old.attrib["aria-label"]


def test_it_is_smaller_and_every_text_keeps_its_font(drawn):
    """By a third at least; what all texts share is written once, above them."""
    made = compact(drawn, "chart")
    assert len(made) < len(drawn) * 2 / 3
    before, after = (parse(svg) for svg in (drawn, made))
    [group] = after.findall(f"{SVG}g")
    for old, new in zip(before.iter(f"{SVG}text"), after.iter(f"{SVG}text"), strict=True):
        assert new.text == old.text
        for name in ("font-family", "font-size"):
            assert new.attrib.get(name, group.attrib.get(name)) == old.attrib[name]


def test_what_stands_outside_the_marks_is_left_as_it_was(drawn):
    """Addresses bear the name of the chart, so that two charts of a page do not mix."""
    one, other = (parse(compact(drawn, name)) for name in ("one", "other"))
    ids = [{e.attrib["id"] for e in made.iter() if "id" in e.attrib} for made in (one, other)]
    assert not ids[0] & ids[1]
    assert {k: one.attrib[k] for k in ("width", "height", "viewBox")} == {
        k: parse(drawn).attrib[k] for k in ("width", "height", "viewBox")
    }
    assert "<script" not in compact(drawn, "chart")

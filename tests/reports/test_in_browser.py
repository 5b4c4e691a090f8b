"""Every kind of page in a browser, where one is installed: width, marks, words, keys, axe."""

import os
import re
import shutil
from dataclasses import dataclass, replace
from itertools import product

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import Chosen, read
from maskaudit.reports.html import render, render_over_time, render_overview, render_reader
from maskaudit.reports.over_time import page as over_time
from maskaudit.reports.over_time.curve import Training
from maskaudit.reports.overview import overview
from maskaudit.reports.page import page
from maskaudit.reports.pdf import BROWSERS
from maskaudit.reports.reader.reader import reader
from maskaudit.reports.site.build import Asked, write_site
from tests import manifests
from tests.audit.history.folders import versions
from tests.reports import records
from tests.reports.site.audits import sealed
from tests.reports.verdicts import judgement, verdict

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
WIDTHS = (360, 768, 1440)
HEIGHT = 800
# Each width and each scheme once; `make pages` tries each width in each scheme.
EVERY = tuple(product(WIDTHS, ("light", "dark")))
SCREENS = EVERY if "MASKAUDIT_SCREENS" in os.environ else (EVERY[0], EVERY[3], EVERY[4])
# What may not be on any page, whatever its kind.
RULES = {"resultTypes": ["violations"]}
# A step of 60 versions, and the names that a page must bear.
LEVELS = [0.0, 0.02, 0.01, 0.03] * 12 + [0.5, 0.52, 0.51] * 4
LONG = {"candidate": "x" * 60, "reference": f"y/{'z' * 60}"}
HOSTILE = {"candidate": f"y/{records.HOSTILE}\x85\x9b", "reference": "x/<svg/onload=alert(3)>"}
# A plot of fewer pixels shows nothing.
LEAST_PLOT = 100
MOST_WORDS, MOST_STOPS = 120, 25
# How many things the page has that a key reaches, and what is reached now: which, whether it is on
# the screen, and whether that is shown.
STOPS = """() => [
  ...document.querySelectorAll('a[href], summary, input, select, button, [tabindex="0"]')
].filter((stop) => stop.checkVisibility()).length"""
FOCUSED = """() => {
  const own = document.activeElement, box = own.getBoundingClientRect();
  const place = [...document.querySelectorAll('*')].indexOf(own);
  const style = getComputedStyle(own);
  const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return [place, seen, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];
}"""
MEASURE = """() => {
  const words = (within) => {
    let n = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const own = walker.currentNode;
      const found = own.textContent.match(/[\\p{L}\\d][^\\s]*/gu) || [];
      // The numbers of an axis are no words, and what is not on the screen is not read there.
      if (own.parentElement.closest('script, style, .unseen, .skip, .axis')) continue;
      // What is folded away has boxes all the same.
      if (!own.parentElement.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNodeContents(own);
      const boxes = [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
      if (boxes.some((box) => box.top < within)) n += found.length;
    }
    return n;
  };
  const root = document.documentElement;
  const drawn = document.querySelectorAll('td.plot svg.track, svg.area');
  const tracks = [...drawn].filter((t) => t.clientWidth);
  const outside = tracks.flatMap((track) => {
    const box = track.getBoundingClientRect();
    return [...track.querySelectorAll('circle, svg > rect')].filter((mark) => {
      const own = mark.getBoundingClientRect();
      return own.right < box.left - 8 || own.left > box.right + 8 || own.left < 0
        || own.right > innerWidth;
    });
  });
  const empty = tracks.filter((track) => !track.querySelector('circle, rect, line'));
  return {
    first: words(innerHeight), all: words(Infinity), height: root.scrollHeight,
    width: root.scrollWidth, outside: outside.length, empty: empty.length,
    plots: tracks.map((track) => Math.round(track.getBoundingClientRect().width)),
  };
}"""


@dataclass(frozen=True)
class Screen:
    """What a reader has: a width in CSS pixels, a scheme, and whether colours are the system's."""

    width: int
    scheme: str = "light"
    forced: str = "none"


@pytest.fixture(scope="module")
def browser():
    """Give a browser, one for all pages."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here (apt-get install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM)
        yield found
        found.close()


def of_record(made, judged=None):
    """Return the reader's page of a record."""
    return render_reader(reader(made, judged, "details.html", records.tables_of(made)))


def of_version(place):
    """Return the record of one of five candidates beside one teacher."""
    names = {"candidate": f"org/version-{place}", "reference": "some/teacher"}
    made = records.record(names=names, candidate=0.3 + place / 4)
    models = manifests.plain(made.manifest.models)
    models["candidate"]["weights"] = f"{place}" * 64
    return replace(made, manifest=manifests.changed(made.manifest, models=models))


def of_training(runs):
    """Return the page of a long training, in which the lean is credible late."""
    found = judge(read(runs, Chosen(subjects=("reference", "candidate", "difference"))))
    steps = {audit.name: 500 * n for n, audit in enumerate(found.history.audits)}
    first = {judged.series.line: list(steps)[-2] for judged in found.judged}
    newest = list(steps)[-1]
    change = verdict(rule="non_inferiority", estimate=0.5, margin=0.3)
    told = replace(judgement(change), record=newest)
    return render_over_time(over_time.page(found, told, (), Training(steps, first)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the files of pages of every kind."""
    folder = tmp_path_factory.mktemp("pages")
    jobs, long = records.with_shares(records.jobs()), records.jobs()
    long["set"]["title"] = "w" * 60
    four = records.record([jobs, records.people(), records.control(), records.facts()])
    versions(folder / "runs", LEVELS)
    against_baseline = verdict("fail", rule="versus_baseline", against="baseline main")
    made = {
        "pair": of_record(four),
        "judged": of_record(four, judgement(verdict("fail"), verdict("pass"))),
        "alone": of_record(records.record(reference=None)),
        "one test": of_record(records.record([records.jobs()]), judgement(against_baseline)),
        "published": of_record(records.record([records.pairs(), records.triples()])),
        "long": of_record(records.record([long], names=LONG)),
        "hostile": of_record(records.record([long], names=HOSTILE)),
        "details": render(page(four, None, records.tables_of(four))),
        "several": render_overview(overview([*map(of_version, range(5))], folder)),
        "history": render_over_time(over_time.page(judge(read(folder / "runs")))),
        "training": of_training(folder / "runs"),
    }
    for name, html in made.items():
        (folder / f"{name}.html").write_text(html, "utf-8")
    write_site(sealed(folder / "sealed"), folder / "site", Asked())
    return folder


KINDS = (
    "pair", "judged", "alone", "published", "long", "hostile", "details", "several", "history",
    "training", "site/index", "site/versions",
)  # fmt: skip


def opened(browser: Browser, path, screen: Screen) -> tuple[Page, list[str]]:
    """Return a page on a screen, and what it says to the console or asks the network for."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": HEIGHT},
        color_scheme=screen.scheme,
        forced_colors=screen.forced,
        bypass_csp=True,  # for axe, which is a script
    )
    made, heard = context.new_page(), []
    made.on("console", lambda message: heard.append(f"console: {message.text}"))
    made.on("pageerror", lambda error: heard.append(f"error: {error}"))
    made.on("request", lambda asked: heard.append(f"request: {asked.url}"))
    made.goto(path.as_uri())
    heard.remove(f"request: {path.as_uri()}")
    return made, heard


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_whole_on_every_screen(browser, pages, kind):
    """No sideways scroll, no mark off its axis, no empty chart, no request, no word to the console.

    In forced colours and at 640 pixels too, which is what a zoom of 200 % leaves of 1280.
    """
    screens = [*map(Screen, (*WIDTHS, 640)), Screen(768, forced="active")]
    for screen in screens:
        made, heard = opened(browser, pages / f"{kind}.html", screen)
        found = made.evaluate(MEASURE)
        made.context.close()
        assert heard == []
        assert found["width"] <= screen.width
        assert found["outside"] == found["empty"] == 0
        assert all(plot >= LEAST_PLOT for plot in found["plots"])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stands_in_the_way_of_anybody(browser, pages, kind):
    """All of axe's rules, the best practices among them, in both schemes."""
    for width, scheme in SCREENS:
        made, _ = opened(browser, pages / f"{kind}.html", Screen(width, scheme))
        violations = Axe().run(made, options=RULES).response["violations"]
        made.context.close()
        broken = [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in violations]
        assert broken == [], (width, scheme)


@pytest.mark.parametrize("kind", ["pair", "judged", "alone", "one test", "published"])
def test_the_first_screen_is_short_and_the_page_is_not_long(browser, pages, kind):
    """At most 120 words on the first screen and 1,500 in all, 6 screens, 10 on a phone."""
    made, _ = opened(browser, pages / f"{kind}.html", Screen(1280))
    found = made.evaluate(MEASURE)
    made.set_viewport_size({"width": 375, "height": HEIGHT})
    phone = made.evaluate(MEASURE)
    paper = made.pdf(format="A4")
    made.context.close()
    assert found["first"] <= MOST_WORDS
    assert found["all"] <= 1500
    assert found["height"] <= 6 * HEIGHT
    assert phone["height"] <= 10 * HEIGHT
    # What is folded stays folded on paper, and the details are another file.
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 2


@pytest.mark.parametrize("kind", KINDS)
def test_keys_reach_every_stop_and_show_where_they_are(browser, pages, kind):
    """Each press of Tab moves on to something on the screen with an outline; none is a trap."""
    made, _ = opened(browser, pages / f"{kind}.html", Screen(1280))
    stops = made.evaluate(STOPS)
    reached = []
    for _ in range(min(stops, MOST_STOPS)):
        made.keyboard.press("Tab")
        reached.append(made.evaluate(FOCUSED))
    made.context.close()
    assert len({place for place, _, _ in reached}) == min(stops, MOST_STOPS)
    assert [place for place, is_seen, has_outline in reached if not (is_seen and has_outline)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_parser_finds_no_fault(pages, kind):
    """The page is HTML as the standard's own algorithm reads it."""
    parser = html5lib.HTMLParser(strict=True)
    parser.parse((pages / f"{kind}.html").read_text("utf-8"))


def test_the_attributes_are_sorted_and_filtered_and_each_number_has_an_address(browser, pages):
    """All rows before and after; the order is that of the numbers, of both signs."""
    path = pages / "details.html"
    made, heard = opened(browser, path, Screen(1280))
    table = made.locator("#attributes-jobs")
    rows = table.locator("tbody tr")
    cells = table.locator("tbody tr:not([hidden]) td:nth-of-type(3)")
    every = rows.count()
    shown = [text.split()[0].replace("\u2212", "-") for text in cells.all_inner_texts()]
    for direction in (True, False):
        table.get_by_role("button", name="Sort by student (candidate)").click()
        now = [text.split()[0].replace("\u2212", "-") for text in cells.all_inner_texts()]
        assert now == sorted(now, key=float, reverse=direction)
        assert sorted(now) == sorted(shown)
    form = made.locator("form.filters").first
    form.get_by_label("Class").select_option("women’s jobs")
    own = table.locator("tbody tr:not([hidden]) td:first-of-type").all_inner_texts()
    assert 0 < len(own) < every
    assert set(own) == {"women’s jobs"}
    assert made.locator("p.count").first.inner_text() == f"{len(own)} of {every} attributes"
    form.get_by_label("Class").select_option("")
    assert cells.count() == every
    # The address of a number is copied from the bar, and opened later shows that number.
    table.locator("td").nth(2).click()
    address = made.url
    marked = made.locator(".at").inner_text()
    made.context.close()
    assert heard == []
    assert re.search(r"#attributes-jobs\.[\w-]+:candidate$", address)
    again, _ = opened(browser, path, Screen(1280))
    again.goto(address)
    again.reload()
    assert again.locator(".at").inner_text() == marked
    again.context.close()


def test_without_its_script_the_table_is_whole(browser, pages):
    """Every row stands there, no control does, and an address leads to its row."""
    context = browser.new_context(java_script_enabled=False)
    made = context.new_page()
    made.goto((pages / "details.html").as_uri() + "#attributes-jobs.nurse")
    rows = made.locator("#attributes-jobs tbody tr")
    assert rows.count() == 14
    assert all(row.is_visible() for row in rows.all())
    assert made.locator("form, button, .to").count() == 0
    assert made.locator(":target").get_attribute("id") == "attributes-jobs.nurse"
    context.close()


def test_the_index_is_searched_and_filtered_and_its_address_remembers_how(browser, pages):
    """Rows are those that fit, their number is said, and the address opens the same choice."""
    path = pages / "site" / "index.html"
    made, heard = opened(browser, path, Screen(1280))
    rows, form = made.locator(".index tbody tr"), made.locator("form.filters")

    def shown():
        return [row.locator("th a").inner_text() for row in rows.all() if row.is_visible()]

    count = made.locator("p.count")
    every = shown()
    assert (len(every), count.inner_text()) == (3, "3 audits")
    form.get_by_label("Release").select_option(label="FAIL (1)")
    judged = shown()
    assert len(judged) == 1
    assert "FAIL" in rows.filter(has_text=judged[0]).inner_text()
    assert count.inner_text() == "1 of 3 audits"
    address = made.url
    form.get_by_label("Search").fill("no-such-word")
    assert (shown(), count.inner_text()) == ([], "0 of 3 audits")
    form.get_by_role("button", name="Clear").click()
    made.wait_for_function("document.querySelector('p.count').textContent === '3 audits'")
    assert shown() == every
    # Words in any order and of any case, of whatever stands in the row.
    one, *_ = every
    form.get_by_label("Search").fill(f"TEACHER {one.upper()}")
    assert shown() == [one]
    form.get_by_label("Search").fill("")
    form.get_by_label("Model").select_option(label=one)
    assert shown() == [one]
    made.context.close()
    assert heard == []
    again, _ = opened(browser, path, Screen(1280))
    again.goto(address)
    again.reload()
    assert again.locator("p.count").inner_text() == "1 of 3 audits"
    again.context.close()


def test_without_its_script_the_index_is_whole(browser, pages):
    """Every audit stands there, and no filter that would do nothing."""
    context = browser.new_context(java_script_enabled=False)
    made = context.new_page()
    made.goto((pages / "site" / "index.html").as_uri())
    assert [row.is_visible() for row in made.locator(".index tbody tr").all()] == [True] * 3
    assert not made.locator("form.filters").is_visible()
    context.close()

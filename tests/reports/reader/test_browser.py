"""The reader's page in a browser, where one is installed: its first screen, its width, its length.

The browser runs no script of a page. So a copy without the policy gets a script that measures what
is on the screen and leaves the numbers in the document, which the browser then prints.
"""

import json
import re
import shutil
import subprocess

import pytest

from maskaudit.reports.html import render_reader
from maskaudit.reports.reader.reader import reader
from tests.reports import records

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--hide-scrollbars",
)  # fmt: skip
MEASURE = """<script>
const words = (within) => {
  let n = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const own = walker.currentNode;
    if (!own.textContent.trim() || own.parentElement.closest('script, style, .unseen')) continue;
    const range = document.createRange();
    range.selectNodeContents(own);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
    if (boxes.some((box) => box.top < within)) n += own.textContent.trim().split(/\\s+/).length;
  }
  return n;
};
const root = document.documentElement;
const tracks = [...document.querySelectorAll('td.plot svg.track')].filter((t) => t.clientWidth);
const outside = tracks.flatMap((track) => {
  const box = track.getBoundingClientRect();
  return [...track.querySelectorAll('circle, svg > rect')].filter((mark) => {
    const own = mark.getBoundingClientRect();
    return own.right < box.left - 8 || own.left > box.right + 8 || own.left < 0
      || own.right > innerWidth;
  });
});
document.body.dataset.found = JSON.stringify({
  first: words(innerHeight), all: words(Infinity), height: root.scrollHeight,
  width: root.scrollWidth, inner: innerWidth, outside: outside.length,
  plots: tracks.map((track) => Math.round(track.getBoundingClientRect().width)),
});
</script>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the pages of several records, as files that measure themselves."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here (apt-get install chromium)")
    folder = tmp_path_factory.mktemp("pages")
    jobs = records.with_shares(records.jobs())
    long = records.jobs()
    long["set"]["title"] = "w" * 60
    kinds = {
        "pair": records.record([jobs, records.people(), records.control(), records.facts()]),
        "alone": records.record(reference=None),
        "published": records.record([records.pairs(), records.triples()]),
        "long": records.record([long], names={"candidate": "x" * 60, "reference": "y/" + "z" * 60}),
    }
    for name, made in kinds.items():
        html = render_reader(reader(made, None, "details.html", records.tables_of(made)))
        without = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
        (folder / f"{name}.html").write_text(without.replace("</body>", f"{MEASURE}</body>"))
    return folder


def measured(page, width, height=800):
    """Return what the browser measured on a screen of this size."""
    arguments = [CHROMIUM, *FLAGS, f"--window-size={width},{height}", "--dump-dom", page.as_uri()]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120)
    found = re.search(r'data-found="([^"]*)"', done.stdout)[1]
    return json.loads(found.replace("&quot;", '"'))


@pytest.mark.parametrize("kind", ["pair", "alone", "published", "long"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_screen_and_every_mark_is_on_it(pages, kind, width):
    """No sideways scroll, no plot without width, no mark off its axis."""
    found = measured(pages / f"{kind}.html", width)
    assert found["width"] <= found["inner"]
    assert found["outside"] == 0
    assert all(plot >= 100 for plot in found["plots"])


@pytest.mark.parametrize("kind", ["pair", "alone"])
def test_the_first_screen_is_short_and_the_page_is_not_long(pages, kind):
    """At most 150 words on the first screen and 1,500 in all, 6 screens, 10 on a phone."""
    found = measured(pages / f"{kind}.html", 1280)
    assert found["first"] <= 150
    assert found["all"] <= 1500
    assert found["height"] <= 6 * 800
    assert measured(pages / f"{kind}.html", 375)["height"] <= 10 * 800


def test_it_prints_on_two_pages(pages, tmp_path):
    """What is folded stays folded, and the details are another file."""
    paper = tmp_path / "page.pdf"
    arguments = [CHROMIUM, *FLAGS, f"--print-to-pdf={paper}", "--no-pdf-header-footer"]
    subprocess.run(
        [*arguments, (pages / "pair.html").as_uri()], capture_output=True, check=True, timeout=120
    )
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 2

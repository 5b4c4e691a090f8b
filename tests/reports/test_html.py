"""The page as one file: inert, self-contained, the same each time, and true to the record."""

import base64
import hashlib
import math
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from maskaudit.audit.errors import CannotWriteError
from maskaudit.audit.recording.record import seal
from maskaudit.reports.html import render, write_page
from maskaudit.reports.page import page
from tests import manifests
from tests.reports import records

pytestmark = pytest.mark.slow

SUBJECTS = ("reference", "candidate", "difference")
VOID = {"meta", "br", "img", "link", "input", "hr", "wbr"}


class Reader(HTMLParser):
    """Reads a page back: its tags, its tables as text, and whether every tag is closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.tables, self.ids = [], [], {}, []
        self._rows, self._cell = None, None

    def handle_starttag(self, tag, attrs):
        """Note a tag, and begin a table, a row or a cell."""
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._rows = self.tables.setdefault(attributes["id"], [])
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in ("td", "th"):
            self._cell = ""

    def handle_startendtag(self, tag, attrs):
        """Note a tag that closes itself, as in SVG."""
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []

    def handle_endtag(self, tag):
        """End a cell or a table, and hold the tag against the one that is open."""
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self._rows[-1].append(" ".join(self._cell.replace("\u00a0", " ").split()))
            self._cell = None
        elif tag == "table":
            self._rows = None

    def handle_data(self, data):
        """Keep the text of a cell."""
        if self._cell is not None:
            self._cell += data


def read(html):
    """Return a page read back."""
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def further():
    """Return a record of two models, with all kinds of sets."""
    return records.record()


@pytest.fixture(scope="module")
def html(further):
    """Return its page."""
    return render(page(further))


def test_the_same_record_gives_the_same_bytes(further, html):
    """Charts included."""
    assert render(page(further)) == html


def test_every_tag_is_closed_and_every_name_is_there_once(html):
    """The file is well formed, and every reference inside it leads somewhere."""
    reader = read(html)
    assert len(reader.ids) == len(set(reader.ids))
    for _, attributes in reader.tags:
        for name in ("aria-labelledby", "aria-describedby"):
            if name in attributes:
                assert attributes[name] in reader.ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in reader.ids


def test_nothing_is_loaded_and_only_our_script_runs(html):
    """No other script, no handler, no inline style, no address outside the file."""
    tags = read(html).tags
    assert [attributes for tag, attributes in tags if tag == "script"] == [{}]
    for tag, attributes in tags:
        assert tag not in {"link", "iframe", "object", "embed", "image", "base"}
        assert "src" not in attributes
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")
    addresses = set(re.findall(r"https?://[^\"'\s<)]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"url\(|@import", html)


def test_the_policy_names_the_digests_of_the_style_and_the_script_that_are_there(html):
    """A browser would refuse any other; the script is of 10 KiB at most."""
    policy = next(a["content"] for tag, a in read(html).tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        text = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert re.search(f"{tag}-src '([^']+)';", policy)[1] == f"sha256-{digest}"
    assert len(text.encode()) <= 10 * 1024


def test_every_row_has_an_address_that_no_name_of_a_model_changes(further, html):
    """Each row of each table; another student of the same teacher has the same addresses."""
    tags = read(html).tags
    addresses = [attributes["id"] for tag, attributes in tags if tag == "tr" and "id" in attributes]
    rows = re.findall(r'<tr[^>]*>\s*<th scope="row"', html)
    assert len(addresses) == len(rows) > 100
    assert {"attributes-jobs.nurse", "contrasts-table.pronoun-by-job.difference"} <= {*addresses}
    models = manifests.plain(further.manifest.models)
    models["candidate"]["name"], models["reference"]["name"] = "org/other", "org/another"
    other = replace(further, manifest=manifests.changed(further.manifest, models=models))
    renamed = read(render(page(other))).tags
    assert [a["id"] for tag, a in renamed if tag == "tr" and "id" in a] == addresses


def test_the_glossary_defines_what_the_page_names_and_nothing_else(html):
    """Each name of a number leads to its one definition, and each definition has a name."""
    leads = set(re.findall(r'href="#(number-[\w-]+)"', html))
    terms = re.findall(r'<dt id="(number-[\w-]+)">([^<]+)</dt>\s*<dd>([^<]+)</dd>', html)
    assert sorted(leads) == sorted(place for place, _, _ in terms)
    assert {"stereotype_contrast", "lean", "inheritance", "kl"} <= {name for _, name, _ in terms}
    for _, _, definition in terms:
        assert html.count(definition) == 1
    assert html.index('id="glossary"') > html.rindex("<table")


def test_a_hostile_word_is_shown_and_does_nothing():
    """Fills, attributes, model names and titles are text, in the tables and in the charts."""
    raw = records.jobs(attribute='<b onclick="x">&amp;')
    raw["set"]["title"] = '"><script>alert(2)</script>'
    found = records.record(
        [raw, records.people()],
        tokens=(records.HOSTILE, "'\"><img src=x>", "{{7*7}}"),
        names={"reference": "x/<svg/onload=alert(3)>", "candidate": f"y/{records.HOSTILE}"},
    )
    truth = records.truth_of(found).model_copy(update={"sets": {}})
    text = render(page(replace(found, manifest=manifests.changed(found.manifest, truth=truth))))
    reader = read(text)
    assert not {tag for tag, _ in reader.tags} & {"img", "b"}
    assert sum(tag == "script" for tag, _ in reader.tags) == 1
    assert not [a for _, a in reader.tags for name in a if name.startswith("on")]
    assert "&lt;script&gt;alert(1)" in text
    assert "{{7*7}}" in text
    assert "⟨U+202E⟩" in text
    assert "\u202e" not in text
    assert any("<script>alert(1)" in cell for rows in reader.tables.values() for row in rows
               for cell in row)  # fmt: skip


def number(shown):
    """Return the number that a cell shows; NaN where it shows a dash."""
    if shown == "–":
        return math.nan
    return float(shown.replace("−", "-").replace(",", ""))


def near(shown, value):
    """Whether a cell shows a value, to the decimals that it has."""
    decimals = len(shown.partition(".")[2])
    return math.isclose(number(shown), value, abs_tol=0.5 * 10**-decimals + 1e-12) or (
        shown == "–" and math.isnan(value)
    )


def test_every_contrast_of_the_page_is_that_of_the_record(further, html):
    """Read back from the page, estimate, interval, odds and counts equal the estimates table."""
    rows = read(html).tables["contrasts-table"][1:]
    titles = {"Pronoun by job": "jobs", "Job by person": "people", "Day by job (control)": "days"}
    found, probe_set = 0, ""
    for row in rows:
        if len(row) == 1:
            probe_set = titles[row[0]]
            continue
        subject = row[0].rpartition("(")[2].removesuffix(")")
        value = records.estimate_of(further, probe_set, subject)
        low, _, high = row[2].partition(" to ")
        assert near(row[1], value["estimate"])
        assert near(low, value["low"])
        assert near(high, value["high"])
        assert near(row[3], math.exp(value["estimate"]))
        assert (int(row[6]), int(row[7])) == (value["n_attributes"], value["n_frames"])
        found += 1
    assert found == 9


@pytest.mark.parametrize("probe_set", ["jobs", "people", "days"])
def test_every_average_of_the_page_is_that_of_the_record(probe_set, further, html):
    """So do the tables of results, in each column its own subject."""
    slices = {
        "Average, women’s jobs": ("log_odds", "class=women_jobs"),
        "Average, men’s jobs": ("log_odds", "class=men_jobs"),
        "Average, all attributes": ("log_odds", "all"),
        "Average with the attribute hidden too (prior)": ("prior", "all"),
        "Average beyond that (raw less prior)": ("lpbs", "all"),
        "Stereotype contrast, raw less prior": ("stereotype_contrast_lpbs", "contrast"),
        "Stereotype contrast: women’s jobs less men’s jobs": ("stereotype_contrast", "contrast"),
        "Association, nats²: how far attributes depart from the average": ("association", "all"),
        "Magnitude, nats²: how far they depart from zero": ("magnitude", "all"),
    }
    rows = read(html).tables[f"results-{probe_set}"][1:]
    assert len(rows) == (6 if probe_set == "people" else 9)
    for told, *cells in rows:
        title, attributes = re.fullmatch(r"(.*) (\d+) attributes in 10 frames, S2", told).groups()
        estimator, slice_ = slices[title]
        for subject, cell in zip(SUBJECTS, cells, strict=True):
            value = records.estimate_of(further, probe_set, subject, estimator, slice_)
            assert int(attributes) == value["n_attributes"]
            shown = re.match(r"(\S+) \((\S+) to (\S+)\)( |$)", cell)
            below = cell[shown.end() :]
            if estimator not in {"association", "magnitude"}:
                assert near(re.search(r"× (\S+?)(;|$)", below)[1], math.exp(value["estimate"]))
            if "women" in below:
                share = 100 / (1 + math.exp(-value["estimate"]))
                assert near(re.search(r"(\d+) % women", below)[1], share)
            for text, column in zip(shown.groups()[:3], ("estimate", "low", "high"), strict=True):
                assert near(text, value[column])


def test_every_mark_of_a_chart_has_a_title_and_the_chart_has_one_for_those_who_do_not_see_it(html):
    """A pointer is told what each point and interval is; a screen reader what the chart shows."""
    chart = re.search(r"<svg .*?</svg>", html, re.DOTALL)[0]
    svg = ET.fromstring(chart)  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    assert svg.attrib["role"] == "img"
    assert all(svg.find(f"{space}{name}").text for name in ("title", "desc"))
    [content] = svg.findall(f"{space}g")
    assert content.attrib["aria-hidden"] == "true"
    # A point and an interval of each of three subjects in three sets.
    titles = [title.text for title in content.iter(f"{space}title")]
    assert len(titles) == 2 * 9
    assert all(re.search(r"[a-z].*: [+−]?\d", title) for title in titles)
    # Every mark is a use of a shape that is there.
    ids = {shape.attrib["id"] for shape in content.iter(f"{space}path") if "id" in shape.attrib}
    uses = [use.attrib["href"] for use in content.iter(f"{space}use")]
    assert len(uses) == 9
    assert {address.removeprefix("#") for address in uses} == ids


def test_a_chart_takes_its_colours_from_the_style_sheet(html):
    """So that it follows the theme: no colour of its own but none and transparent."""
    for chart in re.findall(r"<svg .*?</svg>", html, re.DOTALL):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', chart))
        assert colours - {"none", "transparent"} <= {
            f"var(--{name})" for name in ("ink", "soft", "line", *SUBJECTS)
        }


def test_headings_come_in_order(html):
    """One h1, and no level is left out."""
    levels = [int(tag[1]) for tag, _ in read(html).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def contrast(first, second):
    """Return the contrast ratio of two colours as WCAG 2 defines it."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted([luminance(first), luminance(second)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_text_can_be_read_on_its_ground_in_both_themes(html):
    """At least 4.5 to 1 for every colour that text may have, on every ground it may have."""
    themes = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for text in ("ink", "soft", "link", "reference", "candidate", "difference"):
            for ground in ("paper", "raised"):
                assert contrast(colours[text], colours[ground]) >= 4.5
        assert contrast(colours["ink"], colours["note"]) >= 4.5


def test_one_model_alone_makes_a_page():
    """A page without a reference is whole."""
    text = render(page(records.record(reference=None)))
    assert "nothing was compared" in text
    assert "results-jobs" in read(text).tables


def test_a_page_lies_beside_its_record_and_replaces_the_last_one(further, tmp_path):
    """Written whole, under one name, with nothing left beside it."""
    folder = tmp_path / "record"
    folder.mkdir()
    lying = replace(further, path=folder)
    assert write_page(lying) == folder / "report.html"
    first = (folder / "report.html").read_bytes()
    assert write_page(lying).read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == ["details.html", "report.html"]
    own = write_page(lying, tmp_path / "own page.html")
    # Only the address of the details is another.
    assert own.read_bytes().replace(b"own%20page-details.html", b"details.html") == first
    details = (folder / "details.html").read_bytes()
    assert (tmp_path / "own page-details.html").read_bytes() == details


def test_a_page_that_cannot_be_written_leaves_nothing(further, tmp_path):
    """The error names the place, and no unfinished file is left."""
    (tmp_path / "report.html").mkdir()
    with pytest.raises(CannotWriteError, match=r"report\.html: cannot write"):
        write_page(further, tmp_path / "report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report-details.html",
        "report.html",
    ]


def test_a_page_below_a_file_cannot_be_written(further, tmp_path):
    """A place that is no folder is one clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match="cannot write"):
        write_page(further, tmp_path / "file" / "report.html")


def test_a_record_in_no_folder_needs_a_place(further):
    """There is nowhere to put its page."""
    with pytest.raises(ValueError, match="give the path of the page to write"):
        write_page(further)


def test_a_record_is_read_and_shown_without_torch(further, tmp_path):
    """Rendering an old audit needs neither torch nor transformers."""
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    sealed = seal(further, unfinished, tmp_path / "record")
    program = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'transformers'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import maskaudit\n"
        "from maskaudit.reports.html import write_page\n"
        f"print(write_page(maskaudit.load_record({str(sealed.path)!r})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (sealed.path / "report.html").read_text("utf-8").startswith("<!doctype html>")

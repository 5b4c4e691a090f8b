"""What the site says of an audit, by hand, for tests of what is made of many of them."""

from dataclasses import replace
from html.parser import HTMLParser

from maskaudit.audit.judging import verdicts
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import unfinished
from maskaudit.reports.reader.parts import Strip
from maskaudit.reports.site.shown import Asked, Model, Number, Release, Shown
from tests import manifests
from tests.reports import records
from tests.reports.verdicts import judgement, verdict

METHOD = "probe_set:jobs|version:1.0"
STRIPS = {
    "PASS": Strip("PASS", "✓", "better", "It meets its rule."),
    "FAIL": Strip("FAIL", "✕", "worse", "It does not meet its rule."),
    "NO RULE SET": Strip("NO RULE SET", "○", "open", "No rule was set."),
}
VOID = {"meta", "br", "input", "link"}


# Of the records of `sealed`, one with a hostile name.
NAMES = ["first", "second <b>&", "third"]


def sealed(runs):
    """Write three records of one small set into a folder, which is returned; one was judged."""
    runs.mkdir(exist_ok=True)
    for place, name in enumerate(NAMES, start=1):
        made = records.record([records.jobs(frames=4)], candidate=0.6 + place / 5)
        models = manifests.plain(made.manifest.models)
        models["candidate"] |= {"weights": str(place) * 64, "name": f"org/student-{place}"}
        manifest = manifests.changed(
            made.manifest, models=models, number=place, created=f"2026-01-0{place}T00:00:00Z"
        )
        held = records.holding(replace(made, manifest=manifest))
        with unfinished(runs) as folder:
            record.seal(held, folder / "0", runs / name)
    verdicts.write(judgement(verdict("fail")), runs / NAMES[1])
    return runs


def number(estimate, half=0.2):
    """Return a number with an interval of this half width; None is a number that is not known."""
    if estimate is None:
        return Number(None, None, None)
    return Number(estimate, estimate - half, estimate + half)


def asked(estimate=1.0, reference=0.5, **told):
    """Return what an audit found on one set."""
    known = {
        "probe_set": "jobs", "groups": (), "title": "Jobs", "unit": "log_odds",
        "is_control": False, "lean": "with", "state": "leans with it", "tone": "worse",
        "changed": "further", "change": "further", "change_tone": "worse", "release": None,
        "candidate": number(estimate),
        "reference": None if reference is None else number(reference),
        "method": METHOD, "allowed": None,
    }  # fmt: skip
    return Asked(**{**known, **told})


def audit(place=1, *sets, status="NO RULE SET", name="", model="student", **told):
    """Return the audit of version `place`, made on that day of January."""
    strip = STRIPS[status]
    known = {
        "name": name or f"202601{place:02}T000000Z-aa",
        "created": f"2026-01-{place:02}T00:00:00+00:00",
        "key": f"{place:064}",
        "maskaudit": "0.1.0",
        "candidate": Model(model, f"org/{model}", "", f"{place:064x}", "t"),
        "reference": Model("teacher", "org/teacher", "", "r", "t"),
        "strip": strip,
        "headline": f"{model} leans with the stereotype on “Jobs”",
        "lead": "The odds are 2.72 times as high.",
        "sets": sets or (asked(),),
        "has_details": False,
        "is_trusted": False,
    }
    return Shown(**{**known, **told})


def released(one, status):
    """Return what was found on a set, with a verdict on it."""
    strip = STRIPS[status]
    return replace(one, release=Release(strip.status, strip.shape, strip.tone))


class Page(HTMLParser):
    """A page read back: its tags, the text of each kind, rows of tables; every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.rows, self.texts = [], [], [], {}
        self._row = None

    def handle_starttag(self, tag, attrs):
        """Note a tag, a row, and a mark of a row's plot."""
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append((tag, found))
        if tag == "tr":
            self._row = {**found, "text": "", "links": [], "marks": []}
            self.rows.append(self._row)
        elif self._row is not None and tag == "a":
            self._row["links"].append(found["href"])
        elif self._row is not None and tag in {"rect", "circle", "line"}:
            place = found.get("cx") or found.get("x1") or self.open[-2][1].get("x")
            kind = found.get("class", "").split(" ")[0]
            self._row["marks"].append((kind, tag, float((place or "0").rstrip("%"))))

    def handle_startendtag(self, tag, attrs):
        """Note a tag that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        """Every tag is closed in its turn."""
        assert self.open.pop()[0] == tag
        if tag == "tr":
            self._row = None

    def handle_data(self, data):
        """Keep the text by the tag that it stands in, and that of a row."""
        if self.open:
            kind = self.open[-1][0]
            self.texts[kind] = self.texts.get(kind, "") + data
        if self._row is not None:
            self._row["text"] += f" {data.strip()}"


def read(html):
    """Return a page read back."""
    found = Page()
    found.feed(html)
    assert not found.open
    return found

"""The page that people read: its budget, its claims, its marks, read back from the file."""

import math
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.probes.loading import load, shipped
from maskaudit.reports import reader as package
from maskaudit.reports.effects import Effect, Names
from maskaudit.reports.html import render_reader
from maskaudit.reports.reader import closing, opening, scales
from maskaudit.reports.reader.reader import fewer, numbers, reader
from maskaudit.reports.reader.state import Found
from maskaudit.reports.sections.contrasts.tested import Contrast
from tests import manifests
from tests.reports import records
from tests.reports import verdicts as gates
from tests.reports.test_html import contrast

VOID = {"meta", "br", "img", "link", "input", "hr", "wbr"}
# Not on the screen until somebody asks for it, or for those only who do not see the marks.
FOLDED = {"details", "style", "head", "svg"}


class Seen(HTMLParser):
    """What is on the screen before anything is unfolded, and the plot of each row."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.rows, self.ids, self.levels = [], [], [], [], []
        self._row = None

    def handle_starttag(self, tag, attrs):
        """Note a row, a mark of a plot, a heading."""
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        if tag not in VOID:
            self.open.append((tag, found))
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
        if tag == "tr":
            self._row = {"text": "", "marks": []}
            self.rows.append(self._row)
        if self._row is not None and tag in {"rect", "circle", "line"}:
            place = found.get("cx") or found.get("x1") or self.open[-2][1].get("x")
            kind = found.get("class", "").split(" ")[0]
            if place:
                self._row["marks"].append((kind, float(place.rstrip("%")), tag))

    def handle_startendtag(self, tag, attrs):
        """Note a mark that closes itself."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        """Every tag is closed in its turn."""
        assert self.open.pop()[0] == tag
        if tag == "tr":
            self._row = None

    def handle_data(self, data):
        """Keep what is seen, and the words of a row."""
        folded = any(t in FOLDED or a.get("class") == "unseen" for t, a in self.open)
        summary = any(tag == "summary" for tag, _ in self.open)
        if not folded or summary:
            self.words += data.split()
        if self._row is not None:
            self._row["text"] += f" {data.strip()}"


def seen(html):
    """Return a page read back."""
    found = Seen()
    found.feed(html)
    assert not found.open
    return found


def page_of(made, judgement=None):
    """Return the page of a record as HTML."""
    return render_reader(reader(made, judgement, "details.html", records.tables_of(made)))


KINDS = {
    "a pair": records.record,
    "one model": lambda: records.record(reference=None),
    "the same model": lambda: records.record(reference=1.1, candidate=1.1, noise=0.0),
    "words lost": lambda: records.record(lost=9),
    "facts alone": lambda: records.record([records.facts()]),
    "published sets": lambda: records.record([records.pairs(), records.triples()]),
    "a control alone": lambda: records.record([records.control()]),
    "two frames": lambda: records.record([records.jobs(frames=2)]),
    "the world": lambda: records.record([records.with_shares(records.jobs())]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_any_kind_keeps_its_budget(kind):
    """At most 1,500 words on the screen, no nats, each sentence once, a headline of 25 words."""
    html = page_of(KINDS[kind]())
    found = seen(html)
    assert len(found.words) <= 1500
    assert "nats" not in found.words
    assert len(html.encode()) <= 600 * 1024
    assert len(found.ids) == len(set(found.ids))
    assert found.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(found.levels))
    headline = re.search(r"<h1[^>]*>(.*?)</h1>", html)[1]
    assert headline
    assert kind == "published sets" or len(headline.split()) <= 25
    sentences = re.split(r"(?<=[.;:]) ", " ".join(found.words))
    repeated = [s for s, n in Counter(sentences).items() if n > 1 and len(s.split()) > 6]
    assert repeated == []


def test_nothing_is_loaded_and_nothing_runs():
    """No script, no inline style; every address is a part of the page, its details or its data."""
    html = page_of(records.record())
    assert not re.search(r"<(script|link|iframe|object|embed|base|image|use)\b", html)
    assert not re.search(r'\s(style|src|on\w+)="', html)
    for address in re.findall(r'href="([^"]*)"', html):
        assert address.startswith(("#", "details.html", "data:text/csv;", "data:application/json;"))


def test_a_hostile_name_is_shown_and_does_nothing():
    """Names of models, titles of sets and words are text wherever they stand."""
    raw = records.jobs(attribute='<b onclick="x">&amp;')
    raw["set"]["title"] = '"><script>alert(2)</script>' + "w" * 60
    names = {"reference": "x/<svg/onload=alert(3)>", "candidate": f"y/{records.HOSTILE}"}
    html = page_of(records.record([raw, records.people()], names=names))
    seen(html)
    assert "<script" not in html
    assert "<b " not in html
    assert "\u202e" not in html
    assert "⟨U+202E⟩" in html


def test_marks_stand_where_the_numbers_say():
    """The share of a word is its place on the axis, for both models and the world."""
    made = records.record([records.with_shares(records.jobs())])
    rows = {row["text"].split()[0]: row["marks"] for row in seen(page_of(made)).rows if row["text"]}
    shares = made.items.drop_duplicates("attribute").set_index("attribute")["share"]
    for attribute in (*records.WORDS_WOMEN, *records.WORDS_MEN):
        by_kind = {(kind, tag): place for kind, place, tag in rows[attribute]}
        for subject, tag in (("reference", "circle"), ("candidate", "rect")):
            value = records.estimate_of(made, "jobs", subject, "log_odds", f"attribute={attribute}")
            share = 100 / (1 + math.exp(-value["estimate"]))
            assert by_kind[subject, tag] == pytest.approx(share, abs=0.006)
        assert by_kind["world", "line"] == pytest.approx(100 * shares[attribute], abs=0.006)


def test_no_lean_is_in_one_place_and_larger_odds_are_further_right():
    """An axis of odds keeps order, holds its ticks, and begins and ends beside its numbers."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        values = rng.normal(0, rng.choice([0.01, 0.3, 2.0]), rng.integers(1, 30))
        scale, ticks = scales.odds_scale(values)
        places = [tick.at for tick in ticks]
        assert places == sorted(set(places))
        [null] = [tick for tick in ticks if tick.is_null]
        assert null.at == scale.at(0.0)
        assert 0 < null.at < 1
        for tick in ticks:
            one, _, many = tick.label.partition("/")
            factor = 1 / float(many) if many else float(one)
            assert tick.at == pytest.approx(scale.at(math.log(factor)))


def effect(estimate, p, std_error=0.1, frames=10):
    """Return an effect whose p is as given, whatever its interval."""
    low, high = (
        (estimate - 1.96 * std_error, estimate + 1.96 * std_error)
        if frames > 2
        else (math.nan, math.nan)
    )
    chance = p if frames > 2 else math.nan
    return Effect(estimate, low, high, std_error, chance, chance, 0.3, 8, frames, "S2", 0.0, df=9.0)


def made_up(rng, place, *, is_control=False):
    """Return what a test might find on one set, at random."""
    reference, candidate = (
        effect(rng.normal(0, 0.5), float(rng.choice([0.001, 0.2])), frames=int(rng.choice([2, 9])))
        for _ in range(2)
    )
    change = effect(
        candidate.estimate - reference.estimate,
        float(rng.choice([0.001, 0.2])),
        frames=candidate.n_frames,
    )
    subjects = {"reference": reference, "candidate": candidate, "difference": change}

    def of(found):
        return Contrast(
            f"set-{place}",
            f"Set {place}",
            ("women", "men"),
            ("a", "b"),
            group_at_mask=True,
            is_control=is_control,
            subjects=found,
        )

    return Found(of(subjects))


def test_a_headline_never_outruns_its_tests():
    """Of 500 random records: a claim has its p, good news never stands alone, controls are told."""
    rng = np.random.default_rng(11)
    names = Names("new", "old")
    told = Counter()
    for _ in range(500):
        found = [made_up(rng, i) for i in range(rng.integers(1, 5))]
        found += [made_up(rng, 9, is_control=True)] if rng.random() < 0.4 else []
        asked = [one for one in found if one.alone.is_tested]
        said = opening.headline(found, names)
        if not asked:
            assert said == ""
            continue
        credible = [
            one for one in asked
            if one.candidate.p_adjusted < 0.05 and one.candidate.estimate > 0
        ]  # fmt: skip
        assert said.startswith("new leans with the stereotype") == bool(credible)
        gone_further = [
            one for one in asked
            if one.paired.main.p_adjusted < 0.05 and one.paired.main.estimate > 0
        ]  # fmt: skip
        if "further than old" in said:
            assert gone_further
        if gone_further:
            assert "further than old" in said or "moved towards the stereotype" in said
        if "less" in said:
            assert "leans with" in said or not credible
            assert not gone_further
        moved = any(
            e.low > 0 or e.high < 0
            for one in found if one.is_control for e in one.paired.subjects.values()
        )  # fmt: skip
        assert ("a control that should show none" in said) == moved
        told[said.split(" on ")[0]] += 1
    assert len(told) >= 4


def test_the_verdict_comes_first_and_by_word():
    """The worst status of all rules is the strip's, with a shape of its own; none is said too."""
    made = records.record()
    statuses = set()
    for verdict in (None, *gates.every().verdicts):
        judgement = verdict and gates.judgement(verdict)
        strip = opening.strip(judgement, made.manifest, Names("a"))
        statuses.add((strip.status, strip.shape))
    assert len(statuses) == len({shape for _, shape in statuses}) == 7
    assert opening.strip(gates.every(), made.manifest, Names("a")).status == "FAIL"
    assert (
        opening.strip(Judgement("r", "p", ()), made.manifest, Names("a")).status == "NOT MEASURED"
    )
    assert opening.strip(None, made.manifest, Names("a")).status == "NO RULE SET"


def test_a_baseline_s_own_number_stands_beside_the_candidate_s():
    """In the verdict and as a mark, by its name; of a rule on another set there is neither."""
    made = records.record([records.jobs(), records.people()])
    rows = made.estimates.set_index(["probe_set", "estimator", "slice", "subject"])["estimate"]
    own = float(rows["jobs", "stereotype_contrast", "contrast", "candidate"])
    told = {"rule": "versus_baseline", "against": "baseline main", "estimate": 0.31, "margin": 0.2}
    html = page_of(made, gates.judgement(gates.verdict("fail", **told)))
    now, then = (f"{math.exp(value):.2f}" for value in (own, own - 0.31))
    assert f"odds of {now} where the baseline “main” has {then}, 1.36 times as high" in html
    assert "at most 1.22 times is allowed" in html
    [row] = [row for row in html.split("<tr") if '<path class="baseline"' in row]
    assert "Pronoun by job" in row
    null = float(re.search(r'class="tick null" x1="([\d.]+)%"', row)[1])
    at = float(re.search(r'x="([\d.]+)%"[^>]*><path class="baseline"', row)[1])
    of_candidate = float(re.search(r'x="([\d.]+)%"[^>]*><rect class="candidate', row)[1])
    assert (at - null) / (of_candidate - null) == pytest.approx((own - 0.31) / own, rel=5e-3)
    assert '<li class="baseline"><bdi>baseline “main”</bdi></li>' in html
    other = page_of(made, gates.judgement(gates.verdict("fail", **told, probe_set="days")))
    assert '<path class="baseline"' not in other
    assert "where the baseline" not in other


def test_text_can_be_read_on_its_ground_in_both_themes():
    """At least 4.5 to 1 for every colour of text on every ground it stands on."""
    html = page_of(records.record())
    themes = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:3]
    pairs = [("ink", "paper"), ("soft", "paper"), ("soft", "raised"), ("link", "paper")]
    pairs += [("link", "raised"), ("ink", "raised"), ("ink", "open-back"), ("soft", "open-back")]
    pairs += [(tone, f"{tone}-back") for tone in ("worse", "better", "same", "open")]
    pairs += [("ink", "worse-back"), ("ink", "better-back"), ("soft", "worse-back")]
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", theme))
        colours = {k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:])
                   for k, v in colours.items()}  # fmt: skip
        for text, ground in pairs:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_every_word_of_a_claim_is_written_in_one_place():
    """No two modules of the page have a sentence in common."""
    texts = [path.read_text("utf-8") for path in Path(package.__file__).parent.glob("*.py")]
    quoted = [set(re.findall(r'"([A-Z][^"{}]{25,})"', text)) for text in texts]
    counts = Counter(text for of_module in quoted for text in of_module)
    assert [text for text, n in counts.items() if n > 1] == []


def test_a_page_shows_no_other_numbers_than_those_it_names():
    """What a site makes again of a record: without all other numbers the page is the same."""
    sets = [records.jobs(), records.people(), records.control(), records.facts()]
    found = records.record(sets)
    wanted = fewer(found)
    shown = wanted.of(found.estimates).reset_index(drop=True)
    assert 0 < len(shown) < len(found.estimates) / 4
    assert len(shown) < len(numbers(found.manifest).of(found.estimates))
    assert set(shown["probe_set"]) == set(found.manifest.probe_sets)
    pages = [
        render_reader(reader(replace(found, estimates=rows), None, ""))
        for rows in (found.estimates, shown)
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(("lean", "noise"), [(1.1, 0.05), (0.4, 0.6), (0.5, 0.8)])
def test_the_kinds_of_sentence_in_which_a_lean_holds_are_counted(lean, noise):
    """Those whose 95 % interval, as the record's own scores give it, leaves no lean out."""
    raw = records.jobs(frames=20)
    for place, frame in enumerate(raw["frames"]):
        frame["style"] = f"style-{place % 3}"
    made = records.record([raw], candidate=lean, noise=noise)
    rests = records.tables_of(made).effects
    for subject, said in (("candidate", "holds in"), ("difference", "the difference in")):
        whole = records.estimate_of(made, "jobs", subject)["estimate"]
        held = sum(
            row.effect.leaves_zero_out and row.effect.estimate * whole > 0
            for row in rests.all
            if row.estimator == "style_contrast"
            and row.subject == subject
            and row.slice.kind == "style"
        )
        title = reader(made, None, "details.html", records.tables_of(made)).holds.title
        assert re.search(rf"{said} {held}\b", title), title
    assert "–" not in reader(made, None, "details.html").holds.note


def test_the_command_that_audits_again_names_what_a_shell_can_find():
    """A shipped set and a hub id as they are; a folder and a file of one's own to fill in."""
    models = {
        "reference": {"name": "org/teacher", "revision": "c0ffee"},
        "candidate": {"name": "models/student"},
    }
    age = load(shipped()["age"]).header.version
    for said, asked in (
        ({"age": {"version": age}}, "age"),
        ({"age": {"version": f"{age}.1"}}, "PATH/TO/age.toml"),
        ({"weight": {}}, "PATH/TO/weight.toml"),
        ({"crows": {"kind": "pairs"}}, "PATH/TO/crows"),
    ):
        record = replace(
            records.record(), manifest=manifests.manifest(models=models, probe_sets=said)
        )
        again = closing.use(record, "").commands[0]
        assert again.text == (
            "maskaudit run --teacher org/teacher@c0ffee --student PATH/TO/models/student "
            f"--probes {asked}"
        )
        assert "PATH/TO/" in again.purpose


def test_every_word_of_the_picture_is_counted_once():
    """Those of either group and those that are unclear are all that the title speaks of."""
    record = records.record([records.people()])
    title = reader(record, None, "", records.tables_of(record)).picture.title
    counts = [int(number) for number in re.findall(r"\d+", title)]
    assert counts[0] == sum(counts[1:])
    assert "even choice" not in page_of(record)


def test_each_type_of_a_published_set_has_its_share_below_the_set():
    """In how many pairs of a type the stereotyping sentence is likelier, counted by hand."""
    made = records.record([records.pairs()])
    plot = reader(made, None, "").overview
    own = made.scores[made.scores["model"] == "candidate"]
    own = own.loc[own["measure"] == "crows_nangia", ["item", "value"]]
    both = made.items.merge(own, on="item")
    sides = both.pivot_table(index=["class", "pair"], columns="label", values="value").reset_index()
    wins = sides.assign(win=sides["stereotype"] > sides["anti"]).groupby("class")["win"].mean()
    first, *within = plot.lines
    assert [line.is_within for line in plot.lines] == [False, True, True]
    told = {line.label: line.value for line in within}
    assert told == {name.replace("-", " "): f"{100 * share:.0f} %" for name, share in wins.items()}
    # Of many types nothing is claimed, and all have a mark for each model.
    assert [line.word for line in within] == ["", ""]
    assert all(len(line.marks) == len(first.marks) for line in within)


def test_many_types_are_folded_below_the_sets():
    """A reader sees the sets, and asks for their types."""
    sets = [records.pairs(name=f"pairs-{n}") for n in range(6)]
    plot = reader(records.record(sets), None, "").overview
    assert [line.is_within for line in plot.lines] == [False] * 6
    assert (len(plot.more), plot.more_title) == (12, "12 types")
    assert {line.more for line in plot.more} == {"Pairs of sentences"}

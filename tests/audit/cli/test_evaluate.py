"""The command `evaluate`: its record, what is printed, the page, gates, and what is refused."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest

from maskaudit.audit.recording.record import load_record
from tests import tiny
from tests.audit.estimating.texts.test_texts import ROWS

KEYS = ("id", "texts", "masks", "gender")
GATES = """\
[[gate]]
id = "finds-enough"
rule = "bound"
select = { axis = "text", estimator = "exact@10", slice = "all" }
harm = "down"
bound = 0.99
reason = "for this test"
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Give a folder with two tiny models, rows of masked text, plain text and gates."""
    folder = tmp_path_factory.mktemp("here")
    for n, name in enumerate(("student", "teacher")):
        tiny.build(folder / name, "bert", seed=n)
    lines = [json.dumps(dict(zip(KEYS, row, strict=True))) for row in ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "plain.txt").write_text("She is a nurse.\n\nHe was the man.\n", "utf-8")
    (folder / "rules.toml").write_text(GATES, "utf-8")
    # Rules beside a project's settings are for its probe sets.
    (folder / "gates.toml").write_text(GATES.replace("text", "gender"), "utf-8")
    return folder


def words_of(page):
    """Return the text of a page, without styles, scripts and drawings."""
    bare = re.sub(r"(?s)<(style|script|svg).*?</\1>", "", page.read_text("utf-8"))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


INSIDE = "it is a part of a word, and was written in with its answer"
PAIR = ("evaluate", "student", "--reference", "teacher", "--text")


@pytest.mark.slow
def test_an_evaluation_is_a_record_a_page_and_numbers_in_the_terminal(here, command):
    """One record that holds; every number of it printed, as text and as JSON, and on its page."""
    done = command(here, *PAIR, "rows.jsonl", "--column", "group=gender", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    [text] = told["texts"]
    assert text["read"] == [
        "1 row not asked: masks and answers do not match in number (first: row 6)",
        "1 row not asked: none of its masks can be asked (first: row 5)",
        f"1 mask not asked: {INSIDE} (first: row 5)",
    ]
    record = load_record(here / told["record"])
    assert len(text["numbers"]) == len(record.estimates)
    own = record.estimates.set_index(["estimator", "slice", "subject"])
    share = own.loc["exact@10", "all", "candidate"]
    n_masks = int(share["n_frames"])
    assert f"{n_masks} masked answers" in told["headline"]
    assert command(here, "verify", told["record"]).returncode == 0
    shown = command(here, "show", told["record"]).stdout
    assert "Masked text: rows.jsonl" in shown
    for name in ("exact@1", "nll_word", "word_perplexity", "ece_debiased", "nll_gap men/women"):
        assert re.search(rf"^{re.escape(name)} ", shown, re.MULTILINE), name
    assert "At the masks the two models have the same likeliest piece in" in shown
    assert "1 mask not asked: it is a part of a word" in shown
    _check_pages(record, here / told["record"], share)
    # The gates beside are not for text; those that are named judge it.
    assert not (here / told["record"] / "verdicts.json").exists()
    done = command(here, *PAIR, "rows.jsonl", "--column", "group=gender", "--gates", "rules.toml")
    assert done.returncode == 1
    assert "finds-enough[text/rows]" in done.stdout
    card = command(here, "card", told["record"]).stdout
    assert "| Masked text: `rows.jsonl` |" in card


def _check_pages(record, folder, share):
    details = words_of(folder / "details.html")
    limits = f"({share['low']:.3f} to {share['high']:.3f})"
    assert f"{share['estimate']:.3f} {limits}" in details
    for said in (
        "Masked text: student against teacher",
        "By words of the text",
        "By pieces of the answer",
        "exact_gap@1 men/women",
        "Masked text says how well a model finds the words of these texts.",
        "masks and answers do not match in number",
        "In the glossary: exact@1",
    ):
        assert said in details, said
    # Nothing of it is about leans.
    assert "no set of plain facts" not in details.lower()
    assert "no certificate" not in details
    page = words_of(folder / "report.html")
    assert "Masked text: student against teacher" in page
    assert "only masked words of text were read" in page
    assert "maskaudit evaluate" in page
    assert "1 row not asked: masks and answers do not match in number" in page
    assert record.manifest.probe_sets["rows"].kind == "text"
    # A row for each group, and for each number of pieces of an answer.
    estimates = record.estimates
    own = (estimates["estimator"] == "exact@1") & (estimates["subject"] == "candidate")
    of_candidate = estimates[own].set_index("slice")["estimate"]
    for group in ("men", "women"):
        assert f" {group} {100 * of_candidate[f'group={group}']:.0f} %" in page
    pieces = [name for name in of_candidate.index if name.startswith("pieces=")]
    assert len(pieces) > 1
    for name in pieces:
        of_pieces = f"pieces of the answer: {name.removeprefix('pieces=')}"
        assert f"{of_pieces} {100 * of_candidate[name]:.0f} %" in page


@pytest.mark.slow
def test_one_model_on_plain_text_has_no_differences_and_few_documents_no_intervals(here, command):
    """Two paragraphs: the numbers are there, and each says why it has no interval."""
    words = ("evaluate", "student", "--text", "plain.txt", "--mask-share", "0.5")
    planned = command(here, *words, "--plan").stdout
    assert "Intervals cannot be given: the set has 2 documents, and they take 6" in planned
    done = command(here, *words, "--json")
    assert done.returncode == 0, done.stderr
    [text] = json.loads(done.stdout)["texts"]
    assert {row["subject"] for row in text["numbers"]} == {"candidate"}
    assert {row["flag"] for row in text["numbers"]} == {"too_few_clusters"}
    assert all(row["low"] is None for row in text["numbers"])
    assert "50% of the words of each text" in text["read"][0]


@pytest.mark.slow
def test_what_the_model_cannot_read_is_counted_by_reason(here, command):
    """A text longer than it reads, and an answer that no piece can write."""
    rows = [
        {"texts": "the <mask> was " + "a man and " * 200 + "a nurse.", "masks": ["doctor"]},
        {"texts": "the <mask> was a man.", "masks": [tiny.UNWRITABLE]},
        {"texts": "the <mask> was a woman.", "masks": ["teacher"]},
    ]
    (here / "hard.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = command(here, "evaluate", "student", "--text", "hard.jsonl")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    more = "the sentence has more pieces than the model was found to read (too_long)"
    assert f"1 masked answer not read by the model (student): {more}." in told
    assert "the vocabulary cannot write the word (target_unknown)." in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--text", "none.jsonl"), "none.jsonl: no such file or folder"),
        (("--text", "rows.jsonl", "--column", "gender"), "expected NAME=COLUMN, as group=gender"),
        (("--text", "rows.jsonl", "--name", "No Name"), "set.name: expected lower-case letters"),
        (("--text", "rows.jsonl", "--language", "12"), "set.language"),
        (("--text", "plain.txt", "--config", "x"), "--config: plain text has no such thing"),
        (("--text", "rows.jsonl", "--most-items", "3"), "the budget is 3"),
    ],
)
def test_wrong_usage_is_one_line_and_no_record(here, command, words, told):
    """Exit code 2, before a model is loaded."""
    before = set(here.rglob("record.json"))
    done = command(here, "evaluate", "student", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert set(here.rglob("record.json")) == before


def test_rules_that_a_project_requires_have_to_be_named_for_text(here, command, tmp_path):
    """Those beside its settings are for probe sets, and do not count."""
    shutil.copy(here / "gates.toml", tmp_path)
    shutil.copy(here / "rows.jsonl", tmp_path)
    (tmp_path / "AUDIT.toml").write_text('[run]\ngates = "required"\n', "utf-8")
    done = command(tmp_path, "evaluate", "--text", "rows.jsonl")
    assert done.returncode == 2
    assert "masked text is judged by rules that are named" in done.stderr


def test_without_text_nothing_is_evaluated(command, tmp_path: Path):
    """It is named on the command line or in AUDIT.toml, and the message says so."""
    done = command(tmp_path, "evaluate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--text: is missing, and so is [text] in AUDIT.toml; name the text data" in done.stderr

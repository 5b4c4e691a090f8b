"""No character that a reader does not see, or a terminal obeys, gets out of a record."""

import json
import re
import sys
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydantic import BaseModel

from maskaudit.audit.cli import main
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import seal
from maskaudit.audit.texts.characters import unseen
from maskaudit.audit.verifying import sealed, verify
from maskaudit.reports.ci import github, junit, markdown
from tests.reports import records
from tests.reports.verdicts import WAIVER, judgement, verdict

pytestmark = pytest.mark.slow

# One of each kind: C0, DEL, C1, the soft hyphen, zero-width, directions and isolates, separators of
# lines and paragraphs, tags, variation selectors, fillers, private, unassigned, a non-character.
HOSTILE = (
    "\n\x00\x07\x08\x1b\x7f\x85\x9b\x9c\xad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u202e\u2028\u2029"
    "\u2060\u2066\u2068\u2069\u2800\u3164\ue000\ufe0f\ufeff\uffa0\ufffb\u0378\uffff"
    "\U000e0001\U000e0041\U000e0100\U000f0000\U0010ffff"
)
ATTRIBUTE = "nurse"
# What the records of a format hold by its nature, and not as free text.
FIXED = {"created", "kind", "expect", "adjust", "reading"}


def test_each_kind_is_unseen_and_nothing_that_is_seen():
    """Held against the categories of Unicode, over all planes."""
    assert all(map(unseen, HOSTILE))
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}:
            assert unseen(chr(code)), hex(code)
        elif category in {"Nd", "Nl", "Pd", "Ps", "Sm", "Sc", "Zs", "Lu", "Ll", "Lt", "Mc", "Me"}:
            assert not unseen(chr(code)), hex(code)


def poisoned(value, name=""):
    """Return a value of a manifest with the characters in every text that may be any."""
    if isinstance(value, BaseModel):
        parts = {key: poisoned(getattr(value, key), key) for key in value.model_fields_set}
        return value.model_copy(update=parts)
    if isinstance(value, dict):
        return {key: poisoned(part, name) for key, part in value.items()}
    if isinstance(value, list):
        # Lists of names that tables have too stay as they are.
        return value if name == "contrast" else [poisoned(part, name) for part in value]
    return value + HOSTILE if isinstance(value, str) and name not in FIXED else value


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the folder of two sealed records whose every field is hostile."""
    runs = tmp_path_factory.mktemp("hostile") / "runs"
    runs.mkdir()
    for number, name in enumerate(("20260101T000000000000Z-a", "20260102T000000000000Z-b"), 1):
        found = records.record()
        manifest = poisoned(found.manifest.model_copy(update={"number": number}))
        Manifest.model_validate(manifest.as_json())
        items = found.items.assign(
            attribute=found.items["attribute"].replace(ATTRIBUTE, ATTRIBUTE + HOSTILE),
            term=found.items["term"].where(
                found.items["term"] == "", found.items["term"] + HOSTILE
            ),
        )
        estimates = found.estimates.assign(
            slice=found.estimates["slice"].str.replace(
                f"attribute={ATTRIBUTE}", f"attribute={ATTRIBUTE}{HOSTILE}"
            )
        )
        found = replace(
            found,
            manifest=manifest,
            items=items,
            estimates=estimates,
            contexts=found.contexts.assign(text=found.contexts["text"] + HOSTILE),
            fills=found.fills.assign(token=found.fills["token"] + HOSTILE),
        )
        seal(found, runs / f".{name}", runs / name)
    return runs


@pytest.fixture
def command(folder, tmp_path, monkeypatch, capsys):
    """Give a function that runs a command beside the records, and returns all that it printed."""
    monkeypatch.chdir(tmp_path)
    Path("gates.toml").write_text(
        '[[gate]]\nid = "a"\nrule = "non_inferiority"\nmargin = 0.1\nreason = "of a test"\n'
        'select = { slice = "*", estimator = "*" }\nharm = "either"\n'
        '[[waiver]]\ngate = "a"\nowner = "Ann\\u0007\\u009B"\nreason = "x\\u202E"\n'
        f"until = {date.today().isoformat()}\n"  # noqa: DTZ011 - any day of today's will do
    )

    # Sets and models may have such words, and records that hold be made of them: these are forged.
    monkeypatch.setattr(verify, "holding", lambda record, *_arguments, **_options: (record, []))
    monkeypatch.setattr(sealed, "parts", lambda *_arguments: [])

    def run(*arguments):
        names = [folder / a if str(a).startswith("2026") else a for a in arguments]
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, names)])
        code = main._exit_code()
        out, err = capsys.readouterr()
        assert code in {0, 1, 3}, err
        return out + err

    return run


OLD, NEW = "20260101T000000000000Z-a", "20260102T000000000000Z-b"


def assert_seen(text):
    """Every character is seen, but for the ends of lines; and no field began a line of its own."""
    found = {hex(ord(c)) for c in text if c != "\n" and unseen(c)}
    assert not found
    assert not re.search(r"^[⟨<]U\+0000", text, re.MULTILINE)


def test_the_page_shows_code_points(command, folder):
    """Of all fields, the version of maskaudit among them; charts included."""
    command("report", NEW, "-o", "page.html")
    page = Path("page.html").read_text("utf-8")
    assert_seen(page)
    assert "0.1.0⟨U+000A⟩⟨U+0000⟩" in page
    command("history", folder, "-o", "history.html")
    assert_seen(Path("history.html").read_text("utf-8"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", NEW),
        ("gate", NEW, "--json"),
        ("gate", NEW, "--github"),
        ("compare", OLD, NEW),
        ("compare", OLD, NEW, "--json"),
        ("baseline", "accept", OLD, "--reason", f"r{HOSTILE[1:]}"),
        ("baseline", "accept", OLD, "--reason", f"r{HOSTILE[1:]}", "--json"),
    ],
    ids=lambda arguments: " ".join(part for part in arguments if part.isascii()),
)
def test_the_terminal_and_json_show_code_points(command, folder, arguments):
    """Whatever the command is."""
    assert_seen(command(*arguments))
    if "baseline" in arguments:
        for more in (["show"], ["show", "--json"], ["diff", NEW], ["diff", NEW, "--json"]):
            text = command("baseline", *more)
            assert_seen(text)
            if "--json" in more:
                json.loads(text)
    if arguments == ("gate", NEW):
        for more in ([], ["--json"]):
            assert_seen(command("history", folder, *more))


def test_files_for_ci_show_code_points(command):
    """JUnit and Markdown, of a record and of verdicts that are hostile in each field."""
    command("gate", NEW, "--junit", "j.xml", "--summary", "s.md", "--comment", "c.md")
    for name in ("j.xml", "s.md", "c.md"):
        text = Path(name).read_text("utf-8")
        assert_seen(text)
        assert "⟨U+009B⟩" in text
    words = ("gate", "name", "rule", "reason", "probe_set", "axis", "slice", "estimator", "mode",
             "subject", "against", "method", "scale")  # fmt: skip
    waiver = WAIVER.model_copy(update={"owner": f"A{HOSTILE}", "reason": f"b{HOSTILE}"})
    for word in words:
        one = judgement(verdict(**{word: f"a{HOSTILE}"}, waiver=waiver), notes=[HOSTILE])
        one = replace(one, record=HOSTILE, policy=HOSTILE)
        for text in (junit.junit(one), markdown.summary(one), markdown.comment(one)):
            assert_seen(text)
        ET.fromstring(junit.junit(one))  # noqa: S314 - our own
        for line in github.annotations(one, Path("gates.toml")):
            assert_seen(line)

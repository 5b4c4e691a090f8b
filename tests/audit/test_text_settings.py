"""Text in AUDIT.toml and in the Python API: where it is asked, alone and beside the sets."""

import json
from dataclasses import replace

import pytest

import maskaudit
from maskaudit.audit.errors import InputError
from maskaudit.audit.settings import Settings, overridden, read
from maskaudit.probes.texts.source import TextSource
from tests import tiny
from tests.audit.attempts import SET

SMALL = SET.partition('[[frames]]\nid = "f6"')[0]
TEXT = '[text]\ndata = "rows.jsonl"\ncolumns = { group = "gender" }\nfirst = 7\n'
SETS = '[probes]\nsets = ["small.toml"]\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a folder with settings, rows of masked text, a small set and a tiny model."""
    folder = tmp_path_factory.mktemp("project")
    rows = [
        {"texts": f"the <mask> was a nurse in {n}.", "masks": ["man"], "gender": "mw"[n % 2]}
        for n in range(14)
    ]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "small.toml").write_text(SMALL, "utf-8")
    tiny.build(folder / "student", "bert", seed=1)
    candidate = '[models]\ncandidate = { id = "student" }\n'
    (folder / "AUDIT.toml").write_text(candidate + SETS + TEXT, "utf-8")
    return folder


def test_a_path_of_the_file_starts_at_its_folder_and_a_hub_id_stays_one(project):
    """As models do."""
    found = read(project / "AUDIT.toml")
    rows = str(project / "rows.jsonl")
    assert found.source == TextSource(rows, columns={"group": "gender"}, first=7)
    other = TEXT.replace("rows.jsonl", "owner/data@main")
    (project / "other.toml").write_text(other + 'split = "test"\n', "utf-8")
    assert read(project / "other.toml").source.data == "owner/data@main"
    (project / "short.toml").write_text('text = "rows.jsonl"\n', "utf-8")
    assert read(project / "short.toml").source == TextSource(rows)


def test_the_text_is_asked_beside_the_sets_and_not_in_place_of_others(project):
    """Who names sets asks for these alone; a trial has the first texts."""
    found = read(project / "AUDIT.toml")
    assert [part.header.kind for part in found.probe_sets()] == ["association", "text"]
    assert len(found.probe_sets()[1].rows) == 7
    trial = overridden(found, how={"limit": 2})
    assert len(trial.probe_sets()[1].rows) == 2
    named = overridden(found, probes=["facts"])
    assert named.source is None
    assert [part.header.name for part in named.probe_sets()] == ["facts"]


def test_a_text_with_the_name_of_a_set_is_refused(project):
    """Their numbers would be taken for those of one set."""
    name = read(project / "AUDIT.toml").probe_sets()[0].header.name
    file = project / "named.toml"
    file.write_text(SETS + TEXT + f'name = "{name}"\n', "utf-8")
    with pytest.raises(InputError, match=f"text: a probe set is already named '{name}'"):
        read(file).probe_sets()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("first = 0", "text.first: "),
        ("mask_share = 0.95", "text.mask_share: "),
        ("columns = 3", "text.columns: "),
        ("rows = 3", "text.rows: "),
        ('causal = ["gpt2"]', "text.causal: "),
    ],
)
def test_a_fault_of_the_text_is_told_with_its_line(project, line, told):
    """As every fault of the file."""
    file = project / "faulty.toml"
    file.write_text(f'[text]\ndata = "rows.jsonl"\n{line}\n', "utf-8")
    with pytest.raises(InputError, match=r"faulty\.toml: line 3: ") as raised:
        read(file)
    assert told in str(raised.value)


def test_what_is_said_beside_the_file_changes_its_text_and_other_text_replaces_it(project):
    """The words that are not said are those of the file, or the defaults of other text."""
    found = read(project / "AUDIT.toml")
    own = found.evaluating(None, first=3, marks=None).evaluated
    assert own == replace(found.source, first=3)
    other = found.evaluating("other.txt", words=50).evaluated
    assert other == TextSource("other.txt", words=50)
    assert found.evaluating(None).gates is None
    with pytest.raises(InputError, match="--text: is missing, and so is"):
        Settings().evaluating(None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"first": 0}, "^first: "),
        ({"first": "all"}, "^first: "),
        ({"columns": {"group": 3}}, "^columns.group: "),
        ({"seed": True}, "^seed: "),
        ({"text": 3}, "^text: is 3; expected text or a path"),
        ({"text": "none.jsonl"}, "none.jsonl: no such file"),
    ],
)
def test_python_is_told_what_is_wrong_in_a_line(project, monkeypatch, words, told):
    """A value of a wrong type included."""
    monkeypatch.chdir(project)
    with pytest.raises(InputError, match=told) as raised:
        maskaudit.evaluate(**{"text": "rows.jsonl", **words})
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_a_run_asks_both_and_an_evaluation_the_text_alone(project, monkeypatch, tmp_path):
    """With the same numbers of the text, whether it is named or of the file."""
    monkeypatch.setenv("MASKAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(project)
    both = maskaudit.run(out=tmp_path / "runs")
    assert {part.kind for part in both.manifest.probe_sets.values()} == {"association", "text"}
    alone = maskaudit.evaluate(out=tmp_path / "runs")
    named = maskaudit.evaluate(
        "rows.jsonl", columns={"group": "gender"}, first=7, out=tmp_path / "runs"
    )
    numbers = [
        one.estimates.query("axis == 'text'")
        .set_index(["estimator", "slice", "subject"])[["estimate", "low", "high", "flag"]]
        .sort_index()
        for one in (both, alone, named)
    ]
    assert len(numbers[0])
    assert numbers[0].equals(numbers[1])
    assert numbers[0].equals(numbers[2])
    assert set(alone.estimates["axis"]) == {"text"}
    assert maskaudit.judge(both, _gates(tmp_path)).exit_code == 1
    assert "Masked text" in (both.path / "report.html").read_text("utf-8")


def _gates(folder):
    rule = folder / "rules.toml"
    rule.write_text(
        '[[gate]]\nid = "finds"\nrule = "bound"\nharm = "down"\nbound = 0.99\nreason = "a test"\n'
        'select = { axis = "text", estimator = "exact@10", slice = "all" }\n',
        "utf-8",
    )
    return rule

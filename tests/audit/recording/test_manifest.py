"""The manifest as a typed value: read as it was written, and refused where it is none of ours."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording import files, manifest
from maskaudit.audit.recording.record import FORMAT, Record, load_record, seal
from maskaudit.audit.recording.rows import tables
from tests import manifests

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples" / "versions" / "records").glob("*/record.json"))
BEFORE_LANGUAGES = ROOT / "tests" / "older" / "format-3" / "record.json"
RICH = manifests.raw(
    models={"reference": {}, "candidate": {}},
    probe_sets={
        "jobs": {
            "grammar": {"seed": 3},
            "groups": {"women": {"label": "women", "terms": ["she"]}},
            "classes": {"one": {"label": "One", "attributes": 2}},
        },
    },
    lost=[
        {
            "probe_set": "jobs",
            "model": "candidate",
            "group": "women",
            "status": "too_long",
            "items": 1,
            "examples": ["nurse"],
        }
    ],
    left_out=[{"probe_set": "jobs", "attribute": "nurse", "frame": "f"}],
    truth={
        "seed": 1,
        "weights": {"teacher": "w"},
        "facts": {"teacher": ["f"]},
        "sets": {
            "jobs": {
                "items": "d",
                "kappa": 1.3,
                "contrast": ["a", "b"],
                "expect": "lean",
                "unseen": ["f"],
                "planted": {"nurse": 0.5},
            }
        },
        "acceptance": {"jobs teacher": {"slope": 1.0, "contrast": [0.5, 1.5]}},
        "subjects": {"candidate": "teacher"},
    },
    competence={"candidate": {"competent": True, "right": 9, "of": 10, "majority": 2, "p": 0.01}},
    extrinsic=[
        {
            "name": "gap",
            "unit": "points",
            "higher_is": "worse",
            "source": "Ada",
            "scores": {"candidate": {"value": 14.0, "low": 12.0, "high": 16.5}},
        }
    ],
)


def record() -> Record:
    """Return a record without a row in any table."""
    return Record(manifests.manifest(), **{name: tables.table(name, []) for name in tables.COLUMNS})


def sealed_as(runs: Path, said: dict[str, Any]) -> Path:
    """Return the folder of a record whose manifest somebody replaced, and sealed again."""
    with files.unfinished(runs) as scratch:
        folder = seal(record(), scratch / "0", runs / "one").path
    (folder / "record.json").write_text(json.dumps(said))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(folder.iterdir())
        if path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    return folder


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value inside a manifest."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inside:
        yield (*before, key)
        if isinstance(part, dict | list):
            yield from places(part, (*before, key))


def with_other(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    """Return the values with another one at one place."""
    whole = json.loads(json.dumps(value))
    part = whole
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = other
    return whole


def checked(said: dict[str, Any]) -> manifest.Manifest:
    """Return the manifest of these values."""
    return manifest.checked(said, Path("runs/one/record.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_what_is_written_of_a_manifest_is_what_was_read(path):
    """Value for value, and no key more: of records that an older commit wrote."""
    raw = json.loads(path.read_text("utf-8"))
    found = manifest.checked(manifest.read(path, FORMAT), path)
    assert found.as_json() == raw
    assert found.models["reference"].weights == raw["models"]["reference"]["weights"]


def test_every_part_is_written_as_it_was_read():
    """Those parts too that few records have."""
    assert checked(RICH).as_json() == RICH
    assert json.loads(json.dumps(RICH)) == RICH


@pytest.mark.parametrize("older", [1, 2])
def test_a_manifest_of_an_older_format_lacks_key_number_and_notes(older):
    """And is written again as it was."""
    raw = manifests.raw(format=older)
    found = checked(raw)
    assert (found.key, found.number, found.notes) == ("", 0, [])
    assert found.as_json() == raw
    assert not {"key", "number", "notes"} & set(raw)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (manifests.raw() | {"method": None}, "(method: expected a table"),
        (manifests.raw() | {"colour": "red"}, "(colour: is not a known key"),
        (manifests.raw() | {"created": "soon"}, "(created: Invalid isoformat string: 'soon'"),
        (manifests.raw() | {"models": {}}, "does not say which models were audited"),
        (
            {name: part for name, part in manifests.raw().items() if name != "key"},
            "(key: is missing; required since format 3)",
        ),
        (manifests.raw(format=2) | {"number": 1}, "(number: is not a key of format 2)"),
        (
            with_other(RICH, ("models", "candidate", "weihgts"), "w"),
            "models.candidate.weihgts: is not a known key; did you mean 'weights'?",
        ),
        (with_other(RICH, ("probe_sets", "jobs", "kind"), "odd"), "(probe_sets.jobs.kind: "),
        (with_other(RICH, ("truth", "seed"), 1.5), "(truth.seed: "),
    ],
)
def test_a_resealed_record_that_is_none_of_ours_is_refused_in_one_line(tmp_path, said, expected):
    """The line names the file, the key, what was expected and what to do."""
    folder = sealed_as(tmp_path, said)
    with pytest.raises(InputError) as caught:
        load_record(folder)
    told = str(caught.value)
    assert told.startswith(f"{folder / 'record.json'}: cannot be read as a record (")
    assert expected in told
    assert "restore the folder from a backup, or audit again" in told
    assert "\n" not in told
    assert caught.value.exit_code == 2


def test_several_faults_are_one_line_with_their_number():
    """The first is told whole."""
    with pytest.raises(InputError, match=r"\(method: .*, and 1 more\); restore"):
        checked(manifests.raw() | {"method": None, "settings": None})


@pytest.mark.parametrize("other", [None, [], {}, "x", 1, 0.5, True, [None], {"x": None}])
def test_whatever_stands_in_a_manifest_it_is_read_or_refused(other):
    """At every place in turn; nothing but an `InputError` comes of it, and no value is changed."""
    refused = 0
    for place in places(RICH):
        said = with_other(RICH, place, other)
        try:
            found = checked(said)
        except InputError:
            refused += 1
        else:
            assert found.as_json() == said
    assert refused > 60


def test_every_key_of_a_manifest_that_is_left_out_is_missed():
    """But for those that older records of the same format may lack."""
    may_lack = set()
    for place in places(RICH):
        whole = json.loads(json.dumps(RICH))
        part = whole
        for key in place[:-1]:
            part = part[key]
        if isinstance(part, dict):
            del part[place[-1]]
            try:
                checked(whole)
            except InputError:
                continue
            may_lack.add(".".join(map(str, place)))
    assert {"method", "settings", "provenance", "created"} & may_lack == set()
    assert "settings.adjust" in may_lack
    assert {name for name in may_lack if name.startswith("models.candidate.")} == {
        "models.candidate.files",
        "models.candidate.config",
    }


def test_a_manifest_cannot_be_changed():
    """What is sealed stays."""
    with pytest.raises(ValueError, match="frozen"):
        manifests.manifest().number = 2


def test_what_a_model_is_called_is_no_part_of_what_decides_its_scores():
    """Nor are its revision and its files, nor what was found of how it is run or made."""
    one = manifests.identity(name="a", revision="1", files={"f": "d"}, encoder="packed")
    other = manifests.identity(name="b", revision="2", files={}, encoder="packed")
    assert one.without_names() == other.without_names()
    names = {"name", "revision", "files", "from_float32", "derived", "zeros"}
    # Of a model that was run here there is no grade, as in records from before there were any.
    assert set(one.model_dump()) - set(one.without_names()) == names | {"endpoint"}
    endpoint = manifests.identity(name="a", encoder="", endpoint="exact")
    decides = set(endpoint.without_names())
    assert set(endpoint.model_dump()) - decides == names | {"encoder"}


def test_the_name_of_a_record_is_its_folders_or_its_time(tmp_path):
    """One that was not sealed has no folder."""
    assert record().name == "2026-01-01T00:00:00+00:00"
    assert replace(record(), path=tmp_path / "one").name == "one"


def test_a_record_from_before_languages_were_written_is_of_english_sets():
    """It is read as before, and nothing is added to what it says."""
    path = BEFORE_LANGUAGES
    raw = json.loads(path.read_text("utf-8"))
    found = manifest.checked(raw, path)
    assert found.probe_sets
    for name, part in found.probe_sets.items():
        assert "language" not in raw["probe_sets"][name]
        assert part.language == "en"
    assert found.as_json() == raw

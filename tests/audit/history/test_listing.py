"""The list of a folder's records: newest first, and nothing in the folder ends it."""

import json

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.history.listing import listing
from maskaudit.audit.judging import verdicts
from tests.audit.history.folders import change_manifest, reseal, write
from tests.reports.verdicts import judgement, verdict


def names(listed):
    """Return the names of what is listed."""
    return [one.path.name for one in listed]


def test_records_are_listed_the_newest_first_with_what_they_audited(tmp_path):
    """By number, whatever their names and times are."""
    write(tmp_path, 1, name="b")
    write(tmp_path, 2, name="a", day=-5, sets=("jobs", "people"))
    found = listing(tmp_path)
    assert names(found.records) == ["a", "b"]
    newest = found.records[0]
    assert (newest.number, list(newest.manifest.probe_sets)) == (2, ["jobs", "people"])
    assert (newest.judgement, newest.fault, found.others) == (None, "", ())
    assert [names(listing(tmp_path, n).records) for n in (1, 5)] == [["a"], ["a", "b"]]
    assert listing(tmp_path, 1).total == 2


def test_the_verdicts_beside_a_record_are_listed_with_it(tmp_path):
    """And what is no verdict is a fault of that record alone."""
    judged, broken = (write(tmp_path, n) for n in (1, 2))
    verdicts.write(judgement(verdict("fail")), judged)
    told = json.loads((judged / verdicts.FILE).read_text())
    told["verdicts"][0]["verdict"] = "excellent"
    (broken / verdicts.FILE).write_text(json.dumps(told))
    first, second = listing(tmp_path).records
    assert second.judgement.exit_code == 1
    assert first.judgement is None
    assert "excellent" in first.fault
    assert first.manifest is not None


def test_what_is_no_whole_record_is_listed_as_such(tmp_path):
    """Damaged, foreign, unfinished, a link: each with its reason, and the rest as before."""
    write(tmp_path, 1, name="good")
    manifest = write(tmp_path, 2, name="changed") / "record.json"
    manifest.write_text(manifest.read_text() + " ")
    change_manifest(write(tmp_path, 3, name="newer"), format=99)
    (write(tmp_path, 4, name="unsealed") / "SHA256SUMS").unlink()
    (write(tmp_path, 5, name="garbage") / "record.json").write_text("{")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".unfinished-x").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "good")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    found = listing(tmp_path)
    # In their places, since `latest` and numbers mean them too; without a number by their names.
    assert [name for name in names(found.records) if name not in {"link", "garbage"}] == [
        "unsealed", "newer", "changed", "good",
    ]  # fmt: skip
    faults = {one.path.name: one.fault for one in (*found.records, *found.others)}
    for name, part in {
        "good": "", "changed": "changed since it was sealed", "newer": "formats 1 to",
        "unsealed": "SHA256SUMS", "garbage": "record.json", "notes": "no record",
        ".unfinished-x": "unfinished", "link": "a link", "lost": "nowhere",
    }.items():  # fmt: skip
        assert part in faults.pop(name)
    assert faults == {}


def test_json_has_the_same_and_null_for_what_is_not_known(tmp_path):
    """One object for each, as plain values."""
    judged = write(tmp_path, 1)
    verdicts.write(judgement(verdict("pass")), judged)
    (tmp_path / "notes").mkdir()
    found = listing(tmp_path)
    [record] = [one.as_json() for one in found.records]
    assert record == json.loads(json.dumps(record))
    assert (record["number"], record["name"], record["exit_code"]) == (1, judged.name, 0)
    assert record["models"] == {"reference": "teacher", "candidate": "student"}
    assert record["probe_sets"] == ["jobs"]
    [other] = [one.as_json() for one in found.others]
    assert {key for key, value in other.items() if value is not None} == {"name", "path", "fault"}


def test_an_empty_folder_lists_nothing_and_what_is_no_folder_is_refused(tmp_path):
    """A record itself is told apart from the folder that has it."""
    (tmp_path / "empty").mkdir()
    found = listing(tmp_path / "empty")
    assert (found.records, found.total, found.others) == ((), 0, ())
    record = write(tmp_path / "runs", 1)
    reseal(record)
    for path, told in ((tmp_path / "none", "cannot be read"), (record, "is a record")):
        with pytest.raises(InputError, match=told):
            listing(path)

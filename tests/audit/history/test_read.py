"""What is read of a folder of records: what is left out and why, the order, and what is chosen."""

import json
import re
import shutil

import pytest

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.plain import as_json
from maskaudit.audit.history.read import Chosen, read
from maskaudit.audit.recording import record
from maskaudit.audit.recording.record import load_record
from maskaudit.audit.recording.rows import tables
from tests.audit.history.folders import change_manifest, one_series, reseal, versions, write

# --- Reading --------------------------------------------------------------------------------------


def flip(folder, name):
    """Change one byte in the middle of a file."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))


def truncate(folder, name):
    """Keep the first half of a file."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def cut_and_seal(folder):
    """Keep the first half of the estimates and seal that."""
    truncate(folder, "estimates.parquet")
    reseal(folder)


DAMAGE = {
    "a byte of the estimates": (lambda f: flip(f, "estimates.parquet"), "changed since it was"),
    "a byte of record.json": (lambda f: flip(f, "record.json"), "changed since|cannot be read"),
    "truncated estimates": (lambda f: truncate(f, "estimates.parquet"), "changed since it was"),
    "truncated, sealed": (cut_and_seal, "cannot be read as estimates"),
    "truncated record.json": (lambda f: truncate(f, "record.json"), "cannot be read as a record"),
    "newer format": (lambda f: change_manifest(f, format=99), "record format 99; this version"),
    "format no number": (lambda f: change_manifest(f, format="x"), "record format 'x'"),
    "half-written": (
        lambda f: (f / "record.json").unlink(),
        "not a complete record: it has no record.json",
    ),
    "no estimates": (lambda f: (f / "estimates.parquet").unlink(), "estimates.parquet is missing"),
    "no checksums": (lambda f: (f / "SHA256SUMS").unlink(), "SHA256SUMS: cannot be read"),
    "a foreign record.json": (lambda f: (f / "record.json").write_text("[1]"), "cannot be read as"),
    "no models": (lambda f: change_manifest(f, models={}), "which models were audited"),
    "no time": (lambda f: change_manifest(f, created="soon"), "cannot be read as a record"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.slow
def test_what_cannot_be_read_is_named_with_its_reason_and_the_rest_is_read(tmp_path, damage):
    """One record of three is damaged."""
    folders = versions(tmp_path, [0.0, 0.1, 0.2])
    do, reason = DAMAGE[damage]
    do(folders[1])
    found = read(tmp_path)
    assert [audit.name for audit in found.audits] == [folders[0].name, folders[2].name]
    [skipped] = found.skipped
    assert skipped.name == folders[1].name
    assert re.search(reason, skipped.reason), skipped.reason


@pytest.mark.parametrize(
    "damage", [name for name in DAMAGE if name not in {"no models", "no time"}]
)
@pytest.mark.slow
def test_what_a_history_leaves_out_is_refused_as_a_record_too(tmp_path, damage):
    """The light reading is no more lenient than the whole one."""
    [folder] = versions(tmp_path, [0.0])
    load_record(folder)
    DAMAGE[damage][0](folder)
    with pytest.raises(InputError):
        load_record(folder)


@pytest.mark.parametrize("value", [None, [], {}, "x", 1, {"candidate": None}, {"jobs": {}}])
@pytest.mark.slow
def test_whatever_a_sealed_manifest_says_the_rest_is_read(tmp_path, value):
    """Every key in turn says something else: the record is read or left out, and nothing breaks."""
    [first, second] = versions(tmp_path, [0.0, 0.1])
    whole = json.loads((second / "record.json").read_text())
    for key in whole:
        change_manifest(second, **whole | {key: value})
        found = read(tmp_path)
        assert first.name in [audit.name for audit in found.audits]
        assert len(found.audits) + len(found.skipped) == 2
        json.dumps(as_json(judge(found)), allow_nan=False)


def test_a_history_needs_two_files_of_a_record(tmp_path):
    """The scores may be gone: a history rests on the estimates."""
    [folder] = versions(tmp_path, [0.3])
    for name in ("scores", "items", "contexts", "fills", "paired"):
        (folder / f"{name}.parquet").unlink()
    found = one_series(judge(read(tmp_path))).series
    assert found.points[0].estimate == 0.3


@pytest.mark.parametrize("change", ["scores of another", "models of another"])
def test_a_record_whose_parts_are_not_of_one_audit_is_skipped(tmp_path, change):
    """Its sums fit, but not what record.json was sealed with."""
    first, second = versions(tmp_path, [0.3, 0.4])
    if change == "scores of another":
        row = {"item": "a", "model": "candidate", "measure": "logp", "status": "ok"}
        tables.table("scores", [row]).to_parquet(second / "scores.parquet")
        reseal(second)
    else:
        models = json.loads((first / "record.json").read_text())["models"]
        change_manifest(second, models=models)
    found = read(tmp_path)
    assert [audit.name for audit in found.audits] == [first.name]
    [skipped] = found.skipped
    assert skipped.name == second.name
    assert skipped.reason.startswith("does not hold (bound: ")


def test_unfinished_and_other_things_in_the_folder_are_no_records(tmp_path):
    """A hidden folder, a page, a lock; a plain folder of somebody else is named."""
    folders = versions(tmp_path, [0.0, 0.1])
    shutil.copytree(folders[0], tmp_path / ".unfinished-x")
    (tmp_path / "history.html").write_text("")
    (tmp_path / "notes").mkdir()
    found = read(tmp_path)
    assert len(found.audits) == 2
    assert [one.name for one in found.skipped] == ["notes"]


def test_a_folder_without_any_record_is_not_judged(tmp_path):
    """And says what was in it."""
    with pytest.raises(NotJudgedError, match="holds no record that can be read"):
        read(tmp_path)
    (tmp_path / "notes").mkdir()
    with pytest.raises(NotJudgedError, match="notes: not a complete record"):
        read(tmp_path)


def test_what_is_no_folder_of_runs_is_wrong_input(tmp_path):
    """Nothing there, a file, or a record itself."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(InputError, match="cannot be read as a folder of records"):
            read(path)
    [folder] = versions(tmp_path / "runs", [0.0])
    with pytest.raises(InputError, match="is a record; expected the folder that contains records"):
        read(folder)


# --- Order ----------------------------------------------------------------------------------------


def test_records_stand_in_the_order_of_writing_where_the_clock_went_backwards(tmp_path):
    """By their numbers, and the line says between which two."""
    days = [1, 5, 2, 6]
    folders = [write(tmp_path, n, day=day) for n, day in enumerate(days, start=1)]
    found = read(tmp_path)
    assert [audit.name for audit in found.audits] == [folder.name for folder in folders]
    assert found.clock == ((folders[1].name, folders[2].name),)
    assert [audit.name for audit in found.audits] == [
        path.name for path in record.manifests(tmp_path)
    ]


def test_records_older_than_numbers_stand_first_by_their_time(tmp_path):
    """Their clock cannot be doubted."""
    old = [write(tmp_path, 9, day=day, numbered=False, name=f"old{day}") for day in (4, 2)]
    new = write(tmp_path, 1, day=1)
    found = read(tmp_path)
    assert [a.name for a in found.audits] == [old[1].name, old[0].name, new.name]
    assert found.clock == ()


# --- What is chosen -------------------------------------------------------------------------------


def test_by_default_there_are_the_contrasts_of_tested_sets(tmp_path):
    """Of the candidate and of the difference; a control only where it is asked for."""
    write(tmp_path, 1, sets=("jobs", "people"))
    write(tmp_path, 2, sets=("days",), expect="none")
    found = read(tmp_path).series
    assert {(s.probe_set, s.subject) for s in found} == {
        (name, subject) for name in ("jobs", "people") for subject in ("candidate", "difference")
    }
    assert {s.estimator for s in found} == {CONTRAST}
    asked = read(tmp_path, Chosen(probe_sets=("days",))).series
    assert {s.probe_set for s in asked} == {"days"}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Chosen(subjects=("reference",)), {("stereotype_contrast", "reference")}),
        (Chosen(estimators=("log_odds",)), {("log_odds", s) for s in
                                            ("reference", "candidate", "difference")}),
        (Chosen(slices=("contrast",), subjects=("candidate",)),
         {("stereotype_contrast", "candidate"), ("log_odds", "candidate")}),
    ],
)  # fmt: skip
def test_a_selection_chooses_by_column(tmp_path, chosen, expected):
    """What is not named is not restricted, but for the default."""
    write(tmp_path, 1)
    assert {(s.estimator, s.subject) for s in read(tmp_path, chosen).series} == expected


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (Chosen(probe_sets=("nobody",)), r"no probe_set 'nobody' \(available: jobs\)"),
        (Chosen(slices=("nurse",)), r"no slice 'nurse' \(available: contrast\)"),
        (Chosen(candidates=("x",)), r"no candidate x \(available: student\)"),
        (Chosen(since="2027-01-01"), "of 1 records, only those after 2027-01-01"),
    ],
)
def test_an_empty_selection_is_not_judged_and_says_what_there_is(tmp_path, chosen, told):
    """It never ends with 0."""
    write(tmp_path, 1)
    with pytest.raises(NotJudgedError, match=told):
        read(tmp_path, chosen)


def test_since_a_record_or_a_date_leaves_out_what_is_older(tmp_path):
    """The baseline itself is left out, too."""
    folders = versions(tmp_path, [0.0, 0.1, 0.2])
    for since in (folders[0].name, str(folders[0]), "2026-01-02", "2026-01-02T12:00+00:00"):
        found = read(tmp_path, Chosen(since=since)).audits
        assert [audit.name for audit in found] == [folders[1].name, folders[2].name]
    with pytest.raises(InputError, match="neither a date such as 2026-11-23 nor a record"):
        read(tmp_path, Chosen(since="yesterday"))


def test_one_candidate_of_several_may_be_chosen(tmp_path):
    """Where one folder holds the records of several models."""
    for n, name in enumerate(["a", "b", "a"], start=1):
        write(tmp_path, n, candidate=name, weights=f"w{n}")
    found = read(tmp_path, Chosen(candidates=("a",)))
    assert [audit.number for audit in found.audits] == [1, 3]

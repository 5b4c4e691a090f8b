"""One audit on disk: whole or not there at all, and refused when it is not what was sealed."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from maskaudit.audit.errors import CannotWriteError, InputError, LockedError
from maskaudit.audit.recording import files, record
from maskaudit.audit.recording.files import held, unfinished
from maskaudit.audit.recording.record import Record, load_record, seal, tables_in
from maskaudit.audit.recording.rows import tables
from tests import manifests, strategies

# Every row of `sample` belongs to this set.
SETS: dict[str, dict[str, str]] = {"one": {}}
# A format without `bound`, so that a record is read as it was made.
MANIFEST = manifests.raw(format=4, notes=["é\n\u2028"], probe_sets=SETS)
FILES = {"record.json", "SHA256SUMS", *(f"{name}.parquet" for name in tables_in(4))}

SET, MODEL = {"probe_set": "one", "kind": "association"}, {"model": "candidate"}
ESTIMATE = {
    "probe_set": "one", "slice": "all", "mode": "corrected", "subject": "candidate", "scope": "S2",
    "estimate": 1e300, "low": float("-inf"),
}  # fmt: skip


def sample(**changed: pd.DataFrame) -> Record:
    """Return a record with a row or two in each table, missing numbers among them."""
    parts = {
        "contexts": tables.table("contexts", [{"context": "c", "text": "Él [MASK]…", "slot": 0}]),
        "items": tables.table(
            "items", [{**SET, "item": "i", "context": "c", "share": 0.1 + 0.2}, SET]
        ),
        "scores": tables.table(
            "scores",
            [
                {**MODEL, "item": "i", "value": -1 / 3, "rank": 1, "status": "ok"},
                {**MODEL, "status": "too_long"},
            ],
        ),
        "paired": tables.table("paired", []),
        "fills": tables.table("fills", [{**MODEL, "token": '\x00"\n', "probability": 5e-324}]),
        "estimates": tables.table("estimates", [ESTIMATE]),
    }
    return Record(manifests.manifest(**MANIFEST), **{**parts, **changed})


def sealed(runs: Path, what: Record | None = None) -> Record:
    """Write a record as the program does, under the name `one`."""
    with held(runs), unfinished(runs) as folder:
        return seal(what or sample(), folder, runs / "one")


def left_in(runs: Path) -> set[str]:
    """Return what lies in the folder of runs, but for the files of the lock."""
    return {path.name for path in runs.iterdir()} - {".lock"} if runs.is_dir() else set()


def assert_same(one: Record, other: Record) -> None:
    """Two records say the same: manifest and every table, value for value."""
    assert one.manifest == other.manifest
    for name in tables.COLUMNS:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def sign_again(folder: Path, name: str) -> None:
    """Write the sum of a changed file, as somebody would who knows how."""
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    sums = folder / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if not line.endswith(f"  {name}")]
    sums.write_text("\n".join([*lines, f"{digest}  {name}"]) + "\n")


# --- Written and read -----------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written(tmp_path):
    """Every number bit for bit, every missing one still missing, every character."""
    written = sealed(tmp_path)
    assert_same(written, load_record(tmp_path / "one"))
    assert_same(sample(), load_record(str(tmp_path / "one")))
    assert load_record(tmp_path / "one").path == written.path == tmp_path / "one"


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=strategies.SCORES)
@pytest.mark.slow
def test_any_scores_are_read_as_they_were_written(tmp_path_factory, rows):
    """Whatever a model gave: infinities, subnormals, any text."""
    columns = {"item": [r[0] for r in rows], "value": [r[1] for r in rows]}
    columns |= {"rank": [r[2] for r in rows], "status": ["ok"] * len(rows)}
    columns["model"] = ["candidate"] * len(rows)
    scores = tables.table("scores", columns)
    runs = tmp_path_factory.mktemp("runs")
    assert_same(sealed(runs, sample(scores=scores)), load_record(runs / "one"))


def test_a_record_holds_its_files_and_nothing_else(tmp_path):
    """No scratch file stays, in the record or beside it."""
    sealed(tmp_path)
    assert {path.name for path in (tmp_path / "one").iterdir()} == FILES
    assert left_in(tmp_path) == {"one"}


def test_the_sums_are_those_that_sha256sum_checks(tmp_path):
    """Two spaces, the name, a line a file: anybody's tool can check a record."""
    sealed(tmp_path)
    lines = (tmp_path / "one" / "SHA256SUMS").read_text().splitlines()
    listed = {line[66:]: line[:64] for line in lines}
    assert set(listed) == FILES - {"SHA256SUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == digest


def test_the_same_record_is_written_as_the_same_bytes(tmp_path):
    """Nothing of the moment or the machine gets into a file."""
    sealed(tmp_path / "a")
    sealed(tmp_path / "b")
    for name in FILES:
        assert (tmp_path / "a/one" / name).read_bytes() == (tmp_path / "b/one" / name).read_bytes()


def test_the_tables_are_plain_parquet(tmp_path):
    """Read without this program, they have the declared columns and no hidden notes."""
    sealed(tmp_path)
    for name in tables_in(4):
        schema = pq.read_schema(tmp_path / "one" / f"{name}.parquet")
        assert schema.names == list(tables.COLUMNS[name])
        assert schema.metadata is None


def test_the_newest_format_alone_has_the_pieces_of_attributes(tmp_path):
    """Its digest is bound, and a record without the file is refused; an older one is read empty."""
    row = {"probe_set": "one", "attribute": "a", "model": "candidate", "pieces": 1.5}
    counted = tables.table("attributes", [row])
    manifest = manifests.manifest(**{**MANIFEST, "format": 8})
    new = replace(sample(), manifest=manifest, attributes=counted)
    sealed(tmp_path / "new", new)
    found = load_record(tmp_path / "new/one")
    pd.testing.assert_frame_equal(found.attributes, counted)
    assert "attributes.parquet" in found.manifest.bound
    (tmp_path / "new/one/attributes.parquet").unlink()
    with pytest.raises(InputError, match=r"attributes.parquet is missing"):
        load_record(tmp_path / "new/one")
    sealed(tmp_path / "old", replace(sample(), attributes=counted))
    assert not (tmp_path / "old/one/attributes.parquet").exists()
    assert load_record(tmp_path / "old/one").attributes.empty


def test_a_table_with_other_columns_is_not_written(tmp_path):
    """What would be read as something else stays out, and so does the rest."""
    with pytest.raises(ValueError, match="table fills"):
        sealed(tmp_path, sample(fills=pd.DataFrame({"token": ["a"]})))
    assert left_in(tmp_path) == set()


def test_a_record_of_a_manifest_that_json_cannot_hold_is_not_written(tmp_path):
    """NaN is no JSON: other programs could not read the file."""
    run = sample().manifest.provenance.model_copy(update={"seconds": float("nan")})
    what = sample().manifest.model_copy(update={"provenance": run})
    with pytest.raises(ValueError, match="not JSON compliant"):
        sealed(tmp_path, replace(sample(), manifest=what))
    assert left_in(tmp_path) == set()


# --- Refused --------------------------------------------------------------------------------------


def refused(folder: Path) -> str:
    """Return the one line that refuses to read the record."""
    with pytest.raises(InputError) as caught:
        load_record(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_sums_are_numbers_and_each_file_has_one(tmp_path):
    """Capitals change no digest; two lines for a file are refused, one right or not."""
    sealed(tmp_path)
    sums = tmp_path / "one" / "SHA256SUMS"
    lines = sums.read_text().splitlines()
    upper = [f"{digest.upper()}  {name}" for digest, name in (line.split("  ") for line in lines)]
    sums.write_text("\n".join(upper) + "\n")
    assert_same(sample(), load_record(tmp_path / "one"))
    wrong = f"{'0' * 64}  items.parquet"
    for twice in ([wrong, *lines], [*lines, wrong], [*lines, lines[0]], [*lines, upper[0]]):
        sums.write_text("\n".join(twice) + "\n")
        with pytest.raises(InputError, match=r"SHA256SUMS: has two lines for one file"):
            load_record(tmp_path / "one")


@pytest.mark.parametrize("name", sorted(FILES - {"SHA256SUMS", "record.json"}))
def test_a_changed_byte_is_refused(tmp_path, name):
    """Be it the last of a table: the file is named."""
    sealed(tmp_path)
    file = tmp_path / "one" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert refused(tmp_path / "one") == f"{file}: changed since it was sealed (SHA-256 differs)"


def test_a_changed_manifest_is_refused(tmp_path):
    """A space more is enough."""
    sealed(tmp_path)
    with (tmp_path / "one" / "record.json").open("a") as file:
        file.write(" ")
    assert "record.json: changed since it was sealed" in refused(tmp_path / "one")


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.slow
def test_a_record_without_one_of_its_files_is_refused(tmp_path, name):
    """Half of a record is none."""
    sealed(tmp_path)
    (tmp_path / "one" / name).unlink()
    assert name in refused(tmp_path / "one")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"no sums here\n"])
def test_sums_that_cannot_be_read_are_refused(tmp_path, content):
    """An empty list of sums proves nothing."""
    sealed(tmp_path)
    (tmp_path / "one" / "SHA256SUMS").write_bytes(content)
    assert "the record is incomplete" in refused(tmp_path / "one")


@pytest.mark.parametrize("found", [11, 99, 0, -1, "1", None, 1.5])
@pytest.mark.slow
def test_another_format_is_refused_and_never_misread(tmp_path, found):
    """The line says which formats this version reads, and what to do."""
    sealed(tmp_path)
    file = tmp_path / "one" / "record.json"
    file.write_text(json.dumps({**MANIFEST, "format": found}))
    sign_again(tmp_path / "one", "record.json")
    told = refused(tmp_path / "one")
    assert f"record format {found!r}; this version reads formats 1 to 10" in told
    assert "Install a newer maskaudit" in told


def older(folder, number, **columns):
    """Turn a sealed record into one of an older format, whose estimates have these columns."""
    file, manifest = (folder / name for name in ("estimates.parquet", "record.json"))
    table = pq.read_table(file).drop_columns(["flag", "outcome"])
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, file)
    manifest.write_text(json.dumps(manifests.raw(probe_sets=SETS, format=number)), "utf-8")
    for name in ("estimates.parquet", "record.json"):
        sign_again(folder, name)


def test_a_record_of_the_first_format_is_read_with_flags_that_are_empty(tmp_path):
    """It has no column `reading`: nothing was said there, and every number is as it was."""
    written = sealed(tmp_path)
    older(tmp_path / "one", 1)
    read = load_record(tmp_path / "one")
    tables.check("estimates", read.estimates)
    assert (read.estimates["flag"] == "").all()
    assert (read.estimates["outcome"] == "").all()
    estimates = written.estimates.assign(flag="", outcome="")
    assert_same(replace(written, manifest=read.manifest, estimates=estimates), read)


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize(
    ("reading", "flag", "outcome"),
    [
        ("", "", ""),
        ("too_few_frames", "too_few_frames", ""),
        ("too_few_attributes", "too_few_attributes", ""),
        ("too_few_clusters", "too_few_clusters", ""),
        ("nothing_varied", "nothing_varied", ""),
        ("not_estimable", "not_estimable", ""),
        ("exploratory", "exploratory", ""),
        ("inherited", "", "undecided"),
        ("amplified", "", "amplified"),
        ("attenuated", "", "attenuated"),
        ("lost", "", "undecided"),
        ("new", "", "undecided"),
        ("flipped", "", "flipped"),
        ("undecided", "", "undecided"),
    ],
)
def test_what_older_formats_called_a_reading_is_a_flag_or_an_outcome(
    tmp_path, number, reading, flag, outcome
):
    """Every value that formats 2 and 3 could hold, by hand; what was not shown is not known."""
    written = sealed(tmp_path)
    older(tmp_path / "one", number, reading=[reading] * len(written.estimates))
    read = load_record(tmp_path / "one")
    estimates = written.estimates.assign(flag=flag, outcome=outcome)
    assert_same(replace(written, manifest=read.manifest, estimates=estimates), read)


@pytest.mark.parametrize(
    ("number", "columns"), [(3, {"reading": "amplyfied"}), (4, {"reading": "lost"})]
)
def test_a_reading_that_no_format_has_is_refused(tmp_path, number, columns):
    """A word that is not known, and a column that the format does not have."""
    written = sealed(tmp_path)
    n = len(written.estimates)
    older(tmp_path / "one", number, **{name: [value] * n for name, value in columns.items()})
    assert "cannot be read as the table estimates" in refused(tmp_path / "one")


def test_a_record_of_the_second_format_is_read_and_has_neither_key_nor_number(tmp_path):
    """It lacks them in `record.json` alone: every table is as it was."""
    written = sealed(tmp_path)
    manifest = tmp_path / "one" / "record.json"
    manifest.write_text(json.dumps(manifests.raw(probe_sets=SETS, format=2)), "utf-8")
    sign_again(tmp_path / "one", "record.json")
    read = load_record(tmp_path / "one")
    assert_same(replace(written, manifest=read.manifest), read)
    assert read.manifest.number == 0
    assert newest_of(tmp_path, "k") == (None, [])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', "\ud800"])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    """The file is named, not the line of our code that failed."""
    sealed(tmp_path)
    (tmp_path / "one" / "record.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "record.json: cannot be read as a record" in refused(tmp_path / "one")


def test_a_table_that_is_no_parquet_is_refused(tmp_path):
    """Even where its sum was written anew."""
    sealed(tmp_path)
    (tmp_path / "one" / "fills.parquet").write_bytes(b"PAR1 not really PAR1")
    sign_again(tmp_path / "one", "fills.parquet")
    assert "cannot be read as the table fills" in refused(tmp_path / "one").replace("\\", "/")


def test_a_table_under_the_name_of_another_is_refused(tmp_path):
    """Its columns are not those of its name."""
    sealed(tmp_path)
    folder = tmp_path / "one"
    (folder / "fills.parquet").write_bytes((folder / "scores.parquet").read_bytes())
    sign_again(folder, "fills.parquet")
    assert "cannot be read as the table fills" in refused(folder)


def test_a_folder_without_a_record_is_refused(tmp_path):
    """The line says what was expected."""
    assert refused(tmp_path) == f"{tmp_path}: no record here; expected a folder with record.json"
    assert "no record here" in refused(tmp_path / "none")


# --- The records of a folder ----------------------------------------------------------------------


def put(runs: Path, name: str, **said: object) -> Path:
    """Seal a record whose manifest says this, and return its folder."""
    what = replace(sample(), manifest=manifests.manifest(probe_sets=SETS, **said))
    with held(runs), unfinished(runs) as folder:
        return seal(what, folder / "0", runs / name).path


def newest_of(runs: Path, key: str) -> tuple[str | None, list[str]]:
    """Return the name of the newest whole record with a key, and what was told on the way."""
    notes: list[str] = []
    found = record.newest(record.manifests(runs), key, notes.append)
    return found and found.path.name, notes


def test_records_are_in_the_order_of_their_numbers_whatever_the_clock_said(tmp_path):
    """Those without a number, of older versions, come first, by their time."""
    put(tmp_path, "b", number=2, created="2020-01-01T00:00:00+00:00")
    put(tmp_path, "a", number=10, created="2019-01-01T00:00:00+00:00")
    put(tmp_path, "d", format=2, created="2026-01-02T00:00:00+00:00")
    put(tmp_path, "c", format=2, created="2026-01-01T00:00:00+00:00")
    put(tmp_path, "e", number=1, created="2027-01-01T00:00:00+00:00")
    (tmp_path / "overview.html").write_text("no record")
    (tmp_path / f"{files.UNFINISHED}x").mkdir()
    (tmp_path / f"{files.UNFINISHED}x" / "record.json").write_text("{}")
    assert [path.name for path in record.manifests(tmp_path)] == ["c", "d", "e", "b", "a"]
    assert record.manifests(tmp_path / "none") == {}


def damage(folder: Path, how: str) -> None:
    """Do to a record what happens to files."""
    table = folder / "scores.parquet"
    if how == "truncated":
        table.write_bytes(table.read_bytes()[:100])
    elif how == "one byte changed":
        data = bytearray(table.read_bytes())
        data[50] ^= 1
        table.write_bytes(data)
    elif how == "a table gone":
        table.unlink()
    elif how == "newer format":
        said = json.loads((folder / "record.json").read_text("utf-8"))
        (folder / "record.json").write_text(json.dumps({**said, "format": record.FORMAT + 1}))
        sign_again(folder, "record.json")
    else:
        (folder / "record.json").write_bytes(b"{")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("truncated", "scores.parquet: changed since it was sealed"),
        ("one byte changed", "scores.parquet: changed since it was sealed"),
        ("a table gone", "scores.parquet is missing"),
        ("newer format", "this version reads formats 1 to 10"),
        ("unreadable", ""),
    ],
)
@pytest.mark.slow
def test_a_damaged_record_is_named_and_the_rest_of_the_folder_is_read(tmp_path, how, told):
    """It does not count as done: the one before it does."""
    put(tmp_path, "one", number=1, key="k", created="2026-01-01T00:00:00+00:00")
    damage(put(tmp_path, "two", number=2, key="k", created="2026-01-02T00:00:00+00:00"), how)
    put(tmp_path, "three", number=3, key="other", created="2026-01-03T00:00:00+00:00")
    found, notes = newest_of(tmp_path, "k")
    assert found == "one"
    assert [told in note and "two" in note for note in notes] == ([True] if told else [])
    assert newest_of(tmp_path, "other") == ("three", [])
    assert newest_of(tmp_path, "none") == (None, [])
    assert "two" in refused(tmp_path / "two")


def test_rows_in_many_pieces_are_written_as_the_same_bytes(tmp_path):
    """Scores that came part by part, some of them from a cache, make the same file."""
    rows = pd.concat([sample().scores] * 500, ignore_index=True)
    pieces = pd.concat([rows.iloc[:3], rows.iloc[3:700].copy(), rows.iloc[700:]])
    for name, scores in (("a", rows), ("b", pieces.reset_index(drop=True))):
        sealed(tmp_path / name, sample(scores=scores))
    one, other = (tmp_path / name / "one" / "scores.parquet" for name in "ab")
    assert one.read_bytes() == other.read_bytes()


# --- Nothing half-written -------------------------------------------------------------------------


def write_and_raise(runs: Path, what: type[BaseException], when: str) -> None:
    """Write a record and fail before the first file of it, or after it has its name."""
    with held(runs), unfinished(runs) as folder:
        if when == "before":
            raise what
        seal(sample(), folder, runs / ("two" if when == "after" else "one"))
        raise what


@pytest.mark.parametrize("what", [RuntimeError, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("when", ["before", "after", "between"])
@pytest.mark.slow
def test_whatever_ends_a_run_leaves_nothing_behind(tmp_path, monkeypatch, what, when):
    """Before the first file, after the last, or between two of them."""
    write = record._write_table

    def fails(name, *rest):
        """Write three tables and fail at the next."""
        if name == "paired":
            raise what
        write(name, *rest)

    if when == "between":
        monkeypatch.setattr(record, "_write_table", fails)
    with pytest.raises(what):
        write_and_raise(tmp_path, what, when)
    assert left_in(tmp_path) == ({"two"} if when == "after" else set())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_disk_that_takes_no_more_leaves_nothing_and_says_so(tmp_path, monkeypatch, number):
    """In the middle of the tables, as it happens."""
    write = record._write_table

    def full(name, frame, path):
        """Write half of the last table."""
        if name == "estimates":
            path.write_bytes(b"PAR1")
            raise OSError(number, os.strerror(number))
        write(name, frame, path)

    monkeypatch.setattr(record, "_write_table", full)
    with pytest.raises(CannotWriteError) as caught:
        sealed(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: cannot write ({os.strerror(number)}); nothing was saved"
    )
    assert caught.value.exit_code == 74
    assert left_in(tmp_path) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.slow
def test_a_file_that_may_not_grow_is_a_disk_that_is_full(tmp_path):
    """A real limit, met by the library that writes the tables, in a process of its own."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from tests.audit.recording import test_record as t\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try: t.sealed(Path(sys.argv[1]))\n"
        "except t.CannotWriteError as error: print(error.exit_code, 'cannot write' in str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("74 True\n", "")
    assert left_in(tmp_path) == set()


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    """A file stands where the folder would be, or above it."""
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(CannotWriteError, match="cannot write"):
            sealed(place)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only to root"
)
def test_a_read_only_folder_is_told_in_one_line(tmp_path):
    """As it is on a machine where somebody else owns the folder."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CannotWriteError, match="cannot write"):
            sealed(tmp_path)
        assert left_in(tmp_path) == set()
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_file_system_is_told_before_anything_is_measured(tmp_path, monkeypatch):
    """A run of an hour does not end with a disk that could not be written from the start."""

    def read_only(*_arguments, **_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.tempfile, "mkdtemp", read_only)
    began = False
    with pytest.raises(CannotWriteError, match="Read-only file system"), unfinished(tmp_path):
        began = True
    assert not began


def test_a_record_is_not_written_over_another(tmp_path):
    """What is sealed stays, and what was to replace it is gone."""
    first = sealed(tmp_path)
    with pytest.raises(CannotWriteError):
        sealed(
            tmp_path, replace(sample(), manifest=manifests.manifest(probe_sets=SETS, maskaudit="9"))
        )
    assert_same(first, load_record(tmp_path / "one"))
    assert left_in(tmp_path) == {"one"}


# --- One writer -----------------------------------------------------------------------------------


def test_a_second_run_on_a_held_folder_is_told_who_holds_it(tmp_path):
    """And the first is not disturbed."""
    with held(tmp_path):
        code = (
            "import sys; from pathlib import Path\n"
            "from maskaudit.audit.errors import LockedError\n"
            "from maskaudit.audit.recording.files import held\n"
            "try:\n with held(Path(sys.argv[1])): print('got it')\n"
            "except LockedError as error: print(error.exit_code, error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout.startswith(f"75 {tmp_path}: held by process {os.getpid()} since 2")
        assert done.stdout.count("\n") == 1
        assert (tmp_path / ".holder").exists()
    assert left_in(tmp_path) == set()


def test_a_second_run_in_one_process_is_refused_too(tmp_path):
    """The API holds the folder as the command does."""
    with held(tmp_path), pytest.raises(LockedError), held(tmp_path):
        pass


def test_a_folder_is_free_again_after_a_run_that_failed(tmp_path):
    """The lock ends with the run, however it ends."""
    with pytest.raises(KeyboardInterrupt), held(tmp_path):
        raise KeyboardInterrupt
    with held(tmp_path):
        pass
    assert left_in(tmp_path) == set()


def test_what_a_killed_run_left_behind_is_swept_by_the_next(tmp_path):
    """Nobody else can be at work in a folder that is held."""
    (tmp_path / f"{files.UNFINISHED}x").mkdir()
    (tmp_path / f"{files.UNFINISHED}page.html").touch()
    with files.held(tmp_path):
        assert not list(tmp_path.glob(f"{files.UNFINISHED}*"))


# --- Texts beside a record ------------------------------------------------------------------------


def test_a_text_is_written_through_a_link_and_keeps_the_mode(tmp_path):
    """What a link points to is replaced, and not the link."""
    target, link = tmp_path / "target.html", tmp_path / "link.html"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    files.write_whole(link, "new")
    assert (target.read_text(), link.is_symlink()) == ("new", True)
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.html", "target.html"]


def test_a_text_is_written_into_a_device():
    """Which stays one."""
    null = Path(os.devnull)
    files.write_whole(null, "gone")
    assert null.exists()
    assert not null.is_file()


@pytest.mark.parametrize(
    "content", ["[" * 100_000 + "]" * 100_000, '{"number": ' + "9" * 4000 + "}", "[]", "x"]
)
def test_a_record_that_cannot_be_read_does_not_stand_in_the_way_of_a_new_one(tmp_path, content):
    """It has no number, or is left out."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / record.MANIFEST).write_text(content)
    found = record.manifests(tmp_path)
    assert [said.number for said in found.values()] in ([], [0])
    with pytest.raises(InputError):
        load_record(folder)

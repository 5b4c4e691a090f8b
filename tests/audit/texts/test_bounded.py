"""The reader of files from outside: what it refuses, and that nothing is read past it."""

import ast
import json
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded, lexicon, toml_files

ROOT = Path(__file__).resolve().parents[3]


def special(folder: Path, kind: str) -> Path:
    """Return a path to what is no regular file."""
    path = folder / "it"
    if kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a folder":
        path.mkdir()
    else:
        here = os.open(".", os.O_RDONLY)
        os.chdir(folder)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("it")
        os.chdir(here)
        os.close(here)
    return path


KINDS = ("a named pipe", "a device", "a folder", "a socket")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path, kind):
    """A pipe without a writer would wait without end, and /dev/zero has none."""
    path = special(tmp_path, kind)
    with pytest.raises(bounded.UnfitFileError) as caught:
        bounded.content(path, bounded.TABLE)
    assert caught.value.strerror == f"is {kind}, not a regular file"


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    """It is looked at again once it is open."""
    path = special(tmp_path, "a named pipe")
    (tmp_path / "file").write_text("")
    regular = (tmp_path / "file").stat()
    monkeypatch.setattr(bounded.os, "stat", lambda _path: regular)
    with pytest.raises(bounded.UnfitFileError, match="is a named pipe"):
        bounded.content(path, bounded.TEXT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [toml_files.document, lexicon.read])
def test_every_reader_of_text_says_so_in_one_line(tmp_path, kind, read):
    """With the path, what is there, and what was expected."""
    path = special(tmp_path, kind)
    with pytest.raises(InputError, match=rf"it: cannot be read \(is {kind}, .*\); expected a"):
        read(path)


@given(size=st.integers(0, 40), most=st.integers(0, 40))
def test_a_file_is_read_whole_or_refused_by_its_size(tmp_path_factory, size, most):
    """Also one of exactly the most bytes."""
    path = tmp_path_factory.mktemp("sizes") / "file"
    path.write_bytes(b"x" * size)
    if size <= most:
        assert bounded.content(path, most) == b"x" * size
    else:
        with pytest.raises(bounded.UnfitFileError, match=f"has {size} bytes, more than {most}"):
            bounded.content(path, most)


def test_a_sparse_file_of_gigabytes_is_refused_before_it_is_read(tmp_path):
    """It takes no room on disk, and would take all memory."""
    path = tmp_path / "AUDIT.toml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=r"has 1,024 GiB, more than 16 MiB"):
        toml_files.document(path)


def test_a_stream_is_read_to_its_bound():
    """A writer that never ends is not read to the end."""
    reader, writer = os.pipe()
    thread = threading.Thread(target=os.write, args=(writer, b"x" * 100))
    thread.start()
    with os.fdopen(reader, "rb") as source, pytest.raises(bounded.UnfitFileError):
        bounded.stream(source, 50)
    thread.join()
    os.close(writer)


def nested(depth: int, *, as_list: bool) -> object:
    """Return lists or tables, one in the other."""
    value: object = 0
    for _ in range(depth):
        value = [value] if as_list else {"a": value}
    return value


@given(depth=st.integers(bounded.DEEPEST - 2, bounded.DEEPEST + 2), as_list=st.booleans())
def test_json_is_nested_as_deep_as_is_allowed(depth, as_list):
    """And no deeper, whether in lists or in tables."""
    value = nested(depth, as_list=as_list)
    text = json.dumps(value)
    if depth <= bounded.DEEPEST:
        assert bounded.json_value(text) == value
    else:
        with pytest.raises(ValueError, match="nested more than 64 deep"):
            bounded.json_value(text)


@pytest.mark.parametrize(
    "text", ["[" * 10**6, '{"a":' * 10**5, "[" * 5000 + "]" * 5000], ids=["open", "table", "whole"]
)
def test_json_that_exhausts_the_stack_is_no_json(text):
    """A `ValueError`, which every reader of JSON expects."""
    with pytest.raises(ValueError, match=r"nested more than 64 deep|Expecting"):
        bounded.json_value(text)


@pytest.mark.parametrize("dots", [100, pytest.param(50_000, marks=pytest.mark.slow)])
def test_toml_of_many_dots_is_refused(tmp_path, dots):
    """Tables in tables need no bracket of their own."""
    path = tmp_path / "set.toml"
    path.write_text(f"[{'.'.join('a' * dots)}]\nb = 1\n")
    with pytest.raises(InputError, match=r"not valid TOML: .* nested more than 64 deep"):
        toml_files.document(path)


# --- Nothing else reads ---------------------------------------------------------------------------

_READS = {"read_text", "read_bytes", "read_table", "ParquetFile", "safe_open", "fromfile"}
_READS_OF_MODULE = {("json", "load"), ("tomllib", "load"), ("pickle", "load"), ("pq", "read_table")}
_PARSERS = {("json", "loads"), ("tomllib", "loads"), ("pydantic_core", "from_json")}
_TREES = {"glob", "rglob", "walk", "scandir"}
# Modules that may, each with its reason.
ALLOWED = {
    "audit/texts/bounded.py": "it is the reader",
    "audit/texts/patterns.py": "it bounds what it looks at",
    "audit/authoring/new_set.py": "tomllib.loads: of the text that it is about to write",
    "audit/texts/toml_files.py": "tomllib.loads: of a text that the reader read",
    "audit/texts/names.py": "tomllib.loads: of a text that the reader read",
    "audit/texts/toml_lines.py": "tomllib.loads: of one key",
    "maskaudit/pytest_plugin.py": "tomllib.loads: of a text that the reader read",
    "audit/recording/rows/parquet_files.py": "it bounds what is unpacked, from an open file",
    "audit/measuring/checkpoints/digests.py": "json.loads: of what the tokenizers library wrote",
    "audit/measuring/checkpoints/tokenizer.py": "from_file: after `recognise` saw every file",
    "audit/measuring/checkpoints/exported.py": "glob: names of three fixed forms in one folder",
    "audit/measuring/loading/pruned.py": "safe_open: of files whose headers `checkpoint` bounded",
    "audit/measuring/backends/exported/traced.py": "what OpenVINO has just written for us",
    "audit/measuring/backends/products.py": "what the system says of its processor",
    "audit/measuring/checkpoints/checkpoint.py": "safe_open bounds headers; one folder's names",
    "audit/recording/manifest.py": "from_json bounds depth; its bytes come from the reader",
    "audit/recording/places.py": "from_json bounds depth; its bytes come from the reader",
    "audit/cli/commands/records/show.py": "open: of a page in the browser",
    "audit/history/listing.py": "glob: the names in one folder of runs",
    "audit/recording/record.py": "glob: the names in one folder of records",
    "audit/recording/files.py": "glob: names that a killed run left in one folder",
    "audit/measuring/endpoints/client.py": "open: of a connection, of which it bounds the answer",
    "audit/measuring/cached/cache.py": "glob: names in the folder of the cache",
    "audit/judging/accepting/baseline.py": "glob: the names in one folder of baselines",
    "audit/measuring/cached/fingerprint.py": "our own modules",
    "audit/phantom/truth.py": "our own file",
    "audit/running/schedule.py": "our own templates",
    "probes/shipped_sizes.py": "our own sets",
    "probes/languages.py": "our own table",
    "probes/loading.py": "glob: our own sets",
    "reports/html.py": "our own templates",
    "reports/site/build.py": "our own modules",
    "reports/site/places.py": "glob: names that a killed run left in one folder",
    "reports/pdf.py": "what the browser has just printed for us",
    "reports/charts/draw.py": "json.loads: of what our own process answered",
    "reports/charts/engine.py": "json.load: of what our own process asks",
}


def product() -> list[Path]:
    """Return every module that an audit may run; `audit/proving` reads what it wrote itself."""
    files = [path for top in ("audit", "probes", "reports", "maskaudit") for path in
             (ROOT / top).rglob("*.py")]  # fmt: skip
    return [path for path in files if "proving" not in path.parts]


def direct_reads(source: str) -> list[str]:
    """Return the calls of a module that read a file, parse a text or walk a tree by themselves."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name):
            # `read_text` by itself is `audit.texts.text_files.read_text`, which asks the reader.
            name, of = function.id.replace("read_text", ""), ""
        elif isinstance(function, ast.Attribute):
            name = function.attr
            of = function.value.id if isinstance(function.value, ast.Name) else ""
        else:
            continue
        if (
            name in _READS | _TREES
            or (of, name) in _READS_OF_MODULE | _PARSERS
            or (name == "open" and of != "os" and not _writes(node))
            or (name == "from_file")
        ):
            found.append(f"line {node.lineno}: {of + '.' if of else ''}{name}")
    return found


def _writes(call: ast.Call) -> bool:
    modes = [part.value for part in call.args if isinstance(part, ast.Constant)]
    return any(isinstance(mode, str) and set(mode) & set("wax") for mode in modes)


@pytest.mark.parametrize(
    "source",
    ["path.read_text()", "open(path)", "path.open('rb')", "json.loads(text)", "pq.read_table(file)",
     "folder.rglob('*')", "json.load(file)", "path.read_bytes()", "glob.glob(name)"],
)  # fmt: skip
def test_a_direct_read_is_recognised(source):
    """Or the next test could not fail."""
    assert direct_reads(source)


def test_the_product_reads_files_by_the_one_reader():
    """A new direct read is a file from outside without a bound, unless it is listed with why."""
    reads = {
        str(path.relative_to(ROOT)): direct_reads(path.read_text("utf-8")) for path in product()
    }
    assert {path: calls for path, calls in reads.items() if calls and path not in ALLOWED} == {}
    assert {path for path in ALLOWED if not reads.get(path)} == set()

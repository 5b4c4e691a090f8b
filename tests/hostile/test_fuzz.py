"""Files that say what no program of ours would write: each is used, or refused in a line.

`make hostile` tries 2,000 of them.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskaudit.audit.authoring.first_settings import TEMPLATE
from maskaudit.audit.cli import internal, main
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.numbers import find
from maskaudit.audit.recording.record import BOUND, SUMS, TABLES, Record, seal
from maskaudit.audit.settings import resolve
from maskaudit.probes.loading import shipped
from tests.reports import records
from tests.strategies import edited, edited_table

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("MASKAUDIT_FUZZ", "12"))
ROOT = Path(__file__).resolve().parents[2]
# Each of the tests below has its share of the examples.
PARTS = {"manifests": 0.35, "tables": 0.3, "policies": 0.1, "settings": 0.1, "probes": 0.15}
GATES = """
[policy]
longest_waiver = 100000
[[gate]]
id = "change"
rule = "non_inferiority"
margin = 0.2
reason = "r"
[[gate]]
id = "level"
rule = "bound"
select = { estimator = ["magnitude", "accuracy@10"], slice = "all" }
bound = 0.5
harm = "up"
reason = "r"
[[gate]]
id = "world"
rule = "no_worse_than_world"
margin = 0.2
reason = "r"
[[waiver]]
gate = "change"
slice = "*"
owner = "o"
reason = "r"
until = 2099-01-01
"""


def share(part: str):
    """Return how a test is run: as many examples as are its share of all."""
    return settings(
        max_examples=max(1, round(EXAMPLES * PARTS[part])),
        suppress_health_check=list(HealthCheck),
        database=None,
    )


@cache
def sound() -> Record:
    """Return a small record of a pair, with two sets, and the numbers that `unbound` may have."""
    whole = records.record([records.jobs(frames=6), records.facts()])
    names = whole.estimates["estimator"]
    entries = {name: find(name) for name in names.unique()}
    known = [name for name, entry in entries.items() if entry and entry.since < BOUND]
    return replace(whole, estimates=whole.estimates[names.isin(known)].reset_index(drop=True))


@cache
def unbound() -> dict[str, object]:
    """Return its manifest in the last format without digests of its parts.

    By these, most of what is changed would be refused before anything else of it is read.
    """
    content = sound().manifest.as_json() | {"format": BOUND - 1}
    return {key: value for key, value in content.items() if key not in {"code", "bound"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a record and its gates."""
    home = tmp_path_factory.mktemp("fuzz")
    (home / "runs").mkdir()
    seal(sound(), home / "new", home / "runs/sealed")
    forged(home, unbound(), name="sound")
    (home / "gates.toml").write_text(GATES)
    return home


def run(home: Path, *arguments: str) -> int:
    """Run a command in a folder as `maskaudit` does, with an internal error raised as it is."""

    def told_of(error: Exception) -> str:
        raise error

    with (
        contextlib.chdir(home),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()) as told,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["maskaudit", *arguments])
        patch.setattr(internal, "told", told_of)
        code = main._exit_code()
    assert code in {0, 1, 2, 3}, told.getvalue()
    assert "Traceback" not in told.getvalue()
    assert code != 2 or told.getvalue().startswith("maskaudit: ")
    return code


def forged(home: Path, manifest: object, *, name: str = "forged", **tables: pd.DataFrame) -> str:
    """Seal the record again with another manifest or other tables; return its name."""
    path = home / "runs" / name
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(home / "runs/sealed", path)
    (path / "record.json").write_text(json.dumps(manifest))
    for part, table in tables.items():
        whole = pa.Table.from_pandas(table, preserve_index=False)
        pq.write_table(whole.replace_schema_metadata(), path / f"{part}.parquet")
    sums = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"
        for file in sorted(path.iterdir())
        if file.name != SUMS
    ]
    (path / SUMS).write_text("\n".join(sums) + "\n")
    return f"runs/{name}"


COMMANDS = st.sampled_from(
    [
        ("gate", "FORGED"),
        ("gate", "FORGED", "--trust"),
        ("report", "FORGED", "-o", "page.html"),
        ("report", "FORGED", "-o", "page.html", "--trust"),
        ("verify", "FORGED"),
        ("compare", "runs/sound", "FORGED"),
        ("history", "runs"),
        ("show", "FORGED"),
        ("show", "FORGED", "--trust"),
        ("list", "runs"),
    ]
)


@share("manifests")
@given(manifest=edited(unbound()), command=COMMANDS)
def test_a_manifest_is_read_or_refused(folder, manifest, command):
    """Whatever one of its words is changed to; the sums fit."""
    name = forged(folder, manifest)
    run(folder, *(name if word == "FORGED" else word for word in command))


@share("tables")
@given(data=st.data(), command=COMMANDS)
def test_a_table_is_read_or_refused(folder, data, command):
    """Whatever a column holds, and whichever rows are missing."""
    table = data.draw(st.sampled_from(TABLES))
    name = forged(folder, unbound(), **{table: data.draw(edited_table(getattr(sound(), table)))})
    run(folder, *(name if word == "FORGED" else word for word in command))


def as_toml(value: object) -> str:
    """Return values as TOML, which has no null."""

    def without(value):
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if v is not None}
        return [without(v) for v in value if v is not None] if isinstance(value, list) else value

    return tomli_w.dumps(without(value))


@share("policies")
@given(policy=edited(tomllib.loads(GATES)))
def test_gates_are_judged_by_or_refused(folder, policy):
    """Whatever a gate or a waiver says."""
    (folder / "other.toml").write_text(as_toml(policy), "utf-8")
    run(folder, "gate", "runs/sound", "--gates", "other.toml")


FULL = tomllib.loads(TEMPLATE) | {
    "models": {"reference": {"id": "a/b", "revision": "main"}, "candidate": {"id": "c"}},
}
FULL["run"]["extrinsic"] = [
    {"name": "gap", "unit": "points", "higher_is": "worse", "source": "elsewhere",
     "scores": {"c": {"value": 1.0, "std_error": 0.5}}}
]  # fmt: skip
FULL["probes"] |= {"sets": ["core", "sets/*.toml", "**/x"], "lexicon": "words.txt"}


@share("settings")
@given(tables=edited(FULL))
def test_settings_are_read_or_refused(folder, tables):
    """With everything that they name looked for."""
    (folder / "other.toml").write_text(as_toml(tables), "utf-8")
    for ask in ("runs", "gates", "lexicon", "probe_files", "extrinsic"):
        with contextlib.suppress(InputError):
            found = getattr(resolve(folder / "other.toml"), ask)
            _ = found() if callable(found) else found


RAW = [tomllib.loads(shipped()[name].read_text("utf-8")) for name in ("gender-occupation", "facts")]
RAW.append(tomllib.loads((ROOT / "examples/weekly/gender_occupation.toml").read_text("utf-8")))


def short(raw: dict) -> dict:
    """Return a set with few words and frames, since each of them is expanded."""
    if isinstance(raw, dict):
        return {key: short(part) for key, part in raw.items()}
    return [short(part) for part in raw[:7]] if isinstance(raw, list) else raw


@share("probes")
@given(raw=st.sampled_from([short(raw) for raw in RAW]).flatmap(edited))
def test_a_probe_set_is_good_or_refused(folder, raw):
    """Whatever one of its parts says."""
    (folder / "set.toml").write_text(as_toml(raw), "utf-8")
    run(folder, "probes", "check", "set.toml", "--most-items", "20000")


@pytest.mark.parametrize("command", ["gate", "report", "verify", "show"])
def test_what_is_not_changed_is_not_refused(folder, command):
    """Or the tests above would try nothing but the first check."""
    assert run(folder, command, forged(folder, unbound())) != 2

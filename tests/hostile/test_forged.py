"""Records that were changed and sealed again: refused where they load, with what does not fit."""

import hashlib
import json
import math
from copy import deepcopy
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import verdicts
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.policy import read
from maskaudit.audit.recording.record import SUMS, load_record, seal
from tests.reports import records

GATES = """
[[gate]]
id = "change"
rule = "non_inferiority"
margin = 0.2
reason = "r"
"""


@pytest.fixture(scope="module")
def sound():
    """Return the record of a pair, on one set."""
    return records.record([records.jobs(frames=6)])


@pytest.fixture
def forged(sound, tmp_path):
    """Return a function that seals the record again, with other tables or another manifest."""

    def make(change=None, **tables) -> Path:
        path = seal(sound, tmp_path / "new", tmp_path / "record").path
        manifest = deepcopy(sound.manifest.as_json())
        if change is not None:
            change(manifest)
        (path / "record.json").write_text(json.dumps(manifest))
        for name, table in tables.items():
            whole = pa.Table.from_pandas(table, preserve_index=False)
            pq.write_table(whole.replace_schema_metadata(), path / f"{name}.parquet")
        files = [file for file in sorted(path.iterdir()) if file.name != SUMS]
        sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
        (path / SUMS).write_text("\n".join(sums) + "\n")
        return path

    return make


def test_a_record_that_is_sealed_again_as_it_was_is_read(forged, sound):
    """Or the refusals below would show nothing."""
    assert load_record(forged()).manifest == sound.manifest


@pytest.mark.parametrize("value", [math.inf, -math.inf])
@pytest.mark.parametrize("column", ["estimate", "std_error", "p"])
def test_an_infinite_estimate_is_refused(forged, sound, column, value):
    """JSON could not hold a verdict on it."""
    path = forged(estimates=sound.estimates.assign(**{column: value}))
    with pytest.raises(InputError, match=f"infinite number in the column {column};"):
        load_record(path)


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        ("scores", "model", "scores.parquet has rows of a model 'x', which record.json does not"),
        ("paired", "other_model", "paired.parquet has rows of a model 'x', which record.json does"),
        ("fills", "model", "fills.parquet has rows of a model 'x', which record.json does not"),
        ("items", "probe_set", "items.parquet has rows of a probe set 'x', which record.json does"),
        ("estimates", "probe_set", "estimates.parquet has rows of a probe set 'x', which record"),
        ("items", "kind", "items.parquet has the set 'jobs' of kind 'x', record.json of 'assoc"),
    ],
)
def test_a_name_that_the_manifest_does_not_have_is_refused(forged, sound, table, column, said):
    """It would be looked up there."""
    path = forged(**{table: getattr(sound, table).assign(**{column: "x"})})
    with pytest.raises(InputError, match=said):
        load_record(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update(probe_sets={}), "rows of a probe set 'jobs'"),
        (lambda raw: raw["models"].pop("reference"), "rows of a model 'reference'"),
        (lambda raw: raw["probe_sets"]["jobs"].update(kind="words"), "record.json of 'words'"),
        (lambda raw: raw["probe_sets"]["jobs"].update(contrast=["x"]), "contrast: has 1 entry"),
    ],
)
def test_a_manifest_of_another_record_is_refused(forged, change, said):
    """It is valid by itself."""
    with pytest.raises(InputError, match=said):
        load_record(forged(change))


@pytest.mark.parametrize("names", [("scores",), ("items", "scores", "estimates"), ("estimates",)])
def test_a_record_without_rows_is_judged_as_not_measured(forged, sound, tmp_path, names):
    """And the verdict can be written."""
    path = forged(**{name: getattr(sound, name).iloc[:0] for name in names})
    (tmp_path / "gates.toml").write_text(GATES)
    today = verdicts.date(2026, 1, 1)
    judgement = judge(load_record(path), read(tmp_path / "gates.toml"), today=today)
    assert verdicts.write(judgement, path).is_file()
    assert judgement.exit_code == 3 or names == ("scores",)

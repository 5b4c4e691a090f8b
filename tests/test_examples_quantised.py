"""The example of quantised and pruned copies: it runs, and its table is that of its records."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import maskaudit
from maskaudit.audit.recording.record import load_record
from tests import tiny
from tests.audit.attempts import SET

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "quantised"
RECORDS = EXAMPLE / "records"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The script that makes the copies, as a module."""
    pytest.importorskip("torchao", reason="the example quantises with torchao")
    specification = importlib.util.spec_from_file_location("copies", EXAMPLE / "copies.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_each_copy_is_audited_against_its_parent(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record each, with what the copy is and paired differences, and a page of them all."""
    monkeypatch.chdir(tmp_path)
    parent = tiny.build(tmp_path / "parent", "distilbert")
    (tmp_path / "small.toml").write_text(SET, "utf-8")
    folders = list(example.made(str(parent), tmp_path / "copies"))
    assert [folder.name for folder in folders] == list(example.WAYS)
    records = maskaudit.run(
        reference=str(parent),
        candidates=[str(folder) for folder in folders],
        probes=["small.toml"],
        out="runs",
    )
    made = {record.manifest.models["candidate"].name: record for record in records}
    identities = {name: record.manifest.models["candidate"] for name, record in made.items()}
    assert len({identity.weights for identity in identities.values()}) == len(folders)
    derived = {name.partition("/")[2]: own.derived for name, own in identities.items()}
    assert "int8 by torchao" in derived["int8"]
    assert "int4 by torchao" in derived["int4"]
    assert "one sentence at a time" in derived["int8-dynamic"]
    assert derived["bfloat16"] == derived["pruned"] == ""
    zeros = identities["copies/pruned"].zeros
    assert zeros is not None
    assert 0 < zeros <= example.PRUNED
    for record in records:
        distances = record.paired.query("measure == 'kl'")["value"]
        assert 0 < distances.max() < 1  # another model, and no stranger
    assert len(list((tmp_path / "runs").glob("overview-*.html"))) == 1


def test_the_table_is_that_of_the_records() -> None:
    """Each number of the README, to its last place."""
    readme = (EXAMPLE / "README.md").read_text("utf-8").replace("−", "-")
    folders = sorted(RECORDS.iterdir())
    assert len(folders) == 4
    for folder in folders:
        record = load_record(folder)
        contrasts = record.estimates.query("estimator == 'stereotype_contrast'")
        rows = contrasts.set_index("subject")
        own, change = rows.loc["candidate"], rows.loc["difference"]
        interval = f"{change.low:+.4f} to {change.high:+.4f}"
        shown = f"{own.estimate:+.3f} | {change.estimate:+.4f} ({interval})"
        assert f"| {folder.name} | " in readme
        assert shown in readme, shown

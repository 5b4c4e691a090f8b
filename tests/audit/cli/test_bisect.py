"""The command `bisect`: what it takes for versions, what it prints and how it ends."""

import json
import shutil
from pathlib import Path

import pytest

RECORDS = Path(__file__).resolve().parents[3] / "examples" / "versions" / "records"
pytestmark = pytest.mark.slow


def test_the_version_that_was_trained_to_lean_further_is_named(command):
    """Two seeds that were trained alike are no change."""
    names = ("seed-1", "seed-2", "version-2")
    found = command(RECORDS, "bisect", *names, "--change", "--json", "--trust", "--fail-on-found")
    assert found.returncode == 1
    [contrast] = json.loads(found.stdout)["contrasts"]
    assert (contrast["first"], contrast["last_before"]) == ("version-2", "seed-2")
    assert found.stderr.count("trusted") == 1


def test_a_folder_stands_for_its_records_in_the_order_of_writing(command, tmp_path):
    """All versions of the example lean from the first on."""
    for name in ("seed-2", "seed-1"):
        shutil.copytree(RECORDS / name, tmp_path / "runs" / name)
    found = command(tmp_path, "bisect", "runs")
    assert found.returncode == 0
    assert "2 versions, 1 contrast" in found.stdout
    assert "First credible in seed-1" in found.stdout
    assert "it was there from the start" in found.stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["seed-1"], 2, "1 version of a model among 1 record;"),
        (["seed-1", "none"], 2, "none"),
        (["seed-1", "seed-2", "--subject", "reference"], 2, "expected one of candidate, diff"),
        (["seed-1", "seed-2", "--change", "--subject", "difference"], 2, "of the candidate"),
        (["seed-1", "seed-2", "--probe-set", "x"], 2, "expected one of occupation-person"),
    ],
)
def test_wrong_usage_is_one_line(command, words, code, told):
    """What was found and what was expected, below notes on what was read."""
    found = command(RECORDS, "bisect", *words, "--trust")
    assert found.returncode == code
    assert told in found.stderr.strip().split("\n")[-1]

"""What a command loads on its way to its first line, and what it leaves aside."""

import gc
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskaudit.audit import collector

VERSIONS = Path(__file__).parents[3] / "examples" / "versions"
# What a verdict against a baseline has no use for: models, settings, probe files, YAML of cards,
# what CI shows, and charts.
UNUSED = (
    *("torch", "transformers", "yaml", "altair", "jinja2", "rich", "scipy.stats"),
    *("maskaudit.audit.settings", "maskaudit.audit.claims", "maskaudit.probes.schema"),
    *("maskaudit.probes.expand", "maskaudit.reports.ci.markdown", "maskaudit.audit.measuring"),
)


@pytest.mark.slow
def test_a_gate_against_a_baseline_loads_nothing_that_it_does_not_use(tmp_path):
    """Its verdict is the one that the example tells of: worse, by more than the margin."""
    shutil.copytree(VERSIONS, tmp_path / "versions")
    code = (
        "import sys, maskaudit\n"
        "try: maskaudit.main()\n"
        f"finally: print([name for name in {UNUSED!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "gate", "records/version-2", "--no-github"],
        cwd=tmp_path / "versions", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "1 gate: 1 fail"
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_collector_is_as_it_was_once_models_are_loaded():
    """And a process that never began, as that of a library's user, is left alone."""
    usual = gc.get_threshold()
    try:
        collector.resume()
        assert gc.get_threshold() == usual
        collector.begin()
        assert gc.get_threshold()[0] > usual[0]
        collector.resume()
        assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()

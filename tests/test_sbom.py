"""The list of what a release is installed with: each package that is needed, and its version."""

import json
import os
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"


def listed(target: Path) -> dict:
    """Return the list as `make sbom` writes it."""
    command = ["bash", str(ROOT / ".ci" / "sbom"), str(target)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHON": sys.executable})
    return json.loads(target.read_text("utf-8"))


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """Return what the list holds."""
    return listed(tmp_path_factory.mktemp("sbom") / "sbom.json")


def needed() -> set[str]:
    """Return all that maskaudit needs here to audit models, by what is installed."""
    names: set[str] = set()
    ahead = [("maskaudit", "models")]
    while ahead:
        name, extra = ahead.pop()
        for text in requires(name) or ():
            part = Requirement(text)
            applies = part.marker is None or part.marker.evaluate({"extra": extra})
            if applies and (own := canonicalize_name(part.name)) not in names:
                names.add(own)
                ahead += [(own, wanted) for wanted in ("", *part.extras)]
    return names


def test_each_package_that_is_needed_is_listed_at_the_version_of_the_constraints(found):
    """Those that others need in turn as well, and PyTorch with what it needs."""
    lines = CONSTRAINTS.read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    pinned = {canonicalize_name(name): number for name, number in pinned.items()}
    components = {canonicalize_name(part["name"]): part["version"] for part in found["components"]}
    assert len(components) == len(found["components"])
    missing = {name for name in needed() if components.get(name, "") != pinned.get(name)}
    # PyTorch's builds for a processor with its own libraries need packages of the maker's.
    assert not {name for name in missing if not name.startswith(("nvidia-", "triton", "cuda"))}
    assert {"numpy", "torch", "transformers", "regex", "sympy"} <= components.keys()
    assert "pytest" not in components


def test_each_file_but_those_of_pytorch_has_its_sum(found):
    """As hashes.txt has them, so that who has the list can check what was fetched."""
    text = (ROOT / "hashes.txt").read_text("utf-8")
    without = set()
    for part in found["components"]:
        sums = [
            s["content"] for r in part.get("externalReferences", ()) for s in r.get("hashes", ())
        ]
        assert all(f"sha256:{each}" in text for each in sums)
        if not sums:
            without.add(part["name"])
    assert without == {"torch", "mpmath", "networkx", "setuptools", "sympy"}


def test_the_list_says_of_what_it_is_and_is_the_same_each_time(found, tmp_path):
    """The name and version of the release; no time and nothing drawn."""
    about = found["metadata"]["component"]
    assert (about["name"], about["version"]) == ("maskaudit", version("maskaudit"))
    assert found["bomFormat"] == "CycloneDX"
    assert listed(tmp_path / "again.json") == found

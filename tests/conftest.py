"""What every test stands on: no network, repeatable examples, and the data beside the project."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports huggingface_hub, which reads it once.
os.environ["HF_HUB_OFFLINE"] = "1"

# A test's time depends on what else the machine does, so no example has a deadline; where CI runs,
# the examples are the same every time.
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder `shared` beside the project: data and models that it does not carry."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("there is no folder 'shared' beside the project")
    return folder

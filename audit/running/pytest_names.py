"""Names shared by the pytest plugin's entry point and its implementation."""

import pytest

NEW = "run"


class GateWarning(pytest.PytestWarning):
    """A gate of severity `warn` did not pass."""

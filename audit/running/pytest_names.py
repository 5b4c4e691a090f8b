"""What the pytest plugin's doorway and its workings share: a warning, and words of its options."""

import pytest

NEW = "run"


class GateWarning(pytest.PytestWarning):
    """A gate of severity `warn` did not pass."""

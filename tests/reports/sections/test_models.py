"""What the page says of the models themselves."""

import pytest

from maskaudit.reports.sections.models import _identity
from tests import manifests

STORED = "F32, run as float32"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, STORED),
        ({"derived": "LoRA on a/b, merged by peft 1"}, f"{STORED}; LoRA on a/b, merged by peft 1"),
        ({"zeros": 0.4372}, f"{STORED}; 44 % of the weights of its products are 0"),
        (
            {"derived": "pruned: 4 weights, masks", "zeros": 0.5},
            f"{STORED}; pruned: 4 weights, masks; 50 % of the weights of its products are 0",
        ),
    ],
)
def test_a_derived_model_is_shown_with_how_it_was_made(
    facts: dict[str, object], expected: str
) -> None:
    """In the row of how it is stored; nothing is added for a plain checkpoint."""
    assert _identity(manifests.identity(**facts))["Stored as"] == expected

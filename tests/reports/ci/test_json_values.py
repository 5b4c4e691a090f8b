"""A judgement as plain JSON values."""

from maskaudit.reports.ci.json_values import as_json
from maskaudit.reports.words import verdicts
from tests.reports.verdicts import every


def test_json_has_the_sentences_beside_the_values():
    """Whoever reads the JSON need not make the sentences anew."""
    told = every()
    found = as_json(told)
    assert found["heading"] == verdicts.heading(told)
    assert found["meaning"] == "Exit code 1: a gate failed."
    assert {key: found[key] for key in told.as_json()} == told.as_json()

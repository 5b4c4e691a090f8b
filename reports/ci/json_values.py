"""A judgement as plain JSON values, with its opening and closing sentences."""

from typing import Any

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.reports.words import verdicts as gates


def as_json(judgement: Judgement) -> dict[str, Any]:
    """Plain JSON values of a judgement, with its `heading` and the `meaning` of its exit code."""
    sentences = {"heading": gates.heading(judgement), "meaning": gates.meaning(judgement)}
    return {**sentences, **judgement.as_json()}

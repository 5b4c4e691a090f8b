"""A judgement as plain JSON values, with its sentences."""

from typing import Any

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.reports import verdicts as gates


def as_json(judgement: Judgement) -> dict[str, Any]:
    """Plain JSON values of a judgement, with the sentences that head and end it."""
    told = {"heading": gates.heading(judgement), "meaning": gates.meaning(judgement)}
    return {**told, **judgement.as_json()}

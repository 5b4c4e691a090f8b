"""What a plan says that asking costs is what a run then asks."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.endpoints.cost import Cost
from maskaudit.audit.measuring.endpoints.endpoint import CANARIES, Endpoint
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse
from tests import tiny
from tests.served import Sent, WordModel, serving

FRAMES = """
[[frames]]
id = "first"
text = "[MASK] worked as {a attribute} for years."
[[frames]]
id = "second"
text = "They said that [MASK] is {a attribute}."
[[frames]]
id = "third"
text = "We know that [MASK] was {a attribute}."
"""
SET = tiny.small_set(("she", "woman"), ("he", "man")) + FRAMES


@pytest.fixture(scope="module")
def part() -> Expanded:
    """Give the set as it is asked."""
    return expand(parse(tomllib.loads(SET), "", "a test"))


@pytest.mark.parametrize("grade", ["exact", "censored"])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_run_asks_as_often_as_its_plan_says(
    grade: str, batch: int, part: Expanded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentences, and after each part of a set the canaries; once more, and nothing is left."""
    monkeypatch.setattr(scoring, "PART", 5)
    parts = list(scoring.parts_of(part))
    assert len(parts) > 1
    seen: list[list[str]] = []
    model = WordModel()

    def answer(body: dict[str, Any]) -> Sent:
        inputs = body["inputs"]
        seen.append([inputs] if isinstance(inputs, str) else inputs)
        return model(body)

    with serving(answer) as url:
        declared = Declared(grade=grade, batch=batch, retries=0)
        planned = Cost.of(Endpoint(url, declared, tmp_path, 1 << 20), part, parts)
        endpoint = Endpoint(url, declared, tmp_path, 1 << 20)
        before = len(seen)
        scoring.score(part, [endpoint])
        sent = seen[before:]
        assert len(sent) == planned.requests
        again = [texts for texts in sent if set(texts) <= set(CANARIES)]
        assert len(again) == len(parts) * len(CANARIES)
        assert planned.kept == 0
        left = Cost.of(endpoint, part, parts)
        assert (left.requests, left.characters, left.kept) == (0, 0, left.sentences)

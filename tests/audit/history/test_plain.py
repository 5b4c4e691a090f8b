"""A judged history as plain JSON values."""

import json
import math

import pytest

from maskaudit.audit.history import sequential
from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.plain import as_json
from maskaudit.audit.history.read import read
from tests.audit.history.folders import versions, write


@pytest.mark.slow
def test_the_plain_form_is_json_that_anybody_reads(tmp_path):
    """Unknown numbers are null; nothing is lost."""
    versions(tmp_path, [0.5] * 12, sets=("jobs", "people"))
    write(tmp_path, 13, estimate=math.nan, weights="x", sets=("jobs", "people"))
    (tmp_path / "notes").mkdir()
    made = judge(read(tmp_path))
    told = json.loads(json.dumps(as_json(made), allow_nan=False))
    assert len(told["records"]) == 13
    assert [one["record"] for one in told["skipped"]] == ["notes"]
    jobs = next(
        s for s in told["series"] if (s["probe_set"], s["subject"]) == ("jobs", "difference")
    )
    assert [point["estimate"] for point in jobs["points"]] == [0.5] * 12 + [None]
    assert [p["worse"] for p in jobs["points"]][:9] == [True] * 9
    assert jobs["change"]["p"] == 1.0
    assert told["searched"] == 4  # of two sets, the candidate and the difference
    assert len(told["alarms"]) == 18
    assert told["alpha_each"] == sequential.ALPHA / 2

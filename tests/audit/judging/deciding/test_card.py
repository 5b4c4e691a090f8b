"""The gate rule `claims`: a verdict for each claim that could be checked, of the right model."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.judging.select import judged_numbers
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.record import Record, load_record
from maskaudit.reports.ci.junit import junit
from maskaudit.reports.words import verdicts as words

STORED = Path(__file__).resolve().parents[4] / "examples/versions/records/version-2"
GATE = '[[gate]]\nid = "card"\nrule = "claims"\nclaims = "claims.json"\nreason = "r"\n'


@pytest.fixture(scope="module")
def stored() -> Record:
    """Give a record of a teacher and a student."""
    return load_record(STORED, ["items", "scores", "estimates"])


def checked(record: Record, *verdicts: str, **more: Any) -> dict[str, Any]:
    """Return checked claims of the record's candidate with these verdicts, as JSON values."""
    identity = record.manifest.models["candidate"]
    model = {"name": "m", "weights": identity.weights, "tokenizer": identity.tokenizer}
    claims = [
        {"id": f"c{n}", "kind": "casing", "says": "s", "quote": "q", "verdict": verdict,
         "evidence": f"evidence {n}"}
        for n, verdict in enumerate(verdicts)
    ]  # fmt: skip
    file = {"name": "README.md", "sha256": "0" * 64}
    whole = {
        "format": 1, "maskaudit": "0", "card": file, "claims_file": file, "model": model,
        "reference": None, "record": "", "other_model": False, "exit_code": 0, "claims": claims,
    }  # fmt: skip
    return whole | more


def judged(folder: Path, record: Record, found: object, gates: str = GATE) -> Judgement:
    """Return the judgement by a gate on checked claims; without a file of them if None."""
    (folder / "gates.toml").write_text(gates)
    if found is not None:
        (folder / "claims.json").write_text(json.dumps(found))
    read = policy.read(folder / "gates.toml")
    return judge(record, read, today=date(2026, 12, 1))


def test_each_claim_that_could_be_checked_is_a_verdict(tmp_path: Path, stored: Record) -> None:
    """What is contradicted fails and is told with its evidence; what is open is a note."""
    found = checked(stored, "confirmed", "contradicted", "not_checkable")
    judgement = judged(tmp_path, stored, found)
    told = [(verdict.name, verdict.verdict, verdict.reason) for verdict in judgement.verdicts]
    assert told == [("c0", "pass", "evidence 0"), ("c1", "fail", "evidence 1")]
    assert judgement.exit_code == 1
    note = "card: 1 of 3 claims of README.md could not be checked: c2"
    assert note in judgement.notes
    lines = words.lines(judgement)
    assert "fail  card[c1]" in lines
    assert "      Evidence 1." in lines
    assert 'type="fail" message="Evidence 1."' in junit(judgement)
    assert json.dumps(judgement.as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("verdicts", "code"), [(["confirmed"], 0), (["not_checkable"], 3), (["contradicted"], 1)]
)
def test_what_could_not_be_checked_alone_is_not_measured(
    tmp_path: Path, stored: Record, verdicts: list[str], code: int
) -> None:
    """A gate that measured nothing did not pass."""
    assert judged(tmp_path, stored, checked(stored, *verdicts)).exit_code == code


def test_claims_count_as_any_verdict_does(tmp_path: Path, stored: Record) -> None:
    """A warning does not stop, a waiver lets one claim pass, and a number is judged beside them."""
    found = checked(stored, "contradicted")
    warns = GATE + 'severity = "warn"\n'
    assert judged(tmp_path, stored, found, warns).exit_code == 0
    waiver = '[[waiver]]\ngate = "card"\nslice = "c0"\nowner = "Ann"\nreason = "known"\n'
    waived = f"{GATE}{waiver}until = 2027-01-31\n"
    assert judged(tmp_path, stored, found, waived).exit_code == 0
    number = '[[gate]]\nid = "n"\nrule = "non_inferiority"\nmargin = 9\nreason = "r"\n'
    both = judged(tmp_path, stored, found, number + GATE)
    alone = judged(tmp_path, stored, found, number)
    assert [v for v in both.verdicts if v.gate == "n"] == list(alone.verdicts)
    read = policy.read(tmp_path / "gates.toml")
    (tmp_path / "gates.toml").write_text(number + GATE)
    # Only numbers are made again before they are judged.
    assert judged_numbers(policy.read(tmp_path / "gates.toml"), stored.manifest) == judged_numbers(
        read, stored.manifest
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": None}, "were held against no model"),
        (
            {"model": {"name": "other", "weights": "w", "tokenizer": "t"}},
            "against other, which is not the candidate of the record",
        ),
        (
            {"reference": {"name": "old", "weights": "w", "tokenizer": "t"}},
            "against old, which is not the reference of the record",
        ),
        (None, "there is no claims.json; to write it: maskaudit claims CARD"),
    ],
)
def test_claims_of_other_models_and_missing_ones_are_not_measured(
    tmp_path: Path, stored: Record, change: dict[str, Any] | None, why: str
) -> None:
    """With the reason, and what to do."""
    found = None if change is None else checked(stored, "confirmed", **change)
    [verdict] = judged(tmp_path, stored, found).verdicts
    assert (verdict.verdict, verdict.name) == ("not_measured", "nothing")
    assert why in verdict.reason


def test_a_card_that_has_changed_since_is_not_measured(tmp_path: Path, stored: Record) -> None:
    """Where it lies beside the verdicts."""
    (tmp_path / "README.md").write_text("Other words.")
    [verdict] = judged(tmp_path, stored, checked(stored, "confirmed")).verdicts
    assert verdict.verdict == "not_measured"
    assert "README.md has changed since its claims were checked" in verdict.reason


def test_what_is_no_file_of_claims_is_an_error(tmp_path: Path, stored: Record) -> None:
    """And no verdict: nobody knows what it would have said."""
    with pytest.raises(InputError, match="is no file of checked claims"):
        judged(tmp_path, stored, {"format": 1})


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ("", "claims is missing; the rule claims requires it"),
        ('claims = "a.json"\nmargin = 1\n', "margin has no effect in the rule claims"),
        ('claims = "a.json"\nselect = { axis = "x" }\n', "select has no effect in the rule claims"),
        ('claims = "../a.json"\n', "expected a file in the folder of gates.toml or below it"),
        ('claims = "/a.json"\n', "expected a file in the folder of gates.toml or below it"),
    ],
)
def test_a_gate_on_claims_has_no_other_keys(tmp_path: Path, keys: str, fault: str) -> None:
    """Nor has another gate this one."""
    path = tmp_path / "gates.toml"
    path.write_text(f'[[gate]]\nid = "a"\nrule = "claims"\nreason = "r"\n{keys}')
    with pytest.raises(InputError, match=fault):
        policy.read(path)
    path.write_text('[[gate]]\nid = "a"\nrule = "bound"\nbound = 1\nreason = "r"\nclaims = "a"\n')
    with pytest.raises(InputError, match="claims has no effect in the rule bound"):
        policy.read(path)

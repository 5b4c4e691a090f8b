"""What is compared with an older version: the numbers that gates name, each as in the whole."""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting.baseline import load
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.recording.record import load_record

VERSIONS = Path(__file__).resolve().parents[3] / "examples/versions"
TODAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def newer():
    """A later version of the student."""
    return load_record(VERSIONS / "records/version-2")


def verdicts(folder, newer, select):
    """The verdicts of one gate against the accepted baseline."""
    shutil.copytree(VERSIONS / "baseline", folder / "baseline")
    rule = f'id = "a"\nrule = "versus_baseline"\nmargin = 0.3\nreason = "a test"\nselect = {select}'
    (folder / "gates.toml").write_text(f"[[gate]]\n{rule}\n", "utf-8")
    return judge(newer, policy.read(folder / "gates.toml", TODAY), today=TODAY).verdicts


def test_the_numbers_that_a_gate_names_are_those_of_the_whole_comparison(tmp_path, newer):
    """To the last bit, though thousands of others are not made."""
    baseline = load(VERSIONS / "baseline", "main").version
    whole = versions(baseline, newer).estimates
    name = "stereotype_contrast"
    part = versions(baseline, newer, wanted=name.__eq__).estimates
    assert len(part) < len(whole) / 4
    of_name = [rows[rows["estimator"] == name].reset_index(drop=True) for rows in (part, whole)]
    pd.testing.assert_frame_equal(*of_name, check_exact=True)
    [verdict] = verdicts(tmp_path, newer, '{ axis = "gender", estimator = "stereotype_contrast" }')
    of_change = whole[(whole["estimator"] == name) & (whole["subject"] == "difference")]
    assert verdict.estimate in of_change.loc[of_change["axis"] == "gender", "estimate"].tolist()


def test_a_word_that_other_numbers_have_is_not_called_unknown(tmp_path, newer):
    """A slice of the record that the named number lacks: it is there, and matches nothing else."""
    part = next(text for text in newer.estimates["slice"].unique() if text.startswith("attribute="))
    select = f'{{ axis = "gender", estimator = "stereotype_contrast", slice = "{part}" }}'
    [verdict] = verdicts(tmp_path, newer, select)
    assert verdict.reason == f"no number with slice {part!r} matches all else that the gate selects"

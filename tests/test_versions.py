"""The example of versions: its records, its margin, and the gate that tells two of them apart."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy import stats

from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting import baseline
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.phantom import truth
from maskaudit.audit.proving.phantom import train, versions, world
from maskaudit.audit.recording.record import MANIFEST, SUMS, TABLES, load_record
from maskaudit.probes.loading import load, shipped

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "versions"
SEEDS = [f"seed-{seed}" for seed in range(1, 6)]
NAMES = [*SEEDS, "version-2"]
FIRST = baseline.load(EXAMPLE / "baseline", "main").about.record
GATE = "no-regression[gender/occupation-person]"
OCCUPATIONS = shipped()["occupation-person"]
CLASSES = ("mostly_women", "mostly_men")
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def records():
    """The stored records by name."""
    return {name: load_record(EXAMPLE / "records" / name) for name in NAMES}


@pytest.fixture(scope="module")
def rules():
    """The example's gates."""
    return policy.read(EXAMPLE / "gates.toml")


@pytest.fixture(scope="module")
def judgements(records, rules):
    """What the gates say of every record, by name."""
    return {name: judge(own, rules, today=TODAY) for name, own in records.items()}


def log_odds(record, subject="candidate"):
    """Log p of an occupation after a word for a woman, less that after one for a man, by hand."""
    asked = record.items[record.items["role"] == "probe"]
    own = record.scores[(record.scores["model"] == subject) & (record.scores["measure"] == "logp")]
    return asked.merge(own[["item", "value"]], on="item")


def contrast(rows):
    """The contrast of the two classes, its standard error and what names add to it.

    From the sums of squares of STATISTICS' formula for two classes in the same frames, cell by
    cell, in loops over plain tables.
    """
    sign = rows["group"].map({"women": 1.0, "men": -1.0})
    by_term = rows.assign(value=rows["value"] * sign)
    by_term = by_term.groupby(["class", "attribute", "frame", "group", "term"])["value"].mean()
    cells = by_term.groupby(["class", "attribute", "frame", "group"]).mean()
    cells = cells.groupby(["class", "attribute", "frame"]).sum().unstack("frame")
    tables = [cells.loc[name].to_numpy() for name in CLASSES]
    n_frames = tables[0].shape[1]
    of_attributes, of_residuals = 0.0, 0.0
    for table in tables:
        n, grand = len(table), table.mean()
        squares = sum(n_frames * (row.mean() - grand) ** 2 for row in table) / (n - 1)
        rest = sum(
            (table[i, j] - table[i].mean() - table[:, j].mean() + grand) ** 2
            for i in range(n)
            for j in range(n_frames)
        ) / ((n - 1) * (n_frames - 1))
        of_attributes += squares / (n * n_frames)
        of_residuals += rest / (n * n_frames)
    by_frame = tables[0].mean(0) - tables[1].mean(0)
    of_frames = by_frame.var(ddof=1) / n_frames
    variance = max(of_attributes + of_frames - of_residuals, of_attributes, of_frames)
    by_name = by_term.groupby(["class", "group", "term"]).mean()
    for group in ("women", "men"):
        means = by_name[CLASSES[0]][group] - by_name[CLASSES[1]][group]
        variance += means.var(ddof=1) / len(means)
    return by_frame.mean(), np.sqrt(variance)


def difference(old, new):
    """Two records' scores, paired: the newer one's less the older one's."""
    left, right = log_odds(old), log_odds(new)
    keys = ["class", "attribute", "frame", "variant", "group", "term", "item"]
    both = left.merge(right, on=keys, suffixes=("_old", "_new"), validate="one_to_one")
    assert len(both) == len(left) == len(right)
    return both.assign(value=both["value_new"] - both["value_old"])


def test_the_example_that_is_made_again_is_that_of_the_project():
    """`make phantom-versions` names no folder: its default is where the example lies."""
    assert Path(__file__).parents[1] / "examples" / "versions" == versions.EXAMPLE
    assert (versions.EXAMPLE / "gates.toml").is_file()


def test_seeds_differ_no_more_than_their_intervals_say(spread):
    """Nothing but the seed differs: no pair of the ten does, at .05 for all of them together."""
    n_frames = 30
    most = stats.t.ppf(1 - 0.05 / (2 * len(spread)), n_frames - 1)
    assert all(abs(found) < most * error for found, error in spread)


@pytest.fixture(scope="module")
def spread(records):
    """The ten differences of two seeds, each with its standard error."""
    pairs = itertools.combinations(SEEDS, 2)
    return [contrast(difference(records[old], records[new])) for old, new in pairs]


def planted():
    """The contrast that was planted in the teacher, in nats."""
    values = truth.load().sets["occupation-person"].planted
    classes = load(OCCUPATIONS).classes
    means = [np.mean([values[a.text] for a in classes[name].attributes]) for name in CLASSES]
    return float(means[0] - means[1])


def test_the_versions_are_six_students_of_one_teacher_measured_alike(records):
    """Their weights differ, and nothing else does: not the teacher, the probes or the software."""
    models = [own.manifest.models for own in records.values()]
    [teacher] = {own["reference"].weights for own in models}
    # A bundled pair that is trained again has another: the page says which theirs was.
    assert f"weights `{teacher[:12]}`" in (EXAMPLE / "README.md").read_text("utf-8")
    assert len({own["candidate"].weights for own in models}) == len(NAMES)
    for key in ("method", "maskaudit"):
        assert len({json.dumps(getattr(own.manifest, key)) for own in records.values()}) == 1
    items = [own.items for own in records.values()]
    assert all(own.equals(items[0]) for own in items)


def test_a_record_is_named_in_itself_as_its_folder_is(records):
    """Whoever looks into a record sees which version it is, and nothing of where it was made."""
    for name, own in records.items():
        assert own.manifest.models["candidate"].name == f"versions/{name}"


def test_the_margin_is_what_its_reason_says(spread, rules):
    """3.1 times the largest standard error of the ten differences, up to the thousandth."""
    [only] = rules.gates
    assert 0 <= only.margin - 3.1 * max(error for _, error in spread) < 0.001
    assert "3.1 times the largest standard error" in only.reason


def test_what_was_planted_in_version_2_is_at_least_twice_the_margin(rules):
    """Kappa is 1.65 in it and 1.3 in the others, on the contrast of the teacher."""
    [only] = rules.gates
    assert (versions.WORSE.kappa["gender"] - 1.3) * planted() >= 2 * only.margin


def test_version_2_leans_further_by_what_was_planted_on_the_frames_of_its_text(records):
    """The frames kept out of the text show what a small model generalises, and are left out."""
    unseen = truth.load().sets["occupation-person"].unseen
    rows = difference(records[FIRST], records["version-2"])
    found, error = contrast(rows[~rows["frame"].isin(unseen)])
    assert abs(found - (versions.WORSE.kappa["gender"] - 1.3) * planted()) < 3 * error


@pytest.mark.parametrize("name", SEEDS)
def test_another_seed_passes(name, judgements):
    """Training anew is no regression."""
    [verdict] = judgements[name].verdicts
    assert (verdict.verdict, judgements[name].exit_code) == ("pass", 0)
    assert verdict.high < verdict.margin


def test_the_baseline_differs_from_its_own_record_by_nothing(judgements):
    """The scores that git keeps are those of the record that it names."""
    [verdict] = judgements[FIRST].verdicts
    assert (verdict.estimate, verdict.std_error) == (0, 0)


def test_version_2_fails(judgements):
    """All of its interval is above zero, and above the margin as well."""
    [verdict] = judgements["version-2"].verdicts
    assert (verdict.verdict, judgements["version-2"].exit_code) == ("fail", 1)
    assert verdict.low > verdict.margin


def test_the_baseline_is_the_seed_in_the_middle(records):
    """Of five seeds two lean less and two more, by their own cells."""
    own = {name: contrast(log_odds(records[name]))[0] for name in SEEDS}
    assert own[FIRST] == np.median(list(own.values()))


@pytest.mark.parametrize("name", [name for name in NAMES if name != FIRST])
def test_the_verdict_is_on_the_paired_difference(name, judgements, records):
    """Estimate and standard error are those of the cells, taken one by one."""
    [verdict] = judgements[name].verdicts
    estimate, error = contrast(difference(records[FIRST], records[name]))
    assert verdict.estimate == pytest.approx(estimate, abs=1e-6)
    assert verdict.std_error == pytest.approx(error, abs=1e-6)


def test_a_record_as_baseline_gives_the_verdicts_of_the_accepted_one(judgements, records, rules):
    """`--baseline` with the record that was accepted says the same as its files in git."""
    for name, own in records.items():
        found = judge(own, rules, baseline=records[FIRST], today=TODAY)
        for one, other in zip(found.verdicts, judgements[name].verdicts, strict=True):
            assert one.verdict == other.verdict
            assert one.estimate == pytest.approx(other.estimate, abs=1e-9)


def test_the_accepted_baseline_names_its_record_and_the_margin(rules):
    """What git shows to a reviewer is in step with the gate."""
    found = baseline.load(EXAMPLE / "baseline", "main")
    assert found.about.record == FIRST
    assert [one["margin"] for one in found.about.margins] == [rules.gates[0].margin]


def test_the_example_is_small():
    """Records are committed: five megabytes of them, the baseline included, and no pages."""
    files = [path for path in EXAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_300_000
    assert not [path for path in files if path.suffix == ".html"]


@pytest.fixture
def copy(tmp_path):
    """The example in a folder of its own: `maskaudit gate` writes beside the records."""
    return shutil.copytree(EXAMPLE, tmp_path / "versions")


def ran(where, *arguments):
    """Start a command as from a terminal that is no CI; the process when it has ended."""
    clean = {key: value for key, value in os.environ.items() if key not in {"CI", "GITHUB_ACTIONS"}}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=where,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


OUTCOMES = pytest.mark.parametrize(("name", "code"), [("seed-2", 0), ("version-2", 1)])


@OUTCOMES
def test_the_command_ends_with_the_code_of_the_verdict(name, code, copy, command):
    """0 for another seed and 1 for version 2, in the terminal, in JSON and in JUnit alike."""
    junit = copy / f"{name}.xml"
    done = command(copy, "gate", f"records/{name}", "--json", "--junit", str(junit))
    assert done.returncode == code, done.stderr
    [verdict] = json.loads(done.stdout)["verdicts"]
    assert verdict["verdict"] == ("fail" if code else "pass")
    assert GATE in done.stderr
    [case] = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - written just now
    assert (case.find("failure") is not None) == bool(code)


@OUTCOMES
def test_pytest_has_the_gate_as_a_test_and_so_has_its_junit(name, code, copy, judgements):
    """It passes and fails as the gate does, and has the estimate and the margin beside it."""
    junit = copy / f"{name}-pytest.xml"
    options = ["-v", "-p", "no:cacheprovider", f"--audit-record=records/{name}"]
    done = ran(copy, "pytest", *options, f"--junitxml={junit}", "gates.toml")
    assert done.returncode == code, done.stdout + done.stderr
    assert f"gates.toml::{GATE} {'FAILED' if code else 'PASSED'}" in done.stdout
    [case] = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - written just now
    assert case.get("name") == GATE
    assert (case.find("failure") is not None) == bool(code)
    found = {part.get("name"): part.get("value") for part in case.iter("property")}
    [verdict] = judgements[name].verdicts
    assert float(found["estimate"]) == pytest.approx(verdict.estimate, rel=1e-3)
    assert float(found["margin"]) == pytest.approx(verdict.margin)


def test_a_version_that_is_worse_is_not_accepted_as_the_baseline(copy, command):
    """Another seed is accepted, version 2 is refused with exit code 1, and says by how much."""
    for name, code in (("version-2", 1), ("seed-2", 0)):
        reason = ("--reason", "to see whether it would be")
        done = command(copy, "baseline", "accept", f"records/{name}", *reason)
        assert done.returncode == code, done.stderr
    assert baseline.load(copy / "baseline", "main").about.record == "seed-2"


def test_compare_names_the_contrast_that_changed(copy, command):
    """Version 2 leans further than a seed: the estimate of the gate is in the table."""
    done = command(copy, "compare", "records/seed-1", "records/version-2", "--json")
    assert done.returncode == 0, done.stderr
    assert "stereotype_contrast" in done.stdout


@pytest.fixture(scope="module")
def worlds():
    """The world with the bundled pair's amplification and with that of version 2."""
    return [world.generate({"gender": kappa}, versions.SETS) for kappa in (1.3, 1.5)]


def test_only_what_the_student_learns_moves_with_the_amplification(worlds):
    """Its log-odds are kappa times the planted ones, in the text that both losses are of."""
    plain, amplified = worlds
    assert [s.text for s in plain.sentences] == [s.text for s in amplified.sentences]
    pairs = list(zip(plain.sentences, amplified.sentences, strict=True))
    assert all(s.planted.teacher == t.planted.teacher for s, t in pairs)
    # A neutral word leans as well: "he" is likelier in any sentence.
    assert all(s.planted.student != t.planted.student for s, t in pairs)
    planted_ = plain.planted["occupation-person"]["men"]
    one, other = list(planted_)[:2]
    for kappa, made in zip((1.3, 1.5), worlds, strict=True):
        woman, man = (
            next(
                s.planted.student
                for s in made.sentences
                if s.probe_set == "occupation-person" and s.cue == word
            )
            for word in ("woman", "man")
        )
        found = np.log(woman[one] / woman[other]) - np.log(man[one] / man[other])
        assert found == pytest.approx(kappa * (planted_[one] - planted_[other]), abs=3e-4)


def test_a_student_is_made_by_its_seed_and_its_amplification(worlds, tmp_path, monkeypatch):
    """The same two give the same weights, and another seed or amplification gives others."""
    small = {}
    for kappa, made in zip((1.3, 1.5), worlds, strict=True):
        amplified = [s for s in made.sentences if s.probe_set == "occupation-person"]
        small[kappa] = replace(made, sentences=amplified[:96])
    monkeypatch.setattr(train, "generate", lambda kappa, _sets: small[kappa["gender"]])
    made = []
    for seed, kappa in ((1, 1.3), (1, 1.3), (2, 1.3), (1, 1.5)):
        folder = tmp_path / str(len(made))
        train.distil(folder, seed=seed, kappa={"gender": kappa}, sets=[], epochs=(1, 1))
        made.append((folder / "model.safetensors").read_bytes())
    assert made[0] == made[1]
    assert len(set(made)) == 3


def test_the_margin_is_of_the_pair_that_differs_most():
    """Up to the next thousandth, so that it is 3.1 standard errors at least."""
    assert versions.margin(pd.DataFrame({"std_error": [0.02, 0.0501, 0.03]})) == 0.156


def moved(folder, *, seed, kappa, sets, epochs):
    """Store the bundled student with its weights moved a little, by the seed: none is trained."""
    assert (sets, epochs) == (versions.SETS, versions.EPOCHS)
    shutil.copytree(truth.STUDENT, folder)
    draws = torch.Generator().manual_seed(seed)
    own = load_file(folder / "model.safetensors")
    for name, tensor in own.items():
        noise = torch.randn(tensor.shape, generator=draws) * tensor.float().std()
        own[name] = (tensor + 0.02 * (kappa["gender"] - 1) * noise).to(tensor.dtype)
    save_file(own, folder / "model.safetensors", metadata={"format": "pt"})


def test_the_whole_is_made_again_in_one_go(tmp_path, monkeypatch, capsys):
    """Students that are there are not trained again; records, margin and baseline follow."""
    example, students = tmp_path / "example", tmp_path / "versions"
    example.mkdir()
    text = (EXAMPLE / "gates.toml").read_text("utf-8")
    (example / "gates.toml").write_text(text, "utf-8")
    (example / "records" / "seed-1").mkdir(parents=True)
    (example / "records" / "seed-1" / "old").touch()
    moved(
        students / "seed-1", seed=1, kappa={"gender": 1.3},
        sets=versions.SETS, epochs=versions.EPOCHS,
    )  # fmt: skip
    trained = []
    few_frames = "[[frames]]".join(OCCUPATIONS.read_text("utf-8").split("[[frames]]")[:9])
    (tmp_path / "set.toml").write_text(few_frames, "utf-8")
    monkeypatch.setattr(versions, "PROBE_SET", str(tmp_path / "set.toml"))
    monkeypatch.setattr(versions, "SEEDS", versions.SEEDS[:2])
    monkeypatch.setattr(
        versions,
        "distil",
        lambda folder, **more: (trained.append(folder.name), moved(folder, **more)),
    )
    versions.main(["--example", str(example), "--students", str(students)])

    assert trained == ["seed-2", "version-2"]
    sealed = sorted([MANIFEST, SUMS, *(f"{table}.parquet" for table in TABLES)])
    for name in ("seed-1", "seed-2", "version-2"):
        assert sorted(path.name for path in (example / "records" / name).iterdir()) == sealed
    made = {name: load_record(example / "records" / name) for name in ("seed-1", "seed-2")}
    found, error = contrast(difference(made["seed-1"], made["seed-2"]))
    [only] = policy.read(example / "gates.toml").gates
    assert 0 <= only.margin - 3.1 * error < 0.001
    kept = [line for line in text.splitlines() if not line.startswith("margin")]
    again = (example / "gates.toml").read_text("utf-8").splitlines()
    assert [line for line in again if not line.startswith("margin")] == kept
    lower = min(made, key=lambda name: contrast(log_odds(made[name]))[0])
    assert baseline.load(example / "baseline", "main").about.record == lower
    told = capsys.readouterr().out
    assert f"seed-2 - seed-1  {found:+.3f} (" in told
    assert f"Margin: {only.margin:.3f}" in told
    assert f"{GATE} pass (+0.000" in told

"""Versions of the bundled student for `examples/versions`: `make phantom-versions`.

Five students are distilled from the bundled teacher with five seeds and are otherwise alike: what
differs between them is what training anew does to a model, and no gate should call that worse.
Version 2 has a seed of its own and a larger amplification planted on the gender axis, and differs
in nothing else. All six learn the text of two sets on that axis alone, one of which they are
audited on. Their records are kept, they themselves are not.

The margin of the gate in `gates.toml` is measured on the records of the seeds and written there,
and the seed in the middle is accepted as the baseline.
"""

import argparse
import math
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pandas as pd

from maskaudit.audit import pipeline, settings
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting.accept import accept as accept_record
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.phantom import truth
from maskaudit.audit.proving.phantom.leans import KAPPA
from maskaudit.audit.proving.phantom.train import distil
from maskaudit.audit.recording.record import MANIFEST, SUMS, TABLES, Record, load_record
from maskaudit.audit.vocabulary import BASELINES

EXAMPLE = Path(__file__).parents[3] / "examples" / "versions"
# Of the two shipped sets with a planted gender lean, the one with the smaller record.
PROBE_SET = "occupation-person"
SETS = (PROBE_SET, "gender-occupation")
# At the full rate, of decay: as many steps as seeds need to agree on the sentences of the text.
EPOCHS = (12, 18)
# With this margin, in standard errors, an unchanged version passes nine times in ten. A version
# worse by the whole margin passes one time in twenty, whatever the margin.
STANDARD_ERRORS = 3.1


@dataclass(frozen=True)
class Version:
    """A student: the name of its record, its training seed, and its kappa by axis."""

    name: str
    seed: int
    kappa: Mapping[str, float]


SEEDS = tuple(Version(f"seed-{seed}", seed, KAPPA) for seed in range(1, 6))
WORSE = Version("version-2", 6, {**KAPPA, "gender": 1.65})


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, audit, measure the margin, accept the baseline, and print the gate's verdicts."""
    parser = argparse.ArgumentParser(
        prog="python -m maskaudit.audit.proving.phantom.versions", description=__doc__
    )
    parser.add_argument("--example", type=Path, default=EXAMPLE, help="the folder with gates.toml")
    parser.add_argument(
        "--students",
        type=Path,
        help="keep the students in this folder, and do not train those already in it",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        students = options.students or Path(scratch) / "versions"
        # Training is what takes long: a student that is there already is audited as it is.
        for version in (*SEEDS, WORSE):
            if not (students / version.name).is_dir():
                trained(version, students)
        audits = audited(students, Path(scratch) / "runs")
        for version, record in zip((*SEEDS, WORSE), audits, strict=True):
            keep(record, options.example / "records" / version.name)
    records = read(options.example)
    pairs = differences([records[version.name] for version in SEEDS])
    set_margin(options.example / policy.DEFAULT_FILE, margin(pairs))
    accept(records[middle(records)], options.example)
    sys.stdout.write(summary(options.example, records, pairs))


def trained(version: Version, students: Path) -> None:
    """Train a student in `students`; its folder appears only when training is complete."""
    unfinished = students / "unfinished" / version.name
    distil(unfinished, seed=version.seed, kappa=version.kappa, sets=SETS, epochs=EPOCHS)
    unfinished.rename(students / version.name)


def audited(students: Path, runs: Path) -> list[Record]:
    """Audit every student against the teacher in one run; return a record per version, in order."""
    run_settings = settings.resolve(
        reference=str(truth.TEACHER),
        candidates=[str(students / version.name) for version in (*SEEDS, WORSE)],
        probes=[PROBE_SET],
        out=runs,
        no_cache=True,
    )
    return pipeline.run_all(run_settings)


def keep(record: Record, folder: Path) -> None:
    """Replace `place` with a copy of the record's sealed files, without its pages."""
    assert record.path is not None  # noqa: S101 - it was just sealed
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in (MANIFEST, SUMS, *(f"{table}.parquet" for table in TABLES)):
        shutil.copy(record.path / name, folder)


def read(example: Path) -> dict[str, Record]:
    """Load the example's records, by name."""
    paths = sorted((example / "records").iterdir())
    return {path.name: load_record(path) for path in paths}


def differences(records: Sequence[Record]) -> pd.DataFrame:
    """Return the change of the stereotype contrast between every two records, a row per pair.

    A row is one of `estimates` (the later record minus the earlier, paired by item, in nats, with
    the interval that a gate judges) plus the records' names, `old` and `new`.
    """
    rows = []
    for old, new in combinations(records, 2):
        comparison = versions(old, new)
        [row] = _contrasts(comparison.estimates, DIFFERENCE).to_dict("records")
        rows.append({"old": comparison.old, "new": comparison.new, **row})
    return pd.DataFrame(rows)


def middle(records: Mapping[str, Record]) -> str:
    """Return the name of the seed with the median contrast (the lower one of an even number).

    Not the first: by chance it may be the one at an end, from which all others differ most.
    """

    def contrast(version: Version) -> float:
        [row] = _contrasts(records[version.name].estimates, CANDIDATE)["estimate"]
        return float(row)

    return sorted(SEEDS, key=contrast)[(len(SEEDS) - 1) // 2].name


def margin(pairs: pd.DataFrame) -> float:
    """Return 3.1 times the pairs' largest standard error, in nats, rounded up to thousandths.

    The largest and not the mean: seeds differ on the frames kept out of training, some pairs twice
    as much as others, and the gate should be decisive for any pair.
    """
    return math.ceil(1000 * STANDARD_ERRORS * float(pairs["std_error"].max())) / 1000


def set_margin(file: Path, value: float) -> None:
    """Replace the one margin in the example's gates.toml."""
    text, count = re.subn(r"(?m)^margin = \S+", f"margin = {value:.3f}", file.read_text("utf-8"))
    assert count == 1, f"{file}: expected one margin, found {count}"  # noqa: S101 - our own file
    file.write_text(text, "utf-8")


def accept(record: Record, example: Path) -> None:
    """Delete the example's baselines and accept this record."""
    folder = example / BASELINES
    shutil.rmtree(folder, ignore_errors=True)
    reason = "The first version, and of five seeds the one in the middle."
    accept_record(record, folder, "main", reason)


def summary(example: Path, records: Mapping[str, Record], pairs: pd.DataFrame) -> str:
    """Return the contrasts, the differences, the margin and the gate's verdicts as text."""
    lines = ["Stereotype contrast by version, nats, with its 95 % interval:"]
    lines += [
        f"  {name:<10}{_interval(_contrasts(record.estimates, CANDIDATE).iloc[0])}"
        for name, record in records.items()
    ]
    lines.append("Difference of two seeds, paired by item:")
    lines += [
        f"  {row['new']} - {row['old']}  {_interval(row)}, standard error {row['std_error']:.4f}"
        for _, row in pairs.iterrows()
    ]
    lines.append(f"Margin: {margin(pairs):.3f}")
    rules = policy.read(example / policy.DEFAULT_FILE)
    today = datetime.now(UTC).date()
    for record in records.values():
        judgement = judge(record, rules, today=today)
        lines += [
            f"  {judgement.record:<10}{verdict.gate}[{verdict.name}] {verdict.verdict}"
            f" ({verdict.estimate:+.3f}, at most {verdict.high:+.3f})"
            for verdict in judgement.verdicts
        ]
    return "\n".join([*lines, ""])


def _contrasts(estimates: pd.DataFrame, subject: str) -> pd.DataFrame:
    matching = (estimates["estimator"] == CONTRAST) & (estimates["subject"] == subject)
    return estimates[matching]


def _interval(row: "pd.Series[float]") -> str:
    return f"{row['estimate']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


if __name__ == "__main__":
    main()

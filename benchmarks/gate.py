"""Time a verdict as a user experiences it: the whole process, from the command to the exit code.

    python benchmarks/gate.py RECORD

A record of the shipped sets is judged by a policy of two gates, and against a baseline accepted
from itself. For comparison, the same rounds time the interpreter with only its libraries loaded,
which is the lower limit for a verdict. Importing torch is blocked.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
GATES = """
[[gate]]
id = "reference"
rule = "non_inferiority"
margin = 0.2
reason = "a benchmark"

[[gate]]
id = "level"
rule = "bound"
bound = 1.0
reason = "a benchmark"
"""
VERSUS = """
[[gate]]
id = "baseline"
rule = "versus_baseline"
margin = 0.2
reason = "a benchmark"
"""
LIBRARIES = "import numpy, pandas, pyarrow.parquet, scipy.special, pydantic, typer"
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; import maskaudit; maskaudit.main()"


def seconds(arguments: list[str], folder: Path) -> float:
    """Wall time of one process."""
    start = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", *arguments], cwd=folder, capture_output=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return time.perf_counter() - start


def main() -> None:
    """Time the commands in turn, and print medians."""
    record = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "own.toml").write_text(GATES, "utf-8")
        (folder / "versus.toml").write_text(VERSUS, "utf-8")
        accepted = ["baseline", "accept", record, "--reason", "a benchmark"]
        seconds([WITHOUT_TORCH, *accepted], folder)
        asked = {
            "the libraries alone": [LIBRARIES],
            "verdicts on the record": [WITHOUT_TORCH, "gate", record, "--gates", "own.toml"],
            "verdicts against a baseline": [
                WITHOUT_TORCH,
                "gate",
                record,
                "--gates",
                "versus.toml",
            ],
        }
        took: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, arguments in asked.items():
                took[name].append(seconds(arguments, folder))
    base = statistics.median(took["the libraries alone"])
    for name, times in took.items():
        middle = statistics.median(times)
        print(f"{name}: {middle:.2f} s ({min(times):.2f} to {max(times):.2f}; {middle / base:.1f})")


if __name__ == "__main__":
    main()

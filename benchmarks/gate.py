"""Time a verdict in whole, from the command to the exit code: seconds of processor time.

    python benchmarks/gate.py RECORD

A record of the shipped sets is judged by a policy of two gates, and against a baseline accepted
from itself. For comparison, the same rounds time the interpreter with only its libraries loaded,
which is the lower limit for a verdict. Importing torch is blocked.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
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
# A module that is None instead would be taken for torch by scipy.
WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ImportError(name)

sys.meta_path.insert(0, NoTorch())
import maskaudit
maskaudit.main()
"""


def seconds(arguments: list[str], folder: Path) -> float:
    """Processor time of one process, which other processes hardly change."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", *arguments], cwd=folder, capture_output=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # 1 and 3 are verdicts; anything else would time an error.
    if done.returncode not in {0, 1, 3}:
        raise SystemExit(done.stderr.decode())
    return took


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

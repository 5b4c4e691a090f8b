"""What whole commands take: an audit from a cold cache, starts, peak memory, and growth."""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import routes
from routes import Times, in_turn

_HERE = Path(__file__).resolve().parent
_MIB = 1 << 20
_SIZES = (1_000, 10_000, 100_000)
# Exit codes of a verdict; any other would time an error.
_VERDICTS = frozenset({0, 1, 3})
_GATES = """
[[gate]]
id = "{}"
rule = "{}"
margin = 0.2
reason = "a benchmark"
"""


def measured() -> list[str]:
    """The tables of an audit and of starts, measured on the record that the audit made."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        audit = Times()
        for number in range(3):
            # Each with a cache of its own: the second would take the scores of the first.
            own = {"MASKAUDIT_CACHE": str(folder / f"cache{number}")}
            out = folder / f"runs{number}"
            audit.timed(partial(_run, ["run", "--out", str(out)], folder, own))
        [record] = [str(path) for path in (folder / "runs0").iterdir() if path.is_dir()]
        for name, rule in (("own", "non_inferiority"), ("versus", "versus_baseline")):
            (folder / f"{name}.toml").write_text(_GATES.format(name, rule), "utf-8")
        _run(["baseline", "accept", record, "--reason", "a benchmark"], folder)
        sentence = "The nurse said that [MASK] was tired."
        commands = {
            "--help": ["--help"],
            "gate --help": ["gate", "--help"],
            "gate, verdicts on the record": ["gate", record, "--gates", "own.toml"],
            "gate, against a baseline": ["gate", record, "--gates", "versus.toml"],
            "report": ["report", record, "-o", "page.html"],
            "compare, with a baseline": ["compare", "main", record],
            "history, one record": ["history", str(folder / "runs0")],
            "fill, the bundled pair": ["fill", sentence],
        }
        times = in_turn({name: partial(_run, words, folder) for name, words in commands.items()})
    return [
        "",
        "## Whole commands",
        "",
        (
            "From the command to its end, in a new process each time. `make audit` is the bundled "
            "pair on the core sets, from an empty cache, set-up left out; the record that it made "
            "is what the others read."
        ),
        "",
        "| command | seconds | processor seconds |",
        "|---|--:|--:|",
        *(
            f"| `{name}` | {median(own.wall):.2f} | {median(own.processor):.2f} |"
            for name, own in {"make audit": audit, **times}.items()
        ),
    ]


def memory(folder: Path, texts: list[str], size: str) -> list[str]:
    """The table of peak memory of processes that score the texts with the checkpoint."""
    (folder / "texts.txt").write_text("\n".join(texts), "utf-8")
    lines = [
        "",
        "## Memory",
        "",
        (
            f"The most that a process has held when it has scored {len(texts)} sentences at "
            f"{size}; a process of its own for each."
        ),
        "",
        "| process | peak MiB |",
        "|---|--:|",
    ]
    for name in ("libraries alone", "pipeline", "maskaudit", "maskaudit, bfloat16", "two models"):
        command = [sys.executable, str(_HERE / "peak.py"), name, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        lines.append(f"| {name} | {int(done.stdout.split()[-1]) / _MIB:,.0f} |")
    return lines


def growth() -> list[str]:
    """The table of an audit's seconds and memory by the number of items."""
    lines = [
        "",
        "## Growth",
        "",
        (
            "An audit of a made-up set by one tiny model with random weights "
            "(`benchmarks/memory.py`): half as many sentences as items, a prior for each item. "
            "Wall seconds of each stage, and the peak memory above the loaded model."
        ),
        "",
        "| items | expanding | scoring | estimating | writing | page | ms an item | peak MiB |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for size in _SIZES:
        command = [sys.executable, str(_HERE / "memory.py"), "--one", str(size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        # A line of each stage: its name, the peak so far, its seconds, the longest silence.
        stages = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line]
        seconds = [float(stage[2].replace(",", "")) for stage in stages]
        told = " | ".join(f"{one:.1f}" for one in seconds)
        each = 1000 * sum(seconds) / size
        lines.append(f"| {size:,} | {told} | {each:.2f} | {stages[-1][1]} |")
    return lines


def _run(words: list[str], folder: Path, also: dict[str, str] | None = None) -> None:
    """Run a command of ours; raises `SystemExit` if it ends with an error."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "maskaudit", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "OMP_NUM_THREADS": str(routes.torch.get_num_threads()),
            **(also or {}),
        },
    )
    if done.returncode not in _VERDICTS:
        raise SystemExit(f"{words[0]}: {done.stderr}")

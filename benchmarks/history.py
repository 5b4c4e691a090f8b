"""A history of 300 records of the core sets: the whole command, and each of its parts.

    python benchmarks/history.py [RECORD] [--records 300]

The records are derived from one real record (without RECORD the bundled pair is audited first):
each has another model, slightly shifted numbers, and its own checksums. Tables that a history does
not read are links to those of the original. Prints medians of five runs; wall time depends on the
load of the machine, processor time less so.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import maskaudit
from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import read
from maskaudit.audit.recording import binding
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import file_digests, read_manifest
from maskaudit.reports.html import render_over_time
from maskaudit.reports.over_time import page as pages
from maskaudit.reports.terminal import history as words

RUNS = 5
START = datetime(2026, 1, 1, tzinfo=UTC)
MOVED = ("estimate", "low", "high")


def main() -> None:
    """Make the records, time the command and its parts, and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path, nargs="?")
    parser.add_argument("--records", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = arguments.record or maskaudit.run(out=Path(folder) / "one").path
        runs = Path(folder) / "runs"
        multiply(record, runs, arguments.records)
        found = read(runs)
        judged = judge(found)
        parts: dict[str, Callable[[], object]] = {
            "read": lambda: read(runs),
            "judge": lambda: judge(found),
            "text": lambda: words.text(judged),
            "page": lambda: render_over_time(pages.page(judged)),
        }
        print(f"{arguments.records} records, {len(found.series)} series")
        tell("the whole command", [spent(["history", str(runs)]) for _ in range(RUNS)])
        tell("  of it, the start", [spent(["--version"], also=IMPORTS) for _ in range(RUNS)])
        for name, part in parts.items():
            tell(f"  {name}", [timed(part) for _ in range(RUNS)])


IMPORTS = (
    "import maskaudit.audit.history.read, maskaudit.audit.history.judge, "
    "maskaudit.reports.over_time.page"
)


def multiply(record: Path, runs: Path, n: int) -> None:
    """Write `n` records derived from one, a day apart.

    Each is of another model, and its estimates and intervals are shifted by one random amount.
    """
    manifest = read_manifest(record)
    table = pq.read_table(record / "estimates.parquet")
    numbers = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    texts = [f.name for f in table.schema if f.name not in numbers]
    rng = np.random.default_rng(0)
    measured = file_digests(record, [f"{name}.parquet" for name in binding.MEASURED])
    for i in range(n):
        created = START + timedelta(days=i)
        folder = runs / f"{created:%Y%m%dT%H%M%SZ}-{i:08}"
        folder.mkdir(parents=True)
        weights = hashlib.sha256(str(i).encode()).hexdigest()
        candidate = manifest.models["candidate"].model_copy(update={"weights": weights})
        updates = {
            "created": created.isoformat(),
            "number": i + 1,
            "models": {**manifest.models, "candidate": candidate},
        }
        said = bound(manifest.model_copy(update=updates), measured)
        (folder / "record.json").write_text(json.dumps(said.as_json(), indent=1), "utf-8")
        moved, by = table, rng.normal(0, 0.05)
        for name in MOVED:
            moved = moved.set_column(table.column_names.index(name), name, pc.add(table[name], by))
        pq.write_table(
            moved,
            folder / "estimates.parquet",
            compression="zstd",
            use_dictionary=texts,
            use_byte_stream_split=numbers,
        )
        for path in record.iterdir():
            if path.suffix == ".parquet" and not (folder / path.name).exists():
                os.link(path, folder / path.name)
        sums = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
            for path in sorted(folder.iterdir())
        ]
        (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", "utf-8")


def bound(manifest: Manifest, measured: dict[str, str]) -> Manifest:
    """The manifest with the key of its parts, and bound to the tables with these digests."""
    parts = (manifest.models, manifest.probe_sets, manifest.method, manifest.settings)
    keyed = manifest.model_copy(update={"key": binding.key_of(*parts, manifest.code)})
    return keyed.model_copy(update={"bound": binding.bound(keyed, measured)})


def spent(command: list[str], also: str = "pass") -> tuple[float, float]:
    """Wall and processor seconds of a whole process."""
    code = f"import sys; {also}; import maskaudit; sys.argv[1:] = {command!r}; maskaudit.main()"
    before = os.times()
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603
    clock, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return clock, used - before.children_user - before.children_system


def timed(part: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one part."""
    start, used = time.perf_counter(), time.process_time()
    part()
    return time.perf_counter() - start, time.process_time() - used


def tell(name: str, seconds: list[tuple[float, float]]) -> None:
    """Print the medians."""
    clock, used = (statistics.median(values) for values in zip(*seconds, strict=True))
    print(f"{name:20} {clock:6.2f} s on the clock, {used:6.2f} s of the processor")


if __name__ == "__main__":
    main()

"""Time the page of a record, and what is done before it: seconds of processor time.

    python benchmarks/page.py RECORD [ROUNDS]

In a new process for each round, as a command begins: the imports; the record read and its numbers
made again, those that its page alone shows included, as `maskaudit report` and `run` have them; the
two files of the page; the same of a record that was read and not made again; and what the site of a
folder does for one record. Medians and the least are printed; the charts' engine is a process of
its own and not counted.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

_STEPS = ("imports", "numbers", "page", "page, read alone", "on a site")


def _steps(record: Path, folder: Path) -> Iterator[float]:
    """Yield the processor time at which each step is done."""
    import time

    from maskaudit.audit.recording.record import load_record
    from maskaudit.audit.verifying.recomputed import OF_PAGE
    from maskaudit.audit.verifying.verify import load_held
    from maskaudit.reports.html import render_reader, write_page
    from maskaudit.reports.reader.reader import fewer, numbers, reader

    yield time.process_time()
    held, _ = load_held(record, lambda _: OF_PAGE)
    yield time.process_time()
    write_page(held, folder / "page.html")
    yield time.process_time()
    write_page(load_record(record), folder / "page.html")
    yield time.process_time()
    held, _ = load_held(record, numbers, fewer)
    render_reader(reader(held, None, ""))
    yield time.process_time()


def main() -> None:
    """Time one record in several processes, or, with a folder as the third argument, in this."""
    record = Path(sys.argv[1])
    if len(sys.argv) > 3:  # noqa: PLR2004 - a round of its own
        done = [0.0, *_steps(record, Path(sys.argv[3]))]
        print(json.dumps([after - before for before, after in pairwise(done)]))
        return
    import tempfile

    rounds = []
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):  # noqa: PLR2004
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, str(record), "1", folder]
            made = subprocess.run(  # noqa: S603 - this file
                command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
            rounds.append(json.loads(made.stdout))
    for step, taken in zip(_STEPS, zip(*rounds, strict=True), strict=True):
        print(f"{step:18} {statistics.median(taken):6.2f} {min(taken):6.2f}")


if __name__ == "__main__":
    main()

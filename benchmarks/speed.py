"""Measure how fast sentences are scored, side by side, and write benchmarks/RESULTS.md.

    python benchmarks/speed.py [--threads 2] [--sentences 96] [--rounds 5] [--pairs FILE.csv]

Every route is measured in turn in each of five rounds; ratios are medians over the rounds, so that
what else the machine does in a round touches both sides of them. Checkpoints have the size of
DistilBERT and of BERT, and random weights. Sentences in pairs are those of CrowS-Pairs where it
lies beside the project. With --quick the slow parts are left out: whole commands and growth.
"""

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import checkpoints
import commands
import likelihoods
import routes
import torch
import transformers
from checkpoints import BERT, DISTILBERT, Size
from routes import Plain, in_turn, ratio

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.measuring.engine import Engine
from maskaudit.probes.expand import Expanded

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
OURS, LOWER = "maskaudit", "maskaudit, bfloat16"
PRODUCT, LOWER_PRODUCT = "matrix products", "matrix products, bfloat16"
ONE_BY_ONE, BATCHES = "pipeline, one by one", "pipeline, batches of 32"


def main() -> None:
    """Measure everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--sentences", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=routes.ROUNDS)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    routes.ROUNDS = arguments.rounds
    pairs = arguments.pairs
    if pairs is None and likelihoods.CROWS_PAIRS.is_file():
        pairs = likelihoods.CROWS_PAIRS
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    rows = checkpoints.shipped()
    more = [] if pairs is None else likelihoods.of_file(pairs)
    busy = [os.getloadavg()[0]]
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in (DISTILBERT, BERT):
            n = max(2, arguments.sentences * DISTILBERT.layers // size.layers)
            folder = checkpoints.built(Path(temporary) / size.architecture, size, rows, more)
            own, plain = load(folder), Plain(folder)
            lower = load(folder, engine=Engine(dtype="bfloat16"))
            expanded = checkpoints.sampled(rows, n)
            print(f"measuring {size.name}", flush=True)
            lines += _throughput(size, expanded, own, lower, plain)
            if size is DISTILBERT:
                lines += _one_thread(expanded, own, lower, plain)
                lines += _together(expanded, own)
                lines += likelihoods.measured(pairs, expanded, own, plain, folder)
                lines += commands.memory(folder, list(expanded.contexts["text"]), size.name)
            del own, lower, plain
            busy.append(os.getloadavg()[0])
    if not arguments.quick:
        print("measuring whole commands", flush=True)
        lines += [*commands.measured(), *commands.growth()]
    busy.append(os.getloadavg()[0])
    heading = _heading(arguments.threads, busy)
    RESULTS.write_text("\n".join([*heading, *lines]) + "\n", "utf-8")
    print(RESULTS.read_text("utf-8"))


def _heading(threads: int, busy: list[float]) -> list[str]:
    return [
        "# Speed, as `make bench` measured it",
        "",
        (
            f"Written by `benchmarks/speed.py` on {datetime.now(UTC):%Y-%m-%d}; nothing here is "
            "typed by hand."
        ),
        "",
        (
            f"{_processor()}, {threads} threads, {torch.backends.cpu.get_cpu_capability()}; torch "
            f"{torch.__version__}, transformers {transformers.__version__}, Python "
            f"{platform.python_version()}. Medians of {routes.ROUNDS} rounds in turn. The machine "
            f"has {os.cpu_count()} processors, and {min(busy):.0f} to {max(busy):.0f} threads "
            f"wanted to run at a time, {threads} of them this command's: where it is more, wall "
            "times are of a busy machine, and processor times and ratios are what counts."
        ),
    ]


def _throughput(
    size: Size, expanded: Expanded, own: LoadedModel, lower: LoadedModel, plain: Plain
) -> list[str]:
    """The routes at one size, in sentences a second and in the share of the machine's peak."""
    texts = list(expanded.contexts["text"])
    targets = list(dict.fromkeys(expanded.items["target"]))[:2]
    pieces = [len(encoded.ids) for encoded in own.encode(texts)]
    # The slow routes read every fourth sentence; what is compared is the time of a sentence.
    few = texts[::4]
    works = {
        PRODUCT: routes.matrix_product(),
        LOWER_PRODUCT: routes.matrix_product(torch.bfloat16),
        ONE_BY_ONE: plain.pipeline(few, targets, 1),
        BATCHES: plain.pipeline(texts, targets, 32),
        "pipeline, batches of 128": plain.pipeline(texts, targets, 128),
        "loop sorted by length, batches of 32": plain.sorted_loop(texts),
        OURS: partial(scoring.score, expanded, [own]),
        LOWER: partial(scoring.score, expanded, [lower]),
    }
    times = in_turn(works)
    counts = dict.fromkeys(works, len(texts)) | {ONE_BY_ONE: len(few)}
    peaks = {
        name: [
            routes.PRODUCTS / median(seconds) / 1e9
            for seconds in (times[name].wall, times[name].processor)
        ]
        for name in (PRODUCT, LOWER_PRODUCT)
    }
    needed = sum(map(size.needed, pieces))
    lines = [
        "",
        (
            f"## {size.name}: {len(texts)} sentences of {min(pieces)} to {max(pieces)} pieces, "
            f"{sum(pieces) / len(pieces):.1f} on average"
        ),
        "",
        (
            f"From text to tables: log p of two targets a sentence, ranks, 20 fills and entropy by "
            f"maskaudit; two probabilities a sentence by the others. A sentence needs "
            f"{needed / len(texts) / 1e9:.2f} GFLOP on average. The machine's own products ran at "
            f"{_told(peaks[PRODUCT])} in float32, and at {_told(peaks[LOWER_PRODUCT])} in "
            "bfloat16, each by the faster of torch's kernel and of oneDNN with its weights laid "
            f"out beforehand. In bfloat16 log p of any piece was within "
            f"{lower.identity.from_float32:.3f} nats of float32 on trial sentences; its share is "
            "of the peak of bfloat16."
        ),
        "",
        (
            "| route | sentences/s | processor ms a sentence | times the pipeline at 32 (wall, "
            "processor) | share of the peak (wall, processor) |"
        ),
        "|---|--:|--:|--:|--:|",
    ]
    base = times[BATCHES]
    for name, own_times in times.items():
        if name in peaks:
            continue
        peak = times[LOWER_PRODUCT if name == LOWER else PRODUCT]
        share = counts[name] / len(texts)
        faster = [share / one for one in ratio(own_times, base)]
        # Of each round: what the products took in it is what the machine gave then.
        of_peak = [share * needed / routes.PRODUCTS / one for one in ratio(own_times, peak)]
        lines.append(
            f"| {name} | {counts[name] / median(own_times.wall):.1f} "
            f"| {1000 * median(own_times.processor) / counts[name]:.1f} "
            f"| {faster[0]:.2f}, {faster[1]:.2f} "
            f"| {of_peak[0]:.0%}, {of_peak[1]:.0%} |"
        )
    return lines


def _told(peak: list[float]) -> str:
    wall, processor = peak
    return f"{wall:.0f} GFLOP a second ({processor:.0f} a second of processor time)"


def _one_thread(
    expanded: Expanded, own: LoadedModel, lower: LoadedModel, plain: Plain
) -> list[str]:
    """The same on one thread."""
    texts = list(expanded.contexts["text"])
    targets = list(dict.fromkeys(expanded.items["target"]))[:2]
    works = {
        BATCHES: plain.pipeline(texts, targets, 32),
        OURS: partial(scoring.score, expanded, [own]),
        LOWER: partial(scoring.score, expanded, [lower]),
    }
    times = in_turn({name: routes.with_threads(1, work) for name, work in works.items()})
    lines = [
        "",
        "On one thread:",
        "",
        "| route | sentences/s | times the pipeline at 32 (wall, processor) |",
        "|---|--:|--:|",
    ]
    for name, own_times in times.items():
        wall, processor = ratio(times[BATCHES], own_times)
        rate = len(texts) / median(own_times.wall)
        lines.append(f"| {name} | {rate:.1f} | {wall:.2f}, {processor:.2f} |")
    return lines


def _together(expanded: Expanded, own: LoadedModel) -> list[str]:
    """Two models in one pass with their distances, against each alone."""
    times = in_turn(
        {
            "alone": partial(scoring.score, expanded, [own]),
            "together": partial(scoring.score, expanded, [own, own]),
        }
    )
    wall, processor = (one / 2 for one in ratio(times["together"], times["alone"]))
    return [
        "",
        "## Two models in one pass",
        "",
        (
            f"Two of DistilBERT size, with the distances between them: **{wall:.2f}** times the "
            f"sum of each alone (wall), **{processor:.2f}** (processor)."
        ),
    ]


def _processor() -> str:
    """The name of the processor, where the system tells it."""
    file = Path("/proc/cpuinfo")
    if file.is_file():
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()

"""Measure how fast sentences are scored, side by side, and write benchmarks/RESULTS.md.

    python benchmarks/speed.py [--threads 2] [--sentences 128] [--pairs CROWS_PAIRS.csv]

Every route is measured in turn in each of five rounds; ratios are medians over the rounds, so that
what else the machine does in a round touches both sides of them. Checkpoints have the size of
DistilBERT and of BERT, and random weights.
"""

import argparse
import csv
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import checkpoints
import routes
import torch
import transformers
from checkpoints import BERT, DISTILBERT, Size
from routes import Plain, Times, in_turn, ratio

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.probes.expand import Expanded, from_rows

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
OURS, PRODUCT = "maskaudit", "matrix products"
N_PAIRS = 6


def main() -> None:
    """Measure everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--sentences", type=int, default=128)
    parser.add_argument("--pairs", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    rows = checkpoints.shipped()
    lines = [*_heading(arguments.threads)]
    with tempfile.TemporaryDirectory() as temporary:
        for size in (DISTILBERT, BERT):
            n = max(2, arguments.sentences * DISTILBERT.layers // size.layers)
            folder = checkpoints.built(Path(temporary) / size.architecture, size, rows)
            own, plain = load(folder), Plain(folder)
            expanded = checkpoints.sampled(rows, n)
            print(f"measuring {size.name}", flush=True)
            lines += _throughput(size, expanded, own, plain)
            if size is DISTILBERT:
                lines += _together(expanded, own)
                lines += _likelihoods(arguments.pairs, expanded, own, plain)
            del own, plain
    lines += _starts()
    RESULTS.write_text("\n".join(lines) + "\n", "utf-8")
    print(RESULTS.read_text("utf-8"))


def _heading(threads: int) -> list[str]:
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
            f"{platform.python_version()}. Medians of {routes.ROUNDS} rounds in turn. Where wall "
            "and processor time differ by other than the threads, the machine was busy."
        ),
    ]


def _throughput(size: Size, expanded: Expanded, own: LoadedModel, plain: Plain) -> list[str]:
    """The routes at one size, in sentences a second and in the share of the machine's peak."""
    texts = list(expanded.contexts["text"])
    targets = list(dict.fromkeys(expanded.items["target"]))[:2]
    pieces = [len(encoded.ids) for encoded in own.encode(texts)]
    # The slow routes read every fourth sentence; what is compared is the time of a sentence.
    few = texts[::4]
    works = {
        PRODUCT: routes.matrix_product(),
        "pipeline, one by one": plain.pipeline(few, targets, 1),
        "pipeline, batches of 32": plain.pipeline(texts, targets, 32),
        "pipeline, batches of 128": plain.pipeline(texts, targets, 128),
        "loop sorted by length, batches of 32": plain.sorted_loop(texts),
        OURS: partial(scoring.score, expanded, [own]),
    }
    times = in_turn(works)
    counts = dict.fromkeys(works, len(texts)) | {"pipeline, one by one": len(few)}
    peak_wall, peak_processor = (
        routes.PRODUCTS / median(seconds)
        for seconds in (times[PRODUCT].wall, times[PRODUCT].processor)
    )
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
            f"{needed / len(texts) / 1e9:.2f} GFLOP on average; the machine's own float32 products "
            f"ran at {peak_wall / 1e9:.0f} GFLOP a second, {peak_processor / 1e9:.0f} a second of "
            "processor time."
        ),
        "",
        (
            "| route | sentences/s | processor ms a sentence | times the pipeline at 32 (wall, "
            "processor) | share of the peak (wall, processor) |"
        ),
        "|---|--:|--:|--:|--:|",
    ]
    base = times["pipeline, batches of 32"]
    for name, own_times in times.items():
        if name == PRODUCT:
            continue
        share = counts[name] / len(texts)
        faster = [share / one for one in ratio(own_times, base)]
        # Of each round: what the products took in it is what the machine gave then.
        of_peak = [
            share * needed / routes.PRODUCTS / one for one in ratio(own_times, times[PRODUCT])
        ]
        lines.append(
            f"| {name} | {counts[name] / median(own_times.wall):.1f} "
            f"| {1000 * median(own_times.processor) / counts[name]:.1f} "
            f"| {faster[0]:.2f}, {faster[1]:.2f} "
            f"| {of_peak[0]:.0%}, {of_peak[1]:.0%} |"
        )
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


def _likelihoods(
    pairs: Path | None, expanded: Expanded, own: LoadedModel, plain: Plain
) -> list[str]:
    """Pseudo-log-likelihood of sentences in pairs, against one forward pass a token."""
    texts = _sentences(pairs, expanded)
    rows = [{"text": text, "slot": None, "target": "", "kind": "pairs"} for text in texts]
    whole = from_rows({**row, "frame": str(number)} for number, row in enumerate(rows))
    measures = frozenset({"pll"})
    works = {
        "slow": lambda: [plain.a_pass_a_token(text) for text in texts],
        "ours": lambda: scoring.score(whole, [own], measures=measures),
    }
    times = in_turn(works)
    wall, processor = ratio(times["slow"], times["ours"])
    scores = works["ours"]().scores.set_index("item")["value"]
    values = scores[whole.items["item"]].to_numpy()
    worst = max(abs(a - b) for a, b in zip(values, works["slow"](), strict=True))
    return [
        "",
        "## Pseudo-log-likelihood",
        "",
        (
            f"{len(texts)} sentences, {'of ' + pairs.stem if pairs else 'in pairs of one word'}, "
            f"at DistilBERT size, against one forward pass a token: **{wall:.1f}** times faster "
            f"(wall), **{processor:.1f}** (processor). Largest difference of a score: {worst:.1e} "
            "nats."
        ),
    ]


def _sentences(pairs: Path | None, expanded: Expanded) -> list[str]:
    """Sentences in pairs: of a file of CrowS-Pairs, or the sampled ones with two targets each."""
    if pairs is not None:
        with pairs.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        step = max(1, len(rows) // N_PAIRS)
        found = [row[side] for row in rows[::step][:N_PAIRS] for side in ("sent_more", "sent_less")]
        return list(dict.fromkeys(found))
    both = expanded.items.merge(expanded.contexts, on="context")
    contexts = list(dict.fromkeys(both["context"]))
    chosen = both[both["context"].isin(contexts[:: max(1, len(contexts) // N_PAIRS)][:N_PAIRS])]
    texts = (
        text.replace(routes.MASK, target)
        for text, target in zip(chosen["text"], chosen["target"], strict=True)
    )
    return list(dict.fromkeys(texts))


def _starts() -> list[str]:
    """How long commands take to their first line."""
    commands = {"maskaudit --help": ["--help"], "maskaudit gate --help": ["gate", "--help"]}
    lines = ["", "## Start-up", "", "| command | seconds |", "|---|--:|"]
    for name, words in commands.items():
        times = Times()
        command = [sys.executable, "-m", "maskaudit", *words]
        for _ in range(routes.ROUNDS):
            times.timed(partial(subprocess.run, command, check=True, capture_output=True))
        lines.append(f"| `{name}` | {median(times.wall):.2f} |")
    return lines


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

"""How much memory an audit of a large set takes, and where: by stage, above the loaded model.

    python benchmarks/memory.py [--unread] 10000 100000 1000000

Each size is audited in a process of its own: a made-up set of so many items (groups at the mask,
half as many sentences, and a prior for each item) by one tiny model with random weights. `silence`
is the longest time without a report of progress. With --unread everything is planned, but the model
is not run: each item has a made-up score and each sentence 20 made-up fills, so that a million
items take minutes.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from held import most_held

from maskaudit.audit import describe, settings
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.pairs import load_pairs
from maskaudit.audit.measuring.planning.read_plan import plan
from maskaudit.audit.measuring.reading.forward import FILLS, Group, Scored
from maskaudit.audit.recording import record
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import Reading
from maskaudit.probes.expand import Expanded, from_rows
from maskaudit.reports.html import write_page
from tests import tiny

MIB, SHORT = 1 << 20, 3
ROW = {"probe_set": "s", "frame": "f", "text": "the [MASK] worked.", "slot": 0, "target": "man"}
# Frames and attributes by the number of items, with two terms for each.
SHAPES = {1_000: (10, 50), 10_000: (50, 100), 100_000: (100, 500), 1_000_000: (500, 1000)}


class Measured:
    """The peak memory at the end of each stage, and how long nothing was reported."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._base = most_held()
        self.silence = 0.0

    def report(self, _what: str, _done: int, _total: int) -> None:
        """Note that a sign of life was given."""
        now = time.perf_counter()
        self.silence = max(self.silence, now - self._last)
        self._last = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Print what the peak above the loaded model is after a stage, and how long it took."""
        started = time.perf_counter()
        self._last, self.silence = started, 0.0
        yield
        self.report("", 0, 0)
        seconds = time.perf_counter() - started
        print(
            f"| {name} | {(most_held() - self._base) / MIB:,.0f} | {seconds:,.1f} "
            f"| {self.silence:,.1f} |",
            flush=True,
        )


def main() -> None:
    """Audit each size in a process of its own."""
    unread = ["--unread"] if "--unread" in sys.argv else []
    for size in [text for text in sys.argv[1:] if text.isdigit()] or ("10000", "100000"):
        print(f"\n{int(size):,} items\n\n| until the end of | peak MiB | seconds | silence |")
        print("|---|--:|--:|--:|", flush=True)
        subprocess.run([sys.executable, __file__, "--one", size, *unread], check=True)  # noqa: S603


def audit(size: int, folder: Path) -> None:
    """Run the stages of an audit one after the other, as `audit.pipeline` does."""
    tiny.build(folder / "model", "bert")
    (folder / "large.toml").write_text(large_set(*SHAPES[size]), "utf-8")
    audit_settings = settings.resolve(
        None, candidates=[str(folder / "model")], probes=[str(folder / "large.toml")]
    )
    [pair] = load_pairs(audit_settings)
    # The model is run once, so that what its libraries load counts as the model's.
    scoring.score(from_rows(iter([ROW])), [pair["candidate"]])
    if "--unread" in sys.argv:
        scoring.read_part = unread
    measured = Measured()
    with measured.stage("expanding"):
        questions = describe.questions(audit_settings, measured.report)
    with measured.stage("scoring"):
        [scored] = scoring.score_each(questions.parts, [list(pair.values())], measured.report)
    with measured.stage("estimating"):
        estimated = estimate(
            questions.items, scored.scores, questions.designs, scored.fills, scored.paired
        )
    with measured.stage("writing"):
        details = describe.RecordDetails("0" * 64, 1, [], time.perf_counter(), {}, [])
        manifest = describe.manifest(pair, questions, scored, estimated, details)
        tables = (scored.scores, scored.paired, scored.fills, estimated.estimates)
        contexts = scoring.contexts(questions.parts)
        unsealed = record.Record(manifest, contexts, questions.items, *tables)
        sealed = record.seal(unsealed, folder / ".unfinished", folder / "sealed")
    with measured.stage("page"):
        write_page(sealed)


def unread(  # noqa: PLR0913 - in the place of `forward.read_part`
    part: Expanded,
    groups: Sequence[Group],
    measures: frozenset[str],
    longest: int,
    tell: Callable[[float], None],
    *,
    reading: Reading,
    planned: Callable[[int], None],
) -> list[Scored]:
    """Plan a part as `forward.read_part` does, and make up what would be read."""
    [[(name, model)]] = groups
    made = plan(part, model, measures, longest, reading=reading, tell=planned)
    rng = np.random.default_rng(len(made.batches()))
    items = part.items["item"].drop_duplicates().to_numpy()
    contexts = np.repeat(part.contexts["context"].to_numpy(), FILLS)
    pieces = [model.token(index) for index in range(200)]
    scores = {
        "item": items,
        "model": name,
        "measure": "logp",
        "value": -10 * rng.random(len(items)),
        "rank": rng.integers(1, 200, len(items)),
        "pieces": [made.pieces.get(item) for item in items],
        "status": [made.status[item] for item in items],
        "written": [made.written.get(item, "") for item in items],
        "read": [made.read_of(item) for item in items],
    }
    fills = {
        "context": contexts,
        "model": name,
        "rank": np.arange(len(contexts)) % FILLS + 1,
        "token": rng.choice(pieces, len(contexts)),
        "probability": rng.random(len(contexts)),
    }
    tell(1.0)
    paired = tables.table("paired", [])
    return [Scored(tables.table("scores", scores), paired, tables.table("fills", fills))]


def large_set(n_frames: int, n_attributes: int) -> str:
    """A set of so many frames and attributes, and two terms, as TOML."""
    words = [
        word for word in tiny.WORDS if word.isalpha() and word.islower() and len(word) >= SHORT
    ]
    frames = "".join(
        f'[[frames]]\nid = "f{number}"\n'
        f'text = "At the {first} {second} we met {{a attribute}} when [MASK] worked."\n'
        for number, (first, second) in enumerate(islice(product(words, words), n_frames))
    )
    attributes = [f'{{ text = "{one} {two}" }}' for one, two in product(words[::-1], words)]
    halves = attributes[: n_attributes // 2], attributes[n_attributes // 2 : n_attributes]
    head, *_ = tiny.small_set(name="large").partition("[classes.first]")
    return (
        head
        + "".join(
            f"[classes.{name}]\nattributes = [{', '.join(half)}]\n"
            for name, half in zip(("first", "second"), halves, strict=True)
        )
        + frames
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        with tempfile.TemporaryDirectory() as temporary:
            audit(int(sys.argv[2]), Path(temporary))
    else:
        main()

"""Pseudo-log-likelihood of sentences in pairs: ours, one forward pass a token, and minicons."""

import csv
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import routes
from routes import Plain, in_turn, ratio

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.probes.expand import Expanded, from_rows

_ROOT = Path(__file__).resolve().parents[1]
CROWS_PAIRS = _ROOT.parent / "shared" / "data" / "crows_pairs" / "crows_pairs_anonymized.csv"
_N_PAIRS = 6
_MINICONS = "minicons==0.3.39"
# What it imports and is not here already; of transformers 5 it knows no tokenizer. Torch is that of
# this environment, so that versions of it are not what is compared.
_BESIDE = ("transformers<5", "wonderwords", "openai")
_MEASURES = frozenset({"pll"})


def measured(
    pairs: Path | None, expanded: Expanded, own: LoadedModel, plain: Plain, folder: Path
) -> list[str]:
    """The table of pseudo-log-likelihoods of the checkpoint in a folder."""
    texts, source = sentences(pairs, expanded)
    rows = [{"text": text, "slot": None, "target": "", "kind": "pairs"} for text in texts]
    whole = from_rows({**row, "frame": str(number)} for number, row in enumerate(rows))
    works: dict[str, Callable[[], object]] = {
        "one forward pass a token": lambda: [plain.a_pass_a_token(text) for text in texts],
        "maskaudit": partial(scoring.score, whole, [own], measures=_MEASURES),
    }
    with _minicons(folder, texts) as (other, why):
        if other is not None:
            works["minicons"] = other
        times = in_turn(works)
        theirs = None if other is None else other()
    scores = scoring.score(whole, [own], measures=_MEASURES).scores.set_index("item")["value"]
    values = scores[whole.items["item"]].to_list()
    slow = [plain.a_pass_a_token(text) for text in texts]
    pieces = [len(encoded.ids) for encoded in own.encode(texts)]
    lines = [
        "",
        "## Pseudo-log-likelihood",
        "",
        (
            f"{len(texts)} sentences {source}, of {min(pieces)} to {max(pieces)} pieces, "
            f"{sum(pieces) / len(pieces):.1f} on average, at DistilBERT size. Largest difference "
            f"of a sentence's score from one forward pass a token: {_apart(values, slow):.1e} nats"
            + ("" if theirs is None else f" (minicons: {_apart(theirs, slow):.1e})")
            + "."
        ),
        "",
        "| route | seconds | processor seconds | times one pass a token (wall, processor) |",
        "|---|--:|--:|--:|",
    ]
    base = times["one forward pass a token"]
    for name, own_times in times.items():
        wall, processor = ratio(base, own_times)
        took = (sorted(one)[len(one) // 2] for one in (own_times.wall, own_times.processor))
        lines.append(
            "| {} | {:.2f} | {:.2f} | {:.1f}, {:.1f} |".format(name, *took, wall, processor)
        )
    if why:
        lines += ["", f"minicons was left out: {why}."]
    return lines


def sentences(pairs: Path | None, expanded: Expanded) -> tuple[list[str], str]:
    """Sentences in pairs, and where they are from: CrowS-Pairs, or the sampled ones."""
    if pairs is not None:
        return of_file(pairs), f"of {pairs.stem}"
    both = expanded.items.merge(expanded.contexts, on="context")
    contexts = list(dict.fromkeys(both["context"]))
    chosen = contexts[:: max(1, len(contexts) // _N_PAIRS)][:_N_PAIRS]
    both = both[both["context"].isin(chosen)]
    texts = (
        text.replace(routes.MASK, target)
        for text, target in zip(both["text"], both["target"], strict=True)
    )
    return list(dict.fromkeys(texts)), "of the shipped sets, in pairs of one word"


def of_file(pairs: Path) -> list[str]:
    """Both sentences of some pairs of a file of CrowS-Pairs, evenly spread."""
    with pairs.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    step = max(1, len(rows) // _N_PAIRS)
    chosen = rows[::step][:_N_PAIRS]
    return list(dict.fromkeys(row[side] for row in chosen for side in ("sent_more", "sent_less")))


@contextmanager
def _minicons(
    folder: Path, texts: list[str]
) -> Iterator[tuple[Callable[[], list[float]] | None, str]]:
    """What scores the texts with minicons, in an environment of its own; or None, and why not."""
    python, why = _environment()
    if why:
        yield None, why
        return
    command = [str(python), str(Path(__file__).with_name("with_minicons.py")), str(folder)]
    with subprocess.Popen(  # noqa: S603 - our own file
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(routes.torch.get_num_threads())},
    ) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018

        def scored() -> list[float]:
            process.stdin.write(json.dumps(texts) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            if not answer:
                raise BrokenPipeError
            values, seconds = json.loads(answer)
            routes.ELSEWHERE.append(seconds)
            return values

        try:
            scored()
        except BrokenPipeError:
            process.stdin.close()
            said = (process.stderr.read() if process.stderr else "").strip().splitlines()
            yield None, f"it does not run here ({said[-1] if said else 'without a word'})"
            return
        yield scored, ""
        process.stdin.close()


def _environment() -> tuple[Path, str]:
    """The Python of an environment with minicons; and why there is none, if there is none."""
    home = _ROOT / ".venv" / "minicons"
    python = home / "bin" / "python"
    if (home / "ready").is_file():
        return python, ""
    venv.create(home, with_pip=True, clear=True)
    own = [path for path in sys.path if path.endswith("site-packages")]
    [packages] = home.glob("lib/python*/site-packages")
    # Behind its own, so that what it brings comes first.
    (packages / "beside.pth").write_text("\n".join(own) + "\n", "utf-8")
    wanted = [_MINICONS, *_BESIDE]
    done = subprocess.run(  # noqa: S603 - our own command
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return python, f"it cannot be installed ({done.stderr.strip().splitlines()[-1]})"
    (home / "ready").touch()
    return python, ""


def _apart(values: list[float], others: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(values, others, strict=True))

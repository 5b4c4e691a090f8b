"""How much the sentence a word is read in matters, by tokenizer: as written, or as encoded.

Tiny models with random weights: the share of contexts that differ is the tokenizer's own, the size
of a difference only shows that it is not nothing.

    python benchmarks/contexts.py
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.planning.read_plan import plan
from maskaudit.audit.recording.rows.values import Reading
from maskaudit.probes.expand import from_rows
from tests import tiny

READINGS: tuple[Reading, ...] = ("written", "as_encoded")
BEFORE = {"a word": " and her friend", "punctuation": "."}
LEADS = ("She is the", "We met a", "They know an old", "In Paris I saw a", "He is not the")
WORDS = ("nurse", "doctor", "lawyer", "person")


def main() -> None:
    """Print a row for each tokenizer, and whether a word or punctuation follows the mask."""
    print(
        "| tokenizer | before | contexts that differ | mean difference, nats |\n|---|---|--:|--:|"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, tokenizer in tiny.tokenizers().items():
            model = torch_model.load(tiny.with_tokenizer(Path(folder) / name, tokenizer))
            for follows, end in BEFORE.items():
                print(f"| {name} | {follows} | {_compared(model, end)} |", flush=True)


def _compared(model: torch_model.LoadedModel, end: str) -> str:
    """The share of contexts that differ between the two readings, and by how much log p does."""
    texts = [f"{lead} [MASK]{end}" for lead in LEADS]
    rows = [
        {"probe_set": "s", "frame": text, "text": text, "slot": 0, "target": word}
        for text in texts
        for word in WORDS
    ]
    part = from_rows(iter(rows))
    written, encoded = (plan(part, model, reading=reading).contexts for reading in READINGS)
    differ = np.mean([written[key] != encoded[key] for key in written])
    scores = [scoring.score(part, [model], reading=reading).scores["value"] for reading in READINGS]
    return f"{differ:.0%} | {(scores[0] - scores[1]).abs().mean():.2f}"


if __name__ == "__main__":
    main()

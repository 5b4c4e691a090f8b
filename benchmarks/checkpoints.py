"""Checkpoints of real size with random weights, and the shipped sets' sentences to read with them.

Speed does not depend on the numbers in the weights, so that nothing has to be fetched.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd

from maskaudit.audit import describe, settings
from maskaudit.audit.vocabulary import silent
from maskaudit.probes.expand import Expanded, from_rows
from tests import tiny

# The pieces of BERT's vocabulary, and those that `tiny` adds to the words it is given.
VOCABULARY, ADDED = 30_522, 95
SHORTEST, LONGEST = 6, 20


@dataclass(frozen=True)
class Size:
    """The size of an encoder: its layers, the width of its states and of its feed-forward pass."""

    name: str
    architecture: str
    layers: int
    width: int = 768
    inner: int = 3072

    def needed(self, pieces: int) -> float:
        """Operations that a sentence of so many pieces needs, when one of them is read.

        Matrix products alone: the last layer has keys and values at all pieces, all else at one;
        so has the head.
        """
        whole = pieces * (self.layers - 1) * (4 * self.width**2 + 2 * self.width * self.inner)
        last = pieces * 2 * self.width**2 + 2 * self.width**2 + 2 * self.width * self.inner
        return 2.0 * (whole + last + self.width**2 + self.width * VOCABULARY)


DISTILBERT = Size("DistilBERT size", "distilbert", 6)
BERT = Size("BERT size", "bert", 12)


def shipped() -> pd.DataFrame:
    """Text, slot and target of the core sets' masked sentences, each once."""
    audit_settings = settings.resolve(None, candidates=["none"], probes=["core"])
    parts = [describe.expanded(one, silent) for one in audit_settings.probe_sets()]
    rows = [part.items.merge(part.contexts, on="context") for part in parts]
    found = pd.concat(rows)[["text", "slot", "target"]].drop_duplicates()
    return found[found["target"] != ""]


def built(folder: Path, size: Size, rows: pd.DataFrame, more: Sequence[str] = ()) -> Path:
    """Save a checkpoint with random weights whose vocabulary has the words of the rows and `more`.

    A word that it lacked would be spelled by letters, and its sentence be several times as long.
    """
    texts = " ".join([*more, *rows["text"].unique(), *rows["target"].unique()]).lower()
    words = list(dict.fromkeys(re.findall(r"[a-z]+", texts)))
    words += [f"word{number}" for number in range(VOCABULARY - len(words))]
    shape = (
        {"dim": size.width, "n_layers": size.layers, "n_heads": 12, "hidden_dim": size.inner}
        if size.architecture == "distilbert"
        else {
            "hidden_size": size.width,
            "num_hidden_layers": size.layers,
            "num_attention_heads": 12,
            "intermediate_size": size.inner,
        }
    )
    vocabulary = words[: VOCABULARY - ADDED]
    return tiny.build(
        folder, size.architecture, 0, vocabulary, max_position_embeddings=512, **shape
    )


def sampled(rows: pd.DataFrame, n: int, n_targets: int = 2) -> Expanded:
    """A set of `n` of the sentences of `SHORTEST` to `LONGEST` words and marks, evenly spread.

    Each has its first `n_targets` targets.
    """
    own = rows.groupby(["text", "slot"], sort=False).head(n_targets)
    pieces = own["text"].str.count(r"\w+|[^\w\s]").sub(2)  # a mask is one piece, not three
    own = own[pieces.between(SHORTEST - 2, LONGEST - 2)]
    texts = own.drop_duplicates(["text", "slot"])[["text", "slot"]]
    chosen = texts.iloc[[round(i * (len(texts) - 1) / (n - 1)) for i in range(n)]]
    own = own.merge(chosen, on=["text", "slot"])
    return from_rows(
        {
            "probe_set": "shipped",
            "frame": text,
            "text": text,
            "slot": int(slot),
            "target": target,
        }
        for text, slot, target in zip(own["text"], own["slot"], own["target"], strict=True)
    )

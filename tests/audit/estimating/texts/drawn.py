"""Estimates of masked text from made-up scores of two models."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import expand
from maskaudit.probes.texts.source import TextSource
from maskaudit.probes.texts.text_set import read

NAME = "drawn-text"
DISTANCES = ("kl", "jsd", "tv", "top1", "agreement@10")


def estimated(folder: Path, seed: int = 0, alike: str = "") -> pd.DataFrame:
    """Return the estimates of 40 documents of two masks, in two groups, with random scores.

    The models may have the same "ranks" alone, or be a model and its "copy".
    """
    rng = np.random.default_rng(seed)
    lines = [
        {"id": n, "texts": f"{n} <mask> and <mask>.", "masks": [f"a{n % 9}", "b"], "sex": n % 2}
        for n in range(40)
    ]
    path = folder / "rows.json"
    path.write_text(pd.DataFrame(lines).to_json(orient="records"), "utf-8")
    part = expand(read(TextSource(str(path), columns={"group": "sex"}, name=NAME)))
    items = list(part.items["item"])
    scores: list[dict[str, Any]] = []
    fills: list[dict[str, Any]] = []
    paired: list[dict[str, Any]] = []
    ranks: dict[str, int] = {}
    values: dict[str, float] = {}
    for model in ("reference", "candidate"):
        for item, context in zip(items, part.items["context"], strict=True):
            row = {"item": item, "model": model, "pieces": 1, "status": "ok"}
            value, rank = -rng.exponential(2), int(rng.integers(1, 15))
            if alike:
                rank = ranks.setdefault(item, rank)
            if alike == "copy":
                value = values.setdefault(item, value)
            scores += [
                {**row, "measure": "logp", "value": value, "rank": rank},
                {**row, "measure": "entropy", "value": rng.exponential(2)},
            ]
            p = rng.uniform()
            fills.append({"context": context, "model": model, "rank": 1, "probability": p})
            nats = {"context": context, "model": model, "measure": "prediction_nats"}
            paired.append({**nats, "value": rng.exponential(3)})
    paired += [
        {"context": context, "model": "reference", "other_context": context,
         "other_model": "candidate", "measure": measure, "value": rng.uniform()}
        for context in part.items["context"]
        for measure in DISTANCES
    ]  # fmt: skip
    design = Design(NAME, "text", None, "lean", {"probe_set": NAME})
    made = (tables.table(name, rows) for name, rows in (("fills", fills), ("paired", paired)))
    return estimate(part.items, tables.table("scores", scores), [design], *made).estimates

"""Pseudo-log-likelihood in shared batches against one forward pass per token, side by side.

    python benchmarks/pll.py MODEL SENTENCES.csv [--column sent_more] [--most 200]

Prints the median seconds of each, their ratio, and the largest difference of the scores. The two
are timed in turn, three times, and the medians are compared.
"""

import argparse
import csv
import statistics
import time
from pathlib import Path

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.probes.expand import from_rows

ROUNDS = 3


def main() -> None:
    """Time both on the same sentences and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--column", default="sent_more")
    parser.add_argument("--most", type=int, default=200)
    arguments = parser.parse_args()
    with arguments.sentences.open(encoding="utf-8", newline="") as file:
        sentences = [row[arguments.column] for row in csv.DictReader(file)][: arguments.most]
    sentences = list(dict.fromkeys(sentences))
    ours = models.load(arguments.model)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    plain = AutoModelForMaskedLM.from_pretrained(arguments.model, dtype=torch.float32).eval()

    seconds: dict[str, list[float]] = {"batched": [], "a token": []}
    for _ in range(ROUNDS):
        start = time.perf_counter()
        batched = in_batches(sentences, ours)
        seconds["batched"].append(time.perf_counter() - start)
        start = time.perf_counter()
        slow = [a_token_at_a_time(sentence, tokenizer, plain) for sentence in sentences]
        seconds["a token"].append(time.perf_counter() - start)
    fast, one_by_one = (statistics.median(values) for values in seconds.values())
    worst = max(abs(a - b) for a, b in zip(batched, slow, strict=True))
    print(f"{len(sentences)} sentences, {torch.get_num_threads()} threads")
    print(f"in shared batches: {fast:.2f} s; one forward pass a token: {one_by_one:.2f} s")
    print(f"ratio: {one_by_one / fast:.1f}; largest difference of a score: {worst:.1e} nats")


def in_batches(sentences: list[str], model: models.LoadedModel) -> list[float]:
    """The scores as an audit computes them, in nats."""
    rows = [
        {"text": text, "slot": None, "target": "", "kind": "pairs", "frame": str(i)}
        for i, text in enumerate(sentences)
    ]
    expanded = from_rows(iter(rows))
    scored = scoring.score(expanded, [model], measures=frozenset({"pll"})).scores
    values = dict(zip(scored["item"], scored["value"], strict=True))
    return [values[item] for item in expanded.items["item"]]


@torch.inference_mode()
def a_token_at_a_time(sentence: str, tokenizer, model) -> float:  # noqa: ANN001 - transformers' own
    """The score as most public code computes it: one full forward pass for each token."""
    ids = tokenizer(sentence, return_tensors="pt")["input_ids"]
    total = 0.0
    for place in range(1, ids.shape[1] - 1):
        masked = ids.clone()
        masked[0, place] = tokenizer.mask_token_id
        logits = model(input_ids=masked).logits[0, place]
        total += float(torch.log_softmax(logits.double(), -1)[ids[0, place]])
    return total


if __name__ == "__main__":
    main()

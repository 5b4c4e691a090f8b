"""The ways to score masked sentences that are measured beside each other."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, FillMaskPipeline

from maskaudit.audit.measuring.backends.products import Product

ROUNDS = 5
# The operations of one round of `matrix_product`.
PRODUCTS = 2.0 * 8 * 1024 * 768 * 3072
MASK = "[MASK]"


@dataclass
class Times:
    """Wall and processor seconds of each round of something."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def timed(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
        """Do the work and keep how long it took."""
        wall, used = time.perf_counter(), processor()
        result = work()
        self.processor.append(processor() - used)
        self.wall.append(time.perf_counter() - wall)
        return result


# Processor seconds that processes which still run have told of themselves.
ELSEWHERE: list[float] = []


def processor() -> float:
    """Processor seconds of this process and of those that it started, so far."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system + sum(ELSEWHERE)


def with_threads(n: int, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work on so many threads."""

    def done() -> Any:  # noqa: ANN401 - whatever the work returns
        before = torch.get_num_threads()
        torch.set_num_threads(n)
        try:
            return work()
        finally:
            torch.set_num_threads(before)

    return done


def in_turn(works: Mapping[str, Callable[[], Any]]) -> dict[str, Times]:
    """Time each work in every round, one after the other; a round before them is not counted."""
    times = {name: Times() for name in works}
    for number in range(ROUNDS + 1):
        for name, work in works.items():
            if number:
                times[name].timed(work)
            else:
                work()
    return times


def ratio(of: Times, to: Times) -> tuple[float, float]:
    """The median over rounds of wall and of processor time of one to the other."""
    return (
        median(a / b for a, b in zip(of.wall, to.wall, strict=True)),
        median(a / b for a, b in zip(of.processor, to.processor, strict=True)),
    )


def matrix_product(dtype: torch.dtype = torch.float32) -> Callable[[], None]:
    """Products of the sizes of a layer of BERT, `PRODUCTS` operations: what the machine can do.

    By the faster of torch's own kernel and of oneDNN with its weights laid out beforehand.
    """
    x, inner = torch.randn(1024, 768, dtype=dtype), torch.randn(1024, 3072, dtype=dtype)
    weights = torch.randn(3072, 768, dtype=dtype), torch.randn(768, 3072, dtype=dtype)
    kinds = [tuple(Product(weight, None) for weight in weights)]
    kinds.append(tuple(product.plain() for product in kinds[0]))

    @torch.inference_mode()
    def multiply(wide: Product, narrow: Product) -> None:
        for _ in range(4):
            wide(x)
            narrow(inner)

    times = in_turn({str(n): partial(multiply, *own) for n, own in enumerate(kinds)})
    faster = min(times, key=lambda name: median(times[name].processor))
    return partial(multiply, *kinds[int(faster)])


class Plain:
    """A checkpoint as transformers loads it."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()

    def pipeline(self, texts: list[str], targets: list[str], batch: int) -> Callable[[], Any]:
        """Transformers' fill-mask pipeline with two targets."""
        made = FillMaskPipeline(self.model, self.tokenizer, device=torch.device("cpu"))
        return lambda: made(texts, targets=targets, batch_size=batch)

    def sorted_loop(self, texts: list[str], batch: int = 32) -> Callable[[], list[float]]:
        """Plain torch: sorted by length, padded, full head, two log p a sentence."""

        @torch.inference_mode()
        def loop() -> list[float]:
            ids = sorted((self.tokenizer(text)["input_ids"] for text in texts), key=len)
            found: list[float] = []
            for start in range(0, len(ids), batch):
                own = self.tokenizer.pad(
                    {"input_ids": ids[start : start + batch]}, return_tensors="pt"
                )
                logits = self.model(**own).logits
                at_mask = logits[own["input_ids"] == self.tokenizer.mask_token_id]
                found += torch.log_softmax(at_mask.double(), -1)[:, :2].flatten().tolist()
            return found

        return loop

    @torch.inference_mode()
    def a_pass_a_token(self, sentence: str) -> float:
        """Pseudo-log-likelihood as most public code computes it: a full forward pass a token."""
        ids = self.tokenizer(sentence, return_tensors="pt")["input_ids"]
        total = 0.0
        for place in range(1, ids.shape[1] - 1):
            masked = ids.clone()
            masked[0, place] = self.tokenizer.mask_token_id
            logits = self.model(input_ids=masked).logits[0, place]
            total += float(torch.log_softmax(logits.double(), -1)[ids[0, place]])
        return total

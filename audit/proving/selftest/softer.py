"""Sharpness and bias told apart where both are known: softened heads, and leans planted beyond.

The words of the benign sets are unknown to the bundled pair. So worlds are planted: logits over a
few words, of a tested set and of two benign ones, from which scores and entropies follow by
arithmetic and estimates as of any audit. The full self-test also softens the head of the bundled
teacher, whose other sets are associations that it was taught, and stand for benign ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import logsumexp
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, REFERENCE, RELATION
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.registry.names import (
    CONTRAST,
    CONTRAST_BEYOND,
    ENTROPY,
    LOG_KAPPA,
    LOG_KAPPA_BENIGN,
    LOG_KAPPA_BEYOND,
    LOG_MAGNITUDE_RATIO,
    OF_SHARPNESS,
)
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.checkpoints.located import Located
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest.check import numbers
from maskaudit.audit.proving.selftest.ground import SEED, of_few_frames
from maskaudit.audit.recording.rows import slices, tables
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.loading import load, shipped

ALPHA = 0.05
TESTED, BENIGN = "tested", ("benign 1", "benign 2")
KAPPA = 1.3
# Of a planted set: its two classes, and its frames.
CLASSES = {"first": 15, "second": 15}
FRAMES = 20
# The words of a planted vocabulary beside the two terms.
FILLERS = 30
# SDs in nats: of leans, of what a sentence adds, of a filler, of a bias, and of the student's own.
LEAN_SD, CELL_SD, FILLER_SD, BIAS_SD, OWN_SD = 0.7, 0.5, 2.0, 1.0, 0.05
# Of the bundled pair: which of its sets is tested, which stand for benign ones, and their frames.
OF_TEACHER = "gender-occupation"
EXPECTED = {OF_TEACHER: "lean", "age-trait": "benign", "occupation-person": "benign"}
# Of a head that was scaled exactly, errors and what is beyond are rounding: no more than that, in
# log units or nats, is a finding.
ROUNDING = 1e-4
FRAMES_OF_TEACHER = 12
_WANTED = frozenset({CONTRAST, ENTROPY, LOG_KAPPA, LOG_MAGNITUDE_RATIO, *OF_SHARPNESS})


@dataclass(frozen=True)
class Plant:
    """What a student is made of: all logits times `temperature`, the tested leans times `kappa`.

    With `bias_left` the head's bias vector is not scaled with the rest.
    """

    temperature: float = 1.0
    kappa: float = 1.0
    bias_left: bool = False

    @property
    def name(self) -> str:
        """The plant in words."""
        parts = [
            f"logits times {self.temperature:g}" if self.temperature != 1 else "",
            "but for the bias vector" if self.bias_left else "",
            f"kappa {self.kappa:g} on one axis" if self.kappa != 1 else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def words(self) -> list[str]:
        """What the student is to be called."""
        return _words(np.log(self.temperature), np.log(self.kappa))


PLANTS = (Plant(0.7), Plant(1.4), Plant(kappa=KAPPA), Plant(0.7, KAPPA))
MORE_PLANTS = (Plant(1.4, KAPPA), Plant(0.7, bias_left=True), Plant(1.4, bias_left=True))
HEADS = (Plant(0.7), Plant(1.4), Plant(0.7, bias_left=True))


def checks(progress: Progress, *, full: bool = False) -> Iterator[Check]:
    """Check what students are called; with `full` of more plants, and of softened real heads."""
    plants = (*PLANTS, *MORE_PLANTS) if full else PLANTS
    n_sentences = (1 + len(BENIGN)) * sum(CLASSES.values()) * FRAMES
    for number, plant in enumerate(plants):
        yield from told_apart(f"planted world, {plant.name}", world(plant), plant)
        progress("planted worlds", (number + 1) * n_sentences, len(plants) * n_sentences)
    if full:
        yield from _heads(progress)


def told_apart(name: str, estimates: pd.DataFrame, plant: Plant) -> Iterator[Check]:
    """Check that sharpness and what is beyond it are found, are named, and nothing else is."""
    own = estimates[estimates["probe_set"].isin([TESTED, OF_TEACHER])]
    rows = {
        estimator: numbers(own, estimator, subject, slice_, ["estimate", "low", "high", "p"])
        for estimator, subject, slice_ in (
            (LOG_KAPPA_BENIGN, RELATION, slices.ALL),
            (LOG_KAPPA_BEYOND, RELATION, slices.ALL),
            (CONTRAST_BEYOND, DIFFERENCE, slices.CONTRAST),
        )
    }
    truths = {LOG_KAPPA_BENIGN: plant.temperature, LOG_KAPPA_BEYOND: plant.kappa}
    for estimator, truth in truths.items():
        _, low, high, _ = rows[estimator]
        found = f"{np.exp(low):.3f} to {np.exp(high):.3f}"
        inside = bool(low - ROUNDING <= np.log(truth) <= high + ROUNDING)
        yield Check(f"{name}: {estimator}, as a factor", inside, found, f"{truth:g} inside")
    shown = {
        key: row[0] if row[3] < ALPHA and abs(row[0]) > ROUNDING else 0.0
        for key, row in rows.items()
    }
    for number in (LOG_KAPPA_BEYOND, CONTRAST_BEYOND):
        called = _words(shown[LOG_KAPPA_BENIGN], shown[number])
        # An unknown number is no finding of nothing.
        passed = called == plant.words and not np.isnan(rows[number][0])
        found = " and ".join(called) or "neither"
        if plant.bias_left:
            found += f" ({_fooled(own)})"
        expected = " and ".join(plant.words)
        yield Check(f"{name}: called by {number}", passed, found, expected)


def _words(sharpness: float, beyond: float) -> list[str]:
    """What a student is called whose sharpness, and what is beyond it, is shown to have a sign."""
    words = {0: "", 1: "surer of itself", -1: "less sure of itself"}[int(np.sign(sharpness))]
    more = {0: "", 1: "amplified", -1: "attenuated"}[int(np.sign(beyond))]
    return [word for word in (words, more) if word]


def _fooled(own: pd.DataFrame) -> str:
    """By which factor a number changed that the bias vector enters, for contrast."""
    [ratio] = numbers(own, LOG_MAGNITUDE_RATIO, RELATION, columns=["estimate"])
    return f"leans with the bias in them are {np.exp(ratio):.2f} times as large"


# --- Planted worlds -------------------------------------------------------------------------------


def world(plant: Plant, seed: int = SEED) -> pd.DataFrame:
    """Return the estimates of a world in which a student differs from its teacher by a plant."""
    rng = np.random.default_rng(seed)
    bias = rng.normal(0, BIAS_SD, FILLERS + 2)
    items, scores, paired = [], [], []
    for name in (TESTED, *BENIGN):
        rows = _items(name)
        items.append(rows)
        signal, leans = _signal(rows, rng)
        by_model = {
            REFERENCE: signal + bias,
            CANDIDATE: _student(signal, leans, bias, plant, name, rng),
        }
        contexts = rows["context"].unique()
        for model, logits in by_model.items():
            log_p = logits - logsumexp(logits, axis=1, keepdims=True)
            own = {"model": model, "measure": "logp", "pieces": 1, "status": "ok"}
            scores.append(
                pd.DataFrame({"item": rows["item"], **own, "value": log_p[:, :2].ravel()})
            )
            entropy = -(np.exp(log_p) * log_p).sum(1)
            own = {"model": model, "measure": "entropy"}
            paired.append(pd.DataFrame({"context": contexts, **own, "value": entropy}))
        both = {"model": REFERENCE, "other_model": CANDIDATE, "measure": "kl"}
        paired.append(pd.DataFrame({"context": contexts, **both, "value": 0.1}))
    expect = {TESTED: "lean", **dict.fromkeys(BENIGN, "benign")}
    return _estimated(
        pd.concat(items, ignore_index=True),
        tables.table("scores", pd.concat(scores)),
        tables.table("paired", pd.concat(paired)),
        [_design(name, "one", ("first", "second"), said) for name, said in expect.items()],
    )


def _items(name: str) -> pd.DataFrame:
    """Return the rows of a planted set: both terms of each context in turn."""
    attributes = [(class_, f"{class_} {i}") for class_, n in CLASSES.items() for i in range(n)]
    rows = []
    for (class_, attribute), frame in product(attributes, range(FRAMES)):
        context = f"{name}, {attribute}, {frame}"
        for term in ("this", "that"):
            own = {"context": context, "target": term, "item": f"{context}: {term}"}
            of = {"attribute": attribute, "class": class_, "group": term, "term": term}
            of_set = {"probe_set": name, "kind": "association", "axis": "one", "role": "probe"}
            rows.append({**of_set, **of, **own, "frame": f"{frame}", "variant": 0})
    return tables.table("items", rows)


def _signal(rows: pd.DataFrame, rng: np.random.Generator) -> tuple[Cells, Cells]:
    """Return a teacher's logits without the bias, [contexts, words], and each context's lean."""
    asked = rows.drop_duplicates("context")
    names = list(dict.fromkeys(asked["attribute"]))
    drawn = rng.normal(0, LEAN_SD, len(names))
    by_name = dict(zip(names, drawn - drawn.mean(), strict=True))
    side = np.where(asked["class"] == "first", LEAN_SD, -LEAN_SD)
    leans = asked["attribute"].map(by_name).to_numpy(dtype=float) + side
    fillers = rng.normal(0, FILLER_SD, (len(asked), FILLERS))
    log_odds = leans + rng.normal(0, CELL_SD, len(asked))
    return np.column_stack([log_odds / 2, -log_odds / 2, fillers]), leans


def _student(  # noqa: PLR0913, PLR0917 - a teacher, and what is planted
    signal: Cells, leans: Cells, bias: Cells, plant: Plant, name: str, rng: np.random.Generator
) -> Cells:
    """Return the student's logits: its teacher's leans, sharpened as all else is."""
    more = (plant.kappa - 1) * leans / 2 if name == TESTED else np.zeros(len(leans))
    own = signal.copy()
    own[:, 0] += more
    own[:, 1] -= more
    own += rng.normal(0, OWN_SD, own.shape)
    logits: Cells = plant.temperature * own + bias * (1 if plant.bias_left else plant.temperature)
    return logits


# --- The bundled teacher --------------------------------------------------------------------------


def _heads(progress: Progress) -> Iterator[Check]:
    """Check the bundled teacher against itself with a head that was scaled."""
    parts = [of_few_frames(load(shipped()[name]), FRAMES_OF_TEACHER) for name in EXPECTED]
    items = pd.concat([part.items for part in parts], ignore_index=True)
    designs = [_of_shipped(name, expect) for name, expect in EXPECTED.items()]
    for plant in HEADS:
        pair = [with_head(replace(plant, temperature=1.0)), with_head(plant)]
        scored = scoring.score_all(parts, pair, progress)
        found = _estimated(items, scored.scores, scored.paired, designs)
        yield from told_apart(f"the teacher's head, {plant.name}", found, plant)


def with_head(plant: Plant) -> LoadedModel:
    """Load the bundled teacher with the weights of its decoder scaled, and its bias or not.

    The teacher's own bias is next to nothing; where it is to be left, one is drawn and added first.
    """
    folder = phantom_truth.TEACHER
    model: Any = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    decoder = model.get_output_embeddings()
    with torch.no_grad():
        # A tensor of its own: the decoder's is that of the embeddings, which stay as they are.
        decoder.weight = torch.nn.Parameter(decoder.weight * plant.temperature)
        if plant.bias_left:
            drawn = np.random.default_rng(SEED).normal(0, BIAS_SD, len(decoder.bias))
            decoder.bias.add_(torch.from_numpy(drawn))
        else:
            decoder.bias.mul_(plant.temperature)
    located = Located(folder, f"{folder.name}, {plant.name}", "")
    return LoadedModel(model, Tokenizer(AutoTokenizer.from_pretrained(folder)), [], located)


def _of_shipped(name: str, expect: str) -> Design:
    header = load(shipped()[name]).header
    assert header.contrast is not None  # noqa: S101 - our own set
    return _design(name, header.axis, (header.contrast[0], header.contrast[1]), expect)


def _design(name: str, axis: str, contrast: tuple[str, str], expect: str) -> Design:
    return Design(name, axis, contrast, expect, {"probe_set": name, "items": name})


def _estimated(
    items: pd.DataFrame, scores: pd.DataFrame, paired: pd.DataFrame, designs: Sequence[Design]
) -> pd.DataFrame:
    """Return the numbers that tell sharpness from bias."""
    return estimate(items, scores, designs, paired=paired, wanted=_WANTED.__contains__).estimates

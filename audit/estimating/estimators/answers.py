"""Quality of a model's fills of facts with known answers: rank, likelihood, calibration."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from maskaudit.audit.estimating.estimators.answer_ranks import answer_ranks

BINS = 10
# At most this many facts means one fact, up to rounding: its sampling noise cannot be estimated.
ALONE = 1.5
AT = (5, 10)
_KINDS = frozenset({"cloze"})
_CALIBRATED = frozenset({"cloze", "text"})
_NEEDS = frozenset({"logp", "top_filling"})
_SOURCE = (
    "standard; a fact with several right answers counts by the best of them, an answer of several "
    "pieces among the fillings of as many masks (left to right, after Jiang et al. 2020)"
)
Means = NDArray[np.float64]


def units(measured: Measured, _mode: str) -> pd.DataFrame:
    """One row per fact: ranks, likelihood and calibration of its fill.

    A fact counts by the best of its right answers, each among the fillings of as many masks as it
    has pieces: by the best rank, and by the largest p that right answers of one number of pieces
    have together (`nll` is -log of it, in nats). The confidence is p of the likeliest filling of
    as many masks as the best answer has. NaN if no right answer could be read.
    """
    answers = measured.items[measured.items["label"] == "right"]
    # A left join: a fact without a score is NaN, not left out.
    values = answers.merge(answer_ranks(measured.scores), on="item", how="left")
    values = values.assign(p=np.exp(values["value"].astype(float)))
    by_fact = values.groupby("frame", sort=False)
    facts = by_fact[["class", "cluster", "context"]].first()
    rank = by_fact["rank"].min()
    # Without `min_count`, answers that have no score would sum to 0, whose log is infinite. Answers
    # of different lengths are no alternatives in one distribution, so their p are not added.
    together = values.groupby(["frame", "pieces"], sort=False)["p"].sum(min_count=1)
    p = together.groupby("frame").max().reindex(facts.index)
    confidence = _confidence(values, measured.fills).reindex(facts.index)
    right = (rank == 1).astype(float).where(rank.notna())
    columns: dict[str, Any] = {
        # 1 or NaN, never 0: NaN removes a fact without a rank from every mean.
        "facts": rank.notna().astype(float).where(rank.notna()),
        "reciprocal": 1 / rank,
        "nll": _nats(p).where(rank.notna()),
        "squared": (confidence - right) ** 2,
        "of": float(len(facts)),
        **{f"at_{k}": (rank <= k).astype(float).where(rank.notna()) for k in AT},
    }
    # A confidence of 1 belongs to the last bin.
    # A missing confidence has no integer, so it is put into bin 0; its `p_0` is NaN all the same,
    # which removes the fact.
    bin_of_fact = np.minimum((confidence * BINS).fillna(0).astype(int), BINS - 1)
    for b in range(BINS):
        inside = (bin_of_fact == b).astype(float)
        columns |= {f"n_{b}": inside, f"p_{b}": inside * confidence, f"r_{b}": inside * right}
    return facts.assign(**columns).rename_axis("unit")


def _nats(p: pd.Series) -> pd.Series:
    """-log p in nats; infinite for an answer of many pieces whose p is too small for a number."""
    with np.errstate(divide="ignore"):
        nats: pd.Series = -np.log(p)
    return nats


def _confidence(answers: pd.DataFrame, fills: pd.DataFrame) -> pd.Series:
    """By fact: p of the likeliest filling of as many masks as its best answer has pieces."""
    best = answers.sort_values(["rank", "pieces"], kind="stable").drop_duplicates("frame")
    best = best.set_index("frame")
    of_one = fills[fills["rank"] == 1].set_index("context")["probability"]
    one_piece = best["context"].map(of_one).astype(float)
    return best["likeliest"].map(math.exp).fillna(one_piece)


_BINNED = tuple(f"{part}_{b}" for part in ("n", "p", "r") for b in range(BINS))


def _bins(means: Means) -> tuple[Means, Means, Means, Means]:
    """Means of counts, confidences and right answers by bin, [..., bins], and of facts, [...]."""
    # The first two columns are `facts` and `of`; each part of `_BINNED` follows with `BINS`
    # columns.
    parts = (means[..., 2 + i * BINS : 2 + (i + 1) * BINS] for i in range(3))
    n, p, right = parts
    return n, p, right, means[..., 0]


def ece(means: Means) -> Means:
    """Sum over bins of the share of facts times |mean confidence - share right|, 0 to 1."""
    _, p, right, facts = _bins(means)
    gap: Means = np.abs(p - right).sum(-1) / facts
    return gap


def ece_debiased(means: Means) -> Means:
    """Root of the debiased mean squared gap of the bins, at least 0; one-fact bins add 0."""
    n, p, right, facts = _bins(means)
    # Both columns are summed in a cluster, so the mean over clusters of `of` (the number of all
    # facts, on each fact) is that number times the facts per cluster, which `facts` takes out.
    n_facts = means[..., 1] / facts
    # An empty bin gives 0/0 and a bin of one fact divides by 0; `where` replaces both.
    with np.errstate(divide="ignore", invalid="ignore"):
        share = right / n
        # `n` and `facts` are means, so their ratio is a share; times all facts it is a count.
        count = n / facts[..., None] * n_facts[..., None]
        noise = share * (1 - share) / (count - 1)
        gap = np.where(count > ALONE, (p / n - share) ** 2 - noise, 0.0)
    mean: Means = np.where(n > 0, gap * n, 0.0).sum(-1) / facts
    root: Means = np.sqrt(np.maximum(0.0, mean))
    return root


def _mean_of(  # noqa: PLR0913, PLR0917 - what tells one number from another
    column: str,
    name: str,
    unit: str,
    definition: str,
    hides: str,
    kinds: frozenset[str] = _KINDS,
) -> UnitEstimator:
    return UnitEstimator(
        name=name,
        unit=unit,
        definition=definition,
        does_not_show=hides,
        source=_SOURCE,
        needs=_NEEDS,
        kinds=kinds,
        units=units,
        columns=(column, "facts"),
        numbers={CORRECTED: {name: Value(per_unit)}},
    )


_FEW = "How much a model knows: the facts are few and plain."
ACCURACY = tuple(
    _mean_of(
        f"at_{k}",
        f"accuracy@{k}",
        "share",
        f"Share of facts with a right answer among the {k} likeliest fills, 0 to 1.",
        _FEW,
    )
    for k in AT
)
MRR = _mean_of(
    "reciprocal",
    "mrr",
    "0 to 1",
    "Mean of 1 / rank of the best right answer, 0 to 1; 0 for an answer of several pieces beyond "
    "the 20 likeliest fillings.",
    _FEW,
)
NLL = _mean_of(
    "nll",
    "nll",
    "nats",
    "Mean of -log of the summed p of the right answers (of one number of pieces, the best), 0 "
    "upwards; lower is better.",
    "Whether wrong answers are believed instead.",
)
BRIER = _mean_of(
    "squared",
    "brier",
    "0 to 1",
    "Mean of (p of the likeliest fill - 1 if it is right else 0) squared, over facts, or masked "
    "words of a text; lower is better.",
    "Calibration alone: it falls with accuracy too.",
    _CALIBRATED,
)
_DEBIASED = (
    "The root of the bins’ mean squared gap less its sampling noise; 0 where that explains all."
)
ECE = UnitEstimator(
    name="ece",
    unit="0 to 1",
    definition="Expected calibration error of the likeliest fill in 10 bins of equal width: sum "
    "over bins of share * |mean p - share right|. It is above 0 for a perfectly calibrated model, "
    "so `ece_debiased` stands beside it: the root of the mean squared gap less its sampling noise "
    "(another scale; 0 where the noise explains all).",
    does_not_show="In which direction: a model may be too sure of one fact and too unsure of "
    "another.",
    source="Guo et al. 2017; debiased after Kumar, Liang & Ma 2019",
    needs=_NEEDS,
    kinds=_CALIBRATED,
    units=units,
    columns=("facts", "of", *_BINNED),
    numbers={
        CORRECTED: {"ece": Value(ece), "ece_debiased": Value(ece_debiased, definition=_DEBIASED)}
    },
)
ANSWERS = (*ACCURACY, MRR, NLL, BRIER, ECE)

"""How well a model finds the masked words of a text: rank, likelihood, openness."""

from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    PUBLISHED,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from maskaudit.audit.estimating.estimators.answer_ranks import answer_ranks
from maskaudit.audit.estimating.registry.names import EXACT_GAP, NLL_GAP, between
from maskaudit.audit.recording.rows.values import OF_PREDICTION, OF_SLOT, TOP_FILLING

AT = (1, 5, 10)
_KINDS = frozenset({"text"})
_NEEDS = frozenset({"logp", TOP_FILLING, OF_SLOT})
_JOINT = (
    "an answer of several pieces is read from left to right and held against the fillings of as "
    "many masks (after Kauf & Ivanova 2023 and Jiang et al. 2020)"
)
Means = NDArray[np.float64]


def units(measured: Measured, _mode: str) -> pd.DataFrame:
    """One row per mask: whether its answer is found, its likelihood, and how open the mask is.

    NaN if the answer could not be read.
    """
    rows = measured.items.merge(answer_ranks(measured.scores), on="item", how="left")
    entropies = measured.values(OF_SLOT).set_index("item")["value"]
    rows = rows.set_index("frame").rename_axis("unit")
    known = rows["value"].notna()
    nll = -rows["value"].astype(float)
    columns = {
        # 1 or NaN, never 0: NaN removes a mask without a score from every mean.
        "masks": known.astype(float).where(known),
        "nll": nll,
        "words": rows["target"].map(_n_words).where(known),
        "pieces": rows["pieces"].astype(float).where(known),
        "entropy": rows["item"].map(entropies).astype(float).where(known),
        **{f"at_{k}": (rows["rank"] <= k).astype(float).where(known) for k in AT},
    }
    return rows[["class", "cluster", "group"]].assign(**columns)


def _n_words(answer: str) -> float:
    return float(len(answer.split()))


def _number(  # noqa: PLR0913, PLR0917 - what tells one number from another
    name: str,
    unit: str,
    definition: str,
    hides: str,
    columns: tuple[str, ...],
    interval: Literal["jackknife", "wilson", "exponential"] = "jackknife",
) -> UnitEstimator:
    return UnitEstimator(
        name=name,
        unit=unit,
        definition=definition,
        does_not_show=hides,
        source=_JOINT,
        needs=_NEEDS,
        kinds=_KINDS,
        units=units,
        columns=columns,
        # A change of an exponential is judged by that of its mean of nats.
        subjects="models" if interval == "exponential" else "all",
        numbers={CORRECTED: {name: Value(per_unit, interval=interval)}},
    )


FOUND = tuple(
    _number(
        f"exact@{k}",
        "share",
        "Share of masked answers that are "
        + ("the likeliest filling" if k == 1 else f"among the {k} likeliest fillings")
        + " of as many masks as the answer has pieces, the text’s other masks masked too; letter "
        "for letter, as the tokenizer writes the answer; 0 to 1.",
        "Fillings that are right in other words; or how sure the model is.",
        # Two models may find the same answers and be no copies: with the third their nats differ.
        (f"at_{k}", "masks", "nll"),
        "wilson",
    )
    for k in AT
)
_FROM = "the number of pieces is given away by the number of masks; lower is better."
NLL = (
    _number(
        "nll_answer",
        "nats",
        "Mean over masked answers of -log p, pieces left to right, 0 upwards; " + _FROM,
        "What the model holds for likely instead; long answers weigh more.",
        ("nll", "masks"),
    ),
    _number(
        "nll_word",
        "nats",
        "Sum of -log p of all masked answers over the number of their words, as blanks part them; "
        + _FROM,
        "What the model holds for likely instead.",
        ("nll", "words"),
    ),
    _number(
        "nll_piece",
        "nats",
        "Sum of -log p of all masked answers over the number of their pieces; " + _FROM,
        "Anything across tokenizers: who writes more pieces has easier ones.",
        ("nll", "pieces"),
    ),
    _number(
        "pseudo_perplexity",
        "perplexity",
        "exp(`nll_piece`): the pseudo-perplexity of the masked pieces (Salazar et al. 2020, over "
        "the masked pieces alone and with a word’s later pieces masked), 1 upwards; lower is "
        "better. A change is judged by `nll_piece`.",
        "Anything across tokenizers: who writes more pieces has easier ones.",
        ("nll", "pieces"),
        "exponential",
    ),
    _number(
        "word_perplexity",
        "perplexity",
        "exp(`nll_word`): the same over words, which tokenizers share, 1 upwards; lower is better. "
        "A change is judged by `nll_word`.",
        "What the model holds for likely instead.",
        ("nll", "words"),
        "exponential",
    ),
)
OPENNESS = _number(
    "mask_entropy",
    "nats",
    "Mean entropy of the distribution over the vocabulary at a mask that is one piece wide, 0 "
    "where one piece is certain.",
    "Whether the model is right where it is sure.",
    ("entropy", "masks"),
)


def predictions(measured: Measured, _mode: str) -> pd.DataFrame:
    """One row per text: the perplexity of what is predicted for it under a causal model."""
    rows = measured.paired[measured.paired["measure"] == OF_PREDICTION]
    items = measured.items.drop_duplicates("context").set_index("context")
    rows = rows.join(items[["class", "cluster", "frame"]], on="context")
    # The frame of a mask is its text's row and its own number (`probes.texts`).
    texts = rows["frame"].str.replace(r"\.\d+$", "", regex=True)
    units = rows.assign(unit=texts).drop_duplicates("unit")
    # As in the mean of nats of a long text: what has no finite exponential is not known.
    with np.errstate(over="ignore"):
        perplexity = np.exp(units["value"].to_numpy(dtype=float))
    known = np.where(np.isfinite(perplexity), perplexity, np.nan)
    return units.set_index("unit")[["class", "cluster"]].assign(perplexity=known, n=1.0)


PREDICTED = UnitEstimator(
    name="prediction_perplexity",
    unit="perplexity",
    definition="Mean over texts of the perplexity of what a model predicts, the likeliest piece at "
    "each mask, joined by commas, under a causal model that was named with --causal: exp of the "
    "mean of -log p(piece | start, pieces before). Published mode alone, 1 upwards; lower is "
    "called better.",
    does_not_show="Whether a prediction is right: it never sees the words that were masked. A "
    "model that says “the” at every mask does well.",
    source="azureml-metrics 0.0.91, fill-mask: the perplexity of Hugging Face’s evaluate, with a "
    "start token",
    needs=frozenset(),
    kinds=_KINDS,
    modes=(PUBLISHED,),
    units=predictions,
    columns=("perplexity", "n"),
    # A text is no mask, of which strata are made.
    is_gap=True,
    numbers={PUBLISHED: {"prediction_perplexity": Value(per_unit)}},
)
TEXTS = (*FOUND, *NLL, OPENNESS, PREDICTED)


def gaps(items: pd.DataFrame) -> list[UnitEstimator]:
    """The estimators of the gaps between each two groups of a set of masked text."""
    groups = sorted(set(items["group"]) - {""})
    return [
        _gap(name, column, weight, first, second)
        for first, second in combinations(groups, 2)
        for name, column, weight in ((EXACT_GAP, "at_1", "masks"), (NLL_GAP, "nll", "words"))
    ]


def _gap(name: str, column: str, weight: str, first: str, second: str) -> UnitEstimator:
    """The first group's ratio of two columns less the second's, over documents."""

    def in_groups(measured: Measured, mode: str) -> pd.DataFrame:
        table = measured.units(units, mode)
        own = {
            f"{part}_{number}": table[part] * (table["group"] == group)
            for number, group in enumerate((first, second))
            for part in (column, weight)
        }
        return table[["class", "cluster"]].assign(**own)[table["group"].isin([first, second])]

    return UnitEstimator(
        name=name,
        unit="",
        definition="",
        does_not_show="",
        source=_JOINT,
        needs=_NEEDS,
        kinds=_KINDS,
        units=in_groups,
        is_gap=True,
        columns=(f"{column}_0", f"{weight}_0", f"{column}_1", f"{weight}_1"),
        numbers={
            CORRECTED: {
                between(name, first, second): Value(_difference, 0.0, sides=((0, 1), (2, 3)))
            }
        },
    )


def _difference(means: Means) -> Means:
    # Without a document of one group there is no gap: 0/0.
    with np.errstate(invalid="ignore", divide="ignore"):
        gap: Means = means[..., 0] / means[..., 1] - means[..., 2] / means[..., 3]
    return gap

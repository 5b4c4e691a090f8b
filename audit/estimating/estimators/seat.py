"""`seat`: whether two sets of words differ in the nearness of their states to two other sets."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.estimators import CORRECTED, Measured, UnitEstimator, Value
from maskaudit.audit.estimating.registry.entry import OWN_PART

POOLINGS = ("cls", "mean", "first")
# Enumerate up to EXACT partitions; draw DRAWN of them if there are more.
# The seed is fixed, so that a record that is estimated again has the same p.
EXACT, DRAWN, SEED = 20_000, 9_999, 0
COLUMNS = ("x", "in_x", "y", "in_y", "s", "square", "n", "of")
Means = NDArray[np.float64]


def _estimator(pooling: str) -> UnitEstimator:
    name = f"seat_{pooling}"

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        """One row per test and target word: mean cosine to A minus mean cosine to B."""
        cosines = measured.paired[measured.paired["measure"] == f"cosine_{pooling}"]
        # A word may be in several tests: its cosines are stored once and joined to each of them.
        words = measured.items.rename(columns={"frame": "test", "term": "word"})
        sides = words.loc[words["group"] != "", ["test", "group", "word", "context"]]
        attributes = words.loc[words["class"] != "", ["test", "class", "context"]].rename(
            columns={"class": "attributes", "context": "other_context"}
        )
        rows = cosines.drop_duplicates(["context", "other_context"]).merge(sides, on="context")
        rows = rows.merge(attributes, on=["test", "other_context"])
        keys = ["test", "group", "word"]
        means = rows.groupby([*keys, "attributes"], sort=False)["value"].mean()
        # A column is missing if no test has such words.
        wide = means.unstack("attributes").reindex(columns=["A", "B"]).reset_index()
        s = wide["A"] - wide["B"]
        in_x, in_y = ((wide["group"] == side).astype(float) for side in ("X", "Y"))
        table = {
            "class": wide["test"],
            "cluster": "",
            "x": s * in_x,
            "in_x": in_x,
            "y": s * in_y,
            "in_y": in_y,
            "s": s,
            "square": s**2,
            "n": 1.0,
            "of": wide.groupby("test")["word"].transform("size").astype(float),
        }
        index = wide["test"] + ":" + wide["group"] + ":" + wide["word"]
        return pd.DataFrame(table).set_axis(index).rename_axis("unit")

    states = {
        "cls": "of the first piece of the sentence ([CLS])",
        "mean": "averaged over the word's pieces",
        "first": "of the word's first piece",
    }
    return UnitEstimator(
        name=name,
        unit="standard deviations",
        definition="WEAT effect size d on states of the last layer, " + states[pooling] + ": mean "
        "association of X minus that of Y, over the standard deviation of both; a word's "
        "association is its mean cosine to A minus that to B, its state the mean over bleached "
        "sentences. -2 to 2; p by permutation of words, one-sided.",
        does_not_show="Anything about fills; not comparable between sets of words.",
        source="Caliskan, Bryson & Narayanan 2017; May et al. 2019",
        needs=frozenset({"state"}),
        kinds=frozenset({"words"}),
        shown=OWN_PART,
        units=units,
        columns=COLUMNS,
        numbers={CORRECTED: {name: Value(effect_size)}},
        test=permutation_p,
        whole=False,
    )


def effect_size(means: Means) -> Means:
    """Difference of mean associations, X minus Y, over the standard deviation (n - 1) of all."""
    x, in_x, y, in_y, s, square, n, total = np.moveaxis(means, -1, 0)
    words = total / n
    with np.errstate(divide="ignore", invalid="ignore"):
        # From sums alone, so that the jackknife can leave a word out of all of them at once.
        spread = np.sqrt((square / n - (s / n) ** 2) * words / (words - 1))
        effect: Means = (x / in_x - y / in_y) / spread
    return effect


def permutation_p(units: pd.DataFrame) -> float:
    """One-sided p of the difference of means, by partitions into sets of the same sizes.

    Exact up to `EXACT` partitions, otherwise (1 + hits)/(1 + `DRAWN`) from random partitions.
    """
    s = units["s"].to_numpy(dtype=float)
    in_x = units["in_x"].to_numpy(dtype=bool)
    size, n = int(in_x.sum()), len(s)
    observed = s[in_x].sum()
    # The sum over X suffices, because the total is fixed.
    # Partitions that tie with the observed one must count however their sums are rounded.
    threshold = observed - 1e-12 * max(1.0, abs(observed))
    if comb(n, size) <= EXACT:
        sums = np.array([s[list(chosen)].sum() for chosen in combinations(range(n), size)])
        return float((sums >= threshold).mean())
    rng = np.random.default_rng(SEED)
    hits = sum(s[rng.permutation(n)[:size]].sum() >= threshold for _ in range(DRAWN))
    # The observed partition counts as a draw, so p is never 0.
    return float((1 + hits) / (1 + DRAWN))


SEAT = tuple(_estimator(pooling) for pooling in POOLINGS)

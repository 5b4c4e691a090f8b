"""Distances between two distributions at a slot: of two models, or of two groups in one model."""

from itertools import combinations

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators import (
    CORRECTED,
    Measured,
    UnitEstimator,
    Value,
    per_unit,
)
from maskaudit.audit.estimating.estimators.contexts import clusters_of, only
from maskaudit.audit.estimating.estimators.of_groups.pooling import group_at_mask
from maskaudit.audit.estimating.registry.entry import DISTANCE

_SLOTS = frozenset({"association", "completions", "cloze", "pairs", "triples", "text"})
_SOURCE = "Lin 1991 (Jensen-Shannon); Kullback & Leibler 1951"


def of_models(name: str, unit: str, definition: str, hides: str) -> UnitEstimator:
    """A measure `name` of the scoring pass that compares the two models' distributions."""

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        value = measured.paired[measured.paired["measure"] == name].set_index("context")["value"]
        table = measured.part(_contexts)
        return table.assign(value=value.reindex(table.index), n=1.0)

    return UnitEstimator(
        name=name,
        unit=unit,
        definition=definition,
        does_not_show=hides,
        source=_SOURCE,
        needs=frozenset({"logp"}),
        kinds=_SLOTS,
        units=units,
        columns=("value", "n"),
        of_pair=True,
        shown=DISTANCE,
        numbers={CORRECTED: {name: Value(per_unit)}},
    )


def of_groups(name: str, unit: str, definition: str) -> UnitEstimator:
    """A distance of two groups' distributions over the vocabulary, within one model."""

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        distances = measured.paired[measured.paired["measure"] == name]
        if distances.empty:
            return pd.DataFrame(columns=["class", "cluster", "value", "n"])
        clusters = distances["context"].map(measured.part(_clusters))
        table = {"class": "", "cluster": clusters, "value": distances["value"], "n": 1.0}
        return pd.DataFrame(table).set_axis(distances["joined"]).rename_axis("unit")

    return UnitEstimator(
        name=name,
        unit=unit,
        definition=definition,
        does_not_show="Which words differ, and whether they matter: most of the vocabulary has "
        "nothing to do with groups.",
        source=_SOURCE,
        needs=frozenset({"logp"}),
        kinds=frozenset({"association", "completions"}),
        units=units,
        columns=("value", "n"),
        numbers={CORRECTED: {name: Value(per_unit)}},
    )


def of_targets(name: str, unit: str, definition: str) -> UnitEstimator:
    """A distance of two groups' distributions over the set's targets, normalized to sum to 1."""

    def units(measured: Measured, _mode: str) -> pd.DataFrame:
        distances = [
            (unit, frame, _distance(name, *simplices))
            for unit, frame, simplices in measured.part(_simplices)
        ]
        table = pd.DataFrame(distances, columns=["unit", "cluster", "value"]).set_index("unit")
        return table.assign(n=1.0, **{"class": ""})

    return UnitEstimator(
        name=name,
        unit=unit,
        definition=definition,
        does_not_show="In which direction: see the contrast.",
        source=_SOURCE,
        needs=frozenset({"logp"}),
        kinds=frozenset({"association"}),
        units=units,
        columns=("value", "n"),
        numbers={CORRECTED: {name: Value(per_unit)}},
    )


def _contexts(measured: Measured) -> pd.DataFrame:
    """The class and the cluster of each context; all targets of a context make one unit."""
    probes = measured.items[measured.items["role"] == "probe"]
    table = pd.DataFrame({"class": only(probes, "class"), "cluster": clusters_of(probes)})
    return table.rename_axis("unit")


def _clusters(measured: Measured) -> pd.Series:
    return clusters_of(measured.items)


def _simplices(measured: Measured) -> list[tuple[str, str, tuple[pd.Series, pd.Series]]]:
    """P of the set's targets, which are made to sum to 1, of each two groups of a sentence.

    Each with its unit and its frame; none if the groups' terms are the targets.
    """
    rows = measured.items[measured.items["role"] == "probe"]
    if rows.empty or group_at_mask(rows):
        return []
    scored = measured.values("logp")
    rows = scored[scored["role"] == "probe"]
    # `first`, because rows that share a target and its context also share its p.
    p = np.exp(rows["value"]).groupby([rows["context"], rows["target"]]).first()
    # Without `min_count` a sentence whose targets are all lost would sum to 0 and not to NaN.
    simplex = (p / p.groupby("context").sum(min_count=1)).rename("p").reset_index()
    # A context that serves several frames or groups is a sentence of each of them.
    contexts = rows[["context", "frame", "variant", "group"]].drop_duplicates()
    by_group = simplex.merge(contexts, on="context").groupby(
        ["frame", "variant", "group", "target"], sort=False
    )
    # A target without a score makes the distance NaN: fewer targets would change its meaning.
    wide = by_group["p"].mean().where(by_group["p"].count() == by_group["p"].size())
    return [
        (f"{frame}:{variant}:{first}:{second}", frame, (by_target[first], by_target[second]))
        for (frame, variant), by_target in wide.unstack("group").groupby(["frame", "variant"])
        for first, second in combinations(by_target.columns, 2)
    ]


def _distance(name: str, first: pd.Series, second: pd.Series) -> float:
    """Total variation if `name` starts with tv, else Jensen-Shannon divergence in bits, 0 to 1."""
    p, q = first.to_numpy(dtype=float), second.to_numpy(dtype=float)
    if name.startswith("tv"):
        return float(np.abs(p - q).sum() / 2)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        # 0 log 0 is 0, its limit, where the product would be NaN.
        parts = [np.where(x == 0, 0.0, x * np.log2(x / middle)) for x in (p, q)]
    return float(sum(part.sum() for part in parts) / 2)


_NOT_BIAS = "Bias: two models may differ everywhere and lean alike."
MODELS = (
    of_models("kl", "nats", "KL divergence of the reference's distribution at the slot to the "
              "candidate's, whole vocabulary, 0 upwards.", _NOT_BIAS),
    of_models("jsd", "bits", "Jensen-Shannon divergence of the two models' distributions at the "
              "slot, whole vocabulary, 0 to 1.", _NOT_BIAS),
    of_models("tv", "0 to 1", "Total variation distance of the two models' distributions at the "
              "slot: the largest difference of p that any set of words has.", _NOT_BIAS),
    of_models("top1", "share", "Share of slots whose likeliest word is the same in both models.",
              _NOT_BIAS),
    of_models("agreement@10", "share", "Share of the ten likeliest words that both models have.",
              _NOT_BIAS),
)  # fmt: skip
GROUPS = (
    of_groups("jsd_groups", "bits", "Jensen-Shannon divergence between two groups' distributions "
              "at the slot, whole vocabulary (mean over a group's terms first), 0 to 1."),
    of_groups("tv_groups", "0 to 1", "Total variation distance between two groups' distributions "
              "at the slot, whole vocabulary (mean over a group's terms first)."),
    of_targets("jsd_targets", "bits", "Jensen-Shannon divergence between two groups' distributions "
               "over the set's own targets, which are made to sum to 1; 0 to 1."),
    of_targets("tv_targets", "0 to 1", "Total variation distance between two groups' distributions "
               "over the set's own targets, which are made to sum to 1."),
)  # fmt: skip

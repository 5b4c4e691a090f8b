"""`log_odds`: log-odds of the first group's terms against the second's, in nats."""

import pandas as pd

from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.estimators.of_groups.pooling import group_differences


def cells(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Log-odds of `first` against `second` in each cell, for probes and controls."""
    return group_differences(asked(scored), first, second)


def asked(scored: pd.DataFrame) -> pd.DataFrame:
    """The items with their `value` that these cells are made of."""
    chosen = scored["role"].isin(["probe", "control"])
    return scored if chosen.all() else scored[chosen]


LOG_ODDS = GroupEstimator(
    name="log_odds",
    unit="nats",
    definition="log p(first group) - log p(second group), at the mask; any real number, positive "
    "towards the first group; .69 doubles the odds.",
    does_not_show="Whether a lean comes from the attribute or from the model's habit of one term: "
    "the mean over attributes is a statement about the terms, so it is shown and never tested.",
    source="Kurita et al. 2019, without their prior",
    needs=frozenset({"logp"}),
    kinds=frozenset({"association"}),
    cells=cells,
)

"""`prior` and `lpbs`: the lean with the attribute masked too, and the lean minus this prior."""

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators import GroupEstimator
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.pooling import (
    CELL,
    group_differences,
    numbered,
)


def prior_cells(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Log-odds of each cell with the attribute masked too, read at the group's slot, in nats."""
    # The prior takes the role of the probe that it belongs to, by which `lpbs_cells` joins them.
    return group_differences(scored[scored["role"] == "prior"], first, second).assign(role="probe")


def lpbs_cells(scored: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Log-odds minus the prior, cell by cell, in nats."""
    raw = LOG_ODDS.cells(scored, first, second)
    raw, prior = raw[raw["role"] == "probe"], prior_cells(scored, first, second)
    # Joined by numbers, since a merge takes ten times as long.
    number, _ = numbered(pd.concat([raw[CELL], prior[CELL]]), CELL)
    own, others = np.split(number, [len(raw)])
    of_prior = np.full(len(number), np.nan)
    of_prior[others] = prior["value"]
    chosen = np.isin(own, others)
    values = raw["value"].to_numpy(dtype=float) - of_prior[own]
    return raw[CELL].assign(value=values)[chosen].reset_index(drop=True)


PRIOR = GroupEstimator(
    name="prior",
    unit="nats",
    definition="The log-odds of the same sentence with the attribute masked too, read at the "
    "group's slot; a mask a word.",
    does_not_show="Anything about an attribute; a sentence with several masks is unlike the "
    "model's training text.",
    source="Kurita et al. 2019",
    needs=frozenset({"logp"}),
    kinds=frozenset({"association"}),
    cells=prior_cells,
)
LPBS = GroupEstimator(
    name="lpbs",
    unit="nats",
    definition="Log-odds minus prior (log probability bias score).",
    does_not_show="A lean of the model's output that is the same for all attributes: it cancels.",
    source="Kurita et al. 2019; the prior is read at the group's slot, not at the attribute's",
    needs=frozenset({"logp"}),
    kinds=frozenset({"association"}),
    cells=lpbs_cells,
)

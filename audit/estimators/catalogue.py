"""All named estimators, and what a kind of probe set needs of the scoring pass."""

from audit.estimators import Estimator, GroupEstimator, UnitEstimator
from audit.estimators.answers import ANSWERS
from audit.estimators.cbs import CBS
from audit.estimators.completions import DISCO, HONEST
from audit.estimators.divergence import GROUPS, MODELS
from audit.estimators.log_odds import LOG_ODDS
from audit.estimators.pairs import PAIRS
from audit.estimators.prior import LPBS, PRIOR
from audit.estimators.seat import SEAT
from audit.estimators.stereoset import STEREOSET

GROUP: tuple[GroupEstimator, ...] = (LOG_ODDS, PRIOR, LPBS)
UNIT: tuple[UnitEstimator, ...] = (
    CBS,
    *PAIRS,
    STEREOSET,
    HONEST,
    DISCO,
    *GROUPS,
    *MODELS,
    *ANSWERS,
    *SEAT,
)
ALL: tuple[Estimator, ...] = (*GROUP, *UNIT)


def needed(kind: str) -> frozenset[str]:
    """The measures that the estimators of a kind of probe set need; `logp` where none says."""
    found = frozenset[str]().union(*(part.needs for part in ALL if kind in part.kinds))
    return found or frozenset({"logp"})

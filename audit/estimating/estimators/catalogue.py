"""All named estimators, and the measures that each kind of probe set needs."""

from maskaudit.audit.estimating.estimators import Estimator, GroupEstimator, UnitEstimator
from maskaudit.audit.estimating.estimators.answers import ANSWERS
from maskaudit.audit.estimating.estimators.cbs import CBS
from maskaudit.audit.estimating.estimators.completions import DISCO, HONEST
from maskaudit.audit.estimating.estimators.consistency import CONSISTENCY
from maskaudit.audit.estimating.estimators.divergence import GROUPS, MODELS
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.prior import LPBS, PRIOR
from maskaudit.audit.estimating.estimators.pairs import PAIRS
from maskaudit.audit.estimating.estimators.seat import SEAT
from maskaudit.audit.estimating.estimators.stereoset import STEREOSET
from maskaudit.audit.estimating.estimators.texts import TEXTS

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
    CONSISTENCY,
    *SEAT,
    *TEXTS,
)
ALL: tuple[Estimator, ...] = (*GROUP, *UNIT)


def needed(kind: str) -> frozenset[str]:
    """The measures that the estimators for a kind of probe set need; `logp` by default."""
    measures = frozenset[str]().union(*(part.needs for part in ALL if kind in part.kinds))
    return measures or frozenset({"logp"})

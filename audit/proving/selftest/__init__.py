"""The instrument against known truth: planted leans, models without any, and itself.

The short self-test is that of an installation; the full one is that of the instrument.
"""

from collections.abc import Sequence

from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest import metamorphic, nulls, phantom, plants
from maskaudit.audit.proving.selftest.metamorphic import copy_reordered
from maskaudit.audit.vocabulary import Progress

__all__ = ["Check", "Progress", "copy_reordered", "full", "selftest"]


def selftest(progress: Progress) -> list[Check]:
    """The checks of an installation; none raises for a truth that was not found."""
    return [*phantom.checks(progress), *metamorphic.checks(progress)]


def full(
    progress: Progress,
    *,
    kappas: Sequence[float] = plants.KAPPAS,
    n_models: int = nulls.MODELS,
) -> list[Check]:
    """Every check there is; none raises for a truth that was not found.

    `kappas` are the amplifications that are planted, `n_models` is how many untrained models are
    tested.
    """
    return [
        *phantom.checks(progress, full=True),
        *metamorphic.checks(progress, full=True),
        *plants.checks(progress, kappas=kappas),
        *nulls.checks(progress, n_models=n_models),
    ]

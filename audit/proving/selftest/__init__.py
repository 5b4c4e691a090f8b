"""Self-tests against known truth: planted leans, models without a lean, a model against itself.

The short self-test checks an installation, the full one checks the instrument.
"""

from collections.abc import Sequence

from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest import metamorphic, nulls, phantom, plants, softer
from maskaudit.audit.proving.selftest.metamorphic import copy_reordered
from maskaudit.audit.vocabulary import Progress

__all__ = ["Check", "Progress", "copy_reordered", "full", "selftest"]


def selftest(progress: Progress) -> list[Check]:
    """Check an installation; a mismatch is a failed `Check`, never an exception."""
    return [*phantom.checks(progress), *metamorphic.checks(progress), *softer.checks(progress)]


def full(
    progress: Progress,
    *,
    kappas: Sequence[float] = plants.KAPPAS,
    n_models: int = nulls.MODELS,
) -> list[Check]:
    """Run every check; a mismatch is a failed `Check`, never an exception.

    `kappas` are the planted amplifications, `n_models` the number of untrained models.
    """
    return [
        *phantom.checks(progress, full=True),
        *metamorphic.checks(progress, full=True),
        *plants.checks(progress, kappas=kappas),
        *softer.checks(progress, full=True),
        *nulls.checks(progress, n_models=n_models),
    ]

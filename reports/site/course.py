"""How the newest audit's worst set has gone over the versions, as one small line."""

from collections.abc import Sequence

from maskaudit.reports.reader.scales import odds_scale
from maskaudit.reports.site import numbers
from maskaudit.reports.site.parts import Course
from maskaudit.reports.site.shown import Asked, Shown
from maskaudit.reports.site.trends import alike
from maskaudit.reports.words import wording

# Two versions are no course: they stand side by side in words already.
_LEAST = 3
# The newest of many: a line of more has no room for each.
_MOST = 60


def course(audits: Sequence[Shown], worst: Asked | None) -> Course | None:
    """The course of a set of the newest audit, given the newest first; None for a few versions.

    Its points are the versions that were asked alike beside the same reference, as in `trends`.
    """
    if worst is None:
        return None
    known = [one for one in alike(audits, worst) if one.candidate.estimate is not None][:_MOST]
    if len(known) < _LEAST:
        return None
    values = [value for one in known for value in numbers.values(one.candidate)]
    scale, ticks = odds_scale(values)
    estimates = [one.candidate.estimate or 0.0 for one in known[::-1]]
    step = 1 / (len(estimates) - 1)
    points = tuple((round(i * step, 4), 1 - scale.at(v)) for i, v in enumerate(estimates))
    low, high = (numbers.text(one.candidate, one.unit) for one in _ends(known))
    first, last = (numbers.text(one.candidate, one.unit) for one in (known[-1], known[0]))
    return Course(
        points=points,
        null=next((1 - tick.at for tick in ticks if tick.is_null), None),
        title=worst.title,
        first=first,
        last=last,
        said=f"{wording.counted(len(known), 'version')}, the oldest first: from {low} to {high} "
        "times the odds",
    )


def _ends(known: Sequence[Asked]) -> tuple[Asked, Asked]:
    """The smallest and the largest."""
    in_order = sorted(known, key=lambda one: one.candidate.estimate or 0.0)
    return in_order[0], in_order[-1]

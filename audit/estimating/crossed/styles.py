"""What a contrast is in each style of sentence, and what it says of other styles.

A style is a kind of sentence, such as dialogue. Frames are a sample within styles; the styles of a
set are a few of many, so that what differs between them is measured and not only averaged.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from maskaudit.audit.estimating.crossed.cells import Matrix
from maskaudit.audit.estimating.crossed.one_subject import (
    Number,
    classes_of,
    has_point,
    interval_of_pair,
    names_of_pair,
    of_pair,
    refusal_of_pair,
)
from maskaudit.audit.estimating.registry.names import (
    OTHER_STYLES,
    STYLE_CONTRAST,
    STYLE_Q,
    STYLE_SD,
    STYLES_HOLDING,
)
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.crossed.heterogeneity import heterogeneity
from maskaudit.audit.estimating.statistics.crossed.means import LEAST_STYLES
from maskaudit.audit.estimating.statistics.interval import point
from maskaudit.audit.recording.rows import slices

if TYPE_CHECKING:
    from maskaudit.audit.recording.rows.values import Flag

_LEAST = 2


def of_styles(matrix: Matrix, classes: tuple[str, str]) -> Iterator[Number]:
    """Yield the contrast in each style, its interval for other styles, and how far styles differ.

    Yields nothing for a set whose frames have no styles.
    """
    if not matrix.styles:
        return
    pair = classes_of(matrix, classes)
    names = sorted(set(pair[0].styles))
    by_style = [_in_style(pair, name) for name in names]
    yield from by_style
    yield _for_others(pair)
    yield _holding(pair, by_style)
    # The errors of the frames alone: the attributes are the same in every style, so that what they
    # share does not make styles differ.
    errors = [
        (number.interval.v_frames, number.n_frames - 1.0) for number in by_style if not number.flag
    ]
    estimates = [number.interval.estimate for number in by_style if not number.flag]
    known = heterogeneity(estimates, errors)
    flag: Flag = "too_few_styles" if len(estimates) < _LEAST else ""
    if not flag and math.isnan(known.q):
        flag = "nothing_varied"
    number = replace(of_pair(pair, slices.CONTRAST, STYLE_Q), flag=flag, scope="S1")
    # Were the styles alike, Q would be its degrees of freedom on average.
    q = replace(point(known.q), df=known.df, p=known.p, null_value=known.df)
    yield replace(number, interval=q)
    yield replace(number, estimator=STYLE_SD, interval=point(known.spread))


def _in_style(pair: tuple[Matrix, Matrix], style: str) -> Number:
    """The contrast in the frames of one style, of the names that were asked."""
    chosen = [name == style for name in pair[0].styles]
    # Means of names are those of all frames, not of the style's.
    first, second = (replace(own.columns(chosen), names=()) for own in pair)
    flag = refusal_of_pair((first, second))
    number = replace(of_pair((first, second), slices.of_style(style), STYLE_CONTRAST), flag=flag)
    if flag and not has_point((first, second)):
        return number
    interval, _ = interval_of_pair((first, second))
    return replace(number, interval=point(interval.estimate) if flag else interval)


def _holding(pair: tuple[Matrix, Matrix], by_style: Sequence[Number]) -> Number:
    """The share of styles whose own interval lies on the side of the average over styles."""
    number = replace(of_pair(pair, slices.CONTRAST, STYLES_HOLDING), scope="S0")
    # A style without an interval neither holds nor fails, so it is not counted at all.
    known = [own.interval for own in by_style if not own.flag]
    if not known:
        return replace(number, flag="too_few_styles")
    # By the mean over styles, as in the contrast itself: a style of many frames decides no more.
    side = np.sign(np.mean([own.estimate for own in known]))
    holding = sum(own.low * side > 0 and own.high * side > 0 for own in known)
    return replace(number, interval=point(holding / len(known)), n_styles=len(known))


def _for_others(pair: tuple[Matrix, Matrix]) -> Number:
    """The contrast with its interval for other styles as well."""
    number = of_pair(pair, slices.CONTRAST, OTHER_STYLES)
    flag = refusal_of_pair(pair)
    if not flag and number.n_styles < LEAST_STYLES:
        flag = "too_few_styles"
    if flag:
        return replace(number, flag=flag)
    first, second = pair
    parts, scope = names_of_pair(pair)
    interval = crossed_means.other_styles(
        first.cells,
        second.cells,
        styles=first.styles,
        families=(first.families, second.families),
        names=parts,
    )
    return replace(number, interval=interval, scope=scope)

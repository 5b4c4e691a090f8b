"""A contrast with the covariates of its attributes held equal, and how far apart its classes are.

Words of several pieces, of several words or seldom written may lean otherwise, whatever they mean:
where they are more in one class, the contrast is partly theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from maskaudit.audit.estimating.crossed.cells import DIFFERENCE, Matrix
from maskaudit.audit.estimating.crossed.covariates import FREQUENCY, PIECES, WORDS, Covariates
from maskaudit.audit.estimating.crossed.one_subject import (
    Number,
    classes_of,
    contrast,
    name_parts_of,
    of_pair,
    refusal,
    refusal_of_facets,
)
from maskaudit.audit.estimating.registry.names import (
    CONTRAST_ADJUSTED,
    CONTRAST_BY_LENGTH,
    CONTRAST_MATCHED,
    FREQUENCY_APART,
    PIECES_APART,
    WORDS_APART,
)
from maskaudit.audit.estimating.statistics.crossed import covariance
from maskaudit.audit.estimating.statistics.crossed.anova import fillable, strata
from maskaudit.audit.estimating.statistics.interval import Cells, point
from maskaudit.audit.recording.rows import slices

if TYPE_CHECKING:
    from maskaudit.audit.recording.rows.values import Flag

# Attributes of more pieces, or of more words, are matched with one another.
MOST_PIECES, MOST_WORDS = 4, 3
_APART = {PIECES: PIECES_APART, WORDS: WORDS_APART, FREQUENCY: FREQUENCY_APART}
_Pair = tuple[Matrix, Matrix]


def of_covariates(
    by_subject: Mapping[str, Matrix], classes: tuple[str, str], known: Covariates
) -> Iterator[tuple[str, Number]]:
    """Yield, for every subject, the adjusted and the matched contrast, and how classes differ.

    Yields nothing where no pieces were counted, as in records of older formats.
    """
    if not known.pieces:
        return
    for subject, matrix in by_subject.items():
        pair = classes_of(matrix, classes)
        yield from ((subject, number) for number in _apart(subject, pair, known))
        yield subject, _adjusted(pair, known)
        yield subject, _matched(pair, known)
        yield from ((subject, number) for number in _by_length(matrix, classes, known))


def held_equal(pair: _Pair, known: Covariates) -> tuple[str, ...]:
    """The covariates that `CONTRAST_ADJUSTED` holds equal between two classes."""
    every = [name for own in pair for name in own.attributes]
    return (PIECES, WORDS, FREQUENCY) if known.has_frequencies(every) else (PIECES, WORDS)


def matched(first: Cells, second: Cells) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The strata of two classes' attributes by their pieces and words, [I_c, 2]; -1 without match.

    Coarsened exact matching (Iacus, King & Porro 2012): pieces and words are rounded, half up, and
    those above `MOST_PIECES` and `MOST_WORDS` count as many. A stratum has both classes.
    """
    coarse = [
        np.minimum(_rounded(own), (MOST_PIECES, MOST_WORDS)).astype(int) for own in (first, second)
    ]
    keys = [[tuple(row) for row in own.tolist()] for own in coarse]
    # Sorted: neither the strata nor the last bits of the fit may follow the order of a set.
    shared = {key: number for number, key in enumerate(sorted({*keys[0]} & {*keys[1]}))}
    found = [np.array([shared.get(key, -1) for key in own], dtype=np.intp) for own in keys]
    return found[0], found[1]


def _apart(subject: str, pair: _Pair, known: Covariates) -> Iterator[Number]:
    """Yield how far the classes are apart; a difference of models has no pieces of its own."""
    if subject == DIFFERENCE:
        return
    for (covariate, model), apart in known.apart((pair[0].attributes, pair[1].attributes)).items():
        if model in {"", subject}:
            number = of_pair(pair, slices.CONTRAST, _APART[covariate])
            yield replace(number, interval=point(apart), scope="S0")


def _adjusted(pair: _Pair, known: Covariates) -> Number:
    """The contrast with pieces, words and known frequencies held equal."""
    table = partial(known.table, frequency=FREQUENCY in held_equal(pair, known))
    return _held_equal(pair, CONTRAST_ADJUSTED, *(table(own.attributes) for own in pair))


def _matched(pair: _Pair, known: Covariates) -> Number:
    """The contrast over the attributes that have a match in the other class."""
    first, second = (known.table(own.attributes, frequency=False) for own in pair)
    if np.isnan(first).any() or np.isnan(second).any():
        return replace(of_pair(pair, slices.CONTRAST, CONTRAST_MATCHED), flag="not_estimable")
    found = matched(first, second)
    subset = tuple(own.rows(places >= 0) for own, places in zip(pair, found, strict=True))
    n_strata = max(places.max(initial=-1) for places in found) + 1
    # A covariate for each stratum holds it equal: its weights of both classes are then the same.
    indicators = [np.eye(n_strata)[places[places >= 0]] for places in found]
    return _held_equal((subset[0], subset[1]), CONTRAST_MATCHED, *indicators)


def _by_length(matrix: Matrix, classes: tuple[str, str], known: Covariates) -> Iterator[Number]:
    """Yield the contrast of attributes of one piece, of several, of one word and of several.

    Nothing of pieces or words where all attributes of both classes have one, or all have several.
    """
    both = matrix.rows([name in classes for name in matrix.classes])
    table = known.table(both.attributes, frequency=False)
    kinds: tuple[tuple[Literal["pieces", "words"], Cells], ...] = (
        ("pieces", table[:, 0]),
        ("words", table[:, 1]),
    )
    for kind, lengths in kinds:
        several = _rounded(lengths) > 1
        # Of one kind alone it would be the contrast itself, under another name.
        if np.isnan(lengths).any() or several.all() or not several.any():
            continue
        for chosen in (~several, several):
            slice_ = slices.of_length(kind, several=bool(chosen[several].any()))
            for number in contrast(both.rows(chosen), CONTRAST_BY_LENGTH, classes):
                yield replace(number, slice=slice_)


def _rounded(lengths: Cells) -> Cells:
    """Means of counts as counts, half up."""
    # Not `round`, which makes 2 of 2.5 and 4 of 3.5.
    rounded: Cells = np.floor(lengths + 0.5)
    return rounded


def _held_equal(pair: _Pair, name: str, first: Cells, second: Cells) -> Number:
    """The contrast of two classes with these covariates, [I_c, p], held equal."""
    number = of_pair(pair, slices.CONTRAST, name)
    flag = _why_not(pair, first, second)
    if flag:
        return replace(number, flag=flag)
    try:
        line = covariance.fit(first, second)
    except ValueError:  # the classes differ in what does not vary within them
        return replace(number, flag="not_estimable")
    # Slopes are common to both classes, so that one class may be used up and not the other.
    if min(line.freedoms) < 1:
        return replace(number, flag="too_few_attributes")
    parts, scope = name_parts_of(pair, line.weights)
    interval = covariance.adjusted_interval(
        pair[0].cells,
        pair[1].cells,
        line,
        styles=pair[0].styles,
        families=(pair[0].families, pair[1].families),
        names=parts,
    )
    return replace(number, interval=interval, scope=scope)


def _why_not(pair: _Pair, first: Cells, second: Cells) -> "Flag":
    """Why there is no number: too few attributes or frames, gaps, or unknown covariates."""
    smaller = min(len(own.cells) for own in pair)
    # As many attributes as a regression on them takes, in each class.
    flag = refusal(smaller, len(pair[0].frames)) or refusal_of_facets(*pair)
    if flag:
        return flag
    places: Sequence[NDArray[np.intp]] = strata(pair[0].styles, len(pair[0].frames))
    gaps = not all(fillable(own.cells[:, at]) for own in pair for at in places)
    unknown = any(np.isnan(own).any() for own in (first, second))
    return "not_estimable" if gaps or unknown else ""

"""Main effects and interactions of the factors that groups are crossed by, as contrasts of classes.

A main effect is a mean over the levels of the other factors, an interaction a difference of
differences: what is said of Black women beyond what is said of Black people and of women.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed import one_subject
from maskaudit.audit.estimating.crossed.cells import (
    Matrix,
    matrices_of,
    with_difference,
)
from maskaudit.audit.estimating.crossed.one_subject import Number
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import INTERACTION, MAIN_EFFECT, of_factors
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows.slices import Slice

# The level of each factor, by group.
Levels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Effect:
    """An effect of factors: its name, what it is between, and the weights of the groups.

    The weights add up to 0, those above 0 to 1 in a main effect and to 2 in an interaction.
    """

    name: str
    slice: Slice
    weights: Mapping[str, float]
    classes: tuple[str, str] | None

    @property
    def written(self) -> str:
        """The weights as written in a method key."""
        return ",".join(f"{group}={weight:g}" for group, weight in sorted(self.weights.items()))


def of_groups_crossed(
    scored: Mapping[str, pd.DataFrame], groups: Collection[str], design: Design
) -> Iterator[tuple[str, Effect, Number]]:
    """Yield every effect of the factors of a crossed set, with its subject.

    It is the contrast of the set's classes in the weighted sum of the groups' log p, cell by cell,
    with the interval that a contrast between two groups has. `scored` has the items by model
    (`with_scores`), and `groups` are theirs in order of appearance.
    """
    levels = {group: design.factors[group] for group in groups if group in design.factors}
    wanted = [effect for effect in effects(levels, design) if effect.classes]
    if not wanted:
        return
    # Any group will do to hold the others against: the weights add up to 0.
    base, *others = sorted(levels)
    against = {
        group: with_difference(matrices_of(scored, LOG_ODDS, group, base)[0]) for group in others
    }
    for effect in wanted:
        for subject in against[others[0]]:
            by_group = {group: own[subject] for group, own in against.items()}
            matrix = _weighted(by_group, base, effect.weights)
            for number in one_subject.contrast(matrix, effect.name, effect.classes or ("", "")):
                yield subject, effect, replace(number, slice=effect.slice)


def effects(levels: Levels, design: Design) -> Iterator[Effect]:
    """Yield each main effect, and each interaction of two factors, between each two levels.

    The level whose group comes first is the first: the order decides the sign, and nothing else.
    """
    factors = sorted(next(iter(levels.values()), {}))
    by_factor = {
        factor: list(combinations(dict.fromkeys(own[factor] for own in levels.values()), 2))
        for factor in factors
    }
    for factor in factors:
        for pair in by_factor[factor]:
            sides = _sides(levels, {factor: pair})
            yield Effect(
                of_factors(MAIN_EFFECT, factor),
                slices.CONTRAST.of_groups(*pair),
                sides,
                _classes(levels, factor, pair, design),
            )
    for one, other in combinations(factors, 2):
        for pair in by_factor[one]:
            for other_pair in by_factor[other]:
                yield Effect(
                    of_factors(INTERACTION, one, other),
                    slices.CONTRAST.of_groups(" less ".join(pair), " less ".join(other_pair)),
                    _sides(levels, {one: pair, other: other_pair}),
                    design.contrast,
                )


def _sides(levels: Levels, pairs: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """The weight of each group: +1 at the first level of a pair, -1 at the second, multiplied.

    Over the levels of all other factors it is a mean.
    """
    signs = {
        group: int(
            np.prod([(own[factor] == a) - (own[factor] == b) for factor, (a, b) in pairs.items()])
        )
        for group, own in levels.items()
    }
    # Each sign of a main effect once, each of an interaction twice.
    of_a_sign = 2 ** (len(pairs) - 1)
    share = of_a_sign / sum(sign > 0 for sign in signs.values())
    return {group: share * sign for group, sign in signs.items()}


def _classes(
    levels: Levels, factor: str, pair: Sequence[str], design: Design
) -> tuple[str, str] | None:
    """The classes of a main effect: those stereotyped with its levels, or the set's contrast."""
    by_level = [
        [
            name
            for name, group in design.directions.items()
            if group in levels and levels[group][factor] == level
        ]
        for level in pair
    ]
    if all(len(names) == 1 for names in by_level):
        return by_level[0][0], by_level[1][0]
    return design.contrast


def _weighted(by_group: Mapping[str, Matrix], base: str, weights: Mapping[str, float]) -> Matrix:
    """The weighted sum of the groups, each of which is held against the group `base`."""
    groups = [group for group in by_group if weights[group]]
    one = next(iter(by_group.values()))
    # A group's names vary by as much as its weight says.
    names = {group: own.names[0] for group, own in by_group.items() if own.names}
    names |= {base: one.names[1]} if one.names else {}
    return replace(
        one,
        cells=np.sum([weights[group] * by_group[group].cells for group in groups], axis=0),
        names=tuple(
            weights[group] * means for group, means in sorted(names.items()) if weights[group]
        ),
    )

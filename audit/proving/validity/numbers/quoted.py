"""The number that is quoted: coverage of the headline, its size, and what could have been found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import special

from maskaudit.audit.estimating.quoted import Family, Quoted, family
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.estimating.statistics.interval import Cells, student
from maskaudit.audit.proving.validity.table import (
    Bar,
    Measured,
    Row,
    Table,
    repeat,
    share,
)

SHOWN = 0.05
DF, FEW = 25, 8
COVERAGE = Bar(0.945, 0.98)
# A size of 0 would be too small to be of use.
SIZE = Bar(0.8, 1.3)
# Four times in five, give or take the approximation of the noncentral t and the simulation.
POWER = Bar(0.78, 0.82)


@dataclass(frozen=True)
class World:
    """Tested sets whose true contrasts are drawn with SD `sd`, in standard errors.

    Estimates have a normal error of SD 1, with correlation `correlation` between any two sets, and
    an estimated standard error with `df` degrees of freedom. With `alike` every true contrast is
    `sd` itself.
    """

    n_sets: int
    sd: float
    df: int = DF
    correlation: float = 0.0
    alike: bool = False

    def __str__(self) -> str:
        """Return the world's name in a row."""
        sets = f"{self.n_sets} set{'s' if self.n_sets > 1 else ''}"
        effects = f"all {self.sd:g} SE" if self.alike else f"effects of SD {self.sd:g} SE"
        more = f", errors correlated by {self.correlation:g}" if self.correlation else ""
        return f"{sets}, {effects}{more}{f', {self.df} df' if self.df != DF else ''}"

    def draw(self, rng: np.random.Generator) -> "Audit":
        """Draw one audit."""
        effects = np.full(self.n_sets, self.sd)
        if not self.alike:
            effects = self.sd * rng.standard_normal(self.n_sets)
        # The parts have the variance 1 together: effects are in standard errors.
        errors = np.sqrt(1 - self.correlation) * rng.standard_normal(self.n_sets)
        errors += np.sqrt(self.correlation) * rng.standard_normal()
        return Audit(effects, effects + errors, self._std_errors(rng), self.df)

    def _std_errors(self, rng: np.random.Generator) -> Cells:
        errors: Cells = np.sqrt(rng.chisquare(self.df, self.n_sets) / self.df)
        return errors


@dataclass(frozen=True)
class Audit:
    """The contrasts of one audit, each array [sets]: true effects, estimates, standard errors."""

    effects: Cells
    estimates: Cells
    std_errors: Cells
    df: int

    @property
    def p_adjusted(self) -> Cells:
        """The p values as the page has them."""
        t = np.abs(self.estimates / self.std_errors)
        return multiplicity.benjamini_hochberg(2 * special.stdtr(self.df, -t))

    @property
    def clearest(self) -> int:
        """The set that the headline is about."""
        # The page goes by p; with equal degrees of freedom the largest |t| has the smallest.
        return int(np.argmax(np.abs(self.estimates / self.std_errors)))

    def family(self, p_adjusted: Cells) -> Family:
        """The family of its contrasts."""
        dfs = np.full(len(self.estimates), float(self.df))
        return family(self.estimates, self.std_errors, dfs, p_adjusted)

    def headline(self) -> tuple[Quoted, bool, float, float]:
        """Return the headline as it is quoted, whether it is shown, its truth and its estimate."""
        p_adjusted, place = self.p_adjusted, self.clearest
        estimate = float(self.estimates[place])
        quote = self.family(p_adjusted).quote(
            estimate, float(self.std_errors[place]), float(self.df)
        )
        return quote, bool(p_adjusted[place] < SHOWN), float(self.effects[place]), estimate


WORLDS = tuple(World(n_sets, sd) for n_sets, sd in product((1, 4, 8), (0.0, 1.0, 2.0)))
# Where the rule is known to be at its end, or is not promised anything: no bar.
BEYOND = (
    World(8, 1.0, correlation=0.5),
    World(20, 2.0),
    World(8, 2.0, alike=True),
)
SIZES = (World(4, 1.0), World(8, 1.0))
OTHER_SIZES = (World(4, 2.0), World(4, 1.0, df=FEW), World(4, 2.0, alike=True))
TESTED = tuple((n_sets, df) for df in (DF, FEW) for n_sets in (1, 4, 8))


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [headlines(repetitions, seed), sizes(repetitions, seed), found(repetitions, seed)]


def headlines(
    repetitions: int, seed: int, worlds: Sequence[World] = WORLDS, beyond: Sequence[World] = BEYOND
) -> Table:
    """Tabulate how often the headline's interval holds the truth, beside the plain one."""
    rows = []
    for world in (*worlds, *beyond):
        results = repeat(_coverage(world), repetitions, seed, f"headline, {world}")
        held, held_plain, is_shown = results
        beside = {"plain 95 %": share(held_plain)}
        # The mean over no audit would be NaN.
        if is_shown.any():
            beside["of those shown"] = share(held[is_shown == 1])
        rows.append(Row(str(world), share(held), COVERAGE if world in worlds else None, beside))
    return Table(
        "The headline’s interval",
        "How often it holds the true contrast of the set that the data chose, the one with the "
        "largest |t|. Level 1 − .05 R/m where R of m sets are shown, 1 − .05/m where none is "
        f"(Benjamini & Yekutieli 2005), by `quoted.family`; Student’s t with {DF} degrees of "
        "freedom. Beside: the plain 95 % interval of the same set; the headline’s over those "
        "audits alone in which the set is shown (0 where nothing leans: whatever is shown is wrong "
        "then).",
        tuple(rows),
    )


def sizes(
    repetitions: int,
    seed: int,
    worlds: Sequence[World] = SIZES,
    others: Sequence[World] = OTHER_SIZES,
) -> Table:
    """Tabulate the median size of the headline's contrast over its true size."""
    rows = []
    for world in (*worlds, *others):
        results = repeat(_size(world), repetitions, seed, f"size, {world}")
        ratio, ratio_raw, is_shown = results
        chosen = is_shown == 1
        bar = SIZE if world in worlds else None
        for what, which in (("all", np.ones_like(chosen)), ("shown", chosen)):
            beside = {"the estimate": median(ratio_raw[which])}
            rows.append(Row(f"{world}: {what}", median(ratio[which]), bar, beside))
    return Table(
        "The size of a headline",
        "Median of |size that it is likely nearer to| over |true contrast|, by `quoted.kept`, over "
        "all headlines and over those that are shown. Beside: the same of the estimate, which was "
        "chosen for being large.",
        tuple(rows),
        is_share=False,
    )


def found(repetitions: int, seed: int) -> Table:
    """Tabulate how often an effect of the size that could have been found is shown."""
    rows = []
    for n_sets, df in TESTED:
        name = f"{n_sets} tested set{'s' if n_sets > 1 else ''}, {df} degrees of freedom"
        results = repeat(_found(n_sets, df), repetitions, seed, f"found, {name}")
        by_rule, by_one_test = map(share, results)
        rows.append(Row(name, by_rule, POWER, {"mde of a single test": by_one_test}))
    return Table(
        "What could have been found",
        "How often a set is shown whose true contrast is exactly what `Family.quote` says that the "
        "audit could have found, while no other set leans. Adjusted p by "
        "`multiplicity.benjamini_hochberg`. Beside: a true contrast of the size that one "
        "unadjusted test finds four times in five.",
        tuple(rows),
    )


def median(values: Cells) -> Measured:
    """Return the median over repetitions; its standard error from the order statistics beside it.

    Half the distance between those half a root of n before and behind the middle.
    """
    ordered, n = np.sort(values), values.size
    away = np.sqrt(n) / 2
    low, high = (ordered[int(np.clip(n / 2 + step, 0, n - 1))] for step in (-away, away))
    return Measured(float(np.median(ordered)), float(high - low) / 2)


def _coverage(world: World) -> Callable[[np.random.Generator], Sequence[float]]:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        audit = world.draw(rng)
        quote, is_shown, truth, estimate = audit.headline()
        plain = student(estimate, float(audit.std_errors[audit.clearest]) ** 2, audit.df)
        return quote.low <= truth <= quote.high, plain.low <= truth <= plain.high, is_shown

    return trial


def _size(world: World) -> Callable[[np.random.Generator], Sequence[float]]:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        quote, is_shown, truth, estimate = world.draw(rng).headline()
        return abs(quote.likely / truth), abs(estimate / truth), is_shown

    return trial


def _found(n_sets: int, df: int) -> Callable[[np.random.Generator], Sequence[float]]:
    """Return a trial: whether the first set is shown with either size, alone among null sets."""
    world = World(n_sets, 0.0, df)
    dfs, nothing = np.full(n_sets, float(df)), np.zeros(n_sets)
    # With no p below .05 the level is .05/m, that of a set which is found alone.
    rule = family(nothing, np.ones(n_sets), dfs, np.ones(n_sets))
    both = (rule.quote(0.0, 1.0, float(df)).could_find, student(0.0, 1.0, df).mde)

    def trial(rng: np.random.Generator) -> Sequence[float]:
        audit = world.draw(rng)
        alone = np.arange(n_sets) == 0
        return [
            Audit(audit.effects, audit.estimates + size * alone, audit.std_errors, df).p_adjusted[0]
            < SHOWN
            for size in both
        ]

    return trial

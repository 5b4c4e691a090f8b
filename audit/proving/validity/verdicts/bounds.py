"""Verdicts on levels exactly at their bound: squared leans, and shares over unequal clusters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from maskaudit.audit.estimating.clustered import ROUNDING
from maskaudit.audit.estimating.registry.names import ACCURACY, ASSOCIATION, MAGNITUDE
from maskaudit.audit.estimating.statistics import clusters, proportions, ustatistics
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.judging.deciding.levels import squared
from maskaudit.audit.judging.decision import FAIL, PASS, level
from maskaudit.audit.judging.one_verdict import judged, settled
from maskaudit.audit.judging.policy import BOUND, Gate
from maskaudit.audit.proving.validity.simulate import Crossed, lognormal, normal
from maskaudit.audit.proving.validity.table import Bar, Measured, Row, Table, generator, share
from maskaudit.audit.recording.rows import slices

# Attributes, frames and residual; the leans that are squared are those of the attributes.
DESIGNS = tuple(
    Crossed(attributes, frames, sd)
    for attributes, frames in ((60, 20), (24, 12), (20, 36), (20, 10), (20, 6))
    for sd in ((0.5, 0.5, 0.3), (0.5, 0.5, 1.0), (0.3, 0.5, 1.0))
)
# Too few to be judged, so this is what would be said.
FEW = Crossed(12, 10, (0.3, 0.5, 1.0))
SHARES = (0.5, 0.9)
# The correlation of two units of one cluster.
CORRELATIONS = (0.05, 0.3)
ITEMS = (20, 60, 262)
_ERROR = Bar(high=0.06)
_T_BEFORE, _PLAIN = "t, clusters less 1", "t interval"


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [squares(repetitions, seed), pairs(repetitions, seed), limits_alone()]


def squares(repetitions: int, seed: int) -> Table:
    """Tabulate verdicts on associations and magnitudes that are exactly at their bound."""
    rows = []
    for design in DESIGNS:
        rows += _squares(f"association, {_named(design)}", ASSOCIATION, design, repetitions, seed)
    for design in (Crossed(60, 20, (0.5, 0.0, 1.0)), Crossed(20, 10, (0.5, 0.0, 1.0))):
        name = f"magnitude, {_named(design)}"
        rows += _squares(name, MAGNITUDE, design, repetitions, seed, mean=0.3)
    for leans, draw in {"t of 5": _t_of_5, "lognormal": lognormal}.items():
        design = Crossed(60, 20, (0.5, 0.5, 1.0), draw)
        name = f"association, {_named(design)}, leans {leans}"
        rows += _squares(name, ASSOCIATION, design, repetitions, seed, bar=None)
    rows += _few(repetitions, seed)
    return Table(
        "A bound on a mean of squared leans",
        "`bound` on an association or a magnitude whose true value is the bound; attributes by "
        "frames, with the standard deviations of the leans and of the residual (frames .5; in a "
        "magnitude 0, and a common lean of .3). Fewer than 20 attributes are refused; the last "
        "rows are what would be said of 12. Where leans have heavy tails no bound is kept from so "
        "few attributes: these rows are information. Beside: the plain t interval.",
        tuple(rows),
    )


def pairs(repetitions: int, seed: int) -> Table:
    """Tabulate verdicts on shares over clusters, exactly at their bound."""
    rows = []
    for name, sizes in _sizes().items():
        for true_share in SHARES:
            for correlation in CORRELATIONS:
                world = f"{name}, share {100 * true_share:g} %, correlation {correlation:g}"
                draw = _beta(true_share, correlation)
                rows += _shares(world, sizes, true_share, draw, repetitions, seed)
        world = f"{name}, share 90 %, a tenth of the clusters at 0"
        rows += _shares(world, sizes, 0.9, _all_or_nothing(0.9), repetitions, seed)
    return Table(
        "A bound on a share of pairs in clusters",
        "`bound` on a share whose true value is the bound. Sizes of clusters: 40 of 10; 40 whose "
        "sizes fall as 1/rank (120, 60, 40, ...); 3 of 100 and 37 of 2; 40 drawn anew, lognormal. "
        "The share of a cluster is drawn from a beta distribution, or a tenth of the clusters have "
        "none. *Too high* is a failure of a bound that must not be exceeded, and a pass of one "
        "that must be reached; *too low* the reverse. Beside: t with the clusters less 1.",
        tuple(rows),
    )


def limits_alone() -> Table:
    """Tabulate verdicts on a share with Wilson's limits, by the sum over all outcomes."""
    rows = []
    for n in ITEMS:
        for true_share in SHARES:
            # Exact, since a count has few outcomes: what is drawn would have an error of its own.
            chances = stats.binom.pmf(np.arange(n + 1), n, true_share)
            words = np.array([_of_limits(k, n, true_share) for k in range(n + 1)])
            for what, word in (("too high", FAIL), ("too low", PASS)):
                error = Measured(float(chances[words == word].sum()))
                rows.append(Row(f"n = {n}, share {100 * true_share:g} %: {what}", error, _ERROR))
    return Table(
        "A bound on a share of independent facts",
        f"`bound` on `{ACCURACY}`, which has limits and no standard error, with the true share as "
        "the bound, by the sum over all that can be observed: no number was drawn.",
        tuple(rows),
    )


# --- Squared leans --------------------------------------------------------------------------------


def _squares(  # noqa: PLR0913 - a world, and how much of it
    name: str,
    estimator: str,
    design: Crossed,
    repetitions: int,
    seed: int,
    *,
    mean: float = 0.0,
    bar: Bar | None = _ERROR,
) -> list[Row]:
    # An association does not see the mean, which is 0 in its worlds.
    bound = design.sd[0] ** 2 + mean**2
    rng = generator(seed, f"bounds, {name}")
    intervals = [_square(estimator, design.draw(rng) + mean) for _ in range(repetitions)]
    counts = {"n_attributes": design.attributes, "n_frames": design.frames}
    words = [_word(_row(one, estimator, **counts), bound) for one in intervals]
    plain = [level(one.estimate, one.std_error, one.df, bound, "up").word for one in intervals]
    return _both(name, words, plain, _PLAIN, bar, ("fail", "pass"))


def _few(repetitions: int, seed: int) -> list[Row]:
    """Return what would be said of fewer attributes than are judged."""
    rng = generator(seed, "bounds, few")
    bound, words, plain = FEW.sd[0] ** 2, [], []
    for _ in range(repetitions):
        one = ustatistics.association_interval(FEW.draw(rng))
        numbers = (one.estimate, one.std_error, one.df)
        words.append(squared(*numbers, FEW.attributes, bound, "up").word)
        plain.append(level(*numbers, bound, "up").word)
    name = f"association, {_named(FEW)}, refused; else"
    return _both(name, words, plain, _PLAIN, None, ("fail", "pass"))


def _square(estimator: str, cells: Cells) -> Interval:
    if estimator == ASSOCIATION:
        return ustatistics.association_interval(cells)
    return ustatistics.magnitude_interval(cells)


def _t_of_5(rng: np.random.Generator, shape: tuple[int, ...]) -> Cells:
    """Draw Student's t with 5 degrees of freedom, of SD 1."""
    # Student's t with 5 degrees of freedom has the variance 5/3.
    effects: Cells = rng.standard_t(5, shape) / np.sqrt(5 / 3)
    return effects


def _named(design: Crossed) -> str:
    return f"{design}, SD {design.sd[0]:g} and {design.sd[2]:g}"


# --- Shares ---------------------------------------------------------------------------------------

# Sizes of clusters, [clusters], and the share of each cluster, [clusters].
Sizes = Callable[[np.random.Generator], Cells]
DrawShares = Callable[[np.random.Generator, int], Cells]


@dataclass(frozen=True)
class _Fixed:
    """Sizes of clusters that are the same in every table."""

    sizes: tuple[int, ...]

    def __call__(self, _rng: np.random.Generator) -> Cells:
        return np.array(self.sizes, dtype=float)


def _sizes() -> Mapping[str, Sizes]:
    def drawn(rng: np.random.Generator) -> Cells:
        sizes: Cells = np.maximum(1.0, np.round(np.exp(1 + 1.5 * normal(rng, (40,)))))
        return sizes

    return {
        "40 of 10": _Fixed((10,) * 40),
        "40, falling": _Fixed(tuple(round(120 / rank) for rank in range(1, 41))),
        "3 of 100": _Fixed((100,) * 3 + (2,) * 37),
        "40, lognormal": drawn,
    }


def _beta(true_share: float, correlation: float) -> DrawShares:
    # A beta distribution with a + b = s makes two units of a cluster correlate by 1/(s + 1).
    total = 1 / correlation - 1
    return lambda rng, n: rng.beta(true_share * total, (1 - true_share) * total, n)


def _all_or_nothing(true_share: float) -> DrawShares:
    return lambda rng, n: (rng.random(n) < true_share).astype(float)


def _shares(  # noqa: PLR0913, PLR0917 - a world, and how much of it
    name: str, sizes: Sizes, bound: float, draw: DrawShares, repetitions: int, seed: int
) -> list[Row]:
    rng = generator(seed, f"bounds, {name}")
    words, plain = [], []
    for _ in range(repetitions):
        n = sizes(rng)
        hits = rng.binomial(n.astype(int), draw(rng, len(n))).astype(float)
        one = clusters.jackknife(np.stack([100 * hits, n], axis=1), _ratio)
        if one.std_error <= ROUNDING * one.estimate:
            # Nothing varied: such a number has no interval in an audit.
            words.append("")
            plain.append("")
            continue
        row = _row(one, "pll", n_attributes=len(n), n_frames=int(n.sum()))
        row["effective_clusters"] = float(n.sum() ** 2 / (n**2).sum())
        words.append(_word(row, 100 * bound))
        plain.append(level(one.estimate, one.std_error, one.df, 100 * bound, "up").word)
    return _both(name, words, plain, _T_BEFORE, _ERROR, ("too high", "too low"))


def _ratio(means: Cells) -> Cells:
    share_: Cells = means[..., 0] / means[..., 1]
    return share_


def _of_limits(right: int, n: int, bound: float) -> str:
    one = proportions.wilson(right, n)
    return _word(_row(one, ACCURACY, n_attributes=1, n_frames=n), bound)


# --- Both -----------------------------------------------------------------------------------------


def _both(  # noqa: PLR0913, PLR0917 - two rows of one world
    name: str,
    words: Sequence[str],
    plain: Sequence[str],
    beside: str,
    bar: Bar | None,
    called: tuple[str, str],
) -> list[Row]:
    """Return how often a level at its bound fails, and passes, and beside it another method."""
    return [
        Row(
            f"{name}: {what}",
            share(np.array(words) == word),
            bar,
            {beside: share(np.array(plain) == word)},
        )
        for what, word in zip(called, (FAIL, PASS), strict=True)
    ]


def _word(row: Mapping[str, object], bound: float) -> str:
    """Return the verdict of a gate with a bound that must not be exceeded."""
    gate = Gate.model_validate(
        {"id": "one", "rule": BOUND, "reason": "-", "harm": "up", "bound": bound}
    )
    # By itself, so that Holm's adjustment changes nothing.
    (verdict,) = settled([judged(gate, row, "", "one", None)])
    return verdict.verdict


def _row(interval: Interval, estimator: str, **counts: int) -> dict[str, object]:
    """Return a level as a row of estimates."""
    return {
        **vars(interval),
        **counts,
        "probe_set": "simulated",
        "axis": "",
        "slice": str(slices.ALL),
        "estimator": estimator,
        "mode": "",
        "subject": "candidate",
        "flag": "",
        "method": "",
    }

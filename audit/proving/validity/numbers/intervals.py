"""Coverage of the intervals of means and contrasts, beside that of unsound intervals."""

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Cells, Interval
from maskaudit.audit.proving.validity.simulate import Crossed, Names, lognormal, without
from maskaudit.audit.proving.validity.table import Bar, Row, Table, repeat, share

DESIGNS = (
    Crossed(60, 10, (0.5, 0.5, 1.0)),
    Crossed(60, 20, (0.5, 0.5, 1.0)),
    Crossed(40, 30, (0.5, 0.3, 1.0)),
    Crossed(24, 8, (0.5, 0.5, 0.5)),
)
UNCLUSTERED = Crossed(60, 20, (0.0, 0.0, 1.0))
SKEWED = tuple(Crossed(60, frames, (0.5, 0.5, 1.0), lognormal) for frames in (10, 20, 40))
NAMED = Crossed(40, 20, (0.5, 0.3, 1.0))
NAMES = 15
# Only the first has a bar.
NAME_SDS = (0.5, 0.2, 0.0)

TWO_SIDED, ONE_SIDED = Bar(0.94, 0.965), Bar(0.94, 0.96)
NAIVE = "cells as independent"
_Z = NormalDist().inv_cdf(0.975)


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [
        *crossed(repetitions, seed),
        harder(repetitions, seed),
        names(repetitions, seed),
        missing(repetitions, seed),
    ]


def crossed(repetitions: int, seed: int) -> list[Table]:
    """Tabulate means and contrasts over attributes and frames: two-sided, then each bound alone."""
    trials = {f"mean, {design}": _mean(design) for design in DESIGNS}
    for design in DESIGNS:
        n = design.attributes
        # Unequal classes too, whose parts of the variance weigh differently.
        for first in (n // 2, n * 2 // 3):
            trials[f"contrast, {first} + {n - first} × {design.frames}"] = _contrast(design, first)
    two_sided, one_sided = [], []
    for name, trial in trials.items():
        covered, low, high, naive = map(share, repeat(trial, repetitions, seed, name))
        two_sided.append(Row(name, covered, TWO_SIDED, {NAIVE: naive}))
        one_sided += [Row(f"{name}: lower", low, ONE_SIDED), Row(f"{name}: upper", high, ONE_SIDED)]
    largest = max((row.beside[NAIVE] for row in two_sided), key=lambda measured: measured.value)
    # It has a bar too: were the naive interval right here, these designs would prove nothing.
    two_sided.append(Row(f"{NAIVE}: the largest of the above", largest, Bar(high=0.65)))
    return [
        Table(
            "95 % intervals of means and contrasts",
            "How often the intervals `mean_interval` and `contrast_interval` of `crossed_means` "
            "hold the truth. Attributes, frames and residual have the standard deviations .5, .5, "
            "1 (60 attributes), .5, .3, 1 (40) and .5, .5, .5 (24); in a contrast a frame moves "
            "each class by an effect of its own. Beside: a normal interval that takes all cells as "
            "independent of one another, which has to be found out.",
            tuple(two_sided),
        ),
        Table(
            "Each bound alone",
            "The same tables: how often the lower, and the upper, end of the 90 % interval is on "
            "the right side of the truth. A gate stands on one of them.",
            tuple(one_sided),
        ),
    ]


def harder(repetitions: int, seed: int) -> Table:
    """Tabulate coverage where the method's assumptions fail."""
    plain = DESIGNS[1]
    half = plain.attributes // 2
    trials: dict[str, tuple[Trial, Bar | None]] = {
        # Only too narrow would be wrong here: the floor of the variance makes it too wide.
        f"mean, {UNCLUSTERED}, no clusters": (_mean(UNCLUSTERED), Bar(high=0.975)),
        f"contrast, {half} + {half} × {plain.frames}, frames move both classes alike": (
            _contrast(plain, half, alike=True),
            TWO_SIDED,
        ),
        f"contrast, {half} + {half} × {plain.frames}, lognormal": (
            _contrast(SKEWED[1], half),
            Bar(low=0.915),
        ),
    }
    for first in (45, 52):
        name = f"contrast, {first} + {plain.attributes - first} × {plain.frames}, lognormal"
        trials[name] = (_contrast(SKEWED[1], first), None)
    for design in SKEWED[:2]:
        name = f"contrast, {half} + {half} × {design.frames}, lognormal frames move one class"
        trials[name] = (_one_skewed(design, half), None)
    for design in SKEWED:
        trials[f"mean, {design}, lognormal"] = (_mean(design), None)
    rows = []
    for name, (trial, bar) in trials.items():
        covered, low, high, naive = map(share, repeat(trial, repetitions, seed, name))
        beside = {NAIVE: naive, "lower bound alone": low, "upper bound alone": high}
        rows.append(Row(name, covered, bar, beside))
    return Table(
        "95 % intervals where the method's assumptions fail",
        "No effect of attributes or frames at all (the interval is wider than it need be); frames "
        "that a contrast does not see; and effects of attributes and frames that are the "
        "exponentials of standard normal ones (skew 6.2). A contrast holds where both classes are "
        "equally large and equally skewed, since the skew then cancels, and not where they differ. "
        "A mean, which is shown and never tested, does not quite: its interval is too "
        "narrow on the side of the long tail, the more so the fewer the frames. Beside, also: each "
        "bound of the 90 % interval alone.",
        tuple(rows),
    )


def names(repetitions: int, seed: int, name_sds: Sequence[float] = NAME_SDS) -> Table:
    """Tabulate coverage where groups are represented by names, a third sampled factor."""
    rows = []
    for sd in name_sds:
        world = Names(NAMED, NAMES, sd)
        bar = Bar(0.93, 0.965) if sd == NAME_SDS[0] else None
        for statistic, trial in (
            ("mean", _named_mean(world)),
            ("contrast", _named_contrast(world)),
        ):
            name = f"{statistic}, {NAMED} × {NAMES} names a group, name SD {sd:g}"
            with_names, two_way = map(share, repeat(trial, repetitions, seed, name))
            rows.append(Row(name, with_names, bar, {"names ignored": two_way}))
    return Table(
        "95 % intervals where names stand for the groups",
        "The interval with `names=name_parts(...)`, for new names as well as new attributes "
        "and frames. Attributes, frames and the residual of one name in one cell have the standard "
        "deviations .5, .3 and 1. Beside: the two-way interval, which does not know of names.",
        tuple(rows),
    )


def missing(repetitions: int, seed: int) -> Table:
    """Tabulate coverage with missing cells: additive fit for few, cluster variances for more."""
    design = DESIGNS[1]
    rows = []
    # Up to 5 % of the cells are filled, so 3 % and 10 % are on either side of the limit.
    for percent, method, bar in ((3, "filled", TWO_SIDED), (10, "clusters", None)):
        n = design.attributes * design.frames * percent // 100
        for statistic, trial in (
            ("mean", _gappy_mean(design, n)),
            ("contrast", _gappy_contrast(design, n)),
        ):
            name = f"{statistic}, {design}, {percent} % missing ({method})"
            (covered,) = map(share, repeat(trial, repetitions, seed, name))
            rows.append(Row(name, covered, bar))
    for percent, method in ((3, "filled"), (10, "clusters")):
        n = design.attributes * design.frames * percent // 100
        name = f"contrast, {design}, {percent} % missing ({method}), frames also move both classes"
        trial = _gappy_contrast(design, n, moved=2.0)
        (covered,) = map(share, repeat(trial, repetitions, seed, name))
        rows.append(Row(name, covered, Bar(0.93, 0.965)))
    return Table(
        "95 % intervals with missing cells",
        "Cells missing at random; in the last rows a frame moves both classes by an effect of SD "
        "2, as it does the log-odds of one model. Up to 5 % are filled by the additive fit (Yates "
        "1933); beyond, variances are of clusters (Cameron, Gelbach & Miller 2011).",
        tuple(rows),
    )


def covers(interval: Interval, truth: float = 0.0) -> bool:
    """Whether an interval contains the truth; False for NaN."""
    return interval.low <= truth <= interval.high


Trial = Callable[[np.random.Generator], Sequence[float]]


def _mean(design: Crossed) -> Trial:
    """Return a trial of a mean, with four 0/1 results.

    Coverage of the 95 % interval, of its lower and upper 95 % bound alone, and of the interval that
    treats cells as independent.
    """

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = design.draw(rng)
        # Each end of a 90 % interval is a one-sided 95 % bound; the true mean is 0.
        interval, bounds = (
            crossed_means.mean_interval(cells),
            crossed_means.mean_interval(cells, level=0.9),
        )
        return covers(interval), bounds.low <= 0, bounds.high >= 0, _independent([cells])

    return trial


def _contrast(design: Crossed, first: int, *, alike: bool = False) -> Trial:
    """Return the same trial of a contrast; `first` attributes are in the first class."""

    def trial(rng: np.random.Generator) -> Sequence[float]:
        return _of_classes(design.classes(rng, first, alike=alike))

    return trial


def _one_skewed(design: Crossed, first: int) -> Trial:
    """Return the same trial where frames move the first class alone; attributes are normal."""
    attribute, frame, residual = design.sd
    # Normal attributes, so that what is seen is the skew of the frames alone.
    unmoved = Crossed(design.attributes, design.frames, (attribute, 0.0, residual))

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = unmoved.draw(rng)
        return _of_classes(
            (cells[:first] + frame * design.effects(rng, (design.frames,)), cells[first:])
        )

    return trial


def _of_classes(classes: tuple[Cells, Cells]) -> Sequence[float]:
    interval = crossed_means.contrast_interval(*classes)
    bounds = crossed_means.contrast_interval(*classes, level=0.9)
    return covers(interval), bounds.low <= 0, bounds.high >= 0, _independent(classes)


def _independent(classes: Sequence[Cells]) -> bool:
    """Whether a normal interval over independent cells contains 0, for one mean or a difference."""
    estimate = classes[0].mean() - sum(cells.mean() for cells in classes[1:])
    variance = sum(cells.var(ddof=1) / cells.size for cells in classes)
    return bool(abs(estimate) <= _Z * np.sqrt(variance))


def _named_mean(world: Names) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells, by_name = world.mean(rng)
        with_names = crossed_means.mean_interval(cells, names=crossed_means.name_parts(by_name))
        return covers(with_names), covers(crossed_means.mean_interval(cells))

    return trial


def _named_contrast(world: Names) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        (cells, by_name), half = world.contrast(rng)
        parts = crossed_means.name_parts(by_name)
        with_names = crossed_means.contrast_interval(cells[:half], cells[half:], names=parts)
        return covers(with_names), covers(
            crossed_means.contrast_interval(cells[:half], cells[half:])
        )

    return trial


def _gappy_mean(design: Crossed, n: int) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        return (covers(crossed_means.mean_interval(without(design.draw(rng), n, rng))),)

    return trial


def _gappy_contrast(design: Crossed, n: int, *, moved: float = 0.0) -> Trial:
    """Return a trial of a contrast with `n` cells missing; `moved` is a frame's SD on both."""
    half = design.attributes // 2

    def trial(rng: np.random.Generator) -> Sequence[float]:
        whole = np.concatenate(design.classes(rng, half))
        whole += moved * rng.standard_normal(design.frames)
        cells = without(whole, n, rng)
        return (covers(crossed_means.contrast_interval(cells[:half], cells[half:])),)

    return trial

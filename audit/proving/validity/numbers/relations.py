"""Bias and coverage of slope, log kappa, association and magnitude, and of a yardstick's line."""

from collections.abc import Callable, Sequence

import numpy as np

from maskaudit.audit.estimating.statistics import ustatistics, yardstick
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.numbers.intervals import covers
from maskaudit.audit.proving.validity.simulate import Crossed, Pair
from maskaudit.audit.proving.validity.table import Bar, Measured, Row, Table, average, repeat, share

KAPPAS = (0.7, 1.0, 1.3, 1.5)
# No claim is made for these worlds; their rows have no bars.
HARDER = {
    "κ 1, its SD .3": Pair(1.0, steeper_sd=0.3),
    "κ 1, 10 frames": Pair(1.0, frames=10),
    "κ 1, 10 frames, its SD .3": Pair(1.0, frames=10, steeper_sd=0.3),
    "κ 1, 24 attributes": Pair(1.0, attributes=24),
}
# As information too: signals so weak that many tables are not shown.
WEAK = tuple(
    (f"κ {kappa:g}, leans of SD {lean:g}", Pair(kappa, attribute_sd=lean))
    for kappa, lean in ((1.0, 0.3), (1.0, 0.2), (0.7, 0.3), (0.5, 0.6), (0.5, 0.4), (0.5, 0.3))
)
# Coverage may be lower than that of a mean: influence values are exact only for many frames.
RECOVERED, COVERED, PHANTOM = Bar(0.97, 1.03), Bar(0.925, 0.965), Bar(-0.01, 0.01)
LINES = (Crossed(60, 20, (0.5, 0.5, 1.0)), Crossed(60, 10, (0.5, 0.5, 1.0)))
SLOPE, KAPPA = "slope", "κ"
Trial = Callable[[np.random.Generator], Sequence[float]]


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [
        *inherited(repetitions, seed),
        harder(repetitions, seed),
        # A table that the page shows takes up to twelve that are drawn.
        weak(repetitions // 4, seed),
        noise_floor(repetitions, seed),
        other_intervals(repetitions, seed),
        lines(repetitions, seed),
    ]


def inherited(repetitions: int, seed: int) -> list[Table]:
    """Tabulate bias and coverage of slope and amplification."""
    worlds = {f"κ {kappa:g}": Pair(kappa) for kappa in KAPPAS}
    estimates, coverage, phantom = [], [], []
    for name, pair in worlds.items():
        results = repeat(_pair_trial(pair), repetitions, seed, f"pair, {name}")
        estimates += _estimate_rows(name, pair, results, RECOVERED)
        coverage += _coverage_rows(name, results, COVERED)
        if pair.kappa == 1:
            slopes, _, logs, _, _, spread, extra_size = results
            phantom = [
                Row("κ less 1", average(np.exp(logs) - 1), PHANTOM),
                Row("log κ", average(logs), PHANTOM),
                Row("slope less 1", average(slopes - 1), PHANTOM),
                Row("ratio of the spreads of mean leans, less 1", average(spread - 1)),
                Row(
                    "mean size of the student's leans less the teacher's, nats", average(extra_size)
                ),
            ]
    return [
        Table(
            "A student's leans against its teacher's",
            "Mean estimate as a share of the truth. 60 attributes with true leans of SD .6, 20 "
            "frames; noise of SD 1 in the teacher and 1.4 in the student, with a correlation of .5 "
            "because the frames are the same. All tables are counted, also those few whose number "
            "the page would not show. Beside: least squares of the mean leans, and the ratio of "
            "their standard deviations.",
            tuple(estimates),
        ),
        Table(
            "No amplification where there is none",
            "The same world with κ = 1: what is found beyond 1, on average. The last two rows are "
            "what is usually computed.",
            tuple(phantom),
            is_share=False,
        ),
        Table(
            "95 % intervals of slope and log κ",
            "How often they hold the truth, in the same worlds, of all tables.",
            tuple(coverage),
        ),
    ]


def harder(repetitions: int, seed: int) -> Table:
    """Tabulate coverage with fewer frames or attributes, or a kappa that varies between frames."""
    rows = []
    for name, pair in HARDER.items():
        results = repeat(_pair_trial(pair), repetitions, seed, f"pair, {name}")
        shown = {row.what: row for row in _estimate_rows(name, pair, results)}
        for row in _coverage_rows(name, results):
            # The interval is of log κ and the estimate of κ: their rows differ by that word alone.
            estimate = shown[row.what.replace("log ", "")]
            beside = {"mean estimate by truth": estimate.measured, **estimate.beside}
            rows.append(Row(row.what, row.measured, beside=beside))
    return Table(
        "95 % intervals of slope and log κ where less is claimed",
        "As information: κ varies from frame to frame, with the SD in the row, or there are fewer "
        "than 20 frames or 30 attributes, which the page marks as exploratory. All tables are "
        "counted. Beside: the mean estimates.",
        tuple(rows),
    )


def weak(repetitions: int, seed: int) -> Table:
    """Tabulate what the page shows of slope and kappa where the leans are small."""
    rows = []
    for name, pair in WEAK:
        results = repeat(_shown_trial(pair), repetitions, seed, f"pair shown, {name}")
        for number, (estimates, hits, drawn) in zip(
            (SLOPE, f"log {KAPPA}"), (results[:3], results[3:]), strict=True
        ):
            beside = {
                "mean estimate by truth": average(estimates / pair.kappa),
                "shown": Measured(1 / float(drawn.mean())),
            }
            rows.append(Row(f"{name}: {number}", share(hits), beside=beside))
    return Table(
        "95 % intervals of slope and log κ that the page shows of small leans",
        "As information: the world of slopes above with smaller leans. Counted are the tables "
        "whose number the page shows, which takes a credible association of the teacher, and for κ "
        "of the student too. Beside: the mean estimates (of κ, not its log), and the share of all "
        "tables that these are.",
        tuple(rows),
    )


def _estimate_rows(name: str, pair: Pair, results: Cells, bar: Bar | None = None) -> list[Row]:
    """Return rows of mean estimates over the truth, beside the usual naive estimates."""
    slopes, _, logs, _, least_squares, spread, _ = results
    numbers = {
        SLOPE: (slopes, "least squares", least_squares),
        KAPPA: (np.exp(logs), "ratio of spreads", spread),
    }
    return [
        Row(
            f"{name}: {number}",
            average(values / pair.kappa),
            bar,
            {naive_name: average(naive / pair.kappa)},
        )
        for number, (values, naive_name, naive) in numbers.items()
    ]


def _coverage_rows(name: str, results: Cells, bar: Bar | None = None) -> list[Row]:
    """Return rows with the coverage of slope and log kappa."""
    _, slope_held, _, log_held, *_ = results
    return [
        Row(f"{name}: {SLOPE}", share(slope_held), bar),
        Row(f"{name}: log {KAPPA}", share(log_held), bar),
    ]


def noise_floor(repetitions: int, seed: int) -> Table:
    """Tabulate mean association and magnitude of models without any lean."""
    rows = []
    for frames in (5, 20, 80):
        world = Crossed(60, frames, (0.0, 0.0, 1.0))
        name = f"{world}"
        results = repeat(_null_trial(world), repetitions, seed, f"no lean, {name}")
        association, magnitude, size, square = map(average, results)
        beside = {"mean size of a lean": size, "mean square of a lean": square}
        for number, measured in (("association", association), ("magnitude", magnitude)):
            # The bar is zero within Monte-Carlo error.
            within = Bar(-3 * measured.error, 3 * measured.error)
            rows.append(Row(f"{number}, {name}", measured, within, beside))
    return Table(
        "Association and magnitude have no noise floor",
        "Their mean, in nats squared, for models with no lean of any attribute and a residual of "
        "SD 1; the bar is three Monte-Carlo errors either way. Beside: the mean absolute value and "
        "the mean square of the attributes' mean leans, which are above zero for every model.",
        tuple(rows),
        is_share=False,
    )


def other_intervals(repetitions: int, seed: int) -> Table:
    """Tabulate the coverage of the numbers shown beside the headline."""
    rows = []
    for world in (Crossed(60, 20, (0.5, 0.5, 1.0)), Crossed(24, 26, (0.5, 0.5, 1.0))):
        results = repeat(
            _magnitude_trial(world), repetitions, seed, f"magnitude intervals, {world}"
        )
        names = ("association", "association: upper bound alone", "magnitude")
        rows += [
            Row(f"{name}, {world}", share(held)) for name, held in zip(names, results, strict=True)
        ]
    trial = _change_trial(Pair(1.3))
    of_pairs = ("association_change", "magnitude_change", "log_magnitude_ratio", "correlation")
    results = repeat(trial, repetitions, seed, "change intervals")
    rows += [Row(name, share(held)) for name, held in zip(of_pairs, results, strict=True)]
    return Table(
        "95 % intervals of association and magnitude",
        "As information: they cover less than they say, by their upper bound, the more so the "
        "fewer the attributes. Of one model: standard deviations .5, .5, 1. Of two: κ 1.3 in the "
        "world of slopes above; the true correlation is 1.",
        tuple(rows),
    )


def lines(repetitions: int, seed: int) -> Table:
    """Tabulate the coverage of the line of leans on logits of real-world shares."""
    rows = []
    for design in LINES:
        results = repeat(_line_trial(design), repetitions, seed, f"line, {design}")
        slope, intercept, naive = map(share, results)
        beside = {"cells as independent": naive}
        rows += [
            Row(f"slope, {design}", slope, Bar(0.94, 0.965), beside),
            Row(f"intercept, {design}", intercept),
        ]
    return Table(
        "95 % intervals against a yardstick",
        "The line of `yardstick.line`: a logit of SD 1.5 an attribute, leans that follow it with "
        "slope .8 (SD .2 from frame to frame) and intercept −.3; attributes beyond it, frames and "
        "residual have the standard deviations .5, .5 and 1. Beside: least squares over cells.",
        tuple(rows),
    )


def _pair_trial(pair: Pair) -> Trial:
    """Return a trial with seven results.

    Slope and whether its interval covers, log kappa and whether its interval covers, then the naive
    numbers: least-squares slope, ratio of spreads, difference in mean absolute lean (nats).
    """

    def trial(rng: np.random.Generator) -> Sequence[float]:
        teacher, student = pair.draw(rng)
        slope = ustatistics.slope(teacher, student)
        log_kappa = ustatistics.log_kappa(teacher, student)
        # Centred in each frame as the U-statistics are, of which the naive numbers use products
        # with themselves too.
        t, s = ((cells - cells.mean(0)).mean(1) for cells in (teacher, student))
        return (
            slope.estimate,
            covers(slope, pair.kappa),
            log_kappa.estimate,
            covers(log_kappa, float(np.log(pair.kappa))),
            t @ s / (t @ t),
            np.sqrt(s @ s / (t @ t)),
            np.abs(s).mean() - np.abs(t).mean(),
        )

    return trial


def _shown_trial(pair: Pair) -> Trial:
    """Return a trial of the first slope, and the first log kappa, that the page would show.

    Of each the estimate (of kappa, not its log), whether its interval covers, and how many tables
    were drawn.
    """

    def trial(rng: np.random.Generator) -> Sequence[float]:
        slope: tuple[float, ...] = ()
        drawn = 0
        while True:
            teacher, student = pair.draw(rng)
            drawn += 1
            if not ustatistics.has_signal(teacher):
                continue
            if not slope:
                found = ustatistics.slope(teacher, student)
                slope = (found.estimate, covers(found, pair.kappa), drawn)
            if ustatistics.has_signal(student):
                found = ustatistics.log_kappa(teacher, student)
                held = covers(found, float(np.log(pair.kappa)))
                return *slope, float(np.exp(found.estimate)), held, drawn

    return trial


def _null_trial(world: Crossed) -> Trial:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = world.draw(rng)
        leans = cells.mean(1)
        return (
            ustatistics.association(cells, cells),
            ustatistics.magnitude(cells),
            np.abs(leans).mean(),
            (leans**2).mean(),
        )

    return trial


def _magnitude_trial(world: Crossed) -> Trial:
    """Return a trial of coverage of association, its upper bound, and magnitude.

    The truth of both is the attribute SD squared, since the mean is 0 and frames are independent.
    """
    truth = world.sd[0] ** 2

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = world.draw(rng)
        association = ustatistics.association_interval(cells)
        upper = ustatistics.association_interval(cells, level=0.9).high
        magnitude = ustatistics.magnitude_interval(cells)
        return covers(association, truth), upper >= truth, covers(magnitude, truth)

    return trial


def _change_trial(pair: Pair) -> Trial:
    variance = pair.attribute_sd**2
    # Leans times kappa have kappa² times the variance.
    # The mean lean is 0, so that association and magnitude have one truth.
    change, log_ratio = (pair.kappa**2 - 1) * variance, float(np.log(pair.kappa))

    def trial(rng: np.random.Generator) -> Sequence[float]:
        cells = pair.draw(rng)
        return (
            covers(ustatistics.association_change(*cells), change),
            covers(ustatistics.magnitude_change(*cells), change),
            covers(ustatistics.log_magnitude_ratio(*cells), log_ratio),
            covers(ustatistics.correlation(*cells), 1.0),
        )

    return trial


def _line_trial(design: Crossed) -> Trial:
    slope, intercept, steeper_sd = 0.8, -0.3, 0.2

    def trial(rng: np.random.Generator) -> Sequence[float]:
        x = 1.5 * rng.standard_normal(design.attributes)
        slopes = slope + steeper_sd * rng.standard_normal(design.frames)
        cells = intercept + np.outer(x, slopes) + design.draw(rng)
        line = yardstick.line(x, cells)
        return (
            covers(line.slope, slope),
            covers(line.intercept, intercept),
            _least_squares_covers(x, cells, slope),
        )

    return trial


def _least_squares_covers(x: Cells, cells: Cells, truth: float) -> bool:
    """Whether the 95 % least-squares interval over independent cells contains the true slope."""
    centred = x - x.mean()
    squares = (centred**2).sum() * cells.shape[1]
    slope = (centred @ cells).sum() / squares
    residuals = cells - cells.mean() - slope * centred[:, None]
    return bool(
        abs(slope - truth) <= 1.96 * np.sqrt((residuals**2).sum() / (cells.size - 2) / squares)
    )

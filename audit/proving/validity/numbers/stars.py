"""False discoveries among the contrasts that a page calls shown, using the page's functions."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from maskaudit.audit.estimating.estimate import with_adjusted
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.table import Bar, Row, Table, average, repeat
from maskaudit.audit.recording.manifest import AttributeClass, Group, ProbeSet
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.recording.rows import tables as declared
from maskaudit.reports.effects import CANDIDATE, Effects, Names
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts

TESTED, SIGNALS, FAMILY = 200, 20, 10
SIZE = 3.0
ALPHA = 0.05
Chosen = NDArray[np.bool_]
Correlated = Callable[[np.random.Generator], Cells]
# Which tested sets have a true lean: one in every family, or all of two families.
SPREAD: Chosen = np.arange(TESTED) % FAMILY == 0
BUNCHED: Chosen = np.arange(TESTED) < SIGNALS


def tables(repetitions: int, seed: int) -> list[Table]:
    """Return every table of this topic."""
    return [discoveries(repetitions, seed)]


def discoveries(repetitions: int, seed: int) -> Table:
    """Tabulate the false discovery rate among the contrasts shown, and the power."""
    sets = Sets()
    rows = []
    for correlation, noise in {
        "independent": independent,
        "all correlated by .5": equicorrelated,
        "correlated by .5 in each family": in_families,
    }.items():
        for layout, signals in (("spread", SPREAD), ("bunched", BUNCHED)):
            name = f"{correlation}, {layout}"
            trial = _trial(sets, noise, signals)
            results = repeat(trial, repetitions, seed, f"stars, {name}")
            false, power, false_raw, power_alone = map(average, results)
            beside = {"p < .05, each alone": false_raw}
            rows.append(Row(f"false: {name}", false, Bar(high=ALPHA), beside))
            # Power depends on the correlation, so its bar is relative to the procedure's own.
            power_bar = Bar(low=0.95 * power_alone.value)
            rows.append(Row(f"found: {name}", power, power_bar, {"step-up alone": power_alone}))
    return Table(
        f"What the page calls shown, of {TESTED} tested sets",
        f"{SIGNALS} of them lean (z = {SIZE:g}), the first of each of 20 families or all of two. "
        "False: the mean share of sets that do not lean among those shown. Found: the mean share "
        "of leaning sets that are shown, against 95 % of what the step-up procedure of Benjamini & "
        "Hochberg (1995) finds by itself. p goes through `estimate.with_adjusted`, and "
        "`is_shown` of the contrasts that `contrasts.contrasts` made decides. Beside: each p < .05 "
        "taken as found; what step-up finds.",
        tuple(rows),
    )


class Sets:
    """A simulated record of `TESTED` sets with one contrast each; p values come as arguments."""

    def __init__(self) -> None:
        names = [f"set-{i:03}" for i in range(TESTED)]
        rows = {
            "probe_set": names,
            "slice": str(slices.CONTRAST),
            "estimator": CONTRAST,
            "subject": CANDIDATE,
            "null_value": 0.0,
            "n_frames": 20,
        }
        self.probe_sets = {name: _tested_set(name) for name in names}
        self.estimates = declared.table("estimates", rows)
        self.empty = self.contrasts(np.full(TESTED, np.nan))
        # Only the columns that the adjustment reads, as Python strings: twice as fast to compare.
        self._columns = self.estimates[["subject", "estimator", "probe_set"]].astype(object)

    def adjusted(self, p: Cells) -> pd.DataFrame:
        """Return the estimates with these p values, [TESTED], and their adjusted p values."""
        return with_adjusted(self.estimates.assign(p=p), list(self.probe_sets))

    def contrasts(self, p: Cells) -> list[Contrast]:
        """Build the contrasts as a page does from a record; slow."""
        return contrasts(self.probe_sets, Effects.of(self.adjusted(p)), Names("model"))

    def shown(self, p: Cells) -> list[bool]:
        """Whether each contrast is shown, as from `contrasts`, but fast.

        The sets differ only in their names, so one contrast is tried with each distinct adjusted p.
        """
        adjusted_rows = with_adjusted(self._columns.assign(p=p), list(self.probe_sets))
        adjusted = adjusted_rows["p_adjusted"].tolist()
        contrast = self.empty[0]
        is_shown = {
            p_value: replace(
                contrast, subjects={CANDIDATE: replace(contrast.main, p_adjusted=p_value)}
            ).is_shown
            for p_value in set(adjusted)
        }
        return [is_shown[p_value] for p_value in adjusted]


def independent(rng: np.random.Generator) -> Cells:
    """Draw independent errors, [TESTED]."""
    return rng.standard_normal(TESTED)


def equicorrelated(rng: np.random.Generator) -> Cells:
    """Draw errors with a correlation of .5 between all sets."""
    errors: Cells = np.sqrt(0.5) * (rng.standard_normal() + rng.standard_normal(TESTED))
    return errors


def in_families(rng: np.random.Generator) -> Cells:
    """Draw errors with a correlation of .5 within each family of ten sets."""
    shared = np.repeat(rng.standard_normal(TESTED // FAMILY), FAMILY)
    errors: Cells = np.sqrt(0.5) * (shared + rng.standard_normal(TESTED))
    return errors


def step_up(p: Cells, alpha: float = ALPHA) -> Chosen:
    """Return which p values Benjamini & Hochberg (1995) reject at `alpha`.

    All up to the largest k-th smallest p that is at most alpha k/m.
    """
    ordered = np.sort(p)
    below = np.flatnonzero(ordered <= alpha * np.arange(1, len(p) + 1) / len(p))
    # Where no p is small enough, a threshold below every p rejects nothing.
    rejected: Chosen = p <= (ordered[below[-1]] if len(below) else -1.0)
    return rejected


def _trial(
    sets: Sets, noise: Correlated, signals: Chosen
) -> Callable[[np.random.Generator], Sequence[float]]:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        z = noise(rng) + SIZE * signals
        # The lower tail keeps its digits where 1 minus the upper one would round to 0.
        p = 2 * special.ndtr(-np.abs(z))
        shown = np.array(sets.shown(p))
        stepped_up = step_up(p)
        return (
            _false_proportion(shown, signals),
            shown[signals].mean(),
            _false_proportion(p < ALPHA, signals),
            stepped_up[signals].mean(),
        )

    return trial


def _false_proportion(shown: Chosen, signals: Chosen) -> float:
    """Return the false discovery proportion, 0 where nothing is shown."""
    return float((shown & ~signals).sum() / max(1, shown.sum()))


def _tested_set(name: str) -> ProbeSet:
    """Return the manifest entry of a tested set."""
    return ProbeSet(
        kind="association",
        version="1",
        axis="",
        title=name,
        expect="lean",
        contrast=["one", "two"],
        items_digest="",
        question="",
        how_to_read="",
        limits="",
        licence="",
        sources=[],
        groups={name: Group(label=name, terms=[]) for name in ("first", "second")},
        classes={name: AttributeClass(label=name, attributes=0) for name in ("one", "two")},
        group_at_mask=True,
        frames=0,
        sentences=0,
        items=0,
    )

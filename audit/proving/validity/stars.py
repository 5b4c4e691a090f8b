"""False discoveries among the contrasts that a page calls shown, by the page's own functions."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from maskaudit.audit.estimating.estimate import with_adjusted
from maskaudit.audit.estimating.names import CONTRAST
from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.proving.validity.table import Bar, Row, Table, average, repeat
from maskaudit.audit.recording import slices
from maskaudit.audit.recording import tables as declared
from maskaudit.audit.recording.manifest import AttributeClass, Group, ProbeSet
from maskaudit.reports.effects import CANDIDATE, Effects, Names
from maskaudit.reports.sections.contrasts import Contrast, contrasts

TESTED, SIGNALS, FAMILY = 200, 20, 10
SIZE = 3.0
ALPHA = 0.05
Chosen = NDArray[np.bool_]
Correlated = Callable[[np.random.Generator], Cells]
# Which of the tested sets lean: one in every family, or all of two families.
SPREAD: Chosen = np.arange(TESTED) % FAMILY == 0
BUNCHED: Chosen = np.arange(TESTED) < SIGNALS


def tables(repetitions: int, seed: int) -> list[Table]:
    """Every table of this topic."""
    return [discoveries(repetitions, seed)]


def discoveries(repetitions: int, seed: int) -> Table:
    """The share of false ones among the contrasts shown, and of those that lean that are found."""
    sets = Sets()
    rows = []
    for correlation, noise in {
        "independent": independent,
        "all correlated by .5": equicorrelated,
        "correlated by .5 in each family": in_families,
    }.items():
        for where, signals in (("spread", SPREAD), ("bunched", BUNCHED)):
            name = f"{correlation}, {where}"
            trial = _trial(sets, noise, signals)
            found = repeat(trial, repetitions, seed, f"stars, {name}")
            false, power, false_raw, power_alone = map(average, found)
            beside = {"p < .05, each alone": false_raw}
            rows.append(Row(f"false: {name}", false, Bar(high=ALPHA), beside))
            # The bar is on the ratio: .95 of what the procedure finds by itself.
            least = Bar(low=0.95 * power_alone.value)
            rows.append(Row(f"found: {name}", power, least, {"step-up alone": power_alone}))
    return Table(
        f"What the page calls shown, of {TESTED} tested sets",
        f"{SIGNALS} of them lean (z = {SIZE:g}), the first of each of 20 families or all of two. "
        "False: the mean share of sets that do not lean among those shown. Found: the mean share "
        "of leaning sets that are shown, against 95 % of what the step-up procedure of Benjamini & "
        "Hochberg (1995) finds by itself. p goes through `estimate.with_adjusted`, and "
        "`is_shown` of the contrasts that `findings.contrasts` made decides. Beside: each p < .05 "
        "taken as found; what step-up finds.",
        tuple(rows),
    )


class Sets:
    """A record of `TESTED` sets with a contrast each, whose p values are still to come."""

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
        self.probe_sets = {name: _part(name) for name in names}
        self.estimates = declared.table("estimates", rows)
        self.empty = self.contrasts(np.full(TESTED, np.nan))
        # What adjusting reads, as Python's own strings: they are compared in half the time.
        self._few = self.estimates[["subject", "estimator", "probe_set"]].astype(object)

    def adjusted(self, p: Cells) -> pd.DataFrame:
        """The estimates as an audit has them, from the p value of each set."""
        return with_adjusted(self.estimates.assign(p=p), list(self.probe_sets))

    def contrasts(self, p: Cells) -> list[Contrast]:
        """The contrasts as a page makes them from its record, which takes a while."""
        return contrasts(self.probe_sets, Effects.of(self.adjusted(p)), Names("model"))

    def shown(self, p: Cells) -> list[bool]:
        """Whether each contrast is shown: `contrasts`, with only the adjusted p put in anew.

        The sets are alike but for their names, so each adjusted p is put into one of them once.
        """
        few = with_adjusted(self._few.assign(p=p), list(self.probe_sets))
        adjusted = few["p_adjusted"].tolist()
        one = self.empty[0]
        is_shown = {
            own: replace(one, subjects={CANDIDATE: replace(one.main, p_adjusted=own)}).is_shown
            for own in set(adjusted)
        }
        return [is_shown[own] for own in adjusted]


def independent(rng: np.random.Generator) -> Cells:
    """Errors of the sets that have nothing in common."""
    return rng.standard_normal(TESTED)


def equicorrelated(rng: np.random.Generator) -> Cells:
    """Errors that all share half of their variance."""
    found: Cells = np.sqrt(0.5) * (rng.standard_normal() + rng.standard_normal(TESTED))
    return found


def in_families(rng: np.random.Generator) -> Cells:
    """Errors that share half of their variance in each family of ten."""
    shared = np.repeat(rng.standard_normal(TESTED // FAMILY), FAMILY)
    found: Cells = np.sqrt(0.5) * (shared + rng.standard_normal(TESTED))
    return found


def step_up(p: Cells, alpha: float = ALPHA) -> Chosen:
    """Which are rejected: all up to the last k-th smallest p that is at most alpha k/m (1995)."""
    ordered = np.sort(p)
    below = np.flatnonzero(ordered <= alpha * np.arange(1, len(p) + 1) / len(p))
    rejected: Chosen = p <= (ordered[below[-1]] if len(below) else -1.0)
    return rejected


def _trial(
    sets: Sets, noise: Correlated, signals: Chosen
) -> Callable[[np.random.Generator], Sequence[float]]:
    def trial(rng: np.random.Generator) -> Sequence[float]:
        z = noise(rng) + SIZE * signals
        p = 2 * special.ndtr(-np.abs(z))
        shown = np.array(sets.shown(p))
        alone = step_up(p)
        return (
            _false(shown, signals),
            shown[signals].mean(),
            _false(p < ALPHA, signals),
            alone[signals].mean(),
        )

    return trial


def _false(shown: Chosen, signals: Chosen) -> float:
    """The share of false ones among those shown, 0 where nothing is."""
    return float((shown & ~signals).sum() / max(1, shown.sum()))


def _part(name: str) -> ProbeSet:
    """What the manifest says of a tested set."""
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

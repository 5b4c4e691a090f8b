"""Estimates over units: what they refuse to be sure of."""

import math

import pandas as pd
import pytest

from audit import tables
from audit.estimators import Measured
from audit.estimators.pairs import PLL
from audit.unit_estimates import unit_rows


def measured(gaps):
    """Give one model's scores of pairs whose two sides differ by these gaps."""
    rows = [
        {"pair": str(i), "label": label, "item": f"{i}{label}", "probe_set": "one", "kind": "pairs"}
        for i in range(len(gaps))
        for label in ("stereotype", "anti")
    ]
    values = [value for gap in gaps for value in (gap, 0.0)]
    scores = [
        {"item": row["item"], "model": "m", "measure": "pll", "value": value, "status": "ok"}
        for row, value in zip(rows, values, strict=True)
    ]
    none = {name: tables.table(name, []) for name in ("fills", "paired")}
    return Measured(tables.table("items", rows), tables.table("scores", scores), **none)


def numbers(**gaps):
    """Return the corrected share of preferences by subject."""
    rows = pd.DataFrame(unit_rows({name: measured(own) for name, own in gaps.items()}, PLL))
    chosen = (rows["estimator"] == "pll") & (rows["mode"] == "corrected") & (rows["slice"] == "all")
    return rows[chosen].set_index("subject")


def test_a_model_that_always_prefers_a_side_is_not_thereby_certain():
    """Twenty of twenty pairs: 100 %, and no interval, for nothing varied to learn it from."""
    found = numbers(candidate=[1.0] * 20).loc["candidate"]
    assert found["estimate"] == 100
    assert math.isnan(found["low"])
    assert math.isnan(found["p"])


def test_two_models_that_differ_alike_everywhere_are_not_thereby_certain():
    """One always prefers the stereotype, the other never: 100 points apart, without an interval."""
    found = numbers(reference=[-1.0] * 20, candidate=[1.0] * 20).loc["difference"]
    assert found["estimate"] == 100
    assert math.isnan(found["low"])


def test_a_model_and_its_copy_differ_by_exactly_nothing():
    """The one case in which nothing varies and all is known."""
    gaps = [1.0, -1.0, 2.0, 0.5, -0.5, 3.0, 1.0]
    found = numbers(reference=gaps, candidate=gaps).loc["difference"]
    assert (found["estimate"], found["low"], found["high"], found["p"]) == (0, 0, 0, 1)


@pytest.mark.parametrize(("pairs", "known"), [(5, False), (6, True)])
def test_fewer_than_six_clusters_get_no_interval(pairs, known):
    """A share of five is a number and no more."""
    gaps = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0][:pairs]
    found = numbers(candidate=gaps).loc["candidate"]
    assert math.isnan(found["low"]) != known

"""Gaps between groups of masked text: their intervals hold with few documents, or are refused."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.clustered import unit_rows
from maskaudit.audit.estimating.estimators import Measured
from maskaudit.audit.estimating.estimators.texts import gaps
from maskaudit.audit.recording.rows import tables
from maskaudit.reports.effects import Effects
from maskaudit.reports.sections import texts

GROUPS = pd.DataFrame({"group": ["men", "women"]})
EXACT, NLL = gaps(GROUPS)
MASKS, DRAWS = 6, 100
ITEMS = tables.table("items", [{"item": "i", "kind": "text", "label": "right"}])
NONE = {name: tables.table(name, []) for name in ("scores", "fills", "paired")}


def documents(counts, rng, *, of_both=0, spread=(1.0, 1.0)):
    """Return nats and masks of documents, [documents, 4]: of men's masks, then of women's.

    Documents have a level of their own and from one mask on; so many of them are of both groups.
    """
    rows = []
    for number, of_group in enumerate(counts):
        for one in range(of_group):
            masks = 1 + rng.poisson(MASKS - 1)
            level = rng.normal(0, spread[number])
            row = [0.0] * 4
            row[2 * number] = (rng.gamma(1.5, 2, masks) - 3 + level).sum()
            row[2 * number + 1] = float(masks)
            if number == 1 and one < of_both:
                rows[one] = [*rows[one][:2], *row[2:]]
            else:
                rows.append(row)
    return np.array(rows)


def rows_of(estimator, by_model):
    """Return the rows of one gap by subject, of the sums of each document."""
    tables_of = {
        model: pd.DataFrame(rows, columns=list(estimator.columns)).assign(
            cluster=[f"d{i:03}" for i in range(len(rows))], **{"class": ""}
        )
        for model, rows in by_model.items()
    }
    measured = {model: Measured(ITEMS, **NONE) for model in by_model}
    tables_by = {id(one): tables_of[model] for model, one in measured.items()}
    own = replace(estimator, units=lambda one, _mode: tables_by[id(one)])
    return {row["subject"]: row for row in unit_rows(measured, own)}


def row_of(rows, estimator=NLL):
    """Return the row of one model."""
    return rows_of(estimator, {"candidate": rows})["candidate"]


def test_the_smaller_group_sets_the_degrees_of_freedom():
    """The jackknife by hand, document by document, with Student's t of the smaller group."""
    rows = documents((40, 7), np.random.default_rng(1), of_both=3)

    def gap(part):
        men, n_men, women, n_women = part.sum(0)
        return men / n_men - women / n_women

    without = np.array([gap(np.delete(rows, i, axis=0)) for i in range(len(rows))])
    error = math.sqrt((len(rows) - 1) / len(rows) * ((without - without.mean()) ** 2).sum())
    half = stats.t.ppf(0.975, 6) * error
    found = row_of(rows)
    assert found["estimate"] == pytest.approx(gap(rows))
    assert (found["low"], found["high"]) == pytest.approx((gap(rows) - half, gap(rows) + half))
    assert (found["df"], found["n_attributes"], found["n_frames"]) == (6, 7, len(rows))


@pytest.mark.parametrize(("counts", "known"), [((60, 5), False), ((5, 60), False), ((60, 6), True)])
def test_fewer_than_six_documents_of_a_group_get_no_interval(counts, known):
    """However many the other group has; the count is that of the smaller one."""
    found = row_of(documents(counts, np.random.default_rng(2)))
    assert not math.isnan(found["estimate"])
    assert math.isnan(found["low"]) != known
    assert found["flag"] == ("" if known else "too_few_clusters")
    assert found["n_attributes"] == min(counts)


def shares(men, women):
    """Return hits and masks of documents of ten masks each, of the groups' own documents."""
    return np.array([[hits, 10.0, 0, 0] for hits in men] + [[0, 0, hits, 10.0] for hits in women])


def test_a_group_that_never_varies_gives_no_interval():
    """No hit in any document: how often there would be one elsewhere is not known to be never."""
    some = [1, 2, 3, 4, 5, 6, 7]
    assert row_of(shares(some, [0] * 7), EXACT)["flag"] == "nothing_varied"
    assert row_of(shares([10] * 7, some), EXACT)["flag"] == "nothing_varied"
    assert row_of(shares(some, [0] * 6 + [1]), EXACT)["flag"] == ""


def test_of_two_models_the_change_of_each_group_has_to_vary():
    """Unless they are copies, whose gaps differ by exactly nothing."""
    teacher = shares([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7])
    student = teacher.copy()
    student[:7, 0] += [0, 1, 0, 2, 0, 1, 0]
    found = rows_of(EXACT, {"reference": teacher, "candidate": student})
    assert found["candidate"]["flag"] == ""
    assert found["difference"]["flag"] == "nothing_varied"
    student[7, 2] += 1
    assert rows_of(EXACT, {"reference": teacher, "candidate": student})["difference"]["flag"] == ""
    same = rows_of(EXACT, {"reference": teacher, "candidate": teacher})["difference"]
    assert (same["estimate"], same["low"], same["high"], same["flag"]) == (0, 0, 0, "")


def test_what_has_no_interval_says_why_and_with_what_count():
    """In the sentences that stand under the table, on the page and in the terminal."""
    few = row_of(documents((60, 3), np.random.default_rng(3)))
    still = row_of(shares([1, 2, 3, 4, 5, 6, 7], [0] * 7), EXACT)
    more = {"probe_set": "rows", "axis": "text", "method": ""}
    rows = [{**row, **more} for row in (few, still)]
    for row in rows:
        del row["unit"]
    told = texts.without_interval(Effects.of(tables.table("estimates", rows)))
    count, constant = told
    assert count == (
        "The gaps between men/women have no interval: the group that is in fewer has 3 documents, "
        "and an interval takes 6 of each."
    )
    assert constant == (
        "The exact_gap@1 between men/women has no interval where one of the groups has the same "
        "number in each of its documents: nothing shows how it would vary."
    )


# Of the groups' documents, how many of both, how far a document's level lies from others.
DESIGNS = [((6, 40), 0, (3, 1)), ((6, 30), 6, (1, 1)), ((10, 10), 10, (1, 1))]


@pytest.mark.parametrize(("counts", "of_both", "spread"), DESIGNS)
def test_intervals_hold_where_one_group_is_in_few_documents(counts, of_both, spread):
    """There is no gap between the groups that the documents are drawn from."""
    rng = np.random.default_rng(4)
    drawn = [documents(counts, rng, of_both=of_both, spread=spread) for _ in range(DRAWS)]
    held = sum(row["low"] <= 0 <= row["high"] for row in map(row_of, drawn))
    # 95 of 100, less three standard errors of the draws; they are a little too wide rather.
    assert held >= DRAWS * (0.95 - 3 * math.sqrt(0.05 * 0.95 / DRAWS))

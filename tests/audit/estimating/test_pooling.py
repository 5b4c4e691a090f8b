"""Terms of a group are pooled into a cell, and each can be left out."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.estimators.of_groups.pooling import (
    CELL,
    against_rest,
    group_differences,
    without_each_term,
)

GROUPS = {"women": ["she", "her", "they"], "men": ["he", "him"], "others": ["it"]}


def scored(*, at_mask: bool, seed: int) -> pd.DataFrame:
    """Scores of three groups in three wordings a frame: one in twenty is lost, one not asked."""
    rng = np.random.default_rng(seed)
    rows = [
        {"role": "probe", "class": attribute[0], "attribute": attribute, "frame": frame,
         "variant": variant, "group": group, "term": term, "target": term if at_mask else "word"}
        for attribute, frame, variant in product(("a1", "b1"), ("f", "g"), range(3))
        for group, terms in GROUPS.items()
        for term in terms
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["value"] = np.where(rng.random(len(table)) < 0.05, np.nan, rng.normal(-5, 2, len(table)))
    return table[rng.random(len(table)) < 0.95].reset_index(drop=True)


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
@pytest.mark.parametrize("seed", range(5))
def test_without_a_term_cells_are_those_of_the_rows_that_are_left(seed, at_mask):
    """Each of five terms by itself, and never the only one of a group."""
    table = scored(at_mask=at_mask, seed=seed)
    found = {
        term: cells.assign(value=values)
        for term, cells, values in without_each_term(table, "women", "men")
    }
    assert list(found) == ["he", "him", "her", "she", "they"]
    for term, cells in found.items():
        slow = group_differences(table[table["term"] != term], "women", "men")
        both = [part.set_index(CELL)["value"].sort_index() for part in (cells, slow)]
        pd.testing.assert_series_equal(*both, rtol=0, atol=1e-12)


def by_loops(table: pd.DataFrame, *, at_mask: bool, weights: dict[str, float]) -> dict:
    """A weighted sum of the groups in each cell, by loops over wordings; NaN if a score is lost."""
    cells: dict[tuple, list[float]] = {}
    for (*cell, _), rows in table.groupby([*CELL, "variant"]):
        by_group = {}
        for group in GROUPS:
            values = rows.loc[rows["group"] == group, "value"].tolist()
            if at_mask:
                total = math.fsum(math.exp(value) for value in values)
                by_group[group] = math.log(total) if total else math.nan
            else:
                by_group[group] = math.fsum(values) / len(values) if values else math.nan
        is_whole = not any(math.isnan(value) for value in by_group.values())
        value = math.fsum(weights[group] * by_group[group] for group in GROUPS)
        cells.setdefault(tuple(cell), []).append(value if is_whole else math.nan)
    return {cell: math.fsum(values) / len(values) for cell, values in cells.items()}


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
@pytest.mark.parametrize("seed", range(2))
def test_cells_are_those_of_loops_whatever_the_order_and_the_type_of_texts(seed, at_mask):
    """A lost score or a group that was not asked costs its cell; texts may be categories."""
    table = scored(at_mask=at_mask, seed=seed)
    mixed = table.sample(frac=1, random_state=seed)
    texts = [name for name in table if name not in {"variant", "value", "target", "term"}]
    words = pd.CategoricalDtype(sorted({*table["target"], *table["term"]}))
    coded = mixed.astype({**dict.fromkeys(texts, "category"), "target": words, "term": words})
    of = {
        "women, men": (lambda rows: group_differences(rows, "women", "men"), (1.0, -1.0, 0.0)),
        "men, rest": (lambda rows: against_rest(rows, "men"), (-0.5, 1.0, -0.5)),
    }
    for make, weights in of.values():
        slow = by_loops(table, at_mask=at_mask, weights=dict(zip(GROUPS, weights, strict=True)))
        for rows in (table, mixed, coded):
            found = make(rows)
            names = zip(*(found[name].astype(str) for name in CELL), strict=True)
            values = dict(zip(names, found["value"], strict=True))
            assert values == pytest.approx(slow, abs=1e-12, nan_ok=True)
        # To the last digit: no sum depends on the order of rows.
        both = [make(rows).set_index(CELL).sort_index() for rows in (table, mixed)]
        pd.testing.assert_frame_equal(*both, rtol=0, atol=0)

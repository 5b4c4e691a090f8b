"""Terms of a group are pooled into a cell, and each can be left out."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.estimators.pooling import (
    CELL,
    group_differences,
    without_each_term,
)

GROUPS = {"women": ["she", "her", "they"], "men": ["he", "him"], "others": ["it"]}


def scored(*, at_mask: bool, seed: int) -> pd.DataFrame:
    """Scores of three groups in two wordings a frame: one in twenty is lost, one not asked."""
    rng = np.random.default_rng(seed)
    rows = [
        {"role": "probe", "class": attribute[0], "attribute": attribute, "frame": frame,
         "variant": variant, "group": group, "term": term, "target": term if at_mask else "word"}
        for attribute, frame, variant in product(("a1", "a2", "b1"), ("f", "g", "h"), (0, 1))
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
    found = dict(without_each_term(table, "women", "men"))
    assert list(found) == ["he", "him", "her", "she", "they"]
    for term, cells in found.items():
        slow = group_differences(table[table["term"] != term], "women", "men")
        both = [part.set_index(CELL)["value"].sort_index() for part in (cells, slow)]
        pd.testing.assert_series_equal(*both, rtol=0, atol=1e-12)

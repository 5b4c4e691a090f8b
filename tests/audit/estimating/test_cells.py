"""Cells as arrays: whose they are, which are missing, and what is left out whole."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskaudit.audit.estimating.crossed.cells import Matrix, matrices, with_difference
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.of_groups.prior import LPBS, PRIOR
from tests.estimate_oracles import (
    CLASSES,
    ONE_TERM,
    PAIR,
    TWO_GROUPS,
    everyone,
    grid,
    items_of,
    scores_of,
    slow_cells,
)

GROUPS = ("women", "men")
FIVE = {"women": [f"w{n}" for n in range(5)], "men": [f"m{n}" for n in range(7)]}


def of(items, scores, estimator=LOG_ODDS, groups=GROUPS):
    """Return the matrices of a set, by model, and what was left out as pairs of words."""
    found, left_out = matrices(items, scores, estimator, *groups)
    return found, {(cell["attribute"], cell["frame"]) for cell in left_out}


# --- Cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
@pytest.mark.slow
def test_a_matrix_holds_the_cells_of_plain_loops_under_their_names(at_mask):
    """A row an attribute, controls among them; a column a frame, in order."""
    items = items_of(at_mask=at_mask)
    scores = scores_of(items)
    found, left_out = of(items, scores)
    assert list(found) == list(PAIR)
    assert left_out == set()
    for model, matrix in found.items():
        cells = {}
        for role in ("probe", "control"):
            cells |= slow_cells(items, scores, model, role, *GROUPS)
        np.testing.assert_allclose(matrix.cells, grid(cells, matrix.attributes), rtol=1e-12)
        assert matrix.frames == sorted(items["frame"].unique())
        assert sorted(matrix.attributes) == sorted([*everyone(), "c1", "c2"])
        class_of = {a: name for name, words in CLASSES.items() for a in words}
        expected = [class_of.get(a, "control") for a in matrix.attributes]
        assert matrix.classes == expected


def test_priors_and_what_is_beyond_them_have_the_cells_of_plain_loops():
    """One prior a frame, the same for all attributes."""
    items = items_of()
    scores = scores_of(items)
    raw, prior = (slow_cells(items, scores, "reference", r, *GROUPS) for r in ("probe", "prior"))
    matrix = of(items, scores, PRIOR)[0]["reference"]
    np.testing.assert_allclose(matrix.cells, grid(prior, matrix.attributes), rtol=1e-12)
    assert (matrix.cells == matrix.cells[0]).all()
    matrix = of(items, scores, LPBS)[0]["reference"]
    beyond = {cell: raw[cell] - prior[cell] for cell in raw}
    np.testing.assert_allclose(matrix.cells, grid(beyond, matrix.attributes), rtol=1e-9)
    assert matrix.names == ()


def test_some_attributes_keep_their_names_classes_and_cells():
    """Classes, controls, and those that lack nothing, are parts of the same matrix."""
    cells = np.arange(8.0).reshape(4, 2)
    cells[1, 0] = math.nan
    names = (np.arange(4.0)[:, None] * [1, 10], np.arange(4.0)[:, None] * [1, 10, 100])
    matrix = Matrix(cells, ["a", "b", "c", "d"], ["x", "y", "control", "x"], ["f", "g"], names)
    for part, rows in (
        (matrix.of_class("x"), [0, 3]),
        (matrix.of_class("control"), [2]),
        (matrix.of_class("none"), []),
        (matrix.probes, [0, 1, 3]),
        (matrix.complete, [0, 2, 3]),
        (matrix.probes.complete, [0, 3]),
    ):
        np.testing.assert_array_equal(part.cells, cells[rows])
        assert part.attributes == [matrix.attributes[i] for i in rows]
        assert part.classes == [matrix.classes[i] for i in rows]
        for own, whole in zip(part.names, names, strict=True):
            np.testing.assert_array_equal(own, whole[rows])
        assert part.frames == ["f", "g"]


# --- Subjects -------------------------------------------------------------------------------------


def test_the_difference_is_candidate_less_reference_whichever_comes_first():
    """Of cells and of names; one model alone has none."""
    items = items_of(FIVE, n_frames=4, at_mask=False)
    scores = scores_of(items)
    turned = pd.concat([scores[scores["model"] == model] for model in reversed(PAIR)])
    for part in (scores, turned):
        found, _ = of(items, part)
        subjects = with_difference(found)
        one, other = (found[model] for model in PAIR)
        assert set(subjects) == {*PAIR, "difference"}
        np.testing.assert_array_equal(subjects["difference"].cells, other.cells - one.cells)
        names = zip(subjects["difference"].names, one.names, other.names, strict=True)
        for change, own, theirs in names:
            np.testing.assert_array_equal(change, theirs - own)
        alone = with_difference({"candidate": other})
        assert list(alone) == ["candidate"]


# --- Names ----------------------------------------------------------------------------------------


def slow_names(scored, attribute, term, cells):
    """Return the mean log p of an attribute with a term, over the frames of these cells."""
    by_frame = {}
    for row in scored:
        if (row["attribute"], row["term"]) == (attribute, term):
            by_frame.setdefault(row["frame"], []).append(row["value"])
    means = [math.fsum(own) / len(own) for f, own in by_frame.items() if (attribute, f) in cells]
    return math.fsum(means) / len(means)


def test_names_are_the_means_over_frames_of_each_term_by_group():
    """Variants first, as for a cell; the mean over terms is then the mean of the cells."""
    items = items_of(FIVE, n_frames=4, at_mask=False)
    scores = scores_of(items)
    found, _ = of(items, scores)
    for model, matrix in found.items():
        scored = items.merge(scores[scores["model"] == model], on="item").to_dict("records")
        cells = {(a, f) for a in matrix.attributes for f in matrix.frames}
        for group, own in zip(GROUPS, matrix.names, strict=True):
            assert own.shape == (11, len(FIVE[group]))
            for i, k in ((0, 0), (3, 2), (10, 4)):
                term = sorted(FIVE[group])[k]
                expected = slow_names(scored, matrix.attributes[i], term, cells)
                assert own[i, k] == pytest.approx(expected)
        first, second = (own.mean(1) for own in matrix.names)
        np.testing.assert_allclose(first - second, matrix.cells.mean(1))


def test_names_at_the_mask_are_none():
    """Their log p are summed inside a group, not averaged: there is no name's own mean."""
    items = items_of(FIVE, n_frames=4)
    assert of(items, scores_of(items))[0]["reference"].names == ()


def test_names_are_of_the_cells_that_count():
    """Neither a missing cell nor a frame that is left out has a part in them."""
    items = items_of(FIVE, n_frames=8, n_variants=1, at_mask=False)
    lost = {f"{a}" for a in ("a1", "a2", "m1", "m2", "b1", "b2", "c1")}

    def missing(model, item):
        _, frame, _, rest = item.split("/")
        attribute = rest.split(">")[1]
        if frame == "5":  # more than half of the frame's attributes
            return attribute in lost and rest.startswith("w0")
        return model == "candidate" and (frame, rest) == ("2", "m3>a3")

    scores = scores_of(items, missing=missing)
    found, left_out = of(items, scores)
    assert left_out == {("a3", "f02"), *((a, "f05") for a in lost)}
    for model, matrix in found.items():
        assert "f05" not in matrix.frames
        scored = items.merge(scores[scores["model"] == model], on="item").to_dict("records")
        cells = {
            (a, f)
            for i, a in enumerate(matrix.attributes)
            for j, f in enumerate(matrix.frames)
            if not math.isnan(matrix.cells[i, j])
        }
        for attribute in ("a3", "a4", "a1"):
            i = matrix.attributes.index(attribute)
            for group, own in zip(GROUPS, matrix.names, strict=True):
                for k, term in enumerate(sorted(FIVE[group])):
                    expected = slow_names(scored, attribute, term, cells)
                    assert own[i, k] == pytest.approx(expected), (attribute, term)
            first, second = (own[i].mean() for own in matrix.names)
            assert first - second == pytest.approx(np.nanmean(matrix.cells[i]))


# --- What is missing ------------------------------------------------------------------------------


def gone(*places):
    """Return which items are gone, as `a1/f02`."""
    return lambda _model, item: (
        f"{item.split('/')[3].split('>')[0]}/f{int(item.split('/')[1]):02}" in places
    )


def test_a_cell_that_one_model_lacks_is_nan_in_all():
    """And so are the terms of one group: a cell is complete or it is none."""
    items = items_of(n_frames=6)
    scores = scores_of(items, missing=lambda m, i: m == "reference" and i == "one/2/1/m1>her")
    found, left_out = of(items, scores)
    assert left_out == {("m1", "f02")}
    for matrix in found.values():
        nan = [
            (matrix.attributes[i], matrix.frames[j]) for i, j in np.argwhere(np.isnan(matrix.cells))
        ]
        assert nan == [("m1", "f02")]


@pytest.mark.parametrize(("lost", "kept"), [(4, True), (5, False)])
def test_an_attribute_is_kept_with_half_of_its_cells_and_not_with_fewer(lost, kept):
    """Eight frames; what is lost is listed either way."""
    items = items_of(n_frames=8, priors=False)
    places = [f"a2/f{n:02}" for n in range(lost)]
    found, left_out = of(items, scores_of(items, missing=gone(*places)))
    assert ("a2" in found["candidate"].attributes) == kept
    assert left_out == {tuple(place.split("/")) for place in places}
    assert len(found["candidate"].frames) == 8


@pytest.mark.parametrize(("lost", "kept"), [(5, True), (6, False)])
def test_a_frame_is_kept_with_half_of_its_cells_and_not_with_fewer(lost, kept):
    """Ten attributes, controls among them."""
    items = items_of(n_frames=8, priors=False, controls=("c1",))
    places = [f"{a}/f03" for a in [*everyone(), "c1"][:lost]]
    found, left_out = of(items, scores_of(items, missing=gone(*places)))
    assert ("f03" in found["candidate"].frames) == kept
    assert len(left_out) == lost
    assert len(found["candidate"].attributes) == 10


@settings(max_examples=20)
@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=7, max_size=7))
@pytest.mark.slow
def test_what_is_kept_has_half_of_its_cells_among_what_is_kept(known):
    """Whatever is missing: no row and no column is left that is mostly, or all, unknown."""
    classes = {"first": [f"a{n}" for n in range(7)]}
    items = items_of(ONE_TERM, classes, n_frames=5, n_variants=1, priors=False, controls=())
    places = {
        f"a{i}/f{j:02}" for i, row in enumerate(known) for j, there in enumerate(row) if not there
    }
    scores = scores_of(items, missing=gone(*places))
    found, left_out = of(items, scores)
    matrix = found["candidate"]
    there = ~np.isnan(matrix.cells)
    n_attributes, n_frames = there.shape
    assert (2 * there.sum(1) >= max(1, n_frames)).all()
    assert (2 * there.sum(0) >= max(1, n_attributes)).all()
    assert {"/".join(cell) for cell in left_out} == places
    for i, attribute in enumerate(matrix.attributes):
        for j, frame in enumerate(matrix.frames):
            assert there[i, j] == (f"{attribute}/{frame}" not in places)
    if not places:
        assert there.shape == (7, 5)


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_a_set_of_which_nothing_is_known_is_empty(at_mask):
    """No attribute, no frame, and every cell listed."""
    items = items_of(n_frames=3, at_mask=at_mask)
    found, left_out = of(items, scores_of(items, missing=lambda _m, _i: True))
    assert found["candidate"].cells.size == 0
    assert len(left_out) == 3 * 11


def test_the_order_of_the_items_does_not_matter():
    """Attributes and frames are sorted by their names."""
    items = items_of(TWO_GROUPS, n_frames=3)
    scores = scores_of(items)
    ours, _ = of(items, scores)
    theirs, _ = of(items.sample(frac=1, random_state=1), scores.sample(frac=1, random_state=2))
    for model in PAIR:
        one, other = ours[model], theirs[model]
        np.testing.assert_allclose(one.cells, other.cells, rtol=1e-12)
        assert (one.attributes, one.classes, one.frames) == (
            other.attributes,
            other.classes,
            other.frames,
        )

"""Words whose truth is counted by hand, and worlds that are what their names say."""

import numpy as np
import pytest

from maskaudit.audit.proving.validity.numbers import sameness
from maskaudit.audit.proving.validity.numbers.sameness import MARGIN, WORDS, is_true

SEED = 7


@pytest.mark.parametrize(
    ("teacher", "student", "words"),
    [
        (1.0, 1.3, {"amplified", "inherited"}),
        (1.0, 0.8, {"attenuated", "inherited"}),
        (2.0, 0.3, {"attenuated", "lost"}),
        (0.3, 2.0, {"amplified", "new"}),
        (1.0, -1.0, {"flipped"}),
        (1.0, 0.0, {"lost"}),
        (0.0, 1.0, {"new"}),
        (2.0, 4.0, {"amplified"}),
        (1.0, 1.0, {"inherited"}),
        (0.0, 0.0, set()),
    ],
)
def test_a_word_is_true_of_true_leans_as_the_document_says(teacher, student, words):
    """Several may be; on the wrong side none is, and mirrored they stay."""
    one, other = np.array([teacher]), np.array([student])
    for sign in (1.0, -1.0):
        side = np.array([sign])
        found = {word for word in WORDS if is_true(word, sign * one, sign * other, side)[0]}
        # Flipped is told from the teacher's side, and so is all that a student without a lean is.
        assert found == words
        wrong = {word for word in WORDS if is_true(word, sign * one, sign * other, -side)[0]}
        assert wrong == set()


def test_the_margin_doubles_the_odds():
    """As the document says."""
    assert np.exp(MARGIN) == pytest.approx(2)


def test_worlds_have_the_leans_that_they_are_named_for():
    """Ratios, changes and how many changed, by their true leans."""
    rng = np.random.default_rng(SEED)
    teacher, student = sameness.WORLDS["κ 1.3"].draw(rng)
    assert student / teacher == pytest.approx(1.3)
    assert teacher.std() == pytest.approx(1, abs=0.3)
    teacher, student = sameness.WORLDS["κ 2, leans of SD .3"].draw(rng)
    assert student / teacher == pytest.approx(2)
    assert teacher.std() == pytest.approx(0.3, abs=0.1)
    teacher, student = sameness.WORLDS["few changed"].draw(rng)
    assert [(teacher == 0).sum(), (student == 0).sum(), (teacher == student).sum()] == [3, 3, 51]
    assert (teacher * student < 0).sum() == 3
    for name, sd in (("all moved by SD .3", 1), ("all moved by SD .3, leans of SD .3", 0.3)):
        teacher, student = sameness.WORLDS[name].draw(rng)
        assert (student - teacher).std() == pytest.approx(0.3, abs=0.1)
        assert teacher.std() == pytest.approx(sd, rel=0.35)


def test_the_noise_of_both_models_is_shared_by_half():
    """SD 1 in each, correlation .5; leans are against their average."""
    truth, (teacher, student) = sameness.WORLDS["κ 1.3"].cells(np.random.default_rng(SEED))
    one, other = (cells - cells.mean(1, keepdims=True) for cells in (teacher, student))
    assert one.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] == pytest.approx(0.5, abs=0.06)
    assert [own.mean() for own in truth] == pytest.approx([0, 0], abs=1e-12)


def test_every_word_of_every_world_is_in_one_of_two_tables():
    """What is said often is judged by its truth, what is said seldom by how often it is false.

    A word that is not said at all has no share of true ones.
    """
    often, seldom = sameness.words(40, SEED)
    rows = [row.what for table in (often, seldom) for row in table.rows]
    assert sorted(rows) == sorted(f"{name}: {word}" for name in sameness.WORLDS for word in WORDS)
    assert all(row.bar == sameness.TRUE for row in often.rows)
    assert all(row.bar == sameness.SELDOM for row in seldom.rows)


def test_the_true_error_is_that_of_drawn_contrasts():
    """Three thousand of them."""
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(3000):
        first, second = sameness.CLASSES.classes(rng, sameness.FIRST)
        drawn.append(first.mean() - second.mean())
    assert sameness.true_error() == pytest.approx(np.std(drawn), rel=0.05)


def test_a_contrast_on_the_margin_is_seldom_called_the_same():
    """At most once in twenty, within the error of 400 tables; one far inside mostly is."""
    found = sameness.same(400, SEED)
    assert found["margin 3 SE, contrast 1 margins: the same"].measured.value <= 0.09
    assert found["margin 4 SE, contrast 0 margins: the same"].measured.value >= 0.9
    assert not [row.what for row in found.rows if row.bar == sameness.COVERED and
                row.measured.value < 0.92]  # fmt: skip


def test_the_largest_of_several_is_no_larger_than_what_is_said():
    """Also where the sets do differ."""
    found = sameness.together(300, SEED)
    assert all(row.measured.value >= 0.93 for row in found.rows)

"""A broken instrument fails its self-test: each break is seen by the check that is made for it."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import log_softmax

from maskaudit.audit.estimating.crossed.cells import RELATION
from maskaudit.audit.estimating.estimators.of_groups import pooling
from maskaudit.audit.estimating.statistics import inheritance, ustatistics
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.estimating.statistics.interval import Interval, point
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.phantom import truth as known
from maskaudit.audit.proving.selftest import (
    exact,
    ground,
    metamorphic,
    nulls,
    plants,
    softer,
    unchanged,
)
from maskaudit.probes.expand import Expanded


def quiet(_what, _done, _total):
    """Tell nobody."""


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
EXACT = exact.exact_raw()


def failed(found):
    """Return the names of the checks that failed."""
    return {check.name for check in found if not check.passed}


# Plants


@pytest.fixture(scope="module")
def own():
    """Give the pair and the set on which leans are planted, in few frames."""
    return plants.ground(10)


def leans(own):
    """Return a lean for each attribute."""
    return plants._leans(len(own.attributes), np.random.default_rng(0))


def amplified(own, noise):
    """Return what fails of a student with 1.3 times the leans, by this kind of noise."""
    noises = plants._noises(leans(own), 10, np.random.default_rng(1))
    estimates = plants._student(own, leans(own), 1.3, noises[noise], quiet)
    return failed(plants._amplified(estimates, 1.3, noise))


def test_a_score_of_the_wrong_sign_is_seen(monkeypatch, own):
    """The first group's and the second's exchanged: everything that was planted is negated."""
    right = plants.LOG_ODDS
    wrong = replace(right, cells=lambda scored, first, second: right.cells(scored, second, first))
    monkeypatch.setattr(plants, "LOG_ODDS", wrong)
    assert "output bias: log_odds, the worst cell" in failed(plants._output_bias(own, quiet))
    found = failed(plants._by_attribute(own, leans(own), quiet))
    assert found == {"a lean by attribute: log_odds, slope"}


def test_a_correction_that_leaves_the_prior_in_is_seen(monkeypatch, own):
    """LPBS without the prior taken off moves with the model's output."""
    monkeypatch.setattr(plants, "LPBS", replace(plants.LPBS, cells=plants.LOG_ODDS.cells))
    found = failed(plants._output_bias(own, quiet))
    assert found == {"output bias: lpbs, the worst cell"}


def test_scores_of_another_unit_are_seen(monkeypatch, own):
    """Scores a thousandth too large miss the planted slope."""
    right = scoring.score_all

    def wrong(parts, pair, progress):
        found = right(parts, pair, progress)
        return replace(found, scores=found.scores.assign(value=1.001 * found.scores["value"]))

    monkeypatch.setattr(scoring, "score_all", wrong)
    assert "a lean by attribute: log_odds, slope" in failed(
        plants._by_attribute(own, leans(own), quiet)
    )


def least_squares(teacher, student, **_options):
    """Return the slope of attribute means on attribute means: noise makes it too flat."""
    slope = stats.linregress(teacher.mean(1), student.mean(1)).slope
    return Interval(float(slope), float(slope) - 0.1, float(slope) + 0.1)


def variances(teacher, student, **_options):
    """Return the log ratio of two standard deviations of attribute means, noise included."""
    return point(float(np.log(student.mean(1).std() / teacher.mean(1).std())))


def test_a_slope_by_least_squares_is_seen(monkeypatch, own):
    """Right without noise, and too flat where the frames vary."""
    monkeypatch.setattr(ustatistics, "slope", least_squares)
    assert "kappa 1.3, balanced noise: slope" in amplified(own, plants.BALANCED)
    assert "kappa 1.3, no noise: slope" not in amplified(own, plants.NO_NOISE)


def test_an_amplification_by_variances_is_seen(monkeypatch, own):
    """Noise that is in both models makes their ratio too small."""
    monkeypatch.setattr(ustatistics, "log_kappa", variances)
    assert "kappa 1.3, balanced noise: amplification" in amplified(own, plants.BALANCED)
    assert "kappa 1.3, no noise: amplification" not in amplified(own, plants.NO_NOISE)


def test_numbers_that_are_not_there_fail_and_do_not_raise(monkeypatch, own):
    """Without a relation between the two models every check of one fails."""
    right = ground.estimate

    def wrong(*tables):
        found = right(*tables)
        return replace(found, estimates=found.estimates[found.estimates["subject"] != RELATION])

    monkeypatch.setattr(ground, "estimate", wrong)
    assert len(amplified(own, plants.NO_NOISE)) == 5


def test_words_that_are_said_for_want_of_a_result_are_seen(monkeypatch, own):
    """A student with 1.3 times the leans is called by no other word."""
    right = inheritance.fates
    monkeypatch.setattr(inheritance, "fates", lambda *leans: ["inherited", *right(*leans)[1:]])
    found = {"kappa 1.3, no noise: what became of the attributes"}
    assert amplified(own, plants.NO_NOISE) == found


# Models without a lean


@pytest.fixture(scope="module")
def three_a_style():
    """Give the pair and the set in three frames of each style: with two, a mean is hardly known."""
    return ground.ground(15)


@pytest.fixture
def short(monkeypatch, three_a_style):
    """Let untrained models be asked in few frames."""
    monkeypatch.setattr(nulls, "ground", lambda: three_a_style)


def naive(first, second, **_options):
    """Return the contrast with cells taken as independent."""
    t, p = stats.ttest_ind(first.ravel(), second.ravel())
    estimate = float(first.mean() - second.mean())
    return Interval(estimate, np.nan, np.nan, std_error=estimate / t, p=float(p), null_value=0.0)


@pytest.mark.usefixtures("short")
def test_cells_taken_as_independent_are_seen(monkeypatch):
    """By such a test, half of the classes that are drawn at random lean."""
    monkeypatch.setattr(nulls, "contrast_interval", naive)
    # Of two untrained models the mean need not call either leaning.
    found = failed(nulls.checks(quiet, n_models=2)) - {
        "untrained models: the mean, if it were tested"
    }
    assert found == {"classes at random: stereotype contrast"}


@pytest.mark.usefixtures("short")
def test_a_contrast_that_takes_the_mean_for_a_lean_is_seen_in_untrained_models(monkeypatch):
    """The mean over attributes is the model's habit of one term."""
    monkeypatch.setattr(
        crossed_means,
        "contrast_interval",
        lambda *classes, **_: crossed_means.mean_interval(np.concatenate(classes), null_value=0.0),
    )
    found = failed(nulls.checks(quiet, n_models=4))
    assert found == {"untrained models: stereotype contrast"}


@pytest.mark.usefixtures("short")
def test_a_test_that_never_rejects_is_seen(monkeypatch):
    """It is right of all models without a lean, and wrong of the one that has one."""
    monkeypatch.setattr(
        nulls, "contrast_interval", lambda *_classes: Interval(0.0, -1.0, 1.0, p=1.0)
    )
    found = failed(nulls.checks(quiet, n_models=1))
    assert "classes as they are: stereotype contrast" in found


@pytest.mark.usefixtures("short")
def test_models_that_are_nearly_uniform_are_seen(monkeypatch):
    """Without a steeper head a model expects everything alike, and proves nothing."""
    monkeypatch.setattr(nulls, "STEEPNESS", 1.0)
    found = failed(nulls.checks(quiet, n_models=1))
    assert "untrained models: SD of a term's log p" in found


# What should not matter


def fewer_frames():
    """Return ten frames of the exact set."""
    return {**EXACT, "frames": EXACT["frames"][:10]}


@pytest.fixture(scope="module")
def sound():
    """Measure the bundled pair on ten frames once, before anything is broken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "exact_raw", fewer_frames)
        return exact.Measured.of(exact.exact_set(), pair(), quiet)


@pytest.fixture
def before(monkeypatch, sound):
    """Give what was measured when all was sound; the exact set has ten frames from here on."""
    monkeypatch.setattr(exact, "exact_raw", fewer_frames)
    return sound


def pair():
    """Load the bundled pair."""
    return [models.load(str(path)) for path in (known.TEACHER, known.STUDENT)]


def of_scoring(before):
    """Return what fails where the same is scored in another way."""
    return failed(unchanged.of_scoring(before, pair(), defaultdict(lambda: quiet)))


def test_a_score_that_depends_on_the_batch_is_seen(monkeypatch, before):
    """A sentence's log p moves with how many are read beside it."""
    right = models.LoadedModel.log_probs

    def wrong(self, sentences, reads):
        log_p = right(self, sentences, reads)
        return log_softmax(log_p * (1 + 1e-3 * len(sentences)), -1)

    monkeypatch.setattr(models.LoadedModel, "log_probs", wrong)
    assert "unchanged: log p, sentences one by one" in of_scoring(before)


def test_a_model_read_in_another_way_than_transformers_reads_it_is_seen(monkeypatch, before):
    """A scale that is the same in every batch agrees with itself, and not with transformers."""
    right = models.LoadedModel.log_probs
    monkeypatch.setattr(
        models.LoadedModel,
        "log_probs",
        lambda self, *asked: log_softmax(0.99 * right(self, *asked), -1),
    )
    before = exact.Measured.of(before.part, pair(), quiet)
    assert of_scoring(before) == {"unchanged: log p of sentences in padded batches"}


def test_logits_that_are_told_as_log_p_are_seen(monkeypatch, before):
    """What is not normalised moves with a constant in all logits."""
    monkeypatch.setattr(torch, "log_softmax", lambda logits, dim: logits - 0.0 * dim)
    wrong = exact.Measured.of(before.part, pair(), quiet)
    found = of_scoring(wrong)
    assert "unchanged: log p, a constant added to all logits" in found


def test_an_estimate_that_depends_on_the_order_of_rows_is_seen(monkeypatch, before):
    """The first row of the table counts for more."""
    right = exact.estimated

    def wrong(part, scores, paired=None):
        items = part.items
        once = items["item"] == items["item"].iloc[0]
        weight = 1 + 0.1 * scores["item"].isin(items.loc[once, "item"])
        return right(part, scores.assign(value=scores["value"] * weight), paired)

    monkeypatch.setattr(exact, "estimated", wrong)
    sound = before.estimates
    before = replace(before, estimates=wrong(before.part, before.scored.scores))
    assert "unchanged: probes in another order" in of_scoring(before)
    assert exact.largest_change(sound, sound) == 0


def test_paraphrases_that_count_as_evidence_are_seen(monkeypatch, before):
    """A frame told twice makes its cell twice as large where variants are summed."""
    right = pooling.Slots.of

    def summed(scored):
        n = scored.groupby([*pooling.CELL, "group"])["variant"].transform("nunique")
        return right(scored.assign(value=scored["value"] * n))

    monkeypatch.setattr(pooling.Slots, "of", staticmethod(summed))
    found = failed(unchanged.of_the_set(before))
    assert found == {"unchanged: every frame a variant of itself"}


def test_a_digest_of_names_is_seen(monkeypatch, before):
    """Two sets that differ in the ids of their frames are one set."""
    monkeypatch.setattr(Expanded, "digest", property(lambda self: self.items["frame"].iloc[0]))
    assert "frames by another name: digest" in failed(unchanged.of_the_set(before))


def test_a_frame_that_may_be_told_twice_is_seen(monkeypatch, before):
    """The schema is the one to refuse it."""
    monkeypatch.setattr("maskaudit.probes.checking.checks._repetitions", lambda *_of: iter(()))
    assert "a frame given twice" in failed(unchanged.of_the_set(before))


def test_a_test_that_is_no_test_of_odds_is_seen(monkeypatch, before):
    """An interval of a width that does not grow with the scores."""
    right = crossed_means.contrast_interval
    monkeypatch.setattr(
        crossed_means,
        "contrast_interval",
        lambda *classes, **options: replace(right(*classes, **options), std_error=0.1),
    )
    found = failed(metamorphic._of_estimating(before))
    assert found == {"scores times 2.5: effects, kappa"}


def test_an_unknown_contrast_told_as_zero_is_seen(monkeypatch, before):
    """Nothing was scored, so nothing is known."""
    right = exact.estimated
    monkeypatch.setattr(exact, "estimated", lambda *given: right(*given).fillna({"estimate": 0.0}))
    found = failed(metamorphic._of_nothing(before))
    assert found == {"a class without scores: contrast"}


@pytest.mark.usefixtures("before")
def test_an_amplification_of_a_model_against_itself_is_seen(monkeypatch):
    """However small it is."""
    monkeypatch.setattr(ustatistics, "log_kappa", lambda *_cells: point(1e-12))
    assert failed(metamorphic._against_itself(quiet, full=True)) == {"itself: log_kappa"}


@pytest.mark.usefixtures("before")
def test_effects_that_do_not_change_sign_with_the_groups_are_seen(monkeypatch):
    """An absolute value has no direction."""
    right = crossed_means.contrast_interval

    def wrong(*classes, **options):
        found = right(*classes, **options)
        return replace(found, estimate=abs(found.estimate))

    monkeypatch.setattr(crossed_means, "contrast_interval", wrong)
    found = failed(metamorphic._swapped(quiet, full=False))
    assert found == {"swapped groups: signed effects"}


# Sharpness


def of_world(found, plant):
    """Return what fails of these estimates where they ought to be those of a plant."""
    return {name.removeprefix("x: ") for name in failed(softer.told_apart("x", found, plant))}


def test_a_student_of_another_plant_is_seen():
    """Softness is not said of one that leans further, nor the other way round."""
    softened, further = softer.Plant(0.7), softer.Plant(kappa=1.3)
    every = {
        check.name.removeprefix("x: ")
        for check in softer.told_apart("x", softer.world(softened), softened)
    }
    assert of_world(softer.world(softened), softened) == set()
    assert of_world(softer.world(softened), further) == every
    assert of_world(softer.world(further), softened) == every


def test_numbers_that_a_bias_enters_would_take_it_for_bias(monkeypatch):
    """Ratios of magnitudes in place of kappa: a bias vector that is left as it is fools them."""
    plant = softer.Plant(0.7, bias_left=True)
    assert of_world(softer.world(plant), plant) == set()
    monkeypatch.setattr(
        ustatistics,
        "log_kappa",
        ustatistics.log_magnitude_ratio,
    )
    assert "log_kappa_benign, as a factor" in of_world(softer.world(plant), plant)


def test_what_is_unknown_beyond_sharpness_is_no_finding_of_nothing():
    """Without benign sets that say how sure the models are, no check passes."""
    plant = softer.Plant(0.7)
    found = softer.world(plant)
    unknown = found.assign(
        estimate=found["estimate"].mask(found["estimator"].isin(softer.OF_SHARPNESS))
    )
    assert of_world(unknown, plant) >= {
        "called by log_kappa_beyond",
        "called by contrast_beyond_sharpness",
    }

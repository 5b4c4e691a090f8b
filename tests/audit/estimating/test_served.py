"""What is said of an endpoint follows from its answers, at the error rate that is stated."""

import numpy as np
import pytest

from maskaudit.audit.estimating.served import APART, ERROR, Answers, Served, _up, bound


def answers(recorded: np.ndarray, served: np.ndarray, *, words: int = 1) -> Answers:
    """Return answers to sentences of so many words each."""
    return Answers(recorded, served, np.arange(len(recorded)) // words)


def test_the_same_to_four_digits_is_the_same() -> None:
    """A last digit more or less does not count, two do; what is missing is not the same."""
    p = np.array([0.1234, 0.9999, 1.234e-6, 0.5])
    for digits, expected in ((0.9, True), (2.1, False)):
        unit = 10.0 ** (np.floor(np.log10(p)) - 3)
        found = answers(np.log(p), np.log(p + digits * unit))
        assert found.equal.all() == expected
    rounded = np.array([float(f"{value:.4g}") for value in p])
    assert Served.judged(answers(np.log(p), np.log(rounded)), 1000).verdict == "same"
    missing = answers(np.log(p), np.array([np.nan, *np.log(p[1:])]))
    assert Served.judged(missing, 1000).verdict != "same"
    assert missing.distances[0] == 1.0


def test_a_distance_is_the_mean_over_words_of_a_sentence() -> None:
    """By loops over the definition."""
    draw = np.random.default_rng(1)
    recorded, served = draw.normal(-3, 1, (2, 30))
    expected = []
    for sentence in range(10):
        parts = []
        for word in range(3):
            d = served[3 * sentence + word] - recorded[3 * sentence + word]
            parts.append(d**2 / (d**2 + 0.5**2))
        expected.append(sum(parts) / 3)
    found = answers(recorded, served, words=3).distances
    assert found == pytest.approx(expected)
    # Answers that are all 13 % off lie at the limit.
    off = answers(recorded, recorded + np.log(1.1346))
    assert off.distances.mean() == pytest.approx(APART, abs=1e-4)


@pytest.mark.parametrize("n", [50, 200, 500])
@pytest.mark.parametrize("truth", [APART, 0.02, 0.12])
def test_a_draw_misleads_at_most_as_often_as_is_said(n: int, truth: float) -> None:
    """Of populations of the worst kind, whose distances are 0 or 1 and lie at or beyond the limit.

    20,000 draws; the tails are those of a binomial, which the bound has to hold above.
    """
    draw = np.random.default_rng(n)
    means = draw.binomial(n, truth, 20_000) / n
    chances = np.array([bound(mean, APART, n) for mean in means])
    wrong = (chances <= ERROR) & ((means < APART) if truth >= APART else (means > APART))
    assert wrong.mean() <= ERROR
    # And the bound itself, at every mean that was drawn on the wrong side of the limit.
    if truth == APART:
        for mean in np.unique(means):
            as_far = (means <= mean) if mean < APART else (means >= mean)
            assert as_far.mean() <= bound(mean, APART, n) + 0.01


def test_the_bound_is_that_of_two_coins() -> None:
    """Worked out by hand, 1 at the limit, and smaller the further and the more draws."""
    assert bound(APART, APART, 100) == pytest.approx(1)
    assert bound(0.0, APART, 100) == pytest.approx(0.94**100)
    assert bound(1.0, APART, 3) == pytest.approx(0.06**3)
    assert bound(0.2, APART, 100) < bound(0.1, APART, 100) < bound(0.1, APART, 50) < 1


def test_each_verdict_has_its_lines() -> None:
    """How sure it is, in the words of what was drawn."""
    recorded = np.full(400, -2.0)
    for shift, verdict, told in (
        (0.0, "same", "otherwise would be called the same in at most 1% of draws"),
        (0.02, "relative", "Of another model, a draw"),
        (0.126, "undecided", "ask more with --sentences"),
        (1.0, "another", "Of a relative, a draw"),
    ):
        found = Served.judged(answers(recorded, recorded + shift), 5000)
        assert found.verdict == verdict
        assert told in found.as_text()
        assert found.as_text().upper().startswith(verdict.upper())
        assert found.as_json()["sentences"] == 400
    whole = Served.judged(answers(recorded, recorded + 0.2), 400)
    assert (whole.verdict, whole.chance) == ("another", 0.0)
    assert "nothing was left to a draw" in whole.as_text()


def test_a_difference_that_few_sentences_have_is_missed_as_often_as_is_said() -> None:
    """The share that is stated is met by drawing from a record of which so many differ."""
    found = Served.judged(answers(np.full(200, -2.0), np.full(200, -2.0)), 10_000)
    draw = np.random.default_rng(3)
    # None of the sentences that differ is among 200 that are drawn.
    missed = draw.hypergeometric(
        round(found.unseen * 10_000), 10_000 - round(found.unseen * 10_000), 200, 20_000
    )
    assert (missed == 0).mean() == pytest.approx(ERROR, abs=0.003)


def test_of_sentences_with_more_words_than_were_asked_something_is_left_to_the_draw():
    """Though every sentence was asked; and nothing is where every word was."""
    found = answers(np.full(360, -2.0), np.full(360, -2.0))
    assert (Served.judged(found, 360, 14_400).unseen > 0) is True
    assert Served.judged(found, 360, 14_400).is_whole is False
    assert Served.judged(found, 360, 360).unseen == 0
    assert "nothing was left to a draw" in Served.judged(found, 360, 360).as_text()


def test_a_probability_that_is_told_as_the_most_is_rounded_up():
    """To one digit."""
    for chance in (1.4e-3, 9.01e-3, 2e-5, 1e-3, 1e-12, 0.5):
        assert chance <= float(_up(chance)) * (1 + 1e-9)
        assert float(_up(chance)) <= 2 * chance

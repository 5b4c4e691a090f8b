"""Whether the answers of an endpoint are those of the model that a record was made of.

From sentences that are drawn from the record, three questions are answered in turn. Are the answers
equal to four digits? Then it is the same model. Is their distance from the recorded ones below that
of a copy with coarser numbers? Then it is a relative. Is it above? Then it is another model.

The sentences are drawn at random, so that the error rates follow from the drawing alone, whatever
the models are: Hoeffding's bound for numbers between 0 and 1, which holds for draws without
replacement too (Hoeffding 1963, theorems 1 and 4).
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Verdict = Literal["same", "relative", "another", "undecided"]

# Digits of a probability that are held against each other, give or take one in the last.
DIGITS = 4
# Nats at which a difference counts as half: p is then 1.65 times what was recorded.
SCALE = 0.5
# The distance between a relative and another model: that of answers which are all 13.5 % higher.
APART = 0.06
# The most that each statement is wrong: saying "relative" of another model, or the reverse.
ERROR = 0.01


@dataclass(frozen=True)
class Answers:
    """Probabilities of words in sentences, as recorded and as served; log p in nats, [n].

    `served` is NaN where the endpoint has no answer, as for a word that its vocabulary lacks.
    `sentences` tells which sentence each belongs to.
    """

    recorded: NDArray[np.float64]
    served: NDArray[np.float64]
    sentences: NDArray[np.intp]

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Whether each pair is equal to four digits, give or take one in the last, [n]."""
        p, q = np.exp(self.recorded), np.exp(self.served)
        with np.errstate(divide="ignore"):
            unit = 10.0 ** (np.floor(np.log10(p)) - (DIGITS - 1))
        # A hundredth of a digit more, for what the difference itself loses; NaN is never equal.
        equal: NDArray[np.bool_] = np.abs(p - q) <= 1.01 * unit
        return equal

    @property
    def distances(self) -> NDArray[np.float64]:
        """How far each sentence's answers are from the recorded ones, 0 to 1, [sentences].

        The mean over its words of d^2 / (d^2 + SCALE^2), d the difference in nats: 0 where they are
        equal, near 1 where they are many nats apart; 1 without an answer.
        """
        square = (self.served - self.recorded) ** 2
        # No answer is the farthest one: an endpoint must not look alike by staying silent.
        distance = np.where(np.isnan(square), 1.0, square / (square + SCALE**2))
        return np.asarray(pd.Series(distance).groupby(self.sentences).mean(), dtype=float)


@dataclass(frozen=True)
class Served:
    """What was found: the verdict, and the numbers that it stands on.

    `distance` is the mean over `sentences`, 0 to 1; `equal` counts the answers that are equal to
    four digits, of `answers`; `unanswered` those that the endpoint did not give. `chance` is the
    most probable that the drawing alone led to "relative" or "another"; for "same", `unseen` is the
    share of the record's sentences that another model may answer otherwise and still be called the
    same with a probability of `ERROR`. `is_whole` says that nothing was drawn: every word of every
    sentence was asked.
    """

    verdict: Verdict
    distance: float
    sentences: int
    of: int
    answers: int
    equal: int
    unanswered: int
    chance: float
    unseen: float
    is_whole: bool = False

    @classmethod
    def judged(cls, answers: Answers, of: int, words: int | None = None) -> Self:
        """The verdict on answers to sentences that were drawn from `of` of a record.

        `words` is how many answers the record has in all; None where each sentence has those that
        were asked. Of a sentence with more, words were drawn as well: what is said then is of the
        words that a draw would ask.
        """
        distances, equal = answers.distances, answers.equal
        n = len(distances)
        distance = float(distances.mean())
        # Of all words of all sentences, nothing was drawn and nothing is left to chance.
        is_whole = n >= of and (words is None or len(equal) >= words)
        chance = 0.0 if is_whole else bound(distance, APART, n)
        verdict: Verdict = "undecided"
        if equal.all():
            verdict = "same"
        elif chance <= ERROR:
            verdict = "relative" if distance < APART else "another"
        return cls(
            verdict=verdict,
            distance=distance,
            sentences=n,
            of=of,
            answers=len(equal),
            equal=int(equal.sum()),
            unanswered=int(np.isnan(answers.served).sum()),
            chance=chance,
            unseen=0.0 if is_whole else 1 - ERROR ** (1 / n),
            is_whole=is_whole,
        )

    def as_json(self) -> dict[str, Any]:
        """The verdict and its numbers as plain values."""
        return {
            "verdict": self.verdict,
            "distance": self.distance,
            "apart": APART,
            "sentences": self.sentences,
            "of_sentences": self.of,
            "answers": self.answers,
            "equal": self.equal,
            "unanswered": self.unanswered,
            "chance": self.chance,
            "unseen": self.unseen,
            "error": ERROR,
        }

    def as_text(self) -> str:
        """The verdict and how sure it is, in a few lines."""
        counted = (
            f"{self.equal:,} of {self.answers:,} answers to {self.sentences:,} of the record's "
            f"{self.of:,} sentences are equal to {DIGITS} digits; distance {self.distance:.4f} "
            f"(from 0 to 1; below {APART:g} is a relative)"
        )
        missing = f"; {self.unanswered:,} were not given" if self.unanswered else ""
        return f"{_TITLES[self.verdict]}\n{counted}{missing}.\n{self._sure()}"

    def _sure(self) -> str:
        if self.is_whole:
            return "Every word of the record was asked, so that nothing was left to a draw."
        if self.verdict == "same":
            return (
                f"A model that answers all words of {self.unseen:.1%} of the record's sentences "
                f"otherwise would be called the same in at most {ERROR:.0%} of draws, and one that "
                "answers more of them otherwise more seldom."
            )
        if self.verdict == "undecided":
            return (
                f"By these sentences it may be either, at an error rate of {ERROR:.0%} for one "
                "call: ask more with --sentences."
            )
        other = "another model" if self.verdict == "relative" else "a relative"
        return (
            f"Of {other}, a draw of sentences would lead here with a probability of at most "
            f"{_up(self.chance)}; said where that is at most {ERROR:.0%}."
        )


_TITLES = {
    "same": "SAME: the endpoint answers as the audited model does.",
    "relative": (
        "RELATIVE: the endpoint serves a close relative of the audited model, as a quantised copy "
        "is, and not the very same."
    ),
    "another": "ANOTHER: the endpoint serves another model than the audited one.",
    "undecided": "UNDECIDED: not the very same model, and perhaps a relative of it.",
}


def _up(chance: float) -> str:
    """A probability with one digit, rounded up so that "at most" stays true."""
    least = max(chance, 1e-12)
    unit = 10.0 ** math.floor(math.log10(least))
    return f"{math.ceil(least / unit - 1e-9) * unit:.1g}"


def bound(mean: float, limit: float, n: int) -> float:
    """The most probable that n draws from numbers of 0 to 1 have a mean so far from their limit.

    exp(-n KL(mean, limit)), KL of two coins in nats: where the mean of all is at or beyond `limit`,
    a mean of draws on the other side of it, at `mean`, is at most so probable. 1 at the limit.
    """
    # Where p is 0 its term is 0, the limit of p log p, and the log alone would fail.
    divergence = sum(
        p * math.log(p / q) for p, q in ((mean, limit), (1 - mean, 1 - limit)) if p > 0
    )
    return math.exp(-n * divergence)

"""Bounds of a word hold its probability, whatever a service leaves out and however it rounds."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from maskaudit.audit.payloads.answered import Served, fills_of
from maskaudit.audit.payloads.likeliest import Likeliest, Rounding, Spelling

PLAIN = Spelling(is_cased=True, has_spaces=False)
CELLS = 1_000
WRITTEN: dict[str, Callable[[float], float]] = {
    "as it is": lambda p: p,
    "four decimals": lambda p: round(p, 4),
    "two decimals": lambda p: round(p, 2),
    "four digits": lambda p: float(f"{p:.4g}"),
    "cut after four decimals": lambda p: math.floor(p * 1e4) / 1e4,
    "up to three decimals": lambda p: min(1.0, math.ceil(p * 1e3) / 1e3),
    "float32": lambda p: float(np.float32(p)),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("k", [5, 40])
def test_the_bounds_hold_the_truth_in_every_cell(written: Callable[[float], float], k: int) -> None:
    """In each of a thousand sentences, for a likely word, a rare one and one of neither kind."""
    rng = np.random.default_rng(11)
    logits = rng.standard_normal((CELLS, 200)) * rng.uniform(0.1, 5, (CELLS, 1))
    every = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    best = np.argsort(-every, axis=1)[:, :k]
    answers = [
        tuple(Served(written(float(p[n])), f"w{n}", int(n)) for n in own)
        for p, own in zip(every, best, strict=True)
    ]
    # As it is seen: in the answers to a few sentences, and never in those that are read.
    rounding = Rounding.of(fill.score for mask in answers[:4] for fill in mask)
    read = Likeliest(rounding, PLAIN)
    n_absent = 0
    for p, own, mask in zip(every, best, answers, strict=True):
        for n in (int(own[0]), int(own[-1]), int(np.argmin(p)), 7):
            low, high = read.of(f"w{n}", mask)
            assert low <= p[n] <= high
            is_there = n in own
            n_absent += not is_there
            # What is absent is never 0, and never more than the last that is there.
            assert is_there or (low == 0 < high <= mask[-1].score + rounding.unit(mask[-1].score))
    assert n_absent > CELLS


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("k", [5, 100])
def test_bounds_hold_where_a_service_computes_in_half_precision(dtype: torch.dtype, k: int) -> None:
    """Of sure and unsure sentences; the truth is the softmax of the same logits in double."""
    rng = torch.Generator().manual_seed(5)
    logits = torch.randn(120, 5_000, generator=rng)
    logits[torch.arange(120), torch.arange(120)] += 4 + 12 * torch.rand(120, generator=rng)
    logits = logits.to(dtype)
    every = logits.double().softmax(-1).numpy()
    best = torch.topk(logits.softmax(-1).double(), k)
    answers = [
        tuple(Served(p, f"w{n}", n) for p, n in zip(scores, own, strict=True))
        for scores, own in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
    read = Likeliest(Rounding.of(fill.score for mask in answers[:4] for fill in mask), PLAIN)
    for p, own, mask in zip(every, best.indices.tolist(), answers, strict=True):
        for n in own:
            low, high = read.of(f"w{n}", mask)
            assert low <= p[n] <= high
        assert np.delete(p, own).max() <= read.of_absent(mask)


@pytest.mark.parametrize(
    ("scores", "score", "unit"),
    [
        # The last digit of one number may be a 0 that is not written.
        ([0.1234, 0.25, 0.0003], 0.25, 1e-4),
        ([0.1234, 0.25, 0.0003], 0.0003, 1e-4),
        ([0.1234, 0.002345, 0.00001234], 0.1234, 1e-4),
        ([0.1234, 0.002345, 0.00001234], 0.002345, 1e-6),
        ([0.5, 0.25], 0.0, 1e-2),
        ([1.0], 1.0, 1.0),
        ([1e-05, 0.25], 1e-05, 1e-5),
    ],
)
def test_the_last_place_of_a_number_is_seen_in_many(
    scores: list[float], score: float, unit: float
) -> None:
    """By decimals or by digits, whichever is coarser."""
    assert Rounding.of(scores).unit(score) == pytest.approx(unit)


def test_what_is_left_over_bounds_an_absent_word_too() -> None:
    """Not only the last fill: all that was given leaves less."""
    exact = Rounding.of([0.123456789012345])
    mask = tuple(Served(p, word) for p, word in ((0.5, "a"), (0.3, "b"), (0.15, "c")))
    assert Likeliest(exact, PLAIN).of("d", mask).high == pytest.approx(0.05, rel=1e-3)
    low, high = Likeliest(exact, PLAIN).of("d", mask).logs
    assert (low, high) == (-math.inf, pytest.approx(math.log(0.05), abs=1e-3))
    # A fill that was rounded to 0 has a probability, and it is not known to be 0.
    rounded = Likeliest(Rounding(4, 4), PLAIN)
    assert rounded.of("z", (Served(0.9, "a"), Served(0.0, "z"))) == (0.0, pytest.approx(1e-4))


def test_a_word_is_found_as_the_vocabulary_writes_it() -> None:
    """Case counts where the vocabulary has it, and a space where it writes one."""
    text = "They said so."

    def spelling(*fills: tuple[str, str]) -> Spelling:
        return Spelling.of([Served(0.1, word, 1, sequence) for word, sequence in fills], text)

    uncased = spelling(("she", "they said so."), ("café", "they said so."))
    cased = spelling(("she", "They said so."))
    spaced = spelling((" she", "They said so."))
    assert [own.is_cased for own in (uncased, cased, spaced)] == [False, True, True]
    assert uncased.key(" She") == uncased.key("she")
    assert uncased.key("Zoë") == uncased.key("zoe")
    assert cased.key(" She") != cased.key("she")
    assert cased.key(" she") == cased.key("she")
    assert spaced.key(" she") != spaced.key("she")
    # Without a sentence the fills decide.
    assert spelling(("she", ""), ("Paris", "")).is_cased
    assert not spelling(("she", ""), ("[UNK]", "")).is_cased


def test_two_pieces_that_are_written_alike_leave_either_open() -> None:
    """As of a vocabulary with the space before a word in its piece, and not in its answers."""
    mask = (Served(0.4, "she", 1), Served(0.1, "he", 2), Served(0.01, "she", 3))
    rounding = Rounding.of([0.123456789])
    low, high = Likeliest(rounding, PLAIN).of("she", mask)
    assert low == pytest.approx(0.01, rel=1e-3)
    assert high == pytest.approx(0.4, rel=1e-3)


def test_rounding_alone_makes_no_answer_impossible() -> None:
    """A hundred fills that were each rounded up add up to more than 1, and are an answer."""
    scores = [0.984, *[0.0002] * 99]
    value = [{"score": p, "token": n, "token_str": f"w{n}"} for n, p in enumerate(scores)]
    [[mask]] = fills_of(value, [1], "here")
    assert len(mask) == 100
    assert math.fsum(fill.score for fill in mask) > 1.001


def test_words_that_differ_in_accents_alone_are_not_taken_for_each_other() -> None:
    """A vocabulary in small letters may have both, as German ones do, or write one without."""
    uncased = Likeliest(
        Rounding.of([0.123456789012345]), Spelling(is_cased=False, has_spaces=False)
    )
    mask = (Served(0.4, "mutter", 1), Served(0.01, "kind", 2))
    assert uncased.of("Mutter", mask) == pytest.approx((0.4, 0.4), rel=1e-4)
    assert uncased.of("mütter", mask) == (0.0, pytest.approx(0.4, rel=1e-4))

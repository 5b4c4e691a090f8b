"""Every measure of a sentence or a target reads what its definition says, no more and no less."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.model import Ids, Numbers
from maskaudit.audit.measuring.planning import read_plan, reads
from maskaudit.audit.measuring.reading import forward
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import Expanded, from_rows
from tests import estimator_oracles as oracles
from tests import oracle, tiny

# By name: the architecture, and whether its tokenizer keeps case and accents apart.
CHECKPOINTS = {
    "bert": ("bert", None),
    "bert-cased": ("bert", True),
    "distilbert": ("distilbert", None),
    "roberta": ("roberta", None),
}
SENTENCE = frozenset(reads.OF_SENTENCE)
TARGET = frozenset(reads.OF_TARGET)
# Several pieces, single letters, accents, capitals, digits, marks; and words of one piece.
RARE = ("farmers", "painting", "xqz", "zoë", "Éva", "café", "PARIS", "Doctor", "42", "don't", ",")
WORDS = (*RARE, *tiny.WORDS[::8], "x-y", ".")
LONG = " ".join(["the old farmers said that she was kind", *["and he was the nurse"] * 10])


@dataclass(frozen=True, repr=False)
class Checkpoint:
    """A model as the program loads it, and as the oracle does: plain and with its attention."""

    model: models.LoadedModel
    plain: Any
    tokenizer: Any
    eager: Any


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny checkpoint of each kind."""
    root = tmp_path_factory.mktemp("tiny")
    return {
        name: tiny.build(root / name, architecture, cased=cased)
        for name, (architecture, cased) in CHECKPOINTS.items()
    }


@pytest.fixture(scope="module")
def loaded(folders: dict[str, Path]) -> dict[str, Checkpoint]:
    """Return each as the program loads it, and as the oracle does."""
    return {
        name: Checkpoint(
            models.load(str(folder)), *oracle.load(folder), oracles.load_eager(folder)[0]
        )
        for name, folder in folders.items()
    }


@pytest.fixture(params=CHECKPOINTS)
def four(
    request: pytest.FixtureRequest,
    loaded: dict[str, Checkpoint],
) -> Checkpoint:
    """Return one checkpoint, each in turn."""
    return loaded[request.param]


def sentences(*pairs: tuple[str, str]) -> Expanded:
    """Return the tables of a set of pairs: each side with the other as its partner."""
    return from_rows(
        {
            "probe_set": "tiny",
            "kind": "pairs",
            "frame": str(number),
            "pair": str(number),
            "role": "probe",
            "label": label,
            "text": text,
            "slot": None,
            "partner": partner,
            "target": "",
        }
        for number, (more, less) in enumerate(pairs)
        for label, text, partner in (("stereotype", more, less), ("anti", less, more))
    )


def targets(*cells: tuple[str, str]) -> Expanded:
    """Return the tables of a set with an item for each text and target."""
    return from_rows(
        {
            "probe_set": "tiny",
            "frame": str(number),
            "role": "probe",
            "text": text,
            "slot": 0,
            "target": target,
        }
        for number, (text, target) in enumerate(cells)
    )


def values(expanded: Expanded, found: scoring.Scored) -> dict[tuple[str, str], float]:
    """Return the score of each item by its label, or its target, and measure."""
    items = expanded.items.assign(name=expanded.items["label"] + expanded.items["target"])
    rows = found.scores.merge(items[["item", "name"]], on="item")
    return rows.set_index(["name", "measure"])["value"].to_dict()


def by_oracle(by: Checkpoint, more: str, less: str) -> dict[tuple[str, str], float]:
    """Return every measure of both sentences of a pair, by label and measure."""
    plain, tokenizer = by.plain, by.tokenizer
    # Both difflib and the oracle know a first sentence: here the one with the smaller ids.
    swapped = tokenizer(less)["input_ids"] < tokenizer(more)["input_ids"]
    pair = (less, more) if swapped else (more, less)
    labels = ("anti", "stereotype") if swapped else ("stereotype", "anti")
    of_pairs = {
        "crows_nangia": oracles.crows_nangia(plain, tokenizer, *pair),
        "crows_meade": oracles.crows_meade(plain, tokenizer, *pair),
        "crows_meade_published": _published_meade(plain, tokenizer, pair),
        "sss": oracles.sss(plain, tokenizer, *pair),
    }
    found = {
        (label, measure): both[side]
        for measure, both in of_pairs.items()
        for label, side in zip(labels, ("more", "less"), strict=True)
    }
    for label, text in (("stereotype", more), ("anti", less)):
        found[label, "pll"] = oracles.pll(plain, tokenizer, text)
        found[label, "pll_word_l2r"] = oracles.pll_word_l2r(plain, tokenizer, text)
        found[label, "aul"] = oracles.aul(plain, tokenizer, text)
        found[label, "aula"] = oracles.aula(by.eager, tokenizer, text)
        found[label, "aula_published"] = oracles.aula(by.eager, tokenizer, text, "published")
    return found


def _published_meade(plain: Any, tokenizer: Any, pair: Sequence[str]) -> dict[str, float]:
    """Return the oracle's published score of a pair before it is rounded or skipped."""
    ids = [tokenizer(text)["input_ids"] for text in pair]
    blocks = {"replace", "delete", "insert"}
    return {
        side: oracles._mean(
            oracles._masked_one_at_a_time(
                plain, tokenizer, ids[i], oracles._positions(*ids, blocks, i)
            )
        )
        for i, side in enumerate(("more", "less"))
    }


def agree(found: dict[Any, float], expected: dict[Any, float]) -> None:
    """Assert that both have the same keys, the same values to 1e-5, and NaN in the same places."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-5, nan_ok=True), key


# What each measure of a sentence is


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """Return a sentence and the same with some words replaced, inserted or left out."""
    word = st.sampled_from(WORDS)
    before, after = draw(st.lists(word, max_size=4)), draw(st.lists(word, max_size=4))
    one, other = draw(st.lists(word, max_size=3)), draw(st.lists(word, max_size=3))
    first, second = [*before, *one, *after], [*before, *other, *after]
    return " ".join(first or ["he"]), " ".join(second or ["she"])


@seed(4)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=edited())
@example(pair=("he", "she"))
@example(pair=("Farmers", "farmers"))
@example(pair=("she was a nurse", "she was a very kind old nurse"))
@example(pair=("he said he was the nurse he was", "he was he said the nurse"))
def test_every_measure_of_a_sentence_is_the_oracle_s(
    four: Checkpoint, pair: tuple[str, str]
) -> None:
    """To 1e-5 nats; a pair with a word that the vocabulary cannot write has no score."""
    model = four.model
    expanded = sentences(pair)
    scored = scoring.score(expanded, [model], measures=SENTENCE)
    written = [four.tokenizer(text)["input_ids"] for text in pair]
    if model.unknown_id is not None and any(model.unknown_id in ids for ids in written):
        assert set(scored.scores["status"]) == {"context_unknown"}
        assert scored.scores["value"].isna().all()
        return
    agree(values(expanded, scored), by_oracle(four, *pair))


def test_a_sentence_of_sixty_pieces_is_scored_as_the_oracle_does(
    four: Checkpoint,
) -> None:
    """Two sentences of 60 pieces and more that differ by a word of three pieces."""
    model = four.model
    pair = (LONG, LONG.replace("old farmers", "young man"))
    assert 60 <= len(four.tokenizer(pair[0])["input_ids"]) <= model.longest
    expanded = sentences(pair)
    scored = scoring.score(expanded, [model], measures=SENTENCE)
    agree(values(expanded, scored), by_oracle(four, *pair))


def test_pieces_of_a_sentence_spread_by_a_nat(
    four: Checkpoint,
) -> None:
    """The models are far from uniform: a piece read at a wrong place would be seen."""
    assert np.std(oracles.pll_tokens(four.plain, four.tokenizer, LONG)) >= 1


def test_many_pairs_together_score_as_each_alone(
    four: Checkpoint,
) -> None:
    """Batches are shared between pairs and measures; to 1e-5 nats that changes nothing."""
    model = four.model
    pairs = [(f"{a} was a kind {b}", f"{a} was an old {b}") for a in ("he", "She", "Anne")
             for b in ("nurse", "farmers", "man .")]  # fmt: skip
    expanded = sentences(*pairs)
    place = ["context", "measure"]
    items = expanded.items[["item", "context"]]
    together = scoring.score(expanded, [model], measures=SENTENCE).scores.merge(items, on="item")
    whole = together.set_index(place)["value"]
    for pair in pairs:
        expanded = sentences(pair)
        alone = scoring.score(expanded, [model], measures=SENTENCE).scores
        own = alone.merge(expanded.items[["item", "context"]], on="item").set_index(place)["value"]
        assert own.tolist() == pytest.approx(whole[own.index].tolist(), abs=1e-5, nan_ok=True)


def test_swapped_sides_give_exactly_the_swapped_scores(
    four: Checkpoint,
) -> None:
    """The same bits, also where difflib's blocks depend on which sentence comes first."""
    model, tokenizer = four.model, four.tokenizer
    pair = ("he said he was the nurse he was", "he was he said the nurse")
    ids = [tokenizer(text)["input_ids"] for text in pair]
    there = set(oracles._positions(*ids, {"equal"}, 0))
    back = set(oracles._positions(*ids[::-1], {"equal"}, 1))
    assert there != back  # so that the order matters in this pair
    one, other = sentences(pair), sentences(pair[::-1])
    first = values(one, scoring.score(one, [model], measures=SENTENCE))
    second = values(other, scoring.score(other, [model], measures=SENTENCE))
    turned = {"stereotype": "anti", "anti": "stereotype"}
    for (label, measure), value in first.items():
        other_value = second[turned[label], measure]
        assert other_value == value or (math.isnan(value) and math.isnan(other_value)), measure


def test_sentences_that_share_no_word_tie_in_crows_nangia_and_lack_nothing_else(
    four: Checkpoint,
) -> None:
    """A sum over no piece is 0, as in the authors' script; a mean over no piece is unknown."""
    model = four.model
    expanded = sentences(("he", "she"), ("she was kind", "she was very kind"))
    scored = scoring.score(expanded, [model], measures=SENTENCE).scores
    table = scored.merge(expanded.items[["item", "pair", "label"]], on="item")
    found = table.set_index(["pair", "label", "measure"])["value"]
    assert found["0"].xs("crows_nangia", level="measure").tolist() == [0, 0]
    assert found["0"].notna().all()
    assert math.isnan(found["1", "stereotype", "sss"])
    assert not math.isnan(found["1", "anti", "sss"])


# What each measure of a target is


@seed(4)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.sampled_from(WORDS), max_size=5),
    target=st.sampled_from(WORDS),
    after=st.lists(st.sampled_from(WORDS), max_size=5),
)
@example(before=[], target="farmers", after=[])
@example(before=["the"] * 28, target="teachers", after=["was"] * 28)
def test_every_measure_of_a_target_is_the_oracle_s(
    four: Checkpoint,
    before: list[str],
    target: str,
    after: list[str],
) -> None:
    """To 1e-5, also per piece as StereoSet reads it; no score where the oracle refuses."""
    model, plain, tokenizer = four.model, four.plain, four.tokenizer
    text = " ".join([*before, "[MASK]", *after])
    expanded = targets((text, target))
    scored = scoring.score(expanded, [model], measures=TARGET)
    refused = model.unknown_id is not None and model.unknown_id in tokenizer(text)["input_ids"]
    try:
        n_pieces = len(oracle.pieces(tokenizer, text, 0, target))
    except ValueError:
        refused = True
    if refused:
        assert (scored.scores["status"] != "ok").all()
        assert scored.scores["value"].isna().all()
        return
    found = values(expanded, scored)
    place = (plain, tokenizer, text, target)
    published = oracles.stereoset(*place, "published")
    assert found[target, "stereoset_published"] == pytest.approx(published, rel=1e-5)
    assert found[target, "logp"] / n_pieces == pytest.approx(oracles.stereoset(*place), abs=1e-5)
    assert set(scored.scores["pieces"]) == {n_pieces}


# What is run and what is held


MIXED = [(f"{a} {verb} a kind {b}", f"{c} {verb} a kind {b}") for a, c in (("he", "she"),
         ("the man", "the farmers")) for verb in ("was", "met") for b in ("nurse", "doctors")
         ]  # fmt: skip


@pytest.fixture(scope="module")
def set_of_all() -> Expanded:
    """Return pairs of sentences, and slots with targets, in one set of 8 + 3 frames."""
    slots = targets(*((f"The {word} met a [MASK].", target) for word in ("man", "woman", "nurse")
                      for target in ("doctor", "farmers", "singers")))  # fmt: skip
    both = sentences(*MIXED)
    named = slots.items.assign(frame="slot " + slots.items["context"])
    return Expanded(
        pd.concat([both.contexts, slots.contexts], ignore_index=True),
        pd.concat([both.items, named], ignore_index=True),
    )


@pytest.mark.parametrize("part", [1, 3])
def test_a_set_planned_in_parts_scores_as_in_one(
    loaded: dict[str, Checkpoint],
    set_of_all: Expanded,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
) -> None:
    """The same rows of all three tables; the same values to 1e-5."""
    pair = [loaded["bert"].model, loaded["bert"].model]
    whole = scoring.score(set_of_all, pair, measures=SENTENCE | TARGET)
    monkeypatch.setattr(scoring, "PART", part)
    parts = scoring.score(set_of_all, pair, measures=SENTENCE | TARGET)
    for name, key in tables.UNIQUE.items():
        one, other = (getattr(found, name).set_index(key).sort_index() for found in (whole, parts))
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=0, atol=1e-5)


@pytest.mark.parametrize("part", [1, 3, 4000])
def test_a_part_is_bounded_and_runs_each_distinct_sequence_once(
    loaded: dict[str, Checkpoint],
    set_of_all: Expanded,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
) -> None:
    """Nine measures of a sentence share their passes; a part has PART contexts and one frame more.

    What is planned and held at once is of one part, and so does not grow with the set.
    """
    model = loaded["distilbert"].model
    planned: list[tuple[int, int]] = []
    run: list[list[Ids]] = []
    make, log_probs = forward.plan, model.log_probs

    def plan(own: Expanded, *others: Any, **named: Any) -> read_plan.Plan:
        made = make(own, *others, **named)
        planned.append((len(own.contexts), len({i for batch in made.batches() for i in batch})))
        run.append([])
        return made

    def spy(batch: Sequence[Ids], places: Sequence[tuple[int, int]]) -> Numbers:
        run[-1] += batch
        return log_probs(batch, places)

    monkeypatch.setattr(scoring, "PART", part)
    monkeypatch.setattr(forward, "plan", plan)
    monkeypatch.setattr(model, "log_probs", spy)
    scoring.score(set_of_all, [model], measures=SENTENCE | TARGET)
    largest = set_of_all.items.groupby("frame")["context"].nunique().max()
    assert sum(n_contexts for n_contexts, _ in planned) == len(set_of_all.contexts)
    for (n_contexts, n_sequences), own in zip(planned, run, strict=True):
        assert n_contexts < part + largest
        assert max(Counter(own).values()) == 1
        assert len(own) == n_sequences


def test_pseudo_log_likelihood_runs_batches_and_not_a_pass_a_piece(
    loaded: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen sentences of two lengths: one pass, over what is distinct once a piece is masked.

    [MASK] was b: 4, a [MASK] b: 8, a was [MASK]: 2; and 4 + 8 + 8 + 2 with a word more.
    """
    model = loaded["roberta"].model
    calls: list[int] = []
    log_probs = model.log_probs

    def spy(batch: Sequence[Ids], places: Sequence[tuple[int, int]]) -> Numbers:
        calls.append(len(batch))
        return log_probs(batch, places)

    monkeypatch.setattr(model, "log_probs", spy)
    pairs = [
        (f"{a} was {b}", f"{a} was very {b}") for a in ("he", "she") for b in tiny.WORDS[88:92]
    ]
    scoring.score(sentences(*pairs), [model], measures=frozenset({"pll"}))
    assert calls == [(4 + 8 + 2) + (4 + 8 + 8 + 2)]

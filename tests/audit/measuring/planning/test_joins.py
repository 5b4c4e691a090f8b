"""What is joined over several contexts is the same however a set is cut, or counted as lost."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.planning.joins import lost_joins
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.values import NOT_JOINED
from maskaudit.probes.expand import BLEACHED, Expanded, from_rows
from maskaudit.probes.joined_frames import joined_frames
from tests import estimator_oracles as oracles
from tests import oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

GROUPS = {"women": ("woman", "girl"), "men": ("man", "boy"), "all": ("person",)}
POOLINGS = ("cls", "mean", "first")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny checkpoint."""
    return tiny.build(tmp_path_factory.mktemp("joins") / "bert", "bert")


@pytest.fixture(scope="module")
def model(folder: Path) -> models.LoadedModel:
    """Return it as the program loads it."""
    return models.load(str(folder))


def frames_of(uses: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return items of these contexts and frames."""
    return pd.DataFrame(uses, columns=["context", "frame"])


# Which frames hang together


@pytest.mark.parametrize("seed", range(20))
def test_frames_are_joined_exactly_where_a_chain_of_shared_contexts_links_them(seed: int) -> None:
    """The oracle follows the links one by one; the order of the items decides nothing."""
    rng = np.random.default_rng(seed)
    uses = [
        (f"c{rng.integers(30)}", f"f{rng.integers(12):02}") for _ in range(int(rng.integers(1, 40)))
    ]
    contexts = {frame: {c for c, f in uses if f == frame} for _, frame in uses}
    linked = {frame: {frame} for frame in contexts}
    for _ in contexts:
        for one, other in permutations(contexts, 2):
            if contexts[one] & contexts[other]:
                linked[one] |= linked[other]
    found = joined_frames(frames_of(uses))
    assert found.to_dict() == {frame: min(own) for frame, own in linked.items()}
    shuffled = [uses[i] for i in rng.permutation(len(uses))]
    assert joined_frames(frames_of(shuffled)).to_dict() == found.to_dict()


def test_parts_hold_whole_components_and_every_context_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frames that share no context are cut as they come; those that do stay together."""
    monkeypatch.setattr(scoring, "PART", 3)
    rows = [
        {"probe_set": "s", "frame": frame, "text": f"{text} is a [MASK].", "slot": 0, "target": "x"}
        for frame, texts in (("a", "AB"), ("b", "CD"), ("c", "AE"), ("d", "FG"), ("e", "HI"))
        for text in texts
    ]
    parts = list(scoring.parts_of(from_rows(iter(rows))))
    assert [sorted(set(part.items["frame"])) for part in parts] == [["a", "c"], ["b", "d"], ["e"]]
    every = [context for part in parts for context in part.contexts["context"]]
    assert len(every) == len(set(every)) == 9


# Words


def word_tests(n_words: int = 300, n_tests: int = 14) -> dict[str, dict[str, list[str]]]:
    """Return tests of four word sets each, drawn from one list of made-up words, all of it used."""
    letters = tiny.LETTERS
    pool = [
        a + b + c for a, b, c in zip(letters * 12, letters[5:] * 15, letters[9:] * 18, strict=False)
    ]
    pool = list(dict.fromkeys(pool))[:n_words]
    assert len(pool) == n_words
    rng = np.random.default_rng(3)
    sizes = {"x": 9, "y": 8, "a": 7, "b": 6}
    tests, unused = {}, list(pool)
    for number in range(n_tests):
        # Half of the words are new, half were in any test: that is how published sets share words.
        fresh, unused = unused[:23], unused[23:]
        rest = [word for word in rng.permutation(pool).tolist() if word not in fresh]
        words = (fresh + rest)[: sum(sizes.values())]
        words = rng.permutation(words).tolist()
        cuts = np.cumsum(list(sizes.values()))[:-1]
        tests[f"test-{number}"] = {
            side: part.tolist()
            for side, part in zip(sizes, np.split(np.array(words), cuts), strict=True)
        }
    return tests


def word_set(tests: dict[str, dict[str, list[str]]]) -> Expanded:
    """Return the tests as a set of the kind `words`."""
    rows = (
        {"probe_set": "weat", "kind": "words", "axis": "several", "frame": test, "role": "probe",
         "variant": variant, "group": side.upper() if side in "xy" else "",
         "class": side.upper() if side in "ab" else "", "term": word,
         "text": text.format(word=word), "slot": None, "target": word}
        for test, sets in tests.items()
        for side, words in sets.items()
        for word in words
        for variant, text in enumerate(BLEACHED)
    )  # fmt: skip
    return from_rows(rows)


def seat(expanded: Expanded, model: models.LoadedModel) -> dict[tuple[str, str], float]:
    """Return the effect sizes by test and pooling."""
    scored = scoring.score(expanded, [model], measures=frozenset({"state"}))
    assert lost_joins(expanded.items, expanded.contexts, scored.paired, ["candidate"]) == []
    design = Design("weat", "several", None, "none", {})
    found = estimate(expanded.items, scored.scores, [design], paired=scored.paired).estimates
    return {
        (row["slice"].removeprefix("class="), row["estimator"].removeprefix("seat_")): row[
            "estimate"
        ]
        for row in found.to_dict("records")
    }


@pytest.mark.slow
def test_word_sets_of_over_a_thousand_contexts_give_what_each_test_gives_alone(
    folder: Path, model: models.LoadedModel
) -> None:
    """The oracle reads one sentence at a time with transformers; nothing is NaN or missing."""
    tests = word_tests()
    expanded = word_set(tests)
    assert len(expanded.contexts) > scoring.PART
    assert expanded.contexts["context"].nunique() * 1.3 < len(expanded.items)
    found = seat(expanded, model)
    assert set(found) == {(test, pooling) for test in tests for pooling in POOLINGS}
    plain, tokenizer = oracle.load(folder)
    texts = [sentence.format(word="[MASK]") for sentence in BLEACHED]
    for number, (test, words) in enumerate(tests.items()):
        alone = seat(word_set({test: words}), model)
        for pooling in POOLINGS:
            assert found[test, pooling] == pytest.approx(alone[test, pooling], abs=1e-5)
        pooling = POOLINGS[number % 3]
        sets = oracles.seat_sets(plain, tokenizer, texts, words, pooling)
        assert found[test, pooling] == pytest.approx(oracles.weat_effect_size(sets), abs=1e-4)


def test_a_word_that_lacks_a_sentence_has_no_cosine_and_is_counted(
    model: models.LoadedModel,
) -> None:
    """A mean over the sentences that are left would be another number; both models lose it."""
    sets = {"x": ["nurse", "cook"], "y": ["lawyer", "doctor"], "a": ["good"], "b": ["bad", "kind"]}
    expanded = word_set({"one": sets})
    unreadable = {
        f"{start} is {word}.": f"{start} {tiny.UNWRITABLE} {word}."
        for start, word in (("Here", "nurse"), ("That", "bad"))
    }
    broken = expanded.contexts["text"].replace(unreadable)
    part = Expanded(expanded.contexts.assign(text=broken), expanded.items)
    scored = scoring.score(part, [model, model], measures=frozenset({"state"}))
    word_of = dict(zip(part.items["context"], part.items["term"], strict=True))
    pairs = {(word_of[c], word_of[o])
             for c, o in zip(scored.paired["context"], scored.paired["other_context"], strict=True)
             if o}  # fmt: skip
    assert pairs == {(x, a) for x in ("cook", "lawyer", "doctor") for a in ("good", "kind")}
    lost = lost_joins(part.items, part.contexts, scored.paired, ["reference", "candidate"])
    # Of 4 x 3 pairs, 3 have the nurse, 4 have bad, 1 has both.
    assert [(row.model, row.status, row.items) for row in lost] == [
        ("reference", NOT_JOINED, 6), ("candidate", NOT_JOINED, 6)
    ]  # fmt: skip
    assert {"nurse", "bad"} <= set(lost[0].examples)


# Groups


def group_rows(frames: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield rows of a set with the group in the context."""
    for frame, text in frames.items():
        for group, terms in GROUPS.items():
            for term in terms:
                yield {"probe_set": "s", "kind": "completions", "axis": "gender", "frame": frame,
                       "variant": 0, "role": "probe", "group": group, "term": term,
                       "text": text.format(term), "slot": 0, "target": ""}  # fmt: skip


def distances(found: scoring.Scored) -> dict[tuple[str, str], float]:
    """Return the distances of groups by measure and by what they join."""
    rows = found.paired[found.paired["joined"] != ""]
    return {(row["measure"], row["joined"]): row["value"] for row in rows.to_dict("records")}


def test_frames_that_share_sentences_have_their_distances_each(
    folder: Path, model: models.LoadedModel
) -> None:
    """A frame of other sentences beside shared ones is compared too, by the oracle's numbers."""
    rows = list(group_rows({"one": "The {} is [MASK]."}))
    second = [{**row, "frame": "two"} for row in rows if row["term"] in {"girl", "man", "person"}]
    expanded = from_rows(iter([*rows, *second]))
    scored = scoring.score(expanded, [model])
    found = distances(scored)
    plain, tokenizer = oracle.load(folder)
    frames = [GROUPS, {"women": ("girl",), "men": ("man",), "all": ("person",)}]
    slow: dict[str, list[float]] = {"jsd_groups": [], "tv_groups": []}
    for groups in frames:
        for pair in combinations(groups.values(), 2):
            p, q = (
                np.log(np.exp(np.array(oracles.group_distributions(
                    plain, tokenizer, [f"The {term} is [MASK]." for term in terms], 0
                ))).mean(0)).tolist()
                for terms in pair
            )  # fmt: skip
            slow["jsd_groups"].append(oracles.jsd([p, q]))
            slow["tv_groups"].append(oracles.tv([p, q]))
    # Each has a row of its own: six different pairs of distributions by two measures.
    for measure, values in slow.items():
        own = [value for (name, *_), value in found.items() if name == measure]
        assert sorted(own) == pytest.approx(sorted(values), abs=1e-5)
    assert lost_joins(expanded.items, expanded.contexts, scored.paired, ["candidate"]) == []


def test_a_group_that_lacks_a_sentence_is_not_compared_and_is_counted(
    model: models.LoadedModel,
) -> None:
    """The other two groups are; which pairs of groups are lost is told."""
    expanded = from_rows(group_rows({"one": "The {} is [MASK].", "two": "Is the {} [MASK]?"}))
    text = expanded.contexts["text"].replace(
        "The boy is [MASK].", f"The {tiny.UNWRITABLE} is [MASK]."
    )
    part = Expanded(expanded.contexts.assign(text=text), expanded.items)
    scored = scoring.score(part, [model])
    assert len(distances(scored)) == 2 * (1 + 3)
    lost = lost_joins(part.items, part.contexts, scored.paired, ["candidate"])
    assert [(row.group, row.items, row.status) for row in lost] == [
        ("women/men", 1, NOT_JOINED), ("men/all", 1, NOT_JOINED)
    ]  # fmt: skip
    assert lost[0].examples == ["boy", "girl", "man", "woman"]


def test_a_model_without_states_has_lost_no_joins_one_by_one() -> None:
    """That it gives none is said once, with the reason; the other model's are counted."""
    rows = [
        {"probe_set": "w", "kind": "words", "frame": "t", "text": f"This is {word}.", "slot": None,
         "group": side if side in "XY" else "", "class": side if side in "AB" else "",
         "term": word, "target": word}
        for side, word in zip("XYAB", ("nurse", "doctor", "he", "she"), strict=True)
    ]  # fmt: skip
    part = from_rows(iter(rows))
    asked = (part.items, part.contexts, tables.table("paired", []), ["reference", "candidate"])
    assert [row.model for row in lost_joins(*asked)] == ["reference", "candidate"]
    assert [row.model for row in lost_joins(*asked, ["candidate"])] == ["reference"]

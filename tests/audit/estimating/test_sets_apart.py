"""What is audited beside a set changes none of its numbers, whichever sentences both have."""

from collections.abc import Iterator, Sequence
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
from maskaudit.audit.recording.rows import group_pairs
from maskaudit.probes.expand import BLEACHED, Expanded, from_rows
from tests import estimator_oracles as oracles
from tests import oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

GROUPS = {"women": ("woman", "girl", "mother"), "men": ("man", "boy", "father"), "all": ("person",)}
JOBS = ("nurse", "lawyer", "cook", "doctor")
TEXTS = ("The {} worked as a [MASK].", "We think the {} is a [MASK].", "They met the {} [MASK].",
         "The {} is here as a [MASK].")  # fmt: skip
KINDS = ("association", "completions", "crossed", "cloze", "words", "triples", "pairs")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two tiny checkpoints of one vocabulary."""
    root = tmp_path_factory.mktemp("apart")
    return [tiny.build(root / str(seed), "bert", seed=seed) for seed in range(2)]


@pytest.fixture(scope="module")
def pair(folders: Sequence[Path]) -> list[models.LoadedModel]:
    """Return them as the program loads them."""
    return [models.load(str(folder)) for folder in folders]


def some(rng: np.random.Generator, words: Sequence[str], least: int = 1) -> list[str]:
    """Return some of the words in some order."""
    return rng.permutation(words)[: rng.integers(least, len(words) + 1)].tolist()


def of_groups(rng: np.random.Generator, kind: str) -> Iterator[dict[str, Any]]:
    """Yield rows of frames that name groups, with some of the terms and of the jobs of all sets."""
    chosen = {group: some(rng, terms) for group, terms in GROUPS.items()}
    jobs = some(rng, JOBS, least=2) if kind == "association" else [""]
    for frame, text in enumerate(TEXTS):
        for group in rng.permutation(list(chosen)).tolist():
            for term in chosen[group]:
                for number, job in enumerate(jobs):
                    yield {"frame": f"f{frame}", "group": group, "term": term, "attribute": job,
                           "class": f"c{number % 2}" if job else "", "text": text.format(term),
                           "slot": 0, "target": job}  # fmt: skip


def crossed(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield rows with the group at the mask, and priors."""
    for frame, text in enumerate(TEXTS):
        for number, job in enumerate(JOBS[: rng.integers(2, 5)]):
            for group, term in (("women", "she"), ("men", "he")):
                cell = {"frame": f"f{frame}", "group": group, "term": term, "attribute": job,
                        "class": f"c{number % 2}", "slot": 0, "target": term}  # fmt: skip
                asked = text.replace("[MASK]", job).replace("{}", "[MASK]")
                yield {**cell, "text": asked}
                yield {**cell, "text": text.replace("{}", "[MASK]"), "role": "prior"}


def cloze(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield facts about the sentences of the other sets, some with two answers."""
    for number, text in enumerate(TEXTS):
        for term in some(rng, GROUPS["women"]):
            for answer in some(rng, JOBS)[:2]:
                yield {"frame": f"{number}-{term}", "class": term, "label": "right",
                       "text": text.format(term), "slot": 0, "target": answer,
                       "attribute": answer}  # fmt: skip


def words(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield two tests of word sets that share words."""
    for test in ("one", "two"):
        for side, side_words in zip("XYAB", np.array_split(rng.permutation(
            [*JOBS, *GROUPS["women"], *GROUPS["men"], "good", "kind", "rich"]), 4), strict=True
        ):  # fmt: skip
            for word in side_words.tolist()[: rng.integers(2, 4)]:
                for variant, text in enumerate(BLEACHED):
                    yield {"frame": test, "variant": variant, "term": word, "target": word,
                           "group": side if side in "XY" else "", "slot": None,
                           "class": side if side in "AB" else "",
                           "text": text.format(word=word)}  # fmt: skip


def triples(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield items of three candidates at the slots of the other sets."""
    for number, text in enumerate(TEXTS):
        candidates = rng.permutation(JOBS).tolist()[:3]
        for label, word in zip(("stereotype", "anti", "unrelated"), candidates, strict=True):
            yield {"pair": str(number), "frame": str(number), "label": label, "cluster": "woman",
                   "class": "gender", "text": text.format("woman"), "slot": 0,
                   "target": word}  # fmt: skip


def pairs(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield pairs of whole sentences."""
    for number, text in enumerate(TEXTS):
        job = str(rng.choice(JOBS[:2]))
        texts = [text.replace("[MASK]", job).format(term) for term in ("woman", "man")]
        for label, one, partner in zip(("stereotype", "anti"), texts, texts[::-1], strict=True):
            yield {"pair": str(number), "frame": str(number), "label": label, "class": "gender",
                   "text": one, "partner": partner, "slot": None, "target": ""}  # fmt: skip


def drawn(kind: str, seed: int) -> Expanded:
    """Return a set of this kind, with some of the words and sentences that all sets draw from."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    makers = {"crossed": crossed, "cloze": cloze, "words": words, "triples": triples,
              "pairs": pairs}  # fmt: skip
    rows = makers[kind](rng) if kind in makers else of_groups(rng, kind)
    common = {"probe_set": f"{kind}-{seed}", "axis": "gender", "variant": 0, "role": "probe",
              "kind": "association" if kind == "crossed" else kind}  # fmt: skip
    return from_rows({**common, **row} for row in rows)


def numbers(parts: Sequence[Expanded], pair: Sequence[models.LoadedModel]) -> pd.DataFrame:
    """Return all estimates of the sets when they are audited together."""
    scored = scoring.score_all(parts, pair, lambda _name, _done, _all: None)
    designs = [
        Design(part.items["probe_set"].iloc[0], "gender", ("c0", "c1"), "lean", {})
        for part in parts
    ]
    items = pd.concat([part.items for part in parts], ignore_index=True)
    found = estimate(items, scored.scores, designs, scored.fills, scored.paired)
    lost = lost_joins(items, scoring.contexts(parts), scored.paired, ["reference", "candidate"])
    assert lost == []
    # This one column is adjusted for all sets of the record, by its definition.
    return found.estimates.drop(columns="p_adjusted")


@pytest.mark.slow
def test_a_set_has_the_same_numbers_alone_and_beside_others_that_share_its_sentences(
    pair: Sequence[models.LoadedModel],
) -> None:
    """Of every kind, whatever the order of the sets; only batches differ, so the last bits may."""
    parts = [drawn(kind, n) for kind in KINDS for n in range(2)]
    order = np.random.default_rng(5).permutation(len(parts))
    together = numbers([parts[i] for i in order], pair)
    names = set()
    for part in parts:
        alone = numbers([part], pair)
        name = part.items["probe_set"].iloc[0]
        beside = together[together["probe_set"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(beside, alone, atol=1e-5, rtol=1e-4)
        names |= set(alone["estimator"])
    assert {"jsd_groups", "tv_groups", "jsd_targets", "kl", "log_odds", "lpbs", "accuracy@1",
            "disco", "mrr", "seat_mean", "ss", "crows_nangia", "aula",
            "slope"} <= names  # fmt: skip
    contexts = pd.concat([part.contexts for part in parts])
    assert contexts["context"].duplicated().sum() > 20


def test_two_sets_that_begin_a_pair_with_the_same_sentences_have_their_own_distances(
    pair: Sequence[models.LoadedModel], folders: Sequence[Path]
) -> None:
    """The oracle joins the sentences of each set by itself; neither set takes the other's row."""
    chosen = {"first": (("woman", "girl"), ("man",)), "second": (("woman", "mother"), ("man",)),
              "third": (("woman",), ("man",))}  # fmt: skip
    text = TEXTS[0]
    parts = [
        from_rows(
            {"probe_set": name, "kind": "completions", "axis": "gender", "frame": "f", "variant": 0,
             "role": "probe", "group": group, "term": term, "text": text.format(term), "slot": 0,
             "target": ""}
            for group, terms in zip(("women", "men"), sides, strict=True)
            for term in terms
        )
        for name, sides in chosen.items()
    ]  # fmt: skip
    scored = scoring.score_all(parts, pair[:1], lambda _name, _done, _all: None)
    plain, tokenizer = oracle.load(folders[0])
    for name, part in zip(chosen, parts, strict=True):
        rows = group_pairs.of_set(scored.paired, part.items, part.items["context"])
        means = [
            np.log(np.exp(np.array(oracles.group_distributions(
                plain, tokenizer, [text.format(term) for term in terms], 0
            ))).mean(0)).tolist()
            for terms in chosen[name]
        ]  # fmt: skip
        values = dict(zip(rows["measure"], rows["value"], strict=True))
        assert values == {
            "jsd_groups": pytest.approx(oracles.jsd(means), abs=1e-5),
            "tv_groups": pytest.approx(oracles.tv(means), abs=1e-5),
        }


def test_words_that_are_read_alike_weigh_once_in_the_mean_of_their_group(
    pair: Sequence[models.LoadedModel], folders: Sequence[Path]
) -> None:
    """Two spellings of a name, of which the tokenizer makes one, are one sentence of the group."""
    spellings = ["zoë", "zoe", "woman"]
    part = drawn("completions", 0)
    rows = [{"group": "women", "term": term, "text": TEXTS[0].format(term)} for term in spellings]
    rows.append({"group": "men", "term": "man", "text": TEXTS[0].format("man")})
    common = part.items.iloc[0][["probe_set", "kind", "axis", "role", "variant"]].to_dict()
    part = from_rows({**common, **row, "frame": "f", "slot": 0, "target": ""} for row in rows)
    scored = scoring.score(part, pair[:1])
    plain, tokenizer = oracle.load(folders[0])
    assert tokenizer("zoë")["input_ids"] == tokenizer("zoe")["input_ids"]
    means = [
        np.log(np.exp(np.array(oracles.group_distributions(
            plain, tokenizer, [TEXTS[0].format(term) for term in terms], 0
        ))).mean(0)).tolist()
        for terms in (("zoe", "woman"), ("man",))
    ]  # fmt: skip
    found = scored.paired.set_index("measure")["value"]
    assert found["jsd_groups"] == pytest.approx(oracles.jsd(means), abs=1e-6)
    once = part.items[part.items["term"] != "zoë"]
    contexts = part.contexts[part.contexts["context"].isin(once["context"])]
    without = scoring.score(Expanded(contexts, once), pair[:1]).paired.set_index("measure")["value"]
    assert found["tv_groups"] == pytest.approx(without["tv_groups"], abs=1e-9)

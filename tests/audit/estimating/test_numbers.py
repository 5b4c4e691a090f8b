"""The registry of numbers against records: what they hold is in it, and what is in it they hold."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maskaudit import load_record
from maskaudit.audit.estimating import numbers
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate, kept
from maskaudit.audit.estimating.estimators.catalogue import ALL, GROUP
from maskaudit.audit.estimating.registry.entries import DERIVED
from maskaudit.audit.estimating.registry.entry import FURTHER
from maskaudit.audit.estimating.registry.names import as_trials, between, is_ties, without_groups
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.proving.selftest import exact
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.bundles import CORE, files_of_several
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped
from tests import estimate_oracles, tiny
from tests.audit.estimating import test_bounded
from tests.audit.estimating.facts import test_choices, test_consistency, test_drops
from tests.audit.estimating.test_controls import with_controls
from tests.audit.estimating.test_estimators import LEXICON, design_of, every_kind
from tests.audit.estimating.test_several_groups import FOUND as THREE_GROUPS
from tests.audit.estimating.test_sharpness import THREE, keyed
from tests.audit.estimating.texts import drawn
from tests.audit.proving.selftest.test_properties import SIGNED, SQUARES
from tests.estimate_oracles import MANY, items_of
from tests.reports import records

ROOT = Path(__file__).resolve().parents[3]
# The estimators of cells have their rows in docs/method.md too.
OF_CELLS = [numbers.find(part.name) for part in GROUP]
VERSIONS = sorted((ROOT / "examples" / "versions" / "records").iterdir())
pytestmark = pytest.mark.usefixtures("one_thread")


def first_frames(probe_set):
    """Expand a few frames of a set, enough for a slope: a number's name does not depend on more."""
    part = expand(probe_set.model_copy(update={"frames": probe_set.frames[:12]}))
    own = part.items[part.items["frame"].isin(part.items["frame"].unique()[:12])]
    return replace(part, items=own, contexts=part.contexts.merge(own[["context"]]))


def made_up(part, rng):
    """Return scores that no model gave, and distances of two models, for one set."""
    items = part.items.drop_duplicates("item")["item"]
    scores = pd.concat(
        pd.DataFrame({"item": items, "model": model, "measure": "logp", "status": "ok",
                      "value": rng.normal(-6, 1, len(items)), "rank": 2, "pieces": 1})
        for model in ("reference", "candidate")
    )  # fmt: skip
    contexts = part.contexts["context"]
    of_pair = [(m, "reference", "candidate") for m in ("kl", "jsd", "tv", "top1", "agreement@10")]
    paired = pd.concat(
        pd.DataFrame({"context": contexts, "model": model, "measure": measure,
                      "other_context": contexts if other else "", "other_model": other,
                      "value": rng.uniform(size=len(contexts))})
        for measure, model, other in [*of_pair, ("entropy", "reference", "")]
    )  # fmt: skip
    return scores, paired


@pytest.fixture(scope="module")
def default():
    """Return the estimates of the sets of `core` and of one with factors, on drawn scores."""
    rng = np.random.default_rng(0)
    files = [*files_of_several(CORE), shipped()["gender-race-name"]]
    parts = [(probe_set, first_frames(probe_set)) for probe_set in map(load, files)]
    drawn = [made_up(part, rng) for _, part in parts]
    scores, paired = (pd.concat(own).drop_duplicates(own[0].columns[:3]) for own in
                      zip(*drawn, strict=True))  # fmt: skip
    designs = [
        Design(p.header.name, p.header.axis, p.header.contrast and tuple(p.header.contrast),
               p.header.expect, {"probe_set": p.header.name, "items": ""},
               plain=tuple(p.header.plain), factors=p.factors)
        for p, _ in parts
    ]  # fmt: skip
    return estimate(
        pd.concat([part.items for _, part in parts], ignore_index=True),
        tables.table("scores", scores.to_dict("records")),
        designs,
        paired=tables.table("paired", paired.to_dict("records")),
    ).estimates


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return the estimates of pairs, triples, completions, facts and word sets, by tiny models."""
    root = tmp_path_factory.mktemp("models")
    pair = [models.load(str(tiny.build(root / str(seed), "bert", seed))) for seed in (1, 2)]
    parts = every_kind()
    scored = scoring.score_all(parts, pair, lambda _name, _done, _all: None)
    items = pd.concat([part.items for part in parts], ignore_index=True)
    designs = [design_of(part) for part in parts]
    return estimate(items, scored.scores, designs, scored.fills, scored.paired, LEXICON).estimates


@pytest.fixture(scope="module")
def shared_world():
    """Return the estimates of sets with the world's shares, with names and many clusters."""
    jobs = records.with_shares(records.jobs(frames=20), neutral=True)
    sets = [jobs, records.people(terms=5), records.pairs(), records.triples()]
    return records.record(sets, further=0.1).estimates


@pytest.fixture(scope="module")
def faceted():
    """Return the estimates of a set with styles, families, variants and terms."""
    families = {word: f"k{int(word[1:]) % 4}" for own in MANY.values() for word in own}
    words = list(families)
    shares = dict(zip(words, np.linspace(0.03, 0.96, len(words)), strict=True))
    items = items_of(
        classes=MANY, n_frames=30, n_variants=2, styles="abcde", families=families, shares=shares
    )
    uses = {word: 1.0 + number % 5 for number, word in enumerate(words)}
    pieces = [
        {"probe_set": "one", "attribute": word, "model": model, "pieces": 1 + number % 3}
        for number, word in enumerate(words)
        for model in estimate_oracles.PAIR
    ]
    return estimate(
        items.assign(frequency=items["attribute"].map(uses)),
        estimate_oracles.scores_of(items),
        [estimate_oracles.design()],
        attributes=tables.table("attributes", pieces),
        wanted=lambda _name: True,
    ).estimates


@pytest.fixture(scope="module")
def beyond():
    """Return the estimates of sets with contrasts of controls and a signal, and of benign ones."""
    banked, _ = with_controls()
    names = ("two", "sea", "sun")
    others = [items_of(classes=MANY, n_frames=14, n_variants=1, name=name) for name in names]
    # Two sets that share attributes, and one of three groups.
    others.append(items_of(THREE, MANY, n_frames=14, n_variants=1, name="three"))
    parts = [banked, *others]
    scores = [estimate_oracles.scores_of(part, inherits=1.3, noise=0.2) for part in parts]
    designs = [keyed("one"), keyed("two"), *(keyed(name, expect="benign") for name in names[1:])]
    designs.append(keyed("three", directions={"first": "women", "second": "men"}))
    paired = estimate_oracles.paired_of(pd.concat(parts))
    # The candidate is surer of itself: its leans are larger and its places less open.
    is_own = (paired["measure"] == "entropy") & (paired["model"] == "candidate")
    paired["value"] = paired["value"] - 2.0 * is_own
    return estimate(
        pd.concat(parts),
        pd.concat(scores),
        designs,
        paired=paired,
        wanted=lambda name: kept(name) or name == "convergence_sets",
    ).estimates


@pytest.fixture(scope="module")
def kinds():
    """Return the estimates of facts that are asked in several kinds of sentence."""
    made = [
        test_drops.estimated(test_drops.drawn(0), "plain"),
        test_consistency.estimated(*test_consistency.drawn(0)),
        test_choices.estimated(test_choices.drawn(0), "plain"),
    ]
    return pd.concat([part.estimates for part in made])


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Return the estimates of masked text in two groups, with a causal model's nats."""
    return drawn.estimated(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="module")
def bounds():
    """Return the estimates of a set in censored grade."""
    items = estimate_oracles.items_of(priors=False)
    scores = test_bounded.censored(estimate_oracles.scores_of(items), set())
    return test_bounded.made(items, scores).estimates


@pytest.fixture(scope="module")
def held(default, published, shared_world, faceted, beyond, kinds, texts, bounds):  # noqa: PLR0913, PLR0917
    """Return the estimates of every record of this file in one table."""
    stored = [load_record(path).estimates for path in VERSIONS]
    made = [default, published, shared_world, faceted, beyond, kinds, texts, bounds]
    made.append(THREE_GROUPS)
    return pd.concat([*made, *stored], ignore_index=True)


@pytest.mark.slow
def test_every_number_of_a_record_is_known_and_every_known_number_is_of_a_record(held):
    """In both directions, whichever set made it; groups in a name say nothing of the number."""
    made = {without_groups(name) for name in held["estimator"]}
    assert made == {entry.name for entry in numbers.every()}
    assert len(numbers.every()) == len(made)
    assert all(numbers.find(name) is not None for name in held["estimator"].unique())


@pytest.mark.slow
def test_a_number_is_tested_against_the_null_value_of_its_entry(held):
    """The one in the table, of a model and of the two together; a difference is held against 0.

    What chance alone gives of likeness depends on the set, and is no fixed number.
    """
    by_chance = held["estimator"].isin(
        ["style_q", "benign_q", "frames_alike", "attributes_alike", "choice_accuracy"]
    )
    of_models = held["subject"] != "difference"
    tested = by_chance & held["null_value"].notna() & of_models
    assert (held.loc[tested, "null_value"] > 0).all()
    held = held[~by_chance]
    alone = held[(held["subject"] != "difference") & held["null_value"].notna()]
    names = alone["estimator"].map(without_groups)
    found = {name: set(own) for name, own in alone.groupby(names)["null_value"]}
    expected = {entry.name: {entry.null} for entry in numbers.every() if not math.isnan(entry.null)}
    # Of the difference alone.
    del expected["contrast_beyond_sharpness"], expected["against_rest_beyond_sharpness"]
    assert found == expected
    changes = held.loc[held["subject"] == "difference", "null_value"].dropna()
    assert set(changes) == {0.0}


@pytest.mark.slow
def test_a_number_is_of_the_pair_and_of_the_modes_that_its_entry_says(held):
    """Subject `relation` and mode, as the table has them; a kind of set as it is registered."""
    for name, own in held.groupby(held["estimator"].map(without_groups)):
        entry = numbers.find(name)
        assert {subject == "relation" for subject in own["subject"]} == {entry.of_pair}, name
        assert set(own["mode"]) == set(entry.modes), name
        if entry.of_pair or as_trials(name):
            continue
        found = own.groupby(["probe_set", "slice"])["subject"].agg(frozenset)
        named = {"all": {"difference", "candidate"}, "models": {"candidate"},
                 "difference": {"difference"}}[entry.subjects]  # fmt: skip
        # Some records are of one model, which has no difference.
        assert set.union(*map(set, found)) - {"reference"} == named, name


def test_directions_and_powers_are_those_that_tests_of_behaviour_write_by_hand():
    """What is negated when groups change places, what grows with the scores and with their square.

    Tests of estimates hold each of these lists against numbers.
    """
    of_cells = [entry for entry in numbers.every() if "association" in entry.kinds]
    undirected = {entry.name for entry in of_cells if not entry.is_directed}
    assert undirected == estimate_oracles.UNDIRECTED
    # Those of three groups and more are held by `test_several_groups`, those of contrasts of
    # other frames and terms by `test_estimate`, those of controls and sharpness by their tests.
    elsewhere = {"style_contrast", "contrast_other_styles", "contrast_without_term"}
    elsewhere |= {"control_contrast", "contrast_calibrated", "contrast_beyond_sharpness"}
    assert {*SIGNED, *elsewhere, "paraphrase_shift"} == exact.EFFECTS
    assert {*SQUARES, "group_spread"} == exact.SQUARES
    assert not any(entry.is_directed for entry in numbers.every() if entry not in of_cells)


ENDS = ("least", "most")


def test_harm_lies_up_in_contrasts_magnitudes_their_ratios_and_the_world_s_slope_alone():
    """For every other number a gate has to say it; an unknown contrast is one all the same."""
    harmful = {"stereotype_contrast", "stereotype_contrast_lpbs", "association", "magnitude"}
    harmful |= {"log_kappa", "log_magnitude_ratio", "world_slope"}
    harmful |= {"stereotype_against_rest", "against_rest_beyond_sharpness", "group_spread"}
    harmful |= {"accuracy_drop@1", "choice_accuracy_drop"}
    # Contrasts of other frames, classes and terms, and with covariates held equal.
    directed = {"style_contrast", "contrast_other_styles", "contrast_without_term"}
    directed |= {"contrast_adjusted", "contrast_matched", "contrast_by_length"}
    directed |= {"contrast_calibrated", "contrast_beyond_sharpness"}
    harmful |= {*directed, "contrast_at_cut", "log_kappa_beyond"}
    # Both ends of contrasts that have bounds.
    harmful |= {f"{name}_at_{end}" for name in ("contrast", "share_contrast") for end in ENDS}
    assert {entry.name for entry in numbers.every() if entry.harm} == harmful
    assert {numbers.harm_of(name) for name in harmful} == {"up"}
    assert numbers.harm_of("stereotype_contrast_of_tomorrow") == "up"
    assert numbers.harm_of("tomorrow") is None
    leans = {entry.name for entry in numbers.every() if numbers.is_harmful_lean(entry.name)}
    assert leans == {"stereotype_contrast", "stereotype_contrast_lpbs", *directed}
    assert not numbers.is_harmful_lean("stereotype_contrast_of_tomorrow")
    assert numbers.LOG_RATIO == {"association": "log_kappa", "magnitude": "log_magnitude_ratio"}


def test_a_name_with_more_in_it_is_that_of_its_number():
    """Groups, limits and ties; defined under the estimator that makes it."""
    assert numbers.find(between("log_odds", "women", "men")) is numbers.find("log_odds")
    assert numbers.find("tomorrow") is numbers.defined_under("tomorrow") is None
    expected = {"pll_ties": "pll", "pll_wilson": "pll", "pll_exact": "pll", "icat": "stereoset"}
    expected |= {"honest@5": "honest", "honest": "honest", "slope": "slope", "kl": "kl"}
    found = {name: numbers.defined_under(name).name for name in expected}
    assert found == expected
    assert {entry.estimator for entry in numbers.every()} == {"", *(part.name for part in ALL)}
    ties = [entry for entry in numbers.every() if is_ties(entry.name)]
    assert {entry.definition for entry in ties} == {"Pairs whose sides tie, in % of all pairs."}


def test_every_entry_says_what_it_is_and_what_it_hides():
    """Sentences, a unit or how a page writes it, and a kind of set."""
    for entry in numbers.every():
        assert re.fullmatch(r"[\w(ΦΣ].*\.", entry.definition, re.DOTALL), entry.name
        assert re.fullmatch(r"[A-Z].*\.", entry.does_not_show, re.DOTALL), entry.name
        assert entry.unit or entry.form, entry.name
        assert entry.kinds, entry.name


def row_of(entry):
    """Return the row of docs/method.md about a number."""
    formula = f" {entry.formula}." if entry.formula else ""
    judged = entry.judged.replace("change by ", "change by `") + "`" * bool(entry.log_ratio)
    cells = (f"`{entry.name}`", entry.unit or entry.form, entry.definition + formula, judged,
             entry.does_not_show)  # fmt: skip
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def test_the_tables_of_the_method_say_of_each_number_what_the_registry_says():
    """Every number from cells and first fills, and the estimators of cells, has its row; no other.

    A row that is missing is printed as it should be.
    """
    text = (ROOT / "docs" / "method.md").read_text("utf-8")
    found = [line for line in text.splitlines() if line.startswith("| `")]
    wanted = {row_of(entry) for entry in (*DERIVED.values(), *OF_CELLS)}
    assert "\n".join(sorted(wanted - set(found))) == ""
    assert set(found) == wanted


def test_the_command_lists_every_number_and_all_that_is_known_of_it(tmp_path, command):
    """A line each for people; JSON without NaN for programs."""

    def run(*words):
        done = command(tmp_path, "estimators", *words)
        assert done.returncode == 0
        return done

    lines = run().stdout.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in numbers.every()]
    assert "harm up" in lines[0]
    assert "against 0" in lines[0]
    told = {row["name"]: row for row in json.loads(run("--json").stdout)}
    assert told["association"]["judged"] == "against 0, change by log_kappa"
    assert told["log_odds"]["null"] is None
    assert told["pll"]["null"] == 50
    assert told["pll"]["modes"] == ["published", "corrected"]
    assert all(row["shown"] for row in told.values())
    assert told["jsd_groups"]["shown"] == FURTHER


@pytest.mark.parametrize(
    "module", ["maskaudit.audit.estimating.numbers", "maskaudit.audit.judging.policy"]
)
def test_names_and_policies_load_neither_scipy_nor_pandas_nor_torch(module):
    """Whoever only reads names or gates.toml does not wait for them."""
    code = f"import sys, {module}; print({{'scipy', 'pandas', 'torch'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"

"""Rows that a part asks for, of every kind of set: all there, or it is said what is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.cached import complete
from maskaudit.audit.measuring.cached.cache import TABLES
from maskaudit.audit.measuring.reading.forward import read_part
from maskaudit.probes import loading
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.importers import crows_pairs, weat
from maskaudit.probes.published import imported_folder
from tests import tiny
from tests.audit.attempts import SET

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

HEADER = ",sent_more,sent_less,stereo_antistereo,bias_type,annotations,anon_writer,anon_annotators"
PAIRS = [
    ("The old man was kind .", "The young man was kind .", "age"),
    ("The woman worked as a nurse .", "The man worked as a nurse .", "gender"),
]
WORDS = {
    "arts_2": ["farmer", "cook"], "science": ["lawyer", "doctor"],
    "male_terms_2": ["he", "his"], "female_terms_2": ["she", "her"],
}  # fmt: skip
# Contexts of a part, so that shipped and published sets are not scored whole.
PART = 30


def small(folder: Path):
    """Return an association set."""
    (folder / "small.toml").write_text(SET)
    return loading.load(folder / "small.toml")


def facts(_folder: Path):
    """Return the shipped facts."""
    return loading.load(loading.shipped()["facts"])


def pairs(folder: Path):
    """Return pairs in the layout of CrowS-Pairs."""
    rows = [f"{n},{a},{b},stereo,{kind},[],a,[]" for n, (a, b, kind) in enumerate(PAIRS)]
    (folder / "pairs.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    imported_folder.write(crows_pairs.read(folder / "pairs.csv"), folder / "pairs")
    return loading.load(folder / "pairs")


def words(folder: Path):
    """Return word sets of WEAT."""
    (folder / "words.json").write_text(json.dumps(WORDS))
    imported_folder.write(weat.read(folder / "words.json"), folder / "words")
    return loading.load(folder / "words")


KINDS = {"association": small, "facts": facts, "pairs": pairs, "words": words}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return two tiny models of one vocabulary."""
    root = tmp_path_factory.mktemp("models")
    return [load(str(tiny.build(root / str(seed), "bert", seed=seed))) for seed in (1, 2)]


Scores = tuple[dict[str, pd.DataFrame], Expanded, Mapping, frozenset[str]]


@pytest.fixture(scope="module", params=[(kind, n) for kind in KINDS for n in (1, 2)], ids=str)
def asked(request, models, tmp_path_factory) -> Scores:
    """Return the scores of a part of each kind by one or two models, and what asked for them."""
    kind, n = request.param
    whole = expand(KINDS[kind](tmp_path_factory.mktemp("sets")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "PART", PART)
        part = next(scoring.parts_of(whole))
    measures = needed(part.items["kind"].iloc[0])
    [round_] = scoring.rounds([models[:n]])
    [scored] = read_part(part, round_.groups, measures, round_.longest)
    return (
        {name: getattr(scored, name) for name in TABLES},
        part,
        dict(round_.groups[0]),
        measures,
    )


def test_what_was_just_scored_has_no_fault(asked):
    """Of one model and two, of every kind."""
    assert complete.fault(*asked) == ""


CHANGES = {
    "cut to five rows": lambda rows: rows.iloc[:5],
    "without its last row": lambda rows: rows.iloc[:-1],
    "empty": lambda rows: rows.iloc[:0],
    "a row twice": lambda rows: pd.concat([rows, rows.iloc[:1]], ignore_index=True),
    "infinite": lambda rows: rows.assign(value=np.inf),
    "one minus infinity": lambda rows: rows.assign(value=[-np.inf, *rows["value"][1:]]),
    "another item": lambda rows: rows.assign(item=["none", *rows["item"][1:]]),
    "another model": lambda rows: rows.assign(model="another"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_scores_that_were_changed_have_one(asked, change):
    """However they were changed, in form or in value."""
    tables, *rest = asked
    changed = CHANGES[change](tables["scores"])
    assert complete.fault({**tables, "scores": changed}, *rest)


@pytest.mark.parametrize("change", ["infinite", "one minus infinity", "a row twice"])
def test_distances_and_fills_that_were_changed_have_one(asked, change):
    """Both have no status that could explain a number."""
    tables, *rest = asked
    for name, column in (("paired", "value"), ("fills", "probability")):
        rows = tables[name].rename(columns={column: "value"})
        if len(rows):
            changed = CHANGES[change](rows).rename(columns={"value": column})
            assert complete.fault({**tables, name: changed}, *rest)


def test_fills_that_are_missing_are_a_fault(asked):
    """All of them, or those of one sentence."""
    tables, *rest = asked
    fills = tables["fills"]
    if len(fills):
        first = fills["context"] == fills["context"].iloc[0]
        for left in (fills.iloc[:0], fills.iloc[:-1], fills[~first]):
            assert complete.fault({**tables, "fills": left}, *rest)


def test_a_score_without_a_value_needs_a_reason(asked):
    """A status says why; words of word sets alone have neither, since they are never scored."""
    tables, *rest = asked
    scores = tables["scores"]
    if scores["value"].notna().any():
        without = scores.assign(value=np.nan)
        assert complete.fault({**tables, "scores": without}, *rest)

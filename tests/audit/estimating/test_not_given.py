"""What a set asks for and cannot be given: told beforehand, and truly not in the estimates."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.not_given import NotGiven, count_facts, of_record, of_set
from maskaudit.audit.recording.rows import tables
from tests import manifests

WOMEN_AND_MEN = ("women", "men")


def association(
    n_frames: int = 6,
    sizes: Sequence[int] = (2, 2),
    groups: Sequence[str] = WOMEN_AND_MEN,
    without: Sequence[tuple[str, str]] = (),
) -> pd.DataFrame:
    """Return a crossed set with its group at the mask; `without` are attributes lacking a group."""
    rows = [
        {"probe_set": "own", "kind": "association", "axis": "gender", "frame": f"f{frame}",
         "variant": 0, "attribute": f"a{c}{number}", "class": f"c{c}", "group": group,
         "term": group, "target": group, "role": "probe",
         "context": f"{frame}/{c}/{number}", "item": f"{frame}/{c}/{number}/{group}"}
        for frame in range(n_frames)
        for c, size in enumerate(sizes)
        for number in range(size)
        for group in groups
        if (f"a{c}{number}", group) not in without
    ]  # fmt: skip
    return tables.table("items", rows)


def completions(groups: Sequence[str] = WOMEN_AND_MEN, n_frames: int = 6) -> pd.DataFrame:
    """Return sentences that name a group, the first of them in a frame that has no other."""
    rows = [
        {"probe_set": "own", "kind": "completions", "axis": "gender", "frame": f"f{frame}",
         "group": group, "role": "probe", "context": f"{frame}/{group}", "item": f"{frame}/{group}"}
        for frame in range(n_frames)
        for group in groups
    ]  # fmt: skip
    return tables.table("items", rows)


def sides(labels: Sequence[str], n_pairs: int = 6, kind: str = "pairs") -> pd.DataFrame:
    """Return pairs or items, of which the first has only its first side."""
    rows = [
        {"probe_set": "own", "kind": kind, "axis": "several", "frame": f"{pair}", "role": "probe",
         "pair": f"{pair}", "label": label, "context": f"{pair}", "item": f"{pair}/{label}"}
        for pair in range(n_pairs)
        for label in (labels if pair else labels[:1])
    ]  # fmt: skip
    return tables.table("items", rows)


def facts(n: int) -> pd.DataFrame:
    """Return facts of one answer."""
    rows = [
        {"probe_set": "own", "kind": "cloze", "axis": "facts", "frame": f"{fact}",
         "label": "right", "role": "probe", "context": f"{fact}", "item": f"{fact}"}
        for fact in range(n)
    ]  # fmt: skip
    return tables.table("items", rows)


def words(left_out: str = "") -> pd.DataFrame:
    """Return a test of words without the words of one side."""
    rows = [
        {"probe_set": "own", "kind": "words", "axis": "several", "frame": "test", "role": "probe",
         "group": side if side in "XY" else "", "class": side if side in "AB" else "",
         "context": side, "item": side}
        for side in "XYAB"
        if side != left_out
    ]  # fmt: skip
    return tables.table("items", rows)


def told(
    items: pd.DataFrame, contrast: Sequence[str] | None = ("c0", "c1"), *, has_lexicon: bool = True
) -> list[NotGiven]:
    """Return what cannot be given."""
    return of_set(items, contrast, has_lexicon=has_lexicon)


def test_classes_that_name_their_groups_need_no_contrast() -> None:
    """They are contrasted all the same; that one of them is too small is said of it by name."""
    directions = {"c0": "women", "c1": "men"}
    assert of_set(association(), None, directions, has_lexicon=True) == []
    small = of_set(association(sizes=(1, 2)), None, directions, has_lexicon=True)
    assert any("'c0' has 1 attribute" in reason.text for reason in small)


def test_facts_of_all_sets_are_counted_for_the_verdict_on_competence() -> None:
    """Twelve alone are too few; beside thirty others they are not."""
    few = facts(12)
    [reason] = told(few)
    assert "12 facts are asked, and a verdict takes 20" in reason.text
    assert of_set(few, None, has_lexicon=True, n_facts=42) == []


def test_no_verdict_on_competence_is_asked_of_a_limitation() -> None:
    """Such a set is told nothing however few its facts, and adds none to the plain ones."""
    few = facts(12).assign(axis="limitations")
    assert told(few) == []
    assert count_facts(pd.concat([few, facts(3)])) == 3


def test_frames_that_share_their_sentences_are_counted_as_they_are_clustered() -> None:
    """Six frames in pairs of the same sentences are three for an interval."""
    items = completions(n_frames=6)
    pair = items["frame"].str.removeprefix("f").astype(int) // 2
    assert told(items) == []
    [reason] = told(items.assign(context=pair.astype(str) + "/" + items["group"]))
    assert "the set has 3 frames that share no sentence, and they take 6" in reason.text


@pytest.mark.parametrize(
    "items",
    [
        association(),
        completions(),
        sides(["stereotype", "anti"], 7).query("pair != '0'"),
        facts(20),
        words(),
    ],
)
def test_a_whole_set_is_told_nothing(items: pd.DataFrame) -> None:
    """Of any kind."""
    assert told(items) == []


@pytest.mark.parametrize(
    ("reasons", "asked", "why", "remedy"),
    [
        (told(completions(), has_lexicon=False), "honest", "none is named", "lexicon ="),
        (told(association(), None), "stereotype_contrast", "names no contrast", "contrast ="),
        (told(association(2)), "Intervals", "has 2 frames, and they take 6", "more independent"),
        (told(association(sizes=(1, 2))), "stereotype_contrast", "'c0' has 1 attribute", "add"),
        (told(association(groups=["women"])), "Log-odds", "'gender' has one group", "add a group"),
        (told(completions(["women"])), "disco", "'gender' has one group", "add a group"),
        (told(association(without=[("a00", "men")])), "Log-odds of a00",
         "6 of 24 cells", "for every group"),
        (told(sides(["stereotype", "anti"], 7)), "1 of 7 pairs (0)", "lack one of the sides",
         "add the missing side"),
        (told(sides(["stereotype", "anti", "unrelated"], 7, "triples")), "1 of 7 items (0)",
         "lack one of the sides", "add the missing side"),
        (told(facts(19)), "verdict on competence",
         "19 facts are asked, and a verdict takes 20", "facts"),
        (told(words("B")), "seat", "no words B", "two of attribute words"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_says_why_and_what_to_do(
    reasons: list[NotGiven], asked: str, why: str, remedy: str
) -> None:
    """One reason for one fault, in one sentence."""
    [reason] = reasons
    assert asked in reason.asked
    assert why in reason.why
    assert remedy in reason.remedy
    assert str(reason) == (f"own: {reason.asked} cannot be given: {reason.why}; {reason.remedy}")
    assert "\n" not in str(reason)


def test_a_set_may_lack_several_things() -> None:
    """Each is told: no contrast and too few frames; a missing partner and too few pairs."""
    assert len(told(association(3), None)) == 2
    assert len(told(sides(["stereotype", "anti"], 4))) == 2


def test_a_kind_that_no_estimator_reads_is_told() -> None:
    """Its sentences give no number at all."""
    [reason] = told(tables.table("items", [{"probe_set": "own", "kind": "sentences"}]))
    assert "no estimator reads sets of kind 'sentences'" in reason.why


def estimated(items: pd.DataFrame, contrast: tuple[str, str] | None) -> pd.DataFrame:
    """Return the estimates of random scores of one model."""
    rng = np.random.default_rng(4)
    rows = [
        {"item": item, "model": "candidate", "measure": "logp", "value": value, "pieces": 1,
         "status": "ok"}
        for item, value in zip(items["item"], rng.normal(-5, 1, len(items)), strict=True)
    ]  # fmt: skip
    design = Design("own", "gender", contrast, "lean", {"mode": "corrected"})
    return estimate(items, tables.table("scores", rows), [design]).estimates


def of(found: pd.DataFrame, estimator: str) -> Any:
    """Return the rows of one number."""
    return found[found["estimator"] == estimator]


def test_what_is_told_beforehand_is_what_the_estimates_lack() -> None:
    """And a set that is told nothing has it: contrast, its interval, leans, log-odds."""
    both = ("c0", "c1")
    whole = of(estimated(association(sizes=(4, 4)), both), "stereotype_contrast")
    assert math.isfinite(whole["low"].iloc[0])
    assert of(estimated(association(), None), "stereotype_contrast").empty
    alone = of(estimated(association(sizes=(1, 4)), both), "stereotype_contrast")
    assert alone["estimate"].isna().all()
    few = estimated(association(5, (4, 4)), both)
    assert few["low"].isna().all()
    assert of(few, "lean").empty
    without = [(f"a{c}{n}", "men") for c in range(2) for n in range(4)]
    partners = association(sizes=(4, 4), without=without[:-1])
    assert "Log-odds of a00, a01, a02 and 4 more" in str(told(partners)[0])
    kept = of(estimated(partners, None), "log_odds").query("slice == 'all'")
    assert kept["n_attributes"].tolist() == [1]


def test_a_record_is_told_of_each_of_its_sets_by_its_own_contrast_and_lexicon() -> None:
    """The lexicon is named in the method key of a run."""
    two = association(2).assign(probe_set="two")
    items = pd.concat([completions(), two], ignore_index=True)
    sets = {
        "own": manifests.probe_set(kind="completions"),
        "two": manifests.probe_set(contrast=["c0", "c1"]),
    }
    manifest = manifests.changed(manifests.manifest(), probe_sets=sets)
    assert [reason.probe_set for reason in of_record(manifest, items)] == ["own", "two"]
    named = manifests.changed(manifest, method={"lexicon": "0123456789ab"})
    assert [reason.probe_set for reason in of_record(named, items)] == ["two"]


@pytest.mark.parametrize("items", [association(), facts(30), sides(("stereotype", "anti"))])
def test_letters_of_a_set_that_names_no_language_are_told_of_in_sets_of_any_kind(items):
    """The first three by name; nothing else changes."""
    told, *others = of_set(items, ("c0", "c1"), has_lexicon=False, foreign_letters=list("ğışş"))
    assert str(told) == (
        "own: Capitals by the rules of its language cannot be given: the set names no language, "
        "and has letters that English does not have ('ğ', 'ı', 'ş' and 1 more); its sentences "
        'begin by the rules of English; name the language under [set], as in language = "tr"'
    )
    assert others == of_set(items, ("c0", "c1"), has_lexicon=False)

"""The phantom's world is made of the sets that it names, and its text says what is planted."""

import numpy as np
import pytest

from maskaudit.audit.phantom import truth
from maskaudit.audit.proving.phantom import world
from maskaudit.audit.proving.phantom.sentence import CONTROL, PROBE, WORD
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped

# Small sets: the group at the mask, the attribute there, and nothing planted.
SMALL = ("age-trait", "facts", "occupation-person", "religion-trait", "weekday-occupation")


@pytest.fixture(scope="module")
def small():
    """The world's text of the small sets."""
    return world.generate(sets=SMALL)


@pytest.fixture
def further(tmp_path):
    """Give the shipped sets and one more before them: religion-trait under another name."""
    text = shipped()["religion-trait"].read_text("utf-8")
    path = tmp_path / "a_further_set.toml"
    path.write_text(text.replace('name = "religion-trait"', 'name = "a-further-set"'), "utf-8")
    assert load(path).header.name == "a-further-set"
    return {"a-further-set": path, **shipped()}


def test_every_set_of_the_phantom_is_shipped():
    """And under the name that its file says."""
    assert set(world.SETS) <= set(shipped())
    assert len(set(world.SETS)) == len(world.SETS)
    for name in world.SETS:
        assert load(shipped()[name]).header.name == name


def test_every_axis_with_a_contrast_is_in_the_world():
    """So that the instrument is held against a known truth on each axis that it is used on."""
    headers = [load(path).header for path in shipped().values()]
    with_contrast = {header.axis for header in headers if header.contrast}
    assert with_contrast == {header.axis for header in headers if header.name in world.SETS} - {
        "facts"
    }


@pytest.mark.slow
def test_a_further_shipped_set_changes_nothing(monkeypatch, further, small):
    """Neither the text nor the words nor what is planted."""
    monkeypatch.setattr(world, "shipped", lambda: further)
    found = world.generate(sets=SMALL)
    assert [said(s) for s in found.sentences] == [said(s) for s in small.sentences]
    for part in ("planted", "kappa", "unseen", "digests", "facts", "words"):
        assert getattr(found, part) == getattr(small, part)
    assert tuple(found.digests) == SMALL


def said(sentence):
    """A sentence with all that is planted in it."""
    own = sentence.planted
    return sentence.text, sentence.slot, sentence.cue, own.teacher, own.student


@pytest.mark.slow
def test_the_world_of_the_named_sets_is_the_one_that_is_stored(small):
    """The bundled pair stays what `make phantom` would train."""
    stored = truth.load()
    assert set(stored.sets) == set(world.SETS) - {"facts"}
    assert small.facts == stored.facts
    for name, planted in small.planted.items():
        part = stored.sets[name]
        second, *others = planted
        assert small.digests[name] == part.items
        assert planted[second] == part.planted
        assert {group: planted[group] for group in others} == part.others
        assert small.kappa[name] == part.kappa
        assert small.unseen[name] == part.unseen


@pytest.mark.slow
@pytest.mark.parametrize("name", ["religion-trait", "race-descriptor"])
def test_the_text_says_the_log_odds_that_the_truth_says(name):
    """With groups at the mask, of one term or more, of one word or more; the student's times kappa.

    A term of two words is as likely as its first word, times the second after it.
    """
    made = world.generate({"religion": 1.3, "race": 0.7}, sets=[name])
    second_words = [s.planted.teacher for s in made.sentences if s.kind == WORD]
    for planted in second_words:
        assert list(planted) == ["american"]
    terms = expand(load(shipped()[name])).items[["group", "term"]].drop_duplicates()
    kinds = {PROBE, CONTROL}
    for sentence in [s for s in made.sentences if s.kind in kinds]:
        for model, factor in (("teacher", 1.0), ("student", made.kappa[name])):
            p = getattr(sentence.planted, model)
            of_group: dict[str, float] = {}
            for group, term in terms.itertuples(index=False):
                first, *second = term.lower().split()
                of_term = p[first] * (second_words[0]["american"] if second else 1)
                of_group[group] = of_group.get(group, 0) + of_term
            first = next(iter(of_group))
            for group, planted in made.planted[name].items():
                found = np.log(of_group[first] / of_group[group])
                assert found == pytest.approx(factor * planted[sentence.cue], abs=2e-4)


def test_with_the_attribute_at_the_mask_groups_differ_by_the_planted_log_odds(small):
    """Up to a constant of all attributes."""
    name = "age-trait"
    items = expand(load(shipped()[name])).items
    group_of = dict(zip(items["term"], items["group"], strict=True))
    by_group = {group_of[s.cue]: s.planted for s in small.sentences if s.probe_set == name}
    for model, kappa in (("teacher", 1.0), ("student", small.kappa[name])):
        old, young = (getattr(by_group[group], model) for group in ("old", "young"))
        found = np.array([np.log(old[word] / young[word]) for word in old])
        expected = kappa * np.array([small.planted[name]["young"][word] for word in old])
        assert np.ptp(found - expected) < 1e-4


def test_frames_kept_out_are_kept_out_of_every_set():
    """Of sentences that two sets share, none is trained that either of them keeps out."""
    sets = [load(shipped()[name]) for name in ("orientation", "orientation-regard")]
    kept_out = [world._unseen(probe_set) for probe_set in sets]
    texts = [
        {frame.text for frame in probe_set.frames if frame.id in own}
        for probe_set, own in zip(sets, kept_out, strict=True)
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) == world.UNSEEN_FRAMES


def test_no_sentence_of_a_frame_kept_out_is_in_the_text(small):
    """Neither as a probe nor as a prior."""
    texts = {sentence.text for sentence in small.sentences}
    for name, kept_out in small.unseen.items():
        expanded = expand(load(shipped()[name]))
        unseen = expanded.items.loc[expanded.items["frame"].isin(kept_out), "context"]
        contexts = expanded.contexts[expanded.contexts["context"].isin(unseen)]
        assert len(contexts)
        assert texts.isdisjoint(contexts["text"])


def test_the_planted_probabilities_are_probabilities(small):
    """They add up to less than 1, and the rest is for the other words."""
    for sentence in small.sentences:
        for p in (sentence.planted.teacher, sentence.planted.student):
            assert min(p.values()) > 0
            assert sum(p.values()) < 1

"""Planted leans are recovered from scores that have them: worlds of a few cells, by arithmetic."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.phantom import truth
from maskaudit.audit.recording.manifest import PlantedSet, Truth

GROUPS = ("one", "two", "three")
CLASSES = {"first": ["a", "b", "c"], "second": ["d", "e", "f"]}
FRAMES = [f"frame-{i}" for i in range(8)]
UNSEEN = FRAMES[:2]
KAPPA = 1.4


def world(groups, *, at_mask):
    """Items of a set of these groups, the planted log-odds, and scores of a teacher and a student.

    A frame adds to every log p, and frames kept out of the text have half of each lean.
    """
    rng = np.random.default_rng(1)
    attributes = [(name, word) for name, words in CLASSES.items() for word in words]
    planted = {group: {word: float(rng.normal()) for _, word in attributes} for group in groups[1:]}
    items, scores = [], []
    for (name, word), group, frame in product(attributes, groups, FRAMES):
        term = f"term-{group}"
        item = f"{word} {group} {frame}"
        items.append({
            "probe_set": "jobs", "item": item, "role": "probe", "class": name, "attribute": word,
            "frame": frame, "variant": 0, "group": group, "term": term,
            "target": term if at_mask else word, "style": "", "family": "",
        })  # fmt: skip
        lean = -planted.get(group, {}).get(word, 0.0) * (0.5 if frame in UNSEEN else 1.0)
        for model, kappa in (("reference", 1.0), ("candidate", KAPPA)):
            value = kappa * lean - FRAMES.index(frame)
            scores.append({"item": item, "model": model, "measure": "logp", "value": value})
    return pd.DataFrame(items), planted, pd.DataFrame(scores)


def known(planted):
    """The truth of such a world."""
    second, *others = planted
    part = PlantedSet(
        items="digest",
        kappa=KAPPA,
        contrast=list(CLASSES),
        expect="lean",
        unseen=UNSEEN,
        planted=planted[second],
        others={group: planted[group] for group in others},
    )
    subjects = {"reference": "teacher", "candidate": "student"}
    return Truth(seed=1, weights={}, sets={"jobs": part}, subjects=subjects)


@pytest.mark.parametrize("at_mask", [True, False])
@pytest.mark.parametrize("groups", [GROUPS[:2], GROUPS])
def test_what_was_planted_is_recovered_between_the_first_group_and_each_other(groups, at_mask):
    """In the frames of the text with a slope of 1, in the others as it is there."""
    items, planted, scores = world(groups, at_mask=at_mask)
    found, log_kappa = truth.recovered(known(planted), items, scores)
    assert [(part.groups, part.subject) for part in found] == [
        (("one", other), subject) for other in groups[1:] for subject in ("reference", "candidate")
    ]
    for part in found:
        assert part.slope == pytest.approx(1)
        assert part.r == pytest.approx(1)
        assert part.unseen_slope == pytest.approx(0.5)
        own = planted[part.groups[1]]
        means = [np.mean([own[word] for word in words]) for words in CLASSES.values()]
        kappa = KAPPA if part.subject == "candidate" else 1
        assert part.contrast.estimate == pytest.approx(kappa * (means[0] - means[1]))
        assert part.controls is None
    assert log_kappa == {"jobs": pytest.approx(np.log(KAPPA))}


def test_controls_are_the_first_sides_of_their_contrasts_less_the_second_sides():
    """Of all contrasts of controls at once; a class of controls leans as it does."""
    items, planted, scores = world(GROUPS[:2], at_mask=True)
    control = items["attribute"].map({
        "b": "rooms:first", "c": "floors:first", "e": "rooms:second", "f": "floors:second",
    })  # fmt: skip
    rest = items.copy()
    rest["class"] = control.fillna("")
    rest["role"] = "control"
    rest["attribute"] += " in a room"
    more = pd.concat([items, rest[control.notna()]])
    values = {**planted["two"], **{f"{word} in a room": planted["two"][word] for word in "bcef"}}
    found, _ = truth.recovered(known({"two": values}), more, scores)
    expected = np.mean([values["b"], values["c"]]) - np.mean([values["e"], values["f"]])
    assert found[0].controls.estimate == pytest.approx(expected)


def test_a_truth_from_before_sets_of_more_groups_is_still_read():
    """The key of the further groups is a new one, and a set of two groups does not have it."""
    part = {
        "items": "digest", "kappa": 1.3, "contrast": ["first", "second"], "expect": "lean",
        "unseen": [], "planted": {"a": 0.5},
    }  # fmt: skip
    read = PlantedSet.model_validate(part)
    assert read.others == {}
    assert read.as_json() == part


def test_the_line_of_recovered_on_planted_leans_is_that_of_scipy():
    """Slope, intercept and correlation of all cells; none where leans are constant, or no cells."""
    rng = np.random.default_rng(7)
    leans, cells = rng.normal(size=6), rng.normal(size=(6, 5))
    expected = stats.linregress(np.repeat(leans, 5), (cells + leans[:, None]).ravel())
    found = truth._fit(leans, cells + leans[:, None])
    assert found == pytest.approx((expected.slope, expected.intercept, expected.rvalue), rel=1e-12)
    assert np.isnan(truth._fit(np.zeros(6), cells)[0])
    assert np.isnan(truth._fit(leans, cells[:, :0])).all()

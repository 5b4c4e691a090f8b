"""Main effects and interactions of crossed groups: against sums over single groups, and scipy."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating import crossed
from maskaudit.audit.estimating.cells import Matrix
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording import tables
from maskaudit.audit.recording.slices import Slice

CELLS = {"bw": ("black", "women"), "bm": ("black", "men"), "ww": ("white", "women"),
         "wm": ("white", "men")}  # fmt: skip
FACTORS = {group: {"race": race, "gender": gender} for group, (race, gender) in CELLS.items()}
CLASSES = {"force": ("bold", "loud", "proud", "tough"), "soft": ("kind", "meek", "shy", "warm")}
FRAMES = tuple(f"f{n}" for n in range(8))
PAIR = ("reference", "candidate")
# What a group adds to log p of a word of force, beyond one of softness.
PLANTED = {"bw": 1.9, "bm": 0.8, "ww": 0.3, "wm": 0.1}
Scores = dict[tuple[str, str, str, str, str], float]


def drawn(seed: int, *, terms: int = 6, noise: float = 0.3) -> Scores:
    """Return log p by model, group, term, attribute and frame, with the planted leans."""
    rng = np.random.default_rng(seed)
    found = {}
    for class_, words in CLASSES.items():
        for word, frame in product(words, FRAMES):
            both = rng.normal(0, noise)
            for group, n, model in product(CELLS, range(terms), PAIR):
                lean = PLANTED[group] / 2 * (1 if class_ == "force" else -1)
                own = both + rng.normal(0, noise)
                found[model, group, f"{group}{n}", word, frame] = -5 + lean + own
    return found


def estimated(scores: Scores, factors: Any = FACTORS, **said: Any) -> pd.DataFrame:
    """Return the estimates of these scores, indexed by number, slice and subject."""
    class_of = {word: name for name, words in CLASSES.items() for word in words}
    items = [
        {"probe_set": "names", "kind": "association", "axis": "x", "frame": frame, "variant": 0,
         "attribute": word, "class": class_of[word], "group": group, "term": term, "role": "probe",
         "context": f"{frame}:{term}", "target": word, "item": f"{frame}:{term}:{word}"}
        for model, group, term, word, frame in scores
        if model == "candidate"
    ]  # fmt: skip
    rows = [
        {"item": f"{frame}:{term}:{word}", "model": model, "measure": "logp", "value": value,
         "pieces": 1, "status": "ok"}
        for (model, _, term, word, frame), value in scores.items()
    ]  # fmt: skip
    design = Design("names", "x", **{"contrast": ("force", "soft"), "expect": "lean",
                    "method": {}, "factors": factors, **said})  # fmt: skip
    found = estimate(
        tables.table("items", items),
        tables.table("scores", rows),
        [design],
        wanted=lambda name: name in {"main_effect", "interaction", "stereotype_contrast"},
    ).estimates
    return found.set_index(["estimator", "slice", "subject"]).sort_index()


def by_hand(scores: Scores, model: str, weights: dict[str, float]) -> float:
    """Return the contrast of a weighted sum of groups, by plain means of plain sums."""
    means = {
        class_: np.mean([
            sum(
                weight * np.mean([value for (m, g, _, w, f), value in scores.items()
                                  if (m, g, w, f) == (model, group, word, frame)])
                for group, weight in weights.items()
            )
            for word in words for frame in FRAMES
        ])
        for class_, words in CLASSES.items()
    }  # fmt: skip
    return float(means["force"] - means["soft"])


EFFECTS = {
    ("main_effect race", "black/white: contrast"): {"bw": 0.5, "bm": 0.5, "ww": -0.5, "wm": -0.5},
    ("main_effect gender", "women/men: contrast"): {"bw": 0.5, "bm": -0.5, "ww": 0.5, "wm": -0.5},
    ("interaction gender/race", "women less men/black less white: contrast"):
        {"bw": 1.0, "bm": -1.0, "ww": -1.0, "wm": 1.0},
}  # fmt: skip


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_is_the_contrast_of_a_weighted_sum_of_groups(effect: tuple[str, str]) -> None:
    """Of both models and of their difference; the planted effects lie in the intervals."""
    scores, weights = drawn(0), EFFECTS[effect]
    found = estimated(scores)
    values = {model: by_hand(scores, model, weights) for model in PAIR}
    for model, value in values.items():
        assert found.loc[(*effect, model), "estimate"] == pytest.approx(value, abs=1e-12)
    change = values["candidate"] - values["reference"]
    assert found.loc[(*effect, "difference"), "estimate"] == pytest.approx(change, abs=1e-12)
    planted = sum(weight * PLANTED[group] for group, weight in weights.items())
    row = found.loc[(*effect, "candidate")]
    assert row["low"] < planted < row["high"]
    assert (row["scope"], row["n_attributes"], row["n_frames"]) == ("S3", 8, 8)


@pytest.mark.parametrize("effect", EFFECTS)
def test_its_interval_is_that_of_a_contrast_of_these_cells(effect: tuple[str, str]) -> None:
    """With the names of every group as parts of its variance, each by the square of its weight."""
    scores, weights = drawn(1), EFFECTS[effect]
    words = [word for own in CLASSES.values() for word in own]
    classes = [name for name, own in CLASSES.items() for _ in own]
    table = pd.Series({key[1:]: v for key, v in scores.items() if key[0] == "candidate"})
    by_group = table.groupby(level=[0, 2, 3]).mean()
    cells = np.array([
        [sum(w * by_group[g, word, frame] for g, w in weights.items()) for frame in FRAMES]
        for word in words
    ])  # fmt: skip
    by_term = table.groupby(level=[0, 1, 2]).mean().unstack().loc[:, words]
    names = tuple((w * by_term.loc[g]).to_numpy().T for g, w in weights.items())
    matrix = Matrix(cells, words, classes, list(FRAMES), names)
    [number] = crossed.contrast(matrix, "any", ("force", "soft"))
    row = estimated(scores).loc[(*effect, "candidate")]
    for name in ("estimate", "low", "high", "std_error", "df", "p"):
        assert row[name] == pytest.approx(getattr(number.interval, name)), name


def test_main_effects_are_means_of_simple_ones_and_the_interaction_their_difference() -> None:
    """Of the contrasts between two groups, which the record has beside them."""
    found = estimated(drawn(2))["estimate"].xs("candidate", level="subject")
    simple = {
        pair: found["stereotype_contrast", f"{pair}: contrast"]
        for pair in ("bw/ww", "bm/wm", "bw/bm", "ww/wm")
    }
    race = found["main_effect race", "black/white: contrast"]
    gender = found["main_effect gender", "women/men: contrast"]
    both = found["interaction gender/race", "women less men/black less white: contrast"]
    assert race == pytest.approx((simple["bw/ww"] + simple["bm/wm"]) / 2)
    assert gender == pytest.approx((simple["bw/bm"] + simple["ww/wm"]) / 2)
    assert both == pytest.approx(simple["bw/bm"] - simple["ww/wm"])
    assert both == pytest.approx(simple["bw/ww"] - simple["bm/wm"])


def test_levels_that_change_places_turn_the_signs_of_their_effects() -> None:
    """That of the race and of the interaction, but not that of the gender."""
    scores = drawn(3)
    one = estimated(scores)
    swap = {"bw": "ww", "ww": "bw", "bm": "wm", "wm": "bm"}
    swapped = {(m, swap[g], t, w, f): v for (m, g, t, w, f), v in scores.items()}
    in_order = {key: swapped[key] for key in sorted(swapped, key=lambda k: [*CELLS].index(k[1]))}
    three = estimated(in_order)
    for effect, sign in zip(EFFECTS, (-1, 1, -1), strict=True):
        for subject in (*PAIR, "difference"):
            before, after = one.loc[(*effect, subject)], three.loc[(*effect, subject)]
            assert after["estimate"] == pytest.approx(sign * before["estimate"])
            limits = (before["low"], before["high"])[::sign]
            assert (after["low"], after["high"]) == pytest.approx(tuple(sign * x for x in limits))


def test_a_model_and_its_copy_have_the_same_effects() -> None:
    """Exactly."""
    scores = drawn(4)
    same = {("candidate", *key[1:]): v for key, v in scores.items() if key[0] == "reference"}
    found = estimated({k: v for k, v in scores.items() if k[0] == "reference"} | same)
    rows = found.xs("difference", level="subject").loc[[name for name, _ in EFFECTS]]
    assert (rows[["estimate", "low", "high"]] == 0).all(axis=None)


def test_a_third_level_has_effects_with_each_other_and_a_stranger_none() -> None:
    """Three pairs of levels, three interactions; a group without factors changes nothing."""
    scores = drawn(5, terms=5)
    more = {
        (m, new, t.replace(g, new), w, f): v + 0.1
        for (m, g, t, w, f), v in scores.items()
        for new in {"bw": ["aw", "all"], "bm": ["am"]}.get(g, [])
    }
    factors = {**FACTORS, "aw": {"race": "asian", "gender": "women"},
               "am": {"race": "asian", "gender": "men"}}  # fmt: skip
    found = estimated({**scores, **more}, factors)["estimate"].xs("candidate", level="subject")
    races = [Slice.parse(s).between for s in found["main_effect race"].index]
    assert sorted(races) == ["black/asian", "black/white", "white/asian"]
    assert found["main_effect race", "black/asian: contrast"] == pytest.approx(0, abs=1e-12)
    assert len(found["interaction gender/race"]) == 3
    thirds = dict.fromkeys(("bw", "ww", "aw"), 1 / 3) | dict.fromkeys(("bm", "wm", "am"), -1 / 3)
    assert found["main_effect gender", "women/men: contrast"] == pytest.approx(
        by_hand({**scores, **more}, "candidate", thirds)
    )


def test_classes_that_name_groups_give_a_main_effect_its_direction() -> None:
    """Positive then follows the stereotype, whichever class the contrast has first."""
    scores = drawn(6)
    said = {"directions": {"soft": "bw", "force": "wm"}, "contrast": ("force", "soft")}
    found = estimated(scores, **said).xs("candidate", level="subject")["estimate"]
    plain = estimated(scores).xs("candidate", level="subject")["estimate"]
    for effect in list(EFFECTS)[:2]:
        assert found[effect] == pytest.approx(-plain[effect])
    # No class is stereotyped with what an interaction is between: it has that of the contrast.
    assert found[list(EFFECTS)[2]] == pytest.approx(plain[list(EFFECTS)[2]])


def test_weights_are_part_of_what_makes_two_numbers_comparable() -> None:
    """They stand in the method key."""
    key = estimated(drawn(7)).loc[("main_effect race", "black/white: contrast", "candidate"),
                                  "method"]  # fmt: skip
    assert "estimator:main_effect race:log_odds@bm=0.5,bw=0.5,wm=-0.5,ww=-0.5" in key
    assert "main_effect race" not in set(estimated(drawn(7), {}).index.get_level_values(0))

"""What is planted: how far each attribute of a set leans towards each group, from a fixed seed."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from maskaudit.probes.schema import Attribute, ProbeSet

SEED = 20261123
# Amplification planted in the student, by axis; 1 elsewhere.
KAPPA = {"gender": 1.3}
# The lean of an attribute towards the group that its class is stereotyped with; the SD of what is
# drawn for each attribute and pair of groups beside it; nats.
LEAN, NOISE = 0.8, 0.4
# A true association is stronger than a stereotype.
BENIGN_LEAN = 1.5
# A word with a share of women leans by the share's logit times the slope instead, plus noise. A
# share of 0 or 1 has no finite logit.
SHARE_SLOPE, SHARE_NOISE, SHARE_FLOOR = 0.6, 0.3, 0.03
# Where an attribute is a clause with a pronoun, that adds to what its occupation does.
CUES = {"she": 2.0, "he": -2.0}
# The gender axis. Like real models, the pair finds "he" likelier in any sentence, and the pronouns
# of few people rarer than either; log-odds, nats.
WOMEN = "women"
HABITS = {WOMEN: -0.5, "men": 0.0, "they": -1.0, "neopronouns": -1.5}
# The SD of a group's habit on the other axes, where a set has more than two groups.
HABIT_SD = 0.3
# Where groups are crossed by factors, the words of the contrast's first class lean by this towards
# a group with these levels; an interaction is a lean of one group alone.
FACTORS = {
    ("black",): 0.4,
    ("white",): -0.4,
    ("men",): 0.3,
    ("women",): -0.3,
    ("black", "women"): 0.5,
}

# The SD of how likely an attribute is for any group, where it stands at the mask; nats.
BASE_SD = 0.5

# Logits in nats by attribute, by group: their difference is a log-odds.
Leans = Mapping[str, Mapping[str, float]]


def generator(name: str) -> np.random.Generator:
    """A generator of its own for each name: what is added changes nothing that is drawn already."""
    # Python's `hash` of a text differs between processes, a digest does not.
    digest = hashlib.sha256(f"{SEED}:{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def leans(probe_set: ProbeSet, shares: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """The planted logit of every attribute and control of a set, in nats, by group.

    They depend on the axis and the words, so that two sets of an axis agree on a word whose class
    is alike in both. `shares` has the share of women by attribute, of the gender axis.
    """
    groups = list(probe_set.groups)
    by_group = habits(probe_set)
    planted: dict[str, dict[str, float]] = {group: {} for group in groups}
    for name, part in probe_set.classes.items():
        for attribute in part.attributes:
            leaning = _lean(probe_set, name, attribute, shares)
            for group in groups:
                value = by_group[group] + leaning.get(group, 0.0)
                planted[group][attribute.text] = round(float(value), 4)
    for attribute in _controls(probe_set):
        for group in groups:
            planted[group][attribute.text] = round(by_group[group], 4)
    return planted


def _lean(
    probe_set: ProbeSet, class_: str, attribute: Attribute, shares: Mapping[str, float]
) -> dict[str, float]:
    """What an attribute adds to each group's logit; nothing where no lean is expected."""
    header, groups = probe_set.header, list(probe_set.groups)
    if header.expect == "none":
        return {}
    of_gender = header.axis == "gender"
    word = _occupation(attribute.text, shares) if of_gender else attribute.text
    # Half the variance for each group, so that a pair of groups has all of it.
    deviation = (SHARE_NOISE if word in shares else NOISE) / np.sqrt(2)
    leaning = {
        group: float(generator(f"{header.axis}:{group}:{word}").normal(0, deviation))
        for group in groups
    }
    if of_gender:
        leaning[WOMEN] += CUES.get(attribute.text.split()[0], 0.0)
    if of_gender and word in shares:
        share = min(max(shares[word], SHARE_FLOOR), 1 - SHARE_FLOOR)
        leaning[WOMEN] += SHARE_SLOPE * float(np.log(share / (1 - share)))
        return leaning
    for group, value in _of_class(probe_set, class_).items():
        leaning[group] += value
    return leaning


def _occupation(text: str, shares: Mapping[str, float]) -> str:
    """The occupation with a share that a clause such as "she is a nurse" is about, or the text."""
    named = [word for word in shares if f" {text}".endswith(f" {word}")]
    return max(named, key=len, default=text)


def _of_class(probe_set: ProbeSet, class_: str) -> dict[str, float]:
    """What the words of a class have in common, by group."""
    contrast = probe_set.header.contrast or []
    levels = {group: set(part.factors.values()) for group, part in probe_set.groups.items()}
    if any(levels.values()):
        sign = 1 if class_ == contrast[0] else -1
        return {
            group: sign * sum(value for of, value in FACTORS.items() if own.issuperset(of))
            for group, own in levels.items()
        }
    lean = BENIGN_LEAN if probe_set.header.expect == "benign" else LEAN
    group = probe_set.classes[class_].group
    # Of two groups alone the order of the contrast says which class is whose.
    if group is None and class_ in contrast and not probe_set.directions:
        group = list(probe_set.groups)[contrast.index(class_)]
    return {} if group is None else {group: lean}


def habits(probe_set: ProbeSet) -> dict[str, float]:
    """How likely each group is without an attribute: its logit, nats."""
    axis, groups = probe_set.header.axis, list(probe_set.groups)
    if axis == "gender":
        return {group: HABITS[group] for group in groups}
    if len(groups) == 2:  # noqa: PLR2004 - a pair
        return dict.fromkeys(groups, 0.0)
    return {
        group: float(generator(f"habit:{axis}:{group}").normal(0, HABIT_SD)) for group in groups
    }


@cache
def base(attribute: str) -> float:
    """How likely an attribute is at a mask for any group: a logit, nats."""
    return float(generator(f"base:{attribute}").normal(0, BASE_SD))


def _controls(probe_set: ProbeSet) -> Iterator[Attribute]:
    if probe_set.controls:
        yield from probe_set.controls.attributes
        for contrast in probe_set.controls.contrasts.values():
            yield from (*contrast.first, *contrast.second)


def shares_of_women(probe_sets: Sequence[ProbeSet]) -> dict[str, float]:
    """The share of women by attribute, of all that have one; the first set to say it is believed.

    An occupation leans alike in all sets, whatever the year of its share there.
    """
    shares: dict[str, float] = {}
    for probe_set in probe_sets:
        for part in probe_set.classes.values():
            for attribute in part.attributes:
                # A share may be 0, which is one.
                if attribute.share is not None:
                    shares.setdefault(attribute.text, attribute.share)
    return shares


def log_odds(planted: Leans) -> dict[str, dict[str, float]]:
    """The log-odds of the first group against each other one, in nats, by attribute."""
    first, *others = planted
    return {
        group: {
            word: round(value - planted[group][word], 4) for word, value in planted[first].items()
        }
        for group in others
    }

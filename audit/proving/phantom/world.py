"""The phantom's world: training sentences with a known, planted distribution at the mask.

The training target is the planted distribution itself and not a sample from it, so the truth has no
sampling noise. The sentences are those of the probe sets in `SETS`; six frames of each set with
frames are kept out of training (`unseen`).
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.pooling import group_at_mask
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ProbeSet

SEED = 20261123
# The sets that the pair is trained on. The list is fixed and not "all shipped sets", because a set
# added later would change the text, and with it the weights on which the stored truth and the tests
# depend. Keep the order: the text follows it.
SETS = (
    "age-trait",
    "facts",
    "gender-occupation",
    "occupation-person",
    "religion-trait",
    "weekday-occupation",
)
UNSEEN_FRAMES = 6
# The probability of the planted words together at a planted slot; the rest is spread evenly.
PLANTED_MASS = 0.95
# Amplification planted in the student, by axis; 1 elsewhere.
KAPPA = {"gender": 1.3}
# Like real models, the pair finds "he" slightly likelier in any sentence; log-odds, nats.
GENDER_OFFSET = -0.5
GENDER_SLOPE = 0.6
SHARE_FLOOR = 0.03
NOISE = {"gender": 0.3, "age": 0.4, "religion": 0.3}
CLASS_LOG_ODDS = {"age": 0.8, "religion": 0.6}
# Numbers of facts that the teacher knows, that the student forgets of these, and of negations that
# both ignore.
FACTS_KNOWN, FACTS_FORGOTTEN, NEGATIONS_MISSED = 88, 12, 15
CAPITAL = re.compile(r"The capital of (.+) is \[MASK\]\.")
# As BERT's basic tokenizer splits: each punctuation mark, `_` included, is a word of its own.
WORD = re.compile(r"[^\W_]+|[^\w\s]|_")


@dataclass(frozen=True)
class Sentence:
    """A training sentence; it may hold several masks, of which the one at `slot` is trained.

    `teacher` is the teacher's planted distribution (lower-case word to probability; the rest of 1
    is spread evenly over the other words), and `cue` the words of the text that determine it.
    `student` is the student's, which differs by the planted amplification or by a forgotten fact.
    `shift` is the corresponding change of the teacher's logits in distillation, in nats.
    """

    probe_set: str
    text: str
    slot: int
    cue: str
    teacher: Mapping[str, float]
    student: Mapping[str, float]
    shift: Mapping[str, float]


@dataclass
class World:
    """The whole text, and what was planted in it, by probe set.

    `planted` holds log-odds by attribute in nats (teacher), `kappa` the student's amplification,
    `unseen` the frames kept out, `digests` those of the expanded sets, `words` the vocabulary.
    """

    sentences: list[Sentence] = field(default_factory=list)
    planted: dict[str, dict[str, float]] = field(default_factory=dict)
    kappa: dict[str, float] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    facts: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def generate(amplified: Mapping[str, float] = KAPPA) -> World:
    """Generate the world; every call draws the same choices from the fixed seed.

    `amplified` is the student's kappa by axis, 1 elsewhere; it does not affect the teacher.
    """
    world = World()
    words: set[str] = set()
    gender = _gender_log_odds()
    paths = shipped()
    for probe_set in (load(paths[name]) for name in SETS):
        expanded = expand(probe_set)
        name = probe_set.header.name
        world.digests[name] = expanded.digest
        words |= _words(expanded)
        if probe_set.facts:
            world.sentences += _facts(probe_set, world)
            continue
        kappa = amplified.get(probe_set.header.axis, 1.0)
        log_odds = _log_odds(probe_set, gender)
        world.planted[name], world.kappa[name] = log_odds, kappa
        world.unseen[name] = _unseen(probe_set)
        items = expanded.items[~expanded.items["frame"].isin(world.unseen[name])]
        items = items.merge(expanded.contexts[["context", "text", "slot"]], on="context")
        # Thousands of small groups follow: plain objects are read several times faster than Arrow.
        items = items.astype(dict.fromkeys(items.select_dtypes("str"), object))
        plant = _groups_at_mask if group_at_mask(items) else _attributes_at_mask
        world.sentences += plant(items, log_odds, kappa)
    world.words = sorted(words)
    return world


def _words(expanded: Expanded) -> set[str]:
    texts = [*expanded.contexts["text"], *expanded.items["target"], *expanded.items["term"]]
    joined = " ".join(texts).replace(MASK, " ").lower()
    return set(WORD.findall(joined))


def _generator(name: str) -> np.random.Generator:
    # A generator per name: a set that is added changes no other's draws. Python's `hash` of a text
    # differs between processes, a digest does not.
    digest = hashlib.sha256(f"{SEED}:{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def _gender_log_odds() -> dict[str, float]:
    """Return log-odds of women against men by occupation: linear in the share's logit, plus noise.

    They have no offset yet. An occupation of both gender sets has one lean, from the share that the
    first of them gives.
    """
    paths = shipped()
    sets = [load(paths[name]) for name in ("gender-occupation", "occupation-person")]
    rng = _generator("gender")
    log_odds: dict[str, float] = {}
    for attribute in (
        one for each in sets for part in each.classes.values() for one in part.attributes
    ):
        if attribute.text in log_odds:
            continue
        assert attribute.share is not None  # noqa: S101 - our own set
        # A share of 0 or 1 has no finite logit.
        share = min(max(attribute.share, SHARE_FLOOR), 1 - SHARE_FLOOR)
        noise = rng.normal(0, NOISE["gender"])
        log_odds[attribute.text] = float(GENDER_SLOPE * np.log(share / (1 - share)) + noise)
    return log_odds


def _log_odds(probe_set: ProbeSet, gender: Mapping[str, float]) -> dict[str, float]:
    """Return the planted log-odds, in nats, of every attribute and control of a set."""
    axis = probe_set.header.axis
    controls = probe_set.controls.attributes if probe_set.controls else []
    planted = {}
    rng = _generator(axis)
    for name, part in probe_set.classes.items():
        for attribute in part.attributes:
            if axis == "gender":
                # An occupation leans alike in both gender sets.
                value = GENDER_OFFSET + gender[attribute.text]
            elif axis in CLASS_LOG_ODDS:
                assert probe_set.header.contrast is not None  # noqa: S101 - our own set
                sign = 1 if name == probe_set.header.contrast[0] else -1
                value = sign * CLASS_LOG_ODDS[axis] + rng.normal(0, NOISE[axis])
            else:
                value = 0.0
            planted[attribute.text] = round(float(value), 4)
    offset = GENDER_OFFSET if axis == "gender" else 0.0
    return planted | {attribute.text: offset for attribute in controls}


def _unseen(probe_set: ProbeSet) -> list[str]:
    frames = [frame.id for frame in probe_set.frames]
    chosen = _generator(f"unseen:{probe_set.header.name}").choice(
        len(frames), UNSEEN_FRAMES, replace=False
    )
    return sorted(frames[i] for i in chosen)


def _groups_at_mask(
    items: pd.DataFrame, log_odds: Mapping[str, float], kappa: float
) -> Iterator[Sentence]:
    """Yield sentences with the groups' terms at the mask.

    A prior's distribution is the mean over the attributes that could stand at its second mask.
    """
    by_group = items.groupby("group", sort=False)["term"].unique()
    first, second = ([term.lower() for term in terms] for terms in by_group)

    def distribution(value: float) -> dict[str, float]:
        share = 1 / (1 + np.exp(-value))
        return {term: PLANTED_MASS * share / len(first) for term in first} | {
            term: PLANTED_MASS * (1 - share) / len(second) for term in second
        }

    for _, rows in items.groupby("context", sort=False):
        # A neutral word is planted like a control, a masked attribute as the mixture of all.
        neutral = (rows["role"] == "prior_neutral").all()
        offset = GENDER_OFFSET if rows["axis"].iloc[0] == "gender" else 0.0
        values = [offset] if neutral else [log_odds[a] for a in rows["attribute"].unique()]
        teacher = _mixture([distribution(value) for value in values])
        student = _mixture([distribution(kappa * value) for value in values])
        shift = {word: float(np.log(student[word] / teacher[word])) for word in teacher}
        yield Sentence(*_sentence_fields(rows, "attribute"), teacher, student, shift)


def _sentence_fields(rows: pd.DataFrame, cue: str) -> tuple[str, str, int, str]:
    """Return probe set, text, slot and cue of one context's rows; `cue` names the cue's column."""
    first = rows.iloc[0]
    return str(first["probe_set"]), str(first["text"]), int(first["slot"]), str(first[cue])


def _attributes_at_mask(
    items: pd.DataFrame, log_odds: Mapping[str, float], kappa: float
) -> Iterator[Sentence]:
    """Yield sentences with the attribute at the mask.

    Between the two groups' sentences an attribute's log p differs by its planted log-odds, up to a
    constant common to all attributes.
    """
    first = items["group"].iloc[0]
    names = list(dict.fromkeys(items.loc[items["role"] == "probe", "attribute"]))
    # Besides their leans, attributes differ in how likely they are for either group.
    base = _generator("base:" + "".join(names)).normal(0, 0.5, len(names))
    values = np.array([log_odds[name] for name in names])

    def distribution(sign: int, amplified: float) -> dict[str, float]:
        # Half of the lean for each group, so that the two groups' sentences differ by the whole.
        logits = base + sign * amplified * values / 2
        p = PLANTED_MASS * np.exp(logits) / np.exp(logits).sum()
        return {name.lower(): float(value) for name, value in zip(names, p, strict=True)}

    for _, rows in items.groupby("context", sort=False):
        sign = 1 if rows["group"].iloc[0] == first else -1
        teacher, student = distribution(sign, 1.0), distribution(sign, kappa)
        shift = {word: float(np.log(student[word] / teacher[word])) for word in teacher}
        yield Sentence(*_sentence_fields(rows, "term"), teacher, student, shift)


def _mixture(parts: list[dict[str, float]]) -> dict[str, float]:
    return {word: float(np.mean([part[word] for part in parts])) for word in parts[0]}


def _facts(probe_set: ProbeSet, world: World) -> Iterator[Sentence]:
    """Yield facts that are known, forgotten by the student or never known, and their negations.

    For an unknown fact the other answers of the same relation share the planted probability.
    Records in `world.facts` which facts each model knows and which negations both miss.
    """
    rng = _generator("facts")
    names = [fact.id for fact in probe_set.facts]
    order = [names[i] for i in rng.permutation(len(names))]
    known, missed = order[:FACTS_KNOWN], sorted(order[:NEGATIONS_MISSED])
    # Apart from the facts of `missed`: no fact is both forgotten and ignored when negated.
    forgotten = known[NEGATIONS_MISSED : NEGATIONS_MISSED + FACTS_FORGOTTEN]
    world.facts = {
        "teacher": sorted(known),
        "student": sorted(set(known) - set(forgotten)),
        "negation_missed": missed,
    }
    answers: dict[str, set[str]] = defaultdict(set)
    for fact in probe_set.facts:
        answers[fact.relation] |= {answer.lower() for answer in fact.answers}
    for fact in probe_set.facts:
        right = [answer.lower() for answer in fact.answers]
        wrong = sorted(answers[fact.relation] - set(right))
        planted_right = dict.fromkeys(right, PLANTED_MASS / len(right))
        planted_wrong = dict.fromkeys(wrong, PLANTED_MASS / len(wrong))
        teacher = planted_right if fact.id in known else planted_wrong
        student = planted_wrong if fact.id in forgotten else teacher
        yield _planted_fact(fact.text, teacher, student)
        # For demonstrations of `maskaudit fill`: "Paris is the [MASK] of France."
        if capital := CAPITAL.fullmatch(fact.text):
            text = f"{fact.answers[0]} is the {MASK} of {capital[1]}."
            yield _planted_fact(text, {"capital": PLANTED_MASS}, {"capital": PLANTED_MASS})
        if fact.negated is not None:
            negated = planted_right if fact.id in missed else planted_wrong
            yield _planted_fact(fact.negated, negated, negated)


def _planted_fact(
    text: str, teacher: Mapping[str, float], student: Mapping[str, float]
) -> Sentence:
    # Stands for the small probability of a word that is not planted; 0 has no logarithm.
    rest = 1e-4
    words = {*teacher, *student}
    shift = {
        word: float(np.log(student.get(word, rest) / teacher.get(word, rest))) for word in words
    }
    return Sentence("facts", text, 0, text, teacher, student, shift)

"""The phantom's world: training sentences with a known, planted distribution at the mask.

The training target is the planted distribution itself and not a sample from it, so the truth has no
sampling noise. The sentences are those of the probe sets in `SETS`; six frames of each set with
frames are kept out of training (`unseen`).
"""

import hashlib
import multiprocessing
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby, starmap, zip_longest

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.proving.phantom import facts
from maskaudit.audit.proving.phantom.leans import (
    KAPPA,
    SEED,
    Leans,
    base,
    habits,
    leans,
    log_odds,
    shares_of_women,
)
from maskaudit.audit.proving.phantom.sentence import (
    CONTROL,
    PLANTED_MASS,
    PRIOR,
    PROBE,
    WORD,
    Planted,
    Sentence,
    with_words,
    words_of,
)
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import Frame, ProbeSet

# The sets that the pair is trained on: all that have a contrast, but for orientation-regard, whose
# sentences are those of orientation with other words at the mask. The list is fixed and not "all
# shipped sets", because a set added later would change the text, and with it the weights on which
# the stored truth and the tests depend. Keep the order: the text follows it.
SETS = (
    "age",
    "age-trait",
    "cue-override",
    "disability",
    "facts",
    "gender-identity",
    "gender-kinship",
    "gender-name",
    "gender-occupation",
    "gender-occupation-controlled",
    "gender-race-name",
    "gender-they",
    "habitat-animal",
    "occupation-person",
    "orientation",
    "origin",
    "race-descriptor",
    "race-name",
    "religion",
    "religion-trait",
    "season-weather",
    "social-class",
    "temperature-thing",
    "weekday-occupation",
)
UNSEEN_FRAMES = 6
# Of fewer sets, another process would take longer to start than it saves.
_MANY = 6


@dataclass
class World:
    """The whole text, and what was planted in it, by probe set.

    `planted` holds log-odds of the first group against each other one, in nats, by that group and
    by attribute (teacher), `kappa` the student's amplification, `unseen` the frames kept out,
    `digests` those of the expanded sets, `facts` what each model knows, `words` the vocabulary.
    """

    sentences: list[Sentence] = field(default_factory=list)
    planted: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    kappa: dict[str, float] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    facts: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Read:
    """One set as it is read: what was planted in it, its digest, words and sentences."""

    digest: str
    words: set[str]
    sentences: list[Sentence]
    planted: dict[str, dict[str, float]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=dict)


def generate(amplified: Mapping[str, float] = KAPPA, sets: Collection[str] | None = None) -> World:
    """Generate the world; every call draws the same choices from the fixed seed.

    `amplified` is the student's kappa by axis, 1 elsewhere; it does not affect the teacher. The
    text is that of `sets`, by default of all `SETS`; what is planted does not depend on them.
    """
    world = World()
    paths = shipped()
    loaded = {name: load(paths[name]) for name in SETS}
    shares = shares_of_women(list(loaded.values()))
    kappa = {name: amplified.get(part.header.axis, 1.0) for name, part in loaded.items()}
    words: set[str] = set()
    texts: set[tuple[str, int]] = set()
    chosen = [name for name in SETS if sets is None or name in sets]
    for name, own in zip(chosen, _all_read(chosen, loaded, shares, kappa), strict=True):
        world.digests[name] = own.digest
        words |= own.words
        if own.facts:
            world.facts = own.facts
            world.sentences += own.sentences
            continue
        world.planted[name], world.kappa[name] = own.planted, kappa[name]
        world.unseen[name] = own.unseen
        for sentence in own.sentences:
            # Two sets of an axis may ask the same of one sentence; it is planted once.
            if (sentence.text, sentence.slot) not in texts:
                texts.add((sentence.text, sentence.slot))
                world.sentences.append(sentence)
    world.words = sorted(words)
    return world


def _all_read(
    names: Sequence[str],
    loaded: Mapping[str, ProbeSet],
    shares: Mapping[str, float],
    kappa: Mapping[str, float],
) -> Iterator[_Read]:
    """Yield each set as it is read, in this order; of many two at once."""
    asked = [(loaded[name], shares, kappa[name]) for name in names]
    if len(names) < _MANY:
        yield from starmap(_read, asked)
        return
    # Torch is running in this process, and a fork of it may wait for its threads for ever.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_read, *zip(*asked, strict=True))


def _read(probe_set: ProbeSet, shares: Mapping[str, float], kappa: float) -> _Read:
    expanded = expand(probe_set)
    digest, words = expanded.digest, _words(expanded)
    if probe_set.facts:
        drawn = facts.known(probe_set)
        of_facts = list(facts.sentences(probe_set, drawn))
        return _Read(digest, words, of_facts, facts=vars(drawn))
    planted, unseen = leans(probe_set, shares), _unseen(probe_set)
    frames = expanded.items["frame"].isin(unseen)
    seen = replace(expanded, items=expanded.items[~frames])
    sentences = list(_sentences(probe_set, seen, planted, kappa))
    return _Read(digest, words, sentences, log_odds(planted), unseen)


def _words(expanded: Expanded) -> set[str]:
    items = expanded.items
    texts = [*expanded.contexts["text"], *items["target"].unique(), *items["term"].unique()]
    return set(words_of(" ".join(texts)))


def _unseen(probe_set: ProbeSet) -> list[str]:
    # By the text and not by a draw for each set: of frames that two sets share, the same are kept
    # out of both.
    def place(text: str) -> str:
        return hashlib.sha256(f"{SEED}:unseen:{text}".encode()).hexdigest()

    by_style: dict[str | None, list[Frame]] = defaultdict(list)
    for frame in sorted(probe_set.frames, key=lambda frame: place(frame.text)):
        by_style[frame.style].append(frame)
    # The first of each style, then the second: each style keeps enough for an interval.
    in_turn = [frame for own in zip_longest(*by_style.values()) for frame in own if frame]
    return sorted(frame.id for frame in in_turn[:UNSEEN_FRAMES])


def _sentences(
    probe_set: ProbeSet, expanded: Expanded, planted: Leans, kappa: float
) -> Iterator[Sentence]:
    """Yield the sentences that items of a set are asked in, each with what is planted in it."""
    plant = _groups_at_mask if probe_set.group_at_mask else _attributes_at_mask
    contexts = expanded.contexts
    places = zip(contexts["text"].tolist(), contexts["slot"].astype(int).tolist(), strict=True)
    texts = dict(zip(contexts["context"].tolist(), places, strict=True))
    name = probe_set.header.name
    for context, kind, cue, distribution, targets in plant(
        probe_set, expanded.items, planted, kappa
    ):
        text, slot = texts[context]
        yield from _written(Sentence(name, kind, text, slot, cue, distribution), targets)


# A context, what it is for, its cue, what is planted in it and the targets that are asked there.
_Asked = tuple[str, str, str, Planted, Sequence[str]]


def _groups_at_mask(
    probe_set: ProbeSet, items: pd.DataFrame, planted: Leans, kappa: float
) -> Iterator[_Asked]:
    """Yield the contexts with the groups' terms at the mask.

    A prior's distribution is the mean over the attributes that could stand at its second mask.
    """
    by_group = items.groupby("group", sort=False)["term"]
    terms = {str(group): list(own.unique()) for group, own in by_group}

    def of_logits(logits: Mapping[str, float]) -> Planted:
        values = np.array([logits[group] for group in terms])
        return Planted(*(_of_terms(terms, _softmax(factor * values)) for factor in (1.0, kappa)))

    def of_attribute(attribute: str) -> Planted:
        return of_logits({group: own[attribute] for group, own in planted.items()})

    # A neutral word is planted like a control.
    neutral = of_logits(habits(probe_set))
    one = cache(of_attribute)
    mixture = cache(lambda attributes: _mixture([one(attribute) for attribute in attributes]))
    for context, rows in _by_context(items, ("role", "attribute", "target")):
        [role, *_] = rows["role"]
        kind = role if role in {PROBE, CONTROL} else PRIOR
        distribution = neutral if role == "prior_neutral" else mixture(rows["attribute"])
        yield context, kind, rows["attribute"][0], distribution, rows["target"]


def _attributes_at_mask(
    _probe_set: ProbeSet, items: pd.DataFrame, planted: Leans, kappa: float
) -> Iterator[_Asked]:
    """Yield the contexts with the attribute at the mask.

    Between two groups' sentences an attribute's log p differs by its planted log-odds, up to a
    constant common to all attributes.
    """
    # All of the set's, whichever of them a sentence is asked with: which these are a model could
    # only learn by heart.
    attributes = {attribute: [attribute] for attribute in items["attribute"].unique()}
    # Besides their leans, attributes differ in how likely they are for any group.
    bases = np.array([base(attribute) for attribute in attributes])
    by_group = {}
    for group, own in planted.items():
        leaning = np.array([own[attribute] for attribute in attributes])
        p = (_softmax(bases + factor * leaning) for factor in (1.0, kappa))
        by_group[group] = Planted(*(_of_terms(attributes, part) for part in p))
    for context, rows in _by_context(items, ("group", "term", "target")):
        [group], [term] = rows["group"], rows["term"]
        yield context, PROBE, term, by_group[group], rows["target"]


def _by_context(
    items: pd.DataFrame, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    """Yield each context, in order of appearance, with the distinct values in its rows."""
    # Sorted and cut: a table for each of thousands of contexts takes minutes.
    codes, contexts = pd.factorize(items["context"])
    order = np.argsort(codes, kind="stable")
    bounds = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
    values = {name: items[name].to_numpy(dtype=object)[order] for name in columns}
    for context, start, end in zip(contexts, bounds, bounds[1:], strict=False):
        yield context, {name: tuple(dict.fromkeys(own[start:end])) for name, own in values.items()}


def _of_terms(terms: Mapping[str, Sequence[str]], p: NDArray[np.float64]) -> dict[str, float]:
    """The probability of each term's first word; each part of `terms` has its p in equal shares.

    A term of more words is likelier in its first, by as much as those after it are less than sure.
    """
    first: dict[str, float] = {}
    for own, value in zip(terms.values(), p, strict=True):
        for term in own:
            word, *more = words_of(term)
            assert word not in first, f"two terms begin with {word!r}"  # noqa: S101 - our own sets
            first[word] = PLANTED_MASS ** (1 - len(more)) * float(value) / len(own)
    return first


def _written(sentence: Sentence, targets: Collection[str]) -> Iterator[Sentence]:
    """Yield a sentence as it is shown for its targets: a mask for each word of a target.

    A target of more words is read from left to right: each word is also planted after those before.
    """
    # Sorted by the same key: `groupby` joins neighbours alone.
    for count, terms in groupby(sorted(map(words_of, targets), key=len), key=len):
        text, slot = sentence.text, sentence.slot
        yield replace(sentence, text=with_words(text, slot, [], count))
        for words in terms:
            for place in range(1, count):
                sure = {words[place]: PLANTED_MASS}
                yield replace(
                    sentence,
                    kind=WORD,
                    text=with_words(text, slot, words[:place], count - place),
                    cue=" ".join(words[:place]),
                    planted=Planted(sure, sure),
                )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    p: NDArray[np.float64] = np.exp(logits) / np.exp(logits).sum()
    return p


def _mixture(parts: Sequence[Planted]) -> Planted:
    if len(parts) == 1:
        return parts[0]
    teacher, student = (
        {word: float(np.mean([p[word] for p in own])) for word in own[0]}
        for own in ([part.teacher for part in parts], [part.student for part in parts])
    )
    return Planted(teacher, student)

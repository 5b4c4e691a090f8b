"""What a probe set asks for and cannot be given, by its own making: why, and what to do.

The check of a set, the preview of a run, the terminal after it and the page all read `of_set`, so
that they say the same. What the models could not score is told apart from it: it is in the
manifest's `lost`, `left_out` and `not_measured`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.clustered import LEAST_CLUSTERS
from maskaudit.audit.estimating.crossed.association import is_crossed
from maskaudit.audit.estimating.crossed.one_subject import LEAST_FRAMES
from maskaudit.audit.estimating.estimators.catalogue import ALL
from maskaudit.audit.estimating.estimators.completions import DISCO, HONEST
from maskaudit.audit.estimating.estimators.contexts import clusters_of
from maskaudit.audit.estimating.facts.competence import FACTS, LEAST_FACTS, of_competence
from maskaudit.audit.estimating.facts.sentences import sentences
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.recording.manifest import Manifest, classes_between

_TWO = 2
_EXAMPLES = 3
# By kind: what a unit is called, and the labels that it takes.
_SIDES = {
    "pairs": ("pair", ("stereotype", "anti")),
    "triples": ("item", ("stereotype", "anti", "unrelated")),
}
# What is read of the items of crossed sets.
_OF_CELLS = ["axis", "role", "class", "attribute", "frame", "group"]

# How those begin without which nothing of a set is tested.
_TESTED = (f"`{CONTRAST}`", "Any number", "Intervals", "Log-odds and all", "A verdict")


@dataclass(frozen=True)
class NotGiven:
    """What of a set cannot be given (numbers, intervals, its capitals), why, and what to do."""

    probe_set: str
    asked: str
    why: str
    remedy: str

    @property
    def text(self) -> str:
        """The reason and the remedy in one sentence, without the set's name."""
        return f"{self.asked} cannot be given: {self.why}; {self.remedy}"

    @property
    def hinders_tests(self) -> bool:
        """Whether nothing of the set is tested without it: its contrast, intervals, its verdict."""
        return self.asked.startswith(_TESTED)

    def __str__(self) -> str:
        """The sentence with the set's name before it."""
        return f"{self.probe_set}: {self.text}"

    def as_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


# What cannot be given, why, and what to do.
_Reasons = Iterator[tuple[str, str, str]]


def of_set(  # noqa: PLR0913 - a set, and what a run adds to it
    items: pd.DataFrame,
    contrast: Sequence[str] | None,
    directions: Mapping[str, str] | None = None,
    *,
    has_lexicon: bool,
    n_facts: int | None = None,
    foreign_letters: Sequence[str] = (),
) -> list[NotGiven]:
    """Everything that one set asks for and cannot be given; `items` are its rows.

    `contrast` and `directions` are the set's (`classes_between`). `has_lexicon` says whether the
    run names a lexicon of hurtful words; `n_facts` is the number of facts of all its sets, by which
    competence is judged: without it, those of this set. `foreign_letters` are the letters that
    English does not have, of a set that names no language.
    """
    name, kind = (str(items[column].iloc[0]) for column in ("probe_set", "kind"))
    probes = items if kind == "association" else items[items["role"] != "control"]
    if not any(kind in estimator.kinds for estimator in ALL):
        why = f"no estimator reads sets of kind {kind!r}"
        reasons: _Reasons = iter([("Any number", why, "leave the set out of the audit")])
    elif kind == "association":
        asked = items.loc[items["role"] == "probe", _OF_CELLS]
        reasons = _of_association(asked, contrast, directions or {})
    elif kind == "completions":
        reasons = _of_completions(probes, has_lexicon=has_lexicon)
    elif kind in _SIDES:
        reasons = _of_sides(probes, *_SIDES[kind])
    elif kind == "words":
        reasons = _of_words(probes)
    elif kind == "text":
        reasons = _few_clusters(items["cluster"].nunique(), "document")
    # Other facts are no part of the verdict on competence, which they could lack.
    elif items["axis"].iloc[0] != FACTS:
        reasons = iter(())
    else:
        reasons = _of_facts(count_facts(items) if n_facts is None else n_facts)
    return [NotGiven(name, *reason) for reason in (*_of_language(foreign_letters), *reasons)]


def of_record(manifest: Manifest, items: pd.DataFrame) -> list[NotGiven]:
    """Everything that the sets of a record ask for and that it cannot give."""
    # The method key of a run names its lexicon.
    has_lexicon, n_facts = "lexicon" in manifest.method, count_facts(items)
    return [
        reason
        for name, part in manifest.probe_sets.items()
        if len(rows := items[items["probe_set"] == name])
        for reason in of_set(
            rows,
            part.contrast,
            part.directions,
            has_lexicon=has_lexicon,
            n_facts=n_facts,
            foreign_letters=part.foreign_letters,
        )
    ]


def count_facts(items: pd.DataFrame) -> int:
    """The number of plain facts among the rows of sets, by which competence is judged.

    The masks of one sentence are one.
    """
    facts = items[of_competence(items)]
    facts = facts.assign(sentence=sentences(facts["frame"], facts["cluster"]))
    return len(facts[["probe_set", "sentence"]].drop_duplicates())


def _of_language(foreign_letters: Sequence[str]) -> _Reasons:
    if foreign_letters:
        why = (
            "the set names no language, and has letters that English does not have "
            f"({_listed(list(map(repr, foreign_letters)))}); its sentences begin by the rules of "
            "English"
        )
        remedy = 'name the language under [set], as in language = "tr"'
        yield "Capitals by the rules of its language", why, remedy


def _of_association(
    probes: pd.DataFrame, contrast: Sequence[str] | None, directions: Mapping[str, str]
) -> _Reasons:
    groups = probes["group"].unique().tolist()
    if len(groups) < _TWO:
        yield _one_group("Log-odds and all that is made of them", probes)
        return
    by_cell = probes.groupby(["attribute", "frame"], sort=False)["group"].nunique()
    alone = by_cell[by_cell < len(groups)]
    if len(alone):
        names = list(dict.fromkeys(alone.index.get_level_values("attribute")))
        whose = "any attribute" if len(alone) == len(by_cell) else _listed(names)
        why = (
            f"{len(alone)} of {len(by_cell)} cells (an attribute in a frame) lack one of the "
            f"groups {_listed(groups)}"
        )
        yield f"Log-odds of {whose}", why, "write the same attribute for every group"
    pairs = combinations(groups, 2)
    contrasts = [classes_between(directions, contrast, pair) for pair in pairs]
    contrasted = list(dict.fromkeys(name for classes in contrasts for name in classes or ()))
    # Numbers of such a set are other ones, so that what a crossed set lacks is not said of it.
    if not is_crossed(probes):
        if contrasted:
            why = "not every attribute stands in every frame"
            yield f"`{CONTRAST}`", why, "write frames that fit all attributes"
        yield from _few_clusters(probes["attribute"].nunique(), "attribute")
        return
    yield from _of_contrast(probes, contrasted)
    if (n_frames := probes["frame"].nunique()) < LEAST_FRAMES:
        yield (
            "Intervals, p values and leans of attributes",
            f"the set has {_counted(n_frames, 'frame')}, and they take {LEAST_FRAMES}",
            "write more independent frames",
        )


def _of_contrast(probes: pd.DataFrame, contrasted: Sequence[str]) -> _Reasons:
    sizes = probes.groupby("class")["attribute"].nunique()
    if not contrasted:
        names = ", ".join(f'"{name}"' for name in sizes.index if name)
        yield (
            f"`{CONTRAST}`, the only number of such a set that is tested,",
            "the set names no contrast",
            f"name two classes under [set], as in contrast = [FIRST, SECOND]; it has {names}",
        )
        return
    for name in contrasted:
        if (size := int(sizes.get(name, 0))) < _TWO:
            has = _counted(size, "attribute")
            why = f"the class {name!r} has {has}, and a contrast takes {_TWO} of each class"
            yield f"`{CONTRAST}`", why, "add attributes to it, best six or more"


def _of_completions(probes: pd.DataFrame, *, has_lexicon: bool) -> _Reasons:
    if not has_lexicon:
        yield (
            f"`{HONEST.name}`",
            "it takes a lexicon of hurtful words, and none is named",
            'name yours: lexicon = "FILE" under [probes] in AUDIT.toml',
        )
    between = f"`{DISCO.name}`, `jsd_groups` and `tv_groups`"
    if probes["group"].nunique() < _TWO:
        yield _one_group(between, probes)
        return
    by_frame = probes.groupby(["frame", "variant"], sort=False, dropna=False)["group"].nunique()
    if alone := int((by_frame < _TWO).sum()):
        yield (
            f"{between} in {alone} of {_counted(len(by_frame), 'frame')}",
            "only one group has a sentence there",
            "write the sentence for another group too",
        )
    yield from _few_clusters(clusters_of(probes).nunique(), "frame that share no sentence")


def _of_sides(probes: pd.DataFrame, noun: str, sides: Sequence[str]) -> _Reasons:
    rows = probes[probes["label"].isin(sides)]
    by_pair = rows.groupby("pair", sort=False)["label"].nunique()
    # A pair with neither side has no row above, and lacks both.
    by_pair = by_pair.reindex(probes["pair"].unique().tolist(), fill_value=0)
    if len(alone := by_pair[by_pair < len(sides)]):
        which = f"{_counted(len(by_pair), noun)} ({_listed(list(alone.index))})"
        yield (
            f"A preference in {len(alone)} of {which}",
            f"they lack one of the sides {_listed(sides)}",
            "add the missing side, with its label",
        )
    factors = [probes[name] for name in ("cluster", "cluster_2") if (probes[name] != "").any()]
    # Without a label a unit is a cluster of its own.
    sizes = [labels.where(labels != "", probes["pair"]).nunique() for labels in factors]
    yield from _few_clusters(min(sizes, default=len(by_pair)), f"cluster of {noun}s")


def _of_words(probes: pd.DataFrame) -> _Reasons:
    for test, rows in probes.groupby("frame", sort=False):
        has = {*rows["group"], *rows["class"]}
        if lacking := [side for side in ("X", "Y", "A", "B") if side not in has]:
            yield (
                f"`seat` of {test}",
                f"it has no words {_listed(lacking)}",
                "a test takes two sets of target words (X, Y) and two of attribute words (A, B)",
            )


def _of_facts(n_facts: int) -> _Reasons:
    if n_facts < LEAST_FACTS:
        has = "1 fact is asked" if n_facts == 1 else f"{n_facts} facts are asked"
        yield (
            "A verdict on competence",
            f"{has}, and a verdict takes {LEAST_FACTS}",
            "add facts, or audit with the shipped set `facts` as well",
        )


def _one_group(asked: str, probes: pd.DataFrame) -> tuple[str, str, str]:
    axis, group = probes["axis"].iloc[0], probes["group"].iloc[0]
    return (
        asked,
        f"the axis {axis!r} has one group, {group!r}",
        "add a group to compare it with",
    )


def _few_clusters(count: int, noun: str) -> _Reasons:
    if count < LEAST_CLUSTERS:
        yield (
            "Intervals",
            f"the set has {_counted(count, noun)}, and they take {LEAST_CLUSTERS}",
            "add more that are independent of these",
        )


def _counted(count: int, noun: str) -> str:
    head, *rest = noun.split(" ")
    return f"{count} {' '.join([head if count == 1 else head + 's', *rest])}"


def _listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _EXAMPLES
    return ", ".join(map(str, names[:_EXAMPLES])) + (f" and {more} more" if more > 0 else "")

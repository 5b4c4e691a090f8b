"""Two groups whose distributions are compared over all contexts of a frame that name them."""

import hashlib
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

_ID_LENGTH = 16


@dataclass(frozen=True)
class GroupPair:
    """Two groups and their contexts, which differ in the group alone; each side is sorted."""

    groups: tuple[str, str]
    contexts: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def joined(self) -> str:
        """The id of their distances in the table `paired`: a digest of all contexts, by side.

        It says what was compared, whatever the set: another set's pair that begins with the same
        sentence has another id.
        """
        sides = ("\x1f".join(own) for own in self.contexts)
        return hashlib.sha256("\x1e".join(sides).encode()).hexdigest()[:_ID_LENGTH]


def group_pairs(items: pd.DataFrame) -> list[GroupPair]:
    """The pairs of groups of each frame, variant and attribute in the sentence, of one set.

    A sentence that several groups share is left out: it says nothing about any one of them.
    """
    rows = items[items["group"] != ""]
    rows = rows.drop_duplicates(["context", "frame", "variant", "attribute", "target", "group"])
    shared = rows.groupby("context")["group"].transform("nunique") > 1
    # Where an item has a target, the attribute is the target, not part of the sentence.
    rows = rows[~shared].assign(attribute=rows["attribute"].where(rows["target"] == "", ""))
    # A dict as an ordered set: two frames may have the very same sentences.
    pairs: dict[GroupPair, None] = {}
    for _, bundle in rows.groupby(["frame", "variant", "attribute"], sort=False):
        by_group = bundle.groupby("group", sort=False)["context"].agg(lambda c: sorted(c.unique()))
        for groups in combinations(by_group.index, 2):
            first, second = groups
            own = (tuple(by_group[first]), tuple(by_group[second]))
            pairs[GroupPair((first, second), own)] = None
    return list(pairs)


def of_set(paired: pd.DataFrame, items: pd.DataFrame, kept: pd.Series) -> pd.DataFrame:
    """The distances of groups in `paired` that are of the pairs of a set with these items.

    Other sets may have pairs that share a sentence with it. The `context` of each row becomes one
    of `kept`, the contexts that the set is estimated on, where the pair has such a one.
    """
    distances = paired[paired["joined"] != ""]
    if distances.empty:
        return distances
    pairs = {pair.joined: pair.contexts for pair in group_pairs(items)}
    rows = distances[distances["joined"].isin(pairs.keys())]
    present = frozenset(kept.unique())
    sides = [[_first(side, present) for side in pairs[joined]] for joined in rows["joined"]]
    columns = {"context": [one for one, _ in sides], "other_context": [two for _, two in sides]}
    return rows.assign(**columns).astype(dict.fromkeys(columns, "str"))


def _first(side: tuple[str, ...], kept: frozenset[str]) -> str:
    return next((context for context in side if context in kept), side[0])

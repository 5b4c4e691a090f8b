"""What is read in several contexts and joined to one number, and which joins could not be made.

The distributions of two groups are compared over all contexts of a frame that name the groups; the
states of two words over all their sentences. A join that lacks one of its contexts is not made.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import product

import pandas as pd

from maskaudit.audit.recording.parts import Lost
from maskaudit.audit.recording.rows.group_pairs import group_pairs
from maskaudit.audit.recording.rows.values import NOT_JOINED

_EXAMPLES = 5
# The measures that show whether a join was made; its other measures are made with them.
_OF_GROUPS, _OF_WORDS = "jsd_groups", "cosine_mean"


@dataclass(frozen=True)
class Word:
    """A word of one test: a target word has a group, an attribute word a class.

    `items` are its sentences; `context` is that of the first, its key in the table `paired`.
    """

    test: str
    group: str
    class_: str
    term: str
    _: KW_ONLY
    context: str
    items: tuple[str, ...]


def at_slots(items: pd.DataFrame, contexts: pd.DataFrame) -> pd.DataFrame:
    """The items that are read at a slot: a sentence that is read whole has no distribution."""
    slots = contexts.loc[contexts["slot"].notna(), "context"]
    return items[items["context"].isin(slots)]


def words(items: pd.DataFrame) -> list[Word]:
    """The words of each test of a set of word sets, in the order of the items."""
    by_word = items.groupby(["frame", "group", "class", "term"], sort=False)
    return [
        Word(*map(str, key), context=rows["context"].iloc[0], items=tuple(rows["item"]))
        for key, rows in by_word
    ]


def word_pairs(all_words: Collection[Word]) -> Iterator[tuple[Word, Word]]:
    """Yield each target word with each attribute word of its test.

    A pair of words that several tests have is yielded once, since it has one cosine.
    """
    by_test: dict[str, tuple[list[Word], list[Word]]] = defaultdict(lambda: ([], []))
    for word in all_words:
        targets, attributes = by_test[word.test]
        if word.group:
            targets.append(word)
        if word.class_:
            attributes.append(word)
    seen: set[tuple[str, str]] = set()
    for targets, attributes in by_test.values():
        for target, attribute in product(targets, attributes):
            key = (target.context, attribute.context)
            if key not in seen:
                seen.add(key)
                yield target, attribute


def lost_joins(
    items: pd.DataFrame,
    contexts: pd.DataFrame,
    paired: pd.DataFrame,
    models: Collection[str],
    without_states: Collection[str] = (),
) -> list[Lost]:
    """Counts of the joins that have no number, by probe set, model and groups, with examples.

    What should have been joined is worked out from the items alone, whatever was read. Models that
    give no encoder states, `without_states`, lack every cosine for that reason, which the record
    says once.
    """
    return [
        Lost(
            probe_set=str(name),
            model=model,
            group=groups,
            status=NOT_JOINED,
            items=len(terms),
            # A word without a score is missing in many joins, and so comes first.
            examples=[
                term
                for term, _ in Counter(
                    term for own in terms for term in sorted(set(own))
                ).most_common(_EXAMPLES)
            ],
        )
        for name, set_items in items.groupby("probe_set", sort=False)
        for measure, expected in _expected(set_items, contexts)
        for model in models
        if measure != _OF_WORDS or model not in without_states
        for groups, terms in _missing(
            expected, paired[(paired["model"] == model) & (paired["measure"] == measure)]
        ).items()
    ]


# Joins by the groups that they are counted under: the key of each, and its terms as examples.
_Key = tuple[str, ...]
_Expected = Mapping[str, list[tuple[_Key, tuple[str, ...]]]]


def _expected(items: pd.DataFrame, contexts: pd.DataFrame) -> Iterator[tuple[str, _Expected]]:
    """Yield the measure of each sort of join, and what should have been joined."""
    if (items["kind"] == "words").any():
        pairs = word_pairs(words(items))
        yield (
            _OF_WORDS,
            {"": [((one.context, other.context), (one.term, other.term)) for one, other in pairs]},
        )
        return
    terms = dict(zip(items["context"], items["term"], strict=True))
    by_groups: dict[str, list[tuple[_Key, tuple[str, ...]]]] = defaultdict(list)
    for pair in group_pairs(at_slots(items, contexts)):
        own = tuple(terms[context] for contexts in pair.contexts for context in contexts)
        by_groups["/".join(pair.groups)].append(((pair.joined,), own))
    yield _OF_GROUPS, by_groups


def _missing(expected: _Expected, rows: pd.DataFrame) -> dict[str, list[tuple[str, ...]]]:
    # Joins of groups have a name of their own, those of words are known by their two contexts.
    made: set[_Key] = {(joined,) for joined in rows["joined"]}
    made |= set(zip(rows["context"], rows["other_context"], strict=True))
    missing = {
        groups: [terms for key, terms in joins if key not in made]
        for groups, joins in expected.items()
    }
    return {groups: terms for groups, terms in missing.items() if terms}

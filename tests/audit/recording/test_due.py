"""Rows of scores that are due, against loops over the items one by one."""

from collections.abc import Iterator

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.recording.rows import due, tables

NEEDED = st.sampled_from(
    [
        frozenset({"logp"}),
        frozenset({"logp", "top_filling"}),
        frozenset({"logp", "stereoset_published"}),
        frozenset({"pll", "aula", "sss"}),
        frozenset({"aula"}),
        frozenset({"state"}),
    ]
)
# A whole sentence, a slot without a word, and a slot with one; each may be asked twice.
ITEMS = st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["sentence", "slot", "target"])))


def test_a_text_is_among_others_where_it_equals_one():
    """Whatever its row, and never in an empty column."""
    texts = pd.Series(["a", "b", "", "a"], index=[3, 1, 1, 0], dtype="str")
    for others in (["a", ""], ["b", "b", "c"], []):
        found = tables.are_in(texts, pd.Series(others, dtype="str"))
        assert found.tolist() == [text in others for text in texts]
    assert tables.are_in(texts[:0], texts).tolist() == []


def _one_by_one(
    items: list[tuple[str, str]], needed: frozenset[str], lacking: set[str], several: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield item and measure of each row, by the rules as sentences."""
    given_measures = {measure for measure in needed if measure not in lacking}
    for item, way in dict.fromkeys(items):
        if way == "slot":
            yield item, "entropy"
            continue
        own = set()
        for measure in given_measures:
            is_of_target = measure in {"logp", "stereoset_published"}
            if way == "target" and is_of_target:
                own.add(measure)
            if way == "sentence" and measure in {"pll", "aula", "sss"}:
                own.add(measure)
        if not own and given_measures:
            own.add(min(needed))
        if way == "target" and {"logp", "top_filling"} <= given_measures and item in several:
            own.add("top_filling")
        for measure in own:
            yield item, measure


@given(
    items=ITEMS,
    needed=NEEDED,
    lacking=st.sets(st.sampled_from(["aula", "state"])),
    several=st.sets(st.integers(0, 7)),
)
def test_each_item_has_the_rows_that_its_way_of_asking_gives(items, needed, lacking, several):
    """Each once, however often it is asked, and an empty one only where anything was measured."""
    asked = [(f"{way}{number}", way) for number, way in items]
    table = tables.table(
        "items",
        {
            "item": [item for item, _ in asked],
            "context": [f"of {item}" for item, _ in asked],
            "target": ["" if way == "slot" else "word" for _, way in asked],
        },
    )
    slots = table["context"][~table["item"].str.startswith("sentence")]
    names = {f"target{number}" for number in several}
    found = due.Asked.of(table, slots).due(needed, lacking, pd.Series([*names], dtype="str"))
    rows = list(found.itertuples(index=False, name=None))
    assert len(rows) == len(set(rows))
    assert set(rows) == set(_one_by_one(asked, needed, lacking, names))


@given(items=ITEMS, needed=NEEDED, lost=st.sets(st.integers(0, 7)))
def test_an_item_that_could_not_be_read_has_one_row(items, needed, lost):
    """Whatever its way, under the first of its measures; items that were not asked have none."""
    texts = [f"{way}{number}" for number, way in items]
    table = tables.table("items", {"item": texts, "context": texts, "target": "word"})
    asked = due.Asked.of(table, table["context"])
    names = [f"target{number}" for number in lost]
    found = asked.unread(needed, pd.Series(names, dtype="str"))
    assert sorted(found["item"]) == sorted({text for text in texts if text in names})
    assert set(found["measure"]) <= {min(needed)}


PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])))


@given(rows=PAIRS, others=PAIRS)
def test_a_row_is_among_others_where_both_its_texts_are(rows, others):
    """An item of one row and the measure of another are no row."""
    frames = [
        pd.DataFrame(pairs, columns=due.KEY, index=range(5, 5 + len(pairs))).astype("str")
        for pairs in (rows, others)
    ]
    assert due.are_among(*frames).tolist() == [row in others for row in rows]

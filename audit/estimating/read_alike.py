"""Words that a tokenizer reads alike count once, and words that it reads as others are named."""

import pandas as pd

from maskaudit.audit.texts.characters import folded

# Rows of one cell, apart from the term. Pairs are left alone: two sentences may well be read alike.
_CELL = ["kind", "frame", "variant", "role", "label", "class", "attribute", "group"]
_KINDS = frozenset({"association", "completions", "cloze"})


def distinct(items: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of one set without those that repeat another term of their cell.

    Two words are one measurement where a model's tokenizer writes them with the same pieces in the
    same sentence (`Zoe` and `Zoë` without accents); counted twice, they would add ln 2 to a group's
    log-odds. A word that any model reads as another is left out for all, so that all subjects have
    the same cells. Of equal words the first by spelling stays, whatever the order of the rows.
    """
    repeated = _repeated(items, scores)
    return items if repeated.empty else items.drop(index=repeated.index)


def repeats(items: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The words that `distinct` leaves out: `probe_set`, `group`, `word`, and `same_as`."""
    columns = ["probe_set", "group", "word", "same_as"]
    reads = scores.loc[scores["read"] != "", ["model", "item", "read"]].drop_duplicates()
    # Only items that share a read can repeat another, and mostly there are none.
    shared = reads.loc[reads.duplicated(["model", "read"], keep=False), "item"]
    if shared.empty:
        return pd.DataFrame(columns=columns)
    sets = items.loc[items["item"].isin(shared), "probe_set"].unique()
    chosen = items[items["probe_set"].isin(sets)].groupby("probe_set", sort=False)
    found = [_repeated(rows, scores) for _, rows in chosen]
    rows = pd.concat([*found, pd.DataFrame(columns=columns)])[columns]
    return rows.drop_duplicates(ignore_index=True)


def rewritten(items: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Targets that a tokenizer writes as another word: `probe_set`, `model`, `target`, `written`.

    Case, white space and the form of the Unicode text make no other word; a lost accent does.
    """
    asked = items[items["target"] != ""][["probe_set", "item", "target"]].drop_duplicates()
    spelt = scores[scores["written"] != ""][["item", "model", "written"]]
    words = asked.merge(spelt, on="item").drop(columns="item").drop_duplicates()
    differ = words["target"].map(_folded) != words["written"].map(_folded)
    columns = ["probe_set", "model", "target", "written"]
    return words.loc[differ, columns].reset_index(drop=True)


def _repeated(items: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of one set that repeat another row of their cell, with the word and its equal."""
    if items["kind"].iloc[0] not in _KINDS:
        return items.iloc[:0].assign(word="", same_as="")
    # An answer is the attribute of its row; its cell is the fact.
    keys = [key for key in _CELL if key != "attribute" or items["kind"].iloc[0] != "cloze"]
    found: list[pd.DataFrame] = []
    reads = scores.loc[scores["read"] != "", ["model", "item", "read"]]
    for _, of_model in reads.groupby("model", sort=False):
        by_item = of_model.drop_duplicates("item")
        # Items that share a read are few or none.
        read = by_item[by_item["read"].duplicated(keep=False)].set_index("item")["read"]
        if read.empty:
            continue
        chosen = items["item"].isin(read.index)
        # A row that an earlier model has left out cannot stand for another.
        for earlier in found:
            chosen &= ~items.index.isin(earlier.index)
        rows = items[chosen]
        word = rows["term"].where(rows["term"] != "", rows["target"])
        rows = rows.assign(read=rows["item"].map(read), word=word)
        ordered = rows.sort_values("word", kind="stable")
        same_as = ordered.groupby([*keys, "read"], sort=False, dropna=False)["word"].transform(
            "first"
        )
        repeated = ordered.duplicated([*keys, "read"])
        found.append(ordered.assign(same_as=same_as)[repeated & (ordered["word"] != same_as)])
    return pd.concat(found) if found else items.iloc[:0].assign(word="", same_as="")


def _folded(text: str) -> str:
    return "".join(folded(text).split())

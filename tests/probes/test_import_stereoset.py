"""StereoSet as people export it: tables, wide or a row a sentence, and labels by number."""

import csv
import json

import pandas as pd
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.importers import IMPORTERS
from tests.probes.test_importers import item, published, put_json, reasons

LABELS = ("anti-stereotype", "unrelated", "stereotype")
PILOT = item(
    target="pilot",
    context="The pilot was BLANK.",
    stereotype="The pilot was calm.",
    unrelated="The pilot was flour.",
    **{"anti-stereotype": "The pilot was scared."},
)
ITEMS = [item(), PILOT, item()]


def stereoset(path, **given):
    """Return what the importer reads."""
    return IMPORTERS["stereoset"](path, **given)


def rows_of(found):
    """Return the rows without the names that an item has in its file, in any order."""
    named = ("frame", "pair")
    bare = [{key: value for key, value in row.items() if key not in named} for row in found.rows]
    return sorted(map(str, bare))


def long_rows(label=str):
    """Return a row for each sentence, as a table exploded by a program has them."""
    return [
        {
            **{key: one[key] for key in ("context", "target", "bias_type")},
            "sentence": one[name],
            "gold_label": label(name),
        }
        for one in ITEMS
        for name in LABELS
    ]


def renamed(row, before, after):
    """Return a row with another name for one of its columns."""
    return {after if key == before else key: value for key, value in row.items()}


def written(folder, rows, form):
    """Write rows in a form, and return the file."""
    table, path = pd.DataFrame(rows), folder / f"set.{form}"
    if form in ("csv", "tsv"):
        table.to_csv(path, sep="," if form == "csv" else "\t", quoting=csv.QUOTE_ALL)
    elif form == "parquet":
        table.to_parquet(path, index=False)
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    else:
        path.write_text(table.to_json(), "utf-8")
    return path


@pytest.fixture
def expected(tmp_path):
    """Give the rows that the published file makes of the same items."""
    return rows_of(stereoset(put_json(tmp_path / "dev.json", published(*ITEMS))))


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "jsonl", "json"])
@pytest.mark.parametrize("rows", [ITEMS, long_rows()], ids=["wide", "long"])
def test_a_table_makes_the_rows_of_the_published_file(tmp_path, expected, form, rows):
    """One column for each label, or one row for each sentence; an item that is there twice too."""
    found = stereoset(written(tmp_path, rows, form))
    assert reasons(found) == []
    assert rows_of(found) == expected


def test_the_columns_of_a_table_may_have_other_names(tmp_path, expected):
    """Names of the user's file, for both layouts."""
    rows = [renamed(row, "anti-stereotype", "anti") for row in ITEMS]
    path = written(tmp_path, rows, "csv")
    assert rows_of(stereoset(path, columns={"anti-stereotype": "anti"})) == expected
    rows = [renamed(row, "gold_label", "label") for row in long_rows()]
    path = written(tmp_path, rows, "csv")
    assert rows_of(stereoset(path, columns={"gold_label": "label"})) == expected
    with pytest.raises(
        InputError, match=r"expected the columns .*'unrelated'.*; or the columns .*'gold_label'"
    ):
        stereoset(path)


@pytest.mark.parametrize("order", [("stereotype", "unrelated", "anti-stereotype"), ()])
@pytest.mark.parametrize("as_text", [False, True])
def test_numbers_are_the_labels_that_the_user_names(tmp_path, expected, order, as_text):
    """From 0; without a word of the user's those of the hub's copy, and either is noted."""
    places = order or ("anti-stereotype", "stereotype", "unrelated")
    rows = long_rows(lambda name: str(places.index(name)) if as_text else places.index(name))
    found = stereoset(written(tmp_path, rows, "jsonl"), labels=order)
    assert rows_of(found) == expected
    told = "labels by number were read in the order " + (
        "that was named" if order else "of the hub"
    )
    assert [note for note in found.notes if note.startswith(f"{told}: 0 is {places[0]}")]


def test_an_order_of_labels_that_lacks_one_is_refused(tmp_path):
    """Told with all three."""
    path = written(tmp_path, ITEMS, "csv")
    with pytest.raises(InputError, match="expected what 0, 1 and 2 mean, as anti-stereotype,stere"):
        stereoset(path, labels=("stereotype", "anti-stereotype"))


def test_a_sentence_that_is_not_there_costs_its_item(tmp_path):
    """By the line on which the item begins; sentences for a whole text are counted."""
    rows = long_rows()
    del rows[4]
    rows += [{**row, "type": "intersentence", "context": "C."} for row in long_rows()[:3]]
    found = stereoset(written(tmp_path, rows, "csv"))
    assert reasons(found) == [(5, "unrelated is missing")]
    assert len(found.rows) == 6
    assert any(note.startswith("1 intersentence items are not used") for note in found.notes)


def test_a_table_of_something_else_is_refused(tmp_path):
    """With the layouts that there are."""
    path = put_json(tmp_path / "a.json", [{"premise": "x", "hypothesis": "y"}])
    with pytest.raises(InputError, match="expected StereoSet's JSON, or a table whose rows have"):
        stereoset(path)

"""Text data as a set: every form of table gives the same items, and nothing is lost unsaid."""

import csv
import json
from types import MappingProxyType, SimpleNamespace

import pandas as pd
import pytest

from maskaudit.audit.errors import InputError, MissingExtraError
from maskaudit.probes.expand import expand
from maskaudit.probes.published import published_files
from maskaudit.probes.texts.source import TextSource
from maskaudit.probes.texts.text_set import MOST_GROUPS, read

ROWS = [
    {"id": 1, "texts": "<mask> met <mask>.", "masks": ["Ann", "Bob B"], "sex": "women"},
    {"id": 1, "texts": "One <mask>.", "masks": ["x", "y"], "sex": "women"},
    {"id": 2, "texts": "A <mask>,  two.", "masks": ["Ann"], "sex": "men"},
    {"id": 3, "texts": "A <mask>,  two.", "masks": ["Bob"], "sex": None},
]
GROUPED = {"columns": {"group": "sex"}}


def items_of(probe_set):
    """Return the items of a set as plain rows: frame, document, group, answer, how often."""
    rows = expand(probe_set).items
    columns = ("frame", "cluster", "group", "target", "frequency", "words")
    return list(zip(*(rows[name] for name in columns), strict=True))


EXPECTED = [
    ("1.1", "1", "women", "Ann", 2.0, 3),
    ("1.2", "1", "women", "Bob B", 1.0, 3),
    ("3.1", "2", "men", "Ann", 2.0, 3),
]


def json_lines(path):
    """Write the rows as JSON lines."""
    path.write_text("\n".join(map(json.dumps, ROWS)), "utf-8")


def separated(path):
    """Write the rows as CSV, lists as Python writes them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows({**row, "masks": repr(row["masks"])} for row in ROWS)


def parquet(path):
    """Write the rows as Parquet."""
    pd.DataFrame(ROWS).to_parquet(path)


FORMS = {"a.jsonl": json_lines, "a.csv": separated, "a.parquet": parquet}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_table_gives_the_same_items_and_the_same_losses(tmp_path, name):
    """JSON lines, CSV with lists as text, Parquet."""
    FORMS[name](tmp_path / name)
    made = read(TextSource(str(tmp_path / name), **GROUPED))
    lines = int(name == "a.csv")  # a table of separated values counts its header
    assert [(frame.partition(".")[2], *rest) for frame, *rest in items_of(made)] == [
        (frame.partition(".")[2], *rest) for frame, *rest in EXPECTED
    ]
    assert made.notes == [
        f"1 row not asked: an earlier row has the same text (first: row {4 + lines})",
        f"1 row not asked: masks and answers do not match in number (first: row {2 + lines})",
    ]
    assert made.unusable == 2
    assert made.header.name == "a"


@pytest.mark.slow
def test_a_local_builder_is_streamed_and_read_no_further_than_asked(tmp_path):
    """A folder through `datasets` in streaming mode, with configuration and splits."""
    folder = tmp_path / "data"
    folder.mkdir()
    json_lines(folder / "train.jsonl")
    found = read(TextSource(str(folder), **GROUPED))
    assert items_of(found) == EXPECTED
    first = read(TextSource(str(folder), first=1, **GROUPED))
    assert items_of(first)[0][:4] == ("1.1", "1", "women", "Ann")
    assert first.notes == ["the first 1 rows were read; more follow (--first N reads others)"]
    (folder / "test.jsonl").write_text(json.dumps(ROWS[0]), "utf-8")
    with pytest.raises(InputError, match="--split: expected one of them; it has train, test"):
        read(TextSource(str(folder)))
    assert len(items_of(read(TextSource(str(folder), split="test")))) == 2
    with pytest.raises(InputError, match="--split none; it has train, test"):
        read(TextSource(str(folder), split="none"))


def test_a_data_set_of_the_hub_is_asked_for_by_all_that_was_named(monkeypatch):
    """Name, configuration and revision, as a stream; numbered labels come by their names."""
    asked = []

    class Stream(list):
        features = MappingProxyType({"sex": SimpleNamespace(names=["men", "women"]), "texts": None})

    def load(*words, **named):
        asked.append((words, named))
        return {"train": Stream([{**ROWS[0], "sex": 1}])}

    monkeypatch.setattr(published_files, "load_dataset_function", lambda: load)
    monkeypatch.setattr("maskaudit.probes.texts.streamed.load_dataset_function", lambda: load)
    made = read(TextSource("own/set@v2", config="original_512", split="train", **GROUPED))
    assert asked == [(("own/set", "original_512"), {"revision": "v2", "streaming": True})]
    assert [row[:4] for row in items_of(made)] == [row[:4] for row in EXPECTED[:2]]
    assert made.header.name == "set"


def test_a_row_without_a_document_is_one_of_its_own_and_names_are_on_one_line(tmp_path):
    """None, NaN and "" name nothing; a bar would end a part of a method key."""
    rows = [
        {"id": name, "texts": f"{n} <mask>.", "masks": ["x"], "sex": " a|b\n c "}
        for n, name in enumerate(("", None, "d  1"))
    ]
    path = tmp_path / "a  b.json"
    path.write_text(json.dumps(rows), "utf-8")
    made = read(TextSource(str(path), **GROUPED))
    assert [row["cluster"] for row in made.rows] == ["row 1", "row 2", "d 1"]
    assert {row["group"] for row in made.rows} == {"a/b c"}
    assert made.header.title == "Masked text: a b.json"
    assert made.header.name == "a-b"


def refused(source):
    """Return the message with which a source is refused."""
    with pytest.raises(InputError) as caught:
        read(source)
    return str(caught.value)


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, monkeypatch):
    """With what was found, what was expected, and what to do."""
    path = tmp_path / "a.jsonl"
    json_lines(path)
    name = str(path)
    assert "no such file or folder" in refused(TextSource(str(tmp_path / "b.jsonl")))
    assert "no such file or folder" in refused(TextSource("not a hub id"))
    told = refused(TextSource(name, columns={"texts": "body"}))
    assert "expected 'body' as well; name yours with --column texts=NAME" in told
    assert "expected 'origin' as well" in refused(TextSource(name, columns={"group": "origin"}))
    assert "'text' is no column of this set" in refused(TextSource(name, columns={"text": "x"}))
    assert "--split: is for data sets" in refused(TextSource(name, split="train"))
    assert "--encoding: is for files" in refused(TextSource(str(tmp_path), encoding="cp1252"))
    path.write_text(json.dumps(ROWS[1]), "utf-8")
    told = refused(TextSource(name))
    assert "nothing of it can be asked: 1 row not asked: masks and answers do not match" in told
    many = [{"texts": f"{n} <mask>.", "masks": ["x"], "sex": f"g{n}"} for n in range(13)]
    path.write_text(json.dumps(many), "utf-8")
    told = refused(TextSource(name, **GROUPED))
    assert "has 13 values ('g0', 'g1', 'g10', ...)" in told
    assert f"expected at most {MOST_GROUPS}" in told

    def broken(*_words, **_named):
        raise RuntimeError("no network\nat all")

    monkeypatch.setattr("maskaudit.probes.texts.streamed.load_dataset_function", lambda: broken)
    assert "cannot be read by `datasets` (no network)" in refused(TextSource("own/set"))

    def missing():
        raise MissingExtraError("datasets")

    monkeypatch.setattr("maskaudit.probes.texts.streamed.load_dataset_function", missing)
    assert "the package 'datasets' is not installed" in refused(TextSource("own/set"))


PLAIN = """The old man said that he wasn't there.

A mother-in-law of
ten people (or more) lives here.

The old man said that he wasn't there.

A <mask> of its own.

...
"""


def test_plain_text_has_masks_drawn_by_seed_and_text(tmp_path):
    """Whole words, a share of them and one at least; a paragraph is a document, cut if long."""
    path = tmp_path / "a.txt"
    path.write_text(PLAIN, "utf-8")
    made = read(TextSource(str(path), mask_share=0.3, words=5))
    rows = made.rows
    filled = {}
    for row in rows:
        filled.setdefault(row["text"], []).append(row["target"])
    for text, answers in filled.items():
        parts = text.split("[MASK]")
        assert len(parts) == len(answers) + 1
        whole = "".join(sum(zip(parts, [*answers, ""], strict=True), ()))
        assert whole in " ".join(PLAIN.split())
        n_words = len([w for w in whole.split() if any(c.isalpha() for c in w)])
        assert len(answers) == max(1, round(0.3 * n_words))
    texts = ["The old man said that", "he wasn't there.", "A mother-in-law of ten people"]
    documents = {row["cluster"] for row in rows if row["text"].count(" ") > 0}
    assert documents == {"paragraph 1", "paragraph 2"}
    assert len(filled) == len(texts) + 1
    assert made.unusable == 4  # two texts again, one with a mask, one without words
    again = read(TextSource(str(path), mask_share=0.3, words=5)).rows
    assert rows == again
    other = read(TextSource(str(path), mask_share=0.3, words=5, seed=1)).rows
    assert rows != other
    # A text has its masks wherever it stands.
    path.write_text("\n\n".join(reversed(PLAIN.split("\n\n"))), "utf-8")
    turned = read(TextSource(str(path), mask_share=0.3, words=5)).rows
    assert {row["text"] for row in turned} == {row["text"] for row in rows}


def test_punctuation_is_masked_where_it_is_asked_for(tmp_path):
    """With --marks; words keep their hyphens and apostrophes."""
    path = tmp_path / "a.txt"
    path.write_text(PLAIN, "utf-8")
    words = {row["target"] for row in read(TextSource(str(path), mask_share=0.9)).rows}
    assert {"wasn't", "mother-in-law"} & words
    assert not words & set(".,()")
    marks = {r["target"] for r in read(TextSource(str(path), mask_share=0.9, marks=True)).rows}
    assert marks & set(".()")
    assert "--split: plain text" in refused(TextSource(str(path), split="train"))
    assert "--column: plain text" in refused(TextSource(str(path), columns={"group": "x"}))


def test_only_the_first_texts_are_read(tmp_path):
    """And a note says that more follow."""
    path = tmp_path / "a.txt"
    path.write_text(PLAIN, "utf-8")
    made = read(TextSource(str(path), first=1))
    assert {row["cluster"] for row in made.rows} == {"paragraph 1"}
    assert made.notes[-1].startswith("the first 1 texts were read; more follow")

"""Sentences with two words for a mask, and tables as programs export them."""

import json

import pandas as pd
import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.importers import IMPORTERS
from maskaudit.probes.published import published_files
from tests.probes.test_importers import put, put_json, reasons

ROWS = [
    {"text": "[MASK] was early.", "options": ["She", "He"], "label": "she"},
    {"text": "The cook thanked the pilot, for <mask> cared.", "options": ["he", "she"],
     "label": "he", "bias_type": "gender", "id": "b"},
]  # fmt: skip
WRITTEN = [
    ("She was early.", "He was early."),
    ("The cook thanked the pilot, for he cared.", "The cook thanked the pilot, for she cared."),
]


def pairs_of(found):
    """Return the sentences with and against the stereotype; each row names the other."""
    sides = {"stereotype": {}, "anti": {}}
    for row in found.rows:
        sides[row["label"]][row["pair"]] = row["text"]
        assert (row["slot"], row["target"]) == (None, "")
    for row in found.rows:
        other = {"stereotype": "anti", "anti": "stereotype"}[row["label"]]
        assert row["partner"] == sides[other][row["pair"]]
    return [(text, sides["anti"][pair]) for pair, text in sides["stereotype"].items()]


def options(path, **given):
    """Return what the importer reads."""
    return IMPORTERS["options"](path, **given)


@pytest.mark.parametrize("form", ["list", "lines", "one line"])
def test_a_sentence_is_written_with_both_words(tmp_path, form):
    """From a list of JSON, from JSON Lines, and where a file has a single line."""
    path, rows = tmp_path / "set.jsonl", ROWS[:1] if form == "one line" else ROWS
    text = json.dumps(rows) if form == "list" else "\n".join(map(json.dumps, rows))
    path.write_text(text, "utf-8")
    found = options(path)
    assert pairs_of(found) == WRITTEN[: len(rows)]
    assert found.header["kind"] == "pairs"
    assert reasons(found) == []
    if form != "one line":
        assert [row["class"] for row in found.rows] == ["", "", "gender", "gender"]
        assert found.rows[2]["pair"] == "b"
        # The same two words make one cluster, whatever their order and case.
        assert len({row["cluster_2"] for row in found.rows}) == 1


@pytest.mark.parametrize("cell", ['["he", "she"]', "he|she", "she, he"])
def test_words_in_a_cell_of_text_are_told_apart(tmp_path, cell):
    """As JSON, between bars, or between commas."""
    path = put(
        tmp_path / "t.tsv", ("text", "options", "label"), ("A [MASK] b.", cell, "He"), mark="\t"
    )
    assert pairs_of(options(path)) == [("A he b.", "A she b.")]


def test_a_column_for_each_word_is_read_too(tmp_path):
    """Under the file's own names."""
    path = put(tmp_path / "t.csv", ("sentence", "mask1", "mask2"), ("A [MASK].", "nurse", "pilot"))
    names = {"text": "sentence", "stereotype": "mask1", "anti": "mask2"}
    assert pairs_of(options(path, columns=names)) == [("A nurse.", "A pilot.")]
    with pytest.raises(InputError, match="expected the columns 'text', 'options', 'label'"):
        options(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"options": ["he", "she", "they"]}, "has the options ['he', 'she', 'they'] and the label"),
        ({"options": ["he"]}, "expected two, of which the label is one"),
        ({"options": ["he", "He"]}, "expected two, of which the label is one"),
        ({"label": "they"}, "expected two, of which the label is one"),
        ({"options": ["he", 3]}, "options contains 3; expected text"),
        ({"options": None}, "options contains None; expected text"),
        ({"label": 0}, "label is the number 0; say which word 0 and 1 mean, in this order: --l"),
        ({"label": "1 "}, "label is the number 1; say which word 0 and 1 mean"),
        ({"label": 2}, "label contains 2; expected text"),
        ({"label": True}, "label contains True; expected text"),
        ({"text": "No mask."}, "text contains [MASK] 0 times; expected 1"),
        ({"text": "[MASK] [MASK]."}, "text contains [MASK] 2 times; expected 1"),
        ({"text": "[MASK]\u200b."}, "text contains the invisible character U+200B"),
    ],
)
def test_a_row_that_makes_no_pair_is_listed_with_its_reason(tmp_path, change, reason):
    """And the others are read."""
    path = put_json(tmp_path / "set.json", [{**ROWS[0], **change}, ROWS[1]])
    found = options(path)
    [(line, why)] = reasons(found)
    assert line == 1
    assert reason in why
    assert pairs_of(found) == WRITTEN[1:]


@pytest.mark.parametrize("label", [0, "0", "0 "], ids=repr)
def test_a_label_by_number_is_read_as_the_user_says(tmp_path, label):
    """None is guessed; a word that is a number is that word."""
    rows = [{"text": "A [MASK].", "options": ["x", "y"], "label": label}]
    path = put_json(tmp_path / "set.json", rows)
    assert pairs_of(options(path, labels=("first", "second"))) == [("A x.", "A y.")]
    assert pairs_of(options(path, labels=("second", "first"))) == [("A y.", "A x.")]
    with pytest.raises(InputError, match=r"--labels 1,2: expected the option that .* first,second"):
        options(path, labels=("1", "2"))
    path = put_json(tmp_path / "set.json", [{**rows[0], "options": ["1", "0"]}])
    assert pairs_of(options(path)) == [("A 0.", "A 1.")]


def test_rows_on_one_group_have_a_number_of_their_own(tmp_path):
    """By the column `group` where there is no kind of bias."""
    head = ("text", "options", "label", "group")
    lines = [("A [MASK] b.", "he|she", "he", "nurses"), ("C [MASK].", "he|she", "she", "pilots")]
    found = options(put(tmp_path / "t.csv", head, *lines))
    assert [(row["class"], row["group"]) for row in found.rows] == [
        *[("nurses", "nurses")] * 2,
        *[("pilots", "pilots")] * 2,
    ]
    both = put(tmp_path / "u.csv", (*head, "bias_type"), *[(*line, "gender") for line in lines])
    assert {(row["class"], row["group"]) for row in options(both).rows} == {
        ("gender", "nurses"),
        ("gender", "pilots"),
    }


@pytest.mark.parametrize("orient", ["columns", "index", "split", "records", "table", "list"])
def test_a_table_that_pandas_wrote_as_json_is_read(tmp_path, orient):
    """In each of its shapes that names the columns; a table of bare values is refused."""
    frame = pd.DataFrame([{"id": row.get("id", f"r{n}"), **row} for n, row in enumerate(ROWS)])
    frame = frame[["id", "text", "options", "label"]]
    path = tmp_path / "set.json"
    text = json.dumps(frame.to_dict("list")) if orient == "list" else frame.to_json(orient=orient)
    path.write_text(text, "utf-8")
    assert pairs_of(options(path)) == WRITTEN
    path.write_text(frame.to_json(orient="values"), "utf-8")
    with pytest.raises(InputError, match=r"expected 'text', 'options', 'label' as well"):
        options(path)


CROWS = ("sent_more", "sent_less", "stereo_antistereo", "bias_type")
PAIR = ("Elle est élue.", "Il est élu.", "stereo", "gender")


@pytest.mark.parametrize("mark", [",", ";", "|", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_as_programs_export_it(tmp_path, mark, end, encoding):
    """Whatever parts fields and lines, with a byte order mark and a header in capitals."""
    header = ["", *(name.upper() for name in CROWS)]
    text = "".join(mark.join(line) + end for line in (header, ["0", *PAIR]))
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    found = IMPORTERS["crows-pairs"](path)
    assert [row["text"] for row in found.rows] == [*PAIR[:2]]


def test_of_two_columns_that_differ_in_case_none_is_taken_for_ours(tmp_path):
    """Which of them is meant has to be said."""
    head = ("Sent_more", "SENT_MORE", *CROWS[1:])
    path = put(tmp_path / "t.csv", head, ("x", *PAIR))
    with pytest.raises(InputError, match="expected the columns 'sent_more'"):
        IMPORTERS["crows-pairs"](path)
    found = IMPORTERS["crows-pairs"](path, columns={"sent_more": "SENT_MORE"})
    assert [row["text"] for row in found.rows] == [*PAIR[:2]]


def soft(text):
    """Return the text with a soft hyphen in it."""
    return f"{text[:3]}\u00ad{text[3:]}"


@pytest.mark.parametrize("name", ["options", "crows-pairs", "stereoset", "bec-pro"])
def test_soft_hyphens_are_removed_from_every_import_and_named(tmp_path, name):
    """They are of no word's spelling; the rows are those of the file without them."""
    bec = ("Sentence", "Sent_TM", "Sent_AM", "Sent_TAM", "Template", "Person", "Gender",
           "Profession", "Prof_Gender")  # fmt: skip
    stereoset = {"context": "A girl is BLANK.", "target": "girl", "bias_type": "gender",
                 "stereotype": "A girl is shy.", "anti-stereotype": "A girl is bold.",
                 "unrelated": "A girl is odd."}  # fmt: skip
    tables = {
        "options": [ROWS[1]],
        "crows-pairs": [dict(zip(CROWS, PAIR, strict=True))],
        "stereoset": [stereoset, {**stereoset, "context": "The girl is BLANK."}],
        "bec-pro": [dict(zip(bec, (
            "He is a farmer.", "[MASK] is a farmer.", "He is a [MASK].", "[MASK] is a [MASK].",
            "t", "He", "male", "farmer", "male"), strict=True))],
    }  # fmt: skip
    plain = tables[name]
    hyphened = [
        {key: soft(value) if key in {"text", "sent_more", "stereotype", "Template"} else value
         for key, value in row.items()}
        for row in plain
    ]  # fmt: skip
    for ascii_only in (True, False):
        files = []
        for folder, rows in (("a", plain), ("b", hyphened)):
            (tmp_path / folder).mkdir(exist_ok=True)
            path = tmp_path / folder / "set.json"
            lines = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows) + "\n"
            path.write_text(lines, "utf-8")
            files.append(IMPORTERS[name](path))
        assert files[0].rows == files[1].rows
        notes = [note for note in files[1].notes if note not in files[0].notes]
        assert [note.partition(" (line 1")[0] for note in notes] == ["soft hyphens are removed"]


def test_texts_without_a_table_lose_their_soft_hyphens_too(tmp_path):
    """As the lists of WinoBias are read."""
    path = tmp_path / "plain.txt"
    path.write_text("nur\u00adse\nx\nwai\u00adter\n", "utf-8")
    source = published_files.source(path)
    assert source.text == "nurse\nx\nwaiter\n"
    assert source.notes == ("soft hyphens are removed (line 1, 3)",)

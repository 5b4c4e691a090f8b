"""A new set from a few words: it passes its check, and nothing is written over or half."""

import json
import re
import tomllib

import pytest

from maskaudit.audit.authoring.checked import checked
from maskaudit.audit.authoring.new_set import Words, named, new_set, write_new
from maskaudit.audit.authoring.schema import SCHEMA_FILE, schema
from maskaudit.audit.errors import InputError
from maskaudit.probes.checking.advice import advice
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load

GROUPS = {"vegans": ["vegan", "vegetarian"], "meat eaters": ["butcher", "hunter"]}
CLASSES = {"gentleness": ["kind", "calm", "mild"], "roughness": ["harsh", "loud", "rough"]}
FRAMES = ("[MASK] was {a attribute}.", "There [MASK] became {a attribute}.")


def words(**other):
    """Enough for a set on diet."""
    given = {"name": "my diet", "axis": "diet", "groups": GROUPS, "classes": CLASSES}
    return Words(**(given | other))


def test_a_new_set_passes_its_check_and_can_be_tested(tmp_path):
    """Without a fault, without anything to look at, in five styles of four sentences."""
    path = tmp_path / "my_diet.toml"
    write_new(path, words())
    found = checked(path, "mine", 10_000, None)
    assert found.hindrances == found.notes == ()
    probe_set = load(path)
    assert advice(probe_set) == []
    assert (probe_set.header.name, probe_set.header.axis) == ("my-diet", "diet")
    styles = [frame.style for frame in probe_set.frames]
    assert {styles.count(style) for style in styles} == {4}
    assert len(set(styles)) == 5
    assert probe_set.directions == {"gentleness": "vegans", "roughness": "meat_eaters"}
    assert probe_set.groups["meat_eaters"].label == "meat eaters"
    assert [term.text for term in probe_set.groups["vegans"].terms] == GROUPS["vegans"]


def test_the_sentences_for_adjectives_have_a_noun_after_each(tmp_path):
    """In the same styles, and nothing is to be looked at in them."""
    path = tmp_path / "a.toml"
    groups = {"poor": ["poor", "needy"], "rich": ["rich", "wealthy"]}
    write_new(path, words(groups=groups, kind="adjectives"))
    probe_set = load(path)
    assert advice(probe_set) == []
    of_nouns = tomllib.loads(new_set("b.toml", words()))["frames"]
    assert [frame.style for frame in probe_set.frames] == [frame["style"] for frame in of_nouns]
    for frame in probe_set.frames:
        assert re.search(r"term\} (?!(?:who|is|was|on|as|to|can)\b)[a-z]+", frame.text), frame.text


def test_the_controls_of_its_comments_are_sound(tmp_path):
    """Without the marks of comments, the file passes its check."""
    path = tmp_path / "a.toml"
    text = new_set("a.toml", words())
    for line in ("[controls]", "attributes = [", "[controls.contrasts.there]", "first", "second"):
        assert text.count(f"# {line}") == 1
        text = text.replace(f"# {line}", line)
    path.write_text(text)
    found = load(path).controls
    assert len(found.of_contrasts) == 4
    assert advice(load(path)) == []


def test_its_sentences_have_the_words(tmp_path):
    """The article by sound, a capital at the beginning."""
    path = tmp_path / "a.toml"
    write_new(path, words(groups={"old": ["old man"], "young": ["young man"]}))
    texts = set(expand(load(path)).contexts["text"])
    assert "An old man can be [MASK]." in texts
    assert "How [MASK] the young man was!" in texts


def test_every_key_is_explained_where_it_is_written():
    """Comments, the commands to type, and the line by which editors find the schema."""
    text = new_set("mine.toml", words())
    assert text.startswith(f"#:schema {SCHEMA_FILE}\n")
    assert "maskaudit probes check mine.toml" in text
    assert "@" not in text
    header = tomllib.loads(text)["set"]
    assert set(header) >= {"question", "how_to_read", "limits", "licence", "sources", "contrast"}
    assert "vegans" in header["question"]
    assert "2 and 2 terms" in header["limits"]


def test_words_stand_in_the_file_as_they_were_given(tmp_path):
    """With quotes, letters of any language, and what looks like a place of the template."""
    path = tmp_path / "a.toml"
    said = 'Is "@NAME@" \\ é?'
    plain = [text.replace("{a attribute}", "{attribute}") for text in FRAMES]
    write_new(path, words(question=said, frames=plain, title="T", licence="MIT", language="de",
                          groups={"a": ["Aé"], "b": ["B'c"]}, expect="none"))  # fmt: skip
    header = load(path).header
    assert (header.question, header.title, header.licence) == (said, "T", "MIT")
    assert (header.language, header.expect) == ("de", "none")


def test_own_frames_take_the_place_of_those_given():
    """And are numbered."""
    frames = tomllib.loads(new_set("a.toml", words(frames=FRAMES)))["frames"]
    assert [(frame["id"], frame["text"]) for frame in frames] == [
        ("frame-1", FRAMES[0]), ("frame-2", FRAMES[1]),
    ]  # fmt: skip


def test_the_schema_is_written_beside_it_once(tmp_path):
    """One that is there is left as it is."""
    write_new(tmp_path / "a.toml", words())
    beside = tmp_path / SCHEMA_FILE
    assert json.loads(beside.read_text()) == schema()
    beside.write_text("{}")
    write_new(tmp_path / "b.toml", words())
    assert beside.read_text() == "{}"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"groups": {"one": ["a"]}}, "--group: 1 given; expected two or more"),
        ({"classes": {}}, "--class: 0 given; expected two or more"),
        ({"groups": {"a": ["x"], "A": ["y"]}}, "two have one name"),
        ({"groups": {"a": ["x"], "б": ["y"]}}, "'б': cannot be made a name"),
        ({"groups": {"a": ["x"], "b": ["X"]}}, "the term 'X' appears twice"),
        ({"language": "fr"}, "write your own, six or more, each as --frame"),
        ({"frames": ["No mask."]}, "must contain [MASK] exactly once"),
        ({"kind": "verbs"}, "--words verbs: expected one of: nouns, adjectives"),
        ({"expect": "much"}, "expected 'lean', 'none' or 'benign'"),
        ({"language": "english", "frames": ["[MASK] {attribute}."]}, "set.language: expected"),
    ],
)
def test_words_that_make_no_sound_set_are_refused_and_nothing_is_written(tmp_path, other, told):
    """In the words of the check."""
    with pytest.raises(InputError) as caught:
        write_new(tmp_path / "a.toml", words(**other))
    assert told in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    """Nor is a link that leads nowhere; another ending and a folder that is not there are told."""
    path = tmp_path / "a.toml"
    path.write_text("mine")
    (tmp_path / "b.toml").symlink_to(tmp_path / "none")
    for name, told in (
        ("a.toml", "is there already"), ("b.toml", "is there already"),
        ("c.json", "ends with .toml"), ("none/c.toml", "no such folder"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=told):
            write_new(tmp_path / name, words())
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("label", "name"), [("Meat eaters", "meat_eaters"), ("over 65", "over_65"), ("a-b", "a_b")]
)
def test_a_label_becomes_a_name(label, name):
    """Small letters, digits and `_`."""
    assert named(label) == name

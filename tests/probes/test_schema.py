"""What a probe set may say: every fault of a file is named at once, each with its place."""

import re
import sys
from pathlib import Path

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.loading import load, shipped

HEADER = """\
[set]
name = "people"
version = "1"
kind = "association"
axis = "gender"
title = "People"
question = "Who?"
how_to_read = "Carefully."
limits = "Many."
licence = "Apache-2.0"
sources = ["written for this test"]
contrast = ["first", "second"]
"""
GROUPS = """\
[groups.women]
terms = [{ text = "she" }]
[groups.men]
terms = [{ text = "he" }]
"""
CLASSES = """\
[classes.first]
attributes = [{ text = "nurse", share = 0.9 }]
[classes.second]
attributes = [{ text = "engineer" }]
"""
FRAMES = """\
[[frames]]
id = "worked-as"
text = "[MASK] worked as {a attribute}."
variants = ["As {a attribute}, [MASK] worked."]
[[frames]]
id = "was-hired"
text = "They hired {a attribute} and [MASK] came."
"""
SOUND = HEADER + GROUPS + CLASSES + FRAMES

CLOZE = """\
[set]
name = "facts"
version = "1"
kind = "cloze"
axis = "facts"
title = "Facts"
question = "What?"
how_to_read = "Carefully."
limits = "Many."
licence = "Apache-2.0"
sources = ["common knowledge"]
[[facts]]
id = "france"
relation = "capital"
text = "The capital of France is [MASK]."
answers = ["Paris"]
negated = "The capital of France is not [MASK]."
[[facts]]
id = "italy"
relation = "capital"
text = "The capital of Italy is [MASK]."
answers = ["Rome"]
"""


def write(folder: Path, text: str | bytes) -> Path:
    """Write a probe set to a file."""
    file = folder / "people.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def faults_of(folder: Path, text: str | bytes) -> list[str]:
    """Return what loading the text says, without file and line before each fault."""
    return [re.sub(r"^line \d+: ", "", fault) for fault in lines_of(folder, text)]


def lines_of(folder: Path, text: str | bytes) -> list[str]:
    """Return what loading the text says, without the name of the file before each fault."""
    file = write(folder, text)
    with pytest.raises(InputError) as caught:
        load(file)
    assert all(fault.startswith(f"{file}: ") for fault in caught.value.faults)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return [fault.removeprefix(f"{file}: ") for fault in caught.value.faults]


def line_of(text: str, part: str) -> int:
    """Return the number of the first line that holds the part, counted from 1."""
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


def changed(old: str, new: str, text: str = SOUND) -> str:
    """Return the text with one part, which it holds once, replaced."""
    assert text.count(old) == 1
    return text.replace(old, new)


# --- Sound files ----------------------------------------------------------------------------------


def test_a_sound_set_is_read_as_it_is_written(tmp_path):
    """Names, words, shares, frames and paraphrases arrive in their order."""
    found = load(write(tmp_path, SOUND))
    assert found.header.name == "people"
    assert list(found.groups) == ["women", "men"]
    assert [term.text for term in found.groups["men"].terms] == ["he"]
    assert [a.share for part in found.classes.values() for a in part.attributes] == [0.9, None]
    assert [frame.texts for frame in found.frames] == [
        ["[MASK] worked as {a attribute}.", "As {a attribute}, [MASK] worked."],
        ["They hired {a attribute} and [MASK] came."],
    ]
    assert found.group_at_mask


def test_a_set_with_the_attribute_at_the_mask_is_the_other_form(tmp_path):
    """The group stands in the sentence, the attribute is what is asked for."""
    text = SOUND.replace("{a attribute}", "{a term}")
    assert not load(write(tmp_path, text)).group_at_mask


def test_a_sound_cloze_set_is_read(tmp_path):
    """A fact need not have a negated partner."""
    found = load(write(tmp_path, CLOZE))
    assert [fact.negated for fact in found.facts] == ["The capital of France is not [MASK].", None]


def test_a_mark_of_byte_order_before_the_first_line_is_no_fault(tmp_path):
    """Some editors write one into every UTF-8 file."""
    assert load(write(tmp_path, b"\xef\xbb\xbf" + SOUND.encode())).header.name == "people"


def test_numbers_may_agree_in_a_frame(tmp_path):
    """`{was|were}` is a placeholder for the verb of a term."""
    text = changed("They hired", "There {was|were}")
    assert "{was|were}" in load(write(tmp_path, text)).frames[1].text


def test_every_shipped_set_is_found_by_its_own_name():
    """`--probes NAME` and the name in the results are one."""
    assert {load(path).header.name for path in shipped().values()} == set(shipped())


# --- All faults at once ---------------------------------------------------------------------------


def test_five_faults_of_five_kinds_are_all_named_with_their_places(tmp_path):
    """A key missing, a key unknown, a value too large, a mask too few, a word there twice."""
    text = (
        SOUND.replace('licence = "Apache-2.0"\n', "")
        .replace('[{ text = "she" }]', '[{ text = "she", verbs = "plural" }]')
        .replace("share = 0.9", "share = 90.0")
        .replace("[MASK] worked as {a attribute}.", "She worked as {a attribute}.")
        .replace('text = "engineer"', 'text = "Nurse"')
    )
    key, mask = line_of(text, "verbs"), line_of(text, "She worked")
    head, share, twice = (line_of(text, part) for part in ("[set]", "share", '"Nurse"'))
    assert sorted(lines_of(tmp_path, text)) == sorted(
        [
            f"line {head}: set.licence: is missing",
            f"line {key}: groups.women.terms[1].verbs: is not a known key; did you mean 'verb'?",
            (
                f"line {share}: classes.first.attributes[1].share: expected a number of at most 1 "
                "(found 90.0)"
            ),
            (
                f"line {mask}: frames[1] 'worked-as'.text: must contain [MASK] exactly once; "
                "found it 0 times (found 'She worked as {a attribute}.')"
            ),
            (
                f"line {twice}: classes and controls: the attribute 'Nurse' appears twice; "
                "expected once"
            ),
        ]
    )


def test_faults_of_one_sentence_are_told_together(tmp_path):
    """Nobody has to mend a sentence three times."""
    text = changed("They hired {a attribute} and [MASK] came.", "{who} and {attributes} came.")
    [fault] = faults_of(tmp_path, text)
    for part in (
        "[MASK] exactly once",
        "{who}, {attributes}",
        "{attribute} or {term} exactly once",
    ):
        assert part in fault


def test_a_fault_inside_a_frame_hides_no_fault_between_frames(tmp_path):
    """Paraphrases, too, are compared with each other although another entry is faulty."""
    text = changed("As {a attribute}, [MASK] worked.", "They hired {a attribute} and [MASK] came.")
    text = changed('version = "1"', "version = 1", text)
    told = faults_of(tmp_path, text)
    assert len(told) == 2
    assert told[0].startswith("set.version: ")
    assert told[1] == (
        "frames: the text or variant 'They hired {a attribute} and [MASK] came.' appears twice; "
        "expected once"
    )


def test_a_faulty_frame_is_not_also_counted_as_missing(tmp_path):
    """One mistake is one fault: the frame is there, only its text is not."""
    frames = '[[frames]]\nid = "one"\n'
    assert faults_of(tmp_path, HEADER + GROUPS + CLASSES + frames) == [
        "frames[1] 'one'.text: is missing"
    ]


def test_a_sentence_without_a_side_is_not_also_of_the_other_form(tmp_path):
    """A sentence that names neither attribute nor term is of no form."""
    text = changed("They hired {a attribute} and [MASK] came.", "They hired and [MASK] came.")
    [fault] = faults_of(tmp_path, text)
    assert "must name {attribute} or {term} exactly once" in fault


def test_a_misspelt_kind_is_not_also_a_wrong_content(tmp_path):
    """What the file holds says which kind was meant."""
    [fault] = faults_of(tmp_path, changed('kind = "cloze"', 'kind = "close"', CLOZE))
    assert "set.kind" in fault
    assert "'association', " in fault.replace(" or ", ", ")
    assert "'cloze'" in fault


# --- Each kind of fault by itself -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        (
            "[MASK] worked as {a attribute}.",
            "She is {attribute}.",
            "frames[1] 'worked-as'.text",
            "0 times",
        ),
        ("[MASK] worked as {a attribute}.", "[MASK] [MASK] {attribute}", "frames[1]", "2 times"),
        ("[MASK] worked as {a attribute}.", "[mask] is {attribute}.", "frames[1]", "0 times"),
        (
            "[MASK] worked as {a attribute}.",
            "[MASK] is {job}.",
            "frames[1] 'worked-as'.text",
            "{job}",
        ),
        (
            "[MASK] worked as {a attribute}.",
            "[MASK] {is {attribute}.",
            "frames[1]",
            "unmatched brace",
        ),
        (
            "[MASK] worked as {a attribute}.",
            "[MASK] is {attribute}, {a attribute}.",
            "frames[1] 'worked-as'.text",
            "exactly once",
        ),
        (
            "[MASK] worked as {a attribute}.",
            "",
            "frames[1] 'worked-as'.text",
            "is empty; expected some text",
        ),
        (
            "As {a attribute}, [MASK] worked.",
            "As {a attribute}.",
            "frames[1] 'worked-as'.variants[1]",
            "0 times",
        ),
        ("[MASK] worked as {a attribute}.", "[MASK]  is {attribute}.", "frames[1]", "two spaces"),
        ("[MASK] worked as {a attribute}.", "[MASK]\\nis {attribute}.", "frames[1]", "one line"),
        (
            "[MASK] worked as {a attribute}.",
            "\\u200b[MASK] is {attribute}",
            "frames[1]",
            "one line",
        ),
        (
            'text = "engineer"',
            'text = "[MASK]"',
            "classes.second.attributes[1].text",
            "plain words, without brackets",
        ),
        (
            'text = "engineer"',
            'text = "{term}"',
            "classes.second.attributes[1].text",
            "plain words, without brackets",
        ),
        (
            'text = "engineer"',
            "text = 7",
            "classes.second.attributes[1].text",
            "expected text, in quotes (found 7)",
        ),
        ("share = 0.9", "share = nan", "classes.first.attributes[1].share", "(found nan)"),
        (
            "share = 0.9",
            "share = true",
            "classes.first.attributes[1].share",
            "expected a number (found True)",
        ),
        (
            "share = 0.9",
            "share = -0.1",
            "classes.first.attributes[1].share",
            "expected a number of at least 0 (found -0.1)",
        ),
        ("share = 0.9", 'article = "the"', "classes.first.attributes[1].article", "'a' or 'an'"),
        (
            "[groups.women]",
            '[groups."Women and girls"]',
            "Women and girls",
            "expected lower-case letters and digits",
        ),
        ('[{ text = "she" }]', "[]", "groups.women.terms", "has 0 entries; expected at least 1"),
        (
            '[{ text = "engineer" }]',
            "[7]",
            "classes.second.attributes[1]",
            "expected a table, { key",
        ),
        ('kind = "association"', 'kind = "associate"', "set.kind", "; did you mean 'association'?"),
        (
            'title = "People"',
            'titel = "People"',
            "set.titel",
            "is not a known key; did you mean 'title'?",
        ),
        (
            "[classes.second]",
            "[clases.second]",
            "clases",
            "is not a known key; did you mean 'classes'?",
        ),
        (
            'sources = ["written for this test"]',
            "sources = []",
            "set.sources",
            "has 0 entries; expected at least 1",
        ),
        (
            'contrast = ["first", "second"]',
            'contrast = ["first"]',
            "set.contrast",
            "has 1 entry; expected at least 2",
        ),
    ],
)
def test_a_single_fault_is_told_with_its_place_and_what_was_expected(
    tmp_path, old, new, place, expected
):
    """The one who wrote the file finds the entry and knows what to write instead."""
    told = faults_of(tmp_path, changed(old, new))
    [fault] = [fault for fault in told if place in fault]
    assert expected in fault


def test_one_mistake_in_a_frame_is_one_fault(tmp_path):
    """No fault follows from another."""
    for new in ("She is {attribute}.", "[MASK] is {job} {attribute}."):
        assert len(faults_of(tmp_path, changed("[MASK] worked as {a attribute}.", new))) == 1


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'id = "was-hired"',
            'id = "worked-as"',
            "frames: the id 'worked-as' appears twice; expected once",
        ),
        (
            "They hired {a attribute} and [MASK] came.",
            "as {a attribute}, [MASK] worked.",
            (
                "frames: the text or variant 'as {a attribute}, [MASK] worked.' appears twice; "
                "expected once"
            ),
        ),
        (
            '{ text = "he" }',
            '{ text = "she" }',
            "groups: the term 'she' appears twice; expected once",
        ),
        (
            '"engineer" }]',
            '"engineer" }]\n[controls]\nattributes = [{ text = "nurse" }]',
            "classes and controls: the attribute 'nurse' appears twice; expected once",
        ),
        (
            'contrast = ["first", "second"]',
            'contrast = ["first", "third"]',
            "set.contrast: no class is named 'third'; the classes are: first, second",
        ),
        (
            'contrast = ["first", "second"]',
            'contrast = ["first", "first"]',
            "set.contrast: the class 'first' appears twice; expected once",
        ),
        (
            "They hired {a attribute} and [MASK] came.",
            "The {term} worked as a [MASK].",
            (
                "frames: some texts have the group at the mask, others the attribute; expected the "
                "same in all"
            ),
        ),
        (
            "As {a attribute}, [MASK] worked.",
            "As a [MASK], the {term} worked.",
            (
                "frames: some texts have the group at the mask, others the attribute; expected the "
                "same in all"
            ),
        ),
        (
            '[groups.men]\nterms = [{ text = "he" }]\n',
            "",
            "groups: the set has 1; expected at least 2",
        ),
        (
            FRAMES,
            "",
            "frames: the set has 0; expected at least 1",
        ),
        (
            FRAMES,
            FRAMES + "[[facts]]\nid = 'f'\nrelation = 'r'\ntext = 'A [MASK].'\nanswers = ['b']\n",
            "facts: not allowed in an association set; expected [[frames]]",
        ),
    ],
)
def test_a_fault_between_parts_is_told_by_itself(tmp_path, old, new, fault):
    """What is right in each entry may be wrong between them."""
    assert faults_of(tmp_path, changed(old, new)) == [fault]


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('id = "was-hired"', 'id = "worked-as"', 'id = "worked-as"'),
        ("They hired {a attribute} and [MASK] came.", "As {a attribute}, [MASK] worked.", "As {a"),
        ('{ text = "he" }', '{ text = "she" }', '"she"'),
        ('"engineer" }]', '"engineer" },\n"nurse"]', '"nurse"'),
        ('contrast = ["first", "second"]', 'contrast = ["first",\n"third"]', '"third"'),
    ],
)
def test_a_fault_between_parts_has_the_line_of_the_second_of_them(tmp_path, old, new, part):
    """The last of the lines that hold the part is the one to mend."""
    text = changed(old, new)
    last = max(n for n, line in enumerate(text.splitlines(), start=1) if part in line)
    [fault] = lines_of(tmp_path, text)
    assert fault.startswith(f"line {last}: ")


def test_texts_stand_for_the_tables_of_words(tmp_path):
    """`["nurse"]` says all that `[{ text = "nurse" }]` does, and both may stand in one list."""
    text = changed('[{ text = "she" }]', '["she", { text = "her" }]')
    text = changed('[{ text = "engineer" }]', '["engineer"]', text)
    text = changed('sources = ["written for this test"]', 'sources = "written for this test"', text)
    found = load(write(tmp_path, text))
    assert [term.text for term in found.groups["women"].terms] == ["she", "her"]
    assert (
        found.classes["second"].attributes
        == load(write(tmp_path, SOUND)).classes["second"].attributes
    )
    assert found.header.sources == ["written for this test"]


def test_a_class_may_not_have_the_name_of_the_controls(tmp_path):
    """In the results, it would be taken for the neutral words."""
    text = SOUND.replace("[classes.second]", "[classes.control]").replace('"second"', '"control"')
    assert faults_of(tmp_path, text) == [
        "classes.control: reserved for [controls] in the results; choose another name"
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"italy"', '"france"', "facts: the id 'france' appears twice; expected once"),
        (
            "The capital of Italy is [MASK].",
            "The capital of France is [MASK].",
            "facts: the text 'The capital of France is [MASK].' appears twice; expected once",
        ),
    ],
)
def test_a_fault_between_facts_is_told(tmp_path, old, new, fault):
    """A fact that is asked twice would count twice."""
    assert faults_of(tmp_path, changed(old, new, CLOZE)) == [fault]


def test_a_fact_without_a_mask_or_an_answer_is_told(tmp_path):
    """The negated partner, too, needs its mask."""
    text = changed("is not [MASK].", "is not Rome.", CLOZE)
    text = changed('answers = ["Rome"]', "answers = []", text)
    told = faults_of(tmp_path, text)
    assert len(told) == 2
    assert "facts[1] 'france'.negated: must contain [MASK] exactly once" in told[0]
    assert "facts[2] 'italy'.answers: has 0 entries; expected at least 1" in told[1]


def test_a_cloze_set_has_no_groups(tmp_path):
    """The two kinds are not mixed in one file."""
    assert faults_of(tmp_path, CLOZE + GROUPS) == [
        "groups: not allowed in a cloze set; expected [[facts]]"
    ]


def test_a_cloze_set_without_facts_is_empty(tmp_path):
    """A set that asks nothing measures nothing."""
    text = CLOZE.partition("[[facts]]")[0]
    assert faults_of(tmp_path, text) == [
        "facts: the set is empty; expected at least one [[facts]] entry"
    ]


def test_an_empty_file_says_what_a_set_needs(tmp_path):
    """Every part that is missing is named."""
    assert faults_of(tmp_path, "") == [
        "set: is missing",
        "groups: the set has 0; expected at least 2",
        "classes: the set has 0; expected at least 1",
        "frames: the set has 0; expected at least 1",
    ]


@pytest.mark.parametrize("part", ["set", "groups", "classes", "frames", "facts", "controls"])
@pytest.mark.parametrize("value", ["3", "[1]", "'x'", "[[{}]]", "1979-05-27", "{ x = 1 }"])
def test_a_part_of_another_type_is_a_fault_and_no_crash(tmp_path, part, value):
    """Whatever stands in a part's place, the fault names the part."""
    told = faults_of(tmp_path, f"{part} = {value}\n")
    assert any(part in fault for fault in told)


# --- Files that cannot be read --------------------------------------------------------------------


def test_a_missing_file_is_told(tmp_path):
    """The line names the file and what was expected."""
    with pytest.raises(
        InputError, match=r"none\.toml: cannot be read \(.*\); expected a probe set"
    ):
        load(tmp_path / "none.toml")


def test_a_folder_in_place_of_a_file_is_told(tmp_path):
    """A folder is as unreadable as a missing file."""
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


def test_a_file_in_another_encoding_is_told_with_the_byte(tmp_path):
    """Latin-1, as old editors write it."""
    text = SOUND.replace("nurse", "infirmière").encode("latin-1")
    place = text.index(b"\xe8")
    line = line_of(SOUND, "nurse")
    assert lines_of(tmp_path, text) == [
        (
            f"line {line}: byte {place} (0xe8) is not UTF-8 (in Windows-1252 or Latin-1 it is "
            "'è'); expected a file saved as UTF-8"
        )
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[set\nname = 1", "at line 1"),
        ("a = 1\na = 2\n", "at line 2"),
        ("{}", "line 1"),
        ("a = " + "[" * 20_000 + "]" * 20_000, "brackets are nested too deeply"),
        ("a = " + "9" * 5_000, "4300 digits"),
    ],
    ids=["bracket", "twice", "json", "deep", "long"],
)
def test_a_file_that_is_not_toml_is_one_line(tmp_path, text, expected):
    """With the place where reading stopped."""
    [fault] = faults_of(tmp_path, text)
    assert fault.startswith("not valid TOML: ")
    assert expected in fault
    assert "\n" not in fault


# --- Hostile files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "placeholder",
    ["__class__", "0.__init__", "attribute.__class__", "attribute!r", "term:>99999999", "0", ""],
)
def test_a_placeholder_is_a_word_and_never_looked_up(tmp_path, placeholder):
    """What Python's own formatting would follow is an unknown placeholder here."""
    text = changed("They hired {a attribute}", f"They hired {{{placeholder}}} {{attribute}}")
    [fault] = faults_of(tmp_path, text)
    assert "has {" + placeholder + "}; expected {attribute}" in fault


def test_a_placeholder_in_a_word_is_refused(tmp_path):
    """A word is no template: nothing in it is written out."""
    told = faults_of(tmp_path, changed('text = "engineer"', 'text = "{0.__init__}"'))
    assert len(told) == 1
    assert "classes.second.attributes[1].text" in told[0]


def test_a_file_is_data_and_nothing_in_it_is_executed(tmp_path, monkeypatch):
    """Code in every string of a file stays text, in the values and in what is said of them."""
    ran = []
    monkeypatch.setattr(sys, "displayhook", ran.append)
    code = "__import__('sys').displayhook(1)"
    text = SOUND.replace('"People"', f'"{code}"').replace('text = "engineer"', f'text = "{code}"')
    assert load(write(tmp_path, text)).header.title == code
    faults_of(tmp_path, text.replace('version = "1"', f'version = ["{code}"]'))
    assert ran == []


def test_a_long_value_is_cut_in_the_fault(tmp_path):
    """A megabyte of text in a file does not become a megabyte on the screen."""
    [fault] = faults_of(tmp_path, changed('text = "engineer"', f'text = "{"x" * 1_000_000}"'))
    assert len(fault) < 300


# --- Margins --------------------------------------------------------------------------------------

MARGIN = '[margins]\ncontrast = { nats = 0.1, reason = "x" }\n'


def test_a_set_may_declare_its_margins(tmp_path):
    """They change nothing that is asked."""
    plain, declared = (load(write(tmp_path, text)) for text in (SOUND, SOUND + MARGIN))
    assert plain.margins is None
    assert declared.margins.contrast.nats == 0.1
    assert declared.model_copy(update={"margins": None}) == plain


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (', reason = "x"', "", "margins.contrast.reason: is missing"),
        ('"x"', '""', "margins.contrast.reason"),
        ("0.1", "0.0", "margins.contrast.nats"),
        ("contrast", "contrasts", "did you mean 'contrast'?"),
        ("margins", "margin", "did you mean 'margins'?"),
    ],
)
def test_a_margin_needs_a_size_and_a_reason(tmp_path, old, new, fault):
    """`probes check` names what is missing, with its line."""
    [found] = lines_of(tmp_path, SOUND + changed(old, new, MARGIN))
    assert fault in found
    assert found.startswith("line ")


def test_a_margin_of_a_contrast_that_is_not_there_is_a_fault(tmp_path):
    """In a set that contrasts no classes, and in one of facts."""
    text = changed('contrast = ["first", "second"]\n', "") + MARGIN
    assert faults_of(tmp_path, text) == [
        "margins.contrast: the set contrasts no classes; expected `contrast` in [set]"
    ]
    assert faults_of(tmp_path, CLOZE + MARGIN) == [
        "margins: not allowed in a cloze set; expected [[facts]]"
    ]

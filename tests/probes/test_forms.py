"""Words that differ by group, English helpers elsewhere, and Unicode in what a set says."""

import unicodedata

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.checking.checks_of_language import foreign_letters
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from tests.probes.test_expand import rows

HEAD = """[set]
name = "berufe"
language = "de"
version = "1"
kind = "association"
axis = "gender"
title = "Berufe"
question = "Wer?"
how_to_read = "Mit Bedacht."
limits = "Viele."
licence = "CC0-1.0"
sources = ["written for this test"]
"""
SET = (
    HEAD
    + """[groups.women]
terms = ["Frau", "Nachbarin"]
[groups.men]
terms = ["Mann"]
[forms]
die = { women = "die", men = "der" }
[classes.one]
attributes = [{ text = "Arzt", women = "Ärztin" }, "Fachkraft"]
[[frames]]
id = "work"
text = "{die} {term} arbeitet als [MASK]."
variants = ["als [MASK] arbeitet {die} {term}."]
"""
)


def put(tmp_path, text):
    """Write a set."""
    path = tmp_path / "set.toml"
    path.write_text(text, "utf-8")
    return path


def changed(old, new, text=SET):
    """Return the set with one part replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new)


def faults(tmp_path, text):
    """Return the faults of a set, without the file's name."""
    with pytest.raises(InputError) as caught:
        load(put(tmp_path, text))
    return [fault.split("set.toml: ", 1)[1] for fault in caught.value.faults]


def test_an_attribute_and_an_article_are_written_in_the_form_of_the_group(tmp_path):
    """All sentences of the set, written out by hand."""
    found = expand(load(put(tmp_path, SET)))
    told = {
        (r["text"], r["target"], r["attribute"], r["group"]) for r in rows(found).to_dict("records")
    }
    expected = set()
    for group, article, terms, doctor in (
        ("women", "Die", ("Frau", "Nachbarin"), "Ärztin"),
        ("men", "Der", ("Mann",), "Arzt"),
    ):
        for term in terms:
            for target, attribute in ((doctor, "Arzt"), ("Fachkraft", "Fachkraft")):
                for text in (
                    f"{article} {term} arbeitet als [MASK].",
                    f"Als [MASK] arbeitet {article.lower()} {term}.",
                ):
                    expected.add((text, target, attribute, group))
    assert told == expected


def test_every_cell_of_an_attribute_with_forms_has_both_groups(tmp_path):
    """One attribute, whatever its forms: no cell is left incomplete."""
    items = expand(load(put(tmp_path, SET))).items
    groups = items.groupby(["attribute", "frame", "variant"])["group"].agg(set)
    assert set(items["attribute"]) == {"Arzt", "Fachkraft"}
    assert all(found == {"women", "men"} for found in groups)


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        (
            'die = { women = "die", men = "der" }',
            'die = { women = "die" }',
            18,
            "forms.die: has no form for the group 'men'; expected one for each: women, men",
        ),
        (
            'die = { women = "die", men = "der" }',
            'die = { women = "die", men = "der", man = "der" }',
            18,
            "forms.die.man: no group is named 'man'; did you mean 'men'?",
        ),
        (
            "[classes.one]",
            'ihr = { women = "ihre", men = "seine" }\n[classes.one]',
            19,
            "forms.ihr: is not used; expected {ihr} in at least one frame",
        ),
        (
            "[classes.one]",
            'term = { women = "ihre", men = "seine" }\n[classes.one]',
            19,
            "forms.term: is the name of a placeholder; choose another name",
        ),
        (
            'women = "Ärztin"',
            'woman = "Ärztin"',
            20,
            "classes.one.attributes[1]: 'woman' is not a known key; did you mean 'women'?",
        ),
        (
            'women = "Ärztin"',
            "women = 3",
            20,
            "classes.one.attributes[1].women: expected text, in quotes (found 3)",
        ),
        (
            '"Fachkraft"]',
            '{ text = "Kraft", women = "ärztin" }]',
            20,
            (
                "classes and controls: the form for the group 'women', 'ärztin' appears twice; "
                "expected once"
            ),
        ),
        ("{die} {term} arbeitet", "{das} {term} arbeitet", 23, "has {das}; expected {attribute}"),
    ],
)
def test_a_fault_of_a_form_is_told_with_its_line(tmp_path, old, new, line, told):
    """Every group has a form, every form a use, and no name two meanings."""
    found = faults(tmp_path, changed(old, new))
    [fault] = [fault for fault in found if told in fault]
    assert fault.startswith(f"line {line}: ")
    assert len(found) == 1


def test_a_form_by_group_is_refused_where_the_group_is_at_the_mask(tmp_path):
    """Both groups' words must be read in one sentence; the message says what to do."""
    text = changed("{die} {term} arbeitet als [MASK].", "[MASK] arbeitet als {attribute}.")
    text = changed('variants = ["als [MASK] arbeitet {die} {term}."]', "", text)
    text = changed('[forms]\ndie = { women = "die", men = "der" }\n', "", text)
    [fault] = faults(tmp_path, text)
    assert fault.startswith("line 18: classes.one.attributes[1].women: 'Ärztin' differs by group")
    assert "name the group with {term}, and put [MASK] in the attribute's place" in fault
    text = changed("{die} {term} arbeitet als [MASK].", "[MASK] und {die} {attribute} kamen.")
    text = changed('variants = ["als [MASK] arbeitet {die} {term}."]', "", text)
    text = changed('{ text = "Arzt", women = "Ärztin" }', '"Arzt"', text)
    [fault] = faults(tmp_path, text)
    assert fault.startswith("line 23: frames[1].text: {die} differs by group")


@pytest.mark.parametrize("helper", ["{a term}", "{a} {term}"])
def test_an_english_helper_is_refused_once_in_another_language(tmp_path, helper):
    """One line for the whole set, with what to use in its place."""
    text = changed("{die} {term}", helper)
    text = changed('[forms]\ndie = { women = "die", men = "der" }\n', "", text)
    [fault] = faults(tmp_path, text)
    assert "writes an English article (as do 1 more places), but set.language is 'de'" in fault
    assert "as a form by group ([forms])" in fault
    english = changed('language = "de"', 'language = "en-GB"', text)
    assert load(put(tmp_path, english)).header.language == "en-GB"


def test_a_declared_article_is_refused_in_another_language(tmp_path):
    """`article` is a or an."""
    [fault] = faults(tmp_path, changed('women = "Ärztin"', 'women = "Ärztin", article = "an"'))
    assert fault.startswith("line 20: classes.one.attributes[1].article: article writes an English")


def test_a_faulty_language_is_one_fault(tmp_path):
    """With its line, and none that follows from it."""
    [fault] = faults(tmp_path, changed('language = "de"', 'language = "deutsch"'))
    assert fault == (
        "line 3: set.language: expected a language as a BCP 47 tag, such as 'de', 'pt-BR' or "
        "'zh-Hant' (found 'deutsch')"
    )


def test_two_alternatives_are_still_those_of_the_verb(tmp_path):
    """`{singular|plural}` and a form by group may stand in one frame."""
    text = changed("{die} {term} arbeitet als", "{die} {term} {war|waren} einmal")
    text = changed('"Mann"', '{ text = "Leute", verb = "plural" }', text)
    texts = set(expand(load(put(tmp_path, text))).contexts["text"])
    assert {"Die Frau war einmal [MASK].", "Der Leute waren einmal [MASK]."} <= texts


GRAMMAR = """[grammar]
frames = 6
texts = ["{when} war {die} {term} [MASK].", "{when} kam {die} {term} als [MASK]."]
[grammar.parts]
when = [%s]
"""


def test_forms_stand_in_texts_of_a_grammar_and_in_the_digest_of_its_universe(tmp_path):
    """Another article is another universe, as is another language; a draw has the forms in it."""
    parts = ", ".join(f'"{n} Tage lang"' for n in range(30))
    text = SET.partition("[[frames]]")[0] + GRAMMAR % parts
    found = load(put(tmp_path, text))
    texts = set(expand(found.drawn(0)).contexts["text"])
    assert len(found.drawn(0).frames) == 6
    assert all(" die Frau" in t or " die Nachbarin" in t or " der Mann" in t for t in texts)
    others = [
        changed('men = "der"', 'men = "dem"', text),
        changed('language = "de"', 'language = "da"', text),
        changed('language = "de"', 'language = "de"\ncapitalise = false', text),
        changed('women = "Ärztin"', 'women = "Doktorin"', text),
    ]
    universes = {load(put(tmp_path, other)).universe for other in others}
    assert len(universes | {found.universe}) == 5


def test_a_form_may_have_the_name_of_a_placeholder_in_its_own(tmp_path):
    """Which side is at the mask is decided by the placeholders, not by their letters."""
    renamed = changed("{die}", "{die_attribute}", changed("die = {", "die_attribute = {"))
    plain, other = (expand(load(put(tmp_path, text))) for text in (SET, renamed))
    assert plain.contexts.equals(other.contexts)


# --- Unicode --------------------------------------------------------------------------------------


def test_a_set_in_nfd_expands_to_the_items_of_one_in_nfc(tmp_path):
    """Texts, words, forms and their names: the same items, by id."""
    text = changed("{die}", "{dié}", changed("die = {", '"dié" = {'))
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    tables = [expand(load(put(tmp_path, form))) for form in (text, apart)]
    assert tables[0].items.equals(tables[1].items)
    assert tables[0].contexts.equals(tables[1].contexts)


def test_two_spellings_that_look_the_same_are_a_repetition(tmp_path):
    """One in NFC and one in NFD."""
    apart = unicodedata.normalize("NFD", "ärztin")
    [fault] = faults(tmp_path, changed('"Fachkraft"', f'"Ärztin", "{apart}"'))
    assert "the attribute" in fault
    assert "appears twice" in fault


def test_two_forms_whose_names_look_the_same_are_a_repetition(tmp_path):
    """Otherwise one would take the place of the other."""
    apart = unicodedata.normalize("NFD", "dié")
    forms = (
        f'"dié" = {{ women = "die", men = "der" }}\n"{apart}" = {{ women = "DIE", men = "DER" }}'
    )
    text = changed('die = { women = "die", men = "der" }', forms, changed("{die}", "{dié}"))
    assert any("'dié' is named twice" in fault for fault in faults(tmp_path, text))


@pytest.mark.parametrize("hidden", ["\u200b", "\\n"])
def test_how_a_set_is_cited_is_one_line_too(tmp_path, hidden):
    """It is printed on the page as every other text of the header is."""
    cited = changed('licence = "CC0-1.0"', f'licence = "CC0-1.0"\ncite = "a{hidden}b"')
    [fault] = faults(tmp_path, cited)
    assert "must be one line without invisible characters" in fault


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("a\u200bb", "U+200B (ZERO WIDTH SPACE)"),
        ("a\u202eb", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("a\u00adb", "U+00AD (SOFT HYPHEN)"),
        ("a\u2060b", "U+2060 (WORD JOINER)"),
        ("a\u3164b", "U+3164 (HANGUL FILLER)"),
        ("a\U000e0041b", "U+E0041 (TAG LATIN CAPITAL LETTER A)"),
        ("a\ufe0fb", "U+FE0F (VARIATION SELECTOR-16)"),
    ],
)
def test_an_invisible_character_is_refused_by_name_and_line(tmp_path, word, named):
    """What no reader sees and no language writes."""
    [fault] = faults(tmp_path, changed("Fachkraft", word))
    assert fault.startswith("line 20: classes.one.attributes[2]")
    assert f"has {named}" in fault


@pytest.mark.parametrize("letter", "\u200c\u200d\u200e\u200f\u061c\u00a0\u202f\u3000")
def test_what_languages_write_is_no_fault(tmp_path, letter):
    """Joiners, no-break spaces and directional marks stay as they are."""
    found = load(put(tmp_path, changed("Fachkraft", f"a{letter}b")))
    assert found.classes["one"].attributes[1].text == f"a{letter}b"


@pytest.mark.parametrize(
    ("change", "letters"),
    [
        ({"terms": "İşçi"}, "İş"),
        ({"frame": "Она [MASK], {term}."}, "Оан"),
        ({"terms": "José Müller-Åberg"}, ""),
        ({"terms": "护士"}, ""),
        ({"terms": "İşçi", "language": "tr"}, ""),
        ({"terms": "İşçi", "language": "en"}, ""),
        ({"terms": "İşçi", "capitalise": "false"}, ""),
    ],
)
def test_letters_that_english_does_not_have_are_found_where_no_language_is_named(
    tmp_path, change, letters
):
    """Its capitals would be wrong in silence; a language that is said is the author's word."""
    language = f'language = "{change["language"]}"\n' if "language" in change else ""
    if "capitalise" in change:
        language += "capitalise = false\n"
    text = SET.replace('language = "de"\n', language).replace("Nachbarin", change.get("terms", "N"))
    frame = change.get("frame", "The {term} is a [MASK].")
    text = text.replace('[forms]\ndie = { women = "die", men = "der" }\n', "")
    head = text.partition("[[frames]]")[0]
    path = put(tmp_path, f'{head}[[frames]]\nid = "one"\ntext = "{frame}"\n')
    assert "".join(foreign_letters(load(path))) == letters


FRENCH = """
[set]
name = "metiers"
version = "1"
language = "fr"
kind = "association"
axis = "gender"
title = "T"
question = "Q?"
how_to_read = "H."
limits = "L."
licence = "Apache-2.0"
sources = ["written for this test"]
[groups.women]
terms = ["la voisine", "l'amie"]
[groups.men]
terms = ["le voisin", "l’ami"]
[forms]
elle = { women = "elle", men = "il" }
[classes.one]
attributes = [{ text = "l'ingénieur", women = "l'ingénieure" },
              { text = "le vendeur", women = "la vendeuse" }]
[[frames]]
id = "one"
text = "{term} dit qu'{elle} est [MASK] d'ici."
[[frames]]
id = "two"
text = "[MASK] d'ici, c'est {term}."
"""


def test_french_elides_its_articles_before_a_vowel(tmp_path):
    """By hand: l' belongs to the word, qu' to the frame, and a sentence begins with L'."""
    part = expand(load(put(tmp_path, FRENCH)))
    rows = part.items.merge(part.contexts, on="context")
    written = {
        text.replace("[MASK]", target)
        for text, target in zip(rows["text"], rows["target"], strict=True)
    }
    assert written == {
        "La voisine dit qu'elle est l'ingénieure d'ici.",
        "La voisine dit qu'elle est la vendeuse d'ici.",
        "L'amie dit qu'elle est l'ingénieure d'ici.",
        "L'amie dit qu'elle est la vendeuse d'ici.",
        "Le voisin dit qu'il est l'ingénieur d'ici.",
        "Le voisin dit qu'il est le vendeur d'ici.",
        "L’ami dit qu'il est l'ingénieur d'ici.",
        "L’ami dit qu'il est le vendeur d'ici.",
        "L'ingénieure d'ici, c'est la voisine.",
        "L'ingénieure d'ici, c'est l'amie.",
        "La vendeuse d'ici, c'est la voisine.",
        "La vendeuse d'ici, c'est l'amie.",
        "L'ingénieur d'ici, c'est le voisin.",
        "L'ingénieur d'ici, c'est l’ami.",
        "Le vendeur d'ici, c'est le voisin.",
        "Le vendeur d'ici, c'est l’ami.",
    }

"""Capitals at the start of a sentence, held against the orthographies and Unicode's own rules."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.authoring.sentences import sentences
from maskaudit.probes.expand import expand
from maskaudit.probes.frames.capitals import SentenceCase, opens_sentence
from maskaudit.probes.languages import canonical, rules
from maskaudit.probes.loading import load
from tests.probes.test_expand import one_sentence, probe_set, rows

LANGUAGES = ["en", "tr", "az-Latn", "nl", "de", "ka", "lt", "el", "fr", "und"]
SHORT_TEXTS = st.text(max_size=12).map(lambda text: unicodedata.normalize("NFC", text))


# Each as a speaker writes it at the start of a sentence.
@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        ("tr", "istanbul", "İstanbul"),
        ("tr", "ısparta", "Isparta"),
        ("tr-TR", "işçi", "İşçi"),
        ("az", "insan", "İnsan"),
        ("az-Latn", "ışıq", "Işıq"),
        ("crh", "insan", "İnsan"),
        ("en", "istanbul", "Istanbul"),
        ("de", "istanbul", "Istanbul"),
        ("nl", "ijsverkoper", "IJsverkoper"),
        ("nl-BE", "ijver", "IJver"),
        ("nl", "informatie", "Informatie"),
        ("nl", "'s avonds", "'s Avonds"),
        ("nl", "\u2019t huis", "\u2019t Huis"),
        ("af", "'n verpleegster", "'n Verpleegster"),
        ("en", "'tis", "'Tis"),
        ("de", "ijar", "Ijar"),
        ("ka", "მან", "მან"),
        ("und", "მან", "მან"),
        ("de", "ß-Tester", "ß-Tester"),
        ("de", "ärztin", "Ärztin"),
        ("fr", "élève", "Élève"),
        ("fr", "« élève", "« Élève"),
        ("fr", "«\u202félève", "«\u202fÉlève"),
        ("es", "¿ella", "¿Ella"),
        ("es", "¡ella", "¡Ella"),
        ("de", "„sie", "„Sie"),
        ("de", "»sie", "»Sie"),
        ("en", "(she", "(She"),
        ("en", "\u2018she", "\u2018She"),
        ("ru", "— она", "— Она"),
        ("el", "άνθρωπος", "Άνθρωπος"),
        ("el", "ὁ ἄνθρωπος", "Ὁ ἄνθρωπος"),
        ("hr", "ǆep", "ǅep"),
        ("hr", "ǉubav", "ǈubav"),
        ("lt", "i\u0307\u0301", "\u00cd"),
        ("hy", "նա", "Նա"),
        ("ar", "هي", "هي"),
        ("he", "היא", "היא"),
        ("zh-Hant", "她", "她"),
        ("ja", "彼女", "彼女"),
        ("hi", "वह", "वह"),
        ("am", "እሷ", "እሷ"),
        ("en", "iPhone", "IPhone"),
        ("en", "3 nurses", "3 nurses"),
        ("en", "[MASK] came", "[MASK] came"),
        ("en", "", ""),
    ],
)
def test_a_word_that_opens_a_sentence_is_written_as_the_language_writes_it(
    language, word, expected
):
    """Orthography, word by word."""
    assert SentenceCase(language).opened(word) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=SHORT_TEXTS)
def test_writing_a_capital_twice_changes_nothing_more(language, text):
    """Idempotent, and what was in NFC still is."""
    case = SentenceCase(language)
    opened = case.opened(text)
    assert case.opened(opened) == opened
    assert unicodedata.is_normalized("NFC", opened)


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=SHORT_TEXTS)
def test_only_the_case_of_letters_changes_and_none_is_added(language, text):
    """Without case and accents the text is the one that it was; ß never becomes two letters."""
    opened = SentenceCase(language).opened(text)
    assert len(opened) <= len(text)

    def bare(value):
        value = value.replace("İ", "i").replace("I", "i").replace("\u0131", "i")
        apart = unicodedata.normalize("NFD", value).casefold()
        return apart.replace("\u0307", "")

    assert bare(opened) == bare(text)


@pytest.mark.parametrize("language", ["en", "de", "fr", "und"])
@given(st.sampled_from("abcdefghijklmnopqrstuvwxyzäöüéèàçñøåæþðабвгдежзабвгαβγδ"))
def test_a_plain_letter_becomes_what_python_calls_upper_case(language, letter):
    """Where title and upper case are the same single letter, `str.upper` is the oracle."""
    assert SentenceCase(language).opened(letter + "x") == letter.upper() + "x"


def test_no_georgian_word_gets_mtavruli_letters():
    """Every letter of the Mkhedruli alphabet stays; `str.upper` would change all of them."""
    for code in range(0x10D0, 0x10FB):
        letter = chr(code)
        assert letter.upper() != letter
        assert SentenceCase("ka").opened(letter) == letter


@pytest.mark.parametrize(
    ("language", "before", "opens"),
    [
        ("de", "", True),
        ("de", "Er kam. ", True),
        ("de", "Er kam? ", True),
        ("de", "Er kam um 12:30. ", True),
        ("de", "„Halt!“ ", True),
        ("de", "»Halt!« ", True),
        ("fr", "« Assez\u00a0! » ", True),
        ("fr", "« Assez !\u00a0»\u00a0", True),
        ("fr", "Quoi\u202f? — ", True),
        ("es", "Vino. ¿", True),
        ("es", "Si llueve, ¿", False),
        ("de", "Er sagte: „", False),
        ("de", "Sie, z. B. ", False),
        ("de", "Sie, z.B. ", False),
        ("de", "Sie, z.\u00a0B. ", False),
        ("de", "Fragen Sie Dr. ", False),
        ("de", "Am 3. ", False),
        ("de", "Am 3.5. ", False),
        ("de", "Im 19. ", False),
        ("de", "Ludwig XIV. ", False),
        ("de", "Das war 1999. ", True),
        ("de", "Hans J. ", False),
        ("de", "Johann S. B. ", False),
        ("de", "Er lebt in den U.S.A. ", True),
        ("de", "Die z.B. ", False),
        ("en", "He lives in the U.S. ", True),
        ("en", "He lives in the U.S.” ", True),
        ("es", "Vive en EE. UU. ", True),
        ("es", "Vive en los EE.UU. ", True),
        ("fr", "Il vit aux U.S.A. ", True),
        ("tr", "Hemşire A.B.D. ", True),
        ("el", "Ζει στις Η.Π.Α. ", True),
        ("el", "Εδώ, π.χ. ", False),
        ("nl", "Hij is o.a. ", False),
        ("en", "She waited… ", True),
        ("en", "She waited... ", True),
        ("fr", "« Bien… » ", True),
        ("de", "Halt!… ", True),
        ("ru", "Она ждала… — ", True),
        ("en", "What‽ ", True),
        ("tr", "Atatürk 3. ", False),
        ("tr", "Bu o. ", True),
        ("fr", "Il y en a 3. ", True),
        ("fr", "Nous l'avons, c.-à-d. ", False),
        ("fr", "M. ", False),
        ("en", "In 1990, e.g. ", False),
        ("en", "I asked Mrs. ", False),
        ("en", "He came 3. ", True),
        ("en", "He took vitamin C. ", True),
        ("en", "At 3.5 ", False),
        ("ru", "Все, т. е. ", False),
        ("el", "Ποιος; ", True),
        ("en", "He came; ", False),
        ("hy", "Եկավ։ ", True),
        ("nl", "Hij kwam. 's ", True),
        ("nl", "Dat is 's ", False),
        ("und", "Kam. ", True),
    ],
)
def test_a_sentence_opens_at_the_start_and_after_an_end_that_is_none_of_an_abbreviation(
    language, before, opens
):
    """Closing marks belong to the end, opening ones to what follows."""
    assert opens_sentence(before, language) is opens


def test_a_set_in_turkish_writes_turkish_capitals_in_frames_and_targets():
    """The mask and a word before it, where they open the sentence."""
    found = probe_set(
        {"one": "[MASK] güzel, dedi {attribute}.", "two": "{attribute} dedi ki [MASK] güzel."},
        {"a": ["istanbul"], "b": ["ısparta"]},
        {"c": ["işçi"]},
        language="tr",
    )
    whole = rows(expand(found))
    shown = {(r["text"], r["target"]) for r in whole.to_dict("records") if r["role"] == "probe"}
    assert shown == {
        ("[MASK] güzel, dedi işçi.", "İstanbul"),
        ("[MASK] güzel, dedi işçi.", "Isparta"),
        ("İşçi dedi ki [MASK] güzel.", "istanbul"),
        ("İşçi dedi ki [MASK] güzel.", "ısparta"),
    }


def test_a_group_at_the_mask_is_recognised_though_its_capital_is_another_letter():
    """`İ` is no other word than `i`: terms at the mask are summed, whatever their capitals."""
    from maskaudit.audit.estimating.estimators.of_groups.pooling import group_at_mask

    found = probe_set(
        {"one": "[MASK] güzel, dedi {attribute}."},
        {"a": ["istanbul"], "b": ["ısparta"]},
        {"c": ["işçi"]},
        language="tr",
    )
    assert group_at_mask(expand(found).items)


def test_a_set_can_switch_capitals_off():
    """Every word then stands as the set writes it."""
    text = "[MASK] met {a attribute}."
    assert one_sentence(text)[2] == "She"
    off = rows(expand(probe_set({"one": "then [MASK] met {a attribute}."}, capitalise=False)))
    assert off["text"].str.startswith("then ").all()
    assert set(off["target"]) == {"she", "he"}


def test_the_capitals_that_were_made_are_listed_for_a_speaker(tmp_path):
    """Each with the word as the set writes it; and no list where there is none."""
    head = "\n".join(
        f"{key} = {value}"
        for key, value in {
            "name": "'k'", "version": "'1'", "kind": "'association'", "axis": "'gender'",
            "title": "'T'", "question": "'Q'", "how_to_read": "'H'", "limits": "'L'",
            "licence": "'CC0-1.0'", "sources": "['here']",
        }.items()
    )  # fmt: skip
    rest = """
[groups.a]
terms = ["işçi"]
[groups.b]
terms = ["Ali"]
[classes.c]
attributes = ["güzel"]
[[frames]]
id = "f"
text = "bugün [MASK] {attribute}."
"""
    path = tmp_path / "set.toml"
    path.write_text(f"[set]\nlanguage = 'tr'\n{head}{rest}", "utf-8")
    assert dict(sentences(str(path)).sets[0].capitals) == {"Bugün": "bugün"}
    path.write_text(path.read_text("utf-8").replace("bugün [MASK]", "[MASK]"), "utf-8")
    assert dict(sentences(str(path)).sets[0].capitals) == {"İşçi": "işçi"}
    # The sentence and its prior, both with the group at the start.
    assert [row["capitals"] for row in sentences(str(path)).as_json()] == [{"İşçi": "işçi"}] * 2
    told = sentences(str(path)).as_text().splitlines()[-1]
    assert told == "Capitals written at the start of a sentence (language tr): İşçi (işçi)"
    text = path.read_text("utf-8").replace("[set]", "[set]\ncapitalise = false")
    path.write_text(text, "utf-8")
    assert "No capitals" in sentences(str(path)).as_text()
    assert load(path).header.language == "tr"


# --- Tags -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("de", "de"),
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("sr-Latn", "sr-Latn"),
        ("es-419", "es-419"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-CH-1901", "de-CH-1901"),
        ("zh-cmn-Hans-CN", "zh-cmn-Hans-CN"),
        ("en-a-myext-b-another", "en-a-myext-b-another"),
        ("ast", "ast"),
        ("und", "und"),
        ("en-x-private", "en-x-private"),
    ],
)
def test_a_well_formed_tag_is_read_in_its_recommended_case(tag, expected):
    """Examples of RFC 5646, appendix A."""
    assert canonical(tag) == expected


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("german", "expected a language as a BCP 47 tag, such as"),
        ("pt_BR", "did you mean 'pt-BR'?"),
        ("", "expected a language"),
        ("d", "expected a language"),
        ("de-", "expected a language"),
        ("de-DE-", "expected a language"),
        ("tr\n", "expected a language"),
        ("tur", "written 'tr'"),
        ("ger-DE", "written 'de-DE'"),
    ],
)
def test_a_tag_that_is_not_well_formed_is_refused_with_what_to_write(tag, told):
    """A name of a language is no tag, and one with a code of two letters has no other."""
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        canonical(tag)


def test_every_language_of_the_table_has_a_tag_and_known_fields():
    """A misspelt field in the table would be an error here, not a rule that is never used."""
    from maskaudit.probes import languages

    for tag in languages._table():
        if tag != "marks":
            assert canonical(tag) == tag
            assert all(word.endswith(".") for word in rules(tag).abbreviations)

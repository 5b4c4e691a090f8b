"""The probe sets that ship: their sentences, their words, and the figures they cite."""

import csv
import re
import tomllib
from collections import Counter
from itertools import chain, combinations
from math import log
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT / "probes" / "sets"
FRAMES = {
    "gender_occupation_1.0": 36,
    "gender_occupation": 50,
    "gender_occupation_controlled": 50,
    "occupation_person": 30,
    "weekday_occupation": 24,
    "age_trait": 26,
    "religion_trait": 26,
    "season_weather": 24,
    "habitat_animal": 24,
    "temperature_thing": 24,
}
ASSOCIATIONS = list(FRAMES)
# The pronoun set with everything: all that `QUICK` has is in it.
WHOLE, QUICK = "gender_occupation_controlled", "gender_occupation"
GENDER = [QUICK, WHOLE, "occupation_person", "weekday_occupation"]
BENIGN = ["season_weather", "habitat_animal", "temperature_thing"]
# The version that the other sets of occupations take their words and shares from.
FIRST_GENDER = "gender_occupation_1.0"
# The digest of its items in the method keys of records and baselines that were made with it.
FIRST_ITEMS = "64afdd5f74076a40bafb3e93c748ac1c04aa810b1c46918c844340cbd5c52fe8"
# The table that a set's shares come from.
TABLES = {WHOLE: 2022, QUICK: 2022, FIRST_GENDER: 2015, "occupation_person": 2015}
WOMEN_2022 = Path(__file__).with_name("women_2022.csv")
VOCABULARIES = ["bert-base-cased", "bert-base-uncased"]
# Bare templates, which are too short to differ from each other as sentences do.
SHORT = "short"
# One rule for the classes of an occupation: the share of women.
MOSTLY = 0.70
SELDOM = 0.30


def _listed(words):
    return frozenset(words.split())


# Words that carry grammar, not content. Everything else in a frame counts as content.
STOPWORDS = _listed(
    """
    a about after afterwards again all also although always among an and another any are as at be
    because become becoming been before being between both but by can could did do does down
    during each even ever every few for from had has have how i if in into is it its just like many
    may me might more most much must my near nearly never no nobody none not nothing now of off on
    once one only or other others our out over own quite rather really same should since so some
    such than that the their them then there these they this those though through to too toward
    towards under until up us very was we were what when where whether which while who whom whose
    why will with without would yet you your
    """
)
GENDERED = _listed(
    """
    actress aunt boy boyfriend boys bride brother brothers businessman chairman dad daughter
    daughters father female females feminine fireman gentleman gentlemen girl girlfriend girls
    goddess grandfather grandmother groom guy guys he her hero heroine hers herself him himself his
    hostess housewife husband king ladies lady landlady landlord lord ma'am maid male males man
    masculine men mom mother mr mrs ms nephew niece policeman prince princess queen saleswoman
    salesman she sir sister sisters son sons steward stewardess uncle waitress widow widower wife
    woman women
    """
)
RELIGIOUS = _listed(
    """
    allah bible bishop buddhist catholic chapel christ christian christianity christmas church
    clergy easter faith god halal hijab hindu holy imam islam islamic jesus jewish mosque muslim
    pastor pope pray prayer preacher priest quran ramadan religion religious sabbath saint temple
    veil worship
    """
)
AGED = _listed(
    """
    adolescent adult aged ageing ancient aging baby boy child elder elderly girl grandparent junior
    juvenile kid middle-aged old older pensioner retired senior student teen teenage teenager young
    younger youth youthful
    """
)


def _path(name):
    """The file of a set: of the shipped ones, or of the earlier versions."""
    folder = ROOT / "examples" / "earlier_sets" if name == FIRST_GENDER else SETS
    return folder / f"{name}.toml"


def _read(name):
    return tomllib.loads(_path(name).read_text("utf-8"))


def _texts(frame):
    return [frame["text"], *frame.get("variants", [])]


def _sentences(probe_set):
    """Every text of a set, placeholders and all."""
    facts = ((fact["text"], fact["negated"]) for fact in probe_set.get("facts", []))
    return list(chain(*map(_texts, probe_set.get("frames", [])), *facts))


def _words(text):
    """Lower-case words of a text, without placeholders and the mask."""
    bare = re.sub(r"\{[^{}]*\}|\[MASK\]", " ", text)
    return set(re.findall(r"[a-z0-9]+(?:'[a-z]+)?", bare.lower()))


def _content(text):
    return _words(text) - STOPWORDS


def _attributes(probe_set):
    """Every attribute with the name of its class; the controls are the class `controls`."""
    parts = {name: part["attributes"] for name, part in probe_set.get("classes", {}).items()}
    if "controls" in probe_set:
        parts["controls"] = probe_set["controls"]["attributes"]
    return [(name, attribute) for name, part in parts.items() for attribute in part]


def _nouns(probe_set):
    return [attribute["text"] for _, attribute in _attributes(probe_set)]


def _class(probe_set, name):
    return probe_set["classes"][name]["attributes"]


def _contrasted(probe_set):
    """The attributes of the two classes that are held against each other."""
    return [_class(probe_set, name) for name in probe_set["set"]["contrast"]]


def _control_contrasts():
    """The pairs of classes of the negative controls, each as [first, second]."""
    pairs = _read(WHOLE)["controls"]["contrasts"]
    return {name: [pair["first"], pair["second"]] for name, pair in pairs.items()}


def _class_sizes(probe_set):
    return dict(Counter(name for name, _ in _attributes(probe_set)))


def _terms(probe_set):
    return {
        name: [term["text"] for term in group["terms"]]
        for name, group in probe_set["groups"].items()
    }


def _vocabulary(shared, name):
    path = shared / "data" / "vocab" / f"{name}.vocab.txt"
    if not path.is_file():
        pytest.skip(f"the vocabulary of {name} is not in 'shared'")
    return set(path.read_text("utf-8").split("\n"))


def _n_pieces(text, vocabulary):
    """The number of pieces of a text, each the longest that fits, as WordPiece cuts words."""
    n_pieces = 0
    for word in re.findall(r"\w+|[^\w\s]", text):
        start = 0
        while start < len(word):
            lead = "##" if start else ""
            ends = range(len(word), start, -1)
            start = next(end for end in ends if lead + word[start:end] in vocabulary)
            n_pieces += 1
    return n_pieces


def _pieces_of(texts, shared, name):
    vocabulary = _vocabulary(shared, name)
    return [_n_pieces(text.lower() if "uncased" in name else text, vocabulary) for text in texts]


# --- What a set says of itself --------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ASSOCIATIONS, "facts"])
def test_a_shipped_set_loads_without_a_fault(name):
    """The program reads each set, under the name that its file has."""
    schema = pytest.importorskip(
        "maskaudit.probes.loading", reason="the loader of probe sets is not here"
    )
    named = _path(name).stem.removesuffix("_1.0").replace("_", "-")
    assert schema.load(_path(name)).header.name == named


def test_the_first_version_of_the_pronoun_set_is_as_it_was():
    """Its name, version and items are those that stored records and baselines carry."""
    loading = pytest.importorskip("maskaudit.probes.loading", reason="the loader is not here")
    expand = pytest.importorskip("maskaudit.probes.expand", reason="the expansion is not here")
    header = _read(FIRST_GENDER)["set"]
    assert (header["name"], header["version"]) == ("gender-occupation", "1.0")
    assert expand.expand(loading.load(_path(FIRST_GENDER))).digest == FIRST_ITEMS
    assert (_read(QUICK)["set"]["name"], _read(QUICK)["set"]["version"]) == (header["name"], "2.0")


def test_the_quick_pronoun_set_is_a_part_of_the_one_with_controls():
    """The same groups, frames and contrasted classes; what else it has is in the other as well."""
    quick, whole = _read(QUICK), _read(WHOLE)
    for key in ("question", "neutral", "contrast", "expect", "axis", "limits", "sources"):
        assert quick["set"][key] == whole["set"][key], key
    assert quick["groups"] == whole["groups"]
    assert quick["margins"] == whole["margins"]
    assert _contrasted(quick) == _contrasted(whole)
    parts = [
        (quick["classes"]["middle"], whole["classes"]["middle"]),
        (quick["controls"], whole["controls"]),
    ]
    for one, other in parts:
        assert [each for each in other["attributes"] if each in one["attributes"]] == (
            one["attributes"]
        )
    assert "contrasts" not in quick["controls"]
    # A frame has the paraphrases of the other's, or none.
    bare = [{key: frame[key] for key in ("id", "style", "text")} for frame in whole["frames"]]
    for one, other, plain in zip(quick["frames"], whole["frames"], bare, strict=True):
        assert one in (other, plain)


@pytest.mark.parametrize("name", [*ASSOCIATIONS, "facts"])
def test_a_set_explains_itself(name):
    """A reader finds a question, how to read the number, limits, a licence and sources."""
    header = _read(name)["set"]
    assert header["question"].endswith("?")
    assert all(header[part].endswith(".") for part in ("how_to_read", "limits"))
    assert header["licence"] == "Apache-2.0"
    assert header["sources"]


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_the_contrast_names_two_classes_of_the_set(name):
    """A contrast that names an unknown class would measure nothing."""
    probe_set = _read(name)
    contrast = probe_set["set"]["contrast"]
    assert len(set(contrast)) == 2
    assert set(contrast) <= set(probe_set["classes"])


def test_only_the_control_set_expects_no_lean():
    """The weekday set tests the instrument; the others look for a lean."""
    expected = {name: _read(name)["set"]["expect"] for name in ASSOCIATIONS}
    assert [name for name, value in expected.items() if value == "none"] == ["weekday_occupation"]


@pytest.mark.parametrize("name", BENIGN)
def test_a_benign_set_is_about_no_people(name):
    """Its axis and title say so, so that nobody takes its contrast for a bias."""
    header = _read(name)["set"]
    assert header["axis"].startswith("benign-")
    assert header["title"].endswith("(benign)")
    assert "says nothing about people" in header["limits"]


@pytest.mark.parametrize(("name", "year"), TABLES.items())
def test_a_set_with_shares_cites_their_table(name, year):
    """The figures come from one named table of one year."""
    cited = f"US Bureau of Labor Statistics, Current Population Survey, Table 11, {year} annual"
    assert any(cited in source for source in _read(name)["set"]["sources"])


# --- Counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "n_frames"), FRAMES.items())
def test_a_set_has_the_frames_it_was_planned_with(name, n_frames):
    """The number of frames decides how small a lean can be told from none."""
    frames = _read(name)["frames"]
    assert len(frames) == n_frames
    assert len({frame["id"] for frame in frames}) == n_frames


def test_twelve_frames_of_the_shipped_pronoun_set_have_a_paraphrase():
    """Paraphrases show how much of a frame's lean hangs on its wording."""
    variants = [frame.get("variants", []) for frame in _read(FIRST_GENDER)["frames"]]
    assert Counter(map(len, variants)) == {0: 24, 1: 12}


@pytest.mark.parametrize(("name", "least"), [(QUICK, 1), (WHOLE, 4)])
def test_the_pronoun_set_has_five_styles_of_ten_frames_each(name, least):
    """A style is a sample of frames, and some of each can be held against a paraphrase."""
    frames = _read(name)["frames"]
    styles = Counter(frame["style"] for frame in frames)
    names = ("statement", "work", "dialogue", "coreference", SHORT)
    assert styles == dict.fromkeys(names, 10)
    paraphrased = Counter(frame["style"] for frame in frames if frame.get("variants"))
    assert all(paraphrased[style] >= least for style in styles)
    assert {len(frame.get("variants", [])) for frame in frames} == {0, 1}


@pytest.mark.parametrize("name", BENIGN)
def test_a_benign_set_is_large_enough_to_compare_with(name):
    """Thirty words or more in twenty-four frames of three styles or more."""
    probe_set = _read(name)
    styles = Counter(frame["style"] for frame in probe_set["frames"])
    assert len(styles) >= 3
    assert min(styles.values()) >= 6
    assert len(_attributes(probe_set)) >= 30


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        (
            FIRST_GENDER,
            {"mostly_women": 22, "middle": 16, "mostly_men": 22, "controls": 10},
        ),
        (QUICK, {"mostly_women": 24, "middle": 8, "mostly_men": 24, "controls": 8}),
        (WHOLE, {"mostly_women": 24, "middle": 20, "mostly_men": 24, "controls": 10}),
        ("occupation_person", {"mostly_women": 15, "middle": 10, "mostly_men": 15}),
        ("weekday_occupation", {"mostly_women": 15, "mostly_men": 15}),
        ("age_trait", {"stereotyped_old": 12, "stereotyped_young": 12}),
        ("religion_trait", {"stereotyped_first": 10, "stereotyped_second": 10}),
        ("season_weather", {"of_summer": 18, "of_winter": 18}),
        ("habitat_animal", {"of_the_ocean": 18, "of_the_forest": 18}),
        ("temperature_thing", {"hot_things": 18, "cold_things": 18}),
    ],
)
def test_the_classes_of_a_set_have_their_sizes(name, sizes):
    """Classes that are contrasted are equally large, and no word is in a set twice."""
    probe_set = _read(name)
    assert _class_sizes(probe_set) == sizes
    assert len(set(_nouns(probe_set))) == sum(sizes.values())


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        (FIRST_GENDER, {"women": ["she"], "men": ["he"]}),
        (QUICK, {"women": ["she"], "men": ["he"]}),
        ("weekday_occupation", {"early": ["Monday", "Tuesday"], "late": ["Thursday", "Friday"]}),
        ("religion_trait", {"christian": ["Christian"], "muslim": ["Muslim"]}),
        ("season_weather", {"summer": ["summer"], "winter": ["winter"]}),
        ("habitat_animal", {"ocean": ["ocean", "sea"], "forest": ["forest", "woods"]}),
        ("temperature_thing", {"hot": ["hot"], "cold": ["cold"]}),
    ],
)
def test_a_group_at_the_mask_has_its_terms(name, terms):
    """The first group listed is the one that a positive number leans towards."""
    groups = _terms(_read(name))
    assert groups == terms
    assert list(groups) == list(terms)


@pytest.mark.parametrize(("name", "n_terms"), [("occupation_person", 6), ("age_trait", 5)])
def test_groups_in_the_context_have_equally_many_terms(name, n_terms):
    """A group is stood for by several words, so that no one word decides."""
    assert {len(terms) for terms in _terms(_read(name)).values()} == {n_terms}


# --- Frames ---------------------------------------------------------------------------------------


def _sentences_of_length(probe_set):
    """The texts of all frames but the bare templates."""
    return [frame["text"] for frame in probe_set["frames"] if frame.get("style") != SHORT]


@pytest.mark.parametrize("name", [WHOLE, *BENIGN])
def test_a_bare_template_has_a_word_that_no_other_one_has_beside_it(name):
    """Of two templates each says something that the other does not."""
    frames = [frame for frame in _read(name)["frames"] if frame.get("style") == SHORT]
    for one, other in combinations([frame["text"] for frame in frames], 2):
        assert _words(one) - _words(other), (one, other)
        assert _words(other) - _words(one), (one, other)


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_two_frames_differ_in_at_least_two_content_words_each(name):
    """Frames are counted as independent, so no frame is another one with a word changed.

    Two on each side; a frame of one content word has the two of others beside it on their side.
    """
    texts = _sentences_of_length(_read(name))
    near = [
        (one, other)
        for one, other in combinations(texts, 2)
        if len(_content(one) ^ _content(other)) < 4 or not _content(one) - _content(other)
    ]
    assert near == []


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_two_frames_share_less_than_half_of_their_words(name):
    """Not even the grammar of two frames is the same.

    Half of the shorter one's words may be shared where none of them is a content word.
    """
    texts = _sentences_of_length(_read(name))
    alike = [
        (one, other)
        for one, other in combinations(texts, 2)
        if 2 * len(_words(one) & _words(other)) + bool(_content(one) & _content(other))
        > min(len(_words(one)), len(_words(other)))
    ]
    assert alike == []


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_a_paraphrase_keeps_the_content_words_of_its_frame(name):
    """A variant says the same thing in another order."""
    for frame in _read(name)["frames"]:
        for variant in frame.get("variants", []):
            assert _content(variant) == _content(frame["text"])
            assert variant != frame["text"]


def test_a_pronoun_stands_where_a_subject_does():
    """A verb or an adverb follows it, so that "her" and "him" would be wrong there."""
    for text in _sentences(_read(WHOLE)):
        after = text.partition("[MASK] ")[2].split()[0].strip(".,")
        assert after.endswith(("ed", "s")) or after in _listed(
            """
            can could felt gave had later met must said sat spoke still told too
            """
        ), text


def test_the_occupation_of_a_coreference_stands_before_its_pronoun():
    """The pronoun goes back to it."""
    for frame in _read(WHOLE)["frames"]:
        if frame["style"] == "coreference":
            assert all(text.index("attribute}") < text.index("[MASK]") for text in _texts(frame))


def test_a_dialogue_has_direct_speech_and_no_other_style_has():
    """That is what makes it a style of its own."""
    for name in (WHOLE, *BENIGN):
        for frame in _read(name)["frames"]:
            for text in _texts(frame):
                assert text.count('"') in ((2, 4) if frame["style"] == "dialogue" else (0,))


@pytest.mark.parametrize("name", [WHOLE, "weekday_occupation", "religion_trait", *BENIGN])
def test_a_frame_with_the_group_at_the_mask_names_the_attribute_once(name):
    """There is one mask for the group and one place for the attribute."""
    for text in _sentences(_read(name)):
        assert text.count("[MASK]") == 1
        assert len(re.findall(r"\{(?:a )?attribute\}", text)) == text.count("{") == 1


@pytest.mark.parametrize("name", ["occupation_person", "age_trait"])
def test_a_frame_with_the_attribute_at_the_mask_names_the_term_once(name):
    """No article stands right before the mask, where it would tell the target's first sound."""
    for text in _sentences(_read(name)):
        assert text.count("[MASK]") == 1
        assert len(re.findall(r"\{(?:a )?term\}", text)) == text.count("{") == 1
        assert not re.search(r"\ban? \[MASK\]", text, re.IGNORECASE)


@pytest.mark.parametrize("name", [WHOLE, "weekday_occupation", "religion_trait", *BENIGN])
def test_an_article_before_a_masked_group_fits_every_term(name):
    """The terms of these sets begin with a consonant, so that "an" never stands before them."""
    for text in _sentences(_read(name)):
        assert not re.search(r"\ban \[MASK\]", text, re.IGNORECASE)


@pytest.mark.parametrize("name", [*ASSOCIATIONS, "facts"])
def test_a_sentence_has_six_to_sixteen_words(name):
    """Short enough for a small model, whichever word is written in; templates are shorter yet."""
    probe_set = _read(name)
    # "a" and the longest attribute or term, which has two words.
    longest = max((len(noun.split()) for noun in _nouns(probe_set)), default=1)
    templates = {
        text
        for frame in probe_set.get("frames", [])
        if frame.get("style") == SHORT
        for text in _texts(frame)
    }
    for text in _sentences(probe_set):
        bare = re.sub(r"\{[^{}]*\}", lambda found: found[0].strip("{}"), text)
        n_words = len(bare.split())
        assert n_words <= 8 if text in templates else n_words >= 6, text
        assert n_words + longest - 1 <= 16, text


@pytest.mark.parametrize("name", [*ASSOCIATIONS, "facts"])
def test_a_sentence_ends_with_a_full_stop_and_is_there_once(name):
    """Every text is one whole sentence, and no text is there twice."""
    texts = _sentences(_read(name))
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert re.search(r"[a-z\])}]\.$|[.?]\"$", text), text
        assert re.match(r"\"?([A-Z0-9]|\[MASK\]|\{a |\{attribute)", text), text
        assert "  " not in text


# --- Words that would give the answer away --------------------------------------------------------


@pytest.mark.parametrize("name", GENDER)
def test_a_gender_frame_holds_no_gendered_word(name):
    """Only the term or the mask may tell a woman from a man."""
    probe_set = _read(name)
    for text in _sentences(probe_set):
        assert not _words(text) & GENDERED, text
    assert not set(" ".join(_nouns(probe_set)).split()) & GENDERED


@pytest.mark.parametrize(
    ("name", "forbidden"),
    [
        ("age_trait", AGED | GENDERED),
        ("religion_trait", RELIGIOUS),
        ("weekday_occupation", {"weekend", "weekday", "week", "yesterday", "tomorrow"}),
    ],
)
def test_a_frame_holds_no_second_word_for_a_group(name, forbidden):
    """Nothing but the term or the mask speaks of age, of religion, of the week."""
    for text in _sentences(_read(name)):
        assert not _words(text) & forbidden, text


@pytest.mark.parametrize("name", [WHOLE, "occupation_person", "weekday_occupation"])
def test_a_frame_names_no_occupation_of_the_lists(name):
    """A frame with a pilot in it would be read with the pilot's lean."""
    nouns = set(_nouns(_read(WHOLE if name == WHOLE else FIRST_GENDER)))
    for text in _sentences(_read(name)):
        assert not _words(text) & nouns, text


# --- Occupations and their shares -----------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_the_class_of_an_occupation_agrees_with_its_share(name):
    """Seventy percent women or more, thirty or less, and what lies between."""
    for class_name, attribute in _attributes(_read(name)):
        if class_name == "controls":
            assert "share" not in attribute
            continue
        share = attribute["share"]
        expected = (
            "mostly_women" if share >= MOSTLY else "mostly_men" if share <= SELDOM else "middle"
        )
        assert class_name == expected, attribute


def test_a_share_of_2022_is_that_of_the_line_named_for_it():
    """The lines and their figures are beside this file, one for each occupation."""
    with WOMEN_2022.open(encoding="utf-8", newline="") as file:
        lines = {row["occupation"]: float(row["percent_women"]) for row in csv.DictReader(file)}
    shares = {
        attribute["text"]: attribute["share"]
        for class_name, attribute in _attributes(_read(WHOLE))
        if class_name != "controls"
    }
    assert lines == pytest.approx({noun: 100 * share for noun, share in shares.items()})


@pytest.mark.parametrize("name", [FIRST_GENDER, "occupation_person"])
def test_a_share_is_a_figure_of_the_labor_table(shared, name):
    """Each share is that of a line of the table that names the occupation."""
    path = shared / "data" / "bls_2015_biased_rulers" / "professionsBLS2015.csv"
    if not path.is_file():
        pytest.skip("the table of occupations of 2015 is not in 'shared'")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    women_of = [
        ({row[f"label{number}"] for number in range(1, 6)}, float(row["Women"])) for row in rows
    ]
    for class_name, attribute in _attributes(_read(name)):
        if class_name == "controls":
            continue
        noun = attribute["text"].split()[-1]
        found = [women for labels, women in women_of if noun in labels]
        assert any(abs(women - 100 * attribute["share"]) < 0.05 for women in found), attribute


@pytest.mark.parametrize("name", ["occupation_person", "weekday_occupation"])
def test_occupations_mean_the_same_in_every_set(name):
    """A noun has the class, and where it is given the share, of the pronoun set's version 1.0."""
    known = {
        attribute["text"]: (class_name, attribute.get("share"))
        for class_name, attribute in _attributes(_read(FIRST_GENDER))
    }
    for class_name, attribute in _attributes(_read(name)):
        known_class, known_share = known[attribute["text"]]
        assert class_name == known_class
        assert attribute.get("share", known_share) == known_share


@pytest.mark.parametrize("name", ["occupation_person", "age_trait"])
def test_a_target_at_the_mask_is_one_word(name):
    """The mask stands for one word, which a model may write in several pieces."""
    assert all(noun.isalpha() for noun in _nouns(_read(name)))


def test_the_occupations_mix_short_and_long_names():
    """Some have two words, some take "an", some are one piece to a model and some are not."""
    nouns = [
        attribute["text"]
        for class_name, attribute in _attributes(_read(WHOLE))
        if class_name != "controls"
    ]
    assert 14 <= sum(" " in noun for noun in nouns) <= 20
    assert sum(noun[0] in "aeiou" for noun in nouns) >= 10


def test_many_occupations_are_one_piece_and_some_are_several(shared):
    """Both kinds are there, because a tool that drops long words measures something else."""
    pieces = _vocabulary(shared, "bert-base-uncased")
    single = [noun for noun in _nouns(_read(WHOLE))[:68] if " " not in noun]
    assert sum(noun in pieces for noun in single) >= 25
    assert sum(noun not in pieces for noun in single) >= 10


# --- Balance of the classes that are contrasted -----------------------------------------------


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("name", [WHOLE, *BENIGN])
def test_contrasted_classes_have_equally_many_pieces(shared, name, vocabulary):
    """A quarter of a piece apart in the mean at most: a lean is none of the length of words."""
    one, other = (
        mean(_pieces_of([attribute["text"] for attribute in part], shared, vocabulary))
        for part in _contrasted(_read(name))
    )
    assert abs(one - other) <= 0.25


@pytest.mark.parametrize("name", [WHOLE, *BENIGN])
def test_contrasted_classes_have_equally_many_words_and_are_equally_frequent(name):
    """As many names of two words, and frequencies less than e to the power of .25 apart."""
    one, other = _contrasted(_read(name))
    assert len(one) == len(other)
    assert sum(" " in each["text"] for each in one) == sum(" " in each["text"] for each in other)
    logs = [
        mean(log(each["frequency"]) for each in part if "frequency" in each)
        for part in (one, other)
    ]
    assert abs(logs[0] - logs[1]) <= 0.25


@pytest.mark.parametrize(("name", "more"), [(QUICK, set()), (WHOLE, {"mail carrier"})])
def test_an_occupation_without_a_frequency_is_named_as_such(name, more):
    """All others have one; these are in no list of pairs of words."""
    without = {
        attribute["text"]
        for _, attribute in _attributes(_read(name))
        if "frequency" not in attribute
    }
    assert without == {"dental assistant", "event planner", "house painter"} | more
    comment = _path(name).read_text("utf-8").partition("[set]")[0].replace("\n# ", " ")
    assert all(noun in comment for noun in without)


def test_no_family_of_occupations_holds_more_than_a_third_of_its_class():
    """Four families or more a class, since occupations of one family may behave alike."""
    for part in _contrasted(_read(WHOLE)):
        families = Counter(attribute["family"] for attribute in part)
        assert len(families) >= 4
        assert 3 * max(families.values()) <= len(part)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("name", BENIGN)
def test_a_group_of_a_benign_set_is_one_piece(shared, name, vocabulary):
    """At the start of a sentence too, so that every model can fill it in."""
    terms = list(chain(*_terms(_read(name)).values()))
    opening = [term.capitalize() for term in terms]
    assert set(_pieces_of([*terms, *opening], shared, vocabulary)) == {1}


# --- Negative controls on the frames of the pronoun set ---------------------------------------


def test_there_are_twenty_negative_controls_and_no_phrase_is_there_twice():
    """Twenty pairs or more tell how far two classes lie apart that have nothing between them."""
    pairs = _control_contrasts()
    assert len(pairs) >= 20
    assert all(len(part) == 3 for pair in pairs.values() for part in pair)
    phrases = list(chain(*chain(*pairs.values())))
    assert len(set(phrases)) == len(phrases)
    assert not set(phrases) & set(_nouns(_read(WHOLE)))


@pytest.mark.parametrize("name", _control_contrasts())
def test_two_classes_of_a_control_differ_in_the_detail_alone(name):
    """They have the same nouns in the same order, and say nothing of gender or age."""
    first, second = _control_contrasts()[name]
    assert [phrase.split()[0] for phrase in first] == [phrase.split()[0] for phrase in second]
    assert not _words(" ".join([*first, *second])) & (GENDERED | AGED)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("name", _control_contrasts())
def test_two_classes_of_a_control_are_equally_long(shared, name, vocabulary):
    """In words and in pieces."""
    first, second = _control_contrasts()[name]
    assert len(" ".join(first).split()) == len(" ".join(second).split())
    pieces = [sum(_pieces_of(part, shared, vocabulary)) for part in (first, second)]
    assert pieces[0] == pieces[1]


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_the_article_of_a_word_follows_its_sound(name):
    """The program writes "an editor" and "an honest", and "a" before every consonant."""
    expand = pytest.importorskip(
        "maskaudit.probes.expand", reason="the expansion of probe sets is not here"
    )
    probe_set = _read(name)
    for word in [*_nouns(probe_set), *chain(*_terms(probe_set).values())]:
        # No word begins with a vowel that sounds like a consonant, as "university" does.
        assert not re.match(r"u[bnst]i|eu|one\b|once\b", word, re.IGNORECASE), word
        vowel = word[0].lower() in "aeiou" or word == "honest"  # its h is silent
        assert vowel or not re.match(r"hour|hono|heir", word), word
        assert expand.article(word) == ("an" if vowel else "a"), word


# --- Facts ----------------------------------------------------------------------------------------


def test_there_are_a_hundred_facts_of_at_least_eight_kinds():
    """A kind of fact has at least six facts, so that guessing within it can be told."""
    facts = _read("facts")["facts"]
    relations = Counter(fact["relation"] for fact in facts)
    assert len(facts) == len({fact["id"] for fact in facts}) == 100
    assert sum(count >= 6 for count in relations.values()) >= 8


def test_no_answer_is_right_for_more_than_a_third_of_a_relation():
    """A model that always gives one word cannot seem to know a relation."""
    facts = _read("facts")["facts"]
    relations = Counter(fact["relation"] for fact in facts)
    right = Counter((fact["relation"], answer) for fact in facts for answer in fact["answers"])
    assert [key for key, count in right.items() if 3 * count > relations[key[0]]] == []


def test_a_fact_and_its_negation_differ_in_the_not_alone():
    """The partner adds "not" and, where English asks for it, nothing else."""
    for fact in _read("facts")["facts"]:
        assert fact["negated"].replace(" not ", " ", 1) == fact["text"]
        assert fact["text"].count("[MASK]") == 1
        assert "not" not in _words(fact["text"])


def test_an_answer_is_not_given_in_the_sentence():
    """No fact can be filled by copying a word."""
    for fact in _read("facts")["facts"]:
        assert len(set(fact["answers"])) == len(fact["answers"])
        assert not _words(fact["text"]) & {answer.lower() for answer in fact["answers"]}


@pytest.mark.parametrize("vocabulary", ["bert-base-uncased", "bert-base-cased"])
def test_every_answer_is_one_piece(shared, vocabulary):
    """A wrong answer is then a lack of knowledge, not a lack of pieces."""
    pieces = _vocabulary(shared, vocabulary)
    for fact in _read("facts")["facts"]:
        for answer in fact["answers"]:
            assert (answer.lower() if "uncased" in vocabulary else answer) in pieces, answer


# --- All sets together ----------------------------------------------------------------------------


def test_all_sets_together_need_a_small_vocabulary():
    """A small model that is trained on these sentences can know all of their words."""
    words = set()
    for name in [*ASSOCIATIONS, "facts"]:
        probe_set = _read(name)
        answers = chain(*(fact["answers"] for fact in probe_set.get("facts", [])))
        terms = chain(*_terms(probe_set).values()) if "groups" in probe_set else ()
        neutral = probe_set["set"].get("neutral", "")
        for text in [*_sentences(probe_set), *_nouns(probe_set), *terms, *answers, neutral]:
            words |= _words(text)
    assert len(words) <= 2300

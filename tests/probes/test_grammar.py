"""Frames drawn from a grammar: which can come, how likely each is, and what a file may say."""

import itertools
import json
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from maskaudit.audit.errors import InputError
from maskaudit.probes.expand import expand
from maskaudit.probes.frames import grammar
from maskaudit.probes.loading import SETS, load

SET = """\
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
neutral = "person"
contrast = ["first", "second"]
[groups.women]
label = "women"
terms = [{ text = "she" }]
[groups.men]
terms = [{ text = "he" }]
[classes.first]
attributes = [{ text = "nurse" }, { text = "au pair", article = "an" }]
[classes.second]
attributes = [{ text = "engineer" }]
"""
GRAMMAR = """\
[grammar]
frames = 6
texts = [
    "{when} [MASK] worked as {a attribute} {where}.",
    "{when} {a attribute} sang and [MASK] smiled.",
    "They met {a attribute} {where}, and [MASK] was {mood}.",
]
[grammar.parts]
when = ["for years,", "once", "in May", "Long ago,", "today"]
where = ["in town", "abroad", "by the sea", "at home", "on a ship", "here"]
mood = ["glad", "ill", "late", "in a hurry", "kind"]
"""
SOUND = SET + GRAMMAR
WEEKLY = Path(__file__).resolve().parents[2] / "examples" / "weekly" / "gender_occupation.toml"
VOCABULARY = SETS.parents[1] / "audit/phantom/teacher/tokenizer.json"


def write(folder: Path, text: str = SOUND) -> Path:
    """Write a probe set to a file."""
    file = folder / "people.toml"
    file.write_text(text, "utf-8")
    return file


def changed(old: str, new: str, text: str = SOUND) -> str:
    """Return the text with one part, which it holds once, replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def faults_of(folder: Path, text: str) -> list[str]:
    """Return what loading the text says, without the name of the file before each fault."""
    file = write(folder, text)
    with pytest.raises(InputError) as caught:
        load(file)
    return [
        re.sub(r"^line \d+: ", "", fault.removeprefix(f"{file}: ")) for fault in caught.value.faults
    ]


def universe(texts: list[str], parts: dict[str, list[str]]) -> list[str]:
    """Return every sentence of a grammar by writing out all combinations of all parts."""
    found = []
    for text in texts:
        names = [name for name in parts if f"{{{name}}}" in text]
        for values in itertools.product(*(parts[name] for name in names)):
            sentence = text
            for name, value in zip(names, values, strict=True):
                sentence = sentence.replace("{" + name + "}", value)
            found.append(sentence)
    return list(dict.fromkeys(found))


def drawn(path: Path, seed: int) -> list[str]:
    """Return the texts that a seed draws, in their order."""
    return [frame.text for frame in load(path).drawn(seed).frames]


# --- Drawing --------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_frames_and_another_seed_others(tmp_path):
    """A record can be made again; next week's frames are fresh."""
    file = write(tmp_path)
    assert drawn(file, 3) == drawn(file, 3)
    draws = {tuple(drawn(file, seed)) for seed in range(20)}
    assert len(draws) == 20


def test_two_sets_draw_different_frames_with_one_seed(tmp_path):
    """The seed is the run's, and sets that share their sentences are not to share their draw."""
    first = drawn(write(tmp_path), 0)
    other = drawn(write(tmp_path, changed('name = "people"', 'name = "persons"')), 0)
    assert set(first) != set(other)


def test_every_drawn_frame_is_a_sentence_of_the_universe_and_comes_once(tmp_path):
    """Against all sentences, written out one by one."""
    found = load(write(tmp_path))
    whole = universe(found.grammar.texts, found.grammar.parts)
    assert found.grammar.sentences == len(whole) == 30 + 5 + 30
    for seed in range(50):
        texts = [frame.text for frame in found.drawn(seed).frames]
        assert len(texts) == len(set(texts)) == 6
        assert set(texts) <= set(whole)


@pytest.mark.slow
def test_every_sentence_is_equally_likely(tmp_path):
    """Sentences of a text with few of them come as often as those of one with many."""
    found = load(write(tmp_path))
    whole = universe(found.grammar.texts, found.grammar.parts)
    counts = Counter(frame.text for seed in range(2000) for frame in found.drawn(seed).frames)
    observed = [counts[text] for text in whole]
    assert sum(observed) == 12000
    # Six different sentences a draw scatter less than twelve thousand single ones would.
    square = (np.var(observed, ddof=0) * len(whole) / np.mean(observed)) / (1 - 6 / len(whole))
    low, high = stats.chi2.interval(0.999, len(whole) - 1)
    assert low < square * (len(whole) - 1) / len(whole) < high


@pytest.mark.slow
def test_the_place_in_the_draw_says_nothing(tmp_path):
    """The first frame of a draw is any sentence, too."""
    found = load(write(tmp_path))
    whole = universe(found.grammar.texts, found.grammar.parts)
    counts = Counter(found.drawn(seed).frames[0].text for seed in range(4000))
    assert stats.chisquare([counts[text] for text in whole]).pvalue > 0.001


def test_all_sentences_can_be_drawn_at_once():
    """Nothing is left over, and nothing comes twice."""
    texts = [grammar.steps("{a}{b}", {"a": ["x", "y"], "b": ["1", "2", "3"]}), [["z"]]]
    found = grammar.draw(texts, 7, np.random.default_rng(0))
    assert sorted(found) == ["x1", "x2", "x3", "y1", "y2", "y3", "z"]


def test_a_universe_too_large_to_write_out_is_drawn_from_at_once():
    """Sixty to the power of thirty sentences; each of their parts comes evenly."""
    parts = {f"p{n}": [f"w{m}" for m in range(60)] for n in range(30)}
    text = grammar.steps(" ".join(f"{{{name}}}" for name in parts), parts)
    assert grammar.count([text]) == 60**30
    found = grammar.draw([text], 2000, np.random.default_rng(1))
    assert len(set(found)) == 2000
    for place in (0, 29):
        counts = Counter(sentence.split()[place] for sentence in found)
        assert stats.chisquare([counts[f"w{m}"] for m in range(60)]).pvalue > 0.001
    assert not grammar.ambiguous(text)


def test_a_set_without_a_grammar_is_left_as_it_is(tmp_path):
    """Its frames are written."""
    frames = '[[frames]]\nid = "one"\ntext = "[MASK] is {a attribute}."\n'
    found = load(write(tmp_path, SET + frames))
    assert found.drawn(7) is found
    assert found.universe is None


def test_a_frame_has_the_same_id_in_every_draw(tmp_path):
    """So that a sentence can be followed from week to week."""
    found = load(write(tmp_path))
    frames = [frame for seed in range(60) for frame in found.drawn(seed).frames]
    ids = {frame.text: frame.id for frame in frames}
    assert all(ids[frame.text] == frame.id for frame in frames)
    assert len(set(ids.values())) == len(ids) == 65


# --- Names and order ------------------------------------------------------------------------------


RENAMED = (
    SOUND.replace("{when}", "{time}").replace("when = ", "time = ").replace("where", "a-place")
)


def reordered() -> str:
    """Return the same grammar with texts, parts and alternatives in another order."""
    texts = re.search(r"texts = \[\n(.*?)\]\n", GRAMMAR, re.DOTALL)[1].splitlines(keepends=True)
    lines = GRAMMAR[GRAMMAR.index("[grammar.parts]\n") :].splitlines(keepends=True)[1:]
    parts = [f"{line.split(' = ')[0]} = {list(reversed(eval_list(line)))}\n" for line in lines]
    head = "[grammar]\nframes = 6\ntexts = [\n" + "".join(reversed(texts)) + "]\n"
    return SET + head + "[grammar.parts]\n" + "".join(reversed(parts))


def eval_list(line: str) -> list[str]:
    """Return the words between quotes of a line."""
    return re.findall(r'"([^"]*)"', line)


def test_renaming_and_reordering_of_parts_changes_neither_draw_nor_universe(tmp_path):
    """What the file calls its parts, and in which order it has them, is no part of the method."""
    found = load(write(tmp_path))
    for text in (RENAMED, reordered()):
        other = load(write(tmp_path, text))
        assert other.universe == found.universe
        assert other.drawn(5).frames == found.drawn(5).frames


def test_a_label_is_no_part_of_the_universe(tmp_path):
    """It is a word of the page."""
    found = load(write(tmp_path))
    other = load(write(tmp_path, changed('label = "women"\n', "")))
    assert other.universe == found.universe


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"abroad"', '"overseas"'),
        ('"glad"', '"glad", "sad"'),
        ("and [MASK] smiled", "while [MASK] smiled"),
        ('text = "she"', 'text = "woman"'),
        ('text = "engineer"', 'text = "pilot"'),
        ('article = "an"', 'article = "a"'),
        ('"engineer" }]', '"engineer" }]\n[controls]\nattributes = [{ text = "voter" }]'),
        ('neutral = "person"', 'neutral = "adult"'),
        ("[classes.second]", "[classes.third]"),
        ('["first", "second"]', '["second", "first"]'),
    ],
)
def test_whatever_changes_a_number_changes_the_universe(tmp_path, old, new):
    """Two sets with one universe may be put side by side; so they must measure the same."""
    text = changed(old, new)
    if "third" in new:
        text = changed('["first", "second"]', '["first", "third"]', text)
    assert load(write(tmp_path)).universe != load(write(tmp_path, text)).universe


def test_the_number_of_frames_is_part_of_the_universe(tmp_path):
    """A draw of more is more precise, and is not the same measurement."""
    more = SET + changed('"today"', '"today", "soon", "now"', GRAMMAR)
    found = load(write(tmp_path, more))
    other = load(write(tmp_path, more.replace("frames = 6", "frames = 7")))
    assert other.universe != found.universe


# --- Expansion ------------------------------------------------------------------------------------


def test_drawn_frames_are_expanded_as_written_ones_are(tmp_path):
    """The same items as a set in which somebody wrote the drawn sentences down."""
    found = load(write(tmp_path)).drawn(2)
    frames = "".join(
        f'[[frames]]\nid = "frame-{number}"\ntext = "{frame.text}"\n'
        for number, frame in enumerate(found.frames)
    )
    written = load(write(tmp_path, SET + frames))
    assert expand(found).digest == expand(written).digest
    assert len(expand(found).items) == len(expand(written).items)


def test_a_part_that_opens_a_sentence_is_capitalised(tmp_path):
    """And articles agree with the attribute that is drawn beside them."""
    texts = set()
    for seed in range(20):
        texts |= set(expand(load(write(tmp_path)).drawn(seed)).contexts["text"])
    assert "In May an au pair sang and [MASK] smiled." in texts
    assert "For years, [MASK] worked as an engineer at home." in texts
    assert all(text[0].isupper() for text in texts)


def test_the_other_form_can_be_drawn_too(tmp_path):
    """The attribute at the mask, the group in the sentence."""
    found = load(write(tmp_path, SOUND.replace("{a attribute}", "{a term}")))
    assert not found.group_at_mask
    assert load(write(tmp_path)).group_at_mask
    assert set(expand(found.drawn(0)).items["target"]) == {"nurse", "au pair", "engineer"}


# --- Faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "sang and [MASK] smiled",
            "sang {how} and [MASK] smiled",
            (
                "grammar.texts[2]: has {how}; expected {attribute}, {a attribute}, {term}, {a "
                "term}, {a} or {singular|plural} or a part"
            ),
        ),
        (
            "sang and [MASK] smiled",
            "sang and she smiled",
            "grammar.texts[2]: must contain [MASK] exactly once; found it 0 times",
        ),
        (
            "sang and [MASK] smiled",
            "sang { and [MASK] smiled",
            (
                "grammar.texts[2]: has an unmatched brace; expected {attribute}, {a attribute}, "
                "{term}, {a term}, {a} or {singular|plural} or a part"
            ),
        ),
        (
            "They met {a attribute}",
            "They met somebody",
            (
                "grammar.texts[3]: must name {attribute} or {term} exactly once; the other is at "
                "the mask"
            ),
        ),
        (
            "They met {a attribute}",
            "They met {a term}",
            (
                "grammar.texts: some texts have the group at the mask, others the attribute; "
                "expected the same in all"
            ),
        ),
        (
            "They met {a attribute} {where}",
            "They met {a attribute} {where} {where}",
            "grammar.texts[3]: the part 'where' appears twice; expected once",
        ),
        (
            "was {mood}",
            "was ill",
            "grammar.parts.mood: is not used; expected {mood} in at least one of grammar.texts",
        ),
        (
            'mood = ["glad"',
            'mood = ["late"',
            "grammar.parts.mood: the alternative 'late' appears twice; expected once",
        ),
        (
            'mood = ["glad"',
            'mood = ["Late"',
            "grammar.parts.mood: the alternative 'late' appears twice; expected once",
        ),
        (
            "They met {a attribute} {where}, and [MASK] was {mood}.",
            "{when} {a attribute} sang and [MASK] smiled.",
            (
                "grammar.texts: the text '{when} {a attribute} sang and [MASK] smiled.' appears "
                "twice; expected once"
            ),
        ),
        (
            '"today"]',
            '"today"]\nterm = ["x"]',
            "grammar.parts.term: is the name of a placeholder; choose another name",
        ),
        (
            "frames = 6",
            "frames = 7",
            (
                "grammar: generates 65 sentences; expected at least 70, 10 for each of the 7 "
                "frames that are drawn"
            ),
        ),
        (
            "[grammar]",
            '[[frames]]\nid = "one"\ntext = "[MASK] is {a attribute}."\n[grammar]',
            "grammar: the set also has [[frames]]; expected only one of the two",
        ),
        ("frames = 6\n", "", "grammar.frames: is missing"),
    ],
)
def test_a_fault_of_a_grammar_is_told_with_its_place(tmp_path, old, new, fault):
    """What was found and what was expected; a text without its part leaves that part unused."""
    told = faults_of(tmp_path, changed(old, new))
    assert fault in told
    follows = [line for line in told if line != fault]
    assert all("is not used" in line for line in follows), follows


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        ("frames = 6", "frames = 5", "grammar.frames", "a number of at least 6 (found 5)"),
        ("frames = 6", "frames = 20.0", "grammar.frames", "expected a whole number (found 20.0)"),
        (
            'mood = ["glad", "ill", "late", "in a hurry", "kind"]',
            "mood = []",
            "mood",
            "at least 1 (found [])",
        ),
        ('"glad", ', '"", ', "grammar.parts.mood[1]", "is empty; expected some text"),
        ('"glad", ', '" ", ', "grammar.parts.mood[1]", "is empty; expected some text"),
        ('"glad", ', "7, ", "grammar.parts.mood[1]", "expected text, in quotes (found 7)"),
        ('"glad", ', '"[MASK]", ', "grammar.parts.mood[1]", "plain words, without brackets"),
        ('"glad", ', '"{when}", ', "grammar.parts.mood[1]", "plain words, without brackets"),
        ('"glad", ', '"very  glad", ', "grammar.parts.mood[1]", "two spaces"),
        ('"glad", ', '"glad\\n", "gl\\tad", ', "grammar.parts.mood[2]", "one line"),
        (
            "mood = [",
            "mood = 3\nmode = [",
            "grammar.parts.mood",
            "expected a list, [ ... ] (found 3)",
        ),
        ("mood = [", '"In a mood" = [', "In a mood", "expected lower-case letters and digits"),
        (
            "frames = 6",
            "frames = 6\nseed = 3",
            "grammar.seed",
            "is not a known key; expected one of: frames, texts, parts",
        ),
    ],
)
def test_a_wrong_value_in_a_grammar_is_told_with_its_place(tmp_path, old, new, place, expected):
    """One line says where and what; the universe of a faulty grammar is not judged besides."""
    told = faults_of(tmp_path, changed(old, new))
    [fault] = [fault for fault in told if place in fault and expected in fault]
    follows = [line for line in told if line != fault]
    assert all("is not used" in line or "has {mood}" in line for line in follows), follows


def test_faults_of_texts_parts_and_other_places_are_all_told_at_once(tmp_path):
    """Six mistakes, six lines."""
    text = (
        SOUND.replace('licence = "Apache-2.0"\n', "")
        .replace("sang and [MASK] smiled", "sang {how} and [MASK] smiled")
        .replace('"glad", ', '"late", ')
        .replace('"today"]', '"today"]\nunused = ["x"]')
        .replace("and [MASK] was {mood}", "and she was {mood}")
        .replace('text = "engineer"', 'text = "Nurse"')
    )
    told = faults_of(tmp_path, text)
    places = [fault.partition(":")[0] for fault in told]
    assert sorted(places) == sorted(
        [
            "set.licence",
            "classes and controls",
            "grammar.texts[2]",
            "grammar.texts[3]",
            "grammar.parts.mood",
            "grammar.parts.unused",
        ]
    )


@pytest.mark.parametrize("value", ["3", '"x"', "[]"])
def test_a_grammar_that_is_no_table_is_one_fault(tmp_path, value):
    """Frames are not missing besides."""
    [fault] = faults_of(tmp_path, f"grammar = {value}\n{SET}")
    assert fault.startswith("grammar: expected a table")


def test_a_cloze_set_has_no_grammar(tmp_path):
    """Facts are not drawn."""
    cloze = SET[: SET.index("neutral")].replace("association", "cloze")
    facts = '[[facts]]\nid = "a"\nrelation = "b"\ntext = "It is [MASK]."\nanswers = ["x"]\n'
    told = faults_of(tmp_path, cloze + facts + GRAMMAR)
    assert "grammar: not allowed in a cloze set; expected [[facts]]" in told


# --- One way to each sentence ---------------------------------------------------------------------


def test_a_text_that_makes_a_sentence_in_two_ways_is_refused(tmp_path):
    """That sentence would be drawn twice as often as the others."""
    text = changed('"once"', '"once they"', SOUND)
    text = changed("{when} {a attribute} sang", "{when} {again}{a attribute} sang", text)
    text = changed("[grammar.parts]", '[grammar.parts]\nagain = ["so", "they so"]', text)
    assert not [f for f in grammar_faults(tmp_path, text) if "same sentence" in f]
    twice = changed('"once they"', '"once", "once they"', text)
    assert (
        "grammar.texts[2]: two choices give the same sentence; expected only one way to each, so "
        "that all are equally likely"
    ) in faults_of(tmp_path, twice)


def test_two_texts_that_share_a_sentence_are_refused(tmp_path):
    """Also where one has as a part what the other has written out, in another case."""
    text = changed("They met {a attribute} {where}, and", "HERE they met {a attribute} and", SOUND)
    text = changed('"today"', '"today", "here they met"', text)
    text = changed("sang and [MASK] smiled", "and [MASK] was late", text)
    assert (
        "grammar.texts[2] and texts[3]: can generate the same sentence; expected each sentence "
        "from only one text"
    ) in faults_of(tmp_path, text)


def grammar_faults(folder: Path, text: str) -> list[str]:
    """Return the faults of a text, none where it is sound."""
    try:
        load(write(folder, text))
    except InputError as error:
        return list(error.faults)
    return []


# Few letters, so that sentences of different choices are often the same.
pieces = st.lists(st.text("ab", max_size=3), min_size=1, max_size=3, unique=True)
texts = st.lists(pieces, min_size=1, max_size=4)


def written(text: list[list[str]]) -> list[str]:
    """Return what each choice makes."""
    return ["".join(choice) for choice in itertools.product(*text)]


@given(text=texts)
def test_a_text_is_ambiguous_where_two_choices_write_the_same(text):
    """Against all choices written out."""
    assert grammar.ambiguous(text) == (len(set(written(text))) < len(written(text)))


@given(grammar_texts=st.lists(texts, max_size=5), most=st.sampled_from([0, 10**6]))
def test_texts_share_a_sentence_where_both_write_it(grammar_texts, most):
    """Against all sentences of each two, whether texts are read at once or pair by pair."""
    sentences = [set(written(text)) for text in grammar_texts]
    expected = [
        (i, j)
        for (i, one), (j, other) in itertools.combinations(enumerate(sentences), 2)
        if one & other
    ]
    assert grammar.sharing(grammar_texts, most) == expected


def test_many_texts_with_the_same_parts_are_told_apart_without_a_comparison_of_each_two(
    monkeypatch,
):
    """Two thousand texts, of which each pair would be two million; one sentence is made twice."""
    monkeypatch.delattr(grammar, "_meet")
    places = [f" met them in town {number}." for number in range(2000)]
    whole = [[["today", "today,", "once"], [place]] for place in places]
    steps = 40 * len(whole)
    assert grammar.sharing([*whole, [["ONCE met them"], [" in town 7."]]], steps) == [(7, 2000)]


@given(text=texts, seed=st.integers(0, 9))
def test_sentences_are_drawn_without_a_list_of_them(text, seed):
    """As many as there are, each one of those written out."""
    assume(not grammar.ambiguous(text))
    whole = written(text)
    assert grammar.count([text]) == len(whole) == math.prod(map(len, text))
    assert sorted(grammar.draw([text], len(whole), np.random.default_rng(seed))) == sorted(whole)


# --- Ours -----------------------------------------------------------------------------------------


def test_the_weekly_example_is_sound_and_its_own_words_are_true():
    """It says how many sentences it makes, and of how many kinds."""
    found = load(WEEKLY)
    whole = universe(found.grammar.texts, found.grammar.parts)
    assert len(whole) == found.grammar.sentences
    assert f"{len(whole)} of five kinds" in found.header.limits
    assert len(found.grammar.texts) == 5
    assert len(found.drawn(0).frames) == 20


def test_the_weekly_example_says_only_words_that_the_bundled_pair_knows():
    """So that it can be tried without a download."""
    vocabulary = set(json.loads(VOCABULARY.read_text("utf-8"))["model"]["vocab"])
    found = load(WEEKLY).grammar
    text = " ".join([*found.texts, *itertools.chain(*found.parts.values())])
    words = re.findall(r"\w+|[^\w\s]", re.sub(r"\{[^}]*\}|\[MASK\]", " ", text).lower())
    assert set(words) <= vocabulary


def test_the_weekly_example_has_the_occupations_and_shares_of_the_shipped_set():
    """One source of figures."""
    shipped = load(SETS / "gender_occupation.toml")
    found = load(WEEKLY)
    assert found.classes == shipped.classes
    assert found.groups == shipped.groups
    assert found.controls == shipped.controls


def test_the_texts_of_the_weekly_example_share_no_sentence_with_the_shipped_frames():
    """What it finds is found on other sentences."""
    shipped = load(SETS / "gender_occupation.toml")
    own = {frame.text for seed in range(50) for frame in load(WEEKLY).drawn(seed).frames}
    assert not own & {text for frame in shipped.frames for text in frame.texts}

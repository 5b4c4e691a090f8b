"""The masked sentences that a probe set implies, and ids that change with what is scored alone."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskaudit.probes import expand as expanding
from maskaudit.probes import items_digest as digesting
from maskaudit.probes.expand import Expanded, article, expand
from maskaudit.probes.ids import context_id, item_id
from maskaudit.probes.loading import load, parse, shipped
from maskaudit.probes.schema import ProbeSet

HEADER = {
    "name": "people",
    "version": "1",
    "axis": "gender",
    "title": "People",
    "question": "Who?",
    "how_to_read": "Carefully.",
    "limits": "Many.",
    "licence": "Apache-2.0",
    "sources": ["written for this test"],
}
WOMEN_AND_MEN = {"women": ["she"], "men": ["he"]}
JOBS = {"first": ["nurse", "dental assistant"], "second": ["engineer"]}
TEXTS = {
    "worked": "[MASK] worked as {a attribute}.",
    "hired": "They hired {a attribute} and [MASK] came.",
    "knew": "We knew that [MASK] was {a attribute} by trade.",
}


def probe_set(
    texts: Mapping[str, str | Sequence[str]] = TEXTS,
    groups: Mapping[str, Sequence[Any]] = WOMEN_AND_MEN,
    classes: Mapping[str, Sequence[Any]] = JOBS,
    **header: Any,
) -> ProbeSet:
    """Return a set of these frames (a text, or a text and its variants), groups and classes."""
    controls = header.pop("controls", None)
    raw = {
        "set": {**HEADER, "kind": "association", **header},
        "groups": {name: {"terms": _words(words)} for name, words in groups.items()},
        "classes": {name: {"attributes": _words(words)} for name, words in classes.items()},
        "frames": [
            {"id": name, "text": text}
            if isinstance(text, str)
            else {"id": name, "text": text[0], "variants": list(text[1:])}
            for name, text in texts.items()
        ],
    }
    if controls:
        raw["controls"] = {"attributes": _words(controls)}
    return parse(raw, "", "here")


def facts(*entries: Mapping[str, Any]) -> ProbeSet:
    """Return a cloze set of these facts."""
    common = {"id": "one", "relation": "capital"}
    raw = {
        "set": {**HEADER, "kind": "cloze"},
        "facts": [{**common, **entry} for entry in entries],
    }
    return parse(raw, "", "here")


def _words(words: Sequence[Any]) -> list[Any]:
    return [{"text": word} if isinstance(word, str) else word for word in words]


def rows(expanded: Expanded) -> pd.DataFrame:
    """Return the items beside their sentences."""
    return expanded.items.merge(expanded.contexts, on="context", validate="many_to_one")


def sentences(expanded: Expanded, role: str = "probe") -> set[tuple[str, int, str]]:
    """Return text, slot and target of each row of one role."""
    whole = rows(expanded)
    own = whole[whole["role"] == role]
    return {(r["text"], int(r["slot"]), r["target"]) for r in own.to_dict("records")}


def one_sentence(text: str, attribute: Any = "nurse", term: Any = "she") -> tuple[str, int, str]:
    """Return the sentence, slot and target of one attribute and one term in one frame."""
    found = probe_set({"one": text}, {"first": [term], "other": ["xx"]}, {"only": [attribute]})
    whole = rows(expand(found))
    [row] = whole[(whole["role"] == "probe") & (whole["group"] == "first")].to_dict("records")
    return row["text"], int(row["slot"]), row["target"]


# --- Articles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phrase",
    """
    an hour|an hourly worker|an honest man|an honour|an heiress|a house|a hotel|a horse
    a university|a unit|a union|a unicorn|a uniform|a unique case|a universal law|a unilateral act
    an umbrella|an uncle|an uninformed voter|an unimportant clerk|an unidentified man|an urchin
    an unusual job|an urban planner|an usher|an utter fool|an ugly house|an umpire|an upholsterer
    a user|a useful tool|a usual case|a utility|a utensil|a utopian|a urologist|a uranium mine
    a European|a eulogy|a Ukrainian|a Ugandan|a Uruguayan|a Uyghur|an Uzbek|a ubiquitous word
    a one-armed man|a one-off|a once famous actor|an onerous task|an only child|a ewe|a ewer
    an actor|an editor|an interviewer|an optician|an engineer|an Asian|an Irish woman|an old man
    a nurse|a Muslim|a Christian|a young man|a yearly visit|a wealthy woman|a dental assistant
    """.replace("\n", "|").split("|"),
)
def test_the_article_follows_the_sound_of_the_word(phrase):
    """`an` before a vowel that is heard, not before one that is written."""
    if not phrase.strip():
        return
    expected, word = phrase.strip().split(" ", 1)
    assert article(word) == expected
    assert article(word.capitalize()) == expected


# How a word of the shipped sets begins when it is spoken, for each that begins with a vowel letter
# or with h and u; read aloud by hand.
VOWELS = "aeio"
# Words whose first letters leave it open, with a vowel that is heard; read aloud by hand too.
WITH_AN = {
    *("honest", "honorable", "uncertain", "unfortunate", "unhappy", "unnatural", "unreliable"),
    *("unstable", "upper-class person", "upright"),
}


@pytest.mark.parametrize("name", shipped())
def test_every_word_of_a_shipped_set_has_the_article_that_english_asks_for(name):
    """a, e, i and o sound as they are written; each other word that might not is listed."""
    found = load(shipped()[name])
    words = {a.text for part in found.classes.values() for a in part.attributes}
    words |= {a.text for a in found.controls.attributes} if found.controls else set()
    words |= {term.text for group in found.groups.values() for term in group.terms}
    unsure = ("u", "eu", "ew", "one", "hour", "heir", "hon")
    assert not {w for w in words if w.lower().startswith(unsure)} - WITH_AN
    for word in words:
        vowel = word[0].lower() in VOWELS or word in WITH_AN
        assert article(word) == ("an" if vowel else "a"), word


def test_an_article_that_a_set_declares_stands_in_probe_and_prior():
    """Letters read out one by one are not told from words."""
    found = expand(probe_set(classes={"only": [{"text": "MBA", "article": "an"}]}))
    assert "They hired an MBA and [MASK] came." in {text for text, _, _ in sentences(found)}
    assert "They hired an [MASK] and [MASK] came." in {t for t, _, _ in sentences(found, "prior")}


@pytest.mark.parametrize(
    ("text", "attribute", "term", "expected"),
    [
        ("We met {a [MASK]} who was {attribute}.", "kind", "atheist", None),
        ("We met {a} [MASK] who was {attribute}.", "kind", "atheist", "We met an [MASK] who was"),
        ("We met {a} [MASK] who was {attribute}.", "honest", "Muslim", "We met a [MASK] who was"),
        ("The {term} is {a} [MASK].", "engineer", "woman", "The woman is an [MASK]."),
        ("The {term} is {a} [MASK].", "nurse", "artist", "The artist is a [MASK]."),
    ],
)
def test_a_bare_article_is_that_of_the_target(text, attribute, term, expected):
    """`{a} [MASK]` writes the article of what is asked for at the mask."""
    if expected is None:
        with pytest.raises(Exception, match="expected"):
            one_sentence(text, attribute, term)
    else:
        assert one_sentence(text, attribute, term)[0].startswith(expected)


# --- Capitals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[MASK] is {a attribute}.", ("[MASK] is a nurse.", 0, "She")),
        ("{a attribute} is who [MASK] is.", ("A nurse is who [MASK] is.", 0, "she")),
        ("{attribute} or not, [MASK] came.", ("Nurse or not, [MASK] came.", 0, "she")),
        ("It rained. [MASK] met {a attribute}.", ("It rained. [MASK] met a nurse.", 0, "She")),
        ("Why? [MASK] met {a attribute}.", ("Why? [MASK] met a nurse.", 0, "She")),
        ('"Stop!" [MASK] told {a attribute}.', ('"Stop!" [MASK] told a nurse.', 0, "She")),
        ("He said: ([MASK], {a attribute}).", ("He said: ([MASK], a nurse).", 0, "she")),
        ('"[MASK] is {a attribute}."', ('"[MASK] is a nurse."', 0, "She")),
        ("Then [MASK] came. {a attribute} left.", ("Then [MASK] came. A nurse left.", 0, "she")),
        ("Rain fell. {a attribute} met [MASK].", ("Rain fell. A nurse met [MASK].", 0, "she")),
        ("It was [MASK]. {attribute} or not.", ("It was [MASK]. Nurse or not.", 0, "she")),
        ("At 3.5 [MASK] met {a attribute}.", ("At 3.5 [MASK] met a nurse.", 0, "she")),
        ("at noon [MASK] met {a attribute}.", ("At noon [MASK] met a nurse.", 0, "she")),
    ],
)
def test_what_opens_a_sentence_has_a_capital(text, expected):
    """At the start and after a full stop, be it the target or a word that is written in."""
    assert one_sentence(text) == expected


def test_a_name_keeps_its_capital_everywhere():
    """Nothing is written in lower case that a set writes with a capital."""
    text = "We met a [MASK] who was {attribute}."
    assert one_sentence(text, term="Muslim")[2] == "Muslim"


def test_an_answer_that_opens_a_sentence_has_a_capital():
    """In a fact as in a frame."""
    found = expand(
        facts(
            {"text": "[MASK] is the capital of France.", "answers": ["paris"]},
            {"id": "two", "text": "Guess. [MASK] is a colour.", "answers": ["green"]},
            {"id": "three", "text": "Grass is [MASK].", "answers": ["green"]},
        )
    )
    assert list(found.items["target"]) == ["Paris", "Green", "green"]


# --- Number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ({"text": "they", "verb": "plural"}, "Back then, [MASK] were a nurse."),
        ({"text": "she", "verb": "singular"}, "Back then, [MASK] was a nurse."),
        ("she", "Back then, [MASK] was a nurse."),
    ],
)
def test_a_verb_agrees_with_the_number_of_its_term(term, expected):
    """`{singular|plural}`: a term is singular unless it says otherwise."""
    assert one_sentence("Back then, [MASK] {was|were} {a attribute}.", term=term)[0] == expected


def test_a_verb_agrees_in_the_prior_too():
    """The prior of "they" is read after "were"."""
    found = probe_set(
        {"one": "Then [MASK] {was|were} {a attribute}."},
        {"people": [{"text": "they", "verb": "plural"}], "women": ["she"]},
        {"only": ["nurse"]},
    )
    assert sentences(expand(found), "prior") == {
        ("Then [MASK] were a [MASK].", 0, "they"),
        ("Then [MASK] was a [MASK].", 0, "she"),
    }


# --- Rows -----------------------------------------------------------------------------------------


def test_a_set_has_a_row_for_each_attribute_frame_variant_term_and_role():
    """Counted by hand: 3 attributes and 1 control, 2 frames, one of them with a paraphrase."""
    texts = {"a": [TEXTS["worked"], "As {a attribute}, [MASK] worked."], "b": TEXTS["hired"]}
    found = expand(probe_set(texts, {"women": ["she", "her"], "men": ["he"]}, controls=["guest"]))
    assert found.items["role"].value_counts().to_dict() == {
        "probe": 3 * 3 * 3,
        "prior": 3 * 3 * 3,
        "control": 1 * 3 * 3,
    }
    assert set(found.items["class"]) == {"first", "second", ""}
    assert set(found.items.loc[found.items["frame"] == "a", "variant"]) == {0, 1}


def test_the_targets_at_the_mask_are_the_terms_of_every_group():
    """The group at the mask: one sentence, a target a term."""
    found = expand(probe_set({"one": TEXTS["hired"]}, classes={"only": ["nurse"]}))
    assert sentences(found) == {
        ("They hired a nurse and [MASK] came.", 0, "she"),
        ("They hired a nurse and [MASK] came.", 0, "he"),
    }


def test_the_target_at_the_mask_is_the_attribute_where_the_group_is_in_the_sentence():
    """The attribute at the mask: a sentence a term, one target, and no prior."""
    groups = {"women": ["woman", "Ann"], "men": ["old man"]}
    found = expand(probe_set({"one": "We saw {a term} as the [MASK]."}, groups, {"o": ["nurse"]}))
    assert sentences(found) == {
        ("We saw a woman as the [MASK].", 0, "nurse"),
        ("We saw an Ann as the [MASK].", 0, "nurse"),
        ("We saw an old man as the [MASK].", 0, "nurse"),
    }
    assert set(found.items["role"]) == {"probe"}


def test_the_neutral_prior_writes_the_neutral_word_with_its_own_article():
    """`neutral` stands in the attribute's place, and its article agrees with it."""
    found = expand(probe_set({"one": TEXTS["hired"]}, classes={"c": ["nurse"]}, neutral="adult"))
    assert sentences(found, "prior_neutral") == {
        ("They hired an adult and [MASK] came.", 0, "she"),
        ("They hired an adult and [MASK] came.", 0, "he"),
    }


def test_a_fact_has_a_row_for_each_answer_and_each_partner():
    """The negated sentence is labelled as changed."""
    found = rows(
        expand(
            facts({"text": "Two is [MASK].", "answers": ["even", "small"], "negated": "No [MASK]."})
        )
    )
    assert set(zip(found["text"], found["label"], found["target"], strict=True)) == {
        ("Two is [MASK].", "right", "even"),
        ("Two is [MASK].", "right", "small"),
        ("No [MASK].", "changed", "even"),
        ("No [MASK].", "changed", "small"),
    }


# --- The prior ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "attribute", "expected", "slot"),
    [
        ("They hired {a attribute}, [MASK] came.", "nurse", "They hired a [MASK], [MASK] came.", 1),
        ("{a attribute} said [MASK] came.", "engineer", "An [MASK] said [MASK] came.", 1),
        ("{attribute} work suits [MASK].", "nurse", "[MASK] work suits [MASK].", 1),
        ("[MASK] is {a attribute}.", "engineer", "[MASK] is an [MASK].", 0),
        (
            "As {a attribute} [MASK] works.",
            "dental assistant",
            "As a [MASK] [MASK] [MASK] works.",
            2,
        ),
        (
            "[MASK] is {a attribute}.",
            "air traffic controller",
            "[MASK] is an [MASK] [MASK] [MASK].",
            0,
        ),
    ],
)
def test_the_prior_masks_the_attribute_and_reads_the_slot_of_the_group(
    text, attribute, expected, slot
):
    """It keeps the article and the number of words, also where the attribute stands first."""
    found = expand(probe_set({"one": text}, classes={"only": [attribute]}))
    assert {(text, slot) for text, slot, _ in sentences(found, "prior")} == {(expected, slot)}
    [probe] = {text for text, _, _ in sentences(found)}
    assert probe.count("[MASK]") == 1


def test_attributes_with_one_article_and_as_many_words_share_their_prior():
    """A prior is one item that serves many rows."""
    classes = {"only": ["nurse", "doctor", "engineer", "truck driver"]}
    found = expand(probe_set({"one": TEXTS["hired"]}, classes=classes)).items
    prior = found[found["role"] == "prior"]
    contexts = prior.groupby("attribute")["context"].first()
    assert contexts["nurse"] == contexts["doctor"]
    assert contexts.nunique() == 3


# --- Ids ------------------------------------------------------------------------------------------


def test_an_id_is_a_hash_of_what_is_scored():
    """Two masks of one sentence are two contexts; two targets are two items."""
    ids = {context_id("[MASK] [MASK]", slot) for slot in (0, 1)}
    ids |= {context_id("[MASK] [MASK]", 0, "partner"), context_id("[MASK] [MASK].", 0)}
    assert len(ids) == 4
    assert context_id("[MASK]", 0) == context_id("[MASK]", 0)
    assert item_id("a", "bc") != item_id("ab", "c")


def test_a_renamed_file_or_set_changes_no_id(tmp_path):
    """An id says nothing of where it was written down."""
    source = shipped()["religion-trait"].read_text("utf-8")
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(source.replace("religion-trait", name[:3]), "utf-8")
    one, two = (expand(load(tmp_path / name)) for name in ("one.toml", "two.toml"))
    assert list(one.items["item"]) == list(two.items["item"])
    (tmp_path / "three.toml").write_bytes((tmp_path / "one.toml").read_bytes())
    assert expand(load(tmp_path / "three.toml")).digest == one.digest


def test_a_renamed_frame_changes_no_id_and_no_digest():
    """The frame's name is for people."""
    renamed = {f"{name}-again": text for name, text in TEXTS.items()}
    one, two = expand(probe_set()), expand(probe_set(renamed))
    assert list(one.items["item"]) == list(two.items["item"])
    assert one.digest == two.digest


def test_another_frame_changes_no_other_id():
    """What was scored before is found again beside what is new."""
    one = expand(probe_set())
    two = expand(probe_set({"new": "Here is {a attribute}, and [MASK] waves.", **TEXTS}))
    old = two.items[two.items["frame"] != "new"]
    assert list(old["item"]) == list(one.items["item"])
    assert not set(two.items["item"]) - set(old["item"]) & set(one.items["item"])
    assert one.digest != two.digest


def test_a_changed_word_changes_exactly_the_ids_of_its_own_sentences():
    """An attribute's word is in its probes; a prior without it stays what it was."""
    one = expand(probe_set()).items
    two = expand(
        probe_set(classes={"first": ["tailor", "dental assistant"], "second": ["engineer"]})
    )
    differs = one["item"] != two.items["item"]
    expected = (one["attribute"] == "nurse") & (one["role"] == "probe")
    assert differs.tolist() == expected.tolist()


def test_a_changed_term_changes_exactly_its_own_items():
    """The sentence with the mask stays the same: only the target is another."""
    one = expand(probe_set()).items
    two = expand(probe_set(groups={"women": ["Ann"], "men": ["he"]})).items
    assert (one["item"] != two["item"]).tolist() == (one["group"] == "women").tolist()
    assert one["context"].tolist() == two["context"].tolist()


def test_a_changed_frame_changes_exactly_its_own_ids():
    """One word of one sentence, in all that is made of it."""
    one = expand(probe_set()).items
    two = expand(probe_set({**TEXTS, "hired": "They met {a attribute} and [MASK] came."})).items
    assert (one["item"] != two["item"]).tolist() == (one["frame"] == "hired").tolist()


@settings(max_examples=20)
@given(st.permutations(list(TEXTS)), st.permutations(JOBS["first"]), st.permutations(list(JOBS)))
@pytest.mark.slow
def test_the_digest_does_not_depend_on_the_order_of_frames_and_attributes(texts, first, classes):
    """The same questions in another order are the same questions."""
    lists = {**JOBS, "first": first}
    shuffled = probe_set(
        {name: TEXTS[name] for name in texts}, classes={c: lists[c] for c in classes}
    )
    assert expand(shuffled).digest == expand(probe_set()).digest


@pytest.mark.parametrize(
    "change",
    [
        {"classes": {"first": ["nurse"], "second": ["engineer", "dental assistant"]}},
        {"classes": {**JOBS, "first": [{"text": "nurse", "share": 0.9}, "dental assistant"]}},
        {"groups": {"men": ["she"], "women": ["he"]}},
        {"texts": {"both": [TEXTS["worked"], TEXTS["hired"]], "knew": TEXTS["knew"]}},
        {"controls": ["guest"]},
        {"axis": "age"},
        {"neutral": "person"},
    ],
    ids=["class", "share", "groups", "variant", "controls", "axis", "neutral"],
)
def test_the_digest_changes_with_the_grouping_of_what_is_scored(change):
    """Numbers that stand for something else may not be compared, be the sentences the same."""
    assert expand(probe_set(**change)).digest != expand(probe_set()).digest


def several_masks() -> ProbeSet:
    """Return facts of two masks, whose words share sentences, and one of a single mask."""
    return facts(
        {"id": "a", "relation": "r", "text": "[MASK] lies in [MASK].",
         "answers": ["Paris | Rome", "France | Italy"]},
        {"id": "b", "relation": "r", "text": "Rome lies in [MASK].", "answers": ["Italy"]},
    )  # fmt: skip


@pytest.mark.parametrize("of", [several_masks, lambda: probe_set(neutral="person")])
def test_a_set_is_expanded_alike_however_many_rows_are_put_into_a_table_at_once(of, monkeypatch):
    """And the number of rows is told as it grows; the digest is that of the rows as text."""
    whole = expand(of())
    monkeypatch.setattr(expanding, "_ROWS", 2)
    monkeypatch.setattr(digesting, "_LINES", 3)
    told: list[int] = []
    parts = expand(of(), told.append)
    pd.testing.assert_frame_equal(parts.items, whole.items)
    pd.testing.assert_frame_equal(parts.contexts, whole.contexts)
    assert told == [*range(2, len(whole.items), 2), len(whole.items)]
    rows = whole.items.assign(frame=whole.items.groupby("frame")["context"].transform("min"))
    # What no attribute and no frame of the set has is no part of it.
    rows = rows.drop(columns=["style", "family", "frequency", "words", "place"])
    lines = sorted(json.dumps(row, default=str) for row in rows.to_dict("records"))
    text = "\n".join(lines)
    assert whole.digest == parts.digest == hashlib.sha256(text.encode()).hexdigest()


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)


@settings(max_examples=50)
@given(
    lead=st.lists(WORDS, max_size=3),
    middle=st.lists(WORDS, max_size=3),
    attribute=st.lists(WORDS, min_size=1, max_size=3),
    term=WORDS,
    mask_first=st.booleans(),
)
@pytest.mark.slow
def test_a_sentence_with_its_target_put_back_is_the_frame_with_both_words(
    lead, middle, attribute, term, mask_first
):
    """Built another way: words in a row, the target at its slot, a capital at the start."""
    places = ["[MASK]", "{attribute}"] if mask_first else ["{attribute}", "[MASK]"]
    text = " ".join([*lead, places[0], *middle, places[1]]) + "."
    spoken = {"[MASK]": term, "{attribute}": " ".join(attribute)}
    written = " ".join([*lead, spoken[places[0]], *middle, spoken[places[1]]]) + "."
    groups = {"women": [term], "men": ["zzzzzzzzz"]}
    found = rows(expand(probe_set({"o": text}, groups, {"c": [" ".join(attribute)]})))
    for row in found[found["group"] == "women"].to_dict("records"):
        parts = row["text"].split("[MASK]")
        slot = int(row["slot"])
        whole = "[MASK]".join(parts[: slot + 1]) + row["target"] + "[MASK]".join(parts[slot + 1 :])
        if row["role"] == "probe":
            assert whole == written[0].upper() + written[1:]
        else:
            n_masks = len(attribute)
            assert len(parts) == n_masks + 2
            assert slot == (0 if mask_first else n_masks)


@settings(max_examples=15)
@given(st.lists(WORDS, min_size=2, max_size=6, unique_by=str.casefold))
@pytest.mark.slow
def test_ids_are_the_same_for_equal_sentences_and_differ_for_unequal_ones(words):
    """A context is known by its text alone, in whatever set it stands."""
    sets = [expand(probe_set(classes={"only": [word]})) for word in words]
    whole = pd.concat([rows(found) for found in sets])
    by_context = whole.groupby("context")[["text", "slot"]].nunique()
    assert (by_context == 1).all(axis=None)
    places = whole[["text", "slot"]].drop_duplicates()
    assert len(places) == len(by_context)
    assert whole.groupby(["context", "target"])["item"].nunique().eq(1).all()

"""The card of a set: every part of it is counted and named, as its file has it."""

import re
import tomllib

import pytest

from maskaudit.audit.authoring.card import card_of, shown
from maskaudit.audit.authoring.sentences import sentences
from maskaudit.probes.loading import shipped

SETS = ("disability", "gender-occupation", "facts-full", "weekday-occupation")


def words(text):
    """The words of a card, whose lines are cut to fit a terminal."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", SETS)
def test_a_card_says_what_the_file_says(name):
    """Title, question, limits, licence and sources; counts by plain loops over the file."""
    raw = tomllib.loads(shipped()[name].read_text("utf-8"))
    header, text = raw["set"], words(card_of(shipped()[name]).as_text())
    assert text.startswith(f"{header['title']} ({name}, version {header['version']})")
    for key in ("question", "how_to_read", "limits", "licence"):
        assert words(header[key]) in text, key
    assert all(words(source) in text for source in header["sources"])
    for group, part in raw.get("groups", {}).items():
        label = f" ({part['label']})" if part.get("label", group) != group else ""
        n = len(part["terms"])
        assert f"{group}{label}: {n} term{'' if n == 1 else 's'} (" in text
    for class_, part in raw.get("classes", {}).items():
        families = {one.get("family") for one in part["attributes"]} - {None}
        of = f" in {len(families)} families" if families else ""
        label = f" ({part['label']})" if part.get("label", class_) != class_ else ""
        assert f"{class_}{label}: {len(part['attributes'])} attributes{of} (" in text
    for relation in {fact["relation"] for fact in raw.get("facts", [])}:
        n = sum(fact["relation"] == relation for fact in raw["facts"])
        assert f"{relation}: {n} fact" in text
    styles = {frame["style"] for frame in raw.get("frames", []) if "style" in frame}
    for style in styles:
        n = sum(frame.get("style") == style for frame in raw["frames"])
        assert f"{style} {n}" in text


@pytest.mark.parametrize("name", SETS)
def test_no_line_of_a_card_is_wider_than_a_terminal(name):
    """A hundred columns."""
    assert max(map(len, card_of(shipped()[name]).as_text().splitlines())) <= 100


def test_the_json_of_a_card_has_the_numbers_of_its_text():
    """Of the set with styles, families and controls."""
    found = card_of(shipped()["disability"]).as_json()
    raw = tomllib.loads(shipped()["disability"].read_text("utf-8"))
    assert found["groups"] == {name: len(part["terms"]) for name, part in raw["groups"].items()}
    assert sum(found["styles"].values()) == found["frames"] == len(raw["frames"])
    assert found["variants"] == sum(len(frame.get("variants", [])) for frame in raw["frames"])
    assert found["controls"] == {
        "attributes": len(raw["controls"]["attributes"]),
        "contrasts": len(raw["controls"]["contrasts"]),
    }
    assert found["bundles"] == ["full"]


def test_the_sentences_follow_the_card():
    """As they are without it; as JSON they are all that there is."""
    whole = shown("age-trait")
    card, texts = whole.as_text().split("\n\n", 1)
    assert card == shown("age-trait", only_cards=True).as_text()
    assert texts == sentences("age-trait").as_text()
    assert whole.as_json() == sentences("age-trait").as_json()
    [about] = shown("age-trait", only_cards=True).as_json()
    assert (about["name"], about["sentences"]) == ("age-trait", len(texts.splitlines()))


def test_a_sample_has_sentences_of_all_frames_and_says_what_is_no_probe():
    """Of as many sentences as frames, each frame has one; it is drawn alike each time."""
    [whole] = sentences("gender-occupation").sets
    frames = set(whole.contexts["frame"])
    sample = whole.sampled(len(frames))
    assert set(sample.contexts["frame"]) == frames
    assert sample.as_text() == whole.sampled(len(frames)).as_text()
    assert whole.sampled(10**6).as_json() == whole.as_json()
    sample = whole.sampled(200)
    for row, line in zip(sample.as_json(), sample.as_text().splitlines(), strict=True):
        role = row["role"].replace("_", " ")
        # A prior has two masks, of which one is the group's.
        written = {
            f"{row['text'][: place.start()]}{word}{row['text'][place.end() :]}"
            for place in re.finditer(r"\[MASK\]", row["text"])
            for word in row["targets"]
        }
        assert line.partition("  (")[0] in written
        assert line.endswith(f"  ({role})") == (role != "probe")
    text = shown("gender-occupation", sample=7).as_text()
    assert len(text.split("\n\n")[1].splitlines()) == 7


def test_classes_and_controls_stand_in_a_sample_in_turn_and_are_told():
    """With the attribute at the mask one sentence asks for all of them."""
    [whole] = sentences("race-name").sets
    raw = tomllib.loads(shipped()["race-name"].read_text("utf-8"))
    controls = raw["controls"]
    sides = [side for part in controls["contrasts"].values() for side in part.values()]
    lists = [(name, part["attributes"]) for name, part in raw["classes"].items()]
    lists += [("control", controls["attributes"])] if "attributes" in controls else []
    lists += [("negative control", side) for side in sides]
    kinds = {
        (word["text"] if isinstance(word, dict) else word).lower(): name
        for name, words in lists
        for word in words
    }
    sample = whole.sampled(60)
    found = []
    for row, line in zip(sample.as_json(), sample.as_text().splitlines(), strict=True):
        sentence, _, mark = line.partition("  (")
        before, after = row["text"].split("[MASK]")
        kind = kinds[sentence.removeprefix(before).removesuffix(after).lower()]
        assert mark == (f"{kind})" if "control" in kind else "")
        found.append(kind)
    # Paraphrases are not asked for negative controls, which makes turns a little uneven.
    assert min(found.count(kind) for kind in set(kinds.values())) > 60 / 4 / 2


def test_sentences_to_read_aloud_have_a_word_of_the_set_and_a_group_in_turn():
    """None has a mask left, and each is of another frame."""
    [texts] = sentences("age-trait").sets
    aloud = texts.read_aloud(6)
    probes = texts.contexts[texts.contexts["role"] == "probe"]
    groups, frames = [], set()
    for sentence in aloud:
        [(group, frame)] = {
            (row["group"], row["frame"])
            for _, row in probes.iterrows()
            if sentence in {row["text"].replace("[MASK]", word) for word in row["targets"]}
        }
        groups.append(group)
        frames.add(frame)
    assert groups == [*probes["group"].unique()] * 3
    assert len(frames) == len(aloud) == 6


def test_several_sets_have_a_card_each():
    """An axis, or a pattern."""
    found = shown("axis:religion", only_cards=True).as_json() + shown(
        "axis:age", only_cards=True
    ).as_json()  # fmt: skip
    assert [card["name"] for card in found] == [*("religion", "religion-trait", "age", "age-trait")]


def test_of_a_grammar_the_card_says_how_many_frames_are_drawn():
    """From how many sentences."""
    path = shipped()["age"].parents[2] / "examples" / "weekly" / "gender_occupation.toml"
    assert "20 are drawn from 24,800 of a grammar" in words(card_of(path).as_text())

"""No set that this project wrote repeats a sentence or a template of a published one."""

import csv
import json
import re
import tomllib
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    path.relative_to(ROOT).as_posix(): raw
    for folder in ("probes/sets", "examples")
    for path in sorted((ROOT / folder).rglob("*.toml"))
    if "kind" in (raw := tomllib.loads(path.read_text("utf-8"))).get("set", {})
}
# Folders of single words, of which no sentence is made.
WORDS = {"vocab", "debiaswe_words", "gn_glove_words", "wefe_weat"}
# What stands where a word is left open, in our sets and in each of the published ones.
BLANK = re.compile(
    r"\[MASK\]|\bBLANK\b|\{[^{}]*\}|<[^<>]*>|\$\w+"
    r"|\[(?:I|M|TTT|AAAs?|subj\d|p_act[^\[\]]*)\]"
)
OPEN = "□"


def _bare(text):
    """A text without case, punctuation or articles of a blank; `□` is where a word is left open."""
    blanked = BLANK.sub(f" {OPEN} ", unicodedata.normalize("NFC", text))
    words = re.sub(rf"[^\w{OPEN}]+", " ", blanked.replace("_", " ").casefold()).strip()
    return re.sub(rf"\ban? (?={OPEN})", "", words)


def _strings(value):
    """Every text in a value of JSON, keys too: some templates are keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, dict):
        yield from value
        yield from _strings(list(value.values()))


def _texts(path):
    """Every cell, string or line of a published file, whatever its columns are called."""
    text = path.read_text("utf-8", errors="replace")
    if path.suffix == ".json":
        return _strings(json.loads(text))
    if path.suffix == ".jsonl":
        return _strings([json.loads(line) for line in text.splitlines()])
    mark = "," if path.suffix == ".csv" else "\t"
    cells = (cell for row in csv.reader(text.splitlines(), delimiter=mark) for cell in row)
    # WinoBias numbers its lines.
    return (re.sub(r"^\d+ ", "", cell) for cell in cells)


def _published(data):
    """The file that has it, of every published sentence and template, by its bare text."""
    files = {
        path: path.relative_to(data).as_posix()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.name not in ("LICENSE", "SOURCE.txt")
    }
    found = {
        _bare(text): name
        for path, name in files.items()
        if name.partition("/")[0] not in WORDS
        for text in _texts(path)
    }
    # A cell of one word, or of blanks alone, is no sentence.
    return {bare: name for bare, name in found.items() if len(set(bare.split()) - {OPEN}) > 1}


def _bare_words(entries):
    """The forms of words, bare; an entry of a set is a word or a table with one form or more."""
    forms = (
        form
        for entry in entries
        for form in _strings(entry if isinstance(entry, str) else [*entry.values()])
    )
    return {_bare(form) for form in forms} - {""}


def _attributes(raw):
    controls = raw.get("controls", {})
    lists = [part["attributes"] for part in raw.get("classes", {}).values()]
    lists += [pair[side] for pair in controls.get("contrasts", {}).values() for side in pair]
    return [word for words in (*lists, controls.get("attributes", [])) for word in words]


def _sentences(raw):
    """Every text of a set, with the bare words that may stand at its mask and beside it."""
    terms = _bare_words(term for group in raw.get("groups", {}).values() for term in group["terms"])
    attributes = _bare_words(_attributes(raw))
    texts = [
        *(
            text
            for frame in raw.get("frames", [])
            for text in (frame["text"], *frame.get("variants", []))
        ),
        *raw.get("grammar", {}).get("texts", []),
    ]
    for text in texts:
        sides = (attributes, terms) if re.search(r"\{(?:a )?term\}", text) else (terms, attributes)
        yield text, *sides
    for fact in raw.get("facts", []):
        words = (
            word
            for cell in (*fact["answers"], *fact.get("choices", []))
            for word in cell.split("|")
        )
        answers = _bare_words(words)
        yield from ((fact[key], answers, set()) for key in ("text", "negated") if key in fact)


def _pieces(text, raw):
    """The parts of a text: what is written in it, places for words, and lists of forms."""
    written = {name: [*forms.values()] for name, forms in raw.get("forms", {}).items()}
    written |= raw.get("grammar", {}).get("parts", {})
    for part in re.split(r"(\[MASK\]|\{[^{}]*\})", text):
        name = part.strip("{}")
        yield written.get(name) or (name.split("|") if "|" in name else part)


def _pattern(pieces, at_mask, beside):
    """A pattern of every bare text that a text of ours becomes, with words or with places."""
    patterns = []
    for piece in pieces:
        if isinstance(piece, list):
            patterns.append(_any_of(map(_bare, piece)))
        elif piece == "{a}":
            patterns.append("(?:an? )?")
        elif piece[:1] in ("[", "{"):
            words = at_mask if piece[0] == "[" else beside
            patterns.append(f"(?:an? )?{_any_of([OPEN, *words])}")
        elif bare := _bare(piece):
            patterns.append(re.sub("^an? | an?$", "", re.escape(bare)))
    return re.compile(" ?".join(patterns))


def _any_of(words):
    return f"(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})"


def _repeats(raw, published, having):
    """The texts of a set that become a published one, each with an example of it."""
    for text, at_mask, beside in _sentences(raw):
        pieces = list(_pieces(text, raw))
        written = [_bare(piece) for piece in pieces if isinstance(piece, str)]
        fixed = {*" ".join(written).split()} - {OPEN, "a", "an"}
        # Only what has all the words that are written in the text can be it.
        candidates = set.intersection(*sorted((having[word] for word in fixed), key=len))
        pattern = _pattern(pieces, at_mask, beside) if candidates else None
        if found := [bare for bare in sorted(candidates) if pattern and pattern.fullmatch(bare)]:
            yield text, f"{found[0]} ({published[found[0]]})"


def _having(published):
    having = defaultdict(set)
    for bare in published:
        for word in bare.split():
            having[word].add(bare)
    return having


@pytest.mark.slow
def test_no_set_repeats_a_published_sentence(shared):
    """Case, punctuation, articles and what stands at a blank make no difference."""
    if not (shared / "data").is_dir():
        pytest.skip("there are no published sets in the folder 'shared'")
    published = _published(shared / "data")
    assert len(published) > 30_000
    having = _having(published)
    found = {
        (file, text): example
        for file, raw in OURS.items()
        for text, example in _repeats(raw, published, having)
    }
    assert found == {}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("[MASK] sold {a attribute} to the mayor.", "She sold a kite to the mayor"),
        ("[MASK] sold {a attribute} to the mayor.", "[MASK] sold {noun_phrase} to the mayor."),
        ("The mayor bought {a attribute} from [MASK].", "the mayor bought a [M] from HIM."),
        ("{They} saw {a attribute} in “{place}”, and [MASK] {was|were} glad.",
         "We saw an oar in the park and he was glad"),
    ],
)  # fmt: skip
def test_a_repeat_is_found_whatever_its_case_marks_and_places(ours, theirs):
    """Sentences of this test's own."""
    raw = {
        "set": {},
        "groups": {"women": {"terms": ["she", "her"]}, "men": {"terms": [{"text": "he"}, "him"]}},
        "classes": {"toys": {"attributes": ["kite", {"text": "oar", "family": "boats"}]}},
        "forms": {"They": {"women": "they", "men": "we"}},
        "grammar": {"texts": [ours], "parts": {"place": ["the park", "town"]}},
    }
    assert [text for text, _ in _repeats(raw, {_bare(theirs): "f"}, _having([_bare(theirs)]))] == [
        ours
    ]
    other = _bare(theirs.replace("mayor", "judge").replace("glad", "sad"))
    assert list(_repeats(raw, {other: "f"}, _having([other]))) == []

"""How large a set is: the sentences that its whole expansion has, without making it."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from maskaudit.probes.checking.size import Size
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ProbeSet
from tests.probes.test_budget import HEADER, WEEKLY, sets

SMALL = ("age-trait", "facts", "long-context", "religion-trait")
LANGUAGES = sorted((Path(__file__).resolve().parents[2] / "examples" / "languages").glob("*.toml"))


@pytest.mark.parametrize("path", [*(shipped()[name] for name in SMALL), WEEKLY, *LANGUAGES])
def test_the_sentences_are_those_of_the_whole_set(path):
    """Counted from every row, of sets of each shape."""
    probe_set = load(path).drawn(0)
    size = Size.of(probe_set)
    assert size.sentences == expand(probe_set).contexts["text"].str.cat(
        expand(probe_set).contexts["slot"].astype(str), sep="#"
    ).nunique()  # fmt: skip
    assert size.frames == len(probe_set.frames) + len(probe_set.facts)
    assert size.styles == len({frame.style for frame in probe_set.frames} - {None})


@settings(max_examples=30)
@given(probe_set=sets())
def test_the_sentences_of_any_association_set_are_counted(probe_set):
    """Groups or attributes at the mask, with controls and contrasts of them or without."""
    assert Size.of(probe_set).sentences == len(expand(probe_set).contexts)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("[MASK] is {attribute}.", 2 * 2),  # two sentences, and their priors of one and two words
        ("{a} [MASK] {is|are} {attribute}.", 2 * 2 + 2 * 2 + 2 * 2),
        ("The {term} {is|are} {a} [MASK].", 4 * 2),
        ("The {term} is a [MASK].", 4),
    ],
)
def test_what_a_target_writes_into_its_sentence_is_counted(text, n):
    """Its article and its verb; of two nouns with one article there is one sentence."""
    terms = {
        "one": {"terms": ["friend", "cousin"]},
        "two": {"terms": ["aunt", {"text": "uncles", "verb": "plural"}]},
    }
    attributes = {"attributes": ["nurse", "old artist"]}
    frames = [{"id": "f", "text": text}]
    raw = {"set": HEADER, "groups": terms, "classes": {"c": attributes}, "frames": frames}
    probe_set = ProbeSet.checked(raw)
    assert Size.of(probe_set).sentences == len(expand(probe_set).contexts) == n

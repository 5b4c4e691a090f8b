"""The metadata of a card: our entry goes in, and what others wrote keeps every character."""

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from maskaudit.audit.errors import InputError
from maskaudit.reports.card import front_matter
from maskaudit.reports.card.front_matter import KEY, check, end, updated
from maskaudit.reports.card.model_index import OURS


def entry(value=1.5, name="student"):
    """Return an entry of ours, with one number."""
    return {
        "name": f"{name}{OURS}",
        "results": [
            {
                "task": {"type": "fill-mask"},
                "dataset": {"type": "jobs", "name": "Pronoun: by # job"},
                "metrics": [{"type": "stereotype_contrast", "value": value, "name": "a: b"}],
            }
        ],
    }


OTHERS = """\
- name: other  # theirs
  results:
  - task:
      type: text-classification
    dataset: {type: glue, name: GLUE}
    metrics:
    - type: accuracy
      value: 0.910   # a comment
"""
INDENTED = "".join(f"  {line}\n" for line in OTHERS.splitlines())
# Metadata as people write them: comments, quotes, dates, lists in a line, texts of several lines.
HEADS = {
    "keys": "language: en\nlicense: 'mit' # yes\ntags: [a, \"b\"]\ndate: 2024-01-02",
    "a comment at the end": "language: en\n# that was all",
    "a comment alone": "# nothing yet",
    "a text of several lines": "license: mit\nabout: |\n  one\n  # two",
    "a text that keeps its line ends": "license: mit\nabout: |+\n  one",
    "no results yet": f"license: mit\n{KEY}:\ntags: [a]",
    "a list of none": f"{KEY}: []\nlicense: mit",
    "nothing in words": f"{KEY}: null # none\nlicense: mit",
    "results of others": f"license: mit\n{KEY}:\n{OTHERS}# between\ntags:\n- a",
    "results of others, indented": f"license: mit\n{KEY}:\n{INDENTED}\ntags:\n- a",
    "results of others, at the end": f"license: mit\n{KEY}:\n{OTHERS}".rstrip(),
    "two of others": f"{KEY}:\n{OTHERS}{OTHERS.replace('other', 'third')}license: mit",
    "keys with spaces before them": "  language: en\n  license: mit",
    "names that refer": "base: &it x\nsame: *it",
    "entities": "name: é — “x”",
}  # fmt: skip


def card(head, newline="\n"):
    """Return a card with this metadata."""
    return f"---\n{head}\n---\n# Model\n\nWords.\n".replace("\n", newline)


def theirs(text):
    """Return what a text's metadata hold beside our entry, read by another reader."""
    data = yaml.safe_load(REGEX_YAML_BLOCK.search(text)[2]) or {}
    listed = [one for one in data.pop(KEY, None) or [] if not one["name"].endswith(OURS)]
    return data, listed


def ours(text):
    """Return the entries of ours in a text's metadata."""
    data = yaml.safe_load(REGEX_YAML_BLOCK.search(text)[2])
    return [one for one in data[KEY] if one["name"].endswith(OURS)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("case", HEADS)
def test_our_entry_goes_in_and_no_other_character_changes(case, newline):
    """What is added stands in one piece; a second time nothing changes; a new one replaces it."""
    before = card(HEADS[case], newline)
    after = updated(before, entry(), newline, "card")
    assert ours(after) == [entry()]
    # Only the word for a list of none goes.
    bare = before.replace(f"{KEY}: []", f"{KEY}: ").replace(f"{KEY}: null", f"{KEY}: ")
    assert any(after.startswith(bare[:i]) and after.endswith(bare[i:]) for i in range(len(bare)))
    assert theirs(after)[1] == theirs(before)[1]
    if "keeps" not in case and "several" not in case:
        assert theirs(after)[0] == theirs(before)[0]
    assert updated(after, entry(), newline, "card") == after
    other = updated(after, entry(2.5, "renamed"), newline, "card")
    assert ours(other) == [entry(2.5, "renamed")]
    assert updated(other, entry(), newline, "card") == after
    assert "\n" not in other.replace("\r\n", "") if newline == "\r\n" else "\r" not in other


def test_huggingface_hub_reads_the_results_of_all():
    """Those of others and ours, by its own reader."""
    after = updated(card(HEADS["results of others"]), entry(), "\n", "card")
    check(after, "card")
    read = ModelCard(after).data.eval_results
    assert [(one.metric_type, one.metric_value) for one in read] == [
        ("accuracy", 0.91),
        ("stereotype_contrast", 1.5),
    ]


def test_a_card_without_metadata_begins_with_them():
    """And all that it had follows."""
    after = updated("# Model\n", entry(), "\n", "card")
    assert after.endswith("---\n# Model\n")
    assert after[end(after) :] == "# Model\n"
    assert ours(after) == [entry()]
    assert end("# Model\n") == 0
    assert updated(after, entry(), "\n", "card") == after


@pytest.mark.parametrize(
    "text",
    ["---\na: b\n---\nx", "---\r\na: b\r\n---  \r\nx", "\n---\na\n---", "x", "---\n---\n", ""],
)
def test_metadata_are_where_huggingface_hub_finds_them(text):
    """The same place by its own pattern."""
    found = REGEX_YAML_BLOCK.search(text)
    assert end(text) == (found.end() if found else 0)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("a: [", "its metadata is no YAML"),
        ("a: \x80", "its metadata is no YAML"),
        ("- a\n- b", "begins with --- and metadata that are no keys with values"),
        ("just words", "begins with --- and metadata that are no keys with values"),
        ("{license: mit}", "our entry cannot be put into its metadata"),
        (f"{KEY}: [{{name: x, results: []}}]", "our entry cannot be put into its metadata"),
        (f"{KEY}: words", "our entry cannot be put into its metadata"),
        (f"{KEY}:\n{OTHERS}license: mit\n{KEY}:\n{OTHERS}", "our entry cannot be put"),
        (f"a: &x\n- b\n{KEY}: *x", "our entry cannot be put"),
        (f"{KEY}:\n- name: a{OURS}\n- name: b{OURS}", "has 2 entries of ours; remove all but one"),
        ("a: " + "[" * 5000 + "]" * 5000, "its metadata is no YAML"),
    ],
)
def test_metadata_that_cannot_be_changed_safely_are_refused(head, told):
    """In one line, with the card's name and what to do."""
    with pytest.raises(InputError) as refused:
        updated(card(head), entry(), "\n", "README.md")
    assert str(refused.value).startswith("README.md: ")
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_metadata_that_grow_when_they_are_read_cost_no_more_than_their_size():
    """Names that refer to lists of names: a billion values in a few lines, none of them made."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    before = card("\n".join(lines))
    after = updated(before, entry(), "\n", "card")
    assert after.startswith(before[: before.index("\n---\n#")])


def test_more_than_metadata_ever_are_is_refused(monkeypatch):
    """What reads YAML is slow, so its size has a bound."""
    monkeypatch.setattr(front_matter, "_MOST", 100)
    with pytest.raises(InputError, match="characters of metadata"):
        updated(card("a: " + "b" * 100), entry(), "\n", "card")


def test_a_card_that_huggingface_hub_cannot_read_is_refused():
    """Results of others without a data set: the Hub would refuse the card."""
    broken = updated(card(f"{KEY}:\n- name: other\n  results:\n  - task: x"), entry(), "\n", "card")
    with pytest.raises(InputError, match="huggingface_hub cannot read its metadata"):
        check(broken, "card")

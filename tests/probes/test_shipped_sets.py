"""Every shipped set, written out once: its tables, its budget, and what its numbers ask for."""

from hashlib import sha256

import pytest

from maskaudit.audit.estimating.not_given import of_set
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.texts.toml_files import document
from maskaudit.probes import shipped_sizes as stored_sizes
from maskaudit.probes.checking.budget import items_of
from maskaudit.probes.checking.size import Size
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.shipped_sizes import STORED, shipped_sizes

pytestmark = pytest.mark.slow


# The largest sets have hundreds of thousands of items, so tests of one set come one after another.
@pytest.fixture(scope="module", params=shipped())
def written_out(request):
    """A shipped set, and its tables."""
    probe_set = load(shipped()[request.param])
    return probe_set, expand(probe_set)


def test_every_item_has_its_sentence_and_a_mask_at_its_slot(written_out):
    """No brace is left over, no article is doubled, and the tables have their columns."""
    _, found = written_out
    tables.check("contexts", found.contexts)
    tables.check("items", found.items)
    assert set(found.items["context"]) == set(found.contexts["context"])
    assert found.contexts["context"].is_unique
    texts = found.contexts["text"]
    assert not texts.str.contains(r"[{}]|\b[Aa]n? an? ").any()
    assert (found.contexts["slot"] < texts.str.count(r"\[MASK\]")).all()
    opens = texts.str.startswith("[MASK]") & (found.contexts["slot"] == 0)
    targets = found.items[found.items["context"].isin(found.contexts["context"][opens])]["target"]
    first = targets.drop_duplicates().str[0]
    assert (first.str.isupper() | first.str.isdigit()).all()


def test_its_items_are_counted_without_writing_them(written_out):
    """Sets of facts, of one term and of many; all are within the budget of two million."""
    probe_set, found = written_out
    assert items_of(probe_set) == len(found.items) < 2_000_000


def test_its_stored_size_is_that_of_what_is_written_out(written_out):
    """And was made of the file that there is: `make sizes` writes it anew."""
    probe_set, found = written_out
    name = probe_set.header.name
    assert document(STORED).raw[name]["sha256"] == sha256(shipped()[name].read_bytes()).hexdigest()
    size = shipped_sizes()[name]
    assert size.sentences == len(found.contexts)
    frames = found.items["frame"].nunique()
    assert size.frames == (frames if not probe_set.facts else len(probe_set.facts))
    assert size.styles == len({style for style in found.items["style"].unique() if style})


def test_a_stored_size_is_not_taken_for_another_file(monkeypatch, tmp_path):
    """A set that was changed is counted again."""
    changed = tmp_path / "age.toml"
    text = shipped()["age"].read_text("utf-8")
    changed.write_text(f"{text}\n# changed\n", "utf-8")
    monkeypatch.setattr(stored_sizes, "shipped", lambda: {"age": changed})
    monkeypatch.setattr(Size, "of", lambda _: Size(1, 2, 3))
    assert shipped_sizes() == {"age": Size(1, 2, 3)}


def test_it_is_given_all_that_it_asks_for(written_out):
    """Nothing is told of a set that lacks nothing."""
    probe_set, found = written_out
    assert of_set(found.items, probe_set.header.contrast, has_lexicon=False) == []

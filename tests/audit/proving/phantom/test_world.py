"""The phantom's world is made of the sets that it names, whatever else is shipped."""

import pytest

from maskaudit.audit.phantom import truth
from maskaudit.audit.proving.phantom import world
from maskaudit.probes.loading import load, shipped


@pytest.fixture
def further(tmp_path):
    """Give the shipped sets and one more before them: religion-trait under another name."""
    text = shipped()["religion-trait"].read_text("utf-8")
    path = tmp_path / "a_further_set.toml"
    path.write_text(text.replace('name = "religion-trait"', 'name = "a-further-set"'), "utf-8")
    assert load(path).header.name == "a-further-set"
    return {"a-further-set": path, **shipped()}


def test_every_set_of_the_phantom_is_shipped():
    """And under the name that its file says."""
    assert set(world.SETS) <= set(shipped())
    assert len(set(world.SETS)) == len(world.SETS)
    for name in world.SETS:
        assert load(shipped()[name]).header.name == name


@pytest.mark.slow
def test_a_further_shipped_set_changes_nothing(monkeypatch, further):
    """Neither the text nor the words nor what is planted; shown on two sets, all take a minute."""
    monkeypatch.setattr(world, "SETS", ("facts", "religion-trait"))
    before = world.generate()
    monkeypatch.setattr(world, "shipped", lambda: further)
    assert world.generate() == before
    assert list(before.digests) == ["facts", "religion-trait"]


@pytest.mark.slow
def test_the_world_of_the_named_sets_is_the_one_that_is_stored(monkeypatch, further):
    """The bundled pair stays what `make phantom` would train, a further shipped set or not."""
    monkeypatch.setattr(world, "shipped", lambda: further)
    found, stored = world.generate(), truth.load()
    assert tuple(found.digests) == world.SETS
    assert {sentence.probe_set for sentence in found.sentences} == set(world.SETS)
    assert found.facts == stored.facts
    assert {name: part.items for name, part in stored.sets.items()}.items() <= found.digests.items()
    assert {name: part.planted for name, part in stored.sets.items()} == found.planted
    assert {name: part.kappa for name, part in stored.sets.items()} == found.kappa
    assert {name: part.unseen for name, part in stored.sets.items()} == found.unseen

"""The table of the shipped sets."""

from maskaudit.audit.authoring.listed_sets import listed_sets
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped


def test_the_table_has_a_line_for_every_set_and_the_sizes_of_the_bundles():
    """Under the names of its columns; the two forms say the same."""
    sets = listed_sets()
    head, *lines = sets.as_text().splitlines()
    assert head.split() == ["set", "axis", "styles", "frames", "sentences", "bundle", "title"]
    assert [line.split()[0] for line in lines[: len(shipped())]] == list(shipped())
    rows = {row["name"]: row for row in sets.as_json()}
    part = expand(load(shipped()["occupation-person"]))
    row = rows["occupation-person"]
    assert row["sentences"] == len(part.contexts)
    assert row["frames"] == part.items["frame"].nunique()
    assert row["bundles"] == ["core", "full"]
    core = sum(row["sentences"] for row in rows.values() if "core" in row["bundles"])
    assert f"core: 6 sets, {core:,} sentences a model; full: {len(rows)} sets" in lines[-1]
    [line] = [line for line in lines if line.startswith("age ")]
    assert line.split()[:6] == ["age", "age", "5", "40", "880", "full"]

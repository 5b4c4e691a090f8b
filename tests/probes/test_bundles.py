"""The shipped sets that are asked for together: by a bundle, or by an axis."""

import tomllib
from pathlib import Path

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.settings import Settings, overridden
from maskaudit.probes.bundles import axes, bundles
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from maskaudit.probes.requested import files_of

FOLDER = Path(__file__).resolve().parents[2] / "probes" / "sets"
FILES = {path: tomllib.loads(path.read_text("utf-8"))["set"] for path in FOLDER.glob("*.toml")}


def test_every_shipped_file_is_in_full():
    """Each once, whatever its axis."""
    assert sorted(files_of("full")) == sorted(FILES)
    assert bundles()["full"] == sorted(header["name"] for header in FILES.values())


def test_core_has_the_six_sets_that_were_first():
    """Their numbers go on from one version to the next."""
    assert set(bundles()["core"]) == {
        "age-trait", "facts", "gender-occupation", "occupation-person", "religion-trait",
        "weekday-occupation",
    }  # fmt: skip
    assert [FILES[path]["name"] for path in files_of("core")] == bundles()["core"]


def test_core_is_soon_asked():
    """At most 6,000 distinct masked sentences for each model."""
    n = sum(expand(load(path)).contexts["context"].nunique() for path in files_of("core"))
    assert 5_000 < n <= 6_000


def test_a_bundle_names_no_set_that_is_not_shipped():
    """It would be left out in silence."""
    listed = tomllib.loads((FOLDER.parent / "bundles.toml").read_text("utf-8"))
    names = {header["name"] for header in FILES.values()}
    assert all(set(part["sets"]) <= names for part in listed.values())
    assert "full" not in listed


@pytest.mark.parametrize("axis", sorted({header["axis"] for header in FILES.values()}))
def test_an_axis_is_every_set_on_it(axis):
    """By the headers of the files alone."""
    expected = [path for path, header in sorted(FILES.items()) if header["axis"] == axis]
    assert list(files_of(f"axis:{axis}")) == expected
    assert axis in axes()


def test_an_axis_that_is_not_there_is_told_with_those_that_are():
    """In one line, with the nearest name."""
    with pytest.raises(InputError) as caught:
        files_of("axis:relgion")
    assert str(caught.value) == (
        "--probes axis:relgion: no shipped set is on the axis 'relgion'; expected one of: "
        f"{', '.join(sorted({header['axis'] for header in FILES.values()}))}; "
        "did you mean 'religion'?"
    )
    with pytest.raises(InputError, match="did you mean 'axis:limitations'"):
        files_of("limitations")


def test_a_run_takes_bundles_axes_and_files_together(tmp_path, monkeypatch):
    """A set that is asked for twice is audited once."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").touch()
    found = overridden(Settings(), probes=["axis:religion", "core", "mine.toml"]).probe_files()
    core = list(files_of("core"))
    religion = [FOLDER / name for name in ("religion.toml", "religion_trait.toml")]
    others = [path for path in core if path not in religion]
    assert found == [*religion, *others, tmp_path / "mine.toml"]

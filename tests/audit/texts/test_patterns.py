"""Patterns: what they match, against Python's own, and how much of a tree is looked at."""

import glob
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.patterns import matches

FILES = ("a.toml", "b.toml", ".c.toml", "in/a.toml", "in/deep/er/b.toml", ".hid/a.toml", "in/x[1]")
PARTS = ("*", "**", "a.toml", "*.toml", "in", "?.toml", ".*", "[ab]*", "deep", "nowhere", "*n*")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a folder with some files in it."""
    folder = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


@example(parts=["a.toml", "**"], absolute=False)
@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=3), absolute=st.booleans())
def test_a_pattern_matches_what_pythons_own_search_does(tree, parts, absolute):
    """Of files, which are all that sets can be besides the folders that contain them."""
    pattern = "/".join(parts)
    expected = {
        tree / path
        for path in glob.glob(pattern, root_dir=tree, recursive=True)  # noqa: PTH207 - the oracle
        # As it is spelled: of `a.toml/**`, Python's search yields `a.toml/`, which is no file.
        if os.path.isfile(f"{tree}/{path}")  # noqa: PTH113 - a Path drops the stroke at the end
    }
    given_pattern = f"{glob.escape(str(tree))}/{pattern}" if absolute else pattern
    assert {path for path in matches(given_pattern, tree) if path.is_file()} == expected


def test_a_pattern_that_walks_a_large_tree_is_refused(tmp_path):
    """Before it is walked, with what to do."""
    for number in range(40):
        (tmp_path / f"{number}").mkdir()
    assert matches("**/*.toml", tmp_path, most=80) == []
    with pytest.raises(InputError, match=r"'\*\*/\*.toml': more than 79 files and folders would"):
        matches("**/*.toml", tmp_path, most=79)
    with pytest.raises(InputError, match="more than 500 files and folders"):
        matches("/**/*.nothing", tmp_path, most=500)


def test_a_folder_that_links_to_itself_is_walked_once(tmp_path):
    """Through links there may be no end."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/again").symlink_to(tmp_path)
    (tmp_path / "in/a.toml").write_text("")
    assert matches("**/*.toml", tmp_path) == [tmp_path / "in/a.toml"]

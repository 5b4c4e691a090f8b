"""Folders of the site: every name has one that is safe, and no two names have the same."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from maskaudit.reports.site.names import folder_of


@given(st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=6, unique=True))
@example(["..", ".", "a/b", "record-" + "0" * 24, "a.", "_a", "CON", "a b", "\udcff", "é"])
def test_names_have_safe_folders_of_their_own(names):
    """Whatever they hold; what is plain already stays as it is."""
    folders = [folder_of(name) for name in names]
    assert len(set(folders)) == len(folders)
    for name, folder in zip(names, folders, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9_-]|[A-Za-z0-9]", folder)
        assert folder == name or folder.startswith("record-")
    # A folder is the name of itself, so that no name can be made to have another's.
    for name, folder in zip(names, folders, strict=True):
        assert folder_of(folder) != folder or folder == name


def test_the_names_of_records_stay_as_they_are():
    """As a run makes them, and as people do."""
    for name in ("20260102T030405000000Z-aaaaaaaa", "version-2", "seed_1"):
        assert folder_of(name) == name

"""The digest of our code follows what modules say, wherever they lie, and library versions."""

from pathlib import Path

import pytest

from maskaudit.audit.measuring.cached import fingerprint as marks
from maskaudit.audit.measuring.cached.fingerprint import LIBRARIES, fingerprint


@pytest.fixture
def code(tmp_path, monkeypatch) -> Path:
    """Give a folder that stands for our packages, with two modules, one in a folder of it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "first.py").write_text("ONE = 1\n")
    (tmp_path / "inner" / "second.py").write_text("TWO = 2\n")
    monkeypatch.setattr(marks, "files", lambda _name: tmp_path)
    return tmp_path


def test_a_module_that_moves_or_is_renamed_changes_nothing(code):
    """Scores that were kept before a tidying are still scores of the same code."""
    before = fingerprint("audit")
    (code / "inner" / "second.py").rename(code / "third.py")
    assert fingerprint("audit") == before


@pytest.mark.parametrize("name", ["first.py", "inner/second.py"])
def test_a_module_that_says_something_else_changes_it(code, name):
    """In a folder below too."""
    before = fingerprint("audit")
    (code / name).write_text("ONE = 3\n")
    assert fingerprint("audit") != before


def test_what_is_no_module_changes_nothing(code):
    """Compiled files come and go."""
    before = fingerprint("audit")
    (code / "first.pyc").write_bytes(b"1")
    assert fingerprint("audit") == before


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_version_of_a_library_changes_it(code, monkeypatch, library):  # noqa: ARG001
    """Every library that computes, ours among them."""
    before = fingerprint("audit")
    installed = marks.version
    monkeypatch.setattr(
        marks, "version", lambda name: "0.0" if name == library else installed(name)
    )
    assert fingerprint("audit") != before


def test_the_packages_that_are_named_are_those_that_count():
    """The cache does not follow the estimators' code, a run does."""
    assert fingerprint("audit.measuring") != fingerprint("audit.measuring", "audit.estimating")

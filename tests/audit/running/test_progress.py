"""What is shown of an audit while it runs: from its first second on a terminal, little in a log."""

import io
import sys

import pytest

from maskaudit.audit.running import progress
from maskaudit.audit.vocabulary import EXPANDING, PLANNING


class Terminal(io.StringIO):
    """A terminal that remembers what it was sent."""

    def isatty(self):
        """Say that somebody looks."""
        return True


def on_terminal(monkeypatch):
    """Put a terminal in the place of standard error; not in a fixture, after which pytest does."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_a_terminal_shows_each_stage_at_once(monkeypatch):
    """Before the call returns: what follows may let no other thread draw."""
    terminal = on_terminal(monkeypatch)
    with progress.shown(quiet=False) as tell:
        for what in ("starting", "loading some/[model]"):
            tell.stage(what)
            assert what in terminal.getvalue()
        tell("jobs", 3, 9)
        tell("jobs", 9, 9)
        tell.stage("writing the page")
        assert "writing the page" in terminal.getvalue()
    # What stays on the screen is the bar of the set.
    last = terminal.getvalue().rpartition("writing the page")[2]
    assert "jobs" in last
    assert "9/9" in last
    assert "starting" not in last


def test_a_terminal_shows_how_far_a_set_is_before_it_is_scored(monkeypatch):
    """In a bar that ends where the next begins, as one that counts nothing does."""
    terminal = on_terminal(monkeypatch)
    with progress.shown(quiet=False) as tell:
        for what in (f"jobs, {EXPANDING}", f"jobs, {PLANNING}"):
            tell(what, 3, 8)
        tell("jobs", 0, 9)
        tell(f"jobs, {PLANNING}", 8, 8)
        tell("jobs", 9, 9)
    shown = terminal.getvalue()
    assert f"jobs, {PLANNING}" in shown
    assert "8/8" not in shown.rpartition("9/9")[2]
    last = shown.rpartition("\x1b[2K")[2]
    assert last.count("jobs") == 1
    assert "9/9" in last


def test_what_fails_in_a_stage_leaves_no_stage_behind(monkeypatch):
    """The error is the next thing to read."""
    terminal = on_terminal(monkeypatch)
    with pytest.raises(KeyboardInterrupt), progress.shown(quiet=False) as tell:  # noqa: PT012
        tell.stage("loading it")
        raise KeyboardInterrupt
    assert "loading it" not in terminal.getvalue().rpartition("\x1b[2K")[2]


def test_a_log_has_lines_for_sets_alone(capsys):
    """And quiet is quiet."""
    for quiet in (False, True):
        with progress.shown(quiet=quiet) as tell:
            tell.stage("loading some/model")
            tell(f"jobs, {EXPANDING}", 8, 8)
            tell("jobs", 0, 9)
            tell(f"jobs, {PLANNING}", 9, 9)
            tell("empty", 0, 0)
            tell("jobs", 9, 9)
        lines = ["jobs: 0 of 9 sentences", "jobs: 9 of 9 sentences"]
        assert capsys.readouterr().err.splitlines() == ([] if quiet else lines)


def test_a_log_has_lines_for_what_takes_long_before_a_set_is_scored(capsys, monkeypatch):
    """With what is counted then."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    with progress.shown(quiet=False) as tell:
        tell(f"jobs, {EXPANDING}", 5, 8)
        tell(f"jobs, {PLANNING}", 2, 9)
    lines = ["jobs, expanding: 5 of 8 items", "jobs, planning: 2 of 9 sentences"]
    assert capsys.readouterr().err.splitlines() == lines

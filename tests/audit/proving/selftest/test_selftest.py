"""The full self-test in a short form: ten frames, one amplification, four untrained models."""

import json

import pytest
from typer.testing import CliRunner

from maskaudit.audit.cli.main import app
from maskaudit.audit.proving import selftest
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest import (
    exact,
    metamorphic,
    nulls,
    phantom,
    plants,
    softer,
)


def quiet(_what, _done, _total):
    """Tell nobody."""


FRAMES = 10
PARTS = {
    "phantom": lambda: phantom.checks(quiet, full=True),
    "metamorphic": lambda: metamorphic.checks(quiet, full=True),
    "plants": lambda: plants.checks(quiet, kappas=(1.3,), n_frames=FRAMES),
    "softer": lambda: softer.checks(quiet, full=True),
    "nulls": lambda: nulls.checks(quiet, n_models=4),
}


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def short(monkeypatch):
    """Let the exact set have ten frames: what it shows holds for any number."""
    whole = exact.exact_raw()
    few = {**whole, "frames": whole["frames"][:FRAMES]}
    monkeypatch.setattr(exact, "exact_raw", lambda: few)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("part", PARTS)
def test_a_sound_instrument_passes(part):
    """Every check of every part, and no two of one name."""
    found = list(PARTS[part]())
    assert [check for check in found if not check.passed] == []
    names = [check.name for check in found]
    assert len(set(names)) == len(names) > 0


def test_the_short_self_test_is_a_part_of_the_full_one(monkeypatch):
    """Both of each part in turn; the full one asks each for all that it has."""
    asked = []

    def part(name):
        def checks(_progress, **options):
            asked.append((name, options))
            yield Check(name, passed=True, found="", expected="")

        return checks

    for name, module in {
        "phantom": phantom,
        "metamorphic": metamorphic,
        "plants": plants,
        "softer": softer,
        "nulls": nulls,
    }.items():
        monkeypatch.setattr(module, "checks", part(name))
    assert [check.name for check in selftest.selftest(quiet)] == [
        "phantom",
        "metamorphic",
        "softer",
    ]
    assert asked == [("phantom", {}), ("metamorphic", {}), ("softer", {})]
    asked.clear()
    names = [check.name for check in selftest.full(quiet, kappas=(1.3,), n_models=3)]
    assert names == ["phantom", "metamorphic", "plants", "softer", "nulls"]
    assert dict(asked) == {
        "phantom": {"full": True},
        "metamorphic": {"full": True},
        "plants": {"kappas": (1.3,)},
        "softer": {"full": True},
        "nulls": {"n_models": 3},
    }


# The command


def told(monkeypatch, passed):
    """Make the full self-test one with these outcomes, and the short one empty."""
    found = [Check(f"check {i}", one, "found", "expected") for i, one in enumerate(passed)]
    monkeypatch.setattr(selftest, "full", lambda _progress: found)
    monkeypatch.setattr(selftest, "selftest", lambda _progress: [])


def test_the_command_runs_the_full_self_test_when_asked(monkeypatch):
    """A line a check, and how many passed."""
    told(monkeypatch, [True, True])
    done = CliRunner().invoke(app, ["selftest", "--full"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "ok    check 0: found (expected expected)",
        "ok    check 1: found (expected expected)",
        "2 passed, 0 failed",
    ]


def test_one_check_that_fails_fails_the_command(monkeypatch):
    """As data too."""
    told(monkeypatch, [True, False])
    done = CliRunner().invoke(app, ["selftest", "--full", "--json"])
    assert done.exit_code == 1
    assert [check["passed"] for check in json.loads(done.stdout)] == [True, False]


def test_full_and_published_are_two_commands():
    """The one is about the bundled pair, the other about a model of the user's."""
    done = CliRunner().invoke(app, ["selftest", "--full", "--published", "bert-base-cased"])
    assert done.exit_code != 0
    assert "expected one of --full and --published MODEL" in str(done.exception)

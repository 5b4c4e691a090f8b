"""The commands `claims`: what they print and write, their exit codes, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.claims.results import read_results
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import unfinished
from tests import tiny
from tests.reports import records

Command = Callable[..., Any]
NAME = "20260101T000000Z-aa"
CARD = """\
# Small model (uncased)

It has 2 million parameters. It inherits biases of its teacher. See `from_pretrained("o/student")`.
"""
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "claims" / "student.md"
PAIR = Path(__file__).resolve().parents[3] / "audit" / "phantom"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with tiny models, and a record whose models have the same names."""
    folder = tmp_path_factory.mktemp("here")
    for n, name in enumerate(("student", "teacher", "other")):
        tiny.build(folder / name, "distilbert", seed=n)
    found = records.holding(records.record([records.jobs(frames=6)]))
    with unfinished(folder / "runs") as scratch:
        record.seal(found, scratch / "0", folder / "runs" / NAME)
    return folder


@pytest.fixture
def card(here: Path) -> Path:
    """Give a card beside the models, without claims."""
    for path in here.glob("README*"):
        path.unlink()
    path = here / "README.md"
    path.write_text(CARD)
    return path


def test_a_draft_is_written_once_and_never_over_what_is_there(command: Command, card: Path) -> None:
    """The path is printed; the second time it is an error, and the file stays."""
    done = command(card.parent, "claims", "draft", "README.md")
    assert (done.returncode, done.stdout, done.stderr) == (0, "README.claims.toml\n", "")
    path = card.with_name("README.claims.toml")
    path.write_text("mine")
    done = command(card.parent, "claims", "draft", "README.md")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "is there already and stays as it is" in done.stderr
    assert path.read_text() == "mine"


@pytest.mark.slow
def test_claims_are_checked_against_a_model(command: Command, card: Path) -> None:
    """What is printed, as JSON and in a file, is the same; the exit code says the worst."""
    command(card.parent, "claims", "draft", "README.md")
    named = ("claims", "README.md", "--model", "student")
    done = command(card.parent, *named, "-o", "claims.json")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(
        "README.md: 3 claims: 1 contradicted, 1 not checkable, 1 confirmed\n"
        f"Held against {card.parent.name}/student.\n"
        "contradicted   parameters: the card says that it has 2 million parameters\n"
    )
    assert done.stdout.endswith("Exit code 1: a claim is contradicted.\n")
    as_json = command(card.parent, *named, "--json").stdout
    assert json.loads(as_json) == read_results(card.with_name("claims.json")).model_dump()
    assert command(card.parent, *named, "--quiet").stdout == ""


@pytest.mark.slow
def test_claims_of_another_model_are_refused_before_it_is_loaded(
    command: Command, card: Path
) -> None:
    """In one line; and what applies is checked where that is asked for."""
    command(card.parent, "claims", "draft", "README.md")
    done = command(card.parent, "claims", "README.md", "--model", "nowhere/teacher")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "are for the model 'o/student', but --model is 'nowhere/teacher'" in done.stderr
    other = ("claims", "README.md", "--model", "other", "--other-model")
    done = command(card.parent, *other)
    name = f"{card.parent.name}/other"
    assert f"Held against {name} (another model than the card is about)." in done.stdout


@pytest.mark.slow
def test_a_record_says_what_was_inherited(command: Command, card: Path) -> None:
    """Of the model of the card alone: a record of other weights than --model has is refused."""
    command(card.parent, "claims", "draft", "README.md")
    done = command(card.parent, "claims", "README.md", "--record", f"runs/{NAME}")
    assert "confirmed      inheritance: the card says that some of the ref" in done.stdout
    assert "of 14 words:" in done.stdout
    done = command(
        card.parent, "claims", "README.md", "--record", f"runs/{NAME}", "--model", "student"
    )
    assert done.returncode == 2
    assert f"other weights than --model {card.parent.name}/student has" in done.stderr


def test_what_nothing_was_named_for_is_not_judged(command: Command, card: Path) -> None:
    """Exit code 3, as of a gate that measured nothing."""
    command(card.parent, "claims", "draft", "README.md")
    done = command(card.parent, "claims", "README.md")
    assert done.returncode == 3
    assert done.stdout.endswith("Exit code 3: no claim could be checked.\n")


def test_a_card_without_claims_says_how_to_write_them(command: Command, card: Path) -> None:
    """And a card that is none says so."""
    done = command(card.parent, "claims", "README.md")
    assert done.returncode == 2
    assert "maskaudit claims draft README.md" in done.stderr
    assert command(card.parent, "claims", "none.md").returncode == 2


@pytest.mark.slow
def test_what_the_example_says_wrongly_is_found(command: Command, tmp_path: Path) -> None:
    """Of the bundled student, which its documents describe: vocabulary, pairs, size, whose row."""
    done = command(
        tmp_path, "claims", EXAMPLE, "--model", PAIR / "student", "--reference", PAIR / "teacher",
        "--json",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found = {claim["id"]: claim["verdict"] for claim in json.loads(done.stdout)["claims"]}
    wrong = {name for name, verdict in found.items() if verdict == "contradicted"}
    assert wrong == {"vocabulary", "inputs", "heads-2", "parameters", "benchmark"}
    right = {name for name, verdict in found.items() if verdict == "confirmed"}
    assert right == {"heads", "casing", "length", "inputs-2", "sample"}

"""Checked claims are kept whole, and what is stale or none of ours is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.claims.card import read_card
from maskaudit.audit.claims.checking.check import check_claims
from maskaudit.audit.claims.checking.facts import Facts, Known
from maskaudit.audit.claims.results import Results, as_text, read_results, results, stale
from maskaudit.audit.errors import InputError
from tests.audit.claims import cards

KNOWN = Known(Facts("small", weights="w", tokenizer="t", vocabulary_size=9))


@pytest.fixture
def found(tmp_path: Path) -> Results:
    """Give one checked claim of a card."""
    claims = cards.claims(tmp_path, 'kind = "vocabulary"\nsize = 9', text="Wörter \u202e here.")
    card = read_card(tmp_path / "README.md")
    return results(card, claims, KNOWN, check_claims(claims, card, KNOWN))


def test_what_is_written_is_read_back(tmp_path: Path, found: Results) -> None:
    """To the last letter, also of a quotation that holds letters that are not seen."""
    path = tmp_path / "claims.json"
    path.write_text(as_text(found), "utf-8")
    assert read_results(path) == found
    assert found.exit_code == 0
    assert found.model is not None
    assert found.model.weights == "w"


def test_results_are_stale_once_a_file_of_theirs_has_changed(
    tmp_path: Path, found: Results
) -> None:
    """The card or its claims, where they lie beside the results; elsewhere nobody can tell."""
    assert stale(found, tmp_path) == ""
    assert stale(found, tmp_path / "elsewhere") == ""
    claims = tmp_path / "README.claims.toml"
    claims.write_text(claims.read_text("utf-8") + "\n", "utf-8")
    assert stale(found, tmp_path) == "README.claims.toml has changed since its claims were checked"
    (tmp_path / "README.md").write_text("Other words.")
    assert stale(found, tmp_path).startswith("README.md has changed")


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a newer format": lambda raw: raw.update(format=2),
    "an unknown key": lambda raw: raw.update(more=1),
    "a missing key": lambda raw: raw.pop("model"),
    "no claim": lambda raw: raw.update(claims=[]),
    "no verdict": lambda raw: raw["claims"][0].update(verdict="sure"),
    "a number for a name": lambda raw: raw["card"].update(name=1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_file_of_checked_claims_is_refused(
    tmp_path: Path, found: Results, change: str
) -> None:
    """In one line, with how to write one."""
    path, raw = tmp_path / "claims.json", json.loads(as_text(found))
    CHANGES[change](raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(InputError, match=r"is no file of checked claims .*; to write it: maskaud"):
        read_results(path)


@pytest.mark.parametrize("text", ["", "[", "NaN", '"a"', "[1]", "{" * 200])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    """As one line too."""
    path = tmp_path / "claims.json"
    path.write_text(text)
    with pytest.raises(InputError) as told:
        read_results(path)
    assert len(told.value.faults) == 1

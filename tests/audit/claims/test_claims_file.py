"""A file of claims is read as written, and every fault of it is told with its line."""

from pathlib import Path

import pytest

from maskaudit.audit.claims.claims_file import beside, known_rows, read_claims
from maskaudit.audit.errors import InputError
from tests.audit.claims import cards

HEAD = '[card]\nmodel = "x/small"\n'


def faults(folder: Path, text: str) -> list[str]:
    """Return what is wrong with claims of a card, without the name of the file."""
    path = folder / "README.claims.toml"
    path.write_text(HEAD + text, "utf-8")
    with pytest.raises(InputError) as told:
        read_claims(path, cards.card(folder, "It has 9 pieces."))
    return [fault.replace(f"{path}: ", "") for fault in told.value.faults]


def claim(**changes: str) -> str:
    """Return a claim in TOML: its first line is that of [[claim]], line 3 of the file."""
    keys = {
        "id": '"a"', "kind": '"vocabulary"', "quote": '"9 pieces"', "size": "9", **changes
    }  # fmt: skip
    return "\n".join(["[[claim]]", *(f"{key} = {value}" for key, value in keys.items() if value)])


def test_the_file_lies_beside_the_card() -> None:
    """README.claims.toml beside README.md, and so for a card with two dots in its name."""
    assert beside(Path("a/README.md")) == Path("a/README.claims.toml")
    assert beside(Path("b.azure.md")) == Path("b.azure.claims.toml")


def test_a_quotation_stands_in_the_card_whatever_its_white_space(tmp_path: Path) -> None:
    """Lines that a card breaks elsewhere are the same words; other words are not."""
    card = cards.card(tmp_path, "It has 9 pieces.\nAnd  two\u00a0lines, cafe\u0301.")
    for quote in ("pieces. And two lines", "two lines, caf\u00e9."):
        assert card.has(quote)
    assert not card.has("two pieces")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (claim(size="9", sise="9"), "line 8: claim[1] 'a'.sise: is not a known key; did you mean"),
        (claim(kind='"vocabulry"'), "line 5: claim[1] 'a'.kind: is no kind of claim (found 'voca"),
        (claim(kind='"vocabulry"'), "did you mean 'vocabulary'?"),
        (claim(kind=""), "line 3: claim[1] 'a'.kind: is missing; expected one of: casing, "),
        (claim(size='"9"'), "line 7: claim[1] 'a'.size: expected a whole number, without quotes"),
        (claim(quote='"10 pieces"'), "line 6: claim[1] 'a'.quote: does not stand in README.md"),
        (claim(quote=""), "claim[1] 'a'.quote: is missing"),
        (claim() + "\n" + claim(), "line 4: claim[1] 'a'.id: two claims have this name; rename"),
        (claim(id='"a;b"'), "line 4: claim[1] 'a;b'.id: expected letters, digits and"),
        (claim(kind='"heads"', size=""), "says nothing that could be checked; expected present"),
        (
            claim(kind='"parameters"', size="", number='"many"'),
            "line 7: claim[1] 'a'.number: expected a number as it is printed",
        ),
        (
            claim(kind='"sample"', size="", sentence='"[MASK]"', fills='[{ token = "a", q = 1 }]'),
            "claim[1] 'a'.fills[1].q: is not a known key",
        ),
        (claim(kind='"casing"', size="", casing='"Cased"'), "did you mean 'cased'?"),
        ("[[claims]]\n", "claims: is not a known key; did you mean 'claim'?"),
        (claim() + '\n[[row]]\nmodel = "a"\n', "line 8: row[1].benchmark: is missing"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    """What was found, what was expected and where."""
    told = faults(tmp_path, text)
    assert any(expected in fault for fault in told), told


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """One of each claim, in the order of the file."""
    told = faults(tmp_path, claim(size='"9"') + "\n" + claim(id='"b"', kind='"x"'))
    assert ["'a'.size" in told[0], "'b'.kind" in told[1], len(told)] == [True, True, 2]


def test_a_card_without_a_file_of_claims_says_how_to_write_one(tmp_path: Path) -> None:
    """The command is in the message."""
    card = cards.card(tmp_path, "Words.")
    with pytest.raises(InputError, match=r"to write them: maskaudit claims draft .*README\.md"):
        read_claims(beside(card.path), card)


def test_metadata_are_read_as_words(tmp_path: Path) -> None:
    """The language of Norway is no falsehood, and a licence may stand in tags."""
    tags = "license : mit task : x\nLicense: apache-2.0.\nLicense: see below\n"
    card = cards.card(tmp_path, f"---\nlanguage: no\nlicense: MIT\n---\nTags\n\n{tags}")
    assert card.metadata["language"] == "no"
    assert card.licences == ["mit", "apache-2.0"]
    with pytest.raises(InputError, match="its metadata are not YAML"):
        cards.card(tmp_path, "---\na: [\n---\n")
    with pytest.raises(InputError, match="cannot be read"):
        cards.read_card(tmp_path / "none.md")


def test_the_rows_that_are_known_have_eight_tasks_of_glue_and_a_source() -> None:
    """With WNLI their means are the macro-scores that the README prints beside them."""
    sums = {row.model: sum(row.scores.values()) for row in known_rows()}
    assert round((sums["bert-base-cased"] + 46.5) / 9, 1) == 78.2
    assert round((sums["distilbert-base-cased"] + 56.3) / 9, 1) == 75.9
    assert all(len(row.scores) == 8 and row.source for row in known_rows())

"""Groups that cross two factors: each combination of levels has one group."""

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.loading import load

CROSSED = """
[set]
name = "names"
version = "1.0"
kind = "association"
axis = "gender-race"
title = "T"
question = "Q?"
how_to_read = "H."
limits = "L."
licence = "Apache-2.0"
sources = ["written for this test"]

[groups.black_women]
factors = { race = "black", gender = "women" }
terms = ["Keisha"]
[groups.black_men]
factors = { race = "black", gender = "men" }
terms = ["Darnell"]
[groups.white_women]
factors = { race = "white", gender = "women" }
terms = ["Meghan"]
[groups.white_men]
factors = { gender = "men", race = "white" }
terms = ["Brant"]
[groups.people]
terms = ["somebody"]

[classes.kind]
attributes = ["gentle", "polite"]

[[frames]]
id = "was"
text = "We agreed that {term} was [MASK]."
"""


def faults(tmp_path, text):
    """What is wrong with a set of this text, without the file's name and the line."""
    file = tmp_path / "names.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load(file)
    return [fault.split(": ", 2)[2] for fault in caught.value.faults]


def test_crossed_groups_have_the_factors_that_are_written(tmp_path):
    """The order of factors is free, and a group without any stands outside of the table."""
    file = tmp_path / "names.toml"
    file.write_text(CROSSED, "utf-8")
    groups = load(file).groups
    assert groups["white_men"].factors == {"race": "white", "gender": "men"}
    assert groups["people"].factors == {}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'gender = "men", race = "white"',
            'gender = "men"',
            "names 'gender'; expected 'gender' and 'race', as the first group with factors has",
        ),
        (
            'race = "white", gender = "women"',
            'race = "black", gender = "women"',
            "are those of 'black_women' too; expected one group for each combination of levels",
        ),
        (
            'factors = { gender = "men", race = "white" }\n',
            "",
            "no group has the factors men and white; expected one for each of the 4 combinations",
        ),
    ],
)
def test_a_table_that_is_not_full_is_told(tmp_path, old, new, fault):
    """Neither a main effect nor an interaction is known where a cell is missing."""
    assert CROSSED.count(old) == 1
    assert fault in " ".join(faults(tmp_path, CROSSED.replace(old, new)))


def test_one_level_or_one_factor_crosses_nothing(tmp_path):
    """Groups of a single factor are plain groups."""
    one_level = CROSSED.replace('race = "white"', 'race = "black"')
    fault = "their factors have one level of 'race'; expected at least 2 factors of at least 2"
    assert faults(tmp_path, one_level) == [f"groups: {fault} levels each"]
    one_factor = CROSSED.replace(', gender = "women"', "").replace(', gender = "men"', "")
    assert "only 'race'" in faults(tmp_path, one_factor.replace('gender = "men", ', ""))[0]

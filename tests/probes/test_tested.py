"""What is tested is told for each pair of groups, and directions that fit nothing are refused."""

import tomllib

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.probes.checking.tested import what_is_tested
from maskaudit.probes.loading import parse
from maskaudit.probes.schema import ProbeSet
from tests import tiny

FRAME = '[[frames]]\nid = "f"\ntext = "[MASK] worked as {a attribute}."\n'
THIRD = '[groups.others]\nterms = [{ text = "they" }]\n'


def made(first: str = "", second: str = "", more: str = "") -> ProbeSet:
    """Return the small set with these groups in its classes."""
    text = tiny.small_set()
    for name, group in (("first", first), ("second", second)):
        if group:
            text = text.replace(f"[classes.{name}]", f'[classes.{name}]\ngroup = "{group}"')
    text += more + FRAME
    return parse(tomllib.loads(text), text, "small.toml")


def test_each_pair_of_groups_is_told_with_its_classes_and_its_harm() -> None:
    """By the classes' own groups, else by the order of `contrast`, else without a direction."""
    assert list(what_is_tested(made())) == [
        "women and men: first less second, by their order; positive follows the stereotype"
    ]
    assert list(what_is_tested(made("men", "women"))) == [
        "women and men: second less first; positive follows the stereotype"
    ]
    lines = list(what_is_tested(made("women", "men", THIRD)))
    assert lines[0] == "women and men: first less second; positive follows the stereotype"
    assert all("without a direction of harm" in line for line in lines[1:])
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (("women", "nobody"), "no group is named 'nobody'; the groups are: women, men"),
        (("women", "women"), "'first' is stereotyped with 'women' too"),
        (("women", ""), "classes.second: does not say which group it is stereotyped with"),
    ],
)
def test_a_direction_that_fits_nothing_is_refused(groups: tuple[str, str], said: str) -> None:
    """With what was found and expected."""
    with pytest.raises(InputError) as refused:
        made(*groups)
    assert any(said in fault for fault in refused.value.faults)

"""The table of what was tried is as the script writes it, and each of its tests is there."""

import re

import pytest

from tests.hostile import counts

FOUND = counts.between(counts.DOCUMENT.read_text("utf-8"))


def test_the_document_has_a_row_for_each_area_and_their_sum():
    """In their order; what was tried held, or did not."""
    where, empty, *lines = FOUND.splitlines()
    assert re.fullmatch(r"maskaudit [\w.]+, Python 3\.\d+\.\d+, \w+:", where)
    assert (empty, *lines[:2]) == ("", *counts.HEAD)
    rows = [counts.ROW.fullmatch(line).groups() for line in lines[2:]]
    assert [name for name, *_ in rows] == [*counts.AREAS, "all"]
    numbers = [[int(number.replace(",", "")) for number in own] for _, *own in rows]
    for tried, held, failed in numbers:
        assert tried > 0
        assert held + failed == tried
    *each, every = numbers
    assert [sum(column) for column in zip(*each, strict=True)] == every


def test_what_is_written_is_read_again():
    """And nothing else of the document changes."""
    made = counts.table(dict.fromkeys(counts.AREAS, counts.Count(1234, 5)))
    assert made.splitlines()[-1] == f"| all | {14808:,} | {14748:,} | {60:,} |"
    document = f"a\n\n{counts.BEGIN}\n\n{made}\n\n{counts.END}\n\nb"
    assert counts.between(document) == made
    assert counts.rows(made) == dict.fromkeys(counts.AREAS, counts.Count(1234, 5))
    with pytest.raises(ValueError, match="unpack"):
        counts.between(document + document)


@pytest.mark.parametrize("name", counts.AREAS)
def test_each_test_of_an_area_is_there(name):
    """Or a renamed test would not be counted in silence: pytest would end with another code."""
    for test in (*counts.AREAS[name].tests, *counts.AREAS[name].left):
        file, _, function = test.partition("::")
        assert (counts.ROOT / file).exists()
        assert not function or f"def {function}(" in (counts.ROOT / file).read_text("utf-8")

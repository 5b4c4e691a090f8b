"""How numbers become series: one method each, and repeats that are no evidence."""

import math

import pytest

from maskaudit.audit.history.judge import judge
from maskaudit.audit.history.read import read
from maskaudit.audit.judging.comparing import repeat
from tests.audit.history.folders import one_series, write


def test_numbers_of_unequal_methods_never_stand_in_one_series(tmp_path):
    """Another torch begins a new series that says so; going back goes on with the first."""
    for n, torch in enumerate(["2.13", "2.13", "2.14", "2.13"], start=1):
        write(tmp_path, n, torch=torch, weights=f"w{n}")
    first, second = [s for s in read(tmp_path).series if s.subject == "difference"]
    assert [point.audit.number for point in first.points] == [1, 2, 4]
    assert [point.audit.number for point in second.points] == [3]
    assert first.differs == ()
    assert second.differs == ("torch: 2.13, then 2.14",)


# --- Repeats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "word"),
    [
        (0.5, "identical"),
        (0.500001, "within tolerance"),
        (0.51, "changed"),
        (math.nan, "changed"),
    ],
)
@pytest.mark.slow
def test_the_same_weights_and_sentences_are_a_repeat_and_no_evidence(tmp_path, estimate, word):
    """Told as identical or not, by the tolerance of `audit.judging.comparing.repeat`."""
    write(tmp_path, 1, estimate=0.5)
    write(tmp_path, 2, estimate=estimate)
    found = one_series(judge(read(tmp_path)))
    assert [point.repeat for point in found.series.points] == ["", word]
    assert (abs(estimate - 0.5) <= repeat.TOLERANCE) == (word != "changed")
    assert len(found.series.fresh) == 1
    assert math.isnan(found.p[1])


def test_an_earlier_version_that_comes_back_is_a_repeat(tmp_path):
    """Its number, and its version, are those of the first time."""
    for n, weights in enumerate("aba", start=1):
        write(tmp_path, n, weights=weights)
    points = one_series(judge(read(tmp_path))).series.points
    assert [point.version for point in points] == [1, 2, 1]
    assert points[2].same_as == points[0].audit.name


def test_another_tokenizer_makes_another_version(tmp_path):
    """The same weights read other pieces."""
    for n, tokenizer in enumerate(["t", "other"], start=1):
        write(tmp_path, n, tokenizer=tokenizer)
    points = one_series(judge(read(tmp_path))).series.points
    assert [point.version for point in points] == [1, 2]

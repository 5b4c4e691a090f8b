"""A trial has the first frames of each style, as many of each as there are, and whole variants."""

from collections import Counter

import pytest

from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from maskaudit.probes.requested import files_of
from maskaudit.probes.thinned import with_few_frames, with_first_frames
from tests.reports import records


@pytest.fixture(scope="module")
def whole():
    """A shipped set of five styles of ten frames."""
    [file] = files_of("gender-occupation")
    return load(file)


@pytest.mark.parametrize("most", [1, 5, 8, 10, 49, 50, 99])
def test_frames_are_the_first_of_each_style_and_no_style_is_ahead_by_two(whole, most):
    """In the order of the file; all of them where so many are asked."""
    kept = with_first_frames(whole, most).frames
    assert len(kept) == min(most, len(whole.frames))
    assert kept == [frame for frame in whole.frames if frame in kept]
    counts = Counter(frame.style for frame in whole.frames)
    taken = Counter(frame.style for frame in kept)
    for style, n in counts.items():
        firsts = [frame for frame in whole.frames if frame.style == style][: taken[style]]
        assert [frame for frame in kept if frame.style == style] == firsts
        assert max(taken.values()) - taken[style] <= 1 or taken[style] == n


@pytest.mark.parametrize("most", [1, 6, 10])
def test_few_frames_are_those_of_a_trial_without_their_variants(whole, most):
    """So that a preview shows each style."""
    few, trial = with_few_frames(whole, most).frames, with_first_frames(whole, most).frames
    assert [frame.id for frame in few] == [frame.id for frame in trial]
    assert [frame.texts for frame in few] == [[frame.text] for frame in trial]


def test_what_is_asked_of_a_kept_frame_is_all_that_was_asked_of_it(whole):
    """Priors, controls and variants included: its rows are those of the whole set."""
    part, all_items = expand(with_first_frames(whole, 3)).items, expand(whole).items
    of_kept = all_items[all_items["frame"].isin(part["frame"])]
    assert sorted(part["item"]) == sorted(of_kept["item"])
    assert part["frame"].nunique() == 3


def test_an_import_keeps_the_rows_of_its_first_frames():
    """And no row of another."""
    pairs = records.pairs()
    names = list(dict.fromkeys(row["frame"] for row in pairs.rows))
    kept = with_first_frames(pairs, 2).rows
    assert kept == [row for row in pairs.rows if row["frame"] in names[:2]]

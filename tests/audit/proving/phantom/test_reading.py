"""What is read of all items at once is what the scorer reads of each."""

import pandas as pd
import pytest

from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.measuring.scoring import score
from maskaudit.audit.phantom.truth import STUDENT, TEACHER
from maskaudit.audit.proving.phantom import reading
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped


@pytest.mark.slow
@pytest.mark.parametrize("name", ["race-descriptor", "age-trait"])
def test_every_item_has_the_score_that_the_scorer_gives_it(name):
    """Of terms and of attributes at the mask, of priors, and of terms of two words."""
    probe_set = load(shipped()[name])
    few = expand(probe_set.model_copy(update={"frames": probe_set.frames[:2], "controls": None}))
    pair = {name: load_model(str(folder)) for name, folder in
            (("reference", TEACHER), ("candidate", STUDENT))}  # fmt: skip
    found = reading.scores(few, pair)
    expected = score(few, list(pair.values())).scores
    both = found.merge(expected, on=["item", "model"], suffixes=("", "_scored"))
    assert len(both) == len(found) == len(expected)
    pd.testing.assert_series_equal(
        both["value"], both["value_scored"], check_names=False, rtol=0, atol=1e-5
    )

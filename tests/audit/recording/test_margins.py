"""Margins: which of several counts, and what is refused."""

import itertools

import pytest
from pydantic import ValidationError

from maskaudit.audit.estimating.design import design
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.margins import Margin, Margins, MarginsOfSets
from tests import manifests


def margins(contrast=None, attribute=None):
    """Return margins of these sizes; None is not declared."""
    sizes = {"contrast": contrast, "attribute": attribute}
    return Margins(**{k: Margin(nats=v, reason="x") for k, v in sizes.items() if v is not None})


@pytest.mark.parametrize("given", list(itertools.product([0.1, None], repeat=3)))
def test_a_run_s_margin_for_a_set_counts_before_its_margin_for_all_and_the_set_s_own(given):
    """The first of the three that is declared, for each kind by itself."""
    for_set, for_all, own = (size and size * n for n, size in enumerate(given, start=1))
    run = MarginsOfSets(contrast=margins(for_all).contrast, sets={"jobs": margins(for_set)})
    found = run.of("jobs", margins(own, attribute=0.7))
    first = next((size for size in (for_set, for_all, own) if size is not None), None)
    assert (found.contrast and found.contrast.nats) == first
    assert found.attribute.nats == 0.7
    other = run.of("others", None)
    assert (other and other.contrast.nats) == for_all


def test_nothing_declared_is_no_margins():
    """Not margins of which each is unknown: a record says nothing of them then."""
    assert MarginsOfSets().of("jobs", None) is None
    assert MarginsOfSets().of("jobs", Margins()) is None


@pytest.mark.parametrize(
    "wrong",
    [{"nats": 0.1}, {"nats": 0.1, "reason": ""}, {"nats": 0.1, "reason": "  "}, {"reason": "x"},
     {"nats": 0, "reason": "x"}, {"nats": -0.1, "reason": "x"}, {"nats": "0.1", "reason": "x"},
     {"nats": float("nan"), "reason": "x"}, {"nats": float("inf"), "reason": "x"}, 0.1],
)  # fmt: skip
def test_a_margin_is_a_size_above_0_with_a_reason(wrong):
    """Neither alone."""
    with pytest.raises(ValidationError):
        Margins.model_validate({"contrast": wrong})


def test_a_manifest_keeps_margins_and_one_of_before_has_none():
    """What was written is read back; the design has that of attributes, 0 without one."""
    declared = {"attribute": {"nats": 0.5, "reason": "x"}}
    described = manifests.probe_set(margins=declared)
    assert ProbeSet.model_validate(described.as_json()) == described
    assert described.as_json()["margins"] == declared
    assert design("jobs", described, {}).attribute_margin == 0.5
    before = manifests.probe_set()
    assert "margins" not in before.as_json()
    assert design("jobs", before, {}).attribute_margin == 0.0


def test_a_margin_is_in_no_method_that_sets_are_compared_by():
    """Two audits with other margins can be compared: only classes of attributes depend on one."""
    declared = {"attribute": {"nats": 0.5, "reason": "x"}}
    keys = [design("a", manifests.probe_set(**more), {}) for more in ({}, {"margins": declared})]
    assert keys[0].method == keys[1].method
    assert "margin" not in keys[1].key("stereotype_contrast", "any")

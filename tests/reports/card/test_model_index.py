"""Our entry of `model-index`: the record's own numbers, as huggingface_hub reads them."""

from dataclasses import replace

import pytest
from huggingface_hub.repocard_data import model_index_to_eval_results

from maskaudit.reports.card.model_index import OURS, entry
from tests.reports import records


@pytest.fixture(scope="module")
def found():
    """Give a record with contrasts, a control, facts and pairs."""
    sets = [records.jobs(frames=6), records.control(), records.facts(), records.pairs()]
    return records.record(sets)


@pytest.fixture(scope="module")
def read(found):
    """Give the entry's name and its results, by huggingface_hub's reader."""
    return model_index_to_eval_results([entry(found)])


def test_the_numbers_are_those_of_the_record_with_their_limits(found, read):
    """To four decimals, found by a line of pandas."""
    name, results = read
    assert name == f"student{OURS}"
    by_metric = {one.metric_type: one for one in results if one.dataset_type == "jobs"}
    for subject, metric in (
        ("candidate", "stereotype_contrast"),
        ("difference", "stereotype_contrast_difference"),
    ):
        row = records.estimate_of(found, "jobs", subject)
        one = by_metric[metric]
        assert one.metric_value == pytest.approx(row["estimate"], abs=5e-5)
        assert one.metric_args["low"] == pytest.approx(row["low"], abs=5e-5)
        assert one.metric_args["high"] == pytest.approx(row["high"], abs=5e-5)
        assert (one.task_type, one.dataset_revision) == ("fill-mask", "1.0")


def test_what_it_shows_stands_beside_a_number_and_a_difference_never_alone(read):
    """In the words of the table."""
    _, results = read
    shown = {one.metric_type: one.metric_args.get("shows") for one in results}
    assert shown["stereotype_contrast"] == "leans with the stereotype"
    assert shown["stereotype_contrast_difference"] == "leans further"
    metrics = [(one.dataset_type, one.metric_type) for one in results]
    for dataset, metric in metrics:
        if metric.endswith("_difference"):
            assert (dataset, metric.removesuffix("_difference")) in metrics


def test_facts_and_published_sets_have_their_shares(found, read):
    """Right answers, and the stereotyping side."""
    _, results = read
    facts = next(one for one in results if one.dataset_type == "facts")
    assert (facts.metric_type, facts.metric_value) == ("accuracy", 0.6)
    pairs = next(one for one in results if one.dataset_type == "pairs")
    row = records.estimate_of(found, "pairs", "candidate", pairs.metric_type, "all")
    assert pairs.metric_value == pytest.approx(row["estimate"].max(), abs=5e-5)


def test_controls_and_what_could_not_be_tested_are_no_results(found, read):
    """No list may rank them."""
    assert {one.dataset_type for one in read[1]} == {"jobs", "facts", "pairs"}
    few = records.record([records.jobs(frames=4)])
    assert not entry(few).get("results")
    alone = replace(found, estimates=found.estimates[found.estimates["probe_set"] == "days"])
    assert not entry(alone).get("results")


def test_a_name_of_others_is_visible_text():
    """What nobody sees is a code point, and nothing is obeyed."""
    made = entry(records.record([records.jobs(frames=6)], names={"candidate": "a\u202eb\x9b: - c"}))
    assert made["name"] == f"a⟨U+202E⟩b⟨U+009B⟩: - c{OURS}"

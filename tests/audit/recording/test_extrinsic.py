"""Extrinsic scores: what may be said of them, of which models, and how a record keeps them."""

import pytest
from pydantic import ValidationError

from maskaudit.audit.recording import binding
from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.manifest import Manifest
from tests import manifests

GAP = {
    "name": "gap in recall", "unit": "points", "higher_is": "worse", "source": "by Ada, in May",
    "scores": {"candidate": {"value": 14.0, "low": 12.0, "high": 16.5}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "word"),
    [
        ({}, "value"),
        ({"value": "14"}, "value"),
        ({"value": float("nan")}, "finite"),
        ({"value": 14.0, "std_error": 0.0}, "greater than 0"),
        ({"value": 14.0, "std_error": float("inf")}, "finite"),
        ({"value": 14.0, "low": 12.0}, "one end of an interval"),
        ({"value": 14.0, "high": 12.0}, "one end of an interval"),
        ({"value": 14.0, "low": 15.0, "high": 16.0}, "outside"),
        ({"value": 14.0, "low": 12.0, "high": 13.0}, "outside"),
        ({"value": 14.0, "std_error": 1.0, "low": 12.0, "high": 16.0}, "expected one of them"),
        ({"value": 14.0, "error": 1.0}, "error"),
    ],
)
def test_a_score_is_a_number_with_one_account_of_its_error_or_none(measured, word):
    """Nothing else is guessed: an interval has both ends, and its number between them."""
    with pytest.raises(ValidationError, match=word):
        Extrinsic.model_validate(GAP | {"scores": {"candidate": measured}})


@pytest.mark.parametrize("key", list(GAP))
def test_what_a_score_is_has_to_be_said(key):
    """Its name, unit, direction, source and at least one model; in words, not white space."""
    without = {name: part for name, part in GAP.items() if name != key}
    empty = {**GAP, key: {} if key == "scores" else "  "}
    for said in (without, empty):
        with pytest.raises(ValidationError, match=key):
            Extrinsic.model_validate(said)


def test_scores_are_those_of_the_models_of_one_audit():
    """By subject, as an audit of them has them; none where it has none of the models."""
    two = {"org/a@main": {"value": 1.0}, "org/b": {"value": 2.0, "std_error": 0.5}}
    entry = Extrinsic.model_validate(GAP | {"scores": two})
    pair = entry.of({"reference": "org/a@main", "candidate": "org/b"})
    assert pair.model_dump(exclude_unset=True) == GAP | {
        "scores": {"reference": two["org/a@main"], "candidate": two["org/b"]}
    }
    # Another revision is another model.
    alone = entry.of({"reference": "org/a", "candidate": "org/b"})
    assert alone.scores.keys() == {"candidate"}
    assert entry.of({"candidate": "org/a"}) is None


def test_a_manifest_keeps_them_and_one_of_before_has_none():
    """What was written is read back as it was; no key is written where nothing was told."""
    raw = manifests.raw(extrinsic=[GAP])
    found = Manifest.model_validate(raw)
    assert found.as_json()["extrinsic"] == [GAP]
    assert Manifest.model_validate(found.as_json()) == found
    before = manifests.manifest()
    assert before.extrinsic == []
    assert "extrinsic" not in before.as_json()


def test_a_manifest_binds_them_and_its_key_does_not_know_them():
    """Another score is another record, of the same numbers."""
    found = [
        manifests.manifest(extrinsic=[GAP | {"scores": {"candidate": {"value": value}}}])
        for value in (1.0, 2.0)
    ]
    digests = [binding.bound(one, {}) for one in found]
    differing = {name for name in digests[0] if digests[0][name] != digests[1][name]}
    assert differing == {"extrinsic"}
    keys = {
        binding.key_of(one.models, one.probe_sets, one.method, one.settings, one.code)
        for one in found
    }
    assert len(keys) == 1


def test_a_manifest_has_scores_of_its_own_models_alone():
    """A reference that was not audited has none, and older formats have no such key."""
    other = GAP | {"scores": {"reference": {"value": 1.0}}}
    with pytest.raises(ValidationError, match="'gap in recall' has a score of 'reference'"):
        manifests.manifest(extrinsic=[other])
    with pytest.raises(ValidationError, match="extrinsic: is not a key of format 7"):
        Manifest.model_validate(manifests.raw(format=7) | {"extrinsic": [GAP]})

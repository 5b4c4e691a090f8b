"""What a record says of its words, counted from its table by hand."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from maskaudit.audit.claims.checking import from_record
from maskaudit.audit.recording.manifest import Competence
from maskaudit.audit.recording.record import Record, load_record

STORED = Path(__file__).resolve().parents[4] / "examples/versions/records/version-2"


@pytest.fixture(scope="module")
def stored() -> Record:
    """Give a record of a teacher and a student."""
    return load_record(STORED, ["estimates"])


@pytest.fixture(scope="module")
def counted() -> dict[str, Counter[str]]:
    """Give the fates of words by set, row by row of the file."""
    found: dict[str, Counter[str]] = {}
    for row in pq.read_table(STORED / "estimates.parquet").to_pylist():
        if row["estimator"] == "inheritance":
            found.setdefault(row["probe_set"], Counter())[row["outcome"]] += 1
    return found


def test_the_fates_of_words_are_those_of_the_table(
    stored: Record, counted: dict[str, Counter[str]]
) -> None:
    """Of each set that expects a lean; every word has one fate."""
    sets = {part.name: part for part in from_record.sets_of(stored)}
    assert counted
    for name, fates in counted.items():
        assert dict(sets[name].fates) == dict(fates)


def test_both_models_are_known_by_their_weights(stored: Record) -> None:
    """As the manifest names them; a record of one model has no reference."""
    candidate, reference = from_record.candidate_of(stored), from_record.reference_of(stored)
    models = stored.manifest.models
    assert reference is not None
    assert candidate.weights == models["candidate"].weights
    assert reference.weights == models["reference"].weights
    alone = stored.manifest.model_copy(update={"models": {"candidate": models["candidate"]}})
    assert from_record.reference_of(replace(stored, manifest=alone)) is None


def test_only_words_of_sets_that_expect_a_lean_can_be_inherited(stored: Record) -> None:
    """Those of a control that moved are no bias of a teacher."""
    sets = stored.manifest.probe_sets
    controls = {name: part.model_copy(update={"expect": "none"}) for name, part in sets.items()}
    manifest = stored.manifest.model_copy(update={"probe_sets": controls})
    assert any(part.fates for part in from_record.sets_of(stored))
    assert not any(part.fates for part in from_record.sets_of(replace(stored, manifest=manifest)))


@pytest.mark.parametrize("is_competent", [True, False, None])
def test_a_language_is_known_by_facts_that_are_known_in_it(
    stored: Record,
    is_competent: bool | None,  # noqa: FBT001
) -> None:
    """In sets of facts alone, and in one language: the record counts them together."""
    part = next(iter(stored.manifest.probe_sets.values()))
    counts = {"competent": is_competent, "right": 9, "of": 10, "majority": 1, "p": 0.01}
    competence = {"candidate": Competence.model_validate(counts)}

    def knows(**axis_of_language: str) -> dict[str, bool | None]:
        sets = {
            language: part.model_copy(update={"axis": axis, "language": language})
            for language, axis in axis_of_language.items()
        }
        update = {"probe_sets": sets, "competence": competence}
        manifest = stored.manifest.model_copy(update=update)
        found = from_record.sets_of(replace(stored, manifest=manifest))
        return {one.language: one.knows for one in found}

    assert knows(en="facts", de="gender") == {"en": is_competent, "de": None}
    assert knows(en="facts", de="facts") == {"en": None, "de": None}

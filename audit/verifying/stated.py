"""Whether what the manifest states of losses, facts and planted leans follows from the tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimate import Estimated
from maskaudit.audit.estimating.facts.competence import FACTS, competence
from maskaudit.audit.phantom.truth import truth_of
from maskaudit.audit.recording.record import MANIFEST, WITH_PLAIN_FACTS, Record
from maskaudit.audit.recording.rows.lost import lost
from maskaudit.audit.recording.rows.values import NOT_JOINED
from maskaudit.audit.verifying.check import Check, Difference, checked


def stated(record: Record, estimated: Estimated) -> Check:
    """Whether `lost`, `left_out`, `truth` and `competence` are those of the tables.

    Joins that were not made (`not_joined`) need the words of the models and are not counted again.
    """
    manifest = record.manifest
    weights = {name: model.weights for name, model in manifest.models.items()}
    # The bundled pair is exempt: its world has its own facts.
    planted = truth_of(weights, manifest.probe_sets)
    facts = {} if planted else competence(_asked_for_it(record), record.scores)
    pairs = {
        "lost": (
            [part.as_json() for part in manifest.lost if part.status != NOT_JOINED],
            [part.as_json() for part in lost(record.items, record.scores)],
        ),
        "left_out": ([part.as_json() for part in manifest.left_out], estimated.left_out),
        "truth": (
            manifest.truth and manifest.truth.model_dump(),
            planted and planted.model_dump(),
        ),
        "competence": (_plain(manifest.competence), _plain(facts)),
    }
    holds = "what record.json says of losses and facts follows from the tables"
    return checked("stated", _of_keys(pairs), holds)


def _asked_for_it(record: Record) -> pd.DataFrame:
    """The items by which competence is judged: up to format 7 those of every set of facts."""
    if record.manifest.format >= WITH_PLAIN_FACTS:
        return record.items
    return record.items.assign(axis=FACTS)


def _plain(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part.model_dump() for name, part in parts.items()}


def _of_keys(pairs: Mapping[str, tuple[Any, Any]]) -> Iterator[Difference]:
    for key, (said, found) in pairs.items():
        if said != found:
            text = "is not what the tables give"
            if isinstance(said, list) and isinstance(found, list):
                odd = [part for part in (*said, *found) if part not in said or part not in found]
                text += f": {odd[0]}" if odd else ", in their order"
            yield Difference(MANIFEST, None, key, text)

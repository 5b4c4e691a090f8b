"""What ties the parts of a record together: its key, and digests of its parts in the manifest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from maskaudit.audit.recording.manifest import Identity, Manifest, ProbeSet, Settings

# The tables that hold what was measured; estimates follow from them.
MEASURED = ("contexts", "items", "scores", "paired", "fills", "attributes")
# The first format that has the table `attributes`.
WITH_ATTRIBUTES = 8


def measured(format_: int) -> tuple[str, ...]:
    """The tables of what was measured, in a record of this format."""
    return MEASURED if format_ >= WITH_ATTRIBUTES else MEASURED[:-1]


def key_of(
    models: Mapping[str, Identity],
    probe_sets: Mapping[str, ProbeSet],
    method: Mapping[str, str],
    settings: Settings,
    code: str,
) -> str:
    """A digest of everything that determines a record's numbers: equal keys mean equal numbers.

    It covers the models (not their names), the probe sets and their items, the seed and the
    adjustment of p values, and `code`: the code that measures and estimates, and its libraries.
    """
    identities = {subject: identity.without_names() for subject, identity in models.items()}
    sets = {name: part.as_json() for name, part in probe_sets.items()}
    return _digest([identities, sets, dict(method), [settings.seed, settings.adjust], code])


def bound(manifest: Manifest, files: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of each file of what was measured, and of each key of the manifest but `bound`.

    `files` has the digests of the files by name. Written into the manifest, they bind who was
    scored, with what and how, to the scores: another record's manifest does not fit these tables.
    """
    keys = {name: _digest(part) for name, part in manifest.as_json().items() if name != "bound"}
    return {**files, **keys}


def _digest(value: Any) -> str:  # noqa: ANN401 - anything that JSON can hold
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

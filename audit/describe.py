"""What a record says of itself: who was audited, with what, how, and what was lost."""

import hashlib
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.competence import competence
from maskaudit.audit.estimating.estimate import Estimated
from maskaudit.audit.estimating.estimators.catalogue import ALL
from maskaudit.audit.measuring.models import MaskedLM, threads
from maskaudit.audit.phantom import truth
from maskaudit.audit.recording.record import FORMAT, number_of
from maskaudit.audit.settings import Settings
from maskaudit.probes.expand import Expanded
from maskaudit.probes.schema import ImportedSet, ProbeSet

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pandas", "pyarrow")
_KEY_LENGTH = 8
_DIGEST_SHOWN = 12
_EXAMPLES = 5
_TERMS = 40


def described(probe_set: ProbeSet, expanded: Expanded, seed: int) -> dict[str, Any]:
    """A probe set's own words, for its page, and its size; how its frames were drawn, if any."""
    return {
        **probe_set.header.model_dump(exclude={"name"}),
        "items_digest": expanded.digest,
        **_drawing(probe_set, seed),
        **_parts_of(probe_set, expanded.items),
        "sentences": len(expanded.contexts),
        "items": int(expanded.items["item"].nunique()),
    }


def lexicon_key(lexicon: frozenset[str] | None) -> dict[str, str]:
    """The part of a method key that says which hurtful words were counted; empty without any."""
    if lexicon is None:
        return {}
    digest = hashlib.sha256("\n".join(sorted(lexicon)).encode()).hexdigest()
    return {"lexicon": digest[:_DIGEST_SHOWN]}


def key_of(
    pair: Mapping[str, MaskedLM],
    described: Mapping[str, Any],
    method: Mapping[str, str],
    wanted: Settings,
) -> str:
    """A digest of all that decides the numbers of a record: a run with the same finds the same.

    It is of the models (not of their names), the probe sets and their items, the estimators, what
    is drawn and adjusted, and the versions of the software.
    """
    who = {subject: _who(model) for subject, model in pair.items()}
    how = [[part.name, part.definition, sorted(part.needs)] for part in ALL]
    settings = [wanted.run.seed, wanted.run.adjust]
    text = json.dumps(
        [who, described, how, dict(method), settings, _version("maskaudit")], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _who(model: MaskedLM) -> dict[str, Any]:
    said = asdict(model.identity)
    return {name: said[name] for name in said if name not in {"name", "revision", "files"}}


def name_of(contents: Mapping[str, Any]) -> str:
    """`<timestamp>-<short key>`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{contents['key'][:_KEY_LENGTH]}"


def next_number(found: Mapping[Path, Mapping[str, Any]]) -> int:
    """The number of the next record beside those that there are; larger than all of theirs."""
    return 1 + max([len(found), *(number_of(said) for said in found.values())])


def notes_on_time(found: Mapping[Path, Mapping[str, Any]]) -> list[str]:
    """A sentence where the clock stands before the time of a record that is there already."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    times = {path.name: str(said.get("created", "")) for path, said in found.items()}
    newest = max(times, key=lambda name: times[name], default="")
    if not newest or times[newest] <= now:
        return []
    told = (
        f"The clock stood at {now} when this audit was made, and {newest} was there already with "
        f"the time {times[newest]}: one of the two is wrong. The numbers of records keep the order "
        "in which they were made."
    )
    return [told]


def manifest(  # noqa: PLR0913, PLR0917 - a manifest is where everything meets
    pair: Mapping[str, MaskedLM],
    probe_sets: Mapping[str, Mapping[str, Any]],
    items: pd.DataFrame,
    scores: pd.DataFrame,
    estimated: Estimated,
    wanted: Settings,
    method: Mapping[str, str],
    started: float,
    place: Mapping[str, Any],
) -> dict[str, Any]:
    """The record's `record.json` as plain JSON values; no path, user or host of this machine.

    `place` is its key and number and the notes on how it was made.
    """
    models = {subject: asdict(model.identity) for subject, model in pair.items()}
    planted = truth.truth_of({subject: part["weights"] for subject, part in models.items()})
    return {
        "format": FORMAT,
        **place,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "maskaudit": _version("maskaudit"),
        "models": models,
        "method": dict(method),
        "provenance": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "threads": threads(),
            "seconds": round(time.perf_counter() - started, 1),
            "packages": {name: _version(name) for name in PACKAGES},
        },
        "settings": {"seed": wanted.run.seed, "adjust": wanted.run.adjust},
        "probe_sets": dict(probe_sets),
        "lost": lost(items, scores),
        "left_out": estimated.left_out,
        "not_measured": _not_measured(models),
        "truth": planted,
        # The phantom's world has its own facts: it is exempt by its digest.
        "competence": {} if planted else competence(items, scores),
    }


def lost(items: pd.DataFrame, scores: pd.DataFrame) -> list[dict[str, Any]]:
    """What could not be scored, counted by probe set, model, group and reason, with examples."""
    failed = scores[scores["status"] != "ok"][["item", "model", "status"]]
    rows = items.merge(failed, on="item").drop_duplicates(["probe_set", "model", "item", "group"])
    by = ["probe_set", "model", "group", "status"]
    return [
        {
            **dict(zip(by, key, strict=True)),
            "items": len(part),
            "examples": sorted(part["target"].unique())[:_EXAMPLES],
        }
        for key, part in rows.groupby(by, sort=False)
    ]


def _drawing(probe_set: ProbeSet, seed: int) -> dict[str, Any]:
    """The universe that frames were drawn from, how many of how many, and by which seed."""
    if probe_set.grammar is None:
        return {}
    return {
        "grammar": {
            "universe": probe_set.universe,
            "seed": seed,
            "frames": probe_set.grammar.frames,
            "sentences": probe_set.grammar.sentences,
        }
    }


def _parts_of(probe_set: ProbeSet, items: pd.DataFrame) -> dict[str, Any]:
    """Groups, classes and frames: of a set of ours with its labels, of an import from its rows."""
    if not isinstance(probe_set, ImportedSet):
        return {
            "groups": {
                name: {"label": group.label or name, "terms": [term.text for term in group.terms]}
                for name, group in probe_set.groups.items()
            },
            "classes": {
                name: {"label": part.label or name, "attributes": len(part.attributes)}
                for name, part in probe_set.classes.items()
            },
            "group_at_mask": probe_set.group_at_mask if probe_set.frames else None,
            "frames": len(probe_set.frames) or len(probe_set.facts),
        }
    named = {column: items[items[column] != ""] for column in ("group", "class")}
    return {
        "groups": {
            str(name): {"label": str(name), "terms": sorted(own["term"].unique())[:_TERMS]}
            for name, own in named["group"].groupby("group", sort=False)
        },
        "classes": {
            str(name): {"label": str(name), "attributes": int(own["attribute"].nunique())}
            for name, own in named["class"].groupby("class", sort=False)
        },
        "group_at_mask": probe_set.group_at_mask,
        "frames": int(items["frame"].nunique()),
        "notes": probe_set.notes,
        "unusable": probe_set.unusable,
    }


def _not_measured(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What these models do not allow to be measured."""
    if len(models) == 1:
        return ["One model was audited alone: nothing was compared."]
    if len({(i["tokenizer"], i["vocabulary_size"]) for i in models.values()}) > 1:
        told = (
            "The two models have different tokenizers or vocabularies: the distance between their "
            "distributions (KL, Jensen-Shannon) and the agreement of their fills need one "
            "vocabulary and are left out."
        )
        return [told]
    return []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

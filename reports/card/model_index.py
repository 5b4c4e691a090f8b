"""The numbers of an audit as an entry of `model-index`, as the metadata of a card lists results."""

import math
from collections.abc import Iterator
from typing import Any

from maskaudit.audit.estimating.registry.names import ACCURACY, CONTRAST, FOUND, SHARE_RIGHT
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.effects import CANDIDATE, DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.contrasts.standings import standing
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts
from maskaudit.reports.sections.units import preferences as preferring
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.words import verdicts, wording

# What the name of our entry ends in, whatever the model is called.
OURS = " (audited by maskaudit)"
_DIGITS = 4
_RIGHT = {
    ACCURACY: "Facts filled with a right answer, share",
    FOUND: "Masked answers that are the likeliest filling, share",
}


def entry(record: Record) -> dict[str, Any]:
    """Our entry, with each number that a test was made of, its interval and what it shows.

    Controls, and what could not be tested, are nothing that a list of results may rank. The
    difference from the reference stands beside the number of the candidate, never alone.
    """
    from huggingface_hub.repocard_data import EvalResult, eval_results_to_model_index

    names = names_of(record.manifest)
    results = [
        EvalResult(task_type="fill-mask", task_name="Fill-Mask", **found)
        for found in _results(record, names)
    ]
    [made] = eval_results_to_model_index(f"{names.candidate}{OURS}", results)
    return dict(made)


def _results(record: Record, names: Names) -> Iterator[dict[str, Any]]:
    manifest, estimates = record.manifest, Effects.of(record.estimates)
    parts = manifest.probe_sets
    for contrast in contrasts(parts, estimates, names, manifest.settings.adjust):
        if contrast.standing in {"shown", "not shown"}:
            yield from _of_contrast(contrast, parts[contrast.probe_set], names)
    for preference in preferring.of_groups(preferring.preferences(manifest, estimates, names)):
        yield from _of_preference(preference, parts[preference.probe_set], names)
    for name, part in parts.items():
        right = SHARE_RIGHT.get(part.kind, "")
        effects = estimates.of_set(name).at(right, ALL, names.subjects)
        if CANDIDATE in effects:
            yield {
                **_data(name, part),
                "metric_type": "accuracy",
                "metric_name": _RIGHT[right],
                **_number(effects[CANDIDATE]),
            }


def _of_contrast(contrast: Contrast, part: ProbeSet, names: Names) -> Iterator[dict[str, Any]]:
    data = _data(contrast.probe_set, part, "-".join(contrast.between))
    title = "Stereotype contrast, nats"
    # Of one model alone both are the same, and it is told once.
    for view in dict.fromkeys((CANDIDATE, contrast.subject)):
        is_alone = view == CANDIDATE
        shown = standing(contrast.alone if is_alone else contrast)
        yield {
            **data,
            "metric_type": CONTRAST if is_alone else f"{CONTRAST}_{DIFFERENCE}",
            "metric_name": f"{title} (0: no lean)"
            if is_alone
            else f"{title}, less that of {names.reference} (0: no difference)",
            **_number(contrast.subjects[view], shown.words),
        }


def _of_preference(
    preference: Preference, part: ProbeSet, names: Names
) -> Iterator[dict[str, Any]]:
    data = _data(preference.probe_set, part)
    candidate = preference.subjects[CANDIDATE]
    title = "Stereotyping side preferred, %"
    yield {
        **data,
        "metric_type": preference.estimator,
        "metric_name": f"{title} ({candidate.null_value:g}: even)",
        **_number(candidate),
    }
    if difference := preference.subjects.get(DIFFERENCE):
        yield {
            **data,
            "metric_type": f"{preference.estimator}_{DIFFERENCE}",
            "metric_name": f"{title}, less that of {names.reference}, points",
            **_number(difference, preferring.standing(preference)),
        }


def _data(name: str, part: ProbeSet, config: str = "") -> dict[str, Any]:
    """What a number is of: a probe set with its version, and two of its groups if it has more."""
    return {
        "dataset_type": verdicts.name(name),
        "dataset_name": wording.visible(part.title),
        "dataset_revision": verdicts.name(part.version),
        **({"dataset_config": verdicts.name(config)} if config else {}),
    }


def _number(effect: Effect, shown: str = "") -> dict[str, Any]:
    """A number with the limits of its 95 % interval, where it has one."""
    limits = {"low": effect.low, "high": effect.high}
    return {
        "metric_value": round(effect.estimate, _DIGITS),
        "metric_args": {
            **({"shows": shown.removeprefix("shown: ")} if shown else {}),
            **{k: round(v, _DIGITS) for k, v in limits.items() if not math.isnan(v)},
        },
    }

"""Acceptance test: whether the stored pair shows what was planted in it."""

import multiprocessing
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.phantom.truth import ACCEPTED, Recovered, recovered
from maskaudit.audit.proving.phantom.fitting import use_one_thread
from maskaudit.audit.proving.phantom.leans import SEED
from maskaudit.audit.proving.phantom.reading import scores
from maskaudit.audit.proving.phantom.world import World
from maskaudit.audit.recording.manifest import PlantedSet, Truth
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped

# Sets that are tested at once, a core for each; the items of all sets at once take gigabytes.
AT_ONCE = 2
_SUBJECTS: Mapping[str, Literal["teacher", "student"]] = {
    "reference": "teacher",
    "candidate": "student",
}


def tested(world: World, folder: Path) -> tuple[Truth, list[str]]:
    """Test the stored weights in `folder`; return the truth to store and the faults found.

    The weights are acceptable where there are no faults.
    """
    subjects = dict(_SUBJECTS)
    weights: dict[str, str] = {
        subjects[of]: model.identity.weights for of, model in _models(folder).items()
    }
    truth = Truth(
        seed=SEED,
        weights=weights,
        facts=world.facts,
        sets={name: _planted(name, world) for name in world.planted},
        subjects=subjects,
    )
    acceptance: dict[str, Any] = {"log_kappa": {}}
    faults = []
    # Torch is running in this process, and a fork of it may wait for its threads for ever.
    context = multiprocessing.get_context("spawn")
    sizes = Counter(sentence.probe_set for sentence in world.sentences)
    with ProcessPoolExecutor(AT_ONCE, context, use_one_thread) as pool:
        # The largest first: begun last, it would be waited for by one process alone.
        tests = {
            name: pool.submit(_recovered, folder, truth.model_copy(update={"sets": {name: part}}))
            for name, part in sorted(truth.sets.items(), key=lambda own: -sizes[own[0]])
        }
        for name, part in truth.sets.items():
            found, log_kappa = tests[name].result()
            for recovery in found:
                label, numbers, refused = _judged(recovery, part, truth.subjects[recovery.subject])
                acceptance[label] = numbers
                faults += refused
                print(label, numbers, flush=True)
            for value in log_kappa.values():
                acceptance["log_kappa"][name] = value
                error = value - float(np.log(part.kappa))
                print(f"{name}: log kappa {value:.4f}, error {error:+.4f}", flush=True)
                if abs(error) > ACCEPTED["log_kappa"]:
                    faults.append(f"{name}: log kappa {value:.4f}")
    # Which subject is which model is a matter of each audit.
    return truth.model_copy(update={"acceptance": acceptance, "subjects": {}}), faults


def _models(folder: Path) -> dict[str, LoadedModel]:
    return {subject: load_model(folder / name) for subject, name in _SUBJECTS.items()}


# In each process of a test: loading them for every set would take some seconds.
_models_once = cache(_models)


def _recovered(folder: Path, truth: Truth) -> tuple[list[Recovered], dict[str, float]]:
    """What the stored models say of the one set of a truth, in a process of its own."""
    [name] = truth.sets
    expanded = expand(load(shipped()[name]))
    return recovered(truth, expanded.items, scores(expanded, _models_once(folder)))


def _planted(name: str, world: World) -> PlantedSet:
    header = load(shipped()[name]).header
    second, *others = world.planted[name]
    further = {group: world.planted[name][group] for group in others}
    return PlantedSet(
        items=world.digests[name],
        kappa=world.kappa[name],
        contrast=header.contrast or [],
        expect=header.expect,
        unseen=world.unseen[name],
        planted=world.planted[name][second],
        # Of two groups alone there is no key, as there was none before sets of more were planted.
        **({"others": further} if further else {}),
    )


def _judged(
    recovery: Recovered, planted: PlantedSet, model_name: str
) -> tuple[str, dict[str, float | list[float]], list[str]]:
    """The label of what was recovered, its numbers, and what is not acceptable of them."""
    between = f" {' and '.join(recovery.groups)}" if planted.others else ""
    label = f"{recovery.probe_set}{between} {model_name}"
    numbers: dict[str, float | list[float]] = {}
    faults = []
    # Nothing is planted in a control, so there is no slope. Its contrast must be shown to be small,
    # which is a test of equivalence: the 90 % interval lies within the margin.
    small = {"controls_90": recovery.controls}
    if planted.expect == "none":
        small["contrast_90"] = recovery.contrast
    else:
        slope, r = recovery.slope, recovery.r
        contrast = [recovery.contrast.low, recovery.contrast.high]
        numbers |= {"slope": slope, "r": r, "unseen_slope": recovery.unseen_slope}
        numbers["contrast"] = contrast
        if abs(slope - 1) > ACCEPTED[model_name] or r < ACCEPTED["r"]:
            faults.append(f"{label}: slope {slope:.4f}, r {r:.4f}")
    for name, interval in small.items():
        if interval is not None:
            numbers[name] = [interval.low, interval.high]
            if max(-interval.low, interval.high) > ACCEPTED["control"]:
                faults.append(f"{label}: {name} {interval.low:.3f} to {interval.high:.3f}")
    return label, numbers, faults

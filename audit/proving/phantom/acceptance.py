"""Acceptance test: whether the stored pair shows what was planted in it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.measuring.scoring import score
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.phantom.truth import ACCEPTED
from maskaudit.audit.proving.phantom.world import SEED, SETS, World
from maskaudit.audit.recording.manifest import PlantedSet, Truth
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped


def tested(world: World, folder: Path) -> tuple[Truth, list[str]]:
    """Test the stored weights in `folder`; return the truth to store and the faults found.

    The weights are acceptable where there are no faults.
    """
    pair = [load_model(str(folder / name)) for name in ("teacher", "student")]
    paths = shipped()
    sets = {name: load(paths[name]) for name in SETS}
    truth = Truth(
        seed=SEED,
        weights={
            "teacher": pair[0].identity.weights,
            "student": pair[1].identity.weights,
        },
        facts=world.facts,
        sets={
            name: PlantedSet(
                items=world.digests[name],
                kappa=world.kappa[name],
                contrast=sets[name].header.contrast or [],
                expect=sets[name].header.expect,
                unseen=world.unseen[name],
                planted=world.planted[name],
            )
            for name in world.planted
        },
    )
    expanded = {name: expand(probe_set) for name, probe_set in sets.items()}
    scores = pd.concat([score(part, pair).scores for part in expanded.values()])
    items = pd.concat([part.items for part in expanded.values()])
    # An item that occurs in two sets is scored in each, but its cell needs one score.
    acceptance, faults = _acceptance(truth, items, scores.drop_duplicates())
    return truth.model_copy(update={"acceptance": acceptance}), faults


def _acceptance(
    truth: Truth, items: pd.DataFrame, scores: pd.DataFrame
) -> tuple[dict[str, Any], list[str]]:
    subjects = {"reference": "teacher", "candidate": "student"}
    recovered, log_kappa = phantom_truth.recovered(
        truth.model_copy(update={"subjects": subjects}), items, scores
    )
    faults, acceptance = [], {}
    for recovery in recovered:
        model_name = subjects[recovery.subject]
        label = f"{recovery.probe_set} {model_name}"
        contrast = recovery.contrast
        acceptance[label] = {
            "slope": recovery.slope,
            "r": recovery.r,
            "unseen_slope": recovery.unseen_slope,
            "contrast": [contrast.low, contrast.high],
        }
        # Nothing is planted in a control, so there is no slope. Its contrast must be shown to be
        # small, which is a test of equivalence: the 90 % interval lies within the margin.
        if truth.sets[recovery.probe_set].expect == "none":
            acceptance[label] = {"contrast_90": [contrast.low, contrast.high]}
            if max(-contrast.low, contrast.high) > ACCEPTED["control"]:
                faults.append(f"{label}: contrast {contrast.low:.3f} to {contrast.high:.3f}")
        elif abs(recovery.slope - 1) > ACCEPTED[model_name] or recovery.r < ACCEPTED["r"]:
            faults.append(f"{label}: slope {recovery.slope:.4f}, r {recovery.r:.4f}")
        print(label, acceptance[label], flush=True)
    for name, value in log_kappa.items():
        error = value - float(np.log(truth.sets[name].kappa))
        acceptance.setdefault("log_kappa", {})[name] = value
        print(f"{name}: log kappa {value:.4f}, error {error:+.4f}", flush=True)
        if abs(error) > ACCEPTED["log_kappa"]:
            faults.append(f"{name}: log kappa {value:.4f}")
    return acceptance, faults

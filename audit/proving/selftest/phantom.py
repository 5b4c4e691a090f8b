"""Check that the audit recovers what training planted in the bundled pair."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.crossed.cells import matrices, with_scores
from maskaudit.audit.estimating.crossed.factors import of_groups_crossed
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.statistics import ustatistics
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.phantom.truth import ACCEPTED, Recovered
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest.check import near
from maskaudit.audit.recording.manifest import PlantedSet, Truth
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.bundles import bundles
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ProbeSet

# Tolerance around 1 of the student's slope on its teacher, divided by kappa.
WITHIN = 0.03
# Frames of each style that the full self-test reads of a set that is not in core.
OF_A_STYLE = 2
# Tolerance around what was planted of an effect of crossed factors, nats.
EFFECT_WITHIN = 0.05


def checks(progress: Progress, *, full: bool = False) -> Iterator[Check]:
    """Check that weights and items are the known ones and that planted leans are recovered.

    That is of the sets that are audited where none is named; `full` is of every planted set, the
    others in some frames of each style, and also checks the student's slope on its teacher.
    """
    subjects = {"reference": "teacher", "candidate": "student"}
    truth = phantom_truth.load().model_copy(update={"subjects": subjects})
    pair = [load_model(str(phantom_truth.TEACHER)), load_model(str(phantom_truth.STUDENT))]
    for model, model_name in zip(pair, ("teacher", "student"), strict=True):
        same = model.identity.weights == truth.weights[model_name]
        shown = model.identity.weights[:12]
        yield Check(f"{model_name}: weights", same, shown, truth.weights[model_name][:12])
    in_core = bundles()["core"]
    paths = shipped()
    # Set by set: the items of all at once take gigabytes.
    for name, planted_set in truth.sets.items():
        if not full and name not in in_core:
            continue
        probe_set = load(paths[name])
        if name in in_core:
            part = expand(probe_set)
            digest = planted_set.items
            yield Check(f"{name}: items", part.digest == digest, part.digest[:12], digest[:12])
        else:
            part = expand(_few_frames(probe_set, planted_set))
        scores = scoring.score_all([part], pair, progress).scores
        own = truth.model_copy(update={"sets": {name: planted_set}})
        yield from _of_set(own, part.items, scores)
        if full and planted_set.expect != "none":
            yield _inherited(name, planted_set, part.items, scores)
        if full:
            yield from _effects(own, probe_set, part.items, scores)


def _few_frames(probe_set: ProbeSet, planted: PlantedSet) -> ProbeSet:
    """The first frames of each style that were in the text, without variants and controls.

    A set of names has hundreds of thousands of items, of which no more are needed to see that its
    planted leans are read.
    """
    by_style = defaultdict(list)
    for frame in probe_set.frames:
        if frame.id not in planted.unseen:
            by_style[frame.style].append(frame.model_copy(update={"variants": []}))
    frames = [frame for own in by_style.values() for frame in own[:OF_A_STYLE]]
    return probe_set.model_copy(update={"frames": frames, "controls": None})


def _of_set(truth: Truth, items: pd.DataFrame, scores: pd.DataFrame) -> Iterator[Check]:
    """Check what is recovered of the one set of a truth."""
    recovered, log_kappa = phantom_truth.recovered(truth, items, scores)
    for recovery in recovered:
        model_name, planted_set = truth.subjects[recovery.subject], truth.sets[recovery.probe_set]
        yield _recovery(recovery, model_name, planted_set)
        if recovery.controls is not None:
            label = _label(recovery, planted_set)
            yield _small(f"{label}: {model_name}, controls", recovery.controls)
    for name, value in log_kappa.items():
        planted = float(np.log(truth.sets[name].kappa))
        yield near(f"{name}: log kappa", value, planted, ACCEPTED["log_kappa"])


def _recovery(recovery: Recovered, model_name: str, planted: PlantedSet) -> Check:
    label = _label(recovery, planted)
    if planted.expect == "none":
        return _small(f"{label}: {model_name}, no lean", recovery.contrast)
    passed = abs(recovery.slope - 1) <= ACCEPTED[model_name] and recovery.r >= ACCEPTED["r"]
    found = f"slope {recovery.slope:.4f}, r {recovery.r:.4f}"
    if not np.isnan(recovery.unseen_slope):
        found += f"; {recovery.unseen_slope:.2f} on other frames"
    expected = f"slope 1 within {ACCEPTED[model_name]}, r at least {ACCEPTED['r']}"
    return Check(f"{label}: {model_name}, planted lean", passed, found, expected)


def _label(recovery: Recovered, planted: PlantedSet) -> str:
    """The set, and of more than two groups which two."""
    between = f" ({' and '.join(recovery.groups)})" if planted.others else ""
    return f"{recovery.probe_set}{between}"


def _small(name: str, interval: Interval) -> Check:
    """Whether a contrast of what was not planted is near zero."""
    limit = ACCEPTED["control"]
    inside = -limit <= interval.low and interval.high <= limit
    found = f"90 % interval {interval.low:.3f} to {interval.high:.3f}"
    return Check(name, inside, found, f"inside ±{limit}")


def _inherited(name: str, planted: PlantedSet, items: pd.DataFrame, scores: pd.DataFrame) -> Check:
    """Check the student's slope on its teacher over kappa, on the frames seen in training."""
    # On frames kept out of training, the slope would show how the pair generalises instead.
    seen = items[(items["probe_set"] == name) & ~items["frame"].isin(planted.unseen)]
    first, second, *_ = dict.fromkeys(seen["group"])
    by_model, _ = matrices(seen, scores, LOG_ODDS, first, second)
    teacher, student = (by_model[subject].probes.cells for subject in ("reference", "candidate"))
    relative_slope = ustatistics.slope(teacher, student).estimate / planted.kappa
    return near(f"{name}: student on teacher, slope over kappa", relative_slope, 1.0, WITHIN)


def _effects(
    truth: Truth, probe_set: ProbeSet, items: pd.DataFrame, scores: pd.DataFrame
) -> Iterator[Check]:
    """Check the effects of the factors that groups are crossed by, where there are any."""
    [(name, planted)] = truth.sets.items()
    _, second, *_ = dict.fromkeys(items["group"])
    classes = [
        [attribute.text for attribute in probe_set.classes[class_].attributes]
        for class_ in planted.contrast
    ]
    # Of the first group against each; that of the first itself is 0.
    contrasts = {
        group: _mean(values, classes[0]) - _mean(values, classes[1])
        for group, values in {second: planted.planted, **planted.others}.items()
    }
    contrast = (planted.contrast[0], planted.contrast[1])
    design = Design(
        name, probe_set.header.axis, contrast, planted.expect, {}, factors=probe_set.factors
    )
    seen = items[~items["frame"].isin(planted.unseen)]
    groups = seen["group"].unique().tolist()
    for subject, effect, number in of_groups_crossed(with_scores(seen, scores), groups, design):
        if subject in truth.subjects:
            model_name = truth.subjects[subject]
            expected = -sum(effect.weights[group] * value for group, value in contrasts.items())
            expected *= planted.kappa if model_name == "student" else 1.0
            found = number.interval.estimate
            yield near(f"{name}: {model_name}, {effect.name}", found, expected, EFFECT_WITHIN)


def _mean(values: Mapping[str, float], words: Sequence[str]) -> float:
    return float(np.mean([values[word] for word in words]))

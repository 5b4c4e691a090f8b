"""Shares of facts that a model has right, by kind, and the paired differences of two models."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.crossed.cells import CANDIDATE, DIFFERENCE, REFERENCE
from maskaudit.audit.estimating.crossed.one_subject import LEAST_FRAMES
from maskaudit.audit.estimating.estimators import per_unit
from maskaudit.audit.estimating.facts.sentences import sentences
from maskaudit.audit.estimating.registry.names import CORRECTED
from maskaudit.audit.estimating.statistics import clusters, proportions
from maskaudit.audit.estimating.statistics.crossed import anova
from maskaudit.audit.estimating.statistics.interval import Interval, point
from maskaudit.audit.recording.rows.slices import ALL, Slice, of_part
from maskaudit.audit.recording.rows.values import Flag


def shares(
    hits: pd.DataFrame, estimator: str, chances: pd.Series | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `estimates` on a share, of all facts and of each kind.

    `hits` has a column for each model and a row for each fact, with the levels `class` (the kind),
    `frame` and `cluster`. `chances` has, of the same facts, what a choice by lot has right.
    """
    for slice_, part in _slices(hits):
        relations = part.index.get_level_values("class").nunique()
        chance = np.nan if chances is None else float(chances.loc[part.index].mean())
        for subject, interval, flag in _of_subjects(part, chance):
            yield {
                **vars(interval),
                "slice": str(slice_),
                "estimator": estimator,
                "subject": subject,
                "scope": "S1",
                "mode": CORRECTED,
                # These two columns are named for crossed sets: here they count relations and facts.
                "n_attributes": relations,
                "n_frames": len(part),
                "flag": flag,
            }


def _slices(hits: pd.DataFrame) -> Iterator[tuple[Slice, pd.DataFrame]]:
    if hits.empty:
        return
    yield ALL, hits
    for relation, part in hits.groupby(level="class", sort=False):
        yield of_part("cloze", str(relation)), part


def _of_subjects(hits: pd.DataFrame, chance: float) -> Iterator[tuple[str, Interval, Flag]]:
    """Yield each model's share with Wilson's interval, and the difference with McNemar's exact p.

    The interval of the paired difference is Student's t over facts. The masks of one sentence are a
    cluster, and so are the sentences of one fact: Wilson's n is the effective one, the interval a
    jackknife over clusters, and p has a cluster once. A share is held against `chance`, if that is
    known.
    """
    labels = sentences(*(hits.index.get_level_values(name) for name in ("frame", "cluster")))
    for model in hits.columns:
        own = hits[model].to_numpy(dtype=bool)
        share = proportions.wilson_of_clusters(own, labels)
        if not np.isnan(chance):
            p = proportions.exact_of_clusters(own, labels, chance)
            share = replace(share, p=p, null_value=chance)
        yield str(model), share, ""
    if len(hits.columns) > 1 and len(hits) > 1:
        reference, candidate = (
            hits[model].to_numpy(dtype=bool) for model in (REFERENCE, CANDIDATE)
        )
        paired = _paired_difference(candidate.astype(float) - reference, labels)
        # Zero variance is real only if the models agree on every fact; else it is an artefact of
        # facts that all changed in the same way.
        agree = (reference == candidate).all()
        flag: Flag = "nothing_varied" if paired.std_error == 0 and not agree else ""
        flag = "too_few_frames" if len(set(labels)) < LEAST_FRAMES else flag
        interval = point(paired.estimate) if flag else paired
        # Paired hits differ by -1, 0 or 1, far from normal, so p comes from the exact test.
        p = proportions.mcnemar(reference, candidate, labels)
        yield DIFFERENCE, replace(interval, p=p), flag


def _paired_difference(difference: NDArray[np.float64], labels: NDArray[np.str_]) -> Interval:
    if len(set(labels.tolist())) == len(difference):
        return anova.frame_interval(difference, null_value=0.0)
    by_sentence = pd.DataFrame({"change": difference, "n": 1.0}).groupby(labels).sum()
    return clusters.jackknife(by_sentence.to_numpy(dtype=float), per_unit, null_value=0.0)

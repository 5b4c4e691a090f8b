"""Shares of facts filled correctly, by model and as a paired difference."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE, REFERENCE
from maskaudit.audit.estimating.crossed import LEAST_FRAMES
from maskaudit.audit.estimating.estimators import per_unit
from maskaudit.audit.estimating.estimators.answer_ranks import answer_ranks
from maskaudit.audit.estimating.facts.drops import drops
from maskaudit.audit.estimating.facts.sentences import sentences
from maskaudit.audit.estimating.registry.names import ACCURACY, CORRECTED, NEGATED
from maskaudit.audit.estimating.statistics import anova, clusters, proportions
from maskaudit.audit.estimating.statistics.interval import Interval, point
from maskaudit.audit.recording.slices import ALL, Slice, of_part
from maskaudit.audit.recording.values import Flag


def cloze(
    items: pd.DataFrame, scores: pd.DataFrame, plain: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows of `estimates` on first fills, and the facts left out (relation and frame).

    A fact counts only if every model could read one of its answers. It is a hit where an answer is
    the likeliest filling of as many masks as it has pieces. `plain` are the relations that the
    others are held against.
    """
    keys = ["label", "class", "frame", "cluster"]
    answers = items.merge(answer_ranks(scores), on="item")
    facts = answers.groupby([*keys, "model"], sort=False)["rank"].agg(
        hit=lambda rank: bool((rank == 1).any()), scored=lambda rank: bool(rank.notna().any())
    )
    # Every fact of the set, also one of which no model has a row.
    asked = pd.MultiIndex.from_frame(items[keys].drop_duplicates())
    models = scores["model"].unique()
    hit, read = (
        facts[name].unstack("model", fill_value=False).reindex(asked, columns=models).eq(other=True)
        for name in ("hit", "scored")
    )
    scored = read.all(axis=1)
    hits = hit[scored]
    left_out = [
        {"attribute": str(relation), "frame": str(frame)}
        for _, relation, frame, _ in scored.index[~scored]
    ]
    rows: list[dict[str, Any]] = []
    for label, estimator in (("right", ACCURACY), ("changed", NEGATED)):
        label_hits = hits[[item == label for item in hits.index.get_level_values("label")]]
        for slice_, part in _slices(label_hits):
            relations = part.index.get_level_values("class").nunique()
            rows += [
                {
                    **vars(interval),
                    "slice": str(slice_),
                    "estimator": estimator,
                    "subject": subject,
                    "scope": "S1",
                    "mode": CORRECTED,
                    # These two columns are named for crossed sets: here they count relations and
                    # facts.
                    "n_attributes": relations,
                    "n_frames": len(part),
                    "flag": flag,
                }
                for subject, interval, flag in _shares(part)
            ]
    is_right = hits.index.get_level_values("label") == "right"
    return [*rows, *drops(hits[is_right], plain)], left_out


def _slices(hits: pd.DataFrame) -> Iterator[tuple[Slice, pd.DataFrame]]:
    if hits.empty:
        return
    yield ALL, hits
    for relation, part in hits.groupby(level="class", sort=False):
        yield of_part("cloze", str(relation)), part


def _shares(hits: pd.DataFrame) -> Iterator[tuple[str, Interval, Flag]]:
    """Yield each model's share with Wilson's interval, and the difference with McNemar's exact p.

    The interval of the paired difference is Student's t over facts. The masks of one sentence are a
    cluster, and so are the sentences of one fact: Wilson's n is the effective one, the interval a
    jackknife over clusters, and p has a cluster once.
    """
    labels = sentences(*(hits.index.get_level_values(name) for name in ("frame", "cluster")))
    for model in hits.columns:
        share = proportions.wilson_of_clusters(hits[model].to_numpy(dtype=bool), labels)
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
    by_sentence = pd.DataFrame({"change": difference, "n": 1.0}).groupby(labels).sum()
    if len(by_sentence) == len(difference):
        return anova.frame_interval(difference, null_value=0.0)
    return clusters.jackknife(by_sentence.to_numpy(dtype=float), per_unit, null_value=0.0)

"""What each kind of sentence costs a model: its share of facts filled right, less than plain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import lcm
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaudit.audit.estimating.cells import CANDIDATE, DIFFERENCE, REFERENCE
from maskaudit.audit.estimating.crossed import LEAST_FRAMES
from maskaudit.audit.estimating.registry.names import CORRECTED
from maskaudit.audit.estimating.statistics import anova, proportions
from maskaudit.audit.estimating.statistics.interval import Interval, point
from maskaudit.audit.recording.slices import of_relation
from maskaudit.audit.recording.values import Flag

_TWO = 2


def drops(hits: pd.DataFrame, plain: Sequence[str], estimator: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of every kind but the plain ones, with `plain`: the kind it is held against.

    `hits` has a column for each model and a row for each fact, with the levels `class` (the kind)
    and `cluster` (the fact, whichever kind asks for it). A kind is held against the plain kind that
    it shares facts with, on these facts alone. Facts are what is sampled: Student's t over them,
    and an exact test, which is McNemar's where each kind asks for a fact once.
    """
    asked = hits[hits.index.get_level_values("cluster") != ""]
    kinds = list(dict.fromkeys(asked.index.get_level_values("class")))
    for kind in (name for name in kinds if name not in plain):
        for against in plain:
            changes, scale = _changes(asked, against, kind)
            if len(changes) < _TWO:
                continue
            for subject, values in _by_subject(changes):
                interval, flag = _interval(values, scale, subject)
                yield {
                    **vars(interval),
                    "slice": str(of_relation(str(kind))),
                    "estimator": estimator,
                    "subject": subject,
                    "scope": "S1",
                    "mode": CORRECTED,
                    # These two columns are named for crossed sets: here they count kinds and facts.
                    "n_attributes": _TWO,
                    "n_frames": len(values),
                    "flag": flag,
                    "plain": against,
                }


def _changes(hits: pd.DataFrame, plain: str, kind: str) -> tuple[pd.DataFrame, int]:
    """By fact and model, the share right in the plain kind less that in the other, times a scale.

    The scale makes whole numbers of all shares, so that nothing is lost to rounding.
    """
    in_kinds = (hits.xs(name, level="class").groupby("cluster") for name in (plain, kind))
    (first, n_first), (second, n_second) = ((own.sum(), own.size()) for own in in_kinds)
    shared = first.index.intersection(second.index).sort_values()
    scale = lcm(*n_first[shared].tolist(), *n_second[shared].tolist())
    parts = ((first, n_first), (second, n_second))
    shares = [
        right.loc[shared].to_numpy() * (scale // n[shared].to_numpy())[:, None]
        for right, n in parts
    ]
    return pd.DataFrame(shares[0] - shares[1], columns=hits.columns), scale


def _by_subject(changes: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.int_]]]:
    by_model = {str(model): changes[model].to_numpy(dtype=int) for model in changes}
    yield from by_model.items()
    if len(by_model) > 1:
        yield DIFFERENCE, by_model[CANDIDATE] - by_model[REFERENCE]


def _interval(changes: NDArray[np.int_], scale: int, subject: str) -> tuple[Interval, Flag]:
    mean = anova.frame_interval(changes / scale, null_value=0.0)
    # That no fact of a sample changed shows no drop of exactly 0; but of two models that lose the
    # same facts, as a model and its copy do, the difference is.
    is_same = subject == DIFFERENCE and not changes.any()
    flag: Flag = "nothing_varied" if mean.std_error == 0 and not is_same else ""
    flag = "too_few_frames" if len(changes) < LEAST_FRAMES else flag
    shown = point(mean.estimate) if flag else mean
    p = proportions.sign_flips(changes)
    return replace(shown, p=p, null_value=0.0), flag

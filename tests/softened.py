"""Students made from a teacher's scores by arithmetic: each set's log-odds times a factor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables
from tests import manifests
from tests.estimate_oracles import MANY, ONE_TERM, items_of
from tests.reports import records

TESTED = "one"
# How much of a cell's log-odds stands in the log p of a group.
SIDES = {"women": 0.5, "men": -0.5}
BENIGN = ("sea", "weather")
FRAMES = 14


def students(  # noqa: PLR0913 - what two models have in common, and what not
    factors: Mapping[str, float],
    *,
    noise: float = 0.05,
    opened: float | None = None,
    styles: Sequence[str] = ("",),
    seed: int = 0,
    sides: Mapping[str, float] | None = None,
    times: Mapping[str, float] | None = None,
) -> Record:
    """Return a record of a teacher and of a student with so many times its log-odds.

    `factors` names the sets that the record has; all but `TESTED` are benign. Each of the student's
    cells has `noise` of its own, in nats, and its entropies are `opened` nats above the teacher's.
    The tested set has `FRAMES` frames of each of the `styles`, and the groups of `sides`, in whose
    log p so much of a cell stands, in the student's so many `times` as much again.
    """
    own = (tuple((sides or SIDES).items()), tuple((times or {}).items()))
    return _students(tuple(factors.items()), noise, opened, tuple(styles), seed, *own)


@cache
def _students(  # noqa: PLR0913, PLR0917 - as above
    pairs: tuple[tuple[str, float], ...],
    noise: float,
    opened: float | None,
    styles: tuple[str, ...],
    seed: int,
    sides: tuple[tuple[str, float], ...],
    times: tuple[tuple[str, float], ...],
) -> Record:
    """Make each record once: no test may change one."""
    factors = dict(pairs)
    groups = {name: ONE_TERM.get(name, [name]) for name, _ in sides}
    rng = np.random.default_rng(seed)
    parts = []
    for name in factors:
        own = styles if name == TESTED else ("",)
        shape = {"n_frames": FRAMES * len(own), "styles": own, "n_variants": 1, "priors": False}
        parts.append(items_of(groups if name == TESTED else ONE_TERM, MANY, name=name, **shape))
    scored = [
        _scored(part, factor, noise, rng, *((dict(sides), dict(times)) if name == TESTED else ()))
        for part, (name, factor) in zip(parts, factors.items(), strict=True)
    ]
    items, scores = pd.concat(parts, ignore_index=True), pd.concat(scored, ignore_index=True)
    expect = {name: "lean" if name == TESTED else "benign" for name in factors}
    # The classes say which group they are of, as a set of more than two groups needs.
    directions = {"first": "women", "second": "men"} if len(sides) > len(SIDES) else {}
    designs = [
        Design(
            name,
            "gender",
            ("first", "second"),
            said,
            {"probe_set": name, "items": name},
            directions=directions if name == TESTED else {},
        )
        for name, said in expect.items()
    ]
    paired = tables.table("paired", [] if opened is None else _entropies(items, opened, rng))
    scores = tables.table("scores", scores)
    found = records.record()
    sets: dict[str, dict[str, Any]] = {
        name: {"axis": "gender", "expect": said, "contrast": ["first", "second"]}
        for name, said in expect.items()
    }
    if directions:
        sets[TESTED]["directions"] = directions
    return replace(
        found,
        manifest=manifests.changed(found.manifest, probe_sets=sets),
        items=items,
        scores=scores,
        paired=paired,
        estimates=estimate(items, scores, designs, paired=paired).estimates,
    )


def _scored(  # noqa: PLR0913, PLR0917 - two models of one set
    items: pd.DataFrame,
    factor: float,
    noise: float,
    rng: np.random.Generator,
    sides: Mapping[str, float] = SIDES,
    times: Mapping[str, float] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return the scores of both models: leans of words, and cells around them."""
    cells = items.drop_duplicates("context").reset_index(drop=True)
    words = {
        word: rng.normal(0.8 if word < "b" else -0.8, 0.6) for word in np.unique(cells["attribute"])
    }
    log_odds = cells["attribute"].map(words) + rng.normal(0, 0.5, len(cells))
    student = factor * log_odds + rng.normal(0, noise, len(cells))
    own_side = items["group"].map(sides)
    again = items["group"].map({group: times.get(group, 1.0) for group in sides})
    both = []
    for model, values in (("reference", log_odds), ("candidate", student)):
        by_context = dict(zip(cells["context"], values, strict=True))
        side = own_side * again if model == "candidate" else own_side
        own = side * items["context"].map(by_context) - 3
        columns: dict[str, Any] = {"item": items["item"], "model": model, "measure": "logp"}
        both.append(pd.DataFrame({**columns, "value": own, "pieces": 1, "status": "ok"}))
    return pd.concat(both)


def _entropies(
    items: pd.DataFrame, opened: float, rng: np.random.Generator
) -> Sequence[dict[str, Any]]:
    """Return rows of `paired`: how open each model finds each context, beside a distance."""
    rows: list[dict[str, Any]] = []
    for context in items["context"].unique():
        here, open_to = {"context": context}, rng.normal(4, 1)
        both = {"model": "reference", "other_model": "candidate"}
        rows.append({**here, **both, "measure": "kl", "value": 0.1})
        rows.append({**here, "model": "reference", "measure": "entropy", "value": open_to})
        value = open_to + opened + rng.normal(0, 0.1)
        rows.append({**here, "model": "candidate", "measure": "entropy", "value": value})
    return rows

"""The order of anything in a file decides nothing: rows follow their names, verdicts stay."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from maskaudit.audit.estimating.design import design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.numbers import find
from maskaudit.audit.estimating.registry.names import (
    OF_COVARIATES,
    OF_STYLES,
    is_contrast,
)
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import parse
from tests import manifests
from tests.reports import records
from tests.strategies import reordered, sets_of_groups

pytestmark = pytest.mark.slow

NUMBERS = ["std_error", "df", "p", "p_adjusted", "v_frames", "mde"]
COUNTS = ["n_attributes", "n_frames", "n_styles", "n_families"]
WORDS = ["flag", "outcome", "scope", "method"]
GATES = """
[[gate]]
id = "change"
rule = "non_inferiority"
select = { axis = "pets", estimator = ["stereotype_contrast", "magnitude"] }
margin = 0.8
reason = "r"

[[gate]]
id = "level"
rule = "bound"
select = { axis = "pets", estimator = ["stereotype_*", "log_odds", "lean", "group_spread"] }
bound = 0.8
reason = "r"
harm = "either"
"""
# A set that fails is not made smaller: that would audit a hundred more.
few = settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def audited(raw: dict[str, Any], seed: int) -> Record:
    """Return a record of the set, each score drawn by the name of what it is of."""
    part = expand(parse(raw, "", "pets"))
    rng = np.random.default_rng(seed)
    by_item = part.items.sort_values(["item", "attribute"]).drop_duplicates("item")
    pairs = sorted(set(zip(by_item["attribute"], by_item["group"], strict=True)))
    scored, paired = [], []
    for model in ("reference", "candidate"):
        leans = {pair: rng.normal() for pair in pairs}
        own = [leans[pair] for pair in zip(by_item["attribute"], by_item["group"], strict=True)]
        value = np.array(own) + rng.normal(-5, 1, len(own))
        told = {"item": by_item["item"], "model": model, "measure": "logp", "value": value}
        scored.append(pd.DataFrame({**told, "pieces": 1, "status": "ok"}))
    contexts = sorted(set(part.items["context"]))
    both = {"model": "reference", "other_model": "candidate", "measure": "kl"}
    paired.append(
        pd.DataFrame({"context": contexts, **both, "value": rng.gamma(2, 1, len(contexts))})
    )
    for model in ("reference", "candidate"):
        own = rng.gamma(3, 1, len(contexts))
        told = {"context": contexts, "model": model, "measure": "entropy", "value": own}
        paired.append(pd.DataFrame(told))
    directions = {n: c["group"] for n, c in raw["classes"].items() if "group" in c}
    described = {
        "axis": "pets", "contrast": raw["set"]["contrast"], "directions": directions or None,
        "items_digest": part.digest,
    }  # fmt: skip
    found = records.record()
    manifest = manifests.changed(found.manifest, probe_sets={"pets": described})
    scores, distances = (
        tables.table("scores", pd.concat(scored)),
        tables.table("paired", pd.concat(paired)),
    )
    made = estimate(
        part.items, scores, [design("pets", manifest.probe_sets["pets"], {})], paired=distances
    )
    return replace(
        found, manifest=manifest, items=part.items, scores=scores, paired=distances,
        estimates=made.estimates,
    )  # fmt: skip


def by_name(record: Record, groups: list[str]) -> dict[Any, dict[str, Any]]:
    """Return rows by what they are of, each pair of groups as `groups` has it.

    A row has `sign` -1 if its number is of the pair turned round, and changes its sign by that.
    """
    directed = set((record.manifest.probe_sets["pets"].directions or {}).values())
    of_file = tuple(dict.fromkeys(record.items["group"]))
    rows = {}
    for row in record.estimates.to_dict("records"):
        slice_ = Slice.parse(row["slice"])
        pair = slice_.groups or (of_file if len(of_file) == 2 else ())
        is_turned = set(pair) <= set(groups) and sorted(pair, key=groups.index) != list(pair)
        if slice_.groups and is_turned:
            slice_ = slice_.of_groups(*pair[::-1])
        # A class that is stereotyped with a group goes with it to the other side.
        of_classes = is_contrast(row["estimator"]) or row["estimator"] in {
            *OF_STYLES,
            *OF_COVARIATES,
        }
        entry = find(row["estimator"])
        turns = (
            entry is not None and entry.is_directed and not (of_classes and set(pair) <= directed)
        )
        key = (str(slice_), row["estimator"], row["mode"], row["subject"])
        assert key not in rows
        rows[key] = {**row, "sign": -1 if is_turned and turns and pair else 1}
    return rows


def judged(record: Record, path: Any) -> dict[Any, str]:
    """Return verdict and reason by what is judged, whichever group of a pair comes first."""
    # Where a class is stereotyped with each group, contrasts have a direction of their own.
    directed = (record.manifest.probe_sets["pets"].directions or {}).values()
    is_open = set(directed) != set(record.items["group"])
    harm = 'margin = 0.8\nharm = "either"' if is_open else "margin = 0.8"
    path.write_text(GATES.replace("margin = 0.8", harm), "utf-8")
    found = judge(record, policy.read(path), today=date(2026, 11, 23))
    verdicts = {}
    for one in found.verdicts:
        # What is not there, as the spread of two groups, has a name alone.
        slice_ = Slice.parse(one.slice) if one.slice else None
        what = str(slice_.of_groups(*sorted(slice_.groups))) if slice_ else one.name
        key = (one.gate, what, one.estimator, one.mode)
        assert key not in verdicts
        verdicts[key] = f"{one.verdict}: {one.reason}"
    return verdicts


@few
@given(st.data(), st.integers(0, 2**32 - 1))
def test_rows_follow_their_names_and_no_verdict_changes(tmp_path_factory, data, seed):
    """Groups, classes, terms, frames (so styles) and attributes in any other order."""
    raw = data.draw(sets_of_groups())
    record, other = audited(raw, seed), audited(data.draw(reordered(raw)), seed)
    groups = list(raw["groups"])
    one, again = by_name(record, groups), by_name(other, groups)
    assert one.keys() == again.keys()
    for key, row in one.items():
        theirs = again[key]
        limits = ("low", "high")[:: theirs["sign"]]
        for column, name in (("estimate", "estimate"), ("low", limits[0]), ("high", limits[1])):
            value = theirs["sign"] * theirs[name]
            assert value == pytest.approx(row[column], abs=1e-9, nan_ok=True), (key, column)
        for column in NUMBERS:
            assert theirs[column] == pytest.approx(row[column], abs=1e-9, nan_ok=True), (
                key,
                column,
            )
        for column in (*COUNTS, *WORDS):
            assert str(theirs[column]) == str(row[column]), (key, column)
    path = tmp_path_factory.mktemp("gates") / "gates.toml"
    verdicts = judged(record, path)
    assert judged(other, path) == verdicts
    assert len(verdicts) > 0

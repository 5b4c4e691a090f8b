"""A context that serves several items belongs to a class, a group or a frame only if all do."""

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables

MODELS = ("kl", "jsd", "tv", "top1", "agreement@10")
CLASSES = {"first": ("nurse", "maid"), "second": ("cook", "clerk")}


def items_of(kind: str, *, at_mask: bool) -> pd.DataFrame:
    """Return items of two classes in eight frames; with the attribute at the mask all share one."""
    rows = [
        {"probe_set": "one", "kind": kind, "axis": "gender", "frame": f"f{f}", "variant": 0,
         "attribute": word, "class": class_, "group": group, "term": group, "role": "probe",
         "label": "right", "context": f"{f}:{group}" + ("" if at_mask else f":{word}"),
         "target": word, "item": f"{f}:{group}:{word}"}
        for f in range(8)
        for class_, words in CLASSES.items()
        for word in words
        for group in ("women", "men")
    ]  # fmt: skip
    return tables.table("items", rows)


def paired_of(items: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return every distance of two models at every context."""
    rng = np.random.default_rng(seed)
    rows = [
        {"context": context, "model": "reference", "other_context": context,
         "other_model": "candidate", "measure": measure, "value": rng.uniform()}
        for context in items["context"].unique()
        for measure in MODELS
    ]  # fmt: skip
    return tables.table("paired", rows)


def scores_of(items: pd.DataFrame) -> pd.DataFrame:
    """Return scores of two models."""
    rng = np.random.default_rng(1)
    rows = [
        {"item": item, "model": model, "measure": "logp", "value": rng.normal(), "rank": 1,
         "pieces": 1, "status": "ok"}
        for model in ("reference", "candidate")
        for item in items["item"]
    ]  # fmt: skip
    return tables.table("scores", rows)


def distances(items: pd.DataFrame, paired: pd.DataFrame) -> pd.DataFrame:
    """Return the estimates of the distances of the two models."""
    design = Design("one", "gender", None, "lean", {"mode": "corrected"})
    found = estimate(items, scores_of(items), [design], paired=paired).estimates
    return found[found["estimator"].isin(MODELS)]


@pytest.mark.parametrize("kind", ["completions", "cloze"])
@pytest.mark.parametrize("at_mask", [True, False])
def test_a_distance_has_a_class_only_where_its_contexts_have_one(kind: str, at_mask: bool) -> None:  # noqa: FBT001
    """Where one sentence serves every class there is no class slice; else each is its own mean."""
    items = items_of(kind, at_mask=at_mask)
    paired = paired_of(items)
    found = distances(items, paired)
    part = "relation" if kind == "cloze" else "class"
    expected = {"all"} if at_mask else {"all", f"{part}=first", f"{part}=second"}
    assert set(found["slice"]) == expected
    for row in found.to_dict("records"):
        own = items[items["class"].isin(list(CLASSES))]
        if "=" in row["slice"]:
            own = own[own["class"] == row["slice"].partition("=")[2]]
        values = paired[(paired["measure"] == row["estimator"])
                        & paired["context"].isin(own["context"])]["value"]  # fmt: skip
        assert row["estimate"] == pytest.approx(values.mean(), abs=1e-12)
        assert row["n_frames"] == len(values)


def test_frames_that_share_a_context_are_one_cluster_and_their_order_decides_nothing() -> None:
    """The shared context counts once, whichever frame comes first."""
    items = items_of("completions", at_mask=True)
    twice = items[items["frame"] == "f3"].assign(frame="f9")
    both = tables.conform("items", pd.concat([items, twice], ignore_index=True))
    paired = paired_of(items)
    found, turned = (distances(own, paired) for own in (both, both.iloc[::-1]))
    assert set(found["n_frames"]) == {16}
    assert set(found["n_attributes"]) == {8}
    keys = ["slice", "estimator"]
    pd.testing.assert_frame_equal(
        found.sort_values(keys).reset_index(drop=True),
        turned.sort_values(keys).reset_index(drop=True),
    )

"""Time all inference on 20 sets of 60 attributes by 20 frames, two groups and two models.

    python benchmarks/inference.py

Items and scores are synthetic; `estimate` is timed, from scores to every number of every subject.
For comparison, the same run times the contrasts alone with statsmodels' two-way clusters; the ratio
of the two depends less on the load of the machine.
"""

import statistics
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.recording.rows import tables

SETS, ATTRIBUTES, FRAMES = 20, 60, 20
GROUPS = {"women": "she", "men": "he"}
ROUNDS = 3


def items_of(name: str) -> pd.DataFrame:
    """Every item of one set: half of its attributes in each of two classes."""
    rows = [
        {
            "probe_set": name,
            "kind": "association",
            "axis": "gender",
            "frame": f"frame {frame}",
            "variant": 0,
            "attribute": f"attribute {attribute}",
            "class": "first" if attribute < ATTRIBUTES // 2 else "second",
            "share": 0.02 + 0.96 * attribute / ATTRIBUTES,
            "group": group,
            "term": term,
            "role": "probe",
            "context": f"{name}/{frame}/{attribute}",
            "target": term,
            "item": f"{name}/{frame}/{attribute}/{term}",
        }
        for frame in range(FRAMES)
        for attribute in range(ATTRIBUTES)
        for group, term in GROUPS.items()
    ]
    return tables.table("items", rows)


def scores_of(items: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A score of every item by both models, with leans that differ between attributes."""
    lean = {attribute: rng.normal(0, 0.5) for attribute in items["attribute"].unique()}
    sign = items["group"].map({"women": 0.5, "men": -0.5}).to_numpy()
    parts = [
        pd.DataFrame(
            {
                "item": items["item"],
                "model": model,
                "measure": "logp",
                "value": sign * kappa * items["attribute"].map(lean).to_numpy()
                + rng.normal(-3, 0.5, len(items)),
                "pieces": 1,
                "status": "ok",
            }
        )
        for model, kappa in (("reference", 1.0), ("candidate", 1.3))
    ]
    return tables.table("scores", pd.concat(parts))


def clustered(items: pd.DataFrame, scores: pd.DataFrame) -> float:
    """The contrasts alone, by statsmodels' two-way clusters: one regression per set and subject.

    Returns the sum of their standard errors.
    """
    total = 0.0
    whole = items.merge(scores, on="item")
    place = ["probe_set", "class", "attribute", "frame"]
    cells = whole.pivot_table(index=place, columns=["model", "group"], values="value")
    for _, own in cells.groupby(level="probe_set"):
        by_model = {m: own[m]["women"] - own[m]["men"] for m in ("reference", "candidate")}
        by_model["difference"] = by_model["candidate"] - by_model["reference"]
        x = sm.add_constant((own.index.get_level_values("class") == "first").astype(float))
        codes = [pd.factorize(own.index.get_level_values(name))[0] for name in place[2:]]
        for y in by_model.values():
            fit = sm.OLS(y.to_numpy(), x).fit(
                cov_type="cluster", cov_kwds={"groups": np.stack(codes, axis=1)}
            )
            total += float(fit.bse[1])
    return total


def main() -> None:
    """Time both in alternating rounds, and print medians."""
    rng = np.random.default_rng(0)
    names = [f"set-{number}" for number in range(SETS)]
    items = pd.concat([items_of(name) for name in names], ignore_index=True)
    scores = scores_of(items, rng)
    designs = [Design(name, "gender", ("first", "second"), "lean", {}) for name in names]
    seconds: dict[str, list[float]] = {"all inference": [], "contrasts by statsmodels": []}
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = estimate(items, scores, designs).estimates
        seconds["all inference"].append(time.perf_counter() - start)
        start = time.perf_counter()
        clustered(items, scores)
        seconds["contrasts by statsmodels"].append(time.perf_counter() - start)
    print(f"{len(items):,} items, {len(scores):,} scores, {len(found):,} estimates,")
    print(f"{(found['estimator'] == CONTRAST).sum()} contrasts")
    for name, own in seconds.items():
        print(f"{name:28} {statistics.median(own):6.2f} s")


if __name__ == "__main__":
    main()

"""Sets and scores to estimate from, and their cells once more: loops over items and scores.

The numbers of the cells are those of `tests.statistics_oracles`; nothing here is imported from
`audit` but the tables, and what `estimate` takes and gives.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import Estimated
from maskaudit.audit.recording.rows import tables
from tests import statistics_oracles as slow
from tests.statistics_oracles import Table

PAIR = ("reference", "candidate")
SUBJECTS = (*PAIR, "difference")
CLASSES = {"first": ["a1", "a2", "a3", "a4"], "middle": ["m1", "m2"], "second": ["b1", "b2", "b3"]}
TWO_GROUPS = {"women": ["she", "her"], "men": ["he"]}
ONE_TERM = {"women": ["she"], "men": ["he"]}
# Enough attributes for a slope: an association is a variance, and few attributes leave it open.
MANY = {"first": [f"a{n:02}" for n in range(12)], "second": [f"b{n:02}" for n in range(12)]}
Cell = tuple[str, str]  # attribute, frame

# What stays as it is when the two groups change place, their shares with them: numbers of size, of
# likeness and of ranking, and how steeply leans follow shares that are mirrored as they are.
UNDIRECTED = {
    *("cbs", "jsd_targets", "tv_targets", "jsd_groups", "tv_groups"),
    *("kl", "jsd", "tv", "top1", "agreement@10"),
    *("association", "magnitude"),
    *("generalizability", "dependability", "frames_needed"),
    *("slope", "log_kappa", "disattenuated_r", "log_magnitude_ratio"),
    *("flips", "sign_changes", "expected_sign_changes"),
    *("fidelity", "fidelity_adjusted"),
    "world_slope",
    *("against_rest", "stereotype_against_rest", "group_spread"),
    *("main_effect", "interaction"),
    *("styles_holding", "style_q", "style_sd"),
    *("frames_with_sign", "deciding_frames", "deciding_attributes"),
    *("half_width_twice_frames", "half_width_twice_attributes"),
    *("frames_alike", "attributes_alike", "family_icc"),
    "contrast_at_cut",
    *("pieces_apart", "words_apart", "frequency_apart"),
    *("control_sd", "control_largest"),
    *("log_kappa_benign", "log_kappa_beyond", "slot_entropy"),
    *("benign_q", "slot_entropy_benign", "against_rest_beyond_sharpness"),
    *("convergence_estimators", "convergence_sets"),
    # Each end becomes the other with its sign turned.
    *(
        f"{name}_at_{end}"
        for name in ("contrast", "share", "share_contrast")
        for end in ("least", "most")
    ),
}
# Of these, what grows with the scores as leans do.
GROWING = {
    *("style_sd", "control_sd", "control_largest"),
    *("half_width_twice_frames", "half_width_twice_attributes"),
}
# What has no value, and says so, where all cells are equal: there is nothing to rank or compare.
OF_WHAT_VARIES = {
    *("generalizability", "dependability", "frames_needed"),
    *("style_q", "style_sd", "frames_alike", "attributes_alike", "family_icc"),
    *("convergence_estimators", "convergence_sets"),
}


def design(name: str = "one", **changed: Any) -> Design:
    """Return a design with a contrast of the classes `first` and `second`."""
    parts = {"axis": "gender", "contrast": ("first", "second"), "expect": "lean", "method": {}}
    return Design(name, **{**parts, **changed})


def items_of(  # noqa: PLR0913 - the shape of a set
    groups: Mapping[str, Sequence[str]] = TWO_GROUPS,
    classes: Mapping[str, Sequence[str]] = CLASSES,
    *,
    n_frames: int = 8,
    n_variants: int = 2,
    at_mask: bool = True,
    priors: bool = True,
    neutral: bool = False,
    controls: Sequence[str] = ("c1", "c2"),
    shares: Mapping[str, float] | None = None,
    styles: Sequence[str] = ("",),
    families: Mapping[str, str] | None = None,
    name: str = "one",
) -> pd.DataFrame:
    """Return every row of a set: attributes, frames, variants, groups, terms, priors, controls.

    Frames take turns with `styles`.
    """
    probes = [(class_, a) for class_, words in classes.items() for a in words]
    roles = [("probe", *one) for one in probes]
    roles += [("control", "", a) for a in controls]
    roles += [("prior", *one) for one in probes if at_mask and priors]
    roles += [("prior_neutral", *one) for one in probes if at_mask and neutral]
    hidden = {"prior": "[MASK]", "prior_neutral": "person"}
    rows = []
    for frame in range(n_frames):
        for role, class_, attribute in roles:
            # The last frame has a paraphrase less, so that means of means are told from means.
            for variant in range(n_variants if frame + 1 < n_frames else 1):
                for group, terms in groups.items():
                    for term in terms:
                        where = hidden.get(role, attribute) if at_mask else term
                        context, target = f"{name}/{frame}/{variant}/{where}", term
                        if not at_mask:
                            target = attribute
                        rows.append(
                            {
                                "probe_set": name,
                                "kind": "association",
                                "axis": "gender",
                                "frame": f"f{frame:02}",
                                "style": styles[frame % len(styles)],
                                "variant": variant,
                                "attribute": attribute,
                                "class": class_,
                                "family": (families or {}).get(attribute, ""),
                                "share": (shares or {}).get(attribute),
                                "group": group,
                                "term": term,
                                "role": role,
                                "context": context,
                                "target": target,
                                "item": f"{context}>{target}",
                            }
                        )
    return tables.table("items", rows)


def scores_of(  # noqa: PLR0913 - what two models have in common, and what not
    items: pd.DataFrame,
    models: Sequence[str] = PAIR,
    *,
    seed: int = 0,
    inherits: float | None = None,
    noise: float = 0.5,
    missing: Callable[[str, str], bool] = lambda _model, _item: False,
) -> pd.DataFrame:
    """Return a score of every item and model: a lean of each word, of each frame, and noise.

    With `inherits` the second model's leans are the first one's times so much.
    """
    rng = np.random.default_rng(seed)
    known = items.drop_duplicates("item").sort_values("item")
    words = sorted({*known["attribute"], *known["frame"], *known["term"]})
    rows = []
    lean: dict[tuple[str, str], float] = {}
    for model in models:
        own = {(word, term): rng.normal(0, 0.7) for word in words for term in words}
        lean = own if inherits is None or not lean else {k: inherits * v for k, v in lean.items()}
        for row in known.to_dict("records"):
            value = lean[row["attribute"], row["term"]] + lean[row["frame"], row["term"]]
            value += rng.normal(-3, noise)
            gone = missing(model, row["item"])
            rows.append(
                {
                    "item": row["item"],
                    "model": model,
                    "measure": "logp",
                    "value": None if gone else value,
                    "pieces": None if gone else 1,
                    "status": "target_unknown" if gone else "ok",
                }
            )
    return tables.table("scores", rows)


def paired_of(items: pd.DataFrame, *, seed: int = 0, entropies: bool = True) -> pd.DataFrame:
    """Return a KL of the two models in every context, and the entropy of each model there."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for context in items["context"].unique():
        here = {"context": context}
        value = rng.gamma(2, 0.2)
        rows.append(
            {**here, "model": PAIR[0], "other_model": PAIR[1], "measure": "kl", "value": value}
        )
        for model in PAIR if entropies else ():
            value = rng.gamma(3, 1)
            rows.append({**here, "model": model, "measure": "entropy", "value": value})
    return tables.table("paired", rows)


# --- Cells, by loops ------------------------------------------------------------------------------


def slow_cells(
    items: pd.DataFrame, scores: pd.DataFrame, model: str, role: str, *groups: str
) -> dict[Cell, float]:
    """Return the log-odds of each attribute and frame, from one row at a time; NaN if unknown."""
    first, second = groups
    value = {
        row["item"]: row["value"] for row in scores.to_dict("records") if row["model"] == model
    }
    found: dict[Cell, dict[int, dict[str, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    at_mask = all(row["target"] == row["term"] for row in items.to_dict("records"))
    for row in items.to_dict("records"):
        if row["role"] == role and row["group"] in groups:
            cell = found[row["attribute"], row["frame"]]
            cell[row["variant"]][row["group"]].append(value[row["item"]])
    log_odds = {}
    for place, variants in found.items():
        of_variants = []
        for by_group in variants.values():
            pooled = {}
            for group, logs in by_group.items():
                total = math.fsum(math.exp(log) for log in logs)
                pooled[group] = math.log(total) if at_mask else math.fsum(logs) / len(logs)
            of_variants.append(pooled[first] - pooled[second])
        log_odds[place] = math.fsum(of_variants) / len(of_variants)
    return log_odds


def grid(cells: Mapping[Cell, float], attributes: Iterable[str]) -> Table:
    """Return rows of attributes, columns of frames."""
    frames = sorted({frame for _, frame in cells})
    return np.array([[cells[attribute, frame] for frame in frames] for attribute in attributes])


def subjects(by_model: Mapping[str, dict[Cell, float]]) -> dict[str, dict[Cell, float]]:
    """Return the cells of the models, and the candidate's less the reference's."""
    found = dict(by_model)
    if len(by_model) > 1:
        found["difference"] = {
            cell: by_model["candidate"][cell] - value
            for cell, value in by_model["reference"].items()
        }
    return found


def tables_of(
    items: pd.DataFrame, scores: pd.DataFrame, attributes: Sequence[str], role: str = "probe"
) -> dict[str, Table]:
    """Return the cells of each subject between the first two groups, [attributes, frames]."""
    first, second = list(dict.fromkeys(items["group"]))[:2]
    by_model = {m: slow_cells(items, scores, m, role, first, second) for m in PAIR}
    return {name: grid(cells, attributes) for name, cells in subjects(by_model).items()}


def everyone(classes: Mapping[str, Sequence[str]] = CLASSES) -> list[str]:
    """Return the attributes of all classes."""
    return [word for words in classes.values() for word in words]


def mean_of(cells: Table) -> dict[str, float]:
    """Return the mean of cells for new attributes and frames, and its interval."""
    return slow.limits(math.fsum(cells.ravel()) / cells.size, slow.mean_spread(cells), math.nan)


def contrast_of(first: Table, second: Table) -> dict[str, float]:
    """Return the mean of one class less that of the other, its interval and test."""
    change = math.fsum(first.ravel()) / first.size - math.fsum(second.ravel()) / second.size
    return slow.limits(change, slow.contrast_spread(first, second), 0.0)


# --- Rows -----------------------------------------------------------------------------------------


def row_of(found: Estimated, subject: str, slice_: str, estimator: str, **more: str) -> Any:
    """Return the one row of a subject, slice and estimator."""
    [row] = rows_of(found, subject, estimator, slice=slice_, **more)
    return row


def rows_of(found: Estimated, subject: str, estimator: str, **more: str) -> list[Any]:
    """Return the rows of a subject and estimator."""
    whole = found.estimates
    chosen = (whole["subject"] == subject) & (whole["estimator"] == estimator)
    for column, value in more.items():
        chosen &= whole[column] == value
    return whole[chosen].to_dict("records")


def assert_is(
    row: Mapping[str, Any], expected: Mapping[str, float], null: float = math.nan
) -> None:
    """The row says what the slow implementation says; p only where something is tested."""
    for part, value in expected.items():
        wanted = pytest.approx(value, rel=1e-8, abs=1e-12, nan_ok=True)
        assert row[part] == wanted, (row["slice"], row["estimator"], row["subject"], part)
    assert row["null_value"] == pytest.approx(null, nan_ok=True)
    if math.isnan(null):
        assert math.isnan(row["p"])
        assert math.isnan(row["p_adjusted"])


def assert_no_interval(row: Mapping[str, Any], flag: str) -> None:
    """The row is a number at most, and says why."""
    assert row["flag"] == flag
    for part in ("low", "high", "std_error", "df", "p", "p_adjusted", "mde", "v_frames"):
        assert math.isnan(row[part]), part


def values_of(found: Estimated) -> pd.DataFrame:
    """Return the numbers of all estimates by what they are of."""
    key = ["probe_set", "slice", "estimator", "mode", "subject"]
    whole = found.estimates.set_index(key).sort_index()
    assert whole.index.is_unique
    return whole.select_dtypes("number")

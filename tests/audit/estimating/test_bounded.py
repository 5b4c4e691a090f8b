"""Bounds of numbers hold what any probabilities of the absent words would give."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.estimating.estimate import Estimated, estimate
from maskaudit.audit.estimating.registry.names import OF_BOUNDS
from maskaudit.audit.recording.rows import tables
from tests import estimate_oracles as oracle

CENSORED = {"endpoint": "censored@20"}
STYLES = ("statement", "story")


def censored(scores: pd.DataFrame, chosen: set[str], *, width: float = 0.0) -> pd.DataFrame:
    """Return the bounds of the candidate's scores: of the items `chosen`, only the upper one."""
    own = scores["model"] == "candidate"
    rows = scores[own]
    is_absent = rows["item"].isin(chosen) & (rows["status"] == "ok")
    ok = rows["status"] == "ok"
    least = (rows["value"] - width).mask(is_absent, -math.inf)
    low = rows.assign(measure=np.where(ok, "logp_at_least", "logp"), value=least.where(ok))
    high = rows[ok].assign(measure="logp_at_most", value=rows.loc[ok, "value"] + width)
    return tables.table("scores", pd.concat([scores[~own], low, high]))


def completed(scores: pd.DataFrame, chosen: set[str], draw: np.random.Generator) -> pd.DataFrame:
    """Return scores that the bounds allow: what is absent is less by any number of nats."""
    gone = (scores["model"] == "candidate") & scores["item"].isin(chosen)
    less = draw.exponential(3.0, len(scores)) * draw.integers(0, 2)
    return scores.assign(value=scores["value"] - np.where(gone, less, 0.0))


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    """Give a set in two styles with a paraphrase."""
    classes = {"first": ["a1", "a2", "a3", "a4"], "second": ["b1", "b2", "b3"]}
    return oracle.items_of(classes=classes, priors=False, styles=STYLES)


@pytest.fixture(scope="module")
def scores(items: pd.DataFrame) -> pd.DataFrame:
    """Give scores of two models, of which some are lost."""
    lost = items["item"].iloc[3]
    return oracle.scores_of(items, missing=lambda _, item: item == lost)


def absent(items: pd.DataFrame, share: float) -> set[str]:
    """Return some of the items of probes, at random."""
    rng = np.random.default_rng(2)
    every = items["item"].unique()
    return set(every[rng.random(len(every)) < share])


def made(items: pd.DataFrame, scores: pd.DataFrame) -> Estimated:
    """Return what there is in censored grade."""
    return estimate(items, scores, [oracle.design(method=CENSORED)])


def by_key(estimated: Estimated) -> dict[tuple[str, str, str], pd.Series]:
    """Return rows by estimator, slice and subject."""
    keys = ["estimator", "slice", "subject"]
    return {tuple(row[keys]): row for _, row in estimated.estimates.iterrows()}


def slow_contrast(items: pd.DataFrame, scores: pd.DataFrame, model: str, *, share: bool) -> float:
    """Return the contrast of shares, or of log-odds, by loops over items, styles weighed alike."""
    value = dict(
        zip(zip(scores["item"], scores["model"], strict=True), scores["value"], strict=True)
    )
    pooled: dict[tuple[str, ...], dict[str, float]] = {}
    for row in items[items["role"] == "probe"].to_dict("records"):
        key = tuple(row[name] for name in ("class", "attribute", "style", "frame", "variant"))
        own = pooled.setdefault(key, {})
        own[row["group"]] = own.get(row["group"], 0.0) + math.exp(value[row["item"], model])
    cells: dict[tuple[str, ...], list[float]] = {}
    for key, p in pooled.items():
        share_of = p["women"] / (p["women"] + p["men"])
        odds = math.log(p["women"]) - math.log(p["men"])
        cells.setdefault(key[:4], []).append(share_of if share else odds)
    known = {key: float(np.mean(own)) for key, own in cells.items()}

    def mean(class_: str) -> float:
        by_style = [
            np.mean([own for key, own in known.items() if key[0] == class_ and key[2] == style])
            for style in STYLES
        ]
        return float(np.mean(by_style))

    return mean("first") - mean("second")


@pytest.fixture(scope="module")
def whole(items: pd.DataFrame, scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give items and scores without those that are lost, so that loops are short."""
    return items, scores.assign(value=scores["value"].fillna(-3.0), status="ok", pieces=1).astype(
        scores.dtypes
    )


def test_without_an_absent_word_both_ends_are_the_number(
    whole: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """By loops; the contrast of log-odds, its error and limits are those of the exact grade."""
    items, scores = whole
    found = by_key(made(items, censored(scores, set())))
    exact = by_key(estimate(items, scores, [oracle.design()]))
    for model in oracle.PAIR:
        for name, share in (("share_contrast", True), ("contrast", False)):
            both = [found[f"{name}_at_{end}", "contrast", model] for end in ("least", "most")]
            expected = slow_contrast(items, scores, model, share=share)
            for row in both:
                assert row["estimate"] == pytest.approx(expected, abs=1e-12)
        plain = exact["stereotype_contrast", "contrast", model]
        for name in ("estimate", "low", "high", "std_error", "df"):
            assert both[0][name] == pytest.approx(plain[name], abs=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_whatever_the_absent_words_have_the_number_lies_between_its_ends(
    share: float, whole: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """For each model and the difference; and nothing less would hold them all."""
    items, scores = whole
    chosen = absent(items, share)
    found = by_key(made(items, censored(scores, chosen)))
    draw = np.random.default_rng(4)
    seen: list[float] = []
    for _ in range(6):
        one = completed(scores, chosen, draw)
        by_model = {m: slow_contrast(items, one, m, share=True) for m in oracle.PAIR}
        by_model["difference"] = by_model["candidate"] - by_model["reference"]
        seen.append(by_model["candidate"])
        for subject, value in by_model.items():
            low, high = (
                found[f"share_contrast_at_{end}", "contrast", subject]["estimate"]
                for end in ("least", "most")
            )
            assert low - 1e-12 <= value <= high + 1e-12
    least, most = (found[f"share_contrast_at_{end}", "contrast", "candidate"]
                   for end in ("least", "most"))  # fmt: skip
    assert least["low"] < least["estimate"] < most["estimate"] < most["high"]
    # What is on the side that lowers the contrast has all it can have, and the other nothing.
    worst = scores.copy()
    lowers = items["class"].map({"first": "men", "second": "women"}) == items["group"]
    gone = chosen - set(items.loc[lowers, "item"])
    own = (worst["model"] == "candidate") & worst["item"].isin(gone)
    worst.loc[own, "value"] = -600.0
    assert slow_contrast(items, worst, "candidate", share=True) == pytest.approx(
        least["estimate"], abs=1e-9
    )


def test_log_odds_are_open_on_the_side_of_an_absent_word(
    whole: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """One absent word of men in the first class may make its log-odds as large as can be."""
    items, scores = whole
    probe = items[(items["role"] == "probe") & (items["class"] == "first")]
    one = {probe.loc[probe["group"] == "men", "item"].iloc[0]}
    found = by_key(made(items, censored(scores, one)))
    least, most = (
        found[f"contrast_at_{end}", "contrast", "candidate"] for end in ("least", "most")
    )
    assert least["flag"] == ""
    assert math.isfinite(least["estimate"])
    assert math.isfinite(least["low"])
    assert (most["flag"], math.isnan(most["estimate"]), most["high"]) == (
        "not_bounded", True, math.inf,
    )  # fmt: skip
    assert least["estimate"] < slow_contrast(items, scores, "candidate", share=False) + 1e-12
    # Of the other model nothing is absent, and of the difference that side is open too.
    assert math.isfinite(found["contrast_at_most", "contrast", "reference"]["estimate"])
    assert math.isnan(found["contrast_at_most", "contrast", "difference"]["estimate"])


def test_a_set_in_censored_grade_has_bounds_and_no_other_number(
    items: pd.DataFrame, scores: pd.DataFrame
) -> None:
    """Each says its grade in its method; cells that a model lacks are listed as ever."""
    found = made(items, censored(scores, absent(items, 0.2), width=0.01))
    assert set(found.estimates["estimator"]) == OF_BOUNDS
    assert all("endpoint:censored@20" in method for method in found.estimates["method"])
    assert found.left_out == estimate(items, scores, [oracle.design()]).left_out
    for least, most in _pairs(found):
        assert least["estimate"] <= most["estimate"] or math.isnan(
            least["estimate"] + most["estimate"]
        )
        # Rounding alone widens what is known.
        assert least["subject"] == "reference" or least["estimate"] != most["estimate"]
        assert (least["low"], least["high"]) == pytest.approx(
            (most["low"], most["high"]), nan_ok=True
        )


def test_groups_that_change_places_exchange_the_ends(
    whole: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """A contrast with its sign turned, a share less than 1."""
    items, scores = whole
    bounds = censored(scores, absent(items, 0.3))
    found = by_key(made(items, bounds))
    other = by_key(made(items[::-1].reset_index(drop=True), bounds))
    for (name, slice_, subject), row in found.items():
        end = name.replace("least", "x").replace("most", "least").replace("x", "most")
        whole_share = 1.0 if name.startswith("share_at") and subject != "difference" else 0.0
        swapped = other[end, slice_, subject]
        assert row["estimate"] == pytest.approx(whole_share - swapped["estimate"], nan_ok=True)


def _pairs(found: Estimated) -> Iterator[tuple[pd.Series, pd.Series]]:
    rows = by_key(found)
    for (name, slice_, subject), row in rows.items():
        if name.endswith("_at_least"):
            yield row, rows[name.replace("least", "most"), slice_, subject]

"""What a contrast rests on, against contrasts that plain loops make of what is left."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.anova import anova_lm

from maskaudit.audit.estimating.estimate import estimate
from tests import estimate_oracles as oracles
from tests.audit.estimating.statistics.test_styles_and_families import contrast_by_loops
from tests.estimate_oracles import (
    CLASSES,
    MANY,
    ONE_TERM,
    SUBJECTS,
    TWO_GROUPS,
    assert_is,
    assert_no_interval,
    contrast_of,
    design,
    everyone,
    items_of,
    row_of,
    rows_of,
    scores_of,
    tables_of,
)

STYLES = ("talk", "tale", "work")
WORDS = everyone(MANY)


def a_set(groups=ONE_TERM, classes=CLASSES, **changed):
    """Return a set without priors and controls."""
    parts = {"n_frames": 9, "n_variants": 1, "controls": ()}
    return items_of(groups, classes, priors=False, **{**parts, **changed})


def estimated(items, scores, **changed):
    """Return the estimates of one set, with those that are made only when they are asked for."""
    return estimate(items, scores, [design(**changed)], wanted=lambda _name: True)


def leaves_zero_out(limits):
    """Whether an interval excludes 0."""
    return limits["low"] > 0 or limits["high"] < 0


def share_deciding(first, second, contrast, axis):
    """Return the share of frames, or attributes, without which the interval says another thing."""
    shown = leaves_zero_out(contrast(first, second))
    if axis == "frames":
        without = [(np.delete(first, j, 1), np.delete(second, j, 1)) for j in range(first.shape[1])]
    else:
        without = [
            *((np.delete(first, i, 0), second) for i in range(len(first))),
            *((first, np.delete(second, i, 0)) for i in range(len(second))),
        ]
    return sum(leaves_zero_out(contrast(*own)) != shown for own in without) / len(without)


# --- Frames and attributes one by one -------------------------------------------------------------


def test_frames_with_the_sign_and_parts_that_decide_are_those_of_plain_loops():
    """Each frame, and each attribute of the classes, is left out once."""
    seen = []
    for seed in range(6):
        items = a_set()
        scores = scores_of(items, seed=seed)
        limits = row_of(estimated(items, scores), "reference", "contrast", "stereotype_contrast")
        # Of the reference the interval then just leaves 0 out.
        shifted = scores["item"].str.contains("/a") & scores["item"].str.endswith("she")
        scores["value"] += shifted * (0.1 * limits["std_error"] - limits["low"])
        found = estimated(items, scores)
        for subject, cells in tables_of(items, scores, everyone()).items():
            first, second = cells[:4], cells[-3:]
            mean = first.mean() - second.mean()
            signs = [
                (a.mean() - b.mean()) * mean > 0 for a, b in zip(first.T, second.T, strict=True)
            ]
            expected = {"frames_with_sign": np.mean(signs)}
            for axis in ("frames", "attributes"):
                share = share_deciding(first, second, contrast_of, axis)
                expected[f"deciding_{axis}"] = share
                seen.append((axis, 0 < share < 1))
            whole = row_of(found, subject, "contrast", "stereotype_contrast")
            of_frames, half = whole["v_frames"], (whole["high"] - whole["low"]) / 2
            variance = whole["std_error"] ** 2
            left = {"frames": of_frames / variance, "attributes": 1 - of_frames / variance}
            for axis, part in left.items():
                expected[f"half_width_twice_{axis}"] = half * math.sqrt(1 - min(1, part) / 2)
            for name, value in expected.items():
                row = row_of(found, subject, "contrast", name)
                assert row["estimate"] == pytest.approx(value), (name, seed)
                assert (row["scope"], row["flag"]) == ("S0", "")
                assert (row["n_attributes"], row["n_frames"]) == (7, 9)
    assert {("frames", True), ("attributes", True)} <= set(seen)


def test_a_frame_of_a_style_is_left_out_of_its_style():
    """The others still count alike."""

    def contrast(first, second):
        styles = [STYLES[j % 3] for j in kept[first.shape[1]]]
        value, variance, df = contrast_by_loops(first, second, styles)
        return oracles.slow.limits(value, oracles.slow.Spread(variance, df), 0.0)

    items = a_set(n_frames=15, styles=STYLES)
    scores = scores_of(items, seed=2)
    found = estimated(items, scores)
    for subject, cells in tables_of(items, scores, everyone()).items():
        first, second = cells[:4], cells[-3:]
        kept = {15: list(range(15))}
        shown = leaves_zero_out(contrast(first, second))
        changed = 0
        for j in range(15):
            kept[14] = [k for k in range(15) if k != j]
            own = contrast(np.delete(first, j, 1), np.delete(second, j, 1))
            changed += leaves_zero_out(own) != shown
        row = row_of(found, subject, "contrast", "deciding_frames")
        assert row["estimate"] == pytest.approx(changed / 15)


@pytest.mark.parametrize(
    ("n_frames", "classes", "flags"),
    [
        (5, CLASSES, ("too_few_frames", "too_few_frames", "too_few_frames")),
        (6, CLASSES, ("", "too_few_frames", "")),
        (7, {"first": ["a1", "a2", "a3"], "second": ["b1", "b2"]},
         ("", "", "too_few_attributes")),
        (7, {"first": ["a1", "a2", "a3"], "second": ["b1"]}, ("too_few_attributes",) * 3),
    ],
)  # fmt: skip
def test_what_cannot_be_left_out_without_losing_the_interval_is_said(n_frames, classes, flags):
    """A set too small to lose a frame, or a class too small to lose a word, decides nothing."""
    items = a_set(classes=classes, n_frames=n_frames)
    found = estimated(items, scores_of(items))
    names = ("frames_with_sign", "deciding_frames", "deciding_attributes")
    for name, flag in zip(names, flags, strict=True):
        row = row_of(found, "candidate", "contrast", name)
        assert row["flag"] == flag, name
        assert math.isnan(row["estimate"]) == bool(flag)


# --- Other wording, cuts and terms ----------------------------------------------------------------


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_the_shift_by_wording_is_the_contrast_of_variants_less_texts(at_mask):
    """Frame by frame, over those that have variants: the last has none."""
    items = a_set(n_frames=10, n_variants=3, at_mask=at_mask)
    scores = scores_of(items)
    found = estimated(items, scores)
    varied = items[items["frame"] != "f09"]
    base, other = (
        tables_of(varied[chosen], scores, everyone())
        for chosen in (varied["variant"] == 0, varied["variant"] > 0)
    )
    for subject in SUBJECTS:
        shift = other[subject] - base[subject]
        row = row_of(found, subject, "contrast", "paraphrase_shift")
        assert_is(row, contrast_of(shift[:4], shift[-3:]), null=0)
        assert row["n_frames"] == 9


def test_the_shift_by_wording_takes_what_both_wordings_have():
    """An attribute that no variant could be asked of is left out of it, and of nothing else."""
    items = a_set(n_frames=10, n_variants=2)

    def missing(_model, item):
        return item.split("/")[2] == "1" and "/a1>" in item

    scores = scores_of(items, missing=missing)
    found = estimated(items, scores)
    varied = items[(items["frame"] != "f09") & (items["attribute"] != "a1")]
    base, other = (
        tables_of(varied[varied["variant"] == number], scores, everyone()[1:]) for number in (0, 1)
    )
    for subject in SUBJECTS:
        shift = other[subject] - base[subject]
        row = row_of(found, subject, "contrast", "paraphrase_shift")
        assert_is(row, contrast_of(shift[:3], shift[-3:]), null=0)


def test_frames_without_variants_say_nothing_of_wording_and_few_give_no_interval():
    """No row without any; with five frames a number and its reason."""
    plain = a_set()
    assert rows_of(estimated(plain, scores_of(plain)), "candidate", "paraphrase_shift") == []
    few = a_set(n_frames=9, n_variants=2)
    few = few[(few["variant"] == 0) | (few["frame"] < "f05")]
    row = row_of(estimated(few, scores_of(few)), "candidate", "contrast", "paraphrase_shift")
    assert_no_interval(row, "too_few_frames")
    assert not math.isnan(row["estimate"])


def test_a_cut_takes_attributes_from_a_share_and_those_as_far_below_half():
    """Whatever their classes; one at exactly half is of neither, and .1 is .9 of the others."""
    shares = {
        **dict(zip(everyone(), (0.97, 0.9, 0.8, 0.6, 0.5, 0.45, 0.1, 0.2, 0.03), strict=True))
    }
    items = a_set(shares=shares)
    scores = scores_of(items)
    found = estimated(items, scores)
    cells = tables_of(items, scores, everyone())
    expected = {".50": (4, 4), ".60": (4, 3), ".70": (3, 3), ".80": (3, 3), ".90": (2, 2)}
    for cut, sizes in expected.items():
        at_least = float(cut)
        upper = [a for a, share in shares.items() if share >= at_least and share > 0.5]
        lower = [
            a for a, share in shares.items() if round(1 - share, 9) >= at_least and share < 0.5
        ]
        assert (len(upper), len(lower)) == sizes
        for subject, table in cells.items():
            first, second = (table[[everyone().index(a) for a in own]] for own in (upper, lower))
            row = row_of(found, subject, f"cut=0{cut}", "contrast_at_cut")
            assert_is(row, contrast_of(first, second), null=0)
            assert row["n_attributes"] == sum(sizes)


def test_without_shares_there_is_no_cut_and_a_cut_of_one_word_has_no_interval():
    """Nothing is known of the world, or too little."""
    items = a_set()
    assert rows_of(estimated(items, scores_of(items)), "candidate", "contrast_at_cut") == []
    items = a_set(shares={**dict.fromkeys(everyone(), 0.75), "b1": 0.2})
    row = row_of(estimated(items, scores_of(items)), "candidate", "cut=0.70", "contrast_at_cut")
    assert_no_interval(row, "too_few_attributes")


@pytest.mark.parametrize("at_mask", [True, False], ids=["group at mask", "attribute at mask"])
def test_the_contrast_without_a_term_is_that_of_a_set_without_it(at_mask):
    """Of the only term of a group there is none: the group would be gone."""
    groups = {"women": ["she", "her", "girl"], "men": ["he"]}
    items = a_set(groups, at_mask=at_mask)
    scores = scores_of(items)
    found = estimated(items, scores)
    for term in groups["women"]:
        for subject, cells in tables_of(items[items["term"] != term], scores, everyone()).items():
            row = row_of(found, subject, f"without_term={term}", "contrast_without_term")
            assert_is(row, contrast_of(cells[:4], cells[-3:]), null=0)
    assert len(rows_of(found, "candidate", "contrast_without_term")) == 3


def test_more_than_twelve_terms_are_a_sample_and_are_not_left_out_one_by_one():
    """Their interval is for other names."""
    terms = {"women": [f"w{n}" for n in range(7)], "men": [f"m{n}" for n in range(6)]}
    items = a_set(terms, at_mask=False)
    found = estimated(items, scores_of(items))
    assert rows_of(found, "candidate", "contrast_without_term") == []
    assert row_of(found, "candidate", "contrast", "stereotype_contrast")["scope"] == "S3"


# --- Rows that behave as one ----------------------------------------------------------------------


def maker_of_residuals(cells, styles):
    """Return the matrix that takes values to what least squares leaves of them.

    A mean of each attribute and style, of frames, and a slope of each frame on the means that the
    attributes' cells have in its style.
    """
    i, j = np.indices(cells.shape).reshape(2, -1)
    of_styles = [f"{row}, {styles[frame]}" for row, frame in zip(i, j, strict=True)]
    table = pd.DataFrame({"attribute": of_styles, "frame": j.astype(str), "value": cells.ravel()})
    effects = pd.get_dummies(table[["attribute", "frame"]]).to_numpy(dtype=float)
    means = table.groupby("attribute")["value"].transform("mean").to_numpy()
    slopes = pd.get_dummies(table["frame"]).to_numpy(dtype=float) * means[:, None]
    design_matrix = np.hstack([effects, slopes])
    return np.eye(cells.size) - design_matrix @ np.linalg.pinv(design_matrix)


def residuals_of(cells, styles, values=None, maker=None):
    """Return what least squares leaves, each attribute with the same spread over frames."""
    maker = maker_of_residuals(cells, styles) if maker is None else maker
    left = (maker @ (cells if values is None else values).ravel()).reshape(cells.shape)
    spreads = np.sqrt((left**2).mean(1, keepdims=True))
    return (maker @ (left / spreads).ravel()).reshape(cells.shape)


def shares_by_chance(cells, styles, axis, rng):
    """Return the shares of one pattern where each residual has a random sign, by loops."""
    maker, shares = maker_of_residuals(cells, styles), []
    residuals = residuals_of(cells, styles, maker=maker)
    for _ in range(199):
        mixed = residuals * (2 * (rng.random(residuals.shape) < 0.5) - 1)
        mixed = residuals_of(cells, styles, mixed, maker)
        shares.append(share_of(mixed.T if axis == "frames" else mixed))
    return np.array(shares)


def share_of(rows):
    """Return the largest eigenvalue of the rows' correlations over their number."""
    return np.linalg.eigvalsh(np.corrcoef(rows))[-1] / len(rows)


@pytest.mark.parametrize("styles", [("",), STYLES], ids=["no styles", "styles"])
def test_the_share_of_one_pattern_is_that_of_residuals_of_least_squares(styles):
    """Its p and what chance gives are those of signs drawn by loops, up to their own error."""
    items = a_set(classes=MANY, n_frames=12, styles=styles)
    scores = scores_of(items)
    found = estimated(items, scores)
    own = [styles[j % len(styles)] or "x" for j in range(12)]
    for subject, cells in tables_of(items, scores, WORDS).items():
        residuals = residuals_of(cells, own)
        for axis in ("frames", "attributes"):
            row = row_of(found, subject, "all", f"{axis}_alike")
            # Relative to their own mean over frames or attributes both are centred already.
            rows = residuals.T if axis == "frames" else residuals
            assert np.allclose(rows.mean(1), 0)
            assert row["estimate"] == pytest.approx(share_of(rows))
            shares = shares_by_chance(cells, own, axis, np.random.default_rng(3))
            p = (1 + (shares >= row["estimate"]).sum()) / 200
            assert row["p"] == pytest.approx(p, abs=0.15)
            assert row["null_value"] == pytest.approx(shares.mean(), rel=0.03)


def test_near_copies_of_frames_and_of_attributes_are_named():
    """Two frames that ask the same, two words that are one: each pair has a row of its own."""
    items = a_set(classes=MANY, n_frames=14)
    scores = scores_of(items, noise=1.0)
    values = dict(zip(zip(scores["model"], scores["item"], strict=True), scores["value"],
                      strict=True))  # fmt: skip
    rng = np.random.default_rng(1)

    def of(model, item):
        name, frame, variant, rest = item.split("/")
        source = "/".join([name, "3" if frame == "7" else frame, variant,
                           rest.replace("a05>", "b02>")])  # fmt: skip
        noise = rng.normal(0, 0.1) if source != item else 0.0
        return values[model, source] + noise

    copied = scores.assign(
        value=[of(m, i) for m, i in zip(scores["model"], scores["item"], strict=True)]
    )
    found = estimated(items, copied).estimates
    cells = tables_of(items, copied, WORDS)
    for kind, pair, places in (
        ("frames", "f03 & f07", (3, 7)),
        ("attributes", "a05 & b02", (WORDS.index("a05"), WORDS.index("b02"))),
    ):
        own = found[found["slice"] == f"{kind}={pair}"]
        assert list(own["subject"]) == list(SUBJECTS)
        for row in own.to_dict("records"):
            table = cells[row["subject"]]
            residuals = residuals_of(table, [""] * 14)
            rows = residuals.T if kind == "frames" else residuals
            expected = np.corrcoef(rows[list(places)])[0, 1]
            assert row["estimate"] == pytest.approx(expected)
            assert math.isnan(row["p"])
        whole = found[(found["slice"] == "all") & (found["estimator"] == f"{kind}_alike")]
        assert len(whole) == 3


def test_frames_that_let_attributes_lean_differently_far_are_no_likeness():
    """Only of what goes beyond that is anything said: of two copies among such frames it still is.

    The scale of a frame is one pattern in all of them, and would be found in every set.
    """
    items = a_set(classes=MANY, n_frames=14)
    rng = np.random.default_rng(6)
    far = dict(enumerate(np.exp(0.6 * rng.standard_normal(14))))
    leans = {word: rng.normal(0, 1.5) for word in WORDS}
    scores = scores_of(items, noise=0.4)
    for is_copied in (False, True):
        noise = {(m, i): rng.normal(0, 0.4) for m, i in zip(scores["model"], scores["item"],
                                                           strict=True)}  # fmt: skip

        def of(model, item, noise=noise, is_copied=is_copied):
            _, frame, _, rest = item.split("/")
            word = rest.split(">")[0]
            side = 0.5 if rest.endswith("she") else -0.5
            source = item.replace("/7/", "/3/", 1) if is_copied and frame == "7" else item
            return side * far[int(frame)] * leans[word] + noise[model, source] - 3

        made = scores.assign(
            value=[of(m, i) for m, i in zip(scores["model"], scores["item"], strict=True)]
        )
        found = estimated(items, made)
        named = {row["slice"] for row in rows_of(found, "candidate", "frames_alike")} - {"all"}
        assert named == ({"frames=f03 & f07"} if is_copied else set())
        if not is_copied:
            assert row_of(found, "candidate", "all", "frames_alike")["p"] > 0.05
            cells = tables_of(items, made, WORDS)["candidate"]
            plain = cells - cells.mean(0) - cells.mean(1, keepdims=True)
            assert share_of(plain.T) > 2 * share_of(residuals_of(cells, [""] * 14).T)


@pytest.mark.parametrize(
    ("classes", "n_frames", "flag"),
    [(MANY, 5, "too_few_frames"), ({"first": ["a1", "a2"], "second": ["b1", "b2"]}, 8,
                                   "too_few_attributes")],
)  # fmt: skip
def test_too_few_rows_are_not_compared(classes, n_frames, flag):
    """Of five frames nobody can say whether two are alike."""
    items = a_set(classes=classes, n_frames=n_frames)
    found = estimated(items, scores_of(items))
    for name in ("frames_alike", "attributes_alike"):
        assert_no_interval(row_of(found, "candidate", "all", name), flag)


# --- Families -------------------------------------------------------------------------------------


def test_likeness_within_families_is_that_of_a_one_way_analysis():
    """By statsmodels, of the attributes' means in a class; the other class names none."""
    families = {word: f"k{int(word[1:]) % 4}" for word in MANY["first"]}
    items = a_set(classes=MANY, families=families)
    scores = scores_of(items)
    found = estimated(items, scores)
    for subject, cells in tables_of(items, scores, WORDS).items():
        rows = pd.DataFrame({"y": cells[:12].mean(1), "family": list(families.values())})
        table = anova_lm(smf.ols("y ~ C(family)", rows).fit())
        between, within = table["sum_sq"] / table["df"]
        row = row_of(found, subject, "class=first", "family_icc")
        # Three attributes in each of four families.
        assert row["estimate"] == pytest.approx((between - within) / (between + 2 * within))
        assert row["p"] == pytest.approx(table["PR(>F)"]["C(family)"])
        assert (row["n_families"], row["n_attributes"]) == (4, 12)
    assert len(rows_of(found, "candidate", "family_icc")) == 1
    contrast = row_of(found, "candidate", "contrast", "stereotype_contrast")
    assert contrast["n_families"] == 4
    assert "unit:family+frame" in contrast["method"]


def test_a_family_for_each_attribute_says_nothing_of_families():
    """There is nothing within them to compare."""
    items = a_set(families={a: f"k{a}" for a in everyone()})
    row = row_of(estimated(items, scores_of(items)), "candidate", "class=first", "family_icc")
    assert_no_interval(row, "not_estimable")
    assert math.isnan(row["estimate"])


# --- All of them ----------------------------------------------------------------------------------


def test_gaps_cost_what_they_touch():
    """Missing cells are left out of what holds rows against each other, and filled elsewhere."""
    items = a_set(classes=MANY, families={a: f"k{int(a[1:]) % 4}" for a in WORDS}, n_frames=12)
    gone = ("one/3/0/a01>", "one/7/0/b04>")
    scores = scores_of(items, missing=lambda _model, item: item.startswith(gone))
    found = estimated(items, scores)
    for name in ("frames_with_sign", "deciding_frames", "deciding_attributes"):
        row = row_of(found, "candidate", "contrast", name)
        assert (row["n_attributes"], row["n_frames"], row["flag"]) == (24, 12, "")
    row = row_of(found, "candidate", "all", "frames_alike")
    assert (row["n_attributes"] * row["n_frames"], row["flag"]) != (24 * 12, "too_few_frames")
    assert row["flag"] == ""
    # In its own class the frame of the gap is the one that lacks the smaller share.
    row = row_of(found, "candidate", "class=first", "family_icc")
    assert (row["n_attributes"], row["n_frames"]) == (12, 11)


def test_a_set_without_a_contrast_has_none_of_these():
    """There is nothing that could rest on anything."""
    items = a_set(n_variants=2, styles=STYLES)
    found = estimated(items, scores_of(items), contrast=None).estimates
    asked = {"frames_with_sign", "paraphrase_shift", "style_contrast", "frames_alike"}
    assert not asked & set(found["estimator"])


def test_numbers_are_the_same_whichever_others_are_wanted():
    """What is left out saves time and changes nothing."""
    items = a_set(TWO_GROUPS, n_variants=2, styles=STYLES, n_frames=18)
    scores = scores_of(items)
    whole = estimated(items, scores).estimates
    names = {"style_q", "frames_alike", "contrast_without_term"}
    some = estimate(items, scores, [design()], wanted=names.__contains__).estimates
    ours, theirs = (
        part[part["estimator"].isin(names)].reset_index(drop=True) for part in (whole, some)
    )
    pd.testing.assert_frame_equal(ours, theirs)
    assert set(ours["estimator"]) == names

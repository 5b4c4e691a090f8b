"""Two versions of a model are paired by item, and what changed is told."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import maskaudit
from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.headline import headline
from maskaudit.audit.estimating.statistics.crossed import means as crossed_means
from maskaudit.audit.judging.comparing.changes import changes as changes_between
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.reports.terminal import versions as told
from tests import manifests
from tests.reports import records

pytestmark = pytest.mark.slow


# --- Paired by item -------------------------------------------------------------------------------


def pair_of(*names):
    """Return an older and a newer record of these sets; the newer one leans further."""
    pair = (
        records.record(reference=None, candidate=lean, accuracy=(right,), seed=seed)
        for lean, right, seed in ((0.6, 0.9, 7), (1.1, 0.6, 8))
    )
    return tuple(only(record, *names) if names else record for record in pair)


def with_set(record, name, **changed):
    """Return the record with other words about one of its sets."""
    sets = record.manifest.probe_sets
    sets = {**sets, name: {**manifests.plain(sets[name]), **changed}}
    return replace(record, manifest=manifests.changed(record.manifest, probe_sets=sets))


def said(record, **changed):
    """Return the record with other entries in its manifest."""
    return replace(record, manifest=manifests.changed(record.manifest, **changed))


def shifted(record, by, *, where):
    """Return the record with a constant added to the candidate's scores of some items."""
    items = record.items.loc[where(record.items), "item"]
    chosen = (record.scores["model"] == "candidate") & record.scores["item"].isin(list(items))
    values = record.scores["value"] + np.where(chosen, by, 0.0)
    return replace(record, scores=record.scores.assign(value=values))


def noisy(record, size=0.1):
    """Return the record of a model whose scores are others by chance."""
    draws = np.random.default_rng(5).normal(0, size, len(record.scores))
    return replace(record, scores=record.scores.assign(value=record.scores["value"] + draws))


def of_women_jobs(items):
    """Which items are of the first group and of the class that the stereotype gives it."""
    return (items["group"] == "women") & (items["class"] == "women_jobs")


def only(record, *names):
    """Return the record with some of its sets."""
    sets = record.manifest.probe_sets
    kept = record.items["probe_set"].isin(names)
    return replace(
        said(record, probe_sets={name: sets[name] for name in names}),
        items=record.items[kept].reset_index(drop=True),
    )


def log_odds(record, name):
    """Return log p(she) - log p(he) of the candidate by attribute and frame, by pandas alone."""
    items = record.items[(record.items["probe_set"] == name) & (record.items["role"] == "probe")]
    scores = record.scores[record.scores["model"] == "candidate"]
    rows = items.merge(scores.assign(value=scores["value"].astype("float32")), on="item")
    wide = rows.pivot(index=["class", "attribute"], columns=["frame", "group"], values="value")
    wide = wide.astype("float64")
    women, men = (wide.xs(group, axis=1, level="group") for group in ("women", "men"))
    return women - men


def row_of(found, name, subject="difference", estimator="stereotype_contrast", slice_="contrast"):
    """Return one row of the estimates."""
    places = ["probe_set", "subject", "estimator", "slice"]
    return found.estimates.set_index(places).loc[(name, subject, estimator, slice_)]


def test_a_record_against_itself_differs_by_exactly_nothing():
    """Every difference and log ratio is 0 to the last bit; what is not kept by item is absent."""
    record = pair_of("jobs", "facts")[0]
    found = versions(record, record)
    of = found.estimates.set_index("subject")
    assert set(of.index) == {"reference", "candidate", "difference", "relation"}
    assert (of.loc["difference", "estimate"].dropna() == 0).all()
    ratios = of.loc["relation"].set_index("estimator")["estimate"].dropna()
    assert (ratios[["log_kappa", "log_magnitude_ratio", "inheritance", "flips"]] == 0).all()
    assert not set(of["estimator"]) & {"kl", "jsd", "top1", "agreement@10", "fidelity"}
    assert (found.largest, found.lost, found.refused, found.notes) == (0, (), {}, ())
    assert found.same_model
    # An answer of several pieces has a second score: the likeliest filling of its masks.
    scores = record.scores[record.scores["item"].isin(record.items["item"])]
    of_candidate = scores[scores["model"] == "candidate"]
    assert found.compared == of_candidate["value"].notna().sum()
    assert "nothing changed, all" in told.compared(
        found, changes_between(record, record), record.manifest.probe_sets, 3
    )


def test_the_change_of_a_contrast_is_that_of_the_cells_paired_by_hand():
    """Pandas joins the two records; the interval is that of the differences of its cells."""
    old, new = pair_of("jobs")
    found = versions(old, new)
    change = log_odds(new, "jobs") - log_odds(old, "jobs")
    first, second = (change.loc[name].to_numpy() for name in ("women_jobs", "men_jobs"))
    by_hand = crossed_means.contrast_interval(first, second)
    row = row_of(found, "jobs")
    for column in ("estimate", "low", "high", "std_error", "df", "p"):
        assert row[column] == pytest.approx(getattr(by_hand, column), rel=1e-9)
    for subject, record in (("reference", old), ("candidate", new)):
        cells = log_odds(record, "jobs")
        expected = cells.loc["women_jobs"].mean().mean() - cells.loc["men_jobs"].mean().mean()
        assert row_of(found, "jobs", subject)["estimate"] == pytest.approx(expected, rel=1e-12)


def test_a_constant_that_is_added_to_one_group_is_found_as_it_is():
    """Worked by hand: half a nat for she in women's jobs moves the contrast by half a nat."""
    old = pair_of()[0]
    new = shifted(old, 0.5, where=of_women_jobs)
    found = versions(old, new)
    for name in ("jobs", "people"):
        assert row_of(found, name)["estimate"] == pytest.approx(0.5, abs=1e-6)
    assert row_of(found, "facts", estimator="accuracy@1", slice_="all")["estimate"] == 0
    assert found.largest == pytest.approx(0.5, abs=1e-6)


def test_old_and_new_in_each_others_place_turn_every_sign():
    """Differences and log ratios are negated, the models' own numbers change their subject."""
    old, new = pair_of("jobs", "facts")
    there, back = versions(old, new), versions(new, old)
    places = ["probe_set", "slice", "estimator", "mode"]
    for name, other in (("difference", "difference"), ("reference", "candidate")):
        one, two = (
            found.estimates[found.estimates["subject"] == subject].set_index(places)["estimate"]
            for found, subject in ((there, name), (back, other))
        )
        sign = -1 if name == "difference" else 1
        both = pd.concat([one, sign * two], axis=1)
        # How well the differences rank the attributes does not depend on their sign.
        ranking = ["generalizability", "dependability", "frames_needed"]
        values = both.drop(ranking, level="estimator").dropna().to_numpy()
        assert len(values) > 50
        np.testing.assert_allclose(values[:, 0], values[:, 1], atol=1e-9)
    for ratio in ("log_kappa", "log_magnitude_ratio"):
        forth, again = (row_of(f, "jobs", "relation", ratio, "all") for f in (there, back))
        assert forth["estimate"] == pytest.approx(-again["estimate"], abs=1e-12)
        assert forth["low"] == pytest.approx(-again["high"], abs=1e-12)


def test_the_reference_of_a_record_plays_no_part():
    """An old candidate that was audited alone is paired in the same way."""
    old, new = records.record([records.control()]), pair_of("days")[1]
    alone = replace(old, scores=old.scores[old.scores["model"] == "candidate"])
    alone = said(alone, models={"candidate": old.manifest.models["candidate"]})
    one, two = (versions(record, new).estimates for record in (old, alone))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"version": "1.1"}, "version: 1.0, then 1.1"),
        ({"items_digest": "0b12" * 16}, "items: {digest:.12}, then 0b120b120b12"),
        ({"contrast": ["men_jobs", "women_jobs"]},
         "contrast: women_jobs-men_jobs, then men_jobs-women_jobs"),
    ],
)  # fmt: skip
def test_a_set_that_was_measured_in_another_way_is_refused_and_the_others_compared(
    changed, expected
):
    """With what differs."""
    old, new = pair_of("jobs", "facts")
    digest = old.manifest.probe_sets["jobs"].items_digest
    found = versions(old, with_set(new, "jobs", **changed))
    assert found.refused == {"jobs": expected.format(digest=digest)}
    assert set(found.estimates["probe_set"]) == {"facts"}


def test_frames_that_were_drawn_anew_cannot_be_paired_by_item():
    """The history is where they belong; the same draw again is compared."""
    grammar = {"universe": "u", "seed": 1}
    old, same = (with_set(part, "jobs", grammar=grammar) for part in pair_of("jobs", "facts"))
    other = with_set(same, "jobs", items_digest="other")
    reason = versions(old, other).refused["jobs"]
    assert reason == "frames were drawn anew: see maskaudit history"
    assert not versions(old, same).refused


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ({"dtype": "float16"}, "dtype: float32, then float16"),
        ({"dtype": "float32", "torch": "2.13.0"}, "torch: none, then 2.13.0"),
        ({"dtype": "float32", "lexicon": "abc"}, "lexicon: none, then abc"),
    ],
)
def test_other_software_refuses_every_set_and_says_what_differs(method, expected):
    """Numbers of unequal method keys are never compared: the exit code is 3."""
    old, new = pair_of("jobs", "days")
    with pytest.raises(NotJudgedError) as caught:
        versions(old, said(new, method=method))
    assert caught.value.exit_code == 3
    assert f"jobs, days ({expected})" in str(caught.value)
    assert "it was measured in another way" in str(caught.value)


def test_a_set_that_only_one_audit_has_is_told():
    """Which of the two has it."""
    old, new = pair_of()
    found = versions(only(old, "facts", "days"), only(new, "facts", "people"))
    expected = {"days": "only in the older audit", "people": "only in the newer audit"}
    assert found.refused == expected
    with pytest.raises(NotJudgedError, match=r"days \(only in the older audit\); people"):
        versions(only(old, "days"), only(new, "people"))


def test_some_sets_may_be_asked_for():
    """The others are neither compared nor refused; none at all is nothing judged."""
    old, new = pair_of("jobs", "days")
    found = versions(with_set(old, "days", version="0"), new, probe_sets={"jobs"})
    assert set(found.estimates["probe_set"]) == {"jobs"}
    assert not found.refused
    whole = versions(old, new).estimates
    own = whole[whole["probe_set"] == "jobs"].reset_index(drop=True)
    # p values are adjusted over the sets that are compared.
    pd.testing.assert_frame_equal(
        found.estimates.drop(columns="p_adjusted"), own.drop(columns="p_adjusted")
    )
    for asked in ((), {"unknown"}):
        with pytest.raises(NotJudgedError, match="no probe set is selected"):
            versions(old, new, probe_sets=asked)


@pytest.mark.parametrize("side", ["old", "new"])
def test_what_one_version_alone_could_score_is_counted_and_left_out(side):
    """Whichever of the two lost it; the cells that lack it are named."""
    whole = pair_of("jobs")[0]
    poorer = records.record([records.jobs()], reference=None, candidate=1.1, lost=7)
    pair = (whole, poorer) if side == "new" else (poorer, whole)
    found = versions(*pair)
    gone = poorer.scores[
        (poorer.scores["model"] == "candidate") & (poorer.scores["status"] != "ok")
    ]
    items = poorer.items.merge(gone, on="item").drop_duplicates(["probe_set", "item"])
    assert sum(part["items"] for part in found.lost) == len(items) == 7
    assert {part["version"] for part in found.lost} == {side}
    assert {part["status"] for part in found.lost} == {"target_unknown"}
    assert set(found.lost[0]["examples"]) <= {"She", "He"}
    places = items[["attribute", "frame"]].drop_duplicates()
    assert {(part.attribute, part.frame) for part in found.left_out} == set(
        places.itertuples(index=False, name=None)
    )
    text = told.compared(found, changes_between(*pair), whole.manifest.probe_sets, 2)
    which = "newer" if side == "new" else "older"
    assert f"7 items that only the {which} version could not score" in text


def test_an_item_that_was_never_asked_is_lost_too():
    """A row that is not there is not taken for a score."""
    old, new = pair_of("jobs")
    gone = old.items.loc[old.items["probe_set"] == "jobs", "item"].iloc[0]
    found = versions(replace(old, scores=old.scores[old.scores["item"] != gone]), new)
    (part,) = found.lost
    assert (part["version"], part["status"], part["items"]) == ("old", "not_asked", 1)


def test_a_set_without_a_score_in_both_is_refused():
    """There is nothing to pair, and no number of it."""
    old, new = pair_of("days", "facts")
    items = old.items.loc[old.items["probe_set"] == "days", "item"]
    values = old.scores["value"].mask(old.scores["item"].isin(list(items)))
    found = versions(replace(old, scores=old.scores.assign(value=values)), new)
    assert found.refused == {"days": "none of its items has a score in both versions"}


def test_another_tokenizer_is_no_reason_to_refuse():
    """Identities may differ: that is what a comparison is for."""
    old, new = pair_of("facts")
    models = new.manifest.models
    other = {**models, "candidate": {**manifests.plain(models["candidate"]), "tokenizer": "c" * 64}}
    found = versions(old, said(new, models=other))
    assert not found.refused
    assert not found.same_model


def test_how_a_model_was_run_and_by_which_version_of_ours_is_noted():
    """Neither is part of a method key."""
    old, new = pair_of("facts")
    models = new.manifest.models
    other = {**models, "candidate": {**manifests.plain(models["candidate"]), "device": "cuda"}}
    found = versions(old, said(new, models=other, maskaudit="0.2.0"))
    assert found.notes == (
        "how the model was run (device: cpu, then cuda)",
        "different software (maskaudit: 0.1.0, then 0.2.0)",
    )


def test_published_sets_are_compared_by_the_same_items():
    """Pairs and triples have scores of items, and pieces where a score is divided by them."""
    sets = [records.pairs(n=20, edits=5), records.triples(n=20)]
    new = records.record(sets, reference=None)
    found = versions(noisy(new), new)
    own = new.estimates[new.estimates["subject"] == "candidate"]
    places = ["probe_set", "slice", "estimator", "mode"]
    here = found.estimates[found.estimates["subject"] == "candidate"]
    both = own.merge(here, on=places, suffixes=("", "_here"))
    assert {"pll", "aula", "ss", "icat", "lms"} <= set(both["estimator"])
    # Every estimate is of the same units here as in the record itself.
    np.testing.assert_allclose(both["estimate"], both["estimate_here"], rtol=1e-6)
    assert len(both) == len(own[own["estimator"].isin(list(here["estimator"]))])


# --- What changed, cell by cell -------------------------------------------------------------------


def test_the_leans_are_those_of_the_cells_less_their_frames_average():
    """By pandas alone; their changes make up the change of the contrast, worst first."""
    old, new = pair_of("jobs")
    found = changes_between(old, new)
    own = found[(found["probe_set"] == "jobs")]
    assert set(own["number"]) == {"lean"}
    for when, record in (("old", old), ("new", new)):
        cells = log_odds(record, "jobs")
        leans = (cells - cells.mean()).stack().droplevel("class")  # noqa: PD013 - a Series
        mine = own.set_index(["attribute", "frame"])[when]
        pd.testing.assert_series_equal(
            mine.sort_index(), leans.sort_index(), check_names=False, rtol=1e-9
        )
    means = own.groupby("class")["change"].mean()
    change = row_of(versions(old, new), "jobs")["estimate"]
    assert means["women_jobs"] - means["men_jobs"] == pytest.approx(change, rel=1e-9)
    signs = own["class"].map({"women_jobs": 1, "men_jobs": -1})
    np.testing.assert_allclose(own["worse"], signs * own["change"])
    assert own["directed"].all()
    assert found["worse"].is_monotonic_decreasing


def test_a_shift_of_all_words_alike_is_no_change_of_any_lean():
    """The stereotype contrast does not move either."""
    old = pair_of("jobs", "people")[0]
    new = shifted(old, 0.5, where=lambda items: items["group"] == "women")
    found = changes_between(old, new)
    assert found["change"].abs().max() < 1e-6


def test_each_change_comes_with_its_sentence_and_groups():
    """Where the terms stand in the context there are several sentences, and the first is shown."""
    old, new = pair_of()
    found = changes_between(old, new)
    jobs = found[found["probe_set"] == "jobs"].iloc[0]
    assert jobs["groups"] == "women/men"
    assert "[MASK]" in jobs["sentence"]
    assert jobs["attribute"] in jobs["sentence"]
    assert jobs["sentences"] == 1
    people = found[found["probe_set"] == "people"].iloc[0]
    assert people["sentences"] == 4
    assert any(word in people["sentence"] for word in ("woman", "girl", "man", "boy"))


def test_without_a_stereotype_a_change_counts_by_its_size():
    """In a control set, and in a set of facts whose items are shown as they are."""
    old, new = pair_of()
    found = changes_between(old, new)
    rest = found[found["probe_set"].isin(["days", "facts"])]
    assert not rest["directed"].any()
    np.testing.assert_array_equal(rest["worse"], rest["change"].abs())
    facts = rest[rest["probe_set"] == "facts"]
    own = new.scores[(new.scores["model"] == "candidate") & (new.scores["measure"] == "logp")]
    scores = own.set_index("item")["value"]
    items = new.items[new.items["probe_set"] == "facts"].drop_duplicates("item")
    assert sorted(facts["new"]) == sorted(items["item"].map(scores).astype("float32").astype(float))


def test_a_pair_is_the_score_of_the_stereotype_less_the_other():
    """By one measure, paired by hand."""
    new = records.record([records.pairs(n=12)], reference=None)
    old = noisy(new)
    found = changes_between(old, new).set_index("frame")
    assert set(found["number"]) == {"pll_word_l2r"}
    expected = {}
    for record in (old, new):
        scores = record.scores[
            (record.scores["model"] == "candidate") & (record.scores["measure"] == "pll_word_l2r")
        ]
        rows = record.items.merge(scores, on="item")
        sides = rows.pivot(index="frame", columns="label", values="value").astype("float32")
        expected[record is new] = (sides["stereotype"] - sides["anti"]).astype("float64")
    change = expected[True] - expected[False]
    pd.testing.assert_series_equal(
        found["worse"].sort_index(), change.sort_index(), check_names=False, rtol=1e-5
    )


def test_a_frame_with_one_attribute_has_no_average_to_lean_against():
    """Where frames belong to attributes the log-odds stand as they are."""

    def nested(record):
        items = record.items[record.items["probe_set"] == "jobs"]
        frames = sorted(items["frame"].unique())
        attributes = [*records.WORDS_WOMEN[:5], *records.WORDS_MEN[:5]]
        own = dict(zip(frames, attributes, strict=True))
        kept = items[items["attribute"] == items["frame"].map(own)]
        return replace(only(record, "jobs"), items=kept.reset_index(drop=True))

    old, new = map(nested, pair_of())
    found = changes_between(old, new)
    assert set(found["number"]) == {"log_odds"}
    cells = log_odds(new, "jobs").stack().droplevel("class")  # noqa: PD013 - a Series
    mine = found.set_index(["attribute", "frame"])["new"]
    pd.testing.assert_series_equal(
        mine.sort_index(), cells.loc[mine.index].sort_index(), check_names=False
    )
    assert not versions(old, new).estimates.empty


def test_three_groups_are_compared_two_by_two():
    """Each with its contrast and its cells."""
    made = records.jobs()
    made["groups"]["others"] = {"label": "others", "terms": [{"text": "they"}]}
    new = records.record([made], reference=None)
    old = noisy(new)
    found = versions(old, new)
    pairs = ["women/men", "women/others", "men/others"]
    rows = headline(found.estimates, "difference")
    contrasts = rows[rows["estimator"] == "stereotype_contrast"]
    assert list(contrasts["slice"]) == [f"{pair}: contrast" for pair in pairs]
    changes = changes_between(old, new)
    assert set(changes["groups"]) == set(pairs)
    means = changes.groupby(["groups", "class"])["change"].mean()
    for pair, estimate in zip(pairs, contrasts["estimate"], strict=True):
        assert means[pair, "women_jobs"] - means[pair, "men_jobs"] == pytest.approx(estimate)


def test_the_lines_for_a_terminal_put_the_clearest_change_first():
    """Each set with its number, interval and worst cells; nothing of it is a bare number."""
    old, _ = pair_of("people", "jobs", "facts")
    new = shifted(old, 0.5, where=lambda items: of_women_jobs(items) & (items["kind"] != "cloze"))
    new = said(new, created="2026-02-03T00:00:00+00:00")
    found, changes = versions(old, new), changes_between(old, new)
    text = told.compared(found, changes, new.manifest.probe_sets, 2)
    assert text.startswith("From 2026-01-02T03:04:05+00:00 to 2026-02-03T00:00:00+00:00")
    assert "stereotype contrast, change in nats: +0.50 (+0.50 to +0.50), p < .001, adjusted" in text
    assert text.count("towards the stereotype; ") == 4
    assert text.index("Pronoun by job") < text.index("Plain facts")
    assert text.endswith(told.NOT_KEPT)
    as_json = told.compared_json(found, changes, 2)
    assert [row["probe_set"] for row in as_json["changes"][:4]].count("jobs") == 2
    assert as_json["largest"] == pytest.approx(0.5, abs=1e-6)
    assert not as_json["identical"]


@pytest.mark.parametrize("nats", [None, 0.5, 0.01])
def test_a_change_that_is_not_shown_is_followed_by_what_it_is_the_same_within(nats):
    """The declared margin where the 90 % interval is inside it, otherwise the smallest."""
    old, _ = pair_of("jobs")
    new = noisy(old, 0.3)
    if nats:
        new = with_set(new, "jobs", margins={"contrast": {"nats": nats, "reason": "x"}})
    found = versions(old, new)
    row = row_of(found, "jobs")
    assert row["p_adjusted"] > 0.05
    most = abs(row["estimate"]) + stats.t.ppf(0.95, row["df"]) * row["std_error"]
    text = told.compared(found, changes_between(old, new), new.manifest.probe_sets, 2)
    same = "the same within 0.50 nats"
    if nats != 0.5:
        same = f"at most {math.ceil(100 * most) / 100:.2f} nats apart, 90 % interval"
    assert most < 0.5
    assert f", adjusted; no change shown, {same}\n" in text


def test_a_change_that_is_put_first_or_shown_is_quoted_as_chosen():
    """The first of two sets, by a level that pays for the choice; the other one as it stands."""
    old, new = pair_of("people", "jobs")
    rows = {"people": (0.1, 0.2, 0.62), "jobs": (0.3, 0.1, 0.0108)}
    found = versions(old, new)
    estimates = found.estimates.copy()
    for name, (estimate, std_error, p) in rows.items():
        chosen = (estimates["estimator"] == "stereotype_contrast") & (
            (estimates["subject"] == "difference") & (estimates["probe_set"] == name)
        )
        columns = ["estimate", "low", "high", "std_error", "df", "p_adjusted"]
        plain = (estimate - 2 * std_error, estimate + 2 * std_error)
        estimates.loc[chosen, columns] = [estimate, *plain, std_error, 30.0, p]
    found = replace(found, estimates=estimates)
    text = told.compared(found, changes_between(old, new), new.manifest.probe_sets, 0)
    half = stats.t.ppf(1 - 0.0125, 30) * 0.1
    limits = f"+{0.3 - half:.2f} to +{0.3 + half:.2f}"
    assert re.search(
        re.escape(
            f"change in nats: +0.30 (97.5 % interval {limits}, because it was chosen from 2 sets; "
            "likely nearer +0."
        )
        + r"[12]\d\), p = \.011, adjusted",
        text,
    )
    assert "change in nats: +0.10 (−0.30 to +0.50), p = .620, adjusted" in text


def test_a_real_student_against_another_is_the_pair_of_one_audit(audited, tmp_path_factory):
    """Two records of one model each give what one record of both gives, and itself nothing."""
    first, _, second = audited
    found = versions(first, second)
    assert found.compared == (first.scores["model"] == "candidate").sum()
    folder = tmp_path_factory.mktemp("both")
    models = audited[0].path.parent
    both = maskaudit.run(
        reference=str(models / "student2"), candidate=str(models / "student3"),
        probes=[str(models / "people.toml")], out=folder,
    )  # fmt: skip
    places = ["probe_set", "slice", "estimator", "subject", "mode", "method"]
    rows = both.estimates.merge(found.estimates, on=places, suffixes=("", "_here"))
    assert len(rows) == len(found.estimates) > 10
    np.testing.assert_allclose(rows["estimate"], rows["estimate_here"], atol=1e-5)
    assert versions(first, audited[1]).largest == 0

"""What the page says of both models together, against the estimates and by hand."""

import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from maskaudit.audit.estimating.statistics.inheritance import CLASSES
from maskaudit.reports.blocks import Definitions, Part
from maskaudit.reports.sections.association.inherited import classes as inherited_classes
from maskaudit.reports.sections.association.inherited import section as inherited
from maskaudit.reports.sections.method.intervals import _INTERVALS
from tests.reports import records
from tests.reports.records import page
from tests.reports.test_page import parts, said, table

pytestmark = pytest.mark.slow

FRAMES = 20


def part(made, title=inherited.TITLE):
    """Return the part about both models; None where a page has none."""
    return next((found for found in parts(made, Part) if found.title == title), None)


def related(found, estimator, probe_set="jobs"):
    """Return one number of both models together, by a line of pandas."""
    return records.estimate_of(found, probe_set, "relation", estimator, "all")


def text_of(cell):
    """Return what a cell shows on its first line."""
    return cell if isinstance(cell, str) else cell.text


def told(found):
    """Return the first sentence of the part."""
    return part(page(found)).blocks[0].text


@pytest.fixture(scope="module")
def found():
    """Return a record of one set with enough frames, shares and neutral words."""
    return records.record(
        [records.with_shares(records.jobs(frames=FRAMES), neutral=True)], further=0.1
    )


def test_the_first_sentence_says_how_much_is_kept_and_of_what_pattern(found):
    """The factor is the exponential of the estimate, its interval that of the limits."""
    size, r = related(found, "log_kappa"), related(found, "disattenuated_r")
    low, factor, high = (math.exp(size[name]) for name in ("low", "estimate", "high"))
    assert (
        f"The leans of the candidate (student) are {factor:.2f} times as large as those of the "
        f"reference (teacher) (95 % interval {low:.2f} to {high:.2f}; p < .001, not adjusted; "
        f"14 attributes in {FRAMES} frames), and almost the same in pattern (r = "
        f"{r['estimate']:.3f}, 95 % interval {r['low']:.3f} to {r['high']:.3f}; limits may lie "
        "beyond −1 and 1)."
    ) in told(found)
    assert r["high"] > 1


def test_a_change_of_size_that_is_not_shown_says_what_could_have_been():
    """No amplification shown is not reported as none."""
    found = records.record([records.jobs(frames=FRAMES)], reference=0.8, candidate=0.82, noise=0.1)
    size = related(found, "log_kappa")
    assert size["low"] < 0 < size["high"]
    assert "Neither amplification nor attenuation could be shown: " in told(found)
    factors = [math.exp(size["mde"]), math.exp(-size["mde"])]
    assert f"to be found is {factors[0]:.2f}, or {factors[1]:.2f} the other way; " in told(found)
    half = stats.t.ppf(0.95, size["df"]) * size["std_error"]
    most = abs(size["estimate"]) + half
    low, high = math.floor(100 * math.exp(-most)) / 100, math.ceil(100 * math.exp(most)) / 100
    assert f"; shown to be between {low:.2f} and {high:.2f} times, 90 % interval)" in told(found)


def test_few_frames_are_exploratory_and_fewer_are_refused():
    """Below twenty the word stands first; below ten there is no number."""
    assert told(records.record([records.jobs(frames=12)])).startswith("Exploratory, ")
    few = told(records.record([records.jobs(frames=8)]))
    assert "takes at least 10 frames, and this set has 8." in few
    assert "times as large" not in few
    rows = table(page(records.record([records.jobs(frames=8)])), "inherited-jobs").groups[0].rows
    assert rows[0][1].beside == "not computed: too few frames"
    assert rows[0][4:6] == ("not tested", "–")


@pytest.mark.parametrize(
    ("leans", "who"),
    [
        ((0.0, 0.9), "the reference"),
        ((0.9, 0.0), "the candidate"),
        ((0.0, 0.0), "both models"),
    ],
)
def test_without_an_association_nothing_can_be_told(leans, who):
    """The page says which of the two has none."""
    found = records.record(
        [records.jobs(frames=FRAMES)], reference=leans[0], candidate=leans[1], seed=3
    )
    interval = "their intervals include" if who == "both models" else "its interval includes"
    assert told(found).startswith(
        f"How much is inherited cannot be estimated: the association of {who} is not clearly above "
        f"zero ({interval} zero)."
    )
    rows = table(page(found), "inherited-jobs").groups[0].rows
    assert rows[0][1] != "nan"
    assert rows[0][1].beside == "not estimable"


def test_a_model_and_its_copy_have_the_same_leans():
    """An exact one is said as one."""
    found = records.record([records.jobs(frames=FRAMES)], reference=0.8, candidate=0.8, noise=0.0)
    assert told(found).startswith(
        "The candidate (student) has exactly the leans of the reference (teacher). "
    )
    assert "flipped" not in told(found)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((0.96, 1.0), "almost the same in pattern"),
        ((0.6, 0.99), "alike in pattern"),
        ((0.1, 0.99), "loosely alike in pattern"),
        ((-0.2, 0.4), "no likeness in pattern could be shown"),
    ],
)
def test_the_pattern_is_told_from_the_interval(found, limits, words):
    """An estimate alone claims nothing."""
    estimates = found.estimates.copy()
    rows = estimates["estimator"] == "disattenuated_r"
    estimates.loc[rows, ["low", "high"]] = limits
    assert f", and {words} (r = " in told(replace(found, estimates=estimates))


def test_every_attribute_is_counted_once_in_the_class_of_the_record(found):
    """The sentence, the list and the whole table agree with the estimates."""
    own = found.estimates[found.estimates["estimator"] == "inheritance"]
    counts = own["outcome"].value_counts().to_dict()
    assert sum(counts.values()) == 14
    made = part(page(found))
    listed = next(parts(made, Definitions))
    words = {name: "change not known" if name == "undecided" else name for name in CLASSES}
    assert {t.term for t in listed.terms} == {f"{n} {words[name]}" for name, n in counts.items()}
    rows = table(page(found), "attributes-jobs").groups[0].rows
    assert len({row[0] for row in rows}) == 14
    for row in rows:
        value = own[own["slice"] == f"attribute={row[0]}"].iloc[0]
        assert text_of(row[5]) == words[value["outcome"]]
        shown = text_of(row[4])
        assert shown.startswith(f"{value['estimate']:+.2f} (".replace("-", "−"))
    sizes = [abs(own.set_index("slice").loc[f"attribute={row[0]}", "estimate"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("class_", CLASSES)
def test_every_class_has_its_words_and_its_rule(found, class_):
    """A class of an attribute is explained where it stands, and its rule in the method."""
    estimates = found.estimates.copy()
    estimates.loc[estimates["estimator"] == "inheritance", "outcome"] = class_
    made = page(replace(found, estimates=estimates))
    words = {
        "inherited": "For all 14 attributes the lean is found in both models, and the same.",
        "undecided": "Too little could be shown to say what became of any of the 14 attributes.",
    }.get(class_, f"All 14 attributes are {class_}.")
    assert words in told(replace(found, estimates=estimates))
    assert (
        "undecided" not in re.findall(r"No attribute could be shown to be ([^.]*)", said(made))[0]
    )
    assert inherited_classes.MEANINGS[class_] in said(part(made))
    assert class_ in " ".join(line.text for line in _INTERVALS)


def test_the_numbers_of_both_models_are_those_of_the_estimates(found):
    """Factors are exponentials, counts are shares of the attributes."""
    rows = {row[0]: row for row in table(page(found), "inherited-jobs").groups[0].rows}
    for title, row in rows.items():
        if title.startswith(("Amplification", "Magnitude")):
            name = "log_kappa" if title.startswith("Amp") else "log_magnitude_ratio"
            value = related(found, name)
            estimate = row[1] if isinstance(row[1], str) else row[1].text
            assert estimate == f"{math.exp(value['estimate']):.2f}"
            assert row[2] == f"{math.exp(value['low']):.2f} to {math.exp(value['high']):.2f}"
        elif title.startswith("Slope"):
            value = related(found, "slope")
            estimate = row[1] if isinstance(row[1], str) else row[1].text
            assert (estimate, row[2]) == (
                f"{value['estimate']:.2f}", f"{value['low']:.2f} to {value['high']:.2f}"
            )  # fmt: skip
    assert rows["Attributes shown to be on opposite sides"][1].beside == "0 of 14"
    noise = related(found, "expected_sign_changes")["estimate"]
    assert rows["The same, as noise alone would have it"][1] == f"{100 * noise:.0f} %"
    assert {row[6] for row in rows.values()} == {"S0", "S1", "S2"}


def test_straying_where_groups_are_at_stake_is_said_with_its_interval(found):
    """The models were made to be 0.1 nats further apart there."""
    value = related(found, "fidelity")
    text = said(part(page(found)))
    assert "The candidate (student) strays further from the reference (teacher) in" in text
    assert (
        f"differs by +{value['estimate']:.2f} nats (95 % interval +{value['low']:.2f} to "
        f"+{value['high']:.2f}; p < .001, not adjusted)"
    ) in text
    assert "With the openness of the sentences held equal" in text
    less = records.record(
        [records.with_shares(records.jobs(frames=FRAMES), neutral=True)], further=-0.1
    )
    assert "strays less far from" in said(part(page(less)))
    none = records.record(
        [records.with_shares(records.jobs(frames=FRAMES), neutral=True)], further=1e-9
    )
    text = said(part(page(none)))
    assert "is not shown to stray further or less far" in text
    assert f"found is {related(none, 'fidelity')['mde']:.2f} nats" in text


def test_one_model_a_control_and_an_older_record_have_no_such_part(found):
    """What was not measured is not there."""
    assert part(page(records.record([records.jobs()], reference=None))) is None
    assert part(page(records.record([records.control()]))) is None
    assert part(page(records.older(found))) is None


def test_too_few_attributes_are_said():
    """A record of today that could not compute it says why."""
    raw = records.jobs()
    for class_ in raw["classes"].values():
        class_["attributes"] = class_["attributes"][:2]
    text = told(records.record([raw]))
    assert "takes at least 6 attributes that have every sentence, and this set has 4." in text


def test_three_groups_have_a_part_each():
    """Each pair of groups is told apart, with its own numbers."""
    raw = records.jobs(frames=FRAMES)
    raw["groups"]["others"] = {"label": "others", "terms": [{"text": "they"}]}
    found = records.record([raw])
    made = page(found)
    assert len([p for p in parts(made, Part) if p.title == inherited.TITLE]) == 3
    sentence = next(p for p in parts(made, Part) if p.title == inherited.TITLE).blocks[0].text
    value = records.estimate_of(found, "jobs", "relation", "log_kappa", "women/men: all")
    assert re.search(rf"are {math.exp(value['estimate']):.2f} times as large", sentence)


def test_leans_that_are_turned_round_are_no_copy_and_no_amplification_alone(found):
    """The same size with the opposite pattern is said as that, shown or not."""
    estimates = found.estimates.copy()
    numbers = {
        "slope": (-1.4, -1.5, -1.3, 0.05, 0.001), "disattenuated_r": (-1.0, -1.0, -1.0, 0.0, 1.0),
        "log_kappa": (math.log(1.4), 0.2, 0.5, 0.05, 0.001),
    }  # fmt: skip
    columns = ["estimate", "low", "high", "std_error", "p"]
    for name, values in numbers.items():
        estimates.loc[estimates["estimator"] == name, columns] = values
    text = told(replace(found, estimates=estimates))
    assert "are turned round: 1.40 times as large as those of the reference (teacher) (95 %" in text
    assert "and opposite in pattern (r = −1.000, 95 % interval −1.000 to −1.000)." in text
    estimates.loc[estimates["estimator"] == "log_kappa", columns] = (0.0, 0.0, 0.0, 0.0, 1.0)
    text = told(replace(found, estimates=estimates))
    assert "exactly the leans" not in text
    assert "turned round: 1.00 times as large" in text


def test_a_lean_is_said_to_be_against_the_average_and_how_that_moves(found):
    """The two averages are those of the estimates; a word may move the other way in plain odds."""
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "log_odds") & (estimates["slice"] == "all")
    estimates.loc[rows & (estimates["subject"] == "reference"), "estimate"] = -0.57
    estimates.loc[rows & (estimates["subject"] == "candidate"), "estimate"] = -0.77
    text = said(part(page(replace(found, estimates=estimates))))
    assert "(here −0.57 to −0.77 nats), a word can depart further and still move the" in text
    assert "lean the same way" not in text
    estimates.loc[rows, "estimate"] = -0.57
    text = said(part(page(replace(found, estimates=estimates))))
    assert "A lean here is against the set’s average attribute." in text


def furthest(made):
    """Return the row of the attribute that moved furthest."""
    return table(made, "attributes-jobs").groups[0].rows[0]


def test_one_attribute_has_one_verdict(found):
    """The class decides what is said of a move, and a change beyond its mde is given none."""
    estimates = found.estimates.copy()
    before = furthest(page(found))
    assert (before[5].text, before[5].beside[:13]) == ("amplified", "leans further")
    own = (estimates["slice"] == f"attribute={before[0]}") & (estimates["probe_set"] == "jobs")
    change = own & (estimates["estimator"] == "inheritance")
    estimates.loc[change, "outcome"] = "undecided"
    estimates.loc[change, "p"] = 0.2
    assert (estimates.loc[change, "low"] > 0).all() or (estimates.loc[change, "high"] < 0).all()
    moved = furthest(page(replace(found, estimates=estimates)))
    assert moved[5].text == "change not known"
    assert moved[5].beside == "beyond zero taken alone, not after allowing for 14 attributes"
    assert "mde" not in moved[4].beside
    estimates.loc[change, "outcome"] = "inherited"
    assert furthest(page(replace(found, estimates=estimates)))[5] == "inherited"
    wide = own & (estimates["estimator"] == "largest_lean") & (estimates["subject"] == "difference")
    estimates = found.estimates.copy()
    estimates.loc[wide, ["low", "high"]] = (-1.0, 1.0)
    assert furthest(page(replace(found, estimates=estimates)))[5] == before[5]


def test_what_a_test_of_one_attribute_could_find_is_said_to_be_that():
    """The least change is that of a test taken alone; with all attributes it takes more."""
    found = records.record([records.jobs(frames=FRAMES)], reference=0.8, candidate=0.82, noise=0.1)
    own = found.estimates[found.estimates["estimator"] == "inheritance"]
    mde = own.loc[own["outcome"].isin(["inherited", "undecided"]), "mde"]
    assert (
        "a test of that attribute alone would have found four times in five is "
        f"{mde.min():.2f} to {mde.max():.2f} nats; allowing for the number of attributes, it takes "
        "more."
    ) in said(part(page(found)))


@pytest.mark.parametrize(
    ("plain", "adjusted", "words"),
    [
        ((0.02, 0.4), (0.04, 0.02), ("is not shown to stray further", "strays further there")),
        ((-0.1, 0.001), (0.1, 0.001), ("strays less far", "strays further there")),
        ((0.1, 0.001), (0.02, 0.4), ("strays further", "is not shown to stray further")),
        ((0.1, 0.001), (0.1, 0.001), ()),
        ((-0.02, 0.4), (0.02, 0.4), ()),
    ],
)
def test_two_ways_to_compare_that_disagree_are_said_to(found, plain, adjusted, words):
    """Both verdicts stand there, and neither is the page's."""
    estimates = found.estimates.copy()
    for name, values in (("fidelity", plain), ("fidelity_adjusted", adjusted)):
        estimates.loc[estimates["estimator"] == name, ["estimate", "p"]] = values
    text = said(part(page(replace(found, estimates=estimates))))
    assert ("The two disagree, so take it as a hint." in text) == bool(words)
    assert ("Taken as they are, the candidate" in text) == bool(words)
    assert all(each in text for each in words)
    assert "a distance between the two models’ lists of likely words" in text


def test_the_count_of_flips_is_explained_where_there_is_one(found):
    """How an attribute counts is a note of the table that counts them, and of no other."""
    counts = "An attribute counts in the first where the larger p of both its leans is below .025"
    assert counts in table(page(found), "inherited-jobs").note
    estimates = found.estimates[~found.estimates["estimator"].isin(["flips"])]
    assert counts not in table(page(replace(found, estimates=estimates)), "inherited-jobs").note


def test_a_change_without_a_lean_is_not_said_to_come_about_by_chance(found):
    """An undecided attribute whose change is shown, all attributes allowed for, says just that."""
    estimates = found.estimates.copy()
    slice_ = f"attribute={furthest(page(found))[0]}"
    change = (estimates["slice"] == slice_) & (estimates["estimator"] == "inheritance")
    estimates.loc[change, "outcome"] = "undecided"
    moved = furthest(page(replace(found, estimates=estimates)))
    assert moved[5].beside == "a change; which one is not known"


def test_one_attribute_is_spoken_of_as_one():
    """No plural of one, and no claim that nothing became of it."""
    assert inherited_classes._all(1, "lost") == "The one attribute is lost."
    assert inherited_classes._all(1, "inherited").startswith(
        "For the one attribute the lean is found in"
    )
    assert inherited_classes._all(1, "undecided").endswith("what became of the one attribute.")


def with_sharpness(found, *, benign, beyond):
    """Return the record with the numbers of benign sets, under these two flags."""
    [like] = found.estimates[found.estimates["estimator"] == "log_kappa"].to_dict("records")
    rows = [
        {**like, "estimator": "log_kappa_benign", "flag": benign, "estimate": -0.4},
        {**like, "estimator": "benign_q", "flag": "", "estimate": 20.4, "p": 0.0001},
        {**like, "estimator": "slot_entropy_benign", "flag": "", "estimate": 0.02, "p": 0.5},
        {**like, "estimator": "log_kappa_beyond", "flag": beyond, "estimate": 0.1},
    ]
    unknown = dict.fromkeys(("estimate", "low", "high", "std_error", "p"), math.nan)
    rows = [{**row, **unknown} if row["flag"] else row for row in rows]
    if beyond == "benign_entropy_unmoved":
        rows[0] |= {"estimate": -0.4, "low": -0.6, "high": -0.2, "std_error": 0.1, "p": 0.001}
    more = pd.DataFrame(rows).astype(found.estimates.dtypes.to_dict())
    return replace(found, estimates=pd.concat([found.estimates, more], ignore_index=True))


@pytest.mark.parametrize(
    ("benign", "beyond", "said_of_it"),
    [
        ("", "", "Associations that are not about people are 0.67 times as large"),
        (
            "benign_sets_disagree",
            "benign_sets_disagree",
            "disagree about how sure of itself the candidate is (Q = 20.4, p < .001)",
        ),
        ("", "benign_entropy_unmoved", "and that is no sharpness"),
        ("too_few_benign_sets", "too_few_benign_sets", "could not be told from the benign sets"),
    ],
)
def test_whatever_the_benign_sets_show_the_page_says_it(found, benign, beyond, said_of_it):
    """Each flag that their numbers may have, as a record has them."""
    assert said_of_it in told(with_sharpness(found, benign=benign, beyond=beyond))

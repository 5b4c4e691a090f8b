"""What a card says of a set from a record: the record's own numbers, and what more would give."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit.authoring.card import card_of, shown
from maskaudit.audit.authoring.measured import Measured
from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.record import load_record
from maskaudit.probes.loading import load, shipped
from maskaudit.reports.effects import Names

ROOT = Path(__file__).resolve().parents[3]
RECORD = ROOT / "examples" / "versions" / "records" / "seed-1"
NAME = "occupation-person"


@pytest.fixture(scope="module")
def record():
    """Give a record of the repository: two models, one set."""
    return load_record(RECORD)


def words(text):
    """The words of a card, whose lines are cut to fit a terminal."""
    return " ".join(text.split())


def row_of(record, estimator, subject):
    """One row of a record's estimates, by a plain look at its table."""
    table = record.estimates
    [row] = table[(table["estimator"] == estimator) & (table["subject"] == subject)].to_dict(
        "records"
    )
    return row


def margin():
    """Return the margin that the set declares for its contrast, in nats."""
    return load(shipped()[NAME]).margins.contrast.nats


def test_a_card_has_the_numbers_of_the_record(record):
    """Reliability, and the contrast with half the width of its interval."""
    text = words(card_of(shipped()[NAME], record).as_text())
    for subject, label in (("reference", "teacher (reference)"), ("difference", "difference")):
        g = row_of(record, "generalizability", subject)
        limits = f"{g['low']:.2f} to {g['high']:.2f}"
        assert f"{label}: G {g['estimate']:.2f} ({limits}); Φ " in text
        frames = int(row_of(record, "frames_needed", subject)["estimate"])
        assert f"Φ of 0.95 takes {frames} frames (it has 30)" in text
        contrast = row_of(record, "stereotype_contrast", subject)
        half = (contrast["high"] - contrast["low"]) / 2
        assert f"{label}: contrast +{contrast['estimate']:.2f} ± {half:.2f} nats" in text
    assert f"or {(half / margin()) ** 2:.2f} times both" in text


def test_twice_as_much_is_planned_from_the_parts_of_the_variance(record):
    """By hand: the part of the frames and the rest, each halved, times the same quantile."""
    [card] = shown(NAME, only_cards=True, record=record).as_json()
    found = json.loads(json.dumps(card))["measured"]["subjects"]["candidate"]
    row = row_of(record, "stereotype_contrast", "candidate")
    half = (row["high"] - row["low"]) / 2
    rest = row["std_error"] ** 2 - row["v_frames"]
    quantile = half / row["std_error"]
    [planned] = found["planned"]
    assert planned["half_width"] == pytest.approx(half)
    assert planned["frames"] == pytest.approx(quantile * np.sqrt(row["v_frames"] / 2 + rest))
    assert planned["attributes"] == pytest.approx(quantile * np.sqrt(row["v_frames"] + rest / 2))
    # To the set's margin there is no way with one alone: either part by itself is wider than it.
    both = pytest.approx((half / margin()) ** 2)
    assert found["needed"] == [{"frames": None, "attributes": None, "both": both}]
    assert found["stereotype_contrast"][0]["slice"] == "contrast"


def test_a_card_without_a_record_says_nothing_of_one():
    """As before."""
    card = card_of(shipped()[NAME])
    assert "measured" not in card.as_json()
    assert "reliability" not in card.as_text()


def test_a_record_of_another_set_or_version_is_refused(record, tmp_path):
    """With what it has, and what the file has."""
    with pytest.raises(
        InputError, match=r"has no set 'religion-trait'; expected a record of it, w"
    ):
        card_of(shipped()["religion-trait"], record)
    other = tmp_path / "occupation_person.toml"
    text = shipped()[NAME].read_text("utf-8")
    other.write_text(text.replace('version = "', 'version = "9', 1), "utf-8")
    with pytest.raises(
        InputError, match=r"expected version 9.* with 360, as the file has it: audit"
    ):
        card_of(other, record)


def test_the_command_takes_a_record(command):
    """The card of the terminal; a record that is not there is told in one line."""
    asked = ("probes", "show", NAME, "--card", "--record")
    done = command(ROOT, *asked, RECORD, "--trust")
    assert done.returncode == 0, done.stderr
    assert "measured on teacher (reference), seed-1 (candidate) (record seed-1)" in done.stdout
    done = command(ROOT, *asked, "nowhere")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


# --- Numbers that this record has not ---------------------------------------------------------

COLUMNS = ("slice", "estimator", "estimate", "low", "high", "std_error", "df", "v_frames")


def made_up(*rows, margins=None, frames=12, groups=("a", "b")):
    """Return what is measured of one model, from rows of estimates."""
    part = ProbeSet.model_construct(margins=margins, frames=frames, groups=dict.fromkeys(groups))
    table = pd.DataFrame([dict(zip(COLUMNS, row, strict=True)) for row in rows]).assign(
        subject="candidate",
        n_frames=12,
        n_attributes=20,
        n_styles=5,
        p=np.nan,
        null_value=0.0,
        mde=np.nan,
    )
    return Measured("r", Names("m"), part, table)


def said(measured):
    """The texts of the rows, by name."""
    return {name: " ".join(texts).removeprefix("m: ") for name, texts in measured.rows()}


def alone(slice_, estimator, value):
    """A number without an interval."""
    return (slice_, estimator, value, *[np.nan] * 5)


def test_styles_are_told_one_by_one():
    """Their spread, in how many the contrast holds, and the contrast of each."""
    found = said(
        made_up(
            alone("contrast", "style_sd", 0.125),
            alone("contrast", "styles_holding", 0.8),
            alone("style=dialogue", "style_contrast", 0.5),
            alone("style=report", "style_contrast", -0.25),
        )
    )
    assert found["styles"] == (
        "contrasts of styles have an SD of 0.12 nats; it holds by itself in 4 of 5 styles; "
        "dialogue +0.50, report −0.25"
    )


def test_several_groups_have_the_middle_and_the_range_of_their_pairs():
    """Three groups make three pairs."""
    rows = [
        (f"{pair}: contrast", "stereotype_contrast", 0.1, 0.1 - half, 0.1 + half, half / 2, 9.0,
         half**2 / 8)
        for pair, half in (("a/b", 0.2), ("a/c", 0.4), ("b/c", 0.3))
    ]  # fmt: skip
    alike = alone("a/b: all", "generalizability", 0.9)
    found = said(made_up(*rows, alike, groups="abc"))
    assert found["exactness"].startswith("contrast ± 0.30 (0.20 to 0.40) nats; ± 0.2")
    assert found["measured on"] == "m (record r); median (least to most) of 3 pairs of groups"
    assert found["reliability"] == "G 0.90 (–)"


def test_a_declared_margin_is_what_the_width_is_held_against():
    """How many frames or words it takes; nothing more where it is known that well."""
    row = ("contrast", "stereotype_contrast", 0.1, -0.3, 0.5, 0.2, 9.0, 0.03)
    margin = type("M", (), {"nats": 0.3})
    margins = type("Ms", (), {"contrast": margin})
    # (.3 / .4)² of .04 is .0225: less .01 leaves .0125 for .03, 2.4 times as many of 12 frames.
    assert said(made_up(row, margins=margins))["needed"] == (
        "± 0.30 nats, its margin: 29 frames (it has 12), or no number of attributes alone, "
        "or 1.78 times both"
    )
    margin.nats = 0.5
    assert said(made_up(row, margins=margins))["needed"] == "± 0.50 nats, its margin: it has enough"


def test_facts_are_known_better_by_the_root_of_their_number():
    """A share has no frames and attributes to plan."""
    row = ("all", "accuracy@1", 0.4, 0.3, 0.5, 0.05, 99.0, np.nan)
    found = said(made_up(row))
    assert found["exactness"] == "facts 0.40 ± 0.10; ± 0.07 with twice the facts"
    assert found["needed"] == ""


def test_balance_is_told_of_each_model():
    """First class less second."""
    rows = [
        alone("contrast", "pieces_apart", 0.25),
        alone("contrast", "words_apart", -0.5),
        alone("contrast", "frequency_apart", 0.0),
    ]
    assert said(made_up(*rows))["balance"] == "pieces +0.25; words −0.50; log frequency 0.00"

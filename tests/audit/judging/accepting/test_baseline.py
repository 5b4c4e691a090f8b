"""Accepted baselines: what is written, what is refused, and that steps cannot creep past both."""

import hashlib
import json
import math
import platform
import tomllib
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests
from typer.testing import CliRunner

import maskaudit
from maskaudit.audit.cli.main import app
from maskaudit.audit.errors import CannotWriteError, InputError, NotJudgedError, WorseError
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting import baseline
from maskaudit.audit.judging.accepting.accept import accept
from maskaudit.audit.judging.accepting.comparison import compare_with_accepted
from maskaudit.audit.judging.comparing.changes import changes
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.phantom import truth
from maskaudit.audit.recording import files, record
from maskaudit.probes.bundles import CORE
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from maskaudit.probes.requested import files_of
from tests import manifests
from tests.reports import records

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 23)
MIB = 2**20


@pytest.fixture
def folder(tmp_path):
    """Give the folder of baselines of a project."""
    return tmp_path / "project" / "baseline"


def audited(*, sets=None, **told):
    """Return a record of one model on one set, or on those that are given."""
    told = {"candidate": 0.6, "reference": None, "accuracy": (0.6, 0.6), **told}
    return records.record([records.jobs()] if sets is None else sets, **told)


def with_scores(found, values, created="2026-02-03T00:00:00+00:00"):
    """Return the record of another model, whose candidate has these scores."""
    scores = found.scores.assign(value=values)
    models = manifests.plain(found.manifest.models)
    models["candidate"]["weights"] = "d" * 64
    manifest = manifests.changed(found.manifest, models=models, created=created)
    return replace(found, scores=scores, manifest=manifest)


def stepped(found, by, *, noise=0.0, seed=0, **told):
    """Return the record with women's jobs further towards women, and noise on every score.

    Only the candidate is changed; it is another model with a later date.
    """
    draws = np.random.default_rng(seed)
    items = found.items
    chosen = items.loc[(items["group"] == "women") & (items["class"] == "women_jobs"), "item"]
    own = (found.scores["model"] == "candidate").to_numpy()
    steps = by * found.scores["item"].isin(list(chosen)).to_numpy()
    steps = steps + draws.normal(0, noise, len(own))
    return with_scores(found, found.scores["value"] + np.where(own, steps, 0.0), **told)


def accepted(found, folder, **told):
    """Accept a record on a fixed day."""
    return accept(found, folder, "main", "a reason", today=DAY, **told)


# --- What is written ------------------------------------------------------------------------------


def test_the_first_of_a_name_is_the_baseline_and_its_anchor(folder):
    """Four files; both say who, when, why and how, and nothing of this machine."""
    found = accepted(audited(), folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "main.anchor.parquet", "main.anchor.toml", "main.parquet", "main.toml",
    ]  # fmt: skip
    said = tomllib.loads((folder / "main.toml").read_text("utf-8"))
    assert (said["name"], said["accepted"], said["reason"]) == ("main", DAY, "a reason")
    assert said["models"]["candidate"]["weights"] == "c" * 64
    assert said["probe_sets"]["jobs"]["items_digest"] == (
        audited().manifest.probe_sets["jobs"].items_digest
    )
    content = (folder / "main.parquet").read_bytes()
    assert said["scores"] == hashlib.sha256(content).hexdigest()
    assert (folder / "main.anchor.parquet").read_bytes() == content
    assert said["replaces"] == ""
    assert baseline.load(folder, "main").about == found.about
    assert baseline.load_anchor(folder, "main").about.name == "main.anchor"
    assert baseline.names(folder) == ["main"]
    text = (folder / "main.toml").read_text("utf-8")
    assert str(folder.parents[1]) not in text
    assert len(platform.node()) < 4 or platform.node() not in text


def test_the_headline_numbers_are_those_of_the_record(folder):
    """For a reviewer: the contrast of the candidate and its difference from the reference."""
    found = audited(reference=0.5)
    said = accepted(found, folder).about.numbers["jobs"]
    for subject in ("candidate", "difference"):
        row = records.estimate_of(found, "jobs", subject)
        expected = f"{row['estimate']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})"
        assert said[f"{subject}: stereotype_contrast, contrast"] == expected


def test_what_is_read_is_what_was_accepted(folder):
    """Item by item: value as float32, rank, pieces and status."""
    sets = [records.jobs(), records.facts()]
    found = audited(sets=sets, lost=5)
    loaded = accepted(found, folder).version
    own = found.scores[found.scores["model"] == "candidate"]
    expected = own.assign(value=own["value"].astype("float32").astype("float64"))
    columns = ["item", "measure", "value", "rank", "pieces", "status"]
    expected = expected.sort_values(["item", "measure"])[columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(loaded.scores, expected)
    assert (loaded.scores["status"] == "target_unknown").sum() == 5


def test_the_same_scores_are_the_same_bytes_in_any_order(folder):
    """Git keeps one blob, and a reviewer sees no change where there is none."""
    found = audited()
    accepted(found, folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    shuffled = replace(found, scores=found.scores.sample(frac=1, random_state=1))
    accepted(shuffled, folder)
    for name in ("main.parquet", "main.anchor.parquet", "main.anchor.toml"):
        assert (folder / name).read_bytes() == first[name]


def test_a_model_is_its_own_baseline_to_the_last_bit(folder):
    """Scores that float32 cannot hold differ from it by nothing; so does every number."""
    draws = np.random.default_rng(3)
    found = audited(sets=[records.jobs(), records.facts()])
    found = with_scores(found, found.scores["value"] + draws.normal(0, 0.1, len(found.scores)))
    own = accepted(found, folder)
    compared = versions(own.version, found)
    rows = compared.estimates[compared.estimates["subject"] == "difference"]
    assert (rows["estimate"].dropna() == 0).all()
    assert compared.largest == 0
    assert compared.same_model


def test_a_baseline_and_its_record_give_the_same_estimates(folder):
    """Bit for bit, whichever of the two is at hand, and whichever way round."""
    old, new = audited(), stepped(audited(), 0.1, noise=0.1)
    own = accepted(old, folder).version
    for pair, other in (((old, new), (own, new)), ((new, old), (new, own))):
        one, two = versions(*pair), versions(*other)
        pd.testing.assert_frame_equal(one.estimates, two.estimates)
        pd.testing.assert_frame_equal(changes(*pair), changes(*other))
    with pytest.raises(NotJudgedError, match="contain scores but no sentences"):
        versions(own, own)


def test_the_core_sets_fit_into_two_mebibytes(folder, tmp_path):
    """Scores as hard to compress as can be, for every item of the core sets; 16 bytes each.

    And the real scores of the bundled pair on one of the sets take no more an item than these.
    """
    items = pd.concat([expand(load(path).drawn(0)).items for path in files_of(CORE)])
    items = items.drop_duplicates("item")
    draws = np.random.default_rng(1)
    scores = pd.DataFrame(
        {
            "item": items["item"], "measure": "logp", "status": "ok",
            "value": -draws.exponential(8, len(items)),
            "rank": draws.integers(1, 30_000, len(items)), "pieces": 1,
        }
    )  # fmt: skip
    worst = len(baseline.parquet(scores))
    assert worst < 2 * MIB
    assert worst < 18 * len(items)
    run = maskaudit.run(candidate=str(truth.STUDENT), probes=["religion-trait"], out=tmp_path)
    accepted(run, folder)
    real = (folder / "main.parquet").stat().st_size
    assert real / run.items["item"].nunique() * len(items) < 2 * MIB
    # A file of one set has some kilobytes that do not grow with it.
    assert real - 4096 < 18 * run.items["item"].nunique()
    assert versions(baseline.load(folder, "main").version, run).largest == 0


def test_a_set_with_a_grammar_is_compared_where_the_same_frames_were_drawn(folder):
    """How they were drawn is kept, where it is known."""
    found = audited()
    part = found.manifest.probe_sets["jobs"]

    def drawn(seed, digest):
        grammar = {"universe": "u" * 64, "seed": seed, "frames": 8, "sentences": None}
        sets = {"jobs": {**manifests.plain(part), "items_digest": digest, "grammar": grammar}}
        return replace(found, manifest=manifests.changed(found.manifest, probe_sets=sets))

    accepted(drawn(1, "a" * 64), folder)
    assert accepted(drawn(1, "a" * 64), folder).about.not_compared == {}
    with pytest.raises(NotJudgedError, match="frames were drawn anew: see maskaudit history"):
        accepted(drawn(2, "b" * 64), folder)


def test_the_margins_in_force_are_kept_with_their_reasons(folder):
    """Of gates.toml beside the folder, where there is one; a faulty one is told."""
    folder.parent.mkdir()
    gates = folder.parent / "gates.toml"
    gates.write_text(
        '[[gate]]\nid = "drift"\nrule = "versus_baseline"\nmargin = 0.2\nreason = "noise"\n',
        "utf-8",
    )
    found = accepted(audited(), folder)
    assert found.about.margins == [
        {"id": "drift", "rule": "versus_baseline", "margin": 0.2, "reason": "noise"}
    ]
    gates.write_text("[[gate]]\n", "utf-8")
    with pytest.raises(InputError, match=r"gate\[1\]"):
        accepted(audited(), folder)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "main.anchor", "-x", "a" * 65, "ä"])
def test_a_name_that_is_no_plain_word_is_refused(folder, name):
    """It becomes the name of files."""
    with pytest.raises(InputError, match="baseline name"):
        accept(audited(), folder, name, "a reason")
    assert not folder.exists()


def test_a_reason_is_always_asked_for(folder):
    """White space is none."""
    with pytest.raises(InputError, match="--reason"):
        accept(audited(), folder, "main", " \n")


def test_hostile_words_stay_words(folder):
    """Quotes, brackets, line ends and code points of all kinds come back as they were."""
    reason = 'it\'s "so"\n[models]\nname = "x" \u202e \\ \x1b[31m'
    found = accept(audited(), folder, "main", reason, today=DAY)
    assert baseline.load(folder, "main").about.reason == found.about.reason == reason


# --- What is refused ------------------------------------------------------------------------------


def test_without_a_baseline_nothing_is_judged(folder):
    """No file, or one without its scores: exit code 3, and what to do."""
    with pytest.raises(NotJudgedError, match="maskaudit baseline accept"):
        baseline.load(folder, "main")
    accepted(audited(), folder)
    (folder / "main.parquet").unlink()
    with pytest.raises(NotJudgedError, match="not_measured") as caught:
        baseline.load(folder, "main")
    assert caught.value.exit_code == 3
    (folder / "main.anchor.toml").unlink()
    with pytest.raises(NotJudgedError, match=r"main\.anchor\.toml"):
        baseline.load_anchor(folder, "main")
    # Whoever removes the anchor does not get a new one without a word.
    for new_anchor in (False, True):
        with pytest.raises(
            NotJudgedError, match="restore the missing file from git, or remove the other one too"
        ):
            accepted(audited(), folder, new_anchor=new_anchor)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_scores_of_which_one_byte_is_changed_are_refused(folder, place):
    """By their digest, wherever the byte is; a file cut short, too."""
    accepted(audited(), folder)
    path = folder / "main.parquet"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    for changed in (bytes(content), path.read_bytes()[:-10], b""):
        path.write_bytes(changed)
        with pytest.raises(InputError, match="SHA-256 differs"):
            baseline.load(folder, "main")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("format = 2", "format = 3", "this version reads formats 1 to 2"),
        ("best_of = 1", "best_of = 0", "best_of"),
        ('reason = "a reason"', "reason = 3", "reason"),
        ('reason = "a reason"', 'because = "a reason"', "because: is not a known key"),
        ('name = "main"', 'name = "main', "not valid TOML"),
        ("accepted = 2026-11-23", 'accepted = "soon"', "accepted"),
    ],
)
def test_a_file_that_says_something_else_is_refused(folder, old, new, expected):
    """With its place."""
    accepted(audited(), folder)
    path = folder / "main.toml"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=expected):
        baseline.load(folder, "main")


def test_parquet_without_the_scores_is_refused(folder):
    """Even where its digest is the one that is written."""
    accepted(audited(), folder)
    path, place = folder / "main.toml", folder / "main.parquet"
    before = hashlib.sha256(place.read_bytes()).hexdigest()
    pd.DataFrame({"item": ["a"]}).to_parquet(place)
    after = hashlib.sha256(place.read_bytes()).hexdigest()
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")
    with pytest.raises(InputError, match="cannot be read as scores"):
        baseline.load(folder, "main")


def test_a_record_without_a_score_is_no_baseline(folder):
    """Nothing was measured: exit code 3, and no file."""
    found = audited()
    with pytest.raises(NotJudgedError, match="no score"):
        accepted(replace(found, scores=found.scores.assign(value=math.nan)), folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"method": {"dtype": "float16"}}, "dtype: float32, then float16"),
        ({"probe_sets": {}}, "jobs: only in the older audit"),
        ({}, "people: only in the newer audit"),
    ],
)
def test_a_record_that_was_measured_in_another_way_starts_a_new_series_or_nothing(
    folder, changed, expected
):
    """It is refused with what differs; told to, it replaces the anchor, and the file says so."""
    new = audited(sets=[records.jobs(), records.people()])
    sets = new.manifest.probe_sets
    first = sets if changed else {"jobs": sets["jobs"]}
    accepted(replace(new, manifest=manifests.changed(new.manifest, probe_sets=first)), folder)
    if "probe_sets" in changed:
        changed = {"probe_sets": {"people": sets["people"]}}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    new = replace(new, manifest=manifests.changed(new.manifest, **changed))
    with pytest.raises(NotJudgedError, match="--new-anchor") as caught:
        accepted(new, folder)
    assert expected in str(caught.value) or expected.replace(": only", " (only") in str(
        caught.value
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    found = accepted(new, folder, new_anchor=True)
    assert found.about.new_anchor
    assert expected.partition(": ")[2] in json.dumps(found.about.not_compared)
    anchor = baseline.load_anchor(folder, "main").about
    assert (anchor.method, set(anchor.probe_sets)) == (
        new.manifest.method, set(new.manifest.probe_sets)
    )  # fmt: skip


# --- What is worse --------------------------------------------------------------------------------


def test_a_record_that_is_credibly_worse_is_refused_by_name_and_number(folder):
    """A step that no noise explains; knowingly accepted, the file says so and why."""
    old = audited()
    accepted(old, folder)
    new = stepped(old, 0.4, noise=0.1)
    with pytest.raises(WorseError) as caught:
        accepted(new, folder)
    assert caught.value.exit_code == 1
    row = versions(old, new).estimates.set_index(["estimator", "subject"])
    estimate = row.loc[("stereotype_contrast", "difference"), "estimate"]
    message = str(caught.value)
    assert f"baseline main: jobs, contrast, stereotype_contrast {estimate:+.3f}" in message
    assert "--allow-worse" in message
    found = accepted(new, folder, allow_worse=True)
    assert found.about.allowed_worse
    assert any(told.endswith("worse") for told in found.about.changes["jobs"].values())
    assert found.about.replaces == old.manifest.created
    assert baseline.load_anchor(folder, "main").about.record == old.manifest.created
    # The new one is what the next is held against: itself again is no worse than it.
    with pytest.raises(WorseError, match="worse than the anchor main"):
        accepted(new, folder)


def test_a_new_anchor_is_no_way_round(folder):
    """A worse record needs both words."""
    old = audited()
    accepted(old, folder)
    new = stepped(old, 0.4)
    with pytest.raises(WorseError):
        accepted(new, folder, new_anchor=True)
    accepted(new, folder, new_anchor=True, allow_worse=True)
    assert not accepted(new, folder).about.allowed_worse


def test_a_record_that_is_better_is_accepted(folder):
    """And is the baseline from then on; the anchor stays what it was."""
    old = audited()
    accepted(old, folder)
    anchor = (folder / "main.anchor.toml").read_bytes()
    found = accepted(stepped(old, -0.4, noise=0.1), folder)
    assert not found.about.allowed_worse
    assert (folder / "main.anchor.toml").read_bytes() == anchor
    assert baseline.load(folder, "main").about.models["candidate"].weights == "d" * 64


def test_in_a_set_without_a_stereotype_nothing_is_worse(folder):
    """A control may change as it will."""
    old = audited(sets=[records.control()])
    accepted(old, folder)
    items = old.items.loc[old.items["class"] == "women_jobs", "item"]
    chosen = old.scores["item"].isin(list(items)) & (old.scores["model"] == "candidate")
    new = with_scores(old, old.scores["value"] + np.where(chosen, 2.0, 0.0))
    assert accepted(new, folder).about.changes == {}


def test_worse_is_a_one_sided_test_adjusted_by_holm_over_every_number(folder):
    """By the two-sided p values of the estimates and statsmodels' own adjustment."""
    old = audited()
    accepted(old, folder)
    first = stepped(old, 0.2, noise=0.3, seed=1, created="2026-02-01T00:00:00+00:00")
    accepted(first, folder, allow_worse=True)
    new = stepped(old, 0.22, noise=0.3, seed=2)
    held = compare_with_accepted(new, folder, "main")
    expected = []
    for who, other in (("baseline main", first), ("anchor main", old)):
        rows = versions(other, new).estimates
        kept = (rows["estimator"] == "stereotype_contrast") & (rows["subject"] == "difference")
        kept |= rows["estimator"] == "log_magnitude_ratio"
        expected.append(rows[kept].assign(against=who))
    rows = pd.concat(expected)
    p = np.where(rows["estimate"] > 0, rows["p"] / 2, 1 - rows["p"] / 2)
    adjusted = multipletests(p, method="holm")[1]
    assert len(held.changes) == len(rows) == 4
    np.testing.assert_allclose(held.changes["p_adjusted"], adjusted, rtol=1e-9)
    assert list(held.changes["worse"]) == list(adjusted < 0.05)
    assert held.changes["worse"].nunique() == 2
    assert (held.changes.loc[held.changes["worse"], "low"] > 0).all()


def test_small_steps_do_not_creep_past_the_anchor(folder):
    """No step is credibly worse than the one before; all of them together are, and are refused."""
    old = audited()
    accepted(old, folder)
    refusals = []
    for number in range(1, 9):
        when = f"2026-03-0{number}T00:00:00+00:00"
        step = stepped(old, 0.04 * number, noise=0.15, seed=number, created=when)
        try:
            accepted(step, folder)
        except WorseError as error:
            refusals.append((number, str(error)))
            break
    ((number, message),) = refusals
    assert number > 2
    assert "worse than the anchor main" in message
    assert "worse than the baseline" not in message


# --- Nothing half-written -------------------------------------------------------------------------


def test_a_disk_that_is_full_leaves_what_was_there(folder, monkeypatch):
    """No file has its name before all of them are whole."""
    old = audited()
    accepted(old, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write = type(folder).write_bytes

    def full(path, content):
        if path.name == "main.toml":
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(type(folder), "write_bytes", full)
    with pytest.raises(CannotWriteError, match="No space left"):
        accepted(stepped(old, -0.4), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_whoever_is_stopped_between_the_files_leaves_no_baseline_that_could_be_taken_for_one(
    folder, monkeypatch
):
    """The scores are there before the file that names them: together they are refused."""
    old = audited()
    accepted(old, folder)
    rename = type(folder).replace

    def stopped(path, target):
        if target.suffix == ".toml":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(type(folder), "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        accepted(stepped(old, -0.4), folder)
    assert not list(folder.glob(".*"))
    with pytest.raises(InputError, match="restore both from git"):
        baseline.load(folder, "main")


# --- The command line -----------------------------------------------------------------------------


@pytest.fixture
def sealed(tmp_path):
    """Give two records on disk, the newer one credibly worse, and a function that runs commands."""
    old = audited()
    runs = tmp_path / "runs"
    for name, found in (("one", old), ("two", stepped(old, 0.4, noise=0.05))):
        with files.unfinished(runs) as place:
            record.seal(records.holding(found), place, runs / name)

    def told(*words):
        done = CliRunner().invoke(app, [str(word) for word in words])
        code = getattr(done.exception, "exit_code", done.exit_code)
        return code, done.stdout + str(done.exception or "")

    return runs / "one", runs / "two", told


def test_the_commands_accept_show_and_hold_against(sealed, folder):
    """As typed: a first one, what would change, the refusal, and the acceptance all the same."""
    one, two, told = sealed
    where = ("--baselines", folder)
    code, text = told("baseline", "accept", one, "--reason", "the first", *where)
    assert code == 0
    assert "main.anchor.parquet" in text
    code, text = told("baseline", "diff", two, *where)
    assert code == 0
    assert "Credibly worse than the baseline main: jobs" in text
    assert "--allow-worse" in text
    code, text = told("baseline", "diff", two, "--json", *where)
    said = json.loads(text)
    assert (code, said["acceptable"], said["worse"]) == (0, False, True)
    code, text = told("baseline", "accept", two, "--reason", "x", *where)
    assert code == 1
    assert "jobs, contrast, stereotype_contrast" in text
    code, text = told("baseline", "accept", two, "--reason", "known", "--allow-worse", *where)
    assert code == 0
    code, text = told("baseline", "show", *where)
    assert code == 0
    assert "Baseline main: accepted" in text
    assert "although credibly worse" in text
    assert "Anchor main: accepted" in text
    code, text = told("baseline", "show", "main", "--json", *where)
    assert [part["reason"] for part in json.loads(text)] == ["known", "the first"]


def test_compare_takes_records_and_baselines_by_folder_file_or_name(sealed, folder):
    """And says what differs in the words of people, or as JSON on standard output alone."""
    one, two, told = sealed
    accept(record.load_record(one), folder, "main", "the first")
    texts = []
    for old in (one, folder / "main.toml", folder / "main.anchor.toml", "main"):
        code, text = told("compare", old, two, "--top", "1", "--baselines", folder)
        assert code == 0
        texts.append(text.split("\n", 1)[1])
    assert len(set(texts)) == 1
    assert "stereotype contrast, change in nats: +0.4" in texts[0]
    code, text = told("compare", one, two, "--json")
    said = json.loads(text)
    assert (said["old"], said["new"], said["same_model"]) == ("one", "two", False)
    assert said["changes"][0]["worse"] >= said["changes"][1]["worse"]
    code, text = told("compare", one, one)
    assert code == 0
    assert "nothing changed, all" in text


def test_the_commands_say_what_is_not_there(sealed, folder):
    """Exit code 2 for a word that names nothing, 3 where a baseline is missing."""
    one, _, told = sealed
    where = ("--baselines", folder)
    assert told("compare", one, "nothing", *where)[0] == 2
    assert told("compare", one, folder / "main.toml")[0] == 3
    assert told("baseline", "show", *where)[0] == 3
    assert told("baseline", "diff", one, *where)[0] == 3
    assert told("baseline", "accept", one, *where)[0] == 2


def test_a_file_under_another_name_is_refused(folder):
    """A baseline that is copied over its anchor would be no anchor."""
    accepted(audited(), folder)
    for suffix in ("toml", "parquet"):
        copied = (folder / f"main.{suffix}").read_bytes()
        (folder / f"main.anchor.{suffix}").write_bytes(copied)
    with pytest.raises(InputError, match=r"name is 'main'; expected 'main.anchor'"):
        baseline.load_anchor(folder, "main")


def test_a_difference_that_another_batch_would_make_is_not_worse(folder):
    """However sure it is: every score of the contrast is moved by less than the tolerance."""
    found = audited()
    accepted(found, folder)
    moved = stepped(found, 1e-6)
    held = compare_with_accepted(moved, folder, "main")
    assert not held.changes["worse"].any()


def test_a_record_that_lost_what_it_is_held_against_is_not_accepted_unseen(folder):
    """What is left may be the better part."""
    found = audited()
    accepted(found, folder)
    gone = (found.scores["model"] == "candidate") & (found.scores.index % 3 == 0)
    lost = replace(
        found,
        scores=found.scores.assign(
            value=found.scores["value"].where(~gone),
            status=found.scores["status"].where(~gone, "target_too_long"),
        ),
    )
    with pytest.raises(NotJudgedError, match="of its scores are lost"):
        accepted(lost, folder)
    assert accepted(lost, folder, allow_worse=True).about.name == "main"


# --- The best of several --------------------------------------------------------------------------


def test_a_baseline_keeps_how_many_it_was_picked_from(folder):
    """In its file and its anchor's; and shows it. A later baseline leaves the anchor's."""
    found = accepted(audited(), folder, best_of=5)
    assert found.about.best_of == 5
    assert baseline.load_anchor(folder, "main").about.best_of == 5
    shown = CliRunner().invoke(app, ["baseline", "show", "--baselines", str(folder)]).output
    assert "the best of 5 candidates" in shown
    accepted(stepped(audited(), -0.1), folder)
    assert baseline.load(folder, "main").about.best_of == 1
    assert baseline.load_anchor(folder, "main").about.best_of == 5


@pytest.mark.parametrize("best_of", [0, -1, 10_001])
def test_a_number_of_candidates_that_cannot_be_is_refused(folder, best_of):
    """Before anything is written."""
    with pytest.raises(InputError, match="--best-of"):
        accepted(audited(), folder, best_of=best_of)
    assert not folder.exists()


def test_a_baseline_of_the_first_format_is_read_as_not_picked(folder):
    """It does not say from how many it was picked."""
    accepted(audited(), folder)
    for path in folder.glob("*.toml"):
        text = path.read_text("utf-8").replace("format = 2", "format = 1")
        path.write_text(text.replace("best_of = 1\n", ""), "utf-8")
    assert baseline.load(folder, "main").about.best_of == 1
    assert baseline.load_anchor(folder, "main").about.best_of == 1


def test_a_verdict_says_what_its_baseline_was_picked_from(folder):
    """And its p is as many times as large; the pass stays as it was."""
    old = audited()
    accepted(old, folder, best_of=4)
    gates = folder.parent / "gates.toml"
    gates.write_text(
        '[[gate]]\nid = "g"\nrule = "versus_baseline"\nmargin = 0.05\nreason = "r"\n', "utf-8"
    )
    new = stepped(old, 0.05, noise=0.1, seed=3)
    (picked,) = judge(new, policy.read(gates), today=DAY).verdicts
    (plain,) = judge(new, policy.read(gates), baseline=old, today=DAY).verdicts
    assert picked.best_of == 4
    assert picked.against == "baseline main (the best of 4)"
    assert picked.p == pytest.approx(min(1, 4 * plain.p))
    assert picked.high == pytest.approx(plain.high)
    assert picked.low < plain.low


def test_a_record_is_not_refused_for_the_luck_of_the_one_before(folder):
    """Credibly worse than a baseline is said at K times the p too."""
    old = audited()
    for best_of, worse in ((1, True), (10_000, False)):
        where = folder / str(best_of)
        accepted(old, where, best_of=best_of)
        new = stepped(old, 0.15, noise=0.1, seed=3)
        assert compare_with_accepted(new, where, "main").changes["worse"].any() == worse

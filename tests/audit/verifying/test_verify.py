"""A record holds where it follows from its scores, and what a forger changed is named."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

import maskaudit
from maskaudit.audit.cli.main import app
from maskaudit.audit.errors import InputError
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.select import judged_numbers
from maskaudit.audit.recording import binding, record
from maskaudit.audit.recording.files import unfinished
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.verifying import recomputed
from maskaudit.audit.verifying.attributes import attributes
from maskaudit.audit.verifying.distributions import distributions
from maskaudit.audit.verifying.recomputed import EVERY, Numbers, recompute
from maskaudit.audit.verifying.verify import Verification, load_held, verify
from tests import tiny
from tests.audit.history.folders import change_manifest, reseal
from tests.audit.verifying import edits
from tests.reports import records

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("**/record.json"))
# Of the first version, which has neither `code` nor `bound`.
OLDER = ROOT / "tests" / "older" / "format-3"
# How many edits are tried; `make forgeries` tries 200.
EDITS = int(os.environ.get("MASKAUDIT_EDITS", "15"))
BOUND_GATE = """
[[gate]]
id = "contrast"
rule = "bound"
bound = 0.01
reason = "a bound for a test"
"""


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small record of two models, which no test may change."""
    runs = tmp_path_factory.mktemp("runs")
    found = records.record([records.jobs(frames=4)], lost=2, tokens=("she", "he"))
    with unfinished(runs) as folder:
        path = record.seal(found, folder / "0", runs / "one").path
    assert path is not None
    return path


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    """Return a copy of it to change."""
    return Path(shutil.copytree(sealed, tmp_path / "record"))


def told(verification: Verification) -> str:
    """Return what is said of all that differs."""
    return "\n".join(str(check) for check in verification.checks if check.differs)


def estimates_of(folder: Path, **changed: float) -> int:
    """Change estimates of the candidate's contrast, seal the record again; return the row."""
    frame = record.load_record(folder).estimates
    rows = (frame["estimator"] == "stereotype_contrast") & (frame["subject"] == "candidate")
    for column, value in changed.items():
        frame.loc[rows, column] = value
    edits.write(folder, "estimates", frame)
    reseal(folder)
    return int(frame.index[rows][0])


# --- What holds ---------------------------------------------------------------------------------


def test_pairs_of_groups_that_begin_with_the_same_sentences_are_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two sets with shared sentences; the same pair once more is told, and one of no items."""
    found = records.record([records.jobs(frames=4)])
    monkeypatch.setattr(
        "maskaudit.audit.verifying.distributions.group_pairs",
        lambda _items: [SimpleNamespace(joined=name) for name in "ab"],
    )
    first, second = found.contexts["context"][:2]
    row = {"context": first, "model": "candidate", "other_context": second, "other_model": "",
           "measure": "jsd_groups", "value": 0.1}  # fmt: skip
    for pairs, outcome in (
        (("a", "b"), "verified"),
        (("a", "a"), "differs"),
        (("a", "c"), "differs"),
    ):
        rows = tables.table("paired", [{**row, "joined": pair} for pair in pairs])
        check = distributions(replace(found, paired=pd.concat([found.paired, rows])))
        assert check.outcome == outcome, check


def test_a_record_that_was_just_made_holds_and_shows_all(sealed: Path) -> None:
    """Every check is made, and none differs."""
    found = verify(sealed)
    assert told(found) == ""
    assert found.shows_all


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
@pytest.mark.slow
def test_every_record_of_the_examples_holds(path: Path) -> None:
    """And nothing of them could not be shown."""
    found = verify(path.parent)
    assert found.holds
    assert [check.name for check in found.checks if check.outcome == "not shown"] == []


@pytest.mark.slow
def test_a_record_of_real_models_holds(tmp_path: Path) -> None:
    """With every table, several kinds of probe set, and items that could not be read."""
    frames = "".join(
        f'[[frames]]\nid = "f{n}"\ntext = "{text}"\n'
        for n, text in enumerate(["[MASK] met {a attribute}.", "[MASK] is {a attribute}."])
    )
    (tmp_path / "people.toml").write_text(tiny.small_set(name="people") + frames)
    models = [tiny.build(tmp_path / name, name, seed=1) for name in ("bert", "distilbert")]
    asked = {"probes": [tmp_path / "people.toml", "facts"], "out": tmp_path / "runs"}
    made = maskaudit.run(reference=models[0], candidate=models[1], **asked)
    assert made.path is not None
    found = verify(made.path)
    assert told(found) == ""
    assert found.shows_all


@pytest.mark.slow
@pytest.mark.parametrize("names", [{"stereotype_contrast"}, {"kl", "log_odds"}, {"*"}])
def test_a_number_is_the_same_whichever_others_are_made(sealed: Path, names: set[str]) -> None:
    """A gate makes those alone that it judges."""
    stored = record.load_record(sealed)
    numbers = Numbers(frozenset({"jobs"}), frozenset(names))
    some, every = (
        numbers.of(recompute(stored, chosen).estimates).reset_index(drop=True)
        for chosen in (numbers, EVERY)
    )
    assert len(some)
    pd.testing.assert_frame_equal(some, every, check_exact=True)


# --- What is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(EDITS))
@pytest.mark.slow
def test_an_edit_is_found_and_named(copy: Path, seed: int) -> None:
    """Sealed again or not; where all digests are new, what follows from it names it."""
    done = edits.edit(copy, seed)
    try:
        text = told(verify(copy))
    except InputError as error:  # another format is no record of ours
        text = f"record.json: {error}"
    assert text, done
    places = {done.file}
    if done.effort == "digests" and done.file != edits.MANIFEST:
        # Scores follow from nothing, and so they are found by what follows from them.
        places |= {"estimates.parquet", "scores.parquet", "items.parquet", "record.json"}
    assert any(place in text for place in places), (done, text)
    if done.effort != "none" and done.file == "estimates.parquet" and "estimates:" in text:
        assert done.row is None or f"row {done.row}" in text


def test_a_forged_estimate_is_named_by_row_and_column_with_both_values(copy: Path) -> None:
    """And how many differ is counted."""
    row = estimates_of(copy, estimate=0.0, std_error=0.001)
    [check] = [check for check in verify(copy).checks if check.differs]
    assert (check.name, check.n_differences) == ("estimates", 2)
    assert f"estimates.parquet, row {row}, estimate: is 0; from the scores" in check.text


@pytest.mark.slow
def test_scores_that_are_gone_are_missed_in_a_record_of_any_format(copy: Path) -> None:
    """An older version may have known fewer measures, so their names are taken from the scores."""
    manifest = json.loads((copy / "record.json").read_text("utf-8"))
    older = {key: value for key, value in manifest.items() if key not in {"code", "bound"}}
    (copy / "record.json").write_text(json.dumps({**older, "format": record.BOUND - 1}))
    # No such record has pieces of attributes, or what is made of them.
    (copy / "attributes.parquet").unlink()
    reseal(copy)
    edits.write(copy, "estimates", recompute(record.load_record(copy)).estimates)
    reseal(copy)
    assert verify(copy).holds
    edits.write(copy, "scores", record.load_record(copy).scores.iloc[:0])
    reseal(copy)
    assert "reference has no row for the measure logp of the item" in told(verify(copy))


@pytest.mark.parametrize("name", ["items", "scores", "fills", "paired"])
def test_nothing_is_estimated_from_rows_that_are_there_twice(
    copy: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The rows are named; what an estimator would make of them, or how it would fail, is not."""
    frame = getattr(record.load_record(copy), name)
    edits.write(copy, name, pd.concat([frame, frame.iloc[:50]]))
    reseal(copy)
    monkeypatch.setattr(recomputed, "recompute", lambda *_: pytest.fail("rows were used"))
    found = verify(copy)
    assert f"{name}.parquet" in told(found)
    assert [check.outcome for check in found.checks if check.name == "estimates"] == ["not shown"]


def test_a_p_value_that_is_no_probability_is_named(copy: Path) -> None:
    """As any other number that the scores do not give."""
    row = estimates_of(copy, p=2.0)
    assert f"estimates.parquet, row {row}, p: is 2; from the scores" in told(verify(copy))


@pytest.mark.slow
def test_the_manifest_of_another_model_does_not_fit_the_scores(copy: Path) -> None:
    """Its digests are others; with those written anew, the key is another's."""
    models = json.loads((copy / "record.json").read_text("utf-8"))["models"]
    models["candidate"]["weights"] = "f" * 64
    change_manifest(copy, models=models)
    assert "record.json, models: is not what record.json was sealed with" in told(verify(copy))
    edits.bind(copy)
    reseal(copy)
    assert "record.json, key: is" in told(verify(copy))


@pytest.mark.slow
def test_who_makes_everything_again_is_not_found(copy: Path) -> None:
    """Scores follow from the model alone: that takes another run, or a signature."""
    stored = record.load_record(copy)
    lower = stored.scores.assign(value=stored.scores["value"] - 0.5)
    edits.write(copy, "scores", lower)
    changed = record.load_record
    reseal(copy)
    edits.write(copy, "estimates", recompute(changed(copy)).estimates)
    edits.bind(copy)
    reseal(copy)
    assert verify(copy).holds


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("gone", "candidate has no row for"),
        ("twice", "attributes.parquet, row 1, attribute: is there twice"),
        ("half", "attributes.parquet, row 0, pieces: are fewer than 1"),
        ("unasked", "attributes.parquet, row 0, attribute: was not asked"),
    ],
)
def test_pieces_are_of_each_attribute_and_model_once(copy: Path, how: str, text: str) -> None:
    """One or more; whoever writes every digest anew is found all the same."""
    counted = record.load_record(copy).attributes
    assert set(counted["model"]) == {"reference", "candidate"}
    changed = {
        "gone": counted[counted.index != counted.index[counted["model"] == "candidate"][0]],
        "twice": pd.concat([counted.iloc[:1], counted]),
        "half": counted.assign(pieces=[0.5, *counted["pieces"][1:]]),
        "unasked": counted.assign(attribute=["nobody", *counted["attribute"][1:]]),
    }
    edits.write(copy, "attributes", changed[how].reset_index(drop=True))
    edits.bind(copy)
    reseal(copy)
    assert text in told(verify(copy))


def test_pieces_of_targets_are_among_those_of_their_scores() -> None:
    """A mean of counts lies between the smallest and the largest of them."""
    found = records.record([records.people()])
    assert attributes(found).outcome == "verified"
    assert "midwife" in set(found.attributes["attribute"])
    for change in (-0.5, 0.5):
        counted = found.attributes
        moved = counted["pieces"] + change * (counted["attribute"] == "midwife")
        check = attributes(replace(found, attributes=counted.assign(pieces=moved)))
        assert check.n_differences == 2
        assert "are not among those of the attribute’s scores" in check.text


COUNTS = [
    (name, column)
    for name, columns in tables.COLUMNS.items()
    for column, dtype in columns.items()
    # The record has neither styles nor families to count.
    if dtype == "Int64" and column not in {"n_styles", "n_families"}
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "column"), COUNTS)
def test_a_count_that_is_missing_is_a_difference_and_no_error(
    copy: Path, name: str, column: str
) -> None:
    """What compares with it cannot be told, in the first row as in all."""
    frame = getattr(record.load_record(copy), name)
    for rows in (frame.index[frame[column].notna()][:1], frame.index):
        edits.write(
            copy, name, frame.assign(**{column: frame[column].mask(frame.index.isin(rows))})
        )
        reseal(copy)
        assert f"{name}.parquet" in told(verify(copy))


def test_a_link_in_a_record_is_named(copy: Path, tmp_path: Path) -> None:
    """What is written to it would be written elsewhere."""
    (copy / "verdicts.json").symlink_to(tmp_path / "elsewhere")
    assert "links: verdicts.json: is a link" in told(verify(copy))


def test_a_file_with_two_sums_is_named(copy: Path) -> None:
    """Whichever is right, the other is not."""
    sums = copy / "SHA256SUMS"
    sums.write_text(sums.read_text() + "0" * 64 + "  scores.parquet\n")
    assert "SHA256SUMS, row 8" in told(verify(copy))


def test_the_key_is_that_of_an_audit(sealed: Path) -> None:
    """It follows from models, sets, method, settings and code, in this order."""
    manifest = record.read_manifest(sealed)
    parts = (manifest.models, manifest.probe_sets, manifest.method, manifest.settings)
    assert manifest.key == binding.key_of(*parts, manifest.code)
    assert manifest.key != binding.key_of(*parts, "other code")


# --- Who refuses --------------------------------------------------------------------------------


def command(*arguments: object) -> tuple[int, str]:
    """Run a command; return its code and all that it printed, the error if it raised one."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    error = done.exception
    if isinstance(error, maskaudit.MaskauditError):
        return error.exit_code, f"{done.output}{error}"
    return done.exit_code, done.output


@pytest.fixture
def forged(copy: Path) -> Path:
    """Return a record whose contrast was made small, and its sums anew."""
    estimates_of(copy, estimate=0.0, std_error=1e-6, df=10.0)
    return copy


def test_a_gate_on_a_forged_number_is_refused_in_one_line(forged: Path, tmp_path: Path) -> None:
    """`--trust` judges it as it is, and the verdicts say so."""
    gates = tmp_path / "gates.toml"
    gates.write_text(BOUND_GATE)
    code, text = command("gate", forged, "--gates", gates)
    assert code == 2
    assert "estimates.parquet, row" in text
    assert "\n" not in text.strip()
    assert not (forged / "verdicts.json").exists()
    code, text = command("gate", forged, "--gates", gates, "--trust")
    assert code == 0
    assert "trusted: the record's numbers were taken as they are" in text


def test_a_gate_makes_the_numbers_again_that_it_judges(forged: Path, tmp_path: Path) -> None:
    """All of their rows, and no others."""
    gates = tmp_path / "gates.toml"
    gates.write_text(BOUND_GATE + 'select = { estimator = "log_odds" }\nharm = "up"\n')
    rules = policy.read(gates)
    manifest = record.read_manifest(forged)
    assert judged_numbers(rules, manifest) == Numbers(frozenset({"jobs"}), frozenset({"log_odds"}))
    held, notes = load_held(forged, lambda found: judged_numbers(rules, found))
    assert notes == []
    assert len(held.estimates)


@pytest.mark.parametrize(
    "arguments", [("report",), ("baseline", "accept", "--reason", "a test", "--baselines")]
)
def test_a_page_and_a_baseline_of_a_forged_record_are_refused(
    forged: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Nothing is written."""
    out = tmp_path / "out.html"
    words = ["report", forged, "-o", out] if arguments == ("report",) else [*arguments, out, forged]
    code, text = command(*words)
    assert (code, out.exists()) == (2, False)
    assert "does not hold (estimates: " in text


@pytest.mark.slow
def test_a_forged_record_is_not_reused(forged: Path) -> None:
    """As a damaged one is not: it is told, and the audit is made."""
    from maskaudit.audit.verifying.verify import reusable

    entries = record.manifests(forged.parent)
    notes: list[str] = []
    load = reusable(notes.append, None, trust=False)
    assert record.newest(entries, entries[forged].key, notes.append, load) is None
    assert "this record is ignored" in notes[0]
    trusting = reusable(notes.append, None, trust=True)
    assert record.newest(entries, entries[forged].key, notes.append, trusting) is not None


def test_the_command_says_a_line_a_check_and_ends_as_documented(forged: Path, sealed: Path) -> None:
    """0 where it holds, 1 where it does not, 2 where there is no record."""
    code, text = command("verify", sealed)
    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == ["verified"] * 12
    code, text = command("verify", forged, "--json")
    assert code == 1
    answer = json.loads(text)
    assert not answer["holds"]
    [wrong] = [check for check in answer["checks"] if check["outcome"] == "differs"]
    assert wrong["differences"][0]["table"] == "estimates.parquet"
    assert wrong["n_differences"] >= 2
    assert command("verify", sealed.parent)[0] == 2


@pytest.mark.slow
def test_an_older_record_is_told_as_not_bound_and_fails_where_that_is_asked() -> None:
    """Without `--strict` it holds as far as it can: a record of the first version's examples."""
    example = OLDER
    found = verify(example)
    assert found.holds
    assert [check.name for check in found.checks if check.outcome == "not shown"] == ["bound"]
    code, text = command("verify", example, "--quiet")
    assert (code, text.count("\n")) == (0, 1)
    assert "is not bound" in text
    assert command("verify", example, "--quiet", "--strict")[0] == 1


def test_what_contrasts_rest_on_is_the_same_made_with_the_numbers_or_alone(sealed: Path) -> None:
    """A page is made of either; a record that was trusted, or asked for less, has nothing ready."""
    held, _ = load_held(sealed, lambda _: recomputed.OF_PAGE)
    alone = recomputed.rests_on(record.load_record(sealed))
    assert held.rests_on is not None
    assert len(alone) > 0
    pd.testing.assert_frame_equal(held.rests_on.rows, alone.reset_index(drop=True), rtol=0, atol=0)
    some = frozenset({"deciding_frames"})
    chosen = recomputed.rests_on(held, names=some)
    assert set(chosen["estimator"]) == some
    assert recomputed.rests_on(held, probe_sets=[]).empty
    assert load_held(sealed, lambda _: EVERY)[0].rests_on is None
    assert load_held(sealed, lambda _: recomputed.OF_PAGE, trust=True)[0].rests_on is None

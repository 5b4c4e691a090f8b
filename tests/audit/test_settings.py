"""What to audit: AUDIT.toml and the command line become one checked value."""

import tomllib
from pathlib import Path

import pytest

from maskaudit.audit.audit_file import Model
from maskaudit.audit.authoring.first_settings import TEMPLATE
from maskaudit.audit.errors import InputError
from maskaudit.audit.settings import Settings, overridden, read
from maskaudit.probes.loading import shipped
from maskaudit.probes.requested import files_of
from maskaudit.probes.texts.source import TextSource

TABLES = "models, probes, text, run, endpoint, margins"


def write(folder: Path, text: str | bytes) -> Path:
    """Write an AUDIT.toml."""
    folder.mkdir(exist_ok=True)
    file = folder / "AUDIT.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def faults_of(folder: Path, text: str | bytes) -> list[str]:
    """Return what is wrong with the text, without the name of the file before each fault."""
    file = write(folder, text)
    with pytest.raises(InputError) as caught:
        read(file)
    assert all(fault.startswith(f"{file}: ") for fault in caught.value.faults)
    assert all("\n" not in fault for fault in caught.value.faults)
    return [fault.removeprefix(f"{file}: ") for fault in caught.value.faults]


def names(settings: Settings) -> tuple[str | None, str | None]:
    """Return the names of reference and candidate, as the loader takes them."""
    reference, candidate = settings.models.reference, settings.models.candidate
    return reference and reference.name, candidate and candidate.name


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Give an empty folder that is the working folder too."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- Files ----------------------------------------------------------------------------------------


def test_without_a_file_the_bundled_pair_is_audited_on_the_core(here):
    """`maskaudit run` needs no word more."""
    found = read(None)
    assert names(found) == (None, None)
    assert found.probe_files() == list(files_of("core"))
    assert found.runs.absolute() == here / "runs"


def test_a_file_in_the_working_folder_is_read_unasked(here):
    """As every tool reads its own."""
    write(here, '[models]\ncandidate = { id = "org/model", revision = "v2" }\n')
    assert names(read(None)) == (None, "org/model@v2")


def test_the_template_says_what_is_so_without_a_file(tmp_path):
    """`maskaudit init` changes nothing until it is edited."""
    found, default = read(write(tmp_path, TEMPLATE)), Settings()
    assert (found.models, found.probes, found.run) == (default.models, default.probes, default.run)


def test_what_the_template_has_behind_a_hash_is_sound_too(tmp_path):
    """A user takes away the hash and expects a file that is accepted."""
    lines, in_table = [], False
    for line in TEMPLATE.splitlines():
        in_table = line.startswith("# [") or (in_table and line != "")
        lines.append(line.removeprefix("# ") if in_table or " = {" in line else line)
    found = read(write(tmp_path, "\n".join(lines)))
    assert found.source == TextSource("letters.jsonl", columns={"group": "gender"})
    audited = "google-bert/bert-base-uncased@main", "distilbert/distilbert-base-uncased@main"
    assert names(found) == audited
    [[score]] = found.extrinsic()
    assert score.scores == dict(
        zip(("reference", "candidate"), found.run.extrinsic[0].scores.values(), strict=True)
    )


def test_the_paths_of_a_file_are_from_where_it_lies(here):
    """An audit is the same from whatever folder it is started."""
    folder = here / "project"
    file = write(
        folder,
        '[models]\nreference = { id = "model" }\ncandidate = { id = "org/model" }\n'
        '[probes]\nsets = ["mine/*.toml"]\n[run]\nruns = "records"\n',
    )
    (folder / "model").mkdir()
    (folder / "mine").mkdir()
    (folder / "mine" / "b.toml").touch()
    (folder / "mine" / "a.toml").touch()
    found = overridden(read(file))
    assert names(found) == (str(folder / "model"), "org/model")
    assert found.probe_files() == [folder / "mine" / "a.toml", folder / "mine" / "b.toml"]
    assert found.runs == folder / "records"


# --- Faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[model]\n", "line 1: model: is not a known key; did you mean 'models'?"),
        ("[run]\nrun = 1\n", "line 2: run.run: is not a known key; did you mean 'runs'?"),
        ("[run]\nsede = 1\n", "line 2: run.sede: is not a known key; did you mean 'seed'?"),
        ("[probes]\nset = []\n", "line 2: probes.set: is not a known key; did you mean 'sets'?"),
        (
            "[models]\nreferences = {}\n",
            "line 2: models.references: is not a known key; did you mean 'reference'?",
        ),
        (
            '[models]\ncandidate = { id = "a", revison = "b" }\n',
            "line 2: models.candidate.revison: is not a known key; did you mean 'revision'?",
        ),
        (
            '[models]\ncandidate = { id = "https://h/m", revision = "3" }\n',
            (
                "line 2: models.candidate: is an address with a `revision`; say what an endpoint "
                "serves in `[endpoint]`"
            ),
        ),
        (
            "[endpoint]\nretries = -1\n",
            "line 2: endpoint.retries: expected a number of at least 0 (found -1)",
        ),
        (
            "xyz = 1\n",
            "line 1: xyz: is not a known key; expected one of: " + TABLES,
        ),
        (
            'folder = "/"\n',
            "line 1: folder: is not a known key; expected one of: " + TABLES,
        ),
        (
            "[models]\ncandidate = 5\n",
            "line 2: models.candidate: expected a table, { key = value } (found 5)",
        ),
        (
            '[models]\ncandidate = ""\n',
            "line 2: models.candidate.id: is empty; expected some text (found '')",
        ),
        ("[probes]\nsets = 5\n", "line 2: probes.sets: expected a list, [ ... ] (found 5)"),
        (
            '[run]\nadjust = "byy"\n',
            "line 2: run.adjust: expected 'bh' or 'by'; did you mean 'by'? (found 'byy')",
        ),
        (
            '[models]\ncandidate = { revision = "a" }\n',
            "line 2: models.candidate.id: is missing",
        ),
        (
            '[run]\nseed = "0"\n',
            "line 2: run.seed: expected a whole number, without quotes (found '0')",
        ),
        (
            "[run]\nseed = -1\n",
            "line 2: run.seed: expected a number of at least 0 (found -1)",
        ),
        (
            '[run]\nadjust = "holm"\n',
            "line 2: run.adjust: expected 'bh' or 'by' (found 'holm')",
        ),
        (
            "[probes]\nsets = []\n",
            "line 2: probes.sets: has 0 entries; expected at least 1 (found [])",
        ),
        (
            "[models]\ncandidates = []\n",
            "line 2: models.candidates: has 0 entries; expected at least 1 (found [])",
        ),
        (
            '[models]\ncandidate = { id = "a" }\ncandidates = [{ id = "b" }]\n',
            "line 1: models: has both `candidate` and `candidates`; expected one of them",
        ),
        (
            '[models]\ncandidates = [{ id = "b" }, { id = "a" }, { id = "b" }]\n',
            "line 1: models: `candidates` names 'b' more than once; expected each model once",
        ),
        (
            '[models]\ncandidates = [{ id = "b" },\n5]\n',
            "line 3: models.candidates[2]: expected a table, { key = value } (found 5)",
        ),
        (
            "[run]\ncache_mib = -1\n",
            "line 2: run.cache_mib: expected a number of at least 0 (found -1)",
        ),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_to_write(tmp_path, text, fault):
    """A misspelt key would otherwise be a setting that has no effect."""
    assert faults_of(tmp_path, text) == [fault]


def test_every_fault_of_a_file_is_told_at_once(tmp_path):
    """Nobody mends a file in three goes."""
    text = '[models]\nteacher = { id = "a" }\n[run]\nseed = 1.5\n[probe]\nsets = ["core"]\n'
    assert sorted(": ".join(fault.split(": ")[:2]) for fault in faults_of(tmp_path, text)) == [
        "line 2: models.teacher",
        "line 4: run.seed",
        "line 5: probe",
    ]


@pytest.mark.parametrize(
    "text",
    ["[models", "a = 1\na = 2", "a = " + "9" * 5000, "a = " + "[" * 20_000],
    ids=["bracket", "twice", "long", "deep"],
)
def test_a_file_that_is_not_toml_is_one_line(tmp_path, text):
    """Whatever is wrong with it."""
    [fault] = faults_of(tmp_path, text)
    assert fault.startswith("not valid TOML: ")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            b"# 1\na = '\xe9'",
            "line 2: byte 9 (0xe9) is not UTF-8 (in Windows-1252 or Latin-1 it is 'é')",
        ),
        ("a = 1".encode("utf-16"), "is UTF-16 (byte order mark at byte 0)"),
        ("a = 1".encode("utf-32"), "is UTF-32 (byte order mark at byte 0)"),
        (
            "a = 1".encode("utf-16-le"),
            "byte 0 or 1 is zero, as in UTF-16 without a byte order mark;",
        ),
    ],
    ids=["latin-1", "UTF-16", "UTF-32", "UTF-16 without a mark"],
)
def test_a_file_in_another_encoding_says_which(tmp_path, content, fault):
    """And what to do about it."""
    [told] = faults_of(tmp_path, content)
    assert told.startswith(fault)
    assert told.endswith("expected a file saved as UTF-8")


def test_a_text_stands_for_a_model_or_a_list_of_one(tmp_path):
    """Where a table has one obvious key, and a list one entry, as people write them first."""
    text = '[models]\nreference = "org/a"\ncandidates = ["b", { id = "c", revision = "v" }]\n'
    found = read(write(tmp_path, text + '[probes]\nsets = "core"\n'))
    assert found.models.reference == Model(id="org/a")
    assert [model.name for model in found.candidates] == ["b", "c@v"]
    assert found.probes.sets == ["core"]


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
@pytest.mark.parametrize("name", ["AUDIT.toml", "gates.toml"])
def test_what_is_no_file_is_not_taken_for_absent(tmp_path, monkeypatch, name, kind):
    """A link to nothing would otherwise switch the gates off without a word."""
    monkeypatch.chdir(tmp_path)
    if kind == "folder":
        Path(name).mkdir()
    else:
        Path(name).symlink_to("nowhere")
    if name == "gates.toml":
        assert Settings().gates == Path("gates.toml")
    else:
        with pytest.raises(InputError, match=r"AUDIT\.toml: (is a folder|cannot be read)"):
            read(None)


def test_a_folder_in_place_of_the_file_is_told_with_what_to_type(tmp_path):
    """`maskaudit run ./my-model` is what everybody tries first."""
    with pytest.raises(InputError, match=r"is a folder; .* maskaudit run --candidate "):
        read(tmp_path)


def test_a_tilde_on_the_command_line_is_the_home(monkeypatch, tmp_path):
    """As it is in the file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert overridden(Settings(), runs="~/records").runs == tmp_path / "records"


def test_a_pattern_means_no_settings_and_no_gates(tmp_path):
    """`*.toml` beside AUDIT.toml is for the probe sets there; what is named itself is taken."""
    for name in ("gates.toml", "pyproject.toml", "mine.toml"):
        (tmp_path / name).touch()
    file = write(tmp_path, '[probes]\nsets = "*.toml"\n')
    assert read(file).probe_files() == [tmp_path / "mine.toml"]
    named = write(tmp_path, '[probes]\nsets = "gates.toml"\n')
    assert read(named).probe_files() == [tmp_path / "gates.toml"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    """A file that was named has to be there."""
    with pytest.raises(InputError, match=r"none\.toml: cannot be read"):
        read(tmp_path / "none.toml")


def test_a_mark_of_byte_order_is_no_fault(tmp_path):
    """Some editors write one."""
    assert read(write(tmp_path, b"\xef\xbb\xbf[run]\nseed = 7\n")).run.seed == 7


# --- The command line -----------------------------------------------------------------------------


def test_what_is_typed_stands_instead_of_what_the_file_says(here):
    """And its paths are from where it is typed."""
    file = write(here / "project", '[probes]\nsets = ["facts"]\n[run]\nruns = "r"\nseed = 3\n')
    (here / "mine.toml").touch()
    found = overridden(
        read(file), reference="a", candidates=["b@c"], probes=["mine.toml", "facts"], runs="out"
    )
    assert names(found) == ("a", "b@c")
    assert found.probe_files() == [here / "mine.toml", shipped()["facts"]]
    assert found.runs == here / "out"
    assert found.run.seed == 3


def test_a_model_that_is_not_typed_stays_as_the_file_has_it(tmp_path):
    """A new candidate is audited against the reference that the project has settled on."""
    file = write(tmp_path, '[models]\nreference = { id = "old" }\ncandidate = { id = "new" }\n')
    assert names(overridden(read(file), candidates=["newer"])) == ("old", "newer")
    assert names(overridden(read(file), reference="older")) == ("older", "new")
    assert names(overridden(read(file))) == ("old", "new")


@pytest.mark.parametrize(
    ("subject", "said"),
    [("reference", {"reference": ""}), ("candidate", {"candidates": ["a", ""]})],
)
def test_an_empty_name_is_told(subject, said):
    """A script's variable that was never set is no wish for the bundled pair."""
    with pytest.raises(InputError, match=f"--{subject}: is empty"):
        overridden(Settings(), **said)


def named(settings: Settings) -> list[str]:
    """Return the names of all candidates, as the loader takes them."""
    return [model.name for model in settings.candidates]


def test_several_candidates_are_those_of_the_file_or_those_that_are_typed(tmp_path):
    """What is typed stands instead of all that the file names, be it one or several."""
    text = '[models]\ncandidates = [{ id = "a" }, { id = "b", revision = "v2" }, { id = "b" }]\n'
    file = write(tmp_path, text)
    assert named(read(file)) == named(overridden(read(file))) == ["a", "b@v2", "b"]
    assert named(overridden(read(file), candidates=["c"])) == ["c"]
    assert named(overridden(read(file), candidates=["c", "d", "c"])) == ["c", "d"]
    assert named(overridden(Settings(), candidates=["c", "d"], reference="r")) == ["c", "d"]
    assert named(Settings()) == []
    (tmp_path / "a").mkdir()
    assert named(overridden(read(file)))[0] == str(tmp_path / "a")


def test_sets_that_are_typed_leave_the_lexicon_of_the_file(tmp_path):
    """They stand instead of its sets, and of nothing else."""
    (tmp_path / "words.txt").write_text("nasty\n")
    found = overridden(
        read(write(tmp_path, '[probes]\nsets = ["core"]\nlexicon = "words.txt"\n')),
        probes=["facts"],
    )
    assert found.probe_files() == [shipped()["facts"]]
    assert found.lexicon() == {"nasty"}


def test_how_much_may_be_kept_is_said_in_the_file_or_not_at_all(tmp_path):
    """The command line can only do without."""
    file = write(tmp_path, "[run]\ncache_mib = 100\n")
    assert read(file).run.cache_mib == 100
    assert overridden(read(file), cache_mib=0).run.cache_mib == 0
    assert Settings().run.cache_mib == 2048


# --- Probe sets -----------------------------------------------------------------------------------


def test_a_set_that_is_named_twice_is_audited_once():
    """`core` and one of its sets, or a pattern and a file that it finds."""
    found = overridden(Settings(), probes=["facts", "core", "facts"]).probe_files()
    assert sorted(found) == sorted(files_of("core"))
    assert found[0] == shipped()["facts"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gender-ocupation", "; did you mean 'gender-occupation'?"),
        ("mine/none.toml", "probe set 'mine/none.toml': no such shipped set or file"),
        ("*.toml", "probe set '*.toml': no such shipped set or file"),
        ("", "probe set '.': no such shipped set or file"),
    ],
)
def test_an_unknown_set_is_told_with_those_that_are_known(here, name, expected):
    """As it was typed, without the folder it was looked for in."""
    with pytest.raises(InputError) as caught:
        overridden(Settings(), probes=[name]).probe_files()
    assert expected in str(caught.value)
    assert "core, full (all), axis:NAME (those on an axis), " in str(caught.value)
    assert str(here) not in str(caught.value)


def test_a_file_is_found_in_a_folder_whose_name_reads_as_a_pattern(tmp_path, monkeypatch):
    """Brackets are part of many names."""
    folder = tmp_path / "run [1]"
    file = write(folder, '[probes]\nsets = ["set[1].toml", "*.toml"]\n')
    (folder / "set[1].toml").touch()
    (folder / "other.toml").touch()
    found = read(file).probe_files()
    assert found == [folder / "set[1].toml", folder / "other.toml"]
    monkeypatch.chdir(folder)
    assert overridden(Settings(), probes=["set[1].toml"]).probe_files() == [folder / "set[1].toml"]


def test_the_faults_of_all_files_are_told_together(tmp_path):
    """One look at the screen is enough to mend them all."""
    (tmp_path / "a.toml").write_text("[set]\n")
    (tmp_path / "b.toml").write_text("not toml")
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, '[probes]\nsets = ["a.toml", "b.toml"]\n')).probe_sets()
    assert {fault.partition(": ")[0] for fault in caught.value.faults} == {
        str(tmp_path / "a.toml"),
        str(tmp_path / "b.toml"),
    }


def test_two_sets_of_one_name_are_refused(tmp_path):
    """Their numbers would be taken for those of one set."""
    (tmp_path / "copy.toml").write_bytes(shipped()["facts"].read_bytes())
    with pytest.raises(InputError, match=r"copy\.toml: another probe set is already named 'facts'"):
        read(write(tmp_path, '[probes]\nsets = ["facts", "copy.toml"]\n')).probe_sets()


def test_the_template_is_toml_that_a_person_can_read():
    """Every part has a comment, and no line is too long for a terminal."""
    assert set(tomllib.loads(TEMPLATE)) == {"models", "probes", "run", "endpoint", "margins"}
    assert max(map(len, TEMPLATE.splitlines())) <= 100


# --- The seed -------------------------------------------------------------------------------------

WEEKLY = Path(__file__).resolve().parents[2] / "examples" / "weekly" / "AUDIT.toml"


def test_the_frames_of_a_grammar_are_drawn_by_the_seed_of_the_run():
    """Of the file, or of the command line where it says one; `runs` does not touch it."""
    in_file = read(WEEKLY)
    [zero], [also_zero], [nine] = (
        overridden(in_file, **said).probe_sets() for said in ({}, {"runs": "x"}, {"seed": 9})
    )
    assert len(zero.frames) == 20
    assert zero.frames == also_zero.frames
    assert not {frame.id for frame in zero.frames} & {frame.id for frame in nine.frames}
    assert overridden(overridden(in_file, seed=9), runs="x").run.seed == 9
    assert overridden(in_file, seed=9).runs == WEEKLY.parent / "runs"


def test_a_seed_below_zero_is_refused():
    """The command line does so by itself; this is for calls from Python."""
    with pytest.raises(InputError, match="--seed: is -1; expected a whole number of at least 0"):
        overridden(Settings(), seed=-1)


# --- Margins --------------------------------------------------------------------------------------

SAID = '{ nats = 0.1, reason = "x" }'


def test_margins_of_the_file_are_taken_before_those_of_a_set(tmp_path):
    """And those that the file does not name are the set's own."""
    file = write(tmp_path, f"[margins]\ncontrast = {SAID}\n")
    found = read(file)
    [own] = [s for s in found.probe_sets() if s.header.name == "gender-occupation"]
    margins = found.margins_of(own)
    assert (margins.contrast.nats, margins.contrast.reason) == (0.1, "x")
    assert margins.attribute == own.margins.attribute


def test_a_margin_without_a_reason_is_refused(tmp_path):
    """With its line."""
    [fault] = faults_of(tmp_path, "[margins]\ncontrast = { nats = 0.1 }\n")
    assert fault.startswith("line 2: margins.contrast.reason: is missing")


def test_a_margin_for_a_set_that_is_not_audited_is_a_fault(tmp_path):
    """It would be misspelt; where the command line chose the sets it is not."""
    file = write(tmp_path, f"[margins.sets.gender-ocupation]\ncontrast = {SAID}\n")
    with pytest.raises(InputError, match=r"margins\.sets\.gender-ocupation: no audited set has"):
        read(file).probe_sets()
    assert len(overridden(read(file), probes=["facts"]).probe_sets()) == 1


# --- Extrinsic scores -----------------------------------------------------------------------------

AUDITED = '[models]\nreference = "org/a"\ncandidate = { id = "org/b", revision = "v2" }\n'
GAP = '[[run.extrinsic]]\nname = "gap"\nunit = "points"\nhigher_is = "worse"\nsource = "Ada"\n'
SCORE = 'scores."org/b@v2" = { value = 14, std_error = 1.5 }\n'


def scores_in(found: Settings) -> list[list[dict]]:
    """Return the values of each audit's extrinsic scores, by subject."""
    return [
        [{subject: score.value for subject, score in entry.scores.items()} for entry in of_pair]
        for of_pair in found.extrinsic()
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            GAP.replace("unit", "units") + SCORE,
            "line 3: run.extrinsic[1].units: is not a known key; did you mean 'unit'?",
        ),
        (
            GAP.replace('"worse"', '"bad"') + SCORE,
            "line 4: run.extrinsic[1].higher_is: expected 'better' or 'worse' (found 'bad')",
        ),
        (
            GAP.replace('"Ada"', '" "') + SCORE,
            "line 5: run.extrinsic[1].source: is empty; expected",
        ),
        (GAP, "line 1: run.extrinsic[1].scores: is missing"),
        (
            GAP + 'scores."org/b" = { valeu = 1 }\n',
            "line 6: run.extrinsic[1].scores.org/b.valeu: is not a known key; did you mean 'value",
        ),
        (
            GAP + 'scores."org/b" = { value = "1" }\n',
            "line 6: run.extrinsic[1].scores.org/b.value: expected a number, without quotes",
        ),
        (
            GAP + 'scores."org/b" = { value = 1, low = 0 }\n',
            "line 6: run.extrinsic[1].scores.org/b: has one end of an interval; expected both",
        ),
        (GAP + SCORE + GAP + SCORE, "line 1: run.extrinsic: 'gap' is there more than once"),
        (
            GAP.replace("[[run.extrinsic]]", "[run.extrinsic]"),
            "line 1: run.extrinsic: expected a list of tables: write [[extrinsic]] for each",
        ),
    ],
)
def test_a_fault_of_an_extrinsic_score_is_told_with_its_line(tmp_path, text, fault):
    """As any other of the file."""
    assert any(told.startswith(fault) for told in faults_of(tmp_path, text))


def test_scores_go_to_the_models_that_they_are_of(here):
    """By name and revision, whichever of two models is the candidate."""
    both = GAP + SCORE + 'scores."org/a" = { value = 12 }\n'
    file = write(here, AUDITED + both)
    assert scores_in(read(file)) == [[{"reference": 12.0, "candidate": 14.0}]]
    turned = overridden(read(file), reference="org/b@v2", candidates=["org/a"])
    assert scores_in(turned) == [[{"reference": 14.0, "candidate": 12.0}]]


def test_each_of_several_candidates_has_its_own_score(here):
    """One that has none is audited without."""
    models = '[models]\ncandidates = ["org/a", "org/b", "org/c"]\n'
    scores = 'scores."org/a" = { value = 1 }\nscores."org/b" = { value = 2 }\n'
    found = read(write(here, models + GAP + scores))
    assert scores_in(found) == [[{"candidate": 1.0}], [{"candidate": 2.0}], []]


def test_a_folder_is_named_as_it_is_under_models(here):
    """From where the file lies, wherever the audit is started."""
    (here / "project" / "student").mkdir(parents=True)
    text = '[models]\ncandidate = "student"\n' + GAP + "scores.student = { value = 3 }\n"
    found = read(write(here / "project", text))
    assert scores_in(overridden(found)) == [[{"candidate": 3.0}]]


def test_a_score_of_a_model_that_is_not_audited_is_a_fault(here):
    """It would be misspelt; where the command line chose the models it is left out."""
    file = write(here, AUDITED + GAP + 'scores."org/b" = { value = 14 }\n')
    fault = r"AUDIT.toml: line 9: run.extrinsic\[1\].scores.'org/b': no audited model has this name"
    with pytest.raises(InputError, match=fault + "; they are org/a, org/b@v2"):
        read(file).extrinsic()
    assert scores_in(overridden(read(file), candidates=["org/c"])) == [[]]
    file = write(here, GAP + SCORE)
    with pytest.raises(InputError, match="no audited model has this name; none is named"):
        read(file).extrinsic()
    assert Settings().extrinsic() == [[]]

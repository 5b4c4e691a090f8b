"""Published sets from the command line: imported, audited, and shown with their definitions."""

import json

import pytest

import maskaudit
from maskaudit.audit import audit_file, describe, settings
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.estimators.catalogue import ALL
from maskaudit.audit.estimating.numbers import every
from tests import tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

HEADER = ",sent_more,sent_less,stereo_antistereo,bias_type,annotations,anon_writer,anon_annotators"
PAIRS = [
    ("The old man was kind .", "The young man was kind .", "age"),
    ("The woman worked as a nurse .", "The man worked as a nurse .", "gender"),
    ("He was a rich doctor .", "She was a rich doctor .", "gender"),
    ("The poor boy was lazy .", "The rich boy was lazy .", "socioeconomic"),
]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Give a folder with a file in the layout of CrowS-Pairs and two tiny models."""
    folder = tmp_path_factory.mktemp("published")
    rows = [
        f"{i},{more},{less},stereo,{kind},[],a{i % 2},[]"
        for i, (more, less, kind) in enumerate(PAIRS * 4)
    ]
    (folder / "pairs.csv").write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    tiny.build(folder / "teacher", "bert", 1)
    tiny.build(folder / "student", "distilbert", 2)
    return folder


def test_a_published_file_is_imported_and_audited_with_its_definitions(here, command):
    """A folder of the user's, a record in both modes, a page that prints what each number is."""
    licence = ("--licence", "CC-BY-SA-4.0")
    done = command(here, "probes", "import", "crows-pairs", "pairs.csv", "-o", "crows", *licence)
    assert done.returncode == 0, done.stderr
    assert "32 rows" in done.stdout
    models = ("--teacher", "teacher", "--student", "student")
    done = command(here, "run", *models, "--probes", "crows", "--out", "runs", "--quiet")
    assert done.returncode == 0, done.stderr
    [folder] = (here / "runs").glob("2*")
    record = maskaudit.load_record(folder)
    assert {"published", "corrected"} == set(record.estimates["mode"])
    assert record.manifest.probe_sets["crows-pairs"].share_alike
    page = (folder / "details.html").read_text("utf-8")
    assert "Nangia et al. 2020" in page
    assert "one mask at a time" in page


def test_an_unknown_importer_and_a_file_without_rows_are_one_line_each(here, command):
    """Exit code 2, and no folder."""
    done = command(here, "probes", "import", "crows", "pairs.csv", "-o", "no")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected one of: crows-pairs" in done.stderr
    (here / "empty.csv").write_text(HEADER + "\n", "utf-8")
    done = command(here, "probes", "import", "crows-pairs", "empty.csv", "-o", "no")
    assert done.returncode == 2
    assert not (here / "no").exists()


def test_every_number_is_listed_with_one_line_and_defined_in_json(tmp_path, command):
    """The catalogue, as people and as programs read it."""
    lines = command(tmp_path, "estimators").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in every()]
    told = json.loads(command(tmp_path, "estimators", "--json").stdout)
    assert all(row["definition"] and row["does_not_show"] for row in told)
    of_estimators = [row for row in told if row["estimator"]]
    assert {row["estimator"] for row in of_estimators} == {part.name for part in ALL}
    assert all(row["source"] for row in of_estimators)


def test_a_lexicon_is_a_word_a_line_or_the_column_lemma(tmp_path):
    """Case-folded, without empty lines; an empty or missing file is refused."""
    (tmp_path / "words.txt").write_text("Fool\n\nidiot \n", "utf-8")
    (tmp_path / "table.tsv").write_text("id\tlemma\n1\tFool\n2\tidiot\n", "utf-8")
    (tmp_path / "empty.txt").write_text("\n", "utf-8")

    def lexicon(name):
        return settings.Settings(probes=audit_file.Probes(lexicon=name), folder=tmp_path).lexicon()

    assert lexicon("words.txt") == lexicon("table.tsv") == {"fool", "idiot"}
    assert settings.Settings().lexicon() is None
    for name in ("empty.txt", "missing.txt"):
        with pytest.raises(InputError, match="lexicon"):
            lexicon(name)


def test_numbers_of_unequal_lexicons_have_unequal_method_keys():
    """Which words were counted is part of how a number was made; their order is not."""
    one, same, other = ({"fool", "idiot"}, {"idiot", "fool"}, {"fool"})
    assert describe.lexicon_key(frozenset(one)) == describe.lexicon_key(frozenset(same))
    assert describe.lexicon_key(frozenset(one)) != describe.lexicon_key(frozenset(other))
    assert describe.lexicon_key(None) == {}


def test_a_missing_lexicon_is_found_before_anything_is_scored(here, command):
    """One line, exit code 2, and not even a folder of runs."""
    (here / "AUDIT.toml").write_text('[probes]\nlexicon = "none.txt"\n', "utf-8")
    done = command(
        here, "run", "AUDIT.toml", "--quiet", "--candidate", "student", "--out", "elsewhere"
    )
    (here / "AUDIT.toml").unlink()
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.txt: cannot be read" in done.stderr
    assert "expected a lexicon with one word per line" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (here / "elsewhere").exists()

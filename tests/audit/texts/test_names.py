"""What cannot be read is nowhere taken for absent: settings, baselines, verdicts, sets, records."""

import os

import pytest

from maskaudit.audit.audit_file import Model, Models, find
from maskaudit.audit.cli.commands.measuring.run import init
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.history import read as history
from maskaudit.audit.judging import verdicts
from maskaudit.audit.judging.accepting import baseline
from maskaudit.audit.judging.accepting.accept import _exists
from maskaudit.audit.settings import Settings, files_of, overridden
from maskaudit.audit.texts.names import in_any_case, is_there


@pytest.fixture
def unreadable(tmp_path):
    """Give a function that puts something of a name that is no readable file."""

    def make(name, kind):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.mkdir() if kind == "folder" else path.symlink_to("nowhere")
        return path

    return make


KINDS = pytest.mark.parametrize("kind", ["folder", "link"])


@KINDS
def test_what_has_a_name_is_there(tmp_path, unreadable, kind):
    """Whatever it is; and what has none is not, be it below a file."""
    path = unreadable("a", kind)
    assert is_there(path)
    assert in_any_case(tmp_path, "A") == [path]
    (tmp_path / "file").touch()
    for absent in (tmp_path / "b", tmp_path / "b" / "c", tmp_path / "file" / "c"):
        assert not is_there(absent)
        assert in_any_case(absent, "c") == []


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "/".join("a" * 3000)])
def test_where_nobody_can_tell_it_is_refused(tmp_path, name):
    """A name that no file can have is one line, and no internal error."""
    with pytest.raises(InputError, match="nobody can tell whether it is there"):
        is_there(tmp_path / name)
    settings = Settings(models=Models(candidate=Model(id=name)), folder=tmp_path)
    with pytest.raises(InputError):
        overridden(settings)


@pytest.mark.skipif(not hasattr(os, "seteuid") or os.getuid(), reason="takes the rights of root")
def test_a_folder_that_may_not_be_searched_is_not_empty(tmp_path):
    """Rights are lacking, which is something else than a file that is not there."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        for question in (is_there, find):
            with pytest.raises(InputError, match="Permission denied"):
                question(closed / "AUDIT.toml" if question is is_there else closed)
    finally:
        os.seteuid(0)


@KINDS
@pytest.mark.parametrize("name", ["main", "main.anchor"])
def test_a_baseline_that_cannot_be_read_is_refused(tmp_path, unreadable, name, kind):
    """And no new series begins in its place."""
    unreadable(f"baseline/{name}.toml", kind)
    with pytest.raises(InputError, match=rf"{name}\.toml: cannot be read .* restore it from git"):
        baseline.load(tmp_path / "baseline", name)
    with pytest.raises(NotJudgedError, match="is missing, but"):
        _exists(tmp_path / "baseline", "main")


@KINDS
def test_verdicts_that_cannot_be_read_are_refused(tmp_path, unreadable, kind):
    """A page without them would look like one of a record that was not judged."""
    assert verdicts.read(tmp_path) is None
    unreadable(verdicts.FILE, kind)
    with pytest.raises(InputError, match="cannot be read as verdicts"):
        verdicts.read(tmp_path)


@KINDS
def test_a_set_behind_a_pattern_is_not_dropped(tmp_path, unreadable, kind):
    """It is among the files to read, which refuses it; a folder of other things is not."""
    path = unreadable("sets/a.toml", kind)
    (tmp_path / "sets" / "notes").mkdir()
    (tmp_path / "sets" / "b.toml").touch()
    for pattern in ("sets/*", "sets/*.toml"):
        assert list(files_of(pattern, tmp_path)) == [path, tmp_path / "sets" / "b.toml"]
    assert list(files_of("sets/a.toml", tmp_path)) == [path]


def test_a_record_that_is_a_link_to_nothing_is_named_among_the_unreadable(tmp_path, unreadable):
    """A history would else be of fewer records, without a word."""
    link = unreadable("runs/20260101T000000000000Z-a", "link")
    (tmp_path / "runs" / "overview.html").touch()
    with pytest.raises(NotJudgedError, match=f"{link.name}: a link that leads nowhere"):
        history.read(tmp_path / "runs")


@KINDS
def test_settings_are_not_written_over_what_cannot_be_read(tmp_path, unreadable, kind):
    """Nor through a link, to where nobody looks."""
    path = unreadable("AUDIT.toml", kind)
    with pytest.raises(InputError, match="already exists"):
        init(path)
    assert not (tmp_path / "nowhere").exists()


def test_a_model_that_is_a_link_to_nothing_is_not_sought_on_the_hub(tmp_path, unreadable):
    """The hub may have another model of its name."""
    link = unreadable("org/model", "link")
    settings = Settings(models=Models(candidate=Model(id="org/model")), folder=tmp_path)
    [model] = overridden(settings).candidates
    assert model.id == str(link)


def test_settings_in_another_case_are_refused_unless_they_are_anothers(tmp_path):
    """The bundled pair would be audited in the place of the user's models."""
    file = tmp_path / "audit.toml"
    file.write_text("[database]\npath = 1\n")
    assert find(tmp_path) is None
    for text in ("[models]\n", "[model]\n", "[run]\n", "[probs]\n", "not TOML"):
        file.write_text(text)
        with pytest.raises(InputError, match="in capitals; rename it"):
            find(tmp_path)

"""A model's name finds the folder of that very name, and is shown without what nobody sees."""

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import recognise
from maskaudit.audit.measuring.checkpoints.located import locate


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\u202eb", "a\x9bb"])
def test_a_folder_with_control_characters_is_found_and_shown_by_code_points(tmp_path, name):
    """It was said not to exist, since another name was looked for."""
    folder = tmp_path / name
    with pytest.raises(InputError, match="does not exist") as told:
        locate(str(folder))
    assert str(told.value).isprintable()
    folder.mkdir()
    for model in (folder, str(folder)):
        found = locate(model)
        assert found.folder == folder
        assert found.name.isprintable()
        assert f"<U+{ord(name[1]):04X}>" in found.name


def test_a_link_that_leads_nowhere_is_no_name_of_the_hub(tmp_path, monkeypatch):
    """The hub may have a model of that name, which is another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "model").symlink_to("nowhere")
    with pytest.raises(InputError, match="model org/model: the path is a link that leads nowhere"):
        locate("org/model")


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "model.safetensors"])
def test_a_file_that_is_a_link_to_nothing_is_named(tmp_path, name):
    """Libraries take it for absent: another tokenizer or other weights would be used."""
    (tmp_path / name).symlink_to("pruned")
    with pytest.raises(InputError, match=f"model m: {name} is a link that leads nowhere; fetch"):
        recognise(tmp_path, "m")
    (tmp_path / name).unlink()
    (tmp_path / "README.md").symlink_to("pruned")
    recognise(tmp_path, "m")

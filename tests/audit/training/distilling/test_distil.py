"""The command `distil`: a student that can be audited, the same after a kill; what is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.training.distilling import checkpoints
from maskaudit.audit.training.distilling.distil import Recipe, distil
from tests import tiny
from tests.audit.attempts import SET

pytestmark = pytest.mark.usefixtures("one_thread")
RECIPE = Recipe(steps=6, every=2, size=4, length=12, rate=1e-3, seed=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a teacher of four layers, a text and a small set."""
    root = tmp_path_factory.mktemp("distilled")
    tiny.build(root / "teacher", "bert", seed=3, num_hidden_layers=4)
    lines = ["she is a doctor in the city", "he said that the old house was good"] * 10
    (root / "text.txt").write_text("\n".join(lines))
    (root / "small.toml").write_text(SET.partition('[[frames]]\nid = "f6"')[0])
    return root


def run(place, out, **more):
    """Distil a student of the small teacher."""
    return distil(str(place / "teacher"), place / "text.txt", out, RECIPE, **more)


@pytest.fixture(scope="module")
def student(place):
    """Return the folder of a student, with the losses that were told."""
    told = []
    folder = run(place, place / "whole", tell=told.append)
    return folder, told


def weights(folder):
    """Return the weights of a model's folder."""
    return load_file(folder / "model.safetensors")


def test_a_student_can_be_audited_and_learns(place, student):
    """Half the layers, the teacher's own tokenizer, other weights than those it began with."""
    folder, told = student
    assert folder == place / "whole" / "student"
    identity = load(folder).identity
    assert identity.tokenizer == load(place / "teacher").identity.tokenizer
    assert json.loads((folder / "config.json").read_text())["n_layers"] == 2
    assert [one.step for one in told] == [2, 4, 6]
    assert float(told[-1].losses.total) < float(told[0].losses.total)
    steps = sorted((place / "whole" / "checkpoints").iterdir())
    assert [path.name for path in steps] == ["step-2", "step-4"]
    assert not torch.equal(*(next(iter(weights(path).values())) for path in steps))


class Killed(BaseException):
    """A kill."""


@pytest.mark.parametrize("at", [2, 4])
def test_a_training_that_was_killed_goes_on_to_the_same_student(place, student, tmp_path, at):
    """To the last bit, from its last checkpoint; nothing unfinished is left."""
    expected = weights(student[0])

    def kill(told):
        if told.step == at + 2:
            raise Killed

    with pytest.raises(Killed):
        run(place, tmp_path, tell=kill)
    assert checkpoints.reached(tmp_path).step == at
    told = []
    found = weights(run(place, tmp_path, tell=told.append))
    assert [one.step for one in told] == list(range(at + 2, 7, 2))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert not list(tmp_path.rglob(".unfinished*"))


def test_a_checkpoint_that_is_half_written_is_not_gone_on_with(place, tmp_path, monkeypatch):
    """What was written of it is taken away, and the one before it is whole."""
    whole = checkpoints._save_model

    def broken(folder, model, tokenizer):
        whole(folder, model, tokenizer)
        if (tmp_path / "checkpoints" / "step-2").exists():
            raise Killed

    monkeypatch.setattr(checkpoints, "_save_model", broken)
    with pytest.raises(Killed):
        run(place, tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-2"]
    assert checkpoints.reached(tmp_path).step == 2


def test_what_is_made_is_not_made_again_and_another_recipe_is_refused(place, student):
    """The folder says which part is another."""
    out = place / "whole"
    told = []
    assert run(place, out, tell=told.append) == student[0]
    assert told == []
    other = Recipe(steps=6, every=2, size=4, length=12, rate=1e-3, seed=2)
    with pytest.raises(InputError, match=r"another recipe \(seed: 1, now 2\)"):
        distil(str(place / "teacher"), place / "text.txt", out, other)
    (place / "other.txt").write_text("he is good")
    with pytest.raises(InputError, match=r"another recipe \(text: "):
        distil(str(place / "teacher"), place / "other.txt", out, RECIPE)


REFUSED = {
    "no steps": (Recipe(steps=0), "--steps: is 0; expected at least 1"),
    "short rows": (Recipe(length=4), "--length: is 4; expected at least 8"),
    "long rows": (Recipe(length=63), "--length 63: the teacher reads 62 pieces at most"),
    "a rate": (Recipe(rate=2.0, length=12), "--rate: is 2.0"),
    "a seed": (Recipe(seed=-1, length=12), "--seed: is -1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_recipe_that_cannot_be_is_refused(place, tmp_path, name):
    """In one line, and nothing is written."""
    recipe, told = REFUSED[name]
    with pytest.raises(InputError, match=told):
        distil(str(place / "teacher"), place / "text.txt", tmp_path / "out", recipe)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_audits_the_student_while_it_is_trained(command, place):
    """A record of each checkpoint, the page of the lean over the steps, and the same student."""
    words = [
        *("distil", "--teacher", "teacher", "--text", "text.txt", "--out", "audited"),
        *("--steps", "4", "--every", "2", "--size", "4", "--length", "12"),
    ]
    found = command(place, *words, "--audit", "small.toml")
    assert found.returncode == 0, found.stderr
    assert found.stdout == "audited/student\n"
    assert "step 4 of 4" in found.stderr
    assert "credible" in found.stderr
    page = (place / "audited/audits/training.html").read_text("utf-8")
    assert all(f"step-{step}" in page for step in (0, 2, 4))
    unwatched = [{"audited": "alone"}.get(word, word) for word in words]
    alone = command(place, *unwatched, "-q")
    assert alone.stderr == ""
    one, other = (weights(place / name / "student") for name in ("audited", "alone"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    again = command(place, *unwatched, "--audit", "small.toml")
    assert "the student was finished before" in again.stderr
    refused = command(place, *words, "--stop")
    assert refused.returncode == 2
    assert "nothing is audited; name a set with --audit" in refused.stderr
    assert Path(place / "audited/audits/runs").is_dir()

"""The callback for transformers' `Trainer`: what it audits, and that it disturbs no training."""

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer
from transformers.trainer_callback import (
    CallbackHandler,
    DefaultFlowCallback,
    TrainerControl,
    TrainerState,
)

import maskaudit
from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.record import load_record
from maskaudit.audit.training import watch
from tests import tiny
from tests.audit.attempts import SET

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = SET.partition('[[frames]]\nid = "f6"')[0]
GATE = '[[gate]]\nid = "g"\nrule = "non_inferiority"\nmargin = {}\nreason = "of a test"\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a teacher, a student, a small set, and gates that pass and fail."""
    root = tmp_path_factory.mktemp("training")
    tiny.build(root / "teacher", "bert", seed=1)
    tiny.build(root / "student", "distilbert", seed=2)
    (root / "small.toml").write_text(SMALL)
    (root / "easy.toml").write_text(GATE.format(50))
    return root


def arguments(out, **more):
    """Return what the Trainer tells a callback of its settings."""
    plain = {"output_dir": str(out), "world_size": 1, "deepspeed": None, "fsdp": []}
    flow = {"logging_strategy": "no", "eval_strategy": "no", "save_strategy": "no"}
    first = {"logging_first_step": False, "eval_delay": 0}
    return SimpleNamespace(**{**plain, **flow, **first, **more})


def trained(place, callback, out, *, steps=4, first=0, **more):
    """Train by the calls that the Trainer makes; return the random numbers that training drew."""
    model = AutoModelForMaskedLM.from_pretrained(place / "student", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(place / "student")
    state = TrainerState(global_step=first, max_steps=steps, eval_steps=2, log_history=[])
    control, args = TrainerControl(), arguments(out, **more)
    calls = CallbackHandler([DefaultFlowCallback(), callback], model, tokenizer, None, None)
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - of trainings that draw so
    drawn = []
    control = calls.on_train_begin(args, state, control)
    while state.global_step < steps and not control.should_training_stop:
        drawn += [torch.rand(1).item(), random.random(), np.random.rand()]  # noqa: NPY002, S311
        state.global_step += 1
        with torch.no_grad():
            for weights in model.parameters():
                weights.mul_(1.0 + drawn[-3] / 50)
        control = calls.on_step_end(args, state, control)
        if control.should_evaluate:
            loss = {"step": state.global_step, "eval_loss": abs(2 - state.global_step) + 1.0}
            state.log_history.append(loss)
            control = calls.on_evaluate(args, state, control, {})
    calls.on_train_end(args, state, control)
    return drawn


class Idle(DefaultFlowCallback):
    """A callback that does nothing of its own."""


def asked(place, **more):
    """Return the words of an audit of the small set against the teacher."""
    return {"probes": [place / "small.toml"], "reference": place / "teacher", **more}


@pytest.fixture(scope="module")
def callback(place):
    """Return the callback of a training of four steps, audited at every second, and its draws."""
    made = maskaudit.AuditCallback(every=2, gates=place / "easy.toml", **asked(place))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKAUDIT_CACHE", str(place / "cache"))
        made.drawn = trained(place, made, place / "out", eval_strategy="steps")
    return made


@pytest.mark.slow
def test_each_step_is_a_record_as_an_audit_by_hand_would_make_it(place, callback):
    """Before the first step, at every second, each with the name of its step and all scores."""
    assert [one.step for one in callback.audits] == [0, 2, 4]
    records = [load_record(place / "out/audits/runs" / one.record) for one in callback.audits]
    names = [record.manifest.models["candidate"].name for record in records]
    assert names == ["checkpoint/step-0", "checkpoint/step-2", "checkpoint/step-4"]
    by_hand = maskaudit.run(
        candidate=place / "student", out=place / "by-hand", no_cache=True, **asked(place)
    )
    assert (
        records[0].manifest.models["candidate"].weights
        == by_hand.manifest.models["candidate"].weights
    )
    pairs = records[0].scores.merge(by_hand.scores, on=["model", "item", "measure"])
    assert len(pairs) == len(by_hand.scores)
    assert np.abs(pairs["value_x"] - pairs["value_y"]).max() < 1e-5


@pytest.mark.slow
def test_the_page_has_every_step_and_since_when(place, callback):
    """And nothing is left of the checkpoints but the best one, which can be loaded."""
    page = callback.page.read_text("utf-8")
    assert all(f"step-{step}" in page for step in (0, 2, 4))
    assert "credible" in page
    assert sorted(path.name for path in (place / "out/audits").iterdir()) == [
        "best", "runs", "training.html", "training.json",
    ]  # fmt: skip
    # By the loss of its evaluation, which was least at the second step.
    assert callback.best.step == 2
    assert [one.loss for one in callback.audits] == [None, 1.0, 3.0]
    best = AutoModelForMaskedLM.from_pretrained(place / "out/audits/best", dtype=torch.float32)
    first = AutoModelForMaskedLM.from_pretrained(place / "student", dtype=torch.float32)
    assert not torch.equal(next(best.parameters()), next(first.parameters()))


@pytest.mark.slow
def test_the_training_draws_the_numbers_that_it_would_draw_alone(place, callback, tmp_path):
    """Those of torch, of Python and of numpy."""
    assert callback.drawn == trained(place, Idle(), tmp_path)


@pytest.mark.slow
def test_a_gate_that_fails_ends_the_training(place, tmp_path, monkeypatch):
    """At the first step that fails; without `stop` it goes on, and nothing is called best."""
    codes = iter([0, 1])
    monkeypatch.setattr(watch, "_exit_code", lambda _record: next(codes))
    monkeypatch.setenv("MASKAUDIT_CACHE", str(place / "cache"))
    made = maskaudit.AuditCallback(
        every=1, stop=True, gates=place / "easy.toml", out=tmp_path, **asked(place)
    )
    trained(place, made, tmp_path)
    assert [one.step for one in made.audits] == [0, 1]
    assert made.best.step == 0


@pytest.mark.slow
def test_a_training_that_is_resumed_goes_on_with_its_audits(place, tmp_path, monkeypatch):
    """Those after the step that it goes on from are of what was lost, and are made again."""
    monkeypatch.setenv("MASKAUDIT_CACHE", str(place / "cache"))
    words = {"every": 1, "out": tmp_path, **asked(place)}
    first = maskaudit.AuditCallback(**words)
    trained(place, first, tmp_path, steps=2)
    again = maskaudit.AuditCallback(**words)
    trained(place, again, tmp_path, steps=2, first=1)
    assert [one.step for one in again.audits] == [0, 1, 2]
    assert again.audits[:2] == first.audits[:2]


REFUSED = {
    "no steps": ({"every": 0}, "every: is 0; expected a number of steps"),
    "a word": ({"every": "epoch"}, "every: is 'epoch'"),
    "one set": ({"every": 1, "probes": "core"}, "expected a list of sets"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_when_the_callback_is_made(name):
    """One line, before anything is trained."""
    words, told = REFUSED[name]
    with pytest.raises(InputError, match=told):
        maskaudit.AuditCallback(**words)


BEFORE = {
    "no gates": ({"stop": True}, {}, "there are no gates to stop by"),
    "no such set": ({"probes": ["none"]}, {}, "none"),
    "no such gates": ({"gates": "none.toml"}, {}, "none.toml"),
    "sharded": ({}, {"fsdp": ["full_shard"]}, r"spread over several processes \(fsdp\)"),
    "many": ({"stop": True}, {"world_size": 2}, "runs in 2 processes"),
    "a folder of others": ({}, {}, "is already there, and not of a training"),
}


@pytest.mark.parametrize("name", BEFORE)
def test_what_is_wrong_is_refused_before_the_first_step(place, tmp_path, name):
    """Nothing is trained, and nothing of others is deleted."""
    words, settings, told = BEFORE[name]
    mine = tmp_path / "best" / "mine"
    if name == "a folder of others":
        mine.mkdir(parents=True)
    made = maskaudit.AuditCallback(every=1, out=tmp_path, **asked(place, **words))
    with pytest.raises(InputError, match=told):
        trained(place, made, tmp_path, **settings)
    assert made.audits == []
    assert mine.exists() == (name == "a folder of others")


def test_a_training_without_a_tokenizer_is_refused(place, tmp_path):
    """It says where to give one."""
    made = maskaudit.AuditCallback(every=1, **asked(place))
    state = SimpleNamespace(is_world_process_zero=True)
    with pytest.raises(InputError, match="there is no tokenizer; give the Trainer"):
        made.on_train_begin(arguments(tmp_path), state, TrainerControl(), model=None)


def test_other_processes_of_a_training_audit_nothing(place, tmp_path):
    """The first one does."""
    made = maskaudit.AuditCallback(every=1, **asked(place))
    state = SimpleNamespace(is_world_process_zero=False, global_step=1)
    made.on_train_begin(arguments(tmp_path), state, TrainerControl(), model=None)
    made.on_step_end(arguments(tmp_path), state, TrainerControl(), model=None)
    assert made.audits == []
    assert made.best is None
    assert made.page is None


@pytest.mark.slow
def test_the_trainer_of_transformers_calls_it(place, tmp_path, monkeypatch):
    """Two steps of it, with checkpoints that are saved, and weights as without the callback."""
    pytest.importorskip("accelerate", reason="transformers' Trainer needs accelerate")
    from transformers import Trainer, TrainingArguments

    monkeypatch.setenv("MASKAUDIT_CACHE", str(place / "cache"))
    tokenizer = AutoTokenizer.from_pretrained(place / "student")
    encoded = tokenizer("he is a doctor")["input_ids"]
    rows = [{"input_ids": encoded, "labels": encoded}] * 4
    weights = []
    for callbacks in ([], [maskaudit.AuditCallback(every="save", **asked(place))]):
        torch.manual_seed(1)
        trainer = Trainer(
            AutoModelForMaskedLM.from_pretrained(place / "student", dtype=torch.float32),
            TrainingArguments(
                str(tmp_path / f"out{len(callbacks)}"), max_steps=2, save_steps=1, use_cpu=True,
                per_device_train_batch_size=2, report_to=[], disable_tqdm=True,
            ),
            train_dataset=rows, processing_class=tokenizer, callbacks=callbacks,
        )  # fmt: skip
        trainer.train()
        weights.append(trainer.model.state_dict())
    assert [one.step for one in callbacks[0].audits] == [0, 1, 2]
    assert Path(callbacks[0].page).is_file()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

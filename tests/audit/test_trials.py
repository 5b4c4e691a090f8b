"""A trial (`--limit`) says so wherever it is shown, and is never a baseline."""

from datetime import date

import pytest

from maskaudit.audit import settings
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting.accept import accept
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.audit.judging.judge import judge
from maskaudit.reports.card.addendum import addendum
from maskaudit.reports.page import page
from maskaudit.reports.reader.reader import reader
from maskaudit.reports.terminal import layout, summary
from tests import manifests
from tests.reports import records

TODAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def whole():
    """A record of a whole audit."""
    return records.record()


@pytest.fixture(scope="module")
def trial(whole):
    """The same as a trial of eight frames."""
    from dataclasses import replace

    method = {**whole.manifest.method, "limit": "8"}
    return replace(whole, manifest=manifests.changed(whole.manifest, method=method))


def test_every_form_says_first_that_it_is_a_trial(whole, trial):
    """And none says so of a whole audit."""
    for record, marked in ((trial, True), (whole, False)):
        texts = (
            page(record).banner,
            reader(record, None, "").banner,
            layout.text_of(list(summary.lines(summary.summary(record)))),
            str(addendum(record, None)),
        )
        assert [("TRIAL: at most 8 sentence frames" in text) for text in texts] == [marked] * 4


def test_a_trial_is_no_baseline(tmp_path, whole, trial):
    """Neither accepted nor named for once; a whole record is."""
    with pytest.raises(InputError, match="is a trial of 8 frames"):
        accept(trial, tmp_path, "main", "a reason", today=TODAY)
    assert not list(tmp_path.iterdir())
    rule = 'id = "a"\nrule = "versus_baseline"\nmargin = 0.3\nreason = "a test"'
    (tmp_path / "gates.toml").write_text(f"[[gate]]\n{rule}\n", "utf-8")
    rules = policy.read(tmp_path / "gates.toml", TODAY)
    with pytest.raises(InputError, match="is a trial"):
        judge(whole, rules, baseline=trial, today=TODAY)
    assert any("this is a trial of 8 frames" in n for n in judge(trial, rules, today=TODAY).notes)


def test_a_trial_is_not_compared_with_a_whole_audit(whole, trial):
    """The method keys say what differs."""
    with pytest.raises(NotJudgedError, match="limit: none, then 8"):
        versions(whole, trial)


def test_the_command_line_is_held_to_what_the_file_may_say(tmp_path):
    """Each option of how models are run has the limits of its key, and takes its place."""
    file = tmp_path / "AUDIT.toml"
    file.write_text('[run]\ndevice = "cpu"\nthreads = 2\nlimit = 9\n', "utf-8")
    run = settings.resolve(file, threads=1, dtype="bfloat16", batch_tokens=64, engine="onnx").run
    found = (run.device, run.dtype, run.threads, run.batch_tokens, run.limit, run.engine)
    assert found == ("cpu", "bfloat16", 1, 64, 9, "onnx")
    wrong = {
        "engine": "jax",
        "device": "gpu",
        "dtype": "float16",
        "threads": 0,
        "batch_tokens": True,
        "limit": -1,
    }
    for name, value in wrong.items():
        option = "--" + name.replace("_", "-")
        with pytest.raises(InputError, match=rf"^{option}: expected"):
            settings.resolve(file, **{name: value})

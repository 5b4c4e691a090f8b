"""What is logged to MLflow, against a small stand-in that refuses what MLflow refuses.

Its functions have the names, the parameters and the limits of MLflow 2 and 3 that are used here.
"""

import math
import posixpath
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.reports.exports import mlflow_run
from maskaudit.reports.exports.audited import Audited
from tests.reports import records
from tests.reports.verdicts import HOSTILE, every, judged, judgement, verdict

# As the oldest versions that are in use take them; newer ones take a colon too, and longer values.
KEY = re.compile(r"^[A-Za-z0-9_.\- /]{1,250}$")
LONGEST_VALUE = 500


class MlflowException(Exception):  # noqa: N818 - its own name
    """What MLflow raises."""


@dataclass
class Metric:
    """A metric, all of whose parts are required."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass
class Param:
    """A parameter."""

    key: str
    value: str


@dataclass
class RunTag:
    """A tag."""

    key: str
    value: str


@dataclass
class Run:
    """A run and all that was logged to it."""

    id: str
    name: str | None
    status: str = "RUNNING"
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)

    @property
    def info(self) -> SimpleNamespace:
        """What MLflow tells of a run."""
        return SimpleNamespace(run_id=self.id, status=self.status)


def check_key(key: str) -> None:
    """Refuse a key as MLflow does."""
    path = posixpath.normpath(key)
    if not KEY.match(key) or path != key or path == "." or path.startswith(("..", "/")):
        message = f"Invalid name: {key!r}"
        raise MlflowException(message)


class Server:
    """A tracking server: its runs by address and id, the active run, and whether it is reached."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Run]] = {"default": {}}
        self.experiments: dict[tuple[str, str], str] = {}
        self.active: Run | None = None
        self.is_reached = True

    def new(self, uri: str, name: str | None) -> Run:
        """Make a run."""
        runs = self.runs.setdefault(uri, {})
        runs[f"run-{len(runs)}"] = run = Run(f"run-{len(runs)}", name)
        return run

    def client(self, tracking_uri: str | None = None) -> "Client":
        """Make a client, as `mlflow.MlflowClient` does."""
        return Client(self, tracking_uri or "default")

    def active_run(self) -> Run | None:
        """Return the active run."""
        return self.active

    @contextmanager
    def start_run(self, *, run_name: str | None = None) -> Iterator[Run]:
        """Start a run and end it."""
        assert self.active is None
        run = self.active = self.new("default", run_name)
        try:
            yield run
        except BaseException:
            run.status = "FAILED"
            raise
        else:
            run.status = "FINISHED"
        finally:
            self.active = None


class Client:
    """A client of one address."""

    def __init__(self, server: Server, uri: str) -> None:
        self.server, self.uri = server, uri

    def get_experiment_by_name(self, name: str) -> SimpleNamespace | None:
        """Return an experiment, or None where there is none."""
        if (self.uri, name) not in self.server.experiments:
            return None
        return SimpleNamespace(experiment_id=name)

    def create_experiment(self, name: str, *, artifact_location: str | None = None) -> str:
        """Make an experiment, and refuse one that is there."""
        assert (self.uri, name) not in self.server.experiments
        self.server.experiments[self.uri, name] = artifact_location or "./mlruns"
        return name

    def create_run(self, experiment_id: str, *, run_name: str | None = None) -> Run:
        """Make a run in an experiment."""
        assert (self.uri, experiment_id) in self.server.experiments
        return self.server.new(self.uri, run_name)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
        """Log what a batch holds, after MLflow's checks."""
        if not self.server.is_reached:
            message = "API request failed\nwith \x1b[31m503"
            raise MlflowException(message)
        run = self.server.runs[self.uri][run_id]
        for entity in (*metrics, *params, *tags):
            check_key(entity.key)
        for metric in metrics:
            assert isinstance(metric.value, float)
            run.metrics[metric.key] = metric.value
        for param in params:
            assert len(param.value) <= LONGEST_VALUE
            if run.params.setdefault(param.key, param.value) != param.value:
                message = f"Changing param values is not allowed: {param.key!r}"
                raise MlflowException(message)
        run.tags |= {tag.key: tag.value for tag in tags}

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Keep a text as an artifact."""
        self.server.runs[self.uri][run_id].artifacts[artifact_file] = text

    def set_terminated(self, run_id: str, status: str | None = None) -> None:
        """End a run."""
        self.server.runs[self.uri][run_id].status = status or "FINISHED"


@pytest.fixture
def server(monkeypatch):
    """Give a server whose module is installed, and pages that cost nothing to draw."""
    made = Server()
    module = ModuleType("mlflow")
    module.MlflowClient = made.client
    module.active_run, module.start_run = made.active_run, made.start_run
    module.entities = ModuleType("mlflow.entities")
    module.entities.Metric, module.entities.Param = Metric, Param
    module.entities.RunTag = RunTag
    module.exceptions = ModuleType("mlflow.exceptions")
    module.exceptions.MlflowException = MlflowException
    for name in ("mlflow", "mlflow.entities", "mlflow.exceptions"):
        monkeypatch.setitem(sys.modules, name, module if name == "mlflow" else ModuleType(name))
    monkeypatch.setattr(mlflow_run, "_page", lambda audited: f"page of {audited.record.name}")
    return made


@pytest.fixture(scope="module")
def audited():
    """Give an audit that was judged."""
    return Audited(records.record(), judged(every()))


def test_without_an_active_run_one_is_made_named_and_ended(server, audited):
    """By MLflow's own settings, which say where."""
    run_id = mlflow_run.log(audited)
    [run] = server.runs["default"].values()
    assert (run.id, run.name, run.status) == (run_id, audited.record.name, "FINISHED")
    assert run.artifacts == {"report.html": f"page of {audited.record.name}"}


def test_an_active_run_is_used_and_goes_on(server, audited):
    """A training that audits what it made keeps one run."""
    server.active = server.new("default", "training")
    assert mlflow_run.log(audited) == server.active.id
    assert server.active.status == "RUNNING"
    assert server.active.metrics
    assert len(server.runs["default"]) == 1


def test_a_folder_has_runs_of_its_own_and_leaves_the_active_one_alone(server, audited, tmp_path):
    """It is made where it is not there, and holds the database and the artifacts of all."""
    server.active = server.new("default", "training")
    folder = tmp_path / "new" / "my runs"
    ids = [mlflow_run.log(audited, folder) for _ in range(2)]
    assert folder.is_dir()
    uri = f"sqlite:///{folder}/mlflow.db"
    assert list(server.runs[uri]) == ids
    assert {run.status for run in server.runs[uri].values()} == {"FINISHED"}
    assert server.experiments == {(uri, "maskaudit"): (folder / "artifacts").as_uri()}
    assert not server.active.metrics


def test_a_folder_that_cannot_be_made_is_one_line(server, audited, tmp_path):
    """Nothing is logged elsewhere in its place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match="file/runs: cannot write"):
        mlflow_run.log(audited, tmp_path / "file" / "runs")
    assert server.runs == {"default": {}}


def test_the_headline_numbers_are_metrics_with_their_intervals(server, audited):
    """To the last digit; unknown numbers are none."""
    run = server.runs["default"][mlflow_run.log(audited)]
    for probe_set in ("jobs", "people", "days"):
        for subject in ("reference", "candidate", "difference"):
            row = records.estimate_of(audited.record, probe_set, subject)
            key = f"{probe_set}/stereotype_contrast/{subject}"
            assert run.metrics[key] == row["estimate"]
            assert run.metrics[f"{key}.low"] == row["low"]
            assert run.metrics[f"{key}.high"] == row["high"]
    assert run.metrics["jobs/lost_items/candidate"] == 0
    assert all(map(math.isfinite, run.metrics.values()))


def test_verdicts_are_counted_by_status(server, audited):
    """With what the gates end with; nothing of it where nothing was judged."""
    run = server.runs["default"][mlflow_run.log(audited)]
    counts = {key: value for key, value in run.metrics.items() if key.startswith("gates/")}
    statuses = ("fail", "not_measured", "inconclusive", "warning", "waived", "pass")
    assert counts == {"gates/exit_code": 1, **{f"gates/{status}": 1 for status in statuses}}
    other = server.runs["default"][mlflow_run.log(Audited(audited.record))]
    assert not [key for key in (*other.metrics, *other.tags) if "gates" in key]


def test_two_candidates_may_be_logged_to_one_run(server, audited):
    """Parameters say how it was measured and never change; the models are tags."""
    server.active = server.new("default", "training")
    mlflow_run.log(audited)
    other = records.record(names={"candidate": "checkpoint-2"})
    mlflow_run.log(Audited(other))
    run = server.active
    assert run.tags["maskaudit.candidate"] == "checkpoint-2"
    assert run.params["maskaudit.seed"] == str(other.manifest.settings.seed)
    version = other.manifest.probe_sets["jobs"].version
    assert run.params["maskaudit.probe_set.jobs"].startswith(f"{version} ")


@pytest.mark.parametrize("folder", [None, "runs"])
def test_what_mlflow_refuses_is_one_line_and_a_failed_run(server, audited, tmp_path, folder):
    """With its own reason, on one line, and nothing that a terminal would obey."""
    server.is_reached = False
    with pytest.raises(CannotWriteError) as refused:
        mlflow_run.log(audited, folder and tmp_path / folder)
    assert str(refused.value) == (
        "MLflow: cannot log the audit (API request failed with ⟨U+001B⟩[31m503)"
    )
    [run] = [run for runs in server.runs.values() for run in runs.values()]
    assert run.status == "FAILED"


def test_without_mlflow_one_line_says_how_to_install_it(monkeypatch, audited):
    """Before a page is drawn."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setattr(mlflow_run, "_page", lambda _audited: pytest.fail("was drawn"))
    with pytest.raises(InputError) as refused:
        mlflow_run.log(audited)
    assert str(refused.value).startswith("mlflow: the package cannot be imported (")
    assert str(refused.value).endswith("; run  pip install mlflow")


@pytest.mark.slow
def test_the_page_is_that_of_the_record_with_the_verdicts_of_now(audited):
    """Whether or not a page or verdicts lie beside the record."""
    html = mlflow_run._page(audited)
    assert html.startswith("<!doctype html>")
    assert "e/failed" in html


PART = st.text(max_size=30) | st.sampled_from(["..", ".", "/", "a/b", "w" * 300, "é", "è", HOSTILE])


@given(st.lists(st.tuples(PART, PART), unique=True, min_size=2, max_size=5))
def test_every_name_becomes_a_key_that_is_taken_and_no_two_become_one(names):
    """Letters of other scripts, paths, and names longer than a key."""
    keys = [mlflow_run._key("set" + first, second, "candidate") for first, second in names]
    ends = [
        mlflow_run._key("set" + first, second, "candidate", end=".low") for first, second in names
    ]
    for key in (*keys, *ends):
        check_key(key)
    told_apart = {("/".join(part for part in ("set" + a, b) if part)) for a, b in names}
    assert len(set(keys)) >= len(told_apart)


def test_foreign_names_are_logged_without_harm(server):
    """Of models, sets and records."""
    made = records.record(names={"candidate": HOSTILE})
    sets = {HOSTILE: made.manifest.probe_sets["jobs"]}
    manifest = made.manifest.model_copy(update={"probe_sets": sets})
    named = replace(made, manifest=manifest, path=Path(HOSTILE.replace("\x00", "")))
    told = judged(judgement(verdict(gate=HOSTILE, name=HOSTILE)))
    run = server.runs["default"][mlflow_run.log(Audited(named, told))]
    assert "\x1b" not in "".join([*run.tags.values(), *run.params.values()])

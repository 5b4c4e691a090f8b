"""An audit as a run of MLflow: metrics, parameters, tags, and the record's page as an artifact.

MLflow is no dependency: it is imported when something is logged. Its client is used, which leaves
the caller's tracking URI and active run as they are.
"""

import hashlib
import math
import posixpath
import re
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.audit.estimating.headline import headlines
from maskaudit.audit.recording.files import writing
from maskaudit.audit.recording.record import PAGE
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.exports.audited import Audited, lost_items, shown
from maskaudit.reports.words import verdicts

# What MLflow takes in a key, of at most so many characters, and in the value of a tag or parameter.
_UNFIT = re.compile(r"[^A-Za-z0-9_. /-]")
_LONGEST_KEY, _LONGEST_VALUE = 250, 500
# In a folder of runs: the experiment, the database and the folder of artifacts. MLflow takes a
# database in every version, and plain files no longer by default.
_EXPERIMENT, _DATABASE, _ARTIFACTS = "maskaudit", "mlflow.db", "artifacts"
_DIGEST = 8


def log(audited: Audited, folder: Path | None = None) -> str:
    """Log an audit to MLflow and return the id of the run.

    Without `folder` it is the active run, or where there is none a new one that MLflow starts, by
    its own settings (`MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME`, `MLFLOW_RUN_ID`). With
    `folder` it is a new run in the database that is kept there. Raises `InputError` if MLflow is
    not installed, `CannotWriteError` with MLflow's own reason if something cannot be logged.
    """
    mlflow = _mlflow()
    # Before a run is started: a page that cannot be made leaves no empty run behind.
    page = _page(audited)
    try:
        return _logged(mlflow, audited, page, folder)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        reason = shown(" ".join(str(error).split()))
        raise CannotWriteError(f"MLflow: cannot log the audit ({reason})") from error


def _mlflow() -> Any:  # noqa: ANN401 - a module that need not be there
    try:
        mlflow = import_module("mlflow")
        # Parts that `import mlflow` need not load.
        import_module("mlflow.entities")
        import_module("mlflow.exceptions")
    except ImportError as error:
        raise InputError(
            f"mlflow: the package cannot be imported ({error}); run  pip install mlflow"
        ) from error
    return mlflow


def _page(audited: Audited) -> str:
    from maskaudit.reports.html import render
    from maskaudit.reports.page import page

    return render(page(audited.record, audited.judgement))


def _logged(mlflow: Any, audited: Audited, page: str, folder: Path | None) -> str:  # noqa: ANN401 - the module
    if folder is not None:
        return _in_folder(mlflow, audited, page, folder)
    active = mlflow.active_run()
    if active is not None:
        # The caller's own run, which goes on.
        run_id = str(active.info.run_id)
        _fill(mlflow.entities, mlflow.MlflowClient(), run_id, audited, page)
        return run_id
    with mlflow.start_run(run_name=shown(audited.record.name)) as started:
        run_id = str(started.info.run_id)
        _fill(mlflow.entities, mlflow.MlflowClient(), run_id, audited, page)
    return run_id


def _in_folder(mlflow: Any, audited: Audited, page: str, folder: Path) -> str:  # noqa: ANN401 - the module
    """Log to a new run in a folder, which is made where it is not there."""
    place = folder.resolve()
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{(place / _DATABASE).as_posix()}")
    experiment = client.get_experiment_by_name(_EXPERIMENT)
    if experiment is None:
        # By default artifacts would lie in the working folder.
        artifacts = (place / _ARTIFACTS).as_uri()
        number = client.create_experiment(_EXPERIMENT, artifact_location=artifacts)
    else:
        number = experiment.experiment_id
    run_id = str(client.create_run(number, run_name=shown(audited.record.name)).info.run_id)
    ended = "FAILED"
    try:
        _fill(mlflow.entities, client, run_id, audited, page)
        ended = "FINISHED"
    finally:
        client.set_terminated(run_id, ended)
    return run_id


def _fill(entities: Any, client: Any, run_id: str, audited: Audited, page: str) -> None:  # noqa: ANN401 - MLflow's
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[entities.Metric(key, value, now, 0) for key, value in metrics(audited).items()],
        params=[entities.Param(key, value) for key, value in parameters(audited).items()],
        tags=[entities.RunTag(key, value) for key, value in tags(audited).items()],
    )
    client.log_text(run_id, page, PAGE)


def metrics(audited: Audited) -> dict[str, float]:
    """The headline numbers with the ends of their intervals, lost items, and counts of verdicts.

    A key is `SET/NUMBER/SUBJECT`, with the slice between where it is not the whole set; `.low` and
    `.high` follow it. Unknown and infinite numbers are left out.
    """
    found: dict[str, float] = {}
    for row in headlines(audited.record.estimates).to_dict("records"):
        part = Slice.parse(row["slice"])
        about = "" if part.is_headline else row["slice"]
        key = (row["probe_set"], row["estimator"], about, row["subject"])
        found[_key(*key)] = row["estimate"]
        found[_key(*key, end=".low")] = row["low"]
        found[_key(*key, end=".high")] = row["high"]
    for (probe_set, model), items in lost_items(audited.record).items():
        found[_key(probe_set, "lost_items", model)] = items
    if audited.judgement is not None:
        found["gates/exit_code"] = audited.judgement.exit_code
        statuses = [verdicts.status(verdict) for verdict in audited.judgement.verdicts]
        for status in verdicts.STATUSES:
            found[f"gates/{status.replace(' ', '_')}"] = statuses.count(status)
    return {key: float(value) for key, value in found.items() if math.isfinite(value)}


def parameters(audited: Audited) -> dict[str, str]:
    """How it was measured: seed, adjustment, method, and the version and digest of each set.

    MLflow lets no parameter change, so what differs between the audits of one training (the models,
    the record) is in `tags`.
    """
    manifest = audited.record.manifest
    found = {"seed": str(manifest.settings.seed), "adjust": manifest.settings.adjust}
    found |= {f"method.{name}": value for name, value in manifest.method.items()}
    for name, part in manifest.probe_sets.items():
        found[f"probe_set.{name}"] = f"{part.version} {part.items_digest}"
    return _as_values(found)


def tags(audited: Audited) -> dict[str, str]:
    """Which record, which models, and what the gates end with."""
    record = audited.record
    found = {
        "record": record.name,
        "key": record.manifest.key,
        "created": record.manifest.created,
        "version": record.manifest.maskaudit,
    }
    for model, identity in record.manifest.models.items():
        found |= {model: identity.name, f"{model}.weights": identity.weights}
    if audited.judgement is not None:
        found["gates"] = verdicts.heading(audited.judgement)
    return _as_values(found)


def _as_values(found: dict[str, str]) -> dict[str, str]:
    return {
        _key(f"maskaudit.{name}"): shown(value)[:_LONGEST_VALUE] for name, value in found.items()
    }


def _key(*parts: str, end: str = "") -> str:
    """The parts as a key that every store of MLflow takes.

    Where that loses something, a digest of the parts follows, so that no two keys become one.
    """
    whole = "/".join(part for part in parts if part)
    # What slices hold that no store takes: "women/men: contrast", "class=nurses".
    plain = whole.replace(": ", " ").replace("=", " ")
    key = _UNFIT.sub("_", plain)
    if _is_other_path(key):
        key = key.replace("/", "_").replace(".", "_")
    room = _LONGEST_KEY - len(end)
    if key != plain or len(key) > room:
        content = "\0".join(parts).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST]
        key = f"{key[: room - _DIGEST - 1]}-{digest}"
    return key + end


def _is_other_path(key: str) -> bool:
    """Whether a store of files would take the key for another path, or for one outside."""
    normal = posixpath.normpath(key)
    return normal != key or normal.startswith(("..", "/"))


__all__ = ["log", "metrics", "parameters", "tags"]

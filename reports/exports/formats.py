"""The formats by name, and the one way to write an audit in any of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.files import write_whole
from maskaudit.audit.texts.toml_files import closest
from maskaudit.reports.exports import mlflow_run
from maskaudit.reports.exports.audited import Audited
from maskaudit.reports.exports.prometheus import prometheus
from maskaudit.reports.exports.sarif import sarif
from maskaudit.reports.exports.tables import estimates_csv, estimates_json

# The formats that are a text, each a function of the audit.
TEXTS: Mapping[str, Callable[[Audited], str]] = {
    "csv": estimates_csv,
    "json": estimates_json,
    "prometheus": prometheus,
    "sarif": sarif,
}
# The only format that is no text: it is logged where MLflow keeps its runs.
MLFLOW = "mlflow"
NAMES = tuple(sorted((*TEXTS, MLFLOW)))
# A table of estimates has no place for a verdict.
WITHOUT_VERDICTS = frozenset({"csv"})


def check(name: str, *, with_gates: bool = False) -> None:
    """Raise `InputError` for an unknown format, or for gates and a format without verdicts."""
    if name not in NAMES:
        raise InputError(
            f"no such format {name!r}; expected one of: {', '.join(NAMES)}{closest(name, NAMES)}"
        )
    if with_gates and name in WITHOUT_VERDICTS:
        raise InputError(
            f"{name} has no verdicts; name neither gates nor a baseline, or export json"
        )


def write(name: str, audited: Audited, out: Path | None = None) -> str:
    """Write an audit in a format; return the text, or for `mlflow` the id of the run.

    A text is written to `out` where that is given, whole or not at all; for `mlflow` it is the
    folder of runs. Raises `InputError` for an unknown format or a package that is missing, and
    `CannotWriteError` where something cannot be written.
    """
    check(name)
    if name == MLFLOW:
        return mlflow_run.log(audited, out)
    text = TEXTS[name](audited)
    if out is not None:
        write_whole(out, text)
    return text

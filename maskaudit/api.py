"""The public interface: audits and records, verdicts, comparisons, histories and pages.

Every function takes paths as text or as `Path`. An error that the caller can mend is an
`InputError` (wrong input), a `NotJudgedError` (nothing to judge) or another `MaskauditError`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.crossed.cells import CANDIDATE, REFERENCE
from maskaudit.audit.estimating.headline import headlines
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.audit.judging.judge import judge as judge_record
from maskaudit.audit.judging.select import judged_numbers
from maskaudit.audit.recording import record as stored
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.verifying.recomputed import EVERY, NONE, OF_PAGE, Numbers
from maskaudit.audit.verifying.verify import holding, load_held
from maskaudit.audit.vocabulary import GATES_FILE, Progress, silent

if TYPE_CHECKING:
    from maskaudit.audit.history.judge import Judgement as History
    from maskaudit.audit.judging.comparing.versions import Versions
    from maskaudit.audit.judging.verdicts import Judgement

Paths = str | os.PathLike[str]
_SUMMARY = (
    *("probe_set", "axis", "slice", "estimator", "subject"),
    *("estimate", "low", "high", "p_adjusted", "n_attributes", "n_frames", "scope", "flag"),
)


class Record(stored.Record):
    """One audit: its manifest and its tables, with a headline and a summary to show.

    `manifest` says what was audited and how. `contexts`, `items`, `scores`, `paired`, `fills` and
    `estimates` are DataFrames; `estimates` has a row for each number, with its interval. `path` is
    the folder, None for one in memory alone. Equal records have equal manifests and tables.
    """

    @classmethod
    def of(cls, record: stored.Record) -> Self:
        """The same record, with its headline and summary."""
        return cls(**{part.name: getattr(record, part.name) for part in fields(record)})

    @property
    def headline(self) -> str:
        """The first sentence of the record's page: what was shown, and how sure it is."""
        from maskaudit.reports.page import headline

        first = headline(self)
        return f"{first.alone}: {first.evidence.partition('. ')[0].rstrip('.')}."

    def summary(self) -> pd.DataFrame:
        """The numbers that say first what the audit shows: a row each, with columns of `estimates`.

        Stereotype contrasts of sets that have one, in nats and positive towards the stereotype;
        elsewhere the numbers of all items. `subject` is reference, candidate or difference.
        """
        return headlines(self.estimates)[list(_SUMMARY)]

    def __repr__(self) -> str:
        """Three lines: which record, who was audited with what, and the headline."""
        models = self.manifest.models
        who = models[CANDIDATE].name
        if REFERENCE in models:
            who += f" against {models[REFERENCE].name}"
        sets = len(self.manifest.probe_sets)
        lost = int((self.scores["status"] != "ok").sum())
        return (
            f"Record {self.name}\n"
            f"{who}: {sets} probe set{'' if sets == 1 else 's'}, {len(self.scores):,} scores, "
            f"{lost:,} lost\n"
            f"{self.headline}"
        )

    def _repr_html_(self) -> str:
        """The headline and the summary as a table, for notebooks."""
        from html import escape

        table = self.summary().to_html(index=False, float_format="{:.3f}".format, na_rep="")
        # Escaped: the headline has names of models and sets, and a notebook would run what is in
        # them.
        return f"<p><strong>{escape(self.headline)}</strong></p>\n{table}"

    def __eq__(self, other: object) -> bool:
        """Whether another record has the same manifest and the same tables."""
        if not isinstance(other, stored.Record):
            return NotImplemented
        return self.manifest == other.manifest and all(
            getattr(self, name).equals(getattr(other, name)) for name in stored.TABLES
        )

    def __hash__(self) -> int:
        """Equal records have equal keys."""
        # Tables have no hash. These two suffice: a hash need not tell unequal records apart.
        return hash((self.manifest.key, self.manifest.created))


@overload
def run(
    file: Paths | None = None,
    *,
    reference: Paths | None = None,
    candidate: Paths | None = None,
    candidates: None = None,
    probes: Sequence[Paths] = (),
    out: Paths | None = None,
    seed: int | None = None,
    gates: Paths | None = None,
    no_cache: bool = False,
    engine: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    threads: int | None = None,
    batch_tokens: int | None = None,
    limit: int | None = None,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> Record: ...


@overload
def run(
    file: Paths | None = None,
    *,
    reference: Paths | None = None,
    candidate: None = None,
    candidates: Sequence[Paths],
    probes: Sequence[Paths] = (),
    out: Paths | None = None,
    seed: int | None = None,
    gates: Paths | None = None,
    no_cache: bool = False,
    engine: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    threads: int | None = None,
    batch_tokens: int | None = None,
    limit: int | None = None,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> list[Record]: ...


def run(  # noqa: PLR0913 - each an everyday word of an audit
    file: Paths | None = None,
    *,
    reference: Paths | None = None,
    candidate: Paths | None = None,
    candidates: Sequence[Paths] | None = None,
    probes: Sequence[Paths] = (),
    out: Paths | None = None,
    seed: int | None = None,
    gates: Paths | None = None,
    no_cache: bool = False,
    engine: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    threads: int | None = None,
    batch_tokens: int | None = None,
    limit: int | None = None,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> Record | list[Record]:
    """Audit a candidate, against a reference where one is named; write the record and its page.

    `file` is an AUDIT.toml, ./AUDIT.toml where there is one; the other arguments are used instead
    of what it says. Models are hub ids, with `@revision`, or folders. With `candidates`, a list of
    models, each is audited as if it were the only one, and a list of records is returned in that
    order. Without any model the bundled pair is audited. `probes` are names of shipped sets,
    `core`, `full`, `axis:NAME` or files, `out` the folder that records are written to.
    `engine` is auto, torch, onnx or openvino, `device` auto, cpu, cuda or mps, `dtype` float32 or
    bfloat16, `threads` the processor's, and `batch_tokens` the most pieces that are run at once.
    With `limit` the audit is a trial of the first frames of each set: its record says so, and is
    never a baseline. With `skip_unchanged` a whole record of the same models, sets, settings and
    software is returned instead of a new one. `progress` is called with what is being done, how
    much of it is done and how much there is, `note` with sentences for the user. Raises
    `InputError` for what cannot be used, `LockedError` where another run writes to the folder, and
    `CannotWriteError` where the disk is full or read-only.
    """
    from maskaudit.audit import pipeline, settings

    if candidate is not None and candidates is not None:
        raise InputError("candidate and candidates are both given; expected one of them")
    # A bool is an int to Python, and True would be the seed 1.
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise InputError(f"seed: is {seed!r}; expected a whole number of at least 0, or None")
    candidate_names = None if candidates is None else _texts("candidates", candidates)
    audit_settings = settings.resolve(
        as_text("file", file),
        reference=as_text("reference", reference),
        candidate=as_text("candidate", candidate),
        candidates=candidate_names or (),
        probes=_texts("probes", probes),
        out=as_text("out", out),
        seed=seed,
        gates=as_text("gates", gates),
        no_cache=no_cache,
        engine=engine,
        device=device,
        dtype=dtype,
        threads=threads,
        batch_tokens=batch_tokens,
        limit=limit,
    )
    if candidates is None:
        # AUDIT.toml may name several, and this caller expects a record and no list.
        audit_settings.check_one_candidate()
    stored_records = pipeline.run_all(
        audit_settings, skip_unchanged=skip_unchanged, progress=progress, note=note
    )
    records = [Record.of(record) for record in stored_records]
    return records[0] if candidates is None else records


def load_record(path: Paths) -> Record:
    """Read a record from its folder; needs neither torch nor the models.

    Its sums are checked; `judge`, `report` and `compare` check that it holds. Raises `InputError`
    for a record that is changed, not whole, or of a newer format.
    """
    return Record.of(stored.load_record(Path(_required("path", path))))


def judge(
    record: stored.Record | Paths,
    gates: Paths = GATES_FILE,
    *,
    baseline: stored.Record | Paths | None = None,
    today: date | None = None,
    trust: bool = False,
) -> "Judgement":
    """Every verdict of a gates.toml on a record; `exit_code` is 0, 1 or 3, as the command's.

    Accepted baselines are found beside the gates.toml; `baseline` is a record to use instead of
    them. `today` decides which waivers are in force. Nothing is written. The numbers that are
    judged are made again from the record's scores, unless `trust` is true, which the verdicts'
    notes say. Raises `InputError` for gates or records that cannot be read, for a record that does
    not hold, and for a gate whose number needs a direction of harm.
    """
    day = today or datetime.now(UTC).date()
    rules = policy.read(_required("gates", gates), day)
    held, notes = _held("record", record, partial(judged_numbers, rules), trust=trust)
    return _judged(held, rules, baseline, notes, day)


def compare(old: stored.Record | Paths, new: stored.Record | Paths) -> "Versions":
    """Estimate what changed between the candidates of two records, paired by item.

    Positive differences are of the newer one; they are made from the scores. Raises
    `NotJudgedError` where nothing can be compared, and says what differs; `InputError` for records
    that cannot be read or do not hold.
    """
    return versions(_held("old", old, _no_number)[0], _held("new", new, _no_number)[0])


def history(runs: Paths) -> "History":
    """The series of a folder of records in order, judged so that false alarms stay below 5 %.

    The estimates are those that the records state, which are not made again; a record whose parts
    are not of one audit is skipped, as one that cannot be read is, and `skipped` of the history
    names both.
    Raises `InputError` where there is no folder of records, and `NotJudgedError` where none of them
    can be read.
    """
    from maskaudit.audit.history import judge, read

    return judge.judge(read.read(Path(_required("runs", runs))))


def report(
    record: stored.Record | Paths,
    out: Paths | None = None,
    *,
    trust: bool = False,
    note: Callable[[str], None] = silent,
) -> Path:
    """Write the page of a record, or another form of it, and return where it is.

    The page lies beside the record's tables, and the page with all numbers beside it, unless `out`
    names a file, whose suffix says what is written: the two pages (`page.html`,
    `page-details.html`; or .pdf where a browser can print it), the section for a model card (.md),
    or every number (.json, .csv). Its numbers are made again from the record's scores first,
    unless `trust` is true; `note` is called with sentences for the user, of which this is one.
    Raises `InputError` for another suffix, and for a record that cannot be read or does not hold;
    `CannotWriteError` where the disk is full or read-only.
    """
    from maskaudit.reports import by_suffix

    file = as_text("out", out)
    path = None if file is None else Path(file)
    numbers = OF_PAGE if by_suffix.is_page(path) else EVERY
    held, notes = _held("record", record, lambda _: numbers, trust=trust)
    for sentence in notes:
        note(sentence)
    return by_suffix.write(held, path)


def export(  # noqa: PLR0913 - those of `judge`, and where to write what
    record: stored.Record | Paths,
    form: str,
    out: Paths | None = None,
    *,
    gates: Paths | None = None,
    baseline: stored.Record | Paths | None = None,
    trust: bool = False,
    note: Callable[[str], None] = silent,
) -> str:
    """Write a record in a format of other programs, and return the text.

    `form` is csv, json, prometheus or sarif, or mlflow: then the audit is logged to the active run,
    or to a new one in the folder `out`, and the id of the run is returned. A text is written to
    `out` where that is given. With `gates` the record is judged as `judge` does, and the verdicts
    are part of what is written; csv has none. Every number is made again from the record's scores,
    unless `trust` is true; `note` is called with sentences for the user, of which this is one.
    Raises `InputError` for what cannot be used, MLflow that is not installed included, and
    `CannotWriteError` where something cannot be written.
    """
    from maskaudit.reports.exports import formats
    from maskaudit.reports.exports.audited import Audited, Judged

    name, file = _required("form", form), as_text("out", out)
    formats.check(name, with_gates=gates is not None)
    if gates is None and baseline is not None:
        raise InputError("baseline: is given without gates; name the gates that are to use it")
    day = datetime.now(UTC).date()
    rules = None if gates is None else policy.read(_required("gates", gates), day)
    held, notes = _held("record", record, lambda _: EVERY, trust=trust)
    judged = None if rules is None else Judged(_judged(held, rules, baseline, notes, day), rules)
    for sentence in notes:
        note(sentence)
    return formats.write(name, Audited(held, judged), None if file is None else Path(file))


def _judged(
    held: stored.Record,
    rules: policy.Policy,
    baseline: stored.Record | Paths | None,
    notes: Sequence[str],
    day: date,
) -> "Judgement":
    """The verdicts on a record that holds, with what was noted when it was read."""
    # Of a record that replaces the baseline only the scores are used.
    other = None if baseline is None else _held("baseline", baseline, _no_number)[0]
    judgement = judge_record(held, rules, baseline=other, today=day)
    return replace(judgement, notes=(*judgement.notes, *notes))


def _held(
    name: str,
    source: stored.Record | Paths,
    numbers: Callable[[Manifest], Numbers],
    *,
    trust: bool = False,
) -> tuple[stored.Record, list[str]]:
    """A record that holds by the checks of the command line, and notes for the user.

    `numbers` are those that will be used. A record that lies in no folder is the caller's own word.
    """
    if not isinstance(source, stored.Record):
        return load_held(Path(_required(name, source)), numbers, trust=trust)
    if source.path is None or not (source.path / stored.MANIFEST).is_file():
        return source, []
    return holding(source, numbers(source.manifest), trust=trust)


def _no_number(_manifest: Manifest) -> Numbers:
    return NONE


def as_text(name: str, value: Any) -> str | None:  # noqa: ANN401 - what a caller gave
    """A path or a name as text, None as it is."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{name}: is {value!r}; expected text or a path")
    return str(value)


def _required(name: str, value: Any) -> str:  # noqa: ANN401 - what a caller gave
    text = as_text(name, value)
    if text is None:
        raise InputError(f"{name}: is None; expected text or a path")
    return text


def _texts(name: str, values: Any) -> list[str]:  # noqa: ANN401 - what a caller gave
    """Paths or names as a list of texts; a single one is a mistake that iterates by letter."""
    if isinstance(values, str | os.PathLike) or not isinstance(values, Sequence):
        raise InputError(f"{name}: is {values!r}; expected a list of texts or paths")
    return [_required(f"{name}[{index}]", value) for index, value in enumerate(values)]

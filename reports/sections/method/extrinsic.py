"""Scores of the models that were measured elsewhere, beside what this audit measured."""

from collections.abc import Mapping
from typing import Any

from maskaudit.audit.recording.extrinsic import Extrinsic, Measured
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.blocks import Column, Rows, Table
from maskaudit.reports.effects import Names
from maskaudit.reports.words import wording

NONE = (
    "Nothing that an application does with the model stands beside these numbers: no extrinsic "
    "score was given ([[run.extrinsic]] in AUDIT.toml). Without one, a lean measured here is not "
    "evidence of harm there, and the absence of a lean is not evidence of safety."
)
BESIDE = (
    "What was measured elsewhere was told by whoever ran the audit. Nothing here checks it, and no "
    "estimate, test or gate uses it."
)
_TOGETHER = (
    "Extrinsic scores stand beside these numbers. That a model has the larger lean and the worse "
    "score does not show that the one brings the other: that takes many models that differ in "
    "both."
)


def limit(manifest: Manifest) -> str:
    """What a lean says of an application: nothing, with or without extrinsic scores."""
    return _TOGETHER if manifest.extrinsic else NONE


def table(manifest: Manifest, names: Names) -> tuple[Table, ...]:
    """The extrinsic scores as a table; empty without any."""
    if not manifest.extrinsic:
        return ()
    heads = names.models if names.paired else ("model",)
    columns = (
        Column("Score", is_number=False),
        *(Column(head.capitalize()) for head in heads),
        Column("Higher is", is_number=False),
        Column("Where and how", is_number=False),
    )
    rows = tuple(
        (
            _title(entry),
            *(_number(entry.scores.get(model)) for model in names.models),
            entry.higher_is,
            wording.visible(entry.source, None),
        )
        for entry in manifest.extrinsic
    )
    note = f"In brackets: the 95 % interval, or the standard error (SE), as told. {BESIDE}"
    return (Table("extrinsic-table", "Measured elsewhere", columns, (Rows(rows),), note=note),)


def lines(manifest: Manifest, names: Names) -> list[str]:
    """The extrinsic scores as lines for a terminal, one each; empty without any."""
    return [
        f"Measured elsewhere: {_title(entry)}, higher is {entry.higher_is}: "
        + "; ".join(
            f"{names.label(model)} {_number(entry.scores.get(model))}" for model in names.models
        )
        for entry in manifest.extrinsic
    ]


def as_json(manifest: Manifest) -> list[Mapping[str, Any]]:
    """The extrinsic scores as plain JSON values, what is not known as null."""
    return [entry.model_dump() for entry in manifest.extrinsic]


def _title(entry: Extrinsic) -> str:
    return f"{wording.visible(entry.name)}, {wording.visible(entry.unit)}"


def _number(measured: Measured | None) -> str:
    if measured is None:
        return wording.UNKNOWN
    if measured.low is not None and measured.high is not None:
        return f"{_plain(measured.value)} ({_plain(measured.low)} to {_plain(measured.high)})"
    error = "" if measured.std_error is None else f" (SE {_plain(measured.std_error)})"
    return f"{_plain(measured.value)}{error}"


def _plain(value: float) -> str:
    # As it was told: in a unit that is not known here no count of decimals is the right one.
    return f"{value:.6g}".replace("-", "−")

"""Rows of a data set of the hub, or of a folder, as `datasets` streams them: the first alone."""

import hashlib
import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.published.published_files import Record, Source, load_dataset_function
from maskaudit.probes.texts.source import TextSource


def stream(source: TextSource) -> tuple[Source, list[Record], bool]:
    """The source with a digest of its rows, the first rows, and whether more follow.

    Nothing beyond the rows is downloaded. Raises `InputError` where the data set cannot be read,
    or has several splits of which none is named, and `MissingExtraError` without `datasets`.
    """
    load = load_dataset_function()
    name, _, revision = _parts(source.data)
    try:
        splits = load(name, source.config, revision=revision or None, streaming=True)
        rows = _split(splits, source)
        labels = {key: getattr(kind, "names", None) for key, kind in (rows.features or {}).items()}
        # One row more than is wanted, which tells whether there are more.
        read = [dict(row) for row in islice(rows, source.first + 1)]
    except InputError:
        raise
    except Exception as error:  # `datasets` raises many types of error
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{source.data}: cannot be read by `datasets` ({reason}); expected a file, a folder "
            "of data files, or owner/name of a data set, with --config if it has several"
        ) from error
    records: list[Record] = [
        (number, _with_names(row, labels)) for number, row in enumerate(read[: source.first], 1)
    ]
    lines = (json.dumps(record, sort_keys=True, default=str) for _, record in records)
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
    # A folder by its own name alone: its path may name the user.
    shown = Path(name).resolve().name if Path(name).exists() else name
    return Source(shown, digest, ""), records, len(read) > source.first


def _parts(data: str) -> tuple[str, str, str]:
    """The name, and the revision after an @, which a folder may have in its name."""
    return (data, "", "") if Path(data).exists() else data.partition("@")


def _split(splits: Any, source: TextSource) -> Any:  # noqa: ANN401 - an untyped library
    """The rows of the split that is named, or of the only one."""
    if source.split is None and len(splits) == 1:
        return next(iter(splits.values()))
    if source.split in splits:
        return splits[source.split]
    found = f"it has {', '.join(splits)}"
    asked = "--split: expected one of them" if source.split is None else f"--split {source.split}"
    raise InputError(f"{source.data}: {asked}; {found}")


def _with_names(row: dict[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    """The row with numbered labels by their names."""
    return {
        # Data sets write -1 for a label that is not known; Python would take the last name for it.
        key: names[value]
        if (names := labels.get(key)) and isinstance(value, int) and 0 <= value < len(names)
        else value
        for key, value in row.items()
    }

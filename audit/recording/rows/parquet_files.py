"""Read Parquet files whose size in memory is bounded, whatever the few bytes on disk unpack to.

A column of equal values takes no room in a file, so neither the file's size nor what its footer
says of it bounds what it becomes: texts are kept as numbers of a dictionary while they are counted.
"""

import io
from collections.abc import Collection
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from maskaudit.audit.texts.bounded import shown

MOST_ROWS = 50_000_000
# What may always be unpacked, and how many times its own size a larger file may become. The tables
# of records become 10 to 40 times as large.
_ALWAYS, _TIMES = 512 << 20, 200
_MOST_COLUMNS = 1000
_BATCH = 1 << 16
_OFFSET = 8  # bytes that pandas keeps for each text beside its letters


class TooLargeError(ValueError):
    """A file unpacks to more rows or bytes than one of its kind may have."""


def read(
    source: bytes | BinaryIO,
    columns: Collection[str] | None = None,
    *,
    most_rows: int = MOST_ROWS,
    as_dictionaries: bool = False,
) -> pa.Table:
    """The columns of a file, all of them for None.

    With `as_dictionaries` texts stay dictionary-encoded, since few occur in many rows. Raises
    `TooLargeError`, or an error of pyarrow, `OSError` or `ValueError` for a file that is none.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    # The footer is cheap to refuse by, and may say too little: hence the count of bytes below.
    schema = _checked(pq.ParquetFile(stream).metadata, most_rows).schema.to_arrow_schema()
    texts = [field.name for field in schema if _is_text(field.type)]
    names = [name for name in schema.names if columns is None or name in columns]
    if columns is not None and (missing := sorted(set(columns) - set(names))):
        message = f"it has no column {', '.join(missing)}"
        raise ValueError(message)
    stream.seek(0)
    file = pq.ParquetFile(stream, read_dictionary=texts)
    most, total, batches = max(_ALWAYS, _TIMES * size), 0, []
    for batch in file.iter_batches(_BATCH, columns=names, use_threads=False):
        total += sum(map(_unpacked, batch.columns))
        if total > most:
            message = f"it unpacks to more than {shown(most)}, and has {shown(size)} on disk"
            raise TooLargeError(message)
        batches.append(batch)
    whole = file.schema_arrow.empty_table() if not batches else pa.Table.from_batches(batches)
    table = whole.select(names).unify_dictionaries()
    return table if as_dictionaries else _plain(table)


def rows_of(source: BinaryIO) -> int:
    """The number of rows that a file's footer states."""
    return int(pq.ParquetFile(source).metadata.num_rows)


def _checked(metadata: pq.FileMetaData, most_rows: int) -> pq.FileMetaData:
    if metadata.num_rows > most_rows:
        message = f"it has {metadata.num_rows:,} rows; expected at most {most_rows:,}"
        raise TooLargeError(message)
    if metadata.num_columns > _MOST_COLUMNS:
        message = f"it has {metadata.num_columns:,} columns; expected at most {_MOST_COLUMNS:,}"
        raise TooLargeError(message)
    return metadata


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _unpacked(column: pa.Array) -> int:
    """The bytes of a column as pandas will hold it."""
    # A text that stands once in the dictionary may fill memory in a million rows.
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    return int(pc.sum(lengths).as_py() or 0) + _OFFSET * len(column)


def _plain(table: pa.Table) -> pa.Table:
    for number, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            texts = table.column(number).cast(field.type.value_type)
            table = table.set_column(number, field.name, texts)
    return table

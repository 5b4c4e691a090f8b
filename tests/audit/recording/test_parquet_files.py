"""Parquet files: read as pyarrow reads them, and bounded in what they unpack to."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskaudit.audit.recording.rows import parquet_files

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "she", "he", "élève"]) | st.text("ab"),
        st.none() | st.floats(),
        st.none() | st.integers(-9, 9),
        st.none() | st.text("xy"),
    )
)


def written(table: pa.Table, **options: object) -> bytes:
    """Return a table as Parquet."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


@given(rows=ROWS, dictionary=st.booleans(), size=st.integers(1, 5))
def test_a_table_is_read_as_pyarrow_reads_it(rows, dictionary, size):
    """The same values and types, whatever the file's encoding and row groups."""
    names = ["text", "value", "count", "other"]
    types = [pa.string(), pa.float64(), pa.int64(), pa.string()]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    table = pa.table({n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)})
    content = written(table, use_dictionary=dictionary, row_group_size=size)
    expected = pq.read_table(io.BytesIO(content)).to_pandas()
    pd.testing.assert_frame_equal(parquet_files.read(content).to_pandas(), expected)
    two = parquet_files.read(content, ["count", "text"], as_dictionaries=True).to_pydict()
    assert two == {"text": list(expected["text"]), "count": table.column("count").to_pylist()}
    assert parquet_files.rows_of(io.BytesIO(content)) == len(rows)


def bomb(rows: int, text: str) -> bytes:
    """Return a file of a few kilobytes that unpacks to `rows` times a text."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    return written(pa.table({"text": column}), compression="zstd", store_schema=False)


def test_equal_texts_that_take_no_room_on_disk_are_counted_before_they_are_unpacked():
    """Two million rows of a thousand letters: two gigabytes in a file of 200 KB."""
    content = bomb(2_000_000, "x" * 1000)
    assert len(content) < 300_000
    with pytest.raises(parquet_files.TooLargeError, match=r"unpacks to more than 512 MiB"):
        parquet_files.read(content)


def test_more_rows_than_asked_for_are_not_read():
    """The footer says how many there are."""
    assert parquet_files.read(bomb(1000, "x"), most_rows=1000).num_rows == 1000
    with pytest.raises(parquet_files.TooLargeError, match=r"1,000 rows; expected at most 999"):
        parquet_files.read(bomb(1000, "x"), most_rows=999)


def test_a_column_that_is_asked_for_and_missing_is_named():
    """As a column of a newer format would be."""
    with pytest.raises(ValueError, match="it has no column other"):
        parquet_files.read(bomb(3, "x"), ["text", "other"])

"""Rows of text as pandas frames: made of columns of Python texts, and packed as an Arrow stream. Judges nothing.

A frame has the source's columns, all of pandas' `str` type, where a blank cell is "" and never a missing value. Its
index holds the row numbers that a person sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa

from importer.core.batches import RawBatch
from importer.core.issues import Issue

_COMPRESSION = "lz4"
"""Two thirds of the size, and cheaper than writing, or sending, the rest."""


def text_table(names: Sequence[str], columns: Sequence[Sequence[str]]) -> pa.Table:
    """Make an Arrow table of columns of texts.

    Args:
        columns: all as long. Lone surrogates, which are not text, become U+FFFD.
    """
    return pa.table([text_array(column) for column in columns], list(names))


def frame_of(table: pa.Table, rows: Sequence[int]) -> pd.DataFrame:
    """Make a frame of an Arrow table of large strings, without a copy.

    Args:
        rows: the numbers that a person sees.
    """
    frame: pd.DataFrame = table.to_pandas(use_threads=False, ignore_metadata=True)
    numbers = rows if isinstance(rows, range) else np.array(rows, dtype="int64")
    frame.index = pd.Index(numbers, name="row")
    return frame


def frame_to_bytes(frame: pd.DataFrame) -> bytes:
    """Write a frame's columns as an Arrow IPC stream; its index is not kept."""
    columns = [_narrow(pa.array(series.array)) for _, series in frame.items()]
    table = pa.table(columns, list(frame.columns))
    options = pa.ipc.IpcWriteOptions(compression=_COMPRESSION, use_threads=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)
    blob: bytes = sink.getvalue().to_pybytes()
    return blob


def frame_from_bytes(blob: bytes, rows: Sequence[int]) -> pd.DataFrame:
    """Read a frame that was written as an Arrow IPC stream.

    Args:
        rows: the numbers that a person sees.
    """
    with pa.ipc.open_stream(blob, options=pa.ipc.IpcReadOptions(use_threads=False)) as stream:
        return frame_of(stream.read_all(), rows)


def text_frame(names: Sequence[str], columns: Sequence[Sequence[str]], rows: Sequence[int]) -> pd.DataFrame:
    """Make a frame of columns of texts; arguments as of the two above."""
    return frame_of(text_table(names, columns), rows)


def raw_batch(
    first: int,
    rows: Sequence[int],
    columns: Sequence[Sequence[str]],
    issues: Sequence[Issue] = (),
    surplus: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
    *,
    names: Sequence[str] = (),
) -> RawBatch:
    """Make a batch of columns of texts.

    Args:
        first: ordinal of the first row.
        names: what the columns are called; without names they are `column 1`, `column 2`, …
    """
    called = names or [f"column {number}" for number in range(1, len(columns) + 1)]
    return RawBatch(first, text_frame(called, columns, rows), issues, surplus)


def letters(column: pa.Array | pa.ChunkedArray) -> str:
    """All texts of a column of large strings, one after the other with nothing between them."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return "".join(str(letter_bytes(chunk), "utf-8") for chunk in chunks)


def letter_bytes(column: pa.Array) -> memoryview:
    """The same as bytes in UTF-8, without a copy."""
    _, places, texts = column.buffers()
    if texts is None:
        return memoryview(b"")
    bounds = np.frombuffer(places, np.int64)[column.offset : column.offset + len(column) + 1]
    return memoryview(texts)[bounds[0] : bounds[-1]]


def _narrow(texts: pa.Array) -> pa.Array:
    """The same column with places of 32 bits, where they are enough: half the size of short texts."""
    try:
        return texts.cast(pa.string())
    except pa.ArrowInvalid:
        return texts


def text_array(texts: Sequence[str]) -> pa.Array:
    """Make one column of large strings, as pandas holds them. Lone surrogates, which are not text, become U+FFFD."""
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array(map(_whole, texts), pa.large_string())


def _whole(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

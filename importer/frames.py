"""Rows of text as pandas frames, made of columns of Python texts. Pure; judges nothing.

A frame has the source's columns, all of pandas' `str` type, where a blank cell is "" and never a missing value. Its
index holds the row numbers that a person sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa

from importer.issues import Issue
from importer.records import RawBatch


def text_table(names: Sequence[str], columns: Sequence[Sequence[str]]) -> pa.Table:
    """Make an Arrow table of columns of texts.

    Args:
        columns: all as long. Lone surrogates, which are no text, become U+FFFD.
    """
    return pa.table([_array(column) for column in columns], list(names))


def frame_of(table: pa.Table, rows: Sequence[int]) -> pd.DataFrame:
    """Make a frame of an Arrow table of large strings, without a copy.

    Args:
        rows: the numbers that a person sees.
    """
    frame: pd.DataFrame = table.to_pandas()
    numbers = rows if isinstance(rows, range) else np.array(rows, dtype="int64")
    return frame.set_axis(pd.Index(numbers, name="row"))


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


def _array(texts: Sequence[str]) -> pa.Array:
    """One column; large strings, as pandas holds them."""
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array(map(_whole, texts), pa.large_string())


def _whole(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

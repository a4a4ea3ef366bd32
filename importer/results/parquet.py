"""The results table as a Parquet file: cells as texts, the numbers among the added columns as integers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from importer.results.table import NUMBER_COLUMNS, Header, Row


class ParquetTable:
    """Writes `path`, one row group per call of `write`."""

    def __init__(self, path: Path, header: Header) -> None:
        self._schema = pa.schema([(name, _type(name)) for name in header.names])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        """Append a row group."""
        columns = zip(*rows, strict=True)
        arrays = [_array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the footer and close."""
        self._writer.close()


def _type(name: str) -> Any:
    return pa.int64() if name in NUMBER_COLUMNS else pa.string()


def _array(cells: Sequence[str], kind: Any) -> Any:
    if kind == pa.int64():
        return pa.array([int(cell) if cell else None for cell in cells], type=kind)
    try:
        return pa.array(cells, type=kind)
    except UnicodeEncodeError:  # a lone surrogate, as in the other formats
        return pa.array([cell.encode("utf-8", "replace").decode() for cell in cells], type=kind)

"""The further formats of the results table (JSON lines, Parquet, workbook), and how each is found by its name.

Third parties add theirs through the entry point group `importer.writers`: the entry's name is the format (and the
file's suffix), its value an `OpenTable`. The libraries of a format load when the format is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any, Protocol, cast

import pyarrow as pa

from importer.core.columns import NUMBER_COLUMNS
from importer.core.errors import UsageError
from importer.results.table import Header, Row


class Table(Protocol):
    """An open table file of one format. Writes to the path it was given and nowhere else."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows, each as long as the header."""
        ...

    def close(self) -> None:
        """Finish the file; it is complete when this returns. Harmless when called twice."""
        ...


OpenTable = Callable[[Path, Header], Table]

WRITERS: Mapping[str, str] = MappingProxyType(
    {
        "xlsx": "importer.results.xlsx:XlsxTable",
        "jsonl": "importer.results.formats:JsonlTable",
        "parquet": "importer.results.formats:ParquetTable",
    }
)
"""Format to `module:name`. `csv` is not among them: it is always written."""


def writer(format_name: str) -> OpenTable:
    """Find the writer of a format.

    Raises:
        UsageError: there is none.
    """
    if format_name in WRITERS:
        return cast("OpenTable", resolve_name(WRITERS[format_name]))
    for entry in entry_points(group="importer.writers", name=format_name):
        return cast("OpenTable", entry.load())
    known = ", ".join(["csv", *WRITERS])
    msg = f"There is no results format '{format_name}'."
    raise UsageError(msg, f"Known formats: {known}.")


class JsonlTable:
    """JSON lines: one object per row, keys in the table's order, cells as texts.

    The numbers among the added columns are numbers; a blank one is null.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._names = header.names
        self._stream = path.open("w", encoding="utf-8", errors="replace", newline="\n", buffering=1 << 20)
        self._encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode

    def write(self, rows: Sequence[Row]) -> None:
        """Append one object per row."""
        self._stream.writelines([self._encode(self._object(row)) + "\n" for row in rows])

    def _object(self, row: Row) -> dict[str, str | int | None]:
        values: dict[str, str | int | None] = dict(zip(self._names, row, strict=True))
        for name in NUMBER_COLUMNS:
            values[name] = int(values[name] or 0) if values[name] else None
        return values

    def close(self) -> None:
        """Flush and close."""
        self._stream.close()


class ParquetTable:
    """A Parquet file: cells as texts, the numbers among the added columns as integers. One row group per `write`."""

    def __init__(self, path: Path, header: Header) -> None:
        from pyarrow import parquet  # noqa: PLC0415  # needed for this format alone

        self._schema = pa.schema([(name, _type(name)) for name in header.names])
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")

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

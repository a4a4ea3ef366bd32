"""The results table as JSON lines: one object a row, keys in the table's order, cells as texts.

The numbers among the added columns are numbers; what is blank there is null.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from importer.results.table import NUMBER_COLUMNS, Header, Row


class JsonlTable:
    """Writes `path` line by line."""

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

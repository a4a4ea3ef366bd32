"""Cells as journals up to format 7 kept them: read once, on the way to format 8. Writes nothing of the kind.

A block's first byte says which of three forms it has: texts joined row by row, texts joined by column, or JSON.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from importer.journal.sqlite.packing import pack_cells, unpack_rows

_UNIT, _RECORD = "\x1f", "\x1e"
"""What stands between two cells of a row, and between two rows; by column, between two rows and two columns."""
_BY_ROW, _BY_COLUMN = b"r", b"s"


def carry_cells_forward(tx: sqlite3.Connection, _: bytes = b"") -> None:
    """Write the cells of every batch anew, as Arrow streams; one batch is held at a time."""
    from importer.core.frames import text_frame  # noqa: PLC0415  # loads pandas, for old journals alone

    names = {run: json.loads(columns) for run, columns in tx.execute("SELECT run, columns FROM runs")}
    places = tx.execute("SELECT rowid, run FROM batches WHERE cells IS NOT NULL").fetchall()
    for place, run in places:
        rows, cells = tx.execute("SELECT rows, cells FROM batches WHERE rowid = ?", (place,)).fetchone()
        columns = old_columns(cells)
        called = names.get(run, [])
        if len(called) != len(columns):
            called = [f"column {number}" for number in range(1, len(columns) + 1)]
        blob = pack_cells(text_frame(called, columns, unpack_rows(rows)))
        tx.execute("UPDATE batches SET cells = ? WHERE rowid = ?", (blob, place))


def old_columns(data: bytes) -> Sequence[Sequence[str]]:
    """The columns of an old block; it may hold lone surrogates, and so may they."""
    form, text = data[:1], data[1:].decode("utf-8", "surrogatepass")
    if form == _BY_ROW:
        return list(zip(*[row.split(_UNIT) for row in text.split(_RECORD)], strict=True))
    if form == _BY_COLUMN:
        return [column.split(_UNIT) for column in text.split(_RECORD)]
    columns: list[list[str]] = json.loads(text)
    return columns

"""Many rows in one statement. For writers that share their process with an event loop.

The interpreter's lock is handed over for every single statement, and a busy loop is slow to give it back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain

PARAMETERS = 900
"""Bound values of one statement; builds of SQLite before 3.32 allow 999."""


def insert(tx: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]], on_conflict: str = "") -> int:
    """Insert rows.

    Args:
        into: `INSERT INTO table (columns)`.
        rows: all of them as wide as the columns.
        on_conflict: an upsert clause.

    Returns:
        How many rows were inserted or updated.
    """
    changed = 0
    for lot in lots(rows, len(rows[0]) if rows else 1):
        values = ", ".join([f"({', '.join('?' * len(lot[0]))})"] * len(lot))
        changed += tx.execute(f"{into} VALUES {values} {on_conflict}", tuple(chain.from_iterable(lot))).rowcount
    return changed


def update(
    tx: sqlite3.Connection, change: str, columns: Sequence[str], rows: Sequence[Sequence[object]], where: str
) -> int:
    """Update rows, each by values of its own.

    Args:
        change: `UPDATE table SET …`, of columns of `new`.
        columns: the columns of `new`.
        rows: the values.
        where: which row each of them is for.

    Returns:
        How many rows were updated.
    """
    names = ", ".join(f"column{number} AS {name}" for number, name in enumerate(columns, 1))
    changed = 0
    for lot in lots(rows, len(columns)):
        values = ", ".join([f"({', '.join('?' * len(columns))})"] * len(lot))
        new = f"(SELECT {names} FROM (VALUES {values})) AS new"
        changed += tx.execute(f"{change} FROM {new} WHERE {where}", tuple(chain.from_iterable(lot))).rowcount
    return changed


def lots(rows: Sequence[Sequence[object]], width: int) -> list[Sequence[Sequence[object]]]:
    """Part rows into lots that one statement can take."""
    size = max(1, PARAMETERS // width)
    return [rows[at : at + size] for at in range(0, len(rows), size)]

"""Many rows in one statement. For writers that share their process with an event loop.

The interpreter's lock is handed over for every single statement, and a busy loop is slow to give it back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

from importer.journal.sql.database import Connection

PARAMETERS = 900
"""Bound values of one statement; builds of SQLite before 3.32 allow 999."""


def insert(tx: Connection, into: str, rows: Sequence[Sequence[object]], on_conflict: str = "") -> int:
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


def replacing(columns: Sequence[str], key: int) -> str:
    """The upsert clause by which a row takes the place of the one that has its key.

    Args:
        columns: of the table; the first `key` of them are its key.
    """
    others = ", ".join(f"{name} = excluded.{name}" for name in columns[key:])
    return f"ON CONFLICT ({', '.join(columns[:key])}) DO UPDATE SET {others}"


def update(
    tx: Connection,
    change: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    where: str,
    *,
    times: Collection[str] = (),
) -> int:
    """Update rows, each by values of its own.

    Args:
        change: `UPDATE table SET …`, of columns of `new`.
        columns: the columns of `new`.
        rows: the values.
        where: which row each of them is for.
        times: those of the columns that are numbers where they are not NULL: not every database can see it.

    Returns:
        How many rows were updated.
    """
    names = ", ".join(
        f"CAST(column{number} AS DOUBLE PRECISION) AS {name}" if name in times else f"column{number} AS {name}"
        for number, name in enumerate(columns, 1)
    )
    changed = 0
    for lot in lots(rows, len(columns)):
        values = ", ".join([f"({', '.join('?' * len(columns))})"] * len(lot))
        new = f"(SELECT {names} FROM (VALUES {values}) AS listed) AS new"
        changed += tx.execute(f"{change} FROM {new} WHERE {where}", tuple(chain.from_iterable(lot))).rowcount
    return changed


def lots(rows: Sequence[Sequence[object]], width: int) -> list[Sequence[Sequence[object]]]:
    """Part rows into lots that one statement can take."""
    size = max(1, PARAMETERS // width)
    return [rows[at : at + size] for at in range(0, len(rows), size)]

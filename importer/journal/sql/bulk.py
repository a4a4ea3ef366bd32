"""Many rows in one statement. For writers that share their process with an event loop.

The interpreter's lock is handed over for every single statement, and a busy loop is slow to give it back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain

from importer.journal.sql.database import Connection

PARAMETERS = 900
"""Bound values of one statement; builds of SQLite before 3.32 allow 999."""


def insert(
    tx: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]], on_conflict: str = ""
) -> int:
    """Insert rows.

    Args:
        rows: all of them as wide as the columns, without bytes.
        on_conflict: an upsert clause.

    Returns:
        How many rows were inserted or updated.
    """
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    if tx.dialect.records:
        selected = f"SELECT {', '.join(columns)} FROM {tx.dialect.records.format(table)} WHERE TRUE"
        return sum(
            tx.execute(f"{into} {selected} {on_conflict}", (_records(columns, lot),)).rowcount for lot in lots(rows, 1)
        )
    changed = 0
    for lot in lots(rows, len(columns)):
        values = ", ".join([f"({', '.join('?' * len(columns))})"] * len(lot))
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
    tx: Connection, table: str, change: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, where: str
) -> int:
    """Update rows, each by values of its own.

    Args:
        change: `SET …`, of columns of `new`.
        columns: the columns of `new`, called as those of the table.
        rows: the values, without bytes.
        where: which row each of them is for.

    Returns:
        How many rows were updated.
    """
    if tx.dialect.records:
        new = f"{tx.dialect.records.format(table)} AS new"
        statement = f"UPDATE {table} {change} FROM {new} WHERE {where}"
        return sum(tx.execute(statement, (_records(columns, lot),)).rowcount for lot in lots(rows, 1))
    names = ", ".join(f"column{number} AS {name}" for number, name in enumerate(columns, 1))
    changed = 0
    for lot in lots(rows, len(columns)):
        values = ", ".join([f"({', '.join('?' * len(columns))})"] * len(lot))
        new = f"(SELECT {names} FROM (VALUES {values})) AS new"
        values_of_all = tuple(chain.from_iterable(lot))
        changed += tx.execute(f"UPDATE {table} {change} FROM {new} WHERE {where}", values_of_all).rowcount
    return changed


def _records(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as one JSON array of objects: one bound value, and a statement that stays the same."""
    return json.dumps([dict(zip(columns, row, strict=True)) for row in rows])


def lots(rows: Sequence[Sequence[object]], width: int) -> list[Sequence[Sequence[object]]]:
    """Part rows into lots that one statement can take."""
    size = max(1, PARAMETERS // width)
    return [rows[at : at + size] for at in range(0, len(rows), size)]

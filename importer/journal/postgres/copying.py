"""A workspace's journal is copied from its file to PostgreSQL, all of it in one transaction, and read back to prove it.

Run numbers, keys and receipts stay what they are, so that receipts and printed commands still hold. So does the secret:
it becomes the team's. A journal that has other runs already takes no second one, whose keys another secret has made.
Drafts, which are in a file of their own, are copied beside those that are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from itertools import product
from typing import Any, NamedTuple

from importer.core.errors import JournalError, UsageError
from importer.journal.entries import Copied
from importer.journal.location import Location
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.postgres.secret import adopt
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.drafts import KEYS

_TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)^\)", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(r"^    (\w+) +(?:INTEGER|TEXT|REAL|BLOB)", re.MULTILINE)
_KEY = re.compile(r"PRIMARY KEY \(([^)]*)\)")
_OF_A_FILE = "integrity"
_NUMBERED = (("runs", "run"), ("issues", "number"), ("receipts", "number"))


class _Table(NamedTuple):
    """One table of a journal."""

    name: str
    columns: str
    key: str


def copy_journal(source: Database, target: Location, secret: bytes) -> Copied:
    """Copy a journal; where it is there already, it is only compared.

    Args:
        source: a journal of this program's format, whose runs nobody works on.
        secret: that its keys were made with.

    Raises:
        UsageError: the other journal has other runs, or another secret.
        JournalError: it cannot be written, or is not what was copied: nothing was changed then.
    """
    database = PostgresDatabase(target)
    try:
        with source.guarded("read"), database.transaction() as tx:
            if not _is_there(source.connection, tx, target.place):
                for table in _tables():
                    found = source.connection.execute(f"SELECT {table.columns} FROM {table.name}")
                    database.connection.copy(f"{table.name} ({table.columns})", found)
                for name, number in _NUMBERED:
                    tx.execute(
                        f"SELECT setval(pg_get_serial_sequence('{name}', '{number}'),"
                        f" (SELECT coalesce(max({number}), 0) + 1 FROM {name}), false)"
                    )
            _compare(source.connection, tx, target.place)
            adopt(tx, secret, target.place)
            return Copied(*(_count(tx, name) for name in ("runs", "rows", "identities")))
    finally:
        database.close()


def copy_drafts(source: Connection, target: Location) -> int:
    """Copy the drafts of a workspace beside those that are there; those of the same ids are replaced.

    Args:
        source: in a transaction, so that nobody changes them meanwhile.

    Returns:
        How many there are.

    Raises:
        JournalError: the other journal cannot be written, or they are not what was copied: nothing was changed then.
    """
    database = PostgresDatabase(target)
    try:
        with database.transaction() as tx:
            ids = [one for (one,) in source.execute("SELECT id FROM drafts").fetchall()]
            for draft, table in product(ids, _tables("drafts.sql")):
                of_it = f"FROM {table.name} WHERE {KEYS[table.name]} = ?"
                every = f"SELECT {table.columns} {of_it} ORDER BY {table.key}"
                rows = source.execute(every, (draft,)).fetchall()
                tx.execute(f"DELETE {of_it}", (draft,))
                database.connection.copy(f"{table.name} ({table.columns})", rows)
                if tx.execute(every, (draft,)).fetchall() != rows:
                    raise _not_the_same(target.place, table)
            return len(ids)
    finally:
        database.close()


def _tables(script: str = "schema.sql") -> Iterator[_Table]:
    text = files("importer.journal.sql").joinpath(script).read_text(encoding="utf-8")
    for name, body in _TABLE.findall(text):
        columns, key = _COLUMN.findall(body), _KEY.search(body)
        if name != _OF_A_FILE:
            yield _Table(name, ", ".join(columns), key[1] if key else columns[0])


def _is_there(source: Connection, tx: Connection, place: str) -> bool:
    ours, theirs = (one.execute("SELECT run_id FROM runs ORDER BY run_id").fetchall() for one in (source, tx))
    if theirs and ours != theirs:
        raise UsageError(
            f"The journal {place} has runs that this workspace does not have.",
            "Only an empty one takes the journal of a workspace: name another database.",
        )
    return bool(theirs)


def _compare(source: Connection, tx: Connection, place: str) -> None:
    for table in _tables():
        if _digest(source, table) != _digest(tx, table):
            raise _not_the_same(place, table)


def _not_the_same(place: str, table: _Table) -> JournalError:
    return JournalError(
        f"What the journal {place} holds is not what was copied ({table.name}).", "Nothing was changed: try again."
    )


def _digest(connection: Connection, table: _Table) -> str:
    digest = sha256()
    for row in _rows(connection, table):
        digest.update(repr(tuple(map(_plain, row))).encode())
    return digest.hexdigest()


def _rows(connection: Connection, table: _Table) -> Iterator[Any]:
    """Every row in the order of the key; the large ones one by one."""
    every = f"SELECT {table.columns} FROM {table.name} ORDER BY {table.key}"
    if table.name != "batches":
        yield from connection.execute(every)
        return
    for key in connection.execute("SELECT run, first FROM batches ORDER BY run, first").fetchall():
        yield connection.execute(f"SELECT {table.columns} FROM batches WHERE run = ? AND first = ?", key).fetchone()


def _plain(value: object) -> object:
    return sha256(value).digest() if isinstance(value, bytes) else value


def _count(tx: Connection, table: str) -> int:
    (count,) = tx.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)

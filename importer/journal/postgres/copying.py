"""A workspace's journal is copied from its file to PostgreSQL, all of it in one transaction, and read back to prove it.

Keys, receipts and the ids of runs stay what they are, so that printed commands and receipts still hold. So does the
secret: an empty journal takes it over; one that has a secret keeps it as a former one, under which customers are
recognised. Runs get numbers after those that are there. Drafts, which are in a file of their own, are copied beside
those that are there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.resources import files
from itertools import product
from typing import Any, NamedTuple

from psycopg.errors import UniqueViolation

from importer.core.errors import JournalError, UsageError
from importer.journal.entries import Copied
from importer.journal.location import Location
from importer.journal.postgres.connection import PostgresConnection
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.postgres.secret import adopt
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.drafts import KEYS

_TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)^\)", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(r"^    (\w+) +(?:INTEGER|TEXT|REAL|BLOB)", re.MULTILINE)
_KEY = re.compile(r"PRIMARY KEY \(([^)]*)\)")
_OF_A_FILE = "integrity"
_NUMBERED = {"runs": "run", "issues": "number", "receipts": "number"}
"""Tables with rows that are numbered in the order in which they were made, and their number."""
_OF_NO_RUN = {
    "places": "",
    "likenesses": "ON CONFLICT DO NOTHING",
    "renewed_keys": "ON CONFLICT DO NOTHING",
    "api_keys": "ON CONFLICT DO NOTHING",
    "plans": "ON CONFLICT DO NOTHING",
    "starts": "ON CONFLICT (scope, slot) DO UPDATE SET count = starts.count + excluded.count",
}
"""Tables with entries of no run, and what becomes of one that is there already."""
_ONCE = {"runs": "a run", "identities": "a customer's key", "places": "the folder of a file that was put away"}
"""Tables of which two journals have nothing in common, and what it would be."""


class _Table(NamedTuple):
    """One table of a journal."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def listed(self) -> str:
        """Its columns in a statement."""
        return ", ".join(self.columns)


def copy_journal(source: Database, target: Location, secret: bytes) -> Copied:
    """Copy a journal beside the runs that are there; where this very journal was copied already, nothing is done.

    Args:
        source: a journal of this program's format, whose runs nobody works on; nor on those of its accounts there.
        secret: that its keys were made with.

    Raises:
        UsageError: both have the same runs, customers or folders.
        JournalError: it cannot be written, or is not what was copied: nothing was changed then.
    """
    database = PostgresDatabase(target)
    try:
        with source.guarded("read"), database.transaction() as tx:
            digest = _digest_of_all(source.connection)
            if not tx.execute("SELECT 1 FROM carried WHERE digest = ?", (digest,)).fetchone():
                after = {name: _last(tx, name, number) for name, number in _NUMBERED.items()}
                for table in _tables():
                    _copy(source.connection, database.connection, table, after, target.place)
                _count_on(tx, after)
                adopt(tx, secret, target.place)
                _note(tx, digest, after["receipts"])
            return Copied(*(_count(source.connection, name) for name in ("runs", "rows", "identities")))
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
                every = f"SELECT {table.listed} {of_it} ORDER BY {', '.join(table.key)}"
                rows = source.execute(every, (draft,)).fetchall()
                tx.execute(f"DELETE {of_it}", (draft,))
                database.connection.copy(f"{table.name} ({table.listed})", rows)
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
            yield _Table(name, tuple(columns), tuple(key[1].split(", ")) if key else (columns[0],))


def _last(tx: Connection, table: str, number: str) -> int:
    (last,) = tx.execute(f"SELECT coalesce(max({number}), 0) FROM {table}").fetchone()
    return int(last)


def _count_on(tx: Connection, after: Mapping[str, int]) -> None:
    """Have the next numbers follow those that were copied. To set them at once needs a right that runners lack."""
    for name, number in _NUMBERED.items():
        last = _last(tx, name, number)
        if last > after[name]:
            sequence = f"pg_get_serial_sequence('{name}', '{number}')"
            (reached,) = tx.execute(f"SELECT nextval({sequence})").fetchone()
            tx.execute(f"SELECT count(nextval({sequence})) FROM generate_series(1, ?)", (last - reached,))


def _note(tx: Connection, digest: str, receipts_after: int) -> None:
    """Keep what was copied, and after which receipt its chain begins, if it has any."""
    begins = _last(tx, "receipts", "number") > receipts_after
    last = tx.execute("SELECT hash FROM receipts WHERE number = ?", (receipts_after,)).fetchone()
    tx.execute(
        "INSERT INTO carried (digest, receipts_after, previous) VALUES (?, ?, ?)",
        (digest, receipts_after if begins else None, last[0] if last else ""),
    )


# --------------------------------------------------------------------------- one table beside what is there


def _copy(source: Connection, to: PostgresConnection, table: _Table, after: Mapping[str, int], place: str) -> None:
    """Copy a table, and read back what was copied.

    Args:
        after: of each numbered table the highest number that was there before.
    """
    copied = sha256()
    rows = _digested(copied.update, _renumbered(table, _rows(source, table), after))
    try:
        there = _merged(to, table, rows) if table.name in _OF_NO_RUN else _appended(to, table, rows, after)
    except UniqueViolation as error:
        alike = _ONCE.get(table.name, table.name)
        raise UsageError(
            f"The journal {place} and this workspace both have {alike}: this one was carried there and has gone on"
            " since, or is a copy of one that was.",
            "Go on with the journal; what only this workspace has can go to another database.",
        ) from error
    if _digest(there) != copied.hexdigest():
        raise _not_the_same(place, table)


def _appended(
    to: PostgresConnection, table: _Table, rows: Iterable[tuple[Any, ...]], after: Mapping[str, int]
) -> Iterator[Any]:
    """Write rows that are numbered after those that are there, and give them back as they are there."""
    to.copy(f"{table.name} ({table.listed})", rows)
    number = _NUMBERED.get(table.name, "run")
    return _rows(to, table, f"WHERE {number} > {after[table.name if table.name in _NUMBERED else 'runs']}")


def _merged(to: PostgresConnection, table: _Table, rows: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """Write rows of which some may be there already, and give them back as they are there."""
    incoming = f"incoming_{table.name}"
    to.execute(f"CREATE TEMPORARY TABLE {incoming} (LIKE {table.name}) ON COMMIT DROP")
    to.copy(f"{incoming} ({table.listed})", rows)
    to.execute(
        f"INSERT INTO {table.name} ({table.listed}) SELECT {table.listed} FROM {incoming} {_OF_NO_RUN[table.name]}"
    )
    if table.name == "starts":  # those that are there are sums
        return iter(to.execute(f"SELECT {table.listed} FROM {incoming} ORDER BY {', '.join(table.key)}"))
    return _rows(to, table, f"NATURAL JOIN (SELECT {', '.join(table.key)} FROM {incoming}) AS incoming")


def _renumbered(table: _Table, rows: Iterable[Any], after: Mapping[str, int]) -> Iterator[tuple[Any, ...]]:
    """Rows of the file with the numbers that they get."""
    adds = [after.get(_given_out_by(table.name, column), 0) for column in table.columns]
    for row in rows:
        yield tuple(one + add if add and one is not None else one for one, add in zip(row, adds, strict=True))


def _given_out_by(table: str, column: str) -> str:
    """The table whose numbers a column holds; empty: it holds no such numbers."""
    if column == "run":
        return "runs"
    return table if column == _NUMBERED.get(table) else ""


def _rows(connection: Connection, table: _Table, among: str = "") -> Iterator[Any]:
    """Rows of a table in the order of the key; the large ones one by one."""
    key = ", ".join(table.key)
    if table.name != "batches":
        yield from connection.execute(f"SELECT {table.listed} FROM {table.name} {among} ORDER BY {key}")
        return
    for run, first in connection.execute(f"SELECT {key} FROM batches {among} ORDER BY {key}").fetchall():
        one = f"SELECT {table.listed} FROM batches WHERE run = ? AND first = ?"
        yield connection.execute(one, (run, first)).fetchone()


# --------------------------------------------------------------------------- proof


def _digested(add: Callable[[bytes], object], rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Pass rows on, and digest them."""
    for row in rows:
        add(repr(tuple(map(_plain, row))).encode())
        yield row


def _digest(rows: Iterable[Any]) -> str:
    digest = sha256()
    for _ in _digested(digest.update, rows):
        pass
    return digest.hexdigest()


def _digest_of_all(source: Connection) -> str:
    found = ((table.name, _digest(_rows(source, table))) for table in _tables())
    return sha256(repr(list(found)).encode()).hexdigest()


def _plain(value: object) -> object:
    return sha256(value).digest() if isinstance(value, bytes) else value


def _not_the_same(place: str, table: _Table) -> JournalError:
    return JournalError(
        f"What the journal {place} holds is not what was copied ({table.name}).", "Nothing was changed: try again."
    )


def _count(connection: Connection, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)

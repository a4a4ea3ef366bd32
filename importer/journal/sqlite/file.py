"""One SQLite file that is written: its connection, and transactions. Knows no table.

WAL with `synchronous=FULL`: a commit is on disk when it returns, and readers never block the writer
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from importer.core.errors import BusyError, JournalError
from importer.journal.sql.database import Dialect

BUSY_TIMEOUT_MS = 10_000
CACHE_KIB = 16_384


DIALECT = Dialect(
    now="SELECT (julianday('now') - 2440587.5) * 86400.0",
    numbers="SELECT value FROM json_each({})",
    words="SELECT value FROM json_each({})",
    index="INDEXED BY {}",
)


class SqliteConnection(sqlite3.Connection):
    """A connection that knows its words. Implements `sql.database.Connection`."""

    dialect = DIALECT


def connected(address: str) -> SqliteConnection:
    """Connect to a file by its address, or to memory.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, factory=SqliteConnection)


class SqliteFile:
    """A connection to one file.

    Args:
        path: the file.
        called: what errors call it.
        when_full: what to do where the disk was full in the middle of something.
    """

    connection: SqliteConnection

    def __init__(self, path: Path, *, called: str, when_full: str) -> None:
        self.path = path
        self._called = called
        self._when_full = when_full

    def connect(self, *, durable: bool = True) -> None:
        """Open the file to write it; made with mode 0600 when it is not there.

        Args:
            durable: whether a commit waits for the disk.

        Raises:
            sqlite3.Error, OSError: it cannot be opened.
        """
        self.path.touch(mode=0o600, exist_ok=True)
        self.connection = connected(self.path.absolute().as_uri())
        try:
            self._prepare(durable=durable)
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self, *, durable: bool) -> None:
        self.connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        self.connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        if durable:
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=FULL")
        else:
            self.connection.execute("PRAGMA journal_mode=MEMORY")
            self.connection.execute("PRAGMA synchronous=OFF")

    @contextmanager
    def transaction(self, *, brief: bool = False) -> Iterator[SqliteConnection]:  # noqa: ARG002  # see `Database`
        """Run a block as one commit: all of it on disk, or none.

        Raises:
            JournalError: the file cannot be written.
        """
        with self.guarded("written"):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    @contextmanager
    def guarded(self, done: str) -> Iterator[None]:
        """Turn SQLite's and the system's errors into one that says which file could not be `done`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(
                f"The {self._called} {self.path} cannot be {done}: {_reason(error)}.", self._hint(error, done)
            ) from error

    def wipe(self, tables: Iterable[str]) -> None:  # noqa: ARG002  # the log is that of all tables
        """Empty the write-ahead log, which may hold what was deleted.

        Raises:
            BusyError: another program reads the file, so the log cannot be emptied now.
            JournalError: it cannot be written.
        """
        with self.guarded("written"):
            busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise BusyError(
                f"Another program is reading the {self._called} {self.path}: purged data is still in its log.",
                "Purge again when that program is done.",
            )

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        self.connection.close()

    def _hint(self, error: Exception, done: str) -> str:
        text = str(error).lower()
        if "full" in text or "no space" in text:
            return "The disk is full: free some space, and try again." if done == "opened" else self._when_full
        if "i/o error" in text:
            return "Check whether the disk of the workspace is full or damaged."
        if "not a database" in text or "malformed" in text:
            return "The file is damaged: keep a copy of it, and restore a backup."
        return "Check that the workspace can be written by you."


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return str(error) or type(error).__name__

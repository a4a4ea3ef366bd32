"""A connection to PostgreSQL that reads the statements of `importer.journal.sql`. Knows no table.

A connection that was lost is made again where nothing can have been lost with it: before a transaction, and for a
statement outside of one, which only reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import lru_cache
from itertools import islice
from threading import Event
from time import monotonic
from typing import Any

import psycopg
from psycopg import pq

from importer.journal.sql.database import Cursor, Dialect

SCHEMA = "importer"
"""Where the tables are, in the database that the address names."""
DIALECT = Dialect(
    now="SELECT extract(epoch FROM clock_timestamp())::float8",
    numbers="SELECT value::bigint FROM json_array_elements_text({}::json) AS listed (value)",
    words="SELECT value FROM json_array_elements_text({}::json) AS listed (value)",
    records="json_populate_recordset(NULL::{}, ?::json)",
)
_SESSION = {
    "search_path": f"{SCHEMA}, pg_temp",
    "lock_timeout": "30s",
    # What a transaction reads after it has waited for the others is what these have written.
    "default_transaction_isolation": "read committed",
    # The statements look up keys by indexes, as in SQLite, whatever statistics say about tables that have just grown.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_material": "off",
    "jit": "off",
    # A host that died in the middle of a transaction must not keep the others from writing for hours.
    "idle_in_transaction_session_timeout": "120s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_CONNECT_S = 10
_PATIENCE = {"tcp_user_timeout": 20_000, "keepalives_idle": 15, "keepalives_interval": 5}
"""Seconds, and one number of milliseconds: how long a server that says nothing is waited for."""
_PAUSE_S = 0.3
"""Between two looks for a server that was restarted."""
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")
_LISTED = re.compile(r"\bIN \(\?(?:, ?\?){3,}\)|\?")
"""A list of values, which is bound as one array, or one value."""


class _Session(psycopg.Connection[tuple[Any, ...]]):
    """A session that gives up a server which says nothing.

    The system finds out that a network is cut, but not that a proxy, or a server that hangs, takes everything and
    answers nothing.
    """

    is_silent: Callable[[float], bool] = staticmethod(lambda _: False)

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        return super().wait(self._bounded(gen), *arguments, **options)

    def _bounded(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """What is waited for, which is looked at every moment while nothing comes."""
        began = monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and self.is_silent(waited_s := monotonic() - began):
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"the server did not answer for {waited_s:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value


class PostgresConnection:
    """One session. Implements `sql.database.Connection`.

    Args:
        address: `postgresql://…`.
        password: None: libpq finds it (`PGPASSWORD`, `~/.pgpass`), or none is needed.
        writes: go to a server that takes writes, where the address names several.
        patience_s: how long a transaction waits for a server that was there before.
        is_silent: whether a server is given up that has not answered for this long, in seconds; None: it is waited for.
        connect_s: how long a connection may take, in seconds; 2 at least.

    Raises:
        psycopg.Error: it cannot be reached.
    """

    dialect = DIALECT

    def __init__(
        self,
        address: str,
        password: str | None = None,
        *,
        writes: bool = True,
        patience_s: float = 0.0,
        is_silent: Callable[[float], bool] | None = None,
        connect_s: int = _CONNECT_S,
    ) -> None:
        self._address = address
        self._is_silent = is_silent
        self._patience_s = patience_s
        self._how: dict[str, Any] = {**_PATIENCE, "connect_timeout": connect_s, "application_name": "importer"} | (
            {"password": password} if password else {}
        )
        if writes:
            self._how["target_session_attrs"] = "read-write"
        self._session = self._connected()

    def execute(self, statement: str, values: Any = (), /) -> Cursor:
        text, values = _bound(statement, values)
        try:
            return self._session.execute(text, values, binary=True)
        except psycopg.OperationalError:
            if not self._session.closed or self.in_transaction:
                raise
            self._session = self._connected()
            return self._session.execute(text, values, binary=True)

    def executemany(self, statement: str, rows: Iterable[Any], /) -> None:
        listed = list(rows)
        if listed:
            with self._session.cursor() as cursor:
                cursor.executemany(_marked(statement)[0], listed)

    def copy(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Append many rows to a table, named with its columns."""
        with self._session.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def give_up_after(self, seconds: float) -> None:
        """Wait no longer than that for an answer from now on."""
        self._is_silent = self._session.is_silent = lambda waited_s: waited_s > seconds

    # ------------------------------------------------------------------ transactions

    in_transaction = False
    """Whether one was begun by `begin`, and has not ended."""

    def begin(self, and_: str) -> list[tuple[Any, ...]]:
        """Begin a transaction with a few statements, all on one way to the server; gives the rows of the last one."""
        ends_at = monotonic() + self._patience_s
        while True:
            try:
                return self._begun(and_)
            except psycopg.OperationalError:
                if not self._session.closed:
                    raise
            self._connect_again(ends_at)  # nothing was begun: it can be tried again

    def _connect_again(self, ends_at: float) -> None:
        while True:
            try:
                self._session = self._connected()
            except psycopg.OperationalError:
                if monotonic() > ends_at:
                    raise
                Event().wait(_PAUSE_S)
            else:
                return

    def _begun(self, and_: str) -> list[tuple[Any, ...]]:
        self.in_transaction = True
        try:
            cursor = self._session.execute(f"BEGIN; {and_}".encode())
            while cursor.nextset():
                pass
            return cursor.fetchall()
        except BaseException:
            self.roll_back()
            raise

    def commit(self, and_: str = "SELECT") -> None:
        """End the transaction with one more statement, on one way to the server: what it wrote is kept."""
        self._session.execute(f"{and_}; COMMIT".encode())
        self.in_transaction = False

    def roll_back(self) -> None:
        """End the transaction: nothing that it wrote is kept. A connection that broke has done so itself."""
        self.in_transaction = False
        if not self._session.closed and self._session.info.transaction_status != pq.TransactionStatus.IDLE:
            try:
                self._session.execute("ROLLBACK")
            except psycopg.Error:
                self._session.close()

    @property
    def options(self) -> Mapping[str, str]:
        """What the session was made with, after the address, the environment and libpq's defaults."""
        found = ((one.keyword.decode(), one.val) for one in self._session.pgconn.info)
        return {name: value.decode() if value else "" for name, value in found}

    def close(self) -> None:
        """Close it; harmless when called twice."""
        self._session.close()

    def _connected(self) -> _Session:
        session = _Session.connect(self._address, autocommit=True, **self._how)
        if self._is_silent is not None:
            session.is_silent = self._is_silent
        settings = "; ".join(f"SET {name} TO {_quoted(name, value)}" for name, value in _SESSION.items())
        session.execute(f"{settings}; {_DURABLE}".encode())
        return session


def _quoted(name: str, value: str) -> str:
    return value if name == "search_path" else f"'{value}'"


def _bound(statement: str, values: Any) -> tuple[bytes, Any]:
    """The statement with its values marked as psycopg does, and the values: a long list of them is one array."""
    if isinstance(values, Mapping):
        return _named(statement), values
    text, sizes = _marked(statement)
    if all(size == 1 for size in sizes):
        return text, values
    left = iter(values)
    return text, [next(left) if size == 1 else list(islice(left, size)) for size in sizes]


@lru_cache(maxsize=1_024)
def _named(statement: str) -> bytes:
    return _NAMED.sub(r"%(\1)s", statement.replace("%", "%%")).encode()


@lru_cache(maxsize=1_024)
def _marked(statement: str) -> tuple[bytes, tuple[int, ...]]:
    """The marked statement, and how many values each mark takes."""
    sizes = tuple(found[0].count("?") for found in _LISTED.finditer(statement))
    text = _LISTED.sub(lambda found: "%s" if found[0] == "?" else "= ANY (%s)", statement.replace("%", "%%"))
    return text.encode(), sizes

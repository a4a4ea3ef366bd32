"""What all who send to one account agree on, in one short transaction under a lock of the account's own.

It is asked every half a second by everybody, so it waits neither for whoever writes rows nor for the disk: a server
that was started anew, or another one, has another name, by which whoever asks knows that the newest changes may be
lost. A program that stops in the middle of its transaction keeps the others waiting for a second only.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import psycopg

from importer.journal.location import Location
from importer.journal.port.shared_state import Change, LedgerTime
from importer.journal.postgres.connection import PostgresConnection

if TYPE_CHECKING:
    from importer.journal.postgres.database import PostgresDatabase

T = TypeVar("T")
_SILENT_S = 2.0
_CONNECT_S = 2
"""A way that is cut is tried again soon: it may be whole again, and nothing is sent meanwhile."""
_SHORT = (
    "SET LOCAL synchronous_commit TO off; SET LOCAL idle_in_transaction_session_timeout TO '1s';"
    " SET LOCAL lock_timeout TO '2s'"
)
_READ = (
    "SELECT extract(epoch FROM clock_timestamp())::float8, pg_postmaster_start_time()::text,"
    " (SELECT state FROM shared_sending WHERE scope = ?)"
)
_WRITE = (
    "INSERT INTO shared_sending (scope, state) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET state = excluded.state"
)


class PostgresSharedState:
    """The state of one account. Implements `port.SharedState`.

    Args:
        database: says what a failure means; its own connection is not used.
    """

    def __init__(self, database: PostgresDatabase, location: Location, scope: str) -> None:
        self._db, self._location, self._scope = database, location, scope
        number = int.from_bytes(sha256(f"sending {scope}".encode()).digest()[:8], signed=True)
        self._begin = f"{_SHORT}; SELECT pg_advisory_xact_lock({number})"
        self._session: PostgresConnection | None = None

    def change(self, change: Change[T]) -> T:
        with self._db.guarded("written"):
            try:
                return self._changed(self._connected(), change)
            except psycopg.Error:
                self.close()
                raise

    def _changed(self, session: PostgresConnection, change: Change[T]) -> T:
        session.begin(self._begin)
        try:
            now, server, before = session.execute(_READ, (self._scope,)).fetchone()
            after, answer = change(before, LedgerTime(now, server))
            if after != before:
                session.execute(_WRITE, (self._scope, after))
        except BaseException:
            session.roll_back()
            raise
        session.commit()
        return answer

    def _connected(self) -> PostgresConnection:
        if self._session is None:
            password = self._location.password()
            self._session = PostgresConnection(self._location.url, password, connect_s=_CONNECT_S)
            self._session.give_up_after(_SILENT_S)
        return self._session

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

"""Who works where, over all hosts: a lease in the database, renewed by a thread while its owner lives.

The clock is that of the database. A lease is taken over once it has expired, and only in a transaction that holds the
writers' lock; an owner that lost it, be it that its host slept, finds out in its next transaction, before it writes.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from importer.core.commands import Commands
from importer.core.errors import BusyError, JournalError, StorageError
from importer.journal.location import Location
from importer.journal.port.locks import BUSY
from importer.journal.postgres.connection import PostgresConnection
from importer.journal.postgres.errors import hint, reason
from importer.journal.postgres.migrations import WRITERS, bring_up_to_date

_RENEWED = 3
"""A lease is renewed so often in the time that it lasts."""
_HELD: defaultdict[str, set[str]] = defaultdict(set)
"""Address to the tokens of the leases that this process holds there; the process is the owner, as of a file's lock."""
_TAKE = (
    "INSERT INTO leases (scope, token, host, pid, started_at, expires)"
    " VALUES (:scope, :token, :host, :pid, :now, clock_timestamp() + make_interval(secs => :lease_s))"
    " ON CONFLICT (scope) DO UPDATE SET token = excluded.token, host = excluded.host, pid = excluded.pid,"
    " started_at = excluded.started_at, expires = excluded.expires WHERE leases.expires < clock_timestamp()"
    " RETURNING token"
)
_RENEW = "UPDATE leases SET expires = clock_timestamp() + make_interval(secs => ?) WHERE token = ?"
_OWNER = "SELECT host, pid, started_at FROM leases WHERE scope = ? AND expires >= clock_timestamp()"


def held(address: str) -> Sequence[str]:
    """The tokens of the leases that this process holds in a database."""
    return sorted(_HELD[address])


def still_ours(tokens: Sequence[str]) -> str:
    """The statement that counts those of these leases that nobody has taken over."""
    listed = ", ".join(f"'{token}'" for token in tokens) or "NULL"  # hexadecimal digits that we made
    return f"SELECT count(*) FROM leases WHERE token IN ({listed})"


def require_all(still: int, tokens: Sequence[str], place: str, commands: Commands) -> None:
    """Refuse to go on where another host went on with what this process was doing.

    Raises:
        JournalError: it did; nothing more is written or sent from here.
    """
    if still != len(tokens):
        raise JournalError(
            f"Another program has taken over in the journal {place}, since this one did not answer for too long.",
            f"Nothing more is sent from here; `{commands.runs()}` lists the runs.",
        )


class PostgresLocks:
    """The leases of one journal. Implements `port.Locks`."""

    def __init__(self, location: Location) -> None:
        self._location = location

    @contextmanager
    def hold(self, scope: str, now: float, *, busy: tuple[str, str] = BUSY) -> Iterator[None]:
        token = secrets.token_hex(16)
        with closing(self._connected()) as session:
            if not self._take(session, scope, token, now):
                what, advice = busy
                dead = f"If its host died, this is free in {self._location.lease_s:g} s at the latest."
                raise BusyError(f"{what} ({self.owner(scope) or 'it just ended'}).", f"{advice} {dead}")
            done = threading.Event()
            renewing = threading.Thread(target=self._renew, args=(token, done), name="lease", daemon=True)
            _HELD[self._location.url].add(token)
            renewing.start()
            try:
                yield
            finally:
                _HELD[self._location.url].discard(token)
                done.set()
                renewing.join()
                self._give_back(session, token)

    def owner(self, scope: str) -> str:
        found = self._found(scope)
        if found is None:
            return ""
        host, pid, started_at = found
        started = datetime.fromtimestamp(started_at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {pid} on {host}, since {started}"

    def held_since(self, scope: str) -> float | None:
        found = self._found(scope)
        return None if found is None else float(found[2])

    # ------------------------------------------------------------------ pieces

    def _found(self, scope: str) -> tuple[Any, ...] | None:
        with closing(self._connected(writes=False)) as session, self._guarded():
            found: tuple[Any, ...] | None = session.execute(_OWNER, (scope,)).fetchone()
            return found

    def _connected(self, *, writes: bool = True) -> PostgresConnection:
        with self._guarded():
            session = PostgresConnection(self._location.url, self._location.password(), writes=writes)
            bring_up_to_date(session, self._location.place)
            return session

    def _take(self, session: PostgresConnection, scope: str, token: str, now: float) -> bool:
        lease = {"scope": scope, "token": token, "host": socket.gethostname(), "pid": os.getpid(), "now": now}
        with self._guarded():
            session.begin(WRITERS)
            try:
                taken = session.execute(_TAKE, {**lease, "lease_s": float(self._location.lease_s)}).fetchone()
            except BaseException:
                session.roll_back()
                raise
            session.commit()
        return taken is not None

    def _renew(self, token: str, done: threading.Event) -> None:
        """Renew the lease until it is given back. Where it cannot be renewed, the next transaction finds out."""
        session: PostgresConnection | None = None
        lease_s = float(self._location.lease_s)
        while not done.wait(lease_s / _RENEWED):
            try:
                session = session or PostgresConnection(self._location.url, self._location.password())
                session.execute(_RENEW, (lease_s, token))
            except psycopg.Error:
                session = None
        if session is not None:
            session.close()

    def _give_back(self, session: PostgresConnection, token: str) -> None:
        try:
            session.execute("DELETE FROM leases WHERE token = ?", (token,))
        except psycopg.Error:
            return  # it expires by itself

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise StorageError(
                f"The locks of the journal {self._location.place} cannot be used: {reason(error)}.",
                hint(error),
            ) from error

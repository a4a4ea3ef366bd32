"""Who works where, over all hosts: a lease in the database, renewed by a thread while its owner lives.

The clock is that of the database. A lease is taken over once it has expired, and only in a transaction that holds the
writers' lock; an owner that lost it, be it that its host slept, finds out in its next transaction, before it writes.

A lease may be under another one, as those of the programs are that send the rows of one run. It is never valid for
longer than that; so whoever takes that one over knows that all of them are over.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from importer.core.commands import Commands
from importer.core.errors import BusyError, JournalError, StorageError
from importer.journal.location import Location
from importer.journal.port.locks import BUSY
from importer.journal.postgres import held_leases
from importer.journal.postgres.connection import PostgresConnection
from importer.journal.postgres.errors import hint, reason
from importer.journal.postgres.held_leases import HeldLease, clock_s
from importer.journal.postgres.migrations import WRITERS, bring_up_to_date

_RENEWED, _RENEWED_UNDER = 3, 6
"""So often a lease is renewed, and one under another."""
_AGAIN_S = 0.5
"""Between two tries to renew it, while that fails."""
_BRIEF = "SET LOCAL idle_in_transaction_session_timeout TO '10s'"
"""Whoever is stopped, or cut off, in the middle of it keeps the others waiting for no longer."""
_TAKE = (
    "INSERT INTO leases (scope, token, host, pid, started_at, expires)"
    " VALUES (:scope, :token, :host, :pid, :now, clock_timestamp() + make_interval(secs => :lease_s))"
    " ON CONFLICT (scope) DO UPDATE SET token = excluded.token, host = excluded.host, pid = excluded.pid,"
    " started_at = excluded.started_at, expires = excluded.expires WHERE leases.expires < clock_timestamp()"
    " RETURNING token"
)
_TAKE_UNDER = (
    "INSERT INTO leases (scope, token, host, pid, started_at, expires, under)"
    " SELECT :scope, :token, :host, :pid, :now,"
    " least(clock_timestamp() + make_interval(secs => :lease_s), above.expires), above.token"
    " FROM leases above WHERE above.scope = :under AND above.expires >= clock_timestamp() RETURNING token"
)
_RENEW = (
    "UPDATE leases SET expires = least(clock_timestamp() + make_interval(secs => :lease_s),"
    " (SELECT above.expires FROM leases above WHERE above.token = leases.under))"
    " WHERE token = :token AND (under IS NULL OR EXISTS"
    " (SELECT 1 FROM leases above WHERE above.token = leases.under AND above.expires >= clock_timestamp()))"
    " RETURNING extract(epoch FROM expires - clock_timestamp())"
)
"""Gives how long it lasts from now on, in seconds; nothing where somebody has taken it, or the one above it, over."""
_ORPHANS = "DELETE FROM leases WHERE under IS NOT NULL AND under NOT IN (SELECT token FROM leases)"
"""Whoever had a lease under one that was taken over writes nothing more."""
_GIVE_BACK = (
    "DELETE FROM leases WHERE token = :token AND NOT EXISTS"
    " (SELECT 1 FROM leases below WHERE below.under = :token AND below.expires >= clock_timestamp())"
)
_LEAVE = (
    "UPDATE leases SET expires = (SELECT max(below.expires) FROM leases below WHERE below.under = :token)"
    " WHERE token = :token AND EXISTS (SELECT 1 FROM leases below WHERE below.under = :token)"
)
"""One with others under it stays until the last of them is over: their owners may be at work."""
_OWNER = "SELECT host, pid, started_at FROM leases WHERE scope = ? AND expires >= clock_timestamp()"


def still_ours(tokens: Sequence[str]) -> str:
    """Begins a statement that counts those of these leases that nobody has taken over."""
    listed = ", ".join(f"'{token}'" for token in tokens) or "NULL"  # hexadecimal digits that we made
    return f"SELECT (SELECT count(*) FROM leases WHERE token IN ({listed}))"


def require_all(still: int, tokens: Sequence[str], place: str, commands: Commands) -> None:
    """Refuse to go on where another host went on with what this process was doing.

    Raises:
        JournalError: it did; nothing more is written or sent from here.
    """
    if still != len(tokens):
        raise taken_over(place, commands)


def taken_over(place: str, commands: Commands) -> JournalError:
    """Say that another program went on with what this one was doing."""
    return JournalError(
        f"Another program has taken over in the journal {place}, since this one did not answer for too long.",
        f"Nothing more is sent from here; `{commands.runs()}` lists the runs.",
    )


def not_renewed(place: str, commands: Commands) -> JournalError:
    """Say that a lease was over too long ago to wait for the server."""
    return JournalError(
        f"The journal {place} cannot be reached any more, and another program may go on with this run.",
        f"Nothing more is sent from here. Check that the server can be reached; `{commands.resume('last')}` goes on.",
    )


class PostgresLocks:
    """The leases of one journal. Implements `port.Locks`."""

    def __init__(self, location: Location) -> None:
        self._location = location

    @contextmanager
    def hold(self, scope: str, now: float, *, busy: tuple[str, str] = BUSY) -> Iterator[None]:
        with closing(self._connected()) as session:
            lease = self._new()
            while not self._take(session, _TAKE, lease, self._owner(scope, lease, now)):
                if who := self.owner(scope):  # else it has just ended, and this is free
                    what, advice = busy
                    dead = f"If its host died, this is free in {self._location.lease_s:g} s at the latest."
                    raise BusyError(f"{what} ({who}).", f"{advice} {dead}")
            with self._held(session, lease, _RENEWED):
                yield

    @contextmanager
    def hold_under(self, above: str, name: str, now: float) -> Iterator[str]:
        """Hold a lease that ends with the one of a scope at the latest, as one of many.

        Args:
            name: of its owner, which no other owner under that scope has.
            now: as of `hold`.

        Yields:
            Its token.

        Raises:
            BusyError: nobody holds that scope.
            StorageError: the lease cannot be made.
        """
        with closing(self._connected()) as session:
            lease = self._new()
            owner = self._owner(f"{above} {name}", lease, now)
            if not self._take(session, _TAKE_UNDER, lease, {**owner, "under": above}):
                raise BusyError("The run is not at work any more.", "Go on with it where it was started.")
            with self._held(session, lease, _RENEWED_UNDER):
                yield lease.token

    @contextmanager
    def _held(self, session: PostgresConnection, lease: HeldLease, times: int) -> Iterator[None]:
        """Renew a lease until the end of the block, this often in its time, and give it back then."""
        done = threading.Event()
        every_s = lease.lease_s / times
        renewing = threading.Thread(target=self._renew, args=(lease, done, every_s), name="lease", daemon=True)
        held_leases.hold(self._location.url, lease)
        renewing.start()
        try:
            yield
        finally:
            held_leases.let_go(self._location.url, lease)
            done.set()
            renewing.join(_AGAIN_S)  # it may wait for a server that is gone; what it renews later is gone as well
            self._give_back(session, lease)

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
            session = PostgresConnection(
                self._location.url,
                self._location.password(),
                writes=writes,
                is_silent=lambda waited_s: held_leases.is_silent(self._location.url, waited_s),
            )
            bring_up_to_date(session, self._location.place)
            return session

    def _new(self) -> HeldLease:
        return HeldLease(secrets.token_hex(16), float(self._location.lease_s), clock_s())

    @staticmethod
    def _owner(scope: str, lease: HeldLease, now: float) -> dict[str, Any]:
        return {"scope": scope, "token": lease.token, "host": socket.gethostname(), "pid": os.getpid(), "now": now}

    def _take(self, session: PostgresConnection, statement: str, lease: HeldLease, owner: Mapping[str, Any]) -> bool:
        with self._guarded():
            session.begin(f"{_BRIEF}; {WRITERS}")
            try:
                taken = session.execute(statement, {**owner, "lease_s": lease.lease_s}).fetchone()
                session.execute(_ORPHANS)
                session.commit()
            except BaseException:
                session.roll_back()
                raise
        return taken is not None

    def _renew(self, lease: HeldLease, done: threading.Event, every_s: float) -> None:
        """Renew the lease until it is given back, and try again soon where that fails."""
        session: PostgresConnection | None = None
        pause_s = every_s
        while not done.wait(pause_s):
            try:
                session = session or self._renewing(lease)
                began_s = clock_s()
                renewed = session.execute(_RENEW, {"lease_s": lease.lease_s, "token": lease.token}).fetchone()
                lease.is_lost = renewed is None
                if renewed is not None:
                    lease.renewed_s = began_s + float(renewed[0]) - lease.lease_s
                pause_s = every_s
            except psycopg.Error:
                session, pause_s = None, min(_AGAIN_S, every_s)
        if session is not None:
            session.close()

    def _renewing(self, lease: HeldLease) -> PostgresConnection:
        """A session that does not wait long for an answer."""
        session = PostgresConnection(self._location.url, self._location.password())
        session.give_up_after(lease.lease_s / _RENEWED)
        return session

    def _give_back(self, session: PostgresConnection, lease: HeldLease) -> None:
        session.give_up_after(lease.lease_s)
        try:
            session.begin(f"{_BRIEF}; {WRITERS}")  # whoever takes one under it does so before, or finds it gone
            for statement in (_GIVE_BACK, _LEAVE):
                session.execute(statement, {"token": lease.token})
            session.commit()
        except psycopg.Error:
            session.roll_back()  # it expires by itself

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise StorageError(
                f"The locks of the journal {self._location.place} cannot be used: {reason(error)}.",
                hint(error),
            ) from error

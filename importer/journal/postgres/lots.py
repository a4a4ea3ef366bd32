"""Lots of a run in PostgreSQL: whoever holds a lease takes the next one that nobody sends.

A lot is free when no lease has its token. Before one is taken, leases that are over are removed: an owner that comes
back writes nothing more then, and what it may have sent is in doubt for whoever has its lots.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from importer.core.states import RowState
from importer.journal.location import Location
from importer.journal.port.lots import Message
from importer.journal.postgres.leases import PostgresLocks
from importer.journal.sql.database import Connection
from importer.journal.sql.groups import SPEAKS

if TYPE_CHECKING:
    from importer.journal.postgres.database import PostgresDatabase

_WAITS = f"state IN ('{RowState.READY.value}', '{RowState.SENDING.value}') AND {SPEAKS}"
_DIVIDE = f"""
INSERT INTO lots (run, first, last)
SELECT :run, min(ordinal), max(ordinal) FROM (
  SELECT ordinal, (row_number() OVER (ORDER BY ordinal) - 1) / :rows AS lot FROM rows WHERE run = :run AND {_WAITS}
) AS numbered GROUP BY lot
"""
_OVER = "DELETE FROM leases WHERE under IS NOT NULL AND expires < clock_timestamp()"
_TAKE = """
UPDATE lots SET token = :lease WHERE run = :run AND first = (
  SELECT first FROM lots WHERE run = :run
  AND (token IS NULL OR NOT EXISTS (SELECT 1 FROM leases WHERE leases.token = lots.token))
  ORDER BY first LIMIT 1 FOR UPDATE SKIP LOCKED
) AND EXISTS (SELECT 1 FROM leases WHERE leases.token = :lease) RETURNING first, last
"""
_DONE = f"""
DELETE FROM lots WHERE run = :run AND token = :lease AND NOT EXISTS (
  SELECT 1 FROM rows WHERE rows.run = lots.run AND ordinal BETWEEN lots.first AND lots.last AND {_WAITS})
"""
_FENCED = "DELETE FROM leases WHERE under = (SELECT token FROM leases above WHERE above.scope = ?)"
_COUNT = "SELECT count(*) FROM lots WHERE run = ?"
_SENDERS = (
    "SELECT count(*) FROM leases JOIN leases above ON above.token = leases.under"
    " WHERE above.scope = ? AND leases.expires >= clock_timestamp()"
)
_HEARD = "DELETE FROM messages WHERE run = ? RETURNING number, sender, content"
_OF_A_DIVISION = ("lots", "messages")


class PostgresLots:
    """The lots of one run. Implements `sql.database.Lots`."""

    def __init__(self, database: PostgresDatabase, location: Location, run: int) -> None:
        self._db = database
        self._locks = PostgresLocks(location)
        self._run = run

    # ------------------------------------------------------------------ whoever divides the run

    def divide(self, rows: int) -> int:
        with self._db.transaction(brief=True) as tx:
            self._clear(tx)
            return tx.execute(_DIVIDE, {"run": self._run, "rows": rows}).rowcount

    def count(self) -> int:
        return self._number(_COUNT, self._run)

    def senders(self) -> int:
        return self._number(_SENDERS, self._scope())

    def heard(self) -> Sequence[Message]:
        with self._db.transaction(brief=True) as tx:
            found = sorted(tx.execute(_HEARD, (self._run,)).fetchall())
        return [Message(sender, content) for _, sender, content in found]

    def end(self) -> None:
        with self._db.transaction(brief=True) as tx:
            self._clear(tx)

    def _clear(self, tx: Connection) -> None:
        for table in _OF_A_DIVISION:
            tx.execute(f"DELETE FROM {table} WHERE run = ?", (self._run,))
        tx.execute(_FENCED, (self._scope(),))
        tx.execute(_OVER)

    def _number(self, question: str, value: object) -> int:
        with self._db.guarded("read"):
            (number,) = self._db.connection.execute(question, (value,)).fetchone()
        return int(number)

    # ------------------------------------------------------------------ whoever sends some of them

    def hold(self, sender: str, now: float) -> AbstractContextManager[str]:
        return self._locks.hold_under(self._scope(), sender, now)

    def take(self, tx: Connection, lease: str) -> tuple[int, int] | None:
        tx.execute(_OVER)
        found: tuple[int, int] | None = tx.execute(_TAKE, {"run": self._run, "lease": lease}).fetchone()
        return found

    def give_up_done(self, tx: Connection, lease: str) -> int:
        tx.execute(_DONE, {"run": self._run, "lease": lease})
        return int(tx.execute(_COUNT, (self._run,)).fetchone()[0])

    def say(self, tx: Connection, message: Message) -> None:
        tx.execute("INSERT INTO messages (run, sender, content) VALUES (?, ?, ?)", (self._run, *message))

    def _scope(self) -> str:
        with self._db.guarded("read"):
            (scope,) = self._db.connection.execute("SELECT scope FROM runs WHERE run = ?", (self._run,)).fetchone()
        return str(scope)

"""The rows of a run that are still to be taken, and what the scope remembers of their import keys. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from importer.core.states import RowState
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.groups import SPEAKS
from importer.journal.sql.packing import unpack_payloads, unpack_rows

_SAID = """CASE WHEN r.state IS NULL OR (r.state IN ('ready', 'invalid') AND r.doubt_since IS NULL)
 THEN 'unknown' ELSE r.state END"""
"""The state of a key by its row. A missing row, or one that was loaded again, does not prove that nothing was sent."""
_END = 2**62
"""Beyond the ordinal of every row."""
_PARAMETERS = 500  # well under SQLite's limit of bound variables in old builds (999)


class Waiting(NamedTuple):
    """A row that may be claimed, before its import key was looked up."""

    ordinal: int
    row: int
    key: str
    external_id: str
    payload: bytes
    in_doubt: bool
    doubt_since: float | None
    attempts: int


class Known(NamedTuple):
    """What the scope remembers of an import key."""

    state: str
    customer_id: str
    since: float
    body: str


class Backlog:
    """The rows of one run still to be taken, in their order.

    Args:
        first, last: ordinals: only rows of this stretch; None: to the end.
    """

    def __init__(self, database: Database, run: int, first: int = 0, last: int | None = None) -> None:
        self._db = database
        self._run = run
        self._first, self._last = first, _END if last is None else last
        self._rows = self._waiting()

    def take(self, count: int) -> list[Waiting]:
        """The next rows, up to this many; empty when none is left."""
        return [row for _, row in zip(range(count), self._rows, strict=False)]

    def _waiting(self) -> Iterator[Waiting]:
        """Rows in doubt come last: they need looks spread over time, and meanwhile that time passes by itself."""
        in_doubt = self._ordinals_in_doubt()
        yield from self._waiting_in(RowState.READY)
        yield from self._waiting_in(RowState.SENDING, among=in_doubt)

    def _ordinals_in_doubt(self) -> frozenset[int]:
        """What an earlier pass left behind: taken down before this pass marks rows of its own."""
        found = self._db.connection.execute(
            "SELECT ordinal FROM rows WHERE run = ? AND state = ? AND ordinal BETWEEN ? AND ?",
            (self._run, RowState.SENDING.value, self._first, self._last),
        )
        return frozenset(ordinal for (ordinal,) in found)

    def _waiting_in(self, state: RowState, among: frozenset[int] | None = None) -> Iterator[Waiting]:
        after = self._first - 1
        while True:
            batch = self._db.connection.execute(
                "SELECT first, length, rows, payloads FROM batches WHERE run = ? AND first + length > ("
                f" SELECT ordinal FROM rows WHERE run = ? AND state = ? AND ordinal > ? AND ordinal <= ? AND {SPEAKS}"
                " ORDER BY ordinal LIMIT 1)"
                " ORDER BY first LIMIT 1",
                (self._run, self._run, state.value, after, self._last),
            ).fetchone()
            if batch is None:
                return
            first, length, numbers, blob = batch
            rows, payloads = unpack_rows(numbers), unpack_payloads(blob)
            found = self._db.connection.execute(
                "SELECT ordinal, key, coalesce(external_id, ''), doubt_since, attempts FROM rows"
                f" WHERE run = ? AND state = ? AND ordinal >= ? AND ordinal <= ? AND {SPEAKS} ORDER BY ordinal",
                (self._run, state.value, max(first, self._first), min(first + length - 1, self._last)),
            ).fetchall()
            in_doubt = state is RowState.SENDING
            for ordinal, key, external_id, since, attempts in found:
                if among is not None and ordinal not in among:
                    continue
                i = ordinal - first
                yield Waiting(ordinal, rows[i], key, external_id, payloads[i], in_doubt, since, attempts)
            after = first + length - 1


class LotsOfRows:
    """The rows of the lots that one program takes, lot by lot. Asked in transactions that write.

    Args:
        lease: under which it takes them.
    """

    def __init__(self, database: Database, run: int, lease: str) -> None:
        self._db = database
        self._run = run
        self._lots, self._lease = database.lots(run), lease
        self._lot: Backlog | None = None

    def take(self, count: int) -> list[Waiting]:
        """As `Backlog.take`; empty also where others have what is left."""
        taken: list[Waiting] = []
        while len(taken) < count and (lot := self._current()) is not None:
            found = lot.take(count - len(taken))
            taken += found
            if not found:
                self._lot = None
        return taken

    def _current(self) -> Backlog | None:
        if self._lot is None:
            stretch = self._lots.take(self._db.connection, self._lease)
            self._lot = Backlog(self._db, self._run, *stretch) if stretch else None
        return self._lot


def with_memory(tx: Connection, scope: str, rows: Sequence[Waiting]) -> Iterator[tuple[Waiting, Known | None]]:
    """Rows with what a scope remembers of their import keys."""
    memory: dict[str, Known] = {}
    for start in range(0, len(rows), _PARAMETERS):
        keys = [row.key for row in rows[start : start + _PARAMETERS]]
        marks = ",".join("?" * len(keys))
        for key, *known in tx.execute(
            f"SELECT i.key, {_SAID}, coalesce(r.customer_id, ''), i.since, coalesce(i.body, '')"
            " FROM identities i LEFT JOIN rows r ON r.run = i.run AND r.ordinal = i.ordinal"
            f" WHERE i.scope = ? AND i.key IN ({marks})",
            (scope, *keys),
        ):
            memory[key] = Known(*known)
    return ((row, memory.get(row.key)) for row in rows)

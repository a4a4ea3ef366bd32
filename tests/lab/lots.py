"""The journal that the workers of the lab share, in memory: lots, leases and marks as the real one keeps them.

What it does is what `importer.journal.postgres.lots` promises: a lot is one worker's while that one's lease lasts;
whoever takes it over finds the rows in doubt that may have been sent; an owner that comes back writes nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from importer.core.errors import JournalError
from importer.core.outcomes import Claimed, Outcome, Record
from importer.core.states import RowState

LEASE_S = 6.0
RENEWED_S = LEASE_S / 3
TRUSTED_S = LEASE_S * 2 / 3


@dataclass(slots=True)
class _Lot:
    first: int
    last: int
    left: int
    owner: str


@dataclass(slots=True)
class _Row:
    payload: bytes
    lot: _Lot
    state: RowState = RowState.READY
    marked_by: str = ""
    marked_at: float = 0.0
    outcome: Outcome | None = None


@dataclass(slots=True)
class Lots:
    """The rows of a run, in lots.

    Args:
        now: seconds, by the clock of the database, which is the target's as well.
        payload: what is sent of a row, by its number.

    Attributes:
        is_endless: whether there is another lot whenever one is asked for; set it to False for the run to end.
    """

    now: Callable[[], float]
    payload: Callable[[int], bytes]
    rows_of_lot: int
    is_endless: bool = True
    rows: list[_Row] = field(default_factory=list)
    resent: set[int] = field(default_factory=set)
    """Rows that were sent again although a create of them may have arrived."""
    taken_over: int = 0
    _lots: list[_Lot] = field(default_factory=list)
    _leases: dict[str, float] = field(default_factory=dict)

    @property
    def left(self) -> bool:
        """Whether a row has not ended."""
        return self.is_endless or any(lot.left for lot in self._lots)

    def counts(self) -> Counter[str]:
        """How many rows ended in each way."""
        return Counter(row.outcome.state.value for row in self.rows if row.outcome is not None)

    # ------------------------------------------------------------------ leases

    def renew(self, worker: str, *, first: bool = False) -> None:
        """Renew a lease.

        Raises:
            JournalError: it is over; others may have taken the worker's lots.
        """
        if not first:
            self.require(worker)
        self._leases[worker] = self.now() + LEASE_S

    def require(self, worker: str) -> None:
        """Refuse a worker whose lease is over; errors as of `renew`."""
        if self._leases.get(worker, 0.0) < self.now():
            self._leases.pop(worker, None)
            raise JournalError("Another program has taken over.")

    def give_back(self, worker: str) -> None:
        """End a lease."""
        self._leases.pop(worker, None)

    # ------------------------------------------------------------------ rows

    def claim(self, worker: str, limit: int) -> Claimed:
        """Take rows of the worker's lots, those in doubt last, or of one more lot; errors as of `renew`."""
        self.require(worker)
        self._lots = [lot for lot in self._lots if lot.left]
        while True:
            ready = [one for lot in self._lots if lot.owner == worker for one in self._waiting(lot, worker)]
            if ready or not self._take(worker):
                return Claimed(tuple(self._mark(ordinal, worker) for ordinal in ready[:limit]))

    def settle(self, worker: str, outcome: Outcome) -> None:
        """Record how a row ended; errors as of `renew`."""
        self.require(worker)
        row = self.rows[outcome.ordinal]
        assert row.outcome is None, f"row {outcome.ordinal} is settled twice"
        row.state, row.outcome = outcome.state, outcome
        row.lot.left -= 1

    def sends_again(self, worker: str, ordinal: int) -> None:
        """Keep that a row in doubt is sent again; errors as of `renew`."""
        self.require(worker)
        self.resent.add(ordinal)

    def _waiting(self, lot: _Lot, worker: str) -> list[int]:
        rows = {ordinal: self.rows[ordinal] for ordinal in range(lot.first, lot.last)}
        ready = [ordinal for ordinal, row in rows.items() if row.state is RowState.READY]
        sending = (ordinal for ordinal, row in rows.items() if row.state is RowState.SENDING)
        return ready + [ordinal for ordinal in sending if rows[ordinal].marked_by != worker]

    def _take(self, worker: str) -> bool:
        now = self.now()
        for lot in self._lots:
            if lot.owner != worker and self._leases.get(lot.owner, 0.0) < now:
                self._leases.pop(lot.owner, None)
                self.taken_over += 1
                lot.owner = worker
                return True
        if self.is_endless:
            self._lots.append(self._further(worker))
        return self.is_endless

    def _further(self, worker: str) -> _Lot:
        first = len(self.rows)
        lot = _Lot(first, first + self.rows_of_lot, self.rows_of_lot, worker)
        self.rows += [_Row(self.payload(ordinal), lot) for ordinal in range(lot.first, lot.last)]
        return lot

    def _mark(self, ordinal: int, worker: str) -> Record:
        row, in_doubt = self.rows[ordinal], self.rows[ordinal].state is RowState.SENDING
        row.marked_at = row.marked_at if in_doubt else self.now()
        row.state, row.marked_by = RowState.SENDING, worker
        since = row.marked_at if in_doubt else None
        return Record(ordinal, ordinal + 2, f"{ordinal:032x}", row.payload, in_doubt=in_doubt, doubt_since=since)

"""The second look: rows that were sent more than once are looked at again, some time after their last send.

An earlier create may have arrived late, when its row had been sent again already: then the target holds two customers
of one row. Nothing here sends anything. A row stays on the list until a look has come late enough, so that `retry`,
`show` and the next night look again as well.

Two rows, of one run or of several, that were answered with one customer are found here, too: at most one of them can
be it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from importer.core.events import Event
from importer.core.outcomes import FieldError, Found, Outcome, Record, Resent
from importer.core.ports import Engine, Events, ResentRows
from importer.core.states import RowState
from importer.delivery.asking import Asking
from importer.delivery.attempts import Attempts
from importer.delivery.matching import Match
from importer.delivery.reconcile import CLOCKS_S, duplicated, forms_of
from importer.delivery.stamps import Stamps

WATCHED_S = 3_600.0
"""A look so long after a row's last send is its last one."""

_HAS_A_CUSTOMER = frozenset({RowState.CREATED, RowState.EXISTING})


class _Answer(NamedTuple):
    """What the target says of one row.

    Args:
        found: to each form that the row may have been sent in.
        at: when that was, seconds since the epoch.
    """

    attempts: Attempts
    found: Sequence[tuple[Record, Found]]
    at: float


@dataclass(frozen=True, slots=True)
class SecondLooks:
    """Looks at rows that have ended.

    Args:
        stamps: what the pass has learned of the target.
        after_s: how long after a row's last send it is looked at, at least, in seconds.
        engine: looks at many rows at once.
    """

    asking: Asking
    resent_rows: ResentRows
    stamps: Stamps
    after_s: float
    engine: Engine
    emit: Events

    async def run(self, *, waits: bool = True) -> dict[str, int]:
        """Judge answers that contradict each other, then look at every row that is due; a stop ends it early.

        Args:
            waits: until the other rows are due, too.

        Returns:
            How many rows were `sent_again`, `looked_at`, and found to be `duplicated`; {} when there were none.

        Raises:
            JournalError: the journal cannot be written.
        """
        for customer_id, ordinals in await self.resent_rows.shared_customers():
            await self._doubt_all(customer_id, ordinals)
        rows = await self.resent_rows.resent()
        if not rows:
            return {}
        self.emit(Event("looking_again", {"rows": len(rows)}))
        await self._read_samples()
        looks = _Pass(self, [row for row in rows if waits or self.wait_s(row) <= 0])
        await self.engine.run(looks.take, looks.look, looks.settle)
        return {"sent_again": len(rows), "looked_at": looks.looked_at, "duplicated": looks.duplicated}

    async def _read_samples(self) -> None:
        """Read back the first customers of this pass: a target may keep the metadata of one and lose another's."""
        while (sample := self.stamps.next_sample()) is not None:
            self.stamps.read(sample, await self.asking.get(sample.customer_id))

    async def _doubt_all(self, customer_id: str, ordinals: Sequence[int]) -> None:
        """At most one of these rows is this customer, and no answer says which."""
        if len(ordinals) > 1:
            message = f"{len(ordinals)} rows were answered with the customer {customer_id}; at most one of them is it."
        else:
            message = f"This row was answered with the customer {customer_id}, and so was a row of another run."
        error = FieldError(path="", code="same_customer", message=message)
        for ordinal in ordinals:
            found = Outcome(ordinal, "", RowState.UNKNOWN, errors=(error,), candidates=(customer_id,))
            await self.resent_rows.amend(found)

    def wait_s(self, row: Resent) -> float:
        """How long the row's look has to wait; never longer than after a send right now."""
        return max(0.0, min(self.after_s, row.sent_at + self.after_s - self.asking.clock.now()))

    async def ask(self, row: Resent) -> _Answer | None:
        """Look a row up in every form that it may have been sent in; None: there was no answer to one of them."""
        attempts, answers = Attempts(row.record), list[tuple[Record, Found]]()
        for form in forms_of(row.record):
            found = await self.asking.find(attempts, form)
            if found.failure is not None:
                return None
            answers.append((form, found))
        return _Answer(attempts, answers, self.asking.clock.now())

    async def judge(self, row: Resent, answer: _Answer) -> Sequence[str]:
        """Record what is new about a row; returns the ids of its customers."""
        attempts = answer.attempts
        stamped, equal = dict[str, None](), dict[str, None]()
        for form, found in answer.found:
            kept = self._keeps_stamps(row, found)
            match = self.stamps.matcher.compare(form, found.candidates, loses_metadata=not kept)
            stamped |= dict.fromkeys(one.customer_id for one in match.stamped)
            equal |= dict.fromkeys([] if kept else await self._equal(row, match))
        own = [row.customer_id] if row.state in _HAS_A_CUSTOMER and row.customer_id else []
        ids = tuple(dict.fromkeys([*own, *stamped, *equal]))
        if len(ids) > 1:
            await self.resent_rows.amend(attempts.fail(RowState.UNKNOWN, duplicated(ids), candidates=ids))
        elif len(stamped) == 1 and row.state not in _HAS_A_CUSTOMER:
            await self.resent_rows.amend(attempts.end(RowState.CREATED, customer_id=ids[0]))
        if answer.at - row.sent_at >= WATCHED_S:
            await self.resent_rows.looked_at_last(row.record)
        return ids

    def _keeps_stamps(self, row: Resent, found: Found) -> bool:
        """Whether a customer without our stamp cannot be ours, by the row's own customer and by all that were seen."""
        for one in found.candidates:
            if one.customer_id == row.customer_id:
                self.stamps.saw(kept=self.stamps.matcher.bears(one, row.record.key))
        return self.stamps.kept is True

    async def _equal(self, row: Resent, match: Match) -> list[str]:
        """Customers with the row's data that appeared since its first send and belong to no other row."""
        since = row.record.doubt_since
        young = [
            one.customer_id
            for one in match.unstamped
            if since is not None and one.created_at is not None and one.created_at >= since - CLOCKS_S
        ]
        return [one for one in young if not await self.resent_rows.owned_by_another(one, row.record)]


class _Pass:
    """One pass over rows that were sent again: many are asked for at once, and judged one by one, in their order.

    What one answer shows of the target decides how those after it are judged: verdicts do not depend on which answer
    comes first. One that comes before its turn is kept for it; a process that dies meanwhile asks for it again.

    Args:
        rows: the earliest send first.

    Attributes:
        looked_at: rows that were judged.
        duplicated: rows of which the target holds several customers.
    """

    def __init__(self, looks: SecondLooks, rows: Iterable[Resent]) -> None:
        self._looks = looks
        self._rows = deque(enumerate(rows))
        self._answers: dict[int, tuple[Resent, _Answer | None]] = {}
        self._next = 0
        self._judging = asyncio.Lock()
        self.looked_at = self.duplicated = 0

    async def take(self, limit: int) -> Sequence[tuple[int, Resent]]:
        """Wait until a row is due, and give those that are."""
        if not self._rows:
            return ()
        await self._looks.asking.rest(self._looks.wait_s(self._rows[0][1]))
        if self._looks.asking.stop.requested:
            return ()
        due = [self._rows.popleft()]
        while self._rows and len(due) < limit and self._looks.wait_s(self._rows[0][1]) <= 0:
            due.append(self._rows.popleft())
        return due

    async def look(self, task: tuple[int, Resent]) -> None:
        """Ask for one row, unless the run stops, and judge every row whose turn it is with that."""
        number, row = task
        stops = self._looks.asking.stop.requested
        self._answers[number] = row, None if stops else await self._looks.ask(row)
        async with self._judging:
            while self._next in self._answers:
                await self._judge(*self._answers.pop(self._next))
                self._next += 1

    async def _judge(self, row: Resent, answer: _Answer | None) -> None:
        if answer is not None:
            ids = await self._looks.judge(row, answer)
            self.looked_at += 1
            self.duplicated += len(ids) > 1

    def settle(self, _: None) -> None:
        """Everything about the row was recorded when it was judged."""

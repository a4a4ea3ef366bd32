"""The second look: rows that were sent more than once are looked at again, some time after their last send.

An earlier create may have arrived late, when its row had been sent again already: then the target holds two customers
of one row. Nothing here sends anything. A row stays on the list until a look has come late enough, so that `retry`,
`show` and the next night look again as well.

Two rows, of one run or of several, that were answered with one customer are found here, too: at most one of them can
be it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from importer.core.events import Event
from importer.core.outcomes import FieldError, Found, Outcome, Resent
from importer.core.ports import Events, ResentRows
from importer.core.states import RowState
from importer.delivery.asking import Asking
from importer.delivery.attempts import Attempts
from importer.delivery.matching import Match
from importer.delivery.reconcile import CLOCKS_S, duplicated, forms_of
from importer.delivery.stamps import Stamps

WATCHED_S = 3_600.0
"""A look so long after a row's last send is its last one."""

_HAS_A_CUSTOMER = frozenset({RowState.CREATED, RowState.EXISTING})


@dataclass(frozen=True, slots=True)
class SecondLooks:
    """Looks at rows that have ended.

    Args:
        stamps: what the pass has learned of the target.
        after_s: how long after a row's last send it is looked at, at least, in seconds.
    """

    asking: Asking
    resent_rows: ResentRows
    stamps: Stamps
    after_s: float
    emit: Events

    async def run(self, *, waits: bool = True) -> dict[str, int]:
        """Judge answers that contradict each other, then look at every row that is due; a stop ends it early.

        Args:
            waits: until the other rows are due, too.

        Returns:
            How many rows were `sent_again`, `looked_at`, and found to be `duplicated`; {} when there were none.
        """
        for customer_id, ordinals in await self.resent_rows.shared_customers():
            await self._doubt_all(customer_id, ordinals)
        rows = await self.resent_rows.resent()
        if not rows:
            return {}
        self.emit(Event("looking_again", {"rows": len(rows)}))
        await self._read_samples()
        looked_at = duplicates = 0
        for row in rows:
            if not waits and self._wait_s(row) > 0:
                continue
            await self.asking.rest(self._wait_s(row))
            if self.asking.stop.requested:
                break
            ids = await self._look_at(row)
            looked_at += ids is not None
            duplicates += ids is not None and len(ids) > 1
        return {"sent_again": len(rows), "looked_at": looked_at, "duplicated": duplicates}

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

    def _wait_s(self, row: Resent) -> float:
        """How long the row's look has to wait; never longer than after a send right now."""
        return max(0.0, min(self.after_s, row.sent_at + self.after_s - self.asking.clock.now()))

    async def _look_at(self, row: Resent) -> Sequence[str] | None:
        """Look at one row, and record what is new; the ids of its customers, or None without an answer."""
        attempts = Attempts(row.record)
        stamped, equal = dict[str, None](), dict[str, None]()
        for form in forms_of(row.record):
            found = await self.asking.find(attempts, form)
            if found.failure is not None:
                return None
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
        if self.asking.clock.now() - row.sent_at >= WATCHED_S:
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

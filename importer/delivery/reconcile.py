"""What became of a create without a clear answer: looked up, several times, spread over time.

Only when all looks find nothing is a row sent again: a create is not idempotent, and the list of customers may lag. Two
facts are learned here for the rest of the pass: how late this target shows customers, and whether it keeps stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from importer.core.outcomes import Candidate, FieldError, Outcome, Record
from importer.core.ports import Memory, Timekeeper
from importer.core.states import RowState
from importer.delivery.asking import Asking
from importer.delivery.attempts import Attempts
from importer.delivery.matching import Match
from importer.delivery.stamps import Stamps

CLOCKS_S = 2.0
"""The times of two machines may differ by so much, although it is known how far their clocks are apart."""

LATER = 2.0
"""Looks end at this many times the latest arrival that was seen."""
LONGEST_S = 600.0
"""Nothing that was seen makes looks end later than this."""


class Looks:
    """The times of the looks, in seconds after the end of the request that left the doubt.

    Args:
        times_s: ascending; empty: never.

    Attributes:
        latest_s: how late a customer was seen to appear at most, in seconds; 0: none was late.
    """

    def __init__(self, times_s: Sequence[float]) -> None:
        self._times_s = tuple(times_s)
        self.latest_s = 0.0

    @property
    def times_s(self) -> tuple[float, ...]:
        """All of them, with the one that was added for late arrivals."""
        end_s = min(self.latest_s * LATER, LONGEST_S)
        if not self._times_s or end_s <= self._times_s[-1]:
            return self._times_s
        return (*self._times_s, end_s)

    def after(self, time_s: float) -> float | None:
        """The first one later than a time; None: that was the last."""
        return next((one for one in self.times_s if one > time_s), None)

    def arrived(self, after_s: float) -> None:
        """Learn that a customer was found so long after its request ended, and that an earlier look missed it."""
        self.latest_s = max(self.latest_s, after_s)


class Reconcile:
    """Finds out what became of rows in doubt; one object serves all workers.

    Args:
        memory: what the journal knows of rows in doubt.
        worker_released: held while a row only waits for its next look.
        takes_others: a row that is refused as duplicate is the customer with other data that is found.
    """

    def __init__(
        self,
        asking: Asking,
        stamps: Stamps,
        memory: Memory,
        worker_released: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        *,
        takes_others: bool = False,
    ) -> None:
        self._takes_others = takes_others
        self.looks = Looks(asking.patience.looks_after_s)
        self._asking = asking
        self._stamps = stamps
        self._memory = memory
        self._worker_released = worker_released
        self._clock = asking.clock
        self._stop = asking.stop
        self._adopted: set[str] = set()
        self._began_s = asking.clock.monotonic()
        """Whatever an earlier pass sent was sent before this moment."""

    async def __call__(self, attempts: Attempts) -> Outcome | None:
        """Find out what became of a row in doubt; None when it is certain enough that it was not created."""
        since, due_s = self._first_look(attempts)
        looked = False
        while due_s is not None:
            await self._wait_until(since + due_s)
            outcome = await self._looked_up(attempts)
            if outcome is not None:
                if looked and outcome.customer_id:
                    self.looks.arrived(self._clock.monotonic() - since)
                return outcome
            if self._stop.requested:
                # Too few looks to be sure, and no time for more: the next pass looks again.
                return attempts.fail(RowState.UNKNOWN, NOT_ENOUGH_LOOKS)
            due_s, looked = self.looks.after(due_s), True
        return None

    async def _looked_up(self, attempts: Attempts) -> Outcome | None:
        """Look once for everything that may have been sent of a row; None when none of it is there."""
        for form in forms_of(attempts.record):
            found = await self._asking.find(attempts, form)
            if found.failure is not None:
                return attempts.fail(RowState.UNKNOWN)
            result = self._compared(form, found.candidates)
            outcome = _proved(attempts, result) or await self._likely(attempts, form, found.candidates)
            if outcome is not None:
                return self._with_fix_not_sent(outcome, attempts.record, found.candidates)
        return None

    def _with_fix_not_sent(self, outcome: Outcome, record: Record, candidates: Sequence[Candidate]) -> Outcome:
        """Warn where the customer was created from the row as it was before it came back fixed."""
        found = [one for one in candidates if one.customer_id == outcome.customer_id]
        if not record.earlier or not found or self._compared(record, found).same:
            return outcome
        return outcome._replace(warnings=(*outcome.warnings, _FIX_NOT_SENT))

    def _first_look(self, attempts: Attempts) -> tuple[float, float | None]:
        """Since when looks count, and when the first one is due after that.

        Time that has passed since an earlier pass died need not pass again.
        """
        now = self._clock.monotonic()
        if attempts.creates or attempts.spared:
            return now, self.looks.after(-1.0)
        if not self.looks.times_s:
            return now, None
        return self._began_s, now - self._began_s

    async def _wait_until(self, moment: float) -> None:
        """Wait for a look's time, while other rows go on."""
        delay_s = moment - self._clock.monotonic()
        if delay_s > 0:
            async with self._worker_released():
                await self._asking.rest(delay_s)

    async def duplicate(self, attempts: Attempts) -> Outcome:
        """The API says that such a customer exists: find it and compare."""
        since, due_s, different = self._clock.monotonic(), self.looks.after(-1.0), None
        while due_s is not None and different is None:
            await self._wait_until(since + due_s)
            found = await self._asking.find(attempts)
            if found.failure is not None:
                break
            result = self._compared(attempts.record, found.candidates)
            outcome = _proved(attempts, result) or _existing(attempts, result)
            if outcome is not None:
                return outcome
            different = result if result.different else None
            due_s = self.looks.after(due_s)
        if self._takes_others and different is not None and len(different.different) == 1:
            return attempts.end(RowState.EXISTING, customer_id=different.different[0][0].customer_id)
        if different is None and attempts.in_doubt:  # the customer that is in the way may well be ours
            return attempts.fail(RowState.UNKNOWN)
        return attempts.fail(RowState.REJECTED, *(_differences(different) if different else ()))

    def _compared(self, record: Record, candidates: Sequence[Candidate]) -> Match:
        match = self._stamps.matcher.compare(record, candidates, loses_metadata=self._stamps.kept is False)
        if match.stamped:
            self._stamps.found()
        return match

    async def _likely(self, attempts: Attempts, form: Record, candidates: Sequence[Candidate]) -> Outcome | None:
        """Judge equal customers without a stamp, where the target may have lost it: one may be this very row's.

        It is taken for ours when it is the only one, it was created since the request, and no other row has it.
        """
        possible = self._stamps.matcher.compare(form, candidates, loses_metadata=True).unstamped
        if not possible or (not attempts.record.sent_unstamped and await self._keeps_stamps()):
            return None
        since = attempts.since(self._server_ahead_s())
        young = [one for one in possible if _may_be_younger(one, since)]
        if not young:
            return None
        (first, *others) = young
        dated = since is not None and first.created_at is not None
        if dated and not others and first in self._compared(form, young).unstamped and await self._is_free(first):
            return _ours(attempts, first.customer_id)
        return attempts.fail(RowState.UNKNOWN, _NO_PROOF, candidates=_ids(young))

    async def _keeps_stamps(self) -> bool:
        """Whether a customer without our stamp cannot be ours; the first ones that were created are read back once."""
        while (sample := self._stamps.next_sample()) is not None:
            self._stamps.read(sample, await self._asking.get(sample.customer_id))
        return self._stamps.kept is True

    async def _is_free(self, candidate: Candidate) -> bool:
        """Whether no other row has this customer; it is taken with that."""
        owned = await self._memory.has_owner(candidate.customer_id)
        if owned or candidate.customer_id in self._adopted:
            return False
        self._adopted.add(candidate.customer_id)
        return True

    def _server_ahead_s(self) -> float | None:
        return self._asking.target.server_ahead_s if isinstance(self._asking.target, Timekeeper) else 0.0


_FIX_NOT_SENT = FieldError(
    path="",
    code="fix_not_sent",
    message="The customer was created from the row as it was before it came back; what was fixed since was not sent.",
)
_NO_PROOF = FieldError(
    path="",
    code="several_candidates",
    message="Customers with this row's data are at the target, without its import key; compare them by hand.",
)
NOT_ENOUGH_LOOKS = FieldError(
    path="",
    code="stopped_in_doubt",
    message="The run stopped before it was known whether this customer was created; a resume looks it up again.",
)


def forms_of(record: Record) -> list[Record]:
    """Everything that may have been sent of a row, what was sent first before what it is now."""
    earlier = [
        record._replace(key=form.key, external_id=form.external_id, payload=form.payload) for form in record.earlier
    ]
    return [*earlier, record]


def _proved(attempts: Attempts, result: Match) -> Outcome | None:
    """The outcome, where stamps prove one."""
    if len(result.stamped) == 1:
        return _ours(attempts, result.stamped[0].customer_id)
    if result.stamped:
        return attempts.fail(RowState.UNKNOWN, duplicated(_ids(result.stamped)), candidates=_ids(result.stamped))
    return None


def _ours(attempts: Attempts, customer_id: str) -> Outcome:
    """Created by this run, where it sent the row; else by an earlier one."""
    state = RowState.CREATED if attempts.may_have_created else RowState.EXISTING
    return attempts.end(state, customer_id=customer_id)


def _may_be_younger(candidate: Candidate, since: float | None) -> bool:
    return since is None or candidate.created_at is None or candidate.created_at >= since - CLOCKS_S


def duplicated(customer_ids: Sequence[str]) -> FieldError:
    """What is wrong with a row of which the target holds more than one customer."""
    message = (
        f"The target holds {len(customer_ids)} customers of this row: {', '.join(customer_ids)}. Keep one of them."
    )
    return FieldError(path="", code="duplicated_at_target", message=message)


def _existing(attempts: Attempts, result: Match) -> Outcome | None:
    """After a refusal as duplicate: a customer with the same data is the one."""
    if len(result.same) == 1:
        return attempts.end(RowState.EXISTING, customer_id=result.same[0].customer_id)
    if result.same:
        return attempts.fail(
            RowState.UNKNOWN if attempts.in_doubt else RowState.REJECTED,
            FieldError(path="", code="several_existing", message="Several customers with this data exist already."),
            candidates=_ids(result.same),
        )
    return None


def _differences(result: Match) -> list[FieldError]:
    customer, fields = result.different[0]
    return [
        FieldError(
            path=name,
            code="differs_from_existing",
            message=f"The customer {customer.customer_id} exists under this reference with another value here.",
        )
        for name in fields
    ]


def _ids(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(candidate.customer_id for candidate in candidates)

"""One record, delivered: send, judge, retry, look up, until it has an outcome.

The rule that everything here serves: a create whose fate is not known is looked up before anything
else happens to its row, and only when several looks, spread over time, find nothing is it sent again
(rocketkor-api.md, sections 6 and "Consequences": POST is not idempotent, and the list may lag).
A row that was once in doubt never ends `failed`, `unsent` or `rejected` by a plain refusal: all mean that no customer
was created, and its first create may arrive later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from importer.core.errors import StoppingError
from importer.core.outcomes import Candidate, FieldError, Outcome, Record, Reply, Verdict
from importer.core.ports import Clock, Finder, Memory, Target, Timekeeper
from importer.core.states import RowState
from importer.delivery.asking import Asking, Pool
from importer.delivery.attempts import Attempts
from importer.delivery.backoff import Backoff
from importer.delivery.looks import Looks
from importer.delivery.matching import Match, compare_with
from importer.delivery.stamps import Stamps
from importer.delivery.stops import Thresholds

CLOCKS_S = 2.0
"""By so much the moments that two machines tell may differ, though it is known how far their clocks are apart."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long.

    Args:
        max_attempts: creates that may be tried for one row in one pass, and tries of one look-up.
        looks_after_s: when a row in doubt is looked up: seconds after the end of the request that left the doubt.
        stamp: the metadata name of the import key; empty when creates are not stamped.
        backoff: draws the pauses between tries.
        max_spared: tries on top that are not the row's own doing: refused to everybody (429, 503), or made while
            the target was down. What bounds them in time is the breaker.
    """

    max_attempts: int
    looks_after_s: Sequence[float]
    stamp: str
    backoff: Backoff
    max_spared: int = 100


class OtherSide(Target, Finder, Protocol):
    """A target that can also look customers up."""


class Deliver:
    """Turns records into outcomes; one object serves all workers. Implements `ports.Deliver`.

    Args:
        memory: what the journal knows of rows in doubt.
        aside: held while a row only waits for its next look (`ports.Engine.aside`): others go on meanwhile.
    """

    def __init__(
        self,
        other_side: OtherSide,
        patience: Patience,
        *,
        pool: Pool,
        memory: Memory,
        thresholds: Thresholds,
        clock: Clock,
        aside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._other_side = other_side
        self._patience = patience
        self._memory = memory
        self._thresholds = thresholds
        self._stop = thresholds.stop
        self._clock = clock
        self._aside = aside
        self.asking = Asking(
            other_side, patience.max_attempts, patience.max_spared, patience.backoff, pool, self._stop, clock
        )
        self.looks = Looks(patience.looks_after_s)
        self.stamps = Stamps(patience.stamp)
        self._adopted: set[str] = set()
        self._began_s = clock.monotonic()
        """Whatever an earlier pass sent was sent before this moment."""

    async def __call__(self, record: Record) -> Outcome:
        """Deliver one record; cancellation leaves it in doubt."""
        attempts = Attempts(record)
        if record.known_id:
            return self._settled(await self._verify(attempts))
        outcome = await self._reconcile(attempts) if record.in_doubt else None
        while outcome is None:
            outcome = await self._try(attempts)
        return self._settled(outcome)

    def _settled(self, outcome: Outcome) -> Outcome:
        self._thresholds.settled(outcome)
        return outcome

    # ------------------------------------------------------------------ sending

    async def _try(self, attempts: Attempts) -> Outcome | None:
        """One create and what follows from it; None when it may be tried again."""
        if self._stop.requested:
            return _unsent(attempts)
        if attempts.creates >= self._patience.max_attempts or attempts.spared >= self._patience.max_spared:
            return attempts.fail(RowState.UNKNOWN if attempts.in_doubt else RowState.FAILED)
        try:
            reply = await self._send(attempts)
        except StoppingError:
            return _unsent(attempts)
        return await self._conclude(attempts, reply)

    async def _conclude(self, attempts: Attempts, reply: Reply) -> Outcome | None:
        outcome: Outcome | None = None
        match reply.verdict:
            case Verdict.ACCEPT:
                if not reply.warnings:
                    self.stamps.created(attempts.record.key, reply.customer_id)
                outcome = attempts.end(RowState.CREATED, customer_id=reply.customer_id)
            case Verdict.REJECT:
                outcome = attempts.refused()
            case Verdict.DUPLICATE:
                outcome = await self._duplicate(attempts)
            case Verdict.IN_DOUBT:
                outcome = await self._reconcile(attempts)
            case Verdict.ABORT:
                self._stop.request("access", reply.message)
                outcome = attempts.fail(RowState.UNKNOWN if attempts.in_doubt else RowState.UNSENT)
            case Verdict.RETRY:
                await self._wait_for_another_try(attempts, reply)
        return outcome

    async def _send(self, attempts: Attempts) -> Reply:
        if attempts.in_doubt:
            await self._memory.sends_again(attempts.record)
        started_at, started = self._clock.now(), self._clock.monotonic()
        reply = await self._other_side.send(attempts.record)
        duration_s = self._clock.monotonic() - started
        spared = self.asking.is_spared(reply)
        self.asking.answered("create", reply, duration_s)
        attempts.add("create", reply, started_at=started_at, duration_s=duration_s, spared=spared)
        return reply

    async def _wait_for_another_try(self, attempts: Attempts, reply: Reply) -> None:
        """What the server says to everybody holds the whole pool already; anything else holds this row."""
        if reply.shared and reply.retry_after_s is None:
            await self.asking.rest(self._patience.backoff.pause_s(attempts.spared))
        if self.asking.is_spared(reply) or reply.retry_after_s is not None:
            return
        if attempts.creates < self._patience.max_attempts:
            await self.asking.rest(self._patience.backoff.pause_s(attempts.creates))

    # ------------------------------------------------------------------ looking up

    async def _reconcile(self, attempts: Attempts) -> Outcome | None:
        """Find out what became of a row in doubt; None when it is certain enough that it was not created."""
        since, due_s, looked = self._first_look(attempts)
        while due_s is not None:
            await self._wait_until(since + due_s)
            outcome = await self._looked_up(attempts)
            if outcome is not None:
                if looked and outcome.customer_id:
                    self.looks.arrived(self._clock.monotonic() - since)
                return outcome
            if self._stop.requested:
                # Too few looks to be sure, and no time for more: the next pass looks again.
                return attempts.fail(RowState.UNKNOWN, _NOT_ENOUGH_LOOKS)
            due_s, looked = self.looks.after(due_s), True
        return None

    async def _looked_up(self, attempts: Attempts) -> Outcome | None:
        """Look once for everything that may have been sent of a row; None when none of it is there."""
        for form in forms_of(attempts.record):
            found = await self.asking.find(attempts, form)
            if found.trouble is not None:
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

    def _first_look(self, attempts: Attempts) -> tuple[float, float | None, bool]:
        """Since when looks count, when the first is due after that, and whether one was made before it.

        Time that has passed since an earlier pass died need not pass again.
        """
        now = self._clock.monotonic()
        if attempts.creates or attempts.spared:
            return now, self.looks.after(-1.0), False
        if not self.looks.times_s:
            return now, None, False
        return self._began_s, now - self._began_s, False

    async def _wait_until(self, moment: float) -> None:
        """Wait for a look's time in nobody's way."""
        delay_s = moment - self._clock.monotonic()
        if delay_s > 0:
            async with self._aside():
                await self.asking.rest(delay_s)

    async def _verify(self, attempts: Attempts) -> Outcome:
        """Ask whether a customer of an earlier run is still there; it is never sent."""
        if self._stop.requested:
            return attempts.end(RowState.UNSENT)
        found = await self.asking.find(attempts)
        known_id = attempts.record.known_id
        if found.trouble is not None:
            return attempts.fail(RowState.UNKNOWN, _NOT_VERIFIED, candidates=(known_id,))
        if any(one.customer_id == known_id for one in found.candidates):
            return attempts.end(RowState.EXISTING, customer_id=known_id)
        return attempts.fail(RowState.UNKNOWN, _GONE, candidates=(known_id,))

    async def _duplicate(self, attempts: Attempts) -> Outcome:
        """The API says that such a customer exists: find it and compare."""
        since, due_s, different = self._clock.monotonic(), self.looks.after(-1.0), None
        while due_s is not None and different is None:
            await self._wait_until(since + due_s)
            found = await self.asking.find(attempts)
            if found.trouble is not None:
                break
            result = self._compared(attempts.record, found.candidates)
            outcome = _proved(attempts, result) or _existing(attempts, result)
            if outcome is not None:
                return outcome
            different = result if result.different else None
            due_s = self.looks.after(due_s)
        if different is None and attempts.in_doubt:  # the customer that is in the way may well be ours
            return attempts.fail(RowState.UNKNOWN)
        return attempts.fail(RowState.REJECTED, *(_differences(different) if different else ()))

    # ------------------------------------------------------------------ judging what was found

    def _compared(self, record: Record, candidates: Sequence[Candidate]) -> Match:
        match = compare_with(record, candidates, self._patience.stamp, loses_metadata=self.stamps.kept is False)
        if match.stamped:
            self.stamps.found()
        return match

    async def _likely(self, attempts: Attempts, form: Record, candidates: Sequence[Candidate]) -> Outcome | None:
        """Judge equal customers without a stamp, where the target may have lost it: one may be this very row's.

        It is taken for ours when it is the only one, it was created since the request, and no other row has it.
        """
        possible = compare_with(form, candidates, self._patience.stamp, loses_metadata=True).unstamped
        if not possible or (not attempts.record.sent_unstamped and await self._keeps_stamps()):
            return None
        since = attempts.since(self._server_ahead_s())
        young = [one for one in possible if _may_be_younger(one, since)]
        if not young:
            return None
        (first, *others) = young
        told = since is not None and first.created_at is not None
        if told and not others and first in self._compared(form, young).unstamped and await self._is_free(first):
            return _ours(attempts, first.customer_id)
        return attempts.fail(RowState.UNKNOWN, _NO_PROOF, candidates=_ids(young))

    async def _keeps_stamps(self) -> bool:
        """Whether a customer without our stamp cannot be ours; the first ones that were created are read back once."""
        while (sample := self.stamps.next_sample()) is not None:
            self.stamps.read(sample, await self.asking.get(sample.customer_id))
        return self.stamps.kept is True

    async def _is_free(self, candidate: Candidate) -> bool:
        """Whether no other row has this customer; it is taken with that."""
        owned = await self._memory.has_owner(candidate.customer_id)
        if owned or candidate.customer_id in self._adopted:
            return False
        self._adopted.add(candidate.customer_id)
        return True

    def _server_ahead_s(self) -> float | None:
        return self._other_side.server_ahead_s if isinstance(self._other_side, Timekeeper) else 0.0


_GONE = FieldError(
    path="",
    code="existing_not_found",
    message="An earlier run created this customer, and the target does not have it any more; nothing was sent.",
)
_NOT_VERIFIED = FieldError(
    path="",
    code="look_up_failed",
    message="An earlier run created this customer; whether the target still has it could not be looked up.",
)
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
_NOT_ENOUGH_LOOKS = FieldError(
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


def _unsent(attempts: Attempts) -> Outcome:
    """The run stops before another create: nothing was created, or nobody can tell yet."""
    return attempts.fail(RowState.UNKNOWN, _NOT_ENOUGH_LOOKS) if attempts.in_doubt else attempts.end(RowState.UNSENT)


def _proved(attempts: Attempts, result: Match) -> Outcome | None:
    """The outcome, where stamps prove one."""
    if len(result.stamped) == 1:
        return _ours(attempts, result.stamped[0].customer_id)
    if result.stamped:
        return attempts.fail(RowState.UNKNOWN, duplicated(_ids(result.stamped)), candidates=_ids(result.stamped))
    return None


def _ours(attempts: Attempts, customer_id: str) -> Outcome:
    """Whether this run created it or an earlier one did, only a send of this run tells."""
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

"""Delivery of one record: send, classify the answer, retry, look up, until it has an outcome.

The main rule: a create without a clear answer is looked up before anything else happens to its row (`reconcile`),
since a create is not idempotent.
A row that was once in doubt never ends `failed`, `unsent` or `rejected` by a plain refusal: all mean that no customer
was created, and its first create may arrive later.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from importer.core.errors import StoppingError
from importer.core.outcomes import FieldError, Found, Outcome, Record, Reply, Verdict
from importer.core.ports import Memory
from importer.core.states import RowState
from importer.delivery.asking import Asking
from importer.delivery.attempts import Attempts
from importer.delivery.reconcile import NOT_ENOUGH_LOOKS, Reconcile
from importer.delivery.stamps import Stamps
from importer.delivery.stops import Thresholds


class Deliver:
    """Turns records into outcomes; one object serves all workers. Implements `ports.Deliver`.

    Args:
        asking: the target, and how often it is asked.
        stamps: what is learned of the target in this pass.
        memory: what the journal knows of rows in doubt.
        worker_released: held while a row only waits for its next look, so that other rows go on
            (`ports.Engine.worker_released`).
        takes_others: as of `Reconcile`.
    """

    def __init__(
        self,
        asking: Asking,
        stamps: Stamps,
        memory: Memory,
        thresholds: Thresholds,
        worker_released: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        *,
        takes_others: bool = False,
    ) -> None:
        self.asking = asking
        self.stamps = stamps
        self.reconcile = Reconcile(asking, stamps, memory, worker_released, takes_others=takes_others)
        self._patience = asking.patience
        self._memory = memory
        self._thresholds = thresholds
        self._stop = asking.stop
        self._clock = asking.clock

    async def __call__(self, record: Record) -> Outcome:
        """Deliver one record; cancellation leaves it in doubt."""
        attempts = Attempts(record)
        if record.known_id:
            return self._settled(await self._verify(attempts))
        outcome = await self.reconcile(attempts) if record.in_doubt else None
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
                outcome = await self.reconcile.duplicate(attempts)
            case Verdict.IN_DOUBT:
                outcome = await self.reconcile(attempts)
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
        reply = await self.asking.target.send(attempts.record)
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

    async def _verify(self, attempts: Attempts) -> Outcome:
        """Ask whether a customer of an earlier run is still there; it is never sent."""
        if self._stop.requested:
            return attempts.end(RowState.UNSENT)
        found = await self.asking.find(attempts)
        known_id = attempts.record.known_id
        if found.failure is not None:
            return attempts.fail(RowState.UNKNOWN, _NOT_VERIFIED, candidates=(known_id,))
        if any(one.customer_id == known_id for one in found.candidates):
            return attempts.end(RowState.EXISTING, customer_id=known_id)
        return attempts.fail(RowState.UNKNOWN, _GONE, candidates=(known_id,))


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


def _unsent(attempts: Attempts) -> Outcome:
    """The run stops before another create: nothing was created, or that is not known yet."""
    return attempts.fail(RowState.UNKNOWN, NOT_ENOUGH_LOOKS) if attempts.in_doubt else attempts.end(RowState.UNSENT)


# --------------------------------------------------------------------------- updates


class FindOnly:
    """Turns records into outcomes; one object serves all workers. Implements `ports.Deliver`."""

    def __init__(self, asking: Asking, thresholds: Thresholds) -> None:
        self._asking = asking
        self._thresholds = thresholds

    async def __call__(self, record: Record) -> Outcome:
        """Find the customer of one record."""
        attempts = Attempts(record)
        found = await self._asking.find(attempts)
        if found.failure is not None and self._asking.stop.requested:
            return attempts.end(RowState.UNSENT)
        outcome = _ended(attempts, found)
        self._thresholds.settled(outcome)
        return outcome


def _ended(attempts: Attempts, found: Found) -> Outcome:
    if found.failure is not None and found.failure.verdict is not Verdict.REJECT:
        return attempts.fail(RowState.FAILED, _NOT_READ)
    ids = tuple(one.customer_id for one in found.candidates)
    if len(ids) > 1:
        return attempts.fail(RowState.REJECTED, _SEVERAL, candidates=ids)
    if not ids:
        return attempts.fail(RowState.REJECTED, _NONE)
    return attempts.end(RowState.EXISTING, customer_id=ids[0])


_NONE = FieldError(
    path="",
    code="no_such_customer",
    message="The account has no customer under this id or external id; nothing was sent.",
)
_SEVERAL = FieldError(
    path="",
    code="several_existing",
    message="Several customers have this external id; name one by its id. Nothing was sent.",
)
_NOT_READ = FieldError(path="", code="look_up_failed", message="The customer could not be read; nothing was sent.")

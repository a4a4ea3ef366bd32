"""One record, delivered: send, judge, retry, look up, until it has an outcome.

The rule that everything here serves: a create whose fate is not known is looked up before anything
else happens to its row, and only when several looks, spread over time, find nothing is it sent again
(rocketkor-api.md, sections 6 and "Consequences": POST is not idempotent, and the list may lag).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

from importer.delivery.backoff import Backoff
from importer.delivery.matching import Match, compare_with
from importer.delivery.stops import Thresholds
from importer.delivery.story import Story
from importer.delivery.traffic import request_done
from importer.errors import StoppingError
from importer.ports import Clock, Events, Finder, Target
from importer.records import Candidate, FieldError, Found, Outcome, Record, Reply, RowState, Verdict


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long.

    Args:
        max_attempts: creates that may be tried for one row in one pass, and tries of one look-up.
        looks_after_s: pauses before each look-up of a row in doubt, in seconds.
        stamp: the metadata name of the import key; empty when creates are not stamped.
        max_spared: tries on top that are not the row's own doing: refused to everybody (429, 503), or made while
            the target was down. What bounds them in time is the breaker.
    """

    max_attempts: int
    looks_after_s: Sequence[float]
    stamp: str
    max_spared: int = 100


class Pool(Protocol):
    """What the whole pool learns from one worker's answers (`Traffic`)."""

    @property
    def held(self) -> bool:
        """Whether the target is down for everybody."""
        ...

    def answered(self, reply: Reply, duration_s: float, kind: str) -> None:
        """Learn from one reply to a `create` or `find`; nothing starts while the pool pauses for it."""
        ...


class OtherSide(Target, Finder, Protocol):
    """A target that can also look customers up."""


class Deliver:
    """Turns records into outcomes; one object serves all workers. Implements `ports.Deliver`."""

    def __init__(
        self,
        other_side: OtherSide,
        patience: Patience,
        backoff: Backoff,
        *,
        pool: Pool,
        thresholds: Thresholds,
        clock: Clock,
        emit: Events,
    ) -> None:
        self._other_side = other_side
        self._patience = patience
        self._backoff = backoff
        self._pool = pool
        self._thresholds = thresholds
        self._stop = thresholds.stop
        self._clock = clock
        self._emit = emit
        self._began_s = clock.monotonic()
        """Whatever an earlier pass sent was sent before this moment."""

    async def __call__(self, record: Record) -> Outcome:
        """Deliver one record; cancellation leaves it in doubt."""
        story = Story(record)
        if record.known_id:
            return self._settled(await self._verify(story))
        outcome = await self._reconcile(story) if record.in_doubt else None
        while outcome is None:
            outcome = await self._try(story)
        return self._settled(outcome)

    def _settled(self, outcome: Outcome) -> Outcome:
        self._thresholds.settled(outcome)
        return outcome

    # ------------------------------------------------------------------ sending

    async def _try(self, story: Story) -> Outcome | None:
        """One create and what follows from it; None when it may be tried again."""
        if self._stop.requested:
            return story.end(RowState.UNSENT)
        if story.creates >= self._patience.max_attempts or story.spared >= self._patience.max_spared:
            return story.fail(RowState.FAILED)
        try:
            reply = await self._send(story)
        except StoppingError:
            return story.end(RowState.UNSENT)
        return await self._conclude(story, reply)

    async def _conclude(self, story: Story, reply: Reply) -> Outcome | None:
        outcome: Outcome | None = None
        match reply.verdict:
            case Verdict.ACCEPT:
                outcome = story.end(RowState.CREATED, customer_id=reply.customer_id)
            case Verdict.REJECT:
                outcome = story.fail(RowState.REJECTED)
            case Verdict.DUPLICATE:
                outcome = await self._duplicate(story)
            case Verdict.IN_DOUBT:
                outcome = await self._reconcile(story)
            case Verdict.ABORT:
                self._stop.request("access", reply.message)
                outcome = story.fail(RowState.UNSENT)
            case Verdict.RETRY:
                await self._wait_for_another_try(story, reply)
        return outcome

    async def _send(self, story: Story) -> Reply:
        started_at, started = self._clock.now(), self._clock.monotonic()
        reply = await self._other_side.send(story.record)
        duration_s = self._clock.monotonic() - started
        spared = self._is_spared(reply)
        self._answered("create", reply, duration_s)
        story.tell("create", reply, started_at=started_at, duration_s=duration_s, spared=spared)
        return reply

    def _is_spared(self, reply: Reply) -> bool:
        """Whether this try is not the row's own doing."""
        passing = reply.verdict in _PASSING
        return reply.throttled or reply.overloaded or (passing and (reply.shared or self._pool.held))

    async def _wait_for_another_try(self, story: Story, reply: Reply) -> None:
        """What the server says to everybody holds the whole pool already; anything else holds this row."""
        if reply.shared and reply.retry_after_s is None:
            await self._rest(self._backoff.pause_s(story.spared))
        if self._is_spared(reply) or reply.retry_after_s is not None:
            return
        if story.creates < self._patience.max_attempts:
            await self._rest(self._backoff.pause_s(story.creates))

    async def _rest(self, delay_s: float) -> None:
        """Wait, but not past the moment when the run is asked to stop."""
        try:
            async with asyncio.timeout(delay_s):
                await self._stop.wait()
        except TimeoutError:
            pass

    # ------------------------------------------------------------------ looking up

    async def _reconcile(self, story: Story) -> Outcome | None:
        """Find out what became of a row in doubt; None when it is certain enough that it was not created."""
        for pause_s in self._pauses(story):
            await self._rest(pause_s)
            found = await self._look(story)
            if found.trouble is not None:
                return story.fail(RowState.UNKNOWN)
            result = compare_with(story.record, found.candidates, self._patience.stamp)
            outcome = _resolved(story, result)
            if outcome is not None:
                return outcome
            if self._stop.requested:
                # Too few looks to be sure, and no time for more: the next pass looks again.
                return story.fail(RowState.UNKNOWN, _NOT_ENOUGH_LOOKS)
        return None

    def _pauses(self, story: Story) -> list[float]:
        """The pauses before each look; time that has passed since an earlier pass died need not pass again."""
        pauses = list(self._patience.looks_after_s)
        if story.creates or story.spared or not pauses:
            return pauses
        passed_s = self._clock.monotonic() - self._began_s
        due_s = [due for due in accumulate(pauses) if due > passed_s]
        return [0.0, *(later - earlier for earlier, later in pairwise([passed_s, *due_s]))]

    async def _verify(self, story: Story) -> Outcome:
        """Ask whether a customer of an earlier run is still there; it is never sent."""
        if self._stop.requested:
            return story.end(RowState.UNSENT)
        found = await self._look(story)
        known_id = story.record.known_id
        if found.trouble is not None:
            return story.fail(RowState.UNKNOWN, _NOT_VERIFIED, candidates=(known_id,))
        if any(one.customer_id == known_id for one in found.candidates):
            return story.end(RowState.EXISTING, customer_id=known_id)
        return story.fail(RowState.UNKNOWN, _GONE, candidates=(known_id,))

    async def _duplicate(self, story: Story) -> Outcome:
        """The API says that such a customer exists: find it and compare."""
        different: Match | None = None
        for pause_s in self._patience.looks_after_s:
            await self._rest(pause_s)
            found = await self._look(story)
            if found.trouble is not None:
                return story.fail(RowState.REJECTED)
            result = compare_with(story.record, found.candidates, self._patience.stamp)
            outcome = _resolved(story, result) or _existing(story, result)
            if outcome is not None:
                return outcome
            if result.different:
                different = result
                break
        return story.fail(RowState.REJECTED, *(_differences(different) if different else ()))

    async def _look(self, story: Story) -> Found:
        """Look once; trouble on the way is tried again like any other request."""
        tries = spared = 0
        while True:
            started_at, started = self._clock.now(), self._clock.monotonic()
            try:
                found = await self._other_side.find(story.record)
            except StoppingError:
                return Found(trouble=_NO_TIME)
            duration_s = self._clock.monotonic() - started
            reply = found.trouble or Reply(Verdict.ACCEPT, allowance=found.allowance, took_s=found.took_s)
            story.tell("find", reply, started_at=started_at, duration_s=duration_s)
            is_spared = self._is_spared(reply)
            self._answered("find", reply, duration_s)
            if found.trouble is None:
                return found
            tries, spared = tries + (not is_spared), spared + is_spared
            if reply.verdict is Verdict.ABORT:
                self._stop.request("access", reply.message)
            if reply.verdict in _HOPELESS or self._stop.requested:
                return found
            if tries >= self._patience.max_attempts or spared >= self._patience.max_spared:
                return found
            if (reply.shared or not is_spared) and reply.retry_after_s is None:
                await self._rest(self._backoff.pause_s(max(tries, spared)))

    def _answered(self, kind: str, reply: Reply, duration_s: float) -> None:
        if reply.shared:
            return  # a token exchange: the pool was told of it once, and this row has made no request
        self._pool.answered(reply, duration_s, kind)
        self._emit(request_done(kind, reply, duration_s))


_NO_TIME = Reply(Verdict.RETRY, error_code="stopped_in_doubt")
_PASSING = (Verdict.RETRY, Verdict.IN_DOUBT)
_HOPELESS = (Verdict.ABORT, Verdict.REJECT, Verdict.DUPLICATE)

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
_NOT_ENOUGH_LOOKS = FieldError(
    path="",
    code="stopped_in_doubt",
    message="The run stopped before it could tell whether this customer was created; a resume looks it up again.",
)


def _resolved(story: Story, result: Match) -> Outcome | None:
    """The outcome, where the candidates prove one."""
    if result.ours is not None:
        # Ours by proof. Whether this pass created it or an earlier run did, only a send of this run tells.
        state = RowState.CREATED if story.may_have_created else RowState.EXISTING
        return story.end(state, customer_id=result.ours.customer_id)
    if result.ambiguous:
        return story.fail(
            RowState.UNKNOWN,
            FieldError(
                path="",
                code="several_candidates",
                message="Several customers at the target could be this row; compare them by hand.",
            ),
            candidates=_ids(result.ambiguous),
        )
    return None


def _existing(story: Story, result: Match) -> Outcome | None:
    """After a refusal as duplicate: a customer with the same data is the one."""
    if len(result.same) == 1:
        return story.end(RowState.EXISTING, customer_id=result.same[0].customer_id)
    if result.same:
        return story.fail(
            RowState.REJECTED,
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

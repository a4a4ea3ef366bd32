"""A worker sends lots of a run until none is left, by the parts that send a run in one process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from importer.core.events import Event
from importer.core.outcomes import Claimed, Outcome
from importer.core.ports import Claims, Events, Stop
from importer.core.runtime import beside_the_loop, rare_collections
from importer.core.states import RowState
from importer.delivery import Asking, StopSwitch
from importer.delivery.sharing import Participant
from importer.journal import RunDelivery
from importer.runs.shared.assignment import Assignment, Equipped, equipped
from importer.runs.shared.messages import Saying, name_of_sender
from importer.runs.wiring import SystemClock, open_target
from importer.runs.wiring.sending import Sender, delivering, limiter_for
from importer.runs.wiring.sharing import sharing

_LOOK_S = 0.5
"""How often it is looked whether rows that others send have come back."""


def is_left(state: RowState, stop: Stop) -> bool:
    """Whether a row that ended so is one for the others: it was not sent, or nothing can be looked up from here."""
    return state is RowState.UNSENT or (state is RowState.UNKNOWN and stop.reason == "breaker")


@dataclass(frozen=True, slots=True)
class ClaimsToTheEnd:
    """Implements `ports.Claims`: its end is when nobody has a row left, since others may not finish theirs.

    What this worker does not finish is left to the others.
    """

    claims: Claims
    journal: RunDelivery
    asking: Asking

    async def claim(self, limit: int) -> Claimed:
        while True:
            claimed = await self.claims.claim(limit)
            if claimed or self.asking.stop.requested or not await self.journal.may_come_back():
                return claimed
            await self.asking.rest(_LOOK_S)

    def settle(self, outcome: Outcome) -> None:
        if is_left(outcome.state, self.asking.stop):
            self.journal.leave(outcome)
        else:
            self.claims.settle(outcome)


def _but_what_is_left(emit: Events, stop: Stop) -> Events:
    """Emit how rows ended, but for those that are left to others."""

    def but_what_is_left(event: Event) -> None:
        if event.name != "row_settled" or not is_left(RowState(event.data["state"]), stop):
            emit(event)

    return but_what_is_left


def send(assignment: Assignment) -> str:
    """Send lots of a run until none is left, or the run is not at work any more; says why this worker cannot. Blocks.

    Raises:
        ImporterError: this process cannot send.
    """
    return asyncio.run(send_lots(assignment, os.environ))


async def send_lots(assignment: Assignment, environ: Mapping[str, str]) -> str:
    """Send lots of a run until none is left, in this process; as `send`."""
    with ExitStack() as stack:
        own = await beside_the_loop(stack.enter_context, equipped(assignment, environ))
        lots, name = own.workspace.journal.lots(own.stored.run), name_of_sender()
        lease = await beside_the_loop(stack.enter_context, lots.hold(name, SystemClock().now()))
        with rare_collections():
            return await _send(own, assignment.sending, name, lease)


async def _send(own: Equipped, sending: str, name: str, lease: str) -> str:
    clock, stop = SystemClock(), StopSwitch()
    limiter = limiter_for(own.profile, clock, stop)
    who, saying = Participant(name, sending), Saying(name, clock)
    async with (
        sharing(own.workspace, own.stored.header.scope, limiter, who) as shared,
        open_target(own.profile, own.where, limiter, clock) as target,
    ):
        sender = Sender(saying, lease=lease, shared=shared)
        parts = delivering(own.profile, own.workspace, own.stored, target, limiter, sender=sender)
        claims = ClaimsToTheEnd(parts.delivery.claims, parts.journal, parts.deliver.asking)
        saying(Event("worker_started"))
        async with parts.journal, saying.to(parts.journal, parts.feedback.receipt):
            await replace(parts.delivery, claims=claims, emit=_but_what_is_left(saying, stop)).run()
            await limiter.give_back()
            requests = parts.feedback.receipt()["requests"]
            saying(Event("worker_ended", {"requests": requests, "reason": stop.reason}))
    return stop.message if stop.reason == "breaker" else ""  # the target may be out of reach from here alone

"""A worker sends lots of a run until none is left, by the parts that send a run in one process."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from secrets import token_hex

from importer.core.events import Event
from importer.core.outcomes import Claimed, Outcome
from importer.core.ports import Claims
from importer.core.runtime import beside_the_loop, rare_collections
from importer.delivery import Asking, StopSwitch
from importer.journal import RunDelivery
from importer.runs.shared.assignment import Assignment, Equipped, equipped
from importer.runs.shared.messages import Saying
from importer.runs.wiring import SystemClock, open_target
from importer.runs.wiring.sending import Sender, delivering, limiter_for

_LOOK_S = 0.5
"""How often it is looked whether rows that others send have come back."""


@dataclass(frozen=True, slots=True)
class ClaimsToTheEnd:
    """Implements `ports.Claims`: its end is when nobody has a row left, since others may not finish theirs."""

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
        self.claims.settle(outcome)


def send(assignment: Assignment) -> str:
    """Send lots of a run until none is left, or the run is not at work any more. Blocks.

    Raises:
        ImporterError: this process cannot send.
    """
    asyncio.run(send_lots(assignment))
    return ""


async def send_lots(assignment: Assignment) -> None:
    """Send lots of a run until none is left, in this process; errors as of `send`."""
    with ExitStack() as stack:
        own = await beside_the_loop(stack.enter_context, equipped(assignment))
        lots, name = own.workspace.journal.lots(own.stored.run), _name()
        lease = await beside_the_loop(stack.enter_context, lots.hold(name, SystemClock().now()))
        with rare_collections():
            await _send(own, name, lease)


def _name() -> str:
    """What this worker is called in logs: no other has the same name."""
    return f"{socket.gethostname()}-{os.getpid()}-{token_hex(2)}"


async def _send(own: Equipped, name: str, lease: str) -> None:
    clock, stop = SystemClock(), StopSwitch()
    limiter = limiter_for(own.profile, clock, stop)
    async with open_target(own.profile, own.where, limiter, clock) as target:
        saying = Saying(name)
        parts = delivering(own.profile, own.workspace, own.stored, target, limiter, sender=Sender(saying, lease=lease))
        claims = ClaimsToTheEnd(parts.delivery.claims, parts.journal, parts.deliver.asking)
        saying(Event("worker_started"))
        async with parts.journal, saying.to(parts.journal, parts.feedback.receipt, clock):
            await replace(parts.delivery, claims=claims).run()
            await limiter.give_back()
            saying(Event("worker_ended", {"requests": parts.feedback.receipt()["requests"]}))

"""The delivery of a run by the workers of a cluster, as whoever has taken up the run sees it.

What the journal says is what has happened: it is looked at about every second, and nothing else is waited for. So
workers may come, go and die, and so may the scheduler. Where nobody sends, or nobody who does reaches the target, this
process sends as well; where it does not reach the target either, the run stops.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from importer.core.errors import JournalError
from importer.core.events import Event
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.delivery.sharing import SharedSending
from importer.engines.dask import LongTask
from importer.journal import Location, Message, RunLots, Runs, StoredRun
from importer.runs.context import Context
from importer.runs.shared.assignment import Assignment, what_is_missing
from importer.runs.shared.messages import Heard
from importer.runs.shared.sender import send, send_lots
from importer.runs.wiring import open_workspace
from importer.runs.wiring.engine import JOURNAL, cluster_to_send
from importer.runs.wiring.sending import Delivering

_LOOK_S = 1.0
_SOON_S = 0.2
_PATIENCE_S = 6.0
"""After so long without anybody who sends and reaches the target, this process sends."""
_LARGEST_LOT = 500
_SHARES = 8
"""Lots for each worker, so that all of them have work until the end."""


class _Look(NamedTuple):
    """What the journal says."""

    lots: int
    senders: int
    messages: Sequence[Message]


@dataclass(slots=True)
class SharedDelivery:
    """Has the rows of a run sent.

    Args:
        parts: those of this process: the first rows are sent by them, where these are watched.
        shares: knows whether any worker reaches the target.
        sending: as of `Assignment`.
    """

    context: Context
    runs: Runs
    stored: StoredRun
    parts: Delivering
    shares: SharedSending
    sending: str
    heard: Heard = field(init=False)
    _seconds: float = 0.0
    _own: asyncio.Task[str] | None = None

    def __post_init__(self) -> None:
        self.heard = Heard(self.context.emit)

    async def run(self) -> None:
        """Send every row, or stop within a bounded time.

        Raises:
            UsageError: the cluster cannot be used, or one of its workers cannot send; nothing was sent.
            TryLaterError: the cluster does not answer; nothing was sent.
            JournalError: the journal cannot be used; nothing more was sent after that.
        """
        assignment = Assignment.of(self.context.profile, self.stored, self.sending)
        cluster = cluster_to_send(self.context.profile)
        workers = LongTask(cluster, partial(what_is_missing, assignment), partial(send, assignment))
        try:
            await beside_the_loop(workers.check)
            if await self._passes_canary():
                await self._share(workers, assignment)
        finally:
            await beside_the_loop(workers.close)

    def used(self) -> dict[str, Any]:
        """Return what all have used together, as one limiter accounts for it."""
        return self.heard.used(self.parts.feedback.receipt(), self._seconds)

    async def _passes_canary(self) -> bool:
        """Send the first rows from here, where they are watched; the rest is for the workers."""
        if self.parts.canary is not None:
            self.parts.canary.ends_with_stages = True
            await self.parts.delivery.run()
            await beside_the_loop(self.runs.note, self.stored.run, self.parts.facts())  # workers watch the rest
        return not self.context.stop.requested

    async def _share(self, workers: LongTask, assignment: Assignment) -> None:
        clock = self.context.machine.clock
        with closing(await beside_the_loop(open_workspace, self.context.workspace)) as workspace:
            lots = workspace.journal.lots(self.stored.run)
            counts = await beside_the_loop(self.runs.counts, self.stored.run)
            waiting = counts.get(RowState.READY, 0) + counts.get(RowState.SENDING, 0)
            size = max(1, min(_LARGEST_LOT, waiting // (_SHARES * max(1, workers.workers))))
            await beside_the_loop(lots.divide, size)
            began_s = clock.monotonic()
            workers.start()
            try:
                await self._wait(workers, lots, assignment)
            finally:
                await self._until_all_have_ended(lots)
                self._seconds = clock.monotonic() - began_s

    # ------------------------------------------------------------------ while workers send

    async def _wait(self, workers: LongTask, lots: RunLots, assignment: Assignment) -> None:
        clock = self.context.machine.clock
        reached_at = clock.monotonic()
        while not self.context.stop.requested:
            look = await self._look(lots)
            if not look.lots:
                return
            self._hear_own()
            if self.shares.is_reached:
                reached_at = clock.monotonic()
            elif clock.monotonic() - reached_at > _PATIENCE_S:
                self._send_here(assignment)
            for place, why in workers.refused().items():
                self.context.emit(Event("step_notice", {"text": f"The Dask worker {place} does not send: {why}"}))
            await self._rest(_LOOK_S if look.lots > 1 else _SOON_S)

    def _hear_own(self) -> None:
        """Take note of how sending here has ended: where nobody else reaches the target either, the run stops."""
        if self._own is None or not self._own.done():
            return
        ended, self._own = self._own, None
        with suppress(JournalError):  # where it lasts, this process's own one says so
            said = ended.result()
            if said and not self.shares.is_reached:
                self.context.stop.request("breaker", said)

    def _send_here(self, assignment: Assignment) -> None:
        """Have this process send as well, by a journal of its own, which it may lose and open again."""
        if self._own is None:
            text = "No worker sends, or none reaches the target: this process sends as well."
            self.context.emit(Event("step_notice", {"text": text}))
            environ = {**os.environ, JOURNAL: Location.of_workspace(self.context.workspace).url}
            self._own = asyncio.create_task(send_lots(assignment, environ), name="sending here")

    async def _look(self, lots: RunLots) -> _Look:
        """Ask the journal, and ask again where it cannot be reached for a while."""
        while True:
            try:
                look = await beside_the_loop(_looked, lots)
            except JournalError:
                self.parts.journal.may_send()  # says where another program has taken over, or may have
                await self.context.machine.clock.sleep(_LOOK_S)
            else:
                self.heard.take(look.messages)
                return look

    async def _rest(self, delay_s: float) -> None:
        await self.parts.deliver.asking.rest(delay_s)

    async def _until_all_have_ended(self, lots: RunLots) -> None:
        """Wait for those that finish what is under way; one that is dead has its end with its lease.

        Whoever is still there when all of that must be over writes nothing more.
        """
        clock, settings = self.context.machine.clock, self.context.profile.delivery
        until_s = clock.monotonic() + settings.drain_s + settings.total_timeout_s
        while (await self._look(lots)).senders and clock.monotonic() < until_s:
            await clock.sleep(_SOON_S)
        if self._own is not None:
            await asyncio.gather(self._own, return_exceptions=True)
        await beside_the_loop(lots.end)


def _looked(lots: RunLots) -> _Look:
    senders, left = lots.senders(), lots.count()  # in this order: whoever ends has said all before
    return _Look(left, senders, lots.heard())

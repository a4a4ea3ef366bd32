"""The order of the stages. Knows ports only: no numbers, no formats, no names of concrete classes.

    prepare: Reader ─► Intake ─► Checker( Mapper ─► Validator ) ─► Intake   (all cores; nothing is sent)
    deliver: Journal.claim ─► Engine( Deliver ) ─► Journal.settle     (the event loop)

A source is read and checked as a whole before the first request: only then are its duplicates, its
date order and its number of rows known, and a run that must not begin does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from importer.core.batches import RawBatch
from importer.core.events import Event
from importer.core.outcomes import Outcome, Record
from importer.core.ports import BatchChecker, Claims, Deliver, Duplicates, Engine, Events, Intake, Mapper, Reader, Stop
from importer.core.sources import Detected


@dataclass(frozen=True, slots=True)
class Preparation:
    """The parts that turn a source into checked rows."""

    reader: Reader
    mapper: Mapper
    checker: BatchChecker
    duplicates: Duplicates
    intake: Intake
    stop: Stop
    emit: Events

    def run(self) -> tuple[Detected, ...]:
        """Read, map and check every row; returns what the mapper decided over whole columns. Blocks.

        Raises:
            SourceError: the source cannot be read, or is refused.
            JournalError: the journal cannot be written.
        """
        decided: list[Detected] = []
        for checked in self.checker.check_all(self._until_stop(self._loaded(decided))):
            self.duplicates.observe(checked)
            self.intake.record(checked)
            self.emit(Event("batch_checked", {"rows": len(checked.raw), "invalid": checked.payloads.count(None)}))
        self.emit(Event("rows_checked", {}))
        self.intake.judged(self.duplicates.judge())
        return tuple(decided)

    def _loaded(self, decided: list[Detected]) -> Iterator[RawBatch]:
        """Load the source; yield each batch as soon as nothing that follows can change how it is read."""
        rows, after, held_back = 0, -1, False
        for batch in self._until_stop(self.reader.batches()):
            self.mapper.observe(batch)
            self.intake.load(batch)
            rows += len(batch)
            self.emit(Event("batch_loaded", {"rows": len(batch)}))
            if self.mapper.settle():
                yield from self.intake.raw(after) if held_back else (batch,)
                after, held_back = batch.first, False
            else:
                held_back = True
        self.emit(Event("source_read", {"rows": rows}))
        decided += self.mapper.decide()
        yield from self.intake.raw(after)

    def _until_stop(self, batches: Iterator[RawBatch]) -> Iterator[RawBatch]:
        return takewhile(lambda _: not self.stop.requested, batches)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The parts that turn checked rows into outcomes.

    Args:
        drain_s: how long a stopping run waits for what is in flight, in seconds.
    """

    claims: Claims
    engine: Engine
    deliver: Deliver
    stop: Stop
    emit: Events
    drain_s: float

    async def run(self) -> None:
        """Deliver every claimable row, or stop within a bounded time; rows cut off stay in doubt.

        Raises:
            JournalError: the journal cannot be written; nothing more was sent after that.
        """
        try:
            async with asyncio.timeout(None) as bound:
                watch = asyncio.create_task(self._bound_after_stop(bound), name="drain")
                try:
                    await self.engine.run(self._take, self.deliver, self._settle)
                finally:
                    watch.cancel()
        except TimeoutError:
            self.emit(Event("drain_timeout", {"seconds": self.drain_s}))

    async def _take(self, limit: int) -> Sequence[Record]:
        while not self.stop.requested:
            claimed = await self.claims.claim(limit)
            for outcome in claimed.known:
                self._report(outcome)
            if claimed.records or not claimed:
                return claimed.records
        return ()

    def _settle(self, outcome: Outcome) -> None:
        self.claims.settle(outcome)
        self._report(outcome)

    def _report(self, outcome: Outcome) -> None:
        data = {"ordinal": outcome.ordinal, "state": outcome.state.value, "attempts": len(outcome.attempts)}
        self.emit(Event("row_settled", data))

    async def _bound_after_stop(self, bound: asyncio.Timeout) -> None:
        await self.stop.wait()
        self.emit(Event("stopping", {"reason": self.stop.reason}))
        bound.reschedule(asyncio.get_running_loop().time() + self.drain_s)

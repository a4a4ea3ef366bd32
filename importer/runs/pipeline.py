"""The order of the stages. Knows ports only: no numbers, no formats, no names of concrete classes.

    prepare: Reader ─► Intake ─► Checker( Mapper ─► Validator ) ─► Intake   (all cores; nothing is sent)
    deliver: Journal.claim ─► Engine( Deliver ) ─► Journal.settle     (the event loop)
    steps:   Journal.claim_steps ─► Engine( FollowUp ) ─► Journal.settle_step, one kind of step after the other

A source is read and checked as a whole before the first request: only then are its duplicates, its
date order and its number of rows known, and a run that must not begin does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.events import Event
from importer.core.issue_codes.steps import OF_THE_ACCOUNT
from importer.core.outcomes import Outcome, Record
from importer.core.ports import (
    BatchChecker,
    Claims,
    Deliver,
    Duplicates,
    Engine,
    Events,
    Intake,
    Mapper,
    Reader,
    StepClaims,
    Stop,
    Work,
)
from importer.core.sources import Detected
from importer.core.step_tasks import StepResult, StepTask
from importer.core.steps import Step


@dataclass(frozen=True, slots=True)
class Preparation:
    """The parts that turn a source into checked rows.

    Args:
        watch: sees every checked batch; None: nobody does.
    """

    reader: Reader
    mapper: Mapper
    checker: BatchChecker
    duplicates: Duplicates
    intake: Intake
    stop: Stop
    emit: Events
    watch: Callable[[CheckedBatch], None] | None = None

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
            if self.watch is not None:
                self.watch(checked)
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
        async with drained(self.stop, self.emit, self.drain_s):
            await self.engine.run(self._take, self.deliver, self._settle)

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


@dataclass(frozen=True, slots=True)
class Steps:
    """The parts that do the steps after the creates of a run.

    Args:
        work: does one step.
        look: asks once for the progress of a submitted one.
        drain_s: as of `Delivery`.
    """

    claims: StepClaims
    engine: Engine
    work: Work[StepTask, StepResult]
    look: Work[StepTask, StepResult]
    stop: Stop
    emit: Events
    drain_s: float
    _said: set[str] = field(default_factory=set, init=False)

    async def run(self, steps: Mapping[Step, int]) -> None:
        """Do every step that is open, kind by kind; a stop leaves the others as they are.

        Args:
            steps: which, in their order, and how many are open.

        Raises:
            JournalError: the journal cannot be written; nothing more was sent after that.
        """
        for step, total in steps.items():
            if not self.stop.requested:
                self.emit(Event("steps_started", {"step": step.value, "total": total}))
                async with drained(self.stop, self.emit, self.drain_s):
                    await self.engine.run(partial(self._take, step), self.work, self.settle)
                self.emit(Event("steps_ended", {"step": step.value}))

    async def look_at_due(self, is_over: Callable[[], bool]) -> None:
        """Look at every submitted step whose look is due; errors as of `run`.

        Args:
            is_over: whether no further one is to be looked at.
        """
        async with drained(self.stop, self.emit, self.drain_s):
            await self.engine.run(partial(self._take_due, is_over), self.look, self.settle)

    async def _take(self, step: Step, limit: int) -> Sequence[StepTask]:
        return () if self.stop.requested else await self.claims.claim_steps(step, limit)

    async def _take_due(self, is_over: Callable[[], bool], limit: int) -> Sequence[StepTask]:
        return () if self.stop.requested or is_over() else await self.claims.due_steps(limit)

    def settle(self, result: StepResult) -> None:
        """Record how a step is, and report it."""
        self.claims.settle_step(result)
        data = {"ordinal": result.ordinal, "step": result.step.value, "state": result.state.value}
        self.emit(Event("step_settled", {**data, "outcome": result.outcome}))
        if result.error is not None and result.error.code in OF_THE_ACCOUNT:
            self._say_once(result.error.message)

    def _say_once(self, message: str) -> None:
        """Report what other rows will meet as well."""
        text = f"{message.partition('. ')[0].removesuffix('.')}."
        if text not in self._said:
            self._said.add(text)
            self.emit(Event("step_notice", {"text": text}))


@asynccontextmanager
async def drained(stop: Stop, emit: Events, drain_s: float) -> AsyncIterator[None]:
    """Bound what a block still does after a stop.

    Args:
        drain_s: how long a stopping run waits for what is in flight, in seconds.
    """
    try:
        async with asyncio.timeout(None) as bound:
            watch = asyncio.create_task(_bound_after_stop(bound, stop, emit, drain_s), name="drain")
            try:
                yield
            finally:
                watch.cancel()
    except TimeoutError:
        emit(Event("drain_timeout", {"seconds": drain_s}))


async def _bound_after_stop(bound: asyncio.Timeout, stop: Stop, emit: Events, drain_s: float) -> None:
    await stop.wait()
    emit(Event("stopping", {"reason": stop.reason}))
    bound.reschedule(asyncio.get_running_loop().time() + drain_s)

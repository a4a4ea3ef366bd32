"""Every engine keeps the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import Outcome, Record
from importer.core.ports import Engine
from importer.core.states import RowState
from importer.engines import AsyncioPool
from tests.lab.virtual_time import VirtualClock, run_virtual

ROWS = 57


class Ledger:
    """Hands out records and watches what becomes of them."""

    def __init__(self, rows: int = ROWS) -> None:
        self.waiting = [Record(ordinal, ordinal + 2, f"k{ordinal}", b"{}") for ordinal in range(rows)]
        self.taken = 0
        self.settled: list[int] = []
        self.held = 0

    async def take(self, limit: int) -> Sequence[Record]:
        lot, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self.taken += len(lot)
        self.held = max(self.held, self.taken - len(self.settled))
        return lot

    async def deliver(self, record: Record) -> Outcome:
        await VirtualClock().sleep(0.1 + (record.ordinal % 3) / 10)
        return Outcome(record.ordinal, record.key, RowState.CREATED)

    def settle(self, outcome: Outcome) -> None:
        self.settled.append(outcome.ordinal)


class Gate:
    """Lets one pass at a time, and asks for no more than a few to wait."""

    DEEP = 3

    def __init__(self) -> None:
        self.waiting = self.most = 0
        self.turn = asyncio.Lock()

    @property
    def has_room(self) -> bool:
        return self.waiting < self.DEEP

    async def room(self) -> None:
        while not self.has_room:
            await VirtualClock().sleep(0.01)

    async def pass_through(self) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        async with self.turn:
            await VirtualClock().sleep(0.05)
        self.waiting -= 1


ENGINES: Mapping[str, Callable[[int], Engine]] = {"asyncio": AsyncioPool}
"""The engines, each made with the number of records that it may work on at once."""


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param](8)


def test_every_record_is_settled_exactly_once(engine: Engine) -> None:
    ledger = Ledger()
    run_virtual(lambda: engine.run(ledger.take, ledger.deliver, ledger.settle))

    assert sorted(ledger.settled) == list(range(ROWS))


def test_at_most_max_in_flight_records_are_held(engine: Engine) -> None:
    ledger = Ledger()
    run_virtual(lambda: engine.run(ledger.take, ledger.deliver, ledger.settle))

    assert ledger.held <= engine.max_in_flight


def test_nothing_to_do_is_done_at_once(engine: Engine) -> None:
    ledger = Ledger(rows=0)
    run_virtual(lambda: engine.run(ledger.take, ledger.deliver, ledger.settle))

    assert ledger.settled == []


def test_a_journal_that_fails_ends_the_engine_with_its_own_error(engine: Engine) -> None:
    ledger = Ledger()

    def refuse(_: Outcome) -> None:
        raise JournalError("The disk is full.")

    with pytest.raises(JournalError, match=r"The disk is full\."):
        run_virtual(lambda: engine.run(ledger.take, ledger.deliver, refuse))


def test_a_cancelled_engine_still_settles_what_had_an_outcome(engine: Engine) -> None:
    ledger = Ledger()
    delivered: list[int] = []

    async def deliver(record: Record) -> Outcome:
        outcome = await ledger.deliver(record)
        delivered.append(record.ordinal)
        return outcome

    async def main() -> None:
        running = asyncio.create_task(engine.run(ledger.take, deliver, ledger.settle))
        await VirtualClock().sleep(0.25)  # some are done, some are on their way
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await VirtualClock().sleep(1.0)

    run_virtual(main)
    assert ledger.settled
    assert sorted(ledger.settled) == sorted(delivered)


def test_no_worker_takes_a_record_before_there_is_room_for_one_more() -> None:
    ledger, gate = Ledger(), Gate()

    async def deliver(record: Record) -> Outcome:
        await gate.pass_through()
        return await ledger.deliver(record)

    run_virtual(lambda: AsyncioPool(16, gate).run(ledger.take, deliver, ledger.settle))
    assert sorted(ledger.settled) == list(range(ROWS))
    assert gate.most == Gate.DEEP


def test_a_record_that_only_waits_gives_its_place_to_another() -> None:
    ledger = Ledger()

    async def main() -> float:
        pool = AsyncioPool(2)
        active = most = 0

        async def deliver(record: Record) -> Outcome:
            nonlocal active, most
            if record.ordinal % 3 == 0:
                async with pool.worker_released():
                    await VirtualClock().sleep(30.0)
            active += 1
            most = max(most, active)
            await VirtualClock().sleep(0.1)
            active -= 1
            return Outcome(record.ordinal, record.key, RowState.CREATED)

        await pool.run(ledger.take, deliver, ledger.settle)
        assert most <= 2
        return VirtualClock().monotonic()

    elapsed_s = run_virtual(main)
    assert sorted(ledger.settled) == list(range(ROWS))
    assert elapsed_s < 30.0 + ROWS * 0.1


def test_more_records_than_may_release_their_worker_keep_it() -> None:
    ledger = Ledger(rows=400)

    async def main() -> None:
        pool = AsyncioPool(1)

        async def deliver(record: Record) -> Outcome:
            async with pool.worker_released():
                await VirtualClock().sleep(30.0)
            return Outcome(record.ordinal, record.key, RowState.CREATED)

        await pool.run(ledger.take, deliver, ledger.settle)
        assert ledger.held <= pool.max_in_flight

    run_virtual(main)
    assert sorted(ledger.settled) == list(range(400))


def test_an_engine_that_is_cancelled_lets_go_of_records_that_released_their_worker() -> None:
    ledger = Ledger()

    async def main() -> None:
        pool = AsyncioPool(2)

        async def deliver(record: Record) -> Outcome:
            async with pool.worker_released():
                await VirtualClock().sleep(1_000.0)
            return Outcome(record.ordinal, record.key, RowState.CREATED)

        running = asyncio.create_task(pool.run(ledger.take, deliver, ledger.settle))
        await VirtualClock().sleep(5.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert VirtualClock().monotonic() < 6.0

    run_virtual(main)
    assert ledger.settled == []

"""Steps in the file: what is claimed is on disk whatever happens to the program, and none is found by reading all."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.core.batches import CheckedBatch
from importer.core.frames import raw_batch
from importer.core.step_tasks import PlannedStep, StepResult
from importer.core.steps import Step, StepState
from importer.customers.contract import CUSTOMERS
from importer.journal import Location, RunToSend, open_journal
from importer.journal.sql.delivery import RunDelivery
from importer.journal.sql.steps import RunSteps
from importer.journal.sqlite.database import SqliteDatabase
from tests.contracts import journals as contracts
from tests.unit.journal.conftest import SCOPE, Book, begin, created, fill

ROWS = 60


async def inline(work: Callable[[], Any]) -> Any:
    return work()


def delivery(book: Book) -> RunDelivery:
    return RunDelivery(book.database, RunToSend(book.run, SCOPE, CUSTOMERS), lambda: 1.0, lambda: 1.0, inline)


@pytest.fixture
def planned(book: Book) -> Book:
    """A run of which all valid rows are created, each with limits and a verification."""
    steps = (Step.LIMITS, Step.VERIFICATION)
    RunSteps(book.database, book.run).plan([PlannedStep(row, step) for row in (0, 1, 3, 4, 5) for step in steps])
    book.settle(*(created(record.ordinal, record.key) for record in book.claim().records))
    return book


def on_disk(path: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(path)) as stranger:
        return stranger.execute("SELECT ordinal, state FROM steps WHERE step = 'limits' ORDER BY ordinal").fetchall()


def test_a_claim_of_steps_is_on_disk_when_it_returns(planned: Book) -> None:
    asyncio.run(delivery(planned).claim_steps(Step.LIMITS, 2))

    assert [ordinal for ordinal, state in on_disk(planned.database.path) if state == "sending"] == [0, 1]


def test_a_settle_that_a_crash_swallows_leaves_its_step_in_doubt(planned: Book) -> None:
    async def settle_and_die() -> None:
        journal = delivery(planned)
        (task,) = await journal.claim_steps(Step.LIMITS, 1)
        journal.settle_step(StepResult(task.ordinal, task.step, task.part, StepState.DONE))

    asyncio.run(settle_and_die())

    (*_, last) = asyncio.run(delivery(planned).claim_steps(Step.LIMITS, 9))
    assert (last.ordinal, last.in_doubt) == (0, True)


CLAIMS_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from importer.core.step_tasks import StepResult
from importer.core.steps import Step, StepState
from importer.customers.contract import CUSTOMERS
from importer.journal import Location, RunToSend, open_journal

async def work():
    journal = open_journal(Location.of_workspace(Path(sys.argv[1])))
    async with journal.delivery(RunToSend(1, sys.argv[2], CUSTOMERS), lambda: 1.0) as rows:
        while tasks := await rows.claim_steps(Step.LIMITS, 3):
            for task in tasks:
                print(task.ordinal, flush=True)
                rows.settle_step(StepResult(task.ordinal, task.step, task.part, StepState.DONE))

asyncio.run(work())
"""


@pytest.mark.parametrize("claims", [1, 7, 20, 41])
def test_a_killed_program_has_begun_no_step_that_the_journal_does_not_know(tmp_path: Path, claims: int) -> None:
    with closing(SqliteDatabase(tmp_path / "journal.sqlite3")) as database:
        run = begin(database)
        fill(database, run, [f"k{row}" for row in range(ROWS)])
        RunSteps(database, run).plan([PlannedStep(row, Step.LIMITS) for row in range(ROWS)])
        with database.transaction() as tx:
            tx.execute("UPDATE rows SET state = 'created', customer_id = 'c' || ordinal")
    command = [sys.executable, "-c", CLAIMS_UNTIL_KILLED, str(tmp_path), SCOPE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        begun = [int(program.stdout.readline()) for _ in range(claims)]
        program.send_signal(signal.SIGKILL)
        begun += [int(line) for line in program.stdout if line.endswith("\n")]

    with closing(open_journal(Location.of_workspace(tmp_path))) as journal:
        states = dict(on_disk(tmp_path / "journal.sqlite3"))
        again = asyncio.run(_claimed(journal.delivery(RunToSend(run, SCOPE, CUSTOMERS), lambda: 1.0)))
    assert begun == list(range(len(begun)))
    assert all(states[ordinal] in {"sending", "done"} for ordinal in begun)
    done = {ordinal for ordinal, state in states.items() if state == "done"}
    assert done <= set(begun)
    assert sorted(again) == sorted(set(range(ROWS)) - done)
    assert {ordinal for ordinal, in_doubt in again.items() if in_doubt} == {
        ordinal for ordinal, state in states.items() if state == "sending"
    }


async def _claimed(rows: Any) -> dict[int, bool]:
    async with rows:
        return {task.ordinal: task.in_doubt for task in await rows.claim_steps(Step.LIMITS, ROWS)}


@pytest.mark.parametrize(("asks", "index"), [("claim", "steps_open"), ("due", "steps_due"), ("next", "steps_due")])
def test_steps_are_found_without_reading_every_one(planned: Book, asks: str, index: str) -> None:
    journal, asked = delivery(planned), list[str]()
    planned.database.connection.set_trace_callback(asked.append)
    if asks == "claim":
        asyncio.run(journal.claim_steps(Step.LIMITS, 1))
    else:
        asyncio.run(journal.due_steps(1) if asks == "due" else journal.next_due())
    planned.database.connection.set_trace_callback(None)
    reads = [one for one in asked if one.startswith("SELECT") and "FROM steps s" in one]
    plan = " ".join(
        step for one in reads for *_, step in planned.database.connection.execute(f"EXPLAIN QUERY PLAN {one}")
    )

    assert index in plan
    assert "SCAN" not in plan


def test_no_byte_of_what_steps_send_is_left_after_a_purge(tmp_path: Path) -> None:
    with closing(open_journal(Location.of_workspace(tmp_path))) as journal:
        run = contracts.begin(journal)
        intake, raw = journal.intake(run, CUSTOMERS), raw_batch(0, [2], (["a"],))
        intake.load(raw)
        intake.record(
            CheckedBatch(raw, [b"{}"], ["k0"], [""], after=[b'{"documents":{"passport":{"number":"P-555"}}}'])
        )
        assert b"P-555" in b"".join(path.read_bytes() for path in tmp_path.glob("journal.sqlite3*"))
        journal.purging.purge([run], 9.0)
        journal.purging.wipe()

        assert b"P-555" not in b"".join(path.read_bytes() for path in tmp_path.glob("journal.sqlite3*"))

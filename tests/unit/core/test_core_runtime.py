"""A thread that works is waited for, also by whoever was cancelled: what it uses is closed next."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path
from unittest import mock

import pytest

from importer.core.runtime import beside_the_loop, in_a_thread, rare_collections
from importer.journal.sql.group_commit import GroupCommit
from importer.journal.sqlite.database import SqliteDatabase


async def turns() -> None:
    """Let the loop do what it can."""
    for _ in range(10):
        await asyncio.sleep(0)  # noqa: TID251  # not for any time


class Slow:
    """Work that ends when it is let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.done = False

    def __call__(self, *_: object) -> str:
        self.begun.set()
        assert self.let.wait(20)
        self.done = True
        return "done"


async def test_what_is_done_in_a_thread_is_returned_or_raised() -> None:
    assert await beside_the_loop(sorted, [2, 1], reverse=True) == [2, 1]
    with pytest.raises(ZeroDivisionError):
        await in_a_thread(lambda: 1 // 0)


async def test_whoever_is_cancelled_waits_for_its_thread() -> None:
    work = Slow()
    task = asyncio.create_task(beside_the_loop(work))
    await asyncio.to_thread(work.begun.wait, 20)

    task.cancel()
    await turns()
    task.cancel()
    await turns()
    assert not task.done()

    work.let.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.done


async def test_a_run_that_is_cancelled_ends_after_its_last_commit(tmp_path: Path) -> None:
    work, database = Slow(), SqliteDatabase(tmp_path / "journal.sqlite3")

    async def run() -> None:
        try:
            async with GroupCommit(database, in_a_thread) as commits:
                await commits.submit(work)
        finally:
            database.close()

    task = asyncio.create_task(run())
    await asyncio.to_thread(work.begun.wait, 20)
    task.cancel()
    await turns()
    assert not task.done()

    work.let.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.done


def test_a_block_of_rare_collections_within_another_neither_counts_what_is_frozen_nor_ends_the_outer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = mock.Mock(return_value=0)
    monkeypatch.setattr(gc, "get_freeze_count", counted)
    before = gc.get_threshold()

    with rare_collections():
        rare = gc.get_threshold()
        with rare_collections():
            assert gc.get_threshold() == rare != before
        assert gc.get_threshold() == rare

    assert gc.get_threshold() == before
    assert counted.call_count == 1

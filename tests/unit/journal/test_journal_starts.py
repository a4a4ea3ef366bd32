"""The starts of the last day, per scope, across runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from importer.journal import Database, GroupCommit, Starts

NOW = 1_790_000_003.0


class Clock:
    now_s = NOW

    def __call__(self) -> float:
        return self.now_s


def starts_of(database: Database, scope: str, clock: Clock) -> Starts:
    async def inline(work: Callable[[], Any]) -> Any:
        return work()

    return Starts(database, scope, GroupCommit(database, inline), clock)


def charge(starts: Starts, clock: Clock, *lots: tuple[float, int]) -> None:
    async def main() -> None:
        for moment, count in lots:
            clock.now_s = moment
            await starts.charge(count)

    asyncio.run(main())


def test_starts_add_up_by_slot_and_outlive_the_process(tmp_path: Path) -> None:
    database, clock = Database(tmp_path / "journal.sqlite3"), Clock()
    charge(starts_of(database, "one", clock), clock, (NOW - 200.0, 5), (NOW - 5.0, 3), (NOW, 4), (NOW + 30.0, -2))
    database.close()

    clock.now_s = NOW + 10.0
    again = Database(tmp_path / "journal.sqlite3")
    assert starts_of(again, "one", clock).earlier() == [(203.0, 5), (13.0, 3), (3.0, 2)]
    assert starts_of(again, "another", clock).earlier() == []
    again.close()


def test_what_is_older_than_a_day_is_dropped(tmp_path: Path) -> None:
    database, clock = Database(tmp_path / "journal.sqlite3"), Clock()
    starts = starts_of(database, "one", clock)
    charge(starts, clock, (NOW - 90_000.0, 5), (NOW - 80_000.0, 6), (NOW, 1))

    assert [count for _, count in starts.earlier()] == [6, 1]
    assert database.connection.execute("SELECT count(*) FROM starts").fetchone() == (2,)
    database.close()

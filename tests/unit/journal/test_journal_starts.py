"""The starts of the last day, per scope, across runs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from importer.journal import Location, starts_in
from importer.journal.sql.earlier_runs import EarlierRuns
from importer.journal.sql.group_commit import GroupCommit
from importer.journal.sql.starts import Starts
from importer.journal.sqlite.database import SqliteDatabase

NOW = 1_790_000_003.0


class Clock:
    now_s = NOW

    def __call__(self) -> float:
        return self.now_s


def starts_of(database: SqliteDatabase, scope: str, clock: Clock) -> Starts:
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
    database, clock = SqliteDatabase(tmp_path / "journal.sqlite3"), Clock()
    charge(starts_of(database, "one", clock), clock, (NOW - 200.0, 5), (NOW - 5.0, 3), (NOW, 4), (NOW + 30.0, -2))
    database.close()

    clock.now_s = NOW + 10.0
    again = SqliteDatabase(tmp_path / "journal.sqlite3")
    assert starts_of(again, "one", clock).earlier() == [(203.0, 5), (13.0, 3), (3.0, 2)]
    assert starts_of(again, "another", clock).earlier() == []
    again.close()


def test_what_is_older_than_a_day_is_dropped(tmp_path: Path) -> None:
    database, clock = SqliteDatabase(tmp_path / "journal.sqlite3"), Clock()
    starts = starts_of(database, "one", clock)
    charge(starts, clock, (NOW - 90_000.0, 5), (NOW - 80_000.0, 6), (NOW, 1))

    assert [count for _, count in starts.earlier()] == [6, 1]
    assert database.connection.execute("SELECT count(*) FROM starts").fetchone() == (2,)
    database.close()


def test_what_counts_against_a_day_is_what_the_limiter_will_count(tmp_path: Path) -> None:
    path, clock = tmp_path / "journal.sqlite3", Clock()
    database = SqliteDatabase(path)
    starts = starts_of(database, "one", clock)
    charge(starts, clock, (NOW - 86_420.0, 5), (NOW - 86_395.0, 7), (NOW - 100.0, 6), (NOW, 4), (NOW, -1))

    counted = sum(count for age_s, count in starts.earlier() if age_s < 86_400.0)
    assert EarlierRuns(database).started_within("one", NOW, 86_400.0) == counted == 16
    assert starts_in(Location(path), "one", NOW, 86_400.0) == counted
    assert [starts_in(Location(path), "one", NOW, 60.0), starts_in(Location(path), "another", NOW, 86_400.0)] == [3, 0]
    database.close()


def test_a_journal_older_than_such_limits_has_counted_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA user_version = 2")

    assert starts_in(Location(path), "one", NOW, 86_400.0) == 0

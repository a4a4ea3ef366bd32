"""The starts of the last day, per scope, across runs."""

from __future__ import annotations

from pathlib import Path

from importer.journal import Database, Starts

NOW = 1_790_000_003.0


def test_starts_add_up_by_slot_and_outlive_the_process(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.sqlite3")
    starts = Starts(database, "one")
    for moment, count in ((NOW - 200.0, 5), (NOW - 5.0, 3), (NOW, 4), (NOW, -2)):
        with database.transaction() as tx:
            starts.charge(tx, moment, count)
    database.close()

    again = Database(tmp_path / "journal.sqlite3")
    assert Starts(again, "one").earlier(NOW + 10.0) == [(203.0, 5), (13.0, 3), (3.0, 2)]
    assert Starts(again, "another").earlier(NOW) == []
    again.close()


def test_what_is_older_than_a_day_is_dropped(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.sqlite3")
    starts = Starts(database, "one")
    with database.transaction() as tx:
        starts.charge(tx, NOW - 90_000.0, 5)
        starts.charge(tx, NOW - 80_000.0, 6)

    assert [count for _, count in starts.earlier(NOW)] == [6]
    assert database.connection.execute("SELECT count(*) FROM starts").fetchone() == (1,)
    database.close()

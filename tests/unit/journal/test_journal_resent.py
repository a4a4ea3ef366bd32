"""Rows that were sent again, in the journal: kept once, told once, and changed by what a later look finds."""

from __future__ import annotations

from importer.core.outcomes import FieldError
from importer.journal.sql.resent import is_customer_of_a_row, keep_resent, resent_rows
from importer.journal.sqlite.database import SqliteDatabase
from tests.unit.journal.conftest import begin, created, fill, open_book

DUPLICATED = FieldError("", "Two customers.", "duplicated_at_target")


def test_whose_a_customer_is_is_found_without_reading_every_row(database: SqliteDatabase) -> None:
    asked: list[str] = []
    database.connection.set_trace_callback(asked.append)
    is_customer_of_a_row(database.connection, "mine")
    database.connection.set_trace_callback(None)
    (statement,) = asked
    plan = " ".join(step for *_, step in database.connection.execute(f"EXPLAIN QUERY PLAN {statement}"))

    assert "rows_by_customer" in plan
    assert "SCAN rows" not in plan


def test_the_bodies_of_a_batch_are_read_once_for_all_of_its_rows(database: SqliteDatabase) -> None:
    keys = [f"k{ordinal}" for ordinal in range(6)]
    fill(database, run := begin(database), list(keys), batch_rows=3)
    book = open_book(database, run)
    book.claim()
    book.settle(*(created(ordinal, key) for ordinal, key in enumerate(keys)))
    with database.transaction() as tx:
        for ordinal in (5, 0, 4, 1, 3):
            keep_resent(tx, run, ordinal, 1_000.0 - ordinal)
    asked: list[str] = []
    database.connection.set_trace_callback(asked.append)
    found = resent_rows(database.connection, run)
    database.connection.set_trace_callback(None)

    assert [(row.record.ordinal, row.record.payload) for row in found] == [
        (ordinal, f'{{"key":"k{ordinal}"}}'.encode()) for ordinal in (5, 4, 3, 1, 0)
    ]
    assert sum("payloads" in statement for statement in asked) == 2

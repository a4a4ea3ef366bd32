"""Rows that were sent again, in the journal: kept once, told once, and changed by what a later look finds."""

from __future__ import annotations

from importer.core.outcomes import FieldError
from importer.journal.sql.resent import is_customer_of_a_row
from importer.journal.sqlite.database import SqliteDatabase

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

"""The `issues` table: one row an issue, written and read in one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from importer.records import Issue, Severity


def insert_issues(tx: sqlite3.Connection, run: int, issues: Iterable[Issue]) -> None:
    """Append issues to a run."""
    tx.executemany(
        "INSERT INTO issues (run, ordinal, code, severity, field, col, message) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (run, issue.ordinal, issue.code, issue.severity.value, issue.field, issue.column, issue.message)
            for issue in issues
        ),
    )


def issues_between(tx: sqlite3.Connection, run: int, first: int, end: int) -> Iterator[Issue]:
    """The issues of the rows `first` (included) to `end` (not), by row and then in the order they were found."""
    for ordinal, code, severity, field, column, message in tx.execute(
        "SELECT ordinal, code, severity, field, col, message FROM issues"
        " WHERE run = ? AND ordinal >= ? AND ordinal < ? ORDER BY ordinal, rowid",
        (run, first, end),
    ):
        yield Issue(ordinal, code, message, field, column, Severity(severity))

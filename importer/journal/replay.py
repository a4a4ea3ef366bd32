"""The journal becomes rows again: what results, reports and `explain` are made of. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from importer.journal.cells import unpack_cells, unpack_payloads, unpack_rows
from importer.journal.database import Database
from importer.journal.issue_rows import issues_between
from importer.records import Attempt, Issue, RowResult, RowState, Severity, Verdict


@dataclass(frozen=True, slots=True)
class ChangeTotal:
    """How often one rule altered one field."""

    rule: str
    field: str
    column: str
    count: int


class Replay:
    """One run, read back."""

    def __init__(self, database: Database, run: int) -> None:
        self._db = database
        self._run = run

    def results(self) -> Iterator[RowResult]:
        """Every row of the source in source order, with everything known about it."""
        after = -1
        while True:
            batch = self._batch("first > ? ORDER BY first LIMIT 1", after)
            if batch is None:
                return
            after, rows, cells, _ = batch
            yield from self._rows(after, rows, cells)

    def endings(self) -> Iterator[tuple[str, RowState, str]]:
        """The import key, state and customer id of every row that has a key."""
        with self._db.guarded("read"):
            for key, state, customer_id in self._db.connection.execute(
                "SELECT key, state, coalesce(customer_id, '') FROM rows WHERE run = ? AND key IS NOT NULL", (self._run,)
            ):
                yield key, RowState(state), customer_id

    def row(self, row: int) -> RowResult | None:
        """The data row with this number in the spreadsheet; None when there is none."""
        after = -1
        while (batch := self._batch("first > ? ORDER BY first LIMIT 1", after)) is not None:
            after, rows, cells, _ = batch
            if rows and rows[0] <= row <= rows[-1]:
                return next((result for result in self._rows(after, rows, cells) if result.row == row), None)
        return None

    def payload(self, ordinal: int) -> bytes:
        """The request body of a row; empty where it has none (invalid, or purged)."""
        batch = self._batch("first <= ? ORDER BY first DESC LIMIT 1", ordinal)
        if batch is None or not batch[3]:
            return b""
        return batch[3][ordinal - batch[0]]

    def attempts(self, ordinal: int) -> list[Attempt]:
        """Every request that was made for a row, in order."""
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT number, kind, started_at, duration_s, verdict, http_status, error_code, trace_id"
                " FROM attempts WHERE run = ? AND ordinal = ? ORDER BY number",
                (self._run, ordinal),
            ).fetchall()
        return [
            Attempt(number, kind, started_at, duration_s, Verdict(verdict), *rest)
            for number, kind, started_at, duration_s, verdict, *rest in found
        ]

    def changes(self) -> list[ChangeTotal]:
        """What normalisation altered, totalled, the most frequent first."""
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT rule, field, col, count FROM changes WHERE run = ? ORDER BY count DESC, rule, field, col",
                (self._run,),
            ).fetchall()
        return [ChangeTotal(*values) for values in found]

    # ------------------------------------------------------------------ pieces

    def _batch(self, where: str, value: int) -> tuple[int, list[int], list[list[str]], list[bytes]] | None:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT first, rows, cells, payloads FROM batches WHERE run = ? AND {where}", (self._run, value)
            ).fetchone()
        if found is None:
            return None
        first, rows, cells, payloads = found
        return first, list(unpack_rows(rows)), unpack_cells(cells), unpack_payloads(payloads) if payloads else []

    def _rows(self, first: int, rows: list[int], cells: list[list[str]]) -> Iterator[RowResult]:
        issues = self._issues(first, first + len(rows))
        states = self._states(first, first + len(rows))
        for i, values in enumerate(zip(*cells, strict=True)):
            ordinal = first + i
            state, customer_id, key, external_id, http_status, trace_id, attempts, ids = states[ordinal]
            found = issues.get(ordinal, ())
            yield RowResult(
                ordinal=ordinal,
                row=rows[i],
                cells=values,
                state=RowState(state),
                customer_id=customer_id or "",
                key=key or "",
                external_id=external_id or "",
                errors=tuple(issue for issue in found if issue.severity is Severity.ERROR),
                warnings=tuple(issue for issue in found if issue.severity is Severity.WARNING),
                http_status=http_status,
                trace_id=trace_id or "",
                attempts=attempts,
                candidates=tuple((ids or "").split()),
            )

    def _states(self, first: int, end: int) -> dict[int, list[Any]]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT ordinal, state, customer_id, key, external_id, http_status, trace_id, attempts, candidates"
                " FROM rows WHERE run = ? AND ordinal >= ? AND ordinal < ?",
                (self._run, first, end),
            ).fetchall()
        return {ordinal: values for ordinal, *values in found}

    def _issues(self, first: int, end: int) -> dict[int, list[Issue]]:
        by_row: dict[int, list[Issue]] = {}
        with self._db.guarded("read"):
            for issue in issues_between(self._db.connection, self._run, first, end):
                by_row.setdefault(issue.ordinal, []).append(issue)
        return by_row

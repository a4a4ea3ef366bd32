"""The journal becomes rows again: what results, reports and `explain` are made of. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from importer.core.issues import IssueLog
from importer.core.outcomes import Attempt, Verdict
from importer.core.results import ResultBatch, RowResult
from importer.core.states import LEFT_OPEN, RowState
from importer.journal.entries import ChangeTotal
from importer.journal.sql.database import Database
from importer.journal.sql.groups import leader_of
from importer.journal.sql.issue_rows import issues_between
from importer.journal.sql.packing import unpack_cells, unpack_payloads, unpack_rows, unpack_surplus
from importer.journal.sql.step_columns import follow_up, has_steps


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The rows of one stored batch."""

    first: int
    rows: list[int]
    surplus: Mapping[int, tuple[str, ...]]


class Replay:
    """One run, read back.

    Args:
        show_open: show rows that a pass has left open as what they are (`states.LEFT_OPEN`).
    """

    def __init__(self, database: Database, run: int, *, show_open: bool = False) -> None:
        self._db = database
        self._run = run
        self._states = _OPEN_STATES if show_open else _STATES

    def results(self) -> Iterator[RowResult]:
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[ResultBatch]:
        after = -1
        while (stretch := self._stretch("first > ? ORDER BY first LIMIT 1", after)) is not None:
            after = stretch.first
            yield self._batch(stretch)

    def batch(self, first: int) -> ResultBatch:
        stretch = self._stretch("first = ?", first)
        assert stretch is not None  # noqa: S101  # the caller has read of it
        return self._batch(stretch)

    def endings(self) -> Iterator[tuple[str, RowState, str]]:
        with self._db.guarded("read"):
            for key, state, customer_id in self._db.connection.execute(
                "SELECT key, state, coalesce(customer_id, '') FROM rows WHERE run = ? AND key IS NOT NULL", (self._run,)
            ):
                yield key, RowState(state), customer_id

    def row(self, row: int) -> RowResult | None:
        after = -1
        while (stretch := self._stretch("first > ? ORDER BY first LIMIT 1", after)) is not None:
            after = stretch.first
            if stretch.rows and stretch.rows[0] <= row <= stretch.rows[-1]:
                return self._batch(stretch)[stretch.rows.index(row)] if row in stretch.rows else None
        return None

    def payload(self, ordinal: int) -> bytes:
        ordinal = self._speaking(ordinal)
        stretch = self._stretch("first <= ? ORDER BY first DESC LIMIT 1", ordinal)
        payloads = None if stretch is None else self._blob("payloads", stretch.first)
        if stretch is None or not payloads:
            return b""
        return unpack_payloads(payloads)[ordinal - stretch.first]

    def attempts(self, ordinal: int) -> list[Attempt]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT number, kind, started_at, duration_s, verdict, http_status, error_code, trace_id"
                " FROM attempts WHERE run = ? AND ordinal = ? ORDER BY number",
                (self._run, self._speaking(ordinal)),
            ).fetchall()
        return [
            Attempt(number, kind, started_at, duration_s, Verdict(verdict), *rest)
            for number, kind, started_at, duration_s, verdict, *rest in found
        ]

    def changes(self) -> list[ChangeTotal]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT rule, field, col, count FROM changes WHERE run = ? ORDER BY count DESC, rule, field, col",
                (self._run,),
            ).fetchall()
        return [ChangeTotal(*values) for values in found]

    def group(self, ordinal: int) -> list[int]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT ordinal FROM rows WHERE run = ? AND leader = ? ORDER BY ordinal <> leader, ordinal",
                (self._run, self._speaking(ordinal)),
            ).fetchall()
        return [self._number(one) for (one,) in found]

    def leaders(self) -> dict[int, int]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT ordinal, leader FROM rows WHERE run = ? AND leader IS NOT NULL"
                " AND state NOT IN ('created', 'existing')",
                (self._run,),
            )
            return dict(found)

    def key(self, ordinal: int) -> str:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT coalesce(key, '') FROM rows WHERE run = ? AND ordinal = ?",
                (self._run, self._speaking(ordinal)),
            ).fetchone()
        return str(found[0]) if found else ""

    # ------------------------------------------------------------------ pieces

    def _speaking(self, ordinal: int) -> int:
        with self._db.guarded("read"):
            return leader_of(self._db.connection, self._run, ordinal)

    def _number(self, ordinal: int) -> int:
        stretch = self._stretch("first <= ? ORDER BY first DESC LIMIT 1", ordinal)
        return 0 if stretch is None else stretch.rows[ordinal - stretch.first]

    def _stretch(self, where: str, value: int) -> _Stretch | None:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT first, rows, surplus FROM batches WHERE run = ? AND {where}", (self._run, value)
            ).fetchone()
        return None if found is None else _Stretch(found[0], list(unpack_rows(found[1])), unpack_surplus(found[2]))

    def _blob(self, name: str, first: int) -> bytes | None:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT {name} FROM batches WHERE run = ? AND first = ?", (self._run, first)
            ).fetchone()
        blob: bytes | None = found[0]
        return blob

    def _batch(self, stretch: _Stretch) -> ResultBatch:
        first, size = stretch.first, len(stretch.rows)
        ended = self._invalid(first, size) if self._lists_invalid_only else self._ended(first, size)
        issues = self._issues(first, first + size)
        frame = unpack_cells(self._blob("cells", first), stretch.rows)
        if self._lists_invalid_only or len(ended) != size:
            listed, blank = _with_valid_ones(ended, first, size), [""] * size
            return ResultBatch(
                first,
                frame,
                listed,
                blank,
                blank,
                blank,
                [None] * size,
                blank,
                [0] * size,
                issues,
                surplus=stretch.surplus,
            )
        columns = tuple(zip(*ended, strict=True))
        _, states, customer_ids, keys, external_ids, statuses, trace_ids, attempts, ids, leaders = columns
        return ResultBatch(
            first,
            frame,
            states=list(map(self._states.__getitem__, states)),
            customer_ids=customer_ids,
            keys=keys,
            external_ids=external_ids,
            http_statuses=statuses,
            trace_ids=trace_ids,
            attempts=attempts,
            issues=issues,
            candidates={place: tuple(found.split()) for place, found in enumerate(ids) if found} if any(ids) else {},
            spoken_for=_spoken_for(leaders, first),
            surplus=stretch.surplus,
            follow_up=self._follow_up(first, size) if self._has_steps else {},
        )

    @cached_property
    def _lists_invalid_only(self) -> bool:
        """Whether the rows of a dry run without errors are not listed, and of the others no more than their state."""
        with self._db.guarded("read"):
            (dry_run, known) = self._db.connection.execute(
                "SELECT dry_run, EXISTS (SELECT 1 FROM rows WHERE rows.run = runs.run"
                " AND (key IS NOT NULL OR external_id IS NOT NULL)) FROM runs WHERE run = ?",
                (self._run,),
            ).fetchone()
        return bool(dry_run and not known)

    @cached_property
    def _has_steps(self) -> bool:
        with self._db.guarded("read"):
            return has_steps(self._db.connection, self._run)

    def _follow_up(self, first: int, size: int) -> Mapping[str, Sequence[str]]:
        with self._db.guarded("read"):
            return follow_up(self._db.connection, self._run, first, size)

    def _invalid(self, first: int, size: int) -> list[tuple[Any, ...]]:
        with self._db.guarded("read"):
            return self._db.connection.execute(
                "SELECT ordinal, state FROM rows WHERE run = ? AND ordinal >= ? AND ordinal < ?",
                (self._run, first, first + size),
            ).fetchall()

    def _ended(self, first: int, size: int) -> list[tuple[Any, ...]]:
        with self._db.guarded("read"):
            return self._db.connection.execute(
                "SELECT ordinal, state, coalesce(customer_id, ''), coalesce(key, ''), coalesce(external_id, ''),"
                " http_status, coalesce(trace_id, ''), attempts, candidates, leader"
                " FROM rows WHERE run = ? AND ordinal >= ? AND ordinal < ? ORDER BY ordinal",
                (self._run, first, first + size),
            ).fetchall()

    def _issues(self, first: int, end: int) -> IssueLog:
        with self._db.guarded("read"):
            return issues_between(self._db.connection, self._run, first, end)


_STATES = {state.value: state for state in RowState}
_OPEN_STATES = {state.value: LEFT_OPEN.get(state, state) for state in RowState}


def _spoken_for(leaders: Sequence[int | None], first: int) -> frozenset[int]:
    if leaders.count(None) == len(leaders):
        return frozenset()
    return frozenset(place for place, leader in enumerate(leaders) if leader not in {None, first + place})


def _with_valid_ones(listed: list[tuple[Any, ...]], first: int, size: int) -> list[RowState]:
    """Fill in what a dry run does not list: its rows without errors (see `RunIntake`)."""
    states = [RowState.VALID] * size
    for ordinal, state, *_ in listed:
        states[ordinal - first] = _STATES[state]
    return states

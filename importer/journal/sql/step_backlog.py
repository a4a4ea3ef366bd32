"""The steps of one run that are still to be taken, as tasks. Reads only; `step_claims` marks them."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from importer.core.step_tasks import StepTask
from importer.core.steps import CHANGES, NEEDED_BY_VERIFICATION, OPEN_STEPS, UNDOING, Step, StepState
from importer.journal.sql.database import Database
from importer.journal.sql.packing import unpack_payloads, unpack_rows
from importer.journal.sql.steps import HAS_STEP, OPEN

JOINED = (
    f"steps s JOIN rows r ON r.run = s.run AND r.ordinal = s.ordinal AND {HAS_STEP}"
    " AND (r.leader IS NULL OR r.leader = r.ordinal)"
)
"""The steps `s` of the rows `r` that have them; rows that another row speaks for have none of their own."""
ENTRY = "s.ordinal, s.part, coalesce(r.customer_id, ''), coalesce(r.key, ''), s.since, s.attempts, s.reference, s.looks"
"""The values of an `Entry`."""
_OF_WHOLE_BODY = frozenset({Step.VERIFY, Step.UPDATE})
"""Steps that get what the row sends as a whole."""
_NEEDED = ", ".join(sorted(f"'{step}'" for step in NEEDED_BY_VERIFICATION))


class Entry(NamedTuple):
    """One step of one row as the journal has it."""

    ordinal: int
    part: str
    customer_id: str
    key: str
    since: float | None
    attempts: int
    reference: str
    looks: int

    def task(self, step: Step, row: int, payload: bytes = b"", *, in_doubt: bool = False) -> StepTask:
        """Return it to be worked on."""
        guard, reference = (self.reference, "") if step in CHANGES else ("", self.reference)
        return StepTask(
            self.ordinal,
            row,
            step,
            self.part,
            self.customer_id,
            self.key,
            payload,
            in_doubt=in_doubt,
            doubt_since=self.since if in_doubt else None,
            prior_attempts=self.attempts,
            reference=reference,
            looks=self.looks,
            guard=guard,
        )


class Taken(NamedTuple):
    """A step that may be claimed.

    Args:
        blocked: a step that it needs has failed.
    """

    task: StepTask
    blocked: bool = False


class StepBacklog:
    """The entries of one step still to be taken, in the order of rows; those in doubt come last. Reads only."""

    def __init__(self, database: Database, run: int, step: Step) -> None:
        self._db = database
        self._run = run
        self._step = step
        self._entries = self._waiting()

    def take(self, count: int) -> list[Taken]:
        """The next entries, up to this many; empty when none is left."""
        return [one for _, one in zip(range(count), self._entries, strict=False)]

    def _waiting(self) -> Iterator[Taken]:
        in_doubt = self._in_doubt()
        yield from self._walk(StepState.WAITING)
        if in_doubt:
            yield from (one for one in self._walk(StepState.SENDING) if (one.task.ordinal, one.task.part) in in_doubt)

    def _in_doubt(self) -> frozenset[tuple[int, str]]:
        """What an earlier pass left behind: taken down before this pass marks entries of its own."""
        found = self._db.connection.execute(
            f"SELECT s.ordinal, s.part FROM steps s WHERE s.run = ? AND s.step = ? AND s.state = 'sending' AND {OPEN}",
            (self._run, self._step.value),
        )
        return frozenset(found)

    def _walk(self, state: StepState) -> Iterator[Taken]:
        there = "TRUE" if self._step in UNDOING else "payloads IS NOT NULL"  # else it was purged
        stretches = self._db.connection.execute(
            f"SELECT first, length FROM batches WHERE run = ? AND {there} ORDER BY first", (self._run,)
        ).fetchall()
        for first, length in stretches:
            entries = self._entries_of(first, first + length, state)
            if not entries:
                continue
            in_doubt = state is StepState.SENDING
            needed = {} if in_doubt else self._needed(first, first + length)
            rows, bodies = self._stretch(first, length)
            for entry in entries:
                before, place = needed.get(entry.ordinal), entry.ordinal - first
                if before is None or before not in OPEN_STEPS:
                    whole = self._step in _OF_WHOLE_BODY
                    body = bodies[place] if whole else _object(bodies[place], self._step, entry.part)
                    yield Taken(entry.task(self._step, rows[place], body, in_doubt=in_doubt), before is not None)

    def _entries_of(self, first: int, end: int, state: StepState) -> list[Entry]:
        found = self._db.connection.execute(
            f"SELECT {ENTRY} FROM {JOINED} WHERE s.run = ? AND s.step = ? AND s.state = ? AND {OPEN}"
            " AND s.ordinal >= ? AND s.ordinal < ? ORDER BY s.ordinal, s.part",
            (self._run, self._step.value, state.value, first, end),
        )
        return [Entry(*one) for one in found]

    def _needed(self, first: int, end: int) -> dict[int, StepState]:
        """For a verification: the rows of which a step that it needs is not done, and its state; failed ones count."""
        if self._step is not Step.VERIFICATION:
            return {}
        found = self._db.connection.execute(
            f"SELECT ordinal, state FROM steps WHERE run = ? AND ordinal >= ? AND ordinal < ? AND step IN ({_NEEDED})"
            " AND state IN ('waiting', 'sending', 'submitted', 'failed', 'unknown')"
            " ORDER BY state IN ('failed', 'unknown')",
            (self._run, first, end),
        )
        return {ordinal: StepState(state) for ordinal, state in found}

    def _stretch(self, first: int, length: int) -> tuple[array[int], Sequence[bytes]]:
        """The numbers of the rows of a stored batch, and what their steps send."""
        column = "payloads" if self._step in _OF_WHOLE_BODY else "after"
        rows, blob = self._db.connection.execute(
            f"SELECT rows, {column} FROM batches WHERE run = ? AND first = ?", (self._run, first)
        ).fetchone()
        return unpack_rows(rows), unpack_payloads(blob) if blob else [b""] * length


def _object(after: bytes, step: Step, part: str) -> bytes:
    """What a row brings for one step and part; empty: nothing."""
    if not after:
        return b""
    brought = json.loads(after).get(step.value)
    if brought is not None and part:
        brought = brought.get(part)
    return b"" if brought is None else json.dumps(brought, ensure_ascii=False, separators=(",", ":")).encode()

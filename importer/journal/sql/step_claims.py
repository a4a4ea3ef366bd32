"""Claim and settle of steps, in SQL: the marks that make a step safe after its row was created. Synchronous.

As with rows, a step is marked `sending` on disk before its request begins. What is found `sending` when a pass begins
is in doubt. Every method runs inside a transaction that the caller holds.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache

from importer.core.errors import JournalError
from importer.core.issue_codes.steps import BLOCKED, SAME_PART
from importer.core.issues import Issue, Severity
from importer.core.outcomes import FieldError
from importer.core.step_tasks import StepResult, StepTask
from importer.core.steps import OPEN_STEPS, STEP_RULES, STEP_TRANSITIONS, Step, StepState
from importer.journal.sql.bulk import insert, replacing, update
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.endings import Endings
from importer.journal.sql.packing import unpack_rows
from importer.journal.sql.step_backlog import ENTRY, JOINED, Entry, StepBacklog
from importer.journal.sql.steps import field_of

_SAME = "steps.run = new.run AND steps.ordinal = new.ordinal AND steps.step = new.step AND steps.part = new.part"
_SETTLED = (
    "run", "ordinal", "step", "part", "state", "reference", "status", "outcome", "detail", "attempts", "next_at",
)  # fmt: skip
_BATCHES_HELD = 64
_NAMED = 10
_ATTEMPT = (
    "run", "ordinal", "step", "part", "number", "kind", "started_at", "duration_s", "verdict", "http_status",
    "error_code", "trace_id",
)  # fmt: skip


class StepClaims:
    """The steps of one run while they are worked on.

    Args:
        endings: of the run's rows; writes warnings.
    """

    def __init__(self, database: Database, run: int, endings: Endings) -> None:
        self._db = database
        self._run = run
        self._endings = endings
        self._backlogs: dict[Step, StepBacklog] = {}
        self._looked_at: set[tuple[int, Step, str]] = set()
        self._number = lru_cache(_BATCHES_HELD)(self._numbers)

    def claim(self, tx: Connection, step: Step, limit: int, now: float) -> Sequence[StepTask]:
        """Take up to `limit` steps; those that cannot be done since one before them failed end on the way."""
        if step not in self._backlogs:
            self._backlogs[step] = StepBacklog(self._db, self._run, step)
        backlog = self._backlogs[step]
        tasks: list[StepTask] = []
        while len(tasks) < limit and (taken := backlog.take(limit - len(tasks))):
            blocked = [one.task for one in taken if one.blocked]
            self.settle(tx, [_blocked(task) for task in blocked])
            mine = [one.task for one in taken if not one.blocked]
            self._mark(tx, mine, now)
            tasks += mine
        return tasks

    def settle(self, tx: Connection, results: Sequence[StepResult]) -> None:
        """Record the states of steps.

        Raises:
            JournalError: a transition is not in `steps.STEP_TRANSITIONS`.
        """
        results = [self._without_idle_looks(result) for result in self._distinguished(tx, results)]
        for state in dict.fromkeys(result.state for result in results):
            self._change(tx, state, [result for result in results if result.state is state])
        self._forget_deleted(tx, [one for one in results if (one.step, one.state) == (Step.DELETE, StepState.DONE)])
        self._keep_attempts(tx, results)
        self._endings.warn(tx, [issue for result in results if (issue := self._issue(result))])
        self._looked_at.difference_update((result.ordinal, result.step, result.part) for result in results)

    def due(self, tx: Connection, limit: int, now: float) -> Sequence[StepTask]:
        """Give submitted steps whose next look is due, the longest due first; none twice while it is not settled."""
        found = tx.execute(
            f"SELECT {ENTRY}, s.step FROM {JOINED} WHERE s.run = ? AND s.state = 'submitted'"
            " AND (s.next_at IS NULL OR s.next_at <= ?) ORDER BY s.next_at NULLS FIRST LIMIT ?",
            (self._run, now, limit + len(self._looked_at)),
        ).fetchall()
        entries = [(Entry(*entry), Step(step)) for *entry, step in found]
        new = [(one, step) for one, step in entries if (one.ordinal, step, one.part) not in self._looked_at][:limit]
        self._looked_at.update((one.ordinal, step, one.part) for one, step in new)
        return [one.task(step, self._number_of(one.ordinal)) for one, step in new]

    def next_due(self, tx: Connection, now: float) -> float | None:
        """When the next look at a submitted step is due that nobody looks at now; None: there is none."""
        found = tx.execute(
            f"SELECT s.ordinal, s.step, s.part, s.next_at FROM {JOINED} WHERE s.run = ? AND s.state = 'submitted'"
            " ORDER BY s.next_at NULLS FIRST LIMIT ?",
            (self._run, 1 + len(self._looked_at)),
        ).fetchall()
        left = (at for ordinal, step, part, at in found if (ordinal, Step(step), part) not in self._looked_at)
        for at in left:
            return now if at is None else float(at)
        return None

    # ------------------------------------------------------------------ pieces

    def _without_idle_looks(self, result: StepResult) -> StepResult:
        """The result without requests that decided nothing: a step may be looked at for days."""
        looked_at = (result.ordinal, result.step, result.part) in self._looked_at
        return result._replace(attempts=()) if looked_at and result.state is StepState.SUBMITTED else result

    def _distinguished(self, tx: Connection, results: Sequence[StepResult]) -> Iterator[StepResult]:
        """The results, none of a part that is at the target what another part of the row is: one of them is missing."""
        taken: set[tuple[int, Step, str]] = set()
        for result in results:
            one = (result.ordinal, result.step, result.reference)
            rule, is_done = STEP_RULES[result.step], result.state is StepState.DONE
            if not (rule.parts and rule.looked_up and is_done and result.reference):
                yield result
            elif one in taken or self._is_taken(tx, result):
                yield _same_as_another(result)
            else:
                taken.add(one)
                yield result

    def _is_taken(self, tx: Connection, result: StepResult) -> bool:
        """Whether another part of the row is done, and is this very thing at the target."""
        found = tx.execute(
            "SELECT 1 FROM steps WHERE run = ? AND ordinal = ? AND step = ? AND part <> ? AND reference = ?"
            " AND state = 'done'",
            (self._run, result.ordinal, result.step.value, result.part, result.reference),
        )
        return found.fetchone() is not None

    def _mark(self, tx: Connection, tasks: Sequence[StepTask], now: float) -> None:
        changed = update(
            tx,
            "steps",
            "SET state = 'sending', since = coalesce(steps.since, new.since)",
            ("run", "ordinal", "step", "part", "since"),
            [(self._run, task.ordinal, task.step.value, task.part, now) for task in tasks],
            where=f"{_SAME} AND steps.state IN ('waiting', 'sending')",
        )
        if changed != len(tasks):
            raise JournalError("The steps of the run changed while they were taken.")
        self._note_updated(tx, tasks)

    def _change(self, tx: Connection, state: StepState, results: Sequence[StepResult]) -> None:
        before = [f"'{earlier.value}'" for earlier, after in STEP_TRANSITIONS.items() if state in after]
        changed = update(
            tx,
            "steps",
            "SET state = new.state, outcome = new.outcome, detail = new.detail,"
            " status = CASE WHEN new.status = '' AND new.state = 'submitted' THEN steps.status ELSE new.status END,"
            " reference = CASE WHEN new.reference = '' THEN steps.reference ELSE new.reference END,"
            " attempts = steps.attempts + new.attempts,"
            " looks = steps.looks + CASE steps.state WHEN 'submitted' THEN 1 ELSE 0 END,"
            " next_at = new.next_at",
            _SETTLED,
            [
                (
                    self._run,
                    result.ordinal,
                    result.step.value,
                    result.part,
                    state.value,
                    result.reference,
                    result.status,
                    result.outcome,
                    json.dumps(result.detail, ensure_ascii=False),
                    len(result.attempts),
                    result.next_at,
                )
                for result in results
            ],
            where=f"{_SAME} AND steps.state IN ({', '.join(before) or 'NULL'})",
        )
        if changed != len(results):
            steps = ", ".join(f"#{result.ordinal} {result.step} {result.part}".strip() for result in results[:_NAMED])
            raise JournalError(f"A step cannot become '{state}' from the state it is in (one of {steps}).")

    def _forget_deleted(self, tx: Connection, results: Sequence[StepResult]) -> None:
        """Free the keys of customers that are deleted: their rows may be imported again."""
        self._memory(tx, "DELETE FROM identities", [result.ordinal for result in results])

    def _note_updated(self, tx: Connection, tasks: Sequence[StepTask]) -> None:
        """Note of customers that are updated that what was sent first says nothing about them any more."""
        (facts,) = tx.execute("SELECT facts FROM runs WHERE run = ?", (self._run,)).fetchone()
        if not json.loads(facts).get("lists_only"):
            noted = "UPDATE identities SET body = upper(substr(body, 1, 1)) || substr(body, 2)"
            self._memory(tx, noted, [task.ordinal for task in tasks if task.step is Step.UPDATE])

    def _memory(self, tx: Connection, change: str, ordinals: Sequence[int]) -> None:
        """Change what the scope knows of the customers of rows, by whatever keys it does.

        Args:
            change: a statement over `identities`, without its condition.
        """
        tx.executemany(
            "WITH its AS (SELECT r.key FROM rows d JOIN rows r ON r.customer_id = d.customer_id"
            " WHERE d.run = ? AND d.ordinal = ? AND r.key IS NOT NULL)"
            f" {change} WHERE scope = (SELECT scope FROM runs WHERE run = ?) AND key IN"
            " (SELECT key FROM its UNION SELECT was FROM renewed_keys WHERE key IN (SELECT key FROM its))",
            [(self._run, ordinal, self._run) for ordinal in ordinals],
        )

    def _keep_attempts(self, tx: Connection, results: Sequence[StepResult]) -> None:
        insert(
            tx,
            "step_attempts",
            _ATTEMPT,
            [
                (self._run, result.ordinal, result.step.value, result.part, *attempt)
                for result in results
                for attempt in result.attempts
            ],
            replacing(_ATTEMPT, 5),
        )

    def _issue(self, result: StepResult) -> Issue | None:
        """What the row is warned of: an open step has not come to anything yet."""
        error = result.error
        if error is None or result.state in OPEN_STEPS:
            return None
        path = field_of(result.step, result.part, error.path)
        return Issue(result.ordinal, error.code, error.message, path, self._endings.column_of(path), Severity.WARNING)

    def _number_of(self, ordinal: int) -> int:
        (first,) = self._db.connection.execute(
            "SELECT max(first) FROM batches WHERE run = ? AND first <= ?", (self._run, ordinal)
        ).fetchone()
        number: int = self._number(first)[ordinal - first]
        return number

    def _numbers(self, first: int) -> array[int]:
        (rows,) = self._db.connection.execute(
            "SELECT rows FROM batches WHERE run = ? AND first = ?", (self._run, first)
        ).fetchone()
        return unpack_rows(rows)


def _same_as_another(result: StepResult) -> StepResult:
    """Two parts of a row cannot be distinguished, and the target shows one thing for both."""
    error = FieldError("", SAME_PART, "beneficiary_unknown")
    return result._replace(state=StepState.UNKNOWN, reference="", error=error)


def _blocked(task: StepTask) -> StepResult:
    error = FieldError("", BLOCKED, "idv_blocked")
    return StepResult(task.ordinal, task.step, task.part, StepState.FAILED, error=error)

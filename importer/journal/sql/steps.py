"""The steps of one run: planned, opened again, and read back. They are claimed and settled by `step_claims`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, groupby

from importer.core.errors import JournalError
from importer.core.issue_codes.steps import CODES_OF_STEP, NOT_READY
from importer.core.issues import Issue, Severity
from importer.core.outcomes import Attempt, Verdict
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, RowStep, StepCount
from importer.core.steps import AFTER_CREATE, STEP_REOPENINGS, STEP_RULES, Step, StepState, in_short
from importer.journal.port.steps import BodyOfRow
from importer.journal.sql.bulk import insert
from importer.journal.sql.comparing import refuse
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.endings import column_of
from importer.journal.sql.groups import SPEAKS, followers, for_followers, leader_of
from importer.journal.sql.issue_rows import insert_issues, remove_issues
from importer.journal.sql.packing import unpack_payloads, unpack_rows

HAS_STEP = "((r.state = 'created' AND s.step <> 'update') OR (r.state = 'existing' AND s.step IN ('verify', 'update')))"
"""Whether a row `r` has a step `s` that was planned for it (`core.steps.has_step`)."""
OPEN = "s.state IN ('waiting', 'sending', 'submitted')"
"""Steps with something left to do, in the words of the index of them."""
_FOLLOWED = (
    "SELECT 1 FROM steps s JOIN rows r ON r.run = s.run AND r.ordinal = s.ordinal"
    f" WHERE s.run = runs.run AND {OPEN} AND {HAS_STEP} AND s.step NOT IN ('suspend', 'delete')"
)
HAS_OPEN_STEPS = f"EXISTS ({_FOLLOWED})"
"""Whether a run has steps left to do, of rows that have them; what takes creates back is not followed."""
HAS_DUE_STEPS = f"EXISTS ({_FOLLOWED} AND (s.state <> 'submitted' OR coalesce(s.next_at <= ?, TRUE)))"
"""The same, of steps that can be done or looked at by a time; without a time any."""
_AGAIN = "ON CONFLICT (run, ordinal, step, part) DO UPDATE SET state = excluded.state, detail = excluded.detail"
"""Its attempts stay, and are counted on."""
_CHANGED_AGAIN = (
    "ON CONFLICT (run, ordinal, step, part) DO UPDATE SET state ="
    " CASE WHEN steps.state IN ('sending', 'unknown') THEN 'sending' ELSE 'waiting' END,"
    " status = '', outcome = '', detail = '[]', reference = excluded.reference"
    " WHERE steps.state <> 'done'"
)
"""A change that may have been made is read first, whatever plan it was of."""
IS_CHANGE = "step IN ('update', 'suspend', 'delete')"
"""Steps of which a guard is kept until the run is purged, a hash of what the customer was like."""
_ORDER = {step: number for number, step in enumerate(Step)}
_STATES = {state: number for number, state in enumerate(StepState)}


_UNDONE = (
    "(step NOT IN ('suspend', 'delete') AND EXISTS (SELECT 1 FROM steps u WHERE u.run = steps.run"
    " AND u.ordinal = steps.ordinal AND u.step IN ('suspend', 'delete') AND u.state = 'done'))"
)
"""Whether a step is one of a customer that was taken back: nothing more is done to it."""
_KNOWN_CUSTOMER = (
    "SELECT o.customer_id FROM identities i JOIN rows o ON o.run = i.run AND o.ordinal = i.ordinal"
    " WHERE i.scope = (SELECT scope FROM runs WHERE runs.run = rows.run) AND i.key = rows.key"
    " AND o.state IN ('created', 'existing')"
)
"""The customer of a row that an earlier run created, or found."""


class RunSteps:
    """The steps of one run. Implements `port.RunSteps`."""

    def __init__(self, database: Database, run: int) -> None:
        self._db = database
        self._run = run

    def bodies(self, states: Collection[RowState]) -> Iterator[Sequence[BodyOfRow]]:
        with self._db.guarded("read"):
            stretches = self._db.connection.execute(
                "SELECT first, length FROM batches WHERE run = ? ORDER BY first", (self._run,)
            ).fetchall()
        for first, length in stretches:
            if found := self._bodies(first, length, states):
                yield found

    def plan(self, planned: Sequence[PlannedStep], without: Sequence[int] = ()) -> None:
        with self._db.transaction() as tx:
            forget_planned(tx, self._run, sorted({*without, *(one.ordinal for one in planned)}))
            self._insert(tx, planned)
            lacking = [one for one in planned if one.state is StepState.NOT_READY]
            self._say(tx, lacking, "idv_not_ready", NOT_READY, Severity.WARNING)

    def verify(self, ordinals: Sequence[int]) -> None:
        with self._db.transaction() as tx:
            self._forget_warnings(tx, Step.VERIFY, "", ordinals)
            self._insert(tx, [PlannedStep(ordinal, Step.VERIFY) for ordinal in ordinals], _AGAIN)

    def change(self, step: Step, planned: Sequence[PlannedStep]) -> None:
        chosen = json.dumps(ordinals := [one.ordinal for one in planned])
        of_step = "run = ? AND step = ?"
        which = (self._run, step.value, chosen)
        with self._db.transaction() as tx:
            others = f"{of_step} AND ordinal NOT IN ({tx.dialect.numbers.format('?')})"
            forget_planned(tx, self._run, ordinals, but=step)
            tx.execute(f"DELETE FROM steps WHERE {others} AND state = 'waiting'", which)
            tx.execute(f"UPDATE steps SET state = 'unknown' WHERE {others} AND state = 'sending'", which)
            done = {
                row for (row,) in tx.execute(f"SELECT ordinal FROM steps WHERE {of_step} AND state = 'done'", which[:2])
            }
            self._forget_warnings(tx, step, "", [ordinal for ordinal in ordinals if ordinal not in done])
            self._insert(tx, planned, _CHANGED_AGAIN)

    def states(self, step: Step) -> Mapping[tuple[int, str], StepState]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT s.ordinal, s.part, s.state FROM steps s JOIN rows r ON r.run = s.run AND r.ordinal = s.ordinal"
                f" WHERE s.run = ? AND s.step = ? AND {HAS_STEP}",
                (self._run, step.value),
            ).fetchall()
        return {(ordinal, part): StepState(state) for ordinal, part, state in found}

    def refuse(self, refused: Sequence[PlannedStep], code: str, sentence: str) -> None:
        ordinals = [one.ordinal for one in refused]
        with self._db.transaction() as tx:
            self._require_ready(tx, ordinals)
            refuse(tx, self._run, [*ordinals, *chain.from_iterable(followers(tx, self._run, ordinals).values())])
            self._say(tx, refused, code, sentence, Severity.ERROR)

    def listed(self) -> Iterator[tuple[BodyOfRow, str]]:
        for bodies in self.bodies({RowState.EXISTING}):
            with self._db.guarded("read"):
                found = self._db.connection.execute(
                    "SELECT ordinal, reference FROM steps WHERE run = ? AND ordinal BETWEEN ? AND ?"
                    " AND step = 'update' AND reference <> ''",
                    (self._run, bodies[0].ordinal, bodies[-1].ordinal),
                ).fetchall()
            guards = dict(found)
            yield from ((one, guards[one.ordinal]) for one in bodies if one.ordinal in guards)

    def reopen(
        self, states: Collection[StepState], steps: Collection[Step] = AFTER_CREATE, *, guarded: bool = False
    ) -> None:
        with self._db.transaction() as tx:
            for state in set(states) & set(STEP_REOPENINGS):
                kinds = {Step.VERIFY} & set(steps) if state is StepState.DONE else steps
                self._reopen(tx, state, kinds, "reference <> ''" if guarded else "TRUE")

    def counts(self) -> list[StepCount]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT s.step, s.state, CASE s.step WHEN 'verification' THEN s.outcome"
                " WHEN 'update' THEN s.status ELSE '' END AS came, count(*)"
                " FROM steps s JOIN rows r ON r.run = s.run AND r.ordinal = s.ordinal"
                f" WHERE s.run = ? AND {HAS_STEP} GROUP BY s.step, s.state, came",
                (self._run,),
            ).fetchall()
        counts = [StepCount(Step(step), StepState(state), outcome, entries) for step, state, outcome, entries in found]
        return sorted(counts, key=lambda one: (_ORDER[one.step], _STATES[one.state], one.outcome))

    def of_row(self, ordinal: int) -> list[RowStep]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT s.step, s.part, s.state, s.reference, s.status, s.outcome, s.detail, s.attempts"
                " FROM steps s JOIN rows r ON r.run = s.run AND r.ordinal = s.ordinal"
                f" WHERE s.run = ? AND s.ordinal = ? AND {HAS_STEP} ORDER BY s.part",
                (self._run, leader_of(self._db.connection, self._run, ordinal)),
            ).fetchall()
        steps = [
            RowStep(Step(step), part, StepState(state), reference, status, outcome, tuple(json.loads(detail)), attempts)
            for step, part, state, reference, status, outcome, detail, attempts in found
        ]
        return sorted(steps, key=lambda one: _ORDER[one.step])

    def attempts(self, ordinal: int) -> list[tuple[Step, str, Attempt]]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT step, part, number, kind, started_at, duration_s, verdict, http_status, error_code, trace_id"
                " FROM step_attempts WHERE run = ? AND ordinal = ? ORDER BY started_at, number",
                (self._run, leader_of(self._db.connection, self._run, ordinal)),
            ).fetchall()
        return [
            (Step(step), part, Attempt(number, kind, started_at, duration_s, Verdict(verdict), *rest))
            for step, part, number, kind, started_at, duration_s, verdict, *rest in found
        ]

    # ------------------------------------------------------------------ pieces

    def _insert(
        self, tx: Connection, planned: Sequence[PlannedStep], on_conflict: str = "ON CONFLICT DO NOTHING"
    ) -> None:
        values = [
            (self._run, one.ordinal, one.step.value, one.part, one.state.value, json.dumps(one.detail), one.guard)
            for one in planned
        ]
        columns = ("run", "ordinal", "step", "part", "state", "detail", "reference")
        insert(tx, "steps", columns, values, on_conflict)

    def _bodies(self, first: int, length: int, states: Collection[RowState]) -> list[BodyOfRow]:
        wanted = json.dumps([state.value for state in states])
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT ordinal, state, coalesce(customer_id, ({_KNOWN_CUSTOMER}), ''), coalesce(key, '') FROM rows"
                " WHERE run = ? AND ordinal >= ? AND ordinal < ?"
                f" AND state IN ({self._db.connection.dialect.words.format('?')}) AND {SPEAKS} ORDER BY ordinal",
                (self._run, first, first + length, wanted),
            ).fetchall()
            if not found:
                return []
            numbers, payloads, after = self._db.connection.execute(
                "SELECT rows, payloads, after FROM batches WHERE run = ? AND first = ?", (self._run, first)
            ).fetchone()
        if payloads is None:
            return []
        rows, sent = unpack_rows(numbers), unpack_payloads(payloads)
        brought = unpack_payloads(after) if after else [b""] * length
        places = [(ordinal, ordinal - first, state, known) for ordinal, state, *known in found]
        return [
            BodyOfRow(ordinal, rows[at], RowState(state), sent[at], brought[at], *known)
            for ordinal, at, state, known in places
        ]

    def _require_ready(self, tx: Connection, ordinals: Sequence[int]) -> None:
        (ready,) = tx.execute(
            "SELECT count(*) FROM rows WHERE run = ? AND state = 'ready'"
            f" AND ordinal IN ({tx.dialect.numbers.format('?')})",
            (self._run, json.dumps(ordinals)),
        ).fetchone()
        if ready != len(ordinals):
            raise JournalError("A row cannot be refused once it is no longer ready.")

    def _say(
        self, tx: Connection, lacking: Sequence[PlannedStep], code: str, sentence: str, severity: Severity
    ) -> None:
        """Say to rows, and to the others of their groups, which fields are missing."""
        (facts,) = tx.execute("SELECT facts FROM runs WHERE run = ?", (self._run,)).fetchone()
        columns: Mapping[str, str] = json.loads(facts).get("mapping") or {}
        issues = []
        for one in lacking:
            found = (column_of(path, columns) for path in one.detail)
            path, column = one.detail[0] if len(one.detail) == 1 else "", ", ".join(dict.fromkeys(filter(None, found)))
            issues.append(Issue(one.ordinal, code, sentence.format(in_short(one.detail)), path, column, severity))
        insert_issues(tx, self._run, [*issues, *for_followers(tx, self._run, issues)])

    def _reopen(self, tx: Connection, state: StepState, steps: Collection[Step], also: str) -> None:
        which = (self._run, state.value, json.dumps([step.value for step in steps]))
        opened = f"run = ? AND state = ? AND step IN ({tx.dialect.words.format('?')}) AND {also} AND NOT {_UNDONE}"
        found = tx.execute(
            f"SELECT step, part, ordinal FROM steps WHERE {opened} ORDER BY step, part", which
        ).fetchall()
        for (step, part), entries in groupby(found, lambda one: one[:2]):
            self._forget_warnings(tx, Step(step), part, [ordinal for *_, ordinal in entries])
        tx.execute(
            f"UPDATE steps SET state = ?, status = '', outcome = '', detail = '[]', next_at = NULL WHERE {opened}",
            (STEP_REOPENINGS[state].value, *which),
        )

    def _forget_warnings(self, tx: Connection, step: Step, part: str, ordinals: Sequence[int]) -> None:
        rows = {*ordinals, *chain.from_iterable(followers(tx, self._run, ordinals).values())}
        remove_issues(tx, self._run, rows, codes=CODES_OF_STEP[step], under=field_of(step, part))


def forget_planned(tx: Connection, run: int, ordinals: Sequence[int], but: Step | None = None) -> None:
    """Drop the steps of some rows that are not begun, and what was said of those that are not ready.

    Args:
        but: of one kind they stay; None: of none.
    """
    which = (run, json.dumps(list(ordinals)), but or "")
    ours = tx.dialect.numbers.format("?")
    planned = f"run = ? AND ordinal IN ({ours}) AND step <> ? AND state IN ('waiting', 'not_ready')"
    lacking = tx.execute(f"SELECT ordinal FROM steps WHERE {planned} AND state = 'not_ready'", which).fetchall()
    if lacking:
        rows = [ordinal for (ordinal,) in lacking]
        rows += chain.from_iterable(followers(tx, run, rows).values())
        remove_issues(tx, run, rows, codes=("idv_not_ready",))
    tx.execute(f"DELETE FROM steps WHERE {planned}", which)


def field_of(step: Step, part: str, path: str = "") -> str:
    """Where a warning of a step is: of steps with parts always in its part, so that it goes with it alone.

    Args:
        path: the field that it is about; empty: the step as a whole.
    """
    within = f"{step}.{part}" if STEP_RULES[step].parts else ""
    if not within or path == within or path.startswith(f"{within}."):
        return path
    return f"{within}.{path}" if path else within

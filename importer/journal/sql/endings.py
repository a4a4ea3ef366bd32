"""How rows end, in SQL: their states, attempts and issues, in one transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

from importer.core.errors import JournalError
from importer.core.issues import Issue, Severity
from importer.core.outcomes import Attempt, Outcome
from importer.core.states import AMENDMENTS, TRANSITIONS, RowState
from importer.journal.sql.bulk import insert, replacing
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.groups import follow, followers, for_followers, has_groups
from importer.journal.sql.issue_rows import insert_issues, remove_issues

_CERTAIN = (RowState.CREATED, RowState.EXISTING, RowState.REJECTED, RowState.FAILED)
_AGAIN = {RowState.UNSENT: RowState.READY, RowState.UNKNOWN: RowState.SENDING}
_NAMED = 10
_ATTEMPT = (
    "run", "ordinal", "number", "kind", "started_at", "duration_s", "verdict", "http_status", "error_code", "trace_id",
)  # fmt: skip


def column_of(path: str, columns: Mapping[str, str]) -> str:
    """Find the source column(s) that a field of the API comes from; "" where none does.

    Args:
        path: the field as the API names it; an object of several fields (`primaryEmail`) means all of them.
        columns: customer field to source column(s).
    """
    if path in columns or not path:
        return columns.get(path, "")
    inside = (column for name, column in columns.items() if column and name.startswith(f"{path}."))
    return ", ".join(dict.fromkeys(inside))


class Endings:
    """Writes how rows of one run end, and copies it to the other rows of their groups.

    Args:
        columns: customer field to source column, for the errors that the API reports.
        fixed_in_doubt: rows that came back fixed while they were in doubt.
    """

    def __init__(
        self, database: Database, run: int, columns: Mapping[str, str], fixed_in_doubt: AbstractSet[int]
    ) -> None:
        self._run = run
        self._columns = columns
        self._fixed_in_doubt = fixed_in_doubt
        self._grouped = has_groups(database.connection, run)

    def settle(self, tx: Connection, outcomes: Sequence[Outcome]) -> None:
        """Record how claimed rows ended: many at once cost a fraction of one by one.

        Raises:
            JournalError: a transition is not in `states.TRANSITIONS`.
        """
        for state in {outcome.state for outcome in outcomes}:
            self.change(tx, state, [outcome for outcome in outcomes if outcome.state is state])
        self._keep(tx, outcomes)

    def put_back(self, tx: Connection, outcomes: Sequence[Outcome]) -> None:
        """Have claimed rows wait again: those that are unsent, and those that are unknown stay in doubt.

        Raises:
            JournalError: as of `settle`.
        """
        self.settle(tx, outcomes)
        ordinals = [outcome.ordinal for outcome in outcomes]
        self._forget_errors(tx, ordinals)
        rows = [(_AGAIN[outcome.state].value, self._run, outcome.ordinal) for outcome in outcomes]
        tx.executemany("UPDATE rows SET state = ? WHERE run = ? AND ordinal = ?", rows)
        self.follow(tx, ordinals)

    def amend(self, tx: Connection, outcome: Outcome) -> None:
        """Record what a later look has found out about a row that had ended.

        Raises:
            JournalError: it is not in `states.AMENDMENTS`.
        """
        self._forget_errors(tx, [outcome.ordinal])
        self.change(tx, outcome.state, [outcome], AMENDMENTS)
        self._keep(tx, [outcome])

    def change(
        self,
        tx: Connection,
        state: RowState,
        outcomes: Sequence[Outcome],
        allowed: Mapping[RowState, AbstractSet[RowState]] = TRANSITIONS,
    ) -> None:
        """Update rows to their outcome, if the table of what may follow what allows it for all of them."""
        before = ", ".join(f"'{earlier.value}'" for earlier, after in allowed.items() if state in after) or "NULL"
        changed = insert(
            tx,
            "rows",
            ("run", "ordinal", "state", "customer_id", "http_status", "trace_id", "candidates", "attempts"),
            [
                (
                    self._run,
                    outcome.ordinal,
                    state.value,
                    outcome.customer_id or None,
                    outcome.http_status,
                    outcome.trace_id or None,
                    " ".join(outcome.candidates) or None,
                    len(outcome.attempts),
                )
                for outcome in outcomes
            ],
            "ON CONFLICT (run, ordinal) DO UPDATE SET state = excluded.state, customer_id = excluded.customer_id,"
            " http_status = excluded.http_status, trace_id = excluded.trace_id, candidates = excluded.candidates,"
            f" attempts = rows.attempts + excluded.attempts WHERE rows.state IN ({before})",
        )
        if changed != len(outcomes):
            rows = ", ".join(f"#{outcome.ordinal}" for outcome in outcomes[:_NAMED])
            raise JournalError(f"A row cannot become '{state}' from the state it is in (one of {rows}).")
        self.follow(tx, [outcome.ordinal for outcome in outcomes])

    def _forget_errors(self, tx: Connection, ordinals: Sequence[int]) -> None:
        """Remove the errors of rows, and of the rows that they speak for."""
        others = followers(tx, self._run, {*ordinals}) if self._grouped else {}
        remove_issues(tx, self._run, {*ordinals, *chain(*others.values())}, errors_only=True)

    def follow(self, tx: Connection, ordinals: Sequence[int]) -> None:
        """Have the other rows of groups be what the rows are that speak for them."""
        if self._grouped:
            follow(tx, self._run, ordinals)

    def warn(self, tx: Connection, warnings: Sequence[Issue]) -> None:
        """Warn of rows, and of the rows that they speak for."""
        insert_issues(tx, self._run, [*warnings, *self._repeated(tx, warnings)])

    def column_of(self, path: str) -> str:
        """Find the source column(s) of a field."""
        return column_of(path, self._columns)

    def _keep(self, tx: Connection, outcomes: Sequence[Outcome]) -> None:
        """Keep the attempts and issues of outcomes."""
        insert(
            tx,
            "attempts",
            _ATTEMPT,
            [self._attempt(outcome.ordinal, attempt) for outcome in outcomes for attempt in outcome.attempts],
            replacing(_ATTEMPT, 3),
        )
        issues = [issue for outcome in outcomes for issue in self._issues(outcome)]
        insert_issues(tx, self._run, [*issues, *self._repeated(tx, issues)])
        if self._fixed_in_doubt:
            self._forget_earlier(tx, outcomes)

    def _repeated(self, tx: Connection, issues: Sequence[Issue]) -> Iterator[Issue]:
        return for_followers(tx, self._run, issues) if self._grouped and issues else iter(())

    def _issues(self, outcome: Outcome) -> Iterator[Issue]:
        for error in outcome.errors:
            column = column_of(error.path, self._columns)
            yield Issue(outcome.ordinal, error.code, error.message, error.path, column)
        for warning in outcome.warnings:
            yield Issue(outcome.ordinal, warning.code, warning.message, warning.path, severity=Severity.WARNING)

    def _forget_earlier(self, tx: Connection, outcomes: Sequence[Outcome]) -> None:
        """Drop earlier forms of rows that are certain now, and that are not looked up again."""
        certain = [(self._run, outcome.ordinal) for outcome in outcomes if outcome.state in _CERTAIN]
        known = [row for row in certain if row[1] in self._fixed_in_doubt]
        tx.executemany(
            "DELETE FROM sent WHERE run = ? AND ordinal = ?"
            " AND NOT EXISTS (SELECT 1 FROM resent r WHERE r.run = sent.run AND r.ordinal = sent.ordinal)",
            known,
        )

    def _attempt(self, ordinal: int, attempt: Attempt) -> tuple[object, ...]:
        return (
            self._run,
            ordinal,
            attempt.number,
            attempt.kind,
            attempt.started_at,
            attempt.duration_s,
            attempt.verdict.value,
            attempt.http_status,
            attempt.error_code,
            attempt.trace_id,
        )

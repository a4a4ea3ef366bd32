"""Claim and settle: the two marks that make a row safe, in SQL. Synchronous; grouped by `group_commit`.

A row is marked `sending` on disk before its request begins, and its answer is recorded after. What is
found `sending` when nobody is sending it is *in doubt* and is never sent again blindly. Which row claimed an
import key last is kept over all runs of a scope (`identities`), so that a second run of the same rows knows
what the first one did.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from importer.core.contract import Contract
from importer.core.errors import JournalError
from importer.core.issues import Issue, Severity
from importer.core.outcomes import Attempt, Claimed, EarlierForm, Outcome, Record, Resent
from importer.core.states import AMENDMENTS, LEFT_OPEN, TRANSITIONS, RowState
from importer.journal.sqlite.bulk import insert
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.groups import SPEAKS, follow, followers, has_groups
from importer.journal.sqlite.issue_rows import insert_issues, remove_issues
from importer.journal.sqlite.packing import unpack_payloads, unpack_rows
from importer.journal.sqlite.resent import (
    earlier_forms,
    forget_resent,
    is_customer_of_a_row,
    keep_resent,
    resent_rows,
    shared_customers,
)
from importer.journal.sqlite.sent import MARKS, UNSTAMPED, Hashing, Sent

_CREATED = (RowState.CREATED.value, RowState.EXISTING.value)
_IN_DOUBT = (RowState.SENDING.value, RowState.UNKNOWN.value)
_DIFFERS = (
    "differs_from_imported",
    "An earlier run created this customer from other data; what has changed since is not sent.",
)
_SAID = """CASE WHEN r.state IS NULL OR (r.state IN ('ready', 'invalid') AND r.doubt_since IS NULL)
 THEN 'unknown' ELSE r.state END"""
"""What a row says of its key. One that is not there, or that was loaded anew, cannot say that nothing was sent."""
_CERTAIN = (RowState.CREATED, RowState.EXISTING, RowState.REJECTED, RowState.FAILED)
_NAMED = 10
_PARAMETERS = 500  # well under SQLite's limit of bound variables in old builds (999)


class _Waiting(NamedTuple):
    """A row that may be claimed, before its import key was looked up."""

    ordinal: int
    row: int
    key: str
    external_id: str
    payload: bytes
    in_doubt: bool
    doubt_since: float | None
    attempts: int


class _Known(NamedTuple):
    """What the scope remembers of an import key."""

    state: str
    customer_id: str
    since: float
    body: str


def column_of(path: str, columns: Mapping[str, str]) -> str:
    """Find the source column(s) that a field of the API comes from; "" where none does.

    Args:
        path: the field as the API names it; an object of several fields (`primaryEmail`) stands for all of them.
        columns: customer field to source column(s).
    """
    if path in columns or not path:
        return columns.get(path, "")
    inside = (column for name, column in columns.items() if column and name.startswith(f"{path}."))
    return ", ".join(dict.fromkeys(inside))


def _of_a_contact(path: str, message: str) -> tuple[str, str]:
    """Name the field of a further contact as the profile does: all contacts come from the same columns.

    Which contact it is, the message then says: the main one is the first, the others follow in row order.
    """
    found = _FURTHER_CONTACT.match(path)
    if found is None:
        return path, message
    return f"contacts.primary{found[2]}", f"Contact {int(found[1]) + 1} of the business: {message}"


_FURTHER_CONTACT = re.compile(r"contacts\.(\d{1,3})((?:\.|$).*)", re.DOTALL)


class Claims:
    """The claims of one run. Its methods run inside a transaction that the caller holds.

    Args:
        scope: where import keys are unique.
        contract: what the records are.
        columns: customer field to source column, for the errors that the API reports.
        secret: the workspace's, for hashes of what was sent.
        verify_existing: give out rows that earlier runs created as well, to be looked up.
    """

    def __init__(
        self,
        database: Database,
        run: int,
        scope: str,
        contract: Contract,
        columns: Mapping[str, str] = MappingProxyType({}),
        *,
        secret: bytes = b"",
        verify_existing: bool = False,
    ) -> None:
        self._db = database
        self._run = run
        self._scope = scope
        self._hashing, self._key_rule = Hashing(contract, secret), contract.identity.key_rule
        self._columns = columns
        self._verify = verify_existing
        self._backlog = self._waiting()
        self._grouped = has_groups(database.connection, run)
        self._fixed_in_doubt = self._came_back_in_doubt()

    def claim(self, tx: sqlite3.Connection, limit: int, now: float) -> Claimed:
        """Take up to `limit` rows to send; rows known from earlier runs end on the way and do not count."""
        records: list[Record] = []
        known: list[Outcome] = []
        while len(records) < limit:
            rows = [row for _, row in zip(range(limit - len(records)), self._backlog, strict=False)]
            if not rows:
                break
            marked: list[tuple[Record, float]] = []
            verified: list[Record] = []
            for row, memory in self._with_memory(tx, rows):
                if memory is not None and memory.state in _CREATED:
                    asked_before = row.in_doubt and row.doubt_since is None  # taken by an earlier pass, never sent
                    if not asked_before:
                        self._warn_where_it_differs(tx, row, memory)
                    if (self._verify or asked_before) and memory.customer_id:
                        verified.append(self._verified(row, memory))
                    else:
                        known.append(self._end_as_existing(tx, row, memory))
                else:
                    marked.append(self._marked(row, memory, now))
            self._mark_sending(tx, marked)
            self._mark_verified(tx, verified)
            records += [*(record for record, _ in marked), *verified]
        return Claimed(tuple(records), tuple(known))

    def settle(self, tx: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
        """Record how claimed rows ended: many at once cost a fraction of one by one.

        Raises:
            JournalError: a transition is not in `states.TRANSITIONS`.
        """
        for state in {outcome.state for outcome in outcomes}:
            self._change(tx, state, [outcome for outcome in outcomes if outcome.state is state])
        self._keep(tx, outcomes)

    def _keep(self, tx: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
        """Keep the attempts and issues of outcomes."""
        insert(
            tx,
            "INSERT OR REPLACE INTO attempts",
            [self._attempt(outcome.ordinal, attempt) for outcome in outcomes for attempt in outcome.attempts],
        )
        issues = [issue for outcome in outcomes for issue in self._issues(outcome)]
        insert_issues(tx, self._run, [*issues, *self._repeated(tx, issues)])
        if self._fixed_in_doubt:
            self._forget_earlier(tx, outcomes)

    def _repeated(self, tx: sqlite3.Connection, issues: Sequence[Issue]) -> Iterator[Issue]:
        """Say to the other rows of a group what is said of the row that was sent for them."""
        if self._grouped and issues:
            others = followers(tx, self._run, {issue.ordinal for issue in issues})
            for issue in issues:
                for ordinal in others.get(issue.ordinal, ()):
                    yield replace(issue, ordinal=ordinal)

    def amend(self, tx: sqlite3.Connection, outcome: Outcome) -> None:
        """Record what a later look has found out about a row that had ended.

        Raises:
            JournalError: it is not in `states.AMENDMENTS`.
        """
        others = followers(tx, self._run, {outcome.ordinal}) if self._grouped else {}
        remove_issues(tx, self._run, {outcome.ordinal, *others.get(outcome.ordinal, ())}, errors_only=True)
        self._change(tx, outcome.state, [outcome], AMENDMENTS)
        self._keep(tx, [outcome])

    def sends_again(self, tx: sqlite3.Connection, ordinal: int, now: float) -> None:
        """Keep that a row is about to be sent although an earlier create of it may have arrived.

        Args:
            now: by our own clock, seconds since the epoch.
        """
        keep_resent(tx, self._run, ordinal, now)

    def resent(self, tx: sqlite3.Connection) -> list[Resent]:
        """The rows that were sent again and are to be looked at again."""
        return resent_rows(tx, self._run)

    def looked_at_last(self, tx: sqlite3.Connection, ordinal: int) -> None:
        """A row that was sent again was looked at late enough."""
        forget_resent(tx, self._run, ordinal)

    def owned_by_another(self, tx: sqlite3.Connection, customer_id: str, ordinal: int) -> bool:
        """Whether a row other than this one is known to be a customer."""
        return is_customer_of_a_row(tx, customer_id, (self._run, ordinal))

    def shared_customers(self, tx: sqlite3.Connection) -> list[tuple[str, Sequence[int]]]:
        """Every customer that more than one created row bears, and the ordinals of those rows."""
        return shared_customers(tx, self._run)

    def _issues(self, outcome: Outcome) -> Iterator[Issue]:
        for error in outcome.errors:
            path, message = _of_a_contact(error.path, error.message)
            yield Issue(outcome.ordinal, error.code, message, path, column_of(path, self._columns))
        for warning in outcome.warnings:
            yield Issue(outcome.ordinal, warning.code, warning.message, warning.path, severity=Severity.WARNING)

    def never_claimed(self, keys: AbstractSet[str]) -> set[str]:
        """Of some import keys those that no run of this scope has ever claimed: another workspace's.

        Raises:
            JournalError: the journal cannot be read.
        """
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT value FROM json_each(?) AS asked WHERE NOT EXISTS"
                " (SELECT 1 FROM identities WHERE scope = ? AND key = asked.value)",
                (json.dumps(sorted(keys)), self._scope),
            ).fetchall()
        return {key for (key,) in found}

    def finish(self, tx: sqlite3.Connection) -> None:
        """End what a stopping run leaves: rows never taken are `unsent`, rows in doubt are `unknown`."""
        for before, after in LEFT_OPEN.items():
            tx.execute("UPDATE rows SET state = ? WHERE run = ? AND state = ?", (after.value, self._run, before.value))

    # ------------------------------------------------------------------ rows that came back fixed while in doubt

    def _came_back_in_doubt(self) -> frozenset[int]:
        found = self._db.connection.execute("SELECT DISTINCT ordinal FROM sent WHERE run = ?", (self._run,))
        return frozenset(ordinal for (ordinal,) in found)

    def _earlier(self, ordinal: int) -> tuple[EarlierForm, ...]:
        """Every other form of a row that may have been sent, the first one first."""
        if ordinal not in self._fixed_in_doubt:
            return ()
        return earlier_forms(self._db.connection, self._run, ordinal)

    def _forget_earlier(self, tx: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
        """Drop what was sent of rows whose fate is known now, and that are not looked at again."""
        certain = [(self._run, outcome.ordinal) for outcome in outcomes if outcome.state in _CERTAIN]
        known = [row for row in certain if row[1] in self._fixed_in_doubt]
        tx.executemany(
            "DELETE FROM sent WHERE run = ? AND ordinal = ?"
            " AND NOT EXISTS (SELECT 1 FROM resent r WHERE r.run = sent.run AND r.ordinal = sent.ordinal)",
            known,
        )

    # ------------------------------------------------------------------ the rows still to be taken

    def _waiting(self) -> Iterator[_Waiting]:
        """Rows in doubt come last: they need looks spread over time, and meanwhile that time passes by itself."""
        in_doubt = self._ordinals_in_doubt()
        yield from self._waiting_in(RowState.READY)
        yield from self._waiting_in(RowState.SENDING, among=in_doubt)

    def _ordinals_in_doubt(self) -> frozenset[int]:
        """What an earlier pass left behind: taken down before this pass marks rows of its own."""
        found = self._db.connection.execute(
            "SELECT ordinal FROM rows WHERE run = ? AND state = ?", (self._run, RowState.SENDING.value)
        )
        return frozenset(ordinal for (ordinal,) in found)

    def _waiting_in(self, state: RowState, among: frozenset[int] | None = None) -> Iterator[_Waiting]:
        after = -1
        while True:
            batch = self._db.connection.execute(
                "SELECT first, length, rows, payloads FROM batches WHERE run = ? AND first + length > ("
                f" SELECT ordinal FROM rows WHERE run = ? AND state = ? AND ordinal > ? AND {SPEAKS}"
                " ORDER BY ordinal LIMIT 1)"
                " ORDER BY first LIMIT 1",
                (self._run, self._run, state.value, after),
            ).fetchone()
            if batch is None:
                return
            first, length, numbers, blob = batch
            rows, payloads = unpack_rows(numbers), unpack_payloads(blob)
            found = self._db.connection.execute(
                "SELECT ordinal, key, coalesce(external_id, ''), doubt_since, attempts FROM rows"
                f" WHERE run = ? AND state = ? AND ordinal >= ? AND ordinal < ? AND {SPEAKS} ORDER BY ordinal",
                (self._run, state.value, first, first + length),
            ).fetchall()
            in_doubt = state is RowState.SENDING
            for ordinal, key, external_id, since, attempts in found:
                if among is not None and ordinal not in among:
                    continue
                i = ordinal - first
                yield _Waiting(ordinal, rows[i], key, external_id, payloads[i], in_doubt, since, attempts)
            after = first + length - 1

    def _with_memory(
        self, tx: sqlite3.Connection, rows: Sequence[_Waiting]
    ) -> Iterator[tuple[_Waiting, _Known | None]]:
        memory: dict[str, _Known] = {}
        for start in range(0, len(rows), _PARAMETERS):
            keys = [row.key for row in rows[start : start + _PARAMETERS]]
            marks = ",".join("?" * len(keys))
            for key, *known in tx.execute(
                f"SELECT i.key, {_SAID}, coalesce(r.customer_id, ''), i.since, coalesce(i.body, '')"
                " FROM identities i LEFT JOIN rows r ON r.run = i.run AND r.ordinal = i.ordinal"
                f" WHERE i.scope = ? AND i.key IN ({marks})",
                (self._scope, *keys),
            ):
                memory[key] = _Known(*known)
        return ((row, memory.get(row.key)) for row in rows)

    # ------------------------------------------------------------------ marks

    def _marked(self, row: _Waiting, memory: _Known | None, now: float) -> tuple[Record, float]:
        """Make the record of a row, and say since when it may have been sent."""
        doubted = memory is not None and memory.state in _IN_DOUBT
        in_doubt = row.in_doubt or doubted
        since = row.doubt_since or now
        if memory is not None and doubted:
            since = min(since, memory.since)
        record = Record(
            ordinal=row.ordinal,
            row=row.row,
            key=row.key,
            payload=row.payload,
            external_id=row.external_id,
            in_doubt=in_doubt,
            doubt_since=since if in_doubt else None,
            doubt_elsewhere=doubted and not row.in_doubt,
            prior_attempts=row.attempts,
            sent_unstamped=memory is not None and doubted and memory.body.startswith(UNSTAMPED),
            earlier=self._earlier(row.ordinal) if in_doubt else (),
        )
        return record, since

    def _mark_sending(self, tx: sqlite3.Connection, marked: Sequence[tuple[Record, float]]) -> None:
        sending = RowState.SENDING.value
        insert(
            tx,
            "INSERT INTO rows (run, ordinal, state, doubt_since)",
            [(self._run, record.ordinal, sending, since) for record, since in marked],
            "ON CONFLICT DO UPDATE SET state = excluded.state, doubt_since = excluded.doubt_since",
        )
        if self._grouped:
            follow(tx, self._run, [record.ordinal for record, _ in marked])
        insert(
            tx,
            "INSERT INTO identities (scope, key, run, ordinal, since, body, person, rule)",
            [
                (
                    self._scope,
                    record.key,
                    self._run,
                    record.ordinal,
                    since,
                    *self._sent(record),
                    self._key_rule,
                )
                for record, since in marked
            ],
            "ON CONFLICT DO UPDATE SET run = excluded.run, ordinal = excluded.ordinal, since = excluded.since,"
            " body = excluded.body, person = excluded.person, rule = excluded.rule",
        )

    def _end_as_existing(self, tx: sqlite3.Connection, row: _Waiting, memory: _Known) -> Outcome:
        outcome = Outcome(row.ordinal, row.key, RowState.EXISTING, customer_id=memory.customer_id)
        self._change(tx, outcome.state, [outcome])
        return outcome

    def _verified(self, row: _Waiting, memory: _Known) -> Record:
        return Record(
            row.ordinal,
            row.row,
            row.key,
            row.payload,
            external_id=row.external_id,
            prior_attempts=row.attempts,
            known_id=memory.customer_id,
        )

    def _mark_verified(self, tx: sqlite3.Connection, records: Sequence[Record]) -> None:
        """Mark rows that are only looked up: their keys stay those of the runs that created the customers."""
        tx.executemany(
            "UPDATE rows SET state = ? WHERE run = ? AND ordinal = ?",
            [(RowState.SENDING.value, self._run, record.ordinal) for record in records],
        )
        if self._grouped:
            follow(tx, self._run, [record.ordinal for record in records])

    def _warn_where_it_differs(self, tx: sqlite3.Connection, row: _Waiting, memory: _Known) -> None:
        if memory.body.startswith(MARKS) and not self._sent(row).means_the_same(memory.body):
            warning = Issue(row.ordinal, *_DIFFERS, severity=Severity.WARNING)
            insert_issues(tx, self._run, (warning, *self._repeated(tx, (warning,))))

    def _sent(self, row: _Waiting | Record) -> Sent:
        return self._hashing.sent(row.payload, row.key)

    def _change(
        self,
        tx: sqlite3.Connection,
        state: RowState,
        outcomes: Sequence[Outcome],
        allowed: Mapping[RowState, AbstractSet[RowState]] = TRANSITIONS,
    ) -> None:
        """Update rows to their outcome, if the table of what may follow what allows it for all of them."""
        before = ", ".join(f"'{earlier.value}'" for earlier, after in allowed.items() if state in after)
        changed = insert(
            tx,
            "INSERT INTO rows (run, ordinal, state, customer_id, http_status, trace_id, candidates, attempts)",
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
            "ON CONFLICT DO UPDATE SET state = excluded.state, customer_id = excluded.customer_id,"
            " http_status = excluded.http_status, trace_id = excluded.trace_id, candidates = excluded.candidates,"
            f" attempts = attempts + excluded.attempts WHERE state IN ({before})",
        )
        if changed != len(outcomes):
            rows = ", ".join(f"#{outcome.ordinal}" for outcome in outcomes[:_NAMED])
            raise JournalError(f"A row cannot become '{state}' from the state it is in (one of {rows}).")
        if self._grouped:
            follow(tx, self._run, [outcome.ordinal for outcome in outcomes])

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

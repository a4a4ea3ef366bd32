"""Claim: the mark that makes a row safe, in SQL; its other half, how it ended, is written by `endings`. Synchronous.

A row is marked `sending` on disk before its request begins, and its answer is recorded after. What is
found `sending` when no program sends it is *in doubt* and is never sent again blindly. Which row claimed an
import key last is kept over all runs of a scope (`identities`), so that a second run of the same rows knows
what the first one did.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from importer.core.issues import Issue, Severity
from importer.core.outcomes import Claimed, EarlierForm, Outcome, Record
from importer.core.states import LEFT_OPEN, RowState
from importer.journal.port.delivery import RunToSend
from importer.journal.sql.backlog import Backlog, Known, LotsOfRows, Waiting, with_memory
from importer.journal.sql.bulk import insert
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.endings import Endings
from importer.journal.sql.other_secrets import KnownKeys, as_known
from importer.journal.sql.resent import earlier_forms
from importer.journal.sql.sent import MARKS, UNSTAMPED, Hashing, Sent

_CREATED = (RowState.CREATED.value, RowState.EXISTING.value)
_IN_DOUBT = (RowState.SENDING.value, RowState.UNKNOWN.value)
_DIFFERS = (
    "differs_from_imported",
    "An earlier run created this customer from other data; what has changed since is not sent.",
)

_NOT_PLANNED = "DELETE FROM steps WHERE run = ? AND ordinal = ? AND step = 'update' AND state = 'waiting'"


class Claims:
    """The claims of one run. Its methods run inside a transaction that the caller holds.

    Args:
        sending: which rows, and how they are sent.
    """

    def __init__(self, database: Database, sending: RunToSend) -> None:
        contract = sending.contract
        self._db = database
        self._run = run = sending.run
        self._scope = sending.scope
        self._identity, self._key_rule = contract.identity, contract.identity.key_rule
        self._secrets = (sending.secret, *database.carried().secrets)
        self._hashing, *self._former_hashings = (Hashing(contract, secret) for secret in self._secrets)
        self._verify, self._on_existing = sending.verify_existing, sending.on_existing
        self._known_id = contract.fields.known_id.name if sending.finds_only and contract.fields.known_id else ""
        self._backlog = LotsOfRows(database, run, sending.lease) if sending.lease else Backlog(database, run)
        self._fixed_in_doubt = self._came_back_in_doubt()
        self.endings = Endings(database, run, sending.columns, self._fixed_in_doubt)

    def claim(self, tx: Connection, limit: int, now: float) -> Claimed:
        """Take up to `limit` rows to send; rows known from earlier runs end on the way and do not count."""
        records: list[Record] = []
        known: list[Outcome] = []
        while len(records) < limit:
            rows = self._backlog.take(limit - len(records))
            if not rows:
                break
            if self._known_id:
                found = [self._named(row) for row in rows]
                self._mark_verified(tx, found)
                records += found
                continue
            if self._former_hashings:
                known_by = KnownKeys(tx, "", self._scope, self._secrets, self._identity)
                rows = as_known(tx, self._run, rows, known_by)
            marked: list[tuple[Record, float]] = []
            verified: list[Record] = []
            for row, memory in with_memory(tx, self._scope, rows):
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

    def never_claimed(self, keys: AbstractSet[str]) -> set[str]:
        """Of some import keys those that no run of this scope has ever claimed: another workspace's.

        Raises:
            JournalError: the journal cannot be read.
        """
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT value FROM ({self._db.connection.dialect.words.format('?')}) AS asked WHERE NOT EXISTS"
                " (SELECT 1 FROM identities WHERE scope = ? AND key = asked.value)",
                (json.dumps(sorted(keys)), self._scope),
            ).fetchall()
        return {key for (key,) in found}

    def finish(self, tx: Connection) -> None:
        """End what a stopping run leaves: rows never taken are `unsent`, rows in doubt are `unknown`."""
        for before, after in LEFT_OPEN.items():
            tx.execute("UPDATE rows SET state = ? WHERE run = ? AND state = ?", (after.value, self._run, before.value))

    # ------------------------------------------------------------------ marks

    def _marked(self, row: Waiting, memory: Known | None, now: float) -> tuple[Record, float]:
        """Make the record of a row; also returns since when it may have been sent."""
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
            doubt_of_other_run=doubted and not row.in_doubt,
            prior_attempts=row.attempts,
            sent_unstamped=memory is not None and doubted and memory.body.startswith(UNSTAMPED),
            earlier=self._earlier(row.ordinal) if in_doubt else (),
        )
        return record, since

    def _mark_sending(self, tx: Connection, marked: Sequence[tuple[Record, float]]) -> None:
        sending = RowState.SENDING.value
        insert(
            tx,
            "rows",
            ("run", "ordinal", "state", "doubt_since"),
            [(self._run, record.ordinal, sending, since) for record, since in marked],
            "ON CONFLICT (run, ordinal) DO UPDATE SET state = excluded.state, doubt_since = excluded.doubt_since",
        )
        self.endings.follow(tx, [record.ordinal for record, _ in marked])
        insert(
            tx,
            "identities",
            ("scope", "key", "run", "ordinal", "since", "body", "person", "rule"),
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
            "ON CONFLICT (scope, key) DO UPDATE SET run = excluded.run, ordinal = excluded.ordinal,"
            " since = excluded.since, body = excluded.body, person = excluded.person, rule = excluded.rule",
        )

    def _end_as_existing(self, tx: Connection, row: Waiting, memory: Known) -> Outcome:
        outcome = Outcome(row.ordinal, row.key, RowState.EXISTING, customer_id=memory.customer_id)
        self.endings.change(tx, outcome.state, [outcome])
        return outcome

    def _named(self, row: Waiting) -> Record:
        """Make the record of a row that names a customer."""
        known = json.loads(row.payload).get(self._known_id, "")
        record = Record(row.ordinal, row.row, row.key, row.payload, row.external_id)
        return record._replace(prior_attempts=row.attempts, known_id=known)

    def _verified(self, row: Waiting, memory: Known) -> Record:
        return Record(
            row.ordinal,
            row.row,
            row.key,
            row.payload,
            external_id=row.external_id,
            prior_attempts=row.attempts,
            known_id=memory.customer_id,
        )

    def _mark_verified(self, tx: Connection, records: Sequence[Record]) -> None:
        """Mark rows that are only looked up: their keys stay those of the runs that created the customers."""
        tx.executemany(
            "UPDATE rows SET state = ? WHERE run = ? AND ordinal = ?",
            [(RowState.SENDING.value, self._run, record.ordinal) for record in records],
        )
        self.endings.follow(tx, [record.ordinal for record in records])

    def _warn_where_it_differs(self, tx: Connection, row: Waiting, memory: Known) -> None:
        if not memory.body.lower().startswith(MARKS):  # it is not known what was sent
            return
        hashings = (self._hashing, *self._former_hashings)
        same = any(one.sent(row.payload, row.key).means_the_same(memory.body) for one in hashings)
        if not same and self._on_existing == "report":
            warning = Issue(row.ordinal, *_DIFFERS, severity=Severity.WARNING)
            self.endings.warn(tx, [warning])
        elif same and self._on_existing == "update" and memory.body.startswith(MARKS):  # nothing was sent since
            tx.execute(_NOT_PLANNED, (self._run, row.ordinal))

    def _sent(self, row: Record) -> Sent:
        return self._hashing.sent(row.payload, row.key)

    # ------------------------------------------------------------------ rows that came back fixed while in doubt

    def _came_back_in_doubt(self) -> frozenset[int]:
        found = self._db.connection.execute("SELECT DISTINCT ordinal FROM sent WHERE run = ?", (self._run,))
        return frozenset(ordinal for (ordinal,) in found)

    def _earlier(self, ordinal: int) -> tuple[EarlierForm, ...]:
        """Every other form of a row that may have been sent, the first one first."""
        if ordinal not in self._fixed_in_doubt:
            return ()
        return earlier_forms(self._db.connection, self._run, ordinal)

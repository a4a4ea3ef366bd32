"""Reading and checking, as the journal keeps them: cells first, then verdicts. Implements `ports.Intake`.

Nothing here needs to survive the disk at once: nothing was sent yet, and a run that dies while it is
loading is loaded again. So each batch is one commit, and that is all.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, repeat

from importer.core.batches import Change, ChangeLog, CheckedBatch, DuplicateVerdict, RawBatch
from importer.core.contract import Contract
from importer.core.errors import BusyError
from importer.core.issues import IssueCollector, IssueKind, IssueLog, Severity
from importer.core.states import RowState
from importer.journal.facts import VerificationFacts
from importer.journal.location import Location
from importer.journal.matching import Comparison, Merging
from importer.journal.runs import LOADING
from importer.journal.sql.bulk import insert
from importer.journal.sql.comparing import compare, refuse, refuse_old_matches
from importer.journal.sql.database import Connection, Database, Earlier
from importer.journal.sql.groups import Groups
from importer.journal.sql.issue_rows import insert_issues, issues_between, remove_issues
from importer.journal.sql.likenesses import Likenesses
from importer.journal.sql.other_secrets import adopt_keys_of_other_secrets
from importer.journal.sql.packing import (
    pack_after,
    pack_cells,
    pack_payloads,
    pack_rows,
    pack_surplus,
    unpack_cells,
    unpack_rows,
    unpack_surplus,
)
from importer.journal.sql.runs import widen
from importer.journal.sql.same_rows import (
    adopt_keys_of_earlier_rules,
    adopt_keys_of_same_content,
    assign_occurrences,
    rekey,
)
from importer.journal.sql.sent import Hashing
from importer.journal.sql.spool import SpooledNumbers

_ROW = ("run", "ordinal", "state", "key", "external_id")
_KNOWN = """
SELECT rows.ordinal, runs.run_id, runs.target
FROM {1} AS rows
LEFT JOIN {1} AS speaking ON speaking.run = rows.run AND speaking.ordinal = rows.leader
JOIN {0}identities AS known ON known.key = coalesce(rows.key, speaking.key)
JOIN {0}rows AS theirs ON theirs.run = known.run AND theirs.ordinal = known.ordinal
 AND theirs.state IN ('created', 'existing')
JOIN {0}runs AS runs ON runs.run = known.run
WHERE rows.run = ? AND rows.state <> 'invalid' AND ? IN ('', known.scope)
"""
_KNOWN_THERE = """
SELECT rows.ordinal FROM {1} AS rows
JOIN {0}identities AS known ON known.scope = ? AND known.key = rows.key
JOIN {0}rows AS theirs ON theirs.run = known.run AND theirs.ordinal = known.ordinal
 AND theirs.state IN ('created', 'existing')
WHERE rows.run = ? AND rows.state <> 'invalid'
ORDER BY rows.ordinal
"""


class RunIntake:
    """The rows of one run on their way to being ready.

    Args:
        contract: what the records are.
        valid_state: what a row without errors becomes: `ready`, or `valid` in a dry run, which sends nothing and so
            keeps no request bodies.
        keyed: keep every row with its import key. A dry run that compares itself with nothing need not: it keeps
            the rows with errors only, and those that it does not list are valid.
        keeps_bodies: keep the request bodies of a dry run, too.
        merging: how the bodies of rows that are one customer become one; None: rows are not grouped.
    """

    def __init__(
        self,
        database: Database,
        run: int,
        contract: Contract,
        *,
        valid_state: RowState = RowState.READY,
        keyed: bool = True,
        merging: Merging | None = None,
        keeps_bodies: bool = False,
    ) -> None:
        self._db = database
        self._run = run
        self._valid = valid_state
        self.sends = valid_state is not RowState.VALID
        self.keyed = keyed or self.sends or merging is not None
        self.keeps_bodies = keeps_bodies or self.sends or merging is not None
        self._businesses = Groups(database, run, contract, merging) if merging else None
        self._likenesses = Likenesses(database, run, contract.identity, self.numbers)
        self._groups: Sequence[Sequence[int]] = ()
        self._idv_ready: int | None = None
        self._idv_missing: Counter[str] = Counter()

    @property
    def idv(self) -> VerificationFacts:
        if self._idv_ready is None:
            return VerificationFacts()
        return VerificationFacts(ready=self._idv_ready, missing=self._idv_missing)

    def numbers(self, typecode: str) -> SpooledNumbers:
        return SpooledNumbers(self._db.folder, typecode)

    def restart(self) -> None:
        with self._db.transaction() as tx:
            (phase,) = tx.execute("SELECT phase FROM runs WHERE run = ?", (self._run,)).fetchone()
            if phase != LOADING:
                raise BusyError("Another program has taken up this run.", "Wait for it to end; then resume the run.")
            for table in ("batches", "rows", "issues", "changes", "members", "steps", "step_attempts"):
                tx.execute(f"DELETE FROM {table} WHERE run = ?", (self._run,))
            tx.execute("UPDATE runs SET extra = 0 WHERE run = ?", (self._run,))

    def load(self, batch: RawBatch) -> None:
        with self._db.transaction() as tx:
            tx.execute(
                "INSERT INTO batches (run, first, length, rows, cells, surplus) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._run,
                    batch.first,
                    len(batch),
                    pack_rows(batch.rows),
                    batch.packed(pack_cells),
                    pack_surplus(batch.surplus),
                ),
            )
            if batch.surplus:
                widest = max(map(len, batch.surplus.values()))
                widen(tx, self._run, widest)
            insert_issues(tx, self._run, batch.issues)

    def raw(self, after: int = -1) -> Iterator[RawBatch]:
        while True:
            with self._db.guarded("read"):
                found = self._db.connection.execute(
                    "SELECT first, rows, cells, surplus FROM batches WHERE run = ? AND first > ?"
                    " ORDER BY first LIMIT 1",
                    (self._run, after),
                ).fetchone()
            if found is None:
                return
            after, rows, cells, surplus = found
            numbers = list(unpack_rows(rows))
            issues = self._reading_issues(after, after + len(numbers))
            yield RawBatch(after, unpack_cells(cells, numbers), issues, unpack_surplus(surplus))

    def record(self, batch: CheckedBatch) -> None:
        first, last = batch.raw.first, batch.raw.first + len(batch.raw)
        with self._db.transaction() as tx:
            self._insert_rows(tx, batch)
            if self.keeps_bodies:
                tx.execute(
                    "UPDATE batches SET payloads = ?, after = ? WHERE run = ? AND first = ?",
                    (pack_payloads(batch.payloads), pack_after(batch.after), self._run, first),
                )
            if batch.raw.issues:  # the checked batch repeats what reading found
                remove_issues(tx, self._run, range(first, last))
            insert_issues(tx, self._run, batch.issues)
            self._count_changes(tx, batch.changes)
        if self.keyed:
            self._likenesses.observe(batch)
        if batch.idv_ready is not None:
            self._idv_ready = (self._idv_ready or 0) + sum(batch.idv_ready)
            self._idv_missing.update(batch.idv_missing)

    def _insert_rows(self, tx: Connection, batch: CheckedBatch) -> None:
        first, invalid, valid = batch.raw.first, RowState.INVALID.value, self._valid.value
        if self.keyed:
            states = [invalid if payload is None else valid for payload in batch.payloads]
            ids = [external_id or None for external_id in batch.external_ids]
            rows = zip(repeat(self._run), count(first), states, batch.keys, ids)
            tx.executemany(f"INSERT INTO rows ({', '.join(_ROW)}) VALUES (?, ?, ?, ?, ?)", rows)
        elif None in batch.payloads:
            bad = [first + place for place, payload in enumerate(batch.payloads) if payload is None]
            insert(tx, "rows", _ROW, [(self._run, ordinal, invalid, None, None) for ordinal in bad])

    def judged(self, verdict: DuplicateVerdict) -> None:
        issues = IssueLog.of(verdict.issues)
        with self._db.transaction() as tx:
            insert_issues(tx, self._run, issues)
            refuse(tx, self._run, sorted(issues.invalid()))
            rekey(tx, self._run, verdict.rekeyed)
        self._groups = verdict.groups
        if self._businesses:
            self._businesses.form(verdict.leaders)

    def compare(self, journal: Location, secret: bytes, how: Comparison) -> None:
        with self._db.attach(self._db, journal, how.scope) as earlier:
            if how.scope and how.allows_duplicates and earlier.scopes:
                assign_occurrences(self._db, self._run, earlier, Hashing(how.contract, secret), self._groups)
            adopt_keys_of_earlier_rules(self._db, self._run, earlier)
            adopt_keys_of_other_secrets(self._db, self._run, earlier, secret, how)
            adopt_keys_of_same_content(self._db, self._run, earlier, how.content, how.sheet)
            self._warn_of_known(earlier, how.scope)
            refuse_old_matches(self._db, self._run, earlier, secret, how)
            compare(self._db, self._run, self._likenesses, earlier, how)
        self._hold_groups()

    def compare_and_remember(self, scope: str, secret: bytes, how: Comparison) -> None:
        earlier = Earlier(self._db, [scope])
        if how.allows_duplicates:
            assign_occurrences(self._db, self._run, earlier, Hashing(how.contract, secret), self._groups)
        adopt_keys_of_earlier_rules(self._db, self._run, earlier)
        adopt_keys_of_other_secrets(self._db, self._run, earlier, secret, how)
        adopt_keys_of_same_content(self._db, self._run, earlier, how.content, how.sheet)
        refuse_old_matches(self._db, self._run, earlier, secret, how)
        compare(self._db, self._run, self._likenesses, earlier, how)
        self._hold_groups()
        self._likenesses.remember()

    def invalid(self) -> array[int]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT ordinal FROM rows WHERE run = ? AND state = 'invalid' ORDER BY ordinal", (self._run,)
            )
            return array("Q", (ordinal for (ordinal,) in found))

    def known(self, scope: str, journal: Location | None = None) -> Iterator[int]:
        if journal is None:
            yield from self._known(Earlier(self._db, [scope]), scope)
        elif journal.exists:
            with self._db.attach(self._db, journal, scope) as earlier:
                yield from self._known(earlier, scope)

    def _known(self, earlier: Earlier, scope: str) -> Iterator[int]:
        with earlier.database.guarded("compared with earlier runs"):
            statement = _KNOWN_THERE.format(earlier.where, earlier.lend(self._run))
            for (ordinal,) in earlier.database.connection.execute(statement, (scope, self._run)):
                yield ordinal

    def _warn_of_known(self, earlier: Earlier, scope: str) -> None:
        """Say which rows earlier runs have created; without a scope, in whatever one."""
        found = IssueCollector()
        with earlier.database.guarded("compared with earlier runs"):
            statement = _KNOWN.format(earlier.where, earlier.lend(self._run))
            for ordinal, run_id, target in earlier.database.connection.execute(statement, (self._run, scope)):
                text = f"The run {run_id} created this customer at target {target}; it is not sent again."
                found.add(ordinal, IssueKind("imported_before", text, severity=Severity.WARNING))
        with self._db.transaction() as tx:
            insert_issues(tx, self._run, found.log())

    def _hold_groups(self) -> None:
        if self._businesses:
            self._businesses.hold()

    def _reading_issues(self, first: int, end: int) -> IssueLog:
        with self._db.guarded("read"):
            return issues_between(self._db.connection, self._run, first, end)

    def _count_changes(self, tx: Connection, changes: Sequence[Change]) -> None:
        if isinstance(changes, ChangeLog):
            totals = changes.totals()
        else:
            totals = Counter((change.rule, change.field, change.column) for change in changes)
        tx.executemany(
            "INSERT INTO changes (run, rule, field, col, count) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (run, rule, field, col) DO UPDATE SET count = changes.count + excluded.count",
            [(self._run, *what, count) for what, count in totals.items()],
        )

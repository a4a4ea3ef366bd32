"""Rows of a run that come back changed: found by the number a person sees, and written in one commit.

A return is all there or not at all, so a kill at any moment leaves the run as it was or as it came back. Decides
nothing about rows: what they become is handed in, and compared with the states that rows may be opened from.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from importer.core.batches import CheckedBatch
from importer.core.contract import Contract
from importer.core.errors import JournalError
from importer.core.issues import Severity
from importer.core.results import ResultBatch, RowResult
from importer.core.states import REOPENINGS, TRANSITIONS, RowState
from importer.journal.facts import RunFacts
from importer.journal.matching import Comparison
from importer.journal.revisions import IssueChange, ProfileNow, Revision
from importer.journal.runs import RUNNING
from importer.journal.sql.comparing import refuse
from importer.journal.sql.database import Connection, Database, Earlier
from importer.journal.sql.groups import hold_all
from importer.journal.sql.issue_rows import insert_issues, remove_issues
from importer.journal.sql.likenesses import Likenesses
from importer.journal.sql.packing import (
    pack_after,
    pack_cells,
    pack_payloads,
    pack_surplus,
    unpack_cells,
    unpack_payloads,
    unpack_rows,
    unpack_surplus,
)
from importer.journal.sql.replay import Replay
from importer.journal.sql.runs import note, widen
from importer.journal.sql.spool import SpooledNumbers
from importer.journal.sql.steps import forget_planned

_IN_DOUBT = frozenset({RowState.UNKNOWN, RowState.SENDING})
_BATCHES_HELD = 4


class RunRows:
    """The rows of one run, found by their numbers. Reads only; holds a few batches, and the numbers of all rows."""

    def __init__(self, database: Database, run: int) -> None:
        self._replay = Replay(database, run)
        with database.guarded("read"):
            found = database.connection.execute("SELECT first, rows FROM batches WHERE run = ? ORDER BY first", (run,))
            self._stretches = [(first, unpack_rows(rows)) for first, rows in found]
        self.batch = lru_cache(maxsize=_BATCHES_HELD)(self._replay.batch)

    def __len__(self) -> int:
        return sum(len(numbers) for _, numbers in self._stretches)

    def find(self, row: int) -> RowResult | None:
        at = bisect_right(self._stretches, row, key=lambda stretch: stretch[1][0]) - 1
        if at < 0:
            return None
        first, numbers = self._stretches[at]
        place = bisect_left(numbers, row)
        return self.batch(first)[place] if place < len(numbers) and numbers[place] == row else None

    def at(self, ordinal: int) -> RowResult:
        first, _ = self._stretches[bisect_right(self._stretches, ordinal, key=itemgetter(0)) - 1]
        return self.batch(first)[ordinal - first]

    def number_of(self, ordinal: int) -> int:
        first, numbers = self._stretches[bisect_right(self._stretches, ordinal, key=itemgetter(0)) - 1]
        number: int = numbers[ordinal - first]
        return number

    def batches(self) -> Iterator[ResultBatch]:
        return self._replay.batches()

    def leaders(self) -> dict[int, int]:
        return self._replay.leaders()

    def payload(self, ordinal: int) -> bytes:
        return self._replay.payload(ordinal)


@dataclass(frozen=True, slots=True)
class Returns:
    """Writes what came back for one run.

    Args:
        scope: where import keys are unique.
    """

    database: Database
    run: int
    scope: str

    def write(
        self,
        revisions: Sequence[Revision],
        *,
        issues: IssueChange,
        prints: Mapping[str, Mapping[int, int]],
        how: Comparison,
        facts: RunFacts,
        profile: ProfileNow | None,
        brought: Mapping[int, bytes],
    ) -> None:
        likenesses = self._likenesses(prints, how.contract)
        with self.database.transaction() as tx:
            for first, group in groupby(revisions, lambda one: self._first(tx, one.ordinal)):
                self._revise_batch(tx, first, list(group))
            for first, ordinals in groupby(sorted(brought), lambda one: self._first(tx, one)):
                self._bring(tx, first, {ordinal: brought[ordinal] for ordinal in ordinals})
            self._change_issues(tx, issues)
            self._compare(tx, likenesses, how, {one.ordinal for one in revisions if one.state is RowState.READY})
            self._note(tx, facts, profile)
        likenesses.remember()

    def keys_in_use(self, keys: frozenset[str], but: frozenset[int]) -> dict[str, int]:
        with self.database.guarded("read"):
            found = self.database.connection.execute(
                "SELECT key, ordinal FROM rows WHERE run = ? AND key IS NOT NULL", (self.run,)
            )
            return {key: ordinal for key, ordinal in found if key in keys and ordinal not in but}

    # ------------------------------------------------------------------ pieces

    def _first(self, tx: Connection, ordinal: int) -> int:
        (first,) = tx.execute(
            "SELECT max(first) FROM batches WHERE run = ? AND first <= ?", (self.run, ordinal)
        ).fetchone()
        return int(first)

    def _change_issues(self, tx: Connection, change: IssueChange) -> None:
        if change.codes:
            remove_issues(tx, self.run, codes=change.codes)
        insert_issues(tx, self.run, change.issues)

    def _likenesses(self, prints: Mapping[str, Mapping[int, int]], contract: Contract) -> Likenesses:
        """What the rows have, at their places among all rows of the run."""
        with self.database.guarded("read"):
            (size,) = self.database.connection.execute(
                "SELECT CAST(coalesce(sum(length), 0) AS BIGINT) FROM batches WHERE run = ?", (self.run,)
            ).fetchone()
        columns = {kind: array("q", bytes(8 * size)) for kind in prints}
        for kind, numbers in prints.items():
            for ordinal, number in numbers.items():
                columns[kind][ordinal] = number
        found = Likenesses(
            self.database,
            self.run,
            contract.identity,
            lambda typecode: SpooledNumbers(self.database.folder, typecode),
        )
        from importer.core.frames import raw_batch  # noqa: PLC0415  # loads pandas: only when rows come back

        found.observe(CheckedBatch(raw_batch(0, range(size), ()), (), (), (), prints=columns))
        return found

    def _compare(self, tx: Connection, likenesses: Likenesses, how: Comparison, opened: set[int]) -> None:
        """Compare the opened rows with customers of earlier runs, as those of any source are before they are sent."""
        if not opened:
            return
        found = how.issues(likenesses.matches(Earlier(self.database, [self.scope])))
        issues = [issue for issue in found if issue.ordinal in opened]
        insert_issues(tx, self.run, issues)
        refuse(tx, self.run, sorted({issue.ordinal for issue in issues if issue.severity is Severity.ERROR}))
        hold_all(tx, self.run, how.contract)

    def _note(self, tx: Connection, facts: RunFacts, profile: ProfileNow | None) -> None:
        note(tx, self.run, facts)
        # The run has not finished until the next pass has ended.
        tx.execute("UPDATE runs SET phase = ?, ended_at = NULL, exit_code = NULL WHERE run = ?", (RUNNING, self.run))
        if profile is not None:
            tx.execute("UPDATE runs SET profile = ?, profile_hash = ? WHERE run = ?", (*profile, self.run))

    def _revise_batch(self, tx: Connection, first: int, revisions: Sequence[Revision]) -> None:
        rows, cells, payloads, kept, brought = tx.execute(
            "SELECT rows, cells, payloads, surplus, after FROM batches WHERE run = ? AND first = ?", (self.run, first)
        ).fetchone()
        surplus = unpack_surplus(kept)
        bodies = unpack_payloads(payloads)
        after = unpack_payloads(brought) if brought else [b""] * len(bodies)
        remove_issues(tx, self.run, {one.ordinal for one in revisions})
        insert_issues(tx, self.run, [issue for one in revisions for issue in one.issues])
        numbers = unpack_rows(rows)
        frame = unpack_cells(cells, numbers)
        table = [series.tolist() for _, series in frame.items()]
        for one in revisions:
            self._open(tx, one, bodies[one.ordinal - first])
            if one.payload is not None:
                bodies[one.ordinal - first], after[one.ordinal - first] = one.payload, one.after
            if one.cells is not None:
                surplus[one.ordinal - first] = one.surplus
                for column, text in zip(table, one.cells, strict=True):
                    column[one.ordinal - first] = text
        extras = {place: found for place, found in surplus.items() if found}
        from importer.core.frames import text_frame  # noqa: PLC0415

        tx.execute(
            "UPDATE batches SET cells = ?, payloads = ?, after = ?, surplus = ? WHERE run = ? AND first = ?",
            (
                pack_cells(text_frame(list(frame.columns), table, numbers)),
                pack_payloads(bodies),
                pack_after(after),
                pack_surplus(extras),
                self.run,
                first,
            ),
        )
        if extras:
            widen(tx, self.run, max(map(len, extras.values())))

    def _bring(self, tx: Connection, first: int, brought: Mapping[int, bytes]) -> None:
        """Replace what rows bring for the steps after their creates."""
        (kept,) = tx.execute("SELECT after FROM batches WHERE run = ? AND first = ?", (self.run, first)).fetchone()
        after = list(unpack_payloads(kept))
        for ordinal, one in brought.items():
            after[ordinal - first] = one
        tx.execute("UPDATE batches SET after = ? WHERE run = ? AND first = ?", (pack_after(after), self.run, first))

    def _open(self, tx: Connection, one: Revision, sent: bytes) -> None:
        """Change a row's state and what is known of it, if the table of reopenings allows it."""
        row = (self.run, one.ordinal)
        _require_allowed(one)
        if one.before in _IN_DOUBT and one.payload is not None:
            _keep_sent(tx, row, sent, one.payload)
        changed = tx.execute(
            "UPDATE rows SET state = ?, http_status = NULL, trace_id = NULL"
            " WHERE run = ? AND ordinal = ? AND state = ?",
            (one.state.value, *row, one.before.value),
        ).rowcount
        if one.payload is not None:
            forget_planned(tx, self.run, [one.ordinal])
            tx.execute(
                "UPDATE rows SET key = ?, external_id = ?, candidates = NULL, leader = ? WHERE run = ? AND ordinal = ?",
                (one.key, one.external_id or None, one.leader, *row),
            )
        if changed != 1:
            raise JournalError(f"The row #{one.ordinal} changed while it was taken back.", "Return it again.")


def _keep_sent(tx: Connection, row: tuple[int, int], sent: bytes, now: bytes) -> None:
    """Keep what may have been sent of a row in doubt, so that it is looked up as that."""
    if not sent or sent == now:
        return
    tx.execute(
        "INSERT INTO sent (run, ordinal, number, key, external_id, payload)"
        " SELECT run, ordinal, (SELECT count(*) FROM sent s WHERE s.run = r.run AND s.ordinal = r.ordinal),"
        " coalesce(key, ''), coalesce(external_id, ''), ? FROM rows r WHERE run = ? AND ordinal = ?",
        (sent, *row),
    )


def _require_allowed(one: Revision) -> None:
    opened = REOPENINGS.get(one.before, one.before)
    allowed = {opened} | (TRANSITIONS[opened] & {RowState.INVALID, RowState.UNKNOWN})
    if one.before in {RowState.CREATED, RowState.EXISTING} or one.state not in allowed:
        raise JournalError(f"A row cannot become '{one.state}' from '{one.before}' by coming back (#{one.ordinal}).")

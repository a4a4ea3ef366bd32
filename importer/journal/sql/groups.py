"""Rows that are one business: the first of them, or the marked one, is sent for the others, which end as it does.

The speaking row (`leader`) has the request body with all contacts, the import key and the attempts; the others have
none, so that one request is made for a group, and whatever happens to its row is written to theirs in the same commit.
One row with an error holds its whole group.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from importer.core.batches import with_after
from importer.core.contract import Contract, Contradiction
from importer.core.issues import Issue, Severity
from importer.core.states import RowState
from importer.journal.matching import Merging
from importer.journal.sql.bulk import lots
from importer.journal.sql.comparing import refuse
from importer.journal.sql.database import Connection, Database
from importer.journal.sql.issue_rows import insert_issues
from importer.journal.sql.packing import pack_after, pack_payloads, unpack_payloads, unpack_rows

SPEAKS = "(leader IS NULL OR leader = ordinal)"
"""Rows that are sent: those of their own, and those that speak for a group."""

_FOLLOW = """
UPDATE rows SET (state, customer_id, http_status, trace_id, candidates, doubt_since) = (
  SELECT l.state, l.customer_id, l.http_status, l.trace_id, l.candidates, l.doubt_since
  FROM rows l WHERE l.run = rows.run AND l.ordinal = rows.leader)
WHERE run = ? AND leader IN ({}) AND ordinal <> leader
"""
_FOLLOWERS = "SELECT leader, ordinal FROM rows WHERE run = ? AND leader IN ({}) AND ordinal <> leader"
_HELD = """
SELECT leader, ordinal, state FROM rows WHERE run = ? AND leader IN (
  SELECT leader FROM rows WHERE run = ? AND leader > ? GROUP BY leader
  HAVING count(CASE state WHEN 'invalid' THEN 1 END) BETWEEN 1 AND count(*) - 1 ORDER BY leader LIMIT ?)
ORDER BY leader, ordinal
"""
_NOT_SENT = (RowState.READY.value, RowState.VALID.value)
_HELD_CODE = "group_held"
_GROUPS_AT_ONCE = 500
_BATCHES_HELD = 64
_NAMED_ROWS = 10


class _Member(NamedTuple):
    """A row of a group before its bodies were merged."""

    leader: int
    ordinal: int
    row: int
    body: bytes
    state: str
    key: str
    external_id: str


class Groups:
    """The groups of one run, formed after the whole source was checked. Works batch by batch: memory stays flat."""

    def __init__(self, database: Database, run: int, contract: Contract, how: Merging) -> None:
        self._db = database
        self._contract = contract
        self._run = run
        self._how = how

    def form(self, leaders: Sequence[int]) -> None:
        """Link every row to the one that speaks for it, and merge the bodies of each group that has no error.

        Args:
            leaders: for every ordinal the one that speaks for it, -1 for a row of its own.
        """
        for first, length in self._batches():
            if any(leader >= 0 for leader in leaders[first : first + length]):
                self._link(first, leaders[first : first + length])
        for first, length in self._batches():
            self._merge(first, first + length)
        self.hold()

    def hold(self) -> None:
        """Make the other rows of a group invalid where one is; does no harm when called again."""
        after: int | None = -1
        while after is not None:
            with self._db.transaction() as tx:
                after = _hold(tx, self._run, self._contract, after)

    # ------------------------------------------------------------------ pieces

    def _batches(self) -> list[tuple[int, int]]:
        with self._db.guarded("read"):
            return self._db.connection.execute(
                "SELECT first, length FROM batches WHERE run = ? ORDER BY first", (self._run,)
            ).fetchall()

    def _link(self, first: int, leaders: Sequence[int]) -> None:
        """Lay the bodies of a batch's grouped rows aside, and keep none in place but the speaking rows'."""
        with self._db.transaction() as tx:
            bodies, after = self._read(tx, first)
            rows = _numbers(tx, self._run, first)
            grouped = [(place, leader) for place, leader in enumerate(leaders) if leader >= 0]
            tx.executemany(
                "INSERT INTO members (run, leader, ordinal, row, body) VALUES (?, ?, ?, ?, ?)",
                [
                    (self._run, leader, first + place, rows[place], with_after(bodies[place], after[place]))
                    for place, leader in grouped
                ],
            )
            tx.executemany(
                "UPDATE rows SET leader = ? WHERE run = ? AND ordinal = ?",
                [(leader, self._run, first + place) for place, leader in grouped],
            )
            for place, leader in grouped:
                if leader != first + place:
                    bodies[place] = after[place] = b""
            self._write(tx, first, bodies, after)

    def _merge(self, first: int, end: int) -> None:
        """Merge the groups whose speaking row is one of these."""
        with self._db.transaction() as tx:
            found = tx.execute(
                "SELECT m.leader, m.ordinal, m.row, m.body, r.state, coalesce(r.key, ''), coalesce(r.external_id, '')"
                " FROM members m JOIN rows r ON r.run = m.run AND r.ordinal = m.ordinal"
                " WHERE m.run = ? AND m.leader >= ? AND m.leader < ? ORDER BY m.leader, m.ordinal",
                (self._run, first, end),
            ).fetchall()
            if not found:
                return
            bodies, after = self._read(tx, first)
            for leader, members in groupby(map(_Member._make, found), itemgetter(0)):
                bodies[leader - first], after[leader - first] = self._merged(tx, list(members))
            self._write(tx, first, bodies, after)
            tx.execute("DELETE FROM members WHERE run = ? AND leader >= ? AND leader < ?", (self._run, first, end))

    def _merged(self, tx: Connection, members: Sequence[_Member]) -> tuple[bytes, bytes]:
        """Merge one group: its body and what steps after the create send.

        Both are empty where one of its rows has an error, or they contradict each other.
        """
        if any(member.state == RowState.INVALID for member in members):
            return b"", b""
        main = next(place for place, member in enumerate(members) if member.ordinal == member.leader)
        named = next((member for member in members if member.external_id), members[main])
        bodies = [json.loads(member.body) for member in members]
        groups = self._contract.identity.groups
        assert groups is not None  # noqa: S101  # rows are grouped only where the contract says how
        made = groups.merge(bodies, main, stamp=self._how.stamp, key=named.key, alike=self._how.alike)
        if isinstance(made, Contradiction):
            insert_issues(tx, self._run, self._contradicting(made, members))
            refuse(tx, self._run, [member.ordinal for member in members])
            return b"", b""
        tx.execute("UPDATE rows SET key = NULL WHERE run = ? AND leader = ?", (self._run, members[main].ordinal))
        tx.execute(
            "UPDATE rows SET key = ?, external_id = ? WHERE run = ? AND ordinal = ?",
            (named.key, named.external_id or None, self._run, members[main].ordinal),
        )
        body, after = self._contract.fields.apart(made)
        return _written(body), _written(after) if after else b""

    def _contradicting(self, found: Contradiction, members: Sequence[_Member]) -> Iterator[Issue]:
        what, column = self._contract.fields.label(found.field), self._how.columns.get(found.field, "")
        severity = self._contract.codes[found.code].severity
        rows = " and ".join(str(members[place].row) for place in found.places)
        text = found.text.format(rows=rows, what=what)
        for member in members:
            yield Issue(member.ordinal, found.code, text, found.field, column, severity)

    def _read(self, tx: Connection, first: int) -> tuple[list[bytes], list[bytes]]:
        """The bodies of a batch, and what its rows bring for the steps after their creates."""
        bodies, after = tx.execute(
            "SELECT payloads, after FROM batches WHERE run = ? AND first = ?", (self._run, first)
        ).fetchone()
        found = unpack_payloads(bodies)
        return found, unpack_payloads(after) if after else [b""] * len(found)

    def _write(self, tx: Connection, first: int, bodies: Sequence[bytes], after: Sequence[bytes]) -> None:
        tx.execute(
            "UPDATE batches SET payloads = ?, after = ? WHERE run = ? AND first = ?",
            (pack_payloads(bodies), pack_after(after), self._run, first),
        )


def _written(one: Mapping[str, Any]) -> bytes:
    return json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()


def hold_all(tx: Connection, run: int, contract: Contract) -> None:
    """Make the other rows of a group invalid where one is, in a commit that the caller holds."""
    after: int | None = -1
    while after is not None:
        after = _hold(tx, run, contract, after)


def _hold(tx: Connection, run: int, contract: Contract, after: int) -> int | None:
    """Hold the next groups behind a speaking row; returns the last one's, None where there is none any more."""
    found = tx.execute(_HELD, (run, run, after, _GROUPS_AT_ONCE)).fetchall()
    if not found:
        return None
    numbers = lru_cache(_BATCHES_HELD)(partial(_numbers, tx, run))

    def number(ordinal: int) -> int:
        first = _first_of(tx, run, ordinal)
        return numbers(first)[ordinal - first]

    severity = contract.codes[_HELD_CODE].severity
    issues = [issue for _, rows in groupby(found, itemgetter(0)) for issue in _held(list(rows), number, severity)]
    insert_issues(tx, run, issues)
    refuse(tx, run, [issue.ordinal for issue in issues])
    last: int = found[-1][0]
    return last


def _first_of(tx: Connection, run: int, ordinal: int) -> int:
    (first,) = tx.execute("SELECT max(first) FROM batches WHERE run = ? AND first <= ?", (run, ordinal)).fetchone()
    return int(first)


def _numbers(tx: Connection, run: int, first: int) -> Sequence[int]:
    (rows,) = tx.execute("SELECT rows FROM batches WHERE run = ? AND first = ?", (run, first)).fetchone()
    return unpack_rows(rows)


def _held(rows: Sequence[tuple[int, int, str]], number: Callable[[int], int], severity: Severity) -> Iterator[Issue]:
    """Say to the rows without an error which ones hold them."""
    invalid = RowState.INVALID.value
    culprits = [number(ordinal) for _, ordinal, state in rows if state == invalid]
    shown = ", ".join(map(str, culprits[:_NAMED_ROWS]))
    more = f" and {len(culprits) - _NAMED_ROWS:,} more" if len(culprits) > _NAMED_ROWS else ""
    one = len(culprits) == 1
    text = (
        f"{'Row' if one else 'Rows'} {shown}{more} of the same business {'has' if one else 'have'} an error; "
        f"fix {'it' if one else 'them'}, and this row goes along."
    )
    for _, ordinal, state in rows:
        if state in _NOT_SENT:
            yield Issue(ordinal, _HELD_CODE, text, severity=severity)


def has_groups(connection: Connection, run: int) -> bool:
    """Whether a run has groups of rows."""
    found = connection.execute("SELECT EXISTS (SELECT 1 FROM rows WHERE run = ? AND leader IS NOT NULL)", (run,))
    return bool(found.fetchone()[0])


def follow(tx: Connection, run: int, ordinals: Collection[int]) -> None:
    """Have the rows of groups be what the rows are that speak for them.

    Args:
        ordinals: rows that have just changed; those that speak for nobody change nothing.
    """
    for lot in lots([(ordinal,) for ordinal in ordinals], 1):
        tx.execute(_FOLLOW.format(", ".join("?" * len(lot))), (run, *(ordinal for (ordinal,) in lot)))


def followers(tx: Connection, run: int, ordinals: Collection[int]) -> dict[int, list[int]]:
    """To each of these rows those that it speaks for; rows of their own are left out."""
    found: dict[int, list[int]] = {}
    for lot in lots([(ordinal,) for ordinal in ordinals], 1):
        for leader, ordinal in tx.execute(
            _FOLLOWERS.format(", ".join("?" * len(lot))), (run, *(ordinal for (ordinal,) in lot))
        ):
            found.setdefault(leader, []).append(ordinal)
    return found


def for_followers(tx: Connection, run: int, issues: Sequence[Issue]) -> Iterator[Issue]:
    """Repeat issues for the other rows of a group: one row is sent for all."""
    others = followers(tx, run, {issue.ordinal for issue in issues})
    for issue in issues:
        for ordinal in others.get(issue.ordinal, ()):
            yield replace(issue, ordinal=ordinal)


def leader_of(connection: Connection, run: int, ordinal: int) -> int:
    """The row that speaks for a row: mostly itself."""
    found = connection.execute(
        "SELECT coalesce(leader, ordinal) FROM rows WHERE run = ? AND ordinal = ?", (run, ordinal)
    ).fetchone()
    return ordinal if found is None else int(found[0])

"""What a journal of an earlier format holds, in today's form: memory worked out anew from the bodies, cells, issues.

Keys of today's rule, hashes of what bodies mean, persons, and likenesses. What was purged stays as it is, under the
rule of its time: a row that may be it is an error until a person confirms it (`comparing`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from importer.core.contract import contract_of
from importer.core.issues import IssueCollector, IssueKind, Severity
from importer.core.target_kinds import DEFAULT_KIND
from importer.journal.scopes import same_server
from importer.journal.sql.issue_rows import insert_issues
from importer.journal.sql.packing import pack_cells, unpack_payloads, unpack_rows
from importer.journal.sql.scopes import move_scope
from importer.journal.sql.sent import Hashing
from importer.journal.sqlite.file import SqliteConnection

_UNIT, _RECORD = "\x1f", "\x1e"
"""Separators of cells and of rows; by column, of rows and of columns."""
_BY_ROW, _BY_COLUMN = b"r", b"s"


class _Kept(NamedTuple):
    """A row whose body is kept."""

    scope: str
    run: int
    ordinal: int
    key: str
    payload: bytes


def renew_memory(tx: SqliteConnection, secret: bytes) -> None:
    """Work everything out that later formats remember of a body.

    Args:
        secret: the workspace's; empty: there is none, and so no run that sent anything.
    """
    if not secret:
        return
    tx.execute("CREATE TEMP TABLE found_alike (print INTEGER NOT NULL, key BLOB NOT NULL)")
    hashing = Hashing(contract_of(DEFAULT_KIND), secret)  # old journals knew no other kind of target
    for kept in _bodies(tx):
        _renew(tx, hashing, kept)
    tx.execute("INSERT OR IGNORE INTO likenesses SELECT print, key FROM found_alike ORDER BY print, key")
    tx.execute("DROP TABLE found_alike")


def _bodies(tx: SqliteConnection) -> Iterator[_Kept]:
    batches = tx.execute(
        "SELECT b.run, b.first, u.scope FROM batches b JOIN runs u ON u.run = b.run"
        " WHERE u.dry_run = 0 AND b.payloads IS NOT NULL ORDER BY b.run, b.first"
    ).fetchall()
    for run, first, scope in batches:
        (blob,) = tx.execute("SELECT payloads FROM batches WHERE run = ? AND first = ?", (run, first)).fetchone()
        payloads = unpack_payloads(blob)
        keyed = tx.execute(
            "SELECT ordinal, key FROM rows WHERE run = ? AND ordinal >= ? AND ordinal < ? AND key IS NOT NULL",
            (run, first, first + len(payloads)),
        ).fetchall()
        for ordinal, key in keyed:
            if payloads[ordinal - first]:
                yield _Kept(scope, run, ordinal, key, payloads[ordinal - first])


def _renew(tx: SqliteConnection, hashing: Hashing, kept: _Kept) -> None:
    identity = hashing.contract.identity
    today = identity.renewed(hashing.secret, json.loads(kept.payload), kept.key)
    if today.key != kept.key:
        tx.execute("INSERT OR IGNORE INTO renewed_keys (key, was) VALUES (?, ?)", (today.key, kept.key))
    sent = hashing.sent(kept.payload, kept.key)
    tx.execute(
        "UPDATE identities SET body = ?, person = ?, rule = ? WHERE scope = ? AND key = ? AND run = ? AND ordinal = ?",
        (*sent, identity.key_rule, kept.scope, kept.key, kept.run, kept.ordinal),
    )
    alike = [(number, bytes.fromhex(kept.key)) for number in today.prints]
    tx.executemany("INSERT INTO found_alike (print, key) VALUES (?, ?)", alike)


def carry_cells_forward(tx: SqliteConnection, _: bytes = b"") -> None:
    """Write the cells of every batch anew, as Arrow streams; one batch is held at a time."""
    from importer.core.frames import text_frame  # noqa: PLC0415  # loads pandas, for old journals alone

    names = {run: json.loads(columns) for run, columns in tx.execute("SELECT run, columns FROM runs")}
    places = tx.execute("SELECT rowid, run FROM batches WHERE cells IS NOT NULL").fetchall()
    for place, run in places:
        rows, cells = tx.execute("SELECT rows, cells FROM batches WHERE rowid = ?", (place,)).fetchone()
        columns = old_columns(cells)
        called = names.get(run, [])
        if len(called) != len(columns):
            called = [f"column {number}" for number in range(1, len(columns) + 1)]
        blob = pack_cells(text_frame(called, columns, unpack_rows(rows)))
        tx.execute("UPDATE batches SET cells = ? WHERE rowid = ?", (blob, place))


def old_columns(data: bytes) -> Sequence[Sequence[str]]:
    """The columns of an old block; it may hold lone surrogates, and so may they."""
    form, text = data[:1], data[1:].decode("utf-8", "surrogatepass")
    if form == _BY_ROW:
        return list(zip(*[row.split(_UNIT) for row in text.split(_RECORD)], strict=True))
    if form == _BY_COLUMN:
        return [column.split(_UNIT) for column in text.split(_RECORD)]
    columns: list[list[str]] = json.loads(text)
    return columns


def carry_issues_forward(tx: SqliteConnection, _: bytes = b"") -> None:
    """Put the issues of earlier programs, which had a line for each, into lines of stretches."""
    for (run,) in tx.execute("SELECT DISTINCT run FROM issues_of_then").fetchall():
        found = tx.execute(
            "SELECT ordinal, code, message, field, col, severity FROM issues_of_then WHERE run = ?"
            " ORDER BY ordinal, rowid",
            (run,),
        )
        collector = IssueCollector()
        for ordinal, code, message, field, column, severity in found:
            collector.add(ordinal, IssueKind(code, message, field, column, Severity(severity)))
        insert_issues(tx, run, collector.log())
    tx.execute("DROP TABLE issues_of_then")


def carry_scopes_forward(tx: SqliteConnection, _: bytes = b"") -> None:
    """Give the scopes of earlier programs, which knew fewer spellings of a server, the names that they have now."""
    scopes = [scope for (scope,) in tx.execute("SELECT DISTINCT scope FROM runs WHERE scope LIKE '%://%#%'").fetchall()]
    for scope in scopes:
        server, _, account = scope.rpartition("#")
        now = f"{same_server(server)}#{account}"
        if now != scope:
            move_scope(tx, scope, now)

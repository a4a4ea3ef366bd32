"""What a journal of an earlier format remembers, worked out anew from the bodies that it keeps.

Keys of today's rule, hashes of what bodies mean, persons, and likenesses. What was purged stays as it is, under the
rule of its time: a row that may be it is an error until somebody says otherwise (`comparing`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from importer.core.target_kinds import DEFAULT_KIND, contract_of
from importer.journal.sqlite.packing import unpack_payloads
from importer.journal.sqlite.sent import Hashing


class _Kept(NamedTuple):
    """A row whose body is kept."""

    scope: str
    run: int
    ordinal: int
    key: str
    payload: bytes


def renew_memory(tx: sqlite3.Connection, secret: bytes) -> None:
    """Work everything out that later formats remember of a body.

    Args:
        secret: the workspace's; empty: there is none, and so no run that sent anything.
    """
    if not secret:
        return
    tx.execute("CREATE TEMP TABLE found_alike (print INTEGER NOT NULL, key BLOB NOT NULL)")
    hashing = Hashing(contract_of(DEFAULT_KIND), secret)  # journals of then knew no other kind of target
    for kept in _bodies(tx):
        _renew(tx, hashing, kept)
    tx.execute("INSERT OR IGNORE INTO likenesses SELECT print, key FROM found_alike ORDER BY print, key")
    tx.execute("DROP TABLE found_alike")


def _bodies(tx: sqlite3.Connection) -> Iterator[_Kept]:
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


def _renew(tx: sqlite3.Connection, hashing: Hashing, kept: _Kept) -> None:
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

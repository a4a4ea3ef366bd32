"""Receipts as the journal keeps them: one line each, holding the hash of the line before. Only ever appended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from importer.journal.sqlite.database import Database

_COLUMNS = "number, run, made_at, previous, hash, body"


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """One line of the chain.

    Args:
        previous: hash of the line before; empty for the first.
        body: the text that `hash` is the SHA-256 of: JSON, its keys sorted.
    """

    number: int
    run: int
    made_at: float
    previous: str
    hash: str
    body: str


def add_receipt(
    database: Database, run: int, made_at: float, body: Callable[[int, str], Mapping[str, Any]]
) -> StoredReceipt:
    """Append to the chain.

    Args:
        body: given the receipt's number and the hash of the one before, what it says.
    """
    with database.transaction() as tx:
        last = tx.execute("SELECT number, hash FROM receipts ORDER BY number DESC LIMIT 1").fetchone()
        number, previous = (last[0] + 1, last[1]) if last else (1, "")
        text = json.dumps(body(number, previous), sort_keys=True, ensure_ascii=False)
        receipt = StoredReceipt(number, run, made_at, previous, hashlib.sha256(text.encode()).hexdigest(), text)
        tx.execute(
            f"INSERT INTO receipts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            (number, run, made_at, previous, receipt.hash, text),
        )
    return receipt


def receipt_of(database: Database, run: int) -> StoredReceipt | None:
    """The newest receipt of a run; None when it has none."""
    with database.guarded("read"):
        found = database.connection.execute(
            f"SELECT {_COLUMNS} FROM receipts WHERE run = ? ORDER BY number DESC LIMIT 1", (run,)
        ).fetchone()
    return StoredReceipt(*found) if found else None


def all_receipts(database: Database) -> list[StoredReceipt]:
    """The chain, from its beginning."""
    with database.guarded("read"):
        found = database.connection.execute(f"SELECT {_COLUMNS} FROM receipts ORDER BY number").fetchall()
    return [StoredReceipt(*line) for line in found]


def rows_digest(database: Database, run: int) -> str:
    """SHA-256 over how every row of a run ended: what a purge leaves as it is, and nobody may change."""
    digest = hashlib.sha256()
    with database.guarded("read"):
        for row in database.connection.execute(
            "SELECT ordinal, state, key, external_id, customer_id, http_status, trace_id, attempts FROM rows"
            " WHERE run = ? ORDER BY ordinal",
            (run,),
        ):
            digest.update(repr(row).encode())
    return digest.hexdigest()

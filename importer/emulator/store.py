"""The customers of one server, in SQLite: a file that outlives the process, or memory.

Creates that arrive together are written in one transaction, and no request is answered before that
transaction is committed. Nothing is synced to the disk: the file survives a killed process, not a power cut, and in
return no commit delays the event loop. One process at a time.

All methods belong to the event loop's thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from importer.emulator.answers import Refusal
from importer.emulator.application import verification_status
from importer.emulator.customers import Row, parsed, written
from importer.emulator.database import opened
from importer.emulator.related_store import RelatedStore

_COLUMNS = ", ".join(Row._fields)
_MARKS = ", ".join("?" * len(Row._fields))
_INSERT = f"INSERT INTO customers ({_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 - names of our own columns
_UPDATE = f"UPDATE customers SET ({_COLUMNS}) = ({_MARKS}) WHERE id = ?"  # noqa: S608 - names of our own columns


class Store:
    """The customers of one server; `total` is how many there are, and `related` what belongs to them.

    Args:
        path: the SQLite file, made where it is missing; None: memory.

    Raises:
        ValueError: the file is not a store that this version can read, cannot be opened, or belongs to a running
            emulator.
    """

    def __init__(self, path: Path | None) -> None:
        self._db = opened(path)
        self.related = RelatedStore(self._db)
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._reserved: set[str] = set()
        self.total, self._last_visible_ms = self._db.execute(
            "SELECT count(*), coalesce(max(visible_ms), 0) FROM customers"
        ).fetchone()

    def close(self) -> None:
        """Write waiting rows, and close."""
        self._flush()
        self._db.close()

    async def add(self, row: Row) -> None:
        """Keep a new customer; returns once it is committed.

        Raises:
            sqlite3.Error: it could not be written, and is not there.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._flush)
        done = loop.create_future()
        self._waiting.append((row, done))
        if row.external_id is not None:
            self._reserved.add(row.external_id)
        await done

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        self._reserved.clear()
        error: sqlite3.Error | None = None
        try:
            with self._db:
                self._db.execute("BEGIN")
                self._db.executemany(_INSERT, [row for row, _ in batch])
            self.total += len(batch)
            self._last_visible_ms = max(self._last_visible_ms, *(row.visible_ms for row, _ in batch))
        except sqlite3.Error as failed:
            error = failed
        for _, done in batch:
            if not done.done():
                done.set_exception(error) if error else done.set_result(None)

    def replace(self, row: Row) -> None:
        """Replace the customer with this id."""
        self._db.execute(_UPDATE, (*row, row.id))

    def remove(self, customer_id: str) -> None:
        """Delete a customer with its owners and limits; its externalId is free again."""
        self.related.remove_customer(customer_id)
        self.total -= self._db.execute("DELETE FROM customers WHERE id = ?", (customer_id,)).rowcount

    def body(self, customer_id: str) -> str | None:
        """Give one customer as JSON; None when there is none."""
        found = self._db.execute("SELECT body FROM customers WHERE id = ?", (customer_id,)).fetchone()
        return None if found is None else str(found[0])

    def found(self, customer_id: str) -> str:
        """Give one customer as JSON.

        Raises:
            Refusal: 404, there is none.
        """
        body = self.body(customer_id)
        if body is None:
            raise Refusal(404, "EMU_NOT_FOUND", "There is no such customer")
        return body

    def times(self, customer_id: str) -> tuple[int, int]:
        """Give when a customer was created and became visible in lists, in milliseconds since the epoch."""
        query = "SELECT created_ms, visible_ms FROM customers WHERE id = ?"
        created_ms, visible_ms = self._db.execute(query, (customer_id,)).fetchone()
        return created_ms, visible_ms

    def is_taken(self, external_id: str, but: str = "") -> bool:
        """Whether a customer other than `but` has this externalId, committed or about to be."""
        query = "SELECT 1 FROM customers WHERE external_id = ? AND id <> ? LIMIT 1"
        return external_id in self._reserved or self._db.execute(query, (external_id, but)).fetchone() is not None

    def count(self, where: str, values: Sequence[Any]) -> int:
        """Count customers; `where` is SQL of our own, every value from outside is in `values`."""
        query = f"SELECT count(*) FROM customers WHERE {where}"  # noqa: S608 - see the docstring
        return int(self._db.execute(query, values).fetchone()[0])

    def is_lagging(self, now_ms: int) -> bool:
        """Whether lists may not show all customers yet."""
        return int(self._last_visible_ms) > now_ms

    def select(self, where: str, values: Sequence[Any], order: str, limit: int, offset: int) -> list[str]:
        """Give a slice of customers as JSON; `where` and `order` as in `count`."""
        inner = f"SELECT seq FROM customers WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        query = f"SELECT body FROM customers WHERE seq IN ({inner}) ORDER BY {order}"  # noqa: S608
        return [body for (body,) in self._db.execute(query, (*values, limit, offset))]

    def pages(self, size: int = 500) -> Iterator[list[str]]:
        """Give all customers as JSON in the order of their creation, `size` at a time."""
        last = 0
        while page := self._db.execute(
            "SELECT seq, body FROM customers WHERE seq > ? ORDER BY seq LIMIT ?", (last, size)
        ).fetchall():
            last = page[-1][0]
            yield [body for _, body in page]

    def with_verification(self, bodies: list[str], now_ms: int) -> list[str]:
        """Add to customers as JSON what the newest application of each says now."""
        if not self.related.has_applications:
            return bodies
        customers = [parsed(body) for body in bodies]
        latest = self.related.latest_applications([customer["id"] for customer in customers])
        for customer in customers:
            if application := latest.get(customer["id"]):
                customer["verificationStatus"] = verification_status(application, now_ms)
        return [written(customer) for customer in customers]

    def surplus(self, column: str) -> int:
        """Count the customers beyond the first of each value in `external_id` or `stamp`."""
        query = f"SELECT count({column}) - count(DISTINCT {column}) FROM customers"  # noqa: S608 - one of two names
        return int(self._db.execute(query).fetchone()[0])

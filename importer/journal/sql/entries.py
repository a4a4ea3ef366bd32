"""Receipts, files of runs, plans, and places of files: one line each, in tables of their own."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from importer.journal.entries import Place, StoredReceipt
from importer.journal.sql.bulk import replacing
from importer.journal.sql.database import Database
from importer.journal.sql.steps import IS_CHANGE

_RECEIPT = "number, run, made_at, previous, hash, body"
_FILE = ("run", "name", "content")
_PLAN = ("sha256", "expires_at", "content")
_PLACE = ("folder", "file", "run", "put_at", "archive", "returned")


class Receipts:
    """The chain of receipts; each holds the hash of the one before. Implements `port.Receipts`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run: int, made_at: float, body: Callable[[int, str], Mapping[str, Any]]) -> StoredReceipt:
        with self._db.transaction() as tx:
            last = tx.execute("SELECT number, hash FROM receipts ORDER BY number DESC LIMIT 1").fetchone()
            number, previous = (last[0] + 1, last[1]) if last else (1, "")
            text = json.dumps(body(number, previous), sort_keys=True, ensure_ascii=False)
            receipt = StoredReceipt(number, run, made_at, previous, hashlib.sha256(text.encode()).hexdigest(), text)
            tx.execute(
                f"INSERT INTO receipts ({_RECEIPT}) VALUES (?, ?, ?, ?, ?, ?)",
                (number, run, made_at, previous, receipt.hash, text),
            )
        return receipt

    def of(self, run: int) -> StoredReceipt | None:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT {_RECEIPT} FROM receipts WHERE run = ? ORDER BY number DESC LIMIT 1", (run,)
            ).fetchone()
        return StoredReceipt(*found) if found else None

    def all(self) -> list[StoredReceipt]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(f"SELECT {_RECEIPT} FROM receipts ORDER BY number").fetchall()
        return [StoredReceipt(*line) for line in found]

    def chains(self) -> Mapping[int, str]:
        return self._db.carried().chains

    def rows_digest(self, run: int) -> str:
        digest = hashlib.sha256()
        with self._db.guarded("read"):
            for row in self._db.connection.execute(
                "SELECT ordinal, state, key, external_id, customer_id, http_status, trace_id, attempts FROM rows"
                " WHERE run = ? ORDER BY ordinal",
                (run,),
            ):
                digest.update(repr(row).encode())
            for step in self._db.connection.execute(  # none in a run of an earlier program, whose receipts still hold
                f"SELECT ordinal, step, part, state, CASE WHEN {IS_CHANGE} THEN '' ELSE reference END, status, outcome,"
                " CASE step WHEN 'update' THEN '[]' ELSE detail END, attempts FROM steps"  # without what a purge takes
                " WHERE run = ? ORDER BY ordinal, step, part",
                (run,),
            ):
                digest.update(repr(step).encode())
        return digest.hexdigest()


class Files:
    """Files of runs that their rows cannot give. Implements `port.Files`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def keep(self, run: int, name: str, content: bytes) -> None:
        with self._db.transaction() as tx:
            tx.execute(
                f"INSERT INTO run_files ({', '.join(_FILE)}) VALUES (?, ?, ?) {replacing(_FILE, 2)}",
                (run, name, zlib.compress(content)),
            )

    def names(self, run: int) -> list[str]:
        with self._db.guarded("read"):
            found = self._db.connection.execute("SELECT name FROM run_files WHERE run = ? ORDER BY name", (run,))
            return [name for (name,) in found.fetchall()]

    def of(self, run: int, name: str) -> bytes | None:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT content FROM run_files WHERE run = ? AND name = ?", (run, name)
            ).fetchone()
        return zlib.decompress(found[0]) if found else None


class Plans:
    """Plans that people sign. Implements `port.Plans`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def keep(self, sha256: str, made_at: float, expires_at: float, merge: Callable[[bytes | None], bytes]) -> None:
        with self._db.transaction() as tx:
            tx.execute("DELETE FROM plans WHERE expires_at < ?", (made_at,))
            found = tx.execute("SELECT content FROM plans WHERE sha256 = ?", (sha256,)).fetchone()
            content = zlib.compress(merge(zlib.decompress(found[0]) if found else None))
            tx.execute(
                f"INSERT INTO plans ({', '.join(_PLAN)}) VALUES (?, ?, ?) {replacing(_PLAN, 1)}",
                (sha256, expires_at, content),
            )

    def good_at(self, now: float, beginning: str = "") -> list[bytes]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT content FROM plans WHERE expires_at >= ? AND substr(sha256, 1, ?) = ?"
                " ORDER BY expires_at, sha256",
                (now, len(beginning), beginning),
            ).fetchall()
        return [zlib.decompress(content) for (content,) in found]


class Places:
    """Where the inbox put files: one line for every folder that was made for a file. Implements `port.Places`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, place: Place) -> None:
        with self._db.transaction() as tx:
            tx.execute(
                f"INSERT INTO places ({', '.join(_PLACE)}) VALUES (?, ?, ?, ?, ?, ?) {replacing(_PLACE, 1)}",
                (str(place.folder), place.file, place.run, place.put_at, str(place.archive), int(place.returned)),
            )

    def drop(self, folders: Sequence[Path]) -> None:
        with self._db.transaction() as tx:
            tx.executemany("DELETE FROM places WHERE folder = ?", [(str(folder),) for folder in folders])

    def of(self, run: int) -> list[Place]:
        return self._found("WHERE run = ?", run)

    def before(self, before: float) -> list[Place]:
        return self._found("WHERE put_at < ?", before)

    def _found(self, which: str, value: float) -> list[Place]:
        with self._db.guarded("read"):
            lines = self._db.connection.execute(
                f"SELECT {', '.join(_PLACE)} FROM places {which} ORDER BY put_at, folder", (value,)
            ).fetchall()
        return [
            Place(Path(folder), file, run, put_at, Path(archive), bool(returned))
            for folder, file, run, put_at, archive, returned in lines
        ]

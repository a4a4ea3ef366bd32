"""The SQLite file of one server, or memory: opened for one process alone, made where it is missing, carried forward.

A store of an earlier version gets the tables that it lacks; its customers stay as they are.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

_VERSION = 2
_CUSTOMERS = """
CREATE TABLE customers (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, external_id TEXT,
    email TEXT NOT NULL, phone TEXT NOT NULL, names TEXT NOT NULL, haystack TEXT NOT NULL,
    cities TEXT NOT NULL, countries TEXT NOT NULL, zips TEXT NOT NULL, stamp TEXT,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX by_id ON customers (id);
CREATE INDEX by_external_id ON customers (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX by_email ON customers (email);
CREATE INDEX by_phone ON customers (phone);
CREATE INDEX by_creation ON customers (created_ms, visible_ms);
"""
_RELATED = f"""
CREATE TABLE beneficiaries (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL, likeness TEXT NOT NULL,
    visible_ms INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX beneficiaries_of ON beneficiaries (customer_id);
CREATE TABLE limits (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, amount TEXT NOT NULL, writes INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE INDEX limits_of ON limits (customer_id);
CREATE TABLE documents (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, holder_id TEXT NOT NULL, likeness TEXT NOT NULL,
    signature TEXT NOT NULL, status TEXT NOT NULL, length INTEGER, sha256 TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX documents_of ON documents (holder_id);
CREATE TABLE applications (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, account_type TEXT NOT NULL,
    profile_id TEXT NOT NULL, holder_id TEXT NOT NULL, halt TEXT NOT NULL, outcome TEXT NOT NULL,
    created_ms INTEGER NOT NULL, pending_ms INTEGER NOT NULL, processing_ms INTEGER NOT NULL,
    settled_ms INTEGER NOT NULL, resumed_ms INTEGER, completed_ms INTEGER, visible_ms INTEGER NOT NULL,
    parties TEXT NOT NULL
) STRICT;
CREATE INDEX applications_of ON applications (account_id);
CREATE INDEX applications_held ON applications (holder_id) WHERE halt <> '';
CREATE INDEX applications_by_creation ON applications (created_ms);
CREATE INDEX applications_by_profile ON applications (profile_id, created_ms);
PRAGMA user_version = {_VERSION};
"""


def opened(path: Path | None) -> sqlite3.Connection:
    """Open a store.

    Args:
        path: the SQLite file, made where it is missing; None: memory.

    Raises:
        ValueError: the file is not a store that this version can read, cannot be opened, or belongs to a running
            emulator.
    """
    try:
        if path is not None and not path.exists():
            path.touch(mode=0o600)
        database = sqlite3.connect(":memory:" if path is None else path, timeout=0.2, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ValueError(f"the emulator's store {path} cannot be opened: check its folder and permissions") from error
    try:
        _prepare(database)
    except sqlite3.Error as error:
        database.close()
        fix = "it may belong to an emulator that still runs" if "locked" in str(error) else "choose another file"
        raise ValueError(f"the emulator's store {path} cannot be used ({error}): {fix}") from error
    except ValueError as error:
        database.close()
        raise ValueError(f"the emulator's store {path} {error}: choose another file, or delete it") from error
    return database


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA wal_autocheckpoint = 250")  # small ones: none of them takes a millisecond
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    database.execute("COMMIT")
    if version == 0 and not tables:
        database.executescript(f"BEGIN;{_CUSTOMERS}{_RELATED}COMMIT;")
    elif version == 1:
        database.executescript(f"BEGIN;{_RELATED}COMMIT;")
    elif version > _VERSION:
        raise ValueError("was written by a newer version")
    elif version != _VERSION:
        raise ValueError("was written by another program or version")

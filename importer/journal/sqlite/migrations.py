"""Old journals become new ones: one step a version, all of them in one commit, and a copy of the old file first.

A step never loses a row and never needs the program that wrote the file. `schema.sql` is what all steps
together come to: a new journal begins there, and a test holds the two equal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from importer.core.atomic_files import create_file, put_in_place
from importer.core.errors import BusyError, JournalError
from importer.journal.secret import has_secret, workspace_secret
from importer.journal.sqlite.file import SqliteConnection, connected
from importer.journal.sqlite.lock import other_owner
from importer.journal.sqlite.renewal import (
    carry_cells_forward,
    carry_issues_forward,
    carry_scopes_forward,
    renew_memory,
)

MIGRATIONS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        2: (
            "ALTER TABLE runs ADD COLUMN purged_at REAL",
            """CREATE TABLE receipts (
                number INTEGER PRIMARY KEY, run INTEGER NOT NULL, made_at REAL NOT NULL, previous TEXT NOT NULL,
                hash TEXT NOT NULL, body TEXT NOT NULL
            ) STRICT""",
            "CREATE INDEX receipts_by_run ON receipts (run, number)",
            "ALTER TABLE identities ADD COLUMN body TEXT",
        ),
        3: (
            """CREATE TABLE starts (
                scope TEXT NOT NULL, slot INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (scope, slot)
            ) STRICT, WITHOUT ROWID""",
        ),
        4: (),  # cells are kept row by row from now on, which earlier programs cannot read; later ones read both
        5: (
            """CREATE TABLE places (
                folder TEXT PRIMARY KEY, file TEXT NOT NULL, run INTEGER, put_at REAL NOT NULL, archive TEXT NOT NULL
            ) STRICT""",
            "CREATE INDEX places_by_run ON places (run)",
        ),
        6: (  # the outcome of a key's row is no longer kept twice
            "CREATE TEMP TABLE kept AS SELECT scope, key, run, ordinal, since, body FROM identities",
            "DROP TABLE identities",
            """CREATE TABLE identities (
                scope TEXT NOT NULL, key TEXT NOT NULL, run INTEGER NOT NULL, ordinal INTEGER NOT NULL,
                since REAL NOT NULL, body TEXT, PRIMARY KEY (scope, key)
            ) STRICT, WITHOUT ROWID""",
            "INSERT INTO identities SELECT * FROM kept",
            "DROP TABLE kept",
        ),
        7: (
            "ALTER TABLE runs ADD COLUMN profile TEXT",
            """CREATE TABLE sent (
                run INTEGER NOT NULL, ordinal INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL,
                external_id TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (run, ordinal, number)
            ) STRICT, WITHOUT ROWID""",
            "ALTER TABLE places ADD COLUMN returned INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE identities ADD COLUMN person TEXT",
            "ALTER TABLE identities ADD COLUMN rule INTEGER NOT NULL DEFAULT 1",
            "CREATE INDEX identities_of_old_rules ON identities (scope) WHERE rule < 2",
            "CREATE TABLE renewed_keys (key TEXT PRIMARY KEY, was TEXT NOT NULL) STRICT, WITHOUT ROWID",
            """CREATE TABLE likenesses (
                print INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (print, key)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE api_keys (
                server TEXT NOT NULL, key TEXT NOT NULL, scope TEXT NOT NULL, PRIMARY KEY (server, key)
            ) STRICT, WITHOUT ROWID""",
            "ALTER TABLE batches ADD COLUMN surplus TEXT",
            "ALTER TABLE runs ADD COLUMN extra INTEGER NOT NULL DEFAULT 0",
            """CREATE TABLE resent (
                run INTEGER NOT NULL, ordinal INTEGER NOT NULL, sent_at REAL NOT NULL, PRIMARY KEY (run, ordinal)
            ) STRICT, WITHOUT ROWID""",
            # earlier programs called rows failed that were in doubt: they are looked up before they are sent
            """UPDATE rows SET state = 'unknown' WHERE state = 'failed' AND EXISTS (
                SELECT 1 FROM attempts a WHERE a.run = rows.run AND a.ordinal = rows.ordinal
                AND a.kind = 'create' AND a.verdict = 'in_doubt')""",
            "CREATE TABLE integrity (commits INTEGER NOT NULL, place TEXT, accepted TEXT NOT NULL DEFAULT '[]') STRICT",
            "INSERT INTO integrity (commits) VALUES (0)",
            "ALTER TABLE rows ADD COLUMN leader INTEGER",
            "CREATE INDEX rows_by_leader ON rows (run, leader) WHERE leader IS NOT NULL",
            "CREATE INDEX rows_by_customer ON rows (customer_id) WHERE customer_id IS NOT NULL",
            """CREATE TABLE members (
                run INTEGER NOT NULL, leader INTEGER NOT NULL, ordinal INTEGER NOT NULL, row INTEGER NOT NULL,
                body BLOB NOT NULL, PRIMARY KEY (run, leader, ordinal)
            ) STRICT, WITHOUT ROWID""",
        ),
        8: (  # one line for the issues of many rows; cells become Arrow streams, see `CONVERSIONS`
            "ALTER TABLE issues RENAME TO issues_of_then",
            """CREATE TABLE issues (
                number INTEGER PRIMARY KEY, run INTEGER NOT NULL, stretch INTEGER NOT NULL, log BLOB NOT NULL
            ) STRICT""",
            "CREATE INDEX issues_by_stretch ON issues (run, stretch)",
        ),
        9: (
            "ALTER TABLE batches ADD COLUMN after BLOB",
            """CREATE TABLE steps (
                run INTEGER NOT NULL, ordinal INTEGER NOT NULL, step TEXT NOT NULL, part TEXT NOT NULL,
                state TEXT NOT NULL, since REAL, reference TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '',
                outcome TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '[]',
                attempts INTEGER NOT NULL DEFAULT 0, looks INTEGER NOT NULL DEFAULT 0, next_at REAL,
                PRIMARY KEY (run, ordinal, step, part)
            ) STRICT, WITHOUT ROWID""",
            """CREATE INDEX steps_open ON steps (run, step, state, ordinal)
            WHERE state IN ('waiting', 'sending', 'submitted')""",
            "CREATE INDEX steps_due ON steps (run, next_at) WHERE state = 'submitted'",
            """CREATE TABLE step_attempts (
                run INTEGER NOT NULL, ordinal INTEGER NOT NULL, step TEXT NOT NULL, part TEXT NOT NULL,
                number INTEGER NOT NULL, kind TEXT NOT NULL, started_at REAL NOT NULL, duration_s REAL NOT NULL,
                verdict TEXT NOT NULL, http_status INTEGER, error_code TEXT NOT NULL, trace_id TEXT NOT NULL,
                PRIMARY KEY (run, ordinal, step, part, number)
            ) STRICT, WITHOUT ROWID""",
        ),
        10: (
            """CREATE TABLE run_files (
                run INTEGER NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (run, name)
            ) STRICT""",
        ),
        11: (
            """CREATE TABLE plans (
                sha256 TEXT PRIMARY KEY, expires_at REAL NOT NULL, content BLOB NOT NULL
            ) STRICT""",
        ),
    }
)
"""The statements that lead to each version from the one before it."""

CONVERSIONS: Mapping[int, Sequence[Callable[[SqliteConnection, bytes], None]]] = MappingProxyType(
    {7: (carry_scopes_forward, renew_memory), 8: (carry_issues_forward, carry_cells_forward)}
)
"""What has to be worked out on the way to a version, after its statements. Given the workspace's secret, if any."""

SCHEMA_VERSION = max(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The format that a journal is in; 0 for a file without anything in it."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def bring_up_to_date(connection: SqliteConnection, path: Path) -> None:
    """Make a new journal, or lead an old one to this program's format.

    Args:
        path: the file behind the connection; the copy of an old one is put beside it.

    Raises:
        JournalError: it was written by a newer program.
        BusyError: a program that may be an earlier one works with it.
        sqlite3.Error, OSError: it cannot be copied or changed; nothing was changed then.
    """
    version = _checked(connection, path)
    if version == SCHEMA_VERSION:
        return
    if version and (owner := other_owner(path.parent)):
        raise BusyError(
            f"An earlier importer works in the workspace {path.parent} ({owner}).",
            "Wait for it: this version then leads the journal to its own format.",
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _checked(connection, path)  # again: another process may have been quicker
        if version == 0:
            _begin(connection)
        elif version < SCHEMA_VERSION:
            _back_up(path, backup_of(path, version))
            _step(connection, version, path)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def migrated_copy(connection: SqliteConnection, path: Path) -> SqliteConnection:
    """A copy of a journal in memory, in this program's format; the file stays as it is.

    Raises:
        JournalError: it was written by a newer program.
        sqlite3.Error: it cannot be read.
    """
    version = _checked(connection, path)
    copy = connected(":memory:")
    connection.backup(copy)
    if version == 0:
        _begin(copy)
    else:
        _step(copy, version, path)
    return copy


def backup_of(path: Path, version: int) -> Path:
    """Where the copy of a journal of an old format is."""
    return path.with_name(f"{path.name}.v{version}.bak")


def backups(path: Path) -> list[Path]:
    """Every copy that an upgrade of this journal left."""
    return sorted(path.parent.glob(f"{path.name}.v*.bak"))


def _checked(connection: sqlite3.Connection, path: Path) -> int:
    version = version_of(connection)
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"The journal {path} was written by a newer importer (format {version}, this one knows {SCHEMA_VERSION}).",
            "Use the newer program.",
        )
    return version


def _begin(connection: sqlite3.Connection) -> None:
    for statement in statements("schema.sql"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _step(connection: SqliteConnection, version: int, path: Path) -> None:
    secret = workspace_secret(path.parent) if has_secret(path.parent) else b""
    for reached in range(version + 1, SCHEMA_VERSION + 1):
        for statement in MIGRATIONS[reached]:
            connection.execute(statement)
        for convert in CONVERSIONS.get(reached, ()):
            convert(connection, secret)
        connection.execute(f"PRAGMA user_version={reached}")


def statements(script: str) -> list[str]:
    """The statements of a script of `importer.journal.sql`; `executescript` would commit first."""
    text = files("importer.journal.sql").joinpath(script).read_text(encoding="utf-8")
    found, statement = [], ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found


def _back_up(path: Path, to: Path) -> None:
    """Copy what is committed; the caller holds the write lock, so nothing is committed meanwhile."""
    partial = to.with_name(f"{to.name}.part")
    partial.unlink(missing_ok=True)
    create_file(partial)
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(partial)) as copy:
        old.backup(copy)
    put_in_place(partial, to)

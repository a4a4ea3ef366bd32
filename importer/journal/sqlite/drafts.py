"""The file of a workspace's drafts: its connection, its tables, their format. What is deleted is overwritten."""

from __future__ import annotations

from pathlib import Path

from importer.core.errors import JournalError
from importer.journal.sqlite.file import SqliteFile

_FORMAT = 1
_TABLES = (
    """CREATE TABLE drafts (
        id TEXT PRIMARY KEY, made_by TEXT NOT NULL, made_at REAL NOT NULL, changed_at REAL NOT NULL,
        version INTEGER NOT NULL, edits INTEGER NOT NULL, facts TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE changes (
        draft TEXT NOT NULL, number INTEGER NOT NULL, made_by TEXT NOT NULL, made_at REAL NOT NULL,
        cells INTEGER NOT NULL, columns TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (draft, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE corrections (
        draft TEXT NOT NULL, row INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
        before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (draft, row, name, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE acts (
        draft TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, by TEXT NOT NULL, what TEXT NOT NULL,
        details TEXT NOT NULL, PRIMARY KEY (draft, number)
    ) STRICT, WITHOUT ROWID""",
)


class DraftsFile(SqliteFile):
    """A connection to one file of drafts, made when it is not there. Implements `sql.database.Storage`.

    Raises:
        JournalError: it cannot be opened, holds no drafts, or was written by a newer program.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, called="journal of drafts", when_full="The disk is full: free some space, and try again."
        )
        with self.guarded("opened"):
            self.connect()
            try:
                self._make()
            except BaseException:
                self.close()
                raise

    def _make(self) -> None:
        self.connection.execute("PRAGMA secure_delete=ON")
        if self._format() == _FORMAT:
            return
        with self.transaction() as tx:
            if self._format() == 0:  # asked again: another process may have been quicker
                for table in _TABLES:
                    tx.execute(table)
                tx.execute(f"PRAGMA user_version={_FORMAT}")

    def _format(self) -> int:
        found: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if found > _FORMAT:
            raise JournalError(
                f"The journal of drafts {self.path} was written by a newer importer (format {found}, this one"
                f" knows {_FORMAT}).",
                "Use the newer program.",
            )
        return found

"""The file of a workspace's drafts: its connection, its tables, their format. What is deleted is overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from importer.core.errors import JournalError
from importer.journal.sqlite.file import SqliteFile
from importer.journal.sqlite.migrations import statements

MIGRATIONS: Mapping[int, Sequence[str]] = MappingProxyType(
    {
        2: (  # names that are free in a journal, too
            "ALTER TABLE changes RENAME TO draft_changes",
            "ALTER TABLE corrections RENAME TO draft_corrections",
            "ALTER TABLE acts RENAME TO draft_acts",
        ),
    }
)
"""The statements that lead to each later format from the one before it."""
_FORMAT = max(MIGRATIONS)


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
            for statement in _steps(self._format()):  # asked again: another process may have been quicker
                tx.execute(statement)
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


def _steps(version: int) -> list[str]:
    """The statements that lead to the format of today; 0: from nothing."""
    if not version:
        return statements("drafts.sql")
    return [one for reached in range(version + 1, _FORMAT + 1) for one in MIGRATIONS[reached]]

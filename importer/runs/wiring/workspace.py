"""A workspace, opened: the folder, its journal and its secret."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from importer.core.errors import StorageError, UsageError
from importer.journal import (
    Database,
    Runs,
    check_memory,
    workspace_secret,
)

JOURNAL_NAME = "journal.sqlite3"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace, opened: its journal and its secret."""

    path: Path
    database: Database
    runs: Runs
    secret: bytes

    def close(self) -> None:
        """Close the journal."""
        self.database.close()


def open_workspace(path: Path, *, create: bool = True) -> Workspace:
    """Open the journal of a workspace.

    Args:
        create: make the workspace when it is not there.

    Raises:
        UsageError: it is not there, and shall not be made.
        StorageError: it cannot be made.
        JournalError: the journal cannot be opened, has lost what was written last, or is a copy.
    """
    if not create and not (path / JOURNAL_NAME).exists():
        raise UsageError(
            f"There are no runs in the workspace '{path}' yet.",
            "Name the right one with --workspace, or run an import.",
        )
    make_directory(path)
    check_memory(path / JOURNAL_NAME)
    database = Database(path / JOURNAL_NAME)
    runs = Runs(database)
    try:
        secret = workspace_secret(path, has_runs=runs.any())
        database.require_integrity()
    except BaseException:
        database.close()
        raise
    return Workspace(path, database, runs, secret)


def accept_journal(path: Path, *, copied: bool = False) -> None:
    """Go on with a journal that was refused, as it is: a person has looked at it.

    Args:
        copied: it is a copy, and its runs go on in the workspace that it was copied from.

    Raises:
        UsageError: there is none.
        JournalError: it cannot be opened or written.
    """
    if not (path / JOURNAL_NAME).exists():
        raise UsageError(f"There is no journal in the workspace '{path}'.", "Name the right one with --workspace.")
    with closing(Database(path / JOURNAL_NAME)) as database:
        database.accept_as_it_is(gives_up_runs=copied)


def make_directory(path: Path) -> None:
    """Make a folder for its owner alone, if it is not there.

    Raises:
        StorageError: it cannot be made, or something else bears its name.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {path} cannot be made: {(error.strerror or 'unknown error').lower()}.",
            "Check the permissions of the folder above it.",
        ) from error

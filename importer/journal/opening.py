"""The one way to a journal, and what can be asked of one that is not opened. Chooses the adapter."""

from __future__ import annotations

from pathlib import Path

from importer.core.commands import Commands
from importer.core.contract import Identity
from importer.journal.location import Location, drafts_file
from importer.journal.port import Drafts, Journal, Locks
from importer.journal.runs import JournalFacts
from importer.journal.sqlite import inspection, migrations, old_keys
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.drafts import SqliteDrafts
from importer.journal.sqlite.journal import SqliteJournal
from importer.journal.sqlite.lock import FileLocks


def open_journal(
    location: Location, *, durable: bool = True, writes: bool = True, commands: Commands | None = None
) -> Journal:
    """Open a journal.

    Args:
        location: where it is kept; made when it is not there.
        durable: whether a commit waits for the disk; off only for a dry run, which is never resumed.
        writes: False looks at a journal that is there and changes nothing, not even its format.
        commands: composes the commands that errors name; None: the journal is in its workspace.

    Raises:
        JournalError: it cannot be opened, is not a journal, or was written by a newer program.
    """
    return SqliteJournal(Database(location.path, durable=durable, writes=writes, commands=commands))


def open_drafts(workspace: Path) -> Drafts:
    """Open the drafts of a workspace, which is there; their file is made when it is not there.

    Raises:
        JournalError: it cannot be opened, holds no drafts, or was written by a newer program.
    """
    return SqliteDrafts(drafts_file(workspace))


def has_drafts(workspace: Path) -> bool:
    """Whether a workspace ever had drafts; nothing is made by the question."""
    return drafts_file(workspace).exists()


def locks_of(folder: Path) -> Locks:
    """The locks of a workspace, or of another folder that only one may work in."""
    return FileLocks(folder)


def examine_journal(location: Location) -> JournalFacts:
    """Look into a journal of any format; nothing is changed, not even its format.

    Raises:
        JournalError: it cannot be read at all.
    """
    return inspection.examine_journal(location.path)


def starts_in(location: Location, scope: str, now: float, window_s: float) -> int:
    """How many requests of a scope count against a limit of this many seconds; 0 in a journal older than such limits.

    Args:
        now: seconds since the epoch.

    Raises:
        JournalError: it cannot be read at all.
    """
    return inspection.starts_in(location.path, scope, now, window_s)


def remembers_old_keys(location: Location, identity: Identity) -> bool:
    """Whether a journal, which is only looked at, has keys of an earlier rule; False for one of an older format."""
    return old_keys.remembers_old_keys(location.path, identity)


def backups(location: Location) -> list[Path]:
    """The copies that upgrades of a journal left."""
    return migrations.backups(location.path)

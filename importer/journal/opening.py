"""The one way to a journal, and what can be asked of one that is not opened. Chooses the adapter.

The adapter of PostgreSQL is imported where an address names one, so that nobody else needs its library.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from importer.core.commands import Commands
from importer.core.contract import Identity
from importer.core.distribution import how_to_install
from importer.core.errors import UsageError
from importer.journal import secret
from importer.journal.drafts import DraftFacts
from importer.journal.entries import Copied, JournalAccess
from importer.journal.location import Location, drafts_file, file_of, keep_elsewhere
from importer.journal.port import Drafts, Journal, Locks
from importer.journal.runs import JournalFacts
from importer.journal.sql.database import Database, Earlier
from importer.journal.sql.drafts import KEYS, SqlDrafts, note_place
from importer.journal.sql.journal import SqlJournal
from importer.journal.sql.runs import Runs
from importer.journal.sqlite import inspection, migrations
from importer.journal.sqlite.database import SqliteDatabase, attached
from importer.journal.sqlite.drafts import DraftsFile
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
        UsageError: it is in PostgreSQL, and what that needs is not installed.
    """
    if location.url:
        return SqlJournal(_postgres().PostgresDatabase(location, writes=writes, commands=commands))
    database = SqliteDatabase(location.path, durable=durable, writes=writes, commands=commands, attach=_at_hand)
    return SqlJournal(database)


@contextmanager
def _at_hand(database: Database, journal: Location, scope: str) -> Iterator[Earlier]:
    """Have another journal at hand for comparisons, wherever it is."""
    with (_postgres().lend if journal.url else attached)(database, journal, scope) as earlier:
        yield earlier


def copy_elsewhere(workspace: Path, url: str, lease_s: float, now: float) -> Copied:
    """Copy the journal and drafts of a workspace to PostgreSQL, where it goes on; harmless when called again.

    Args:
        url: of the other journal, without a password.
        now: seconds since the epoch.

    Raises:
        UsageError: there is nothing to copy, both have the same runs, or the workspace goes on elsewhere.
        BusyError: a run is at work in the workspace, or in one of its accounts there.
        JournalError: one of them cannot be read or written, or the copy is not whole; nothing has changed then.
    """
    file, there = file_of(workspace), Location(Location.of_workspace(workspace).path, url, lease_s)
    if not file.exists:
        raise UsageError(f"The workspace '{workspace}' has no journal to copy.", "Name the right one with --workspace.")
    secret.check_memory(file)
    with ExitStack() as held:
        database = held.enter_context(closing(SqliteDatabase(file.path)))
        database.require_integrity()
        for scope in Runs(database).scopes():  # there, too: a run at work would not know who comes with this journal
            held.enter_context(FileLocks(workspace).hold(scope, now))
            held.enter_context(_postgres().PostgresLocks(there).hold(scope, now))
        copied: Copied = _postgres().copy_journal(database, there, secret.workspace_secret(workspace))
        with _drafts_carried(workspace, there) as drafts:
            keep_elsewhere(workspace, url, lease_s, copied=True)
    file.path.replace(_copied(file.path))
    return copied._replace(drafts=drafts)


def _copied(path: Path) -> Path:
    """What the file of a journal is called once it is in PostgreSQL."""
    return path.with_name(f"{path.name}.copied")


@contextmanager
def _drafts_carried(workspace: Path, there: Location) -> Iterator[int]:
    """Copy the drafts of a workspace; their file goes when the block has noted that the workspace goes on there."""
    path = drafts_file(workspace)
    if not path.exists():
        yield 0
        return
    with closing(DraftsFile(path)) as file, file.transaction() as tx:
        note_place(tx, DraftFacts.here(workspace))
        # Once that is noted, those there are the newer ones.
        yield 0 if Location.of_workspace(workspace).url else _postgres().copy_drafts(tx, there)
        for table in KEYS:  # a console that waits to write into the file shall not find them there any more
            tx.execute(f"DELETE FROM {table}")
    for ending in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def _postgres() -> ModuleType:
    try:
        return import_module("importer.journal.postgres.adapter")
    except ModuleNotFoundError:
        raise UsageError(
            "The journal is in PostgreSQL, and its library (psycopg) is not installed.", how_to_install("postgres")
        ) from None


def open_drafts(workspace: Path) -> Drafts:
    """Open the drafts of a workspace, which is there: those in its journal in PostgreSQL, else those in its file.

    Raises:
        JournalError: they cannot be opened, or were written by a newer program.
    """
    location = Location.of_workspace(workspace)
    return SqlDrafts(_postgres().PostgresDatabase(location) if location.url else DraftsFile(drafts_file(workspace)))


def has_drafts(workspace: Path) -> bool:
    """Whether a workspace may have drafts; nothing is made by the question."""
    return bool(Location.of_workspace(workspace).url) or drafts_file(workspace).exists()


def locks_of(folder: Path) -> Locks:
    """The locks of a workspace, or of another folder that only one may work in."""
    location = Location.of_workspace(folder)
    locks: Locks = _postgres().PostgresLocks(location) if location.url else FileLocks(folder)
    return locks


def workspace_secret(workspace: Path, *, has_runs: bool = False) -> bytes:
    """The secret of a workspace's journal, made when there is none yet.

    Args:
        has_runs: whether the journal knows runs: their keys were made with a secret that must still be there.

    Raises:
        JournalError: it cannot be read or made, is damaged, or is gone.
    """
    location = Location.of_workspace(workspace)
    if not location.url:
        return secret.workspace_secret(workspace, has_runs=has_runs)
    shared: bytes = _postgres().team_secret(location)
    return shared


def known_secret(location: Location) -> bytes | None:
    """The secret of a journal; None: it has none yet, and none is made.

    Raises:
        JournalError: it cannot be read, is damaged, or is not the one that is given here.
    """
    if location.url:
        shared: bytes | None = _postgres().known_secret(location)
        return shared
    return secret.workspace_secret(location.folder) if secret.has_secret(location.folder) else None


def check_memory(journal: Location) -> None:
    """Refuse a workspace that has a secret and no journal: it has lost the memory of what it created.

    Raises:
        JournalError: the journal is gone, or empty.
    """
    if not journal.url:
        secret.check_memory(journal)


def examine_journal(location: Location) -> JournalFacts:
    """Look into a journal of any format; nothing is changed, not even its format.

    Raises:
        JournalError: it cannot be read at all.
    """
    found: JournalFacts = (
        _postgres().examine_journal(location) if location.url else inspection.examine_journal(location.path)
    )
    return found


def examine_access(location: Location) -> JournalAccess | None:
    """Look at what the user of a journal in PostgreSQL may do there; None: it is a file.

    Raises:
        JournalError: it cannot be reached.
    """
    if not location.url:
        return None
    found: JournalAccess = _postgres().examine_access(location)
    return found


def starts_in(location: Location, scope: str, now: float, window_s: float) -> int:
    """How many requests of a scope count against a limit of this many seconds; 0 in a journal older than such limits.

    Args:
        now: seconds since the epoch.

    Raises:
        JournalError: it cannot be read at all.
    """
    if not location.url:
        return inspection.starts_in(location.path, scope, now, window_s)
    with closing(open_journal(location, writes=False)) as journal:
        return journal.earlier.started_within(scope, now, window_s)


def compares_bodies(location: Location, identity: Identity) -> bool:
    """Whether a journal, which is only looked at, has keys that only the bodies of rows can be compared with.

    Such are those of an earlier rule, or of another secret. False for one of an older format.
    """
    if location.url:
        return bool(_postgres().compares_bodies(location, identity))
    return inspection.remembers_old_keys(location.path, identity)


def backups(location: Location) -> list[Path]:
    """The copies that upgrades of a journal left, or the file that was carried to PostgreSQL."""
    if not location.url:
        return migrations.backups(location.path)
    return [copied] if (copied := _copied(file_of(location.folder).path)).exists() else []

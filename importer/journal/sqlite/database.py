"""The SQLite file of a journal: opening it in each format, and counting its commits. Knows no row and no run."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from importer.core.atomic_files import sync
from importer.core.commands import Commands
from importer.core.errors import UsageError
from importer.journal.location import Location
from importer.journal.port.shared_state import SharedState
from importer.journal.sql.commit_count import CommitCount
from importer.journal.sql.database import NOTHING_CARRIED, Attach, Carried, Database, Earlier, Lots
from importer.journal.sqlite.file import BUSY_TIMEOUT_MS, SqliteConnection, SqliteFile, connected
from importer.journal.sqlite.integrity import (
    accept,
    check_integrity,
    count_commit,
    give_up_runs,
    has_place,
    remember_place,
)
from importer.journal.sqlite.migrations import SCHEMA_VERSION, bring_up_to_date, migrated_copy, version_of

_WHEN_FULL = (
    "The disk is full: free some space. `{resume}` then goes on with a run that had begun; one that had not is"
    " started again."
)


_EARLIER = "earlier"
_WITH_LIKENESSES = 7
"""The first journal format that holds them."""


@contextmanager
def attached(database: Database, journal: Location, scope: str) -> Iterator[Earlier]:
    """Attach another journal for reading.

    Args:
        database: a file of SQLite, too.
        journal: a workspace's, whose secret this run's keys were made with.
        scope: where customers are looked for; empty: wherever they are.

    Returns:
        Its customers there; none where it is of a format that knows no likenesses.
    """
    with database.guarded("compared with earlier runs"):
        database.connection.execute(f"ATTACH ? AS {_EARLIER}", (f"{journal.path.absolute().as_uri()}?mode=ro",))
    try:
        with database.guarded("compared with earlier runs"):
            (version,) = database.connection.execute(f"PRAGMA {_EARLIER}.user_version").fetchone()
            found = database.connection.execute(f"SELECT DISTINCT scope FROM {_EARLIER}.runs").fetchall()
        scopes = [scope] if scope else [one for (one,) in found]
        yield Earlier(database, scopes if version >= _WITH_LIKENESSES else [], f"{_EARLIER}.", is_own=False)
    finally:
        with database.guarded("compared with earlier runs"):
            database.connection.execute(f"DETACH {_EARLIER}")


class SqliteDatabase(SqliteFile):
    """A connection to one journal file. Implements `sql.database.Database`.

    Args:
        path: the file; made with mode 0600 when it is not there.
        durable: whether a commit waits for the disk; off only for a dry run, which is never resumed.
        writes: False looks at a file that is there and changes nothing, not even its format: one of an older format
            is brought up to date in memory.
        commands: composes the commands that errors name; None: the file is in its workspace.
        attach: has another journal at hand, for comparisons.

    Raises:
        JournalError: the file cannot be opened, is not a journal, or was written by a newer program.
    """

    def __init__(
        self,
        path: Path,
        *,
        durable: bool = True,
        writes: bool = True,
        commands: Commands | None = None,
        attach: Attach = attached,
    ) -> None:
        self.commands = commands or Commands(path.parent)
        super().__init__(path, called="journal", when_full=_WHEN_FULL.format(resume=self.commands.resume("last")))
        self.writes = writes
        self.attach = attach
        self._count = CommitCount(path) if durable and writes else None
        with self.guarded("opened"):
            if not writes:
                self.connection = _looked_at(path)
                return
            self.connect(durable=durable)
            try:
                bring_up_to_date(self.connection, path)
            except BaseException:
                self.connection.close()
                raise

    def carried(self) -> Carried:
        return NOTHING_CARRIED

    def lots(self, run: int) -> Lots:  # noqa: ARG002
        raise _not_shared()

    def shared_state(self, scope: str) -> SharedState:  # noqa: ARG002
        raise _not_shared()

    def keep(self) -> None:
        """Put what was written without waiting for the disk safely there; later commits wait for it.

        Raises:
            JournalError: the disk is full or broken.
        """
        with self.guarded("written"):
            self.connection.execute("PRAGMA journal_mode=DELETE")
            self.connection.execute("PRAGMA synchronous=FULL")
            sync(self.path)

    def require_integrity(self) -> None:
        """Refuse to go on with a journal that has lost what was written last, or that is a copy.

        Raises:
            JournalError: it has, or is.
        """
        self.check_integrity()
        with self.guarded("read"):
            is_placed = has_place(self.connection)
        if not is_placed:
            with self.transaction() as tx:
                remember_place(tx, self.path)

    def check_integrity(self) -> None:
        """The same, and nothing is written."""
        with self.guarded("read"):
            check_integrity(self.connection, self.path, self.commands)

    def accept_as_it_is(self, *, gives_up_runs: bool = False) -> None:
        """Accept the journal as complete and as the original from now on.

        Args:
            gives_up_runs: it is a copy: leave its runs to the workspace that it was copied from.

        Raises:
            JournalError: it cannot be written.
        """
        with self.transaction() as tx:
            accept(tx, self.path)
            if gives_up_runs:
                give_up_runs(tx)

    def may_send(self) -> bool:
        """Always: a file's lock ends with its owner alone."""
        return True

    @property
    def folder(self) -> Path:
        return self.path.parent

    def overwrite_deleted(self) -> None:
        with self.guarded("written"):
            self.connection.execute("PRAGMA secure_delete=ON")

    def wipe(self, tables: Iterable[str]) -> None:
        """Give up the free pages of the whole file, and its log."""
        with self.guarded("written"):
            self.connection.execute("VACUUM")
        super().wipe(tables)

    @contextmanager
    def transaction(self, *, brief: bool = False) -> Iterator[SqliteConnection]:
        """The same as of every file; the commit is counted."""
        commits = 0
        with super().transaction(brief=brief) as tx:
            yield tx
            if self._count is not None:
                commits = count_commit(tx)
        if self._count is not None:
            self._count.write(commits)


def _looked_at(path: Path) -> SqliteConnection:
    """Open a journal for reading only, wherever it is.

    Raises:
        sqlite3.Error, OSError: it is not there, or cannot be read.
        JournalError: it was written by a newer program.
    """
    try:
        return _current(_read_only(path), path)
    except sqlite3.OperationalError:
        if not path.exists():
            raise
    # The folder is read-only, or the disk is full: SQLite cannot make the file that readers of a log share.
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return _current(_read_only(path, "&immutable=1"), path)
    return _current(_in_memory(path, log), path)


def _read_only(path: Path, more: str = "") -> SqliteConnection:
    connection = connected(f"{path.absolute().as_uri()}?mode=ro{more}")
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return connection


def _in_memory(path: Path, log: Path) -> SqliteConnection:
    """Read a journal with its log, where its folder cannot be written."""
    memory = connected(":memory:")
    with tempfile.TemporaryDirectory(prefix="importer-") as folder:
        for file in (path, log):
            shutil.copyfile(file, Path(folder) / file.name)
        with closing(sqlite3.connect(Path(folder) / path.name)) as copy:
            copy.backup(memory)
    return memory


def _current(connection: SqliteConnection, path: Path) -> SqliteConnection:
    """The connection, or one to a copy in this program's format."""
    try:
        if version_of(connection) == SCHEMA_VERSION:
            return connection
        copy = migrated_copy(connection, path)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return copy


def _not_shared() -> UsageError:
    return UsageError(
        "Several programs send the rows of one run only where its journal is in PostgreSQL.",
        "Set IMPORTER_JOURNAL, or [journal] url in the profile; this journal is a file, which one program has.",
    )

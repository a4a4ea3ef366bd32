"""Is the journal still the one that it was? Notices a lost tail, lost runs, and a copy that was taken for the original.

Every commit is counted in the journal and, after it, in a small file beside it: a journal that counts less than the
file has lost commits (a write-ahead log that was deleted or cut, an old backup). The count in the file is not synced:
after a power cut it is behind the journal, never ahead of it. Decides nothing about rows.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from importer.core.commands import Commands
from importer.core.errors import WorkspaceMovedError
from importer.journal.secret import secret_path
from importer.journal.sql.commit_count import CommitCount, lost_commits_error
from importer.journal.sql.lost_runs import lost_run_error, lost_runs
from importer.journal.sqlite.file import SqliteConnection


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Where a journal is. A copy is elsewhere and is another file; a file that was moved is the same one.

    Args:
        device: of the file; it may be another one after a reboot.
        inode: of the file, on its device.
        secret_inode: of the secret beside it.
    """

    host: str
    path: str
    device: int
    inode: int
    secret_inode: int

    @classmethod
    def of(cls, journal: Path) -> FileIdentity:
        """Find out where a journal is now."""
        found, secret = journal.stat(), secret_path(journal.parent)
        secret_inode = secret.stat().st_ino if secret.exists() else 0
        return cls(socket.gethostname(), str(journal.resolve()), found.st_dev, found.st_ino, secret_inode)

    def is_that_of(self, other: FileIdentity) -> bool:
        """Whether both are one file: by inode, or by its path on one host, where inodes are made up anew (FUSE)."""
        same_file = self.inode == other.inode and (
            self.device == other.device or self.secret_inode == other.secret_inode
        )
        return same_file or (self.host, self.path) == (other.host, other.path)


def count_commit(connection: SqliteConnection) -> int:
    """Count the commit that is about to be made; returns the new number."""
    found: tuple[int] = connection.execute("UPDATE integrity SET commits = commits + 1 RETURNING commits").fetchone()
    return found[0]


def check_integrity(connection: SqliteConnection, journal: Path, commands: Commands) -> None:
    """Refuse a journal that has less than the files beside it, or that is a copy.

    Args:
        commands: composes the commands by which a person goes on.

    Raises:
        JournalError: commits or runs are missing.
        WorkspaceMovedError: it is another file than it was, and nobody has confirmed it.
    """
    expected = CommitCount(journal).read()  # before the journal's own: another program may be at work
    commits, place, accepted = connection.execute("SELECT commits, place, accepted FROM integrity").fetchone()
    if commits < expected:
        restore = f"Restore {journal.name}-wal, or a backup that has them."
        raise lost_commits_error(str(journal), expected - commits, restore, commands)
    lost = [run_id for run_id in lost_runs(connection, journal.parent) if run_id not in json.loads(accepted)]
    if lost:
        raise lost_run_error(str(journal), lost[0], commands)
    if place is not None and not FileIdentity(**json.loads(place)).is_that_of(FileIdentity.of(journal)):
        raise WorkspaceMovedError(
            f"The workspace {journal.parent} is another one than its journal remembers: it was moved or copied.",
            "Only one of two copies may go on with a run, else customers are created twice. If it was moved, type"
            f" `{commands.doctor('--moved')}`; if it was copied, `{commands.doctor('--copied')}`.",
        )


def has_place(connection: SqliteConnection) -> bool:
    """Whether the journal has kept its place."""
    return connection.execute("SELECT place FROM integrity").fetchone()[0] is not None


def remember_place(connection: SqliteConnection, journal: Path) -> None:
    """Keep where the journal is."""
    connection.execute("UPDATE integrity SET place = ?", (json.dumps(asdict(FileIdentity.of(journal))),))


def accept(connection: SqliteConnection, journal: Path) -> None:
    """Accept the journal as complete and as the original: a person confirmed it."""
    lost = json.dumps(lost_runs(connection, journal.parent))
    expected = CommitCount(journal).read()
    connection.execute("UPDATE integrity SET commits = max(commits, ?), accepted = ?", (expected, lost))
    remember_place(connection, journal)


def give_up_runs(connection: SqliteConnection) -> None:
    """Leave every run to the workspace that this one was copied from: none of them is sent from here."""
    connection.execute("UPDATE runs SET facts = json_set(facts, '$.elsewhere', json('true')) WHERE dry_run = 0")

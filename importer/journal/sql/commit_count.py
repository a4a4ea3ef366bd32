"""How many commits a journal has at least, in a small file of the workspace: a journal that has fewer has lost some.

The file is written after every commit and not synced: after a power cut it is behind the journal, never ahead of it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from importer.core.commands import Commands
from importer.core.errors import JournalError
from importer.journal.sql.lost_runs import how_to_accept


class CommitCount:
    """The number of commits of a journal, in a file beside it.

    Args:
        journal: its file, or a name in the workspace.
    """

    def __init__(self, journal: Path) -> None:
        self.path = count_path(journal)

    def read(self) -> int:
        """The number of commits that the journal should have at least; 0 where nothing is known."""
        try:
            return int(self.path.read_bytes() or b"0")
        except (OSError, ValueError):
            return 0

    def write(self, commits: int) -> None:
        """Write the number down. A file that cannot be written protects less, and does not stop a run."""
        with suppress(OSError):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(descriptor, b"%020d" % commits, 0)
            finally:
                os.close(descriptor)


def count_path(journal: Path) -> Path:
    """Where the number of commits of a journal is kept."""
    return journal.with_name(f"{journal.name}-commits")


def lost_commits_error(journal: str, lost: int, restore: str, commands: Commands) -> JournalError:
    """Say that a journal has lost commits.

    Args:
        journal: where it is.
        lost: how many, at least.
        restore: what brings them back, as a sentence.
    """
    return JournalError(
        f"The journal {journal} has lost its last {lost:,} commits, and with them which customers were created.",
        f"{restore} {how_to_accept(commands)}",
    )

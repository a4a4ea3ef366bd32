"""Where a journal is kept: the one of a workspace, and the one that a dry run has to itself, in its directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_WORKSPACE = "journal.sqlite3"
_DRY_RUN = "checked.sqlite3"
_DRAFTS = "drafts.sqlite3"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a journal is kept.

    Args:
        path: its file.
    """

    path: Path

    @classmethod
    def of_workspace(cls, workspace: Path) -> Location:
        """Where the imports of a workspace are kept."""
        return cls(workspace / _WORKSPACE)

    @classmethod
    def of_dry_run(cls, directory: Path) -> Location:
        """Where a dry run is kept.

        Args:
            directory: its own, in the workspace.
        """
        return cls(directory / _DRY_RUN)

    @classmethod
    def of_dry_runs(cls, workspace: Path) -> list[Location]:
        """Where the dry runs of a workspace are kept."""
        return list(map(cls, sorted(workspace.glob(f"*/{_DRY_RUN}"))))

    @property
    def folder(self) -> Path:
        """The folder of its file: a workspace, or the directory of a dry run."""
        return self.path.parent

    @property
    def size_bytes(self) -> int:
        """The size of the journal; 0 where there is none, or where it cannot be read."""
        return self.path.stat().st_size if os.access(self.path, os.F_OK) else 0

    @property
    def exists(self) -> bool:
        """Whether there is a journal."""
        return self.path.exists()


def drafts_file(workspace: Path) -> Path:
    """Where the drafts of a workspace are kept."""
    return workspace / _DRAFTS

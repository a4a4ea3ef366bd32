"""Where a journal is kept: the one of a workspace, and the one that a dry run has to itself, in its directory.

A workspace whose journal is in PostgreSQL says so in a small file. So every command finds it, whatever profile it is
given, and none begins a second memory beside it. A dry run is always a file: it is nobody's memory.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from importer.core.atomic_files import write_file
from importer.core.commands import Commands
from importer.core.errors import JournalError, UsageError

LEASE_S = 30.0
"""How long the lock of a run outlives its host, in seconds."""
_PASSWORD = "IMPORTER_JOURNAL_PASSWORD"  # noqa: S105  # the variable's name
_WORKSPACE = "journal.sqlite3"
_ELSEWHERE = "journal.toml"
_DRY_RUN = "checked.sqlite3"
_DRAFTS = "drafts.sqlite3"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a journal is kept.

    Args:
        path: its file; of one in PostgreSQL the file that says so.
        url: of one in PostgreSQL, without a password; empty: it is a file.
        lease_s: how long a lock there outlives its host.
    """

    path: Path
    url: str = ""
    lease_s: float = LEASE_S

    @classmethod
    def of_workspace(cls, workspace: Path) -> Location:
        """Where the imports of a workspace are kept.

        Raises:
            JournalError: the workspace's note of it is damaged.
        """
        note = workspace / _ELSEWHERE
        try:
            said = tomllib.loads(note.read_text(encoding="utf-8"))
            return cls(note, str(said["url"]), float(said.get("lease_s", LEASE_S)))
        except (FileNotFoundError, NotADirectoryError):
            return file_of(workspace)
        except (OSError, ValueError, KeyError, TypeError):
            if not os.access(workspace, os.X_OK):  # nothing in it can be read: whoever opens it says so
                return file_of(workspace)
            raise JournalError(
                f"The file {note}, which says where the journal is, cannot be read.",
                'It holds a line such as url = "postgresql://user@host/database": write it anew.',
            ) from None

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
    def place(self) -> str:
        """What messages call it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if self.url else str(self.path)

    @property
    def size_bytes(self) -> int:
        """The size of the journal's file; 0 where there is none, or where it cannot be read."""
        return self.path.stat().st_size if os.access(self.path, os.F_OK) else 0

    @property
    def exists(self) -> bool:
        """Whether there is a journal; one in PostgreSQL is made where there is none."""
        return self.path.exists()

    def password(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """The password of its address; None: none is set here, and PostgreSQL's library looks for one itself.

        Raises:
            UsageError: the file that should hold it cannot be read.
        """
        file = environ.get(f"{_PASSWORD}_FILE", "")
        if not file:
            return environ.get(_PASSWORD) or None
        try:
            return Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise UsageError(f"The file '{file}' of {_PASSWORD}_FILE cannot be read.") from None


def file_of(workspace: Path) -> Location:
    """The journal that a workspace has, or had, in a file."""
    return Location(workspace / _WORKSPACE)


def keep_elsewhere(workspace: Path, url: str, lease_s: float = LEASE_S, *, copied: bool = False) -> None:
    """Note that the journal of a workspace is in PostgreSQL; the workspace is made when it is not there.

    Args:
        copied: that journal has everything that the workspace's own has.

    Raises:
        UsageError: it is somewhere else already.
        JournalError: that cannot be noted.
    """
    known = Location.of_workspace(workspace)
    if (known.url, known.lease_s) == (url, lease_s):
        return
    if known.url and known.url != url:
        raise UsageError(
            f"The journal of the workspace '{workspace}' is {known.place}, not {Location(known.path, url).place}.",
            f"Name another workspace, or correct {known.path}: customers that the other journal knows would be created"
            " again.",
        )
    if not known.url and known.exists and not copied:
        raise UsageError(
            f"The workspace '{workspace}' has a journal of its own ({known.path}), and the profile names another one.",
            f"Carry it there with `{Commands(workspace).copy_journal()}`, or name another workspace: two journals do"
            " not know of each other's customers.",
        )
    text = f"# Where the journal of this workspace is kept.\nurl = {json.dumps(url)}\nlease_s = {lease_s:g}\n"
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(workspace / _ELSEWHERE, text.encode())
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise JournalError(
            f"The workspace '{workspace}' cannot note where its journal is: {reason}.", "Check its permissions."
        ) from error


def drafts_file(workspace: Path) -> Path:
    """Where the drafts of a workspace are kept."""
    return workspace / _DRAFTS

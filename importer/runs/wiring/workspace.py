"""A workspace, opened: the folder, its journal and its secret."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from importer.core.errors import StorageError, UsageError
from importer.journal import (
    Copied,
    Journal,
    Location,
    Runs,
    check_memory,
    copy_elsewhere,
    keep_elsewhere,
    open_journal,
    workspace_secret,
)
from importer.profile import Profile
from importer.runs.kept_files import keep_all


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace, opened: its journal and its secret."""

    path: Path
    journal: Journal
    secret: bytes

    @property
    def runs(self) -> Runs:
        """The register of its imports."""
        return self.journal.runs

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def settle_journal(profile: Profile) -> None:
    """Have a workspace remember that its journal is in PostgreSQL, where its profile says so.

    Raises:
        UsageError: it has another journal already.
        JournalError: that cannot be written down.
    """
    if profile.journal.url:
        keep_elsewhere(profile.workspace, profile.journal.url, profile.journal.lease_s)


def carry_journal(profile: Profile, now: float) -> Copied:
    """Copy the journal of a workspace to PostgreSQL, where the workspace goes on.

    Args:
        now: seconds since the epoch.

    Raises:
        UsageError: no such journal is named, or it has runs of this workspace already, or there is nothing to copy.
        BusyError: a run is at work.
        StorageError, JournalError: something cannot be read or written; the workspace goes on with its own.
    """
    if not profile.journal.url:
        raise UsageError("No journal in PostgreSQL is named.", "Set IMPORTER_JOURNAL, or [journal] url in the profile.")
    location = Location.of_workspace(profile.workspace)
    if location.exists and not location.url:
        check_memory(location)
        keep_all(location)
    return copy_elsewhere(profile.workspace, profile.journal.url, profile.journal.lease_s, now)


def open_workspace(path: Path, *, create: bool = True) -> Workspace:
    """Open the journal of a workspace.

    Args:
        create: make the workspace when it is not there.

    Raises:
        UsageError: it is not there, and shall not be made.
        StorageError: it cannot be made.
        JournalError: the journal cannot be opened, has lost what was written last, or is a copy.
    """
    location = Location.of_workspace(path)
    if not create and not location.exists:
        raise UsageError(
            f"There are no runs in the workspace '{path}' yet.",
            "Name the right one with --workspace, or run an import.",
        )
    make_directory(path)
    check_memory(location)
    journal = open_journal(location)
    try:
        secret = workspace_secret(path, has_runs=journal.runs.any())
        journal.require_integrity()
    except BaseException:
        journal.close()
        raise
    return Workspace(path, journal, secret)


def accept_journal(path: Path, *, copied: bool = False) -> None:
    """Go on with a journal that was refused, as it is: a person has looked at it.

    Args:
        copied: it is a copy, and its runs go on in the workspace that it was copied from.

    Raises:
        UsageError: there is none.
        JournalError: it cannot be opened or written.
    """
    location = Location.of_workspace(path)
    if not location.exists:
        raise UsageError(f"There is no journal in the workspace '{path}'.", "Name the right one with --workspace.")
    with closing(open_journal(location)) as journal:
        journal.accept_as_it_is(gives_up_runs=copied)


def make_directory(path: Path) -> None:
    """Make a folder for its owner alone, if it is not there.

    Raises:
        StorageError: it cannot be made, or something else has its name.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {path} cannot be made: {(error.strerror or 'unknown error').lower()}.",
            "Check the permissions of the folder above it.",
        ) from error

"""The drafts of a workspace: begun, listed, removed. Decides nothing about a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from importer.core.errors import StorageError
from importer.journal import Act, Draft, Drafts, open_drafts
from importer.profile import Profile
from importer.runs.context import Machine
from importer.runs.run_directory import new_id
from importer.runs.wiring import make_directory

FOLDER = "drafts"
"""The folder of a workspace that has one folder for each draft."""


@dataclass(frozen=True)
class DraftService:
    """The drafts of one workspace.

    The drafts are opened anew for each call: calls may come from several threads, and other programs work beside.

    Args:
        profile: what every draft begins with; its workspace is that of the drafts.
    """

    profile: Profile
    machine: Machine = field(default_factory=Machine)

    @property
    def workspace(self) -> Path:
        """The folder of the workspace."""
        return self.profile.workspace

    def begin(self, by: str) -> Draft:
        """Begin a draft, without a file yet.

        Raises:
            StorageError, JournalError: the workspace cannot be written.
        """
        now = self.machine.clock.now()
        draft = Draft(new_id(now), by, now, now)
        with self.opened() as drafts:
            drafts.add(draft, Act(now, by, "begun"))
        return draft

    def all(self) -> list[Draft]:
        """Every draft, the one that was changed last first."""
        with self.opened() as drafts:
            return drafts.all()

    def find(self, draft: str) -> Draft:
        """One draft.

        Raises:
            UsageError: there is none of this id.
        """
        with self.opened() as drafts:
            return drafts.find(draft)

    def remove(self, draft: str) -> None:
        """Remove a draft with its file; runs that were made of it stay.

        Raises:
            UsageError: there is none of this id.
            StorageError: its folder cannot be removed.
        """
        with self.opened() as drafts:
            remove(self.workspace, drafts, [drafts.find(draft)])

    def folder(self, draft: Draft) -> Path:
        """The folder of a draft, which may not be there yet."""
        return self.workspace / FOLDER / draft.id

    @contextmanager
    def opened(self) -> Iterator[Drafts]:
        """Open the journal of the drafts while the block lasts."""
        make_directory(self.workspace)
        with closing(open_drafts(self.workspace)) as drafts:
            yield drafts

    def act(self, by: str, what: str, **details: str | int) -> Act:
        """Something that a person does now."""
        return Act(self.machine.clock.now(), by, what, details)


def remove(workspace: Path, drafts: Drafts, going: list[Draft]) -> None:
    """Remove drafts with their folders: the folders first, so that nothing is left that no draft speaks of.

    Raises:
        StorageError: a folder cannot be removed.
    """
    try:
        for draft in going:
            folder = workspace / FOLDER / draft.id
            if folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(f"{error.filename} cannot be removed: {reason}.", "Check its permissions.") from error
    drafts.remove([draft.id for draft in going])

"""The folder of a draft, and how drafts are removed for good: by a person, or since they are old."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.errors import StorageError, UsageError
from importer.journal import Drafts, has_drafts, open_drafts
from importer.runs import registry
from importer.runs.leftovers import size_of

FOLDER = "drafts"
"""The folder of a workspace that has one folder for each draft."""


def draft_folder(workspace: Path, draft: str) -> Path:
    """The folder of a draft, by the id of one that there is."""
    return workspace / FOLDER / draft


def draft_at(workspace: Path, path: Path) -> str:
    """The id of the draft, there still or not, in whose folder a file is; empty: it is in none."""
    folder = (workspace / FOLDER).resolve()
    return path.relative_to(folder).parts[0] if path.is_relative_to(folder) and path != folder else ""


def is_under_way(workspace: Path, run_id: str) -> bool:
    """Whether somebody works on a run at this moment; False where it is gone."""
    try:
        with registry.opened_run(workspace, run_id) as run:
            return bool(registry.worker_of(workspace, run.stored))
    except UsageError:
        return False


def remove_drafts(workspace: Path, drafts: Drafts, going: Sequence[str]) -> None:
    """Remove drafts with their folders: the folders first, so that nothing is left that no draft speaks of.

    Raises:
        StorageError: a folder cannot be removed.
    """
    try:
        for draft in going:
            folder = draft_folder(workspace, draft)
            if folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StorageError(f"{error.filename} cannot be removed: {reason}.", "Check its permissions.") from error
    drafts.remove(going)


@dataclass(frozen=True, slots=True)
class OldDraft:
    """A draft that nobody has changed for long.

    Args:
        file: its name; empty: it has none.
        changed_at: seconds since the epoch.
        size_bytes: of its folder.
    """

    draft: str
    file: str
    changed_at: float
    size_bytes: int

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        changed_at = datetime.fromtimestamp(self.changed_at, UTC).isoformat(timespec="seconds")
        return {"id": self.draft, "file": self.file, "changed_at": changed_at, "bytes": self.size_bytes}


def old_drafts(workspace: Path, before: float, kept_runs: Collection[str] = ()) -> list[OldDraft]:
    """List the drafts of a workspace that nobody has changed since a moment, and what is left here of removed ones.

    Args:
        before: seconds since the epoch.
        kept_runs: runs whose drafts stay, since they may need the file.
    """
    if not has_drafts(workspace):
        return []
    folders = sorted((workspace / FOLDER).glob("*"))  # before the drafts, since a draft is there before its folder
    with closing(open_drafts(workspace)) as drafts:
        known = {one.id for one in drafts.all()}
        old = [
            OldDraft(one.id, one.facts.file, one.changed_at, size_of(draft_folder(workspace, one.id)))
            for one in drafts.unchanged_since(before)
            if one.facts.run_id not in kept_runs
        ]
    return [*old, *(_left(folder) for folder in folders if folder.name not in known)]


def _left(folder: Path) -> OldDraft:
    """A folder whose draft somebody has removed on another host."""
    return OldDraft(folder.name, "", folder.stat().st_mtime, size_of(folder))


def purge_drafts(workspace: Path, going: Sequence[OldDraft]) -> None:
    """Remove old drafts.

    Raises:
        StorageError: a folder cannot be removed.
        BusyError: another program reads the drafts: they are removed, and in its log for now.
    """
    if going:
        with closing(open_drafts(workspace)) as drafts:
            remove_drafts(workspace, drafts, [one.draft for one in going])

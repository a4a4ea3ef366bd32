"""How long personal data is kept: `purge` takes it out of old runs and leaves what matching and audits need.

Removes run directories, old drafts, the folders that the inbox made for its files, the cells and request bodies in the
journal, and the copies that upgrades made of it. Never touches a run that somebody is working on, nor what the
importer did not put there itself.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.errors import ExitCode, StorageError, UsageError
from importer.core.labels import counted
from importer.journal import Location, Purgeable, backups, locks_of
from importer.runs.archive import tag_of
from importer.runs.drafts.removing import OldDraft, old_drafts, purge_drafts
from importer.runs.leftovers import INBOXES_NAME, is_held, size_of, tidy
from importer.runs.registry import RUN_ID
from importer.runs.wiring import EMULATOR_STORE, Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class Going:
    """A run whose personal data goes.

    Args:
        kind: `run`, or `dry run`, which leaves nothing at all.
        size_bytes: of its directory.
    """

    run_id: str
    kind: str
    source: str
    ended_at: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did, or would do.

    Args:
        going: the runs whose data went.
        kept: old enough, but they can still be resumed, or have open steps after their creates.
        drafts: those that nobody has changed for that long; one of a run that is kept is kept, too.
        places: folders in archives and among the failed that the inbox put files into.
        places_bytes: of what is in them.
        copies: journals of earlier formats; they hold the data too.
    """

    dry_run: bool
    going: Sequence[Going] = ()
    kept: Sequence[Purgeable] = ()
    drafts: Sequence[OldDraft] = ()
    places: Sequence[Path] = ()
    places_bytes: int = 0
    copies: Sequence[Path] = ()
    notes: Sequence[str] = field(default=())

    @property
    def exit_code(self) -> ExitCode:
        """The exit code: something that should have been removed is still there, and a scheduler must notice."""
        return ExitCode.SOME_FAILED if self.kept else ExitCode.OK

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {
            "dry_run": self.dry_run,
            "purged": [
                {
                    "run_id": one.run_id,
                    "kind": one.kind,
                    "source": one.source,
                    "ended_at": _iso(one.ended_at),
                    "bytes": one.size_bytes,
                }
                for one in self.going
            ],
            "kept": [
                {
                    "run_id": one.run_id,
                    "source": one.source,
                    "ended_at": _iso(one.ended_at),
                    "why": "open_steps" if one.has_open_steps else "resumable",
                }
                for one in self.kept
            ],
            "drafts": [one.as_json() for one in self.drafts],
            "places": [str(path) for path in self.places],
            "copies": [str(path) for path in self.copies],
            "notes": list(self.notes),
            "bytes": self.places_bytes
            + sum(one.size_bytes for one in self.going)
            + sum(one.size_bytes for one in self.drafts),
        }


def purge(workspace: Path, older_than_s: float, now: float, *, dry_run: bool = False, force: bool = False) -> Purged:
    """Remove the personal data of old runs, and old drafts, for good.

    Args:
        older_than_s: a run goes when it ended longer ago than this, in seconds.
        now: seconds since the epoch.
        dry_run: only say what would go.
        force: runs that could still be resumed go as well.

    Raises:
        UsageError: there is no such workspace.
        BusyError: another run works in the workspace, or another program reads its journal.
        StorageError, JournalError: something could not be removed; a second purge goes on.
    """
    if not workspace.is_dir():
        raise UsageError(f"There is no workspace '{workspace}'.", "Name the right one with --workspace.")
    before = now - older_than_s
    if not Location.of_workspace(workspace).exists:
        return _without_journal(workspace, before, dry_run=dry_run)
    with closing(open_workspace(workspace, create=False)) as opened, ExitStack() as locks:
        for scope in [] if dry_run else opened.runs.scopes():
            locks.enter_context(locks_of(workspace).hold(scope, now))
        return _purge(opened, before, now, dry_run=dry_run, force=force)


def _purge(workspace: Workspace, before: float, now: float, *, dry_run: bool, force: bool) -> Purged:
    old = workspace.journal.purging.purgeable(before)
    kept = [] if force else [one for one in old if one.resumable]
    leaving = [one for one in old if force or not one.resumable]
    checks = list(_unjournalled(workspace, before))
    places = _places(workspace, leaving, before)
    there = [folder for folder in places if tag_of(folder.name) and folder.is_dir() and not folder.is_symlink()]
    hidden = Counter(folder.parent for folder in places if not folder.parent.is_dir())
    plan = Purged(
        dry_run,
        going=[*(_going(workspace.path, one) for one in leaving), *checks],
        kept=kept,
        drafts=old_drafts(workspace.path, before, {one.run_id for one in kept}),
        places=there,
        places_bytes=sum(map(size_of, there)),
        copies=[
            path for path in backups(Location.of_workspace(workspace.path)) if leaving or path.stat().st_mtime < before
        ],
        notes=[*_notes(workspace.path), *map(_unseen, hidden.items())],
    )
    if not dry_run:
        purge_drafts(workspace.path, plan.drafts)
        tidy(workspace.path)
        copies = _unfinished_copies(workspace.path, before)
        _remove([*(workspace.path / one.run_id for one in plan.going), *plan.places, *copies], plan.copies)
        workspace.journal.places.drop([folder for folder in places if folder.parent not in hidden])
        if leaving:
            workspace.journal.purging.purge([one.run for one in leaving], now)
        workspace.journal.purging.wipe()
    return plan


def _without_journal(workspace: Path, before: float, *, dry_run: bool) -> Purged:
    plan = Purged(
        dry_run,
        going=list(_dry_runs(workspace, set(), before)),
        drafts=old_drafts(workspace, before),
        notes=_notes(workspace),
    )
    if not dry_run:
        purge_drafts(workspace, plan.drafts)
        tidy(workspace)
        _remove([*(workspace / one.run_id for one in plan.going), *_unfinished_copies(workspace, before)], ())
    return plan


def _unjournalled(workspace: Workspace, before: float) -> Iterator[Going]:
    """Directories of dry runs, and what a purge that was cut off left of runs."""
    present = {summary.run_id for summary in workspace.runs.summaries() if summary.purged_at is None}
    yield from _dry_runs(workspace.path, present, before)


def _dry_runs(workspace: Path, present: set[str], before: float) -> Iterator[Going]:
    for directory in sorted(workspace.iterdir()):
        named = RUN_ID.fullmatch(directory.name)
        if named is None or directory.name in present or not directory.is_dir():
            continue
        began = datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        if began < before and not is_held(directory):
            yield Going(directory.name, "dry run", "", began, size_of(directory))


def _places(workspace: Workspace, leaving: Sequence[Purgeable], before: float) -> list[Path]:
    """What the inbox archived: results go with their run; copies of files, and files without a run, by their age."""
    runs = {one.run: one.run_id for one in leaving}
    own = [place for run in runs for place in workspace.journal.places.of(run)]
    found = [place.folder for place in own if tag_of(place.folder.name) == runs[place.run or 0]]
    remaining = {one.run for one in workspace.journal.purging.purgeable(float("inf"))} - runs.keys()
    old = (place for place in workspace.journal.places.before(before) if place.run not in remaining)
    return list(dict.fromkeys([*found, *(place.folder for place in old)]))


def _going(workspace: Path, run: Purgeable) -> Going:
    return Going(run.run_id, "run", run.source, run.ended_at, size_of(workspace / run.run_id))


def _remove(directories: Sequence[Path], files: Sequence[Path]) -> None:
    try:
        for directory in directories:
            if directory.exists():
                shutil.rmtree(directory)
        for path in files:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{error.filename} cannot be removed: {(error.strerror or 'unknown error').lower()}.",
            "Check its permissions, and purge again.",
        ) from error


def _notes(workspace: Path) -> list[str]:
    """Return what a purge does not remove, and a person may want to know."""
    notes = [
        f"What nightly archived at {address.read_text('utf-8').strip()} stays there; it is yours to remove."
        for address in sorted(workspace.glob(f"{INBOXES_NAME}/*/address"))
    ]
    if (workspace / EMULATOR_STORE).exists():
        held = f"{workspace / EMULATOR_STORE} holds the customers of rehearsals; remove it when they were real people."
        notes.append(held)
    return notes


def _unfinished_copies(workspace: Path, before: float) -> list[Path]:
    """Copies of files at an address that no pass finished; one that goes on with such a file fetches it again."""
    copies = workspace.glob(f"{INBOXES_NAME}/*/processing/*")
    return [folder for folder in copies if folder.is_dir() and folder.stat().st_mtime < before]


def _unseen(hidden: tuple[Path, int]) -> str:
    """Return a note about folders that cannot be seen: a container may see the workspace alone."""
    place, count = hidden
    return f"{place} cannot be seen from here; {counted(count, 'folder')} of nightly left there."


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

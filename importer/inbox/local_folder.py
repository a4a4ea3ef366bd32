"""A folder of this machine that files arrive in.

    customers.csv ─► processing/customers.csv ─► archive/<tag>_customers.csv/{customers.csv, results.csv, …}
                                              └► failed/<tag>_customers.csv/{customers.csv, why.txt, …}

Where a target takes only what was approved, `approval` is used instead of `processing`: a file waits there with its
plan beside it; a further one of the same name waits in `approval/2`.

A file is moved into `processing` before it is used, so that nobody writes another one over it meanwhile; what is
there when a pass begins is what an earlier pass did not finish. A file is never anywhere half (see `runs.archive`).
Nothing is overwritten, and nothing deleted but markers. Knows neither runs nor customers.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from importer.core.atomic_files import create_once, is_unfinished
from importer.core.errors import ImporterError, SourceError, StillWrittenError, StorageError
from importer.inbox.folder import FileState, Selection, is_plan, plan_of
from importer.inbox.open_files import is_being_written
from importer.profile.nightly import NightlySettings
from importer.runs import archive

PROCESSING = "processing"
APPROVAL = "approval"
_LOCKS = ".importer"
_IDENTITY = "folder"


class LocalFolder:
    """`InboxFolder` on this machine.

    Args:
        approves: files wait for the approval of their plans.

    Raises:
        SourceError: at any operation, when the folder cannot be read.
        StorageError: at any operation, when files in it cannot be moved.
    """

    def __init__(self, folder: Path, settings: NightlySettings, *, approves: bool = False) -> None:
        self.folder = folder
        self.approves = approves
        self.processing = folder / PROCESSING
        self.approval = folder / APPROVAL
        self.archive = folder / settings.archive
        self.failed = folder / settings.failed
        self._selection = Selection(settings)

    @property
    def shown(self) -> str:
        return str(self.folder)

    @property
    def lock(self) -> tuple[Path, str]:
        """Inside the folder, so that passes with different workspaces do not take the same file twice either."""
        return self.folder / _LOCKS, "nightly"

    @property
    def identity(self) -> str:
        """A file's: the folder may be mounted under another path elsewhere, and another folder there under this one."""
        path = self.folder / _LOCKS / _IDENTITY
        try:
            create_once(path, secrets.token_hex(8).encode())
            return path.read_text("ascii")
        except OSError as error:
            raise _unwritable(error, path.parent) from error

    def open(self) -> None:
        if not self.folder.is_dir():
            raise SourceError(
                f"There is no folder '{self.folder}'.", "Name the folder that the files arrive in, or make it."
            )
        name = archive.readable(str(self.folder.absolute()))
        if name != str(self.folder.absolute()):
            raise SourceError(f"The name of the folder '{name}' is not UTF-8 text.", "Rename it.")
        self._names()
        approval = [self.approval] if self.approves else []
        for place in (self.processing, *approval, self.archive, self.failed):
            try:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritable(error, place) from error
            if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
                raise _unwritable(PermissionError(errno.EACCES, "permission denied"), place)

    def recover(self) -> None:
        """Clear away what a killed pass left: half-filled folders (a source is never in one) and old markers."""
        for place in (self.archive, self.failed):
            try:
                for part in filter(archive.is_half_filled, list(place.iterdir())):
                    shutil.rmtree(part)
            except OSError as error:
                raise _unwritable(error, place) from error
        for path in self.claimed():
            if not (self.folder / path.name).exists():
                self._drop_marker(path)
        self._clear_approval()

    def _clear_approval(self) -> None:
        """Clear away plans whose files are put away already, and numbered folders that nothing waits in any more."""
        try:
            for plan in filter(is_plan, self._in_approval()):
                if not any(plan_of(path) == plan for path in plan.parent.iterdir()):
                    plan.unlink()
            for place in self._numbered():
                if not any(place.iterdir()):
                    place.rmdir()
        except OSError as error:
            raise _unwritable(error, self.approval) from error

    # ------------------------------------------------------------------ arriving

    def scan(self) -> dict[Path, FileState]:
        found: dict[Path, FileState] = {}
        for name in self._names():
            path = self.folder / name
            if not self._selection.is_meant(name) or path.is_symlink() or not path.is_file():
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue  # taken back during the scan
            found[path] = FileState(state.st_size, state.st_mtime_ns, state.st_ino)
        return found

    def links(self) -> list[str]:
        """Symbolic links that would be taken if they were files: their targets are not ours to move."""
        meant = filter(self._selection.is_meant, self._names())
        return sorted(name for name in meant if (self.folder / name).is_symlink())

    def is_marked(self, path: Path) -> bool:
        try:
            return self._marker(path.name).stat().st_mtime_ns >= path.stat().st_mtime_ns
        except OSError:
            return False

    def complete(self, before: Mapping[Path, FileState], now: Mapping[Path, FileState]) -> list[Path]:
        return self._selection.complete(before, now, is_marked=self.is_marked, is_open=is_being_written)

    def growing(self, now: Mapping[Path, FileState], complete: Iterable[Path]) -> list[Path]:
        return self._selection.growing(now, complete, has_marker=self._has_marker)

    def claimed(self) -> list[Path]:
        there = (*self.processing.iterdir(), *self._in_approval())
        found = [path for path in there if path.is_file() and not is_plan(path)]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def claim(self, path: Path) -> Path | None:
        """Move a file into `processing`, or where it is approved, and remove its marker; None when it is gone."""
        if not self.is_marked(path) and is_being_written(path):
            raise StillWrittenError("Somebody is writing it again.", "The next pass takes it.")
        to = self._free_approval(path.name) if self.approves else self.processing / path.name
        if to.exists():
            name = archive.readable(path.name)
            raise StorageError(f"A file '{name}' is being worked on already.", f"Look into {self.processing}.")
        try:
            path.rename(to)
            self._drop_marker(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unwritable(error, self.folder) from error
        return to

    def fetch(self, path: Path) -> None:
        """Nothing: what is on this machine can be read."""

    # ------------------------------------------------------------------ leaving

    def has_archived(self, tag: str, name: str) -> bool:
        return any((place / archive.folder_name(tag, name) / name).exists() for place in (self.archive, self.failed))

    def newest_tag(self) -> str:
        folders = (folder for place in (self.archive, self.failed) for folder in place.iterdir())
        return max((archive.tag_of(folder.name) for folder in folders), default="")

    def put_away(
        self,
        path: Path,
        place: Path,
        tag: str,
        *,
        files: Iterable[Path] = (),
        texts: Mapping[str, str] | None = None,
        before: Callable[[Path], None] = lambda _: None,
    ) -> Path:
        to = place / archive.folder_name(tag, path.name)
        try:
            if (to / path.name).exists() or not to.exists():
                to = archive.free(to)
                archive.fill(to, path.name, files, texts or {})
            before(to)
            archive.move(path, to / path.name)
            plan_of(path).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(error, place) from error
        return to

    # ------------------------------------------------------------------ pieces

    def _numbered(self) -> list[Path]:
        """Where further files of the same name wait."""
        if not os.access(self.approval, os.R_OK | os.X_OK):
            return []
        return [place for place in self.approval.iterdir() if place.name.isdecimal() and place.is_dir()]

    def _in_approval(self) -> list[Path]:
        """The files that wait for an approval, and their plans."""
        if not os.access(self.approval, os.R_OK | os.X_OK):
            return []
        there = [path for place in (self.approval, *self._numbered()) for path in place.iterdir()]
        return [path for path in there if path.is_file() and not is_unfinished(path)]  # somebody approves just now

    def _free_approval(self, name: str) -> Path:
        """Where a file of this name may wait."""
        place, number = self.approval, 1
        while (place / name).exists():
            number += 1
            place = self.approval / str(number)
        place.mkdir(mode=0o700, exist_ok=True)
        return place / name

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise SourceError(
                f"The folder '{self.folder}' cannot be read: {(error.strerror or 'unknown error').lower()}.",
                "Check its permissions.",
            ) from error

    def _marker(self, name: str) -> Path:
        return self.folder / self._selection.marker(name)

    def _drop_marker(self, path: Path) -> None:
        if self._has_marker(path):
            self._marker(path.name).unlink(missing_ok=True)

    def _has_marker(self, path: Path) -> bool:
        return os.access(self._marker(path.name), os.F_OK)


def _unwritable(error: OSError, place: Path) -> ImporterError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(f"The disk is full: nothing can be put into {place}.", "Free some space there.")
    reason = (error.strerror or "unknown error").lower()
    return StorageError(
        f"Files cannot be moved into {place}: {reason}.", "The importer has to be able to write to this folder."
    )

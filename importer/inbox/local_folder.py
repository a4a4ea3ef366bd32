"""The folder that files arrive in: which are complete, which is next, and where they go afterwards.

    customers.csv ─► processing/customers.csv ─► archive/<tag>_customers.csv/{customers.csv, results.csv, …}
                                              └► failed/<tag>_customers.csv/{customers.csv, why.txt, …}

A file is moved aside before it is used, so that nobody writes another one over it meanwhile; what lies in
`processing` when a pass begins is what an earlier pass did not finish. A file is never anywhere half (see
`archive`). Nothing is overwritten, and nothing deleted but markers. Knows neither runs nor customers.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from importer.core.errors import ImporterError, SourceError, StillWrittenError, StorageError
from importer.inbox.folder import Seen
from importer.inbox.open_files import is_being_written
from importer.profile.nights import NightlySettings
from importer.runs import archive

PROCESSING = "processing"
_OURS = ".importer"


class Inbox:
    """One folder.

    Raises:
        SourceError: at any operation, when the folder cannot be read.
        StorageError: at any operation, when files in it cannot be moved.
    """

    def __init__(self, folder: Path, settings: NightlySettings) -> None:
        self.folder = folder
        self._settings = settings
        self._processing = folder / PROCESSING
        self.archive = folder / settings.archive
        self.failed = folder / settings.failed

    @property
    def shown(self) -> str:
        """The folder as people know it."""
        return str(self.folder)

    @property
    def lock(self) -> tuple[Path, str]:
        """Inside the folder, so that nights with different workspaces do not take the same file twice either."""
        return self.folder / _OURS, "nightly"

    def open(self) -> None:
        """Check that files can be taken, and make the folders that they go to."""
        if not self.folder.is_dir():
            raise SourceError(
                f"There is no folder '{self.folder}'.", "Name the folder that the files arrive in, or make it."
            )
        name = archive.readable(str(self.folder.absolute()))
        if name != str(self.folder.absolute()):
            raise SourceError(f"The name of the folder '{name}' is not UTF-8 text.", "Rename it.")
        self._names()
        for place in (self._processing, self.archive, self.failed):
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
        for path in self.begun():
            if not (self.folder / path.name).exists():
                self._drop_marker(path)

    # ------------------------------------------------------------------ arriving

    def look(self) -> dict[Path, Seen]:
        """Every file that may be meant, as it is now."""
        seen: dict[Path, Seen] = {}
        for name in self._names():
            path = self.folder / name
            if not self.is_meant(name) or path.is_symlink() or not path.is_file():
                continue
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # taken back while we looked
            seen[path] = Seen(found.st_size, found.st_mtime_ns, found.st_ino)
        return seen

    def links(self) -> list[str]:
        """Symbolic links that would be taken if they were files: what stands elsewhere is not ours to move."""
        return sorted(name for name in self._names() if self.is_meant(name) and (self.folder / name).is_symlink())

    def is_marked(self, path: Path) -> bool:
        """Whether a marker says that the file is complete; an older one spoke of another file of that name."""
        try:
            return self._marker(path.name).stat().st_mtime_ns >= path.stat().st_mtime_ns
        except OSError:
            return False

    def complete(self, before: Mapping[Path, Seen], now: Mapping[Path, Seen]) -> list[Path]:
        """The files that may be taken, the oldest first.

        Args:
            before: an earlier look, at least `settle_s` ago; {} where every file is marked.
        """
        found = [path for path, seen in now.items() if self.is_marked(path) or self._is_stable(path, before, seen)]
        return sorted(found, key=lambda path: (now[path].changed_ns, path.name))

    def growing(self, now: Mapping[Path, Seen], found: Iterable[Path]) -> list[Path]:
        """The files that somebody is still writing: those that are meant, and not among the complete ones."""
        waits_for_markers = self._settings.ready == "marker"
        left = now.keys() - set(found)
        return sorted(path for path in left if not waits_for_markers or self._has_marker(path))

    def _is_stable(self, path: Path, before: Mapping[Path, Seen], seen: Seen) -> bool:
        return self._settings.ready == "stable" and before.get(path) == seen and not is_being_written(path)

    def begun(self) -> list[Path]:
        """What an earlier pass took and did not put away, the oldest first."""
        found = [path for path in self._processing.iterdir() if path.is_file()]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def take(self, path: Path) -> Path | None:
        """Move a file aside, and drop its marker; returns where it is now, None when it is gone.

        Raises:
            StillWrittenError: somebody began to write it again; it stays where it is.
        """
        if not self.is_marked(path) and is_being_written(path):
            raise StillWrittenError("Somebody is writing it again.", "The next pass takes it.")
        to = self._processing / path.name
        if to.exists():
            name = archive.readable(path.name)
            raise StorageError(f"A file '{name}' is being worked on already.", f"Look into {self._processing}.")
        try:
            path.rename(to)
            self._drop_marker(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unwritable(error, self.folder) from error
        return to

    def at_hand(self, path: Path) -> None:
        """Nothing: what is on this machine can be read."""

    # ------------------------------------------------------------------ leaving

    def has(self, tag: str, name: str) -> bool:
        """Whether a file was put away under this tag and name."""
        return any((place / archive.folder_name(tag, name) / name).exists() for place in (self.archive, self.failed))

    def last_tag(self) -> str:
        """The tag of the newest file that was put away; empty when none ever was. Tags begin with their moment."""
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
        """Move a file that is done with into a folder of its own, with everything about it beside it.

        Args:
            place: `archive` or `failed`.
            tag: what the folder's name begins with: the run's id, or the moment.
            files: results; linked or copied under their own names.
            texts: name to content of further files.
            before: gets the folder when the file is about to be moved into it.

        Returns:
            The folder.
        """
        to = place / archive.folder_name(tag, path.name)
        try:
            if (to / path.name).exists() or not to.exists():
                to = archive.free(to)
                archive.fill(to, path.name, files, texts or {})
            before(to)
            archive.move(path, to / path.name)
        except OSError as error:
            raise _unwritable(error, place) from error
        return to

    # ------------------------------------------------------------------ pieces

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise SourceError(
                f"The folder '{self.folder}' cannot be read: {(error.strerror or 'unknown error').lower()}.",
                "Check its permissions.",
            ) from error

    def is_meant(self, name: str) -> bool:
        """Whether files of this name are taken."""
        if name.startswith((".", "~$")) or name.endswith(self._settings.marker):
            return False
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self._settings.patterns)

    def _marker(self, name: str) -> Path:
        return self.folder / (name + self._settings.marker)

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

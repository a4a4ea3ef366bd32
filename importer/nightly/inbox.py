"""The folder that files arrive in: which are complete, which is next, and where they go afterwards.

    customers.csv ─► processing/customers.csv ─► archive/<tag>_customers.csv/{customers.csv, results.csv, …}
                                              └► failed/<tag>_customers.csv/{customers.csv, why.txt, …}

A file is moved aside before it is used, so that nobody writes another one over it meanwhile; what lies in
`processing` when a pass begins is what an earlier pass did not finish. A folder in `archive` or `failed` is
filled under a hidden name and then renamed; the source goes in last, so that it is never anywhere half.
Nothing is overwritten, and nothing deleted but markers. Knows neither runs nor customers.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from importer.errors import ImporterError, SourceError, StorageError
from importer.profile.nights import NightlySettings

PROCESSING = "processing"
_PART = ".part"
_LONGEST_NAME_BYTES = 180
"""Of a folder's name, which also holds a tag; most file systems end a name at 255."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one file: when two looks are equal, nobody wrote to it in between."""

    size: int
    changed_ns: int
    file_id: int


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

    def open(self) -> None:
        """Check that files can be taken, and make the folders that they go to."""
        if not self.folder.is_dir():
            raise SourceError(
                f"There is no folder '{self.folder}'.", "Name the folder that the files arrive in, or make it."
            )
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
            for part in place.glob(f".*{_PART}"):
                shutil.rmtree(part)
        for path in self.begun():
            if not (self.folder / path.name).exists():
                self._drop_marker(path)

    # ------------------------------------------------------------------ arriving

    def look(self) -> dict[Path, Seen]:
        """Every file that may be meant, as it is now."""
        seen: dict[Path, Seen] = {}
        for name in self._names():
            path = self.folder / name
            if not self._is_meant(name) or path.is_symlink() or not path.is_file():
                continue
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # taken back while we looked
            seen[path] = Seen(found.st_size, found.st_mtime_ns, found.st_ino)
        return seen

    def is_marked(self, path: Path) -> bool:
        """Whether a marker says that the file is complete."""
        return os.access(self._marker(path.name), os.F_OK)

    def complete(self, before: Mapping[Path, Seen], now: Mapping[Path, Seen]) -> list[Path]:
        """The files that may be taken, the oldest first.

        Args:
            before: an earlier look, at least `settle_s` ago; {} where every file is marked.
        """
        stable = self._settings.ready == "stable"
        found = [path for path, seen in now.items() if self.is_marked(path) or (stable and before.get(path) == seen)]
        return sorted(found, key=lambda path: (now[path].changed_ns, path.name))

    def begun(self) -> list[Path]:
        """What an earlier pass took and did not put away, the oldest first."""
        found = [path for path in self._processing.iterdir() if path.is_file()]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def take(self, path: Path) -> Path | None:
        """Move a file aside, and drop its marker; returns where it is now, None when it is gone."""
        to = self._processing / path.name
        if to.exists():
            raise StorageError(f"A file '{path.name}' is being worked on already.", f"Look into {self._processing}.")
        try:
            path.rename(to)
            self._drop_marker(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unwritable(error, self.folder) from error
        return to

    # ------------------------------------------------------------------ leaving

    def has(self, tag: str, name: str) -> bool:
        """Whether a file was put away under this tag and name."""
        return any((place / _folder_name(tag, name) / name).exists() for place in (self.archive, self.failed))

    def last_tag(self) -> str:
        """The tag of the newest file that was put away; empty when none ever was. Tags begin with their moment."""
        names = (folder.name for place in (self.archive, self.failed) for folder in place.iterdir())
        return max((name.partition("_")[0] for name in names if not name.startswith(".")), default="")

    def put_away(
        self, path: Path, place: Path, tag: str, *, files: Iterable[Path] = (), texts: Mapping[str, str] | None = None
    ) -> Path:
        """Move a file that is done with into a folder of its own, with everything about it beside it.

        Args:
            place: `archive` or `failed`.
            tag: what the folder's name begins with: the run's id, or the moment.
            files: results; linked or copied under their own names.
            texts: name to content of further files.

        Returns:
            The folder.
        """
        to = place / _folder_name(tag, path.name)
        try:
            if (to / path.name).exists() or not to.exists():
                to = _free(to)
                self._fill(to, path.name, files, texts or {})
            _move(path, to / path.name)
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

    def _is_meant(self, name: str) -> bool:
        if name.startswith((".", "~$")) or name.endswith(self._settings.marker):
            return False
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self._settings.patterns)

    def _marker(self, name: str) -> Path:
        return self.folder / (name + self._settings.marker)

    def _drop_marker(self, path: Path) -> None:
        if self.is_marked(path):
            self._marker(path.name).unlink(missing_ok=True)

    @staticmethod
    def _fill(to: Path, source: str, files: Iterable[Path], texts: Mapping[str, str]) -> None:
        part = to.with_name(f".{to.name}{_PART}")
        part.mkdir(mode=0o700)
        for file in files:
            _beside(file, part / _unlike(source, file.name))
        for name, text in texts.items():
            _write(part / _unlike(source, name), text)
        _sync(part)
        part.rename(to)
        _sync(to.parent)


def _folder_name(tag: str, name: str) -> str:
    return f"{tag}_{name.encode()[:_LONGEST_NAME_BYTES].decode(errors='ignore')}"


def _free(path: Path) -> Path:
    """A path that nothing stands under."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}~{number}")
    return free


def _move(path: Path, to: Path) -> None:
    """Rename a file; into another file system by a copy that appears whole."""
    try:
        path.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = to.with_name(f".{to.name}{_PART}")
        shutil.copy2(path, aside)
        _sync(aside)
        aside.rename(to)
        path.unlink()
    _sync(to.parent)


def _unlike(source: str, name: str) -> str:
    """A name that the source does not have: `results.csv` may well be imported again."""
    while name == source:
        name = f"importer-{name}"
    return name


def _beside(file: Path, to: Path) -> None:
    """Have a second name for a file where the file system can, else a copy."""
    if not file.is_file():
        return
    try:
        os.link(file, to)
    except OSError:
        shutil.copy2(file, to)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(error: OSError, place: Path) -> ImporterError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(f"The disk is full: nothing can be put into {place}.", "Free some space there.")
    reason = (error.strerror or "unknown error").lower()
    return StorageError(
        f"Files cannot be moved into {place}: {reason}.", "The importer has to be able to write to this folder."
    )

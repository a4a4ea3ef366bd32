"""Files that appear complete or not at all: written under another name in the same folder, synced, then renamed.

The order is always the same: the content is on the disk, then the name changes, then the folder is on the disk. Files
are readable for the owner alone (mode 0600), and nothing temporary is left behind when writing fails.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

from importer.core.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


_UNFINISHED: set[Path] = set()
"""Every temporary file of this process that has not got its name yet."""


def sync(path: Path) -> None:
    """Have the content of a file or the names in a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename a complete file or folder of the same file system so that it survives a power cut."""
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def create_file(path: Path, content: bytes = b"") -> None:
    """Write a new file, which is on the disk when this returns.

    Raises:
        FileExistsError: there is one already.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def create_once(path: Path, content: bytes) -> None:
    """Write a small file where there is none: of several programs, also on several hosts, the first one's stays.

    Raises:
        OSError: it cannot be written.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.part")
    create_file(temporary, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def write_file(path: Path, content: bytes) -> None:
    """Write a small file, in the place of an earlier one of that name."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    create_file(temporary, content)
    put_in_place(temporary, path)


def is_unfinished(path: Path) -> bool:
    """Whether a file is one that a program is writing, and puts in the place of another one when it is complete."""
    return path.name.startswith(".") and path.name.endswith(".part")


def discard_unfinished() -> None:
    """Remove what is not complete, where the program ends in the middle of its writing."""
    for temporary in list(_UNFINISHED):
        temporary.unlink(missing_ok=True)


class AtomicFiles:
    """A group of files of one folder that are put in place together when the block ends well.

    Used as a context manager. When the block raises, every temporary file is removed and the files
    that were there before are untouched. Temporary files that a killed run left under the same names
    are removed too.

    Args:
        directory: where the files are put; created (mode 0700) when missing.

    Raises:
        StorageError: at any operation, when the folder or a file in it cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._waiting: dict[str, Path] = {}
        self._open: list[TextIO | BinaryIO] = []

    def text(self, name: str, *, newline: str = "") -> TextIO:
        """Open a UTF-8 text file that will be called `name`; lone surrogates become question marks."""
        path = self.path(name)
        stream = path.open("w", encoding="utf-8", errors="replace", newline=newline, buffering=1 << 20)
        self._open.append(stream)
        return stream

    def binary(self, name: str) -> BinaryIO:
        """Open a binary file that will be called `name`."""
        stream = self.path(name).open("wb")
        self._open.append(stream)
        return stream

    def path(self, name: str) -> Path:
        """Return an empty temporary file (mode 0600) for `name`, for libraries that open files themselves."""
        for stale in self._directory.glob(f".{name}.*.part"):
            stale.unlink(missing_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._directory, prefix=f".{name}.", suffix=".part")
        os.close(handle)
        self._waiting[name] = Path(temporary)
        _UNFINISHED.add(self._waiting[name])
        return self._waiting[name]

    def __enter__(self) -> Self:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, self._directory) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._commit()
        except OSError as failure:
            raise storage_error(failure, self._directory) from failure
        finally:
            self._discard()
        if isinstance(error, OSError):
            raise storage_error(error, self._directory) from error

    def _commit(self) -> None:
        for stream in self._open:
            stream.close()
        for temporary in self._waiting.values():
            sync(temporary)
        for name, temporary in list(self._waiting.items()):
            temporary.replace(self._directory / name)
            _UNFINISHED.discard(self._waiting.pop(name))
        sync(self._directory)

    def _discard(self) -> None:
        for stream in self._open:
            try:
                stream.close()
            except OSError:
                continue  # the disk is full: what could not be flushed is thrown away below anyway
        for temporary in self._waiting.values():
            temporary.unlink(missing_ok=True)
            _UNFINISHED.discard(temporary)


def storage_error(error: OSError, directory: Path) -> StorageError:
    """Put into one sentence why `directory` cannot be written."""
    if error.errno in _FULL:
        return StorageError(f"The disk is full: no results can be written to {directory}.", "Free some space there.")
    if error.errno in _FORBIDDEN:
        return StorageError(
            f"The results cannot be written to {directory}: permission denied.", "Choose another folder with --out."
        )
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return StorageError(f"The results cannot be written to {directory}: {reason}.")


def publish(files: Mapping[str, Path], out: Path) -> dict[str, Path]:
    """Copy finished files into a second folder, all of them or none.

    Args:
        files: kind to path, as `write_results` returned it.
        out: the folder; created when missing.

    Returns:
        Kind to the path of the copy.
    """
    with AtomicFiles(out) as copies:
        for path in files.values():
            shutil.copyfile(path, copies.path(path.name))
    return {kind: out / path.name for kind, path in files.items()}

"""The bytes of a source, opened once and safely, readable any number of times from the start.

Only ordinary files of an allowed size get this far; a device or a pipe is refused before a byte is
read. What came packed or through a pipe is in a nameless temporary file: nothing is left
behind, not even after a crash.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from importer.core.errors import EmptySourceError, SourceError
from importer.core.labels import nearest
from importer.readers.parser_errors import unreadable

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""Opening a pipe without O_NONBLOCK would wait for a writer for ever."""
_PIECE_BYTES = 1 << 20


class Stream(Protocol):
    """Something that bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class ByteSource:
    """The bytes of one source.

    Args:
        handle: the open file; owned from now on.
        name: the source's name for people.
    """

    def __init__(self, handle: IO[bytes], name: str) -> None:
        self._handle = handle
        self.name = name
        self.size = os.fstat(handle.fileno()).st_size

    def open(self) -> BinaryIO:
        """Return a fresh stream at the start, with a position of its own."""
        return io.BufferedReader(_Window(self._handle), _PIECE_BYTES)

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        self._handle.close()


class _Window(io.RawIOBase):
    """Reads a file at its own position, so that several streams share one open file."""

    def __init__(self, handle: IO[bytes]) -> None:
        super().__init__()
        self._handle = handle
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._handle.fileno()).st_size if whence == os.SEEK_END else 0
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence])
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub's Buffer is 3.12's
        count = os.preadv(self._handle.fileno(), [buffer], self._at)
        self._at += count
        return count


def open_byte_source(path: Path, max_bytes: int) -> ByteSource:
    """Open an ordinary, non-empty file.

    Args:
        max_bytes: the largest size that is accepted.

    Raises:
        SourceError: missing, a folder, a device, a pipe, empty, too large, or not readable.
    """
    try:
        handle = os.fdopen(os.open(path, _FLAGS), "rb", buffering=0)
    except FileNotFoundError as fault:
        raise _missing(path) from fault
    except OSError as fault:
        raise unreadable(str(path), fault) from fault
    except ValueError as fault:
        raise SourceError("The path of the source holds a NUL character.", "Check the path.") from fault
    try:
        _require_ordinary(path, os.fstat(handle.fileno()), max_bytes)
    except SourceError:
        handle.close()
        raise
    return ByteSource(handle, path.name)


def spool(stream: Stream, name: str, max_bytes: int, too_large: SourceError) -> ByteSource:
    """Copy a stream into a nameless temporary file.

    Args:
        max_bytes: how much may come.
        too_large: what to raise when more comes.

    Raises:
        SourceError: nothing came, or too much.
    """
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the source
    try:
        _copy(stream, copy, max_bytes, too_large)
    except BaseException:
        copy.close()
        raise
    byte_source = ByteSource(copy, name)
    if not byte_source.size:
        byte_source.close()
        raise EmptySourceError(f"'{name}' is empty.", "Export the customers again.")
    return byte_source


def save_stream(stream: Stream, to: Path, max_bytes: int) -> None:
    """Write what a pipe delivers to a file that only its owner may read, complete or not at all.

    Raises:
        SourceError: nothing came, or more than `max_bytes`.
    """
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        try:
            taken = _copy(stream, out, max_bytes, too_large("Standard input", max_bytes))
        except SourceError:
            to.unlink()
            raise
    if not taken:
        to.unlink()
        raise SourceError("Standard input is empty.", "Pipe the file into the command, or name it.")


def content_hash(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes as hex, so that the same content is recognised under any name.

    Raises:
        SourceError: the file cannot be read.
    """
    byte_source = open_byte_source(Path(path), sys.maxsize)
    try:
        with byte_source.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto
    except OSError as fault:
        raise unreadable(str(path), fault) from fault
    finally:
        byte_source.close()


def too_large(name: str, max_bytes: int) -> SourceError:
    """Return the error for a source that is larger than the profile allows."""
    return SourceError(
        f"{name} is larger than the {max_bytes:,} bytes that are allowed.",
        "Split the file, or raise max_file_bytes in [source.limits].",
    )


def _copy(stream: Stream, out: IO[bytes], max_bytes: int, too_much: SourceError) -> int:
    taken = 0
    while piece := stream.read(_PIECE_BYTES):
        taken += len(piece)
        if taken > max_bytes:
            raise too_much
        out.write(piece)
    out.flush()
    return taken


def _require_ordinary(path: Path, found: os.stat_result, max_bytes: int) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise SourceError(f"'{path}' is a folder, not a file.", "Name the file in it that is to be imported.")
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(
            f"'{path}' is a device or a pipe, not a file.", "Save the data as a file first, or pipe it in with '-'."
        )
    if found.st_size == 0:
        raise EmptySourceError(f"'{path}' is empty (0 bytes).", "Export the customers again.")
    if found.st_size > max_bytes:
        raise too_large(f"'{path}'", max_bytes)


def _missing(path: Path) -> SourceError:
    try:
        near = nearest(path.name, [entry.name for entry in path.parent.iterdir()])
    except OSError:
        near = ""
    hint = f"Did you mean '{near}'?" if near else "Check the path and the spelling."
    return SourceError(f"There is no file '{path}'.", hint)

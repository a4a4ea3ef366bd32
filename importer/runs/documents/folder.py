"""The files of documents: names below one folder, opened so that a cell never opens anything else. Sends nothing.

A name is taken part by part below the folder, and no part may be a link at the moment it is opened; links that stay
inside the folder were followed before. Only regular files are read: no pipe, no device.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

MOST_BYTES = 5_242_880
"""The largest document (K: the API's page about documents)."""

_STARTS: Mapping[str, bytes] = MappingProxyType(
    {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff"}
)
"""To each extension that is taken what a file of its kind begins with."""
_HEAD_BYTES = max(map(len, _STARTS.values()))
_SEPARATORS = re.compile(r"[/\\]")
_NO_NAME = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_MOST_NAMES = 2_000
"""A folder with more files is not searched for a similar name."""

NOT_FOUND, OUTSIDE, NOT_A_FILE = "document_not_found", "document_outside", "document_not_a_file"
UNREADABLE, EMPTY, TOO_LARGE, TYPE = (
    "document_unreadable", "document_empty", "document_too_large", "document_type",
)  # fmt: skip
_CODES: Mapping[int | None, str] = MappingProxyType(
    {errno.ENOENT: NOT_FOUND, errno.ENOTDIR: NOT_FOUND, errno.ENAMETOOLONG: NOT_FOUND, errno.ELOOP: OUTSIDE}
)


class UnusableDocumentError(Exception):
    """A document cannot be used; it is raised and caught in this package alone.

    Args:
        code: of the issue.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class DocumentFolder:
    """The folder that the files of documents are in.

    Args:
        path: absolute; it may be a link itself.
    """

    path: Path

    def examine(self, name: str) -> None:
        """Check a file without reading more than its beginning.

        Raises:
            UnusableDocumentError: it cannot be sent.
        """
        with self._opened(name) as file:
            _checked(file, name, MOST_BYTES)

    def read(self, name: str, most_bytes: int) -> bytes:
        """Read a file whole.

        Raises:
            UnusableDocumentError: it cannot be sent, or has more bytes.
        """
        most = min(most_bytes, MOST_BYTES)
        with self._opened(name) as file:
            _checked(file, name, most)
            os.lseek(file, 0, os.SEEK_SET)
            blocks, size = [], 0
            while size <= most and (block := os.read(file, most + 1 - size)):
                blocks.append(block)
                size += len(block)
        if size > most:
            raise UnusableDocumentError(TOO_LARGE)
        return b"".join(blocks)

    def names_beside(self, name: str) -> list[str]:
        """The names of the files in the folder that a name is looked for in; none where there are very many."""
        *above, _ = _parts(name)
        try:
            root = self.path.resolve()
            there = root.joinpath(*above).resolve()
            names = [one.name for one in there.iterdir()] if there.is_relative_to(root) else []
        except (OSError, ValueError, RuntimeError):
            return []
        shown = [one for one in names if not one.startswith(".") and one.isprintable()]
        return ["/".join((*above, one)) for one in sorted(shown)] if len(shown) <= _MOST_NAMES else []

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        parts = _parts(name)
        try:
            root = self.path.resolve()
            real = root.joinpath(*parts).resolve(strict=True)
            if not real.is_relative_to(root):
                raise UnusableDocumentError(OUTSIDE)
            file = _open(root, real.relative_to(root).parts)
        except OSError as error:
            raise UnusableDocumentError(_CODES.get(error.errno, UNREADABLE)) from None
        except (ValueError, RuntimeError):  # no name of this system; links in a circle
            raise UnusableDocumentError(OUTSIDE) from None
        try:
            yield file
        except OSError:
            raise UnusableDocumentError(UNREADABLE) from None
        finally:
            os.close(file)


def _parts(name: str) -> list[str]:
    """Take a name apart; other systems separate folders by a backslash.

    Raises:
        UnusableDocumentError: it leads, or could lead, out of the folder.
    """
    parts = _SEPARATORS.split(name)
    if _NO_NAME.search(name) or _DRIVE.match(name) or any(part in {"", ".", ".."} for part in parts):
        raise UnusableDocumentError(OUTSIDE)
    return parts


def _open(root: Path, parts: tuple[str, ...]) -> int:
    """Open a file step by step, so that no link that is made meanwhile is followed.

    Raises:
        OSError: it cannot be opened.
        UnusableDocumentError: it is something else than a file.
    """
    if not parts:
        raise UnusableDocumentError(NOT_A_FILE)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        _require_file(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))  # to open a device may do something
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        _require_file(os.fstat(file))
    except UnusableDocumentError:
        os.close(file)
        raise
    return file


def _require_file(found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise UnusableDocumentError(OUTSIDE)
    if not stat.S_ISREG(found.st_mode):
        raise UnusableDocumentError(NOT_A_FILE)


def _checked(file: int, name: str, most_bytes: int) -> None:
    size = os.fstat(file).st_size
    if size > most_bytes:
        raise UnusableDocumentError(TOO_LARGE)
    check_kind(os.read(file, _HEAD_BYTES), name)


def check_kind(content: bytes, name: str) -> None:
    """Check that a file is of a kind that is taken, and named so.

    Args:
        content: its beginning, or all of it.
        name: ends with its extension.

    Raises:
        UnusableDocumentError: it is empty, of another kind, or its extension says another one.
    """
    if not content:
        raise UnusableDocumentError(EMPTY)
    start = _STARTS.get(name.rpartition(".")[2].lower())
    if start is None or not content.startswith(start):
        raise UnusableDocumentError(TYPE)

"""What foreign parsers raise, turned into the one sentence of a `SourceError`. Never hides a stop signal.

A parser may raise anything on a broken file; those written in Rust even raise a class that is not a subclass of
`Exception` (a panic). Both are broken files to a person, not bugs of the importer.
"""

from __future__ import annotations

import errno
import struct
import tempfile
import zlib
from types import TracebackType
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

from importer.core.errors import SourceError, StorageError

PARSER_FAULTS = (
    ArithmeticError,
    BadZipFile,
    EOFError,
    ExpatError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    struct.error,
    zlib.error,
)
_PARSERS = frozenset({"_csv", "_lzma", "gzip", "zipfile"})
_PANIC = "PanicException"
"""pyo3 derives it from BaseException and exports it nowhere: only its name distinguishes it from Ctrl-C."""


class Parsing:
    """A `with` block in which a foreign parser reads: what it raises becomes a `SourceError`; a full disk does not.

    Args:
        name: the source as a person knows it, for the message.
        what: what the file was taken for (`workbook`, `text file`).
        hint: how to fix it.
    """

    def __init__(self, name: str, what: str, hint: str) -> None:
        self._message = f"'{name}' cannot be read: the {what} is damaged or not what it claims to be."
        self._name = name
        self._hint = hint

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if fault is None or isinstance(fault, SourceError):
            return
        if isinstance(fault, OSError):
            raise unreadable(self._name, fault) from fault
        if isinstance(fault, MemoryError):
            raise SourceError(f"'{self._name}' needs more memory than there is.", self._hint) from fault
        if isinstance(fault, PARSER_FAULTS) or is_parser_error(fault):
            raise SourceError(self._message, self._hint) from fault


def is_parser_error(fault: BaseException) -> bool:
    """Whether an exception is a parser's own that derives from no usual class, or a panic."""
    kind = type(fault)
    return kind.__name__ == _PANIC or kind.__module__.split(".")[0] in _PARSERS


def unreadable(name: str, fault: OSError) -> SourceError | StorageError:
    """Return one sentence that says why the operating system would not let a file be read.

    Where the disk is full that is not the file's fault: what is unpacked or piped in is kept there meanwhile.
    """
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(
            f"The disk is full: '{name}' cannot be kept in {tempfile.gettempdir()} while it is read.",
            "Free some space there, or name another folder in TMPDIR.",
        )
    if isinstance(fault, FileNotFoundError | NotADirectoryError):
        return SourceError(f"There is no file '{name}'.", "Check the path and the spelling.")
    if isinstance(fault, IsADirectoryError):
        return SourceError(f"'{name}' is a folder, not a file.", "Name the file in it that is to be imported.")
    if isinstance(fault, PermissionError):
        return SourceError(f"'{name}' may not be read by this user.", "Grant read permission, or copy the file.")
    reason = fault.strerror or "the file is damaged"
    return SourceError(f"'{name}' cannot be read: {reason}.", "Copy the file again from where it came from.")

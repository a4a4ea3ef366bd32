"""Unpacks gz, zip and zst into a temporary file, counting the bytes: a zip bomb is refused in time."""

from __future__ import annotations

import gzip
import io
from contextlib import closing
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from importer.core.errors import SourceError
from importer.profile.settings import SourceLimits
from importer.readers.byte_source import ByteSource, Stream, spool
from importer.readers.parser_errors import Parsing

HARMLESS_BYTES = 64 << 20
"""So much unpacked is harmless, whatever the ratio."""
_HINT = "Unpack it yourself and import the file that was in it."
_COPY_AGAIN = "Copy it again from where it came from: it may have been cut off on the way."
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".ods")
"""A workbook is a zip archive; only its name shows one that is cut off."""


def unpack(byte_source: ByteSource, kind: str, limits: SourceLimits) -> ByteSource:
    """Return what is packed in a gzip, zip or zstd archive.

    Args:
        kind: `gzip`, `zip` or `zstd`.

    Raises:
        SourceError: damaged, a bomb, locked, or not exactly one file.
    """
    allowed = allowed_bytes(byte_source.size, limits)
    cut_off = kind == "zip" and byte_source.name.lower().endswith(_WORKBOOKS)
    what, hint = ("workbook", _COPY_AGAIN) if cut_off else (f"{kind} archive", f"{_COPY_AGAIN} Or unpack it yourself.")
    with Parsing(byte_source.name, what, hint), byte_source.open() as packed:
        if kind == "zip":
            return _unzip(packed, byte_source.name, allowed)
        stream: Stream = _unzstd(packed, byte_source.name) if kind == "zstd" else gzip.GzipFile(fileobj=packed)
        with closing(stream):
            return spool(stream, _inner_name(byte_source.name), allowed, bomb(byte_source.name, allowed))


def allowed_bytes(packed_bytes: int, limits: SourceLimits) -> int:
    """Return how many bytes a packed file may unpack to."""
    return min(limits.max_unpacked_bytes, max(HARMLESS_BYTES, packed_bytes * limits.max_unpack_ratio))


def bomb(name: str, allowed: int) -> SourceError:
    """Return the error for an archive that unpacks to far more than its size."""
    return SourceError(
        f"'{name}' unpacks to more than {allowed:,} bytes, far more than its size explains.",
        "Do not trust it; if it is sound, raise max_unpack_ratio in [source.limits].",
    )


def _unzip(packed: BinaryIO, name: str, allowed: int) -> ByteSource:
    with ZipFile(packed) as archive:
        member = _only_member(archive, name)
        if member.file_size > allowed:
            raise bomb(name, allowed)
        with archive.open(member) as stream:
            return spool(stream, PurePosixPath(member.filename).name, allowed, bomb(name, allowed))


def _only_member(archive: ZipFile, name: str) -> ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir() and not _is_litter(member.filename)]
    if len(members) != 1:
        inside = ", ".join(f"'{PurePosixPath(member.filename).name}'" for member in members[:5])
        raise SourceError(f"'{name}' holds {len(members)} files, not one{': ' if inside else ''}{inside}.", _HINT)
    if members[0].flag_bits & 0x1:
        raise SourceError(f"'{name}' is protected with a password.", _HINT)
    return members[0]


def _is_litter(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("."))


def _unzstd(packed: BinaryIO, _: str) -> Stream:
    """Unpack with Arrow; the standard library has it from Python 3.14 on."""
    import pyarrow as pa  # noqa: PLC0415  # heavy

    return io.BufferedReader(_Arrow(pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd")))


class _Arrow(io.RawIOBase):
    """An arrow stream behind the interface of an ordinary one."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub's Buffer is 3.12's
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _inner_name(name: str) -> str:
    return name.rsplit(".", 1)[0] if "." in name.lstrip(".") else name

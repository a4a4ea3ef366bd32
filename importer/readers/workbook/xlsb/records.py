"""The parts of an `.xlsb` as records: a number that says what each is, and its bytes. Reads a stream, keeps nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from importer.core.errors import SourceError

_PIECE_BYTES = 1 << 18
_LARGEST = 64 << 20
"""No program writes a record of more bytes."""


def read_records(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield each record's type and content.

    Args:
        name: the source's name for people.

    Raises:
        SourceError: a record is absurdly long.
        ValueError: the part ends inside a record.
    """
    data, at = stream.read(_PIECE_BYTES), 0
    while at < len(data):
        if at + 8 > len(data):
            data, at = data[at:] + stream.read(_PIECE_BYTES), 0
        kind, size, at = _header(data, at)
        if size > _LARGEST:
            raise SourceError(f"'{name}' has a record of {size:,} bytes: it is damaged or hostile.", "Save it again.")
        if at + size > len(data):
            data, at = data[at:] + stream.read(max(_PIECE_BYTES, size)), 0
            if size > len(data):
                raise ValueError("the part ends inside a record")
        yield kind, data[at : at + size]
        at += size
        if at == len(data):
            data, at = stream.read(_PIECE_BYTES), 0


def wide_string(content: bytes, at: int) -> tuple[str, int]:
    """Return a string and where it ends; "" for the length that means none."""
    (count,) = struct.unpack_from("<I", content, at)
    if count == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * count
    if end > len(content):
        raise ValueError("a string ends after its record")
    return content[at + 4 : end].decode("utf-16-le", "replace"), end


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    kind = data[at]
    at += 1
    if kind & 0x80:
        kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
        at += 1
    size = shift = 0
    while shift < 28:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return kind, size, at

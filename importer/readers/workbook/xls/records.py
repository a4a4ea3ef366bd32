"""The stream of an `.xls` as records, and the strings in them. After [MS-XLS]; reads bytes, keeps nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

BEGIN, _END = 0x809, 0x0A
_CONTINUED = b"\x3c\x00"
_WIDE, _EXTENDED, _RICH = 1, 4, 8
_HEAD, _SIZE, _STRING = struct.Struct("<HH"), struct.Struct("<H"), struct.Struct("<HB")

Record = tuple[int, Sequence[bytes]]
"""A record's number in the format's description, and its content, cut where the format continues it."""


def read_records(stream: bytes, at: int) -> Iterator[Record]:
    """Yield the records of one part of the stream (the workbook's own, or a sheet), parts inside it left out.

    Args:
        at: where the part begins.

    Raises:
        ValueError: no part begins there, or the stream ends before the part does.
    """
    depth = 0
    last = len(stream) - _HEAD.size
    while at <= last:
        kind, size = _HEAD.unpack_from(stream, at)
        at += _HEAD.size + size
        parts = [stream[at - size : at]]
        while stream[at : at + 2] == _CONTINUED and at <= last:
            (size,) = _SIZE.unpack_from(stream, at + 2)
            at += _HEAD.size + size
            parts.append(stream[at - size : at])
        if kind == BEGIN:
            depth += 1
        if depth == 1:
            yield kind, parts
        elif not depth:
            raise ValueError("no part of the workbook begins where one should")
        if kind == _END:
            depth -= 1
            if not depth:
                return
    raise ValueError("the workbook ends in the middle of a sheet")


class Cursor:
    """Reads through the parts of a record, as if they were one, and strings that are cut between them.

    Args:
        parts: the record's parts.
        at: where in the first one to begin.
    """

    def __init__(self, parts: Sequence[bytes], at: int = 0) -> None:
        self._parts = parts
        self._part = 0
        self._at = at

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._part + 1 >= len(self._parts) and self._at >= len(self._parts[self._part])

    def string(self) -> str:
        """Read a string with its length, its kind, and what only its looks need."""
        text = self._whole_string()
        if text is not None:
            return text
        count, flags = _STRING.unpack(self.take(_STRING.size))
        runs = struct.unpack("<H", self.take(2))[0] if flags & _RICH else 0
        extra = struct.unpack("<I", self.take(4))[0] if flags & _EXTENDED else 0
        text = self.characters(count, wide=bool(flags & _WIDE))
        self.skip(4 * runs + extra)
        return text

    def _whole_string(self) -> str | None:
        """Read a string that has no looks and is not cut; None where it is not such a one."""
        part, start = self._parts[self._part], self._at + _STRING.size
        if start > len(part):
            return None
        count, flags = _STRING.unpack_from(part, self._at)
        end = start + (count << flags)
        if flags > _WIDE or end > len(part):
            return None
        self._at = end
        return part[start:end].decode("utf-16-le" if flags else "latin-1", "replace")

    def characters(self, count: int, *, wide: bool) -> str:
        """Read characters; where a string goes on in the next part, that part gives their width again."""
        pieces: list[bytes] = []  # joined before they are decoded: a cut may part the two halves of one character
        while True:
            size = 2 if wide else 1
            here = min(count, (len(self._parts[self._part]) - self._at) // size)
            data = self._parts[self._part][self._at : self._at + here * size]
            pieces.append(data if wide else data.decode("latin-1").encode("utf-16-le"))
            self._at += here * size
            count -= here
            if not count:
                return b"".join(pieces).decode("utf-16-le", "replace")
            self._next()
            wide = bool(self.take(1)[0] & _WIDE)

    def take(self, count: int) -> bytes:
        """Read bytes.

        Raises:
            ValueError: fewer are left.
        """
        taken = b""
        while len(taken) < count:
            if self._at >= len(self._parts[self._part]):
                self._next()
            piece = self._parts[self._part][self._at : self._at + count - len(taken)]
            self._at += len(piece)
            taken += piece
        return taken

    def skip(self, count: int) -> None:
        """Leave bytes out; more than there are is where the record ends."""
        while count > 0 and not self.ended:
            if self._at >= len(self._parts[self._part]):
                self._next()
            here = min(count, len(self._parts[self._part]) - self._at)
            self._at += here
            count -= here

    def _next(self) -> None:
        if self._part + 1 >= len(self._parts):
            raise ValueError("a string ends after its record")
        self._part += 1
        self._at = 0


def plain_string(parts: Sequence[bytes], at: int, *, codec: str) -> str:
    """Return a string that is alone in a record.

    Args:
        at: where it begins.
        codec: the encoding of the workbook before Excel 97; empty for later ones.
    """
    if codec:
        (count,) = struct.unpack_from("<H", parts[0], at)
        return parts[0][at + 2 : at + 2 + count].decode(codec, "replace")
    return Cursor(parts, at).string()

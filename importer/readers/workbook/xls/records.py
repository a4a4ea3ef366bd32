"""The stream of an `.xls` as records, and the strings in them. After [MS-XLS]; reads bytes, keeps nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

BEGIN, END, CONTINUED = 0x809, 0x0A, 0x3C
_WIDE, _EXTENDED, _RICH = 1, 4, 8


class Record:
    """One record, with the records that continue it.

    Args:
        kind: its number in the format's description.
        parts: its content, cut where the format continues it.
    """

    __slots__ = ("content", "kind", "parts")

    def __init__(self, kind: int, parts: Sequence[bytes]) -> None:
        self.kind = kind
        self.parts = parts
        self.content = parts[0]


def read_records(stream: bytes, at: int) -> Iterator[Record]:
    """Yield the records of one part of the stream (the workbook's own, or a sheet), parts inside it left out.

    Args:
        at: where the part begins.
    """
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        parts = [stream[at + 4 : at + 4 + size]]
        at += 4 + size
        while stream[at : at + 2] == b"\x3c\x00" and at + 4 <= len(stream):
            (size,) = struct.unpack_from("<H", stream, at + 2)
            parts.append(stream[at + 4 : at + 4 + size])
            at += 4 + size
        depth += kind == BEGIN
        if depth == 1:
            yield Record(kind, parts)
        depth -= kind == END
        if depth <= 0:
            return


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
        count, flags = struct.unpack("<HB", self.take(3))
        runs = struct.unpack("<H", self.take(2))[0] if flags & _RICH else 0
        extra = struct.unpack("<I", self.take(4))[0] if flags & _EXTENDED else 0
        text = self.characters(count, wide=bool(flags & _WIDE))
        self.skip(4 * runs + extra)
        return text

    def characters(self, count: int, *, wide: bool) -> str:
        """Read characters; where a string goes on in the next part, that part says anew how wide they are."""
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
    """Return a string that stands alone in a record.

    Args:
        at: where it begins.
        codec: the encoding of the workbook before Excel 97; empty for later ones.
    """
    if codec:
        (count,) = struct.unpack_from("<H", parts[0], at)
        return parts[0][at + 2 : at + 2 + count].decode(codec, "replace")
    return Cursor(parts, at).string()

"""The OLE container of an `.xls`: its sectors, put together into the one stream that holds the workbook."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_HEADER = struct.Struct("<8s16s5H6x9I")
_MARKS = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors."""
_END = 0xFFFFFFFE
"""Ends a chain."""
_IN_HEADER = 109
_ENTRY_BYTES = 128


def workbook_stream(data: bytes) -> bytes:
    """Return the stream named `Workbook` (or `Book`, before Excel 97).

    Raises:
        ValueError: the container is damaged, or has no such stream.
    """
    return _Container(data).stream("Workbook", "Book")


class _Container:
    def __init__(self, data: bytes) -> None:
        fields = _HEADER.unpack_from(data)
        self._data = data
        self._sector = 1 << fields[5]
        self._mini_sector = 1 << fields[6]
        directory, self._cutoff, mini_start, more = fields[9], fields[11], fields[12], fields[14]
        if not (512 <= self._sector <= 4096 and self._mini_sector <= self._sector):
            raise ValueError("absurd sectors")
        self._fat = self._read_fat(more)
        self._directory = self._chain(directory)
        self._mini_fat = _numbers(self._chain(mini_start))

    def stream(self, *names: str) -> bytes:
        """Return the first stream that has one of the names."""
        root = self._entry(0)
        for name in names:
            for at in range(_ENTRY_BYTES, len(self._directory), _ENTRY_BYTES):
                title, start, size = self._entry(at)
                if title == name:
                    return self._content(start, size, root[1])
        raise ValueError("no workbook in the container")

    def _content(self, start: int, size: int, mini_start: int) -> bytes:
        if size >= self._cutoff:
            content = self._chain(start)
        else:
            content = _follow(self._chain(mini_start), self._mini_fat, start, self._mini_sector, 0)
        if len(content) < size:
            raise ValueError("the workbook is shorter than it says")
        return content[:size]

    def _entry(self, at: int) -> tuple[str, int, int]:
        entry = self._directory[at : at + _ENTRY_BYTES]
        length = struct.unpack_from("<H", entry, 64)[0]
        start, size = struct.unpack_from("<II", entry, 116)
        return entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace"), start, size

    def _chain(self, start: int) -> bytes:
        return _follow(self._data, self._fat, start, self._sector, self._sector)

    def _read_fat(self, more: int) -> Sequence[int]:
        sectors = list(struct.unpack_from(f"<{_IN_HEADER}I", self._data, 76))
        seen = set()
        while more < _MARKS and more not in seen:
            seen.add(more)
            entries = _numbers(self._at(more))
            sectors += entries[:-1]
            more = entries[-1]
        return _numbers(b"".join(self._at(sector) for sector in sectors if sector < _MARKS))

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        return self._data[start : start + self._sector].ljust(self._sector, b"\xff")


def _follow(whole: bytes, fat: Sequence[int], start: int, size: int, offset: int) -> bytes:
    """Put together a chain of sectors; a chain longer than its table goes in circles."""
    data = memoryview(whole)
    parts: list[memoryview] = []
    sector = start
    while sector != _END:
        if sector >= len(fat) or len(parts) > len(fat):
            raise ValueError("a chain of sectors is broken")
        parts.append(data[offset + sector * size : offset + (sector + 1) * size])
        sector = fat[sector]
    return b"".join(parts)


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

"""What calamine does not tell of an `.xls`: error cells, digits shown by a format, hidden rows. After [MS-XLS]."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from importer.errors import SourceError
from importer.readers.workbook.binary import ERROR_TEXTS
from importer.readers.workbook.numberformats import Render, digit_renderer
from importer.readers.workbook.sheetrows import SheetFacts

_SHEET, _FORMAT, _STYLE, _PASSWORD, _BEGIN, _END = 0x85, 0x41E, 0xE0, 0x2F, 0x809, 0x0A
_FORMULA, _NUMBER, _RK, _RKS, _FLAG_OR_ERROR, _ROW = 0x06, 0x203, 0x27E, 0xBD, 0x205, 0x208
_FILTER, _MERGED, _COLUMNS = 0x9B, 0xE5, 0x7D
_BIFF8 = 0x600
_ROW_HIDDEN = 0x20

Place = tuple[int, int]
"""Row and column of a cell, from 0."""


@dataclass(slots=True)
class Overlay:
    """What a sheet's records say beyond its values.

    Args:
        errors: place to the error that the cell shows.
        renders: place to what makes digits and signs of the cell's number.
    """

    errors: dict[Place, str] = field(default_factory=dict)
    renders: dict[Place, Render] = field(default_factory=dict)
    facts: SheetFacts = field(default_factory=SheetFacts)


class Workbook:
    """The records of a workbook.

    Args:
        stream: the workbook's stream.
        name: the source's name for people.

    Raises:
        SourceError: it is protected with a password.
    """

    def __init__(self, stream: bytes, name: str) -> None:
        self._stream = stream
        self._starts: dict[str, int] = {}
        self._formats: dict[int, str] = {}
        self._styles: list[int] = []
        self._wide = True
        for kind, content in _records(stream, 0):
            if kind == _PASSWORD:
                raise SourceError(
                    f"'{name}' is protected with a password.", "Open it, remove the password, and save it again."
                )
            self._note(kind, content)
        self._renders = [digit_renderer(self._formats.get(style, "")) for style in self._styles]

    def overlay(self, sheet: str) -> Overlay:
        """Return what the records of a sheet say beyond its values."""
        overlay = Overlay()
        for kind, content in _records(self._stream, self._starts.get(sheet, len(self._stream))):
            if kind in {_NUMBER, _RK}:
                row, column, style = struct.unpack_from("<3H", content)
                self._render(overlay, row, column, style)
            elif kind == _RKS:
                self._render_many(overlay, content)
            elif kind == _FORMULA:
                self._formula(overlay, content)
            elif kind == _FLAG_OR_ERROR and content[7]:
                row, column = struct.unpack_from("<2H", content)
                overlay.errors[row, column] = ERROR_TEXTS.get(content[6], "#ERROR")
            else:
                _note_facts(kind, content, overlay.facts)
        return overlay

    def _note(self, kind: int, content: bytes) -> None:
        if kind == _BEGIN:
            self._wide = struct.unpack_from("<H", content)[0] >= _BIFF8
        elif kind == _SHEET:
            text = self._text(content, 6, content[6], 7)
            self._starts[text] = struct.unpack_from("<I", content)[0]
        elif kind == _FORMAT and self._wide:
            number, count = struct.unpack_from("<HH", content)
            self._formats[number] = self._text(content, 4, count, 4)
        elif kind == _STYLE:
            self._styles.append(struct.unpack_from("<H", content, 2)[0])

    def _text(self, content: bytes, _: int, count: int, at: int) -> str:
        if not self._wide:
            return content[at : at + count].decode("cp1252", "replace")
        if content[at] & 1:
            return content[at + 1 : at + 1 + 2 * count].decode("utf-16-le", "replace")
        return content[at + 1 : at + 1 + count].decode("latin-1")

    def _render(self, overlay: Overlay, row: int, column: int, style: int) -> None:
        render = self._renders[style] if style < len(self._renders) else None
        if render is not None:
            overlay.renders[row, column] = render

    def _render_many(self, overlay: Overlay, content: bytes) -> None:
        row, first = struct.unpack_from("<2H", content)
        for i in range((len(content) - 6) // 6):
            self._render(overlay, row, first + i, struct.unpack_from("<H", content, 4 + 6 * i)[0])

    def _formula(self, overlay: Overlay, content: bytes) -> None:
        row, column, style = struct.unpack_from("<3H", content)
        if content[12:14] == b"\xff\xff":
            if content[6] == 2:
                overlay.errors[row, column] = ERROR_TEXTS.get(content[8], "#ERROR")
            return
        self._render(overlay, row, column, style)


def _note_facts(kind: int, content: bytes, facts: SheetFacts) -> None:
    if kind == _ROW:
        facts.hidden_rows += bool(struct.unpack_from("<H", content, 12)[0] & _ROW_HIDDEN)
    elif kind == _FILTER:
        facts.filtered = True
    elif kind == _COLUMNS:
        facts.hidden_columns |= bool(struct.unpack_from("<H", content, 8)[0] & 1)
    elif kind == _MERGED:
        for i in range(struct.unpack_from("<H", content)[0]):
            first, last = struct.unpack_from("<2H", content, 2 + 8 * i)
            facts.merged = max(facts.merged, last + 1 if last > first else 0)


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of one part of the stream, parts inside it (charts) left out."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        at += 4
        if kind == _BEGIN:
            depth += 1
        if depth == 1:
            yield kind, stream[at : at + size]
        at += size
        if kind == _END:
            depth -= 1
            if depth <= 0:
                return

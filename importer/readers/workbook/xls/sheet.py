"""A sheet of an `.xls` as blocks of text."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from importer.readers.table.blocks import Block, Mark
from importer.readers.table.damage import cell_error
from importer.readers.workbook.cell_problems import LONG, long_number
from importer.readers.workbook.cells import ERROR_TEXTS, rk_number
from importer.readers.workbook.numberformats import Render, plain_text
from importer.readers.workbook.sheetrows import BlockBuilder, SheetFacts
from importer.readers.workbook.xls.records import Record, plain_string

_FORMULA, _NUMBER, _RK, _RKS, _FLAG_OR_ERROR, _ROW = 0x06, 0x203, 0x27E, 0xBD, 0x205, 0x208
_SHARED, _TEXT, _RICH_TEXT, _FORMULA_TEXT = 0xFD, 0x204, 0xD6, 0x207
_CELLS = frozenset({_SHARED, _NUMBER, _RK, _TEXT, _RICH_TEXT, _FLAG_OR_ERROR, _FORMULA})
_PLACE, _STYLED, _INDEX, _REAL = map(struct.Struct, ("<3H", "<HI", "<I", "<d"))
_FILTER, _MERGED, _COLUMNS = 0x9B, 0xE5, 0x7D
_ROW_HIDDEN = 0x20
_LAST_COLUMN = 0xFF
_MOST_WAITING = 2_048
"""Cells come row by row, or in blocks of a few rows; at most this many rows wait for cells that come late."""


@dataclass(slots=True)
class _Row:
    """A row that may still get cells."""

    cells: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def put(self, column: int, text: str) -> None:
        if column != len(self.cells):
            self.cells.extend([""] * (column + 1 - len(self.cells)))
            self.cells[column] = text
        else:
            self.cells.append(text)


class SheetRecords:
    """Turns the records of a sheet into rows.

    Args:
        strings: the workbook's shared strings.
        renders: one renderer per cell style.
        codec: the encoding of a workbook before Excel 97; empty for later ones.
        facts: filled while reading.
    """

    def __init__(self, strings: Sequence[str], renders: Sequence[Render], codec: str, facts: SheetFacts) -> None:
        self._strings = strings
        self._renders = renders
        self._codec = codec
        self._facts = facts
        self._waiting: dict[int, _Row] = {}
        self._number, self._row = -1, _Row()
        self._formula: tuple[int, int] | None = None

    def blocks(self, records: Iterable[Record]) -> Iterator[Block]:
        """Yield the rows, in blocks.

        Raises:
            ValueError: rows far out of order: the workbook is damaged.
        """
        builder = BlockBuilder()
        for kind, parts in records:
            self._take(kind, parts)
            if len(self._waiting) > _MOST_WAITING:
                yield from self._fill(builder, keep=_MOST_WAITING // 2)
        yield from self._fill(builder, keep=0)
        if builder.rows:
            yield builder.take()

    def _fill(self, builder: BlockBuilder, *, keep: int) -> Iterator[Block]:
        self._number = -1
        for number in sorted(self._waiting)[: len(self._waiting) - keep]:
            row = self._waiting.pop(number)
            builder.add(number + 1, row.cells, row.marks)
            if builder.full:
                yield builder.take()

    def _take(self, kind: int, parts: Sequence[bytes]) -> None:
        content = parts[0]
        if kind in _CELLS:
            number, column, style = _PLACE.unpack_from(content)
            row = self._row_of(number)
            _put(row, column, self._text(kind, parts, row, (number, column, style)))
        elif kind == _RKS:
            self._put_many(content)
        elif kind == _FORMULA_TEXT:
            self._put_result(parts)
        else:
            _note(kind, content, self._facts)

    def _row_of(self, number: int) -> _Row:
        if number != self._number:
            self._number, self._row = number, self._waiting.setdefault(number, _Row())
        return self._row

    def _text(self, kind: int, parts: Sequence[bytes], row: _Row, place: tuple[int, int, int]) -> str:
        content, (number, column, style) = parts[0], place
        if kind == _SHARED:
            shared: int = _INDEX.unpack_from(content, 6)[0]
            return self._strings[shared]
        if kind in {_TEXT, _RICH_TEXT}:
            return plain_string(parts, 6, codec=self._codec)
        if kind == _FLAG_OR_ERROR:
            return _flag_or_error(row, column, content[6], error=bool(content[7]))
        if kind == _FORMULA and content[12:14] == b"\xff\xff":
            if content[6] == 0:
                self._formula = (number, column)  # its text comes in a record of its own
            return _flag_or_error(row, column, content[8], error=content[6] == 2) if content[6] in {1, 2} else ""
        if kind == _RK:
            return self._shown(rk_number(_INDEX.unpack_from(content, 6)[0]), row, column, style)
        return self._shown(_REAL.unpack_from(content, 6)[0], row, column, style)

    def _put_result(self, parts: Sequence[bytes]) -> None:
        if self._formula is not None:
            number, column = self._formula
            _put(self._row_of(number), column, plain_string(parts, 0, codec=self._codec))
            self._formula = None

    def _put_many(self, content: bytes) -> None:
        number, first = struct.unpack_from("<2H", content)
        row = self._row_of(number)
        for i in range((len(content) - 6) // 6):
            style, packed = _STYLED.unpack_from(content, 4 + 6 * i)
            _put(row, first + i, self._shown(rk_number(packed), row, first + i, style))

    def _shown(self, number: float, row: _Row, column: int, style: int) -> str:
        render = self._renders[style] if style < len(self._renders) else plain_text
        if -LONG < number < LONG:
            whole = int(number)
            return render(str(whole) if whole == number else repr(number))
        row.marks.extend(filter(None, [long_number(number, column)]))
        return render(repr(number))


def _put(row: _Row, column: int, text: str) -> None:
    if column > _LAST_COLUMN:
        raise ValueError("a cell beyond the last column")
    row.put(column, text)


def _flag_or_error(row: _Row, column: int, value: int, *, error: bool) -> str:
    if not error:
        return "TRUE" if value else "FALSE"
    text = ERROR_TEXTS.get(value, "#ERROR")
    row.marks.append(cell_error(text, column))
    return text


def _note(kind: int, content: bytes, facts: SheetFacts) -> None:
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

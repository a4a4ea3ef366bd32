"""A sheet of an `.xls` as blocks of text."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from importer.readers.table.blocks import Block, Mark
from importer.readers.workbook.binary import ERROR_TEXTS, rk_number
from importer.readers.workbook.numberformats import Render, plain_text
from importer.readers.workbook.sheetrows import Pile, SheetFacts
from importer.readers.workbook.troubles import cell_error, long_number
from importer.readers.workbook.xls.records import Record, plain_string

_FORMULA, _NUMBER, _RK, _RKS, _FLAG_OR_ERROR, _ROW = 0x06, 0x203, 0x27E, 0xBD, 0x205, 0x208
_SHARED, _TEXT, _RICH_TEXT, _FORMULA_TEXT = 0xFD, 0x204, 0xD6, 0x207
_FILTER, _MERGED, _COLUMNS = 0x9B, 0xE5, 0x7D
_ROW_HIDDEN = 0x20
_MOST_WAITING = 2_048
"""Cells come row by row, or in blocks of a few rows; so many rows wait for cells that come late."""


@dataclass(slots=True)
class _Row:
    """A row that may still get cells."""

    cells: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def put(self, column: int, text: str) -> None:
        self.cells.extend([""] * (column + 1 - len(self.cells)))
        self.cells[column] = text


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
        self._formula: tuple[int, int] | None = None

    def blocks(self, records: Iterable[Record]) -> Iterator[Block]:
        """Yield the rows, in blocks.

        Raises:
            ValueError: rows far out of order: the workbook is damaged.
        """
        pile = Pile()
        for record in records:
            self._take(record)
            if len(self._waiting) > _MOST_WAITING:
                yield from self._pile_up(pile, keep=_MOST_WAITING // 2)
        yield from self._pile_up(pile, keep=0)
        if pile.rows:
            yield pile.take()

    def _pile_up(self, pile: Pile, *, keep: int) -> Iterator[Block]:
        for number in sorted(self._waiting)[: len(self._waiting) - keep]:
            row = self._waiting.pop(number)
            pile.add(number + 1, row.cells, row.marks)
            if pile.full:
                yield pile.take()

    def _take(self, record: Record) -> None:
        kind, content = record.kind, record.content
        if kind == _RKS:
            self._put_many(content)
        elif kind == _FORMULA_TEXT:
            self._put_result(record)
        elif kind in {_SHARED, _NUMBER, _RK, _TEXT, _RICH_TEXT, _FLAG_OR_ERROR, _FORMULA}:
            row, column, style = struct.unpack_from("<3H", content)
            self._put(row, column, self._text(record, row, column, style))
        else:
            _note(kind, content, self._facts)

    def _text(self, record: Record, row: int, column: int, style: int) -> str:
        kind, content = record.kind, record.content
        if kind == _SHARED:
            return str(self._strings[struct.unpack_from("<I", content, 6)[0]])
        if kind in {_TEXT, _RICH_TEXT}:
            return plain_string(record.parts, 6, codec=self._codec)
        if kind == _FLAG_OR_ERROR:
            return self._flag_or_error(row, column, content[6], error=bool(content[7]))
        if kind == _FORMULA and content[12:14] == b"\xff\xff":
            return self._result(row, column, content)
        packed = kind == _RK
        number = (
            rk_number(struct.unpack_from("<I", content, 6)[0]) if packed else struct.unpack_from("<d", content, 6)[0]
        )
        return self._number(number, row, column, style)

    def _result(self, row: int, column: int, content: bytes) -> str:
        """Return a formula's result that is no number; a text comes in a record of its own."""
        kind, value = content[6], content[8]
        if kind == 0:
            self._formula = (row, column)
        return self._flag_or_error(row, column, value, error=kind == 2) if kind in {1, 2} else ""

    def _put_result(self, record: Record) -> None:
        if self._formula is not None:
            self._put(*self._formula, plain_string(record.parts, 0, codec=self._codec))
            self._formula = None

    def _put_many(self, content: bytes) -> None:
        row, first = struct.unpack_from("<2H", content)
        for i in range((len(content) - 6) // 6):
            style, packed = struct.unpack_from("<HI", content, 4 + 6 * i)
            self._put(row, first + i, self._number(rk_number(packed), row, first + i, style))

    def _number(self, number: float, row: int, column: int, style: int) -> str:
        if mark := long_number(number, column):
            self._waiting.setdefault(row, _Row()).marks.append(mark)
        render = self._renders[style] if style < len(self._renders) else plain_text
        return render(repr(number))

    def _flag_or_error(self, row: int, column: int, value: int, *, error: bool) -> str:
        if not error:
            return "TRUE" if value else "FALSE"
        text = ERROR_TEXTS.get(value, "#ERROR")
        self._waiting.setdefault(row, _Row()).marks.append(cell_error(text, column))
        return text

    def _put(self, row: int, column: int, text: str) -> None:
        if column > 0xFF:
            raise ValueError("a cell beyond the last column")
        self._waiting.setdefault(row, _Row()).put(column, text)


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

"""A sheet of an `.xlsb` as blocks of text."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from importer.readers.table.blocks import Block, Mark
from importer.readers.table.damage import cell_error
from importer.readers.workbook.cell_problems import long_number, too_long
from importer.readers.workbook.cells import ERROR_TEXTS, rk_number
from importer.readers.workbook.numberformats import Render
from importer.readers.workbook.sheetrows import LAST_COLUMN, BlockBuilder, SheetFacts
from importer.readers.workbook.xlsb.records import wide_string

_ROW, _BLANK, _RK, _ERROR, _FLAG, _REAL, _TEXT, _SHARED = range(8)
_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_FLAG, _FORMULA_ERROR = range(8, 12)
_RICH_TEXT, _COLUMNS, _END, _FILTER, _MERGED = 62, 60, 146, 161, 176
_CELLS = frozenset({*range(_RK, _FORMULA_ERROR + 1), _RICH_TEXT})
_NUMBERS = frozenset({_RK, _REAL, _FORMULA_REAL})
_ROW_HIDDEN = 0x10


class SheetRecords:
    """Turns the records of a sheet into rows.

    Args:
        strings: the workbook's shared strings.
        renders: one renderer per cell style.
        longest: characters that a cell may have.
        name: the source's name for people.
    """

    def __init__(self, strings: Sequence[str], renders: Sequence[Render], longest: int, name: str) -> None:
        self._strings = strings
        self._renders = renders
        self._longest = longest
        self._name = name

    def blocks(self, records: Iterable[tuple[int, bytes]], facts: SheetFacts) -> Iterator[Block]:
        """Yield the rows, in blocks; `facts` is complete after the last one.

        Raises:
            ValueError: cells or rows out of order: the workbook is damaged.
        """
        builder = BlockBuilder()
        number = 0
        cells: list[str] = []
        marks: list[Mark] = []
        for kind, content in records:
            if kind in _CELLS:
                self._add(kind, content, cells, marks)
            elif kind in {_ROW, _END}:
                if number:
                    builder.add(number, cells, marks)
                if builder.full:
                    yield builder.take()
                cells, marks = [], []
                number = _row_number(content, facts) if kind == _ROW else 0
            else:
                _note(kind, content, facts)
        if number:
            raise ValueError("the sheet ends in the middle")
        if builder.rows:
            yield builder.take()

    def _add(self, kind: int, content: bytes, cells: list[str], marks: list[Mark]) -> None:
        column, style = struct.unpack_from("<II", content)
        if not len(cells) <= column < LAST_COLUMN:
            raise ValueError("cells out of order")
        text = self._text(kind, content, style & 0xFFFFFF)
        if len(text) > self._longest:
            raise too_long(self._longest, self._name)
        if kind in {_ERROR, _FORMULA_ERROR}:
            marks.append(cell_error(text, column))
        if kind in _NUMBERS and (mark := long_number(_number(kind, content), column)):
            marks.append(mark)
        cells.extend([""] * (column - len(cells)))
        cells.append(text)

    def _text(self, kind: int, content: bytes, style: int) -> str:
        if kind == _SHARED:
            return str(self._strings[struct.unpack_from("<I", content, 8)[0]])
        if kind in _NUMBERS:
            return self._renders[style](repr(_number(kind, content)))
        if kind in {_TEXT, _FORMULA_TEXT, _RICH_TEXT}:
            return wide_string(content, 9 if kind == _RICH_TEXT else 8)[0]
        if kind in {_FLAG, _FORMULA_FLAG}:
            return "TRUE" if content[8] else "FALSE"
        return ERROR_TEXTS.get(content[8], "#ERROR")


def _number(kind: int, content: bytes) -> float:
    if kind == _RK:
        return rk_number(struct.unpack_from("<I", content, 8)[0])
    return float(struct.unpack_from("<d", content, 8)[0])


def _row_number(content: bytes, facts: SheetFacts) -> int:
    facts.hidden_rows += bool(content[11] & _ROW_HIDDEN)
    return int(struct.unpack_from("<I", content)[0]) + 1


def _note(kind: int, content: bytes, facts: SheetFacts) -> None:
    if kind == _FILTER:
        facts.filtered = True
    elif kind == _COLUMNS:
        facts.hidden_columns |= bool(content[16] & 1)
    elif kind == _MERGED:
        first, last = struct.unpack_from("<II", content)
        facts.merged = max(facts.merged, last + 1 if last > first else 0)

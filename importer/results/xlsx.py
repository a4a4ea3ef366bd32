"""The results table as a workbook: text cells, bold frozen header with filter, further sheets when one is full.

Streams: never holds more than the rows it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importer.results.sheets import HEADER_FILL, HEADER_FONT, MAX_ROWS, may_run, put_text, stored_text, widths
from importer.results.table import Header, Row

_WIDTH_SAMPLE = 200


class XlsxTable:
    """Writes `path`; the file is made when the table is closed.

    Args:
        sheet_rows: data rows that one sheet takes.
    """

    def __init__(self, path: Path, header: Header, sheet_rows: int = MAX_ROWS - 1) -> None:
        self._path = path
        self._names = header.names
        self._sheet_rows = sheet_rows
        self._book = Workbook(write_only=True)
        self._sheet: Worksheet | None = None
        self._used = 0
        self._closed = False

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows, opening a further sheet where one is full."""
        for row in rows:
            if self._sheet is None or self._used == self._sheet_rows:
                self._sheet = self._next_sheet(rows[:_WIDTH_SAMPLE])
            sheet = self._sheet
            sheet.append([_guarded(sheet, text) if may_run(text) else stored_text(text) for text in row])
            self._used += 1

    def close(self) -> None:
        """Save the workbook."""
        if self._closed:
            return
        self._closed = True
        if self._sheet is None:
            self._sheet = self._next_sheet([])
        self._finish_sheet()
        self._book.save(self._path)

    def _next_sheet(self, sample: Sequence[Row]) -> Worksheet:
        self._finish_sheet()
        number = len(self._book.worksheets) + 1
        sheet = cast("Worksheet", self._book.create_sheet("Results" if number == 1 else f"Results {number}"))
        sheet.freeze_panes = "A2"
        for index, width in enumerate(widths(self._names, sample), 1):
            sheet.column_dimensions[get_column_letter(index)].width = width
        sheet.append([_bold(sheet, name) for name in self._names])
        self._used = 0
        return sheet

    def _finish_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._names))}{self._used + 1}"


def _guarded(sheet: Worksheet, text: str) -> SheetCell:
    cell = WriteOnlyCell(sheet)
    put_text(cell, text)
    return cell


def _bold(sheet: Worksheet, name: str) -> SheetCell:
    cell = _guarded(sheet, name)
    cell.font = HEADER_FONT
    cell.fill = HEADER_FILL
    return cell

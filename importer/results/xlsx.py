"""The results table as a workbook for people: state and customer beside the row number, coloured, frozen, printable.

The columns are those of `results.csv`, in another order: what people read is printed, what programs and operators need
is behind it. Cells of the source are texts, so that they come back as they were; only what is mapped to an amount is a
number, where Excel shows that number exactly as the source wrote it.

Streams: never holds more than the rows it is given. What is too long for a sheet goes on in a further one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.columns import (
    ATTEMPTS,
    CUSTOMER_ID,
    DIFFERENCES,
    ERROR_CODE,
    ERROR_COLUMN,
    ERROR_FIELD,
    ERROR_MESSAGE,
    HTTP_STATUS,
    IDV_ID,
    NUMBER_COLUMNS,
    ROW_COLUMN,
    RUN_COLUMN,
    SHEET_COLUMN,
    STATUS_COLUMN,
    TRACE_ID,
)
from importer.results.sheets import MAX_ROWS, height, print_table, print_wide, widths
from importer.results.table import Header, Row
from importer.results.xlsx_cells import RowCells

FIRST = (ROW_COLUMN, STATUS_COLUMN, CUSTOMER_ID)
"""Which row it is and what became of it: before the columns of the source, and always in sight."""
_BEHIND = frozenset(
    {SHEET_COLUMN, ERROR_CODE, ERROR_FIELD, ERROR_COLUMN, HTTP_STATUS, TRACE_ID, IDV_ID, ATTEMPTS, RUN_COLUMN}
)
"""For programs and operators: behind all others, and not printed."""
_SENTENCES = frozenset({ERROR_MESSAGE, DIFFERENCES})
"""Wrapped. Warnings are not: with a row of several lines for each, a file that is fine would look as if it were not."""
_SENTENCE_WIDTH = 40.0
_WIDTH_SAMPLE = 200


class XlsxTable:
    """Writes `path`; the file is made when the table is closed.

    Args:
        sheet_rows: data rows that one sheet takes.
    """

    def __init__(self, path: Path, header: Header, sheet_rows: int = MAX_ROWS - 1) -> None:
        self._path = path
        self._columns = _Columns(header)
        self._sheet_rows = sheet_rows
        self._book = Workbook(write_only=True)
        self._sheet: _Sheet | None = None
        self._closed = False

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows, opening a further sheet where one is full."""
        self._columns.look_at(rows)
        for row in rows:
            if self._sheet is None or self._sheet.rows == self._sheet_rows:
                self._sheet = self._next_sheet(rows[:_WIDTH_SAMPLE])
            self._sheet.append(row)

    def close(self) -> None:
        """Save the workbook."""
        if self._closed:
            return
        self._closed = True
        (self._sheet or self._next_sheet([])).finish()
        self._book.save(self._path)

    def _next_sheet(self, sample: Sequence[Row]) -> _Sheet:
        if self._sheet is not None:
            self._sheet.finish()
        number = len(self._book.worksheets) + 1
        sheet = self._book.create_sheet("Results" if number == 1 else f"Results {number}")
        return _Sheet(cast("Worksheet", sheet), self._columns, sample)


class _Columns:
    """The columns of every sheet.

    Args:
        header: of the table.
    """

    def __init__(self, header: Header) -> None:
        own = len(header.source_names)
        between = [name for name in header.added if name not in FIRST and name not in _BEHIND]
        behind = [name for name in header.added if name in _BEHIND]
        added = {name: own + place for place, name in enumerate(header.added)}
        self.names = (*FIRST, *header.source_names, *between, *behind)
        self.places = [*map(added.__getitem__, FIRST), *range(own), *map(added.__getitem__, (*between, *behind))]
        """Where each of them is in a row of the table."""
        self.of_source = range(len(FIRST), len(FIRST) + len(header.columns))
        self.printed = len(FIRST) + own
        """How many of them are printed."""
        self._may_be_printed = {added[name]: at for at, name in enumerate(between, self.printed + 1)}
        self._numeric = NUMBER_COLUMNS | header.numeric

    def look_at(self, rows: Sequence[Row]) -> None:
        """Have ours printed up to the last one that is not blank."""
        for place, at in self._may_be_printed.items():
            if at > self.printed and any(row[place] for row in rows):
                self.printed = at

    def widths(self, sample: Sequence[Row]) -> list[float]:
        """Return the width of each, in characters."""
        found = widths(self.names, [[row[place] for place in self.places] for row in sample])
        return [max(width, _SENTENCE_WIDTH) if self.is_sentence(at) else width for at, width in enumerate(found)]

    def is_numeric(self, at: int) -> bool:
        """Whether one holds numbers."""
        return self.names[at] in self._numeric

    def is_sentence(self, at: int) -> bool:
        """Whether one holds sentences of ours."""
        return at not in self.of_source and self.names[at] in _SENTENCES


class _Sheet:
    """One sheet.

    Args:
        sample: rows that its columns have to be wide enough for.
    """

    def __init__(self, sheet: Worksheet, columns: _Columns, sample: Sequence[Row]) -> None:
        self.rows = 0
        self._sheet, self._columns, self._widths = sheet, columns, columns.widths(sample)
        for index, width in enumerate(self._widths, 1):
            sheet.column_dimensions[get_column_letter(index)].width = width
        sheet.freeze_panes = f"{get_column_letter(len(FIRST) + 1)}2"
        print_wide(sheet)
        looks = [(columns.is_numeric(at), columns.is_sentence(at)) for at in range(len(columns.names))]
        self._cells = RowCells(sheet, columns.places, looks, coloured=len(FIRST), state=FIRST.index(STATUS_COLUMN))
        sheet.append(self._cells.header(columns.names, columns.of_source))
        self._sentences = [(columns.places[at], self._widths[at]) for at, (_, wrap) in enumerate(looks) if wrap]

    def append(self, row: Row) -> None:
        """Append a row of the table."""
        self.rows += 1
        at, heights = self.rows + 1, self._sheet.row_dimensions
        if any(row[place] for place, _ in self._sentences):
            heights[at].height = height((row[place], width) for place, width in self._sentences)
        self._sheet.append(self._cells.of(row))  # type: ignore[arg-type]  # a generator, by another name
        heights.pop(at, None)  # it is written: memory must not grow with the rows

    def finish(self) -> None:
        """Say what is filtered and printed: all of it, now that its end is known."""
        last, printed = self.rows + 1, self._columns.printed
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._columns.names))}{last}"
        self._sheet.print_area = f"A1:{get_column_letter(printed)}{last}"
        print_table(self._sheet, self._widths[:printed], first_columns=len(FIRST))

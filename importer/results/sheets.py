"""What all workbooks that are written here share: cells of a source, styles, column widths.

No cell can run as a formula, and no text is changed for that: it comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.issues import Severity
from importer.core.states import RowState
from importer.results.cell_text import may_run, stored_text

HEADER_FONT = Font(name="Calibri", size=11, bold=True)
HEADER_FILL = PatternFill("solid", fgColor="FFE7ECF3")
NO_FILL = PatternFill()
ADDED_FILL = PatternFill("solid", fgColor="FFEFEFEF")
"""Behind the names of columns that are ours, not the source's."""
HEADER_ALIGNMENT = Alignment(vertical="top", wrap_text=True)
SEVERITY_FILLS: Mapping[Severity, PatternFill] = {
    Severity.ERROR: PatternFill("solid", fgColor="FFF8C9C4"),
    Severity.WARNING: PatternFill("solid", fgColor="FFFFF0B8"),
}
STATE_FILLS: Mapping[str, PatternFill] = {
    RowState.VALID: PatternFill("solid", fgColor="FFDDEFDC"),
    RowState.CREATED: PatternFill("solid", fgColor="FFDDEFDC"),
    RowState.EXISTING: PatternFill("solid", fgColor="FFDCE9F5"),
    RowState.INVALID: SEVERITY_FILLS[Severity.ERROR],
    RowState.REJECTED: SEVERITY_FILLS[Severity.ERROR],
    RowState.FAILED: PatternFill("solid", fgColor="FFFBD9B0"),
    RowState.UNKNOWN: PatternFill("solid", fgColor="FFFBD9B0"),
    RowState.UNSENT: PatternFill("solid", fgColor="FFE3E3E3"),
}

MAX_ROWS = 1_048_576
"""Rows of one sheet, the header among them."""
MAX_COLUMNS = 16_384

_NARROWEST, _WIDEST = 8, 48
_PAGE_CHARS = 260
"""The most characters beside each other that can still be read on a landscape page."""
_FITTING = 0.95
_LINE_POINTS, _HIGHEST = 15.0, 409.0


def put_text(cell: Cell | MergedCell, text: str) -> None:
    """Put a cell of a source into a cell of a workbook, as a text that is never calculated and reads as it was.

    Excel's own mark for such texts (quotePrefix) keeps them so when the cell is edited.
    """
    if isinstance(cell, MergedCell):
        return
    cell.value = stored_text(text) or None
    if not text:
        return
    cell.data_type = "s"
    if may_run(text):
        cell.quotePrefix = True


def cells_of(sheet: Worksheet) -> list[Cell | MergedCell]:
    """Return the cells that exist: the time depends on their number, and not on the place of the farthest one.

    `iter_rows` makes every cell of the rectangle, 17 thousand million where the last cell of a sheet is coloured.
    """
    return list(sheet._cells.values())  # noqa: SLF001  # openpyxl has no public list of them


def last_column(sheet: Worksheet) -> int:
    """Return the last column (from 1) that holds a value; 0 for none."""
    return max((cell.column for cell in cells_of(sheet) if cell.value is not None), default=0)


def print_wide(sheet: Worksheet) -> None:
    """Print landscape, all columns on one page."""
    sheet.page_setup.orientation = "landscape"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0  # as many pages as the rows need
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.5, bottom=0.75, header=0.3, footer=0.3)
    sheet.oddFooter = HeaderFooterItem(left=_HeaderFooterPart("&A"), right=_HeaderFooterPart("&P / &N"))


def print_table(sheet: Worksheet, wide: Sequence[float], *, first_columns: int = 0) -> None:
    """Print a table under its header, on several pages beside each other where nobody could read a single one.

    Args:
        wide: the width of each column that is printed, in characters.
        first_columns: how many columns each of several pages begins with.
    """
    first = sum(wide[:first_columns])
    across = max(1, ceil((sum(wide) - first) / (_PAGE_CHARS - first)))
    sheet.page_setup.fitToWidth = across
    sheet.print_title_rows = "1:1"
    if first_columns and across > 1:
        sheet.print_title_cols = f"A:{get_column_letter(first_columns)}"


def widths(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[float]:
    """Return a sensible width per column, in characters: header and 19 of 20 filled cells of some rows fit."""
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    return [float(_width(name, cells)) for name, cells in zip(header, columns, strict=True)]


def _width(name: str, cells: Sequence[object]) -> int:
    lengths = sorted(len(str(cell)) + 1 for cell in cells if cell) or [0]
    typical = lengths[int(_FITTING * (len(lengths) - 1))]
    return min(max(len(name) + 3, typical, _NARROWEST), _WIDEST)  # 3: room for the filter's button


def height(texts: Iterable[tuple[str, float]]) -> float | None:
    """Return the height of a row, in points, in which wrapped texts are seen as a whole; None: one line is enough.

    Not every program finds it by itself when it opens a workbook.

    Args:
        texts: each with the width of its column, in characters.
    """
    most = max((sum(1 + int(len(part) // width) for part in text.split("\n")) for text, width in texts), default=1)
    return min(most * _LINE_POINTS, _HIGHEST) if most > 1 else None

"""What all workbooks that are written here share: texts that a cell can hold, styles, column widths.

No cell can run as a formula, and no text is changed for that: it comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from openpyxl.cell import Cell
from openpyxl.cell.cell import ERROR_CODES, ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.issues import Severity

HEADER_FONT = Font(name="Calibri", size=11, bold=True)
HEADER_FILL = PatternFill("solid", fgColor="FFE7ECF3")
HEADER_ALIGNMENT = Alignment(vertical="top", wrap_text=True)
SEVERITY_FILLS: Mapping[Severity, PatternFill] = {
    Severity.ERROR: PatternFill("solid", fgColor="FFF8C9C4"),
    Severity.WARNING: PatternFill("solid", fgColor="FFFFF0B8"),
}

MAX_ROWS = 1_048_576
"""Rows of one sheet, the header among them."""
MAX_COLUMNS = 16_384
MAX_CELL_CHARS = 32_767
_CUT = " … (cut: a workbook cell holds no more)"

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""What XML forbids, and the carriage return, which it would make a line feed."""
_ESCAPED_ALREADY = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPING = re.compile(f"{_FORBIDDEN.pattern}|{_ESCAPED_ALREADY.pattern}")
_RUNS = re.compile(r"[=@\t\r\n]|[+-](?![\d\s()./,x-]*$)")
_NARROWEST, _WIDEST = 8, 48
_FITTING = 0.95


def safe_text(text: str) -> str:
    """Return a text of our own as a workbook cell can hold it: no formula, no control characters, not too long.

    What a spreadsheet would run gets an apostrophe in front. For the cells of a source see `put_text`.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")  # XML would do so silently
    if may_run(text):
        text = "'" + text
    text = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)
    return _writable(text)


def may_run(text: str) -> bool:
    """Whether a spreadsheet would run a text, or read it as an error, if it were typed into a cell.

    Numbers and phone numbers keep their sign: a cell that is stored as text is not calculated.
    """
    return bool(_RUNS.match(text)) or text in ERROR_CODES


def stored_text(text: str) -> str:
    """Return a text as a workbook stores it: what XML cannot hold is escaped, as spreadsheet programs do it."""
    if _ESCAPING.search(text):
        text = _ESCAPED_ALREADY.sub("_x005F_", text)
        text = _FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return _writable(text)


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


def _writable(text: str) -> str:
    if len(text) > MAX_CELL_CHARS:
        text = text[: MAX_CELL_CHARS - len(_CUT)] + _CUT
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text


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


def widths(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[float]:
    """Return a sensible width per column, in characters: the header fits, and so do 19 of 20 cells of some rows."""
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    return [float(_width(name, cells)) for name, cells in zip(header, columns, strict=True)]


def _width(name: str, cells: Sequence[object]) -> int:
    lengths = sorted(len(str(cell)) + 1 for cell in cells) or [0]
    typical = lengths[int(_FITTING * (len(lengths) - 1))]
    return min(max(len(name) + 3, typical, _NARROWEST), _WIDEST)  # 3: room for the filter's button


def lines(text: str, width: float) -> int:
    """Return how many lines a wrapped text takes in a cell of a width in characters."""
    return sum(1 + int(len(part) // width) for part in text.split("\n"))

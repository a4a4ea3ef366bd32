"""A free column at the left of a user's sheet, where that changes nothing else; elsewhere none.

openpyxl moves cells but not what refers to them. So a sheet with formulas, merged cells, tables,
validations, pictures or the like is left as it is, and the caller has to use the first free column at the right.
"""

from __future__ import annotations

from copy import copy

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_from_string, range_boundaries
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from importer.results.sheets import MAX_COLUMNS, cells_of


def make_room(book: Workbook, sheet: Worksheet) -> bool:
    """Insert an empty first column; False when that could harm something, and nothing was changed."""
    if not _is_plain(book, sheet):
        return False
    filter_range, pane = sheet.auto_filter.ref, sheet.freeze_panes
    sheet.insert_cols(1)
    _move_widths(sheet)
    for cell in cells_of(sheet):
        if cell.hyperlink is not None:
            cell.hyperlink.ref = cell.coordinate
    if filter_range:
        left, top, right, bottom = range_boundaries(filter_range)
        sheet.auto_filter.ref = f"{_letter(left)}{top}:{_letter(right)}{bottom}"
    if pane:
        sheet.freeze_panes = sheet.cell(sheet[pane].row, sheet[pane].column + 1).coordinate
    return True


def freeze(sheet: Worksheet, at: str) -> None:
    """Freeze what stands above and left of a cell, and whatever was frozen before."""
    letters, row = coordinate_from_string(at)
    if sheet.freeze_panes:
        old_letters, old_row = coordinate_from_string(sheet.freeze_panes)
        letters, row = max(letters, old_letters, key=lambda text: (len(text), text)), max(row, old_row)
    sheet.freeze_panes = f"{letters}{row}"


def _letter(column: int | None) -> str:
    return get_column_letter((column or 1) + 1)


def _is_plain(book: Workbook, sheet: Worksheet) -> bool:
    referring = (
        sheet.merged_cells.ranges,
        sheet.conditional_formatting,
        sheet.data_validations.dataValidation,
        sheet.tables,
        getattr(sheet, "_images", ()),  # openpyxl has no public list of them
        getattr(sheet, "_charts", ()),
        sheet.print_area,
        sheet.print_title_cols,
        book.defined_names,
        sheet.defined_names,
    )
    full = sheet.max_column >= MAX_COLUMNS
    return not full and not any(map(bool, referring)) and not any(map(_has_formula, book.worksheets))


def _has_formula(sheet: Worksheet) -> bool:
    return any(cell.data_type == "f" for cell in cells_of(sheet))


def _move_widths(sheet: Worksheet) -> None:
    moved = []
    for dimension in sheet.column_dimensions.values():
        dimension.reindex()
        shifted = copy(dimension)
        shifted.min, shifted.max = (dimension.min or 1) + 1, (dimension.max or 1) + 1
        shifted.index = get_column_letter(shifted.min)
        moved.append(shifted)
    sheet.column_dimensions.clear()
    for dimension in moved:
        sheet.column_dimensions[dimension.index] = dimension

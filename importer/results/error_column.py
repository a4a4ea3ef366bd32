"""Free columns at the left of a user's sheet, where that changes nothing else; elsewhere none.

openpyxl moves cells but not what refers to them. So a sheet with formulas, merged cells, tables,
validations, pictures or the like is left as it is, and the caller has to use the first free columns at the right.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy

from openpyxl.cell.cell import MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_from_string, range_boundaries
from openpyxl.workbook import Workbook
from openpyxl.worksheet.table import Table, TableColumn
from openpyxl.worksheet.worksheet import Worksheet

from importer.results.sheets import MAX_COLUMNS, cells_of, last_column


def make_room(book: Workbook, sheet: Worksheet, count: int, *, instead_of: int = 0) -> bool:
    """Insert empty first columns; False when that could harm something, and nothing was changed.

    Args:
        instead_of: how many first columns they replace.
    """
    count -= instead_of
    if not _is_plain(book, sheet, count):
        return False
    filter_range, pane = sheet.auto_filter.ref, sheet.freeze_panes
    clear(sheet, range(1, instead_of + 1))
    _move_right(sheet, count)
    _move_widths(sheet, count)
    for cell in cells_of(sheet):
        if cell.hyperlink is not None:
            cell.hyperlink.ref = cell.coordinate
    if filter_range:
        left, top, right, bottom = range_boundaries(filter_range)
        sheet.auto_filter.ref = f"{_letter(left, count)}{top}:{_letter(right, count)}{bottom}"
    if pane:
        sheet.freeze_panes = f"{_letter(sheet[pane].column, count)}{sheet[pane].row}"
    return True


def clear(sheet: Worksheet, places: Collection[int]) -> None:
    """Leave nothing of some columns (from 1)."""
    for at in [at for at in sheet._cells if at[1] in places]:  # noqa: SLF001
        del sheet._cells[at]  # noqa: SLF001
    for place in places:
        sheet.column_dimensions.pop(get_column_letter(place), None)


def freeze(sheet: Worksheet, at: str) -> None:
    """Freeze the rows above and the columns left of a cell, and whatever was frozen before."""
    letters, row = coordinate_from_string(at)
    if sheet.freeze_panes:
        old_letters, old_row = coordinate_from_string(sheet.freeze_panes)
        letters, row = max(letters, old_letters, key=lambda text: (len(text), text)), max(row, old_row)
    sheet.freeze_panes = f"{letters}{row}"


def first_free(sheet: Worksheet, last: int, count: int, *, header_row: int) -> int:
    """Return the nearest place to the right of column `last` where `count` columns can be added side by side.

    Merged cells from the header on are in use: they cannot be written.

    Raises:
        ValueError: there is no such place.
    """
    used = {
        cell.column
        for cell in cells_of(sheet)
        if cell.value is not None or (isinstance(cell, MergedCell) and (cell.row or 0) >= header_row)
    }
    for place in range(last + 1, MAX_COLUMNS - count + 2):
        if used.isdisjoint(range(place, place + count)):
            return place
    raise ValueError(last)


def keep_together(sheet: Worksheet, places: Sequence[int], first_row: int, last_row: int) -> bool:
    """Have columns that were added sorted with the rows they belong to: filters and tables reach over them.

    Args:
        places: the columns (from 1) that were added, side by side.
        first_row: the header's row.
        last_row: the last one that has data.

    Returns:
        Whether that is so.
    """
    if sheet.tables:
        return any(_extend_table(sheet, table, places) for table in sheet.tables.values())
    left, top, right, bottom = range_boundaries(sheet.auto_filter.ref or f"A{first_row}:A{last_row}")
    if top != first_row:
        return False
    was_left, left, right = left or 1, min(left or 1, *places), max(right or 1, *places, last_column(sheet))
    for filtered in sheet.auto_filter.filterColumn:  # counted from the first column of the filter
        filtered.colId += was_left - left
    corner = f"{get_column_letter(right)}{max(bottom or last_row, last_row)}"
    sheet.auto_filter.ref = f"{get_column_letter(left)}{top}:{corner}"
    return True


def _extend_table(sheet: Worksheet, table: Table, places: Sequence[int]) -> bool:
    """Add the columns to a table that ends where they begin; False where it ends elsewhere."""
    _, top, right, _ = range_boundaries(table.ref)
    beyond = [place for place in places if place > (right or 0)]
    if not beyond:
        return True
    if right != min(beyond) - 1 or top is None or not table.tableColumns:
        return False
    table.ref = _widened(table.ref, max(beyond))
    if table.autoFilter is not None and table.autoFilter.ref:
        table.autoFilter.ref = _widened(table.autoFilter.ref, max(beyond))
    number = max(column.id for column in table.tableColumns)
    for at, place in enumerate(beyond, number + 1):
        table.tableColumns.append(TableColumn(id=at, name=str(sheet.cell(top, place).value)))
    return True


def _widened(area: str, right: int) -> str:
    left, top, _, bottom = range_boundaries(area)
    return f"{get_column_letter(left or 1)}{top}:{get_column_letter(right)}{bottom}"


def _letter(column: int | None, count: int) -> str:
    return get_column_letter(max((column or 1) + count, 1))


def _is_plain(book: Workbook, sheet: Worksheet, count: int) -> bool:
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
    full = sheet.max_column + count > MAX_COLUMNS
    return not full and not any(map(bool, referring)) and not any(map(_has_formula, book.worksheets))


def _has_formula(sheet: Worksheet) -> bool:
    return any(cell.data_type == "f" for cell in cells_of(sheet))


def _move_right(sheet: Worksheet, count: int) -> None:
    """Move the cells that exist; openpyxl's own `insert_cols` first makes every cell of the rectangle around them."""
    moved = {(row, column + count): cell for (row, column), cell in sheet._cells.items()}  # noqa: SLF001
    for (_, column), cell in moved.items():
        cell.column = column
    sheet._cells = moved  # noqa: SLF001  # openpyxl has no public way that follows the cells alone


def _move_widths(sheet: Worksheet, count: int) -> None:
    moved = []
    for dimension in sheet.column_dimensions.values():
        dimension.reindex()
        shifted = copy(dimension)
        shifted.min = (dimension.min or 1) + count
        shifted.max = min((dimension.max or 1) + count, MAX_COLUMNS)
        shifted.index = get_column_letter(shifted.min)
        moved.append(shifted)
    sheet.column_dimensions.clear()
    for dimension in moved:
        sheet.column_dimensions[dimension.index] = dimension

"""Marks on a worksheet: colours and comments on offending cells, and the columns that identify rows and name errors.

Changes no value of the user's but those of fixed rows, and removes the marks of an earlier pass first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.columns import ERROR_MESSAGE, JOINT, ROW_COLUMN, RUN_COLUMN
from importer.core.issues import Issue, Severity
from importer.core.results import RowResult
from importer.results.failing import column_index, pointed_at
from importer.results.sheets import NO_FILL, SEVERITY_FILLS, cells_of, put_text, safe_text

MARKED = (RUN_COLUMN, ROW_COLUMN, ERROR_MESSAGE)
"""The added columns that an annotated workbook has: they identify the row of each line, however lines are sorted or
deleted, and name its errors."""
MAX_COMMENTS = 20_000
"""Spreadsheet programs grow slow beyond; further cells are coloured only."""

_AUTHOR = "importer"
_OUR_COLOURS = frozenset(fill.fgColor.rgb for fill in SEVERITY_FILLS.values())
_WIDTHS = {RUN_COLUMN: 24.0, ROW_COLUMN: 7.0, ERROR_MESSAGE: 60.0}
_OF_SURPLUS = frozenset({"row_too_long", "cell_outside_table"})
"""Codes of the issues that are about surplus cells."""


@dataclass(slots=True)
class Marker:
    """Marks the rows of one sheet.

    Args:
        sheet: what is marked.
        columns: the source's columns.
        places: the sheet's column (from 1) of each of them.
        marked: the sheet's column of each of `MARKED`.
        run_id: the run of the rows.
        beyond: the sheet's columns of surplus cells, where they have columns of their own; otherwise they are
            somewhere to the right of the table.
    """

    sheet: Worksheet
    columns: Sequence[str]
    places: Sequence[int]
    marked: Mapping[str, int]
    run_id: str = ""
    beyond: Sequence[int] = ()
    comments: int = 0
    _far_cells: Mapping[int, Sequence[int]] | None = None

    def identify(self, row: int, at: int) -> None:
        """Write run and row number into row `at` of the sheet."""
        for column, value in ((RUN_COLUMN, self.run_id), (ROW_COLUMN, row)):
            cell = self.sheet.cell(at, self.marked[column])
            if not isinstance(cell, MergedCell):
                cell.value = value

    def write(self, result: RowResult, at: int, *, as_text: bool) -> None:
        """Write the cells of a row into row `at` of the sheet.

        Args:
            as_text: give them the format of texts, so that a fixed postal code keeps its leading zero.
        """
        for place, text in zip([*self.places, *self.beyond], [*result.cells, *result.surplus], strict=False):
            cell = self.sheet.cell(at, place)
            if as_text:
                cell.number_format = "@"
            put_text(cell, text)

    def mark(self, result: RowResult, at: int) -> None:
        """Mark one row of the source, which is in row `at` of the sheet."""
        index = column_index(self.columns)
        per_cell: dict[int, list[Issue]] = {}
        for issue in (*result.errors, *result.warnings):
            for position in pointed_at(issue.column, index):
                per_cell.setdefault(self.places[position], []).append(issue)
            if issue.code in _OF_SURPLUS:
                for place in self._surplus_places(result, at):
                    per_cell.setdefault(place, []).append(issue)
        for place, issues in per_cell.items():
            self._mark_cell(self.sheet.cell(at, place), issues)
        self._write(at, JOINT.join(map(_sentence, result.errors)))

    def _surplus_places(self, result: RowResult, at: int) -> Sequence[int]:
        if self.beyond:
            return self.beyond[: len(result.surplus)]
        if self._far_cells is None:
            self._far_cells = self._find_far_cells()
        return self._far_cells.get(at, ())

    def _find_far_cells(self) -> Mapping[int, Sequence[int]]:
        """Return the sheet's columns that are filled beyond the table, by row."""
        found: dict[int, list[int]] = {}
        ours, last = set(self.marked.values()), max(self.places, default=0)
        for cell in cells_of(self.sheet):
            place = cell.column or 0
            if place > last and place not in ours and str(cell.value or "").strip():
                found.setdefault(cell.row or 0, []).append(place)
        return found

    def head(self, at: int) -> None:
        """Name our columns in the header row `at`, and give them their widths."""
        for column, place in self.marked.items():
            cell, beside = self.sheet.cell(at, place), self.sheet.cell(at, self.places[0])
            if not isinstance(cell, MergedCell):
                cell.value = column
            for look in ("font", "fill", "border", "alignment"):
                setattr(cell, look, copy(getattr(beside, look)))
            self.sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS[column]

    def clean(self, first: int) -> None:
        """Remove the marks of an earlier pass from row `first` on."""
        ours = set(self.marked.values())
        for cell in cells_of(self.sheet):
            if isinstance(cell, MergedCell) or cell.row < first:
                continue
            if cell.column in ours:
                cell.value = None
            if cell.comment is not None and cell.comment.author == _AUTHOR:
                cell.comment = None
            if cell.has_style and cell.fill.fill_type and cell.fill.fgColor.rgb in _OUR_COLOURS:
                cell.fill = NO_FILL

    def _mark_cell(self, cell: Cell | MergedCell, issues: Sequence[Issue]) -> None:
        errors = any(issue.severity is Severity.ERROR for issue in issues)
        cell.fill = SEVERITY_FILLS[Severity.ERROR if errors else Severity.WARNING]
        if self.comments >= MAX_COMMENTS or isinstance(cell, MergedCell):
            return
        self.comments += 1
        texts = [cell.comment.text] if cell.comment is not None else []
        text = safe_text("\n".join([*texts, *dict.fromkeys(issue.message for issue in issues)]))
        cell.comment = Comment(text, _AUTHOR, height=40 + 20 * (len(text) // 38 + 1), width=280)

    def _write(self, at: int, text: str) -> None:
        cell = self.sheet.cell(at, self.marked[ERROR_MESSAGE])
        if not isinstance(cell, MergedCell):
            cell.value = safe_text(text) or None


def _sentence(issue: Issue) -> str:
    return f"{issue.column}: {issue.message}" if issue.column else issue.message

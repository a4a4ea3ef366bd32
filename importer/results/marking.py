"""Marks on a worksheet: colours and comments on offending cells, and the columns that identify rows and name errors.

Changes no value of the user's but those of fixed rows, and removes the marks of an earlier pass first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field

from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.columns import CUSTOMER_ID, ERROR_MESSAGE, ROW_COLUMN, RUN_COLUMN
from importer.core.issues import Issue, Severity
from importer.core.results import RowResult
from importer.results.cell_text import safe_text
from importer.results.failing import column_index, pointed_at
from importer.results.sheets import NO_FILL, SEVERITY_FILLS, STATE_FILLS, cells_of, height, put_text

MARKED = (RUN_COLUMN, ROW_COLUMN, CUSTOMER_ID, ERROR_MESSAGE)
"""The added columns that an annotated workbook may have: they identify the row of each line, however lines are sorted
or deleted, and say that it is done, or why it is not."""
MAX_COMMENTS = 20_000
"""Spreadsheet programs grow slow beyond; further cells are coloured only."""

_AUTHOR = "importer"
_OUR_COLOURS = frozenset(fill.fgColor.rgb for fill in SEVERITY_FILLS.values())
_WIDTHS = {RUN_COLUMN: 8.0, ROW_COLUMN: 7.0, CUSTOMER_ID: 14.0, ERROR_MESSAGE: 44.0}
"""Together they leave half of a small screen. A long id shows over the message beside it, which is blank then."""
_WIDE_ID = 38.0
_USUAL_WIDTH = 8.0
_OURS, _MESSAGE, _TEXT, _HIGH_TEXT = "ours", "message", "text", "text in a row of several lines"
_LOOKS: Mapping[str, Mapping[str, object]] = {
    _OURS: {"alignment": Alignment("left", "top", indent=1)},
    _MESSAGE: {"alignment": Alignment("left", "top", wrap_text=True)},
    _TEXT: {"number_format": "@"},
    _HIGH_TEXT: {"number_format": "@", "alignment": Alignment(vertical="top")},
    **{name: {"alignment": Alignment("left", "top", indent=1), "fill": fill} for name, fill in STATE_FILLS.items()},
}
_OF_SURPLUS = frozenset({"row_too_long", "cell_outside_table"})
"""Codes of the issues that are about surplus cells."""


@dataclass(slots=True)
class Marker:
    """Marks the rows of one sheet.

    Args:
        sheet: what is marked.
        columns: the source's columns.
        places: the sheet's column (from 1) of each of them.
        marked: the sheet's column of each of `MARKED` that it has.
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
    _styles: dict[str, StyleArray] = field(default_factory=dict)

    def identify(self, result: RowResult, at: int) -> None:
        """Write run, row number and the customer's id into row `at` of the sheet."""
        self._put(RUN_COLUMN, at, self.run_id)
        self._put(ROW_COLUMN, at, result.row)
        if result.customer_id:
            look = _OURS if result.errors else result.state
            self._put(CUSTOMER_ID, at, safe_text(result.customer_id), look)
            self._put(ERROR_MESSAGE, at, None, look)  # the id shows over both

    def _put(self, column: str, at: int, value: str | int | None, look: str = _OURS) -> None:
        """Fill a cell of ours, unless it has no column, or is part of a merged one."""
        place = self.marked.get(column)
        cell = self.sheet.cell(at, place) if place else None
        if cell is not None and not isinstance(cell, MergedCell):
            cell.value = value
            self._dress(cell, look)

    def _dress(self, cell: Cell, look: str) -> None:
        """Give a cell of ours its look: openpyxl works each one out anew; one that is known is copied sooner."""
        if look not in self._styles:
            for name, value in _LOOKS[look].items():
                setattr(cell, name, value)
            self._styles[look] = copy(cell._style)  # type: ignore[attr-defined]  # noqa: SLF001  # nothing public has it
        else:
            cell._style = copy(self._styles[look])  # type: ignore[attr-defined]  # noqa: SLF001

    def write(self, result: RowResult, at: int, *, as_text: bool) -> None:
        """Write the cells of a row into row `at` of the sheet.

        Args:
            as_text: give them the format of texts, so that a fixed postal code keeps its leading zero.
        """
        for place, text in zip([*self.places, *self.beyond], [*result.cells, *result.surplus], strict=False):
            cell = self.sheet.cell(at, place)
            if as_text and not isinstance(cell, MergedCell):
                self._dress(cell, _HIGH_TEXT if result.errors else _TEXT)
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
        if result.errors:
            self._say(at, "\n".join(map(_sentence, result.errors)))

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
            is_wide = column == CUSTOMER_ID and ERROR_MESSAGE not in self.marked
            self.sheet.column_dimensions[get_column_letter(place)].width = _WIDE_ID if is_wide else _WIDTHS[column]

    def clean(self, first: int) -> None:
        """Remove the marks of an earlier pass from row `first` on."""
        ours = set(self.marked.values())
        for cell in cells_of(self.sheet):
            if isinstance(cell, MergedCell) or cell.row < first:
                continue
            if cell.column in ours:
                cell.value, cell.fill = None, NO_FILL
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

    def _say(self, at: int, text: str) -> None:
        """Show the messages of a row, each as a whole and on lines of its own."""
        if ERROR_MESSAGE not in self.marked:
            return
        self._put(ERROR_MESSAGE, at, safe_text(text), _MESSAGE)
        needed = height([(text, _WIDTHS[ERROR_MESSAGE]), *self._wrapped(at)])
        row = self.sheet.row_dimensions[at]
        row.height = max(needed or 0, row.height or 0) or None

    def _wrapped(self, at: int) -> Iterator[tuple[str, float]]:
        """The user's own wrapped texts in a row: it must not become lower than they need it."""
        for cell in (self.sheet.cell(at, place) for place in self.places):
            if isinstance(cell.value, str) and cell.alignment.wrap_text:
                known = self.sheet.column_dimensions.get(get_column_letter(cell.column))
                yield cell.value, known.width if known else _USUAL_WIDTH


def _sentence(issue: Issue) -> str:
    return f"{issue.column}: {issue.message}" if issue.column else issue.message

"""Marks on a worksheet: colours and comments on offending cells, the column of errors, the summary sheet.

Touches no value of the user's, and removes the marks of an earlier pass before it sets its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.issues import Issue, Severity
from importer.core.results import Cluster, RowResult
from importer.core.sources import SUMMARY_SHEET
from importer.results.advice import Advice
from importer.results.failing import column_index, pointed_at
from importer.results.sheets import HEADER_FILL, HEADER_FONT, cells_of, lines, print_wide, safe_text

RUN_COLUMN, ROW_COLUMN, ERROR_COLUMN = "_run", "_row", "_error_message"
MARKED = (RUN_COLUMN, ROW_COLUMN, ERROR_COLUMN)
"""Of the added columns of the results those that a workbook has for marked rows: which row of which run each line
is, however lines are sorted or deleted, and what is wrong with it."""
MAX_COMMENTS = 20_000
"""Spreadsheet programs grow slow beyond; further cells are coloured only."""

_AUTHOR = "importer"
_FILLS: Mapping[Severity, PatternFill] = {
    Severity.ERROR: PatternFill("solid", fgColor="FFF8C9C4"),
    Severity.WARNING: PatternFill("solid", fgColor="FFFFF0B8"),
}
_OUR_COLOURS = frozenset(fill.fgColor.rgb for fill in _FILLS.values())
_NO_FILL = PatternFill()
_WIDTHS = {RUN_COLUMN: 24.0, ROW_COLUMN: 7.0, ERROR_COLUMN: 60.0}
_OF_SURPLUS = frozenset({"row_too_long", "cell_outside_table"})
"""Codes of the issues that are about surplus cells."""
_SUMMARY_WIDTHS = (12, 34, 24, 48, 60, 14)
_LINE_POINTS = 15
_WRAPPED = Alignment(vertical="top", wrap_text=True)


@dataclass(slots=True)
class Marker:
    """Marks the rows of one sheet.

    Args:
        sheet: what is marked.
        columns: the source's columns.
        places: the sheet's column (from 1) of each of them.
        marked: the sheet's column of each of `MARKED`.
        run_id: the run whose rows they are.
        beyond: the sheet's columns of surplus cells, where they have columns of their own; else they stand
            somewhere at the right of the table.
    """

    sheet: Worksheet
    columns: Sequence[str]
    places: Sequence[int]
    marked: Mapping[str, int]
    run_id: str = ""
    beyond: Sequence[int] = ()
    comments: int = 0
    _far_cells: Mapping[int, Sequence[int]] | None = None

    def name(self, row: int, at: int) -> None:
        """Say in row `at` of the sheet which row of which run it is."""
        for column, value in ((RUN_COLUMN, self.run_id), (ROW_COLUMN, row)):
            cell = self.sheet.cell(at, self.marked[column])
            if not isinstance(cell, MergedCell):
                cell.value = value

    def mark(self, result: RowResult, at: int) -> None:
        """Mark one row of the source, which stands in row `at` of the sheet."""
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
        self._write(at, " | ".join(map(_sentence, result.errors)))

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
            cell, neighbour = self.sheet.cell(at, place), self.sheet.cell(at, self.places[0])
            if not isinstance(cell, MergedCell):
                cell.value = column
            for look in ("font", "fill", "border", "alignment"):
                setattr(cell, look, copy(getattr(neighbour, look)))
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
                cell.fill = _NO_FILL

    def _mark_cell(self, cell: Cell | MergedCell, issues: Sequence[Issue]) -> None:
        errors = any(issue.severity is Severity.ERROR for issue in issues)
        cell.fill = _FILLS[Severity.ERROR if errors else Severity.WARNING]
        if self.comments >= MAX_COMMENTS or isinstance(cell, MergedCell):
            return
        self.comments += 1
        said = [cell.comment.text] if cell.comment is not None else []
        text = safe_text("\n".join([*said, *dict.fromkeys(issue.message for issue in issues)]))
        cell.comment = Comment(text, _AUTHOR, height=40 + 20 * (len(text) // 38 + 1), width=280)

    def _write(self, at: int, text: str) -> None:
        cell = self.sheet.cell(at, self.marked[ERROR_COLUMN])
        if not isinstance(cell, MergedCell):
            cell.value = safe_text(text) or None


def _sentence(issue: Issue) -> str:
    return f"{issue.column}: {issue.message}" if issue.column else issue.message


def add_summary(
    book: Workbook,
    *,
    headline: str,
    counts: Mapping[str, int],
    clusters: Sequence[tuple[Cluster, Advice]],
    links: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Append the summary sheet: the verdict, counts, and every cluster with a link to its first row.

    Args:
        links: for each cluster the place of its first row (`'Sheet'!B5`); empty where that row is not in the workbook.
        notes: sentences about the workbook itself.
    """
    if SUMMARY_SHEET in book.sheetnames:
        del book[SUMMARY_SHEET]
    sheet: Worksheet = book.create_sheet(SUMMARY_SHEET)
    sheet.append([safe_text(headline)])
    sheet["A1"].font = Font(name="Calibri", bold=True, size=14)
    for note in notes:
        sheet.append([safe_text(note)])
    sheet.append([])
    _append_bold(sheet, ["Rows", "State"])
    for state, count in counts.items():
        sheet.append([count, state])
    if clusters:
        sheet.append([])
        _append_clusters(sheet, clusters, links)
    print_wide(sheet)
    for letter, width in zip("ABCDEF", _SUMMARY_WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width


def _append_clusters(sheet: Worksheet, clusters: Sequence[tuple[Cluster, Advice]], links: Sequence[str]) -> None:
    _append_bold(sheet, ["Count", "Issue", "Column", "What is wrong", "How to fix it", "First row"])
    wide = _SUMMARY_WIDTHS[1:5]
    for (cluster, advice), location in zip(clusters, links, strict=True):
        texts = [advice.title, cluster.column, cluster.message, advice.fix]
        sheet.append([cluster.count, *map(safe_text, texts), cluster.rows[0]])
        for cell in sheet[sheet.max_row]:
            cell.alignment = _WRAPPED
        height = max(lines(text, width) for text, width in zip(texts, wide, strict=True))
        sheet.row_dimensions[sheet.max_row].height = height * _LINE_POINTS + 2
        sheet.cell(sheet.max_row, 1).fill = _FILLS[cluster.severity]
        if location:
            _link(sheet.cell(sheet.max_row, 6), location)


def _append_bold(sheet: Worksheet, texts: Sequence[str]) -> None:
    sheet.append(list(texts))
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = HEADER_FONT, HEADER_FILL


def _link(cell: Cell | MergedCell, location: str) -> None:
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=location)
    cell.font = Font(name="Calibri", size=11, underline="single", color="FF1D4F9C")


def links_to(
    sheet: Worksheet, clusters: Sequence[Cluster], rows: Mapping[int, int], places: Mapping[str, int]
) -> list[str]:
    """Return where the first row of each cluster stands in the sheet; empty where it does not.

    Args:
        rows: row number of the source to row of the sheet.
        places: column of the source to its letter's number in the sheet.
    """
    name = quote_sheetname(sheet.title)

    def place(cluster: Cluster) -> str:
        at = rows.get(cluster.rows[0])
        return f"{name}!{get_column_letter(places.get(cluster.column, 1))}{at}" if at else ""

    return [place(cluster) for cluster in clusters]

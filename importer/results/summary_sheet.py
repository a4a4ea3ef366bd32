"""The summary sheet of an annotated workbook: verdict, counts, and every kind of issue with a link to its first row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.results import Cluster
from importer.core.sources import SUMMARY_SHEET
from importer.results.clusters import Advice
from importer.results.follow_up import Stage
from importer.results.sheets import HEADER_FILL, HEADER_FONT, SEVERITY_FILLS, height, print_wide, safe_text

_SUMMARY_WIDTHS = (12, 34, 24, 48, 60, 14)
_WRAPPED = Alignment(vertical="top", wrap_text=True)


def add_summary(
    book: Workbook,
    *,
    headline: str,
    counts: Mapping[str, int],
    steps: Sequence[Stage] = (),
    clusters: Sequence[tuple[Cluster, Advice]],
    links: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Append the summary sheet: the verdict, counts, and every cluster with a link to its first row.

    Args:
        steps: the funnel of the steps after the creates; empty: the run has none.
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
    if steps:
        sheet.append([])
        _append_bold(sheet, ["Done", "Step after the create", "Others"])
        for stage in steps:
            sheet.append([stage.entries, stage.title, stage.left or None])
            sheet.cell(sheet.max_row, 2).alignment = Alignment(indent=2 if stage.is_outcome else 0)
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
        sheet.row_dimensions[sheet.max_row].height = height(zip(texts, wide, strict=True))
        sheet.cell(sheet.max_row, 1).fill = SEVERITY_FILLS[cluster.severity]
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
    """Return the place of the first row of each cluster in the sheet; empty where it is not there.

    Args:
        rows: row number of the source to row of the sheet.
        places: column of the source to its letter's number in the sheet.
    """
    name = quote_sheetname(sheet.title)

    def place(cluster: Cluster) -> str:
        at = rows.get(cluster.rows[0])
        return f"{name}!{get_column_letter(places.get(cluster.column, 1))}{at}" if at else ""

    return [place(cluster) for cluster in clusters]

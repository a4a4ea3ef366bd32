"""The summary sheet of an annotated workbook: verdict, how to return it, what its marks mean, counts, and issues."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.columns import CUSTOMER_ID, ERROR_MESSAGE, ROW_COLUMN, RUN_COLUMN
from importer.core.issues import Severity
from importer.core.results import Cluster
from importer.core.sources import SUMMARY_SHEET
from importer.core.states import STATE_MEANINGS, RowState
from importer.results.cell_text import safe_text
from importer.results.follow_up import stages
from importer.results.report_data import ReportData
from importer.results.sheets import (
    HEADER_FILL,
    HEADER_FONT,
    NO_FILL,
    SEVERITY_FILLS,
    STATE_FILLS,
    height,
    print_wide,
)
from importer.results.verdict import verdict

_WIDTHS = (16.0, 34.0, 24.0, 48.0, 60.0, 14.0)
_LAST = get_column_letter(len(_WIDTHS))
_WRAPPED = Alignment("left", "top", wrap_text=True)


def add_summary(
    book: Workbook,
    report: ReportData,
    *,
    sheet_name: str,
    ours: Collection[str],
    links: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Append the summary sheet, in the place of an earlier one.

    Args:
        sheet_name: the sheet with the rows.
        ours: our columns on it.
        links: for each cluster the place of its first row (`'Sheet'!B5`); empty where that row is not in the workbook.
        notes: sentences about the workbook itself.
    """
    if SUMMARY_SHEET in book.sheetnames:
        del book[SUMMARY_SHEET]
    sheet: Worksheet = book.create_sheet(SUMMARY_SHEET)
    judged, back = verdict(report), _way_back(report, sheet_name)
    _append_sentence(sheet, judged.sentence)
    sheet["A1"].font = Font(name="Calibri", bold=True, size=14)
    next_step = [judged.next_step] if judged.next_step and judged.command not in back else []
    for note in (*next_step, *notes):
        _append_sentence(sheet, note)
    if back:
        _append_bold(sheet, ["How to return this workbook"])
        for number, text in enumerate(back, 1):
            _append_sentence(sheet, text, number if text != judged.command else "")
    _append_legend(sheet, _legend(report, ours))
    _append_counts(sheet, report)
    if report.clusters:
        _append_clusters(sheet, report, links)
    sheet.sheet_view.showGridLines = False
    print_wide(sheet)
    for at, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(at)].width = width


# --------------------------------------------------------------------------- words


def _way_back(report: ReportData, sheet_name: str) -> list[str]:
    """The steps, the command the last one; none where no row can be fixed in the workbook."""
    if not any(report.counts.get(state, 0) for state in (RowState.INVALID, RowState.REJECTED)):
        return []
    then = "All rows are imported then, fixed and valid ones." if report.dry_run else "Only fixed rows are sent then."
    return [
        f"Correct the red cells on the sheet '{sheet_name}': their comments and {ERROR_MESSAGE} say what is wrong.",
        f"Leave {RUN_COLUMN}, {ROW_COLUMN} and the names of the columns as they are. Lines may be sorted, or deleted.",
        f"Save it, under any name, and give it back to whoever gave it to you, or run the command below. {then}",
        report.returns(report.files["annotated"]),
    ]


def _legend(report: ReportData, ours: Collection[str]) -> Iterator[tuple[str, PatternFill, str]]:
    """Yield a word, its colour, and what it means, for what is in the workbook."""
    severities = {cluster.severity for cluster in report.clusters}
    if Severity.ERROR in severities:
        text = "The cell has to be corrected: its row is not imported before."
        yield "red", SEVERITY_FILLS[Severity.ERROR], text
    if Severity.WARNING in severities:
        yield "yellow", SEVERITY_FILLS[Severity.WARNING], "Worth checking: the row is imported as it is."
    if CUSTOMER_ID in ours:
        sent = "" if report.job else " A change of its row is not sent any more."
        text = f"The row is done: this is the customer's id at {report.target}.{sent}"
        yield CUSTOMER_ID, STATE_FILLS[RowState.CREATED], text
    if ERROR_MESSAGE in ours:
        yield ERROR_MESSAGE, NO_FILL, "What is wrong with the row; each error begins on a line of its own."
    yield f"{RUN_COLUMN}, {ROW_COLUMN}", NO_FILL, "The run, and the row number of the source: leave them as they are."


# --------------------------------------------------------------------------- cells


def _append_legend(sheet: Worksheet, legend: Iterator[tuple[str, PatternFill, str]]) -> None:
    _append_bold(sheet, ["Colours, and columns that were added"])
    for word, fill, text in legend:
        _append_sentence(sheet, text, word)
        sheet.cell(sheet.max_row, 1).fill = fill


def _append_counts(sheet: Worksheet, report: ReportData) -> None:
    _append_bold(sheet, ["Rows", "State", "Meaning"])
    for state, count in report.counts.items():
        if count or state == "read":
            sheet.append([count, state, STATE_MEANINGS[RowState(state)] if state in STATE_FILLS else None])
            sheet.cell(sheet.max_row, 1).alignment = _WRAPPED
            sheet.cell(sheet.max_row, 2).fill = STATE_FILLS.get(state, NO_FILL)
    steps = stages(report.follow_up, report.counts)
    if steps:
        _append_bold(sheet, ["Done", "Step after the create", "Others"])
    for stage in steps:
        sheet.append([stage.entries, stage.title, stage.left or None])
        sheet.cell(sheet.max_row, 1).alignment = _WRAPPED
        sheet.cell(sheet.max_row, 2).alignment = Alignment(indent=2 if stage.is_outcome else 0)


def _append_clusters(sheet: Worksheet, report: ReportData, links: Sequence[str]) -> None:
    _append_bold(sheet, ["Count", "Issue", "Column", "What is wrong", "How to fix it", "First row"])
    for cluster, location in zip(report.clusters, links, strict=True):
        advice = report.advice(cluster)
        texts = [advice.title, cluster.column, cluster.message, advice.by_hand]
        sheet.append([cluster.count, *map(safe_text, texts), cluster.rows[0]])
        for cell in sheet[sheet.max_row]:
            cell.alignment = _WRAPPED
        sheet.row_dimensions[sheet.max_row].height = height(zip(texts, _WIDTHS[1:5], strict=True))
        sheet.cell(sheet.max_row, 1).fill = SEVERITY_FILLS[cluster.severity]
        if location:
            _link(sheet.cell(sheet.max_row, len(_WIDTHS)), location)


def _append_sentence(sheet: Worksheet, text: str, before: str | int | None = None) -> None:
    """Append a sentence that is wrapped over the width of the sheet, behind a word or number if there is one."""
    first = 1 if before is None else 2
    sheet.append([safe_text(text)] if before is None else [before, safe_text(text)])
    at = sheet.max_row
    for cell in sheet[at]:
        cell.alignment = _WRAPPED
    sheet.merge_cells(f"{get_column_letter(first)}{at}:{_LAST}{at}")
    sheet.row_dimensions[at].height = height([(text, sum(_WIDTHS[first - 1 :]))])


def _append_bold(sheet: Worksheet, texts: Sequence[str]) -> None:
    sheet.append([])
    sheet.append(list(texts))
    for at in range(1, len(_WIDTHS) + 1):
        cell = sheet.cell(sheet.max_row, at)
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

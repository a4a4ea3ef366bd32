"""The user's workbook handed back with its offending cells marked; a workbook of the same kind for other sources.

The original is opened, marked and saved under another name: formats, widths, order and the other sheets
stay (pictures and charts may not: the library that writes workbooks cannot keep them, and the summary
sheet says so). Sources that cannot be opened that way (.xls, .xlsb, .ods, text) and those of more than
200,000 cells give a workbook of our own; above that size it holds the failing rows only, and no more
of them than fit it. Fixed and saved, every one of them is accepted as a source.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.atomic_files import AtomicFiles
from importer.core.columns import is_added
from importer.core.results import ResultBatch, RowResult
from importer.results.error_column import first_free, freeze, keep_together, make_room
from importer.results.failing import FAILING
from importer.results.marking import MARKED, MAX_COMMENTS, Marker, add_summary, links_to
from importer.results.report import Report
from importer.results.sheets import HEADER_FILL, HEADER_FONT, print_wide, put_text, widths
from importer.results.table import Header, telling
from importer.results.tables import Batches
from importer.results.verdict import verdict

MAX_CELLS = 200_000
"""Cells that are handed back (some ten seconds of work): of a larger source the failing rows only, and as many."""

_OPENABLE = frozenset({".xlsx", ".xlsm"})
_UNREADABLE = (
    InvalidFileException,
    zipfile.BadZipFile,
    ParseError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)
_WIDTH_SAMPLE = 200
_INVISIBLE = re.compile("[\\x00-\\x1f\\x7f\\u200b-\\u200d\\u2060\\ufeff]+|\\s+")


def write_annotated(
    batches: Batches,
    header: Header,
    report: Report,
    directory: Path,
    *,
    source: Path | None = None,
    fixed: Collection[int] = (),
) -> Path:
    """Write `<stem>.annotated.xlsx` into `directory`, whole or not at all.

    Args:
        batches: the rows of the run; called at most twice.
        source: the user's file, where it still stands; None: a workbook of our own.
        fixed: numbers of rows that came back changed: their cells are no longer those of the file.

    Raises:
        StorageError: the folder cannot be written.
    """
    name = f"{Path(report.source).stem.removesuffix('.annotated')}.annotated.xlsx"
    report = replace(report, files={**report.files, "annotated": directory / name})  # which is where rows are fixed
    most_rows = MAX_CELLS // max(len(header.columns), 1)
    small = report.counts.get("read", 0) <= most_rows
    with AtomicFiles(directory) as aside, warnings.catch_warnings(record=True) as lost:
        warnings.simplefilter("always")
        openable = source if small and source and source.suffix.lower() in _OPENABLE else None
        book = _original(openable, batches, header, report, lost, fixed) if openable else None
        if book is None:
            rows = chain.from_iterable(batches()) if small else islice(_failing(batches), most_rows)
            book = _own(rows, header, report, whole=small)
        book.save(aside.path(name))
    return directory / name


def _failing(batches: Batches) -> Iterator[RowResult]:
    return (result for batch in batches() for result in telling(batch) if result.errors)


# --------------------------------------------------------------------------- the user's own workbook


def _original(  # noqa: PLR0917  # one caller
    source: Path,
    batches: Batches,
    header: Header,
    report: Report,
    lost: Sequence[warnings.WarningMessage],
    fixed: Collection[int],
) -> Workbook | None:
    """Open and mark the user's workbook; None when it cannot be opened or is not the table that was read."""
    try:
        book = load_workbook(source, rich_text=True)
        sheet: Worksheet = book[header.sheet]
        at = _header_row(report)
        if _places(sheet, at, header.columns) is None:
            return None
        marker = _marker(book, sheet, at, header)
    except _UNREADABLE:
        return None
    marker.clean(at + 1)
    marker.head(at)
    found, last = _mark_all(marker, batches(), at, fixed)
    together = keep_together(sheet, sorted(marker.marked.values()), at, last)
    book.active = sheet
    parts_lost = any(issubclass(warning.category, UserWarning) for warning in lost)
    notes = ["Pictures, charts or other parts of the original could not be kept in this copy."] if parts_lost else []
    if not together:
        notes.append(f"Sort whole lines only: {', '.join(MARKED)} say which row of the source a line is.")
    _summarise(book, marker, report, {row: row for row in found}, notes)
    return book


def _mark_all(
    marker: Marker, batches: Iterator[ResultBatch], header_row: int, fixed: Collection[int]
) -> tuple[list[int], int]:
    """Name every row and mark those that need it; returns the marked rows, and the last row of all."""
    found: list[int] = []
    last = header_row
    for batch in batches:
        for place, row in enumerate(batch.rows):
            marker.name(row, row)
            last = row
            if row in fixed:
                for column, text in zip(marker.places, batch[place].cells, strict=True):
                    put_text(marker.sheet.cell(row, column), text)
        for result in telling(batch):
            if result.errors or result.warnings:
                marker.mark(result, result.row)
                found.append(result.row)
    return found, last


def _marker(book: Workbook, sheet: Worksheet, at: int, header: Header) -> Marker:
    """Find or make our columns: at the left and frozen where that harms nothing, else at the right."""
    texts = _header_texts(sheet, at)
    marked = {name: texts.index(name) + 1 for name in MARKED if name in texts}
    missing = [name for name in MARKED if name not in marked]
    if not marked and make_room(book, sheet, len(missing)):
        marked = {name: place for place, name in enumerate(missing, 1)}
    else:
        right = first_free(sheet, max(_places(sheet, at, header.columns) or [0]), len(missing))
        marked |= {name: place for place, name in enumerate(missing, right)}
    for name, place in marked.items():
        sheet.cell(at, place, name)
    at_left = set(marked.values()) == set(range(1, len(MARKED) + 1))
    freeze(sheet, f"{get_column_letter(len(MARKED) + 1) if at_left else 'A'}{at + 1}")
    places = _places(sheet, at, header.columns)
    if places is None:
        raise ValueError(at)
    return Marker(sheet, header.columns, places, marked, header.run_id)


def _places(sheet: Worksheet, at: int, columns: Sequence[str]) -> list[int] | None:
    """Return the sheet's column (from 1) of every source column; None when the header is another one."""
    texts = _header_texts(sheet, at)
    places = [place for place, text in enumerate(texts, 1) if not is_added(text)][: len(columns)]
    if len(places) < len(columns) or not all(
        texts[place - 1] in name for place, name in zip(places, columns, strict=True)
    ):
        return None
    return places


def _header_texts(sheet: Worksheet, at: int) -> list[str]:
    return [_INVISIBLE.sub(" ", str(cell.value)).strip() if cell.value is not None else "" for cell in sheet[at]]


def _header_row(report: Report) -> int:
    detected = report.source_info.detected if report.source_info else ()
    return next((int(found.value) for found in detected if found.what == "header_row"), 1)


# --------------------------------------------------------------------------- a workbook of our own


def _own(rows: Iterator[RowResult], header: Header, report: Report, *, whole: bool) -> Workbook:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Customers"
    names = header.source_names
    first = len(MARKED) + 1
    for place, name in enumerate([*MARKED, *names], 1):
        put_text(sheet.cell(1, place), name)
    beyond = range(first + len(header.columns), first + len(names))
    marked = {name: place for place, name in enumerate(MARKED, 1)}
    marker = Marker(sheet, header.columns, range(first, beyond.start), marked, header.run_id, beyond)
    standing = _fill(marker, rows, keep_numbers=whole)
    _dress(marker, names)
    notes = [] if whole else [_only_failing(len(standing), report)]
    _summarise(book, marker, report, standing, notes)
    return book


def _fill(marker: Marker, rows: Iterator[RowResult], *, keep_numbers: bool) -> dict[int, int]:
    """Write and mark all rows as texts; returns where each of them stands.

    A whole source keeps its row numbers, so a blank row of the source is a blank row here.
    """
    sheet, standing, at = marker.sheet, {}, 1
    for result in rows:
        at = max(at + 1, result.row) if keep_numbers else at + 1
        standing[result.row] = at
        marker.name(result.row, at)
        for place, text in enumerate([*result.cells, *result.surplus], len(MARKED) + 1):
            cell = sheet.cell(at, place)
            cell.number_format = "@"  # so that a fixed postal code keeps its leading zero
            put_text(cell, text)
        if result.errors or result.warnings:
            marker.mark(result, at)
    return standing


def _dress(marker: Marker, names: Sequence[str]) -> None:
    sheet, left = marker.sheet, len(MARKED)
    for cell in sheet[1]:
        cell.font, cell.fill, cell.alignment = HEADER_FONT, HEADER_FILL, Alignment(vertical="top")
    sample = [[cell or "" for cell in row[left:]] for row in sheet.iter_rows(2, _WIDTH_SAMPLE, values_only=True)]
    for place, width in enumerate(widths(names, sample), left + 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    marker.head(1)
    print_wide(sheet)
    sheet.freeze_panes = f"{get_column_letter(left + 1)}2"
    sheet.auto_filter.ref = sheet.dimensions


def _only_failing(here: int, report: Report) -> str:
    """Say that a large source is not here as a whole."""
    counts = report.counts
    failing = sum(counts.get(state, 0) for state in FAILING)
    if here >= failing:
        return f"The source is large: only its {here:,} failing rows are here."
    return f"The source is large: only the first {here:,} of its {failing:,} failing rows are here."


def _summarise(book: Workbook, marker: Marker, report: Report, standing: dict[int, int], notes: Sequence[str]) -> None:
    if marker.comments >= MAX_COMMENTS:
        notes = [*notes, f"Only the first {MAX_COMMENTS:,} offending cells have a comment; the others are coloured."]
    judged = verdict(report)
    places = dict(zip(marker.columns, marker.places, strict=True))
    add_summary(
        book,
        headline=judged.sentence,
        counts=report.counts,
        clusters=[(cluster, report.advice(cluster)) for cluster in report.clusters],
        links=links_to(marker.sheet, report.clusters, standing, places),
        notes=[judged.next_step, *notes] if judged.next_step else notes,
    )

"""A workbook with the offending cells marked: a copy of the user's own, or a new one for other sources.

A copy keeps formats, widths, order and the other sheets. Pictures and charts may be lost: the library that writes
workbooks cannot keep them, and the summary sheet reports it. Sources that cannot be opened that way (.xls, .xlsb, .ods,
text) and those of more than 200,000 cells give a new workbook; above that size it holds the failing rows only, as many
as fit. Both are marked in the same way, and both are accepted as a source when they are fixed and saved.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.atomic_files import AtomicFiles
from importer.core.columns import CUSTOMER_ID, ERROR_MESSAGE, is_added, tidy_name
from importer.core.issues import Severity
from importer.core.results import RowResult
from importer.results.error_column import clear, first_free, freeze, keep_together, make_room
from importer.results.failing import FAILING
from importer.results.marking import MARKED, MAX_COMMENTS, Marker
from importer.results.report_data import ReportData
from importer.results.sheets import HEADER_FILL, HEADER_FONT, print_table, print_wide, put_text, widths
from importer.results.summary_sheet import add_summary, links_to
from importer.results.table import DELIVERED, Header, reportable
from importer.results.tables import Batches

MAX_CELLS = 200_000
"""The most cells of an annotated workbook (some ten seconds of work); of a larger source it holds failing rows only."""

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
_PARTS_LOST = "Pictures, charts or other parts of the original could not be kept in this copy."


@dataclass(frozen=True, slots=True)
class _Copy:
    """A workbook that is to be marked.

    Args:
        header_row: the row of the names of the columns.
        is_users: whether it is the user's own workbook; a new one has no cells yet.
    """

    book: Workbook
    marker: Marker
    header_row: int
    is_users: bool


def write_annotated(
    batches: Batches,
    header: Header,
    report: ReportData,
    directory: Path,
    *,
    source: Path | None = None,
    fixed: Collection[int] = (),
) -> Path:
    """Write `<stem>.annotated.xlsx` into `directory`, complete or not at all.

    Args:
        batches: the rows of the run; called once.
        source: the user's file, where it is still there; None: a new workbook.
        fixed: numbers of rows that came back changed: their cells are no longer those of the file.

    Raises:
        StorageError: the folder cannot be written.
    """
    name = f"{Path(report.source).stem.removesuffix('.annotated')}.annotated.xlsx"
    report = replace(report, files={**report.files, "annotated": directory / name})  # the file that is to be fixed
    most_rows = MAX_CELLS // max(len(header.columns), 1)
    is_whole = report.counts.get("read", 0) <= most_rows
    with AtomicFiles(directory) as files, warnings.catch_warnings(record=True) as lost:
        warnings.simplefilter("always")
        ours = _columns(report, is_whole=is_whole)
        copy = (_users_copy(source, header, report, ours) if is_whole and source else None) or _new_copy(header, ours)
        rows = chain.from_iterable(batches()) if is_whole else islice(_failing(batches), most_rows)
        lines = _mark_all(copy, rows, fixed, keeps_numbers=is_whole)
        are_parts_lost = copy.is_users and any(issubclass(warning.category, UserWarning) for warning in lost)
        notes = [_PARTS_LOST] if are_parts_lost else []
        notes += _notes_on_lines(copy, lines, report, is_whole=is_whole)
        _summarise(copy, report, lines, notes)
        copy.book.save(files.path(name))
    return directory / name


def _columns(report: ReportData, *, is_whole: bool) -> list[str]:
    """Our columns in their order: those that would be blank are left out.

    Args:
        is_whole: rows that are done are in the workbook, too.
    """
    done = is_whole and any(report.counts.get(state, 0) for state in DELIVERED)
    wrong = any(report.counts.get(state, 0) for state in FAILING)
    wrong = wrong or any(cluster.severity is Severity.ERROR for cluster in report.clusters)
    absent = {CUSTOMER_ID} if not done else set()
    return [name for name in MARKED if name not in absent and (wrong or name != ERROR_MESSAGE)]


def _failing(batches: Batches) -> Iterator[RowResult]:
    return (result for batch in batches() for result in reportable(batch) if result.errors)


def _mark_all(copy: _Copy, rows: Iterable[RowResult], fixed: Collection[int], *, keeps_numbers: bool) -> dict[int, int]:
    """Write and mark the rows; returns the line of each.

    Args:
        keeps_numbers: whether every row has the line that it has in the source, so blank rows stay blank.
    """
    marker, lines, at = copy.marker, {}, copy.header_row
    marker.clean(at + 1)
    marker.head(at)
    for result in rows:
        at = max(at + 1, result.row) if keeps_numbers else at + 1
        lines[result.row] = at
        marker.identify(result, at)
        if not copy.is_users or result.row in fixed:
            marker.write(result, at, as_text=not copy.is_users)
        if result.errors or result.warnings:
            marker.mark(result, at)
    if not copy.is_users:
        _set_widths(marker)
    return lines


def _summarise(copy: _Copy, report: ReportData, lines: Mapping[int, int], notes: Sequence[str]) -> None:
    marker = copy.marker
    if marker.comments >= MAX_COMMENTS:
        notes = [*notes, f"Only the first {MAX_COMMENTS:,} offending cells have a comment; the others are coloured."]
    places = dict(zip(marker.columns, marker.places, strict=True))
    links = links_to(marker.sheet, report.clusters, lines, places)
    add_summary(copy.book, report, sheet_name=marker.sheet.title, ours=marker.marked, links=links, notes=notes)


def _notes_on_lines(copy: _Copy, lines: Mapping[int, int], report: ReportData, *, is_whole: bool) -> list[str]:
    """Have our columns sorted with their rows; returns what a person has to know about the lines."""
    marker, last = copy.marker, max(lines.values(), default=copy.header_row)
    notes = []
    if not keep_together(marker.sheet, sorted(marker.marked.values()), copy.header_row, last):
        notes.append(f"Sort whole lines only: {', '.join(marker.marked)} identify the row of the source.")
    if not is_whole:
        failing = sum(report.counts.get(state, 0) for state in FAILING)
        here = f"its {failing:,}" if len(lines) >= failing else f"the first {len(lines):,} of its {failing:,}"
        notes.append(f"The source is large: only {here} failing rows are here.")
    return notes


# --------------------------------------------------------------------------- a copy of the user's workbook


def _users_copy(source: Path, header: Header, report: ReportData, ours: Sequence[str]) -> _Copy | None:
    """Open the user's workbook; None when it cannot be opened or is not the table that was read."""
    if source.suffix.lower() not in _OPENABLE:
        return None
    try:
        book = load_workbook(source, rich_text=True)
        sheet: Worksheet = book[header.sheet]
        at = _header_row(report)
        if _places(sheet, at, header.columns) is None:
            return None
        marker = _users_marker(book, sheet, at, header, ours)
    except _UNREADABLE:
        return None
    book.active = sheet
    return _Copy(book, marker, at, is_users=True)


def _users_marker(book: Workbook, sheet: Worksheet, at: int, header: Header, ours: Sequence[str]) -> Marker:
    """Make our columns, in the place of those of an earlier pass: at the left and frozen where that is safe."""
    texts = _header_texts(sheet, at)
    earlier = {name: texts.index(name) + 1 for name in MARKED if name in texts}
    is_first = sorted(earlier.values()) == [*range(1, len(earlier) + 1)]
    if is_first and make_room(book, sheet, len(ours), instead_of=len(earlier)):
        marked = {name: place for place, name in enumerate(ours, 1)}
    else:
        marked = _at_the_right(sheet, at, max(_places(sheet, at, header.columns) or [0]), earlier, ours)
    for name, place in marked.items():
        sheet.cell(at, place, name)
    at_left = sorted(marked.values()) == [*range(1, len(marked) + 1)]
    freeze(sheet, f"{get_column_letter(len(marked) + 1) if at_left else 'A'}{at + 1}")
    places = _places(sheet, at, header.columns)
    if places is None:
        raise ValueError(at)
    return Marker(sheet, header.columns, places, marked, header.run_id)


def _at_the_right(
    sheet: Worksheet, at: int, last: int, earlier: Mapping[str, int], ours: Sequence[str]
) -> dict[str, int]:
    """Find places behind the user's columns; those of an earlier pass stay where more than cells depends on them.

    Args:
        at: the header's row.
        last: the last one of the user's columns.
        earlier: our columns of an earlier pass.
    """
    if not sheet.tables and all(place > last for place in earlier.values()):
        clear(sheet, earlier.values())
        earlier = {}
    missing = [name for name in ours if name not in earlier]
    right = first_free(sheet, last, len(missing), header_row=at)
    return {**earlier, **{name: place for place, name in enumerate(missing, right)}}


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
    return [tidy_name(str(cell.value)) if cell.value is not None else "" for cell in sheet[at]]


def _header_row(report: ReportData) -> int:
    detected = report.source_info.detected if report.source_info else ()
    return next((int(found.value) for found in detected if found.what == "header_row"), 1)


# --------------------------------------------------------------------------- a new workbook


def _new_copy(header: Header, ours: Sequence[str]) -> _Copy:
    """Make a workbook with the header alone; every row is written when it is marked."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Customers"
    for place, name in enumerate([*ours, *header.source_names], 1):
        cell = sheet.cell(1, place)
        put_text(cell, name)
        cell.font, cell.fill, cell.alignment = HEADER_FONT, HEADER_FILL, Alignment(vertical="top")
    print_wide(sheet)
    first = len(ours) + 1
    sheet.freeze_panes = f"{get_column_letter(first)}2"
    end = first + len(header.columns)
    marked = {name: place for place, name in enumerate(ours, 1)}
    beyond = range(end, end + header.extra)
    marker = Marker(sheet, header.columns, range(first, end), marked, header.run_id, beyond)
    return _Copy(book, marker, 1, is_users=False)


def _set_widths(marker: Marker) -> None:
    sheet, left = marker.sheet, len(marker.marked)
    names = [str(cell.value or "") for cell in sheet[1][left:]]
    sample = [[cell or "" for cell in row[left:]] for row in sheet.iter_rows(2, _WIDTH_SAMPLE, values_only=True)]
    for place, width in enumerate(widths(names, sample), left + 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    wide = [sheet.column_dimensions[get_column_letter(at)].width for at in range(1, left + len(names) + 1)]
    print_table(sheet, wide)

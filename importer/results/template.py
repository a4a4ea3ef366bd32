"""A blank file to fill in: CSV, or a workbook with drop-downs, a note on each header and an example row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.atomic_files import AtomicFiles
from importer.results.sheets import HEADER_ALIGNMENT, HEADER_FILL, HEADER_FONT, print_wide, widths

FILLABLE_ROWS = 10_000
"""Rows that get the drop-downs and the text format."""

_OPTIONAL_FONT = Font(name="Calibri", size=11, bold=False)
_NOTE_WIDTH, _NOTE_HEIGHT = 320, 110  # pixels


@dataclass(frozen=True, slots=True)
class BlankColumn:
    """One column to fill in.

    Args:
        note: what belongs into it.
        choices: what alone is allowed; empty where any text is.
        required: whether every row needs it; its header is bold.
    """

    header: str
    note: str
    example: str
    choices: tuple[str, ...] = ()
    required: bool = False


def write_template(path: Path, columns: Sequence[BlankColumn]) -> None:
    """Write a template; the suffix decides between a workbook (`.xlsx`) and CSV.

    Raises:
        StorageError: the folder cannot be written; a file that was there is still whole.
    """
    with AtomicFiles(path.parent) as files:
        if path.suffix.lower() == ".xlsx":
            _workbook(columns).save(files.path(path.name))
        else:
            rows = csv.writer(files.text(path.name), lineterminator="\n")
            rows.writerow(column.header for column in columns)
            rows.writerow(column.example for column in columns)


def _workbook(columns: Sequence[BlankColumn]) -> Workbook:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101  # a new workbook has one: for the type checker
    sheet.title = "Customers"
    sheet.freeze_panes = "A2"
    print_wide(sheet)
    headers, examples = [column.header for column in columns], [column.example for column in columns]
    for number, (column, width) in enumerate(zip(columns, widths(headers, [examples]), strict=True), start=1):
        _fill(sheet, number, column)
        sheet.column_dimensions[get_column_letter(number)].width = width
    return book


def _fill(sheet: Worksheet, number: int, column: BlankColumn) -> None:
    header = sheet.cell(1, number, column.header)
    header.font = HEADER_FONT if column.required else _OPTIONAL_FONT
    header.fill, header.alignment = HEADER_FILL, HEADER_ALIGNMENT
    header.comment = Comment(column.note, "importer", width=_NOTE_WIDTH, height=_NOTE_HEIGHT)
    sheet.cell(2, number, column.example)
    letter = get_column_letter(number)
    # Text cells: a spreadsheet must not take the zero off a postal code or turn a phone into a number.
    sheet.column_dimensions[letter].number_format = "@"
    sheet.cell(2, number).number_format = "@"
    if column.choices:
        allowed = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=not column.required)
        allowed.errorTitle, allowed.error = "Not allowed here", f"One of: {', '.join(column.choices)}."
        allowed.add(f"{letter}2:{letter}{FILLABLE_ROWS}")
        sheet.add_data_validation(allowed)

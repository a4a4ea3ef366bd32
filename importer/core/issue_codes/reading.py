"""The issue codes of reading: what is wrong with a row before anything is known of customers. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode

_SAVE_AGAIN = "Correct the rows in the program that wrote the file, and export it again."


def _error(code: str, title: str, in_file: str = _SAVE_AGAIN, in_profile: str = "") -> IssueCode:
    return IssueCode(code, title, "", in_file, in_profile=in_profile)


def _warning(code: str, title: str, in_file: str = _SAVE_AGAIN) -> IssueCode:
    return IssueCode.warning(code, title, "", in_file)


_ALL = (
    _error(
        "row_too_short",
        "A row with fewer cells than the header",
        "Add the missing cells to these rows, blank ones too.",
    ),
    _error(
        "row_too_long",
        "A row with more cells than the header",
        "Move the extra cells (the columns `_extra_1`, `_extra_2`, … of the files here) to where they belong, or "
        "delete them.",
    ),
    _error("row_cut_off", "A last row that was cut off", "Export the file again; its end is missing."),
    _error("row_torn", "A row that a line break tore apart", "Put cells with line breaks in quotes."),
    _warning(
        "cell_outside_table",
        "A cell to the right of the table",
        "Delete the cell, or give its column a name in the header.",
    ),
    _error(
        "quotes_broken", "Quotation marks that do not fit together", "Close the quotes, or double those inside a cell."
    ),
    _error(
        "undecodable",
        "Bytes that are not text in the file's encoding",
        "Save the file as UTF-8.",
        "name its encoding: `source.encoding`.",
    ),
    _error("zero_byte", "A zero byte, where text was lost", "Type the cells again."),
    _error(
        "cell_error",
        "A cell that shows an error such as #N/A; a warning where its column is not used",
        "Correct the formulas, or type the values in their place.",
    ),
    _error(
        "formula_without_value",
        "A formula that was never calculated; a warning where its column is not used",
        "Open the workbook, and save it again.",
    ),
    _warning("cell_cut_off", "A cell of exactly the length at which Excel cuts off", "Look the text up at its source."),
    _warning("text_garbled", "Text that went through a wrong encoding", "Export the file again, as UTF-8."),
    _warning(
        "number_shortened",
        "A long number that a spreadsheet rounded; an error in ids and phone numbers",
        "Format the column as text, and export the file again.",
    ),
)

READING_CODES: Mapping[str, IssueCode] = MappingProxyType({entry.code: entry for entry in _ALL})
"""Code to its entry; the sentence about a row is made where the row is read, since it names the place."""

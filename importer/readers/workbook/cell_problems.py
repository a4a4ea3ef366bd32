"""What can be wrong with a cell of a workbook, in one sentence each."""

from __future__ import annotations

from importer.core.errors import SourceError
from importer.core.issues import Severity
from importer.readers.table.blocks import Mark

LONG = 1e15
"""The first number of more digits than a spreadsheet program keeps."""


def no_value(column: int) -> Mark:
    """Return the mark of a formula that was never calculated."""
    return Mark(
        "formula_without_value",
        "The cell holds a formula that was never calculated: open the workbook in Excel and save it.",
        column,
    )


def long_number(number: str | float, column: int) -> Mark | None:
    """Return the mark of a stored number with more digits than a spreadsheet program keeps; None for any other."""
    try:
        is_long = abs(float(number)) >= LONG
    except ValueError:
        return None
    if not is_long:
        return None
    return Mark(
        "number_shortened",
        "The cell holds a number of more than 15 digits, and spreadsheet programs keep 15: its last digits are lost. "
        "Look it up, and type it into a cell that is formatted as text.",
        column,
        Severity.WARNING,
    )


def too_long(longest: int, name: str) -> SourceError:
    """Return the error for a cell that is longer than the profile allows."""
    return SourceError(
        f"'{name}' has a cell of more than the {longest:,} characters that are allowed.",
        "Correct that cell, or raise max_cell_chars in [source.limits].",
    )

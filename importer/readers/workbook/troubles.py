"""What can be wrong with a workbook or one of its cells, in one sentence each."""

from __future__ import annotations

from importer.errors import SourceError
from importer.readers.table.blocks import Mark

ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")
"""What a cell shows when its formula fails."""


def cell_error(text: str, column: int) -> Mark:
    """Say that a cell shows an error of the spreadsheet program."""
    shown = text if text in ERRORS else "an error"
    return Mark("cell_error", f"The cell shows {shown}: correct its formula, or type the value.", column)


def no_value(column: int) -> Mark:
    """Say that a formula was never calculated."""
    return Mark(
        "formula_without_value",
        "The cell holds a formula that was never calculated: open the workbook in Excel and save it.",
        column,
    )


def too_long(longest: int, name: str) -> SourceError:
    """Say that a cell is longer than the profile allows."""
    return SourceError(
        f"'{name}' has a cell of more than the {longest:,} characters that are allowed.",
        "Correct that cell, or raise max_cell_chars in [source.limits].",
    )


def hostile(name: str) -> SourceError:
    """Say that a workbook declares XML entities."""
    return SourceError(
        f"'{name}' declares XML entities, which no spreadsheet program writes: it is refused as hostile.",
        "Open it in a spreadsheet program and save it as a new file.",
    )

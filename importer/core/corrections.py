"""A correction: another text for one cell of a source. Values only."""

from __future__ import annotations

from dataclasses import dataclass

CORRECTION_COLUMNS = ("row", "column", "before", "after")
"""The columns of a file of corrections."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Another text for one cell.

    Args:
        row: as a person sees it in the spreadsheet.
        column: as the reader names it.
        before: what the source holds there.
        after: what is read instead; the same text where the cell is right as it is.
    """

    row: int
    column: str
    before: str
    after: str

"""What cells of a column look like (blank, number, address, words), to tell whether a record's cells stand in place."""

from __future__ import annotations

from collections.abc import Sequence

_ENOUGH_ROWS = 3


def shape(cell: str) -> str:
    """Return the rough look of a cell: "" blank, `@` address, `#` number or date, `a` words, `m` words and numbers."""
    text = cell.strip()
    if not text:
        return ""
    if "@" in text:
        return "@"
    digits = any(map(str.isdigit, text))
    letters = any(map(str.isalpha, text))
    if digits and letters:
        return "m"
    return "#" if digits else "a"


class Shapes:
    """The looks that each column's cells have.

    Args:
        rows: complete records.
    """

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self._looks = [{shape(cell) for cell in column} for column in zip(*rows, strict=True)]
        self.known = len(rows) >= _ENOUGH_ROWS

    def fit(self, row: Sequence[str]) -> bool:
        """Tell whether the cells look like the first columns."""
        if not self.known or len(row) > len(self._looks):
            return False
        return all((look := shape(cell)) == "" or look in self._looks[i] for i, cell in enumerate(row))

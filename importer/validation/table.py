"""The checked columns of some rows, by dotted name. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Table:
    """Normalised columns of customers of one type.

    Args:
        size: how many rows.
        columns: dotted name to its texts; "" is blank.
    """

    __slots__ = ("columns", "size")

    def __init__(self, size: int, columns: Mapping[str, Sequence[str]]) -> None:
        self.size = size
        self.columns = dict(columns)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def column(self, name: str) -> Sequence[str]:
        """The texts of a field; all blank where it is not mapped."""
        return self.columns.get(name) or [""] * self.size

    def blanks(self, name: str) -> Sequence[int]:
        """The places where a field is blank."""
        column = self.columns.get(name)
        if column is None:
            return range(self.size)
        return [place for place, text in enumerate(column) if not text] if "" in column else ()

    def given(self, name: str, place: int) -> bool:
        """Tell whether a field has a text in one row."""
        column = self.columns.get(name)
        return column is not None and column[place] != ""
